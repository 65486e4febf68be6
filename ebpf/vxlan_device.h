/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The kernel's VXLAN device in external mode: programs say for each frame where it goes and learn
 * where it came from. Main thread.
 */
#ifndef TN_EBPF_VXLAN_DEVICE_H
#define TN_EBPF_VXLAN_DEVICE_H

#include "dataplane/core/error.h"
#include "dataplane/core/types.h"

#define TN_VXLAN_DEVICE_PREFIX "tnvx" /* of all names; a number follows */

/*
 * Makes the device and takes it up; one of that name is replaced. ip6: sockets of IPv6, which takes
 * IPv4, too. 0, or -errno with err; -EEXIST: another device has that UDP port.
 */
int tn_vxlan_device_new(const char *name, uint16_t udp_port, bool ip6, uint32_t *ifindex,
	struct tn_error *err) TN_MUST_CHECK;
void tn_vxlan_device_free(uint32_t ifindex);

#endif
