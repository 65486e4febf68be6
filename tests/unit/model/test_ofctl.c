/* SPDX-License-Identifier: BSD-3-Clause */
/* Flows in ovs-ofctl text: keys, fields, commands, dump lines. */
#include "tests/unit/model/ofctl_helper.h"

static void keys(void **state)
{
	static const struct pair pairs[] = {
		{"actions=drop", NULL},
		{"actions=", "actions=drop"},
		{" ,\t table=1 ,, actions= 1 , 2 ", "table=1, actions=output:1,output:2"},
		{"action=1", "actions=output:1"},
		{"actions:1", "actions=output:1"},
		{"add table=3,actions=1", "table=3, actions=output:1"},
		{"priority=32768,actions=1", "actions=output:1"},
		{"priority=0 actions=1", "priority=0 actions=output:1"},
		{"priority:0x10\tactions=1\r\n", "priority=16 actions=output:1"},
		{"cookie=-1,actions=1", "cookie=0xffffffffffffffff, actions=output:1"},
		{"cookie=0,actions=1", "actions=output:1"},
		{"importance=3,no_byte_counts,no_packet_counts,reset_counts,check_overlap,"
		 "send_flow_rem,hard_timeout=9,idle_timeout=5,table=2,cookie=7,tcp,priority=1,"
		 "actions=1",
			"cookie=0x7, table=2, idle_timeout=5, hard_timeout=9, send_flow_rem "
			"check_overlap reset_counts no_packet_counts no_byte_counts importance=3, "
			"priority=1,tcp actions=output:1"},
		{"duration=1.5s, n_packets=1, n_bytes=2, idle_age=3, hard_age=4, actions=1",
			"actions=output:1"},
	};

	(void)state;
	check_pairs(pairs, TN_ARRAY_SIZE(pairs));
}

static void wrong_keys(void **state)
{
	static const struct complaint list[] = {
		{"", 1, TN_OF_OK, "actions are missing"},
		{"tcp", 4, TN_OF_OK, "actions are missing"},
		{"tcp,actions", 5, TN_OF_OK, "written actions="},
		{"priorty=5,actions=1", 1, TN_OF_OK, "did you mean \"priority\"?"},
		{"tcp,tpc_dst=5,actions=1", 5, TN_OF_OK, "did you mean \"tcp_dst\"?"},
		{"tpc,actions=1", 1, TN_OF_OK, "did you mean \"tcp\"?"},
		{"TCP,actions=1", 1, TN_OF_OK, "did you mean \"tcp\"?"},
		{"frobnicate=5,actions=1", 1, TN_OF_OK, "ovs-fields(7)"},
		{"table=255,actions=1", 7, TN_OFPFMFC_BAD_TABLE_ID, "0 to 254"},
		{"table=x,actions=1", 7, TN_OF_OK, "not a number"},
		{"table=,actions=1", 1, TN_OF_OK, "table has no value"},
		{"priority=65536,actions=1", 10, TN_OFPFMFC_BAD_PRIORITY, "0 to 65535"},
		{"idle_timeout=65536,actions=1", 14, TN_OFPFMFC_BAD_TIMEOUT, "0 to 65535"},
		{"hard_timeout=-1,actions=1", 14, TN_OF_OK, "not a number"},
		{"importance=65536,actions=1", 12, TN_OF_OK, "0 to 65535"},
		{"table=1,table=1,actions=1", 9, TN_OF_OK, "table stands here twice"},
		{"priority=1,tcp,priority=2,actions=1", 16, TN_OF_OK, "twice"},
		{"nw_src=fish,actions=mod_tp_dst:5", 8, TN_OF_OK, "IPv4 address"},
		{"cookie=1/2,actions=1", 9, TN_OF_OK, "leave it out"},
		{"cookie=0x10000000000000000,actions=1", 8, TN_OF_OK, "out of range"},
		{"send_flow_rem=1,actions=1", 15, TN_OF_OK, "takes no value"},
		{"out_port=1,actions=1", 1, TN_OF_OK, "no meaning"},
		{"tcp\001,actions=1", 4, TN_OF_OK, "byte 0x01"},
		{"in_port=\"eth,actions=1", 9, TN_OF_OK, "never closed"},
		{"delete tcp", 1, TN_OFPFMFC_BAD_COMMAND, "leave the word out"},
	};
	struct tn_flow_mod fm;
	struct bench b;

	(void)state;
	check_complaints(list, TN_ARRAY_SIZE(list));
	bench_init(&b, NULL); /* NUL is a byte like any other */
	assert_int_equal(tn_ofctl_parse_flow(&b.o, TN_OFCTL_ADD, "tcp\0,actions=1", 14, &fm), -22);
	assert_int_equal(b.diag.list[0].column, 4);
	bench_fini(&b);
}

