/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/model/ofctl_text.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SPACE " \t\r\n"
/* 16-bit port numbers of OpenFlow 1.0 that are not those of today: reserved ones. */
#define LEGACY_MIN   0xff00u
#define LEGACY_MAX   0xffffu
#define NAME_MAX_LEN 255u

int tn_ofctl_line_init(struct tn_ofctl_line *l, struct tn_ofctl *o, const char *text, size_t len)
{
	*l = (struct tn_ofctl_line){.o = o, .text = {text, len}};
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if ((c < 0x20 && !(c && strchr(SPACE, c))) || c == 0x7f)
			return tn_ofctl_complain(
				l, text + i, TN_OF_OK, "byte 0x%02x is not text; take it out", c);
	}
	return 0;
}

int tn_ofctl_complain(
	struct tn_ofctl_line *l, const char *at, enum tn_of_error of, const char *fmt, ...)
{
	char detail[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(detail, sizeof(detail), fmt, ap);
	va_end(ap);
	tn_diagnostics_add(
		l->o->diag, NULL, l->o->line, (uint32_t)(at - l->text.p) + 1, of, "%s", detail);
	l->n_errors++;
	return -EINVAL;
}

struct tn_ofctl_shown tn_ofctl_show(struct tn_ofctl_span s)
{
	struct tn_ofctl_shown shown;
	size_t n = s.n < sizeof(shown.s) ? s.n : sizeof(shown.s) - 4;

	for (size_t i = 0; i < n; i++)
		shown.s[i] = s.p[i] >= ' ' && s.p[i] <= '~' ? s.p[i] : '?';
	shown.s[n] = '\0';
	if (n < s.n)
		memcpy(shown.s + n, "...", 4);
	return shown;
}

bool tn_ofctl_is(struct tn_ofctl_span s, const char *word)
{
	return s.n == strlen(word) && memcmp(s.p, word, s.n) == 0;
}

bool tn_ofctl_is_nocase(struct tn_ofctl_span s, const char *word)
{
	return s.n == strlen(word) && strncasecmp(s.p, word, s.n) == 0;
}

int tn_ofctl_once(
	struct tn_ofctl_line *l, const struct tn_ofctl_item *item, unsigned key, uint64_t *seen)
{
	uint64_t bit = UINT64_C(1) << key;

	if (*seen & bit)
		return tn_ofctl_complain(l, item->key.p, TN_OF_OK,
			"%s stands here twice; keep one of the two", tn_ofctl_show(item->key).s);
	*seen |= bit;
	return 0;
}

static bool is_one_of(char c, const char *set)
{
	return c && strchr(set, c);
}

bool tn_ofctl_is_blank(struct tn_ofctl_span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_one_of(s.p[i], SPACE))
			return false;
	return true;
}

/* Length of the quoted name that starts s; 0: its end is missing. */
static size_t quoted_len(struct tn_ofctl_span s)
{
	for (size_t i = 1; i < s.n; i++) {
		if (s.p[i] == '\\')
			i++;
		else if (s.p[i] == '"')
			return i + 1;
	}
	return 0;
}

bool tn_ofctl_split(struct tn_ofctl_span s, const char *separator, struct tn_ofctl_span *before,
	struct tn_ofctl_span *after)
{
	size_t n = strlen(separator), quoted;

	for (size_t i = 0; i + n <= s.n; i++) {
		if (memcmp(s.p + i, separator, n) == 0) {
			*after = (struct tn_ofctl_span){s.p + i + n, s.n - i - n};
			*before = (struct tn_ofctl_span){s.p, i};
			return true;
		}
		if (s.p[i] == '"') {
			quoted = quoted_len((struct tn_ofctl_span){s.p + i, s.n - i});
			i += quoted ? quoted - 1 : 0;
		}
	}
	return false;
}

/*
 * Length of what comes before the first of `ends` that is outside quotes and parentheses; s.n when
 * there is none. Complains when a quote or parenthesis is left open, or one is closed too many.
 */
