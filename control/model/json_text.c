/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/model/json_text.h"

#include <emmintrin.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPEN		UINT32_MAX /* `next` of a container that is being read */
#define POINTER_KEY_MAX 200u	   /* bytes of a key that a pointer shows */
#define QUOTE_MAX	40u
#define PAIRWISE_MAX	16u /* members up to which duplicates are looked for pair by pair */

void tn_json_tape_init(struct tn_json_tape *t)
{
	*t = (struct tn_json_tape){0};
}

void tn_json_tape_fini(struct tn_json_tape *t)
{
	free(t->v);
	tn_arena_fini(&t->strings);
	tn_json_tape_init(t);
}

static void tape_clear(struct tn_json_tape *t)
{
	t->n = 0;
	if (t->strings.chunks)
		tn_arena_fini(&t->strings);
}

/* A new value at the end of the tape, inside the container at `parent` (the root's is itself). */
static struct tn_json_value *tape_add(
	struct tn_json_tape *t, uint32_t parent, struct tn_json_string key)
{
	struct tn_json_value *v;

	if (t->n == t->room) {
		t->room = t->room ? t->room * 2 : 64;
		t->v = realloc(t->v, t->room * sizeof(*t->v));
		if (!t->v)
			abort();
	}
	v = &t->v[t->n++];
	memset(v, 0, sizeof(*v));
	v->key = key;
	v->next = t->n;
	v->parent = parent;
	if (t->n > 1)
		v->ordinal = t->v[parent].n++;
	return v;
}

const char *tn_json_quote(struct tn_json_string s, char *buf, size_t size)
{
	size_t i, n = 0, len = s.len;

	if (len > QUOTE_MAX) {
		len = QUOTE_MAX;
		while (len && ((uint8_t)s.p[len] & 0xc0) == 0x80)
			len--;
	}
	buf[n++] = '"';
	for (i = 0; i < len && n + 12 < size; i++) {
		uint8_t c = (uint8_t)s.p[i];

		if (c < 0x20 || c == 0x7f)
			n += (size_t)snprintf(buf + n, size - n, "\\u%04x", c);
		else if (c == '"' || c == '\\')
			n += (size_t)snprintf(buf + n, size - n, "\\%c", c);
		else
			buf[n++] = (char)c;
	}
	snprintf(buf + n, size - n, "%s\"", i < s.len ? "..." : "");
	return buf;
}

/* Pointers. */

struct text {
	char *p;
	size_t n, room;
};

static void text_add(struct text *b, const char *s, size_t len)
{
	if (b->n + len + 1 > b->room) {
		b->room = (b->n + len + 1) * 2;
		b->p = realloc(b->p, b->room);
		if (!b->p)
			abort();
	}
	memcpy(b->p + b->n, s, len);
	b->n += len;
	b->p[b->n] = '\0';
}

static void text_add_key(struct text *b, struct tn_json_string key)
{
	size_t i, len = key.len;

	if (len > POINTER_KEY_MAX) {
		len = POINTER_KEY_MAX;
		while (len && ((uint8_t)key.p[len] & 0xc0) == 0x80)
			len--;
	}
	text_add(b, "/", 1);
	for (i = 0; i < len; i++) {
		if (key.p[i] == '~')
			text_add(b, "~0", 2);
		else if (key.p[i] == '/')
			text_add(b, "~1", 2);
		else
			text_add(b, key.p + i, 1);
	}
	if (len < key.len)
		text_add(b, "...", 3);
}

char *tn_json_pointer(const struct tn_json_tape *t, const struct tn_json_value *v, const char *base)
{
	const struct tn_json_value *up[TN_JSON_DEPTH_MAX + 1];
	struct text b = {0};
	char number[16];
	unsigned n = 0;

	for (; v != t->v && n < TN_ARRAY_SIZE(up); v = t->v + v->parent)
		up[n++] = v;
	text_add(&b, base, strlen(base));
	while (n-- > 0) {
		if (up[n]->key.p) {
			text_add_key(&b, up[n]->key);
		} else {
			snprintf(number, sizeof(number), "/%u", up[n]->ordinal);
			text_add(&b, number, strlen(number));
		}
	}
	return b.p;
}

