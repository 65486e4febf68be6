/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/model/group_order.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* A document whose group i+1 leads to the groups of links[i], by GROUP or by watch_group. */
static char *write_document(const char *const *links, size_t n)
{
	size_t room = 200 + n * 200, at;
	char *text = malloc(room);

	assert_non_null(text);
	at = (size_t)snprintf(text, room,
		"{\"ports\":[{\"number\":1,\"name\":\"p\",\"type\":\"pcap\"}],\"groups\":[");
	for (size_t i = 0; i < n; i++)
		at += (size_t)snprintf(text + at, room - at,
			"%s{\"groupId\":%zu,\"type\":\"ALL\",\"appCookie\":\"0x1\","
			"\"buckets\":[{\"treatment\":{\"instructions\":[%s]}}]}",
			i ? "," : "", i + 1, links[i]);
	snprintf(text + at, room - at, "]}");
	return text;
}

#define OUT    "{\"type\":\"OUTPUT\",\"port\":\"1\"}"
#define TO(id) "{\"type\":\"GROUP\",\"groupId\":" #id "}"
#define AND    "]}},{\"treatment\":{\"instructions\":[" /* in a bucket of its own */

struct parsed {
	struct tn_document doc;
	struct tn_diagnostics diag;
	int rc;
};

static void parse(struct parsed *p, const char *text)
{
	tn_diagnostics_init(&p->diag);
	p->rc = tn_document_parse(&p->doc, text, strlen(text), &p->diag);
}

static void finish(struct parsed *p)
{
	tn_document_fini(&p->doc);
	tn_diagnostics_fini(&p->diag);
}

static void expect_order(const char *const *links, size_t n, const uint32_t *ids)
{
	char *text = write_document(links, n), pointer[32];
	struct parsed p;

	parse(&p, text);
	assert_int_equal(p.rc, 0);
	assert_int_equal(p.doc.n_mods, n);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(p.doc.mods[i].group->group_id, ids[i]);
		snprintf(pointer, sizeof(pointer), "/groups/%u", ids[i] - 1);
		assert_string_equal(p.doc.mod_pointers[i], pointer);
	}
	finish(&p);
	free(text);
}

static void used_groups_come_first(void **state)
{
	(void)state;
	expect_order((const char *[]){OUT, OUT, OUT}, 3, (uint32_t[]){1, 2, 3});
	expect_order((const char *[]){TO(2), OUT, OUT}, 3, (uint32_t[]){2, 1, 3});
	expect_order((const char *[]){TO(3), OUT, TO(2)}, 3, (uint32_t[]){2, 3, 1});
	/* A diamond: 1 uses 2 and 3, both use 4. */
	expect_order(
		(const char *[]){TO(2) AND TO(3), TO(4), TO(4), OUT}, 4, (uint32_t[]){4, 2, 3, 1});
	/* One that is nowhere is the switch's to refuse. */
	expect_order((const char *[]){TO(9), OUT}, 2, (uint32_t[]){1, 2});
}

static void watched_groups_come_first(void **state)
{
	static const char text[] =
		"{\"ports\":[{\"number\":1,\"name\":\"p\",\"type\":\"pcap\"}],\"groups\":["
		"{\"groupId\":1,\"type\":\"FAILOVER\",\"appCookie\":\"0x1\",\"buckets\":["
		"{\"watchGroup\":2,\"treatment\":{\"instructions\":[" OUT "]}}]},"
		"{\"groupId\":2,\"type\":\"ALL\",\"appCookie\":\"0x2\",\"buckets\":[]}]}";
	struct parsed p;

	(void)state;
	parse(&p, text);
	assert_int_equal(p.rc, 0);
	assert_int_equal(p.doc.mods[0].group->group_id, 2);
	assert_int_equal(p.doc.mods[1].group->group_id, 1);
	finish(&p);
}

static void expect_loop(const char *const *links, size_t n, const char *pointer)
{
	char *text = write_document(links, n);
	struct parsed p;

	parse(&p, text);
	assert_int_not_equal(p.rc, 0);
	assert_int_equal(p.diag.n, 1);
	assert_int_equal(p.diag.list[0].of, TN_OFPGMFC_LOOP);
	assert_string_equal(p.diag.list[0].pointer, pointer);
	assert_int_equal(p.diag.list[0].line, 1);
	finish(&p);
	free(text);
}

static void loops_are_refused(void **state)
{
	(void)state;
	expect_loop((const char *[]){TO(1)}, 1, "/groups/0");
	expect_loop((const char *[]){TO(2), TO(1)}, 2, "/groups/1");
	expect_loop((const char *[]){OUT, TO(3), TO(4), TO(2)}, 4, "/groups/3");
}

static void a_long_chain_takes_no_stack(void **state)
{
	enum { N = 20000 };
	char(*words)[48] = calloc(N, sizeof(*words));
	const char **links = calloc(N, sizeof(*links));
	struct parsed p;
	char *text;

	(void)state;
	assert_non_null(words);
	assert_non_null(links);
	for (size_t i = 0; i < N; i++) {
		snprintf(words[i], sizeof(*words), "{\"type\":\"GROUP\",\"groupId\":%zu}", i + 2);
		links[i] = i + 1 < N ? words[i] : OUT;
	}
	text = write_document(links, N);
	parse(&p, text);
	assert_int_equal(p.rc, 0);
	for (size_t i = 0; i < N; i++)
		assert_int_equal(p.doc.mods[i].group->group_id, N - i);
	finish(&p);
	free(text);
	free(links);
	free(words);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(used_groups_come_first),
		cmocka_unit_test(watched_groups_come_first),
		cmocka_unit_test(loops_are_refused),
		cmocka_unit_test(a_long_chain_takes_no_stack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
