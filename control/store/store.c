/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/store/store.h"

#include <errno.h>
#include <nmmintrin.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/store/mark.h"
#include "control/store/schema.h"

/*
 * Pages of the log from which on they are put into their places: where commits pause, and by the
 * last of some commits that found so many, or by one that finds too many. A large commit and the
 * one that follows it do not: somebody waits for them. A short log is written over and over, which
 * a disk takes faster than one that grows.
 */
#define LOG_PAGES      1000u
#define LOG_PAGES_MANY 2000u
#define LOG_PAGES_MAX  8000u
#define COMMITS_MANY   16u

enum statement {
	BEGIN,
	COMMIT,
	ROLLBACK,
	PUT_OBJECT,
	DELETE_OBJECT,
	PUT_STRING,
	PUT_NUMBER,
	PUT_UNCONFIRMED,
	DELETE_UNCONFIRMED,
	PUT_GIVEN,
	DELETE_GIVEN,
	PUT_BASE,
	DELETE_BASE,
	CLEAR_BASES,
	N_STATEMENTS
};

static const char *const statements[N_STATEMENTS] = {
	[BEGIN] = "BEGIN IMMEDIATE",
	[COMMIT] = "COMMIT",
	[ROLLBACK] = "ROLLBACK",
	[PUT_OBJECT] = "INSERT OR REPLACE INTO object(row, kind, flags, tenant, owner, generation, "
		       "created, crc, body) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
	[DELETE_OBJECT] = "DELETE FROM object WHERE row = ?1",
	[PUT_STRING] = "INSERT OR REPLACE INTO string(number, text, crc) VALUES(?1, ?2, ?3)",
	[PUT_NUMBER] = "INSERT OR REPLACE INTO number(name, value, crc) VALUES(?1, ?2, ?3)",
	[PUT_UNCONFIRMED] = "INSERT OR REPLACE INTO unconfirmed(id, due, crc, body) "
			    "VALUES(?1, ?2, ?3, ?4)",
	[DELETE_UNCONFIRMED] = "DELETE FROM unconfirmed WHERE id = ?1",
	[PUT_GIVEN] = "INSERT OR REPLACE INTO given(space, name, number, crc) "
		      "VALUES(?1, ?2, ?3, ?4)",
	[DELETE_GIVEN] = "DELETE FROM given WHERE space = ?1 AND name = ?2",
	[PUT_BASE] = "INSERT OR REPLACE INTO base(what, id, packets, bytes, crc) "
		     "VALUES(?1, ?2, ?3, ?4, ?5)",
	[DELETE_BASE] = "DELETE FROM base WHERE what = ?1 AND id = ?2",
	[CLEAR_BASES] = "DELETE FROM base",
};

/* Of the store's own numbers: how many commits were made. */
#define COMMITS	     1000
#define READ_COMMITS "SELECT coalesce(max(value), 0) FROM number WHERE name = 1000"

struct tn_store {
	sqlite3 *db;
	char *path;
	char name[84]; /* the path; of a long one the end, which says more */
	sqlite3_stmt *prepared[N_STATEMENTS];
	unsigned log_pages; /* in the log, whose places in the file are older */
	unsigned n_long;    /* commits that found many */
	bool busy;	    /* commits were made since tidy() looked */
	int failure;	    /* of the commit that is being made: SQLite's code, 0: none */
	struct tn_error error;
	uint64_t commits;
	int mark; /* of mark.h */
};

static uint64_t crc_word(uint64_t crc, uint64_t word)
{
	return _mm_crc32_u64(crc, word);
}

static uint32_t crc_bytes(uint64_t crc, const void *bytes, size_t n)
{
	const uint8_t *p = bytes;
	uint64_t word;

	for (; n >= sizeof(word); n -= sizeof(word), p += sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		crc = crc_word(crc, word);
	}
	for (; n; n--, p++)
		crc = _mm_crc32_u8((uint32_t)crc, *p);
	return (uint32_t)crc;
}

static uint32_t object_crc(const struct tn_store_object *o)
{
	uint64_t crc = UINT32_MAX;

	crc = crc_word(crc, o->row);
	crc = crc_word(crc, (uint64_t)o->kind << 32 | o->flags);
	crc = crc_word(crc, (uint64_t)o->tenant << 32 | o->owner);
	crc = crc_word(crc, o->size);
	crc = crc_word(crc, o->generation);
	crc = crc_word(crc, o->created_ns);
	return crc_bytes(crc, o->body, o->size);
}

