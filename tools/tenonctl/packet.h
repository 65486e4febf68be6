/* SPDX-License-Identifier: BSD-3-Clause */
/* A frame for a trace: written as fields, as hex digits, or taken from a capture. */
#ifndef TN_TENONCTL_PACKET_H
#define TN_TENONCTL_PACKET_H

#include "tools/tenonctl/ctl.h"

#define TN_CTL_FRAME_MAX 9216u

struct tn_ctl_packet {
	uint8_t bytes[TN_CTL_FRAME_MAX];
	uint32_t len;
};

/*
 * The frame that has the exact fields of a match, with checksums and lengths right; fields that are
 * not named are 0, TTL 64. 0, or -1 and it was said why there is no such frame.
 */
int tn_ctl_packet_from_match(
	const struct tn_match *match, struct tn_ctl_packet *packet) TN_MUST_CHECK;
/* Hex digits; blanks, colons between bytes are taken. */
int tn_ctl_packet_from_hex(const char *text, struct tn_ctl_packet *packet) TN_MUST_CHECK;
/* Frame `number`, from 1, of a pcap or pcapng file. */
int tn_ctl_packet_from_capture(
	const char *path, unsigned number, struct tn_ctl_packet *packet) TN_MUST_CHECK;

/* Hex digits; the caller frees it. */
char *tn_ctl_packet_hex(const struct tn_ctl_packet *packet);
/* The fields of a frame that are not zero, as a match would name them, and those of a frame within
 * VXLAN; the caller frees it. */
char *tn_ctl_packet_text(struct tn_ctl *ctl, const uint8_t *bytes, uint32_t len);

#endif
