/* SPDX-License-Identifier: BSD-3-Clause */
/* tenonctl network, subnet, vport, router, qos-policy, ..., apply: tenants' networks. */
#include "tools/tenonctl/network.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/tenonctl/commands.h"
#include "tools/tenonctl/input.h"
#include "tools/tenonctl/say.h"
#include "tools/tenonctl/share.h"

/* A kind of objects: where they are, and what of them stands in a list. */
struct kind {
	const char *path, *query, *plural;
	const char *heads[8], *keys[8]; /* columns; a key may have a dot */
};

static const struct kind network = {"networks", "", "networks",
	{"ID", "NAME", "TENANT", "VNI>", "MTU>", "STATUS"},
	{"id", "name", "tenant_id", "vni", "mtu", "status"}};
static const struct kind subnet = {"subnets", "", "subnets",
	{"ID", "NETWORK", "CIDR", "GATEWAY", "DHCP", "STATE"},
	{"id", "network_id", "cidr", "gateway_ip", "enable_dhcp", "state"}};
static const struct kind vport = {"ports", "?kind=tenant", "ports",
	{"ID", "NETWORK", "MAC", "ADDRESSES", "KIND", "HOST", "STATUS"},
	{"id", "network_id", "mac_address", "fixed_ips", "binding.kind", "binding.host", "status"}};
static const struct kind router = {"routers", "", "routers",
	{"ID", "NAME", "TENANT", "INTERFACES", "STATUS"},
	{"id", "name", "tenant_id", "interfaces", "status"}};
static const struct kind host = {"hosts", "?kind=tenant", "hosts", {"ID", "VTEP", "MTU>", "HERE"},
	{"id", "vtep_addresses", "underlay_mtu", "is_self"}};

static const struct kind qos_policy = {"qos-policies", "", "qos_policies",
	{"ID", "NAME", "TENANT", "RULES"}, {"id", "name", "tenant_id", "rules"}};
static const struct kind address_group = {"address-groups", "", "address_groups",
	{"ID", "NAME", "TENANT", "ADDRESSES"}, {"id", "name", "tenant_id", "addresses"}};
static const struct kind quota = {"quotas", "", "quotas",
	{"TENANT", "NETWORKS>", "SUBNETS>", "PORTS>", "ROUTERS>", "QOS>", "GROUPS>"},
	{"id", "network", "subnet", "port", "router", "qos_policy", "address_group"}};

/* Its numbers are limits, and it is made by PUT alone. */
static bool is_quota(const struct kind *kind)
{
	return kind == &quota;
}

static const struct {
	const char *noun;
	const struct kind *kind;
} nouns[] = {
	{"network", &network},
	{"subnet", &subnet},
	{"vport", &vport},
	{"ping", &vport},
	{"router", &router},
	{"host", &host},
	{"qos-policy", &qos_policy},
	{"address-group", &address_group},
	{"quota", &quota},
};

const char *tn_ctl_network_path(const char *noun, const char **list)
{
	static char path[64];

	for (size_t i = 0; i < TN_ARRAY_SIZE(nouns); i++) {
		if (strcmp(nouns[i].noun, noun) != 0)
			continue;
		snprintf(path, sizeof(path), "/v1/%s%s", nouns[i].kind->path, nouns[i].kind->query);
		*list = nouns[i].kind->plural;
		return path;
	}
	return NULL;
}

/* --- looking ---------------------------------------------------------------------------------- */

static const json_t *member(const json_t *o, const char *key)
{
	const char *dot = strchr(key, '.');
	char first[32];

	if (!dot)
		return json_object_get(o, key);
	snprintf(first, sizeof(first), "%.*s", (int)(dot - key), key);
	return json_object_get(json_object_get(o, first), dot + 1);
}