static uint32_t unconfirmed_crc(const struct tn_store_unconfirmed *u)
{
	return crc_bytes(crc_word(crc_word(UINT32_MAX, u->id), u->due_ns), u->body, u->size);
}

static uint64_t crc_text(uint64_t crc, const void *text, size_t n)
{
	return crc_bytes(crc_word(crc, n), text, n);
}

static uint32_t string_crc(uint64_t number, const char *text, size_t n)
{
	return (uint32_t)crc_text(crc_word(UINT32_MAX, number), text, n);
}

static uint32_t number_crc(uint64_t name, uint64_t value)
{
	return (uint32_t)crc_word(crc_word(UINT32_MAX, name), value);
}

static uint32_t given_crc(uint64_t space, const char *name, size_t n, uint64_t number)
{
	return (uint32_t)crc_word(crc_text(crc_word(UINT32_MAX, space), name, n), number);
}

static uint32_t base_crc(const struct tn_store_base *base)
{
	uint64_t crc = crc_word(crc_word(UINT32_MAX, base->what), base->id);

	return (uint32_t)crc_word(crc_word(crc, base->packets), base->bytes);
}

/* The same for steps of the schema: row_crc(column, ...). */
static void row_crc(sqlite3_context *call, int n, sqlite3_value **columns)
{
	uint64_t crc = UINT32_MAX;

	for (int i = 0; i < n; i++) {
		if (sqlite3_value_type(columns[i]) == SQLITE_INTEGER)
			crc = crc_word(crc, (uint64_t)sqlite3_value_int64(columns[i]));
		else
			crc = crc_text(crc, sqlite3_value_text(columns[i]),
				(size_t)sqlite3_value_bytes(columns[i]));
	}
	sqlite3_result_int64(call, (uint32_t)crc);
}

static int errno_of(int code)
{
	switch (code & 0xff) {
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_READONLY:
	case SQLITE_PERM:
		return -EROFS;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_ERROR: /* our statements are right; a table or the format is not */
		return -EBADMSG;
	default:
		return -EIO;
	}
}

static const char *advice(int code)
{
	switch (code & 0xff) {
	case SQLITE_FULL:
		return "the disk is full: make room";
	case SQLITE_READONLY:
	case SQLITE_PERM:
		return "it cannot be written: look at its permissions and at how it is mounted";
	case SQLITE_CANTOPEN:
		return "it cannot be opened: make its folder, and let tenond write there";
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return "another process has it: stop that one";
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_ERROR:
		return "it is damaged, and nothing in it was changed: put a copy in its place, or "
		       "move it away, with its -wal and -mark, to begin anew";
	default:
		return "look at the disk";
	}
}

static int fail(struct tn_store *s, int code, struct tn_error *err)
{
	(void)tn_error_set(err, TN_OF_OK, -1, "store %s: %s (%s)", s->name, advice(code),
		s->db ? sqlite3_errmsg(s->db) : sqlite3_errstr(code));
	return errno_of(code);
}

static int damaged(const struct tn_store *s, struct tn_error *err, const char *fmt, ...)
{
	char what[100];
	va_list args;

	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	(void)tn_error_set(
		err, TN_OF_OK, -1, "store %s: %s (%s)", s->name, advice(SQLITE_CORRUPT), what);
	return -EBADMSG;
}

static int add_functions(sqlite3 *db)
{
	return sqlite3_create_function_v2(db, "row_crc", -1,
		SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, NULL, row_crc, NULL, NULL,
		NULL);
}

static int execute(struct tn_store *s, const char *sql, struct tn_error *err)
{
	int code = sqlite3_exec(s->db, sql, NULL, NULL, NULL);

	return code ? fail(s, code, err) : 0;
}

/* The one number that a query answers with. */
static int query(struct tn_store *s, const char *sql, int64_t *value, struct tn_error *err)
{
	sqlite3_stmt *q = NULL;
	int code = sqlite3_prepare_v2(s->db, sql, -1, &q, NULL);

	if (!code)
		code = sqlite3_step(q);
	*value = code == SQLITE_ROW ? sqlite3_column_int64(q, 0) : 0;
	sqlite3_finalize(q);
	return code == SQLITE_ROW ? 0 : fail(s, code, err);
}

