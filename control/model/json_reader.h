/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Values of a tape as what the model means by them: integers in a range, MAC and IP addresses,
 * ports. Each function here returns false after it has added a diagnostic at the value, and true
 * otherwise. One thread.
 */
#ifndef TN_MODEL_JSON_READER_H
#define TN_MODEL_JSON_READER_H

#include "control/model/flow_json.h"
#include "control/model/json_text.h"

struct tn_json_reader {
	struct tn_codec *codec;
	const struct tn_json_tape *tape;
	const char *base; /* pointer of the tape's root */
	bool failed;	  /* a diagnostic was added */
};

typedef const struct tn_json_value *tn_json_ref;

/* A diagnostic at a value. Always false. */
bool tn_json_error(struct tn_json_reader *r, tn_json_ref at, enum tn_of_error of, const char *fmt,
	...) TN_PRINTF(4, 5);

/*
 * Members of an object by the keys it may have. slots[i] is set to the member named keys[i], NULL
 * where there is none. Other keys are errors. `what` names the object in sentences ("flow").
 */
struct tn_json_key {
	const char *name;
	uint8_t len;
};
#define TN_JSON_KEY(name)              \
	{                              \
		name, sizeof(name) - 1 \
	}

bool tn_json_members(struct tn_json_reader *r, tn_json_ref object, const char *what,
	const struct tn_json_key *keys, size_t n_keys, tn_json_ref *slots);
/* Only these types; JSON null counts as absent nowhere. */
bool tn_json_is_object(struct tn_json_reader *r, tn_json_ref v, const char *what);
bool tn_json_is_array(struct tn_json_reader *r, tn_json_ref v, const char *what);
/* The member named key, NULL when there is none. Duplicates: the first. */
tn_json_ref tn_json_member(const struct tn_json_reader *r, tn_json_ref object, const char *key);

/*
 * Integers: JSON integer, or string of decimal digits or "0x" and hex digits. `of` is the error of
 * one that is out of range; a value that is no integer at all is an error of shape.
 */
bool tn_json_unsigned(struct tn_json_reader *r, tn_json_ref v, uint64_t min, uint64_t max,
	enum tn_of_error of, uint64_t *out);
bool tn_json_signed(struct tn_json_reader *r, tn_json_ref v, int64_t min, int64_t max,
	enum tn_of_error of, int64_t *out);
/* true, false, "true", "false". */
bool tn_json_bool(struct tn_json_reader *r, tn_json_ref v, bool *out);
/* 1 to max bytes, no control characters. */
bool tn_json_text(struct tn_json_reader *r, tn_json_ref v, size_t max, struct tn_json_string *out);
bool tn_json_mac(struct tn_json_reader *r, tn_json_ref v, uint64_t *out);

/* The families an address may be of; both: IPv4 as ::ffff:a.b.c.d. */
enum tn_json_family { TN_JSON_IP4 = 1, TN_JSON_IP6 = 2, TN_JSON_IP_ANY = 3 };
/* "addr" alone. */
bool tn_json_address(
	struct tn_json_reader *r, tn_json_ref v, enum tn_json_family family, tn_u128 *out);
/* "addr", "addr/len" or "addr/mask". */
bool tn_json_prefix(struct tn_json_reader *r, tn_json_ref v, enum tn_json_family family,
	tn_u128 *out, tn_u128 *mask);
/* "addr/len" with the length as it stands, 0-32 or 0-128. */
bool tn_json_network(
	struct tn_json_reader *r, tn_json_ref v, tn_u128 *address, uint8_t *length, bool *is_ip4);

/*
 * A port: integer (also the negative numbers of the reserved ones), decimal string,
 * "[name](number)", reserved name or declared name. `of`: the error of a port that is not there.
 */
bool tn_json_port(struct tn_json_reader *r, tn_json_ref v, enum tn_of_error of, uint32_t *out);
/* A flow table by number (0-254) or declared name. `of`: the error of one out of range. */
bool tn_json_table(struct tn_json_reader *r, tn_json_ref v, enum tn_of_error of, uint8_t *out);
/* "IN_PORT", "LOCAL", ...: the number, or 0; and back, or NULL. */
uint32_t tn_json_reserved_port(struct tn_json_string name);
const char *tn_json_reserved_port_name(uint32_t port);

/* Sentences. */

/* Both words in buf, as far as they fit: what printf() does, for those who do it for each value. */
const char *tn_json_join(char *buf, size_t size, const char *a, const char *b);
/* Value as the reader of an error wrote it: 70000, "abc", an object. */
const char *tn_json_describe(tn_json_ref v, char *buf, size_t size);
/* ` (did you mean "X"?)` for the word nearest to s, or "". words is NULL-terminated. */
const char *tn_json_suggest(
	struct tn_json_string s, const char *const *words, char *buf, size_t size);

/* Printing. */

/* Integer, or string "0x.." over 2^53-1. */
json_t *tn_json_from_u64(uint64_t v);
json_t *tn_json_from_mac(uint64_t mac);
/* An IPv4 address in the low 32 bits. */
json_t *tn_json_from_ip4(uint32_t address);
/* IPv4 for ::ffff:a.b.c.d when family allows it. */
json_t *tn_json_from_address(tn_u128 address, enum tn_json_family family);
/* "addr/len", or "addr/mask" where the mask has holes. */
json_t *tn_json_from_prefix(tn_u128 address, tn_u128 mask, enum tn_json_family family);
/* As OUTPUT prints it: decimal string or reserved name. */
json_t *tn_json_from_port(uint32_t port);
/* As IN_PORT prints it: integer, negative for the reserved ones. */
json_t *tn_json_from_port_number(uint32_t port);
json_t *tn_json_from_dpid(uint64_t dpid);

#endif
