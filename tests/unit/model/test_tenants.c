/* SPDX-License-Identifier: BSD-3-Clause */
/* What belongs together in tenant objects, and what is filled in. */
#include "control/model/tenants.h"

#include <errno.h>

#include "control/model/tenant_json.h"
#include "tests/unit/model/json_help.h"
#include "tests/unit/random.h"

#define NETWORK TN_TENANT_NETWORK
#define SUBNET	TN_TENANT_SUBNET
#define PORT	TN_TENANT_PORT
#define ROUTER	TN_TENANT_ROUTER
#define HOST	TN_TENANT_HOST
#define QOS	TN_TENANT_QOS_POLICY
#define QUOTA	TN_TENANT_QUOTA

struct fixture {
	struct help h;
	struct tn_tenants *t;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	help_init(&f->h);
	f->t = tn_tenants_new();
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	tn_tenants_free(f->t);
	help_fini(&f->h);
	free(f);
	return 0;
}

static void put_as(struct fixture *f, enum tn_tenant_kind kind, const char *json,
	const char *pointer, const char *scope)
{
	char *text = help_quotes(json);
	struct tn_tenant_value value;

	if (tn_tenant_parse(kind, text, strlen(text), &f->h.arena, &f->h.diag, &value))
		help_no_errors(&f->h, json);
	free(text);
	tn_tenants_put(
		f->t, &value, &(struct tn_tenants_origin){.pointer = pointer, .scope = scope});
}

static void put(struct fixture *f, enum tn_tenant_kind kind, const char *json)
{
	put_as(f, kind, json, "/x", NULL);
}

static void remove_at(
	struct fixture *f, enum tn_tenant_kind kind, const char *id, const char *pointer)
{
	tn_tenants_remove(f->t, kind, id, &(struct tn_tenants_origin){.pointer = pointer});
}

static void keep(struct fixture *f)
{
	if (tn_tenants_complete(f->t, &f->h.diag))
		help_no_errors(&f->h, "complete");
	tn_tenants_keep(f->t);
}

static void add(struct fixture *f, enum tn_tenant_kind kind, const char *json)
{
	put(f, kind, json);
	keep(f);
}

/* What was put since is refused with this as its only error, and undone. */
static void refuse(struct fixture *f, const char *pointer, const char *words)
{
	assert_int_equal(tn_tenants_complete(f->t, &f->h.diag), -EINVAL);
	help_expect(&f->h, 0, pointer, TN_OF_OK, words);
	if (f->h.diag.n != 1)
		fail_msg("also: %s %s", f->h.diag.list[1].pointer, f->h.diag.list[1].detail);
	help_clear(&f->h);
	tn_tenants_undo(f->t);
}

static const struct tn_tenant_port *port(const struct fixture *f, const char *id)
{
	const struct tn_tenant_object *o = tn_tenants_get(f->t, PORT, id);

	assert_non_null(o);
	return &o->value.port;
}

static const char *text_of(const struct fixture *f, enum tn_tenant_kind kind, const char *id)
{
	const struct tn_tenant_object *o = tn_tenants_get(f->t, kind, id);

	return o ? o->text : "none";
}

/* A network with a subnet of each family, and a host. */
static void put_network(struct fixture *f)
{
	put(f, PORT, "{'id':'early','network_id':'n','fixed_ips':[{'ip_address':'10.0.0.3'}]}");
	put(f, SUBNET, "{'id':'s4','network_id':'n','cidr':'10.0.0.0/29'}");
	put(f, SUBNET,
		"{'id':'s6','network_id':'n','cidr':'2001:db8::/64','ipv6_address_mode':'slaac'}");
	put(f, NETWORK, "{'id':'n','tenant_id':'red'}");
	put(f, HOST, "{'id':'h1','vtep_addresses':['192.0.2.1']}");
	keep(f);
}

