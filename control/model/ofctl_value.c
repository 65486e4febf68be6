/* SPDX-License-Identifier: BSD-3-Clause */
/* Values of fields: numbers, addresses, ports and flags, in and out. */
#include "control/model/ofctl_field.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

/* What is read: where it stands and what its errors are. */
struct reading {
	struct tn_ofctl_line *line;
	const struct tn_ofctl_view *view;
	enum tn_of_error of;
};

static int bad_value(const struct reading *r, struct tn_ofctl_span s, const char *wanted)
{
	if (s.n == 0)
		return tn_ofctl_complain(r->line, s.p, TN_OF_OK, "%s has no value; write %s",
			tn_ofctl_show(r->view->spelt).s, wanted);
	return tn_ofctl_complain(r->line, s.p, TN_OF_OK, "%s: \"%s\" is not %s",
		tn_ofctl_show(r->view->spelt).s, tn_ofctl_show(s).s, wanted);
}

/* One number of at most the view's bits. */
static int read_number(const struct reading *r, struct tn_ofctl_span s, tn_u128 *value)
{
	unsigned bits = r->view->bits;
	int rc = tn_ofctl_scan_u128(s, value);

	if (rc && bits == 64 && tn_ofctl_is(s, "-1")) {
		*value = UINT64_MAX;
		return 0;
	}
	if (rc == -EINVAL)
		return bad_value(r, s, "a number, decimal or 0x");
	if (rc || *value & ~tn_ofctl_ones(bits))
		return tn_ofctl_complain(r->line, s.p, r->of,
			"%s: %s does not fit the field; it has %u bits",
			tn_ofctl_show(r->view->spelt).s, tn_ofctl_show(s).s, bits);
	return 0;
}

static bool scan_mac(struct tn_ofctl_span s, tn_u128 *value)
{
	uint64_t v = 0;

	for (int i = 0; i < 6; i++) {
		struct tn_ofctl_span octet = s;
		char digits[5] = "0x";
		tn_u128 byte;

		if (i < 5 && !tn_ofctl_split(s, ":", &octet, &s))
			return false;
		if (octet.n < 1 || octet.n > 2)
			return false;
		memcpy(digits + 2, octet.p, octet.n);
		if (tn_ofctl_scan_u128((struct tn_ofctl_span){digits, octet.n + 2}, &byte))
			return false;
		v = v << 8 | (uint64_t)byte;
	}
	*value = v;
	return true;
}

static int read_mac(const struct reading *r, struct tn_ofctl_span s, tn_u128 *value)
{
	return scan_mac(s, value) ? 0 : bad_value(r, s, "a MAC address like 00:11:22:aa:bb:cc");
}

static bool scan_ip4(struct tn_ofctl_span s, tn_u128 *value)
{
	char text[INET_ADDRSTRLEN];
	struct in_addr a;

	if (s.n == 0 || s.n >= sizeof(text))
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	if (inet_pton(AF_INET, text, &a) != 1)
		return false;
	*value = ntohl(a.s_addr);
	return true;
}

static int read_ip4(const struct reading *r, struct tn_ofctl_span s, tn_u128 *value)
{
	return scan_ip4(s, value) ? 0 : bad_value(r, s, "an IPv4 address like 198.51.100.1");
}

static bool scan_ip6(struct tn_ofctl_span s, tn_u128 *value)
{
	char text[INET6_ADDRSTRLEN];
	struct tn_ip6 a;

	if (s.n == 0 || s.n >= sizeof(text))
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	if (inet_pton(AF_INET6, text, a.b) != 1)
		return false;
	*value = tn_u128_from_ip6(&a);
	return true;
}

static int read_ip6(const struct reading *r, struct tn_ofctl_span s, tn_u128 *value)
{
	return scan_ip6(s, value) ? 0 : bad_value(r, s, "an IPv6 address like 2001:db8::1");
}

typedef int (*read_fn)(const struct reading *r, struct tn_ofctl_span s, tn_u128 *value);

/* VALUE or VALUE/MASK, both read by `read`. */
static int read_masked(const struct reading *r, struct tn_ofctl_span s, read_fn read,
	tn_u128 *value, tn_u128 *mask, const char **mask_at)
{
	struct tn_ofctl_span v, m;

	if (!tn_ofctl_split(s, "/", &v, &m))
		return read(r, s, value);
	*mask_at = m.p;
	if (read(r, v, value))
		return -EINVAL;
	return read(r, m, mask);
}

