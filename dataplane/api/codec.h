/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Messages to bytes and back. One function a kind of thing walks it in both directions, so what is
 * written is what is read: decode(encode(x)) is x, and encode(decode(b)) is b for every b that is
 * accepted. Nothing of C's layout is on the wire. No state; safe from any thread.
 */
#ifndef TN_API_CODEC_H
#define TN_API_CODEC_H

#include "dataplane/api/messages.h"
#include "dataplane/core/error.h"

/* Bytes that grow. All zero: empty. */
struct tn_api_buffer {
	uint8_t *data;
	size_t len, size;
};

void tn_api_buffer_fini(struct tn_api_buffer *b);
/* Room for n more at data + len. -ENOMEM. */
int tn_api_buffer_reserve(struct tn_api_buffer *b, size_t n) TN_MUST_CHECK;
/* Forgets the first n bytes. */
void tn_api_buffer_consume(struct tn_api_buffer *b, size_t n);

/* What decoded messages point into. limit: bytes, 0: TN_API_ARENA_MAX. */
#define TN_API_ARENA_MAX (256u << 20)

struct tn_api_arena {
	struct tn_api_chunk *chunks;
	size_t used, limit;
};

void tn_api_arena_init(struct tn_api_arena *a, size_t limit);
/* 16-byte aligned and zero; NULL: no memory, or over the limit. */
void *tn_api_arena_take(struct tn_api_arena *a, size_t n);
/* Everything that was taken is gone; some room is kept for what comes. */
void tn_api_arena_reset(struct tn_api_arena *a);
void tn_api_arena_fini(struct tn_api_arena *a);

/*
 * Appends the message. Refused, with out as it was: what the protocol has no form for (a match that
 * tn_match_check() refuses, a string or frame that is too long, an unknown kind), and what comes to
 * more than TN_API_BODY_MAX: TN_OFPBFC_MSG_TOO_MANY, give it in parts.
 */
int tn_api_encode(struct tn_api_buffer *out, const struct tn_api_message *msg,
	struct tn_error *err) TN_MUST_CHECK;

/*
 * Appends a mod as it stands in a BUNDLE. Refused as by encode: with out as it was. Encoded once,
 * it can be sent, and kept, many times.
 */
int tn_api_encode_mod(
	struct tn_api_buffer *out, const struct tn_mod *mod, struct tn_error *err) TN_MUST_CHECK;

/* Appends the BUNDLE of these, as encode would that of the mods. */
int tn_api_encode_bundle(struct tn_api_buffer *out, uint64_t request_id, uint32_t flags,
	const struct tn_api_encoded *encoded, size_t n, struct tn_error *err) TN_MUST_CHECK;
/* A BUNDLE that was decoded, all its bytes: the mods in it. */
struct tn_api_encoded tn_api_encoded_mods(const uint8_t *bytes, size_t len);

/* From sizeof(*h) bytes. Refused: another protocol or version, an unknown type, its length. */
int tn_api_header_decode(
	const uint8_t *bytes, struct tn_api_header *h, struct tn_error *err) TN_MUST_CHECK;

/*
 * One whole message, header and body, len bytes exactly. Refused whole, with a sentence: -EINVAL;
 * no memory: -ENOMEM. What it points to lives in the arena, also after a refusal.
 */
int tn_api_decode(const uint8_t *bytes, size_t len, struct tn_api_arena *arena,
	struct tn_api_message *msg, struct tn_error *err) TN_MUST_CHECK;

/* Bytes of the first message in b, or 0: it is not all there yet. Refused as header_decode. */
int tn_api_message_length(
	const uint8_t *bytes, size_t len, size_t *message, struct tn_error *err) TN_MUST_CHECK;

#endif
