/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/api/io.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/api/pages.h"

#define CHUNK_BYTES 65536u /* of the first */

struct tn_api_chunk {
	struct tn_api_chunk *next;
	size_t used, size;
	bool in_pages;
	uint8_t data[] __attribute__((aligned(16)));
};

void tn_api_buffer_fini(struct tn_api_buffer *b)
{
	free(b->data);
	*b = (struct tn_api_buffer){0};
}

int tn_api_buffer_reserve(struct tn_api_buffer *b, size_t n)
{
	size_t size = b->size ? b->size : 4096;
	uint8_t *data;

	if (n <= b->size - b->len)
		return 0;
	if (n > SIZE_MAX / 4 - b->len)
		return -ENOMEM;
	while (size < b->len + n)
		size *= 2;
	data = realloc(b->data, size);
	if (!data)
		return -ENOMEM;
	b->data = data;
	b->size = size;
	return 0;
}

void tn_api_buffer_consume(struct tn_api_buffer *b, size_t n)
{
	if (!n)
		return;
	b->len -= n;
	memmove(b->data, b->data + n, b->len);
}

void tn_api_arena_init(struct tn_api_arena *a, size_t limit)
{
	*a = (struct tn_api_arena){.limit = limit ? limit : TN_API_ARENA_MAX};
}

/* Twice as large as the one before, as long as one page holds it. */
static struct tn_api_chunk *new_chunk(struct tn_api_arena *a, size_t n)
{
	const size_t most = TN_PAGES_LARGE - sizeof(struct tn_api_chunk);
	size_t size = a->chunks ? a->chunks->size * 2 : CHUNK_BYTES;
	struct tn_api_chunk *c;
	bool in_pages;

	if (size > most)
		size = most;
	in_pages = size == most && n <= most;
	if (size < n)
		size = n;
	c = in_pages ? tn_pages_new(TN_PAGES_LARGE) : malloc(sizeof(*c) + size);
	if (!c)
		return NULL;
	*c = (struct tn_api_chunk){.next = a->chunks, .size = size, .in_pages = in_pages};
	a->chunks = c;
	return c;
}

static void free_chunk(struct tn_api_chunk *c)
{
	if (c->in_pages)
		tn_pages_free(c, TN_PAGES_LARGE);
	else
		free(c);
}

void *tn_api_arena_take(struct tn_api_arena *a, size_t n)
{
	struct tn_api_chunk *c = a->chunks;
	void *room;

	if (n > a->limit - a->used)
		return NULL;
	n = (n + 15) & ~(size_t)15;
	if (!c || n > c->size - c->used) {
		c = new_chunk(a, n);
		if (!c)
			return NULL;
	}
	room = c->data + c->used;
	c->used += n;
	a->used = n > a->limit - a->used ? a->limit : a->used + n;
	memset(room, 0, n);
	return room;
}

void tn_api_arena_reset(struct tn_api_arena *a)
{
	struct tn_api_chunk *kept = NULL;

	while (a->chunks) {
		struct tn_api_chunk *c = a->chunks;

		a->chunks = c->next;
		if (kept || c->size != CHUNK_BYTES) {
			free_chunk(c);
			continue;
		}
		kept = c;
		kept->next = NULL;
		kept->used = 0;
	}
	a->chunks = kept;
	a->used = 0;
}

void tn_api_arena_fini(struct tn_api_arena *a)
{
	tn_api_arena_reset(a);
	if (a->chunks)
		free_chunk(a->chunks);
	a->chunks = NULL;
}

void tn_io_fail(struct tn_api_io *io, enum tn_of_error of, const char *fmt, ...)
{
	char text[sizeof(io->err->detail)];
	va_list ap;

	if (io->rc)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	io->rc = tn_error_set(io->err, of, -1, "%s: %.180s", io->what, text);
}

void tn_io_no_memory(struct tn_api_io *io)
{
	tn_io_fail(io, TN_OFPBFC_MSG_TOO_MANY,
		"no memory for so much at once; give it in smaller parts");
	io->rc = -ENOMEM;
}

/* The next n bytes of a message that is read; NULL: they are not there. */
static const uint8_t *take(struct tn_api_io *io, size_t n)
{
	const uint8_t *p = io->at;

	if (io->rc)
		return NULL;
	if (n > (size_t)(io->end - io->at)) {
		tn_io_fail(io, TN_OFPBRC_BAD_LEN,
			"the message ends in the middle of it; send all of it and its true length");
		return NULL;
	}
	io->at += n;
	return p;
}

void tn_io_put(struct tn_api_io *io, const void *v, size_t n)
{
	if (io->rc || n == 0)
		return;
	if (tn_api_buffer_reserve(io->out, n)) {
		tn_io_no_memory(io);
		return;
	}
	memcpy(io->out->data + io->out->len, v, n);
	io->out->len += n;
}