static void every_error_is_reported(void **state)
{
	static const char text[] = "priorty=5,nw_src=fish,reg99=1,actions=outpt:1,group:x";
	static const uint32_t columns[] = {1, 18, 23, 39, 53};
	struct tn_flow_mod fm;
	struct bench b;

	(void)state;
	bench_init(&b, NULL);
	assert_int_equal(tn_ofctl_parse_flow(&b.o, TN_OFCTL_ADD, text, sizeof(text) - 1, &fm), -22);
	assert_int_equal(b.diag.n, TN_ARRAY_SIZE(columns));
	for (size_t i = 0; i < b.diag.n; i++)
		assert_int_equal(b.diag.list[i].column, columns[i]);
	bench_fini(&b);
}

static void metadata_and_registers(void **state)
{
	static const struct pair pairs[] = {
		{"metadata=0 actions=drop", NULL},
		{"metadata=0x1ff/0xff actions=drop", "metadata=0xff/0xff actions=drop"},
		{"metadata=-1 actions=drop", "metadata=0xffffffffffffffff actions=drop"},
		{"metadata=5/0,actions=", "actions=drop"},
		{"metadata=*,actions=", "actions=drop"},
		{"pkt_mark=0x1/0xf actions=drop", NULL},
		{"tunnel_id=5,actions=", "tun_id=0x5 actions=drop"},
		{"reg0=010,reg15=0x8/0xf,actions=", "reg0=0x8,reg15=0x8/0xf actions=drop"},
		{"reg0=1,reg0=1,actions=", "reg0=0x1 actions=drop"},
		{"reg0[]=5,reg1[3]=1,reg2[3..5]=2,actions=",
			"reg0=0x5,reg1=0x8/0x8,reg2=0x10/0x38 actions=drop"},
		{"reg0[0..15]=0xabcd,reg0[16..31]=0x1234,actions=", "reg0=0x1234abcd actions=drop"},
		{"xreg1=0x500000001,actions=", "reg2=0x5,reg3=0x1 actions=drop"},
		{"xreg7[32..35]=7,actions=", "reg14=0x7/0xf actions=drop"},
		{"xxreg1=0x1/0xff000000000000000000000001,actions=",
			"reg4=0/0xff,reg7=0x1/0x1 actions=drop"},
		{"xxreg0=0x11112222333344445555666677778888,actions=",
			"reg0=0x11112222,reg1=0x33334444,reg2=0x55556666,reg3=0x77778888 "
			"actions=drop"},
		{"in_port=1 actions=drop", NULL},
		{"in_port=local,actions=", "in_port=LOCAL actions=drop"},
		{"in_port=65534,actions=", "in_port=LOCAL actions=drop"},
		{"in_port=0xfffe actions=drop", NULL},
		{"in_port=4294967294,actions=", "in_port=LOCAL actions=drop"},
		{"in_port=70000,in_phy_port=3 actions=drop", NULL},
		{"tun_src=198.51.100.1/24,actions=", "tun_src=198.51.100.0/24 actions=drop"},
		{"tun_dst=0.0.0.0/0,actions=", "actions=drop"},
		{"tun_ipv6_src=2001:db8::/32,tun_ipv6_dst=2001:db8::1 actions=drop", NULL},
		{"tun_ipv6_dst=::ffff:198.51.100.1,actions=", "tun_dst=198.51.100.1 actions=drop"},
		{"tun_ipv6_dst=::ffff:0.0.0.0/96 actions=drop", NULL},
	};
	static const struct complaint list[] = {
		{"metadata=0x10000000000000000,actions=", 10, TN_OFPBMC_BAD_VALUE, "64 bits"},
		{"metadata=x,actions=", 10, TN_OF_OK, "not a number"},
		{"metadata=5/x,actions=", 12, TN_OF_OK, "not a number"},
		{"metadata=5/,actions=", 12, TN_OF_OK, "no value"},
		{"metadata,actions=", 9, TN_OF_OK, "no value"},
		{"reg16=1,actions=", 1, TN_OF_OK, "did you mean \"reg1"},
		{"reg0=0x100000000,actions=", 6, TN_OFPBMC_BAD_VALUE, "32 bits"},
		{"reg0=1,reg0=2,actions=", 13, TN_OFPBMC_DUP_FIELD, "contradicts"},
		{"reg0=1,reg0=1/1,actions=", 13, TN_OFPBMC_DUP_FIELD, "same field"},
		{"xreg0=5,reg1=1,actions=", 14, TN_OFPBMC_DUP_FIELD, "contradicts the xreg0"},
		{"reg0[3..5]=8,actions=", 12, TN_OFPBMC_BAD_VALUE, "3 bits"},
		{"reg0[5..3]=1,actions=", 6, TN_OFPBMC_BAD_FIELD, "swap"},
		{"reg0[30..32]=1,actions=", 6, TN_OFPBMC_BAD_FIELD, "bits 0 to 31"},
		{"reg0[a]=1,actions=", 6, TN_OF_OK, "no bits"},
		{"reg0[3=1,actions=", 6, TN_OF_OK, "']'"},
		{"reg0[3]=1/1,actions=", 9, TN_OF_OK, "without a mask"},
		{"rge0[3]=1,actions=", 1, TN_OF_OK, "did you mean \"reg0\"?"},
		{"in_port[0]=1,actions=", 1, TN_OFPBMC_BAD_MASK, "no mask"},
		{"in_port=eth0,actions=", 9, TN_OFPBMC_BAD_VALUE, "unknown port"},
		{"in_port=65300,actions=", 9, TN_OFPBMC_BAD_VALUE, "unknown port"},
		{"in_port=4294967295x,actions=", 9, TN_OFPBMC_BAD_VALUE, "unknown port"},
		{"in_phy_port=3,actions=", 1, TN_OFPBMC_BAD_PREREQ, "in_port"},
		{"tun_src=198.51.100.1/33,actions=", 22, TN_OFPBMC_BAD_VALUE, "prefix length"},
		{"tun_flags=+oam,actions=", 1, TN_OFPBMC_BAD_FIELD, "not supported"},
		{"tun_metadata7=1,actions=", 1, TN_OFPBMC_BAD_FIELD, "not supported"},
		{"ct_state=+trk,actions=", 1, TN_OFPBMC_BAD_FIELD, "not supported"},
		{"mpls_label=5,actions=", 1, TN_OFPBMC_BAD_FIELD, "not supported"},
	};

	(void)state;
	check_pairs(pairs, TN_ARRAY_SIZE(pairs));
	check_complaints(list, TN_ARRAY_SIZE(list));
}

