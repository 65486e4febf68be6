/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Buffers for tests of port drivers: arrays from malloc(), counted, so that a leak or a double free
 * shows.
 */
#ifndef TEST_UNIT_PORT_BUFFERS_H
#define TEST_UNIT_PORT_BUFFERS_H

#include <stdlib.h>
#include <string.h>

#include "dataplane/fastpath/packet.h"

struct test_buffers {
	unsigned out;  /* with someone */
	unsigned room; /* how many more there are */
};

static inline bool buffer_clone(void *ctx, const struct tn_packet *p, struct tn_packet *copy)
{
	struct test_buffers *b = ctx;

	if (!b->room)
		return false;
	b->room--;
	b->out++;
	copy->buf = malloc(TN_HEADROOM_MIN + p->len);
	copy->data = (uint8_t *)copy->buf + TN_HEADROOM_MIN;
	copy->headroom = TN_HEADROOM_MIN;
	copy->len = p->len;
	copy->offload = p->offload;
	memcpy(copy->data, p->data, p->len);
	return true;
}

static inline void buffer_free(void *ctx, const struct tn_packet *p, unsigned n)
{
	struct test_buffers *b = ctx;

	for (unsigned i = 0; i < n; i++)
		free(p[i].buf);
	b->out -= n;
	b->room += n;
}

static const struct tn_buffer_ops test_buffer_ops = {.clone = buffer_clone, .free = buffer_free};

/* A packet that holds these bytes. */
static inline struct tn_packet buffer_packet(
	struct test_buffers *b, const uint8_t *data, uint32_t len)
{
	struct tn_packet p = {.len = len}, copy = {0};

	memcpy(&p.data, &data, sizeof(p.data));
	if (!buffer_clone(b, &p, &copy))
		abort();
	return copy;
}

#endif
