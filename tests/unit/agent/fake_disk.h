/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A disk in memory that forgets: what was not synced may be there after a crash or not, in part or
 * whole, and a name may be the old one. From a chosen operation on the power is off; or one
 * operation fails.
 */
#ifndef TESTS_FAKE_DISK_H
#define TESTS_FAKE_DISK_H

#include "dataplane/agent/disk.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/random.h"

#define FAKE_FILES  64u
#define FAKE_SECTOR 512u
#define FAKE_NEVER  UINT64_MAX

/* An inode: what programs see, and what is on the plates for certain. */
struct fake_file {
	bool used;
	uint8_t *now, *safe;
	size_t now_len, safe_len;
};

struct fake_name {
	char name[64];
	int file; /* -1: none */
};

struct fake_disk {
	struct tn_disk disk; /* first */
	pthread_mutex_t lock;
	struct fake_file files[FAKE_FILES];
	struct fake_name now[FAKE_FILES], safe[FAKE_FILES];
	uint64_t n_ops, n_syncs;
	uint64_t power_off_at; /* operation from which on nothing happens any more */
	uint64_t fail_at;      /* the one that fails with... */
	int fail_with;
	uint64_t space; /* bytes that can be allocated yet */
};

static inline struct fake_disk *fake_of(struct tn_disk *d)
{
	return (struct fake_disk *)(void *)d;
}

/* Counts an operation that changes something. */
static inline int fake_op(struct fake_disk *f)
{
	uint64_t op = f->n_ops++;

	if (op >= f->power_off_at)
		return -EIO;
	return op == f->fail_at ? f->fail_with : 0;
}

static inline struct fake_name *fake_find(struct fake_name *names, const char *name)
{
	for (unsigned i = 0; i < FAKE_FILES; i++) {
		if (names[i].file >= 0 && !strcmp(names[i].name, name))
			return &names[i];
	}
	return NULL;
}

static inline struct fake_name *fake_free_name(struct fake_name *names)
{
	for (unsigned i = 0; i < FAKE_FILES; i++) {
		if (names[i].file < 0)
			return &names[i];
	}
	abort();
}

static inline void fake_resize(struct fake_file *file, size_t len)
{
	uint8_t *bytes = realloc(file->now, len + 1);

	if (!bytes)
		abort();
	if (len > file->now_len)
		memset(bytes + file->now_len, 0, len - file->now_len);
	file->now = bytes;
	file->now_len = len;
}

static inline void fake_make_safe(struct fake_file *file)
{
	free(file->safe);
	file->safe = malloc(file->now_len + 1);
	if (!file->safe)
		abort();
	if (file->now_len)
		memcpy(file->safe, file->now, file->now_len);
	file->safe_len = file->now_len;
}

#define FAKE_LOCKED(d)                    \
	struct fake_disk *f = fake_of(d); \
	int rc;                           \
	pthread_mutex_lock(&f->lock);     \
	rc = fake_op(f)

#define FAKE_RETURN                     \
	pthread_mutex_unlock(&f->lock); \
	return rc

static inline int fake_list(struct tn_disk *d, tn_disk_name_fn fn, void *ctx)
{
	struct fake_disk *f = fake_of(d);
	char names[FAKE_FILES][64];
	unsigned n = 0;

	pthread_mutex_lock(&f->lock);
	for (unsigned i = 0; i < FAKE_FILES; i++) {
		if (f->now[i].file >= 0)
			memcpy(names[n++], f->now[i].name, sizeof(names[0]));
	}
	pthread_mutex_unlock(&f->lock);
	for (unsigned i = 0; i < n; i++)
		fn(ctx, names[i]);
	return 0;
}

static inline int fake_create(struct fake_disk *f, const char *name)
{
	struct fake_name *at = fake_find(f->now, name);
	int i = 0;

	if (at) {
		fake_resize(&f->files[at->file], 0);
		return at->file;
	}
	while (f->files[i].used)
		i++;
	if (i == FAKE_FILES)
		abort();
	f->files[i].used = true;
	at = fake_free_name(f->now);
	snprintf(at->name, sizeof(at->name), "%s", name);
	at->file = i;
	return i;
}

static inline int fake_open(struct tn_disk *d, const char *name, bool create)
{
	struct fake_disk *f = fake_of(d);
	int rc = 0;

	pthread_mutex_lock(&f->lock);
	if (create)
		rc = fake_op(f);
	if (!rc && create)
		rc = fake_create(f, name);
	else if (!rc)
		rc = fake_find(f->now, name) ? fake_find(f->now, name)->file : -ENOENT;
	FAKE_RETURN;
}

static inline void fake_close(struct tn_disk *d, int file)
{
	(void)d;
	(void)file;
}

static inline int fake_size(struct tn_disk *d, int file, uint64_t *bytes)
{
	*bytes = fake_of(d)->files[file].now_len;
	return 0;
}

static inline int fake_read(struct tn_disk *d, int file, void *to, size_t len, uint64_t at)
{
	struct fake_disk *f = fake_of(d);
	int rc = -EIO;

	pthread_mutex_lock(&f->lock);
	if (at + len <= f->files[file].now_len) {
		if (len)
			memcpy(to, f->files[file].now + at, len);
		rc = 0;
	}
	FAKE_RETURN;
}