/* The source. */

void tn_json_source_init(
	struct tn_json_source *s, const char *text, size_t len, struct tn_diagnostics *diag)
{
	*s = (struct tn_json_source){
		.text = text, .len = len, .line = 1, .diag = diag, .pointer = ""};
}

static uint32_t column(const struct tn_json_source *s, size_t pos)
{
	return (uint32_t)(pos - s->line_start) + 1;
}

/* The one error of syntax: said at pos, with the pointer of what was being read. */
static bool fail(struct tn_json_source *s, const struct tn_json_tape *t, size_t pos,
	const char *fmt, ...) TN_PRINTF(4, 5);

static bool fail(
	struct tn_json_source *s, const struct tn_json_tape *t, size_t pos, const char *fmt, ...)
{
	char *pointer = NULL, detail[256];
	uint32_t i;
	va_list ap;

	if (s->failed)
		return false;
	s->failed = true;
	va_start(ap, fmt);
	vsnprintf(detail, sizeof(detail), fmt, ap);
	va_end(ap);
	for (i = t ? t->n : 0; i-- > 0;)
		if (t->v[i].next == OPEN) {
			pointer = tn_json_pointer(t, &t->v[i], s->pointer);
			break;
		}
	tn_diagnostics_add(s->diag, pointer ? pointer : s->pointer, s->line, column(s, pos),
		TN_OF_OK, "%s", detail);
	free(pointer);
	return false;
}

char tn_json_peek(struct tn_json_source *s)
{
	while (s->pos < s->len) {
		char c = s->text[s->pos];

		if (c == '\n') {
			s->line++;
			s->line_start = s->pos + 1;
		} else if (c != ' ' && c != '\t' && c != '\r') {
			return c;
		}
		s->pos++;
	}
	return 0;
}

static bool at_end(const struct tn_json_source *s)
{
	return s->pos >= s->len;
}

/* What stands where a value, a comma or a bracket should: a sentence for the usual mistakes. */
static bool fail_at(struct tn_json_source *s, const struct tn_json_tape *t, const char *wanted)
{
	const char *p = s->text + s->pos;
	size_t left = s->len - s->pos;
	uint8_t c;

	if (at_end(s))
		return fail(s, t, s->pos, "the text ends here, but %s must follow", wanted);
	c = (uint8_t)*p;
	if (c == 0)
		return fail(s, t, s->pos, "a NUL byte; JSON is text");
	if (left >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0)
		return fail(s, t, s->pos, "a byte order mark; remove these three bytes");
	if (c >= 0x80)
		return fail(s, t, s->pos, "byte 0x%02x outside a string; %s must stand here", c,
			wanted);
	if (left >= 2 && c == '/' && (p[1] == '/' || p[1] == '*'))
		return fail(s, t, s->pos, "JSON has no comments; remove it");
	if (c == '\'')
		return fail(s, t, s->pos, "JSON strings stand in double quotes");
	if (c < 0x20 || c == 0x7f)
		return fail(
			s, t, s->pos, "control character 0x%02x; %s must stand here", c, wanted);
	return fail(s, t, s->pos, "'%c' where %s must stand", c, wanted);
}

void tn_json_enter(struct tn_json_source *s)
{
	s->pos++;
	s->depth++;
}

/* Past the comma or the closing bracket of the container whose opening bracket was `open`. */
static bool more(struct tn_json_source *s, const struct tn_json_tape *t, bool first, char open)
{
	char c, close = open == '{' ? '}' : ']';
	struct tn_json_source comma;

	if (s->failed)
		return false;
	c = tn_json_peek(s);
	if (c == close && !at_end(s)) {
		s->pos++;
		s->depth--;
		return false;
	}
	if (first)
		return true;
	if (c != ',')
		return fail_at(s, t, open == '{' ? "',' or '}'" : "',' or ']'");
	comma = *s;
	s->pos++;
	if (tn_json_peek(s) == close) {
		*s = comma;
		return fail(s, t, s->pos, "a comma before '%c'; remove the comma", close);
	}
	return true;
}

