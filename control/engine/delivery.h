/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Edits on their way into the data plane: ports and tables one by one, the mods as one bundle, then
 * ports that go. All of it or nothing: what was done before a refusal is undone. Or piecemeal: what
 * is refused is told and left out, the rest goes on in bundles of a bounded size.
 */
#ifndef TN_ENGINE_DELIVERY_H
#define TN_ENGINE_DELIVERY_H

#include "control/engine/difference.h"

struct tn_delivery {
	struct tn_engine *e;
	const struct tn_edits *edits;	       /* the owner's, until done was called */
	const struct tn_operation *operations; /* with packet-outs among them; NULL: send none */
	size_t n_operations;
	bool piecemeal;
	void *ctx;
	/* Piecemeal: this edit is not in the data plane. */
	void (*refused)(void *ctx, const struct tn_edit *edit, const struct tn_error *err);
	/*
	 * Called once. 0; -EINVAL: refused and undone, `error` and `failed` (an edit, or a
	 * packet-out's operation) say why; -EIO: the connection is lost.
	 */
	void (*done)(void *ctx, int rc);
	/*
	 * NULL: not wanted. All of it is in force, and the data plane has yet to keep it: done
	 * follows, with -EIO also when it could not.
	 */
	void (*in_force)(void *ctx);
	struct tn_error error;
	uint32_t failed;
	bool failed_packet_out;

	/* its own */
	struct tn_steps steps;
	size_t at, n_sent, chunk;
	bool is_in_force;
	struct tn_edits undo_edits;
	struct tn_delivery *undo;
};

/* done may be called from within. */
void tn_delivery_start(struct tn_delivery *d);
/* The operations are gone: packet-outs that were not sent yet are not. */
void tn_delivery_forget_operations(struct tn_delivery *d);
/* After done. */
void tn_delivery_fini(struct tn_delivery *d);

#endif
