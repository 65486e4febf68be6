/* SPDX-License-Identifier: BSD-3-Clause */
/* Tenant objects in JSON, one by one. */
#include "control/model/tenant_json.h"

#include <errno.h>

#include "tests/unit/model/json_help.h"

struct golden {
	enum tn_tenant_kind kind;
	const char *in, *out;
};

#define NETWORK TN_TENANT_NETWORK
#define SUBNET	TN_TENANT_SUBNET
#define PORT	TN_TENANT_PORT
#define ROUTER	TN_TENANT_ROUTER
#define HOST	TN_TENANT_HOST
#define QOS	TN_TENANT_QOS_POLICY
#define GROUP	TN_TENANT_ADDRESS_GROUP
#define QUOTA	TN_TENANT_QUOTA

#define SUBNET4                                                                            \
	"'network_id':'n','ip_version':4,'cidr':'10.0.0.0/24','gateway_ip':'10.0.0.1',"    \
	"'enable_dhcp':true,'allocation_pools':[{'start':'10.0.0.2','end':'10.0.0.254'}]," \
	"'dns_nameservers':[],'host_routes':[]"
#define PORT_REST                                                                         \
	"'allowed_address_pairs':[],'admin_state_up':true,'port_security_enabled':false," \
	"'mac_learning_enabled':false,'qos_policy_id':null,'extra_dhcp_opts':[],"