bool tn_json_more(struct tn_json_source *s, char open, bool first)
{
	return more(s, NULL, first, open);
}

bool tn_json_end(struct tn_json_source *s)
{
	if (s->failed)
		return false;
	tn_json_peek(s);
	if (!at_end(s))
		return fail(s, NULL, s->pos,
			"the document ended before this; remove what follows its last bracket");
	return true;
}

/* Strings. */

/* 0: plain byte of a string; 1: quote; 2: backslash; 3: control; 4: first byte of a sequence. */
static const uint8_t byte_class[256] = {
	[0 ... 0x1f] = 3, ['"'] = 1, ['\\'] = 2, [0x80 ... 0xff] = 4};

/* Length of the UTF-8 sequence at p, 0 when it is none (overlong, surrogate, too high, cut). */
static size_t utf8_length(const uint8_t *p, size_t left)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2, i;
	uint32_t c;

	if (p[0] < 0xc2 || p[0] > 0xf4 || left < n)
		return 0;
	c = p[0] & (0x7fu >> n);
	for (i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3fu);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	return n;
}

/* The four digits after "\u"; -1 when they are not. */
static int32_t hex4(const char *p, size_t left)
{
	int32_t v = 0;
	int i, d;

	if (left < 4)
		return -1;
	for (i = 0; i < 4; i++) {
		d = tn_json_hex_digit(p[i]);
		if (d < 0)
			return -1;
		v = v << 4 | d;
	}
	return v;
}

static size_t put_utf8(char *out, uint32_t c)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

/* "\uXXXX" at s->pos, with its second half where it needs one. 0: refused. */
static uint32_t unicode_escape(struct tn_json_source *s, const struct tn_json_tape *t)
{
	const char *p = s->text + s->pos + 2;
	size_t left = s->len - s->pos - 2;
	int32_t c = hex4(p, left), low;

	if (c < 0) {
		fail(s, t, s->pos, "\\u needs four hex digits");
		return 0;
	}
	if (c == 0) {
		fail(s, t, s->pos, "\\u0000: no string of ours holds a NUL");
		return 0;
	}
	s->pos += 6;
	if (c < 0xd800 || c > 0xdfff)
		return (uint32_t)c;
	low = left >= 10 && p[4] == '\\' && p[5] == 'u' ? hex4(p + 6, left - 6) : -1;
	if (c > 0xdbff || low < 0xdc00 || low > 0xdfff) {
		fail(s, t, s->pos - 6, "\\u%04x is half of a surrogate pair, alone", (unsigned)c);
		return 0;
	}
	s->pos += 6;
	return 0x10000 + (((uint32_t)c - 0xd800) << 10) + ((uint32_t)low - 0xdc00);
}

/* One escape at s->pos; its bytes go to out. 0: refused. */
static size_t escape(struct tn_json_source *s, const struct tn_json_tape *t, char *out)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	char c = s->pos + 1 < s->len ? s->text[s->pos + 1] : 0;
	const char *found = c ? strchr(from, c) : NULL;
	uint32_t u;

	if (c == 'u') {
		u = unicode_escape(s, t);
		return u ? put_utf8(out, u) : 0;
	}
	if (!found) {
		fail(s, t, s->pos, "a backslash may stand before \" \\ / b f n r t u only");
		return 0;
	}
	out[0] = to[found - from];
	s->pos += 2;
	return 1;
}