/* Is the file sound? SQLite's own short check, which is of its structure. */
static int check_structure(struct tn_store *s, struct tn_error *err)
{
	sqlite3_stmt *q = NULL;
	int code = sqlite3_prepare_v2(s->db, "PRAGMA quick_check(1)", -1, &q, NULL), rc = 0;
	const char *said;

	if (!code)
		code = sqlite3_step(q);
	said = code == SQLITE_ROW ? (const char *)sqlite3_column_text(q, 0) : NULL;
	if (code != SQLITE_ROW)
		rc = fail(s, code, err);
	else if (!said || strcmp(said, "ok") != 0)
		rc = damaged(s, err, "%.90s", said ? said : "no answer");
	sqlite3_finalize(q);
	return rc;
}

static const char schema_rows[] = "SELECT type, name, tbl_name, sql FROM sqlite_master "
				  "WHERE name NOT LIKE 'sqlite!_stat%' ESCAPE '!' ORDER BY name";

static bool same_text(sqlite3_stmt *a, sqlite3_stmt *b, int column)
{
	const char *x = (const char *)sqlite3_column_text(a, column);
	const char *y = (const char *)sqlite3_column_text(b, column);

	return x && y ? strcmp(x, y) == 0 : x == y;
}

/* 0, SQLITE_MISMATCH, or what else SQLite said. */
static int compare_tables(sqlite3 *a, sqlite3 *b)
{
	sqlite3_stmt *p = NULL, *q = NULL;
	int code = sqlite3_prepare_v2(a, schema_rows, -1, &p, NULL), other = 0;

	if (!code)
		code = sqlite3_prepare_v2(b, schema_rows, -1, &q, NULL);
	while (!code) {
		code = sqlite3_step(p);
		other = sqlite3_step(q);
		if (code != SQLITE_ROW && code != SQLITE_DONE)
			break;
		if (code == SQLITE_DONE && other == SQLITE_DONE) {
			code = 0;
			break;
		}
		code = code == other ? 0 : SQLITE_MISMATCH;
		for (int i = 0; i < 4 && !code; i++)
			code = same_text(p, q, i) ? 0 : SQLITE_MISMATCH;
	}
	sqlite3_finalize(p);
	sqlite3_finalize(q);
	return code;
}

/* The tables as SQLite was told to make them say what types and keys mean. */
static int check_tables(struct tn_store *s, int64_t version, struct tn_error *err)
{
	sqlite3 *model = NULL;
	int code = sqlite3_open_v2(
		":memory:", &model, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);

	if (!code)
		code = add_functions(model);
	for (int64_t v = 0; v < version && !code; v++)
		code = sqlite3_exec(model, tn_store_steps[v], NULL, NULL, NULL);
	if (!code)
		code = compare_tables(s->db, model);
	sqlite3_close(model);
	if (code == SQLITE_MISMATCH)
		return damaged(
			s, err, "its tables are not those of version %lld", (long long)version);
	return code ? fail(s, code, err) : 0;
}

static int upgrade(struct tn_store *s, int64_t version, struct tn_error *err)
{
	char sql[80];
	int rc = execute(s, "BEGIN IMMEDIATE", err);

	for (int64_t v = version; v < TN_STORE_VERSION && !rc; v++)
		rc = execute(s, tn_store_steps[v], err);
	snprintf(sql, sizeof(sql), "PRAGMA application_id = %d; PRAGMA user_version = %d",
		TN_STORE_APPLICATION, TN_STORE_VERSION);
	if (!rc)
		rc = execute(s, sql, err);
	if (!rc)
		rc = execute(s, "COMMIT", err);
	if (rc)
		(void)sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	return rc;
}

/* What file is this, before anything is written to it? */
static int check_version(struct tn_store *s, int64_t *version, struct tn_error *err)
{
	int64_t application, tables;
	int rc = query(s, "PRAGMA user_version", version, err);

	if (!rc)
		rc = query(s, "PRAGMA application_id", &application, err);
	if (!rc)
		rc = query(s, "SELECT count(*) FROM sqlite_master", &tables, err);
	if (rc)
		return rc;
	if (tables && application != TN_STORE_APPLICATION) {
		(void)tn_error_set(err, TN_OF_OK, -1,
			"store %s: it is a database of something else; give another path", s->name);
		return -EINVAL;
	}
	if (*version > TN_STORE_VERSION) {
		(void)tn_error_set(err, TN_OF_OK, -1,
			"store %s: it is of version %lld, and this release knows %d; use the "
			"release that wrote it, or a newer one",
			s->name, (long long)*version, TN_STORE_VERSION);
		return -EINVAL;
	}
	return 0;
}

