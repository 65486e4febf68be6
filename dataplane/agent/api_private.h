/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of the API's server share. Main thread. */
#ifndef TN_AGENT_API_PRIVATE_H
#define TN_AGENT_API_PRIVATE_H

#include <sys/socket.h>

#include "dataplane/agent/api_server.h"
#include "dataplane/api/codec.h"

/* Bytes that wait for one client. Above LISTING no more of a dump is made, above ANSWERS no request
 * is taken, above EVENTS events are lost until fewer than RESUME wait. */
#define TN_API_OUT_LISTING (256u << 10)
#define TN_API_OUT_ANSWERS (1u << 20)
#define TN_API_OUT_EVENTS  (1u << 20)
#define TN_API_OUT_RESUME  (128u << 10)

/* Changes of one client without their receipts, and its dumps at a time. */
#define TN_API_CHANGES_MAX  8192u
#define TN_API_LISTINGS_MAX 64u

/* Unfinished bundles, decoded: of one client, and of all together. */
#define TN_API_BUNDLE_MAX  ((size_t)TN_API_ARENA_MAX)
#define TN_API_BUNDLES_MAX (2 * (size_t)TN_API_ARENA_MAX)

/* A dump on its way. */
enum tn_api_listing_state {
	TN_API_LISTING_ASKS, /* workers are yet to be asked for what they counted */
	TN_API_LISTING_WAITS,
	TN_API_LISTING_GOES,
};

struct tn_api_listing {
	struct tn_api_listing *next;
	uint64_t request_id;
	struct tn_api_dump dump;
	enum tn_api_listing_state state;
	bool begun;
	uint64_t *flow_ids; /* these, or the others */
	uint32_t *ids;
	size_t n, at;
	uint64_t total; /* that were there to be told of */
};

/* A bundle of several parts. id 0: none. */
struct tn_api_parts {
	uint64_t id;
	bool refused; /* answered: what follows with this id is passed over */
	struct tn_api_arena arena;
	struct tn_mod *mods;
	size_t n, size;
	struct tn_api_encoded *encoded; /* a part each; bytes in the arena */
	uint32_t n_encoded, encoded_size;
};

struct tn_api_connection {
	struct tn_api_server *server;
	struct tn_api_connection *next, **link;
	struct tn_api_connection *next_touched;
	int fd; /* -1: closed, to be freed at the end of the round */
	struct ucred peer;
	uint32_t watched; /* epoll events */
	bool greeted;
	bool touched;	/* settled at the end of the round */
	bool leftover;	/* whole messages are in `in` */
	bool at_end;	/* the client sends nothing more */
	bool dismissed; /* an error of the connection is its last message */
	struct tn_api_buffer in, out;
	size_t sent; /* bytes of out that are gone */
	struct tn_api_arena arena;
	struct tn_api_parts parts;
	size_t n_changes; /* without receipt */
	struct tn_api_listing *listings, **last_listing;
	unsigned n_listings;
	uint32_t subscribed; /* bits of enum tn_api_event_kind */
	bool paused;
	uint64_t lost;
};

struct tn_api_server {
	struct tn_agent *agent;
	struct tn_changes *changes; /* NULL: stopped */
	int listen_fd, spare_fd;
	struct tn_api_connection *connections, *touched, *dead;
	unsigned n_connections;
	bool submitted;
	int again_fd; /* eventfd: somebody has messages left over */
	size_t parts_bytes;
	/* what workers counted */
	int counts_fd; /* timerfd, runs while a listing waits */
	bool counts_running;
	uint32_t ask;
	uint64_t asked_ns;
	/* events */
	uint32_t subscribed; /* by anyone */
	struct tn_api_buffer event;
	struct tn_tracer *tracer; /* made for the first trace */
};

static inline size_t tn_api_waiting_bytes(const struct tn_api_connection *c)
{
	return c->out.len - c->sent;
}

/* api_server.c */
/* It is settled at the end of the round: written to, watched as needed, or freed. */
void tn_api_touch(struct tn_api_connection *c);
/* Somebody has messages left over that may be taken now. */
void tn_api_again(struct tn_api_server *s);

/* api_connection.c */
struct tn_api_connection *tn_api_connection_new(struct tn_api_server *s, int fd);
void tn_api_connection_free(struct tn_api_connection *c);
/* The client is gone. Safe from anywhere; freed at the end of the round. */
void tn_api_connection_close(struct tn_api_connection *c);
void tn_api_connection_settle(struct tn_api_connection *c);
/* May it ask for more, or has it enough to read first? */
bool tn_api_connection_blocked(const struct tn_api_connection *c);
/* Messages that are there, up to a bound. */
void tn_api_connection_run(struct tn_api_connection *c);
/* Queues a message. What does not fit a message is answered by an ERROR of the same request. */
void tn_api_answer(struct tn_api_connection *c, const struct tn_api_message *m);
void tn_api_answer_error(
	struct tn_api_connection *c, uint64_t request_id, const struct tn_error *err);
/* The last thing it is told. */
void tn_api_dismiss(struct tn_api_connection *c, const struct tn_error *err);

/* api_requests.c */
/* One message, whole. Returns what it cost, of TN_API_ROUND_BUDGET. */
#define TN_API_ROUND_BUDGET 256u
unsigned tn_api_handle(struct tn_api_connection *c, const uint8_t *bytes, size_t len);
void tn_api_parts_drop(struct tn_api_connection *c);

/* api_check.c: what the codec cannot know to be wrong. -EINVAL with err. */
int tn_api_check_port(const struct tn_api_port *port, struct tn_error *err) TN_MUST_CHECK;
int tn_api_check_underlay(
	const struct tn_underlay_config *config, struct tn_error *err) TN_MUST_CHECK;

/* api_dump.c */
/* -ENOMEM */
int tn_api_listing_add(struct tn_api_connection *c, uint64_t request_id,
	const struct tn_api_dump *dump) TN_MUST_CHECK;
/* Makes more of it while the client reads. */
void tn_api_listing_go(struct tn_api_connection *c);
void tn_api_listings_free(struct tn_api_connection *c);
/* The timer: what workers counted came, or not. */
void tn_api_counts_tick(struct tn_api_server *s);

/* api_events.c */
void tn_api_subscribe(struct tn_api_connection *c, uint32_t kinds);
/* Someone came or went. */
void tn_api_subscriptions_changed(struct tn_api_server *s);
/* The client has read: what was lost is told. */
void tn_api_events_resume(struct tn_api_connection *c);
void tn_api_events_start(struct tn_api_server *s);
void tn_api_events_stop(struct tn_api_server *s);

#endif
