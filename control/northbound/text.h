/* SPDX-License-Identifier: BSD-3-Clause */
/* Text that grows: bodies of answers. Aborts when the machine has no memory left. */
#ifndef TN_NORTHBOUND_TEXT_H
#define TN_NORTHBOUND_TEXT_H

#include <jansson.h>
#include <string.h>

#include "dataplane/core/types.h"

struct tn_text {
	char *p; /* no NUL at the end */
	size_t n, room;
};

void tn_text_fini(struct tn_text *t);
/* Room for n more bytes: where they go. */
char *tn_text_reserve(struct tn_text *t, size_t n);

static inline void tn_text_add(struct tn_text *t, const char *p, size_t n)
{
	if (n)
		memcpy(t->room - t->n >= n ? t->p + t->n : tn_text_reserve(t, n), p, n);
	t->n += n;
}

void tn_text_printf(struct tn_text *t, const char *fmt, ...) TN_PRINTF(2, 3);
/* What printf() would do of these, which long lists are made of. */
void tn_text_unsigned(struct tn_text *t, uint64_t v);
void tn_text_signed(struct tn_text *t, int64_t v);
/* In decimal, without a NUL; how many digits. */
#define TN_DIGITS_MAX 20u
size_t tn_digits(char *buf, uint64_t v);
/* Compact. Takes the reference over. */
void tn_text_json(struct tn_text *t, json_t *j);

static inline void tn_text_puts(struct tn_text *t, const char *s)
{
	tn_text_add(t, s, strlen(s));
}

#endif
