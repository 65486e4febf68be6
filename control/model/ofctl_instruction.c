/* SPDX-License-Identifier: BSD-3-Clause */
/* The instructions of a flow: what follows "actions=". */
#include "control/model/ofctl_action.h"

#include <errno.h>
#include <string.h>

/* In the order in which they are executed and must be written. */
enum stage {
	STAGE_METER,
	STAGE_APPLY,
	STAGE_CLEAR,
	STAGE_WRITE,
	STAGE_METADATA,
	STAGE_GOTO,
	N_STAGES,
};

static const char *const stage_words[N_STAGES] = {
	[STAGE_METER] = "meter",
	[STAGE_CLEAR] = "clear_actions",
	[STAGE_WRITE] = "write_actions",
	[STAGE_METADATA] = "write_metadata",
	[STAGE_GOTO] = "goto_table",
};

struct reading {
	struct tn_ofctl_line *line;
	const struct tn_match *match; /* NULL: its text was wrong */
	struct tn_instructions *inst;
	struct tn_ofctl_list apply, write;
	enum stage stage;	  /* the last one that was read */
	const char *at[N_STAGES]; /* where each stands; NULL: nowhere */
};

static enum stage stage_of(struct tn_ofctl_span s)
{
	for (unsigned i = 0; i < N_STAGES; i++)
		if (stage_words[i] && tn_ofctl_is_nocase(s, stage_words[i]))
			return (enum stage)i;
	return STAGE_APPLY;
}

static int enter_stage(struct reading *r, enum stage stage, struct tn_ofctl_span name)
{
	if (r->at[stage] && stage != STAGE_APPLY)
		return tn_ofctl_complain(r->line, name.p, TN_OFPBIC_DUP_INST,
			"%s stands here twice; a flow has one at most", stage_words[stage]);
	if (stage < r->stage)
		return tn_ofctl_complain(r->line, name.p, TN_OFPBAC_UNSUPPORTED_ORDER,
			"%s must come before %s; the order is meter, actions, clear_actions, "
			"write_actions, write_metadata, goto_table",
			tn_ofctl_show(name).s,
			r->stage == STAGE_APPLY ? "actions" : stage_words[r->stage]);
	r->stage = stage;
	if (!r->at[stage])
		r->at[stage] = name.p;
	return 0;
}

static int parse_meter(struct reading *r, const struct tn_ofctl_item *item)
{
	uint64_t v;

	if (tn_ofctl_number(
		    r->line, item->value, "meter", TN_OFPBAC_BAD_METER, 1, TN_METER_MAX, &v))
		return -EINVAL;
	r->inst->meter_id = (uint32_t)v;
	return 0;
}

static int parse_clear(struct reading *r, const struct tn_ofctl_item *item)
{
	if (item->value.n)
		return tn_ofctl_complain(r->line, item->value.p, TN_OF_OK,
			"clear_actions takes no argument; write it alone");
	r->inst->clear_actions = true;
	return 0;
}

static int parse_write(struct reading *r, const struct tn_ofctl_item *item)
{
	if (tn_ofctl_action_items(r->line, item->value, r->match, &r->write))
		return -EINVAL;
	return tn_ofctl_check_drop(r->line, &r->write);
}

static int parse_metadata(struct reading *r, const struct tn_ofctl_item *item)
{
	struct tn_ofctl_span value_s = item->value, mask_s;
	uint64_t value, mask = UINT64_MAX;

	if (tn_ofctl_split(item->value, "/", &value_s, &mask_s) &&
		tn_ofctl_u64(r->line, mask_s, "mask", TN_OFPBIC_UNSUP_METADATA_MASK, &mask))
		return -EINVAL;
	if (tn_ofctl_u64(r->line, value_s, "metadata", TN_OFPBIC_UNSUP_METADATA, &value))
		return -EINVAL;
	if (mask == 0)
		return tn_ofctl_complain(r->line, mask_s.p, TN_OFPBIC_UNSUP_METADATA_MASK,
			"write_metadata: a mask of 0 would write nothing; set a bit or leave the "
			"instruction out");
	r->inst->metadata = value & mask;
	r->inst->metadata_mask = mask;
	return 0;
}

static int parse_goto(struct reading *r, const struct tn_ofctl_item *item)
{
	return tn_ofctl_table(r->line, item->value, TN_OFPBIC_BAD_TABLE_ID, (uint8_t)TN_TABLE_MAX,
		&r->inst->goto_table);
}

