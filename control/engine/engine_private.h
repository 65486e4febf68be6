/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the files of the engine share.
 *
 *	objects.c	what is wanted now, and reading it
 *	plan*.c		from operations to edits
 *	tenants.c	tenant objects: what they are, what is made of them
 *	made.c		tenant objects by the state of what is made of them
 *	announce.c	addresses that came to this host are told to the network
 *	job.c		a request from submission to its answer
 *	commit.c	edits that are done: to the store, then into their places
 *	delivery.c	edits to the data plane
 *	link.c		the connection to it, and what it tells by itself
 *	sync.c		wanted and installed are compared and brought together
 *	refresh.c	counters and states anew
 *	reset.c		counters from zero again
 *	confirm.c	transactions that wait to be confirmed
 */
#ifndef TN_ENGINE_ENGINE_PRIVATE_H
#define TN_ENGINE_ENGINE_PRIVATE_H

#include <sys/queue.h>

#include "control/engine/baseline.h"
#include "control/engine/delivery.h"
#include "control/engine/index.h"
#include "control/engine/persist.h"
#include "control/engine/plan.h"
#include "control/engine/watch.h"
#include "control/store/store.h"
#include "dataplane/api/async_client.h"

/* Of clients, all together: appIds, cookies, tenants. */
#define TN_ENGINE_STRINGS_MAX	   100000u
#define TN_ENGINE_STRING_BYTES_MAX (16u << 20)

#define TN_ENGINE_SECOND 1000000000u

enum tn_link_state {
	TN_LINK_AWAY,
	TN_LINK_SYNCING, /* connected; requests wait */
	TN_LINK_IN_STEP,
};

struct tn_link {
	struct tn_api_async *client; /* NULL: away */
	enum tn_link_state state;
	uint32_t watched;  /* epoll events */
	uint64_t heard_ns; /* something came from there */
	char *version;
	uint64_t started_ns; /* of the process that is connected */
	bool can_early;	     /* it tells what is in force before it is kept */
	bool broken;	     /* nothing good is to be expected of it */
	bool connected;	     /* as watchers know it */
	uint64_t since_ns;   /* that it is so */
};

enum tn_job_stage {
	TN_JOB_QUEUED,	   /* nothing was done about it */
	TN_JOB_DELIVERING, /* on its way to the data plane */
	TN_JOB_READY,	   /* to be stored */
	TN_JOB_KEEPING,	   /* stored, or not: the data plane has still to keep it */
	TN_JOB_UNDOING,	   /* could not be stored: out of the data plane again */
	TN_JOB_PUSHING,	   /* stored and answered, and now on its way */
};

/* A request, or a change that the engine makes by itself: those have no operations. */
struct tn_job {
	TAILQ_ENTRY(tn_job) link; /* in queue, or in jobs */
	TAILQ_ENTRY(tn_job) ready_link;
	struct tn_engine *e;
	struct tn_request r;
	struct tn_plan plan; /* from when it left the queue on */
	struct tn_delivery delivery;
	enum tn_job_stage stage;
	bool accepted;		      /* stored before the data plane has it */
	bool keeping;		      /* in force, and the data plane has yet to keep it */
	bool not_stored;	      /* KEEPING: it could not be */
	bool installed;		      /* it came from the data plane: nothing is to be delivered */
	struct tn_diagnostics errors; /* beside those of the plan */
	uint64_t generation;	      /* that it made */
	uint64_t stored_generation;   /* the engine's when it was stored; 0: it was not yet */
	uint64_t undoes;	      /* transaction that ends with it; 0: none */
};

TAILQ_HEAD(tn_job_list, tn_job);

struct tn_unconfirmed {
	struct tn_unconfirmed *next;
	uint64_t id, due_ns;
	struct tn_api_buffer undo;
	bool ending;	 /* a job does it */
	tn_done_fn done; /* of a cancel that waits */
	void *ctx;
};

/* A large request whose rows are written while the data plane works on it. */
struct tn_early {
	struct tn_job *job; /* NULL: there is none */
	size_t next;	    /* edit that is not written */
	bool fresh;	    /* nothing is replaced: its rows can be staged */
};

/* Rows that are in the store and do not count until their job is stored, or are taken out again. */
struct tn_staged {
	struct tn_job *job; /* NULL: there are none */
	uint64_t from, to;
	bool stuck; /* some could not be taken out: no others until a restart has done it */
};

/* The declaration of tenants and its compiler, both as of the last change that was planned. */
struct tn_engine_tenants {
	struct tn_tenants *all;
	struct tn_numbers *numbers;
	struct tn_compiler *compiler; /* NULL: this process has no host */
	char *host;
	uint32_t owner;	       /* of what is made */
	uint64_t last_number;  /* given to an object */
	struct tn_arena arena; /* of a change that no request holds */
	bool changing;	       /* a plan's change is neither kept nor undone */
};

/* What is made of tenant objects and is not in the data plane. */
struct tn_engine_made {
	struct tn_index makers;		 /* by their ids */
	struct tn_maker *last, *changed; /* looked up last; to be looked at */
	struct tn_index to_tell;	 /* numbers of objects that watchers are to hear of */
};

