/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * DHCPv4: RFC 2132, 3442 (classless routes), 5859 (TFTP servers); DHCPv6: RFC 8415, 3646, 5970;
 * router advertisements: RFC 4861, 4191 (routes), 8106 (DNS servers).
 *
 * All lifetimes are for ever but the router's own, which cannot be: for the default route a route
 * option stands beside it. What is no more the data plane takes back (dataplane/core/ra.h).
 */
#include "control/tenant/tell.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define FOR_EVER UINT32_MAX

static void put(struct tn_told *t, const void *data, uint32_t n)
{
	if (n > sizeof(t->data) - t->n)
		return;
	memcpy(t->data + t->n, data, n);
	t->n += n;
}

static void put_number(struct tn_told *t, uint64_t v, uint32_t bytes)
{
	uint8_t b[8];

	for (uint32_t i = 0; i < bytes; i++)
		b[i] = (uint8_t)(v >> 8 * (bytes - 1 - i));
	put(t, b, bytes);
}

static void put_address(struct tn_told *t, tn_u128 address)
{
	if (tn_address_is_ip4(address)) {
		put_number(t, (uint32_t)address, 4);
	} else {
		put_number(t, (uint64_t)(address >> 64), 8);
		put_number(t, (uint64_t)address, 8);
	}
}

/* --- options ---------------------------------------------------------------------------------- */

/* One after the other, of which the last of a code counts. */
struct options {
	struct tn_told *told;
	bool ip4;
};

static uint32_t head_len(const struct options *o)
{
	return o->ip4 ? 2 : 4;
}

static uint32_t option_len(const struct options *o, uint32_t at)
{
	const uint8_t *p = o->told->data + at;

	return o->ip4 ? 2u + p[1] : 4u + ((uint32_t)p[2] << 8 | p[3]);
}

static uint32_t option_code(const struct options *o, uint32_t at)
{
	const uint8_t *p = o->told->data + at;

	return o->ip4 ? p[0] : (uint32_t)p[0] << 8 | p[1];
}

static void remove_option(const struct options *o, uint32_t code)
{
	struct tn_told *t = o->told;

	for (uint32_t at = 0, len; at < t->n; at += len) {
		len = option_len(o, at);
		if (option_code(o, at) != code)
			continue;
		memmove(t->data + at, t->data + at + len, t->n - at - len);
		t->n -= len;
		return;
	}
}

/* One that does not fit is left out whole. */
static void add_option(const struct options *o, uint32_t code, const struct tn_told *value)
{
	uint32_t most = o->ip4 ? UINT8_MAX : UINT16_MAX;

	remove_option(o, code);
	if (!value->n || value->n > most ||
		head_len(o) + value->n > sizeof(o->told->data) - o->told->n)
		return;
	put_number(o->told, code, head_len(o) / 2);
	put_number(o->told, value->n, head_len(o) / 2);
	put(o->told, value->data, value->n);
}

static void add_number(const struct options *o, uint32_t code, uint64_t v, uint32_t bytes)
{
	struct tn_told value = {.n = 0};

	put_number(&value, v, bytes);
	add_option(o, code, &value);
}

static void add_addresses(
	const struct options *o, uint32_t code, const tn_u128 *addresses, uint32_t n)
{
	struct tn_told value = {.n = 0};

	for (uint32_t i = 0; i < n; i++) {
		if (tn_address_is_ip4(addresses[i]) == o->ip4)
			put_address(&value, addresses[i]);
	}
	add_option(o, code, &value);
}

/* --- what a port adds ------------------------------------------------------------------------- */

enum option_form { TEXT, ADDRESSES, U8, U16, U32, BYTES };

struct known_option {
	const char *name;
	uint16_t code;
	uint8_t ip_version;
	uint8_t form;
};

