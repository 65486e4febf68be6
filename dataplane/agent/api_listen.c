/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/agent/api_listen.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define GROUP	"tenon"
#define BACKLOG 512

static int failed(struct tn_error *err, const char *path, const char *what)
{
	tn_error_set(err, TN_OFPFMFC_UNKNOWN, -1, "%s: %s: %s", path, what, strerror(errno));
	return -1;
}

/* The folder of the path, open; it is made if it is the only one missing. */
static int open_folder(const char *path, struct tn_error *err)
{
	const char *slash = strrchr(path, '/');
	char *folder =
		slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
	int fd = -1;

	if (folder && (!mkdir(folder, 0755) || errno == EEXIST))
		fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		(void)failed(err, path, "its folder cannot be used");
	free(folder);
	return fd;
}

/* Is nobody behind the file? Then it is in the way, and nothing else. */
static int take_away_stale(
	const char *path, const struct sockaddr_un *address, struct tn_error *err)
{
	struct stat st;
	bool live;
	int fd;

	if (lstat(path, &st))
		return errno == ENOENT ? 0 : failed(err, path, "cannot be looked at");
	if (!S_ISSOCK(st.st_mode)) {
		tn_error_set(err, TN_OFPFMFC_UNKNOWN, -1,
			"%s is there and no socket: remove it, or give another path", path);
		return -1;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	live = fd < 0 || !connect(fd, (const struct sockaddr *)address, sizeof(*address)) ||
		errno != ECONNREFUSED;
	if (fd >= 0)
		close(fd);
	if (!live)
		return unlink(path) ? failed(err, path, "the file of a process that is gone") : 0;
	tn_error_set(err, TN_OFPFMFC_UNKNOWN, -1,
		"%s: another process listens there; give each its own --socket", path);
	return -1;
}

/* Nobody can connect before the mode is right, because nobody listens. */
static int make_socket(const char *path, const struct sockaddr_un *address, struct tn_error *err)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const struct group *group = getgrnam(GROUP);

	if (fd < 0 || bind(fd, (const struct sockaddr *)address, sizeof(*address))) {
		(void)failed(err, path, "cannot be made");
		if (fd >= 0)
			close(fd);
		return -1;
	}
	/* Whoever may not give it to the group has it for itself. */
	if (group && chown(path, (uid_t)-1, group->gr_gid) && errno != EPERM)
		(void)failed(err, path, "cannot be given to the group " GROUP);
	else if (chmod(path, 0660) || listen(fd, BACKLOG))
		(void)failed(err, path, "cannot be made ready");
	else
		return fd;
	(void)unlink(path);
	close(fd);
	return -1;
}

int tn_api_listen(const char *path, struct tn_error *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int folder, fd = -1;

	if (!*path || strlen(path) >= sizeof(address.sun_path)) {
		tn_error_set(err, TN_OFPFMFC_UNKNOWN, -1,
			"a socket's path has 1 to %zu bytes: give a shorter one",
			sizeof(address.sun_path) - 1);
		return -1;
	}
	memcpy(address.sun_path, path, strlen(path) + 1);
	folder = open_folder(path, err);
	if (folder < 0)
		return -1;
	/* Two that start at once do not both find that nobody is behind the file. */
	if (flock(folder, LOCK_EX))
		(void)failed(err, path, "its folder cannot be locked");
	else if (!take_away_stale(path, &address, err))
		fd = make_socket(path, &address, err);
	close(folder);
	return fd;
}

void tn_api_unlink(const char *path, int fd)
{
	struct sockaddr_un ours = {0};
	socklen_t len = sizeof(ours);
	struct stat st;

	if (!getsockname(fd, (struct sockaddr *)&ours, &len) && !strcmp(ours.sun_path, path) &&
		!lstat(path, &st) && S_ISSOCK(st.st_mode))
		(void)unlink(path);
}
