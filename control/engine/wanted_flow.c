/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Packed flows. Behind struct tn_packed_flow come the words of the mask that are not 0, each with
 * the value's, then the actions: their size without the zeroes at the end, in words, then these.
 */
#include "control/engine/wanted.h"

#include <stdlib.h>
#include <string.h>

TN_KEY_SEQ_ASSERT(1);
TN_BUILD_ASSERT(TN_KEY_WORDS <= 32, "a bit a word of the key");

#define ACTION_WORDS (sizeof(struct tn_action) / 8)
/* Flags of a flow; the others are about the request. */
#define FLAGS_KEPT (TN_FLOW_SEND_FLOW_REM | TN_FLOW_NO_PKT_COUNTS | TN_FLOW_NO_BYT_COUNTS)

static const uint64_t *words_of(const struct tn_wanted *w)
{
	return (const uint64_t *)(const void *)(w->body + sizeof(struct tn_packed_flow));
}

static const uint64_t *actions_of(const struct tn_wanted *w)
{
	return words_of(w) + 2 * (size_t)__builtin_popcount(tn_wanted_packed(w)->mask_words);
}

static unsigned action_words(const struct tn_action *a)
{
	uint64_t v[ACTION_WORDS];
	unsigned n = ACTION_WORDS;

	memcpy(v, a, sizeof(v));
	while (n > 1 && !v[n - 1])
		n--;
	return n;
}

size_t tn_packed_flow_size(const struct tn_flow_mod *fm, uint32_t *mask_words)
{
	const uint64_t *mask = tn_key_cwords(&fm->match.mask);
	size_t n = 0;

	*mask_words = 0;
	for (unsigned i = 0; i < TN_KEY_WORDS; i++)
		*mask_words |= (uint32_t)(mask[i] != 0) << i;
	n += 2 * (size_t)__builtin_popcount(*mask_words);
	for (unsigned i = 0; i < fm->inst.n_apply; i++)
		n += 1 + action_words(&fm->inst.apply[i]);
	for (unsigned i = 0; i < fm->inst.n_write; i++)
		n += 1 + action_words(&fm->inst.write[i]);
	return sizeof(struct tn_packed_flow) + n * 8;
}

static uint64_t *pack_actions(uint64_t *to, const struct tn_action *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned words = action_words(&list[i]);

		*to++ = words;
		memcpy(to, &list[i], words * sizeof(*to));
		to += words;
	}
	return to;
}

void tn_packed_flow_write(
	const struct tn_flow_mod *fm, uint32_t mask_words, struct tn_packed_flow *p)
{
	const uint64_t *mask = tn_key_cwords(&fm->match.mask);
	const uint64_t *value = tn_key_cwords(&fm->match.value);
	uint64_t *to = (uint64_t *)(void *)(p + 1);

	memset(p, 0, sizeof(*p));
	p->cookie = fm->cookie;
	p->metadata = fm->inst.metadata;
	p->metadata_mask = fm->inst.metadata_mask;
	p->mask_words = mask_words;
	p->meter_id = fm->inst.meter_id;
	p->priority = fm->priority;
	p->idle_timeout = fm->idle_timeout;
	p->hard_timeout = fm->hard_timeout;
	p->importance = fm->importance;
	p->flags = fm->flags & FLAGS_KEPT;
	p->n_apply = fm->inst.n_apply;
	p->n_write = fm->inst.n_write;
	p->table_id = fm->table_id;
	p->goto_table = fm->inst.goto_table;
	p->clear_actions = fm->inst.clear_actions;
	for (uint32_t left = mask_words; left; left &= left - 1) {
		unsigned i = (unsigned)__builtin_ctz(left);

		*to++ = mask[i];
		*to++ = value[i];
	}
	to = pack_actions(to, fm->inst.apply, fm->inst.n_apply);
	pack_actions(to, fm->inst.write, fm->inst.n_write);
}

static struct tn_wanted *new_flow(uint64_t id, uint32_t owner, size_t size)
{
	struct tn_wanted *w = malloc(sizeof(*w) + size);