/* The same for addresses: a mask without dots and colons is a prefix length. */
static int read_address(const struct reading *r, struct tn_ofctl_span s, read_fn read,
	tn_u128 *value, tn_u128 *mask, const char **mask_at)
{
	unsigned bits = r->view->bits;
	struct tn_ofctl_span v, m;
	tn_u128 len;

	if (!tn_ofctl_split(s, "/", &v, &m) || memchr(m.p, '.', m.n) || memchr(m.p, ':', m.n))
		return read_masked(r, s, read, value, mask, mask_at);
	*mask_at = m.p;
	if (read(r, v, value))
		return -EINVAL;
	if (tn_ofctl_scan_u128(m, &len) || len > bits)
		return tn_ofctl_complain(r->line, m.p, r->of,
			"%s: \"%s\" is no prefix length; write 0 to %u or an address as mask",
			tn_ofctl_show(r->view->spelt).s, tn_ofctl_show(m).s, bits);
	*mask = tn_ofctl_ones(bits) & ~tn_ofctl_ones(bits - (unsigned)len);
	return 0;
}

/* The bits of ip_frag that each word fixes. */
static const struct {
	const char *name;
	uint8_t value, mask;
} frag_words[] = {
	{"no", 0, TN_FRAG_ANY | TN_FRAG_LATER},
	{"first", TN_FRAG_ANY, TN_FRAG_ANY | TN_FRAG_LATER},
	{"later", TN_FRAG_ANY | TN_FRAG_LATER, TN_FRAG_ANY | TN_FRAG_LATER},
	{"yes", TN_FRAG_ANY, TN_FRAG_ANY},
	{"not_later", 0, TN_FRAG_LATER},
};

/* A word; value/mask for what no word says, so that whatever is printed can be read. */
static int read_frag(const struct reading *r, struct tn_ofctl_span s, tn_u128 *value, tn_u128 *mask,
	const char **mask_at)
{
	if (s.n && memchr(s.p, '/', s.n))
		return read_masked(r, s, read_number, value, mask, mask_at);
	for (size_t i = 0; i < TN_ARRAY_SIZE(frag_words); i++) {
		if (tn_ofctl_is_nocase(s, frag_words[i].name)) {
			*value = frag_words[i].value;
			*mask = frag_words[i].mask;
			return 0;
		}
	}
	return bad_value(r, s, "one of no, yes, first, later, not_later");
}

void tn_ofctl_put_frag(struct tn_ofctl_out *out, unsigned value, unsigned mask)
{
	for (size_t i = 0; i < TN_ARRAY_SIZE(frag_words); i++) {
		if (frag_words[i].value == value && frag_words[i].mask == mask) {
			tn_ofctl_put(out, "%s", frag_words[i].name);
			return;
		}
	}
	tn_ofctl_put(out, "0x%x/0x%x", value, mask);
}

#define TCP_FLAGS_ALL 0xfffu

/* By bit; the last three have no name. */
static const char *const tcp_flag_names[12] = {
	"fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr", "ns", "[200]", "[400]", "[800]"};

static unsigned tcp_flag(struct tn_ofctl_span s)
{
	for (unsigned i = 0; i < TN_ARRAY_SIZE(tcp_flag_names); i++)
		if (tn_ofctl_is(s, tcp_flag_names[i]))
			return 1u << i;
	return 0;
}

/* Takes what comes before the next of `ends` off *rest. */
static struct tn_ofctl_span take(struct tn_ofctl_span *rest, const char *ends)
{
	struct tn_ofctl_span s = {rest->p, 0};

	while (s.n < rest->n && !strchr(ends, rest->p[s.n]))
		s.n++;
	rest->p += s.n;
	rest->n -= s.n;
	return s;
}

static int bad_flag(const struct reading *r, struct tn_ofctl_span s)
{
	struct tn_ofctl_near near;

	tn_ofctl_near_init(&near, s);
	for (size_t i = 0; i < 9; i++)
		tn_ofctl_near_try(&near, tcp_flag_names[i]);
	return tn_ofctl_unknown(r->line, s, "TCP flag", &near,
		"the flags are fin, syn, rst, psh, ack, urg, ece, cwr, ns");
}