/* The first byte from `at` on that is not plain. */
static size_t end_of_plain(const uint8_t *p, size_t at, size_t len)
{
	const __m128i quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\');
	const __m128i space = _mm_set1_epi8(' ');

	for (; at + 16 <= len; at += 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + at));
		/* Signed: those from 0x80 on are less, too. */
		__m128i other = _mm_or_si128(_mm_cmplt_epi8(v, space),
			_mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, backslash)));
		unsigned mask = (unsigned)_mm_movemask_epi8(other);

		if (mask)
			return at + (unsigned)__builtin_ctz(mask);
	}
	while (at < len && byte_class[p[at]] == 0)
		at++;
	return at;
}

/* Moves over plain bytes; stops at the quote, a backslash, or at an error (false). */
static bool plain_bytes(struct tn_json_source *s, const struct tn_json_tape *t, size_t start)
{
	const uint8_t *p = (const uint8_t *)s->text;
	size_t n;

	for (;;) {
		s->pos = end_of_plain(p, s->pos, s->len);
		if (at_end(s))
			return fail(s, t, start, "a string that does not end; close it with \"");
		if (p[s->pos] == '"' || p[s->pos] == '\\')
			return true;
		if (p[s->pos] == 0)
			return fail(s, t, s->pos, "a NUL byte in a string");
		if (p[s->pos] == '\n')
			return fail(s, t, start,
				"a string that does not end on its line; close it with \", or "
				"write a line break as \\n");
		if (p[s->pos] < 0x20)
			return fail(s, t, s->pos,
				"control character 0x%02x in a string; write it as \\u%04x",
				p[s->pos], p[s->pos]);
		n = utf8_length(p + s->pos, s->len - s->pos);
		if (n == 0)
			return fail(s, t, s->pos, "byte 0x%02x is not UTF-8", p[s->pos]);
		s->pos += n;
	}
}

/* A string with escapes in it: decoded into the tape's arena. s->pos is at the first one. */
static bool escaped_string(
	struct tn_json_source *s, struct tn_json_tape *t, size_t start, struct tn_json_string *out)
{
	struct text b = {0};
	size_t from = start + 1, n;
	char bytes[4];
	bool ok;

	for (;;) {
		text_add(&b, s->text + from, s->pos - from);
		if (s->text[s->pos] == '"')
			break;
		n = escape(s, t, bytes);
		if (n)
			text_add(&b, bytes, n);
		from = s->pos;
		ok = n && plain_bytes(s, t, start);
		if (!ok) {
			free(b.p);
			return false;
		}
	}
	s->pos++;
	out->p = tn_arena_dup(&t->strings, b.p, b.n + 1);
	out->len = (uint32_t)b.n;
	free(b.p);
	return true;
}

/* s->pos is at the opening quote. */
static bool string(struct tn_json_source *s, struct tn_json_tape *t, struct tn_json_string *out)
{
	size_t start = s->pos++;

	if (!plain_bytes(s, t, start))
		return false;
	if (s->text[s->pos] == '\\')
		return escaped_string(s, t, start, out);
	out->p = s->text + start + 1;
	out->len = (uint32_t)(s->pos - start - 1);
	s->pos++;
	return true;
}

/* Key and colon. */
static bool key(
	struct tn_json_source *s, struct tn_json_tape *t, struct tn_json_string *out, uint32_t *col)
{
	if (tn_json_peek(s) != '"')
		return fail_at(s, t, "a key in double quotes");
	*col = column(s, s->pos);
	if (!string(s, t, out))
		return false;
	if (tn_json_peek(s) != ':')
		return fail_at(s, t, "':'");
	s->pos++;
	return true;
}

bool tn_json_key(struct tn_json_source *s, struct tn_json_tape *t, struct tn_json_value *out)
{
	*out = (struct tn_json_value){.type = TN_JSON_STRING};
	tape_clear(t);
	if (!key(s, t, &out->string, &out->column))
		return false;
	out->line = s->line;
	return true;
}

/* Numbers and words. */

static bool digit(const struct tn_json_source *s, size_t pos)
{
	return pos < s->len && s->text[pos] >= '0' && s->text[pos] <= '9';
}