static int scan_to(struct tn_ofctl_line *l, struct tn_ofctl_span s, const char *ends, size_t *len)
{
	const char *open = NULL; /* the outermost '(' */
	size_t level = 0, i, n;

	for (i = 0; i < s.n; i += n) {
		char c = s.p[i];

		n = 1;
		if (level == 0 && is_one_of(c, ends))
			break;
		if (c == '"') {
			n = quoted_len((struct tn_ofctl_span){s.p + i, s.n - i});
			if (n == 0)
				return tn_ofctl_complain(l, s.p + i, TN_OF_OK,
					"quote is never closed; add a second '\"'");
		} else if (c == '(') {
			if (level++ == 0)
				open = s.p + i;
		} else if (c == ')') {
			if (level-- == 0)
				return tn_ofctl_complain(
					l, s.p + i, TN_OF_OK, "')' without a '('; take it out");
		}
	}
	if (level > 0)
		return tn_ofctl_complain(l, open, TN_OF_OK, "'(' is never closed; add a ')'");
	*len = i;
	return 0;
}

static void skip(struct tn_ofctl_span *s, size_t n)
{
	s->p += n;
	s->n -= n;
}

int tn_ofctl_next(struct tn_ofctl_line *l, struct tn_ofctl_span *rest, struct tn_ofctl_item *item)
{
	size_t n;

	while (rest->n && is_one_of(*rest->p, "," SPACE))
		skip(rest, 1);
	if (rest->n == 0)
		return 0;
	/* A '(' ends the key, so that scan_to() sees none open before it. */
	if (scan_to(l, *rest, ":=(," SPACE, &n))
		return -EINVAL;
	item->key = (struct tn_ofctl_span){rest->p, n};
	item->delimiter = 0;
	skip(rest, n);
	if (rest->n && is_one_of(*rest->p, ":=(")) {
		item->delimiter = *rest->p;
		skip(rest, 1);
	}
	item->value = (struct tn_ofctl_span){rest->p, 0};
	if (item->delimiter == 0)
		return 1;
	if (item->delimiter != '(') {
		if (scan_to(l, *rest, "," SPACE, &n))
			return -EINVAL;
		item->value.n = n;
		skip(rest, n);
		return 1;
	}
	if (scan_to(l, *rest, ")", &n))
		return -EINVAL;
	if (n == rest->n)
		return tn_ofctl_complain(
			l, rest->p - 1, TN_OF_OK, "'(' is never closed; add a ')'");
	item->value.n = n;
	skip(rest, n + 1);
	if (rest->n && !is_one_of(*rest->p, "," SPACE))
		return tn_ofctl_complain(l, rest->p, TN_OF_OK,
			"unexpected text after ')'; put a comma or a space between");
	return 1;
}

static int digit_of(char c, unsigned base)
{
	int d = -1;

	if (c >= '0' && c <= '9')
		d = c - '0';
	else if (c >= 'a' && c <= 'f')
		d = c - 'a' + 10;
	else if (c >= 'A' && c <= 'F')
		d = c - 'A' + 10;
	return d >= 0 && (unsigned)d < base ? d : -1;
}

int tn_ofctl_scan_u128(struct tn_ofctl_span s, tn_u128 *value)
{
	unsigned base = 10;
	tn_u128 v = 0;

	if (s.n > 2 && s.p[0] == '0' && (s.p[1] == 'x' || s.p[1] == 'X')) {
		base = 16;
		skip(&s, 2);
	} else if (s.n > 1 && s.p[0] == '0') {
		base = 8;
		skip(&s, 1);
	}
	if (s.n == 0)
		return -EINVAL;
	for (size_t i = 0; i < s.n; i++) {
		int d = digit_of(s.p[i], base);

		if (d < 0)
			return -EINVAL;
		if (v > (~(tn_u128)0 - (unsigned)d) / base)
			return -ERANGE;
		v = v * base + (unsigned)d;
	}
	*value = v;
	return 0;
}