struct tn_reset {
	struct tn_baseline next;	      /* what is to take the place of the engine's */
	struct tn_reset_wait *waiting, *late; /* late: for the one after */
	bool under_way, collecting;
};

struct tn_engine {
	struct tn_loop *loop;
	struct tn_names *names;
	char *dataplane_path;
	bool refuse_when_away;
	uint64_t dpid;
	int wake_fd; /* eventfd: something is to be done before the loop sleeps */
	int tick_fd; /* timerfd */
	bool woken, freeing;

	struct tn_store *store;
	uint32_t n_stored_strings;
	uint64_t next_row;
	uint64_t last_started_ns; /* of the data plane's process that was in step last */
	bool synced;		  /* one was, ever */
	struct tn_api_buffer row; /* what is encoded just now */

	/* What is wanted, by kind and id. */
	struct tn_index objects[TN_N_KINDS];
	uint64_t generation, kind_generation[TN_N_KINDS];
	uint32_t n_pending, n_failed;
	size_t object_bytes;
	struct tn_unpacked_flow scratch; /* of the flow that is handed out */

	/* Requests. */
	struct tn_job_list queue, jobs, ready;
	struct tn_early early;
	struct tn_staged staged;
	struct tn_busy busy;
	size_t n_under_way; /* jobs that were planned and are not done */
	struct tn_unconfirmed *unconfirmed;

	struct tn_link link;
	struct tn_sync *sync;
	uint16_t sync_number;
	bool resync;	       /* due */
	uint64_t resync_at_ns; /* 0: not planned */
	struct tn_refresh *refresh;
	struct tn_baseline baseline;
	struct tn_reset reset;
	struct tn_trace_wait *traces;
	struct tn_underlay_copy *underlay;
	struct tn_watch watch;
	struct tn_engine_tenants tenants;
	struct tn_engine_made made;
};

/* In nanoseconds since 1970. */
uint64_t tn_engine_now(void);
/* As often as the state of the link wants it. -errno */
int tn_engine_set_tick(struct tn_engine *e);
/* Have turn() called before the loop sleeps. */
void tn_engine_wake(struct tn_engine *e);

/* --- objects.c --- */

/* The edits are so now: objects change places, names follow, watchers are told. */
void tn_engine_apply(struct tn_engine *e, const struct tn_edits *edits);
/* Of an object that is in its place. Watchers hear of tenant objects by tn_made_tell(). */
void tn_engine_set_state(struct tn_engine *e, struct tn_wanted *w, enum tn_object_state state,
	const struct tn_error *failure);
/* By the data plane: what the edit made failed, unless another one is in its place by now. */
void tn_engine_refused(struct tn_engine *e, const struct tn_edit *edit, const struct tn_error *err);
void tn_engine_tell(struct tn_engine *e, enum tn_watch_event_kind kind, struct tn_wanted *w,
	const char *reason);
/* Into its place, as it is; what the store held. */
void tn_engine_place(struct tn_engine *e, struct tn_wanted *w);
/* Another dpid: the ids of all flows. */
void tn_engine_set_dpid(struct tn_engine *e, uint64_t dpid);
void tn_engine_free_objects(struct tn_engine *e);

/* --- tenants.c --- */

void tn_engine_tenants_init(struct tn_engine *e, const char *host);
void tn_engine_tenants_fini(struct tn_engine *e);
/* An object of the store. */
struct tn_wanted *tn_engine_tenants_restore(struct tn_engine *e, struct tn_wanted *w);
/* All were restored: what is made of them is put into its place. */
void tn_engine_tenants_restored(struct tn_engine *e);
/* The change that a plan made is so now, or never was. */
void tn_engine_tenants_keep(struct tn_engine *e);
void tn_engine_tenants_undo(struct tn_engine *e);
/* Numbers that it gave, to the store. */
void tn_engine_tenants_store(struct tn_engine *e);

/* --- made.c --- */

/* An object comes into its place, or goes, with the state that it has. */
void tn_made_count(struct tn_engine *e, const struct tn_wanted *w, int by);
/* The state of a tenant object itself is another one. */
void tn_made_object(struct tn_engine *e, const struct tn_wanted *w);
/* Watchers are told of this tenant object as it is now, whatever became of it. */
void tn_made_told(struct tn_engine *e, const struct tn_wanted *w);
/* Watchers are told of all others whose state is not what they know. */
void tn_made_tell(struct tn_engine *e);
void tn_made_fini(struct tn_engine *e);

/* --- announce.c --- */

/* Of what was just put into its place. */
void tn_announce_edits(struct tn_engine *e, const struct tn_edits *edits);
/* The port of the switch came up. */
void tn_announce_port(struct tn_engine *e, const struct tn_wanted *port);

/* --- job.c --- */

