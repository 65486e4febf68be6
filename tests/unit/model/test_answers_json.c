/* SPDX-License-Identifier: BSD-3-Clause */
/* What tenant networks are made of, REPLY and others, in JSON: there and back, and every way to be
 * wrong. */
#include "control/model/flow_json.h"

#include <errno.h>

#include "tests/unit/model/json_help.h"

#define IP4   "{'type':'ETH_TYPE','ethType':'0x800'},"
#define IP6   "{'type':'ETH_TYPE','ethType':'0x86dd'},"
#define PROTO "{'type':'IP_PROTO','protocol':"
#define UDP   IP4 PROTO "17},"
#define ICMP6 IP6 PROTO "58},"

static json_t *flow_around(const char *criteria, const char *instructions)
{
	char text[4096];

	assert_in_range(
		snprintf(text, sizeof(text),
			"{'priority':1,'isPermanent':true,'selector':{'criteria':[%s"
			"{'type':'METADATA','metadata':1}]},'treatment':{'instructions':[%s]}}",
			criteria, instructions),
		1, sizeof(text) - 1);
	return help_tree(text);
}

static const struct {
	const char *criteria, *in, *out; /* out NULL: as in */
} cases[] = {
	{"", "{'type':'LEARN'}", NULL},
	{"", "{'type':'LEARN','limit':0}", "{'type':'LEARN'}"},
	{"", "{'type':'FDB'}", NULL},
	{"", "{'type':'MCAST'}", NULL},
	{"", "{'type':'MCAST','routers':true}", NULL},
	{"", "{'type':'FDB','local':false}", "{'type':'FDB'}"},
	{"", "{'type':'IF_LONGER','maxLen':'1450','instructions':[]}",
		"{'type':'IF_LONGER','maxLen':1450,'instructions':[]}"},
	{ICMP6 "{'type':'ICMPV6_TYPE','icmpv6Type':135},",
		"{'type':'REPLY','reply':'ND','mac':'02:00:5E:00:01:01','router':true}", NULL},
	{ICMP6 "{'type':'ICMPV6_TYPE','icmpv6Type':135},",
		"{'type':'REPLY','reply':'ND','mac':'02:00:5E:00:01:01'}",
		"{'type':'REPLY','reply':'ND','mac':'02:00:5E:00:01:01','router':false}"},
	{ICMP6, "{'type':'REPLY','reply':'ECHO'}", NULL},
	{IP4, "{'type':'REPLY','reply':'TIME_EXCEEDED','mac':'02:00:5E:00:01:01','ip':'10.0.0.254'}",
		NULL},
	{IP6,
		"{'type':'REPLY','reply':'UNREACHABLE','mac':'02:00:5E:00:01:01','ip':'2001:db8::1',"
		"'code':3}",
		NULL},
	{IP4,
		"{'type':'REPLY','reply':'TOO_BIG','mac':'02:00:5E:00:01:01','ip':'10.0.0.254',"
		"'mtu':1450}",
		NULL},
	{UDP,
		"{'type':'REPLY','reply':'DHCP4','mac':'02:00:5E:00:01:01','ip':'10.0.0.254',"
		"'yourIp':'10.0.0.1','options':'330400000e10'}",
		NULL},
	{IP6 PROTO "17},",
		"{'type':'REPLY','reply':'DHCP6','mac':'02:00:5E:00:01:01','ip':'fe80::1',"
		"'address':'2001:db8::9','leaseTime':3600,'options':'00170000'}",
		NULL},
	{IP6 PROTO "17},",
		"{'type':'REPLY','reply':'DHCP6','mac':'02:00:5E:00:01:01','ip':'fe80::1'}",
		"{'type':'REPLY','reply':'DHCP6','mac':'02:00:5E:00:01:01','ip':'fe80::1',"
		"'leaseTime':86400,'options':''}"},
	{ICMP6,
		"{'type':'REPLY','reply':'RA','mac':'02:00:5E:00:01:01','ip':'fe80::1',"
		"'body':'400007080000000000000000010102005e000101'}",
		NULL},
};

static void there_and_back(void **state)
{
	struct help h;

	(void)state;
	help_init(&h);
	for (size_t i = 0; i < TN_ARRAY_SIZE(cases); i++) {
		json_t *in = flow_around(cases[i].criteria, cases[i].in), *out, *array;
		json_t *wanted = help_tree(cases[i].out ? cases[i].out : cases[i].in);
		struct tn_flow_mod fm;
		struct tn_flow_info info;

		if (tn_flow_from_json(&h.codec, "", in, &fm))
			fail_msg("%s: %s", cases[i].in, h.diag.list[0].detail);
		info = help_flow_info(&fm);
		out = tn_flow_to_json(&h.codec, &info);
		array = json_object_get(json_object_get(out, "treatment"), "instructions");
		if (json_array_size(array) != 1 || !json_equal(json_array_get(array, 0), wanted))
			fail_msg("%s is printed as %s", cases[i].in, help_dump(array));
		json_decref(in);
		json_decref(out);
		json_decref(wanted);
	}
	help_fini(&h);
}