/* +syn-ack: the flags named, and no others. */
static int read_signed_flags(
	const struct reading *r, struct tn_ofctl_span s, tn_u128 *value, tn_u128 *mask)
{
	*mask = 0;
	while (s.n) {
		bool set = s.p[0] == '+';
		struct tn_ofctl_span name;
		unsigned flag;

		s.p++;
		s.n--;
		name = take(&s, "+-");
		flag = tcp_flag(name);
		if (!flag)
			return bad_flag(r, name);
		if (*mask & flag)
			return tn_ofctl_complain(r->line, name.p, TN_OF_OK,
				"TCP flag %s stands here twice; write it once",
				tn_ofctl_show(name).s);
		*mask |= flag;
		if (set)
			*value |= flag;
	}
	return 0;
}

/* syn|ack or 18: these flags set and all others not. */
static int read_flag_list(const struct reading *r, struct tn_ofctl_span s, tn_u128 *value)
{
	while (s.n) {
		struct tn_ofctl_span name = take(&s, "|");
		tn_u128 v = tcp_flag(name);

		if (!v && tn_ofctl_scan_u128(name, &v))
			return bad_flag(r, name);
		if (v > TCP_FLAGS_ALL)
			return tn_ofctl_complain(r->line, name.p, r->of,
				"tcp_flags: %s does not fit the field; it has 12 bits",
				tn_ofctl_show(name).s);
		*value |= v;
		if (s.n) {
			s.p++;
			s.n--;
		}
	}
	return 0;
}

static int read_tcp_flags(const struct reading *r, struct tn_ofctl_span s, tn_u128 *value,
	tn_u128 *mask, const char **mask_at)
{
	if (s.n == 0)
		return bad_value(r, s, "flags like +syn-ack or a number");
	if (memchr(s.p, '/', s.n))
		return read_masked(r, s, read_number, value, mask, mask_at);
	if (s.p[0] == '+' || s.p[0] == '-')
		return read_signed_flags(r, s, value, mask);
	return read_flag_list(r, s, value);
}

void tn_ofctl_put_tcp_flags(struct tn_ofctl_out *out, unsigned value, unsigned mask)
{
	if (mask == TCP_FLAGS_ALL && value == 0)
		tn_ofctl_put(out, "0");
	for (unsigned i = 0; i < TN_ARRAY_SIZE(tcp_flag_names); i++) {
		bool set = value >> i & 1;

		if (mask == TCP_FLAGS_ALL && set)
			tn_ofctl_put(out, "%s|", tcp_flag_names[i]);
		else if (mask != TCP_FLAGS_ALL && mask >> i & 1)
			tn_ofctl_put(out, "%c%s", set ? '+' : '-', tcp_flag_names[i]);
	}
	tn_ofctl_chomp(out, '|');
}

static int read_port(const struct reading *r, struct tn_ofctl_span s, tn_u128 *value)
{
	uint32_t port;

	if (s.n == 0)
		return bad_value(r, s, "a port number or name");
	if (tn_ofctl_port(r->line, s, r->of, &port))
		return -EINVAL;
	*value = port;
	return 0;
}

int tn_ofctl_parse_value(struct tn_ofctl_line *l, const struct tn_ofctl_view *view,
	struct tn_ofctl_span s, enum tn_of_error of, tn_u128 *value, tn_u128 *mask,
	const char **mask_at)
{
	const struct reading r = {l, view, of};
	int rc = -EINVAL;

	*value = 0;
	*mask = tn_ofctl_ones(view->bits);
	*mask_at = s.p;
	if (tn_ofctl_is(s, "*")) {
		*mask = 0;
		return 0;
	}
	switch (view->format) {
	case TN_OFCTL_DECIMAL:
	case TN_OFCTL_HEX:
		rc = read_masked(&r, s, read_number, value, mask, mask_at);
		break;
	case TN_OFCTL_MAC:
		rc = read_masked(&r, s, read_mac, value, mask, mask_at);
		break;
	case TN_OFCTL_IP4:
		rc = read_address(&r, s, read_ip4, value, mask, mask_at);
		break;
	case TN_OFCTL_IP6:
		rc = read_address(&r, s, read_ip6, value, mask, mask_at);
		break;
	case TN_OFCTL_PORT:
		rc = read_port(&r, s, value);
		break;
	case TN_OFCTL_FRAG:
		rc = read_frag(&r, s, value, mask, mask_at);
		break;
	case TN_OFCTL_TCP_FLAGS:
		rc = read_tcp_flags(&r, s, value, mask, mask_at);
		break;
	}
	*value &= *mask;
	if (rc == 0 && view->exact_only && *mask != tn_ofctl_ones(view->bits))
		return tn_ofctl_complain(l, *mask_at,
			of == TN_OFPBMC_BAD_VALUE ? TN_OFPBMC_BAD_MASK : TN_OFPBAC_BAD_SET_MASK,
			"%s takes no mask; write vlan_vid, with bit 0x1000 for a tag",
			tn_ofctl_show(view->spelt).s);
	return rc;
}

