/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/model/flow_json.h"

#include <errno.h>

#include "tests/unit/model/json_help.h"

#define IP4   "{'type':'ETH_TYPE','ethType':'0x800'},"
#define IP6   "{'type':'ETH_TYPE','ethType':'0x86dd'},"
#define ARP   "{'type':'ETH_TYPE','ethType':'0x806'},"
#define PROTO "{'type':'IP_PROTO','protocol':"
#define TCP   IP4 PROTO "6},"
#define UDP   IP4 PROTO "17},"
#define SCTP  IP4 PROTO "132},"
#define ICMP4 IP4 PROTO "1},"
#define ICMP6 IP6 PROTO "58},"
#define ND_NS ICMP6 "{'type':'ICMPV6_TYPE','icmpv6Type':135},"
#define ND_NA ICMP6 "{'type':'ICMPV6_TYPE','icmpv6Type':136},"
#define TAG   "{'type':'VLAN_VID','vlanId':4096},"

/* What may be written for a criterion, and how it is printed (NULL: the same). */
struct golden {
	const char *before; /* criteria that it needs */
	const char *in, *out;
};

static const struct golden criteria[] = {
	{"", "{'type':'IN_PORT','port':7}", NULL},
	{"", "{'type':'IN_PORT','port':'7'}", "{'type':'IN_PORT','port':7}"},
	{"", "{'type':'IN_PORT','port':'tap7'}", "{'type':'IN_PORT','port':7}"},
	{"", "{'type':'IN_PORT','port':'[tap7](7)'}", "{'type':'IN_PORT','port':7}"},
	{"", "{'type':'IN_PORT','port':'LOCAL'}", "{'type':'IN_PORT','port':-2}"},
	{"", "{'type':'IN_PORT','port':4294967294}", "{'type':'IN_PORT','port':-2}"},
	{"", "{'type':'IN_PORT','port':-3}", NULL},
	{"{'type':'IN_PORT','port':1},", "{'type':'IN_PHY_PORT','port':7}", NULL},
	{"", "{'type':'METADATA','metadata':5}", NULL},
	{"", "{'type':'METADATA','metadata':9007199254740991}", NULL},
	{"", "{'type':'METADATA','metadata':9007199254740992}",
		"{'type':'METADATA','metadata':'0x20000000000000'}"},
	{"", "{'type':'METADATA','metadata':'18446744073709551615'}",
		"{'type':'METADATA','metadata':'0xffffffffffffffff'}"},
	{"", "{'type':'METADATA','metadata':'0xABCD','metadataMask':'0xff00'}",
		"{'type':'METADATA','metadata':43776,'metadataMask':65280}"},
	{"", "{'type':'ETH_DST','mac':'02:00:00:00:00:aB'}",
		"{'type':'ETH_DST','mac':'02:00:00:00:00:AB'}"},
	{"", "{'type':'ETH_SRC','mac':'02:00:00:00:00:01'}", NULL},
	{"", "{'type':'ETH_DST_MASKED','mac':'01:00:00:00:00:00','macMask':'01:00:00:00:00:00'}",
		NULL},
	{"", "{'type':'ETH_SRC_MASKED','mac':'02:00:00:00:00:FF','macMask':'FF:FF:FF:00:00:00'}",
		"{'type':'ETH_SRC_MASKED','mac':'02:00:00:00:00:00','macMask':'FF:FF:FF:00:00:00'}"},
	{"", "{'type':'ETH_DST','mac':'01:00:00:00:00:00','macMask':'01:00:00:00:00:00'}",
		"{'type':'ETH_DST_MASKED','mac':'01:00:00:00:00:00','macMask':'01:00:00:00:00:00'}"},
	{"", "{'type':'ETH_DST_MASKED','mac':'02:00:00:00:00:01','macMask':'FF:FF:FF:FF:FF:FF'}",
		"{'type':'ETH_DST','mac':'02:00:00:00:00:01'}"},
	{"", "{'type':'ETH_TYPE','ethType':2048}", "{'type':'ETH_TYPE','ethType':'0x800'}"},
	{"", "{'type':'ETH_TYPE','ethType':'0x0800'}", "{'type':'ETH_TYPE','ethType':'0x800'}"},
	{"", "{'type':'ETH_TYPE','ethType':'34525'}", "{'type':'ETH_TYPE','ethType':'0x86dd'}"},
	{"", "{'type':'VLAN_VID','vlanId':-1}", NULL},
	{"", "{'type':'VLAN_VID','vlanId':0}", NULL},
	{"", "{'type':'VLAN_VID','vlanId':4095}", NULL},
	{"", "{'type':'VLAN_VID','vlanId':4096}", NULL},
	{"", "{'type':'VLAN_VID','vlanId':4101,'vlanIdMask':8191}",
		"{'type':'VLAN_VID','vlanId':5}"},
	{"", "{'type':'VLAN_VID','vlanId':4096,'vlanIdMask':4096}",
		"{'type':'VLAN_VID','vlanId':4096}"},
	{"", "{'type':'VLAN_VID','vlanId':4112,'vlanIdMask':4336}", NULL},
	{"", "{'type':'VLAN_VID','vlanId':0,'vlanIdMask':4096}", NULL},
	{"", "{'type':'VLAN_VID','vlanId':5,'vlanIdMask':8191}", NULL},
	{TAG, "{'type':'VLAN_PCP','priority':7}", NULL},
	{TAG, "{'type':'INNER_VLAN_VID','innerVlanId':9}", NULL},
	{TAG, "{'type':'INNER_VLAN_VID','innerVlanId':-1}", NULL},
	{TAG, "{'type':'INNER_VLAN_VID','innerVlanId':4097,'innerVlanIdMask':4097}", NULL},
	{TAG, "{'type':'INNER_VLAN_PCP','innerPriority':3}", NULL},
	{IP4, "{'type':'IP_DSCP','ipDscp':63}", NULL},
	{IP6, "{'type':'IP_ECN','ipEcn':3}", NULL},
	{IP6, "{'type':'IP_PROTO','protocol':255}", NULL},
	{IP4, "{'type':'IP_TTL','ttl':64}", NULL},
	{IP4, "{'type':'IP_FRAG','frag':'no'}", NULL},
	{IP4, "{'type':'IP_FRAG','frag':'yes'}", NULL},
	{IP4, "{'type':'IP_FRAG','frag':'first'}", NULL},
	{IP4, "{'type':'IP_FRAG','frag':'later'}", NULL},
	{IP4, "{'type':'IP_FRAG','frag':'not_later'}", NULL},
	{IP4, "{'type':'IP_FRAG','frag':2,'fragMask':2}", NULL},
	{IP4, "{'type':'IP_FRAG','frag':1,'fragMask':3}", "{'type':'IP_FRAG','frag':'first'}"},
	{IP4, "{'type':'IPV4_SRC','ip':'10.9.0.0/16'}", NULL},
	{IP4, "{'type':'IPV4_DST','ip':'10.9.8.7'}", "{'type':'IPV4_DST','ip':'10.9.8.7/32'}"},
	{IP4, "{'type':'IPV4_DST','ip':'10.9.8.7/255.255.0.0'}",
		"{'type':'IPV4_DST','ip':'10.9.0.0/16'}"},
	{IP4, "{'type':'IPV4_DST','ip':'10.9.8.7/255.0.0.255'}",
		"{'type':'IPV4_DST','ip':'10.0.0.7/255.0.0.255'}"},
	{TCP, "{'type':'TCP_SRC','tcpPort':80}", NULL},
	{TCP, "{'type':'TCP_DST','tcpPort':'443'}", "{'type':'TCP_DST','tcpPort':443}"},
	{TCP, "{'type':'TCP_SRC_MASKED','tcpPort':1024,'tcpMask':64512}", NULL},
	{TCP, "{'type':'TCP_DST','tcpPort':1024,'tcpPortMask':'0xfc00'}",
		"{'type':'TCP_DST_MASKED','tcpPort':1024,'tcpMask':64512}"},
	{TCP, "{'type':'TCP_FLAGS','flags':2}", NULL},
	{TCP, "{'type':'TCP_FLAGS','flags':2,'flagsMask':18}", NULL},
	{UDP, "{'type':'UDP_SRC','udpPort':53}", NULL},
	{UDP, "{'type':'UDP_DST','udpPort':4789}", NULL},
	{UDP, "{'type':'UDP_SRC_MASKED','udpPort':1024,'udpMask':64512}", NULL},
	{UDP, "{'type':'UDP_DST_MASKED','udpPort':1024,'udpMask':64512}", NULL},
	{SCTP, "{'type':'SCTP_SRC','sctpPort':36412}", NULL},
	{SCTP, "{'type':'SCTP_DST','sctpPort':36412}", NULL},
	{SCTP, "{'type':'SCTP_SRC_MASKED','sctpPort':1024,'sctpMask':64512}", NULL},
	{SCTP, "{'type':'SCTP_DST_MASKED','sctpPort':1024,'sctpMask':64512}", NULL},
	{ICMP4, "{'type':'ICMPV4_TYPE','icmpType':8}", NULL},
	{ICMP4, "{'type':'ICMPV4_CODE','icmpCode':0}", NULL},
	{IP6, "{'type':'IPV6_SRC','ip':'2001:DB8::1'}",
		"{'type':'IPV6_SRC','ip':'2001:db8::1/128'}"},
	{IP6, "{'type':'IPV6_DST','ip':'2001:db8::ffff/32'}",
		"{'type':'IPV6_DST','ip':'2001:db8::/32'}"},
	{IP6, "{'type':'IPV6_DST','ip':'2001:db8::7/ffff::ffff'}",
		"{'type':'IPV6_DST','ip':'2001::7/ffff::ffff'}"},
	{IP6, "{'type':'IPV6_FLABEL','flowLabel':1048575}", NULL},
	{IP6, "{'type':'IPV6_FLABEL','flowLabel':255,'flowLabelMask':15}",
		"{'type':'IPV6_FLABEL','flowLabel':15,'flowLabelMask':15}"},
	{IP6, "{'type':'IPV6_EXTHDR','exthdrFlags':511}", NULL},
	{IP6, "{'type':'IPV6_EXTHDR','exthdrFlags':0,'exthdrFlagsMask':1}", NULL},
	{ICMP6, "{'type':'ICMPV6_TYPE','icmpv6Type':128}", NULL},
	{ICMP6, "{'type':'ICMPV6_CODE','icmpv6Code':4}", NULL},
	{ND_NS, "{'type':'IPV6_ND_TARGET','targetAddress':'2001:db8::9'}", NULL},
	{ND_NA, "{'type':'IPV6_ND_TARGET','targetAddress':'2001:db8::/64'}", NULL},
	{ND_NS, "{'type':'IPV6_ND_SLL','mac':'02:00:00:00:00:01'}", NULL},
	{ND_NA, "{'type':'IPV6_ND_TLL','mac':'02:00:00:00:00:00','macMask':'FF:00:00:00:00:00'}",
		NULL},
	{ARP, "{'type':'ARP_OP','arpOp':1}", NULL},
	{ARP, "{'type':'ARP_SPA','ip':'10.0.0.1/32'}", NULL},
	{ARP, "{'type':'ARP_TPA','ip':'10.0.0.0/8'}", NULL},
	{ARP, "{'type':'ARP_SHA','mac':'02:00:00:00:00:01'}", NULL},
	{ARP, "{'type':'ARP_THA','mac':'02:00:00:00:00:00','macMask':'FF:00:00:00:00:00'}", NULL},
	{"", "{'type':'TUNNEL_ID','tunnelId':5001}", NULL},
	{"", "{'type':'TUNNEL_ID','tunnelId':'0x1389','tunnelIdMask':'0xffffff'}",
		"{'type':'TUNNEL_ID','tunnelId':5001,'tunnelIdMask':16777215}"},
	{"", "{'type':'TUN_SRC','ip':'192.0.2.1'}", "{'type':'TUN_SRC','ip':'192.0.2.1/32'}"},
	{"", "{'type':'TUN_SRC','ip':'192.0.2.1/24'}", "{'type':'TUN_SRC','ip':'192.0.2.0/24'}"},
	{"", "{'type':'TUN_SRC','ip':'0.0.0.0/0'}", NULL},
	{"", "{'type':'TUN_DST','ip':'192.0.0.9/255.0.0.255'}", NULL},
	{"", "{'type':'TUN_DST','ip':'2001:db8::/32'}", NULL},
	{"", "{'type':'TUN_DST','ip':'2001:db8::1/128'}", NULL},
	{"", "{'type':'PKT_MARK','mark':4294967295}", NULL},
	{"", "{'type':'PKT_MARK','mark':1,'markMask':1}", NULL},
	{"", "{'type':'REG','reg':0,'value':4294967295}", NULL},
	{"", "{'type':'REG','reg':15,'value':5,'valueMask':7}", NULL},
};

