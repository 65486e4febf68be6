/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/tenant/lab.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "control/tenant/layout.h"
#include "dataplane/core/reply.h"

#define HOPS_MAX    8u
#define UPLINK	    1u
#define HEADROOM    PACKET_ROOM
#define FRAME_BYTES (PACKET_ROOM + PACKET_MAX)

/* --- declaring ------------------------------------------------------------------------------- */

tn_u128 lab_ip(const char *text)
{
	struct in6_addr ip6;
	struct in_addr ip4;
	struct tn_ip6 raw;

	if (inet_pton(AF_INET, text, &ip4) == 1)
		return tn_u128_from_ip4(ntohl(ip4.s_addr));
	assert_int_equal(inet_pton(AF_INET6, text, &ip6), 1);
	memcpy(&raw, &ip6, sizeof(raw));
	return tn_u128_from_ip6(&raw);
}

struct tn_prefix lab_prefix(const char *text)
{
	const char *slash = strchr(text, '/');
	char address[64];
	struct tn_prefix p;

	snprintf(address, sizeof(address), "%.*s", (int)(slash - text), text);
	p.address = lab_ip(address);
	p.is_ip4 = !strchr(address, ':');
	p.len = (uint8_t)atoi(slash + 1);
	return p;
}

struct tn_mac lab_mac(uint64_t mac)
{
	struct tn_mac m;

	for (unsigned i = 0; i < 6; i++)
		m.b[i] = (uint8_t)(mac >> (40 - 8 * i));
	return m;
}

static void pend(struct lab *lab, enum tn_tenant_kind kind, const char *id, const void *object)
{
	assert_true(lab->n_pending < TN_ARRAY_SIZE(lab->pending));
	lab->pending[lab->n_pending++] =
		(struct tn_tenant_change){kind, tn_arena_strdup(&lab->arena, id), object};
}

static struct tn_tenant_common common(struct lab *lab, const char *id)
{
	return (struct tn_tenant_common){
		.id = tn_arena_strdup(&lab->arena, id),
		.name = "",
		.tenant_id = "",
		.description = "",
	};
}

struct tn_network *lab_network(struct lab *lab, const char *id, uint32_t vni)
{
	struct tn_network *n = tn_arena_alloc(&lab->arena, sizeof(*n));

	*n = (struct tn_network){
		.c = common(lab, id),
		.vni = vni,
		.admin_state_up = true,
		.port_security_enabled = true,
		.multicast_snooping = true,
		.qos_policy_id = "",
	};
	pend(lab, TN_TENANT_NETWORK, id, n);
	return n;
}

struct tn_subnet *lab_subnet(
	struct lab *lab, const char *id, const char *network, const char *cidr, const char *gateway)
{
	struct tn_subnet *s = tn_arena_alloc(&lab->arena, sizeof(*s));

	*s = (struct tn_subnet){
		.c = common(lab, id),
		.network_id = tn_arena_strdup(&lab->arena, network),
		.cidr = lab_prefix(cidr),
		.has_gateway = gateway != NULL,
		.gateway_ip = gateway ? lab_ip(gateway) : 0,
		.enable_dhcp = true,
	};
	s->ipv6_mode = s->cidr.is_ip4 ? TN_IPV6_NONE : TN_IPV6_STATEFUL;
	pend(lab, TN_TENANT_SUBNET, id, s);
	return s;
}

/* Words of a string, one after the other. */
static bool next_word(const char **at, char word[64])
{
	int n = 0;

	while (**at == ' ')
		++*at;
	if (!**at)
		return false;
	sscanf(*at, "%63s%n", word, &n);
	*at += n;
	return true;
}

static void read_ips(struct lab *lab, const char *ips, struct tn_tenant_port *p)
{
	struct tn_fixed_ip *list = tn_arena_alloc(&lab->arena, 16 * sizeof(*list));
	char word[64];

	while (next_word(&ips, word)) {
		list[p->n_fixed_ips++] =
			(struct tn_fixed_ip){.subnet_id = "", .ip_address = lab_ip(word)};
	}
	p->fixed_ips = list;
}