static void test_fills_in(void **state)
{
	struct fixture *f = *state;
	const struct tn_tenant_port *p;
	struct tn_mac mac;

	put_network(f);
	put(f, PORT, "{'id':'a','network_id':'n'}");
	put(f, PORT, "{'id':'b','network_id':'n'}");
	put(f, PORT, "{'id':'c','network_id':'n','fixed_ips':[{'subnet_id':'s4'}]}");
	keep(f);
	p = port(f, "a");
	assert_string_equal(p->c.tenant_id, "red");
	assert_true(p->port_security_enabled);
	assert_int_equal(p->n_fixed_ips, 2);
	/* 3 is taken: by one that stood before the subnet. */
	assert_true(p->fixed_ips[0].ip_address == tn_u128_from_ip4(0x0a000002));
	assert_string_equal(p->fixed_ips[0].subnet_id, "s4");
	mac = tn_tenant_mac_of("a", 0);
	assert_memory_equal(&p->mac_address, &mac, sizeof(mac));
	assert_int_equal(mac.b[0], 2);
	assert_true((uint64_t)p->fixed_ips[1].ip_address ==
		((uint64_t)mac.b[1] << 48 | (uint64_t)mac.b[2] << 40 | UINT64_C(0xfffe000000) |
			(uint64_t)mac.b[3] << 16 | (uint64_t)mac.b[4] << 8 | mac.b[5]));
	assert_true(port(f, "b")->fixed_ips[0].ip_address == tn_u128_from_ip4(0x0a000004));
	assert_int_equal(port(f, "c")->n_fixed_ips, 1);
	assert_true(port(f, "c")->fixed_ips[0].ip_address == tn_u128_from_ip4(0x0a000005));
	assert_string_equal(port(f, "early")->fixed_ips[0].subnet_id, "s4");
	assert_in_range(tn_tenants_get(f->t, NETWORK, "n")->value.network.vni, 4096, 0xffffff);
	/* The last one of 10.0.0.2-6. */
	add(f, PORT, "{'id':'d','network_id':'n','fixed_ips':[{'subnet_id':'s4'}]}");
	assert_true(port(f, "d")->fixed_ips[0].ip_address == tn_u128_from_ip4(0x0a000006));
	put(f, PORT, "{'id':'e','network_id':'n','fixed_ips':[{'subnet_id':'s4'}]}");
	refuse(f, "/x/fixed_ips/0", "no address is free");
	put(f, PORT, "{'id':'e','network_id':'n'}");
	refuse(f, "/x", "no address is free");
	/* What a port leaves is given out again. */
	remove_at(f, PORT, "b", "/x");
	keep(f);
	add(f, PORT, "{'id':'e','network_id':'n'}");
	assert_true(port(f, "e")->fixed_ips[0].ip_address == tn_u128_from_ip4(0x0a000004));
}

/* Said again without what was given out, everything stays as it was. */
static void test_keeps_what_was_given(void **state)
{
	struct fixture *f = *state;
	char *before;
	size_t n;

	put_network(f);
	add(f, PORT, "{'id':'a','network_id':'n','fixed_ips':[{'subnet_id':'s4'}]}");
	before = strdup(text_of(f, PORT, "a"));
	put(f, PORT, "{'id':'a','network_id':'n','fixed_ips':[{'subnet_id':'s4'}]}");
	put(f, NETWORK, "{'id':'n','tenant_id':'red'}");
	put(f, SUBNET, "{'id':'s4','network_id':'n','cidr':'10.0.0.0/29'}");
	assert_int_equal(tn_tenants_complete(f->t, &f->h.diag), 0);
	(void)tn_tenants_changes(f->t, &n);
	assert_int_equal(n, 0);
	tn_tenants_keep(f->t);
	put(f, PORT, "{'id':'a','network_id':'n'}");
	assert_int_equal(tn_tenants_complete(f->t, &f->h.diag), 0);
	(void)tn_tenants_changes(f->t, &n);
	assert_int_equal(n, 0);
	tn_tenants_keep(f->t);
	assert_string_equal(text_of(f, PORT, "a"), before);
	free(before);
}