static void ethernet_and_vlan(void **state)
{
	static const struct pair pairs[] = {
		{"dl_src=00:11:22:33:44:55,dl_dst=00:11:22:33:44:66 actions=drop", NULL},
		{"eth_src=0:1:2:3:4:F,actions=", "dl_src=00:01:02:03:04:0f actions=drop"},
		{"eth_dst=ff:ff:ff:ff:ff:ff/1:0:0:0:0:0,actions=",
			"dl_dst=01:00:00:00:00:00/01:00:00:00:00:00 actions=drop"},
		{"dl_type=2048,actions=", "ip actions=drop"},
		{"eth_type=0x88cc,actions=", "dl_type=0x88cc actions=drop"},
		{"dl_vlan=5 actions=drop", NULL},
		{"dl_vlan=0 actions=drop", NULL},
		{"dl_vlan=0xffff,actions=", "vlan_tci=0x0000/0x1fff actions=drop"},
		{"dl_vlan=5,dl_vlan_pcp=3 actions=drop", NULL},
		{"dl_vlan_pcp=3 actions=drop", NULL},
		{"vlan_pcp=3,dl_vlan=5,actions=", "dl_vlan=5,dl_vlan_pcp=3 actions=drop"},
		{"vlan_vid=0x1005,actions=", "dl_vlan=5 actions=drop"},
		{"vlan_vid=4096/4096,actions=", "vlan_tci=0x1000/0x1000 actions=drop"},
		{"vlan_vid=0,actions=", "vlan_tci=0x0000/0x1fff actions=drop"},
		{"vlan_vid=0x1005/0x100f,vlan_pcp=1,actions=",
			"vlan_tci=0x3005/0xf00f actions=drop"},
		{"vlan_tci=0,actions=", "vlan_tci=0x0000/0x1fff actions=drop"},
		{"vlan_tci=0x1123/0x1fff,actions=", "dl_vlan=291 actions=drop"},
		{"vlan_tci=0x5000/0xf000,actions=", "dl_vlan_pcp=2 actions=drop"},
		{"vlan_tci=0x1123,actions=", "dl_vlan=291,dl_vlan_pcp=0 actions=drop"},
		{"vlan_tci=0x1000/0x1000,dl_vlan_pcp=2,actions=", "dl_vlan_pcp=2 actions=drop"},
		{"vlan_vid[0..11]=5,actions=", "vlan_tci=0x0005/0x0fff actions=drop"},
		{"dl_vlan=5,inner_vlan_vid=4103,inner_vlan_pcp=1 actions=drop", NULL},
		{"dl_vlan=5,inner_vlan_vid=0x1000/0x1000 actions=drop", NULL},
		{"eth,actions=", "actions=drop"},
	};
	static const struct complaint list[] = {
		{"dl_src=00:11:22:33:44,actions=", 8, TN_OF_OK, "MAC address"},
		{"dl_src=00:11:22:33:44:55:66,actions=", 8, TN_OF_OK, "MAC address"},
		{"dl_src=00:11:22:33:44:5g,actions=", 8, TN_OF_OK, "MAC address"},
		{"dl_src=00:11:22:33:44:55/8,actions=", 26, TN_OF_OK, "MAC address"},
		{"dl_type=0x0800/0xff00,actions=", 16, TN_OFPBMC_BAD_MASK, "no mask"},
		{"dl_type=0x10000,actions=", 9, TN_OFPBMC_BAD_VALUE, "16 bits"},
		{"dl_vlan=4096,actions=", 9, TN_OFPBMC_BAD_VALUE, "12 bits"},
		{"dl_vlan=5/7,actions=", 11, TN_OFPBMC_BAD_MASK, "write vlan_vid"},
		{"dl_vlan_pcp=8,actions=", 13, TN_OFPBMC_BAD_VALUE, "3 bits"},
		{"dl_vlan_pcp=3/1,actions=", 15, TN_OFPBMC_BAD_MASK, "no mask"},
		{"vlan_tci=0x2000/0x2000,actions=", 17, TN_OFPBMC_BAD_MASK, "vlan_pcp"},
		{"vlan_vid=0,vlan_pcp=3,actions=", 12, TN_OFPBMC_BAD_PREREQ, "vlan_vid"},
		{"inner_vlan_vid=0x1005,actions=", 1, TN_OFPBMC_BAD_PREREQ, "vlan_vid"},
		{"dl_vlan=5,vlan_vid=0x1006,actions=", 20, TN_OFPBMC_DUP_FIELD, "dl_vlan"},
		{"tcp,udp,actions=", 5, TN_OFPBMC_DUP_FIELD, "udp contradicts the tcp"},
		{"tcp,dl_type=0x86dd,actions=", 13, TN_OFPBMC_DUP_FIELD, "the tcp"},
		{"tcp=5,actions=", 5, TN_OF_OK, "takes no value"},
	};

	(void)state;
	check_pairs(pairs, TN_ARRAY_SIZE(pairs));
	check_complaints(list, TN_ARRAY_SIZE(list));
}