struct tn_tenant_port *lab_port(struct lab *lab, const char *id, const char *network, uint64_t mac,
	const char *ips, const char *host)
{
	struct tn_tenant_port *p = tn_arena_alloc(&lab->arena, sizeof(*p));

	*p = (struct tn_tenant_port){
		.c = common(lab, id),
		.network_id = tn_arena_strdup(&lab->arena, network),
		.mac_address = lab_mac(mac),
		.admin_state_up = true,
		.port_security_enabled = true,
		.qos_policy_id = "",
		.binding = {.kind = *host ? TN_BINDING_VM : TN_BINDING_NONE,
			.host = tn_arena_strdup(&lab->arena, host),
			.vhost_socket = "",
			.device = "",
			.datapath = ""},
	};
	read_ips(lab, ips, p);
	pend(lab, TN_TENANT_PORT, id, p);
	return p;
}

struct tn_tenant_port *lab_metal(struct lab *lab, const char *id, const char *network, uint64_t mac,
	const char *ips, const char *host, const char *device, uint16_t vlan)
{
	struct tn_tenant_port *p = lab_port(lab, id, network, mac, ips, host);

	p->binding.kind = TN_BINDING_BAREMETAL;
	p->binding.device = tn_arena_strdup(&lab->arena, device);
	p->binding.has_vlan = vlan != 0;
	p->binding.vlan = vlan;
	return p;
}

struct tn_tenant_port *lab_remote(struct lab *lab, const char *id, const char *network,
	uint64_t mac, const char *ips, const char *vtep)
{
	struct tn_tenant_port *p = lab_port(lab, id, network, mac, ips, "");

	p->binding.kind = TN_BINDING_REMOTE;
	p->binding.vtep = lab_ip(vtep);
	return p;
}

struct tn_router *lab_router(struct lab *lab, const char *id, const char *subnets)
{
	struct tn_router *r = tn_arena_alloc(&lab->arena, sizeof(*r));
	struct tn_router_interface *list = tn_arena_alloc(&lab->arena, 64 * sizeof(*list));
	char word[64];

	*r = (struct tn_router){.c = common(lab, id), .admin_state_up = true, .interfaces = list};
	while (next_word(&subnets, word))
		list[r->n_interfaces++].subnet_id = tn_arena_strdup(&lab->arena, word);
	pend(lab, TN_TENANT_ROUTER, id, r);
	return r;
}

void lab_route(struct lab *lab, struct tn_router *router, const char *prefix, const char *next_hop)
{
	struct tn_router_route *list =
		tn_arena_alloc(&lab->arena, (router->n_routes + 1) * sizeof(*list));

	if (router->n_routes)
		memcpy(list, router->routes, router->n_routes * sizeof(*list));
	list[router->n_routes++] = (struct tn_router_route){lab_prefix(prefix), lab_ip(next_hop)};
	router->routes = list;
}

struct tn_qos_policy *lab_qos(struct lab *lab, const char *id)
{
	struct tn_qos_policy *q = tn_arena_alloc(&lab->arena, sizeof(*q));

	*q = (struct tn_qos_policy){.c = common(lab, id), .dscp_mark = -1};
	pend(lab, TN_TENANT_QOS_POLICY, id, q);
	return q;
}

static struct tn_tenant_change *declared(
	const struct lab *lab, enum tn_tenant_kind kind, const char *id)
{
	for (size_t i = 0; i < lab->n_objects; i++) {
		if (lab->objects[i].kind == kind && strcmp(lab->objects[i].id, id) == 0)
			return &lab->objects[i];
	}
	return NULL;
}

void *lab_change(struct lab *lab, enum tn_tenant_kind kind, const char *id)
{
	static const size_t sizes[] = {
		[TN_TENANT_NETWORK] = sizeof(struct tn_network),
		[TN_TENANT_SUBNET] = sizeof(struct tn_subnet),
		[TN_TENANT_PORT] = sizeof(struct tn_tenant_port),
		[TN_TENANT_ROUTER] = sizeof(struct tn_router),
		[TN_TENANT_HOST] = sizeof(struct tn_tenant_host),
		[TN_TENANT_QOS_POLICY] = sizeof(struct tn_qos_policy),
	};
	const struct tn_tenant_change *was = declared(lab, kind, id);
	void *copy;

	assert_non_null(was);
	copy = tn_arena_dup(&lab->arena, was->object, sizes[kind]);
	pend(lab, kind, id, copy);
	return copy;
}

