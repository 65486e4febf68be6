/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames as the kernel hands them to a device that promised to checksum: TCP and UDP hold the sum
 * of the pseudo header alone, SCTP holds zero. A veth promises that to its peer, and XDP does not
 * say which frames are so. Pure.
 *
 * Such a frame is known by that very value. Completing a whole checksum that happens to have it
 * gives the same value again, so no right frame is made wrong; what is neither stays as it is.
 */
#ifndef TN_PORT_PARTIAL_CHECKSUM_H
#define TN_PORT_PARTIAL_CHECKSUM_H

#include "dataplane/core/types.h"

/*
 * Completes the checksum of TCP, UDP and SCTP over IPv4 and IPv6, and that of a frame within VXLAN
 * before its outer one. True when something was written.
 */
bool tn_partial_checksum_complete(uint8_t *frame, uint32_t len);

#endif