/* A flow around a selector and a treatment. */
static json_t *flow_around(const char *selector, const char *treatment)
{
	size_t size = strlen(selector) + strlen(treatment) + 200;
	char *text = malloc(size);
	json_t *j;

	assert_non_null(text);
	snprintf(text, size,
		"{'priority':10,'isPermanent':true,'selector':{'criteria':[%s]},'treatment':%s}",
		selector, treatment);
	j = help_tree(text);
	free(text);
	return j;
}

/* Decodes, prints, decodes and prints again: both prints are the same. The first print. */
static json_t *fixed_point(struct help *h, json_t *in, const char *what, struct tn_flow_mod *fm)
{
	struct tn_flow_mod again;
	struct tn_flow_info info;
	json_t *first, *second;

	if (tn_flow_from_json(&h->codec, "", in, fm))
		help_no_errors(h, what);
	info = help_flow_info(fm);
	first = tn_flow_to_json(&h->codec, &info);
	if (tn_flow_from_json(&h->codec, "", first, &again))
		help_no_errors(h, what);
	assert_true(tn_match_equal(&fm->match, &again.match));
	assert_true(tn_actions_equal(
		fm->inst.apply, fm->inst.n_apply, again.inst.apply, again.inst.n_apply));
	assert_true(tn_actions_equal(
		fm->inst.write, fm->inst.n_write, again.inst.write, again.inst.n_write));
	assert_int_equal(fm->owner, again.owner);
	info = help_flow_info(&again);
	second = tn_flow_to_json(&h->codec, &info);
	if (!json_equal(first, second))
		fail_msg("%s: not a fixed point: %s", what, help_dump(second));
	json_decref(second);
	return first;
}

/* Is `wanted` one of the elements? */
static bool has_element(const json_t *array, json_t *wanted)
{
	json_t *e;
	size_t i;

	json_array_foreach(array, i, e)
	{
		if (json_equal(e, wanted))
			return true;
	}
	return false;
}

static void every_criterion_both_ways(void **state)
{
	char selector[1024];
	uint64_t seen = 0;
	struct help h;
	size_t i;

	(void)state;
	help_init(&h);
	for (i = 0; i < TN_ARRAY_SIZE(criteria); i++) {
		const struct golden *g = &criteria[i];
		json_t *in, *out, *wanted = help_tree(g->out ? g->out : g->in);
		struct tn_flow_mod fm;

		snprintf(selector, sizeof(selector), "%s%s", g->before, g->in);
		in = flow_around(selector, "{}");
		out = fixed_point(&h, in, g->in, &fm);
		if (!has_element(
			    json_object_get(json_object_get(out, "selector"), "criteria"), wanted))
			fail_msg("%s is printed as %s", g->in, help_dump(out));
		seen |= tn_match_fields(&fm.match);
		json_decref(in);
		json_decref(out);
		json_decref(wanted);
	}
	for (i = 0; i < TN_N_FIELDS; i++)
		if (!(seen >> i & 1) && !(i > TN_FIELD_REG0 && i < TN_FIELD_REG15))
			fail_msg("no case for %s", tn_fields[i].name);
	help_fini(&h);
}

/* Masks of zero say nothing, also where their field's prerequisites are missing. */
static void a_mask_of_zero_is_absent(void **state)
{
	static const char selector[] =
		"{'type':'METADATA','metadata':5,'metadataMask':0},"
		"{'type':'IPV4_DST','ip':'10.0.0.0/0'},"
		"{'type':'IPV6_SRC','ip':'::/0'},"
		"{'type':'ETH_DST','mac':'02:00:00:00:00:01','macMask':'00:00:00:00:00:00'}";
	json_t *in = flow_around(selector, "{}"), *out;
	struct tn_flow_mod fm;
	struct help h;

	(void)state;
	help_init(&h);
	out = fixed_point(&h, in, selector, &fm);
	assert_int_equal(tn_match_fields(&fm.match), 0);
	json_decref(in);
	json_decref(out);
	help_fini(&h);
}