/* Does it end before what was acknowledged? */
static int check_end(struct tn_store *s, int64_t version, struct tn_error *err)
{
	uint64_t marked;
	int64_t commits = 0;
	int rc = version ? query(s, READ_COMMITS, &commits, err) : 0;

	s->commits = (uint64_t)commits;
	s->mark = tn_mark_open(s->path, &marked);
	if (rc || s->commits >= marked)
		return rc;
	(void)tn_error_set(err, TN_OF_OK, -1,
		"store %s: it is damaged or an older copy: %llu of %llu commits are there; put a "
		"whole copy in its place, or remove its -mark to go on with these",
		s->name, (unsigned long long)s->commits, (unsigned long long)marked);
	return -EBADMSG;
}

/* What is refused stays as it is: its log is not moved into it at the end. */
static void keep_log(struct tn_store *s, int keep)
{
	(void)sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keep, NULL);
}

static int count_log(void *ctx, sqlite3 *db, const char *name, int pages)
{
	struct tn_store *s = ctx;

	(void)db;
	(void)name;
	s->log_pages = (unsigned)pages;
	s->busy = true;
	return SQLITE_OK;
}

/*
 * A commit is on the disk when it returns: WAL with synchronous=FULL. Pages wait in memory for it:
 * one that were in the log before and changed again would have SQLite write the checksums of all
 * that follow once more.
 */
static int configure(struct tn_store *s, struct tn_error *err)
{
	int rc = execute(s,
		"PRAGMA journal_mode = WAL;"
		"PRAGMA synchronous = FULL;"
		"PRAGMA cache_spill = OFF;"
		"PRAGMA cache_size = -8192;"
		"PRAGMA trusted_schema = OFF;"
		"PRAGMA temp_store = MEMORY;",
		err);

	/* Takes the lock, and fails now rather than later where nothing can be written. */
	if (!rc)
		rc = execute(s, "BEGIN IMMEDIATE", err);
	if (!rc)
		rc = execute(s, "COMMIT", err);
	(void)sqlite3_wal_hook(s->db, count_log, s);
	return rc;
}

/* A row of a query, to the reader. */
typedef int (*row_fn)(struct tn_store *s, const struct tn_store_reader *reader, sqlite3_stmt *q,
	struct tn_error *err);

static bool crc_fits(sqlite3_stmt *q, int column, uint32_t crc)
{
	return sqlite3_column_int64(q, column) == crc;
}

static int read_number(struct tn_store *s, const struct tn_store_reader *reader, sqlite3_stmt *q,
	struct tn_error *err)
{
	uint64_t name = (uint64_t)sqlite3_column_int64(q, 0);
	uint64_t value = (uint64_t)sqlite3_column_int64(q, 1);

	if (!crc_fits(q, 2, number_crc(name, value)))
		return damaged(s, err, "number %llu", (unsigned long long)name);
	if (name == COMMITS)
		return 0;
	return reader->number(reader->ctx, (enum tn_store_number)name, value);
}

static int read_string(struct tn_store *s, const struct tn_store_reader *reader, sqlite3_stmt *q,
	struct tn_error *err)
{
	uint64_t number = (uint64_t)sqlite3_column_int64(q, 0);
	const char *text = (const char *)sqlite3_column_text(q, 1);

	if (!text ||
		!crc_fits(q, 2, string_crc(number, text, (size_t)sqlite3_column_bytes(q, 1))) ||
		reader->string(reader->ctx, (uint32_t)number, text))
		return damaged(s, err, "string %llu", (unsigned long long)number);
	return 0;
}

static int read_given(struct tn_store *s, const struct tn_store_reader *reader, sqlite3_stmt *q,
	struct tn_error *err)
{
	uint64_t space = (uint64_t)sqlite3_column_int64(q, 0);
	const char *name = (const char *)sqlite3_column_text(q, 1);
	size_t n = (size_t)sqlite3_column_bytes(q, 1);
	uint64_t number = (uint64_t)sqlite3_column_int64(q, 2);