static void protocols(void **state)
{
	static const struct pair words[] = {
		{"ip", NULL},
		{"ipv4", "ip"},
		{"ip4", "ip"},
		{"ipv6", NULL},
		{"ip6", "ipv6"},
		{"arp", NULL},
		{"rarp", NULL},
		{"icmp", NULL},
		{"icmp6", NULL},
		{"tcp", NULL},
		{"tcp6", NULL},
		{"udp", NULL},
		{"udp6", NULL},
		{"sctp", NULL},
		{"sctp6", NULL},
		{"mpls", NULL},
		{"mplsm", NULL},
		{"dl_type=0x0800,nw_proto=6", "tcp"},
		{"ip,ip_proto=17", "udp"},
		{"ipv6,nw_proto=58", "icmp6"},
		{"ipv6,nw_proto=1", "ipv6,nw_proto=1"},
		{"ip,nw_proto=0", NULL},
		{"ip,nw_proto=2", NULL},
		{"tcp,nw_proto=6,dl_type=0x800,ip", "tcp"},
	};

	(void)state;
	for (size_t i = 0; i < TN_ARRAY_SIZE(words); i++) {
		char text[80], want[80];

		snprintf(text, sizeof(text), "%s actions=drop", words[i].text);
		snprintf(want, sizeof(want), "%s actions=drop",
			words[i].want ? words[i].want : words[i].text);
		check_canonical(text, want);
	}
}

