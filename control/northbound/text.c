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

void tn_text_add(struct tn_text *t, const char *p, size_t n)
{
	if (n)
		memcpy(tn_text_reserve(t, n), p, n);
	t->n += n;
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

static int append(const char *p, size_t n, void *text)
{
	tn_text_add(text, p, n);
	return 0;
}

void tn_text_quote(struct tn_text *t, const char *s)
{
	json_t *j = json_string(s);

	if (j)
		tn_text_json(t, j);
	else
		tn_text_puts(t, "null"); /* not UTF-8 */
}

void tn_text_json(struct tn_text *t, json_t *j)
{
	if (!j || json_dump_callback(j, append, t, JSON_COMPACT | JSON_ENCODE_ANY))
		abort();
	json_decref(j);
}
