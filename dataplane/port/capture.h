/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Capture files as a source and a sink of frames. Reads pcap and pcapng, microsecond and
 * nanosecond, either byte order, plain or gzip (libpcap over zlib); writes nanosecond pcap.
 * Streaming: memory does not grow with the file. One thread per object.
 */
#ifndef TN_PORT_CAPTURE_H
#define TN_PORT_CAPTURE_H

#include "dataplane/core/types.h"

struct tn_capture_reader;
struct tn_capture_writer;

struct tn_capture_record {
	const uint8_t *data; /* valid until the next call on the reader */
	uint32_t len;	     /* bytes captured */
	uint32_t wire_len;   /* bytes on the wire, >= len */
	uint64_t time_ns;    /* since 1970 */
	uint64_t number;     /* 1 for the first record of the file */
};

struct tn_capture_error {
	char text[512]; /* names file, record and byte offset, says what is wrong */
};

/* "-" is standard input. NULL with err filled: not there, not a capture, not Ethernet. */
struct tn_capture_reader *tn_capture_open(const char *path, struct tn_capture_error *err);
/* 1: a record; 0: end of file; -1: broken file, err says where. */
int tn_capture_next(struct tn_capture_reader *r, struct tn_capture_record *rec,
	struct tn_capture_error *err) TN_MUST_CHECK;
void tn_capture_close(struct tn_capture_reader *r);
/* Bytes of the file consumed and in all (0 when unknown), compressed ones for gzip; for progress.
 */
void tn_capture_progress(const struct tn_capture_reader *r, uint64_t *done, uint64_t *total);

/* Truncates an existing file. snaplen in the header is 262144. */
struct tn_capture_writer *tn_capture_create(const char *path, struct tn_capture_error *err);
int tn_capture_write(struct tn_capture_writer *w, uint64_t time_ns, const uint8_t *data,
	uint32_t len, uint32_t wire_len, struct tn_capture_error *err) TN_MUST_CHECK;
/* Flushes; the first write error of the writer's life is reported here too. NULL is fine. */
int tn_capture_finish(struct tn_capture_writer *w, struct tn_capture_error *err) TN_MUST_CHECK;

#endif