static void ip(void **state)
{
	static const struct pair pairs[] = {
		{"ip,nw_src=10.0.0.1,nw_dst=10.0.0.0/8 actions=drop", NULL},
		{"nw_dst=10.1.2.3/255.255.0.0,ip,actions=", "ip,nw_dst=10.1.0.0/16 actions=drop"},
		{"ip,ip_src=10.1.2.3/255.0.255.0,actions=",
			"ip,nw_src=10.0.2.0/255.0.255.0 actions=drop"},
		{"ip,nw_src=10.1.2.3/0,actions=", "ip actions=drop"},
		{"ip,nw_src=10.1.2.3/32,actions=", "ip,nw_src=10.1.2.3 actions=drop"},
		{"ip,nw_tos=16,nw_ecn=1,nw_ttl=64 actions=drop", NULL},
		{"ip,ip_dscp=4,ip_ecn=0,actions=", "ip,nw_tos=16,nw_ecn=0 actions=drop"},
		{"ip,ip_frag=No,actions=", "ip,nw_frag=no actions=drop"},
		{"ip,nw_frag=yes actions=drop", NULL},
		{"ip,nw_frag=first actions=drop", NULL},
		{"ip,nw_frag=later actions=drop", NULL},
		{"ip,nw_frag=not_later actions=drop", NULL},
		{"ip,nw_frag=0x2/0x2 actions=drop", NULL},
		{"ipv6,ipv6_src=2001:DB8::A,ipv6_dst=2001:db8::1/32,actions=",
			"ipv6,ipv6_src=2001:db8::a,ipv6_dst=2001:db8::/32 actions=drop"},
		{"ipv6,ipv6_dst=2001:db8::1/ffff::ffff,actions=",
			"ipv6,ipv6_dst=2001::1/ffff::ffff actions=drop"},
		{"ipv6,ipv6_label=0x12345 actions=drop", NULL},
		{"ipv6,ipv6_label=5/0xff,actions=", "ipv6,ipv6_label=0x00005/0x000ff actions=drop"},
		{"ipv6,ipv6_exthdr=0x8/0x18 actions=drop", NULL},
		{"ipv6,nw_tos=252,nw_ttl=1 actions=drop", NULL},
	};
	static const struct complaint list[] = {
		{"nw_src=10.0.0.1,actions=", 1, TN_OFPBMC_BAD_PREREQ, "eth_type 0x0800"},
		{"ipv6,nw_src=10.0.0.1,actions=", 6, TN_OFPBMC_BAD_PREREQ, "eth_type 0x0800"},
		{"ip,ipv6_src=::1,actions=", 4, TN_OFPBMC_BAD_PREREQ, "eth_type 0x86dd"},
		{"nw_proto=6,actions=", 1, TN_OFPBMC_BAD_PREREQ, "eth_type 0x0800 or 0x86dd"},
		{"ip,nw_src=10.0.0,actions=", 11, TN_OF_OK, "IPv4 address"},
		{"ip,nw_src=10.0.0.256,actions=", 11, TN_OF_OK, "IPv4 address"},
		{"ip,nw_src=10.0.0.1/33,actions=", 20, TN_OFPBMC_BAD_VALUE, "0 to 32"},
		{"ip,nw_src=10.0.0.1/255.0,actions=", 20, TN_OF_OK, "IPv4 address"},
		{"ipv6,ipv6_src=2001:::1,actions=", 15, TN_OF_OK, "IPv6 address"},
		{"ipv6,ipv6_src=::1/129,actions=", 19, TN_OFPBMC_BAD_VALUE, "0 to 128"},
		{"ip,nw_tos=3,actions=", 11, TN_OFPBMC_BAD_VALUE, "multiple of 4"},
		{"ip,nw_tos=256,actions=", 11, TN_OFPBMC_BAD_VALUE, "8 bits"},
		{"ip,ip_dscp=64,actions=", 12, TN_OFPBMC_BAD_VALUE, "6 bits"},
		{"ip,ip_ecn=4,actions=", 11, TN_OFPBMC_BAD_VALUE, "2 bits"},
		{"ip,nw_ttl=1/1,actions=", 13, TN_OFPBMC_BAD_MASK, "no mask"},
		{"ip,ip_frag=maybe,actions=", 12, TN_OF_OK, "not_later"},
		{"ipv6,ipv6_label=0x100000,actions=", 17, TN_OFPBMC_BAD_VALUE, "20 bits"},
	};

	(void)state;
	check_pairs(pairs, TN_ARRAY_SIZE(pairs));
	check_complaints(list, TN_ARRAY_SIZE(list));
}

