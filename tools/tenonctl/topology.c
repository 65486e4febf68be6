/* SPDX-License-Identifier: BSD-3-Clause */
/* tenonctl topology: what tenants have, as a tree. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tools/tenonctl/network.h"
#include "tools/tenonctl/say.h"
#include "tools/tenonctl/share.h"

static const char *text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

/* --- the tree --------------------------------------------------------------------------------- */

/* Of an object of a list: a copy that others can be put into. */
static json_t *copy_of(const json_t *o)
{
	json_t *copy = json_object();

	json_object_update(copy, (json_t *)(uintptr_t)o);
	return copy;
}

static json_t *child(json_t *list, const char *key, const char *value)
{
	json_t *o;
	size_t i;

	json_array_foreach(list, i, o)
	{
		if (strcmp(text_of(o, key), value) == 0)
			return o;
	}
	return NULL;
}

static json_t *tenant_of(json_t *tenants, const json_t *o)
{
	const char *id = text_of(o, "tenant_id");
	json_t *tenant = child(tenants, "id", id);

	if (tenant)
		return tenant;
	tenant = json_pack("{s:s,s:[],s:[]}", "id", id, "networks", "routers");
	json_array_append_new(tenants, tenant);
	return tenant;
}

static void add_networks(json_t *tenants, const json_t *networks)
{
	const json_t *o;
	json_t *copy;
	size_t i;

	json_array_foreach(networks, i, o)
	{
		copy = copy_of(o);
		/* In place of their ids, those that are told whole. */
		json_object_set_new(copy, "subnets", json_array());
		json_object_set_new(copy, "ports", json_array());
		json_array_append_new(json_object_get(tenant_of(tenants, o), "networks"), copy);
	}
}

/* Subnets or ports into the networks that they are of, whoever has them. */
static void add_to_networks(json_t *tenants, const json_t *list, const char *key)
{
	json_t *tenant, *network;
	const json_t *o;
	size_t i, k;

	json_array_foreach(list, i, o)
	{
		network = NULL;
		json_array_foreach(tenants, k, tenant)
		{
			if (!network)
				network = child(json_object_get(tenant, "networks"), "id",
					text_of(o, "network_id"));
		}
		if (network)
			json_array_append(json_object_get(network, key), (json_t *)(uintptr_t)o);
	}
}

static void add_routers(json_t *tenants, const json_t *routers)
{
	const json_t *o;
	size_t i;

	json_array_foreach(routers, i, o)
	{
		json_array_append(
			json_object_get(tenant_of(tenants, o), "routers"), (json_t *)(uintptr_t)o);
	}
}

static json_t *ask(struct tn_ctl *ctl, int *code)
{
	static const struct {
		const char *path, *list;
	} parts[] = {{"/v1/networks", "networks"}, {"/v1/subnets", "subnets"},
		{"/v1/ports?kind=tenant", "ports"}, {"/v1/routers", "routers"},
		{"/v1/hosts?kind=tenant", "hosts"}};
	json_t *lists[TN_ARRAY_SIZE(parts)] = {NULL}, *tenants = json_array(), *whole = NULL;

	*code = TN_CTL_OK;
	for (size_t i = 0; i < TN_ARRAY_SIZE(parts) && !*code; i++)
		lists[i] = tn_ctl_get_list(ctl, parts[i].path, parts[i].list, code);
	if (!*code) {
		add_networks(tenants, lists[0]);
		add_to_networks(tenants, lists[1], "subnets");
		add_to_networks(tenants, lists[2], "ports");
		add_routers(tenants, lists[3]);
		whole = json_pack("{s:O,s:O}", "tenants", tenants, "hosts", lists[4]);
	}
	for (size_t i = 0; i < TN_ARRAY_SIZE(parts); i++)
		json_decref(lists[i]);
	json_decref(tenants);
	return whole;
}

/* --- as text ---------------------------------------------------------------------------------- */

/* How a tree is drawn, and what stands before a line. */
struct drawing {
	const char *branch, *last, *pipe, *blank;
	char before[64];
};

static bool is_utf8(void)
{
	static const char *const variables[] = {"LC_ALL", "LC_CTYPE", "LANG"};

	for (size_t i = 0; i < TN_ARRAY_SIZE(variables); i++) {
		const char *value = getenv(variables[i]);

		if (value && *value)
			return strcasestr(value, "utf-8") || strcasestr(value, "utf8");
	}
	return false;
}

static void set_up(struct drawing *d)
{
	static const struct drawing lines = {
		"\u251c\u2500 ", "\u2514\u2500 ", "\u2502  ", "   ", ""};
	static const struct drawing plain = {"|- ", "`- ", "|  ", "   ", ""};

	*d = is_utf8() ? lines : plain;
}

/* A line's beginning; what comes below it until leave() stands one further in. */
static size_t enter(struct drawing *d, bool is_last)
{
	size_t n = strlen(d->before);

	fputs(d->before, stdout);
	fputs(is_last ? d->last : d->branch, stdout);
	snprintf(d->before + n, sizeof(d->before) - n, "%s", is_last ? d->blank : d->pipe);
	return n;
}

static void leave(struct drawing *d, size_t n)
{
	d->before[n] = '\0';
}

static void put(const char *text)
{
	tn_ctl_print_clean(stdout, text);
}

/* "port vm1 "web"" */
static void put_title(const char *kind, const json_t *o)
{
	printf("%s ", kind);
	tn_ctl_color(TN_CTL_BOLD);
	put(text_of(o, "id"));
	tn_ctl_color(TN_CTL_PLAIN);
	if (!*text_of(o, "name"))
		return;
	printf(" \"");
	put(text_of(o, "name"));
	putchar('"');
}