static void test_changes(void **state)
{
	struct fixture *f = *state;
	const struct tn_tenants_change *changes;
	size_t n;

	put_network(f);
	put(f, PORT, "{'id':'a','network_id':'n'}");
	remove_at(f, PORT, "early", "/y");
	put(f, NETWORK, "{'id':'n','tenant_id':'red','name':'N'}");
	remove_at(f, PORT, "nobody", "/z");
	assert_int_equal(tn_tenants_complete(f->t, &f->h.diag), 0);
	changes = tn_tenants_changes(f->t, &n);
	assert_int_equal(n, 3);
	assert_null(changes[0].before);
	assert_string_equal(changes[0].after->value.c.id, "a");
	assert_string_equal(changes[1].before->value.c.id, "early");
	assert_null(changes[1].after);
	assert_string_equal(changes[2].before->value.c.name, "");
	assert_string_equal(changes[2].after->value.c.name, "N");
	tn_tenants_undo(f->t);
	assert_null(tn_tenants_get(f->t, PORT, "a"));
	assert_non_null(tn_tenants_get(f->t, PORT, "early"));
	assert_string_equal(tn_tenants_get(f->t, NETWORK, "n")->value.c.name, "");
	assert_int_equal(tn_tenants_count(f->t, PORT), 1);
}

struct wrong {
	enum tn_tenant_kind kind;
	const char *json, *pointer, *words;
};

#define ON(host, rest) "'binding':{'host':'" host "'," rest "}"
#define P(id, rest)    "{'id':'" id "','network_id':'n','fixed_ips':[]," rest "}"

