/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/model/arena.h"

#include <stdlib.h>
#include <string.h>

#include "dataplane/api/pages.h"

#define ALIGN	  16u
#define CHUNK_MIN 4096u
#define CHUNK_MAX TN_PAGES_LARGE /* all of the chunk */

struct tn_arena_chunk {
	struct tn_arena_chunk *next;
	size_t size, used; /* of data */
	bool in_pages;
	_Alignas(16) uint8_t data[];
};

void tn_arena_init(struct tn_arena *a)
{
	a->chunks = NULL;
}

void tn_arena_fini(struct tn_arena *a)
{
	struct tn_arena_chunk *c = a->chunks;

	while (c) {
		struct tn_arena_chunk *next = c->next;

		if (c->in_pages)
			tn_pages_free(c, sizeof(*c) + c->size);
		else
			free(c);
		c = next;
	}
	a->chunks = NULL;
}

static struct tn_arena_chunk *new_chunk(size_t size)
{
	bool in_pages = sizeof(struct tn_arena_chunk) + size == CHUNK_MAX;
	struct tn_arena_chunk *c;

	c = in_pages ? tn_pages_new(CHUNK_MAX) : calloc(1, sizeof(*c) + size);
	if (!c)
		abort();
	c->size = size;
	c->in_pages = in_pages;
	return c;
}

/* Chunks double up to CHUNK_MAX, so that a small arena stays small and a big one has few. */
static struct tn_arena_chunk *add_chunk(struct tn_arena *a, size_t need)
{
	size_t most = CHUNK_MAX - sizeof(struct tn_arena_chunk);
	size_t size = a->chunks ? a->chunks->size * 2 : CHUNK_MIN;
	struct tn_arena_chunk *c;

	if (size > most)
		size = most;
	if (size < need)
		size = need;
	c = new_chunk(size);
	/* A chunk made for one big object is full: keep filling the one before it. */
	if (a->chunks && size == need && need >= most) {
		c->next = a->chunks->next;
		a->chunks->next = c;
	} else {
		c->next = a->chunks;
		a->chunks = c;
	}
	return c;
}

void *tn_arena_alloc(struct tn_arena *a, size_t size)
{
	struct tn_arena_chunk *c = a->chunks;
	void *p;

	if (size > SIZE_MAX / 2)
		abort();
	size = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	if (!c || c->size - c->used < size)
		c = add_chunk(a, size);
	p = c->data + c->used;
	c->used += size;
	return p;
}

void *tn_arena_dup(struct tn_arena *a, const void *p, size_t size)
{
	void *copy = tn_arena_alloc(a, size);

	if (size)
		memcpy(copy, p, size);
	return copy;
}

char *tn_arena_strdup(struct tn_arena *a, const char *s)
{
	return tn_arena_dup(a, s, strlen(s) + 1);
}

struct tn_arena_mark tn_arena_mark(const struct tn_arena *a)
{
	return (struct tn_arena_mark){a->chunks, a->chunks ? a->chunks->used : 0};
}

void *tn_arena_keep(struct tn_arena *a, struct tn_arena_mark mark, const void *p, size_t size)
{
	struct tn_arena_chunk *c = a->chunks;
	size_t end;

	/* Another chunk was begun: rare, and nothing is wrong with leaving it as it is. */
	if (c != mark.chunk)
		return (void *)(uintptr_t)p;
	end = c->used;
	memmove(c->data + mark.used, p, size);
	c->used = mark.used + ((size + ALIGN - 1) & ~(size_t)(ALIGN - 1));
	memset(c->data + mark.used + size, 0, end - mark.used - size);
	return c->data + mark.used;
}
