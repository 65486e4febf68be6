/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/core/parse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/core/packets.h"

/* A frame typed in as hex; blanks are for the reader. */
struct typed {
	uint8_t data[1024];
	struct tn_view view;
	struct tn_headers h;
	struct tn_key key;
};

#define MACS "020000000002 020000000001 "

static void type_frame(struct typed *t, const char *hex)
{
	uint32_t n = 0;

	memset(t, 0, sizeof(*t));
	for (; *hex; hex++) {
		uint8_t digit;

		if (*hex == ' ')
			continue;
		digit = (uint8_t)(*hex <= '9' ? *hex - '0' : *hex - 'a' + 10);
		t->data[n / 2] = (uint8_t)(t->data[n / 2] << 4 | digit);
		n++;
	}
	t->view.data = t->data;
	t->view.len = t->view.wire_len = n / 2;
}

static void parse_typed(struct typed *t)
{
	assert_int_equal(tn_parse(&t->view, &t->h), TN_DROP_NONE);
	tn_key_extract(&t->view, &t->h, &t->key);
}

static void parse_hex(struct typed *t, const char *hex)
{
	type_frame(t, hex);
	parse_typed(t);
}

/* The same frame with `bytes` captured. */
static void parse_cut(struct typed *t, const char *hex, uint32_t bytes)
{
	type_frame(t, hex);
	t->view.len = bytes;
	parse_typed(t);
}

static void test_runt(void **state)
{
	uint8_t data[TN_ETH_LEN] = {0};
	struct tn_view view = {.data = data};
	struct tn_headers h;

	(void)state;
	for (uint32_t len = 0; len < TN_ETH_LEN; len++) {
		view.len = view.wire_len = len;
		assert_int_equal(tn_parse(&view, &h), TN_DROP_RUNT);
		assert_int_equal(h.flags, TN_HDR_BAD);
		view.wire_len = 60;
		assert_int_equal(tn_parse(&view, &h), TN_DROP_RUNT);
		assert_int_equal(h.flags, TN_HDR_CUT);
		assert_int_equal(h.l3 | h.l4 | h.n_tags | h.eth_type, 0);
	}
	view.len = view.wire_len = TN_ETH_LEN;
	assert_int_equal(tn_parse(&view, &h), TN_DROP_NONE);
}

static void test_ethernet_type(void **state)
{
	struct typed t;

	(void)state;
	parse_hex(&t, MACS "88cc 0207");
	assert_int_equal(t.h.eth_type, 0x88cc);
	assert_int_equal(t.h.flags, 0);
	assert_int_equal(t.h.type_ofs, 12);
	assert_int_equal(tn_be16toh(t.key.eth_type), 0x88cc);
	assert_memory_equal(&t.key.eth_dst, "\x02\0\0\0\0\x02", 6);
	assert_memory_equal(&t.key.eth_src, "\x02\0\0\0\0\x01", 6);
	parse_hex(&t, MACS "0600");
	assert_int_equal(t.h.eth_type, 0x0600);
}

static void test_llc(void **state)
{
	struct typed t;

	(void)state;
	/* Spanning tree, padded: not a type, whatever the length reads as. */
	parse_hex(&t, MACS "0005 424203 0000 000000");
	assert_int_equal(t.h.eth_type, TN_ETH_TYPE_NONE);
	assert_int_equal(t.h.flags, 0);
	/* SNAP with OUI zero has a type, with another OUI none, below 0x600 none. */
	parse_hex(&t, MACS "0008 aaaa03 000000 88cc");
	assert_int_equal(t.h.eth_type, 0x88cc);
	parse_hex(&t, MACS "0008 aaaa03 00000c 2000");
	assert_int_equal(t.h.eth_type, TN_ETH_TYPE_NONE);
	parse_hex(&t, MACS "0008 aaaa03 000000 0500");
	assert_int_equal(t.h.eth_type, TN_ETH_TYPE_NONE);
	/* The length says that there is no room for SNAP. */
	parse_hex(&t, MACS "0007 aaaa03 000000 88cc");
	assert_int_equal(t.h.eth_type, TN_ETH_TYPE_NONE);
	assert_int_equal(t.h.flags, 0);
	/* Length beyond the frame. */
	parse_hex(&t, MACS "0009 aaaa03 000000 88cc");
	assert_int_equal(t.h.eth_type, TN_ETH_TYPE_NONE);
	assert_int_equal(t.h.flags, TN_HDR_BAD);
	parse_cut(&t, MACS "0008 aaaa03 000000 88cc", 20);
	assert_int_equal(t.h.eth_type, TN_ETH_TYPE_NONE);
	assert_int_equal(t.h.flags, TN_HDR_CUT);
}

#define ARP_10 "0001 0800 06 04 0001 0a0000000001 0a000001 000000000000 0a000002"

static void test_snap_bounds_what_is_inside(void **state)
{
	struct typed t;

	(void)state;
	parse_hex(&t, MACS "0024 aaaa03 000000 0806" ARP_10);
	assert_int_equal(t.h.flags, TN_HDR_ARP);
	assert_int_equal(t.h.l3, 22);
	assert_int_equal(t.h.type_ofs, 12);
	parse_hex(&t, MACS "0023 aaaa03 000000 0806" ARP_10);
	assert_int_equal(t.h.flags, TN_HDR_BAD);
	assert_int_equal(t.h.l3, 0);
}

