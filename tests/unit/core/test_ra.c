/* SPDX-License-Identifier: BSD-3-Clause */
/* What a router advertisement takes back of the one before. */
#include "dataplane/core/ra.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dataplane/core/reply.h"
#include "tests/unit/random.h"

#define HEAD	 "40C0FFFF0000000000000000"
#define NO_HEAD	 "400000000000000000000000"
#define MAC	 "010102005E000101"
#define MTU	 "0501000000000578"
#define NET_A	 "20010DB8000A00000000000000000000"
#define NET_B	 "20010DB8000B00000000000000000000"
#define FOR_EVER "FFFFFFFF"
#define NEVER	 "00000000"
/* LENGTH and USES: a byte each. */
#define PREFIX(LENGTH, USES, LIFETIME, NET) "0304" LENGTH USES LIFETIME LIFETIME "00000000" NET
#define DEFAULT(LIFETIME)		    "18010000" LIFETIME
#define ROUTE(LIFETIME)			    "18023000" LIFETIME "20010DB800010000"
#define SERVER_1			    "20010DB8000000000000000000000001"
#define SERVER_2			    "20010DB8000000000000000000000002"
#define SEARCH(LIFETIME)               \
	"1F020000" LIFETIME "01610162" \
	"00000000"

struct body {
	uint8_t *data; /* exactly: who reads on is found */
	uint32_t n;
};

static struct body body(const char *hex)
{
	struct body b = {malloc(strlen(hex) / 2 + 1), 0};

	assert_non_null(b.data);
	for (; hex[0]; hex += 2) {
		char byte[3] = {hex[0], hex[1], 0};

		b.data[b.n++] = (uint8_t)strtoul(byte, NULL, 16);
	}
	b.data = realloc(b.data, b.n + !b.n);
	assert_non_null(b.data);
	return b;
}

/* Not a sound one: "" of nothing to say. */
static void check(const char *told_hex, const char *next_hex, const char *wanted_hex)
{
	struct body told = body(told_hex), next = body(next_hex), wanted = body(wanted_hex);
	uint8_t out[TN_REPLY_DATA_MAX];
	uint32_t n = tn_ra_take_back(&(struct tn_ra_body){told.data, told.n},
		&(struct tn_ra_body){next.data, next.n}, out);

	assert_int_equal(n, wanted.n);
	assert_memory_equal(out, wanted.data, n);
	free(told.data);
	free(next.data);
	free(wanted.data);
}

static void test_prefix(void **state)
{
	(void)state;
	check(HEAD MAC PREFIX("40", "C0", FOR_EVER, NET_A) PREFIX("40", "C0", FOR_EVER, NET_B),
		HEAD MAC PREFIX("40", "C0", FOR_EVER, NET_B),
		HEAD PREFIX("40", "C0", NEVER, NET_A) MAC PREFIX("40", "C0", FOR_EVER, NET_B));
	/* The same bytes of another length are another prefix. */
	check(HEAD PREFIX("40", "C0", FOR_EVER, NET_A), HEAD PREFIX("30", "C0", FOR_EVER, NET_A),
		HEAD PREFIX("40", "C0", NEVER, NET_A) PREFIX("30", "C0", FOR_EVER, NET_A));
	/* Still on the link, and addresses come from elsewhere now. */
	check(HEAD PREFIX("40", "C0", FOR_EVER, NET_A), HEAD PREFIX("40", "80", FOR_EVER, NET_A),
		HEAD PREFIX("40", "40", NEVER, NET_A) PREFIX("40", "80", FOR_EVER, NET_A));
	/* What is taken back already stays so until it is told again. */
	check(HEAD PREFIX("40", "C0", NEVER, NET_A), HEAD, HEAD PREFIX("40", "C0", NEVER, NET_A));
	check(HEAD PREFIX("40", "C0", NEVER, NET_A), HEAD PREFIX("40", "C0", FOR_EVER, NET_A), "");
}

