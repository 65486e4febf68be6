/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/tenonctl/packet.h"

#include <inttypes.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/model/ofctl.h"
#include "dataplane/core/checksum.h"
#include "dataplane/core/parse.h"
#include "dataplane/core/vxlan.h"
#include "dataplane/core/wire.h"
#include "tools/tenonctl/say.h"

#define TTL_DEFAULT  64u
#define FRAME_MIN    60u /* without its check sequence */
#define VLAN_PRESENT 0x1000u

/* A frame while it grows. */
struct writer {
	const struct tn_match *match;
	struct tn_ctl_packet *packet;
};

static uint64_t value(const struct writer *w, enum tn_field_id id)
{
	return (uint64_t)tn_match_value(w->match, id);
}

static bool has(const struct writer *w, enum tn_field_id id)
{
	return tn_match_fields(w->match) >> id & 1;
}

/* The low n bytes of a number, the highest first. */
static void put(struct writer *w, tn_u128 number, unsigned n)
{
	for (unsigned i = n; i--;)
		w->packet->bytes[w->packet->len++] = (uint8_t)(number >> (8 * i));
}

static void patch16(struct writer *w, uint32_t at, unsigned number)
{
	w->packet->bytes[at] = (uint8_t)(number >> 8);
	w->packet->bytes[at + 1] = (uint8_t)number;
}

static void patch_csum(struct writer *w, uint32_t at, uint64_t sum)
{
	struct tn_be16 csum = tn_csum_fold(sum);

	memcpy(w->packet->bytes + at, &csum, sizeof(csum));
}

/* --- layers ----------------------------------------------------------------------------------- */

/* The type of what follows, from the fields that are named. */
static unsigned ethernet_type(const struct writer *w)
{
	return has(w, TN_FIELD_ETH_TYPE) ? (unsigned)value(w, TN_FIELD_ETH_TYPE) : 0x88b5u;
}

static void put_tag(struct writer *w, enum tn_field_id vid, enum tn_field_id pcp, unsigned type)
{
	if (!has(w, vid) || !(value(w, vid) & VLAN_PRESENT))
		return;
	put(w, type, 2);
	put(w, value(w, pcp) << 13 | (value(w, vid) & 0xfff), 2);
}

static void put_ethernet(struct writer *w)
{
	put(w, value(w, TN_FIELD_ETH_DST), 6);
	put(w, value(w, TN_FIELD_ETH_SRC), 6);
	put_tag(w, TN_FIELD_VLAN_VID, TN_FIELD_VLAN_PCP, TN_ETH_TYPE_VLAN);
	put_tag(w, TN_FIELD_INNER_VLAN_VID, TN_FIELD_INNER_VLAN_PCP, TN_ETH_TYPE_VLAN);
	put(w, ethernet_type(w), 2);
}

static void put_arp(struct writer *w)
{
	put(w, 1, 2);
	put(w, TN_ETH_TYPE_IPV4, 2);
	put(w, 6, 1);
	put(w, 4, 1);
	put(w, has(w, TN_FIELD_ARP_OP) ? value(w, TN_FIELD_ARP_OP) : 1, 2);
	put(w, value(w, TN_FIELD_ARP_SHA), 6);
	put(w, value(w, TN_FIELD_ARP_SPA), 4);
	put(w, value(w, TN_FIELD_ARP_THA), 6);
	put(w, value(w, TN_FIELD_ARP_TPA), 4);
}

/* Target and the option with a link-layer address. */
static void put_discovery(struct writer *w, unsigned type)
{
	enum tn_field_id id = type == TN_ICMPV6_NS ? TN_FIELD_ND_SLL : TN_FIELD_ND_TLL;

	put(w, 0, 4);
	put(w, tn_match_value(w->match, TN_FIELD_ND_TARGET), 16);
	if (!has(w, id))
		return;
	put(w, type == TN_ICMPV6_NS ? TN_ND_SLL : TN_ND_TLL, 1);
	put(w, 1, 1);
	put(w, value(w, id), 6);
}