static void test_tags(void **state)
{
	struct typed t;

	(void)state;
	/* DEI is dropped, the bit in its place says that there is a tag. */
	parse_hex(&t, MACS "8100 b064 88cc");
	assert_int_equal(t.h.n_tags, 1);
	assert_int_equal(t.h.type_ofs, 16);
	assert_int_equal(tn_be16toh(t.key.vlan_tci), 0xb064);
	assert_int_equal(tn_be16toh(t.key.inner_vlan_tci), 0);
	parse_hex(&t, MACS "8100 0000 88cc");
	assert_int_equal(tn_be16toh(t.key.vlan_tci), TN_VLAN_PRESENT);
	parse_hex(&t, MACS "88a8 f001 8100 2002 88cc");
	assert_int_equal(t.h.n_tags, 2);
	assert_int_equal(t.h.type_ofs, 20);
	assert_int_equal(t.h.eth_type, 0x88cc);
	assert_int_equal(tn_be16toh(t.key.vlan_tci), 0xf001);
	assert_int_equal(tn_be16toh(t.key.inner_vlan_tci), 0x3002);
	/* The third is the type, and hides what is behind it. */
	parse_hex(&t, MACS "8100 0001 8100 0002 8100 0003 0806" ARP_10);
	assert_int_equal(t.h.n_tags, 2);
	assert_int_equal(t.h.eth_type, 0x8100);
	assert_int_equal(t.h.l3, 0);
	assert_int_equal(t.h.flags, 0);
	/* A tag may hold an 802.3 length. */
	parse_hex(&t, MACS "8100 0001 0003 424203");
	assert_int_equal(t.h.eth_type, TN_ETH_TYPE_NONE);
	assert_int_equal(t.h.n_tags, 1);
}

static void test_tag_not_whole(void **state)
{
	struct typed t;

	(void)state;
	parse_hex(&t, MACS "8100 000a");
	assert_int_equal(t.h.n_tags, 0);
	assert_int_equal(t.h.eth_type, 0x8100);
	assert_int_equal(t.h.flags, TN_HDR_BAD);
	assert_int_equal(t.h.type_ofs, 12);
	parse_cut(&t, MACS "88a8 0001 8100 0002 88cc", 20);
	assert_int_equal(t.h.n_tags, 1);
	assert_int_equal(t.h.eth_type, 0x8100);
	assert_int_equal(t.h.flags, TN_HDR_CUT);
}

static void test_arp(void **state)
{
	struct typed t;

	(void)state;
	parse_hex(&t, MACS "0806" ARP_10 "0000 0000");
	assert_int_equal(t.h.flags, TN_HDR_ARP);
	assert_int_equal(t.h.l3, 14);
	assert_int_equal(tn_be16toh(t.key.arp_op), 1);
	assert_int_equal(tn_be32toh(t.key.ipv4_src), 0x0a000001);
	assert_int_equal(tn_be32toh(t.key.ipv4_dst), 0x0a000002);
	assert_memory_equal(&t.key.nd_sll, "\x0a\0\0\0\0\x01", 6);
	assert_memory_equal(&t.key.nd_tll, "\0\0\0\0\0\0", 6);
	parse_hex(&t,
		MACS "8035 0001 0800 06 04 0103 0a0000000001 0a000001 "
		     "0a0000000009 0a000002");
	assert_int_equal(t.h.flags, TN_HDR_ARP);
	assert_int_equal(tn_be16toh(t.key.arp_op), 0x0103);
	assert_memory_equal(&t.key.nd_tll, "\x0a\0\0\0\0\x09", 6);
}

static void test_arp_of_other_kinds(void **state)
{
	static const char *const hex[] = {
		"0006 0800 06 04 0001 0a0000000001 0a000001 000000000000 0a000002",
		"0001 86dd 06 04 0001 0a0000000001 0a000001 000000000000 0a000002",
		"0001 0800 08 04 0001 0a0000000001 0a000001 000000000000 0a000002",
		"0001 0800 06 10 0001 0a0000000001 0a000001 000000000000 0a000002",
	};
	struct typed t;
	char frame[200];

	(void)state;
	for (unsigned i = 0; i < TN_ARRAY_SIZE(hex); i++) {
		strcpy(frame, MACS "0806");
		strcat(frame, hex[i]);
		parse_hex(&t, frame);
		assert_int_equal(t.h.flags, 0);
		assert_int_equal(t.h.l3, 0);
		assert_int_equal(t.key.arp_op.raw, 0);
	}
	parse_hex(&t, MACS "0806 0001 0800 06 04 0001 0a0000000001 0a000001 000000000000 0a0000");
	assert_int_equal(t.h.flags, TN_HDR_BAD);
	parse_cut(&t, MACS "0806" ARP_10, 41);
	assert_int_equal(t.h.flags, TN_HDR_CUT);
	assert_int_equal(t.h.l3, 0);
}

/* IPv4 with total length 28 and 8 bytes of UDP. */
#define IP4(frag, proto) "4500 001c 0001" frag "40" proto "0000 0a000001 0a000002 "
#define UDP8		 "03e8 07d0 0008 0000"

static void test_ipv4(void **state)
{
	struct typed t;

	(void)state;
	parse_hex(&t, MACS "0800" IP4("4000", "11") UDP8 "0000");
	assert_int_equal(t.h.flags, TN_HDR_IPV4 | TN_HDR_UDP);
	assert_int_equal(t.h.l3, 14);
	assert_int_equal(t.h.l3_len, 28);
	assert_int_equal(t.h.l4, 34);
	assert_int_equal(t.h.ip_frag, 0);
	assert_int_equal(t.key.ip_proto, 17);
	assert_int_equal(t.key.ip_ttl, 64);
	assert_int_equal(tn_be32toh(t.key.ipv4_src), 0x0a000001);
	assert_int_equal(tn_be16toh(t.key.tp_src), 1000);
	assert_int_equal(tn_be16toh(t.key.tp_dst), 2000);
	assert_int_equal(t.key.tcp_flags.raw, 0);
}