#define L2 "{'type':'L2MODIFICATION','subtype':"
#define L3 "{'type':'L3MODIFICATION','subtype':"
#define L4 "{'type':'L4MODIFICATION','subtype':"
#define SF "{'type':'SET_FIELD','field':"

static const struct golden instructions[] = {
	{"", "{'type':'OUTPUT','port':3}", "{'type':'OUTPUT','port':'3'}"},
	{"", "{'type':'OUTPUT','port':'3'}", NULL},
	{"", "{'type':'OUTPUT','port':'tap7'}", "{'type':'OUTPUT','port':'7'}"},
	{"", "{'type':'OUTPUT','port':'[x](9)'}", "{'type':'OUTPUT','port':'9'}"},
	{"", "{'type':'OUTPUT','port':'CONTROLLER'}", NULL},
	{"", "{'type':'OUTPUT','port':-3}", "{'type':'OUTPUT','port':'CONTROLLER'}"},
	{"", "{'type':'OUTPUT','port':'CONTROLLER','maxLen':128,'reason':'NO_MATCH'}", NULL},
	{"", "{'type':'OUTPUT','port':'CONTROLLER','maxLen':0}", NULL},
	{"", "{'type':'OUTPUT','port':'CONTROLLER','reason':'APPLY_ACTION'}", NULL},
	{"", "{'type':'OUTPUT','port':'CONTROLLER','reason':'INVALID_TTL'}", NULL},
	{"", "{'type':'OUTPUT','port':'CONTROLLER','reason':'ACTION_SET'}", NULL},
	{"", "{'type':'OUTPUT','port':'CONTROLLER','reason':'GROUP'}", NULL},
	{"", "{'type':'OUTPUT','port':'CONTROLLER','reason':'PACKET_OUT'}", NULL},
	{"", "{'type':'OUTPUT','port':'3','maxLen':64}", NULL},
	{"", "{'type':'OUTPUT','port':'IN_PORT'}", NULL},
	{"", "{'type':'OUTPUT','port':'NORMAL'}", NULL},
	{"", "{'type':'OUTPUT','port':'FLOOD'}", NULL},
	{"", "{'type':'OUTPUT','port':'ALL'}", NULL},
	{"", "{'type':'OUTPUT','port':'local'}", "{'type':'OUTPUT','port':'LOCAL'}"},
	{"", "{'type':'GROUP','groupId':4294967040}", NULL},
	{"", "{'type':'GROUP','groupId':'12'}", "{'type':'GROUP','groupId':12}"},
	{"", "{'type':'METER','meterId':'10'}", NULL},
	{"", "{'type':'METER','meterId':10}", "{'type':'METER','meterId':'10'}"},
	{"", "{'type':'TABLE','tableId':'254'}", NULL},
	{"", "{'type':'TABLE','tableId':4}", "{'type':'TABLE','tableId':'4'}"},
	{"", "{'type':'TABLE','tableId':'acl'}", "{'type':'TABLE','tableId':'4'}"},
	{"", "{'type':'METADATA','metadata':5}", NULL},
	{"", "{'type':'METADATA','metadata':255,'metadataMask':15}",
		"{'type':'METADATA','metadata':15,'metadataMask':15}"},
	{"", "{'type':'QUEUE','queueId':5}", NULL},
	{"", "{'type':'QUEUE','queueId':5,'port':'1'}", "{'type':'QUEUE','queueId':5}"},
	{"", "{'type':'POP_QUEUE'}", NULL},
	{"", "{'type':'TRUNCATE','maxLen':64}", NULL},
	{"", "{'type':'NOTE','hex':'00ff'}", NULL},
	{"", "{'type':'NOTE','hex':''}", NULL},
	{"", "{'type':'RESUBMIT','tableId':9}", NULL},
	{"", "{'type':'RESUBMIT','tableId':'acl','inPort':'tap7'}",
		"{'type':'RESUBMIT','tableId':4,'inPort':7}"},
	{"",
		"{'type':'EXTENSION','deviceId':'of:00000000000000a1','extension':{'type':14,'inPort':-8,"
		"'table':9}}",
		"{'type':'RESUBMIT','tableId':9}"},
	{"",
		"{'type':'EXTENSION','deviceId':'of:00000000000000a1','extension':{'type':0,'tunnelDst':"
		"'192.0.2.9'}}",
		L2 "'TUNNEL_DST','ip':'192.0.2.9'}"},
	{"", "{'type':'EXTENSION','extension':{'tunnelDst':{'tunnelDst':'192.0.2.9'}}}",
		L2 "'TUNNEL_DST','ip':'192.0.2.9'}"},
	{"", "{'type':'LEARN','limit':64}", NULL},
	{"", "{'type':'FDB','local':true}", NULL},
	{"", "{'type':'SNOOP'}", NULL},
	{"", "{'type':'MCAST','local':true,'routers':true}", NULL},
	{"", "{'type':'ADVERTISE','least':200,'most':600}", NULL},
	{"", "{'type':'CIRCUIT','number':5,'field':'reg2','tableId':6}", NULL},
	{"", "{'type':'CLONE','instructions':[]}", NULL},
	{"", "{'type':'IF_LONGER','maxLen':1450,'instructions':[{'type':'OUTPUT','port':'2'}]}",
		NULL},
	{ARP, "{'type':'REPLY','reply':'ARP','mac':'02:00:5E:00:01:01'}", NULL},
	{"",
		"{'type':'CLONE','instructions':[{'type':'OUTPUT','port':'1'},{'type':'CLONE',"
		"'instructions':[{'type':'GROUP','groupId':1}]},{'type':'OUTPUT','port':'2'}]}",
		NULL},
	{"", "{'type':'MOVE','src':'eth_src','srcOffset':0,'dst':'eth_dst','dstOffset':0,'bits':48}",
		NULL},
	{"", "{'type':'MOVE','src':'reg0','dst':'reg1'}",
		"{'type':'MOVE','src':'reg0','srcOffset':0,'dst':'reg1','dstOffset':0,'bits':32}"},
	{"", L2 "'ETH_SRC','mac':'02:00:00:00:00:0a'}", L2 "'ETH_SRC','mac':'02:00:00:00:00:0A'}"},
	{"", L2 "'ETH_DST','mac':'02:00:00:00:00:0A'}", NULL},
	{TAG, L2 "'VLAN_ID','vlanId':4095}", NULL},
	{TAG, L2 "'VLAN_PCP','vlanPcp':7}", NULL},
	{"", L2 "'VLAN_ID','vlanId':5,'pushIfNeeded':true}", NULL},
	{"", L2 "'VLAN_PCP','vlanPcp':5,'pushIfNeeded':true}", NULL},
	{TAG, L2 "'VLAN_PCP','vlanPcp':5,'pushIfNeeded':false}", L2 "'VLAN_PCP','vlanPcp':5}"},
	{"", L2 "'VLAN_PUSH'}", L2 "'VLAN_PUSH','ethernetType':'0x8100'}"},
	{"", L2 "'VLAN_PUSH','ethernetType':'0x88a8'}", NULL},
	{TAG, L2 "'VLAN_POP'}", NULL},
	{"", L2 "'TUNNEL_ID','tunnelId':5001}", NULL},
	{"", L2 "'TUNNEL_DST','ip':'2001:db8::9'}", NULL},
	{"", L2 "'TUNNEL_SRC','ip':'192.0.2.1'}", NULL},
	{IP4, L3 "'IPV4_SRC','ip':'10.0.0.1'}", NULL},
	{IP4, L3 "'IPV4_DST','ip':'10.0.0.1'}", NULL},
	{IP6, L3 "'IPV6_SRC','ip':'2001:db8::1'}", NULL},
	{IP6, L3 "'IPV6_DST','ip':'2001:db8::1'}", NULL},
	{IP6, L3 "'IPV6_FLABEL','flowLabel':1048575}", NULL},
	{IP4, L3 "'IP_DSCP','ipDscp':63}", NULL},
	{IP6, L3 "'IP_ECN','ipEcn':3}", NULL},
	{IP6, L3 "'SET_TTL','ttl':255}", NULL},
	{IP4, L3 "'DEC_TTL'}", NULL},
	{IP4, L3 "'TTL_IN'}", NULL},
	{IP4, L3 "'TTL_OUT'}", NULL},
	{ARP, L3 "'ARP_OP','arpOp':2}", NULL},
	{ARP, L3 "'ARP_SPA','ip':'10.0.0.1'}", NULL},
	{ARP, L3 "'ARP_TPA','ip':'10.0.0.1'}", NULL},
	{ARP, L3 "'ARP_SHA','mac':'02:00:00:00:00:01'}", NULL},
	{ARP, L3 "'ARP_THA','mac':'02:00:00:00:00:01'}", NULL},
	{TCP, L4 "'TCP_SRC','tcpPort':1}", NULL},
	{TCP, L4 "'TCP_DST','tcpPort':65535}", NULL},
	{UDP, L4 "'UDP_SRC','udpPort':1}", NULL},
	{UDP, L4 "'UDP_DST','udpPort':65535}", NULL},
	{"", SF "'eth_dst','value':'02:00:00:00:00:01'}",
		L2 "'ETH_DST','mac':'02:00:00:00:00:01'}"},
	{"", SF "'eth_dst','value':'02:00:00:00:00:01','mask':'FF:00:00:00:00:00'}",
		SF "'eth_dst','value':'02:00:00:00:00:00','mask':'FF:00:00:00:00:00'}"},
	{TAG, SF "'vlan_vid','value':4103}", L2 "'VLAN_ID','vlanId':7}"},
	{"", SF "'metadata','value':'0xffffffffffffffff'}", NULL},
	{"", SF "'tunnel_id','value':7,'mask':'0xffffff'}",
		SF "'tunnel_id','value':7,'mask':16777215}"},
	{"", SF "'reg3','value':5,'mask':255}", NULL},
	{"", SF "'pkt_mark','value':5}", NULL},
	{"", SF "'in_port','value':0}", NULL},
	{"", SF "'tun_dst','value':'192.0.2.9'}", L2 "'TUNNEL_DST','ip':'192.0.2.9'}"},
	{"", SF "'tun_dst','value':'192.0.2.9','mask':'255.255.255.0'}",
		SF
		"'tun_dst','value':'192.0.2.0','mask':'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ff00'}"},
	{"", SF "'tun_dst','value':'2001:db8::','mask':'ffff:ffff::'}", NULL},
	{IP4, SF "'ipv4_dst','value':'10.0.0.1','mask':'255.0.0.255'}", NULL},
	{SCTP, SF "'sctp_src','value':5}", NULL},
	{SCTP, SF "'sctp_dst','value':5}", NULL},
	{ICMP4, SF "'icmpv4_type','value':5}", NULL},
	{ICMP4, SF "'icmpv4_code','value':5}", NULL},
	{ICMP6, SF "'icmpv6_type','value':5}", NULL},
	{ICMP6, SF "'icmpv6_code','value':5}", NULL},
	{ND_NS, SF "'ipv6_nd_target','value':'2001:db8::5'}", NULL},
	{ND_NS, SF "'ipv6_nd_sll','value':'02:00:00:00:00:01'}", NULL},
	{ND_NA, SF "'ipv6_nd_tll','value':'02:00:00:00:00:01'}", NULL},
};