/* "egress 10000 kbps" of a policy's rule. */
static int rule_text(const json_t *v, char *text, size_t size)
{
	static const struct {
		const char *key, *unit;
	} values[] = {{"max_kbps", "kbps"}, {"max_kpps", "kpps"}, {"dscp_mark", ""}};
	const char *direction = json_string_value(json_object_get(v, "direction"));

	for (size_t i = 0; i < TN_ARRAY_SIZE(values); i++) {
		const json_t *number = json_object_get(v, values[i].key);

		if (number)
			return snprintf(text, size, "%s %lld%s%s", direction ? direction : "dscp",
				(long long)json_integer_value(number), *values[i].unit ? " " : "",
				values[i].unit);
	}
	return snprintf(text, size, "?");
}

/* Of an element of a list: what it is about. */
static int element_text(const json_t *v, char *text, size_t size)
{
	static const char *const keys[] = {"ip_address", "subnet_id"};

	for (size_t i = 0; i < TN_ARRAY_SIZE(keys); i++)
		if (json_string_value(json_object_get(v, keys[i])))
			return snprintf(
				text, size, "%s", json_string_value(json_object_get(v, keys[i])));
	if (json_is_object(v))
		return rule_text(v, text, size);
	return snprintf(text, size, "%s", json_string_value(v) ? json_string_value(v) : "");
}

static void add_cell(struct tn_ctl_table *t, const json_t *v)
{
	char text[256] = "";
	const json_t *e;
	size_t i, n = 0;

	if (json_is_string(v))
		snprintf(text, sizeof(text), "%s", json_string_value(v));
	else if (json_is_integer(v))
		snprintf(text, sizeof(text), "%lld", (long long)json_integer_value(v));
	else if (json_is_boolean(v))
		snprintf(text, sizeof(text), "%s", json_is_true(v) ? "yes" : "no");
	json_array_foreach(v, i, e)
	{
		if (i && n + 1 < sizeof(text))
			text[n++] = ',';
		if (n < sizeof(text))
			n += (size_t)element_text(e, text + n, sizeof(text) - n);
	}
	tn_ctl_table_add(t, "%s", text);
}

/* "2/10", "2" where any number may be. */
static void add_limit(struct tn_ctl_table *t, const json_t *o, const char *key)
{
	const json_t *limit = json_object_get(o, key);
	json_int_t used = json_integer_value(json_object_get(json_object_get(o, "used"), key));

	if (json_is_string(limit))
		tn_ctl_table_add(t, "%s", json_string_value(limit));
	else if (json_integer_value(limit) < 0)
		tn_ctl_table_add(t, "%lld", (long long)used);
	else
		tn_ctl_table_add(
			t, "%lld/%lld", (long long)used, (long long)json_integer_value(limit));
}

static int list(struct tn_ctl *ctl, const struct kind *kind)
{
	struct tn_ctl_table t;
	const json_t *o;
	json_t *answer;
	char *path = tn_ctl_path("/v1/%s%s", kind->path, kind->query);
	int code = tn_ctl_get(ctl, path, &answer);
	size_t i;

	free(path);
	if (code)
		return code;
	if (ctl->options.json) {
		tn_ctl_print_json(answer);
		json_decref(answer);
		return TN_CTL_OK;
	}
	tn_ctl_table_init(&t, kind->heads);
	json_array_foreach(json_object_get(answer, kind->plural), i, o)
	{
		for (size_t k = 0; kind->heads[k]; k++) {
			if (is_quota(kind))
				add_limit(&t, o, kind->keys[k]);
			else
				add_cell(&t, member(o, kind->keys[k]));
		}
	}
	tn_ctl_table_print(&t);
	json_decref(answer);
	return TN_CTL_OK;
}

static char *path_of(const struct kind *kind, const char *id)
{
	char *word = tn_ctl_escape(id), *path = tn_ctl_path("/v1/%s/%s", kind->path, word);

	free(word);
	return path;
}

static int show(struct tn_ctl *ctl, const struct kind *kind, const char *id)
{
	char *path = path_of(kind, id);
	json_t *answer;
	int code = tn_ctl_get(ctl, path, &answer);

	free(path);
	if (code)
		return code;
	tn_ctl_print_json(answer);
	json_decref(answer);
	return TN_CTL_OK;
}

/* --- changing --------------------------------------------------------------------------------- */

