/* SPDX-License-Identifier: BSD-3-Clause */
/* Any bytes as a capture file: read to the end or to a message; what is read can be written. */
#include "dataplane/port/capture.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/fuzz/fuzz.h"

#define RECORDS_MAX 2000u

/* The records read; *copied: all of them were written to `copy`. */
static uint64_t read_records(const char *path, struct tn_capture_writer *copy, bool *copied)
{
	struct tn_capture_error err = {""};
	struct tn_capture_reader *r = tn_capture_open(path, &err);
	struct tn_capture_record rec;
	uint64_t n = 0;
	int rc = 0;

	if (!r) {
		fuzz_require(err.text[0] != 0);
		return 0;
	}
	while (n < RECORDS_MAX && (rc = tn_capture_next(r, &rec, &err)) == 1) {
		n++;
		fuzz_require(rec.number == n);
		fuzz_require(rec.len <= rec.wire_len && rec.len <= 262144);
		fuzz_require(rec.time_ns <= INT64_MAX);
		/* Refused: a time past 2106. */
		if (*copied &&
			tn_capture_write(copy, rec.time_ns, rec.data, rec.len, rec.wire_len, &err))
			*copied = false;
	}
	if (rc < 0)
		fuzz_require(strstr(err.text, "record") && strstr(err.text, "byte"));
	tn_capture_close(r);
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int in = memfd_create("in", 0), out = memfd_create("out", 0);
	char in_path[32], out_path[32];
	struct tn_capture_writer *copy;
	bool copied = true;
	uint64_t n;

	fuzz_require(in >= 0 && out >= 0);
	fuzz_require(write(in, data, size) == (ssize_t)size);
	snprintf(in_path, sizeof(in_path), "/proc/self/fd/%d", in);
	snprintf(out_path, sizeof(out_path), "/proc/self/fd/%d", out);
	copy = tn_capture_create(out_path, NULL);
	fuzz_require(copy != NULL);
	n = read_records(in_path, copy, &copied);
	fuzz_require((tn_capture_finish(copy, NULL) == 0) == copied);
	if (copied)
		fuzz_require(read_records(out_path, NULL, &(bool){false}) == n);
	close(in);
	close(out);
	return 0;
}