static const struct wrong wrongs[] = {
	{NETWORK, "{'id':'m','vni':7}", "/x/vni", "VNI 7 is in use by network \"n\""},
	{NETWORK, "{'id':'m','qos_policy_id':'q'}", "/x/qos_policy_id", "no qos_policy \"q\""},
	{NETWORK, "{'id':'m','mtu':1451}", "/x/mtu", "which take 1450"},
	{NETWORK, "{'id':'n','tenant_id':'red','vni':7,'mtu':1279}", "/x/mtu", "IPv6 needs 1280"},
	{SUBNET, "{'id':'s','network_id':'no','cidr':'10.0.9.0/24'}", "/x/network_id",
		"no network \"no\""},
	{SUBNET, "{'id':'s','network_id':'n','cidr':'10.0.0.0/16'}", "/x/cidr",
		"overlaps 10.0.0.0/24 of subnet \"s4\""},
	{SUBNET, "{'id':'s','network_id':'n','cidr':'10.9.0.0/16','tenant_id':'blue'}",
		"/x/network_id", "network \"n\" is of tenant \"red\""},
	{PORT, "{'id':'p','network_id':'no'}", "/x/network_id", "no network \"no\""},
	{PORT, P("p", "'mac_address':'02:00:00:00:00:0a'"), "/x/mac_address",
		"the address of port \"a\" on the same network"},
	{PORT, "{'id':'p','network_id':'n','fixed_ips':[{'ip_address':'10.0.0.10'}]}",
		"/x/fixed_ips/0", "10.0.0.10 is an address of port \"a\""},
	{PORT, "{'id':'p','network_id':'n','fixed_ips':[{'ip_address':'10.0.0.1'}]}",
		"/x/fixed_ips/0", "the gateway of subnet \"s4\""},
	{PORT, "{'id':'p','network_id':'n','fixed_ips':[{'ip_address':'10.0.1.1'}]}",
		"/x/fixed_ips/0", "in no subnet of network \"n\""},
	{PORT,
		"{'id':'p','network_id':'n','fixed_ips':[{'ip_address':'10.0.1.1','subnet_id':"
		"'s4'}]}",
		"/x/fixed_ips/0", "no station's address of 10.0.0.0/24"},
	{PORT,
		"{'id':'p','network_id':'n','fixed_ips':[{'ip_address':'10.0.0.255','subnet_id':"
		"'s4'}]}",
		"/x/fixed_ips/0", "no station's address"},
	{PORT,
		"{'id':'p','network_id':'n','fixed_ips':[{'ip_address':'10.5.0.9','subnet_id':"
		"'t4'}]}",
		"/x/fixed_ips/0", "subnet \"t4\" is of network \"n2\""},
	{PORT, "{'id':'p','network_id':'n','fixed_ips':[{'subnet_id':'t4'}]}", "/x/fixed_ips/0",
		"the network has no subnet \"t4\""},
	{PORT, P("p", "'qos_policy_id':'q'"), "/x/qos_policy_id", "no qos_policy"},
	{PORT, P("p", "'mac_learning_enabled':true"), "/x/mac_learning_enabled", "port security"},
	{PORT, P("p", ON("h9", "'kind':'vm'")), "/x/binding/host", "no host \"h9\""},
	{PORT, P("p", ON("h1", "'kind':'container','device':'veth0'")), "/x/binding/device",
		"has port \"veth\" already"},
	{PORT, P("p", ON("h1", "'kind':'baremetal','device':'veth0'")), "/x/binding/device",
		"has port \"veth\" already"},
	{PORT, P("p", ON("h1", "'kind':'baremetal','device':'eth2','vlan':5")), "/x/binding/vlan",
		"VLAN 5 on \"eth2\" of host \"h1\" is of port \"trunk\""},
	{PORT, P("p", ON("h1", "'kind':'baremetal','device':'eth2','vlan':6,'datapath':'ebpf'")),
		"/x/binding/datapath", "a device has one"},
	{PORT, P("p", ON("h1", "'kind':'baremetal','device':'eth3'")), "/x/binding/device",
		"untagged frames on \"eth3\""},
	{PORT, P("p", ON("h1", "'kind':'vm','vhost_socket':'/run/vm'")), "/x/binding/vhost_socket",
		"the socket of port \"vm\""},
	{PORT, P("p", "'binding':{'kind':'remote','vtep':'192.0.2.1'}"), "/x/binding/vtep",
		"is host \"h1\""},
	{ROUTER, "{'id':'q','interfaces':[{'subnet_id':'no'}]}", "/x/interfaces/0",
		"no subnet \"no\""},
	{ROUTER, "{'id':'q','tenant_id':'blue','interfaces':[{'subnet_id':'t4'}]}",
		"/x/interfaces/0", "of tenant \"red\""},
	{ROUTER, "{'id':'q','tenant_id':'red','interfaces':[{'subnet_id':'s4'}]}",
		"/x/interfaces/0", "on router \"r\" already"},
	{ROUTER, "{'id':'q','tenant_id':'red','interfaces':[{'subnet_id':'u4'}]}",
		"/x/interfaces/0", "has no gateway"},
	{ROUTER,
		"{'id':'q','tenant_id':'red','interfaces':[{'subnet_id':'t4'},{'subnet_id':'v4'}]}",
		"/x/interfaces/1", "overlaps 10.5.0.0/16 of subnet \"t4\" on the same router"},
	{ROUTER,
		"{'id':'q','tenant_id':'red','interfaces':[{'subnet_id':'t4'},{'subnet_id':'t4'}]}",
		"/x/interfaces/1", "stands twice"},
	{ROUTER,
		"{'id':'q','tenant_id':'red','interfaces':[{'subnet_id':'t4'}],'routes':[{"
		"'destination':'0.0.0.0/0','nexthop':'10.0.0.9'}]}",
		"/x/routes/0/nexthop", "in no subnet that the router is on"},
	{ROUTER,
		"{'id':'q','tenant_id':'red','interfaces':[{'subnet_id':'t4'}],'routes':[{"
		"'destination':'0.0.0.0/0','nexthop':'10.5.0.1'}]}",
		"/x/routes/0/nexthop", "the router's own address"},
	{ROUTER,
		"{'id':'q','tenant_id':'red','interfaces':[{'subnet_id':'t4'}],'routes':[{"
		"'destination':'0.0.0.0/0','nexthop':'10.5.0.7'},{'destination':'0.0.0.0/0',"
		"'nexthop':'10.5.0.8'},{'destination':'0.0.0.0/0','nexthop':'10.5.0.7'}]}",
		"/x/routes/2", "stands twice"},
	{HOST, "{'id':'h2','vtep_addresses':['192.0.2.1']}", "/x/vtep_addresses/0",
		"an address of host \"h1\", too"},
	{HOST, "{'id':'h2','vtep_addresses':['192.0.2.77']}", "/x/vtep_addresses/0",
		"remote port \"far\" is behind 192.0.2.77"},
	{HOST, "{'id':'h2','vtep_addresses':['192.0.2.2'],'underlay_mtu':1440}", "/x",
		"network \"n2\" is against it: packets of 1400 bytes"},
};

