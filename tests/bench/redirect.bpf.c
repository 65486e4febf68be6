/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/* The least that a program can do for containers of one host: a frame goes to the other, looked at
 * by nobody. OTHER: ifindex of the host's end of the other's veth. What it is ahead of a bridge is
 * as far as any switch of this kind can be (tests/bench/kernel --ceiling). */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

SEC("tc")
int redirect(struct __sk_buff *skb)
{
	(void)skb;
	return bpf_redirect_peer(OTHER, 0);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
