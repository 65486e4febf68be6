/* SPDX-License-Identifier: BSD-3-Clause */
/* Actions and instructions in ovs-ofctl text: every one both ways, and every way to be wrong. */
#include "tests/unit/model/ofctl_helper.h"

/* What Open vSwitch does not have. */
static void answers(void **state)
{
	static const struct pair pairs[] = {
		{"arp,actions=reply(arp,mac=02:00:5e:00:01:01),in_port",
			"arp actions=reply(arp,mac=02:00:5e:00:01:01),IN_PORT"},
		{"icmp6,icmp_type=135 actions=reply(nd,mac=02:00:5e:00:01:01,router)", NULL},
		{"icmp,actions=REPLY(ECHO),IN_PORT", "icmp actions=reply(echo),IN_PORT"},
		{"ip actions=reply(time_exceeded,mac=02:00:5e:00:01:01,ip=10.0.0.254)", NULL},
		{"ipv6,actions=reply(unreachable,ip=2001:db8::1,code=4,mac=02:00:5e:00:01:01)",
			"ipv6 actions=reply(unreachable,mac=02:00:5e:00:01:01,ip=2001:db8::1,code=4)"},
		{"ip actions=if_longer(1450,reply(too_big,mac=02:00:5e:00:01:01,ip=10.0.0.254,"
		 "mtu=1450),IN_PORT),output:2",
			NULL},
		{"udp actions=reply(dhcp4,mac=02:00:5e:00:01:01,ip=10.0.0.254,address=10.0.0.1,"
		 "options=330400000e10)",
			NULL},
		{"udp6 actions=reply(dhcp6,mac=02:00:5e:00:01:01,ip=fe80::1,lease_time=60)", NULL},
		{"udp6,actions=reply(dhcp6,mac=02:00:5e:00:01:01,ip=fe80::1,address=2001:db8::1)",
			"udp6 actions=reply(dhcp6,mac=02:00:5e:00:01:01,ip=fe80::1,"
			"address=2001:db8::1,lease_time=86400)"},
		{"icmp6 actions=reply(ra,mac=02:00:5e:00:01:01,ip=fe80::1,"
		 "body=400007080000000000000000)",
			NULL},
		{"actions=if_longer(1450,drop),output:2", NULL},
		{"actions=if_longer(1450),output:2", "actions=if_longer(1450,drop),output:2"},
		{"actions=learn_mac,fdb,fdb(local),output:2", NULL},
		{"actions=learn_mac(limit=64),fdb", NULL},
		{"actions=circuit(number=5,field=reg2,table=6),learn_mac", NULL},
		{"actions=advertise(least=200,most=600),output:2", NULL},
		{"actions=snoop,mcast,mcast(local),mcast(routers),output:2", NULL},
		{"actions=mcast(routers,local)", "actions=mcast(local,routers)"},
		{"actions=learn_mac(limit=0)", "actions=learn_mac"},
	};
	static const struct complaint list[] = {
		{"arp,actions=reply", 13, TN_OF_OK, "reply(KIND"},
		{"arp,actions=reply(arpp,mac=02:00:5e:00:01:01)", 19, TN_OF_OK, "did you mean"},
		{"arp,actions=reply(arp)", 13, TN_OF_OK, "needs mac="},
		{"arp,actions=reply(arp,mac=1)", 27, TN_OF_OK, "MAC address"},
		{"arp,actions=reply(arp,mac=02:00:5e:00:01:01/ff:ff:ff:00:00:00)", 45,
			TN_OFPBAC_BAD_ARGUMENT, "no mask"},
		{"arp,actions=reply(arp,ip=10.0.0.1)", 23, TN_OF_OK, "unknown key"},
		{"udp,actions=reply(dhcp4,mac=02:00:5e:00:01:01,ip=10.0.0.254)", 13, TN_OF_OK,
			"needs address="},
		{"udp,actions=reply(dhcp4,mac=02:00:5e:00:01:01,ip=10.0.0.254,address=10.0.0.1,"
		 "options=330)",
			88, TN_OF_OK, "two hexadecimal digits"},
		{"ip,actions=reply(arp,mac=02:00:5e:00:01:01)", 12, TN_OFPBAC_MATCH_INCONSISTENT,
			"needs"},
		{"actions=if_longer(67,1)", 9, TN_OFPBAC_BAD_ARGUMENT, "68"},
		{"actions=if_longer(x,1)", 19, TN_OF_OK, "x"},
		{"actions=learn_mac(max=5)", 19, TN_OF_OK, "limit="},
		{"actions=learn_mac(limit=x)", 25, TN_OF_OK, "x"},
		{"actions=fdb(remote)", 13, TN_OF_OK, "fdb(local)"},
		{"actions=advertise(seconds=9)", 19, TN_OF_OK,
			"advertise(least=SECONDS,most=SECONDS)"},
		{"actions=circuit(number=5,field=reg2)", 17, TN_OF_OK,
			"circuit(number=N,field=REG,table=T)"},
		{"actions=circuit(number=5,field=nw_src,table=6)", 32, TN_OFPBAC_BAD_ARGUMENT,
			"reg0 to reg15"},
		{"actions=mcast(remote)", 15, TN_OF_OK, "local and routers"},
		{"actions=snoop(1)", 15, TN_OFPBAC_BAD_ARGUMENT, "no argument"},
	};

	(void)state;
	check_pairs(pairs, TN_ARRAY_SIZE(pairs));
	check_complaints(list, TN_ARRAY_SIZE(list));
}

