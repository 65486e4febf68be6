/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A disk under SQLite that can be full, and that remembers what a loss of power would leave: of
 * each file what it was when it was synced last, and of the writes since then any, in pieces of a
 * sector. Everything is real files as well, so that what is written can be looked at.
 */
#ifndef TN_TESTS_FAULTY_DISK_H
#define TN_TESTS_FAULTY_DISK_H

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/random.h"

#define DISK_SECTOR 512
#define DISK_FILES  4

struct disk_write {
	sqlite3_int64 at;
	int n;
	unsigned char *bytes; /* NULL: cut to `at` */
};

struct disk_image {
	char name[160];
	unsigned char *synced;
	sqlite3_int64 n_synced;
	struct disk_write *writes; /* since then */
	size_t n_writes;
	bool there, there_synced;
};

static struct disk {
	sqlite3_vfs vfs, *real;
	struct disk_image images[DISK_FILES];
	unsigned n_operations; /* writes, cuts, syncs, removals so far */
	unsigned fail_at;      /* the operation of this number fails; 0: none */
	int failure;	       /* with this, and all that follow while sticky */
	bool sticky;
	/* Called before each operation. */
	void (*before)(void *ctx);
	void *ctx;
} disk;

struct disk_file {
	sqlite3_file base;
	struct disk_image *image; /* NULL: of no interest */
	sqlite3_file *real;
};

static inline int disk_step(void)
{
	if (disk.before)
		disk.before(disk.ctx);
	disk.n_operations++;
	if (disk.fail_at &&
		(disk.n_operations == disk.fail_at ||
			(disk.sticky && disk.n_operations > disk.fail_at)))
		return disk.failure;
	return SQLITE_OK;
}

static inline struct disk_image *disk_image(const char *name)
{
	for (unsigned i = 0; i < DISK_FILES; i++) {
		struct disk_image *image = &disk.images[i];

		if (!image->name[0])
			snprintf(image->name, sizeof(image->name), "%s", name);
		if (!strcmp(image->name, name))
			return image;
	}
	abort();
}

static inline void disk_remember(
	struct disk_image *image, const void *bytes, int n, sqlite3_int64 at)
{
	struct disk_write *w;

	image->writes = realloc(image->writes, (image->n_writes + 1) * sizeof(*w));
	w = &image->writes[image->n_writes++];
	*w = (struct disk_write){.at = at, .n = n};
	if (!bytes)
		return;
	w->bytes = malloc((size_t)n);
	memcpy(w->bytes, bytes, (size_t)n);
}

static inline void disk_put(unsigned char **to, sqlite3_int64 *n, const unsigned char *bytes,
	sqlite3_int64 at, sqlite3_int64 len)
{
	if (!len)
		return;
	if (at + len > *n) {
		*to = realloc(*to, (size_t)(at + len));
		memset(*to + *n, 0, (size_t)(at + len - *n));
		*n = at + len;
	}
	memcpy(*to + at, bytes, (size_t)len);
}

static inline void disk_apply(
	unsigned char **to, sqlite3_int64 *n, const struct disk_write *w, struct random *r)
{
	if (!w->bytes) {
		if (w->at < *n)
			*n = w->at;
		return;
	}
	for (sqlite3_int64 at = w->at; at < w->at + w->n;) {
		sqlite3_int64 end = (at / DISK_SECTOR + 1) * DISK_SECTOR;

		if (end > w->at + w->n)
			end = w->at + w->n;
		if (!r || random_below(r, 2))
			disk_put(to, n, w->bytes + (at - w->at), at, end - at);
		at = end;
	}
}

static inline void disk_forget(struct disk_image *image)
{
	for (size_t i = 0; i < image->n_writes; i++)
		free(image->writes[i].bytes);
	image->n_writes = 0;
}

/* --- methods of files --- */

static inline struct disk_file *disk_of(sqlite3_file *f)
{
	return (struct disk_file *)(void *)f;
}

static inline int disk_close(sqlite3_file *f)
{
	return disk_of(f)->real->pMethods->xClose(disk_of(f)->real);
}

static inline int disk_read(sqlite3_file *f, void *to, int n, sqlite3_int64 at)
{
	return disk_of(f)->real->pMethods->xRead(disk_of(f)->real, to, n, at);
}

static inline int disk_write(sqlite3_file *f, const void *bytes, int n, sqlite3_int64 at)
{
	int rc = disk_step();

	if (rc)
		return rc;
	disk_remember(disk_of(f)->image, bytes, n, at);
	return disk_of(f)->real->pMethods->xWrite(disk_of(f)->real, bytes, n, at);
}

static inline int disk_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	int rc = disk_step();

	if (rc)
		return rc;
	disk_remember(disk_of(f)->image, NULL, 0, size);
	return disk_of(f)->real->pMethods->xTruncate(disk_of(f)->real, size);
}

