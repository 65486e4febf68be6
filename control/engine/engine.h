/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the switch is wanted to be, and what it is: the heart of tenond.
 *
 * Clients state what they want as requests; the engine checks one whole, sends it to the data plane
 * as one bundle, writes it to the store and only then says that it is done. Requests that wait at
 * the same time share one write of the disk here and there (group commit); those that touch the
 * same objects are done one after another, in the order they came. When the data plane or this
 * process comes back, wanted and installed are compared and only the difference is sent.
 *
 * No HTTP and no JSON text here: requests are decoded mods, objects are handed out decoded.
 * One thread, on the loop it was given. Times are nanoseconds since 1970.
 */
#ifndef TN_ENGINE_ENGINE_H
#define TN_ENGINE_ENGINE_H

#include "control/model/document.h"
#include "control/model/tenants.h"
#include "control/tenant/compile.h"
#include "dataplane/api/loop.h"
#include "dataplane/api/messages.h"

struct tn_engine;

enum tn_kind {
	TN_KIND_FLOW = 1,
	TN_KIND_GROUP,
	TN_KIND_METER,
	TN_KIND_PORT,
	TN_KIND_TABLE,	/* settings of a flow table */
	TN_KIND_HOST,	/* told by clients; the data plane does not see them */
	TN_KIND_TENANT, /* and an enum tn_tenant_kind: objects that flows, groups, meters and ports
			   are made of */
	TN_N_KINDS = TN_KIND_TENANT + TN_TENANT_N_KINDS
};

static inline enum tn_kind tn_kind_of_tenant(enum tn_tenant_kind kind)
{
	return (enum tn_kind)(TN_KIND_TENANT + kind);
}

static inline bool tn_kind_is_tenant(enum tn_kind kind)
{
	return kind >= TN_KIND_TENANT && kind < TN_N_KINDS;
}

/* As ONOS names them. */
enum tn_object_state {
	TN_STATE_PENDING_ADD, /* wanted, not in the data plane yet */
	TN_STATE_ADDED,
	TN_STATE_PENDING_REMOVE, /* not wanted, still in the data plane */
	TN_STATE_FAILED,	 /* wanted, and the data plane refused it; `failure` says why */
};

/* An address where somebody is. */
struct tn_host {
	struct tn_mac mac;
	int32_t vlan; /* -1: untagged */
	uint32_t port;
	uint64_t last_seen_ns;
	const tn_u128 *addresses; /* IPv4 as ::ffff:a.b.c.d */
	uint32_t n_addresses;
};

/*
 * An object as it is handed out: everything is borrowed for the call. What the object is comes with
 * its counters as they were last read (tn_engine_refresh()).
 */
struct tn_object {
	enum tn_kind kind;
	/* flow id, group id, meter id, port number, table id; host: MAC << 16 | VLAN, untagged: all
	 * ones; of a tenant's: a number of this process, see tn_engine_tenant_id() */
	uint64_t id;
	uint32_t tenant, owner; /* strings of tn_engine_names(); 0: none */
	uint64_t generation;	/* of the engine, when the object was last changed: its ETag */
	enum tn_object_state state;
	const struct tn_error *failure; /* FAILED */
	bool derived;			/* made of tenant objects, changed with them alone */
	uint64_t created_ns;
	union {
		const struct tn_flow_info *flow;
		const struct tn_group_info *group;
		const struct tn_api_meter_info *meter;
		const struct tn_api_port_info *port;
		const struct tn_table_setting *table;
		const struct tn_host *host;
		const struct tn_tenant_object *tenants; /* of any kind from TN_KIND_TENANT on */
	};
};

/* Whose objects are seen and touched. */
struct tn_scope {
	uint32_t tenant; /* 0: everybody's */
};

/* --- requests ------------------------------------------------------------------------------- */

/*
 * An ADD of a flow as a request holds it until it is done: packed, and encoded as the data plane
 * and the store take it. A quarter of the mod that it was made of, and that only once.
 */
struct tn_flow_add;

/* In the arena. NULL with err: there is no form for it, so that it must be refused. */
const struct tn_flow_add *tn_engine_pack_flow(struct tn_engine *e, const struct tn_flow_mod *fm,
	struct tn_arena *arena, struct tn_error *err);