static void arp_and_transport(void **state)
{
	static const struct pair pairs[] = {
		{"arp,arp_spa=10.0.0.1,arp_tpa=10.0.0.0/24,arp_op=1,"
		 "arp_sha=00:11:22:33:44:55,arp_tha=00:00:00:00:00:00 actions=drop",
			NULL},
		{"rarp,arp_op=3 actions=drop", NULL},
		{"nw_src=10.0.0.1,arp,nw_proto=2,ip_dst=10.0.0.2,actions=",
			"arp,arp_spa=10.0.0.1,arp_tpa=10.0.0.2,arp_op=2 actions=drop"},
		{"tp_dst=80,tcp,tcp_src=5,actions=", "tcp,tp_src=5,tp_dst=80 actions=drop"},
		{"tcp,tp_dst=0x1000/0xf000 actions=drop", NULL},
		{"udp,tp_dst[0..7]=5,actions=", "udp,tp_dst=0x5/0xff actions=drop"},
		{"udp6,tp_dst=53,actions=", "udp6,tp_dst=53 actions=drop"},
		{"udp,udp_src=53,udp_dst=54,actions=", "udp,tp_src=53,tp_dst=54 actions=drop"},
		{"sctp,sctp_src=5,tp_dst=6,actions=", "sctp,tp_src=5,tp_dst=6 actions=drop"},
		{"icmp,icmp_type=8,icmp_code=0 actions=drop", NULL},
		{"icmp,tp_src=8,tp_dst=0,actions=", "icmp,icmp_type=8,icmp_code=0 actions=drop"},
		{"icmp6,icmpv6_type=128,icmpv6_code=0,actions=",
			"icmp6,icmp_type=128,icmp_code=0 actions=drop"},
		{"icmp6,tp_src=128,actions=", "icmp6,icmp_type=128 actions=drop"},
		{"icmp6,icmp_type=135,nd_target=2001:db8::/64,"
		 "nd_sll=00:11:22:00:00:00/ff:ff:ff:00:00:00 actions=drop",
			NULL},
		{"icmp6,icmp_type=136,icmp_code=0,nd_tll=00:11:22:33:44:55 actions=drop", NULL},
		{"tcp,tcp_flags=+syn-ack actions=drop", NULL},
		{"tcp,tcp_flags=-ack+syn,actions=", "tcp,tcp_flags=+syn-ack actions=drop"},
		{"tcp6,tcp_flags=syn|ack actions=drop", NULL},
		{"tcp,tcp_flags=0x12,actions=", "tcp,tcp_flags=syn|ack actions=drop"},
		{"tcp,tcp_flags=0x12/0xfff,actions=", "tcp,tcp_flags=syn|ack actions=drop"},
		{"tcp,tcp_flags=2/0x12,actions=", "tcp,tcp_flags=+syn-ack actions=drop"},
		{"tcp,tcp_flags=0 actions=drop", NULL},
		{"tcp,tcp_flags=+fin+ns+[200]-[800] actions=drop", NULL},
		{"tcp,tcp_flags=ns|[400],actions=", "tcp,tcp_flags=ns|[400] actions=drop"},
	};
	static const struct complaint list[] = {
		{"arp_op=1,actions=", 1, TN_OFPBMC_BAD_PREREQ, "eth_type 0x0806"},
		{"ip,arp_spa=10.0.0.1,actions=", 4, TN_OFPBMC_BAD_PREREQ, "eth_type 0x0806"},
		{"ip,tp_dst=80,actions=", 4, TN_OFPBMC_BAD_PREREQ, "protocol that has ports"},
		{"ip,tcp_dst=80,actions=", 4, TN_OFPBMC_BAD_PREREQ, "ip_proto 6"},
		{"udp,tcp_dst=80,actions=", 5, TN_OFPBMC_BAD_PREREQ, "ip_proto 6"},
		{"tcp,tp_dst=65536,actions=", 12, TN_OFPBMC_BAD_VALUE, "16 bits"},
		{"tcp,tp_dst=http,actions=", 12, TN_OF_OK, "not a number"},
		{"icmp,tp_src=256,actions=", 13, TN_OFPBMC_BAD_VALUE, "8 bits"},
		{"icmp6,icmp_type=128,nd_target=::1,actions=", 21, TN_OFPBMC_BAD_PREREQ, "135"},
		{"icmp6,icmp_type=136,nd_sll=0:1:2:3:4:5,actions=", 21, TN_OFPBMC_BAD_PREREQ,
			"135"},
		{"tcp,tcp_flags=+sny,actions=", 16, TN_OF_OK, "did you mean \"syn\"?"},
		{"tcp,tcp_flags=+syn+syn,actions=", 20, TN_OF_OK, "twice"},
		{"tcp,tcp_flags=syn|ak,actions=", 19, TN_OF_OK, "did you mean \"ack\"?"},
		{"tcp,tcp_flags=0x1000,actions=", 15, TN_OFPBMC_BAD_VALUE, "12 bits"},
		{"tcp,tcp_flags=1/0x1000,actions=", 17, TN_OFPBMC_BAD_VALUE, "12 bits"},
		{"udp,tcp_flags=syn,actions=", 5, TN_OFPBMC_BAD_PREREQ, "ip_proto 6"},
	};

	(void)state;
	check_pairs(pairs, TN_ARRAY_SIZE(pairs));
	check_complaints(list, TN_ARRAY_SIZE(list));
}

static struct tn_flow_mod flow_mod(struct bench *b, enum tn_ofctl_use use, const char *text)
{
	struct tn_flow_mod fm;

	if (tn_ofctl_parse_flow(&b->o, use, text, strlen(text), &fm))
		fail_msg("%s: %s", text, b->diag.list[0].detail);
	return fm;
}