static void every_instruction_both_ways(void **state)
{
	char treatment[1024];
	uint64_t actions = 0, fields = 0;
	struct help h;
	size_t i, k;

	(void)state;
	help_init(&h);
	for (i = 0; i < TN_ARRAY_SIZE(instructions); i++) {
		const struct golden *g = &instructions[i];
		char before[512];
		json_t *in, *out, *array, *wanted = help_tree(g->out ? g->out : g->in);
		struct tn_flow_mod fm;

		snprintf(treatment, sizeof(treatment), "{'instructions':[%s]}", g->in);
		snprintf(before, sizeof(before), "%s", g->before);
		if (before[0])
			before[strlen(before) - 1] = '\0'; /* the comma */
		in = flow_around(before, treatment);
		out = fixed_point(&h, in, g->in, &fm);
		array = json_object_get(json_object_get(out, "treatment"), "instructions");
		if (json_array_size(array) != 1 || !json_equal(json_array_get(array, 0), wanted))
			fail_msg("%s is printed as %s", g->in, help_dump(array));
		for (k = 0; k < fm.inst.n_apply; k++) {
			actions |= UINT64_C(1) << fm.inst.apply[k].type;
			if (fm.inst.apply[k].type == TN_ACTION_SET_FIELD)
				fields |= UINT64_C(1) << fm.inst.apply[k].field;
		}
		json_decref(in);
		json_decref(out);
		json_decref(wanted);
	}
	for (i = TN_ACTION_OUTPUT; i <= TN_ACTION_LAST; i++)
		if (!(actions >> i & 1))
			fail_msg("no case for action %zu", i);
	for (i = 0; i < TN_N_FIELDS; i++)
		if (tn_fields[i].writable && !(fields >> i & 1) &&
			!(i >= TN_FIELD_REG0 && i <= TN_FIELD_REG15))
			fail_msg("no case that sets %s", tn_fields[i].name);
	help_fini(&h);
}

/* The whole of a treatment: order, NOACTION, the deferred list. */
static void treatments_as_a_whole(void **state)
{
	static const struct golden cases[] = {
		{"", "{}", "{'instructions':[{'type':'NOACTION'}],'deferred':[]}"},
		{"", "{'instructions':[]}", "{'instructions':[{'type':'NOACTION'}],'deferred':[]}"},
		{"", "{'instructions':[{'type':'NOACTION'}]}",
			"{'instructions':[{'type':'NOACTION'}],'deferred':[]}"},
		{"", "{'instructions':[{'type':'OUTPUT','port':'1'},{'type':'NOACTION'}]}",
			"{'instructions':[{'type':'NOACTION'}],'deferred':[]}"},
		{"",
			"{'instructions':[{'type':'TABLE','tableId':5},{'type':'METADATA','metadata':1},"
			"{'type':'METER','meterId':3},{'type':'OUTPUT','port':'1'}],'clearDeferred':true}",
			"{'instructions':[{'type':'OUTPUT','port':'1'},{'type':'METER','meterId':'3'},"
			"{'type':'METADATA','metadata':1},{'type':'TABLE','tableId':'5'}],'deferred':[],"
			"'clearDeferred':true}"},
		{"",
			"{'deferred':[{'type':'GROUP','groupId':1},{'type':'L2MODIFICATION',"
			"'subtype':'VLAN_PUSH','ethernetType':'0x8100'}],'clearDeferred':false}",
			"{'instructions':[],'deferred':[{'type':'GROUP','groupId':1},"
			"{'type':'L2MODIFICATION','subtype':'VLAN_PUSH','ethernetType':'0x8100'}]}"},
		{"", "{'clearDeferred':true}",
			"{'instructions':[],'deferred':[],'clearDeferred':true}"},
	};
	struct help h;
	size_t i;

	(void)state;
	help_init(&h);
	for (i = 0; i < TN_ARRAY_SIZE(cases); i++) {
		json_t *in = flow_around("", cases[i].in), *wanted = help_tree(cases[i].out), *out;
		struct tn_flow_mod fm;
		char *a, *b;

		out = fixed_point(&h, in, cases[i].in, &fm);
		a = help_dump(json_object_get(out, "treatment"));
		b = help_dump(wanted);
		assert_string_equal(a, b);
		free(a);
		free(b);
		json_decref(in);
		json_decref(out);
		json_decref(wanted);
	}
	help_fini(&h);
}

/* Keys of the flow itself. */
static void heads_of_flows(void **state)
{
	static const struct golden cases[] = {
		{"", "{'priority':0,'isPermanent':true}",
			"{'tableId':0,'appId':'org.onosproject.rest','priority':0,'timeout':0,"
			"'isPermanent':true,'deviceId':'of:00000000000000a1'}"},
		{"",
			"{'priority':'65535','isPermanent':'false','timeout':'65535','tableId':'254',"
			"'deviceId':'of:00000000000000A1','appId':'org.example.tenant1'}",
			"{'tableId':254,'appId':'org.example.tenant1','priority':65535,"
			"'timeout':65535,'isPermanent':false,'deviceId':'of:00000000000000a1'}"},
		{"",
			"{'priority':5,'isPermanent':false,'hardTimeout':9,'cookie':'0xffffffffffffffff',"
			"'importance':7,'flags':['RESET_COUNTS','SEND_FLOW_REM','CHECK_OVERLAP',"
			"'NO_BYT_COUNTS','NO_PKT_COUNTS'],'tableId':'acl','appId':'<none>'}",
			"{'tableId':4,'appId':'<none>','priority':5,'timeout':0,'isPermanent':false,"
			"'deviceId':'of:00000000000000a1','hardTimeout':9,"
			"'cookie':'0xffffffffffffffff','importance':7,'flags':['SEND_FLOW_REM',"
			"'CHECK_OVERLAP','RESET_COUNTS','NO_PKT_COUNTS','NO_BYT_COUNTS']}"},
		/* An answer sent back: what only answers carry has no meaning. */
		{"",
			"{'id':'47006923401982','tableId':0,'appId':'a','groupId':0,'priority':40000,"
			"'timeout':0,'isPermanent':true,'deviceId':'of:00000000000000a1',"
			"'state':'ADDED','life':812,'liveType':'UNKNOWN','lastSeen':1735689600123,"
			"'packets':5120,'bytes':481280,'tableName':'0'}",
			"{'tableId':0,'appId':'a','priority':40000,'timeout':0,'isPermanent':true,"
			"'deviceId':'of:00000000000000a1'}"},
	};
	struct help h;
	size_t i;

	(void)state;
	help_init(&h);
	for (i = 0; i < TN_ARRAY_SIZE(cases); i++) {
		json_t *in = help_tree(cases[i].in), *wanted = help_tree(cases[i].out), *out;
		struct tn_flow_mod fm;
		char *a, *b;

		out = fixed_point(&h, in, cases[i].in, &fm);
		json_object_del(out, "treatment");
		json_object_del(out, "selector");
		a = help_dump(out);
		b = help_dump(wanted);
		assert_string_equal(a, b);
		free(a);
		free(b);
		json_decref(in);
		json_decref(out);
		json_decref(wanted);
	}
	help_fini(&h);
}

