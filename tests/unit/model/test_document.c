/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/model/document.h"

#include <errno.h>
#include <sys/resource.h>
#include <time.h>

#include "tests/unit/model/json_help.h"

/* A document that has everything once, flows first: the order of keys means nothing. */
static const char rich[] =
	"{'flows':[\n"
	"  {'priority':10,'isPermanent':true,'tableId':'ingress',\n"
	"   'selector':{'criteria':[{'type':'IN_PORT','port':'vm-a'}]},\n"
	"   'treatment':{'instructions':[{'type':'METER','meterId':2},"
	"{'type':'OUTPUT','port':'vtep0'}]}},\n"
	"  {'priority':5,'isPermanent':false,'timeout':30,\n"
	"   'treatment':{'instructions':[{'type':'TABLE','tableId':'acl'}]}}],\n"
	" 'groups':[{'type':'ALL','appCookie':'0x1','groupId':1,'buckets':[{'treatment':"
	"{'instructions':[{'type':'OUTPUT','port':1}]}}]}],\n"
	" 'meters':[{'unit':'PKTS_PER_SEC','bands':[{'type':'DROP','rate':5,'burstSize':1}]},\n"
	"  {'id':1,'unit':'KB_PER_SEC','bands':[]}],\n"
	" 'underlay':{'addresses':[{'address':'198.51.100.1/24','mac':'02:00:00:00:01:01',"
	"'port':'uplink'},{'address':'2001:db8::1/64','mac':'02:00:00:00:01:01'}],\n"
	"  'routes':[{'prefix':'203.0.113.9/24','via':'198.51.100.254','port':1},"
	"{'prefix':'0.0.0.0/0'},{'prefix':'2001:db8:1::/48','via':'2001:db8::2'}],\n"
	"  'neighbours':[{'address':'198.51.100.254','mac':'02:00:00:00:01:fe',"
	"'port':'uplink'}]},\n"
	" 'tables':[{'tableId':0,'name':'ingress'},{'tableId':1,'name':'acl','maxEntries':100,"
	"'eviction':true,'vacancyDown':10,'vacancyUp':20}],\n"
	" 'ports':[{'number':1,'name':'uplink','type':'dpdk','mtu':1600,'options':{'devargs':"
	"'0000:01:00.0','queues':2}},\n"
	"  {'number':2,'name':'vm-a','type':'vhost-user','isEnabled':false,"
	"'config':['NO_FWD','NO_RECV']},\n"
	"  {'number':3,'type':'pcap'},\n"
	"  {'number':'LOCAL','type':'tap'},\n"
	"  {'number':100,'name':'vtep0','type':'vxlan','options':{'local':'198.51.100.1',"
	"'remote':'flow','vni':'flow'}},\n"
	"  {'number':101,'name':'vtep1','type':'vxlan','options':{'local':'2001:db8::1','remote':"
	"'2001:db8::9','vni':5001,'udpDestPort':8472,'udpChecksum':true,'ttl':9,'dscp':46,"
	"'dontFragment':false,'peers':['2001:db8::a']}},\n"
	"  {'number':102,'name':'vtep2','type':'vxlan','options':{'vnis':[1,16777215]}}],\n"
	" 'device':{'id':'of:00000000000000a1','name':'leaf1','type':'SWITCH','mfr':'x'}}\n";