static void test_ipv4_malformed(void **state)
{
	static const char *const hex[] = {
		"5500 001c 0001 0000 4011 0000 0a000001 0a000002" UDP8, /* version */
		"4400 001c 0001 0000 4011 0000 0a000001 0a000002" UDP8, /* header of 16 bytes */
		"4000 001c 0001 0000 4011 0000 0a000001 0a000002" UDP8, /* header of 0 bytes */
		"4500 0013 0001 0000 4011 0000 0a000001 0a000002" UDP8, /* total below header */
		"4500 0000 0001 0000 4011 0000 0a000001 0a000002" UDP8,
		"4500 001d 0001 0000 4011 0000 0a000001 0a000002" UDP8, /* total beyond frame */
		"4800 001c 0001 0000 4011 0000 0a000001 0a000002" UDP8, /* options beyond total */
		"4500 001c 0001 0000 4011 0000 0a000001 0a0000",
	};
	struct typed t;
	char frame[200];

	(void)state;
	for (unsigned i = 0; i < TN_ARRAY_SIZE(hex); i++) {
		strcpy(frame, MACS "0800");
		strcat(frame, hex[i]);
		parse_hex(&t, frame);
		assert_int_equal(t.h.flags, TN_HDR_BAD);
		assert_int_equal(t.h.l3 | t.h.l4 | t.h.ip_proto, 0);
		assert_int_equal(t.key.ipv4_src.raw, 0);
		assert_int_equal(tn_be16toh(t.key.eth_type), 0x0800);
	}
}

static void test_ipv4_options_are_skipped(void **state)
{
	const char *hex = MACS "0800 4600 0020 0001 0000 4011 0000 0a000001 0a000002 01010101" UDP8;
	struct typed t;

	(void)state;
	parse_hex(&t, hex);
	assert_int_equal(t.h.flags, TN_HDR_IPV4 | TN_HDR_UDP);
	assert_int_equal(t.h.l4, 38);
	/* Cut in the options: the header is not whole. */
	parse_cut(&t, hex, 36);
	assert_int_equal(t.h.flags, TN_HDR_CUT);
	assert_int_equal(t.h.l3, 0);
	parse_cut(&t, hex, 38);
	assert_int_equal(t.h.flags, TN_HDR_IPV4 | TN_HDR_CUT);
	assert_int_equal(t.h.l4, 0);
}

static void test_ipv4_fragments(void **state)
{
	struct typed t;

	(void)state;
	/* First: the UDP length may count what comes later. */
	parse_hex(&t, MACS "0800" IP4("2000", "11") "03e8 07d0 0108 0000");
	assert_int_equal(t.h.flags, TN_HDR_IPV4 | TN_HDR_UDP);
	assert_int_equal(t.key.ip_frag, TN_FRAG_ANY);
	/* Middle and last. */
	parse_hex(&t, MACS "0800" IP4("2001", "11") UDP8);
	assert_int_equal(t.h.flags, TN_HDR_IPV4);
	assert_int_equal(t.key.ip_frag, TN_FRAG_ANY | TN_FRAG_LATER);
	assert_int_equal(t.h.l4, 0);
	assert_int_equal(t.key.tp_src.raw, 0);
	assert_int_equal(t.key.ip_proto, 17);
	parse_hex(&t, MACS "0800" IP4("1fff", "11") UDP8);
	assert_int_equal(t.key.ip_frag, TN_FRAG_ANY | TN_FRAG_LATER);
	/* The reserved bit is no fragment. */
	parse_hex(&t, MACS "0800" IP4("8000", "11") UDP8);
	assert_int_equal(t.key.ip_frag, 0);
	/* Not even the header in the first fragment. */
	parse_hex(&t, MACS "0800" IP4("2000", "06") UDP8);
	assert_int_equal(t.h.flags, TN_HDR_IPV4 | TN_HDR_BAD);
}

static void test_padding_is_not_payload(void **state)
{
	struct typed t;

	(void)state;
	/* TCP's 20 bytes are in the frame, but not in the IP packet. */
	parse_hex(
		&t, MACS "0800" IP4("0000", "06") "03e8 07d0 0000000100000000 5002 ffff 0000 0000");
	assert_int_equal(t.h.flags, TN_HDR_IPV4 | TN_HDR_BAD);
	assert_int_equal(t.h.l4, 0);
}

#define TCP_IP "4500 002c 0001 0000 4006 0000 0a000001 0a000002 "