static void output(void **state)
{
	static const struct pair pairs[] = {
		{"actions=output:1,2,OUTPUT:3,output(4),output=5",
			"actions=output:1,output:2,output:3,output:4,output:5"},
		{"actions=1 2\t3", "actions=output:1,output:2,output:3"},
		{"actions=in_port,local,all,flood,normal,output:LOCAL",
			"actions=IN_PORT,LOCAL,ALL,FLOOD,NORMAL,LOCAL"},
		{"actions=output:70000,output:0xff10 ", "actions=output:70000,output:0xff10"},
		{"actions=controller", "actions=CONTROLLER:65535"},
		{"actions=controller:100,CONTROLLER:0,output:controller",
			"actions=CONTROLLER:100,CONTROLLER:0,CONTROLLER:65535"},
		{"actions=controller()", "actions=CONTROLLER:65535"},
		{"actions=controller(max_len=100)", "actions=CONTROLLER:100"},
		{"actions=controller(max_len=64,reason=no_match)",
			"actions=controller(reason=no_match,max_len=64)"},
		{"actions=controller(reason=action)", NULL},
		{"actions=controller(reason=invalid_ttl)", NULL},
		{"actions=controller(reason=action_set)", NULL},
		{"actions=controller(reason=group)", NULL},
		{"actions=controller(reason=packet_out)", NULL},
		{"actions=output(max_len=100,port=1)", "actions=output(port=1,max_len=100)"},
		{"actions=output(port=local,max_len=14)", "actions=output(port=LOCAL,max_len=14)"},
		{"actions=output(port=FLOOD,max_len=100)", NULL},
		{"actions=truncate:100,output:1", NULL},
		{"actions=group:0,group:4294967040", NULL},
		{"actions=set_queue:0x10,output:1,pop_queue",
			"actions=set_queue:16,output:1,pop_queue"},
		{"actions=enqueue:1:2,enqueue(3,4),enqueue:5q6",
			"actions=set_queue:2,output:1,pop_queue,set_queue:4,output:3,pop_queue,"
			"set_queue:6,output:5,pop_queue"},
		{"actions=DROP", "actions=drop"},
	};
	static const struct complaint list[] = {
		{"actions=ouput:1", 9, TN_OF_OK, "did you mean \"output\"?"},
		{"actions=frobnicate", 9, TN_OF_OK, "ovs-actions(7)"},
		{"actions=1,2,x", 13, TN_OF_OK, "unknown action or port"},
		{"actions=1:2", 11, TN_OF_OK, "takes no argument"},
		{"actions=output:x", 16, TN_OFPBAC_BAD_OUT_PORT, "unknown port"},
		{"actions=output", 15, TN_OF_OK, "port is missing"},
		{"actions=output:0", 9, TN_OFPBAC_BAD_OUT_PORT, "no port"},
		{"actions=any", 9, TN_OFPBAC_BAD_OUT_PORT, "no port"},
		{"actions=none", 9, TN_OFPBAC_BAD_OUT_PORT, "no port"},
		{"actions=unset", 9, TN_OFPBAC_BAD_OUT_PORT, "no port"},
		{"actions=1,table", 11, TN_OFPBAC_BAD_OUT_PORT, "packet-out"},
		{"actions=output:reg0[0..15]", 16, TN_OFPBAC_BAD_TYPE, "not supported"},
		{"actions=output:NXM_NX_REG0[]", 16, TN_OFPBAC_BAD_TYPE, "not supported"},
		{"actions=output(port=1)", 16, TN_OF_OK, "needs both"},
		{"actions=output(port=1,max_len=13)", 31, TN_OFPBAC_BAD_ARGUMENT, "14 to 65535"},
		{"actions=output(port=x,max_len=14)", 21, TN_OFPBAC_BAD_OUT_PORT, "unknown port"},
		{"actions=output(port=controller,max_len=14)", 16, TN_OFPBAC_BAD_OUT_PORT,
			"controller:MAX_LEN"},
		{"actions=output(port=any,max_len=14)", 9, TN_OFPBAC_BAD_OUT_PORT, "no port"},
		{"actions=output(prt=1,max_len=14)", 16, TN_OF_OK, "not \"prt\""},
		{"actions=truncate:13", 18, TN_OFPBAC_BAD_ARGUMENT, "out of range"},
		{"actions=controller:65536", 20, TN_OFPBAC_BAD_ARGUMENT, "0 to 65535"},
		{"actions=controller:x", 20, TN_OF_OK, "not \"x\""},
		{"actions=controller(reason=grup)", 27, TN_OF_OK, "did you mean \"group\"?"},
		{"actions=controller(reason=whatever)", 27, TN_OF_OK, "packet_out"},
		{"actions=controller(id=5)", 20, TN_OFPBAC_BAD_ARGUMENT, "not supported"},
		{"actions=controller(max_len=x)", 28, TN_OF_OK, "not a number"},
		{"actions=group:x", 15, TN_OF_OK, "not a number"},
		{"actions=group:4294967041", 15, TN_OFPBAC_BAD_OUT_GROUP, "out of range"},
		{"actions=set_queue:65536", 9, TN_OFPBAC_BAD_QUEUE, "no queue"},
		{"actions=set_queue:x", 19, TN_OF_OK, "not a number"},
		{"actions=enqueue:1", 17, TN_OF_OK, "enqueue:PORT:QUEUE"},
		{"actions=enqueue:x:1", 17, TN_OFPBAC_BAD_OUT_PORT, "unknown port"},
		{"actions=pop_queue:1", 19, TN_OFPBAC_BAD_ARGUMENT, "no argument"},
		{"actions=1,drop", 11, TN_OF_OK, "stand beside"},
		{"actions=drop,1", 9, TN_OF_OK, "stand beside"},
		{"actions=drop:1", 14, TN_OFPBAC_BAD_ARGUMENT, "no argument"},
	};

	(void)state;
	check_pairs(pairs, TN_ARRAY_SIZE(pairs));
	check_complaints(list, TN_ARRAY_SIZE(list));
}