static const char rich_printed[] =
	"{'device':{'id':'of:00000000000000a1','name':'leaf1'},"
	"'ports':[{'number':1,'name':'uplink','type':'dpdk','isEnabled':true,'mtu':1600,"
	"'options':{'devargs':'0000:01:00.0','queues':2}},"
	"{'number':2,'name':'vm-a','type':'vhost-user','isEnabled':false,"
	"'config':['NO_RECV','NO_FWD']},"
	"{'number':3,'name':'3','type':'pcap','isEnabled':true},"
	"{'number':'LOCAL','name':'local','type':'tap','isEnabled':true},"
	"{'number':100,'name':'vtep0','type':'vxlan','isEnabled':true,'options':{"
	"'local':'198.51.100.1','remote':'flow','vni':'flow','udpDestPort':4789,"
	"'udpChecksum':false}},"
	"{'number':101,'name':'vtep1','type':'vxlan','isEnabled':true,'options':{"
	"'local':'2001:db8::1','remote':'2001:db8::9','vni':5001,'udpDestPort':8472,"
	"'udpChecksum':true,'ttl':9,'dscp':46,'dontFragment':false,'peers':['2001:db8::a']}},"
	"{'number':102,'name':'vtep2','type':'vxlan','isEnabled':true,'options':{'remote':'flow',"
	"'vni':'flow','udpDestPort':4789,'udpChecksum':false,'vnis':[1,16777215]}}],"
	"'tables':[{'tableId':0,'name':'ingress'},{'tableId':1,'name':'acl','maxEntries':100,"
	"'eviction':true,'vacancyDown':10,'vacancyUp':20}],"
	"'underlay':{'addresses':[{'address':'198.51.100.1/24','mac':'02:00:00:00:01:01',"
	"'port':'uplink'},{'address':'2001:db8::1/64','mac':'02:00:00:00:01:01'}],"
	"'routes':[{'prefix':'203.0.113.0/24','via':'198.51.100.254','port':'uplink'},"
	"{'prefix':'0.0.0.0/0'},{'prefix':'2001:db8:1::/48','via':'2001:db8::2'}],"
	"'neighbours':[{'address':'198.51.100.254','mac':'02:00:00:00:01:FE','port':'uplink'}]},"
	"'groups':[{'groupId':1,'type':'ALL','deviceId':'of:00000000000000a1',"
	"'appId':'org.onosproject.rest','appCookie':'0x01','buckets':[{'bucketId':0,'treatment':"
	"{'instructions':[{'type':'OUTPUT','port':'1'}],'deferred':[]}}]}],"
	"'meters':[{'id':'2','unit':'PKTS_PER_SEC','burst':false,"
	"'deviceId':'of:00000000000000a1','appId':'org.onosproject.rest',"
	"'bands':[{'type':'DROP','rate':5,'burstSize':1}]},"
	"{'id':'1','unit':'KB_PER_SEC','burst':false,'deviceId':'of:00000000000000a1',"
	"'appId':'org.onosproject.rest','bands':[]}],"
	"'flows':[{'tableId':0,'appId':'org.onosproject.rest','priority':10,'timeout':0,"
	"'isPermanent':true,'deviceId':'of:00000000000000a1','treatment':{'instructions':["
	"{'type':'OUTPUT','port':'100'},{'type':'METER','meterId':'2'}],'deferred':[]},"
	"'selector':{'criteria':[{'type':'IN_PORT','port':2}]}},"
	"{'tableId':0,'appId':'org.onosproject.rest','priority':5,'timeout':30,"
	"'isPermanent':false,'deviceId':'of:00000000000000a1','treatment':{'instructions':["
	"{'type':'TABLE','tableId':'1'}],'deferred':[]},'selector':{'criteria':[]}}]}";

/* The document as the switch would hand it back. */
static char *print_document(struct tn_document *doc)
{
	json_t *flows = json_array(), *groups = json_array(), *meters = json_array(), *all;
	struct tn_codec codec = {.dpid = doc->dpid, .names = doc->names, .arena = &doc->arena};
	struct help h = {.arena = doc->arena};
	char *text;
	size_t i;

	for (i = 0; i < doc->n_mods; i++) {
		const struct tn_mod *mod = &doc->mods[i];

		if (mod->kind == TN_MOD_FLOW) {
			struct tn_flow_info info = help_flow_info(mod->flow);

			json_array_append_new(flows, tn_flow_to_json(&codec, &info));
		} else if (mod->kind == TN_MOD_GROUP) {
			struct tn_group_info info = help_group_info(&h, mod->group);

			json_array_append_new(groups, tn_group_to_json(&codec, &info));
		} else {
			json_array_append_new(
				meters, tn_meter_to_json(&codec, help_meter(&h, mod->meter), 0));
		}
	}
	doc->arena = h.arena;
	all = tn_document_to_json(doc, flows, groups, meters);
	text = help_dump(all);
	json_decref(all);
	return text;
}

static void no_errors(const struct tn_diagnostics *d)
{
	if (d->n)
		fail_msg("%u:%u %s %s", d->list[0].line, d->list[0].column, d->list[0].pointer,
			d->list[0].detail);
}

static void everything_both_ways(void **state)
{
	char *text = help_quotes(rich), *wanted = help_quotes(rich_printed), *first, *second;
	struct tn_diagnostics diag;
	struct tn_document doc;

	(void)state;
	tn_diagnostics_init(&diag);
	if (tn_document_parse(&doc, text, strlen(text), &diag))
		no_errors(&diag);
	first = print_document(&doc);
	assert_string_equal(first, wanted);
	tn_document_fini(&doc);
	if (tn_document_parse(&doc, first, strlen(first), &diag))
		no_errors(&diag);
	second = print_document(&doc);
	assert_string_equal(second, first);
	tn_document_fini(&doc);
	tn_diagnostics_fini(&diag);
	free(text);
	free(wanted);
	free(first);
	free(second);
}