static const struct golden goldens[] = {
	{NETWORK, "{'id':'n'}",
		"{'id':'n','name':'','tenant_id':'','admin_state_up':true,"
		"'port_security_enabled':true,'unknown_unicast':'drop','multicast_snooping':true,"
		"'qos_policy_id':null}"},
	{NETWORK,
		"{'id':'web','name':'Web','project_id':'red','provider:segmentation_id':'700',"
		"'provider:network_type':'vxlan','mtu':1450,'admin_state_up':false,"
		"'port_security_enabled':false,'unknown_unicast':'flood','multicast_snooping':false,"
		"'qos_policy_id':'gold','status':'ACTIVE','revision_number':4,'subnets':['a']}",
		"{'id':'web','name':'Web','tenant_id':'red','vni':700,'mtu':1450,"
		"'admin_state_up':false,'port_security_enabled':false,'unknown_unicast':'flood',"
		"'multicast_snooping':false,'qos_policy_id':'gold'}"},
	{SUBNET, "{'id':'s','network_id':'n','cidr':'10.0.0.0/24'}",
		"{'id':'s','name':'','tenant_id':''," SUBNET4 "}"},
	/* The gateway divides the addresses that are given out. */
	{SUBNET,
		"{'id':'s','network_id':'n','cidr':'10.0.0.0/29','gateway_ip':'10.0.0.4',"
		"'dns_nameservers':['192.0.2.53'],'host_routes':[{'destination':'0.0.0.0/0',"
		"'nexthop':'10.0.0.6'}],'enable_dhcp':false}",
		"{'id':'s','name':'','tenant_id':'','network_id':'n','ip_version':4,"
		"'cidr':'10.0.0.0/29','gateway_ip':'10.0.0.4','enable_dhcp':false,"
		"'allocation_pools':[{'start':'10.0.0.1','end':'10.0.0.3'},"
		"{'start':'10.0.0.5','end':'10.0.0.6'}],'dns_nameservers':['192.0.2.53'],"
		"'host_routes':[{'destination':'0.0.0.0/0','nexthop':'10.0.0.6'}]}"},
	{SUBNET,
		"{'id':'s','network_id':'n','cidr':'2001:db8::/64','ip_version':6,"
		"'ipv6_address_mode':'slaac','ipv6_ra_mode':'slaac','gateway_ip':null}",
		"{'id':'s','name':'','tenant_id':'','network_id':'n','ip_version':6,"
		"'cidr':'2001:db8::/64','gateway_ip':null,'enable_dhcp':true,"
		"'ipv6_address_mode':'slaac','allocation_pools':[{'start':'2001:db8::1',"
		"'end':'2001:db8::ffff:ffff:ffff:ffff'}],'dns_nameservers':[],'host_routes':[]}"},
	{SUBNET, "{'id':'n','network_id':'n','cidr':'10.0.0.8/31'}",
		"{'id':'n','name':'','tenant_id':'','network_id':'n','ip_version':4,"
		"'cidr':'10.0.0.8/31','gateway_ip':null,'enable_dhcp':true,"
		"'allocation_pools':[{'start':'10.0.0.8','end':'10.0.0.9'}],"
		"'dns_nameservers':[],'host_routes':[]}"},
	{PORT, "{'id':'p','network_id':'n','fixed_ips':[]}",
		"{'id':'p','name':'','tenant_id':'','network_id':'n','fixed_ips':[]," PORT_REST
		"'binding':{}}"},
	{PORT,
		"{'id':'p','network_id':'n','mac_address':'02:AA:00:00:00:01','fixed_ips':["
		"{'ip_address':'10.0.0.5'},{'subnet_id':'s'}],'allowed_address_pairs':["
		"{'ip_address':'10.9.0.0/16','mac_address':'02:00:00:00:00:99'},"
		"{'ip_address':'2001:db8::9'}],'mac_learning_enabled':true,"
		"'port_security_enabled':false,'device_id':'vm-7','device_owner':'compute:az1',"
		"'extra_dhcp_opts':[{'opt_name':'bootfile-name','opt_value':'a.efi'}],"
		"'binding':{'kind':'vm','host':'h1','vhost_socket':'/run/p.sock',"
		"'vhost_mode':'server'}}",
		"{'id':'p','name':'','tenant_id':'','network_id':'n',"
		"'mac_address':'02:aa:00:00:00:01','fixed_ips':[{'ip_address':'10.0.0.5'},"
		"{'subnet_id':'s'}],'allowed_address_pairs':[{'ip_address':'10.9.0.0/16',"
		"'mac_address':'02:00:00:00:00:99'},{'ip_address':'2001:db8::9'}],"
		"'admin_state_up':true,'port_security_enabled':false,'mac_learning_enabled':true,"
		"'mac_learning_limit':64,'qos_policy_id':null,'extra_dhcp_opts':[{"
		"'opt_name':'bootfile-name','opt_value':'a.efi','ip_version':4}],"
		"'device_id':'vm-7','device_owner':'compute:az1','binding':{'kind':'vm',"
		"'host':'h1','vhost_socket':'/run/p.sock','vhost_mode':'server'}}"},
	{PORT,
		"{'id':'p','network_id':'n','fixed_ips':[],'binding':{'kind':'baremetal',"
		"'host':'h1','device':'eth2','datapath':'ebpf','vlan':4094}}",
		"{'id':'p','name':'','tenant_id':'','network_id':'n','fixed_ips':[]," PORT_REST
		"'binding':{'kind':'baremetal','host':'h1','device':'eth2','datapath':'ebpf',"
		"'vlan':4094}}"},
	{PORT,
		"{'id':'p','network_id':'n','fixed_ips':[],"
		"'binding':{'kind':'remote','vtep':'2001:db8::7'}}",
		"{'id':'p','name':'','tenant_id':'','network_id':'n','fixed_ips':[]," PORT_REST
		"'binding':{'kind':'remote','vtep':'2001:db8::7'}}"},
	{ROUTER,
		"{'id':'r','interfaces':[{'subnet_id':'s','ip_address':'10.0.0.1'}],"
		"'routes':[{'destination':'::/0','nexthop':'2001:db8::1'}]}",
		"{'id':'r','name':'','tenant_id':'','admin_state_up':true,"
		"'interfaces':[{'subnet_id':'s'}],'routes':[{'destination':'::/0',"
		"'nexthop':'2001:db8::1'}]}"},
	{HOST, "{'name':'h1','vtep_addresses':['192.0.2.1','2001:db8::1'],'underlay_mtu':9000}",
		"{'id':'h1','name':'h1','vtep_addresses':['192.0.2.1','2001:db8::1'],"
		"'underlay_mtu':9000}"},
	{QOS,
		"{'id':'q','rules':[{'type':'dscp_marking','dscp_mark':0},{'type':'bandwidth_limit',"
		"'max_kbps':1000,'max_burst_kbps':100,'direction':'ingress'},"
		"{'type':'packet_rate_limit','max_kpps':5}]}",
		"{'id':'q','name':'','tenant_id':'','rules':[{'type':'packet_rate_limit',"
		"'direction':'egress','max_kpps':5},{'type':'bandwidth_limit','direction':'ingress',"
		"'max_kbps':1000,'max_burst_kbps':100},{'type':'dscp_marking','dscp_mark':0}]}"},
	{GROUP, "{'id':'g','addresses':['10.0.0.0/8','2001:db8::1/128'],'description':'all'}",
		"{'id':'g','name':'','tenant_id':'','description':'all',"
		"'addresses':['10.0.0.0/8','2001:db8::1/128']}"},
	{QUOTA, "{'tenant_id':'red','port':10,'network':'2'}",
		"{'id':'red','name':'','network':2,'subnet':-1,'port':10,'router':-1,"
		"'qos_policy':-1,'address_group':-1}"},
	{QUOTA, "{'id':'*','router':0}",
		"{'id':'*','name':'','network':-1,'subnet':-1,'port':-1,'router':0,"
		"'qos_policy':-1,'address_group':-1}"},
};