static void vlan(void **state)
{
	static const struct pair pairs[] = {
		{"actions=push_vlan:0x8100,set_field:4103->vlan_vid,set_field:3->vlan_pcp", NULL},
		{"actions=push_vlan:34984", "actions=push_vlan:0x88a8"},
		{"dl_vlan=5,actions=strip_vlan", "dl_vlan=5 actions=pop_vlan"},
		{"dl_vlan=5 actions=pop_vlan", NULL},
		{"actions=mod_vlan_vid:7,mod_vlan_pcp:3", NULL},
		{"dl_vlan=5,actions=set_vlan_vid:7,set_vlan_pcp:3",
			"dl_vlan=5 actions=set_field:4103->vlan_vid,set_field:3->vlan_pcp"},
		{"dl_vlan=5,actions=set_field:7->dl_vlan",
			"dl_vlan=5 actions=set_field:4103->vlan_vid"},
		{"dl_vlan=5,actions=set_field:0x7123->vlan_tci",
			"dl_vlan=5 actions=set_field:3->vlan_pcp,set_field:4387->vlan_vid"},
		{"dl_vlan=5 actions=set_field:4101/0x100f->vlan_vid", NULL},
		{"dl_vlan=5,actions=load:7->NXM_OF_VLAN_TCI[0..11]",
			"dl_vlan=5 actions=set_field:7/0xfff->vlan_vid"},
		{"dl_vlan=5,actions=load:7->OXM_OF_VLAN_VID[]",
			"dl_vlan=5 actions=set_field:7/0xfff->vlan_vid"},
	};
	static const struct complaint list[] = {
		{"actions=push_vlan:0x9100", 19, TN_OFPBAC_BAD_ARGUMENT, "0x88a8"},
		{"actions=push_vlan", 18, TN_OF_OK, "needs a number"},
		{"actions=1,pop_vlan", 11, TN_OFPBAC_MATCH_INCONSISTENT, "VLAN tag"},
		{"dl_vlan=5,actions=pop_vlan,pop_vlan", 28, TN_OFPBAC_MATCH_INCONSISTENT, "tag"},
		{"actions=mod_vlan_vid:4096", 22, TN_OFPBAC_BAD_ARGUMENT, "0 to 4095"},
		{"actions=mod_vlan_pcp:8", 22, TN_OFPBAC_BAD_ARGUMENT, "0 to 7"},
		{"actions=set_vlan_vid:1", 9, TN_OFPBAC_MATCH_INCONSISTENT, "VLAN tag"},
		{"dl_vlan=5,actions=set_field:7->vlan_vid", 19, TN_OFPBAC_BAD_SET_ARGUMENT,
			"0x1000"},
		{"dl_vlan=5,actions=set_field:8->vlan_pcp", 29, TN_OFPBAC_BAD_SET_ARGUMENT,
			"3 bits"},
		{"dl_vlan=5,actions=set_field:1/1->dl_vlan", 31, TN_OFPBAC_BAD_SET_MASK, "no mask"},
	};

	(void)state;
	check_pairs(pairs, TN_ARRAY_SIZE(pairs));
	check_complaints(list, TN_ARRAY_SIZE(list));
}