static void what_the_structs_hold(void **state)
{
	char *text = help_quotes(rich);
	struct tn_diagnostics diag;
	struct tn_document doc;
	const struct tn_vxlan_options *x;

	(void)state;
	tn_diagnostics_init(&diag);
	assert_int_equal(tn_document_parse(&doc, text, strlen(text), &diag), 0);
	assert_int_equal(doc.dpid, 0xa1);
	assert_string_equal(doc.device_name, "leaf1");
	assert_int_equal(doc.n_ports, 7);
	assert_int_equal(doc.ports[1].config, TN_PORT_CONFIG_NO_FWD | TN_PORT_CONFIG_NO_RECV);
	assert_false(doc.ports[1].enabled);
	assert_int_equal(doc.ports[3].number, TN_PORT_LOCAL);
	x = &doc.ports[4].vxlan;
	assert_true(x->has_local && x->remote_flow && x->vni_flow && x->dont_fragment);
	assert_true(x->local == tn_u128_from_ip4(0xc6336401));
	assert_int_equal(x->udp_port, 4789);
	assert_int_equal(x->ttl, 64);
	assert_int_equal(x->dscp, -1);
	x = &doc.ports[5].vxlan;
	assert_true(!x->remote_flow && !x->vni_flow && x->vni == 5001 && x->n_peers == 1);
	assert_int_equal(doc.n_routes, 3);
	assert_true(doc.routes[0].is_ip4 && doc.routes[0].prefix == tn_u128_from_ip4(0xcb007100));
	assert_int_equal(doc.routes[0].port, 1);
	assert_int_equal(doc.routes[1].port, 0);
	/* Groups, meters, flows; each with its place. */
	assert_int_equal(doc.n_mods, 5);
	assert_int_equal(doc.mods[0].kind, TN_MOD_GROUP);
	assert_int_equal(doc.mods[1].kind, TN_MOD_METER);
	assert_int_equal(doc.mods[1].meter->meter_id, 2);
	assert_int_equal(doc.mods[3].kind, TN_MOD_FLOW);
	assert_string_equal(doc.mod_pointers[4], "/flows/1");
	assert_int_equal(doc.mod_lines[4], 5);
	assert_int_equal(doc.mod_columns[4], 3);
	tn_document_fini(&doc);
	tn_diagnostics_fini(&diag);
	free(text);
}

static void an_empty_document_is_a_switch_without_ports(void **state)
{
	static const char text[] = " {} \n";
	char *printed,
		*wanted = help_quotes(
			"{'device':{'id':'of:0000000000000001'},'ports':[],'tables':[],'underlay':{"
			"'addresses':[],'routes':[],'neighbours':[]},'groups':[],'meters':[],'flows':[]}");
	struct tn_diagnostics diag;
	struct tn_document doc;
	json_t *all;

	(void)state;
	tn_diagnostics_init(&diag);
	assert_int_equal(tn_document_parse(&doc, text, strlen(text), &diag), 0);
	all = tn_document_to_json(&doc, NULL, NULL, NULL);
	printed = help_dump(all);
	assert_string_equal(printed, wanted);
	free(printed);
	free(wanted);
	json_decref(all);
	tn_document_fini(&doc);
	tn_diagnostics_fini(&diag);
}

/* What is said of a text, in order: "line:column pointer ofName" and words of the sentence. */
struct said {
	const char *place, *words;
};

static void check_said(const char *text, size_t len, const struct said *want, size_t n)
{
	struct tn_diagnostics diag;
	struct tn_document doc;
	char place[400];
	size_t i;

	tn_diagnostics_init(&diag);
	assert_int_equal(tn_document_parse(&doc, text, len, &diag), -EINVAL);
	tn_document_fini(&doc);
	for (i = 0; i < diag.n && i < n; i++) {
		const struct tn_diagnostic *d = &diag.list[i];

		snprintf(place, sizeof(place), "%u:%u %s %s", d->line, d->column, d->pointer,
			tn_of_error_name(d->of));
		if (strcmp(place, want[i].place) != 0 || !strstr(d->detail, want[i].words))
			fail_msg("%zu: got \"%s\" \"%s\"; wanted \"%s\" \"%s\" of %.60s", i, place,
				d->detail, want[i].place, want[i].words, text);
	}
	if (diag.n != n)
		fail_msg("%zu diagnostics, wanted %zu, of %.60s; one more: %s", diag.n, n, text,
			diag.n > n ? diag.list[n].detail : want[diag.n].words);
	tn_diagnostics_fini(&diag);
}

/* All errors of all sections, in the order of the text. */
static void every_error_of_a_document_at_once(void **state)
{
	static const char text[] =
		"{'flows':[\n"
		"  {'priority':70000,'isPermanent':true},\n"
		"  {'priority':1,'isPermanent':true,'priority':2,\n"
		"   'treatment':{'instructions':[{'type':'OUTPUT','port':'uplnk'},\n"
		"      {'type':'OUTPUT',\n"
		"       'port':9}]}},\n"
		"  {'priority':1,'isPermanent':true,\n"
		"   'selector':{'criteria':[{'type':'IN_PORT','port':4}]}}],\n"
		" 'flow':[],\n"
		" 'ports':[{'number':1,'name':'uplink','type':'pcap'},\n"
		"  {'number':1,'name':'b','type':'pcap'},\n"
		"  {'number':2,'name':'uplink','type':'pcap'},\n"
		"  {'number':5,'name':'x','type':'vxlan','options':{'vni':16777216}}],\n"
		" 'meters':[5],\n"
		" 'groups':{},\n"
		" 'underlay':{'routes':[{'prefix':'10.0.0.0'}],'neighbours':[{'address':'10.0.0.1',"
		"'mac':'02:00:00:00:00:01','port':'uplin'}]},\n"
		" 'device':{'id':'a1'},\n"
		" 'device':{}}";
	static const struct said want[] = {
		{"2:15 /flows/0/priority OFPFMFC_BAD_PRIORITY", "70000"},
		{"3:47 /flows/1/priority OK", "twice"},
		{"4:57 /flows/1/treatment/instructions/0/port OFPBAC_BAD_OUT_PORT",
			"did you mean \"uplink\"?"},
		{"6:15 /flows/1/treatment/instructions/1/port OFPBAC_BAD_OUT_PORT",
			"no port 9 is declared"},
		{"8:53 /flows/2/selector/criteria/0/port OFPBMC_BAD_VALUE",
			"no port 4 is declared"},
		{"9:2 /flow OK", "did you mean \"flows\"?"},
		{"11:13 /ports/1/number OFPBRC_BAD_PORT", "as \"uplink\""},
		{"12:22 /ports/2/name OFPBRC_BAD_PORT", "named \"uplink\""},
		{"13:58 /ports/3/options/vni OK", "16777215"},
		{"14:12 /meters/0 OK", "object"},
		{"15:11 /groups OK", "array"},
		{"16:34 /underlay/routes/0/prefix OK", "/length"},
		{"16:116 /underlay/neighbours/0/port OFPBRC_BAD_PORT", "did you mean \"uplink\"?"},
		{"17:17 /device/id OK", "16 hex digits"},
		{"18:2 /device OK", "twice"},
	};
	char *copy = help_quotes(text);

	(void)state;
	check_said(copy, strlen(copy), want, TN_ARRAY_SIZE(want));
	free(copy);
}