static inline int disk_sync(sqlite3_file *f, int flags)
{
	struct disk_image *image = disk_of(f)->image;
	int rc = disk_step();

	(void)flags;
	if (rc)
		return rc;
	for (size_t i = 0; i < image->n_writes; i++)
		disk_apply(&image->synced, &image->n_synced, &image->writes[i], NULL);
	disk_forget(image);
	image->there_synced = true;
	return SQLITE_OK; /* nobody pulls the real plug */
}

static inline int disk_size(sqlite3_file *f, sqlite3_int64 *size)
{
	return disk_of(f)->real->pMethods->xFileSize(disk_of(f)->real, size);
}

static inline int disk_lock(sqlite3_file *f, int level)
{
	return disk_of(f)->real->pMethods->xLock(disk_of(f)->real, level);
}

static inline int disk_unlock(sqlite3_file *f, int level)
{
	return disk_of(f)->real->pMethods->xUnlock(disk_of(f)->real, level);
}

static inline int disk_reserved(sqlite3_file *f, int *out)
{
	return disk_of(f)->real->pMethods->xCheckReservedLock(disk_of(f)->real, out);
}

static inline int disk_control(sqlite3_file *f, int op, void *arg)
{
	return disk_of(f)->real->pMethods->xFileControl(disk_of(f)->real, op, arg);
}

static inline int disk_sector(sqlite3_file *f)
{
	(void)f;
	return DISK_SECTOR;
}

/* None of what file systems may promise. */
static inline int disk_traits(sqlite3_file *f)
{
	(void)f;
	return 0;
}

static inline int disk_open(
	sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *out)
{
	static const sqlite3_io_methods methods = {
		.iVersion = 1,
		.xClose = disk_close,
		.xRead = disk_read,
		.xWrite = disk_write,
		.xTruncate = disk_truncate,
		.xSync = disk_sync,
		.xFileSize = disk_size,
		.xLock = disk_lock,
		.xUnlock = disk_unlock,
		.xCheckReservedLock = disk_reserved,
		.xFileControl = disk_control,
		.xSectorSize = disk_sector,
		.xDeviceCharacteristics = disk_traits,
	};
	struct disk_file *file = disk_of(f);
	int rc;

	(void)vfs;
	file->real = (sqlite3_file *)(void *)(file + 1);
	file->base.pMethods = NULL;
	rc = disk.real->xOpen(disk.real, name, file->real, flags, out);
	if (rc)
		return rc;
	file->image = disk_image(name ? name : "temporary");
	file->image->there = true;
	file->base.pMethods = &methods;
	return SQLITE_OK;
}

static inline int disk_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
	struct disk_image *image = disk_image(name);
	int rc = disk_step();

	(void)vfs;
	if (rc)
		return rc;
	disk_forget(image);
	image->n_synced = 0;
	image->there = image->there_synced = false;
	return disk.real->xDelete(disk.real, name, sync);
}

static inline void disk_install(void)
{
	disk.real = sqlite3_vfs_find(NULL);
	disk.vfs = *disk.real;
	disk.vfs.zName = "faulty";
	disk.vfs.szOsFile = (int)sizeof(struct disk_file) + disk.real->szOsFile;
	disk.vfs.xOpen = disk_open;
	disk.vfs.xDelete = disk_delete;
	sqlite3_vfs_register(&disk.vfs, 1);
}

/* As before anything was written. */
static inline void disk_reset(void)
{
	for (unsigned i = 0; i < DISK_FILES; i++) {
		disk_forget(&disk.images[i]);
		free(disk.images[i].writes);
		free(disk.images[i].synced);
		disk.images[i] = (struct disk_image){0};
	}
	disk.n_operations = disk.fail_at = 0;
	disk.sticky = false;
	disk.before = NULL;
}

static inline void disk_remove(void)
{
	disk_reset();
	sqlite3_vfs_unregister(&disk.vfs);
	sqlite3_vfs_register(disk.real, 1);
}

/*
 * What a loss of power now would leave of the file with this suffix, at `to`: what was synced, and
 * of the rest all (which = 2), none (0) or some (1).
 */
static inline void disk_leave(
	const char *name, const char *suffix, const char *to, unsigned which, struct random *r)
{
	char from_path[160], to_path[160];
	struct disk_image *image;
	unsigned char *bytes = NULL;
	sqlite3_int64 n = 0;
	FILE *f;

	snprintf(from_path, sizeof(from_path), "%s%s", name, suffix);
	snprintf(to_path, sizeof(to_path), "%s%s", to, suffix);
	(void)remove(to_path);
	image = disk_image(from_path);
	if (!image->there || (!image->there_synced && which == 0))
		return;
	disk_put(&bytes, &n, image->synced, 0, image->n_synced);
	for (size_t i = 0; i < image->n_writes && which; i++)
		disk_apply(&bytes, &n, &image->writes[i], which == 1 ? r : NULL);
	f = fopen(to_path, "wb");
	if (!f || (n && fwrite(bytes, (size_t)n, 1, f) != 1) || fclose(f))
		abort();
	free(bytes);
}

#endif
