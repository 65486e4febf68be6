/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * JSON text (RFC 8259) to a tape: a flat array of values in the order they stand, each with its
 * line and column. Strict: duplicate keys, NUL bytes, text that is not UTF-8, lone surrogates,
 * NaN, nesting over TN_JSON_DEPTH_MAX and more than TN_JSON_VALUES_MAX values in one tape are
 * errors. Integers of up to 64 bits are exact.
 *
 * A source walks the outer levels of a document member by member and element by element, so that
 * a tape holds one element at a time. The first error of syntax ends the walk. Strings point into
 * the text, which must outlive the tape. One thread.
 */
#ifndef TN_MODEL_JSON_TEXT_H
#define TN_MODEL_JSON_TEXT_H

#include <jansson.h>
#include <string.h>

#include "control/model/arena.h"
#include "control/model/diagnostics.h"

#define TN_JSON_DEPTH_MAX  16u
#define TN_JSON_VALUES_MAX (1u << 20)

enum tn_json_type {
	TN_JSON_NULL,
	TN_JSON_FALSE,
	TN_JSON_TRUE,
	TN_JSON_INTEGER,
	TN_JSON_REAL, /* has a fraction or an exponent; its value is not kept */
	TN_JSON_STRING,
	TN_JSON_ARRAY,
	TN_JSON_OBJECT,
};

/* Bytes, without NUL at the end and without NUL in them. */
struct tn_json_string {
	const char *p;
	uint32_t len;
};

struct tn_json_value {
	uint8_t type;		   /* enum tn_json_type */
	bool negative, too_big;	   /* INTEGER: sign; over 64 bits */
	uint32_t n;		   /* ARRAY, OBJECT: how many values right inside */
	uint32_t next;		   /* position of the value after this one and all inside it */
	uint32_t parent, ordinal;  /* position of what holds it; its place in there, from 0 */
	uint32_t line, column;	   /* from 1; 0: not read from text */
	struct tn_json_string key; /* in an OBJECT; p is NULL elsewhere */
	union {
		struct tn_json_string string;
		uint64_t magnitude;
	};
};

struct tn_json_tape {
	struct tn_json_value *v; /* v[0] is the root; moves when the tape grows */
	uint32_t n, room;
	struct tn_arena strings; /* those that had escapes */
};

void tn_json_tape_init(struct tn_json_tape *t);
void tn_json_tape_fini(struct tn_json_tape *t);

struct tn_json_source {
	const char *text;
	size_t len, pos;
	uint32_t line;
	size_t line_start;
	unsigned depth;	       /* of the containers entered */
	bool allow_duplicates; /* for text that was looked through before */
	bool failed;
	struct tn_diagnostics *diag;
	const char *pointer; /* where the walk stands, for errors; borrowed */
};

void tn_json_source_init(
	struct tn_json_source *s, const char *text, size_t len, struct tn_diagnostics *diag);
/* The next byte that is not white space; 0 at the end of the text. */
char tn_json_peek(struct tn_json_source *s);
/* Steps into a container whose bracket peek() just showed. */
void tn_json_enter(struct tn_json_source *s);
/* Is there one more in the container that `open` began? False past its closing bracket (or after
 * an error). */
bool tn_json_more(struct tn_json_source *s, char open, bool first);
/* Key of the next member and the colon; line and column are the key's. */
bool tn_json_key(struct tn_json_source *s, struct tn_json_tape *t, struct tn_json_value *key);
/* One whole value into the tape, replacing what it held. False on an error of syntax; duplicate
 * keys are added to the diagnostics and let pass. */
bool tn_json_value(struct tn_json_source *s, struct tn_json_tape *t);
/* Nothing but white space may follow. */
bool tn_json_end(struct tn_json_source *s);

/* A tree of jansson's as tape, without lines. False: too deep or too large, said to diag. Strings
 * point into the tree. */
bool tn_json_tape_load(struct tn_json_tape *t, const json_t *tree, const char *pointer,
	struct tn_diagnostics *diag);
/* And back; a new reference. NULL when it holds a real or an integer of over 63 bits. */
json_t *tn_json_tape_dump(const struct tn_json_tape *t, const struct tn_json_value *v);

/* base + RFC 6901 pointer of a value; the caller frees it. Very long keys are cut. */
char *tn_json_pointer(
	const struct tn_json_tape *t, const struct tn_json_value *v, const char *base);

/* Values inside a container: for (c = first; i < v->n; c = next). */
static inline const struct tn_json_value *tn_json_first(const struct tn_json_value *v)
{
	return v + 1;
}

static inline const struct tn_json_value *tn_json_next(
	const struct tn_json_tape *t, const struct tn_json_value *v)
{
	return t->v + v->next;
}

/* -1: none. */
static inline int tn_json_hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Of a literal its length is known when this is compiled. */
static inline bool tn_json_string_is(struct tn_json_string s, const char *word)
{
	return s.len && s.p[0] == word[0] ? strlen(word) == s.len && memcmp(s.p, word, s.len) == 0
					  : !s.len && !word[0];
}
/* Fits for a sentence: quoted, control characters escaped, cut after some 40 bytes. */
const char *tn_json_quote(struct tn_json_string s, char *buf, size_t size);

#endif
