/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/model/json_reader.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/core/openflow.h"

/* Looking for the nearest word costs time: not for the errors after these. */
#define SUGGESTIONS_MAX 200u
#define LABEL_SIZE	64u

bool tn_json_error(
	struct tn_json_reader *r, tn_json_ref at, enum tn_of_error of, const char *fmt, ...)
{
	struct tn_diagnostics *d = r->codec->diag;
	char detail[512], *pointer;
	va_list ap;

	r->failed = true;
	if (d->n >= TN_DIAGNOSTICS_MAX) {
		d->dropped++;
		return false;
	}
	va_start(ap, fmt);
	vsnprintf(detail, sizeof(detail), fmt, ap);
	va_end(ap);
	pointer = tn_json_pointer(r->tape, at, r->base);
	tn_diagnostics_add(d, pointer, at->line, at->column, of, "%s", detail);
	free(pointer);
	return false;
}

/* Sentences. */

const char *tn_json_describe(tn_json_ref v, char *buf, size_t size)
{
	switch ((enum tn_json_type)v->type) {
	case TN_JSON_NULL:
		return "null";
	case TN_JSON_FALSE:
		return "false";
	case TN_JSON_TRUE:
		return "true";
	case TN_JSON_REAL:
		return "a number with a fraction or an exponent";
	case TN_JSON_ARRAY:
		return "an array";
	case TN_JSON_OBJECT:
		return "an object";
	case TN_JSON_STRING:
		return tn_json_quote(v->string, buf, size);
	case TN_JSON_INTEGER:
		if (v->too_big)
			return "an integer of over 64 bits";
		snprintf(buf, size, "%s%" PRIu64, v->negative ? "-" : "", v->magnitude);
		return buf;
	}
	return "a value";
}

/* The key that a value stands under, quoted. */
static const char *label(tn_json_ref v, char *buf)
{
	return v->key.p ? tn_json_quote(v->key, buf, LABEL_SIZE) : "this element";
}

const char *tn_json_suggest(
	struct tn_json_string s, const char *const *words, char *buf, size_t size)
{
	unsigned best = 5, d;
	const char *nearest = NULL;
	char word[64];

	buf[0] = '\0';
	if (s.len >= sizeof(word))
		return buf;
	memcpy(word, s.p, s.len);
	word[s.len] = '\0';
	for (; *words; words++) {
		d = strcasecmp(word, *words) == 0 ? 1 : tn_names_distance(word, *words, 2);
		if (d < best) {
			best = d;
			nearest = *words;
		}
	}
	if (nearest && s.len > 2)
		snprintf(buf, size, " (did you mean \"%s\"?)", nearest);
	return buf;
}

/* Shapes. */

static bool wrong_shape(struct tn_json_reader *r, tn_json_ref v, const char *what)
{
	char key[LABEL_SIZE], found[96];

	return tn_json_error(r, v, TN_OF_OK, "%s is %s; give %s", label(v, key),
		tn_json_describe(v, found, sizeof(found)), what);
}

bool tn_json_is_object(struct tn_json_reader *r, tn_json_ref v, const char *what)
{
	return v->type == TN_JSON_OBJECT || wrong_shape(r, v, what);
}

bool tn_json_is_array(struct tn_json_reader *r, tn_json_ref v, const char *what)
{
	return v->type == TN_JSON_ARRAY || wrong_shape(r, v, what);
}

tn_json_ref tn_json_member(const struct tn_json_reader *r, tn_json_ref object, const char *key)
{
	tn_json_ref m = tn_json_first(object);
	size_t len = strlen(key);
	uint32_t i;

	if (object->type != TN_JSON_OBJECT)
		return NULL;
	for (i = 0; i < object->n; i++, m = tn_json_next(r->tape, m))
		if (m->key.len == len && m->key.p[0] == key[0] && memcmp(m->key.p, key, len) == 0)
			return m;
	return NULL;
}

