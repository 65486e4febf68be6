/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/northbound/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define ROOM_MIN 256u

void tn_text_fini(struct tn_text *t)
{
	free(t->p);
	*t = (struct tn_text){0};
}

char *tn_text_reserve(struct tn_text *t, size_t n)
{
	if (t->room - t->n < n) {
		t->room = t->room * 2 > t->n + n ? t->room * 2 : t->n + n;
		if (t->room < ROOM_MIN)
			t->room = ROOM_MIN;
		t->p = realloc(t->p, t->room);
		if (!t->p)
			abort();
	}
	return t->p + t->n;
}

void tn_text_printf(struct tn_text *t, const char *fmt, ...)
{
	va_list ap, again;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	if (n < 0)
		abort();
	vsnprintf(tn_text_reserve(t, (size_t)n + 1), (size_t)n + 1, fmt, again);
	t->n += (size_t)n;
	va_end(again);
	va_end(ap);
}

size_t tn_digits(char *buf, uint64_t v)
{
	char reversed[TN_DIGITS_MAX];
	size_t n = 0;

	do {
		reversed[n++] = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	for (size_t i = 0; i < n; i++)
		buf[i] = reversed[n - 1 - i];
	return n;
}

void tn_text_unsigned(struct tn_text *t, uint64_t v)
{
	t->n += tn_digits(tn_text_reserve(t, TN_DIGITS_MAX), v);
}

void tn_text_signed(struct tn_text *t, int64_t v)
{
	if (v < 0)
		tn_text_add(t, "-", 1);
	tn_text_unsigned(t, v < 0 ? -(uint64_t)v : (uint64_t)v);
}

/* JSON. jansson's own printer calls back for every few bytes, and long lists are many of them. */

static void put_escape(struct tn_text *t, unsigned char c)
{
	static const char hex[] = "0123456789ABCDEF", letters[] = "btn?fr";
	char s[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};

	if (c == '"' || c == '\\') {
		s[1] = (char)c;
		tn_text_add(t, s, 2);
	} else if (c >= '\b' && c <= '\r' && c != '\v') {
		s[1] = letters[c - '\b'];
		tn_text_add(t, s, 2);
	} else {
		tn_text_add(t, s, sizeof(s));
	}
}

static void put_string(struct tn_text *t, const char *p, size_t n)
{
	size_t plain = 0;

	tn_text_add(t, "\"", 1);
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)p[i];

		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		tn_text_add(t, p + plain, i - plain);
		put_escape(t, c);
		plain = i + 1;
	}
	tn_text_add(t, p + plain, n - plain);
	tn_text_add(t, "\"", 1);
}

static void put_real(struct tn_text *t, const json_t *j)
{
	char buf[64];
	size_t n = json_dumpb(j, buf, sizeof(buf), JSON_ENCODE_ANY);

	if (!n || n > sizeof(buf))
		abort();
	tn_text_add(t, buf, n);
}

static void put_value(struct tn_text *t, json_t *j);

static void put_object(struct tn_text *t, json_t *j)
{
	const char *separator = "{", *key;
	json_t *value;

	json_object_foreach(j, key, value)
	{
		tn_text_add(t, separator, 1);
		put_string(t, key, strlen(key));
		tn_text_add(t, ":", 1);
		put_value(t, value);
		separator = ",";
	}
	if (*separator == '{')
		tn_text_add(t, separator, 1);
	tn_text_add(t, "}", 1);
}

static void put_array(struct tn_text *t, json_t *j)
{
	json_t *value;
	size_t i;

	tn_text_add(t, "[", 1);
	json_array_foreach(j, i, value)
	{
		if (i)
			tn_text_add(t, ",", 1);
		put_value(t, value);
	}
	tn_text_add(t, "]", 1);
}

static void put_value(struct tn_text *t, json_t *j)
{
	switch (json_typeof(j)) {
	case JSON_OBJECT:
		put_object(t, j);
		break;
	case JSON_ARRAY:
		put_array(t, j);
		break;
	case JSON_STRING:
		put_string(t, json_string_value(j), json_string_length(j));
		break;
	case JSON_INTEGER:
		tn_text_signed(t, json_integer_value(j));
		break;
	case JSON_REAL:
		put_real(t, j);
		break;
	case JSON_TRUE:
		tn_text_puts(t, "true");
		break;
	case JSON_FALSE:
		tn_text_puts(t, "false");
		break;
	case JSON_NULL:
		tn_text_puts(t, "null");
		break;
	}
}

void tn_text_json(struct tn_text *t, json_t *j)
{
	if (!j)
		abort();
	put_value(t, j);
	json_decref(j);
}
