/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the files of the engine share.
 */
#ifndef TN_ENGINE_ENGINE_PRIVATE_H
#define TN_ENGINE_ENGINE_PRIVATE_H

#include "control/engine/index.h"
#include "control/engine/plan.h"
#include "control/engine/watch.h"

/* Of clients, all together: appIds, cookies, tenants. */
#define TN_ENGINE_STRINGS_MAX	   100000u
#define TN_ENGINE_STRING_BYTES_MAX (16u << 20)

struct tn_engine {
	struct tn_loop *loop;
	struct tn_names *names;
	bool refuse_when_away;
	uint64_t dpid;

	/* What is wanted, by kind and id. */
	struct tn_index objects[TN_N_KINDS];
	uint64_t generation, kind_generation[TN_N_KINDS];
	uint32_t n_pending, n_failed;
	size_t object_bytes;
	struct tn_unpacked_flow scratch; /* of the flow that is handed out */

	struct tn_busy busy;
	size_t n_under_way; /* jobs that were planned and are not done */

	struct tn_watch watch;
};

/* In nanoseconds since 1970. */
uint64_t tn_engine_now(void);

/*
 * The edits are so now: objects change places, names follow, watchers are told. All of them get
 * this state, what was added and changed the engine's generation.
 */
void tn_engine_apply(struct tn_engine *e, const struct tn_edits *edits, enum tn_object_state state);
/* Of an object that is in its place. */
void tn_engine_set_state(struct tn_engine *e, struct tn_wanted *w, enum tn_object_state state,
	const struct tn_error *failure);
void tn_engine_tell(struct tn_engine *e, enum tn_watch_event_kind kind, struct tn_wanted *w,
	const char *reason);

#endif
