/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/core/ra.h"

#include <string.h>

/* Hop limit, flags, router lifetime, reachable time, retransmission timer. */
#define HEAD_BYTES 12u
#define FLAGS	   1u
#define LIFETIME   2u /* two bytes, of the router */

/* RFC 4861, 4.6.2; RFC 4191, 2.3; RFC 8106, 5.1 and 5.2. */
enum { PREFIX = 3, ROUTE = 24, SERVERS = 25, SEARCH_LIST = 31 };

#define OPTION_HEAD   8u /* of the last three, with the lifetime in its second half */
#define PREFIX_BYTES  32u
#define PREFIX_USES   0xc0u /* on-link, autonomous */
#define ADDRESS_BYTES 16u

struct option {
	const uint8_t *data;
	uint32_t n;
};

struct writer {
	uint8_t *out;
	uint32_t n;
};

/* The option at *at, which goes to the next one; false: there is none. */
static bool next_option(const struct tn_ra_body *body, uint32_t *at, struct option *o)
{
	if (body->n < 2 || *at > body->n - 2)
		return false;
	*o = (struct option){body->data + *at, body->data[*at + 1] * 8u};
	if (!o->n || o->n > body->n - *at)
		return false;
	*at += o->n;
	return true;
}

/* n more bytes; NULL: there is no room. */
static uint8_t *put(struct writer *w, const uint8_t *bytes, uint32_t n)
{
	uint8_t *p = w->out + w->n;

	if (n > TN_REPLY_DATA_MAX - w->n)
		return NULL;
	memcpy(p, bytes, n);
	w->n += n;
	return p;
}

/* What the next advertisement uses the prefix of an option for. */
static uint8_t uses(const struct tn_ra_body *next, const struct option *prefix)
{
	uint32_t at = HEAD_BYTES;
	struct option o;
	uint8_t found = 0;

	while (next_option(next, &at, &o)) {
		if (o.data[0] == PREFIX && o.n == PREFIX_BYTES && o.data[2] == prefix->data[2] &&
			memcmp(o.data + 16, prefix->data + 16, ADDRESS_BYTES) == 0)
			found |= o.data[3] & PREFIX_USES;
	}
	return found;
}

static void take_back_prefix(
	struct writer *w, const struct option *told, const struct tn_ra_body *next)
{
	uint8_t gone, *p;

	if (told->n != PREFIX_BYTES)
		return;
	gone = told->data[3] & PREFIX_USES & (uint8_t)~uses(next, told);
	p = gone ? put(w, told->data, told->n) : NULL;
	if (!p)
		return;
	p[3] = gone;
	memset(p + 4, 0, 8); /* valid and preferred */
}

/* The destination, without the zeros that need not be there. */
static uint32_t route_bytes(const struct option *o)
{
	uint32_t n = o->n;

	while (n > OPTION_HEAD && o->data[n - 1] == 0)
		n--;
	return n - OPTION_HEAD;
}

static bool same(const struct option *a, const struct option *b)
{
	uint32_t na = a->n - OPTION_HEAD, nb = b->n - OPTION_HEAD;

	if (a->data[0] == ROUTE) {
		if (a->data[2] != b->data[2])
			return false;
		na = route_bytes(a);
		nb = route_bytes(b);
	}
	return na == nb && memcmp(a->data + OPTION_HEAD, b->data + OPTION_HEAD, na) == 0;
}

/* A route, a search list: there as a whole or not. */
static void take_back_whole(
	struct writer *w, const struct option *told, const struct tn_ra_body *next)
{
	uint32_t at = HEAD_BYTES;
	struct option o;
	uint8_t *p;

	while (next_option(next, &at, &o)) {
		if (o.data[0] == told->data[0] && same(&o, told))
			return;
	}
	p = put(w, told->data, told->n);
	if (p)
		memset(p + 4, 0, 4);
}

static bool has_server(const struct tn_ra_body *next, const uint8_t *address)
{
	uint32_t at = HEAD_BYTES;
	struct option o;

	while (next_option(next, &at, &o)) {
		if (o.data[0] != SERVERS)
			continue;
		for (uint32_t i = OPTION_HEAD; i + ADDRESS_BYTES <= o.n; i += ADDRESS_BYTES) {
			if (memcmp(o.data + i, address, ADDRESS_BYTES) == 0)
				return true;
		}
	}
	return false;
}

/* Name servers come several in an option, and go one by one. */
static void take_back_servers(
	struct writer *w, const struct option *told, const struct tn_ra_body *next)
{
	uint32_t before = w->n;
	uint8_t *p = put(w, told->data, OPTION_HEAD);

	if (!p)
		return;
	for (uint32_t i = OPTION_HEAD; i + ADDRESS_BYTES <= told->n; i += ADDRESS_BYTES) {
		if (!has_server(next, told->data + i))
			(void)put(w, told->data + i, ADDRESS_BYTES);
	}
	if (w->n == before + OPTION_HEAD)
		w->n = before;
	p[1] = (uint8_t)((w->n - before) / 8);
	memset(p + 4, 0, 4);
}

static void take_back(struct writer *w, const struct option *told, const struct tn_ra_body *next)
{
	switch (told->data[0]) {
	case PREFIX:
		take_back_prefix(w, told, next);
		break;
	case SERVERS:
		take_back_servers(w, told, next);
		break;
	case ROUTE:
	case SEARCH_LIST:
		take_back_whole(w, told, next);
		break;
	default: /* nothing that lasts */
		break;
	}
}

uint32_t tn_ra_take_back(const struct tn_ra_body *told, const struct tn_ra_body *next,
	uint8_t out[TN_REPLY_DATA_MAX])
{
	struct writer w = {.out = out};
	uint32_t at = HEAD_BYTES;
	bool router = false;
	struct option o;

	if (told->n < HEAD_BYTES || !put(&w, next->n ? next->data : told->data, HEAD_BYTES))
		return 0;
	if (!next->n) {
		router = out[LIFETIME] || out[LIFETIME + 1];
		out[FLAGS] = out[LIFETIME] = out[LIFETIME + 1] = 0;
	}
	while (next_option(told, &at, &o))
		take_back(&w, &o, next);
	if (w.n == HEAD_BYTES && !router)
		return 0;
	at = HEAD_BYTES;
	while (next_option(next, &at, &o))
		(void)put(&w, o.data, o.n);
	return w.n;
}
