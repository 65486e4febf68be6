/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The way between the kernel's programs and the data plane: a TAP whose frames come with a
 * virtio-net header. The host's own stack has nothing to do with it. Private to kernel ports.
 */
#ifndef TN_PORT_KERNEL_TAP_H
#define TN_PORT_KERNEL_TAP_H

#include "dataplane/core/error.h"
#include "dataplane/port/netdev.h"

struct tn_kernel_tap {
	int fd; /* does not block; -1: closed */
	struct tn_netdev dev;
};

/* whole: the kernel finishes its frames (checksums, large ones cut) before they come up. */
int tn_kernel_tap_open(struct tn_kernel_tap *tap, const char *name, bool whole,
	struct tn_error *err) TN_MUST_CHECK;
/* Also of one that was not opened. */
void tn_kernel_tap_close(struct tn_kernel_tap *tap);

#endif
