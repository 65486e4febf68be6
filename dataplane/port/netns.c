/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/port/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct visit {
	int ns;
	const char *netns;
	tn_netns_fn fn;
	void *arg;
	struct tn_error *err;
	int result;
};

static void *visit_main(void *arg)
{
	struct visit *v = arg;

	if (setns(v->ns, CLONE_NEWNET))
		v->result = tn_error_set(v->err, TN_OFPBRC_BAD_PORT, -1,
			"cannot enter network namespace '%.64s': %s; it takes CAP_SYS_ADMIN and a "
			"network namespace",
			v->netns, strerror(errno));
	else
		v->result = v->fn(v->arg, v->err);
	return NULL;
}

static int open_namespace(const char *netns)
{
	char path[PATH_MAX];

	if (strchr(netns, '/'))
		return open(netns, O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), "/run/netns/%s", netns);
	return open(path, O_RDONLY | O_CLOEXEC);
}

int tn_netns_run(const char *netns, tn_netns_fn fn, void *arg, struct tn_error *err)
{
	struct visit v = {.netns = netns, .fn = fn, .arg = arg, .err = err};
	pthread_t thread;
	int r;

	if (!netns || !*netns)
		return fn(arg, err);
	v.ns = open_namespace(netns);
	if (v.ns < 0)
		return tn_error_set(err, TN_OFPBRC_BAD_PORT, -1,
			"cannot open network namespace '%.64s': %s; give a name that `ip netns` "
			"lists or a path such as /proc/PID/ns/net",
			netns, strerror(errno));
	r = pthread_create(&thread, NULL, visit_main, &v);
	if (r) {
		v.result = tn_error_set(err, TN_OFPBRC_BAD_PORT, -1,
			"cannot start a thread for network namespace '%.64s': %s", netns,
			strerror(r));
	} else {
		(void)pthread_join(thread, NULL);
	}
	close(v.ns);
	return v.result;
}