static void answers_have_the_northbound_shape(void **state)
{
	static const char want[] =
		"{'id':'-5','tableId':4,'appId':'org.onosproject.rest','groupId':0,'priority':10,"
		"'timeout':0,'isPermanent':true,'deviceId':'of:00000000000000a1','state':'ADDED',"
		"'life':812,'packets':5120,'bytes':481280,'liveType':'UNKNOWN',"
		"'lastSeen':1735689600123,'tableName':'acl',"
		"'treatment':{'instructions':[{'type':'NOACTION'}],'deferred':[]},"
		"'selector':{'criteria':[]}}";
	json_t *in = flow_around("", "{}"), *out;
	char *got, *wanted = help_quotes(want);
	struct tn_flow_info info;
	struct tn_flow_mod fm;
	struct help h;

	(void)state;
	help_init(&h);
	assert_int_equal(tn_flow_from_json(&h.codec, "", in, &fm), 0);
	info = help_flow_info(&fm);
	info.flow_id = (uint64_t)-5;
	info.table_id = 4;
	info.counter = (struct tn_counter){5120, 481280};
	info.last_used_ns = UINT64_C(1735689600123456789);
	info.created_ns = UINT64_C(1000000000);
	h.codec.with_stats = true;
	h.codec.now_ns = UINT64_C(813999999999);
	out = tn_flow_to_json(&h.codec, &info);
	got = help_dump(out);
	assert_string_equal(got, wanted);
	free(got);
	free(wanted);
	json_decref(in);
	json_decref(out);
	help_fini(&h);
}

/* What is refused: where, as which OpenFlow error, with which words. */
struct refusal {
	const char *flow, *pointer;
	enum tn_of_error of;
	const char *words;
};

#define HEAD	  "{'priority':1,'isPermanent':true,"
#define SEL(...)  HEAD "'selector':{'criteria':[" __VA_ARGS__ "]}}"
#define INST(...) HEAD "'treatment':{'instructions':[" __VA_ARGS__ "]}}"
#define DEF(...)  HEAD "'treatment':{'deferred':[" __VA_ARGS__ "]}}"
#define C0	  "/selector/criteria/0"
#define I0	  "/treatment/instructions/0"
#define I1	  "/treatment/instructions/1"

