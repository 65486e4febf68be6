/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reading and writing ovs-ofctl text, below the level of flows: pieces of a line, key and value,
 * numbers, complaints with their column, near words, and a growing string. Internal to ofctl_*.c.
 */
#ifndef TN_MODEL_OFCTL_TEXT_H
#define TN_MODEL_OFCTL_TEXT_H

#include "control/model/ofctl.h"
#include "dataplane/core/field.h"

/* A piece of the line, borrowed from it. */
struct tn_ofctl_span {
	const char *p;
	size_t n;
};

/* The line that is read. Whatever is wrong with it goes to o->diag and is counted here. */
struct tn_ofctl_line {
	struct tn_ofctl *o;
	struct tn_ofctl_span text;
	unsigned n_errors;
};

/*
 * Starts a line. Refuses one with control characters other than white space, so that whatever
 * follows may be shown in sentences.
 */
int tn_ofctl_line_init(
	struct tn_ofctl_line *l, struct tn_ofctl *o, const char *text, size_t len) TN_MUST_CHECK;

/* Adds a diagnostic with the column of `at`; returns -EINVAL. */
int tn_ofctl_complain(struct tn_ofctl_line *l, const char *at, enum tn_of_error of, const char *fmt,
	...) TN_PRINTF(4, 5);

/* A span for "%s": cut to a readable length, bytes that are not ASCII as '?'. */
struct tn_ofctl_shown {
	char s[64];
};
struct tn_ofctl_shown tn_ofctl_show(struct tn_ofctl_span s);

bool tn_ofctl_is(struct tn_ofctl_span s, const char *word);
bool tn_ofctl_is_blank(struct tn_ofctl_span s); /* white space at most */
bool tn_ofctl_is_nocase(struct tn_ofctl_span s, const char *word);
/* The parts before and after the first separator outside quotes; false when there is none. */
bool tn_ofctl_split(struct tn_ofctl_span s, const char *separator, struct tn_ofctl_span *before,
	struct tn_ofctl_span *after);

/*
 * key, key=value, key:value or key(value). Separators are commas and white space; a value reaches
 * to the next separator outside parentheses and quotes.
 */
struct tn_ofctl_item {
	struct tn_ofctl_span key, value; /* value.p is right after the delimiter */
	char delimiter;			 /* '=', ':', '(' or 0: no value */
};

/* The next item of *rest, which moves past it. 1, 0 at the end, or -EINVAL (complained). */
int tn_ofctl_next(struct tn_ofctl_line *l, struct tn_ofctl_span *rest,
	struct tn_ofctl_item *item) TN_MUST_CHECK;

/* Complains of a key that was there before: `key` is its bit in *seen. */
int tn_ofctl_once(struct tn_ofctl_line *l, const struct tn_ofctl_item *item, unsigned key,
	uint64_t *seen) TN_MUST_CHECK;

/*
 * Decimal, 0x or 0 (octal) as strtoull() reads them. 0; -EINVAL: not a number; -ERANGE: more than
 * 128 bits. Does not complain.
 */
int tn_ofctl_scan_u128(struct tn_ofctl_span s, tn_u128 *value) TN_MUST_CHECK;
/* The same, complaining with `of` when it is not a number of min to max. */
int tn_ofctl_number(struct tn_ofctl_line *l, struct tn_ofctl_span s, const char *what,
	enum tn_of_error of, uint64_t min, uint64_t max, uint64_t *value) TN_MUST_CHECK;
/* 64 bits; "-1" is all ones. */
int tn_ofctl_u64(struct tn_ofctl_line *l, struct tn_ofctl_span s, const char *what,
	enum tn_of_error of, uint64_t *value) TN_MUST_CHECK;

/*
 * A port: number, reserved name in any case, name that o->names knows, quoted or not. Decimal
 * numbers over 0xff00 are the 16-bit ones of OpenFlow 1.0; hexadecimal ones are taken as they are.
 */
int tn_ofctl_port(struct tn_ofctl_line *l, struct tn_ofctl_span s, enum tn_of_error of,
	uint32_t *port) TN_MUST_CHECK;
/* The same without complaint: false when it is no port at all. */
bool tn_ofctl_scan_port(const struct tn_ofctl *o, struct tn_ofctl_span s, uint32_t *port);
/* 0 to max, or a name that o->names knows. */
int tn_ofctl_table(struct tn_ofctl_line *l, struct tn_ofctl_span s, enum tn_of_error of,
	uint8_t max, uint8_t *table) TN_MUST_CHECK;

/* The word nearest to a misspelt one, among those tried. */
struct tn_ofctl_near {
	char word[40];
	unsigned distance;
	const char *best; /* NULL: none is near */
};
void tn_ofctl_near_init(struct tn_ofctl_near *near, struct tn_ofctl_span s);
void tn_ofctl_near_try(struct tn_ofctl_near *near, const char *word);
/* Complains of an unknown word: "unknown <what> "x"; did you mean "y"?" or "...; <advice>". */
int tn_ofctl_unknown(struct tn_ofctl_line *l, struct tn_ofctl_span s, const char *what,
	const struct tn_ofctl_near *near, const char *advice);

/* A growing string. Without memory it stays as it is and finish gives NULL. */
struct tn_ofctl_out {
	char *s;
	size_t n, room;
	bool failed;
	const struct tn_names *names; /* ports and tables by name; NULL: by number */
};
void tn_ofctl_out_init(struct tn_ofctl_out *out, const struct tn_names *names);
void tn_ofctl_put(struct tn_ofctl_out *out, const char *fmt, ...) TN_PRINTF(2, 3);
/* Takes the last byte back if it is c. */
void tn_ofctl_chomp(struct tn_ofctl_out *out, char c);
/* The malloc()ed text. */
char *tn_ofctl_finish(struct tn_ofctl_out *out);

void tn_ofctl_put_port(struct tn_ofctl_out *out, uint32_t port);
void tn_ofctl_put_table(struct tn_ofctl_out *out, uint8_t table);
bool tn_ofctl_port_is_reserved(uint32_t port);

#endif
