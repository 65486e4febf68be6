/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From edits to what the data plane is to be told, in an order that it takes: what is used comes
 * before what uses it, what goes makes room first.
 */
#ifndef TN_ENGINE_DIFFERENCE_H
#define TN_ENGINE_DIFFERENCE_H

#include "control/engine/edits.h"
#include "control/model/arena.h"

enum tn_step_kind {
	TN_STEP_PORT_REMOVE,
	TN_STEP_PORT_ADD,
	TN_STEP_PORT_CONFIGURE,
	TN_STEP_TABLE,
	TN_STEP_MOD,
	TN_STEP_PACKET_OUT, /* `edit` is the operation's position */
};

/* One thing to tell, of one edit. */
struct tn_step {
	uint32_t edit;
	uint16_t kind;	   /* enum tn_step_kind */
	uint16_t deletion; /* MOD */
};

/* All zero: empty. */
struct tn_steps {
	struct tn_step *v;
	size_t n, size;
};

/* Hosts are nothing to the data plane. */
void tn_steps_make(struct tn_steps *steps, const struct tn_edits *edits);
void tn_steps_add(struct tn_steps *steps, enum tn_step_kind kind, size_t edit, bool deletion);
void tn_steps_fini(struct tn_steps *steps);

/* A MOD step. */
void tn_step_mod(const struct tn_step *step, const struct tn_edits *edits, struct tn_arena *arena,
	struct tn_mod *mod);
/* The same, encoded already; NULL: it is not. */
const struct tn_flow_add *tn_step_add(const struct tn_edit *edit);

/* A wanted object as the mod that adds it (flow, group, meter), in the arena. */
void tn_difference_add(struct tn_wanted *w, struct tn_arena *arena, struct tn_mod *mod);
/* The flags that a flow has in the data plane: who may lose a flow without a request is told. */
uint16_t tn_difference_flags(
	uint16_t flags, uint16_t idle_timeout, uint16_t hard_timeout, uint16_t importance);

#endif