/* KEY=VALUE into the object: JSON where it is some, else text; a dot leads into an object. */
static bool add_member(json_t *o, const char *word)
{
	const char *equal = strchr(word, '=');
	char key[64], *dot;
	json_t *value;

	if (!equal || equal == word || (size_t)(equal - word) >= sizeof(key)) {
		tn_ctl_say("\"%s\" is not KEY=VALUE", word);
		return false;
	}
	snprintf(key, sizeof(key), "%.*s", (int)(equal - word), word);
	value = json_loads(equal + 1, JSON_DECODE_ANY, NULL);
	if (!value)
		value = json_string(equal + 1);
	if (!value) {
		tn_ctl_say("\"%s\" is no text in UTF-8", word);
		return false;
	}
	dot = strchr(key, '.');
	if (!dot) {
		json_object_set_new(o, key, value);
		return true;
	}
	*dot = '\0';
	if (!json_is_object(json_object_get(o, key)))
		json_object_set_new(o, key, json_object());
	json_object_set_new(json_object_get(o, key), dot + 1, value);
	return true;
}

static json_t *read_members(const struct tn_ctl_words *words)
{
	json_t *o = json_object();

	for (int i = 1; i < words->n; i++) {
		if (add_member(o, words->word[i]))
			continue;
		json_decref(o);
		return NULL;
	}
	return o;
}

static int send(struct tn_ctl *ctl, const char *method, char *path, json_t *body)
{
	json_t *answer = NULL;
	int code;

	path = tn_ctl_manner(ctl, path);
	code = tn_ctl_send(ctl, method, path, body, &answer);
	free(path);
	json_decref(body);
	if (!code && answer && (ctl->options.json || ctl->options.dry_run))
		tn_ctl_print_json(answer);
	json_decref(answer);
	return code;
}

static int create(struct tn_ctl *ctl, const struct kind *kind, const struct tn_ctl_words *words)
{
	json_t *body = read_members(words);

	if (!body)
		return TN_CTL_USAGE;
	json_object_set_new(body, "id", json_string(words->word[0]));
	if (is_quota(kind))
		return send(ctl, "PUT", path_of(kind, words->word[0]), body);
	return send(ctl, "POST", tn_ctl_path("/v1/%s", kind->path), body);
}

static int set(struct tn_ctl *ctl, const struct kind *kind, const struct tn_ctl_words *words)
{
	json_t *body = read_members(words);

	return body ? send(ctl, "PATCH", path_of(kind, words->word[0]), body) : TN_CTL_USAGE;
}

static int del(struct tn_ctl *ctl, const struct kind *kind, const char *id)
{
	return send(ctl, "DELETE", path_of(kind, id), NULL);
}

/* --- apply ------------------------------------------------------------------------------------ */

static const struct {
	const char *plural, *name;
} parts[] = {
	{"hosts", "host"},
	{"quotas", "quota"},
	{"qos_policies", "qos_policy"},
	{"address_groups", "address_group"},
	{"networks", "network"},
	{"subnets", "subnet"},
	{"routers", "router"},
	{"ports", "port"},
};

static bool is_part(const char *key)
{
	for (size_t i = 0; i < TN_ARRAY_SIZE(parts); i++)
		if (strcmp(parts[i].plural, key) == 0)
			return true;
	return false;
}

static bool check_parts(const struct tn_ctl_input *in, json_t *document)
{
	const char *words[TN_ARRAY_SIZE(parts) + 1] = {NULL}, *key, *near;
	json_t *part;

	for (size_t i = 0; i < TN_ARRAY_SIZE(parts); i++)
		words[i] = parts[i].plural;
	json_object_foreach(document, key, part)
	{
		if (is_part(key) && json_is_array(part))
			continue;
		near = is_part(key) ? NULL : tn_ctl_nearest(key, words);
		if (near)
			tn_ctl_say("%s: there is no key \"%s\" here; did you mean \"%s\"?",
				in->source, key, near);
		else
			tn_ctl_say("%s: \"%s\" is no array of networks, subnets, ports, routers, "
				   "hosts, qos_policies, address_groups or quotas",
				in->source, key);
		return false;
	}
	return true;
}