	if (!w)
		abort();
	*w = (struct tn_wanted){
		.id = id,
		.owner = owner,
		.refs = 1,
		.kind = TN_KIND_FLOW,
		.size = (uint32_t)size,
	};
	return w;
}

struct tn_wanted *tn_wanted_flow(uint64_t dpid, const struct tn_flow_mod *fm)
{
	uint32_t mask_words;
	size_t size = tn_packed_flow_size(fm, &mask_words);
	struct tn_wanted *w =
		new_flow(tn_flow_id(dpid, fm->table_id, fm->priority, &fm->match), fm->owner, size);

	tn_packed_flow_write(fm, mask_words, (struct tn_packed_flow *)(void *)w->body);
	return w;
}

struct tn_wanted *tn_wanted_packed_flow(
	uint64_t id, uint32_t owner, const struct tn_packed_flow *packed, size_t size)
{
	struct tn_wanted *w = new_flow(id, owner, size);

	memcpy(w->body, packed, size);
	return w;
}

void tn_wanted_match(const struct tn_wanted *w, struct tn_match *match)
{
	const uint64_t *from = words_of(w);
	uint64_t *value, *mask;

	tn_match_init(match);
	value = tn_key_words(&match->value);
	mask = tn_key_words(&match->mask);
	for (uint32_t left = tn_wanted_packed(w)->mask_words; left; left &= left - 1) {
		unsigned i = (unsigned)__builtin_ctz(left);

		mask[i] = *from++;
		value[i] = *from++;
	}
}

static void unpack_actions(const struct tn_wanted *w, struct tn_unpacked_flow *flow)
{
	const uint64_t *from = actions_of(w);
	size_t n = (size_t)tn_wanted_packed(w)->n_apply + tn_wanted_packed(w)->n_write;

	if (n > flow->size) {
		free(flow->actions);
		flow->actions = aligned_alloc(16, n * sizeof(*flow->actions));
		if (!flow->actions)
			abort();
		flow->size = n;
	}
	if (n)
		memset(flow->actions, 0, n * sizeof(*flow->actions));
	for (size_t i = 0; i < n; i++) {
		size_t words = *from++;

		memcpy(&flow->actions[i], from, words * 8);
		from += words;
	}
}

void tn_wanted_unpack(const struct tn_wanted *w, struct tn_unpacked_flow *flow)
{
	const struct tn_packed_flow *p = tn_wanted_packed(w);
	struct tn_flow_info *info = &flow->info;

	unpack_actions(w, flow);
	info->flow_id = w->id;
	info->table_id = p->table_id;
	info->priority = p->priority;
	info->cookie = p->cookie;
	info->idle_timeout = p->idle_timeout;
	info->hard_timeout = p->hard_timeout;
	info->importance = p->importance;
	info->flags = p->flags;
	info->owner = w->owner;
	info->created_ns = w->created_ns;
	info->last_used_ns = w->last_used_ns;
	info->counter = w->counter;
	tn_wanted_match(w, &info->match);
	info->inst = (struct tn_instructions){
		.meter_id = p->meter_id,
		.apply = flow->actions,
		.n_apply = p->n_apply,
		.clear_actions = p->clear_actions,
		.write = p->n_write ? flow->actions + p->n_apply : NULL,
		.n_write = p->n_write,
		.metadata = p->metadata,
		.metadata_mask = p->metadata_mask,
		.goto_table = p->goto_table,
	};
}

void tn_unpacked_flow_fini(struct tn_unpacked_flow *flow)
{
	free(flow->actions);
	flow->actions = NULL;
	flow->size = 0;
}

void tn_packed_match_init(struct tn_packed_match *p, const struct tn_match *match)
{
	p->mask_words = 0;
	memcpy(p->mask, tn_key_cwords(&match->mask), sizeof(p->mask));
	memcpy(p->value, tn_key_cwords(&match->value), sizeof(p->value));
	for (unsigned i = 0; i < TN_KEY_WORDS; i++)
		p->mask_words |= (uint32_t)(p->mask[i] != 0) << i;
}