static void put_part(const char *before, const char *text)
{
	if (!*text)
		return;
	fputs(before, stdout);
	put(text);
}

static void put_status(const json_t *o)
{
	const char *status = text_of(o, "status");

	fputs("  ", stdout);
	tn_ctl_color(strcmp(status, "ACTIVE") == 0   ? TN_CTL_GREEN
			: strcmp(status, "N/A") == 0 ? TN_CTL_PLAIN
						     : TN_CTL_RED);
	put(strcmp(status, "N/A") == 0 ? "elsewhere" : status);
	tn_ctl_color(TN_CTL_PLAIN);
}

/* "10.0.0.11, fd00::11" of a list of objects. */
static void put_addresses(const json_t *list)
{
	const json_t *o;
	size_t i;

	json_array_foreach(list, i, o)
	{
		put_part(i ? ", " : "  ",
			json_is_string(o) ? json_string_value(o) : text_of(o, "ip_address"));
	}
}

static void put_subnet(const json_t *o)
{
	put_title("subnet", o);
	put_part("  ", text_of(o, "cidr"));
	put_part("  gateway ", text_of(o, "gateway_ip"));
	if (tn_ctl_flag(o, "enable_dhcp"))
		fputs("  DHCP", stdout);
	put_part("  ", text_of(o, "ipv6_address_mode"));
	putchar('\n');
}

static void put_port(const json_t *o)
{
	const json_t *binding = json_object_get(o, "binding");
	char vlan[32];

	put_title("port", o);
	put_part("  ", *text_of(binding, "kind") ? text_of(binding, "kind") : "unbound");
	put_part(" on ", text_of(binding, "host"));
	put_part(" at ", text_of(binding, "vtep"));
	put_part(" ", text_of(binding, "device"));
	if (json_object_get(binding, "vlan"))
		put_part(" VLAN ", tn_ctl_text(binding, "vlan", vlan));
	put_part("  ", text_of(o, "mac_address"));
	put_addresses(json_object_get(o, "fixed_ips"));
	put_status(o);
	putchar('\n');
}

static void put_router(const json_t *o)
{
	const json_t *interface, *route;
	size_t i;

	put_title("router", o);
	json_array_foreach(json_object_get(o, "interfaces"), i, interface)
	{
		put_part(i ? ", " : "  ", text_of(interface, "ip_address"));
		put_part(" of ", text_of(interface, "subnet_id"));
	}
	json_array_foreach(json_object_get(o, "routes"), i, route)
	{
		put_part("  ", text_of(route, "destination"));
		put_part(" via ", text_of(route, "nexthop"));
	}
	put_status(o);
	putchar('\n');
}

static void put_network(struct drawing *d, const json_t *network, bool is_last)
{
	const json_t *subnets = json_object_get(network, "subnets"), *o;
	const json_t *ports = json_object_get(network, "ports");
	size_t i, in = enter(d, is_last), n = json_array_size(subnets) + json_array_size(ports);
	char number[32];

	put_title("network", network);
	printf("  VNI %s", tn_ctl_text(network, "vni", number));
	printf("  MTU %s", tn_ctl_text(network, "mtu", number));
	put_status(network);
	putchar('\n');
	json_array_foreach(subnets, i, o)
	{
		size_t below = enter(d, i + 1 == n);

		put_subnet(o);
		leave(d, below);
	}
	json_array_foreach(ports, i, o)
	{
		size_t below = enter(d, i + 1 == json_array_size(ports));

		put_port(o);
		leave(d, below);
	}
	leave(d, in);
}

static void put_tenant(struct drawing *d, const json_t *tenant)
{
	const json_t *networks = json_object_get(tenant, "networks"), *o;
	const json_t *routers = json_object_get(tenant, "routers");
	size_t i, n = json_array_size(networks) + json_array_size(routers);

	if (*text_of(tenant, "id"))
		put_title("tenant", tenant);
	else
		fputs("of no tenant", stdout);
	putchar('\n');
	json_array_foreach(networks, i, o) put_network(d, o, i + 1 == n);
	json_array_foreach(routers, i, o)
	{
		size_t below = enter(d, i + 1 == json_array_size(routers));

		put_router(o);
		leave(d, below);
	}
}

static void put_hosts(struct drawing *d, const json_t *hosts)
{
	const json_t *o;
	size_t i;

	if (json_array_size(hosts))
		puts("hosts");
	json_array_foreach(hosts, i, o)
	{
		size_t below = enter(d, i + 1 == json_array_size(hosts));

		put_title("host", o);
		put_addresses(json_object_get(o, "vtep_addresses"));
		puts(tn_ctl_flag(o, "is_self") ? "  this one" : "");
		leave(d, below);
	}
}

int tn_ctl_topology(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	struct drawing d;
	const json_t *tenant, *tenants;
	json_t *whole;
	bool found = words->n == 0;
	size_t i;
	int code;

	whole = ask(ctl, &code);
	if (code)
		return code;
	set_up(&d);
	tenants = json_object_get(whole, "tenants");
	json_array_foreach(tenants, i, tenant)
	{
		bool meant = !words->n || strcmp(text_of(tenant, "id"), words->word[0]) == 0;

		found |= meant;
		if (meant && ctl->options.json && words->n)
			tn_ctl_print_json(tenant);
		else if (meant && !ctl->options.json)
			put_tenant(&d, tenant);
	}
	if (!words->n && ctl->options.json)
		tn_ctl_print_json(whole);
	else if (!words->n)
		put_hosts(&d, json_object_get(whole, "hosts"));
	if (!found)
		tn_ctl_say("tenant %s has nothing", words->word[0]);
	json_decref(whole);
	return found ? TN_CTL_OK : TN_CTL_REFUSED;
}
