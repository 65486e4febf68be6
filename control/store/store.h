/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What tenond is told never to forget, on a disk: rows of bytes by number, strings, a few numbers
 * by name. What a row says is the engine's business. Everything changes by commits, each of them
 * wholly or not at all and, once it returned, there after a loss of power.
 *
 * A database of SQLite now; nobody else knows that. One thread.
 */
#ifndef TN_STORE_STORE_H
#define TN_STORE_STORE_H

#include "dataplane/core/error.h"

struct tn_store;

/* An object that is wanted. */
struct tn_store_object {
	uint64_t row; /* 1 and up; the caller's choice */
	uint32_t kind;
	uint32_t flags;
	uint32_t tenant, owner; /* numbers of strings */
	uint64_t generation, created_ns;
	const void *body; /* a message of dataplane/api, which names its own version */
	uint32_t size;
};

/* A transaction that is undone unless it is confirmed, with what undoes it. */
struct tn_store_unconfirmed {
	uint64_t id, due_ns;
	const void *body;
	uint32_t size;
};

/* What a counter of the data plane's process stood at when it was reset. */
struct tn_store_base {
	uint32_t what; /* the caller's choice */
	uint64_t id;
	uint64_t packets, bytes;
};

enum tn_store_number {
	TN_STORE_DPID = 1,
	TN_STORE_GENERATION,
	TN_STORE_DATAPLANE_STARTED, /* of the data plane's process that was in step last */
	TN_STORE_SYNCED,	    /* a data plane was in step at least once */
	TN_STORE_STAGED_FROM,	    /* rows that do not count (yet): from this one */
	TN_STORE_STAGED_TO,	    /* up to this one; 0: there are none */
};

/* What open() finds. Everything is good for the call. -errno with err ends the reading. */
struct tn_store_reader {
	void *ctx;
	int (*number)(void *ctx, enum tn_store_number number, uint64_t value);
	/* In the order of their numbers, from 1 on. */
	int (*string)(void *ctx, uint32_t number, const char *s);
	int (*object)(void *ctx, const struct tn_store_object *object, struct tn_error *err);
	int (*unconfirmed)(void *ctx, const struct tn_store_unconfirmed *u, struct tn_error *err);
	/* Before all objects. */
	int (*given)(void *ctx, uint32_t space, const char *name, uint32_t number);
	int (*base)(void *ctx, const struct tn_store_base *base);
};

/*
 * Opens or makes the database and reads all of it. NULL with err: it cannot be opened or written,
 * is damaged, of a newer release, in use, or what is in it was refused. It is never emptied, and
 * of an older release it is brought up to date in one commit, before it is read.
 */
struct tn_store *tn_store_open(
	const char *path, const struct tn_store_reader *reader, struct tn_error *err);
void tn_store_close(struct tn_store *s);

/*
 * A commit: begin, any number of changes, then end. After the first error all that follow return
 * it, too, and end() takes back everything. -ENOSPC, -EROFS, -EIO, ... with err from end() alone.
 */
void tn_store_begin(struct tn_store *s);
/* In place of what the row held, if it held something. */
void tn_store_put(struct tn_store *s, const struct tn_store_object *object);
void tn_store_delete(struct tn_store *s, uint64_t row);
void tn_store_put_string(struct tn_store *s, uint32_t number, const char *string);
void tn_store_put_number(struct tn_store *s, enum tn_store_number number, uint64_t value);
/* A number that is given to a name; 0: it has none any more. */
void tn_store_put_given(struct tn_store *s, uint32_t space, const char *name, uint32_t number);
void tn_store_put_unconfirmed(struct tn_store *s, const struct tn_store_unconfirmed *u);
void tn_store_delete_unconfirmed(struct tn_store *s, uint64_t id);
/* In place of what the counter had. */
void tn_store_put_base(struct tn_store *s, const struct tn_store_base *base);
void tn_store_delete_base(struct tn_store *s, uint32_t what, uint64_t id);
void tn_store_clear_bases(struct tn_store *s);
int tn_store_end(struct tn_store *s, struct tn_error *err) TN_MUST_CHECK;
/* In place of end(): takes back everything. */
void tn_store_abort(struct tn_store *s);
/*
 * To be called every now and then, outside of commits. They go to a log; where none was made since
 * the last call, a long one is brought into order, which takes two syncs. Without a pause commits
 * do it themselves.
 */
void tn_store_tidy(struct tn_store *s);

#endif
