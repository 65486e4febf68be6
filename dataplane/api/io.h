/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Private to this room: a position in a message that is written or read. The first failure stays:
 * what follows it reads as zero and writes nothing, so walks need no checks of their own. A count
 * is believed only if that many things of the least size fit into the bytes that are left.
 */
#ifndef TN_API_IO_H
#define TN_API_IO_H

#include <string.h>

#include "dataplane/api/codec.h"

struct tn_api_io {
	bool reading;
	int rc; /* 0, or -errno with *err */
	struct tn_error *err;
	const char *what; /* being walked, for sentences: "a flow" */
	/* reading */
	const uint8_t *at, *end;
	struct tn_api_arena *arena;
	/* writing */
	struct tn_api_buffer *out;
};

void tn_io_fail(struct tn_api_io *io, enum tn_of_error of, const char *fmt, ...) TN_PRINTF(3, 4);
void tn_io_no_memory(struct tn_api_io *io);

/* Where there is no room, or too few bytes; also after a failure. */
void tn_io_bytes_slowly(struct tn_api_io *io, uint8_t *v, size_t n);

/* Writing alone. */
void tn_io_put(struct tn_api_io *io, const void *v, size_t n);

/* A message is thousands of these: with a fixed n each is a move of a register. */
static inline void tn_io_bytes(struct tn_api_io *io, uint8_t *v, size_t n)
{
	if (__builtin_expect(io->rc != 0, 0)) {
		tn_io_bytes_slowly(io, v, n);
	} else if (io->reading && n <= (size_t)(io->end - io->at)) {
		memcpy(v, io->at, n);
		io->at += n;
	} else if (!io->reading && n && n <= io->out->size - io->out->len) {
		memcpy(io->out->data + io->out->len, v, n);
		io->out->len += n;
	} else {
		tn_io_bytes_slowly(io, v, n);
	}
}

/* This machine is little-endian, as the wire is (core/types.h). */
static inline void tn_io_u8(struct tn_api_io *io, uint8_t *v)
{
	tn_io_bytes(io, v, sizeof(*v));
}

static inline void tn_io_u16(struct tn_api_io *io, uint16_t *v)
{
	tn_io_bytes(io, (uint8_t *)v, sizeof(*v));
}

static inline void tn_io_u32(struct tn_api_io *io, uint32_t *v)
{
	tn_io_bytes(io, (uint8_t *)v, sizeof(*v));
}

static inline void tn_io_u64(struct tn_api_io *io, uint64_t *v)
{
	tn_io_bytes(io, (uint8_t *)v, sizeof(*v));
}

static inline void tn_io_i64(struct tn_api_io *io, int64_t *v)
{
	tn_io_bytes(io, (uint8_t *)v, sizeof(*v));
}

void tn_io_bool(struct tn_api_io *io, bool *v);
void tn_io_u128(struct tn_api_io *io, tn_u128 *v, unsigned bytes);
/* Up to max bytes, after their number. */
void tn_io_blob(struct tn_api_io *io, const uint8_t **v, uint32_t *n, uint32_t max);
void tn_io_string(struct tn_api_io *io, const char **v);
void tn_io_counter(struct tn_api_io *io, struct tn_counter *v);

/* A number of a set, in one byte: bit n of `allowed` says that n is in it. */
uint8_t tn_io_choice(struct tn_api_io *io, unsigned v, uint64_t allowed, const char *name);
#define TN_IO_ENUM(io, v, allowed, name) ((v) = tn_io_choice(io, (unsigned)(v), allowed, name))

#define TN_IO_ITEM_MAX 1792u

/* least: bytes of the shortest item. */
struct tn_io_list {
	size_t size;
	uint32_t least, max;
	void (*walk)(struct tn_api_io *io, void *item);
};

void tn_io_array(struct tn_api_io *io, const void **items, uint32_t *n, struct tn_io_list list);

#define TN_IO_ARRAY(io, items, n, shortest, most, fn)                                 \
	do {                                                                          \
		const void *items_ = (items);                                         \
		uint32_t n_ = (uint32_t)(n);                                          \
		_Static_assert(sizeof(*(items)) <= TN_IO_ITEM_MAX, "item too large"); \
		tn_io_array(io, &items_, &n_,                                         \
			(struct tn_io_list){sizeof(*(items)), shortest, most, fn});   \
		(items) = items_;                                                     \
		(n) = (__typeof__(n))n_;                                              \
	} while (0)

/* codec_mods.c */
void tn_io_match(struct tn_api_io *io, struct tn_match *m);
void tn_io_actions(struct tn_api_io *io, const struct tn_action **list, uint16_t *n);
void tn_io_instructions(struct tn_api_io *io, struct tn_instructions *inst);
void tn_io_bucket(struct tn_api_io *io, struct tn_bucket *b);
void tn_io_band(struct tn_api_io *io, struct tn_band *b);
void tn_io_group_kind(struct tn_api_io *io, enum tn_group_type *type,
	enum tn_selection_method *selection, uint64_t *hash_fields, uint64_t *param);
void tn_io_mod(struct tn_api_io *io, struct tn_mod *mod);
void tn_io_mods(struct tn_api_io *io, const struct tn_mod **mods, uint32_t *n);

/* codec_info.c */
void tn_io_port(struct tn_api_io *io, struct tn_api_port *p);
void tn_io_underlay(struct tn_api_io *io, struct tn_underlay_config *u);
void tn_io_table_config(struct tn_api_io *io, struct tn_table_config *c);
void tn_io_flow_info(struct tn_api_io *io, struct tn_flow_info *f);
void tn_io_part(struct tn_api_io *io, struct tn_api_part *part);

/* codec_trace.c */
void tn_io_packet_in(struct tn_api_io *io, struct tn_api_packet_in *p);
void tn_io_trace_reply(struct tn_api_io *io, struct tn_api_trace_reply *t);

#endif