/* Returns the offset of the checksum in the header; 0: there is none. */
static uint32_t put_transport(struct writer *w, unsigned protocol)
{
	unsigned type;

	switch (protocol) {
	case TN_IPPROTO_TCP:
		put(w, value(w, TN_FIELD_TCP_SRC), 2);
		put(w, value(w, TN_FIELD_TCP_DST), 2);
		put(w, 0, 8);
		put(w, 0x5000u | value(w, TN_FIELD_TCP_FLAGS), 2);
		put(w, 0xffff, 2);
		put(w, 0, 4);
		return 16;
	case TN_IPPROTO_UDP:
		put(w, value(w, TN_FIELD_UDP_SRC), 2);
		put(w, value(w, TN_FIELD_UDP_DST), 2);
		put(w, 8, 2);
		put(w, 0, 2);
		return 6;
	case TN_IPPROTO_SCTP:
		put(w, value(w, TN_FIELD_SCTP_SRC), 2);
		put(w, value(w, TN_FIELD_SCTP_DST), 2);
		put(w, 0, 8);
		return 0;
	case TN_IPPROTO_ICMP:
		put(w, has(w, TN_FIELD_ICMPV4_TYPE) ? value(w, TN_FIELD_ICMPV4_TYPE) : 8, 1);
		put(w, value(w, TN_FIELD_ICMPV4_CODE), 1);
		put(w, 0, 6);
		return 2;
	case TN_IPPROTO_ICMPV6:
		type = has(w, TN_FIELD_ICMPV6_TYPE) ? (unsigned)value(w, TN_FIELD_ICMPV6_TYPE)
						    : 128;
		put(w, type, 1);
		put(w, value(w, TN_FIELD_ICMPV6_CODE), 1);
		put(w, 0, 2);
		if (type == TN_ICMPV6_NS || type == TN_ICMPV6_NA)
			put_discovery(w, type);
		else
			put(w, 0, 4);
		return 2;
	default:
		return 0;
	}
}

static unsigned traffic_class(const struct writer *w)
{
	return (unsigned)(value(w, TN_FIELD_IP_DSCP) << 2 | value(w, TN_FIELD_IP_ECN));
}

static unsigned ttl(const struct writer *w)
{
	return has(w, TN_FIELD_IP_TTL) ? (unsigned)value(w, TN_FIELD_IP_TTL) : TTL_DEFAULT;
}

static void put_ipv4(struct writer *w)
{
	unsigned protocol = (unsigned)value(w, TN_FIELD_IP_PROTO);
	unsigned frag = (unsigned)value(w, TN_FIELD_IP_FRAG);
	uint8_t *bytes = w->packet->bytes;
	uint32_t ip = w->packet->len, l4 = ip + 20, csum, len;
	uint64_t sum;

	put(w, 0x45, 1);
	put(w, traffic_class(w), 1);
	put(w, 0, 4);
	put(w, frag & 2 ? 1u : (frag & 1 ? TN_IPV4_MF : TN_IPV4_DF), 2);
	put(w, ttl(w), 1);
	put(w, protocol, 1);
	put(w, 0, 2);
	put(w, value(w, TN_FIELD_IPV4_SRC), 4);
	put(w, value(w, TN_FIELD_IPV4_DST), 4);
	csum = frag & 2 ? 0 : put_transport(w, protocol);
	len = w->packet->len - l4;
	patch16(w, ip + 2, 20 + len);
	patch_csum(w, ip + 10, tn_csum_add(0, bytes + ip, 20));
	if (!csum)
		return;
	sum = protocol == TN_IPPROTO_ICMP
		? 0
		: tn_csum_pseudo_ipv4(bytes + ip + 12, bytes + ip + 16, (uint8_t)protocol, len);
	patch_csum(w, l4 + csum, tn_csum_add(sum, bytes + l4, len));
}