/* As dnsmasq, and so Neutron, calls them. */
static const struct known_option known_options[] = {
	{"router", 3, 4, ADDRESSES},
	{"dns-server", 6, 4, ADDRESSES},
	{"hostname", 12, 4, TEXT},
	{"domain-name", 15, 4, TEXT},
	{"mtu", 26, 4, U16},
	{"broadcast", 28, 4, ADDRESSES},
	{"ntp-server", 42, 4, ADDRESSES},
	{"vendor-encap", 43, 4, BYTES},
	{"lease-time", 51, 4, U32},
	{"T1", 58, 4, U32},
	{"T2", 59, 4, U32},
	{"tftp-server", 66, 4, TEXT},
	{"tftp-server-name", 66, 4, TEXT},
	{"bootfile-name", 67, 4, TEXT},
	{"client-arch", 93, 4, U16},
	{"tftp-server-address", 150, 4, ADDRESSES},
	{"server-ip-address", 150, 4, ADDRESSES},
	{"config-file", 209, 4, TEXT},
	{"path-prefix", 210, 4, TEXT},
	{"reboot-time", 211, 4, U32},
	{"wpad", 252, 4, TEXT},
	{"dns-server", 23, 6, ADDRESSES},
	{"ntp-server", 31, 6, ADDRESSES},
	{"bootfile-url", 59, 6, TEXT},
	{"bootfile-param", 60, 6, BYTES},
};

static bool read_number(const char *text, uint64_t max, uint64_t *v)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	*v = strtoull(text, &end, 10);
	return !*end && *v <= max;
}

/* A number of the client's, whose value is text or "0x" and hex digits. */
static bool find_option(const struct tn_dhcp_option *from, struct known_option *found)
{
	uint64_t code;

	for (unsigned i = 0; i < TN_ARRAY_SIZE(known_options); i++) {
		const struct known_option *k = &known_options[i];

		if (k->ip_version == from->ip_version && strcasecmp(k->name, from->name) == 0) {
			*found = *k;
			return true;
		}
	}
	if (!read_number(from->name, from->ip_version == 4 ? 254 : UINT16_MAX, &code) || !code)
		return false;
	*found = (struct known_option){from->name, (uint16_t)code, from->ip_version, TEXT};
	for (unsigned i = 0; i < TN_ARRAY_SIZE(known_options); i++) {
		const struct known_option *k = &known_options[i];

		if (k->ip_version == from->ip_version && k->code == code)
			found->form = k->form;
	}
	return true;
}

static int hex_digit(char c)
{
	const char *digits = "0123456789abcdef";
	const char *at = c ? strchr(digits, c | 0x20) : NULL;

	return at ? (int)(at - digits) : -1;
}

static bool put_hex(struct tn_told *value, const char *text)
{
	for (; *text; text += 2) {
		int high = hex_digit(text[0]), low = high < 0 ? -1 : hex_digit(text[1]);

		if (low < 0)
			return false;
		put_number(value, (uint64_t)(high << 4 | low), 1);
	}
	return true;
}

/* Separated by commas. */
static bool put_addresses(struct tn_told *value, const char *text, bool ip4)
{
	char word[INET6_ADDRSTRLEN];
	uint8_t raw[16];

	while (*text) {
		size_t n = strcspn(text, ",");

		if (n >= sizeof(word))
			return false;
		memcpy(word, text, n);
		word[n] = '\0';
		if (inet_pton(ip4 ? AF_INET : AF_INET6, word, raw) != 1)
			return false;
		put(value, raw, ip4 ? 4 : 16);
		text += n;
		text += *text == ',';
	}
	return true;
}

static bool put_value(struct tn_told *value, const char *text, unsigned form, bool ip4)
{
	uint64_t v;

	if (text[0] == '0' && (text[1] | 0x20) == 'x')
		return put_hex(value, text + 2);
	switch (form) {
	case ADDRESSES:
		return put_addresses(value, text, ip4);
	case U8:
	case U16:
	case U32:
		if (!read_number(text,
			    form == U8		  ? UINT8_MAX
				    : form == U16 ? UINT16_MAX
						  : UINT32_MAX,
			    &v))
			return false;
		put_number(value, v, form == U8 ? 1 : form == U16 ? 2 : 4);
		return true;
	case BYTES:
		return put_hex(value, text);
	default:
		put(value, text, (uint32_t)strlen(text));
		return true;
	}
}