static void set_field(void **state)
{
	static const struct pair pairs[] = {
		{"actions=mod_dl_src:0:1:2:3:4:5,mod_dl_dst:00:11:22:33:44:55",
			"actions=set_field:00:01:02:03:04:05->eth_src,"
			"set_field:00:11:22:33:44:55->eth_dst"},
		{"actions=set_field:00:11:22:00:00:00/ff:ff:ff:00:00:00->dl_dst",
			"actions=set_field:00:11:22:00:00:00/ff:ff:ff:00:00:00->eth_dst"},
		{"ip,actions=mod_nw_src:10.0.0.1,mod_nw_dst:10.0.0.2",
			"ip actions=set_field:10.0.0.1->ip_src,set_field:10.0.0.2->ip_dst"},
		{"ip,actions=set_field:10.0.0.1/8->nw_src",
			"ip actions=set_field:10.0.0.0/8->ip_src"},
		{"ip,actions=mod_nw_tos:16,mod_nw_ecn:1,mod_nw_ttl:5,set_nw_ttl:6",
			"ip actions=set_field:4->ip_dscp,set_field:1->nw_ecn,set_field:5->nw_ttl,"
			"set_field:6->nw_ttl"},
		{"ip,actions=set_field:16->nw_tos", "ip actions=set_field:4->ip_dscp"},
		{"ipv6 actions=set_field:2001:db8::1->ipv6_src,set_field:2001:db8::/32->ipv6_dst,"
		 "set_field:0x5/0xff->ipv6_label",
			NULL},
		{"tcp,actions=mod_tp_src:1,mod_tp_dst:2,set_field:3->tp_dst",
			"tcp actions=set_field:1->tcp_src,set_field:2->tcp_dst,set_field:3->tcp_dst"},
		{"udp6,actions=mod_tp_src:1,mod_tp_dst:2",
			"udp6 actions=set_field:1->udp_src,set_field:2->udp_dst"},
		{"sctp,actions=mod_tp_src:1,mod_tp_dst:2",
			"sctp actions=set_field:1->sctp_src,set_field:2->sctp_dst"},
		{"tcp actions=set_field:5/0xf->tcp_dst", NULL},
		{"icmp actions=set_field:8->icmp_type,set_field:0->icmp_code", NULL},
		{"icmp6 actions=set_field:128->icmpv6_type,set_field:0->icmpv6_code", NULL},
		{"icmp6,icmp_type=135 actions=set_field:2001:db8::1->nd_target,"
		 "set_field:00:11:22:33:44:55->nd_sll",
			NULL},
		{"icmp6,icmp_type=136 actions=set_field:00:11:22:33:44:55->nd_tll", NULL},
		{"arp actions=set_field:2->arp_op,set_field:10.0.0.1->arp_spa,"
		 "set_field:10.0.0.0/8->arp_tpa,set_field:00:11:22:33:44:55->arp_sha,"
		 "set_field:00:11:22:33:44:55->arp_tha",
			NULL},
		{"actions=set_field:5->reg0,set_field:0->reg1,set_field:0xff/0xf->reg2",
			"actions=set_field:0x5->reg0,set_field:0->reg1,set_field:0xf/0xf->reg2"},
		{"actions=set_field:0x500000001->xreg1",
			"actions=set_field:0x5->reg2,set_field:0x1->reg3"},
		{"actions=set_field:0x500000001/0x100000001->xreg1",
			"actions=set_field:0x1/0x1->reg2,set_field:0x1/0x1->reg3"},
		{"actions=set_field:1/0xff->xxreg0", "actions=set_field:0x1/0xff->reg3"},
		{"actions=set_tunnel:5,set_tunnel64:0x123456789,set_field:5/0xf->tunnel_id",
			"actions=set_field:0x5->tun_id,set_field:0x123456789->tun_id,"
			"set_field:0x5/0xf->tun_id"},
		{"actions=set_field:198.51.100.1->tun_dst,set_field:198.51.0.0/16->tun_src", NULL},
		{"actions=set_field:2001:db8::1->tun_ipv6_dst", NULL},
		{"actions=set_field:::ffff:198.51.100.1->tun_ipv6_dst",
			"actions=set_field:198.51.100.1->tun_dst"},
		{"actions=set_field:local->in_port,set_field:7->pkt_mark,"
		 "set_field:-1->metadata",
			"actions=set_field:LOCAL->in_port,set_field:0x7->pkt_mark,"
			"set_field:0xffffffffffffffff->metadata"},
	};
	static const struct complaint list[] = {
		{"actions=set_field:5", 19, TN_OF_OK, "VALUE->FIELD"},
		{"actions=set_field:5->", 22, TN_OF_OK, "unknown field"},
		{"actions=set_field:5->reg16", 22, TN_OF_OK, "did you mean \"reg1"},
		{"actions=set_field:->reg1", 19, TN_OF_OK, "no value"},
		{"actions=set_field:5->eth_type", 22, TN_OFPBAC_BAD_SET_TYPE, "read-only"},
		{"ip,actions=set_field:5->nw_proto", 25, TN_OFPBAC_BAD_SET_TYPE, "read-only"},
		{"actions=set_field:5->mpls_label", 22, TN_OFPBAC_BAD_SET_TYPE, "not supported"},
		{"actions=set_field:5->ct_mark", 22, TN_OFPBAC_BAD_SET_TYPE, "not supported"},
		{"actions=set_field:0x100000000->reg0", 19, TN_OFPBAC_BAD_SET_ARGUMENT, "32 bits"},
		{"actions=set_field:5/0->reg0", 21, TN_OFPBAC_BAD_SET_MASK, "set nothing"},
		{"actions=set_field:fish->eth_src", 19, TN_OF_OK, "MAC address"},
		{"ip,actions=set_field:1/1->nw_ttl", 12, TN_OFPBAC_BAD_SET_MASK, "no mask"},
		{"ip,actions=1,set_field:80->tcp_dst", 14, TN_OFPBAC_MATCH_INCONSISTENT, "tcp_dst"},
		{"actions=set_field:10.0.0.1->ip_src", 9, TN_OFPBAC_MATCH_INCONSISTENT, "0x0800"},
		{"ipv6,actions=mod_nw_src:10.0.0.1", 14, TN_OFPBAC_MATCH_INCONSISTENT, "0x0800"},
		{"ip,actions=mod_nw_src:10.0.0.1/8", 32, TN_OFPBAC_BAD_SET_MASK, "set_field"},
		{"ip,actions=mod_nw_tos:3", 23, TN_OFPBAC_BAD_SET_ARGUMENT, "multiple of 4"},
		{"ip,actions=mod_nw_tos:256", 23, TN_OFPBAC_BAD_ARGUMENT, "0 to 255"},
		{"ip,actions=mod_nw_ecn:4", 23, TN_OFPBAC_BAD_SET_ARGUMENT, "2 bits"},
		{"ip,actions=mod_tp_dst:80", 12, TN_OFPBAC_MATCH_INCONSISTENT, "tcp_dst"},
		{"tcp,actions=mod_tp_dst:65536", 24, TN_OFPBAC_BAD_ARGUMENT, "65535"},
		{"actions=dec_ttl", 9, TN_OFPBAC_MATCH_INCONSISTENT, "0x0800"},
		{"ip,actions=dec_ttl(1,2)", 20, TN_OFPBAC_BAD_ARGUMENT, "no argument"},
		{"actions=set_tunnel:x", 20, TN_OF_OK, "not a number"},
	};

	(void)state;
	check_pairs(pairs, TN_ARRAY_SIZE(pairs));
	check_complaints(list, TN_ARRAY_SIZE(list));
}