static bool fraction(struct tn_json_source *s, const struct tn_json_tape *t, size_t *p, bool *real)
{
	if (*p < s->len && s->text[*p] == '.') {
		*real = true;
		if (!digit(s, ++*p))
			return fail(s, t, *p, "a digit must follow the decimal point");
		while (digit(s, *p))
			++*p;
	}
	if (*p < s->len && (s->text[*p] == 'e' || s->text[*p] == 'E')) {
		*real = true;
		++*p;
		if (*p < s->len && (s->text[*p] == '+' || s->text[*p] == '-'))
			++*p;
		if (!digit(s, *p))
			return fail(s, t, *p, "a digit must follow the exponent sign");
		while (digit(s, *p))
			++*p;
	}
	return true;
}

static bool number(struct tn_json_source *s, struct tn_json_tape *t, struct tn_json_value *v)
{
	size_t p = s->pos, first;
	bool real = false;
	uint64_t u = 0;

	v->negative = s->text[p] == '-';
	p += v->negative;
	first = p;
	if (!digit(s, p))
		return fail(s, t, s->pos, "a minus sign needs digits after it");
	for (; digit(s, p); p++)
		if (__builtin_mul_overflow(u, 10u, &u) ||
			__builtin_add_overflow(u, (uint64_t)(s->text[p] - '0'), &u))
			v->too_big = true;
	if (s->text[first] == '0' && p > first + 1)
		return fail(s, t, s->pos, "a number must not start with 0");
	if (p < s->len && (s->text[p] == 'x' || s->text[p] == 'X'))
		return fail(
			s, t, s->pos, "JSON has no hex numbers; write it as a string, \"0x..\"");
	if (!fraction(s, t, &p, &real))
		return false;
	v->type = real ? TN_JSON_REAL : TN_JSON_INTEGER;
	v->magnitude = u;
	if (u == 0 && !real && !v->too_big)
		v->negative = false;
	s->pos = p;
	return true;
}

static bool is_word_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		c == '_';
}

static bool word(struct tn_json_source *s, struct tn_json_tape *t, struct tn_json_value *v)
{
	static const struct {
		const char *word;
		enum tn_json_type type;
	} words[] = {{"null", TN_JSON_NULL}, {"false", TN_JSON_FALSE}, {"true", TN_JSON_TRUE}};
	struct tn_json_string w = {.p = s->text + s->pos};
	char quoted[64];
	size_t i;

	while (s->pos + w.len < s->len && is_word_char(w.p[w.len]))
		w.len++;
	if (w.len == 0)
		return fail_at(s, t, "a value");
	for (i = 0; i < TN_ARRAY_SIZE(words); i++)
		if (tn_json_string_is(w, words[i].word)) {
			v->type = (uint8_t)words[i].type;
			s->pos += w.len;
			return true;
		}
	return fail(s, t, s->pos,
		"%s is not JSON; a value is a number, a string in double quotes, true, false, "
		"null, an array or an object",
		tn_json_quote(w, quoted, sizeof(quoted)));
}

/* Containers. */

static int compare_keys(const void *a, const void *b, void *tape)
{
	const struct tn_json_value *v = ((const struct tn_json_tape *)tape)->v;
	uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
	const struct tn_json_string *x = &v[i].key, *y = &v[j].key;
	int c;

	if (x->len != y->len)
		return x->len < y->len ? -1 : 1;
	c = memcmp(x->p, y->p, x->len);
	return c ? c : (i > j) - (i < j);
}

static bool same_key(const struct tn_json_value *a, const struct tn_json_value *b)
{
	return a->key.len == b->key.len && memcmp(a->key.p, b->key.p, a->key.len) == 0;
}

static void say_duplicate(struct tn_json_source *s, const struct tn_json_tape *t,
	const struct tn_json_value *v, const struct tn_json_value *before)
{
	char quoted[80], *pointer = tn_json_pointer(t, v, s->pointer);

	tn_diagnostics_add(s->diag, pointer, v->line, v->column, TN_OF_OK,
		"key %s stands twice in one object, first on line %u; keep one",
		tn_json_quote(v->key, quoted, sizeof(quoted)), before->line);
	free(pointer);
}

