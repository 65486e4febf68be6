/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A packet view: where a frame's bytes are, whoever owns them (an mbuf, a capture record, an
 * array). A port driver fills it; the code above never sees the owner.
 */
#ifndef TN_CORE_VIEW_H
#define TN_CORE_VIEW_H

#include "dataplane/core/types.h"

/*
 * The longest frame any port takes, and the room the drivers leave before it: two tags and the
 * largest tunnel header (Ethernet, IPv6, UDP, VXLAN).
 */
#define TN_FRAME_MAX	65550u
#define TN_HEADROOM_MIN 128u

struct tn_view {
	uint8_t *data;	   /* first byte of the frame */
	uint32_t len;	   /* bytes at data */
	uint32_t wire_len; /* of the frame on the wire; > len where a capture cut it */
	uint32_t headroom; /* writable bytes before data */
	uint32_t tailroom; /* writable bytes after data + len */
};

#endif
