/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The process: one main thread that writes tables and ports, and workers that forward.
 *
 * The main thread builds a struct tn_agent_forwarding beside the one in use, publishes it with one
 * store and frees the old one after every worker passed a quiescent point (rte_rcu_qsbr). Workers
 * send counts, addresses and packet-ins back through bounded rings, one a worker. Everything
 * declared here is called on the main thread.
 */
#ifndef TN_AGENT_AGENT_H
#define TN_AGENT_AGENT_H

#include <pthread.h>

#include <rte_mempool.h>
#include <rte_rcu_qsbr.h>

#include "dataplane/agent/byte_ring.h"
#include "dataplane/api/loop.h"
#include "dataplane/agent/options.h"
#include "dataplane/fastpath/worker.h"
#include "dataplane/pipeline/switch.h"
#include "dataplane/port/dpdk_buffer.h"
#include "dataplane/port/port_factory.h"

struct tn_agent;
struct tn_agent_port;
struct tn_shadow;
struct tn_learning;
struct tn_worker_ready;
struct tn_kernel;
struct tn_housekeeping;

struct tn_rx_queue {
	uint16_t port_index, queue;
};

/* What workers load once a round: the forwarding and who polls what. Replaced whole. */
struct tn_agent_forwarding {
	struct tn_forwarding fwd; /* first */
	uint64_t number;	  /* counts publications */
	unsigned n_queues[TN_WORKERS_MAX];
	struct tn_rx_queue *queues[TN_WORKERS_MAX];
	struct tn_shadow *shadows[TN_WORKER_PORTS_MAX]; /* of uplinks, by index; NULL: none */
	uint16_t n_shadows;
	uint16_t with_shadow[TN_WORKER_PORTS_MAX]; /* indexes; the first worker polls them */
	/* A queue of the worker has no descriptor that tells of packets: it naps and looks. */
	bool naps[TN_WORKERS_MAX];
};

/* A budget of packet-ins of one port at one worker. */
struct tn_punt_budget {
	uint64_t paid_until_ns;
};

/*
 * Threads: what a comment names "worker" is written by the worker alone and read by main for
 * statistics only; "main" the other way round.
 */
struct tn_worker_thread {
	/* set before the thread starts */
	struct tn_agent *agent;
	struct tn_worker *worker;
	pthread_t thread;
	unsigned id, core;
	bool started;
	int wake_fd;			/* eventfd: main wakes a worker that sleeps */
	int epoll_fd;			/* what it sleeps on: wake_fd and its queues' descriptors */
	struct tn_byte_ring *events;	/* struct tn_worker_event, worker to main */
	struct tn_byte_ring *punts;	/* struct tn_punt and its frame, worker to main */
	struct tn_byte_ring *jobs;	/* struct tn_worker_job, main to worker */
	struct tn_byte_ring *decided;	/* sessions for the kernel (kernel.c), worker to main */
	struct tn_punt_budget *budgets; /* worker, by port index */
	/* main writes */
	uint32_t counts_wanted __attribute__((aligned(64))); /* atomic: report all counts, again */
	/* worker writes */
	uint32_t counts_told __attribute__((aligned(64))); /* atomic: last wanted that was done */
	uint32_t sleeping;				   /* atomic */
	uint64_t seen; /* atomic: number of the newest forwarding that a round began with */
	uint64_t busy_cycles, packets, polls, naps;
	uint64_t longest_cycles; /* between two looks at its queues */
	uint64_t packet_ins, host_frames, host_sent, host_dropped;
	uint64_t cpu_ns; /* at its end: how much of its core it had */
	uint64_t now_ns;
	uint64_t busy_ns;   /* when something came last */
	uint32_t rx_index;  /* of the burst */
	uint32_t telling;   /* what counts_told is to be */
	bool has_told;	    /* the main thread is to hear of it when the round ends */
	bool is_telling;    /* a sweep is under way that ends in counts_told */
	bool all_told;	    /* nothing came since the last idle sweep ended */
	bool idle_sweeping; /* one is under way */
	bool look_again;    /* a queue could not be waited for a moment ago */
	struct tn_learning *learning;
	struct tn_worker_ready *ready;		/* where it runs by events */
	uint64_t shadow_due_ns;			/* next look at what the host sends */
	struct tn_agent_forwarding *forwarding; /* of the round */
};

