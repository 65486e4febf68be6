/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/port/capture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

/* A file's bytes as a test puts them together, in either byte order. */
struct image {
	uint8_t b[8192];
	size_t n;
	bool big;
};

static char dir[] = "/tmp/tn-capture-XXXXXX";
static char file[64];

static void add16(struct image *m, uint16_t v)
{
	if (m->big)
		v = __builtin_bswap16(v);
	memcpy(m->b + m->n, &v, 2);
	m->n += 2;
}

static void add32(struct image *m, uint32_t v)
{
	if (m->big)
		v = __builtin_bswap32(v);
	memcpy(m->b + m->n, &v, 4);
	m->n += 4;
}

static void add_bytes(struct image *m, uint8_t first, size_t n)
{
	for (size_t i = 0; i < n; i++)
		m->b[m->n++] = (uint8_t)(first + i);
}

static void add_pcap_header(struct image *m, uint32_t magic, uint32_t link_type)
{
	add32(m, magic);
	add16(m, 2);
	add16(m, 4);
	add32(m, 0);
	add32(m, 0);
	add32(m, 65535);
	add32(m, link_type);
}

static void add_pcap_record(struct image *m, uint32_t s, uint32_t fraction, uint32_t len,
	uint32_t wire_len, uint8_t first)
{
	add32(m, s);
	add32(m, fraction);
	add32(m, len);
	add32(m, wire_len);
	add_bytes(m, first, len);
}

static void add_section(struct image *m)
{
	add32(m, 0x0a0d0d0a);
	add32(m, 28);
	add32(m, 0x1a2b3c4d);
	add16(m, 1);
	add16(m, 0);
	add32(m, 0xffffffff);
	add32(m, 0xffffffff);
	add32(m, 28);
}

/* resolution: if_tsresol, e.g. 9 for nanoseconds. */
static void add_interface(struct image *m, uint16_t link_type, uint8_t resolution)
{
	add32(m, 1);
	add32(m, 32);
	add16(m, link_type);
	add16(m, 0);
	add32(m, 65535);
	add16(m, 9);
	add16(m, 1);
	m->b[m->n++] = resolution;
	add_bytes(m, 0, 3);
	add16(m, 0);
	add16(m, 0);
	add32(m, 32);
}

static void add_enhanced(
	struct image *m, uint64_t ticks, uint32_t len, uint32_t wire_len, uint8_t first)
{
	uint32_t padded = (len + 3) & ~3u;

	add32(m, 6);
	add32(m, 32 + padded);
	add32(m, 0);
	add32(m, (uint32_t)(ticks >> 32));
	add32(m, (uint32_t)ticks);
	add32(m, len);
	add32(m, wire_len);
	add_bytes(m, first, len);
	add_bytes(m, 0, padded - len);
	add32(m, 32 + padded);
}

