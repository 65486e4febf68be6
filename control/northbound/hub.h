/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Watchers and what they have not read yet. All share one log of lines, bounded in bytes: an event
 * costs the same for one watcher and for a thousand. Who falls behind its oldest line has lost
 * what is gone, and is told how much. Without watchers nothing is printed nor kept here: the
 * engine keeps events for those who come back.
 */
#ifndef TN_NORTHBOUND_HUB_H
#define TN_NORTHBOUND_HUB_H

#include "control/northbound/call.h"

struct tn_hub;
struct tn_watcher;

struct tn_hub *tn_hub_new(struct tn_service *s);
/* Watchers must be gone. */
void tn_hub_free(struct tn_hub *hub);
/* Once a second. */
void tn_hub_tick(struct tn_hub *hub);
size_t tn_hub_watchers(const struct tn_hub *hub);

/* What a watcher wants to see. */
struct tn_hub_choice {
	unsigned kinds; /* bits 1 << enum tn_kind */
	bool packet_in, dataplane;
	int table;	 /* of flows; -1: any */
	uint32_t tenant; /* 0: everybody's */
	bool sse;	 /* server-sent events; else a JSON object a line */
	bool initial;	 /* what there is, first */
	bool resumes;	 /* events after `since`, first */
	uint64_t since;
};

/* NULL: too many watch. -ERANGE in *rc: `since` is not kept any more. */
struct tn_watcher *tn_hub_join(
	struct tn_hub *hub, struct tn_call *c, const struct tn_hub_choice *choice, int *rc);
void tn_hub_leave(struct tn_hub *hub, struct tn_watcher *w);
/* Adds some lines; as a call's produce(). */
enum tn_produced tn_hub_produce(struct tn_watcher *w, struct tn_text *out);

#endif
