/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/store/store.h"
#include "tests/unit/store/faulty_disk.h"

/* --- a model of what is stored: the content of a row is the number of the commit that put it ---
 */

#define ROWS 40u

struct content {
	uint32_t rows[ROWS]; /* 0: none */
	uint32_t unconfirmed, n_strings;
	uint64_t given; /* sum of the numbers */
	uint64_t bases; /* the same */
	uint64_t generation;
};

struct bench {
	char folder[64], path[96], other[96];
	struct content found;
	bool mad; /* something was read that nobody wrote */
	struct random dice;
};

static void fill(uint8_t *body, uint32_t size, uint64_t seed)
{
	for (uint32_t i = 0; i < size; i++)
		body[i] = (uint8_t)(seed * 31 + i);
}

static uint32_t size_of(uint64_t row, uint32_t commit)
{
	return 20 + (uint32_t)(row * 7 + commit * 13) % 300;
}

static void put_row(struct tn_store *s, uint32_t row, uint32_t commit)
{
	uint8_t body[320];
	struct tn_store_object o = {.row = row + 1,
		.kind = 1 + row % 6,
		.flags = commit % 2,
		.tenant = row % 3,
		.owner = row % 5,
		.generation = commit,
		.created_ns = commit * UINT64_C(1000),
		.body = body,
		.size = size_of(row, commit)};

	fill(body, o.size, row + commit);
	tn_store_put(s, &o);
}

static int read_number(void *ctx, enum tn_store_number number, uint64_t value)
{
	struct bench *b = ctx;

	b->mad |= number != TN_STORE_GENERATION;
	b->found.generation = value;
	return 0;
}

static int read_string(void *ctx, uint32_t number, const char *s)
{
	struct bench *b = ctx;
	char wanted[32];

	snprintf(wanted, sizeof(wanted), "string %u", number);
	b->mad |= number != ++b->found.n_strings || strcmp(wanted, s);
	return 0;
}

static int read_object(void *ctx, const struct tn_store_object *o, struct tn_error *err)
{
	struct bench *b = ctx;
	uint32_t row = (uint32_t)o->row - 1, commit = (uint32_t)o->generation;
	uint8_t body[320];

	(void)err;
	if (o->row < 1 || o->row > ROWS || !commit) {
		b->mad = true;
		return 0;
	}
	fill(body, size_of(row, commit), row + commit);
	b->mad |= o->kind != 1 + row % 6 || o->flags != commit % 2 || o->tenant != row % 3 ||
		o->owner != row % 5 || o->created_ns != commit * UINT64_C(1000) ||
		o->size != size_of(row, commit) || memcmp(o->body, body, o->size);
	b->found.rows[row] = commit;
	return 0;
}

static int read_unconfirmed(void *ctx, const struct tn_store_unconfirmed *u, struct tn_error *err)
{
	struct bench *b = ctx;
	uint8_t body[320];

	(void)err;
	fill(body, u->size, u->id);
	b->mad |= u->due_ns != 5 * u->id || u->size != 100 || memcmp(u->body, body, u->size);
	b->found.unconfirmed = (uint32_t)u->id;
	return 0;
}

static int read_given(void *ctx, uint32_t space, const char *name, uint32_t number)
{
	struct bench *b = ctx;
	char wanted[32];

	snprintf(wanted, sizeof(wanted), "thing %u", number);
	b->mad |= space != number % 3 || strcmp(wanted, name);
	b->found.given += number;
	return 0;
}

static int read_base(void *ctx, const struct tn_store_base *base)
{
	struct bench *b = ctx;

	b->mad |= base->what != base->packets % 3 || base->id != UINT64_MAX - base->packets ||
		base->bytes != base->packets << 40;
	b->found.bases += base->packets;
	return 0;
}

static struct tn_store *open_at(struct bench *b, const char *path, struct tn_error *err)
{
	const struct tn_store_reader reader = {.ctx = b,
		.number = read_number,
		.string = read_string,
		.object = read_object,
		.unconfirmed = read_unconfirmed,
		.given = read_given,
		.base = read_base};

	b->found = (struct content){0};
	b->mad = false;
	return tn_store_open(path, &reader, err);
}

static struct tn_store *open_well(struct bench *b, const char *path)
{
	struct tn_error err;
	struct tn_store *s = open_at(b, path, &err);

	if (!s)
		fail_msg("%s", err.detail);
	assert_false(b->mad);
	return s;
}