static const struct refusal refusals[] = {
	/* The head. */
	{"[]", "", TN_OF_OK, "must be an object"},
	{"{'isPermanent':true}", "", TN_OF_OK, "needs \"priority\""},
	{"{'priority':1}", "", TN_OF_OK, "needs \"isPermanent\""},
	{"{'priority':65536,'isPermanent':true}", "/priority", TN_OFPFMFC_BAD_PRIORITY,
		"0 to 65535"},
	{"{'priority':-1,'isPermanent':true}", "/priority", TN_OFPFMFC_BAD_PRIORITY, "-1"},
	{"{'priority':1.0,'isPermanent':true}", "/priority", TN_OF_OK, "fraction or an exponent"},
	{"{'priority':1e2,'isPermanent':true}", "/priority", TN_OF_OK, "fraction or an exponent"},
	{"{'priority':null,'isPermanent':true}", "/priority", TN_OF_OK, "null"},
	{"{'priority':'high','isPermanent':true}", "/priority", TN_OF_OK, "\"high\""},
	{"{'priority':'','isPermanent':true}", "/priority", TN_OF_OK, "integer"},
	{"{'priority':' 1','isPermanent':true}", "/priority", TN_OF_OK, "integer"},
	{"{'priority':'99999999999999999999','isPermanent':true}", "/priority",
		TN_OFPFMFC_BAD_PRIORITY, "0 to 65535"},
	{"{'priority':1,'isPermanent':1}", "/isPermanent", TN_OF_OK, "true or false"},
	{"{'priority':1,'isPermanent':false}", "", TN_OFPFMFC_BAD_TIMEOUT, "timeout"},
	{"{'priority':1,'isPermanent':false,'timeout':0}", "/timeout", TN_OFPFMFC_BAD_TIMEOUT,
		"1 or more"},
	{"{'priority':1,'isPermanent':true,'timeout':5}", "/timeout", TN_OFPFMFC_BAD_TIMEOUT,
		"isPermanent"},
	{"{'priority':1,'isPermanent':true,'hardTimeout':5}", "/hardTimeout",
		TN_OFPFMFC_BAD_TIMEOUT, "isPermanent"},
	{"{'priority':1,'isPermanent':false,'timeout':65536}", "/timeout", TN_OFPFMFC_BAD_TIMEOUT,
		"65535"},
	{HEAD "'tableId':255}", "/tableId", TN_OFPFMFC_BAD_TABLE_ID, "254"},
	{HEAD "'tableId':'ingres'}", "/tableId", TN_OFPFMFC_BAD_TABLE_ID, "no table is named"},
	{HEAD "'deviceId':'of:00000000000000a2'}", "/deviceId", TN_OF_OK, "of:00000000000000a1"},
	{HEAD "'deviceId':'a1'}", "/deviceId", TN_OF_OK, "16 hex digits"},
	{HEAD "'appId':''}", "/appId", TN_OF_OK, "not empty"},
	{HEAD "'appId':7}", "/appId", TN_OF_OK, "a string"},
	{HEAD "'appId':'a\\nb'}", "/appId", TN_OF_OK, "control character"},
	{HEAD "'cookie':'0x10000000000000000'}", "/cookie", TN_OF_OK, "18446744073709551615"},
	{HEAD "'cookie':-1}", "/cookie", TN_OF_OK, "18446744073709551615"},
	{HEAD "'importance':65536}", "/importance", TN_OF_OK, "65535"},
	{HEAD "'flags':['SEND_FLOW_REM','SENT']}", "/flags/1", TN_OFPFMFC_BAD_FLAGS, "\"SENT\""},
	{HEAD "'flags':1}", "/flags", TN_OF_OK, "array"},
	{HEAD "'prioritie':1}", "/prioritie", TN_OF_OK, "did you mean \"priority\"?"},
	{HEAD "'a/b~c':1}", "/a~1b~0c", TN_OF_OK, "unknown key"},
	{HEAD "'selector':[]}", "/selector", TN_OF_OK, "criteria"},
	{HEAD "'selector':{'criteria':{}}}", "/selector/criteria", TN_OF_OK, "array of criteria"},
	{HEAD "'selector':{'criterion':[]}}", "/selector/criterion", TN_OF_OK, "criteria"},
	{HEAD "'treatment':5}", "/treatment", TN_OF_OK, "object"},
	{HEAD "'treatment':{'instructions':5}}", "/treatment/instructions", TN_OF_OK, "array"},
	{HEAD "'treatment':{'deferred':5}}", "/treatment/deferred", TN_OF_OK, "array"},
	{HEAD "'treatment':{'clearDeferred':5}}", "/treatment/clearDeferred", TN_OF_OK, "true"},
	/* Criteria. */
	{SEL("5"), C0, TN_OF_OK, "object"},
	{SEL("{}"), C0, TN_OF_OK, "needs \"type\""},
	{SEL("{'type':5}"), C0 "/type", TN_OF_OK, "string"},
	{SEL("{'type':'in_port','port':1}"), C0, TN_OFPBMC_BAD_FIELD, "did you mean \"IN_PORT\"?"},
	{SEL("{'type':'IN_PORT'}"), C0, TN_OF_OK, "criterion IN_PORT needs \"port\""},
	{SEL("{'type':'IN_PORT','prt':1}"), C0 "/prt", TN_OF_OK, "did you mean \"port\"?"},
	{SEL("{'type':'IN_PORT','port':0}"), C0 "/port", TN_OFPBMC_BAD_VALUE, "comes in"},
	{SEL("{'type':'IN_PORT','port':'ANY'}"), C0 "/port", TN_OFPBMC_BAD_VALUE, "comes in"},
	{SEL("{'type':'IN_PORT','port':4294967296}"), C0 "/port", TN_OFPBMC_BAD_VALUE, "range"},
	{SEL("{'type':'IN_PORT','port':'tap8'}"), C0 "/port", TN_OFPBMC_BAD_VALUE,
		"did you mean \"tap7\"?"},
	{SEL("{'type':'IN_PORT','port':'[tap7](1)'}"), C0 "/port", TN_OFPBMC_BAD_VALUE,
		"another port number"},
	{SEL("{'type':'IN_PORT','port':true}"), C0 "/port", TN_OF_OK, "a port"},
	{SEL("{'type':'IN_PORT','port':1,'portMask':1}"), C0 "/portMask", TN_OFPBMC_BAD_MASK,
		"no mask"},
	{SEL("{'type':'METADATA','metadata':'0x1ffffffffffffffff'}"), C0 "/metadata",
		TN_OFPBMC_BAD_VALUE, "integer"},
	{SEL("{'type':'ETH_DST','mac':'02-00-00-00-00-01'}"), C0 "/mac", TN_OF_OK, "MAC address"},
	{SEL("{'type':'ETH_DST','mac':'02:00:00:00:00:0g'}"), C0 "/mac", TN_OF_OK, "MAC address"},
	{SEL("{'type':'ETH_DST','mac':5}"), C0 "/mac", TN_OF_OK, "MAC address"},
	{SEL("{'type':'ETH_DST_MASKED','mac':'02:00:00:00:00:01'}"), C0, TN_OF_OK, "macMask"},
	{SEL("{'type':'ETH_TYPE','ethType':65536}"), C0 "/ethType", TN_OFPBMC_BAD_VALUE, "65535"},
	{SEL("{'type':'VLAN_VID','vlanId':70000}"), C0 "/vlanId", TN_OFPBMC_BAD_VALUE, "4096"},
	{SEL("{'type':'VLAN_VID','vlanId':-2}"), C0 "/vlanId", TN_OFPBMC_BAD_VALUE, "-1"},
	{SEL("{'type':'VLAN_VID','vlanId':1,'vlanIdMask':8192}"), C0 "/vlanIdMask",
		TN_OFPBMC_BAD_MASK, "8191"},
	{SEL(TAG "{'type':'VLAN_PCP','priority':8}"), "/selector/criteria/1/priority",
		TN_OFPBMC_BAD_VALUE, "7"},
	{SEL("{'type':'VLAN_PCP','priority':1}"), C0, TN_OFPBMC_BAD_PREREQ, "VLAN_VID"},
	{SEL("{'type':'VLAN_VID','vlanId':-1},{'type':'VLAN_PCP','priority':1}"),
		"/selector/criteria/1", TN_OFPBMC_BAD_PREREQ, "VLAN_VID"},
	{SEL("{'type':'IN_PHY_PORT','port':1}"), C0, TN_OFPBMC_BAD_PREREQ, "IN_PORT"},
	{SEL(IP4 "{'type':'IP_DSCP','ipDscp':300}"), "/selector/criteria/1/ipDscp",
		TN_OFPBMC_BAD_VALUE, "63"},
	{SEL(IP4 "{'type':'IP_DSCP','ipDscp':3,'ipDscpMask':1}"), "/selector/criteria/1/ipDscpMask",
		TN_OFPBMC_BAD_MASK, "no mask"},
	{SEL("{'type':'IPV4_DST','ip':'10.0.0.0/8'}"), C0, TN_OFPBMC_BAD_PREREQ,
		"IPV4_DST needs ETH_TYPE 0x800"},
	{SEL(IP6 "{'type':'IPV4_DST','ip':'10.0.0.0/8'}"), "/selector/criteria/1",
		TN_OFPBMC_BAD_PREREQ, "ETH_TYPE 0x800"},
	{SEL(IP4 "{'type':'IPV4_DST','ip':'10.0.0.0/33'}"), "/selector/criteria/1/ip", TN_OF_OK,
		"IPv4"},
	{SEL(IP4 "{'type':'IPV4_DST','ip':'10.0.0'}"), "/selector/criteria/1/ip", TN_OF_OK, "IPv4"},
	{SEL(IP4 "{'type':'IPV4_DST','ip':'10.0.0.256'}"), "/selector/criteria/1/ip", TN_OF_OK,
		"IPv4"},
	{SEL(IP4 "{'type':'IPV4_DST','ip':'10.0.0.0/'}"), "/selector/criteria/1/ip", TN_OF_OK,
		"IPv4"},
	{SEL(IP4 "{'type':'IPV4_DST','ip':'2001:db8::1'}"), "/selector/criteria/1/ip", TN_OF_OK,
		"IPv4"},
	{SEL(IP6 "{'type':'IPV6_DST','ip':'2001:db8::/129'}"), "/selector/criteria/1/ip", TN_OF_OK,
		"IPv6"},
	{SEL(IP6 "{'type':'IPV6_DST','ip':'10.0.0.1'}"), "/selector/criteria/1/ip", TN_OF_OK,
		"IPv6"},
	{SEL(IP6 "{'type':'IPV6_FLABEL','flowLabel':1048576}"), "/selector/criteria/1/flowLabel",
		TN_OFPBMC_BAD_VALUE, "1048575"},
	{SEL(IP6 "{'type':'IPV6_EXTHDR','exthdrFlags':512}"), "/selector/criteria/1/exthdrFlags",
		TN_OFPBMC_BAD_VALUE, "511"},
	{SEL(IP4 "{'type':'TCP_DST','tcpPort':80}"), "/selector/criteria/1", TN_OFPBMC_BAD_PREREQ,
		"IP_PROTO 6"},
	{SEL(TCP "{'type':'UDP_DST','udpPort':80}"), "/selector/criteria/2", TN_OFPBMC_BAD_PREREQ,
		"IP_PROTO 17"},
	{SEL(TCP "{'type':'TCP_DST','tcpPort':65536}"), "/selector/criteria/2/tcpPort",
		TN_OFPBMC_BAD_VALUE, "65535"},
	{SEL(TCP "{'type':'TCP_FLAGS','flags':4096}"), "/selector/criteria/2/flags",
		TN_OFPBMC_BAD_VALUE, "4095"},
	{SEL(ICMP6 "{'type':'IPV6_ND_TARGET','targetAddress':'2001:db8::1'}"),
		"/selector/criteria/2", TN_OFPBMC_BAD_PREREQ, "135 or 136"},
	{SEL(ND_NS "{'type':'IPV6_ND_TLL','mac':'02:00:00:00:00:01'}"), "/selector/criteria/3",
		TN_OFPBMC_BAD_PREREQ, "136"},
	{SEL("{'type':'IP_FRAG','frag':'maybe'}"), C0 "/frag", TN_OFPBMC_BAD_VALUE, "not_later"},
	{SEL("{'type':'REG','reg':16,'value':1}"), C0 "/reg", TN_OFPBMC_BAD_FIELD, "15"},
	{SEL("{'type':'REG','value':1}"), C0, TN_OF_OK, "\"reg\""},
	{SEL("{'type':'IN_PORT','port':1},{'type':'IN_PORT','port':2}"), "/selector/criteria/1",
		TN_OFPBMC_DUP_FIELD, "earlier"},
	{SEL("{'type':'ETH_DST','mac':'02:00:00:00:00:01'},{'type':'ETH_DST_MASKED','mac':"
	     "'02:00:00:00:00:01','macMask':'FF:00:00:00:00:00'}"),
		"/selector/criteria/1", TN_OFPBMC_DUP_FIELD, "earlier"},
	{SEL("{'type':'OCH_SIGID','x':1}"), C0, TN_OFPBMC_BAD_FIELD, "optical"},
	{SEL("{'type':'ODU_SIGTYPE'}"), C0, TN_OFPBMC_BAD_FIELD, "optical"},
	{SEL("{'type':'PROTOCOL_INDEPENDENT','matches':[]}"), C0, TN_OFPBMC_BAD_FIELD, "type"},
	{SEL("{'type':'EXTENSION','extension':'AAAA'}"), C0, TN_OFPBMC_BAD_FIELD, "opaque"},
	{SEL("{'type':'MPLS_LABEL','label':1}"), C0, TN_OFPBMC_BAD_FIELD, "MPLS"},
	{SEL("{'type':'PBB_ISID'}"), C0, TN_OFPBMC_BAD_FIELD, "PBB"},
	{SEL("{'type':'CT_STATE','state':'+trk'}"), C0, TN_OFPBMC_BAD_FIELD, "connections"},
	{SEL("{'type':'PACKET_TYPE'}"), C0, TN_OFPBMC_BAD_FIELD, "Ethernet"},
	/* Instructions. */
	{INST("5"), I0, TN_OF_OK, "object"},
	{INST("{'type':'OUTPT','port':1}"), I0, TN_OFPBAC_BAD_TYPE, "did you mean \"OUTPUT\"?"},
	{INST("{'type':'OUTPUT'}"), I0, TN_OF_OK, "needs \"port\""},
	{INST("{'type':'OUTPUT','port':1,'max':5}"), I0 "/max", TN_OF_OK, "unknown key"},
	{INST("{'type':'OUTPUT','port':0}"), I0, TN_OFPBAC_BAD_OUT_PORT, "no port"},
	{INST("{'type':'OUTPUT','port':'ANY'}"), I0, TN_OFPBAC_BAD_OUT_PORT, "no port"},
	{INST("{'type':'OUTPUT','port':'TABLE'}"), I0, TN_OFPBAC_BAD_OUT_PORT, "packet-out"},
	{INST("{'type':'OUTPUT','port':-9}"), I0 "/port", TN_OFPBAC_BAD_OUT_PORT, "range"},
	{INST("{'type':'OUTPUT','port':'uplnk'}"), I0 "/port", TN_OFPBAC_BAD_OUT_PORT,
		"did you mean \"uplink\"?"},
	{INST("{'type':'OUTPUT','port':1,'maxLen':13}"), I0, TN_OFPBAC_BAD_ARGUMENT, "14"},
	{INST("{'type':'OUTPUT','port':1,'maxLen':65536}"), I0 "/maxLen", TN_OFPBAC_BAD_ARGUMENT,
		"65535"},
	{INST("{'type':'OUTPUT','port':1,'reason':'GROUP'}"), I0 "/reason", TN_OFPBAC_BAD_ARGUMENT,
		"CONTROLLER"},
	{INST("{'type':'OUTPUT','port':'CONTROLLER','reason':'BORED'}"), I0 "/reason",
		TN_OFPBAC_BAD_ARGUMENT, "NO_MATCH"},
	{INST("{'type':'GROUP','groupId':4294967292}"), I0 "/groupId", TN_OFPBAC_BAD_OUT_GROUP,
		"4294967040"},
	{INST("{'type':'METER','meterId':0}"), I0 "/meterId", TN_OFPBAC_BAD_METER, "1 to"},
	{INST("{'type':'METER','meterId':'a'}"), I0 "/meterId", TN_OF_OK, "integer"},
	{INST("{'type':'METER','meterId':1},{'type':'METER','meterId':2}"), I1, TN_OFPBIC_DUP_INST,
		"at most one"},
	{INST("{'type':'TABLE','tableId':0}"), I0, TN_OFPBIC_BAD_TABLE_ID, "forward"},
	{INST("{'type':'TABLE','tableId':255}"), I0 "/tableId", TN_OFPBIC_BAD_TABLE_ID, "254"},
	{INST("{'type':'TABLE','tableId':1},{'type':'TABLE','tableId':2}"), I1, TN_OFPBIC_DUP_INST,
		"at most one"},
	{INST("{'type':'METADATA'}"), I0, TN_OF_OK, "\"metadata\""},
	{INST("{'type':'QUEUE','queueId':65536}"), I0, TN_OFPBAC_BAD_QUEUE, "65535"},
	{INST("{'type':'TRUNCATE','maxLen':13}"), I0, TN_OFPBAC_BAD_ARGUMENT, "14"},
	{INST("{'type':'RESUBMIT','tableId':0}"), I0, TN_OFPBAC_BAD_ARGUMENT, "forward"},
	{INST("{'type':'NOTE','hex':'abc'}"), I0 "/hex", TN_OF_OK, "pairs"},
	{INST("{'type':'NOTE','hex':'zz'}"), I0 "/hex", TN_OF_OK, "pairs"},
	{INST("{'type':'NOTE','hex':'" /* 41 bytes */
	      "0000000000000000000000000000000000000000000000000000000000000000000000000000000000'}"),
		I0 "/hex", TN_OFPBAC_BAD_LEN, "40"},
	{INST("{'type':'MOVE','src':'reg0','dst':'ip_proto'}"), I0, TN_OFPBAC_BAD_SET_TYPE,
		"read-only"},
	{INST("{'type':'MOVE','src':'reg99','dst':'reg0'}"), I0 "/src", TN_OFPBAC_BAD_SET_TYPE,
		"OXM name"},
	{INST("{'type':'MOVE','src':'reg0','srcOffset':1,'dst':'reg1','bits':32}"), I0,
		TN_OFPBAC_BAD_SET_LEN, "beyond"},
	{INST("{'type':'SET_FIELD','field':'eth_dts','value':1}"), I0 "/field",
		TN_OFPBAC_BAD_SET_TYPE, "did you mean \"eth_dst\"?"},
	{INST("{'type':'SET_FIELD','field':'eth_type','value':1}"), I0, TN_OFPBAC_BAD_SET_TYPE,
		"read-only"},
	{INST("{'type':'SET_FIELD','field':'tcp_flags','value':1}"), I0, TN_OFPBAC_BAD_SET_TYPE,
		"read-only"},
	{INST("{'type':'SET_FIELD','field':'reg0','value':4294967296}"), I0 "/value",
		TN_OFPBAC_BAD_SET_ARGUMENT, "4294967295"},
	{INST("{'type':'SET_FIELD','field':'reg0','value':1,'mask':0}"), I0, TN_OFPBAC_BAD_SET_MASK,
		"mask 0"},
	{INST("{'type':'L3MODIFICATION','subtype':'IPV4_SRC','ip':'10.0.0.1'}"), I0,
		TN_OFPBAC_MATCH_INCONSISTENT, "eth_type"},
	{INST("{'type':'L3MODIFICATION','subtype':'IPV4_SRC','ip':'10.0.0.1/32'}"), I0 "/ip",
		TN_OF_OK, "without a length"},
	{INST("{'type':'L2MODIFICATION','subtype':'VLAN_ID','vlanId':70000}"), I0 "/vlanId",
		TN_OFPBAC_BAD_SET_ARGUMENT, "4095"},
	{INST("{'type':'L2MODIFICATION','subtype':'VLAN_ID','vlanId':1}"), I0,
		TN_OFPBAC_MATCH_INCONSISTENT, "tag"},
	{INST("{'type':'L2MODIFICATION','subtype':'VLAN_PUSH','ethernetType':'0x81'}"),
		I0 "/ethernetType", TN_OFPBAC_BAD_ARGUMENT, "four hex digits"},
	{INST("{'type':'L2MODIFICATION','subtype':'VLAN_PUSH','ethernetType':'0x9100'}"), I0,
		TN_OFPBAC_BAD_ARGUMENT, "0x88a8"},
	{INST("{'type':'L2MODIFICATION','subtype':'MPLS_LABEL','label':1}"), I0,
		TN_OFPBAC_BAD_SET_TYPE, "not supported"},
	{INST("{'type':'L2MODIFICATION','subtype':'MPLS_PUSH'}"), I0, TN_OFPBAC_BAD_TYPE,
		"not supported"},
	{INST("{'type':'L2MODIFICATION','subtype':'VLAN_POPP'}"), I0 "/subtype", TN_OFPBAC_BAD_TYPE,
		"did you mean \"VLAN_POP\"?"},
	{INST("{'type':'L2MODIFICATION'}"), I0, TN_OF_OK, "\"subtype\""},
	{INST("{'type':'L0MODIFICATION','subtype':'OCH'}"), I0, TN_OFPBAC_BAD_TYPE, "optical"},
	{INST("{'type':'L1MODIFICATION','subtype':'ODU_SIGID'}"), I0, TN_OFPBAC_BAD_TYPE,
		"optical"},
	{INST("{'type':'PROTOCOL_INDEPENDENT'}"), I0, TN_OFPBAC_BAD_TYPE, "P4"},
	{INST("{'type':'STAT_TRIGGER'}"), I0, TN_OFPBIC_UNSUP_INST, "not supported"},
	{INST("{'type':'EXTENSION','extension':'AAAA'}"), I0 "/extension", TN_OFPBAC_BAD_TYPE,
		"opaque"},
	{INST("{'type':'EXTENSION','extension':{'type':99}}"), I0 "/extension", TN_OFPBAC_BAD_TYPE,
		"not supported"},
	{INST("{'type':'CLONE','instructions':[{'type':'METER','meterId':1}]}"),
		I0 "/instructions/0", TN_OFPBAC_BAD_TYPE, "METER"},
	{INST("{'type':'CLONE','instructions':[{'type':'NOTE','hex':''},{'type':'OUTPUT','port':0}]}"),
		I0 "/instructions/1", TN_OFPBAC_BAD_OUT_PORT, "no port"},
	{INST("{'type':'CLONE','instructions':[]},{'type':'OUTPUT','port':0}"), I1,
		TN_OFPBAC_BAD_OUT_PORT, "no port"},
	{DEF("{'type':'METER','meterId':1}"), "/treatment/deferred/0", TN_OFPBAC_BAD_TYPE, "METER"},
	{DEF("{'type':'OUTPUT','port':1},{'type':'OUTPUT','port':2}"), "/treatment/deferred/1",
		TN_OFPBAC_UNSUPPORTED_ORDER, "one output"},
	{DEF("{'type':'CLONE','instructions':[]}"), "/treatment/deferred/0", TN_OFPBAC_BAD_TYPE,
		"clone"},
};