	if (!name || !crc_fits(q, 3, given_crc(space, name, n, number)) ||
		reader->given(reader->ctx, (uint32_t)space, name, (uint32_t)number))
		return damaged(s, err, "a number of \"%.60s\"", name ? name : "");
	return 0;
}

static int read_base(struct tn_store *s, const struct tn_store_reader *reader, sqlite3_stmt *q,
	struct tn_error *err)
{
	const struct tn_store_base base = {
		.what = (uint32_t)sqlite3_column_int64(q, 0),
		.id = (uint64_t)sqlite3_column_int64(q, 1),
		.packets = (uint64_t)sqlite3_column_int64(q, 2),
		.bytes = (uint64_t)sqlite3_column_int64(q, 3),
	};

	if (!crc_fits(q, 4, base_crc(&base)) || reader->base(reader->ctx, &base))
		return damaged(s, err, "what counter %u of %llu was reset at", base.what,
			(unsigned long long)base.id);
	return 0;
}

static int read_object(struct tn_store *s, const struct tn_store_reader *reader, sqlite3_stmt *q,
	struct tn_error *err)
{
	const struct tn_store_object o = {
		.row = (uint64_t)sqlite3_column_int64(q, 0),
		.kind = (uint32_t)sqlite3_column_int64(q, 1),
		.flags = (uint32_t)sqlite3_column_int64(q, 2),
		.tenant = (uint32_t)sqlite3_column_int64(q, 3),
		.owner = (uint32_t)sqlite3_column_int64(q, 4),
		.generation = (uint64_t)sqlite3_column_int64(q, 5),
		.created_ns = (uint64_t)sqlite3_column_int64(q, 6),
		.body = sqlite3_column_blob(q, 8),
		.size = (uint32_t)sqlite3_column_bytes(q, 8),
	};
	struct tn_error why;

	if (!o.body || !crc_fits(q, 7, object_crc(&o)))
		return damaged(s, err, "row %llu", (unsigned long long)o.row);
	if (reader->object(reader->ctx, &o, &why))
		return damaged(s, err, "row %llu: %.70s", (unsigned long long)o.row, why.detail);
	return 0;
}

static int read_unconfirmed(struct tn_store *s, const struct tn_store_reader *reader,
	sqlite3_stmt *q, struct tn_error *err)
{
	const struct tn_store_unconfirmed u = {
		.id = (uint64_t)sqlite3_column_int64(q, 0),
		.due_ns = (uint64_t)sqlite3_column_int64(q, 1),
		.body = sqlite3_column_blob(q, 3),
		.size = (uint32_t)sqlite3_column_bytes(q, 3),
	};
	struct tn_error why;

	if (!u.body || !crc_fits(q, 2, unconfirmed_crc(&u)))
		return damaged(s, err, "transaction %llu", (unsigned long long)u.id);
	if (reader->unconfirmed(reader->ctx, &u, &why))
		return damaged(
			s, err, "transaction %llu: %.70s", (unsigned long long)u.id, why.detail);
	return 0;
}

static int read_rows(struct tn_store *s, const struct tn_store_reader *reader, const char *sql,
	row_fn fn, struct tn_error *err)
{
	sqlite3_stmt *q = NULL;
	int code = sqlite3_prepare_v2(s->db, sql, -1, &q, NULL), rc = 0;

	while (!code && !rc) {
		code = sqlite3_step(q);
		if (code != SQLITE_ROW)
			break;
		code = 0;
		rc = fn(s, reader, q, err);
	}
	if (!rc && code != SQLITE_DONE)
		rc = fail(s, code, err);
	sqlite3_finalize(q);
	return rc;
}

static int read_all(struct tn_store *s, const struct tn_store_reader *reader, struct tn_error *err)
{
	int rc = read_rows(s, reader, "SELECT name, value, crc FROM number", read_number, err);

	if (!rc)
		rc = read_rows(s, reader, "SELECT number, text, crc FROM string ORDER BY number",
			read_string, err);
	if (!rc)
		rc = read_rows(
			s, reader, "SELECT space, name, number, crc FROM given", read_given, err);
	if (!rc)
		rc = read_rows(s, reader, "SELECT what, id, packets, bytes, crc FROM base",
			read_base, err);
	if (!rc)
		rc = read_rows(s, reader,
			"SELECT row, kind, flags, tenant, owner, generation, created, crc, body "
			"FROM object ORDER BY row",
			read_object, err);
	if (!rc)
		rc = read_rows(s, reader, "SELECT id, due, crc, body FROM unconfirmed",
			read_unconfirmed, err);
	return rc;
}