static void test_tcp(void **state)
{
	struct typed t;

	(void)state;
	parse_hex(
		&t, MACS "0800" TCP_IP "03e8 07d0 00000001 00000002 6f12 ffff 0000 0000 020405b4");
	assert_int_equal(t.h.flags, TN_HDR_IPV4 | TN_HDR_TCP);
	assert_int_equal(tn_be16toh(t.key.tcp_flags), 0xf12);
	assert_int_equal(tn_be16toh(t.key.tp_dst), 2000);
	/* Data offset below the header, and beyond the segment. */
	parse_hex(
		&t, MACS "0800" TCP_IP "03e8 07d0 00000001 00000002 4002 ffff 0000 0000 020405b4");
	assert_int_equal(t.h.flags, TN_HDR_IPV4 | TN_HDR_BAD);
	parse_hex(
		&t, MACS "0800" TCP_IP "03e8 07d0 00000001 00000002 7002 ffff 0000 0000 020405b4");
	assert_int_equal(t.h.flags, TN_HDR_IPV4 | TN_HDR_BAD);
	/* Options may be cut off, the header may not. */
	parse_cut(&t, MACS "0800" TCP_IP "03e8 07d0 00000001 00000002 6002 ffff 0000 0000 020405b4",
		54);
	assert_int_equal(t.h.flags, TN_HDR_IPV4 | TN_HDR_TCP);
	parse_cut(&t, MACS "0800" TCP_IP "03e8 07d0 00000001 00000002 6002 ffff 0000 0000 020405b4",
		53);
	assert_int_equal(t.h.flags, TN_HDR_IPV4 | TN_HDR_CUT);
	assert_int_equal(t.key.tp_src.raw, 0);
	assert_int_equal(t.key.ip_proto, 6);
}

static void test_udp_length(void **state)
{
	struct typed t;

	(void)state;
	parse_hex(&t, MACS "0800" IP4("0000", "11") "03e8 07d0 0007 0000");
	assert_int_equal(t.h.flags, TN_HDR_IPV4 | TN_HDR_BAD);
	parse_hex(&t, MACS "0800" IP4("0000", "11") "03e8 07d0 0009 0000");
	assert_int_equal(t.h.flags, TN_HDR_IPV4 | TN_HDR_BAD);
	/* Shorter than IP's payload is allowed. */
	parse_hex(&t, MACS "0800 4500 0020 0001 0000 4011 0000 0a000001 0a000002" UDP8 "00000000");
	assert_int_equal(t.h.flags, TN_HDR_IPV4 | TN_HDR_UDP);
}

static void test_sctp_and_icmp(void **state)
{
	struct typed t;

	(void)state;
	parse_hex(&t,
		MACS "0800 4500 0020 0001 0000 4084 0000 0a000001 0a000002 "
		     "03e8 07d0 00000001 00000000");
	assert_int_equal(t.h.flags, TN_HDR_IPV4 | TN_HDR_SCTP);
	assert_int_equal(tn_be16toh(t.key.tp_src), 1000);
	parse_hex(&t, MACS "0800" IP4("0000", "84") "03e8 07d0 00000001");
	assert_int_equal(t.h.flags, TN_HDR_IPV4 | TN_HDR_BAD);
	parse_hex(&t, MACS "0800" IP4("0000", "01") "0804 1234 00010001");
	assert_int_equal(t.h.flags, TN_HDR_IPV4 | TN_HDR_ICMPV4);
	assert_int_equal(tn_be16toh(t.key.tp_src), 8);
	assert_int_equal(tn_be16toh(t.key.tp_dst), 4);
	/* The other IP version's ICMP, and a protocol without fields. */
	parse_hex(&t, MACS "0800" IP4("0000", "3a") "8000 1234 00010001");
	assert_int_equal(t.h.flags, TN_HDR_IPV4);
	assert_int_equal(t.key.tp_src.raw, 0);
	parse_hex(&t, MACS "0800" IP4("0000", "2f") "0000 0800 00010001");
	assert_int_equal(t.h.flags, TN_HDR_IPV4);
	assert_int_equal(t.key.ip_proto, 47);
	assert_int_equal(t.h.l4, 0);
}

#define ADDR6	       "20010db8000000000000000000000001 20010db8000000000000000000000002 "
#define IP6(len, next) "6ab12345" len next "40" ADDR6

static void test_ipv6(void **state)
{
	struct typed t;

	(void)state;
	parse_hex(&t, MACS "86dd" IP6("0008", "11") UDP8);
	assert_int_equal(t.h.flags, TN_HDR_IPV6 | TN_HDR_UDP);
	assert_int_equal(t.h.l3_len, 48);
	assert_int_equal(t.h.l4, 54);
	assert_int_equal(t.key.ip_tos, 0xab);
	assert_int_equal(t.key.ip_ttl, 64);
	assert_int_equal(tn_be32toh(t.key.ipv6_flabel), 0x12345);
	assert_int_equal(t.key.ipv6_exthdr.raw, 0);
	assert_memory_equal(&t.key.ipv6_src, t.data + 22, 16);
	assert_memory_equal(&t.key.ipv6_dst, t.data + 38, 16);
	/* IPv4's ICMP is not IPv6's. */
	parse_hex(&t, MACS "86dd" IP6("0008", "01") UDP8);
	assert_int_equal(t.h.flags, TN_HDR_IPV6);
	/* Length, version, nothing there. */
	parse_hex(&t, MACS "86dd" IP6("0009", "11") UDP8);
	assert_int_equal(t.h.flags, TN_HDR_BAD);
	parse_hex(&t, MACS "86dd 40000000 0008 11 40" ADDR6 UDP8);
	assert_int_equal(t.h.flags, TN_HDR_BAD);
	parse_hex(&t, MACS "86dd 60000000 0008 11 40");
	assert_int_equal(t.h.flags, TN_HDR_BAD);
	parse_hex(&t, MACS "86dd" IP6("0000", "3b"));
	assert_int_equal(t.h.flags, TN_HDR_IPV6);
	assert_int_equal(t.h.l3_len, 40);
	assert_int_equal(tn_be16toh(t.key.ipv6_exthdr), TN_EXTHDR_NONEXT);
}

/* Extension headers of 8 bytes with the next one's number. */
#define HOP(next)	   next "00 010400000000 "
#define DEST(next)	   next "00 010400000000 "
#define ROUTING(next, seg) next "00 00" seg "00000000 "
#define FRAG(next, ofs)	   next "00" ofs "00000007 "
#define AH(next)	   next "04 0000 00000001 00000001 000000000000000000000000 "