static void put_ipv6(struct writer *w)
{
	unsigned protocol =
		has(w, TN_FIELD_IP_PROTO) ? (unsigned)value(w, TN_FIELD_IP_PROTO) : TN_IPPROTO_NONE;
	uint8_t *bytes = w->packet->bytes;
	uint32_t ip = w->packet->len, l4 = ip + 40, csum, len;

	put(w, 6u << 28 | traffic_class(w) << 20 | value(w, TN_FIELD_IPV6_FLABEL), 4);
	put(w, 0, 2);
	put(w, protocol, 1);
	put(w, ttl(w), 1);
	put(w, tn_match_value(w->match, TN_FIELD_IPV6_SRC), 16);
	put(w, tn_match_value(w->match, TN_FIELD_IPV6_DST), 16);
	csum = put_transport(w, protocol);
	len = w->packet->len - l4;
	patch16(w, ip + 4, len);
	if (csum)
		patch_csum(w, l4 + csum,
			tn_csum_add(tn_csum_pseudo_ipv6(bytes + ip + 8, bytes + ip + 24,
					    (uint8_t)protocol, len),
				bytes + l4, len));
}

/* --- what cannot be written ------------------------------------------------------------------- */

/* Fields that are about how a frame came, not in it. The trace itself takes the port and the
 * tunnel. */
static bool is_outside(enum tn_field_id id)
{
	if (id == TN_FIELD_TUNNEL_ID || id == TN_FIELD_TUN_SRC || id == TN_FIELD_TUN_DST)
		return false;
	return (id >= TN_FIELD_IN_PHY_PORT && id <= TN_FIELD_REG15) || id == TN_FIELD_IPV6_EXTHDR;
}

static int check_fields(const struct tn_match *match)
{
	uint64_t fields = tn_match_fields(match);

	for (unsigned id = 0; id < TN_N_FIELDS; id++) {
		if (!(fields >> id & 1) || !is_outside((enum tn_field_id)id))
			continue;
		tn_ctl_say("no frame brings %s: actions of an earlier table set it",
			tn_fields[id].name);
		return -1;
	}
	return 0;
}

int tn_ctl_packet_from_match(const struct tn_match *match, struct tn_ctl_packet *packet)
{
	struct writer w = {match, packet};

	*packet = (struct tn_ctl_packet){0};
	if (check_fields(match))
		return -1;
	put_ethernet(&w);
	switch (ethernet_type(&w)) {
	case TN_ETH_TYPE_IPV4:
		put_ipv4(&w);
		break;
	case TN_ETH_TYPE_IPV6:
		put_ipv6(&w);
		break;
	case TN_ETH_TYPE_ARP:
	case TN_ETH_TYPE_RARP:
		put_arp(&w);
		break;
	default:
		break;
	}
	if (packet->len < FRAME_MIN)
		packet->len = FRAME_MIN;
	return 0;
}

/* --- other sources ---------------------------------------------------------------------------- */

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int tn_ctl_packet_from_hex(const char *text, struct tn_ctl_packet *packet)
{
	*packet = (struct tn_ctl_packet){0};
	for (; *text; text += 2) {
		while (*text == ' ' || *text == ':')
			text++;
		if (!*text)
			break;
		if (digit(text[0]) < 0 || digit(text[1]) < 0) {
			tn_ctl_say("\"%.20s\": a frame is written in hex digits, two a byte", text);
			return -1;
		}
		if (packet->len == TN_CTL_FRAME_MAX) {
			tn_ctl_say("the frame is longer than %u bytes", TN_CTL_FRAME_MAX);
			return -1;
		}
		packet->bytes[packet->len++] = (uint8_t)(digit(text[0]) << 4 | digit(text[1]));
	}
	if (packet->len >= TN_ETH_LEN)
		return 0;
	tn_ctl_say("a frame has 14 bytes at least, this one %u", packet->len);
	return -1;
}