static void put_town(struct fixture *f)
{
	put(f, HOST, "{'id':'h1','vtep_addresses':['192.0.2.1']}");
	put(f, NETWORK, "{'id':'n','tenant_id':'red','vni':7}");
	put(f, SUBNET, "{'id':'s4','network_id':'n','cidr':'10.0.0.0/24'}");
	put(f, SUBNET, "{'id':'s6','network_id':'n','cidr':'2001:db8::/64'}");
	put(f, NETWORK, "{'id':'n2','tenant_id':'red','vni':8,'mtu':1400}");
	put(f, SUBNET, "{'id':'t4','network_id':'n2','cidr':'10.5.0.0/16'}");
	put(f, SUBNET, "{'id':'u4','network_id':'n2','cidr':'10.6.0.0/16','gateway_ip':null}");
	put(f, NETWORK, "{'id':'n3','tenant_id':'red','vni':9}");
	put(f, SUBNET, "{'id':'v4','network_id':'n3','cidr':'10.5.1.0/24'}");
	put(f, ROUTER, "{'id':'r','tenant_id':'red','interfaces':[{'subnet_id':'s4'}]}");
	put(f, PORT,
		"{'id':'a','network_id':'n','mac_address':'02:00:00:00:00:0a','fixed_ips':["
		"{'ip_address':'10.0.0.10'}]}");
	put(f, PORT, P("veth", ON("h1", "'kind':'container','device':'veth0'")));
	put(f, PORT, P("trunk", ON("h1", "'kind':'baremetal','device':'eth2','vlan':5")));
	put(f, PORT, P("access", ON("h1", "'kind':'baremetal','device':'eth3'")));
	put(f, PORT, P("vm", ON("h1", "'kind':'vm','vhost_socket':'/run/vm'")));
	put(f, PORT, P("far", "'binding':{'kind':'remote','vtep':'192.0.2.77'}"));
	keep(f);
}

static void test_contradictions(void **state)
{
	struct fixture *f = *state;

	put_town(f);
	for (size_t i = 0; i < TN_ARRAY_SIZE(wrongs); i++) {
		put(f, wrongs[i].kind, wrongs[i].json);
		refuse(f, wrongs[i].pointer, wrongs[i].words);
	}
	/* The native VLAN beside tagged ones, and the same address elsewhere, are none. */
	put(f, PORT, P("native", ON("h1", "'kind':'baremetal','device':'eth2'")));
	put(f, PORT,
		"{'id':'twin','network_id':'n3','mac_address':'02:00:00:00:00:0a','fixed_ips':[]}");
	keep(f);
}

/* Every contradiction of one change is told. */
static void test_all_contradictions(void **state)
{
	struct fixture *f = *state;

	put_town(f);
	put_as(f, PORT,
		"{'id':'p','network_id':'n','mac_address':'02:00:00:00:00:0a','fixed_ips':["
		"{'ip_address':'10.0.0.10'},{'ip_address':'10.9.0.1'}],'qos_policy_id':'q'," ON(
			"h2", "'kind':'vm'") "}",
		"/ports/0", NULL);
	put_as(f, SUBNET, "{'id':'w4','network_id':'n','cidr':'10.0.0.128/25'}", "/subnets/0",
		NULL);
	assert_int_equal(tn_tenants_complete(f->t, &f->h.diag), -EINVAL);
	help_expect(&f->h, 0, "/ports/0/qos_policy_id", TN_OF_OK, "no qos_policy");
	help_expect(&f->h, 1, "/ports/0/binding/host", TN_OF_OK, "no host");
	help_expect(&f->h, 2, "/ports/0/mac_address", TN_OF_OK, "port \"a\"");
	help_expect(&f->h, 3, "/ports/0/fixed_ips/0", TN_OF_OK, "port \"a\"");
	help_expect(&f->h, 4, "/ports/0/fixed_ips/1", TN_OF_OK, "in no subnet");
	help_expect(&f->h, 5, "/subnets/0/cidr", TN_OF_OK, "overlaps");
	assert_int_equal(f->h.diag.n, 6);
	help_clear(&f->h);
	tn_tenants_undo(f->t);
}