static void check_many_keys(
	struct tn_json_source *s, struct tn_json_tape *t, const struct tn_json_value *object)
{
	uint32_t *order = malloc(object->n * sizeof(*order)), i;
	const struct tn_json_value *m = tn_json_first(object);

	if (!order)
		abort();
	for (i = 0; i < object->n; i++, m = tn_json_next(t, m))
		order[i] = (uint32_t)(m - t->v);
	qsort_r(order, object->n, sizeof(*order), compare_keys, t);
	for (i = 1; i < object->n; i++)
		if (same_key(&t->v[order[i]], &t->v[order[i - 1]]))
			say_duplicate(s, t, &t->v[order[i]], &t->v[order[i - 1]]);
	free(order);
}

static void check_keys(
	struct tn_json_source *s, struct tn_json_tape *t, const struct tn_json_value *object)
{
	const struct tn_json_value *a = tn_json_first(object), *b;
	uint32_t i, j;

	if (s->allow_duplicates)
		return;
	if (object->n > PAIRWISE_MAX) {
		check_many_keys(s, t, object);
		return;
	}
	for (i = 1; i < object->n; i++) {
		a = tn_json_next(t, a);
		b = tn_json_first(object);
		for (j = 0; j < i; j++, b = tn_json_next(t, b))
			if (same_key(a, b)) {
				say_duplicate(s, t, a, b);
				break;
			}
	}
}

static bool value(
	struct tn_json_source *s, struct tn_json_tape *t, uint32_t parent, struct tn_json_string k);

static bool container(struct tn_json_source *s, struct tn_json_tape *t, uint32_t at)
{
	char open = s->text[s->pos];
	struct tn_json_string k = {0};
	uint32_t col;
	bool first = true;

	if (s->depth >= TN_JSON_DEPTH_MAX)
		return fail(s, t, s->pos, "nested over %u levels deep", TN_JSON_DEPTH_MAX);
	t->v[at].type = open == '{' ? TN_JSON_OBJECT : TN_JSON_ARRAY;
	t->v[at].next = OPEN;
	tn_json_enter(s);
	for (; more(s, t, first, open); first = false) {
		if (open == '{' && !key(s, t, &k, &col))
			return false;
		if (!value(s, t, at, k))
			return false;
	}
	if (s->failed)
		return false;
	t->v[at].next = t->n;
	if (open == '{')
		check_keys(s, t, &t->v[at]);
	return true;
}

static bool value(
	struct tn_json_source *s, struct tn_json_tape *t, uint32_t parent, struct tn_json_string k)
{
	char c = tn_json_peek(s);
	uint32_t at = t->n;
	struct tn_json_value *v;

	if (at >= TN_JSON_VALUES_MAX)
		return fail(s, t, s->pos, "more than %u values in one element; split it",
			TN_JSON_VALUES_MAX);
	v = tape_add(t, parent, k);
	v->line = s->line;
	v->column = column(s, s->pos);
	switch (c) {
	case '{':
	case '[':
		return container(s, t, at);
	case '"':
		v->type = TN_JSON_STRING;
		return string(s, t, &v->string);
	case '-':
	case '0' ... '9':
		return number(s, t, v);
	default:
		return word(s, t, v);
	}
}

bool tn_json_value(struct tn_json_source *s, struct tn_json_tape *t)
{
	tape_clear(t);
	if (s->failed)
		return false;
	return value(s, t, 0, (struct tn_json_string){0});
}

/* Trees of jansson's. */

static bool load(struct tn_json_tape *t, const json_t *tree, uint32_t parent,
	struct tn_json_string k, unsigned depth);