static bool is_the_answers_own(const struct known_option *k)
{
	return k->ip_version == 4 ? k->code == 53 || k->code == 54 || k->code == 255
				  : k->code < 7 || k->code == 13 || k->code == 14;
}

static void add_extra(const struct options *o, const struct tn_tenant_port *port)
{
	for (uint32_t i = 0; i < port->n_extra_dhcp_opts; i++) {
		const struct tn_dhcp_option *from = &port->extra_dhcp_opts[i];
		struct tn_told value = {.n = 0};
		struct known_option k;

		if ((from->ip_version == 4) != o->ip4 || !find_option(from, &k) ||
			is_the_answers_own(&k) || !put_value(&value, from->value, k.form, o->ip4))
			continue;
		add_option(o, k.code, &value);
	}
}

/* --- DHCPv4 ----------------------------------------------------------------------------------- */

static void put_route(struct tn_told *value, const struct tn_prefix *to, tn_u128 next_hop)
{
	uint32_t address = (uint32_t)to->address;

	put_number(value, to->len, 1);
	for (unsigned i = 0; i < (to->len + 7u) / 8; i++)
		put_number(value, address >> (24 - 8 * i), 1);
	put_number(value, (uint32_t)next_hop, 4);
}

/* Who reads these does not read the router option, so that the default route is among them. */
static void add_routes(const struct options *o, const struct tn_subnet *s)
{
	const struct tn_prefix everywhere = {tn_u128_from_ip4(0), 0, true};
	struct tn_told value = {.n = 0};
	bool has_default = false;

	for (uint32_t i = 0; i < s->n_host_routes; i++) {
		const struct tn_host_route *r = &s->host_routes[i];

		if (!r->destination.is_ip4)
			continue;
		put_route(&value, &r->destination, r->next_hop);
		has_default |= r->destination.len == 0;
	}
	if (!value.n)
		return;
	if (s->has_gateway && !has_default)
		put_route(&value, &everywhere, s->gateway_ip);
	add_option(o, 121, &value);
}

void tn_tell_dhcp4(const struct tn_compiler *c, const struct tn_vport *port,
	const struct tn_sub *sub, struct tn_told *told)
{
	const struct options o = {told, true};
	const struct tn_subnet *s = tn_sub_object(sub);
	uint32_t mtu = tn_net_mtu(c, port->net);

	told->n = 0;
	add_number(&o, 1, (uint32_t)tn_prefix_mask(&s->cidr), 4);
	if (s->has_gateway)
		add_addresses(&o, 3, &s->gateway_ip, 1);
	add_addresses(&o, 6, s->dns_nameservers, s->n_dns_nameservers);
	add_number(&o, 26, mtu > UINT16_MAX ? UINT16_MAX : mtu, 2);
	add_number(&o, 51, TN_LEASE_SECONDS, 4);
	add_routes(&o, s);
	add_extra(&o, tn_vport_object(port));
}

/* --- DHCPv6 ----------------------------------------------------------------------------------- */

void tn_tell_dhcp6(const struct tn_vport *port, const struct tn_sub *sub, struct tn_told *told)
{
	const struct options o = {told, false};
	const struct tn_subnet *s = tn_sub_object(sub);

	told->n = 0;
	add_addresses(&o, 23, s->dns_nameservers, s->n_dns_nameservers);
	add_extra(&o, tn_vport_object(port));
}

/* --- router advertisements -------------------------------------------------------------------- */

#define RA_MANAGED 0x80u
#define RA_OTHER   0x40u
#define ON_LINK	   0x80u
#define AUTONOMOUS 0x40u