/* As operations, in the order in which one needs another. */
static void add_parts(
	struct tn_ctl_input *in, const json_t *document, struct tn_ctl_operations *ops)
{
	const json_t *list;
	json_t *o;
	size_t k;

	for (size_t i = 0; i < TN_ARRAY_SIZE(parts); i++) {
		list = json_object_get(document, parts[i].plural);
		json_array_foreach(list, k, o) tn_ctl_operations_add(
			ops, json_pack("{s:s,s:O}", "op", "set", parts[i].name, o));
		tn_ctl_input_list(in, parts[i].plural, json_array_size(list));
	}
}

static int apply_document(struct tn_ctl *ctl, struct tn_ctl_input *in)
{
	struct tn_ctl_operations ops = {0};
	json_error_t error;
	json_t *document = json_loadb(in->data, in->len, JSON_REJECT_DUPLICATES, &error);
	int code = TN_CTL_USAGE;

	if (!document)
		fprintf(stderr, "%s:%d:%d: %s\n", in->source, error.line, error.column, error.text);
	else if (!json_is_object(document))
		tn_ctl_say("%s: not an object with \"networks\" and others", in->source);
	else if (check_parts(in, document)) {
		add_parts(in, document, &ops);
		code = tn_ctl_apply(ctl, &ops, in, NULL, true);
	}
	json_decref(document);
	tn_ctl_operations_fini(&ops);
	return code;
}

static int apply(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	struct tn_ctl_input in;
	/* Flows of a difference are written with names. */
	int code = ctl->options.dry_run ? tn_ctl_learn_device(ctl) : TN_CTL_OK;

	if (!code)
		code = tn_ctl_input_file(words->word[0], &in);
	if (code)
		return code;
	in.n = 0; /* a document, whatever it looks like */
	in.is_json = true;
	code = apply_document(ctl, &in);
	tn_ctl_input_fini(&in);
	return code;
}

/* --- commands --------------------------------------------------------------------------------- */

#define VERBS(kind)                                                                    \
	static int kind##_list(struct tn_ctl *ctl, const struct tn_ctl_words *words)   \
	{                                                                              \
		(void)words;                                                           \
		return list(ctl, &kind);                                               \
	}                                                                              \
	static int kind##_create(struct tn_ctl *ctl, const struct tn_ctl_words *words) \
	{                                                                              \
		return create(ctl, &kind, words);                                      \
	}                                                                              \
	static int kind##_set(struct tn_ctl *ctl, const struct tn_ctl_words *words)    \
	{                                                                              \
		return set(ctl, &kind, words);                                         \
	}                                                                              \
	static int kind##_del(struct tn_ctl *ctl, const struct tn_ctl_words *words)    \
	{                                                                              \
		return del(ctl, &kind, words->word[0]);                                \
	}

#define SHOW(kind)                                                                   \
	static int kind##_show(struct tn_ctl *ctl, const struct tn_ctl_words *words) \
	{                                                                            \
		return show(ctl, &kind, words->word[0]);                             \
	}

VERBS(network)
VERBS(subnet)
VERBS(vport)
VERBS(router)
VERBS(host)
VERBS(qos_policy)
VERBS(address_group)
VERBS(quota)
SHOW(network)
SHOW(subnet)
SHOW(router)
SHOW(host)
SHOW(qos_policy)
SHOW(address_group)
SHOW(quota)

#define MANNER (TN_CTL_O(TN_CTL_DRY_RUN) | TN_CTL_O(TN_CTL_NO_WAIT))

#define MEMBERS "ID KEY=VALUE..."
#define HOW                                                                          \
	"A value is JSON where it is some, else text; a dot leads into an object:\n" \
	"binding.kind=vm. What the keys mean: control/model/README.md."