void lab_remove(struct lab *lab, enum tn_tenant_kind kind, const char *id)
{
	pend(lab, kind, id, NULL);
}

static void remember(struct lab *lab, const struct tn_tenant_change *change)
{
	struct tn_tenant_change *was = declared(lab, change->kind, change->id);

	if (was && change->object) {
		*was = *change;
	} else if (was) {
		*was = lab->objects[--lab->n_objects];
	} else if (change->object) {
		if (lab->n_objects == lab->objects_size) {
			lab->objects_size = lab->objects_size * 2 + 64;
			lab->objects =
				realloc(lab->objects, lab->objects_size * sizeof(*lab->objects));
			assert_non_null(lab->objects);
		}
		lab->objects[lab->n_objects++] = *change;
	}
}

/* --- hosts ----------------------------------------------------------------------------------- */

struct lab *lab_new(void)
{
	struct lab *lab = calloc(1, sizeof(*lab));

	assert_non_null(lab);
	tn_arena_init(&lab->arena);
	return lab;
}

static void add_number(void *numbers, enum tn_number_space space, const char *name, uint32_t number)
{
	assert_int_equal(tn_numbers_restore(numbers, space, name, number), 0);
}

void lab_free(struct lab *lab)
{
	for (size_t i = 0; i < lab->n_hosts; i++) {
		struct lab_host *h = &lab->hosts[i];

		tn_compiler_free(h->compiler);
		tn_numbers_free(h->numbers);
		tn_switch_free(h->sw);
		tn_tunnels_free(h->tunnel_table);
		tn_underlay_free(h->underlay);
		for (size_t j = 0; j < h->n_tunnels; j++) {
			free((void *)(uintptr_t)h->tunnels[j].options.peers);
			free((void *)(uintptr_t)h->tunnels[j].options.vnis);
		}
	}
	tn_arena_fini(&lab->arena);
	free(lab->objects);
	free(lab);
}

struct lab_host *lab_find_host(struct lab *lab, const char *name)
{
	for (size_t i = 0; i < lab->n_hosts; i++) {
		if (strcmp(lab->hosts[i].name, name) == 0)
			return &lab->hosts[i];
	}
	return NULL;
}

static void declare_host(struct lab *lab, const struct lab_host *h)
{
	struct tn_tenant_host *host = tn_arena_alloc(&lab->arena, sizeof(*host));
	tn_u128 *vteps = tn_arena_alloc(&lab->arena, 2 * sizeof(*vteps));

	*host = (struct tn_tenant_host){.c = common(lab, h->name), .vtep_addresses = vteps};
	if (h->vtep4)
		vteps[host->n_vtep_addresses++] = h->vtep4;
	if (h->vtep6)
		vteps[host->n_vtep_addresses++] = h->vtep6;
	pend(lab, TN_TENANT_HOST, h->name, host);
}

/* Everybody is on link; who is where is the lab's to find. */
static struct tn_underlay *underlay_of(const struct lab_host *h)
{
	const struct tn_underlay_address addresses[] = {
		{.address = h->vtep4,
			.prefix_len = 0,
			.mac = lab_mac(0x02aaaaaaaa01),
			.port = UPLINK},
		{.address = h->vtep6,
			.prefix_len = 0,
			.mac = lab_mac(0x02aaaaaaaa01),
			.port = UPLINK},
	};
	struct tn_underlay_neighbour neighbours[64];
	struct tn_underlay_config config = {
		.addresses = h->vtep4 ? addresses : addresses + 1,
		.n_addresses = (size_t)(h->vtep4 != 0) + (size_t)(h->vtep6 != 0),
		.neighbours = neighbours,
		.n_neighbours = 64,
	};
	struct tn_underlay *u;