/* What a worker tells the main thread. */
enum tn_worker_event_kind { TN_WORKER_COUNT = 1, TN_WORKER_LEARN, TN_WORKER_SNOOP };

struct tn_worker_event {
	uint32_t kind;
	union {
		struct tn_count count;
		struct tn_learnt learn;
		struct tn_snooped snoop;
	};
};

/* A packet-in on its way; the frame's first `len` bytes follow. */
struct tn_punt {
	uint64_t time_ns;
	uint64_t cookie, metadata, tunnel_id, flow_id;
	uint32_t in_port, in_phy_port;
	uint32_t len, total_len;
	uint8_t reason; /* enum tn_packet_in_reason */
	uint8_t table;
	uint8_t frame[];
};

typedef void (*tn_punt_fn)(void *ctx, const struct tn_punt *punt);

/* A port as a client asks for it. Borrowed for the call: what is kept is copied. */
struct tn_port_request {
	uint32_t number;
	const char *name;
	const char *type; /* "vxlan", or a kind of dataplane/port */
	bool enabled;
	uint32_t config; /* enum tn_port_config */
	uint32_t mtu;	 /* 0: no limit of its own */
	/*
	 * Not of vxlan. "shadow" is of every other type: the name of the kernel interface by which
	 * the host uses an uplink; "shadowNetns" is the network namespace to make it in.
	 */
	const struct tn_port_option *options;
	size_t n_options;
	struct tn_vxlan_options vxlan; /* type "vxlan" */
};

/* Who hears of what happens in the switch. */
#define TN_AGENT_LISTENERS_MAX 4u

struct tn_agent_listener {
	tn_event_fn fn;
	void *ctx;
};

struct tn_agent {
	struct tn_agent_options options;
	struct tn_loop *loop;
	struct tn_switch *sw;
	struct tn_dpdk_buffers buffers;
	struct rte_rcu_qsbr *qsbr;
	struct tn_agent_forwarding *forwarding; /* atomic: workers load it */
	struct tn_tunnels *tunnels;
	struct tn_underlay *underlay;
	struct tn_underlay_config *underlay_said; /* by a client; NULL: nothing */
	struct tn_kernel *kernel;		  /* its sessions; NULL: no port needs any */
	struct tn_agent_port *ports[TN_WORKER_PORTS_MAX]; /* by index of the forwarding */
	struct tn_worker_thread workers[TN_WORKERS_MAX];
	unsigned n_workers;
	struct tn_agent_listener listeners[TN_AGENT_LISTENERS_MAX];
	unsigned n_listeners;
	struct tn_housekeeping *housekeeping;
	int punt_fd; /* eventfd: a worker has packet-ins */
	/* Who takes packet-ins; NULL: they are counted and gone. */
	tn_punt_fn packet_in;
	void *packet_in_ctx;
	/* The clock: nanoseconds = (tsc - tsc_start) * ns_per_tsc / 2^32 + time_start_ns. */
	uint64_t tsc_hz, tsc_start, time_start_ns, ns_per_tsc;
	bool reclaim_due;
	/* Events of removed flows that wait for what the workers counted: see housekeeping.c. */
	uint64_t events_wait;	  /* newest that waits for counts that were asked for; 0: none */
	uint64_t events_until_ns; /* no longer than this; 0: none waits */
	uint32_t events_asked;
	bool punts_wanted; /* atomic: packet_in is set */
	bool bell_rung;	   /* atomic: punt_fd was written and is not read yet */
	bool stop;	   /* atomic: workers end */
};

/* EAL runs. The loop stays the caller's. NULL: no memory, said why in err. */
struct tn_agent *tn_agent_new(const struct tn_agent_options *options, struct tn_loop *loop,
	uint64_t dpid, struct tn_error *err);
/* Stops the workers first. */
void tn_agent_free(struct tn_agent *agent);

/* Threads begin to poll, timers to run. */
int tn_agent_start(struct tn_agent *agent, struct tn_error *err) TN_MUST_CHECK;
/* They end; what they counted is with the switch after this. */
void tn_agent_stop(struct tn_agent *agent);

/* Time of the process's clock: nanoseconds since 1970, never back. Any thread. */
uint64_t tn_agent_now(const struct tn_agent *agent);

/*
 * Everything the workers read, anew from switch, ports, tunnels and underlay; returns after every
 * worker has left the version before, which is freed. What a receipt of the API waits for. -ENOMEM:
 * workers go on with the version before.
 */
