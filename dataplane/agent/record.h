/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The bytes of the state folder's files: a header, then records one after another, each at a
 * multiple of 8 bytes, little-endian. Journals and snapshots have the same records. Nothing here
 * does I/O; nothing that is read is believed before its checksum.
 */
#ifndef TN_AGENT_RECORD_H
#define TN_AGENT_RECORD_H

#include "dataplane/api/codec.h"
#include "dataplane/core/types.h"

#define TN_STATE_MAGIC	  "TENONST\n"
#define TN_STATE_FORMAT	  1u
#define TN_RECORD_MAGIC	  0x43524e54u /* the bytes "TNRC" */
#define TN_RECORD_LEN_MAX (TN_API_BODY_MAX + (uint32_t)sizeof(struct tn_api_header))

enum tn_state_kind { TN_STATE_JOURNAL = 1, TN_STATE_SNAPSHOT };

/* Of the same form in all formats. */
struct tn_state_header {
	uint8_t magic[8];
	uint32_t format, kind; /* TN_STATE_FORMAT, enum tn_state_kind */
	/* A snapshot is what was before the journal of its generation; journals follow each other.
	 */
	uint64_t generation;
	uint64_t sequence; /* of a journal's first record; of the last one a snapshot holds */
	uint64_t dpid;
	uint64_t time_ns;
	uint32_t reserved;
	uint32_t crc; /* CRC32c of all before it */
};

TN_BUILD_ASSERT(sizeof(struct tn_state_header) == 56, "a state file's header moved");

enum tn_record_kind {
	TN_RECORD_CHANGE = 1, /* a message of dataplane/api, made at time_ns */
	TN_RECORD_LOST,	      /* flows that timed out or were evicted: their ids, 8 bytes each */
	TN_RECORD_MARK,	      /* nothing but its `durable` */
	TN_RECORD_END,	      /* of a snapshot */
	TN_RECORD_KINDS
};

/* The group goes on: its records count once the last one is there. */
#define TN_RECORD_MORE 1u

struct tn_record_header {
	uint32_t magic;
	uint32_t head_crc; /* CRC32c of the rest of this header */
	uint32_t body_crc; /* of the body with the zeros that fill it up to 8 bytes */
	uint32_t length;   /* of the body */
	uint16_t kind;
	uint16_t flags;
	uint32_t reserved;
	uint64_t sequence; /* one more than the record before */
	/* All records up to this one were on the disk when this one was written. */
	uint64_t durable;
	uint64_t time_ns;
};

TN_BUILD_ASSERT(sizeof(struct tn_record_header) == 48, "a record's header moved");

/* --- writing ---------------------------------------------------------------------------------- */

void tn_state_header_init(struct tn_state_header *h, enum tn_state_kind kind, uint64_t generation,
	uint64_t sequence, uint64_t dpid, uint64_t time_ns);

/*
 * A record at the end of b: begin, append the body, end. *at is where it starts. -ENOMEM: b has
 * more bytes than before, which the caller forgets.
 */
int tn_record_begin(struct tn_api_buffer *b, enum tn_record_kind kind, uint64_t time_ns,
	size_t *at) TN_MUST_CHECK;
int tn_record_end(struct tn_api_buffer *b, size_t at) TN_MUST_CHECK;
int tn_record_append(struct tn_api_buffer *b, const void *bytes, size_t len) TN_MUST_CHECK;

/*
 * Whole records get their numbers from *sequence on, which is moved past them, and their checksums.
 * They become one group, or each one by itself.
 */
void tn_records_seal(
	uint8_t *records, size_t len, bool group, uint64_t *sequence, uint64_t durable);

/* --- reading ---------------------------------------------------------------------------------- */

enum tn_read { TN_READ_GOOD, TN_READ_NONE, TN_READ_BAD };

/* GOOD: the header is whole, its format may be another. NONE: zeros as far as it would go. */
enum tn_read tn_state_header_read(const uint8_t *bytes, size_t len, struct tn_state_header *h);

struct tn_record {
	struct tn_record_header head;
	const uint8_t *body; /* head.length bytes */
	size_t at, next;     /* offsets of it and of what follows */
};

/* What is at an offset: a whole record, or zeros (also: the end), or anything else. */
enum tn_read tn_record_read(const uint8_t *bytes, size_t len, size_t at, struct tn_record *r);
/* The first whole record at an offset or behind it; false: there is none. */
bool tn_record_find(const uint8_t *bytes, size_t len, size_t at, struct tn_record *r);
bool tn_record_all_zero(const uint8_t *bytes, size_t len);

#endif
