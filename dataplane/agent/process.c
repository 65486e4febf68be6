/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/agent/process.h"

#include <linux/capability.h>
#include <sys/resource.h>

#include "dataplane/agent/options.h"
#include "dataplane/api/daemon.h"

#define BIT(capability) TN_DAEMON_CAPABILITY(capability)

/* A machine's port takes some ten descriptors, and there may be hundreds of them. */
static void raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

int tn_process_drop_privileges(bool all)
{
	const struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
	uint64_t keep = BIT(CAP_NET_ADMIN) | BIT(CAP_NET_RAW) | BIT(CAP_IPC_LOCK) | BIT(CAP_BPF) |
		BIT(CAP_PERFMON); /* without it the kernel slows its programs down */
	struct tn_error err;

	if (all)
		keep |= BIT(CAP_SYS_ADMIN) | BIT(CAP_SYS_RAWIO) | BIT(CAP_DAC_OVERRIDE);
	raise_descriptors();
	/* AF_XDP's memory counts as locked; without the right to raise the limit it stays. */
	(void)setrlimit(RLIMIT_MEMLOCK, &unlimited);
	if (!tn_daemon_keep_capabilities(keep, &err))
		return 0;
	tn_agent_say("%s", err.detail);
	return -1;
}

void tn_process_notify(const char *state)
{
	struct tn_error err;

	if (tn_daemon_notify(state, &err))
		tn_agent_say("%s", err.detail);
}
