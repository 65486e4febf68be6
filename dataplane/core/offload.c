/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/core/offload.h"

#include <string.h>

#include "dataplane/core/checksum.h"
#include "dataplane/core/parse.h"
#include "dataplane/core/wire.h"

#define TCP_FIN 0x01u
#define TCP_PSH 0x08u
#define TCP_CWR 0x80u
#define FLAGS	offsetof(struct tn_tcp_hdr, doff_flags) + 1

static uint16_t load_be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

/* Offset of the type that no tag follows. */
static uint32_t last_type(const uint8_t *frame, uint32_t len)
{
	uint32_t at = TN_ETH_LEN - 2;

	while (at + 2 + TN_VLAN_LEN <= len && tn_eth_type_is_tag(load_be16(frame + at)))
		at += TN_VLAN_LEN;
	return at;
}

static uint32_t l4_header_len(const uint8_t *frame, const struct tn_headers *h)
{
	const struct tn_tcp_hdr *tcp = (const void *)(frame + h->l4);

	if (h->flags & TN_HDR_UDP)
		return sizeof(struct tn_udp_hdr);
	return (tn_be16toh(tcp->doff_flags) >> 12) * 4u;
}

/* The UDP header may end the datagram before the IP packet ends. */
static uint32_t packet_end(const uint8_t *frame, const struct tn_offload *o)
{
	const struct tn_udp_hdr *udp = (const void *)(frame + o->l4);
	uint32_t len = tn_be16toh(udp->len);

	if (o->tcp || len < sizeof(*udp) || len > o->end - o->l4)
		return o->end;
	return o->l4 + len;
}

bool tn_offload_find(const uint8_t *frame, uint32_t len, uint16_t offload, struct tn_offload *o)
{
	struct tn_headers h;
	struct tn_view view;
	uint32_t skip, data;

	if (len < TN_ETH_LEN)
		return false;
	/* The parser reads two tags and there may be more: it starts at the last type. */
	skip = last_type(frame, len) - (TN_ETH_LEN - 2);
	view = (struct tn_view){.data = (uint8_t *)(uintptr_t)frame + skip,
		.len = len - skip,
		.wire_len = len - skip};
	if (tn_parse(&view, &h) || !h.l4 || !(h.flags & (TN_HDR_TCP | TN_HDR_UDP)) || h.ip_frag ||
		h.flags & TN_HDR_ROUTING || h.l3 + h.l3_len > view.len)
		return false;
	*o = (struct tn_offload){
		.l3 = skip + h.l3,
		.l4 = skip + h.l4,
		.data = skip + h.l4 + l4_header_len(view.data, &h),
		.end = skip + h.l3 + h.l3_len,
		.n = 1,
		.ip6 = (h.flags & TN_HDR_IPV6) != 0,
		.tcp = (h.flags & TN_HDR_TCP) != 0,
	};
	if (o->data > o->end)
		return false;
	o->ip6_extension = o->ip6 && o->l4 - o->l3 != sizeof(struct tn_ipv6_hdr);
	data = o->end - o->data;
	o->size = data;
	if (!tn_offload_cuts(offload))
		return true;
	o->size = offload;
	if (data > offload)
		o->n = (data + offload - 1) / offload;
	return o->tcp && o->n <= TN_OFFLOAD_SEGMENTS_MAX;
}

static uint64_t pseudo_header(const uint8_t *frame, const struct tn_offload *o, uint32_t len)
{
	const uint8_t *l3 = frame + o->l3;
	uint8_t proto = o->tcp ? TN_IPPROTO_TCP : TN_IPPROTO_UDP;

	if (!o->ip6)
		return tn_csum_pseudo_ipv4(l3 + offsetof(struct tn_ipv4_hdr, src),
			l3 + offsetof(struct tn_ipv4_hdr, dst), proto, len);
	return tn_csum_pseudo_ipv6(l3 + offsetof(struct tn_ipv6_hdr, src),
		l3 + offsetof(struct tn_ipv6_hdr, dst), proto, len);
}

static uint8_t *checksum_of(uint8_t *frame, const struct tn_offload *o)
{
	return frame + o->l4 +
		(o->tcp ? offsetof(struct tn_tcp_hdr, csum) : offsetof(struct tn_udp_hdr, csum));
}

static void complete(uint8_t *frame, const struct tn_offload *o, uint32_t end)
{
	uint8_t *field = checksum_of(frame, o);
	struct tn_be16 sum;

	memset(field, 0, sizeof(sum));
	sum = tn_csum_fold(
		tn_csum_add(pseudo_header(frame, o, end - o->l4), frame + o->l4, end - o->l4));
	if (!o->tcp && !sum.raw)
		sum.raw = 0xffff;
	memcpy(field, &sum, sizeof(sum));
}

void tn_offload_complete(uint8_t *frame, const struct tn_offload *o)
{
	complete(frame, o, packet_end(frame, o));
}

void tn_offload_prepare(uint8_t *frame, const struct tn_offload *o)
{
	uint32_t len = packet_end(frame, o) - o->l4;
	uint16_t sum = (uint16_t)~tn_csum_fold(pseudo_header(frame, o, len)).raw;

	memcpy(checksum_of(frame, o), &sum, sizeof(sum));
}

uint32_t tn_offload_segment_len(const struct tn_offload *o, uint32_t i)
{
	uint32_t left = o->end - o->data - i * o->size;

	return o->data + (left < o->size ? left : o->size);
}

static void fix_ip(uint8_t *frame, const struct tn_offload *o, uint32_t i, uint32_t len)
{
	struct tn_ipv4_hdr *v4 = (void *)(frame + o->l3);
	struct tn_ipv6_hdr *v6 = (void *)(frame + o->l3);

	if (o->ip6) {
		v6->payload_len = tn_htobe16((uint16_t)(len - o->l3 - sizeof(*v6)));
		return;
	}
	v4->total_len = tn_htobe16((uint16_t)(len - o->l3));
	v4->id = tn_htobe16((uint16_t)(tn_be16toh(v4->id) + i));
	v4->csum.raw = 0;
	v4->csum = tn_csum_fold(tn_csum_add(0, v4, tn_ipv4_hdr_len(v4)));
}

void tn_offload_write_segment(
	const uint8_t *frame, const struct tn_offload *o, uint32_t i, uint8_t *to)
{
	uint32_t len = tn_offload_segment_len(o, i);
	struct tn_tcp_hdr *tcp = (void *)(to + o->l4);

	memcpy(to, frame, o->data);
	memcpy(to + o->data, frame + o->data + i * o->size, len - o->data);
	fix_ip(to, o, i, len);
	tcp->seq = tn_htobe32(tn_be32toh(tcp->seq) + i * o->size);
	if (i + 1 < o->n)
		to[o->l4 + FLAGS] &= (uint8_t) ~(TCP_FIN | TCP_PSH);
	if (i > 0)
		to[o->l4 + FLAGS] &= (uint8_t)~TCP_CWR;
	complete(to, o, len);
}