static void load_and_move(void **state)
{
	static const struct pair pairs[] = {
		{"actions=load:5->NXM_NX_REG0[],load:1->reg1[3],load:5->reg2[3..5]",
			"actions=set_field:0x5->reg0,set_field:0x8/0x8->reg1,"
			"set_field:0x28/0x38->reg2"},
		{"actions=load:1->OXM_OF_PKT_REG0[32],load:0x10->OXM_OF_METADATA[8..15]",
			"actions=set_field:0x1/0x1->reg0,set_field:0x1000/0xff00->metadata"},
		{"actions=load:0xc6336401->NXM_NX_TUN_IPV4_DST[],load:0->NXM_OF_IN_PORT[]",
			"actions=set_field:198.51.100.1->tun_dst,set_field:0->in_port"},
		{"actions=load:0x1122334455->NXM_OF_ETH_DST[]",
			"actions=set_field:00:11:22:33:44:55->eth_dst"},
		{"ip,actions=load:5->OXM_OF_IPV4_SRC[0..7]",
			"ip actions=set_field:0.0.0.5/0.0.0.255->ip_src"},
		{"actions=move:reg0->reg1,move:NXM_NX_REG0[0..15]->NXM_NX_REG1[16..31]",
			"actions=move:NXM_NX_REG0[]->NXM_NX_REG1[],"
			"move:NXM_NX_REG0[0..15]->NXM_NX_REG1[16..31]"},
		{"actions=move:OXM_OF_METADATA[3]->NXM_NX_TUN_ID[4]", NULL},
		{"actions=move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[]", NULL},
		{"actions=move:OXM_OF_IN_PORT[]->NXM_NX_REG0[],"
		 "move:NXM_OF_IN_PORT[]->NXM_NX_REG0[0..15]",
			NULL},
		{"actions=move:NXM_NX_TUN_IPV4_SRC[]->NXM_NX_REG0[]", NULL},
		{"actions=move:NXM_NX_TUN_IPV6_SRC[]->NXM_NX_TUN_IPV6_DST[]", NULL},
		/* An IPv4 address moved into a tunnel field makes it one of IPv4. */
		{"actions=move:reg0->tun_dst",
			"actions=set_field:::ffff:0.0.0.0/96->tun_ipv6_dst,"
			"move:NXM_NX_REG0[]->NXM_NX_TUN_IPV6_DST[0..31]"},
		{"actions=move:xreg0[]->metadata",
			"actions=move:NXM_NX_REG1[]->OXM_OF_METADATA[0..31],"
			"move:NXM_NX_REG0[]->OXM_OF_METADATA[32..63]"},
		/* Bits that overlap: from the end that does not overwrite what is still to move. */
		{"actions=move:xxreg0[0..63]->xxreg0[32..95]",
			"actions=move:NXM_NX_REG2[]->NXM_NX_REG1[],"
			"move:NXM_NX_REG3[]->NXM_NX_REG2[]"},
		{"actions=move:xxreg0[32..95]->xxreg0[0..63]",
			"actions=move:NXM_NX_REG2[]->NXM_NX_REG3[],"
			"move:NXM_NX_REG1[]->NXM_NX_REG2[]"},
		{"dl_vlan=5,actions=move:vlan_vid[]->reg0[0..11],move:vlan_tci[]->reg1[0..15]",
			"dl_vlan=5 actions=move:OXM_OF_VLAN_VID[]->NXM_NX_REG0[0..11],"
			"move:OXM_OF_VLAN_VID[0..12]->NXM_NX_REG1[0..12],"
			"move:OXM_OF_VLAN_PCP[]->NXM_NX_REG1[13..15]"},
		{"ip actions=move:NXM_NX_IP_TTL[]->NXM_NX_REG0[0..7],"
		 "move:OXM_OF_IP_DSCP[]->NXM_NX_REG0[0..5],move:NXM_NX_IP_ECN[]->NXM_NX_REG0[0..1],"
		 "move:NXM_NX_IP_FRAG[]->NXM_NX_REG0[0..1],"
		 "move:NXM_OF_IP_PROTO[]->NXM_NX_REG0[0..7]",
			NULL},
		{"dl_vlan=5 actions=move:inner_vlan_vid[0..11]->NXM_NX_REG0[0..11]", NULL},
	};
	static const struct complaint list[] = {
		{"actions=load:5", 14, TN_OF_OK, "VALUE->FIELD"},
		{"actions=load:x->reg0", 14, TN_OF_OK, "not a number"},
		{"actions=load:9->reg0[3..5]", 14, TN_OFPBAC_BAD_SET_ARGUMENT, "3 bits"},
		{"actions=load:9->reg0[5..3]", 22, TN_OFPBAC_BAD_SET_TYPE, "swap"},
		{"actions=load:9->reg0[32]", 22, TN_OFPBAC_BAD_SET_TYPE, "bits 0 to 31"},
		{"actions=load:9->NXM_BOGUS[]", 17, TN_OF_OK, "unknown field"},
		{"actions=load:9->NXM_OF_ETH_TYPE[]", 9, TN_OFPBAC_BAD_SET_TYPE, "read-only"},
		{"ip,actions=load:1->nw_tos[0..1]", 20, TN_OFPBAC_BAD_SET_MASK, "cannot be set"},
		{"actions=move:reg0", 14, TN_OF_OK, "SRC[A..B]->DST[C..D]"},
		{"actions=move:reg0[0..3]->reg1[]", 14, TN_OFPBAC_BAD_SET_LEN, "4 bits"},
		{"actions=move:bogus->reg1", 14, TN_OF_OK, "unknown field"},
		{"actions=move:reg1->ct_mark", 20, TN_OFPBAC_BAD_SET_TYPE, "not supported"},
		{"actions=move:reg0[0..15]->eth_type", 9, TN_OFPBAC_BAD_SET_TYPE, "read-only"},
		{"actions=1,move:NXM_OF_IP_SRC[]->reg0", 11, TN_OFPBAC_MATCH_INCONSISTENT,
			"0x0800"},
		{"ip,actions=move:nw_tos[]->reg0[0..7]", 17, TN_OFPBAC_BAD_ARGUMENT, "nw_ecn"},
	};

	(void)state;
	check_pairs(pairs, TN_ARRAY_SIZE(pairs));
	check_complaints(list, TN_ARRAY_SIZE(list));
}