/* Errors that end the reading: one text, one sentence. Written with ' for ". */
static const struct {
	const char *text;
	struct said said;
} broken[] = {
	{"", {"1:1  OK", "ends here"}},
	{"  \n ", {"2:2  OK", "ends here"}},
	{"{", {"1:2  OK", "ends here"}},
	{"[]", {"1:1  OK", "must be an object"}},
	{"5", {"1:1  OK", "must be an object"}},
	{"{}x", {"1:3  OK", "ended before"}},
	{"{}{}", {"1:3  OK", "ended before"}},
	{"{,}", {"1:2  OK", "key in double quotes"}},
	{"{'flows':[],}", {"1:12  OK", "comma"}},
	{"{'flows':[1 2]}", {"1:13  OK", "',' or ']'"}},
	{"{'flows' []}", {"1:10  OK", "':'"}},
	{"{flows:[]}", {"1:2  OK", "key in double quotes"}},
	{"{'flows':[{'a':1,}]}", {"1:17 /flows/0 OK", "comma"}},
	{"{'flows':[{'a':[1}]}", {"1:18 /flows/0/a OK", "',' or ']'"}},
	{"{'flows':[{'a':{'b':[true,fals]}}]}", {"1:27 /flows/0/a/b OK", "\"fals\" is not JSON"}},
	{"{'flows':[{'a':NaN}]}", {"1:16 /flows/0 OK", "\"NaN\" is not JSON"}},
	{"{'flows':[{'a':-Infinity}]}", {"1:16 /flows/0 OK", "minus sign"}},
	{"{'flows':[{'a':Infinity}]}", {"1:16 /flows/0 OK", "not JSON"}},
	{"{'flows':[{'a':True}]}", {"1:16 /flows/0 OK", "not JSON"}},
	{"{'flows':[{'a':01}]}", {"1:16 /flows/0 OK", "start with 0"}},
	{"{'flows':[{'a':-01}]}", {"1:16 /flows/0 OK", "start with 0"}},
	{"{'flows':[{'a':+1}]}", {"1:16 /flows/0 OK", "'+'"}},
	{"{'flows':[{'a':1.}]}", {"1:18 /flows/0 OK", "decimal point"}},
	{"{'flows':[{'a':.5}]}", {"1:16 /flows/0 OK", "'.'"}},
	{"{'flows':[{'a':1e}]}", {"1:18 /flows/0 OK", "exponent"}},
	{"{'flows':[{'a':0x10}]}", {"1:16 /flows/0 OK", "no hex numbers"}},
	{"{'flows':[{'a':'x}]}", {"1:16 /flows/0 OK", "does not end"}},
	{"{'flows':[{'a':'x\n'}]}", {"1:16 /flows/0 OK", "does not end on its line"}},
	{"{'flows':[{'a':'\t'}]}", {"1:17 /flows/0 OK", "0x09"}},
	{"{'flows':[{'a':'\\x'}]}", {"1:17 /flows/0 OK", "backslash"}},
	{"{'flows':[{'a':'\\", {"1:17 /flows/0 OK", "backslash"}},
	{"{'flows':[{'a':'\\u12", {"1:17 /flows/0 OK", "four hex digits"}},
	{"{'flows':[{'a':'\\u12g4'}]}", {"1:17 /flows/0 OK", "four hex digits"}},
	{"{'flows':[{'a':'\\u0000'}]}", {"1:17 /flows/0 OK", "NUL"}},
	{"{'flows':[{'a':'\\ud800'}]}", {"1:17 /flows/0 OK", "surrogate"}},
	{"{'flows':[{'a':'\\ud800\\u0041'}]}", {"1:17 /flows/0 OK", "surrogate"}},
	{"{'flows':[{'a':'\\udc00\\ud800'}]}", {"1:17 /flows/0 OK", "surrogate"}},
	{"{'flows':[{'a':'\xff'}]}", {"1:17 /flows/0 OK", "0xff is not UTF-8"}},
	{"{'flows':[{'a':'\xc0\xaf'}]}", {"1:17 /flows/0 OK", "not UTF-8"}},
	{"{'flows':[{'a':'\xed\xa0\x80'}]}", {"1:17 /flows/0 OK", "not UTF-8"}},
	{"{'flows':[{'a':'\xf4\x90\x80\x80'}]}", {"1:17 /flows/0 OK", "not UTF-8"}},
	{"{'flows':[{'a':'\xe2\x82", {"1:17 /flows/0 OK", "not UTF-8"}},
	{"{'flows':[{'\xff':1}]}", {"1:13 /flows/0 OK", "not UTF-8"}},
	{"\xef\xbb\xbf{}", {"1:1  OK", "byte order mark"}},
	{"{'flows':// none\n[]}", {"1:10 /flows OK", "no comments"}},
	{"{'flows':/* none */[]}", {"1:10 /flows OK", "no comments"}},
	{"{\n\n  'flows':[\n {'a' 1}]}", {"4:7 /flows/0 OK", "':'"}},
};

