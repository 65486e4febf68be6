/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bytes -> a document. What is refused says where and why. What is accepted is printed, read again
 * and printed again: both prints are the same text.
 */
#include "control/model/document.h"

#include "tests/fuzz/fuzz.h"

static json_t *print_flow(const struct tn_codec *codec, const struct tn_flow_mod *fm)
{
	struct tn_flow_info info = {
		.flow_id = tn_flow_id(codec->dpid, fm->table_id, fm->priority, &fm->match),
		.table_id = fm->table_id,
		.priority = fm->priority,
		.cookie = fm->cookie,
		.idle_timeout = fm->idle_timeout,
		.hard_timeout = fm->hard_timeout,
		.importance = fm->importance,
		.flags = fm->flags,
		.owner = fm->owner,
		.match = fm->match,
		.inst = fm->inst,
	};
	struct tn_error err;

	fuzz_require(!tn_match_check(&fm->match, &err));
	fuzz_require(!tn_instructions_check(&fm->inst, &fm->match, fm->table_id, &err));
	return tn_flow_to_json(codec, &info);
}

static json_t *print_group(const struct tn_codec *codec, const struct tn_group_mod *gm)
{
	struct tn_bucket_info *buckets =
		tn_arena_alloc(codec->arena, gm->n_buckets * sizeof(*buckets));
	struct tn_group_info info = {
		.group_id = gm->group_id,
		.type = gm->type,
		.selection = gm->selection,
		.hash_fields = gm->hash_fields,
		.selection_param = gm->selection_param,
		.owner = gm->owner,
		.annotation = gm->annotation,
		.buckets = buckets,
		.n_buckets = gm->n_buckets,
	};
	struct tn_error err;
	uint32_t i;

	for (i = 0; i < gm->n_buckets; i++) {
		buckets[i].bucket = gm->buckets[i];
		fuzz_require(!tn_actions_check(gm->buckets[i].actions, gm->buckets[i].n_actions,
			TN_PLACE_BUCKET, NULL, 0, &err));
	}
	return tn_group_to_json(codec, &info);
}

static json_t *print_meter(const struct tn_codec *codec, const struct tn_meter_mod *mm)
{
	struct tn_meter *meter = tn_arena_alloc(codec->arena, tn_meter_size(mm->n_bands));
	struct tn_error err;

	fuzz_require(!tn_meter_check(mm, &err));
	tn_meter_init(meter, mm, 0);
	return tn_meter_to_json(codec, meter, 0);
}

/* The whole document as text; with_stats as a report prints it. */
static char *print_document(struct tn_document *doc, bool with_stats)
{
	json_t *flows = json_array(), *groups = json_array(), *meters = json_array(), *all;
	struct tn_codec codec = {.dpid = doc->dpid,
		.names = doc->names,
		.arena = &doc->arena,
		.with_stats = with_stats};
	char *text;
	size_t i;

	for (i = 0; i < doc->n_mods; i++) {
		const struct tn_mod *mod = &doc->mods[i];

		fuzz_require(doc->mod_lines[i] && doc->mod_columns[i] && doc->mod_pointers[i]);
		if (mod->kind == TN_MOD_FLOW)
			json_array_append_new(flows, print_flow(&codec, mod->flow));
		else if (mod->kind == TN_MOD_GROUP)
			json_array_append_new(groups, print_group(&codec, mod->group));
		else
			json_array_append_new(meters, print_meter(&codec, mod->meter));
	}
	all = tn_document_to_json(doc, flows, groups, meters);
	text = json_dumps(all, JSON_COMPACT);
	fuzz_require(text != NULL);
	json_decref(all);
	return text;
}

static void require_reasons(const struct tn_diagnostics *diag, size_t size)
{
	const struct tn_diagnostic *d;
	size_t i;

	fuzz_require(diag->n > 0);
	for (i = 0; i < diag->n; i++) {
		d = &diag->list[i];
		fuzz_require(d->pointer && (d->pointer[0] == '/' || d->pointer[0] == '\0'));
		fuzz_require(d->line > 0 && d->column > 0 && d->line + d->column <= size + 2);
		fuzz_require(d->detail && d->detail[0]);
		if (i > 0)
			fuzz_require(d->line > d[-1].line ||
				(d->line == d[-1].line && d->column >= d[-1].column));
	}
}

/* Reads text, which must be accepted, and prints it. */
static char *read_and_print(const char *text, bool with_stats)
{
	struct tn_diagnostics diag;
	struct tn_document doc;
	char *printed;

	tn_diagnostics_init(&diag);
	fuzz_require(!tn_document_parse(&doc, text, strlen(text), &diag));
	printed = print_document(&doc, with_stats);
	tn_document_fini(&doc);
	tn_diagnostics_fini(&diag);
	return printed;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tn_diagnostics diag;
	struct tn_document doc;
	char *first, *answer, *again;

	tn_diagnostics_init(&diag);
	if (tn_document_parse(&doc, (const char *)data, size, &diag)) {
		require_reasons(&diag, size);
	} else {
		fuzz_require(diag.n == 0);
		first = print_document(&doc, false);
		answer = print_document(&doc, true);
		again = read_and_print(first, false);
		fuzz_require(strcmp(first, again) == 0);
		free(again);
		/* What was answered can be sent back, and means the same. */
		again = read_and_print(answer, false);
		fuzz_require(strcmp(first, again) == 0);
		free(again);
		free(answer);
		free(first);
	}
	tn_document_fini(&doc);
	tn_diagnostics_fini(&diag);
	return 0;
}
