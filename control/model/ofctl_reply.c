/* SPDX-License-Identifier: BSD-3-Clause */
/* reply(KIND,KEY=VALUE,...) in both directions; Open vSwitch has nothing of the kind. */
#include "control/model/ofctl_action.h"

#include <errno.h>
#include <string.h>

#include "dataplane/core/reply.h"

static const struct reply_key {
	uint16_t takes;
	const char *key;
	bool needed;
} reply_keys[] = {
	{TN_REPLY_TAKES_MAC, "mac", true},
	{TN_REPLY_TAKES_IP, "ip", true},
	{TN_REPLY_TAKES_ADDRESS, "address", false},
	{TN_REPLY_TAKES_CODE, "code", true},
	{TN_REPLY_TAKES_MTU, "mtu", true},
	{TN_REPLY_TAKES_LEASE, "lease_time", false},
	{TN_REPLY_TAKES_ROUTER, "router", false},
	{TN_REPLY_TAKES_OPTIONS, "options", false},
	{TN_REPLY_TAKES_BODY, "body", true},
};

static const char *const words[TN_REPLY_LAST + 1] = {
	[TN_REPLY_ARP] = "arp",
	[TN_REPLY_ND] = "nd",
	[TN_REPLY_ECHO] = "echo",
	[TN_REPLY_TIME_EXCEEDED] = "time_exceeded",
	[TN_REPLY_UNREACHABLE] = "unreachable",
	[TN_REPLY_TOO_BIG] = "too_big",
	[TN_REPLY_DHCP4] = "dhcp4",
	[TN_REPLY_DHCP6] = "dhcp6",
	[TN_REPLY_RA] = "ra",
};

/* One reply that is read. */
struct reading {
	struct tn_ofctl_line *line;
	struct tn_ofctl_list *list;
	struct tn_action action;
	uint8_t data[TN_REPLY_DATA_MAX];
	uint32_t n_data;
};

static int read_kind(struct reading *r, struct tn_ofctl_span s)
{
	struct tn_ofctl_near near;

	tn_ofctl_near_init(&near, s);
	for (uint8_t kind = TN_REPLY_ARP; kind <= TN_REPLY_LAST; kind++) {
		if (tn_ofctl_is_nocase(s, words[kind])) {
			r->action.reply.kind = kind;
			return 0;
		}
		tn_ofctl_near_try(&near, words[kind]);
	}
	return tn_ofctl_unknown(r->line, s, "answer", &near,
		"write arp, nd, echo, time_exceeded, unreachable, too_big, dhcp4, dhcp6 or ra");
}

static int read_value(
	struct reading *r, const struct tn_ofctl_item *item, enum tn_field_id like, tn_u128 *value)
{
	struct tn_ofctl_view view;
	const char *mask_at;
	tn_u128 mask;

	tn_ofctl_view_of(like, &view);
	view.spelt = item->key;
	if (tn_ofctl_parse_value(
		    r->line, &view, item->value, TN_OFPBAC_BAD_ARGUMENT, value, &mask, &mask_at))
		return -EINVAL;
	if (mask == tn_ofctl_ones(view.bits))
		return 0;
	return tn_ofctl_complain(r->line, mask_at, TN_OFPBAC_BAD_ARGUMENT, "%s takes no mask",
		tn_ofctl_show(item->key).s);
}

static int read_mac(struct reading *r, const struct tn_ofctl_item *item)
{
	tn_u128 mac;

	if (read_value(r, item, TN_FIELD_ETH_SRC, &mac))
		return -EINVAL;
	r->action.reply.mac = tn_mac_of((uint64_t)mac);
	return 0;
}

static int read_address(struct reading *r, const struct tn_ofctl_item *item, tn_u128 *address)
{
	bool six = item->value.n && memchr(item->value.p, ':', item->value.n);

	if (read_value(r, item, six ? TN_FIELD_IPV6_SRC : TN_FIELD_IPV4_SRC, address))
		return -EINVAL;
	if (!six)
		*address = tn_u128_from_ip4((uint32_t)*address);
	return 0;
}

