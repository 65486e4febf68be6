/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ovs-ofctl text. The first byte says what the rest is: f flow (with its own command), F dump
 * filter, g group, i buckets to insert, m meter, a actions. What is refused has a complaint within
 * the line; what is accepted is correct, and its text reads back as the same.
 */
#include "control/model/ofctl.h"

#include <string.h>

#include "tests/fuzz/fuzz.h"

/* A reader for one line. */
struct bench {
	struct tn_arena arena;
	struct tn_diagnostics diag;
	struct tn_ofctl o;
};

static void bench_init(struct bench *b, struct tn_names *names)
{
	tn_arena_init(&b->arena);
	tn_diagnostics_init(&b->diag);
	b->o = (struct tn_ofctl){.names = names, .arena = &b->arena, .diag = &b->diag, .line = 1};
}

static void bench_fini(struct bench *b)
{
	tn_diagnostics_fini(&b->diag);
	tn_arena_fini(&b->arena);
}

/* Was the line taken? Whatever is said of it must make sense. */
static bool taken(const struct bench *b, int rc, size_t len)
{
	fuzz_require((rc == 0) == (b->diag.n == 0));
	for (size_t i = 0; i < b->diag.n; i++) {
		const struct tn_diagnostic *d = &b->diag.list[i];

		fuzz_require(d->column >= 1 && d->column <= len + 1);
		fuzz_require(d->detail && d->detail[0]);
		for (const char *p = d->detail; *p; p++)
			fuzz_require(*p >= ' ');
	}
	return rc == 0;
}

static char *print_flow(const struct tn_flow_mod *fm, const struct tn_names *names)
{
	const struct tn_flow_info info = {
		.table_id = fm->table_id,
		.priority = fm->priority,
		.cookie = fm->cookie,
		.idle_timeout = fm->idle_timeout,
		.hard_timeout = fm->hard_timeout,
		.importance = fm->importance,
		.flags = fm->flags,
		.match = fm->match,
		.inst = fm->inst,
	};
	char *text = tn_ofctl_print_flow(&info, names, false, 0);

	fuzz_require(text);
	return text;
}

static void check_same_flow(const struct tn_flow_mod *a, const struct tn_flow_mod *b)
{
	fuzz_require(a->table_id == b->table_id && a->priority == b->priority);
	fuzz_require(a->cookie == b->cookie && a->flags == b->flags);
	fuzz_require(tn_match_equal(&a->match, &b->match));
	fuzz_require(
		tn_actions_equal(a->inst.apply, a->inst.n_apply, b->inst.apply, b->inst.n_apply));
	fuzz_require(
		tn_actions_equal(a->inst.write, a->inst.n_write, b->inst.write, b->inst.n_write));
}

static void reread_flow(const struct tn_flow_mod *fm, struct tn_names *names)
{
	char *text = print_flow(fm, names), *second;
	struct tn_flow_mod again;
	struct bench b;

	bench_init(&b, names);
	fuzz_require(!tn_ofctl_parse_flow(&b.o, TN_OFCTL_ADD, text, strlen(text), &again));
	check_same_flow(fm, &again);
	second = print_flow(&again, names);
	fuzz_require(strcmp(text, second) == 0);
	free(text);
	free(second);
	bench_fini(&b);
}

static void check_flow(struct bench *b, const char *text, size_t len, bool filter)
{
	enum tn_ofctl_use use = filter ? TN_OFCTL_FILTER : TN_OFCTL_ANY;
	struct tn_flow_mod fm;
	struct tn_error err;
	int rc = tn_ofctl_parse_flow(&b->o, use, text, len, &fm);

	if (!taken(b, rc, len))
		return;
	fuzz_require(!tn_match_check(&fm.match, &err));
	fuzz_require(!tn_instructions_check(&fm.inst, &fm.match, fm.table_id, &err));
	if (fm.command != TN_FLOW_ADD)
		return;
	reread_flow(&fm, b->o.names);
	reread_flow(&fm, NULL);
}

