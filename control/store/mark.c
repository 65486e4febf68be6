/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/store/mark.h"

#include <fcntl.h>
#include <nmmintrin.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Little-endian. */
struct mark {
	char magic[8];
	uint64_t commits, crc;
};

static const char magic[8] = "TNMARK1";

static struct mark make(uint64_t commits)
{
	struct mark m = {.commits = commits, .crc = _mm_crc32_u64(UINT32_MAX, commits)};

	memcpy(m.magic, magic, sizeof(magic));
	return m;
}

int tn_mark_open(const char *path, uint64_t *commits)
{
	struct mark found = {0}, whole;
	char *name;
	int fd;

	*commits = 0;
	if (asprintf(&name, "%s-mark", path) < 0)
		abort();
	fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	free(name);
	if (fd < 0)
		return -1;
	if (pread(fd, &found, sizeof(found), 0) == (ssize_t)sizeof(found)) {
		whole = make(found.commits);
		if (memcmp(&whole, &found, sizeof(found)) == 0)
			*commits = found.commits;
	}
	return fd;
}

void tn_mark_write(int mark, uint64_t commits)
{
	struct mark m = make(commits);

	/* Not written, the older number stands, which is true as well. */
	if (mark >= 0 && pwrite(mark, &m, sizeof(m), 0) != (ssize_t)sizeof(m))
		return;
}