static void put_prefix(struct tn_told *t, const struct tn_subnet *s)
{
	put_number(t, 3, 1);
	put_number(t, 4, 1);
	put_number(t, s->cidr.len, 1);
	put_number(t, ON_LINK | (tn_subnet_is_autonomous(s) ? AUTONOMOUS : 0), 1);
	put_number(t, FOR_EVER, 4);
	put_number(t, FOR_EVER, 4);
	put_number(t, 0, 4);
	put_address(t, tn_prefix_first(&s->cidr));
}

static void put_dns(struct tn_told *t, const struct tn_subnet *s)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->n_dns_nameservers; i++)
		n += !tn_address_is_ip4(s->dns_nameservers[i]);
	if (!n || n > 16)
		return;
	put_number(t, 25, 1);
	put_number(t, 1 + 2 * n, 1);
	put_number(t, 0, 2);
	put_number(t, FOR_EVER, 4);
	for (uint32_t i = 0; i < s->n_dns_nameservers; i++) {
		if (!tn_address_is_ip4(s->dns_nameservers[i]))
			put_address(t, s->dns_nameservers[i]);
	}
}

static bool advertises(const struct tn_sub *sub)
{
	return sub->t.object && !tn_sub_object(sub)->cidr.is_ip4 &&
		tn_sub_object(sub)->ipv6_mode != TN_IPV6_NONE;
}

static bool put_head(struct tn_told *told, const struct tn_net *net)
{
	bool any = false, router = false;
	const struct tn_sub *sub;
	uint8_t flags = 0;

	TN_LIST_EACH(sub, &net->subnets, struct tn_sub, link) {
		if (!advertises(sub))
			continue;
		any = true;
		router |= tn_sub_router(sub) != NULL;
		if (!tn_sub_object(sub)->enable_dhcp)
			continue;
		if (tn_sub_object(sub)->ipv6_mode == TN_IPV6_STATEFUL)
			flags |= RA_MANAGED | RA_OTHER;
		if (tn_sub_object(sub)->ipv6_mode == TN_IPV6_STATELESS)
			flags |= RA_OTHER;
	}
	put_number(told, 64, 1); /* hop limit */
	put_number(told, flags, 1);
	put_number(told, router ? UINT16_MAX : 0, 2);
	put_number(told, 0, 8); /* timers as the machine likes */
	put_number(told, 1, 1);
	put_number(told, 1, 1);
	put_number(told, TN_GATEWAY_MAC, 6);
	put_number(told, 24, 1); /* ::/0 is there, or not any more */
	put_number(told, 1, 1);
	put_number(told, 0, 2);
	put_number(told, router ? FOR_EVER : 0, 4);
	return any;
}

static int compare_subs(const void *x, const void *y)
{
	const struct tn_sub *const *a = x, *const *b = y;

	return strcmp((*a)->t.named.name, (*b)->t.named.name);
}

bool tn_tell_ra(const struct tn_compiler *c, const struct tn_net *net, struct tn_told *told)
{
	const struct tn_sub *list[16], *sub;
	uint32_t n = 0, mtu = tn_net_mtu(c, net);

	told->n = 0;
	if (!put_head(told, net))
		return false;
	put_number(told, 5, 1);
	put_number(told, 1, 1);
	put_number(told, 0, 2);
	put_number(told, mtu < 1280 ? 1280 : mtu, 4);
	TN_LIST_EACH(sub, &net->subnets, struct tn_sub, link) {
		if (advertises(sub) && n < TN_ARRAY_SIZE(list))
			list[n++] = sub;
	}
	qsort(list, n, sizeof(list[0]), compare_subs);
	for (uint32_t i = 0; i < n; i++)
		put_prefix(told, tn_sub_object(list[i]));
	for (uint32_t i = 0; i < n; i++)
		put_dns(told, tn_sub_object(list[i]));
	return true;
}