static void nesting(void **state)
{
	static const struct pair pairs[] = {
		{"actions=clone(1),2", "actions=clone(output:1),output:2"},
		{"actions=clone(clone(output:1,output:2),output:3),output:4", NULL},
		{"actions=clone(drop),output:1", NULL},
		{"actions=clone(),1", "actions=clone(drop),output:1"},
		{"actions=resubmit(,1),resubmit(5,2),resubmit(LOCAL,3)", NULL},
		{"table=5,actions=resubmit(in_port,6)", "table=5, actions=resubmit(,6)"},
		{"actions=note:00.1f.A0,note:0011,note:", "actions=note:00.1f.a0,note:00.11,note:"},
		{"ip actions=dec_ttl,copy_ttl_in,copy_ttl_out", NULL},
	};
	static const struct complaint list[] = {
		{"actions=clone(1", 14, TN_OF_OK, "never closed"},
		{"actions=clone(1))", 17, TN_OF_OK, "')' without"},
		{"actions=clone(1)2", 17, TN_OF_OK, "comma or a space"},
		{"actions=clone(1,drop)", 17, TN_OF_OK, "stand beside"},
		{"actions=clone(1,x)", 17, TN_OF_OK, "unknown action"},
		{"actions=clone(1,pop_vlan)", 17, TN_OFPBAC_MATCH_INCONSISTENT, "VLAN tag"},
		{"actions=clone(meter:1)", 15, TN_OFPBIC_UNSUP_INST, "instruction"},
		{"actions=clone(clone(clone(clone(clone(1)))))", 33, TN_OFPBAC_TOO_MANY,
			"deeper than 4"},
		{"actions=resubmit:1", 9, TN_OFPBAC_BAD_ARGUMENT, "tables only go forward"},
		{"actions=resubmit(,)", 9, TN_OFPBAC_BAD_ARGUMENT, "tables only go forward"},
		{"table=5,actions=1,resubmit(,5)", 19, TN_OFPBAC_BAD_ARGUMENT,
			"tables only go forward"},
		{"table=5,actions=resubmit(,3)", 17, TN_OFPBAC_BAD_ARGUMENT, "only go forward"},
		{"actions=resubmit(,255)", 19, TN_OFPBAC_BAD_ARGUMENT, "0 to 254"},
		{"actions=resubmit(x,1)", 18, TN_OFPBAC_BAD_ARGUMENT, "unknown port"},
		{"actions=resubmit(,1,ct)", 21, TN_OFPBAC_BAD_ARGUMENT, "not supported"},
		{"actions=note:1", 14, TN_OF_OK, "two hexadecimal digits"},
		{"actions=note:00.zz", 17, TN_OF_OK, "two hexadecimal digits"},
		{"actions=note:00000000000000000000000000000000000000000000000000000000000000000000"
		 "00000000000000",
			94, TN_OFPBAC_BAD_LEN, "40 bytes"},
		{"actions=ct(commit)", 9, TN_OFPBAC_BAD_TYPE, "not supported"},
		{"actions=learn(table=1)", 9, TN_OFPBAC_BAD_TYPE, "not supported"},
		{"actions=1,push_mpls:0x8847", 11, TN_OFPBAC_BAD_TYPE, "not supported"},
		{"actions=conjunction(1,1/2)", 9, TN_OFPBAC_BAD_TYPE, "not supported"},
	};

	(void)state;
	check_pairs(pairs, TN_ARRAY_SIZE(pairs));
	check_complaints(list, TN_ARRAY_SIZE(list));
}

