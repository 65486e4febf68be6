/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who is told of changes, and the newest of these for those who come back. One thread.
 */
#ifndef TN_ENGINE_WATCH_H
#define TN_ENGINE_WATCH_H

#include "control/engine/wanted.h"

#define TN_WATCH_KEPT 4096u

struct tn_watch_listener {
	tn_watch_fn fn; /* NULL: it left while others were told */
	void *ctx;
};

struct tn_watch_kept {
	uint64_t sequence, time_ns;
	struct tn_wanted *object; /* a reference */
	const char *reason;	  /* not freed: one of few */
	uint8_t kind;
	bool connected;
};

struct tn_watch {
	uint64_t sequence, dropped; /* newest; newest of those that are not kept any more */
	struct tn_watch_listener *listeners;
	size_t n_listeners;
	unsigned telling;
	struct tn_watch_kept *kept; /* a ring */
	size_t n_kept, first;
	struct tn_unpacked_flow scratch;
};

/*
 * Numbers go on from here: from the time in microseconds, so that those of an earlier process are
 * never taken for this one's.
 */
void tn_watch_init(struct tn_watch *w, uint64_t now_ns);
void tn_watch_fini(struct tn_watch *w);
/* Numbers the event, tells it and, but for packet-ins, keeps it. object may be NULL. */
void tn_watch_tell(
	struct tn_watch *w, const struct tn_watch_event *event, struct tn_wanted *object);

#endif
