/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Wanted objects to rows of the store and back. A row's body is the message of dataplane/api that
 * would make the object, with the bytes of a table's name behind it; a host has a form of its own.
 */
#ifndef TN_ENGINE_PERSIST_H
#define TN_ENGINE_PERSIST_H

#include "control/engine/edits.h"
#include "control/store/store.h"
#include "dataplane/api/codec.h"

/* Flags of a row. */
#define TN_ROW_PENDING 1u /* the data plane has not said yet that it has it */

/*
 * Appends the body. add: what the object was made of, if that is at hand. -EINVAL with err: there
 * is no form for it, so that it must be refused.
 */
int tn_persist_encode(struct tn_wanted *w, const struct tn_flow_add *add, struct tn_api_buffer *out,
	struct tn_error *err) TN_MUST_CHECK;
/* NULL with err: the body is not one. Row, tenant, owner, times and state are filled. */
struct tn_wanted *tn_persist_decode(
	uint64_t dpid, const struct tn_store_object *object, struct tn_error *err);

/* The object of a row, with its body in the buffer, which is emptied first. As encode. */
int tn_persist_row(struct tn_wanted *w, const struct tn_flow_add *add, struct tn_api_buffer *body,
	struct tn_store_object *object, struct tn_error *err) TN_MUST_CHECK;

/*
 * What undoes a transaction: each object as it was, and the generation that it got. For the store's
 * unconfirmed transactions.
 */
int tn_persist_undo(const struct tn_edits *edits, struct tn_api_buffer *out,
	struct tn_error *err) TN_MUST_CHECK;
/* One object of an undo. */
struct tn_undo {
	enum tn_kind kind;
	uint64_t id;
	const char *name; /* a tenant's: its id, as numbers are of one run */
	uint64_t generation;
	struct tn_wanted *before; /* NULL: it was not there; the callee's */
};
typedef void (*tn_undo_fn)(void *ctx, const struct tn_undo *undo);
int tn_persist_read_undo(uint64_t dpid, const void *body, size_t size, tn_undo_fn fn, void *ctx,
	struct tn_error *err) TN_MUST_CHECK;

#endif