static void unknown_key(struct tn_json_reader *r, tn_json_ref m, const char *what,
	const struct tn_json_key *keys, size_t n_keys)
{
	const char *words[64];
	char name[80], hint[96] = "";
	size_t i;

	for (i = 0; i < n_keys && i < TN_ARRAY_SIZE(words) - 1; i++)
		words[i] = keys[i].name;
	words[i] = NULL;
	if (r->codec->diag->n < SUGGESTIONS_MAX)
		tn_json_suggest(m->key, words, hint, sizeof(hint));
	tn_json_error(r, m, TN_OF_OK, "unknown key %s in %s%s; remove it or correct its spelling",
		tn_json_quote(m->key, name, sizeof(name)), what, hint);
}

bool tn_json_members(struct tn_json_reader *r, tn_json_ref object, const char *what,
	const struct tn_json_key *keys, size_t n_keys, tn_json_ref *slots)
{
	tn_json_ref m = tn_json_first(object);
	bool ok = true;
	uint32_t i;
	size_t k;

	memset(slots, 0, n_keys * sizeof(*slots));
	for (i = 0; i < object->n; i++, m = tn_json_next(r->tape, m)) {
		for (k = 0; k < n_keys; k++)
			if (keys[k].len == m->key.len && keys[k].name[0] == m->key.p[0] &&
				memcmp(keys[k].name, m->key.p, m->key.len) == 0)
				break;
		if (k < n_keys) {
			slots[k] = m;
		} else {
			unknown_key(r, m, what, keys, n_keys);
			ok = false;
		}
	}
	return ok;
}

const char *tn_json_join(char *buf, size_t size, const char *a, const char *b)
{
	size_t n = strnlen(a, size - 1), more = strnlen(b, size - 1 - n);

	memcpy(buf, a, n);
	memcpy(buf + n, b, more);
	buf[n + more] = '\0';
	return buf;
}

/* Numbers. */

struct number {
	uint64_t magnitude;
	bool negative, too_big;
};

