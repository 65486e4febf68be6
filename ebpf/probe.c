/* SPDX-License-Identifier: BSD-3-Clause */
#include "ebpf/probe.h"

#include <linux/bpf.h>

#include <bpf/libbpf.h>

#include "dataplane/core/types.h"

#define NO_HELPER BPF_FUNC_unspec

static const struct {
	enum bpf_prog_type type;
	enum bpf_func_id helper;
	const char *name;
} needed[] = {
	{BPF_PROG_TYPE_SCHED_CLS, NO_HELPER, "programs of tc (CONFIG_NET_CLS_BPF)"},
	{BPF_PROG_TYPE_XDP, NO_HELPER, "XDP (CONFIG_BPF_SYSCALL)"},
	{BPF_PROG_TYPE_SCHED_CLS, BPF_FUNC_skb_set_tunnel_key, "bpf_skb_set_tunnel_key()"},
	{BPF_PROG_TYPE_SCHED_CLS, BPF_FUNC_skb_adjust_room, "bpf_skb_adjust_room() (Linux 4.13)"},
	{BPF_PROG_TYPE_SCHED_CLS, BPF_FUNC_spin_lock, "bpf_spin_lock() (Linux 5.1)"},
	{BPF_PROG_TYPE_SCHED_CLS, BPF_FUNC_csum_level, "bpf_csum_level() (Linux 5.8)"},
	{BPF_PROG_TYPE_SCHED_CLS, BPF_FUNC_redirect_peer, "bpf_redirect_peer() (Linux 5.10)"},
	{BPF_PROG_TYPE_SCHED_CLS, BPF_FUNC_ktime_get_coarse_ns,
		"bpf_ktime_get_coarse_ns() (Linux 5.11)"},
};

const char *tn_ebpf_missing(void)
{
	for (size_t i = 0; i < TN_ARRAY_SIZE(needed); i++) {
		int has = needed[i].helper == NO_HELPER
			? libbpf_probe_bpf_prog_type(needed[i].type, NULL)
			: libbpf_probe_bpf_helper(needed[i].type, needed[i].helper, NULL);

		if (!has)
			return needed[i].name;
	}
	return NULL;
}