int tn_ofctl_number(struct tn_ofctl_line *l, struct tn_ofctl_span s, const char *what,
	enum tn_of_error of, uint64_t min, uint64_t max, uint64_t *value)
{
	tn_u128 v = 0;
	int rc = tn_ofctl_scan_u128(s, &v);

	if (s.n == 0)
		return tn_ofctl_complain(l, s.p, TN_OF_OK, "%s needs a number of %llu to %llu",
			what, (unsigned long long)min, (unsigned long long)max);
	if (rc == -EINVAL)
		return tn_ofctl_complain(l, s.p, TN_OF_OK,
			"%s: \"%s\" is not a number; write %llu to %llu, decimal or 0x", what,
			tn_ofctl_show(s).s, (unsigned long long)min, (unsigned long long)max);
	if (rc || v < min || v > max)
		return tn_ofctl_complain(l, s.p, of, "%s: %s is out of range; write %llu to %llu",
			what, tn_ofctl_show(s).s, (unsigned long long)min, (unsigned long long)max);
	*value = (uint64_t)v;
	return 0;
}

int tn_ofctl_u64(struct tn_ofctl_line *l, struct tn_ofctl_span s, const char *what,
	enum tn_of_error of, uint64_t *value)
{
	if (tn_ofctl_is(s, "-1")) {
		*value = UINT64_MAX;
		return 0;
	}
	return tn_ofctl_number(l, s, what, of, 0, UINT64_MAX, value);
}

static const struct {
	const char *name;
	uint32_t port;
} reserved_ports[] = {
	{"IN_PORT", TN_PORT_IN_PORT}, {"TABLE", TN_PORT_TABLE}, {"NORMAL", TN_PORT_NORMAL},
	{"FLOOD", TN_PORT_FLOOD}, {"ALL", TN_PORT_ALL}, {"CONTROLLER", TN_PORT_CONTROLLER},
	{"LOCAL", TN_PORT_LOCAL}, {"ANY", TN_PORT_ANY}, {"UNSET", TN_PORT_UNSET},
	{"NONE", TN_PORT_ANY}, /* OpenFlow 1.0's word for it; printed as ANY */
};

static const char *reserved_port_name(uint32_t port)
{
	for (size_t i = 0; i < TN_ARRAY_SIZE(reserved_ports); i++)
		if (reserved_ports[i].port == port)
			return reserved_ports[i].name;
	return NULL;
}

bool tn_ofctl_port_is_reserved(uint32_t port)
{
	return reserved_port_name(port) != NULL;
}

/* Unquotes into name; false when it is too long or not a name. */
static bool copy_name(struct tn_ofctl_span s, char name[NAME_MAX_LEN + 1])
{
	bool quoted = s.n && s.p[0] == '"';
	size_t n = 0;

	if (quoted) {
		if (s.n < 2 || quoted_len(s) != s.n)
			return false;
		s = (struct tn_ofctl_span){s.p + 1, s.n - 2};
	}
	for (size_t i = 0; i < s.n; i++) {
		if (quoted && s.p[i] == '\\')
			i++;
		if (n == NAME_MAX_LEN || i == s.n)
			return false;
		name[n++] = s.p[i];
	}
	name[n] = '\0';
	return n > 0;
}

static bool port_from_number(struct tn_ofctl_span s, uint32_t *port)
{
	bool hex = s.n > 2 && (s.p[1] == 'x' || s.p[1] == 'X');
	tn_u128 v;

	/* A leading zero is no octal number here: ovs-ofctl reads ports as decimal. */
	while (!hex && s.n > 1 && s.p[0] == '0')
		skip(&s, 1);
	if (tn_ofctl_scan_u128(s, &v) || v > UINT32_MAX)
		return false;
	if (!hex && v >= LEGACY_MIN && v <= LEGACY_MAX)
		v |= UINT32_MAX - LEGACY_MAX;
	*port = (uint32_t)v;
	return *port <= TN_PORT_MAX || tn_ofctl_port_is_reserved(*port);
}