static int parse(
	struct help *h, enum tn_tenant_kind kind, const char *in, struct tn_tenant_value *value)
{
	char *text = help_quotes(in);
	int rc = tn_tenant_parse(kind, text, strlen(text), &h->arena, &h->diag, value);

	free(text);
	return rc;
}

static void check_golden(const struct golden *g)
{
	char *want = help_quotes(g->out);
	struct tn_tenant_value value, again;
	struct tn_tenant_object *o, *same;
	struct help h;

	help_init(&h);
	if (parse(&h, g->kind, g->in, &value))
		help_no_errors(&h, g->in);
	o = tn_tenant_object_new(&value);
	assert_string_equal(o->text, want);
	assert_int_equal(strlen(o->text), o->text_len);
	/* What was printed is read as the same, and nothing of it leads to where it was read. */
	assert_int_equal(parse(&h, g->kind, g->out, &again), 0);
	same = tn_tenant_object_new(&again);
	help_fini(&h);
	assert_true(tn_tenant_object_same(o, same));
	tn_tenant_object_put(same);
	same = tn_tenant_object_new(&o->value);
	assert_true(tn_tenant_object_same(o, same));
	assert_string_equal(same->value.c.id, o->value.c.id);
	tn_tenant_object_put(same);
	tn_tenant_object_put(o);
	free(want);
}

static void test_goldens(void **state)
{
	(void)state;
	for (size_t i = 0; i < TN_ARRAY_SIZE(goldens); i++)
		check_golden(&goldens[i]);
}

static void test_what_is_left_open(void **state)
{
	struct tn_tenant_value value;
	struct help h;

	(void)state;
	help_init(&h);
	assert_int_equal(parse(&h, PORT, "{'network_id':'n'}", &value), 0);
	assert_int_equal(value.unset,
		TN_UNSET_FIXED_IPS | TN_UNSET_PORT_SECURITY | TN_UNSET_BINDING |
			TN_UNSET_QOS_POLICY);
	assert_int_equal(parse(&h, PORT,
				 "{'network_id':'n','fixed_ips':[],'port_security_enabled':true,"
				 "'qos_policy_id':null,'binding':{}}",
				 &value),
		0);
	assert_int_equal(value.unset, 0);
	help_fini(&h);
}

struct wrong {
	enum tn_tenant_kind kind;
	const char *in, *pointer, *words;
};