static bool load_container(struct tn_json_tape *t, const json_t *tree, unsigned depth)
{
	uint32_t at = t->n - 1;
	const char *name;
	json_t *child;
	size_t i;

	if (depth >= TN_JSON_DEPTH_MAX)
		return false;
	if (json_is_array(tree)) {
		t->v[at].type = TN_JSON_ARRAY;
		json_array_foreach(tree, i, child)
		{
			if (!load(t, child, at, (struct tn_json_string){0}, depth + 1))
				return false;
		}
	} else {
		t->v[at].type = TN_JSON_OBJECT;
		void *iter = json_object_iter((json_t *)(uintptr_t)tree);

		for (; iter; iter = json_object_iter_next((json_t *)(uintptr_t)tree, iter)) {
			name = json_object_iter_key(iter);
			if (!load(t, json_object_iter_value(iter), at,
				    (struct tn_json_string){name, (uint32_t)strlen(name)},
				    depth + 1))
				return false;
		}
	}
	t->v[at].next = t->n;
	return true;
}

static bool load(struct tn_json_tape *t, const json_t *tree, uint32_t parent,
	struct tn_json_string k, unsigned depth)
{
	struct tn_json_value *v;
	json_int_t i;

	if (t->n >= TN_JSON_VALUES_MAX)
		return false;
	v = tape_add(t, parent, k);
	switch (json_typeof(tree)) {
	case JSON_OBJECT:
	case JSON_ARRAY:
		return load_container(t, tree, depth);
	case JSON_STRING:
		v->type = TN_JSON_STRING;
		v->string.p = json_string_value(tree);
		v->string.len = (uint32_t)json_string_length(tree);
		return strlen(v->string.p) == v->string.len;
	case JSON_INTEGER:
		i = json_integer_value(tree);
		v->type = TN_JSON_INTEGER;
		v->negative = i < 0;
		v->magnitude = i < 0 ? -(uint64_t)i : (uint64_t)i;
		return true;
	case JSON_REAL:
		v->type = TN_JSON_REAL;
		return true;
	case JSON_TRUE:
		v->type = TN_JSON_TRUE;
		return true;
	case JSON_FALSE:
		v->type = TN_JSON_FALSE;
		return true;
	case JSON_NULL:
		return true;
	}
	return false;
}

bool tn_json_tape_load(struct tn_json_tape *t, const json_t *tree, const char *pointer,
	struct tn_diagnostics *diag)
{
	tape_clear(t);
	if (tree && load(t, tree, 0, (struct tn_json_string){0}, 0))
		return true;
	tn_diagnostics_add(diag, pointer, 0, 0, TN_OF_OK,
		"nested over %u levels deep, over %u values, or a NUL in a string",
		TN_JSON_DEPTH_MAX, TN_JSON_VALUES_MAX);
	return false;
}

static json_t *dump_container(const struct tn_json_tape *t, const struct tn_json_value *v)
{
	const struct tn_json_value *c = tn_json_first(v);
	json_t *out = v->type == TN_JSON_OBJECT ? json_object() : json_array(), *child;
	uint32_t i;

	for (i = 0; i < v->n; i++, c = tn_json_next(t, c)) {
		child = tn_json_tape_dump(t, c);
		if (!child) {
			json_decref(out);
			return NULL;
		}
		if (v->type == TN_JSON_OBJECT)
			json_object_setn_new(out, c->key.p, c->key.len, child);
		else
			json_array_append_new(out, child);
	}
	return out;
}

json_t *tn_json_tape_dump(const struct tn_json_tape *t, const struct tn_json_value *v)
{
	switch ((enum tn_json_type)v->type) {
	case TN_JSON_OBJECT:
	case TN_JSON_ARRAY:
		return dump_container(t, v);
	case TN_JSON_STRING:
		return json_stringn(v->string.p, v->string.len);
	case TN_JSON_INTEGER:
		if (v->too_big || v->magnitude > INT64_MAX)
			return NULL;
		return json_integer(
			v->negative ? -(json_int_t)v->magnitude : (json_int_t)v->magnitude);
	case TN_JSON_TRUE:
		return json_true();
	case TN_JSON_FALSE:
		return json_false();
	case TN_JSON_NULL:
		return json_null();
	case TN_JSON_REAL:
		break;
	}
	return NULL;
}