static int read_number(
	struct reading *r, const struct tn_ofctl_item *item, uint64_t max, uint64_t *value)
{
	return tn_ofctl_number(r->line, item->value, tn_ofctl_show(item->key).s,
		TN_OFPBAC_BAD_ARGUMENT, 0, max, value);
}

static int read_data(struct reading *r, struct tn_ofctl_span s)
{
	for (; s.n; s.p += 2, s.n -= 2) {
		char digits[5] = "0x";
		tn_u128 byte;

		if (r->n_data == TN_REPLY_DATA_MAX)
			return tn_ofctl_complain(r->line, s.p, TN_OFPBAC_BAD_LEN,
				"the data is too long; give at most %u bytes", TN_REPLY_DATA_MAX);
		memcpy(digits + 2, s.p, s.n < 2 ? s.n : 2);
		if (s.n < 2 || tn_ofctl_scan_u128((struct tn_ofctl_span){digits, 4}, &byte))
			return tn_ofctl_complain(r->line, s.p, TN_OF_OK,
				"data is bytes of two hexadecimal digits, like 001fa0");
		r->data[r->n_data++] = (uint8_t)byte;
	}
	return 0;
}

static int read_argument(struct reading *r, const struct tn_ofctl_item *item, uint16_t takes)
{
	uint64_t v;

	switch (takes) {
	case TN_REPLY_TAKES_MAC:
		return read_mac(r, item);
	case TN_REPLY_TAKES_IP:
		return read_address(r, item, &r->action.reply.ip);
	case TN_REPLY_TAKES_ADDRESS:
		return read_address(r, item, &r->action.reply.address);
	case TN_REPLY_TAKES_CODE:
		if (read_number(r, item, UINT8_MAX, &v))
			return -EINVAL;
		r->action.reply.code = (uint8_t)v;
		return 0;
	case TN_REPLY_TAKES_ROUTER:
		r->action.reply.router = true;
		return 0;
	case TN_REPLY_TAKES_OPTIONS:
	case TN_REPLY_TAKES_BODY:
		return read_data(r, item->value);
	default:
		if (read_number(r, item, UINT32_MAX, &v))
			return -EINVAL;
		r->action.reply.number = (uint32_t)v;
		return 0;
	}
}

static int read_item(struct reading *r, const struct tn_ofctl_item *item, uint64_t *seen)
{
	const struct tn_reply_form *form = &tn_reply_forms[r->action.reply.kind];
	struct tn_ofctl_near near;

	tn_ofctl_near_init(&near, item->key);
	for (unsigned i = 0; i < TN_ARRAY_SIZE(reply_keys); i++) {
		if (!(form->takes & reply_keys[i].takes))
			continue;
		if (tn_ofctl_is(item->key, reply_keys[i].key))
			return tn_ofctl_once(r->line, item, i, seen)
				? -EINVAL
				: read_argument(r, item, reply_keys[i].takes);
		tn_ofctl_near_try(&near, reply_keys[i].key);
	}
	return tn_ofctl_unknown(
		r->line, item->key, "key of this answer", &near, "leave it out or correct it");
}

static int check_needed(struct reading *r, struct tn_ofctl_span name, uint64_t seen)
{
	uint16_t takes = tn_reply_forms[r->action.reply.kind].takes;

	for (unsigned i = 0; i < TN_ARRAY_SIZE(reply_keys); i++) {
		bool needed = reply_keys[i].needed ||
			(reply_keys[i].takes == TN_REPLY_TAKES_ADDRESS &&
				r->action.reply.kind == TN_REPLY_DHCP4);

		if (needed && takes & reply_keys[i].takes && !(seen >> i & 1))
			return tn_ofctl_complain(r->line, name.p, TN_OF_OK,
				"this answer needs %s=", reply_keys[i].key);
	}
	return 0;
}