static void commands(void **state)
{
	struct tn_flow_mod fm;
	struct bench b;

	(void)state;
	bench_init(&b, NULL);
	fm = flow_mod(&b, TN_OFCTL_ANY, "tcp,actions=1");
	assert_int_equal(fm.command, TN_FLOW_ADD);
	assert_int_equal(fm.table_id, 0);
	assert_int_equal(fm.priority, TN_PRIORITY_DEFAULT);
	assert_int_equal(fm.out_port, TN_PORT_ANY);

	fm = flow_mod(&b, TN_OFCTL_ANY, "modify cookie=1/0xf,cookie=7,tcp,actions=1");
	assert_int_equal(fm.command, TN_FLOW_MODIFY);
	assert_int_equal(fm.table_id, TN_TABLE_ALL);
	assert_true(fm.set_cookie);
	assert_int_equal(fm.new_cookie, 7);
	assert_int_equal(fm.cookie, 1);
	assert_int_equal(fm.cookie_mask, 0xf);

	fm = flow_mod(&b, TN_OFCTL_MODIFY, "actions=1");
	assert_int_equal(fm.command, TN_FLOW_MODIFY);
	assert_false(fm.set_cookie);
	fm = flow_mod(&b, TN_OFCTL_ANY, "modify_strict priority=7,actions=1");
	assert_int_equal(fm.command, TN_FLOW_MODIFY_STRICT);
	assert_int_equal(fm.table_id, 0);
	assert_int_equal(fm.priority, 7);

	fm = flow_mod(&b, TN_OFCTL_ANY, "delete");
	assert_int_equal(fm.command, TN_FLOW_DELETE);
	assert_int_equal(fm.table_id, TN_TABLE_ALL);
	fm = flow_mod(&b, TN_OFCTL_DELETE, "table=3,cookie=0x12/-1,out_port=LOCAL,out_group=9,tcp");
	assert_int_equal(fm.table_id, 3);
	assert_int_equal(fm.cookie, 0x12);
	assert_true(fm.cookie_mask == UINT64_MAX);
	assert_int_equal(fm.out_port, TN_PORT_LOCAL);
	assert_int_equal(fm.out_group, 9);
	fm = flow_mod(&b, TN_OFCTL_FILTER, "out_group=any,table=255");
	assert_int_equal(fm.out_group, TN_GROUP_ANY);
	assert_int_equal(fm.table_id, TN_TABLE_ALL);
	fm = flow_mod(&b, TN_OFCTL_ANY, "delete_strict priority=7,tcp");
	assert_int_equal(fm.command, TN_FLOW_DELETE_STRICT);
	assert_int_equal(fm.table_id, 0);
	bench_fini(&b);
}

static void wrong_commands(void **state)
{
	static const struct {
		enum tn_ofctl_use use;
		struct complaint want;
	} list[] = {
		{TN_OFCTL_ANY, {"delete priority=7", 8, TN_OF_OK, "delete_strict"}},
		{TN_OFCTL_FILTER, {"priority=7", 1, TN_OF_OK, "strict"}},
		{TN_OFCTL_ANY, {"delete cookie=7", 15, TN_OF_OK, "cookie=7/-1"}},
		{TN_OFCTL_FILTER, {"cookie=7", 8, TN_OF_OK, "cookie=7/-1"}},
		{TN_OFCTL_ANY, {"delete tcp,actions=1", 12, TN_OF_OK, "no meaning"}},
		{TN_OFCTL_ANY, {"delete idle_timeout=1", 8, TN_OF_OK, "no meaning"}},
		{TN_OFCTL_ANY, {"modify importance=1,actions=1", 8, TN_OF_OK, "no meaning"}},
		{TN_OFCTL_ANY, {"modify out_port=1,actions=1", 8, TN_OF_OK, "no meaning"}},
		{TN_OFCTL_ANY, {"modify tcp", 11, TN_OF_OK, "missing"}},
		{TN_OFCTL_ANY, {"modfy tcp,actions=1", 1, TN_OF_OK, "unknown key"}},
		{TN_OFCTL_ANY, {"delete_strict table=255", 21, TN_OFPFMFC_BAD_TABLE_ID, "254"}},
		{TN_OFCTL_DELETE, {"delete_strict tcp", 1, TN_OFPFMFC_BAD_COMMAND, "leave"}},
		{TN_OFCTL_DELETE, {"out_port=x", 10, TN_OFPBAC_BAD_OUT_PORT, "unknown port"}},
		{TN_OFCTL_DELETE, {"out_group=4294967295", 11, TN_OFPBAC_BAD_OUT_GROUP, "range"}},
	};

	(void)state;
	for (size_t i = 0; i < TN_ARRAY_SIZE(list); i++)
		check_flow_complaint(list[i].use, &list[i].want);
}

static void dump_line(void **state)
{
	struct tn_flow_info info;
	struct tn_flow_mod fm;
	struct bench b;
	char *s;

	(void)state;
	bench_init(&b, NULL);
	fm = flow_mod(&b, TN_OFCTL_ADD,
		"idle_timeout=5,hard_timeout=9,send_flow_rem,importance=3,priority=100,tcp,in_port=1,"
		"nw_dst=10.0.0.0/8,actions=2");
	info = info_of(&fm);
	info.created_ns = 1000;
	info.last_used_ns = UINT64_C(500001000);
	info.counter = (struct tn_counter){.packets = 7, .bytes = 700};
	s = tn_ofctl_print_flow(&info, NULL, true, UINT64_C(1734001000));
	assert_string_equal(s,
		" cookie=0x0, duration=1.734s, table=0, n_packets=7, n_bytes=700, idle_timeout=5, "
		"hard_timeout=9, send_flow_rem importance=3, idle_age=1, "
		"priority=100,tcp,in_port=1,nw_dst=10.0.0.0/8 actions=output:2");
	check_canonical(s,
		"idle_timeout=5, hard_timeout=9, send_flow_rem importance=3, "
		"priority=100,tcp,in_port=1,nw_dst=10.0.0.0/8 actions=output:2");
	free(s);
	s = tn_ofctl_print_flow(&info, NULL, true, 0); /* a clock that went back */
	assert_non_null(strstr(s, "duration=0s, "));
	free(s);
	s = tn_ofctl_print_match(&fm.match, NULL);
	assert_string_equal(s, "tcp,in_port=1,nw_dst=10.0.0.0/8");
	free(s);
	bench_fini(&b);
}