static void syntax_errors_have_their_place(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < TN_ARRAY_SIZE(broken); i++) {
		char *text = help_quotes(broken[i].text);

		check_said(text, strlen(text), &broken[i].said, 1);
		free(text);
	}
}

static void nul_bytes_are_refused(void **state)
{
	static const char in_string[] = "{\"flows\":[{\"a\":\"x\0y\"}]}";
	static const char outside[] = "{\"flows\":\0[]}";
	static const char at_the_end[] = "{}\0";
	static const struct said said[] = {{"1:18 /flows/0 OK", "NUL byte"},
		{"1:10 /flows OK", "NUL byte"}, {"1:3  OK", "ended before"}};

	(void)state;
	check_said(in_string, sizeof(in_string) - 1, &said[0], 1);
	check_said(outside, sizeof(outside) - 1, &said[1], 1);
	check_said(at_the_end, sizeof(at_the_end) - 1, &said[2], 1);
}

/* Every prefix of a correct document is refused, and none is read past its end. */
static void every_prefix_is_refused(void **state)
{
	char *text = help_quotes(rich);
	size_t len = strlen(text) - 1, n; /* the last byte is white space */
	struct tn_diagnostics diag;
	struct tn_document doc;

	(void)state;
	for (n = 0; n < len; n++) {
		char *exact = malloc(n ? n : 1);

		assert_non_null(exact);
		memcpy(exact, text, n);
		tn_diagnostics_init(&diag);
		assert_int_equal(tn_document_parse(&doc, exact, n, &diag), -EINVAL);
		assert_int_equal(diag.n, 1);
		tn_document_fini(&doc);
		tn_diagnostics_fini(&diag);
		free(exact);
	}
	free(text);
}

static void nesting_is_limited(void **state)
{
	static const struct said deep[] = {
		{"1:25 /flows/0/0/0/0/0/0/0/0/0/0/0/0/0/0 OK", "16 levels"}};
	static const struct said top[] = {{"1:17 /0/0/0/0/0/0/0/0/0/0/0/0/0/0/0 OK", "16 levels"}};
	char text[512] = "{\"flows\":[";
	struct tn_diagnostics diag;
	struct tn_document doc;

	(void)state;
	memset(text + 10, '[', 100);
	memset(text + 110, ']', 100);
	strcpy(text + 210, "]}");
	check_said(text, strlen(text), deep, 1);
	memset(text, '[', 100);
	memset(text + 100, ']', 100);
	check_said(text, 200, top, 1);
	/* Sixteen are fine, as far as syntax goes. */
	strcpy(text, "{\"flows\":[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]}");
	tn_diagnostics_init(&diag);
	assert_int_equal(tn_document_parse(&doc, text, strlen(text), &diag), -EINVAL);
	assert_int_equal(diag.n, 1);
	assert_non_null(strstr(diag.list[0].detail, "flow must be an object"));
	tn_document_fini(&doc);
	tn_diagnostics_fini(&diag);
}

/* The deepest treatment that a switch takes stands in a document, the next one is refused as such.
 */
static void the_deepest_treatment_fits(void **state)
{
#define CLONE(...) "{'type':'CLONE','instructions':[" __VA_ARGS__ "]}"
#define FOUR(...)  CLONE(CLONE(CLONE(CLONE(__VA_ARGS__))))
#define FLOW(...)                                                                          \
	"{'ports':[{'number':1,'type':'pcap'}],'flows':[{'priority':1,'isPermanent':true," \
	"'treatment':{'instructions':[" __VA_ARGS__ "]}}]}"
	static const struct said said[] = {
		{"1:238 /flows/0/treatment/instructions/0/instructions/0/instructions/0"
		 "/instructions/0/instructions/0 OFPBAC_TOO_MANY",
			"deeper than 4"}};
	char *fits = help_quotes(FLOW(FOUR("{'type':'OUTPUT','port':'1'}")));
	char *over = help_quotes(FLOW(FOUR(CLONE(""))));
	struct tn_diagnostics diag;
	struct tn_document doc;

	(void)state;
	tn_diagnostics_init(&diag);
	if (tn_document_parse(&doc, fits, strlen(fits), &diag))
		no_errors(&diag);
	assert_int_equal(doc.mods[0].flow->inst.n_apply, 5);
	tn_document_forget_mods(&doc);
	assert_int_equal(doc.n_mods, 0);
	tn_document_fini(&doc);
	tn_diagnostics_fini(&diag);
	check_said(over, strlen(over), said, 1);
	free(fits);
	free(over);
}