static void instructions(void **state)
{
	static const struct pair pairs[] = {
		{"actions=meter:5,set_field:0x1->reg0,output:2,clear_actions,write_actions(group:3),"
		 "write_metadata:0x4/0x5,goto_table:6",
			NULL},
		{"actions=meter:5", NULL},
		{"actions=clear_actions", NULL},
		{"actions=write_actions(set_field:0x5->reg0,output:1)", NULL},
		{"actions=write_actions(),goto_table:1", "actions=goto_table:1"},
		{"actions=write_actions(drop)", "actions=drop"},
		{"actions=write_metadata:0x1ff/0xff", "actions=write_metadata:0xff/0xff"},
		{"actions=write_metadata:-1", "actions=write_metadata:0xffffffffffffffff"},
		{"actions=write_metadata:0", NULL},
		{"table=253 actions=GOTO_TABLE:254", "table=253, actions=goto_table:254"},
	};
	static const struct complaint list[] = {
		{"actions=1,meter:2", 11, TN_OFPBAC_UNSUPPORTED_ORDER, "before actions"},
		{"actions=goto_table:1,clear_actions", 22, TN_OFPBAC_UNSUPPORTED_ORDER,
			"before goto_table"},
		{"actions=clear_actions,1", 23, TN_OFPBAC_UNSUPPORTED_ORDER, "1 must come before"},
		{"actions=meter:1,meter:2", 17, TN_OFPBIC_DUP_INST, "twice"},
		{"actions=goto_table:1,goto_table:2", 22, TN_OFPBIC_DUP_INST, "twice"},
		{"actions=meter:0", 15, TN_OFPBAC_BAD_METER, "1 to 4294901760"},
		{"actions=meter:x", 15, TN_OF_OK, "not a number"},
		{"actions=clear_actions:1", 23, TN_OF_OK, "no argument"},
		{"actions=write_actions(1,2)", 25, TN_OFPBAC_UNSUPPORTED_ORDER, "one output"},
		{"actions=1,write_actions(resubmit(,1))", 25, TN_OFPBAC_BAD_TYPE, "action set"},
		{"actions=write_actions(goto_table:1)", 23, TN_OFPBIC_UNSUP_INST, "instruction"},
		{"actions=write_actions(1,drop)", 25, TN_OF_OK, "stand beside"},
		{"actions=write_metadata:x", 24, TN_OF_OK, "not a number"},
		{"actions=write_metadata:1/x", 26, TN_OF_OK, "not a number"},
		{"actions=write_metadata:1/0", 26, TN_OFPBIC_UNSUP_METADATA_MASK, "write nothing"},
		{"actions=goto_table:255", 20, TN_OFPBIC_BAD_TABLE_ID, "0 to 254"},
		{"table=3,actions=1,goto_table:3", 19, TN_OFPBIC_BAD_TABLE_ID, "go forward"},
		{"actions=goto_table:0", 9, TN_OFPBIC_BAD_TABLE_ID, "go forward"},
		{"actions=drop,goto_table:1", 9, TN_OF_OK, "beside an instruction"},
		{"actions=apply_actions(1)", 9, TN_OF_OK, "leave apply_actions out"},
	};

	(void)state;
	check_pairs(pairs, TN_ARRAY_SIZE(pairs));
	check_complaints(list, TN_ARRAY_SIZE(list));
}