struct chain {
	const char *hex; /* from the IPv6 header on */
	uint16_t exthdr, flags;
	uint8_t proto, frag;
};

static void check_chains(const struct chain *chains, unsigned n)
{
	struct typed t;
	char frame[600];

	for (unsigned i = 0; i < n; i++) {
		strcpy(frame, MACS "86dd");
		strcat(frame, chains[i].hex);
		parse_hex(&t, frame);
		if (t.h.exthdr != chains[i].exthdr || t.h.flags != chains[i].flags ||
			t.key.ip_proto != chains[i].proto || t.key.ip_frag != chains[i].frag)
			fail_msg("chain %u: exthdr 0x%x flags 0x%x proto %u frag %u", i, t.h.exthdr,
				t.h.flags, t.key.ip_proto, t.key.ip_frag);
	}
}

#define E(x) TN_EXTHDR_##x
#define OK6  (TN_HDR_IPV6 | TN_HDR_UDP)

static void test_extension_headers(void **state)
{
	static const struct chain chains[] = {
		{IP6("0010", "00") HOP("11") UDP8, E(HOP), OK6, 17, 0},
		{IP6("0010", "3c") DEST("11") UDP8, E(DEST), OK6, 17, 0},
		{IP6("0010", "2b") ROUTING("11", "00") UDP8, E(ROUTER), OK6, 17, 0},
		{IP6("0010", "2b") ROUTING("11", "01") UDP8, E(ROUTER), OK6 | TN_HDR_ROUTING, 17,
			0},
		{IP6("0020", "33") AH("11") UDP8, E(AUTH), OK6, 17, 0},
		{IP6("0008", "32") "00000001 00000001", E(ESP), TN_HDR_IPV6, 50, 0},
		{IP6("0010", "00") HOP("3b") UDP8, E(HOP) | E(NONEXT), TN_HDR_IPV6, 59, 0},
		/* All of them, in RFC 8200's order. */
		{IP6("0048", "00") HOP("3c") DEST("2b") ROUTING("2c", "00") FRAG("33", "0000")
				AH("3c") DEST("11") UDP8,
			E(HOP) | E(DEST) | E(ROUTER) | E(FRAG) | E(AUTH), OK6, 17, 0},
	};

	(void)state;
	check_chains(chains, TN_ARRAY_SIZE(chains));
}

static void test_extension_header_order(void **state)
{
	static const struct chain chains[] = {
		/* Destination options twice are normal, three times are not. */
		{IP6("0018", "3c") DEST("3c") DEST("11") UDP8, E(DEST), OK6, 17, 0},
		{IP6("0020", "3c") DEST("3c") DEST("3c") DEST("11") UDP8, E(DEST) | E(UNREP), OK6,
			17, 0},
		{IP6("0018", "2b") ROUTING("2b", "00") ROUTING("11", "00") UDP8,
			E(ROUTER) | E(UNREP), OK6, 17, 0},
		{IP6("0018", "2c") FRAG("2b", "0000") ROUTING("11", "00") UDP8,
			E(ROUTER) | E(FRAG) | E(UNSEQ), OK6, 17, 0},
		{IP6("0028", "33") AH("2b") ROUTING("11", "00") UDP8,
			E(ROUTER) | E(AUTH) | E(UNSEQ), OK6, 17, 0},
		{IP6("0020", "2b") ROUTING("3c", "00") DEST("2c") FRAG("11", "0000") UDP8,
			E(ROUTER) | E(DEST) | E(FRAG) | E(UNSEQ), OK6, 17, 0},
		{IP6("0018", "2b") ROUTING("3c", "00") DEST("32") "00000001 00000001",
			E(ROUTER) | E(DEST) | E(ESP) | E(UNSEQ), TN_HDR_IPV6, 50, 0},
		/* Hop-by-hop has one place. */
		{IP6("0018", "3c") DEST("00") HOP("11") UDP8, E(DEST) | E(UNSEQ), OK6, 17, 0},
		{IP6("0018", "00") HOP("00") HOP("11") UDP8, E(HOP) | E(UNREP) | E(UNSEQ), OK6, 17,
			0},
	};

	(void)state;
	check_chains(chains, TN_ARRAY_SIZE(chains));
}

static void test_ipv6_fragments(void **state)
{
	static const struct chain chains[] = {
		/* Atomic: no fragment, reserved bits do not make it one. */
		{IP6("0010", "2c") FRAG("11", "0000") UDP8, E(FRAG), OK6, 17, 0},
		{IP6("0010", "2c") FRAG("11", "0006") UDP8, E(FRAG), OK6, 17, 0},
		{IP6("0010", "2c") FRAG("11", "0001") UDP8, E(FRAG), OK6, 17, TN_FRAG_ANY},
		{IP6("0010", "2c") FRAG("11", "0008") UDP8, E(FRAG), TN_HDR_IPV6, 17,
			TN_FRAG_ANY | TN_FRAG_LATER},
		/* What a later fragment starts with is no header, whatever its number. */
		{IP6("0010", "2c") FRAG("3c", "0009") UDP8, E(FRAG), TN_HDR_IPV6, 60,
			TN_FRAG_ANY | TN_FRAG_LATER},
	};

	(void)state;
	check_chains(chains, TN_ARRAY_SIZE(chains));
}