	for (unsigned i = 0; i < 32; i++) {
		char text[32];

		snprintf(text, sizeof(text), "198.51.100.%u", i + 1);
		neighbours[2 * i] = (struct tn_underlay_neighbour){
			lab_ip(text), lab_mac(0x02bbbbbbbb01), UPLINK};
		snprintf(text, sizeof(text), "2001:db8:100::%x", i + 1);
		neighbours[2 * i + 1] = (struct tn_underlay_neighbour){
			lab_ip(text), lab_mac(0x02bbbbbbbb01), UPLINK};
	}
	u = tn_underlay_new(&config);
	assert_non_null(u);
	return u;
}

struct lab_host *lab_host(struct lab *lab, const char *name, const char *vtep4, const char *vtep6)
{
	struct lab_host *h = &lab->hosts[lab->n_hosts++];

	assert_true(lab->n_hosts <= LAB_HOSTS_MAX);
	snprintf(h->name, sizeof(h->name), "%s", name);
	h->lab = lab;
	h->vtep4 = vtep4 ? lab_ip(vtep4) : 0;
	h->vtep6 = vtep6 ? lab_ip(vtep6) : 0;
	h->numbers = tn_numbers_new();
	h->compiler = tn_compiler_new(name, 7, h->numbers);
	h->sw = tn_switch_new(LAB_DPID);
	assert_non_null(h->sw);
	h->underlay = underlay_of(h);
	for (size_t i = 0; i < lab->n_objects; i++) /* a late one learns all there is */
		pend(lab, lab->objects[i].kind, lab->objects[i].id, lab->objects[i].object);
	declare_host(lab, h);
	return h;
}

static void add_port(struct lab_host *h, const struct tn_api_port *port);

void lab_device(struct lab *lab, const char *host, const char *name, uint32_t number)
{
	const struct tn_api_port port = {.number = number, .name = name, .enabled = true};
	struct lab_host *h = lab_find_host(lab, host);

	tn_compiler_set_device(h->compiler, name, number);
	add_port(h, &port);
	h->devices[h->n_devices].name = name;
	h->devices[h->n_devices++].number = number;
}

static void set_tunnel(struct lab_host *h, const struct tn_api_port *port)
{
	const struct tn_vxlan_options *v = &port->vxlan;
	struct tn_tunnel_config *t = NULL;
	tn_u128 *peers = malloc((v->n_peers + 1) * sizeof(*peers));
	uint32_t *vnis = malloc((v->n_vnis + 1) * sizeof(*vnis));

	for (size_t i = 0; i < h->n_tunnels; i++) {
		if (h->tunnels[i].number == port->number)
			t = &h->tunnels[i];
	}
	if (t) {
		free((void *)(uintptr_t)t->options.peers);
		free((void *)(uintptr_t)t->options.vnis);
	} else {
		t = &h->tunnels[h->n_tunnels++];
	}
	assert_true(peers && vnis && h->n_tunnels <= 2);
	memcpy(peers, v->peers, v->n_peers * sizeof(*peers));
	memcpy(vnis, v->vnis, v->n_vnis * sizeof(*vnis));
	t->number = port->number;
	t->options = *v;
	t->options.peers = peers;
	t->options.vnis = vnis;
}

static void remake_tunnels(struct lab_host *h)
{
	uint32_t a, b;

	tn_tunnels_free(h->tunnel_table);
	assert_int_equal(tn_tunnels_new(&h->tunnel_table, h->tunnels, h->n_tunnels, &a, &b), 0);
}

static void remove_tunnel(struct lab_host *h, uint32_t number)
{
	for (size_t i = 0; i < h->n_tunnels; i++) {
		if (h->tunnels[i].number != number)
			continue;
		free((void *)(uintptr_t)h->tunnels[i].options.peers);
		free((void *)(uintptr_t)h->tunnels[i].options.vnis);
		h->tunnels[i] = h->tunnels[--h->n_tunnels];
	}
}