static void save(const struct image *m, size_t n)
{
	FILE *f = fopen(file, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(m->b, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

static void save_gz(const struct image *m)
{
	gzFile gz = gzopen(file, "wb");

	assert_non_null(gz);
	assert_int_equal(gzwrite(gz, m->b, (unsigned)m->n), m->n);
	assert_int_equal(gzclose(gz), 0);
}

static struct tn_capture_reader *open_ok(void)
{
	struct tn_capture_error err = {""};
	struct tn_capture_reader *r = tn_capture_open(file, &err);

	if (!r)
		fail_msg("%s", err.text);
	return r;
}

static void expect_record(struct tn_capture_reader *r, uint64_t number, uint64_t time_ns,
	uint32_t len, uint32_t wire_len, uint8_t first)
{
	struct tn_capture_record rec;
	struct tn_capture_error err = {""};

	if (tn_capture_next(r, &rec, &err) != 1)
		fail_msg("record %u: %s", (unsigned)number, err.text);
	assert_int_equal(rec.number, number);
	assert_int_equal(rec.time_ns, time_ns);
	assert_int_equal(rec.len, len);
	assert_int_equal(rec.wire_len, wire_len);
	for (uint32_t i = 0; i < len; i++)
		assert_int_equal(rec.data[i], (uint8_t)(first + i));
}

static void expect_end(struct tn_capture_reader *r)
{
	struct tn_capture_record rec;
	struct tn_capture_error err = {""};

	assert_int_equal(tn_capture_next(r, &rec, &err), 0);
	assert_int_equal(tn_capture_next(r, &rec, &err), 0);
	tn_capture_close(r);
}

/* The next record is broken, and stays so; every part has to be in the message. */
static void expect_broken(struct tn_capture_reader *r, const char *place, const char *what)
{
	struct tn_capture_record rec;
	struct tn_capture_error err = {""}, again = {""};

	assert_int_equal(tn_capture_next(r, &rec, &err), -1);
	if (!strstr(err.text, file) || !strstr(err.text, place) || !strstr(err.text, what))
		fail_msg("wanted \"%s\" and \"%s\" in: %s", place, what, err.text);
	assert_int_equal(tn_capture_next(r, &rec, &again), -1);
	assert_string_equal(err.text, again.text);
	tn_capture_close(r);
}

static void expect_refused(const char *what)
{
	struct tn_capture_error err = {""};

	assert_null(tn_capture_open(file, &err));
	if (!strstr(err.text, file) || !strstr(err.text, what))
		fail_msg("wanted \"%s\" in: %s", what, err.text);
}

static void reads_pcap_of_both_orders_and_precisions(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		bool ns = i & 1;
		struct image m = {.big = i & 2};

		add_pcap_header(&m, ns ? 0xa1b23c4d : 0xa1b2c3d4, 1);
		add_pcap_record(&m, 1700000000, 123456, 60, 60, 1);
		add_pcap_record(&m, 4000000000u, 999999, 20, 1500, 7); /* past 2038, cut */
		save(&m, m.n);
		struct tn_capture_reader *r = open_ok();
		expect_record(r, 1, 1700000000000000000ull + (ns ? 123456 : 123456000), 60, 60, 1);
		expect_record(
			r, 2, 4000000000000000000ull + (ns ? 999999 : 999999000), 20, 1500, 7);
		expect_end(r);
	}
}

static void reads_pcapng_of_both_orders_and_any_resolution(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct image m = {.big = i};

		add_section(&m);
		add_interface(&m, 1, 9);
		add_enhanced(&m, 1700000000123456789ull, 61, 61, 3);
		add_section(&m);
		add_interface(&m, 1, 6);
		add_enhanced(&m, 1700000000123456ull, 14, 9000, 9);
		save(&m, m.n);
		struct tn_capture_reader *r = open_ok();
		expect_record(r, 1, 1700000000123456789ull, 61, 61, 3);
		expect_record(r, 2, 1700000000123456000ull, 14, 9000, 9);
		expect_end(r);
	}
}

static void reads_gzip(void **state)
{
	struct image m = {0};
	struct tn_capture_reader *r;
	uint64_t done, total;

	(void)state;
	add_pcap_header(&m, 0xa1b2c3d4, 1);
	for (unsigned i = 0; i < 50; i++)
		add_pcap_record(&m, i, 0, 60, 60, (uint8_t)i);
	save_gz(&m);
	r = open_ok();
	for (unsigned i = 0; i < 50; i++)
		expect_record(r, i + 1, i * 1000000000ull, 60, 60, (uint8_t)i);
	tn_capture_progress(r, &done, &total);
	assert_int_equal(done, total);
	assert_in_range(total, 1, m.n - 1);
	expect_end(r);
}

static void names_record_and_offset_of_a_cut_pcap(void **state)
{
	struct image m = {0};
	struct tn_capture_reader *r;

	(void)state;
	add_pcap_header(&m, 0xa1b2c3d4, 1);
	add_pcap_record(&m, 1, 0, 60, 60, 0);
	add_pcap_record(&m, 2, 0, 60, 60, 0);
	/* In the second record's data, then in its header. */
	for (size_t cut = 1; cut < 76; cut++) {
		save(&m, m.n - cut);
		r = open_ok();
		expect_record(r, 1, 1000000000ull, 60, 60, 0);
		expect_broken(r, "record 2 at byte 100 is broken", "editcap -r FILE GOOD.pcap 1-1");
	}
	save(&m, 24);
	expect_end(open_ok());
	save(&m, 23);
	expect_refused("not a capture in pcap or pcapng format");
}

static void names_record_and_offset_in_gzip(void **state)
{
	struct image m = {0};
	struct tn_capture_reader *r;
	uint8_t packed[8192];
	size_t n;
	FILE *f;

	(void)state;
	add_pcap_header(&m, 0xa1b2c3d4, 1);
	add_pcap_record(&m, 1, 0, 60, 60, 0);
	add_pcap_record(&m, 2, 0, 60, 60, 0);
	m.n -= 5;
	save_gz(&m);
	r = open_ok();
	expect_record(r, 1, 1000000000ull, 60, 60, 0);
	expect_broken(r, "record 2 at byte 100 of the uncompressed data", "truncated");

	/* The compressed data itself is cut: its last bytes are a checksum and a length. */
	m.n += 5;
	save_gz(&m);
	f = fopen(file, "rb");
	n = fread(packed, 1, sizeof(packed), f);
	fclose(f);
	f = fopen(file, "wb");
	assert_int_equal(fwrite(packed, 1, n - 4, f), n - 4);
	fclose(f);
	r = open_ok();
	expect_record(r, 1, 1000000000ull, 60, 60, 0);
	expect_record(r, 2, 2000000000ull, 60, 60, 0);
	expect_broken(r, "record 3 at byte 176", "ends before its end mark");
}

static void names_record_and_block_of_a_broken_pcapng(void **state)
{
	struct image m = {0};
	struct tn_capture_reader *r;
	size_t statistics, packet;

	(void)state;
	add_section(&m);
	add_interface(&m, 1, 9);
	add_enhanced(&m, 5, 60, 60, 0);
	statistics = m.n;
	add32(&m, 5); /* interface statistics: skipped */
	add32(&m, 24);
	add_bytes(&m, 0, 12);
	add32(&m, 24);
	packet = m.n;
	add_enhanced(&m, 6, 60, 60, 0);

	char place[64];
	snprintf(place, sizeof(place), "record 2 at byte %zu is broken", packet);
	save(&m, m.n - 1);
	r = open_ok();
	expect_record(r, 1, 5, 60, 60, 0);
	expect_broken(r, place, "truncated");

	snprintf(place, sizeof(place), "record 2 at byte %zu is broken", statistics);
	save(&m, packet - 1);
	r = open_ok();
	expect_record(r, 1, 5, 60, 60, 0);
	expect_broken(r, place, "truncated");

	m.b[packet - 1] ^= 1; /* the statistics block's second length */
	save(&m, m.n);
	r = open_ok();
	expect_record(r, 1, 5, 60, 60, 0);
	expect_broken(r, place, "don't match");
}

static void refuses_absurd_lengths_and_times(void **state)
{
	struct image m = {0};
	struct tn_capture_reader *r;

	(void)state;
	add_pcap_header(&m, 0xa1b2c3d4, 1);
	add_pcap_record(&m, 1, 0, 60, 59, 0); /* captured more than there was: believe the bytes */
	add32(&m, 0);
	add32(&m, 0);
	add32(&m, 0x7fffffff);
	add32(&m, 60);
	save(&m, m.n);
	r = open_ok();
	expect_record(r, 1, 1000000000ull, 60, 60, 0);
	expect_broken(r, "record 2 at byte 100", "2147483647");

	m.n = 0;
	add_section(&m);
	add_interface(&m, 1, 0); /* whole seconds */
	add_enhanced(&m, 1ull << 40, 60, 60, 0);
	save(&m, m.n);
	expect_broken(open_ok(), "record 1 at byte 60", "time stamp");
}

static void refuses_what_is_not_ethernet(void **state)
{
	struct image m = {0};

	(void)state;
	add_pcap_header(&m, 0xa1b2c3d4, 113);
	save(&m, m.n);
	expect_refused("not Ethernet");
	m.n = 0;
	add_section(&m);
	add_interface(&m, 105, 9);
	add_enhanced(&m, 5, 60, 60, 0);
	save(&m, m.n);
	expect_refused("not Ethernet");
}

static void refuses_what_is_not_a_capture(void **state)
{
	struct tn_capture_error err = {""};
	struct image m = {0};

	(void)state;
	save(&m, 0);
	expect_refused("not a capture");
	add_bytes(&m, 'a', 200);
	save(&m, m.n);
	expect_refused("not a capture");
	unlink(file);
	expect_refused("No such file");
	assert_null(tn_capture_open(dir, &err));
	assert_non_null(strstr(err.text, "is a directory"));
	assert_null(tn_capture_open(file, NULL));
}

static void writes_what_it_reads(void **state)
{
	struct tn_capture_error err = {""};
	struct tn_capture_writer *w = tn_capture_create(file, &err);
	struct tn_capture_reader *r;
	static uint8_t frame[65536];
	const uint64_t start = 1700000000999999999ull;

	(void)state;
	assert_non_null(w);
	for (unsigned i = 0; i < sizeof(frame); i++)
		frame[i] = (uint8_t)i;
	/* More than the buffer, with records across its end. */
	for (unsigned i = 0; i < 5000; i++)
		assert_int_equal(
			tn_capture_write(w, start + i, frame + i % 7, 100, 100 + i, &err), 0);
	assert_int_equal(tn_capture_write(w, start, frame, 65536, 65536, &err), 0);
	assert_int_equal(tn_capture_finish(w, &err), 0);
	r = open_ok();
	for (unsigned i = 0; i < 5000; i++)
		expect_record(r, i + 1, start + i, 100, 100 + i, (uint8_t)(i % 7));
	expect_record(r, 5001, start, 65536, 65536, 0);
	expect_end(r);

	w = tn_capture_create(file, &err);
	assert_non_null(w);
	assert_int_equal(tn_capture_finish(w, &err), 0);
	expect_end(open_ok());
	assert_int_equal(tn_capture_finish(NULL, &err), 0);
}

static void reports_a_full_disk(void **state)
{
	struct tn_capture_error err = {""};
	struct tn_capture_writer *w;
	uint8_t frame[1000] = {0};
	char path[80];

	(void)state;
	assert_null(tn_capture_create("/dev/full", &err));
	assert_non_null(strstr(err.text, "/dev/full: cannot write: No space left on device"));
	snprintf(path, sizeof(path), "%s/none/x.pcap", dir);
	assert_null(tn_capture_create(path, &err));
	assert_non_null(strstr(err.text, "No such file or directory"));

	/* A time that the format cannot say stops the writer, and finish says so again. */
	w = tn_capture_create(file, &err);
	assert_non_null(w);
	assert_int_equal(tn_capture_write(w, 1, frame, 60, 60, &err), 0);
	assert_int_equal(tn_capture_write(w, 5000000000000000000ull, frame, 60, 60, &err), -1);
	assert_int_equal(tn_capture_write(w, 2, frame, 60, 60, &err), -1);
	assert_int_equal(tn_capture_finish(w, &err), -1);
	assert_non_null(strstr(err.text, file));
}

static int make_dir(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	snprintf(file, sizeof(file), "%s/x.pcap", dir);
	return 0;
}

static int remove_dir(void **state)
{
	(void)state;
	unlink(file);
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_pcap_of_both_orders_and_precisions),
		cmocka_unit_test(reads_pcapng_of_both_orders_and_any_resolution),
		cmocka_unit_test(reads_gzip),
		cmocka_unit_test(names_record_and_offset_of_a_cut_pcap),
		cmocka_unit_test(names_record_and_offset_in_gzip),
		cmocka_unit_test(names_record_and_block_of_a_broken_pcapng),
		cmocka_unit_test(refuses_absurd_lengths_and_times),
		cmocka_unit_test(refuses_what_is_not_ethernet),
		cmocka_unit_test(refuses_what_is_not_a_capture),
		cmocka_unit_test(writes_what_it_reads),
		cmocka_unit_test(reports_a_full_disk),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
