/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The model's README is the reference of the JSON: its document must be accepted, each of its
 * examples must mean something, and it must name every type that the codec prints.
 */
#include "control/model/document.h"

#include <ctype.h>

#include "dataplane/core/reply.h"
#include "tests/unit/model/json_help.h"

static char *readme;

static int load_readme(void **state)
{
	const char *root = getenv("TN_SOURCE_ROOT");
	char path[4096];
	long len;
	FILE *f;

	(void)state;
	snprintf(path, sizeof(path), "%s/control/model/README.md", root ? root : ".");
	f = fopen(path, "rb");
	if (!f || fseek(f, 0, SEEK_END) || (len = ftell(f)) < 0 || fseek(f, 0, SEEK_SET))
		return -1;
	readme = calloc(1, (size_t)len + 1);
	if (!readme || fread(readme, 1, (size_t)len, f) != (size_t)len)
		return -1;
	return fclose(f);
}

static int free_readme(void **state)
{
	(void)state;
	free(readme);
	return 0;
}

static void the_document_is_accepted(void **state)
{
	const char *begin = strstr(readme, "```json\n"), *end;
	struct tn_diagnostics diag;
	struct tn_document doc;

	(void)state;
	assert_non_null(begin);
	begin += 8;
	end = strstr(begin, "```");
	assert_non_null(end);
	tn_diagnostics_init(&diag);
	if (tn_document_parse(&doc, begin, (size_t)(end - begin), &diag))
		fail_msg("%s: %s", diag.list[0].pointer, diag.list[0].detail);
	tn_document_fini(&doc);
	tn_diagnostics_fini(&diag);
}

/* The text between two headings. */
static char *section(const char *from, const char *to)
{
	const char *begin = strstr(readme, from), *end;

	assert_non_null(begin);
	end = strstr(begin, to);
	assert_non_null(end);
	return strndup(begin, (size_t)(end - begin));
}

/* Only what an example lacks around it may be missing. */
static void check_example(struct help *h, const char *example, bool criterion)
{
	char *text = malloc(strlen(example) + 200);
	struct tn_flow_mod fm;
	json_t *tree;
	size_t i;

	assert_non_null(text);
	sprintf(text, "{'priority':1,'isPermanent':true,%s[%s]}}",
		criterion ? "'selector':{'criteria':" : "'treatment':{'instructions':", example);
	tree = help_tree(text);
	if (tn_flow_from_json(&h->codec, "", tree, &fm))
		for (i = 0; i < h->diag.n; i++)
			if (h->diag.list[i].of != TN_OFPBMC_BAD_PREREQ &&
				h->diag.list[i].of != TN_OFPBAC_MATCH_INCONSISTENT)
				fail_msg("%s: %s", example, h->diag.list[i].detail);
	help_clear(h);
	json_decref(tree);
	free(text);
}

static size_t check_examples(const char *from, const char *to, bool criterion)
{
	char *text = section(from, to), *p = text, *end;
	struct help h;
	size_t n = 0;

	help_init(&h);
	while ((p = strstr(p, "`{\"type\"")) != NULL) {
		end = strchr(++p, '`');
		assert_non_null(end);
		*end = '\0';
		check_example(&h, p, criterion);
		p = end + 1;
		n++;
	}
	help_fini(&h);
	free(text);
	return n;
}

static void every_example_is_understood(void **state)
{
	(void)state;
	assert_true(check_examples("### Criteria", "### Instructions", true) >= 40);
	assert_true(check_examples("### Instructions", "## Groups", false) >= 40);
}

static void require_name(const char *text, const char *name)
{
	char quoted[64];

	snprintf(quoted, sizeof(quoted), "\"%s\"", name);
	if (!strstr(text, quoted))
		fail_msg("the README does not have %s", quoted);
}

/* A match that has one field and all that it needs, as far as tn_match_fields() asks. */
static void match_of(enum tn_field_id id, struct tn_match *m)
{
	static const uint16_t types[] = {0x0800, 0x86dd, 0x0806};
	static const uint8_t protos[] = {6, 17, 132, 1, 58}, nd[] = {135, 136};
	size_t i, j, k;

	for (i = 0; i < TN_ARRAY_SIZE(types) * TN_ARRAY_SIZE(protos); i++)
		for (k = 0; k < TN_ARRAY_SIZE(nd); k++) {
			j = i % TN_ARRAY_SIZE(protos);
			tn_match_init(m);
			tn_match_set_exact(m, TN_FIELD_IN_PORT, 1);
			tn_match_set_exact(m, TN_FIELD_VLAN_VID, 0x1001);
			tn_match_set_exact(m, TN_FIELD_ETH_TYPE, types[i / TN_ARRAY_SIZE(protos)]);
			if (types[i / TN_ARRAY_SIZE(protos)] != 0x0806)
				tn_match_set_exact(m, TN_FIELD_IP_PROTO, protos[j]);
			if (protos[j] == 58)
				tn_match_set_exact(m, TN_FIELD_ICMPV6_TYPE, nd[k]);
			if (tn_match_prereq_ok(m, id)) {
				if (tn_match_mask(m, id) == 0)
					tn_match_set_exact(m, id, 1);
				return;
			}
		}
	fail_msg("no match has %s", tn_fields[id].name);
}

/* Every type of criterion, and every type and subtype of instruction, that we print. */
static void every_type_is_named(void **state)
{
	char *criteria = section("### Criteria", "### Instructions");
	char *instructions = section("### Instructions", "## Groups");
	struct tn_flow_info info = {0};
	struct tn_action a;
	struct help h;
	json_t *j, *list, *e, *sub;
	size_t i, k;

	(void)state;
	help_init(&h);
	tn_instructions_init(&info.inst);
	for (i = 0; i < TN_N_FIELDS; i++) {
		match_of((enum tn_field_id)i, &info.match);
		j = tn_flow_to_json(&h.codec, &info);
		list = json_object_get(json_object_get(j, "selector"), "criteria");
		json_array_foreach(list, k, e)
		{
			require_name(criteria, json_string_value(json_object_get(e, "type")));
		}
		json_decref(j);
	}
	for (i = 0; i < TN_N_FIELDS + TN_ACTION_LAST; i++) {
		a = (struct tn_action){.type = TN_ACTION_SET_FIELD, .field = (uint8_t)i};
		if (i < TN_N_FIELDS)
			a.set.mask = tn_field_ones((enum tn_field_id)i);
		else
			a = (struct tn_action){.type = (uint8_t)(i - TN_N_FIELDS + 1)};
		if (a.type == TN_ACTION_REPLY)
			a.reply.kind = TN_REPLY_ARP;
		j = tn_actions_to_json(&h.codec, &a, 1);
		e = json_array_get(j, 0);
		sub = json_object_get(e, "subtype");
		require_name(instructions, json_string_value(json_object_get(e, "type")));
		if (sub)
			require_name(instructions, json_string_value(sub));
		json_decref(j);
	}
	help_fini(&h);
	free(criteria);
	free(instructions);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_document_is_accepted),
		cmocka_unit_test(every_example_is_understood),
		cmocka_unit_test(every_type_is_named),
	};

	return cmocka_run_group_tests(tests, load_readme, free_readme);
}
