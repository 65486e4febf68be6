/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/port/partial_checksum.h"

#include <string.h>

#include "dataplane/core/checksum.h"
#include "dataplane/core/parse.h"
#include "dataplane/core/vxlan.h"
#include "dataplane/core/wire.h"

#define UDP_LEN	      8u
#define VXLAN_LEN     8u
#define VXLAN_FLAG_I  0x08u
#define TCP_CSUM_OFS  16u
#define UDP_CSUM_OFS  6u
#define SCTP_CSUM_OFS 8u

static uint64_t pseudo_header(
	const uint8_t *l3, const struct tn_headers *h, uint8_t proto, uint32_t l4_len)
{
	if (h->flags & TN_HDR_IPV4)
		return tn_csum_pseudo_ipv4(l3 + 12, l3 + 16, proto, l4_len);
	return tn_csum_pseudo_ipv6(l3 + 8, l3 + 24, proto, l4_len);
}

static bool complete_sum(
	uint8_t *frame, const struct tn_headers *h, uint32_t l4_len, uint8_t proto, unsigned ofs)
{
	uint16_t pseudo =
		(uint16_t)~tn_csum_fold(pseudo_header(frame + h->l3, h, proto, l4_len)).raw;
	uint8_t *l4 = frame + h->l4;
	struct tn_be16 sum;

	memcpy(&sum, l4 + ofs, sizeof(sum));
	if (sum.raw != pseudo)
		return false;
	/* The field is part of what is summed: it stands for the pseudo header. */
	sum = tn_csum_fold(tn_csum_add(0, l4, l4_len));
	if (!sum.raw && proto == TN_IPPROTO_UDP)
		sum.raw = 0xffff;
	memcpy(l4 + ofs, &sum, sizeof(sum));
	return true;
}

static bool complete_crc(uint8_t *l4, uint32_t l4_len)
{
	static const uint8_t none[4];
	uint32_t crc;

	if (memcmp(l4 + SCTP_CSUM_OFS, none, sizeof(none)) != 0)
		return false;
	crc = tn_crc32c(0, l4, l4_len);
	memcpy(l4 + SCTP_CSUM_OFS, &crc, sizeof(crc));
	return true;
}

static bool is_vxlan(const uint8_t *udp, uint32_t l4_len)
{
	return l4_len >= UDP_LEN + VXLAN_LEN && (udp[2] << 8 | udp[3]) == (int)TN_VXLAN_PORT &&
		udp[UDP_LEN] & VXLAN_FLAG_I;
}

/* Is there a whole L4 packet, and how long is it? */
static bool find_l4(uint8_t *frame, uint32_t len, struct tn_headers *h, uint32_t *l4_len)
{
	struct tn_view view = {.data = frame, .len = len, .wire_len = len};

	if (tn_parse(&view, h) || !h->l4 || h->ip_frag || h->flags & TN_HDR_ROUTING)
		return false;
	*l4_len = h->l3_len - (uint32_t)(h->l4 - h->l3);
	return h->l4 + *l4_len <= len;
}

static bool complete_l4(uint8_t *frame, const struct tn_headers *h, uint32_t l4_len)
{
	if (h->flags & TN_HDR_TCP)
		return complete_sum(frame, h, l4_len, TN_IPPROTO_TCP, TCP_CSUM_OFS);
	if (h->flags & TN_HDR_UDP)
		return complete_sum(frame, h, l4_len, TN_IPPROTO_UDP, UDP_CSUM_OFS);
	if (h->flags & TN_HDR_SCTP)
		return complete_crc(frame + h->l4, l4_len);
	return false;
}

bool tn_partial_checksum_complete(uint8_t *frame, uint32_t len)
{
	struct tn_headers outer, inner;
	uint32_t outer_len, inner_len;
	bool written = false;

	if (!find_l4(frame, len, &outer, &outer_len))
		return false;
	if (outer.flags & TN_HDR_UDP && is_vxlan(frame + outer.l4, outer_len)) {
		uint8_t *in = frame + outer.l4 + UDP_LEN + VXLAN_LEN;

		if (find_l4(in, outer_len - UDP_LEN - VXLAN_LEN, &inner, &inner_len))
			written = complete_l4(in, &inner, inner_len);
	}
	return complete_l4(frame, &outer, outer_len) || written;
}