/* What others rely on is not taken from under them. */
static void test_in_use(void **state)
{
	struct fixture *f = *state;

	put_town(f);
	remove_at(f, NETWORK, "n3", "/x");
	refuse(f, "/x", "network \"n3\" is in use by subnet \"v4\"; remove that first");
	remove_at(f, NETWORK, "n", "/x");
	refuse(f, "/x", " and 3 more; remove that first");
	remove_at(f, SUBNET, "s4", "/x");
	refuse(f, "/x", "router \"r\"");
	remove_at(f, HOST, "h1", "/x");
	refuse(f, "/x", "host \"h1\" is in use by port \"veth\"");
	put(f, SUBNET, "{'id':'s4','network_id':'n','cidr':'10.0.7.0/24'}");
	refuse(f, "/x", "port \"a\" is against it: 10.0.0.10 is no station's address");
	/* With its users it goes; in whatever order that is said. */
	remove_at(f, NETWORK, "n3", "/x");
	remove_at(f, SUBNET, "v4", "/x");
	put(f, SUBNET, "{'id':'s4','network_id':'n','cidr':'10.0.7.0/24'}");
	put(f, PORT, "{'id':'a','network_id':'n','fixed_ips':[{'ip_address':'10.0.7.10'}]}");
	keep(f);
	assert_null(tn_tenants_get(f->t, NETWORK, "n3"));
	/* Two that swap addresses contradict nobody. */
	add(f, PORT, "{'id':'b','network_id':'n','fixed_ips':[{'ip_address':'10.0.7.11'}]}");
	put(f, PORT, "{'id':'a','network_id':'n','fixed_ips':[{'ip_address':'10.0.7.11'}]}");
	put(f, PORT, "{'id':'b','network_id':'n','fixed_ips':[{'ip_address':'10.0.7.10'}]}");
	keep(f);
}

static void test_quota(void **state)
{
	struct fixture *f = *state;

	put(f, QUOTA, "{'id':'red','network':1}");
	put(f, QUOTA, "{'id':'*','network':0}");
	put(f, NETWORK, "{'id':'a','tenant_id':'red'}");
	put(f, NETWORK, "{'id':'ours'}");
	keep(f);
	put(f, NETWORK, "{'id':'b','tenant_id':'red'}");
	refuse(f, "/x", "with this it would have 2 networks, and may have 1");
	put(f, NETWORK, "{'id':'b','tenant_id':'blue'}");
	refuse(f, "/x", "quota of tenant \"blue\"");
	/* What it has may be changed, and a lower quota takes nothing away. */
	add(f, QUOTA, "{'id':'red','network':0}");
	add(f, NETWORK, "{'id':'a','tenant_id':'red','name':'A'}");
}

static void test_tenants_client(void **state)
{
	struct fixture *f = *state;

	put_town(f);
	put(f, NETWORK, "{'id':'blue','tenant_id':'blue'}");
	put(f, QOS, "{'id':'slow'}");
	put(f, PORT,
		"{'id':'bp','network_id':'blue'," ON(
			"h1", "'kind':'vm'") ",'qos_policy_id':'slow'}");
	keep(f);
	put_as(f, PORT, "{'id':'p','network_id':'n','fixed_ips':[]}", "", "blue");
	refuse(f, "/network_id", "there is no network \"n\"");
	put_as(f, NETWORK, "{'id':'x','tenant_id':'red'}", "", "blue");
	refuse(f, "/tenant_id", "of tenant \"blue\"");
	put_as(f, NETWORK, "{'id':'x','vni':7}", "", "blue");
	assert_int_equal(tn_tenants_complete(f->t, &f->h.diag), -EINVAL);
	help_expect(&f->h, 0, "/vni", TN_OF_OK, "the provider's to choose");
	help_expect(&f->h, 1, "/vni", TN_OF_OK, "VNI 7 is in use; leave it out");
	help_clear(&f->h);
	tn_tenants_undo(f->t);
	put_as(f, PORT, "{'id':'p','network_id':'blue'," ON("h1", "'kind':'vm'") "}", "", "blue");
	refuse(f, "/binding", "the provider's to say");
	put_as(f, PORT, "{'id':'bp','network_id':'blue','binding':{}}", "", "blue");
	refuse(f, "/binding", "the provider's to say");
	put_as(f, PORT, "{'id':'bp','network_id':'blue','qos_policy_id':null}", "", "blue");
	refuse(f, "/qos_policy_id", "policy \"slow\"");
	/* What it does not name stays as the provider made it. */
	put_as(f, PORT, "{'id':'bp','network_id':'blue','name':'mine'}", "", "blue");
	put_as(f, NETWORK, "{'id':'x'}", "", "blue");
	keep(f);
	assert_int_equal(port(f, "bp")->binding.kind, TN_BINDING_VM);
	assert_string_equal(port(f, "bp")->qos_policy_id, "slow");
	assert_string_equal(tn_tenants_get(f->t, NETWORK, "x")->value.c.tenant_id, "blue");
}