static const struct wrong wrongs[] = {
	{NETWORK, "{'vnis':1}", "/vnis", "did you mean \"vni\"?"},
	{NETWORK, "{'vni':16777216}", "/vni", "from 0 to 16777215"},
	{NETWORK, "{'vni':5,'provider:segmentation_id':6}", "/provider:segmentation_id",
		"give one"},
	{NETWORK, "{'provider:network_type':'vlan'}", "/provider:network_type", "\"vxlan\""},
	{NETWORK, "{'mtu':67}", "/mtu", "the least of IPv4"},
	{NETWORK, "{'id':'a/b'}", "/id", "no id"},
	{NETWORK, "{'id':''}", "/id", "no id"},
	{NETWORK, "{'id':'-x'}", "/id", "no id"},
	{NETWORK, "{'tenant_id':'a','project_id':'b'}", "/project_id", "differ"},
	{NETWORK, "{'unknown_unicast':'learn'}", "/unknown_unicast", "\"drop\", \"flood\""},
	{NETWORK, "{'name':7}", "/name", "a string"},
	{NETWORK, "[]", "", "a network must be an object"},
	{SUBNET, "{'cidr':'10.0.0.0/24'}", "", "needs \"network_id\""},
	{SUBNET, "{'network_id':'n'}", "", "needs \"cidr\""},
	{SUBNET, "{'network_id':'n','cidr':'10.0.0.1/24'}", "/cidr", "bits set behind its length"},
	{SUBNET, "{'network_id':'n','cidr':'10.0.0.0/33'}", "/cidr", "IPv4 or IPv6 address"},
	{SUBNET, "{'network_id':'n','cidr':'::ffff:10.0.0.0/120'}", "/cidr", "a.b.c.d"},
	{SUBNET, "{'network_id':'n','cidr':'10.0.0.0/24','ip_version':6}", "/ip_version",
		"correct one"},
	{SUBNET, "{'network_id':'n','cidr':'10.0.0.0/24','gateway_ip':'10.0.1.1'}", "/gateway_ip",
		"no station's address"},
	{SUBNET, "{'network_id':'n','cidr':'10.0.0.0/24','gateway_ip':'10.0.0.255'}", "/gateway_ip",
		"no station's address"},
	{SUBNET,
		"{'network_id':'n','cidr':'10.0.0.0/24','allocation_pools':[{'start':'10.0.0.1',"
		"'end':'10.0.0.9'}]}",
		"/allocation_pools/0", "the gateway's address lies in this pool"},
	{SUBNET,
		"{'network_id':'n','cidr':'10.0.0.0/24','allocation_pools':[{'start':'10.0.0.9',"
		"'end':'10.0.0.2'}]}",
		"/allocation_pools/0", "ends before it starts"},
	{SUBNET,
		"{'network_id':'n','cidr':'10.0.0.0/24','allocation_pools':[{'start':'10.0.0.9',"
		"'end':'10.0.1.2'}]}",
		"/allocation_pools/0/end", "outside"},
	{SUBNET,
		"{'network_id':'n','cidr':'10.0.0.0/24','allocation_pools':[{'start':'10.0.0.9',"
		"'end':'10.0.0.12'},{'start':'10.0.0.12','end':'10.0.0.14'}]}",
		"/allocation_pools/1", "overlaps"},
	{SUBNET, "{'network_id':'n','cidr':'10.0.0.0/24','allocation_pools':[]}",
		"/allocation_pools", "DHCP has no pool"},
	{SUBNET, "{'network_id':'n','cidr':'10.0.0.0/24','ipv6_address_mode':'slaac'}",
		"/ipv6_address_mode", "for an IPv4 subnet"},
	{SUBNET, "{'network_id':'n','cidr':'2001:db8::/56','ipv6_address_mode':'slaac'}",
		"/ipv6_address_mode", "make it a /64"},
	{SUBNET,
		"{'network_id':'n','cidr':'2001:db8::/64','ipv6_address_mode':'slaac',"
		"'ipv6_ra_mode':'dhcpv6-stateful'}",
		"/ipv6_ra_mode", "differ"},
	{SUBNET,
		"{'network_id':'n','cidr':'2001:db8::/64','ipv6_address_mode':'slaac',"
		"'enable_dhcp':false}",
		"/enable_dhcp", "means nothing"},
	{SUBNET, "{'network_id':'n','cidr':'10.0.0.0/24','dns_nameservers':['2001:db8::53']}",
		"/dns_nameservers/0", "another family"},
	{SUBNET,
		"{'network_id':'n','cidr':'10.0.0.0/24','host_routes':[{'destination':'::/0',"
		"'nexthop':'10.0.0.1'}]}",
		"/host_routes/0/nexthop", "two families"},
	{PORT, "{'network_id':'n','id':'17'}", "/id", "port of the switch"},
	{PORT, "{'network_id':'n','mac_address':'01:00:00:00:00:01'}", "/mac_address", "unicast"},
	{PORT, "{'network_id':'n','fixed_ips':[{}]}", "/fixed_ips/0", "needs \"subnet_id\""},
	{PORT, "{'network_id':'n','fixed_ips':[{'ip_address':'224.0.0.1'}]}",
		"/fixed_ips/0/ip_address", "one station"},
	{PORT,
		"{'network_id':'n','fixed_ips':[{'ip_address':'10.0.0.1'},{'ip_address':"
		"'10.0.0.1'}]}",
		"/fixed_ips/1", "stands twice"},
	{PORT, "{'network_id':'n','binding':{'kind':'vm'}}", "/binding", "needs \"host\""},
	{PORT, "{'network_id':'n','binding':{'host':'h'}}", "/binding", "needs \"kind\""},
	{PORT, "{'network_id':'n','binding':{'kind':'container','host':'h'}}", "/binding",
		"needs \"device\""},
	{PORT, "{'network_id':'n','binding':{'kind':'vm','host':'h','vlan':3}}", "/binding/vlan",
		"means nothing"},
	{PORT, "{'network_id':'n','binding':{'kind':'remote','vtep':'192.0.2.1','host':'h'}}",
		"/binding/host", "means nothing"},
	{PORT,
		"{'network_id':'n','binding':{'kind':'baremetal','host':'h','device':'e','vlan':"
		"4095}}",
		"/binding/vlan", "from 1 to 4094"},
	{PORT, "{'network_id':'n','binding':{'kind':'vm','host':'h','vhost_socket':'x.sock'}}",
		"/binding/vhost_socket", "whole path"},
	{PORT,
		"{'network_id':'n','binding':{'kind':'container','host':'h','device':"
		"'a-name-that-is-too-long'}}",
		"/binding/device", "at most 15"},
	{PORT, "{'network_id':'n','extra_dhcp_opts':[{'opt_value':'x'}]}", "/extra_dhcp_opts/0",
		"needs a name"},
	{ROUTER, "{'interfaces':[{}]}", "/interfaces/0", "needs \"subnet_id\""},
	{ROUTER, "{'routes':[{'destination':'10.0.0.0/8'}]}", "/routes/0", "needs \"nexthop\""},
	{HOST, "{'id':'h'}", "", "\"vtep_addresses\""},
	{HOST, "{'id':'h','vtep_addresses':[]}", "/vtep_addresses", "one address"},
	{HOST, "{'id':'h','vtep_addresses':['0.0.0.0']}", "/vtep_addresses/0", "one station"},
	{HOST, "{'id':'h','vtep_addresses':['192.0.2.1'],'tenant_id':'red'}", "/tenant_id",
		"no tenant"},
	{QOS, "{'rules':[{'type':'x'}]}", "/rules/0/type", "\"bandwidth_limit\""},
	{QOS, "{'rules':[{'type':'bandwidth_limit'}]}", "/rules/0", "needs \"max_kbps\""},
	{QOS, "{'rules':[{'type':'dscp_marking','dscp_mark':64}]}", "/rules/0/dscp_mark",
		"from 0 to 63"},
	{QOS,
		"{'rules':[{'type':'bandwidth_limit','max_kbps':1},{'type':'bandwidth_limit',"
		"'direction':'egress','max_kbps':2}]}",
		"/rules/1", "has such a rule already"},
	{QOS, "{'rules':[{'type':'dscp_marking','dscp_mark':1,'max_kbps':2}]}", "/rules/0/max_kbps",
		"means nothing"},
	{GROUP, "{'addresses':['10.0.0.1']}", "/addresses/0", "with /length"},
	{QUOTA, "{'id':'red','port':-2}", "/port", "from -1"},
};