static void test_routes_and_names(void **state)
{
	(void)state;
	check(HEAD DEFAULT(FOR_EVER) ROUTE(FOR_EVER), HEAD DEFAULT(FOR_EVER),
		HEAD ROUTE(NEVER) DEFAULT(FOR_EVER));
	/* The same destination, written longer. */
	check(HEAD ROUTE(FOR_EVER), HEAD "18033000" FOR_EVER "20010DB8000100000000000000000000",
		"");
	check(HEAD "19050000" FOR_EVER SERVER_1 SERVER_2, HEAD "19030000" FOR_EVER SERVER_2,
		HEAD "19030000" NEVER SERVER_1 "19030000" FOR_EVER SERVER_2);
	check(HEAD SEARCH(FOR_EVER), HEAD, HEAD SEARCH(NEVER));
	check(HEAD SEARCH(FOR_EVER), HEAD SEARCH("00000E10"), "");
}

static void test_the_router_goes(void **state)
{
	(void)state;
	check(HEAD MAC MTU DEFAULT(FOR_EVER) PREFIX("40", "C0", FOR_EVER, NET_A), "",
		NO_HEAD DEFAULT(NEVER) PREFIX("40", "C0", NEVER, NET_A));
	check(HEAD, "", NO_HEAD);
	check(NO_HEAD MAC MTU, "", "");
}

/* Lifetimes of what stays, MTU and flags are the next one's alone to tell. */
static void test_nothing_to_take_back(void **state)
{
	(void)state;
	check(HEAD MAC MTU PREFIX("40", "C0", FOR_EVER, NET_A),
		NO_HEAD PREFIX("40", "C0", "00000E10", NET_A), "");
	check("", HEAD, "");
}

/* What is to be taken back goes before what can be told another time. */
static void test_room(void **state)
{
	char told[3000] = HEAD, next[3000] = HEAD;
	struct body a, b;
	uint8_t out[TN_REPLY_DATA_MAX];

	(void)state;
	for (unsigned i = 0; i < 16; i++) {
		strcat(told, PREFIX("40", "C0", FOR_EVER, NET_A));
		sprintf(told + strlen(told) - 32, "20010DB80001%04X0000000000000000", i);
		strcat(next, PREFIX("40", "C0", FOR_EVER, NET_B));
		sprintf(next + strlen(next) - 32, "20010DB80002%04X0000000000000000", i);
	}
	a = body(told);
	b = body(next);
	assert_int_equal(tn_ra_take_back(&(struct tn_ra_body){a.data, a.n},
				 &(struct tn_ra_body){b.data, b.n}, out),
		12 + 30 * 32);
	for (unsigned i = 0; i < 30; i++)
		assert_int_equal(out[12 + i * 32 + 4], i < 16 ? 0 : 0xff);
	free(a.data);
	free(b.data);
}

static struct body random_body(struct random *r)
{
	static const uint8_t types[] = {1, 3, 5, 24, 25, 31};
	uint32_t n = random_below(r, 200);
	struct body b = {malloc(n + 1), n};

	assert_non_null(b.data);
	for (uint32_t i = 0; i < n; i++)
		b.data[i] = (uint8_t)random_below(r, 3);
	for (uint32_t i = 12; i + 1 < n; i += b.data[i + 1] * 8u) {
		b.data[i] = types[random_below(r, sizeof(types))];
		b.data[i + 1] = (uint8_t)(1 + random_below(r, 5));
	}
	b.data = realloc(b.data, n + !n);
	assert_non_null(b.data);
	return b;
}

/* Whatever it is given: no byte beyond, and options that are whole. */
static void test_random(void **state)
{
	struct random r = {1};

	(void)state;
	for (unsigned i = 0; i < 100000; i++) {
		struct body told = random_body(&r), next = random_body(&r);
		uint8_t out[TN_REPLY_DATA_MAX];
		uint32_t n = tn_ra_take_back(&(struct tn_ra_body){told.data, told.n},
			&(struct tn_ra_body){next.data, next.n < 12 ? 0 : next.n}, out);

		assert_true(n == 0 || (n >= 12 && n <= sizeof(out)));
		for (uint32_t at = 12; at < n; at += out[at + 1] * 8u)
			assert_true(at + 2 <= n && out[at + 1] && out[at + 1] * 8u <= n - at);
		free(told.data);
		free(next.data);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_prefix),
		cmocka_unit_test(test_routes_and_names),
		cmocka_unit_test(test_the_router_goes),
		cmocka_unit_test(test_nothing_to_take_back),
		cmocka_unit_test(test_room),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
