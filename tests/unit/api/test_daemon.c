/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/api/daemon.h"

#include <errno.h>
#include <linux/capability.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct bed {
	char dir[64], state[80];
};

static int setup(void **state)
{
	static struct bed b;

	strcpy(b.dir, "/tmp/test_daemon.XXXXXX");
	assert_non_null(mkdtemp(b.dir));
	snprintf(b.state, sizeof(b.state), "%s/state", b.dir);
	*state = &b;
	return 0;
}

static int teardown(void **state)
{
	struct bed *b = *state;
	char path[128];

	snprintf(path, sizeof(path), "%s/lock", b->state);
	unlink(path);
	rmdir(b->state);
	snprintf(path, sizeof(path), "%s/notify", b->dir);
	unlink(path);
	assert_int_equal(rmdir(b->dir), 0);
	return 0;
}

static void test_lock(void **state)
{
	struct bed *b = *state;
	struct tn_error err;
	struct stat st;
	char pid[32];
	bool locked;
	int fd = tn_daemon_lock(b->state, "tenond", &locked, &err);

	assert_true(fd >= 0);
	assert_int_equal(stat(b->state, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	/* Locks are of the open file: our own second one is another's, too. */
	assert_int_equal(tn_daemon_lock(b->state, "tenond", &locked, &err), -1);
	assert_true(locked);
	snprintf(pid, sizeof(pid), "process %d", (int)getpid());
	assert_non_null(strstr(err.detail, pid));
	assert_non_null(strstr(err.detail, "--state"));
	close(fd);
	fd = tn_daemon_lock(b->state, "tenond", &locked, &err);
	assert_true(fd >= 0);
	close(fd);
}

static void test_no_folder(void **state)
{
	struct bed *b = *state;
	struct tn_error err;
	char path[128];
	bool locked;

	snprintf(path, sizeof(path), "%s/none/state", b->dir);
	assert_int_equal(tn_daemon_lock(path, "tenond", &locked, &err), -1);
	assert_false(locked);
	assert_non_null(strstr(err.detail, path));
	assert_int_equal(tn_daemon_lock("/dev/null", "tenond", &locked, &err), -1);
	assert_false(locked);
	assert_non_null(strstr(err.detail, "/dev/null"));
}

static void test_notify(void **state)
{
	struct bed *b = *state;
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	char path[80], got[32] = "";
	struct tn_error err;
	int fd;

	unsetenv("NOTIFY_SOCKET");
	assert_int_equal(tn_daemon_notify("READY=1", &err), 0);
	snprintf(path, sizeof(path), "%s/notify", b->dir);
	setenv("NOTIFY_SOCKET", path, 1);
	assert_int_equal(tn_daemon_notify("READY=1", &err), -1);
	assert_non_null(strstr(err.detail, path));
	fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	strcpy(at.sun_path, path);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(tn_daemon_notify("READY=1", &err), 0);
	assert_int_equal(recv(fd, got, sizeof(got), MSG_DONTWAIT), 7);
	assert_string_equal(got, "READY=1");
	close(fd);
	unsetenv("NOTIFY_SOCKET");
}

static uint64_t capabilities(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];

	assert_int_equal(syscall(SYS_capget, &head, data), 0);
	return data[0].effective | (uint64_t)data[1].effective << 32;
}

/* In a child: what is given up does not come back. */
static void test_capabilities(void **state)
{
	const uint64_t keep = TN_DAEMON_CAPABILITY(CAP_NET_ADMIN);
	pid_t child;
	int status;

	(void)state;
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		struct tn_error err;

		_exit(tn_daemon_keep_capabilities(keep, &err) || (capabilities() & ~keep));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_lock, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_folder, setup, teardown),
		cmocka_unit_test_setup_teardown(test_notify, setup, teardown),
		cmocka_unit_test(test_capabilities),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