static void add_port(struct lab_host *h, const struct tn_api_port *port)
{
	struct tn_port_config_data data = {
		.number = port->number,
		.type = port->has_vxlan ? TN_PORT_VXLAN : TN_PORT_PLAIN,
		.config = port->config | (port->enabled ? 0 : TN_PORT_CONFIG_DOWN),
		.state = TN_PORT_STATE_LIVE,
	};
	struct tn_error err = {0};

	if (tn_switch_port_add(h->sw, &data, h->lab->now_ns, &err) &&
		tn_switch_port_modify(h->sw, &data, h->lab->now_ns, &err))
		fail_msg("%s: %s", port->name, err.detail);
	if (port->has_vxlan)
		set_tunnel(h, port);
}

static void load(struct lab_host *h, const struct tn_compiled *compiled)
{
	struct tn_error err = {0};
	size_t failed = 0;

	h->n_mods = compiled->n_mods;
	for (size_t i = 0; i < compiled->n_ports; i++)
		add_port(h, &compiled->ports[i]);
	if (compiled->n_mods &&
		tn_switch_commit(
			h->sw, compiled->mods, compiled->n_mods, h->lab->now_ns, &failed, &err))
		fail_msg("%s: mod %zu of %zu: %s", h->name, failed, compiled->n_mods, err.detail);
	for (size_t i = 0; i < compiled->n_gone_ports; i++) {
		if (tn_switch_port_remove(h->sw, compiled->gone_ports[i], h->lab->now_ns, &err))
			fail_msg("%s: port %u: %s", h->name, compiled->gone_ports[i], err.detail);
		remove_tunnel(h, compiled->gone_ports[i]);
	}
	remake_tunnels(h);
	tn_switch_reclaim(h->sw);
}

/* The lines that one text has and the other has not. */
static void print_missing(const char *what, const char *in, const char *from)
{
	char line[4096];

	for (size_t n; *from; from += n) {
		n = strcspn(from, "\n");
		n += from[n] == '\n';
		snprintf(line, sizeof(line), "%.*s", (int)n, from);
		if (!strstr(in, line))
			print_message("%s: %s", what, line);
	}
}

static void expect_text(const char *what, const char *want, const char *is)
{
	if (strcmp(want, is) == 0)
		return;
	print_missing("missing", is, want);
	print_missing("too much", want, is);
	fail_msg("%s", what);
}

/* The lines of ports come last. */
static char *without_ports(char *text)
{
	char *ports = strncmp(text, "port=", 5) == 0 ? text : strstr(text, "\nport=");

	if (ports)
		ports[ports != text] = '\0';
	return text;
}

/* Told everything at once, in another order, with the same numbers. */
static void check_full(struct lab *lab, struct lab_host *h)
{
	struct tn_numbers *numbers = tn_numbers_new();
	struct tn_compiler *full = tn_compiler_new(h->name, 7, numbers);
	struct tn_tenant_change *changes = malloc((lab->n_objects + 1) * sizeof(*changes));
	struct tn_compiled compiled;
	char *a, *b;

	assert_non_null(changes);
	tn_numbers_all(h->numbers, add_number, numbers);
	for (size_t i = 0; i < h->n_devices; i++)
		tn_compiler_set_device(full, h->devices[i].name, h->devices[i].number);
	for (size_t i = 0; i < lab->n_objects; i++)
		changes[i] = lab->objects[lab->n_objects - 1 - i];
	tn_compiler_change(full, changes, lab->n_objects, &compiled);
	tn_compiler_accept(full);
	a = lab_text(h);
	b = lab_compiler_text(full);
	expect_text("told one by one, and all at once", b, a);
	free(a);
	a = lab_switch_text(h);
	expect_text("the switch that took the differences", without_ports(b), a);
	free(a);
	free(b);
	free(changes);
	tn_compiler_free(full);
	tn_numbers_free(numbers);
}

