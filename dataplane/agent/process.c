/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/agent/process.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "dataplane/agent/options.h"

#define LOCK_NAME "lock"

/* Who holds it wrote its process id there. */
static void say_locked(const char *state_dir, int fd)
{
	char pid[24] = "";
	ssize_t n = pread(fd, pid, sizeof(pid) - 1, 0);

	pid[n > 0 ? n : 0] = '\0';
	pid[strcspn(pid, "\n")] = '\0';
	tn_agent_say(
		"%s is in use by another tenon-dataplane%s%s: stop it, or give this one another "
		"folder with --state",
		state_dir, *pid ? ", process " : "", pid);
}

int tn_process_lock(const char *state_dir, bool *locked)
{
	int dir, fd;

	*locked = false;
	if (mkdir(state_dir, 0700) && errno != EEXIST) {
		tn_agent_say("%s: cannot be made: %s; make it, or name another with --state",
			state_dir, strerror(errno));
		return -1;
	}
	dir = open(state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fd = dir < 0 ? -1 : openat(dir, LOCK_NAME, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		tn_agent_say("%s: cannot be used: %s", state_dir, strerror(errno));
	if (dir >= 0)
		close(dir);
	if (fd < 0)
		return -1;
	if (!flock(fd, LOCK_EX | LOCK_NB)) {
		char pid[24];
		int n = snprintf(pid, sizeof(pid), "%d\n", (int)getpid());

		if (ftruncate(fd, 0) || pwrite(fd, pid, (size_t)n, 0) != n)
			tn_agent_say("%s: cannot write: %s", state_dir, strerror(errno));
		return fd;
	}
	*locked = errno == EWOULDBLOCK;
	if (*locked)
		say_locked(state_dir, fd);
	else
		tn_agent_say("%s: cannot be locked: %s", state_dir, strerror(errno));
	close(fd);
	return -1;
}

#define BIT(capability) (UINT64_C(1) << (capability))

int tn_process_drop_privileges(bool all)
{
	const struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
	uint64_t keep = BIT(CAP_NET_ADMIN) | BIT(CAP_NET_RAW) | BIT(CAP_IPC_LOCK) | BIT(CAP_BPF);
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];

	if (all)
		keep |= BIT(CAP_SYS_ADMIN) | BIT(CAP_SYS_RAWIO) | BIT(CAP_DAC_OVERRIDE);
	/* AF_XDP's memory counts as locked; without the right to raise the limit it stays. */
	(void)setrlimit(RLIMIT_MEMLOCK, &unlimited);
	if (syscall(SYS_capget, &head, data)) {
		tn_agent_say("cannot read capabilities: %s", strerror(errno));
		return -1;
	}
	for (unsigned i = 0; i < 2; i++) {
		data[i].permitted &= (uint32_t)(keep >> 32 * i);
		data[i].effective = data[i].permitted;
		data[i].inheritable = 0;
	}
	if (syscall(SYS_capset, &head, data) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) {
		tn_agent_say("cannot give up capabilities: %s", strerror(errno));
		return -1;
	}
	return 0;
}

void tn_process_notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	size_t len = path ? strlen(path) : 0;
	int fd;

	if (!len || len >= sizeof(to.sun_path) || (*path != '/' && *path != '@'))
		return;
	memcpy(to.sun_path, path, len);
	if (*path == '@')
		to.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	if (sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&to,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) < 0)
		tn_agent_say("cannot tell %s: %s", path, strerror(errno));
	close(fd);
}
