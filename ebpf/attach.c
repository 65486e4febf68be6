/* SPDX-License-Identifier: BSD-3-Clause */
#include "ebpf/attach.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/if_link.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

/* Of the clsact filter. Before what others attached: they see what we let pass. */
#define TC_PRIORITY 1u
#define TC_HANDLE   0x7e01u

/* Of <linux/bpf.h> since Linux 6.6. */
#define TCX_INGRESS 46u
#define MAY_REPLACE 4u
#define FIRST	    8u /* BPF_F_BEFORE, of nobody: before all */

struct tcx {
	uint32_t ifindex, program, type, flags, replaced, relative;
	uint64_t revision;
};

static int tcx(int command, uint32_t ifindex, int program, uint32_t flags, int replaced)
{
	struct tcx attr = {
		.ifindex = ifindex,
		.program = (uint32_t)program,
		.type = TCX_INGRESS,
		.flags = flags,
		.replaced = (uint32_t)replaced,
	};

	return syscall(__NR_bpf, command, &attr, sizeof(attr)) < 0 ? -errno : 0;
}

int tn_ebpf_attach_clsact(int program, uint32_t ifindex)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = program, .handle = TC_HANDLE,
		.priority = TC_PRIORITY, .flags = BPF_TC_F_REPLACE);
	int rc = bpf_tc_hook_create(&hook);

	return rc && rc != -EEXIST ? rc : bpf_tc_attach(&hook, &opts);
}

int tn_ebpf_attach_tc(int program, const int *before, size_t n_before, uint32_t ifindex)
{
	int rc;

	for (size_t i = 0; i < n_before; i++) {
		if (before[i] >= 0 &&
			!tcx(BPF_PROG_ATTACH, ifindex, program, MAY_REPLACE, before[i]))
			return 0;
	}
	rc = tcx(BPF_PROG_ATTACH, ifindex, program, FIRST, 0);
	if (!rc || rc == -EEXIST)
		return 0;
	return rc == -EINVAL ? tn_ebpf_attach_clsact(program, ifindex) : rc;
}

static void detach_tc(int program, uint32_t ifindex)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = TC_HANDLE, .priority = TC_PRIORITY);

	if (tcx(BPF_PROG_DETACH, ifindex, program, 0, 0) == -EINVAL)
		(void)bpf_tc_detach(&hook, &opts);
}

int tn_ebpf_attach_xdp(int program, const int *before, size_t n_before, uint32_t ifindex)
{
	int rc = bpf_xdp_attach((int)ifindex, program, XDP_FLAGS_UPDATE_IF_NOEXIST, NULL);

	for (size_t i = 0; rc && i < n_before; i++) {
		LIBBPF_OPTS(bpf_xdp_attach_opts, opts, .old_prog_fd = before[i]);

		if (before[i] >= 0)
			rc = bpf_xdp_attach((int)ifindex, program, XDP_FLAGS_REPLACE, &opts);
	}
	return rc;
}

static void detach_xdp(int program, uint32_t ifindex)
{
	LIBBPF_OPTS(bpf_xdp_attach_opts, ours, .old_prog_fd = program);

	(void)bpf_xdp_detach((int)ifindex, 0, &ours);
}

void tn_ebpf_detach_from(int program, bool xdp, uint32_t ifindex)
{
	if (program < 0)
		return;
	if (xdp)
		detach_xdp(program, ifindex);
	else
		detach_tc(program, ifindex);
}