int tn_agent_publish(struct tn_agent *agent, struct tn_error *err) TN_MUST_CHECK;
/*
 * The same in two steps, so that what can fail is done before the switch is changed: all memory for
 * the ports as they are now, NULL with err; then the version itself, with the switch, tunnels and
 * underlay of that moment.
 */
struct tn_agent_forwarding *tn_agent_forwarding_new(
	const struct tn_agent *agent, struct tn_error *err);
void tn_agent_forwarding_publish(struct tn_agent *agent, struct tn_agent_forwarding *f);
void tn_agent_forwarding_free(struct tn_agent_forwarding *f);

/* A bundle: commit and publish. As tn_switch_commit(). */
int tn_agent_commit(struct tn_agent *agent, const struct tn_mod *mods, size_t n, size_t *failed,
	struct tn_error *err) TN_MUST_CHECK;

/*
 * Before counters are read: asks the workers, and later tells whether all that they counted before
 * this ask is with the switch, which takes some milliseconds where there are many sessions.
 * tn_agent_counts_came() takes in what they told so far.
 */
uint32_t tn_agent_ask_counts(struct tn_agent *agent);
bool tn_agent_counts_came(struct tn_agent *agent, uint32_t ask);

/*
 * fn hears every event of the switch, in order, on the main thread: from within the call that
 * changes the switch, or from the loop some 20 to 60 ms later where a flow was removed and the
 * workers are still to tell what they counted for it (at most 10 s). It may read the switch but
 * not change it. At most TN_AGENT_LISTENERS_MAX.
 */
void tn_agent_listen(struct tn_agent *agent, tn_event_fn fn, void *ctx);
void tn_agent_unlisten(struct tn_agent *agent, tn_event_fn fn, const void *ctx);

/* Who takes packet-ins from now on, on the main thread; fn NULL: nobody. */
void tn_agent_set_packet_in(struct tn_agent *agent, tn_punt_fn fn, void *ctx);

/*
 * A packet-out: a worker runs the list, which tn_actions_check() passed (TN_PLACE_PACKET_OUT), on
 * a copy of the frame. -EMSGSIZE, -ENOBUFS: too long, or too many are waiting.
 */
int tn_agent_packet_out(struct tn_agent *agent, uint32_t in_port, const struct tn_action *list,
	size_t n, const uint8_t *frame, uint32_t len, struct tn_error *err) TN_MUST_CHECK;

/*
 * Ports come and go under traffic; others are not disturbed. Nothing is changed on an error. A
 * vxlan port that is there and has this name is replaced, and no packet meets the switch without
 * it; of any other port the number or name is in use: -EEXIST.
 */
int tn_agent_port_add(struct tn_agent *agent, const struct tn_port_request *request,
	struct tn_error *err) TN_MUST_CHECK;
int tn_agent_port_remove(
	struct tn_agent *agent, uint32_t number, struct tn_error *err) TN_MUST_CHECK;
/* Of an existing port. */
int tn_agent_port_configure(struct tn_agent *agent, uint32_t number, bool enabled, uint32_t config,
	struct tn_error *err) TN_MUST_CHECK;

/* The whole underlay anew. */
int tn_agent_set_underlay(struct tn_agent *agent, const struct tn_underlay_config *config,
	struct tn_error *err) TN_MUST_CHECK;

/* The same again, because a port that brings a part of it came or went. */
int tn_agent_renew_underlay(struct tn_agent *agent, struct tn_error *err) TN_MUST_CHECK;

/* A port as it is, with its counters summed over the workers. */
struct tn_agent_port_info {
	uint32_t index;
	const struct tn_port_request *request;
	const struct tn_port *driver; /* NULL: a tunnel, or absent */
	bool absent;		      /* its device is not there yet */
	bool link_up;
	struct tn_worker_port_stats stats;
	struct tn_port_wire_stats wire;
};

typedef void (*tn_agent_port_fn)(void *ctx, const struct tn_agent_port_info *port);
/* In the order of their numbers. */
void tn_agent_ports(const struct tn_agent *agent, tn_agent_port_fn fn, void *ctx);
bool tn_agent_port(const struct tn_agent *agent, uint32_t number, tn_agent_port_fn fn, void *ctx);

/* Adds what workers and the kernel dropped, by network. */
void tn_agent_network_drops(const struct tn_agent *agent, struct tn_network_drops *sum);

#endif