void lab_apply(struct lab *lab)
{
	struct tn_compiled compiled;

	for (size_t i = 0; i < lab->n_pending; i++)
		remember(lab, &lab->pending[i]);
	for (size_t i = 0; i < lab->n_hosts; i++) {
		struct lab_host *h = &lab->hosts[i];

		tn_compiler_change(h->compiler, lab->pending, lab->n_pending, &compiled);
		load(h, &compiled);
		tn_compiler_accept(h->compiler);
		if (lab->check_full)
			check_full(lab, h);
	}
	lab->n_pending = 0;
}

/* --- frames ---------------------------------------------------------------------------------- */

static void run(struct lab_host *h, struct tn_view *view, const struct tn_ingress *in);

static void set_frame(struct frame *f, const struct tn_view *view)
{
	assert_true(view->len <= PACKET_MAX);
	memset(&f->view, 0, sizeof(f->view));
	f->view.data = f->buf + HEADROOM;
	f->view.len = view->len;
	f->view.wire_len = view->wire_len;
	f->view.headroom = HEADROOM;
	f->view.tailroom = PACKET_MAX - view->len;
	memcpy(f->view.data, view->data, view->len);
}

/* A frame that was passed by value has its bytes elsewhere. */
static void copy_frame(struct frame *to, const struct frame *from)
{
	struct tn_view view = from->view;

	view.data = (uint8_t *)(uintptr_t)from->buf + PACKET_ROOM;
	set_frame(to, &view);
}

static void on_drop(
	void *ctx, const struct tn_view *view, enum tn_drop reason, const struct tn_op *op);

static void arrive(struct lab *lab, const struct tn_view *outer, tn_u128 from, tn_u128 to)
{
	struct tn_vxlan_outer decoded;
	struct tn_ingress in = {0};
	struct frame copy;
	struct tn_headers h;
	struct lab_host *host = NULL;
	enum tn_drop drop;

	set_frame(&copy, outer);
	for (size_t i = 0; i < lab->n_hosts; i++) {
		if (lab->hosts[i].vtep4 == to || lab->hosts[i].vtep6 == to)
			host = &lab->hosts[i];
	}
	assert_int_equal(tn_parse(&copy.view, &h), TN_DROP_NONE);
	if (!host) {
		struct lab_frame *out = &lab->frames[lab->n_frames++];

		assert_int_equal(tn_vxlan_decode(&copy.view, &h, &decoded), TN_DROP_NONE);
		assert_int_equal(tn_vxlan_strip(&copy.view, &decoded), TN_DROP_NONE);
		*out = (struct lab_frame){.endpoint = to, .vni = decoded.vni};
		set_frame(&out->f, &copy.view);
		return;
	}
	(void)from;
	assert_true(lab->depth < HOPS_MAX); /* no loops */
	lab->depth++;
	drop = host->tunnel_table ? tn_tunnels_receive(host->tunnel_table, host->underlay, 0,
					    &copy.view, &h, &in, &decoded)
				  : TN_DROP_VXLAN_UNKNOWN_PEER;
	if (drop) {
		on_drop(host, &copy.view, drop, NULL);
	} else {
		in.in_phy_port = UPLINK;
		run(host, &copy.view, &in);
	}
	lab->depth--;
}

static void on_tunnel_output(struct lab_host *h, const struct tn_view *view, const struct tn_op *op)
{
	struct tn_vxlan_encap encap;
	struct tn_headers headers;
	struct frame copy;
	uint32_t uplink;
	enum tn_drop drop;

	set_frame(&copy, view);
	assert_int_equal(tn_parse(&copy.view, &headers), TN_DROP_NONE);
	drop = tn_tunnels_encap(h->tunnel_table, h->underlay, op, 1, &encap, &uplink);
	if (!drop)
		drop = tn_vxlan_push(&copy.view, &encap, &headers, 1);
	if (drop)
		on_drop(h, view, drop, op);
	else
		arrive(h->lab, &copy.view, encap.src, encap.dst);
}

