/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/api/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#define LOCK_NAME "lock"

static int fail(struct tn_error *err, const char *fmt, ...) TN_PRINTF(2, 3);

static int fail(struct tn_error *err, const char *fmt, ...)
{
	char detail[sizeof(err->detail)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(detail, sizeof(detail), fmt, ap);
	va_end(ap);
	(void)tn_error_set(err, TN_OF_OK, -1, "%s", detail);
	return -1;
}

/* Who holds it wrote its process id there. */
static int fail_locked(struct tn_error *err, const char *state_dir, const char *program, int fd)
{
	char pid[24] = "";
	ssize_t n = pread(fd, pid, sizeof(pid) - 1, 0);

	pid[n > 0 ? n : 0] = '\0';
	pid[strcspn(pid, "\n")] = '\0';
	return fail(err,
		"%s is in use by another %s%s%s: stop it, or give this one another folder with "
		"--state",
		state_dir, program, *pid ? ", process " : "", pid);
}

static int open_lock(const char *state_dir, struct tn_error *err)
{
	int dir, fd, error;

	if (mkdir(state_dir, 0700) && errno != EEXIST)
		return fail(err, "%s: cannot be made: %s; make it, or name another with --state",
			state_dir, strerror(errno));
	dir = open(state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fd = dir < 0 ? -1 : openat(dir, LOCK_NAME, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	error = errno;
	if (dir >= 0)
		close(dir);
	return fd >= 0 ? fd : fail(err, "%s: cannot be used: %s", state_dir, strerror(error));
}

int tn_daemon_lock(const char *state_dir, const char *program, bool *locked, struct tn_error *err)
{
	int fd = open_lock(state_dir, err), n;
	char pid[24];

	*locked = false;
	if (fd < 0)
		return -1;
	if (flock(fd, LOCK_EX | LOCK_NB)) {
		*locked = errno == EWOULDBLOCK;
		if (*locked)
			(void)fail_locked(err, state_dir, program, fd);
		else
			(void)fail(err, "%s: cannot be locked: %s", state_dir, strerror(errno));
		close(fd);
		return -1;
	}
	/* Only a courtesy to who comes next: a full disk does not keep the switch from starting. */
	n = snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
	if (!ftruncate(fd, 0) && pwrite(fd, pid, (size_t)n, 0) != n)
		(void)ftruncate(fd, 0);
	return fd;
}

int tn_daemon_keep_capabilities(uint64_t capabilities, struct tn_error *err)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &head, data))
		return fail(err, "cannot read capabilities: %s", strerror(errno));
	for (unsigned i = 0; i < 2; i++) {
		data[i].permitted &= (uint32_t)(capabilities >> 32 * i);
		data[i].effective = data[i].permitted;
		data[i].inheritable = 0;
	}
	if (syscall(SYS_capset, &head, data) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return fail(err, "cannot give up capabilities: %s", strerror(errno));
	return 0;
}

int tn_daemon_notify(const char *state, struct tn_error *err)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	size_t len = path ? strlen(path) : 0;
	ssize_t sent;
	int fd;

	if (!len || len >= sizeof(to.sun_path) || (*path != '/' && *path != '@'))
		return 0;
	memcpy(to.sun_path, path, len);
	if (*path == '@')
		to.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fail(err, "no descriptor to tell %s: %s", path, strerror(errno));
	sent = sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&to,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
	if (sent < 0)
		(void)fail(err, "cannot tell %s: %s", path, strerror(errno));
	close(fd);
	return sent < 0 ? -1 : 0;
}