#define COMMANDS(noun, kind, what, many, show_help, show_more, show_fn, example)                   \
	{noun, "list", "", many " in a table", NULL, "tenonctl " noun " list", kind##_list, 0, 0,  \
		0, TN_CTL_WORD_NONE, true},                                                        \
		{noun, "show", "ID", show_help, show_more, "tenonctl " noun " show x", show_fn, 0, \
			1, 1, TN_CTL_WORD_OBJECT, false},                                          \
		{noun, "create", MEMBERS, "declare a " what, HOW,                                  \
			"tenonctl " noun " create " example, kind##_create, MANNER, 1, -1,         \
			TN_CTL_WORD_NONE, false},                                                  \
		{noun, "set", MEMBERS, "change members of a " what, HOW,                           \
			"tenonctl " noun " set x name=other", kind##_set, MANNER, 2, -1,           \
			TN_CTL_WORD_OBJECT, false},                                                \
	{                                                                                          \
		noun, "del", "ID", "remove a " what ", if nothing uses it", NULL,                  \
			"tenonctl " noun " del x", kind##_del, MANNER, 1, 1, TN_CTL_WORD_OBJECT,   \
			false                                                                      \
	}

#define PLAIN(noun, kind, what, many, example) \
	COMMANDS(noun, kind, what, many, "all of a " what ", as JSON", NULL, kind##_show, example)

const struct tn_ctl_command tn_ctl_network_commands[] = {
	{"topology", NULL, "[TENANT]", "tenants, their networks, ports and routers as a tree",
		"With --json the same tree, with each object as the daemon has it.",
		"tenonctl topology\ntenonctl topology red\ntenonctl --json topology",
		tn_ctl_topology, 0, 0, 1, TN_CTL_WORD_NONE, false},
	{"ping", NULL, "PORT ADDRESS", "the switch asks in the place of a tenant's port",
		"Sends ARP or neighbour solicitations, then echo requests, as if the port had sent them;\n"
		"shows the path of the request and how long answers took. The port must be attached to\n"
		"this host; its own machine need not be there. Each request is awaited for --interval\n"
		"seconds. Exit status 0: some were answered; 1: none.",
		"tenonctl ping vm1 10.0.0.1\ntenonctl ping vm1 fd00::12 --count 10", tn_ctl_ping,
		TN_CTL_O(TN_CTL_COUNT) | TN_CTL_O(TN_CTL_INTERVAL), 2, 2, TN_CTL_WORD_OBJECT,
		false},
	PLAIN("network", network, "network", "networks", "web tenant_id=red vni=700"),
	PLAIN("subnet", subnet, "subnet", "subnets", "web4 network_id=web cidr=10.0.0.0/24"),
	COMMANDS("vport", vport, "port of a network", "ports of networks",
		"all of a port of a network, and how to attach",
		"For a virtual machine a command line of QEMU and XML for libvirt, for a container the\n"
		"commands that make its interface, for bare metal what it and a switch between need, for\n"
		"an endpoint elsewhere its VXLAN device.",
		tn_ctl_vport_show, "vm1 network_id=web binding.kind=vm binding.host=h1"),
	PLAIN("router", router, "router", "routers", "r1 'interfaces=[{\"subnet_id\":\"web4\"}]'"),
	PLAIN("host", host, "host of networks", "hosts of networks",
		"h1 'vtep_addresses=[\"192.0.2.1\"]'"),
	PLAIN("qos-policy", qos_policy, "policy of rates and DSCP", "policies of rates and DSCP",
		"slow tenant_id=red \\\n"
		"  'rules=[{\"type\":\"bandwidth_limit\",\"direction\":\"egress\",\"max_kbps\":8000}]'"),
	PLAIN("address-group", address_group, "group of addresses", "groups of addresses",
		"office tenant_id=red 'addresses=[\"10.0.0.0/24\"]'"),
	PLAIN("quota", quota, "tenant's quota", "quotas of tenants", "red network=10 port=100"),
	{"apply", NULL, "FILE | -", "declare all that a document holds, or nothing of it",
		"Arrays named networks, subnets, ports, routers, hosts, qos_policies, address_groups\n"
		"and quotas; what is there already becomes what the document says.",
		"tenonctl apply town.json\ntenonctl apply town.json --confirm-within 60", apply,
		TN_CTL_O_CHANGE, 1, 1, TN_CTL_WORD_FILE, false},
	{0},
};
