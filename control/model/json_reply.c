/* SPDX-License-Identifier: BSD-3-Clause */
/* REPLY in both directions: each kind of answer takes some keys of one table. */
#include "control/model/json_codec.h"

#include <stdio.h>

#include "dataplane/core/reply.h"

bool tn_json_read_hex(struct tn_json_reader *r, tn_json_ref m, const char *key, uint8_t *bytes,
	uint32_t max, uint32_t *n)
{
	uint32_t i;

	if (m->type != TN_JSON_STRING || m->string.len % 2)
		return tn_json_error(
			r, m, TN_OF_OK, "\"%s\" must be a string of pairs of hex digits", key);
	*n = m->string.len / 2;
	if (*n > max)
		return tn_json_error(r, m, TN_OFPBAC_BAD_LEN,
			"\"%s\" has %u bytes; give at most %u", key, *n, max);
	for (i = 0; i < *n; i++) {
		int high = tn_json_hex_digit(m->string.p[2 * i]),
		    low = tn_json_hex_digit(m->string.p[2 * i + 1]);

		if (high < 0 || low < 0)
			return tn_json_error(r, m, TN_OF_OK,
				"\"%s\" must be a string of pairs of hex digits", key);
		bytes[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static const struct reply_key {
	uint16_t takes;
	const char *key;
	bool needed;
} reply_keys[] = {
	{TN_REPLY_TAKES_MAC, "mac", true},
	{TN_REPLY_TAKES_IP, "ip", true},
	{TN_REPLY_TAKES_CODE, "code", true},
	{TN_REPLY_TAKES_MTU, "mtu", true},
	{TN_REPLY_TAKES_ROUTER, "router", false},
	{TN_REPLY_TAKES_LEASE, "leaseTime", false},
	{TN_REPLY_TAKES_OPTIONS, "options", false},
	{TN_REPLY_TAKES_BODY, "body", true},
};

/* DHCP has it under two names. */
static const char *address_key(uint8_t kind)
{
	return kind == TN_REPLY_DHCP4 ? "yourIp" : "address";
}

static bool read_reply_kind(struct tn_json_reader *r, tn_json_ref v, struct tn_action *a)
{
	tn_json_ref m = tn_json_needed(r, v, "instruction REPLY", "reply");
	const char *words[TN_REPLY_LAST + 1];
	char hint[96] = "", found[96];
	uint8_t kind;

	if (!m)
		return false;
	for (kind = TN_REPLY_ARP; kind <= TN_REPLY_LAST; kind++) {
		words[kind - 1] = tn_reply_forms[kind].name;
		if (m->type == TN_JSON_STRING &&
			tn_json_string_is(m->string, tn_reply_forms[kind].name)) {
			a->reply.kind = kind;
			return true;
		}
	}
	words[TN_REPLY_LAST] = NULL;
	if (m->type == TN_JSON_STRING)
		tn_json_suggest(m->string, words, hint, sizeof(hint));
	return tn_json_error(r, m, TN_OFPBAC_BAD_ARGUMENT,
		"\"reply\" is %s; give ARP, ND, ECHO, TIME_EXCEEDED, UNREACHABLE, TOO_BIG, DHCP4, "
		"DHCP6 or RA%s",
		tn_json_describe(m, found, sizeof(found)), hint);
}

/* The members that its kind takes, and no others. */
static bool reply_members(struct tn_json_reader *r, tn_json_ref v, const struct tn_action *a)
{
	uint16_t takes = tn_reply_forms[a->reply.kind].takes;
	const char *keys[TN_ARRAY_SIZE(reply_keys) + 4] = {"type", "reply"};
	char what[48];
	size_t i, n = 2;
	bool ok;

	snprintf(what, sizeof(what), "instruction REPLY/%s", tn_reply_forms[a->reply.kind].name);
	for (i = 0; i < TN_ARRAY_SIZE(reply_keys); i++)
		if (takes & reply_keys[i].takes)
			keys[n++] = reply_keys[i].key;
	if (takes & TN_REPLY_TAKES_ADDRESS)
		keys[n++] = address_key(a->reply.kind);
	ok = tn_json_only(r, v, what, keys);
	for (i = 0; i < TN_ARRAY_SIZE(reply_keys); i++)
		if (takes & reply_keys[i].takes && reply_keys[i].needed)
			ok &= tn_json_needed(r, v, what, reply_keys[i].key) != NULL;
	if (a->reply.kind == TN_REPLY_DHCP4)
		ok &= tn_json_needed(r, v, what, "yourIp") != NULL;
	return ok;
}

/* A bare ::ffff:a.b.c.d is IPv4 everywhere. */
static bool read_reply_address(
	struct tn_json_reader *r, tn_json_ref m, enum tn_json_family family, tn_u128 *out)
{
	if (!tn_json_address(r, m, family, out))
		return false;
	if (family == TN_JSON_IP4)
		*out = tn_u128_from_ip4((uint32_t)*out);
	return true;
}

/* One member that is there. */
static bool read_reply_member(
	struct tn_json_reader *r, tn_json_ref m, uint16_t takes, struct tn_action *a)
{
	enum tn_json_family family = a->reply.kind < TN_REPLY_DHCP4 ? TN_JSON_IP_ANY
		: a->reply.kind == TN_REPLY_DHCP4		    ? TN_JSON_IP4
								    : TN_JSON_IP6;
	uint64_t u = 0;
	bool ok;

	switch (takes) {
	case TN_REPLY_TAKES_MAC:
		ok = tn_json_mac(r, m, &u);
		a->reply.mac = tn_mac_of(u);
		return ok;
	case TN_REPLY_TAKES_IP:
		return read_reply_address(r, m, family, &a->reply.ip);
	case TN_REPLY_TAKES_ADDRESS:
		return read_reply_address(r, m, family, &a->reply.address);
	case TN_REPLY_TAKES_CODE:
		ok = tn_json_unsigned(r, m, 0, UINT8_MAX, TN_OFPBAC_BAD_ARGUMENT, &u);
		a->reply.code = (uint8_t)u;
		return ok;
	case TN_REPLY_TAKES_ROUTER:
		return tn_json_bool(r, m, &a->reply.router);
	default:
		ok = tn_json_unsigned(r, m, 0, UINT32_MAX, TN_OFPBAC_BAD_ARGUMENT, &u);
		a->reply.number = (uint32_t)u;
		return ok;
	}
}

static bool read_reply_data(struct tn_json_reader *r, tn_json_ref v, tn_json_ref m,
	struct tn_json_actions *l, size_t at)
{
	const char *key = l->list[at].reply.kind == TN_REPLY_RA ? "body" : "options";
	struct tn_action notes[TN_REPLY_NOTES_MAX], *a;
	uint8_t data[TN_REPLY_DATA_MAX];
	uint32_t n;
	uint16_t n_notes, i;

	if (!tn_json_read_hex(r, m, key, data, TN_REPLY_DATA_MAX, &n))
		return false;
	n_notes = tn_reply_data_notes(data, n, notes);
	for (i = 0; i < n_notes; i++) {
		a = tn_json_add_action(r, v, l, TN_ACTION_NOTE);
		if (!a)
			return false;
		a->note = notes[i].note;
	}
	l->list[at].n_nested = n_notes;
	return true;
}

bool tn_json_read_reply(struct tn_json_reader *r, tn_json_ref v, struct tn_json_actions *l)
{
	size_t at = l->n - 1, i;
	struct tn_action *a = &l->list[at];
	tn_json_ref m;
	uint16_t takes;
	bool ok;

	if (!read_reply_kind(r, v, a) || !reply_members(r, v, a))
		return false;
	takes = tn_reply_forms[a->reply.kind].takes;
	if (takes & TN_REPLY_TAKES_LEASE)
		a->reply.number = TN_REPLY_LEASE_DEFAULT;
	m = takes & TN_REPLY_TAKES_ADDRESS ? tn_json_member(r, v, address_key(a->reply.kind))
					   : NULL;
	ok = !m || read_reply_member(r, m, TN_REPLY_TAKES_ADDRESS, a);
	for (i = 0; i < TN_ARRAY_SIZE(reply_keys); i++) {
		m = takes & reply_keys[i].takes ? tn_json_member(r, v, reply_keys[i].key) : NULL;
		if (m && reply_keys[i].takes & TN_REPLY_TAKES_DATA)
			ok &= read_reply_data(r, v, m, l, at);
		else if (m)
			ok &= read_reply_member(r, m, reply_keys[i].takes, &l->list[at]);
	}
	return ok;
}

json_t *tn_json_from_hex(const uint8_t *bytes, uint32_t n)
{
	char s[2 * TN_REPLY_DATA_MAX + 1] = "";
	uint32_t i;

	for (i = 0; i < n && i < TN_REPLY_DATA_MAX; i++)
		snprintf(s + 2 * i, 3, "%02x", bytes[i]);
	return json_string(s);
}

static json_t *write_reply_member(const struct tn_action *a, uint16_t takes)
{
	uint8_t data[TN_REPLY_DATA_MAX];

	switch (takes) {
	case TN_REPLY_TAKES_MAC:
		return tn_json_from_mac(tn_mac_number(a->reply.mac));
	case TN_REPLY_TAKES_IP:
		return tn_json_from_address(a->reply.ip, TN_JSON_IP_ANY);
	case TN_REPLY_TAKES_CODE:
		return json_integer(a->reply.code);
	case TN_REPLY_TAKES_ROUTER:
		return json_boolean(a->reply.router);
	case TN_REPLY_TAKES_OPTIONS:
	case TN_REPLY_TAKES_BODY:
		return tn_json_from_hex(data, tn_reply_data(a, data));
	default:
		return json_integer(a->reply.number);
	}
}

json_t *tn_json_write_reply(const struct tn_action *a)
{
	uint16_t takes = tn_reply_forms[a->reply.kind].takes;
	json_t *o = json_object();
	size_t i;

	json_object_set_new(o, "type", json_string("REPLY"));
	json_object_set_new(o, "reply", json_string(tn_reply_forms[a->reply.kind].name));
	for (i = 0; i < TN_ARRAY_SIZE(reply_keys); i++) {
		if (takes & reply_keys[i].takes)
			json_object_set_new(
				o, reply_keys[i].key, write_reply_member(a, reply_keys[i].takes));
		if (reply_keys[i].takes == TN_REPLY_TAKES_IP && takes & TN_REPLY_TAKES_ADDRESS &&
			a->reply.address)
			json_object_set_new(o, address_key(a->reply.kind),
				tn_json_from_address(a->reply.address, TN_JSON_IP_ANY));
	}
	return o;
}