static int prepare(struct tn_store *s, struct tn_error *err)
{
	int code = 0;

	for (unsigned i = 0; i < N_STATEMENTS && !code; i++)
		code = sqlite3_prepare_v3(
			s->db, statements[i], -1, SQLITE_PREPARE_PERSISTENT, &s->prepared[i], NULL);
	return code ? fail(s, code, err) : 0;
}

static int open_database(struct tn_store *s, struct tn_error *err)
{
	int code = sqlite3_open_v2(s->path, &s->db,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
			SQLITE_OPEN_NOFOLLOW,
		NULL);

	if (!code)
		code = add_functions(s->db);
	return code ? fail(s, code, err) : 0;
}

struct tn_store *tn_store_open(
	const char *path, const struct tn_store_reader *reader, struct tn_error *err)
{
	struct tn_store *s = calloc(1, sizeof(*s));
	int64_t version = 0;
	int rc;

	if (s)
		s->path = strdup(path);
	if (!s || !s->path)
		abort();
	s->mark = -1;
	if (strlen(path) < sizeof(s->name))
		snprintf(s->name, sizeof(s->name), "%s", path);
	else
		snprintf(s->name, sizeof(s->name), "...%s", path + strlen(path) - 80);
	rc = open_database(s, err);
	if (!rc)
		keep_log(s, 1);
	/* One process has it: the lock is taken once and the log's index is in memory. */
	if (!rc)
		rc = execute(s, "PRAGMA locking_mode = EXCLUSIVE", err);
	if (!rc)
		rc = check_version(s, &version, err);
	if (!rc)
		rc = check_tables(s, version, err);
	if (!rc)
		rc = check_structure(s, err);
	if (!rc)
		rc = check_end(s, version, err);
	if (!rc)
		rc = configure(s, err);
	if (!rc && version < TN_STORE_VERSION)
		rc = upgrade(s, version, err);
	if (!rc)
		rc = prepare(s, err);
	if (!rc)
		rc = read_all(s, reader, err);
	if (rc) {
		tn_store_close(s);
		return NULL;
	}
	keep_log(s, 0);
	return s;
}

void tn_store_close(struct tn_store *s)
{
	if (!s)
		return;
	for (unsigned i = 0; i < N_STATEMENTS; i++)
		sqlite3_finalize(s->prepared[i]);
	sqlite3_close(s->db);
	if (s->mark >= 0)
		close(s->mark);
	free(s->path);
	free(s);
}

static void run(struct tn_store *s, enum statement which)
{
	sqlite3_stmt *q = s->prepared[which];
	int code;

	if (s->failure)
		return;
	code = sqlite3_step(q);
	if (code != SQLITE_DONE) {
		s->failure = code;
		(void)fail(s, code, &s->error);
	}
	(void)sqlite3_reset(q);
}

static void bind(struct tn_store *s, enum statement which, int at, uint64_t value)
{
	(void)sqlite3_bind_int64(s->prepared[which], at, (sqlite3_int64)value);
}

/* Borrowed until the statement has run. */
static void bind_body(
	struct tn_store *s, enum statement which, int at, const void *body, uint32_t size)
{
	(void)sqlite3_bind_blob(s->prepared[which], at, body, (int)size, SQLITE_STATIC);
}

void tn_store_begin(struct tn_store *s)
{
	s->failure = 0;
	run(s, BEGIN);
}

void tn_store_put(struct tn_store *s, const struct tn_store_object *o)
{
	bind(s, PUT_OBJECT, 1, o->row);
	bind(s, PUT_OBJECT, 2, o->kind);
	bind(s, PUT_OBJECT, 3, o->flags);
	bind(s, PUT_OBJECT, 4, o->tenant);
	bind(s, PUT_OBJECT, 5, o->owner);
	bind(s, PUT_OBJECT, 6, o->generation);
	bind(s, PUT_OBJECT, 7, o->created_ns);
	bind(s, PUT_OBJECT, 8, object_crc(o));
	bind_body(s, PUT_OBJECT, 9, o->body, o->size);
	run(s, PUT_OBJECT);
}