static void test_extension_headers_malformed(void **state)
{
	static const struct chain chains[] = {
		{IP6("0004", "00") "11000104", 0, TN_HDR_BAD, 0, 0},
		{IP6("0010", "00") "11ff 010400000000" UDP8, 0, TN_HDR_BAD, 0, 0},
		{IP6("0010", "33") "1100 000000000000" UDP8, 0, TN_HDR_BAD, 0, 0},
		{IP6("0008", "2b") "11 00 00 01 00000000", E(ROUTER),
			TN_HDR_IPV6 | TN_HDR_ROUTING | TN_HDR_BAD, 17, 0},
		{IP6("0008", "2b") "11 01 00 01 00000000", 0, TN_HDR_BAD, 0, 0},
		/* Nine headers. */
		{IP6("0050", "3c") DEST("3c") DEST("3c") DEST("3c") DEST("3c") DEST("3c") DEST("3c")
				DEST("3c") DEST("3c") DEST("11") UDP8,
			0, TN_HDR_BAD, 0, 0},
		{IP6("0048", "3c") DEST("3c") DEST("3c") DEST("3c") DEST("3c") DEST("3c") DEST("3c")
				DEST("3c") DEST("11") UDP8,
			E(DEST) | E(UNREP), OK6, 17, 0},
	};
	struct typed t;

	(void)state;
	check_chains(chains, TN_ARRAY_SIZE(chains));
	parse_cut(&t, MACS "86dd" IP6("0010", "00") HOP("11") UDP8, 60);
	assert_int_equal(t.h.flags, TN_HDR_CUT);
	assert_int_equal(t.h.l3 | t.h.exthdr, 0);
	parse_cut(&t, MACS "86dd" IP6("0010", "00") HOP("11") UDP8, 62);
	assert_int_equal(t.h.flags, TN_HDR_CUT | TN_HDR_IPV6);
}

static void test_jumbogram(void **state)
{
	struct typed t;

	(void)state;
	/* 65552 bytes on the wire, a few of them here. */
	type_frame(&t,
		MACS "86dd" IP6("0000", "00") "0600 c204 00010010"
					      "03e8 07d0 00000001 "
					      "00000002 5002 ffff 0000 0000");
	t.view.wire_len = 54 + 0x10010;
	parse_typed(&t);
	assert_int_equal(t.h.flags, TN_HDR_IPV6 | TN_HDR_TCP);
	assert_int_equal(t.h.l3_len, 40 + 0x10010);
	t.view.wire_len--;
	parse_typed(&t);
	assert_int_equal(t.h.flags, TN_HDR_BAD);
	/* Length zero without the option, and the option with a length that needs none. */
	parse_hex(&t, MACS "86dd" IP6("0000", "00") HOP("11") UDP8);
	assert_int_equal(t.h.flags, TN_HDR_BAD);
	parse_hex(&t, MACS "86dd" IP6("0000", "00") "1100 c204 00000010" UDP8);
	assert_int_equal(t.h.flags, TN_HDR_BAD);
	parse_hex(&t, MACS "86dd" IP6("0000", "00") "1100 0000 c202 0010" UDP8);
	assert_int_equal(t.h.flags, TN_HDR_BAD);
	parse_hex(&t, MACS "86dd" IP6("0000", "00") "1100 0000 0000 00c2" UDP8);
	assert_int_equal(t.h.flags, TN_HDR_BAD);
	parse_hex(&t, MACS "86dd" IP6("0000", "00"));
	assert_int_equal(t.h.flags, TN_HDR_BAD);
	parse_cut(&t, MACS "86dd" IP6("0000", "00") "1100 c204 00010010" UDP8, 58);
	assert_int_equal(t.h.flags, TN_HDR_CUT);
}

#define TARGET	"fe800000000000000000000000000099 "
#define NS	"8700 0000 00000000" TARGET
#define NA	"8800 0000 60000000" TARGET
#define ICMP_OK (TN_HDR_IPV6 | TN_HDR_ICMPV6)

static void test_neighbour_discovery(void **state)
{
	struct typed t;

	(void)state;
	parse_hex(&t, MACS "86dd" IP6("0020", "3a") NS "0101 0a0b0c0d0e0f");
	assert_int_equal(t.h.flags, ICMP_OK | TN_HDR_ND);
	assert_int_equal(tn_be16toh(t.key.tp_src), 135);
	assert_memory_equal(&t.key.nd_target, t.data + 62, 16);
	assert_memory_equal(&t.key.nd_sll, "\x0a\x0b\x0c\x0d\x0e\x0f", 6);
	assert_int_equal(t.h.nd_sll, 80);
	assert_int_equal(t.h.nd_tll, 0);
	/* Behind another option. */
	parse_hex(&t,
		MACS "86dd" IP6("0030", "3a") NA "0e02 0102030405060708090a0b0c0d0e "
						 "0201 0a0b0c0d0e0f");
	assert_int_equal(t.h.flags, ICMP_OK | TN_HDR_ND);
	assert_memory_equal(&t.key.nd_tll, "\x0a\x0b\x0c\x0d\x0e\x0f", 6);
	assert_memory_equal(&t.key.nd_sll, "\0\0\0\0\0\0", 6);
	/* No options, and an option that belongs to the other message. */
	parse_hex(&t, MACS "86dd" IP6("0018", "3a") NS);
	assert_int_equal(t.h.flags, ICMP_OK | TN_HDR_ND);
	parse_hex(&t, MACS "86dd" IP6("0020", "3a") NS "0201 0a0b0c0d0e0f");
	assert_int_equal(t.h.flags, ICMP_OK | TN_HDR_ND);
	assert_int_equal(t.h.nd_sll | t.h.nd_tll, 0);
	/* An address of another kind of link. */
	parse_hex(&t, MACS "86dd" IP6("0028", "3a") NS "0102 0a0b0c0d0e0f 0000000000000000");
	assert_int_equal(t.h.flags, ICMP_OK | TN_HDR_ND);
	assert_int_equal(t.h.nd_sll, 0);
	/* Other ICMPv6. */
	parse_hex(&t, MACS "86dd" IP6("0008", "3a") "8001 0000 00000000");
	assert_int_equal(t.h.flags, ICMP_OK);
	assert_int_equal(tn_be16toh(t.key.tp_src), 128);
	assert_int_equal(tn_be16toh(t.key.tp_dst), 1);
	parse_hex(&t, MACS "86dd" IP6("0003", "3a") "800100");
	assert_int_equal(t.h.flags, TN_HDR_IPV6 | TN_HDR_BAD);
}