/* A change of the engine itself: edits are taken over. */
struct tn_job *tn_job_internal(struct tn_engine *e, struct tn_edits *edits);
/* It comes to nothing, and did not begin. */
void tn_job_forget(struct tn_job *job);
/* As if it had been planned now. */
void tn_job_begin(struct tn_job *job);
/* Planned or begun, and not to be delivered: it is to be stored. */
void tn_job_ready(struct tn_job *job);
/* Something of it is to be in the data plane. */
bool tn_job_needs_data_plane(const struct tn_job *job);
/* It was stored and is in its place. */
void tn_job_stored(struct tn_job *job);
/* It was not stored. */
void tn_job_not_stored(struct tn_job *job, const struct tn_error *err);
/* What waits and can begin. */
void tn_jobs_start(struct tn_engine *e);
/* ctx is gone. */
void tn_jobs_forget(struct tn_engine *e, const void *ctx);
/* Everyone who waits is told that it comes to nothing. */
void tn_jobs_end(struct tn_engine *e);

/* --- commit.c --- */

int tn_commit_open(struct tn_engine *e, const char *path, struct tn_error *err) TN_MUST_CHECK;
/* All jobs that are ready, in one commit of the store. */
void tn_commit_ready(struct tn_engine *e);
/*
 * While the data plane works on a large request its rows are written, in a commit of the store that
 * is made when the answer is good. It is dropped when the answer is another one, or somebody else
 * has something to store before: then they are written as those of all others are. Rows that
 * replace none are on the disk before the answer comes: staged, and one more commit says that they
 * count.
 */
void tn_commit_begin_early(struct tn_engine *e, struct tn_job *job);
void tn_commit_go_on_early(struct tn_engine *e);
void tn_commit_drop_early(struct tn_engine *e);
/* The job ends: what is staged of it and does not count is taken out. */
void tn_commit_unstage(struct tn_engine *e, struct tn_job *job);
/* Objects that wanted only to be in the data plane are; for those whose rows must say so. */
void tn_commit_settled(struct tn_engine *e, const struct tn_edits *edits);

/* Wanted and installed are the same now. */
void tn_commit_in_step(struct tn_engine *e);
/* Ends a commit of the store that is true of the data plane's process that is connected. */
int tn_commit_end_in_step(struct tn_engine *e, struct tn_error *err) TN_MUST_CHECK;
/* It is the one that was in step last: it has what that one had. */
bool tn_commit_knows_data_plane(const struct tn_engine *e);

/* --- link.c --- */

void tn_link_connect(struct tn_engine *e);
void tn_link_tick(struct tn_engine *e, uint64_t now_ns);
/* Sends what was asked for, and watches for what the connection waits for. */
void tn_link_flush(struct tn_engine *e);
void tn_link_drop(struct tn_engine *e);
void tn_link_set_state(struct tn_engine *e, enum tn_link_state state);
void tn_link_send_underlay(struct tn_engine *e);
void tn_link_free_underlay(struct tn_engine *e);

/* --- sync.c --- */

void tn_sync_start_if_due(struct tn_engine *e);
/* The connection is lost. */
void tn_sync_stop(struct tn_engine *e);
/* A flow that is under comparison went by itself. */
bool tn_sync_concerns(const struct tn_engine *e, uint64_t flow_id);

/* --- refresh.c --- */

/* The connection is lost: those who wait are told. */
void tn_refresh_stop(struct tn_engine *e);
/* Something changed: what was read before, or is being read, does not tell of it. */
void tn_refresh_spoil(struct tn_engine *e);
void tn_refresh_forget(struct tn_engine *e, const void *ctx);
void tn_refresh_free(struct tn_engine *e);
void tn_refresh_port(struct tn_engine *e, const struct tn_api_port_info *port);
void tn_refresh_group(struct tn_engine *e, const struct tn_group_info *group);
void tn_refresh_meter(struct tn_engine *e, const struct tn_api_meter_info *meter);
/* All of it, as the data plane has it after this call. */
void tn_refresh_anew(struct tn_engine *e, tn_refreshed_fn fn, void *ctx);

/* --- reset.c --- */

/* ctx is gone. */
void tn_reset_forget(struct tn_engine *e, const void *ctx);
/* What the store held. -EINVAL */
int tn_reset_restore(struct tn_engine *e, const struct tn_store_base *base);
/* An object is gone, and what comes after it with its id is another one. */
void tn_reset_forget_object(struct tn_engine *e, enum tn_kind kind, uint64_t id);
/* The same in the commit of the store that is being made. */
void tn_reset_delete_object(struct tn_engine *e, enum tn_kind kind, uint64_t id);
/* What began anew by itself, in the store. */
void tn_reset_tick(struct tn_engine *e);

/* --- trace.c --- */

void tn_trace_forget(struct tn_engine *e, const void *ctx);

/* --- confirm.c --- */

void tn_unconfirmed_add(
	struct tn_engine *e, uint64_t id, uint64_t due_ns, const void *undo, size_t size);
void tn_unconfirmed_remove(struct tn_engine *e, uint64_t id);
void tn_unconfirmed_tick(struct tn_engine *e, uint64_t now_ns);
/* The job that was to end it failed. */
void tn_unconfirmed_retry(struct tn_engine *e, uint64_t id);
void tn_unconfirmed_forget(struct tn_engine *e, const void *ctx);
void tn_unconfirmed_free(struct tn_engine *e);

#endif