static void names(void **state)
{
	struct tn_names *names = tn_names_new();
	struct complaint near = {
		"in_port=uplnk0,actions=", 9, TN_OFPBMC_BAD_VALUE, "did you mean \"uplink0\"?"};
	struct tn_flow_mod fm;
	struct bench b;
	char *s;

	(void)state;
	assert_int_equal(tn_names_add_port(names, "uplink0", 1), 0);
	assert_int_equal(tn_names_add_port(names, "br-1,\"x\"", 2), 0);
	assert_int_equal(tn_names_add_port(names, "LOCAL", 3), 0);
	assert_int_equal(tn_names_add_port(names, "7", 4), 0);
	assert_int_equal(tn_names_add_port(names, "bad\nname", 5), 0);
	assert_int_equal(tn_names_add_port(names, "a->b=c", 6), 0);
	assert_int_equal(tn_names_add_table(names, "acl", 9), 0);
	assert_int_equal(tn_names_add_table(names, "8", 10), 0);
	bench_init(&b, names);
	s = canonical(&b,
		"table=acl,in_port=\"uplink0\",actions=uplink0,output:\"br-1,\\\"x\\\"\","
		"\"br-1,\\\"x\\\"\",3,4,5,LOCAL,goto_table:10");
	assert_string_equal(s,
		"table=acl, in_port=uplink0 actions=output:uplink0,output:\"br-1,\\\"x\\\"\","
		"output:\"br-1,\\\"x\\\"\",output:3,output:4,output:5,LOCAL,goto_table:10");
	free(canonical(&b, s));
	free(s);
	/* Nothing inside quotes separates. */
	s = canonical(&b,
		"actions=resubmit(\"br-1,\\\"x\\\"\",2),enqueue:\"br-1,\\\"x\\\"\":5,"
		"set_field:\"a->b=c\"->in_port,output:\"a->b=c\"");
	assert_string_equal(s,
		"actions=resubmit(\"br-1,\\\"x\\\"\",2),set_queue:5,output:\"br-1,\\\"x\\\"\","
		"pop_queue,set_field:\"a->b=c\"->in_port,output:\"a->b=c\"");
	free(canonical(&b, s));
	free(s);
	assert_int_equal(
		tn_ofctl_parse_flow(&b.o, TN_OFCTL_ADD, near.text, strlen(near.text), &fm), -22);
	check_complaint(&b.diag, -22, &near);
	bench_fini(&b);
	tn_names_free(names);
}

/* Text of any length: what is shown of it is cut, and what cannot be taken is refused. */
static void long_lines(void **state)
{
	size_t n = 3000000;
	char *text = malloc(n + 1);
	struct tn_flow_mod fm;
	struct bench b;

	(void)state;
	assert_non_null(text);
	memset(text, 'x', n);
	bench_init(&b, NULL);
	assert_int_equal(tn_ofctl_parse_flow(&b.o, TN_OFCTL_ADD, text, n, &fm), -22);
	assert_true(strlen(b.diag.list[0].detail) < 200);
	bench_fini(&b);

	memcpy(text, "actions=", 8);
	for (size_t i = 8; i + 1 < n; i += 2)
		memcpy(text + i, "1,", 2);
	bench_init(&b, NULL);
	assert_int_equal(tn_ofctl_parse_flow(&b.o, TN_OFCTL_ADD, text, n, &fm), -22);
	assert_int_equal(b.diag.list[0].of, TN_OFPBAC_TOO_MANY);
	bench_fini(&b);

	for (size_t i = 0; i + 6 < n; i += 6)
		memcpy(text + i, "clone(", 6);
	memcpy(text, "actions=clone(", 14);
	bench_init(&b, NULL);
	assert_int_equal(tn_ofctl_parse_flow(&b.o, TN_OFCTL_ADD, text, n, &fm), -22);
	bench_fini(&b);

	for (size_t i = 0; i + 7 < n; i += 7)
		memcpy(text + i, "reg0=1,", 7);
	bench_init(&b, NULL);
	assert_int_equal(tn_ofctl_parse_flow(&b.o, TN_OFCTL_FILTER, text, n, &fm), -22);
	bench_fini(&b);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys),
		cmocka_unit_test(wrong_keys),
		cmocka_unit_test(every_error_is_reported),
		cmocka_unit_test(metadata_and_registers),
		cmocka_unit_test(ethernet_and_vlan),
		cmocka_unit_test(protocols),
		cmocka_unit_test(ip),
		cmocka_unit_test(arp_and_transport),
		cmocka_unit_test(commands),
		cmocka_unit_test(wrong_commands),
		cmocka_unit_test(dump_line),
		cmocka_unit_test(names),
		cmocka_unit_test(long_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