/* Data of every length comes back whole. */
static void data_comes_back(void **state)
{
	struct help h;

	(void)state;
	help_init(&h);
	for (unsigned n = 0; n <= 255; n += 51) {
		char hex[600] = "", text[1024];
		json_t *in, *out, *array;
		struct tn_flow_mod fm;
		struct tn_flow_info info;

		for (unsigned i = 0; n && i < n + 2; i++)
			sprintf(hex + 2 * i, "%02x", i == 0 ? 200 : i == 1 ? n : i & 0xff);
		sprintf(text,
			"{'type':'REPLY','reply':'DHCP4','mac':'02:00:5E:00:01:01',"
			"'ip':'10.0.0.254','yourIp':'10.0.0.1','options':'%s'}",
			hex);
		in = flow_around(UDP, text);
		assert_int_equal(tn_flow_from_json(&h.codec, "", in, &fm), 0);
		info = help_flow_info(&fm);
		out = tn_flow_to_json(&h.codec, &info);
		array = json_object_get(json_object_get(out, "treatment"), "instructions");
		assert_string_equal(
			json_string_value(json_object_get(json_array_get(array, 0), "options")),
			hex);
		json_decref(in);
		json_decref(out);
	}
	help_fini(&h);
}

#define HEAD	  "{'priority':1,'isPermanent':true,"
#define INST(...) HEAD "'treatment':{'instructions':[" __VA_ARGS__ "]}}"
#define I0	  "/treatment/instructions/0"

static const struct {
	const char *flow, *pointer;
	enum tn_of_error of;
	const char *words;
} refusals[] = {
	{INST("{'type':'LEARN','limit':-1}"), I0 "/limit", TN_OFPBAC_BAD_ARGUMENT, "-1"},
	{INST("{'type':'LEARN','maximum':1}"), I0 "/maximum", TN_OF_OK, "maximum"},
	{INST("{'type':'FDB','local':1}"), I0 "/local", TN_OF_OK, "true or false"},
	{INST("{'type':'ADVERTISE','least':200}"), I0, TN_OF_OK, "most"},
	{INST("{'type':'ADVERTISE','least':500,'most':600}"), I0, TN_OFPBAC_BAD_ARGUMENT,
		"three quarters"},
	{INST("{'type':'CIRCUIT','number':0,'field':'reg2','tableId':6}"), I0,
		TN_OFPBAC_BAD_ARGUMENT, "1 or more"},
	{INST("{'type':'CIRCUIT','number':5,'field':'eth_src','tableId':6}"), I0 "/field",
		TN_OFPBAC_BAD_ARGUMENT, "reg0 to reg15"},
	{INST("{'type':'CIRCUIT','number':5,'field':'reg2'}"), I0, TN_OF_OK, "tableId"},
	{INST("{'type':'REPLY'}"), I0, TN_OF_OK, "\"reply\""},
	{INST("{'type':'REPLY','reply':'ARPP'}"), I0 "/reply", TN_OFPBAC_BAD_ARGUMENT,
		"did you mean"},
	{INST("{'type':'REPLY','reply':7}"), I0 "/reply", TN_OFPBAC_BAD_ARGUMENT, "7"},
	{INST("{'type':'REPLY','reply':'ARP'}"), I0, TN_OF_OK, "\"mac\""},
	{INST("{'type':'REPLY','reply':'ECHO','mac':'02:00:00:00:00:01'}"), I0 "/mac", TN_OF_OK,
		"mac"},
	{INST("{'type':'REPLY','reply':'DHCP4','mac':'02:00:00:00:00:01','ip':'fe80::1',"
	      "'yourIp':'10.0.0.1'}"),
		I0 "/ip", TN_OF_OK, "IPv4"},
	{INST("{'type':'IF_LONGER','maxLen':67,'instructions':[]}"), I0, TN_OFPBAC_BAD_ARGUMENT,
		"68"},
	{INST("{'type':'IF_LONGER','instructions':[]}"), I0, TN_OF_OK, "maxLen"},
	{INST("{'type':'IF_LONGER','maxLen':100}"), I0, TN_OF_OK, "instructions"},
	{INST("{'type':'IF_LONGER','maxLen':100,'instructions':[{'type':'OUTPUT','port':'TABLE'}]}"),
		I0 "/instructions/0", TN_OFPBAC_BAD_OUT_PORT, "packet-out"},
};

static void refused_with_a_sentence(void **state)
{
	struct help h;

	(void)state;
	help_init(&h);
	for (size_t i = 0; i < TN_ARRAY_SIZE(refusals); i++) {
		json_t *in = help_tree(refusals[i].flow);
		struct tn_flow_mod fm;

		if (tn_flow_from_json(&h.codec, "", in, &fm) != -EINVAL)
			fail_msg("accepted: %s", refusals[i].flow);
		if (h.diag.n != 1)
			fail_msg("%zu diagnostics: %s", h.diag.n, refusals[i].flow);
		help_expect(&h, 0, refusals[i].pointer, refusals[i].of, refusals[i].words);
		help_clear(&h);
		json_decref(in);
	}
	help_fini(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(data_comes_back),
		cmocka_unit_test(refused_with_a_sentence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