void tn_store_delete(struct tn_store *s, uint64_t row)
{
	bind(s, DELETE_OBJECT, 1, row);
	run(s, DELETE_OBJECT);
}

void tn_store_put_string(struct tn_store *s, uint32_t number, const char *string)
{
	bind(s, PUT_STRING, 1, number);
	(void)sqlite3_bind_text(s->prepared[PUT_STRING], 2, string, -1, SQLITE_STATIC);
	bind(s, PUT_STRING, 3, string_crc(number, string, strlen(string)));
	run(s, PUT_STRING);
}

static void put_number(struct tn_store *s, uint64_t name, uint64_t value)
{
	bind(s, PUT_NUMBER, 1, name);
	bind(s, PUT_NUMBER, 2, value);
	bind(s, PUT_NUMBER, 3, number_crc(name, value));
	run(s, PUT_NUMBER);
}

void tn_store_put_number(struct tn_store *s, enum tn_store_number number, uint64_t value)
{
	put_number(s, (uint64_t)number, value);
}

void tn_store_put_given(struct tn_store *s, uint32_t space, const char *name, uint32_t number)
{
	enum statement which = number ? PUT_GIVEN : DELETE_GIVEN;

	bind(s, which, 1, space);
	(void)sqlite3_bind_text(s->prepared[which], 2, name, -1, SQLITE_STATIC);
	if (number) {
		bind(s, which, 3, number);
		bind(s, which, 4, given_crc(space, name, strlen(name), number));
	}
	run(s, which);
}

void tn_store_put_unconfirmed(struct tn_store *s, const struct tn_store_unconfirmed *u)
{
	bind(s, PUT_UNCONFIRMED, 1, u->id);
	bind(s, PUT_UNCONFIRMED, 2, u->due_ns);
	bind(s, PUT_UNCONFIRMED, 3, unconfirmed_crc(u));
	bind_body(s, PUT_UNCONFIRMED, 4, u->body, u->size);
	run(s, PUT_UNCONFIRMED);
}

void tn_store_delete_unconfirmed(struct tn_store *s, uint64_t id)
{
	bind(s, DELETE_UNCONFIRMED, 1, id);
	run(s, DELETE_UNCONFIRMED);
}

void tn_store_put_base(struct tn_store *s, const struct tn_store_base *base)
{
	bind(s, PUT_BASE, 1, base->what);
	bind(s, PUT_BASE, 2, base->id);
	bind(s, PUT_BASE, 3, base->packets);
	bind(s, PUT_BASE, 4, base->bytes);
	bind(s, PUT_BASE, 5, base_crc(base));
	run(s, PUT_BASE);
}

void tn_store_delete_base(struct tn_store *s, uint32_t what, uint64_t id)
{
	bind(s, DELETE_BASE, 1, what);
	bind(s, DELETE_BASE, 2, id);
	run(s, DELETE_BASE);
}

void tn_store_clear_bases(struct tn_store *s)
{
	run(s, CLEAR_BASES);
}

/* Some errors have ended the transaction already. */
void tn_store_abort(struct tn_store *s)
{
	s->failure = 0;
	if (sqlite3_get_autocommit(s->db))
		return;
	(void)sqlite3_step(s->prepared[ROLLBACK]);
	(void)sqlite3_reset(s->prepared[ROLLBACK]);
}

/* Nothing is lost where this fails: the log keeps it, and grows until it is tried again. */
static void empty_log(struct tn_store *s)
{
	if (!sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL))
		s->log_pages = 0;
	s->n_long = 0;
}

void tn_store_tidy(struct tn_store *s)
{
	if (s->log_pages >= LOG_PAGES && !s->busy)
		empty_log(s);
	s->busy = false;
}

int tn_store_end(struct tn_store *s, struct tn_error *err)
{
	unsigned found = s->log_pages;
	int failure;

	put_number(s, COMMITS, s->commits + 1);
	run(s, COMMIT);
	failure = s->failure;
	if (!failure) {
		tn_mark_write(s->mark, ++s->commits);
		s->n_long += found > LOG_PAGES_MANY;
		if (s->n_long == COMMITS_MANY || found > LOG_PAGES_MAX)
			empty_log(s);
		return 0;
	}
	*err = s->error;
	tn_store_abort(s);
	return errno_of(failure);
}