static int parse_item(struct reading *r, const struct tn_ofctl_item *item)
{
	enum stage stage = stage_of(item->key);

	if (enter_stage(r, stage, item->key))
		return -EINVAL;
	switch (stage) {
	case STAGE_METER:
		return parse_meter(r, item);
	case STAGE_CLEAR:
		return parse_clear(r, item);
	case STAGE_WRITE:
		return parse_write(r, item);
	case STAGE_METADATA:
		return parse_metadata(r, item);
	case STAGE_GOTO:
		return parse_goto(r, item);
	case STAGE_APPLY:
	case N_STAGES:
		break;
	}
	return tn_ofctl_action_item(r->line, item, r->match, &r->apply);
}

static int check_drop(const struct reading *r)
{
	for (unsigned i = 0; i < N_STAGES; i++)
		if (i != STAGE_APPLY && r->at[i] && r->apply.drop_at)
			return tn_ofctl_complain(r->line, r->apply.drop_at, TN_OF_OK,
				"drop cannot stand beside an instruction; leave one of the two "
				"out");
	return tn_ofctl_check_drop(r->line, &r->apply);
}

static const struct tn_action *keep(struct tn_ofctl_line *l, const struct tn_ofctl_list *list)
{
	return tn_arena_dup(l->o->arena, list->action, list->n * sizeof(*list->action));
}

/* Which of the two lists holds the position that the check complains of? */
static const char *place_of(const struct reading *r, uint8_t table, const struct tn_error *err)
{
	const struct tn_ofctl_list *list = &r->write;
	struct tn_error other;

	if (err->index < 0) {
		const char *at =
			err->of == TN_OFPBAC_BAD_METER ? r->at[STAGE_METER] : r->at[STAGE_GOTO];

		return at ? at : r->line->text.p;
	}
	if (tn_actions_check(r->apply.action, r->apply.n, TN_PLACE_APPLY, r->match, table, &other))
		list = &r->apply;
	return (size_t)err->index < list->n ? list->at[err->index] : r->line->text.p;
}

static int check(struct reading *r, uint8_t table)
{
	struct tn_instructions inst = *r->inst;
	struct tn_error err;

	inst.apply = r->apply.action;
	inst.n_apply = (uint16_t)r->apply.n;
	inst.write = r->write.action;
	inst.n_write = (uint16_t)r->write.n;
	if (!tn_instructions_check(&inst, r->match, table, &err))
		return 0;
	return tn_ofctl_complain(r->line, place_of(r, table, &err), err.of, "%s", err.detail);
}

static int finish(struct reading *r, uint8_t table)
{
	if (check_drop(r) || check(r, table))
		return -EINVAL;
	r->inst->n_apply = (uint16_t)r->apply.n;
	r->inst->n_write = (uint16_t)r->write.n;
	if (r->apply.n)
		r->inst->apply = keep(r->line, &r->apply);
	if (r->write.n)
		r->inst->write = keep(r->line, &r->write);
	return 0;
}

int tn_ofctl_parse_instructions(struct tn_ofctl_line *l, struct tn_ofctl_span s,
	const struct tn_match *match, uint8_t table, struct tn_instructions *inst)
{
	struct reading r = {.line = l, .match = match, .inst = inst};
	unsigned before = l->n_errors;
	struct tn_ofctl_item item;
	int rc = -EINVAL;

	tn_instructions_init(inst);
	r.apply.any_match = r.write.any_match = !match;
	while (tn_ofctl_next(l, &s, &item) > 0) {
		bool full = r.apply.n > TN_ACTIONS_MAX;

		if (parse_item(&r, &item) && full)
			break;
	}
	if (l->n_errors == before)
		rc = finish(&r, table);
	tn_ofctl_list_fini(&r.apply);
	tn_ofctl_list_fini(&r.write);
	return rc;
}

int tn_ofctl_keep_list(struct tn_ofctl_line *l, const struct tn_ofctl_list *list,
	enum tn_action_place place, const struct tn_action **action, size_t *n)
{
	struct tn_error err;

	*n = 0;
	*action = NULL;
	if (tn_ofctl_check_drop(l, list))
		return -EINVAL;
	if (list->n == 0)
		return 0;
	if (tn_actions_check(list->action, list->n, place, NULL, TN_TABLE_ALL, &err)) {
		const char *at = l->text.p;

		if (err.index >= 0 && (size_t)err.index < list->n)
			at = list->at[err.index];
		return tn_ofctl_complain(l, at, err.of, "%s", err.detail);
	}
	*action = keep(l, list);
	*n = list->n;
	return 0;
}