void tn_io_bytes_slowly(struct tn_api_io *io, uint8_t *v, size_t n)
{
	const uint8_t *p;

	if (!io->reading) {
		tn_io_put(io, v, n);
		return;
	}
	p = take(io, n);
	if (p)
		memcpy(v, p, n);
	else
		memset(v, 0, n);
}

void tn_io_u128(struct tn_api_io *io, tn_u128 *v, unsigned bytes)
{
	if (io->reading)
		*v = 0;
	tn_io_bytes(io, (uint8_t *)v, bytes);
}

void tn_io_bool(struct tn_api_io *io, bool *v)
{
	*v = tn_io_choice(io, *v, 3, "yes or no");
}

uint8_t tn_io_choice(struct tn_api_io *io, unsigned v, uint64_t allowed, const char *name)
{
	uint8_t byte = (uint8_t)v;

	if (io->reading) {
		tn_io_u8(io, &byte);
		v = byte;
	}
	if (v > 63 || !(allowed >> v & 1)) {
		tn_io_fail(io, TN_OFPBRC_BAD_TYPE, "%u is no %s of this version", v, name);
		return 0;
	}
	if (!io->reading)
		tn_io_u8(io, &byte);
	return byte;
}

void tn_io_blob(struct tn_api_io *io, const uint8_t **v, uint32_t *n, uint32_t max)
{
	const uint8_t *p;
	uint8_t *room;

	if (!io->reading && *n > max)
		tn_io_fail(io, TN_OFPBRC_BAD_LEN, "%u bytes; give at most %u", *n, max);
	tn_io_u32(io, n);
	if (!io->reading) {
		tn_io_put(io, *v, *n);
		return;
	}
	if (*n > max)
		tn_io_fail(io, TN_OFPBRC_BAD_LEN, "%u bytes; give at most %u", *n, max);
	*v = NULL;
	p = take(io, *n);
	if (!p) {
		*n = 0;
		return;
	}
	room = tn_api_arena_take(io->arena, (size_t)*n + 1);
	if (!room) {
		tn_io_no_memory(io);
		*n = 0;
		return;
	}
	memcpy(room, p, *n);
	*v = room;
}

void tn_io_string(struct tn_api_io *io, const char **v)
{
	const char *s = !io->reading && *v ? *v : "";
	const uint8_t *bytes = (const uint8_t *)s;
	uint32_t n = 0;

	if (!io->reading) {
		size_t len = strlen(s);

		n = len > UINT32_MAX ? UINT32_MAX : (uint32_t)len;
	}
	tn_io_blob(io, &bytes, &n, TN_API_STRING_MAX);
	if (!io->reading)
		return;
	/* The byte after a blob in the arena is zero. */
	*v = bytes ? (const char *)bytes : "";
	if (bytes && strlen(*v) != n)
		tn_io_fail(io, TN_OFPBRC_BAD_LEN, "a text holds a zero byte; leave it out");
}

void tn_io_counter(struct tn_api_io *io, struct tn_counter *v)
{
	tn_io_u64(io, &v->packets);
	tn_io_u64(io, &v->bytes);
}

static void check_count(struct tn_api_io *io, uint32_t n, const struct tn_io_list *list)
{
	if (n > list->max)
		tn_io_fail(
			io, TN_OFPBFC_MSG_TOO_MANY, "a list of %u; give at most %u", n, list->max);
	else if (io->reading && !io->rc && n > (size_t)(io->end - io->at) / list->least)
		tn_io_fail(io, TN_OFPBRC_BAD_LEN,
			"a list of %u in %zu bytes; send all of it and its true number", n,
			(size_t)(io->end - io->at));
}

void tn_io_array(struct tn_api_io *io, const void **items, uint32_t *n, struct tn_io_list list)
{
	/* A copy: a walk takes what it may change, and the caller's is const. */
	uint8_t item[TN_IO_ITEM_MAX] __attribute__((aligned(16)));
	uint8_t *room = NULL;
	uint32_t i;

	if (!io->reading)
		check_count(io, *n, &list);
	tn_io_u32(io, n);
	if (io->reading) {
		check_count(io, *n, &list);
		*items = NULL;
		if (!io->rc && *n)
			room = tn_api_arena_take(io->arena, *n * list.size);
		if (!io->rc && *n && !room)
			tn_io_no_memory(io);
		*items = room;
	}
	for (i = 0; i < *n && !io->rc; i++) {
		if (io->reading) {
			list.walk(io, room + i * list.size);
			continue;
		}
		memcpy(item, (const uint8_t *)*items + i * list.size, list.size);
		list.walk(io, item);
	}
	if (io->rc && io->reading) {
		*items = NULL;
		*n = 0;
	}
}