static void packet_out(void **state)
{
	const struct tn_action *list;
	struct bench b;
	size_t n;
	char *s;

	(void)state;
	bench_init(&b, NULL);
	assert_int_equal(tn_ofctl_parse_actions(&b.o, "actions=1,table", 15, &list, &n), 0);
	assert_int_equal(n, 2);
	s = tn_ofctl_print_actions(list, n, NULL);
	assert_string_equal(s, "output:1,TABLE");
	free(s);
	assert_int_equal(tn_ofctl_parse_actions(&b.o, "pop_vlan resubmit(,0)", 21, &list, &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(tn_ofctl_parse_actions(&b.o, "", 0, &list, &n), 0);
	assert_int_equal(n, 0);
	s = tn_ofctl_print_actions(list, n, NULL);
	assert_string_equal(s, "drop");
	free(s);
	assert_int_equal(b.diag.n, 0);
	assert_int_equal(tn_ofctl_parse_actions(&b.o, "1,goto_table:1", 14, &list, &n), -22);
	assert_int_equal(b.diag.list[0].column, 3);
	assert_int_equal(tn_ofctl_parse_actions(&b.o, "1,drop", 6, &list, &n), -22);
	assert_int_equal(b.diag.list[1].column, 3);
	assert_int_equal(tn_ofctl_parse_actions(&b.o, "1,output:any", 12, &list, &n), -22);
	assert_int_equal(b.diag.list[2].column, 3);
	bench_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers),
		cmocka_unit_test(output),
		cmocka_unit_test(vlan),
		cmocka_unit_test(set_field),
		cmocka_unit_test(load_and_move),
		cmocka_unit_test(nesting),
		cmocka_unit_test(instructions),
		cmocka_unit_test(packet_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