static void test_wrong(void **state)
{
	(void)state;
	for (size_t i = 0; i < TN_ARRAY_SIZE(wrongs); i++) {
		const struct wrong *w = &wrongs[i];
		struct tn_tenant_value value;
		struct help h;

		help_init(&h);
		if (parse(&h, w->kind, w->in, &value) != -EINVAL)
			fail_msg("accepted: %s", w->in);
		help_expect(&h, 0, w->pointer, TN_OF_OK, w->words);
		if (h.diag.n != 1)
			fail_msg("%zu errors: %s", h.diag.n, w->in);
		help_fini(&h);
	}
}

/* One object's errors are all found in one run. */
static void test_all_errors(void **state)
{
	struct tn_tenant_value value;
	struct help h;

	(void)state;
	help_init(&h);
	assert_int_equal(parse(&h, PORT,
				 "{'mac_address':'x','fixed_ips':[7,{'ip_address':'10'}],"
				 "'binding':{'kind':'vm','device':'d'},'color':'red'}",
				 &value),
		-EINVAL);
	help_expect(&h, 0, "/color", TN_OF_OK, "unknown key");
	help_expect(&h, 1, "", TN_OF_OK, "network_id");
	help_expect(&h, 2, "/mac_address", TN_OF_OK, "MAC address");
	help_expect(&h, 3, "/fixed_ips/0", TN_OF_OK, "must be an object");
	help_expect(&h, 4, "/fixed_ips/1/ip_address", TN_OF_OK, "address");
	help_expect(&h, 5, "/binding", TN_OF_OK, "needs \"host\"");
	help_expect(&h, 6, "/binding/device", TN_OF_OK, "means nothing");
	assert_int_equal(h.diag.n, 7);
	help_fini(&h);
}

static void test_ids(void **state)
{
	char longest[TN_TENANT_ID_MAX + 2];

	(void)state;
	memset(longest, 'a', sizeof(longest));
	assert_true(tn_tenant_is_id(longest, TN_TENANT_ID_MAX));
	assert_false(tn_tenant_is_id(longest, TN_TENANT_ID_MAX + 1));
	assert_false(tn_tenant_is_id("", 0));
	assert_true(tn_tenant_is_id("0e8f7a4c-5d2b-4f6e-9a51-0123456789ab", 36));
	assert_false(tn_tenant_is_id("a b", 3));
	assert_false(tn_tenant_is_id("..", 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_goldens),
		cmocka_unit_test(test_what_is_left_open),
		cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_all_errors),
		cmocka_unit_test(test_ids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