bool tn_wanted_is_within(const struct tn_wanted *w, const struct tn_packed_match *general)
{
	const uint64_t *from = words_of(w);
	uint32_t left = tn_wanted_packed(w)->mask_words;

	if (general->mask_words & ~left)
		return false;
	for (; left; left &= left - 1, from += 2) {
		unsigned i = (unsigned)__builtin_ctz(left);

		if ((general->mask[i] & ~from[0]) ||
			((general->value[i] ^ from[1]) & general->mask[i]))
			return false;
	}
	return true;
}

bool tn_wanted_overlaps(const struct tn_wanted *w, const struct tn_packed_match *other)
{
	const uint64_t *from = words_of(w);

	for (uint32_t left = tn_wanted_packed(w)->mask_words; left; left &= left - 1, from += 2) {
		unsigned i = (unsigned)__builtin_ctz(left);

		if ((from[1] ^ other->value[i]) & from[0] & other->mask[i])
			return false;
	}
	return true;
}

bool tn_wanted_has_match(const struct tn_wanted *w, const struct tn_match *match)
{
	struct tn_match own;

	tn_wanted_match(w, &own);
	return tn_match_equal(&own, match);
}

/* The first 32 bytes of an action hold its type and the ids. */
static void head_of(const uint64_t *from, size_t words, struct tn_action *a)
{
	memset(a, 0, sizeof(*a));
	memcpy(a, from, words * 8 < 32 ? words * 8 : 32);
}

bool tn_wanted_outputs_to(const struct tn_wanted *w, uint32_t port)
{
	const uint64_t *from = actions_of(w);
	size_t n = (size_t)tn_wanted_packed(w)->n_apply + tn_wanted_packed(w)->n_write;
	struct tn_action a;

	for (size_t i = 0; i < n; i++, from += 1 + *from) {
		head_of(from + 1, *from, &a);
		if (a.type == TN_ACTION_OUTPUT && a.output.port == port)
			return true;
	}
	return false;
}

void tn_wanted_group_uses(const struct tn_wanted *w, tn_group_use_fn fn, void *ctx)
{
	const uint64_t *from = actions_of(w);
	size_t n = (size_t)tn_wanted_packed(w)->n_apply + tn_wanted_packed(w)->n_write;
	struct tn_action a;

	for (size_t i = 0; i < n; i++, from += 1 + *from) {
		if ((from[1] & 0xff) != TN_ACTION_GROUP)
			continue;
		head_of(from + 1, *from, &a);
		fn(ctx, a.group_id);
	}
}

struct use {
	uint32_t id;
	bool found;
};

static void look_for(void *ctx, uint32_t group_id)
{
	struct use *use = ctx;

	use->found |= group_id == use->id;
}

bool tn_wanted_uses_group(const struct tn_wanted *w, uint32_t group_id)
{
	struct use use = {.id = group_id};

	tn_wanted_group_uses(w, look_for, &use);
	return use.found;
}

static bool same_instructions(const struct tn_instructions *a, const struct tn_instructions *b)
{
	return a->meter_id == b->meter_id && a->clear_actions == b->clear_actions &&
		a->metadata == b->metadata && a->metadata_mask == b->metadata_mask &&
		a->goto_table == b->goto_table &&
		tn_actions_equal(a->apply, a->n_apply, b->apply, b->n_apply) &&
		tn_actions_equal(a->write, a->n_write, b->write, b->n_write);
}

/* Bytes that mean nothing may differ in actions, so that only equal ones say something. */
bool tn_wanted_same_flow(const struct tn_wanted *a, const struct tn_wanted *b)
{
	struct tn_unpacked_flow x = {0}, y = {0};
	const struct tn_flow_info *f = &x.info, *g = &y.info;
	bool same;

	if (a->size == b->size && memcmp(a->body, b->body, a->size) == 0)
		return true;
	tn_wanted_unpack(a, &x);
	tn_wanted_unpack(b, &y);
	same = f->table_id == g->table_id && f->priority == g->priority && f->cookie == g->cookie &&
		f->idle_timeout == g->idle_timeout && f->hard_timeout == g->hard_timeout &&
		f->importance == g->importance && f->flags == g->flags &&
		tn_match_equal(&f->match, &g->match) && same_instructions(&f->inst, &g->inst);
	tn_unpacked_flow_fini(&x);
	tn_unpacked_flow_fini(&y);
	return same;
}