static void test_neighbour_discovery_malformed(void **state)
{
	struct typed t;
	char frame[1024];

	(void)state;
	parse_hex(&t,
		MACS "86dd" IP6("0017", "3a") "8700 0000 00000000"
					      "fe8000000000000000000000000000");
	assert_int_equal(t.h.flags, ICMP_OK | TN_HDR_BAD);
	assert_memory_equal(&t.key.nd_target, &(struct tn_ip6){{0}}, 16);
	/* Option of length zero, too long, not whole, twice. */
	parse_hex(&t, MACS "86dd" IP6("0020", "3a") NS "0100 0a0b0c0d0e0f");
	assert_int_equal(t.h.flags, ICMP_OK | TN_HDR_BAD);
	parse_hex(&t, MACS "86dd" IP6("0020", "3a") NS "0102 0a0b0c0d0e0f");
	assert_int_equal(t.h.flags, ICMP_OK | TN_HDR_BAD);
	parse_hex(&t, MACS "86dd" IP6("001f", "3a") NS "0101 0a0b0c0d0e");
	assert_int_equal(t.h.flags, ICMP_OK | TN_HDR_BAD);
	parse_hex(&t, MACS "86dd" IP6("0028", "3a") NS "0101 0a0b0c0d0e0f 0101 0a0b0c0d0e0f");
	assert_int_equal(t.h.flags, ICMP_OK | TN_HDR_BAD);
	assert_int_equal(t.h.nd_sll, 0);
	assert_memory_equal(&t.key.nd_sll, "\0\0\0\0\0\0", 6);
	/* Cut in the options. */
	parse_cut(&t, MACS "86dd" IP6("0020", "3a") NS "0101 0a0b0c0d0e0f", 80);
	assert_int_equal(t.h.flags, ICMP_OK | TN_HDR_CUT);
	assert_int_equal(tn_be16toh(t.key.tp_src), 135);
	/* 17 options. */
	strcpy(frame, MACS "86dd" IP6("00a0", "3a") NS);
	for (unsigned i = 0; i < 17; i++)
		strcat(frame, "0e01 010203040506");
	parse_hex(&t, frame);
	assert_int_equal(t.h.flags, ICMP_OK | TN_HDR_BAD);
}

static void expect_l4(const struct packet *p, const struct frame *f, struct tn_key *key)
{
	uint8_t proto = packet_l4(p);
	unsigned seen = f->view.len;
	bool nd = packet_is_nd(p) && seen >= f->l4_end;

	if (!f->l4 || !proto)
		return;
	if (proto == TN_IPPROTO_ICMPV6 ? seen < f->l4 + 4 : seen < f->l4_end)
		return;
	if (proto == TN_IPPROTO_ICMP || proto == TN_IPPROTO_ICMPV6) {
		key->tp_src = tn_htobe16(p->icmp_type);
		key->tp_dst = tn_htobe16(p->icmp_code);
	} else {
		key->tp_src = tn_htobe16(p->sport);
		key->tp_dst = tn_htobe16(p->dport);
	}
	if (proto == TN_IPPROTO_TCP)
		key->tcp_flags = tn_htobe16(p->tcp_flags);
	if (!nd)
		return;
	key->nd_target = tn_u128_to_ip6(p->nd_target);
	if (p->icmp_type == TN_ICMPV6_NS && p->nd_option == TN_ND_SLL)
		tn_field_set(key, TN_FIELD_ND_SLL, p->nd_mac);
	if (p->icmp_type == TN_ICMPV6_NA && p->nd_option == TN_ND_TLL)
		tn_field_set(key, TN_FIELD_ND_TLL, p->nd_mac);
}

static void expect_ip(const struct packet *p, const struct frame *f, struct tn_key *key)
{
	uint16_t exthdr = (p->hop ? E(HOP) : 0) | (p->routing ? E(ROUTER) : 0) |
		(p->frag_hdr ? E(FRAG) : 0) | (p->dest && !p->frag_ofs ? E(DEST) : 0);

	key->ip_tos = p->tos;
	key->ip_ttl = p->ttl;
	key->ip_proto = p->proto;
	if (p->fragment)
		key->ip_frag = p->frag_ofs ? TN_FRAG_ANY | TN_FRAG_LATER : TN_FRAG_ANY;
	if (p->l3 == L3_IPV4) {
		key->ipv4_src = tn_htobe32((uint32_t)p->src);
		key->ipv4_dst = tn_htobe32((uint32_t)p->dst);
	} else {
		key->ipv6_src = tn_u128_to_ip6(p->src);
		key->ipv6_dst = tn_u128_to_ip6(p->dst);
		key->ipv6_flabel = tn_htobe32(p->flabel);
		key->ipv6_exthdr = tn_htobe16(exthdr);
	}
	expect_l4(p, f, key);
}