/* Of a commit with this number, where it is one of the seventh, twelfth, ... */
static void put_base(struct tn_store *s, struct content *c, uint32_t number)
{
	if (number % 20 == 7) {
		tn_store_clear_bases(s);
		c->bases = 0;
	} else if (number % 20 == 17) {
		tn_store_delete_base(s, (number - 5) % 3, UINT64_MAX - (number - 5));
		c->bases -= number - 5;
	}
	tn_store_put_base(s,
		&(struct tn_store_base){
			number % 3, UINT64_MAX - number, number, (uint64_t)number << 40});
	c->bases += number;
}

/* The commit of this number: always the same, and what it makes of the content. */
static int commit(struct tn_store *s, struct content *c, uint32_t number, struct tn_error *err)
{
	struct random r = {.state = number};
	uint32_t n = number % 11 == 0 ? ROWS : 1 + random_below(&r, 6);
	uint8_t body[100];

	tn_store_begin(s);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t row = n == ROWS ? i : random_below(&r, ROWS);

		if (random_below(&r, 4)) {
			put_row(s, row, number);
			c->rows[row] = number;
		} else {
			tn_store_delete(s, row + 1);
			c->rows[row] = 0;
		}
	}
	if (number % 4 == 0) {
		char text[32];

		snprintf(text, sizeof(text), "string %u", ++c->n_strings);
		tn_store_put_string(s, c->n_strings, text);
	}
	if (number % 5 == 0) {
		char name[32];

		snprintf(name, sizeof(name), "thing %u", number);
		tn_store_put_given(s, number % 3, name, number);
		c->given += number;
		if (number % 10 == 0) {
			snprintf(name, sizeof(name), "thing %u", number / 2);
			tn_store_put_given(s, number / 2 % 3, name, 0);
			c->given -= number / 2;
		}
	}
	if (number % 5 == 2 && number > 2)
		put_base(s, c, number);
	if (c->unconfirmed && number % 3 == 0) {
		tn_store_delete_unconfirmed(s, c->unconfirmed);
		c->unconfirmed = 0;
	} else if (!c->unconfirmed && number % 3 == 1) {
		fill(body, sizeof(body), number);
		tn_store_put_unconfirmed(
			s, &(struct tn_store_unconfirmed){number, 5 * number, body, sizeof(body)});
		c->unconfirmed = number;
	}
	tn_store_put_number(s, TN_STORE_GENERATION, number);
	c->generation = number;
	return tn_store_end(s, err);
}

static void commit_well(struct tn_store *s, struct content *c, uint32_t number)
{
	struct tn_error err;

	if (commit(s, c, number, &err))
		fail_msg("%s", err.detail);
}

static int setup(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	/* In memory, where thousands of syncs cost nothing. */
	strcpy(b->folder, "/dev/shm/tn-store-XXXXXX");
	if (!mkdtemp(b->folder)) {
		strcpy(b->folder, "/tmp/tn-store-XXXXXX");
		assert_non_null(mkdtemp(b->folder));
	}
	snprintf(b->path, sizeof(b->path), "%s/store.db", b->folder);
	snprintf(b->other, sizeof(b->other), "%s/other.db", b->folder);
	b->dice.state = 1;
	*state = b;
	return 0;
}

static void remove_all(const char *path)
{
	static const char *const suffixes[] = {"", "-wal", "-shm", "-journal", "-mark"};
	char name[128];

	for (size_t i = 0; i < TN_ARRAY_SIZE(suffixes); i++) {
		snprintf(name, sizeof(name), "%s%s", path, suffixes[i]);
		(void)unlink(name);
	}
}

static int teardown(void **state)
{
	struct bench *b = *state;

	remove_all(b->path);
	remove_all(b->other);
	assert_return_code(rmdir(b->folder), 0);
	free(b);
	return 0;
}

static unsigned char *slurp(const char *path, size_t *n)
{
	FILE *f = fopen(path, "rb");
	unsigned char *bytes;
	struct stat st;

	assert_non_null(f);
	assert_return_code(fstat(fileno(f), &st), 0);
	*n = (size_t)st.st_size;
	bytes = malloc(*n + 1);
	assert_int_equal(fread(bytes, 1, *n, f), *n);
	fclose(f);
	return bytes;
}

/* The database's file with this behind its name. */
static const char *beside(const char *path, const char *suffix)
{
	static char name[2][128];
	static unsigned turn;

	turn = !turn;
	snprintf(name[turn], sizeof(name[turn]), "%s%s", path, suffix);
	return name[turn];
}