static void test_mtu(void **state)
{
	struct fixture *f = *state;
	struct tn_network n = {.c = {.id = "n"}};

	assert_int_equal(tn_tenants_mtu(f->t, &n), 1450);
	add(f, HOST, "{'id':'h1','vtep_addresses':['192.0.2.1'],'underlay_mtu':9000}");
	assert_int_equal(tn_tenants_mtu(f->t, &n), 8950);
	put(f, HOST, "{'id':'h2','vtep_addresses':['2001:db8::1'],'underlay_mtu':8000}");
	assert_int_equal(tn_tenants_complete(f->t, &f->h.diag), 0);
	assert_int_equal(tn_tenants_mtu(f->t, &n), 7930);
	tn_tenants_undo(f->t);
	assert_int_equal(tn_tenants_mtu(f->t, &n), 8950);
	put(f, NETWORK, "{'id':'n','mtu':8950}");
	put(f, PORT, P("far", "'binding':{'kind':'remote','vtep':'2001:db8::7'}"));
	assert_int_equal(tn_tenants_complete(f->t, &f->h.diag), -EINVAL);
	help_expect(&f->h, 0, "/x/mtu", TN_OF_OK, "take 8930");
	tn_tenants_undo(f->t);
	help_clear(&f->h);
}

static void count(void *ctx, const struct tn_tenant_object *o)
{
	(void)o;
	++*(unsigned *)ctx;
}

static void test_users(void **state)
{
	struct fixture *f = *state;
	unsigned n = 0;

	put_town(f);
	tn_tenants_users(f->t, NETWORK, "n", PORT, count, &n);
	assert_int_equal(n, 6);
	n = 0;
	tn_tenants_users(f->t, NETWORK, "n", SUBNET, count, &n);
	assert_int_equal(n, 2);
	n = 0;
	tn_tenants_each(f->t, NETWORK, count, &n);
	assert_int_equal(n, 3);
	assert_int_equal(tn_tenants_owned(f->t, PORT, "red"), 6);
	assert_int_equal(tn_tenants_owned(f->t, PORT, "blue"), 0);
}

/* --- random changes: what is refused or undone leaves no trace --- */

#define IDS 6u

static void random_change(struct fixture *f, struct random *r)
{
	char json[400];
	unsigned id = random_below(r, IDS), other = random_below(r, IDS);
	static const enum tn_tenant_kind kinds[] = {NETWORK, SUBNET, PORT, ROUTER, HOST, QOS};
	enum tn_tenant_kind kind = kinds[random_below(r, TN_ARRAY_SIZE(kinds))];

	if (random_below(r, 5) == 0) {
		snprintf(json, sizeof(json), "o%u", id);
		remove_at(f, kind, tn_arena_strdup(&f->h.arena, json), "");
		return;
	}
	switch (kind) {
	case NETWORK:
		snprintf(json, sizeof(json), "{'id':'o%u','vni':%u,'qos_policy_id':%s}", id,
			random_below(r, 8), random_below(r, 4) ? "null" : "'o1'");
		break;
	case SUBNET:
		snprintf(json, sizeof(json),
			"{'id':'o%u','network_id':'o%u','cidr':'10.%u.0.0/%u'}", id, other,
			random_below(r, 4), 16 + random_below(r, 3));
		break;
	case PORT:
		snprintf(json, sizeof(json),
			"{'id':'o%u','network_id':'o%u'%s,'binding':{'kind':'vm','host':'o%u',"
			"'vhost_socket':'/run/%u'}}",
			id, other, random_below(r, 2) ? ",'mac_address':'02:00:00:00:00:01'" : "",
			random_below(r, IDS), random_below(r, 4));
		break;
	case ROUTER:
		snprintf(json, sizeof(json),
			"{'id':'o%u','interfaces':[{'subnet_id':'o%u'},{'subnet_id':'o%u'}]}", id,
			other, random_below(r, IDS));
		break;
	case HOST:
		snprintf(json, sizeof(json), "{'id':'o%u','vtep_addresses':['192.0.2.%u']}", id,
			1 + random_below(r, 8));
		break;
	default:
		snprintf(json, sizeof(json), "{'id':'o%u'}", id);
		break;
	}
	put(f, kind, json);
}