/* Decimal or 0x digits, all of s. */
static bool parse_digits(struct tn_json_string s, struct number *n)
{
	unsigned base = 10, d;
	uint32_t i = 0;
	char c;

	if (s.len && s.p[0] == '-') {
		n->negative = true;
		i++;
	}
	if (s.len > i + 2 && s.p[i] == '0' && (s.p[i + 1] == 'x' || s.p[i + 1] == 'X')) {
		base = 16;
		i += 2;
	}
	if (i == s.len)
		return false;
	for (; i < s.len; i++) {
		c = s.p[i];
		if (c >= '0' && c <= '9')
			d = (unsigned)(c - '0');
		else if (base == 16 && (c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			d = (unsigned)((c | 0x20) - 'a') + 10;
		else
			return false;
		if (__builtin_mul_overflow(n->magnitude, base, &n->magnitude) ||
			__builtin_add_overflow(n->magnitude, d, &n->magnitude))
			n->too_big = true;
	}
	if (n->magnitude == 0 && !n->too_big)
		n->negative = false;
	return true;
}

static bool parse_number(tn_json_ref v, struct number *n)
{
	*n = (struct number){0};
	if (v->type == TN_JSON_STRING)
		return parse_digits(v->string, n);
	if (v->type != TN_JSON_INTEGER)
		return false;
	*n = (struct number){v->magnitude, v->negative, v->too_big};
	return true;
}

bool tn_json_unsigned(struct tn_json_reader *r, tn_json_ref v, uint64_t min, uint64_t max,
	enum tn_of_error of, uint64_t *out)
{
	char key[LABEL_SIZE], found[96];
	struct number n;

	if (!parse_number(v, &n))
		return wrong_shape(r, v, "an integer, or a string with one (decimal or 0x..)");
	if (n.negative || n.too_big || n.magnitude < min || n.magnitude > max)
		return tn_json_error(r, v, of,
			"%s is %s; give an integer from %" PRIu64 " to %" PRIu64, label(v, key),
			tn_json_describe(v, found, sizeof(found)), min, max);
	*out = n.magnitude;
	return true;
}

bool tn_json_signed(struct tn_json_reader *r, tn_json_ref v, int64_t min, int64_t max,
	enum tn_of_error of, int64_t *out)
{
	char key[LABEL_SIZE], found[96];
	struct number n;
	int64_t i = 0;

	if (!parse_number(v, &n))
		return wrong_shape(r, v, "an integer, or a string with one (decimal or 0x..)");
	if (!n.too_big && n.magnitude <= INT64_MAX)
		i = n.negative ? -(int64_t)n.magnitude : (int64_t)n.magnitude;
	else
		n.too_big = true;
	if (n.too_big || i < min || i > max)
		return tn_json_error(r, v, of,
			"%s is %s; give an integer from %" PRId64 " to %" PRId64, label(v, key),
			tn_json_describe(v, found, sizeof(found)), min, max);
	*out = i;
	return true;
}

bool tn_json_bool(struct tn_json_reader *r, tn_json_ref v, bool *out)
{
	bool text = v->type == TN_JSON_STRING;

	if (v->type == TN_JSON_TRUE || (text && tn_json_string_is(v->string, "true")))
		*out = true;
	else if (v->type == TN_JSON_FALSE || (text && tn_json_string_is(v->string, "false")))
		*out = false;
	else
		return wrong_shape(r, v, "true or false");
	return true;
}

bool tn_json_text(struct tn_json_reader *r, tn_json_ref v, size_t max, struct tn_json_string *out)
{
	uint32_t i;

	if (v->type != TN_JSON_STRING)
		return wrong_shape(r, v, "a string");
	if (v->string.len == 0)
		return wrong_shape(r, v, "a string that is not empty");
	if (v->string.len > max)
		return tn_json_error(r, v, TN_OF_OK, "a string of %u bytes; give at most %zu",
			v->string.len, max);
	for (i = 0; i < v->string.len; i++)
		if ((uint8_t)v->string.p[i] < 0x20 || v->string.p[i] == 0x7f)
			return tn_json_error(
				r, v, TN_OF_OK, "a control character in the string; remove it");
	*out = v->string;
	return true;
}

/* Addresses. */

bool tn_json_mac(struct tn_json_reader *r, tn_json_ref v, uint64_t *out)
{
	static const char what[] = "a MAC address such as 02:00:00:00:00:01";
	const char *p = v->string.p;
	uint64_t mac = 0;
	int i, high, low;

	if (v->type != TN_JSON_STRING || v->string.len != 17)
		return wrong_shape(r, v, what);
	for (i = 0; i < 6; i++) {
		high = tn_json_hex_digit(p[3 * i]);
		low = tn_json_hex_digit(p[3 * i + 1]);
		if (high < 0 || low < 0 || (i < 5 && p[3 * i + 2] != ':'))
			return wrong_shape(r, v, what);
		mac = mac << 8 | (uint64_t)(high << 4 | low);
	}
	*out = mac;
	return true;
}

static bool parse_ip4(const char *s, tn_u128 *out)
{
	struct tn_be32 a;

	if (inet_pton(AF_INET, s, &a) != 1)
		return false;
	*out = tn_be32toh(a);
	return true;
}

static bool parse_ip6(const char *s, tn_u128 *out)
{
	struct tn_ip6 a;

	if (inet_pton(AF_INET6, s, &a) != 1)
		return false;
	*out = tn_u128_from_ip6(&a);
	return true;
}

/* The string as C string; false when it is none or longer than any address with mask. */
static bool copy_string(tn_json_ref v, char *buf, size_t size)
{
	if (v->type != TN_JSON_STRING || v->string.len >= size)
		return false;
	memcpy(buf, v->string.p, v->string.len);
	buf[v->string.len] = '\0';
	return true;
}

static const char *family_text(enum tn_json_family family)
{
	return family == TN_JSON_IP4	? "an IPv4 address"
		: family == TN_JSON_IP6 ? "an IPv6 address"
					: "an IPv4 or IPv6 address";
}

static bool wrong_address(
	struct tn_json_reader *r, tn_json_ref v, enum tn_json_family family, const char *more)
{
	char what[96];

	snprintf(what, sizeof(what), "%s%s", family_text(family), more);
	return wrong_shape(r, v, what);
}

/* Either family as 128 bits; IPv4 alone as 32. */
static bool parse_address(const char *s, enum tn_json_family family, tn_u128 *out, bool *is_ip4)
{
	*is_ip4 = !strchr(s, ':');
	if (*is_ip4) {
		if (!(family & TN_JSON_IP4) || !parse_ip4(s, out))
			return false;
		if (family == TN_JSON_IP_ANY)
			*out = tn_u128_from_ip4((uint32_t)*out);
		return true;
	}
	return (family & TN_JSON_IP6) && parse_ip6(s, out);
}

bool tn_json_address(
	struct tn_json_reader *r, tn_json_ref v, enum tn_json_family family, tn_u128 *out)
{
	char s[64];
	bool is_ip4;

	if (!copy_string(v, s, sizeof(s)) || !parse_address(s, family, out, &is_ip4))
		return wrong_address(r, v, family, " without a length");
	return true;
}

static tn_u128 prefix_mask(unsigned length, unsigned bits)
{
	tn_u128 ones = bits == 128 ? ~(tn_u128)0 : ((tn_u128)1 << bits) - 1;

	return length == 0 ? 0 : ones & ~(length == bits ? 0 : ones >> length);
}

static bool parse_length(const char *s, unsigned max, unsigned *out)
{
	unsigned n = 0;
	size_t i;

	for (i = 0; s[i] >= '0' && s[i] <= '9' && i < 3; i++)
		n = n * 10 + (unsigned)(s[i] - '0');
	*out = n;
	return i > 0 && s[i] == '\0' && n <= max;
}

/* What stands after the slash: a length or a mask of the address's family. */
static bool parse_mask(const char *s, bool is_ip4, tn_u128 *mask)
{
	unsigned bits = is_ip4 ? 32 : 128, length;

	if (!strpbrk(s, is_ip4 ? "." : ":")) {
		if (!parse_length(s, bits, &length))
			return false;
		*mask = prefix_mask(length, bits);
		return true;
	}
	return is_ip4 ? parse_ip4(s, mask) : parse_ip6(s, mask);
}

bool tn_json_prefix(struct tn_json_reader *r, tn_json_ref v, enum tn_json_family family,
	tn_u128 *out, tn_u128 *mask)
{
	static const char more[] = ", alone or with /length or /mask";
	char s[128], *slash;
	bool is_ip4;

	if (!copy_string(v, s, sizeof(s)))
		return wrong_address(r, v, family, more);
	slash = strchr(s, '/');
	if (slash)
		*slash++ = '\0';
	if (!parse_address(s, family, out, &is_ip4))
		return wrong_address(r, v, family, more);
	*mask = prefix_mask(is_ip4 ? 32 : 128, is_ip4 ? 32 : 128);
	if (slash && !parse_mask(slash, is_ip4, mask))
		return wrong_address(r, v, family, more);
	if (is_ip4 && family == TN_JSON_IP_ANY)
		*mask |= ~(tn_u128)UINT32_MAX;
	return true;
}

bool tn_json_network(
	struct tn_json_reader *r, tn_json_ref v, tn_u128 *address, uint8_t *length, bool *is_ip4)
{
	char s[128], *slash;
	uint32_t ip4;
	unsigned n;

	if (!copy_string(v, s, sizeof(s)) || !(slash = strchr(s, '/')))
		return wrong_address(r, v, TN_JSON_IP_ANY, " with /length");
	*slash++ = '\0';
	if (!parse_address(s, TN_JSON_IP_ANY, address, is_ip4) ||
		!parse_length(slash, *is_ip4 ? 32 : 128, &n))
		return wrong_address(r, v, TN_JSON_IP_ANY, " with /length");
	if (!*is_ip4 && tn_u128_is_ip4(*address, &ip4))
		return tn_json_error(r, v, TN_OF_OK, "write this IPv4 address as a.b.c.d/length");
	*length = (uint8_t)n;
	return true;
}

/* Ports and tables. */

static const struct {
	const char *name;
	uint32_t port;
} reserved[] = {
	{"IN_PORT", TN_PORT_IN_PORT},
	{"TABLE", TN_PORT_TABLE},
	{"NORMAL", TN_PORT_NORMAL},
	{"FLOOD", TN_PORT_FLOOD},
	{"ALL", TN_PORT_ALL},
	{"CONTROLLER", TN_PORT_CONTROLLER},
	{"LOCAL", TN_PORT_LOCAL},
	{"ANY", TN_PORT_ANY},
};

uint32_t tn_json_reserved_port(struct tn_json_string name)
{
	size_t i;

	for (i = 0; i < TN_ARRAY_SIZE(reserved); i++)
		if (name.len == strlen(reserved[i].name) &&
			strncasecmp(name.p, reserved[i].name, name.len) == 0)
			return reserved[i].port;
	return 0;
}

const char *tn_json_reserved_port_name(uint32_t port)
{
	size_t i;

	for (i = 0; i < TN_ARRAY_SIZE(reserved); i++)
		if (port == reserved[i].port)
			return reserved[i].name;
	return NULL;
}

static bool unknown_port(struct tn_json_reader *r, tn_json_ref v, enum tn_of_error of)
{
	char found[96], name[64];
	const char *nearest = NULL;
	struct number n;

	if (v->type == TN_JSON_STRING && !parse_number(v, &n) &&
		copy_string(v, name, sizeof(name)) && r->codec->diag->n < SUGGESTIONS_MAX)
		nearest = tn_names_nearest_port(r->codec->names, name);
	tn_json_describe(v, found, sizeof(found));
	if (nearest)
		return tn_json_error(
			r, v, of, "no port %s is declared; did you mean \"%s\"?", found, nearest);
	return tn_json_error(r, v, of,
		"no port %s is declared; give the number or name of one of the ports", found);
}

/* A declared name, or "[name](number)". 0: neither. */
static uint32_t named_port(struct tn_json_reader *r, tn_json_ref v, bool *contradiction)
{
	struct number n = {0};
	struct tn_json_string digits;
	uint32_t port, i = v->string.len;
	char s[256];

	if (!copy_string(v, s, sizeof(s)))
		return 0;
	port = tn_names_port_by_name(r->codec->names, s);
	if (port || i < 5 || s[0] != '[' || s[i - 1] != ')')
		return port;
	while (i > 1 && !(s[i - 1] == '(' && s[i - 2] == ']'))
		i--;
	digits = (struct tn_json_string){s + i, v->string.len - 1 - i};
	if (i < 3 || !parse_digits(digits, &n) || n.negative || n.too_big ||
		n.magnitude > UINT32_MAX)
		return 0;
	s[i - 2] = '\0';
	port = tn_names_port_by_name(r->codec->names, s + 1);
	*contradiction = port && port != n.magnitude;
	return (uint32_t)n.magnitude;
}

bool tn_json_port(struct tn_json_reader *r, tn_json_ref v, enum tn_of_error of, uint32_t *out)
{
	bool contradiction = false;
	char found[96];
	struct number n;

	if (parse_number(v, &n)) {
		if (n.too_big || n.magnitude > (n.negative ? 8 : UINT32_MAX))
			return tn_json_error(r, v, of,
				"port %s is out of range; give 1 to 4294967040, or a reserved port",
				tn_json_describe(v, found, sizeof(found)));
		*out = n.negative ? -(uint32_t)n.magnitude : (uint32_t)n.magnitude;
	} else if (v->type != TN_JSON_STRING) {
		return wrong_shape(r, v, "a port: number, declared name or reserved name");
	} else {
		*out = named_port(r, v, &contradiction);
		if (!*out)
			*out = tn_json_reserved_port(v->string);
		if (!*out)
			return unknown_port(r, v, of);
	}
	if (contradiction)
		return tn_json_error(r, v, of,
			"that name belongs to another port number; give one "
			"of the two alone");
	if (r->codec->ports_known && *out <= TN_PORT_MAX &&
		!tn_names_port_name(r->codec->names, *out))
		return unknown_port(r, v, of);
	return true;
}

bool tn_json_table(struct tn_json_reader *r, tn_json_ref v, enum tn_of_error of, uint8_t *out)
{
	char name[256], found[96];
	struct number n;
	uint64_t id;
	int table;

	if (v->type == TN_JSON_STRING && !parse_number(v, &n)) {
		table = copy_string(v, name, sizeof(name))
			? tn_names_table_by_name(r->codec->names, name)
			: -1;
		if (table < 0)
			return tn_json_error(r, v, of,
				"no table is named %s; give a number from 0 to 254 or a name under "
				"\"tables\"",
				tn_json_describe(v, found, sizeof(found)));
		*out = (uint8_t)table;
		return true;
	}
	if (!tn_json_unsigned(r, v, 0, TN_TABLE_MAX, of, &id))
		return false;
	*out = (uint8_t)id;
	return true;
}

/* Printing. */

json_t *tn_json_from_u64(uint64_t v)
{
	char s[24];

	if (v <= (UINT64_C(1) << 53) - 1)
		return json_integer((json_int_t)v);
	snprintf(s, sizeof(s), "0x%" PRIx64, v);
	return json_string(s);
}

json_t *tn_json_from_mac(uint64_t mac)
{
	static const char hex[] = "0123456789ABCDEF";
	char s[18];

	for (unsigned i = 0; i < 6; i++) {
		unsigned b = mac >> (40 - 8 * i) & 0xff;

		s[3 * i] = hex[b >> 4];
		s[3 * i + 1] = hex[b & 15];
		s[3 * i + 2] = i < 5 ? ':' : '\0';
	}
	return json_string_nocheck(s);
}

/* Lists have many of them, and what the library has for it is printf(). */
static void print_ip4(uint32_t address, char s[static INET_ADDRSTRLEN])
{
	for (int shift = 24; shift >= 0; shift -= 8) {
		unsigned b = address >> shift & 0xff;

		if (b >= 100)
			*s++ = (char)('0' + b / 100);
		if (b >= 10)
			*s++ = (char)('0' + b / 10 % 10);
		*s++ = (char)('0' + b % 10);
		*s++ = shift ? '.' : '\0';
	}
}

static void print_ip6(tn_u128 address, char *s, size_t size)
{
	struct tn_ip6 a = tn_u128_to_ip6(address);

	inet_ntop(AF_INET6, &a, s, (socklen_t)size);
}

json_t *tn_json_from_ip4(uint32_t address)
{
	char s[INET_ADDRSTRLEN];

	print_ip4(address, s);
	return json_string_nocheck(s);
}

json_t *tn_json_from_address(tn_u128 address, enum tn_json_family family)
{
	char s[INET6_ADDRSTRLEN];
	uint32_t ip4 = (uint32_t)address;

	if (family == TN_JSON_IP4 || (family == TN_JSON_IP_ANY && tn_u128_is_ip4(address, &ip4)))
		return tn_json_from_ip4(ip4);
	print_ip6(address, s, sizeof(s));
	return json_string(s);
}

/* The length of a mask without holes; -1 for one with. */
static int mask_length(tn_u128 mask, unsigned bits)
{
	unsigned n;

	for (n = 0; n <= bits; n++)
		if (mask == prefix_mask(n, bits))
			return (int)n;
	return -1;
}

json_t *tn_json_from_prefix(tn_u128 address, tn_u128 mask, enum tn_json_family family)
{
	char s[2 * INET6_ADDRSTRLEN + 2];
	uint32_t ip4 = (uint32_t)address;
	bool is_ip4 = family == TN_JSON_IP4;
	int length;
	size_t n;

	if (family == TN_JSON_IP_ANY)
		is_ip4 = mask >> 32 == ~(tn_u128)0 >> 32 && tn_u128_is_ip4(address, &ip4);
	if (is_ip4)
		print_ip4(ip4, s);
	else
		print_ip6(address, s, sizeof(s));
	n = strlen(s);
	s[n++] = '/';
	length = mask_length(is_ip4 ? mask & UINT32_MAX : mask, is_ip4 ? 32 : 128);
	if (length >= 0)
		snprintf(s + n, sizeof(s) - n, "%d", length);
	else if (is_ip4)
		print_ip4((uint32_t)mask, s + n);
	else
		print_ip6(mask, s + n, sizeof(s) - n);
	return json_string(s);
}

json_t *tn_json_from_port(uint32_t port)
{
	const char *name = tn_json_reserved_port_name(port);
	char s[16];

	if (name)
		return json_string(name);
	snprintf(s, sizeof(s), "%" PRIu32, port);
	return json_string(s);
}

json_t *tn_json_from_port_number(uint32_t port)
{
	return json_integer(port >= TN_PORT_IN_PORT ? (json_int_t)(int32_t)port : port);
}

json_t *tn_json_from_dpid(uint64_t dpid)
{
	char s[24];

	snprintf(s, sizeof(s), "of:%016" PRIx64, dpid);
	return json_string(s);
}