static void expect_key(const struct packet *p, const struct frame *f, struct tn_key *key)
{
	static const uint16_t types[] = {0x88cc, 0x0806, 0x0800, 0x86dd};
	unsigned seen = f->view.len;
	uint16_t type = p->l3 == L3_OTHER ? p->eth_type : types[p->l3];

	memset(key, 0, sizeof(*key));
	tn_field_set(key, TN_FIELD_ETH_DST, p->eth_dst);
	tn_field_set(key, TN_FIELD_ETH_SRC, p->eth_src);
	for (unsigned i = 0; i < p->n_tags; i++) {
		if (i == 2 || seen < 18 + 4 * i) {
			key->eth_type = tn_htobe16(p->tpid[i]);
			return;
		}
		*(i ? &key->inner_vlan_tci : &key->vlan_tci) =
			tn_htobe16(p->tci[i] | TN_VLAN_PRESENT);
	}
	if (p->snap && seen < f->l3)
		type = TN_ETH_TYPE_NONE;
	key->eth_type = tn_htobe16(type);
	if (p->l3 == L3_ARP && seen >= f->l3 + 28) {
		key->arp_op = tn_htobe16(p->arp_op);
		tn_field_set(key, TN_FIELD_ARP_SHA, p->arp_sha);
		tn_field_set(key, TN_FIELD_ARP_THA, p->arp_tha);
		tn_field_set(key, TN_FIELD_ARP_SPA, p->arp_spa);
		tn_field_set(key, TN_FIELD_ARP_TPA, p->arp_tpa);
	} else if ((p->l3 == L3_IPV4 || p->l3 == L3_IPV6) && seen >= f->l3_end) {
		expect_ip(p, f, key);
	}
}

/* Whole frames, and each of them cut short at a random place. */
static void test_random_packets(void **state)
{
	static struct frame f;
	struct rng r = {7};

	(void)state;
	for (unsigned round = 0; round < 100000; round++) {
		struct tn_key key, expected;
		struct tn_headers h;
		struct packet p;

		packet_random(&p, &r);
		if (rng_below(&r, 2))
			p.cut = 14 + rng_below(&r, 120);
		packet_build(&p, &f);
		assert_int_equal(tn_parse(&f.view, &h), TN_DROP_NONE);
		memset(&key, 0xee, sizeof(key));
		tn_key_extract(&f.view, &h, &key);
		expect_key(&p, &f, &expected);
		if (memcmp(&key, &expected, sizeof(key)) != 0)
			fail_msg("round %u: the key differs", round);
		assert_int_equal(h.flags & TN_HDR_BAD, 0);
		if (f.view.len == f.view.wire_len)
			assert_int_equal(h.flags & TN_HDR_CUT, 0);
	}
}

/* Any bytes in a buffer of just their size: a sanitizer sees the first one too many. */
static void test_random_bytes_stay_inside(void **state)
{
	static const uint16_t types[] = {0x0800, 0x86dd, 0x0806, 0x8100};
	struct rng r = {8};

	(void)state;
	for (unsigned round = 0; round < 100000; round++) {
		uint32_t len = 14 + rng_below(&r, 130);
		uint8_t *data = malloc(len);
		struct tn_view view = {.data = data, .len = len, .wire_len = len};
		struct tn_headers h;
		struct tn_key key;
		uint16_t type = types[rng_below(&r, 4)];

		assert_non_null(data);
		for (uint32_t i = 0; i < len; i++)
			data[i] = (uint8_t)(rng_below(&r, 3) ? rng_below(&r, 64) : rng_next(&r));
		data[12] = (uint8_t)(type >> 8);
		data[13] = (uint8_t)type;
		if (len > 14 && rng_below(&r, 4))
			data[14] = type == 0x0800 ? 0x45 : 0x60;
		view.wire_len += rng_below(&r, 100);
		assert_int_equal(tn_parse(&view, &h), TN_DROP_NONE);
		tn_key_extract(&view, &h, &key);
		assert_true(h.l3 <= len && h.l4 <= len && h.nd_sll + 6u <= len + 6u);
		free(data);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_runt),
		cmocka_unit_test(test_ethernet_type),
		cmocka_unit_test(test_llc),
		cmocka_unit_test(test_snap_bounds_what_is_inside),
		cmocka_unit_test(test_tags),
		cmocka_unit_test(test_tag_not_whole),
		cmocka_unit_test(test_arp),
		cmocka_unit_test(test_arp_of_other_kinds),
		cmocka_unit_test(test_ipv4),
		cmocka_unit_test(test_ipv4_malformed),
		cmocka_unit_test(test_ipv4_options_are_skipped),
		cmocka_unit_test(test_ipv4_fragments),
		cmocka_unit_test(test_padding_is_not_payload),
		cmocka_unit_test(test_tcp),
		cmocka_unit_test(test_udp_length),
		cmocka_unit_test(test_sctp_and_icmp),
		cmocka_unit_test(test_ipv6),
		cmocka_unit_test(test_extension_headers),
		cmocka_unit_test(test_extension_header_order),
		cmocka_unit_test(test_ipv6_fragments),
		cmocka_unit_test(test_extension_headers_malformed),
		cmocka_unit_test(test_jumbogram),
		cmocka_unit_test(test_neighbour_discovery),
		cmocka_unit_test(test_neighbour_discovery_malformed),
		cmocka_unit_test(test_random_packets),
		cmocka_unit_test(test_random_bytes_stay_inside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