static void on_output(void *ctx, struct tn_view *view, const struct tn_headers *headers,
	const struct tn_op *op, bool last)
{
	struct lab_host *h = ctx;
	struct lab_frame *out;

	(void)headers;
	(void)last;
	for (size_t i = 0; i < h->n_tunnels; i++) {
		if (h->tunnels[i].number == op->output.port) {
			on_tunnel_output(h, view, op);
			return;
		}
	}
	assert_true(h->lab->n_frames < LAB_FRAMES_MAX);
	out = &h->lab->frames[h->lab->n_frames++];
	*out = (struct lab_frame){.host = h, .port = op->output.port};
	set_frame(&out->f, view);
}

static void on_controller(void *ctx, const struct tn_view *view, const struct tn_op *op,
	uint8_t reason, uint16_t max_len)
{
	(void)ctx;
	(void)view;
	(void)op;
	(void)reason;
	(void)max_len;
	fail_msg("nothing is sent to a controller");
}

static void explain(void *ctx, const struct tn_flow_info *flow)
{
	struct lab_drop *drop = ctx;
	struct tn_explanation e;

	if (tn_compiler_explain(drop->host->compiler, flow->cookie, NULL, &e))
		drop->what = e.what;
	else
		fail_msg("nobody knows the cookie 0x%llx", (unsigned long long)flow->cookie);
}

static void on_drop(
	void *ctx, const struct tn_view *view, enum tn_drop reason, const struct tn_op *op)
{
	struct lab_host *h = ctx;
	struct lab_drop *drop = &h->lab->drops[h->lab->n_drops++];

	(void)view;
	assert_true(h->lab->n_drops <= LAB_FRAMES_MAX);
	*drop = (struct lab_drop){.host = h, .reason = reason, .what = ""};
	if (op && op->flow_id)
		(void)tn_switch_flow_by_id(h->sw, op->flow_id, explain, drop);
}

static bool on_clone(void *ctx, const struct tn_view *view, struct tn_view *copy)
{
	struct frame *f = malloc(sizeof(*f));

	(void)ctx;
	assert_non_null(f);
	set_frame(f, view);
	*copy = f->view;
	return true;
}

static void on_release(void *ctx, struct tn_view *copy)
{
	(void)ctx;
	/* The buffer begins `headroom` before the frame, wherever that is by now. */
	free(copy->data - copy->headroom);
}

static void on_learn(void *ctx, const struct tn_op *op)
{
	const struct lab_host *h = ctx;

	tn_switch_learn(h->sw, &op->learn, h->lab->now_ns);
}

static void on_snoop(void *ctx, const struct tn_snooped *snooped)
{
	const struct lab_host *h = ctx;

	tn_switch_snoop(h->sw, snooped, h->lab->now_ns);
}

/* By the tables; or, where there is one, by an advertisement's actions. */
static void run_actions(struct lab_host *h, struct tn_view *view, const struct tn_ingress *in,
	const struct tn_advert *advert)
{
	const struct tn_exec_env env = {
		.ctx = h,
		.output = on_output,
		.controller = on_controller,
		.drop = on_drop,
		.clone = on_clone,
		.release = on_release,
		.learn = on_learn,
		.snoop = on_snoop,
	};
	/* One of its own: a tunnel may bring the packet to another host before this one ends. */
	struct tn_processor *processor = calloc(1, sizeof(*processor));
	const struct tn_snapshot *snapshot = tn_switch_snapshot(h->sw);

	assert_non_null(processor);
	if (advert)
		tn_process_actions(processor, snapshot, view, in, advert->list, advert->n,
			h->lab->now_ns, &env, NULL);
	else
		tn_process(processor, snapshot, view, in, h->lab->now_ns, &env, NULL);
	free(processor);
}

static void run(struct lab_host *h, struct tn_view *view, const struct tn_ingress *in)
{
	run_actions(h, view, in, NULL);
}

static void forget_results(struct lab *lab)
{
	lab->n_frames = lab->n_drops = 0;
	lab->now_ns += 1000000;
}

void lab_send_at(struct lab *lab, struct lab_host *host, uint32_t port, const struct frame *f)
{
	const struct tn_ingress in = {.in_port = port};
	struct frame copy;

	forget_results(lab);
	copy_frame(&copy, f);
	run(host, &copy.view, &in);
}

