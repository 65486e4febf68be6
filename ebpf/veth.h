/* SPDX-License-Identifier: BSD-3-Clause */
/* What rtnetlink(7) tells of a pair of virtual interfaces. Main thread. */
#ifndef TN_EBPF_VETH_H
#define TN_EBPF_VETH_H

#include "dataplane/core/types.h"

/*
 * Is the interface of this namespace one end of a pair whose other one is in another? Only there
 * may a program take a frame straight to the other end (bpf_redirect_peer()).
 */
bool tn_veth_peer_is_elsewhere(uint32_t ifindex);

#endif