void tn_ofctl_put_mac(struct tn_ofctl_out *out, uint64_t value, uint64_t mask)
{
	for (int i = 40; i >= 0; i -= 8)
		tn_ofctl_put(out, i ? "%02x:" : "%02x", (unsigned)(value >> i & 0xff));
	if (mask != (uint64_t)tn_ofctl_ones(48)) {
		tn_ofctl_put(out, "/");
		tn_ofctl_put_mac(out, mask, (uint64_t)tn_ofctl_ones(48));
	}
}

/* Length of a prefix mask of that many bits; -1: not one. */
static int prefix_len(tn_u128 mask, unsigned bits)
{
	tn_u128 zeros = ~mask & tn_ofctl_ones(bits);
	int len = (int)bits;

	if (zeros & (zeros + 1))
		return -1;
	for (; zeros; zeros >>= 1)
		len--;
	return len;
}

static void put_ip4_address(struct tn_ofctl_out *out, uint32_t a)
{
	tn_ofctl_put(out, "%u.%u.%u.%u", a >> 24, a >> 16 & 0xff, a >> 8 & 0xff, a & 0xff);
}

void tn_ofctl_put_ip4(struct tn_ofctl_out *out, uint32_t value, uint32_t mask)
{
	int len = prefix_len(mask, 32);

	put_ip4_address(out, value);
	if (len < 0) {
		tn_ofctl_put(out, "/");
		put_ip4_address(out, mask);
	} else if (len < 32) {
		tn_ofctl_put(out, "/%d", len);
	}
}

static void put_ip6_address(struct tn_ofctl_out *out, tn_u128 value)
{
	struct tn_ip6 a = tn_u128_to_ip6(value);
	char text[INET6_ADDRSTRLEN];

	tn_ofctl_put(out, "%s", inet_ntop(AF_INET6, a.b, text, sizeof(text)));
}

void tn_ofctl_put_ip6(struct tn_ofctl_out *out, tn_u128 value, tn_u128 mask)
{
	int len = prefix_len(mask, 128);

	put_ip6_address(out, value);
	if (len < 0) {
		tn_ofctl_put(out, "/");
		put_ip6_address(out, mask);
	} else if (len < 128) {
		tn_ofctl_put(out, "/%d", len);
	}
}

/* Decimal values have hexadecimal masks. No number is wider than 64 bits. */
static void put_number(
	struct tn_ofctl_out *out, const struct tn_ofctl_view *view, tn_u128 value, tn_u128 mask)
{
	tn_ofctl_put(out, view->format == TN_OFCTL_DECIMAL ? "%llu" : "%#llx",
		(unsigned long long)value);
	if (mask != tn_ofctl_ones(view->bits))
		tn_ofctl_put(out, "/0x%llx", (unsigned long long)mask);
}

void tn_ofctl_put_value(
	struct tn_ofctl_out *out, const struct tn_ofctl_view *view, tn_u128 value, tn_u128 mask)
{
	switch (view->format) {
	case TN_OFCTL_DECIMAL:
	case TN_OFCTL_HEX:
		put_number(out, view, value, mask);
		break;
	case TN_OFCTL_MAC:
		tn_ofctl_put_mac(out, (uint64_t)value, (uint64_t)mask);
		break;
	case TN_OFCTL_IP4:
		tn_ofctl_put_ip4(out, (uint32_t)value, (uint32_t)mask);
		break;
	case TN_OFCTL_IP6:
		tn_ofctl_put_ip6(out, value, mask);
		break;
	case TN_OFCTL_PORT:
		tn_ofctl_put_port(out, (uint32_t)value);
		break;
	case TN_OFCTL_FRAG:
		tn_ofctl_put_frag(out, (unsigned)value, (unsigned)mask);
		break;
	case TN_OFCTL_TCP_FLAGS:
		tn_ofctl_put_tcp_flags(out, (unsigned)value, (unsigned)mask);
		break;
	}
}