/* All of its bytes. */
size_t tn_flow_add_size(const struct tn_flow_add *add);
uint64_t tn_flow_add_id(const struct tn_flow_add *add);

enum tn_operation_kind {
	TN_OP_MOD,	/* flow, group or meter mod, any command */
	TN_OP_FLOW_ADD, /* the same as the ADD of a flow */
	TN_OP_PORT_ADD, /* or replace the one with the same number */
	TN_OP_PORT_REMOVE,
	TN_OP_PORT_CONFIGURE,
	TN_OP_TABLE,
	TN_OP_HOST_ADD,
	TN_OP_HOST_REMOVE,
	TN_OP_PACKET_OUT,
	/*
	 * A flow (group, meter) by its id; absent ones are no error. The mod is made by the engine.
	 */
	TN_OP_REMOVE,
	/*
	 * From here on, the ADDs that follow in this request are all that `owner` wants of `kind`
	 * (0: of flows, groups and meters): what it has beyond is deleted, what is the same is not
	 * touched and keeps its counters.
	 */
	TN_OP_REPLACE,
	/*
	 * A tenant object: new, or in place of the one with its id. Those of a request are looked
	 * at together, so their order means nothing.
	 */
	TN_OP_TENANT_PUT,
	TN_OP_TENANT_REMOVE, /* absent ones are no error */
};

struct tn_operation {
	enum tn_operation_kind kind;
	const char *pointer;	/* where it stands in the client's request, for errors */
	uint64_t if_generation; /* not 0: refused with PRECONDITION unless the object has it */
	bool create_only;	/* refused with PRECONDITION if the object is there */
	bool must_exist;	/* refused with NOT_FOUND unless the object is there */
	union {
		struct tn_mod mod;
		const struct tn_flow_add *flow;
		const struct tn_api_port *port;
		uint32_t port_number;
		struct tn_api_port_configure port_configure;
		struct tn_table_setting table;
		struct tn_host host;
		struct tn_api_packet_out packet_out;
		struct {
			enum tn_kind kind;
			uint64_t id;
		} object;
		struct {
			enum tn_kind kind;
			uint32_t owner;
			bool everybody; /* of all owners: a whole document */
		} replace;
		const struct tn_tenant_value *tenants; /* with an id */
		struct {
			enum tn_tenant_kind kind;
			const char *id;
		} tenants_id;
	};
};

enum tn_verdict {
	TN_DONE,      /* stored and, unless no_wait, in the data plane */
	TN_ACCEPTED,  /* stored; the data plane gets it when it can */
	TN_REFUSED,   /* `errors` says why; nothing was changed */
	TN_NOT_FOUND, /* as REFUSED, for these reasons */
	TN_PRECONDITION,
	TN_FORBIDDEN,	 /* another tenant's or a quota */
	TN_CONFLICT,	 /* tenant objects that contradict each other, or are in use */
	TN_UNAVAILABLE,	 /* no data plane, and the policy or the operation needs one */
	TN_STORE_FAILED, /* the disk is full, read-only or broken; nothing was changed */
};

/* What became of an operation. */
struct tn_result {
	enum tn_kind kind;   /* of the object; 0: several or none */
	uint64_t id;	     /* the same */
	uint64_t generation; /* of the object, after the request */
	bool created, changed;
	uint32_t n_objects; /* that it added, changed or removed */
};

/* One object's change of a request, for a dry run. before NULL: added; after NULL: removed. */
typedef void (*tn_difference_fn)(
	void *ctx, const struct tn_object *before, const struct tn_object *after);

struct tn_outcome {
	enum tn_verdict verdict;
	const struct tn_result *results; /* one an operation; DONE, ACCEPTED and dry runs */
	size_t n_results;
	size_t failed; /* position of the operation at fault */
	const struct tn_diagnostics *errors;
	uint64_t generation;  /* of the engine, with the request done */
	uint64_t transaction; /* to confirm by; 0: confirmed already */
};

typedef void (*tn_done_fn)(void *ctx, const struct tn_outcome *outcome);