static void a_document_of_200_mb_is_refused(void **state)
{
	static const struct said said[] = {{"0:0  OK", "209715200 bytes"}};
	size_t len = 200u << 20;
	char *text = calloc(1, len);

	(void)state;
	assert_non_null(text);
	check_said(text, len, said, 1);
	free(text);
}

/* Repeats a piece n times between a head and a tail. */
static char *repeat(const char *head, const char *piece, size_t n, const char *tail)
{
	size_t lh = strlen(head), lp = strlen(piece), i;
	char *s = malloc(lh + n * lp + strlen(tail) + 1);

	assert_non_null(s);
	memcpy(s, head, lh);
	for (i = 0; i < n; i++)
		memcpy(s + lh + i * lp, piece, lp);
	strcpy(s + lh + n * lp, tail);
	return s;
}

/* Texts made to cost more than they are worth: refused, in time and memory like any other. */
static void hostile_texts_cost_no_more_than_others(void **state)
{
	static const struct {
		const char *head, *piece, *tail;
	} texts[] = {
		{"{\"flows\":[", "1,", "1]}"},
		{"{\"flows\":[", "{},", "{}]}"},
		{"{\"flows\":[[", "1,", "1]]}"},
		{"{\"flows\":[{", "\"a\":1,", "\"a\":1}]}"},
		{"{\"ports\":[", "{\"number\":1,\"type\":\"x\"},", "{}]}"},
		{"{\"tables\":[", "{\"tableId\":1},", "{}]}"},
		{"{", "\"a\":1,", "\"a\":1}"},
		{"{\"flows\":[{\"", "k", "\":1}]}"},
		{"{\"flows\":[{\"priority\":\"", "9", "\"}]}"},
		{"{\"flows\":[{\"treatment\":{\"instructions\":[", "{\"type\":\"NOTE\"},",
			"1]}}]}"},
		{"{\"flows\":[{\"selector\":{\"criteria\":[", "{\"type\":\"X\"},", "1]}}]}"},
		{"{\"flows\":[{\"priority\":1,\"isPermanent\":true,\"treatment\":{\"instructions\":[",
			"{\"type\":\"OUTPUT\",\"port\":0},", "1]}}]}"},
		{"{\"groups\":[{\"buckets\":[", "{},", "1]}]}"},
		{"{\"meters\":[{\"bands\":[", "{},", "1]}]}"},
		{"{\"underlay\":{\"routes\":[", "{},", "1]}}"},
		{"{\"flows\":", "[", ""},
		{"", "\n", "x"},
		{"{\"x\":\"", "\\u0041", "\"}"},
	};
	struct tn_diagnostics diag;
	struct tn_document doc;
	size_t i;

	(void)state;
	for (i = 0; i < TN_ARRAY_SIZE(texts); i++) {
		char *text = repeat(texts[i].head, texts[i].piece,
			(2u << 20) / strlen(texts[i].piece), texts[i].tail);

		tn_diagnostics_init(&diag);
		assert_int_equal(tn_document_parse(&doc, text, strlen(text), &diag), -EINVAL);
		assert_true(diag.n > 0);
		assert_int_equal(doc.n_mods, 0);
		tn_document_fini(&doc);
		tn_diagnostics_fini(&diag);
		free(text);
	}
}

/* Keys with escapes are the same keys, in files with any line ends. */
static void escapes_and_line_ends(void **state)
{
	static const char text[] =
		"{\r\n\t\"\\u0066lows\":[{\"priorit\\u0079\":1,\"isPermanent\":true,\r\n"
		"\"appId\":\"\\ud83d\\ude00\\u00e9\\u20ac\\/\\\\ \xc3\xa9\"}]}\r\n";
	static const char twice[] = "{'flows':[{'priority':1,'isPermanent':true,\n"
				    "'\\u0070riority':2}]}";
	static const struct said said[] = {{"2:17 /flows/0/priority OK", "twice"}};
	char *copy = help_quotes(twice);
	struct tn_diagnostics diag;
	struct tn_document doc;

	(void)state;
	tn_diagnostics_init(&diag);
	if (tn_document_parse(&doc, text, strlen(text), &diag))
		no_errors(&diag);
	assert_string_equal(tn_names_string(doc.names, doc.mods[0].flow->owner),
		"\xf0\x9f\x98\x80\xc3\xa9\xe2\x82\xac/\\ \xc3\xa9");
	tn_document_fini(&doc);
	check_said(copy, strlen(copy), said, 1);
	free(copy);
	tn_diagnostics_fini(&diag);
}