static char *print_group(struct bench *b, const struct tn_group_mod *gm)
{
	struct tn_bucket_info *buckets =
		tn_arena_alloc(&b->arena, (gm->n_buckets + 1u) * sizeof(*buckets));
	const struct tn_group_info info = {
		.group_id = gm->group_id,
		.type = gm->type,
		.selection = gm->selection,
		.hash_fields = gm->hash_fields,
		.selection_param = gm->selection_param,
		.buckets = buckets,
		.n_buckets = gm->n_buckets,
	};
	char *text;

	for (uint32_t i = 0; i < gm->n_buckets; i++)
		buckets[i].bucket = gm->buckets[i];
	text = tn_ofctl_print_group(&info, b->o.names);
	fuzz_require(text);
	return text;
}

static void check_group(struct bench *b, const char *text, size_t len, bool insert)
{
	enum tn_group_command command = insert ? TN_GROUP_INSERT_BUCKET : TN_GROUP_ADD;
	struct tn_group_mod gm, again;
	struct tn_error err;
	char *first, *second;

	if (!taken(b, tn_ofctl_parse_group(&b->o, command, text, len, &gm), len))
		return;
	for (uint32_t i = 0; i < gm.n_buckets; i++)
		fuzz_require(!tn_actions_check(gm.buckets[i].actions, gm.buckets[i].n_actions,
			TN_PLACE_BUCKET, NULL, TN_TABLE_ALL, &err));
	if (insert)
		return;
	first = print_group(b, &gm);
	fuzz_require(!tn_ofctl_parse_group(&b->o, TN_GROUP_ADD, first, strlen(first), &again));
	second = print_group(b, &again);
	fuzz_require(strcmp(first, second) == 0);
	free(first);
	free(second);
}

static char *print_meter(struct bench *b, const struct tn_meter_mod *mm)
{
	struct tn_meter *meter = tn_arena_alloc(&b->arena, tn_meter_size(mm->n_bands));
	char *text;

	tn_meter_init(meter, mm, 0);
	text = tn_ofctl_print_meter(meter);
	fuzz_require(text);
	return text;
}

static void check_meter(struct bench *b, const char *text, size_t len)
{
	struct tn_meter_mod mm, again;
	struct tn_error err;
	char *first, *second;

	if (!taken(b, tn_ofctl_parse_meter(&b->o, TN_METER_ADD, text, len, &mm), len))
		return;
	fuzz_require(!tn_meter_check(&mm, &err));
	first = print_meter(b, &mm);
	fuzz_require(!tn_ofctl_parse_meter(&b->o, TN_METER_ADD, first, strlen(first), &again));
	second = print_meter(b, &again);
	fuzz_require(strcmp(first, second) == 0);
	free(first);
	free(second);
}

static void check_actions(struct bench *b, const char *text, size_t len)
{
	const struct tn_action *list, *again;
	size_t n, n_again;
	char *first;

	if (!taken(b, tn_ofctl_parse_actions(&b->o, text, len, &list, &n), len))
		return;
	first = tn_ofctl_print_actions(list, n, b->o.names);
	fuzz_require(first);
	fuzz_require(!tn_ofctl_parse_actions(&b->o, first, strlen(first), &again, &n_again));
	fuzz_require(tn_actions_equal(list, n, again, n_again));
	free(first);
}

static struct tn_names *some_names(void)
{
	struct tn_names *names = tn_names_new();

	fuzz_require(!tn_names_add_port(names, "uplink0", 1));
	fuzz_require(!tn_names_add_port(names, "vm-1, \"quoted\"", 2));
	fuzz_require(!tn_names_add_port(names, "drop", 3));
	fuzz_require(!tn_names_add_table(names, "acl", 7));
	return names;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {data, size};
	uint8_t kind = fuzz_take8(&in);
	struct tn_names *names = some_names();
	const char *text = (const char *)in.p;
	struct bench b;

	bench_init(&b, names);
	if (kind == 'f' || kind == 'F')
		check_flow(&b, text, in.left, kind == 'F');
	else if (kind == 'g' || kind == 'i')
		check_group(&b, text, in.left, kind == 'i');
	else if (kind == 'm')
		check_meter(&b, text, in.left);
	else if (kind == 'a')
		check_actions(&b, text, in.left);
	bench_fini(&b);
	tn_names_free(names);
	return 0;
}
