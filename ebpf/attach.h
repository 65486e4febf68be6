/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Programs onto interfaces. Private to ebpf/.
 *
 * tc programs go before what others attached, by tcx where the kernel has it (Linux 6.6), else by a
 * filter of the clsact qdisc. Functions return 0 or -errno.
 */
#ifndef TN_EBPF_ATTACH_H
#define TN_EBPF_ATTACH_H

#include <stddef.h>
#include <stdint.h>

#include "dataplane/core/types.h"

/*
 * before: programs of a process before this one, of which one may be attached in its place; -1 in
 * it: none. The interface is never without one or the other.
 */
int tn_ebpf_attach_tc(
	int program, const int *before, size_t n_before, uint32_t ifindex) TN_MUST_CHECK;
/* What a kernel without tcx has by then; for tests, too. */
int tn_ebpf_attach_clsact(int program, uint32_t ifindex) TN_MUST_CHECK;

/* Beside no other XDP program: -EBUSY. */
int tn_ebpf_attach_xdp(
	int program, const int *before, size_t n_before, uint32_t ifindex) TN_MUST_CHECK;

/* Off the interface, if it is there. */
void tn_ebpf_detach_from(int program, bool xdp, uint32_t ifindex);

#endif