static void keep(struct reading *r, struct tn_ofctl_span name)
{
	struct tn_action notes[TN_REPLY_NOTES_MAX];
	uint16_t n = tn_reply_data_notes(r->data, r->n_data, notes);
	struct tn_action *a = tn_ofctl_list_add(r->list, name.p, TN_ACTION_REPLY);

	a->n_nested = n;
	a->reply = r->action.reply;
	for (uint16_t i = 0; i < n; i++)
		tn_ofctl_list_add(r->list, name.p, TN_ACTION_NOTE)->note = notes[i].note;
}

int tn_ofctl_parse_reply(struct tn_ofctl_line *l, struct tn_ofctl_span name,
	struct tn_ofctl_span arg, struct tn_ofctl_list *list)
{
	struct reading r = {.line = l, .list = list};
	struct tn_ofctl_item item;
	uint64_t seen = 0;
	int rc = tn_ofctl_next(l, &arg, &item);

	if (rc == 0)
		return tn_ofctl_complain(
			l, name.p, TN_OF_OK, "reply is written reply(KIND,KEY=VALUE,...)");
	if (rc < 0 || read_kind(&r, item.key))
		return -EINVAL;
	if (tn_reply_forms[r.action.reply.kind].takes & TN_REPLY_TAKES_LEASE)
		r.action.reply.number = TN_REPLY_LEASE_DEFAULT;
	while ((rc = tn_ofctl_next(l, &arg, &item)) > 0) {
		if (read_item(&r, &item, &seen))
			return -EINVAL;
	}
	if (rc < 0 || check_needed(&r, name, seen))
		return -EINVAL;
	keep(&r, name);
	return 0;
}

static void put_address(struct tn_ofctl_out *out, const char *key, tn_u128 address)
{
	struct tn_ofctl_view view;
	uint32_t ip4;

	tn_ofctl_view_of(
		tn_u128_is_ip4(address, &ip4) ? TN_FIELD_IPV4_SRC : TN_FIELD_IPV6_SRC, &view);
	tn_ofctl_put(out, ",%s=", key);
	tn_ofctl_put_value(
		out, &view, address & tn_ofctl_ones(view.bits), tn_ofctl_ones(view.bits));
}

static void put_argument(
	struct tn_ofctl_out *out, const struct tn_action *a, const struct reply_key *k)
{
	uint8_t data[TN_REPLY_DATA_MAX];

	switch (k->takes) {
	case TN_REPLY_TAKES_MAC:
		tn_ofctl_put(out, ",%s=", k->key);
		tn_ofctl_put_mac(out, tn_mac_number(a->reply.mac), (uint64_t)tn_ofctl_ones(48));
		break;
	case TN_REPLY_TAKES_IP:
		put_address(out, k->key, a->reply.ip);
		break;
	case TN_REPLY_TAKES_ADDRESS:
		if (a->reply.address)
			put_address(out, k->key, a->reply.address);
		break;
	case TN_REPLY_TAKES_CODE:
		tn_ofctl_put(out, ",%s=%u", k->key, a->reply.code);
		break;
	case TN_REPLY_TAKES_ROUTER:
		if (a->reply.router)
			tn_ofctl_put(out, ",%s", k->key);
		break;
	case TN_REPLY_TAKES_OPTIONS:
	case TN_REPLY_TAKES_BODY:
		if (a->n_nested)
			tn_ofctl_put(out, ",%s=", k->key);
		for (uint32_t i = 0, n = tn_reply_data(a, data); i < n; i++)
			tn_ofctl_put(out, "%02x", data[i]);
		break;
	default:
		tn_ofctl_put(out, ",%s=%u", k->key, a->reply.number);
		break;
	}
}

void tn_ofctl_put_reply(struct tn_ofctl_out *out, const struct tn_action *a)
{
	const struct tn_reply_form *form = &tn_reply_forms[a->reply.kind];

	tn_ofctl_put(out, "reply(%s", words[a->reply.kind]);
	for (unsigned i = 0; i < TN_ARRAY_SIZE(reply_keys); i++) {
		if (form->takes & reply_keys[i].takes)
			put_argument(out, a, &reply_keys[i]);
	}
	tn_ofctl_put(out, ")");
}