/* Where a tenant's port is. */
static struct lab_host *host_of(const struct lab *lab, const char *port, uint32_t *number)
{
	for (size_t i = 0; i < lab->n_hosts; i++) {
		*number = tn_compiler_switch_port(lab->hosts[i].compiler, port);
		if (*number)
			return (struct lab_host *)(uintptr_t)&lab->hosts[i];
	}
	return NULL;
}

void lab_send(struct lab *lab, const char *port, const struct frame *f)
{
	uint32_t number;
	struct lab_host *host = host_of(lab, port, &number);

	assert_non_null(host);
	lab_send_at(lab, host, number, f);
}

void lab_send_from(struct lab *lab, const char *endpoint, const char *host, uint32_t vni,
	const struct frame *f)
{
	struct lab_host *to = lab_find_host(lab, host);
	tn_u128 from = lab_ip(endpoint);
	struct tn_vxlan_encap encap = {
		.src = from,
		.dst = strchr(endpoint, ':') ? to->vtep6 : to->vtep4,
		.vni = vni,
		.udp_dst = TN_VXLAN_PORT,
		.ttl = 64,
	};
	struct tn_headers headers;
	struct frame copy;

	forget_results(lab);
	copy_frame(&copy, f);
	assert_int_equal(tn_parse(&copy.view, &headers), TN_DROP_NONE);
	assert_int_equal(tn_vxlan_push(&copy.view, &encap, &headers, 1), TN_DROP_NONE);
	arrive(lab, &copy.view, from, encap.dst);
}

bool lab_advertise(struct lab *lab, const char *host)
{
	const struct tn_ingress in = {.in_port = TN_PORT_CONTROLLER};
	struct lab_host *h = lab_find_host(lab, host);
	uint64_t due = tn_switch_next_advert(h->sw);
	struct tn_advert advert;
	struct tn_view asks = {0};
	struct frame f;

	forget_results(lab);
	if (due == UINT64_MAX || !tn_switch_take_advert(h->sw, due, &advert))
		return false;
	if (due > lab->now_ns)
		lab->now_ns = due;
	asks.data = (uint8_t *)(uintptr_t)tn_reply_solicitation;
	asks.len = asks.wire_len = TN_SOLICITATION_LEN;
	set_frame(&f, &asks);
	run_actions(h, &f.view, &in, &advert);
	return true;
}

static bool is_at(const struct lab *lab, const struct lab_frame *frame, const char *port)
{
	uint32_t number;
	struct lab_host *host;

	if (!frame->host)
		return (strchr(port, ':') || strchr(port, '.')) && frame->endpoint == lab_ip(port);
	host = host_of(lab, port, &number);
	return host == frame->host && number == frame->port;
}

const struct lab_frame *lab_got(const struct lab *lab, const char *port, unsigned n)
{
	for (size_t i = 0; i < lab->n_frames; i++) {
		if (is_at(lab, &lab->frames[i], port) && !n--)
			return &lab->frames[i];
	}
	return NULL;
}

const char *lab_why(const struct lab *lab)
{
	return lab->n_drops ? lab->drops[lab->n_drops - 1].what : "nothing was dropped";
}

static void print_results(const struct lab *lab)
{
	for (size_t i = 0; i < lab->n_frames; i++)
		print_message("  sent by port %u of %s\n", lab->frames[i].port,
			lab->frames[i].host ? lab->frames[i].host->name : "an endpoint");
	for (size_t i = 0; i < lab->n_drops; i++)
		print_message("  dropped at %s: %s, %s\n", lab->drops[i].host->name,
			tn_drop_name(lab->drops[i].reason), lab->drops[i].what);
}

void lab_expect_at(const struct lab *lab, const char *ports, const char *file, int line)
{
	const char *at = ports;
	size_t want = 0;
	bool ok = true;
	char word[64];

	while (next_word(&at, word)) {
		want++;
		ok &= lab_got(lab, word, 0) && !lab_got(lab, word, 1);
	}
	if (ok && want == lab->n_frames)
		return;
	print_results(lab);
	print_error("%s:%d: wanted at \"%s\"\n", file, line, ports);
	fail();
}
