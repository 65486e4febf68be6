/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/agent/byte_ring.h"

#include <stdlib.h>

#define HEAD 16u

/* Before each record. A skip fills the end of the memory, where the next record would not fit. */
struct record {
	uint32_t size; /* with this head, up to the next one */
	uint32_t len;
	uint32_t skip;
	uint32_t spare;
};

TN_BUILD_ASSERT(sizeof(struct record) == HEAD, "records stay aligned");

struct tn_byte_ring {
	uint8_t *bytes;
	uint64_t size;
	/* the writer's */
	uint64_t head __attribute__((aligned(64))); /* atomic: end of what was committed */
	uint64_t reserved;
	uint64_t tail_seen;
	/* the reader's */
	uint64_t tail __attribute__((aligned(64))); /* atomic: end of what was popped */
};

struct tn_byte_ring *tn_byte_ring_new(uint32_t size)
{
	struct tn_byte_ring *r = aligned_alloc(64, (sizeof(*r) + 63) & ~(size_t)63);

	if (!r)
		return NULL;
	*r = (struct tn_byte_ring){.size = size};
	r->bytes = aligned_alloc(64, size);
	if (r->bytes)
		return r;
	free(r);
	return NULL;
}

void tn_byte_ring_free(struct tn_byte_ring *r)
{
	if (!r)
		return;
	free(r->bytes);
	free(r);
}

static struct record *at(const struct tn_byte_ring *r, uint64_t position)
{
	return (struct record *)(void *)&r->bytes[position & (r->size - 1)];
}

static uint64_t size_of(uint32_t len)
{
	return ((uint64_t)len + 2 * HEAD - 1) & ~(uint64_t)(HEAD - 1);
}

static bool has_room(struct tn_byte_ring *r, uint64_t size)
{
	if (r->head + size - r->tail_seen <= r->size)
		return true;
	r->tail_seen = __atomic_load_n(&r->tail, __ATOMIC_ACQUIRE);
	return r->head + size - r->tail_seen <= r->size;
}

void *tn_byte_ring_reserve(struct tn_byte_ring *r, uint32_t len)
{
	uint64_t size = size_of(len);
	uint64_t to_end = r->size - (r->head & (r->size - 1));
	uint64_t skip = size > to_end ? to_end : 0;
	struct record *record;

	if (!has_room(r, skip + size))
		return NULL;
	if (skip)
		*at(r, r->head) = (struct record){.size = (uint32_t)skip, .skip = 1};
	record = at(r, r->head + skip);
	*record = (struct record){.size = (uint32_t)size, .len = len};
	r->reserved = r->head + skip + size;
	return record + 1;
}

uint32_t tn_byte_ring_room(struct tn_byte_ring *r, uint32_t len)
{
	uint64_t n;

	r->tail_seen = __atomic_load_n(&r->tail, __ATOMIC_ACQUIRE);
	n = (r->size - (r->head - r->tail_seen)) / size_of(len);
	return n ? (uint32_t)n - 1 : 0; /* one may be lost to a skip */
}

void tn_byte_ring_commit(struct tn_byte_ring *r)
{
	__atomic_store_n(&r->head, r->reserved, __ATOMIC_RELEASE);
}

bool tn_byte_ring_empty(struct tn_byte_ring *r)
{
	return __atomic_load_n(&r->head, __ATOMIC_ACQUIRE) == r->tail;
}

const void *tn_byte_ring_peek(struct tn_byte_ring *r, uint32_t *len)
{
	uint64_t head = __atomic_load_n(&r->head, __ATOMIC_ACQUIRE);

	if (r->tail == head)
		return NULL;
	if (at(r, r->tail)->skip) /* always followed by a record */
		tn_byte_ring_pop(r);
	*len = at(r, r->tail)->len;
	return at(r, r->tail) + 1;
}

void tn_byte_ring_pop(struct tn_byte_ring *r)
{
	__atomic_store_n(&r->tail, r->tail + at(r, r->tail)->size, __ATOMIC_RELEASE);
}