bool tn_ofctl_scan_port(const struct tn_ofctl *o, struct tn_ofctl_span s, uint32_t *port)
{
	char name[NAME_MAX_LEN + 1];

	if (port_from_number(s, port))
		return true;
	for (size_t i = 0; i < TN_ARRAY_SIZE(reserved_ports); i++) {
		if (tn_ofctl_is_nocase(s, reserved_ports[i].name)) {
			*port = reserved_ports[i].port;
			return true;
		}
	}
	if (!o->names || !copy_name(s, name))
		return false;
	*port = tn_names_port_by_name(o->names, name);
	return *port != 0;
}

int tn_ofctl_port(
	struct tn_ofctl_line *l, struct tn_ofctl_span s, enum tn_of_error of, uint32_t *port)
{
	char name[NAME_MAX_LEN + 1];
	const char *near = NULL;

	if (tn_ofctl_scan_port(l->o, s, port))
		return 0;
	if (s.n == 0)
		return tn_ofctl_complain(
			l, s.p, TN_OF_OK, "port is missing; write its number or name");
	if (l->o->names && copy_name(s, name))
		near = tn_names_nearest_port(l->o->names, name);
	if (near)
		return tn_ofctl_complain(l, s.p, of, "unknown port \"%s\"; did you mean \"%s\"?",
			tn_ofctl_show(s).s, near);
	return tn_ofctl_complain(l, s.p, of,
		l->o->names ? "unknown port \"%s\"; write a number of 1 to 65279, a declared name "
			      "or LOCAL"
			    : "unknown port \"%s\"; write its number, 1 to 65279, or LOCAL: names "
			      "are not known here",
		tn_ofctl_show(s).s);
}

int tn_ofctl_table(struct tn_ofctl_line *l, struct tn_ofctl_span s, enum tn_of_error of,
	uint8_t max, uint8_t *table)
{
	char name[NAME_MAX_LEN + 1];
	const char *near = NULL;
	tn_u128 number;
	uint64_t v;
	int id = -1;

	if (tn_ofctl_scan_u128(s, &number) && l->o->names && copy_name(s, name)) {
		id = tn_names_table_by_name(l->o->names, name);
		near = id < 0 ? tn_names_nearest_table(l->o->names, name) : NULL;
	}
	if (near)
		return tn_ofctl_complain(l, s.p, of, "unknown table \"%s\"; did you mean \"%s\"?",
			tn_ofctl_show(s).s, near);
	if (id < 0) {
		if (tn_ofctl_number(l, s, "table", of, 0, max, &v))
			return -EINVAL;
		id = (int)v;
	}
	*table = (uint8_t)id;
	return 0;
}

void tn_ofctl_near_init(struct tn_ofctl_near *near, struct tn_ofctl_span s)
{
	*near = (struct tn_ofctl_near){.distance = 3};
	if (s.n > 4) /* two edits may make any short word of another */
		near->distance = 4;
	if (s.n < sizeof(near->word))
		memcpy(near->word, s.p, s.n);
}

void tn_ofctl_near_try(struct tn_ofctl_near *near, const char *word)
{
	size_t n = strlen(near->word);
	unsigned d;

	if (!near->word[0])
		return;
	d = tn_names_distance(near->word, word, 2);
	/* The beginning of a word is nearer than any two edits. */
	if (n > 2 && d > 3 && strncasecmp(near->word, word, n) == 0)
		d = 3;
	if (d < near->distance || (d == near->distance && !near->best)) {
		near->distance = d;
		near->best = word;
	}
}

int tn_ofctl_unknown(struct tn_ofctl_line *l, struct tn_ofctl_span s, const char *what,
	const struct tn_ofctl_near *near, const char *advice)
{
	if (near->best)
		return tn_ofctl_complain(l, s.p, TN_OF_OK,
			"unknown %s \"%s\"; did you mean \"%s\"?", what, tn_ofctl_show(s).s,
			near->best);
	return tn_ofctl_complain(
		l, s.p, TN_OF_OK, "unknown %s \"%s\"; %s", what, tn_ofctl_show(s).s, advice);
}