static void print(void *ctx, const struct tn_tenant_object *o)
{
	json_t *all = ctx;

	json_object_set_new(all, o->value.c.id, json_string(o->text));
}

static char *everything(struct tn_tenants *t)
{
	json_t *all = json_object(), *kind;
	char *text;

	for (unsigned k = 0; k < TN_TENANT_N_KINDS; k++) {
		kind = json_object();
		tn_tenants_each(t, (enum tn_tenant_kind)k, print, kind);
		assert_int_equal(
			json_object_size(kind), tn_tenants_count(t, (enum tn_tenant_kind)k));
		json_object_set_new(all, tn_tenant_kind_name((enum tn_tenant_kind)k), kind);
	}
	text = json_dumps(all, JSON_COMPACT | JSON_SORT_KEYS);
	json_decref(all);
	return text;
}

static void put_again(void *ctx, const struct tn_tenant_object *o)
{
	tn_tenants_put(ctx, &o->value, &(struct tn_tenants_origin){0});
}

/* Told anew, all of it is accepted and the same. */
static void check_whole(struct fixture *f)
{
	struct tn_tenants *fresh = tn_tenants_new();
	char *a, *b;

	for (unsigned k = 0; k < TN_TENANT_N_KINDS; k++)
		tn_tenants_each(f->t, (enum tn_tenant_kind)k, put_again, fresh);
	if (tn_tenants_complete(fresh, &f->h.diag))
		help_no_errors(&f->h, "told anew");
	tn_tenants_keep(fresh);
	a = everything(f->t);
	b = everything(fresh);
	assert_string_equal(a, b);
	free(a);
	free(b);
	tn_tenants_free(fresh);
}

static void test_random(void **state)
{
	struct fixture *f = *state;
	struct random r = {.state = 5};
	unsigned kept = 0, refused = 0;

	for (unsigned round = 0; round < 6000; round++) {
		unsigned n = 1 + random_below(&r, 3);
		char *before = everything(f->t), *after;
		int rc;

		for (unsigned i = 0; i < n; i++)
			random_change(f, &r);
		rc = tn_tenants_complete(f->t, &f->h.diag);
		assert_int_equal(rc != 0, f->h.diag.n != 0);
		if (!rc && random_below(&r, 4)) {
			tn_tenants_keep(f->t);
			kept++;
		} else {
			tn_tenants_undo(f->t);
			after = everything(f->t);
			assert_string_equal(after, before);
			free(after);
			refused += rc != 0;
		}
		help_clear(&f->h);
		tn_arena_fini(&f->h.arena);
		free(before);
		if (round % 16 == 0)
			check_whole(f);
	}
	assert_true(kept > 300);
	assert_true(refused > 300);
}

/* Ten thousand ports: the time of a change does not follow what there is. */
static void test_many(void **state)
{
	struct fixture *f = *state;
	char json[160];

	put(f, NETWORK, "{'id':'n'}");
	put(f, SUBNET, "{'id':'s','network_id':'n','cidr':'10.0.0.0/16'}");
	for (unsigned i = 0; i < 10000; i++) {
		snprintf(json, sizeof(json), "{'id':'p%u','network_id':'n'}", i);
		put(f, PORT, json);
	}
	keep(f);
	assert_true(
		port(f, "p9999")->fixed_ips[0].ip_address == tn_u128_from_ip4(0x0a000002 + 9999));
	for (unsigned i = 0; i < 10000; i += 2) {
		snprintf(json, sizeof(json), "p%u", i);
		remove_at(f, PORT, tn_arena_strdup(&f->h.arena, json), "");
		keep(f);
	}
	add(f, PORT, "{'id':'q','network_id':'n'}");
	assert_true(port(f, "q")->fixed_ips[0].ip_address == tn_u128_from_ip4(0x0a000002));
	assert_int_equal(tn_tenants_count(f->t, PORT), 5001);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_fills_in),
		TEST(test_keeps_what_was_given),
		TEST(test_changes),
		TEST(test_contradictions),
		TEST(test_all_contradictions),
		TEST(test_in_use),
		TEST(test_quota),
		TEST(test_tenants_client),
		TEST(test_mtu),
		TEST(test_users),
		TEST(test_random),
		TEST(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
