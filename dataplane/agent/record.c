/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/agent/record.h"

#include <errno.h>
#include <string.h>

#include "dataplane/core/checksum.h"

#define HEAD	     sizeof(struct tn_record_header)
#define HEAD_CRC_END (offsetof(struct tn_record_header, head_crc) + sizeof(uint32_t))

static size_t fill_up(size_t n)
{
	return (n + 7) & ~(size_t)7;
}

/* --- writing ---------------------------------------------------------------------------------- */

void tn_state_header_init(struct tn_state_header *h, enum tn_state_kind kind, uint64_t generation,
	uint64_t sequence, uint64_t dpid, uint64_t time_ns)
{
	*h = (struct tn_state_header){
		.format = TN_STATE_FORMAT,
		.kind = kind,
		.generation = generation,
		.sequence = sequence,
		.dpid = dpid,
		.time_ns = time_ns,
	};
	memcpy(h->magic, TN_STATE_MAGIC, sizeof(h->magic));
	h->crc = tn_crc32c(0, h, offsetof(struct tn_state_header, crc));
}

int tn_record_append(struct tn_api_buffer *b, const void *bytes, size_t len)
{
	if (tn_api_buffer_reserve(b, len))
		return -ENOMEM;
	memcpy(b->data + b->len, bytes, len);
	b->len += len;
	return 0;
}

int tn_record_begin(struct tn_api_buffer *b, enum tn_record_kind kind, uint64_t time_ns, size_t *at)
{
	const struct tn_record_header h = {
		.magic = TN_RECORD_MAGIC, .kind = (uint16_t)kind, .time_ns = time_ns};

	*at = b->len;
	return tn_record_append(b, &h, sizeof(h));
}

int tn_record_end(struct tn_api_buffer *b, size_t at)
{
	static const uint8_t zeros[8];
	uint32_t length = (uint32_t)(b->len - at - HEAD);

	if (tn_record_append(b, zeros, fill_up(length) - length))
		return -ENOMEM;
	memcpy(b->data + at + offsetof(struct tn_record_header, length), &length, sizeof(length));
	return 0;
}

static uint32_t crc_of_head(const struct tn_record_header *h)
{
	return tn_crc32c(0, (const uint8_t *)h + HEAD_CRC_END, sizeof(*h) - HEAD_CRC_END);
}

void tn_records_seal(uint8_t *records, size_t len, bool group, uint64_t *sequence, uint64_t durable)
{
	struct tn_record_header h;

	for (size_t at = 0; at < len;) {
		size_t body;

		memcpy(&h, records + at, sizeof(h));
		body = fill_up(h.length);
		h.flags = group && at + HEAD + body < len ? TN_RECORD_MORE : 0;
		h.sequence = (*sequence)++;
		h.durable = durable;
		h.body_crc = tn_crc32c(0, records + at + HEAD, body);
		h.head_crc = crc_of_head(&h);
		memcpy(records + at, &h, sizeof(h));
		at += HEAD + body;
	}
}

/* --- reading ---------------------------------------------------------------------------------- */

bool tn_record_all_zero(const uint8_t *bytes, size_t len)
{
	return !len || (!bytes[0] && !memcmp(bytes, bytes + 1, len - 1));
}

enum tn_read tn_state_header_read(const uint8_t *bytes, size_t len, struct tn_state_header *h)
{
	if (tn_record_all_zero(bytes, len < sizeof(*h) ? len : sizeof(*h)))
		return TN_READ_NONE;
	if (len < sizeof(*h))
		return TN_READ_BAD;
	memcpy(h, bytes, sizeof(*h));
	if (memcmp(h->magic, TN_STATE_MAGIC, sizeof(h->magic)) != 0 ||
		h->crc != tn_crc32c(0, h, offsetof(struct tn_state_header, crc)))
		return TN_READ_BAD;
	return TN_READ_GOOD;
}

static bool is_good(const uint8_t *bytes, size_t len, const struct tn_record_header *h)
{
	return h->magic == TN_RECORD_MAGIC && h->length <= TN_RECORD_LEN_MAX &&
		fill_up(h->length) <= len - HEAD && h->head_crc == crc_of_head(h) && h->kind &&
		h->kind < TN_RECORD_KINDS && !(h->flags & ~TN_RECORD_MORE) && !h->reserved &&
		h->body_crc == tn_crc32c(0, bytes + HEAD, fill_up(h->length));
}

enum tn_read tn_record_read(const uint8_t *bytes, size_t len, size_t at, struct tn_record *r)
{
	size_t left = len - at;

	r->at = r->next = at;
	if (tn_record_all_zero(bytes + at, left < HEAD ? left : HEAD))
		return TN_READ_NONE;
	if (left < HEAD)
		return TN_READ_BAD;
	memcpy(&r->head, bytes + at, HEAD);
	if (!is_good(bytes + at, left, &r->head))
		return TN_READ_BAD;
	r->body = bytes + at + HEAD;
	r->next = at + HEAD + fill_up(r->head.length);
	return TN_READ_GOOD;
}

bool tn_record_find(const uint8_t *bytes, size_t len, size_t at, struct tn_record *r)
{
	const uint32_t magic = TN_RECORD_MAGIC;

	for (at = fill_up(at); at < len && len - at >= HEAD; at += 8) {
		if (!memcmp(bytes + at, &magic, sizeof(magic)) &&
			tn_record_read(bytes, len, at, r) == TN_READ_GOOD)
			return true;
	}
	return false;
}