static void every_refusal_says_where_and_why(void **state)
{
	struct help h;
	size_t i;

	(void)state;
	help_init(&h);
	for (i = 0; i < TN_ARRAY_SIZE(refusals); i++) {
		const struct refusal *f = &refusals[i];
		json_t *in = help_tree(f->flow);
		struct tn_flow_mod fm;
		char pointer[128];

		if (tn_flow_from_json(&h.codec, "/flows/3", in, &fm) != -EINVAL)
			fail_msg("accepted: %s", f->flow);
		snprintf(pointer, sizeof(pointer), "/flows/3%s", f->pointer);
		if (h.diag.n < 1)
			fail_msg("no diagnostic: %s", f->flow);
		help_expect(&h, 0, pointer, f->of, f->words);
		help_clear(&h);
		json_decref(in);
	}
	help_fini(&h);
}

/* One flow with many mistakes: all are said, none twice, none that only follows from another. */
static void all_errors_of_a_flow_at_once(void **state)
{
	json_t *in = flow_around("{'type':'ETH_TYPE','ethType':70000},"
				 "{'type':'IPV4_DST','ip':'10.0.0.0/8'},"
				 "{'type':'VLAN_PCP','priority':1},"
				 "{'type':'ETH_DST','mac':'x'}",
		"{'instructions':[{'type':'OUTPUT','port':0},"
		"{'type':'L3MODIFICATION','subtype':'DEC_TTL'},"
		"{'type':'CLONE','instructions':[{'type':'OUTPUT','port':'TABLE'}]},"
		"{'type':'L2MODIFICATION','subtype':'VLAN_PUSH','ethernetType':'0x1111'},"
		"{'type':'L2MODIFICATION','subtype':'VLAN_PCP','vlanPcp':1},"
		"{'type':'TRUNCATE','maxLen':1}],"
		"'deferred':[{'type':'TRUNCATE','maxLen':2}]}");
	struct tn_flow_mod fm;
	struct help h;

	(void)state;
	help_init(&h);
	assert_int_equal(tn_flow_from_json(&h.codec, "", in, &fm), -EINVAL);
	help_expect(&h, 0, C0 "/ethType", TN_OFPBMC_BAD_VALUE, "70000");
	help_expect(&h, 1, "/selector/criteria/3/mac", TN_OF_OK, "MAC");
	help_expect(&h, 2, "/selector/criteria/2", TN_OFPBMC_BAD_PREREQ, "VLAN_VID");
	help_expect(&h, 3, I0, TN_OFPBAC_BAD_OUT_PORT, "0x0");
	help_expect(&h, 4, "/treatment/instructions/2/instructions/0", TN_OFPBAC_BAD_OUT_PORT,
		"packet-out");
	help_expect(&h, 5, "/treatment/instructions/3", TN_OFPBAC_BAD_ARGUMENT, "0x1111");
	help_expect(&h, 6, "/treatment/instructions/5", TN_OFPBAC_BAD_ARGUMENT, "truncate: 1 ");
	help_expect(&h, 7, "/treatment/deferred/0", TN_OFPBAC_BAD_ARGUMENT, "truncate: 2 ");
	assert_int_equal(h.diag.n, 8);
	json_decref(in);
	help_fini(&h);
}