static void spill(const char *path, const unsigned char *bytes, size_t n)
{
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

static void copy(const char *from, const char *to)
{
	unsigned char *bytes;
	size_t n;

	if (access(from, F_OK))
		return;
	bytes = slurp(from, &n);
	spill(to, bytes, n);
	free(bytes);
}

/* Opening is refused with this word, and the file is as it was. */
static void refused(struct bench *b, const char *path, const char *word)
{
	size_t n, m;
	unsigned char *before = slurp(path, &n), *after;
	struct tn_error err;

	assert_null(open_at(b, path, &err));
	if (!strstr(err.detail, word) || !strstr(err.detail, path))
		fail_msg("%s", err.detail);
	after = slurp(path, &m);
	assert_int_equal(n, m);
	assert_memory_equal(before, after, n);
	free(before);
	free(after);
}

static void sql(const char *path, const char *text)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void make(struct bench *b, struct content *c, uint32_t commits)
{
	struct tn_store *s = open_well(b, b->path);

	*c = (struct content){0};
	for (uint32_t i = 1; i <= commits; i++)
		commit_well(s, c, i);
	tn_store_close(s);
}

/* --- tests --- */

static void test_what_is_put_is_read(void **state)
{
	struct bench *b = *state;
	struct content c;

	make(b, &c, 50);
	tn_store_close(open_well(b, b->path));
	assert_memory_equal(&b->found, &c, sizeof(c));
}

static off_t log_bytes(const struct bench *b)
{
	struct stat st;
	char path[128];

	snprintf(path, sizeof(path), "%s-wal", b->path);
	return stat(path, &st) ? 0 : st.st_size;
}

/* Some 24 MB go to the log. */
static void commit_much(struct tn_store *s)
{
	uint8_t body[4000] = {1};
	struct tn_error err;

	tn_store_begin(s);
	for (uint64_t row = 1; row <= 6000; row++) {
		const struct tn_store_object o = {
			.row = row, .kind = 1, .body = body, .size = sizeof(body)};

		tn_store_put(s, &o);
	}
	assert_int_equal(tn_store_end(s, &err), 0);
}

/* Written over from its beginning where commits pause, and limited where they do not. */
static void test_log_is_limited(void **state)
{
	struct bench *b = *state;
	struct tn_store *s = open_well(b, b->path);
	off_t one;

	commit_much(s);
	one = log_bytes(b);
	assert_true(one > 20 << 20);
	tn_store_tidy(s); /* not while commits are made */
	tn_store_tidy(s);
	commit_much(s);
	assert_true(log_bytes(b) < one + (1 << 20));
	for (unsigned i = 0; i < 6; i++)
		commit_much(s);
	assert_true(log_bytes(b) < 4 * one);
	tn_store_close(s);
	assert_int_equal(log_bytes(b), 0);
}

static void test_what_is_taken_back_was_never_there(void **state)
{
	struct bench *b = *state;
	struct content c;
	struct tn_store *s;

	make(b, &c, 5);
	s = open_well(b, b->path);
	tn_store_begin(s);
	put_row(s, 1, 99);
	tn_store_delete(s, 3);
	tn_store_abort(s);
	tn_store_abort(s);
	commit_well(s, &c, 6);
	tn_store_close(s);
	tn_store_close(open_well(b, b->path));
	assert_memory_equal(&b->found, &c, sizeof(c));
}

static void test_newer_is_refused(void **state)
{
	struct bench *b = *state;
	struct content c;

	make(b, &c, 5);
	sql(b->path, "PRAGMA user_version = 1000");
	refused(b, b->path, "version 1000");
}

static void test_others_are_refused(void **state)
{
	struct bench *b = *state;

	sql(b->path, "CREATE TABLE flights(number INTEGER)");
	refused(b, b->path, "something else");
	spill(b->path, (const unsigned char *)"a letter to a friend, and no database at all", 44);
	refused(b, b->path, "damaged");
}

struct cut {
	struct bench *b;
	struct content past[64];
	uint32_t acknowledged;
	unsigned n;
};

/* The power goes before this operation: what is left holds all that was acknowledged. */
static void look_at_what_is_left(void *ctx)
{
	struct cut *cut = ctx;
	struct bench *b = cut->b;
	unsigned which = cut->n++ % 3;
	struct random r = {.state = cut->n};
	uint32_t generation;
	struct tn_error err;
	struct tn_store *s;

	disk_leave(b->path, "", b->other, which, &r);
	disk_leave(b->path, "-wal", b->other, which, &r);
	/* The newest number there can be. */
	copy(beside(b->path, "-mark"), beside(b->other, "-mark"));
	/* Read by the real disk: another thing is written here than there. */
	disk.before = NULL;
	sqlite3_vfs_register(disk.real, 1);
	s = open_at(b, b->other, &err);
	if (!s)
		fail_msg("after operation %u: %s", disk.n_operations, err.detail);
	tn_store_close(s);
	remove_all(b->other);
	sqlite3_vfs_register(&disk.vfs, 1);
	disk.before = look_at_what_is_left;
	generation = (uint32_t)b->found.generation;
	assert_false(b->mad);
	assert_in_range(generation, cut->acknowledged, cut->acknowledged + 1);
	assert_memory_equal(&b->found, &cut->past[generation], sizeof(b->found));
}

static void test_power_may_go_at_any_write(void **state)
{
	struct cut *cut = calloc(1, sizeof(*cut));
	struct tn_store *s;

	cut->b = *state;
	disk_install();
	/* From the first write on, to a file that was not there. */
	disk.before = look_at_what_is_left;
	disk.ctx = cut;
	s = open_well(cut->b, cut->b->path);
	for (uint32_t i = 1; i < TN_ARRAY_SIZE(cut->past); i++) {
		cut->past[i] = cut->past[i - 1];
		commit_well(s, &cut->past[i], i);
		cut->acknowledged = i;
	}
	tn_store_close(s);
	disk_remove();
	assert_true(cut->n > 200);
	tn_store_close(open_well(cut->b, cut->b->path));
	assert_memory_equal(&cut->b->found, &cut->past[63], sizeof(cut->b->found));
	free(cut);
}

/* Each write and sync fails once, or from then on until there is room again. */
static void test_a_full_disk_changes_nothing(void **state)
{
	struct bench *b = *state;
	struct content c = {0};
	struct tn_store *s;
	unsigned failures = 0;

	disk_install();
	s = open_well(b, b->path);
	for (uint32_t number = 1; number < 60; number++) {
		struct content tried = c;
		struct tn_error err;
		int rc;

		disk.fail_at = disk.n_operations + 1 + random_below(&b->dice, 4);
		disk.failure = number % 2 ? SQLITE_FULL : SQLITE_IOERR_WRITE;
		disk.sticky = number % 3;
		rc = commit(s, &tried, number, &err);
		disk.fail_at = 0;
		if (rc) {
			failures++;
			assert_int_equal(rc, number % 2 ? -ENOSPC : -EIO);
			assert_non_null(strstr(err.detail, number % 2 ? "make room" : "disk"));
			tried = c;
			commit_well(s, &tried, number);
		}
		c = tried;
	}
	tn_store_close(s);
	disk_remove();
	assert_true(failures > 20);
	tn_store_close(open_well(b, b->path));
	assert_memory_equal(&b->found, &c, sizeof(c));
}

/* One bit of the file is another. Either that is told, or it says what it said. */
static void turn_over(struct bench *b, const struct content *c, unsigned char *bytes, size_t n,
	size_t at, unsigned bit, unsigned *told)
{
	struct tn_error err = {.of = TN_OF_OK};
	struct tn_store *s;

	bytes[at] ^= (unsigned char)(1u << bit);
	spill(b->other, bytes, n);
	bytes[at] ^= (unsigned char)(1u << bit);
	s = open_at(b, b->other, &err);
	if (s) {
		tn_store_close(s);
		if (b->mad || memcmp(&b->found, c, sizeof(*c)))
			fail_msg("bit %u of byte %zu: something else is read", bit, at);
	} else {
		++*told;
		if (!strstr(err.detail, b->other) ||
			!(strstr(err.detail, "damaged") || strstr(err.detail, "something else") ||
				strstr(err.detail, "version")))
			fail_msg("bit %u of byte %zu: %s", bit, at, err.detail);
	}
	remove_all(b->other);
}

static void test_a_bit_that_turns_over_is_told_or_means_nothing(void **state)
{
	struct bench *b = *state;
	unsigned told = 0, n_bits = 0;
	struct content c;
	unsigned char *bytes;
	size_t n;

	/* Small pages: all kinds of them in few bytes. */
	sql(b->path, "PRAGMA page_size = 512; VACUUM");
	make(b, &c, 11);
	bytes = slurp(b->path, &n);
	assert_in_range(n, 20 * 512, 80 * 512);
	/* All of what tells what the file is, and some of the rest, anywhere. */
	for (size_t at = 0; at < n; at += at < 100 ? 1 : 1 + random_below(&b->dice, 8)) {
		for (unsigned bit = 0; bit < 8; bit++) {
			if (at >= 100 && bit != random_below(&b->dice, 8))
				continue;
			turn_over(b, &c, bytes, n, at, bit, &told);
			n_bits++;
		}
	}
	free(bytes);
	print_message("%u of %u bits were told\n", told, n_bits);
	assert_true(told > 0);
}

/* What a process leaves that is killed: a database and its log, of commits that were acknowledged.
 */
static void leave(struct bench *b, struct content *c, uint32_t commits)
{
	static const char *const suffixes[] = {"", "-wal", "-mark"};
	struct tn_store *s = open_well(b, b->path);

	*c = (struct content){0};
	for (uint32_t i = 1; i <= commits; i++)
		commit_well(s, c, i);
	for (size_t i = 0; i < TN_ARRAY_SIZE(suffixes); i++)
		copy(beside(b->path, suffixes[i]), beside(b->other, suffixes[i]));
	tn_store_close(s);
}

/* One bit of the log is another: told, and all as it was; or it says what it said. */
static void turn_over_in_log(struct bench *b, const struct content *c, const unsigned char *log,
	size_t n, size_t at, unsigned *told)
{
	const char *place = beside(b->other, "-wal");
	unsigned char *hurt = malloc(n), *after;
	struct tn_error err;
	struct tn_store *s;
	size_t m;

	memcpy(hurt, log, n);
	hurt[at] ^= (unsigned char)(1u << random_below(&b->dice, 8));
	spill(place, hurt, n);
	s = open_at(b, b->other, &err);
	if (s)
		fail_msg("byte %zu: %u of %u commits are read", at, (unsigned)b->found.generation,
			(unsigned)c->generation);
	++*told;
	if (!strstr(err.detail, "damaged") || !strstr(err.detail, b->other))
		fail_msg("byte %zu: %s", at, err.detail);
	after = slurp(place, &m);
	assert_int_equal(m, n);
	assert_memory_equal(after, hurt, n);
	free(after);
	free(hurt);
}

static void test_a_bit_of_the_log_that_turns_over_is_told(void **state)
{
	struct bench *b = *state;
	unsigned char *log, *database;
	size_t n, m;
	unsigned told = 0;
	struct content c;

	sql(b->path, "PRAGMA page_size = 512; VACUUM");
	leave(b, &c, 11);
	log = slurp(beside(b->other, "-wal"), &n);
	database = slurp(b->other, &m);
	for (size_t at = 0; at < n; at += at < 48 ? 1 : 1 + random_below(&b->dice, 300))
		turn_over_in_log(b, &c, log, n, at, &told);
	assert_true(told > 100);
	/* As it was it is good, and goes on. */
	spill(beside(b->other, "-wal"), log, n);
	tn_store_close(open_well(b, b->other));
	assert_memory_equal(&b->found, &c, sizeof(c));
	/* Without the log, or without anything, too; and with the number away by order. */
	spill(b->other, database, m);
	(void)unlink(beside(b->other, "-wal"));
	refused(b, b->other, "damaged or an older copy");
	spill(b->other, database, 0);
	refused(b, b->other, "0 of ");
	assert_return_code(unlink(beside(b->other, "-mark")), 0);
	tn_store_close(open_well(b, b->other));
	assert_int_equal(b->found.generation, 0);
	free(database);
	free(log);
}

/* A number that is not whole says nothing; one that lags is true. */
static void test_the_number_of_commits_is_no_more_than_a_help(void **state)
{
	struct bench *b = *state;
	unsigned char *first, *last;
	struct content c;
	size_t n;

	make(b, &c, 3);
	first = slurp(beside(b->path, "-mark"), &n);
	make(b, &c, 9);
	last = slurp(beside(b->path, "-mark"), &n);
	assert_memory_not_equal(first, last, n);
	spill(beside(b->path, "-mark"), first, n);
	tn_store_close(open_well(b, b->path));
	for (size_t at = 0; at < n; at++) {
		last[at] ^= 0x10;
		spill(beside(b->path, "-mark"), last, n);
		tn_store_close(open_well(b, b->path));
		last[at] ^= 0x10;
		spill(beside(b->path, "-mark"), last, at);
		tn_store_close(open_well(b, b->path));
	}
	free(first);
	free(last);
}

static void test_a_folder_that_is_not_there(void **state)
{
	struct bench *b = *state;
	struct tn_error err;

	assert_null(open_at(b, "/nowhere/at/all.db", &err));
	assert_non_null(strstr(err.detail, "make its folder"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_what_is_put_is_read),
		TEST(test_log_is_limited),
		TEST(test_what_is_taken_back_was_never_there),
		TEST(test_newer_is_refused),
		TEST(test_others_are_refused),
		TEST(test_power_may_go_at_any_write),
		TEST(test_a_full_disk_changes_nothing),
		TEST(test_a_bit_that_turns_over_is_told_or_means_nothing),
		TEST(test_a_bit_of_the_log_that_turns_over_is_told),
		TEST(test_the_number_of_commits_is_no_more_than_a_help),
		TEST(test_a_folder_that_is_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