int tn_ctl_packet_from_capture(const char *path, unsigned number, struct tn_ctl_packet *packet)
{
	char errbuf[PCAP_ERRBUF_SIZE];
	pcap_t *pcap = pcap_open_offline(path, errbuf);
	struct pcap_pkthdr *header;
	const u_char *data;
	unsigned n = 0;
	int rc;

	if (!pcap) {
		tn_ctl_say("%s", errbuf);
		return -1;
	}
	while ((rc = pcap_next_ex(pcap, &header, &data)) == 1 && ++n < number)
		;
	if (rc != 1) {
		tn_ctl_say("%s has %u packets, no packet %u", path, n, number);
	} else if (pcap_datalink(pcap) != DLT_EN10MB) {
		tn_ctl_say("%s does not hold Ethernet frames", path);
		rc = -1;
	} else if (header->caplen > TN_CTL_FRAME_MAX || header->caplen < TN_ETH_LEN) {
		tn_ctl_say("packet %u of %s has %u bytes: 14 to %u can be traced", number, path,
			header->caplen, TN_CTL_FRAME_MAX);
		rc = -1;
	} else {
		memcpy(packet->bytes, data, header->caplen);
		packet->len = header->caplen;
	}
	pcap_close(pcap);
	return rc == 1 ? 0 : -1;
}

/* --- as text ---------------------------------------------------------------------------------- */

char *tn_ctl_packet_hex(const struct tn_ctl_packet *packet)
{
	static const char digits[] = "0123456789abcdef";
	char *text = malloc(2 * packet->len + 1), *at = text;

	if (!text)
		abort();
	for (uint32_t i = 0; i < packet->len; i++) {
		*at++ = digits[packet->bytes[i] >> 4];
		*at++ = digits[packet->bytes[i] & 15];
	}
	*at = '\0';
	return text;
}

static char *fields_text(struct tn_ctl *ctl, const struct tn_view *view, const struct tn_headers *h)
{
	struct tn_match match;
	struct tn_key key;

	tn_key_extract(view, h, &key);
	tn_match_init(&match);
	for (unsigned id = TN_FIELD_ETH_DST; id < TN_N_FIELDS; id++) {
		tn_u128 value = tn_field_get(&key, (enum tn_field_id)id);

		if (value && tn_field_present(&key, (enum tn_field_id)id) &&
			tn_match_prereq_ok(&match, (enum tn_field_id)id))
			tn_match_set_exact(&match, (enum tn_field_id)id, value);
	}
	return tn_ofctl_print_match(&match, ctl->options.names ? ctl->names : NULL);
}

/* Where the frame within VXLAN starts; 0: this is no VXLAN. */
static uint32_t inner_at(const struct tn_view *view, const struct tn_headers *h, uint32_t *vni)
{
	uint32_t at = h->l4 + 16u;
	const uint8_t *p = view->data;

	if (!h->l4 || view->len < at + TN_ETH_LEN || h->ip_proto != TN_IPPROTO_UDP ||
		(p[h->l4 + 2] << 8 | p[h->l4 + 3]) != TN_VXLAN_PORT || !(p[h->l4 + 8] & 8))
		return 0;
	*vni = (uint32_t)p[h->l4 + 12] << 16 | (uint32_t)p[h->l4 + 13] << 8 | p[h->l4 + 14];
	return at;
}

char *tn_ctl_packet_text(struct tn_ctl *ctl, const uint8_t *bytes, uint32_t len)
{
	const struct tn_view view = {
		.data = (uint8_t *)(uintptr_t)bytes, .len = len, .wire_len = len};
	char *text, *inner, *both;
	struct tn_headers h;
	uint32_t at, vni;

	if (tn_parse(&view, &h) != TN_DROP_NONE)
		return tn_ctl_path("no Ethernet frame");
	text = fields_text(ctl, &view, &h);
	if (!text)
		abort();
	at = inner_at(&view, &h, &vni);
	if (!at)
		return text;
	inner = tn_ctl_packet_text(ctl, bytes + at, len - at);
	both = tn_ctl_path("%s vxlan(vni=%" PRIu32 ",%s)", text, vni, inner);
	free(text);
	free(inner);
	return both;
}