static void too_many_actions_are_refused(void **state)
{
	json_t *array = json_array(), *flow = flow_around("", "{}"), *treatment = json_object();
	struct tn_flow_mod fm;
	struct help h;
	unsigned i;

	(void)state;
	help_init(&h);
	for (i = 0; i < TN_ACTIONS_MAX; i++)
		json_array_append_new(array, help_tree("{'type':'POP_QUEUE'}"));
	json_object_set_new(treatment, "instructions", array);
	json_object_set_new(flow, "treatment", treatment);
	assert_int_equal(tn_flow_from_json(&h.codec, "", flow, &fm), 0);
	assert_int_equal(fm.inst.n_apply, TN_ACTIONS_MAX);
	json_array_append_new(array, help_tree("{'type':'POP_QUEUE'}"));
	assert_int_equal(tn_flow_from_json(&h.codec, "", flow, &fm), -EINVAL);
	help_expect(&h, 0, "/treatment/instructions/1024", TN_OFPBAC_TOO_MANY, "1024");
	assert_int_equal(h.diag.n, 1);
	json_decref(flow);
	help_fini(&h);
}

/* Trees that no text of ours could have made. */
static void strange_trees_are_refused(void **state)
{
	json_t *deep = json_array(), *flow = flow_around("", "{}");
	struct tn_flow_mod fm;
	struct help h;
	int i;

	(void)state;
	help_init(&h);
	for (i = 0; i < 100; i++) {
		json_t *outer = json_array();

		json_array_append_new(outer, deep);
		deep = outer;
	}
	assert_int_equal(tn_flow_from_json(&h.codec, "/x", deep, &fm), -EINVAL);
	help_expect(&h, 0, "/x", TN_OF_OK, "nested");
	help_clear(&h);
	assert_int_equal(tn_flow_from_json(&h.codec, "/x", NULL, &fm), -EINVAL);
	help_clear(&h);
	json_object_set_new(flow, "appId", json_stringn("a\0b", 3));
	assert_int_equal(tn_flow_from_json(&h.codec, "/x", flow, &fm), -EINVAL);
	json_decref(deep);
	json_decref(flow);
	help_fini(&h);
}

static void actions_alone_are_printed(void **state)
{
	static const char text[] = "[{'type':'L2MODIFICATION','subtype':'VLAN_POP'},"
				   "{'type':'OUTPUT','port':'3'}]";
	const struct tn_action list[] = {
		{.type = TN_ACTION_POP_VLAN}, {.type = TN_ACTION_OUTPUT, .output.port = 3}};
	struct help h;
	json_t *j;
	char *got, *wanted = help_quotes(text);

	(void)state;
	help_init(&h);
	j = tn_actions_to_json(&h.codec, list, TN_ARRAY_SIZE(list));
	got = help_dump(j);
	assert_string_equal(got, wanted);
	free(got);
	free(wanted);
	json_decref(j);
	help_fini(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_criterion_both_ways),
		cmocka_unit_test(a_mask_of_zero_is_absent),
		cmocka_unit_test(every_instruction_both_ways),
		cmocka_unit_test(treatments_as_a_whole),
		cmocka_unit_test(heads_of_flows),
		cmocka_unit_test(answers_have_the_northbound_shape),
		cmocka_unit_test(every_refusal_says_where_and_why),
		cmocka_unit_test(all_errors_of_a_flow_at_once),
		cmocka_unit_test(too_many_actions_are_refused),
		cmocka_unit_test(strange_trees_are_refused),
		cmocka_unit_test(actions_alone_are_printed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
