/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Internet checksum (RFC 1071) and its incremental update (RFC 1624), CRC32c of SCTP (RFC 9260
 * appendix A). Sums are kept unfolded in host registers over network-order data: the result of
 * tn_csum_fold() is stored as it is. Pure. BPF-safe but for the CRC.
 */
#ifndef TN_CORE_CHECKSUM_H
#define TN_CORE_CHECKSUM_H

#include "dataplane/core/types.h"

/* Adds len bytes to a running sum; start with 0. Odd lengths are padded with a zero byte. */
uint64_t tn_csum_add(uint64_t sum, const void *data, size_t len);
/* The complemented 16-bit checksum, ready to store. */
struct tn_be16 tn_csum_fold(uint64_t sum);
/* Whole IPv4 header with its checksum field in it: right when this is true. */
bool tn_csum_ipv4_ok(const void *header, size_t len);

/*
 * The checksum after `len` bytes (even, at an even offset of the summed data) changed from old to
 * new: RFC 1624 equation 3. Never turns a valid sum into an invalid one.
 */
struct tn_be16 tn_csum_update(struct tn_be16 csum, const void *old, const void *new, size_t len);

/* Pseudo headers, unfolded. len: of the L4 header and payload. */
uint64_t tn_csum_pseudo_ipv4(const void *src, const void *dst, uint8_t proto, uint32_t len);
uint64_t tn_csum_pseudo_ipv6(const void *src, const void *dst, uint8_t proto, uint32_t len);

/* CRC32c; start with 0. The SCTP checksum is this over the packet with its checksum field zero. */
uint32_t tn_crc32c(uint32_t crc, const void *data, size_t len);
/*
 * The CRC after `len` bytes with `after` more bytes behind them changed from old to new. Those
 * behind are not read: a fragment, or a capture, need not hold them.
 */
uint32_t tn_crc32c_update(uint32_t crc, const void *old, const void *new, size_t len, size_t after);

#endif
