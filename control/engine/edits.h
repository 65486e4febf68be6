/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a request comes to: each object that it touches, once, as it was and as it is to be. Aborts
 * when the machine has no memory left. One thread.
 */
#ifndef TN_ENGINE_EDITS_H
#define TN_ENGINE_EDITS_H

#include "control/engine/flow_add.h"

struct tn_edit {
	struct tn_wanted *before, *after; /* a reference each; NULL: absent */
	uint64_t id;
	uint8_t kind;
	bool reset;	/* of a flow: its counters begin anew */
	bool again;	/* of a flow: added once more, which starts its timeouts anew */
	uint8_t reason; /* enum tn_flow_removed_reason of a flow that is removed */
	uint32_t op;	/* position of the operation that touched it last */
	const struct tn_flow_add *add; /* that says all of it, borrowed; NULL: there is none */
};

/* In the order in which objects were touched first. All zero: empty. */
struct tn_edits {
	struct tn_edit *v;
	size_t n, size;
	uint32_t *slots; /* position + 1, by hash */
	size_t n_slots;
};

void tn_edits_fini(struct tn_edits *e);
/* NULL: not touched. Good until the next is added. */
struct tn_edit *tn_edits_find(const struct tn_edits *e, enum tn_kind kind, uint64_t id);
/* An object that is not in it, with before = after = what there is (NULL: nothing). */
struct tn_edit *tn_edits_add(
	struct tn_edits *e, enum tn_kind kind, uint64_t id, struct tn_wanted *before);
/* after is taken over. */
void tn_edit_set(struct tn_edit *edit, struct tn_wanted *after, size_t op);
/* Forgets those that change nothing. */
void tn_edits_compact(struct tn_edits *e);
static inline bool tn_edit_changes(const struct tn_edit *edit)
{
	return edit->before != edit->after || edit->reset || edit->again;
}

/* Objects that requests under way touch. All zero: none. */
struct tn_busy {
	struct tn_busy_slot *slots;
	size_t n, n_slots;
};

void tn_busy_fini(struct tn_busy *b);
bool tn_busy_has(const struct tn_busy *b, enum tn_kind kind, uint64_t id);
void tn_busy_add(struct tn_busy *b, const struct tn_edits *edits);
void tn_busy_remove(struct tn_busy *b, const struct tn_edits *edits);

#endif