static inline int fake_write(struct tn_disk *d, int file, const void *from, size_t len, uint64_t at)
{
	FAKE_LOCKED(d);

	if (!rc && at + len > f->files[file].now_len)
		fake_resize(&f->files[file], at + len);
	if (!rc && len)
		memcpy(f->files[file].now + at, from, len);
	FAKE_RETURN;
}

static inline int fake_allocate(struct tn_disk *d, int file, uint64_t at, uint64_t len)
{
	FAKE_LOCKED(d);

	if (!rc && len > f->space)
		rc = -ENOSPC;
	if (!rc) {
		f->space -= len;
		/* Only as much as tests can afford to go through byte by byte. */
		if (at + len > f->files[file].now_len)
			fake_resize(&f->files[file], at + (len > 256 ? 256 : len));
	}
	FAKE_RETURN;
}

static inline int fake_truncate(struct tn_disk *d, int file, uint64_t len)
{
	FAKE_LOCKED(d);

	if (!rc)
		fake_resize(&f->files[file], len);
	FAKE_RETURN;
}

static inline int fake_sync(struct tn_disk *d, int file)
{
	FAKE_LOCKED(d);

	f->n_syncs++;
	if (!rc)
		fake_make_safe(&f->files[file]);
	FAKE_RETURN;
}

static inline int fake_rename(struct tn_disk *d, const char *from, const char *to)
{
	struct fake_name *a, *b;
	FAKE_LOCKED(d);

	if (!rc) {
		a = fake_find(f->now, from);
		b = fake_find(f->now, to);
		if (a && b)
			b->file = -1;
		if (a)
			snprintf(a->name, sizeof(a->name), "%s", to);
		rc = a ? 0 : -ENOENT;
	}
	FAKE_RETURN;
}

static inline int fake_remove(struct tn_disk *d, const char *name)
{
	struct fake_name *at;
	FAKE_LOCKED(d);

	at = rc ? NULL : fake_find(f->now, name);
	if (at)
		at->file = -1;
	else if (!rc)
		rc = -ENOENT;
	FAKE_RETURN;
}

static inline int fake_sync_folder(struct tn_disk *d)
{
	FAKE_LOCKED(d);

	if (!rc)
		memcpy(f->safe, f->now, sizeof(f->safe));
	FAKE_RETURN;
}

static inline void fake_destroy(struct tn_disk *d)
{
	struct fake_disk *f = fake_of(d);

	for (unsigned i = 0; i < FAKE_FILES; i++) {
		free(f->files[i].now);
		free(f->files[i].safe);
	}
	pthread_mutex_destroy(&f->lock);
	free(f);
}

static inline struct fake_disk *fake_disk_new(void)
{
	static const struct tn_disk_ops ops = {
		.list = fake_list,
		.open = fake_open,
		.close = fake_close,
		.size = fake_size,
		.read = fake_read,
		.write = fake_write,
		.allocate = fake_allocate,
		.truncate = fake_truncate,
		.sync = fake_sync,
		.rename = fake_rename,
		.remove = fake_remove,
		.sync_folder = fake_sync_folder,
		.destroy = fake_destroy,
	};
	struct fake_disk *f = calloc(1, sizeof(*f));

	if (!f)
		abort();
	f->disk = (struct tn_disk){.ops = &ops, .path = "fake"};
	f->power_off_at = f->fail_at = FAKE_NEVER;
	f->space = UINT64_MAX / 2;
	pthread_mutex_init(&f->lock, NULL);
	for (unsigned i = 0; i < FAKE_FILES; i++)
		f->now[i].file = f->safe[i].file = -1;
	return f;
}

enum fake_crash {
	FAKE_LOSES_ALL,	 /* that was not synced */
	FAKE_KEEPS_ALL,	 /* as after kill -9 */
	FAKE_KEEPS_SOME, /* any sectors, either names */
};

static inline void fake_crash_file(struct fake_file *to, const struct fake_file *from,
	enum fake_crash how, struct random *dice)
{
	bool longer = how == FAKE_KEEPS_ALL || (how == FAKE_KEEPS_SOME && random_below(dice, 2));

	to->used = from->used;
	fake_resize(to, longer ? from->now_len : from->safe_len);
	for (size_t at = 0; at < to->now_len; at += FAKE_SECTOR) {
		bool newer =
			how == FAKE_KEEPS_ALL || (how == FAKE_KEEPS_SOME && random_below(dice, 2));
		const uint8_t *bytes = newer ? from->now : from->safe;
		size_t len = newer ? from->now_len : from->safe_len, n = to->now_len - at;

		if (n > FAKE_SECTOR)
			n = FAKE_SECTOR;
		if (at < len)
			memcpy(to->now + at, bytes + at, len - at < n ? len - at : n);
	}
	fake_make_safe(to);
}

/* The disk as the next boot finds it. */
static inline struct fake_disk *fake_disk_crash(
	struct fake_disk *f, enum fake_crash how, struct random *dice)
{
	struct fake_disk *after = fake_disk_new();
	bool newer = how == FAKE_KEEPS_ALL || (how == FAKE_KEEPS_SOME && random_below(dice, 2));

	for (unsigned i = 0; i < FAKE_FILES; i++)
		fake_crash_file(&after->files[i], &f->files[i], how, dice);
	memcpy(after->now, newer ? f->now : f->safe, sizeof(after->now));
	memcpy(after->safe, after->now, sizeof(after->safe));
	return after;
}

#endif
