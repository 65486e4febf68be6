/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The one way in for bytes: a position in a frame that moves only over bytes that are there. The
 * pointer tn_cursor_take() returns is good for the n bytes that were asked for and no more.
 * A capture may hold less than the wire did, so there are two ends: what is short of the first but
 * not of the second was cut off, not malformed. BPF-safe.
 */
#ifndef TN_CORE_CURSOR_H
#define TN_CORE_CURSOR_H

#include "dataplane/core/types.h"
#include "dataplane/core/view.h"

struct tn_cursor {
	const uint8_t *data; /* first byte of the frame */
	uint32_t pos;	     /* of the next byte; pos <= end <= wire_end */
	uint32_t end;	     /* of the bytes that are there */
	uint32_t wire_end;   /* of the bytes that were on the wire */
};

static inline struct tn_cursor tn_cursor_of(const struct tn_view *view)
{
	struct tn_cursor c = {.data = view->data, .end = view->len, .wire_end = view->wire_len};

	if (c.wire_end < c.end)
		c.wire_end = c.end;
	return c;
}

/* The next n bytes, and moves past them; NULL, and stays, when they are not all there. */
static inline const void *tn_cursor_take(struct tn_cursor *c, uint32_t n)
{
	const uint8_t *p = c->data + c->pos;

	if (tn_unlikely(n > c->end - c->pos))
		return NULL;
	c->pos += n;
	return p;
}

/* Bytes from here to the end of what was on the wire. */
static inline uint32_t tn_cursor_wire_left(const struct tn_cursor *c)
{
	return c->wire_end - c->pos;
}

/* Both ends come at most n bytes from here: a length field ends what belongs to its header. */
static inline void tn_cursor_limit(struct tn_cursor *c, uint32_t n)
{
	if (n < c->wire_end - c->pos)
		c->wire_end = c->pos + n;
	if (n < c->end - c->pos)
		c->end = c->pos + n;
}

#endif