struct tn_request {
	const struct tn_operation *operations;
	size_t n;
	struct tn_scope scope;
	uint32_t tenant, owner; /* that new objects get, where a mod names no owner */
	bool dry_run;		/* done follows at once; difference (may be NULL) is called first */
	bool no_wait;		/* ACCEPTED as soon as it is stored */
	bool bypass_ttp;
	uint32_t confirm_within_s; /* not 0: undone again unless confirmed by then */
	tn_difference_fn difference;
	tn_done_fn done;
	void *ctx;
};

/* Operations are borrowed until done was called, which may be from within. */
void tn_engine_submit(struct tn_engine *e, const struct tn_request *request);
/* ctx is gone: its requests go on, nobody is told. */
void tn_engine_forget(struct tn_engine *e, const void *ctx);
/*
 * -ENOENT: no such transaction waits, or it touched what the scope does not see. `done` as of a
 * request: durable when it is called.
 */
int tn_engine_confirm(struct tn_engine *e, uint64_t transaction, struct tn_scope scope,
	tn_done_fn done, void *ctx);
int tn_engine_cancel(struct tn_engine *e, uint64_t transaction, struct tn_scope scope,
	tn_done_fn done, void *ctx);

/* --- reading -------------------------------------------------------------------------------- */

/* false: enough. */
typedef bool (*tn_object_fn)(void *ctx, const struct tn_object *object);

/* In the order of their ids, from the one after `after` on; *from_start: also id 0. */
void tn_engine_scan(struct tn_engine *e, enum tn_kind kind, struct tn_scope scope, uint64_t after,
	bool from_start, tn_object_fn fn, void *ctx);
bool tn_engine_get(struct tn_engine *e, enum tn_kind kind, uint64_t id, struct tn_scope scope,
	tn_object_fn fn, void *ctx);
uint32_t tn_engine_count(const struct tn_engine *e, enum tn_kind kind, struct tn_scope scope);
/* Rises with every change; generation of one kind: the ETag of its collection. */
uint64_t tn_engine_generation(const struct tn_engine *e, enum tn_kind kind);

/* Ports, tables, appIds and tenants by name. Interning is bounded: 0 for one string too many. */
struct tn_names *tn_engine_names(struct tn_engine *e);
uint64_t tn_engine_dpid(const struct tn_engine *e);

/*
 * Counters and states anew from the data plane; fn is called when they are there, with 0, or at
 * once with -ENOTCONN. Asked for again within some milliseconds it takes what is there.
 */
typedef void (*tn_refreshed_fn)(void *ctx, int rc);
void tn_engine_refresh(struct tn_engine *e, unsigned kinds, tn_refreshed_fn fn, void *ctx);
/*
 * Counters count from 0 again, as they are read here; fn is called when that is stored. -ENOTCONN:
 * there is no data plane; else err says what the store said. Nothing was changed then.
 */
typedef void (*tn_reset_fn)(void *ctx, int rc, const struct tn_error *err);
void tn_engine_reset_counters(struct tn_engine *e, tn_reset_fn fn, void *ctx);
/* As last refreshed (bit 1 << 0 of kinds: these). Borrowed until the next turn of the loop. */
const struct tn_table_info *tn_engine_tables(const struct tn_engine *e, size_t *n);
const struct tn_api_worker_info *tn_engine_workers(const struct tn_engine *e, size_t *n);
/* The same with this bit: drops by network. */
#define TN_REFRESH_NETWORKS (1u << TN_N_KINDS)
const struct tn_api_network_drop *tn_engine_networks(const struct tn_engine *e, size_t *n);

struct tn_engine_status {
	bool connected; /* to the data plane, and in step with it */
	const char *version;
	uint64_t dpid, since_ns;
	uint32_t pending, failed; /* objects */
	uint64_t memory_bytes;
};
void tn_engine_status(const struct tn_engine *e, struct tn_engine_status *status);

/* A frame as the data plane would treat it; NULL reply: err says why. Good for the call. */
typedef void (*tn_trace_fn)(
	void *ctx, const struct tn_api_trace_reply *reply, const struct tn_error *err);
void tn_engine_trace(
	struct tn_engine *e, const struct tn_api_trace *trace, tn_trace_fn fn, void *ctx);

/* The underlay as the mirror sees it; the last one counts. Not stored. */
void tn_engine_set_underlay(struct tn_engine *e, const struct tn_underlay_config *config);