void tn_ofctl_out_init(struct tn_ofctl_out *out, const struct tn_names *names)
{
	*out = (struct tn_ofctl_out){.names = names};
	tn_ofctl_put(out, "%s", "");
}

static bool make_room(struct tn_ofctl_out *out, size_t more)
{
	size_t room = out->room ? out->room : 128;
	char *s;

	while (room - out->n <= more)
		room *= 2;
	if (room == out->room)
		return true;
	s = realloc(out->s, room);
	if (!s) {
		out->failed = true;
		return false;
	}
	out->s = s;
	out->room = room;
	return true;
}

void tn_ofctl_put(struct tn_ofctl_out *out, const char *fmt, ...)
{
	va_list ap, again;
	int n;

	if (out->failed || !make_room(out, 64))
		return;
	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(out->s + out->n, out->room - out->n, fmt, ap);
	va_end(ap);
	if (n > 0 && (size_t)n >= out->room - out->n && make_room(out, (size_t)n))
		vsnprintf(out->s + out->n, out->room - out->n, fmt, again);
	va_end(again);
	if (n > 0 && !out->failed)
		out->n += (size_t)n;
}

void tn_ofctl_chomp(struct tn_ofctl_out *out, char c)
{
	if (!out->failed && out->n && out->s[out->n - 1] == c)
		out->s[--out->n] = '\0';
}

char *tn_ofctl_finish(struct tn_ofctl_out *out)
{
	if (out->failed) {
		free(out->s);
		return NULL;
	}
	return out->s;
}

/* Letters and digits after a letter stand as they are, as ovs-ofctl does; the rest is quoted. */
static void put_name(struct tn_ofctl_out *out, const char *name)
{
	bool plain = isalpha((unsigned char)name[0]) && !(name[0] & 0x80);

	for (const char *p = name; *p && plain; p++)
		plain = isalnum((unsigned char)*p) && !(*p & 0x80);
	if (plain) {
		tn_ofctl_put(out, "%s", name);
		return;
	}
	tn_ofctl_put(out, "\"");
	for (const char *p = name; *p; p++)
		tn_ofctl_put(out, is_one_of(*p, "\"\\") ? "\\%c" : "%c", *p);
	tn_ofctl_put(out, "\"");
}

/* What could not be read back is not used as a name. */
static bool is_readable(const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < n; i++)
		if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f)
			return false;
	return n > 0 && n <= NAME_MAX_LEN;
}

/* Nor is a name that reads as another port. */
static bool names_port(const char *name, uint32_t port)
{
	const struct tn_ofctl none = {0};
	uint32_t other;

	return is_readable(name) &&
		(!tn_ofctl_scan_port(&none, (struct tn_ofctl_span){name, strlen(name)}, &other) ||
			other == port);
}

void tn_ofctl_put_port(struct tn_ofctl_out *out, uint32_t port)
{
	const char *name = reserved_port_name(port);

	if (name) {
		tn_ofctl_put(out, "%s", name);
		return;
	}
	name = out->names ? tn_names_port_name(out->names, port) : NULL;
	if (name && names_port(name, port))
		put_name(out, name);
	else if (port >= LEGACY_MIN && port <= LEGACY_MAX)
		tn_ofctl_put(out, "0x%x", port); /* decimal would be one of OpenFlow 1.0 */
	else
		tn_ofctl_put(out, "%u", port);
}

void tn_ofctl_put_table(struct tn_ofctl_out *out, uint8_t table)
{
	const char *name = out->names ? tn_names_table_name(out->names, table) : NULL;
	tn_u128 number;

	if (name && is_readable(name) &&
		tn_ofctl_scan_u128((struct tn_ofctl_span){name, strlen(name)}, &number))
		put_name(out, name);
	else
		tn_ofctl_put(out, "%u", table);
}