/* Port and section details that are refused. Each is alone in its document. */
static void refusals_of_ports_tables_and_underlay(void **state)
{
#define PORT(...)     "{'ports':[{'number':1,'type':'pcap'},{" __VA_ARGS__ "}]}"
#define VXLAN(...)    "{'ports':[{'number':1,'type':'vxlan','options':{" __VA_ARGS__ "}}]}"
#define TABLE(...)    "{'tables':[" __VA_ARGS__ "]}"
#define UNDERLAY(...) "{'underlay':{" __VA_ARGS__ "}}"
	static const struct {
		const char *text;
		const char *pointer, *words;
	} cases[] = {
		{PORT("'type':'pcap'"), "/ports/1", "number"},
		{PORT("'number':2"), "/ports/1", "type"},
		{PORT("'number':0,'type':'pcap'"), "/ports/1/number", "must be 1 to"},
		{PORT("'number':4294967041,'type':'pcap'"), "/ports/1/number", "4294967040"},
		{PORT("'number':2,'name':'','type':'pcap'"), "/ports/1/name", "empty"},
		{PORT("'number':2,'name':'3','type':'pcap'"), "/ports/1/name", "letter"},
		{PORT("'number':2,'name':'Local','type':'pcap'"), "/ports/1/name", "reserved"},
		{PORT("'number':2,'name':'controller','type':'pcap'"), "/ports/1/name", "reserved"},
		{PORT("'number':2,'name':'a/b','type':'pcap'"), "/ports/1/name", "'/'"},
		{PORT("'number':2,'name':'..','type':'pcap'"), "/ports/1/name", "'.'"},
		{PORT("'number':2,'name':'a=b','type':'pcap'"), "/ports/1/name", "'='"},
		{PORT("'number':2,'type':'PCAP'"), "/ports/1/type", "small letters"},
		{PORT("'number':2,'type':'vxlna','options':{'vni':5}"), "/ports/1/options",
			"\"vxlan\""},
		{PORT("'number':2,'type':'pcap','options':{'x':0.5}"), "/ports/1/options",
			"fraction"},
		{PORT("'number':2,'type':'pcap','options':[]"), "/ports/1/options", "object"},
		{PORT("'number':2,'type':'pcap','mtu':10"), "/ports/1/mtu", "68"},
		{PORT("'number':2,'type':'pcap','config':['NO_FLOOD']"), "/ports/1/config/0",
			"NO_FWD"},
		{PORT("'number':2,'type':'pcap','enabled':true"), "/ports/1/enabled",
			"unknown key"},
		{VXLAN("'remote':'0.0.0.0'"), "/ports/0/options/remote", "one host"},
		{VXLAN("'remote':'224.0.0.1'"), "/ports/0/options/remote", "one host"},
		{VXLAN("'remote':'ff02::1'"), "/ports/0/options/remote", "one host"},
		{VXLAN("'remote':'10.0.0.1/24'"), "/ports/0/options/remote", "without a length"},
		{VXLAN("'local':'10.0.0.1','remote':'2001:db8::1'"), "/ports/0/options/remote",
			"families"},
		{VXLAN("'local':'10.0.0.1','peers':['2001:db8::1']"), "/ports/0/options/peers",
			"families"},
		{VXLAN("'vni':'all'"), "/ports/0/options/vni", "integer"},
		{VXLAN("'vni':5,'vnis':[6]"), "/ports/0/options/vnis", "flow"},
		{VXLAN("'ttl':0"), "/ports/0/options/ttl", "1 to 255"},
		{VXLAN("'dscp':64"), "/ports/0/options/dscp", "63"},
		{VXLAN("'udpDestPort':0"), "/ports/0/options/udpDestPort", "65535"},
		{TABLE("{'name':'a'}"), "/tables/0", "tableId"},
		{TABLE("{'tableId':255}"), "/tables/0/tableId", "254"},
		{TABLE("{'tableId':1},{'tableId':1}"), "/tables/1/tableId", "twice"},
		{TABLE("{'tableId':1,'name':'a'},{'tableId':2,'name':'a'}"), "/tables/1/name",
			"own name"},
		{TABLE("{'tableId':1,'name':'1'}"), "/tables/0/name", "digit"},
		{TABLE("{'tableId':1,'vacancyDown':50,'vacancyUp':20}"), "/tables/0/vacancyDown",
			"vacancyUp"},
		{UNDERLAY("'routes':5"), "/underlay/routes", "array"},
		{UNDERLAY("'addresses':[{'address':'10.0.0.1/24'}]"), "/underlay/addresses/0",
			"mac"},
		{UNDERLAY("'addresses':[{'address':'10.0.0.1/24','mac':'01:00:00:00:00:01'}]"),
			"/underlay/addresses/0/mac", "unicast"},
		{UNDERLAY("'addresses':[{'address':'::ffff:10.0.0.1/120','mac':"
			  "'02:00:00:00:00:01'}]"),
			"/underlay/addresses/0/address", "IPv4"},
		{UNDERLAY("'routes':[{'prefix':'10.0.0.0/8','via':'2001:db8::1'}]"),
			"/underlay/routes/0/via", "families"},
		{UNDERLAY("'neighbours':[{'mac':'02:00:00:00:00:01'}]"), "/underlay/neighbours/0",
			"address"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < TN_ARRAY_SIZE(cases); i++) {
		char *text = help_quotes(cases[i].text);
		struct tn_diagnostics diag;
		struct tn_document doc;

		tn_diagnostics_init(&diag);
		if (!tn_document_parse(&doc, text, strlen(text), &diag))
			fail_msg("accepted: %s", text);
		if (diag.n != 1 || strcmp(diag.list[0].pointer, cases[i].pointer) != 0 ||
			!strstr(diag.list[0].detail, cases[i].words))
			fail_msg("%s: got %s %s", text, diag.list[0].pointer, diag.list[0].detail);
		assert_true(diag.list[0].line == 1 && diag.list[0].column > 1);
		tn_document_fini(&doc);
		tn_diagnostics_fini(&diag);
		free(text);
	}
}

/* Numbers of meters that name none. */
static void meters_get_free_numbers(void **state)
{
	static const char text[] = "{'meters':[{'unit':'KB_PER_SEC','bands':[]},"
				   "{'id':2,'unit':'KB_PER_SEC','bands':[]},"
				   "{'unit':'KB_PER_SEC','bands':[]},"
				   "{'id':4,'unit':'KB_PER_SEC','bands':[]},"
				   "{'unit':'KB_PER_SEC','bands':[]}]}";
	static const uint32_t want[] = {1, 2, 3, 4, 5};
	char *copy = help_quotes(text);
	struct tn_diagnostics diag;
	struct tn_document doc;
	size_t i;

	(void)state;
	tn_diagnostics_init(&diag);
	assert_int_equal(tn_document_parse(&doc, copy, strlen(copy), &diag), 0);
	for (i = 0; i < TN_ARRAY_SIZE(want); i++)
		assert_int_equal(doc.mods[i].meter->meter_id, want[i]);
	tn_document_fini(&doc);
	tn_diagnostics_fini(&diag);
	free(copy);
}

static double cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Not a limit, for machines differ: the figures are printed. */
static void a_document_of_100000_flows(void **state)
{
	static const char flow[] =
		"{\"priority\":%zu,\"isPermanent\":true,\"timeout\":0,"
		"\"deviceId\":\"of:00000000000000a1\",\"tableId\":0,\"selector\":{\"criteria\":["
		"{\"type\":\"IN_PORT\",\"port\":7},{\"type\":\"ETH_TYPE\",\"ethType\":\"0x0800\"},"
		"{\"type\":\"IPV4_DST\",\"ip\":\"10.%zu.%zu.0/24\"}]},\"treatment\":{"
		"\"instructions\":[{\"type\":\"L2MODIFICATION\",\"subtype\":\"TUNNEL_ID\","
		"\"tunnelId\":5001},{\"type\":\"OUTPUT\",\"port\":\"100\"}],\"deferred\":[]}}%s\n";
	const size_t n = 100000;
	struct tn_diagnostics diag;
	struct tn_document doc;
	struct rusage before, after;
	char *text = malloc(n * 450), *p = text;
	double start, took;
	size_t i;

	(void)state;
	assert_non_null(text);
	p += sprintf(p,
		"{\"device\":{\"id\":\"of:00000000000000a1\"},\"ports\":["
		"{\"number\":7,\"type\":\"pcap\"},{\"number\":100,\"type\":\"vxlan\"}],"
		"\"flows\":[\n");
	for (i = 0; i < n; i++)
		p += sprintf(p, flow, i % 65536, i >> 8 & 255, i & 255, i + 1 < n ? "," : "]}");
	tn_diagnostics_init(&diag);
	getrusage(RUSAGE_SELF, &before);
	start = cpu_seconds();
	if (tn_document_parse(&doc, text, (size_t)(p - text), &diag))
		no_errors(&diag);
	took = cpu_seconds() - start;
	getrusage(RUSAGE_SELF, &after);
	assert_int_equal(doc.n_mods, n);
	print_message("%zu flows, %zu bytes of text: %.0f flows/s, %ld kB more at the peak\n", n,
		(size_t)(p - text), (double)n / took, after.ru_maxrss - before.ru_maxrss);
	tn_document_fini(&doc);
	tn_diagnostics_fini(&diag);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_document_of_100000_flows),
		cmocka_unit_test(everything_both_ways),
		cmocka_unit_test(what_the_structs_hold),
		cmocka_unit_test(an_empty_document_is_a_switch_without_ports),
		cmocka_unit_test(every_error_of_a_document_at_once),
		cmocka_unit_test(syntax_errors_have_their_place),
		cmocka_unit_test(nul_bytes_are_refused),
		cmocka_unit_test(every_prefix_is_refused),
		cmocka_unit_test(nesting_is_limited),
		cmocka_unit_test(the_deepest_treatment_fits),
		cmocka_unit_test(a_document_of_200_mb_is_refused),
		cmocka_unit_test(hostile_texts_cost_no_more_than_others),
		cmocka_unit_test(escapes_and_line_ends),
		cmocka_unit_test(refusals_of_ports_tables_and_underlay),
		cmocka_unit_test(meters_get_free_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