/* Wanted and installed are to be compared, as soon as nothing is under way; what is away waits. */
void tn_engine_resync(struct tn_engine *e);

/* --- tenants -------------------------------------------------------------------------------- */

/* Flows of tenant networks are there: what others add must fit beside them (pattern.h). */
bool tn_engine_has_tenant_pipeline(const struct tn_engine *e);

/* All of them, with what is under way; to be read alone. */
const struct tn_tenants *tn_engine_tenants(const struct tn_engine *e);
/* The id of a tenant object for tn_engine_get() and conditions; 0: it is not there. */
uint64_t tn_engine_tenant_id(const struct tn_engine *e, enum tn_tenant_kind kind, const char *id);
/* "": this process has no host, and nothing is made of the objects. */
const char *tn_engine_host(const struct tn_engine *e);

enum tn_attachment {
	TN_ATTACHED_NOWHERE,   /* bound to nothing, or switched off */
	TN_ATTACHED_ELSEWHERE, /* to another host or endpoint */
	TN_ATTACHED_PENDING,   /* its port of the switch is on its way */
	TN_ATTACHED_DOWN,      /* it is there, and nobody at its other end */
	TN_ATTACHED_UP,
	TN_ATTACHED_FAILED, /* the data plane refused it */
};
/* Of a tenant's port; *number: its port of the switch, 0: none. */
enum tn_attachment tn_engine_attachment(
	const struct tn_engine *e, const struct tn_tenant_port *port, uint32_t *number);
/* FAILED: why, of the switch's port of that number; NULL: nothing is known. */
const struct tn_error *tn_engine_attachment_failure(const struct tn_engine *e, uint32_t number);
/*
 * What has become of an object of a tenant: ADDED when all that is made of it here is in the data
 * plane, and that is there to say so; of a subnet, what its network is. FAILED: why, or NULL.
 */
enum tn_object_state tn_engine_tenant_state(
	const struct tn_engine *e, const struct tn_object *o, const struct tn_error **failure);
/* What a flow with this cookie and match is there for; false: it is not made of tenant objects. */
bool tn_engine_explain(const struct tn_engine *e, uint64_t cookie, const struct tn_match *match,
	struct tn_explanation *explanation);

/* --- watching ------------------------------------------------------------------------------- */

enum tn_watch_event_kind {
	TN_WATCH_ADDED,
	TN_WATCH_MODIFIED,
	TN_WATCH_REMOVED,
	TN_WATCH_PACKET_IN,
	TN_WATCH_DATAPLANE, /* connected or not */
};

struct tn_watch_event {
	uint64_t sequence, time_ns;
	enum tn_watch_event_kind kind;
	const struct tn_object *object; /* as it is with the event; REMOVED: as it was */
	const char *reason;		/* "IDLE_TIMEOUT", "DELETE", ...; may be NULL */
	const struct tn_api_packet_in *packet_in;
	bool connected;
};

typedef void (*tn_watch_fn)(void *ctx, const struct tn_watch_event *event);
int tn_engine_listen(struct tn_engine *e, tn_watch_fn fn, void *ctx) TN_MUST_CHECK;
void tn_engine_unlisten(struct tn_engine *e, const void *ctx);
/* The sequence of the newest event. */
uint64_t tn_engine_sequence(const struct tn_engine *e);
/* Those after `since` that are kept (some thousands). -ERANGE: it is too old, or not yet. */
int tn_engine_replay(struct tn_engine *e, uint64_t since, tn_watch_fn fn, void *ctx) TN_MUST_CHECK;

/* --- life ----------------------------------------------------------------------------------- */

struct tn_engine_options {
	const char *store_path;	    /* of the database */
	const char *dataplane_path; /* its socket */
	bool refuse_when_away;	    /* no data plane: refuse changes in place of taking them */
	uint64_t dpid;		    /* until the data plane said its own */
	const char *host;	    /* id of this host among the tenants' hosts; NULL or "": none */
};

/* Reads the store. NULL with err: it is damaged, of a newer version, not to be opened. */
struct tn_engine *tn_engine_new(
	struct tn_loop *loop, const struct tn_engine_options *options, struct tn_error *err);
/* What was submitted and not done is answered with UNAVAILABLE first. */
void tn_engine_free(struct tn_engine *e);

#endif
