/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The files of one folder, as the journal uses them: the narrow way by which tests put in a disk
 * that fails or loses what was not synced. Results are 0 or -errno unless a line says otherwise.
 */
#ifndef TN_AGENT_DISK_H
#define TN_AGENT_DISK_H

#include "dataplane/core/types.h"

struct tn_disk;

typedef void (*tn_disk_name_fn)(void *ctx, const char *name);

struct tn_disk_ops {
	int (*list)(struct tn_disk *d, tn_disk_name_fn fn, void *ctx);
	/* A handle, or -errno. create: an empty one, in place of any other. */
	int (*open)(struct tn_disk *d, const char *name, bool create);
	void (*close)(struct tn_disk *d, int file);
	int (*size)(struct tn_disk *d, int file, uint64_t *bytes);
	/* All of it, or an error; beyond the end is -EIO. */
	int (*read)(struct tn_disk *d, int file, void *to, size_t len, uint64_t at);
	int (*write)(struct tn_disk *d, int file, const void *from, size_t len, uint64_t at);
	/* Room on the disk, which reads as zeros: writes to it find space. */
	int (*allocate)(struct tn_disk *d, int file, uint64_t at, uint64_t len);
	int (*truncate)(struct tn_disk *d, int file, uint64_t len);
	/* What was written and the length are on the disk after it. */
	int (*sync)(struct tn_disk *d, int file);
	int (*rename)(struct tn_disk *d, const char *from, const char *to);
	int (*remove)(struct tn_disk *d, const char *name);
	/* Names that were made, renamed or removed are so on the disk after it. */
	int (*sync_folder)(struct tn_disk *d);
	void (*destroy)(struct tn_disk *d);
};

/* Functions may be called from several threads, for different files. */
struct tn_disk {
	const struct tn_disk_ops *ops;
	const char *path; /* for sentences */
};

/* The folder at path, which is there. NULL with errno. */
struct tn_disk *tn_disk_open(const char *path);
/* NULL is fine. */
void tn_disk_free(struct tn_disk *d);

/* A whole file into memory to free(); *len its length. */
int tn_disk_load(struct tn_disk *d, const char *name, uint8_t **bytes, size_t *len) TN_MUST_CHECK;

#endif
