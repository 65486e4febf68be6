/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/agent/disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ZEROS (64u << 10)

struct folder {
	struct tn_disk disk; /* first */
	char *path;
	int fd;
};

static int folder_fd(const struct tn_disk *d)
{
	return ((const struct folder *)(const void *)d)->fd;
}

static int list(struct tn_disk *d, tn_disk_name_fn fn, void *ctx)
{
	int fd = openat(folder_fd(d), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (!dir) {
		rc = -errno;
		if (fd >= 0)
			close(fd);
		return rc;
	}
	errno = 0;
	while ((e = readdir(dir)))
		fn(ctx, e->d_name);
	rc = -errno;
	closedir(dir);
	return rc;
}

static int open_file(struct tn_disk *d, const char *name, bool create)
{
	int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | (create ? O_CREAT | O_TRUNC : 0);
	int fd = openat(folder_fd(d), name, flags, 0600);

	/* Only to look at it. */
	if (fd < 0 && !create && (errno == EACCES || errno == EROFS))
		fd = openat(folder_fd(d), name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? -errno : fd;
}

static void close_file(struct tn_disk *d, int file)
{
	(void)d;
	close(file);
}

static int size_of(struct tn_disk *d, int file, uint64_t *bytes)
{
	struct stat st;

	(void)d;
	if (fstat(file, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	*bytes = (uint64_t)st.st_size;
	return 0;
}

static int read_at(struct tn_disk *d, int file, void *to, size_t len, uint64_t at)
{
	(void)d;
	while (len) {
		ssize_t n = pread(file, to, len, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		to = (uint8_t *)to + n;
		len -= (size_t)n;
		at += (uint64_t)n;
	}
	return 0;
}

static int write_at(struct tn_disk *d, int file, const void *from, size_t len, uint64_t at)
{
	(void)d;
	while (len) {
		ssize_t n = pwrite(file, from, len, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		from = (const uint8_t *)from + n;
		len -= (size_t)n;
		at += (uint64_t)n;
	}
	return 0;
}

/* A file system that cannot set space aside gets it by zeros. */
static int write_zeros(struct tn_disk *d, int file, uint64_t at, uint64_t len)
{
	uint8_t *zeros = calloc(1, ZEROS);
	int rc = zeros ? 0 : -ENOMEM;

	while (len && !rc) {
		size_t n = len < ZEROS ? (size_t)len : ZEROS;

		rc = write_at(d, file, zeros, n, at);
		at += n;
		len -= n;
	}
	free(zeros);
	return rc;
}

static int allocate(struct tn_disk *d, int file, uint64_t at, uint64_t len)
{
	while (fallocate(file, 0, (off_t)at, (off_t)len)) {
		if (errno == EOPNOTSUPP)
			return write_zeros(d, file, at, len);
		if (errno != EINTR)
			return -errno;
	}
	return 0;
}

static int truncate_to(struct tn_disk *d, int file, uint64_t len)
{
	(void)d;
	return ftruncate(file, (off_t)len) ? -errno : 0;
}

static int sync_file(struct tn_disk *d, int file)
{
	(void)d;
	return fdatasync(file) ? -errno : 0;
}

static int rename_file(struct tn_disk *d, const char *from, const char *to)
{
	return renameat(folder_fd(d), from, folder_fd(d), to) ? -errno : 0;
}

static int remove_file(struct tn_disk *d, const char *name)
{
	return unlinkat(folder_fd(d), name, 0) ? -errno : 0;
}

static int sync_folder(struct tn_disk *d)
{
	return fsync(folder_fd(d)) ? -errno : 0;
}

static void destroy(struct tn_disk *d)
{
	struct folder *f = (struct folder *)(void *)d;

	if (f->fd >= 0)
		close(f->fd);
	free(f->path);
	free(f);
}

static const struct tn_disk_ops ops = {
	.list = list,
	.open = open_file,
	.close = close_file,
	.size = size_of,
	.read = read_at,
	.write = write_at,
	.allocate = allocate,
	.truncate = truncate_to,
	.sync = sync_file,
	.rename = rename_file,
	.remove = remove_file,
	.sync_folder = sync_folder,
	.destroy = destroy,
};

struct tn_disk *tn_disk_open(const char *path)
{
	struct folder *f = calloc(1, sizeof(*f));
	int saved;

	if (!f)
		return NULL;
	f->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	f->path = strdup(path);
	f->disk = (struct tn_disk){.ops = &ops, .path = f->path};
	if (f->fd >= 0 && f->path)
		return &f->disk;
	saved = f->path ? errno : ENOMEM;
	destroy(&f->disk);
	errno = saved;
	return NULL;
}

void tn_disk_free(struct tn_disk *d)
{
	if (d)
		d->ops->destroy(d);
}

int tn_disk_load(struct tn_disk *d, const char *name, uint8_t **bytes, size_t *len)
{
	int file = d->ops->open(d, name, false), rc;
	uint64_t size = 0;

	*bytes = NULL;
	*len = 0;
	if (file < 0)
		return file;
	rc = d->ops->size(d, file, &size);
	if (!rc) {
		*bytes = malloc(size + 1);
		rc = *bytes ? d->ops->read(d, file, *bytes, size, 0) : -ENOMEM;
	}
	d->ops->close(d, file);
	if (rc) {
		free(*bytes);
		*bytes = NULL;
		return rc;
	}
	*len = size;
	return 0;
}
