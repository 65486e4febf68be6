/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/tenant/emit.h"

#include <stdlib.h>
#include <string.h>

#include "control/model/prefix.h"
#include "control/tenant/state.h"

enum record_kind { RECORD_FLOW, RECORD_GROUP, RECORD_METER, RECORD_PORT };

struct record {
	uint64_t identity; /* hash of what it is */
	uint64_t content;  /* hash of what it says */
	uint32_t id;	   /* of a group, meter or port; of a flow: table << 16 | priority */
	uint32_t mask_words;
	uint32_t n_words;
	uint16_t kind;
	bool kept;	  /* an old one: it was emitted again */
	uint64_t words[]; /* of a flow: mask and value of each word whose mask is not 0 */
};

#define RECORD_BYTES_MAX (sizeof(struct record) + 2 * TN_KEY_WORDS * 8)

static void *checked(void *p)
{
	if (!p)
		abort();
	return p;
}

static uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * UINT64_C(0x9fb21c651e98df25);
	h ^= h >> 35;
	h *= UINT64_C(0xd6e8feb86659fd93);
	return h ^ h >> 32;
}

static uint64_t mix_bytes(uint64_t h, const void *data, size_t n)
{
	const uint8_t *p = data;
	uint64_t w;

	for (; n >= 8; n -= 8, p += 8) {
		memcpy(&w, p, 8);
		h = mix(h, w);
	}
	w = n;
	for (size_t i = 0; i < n; i++)
		w = w << 8 | p[i];
	return mix(h, w);
}

static uint64_t mix_string(uint64_t h, const char *s)
{
	return mix_bytes(h, s, strlen(s));
}

/* --- output ---------------------------------------------------------------------------------- */

void tn_output_init(struct tn_output *out)
{
	memset(out, 0, sizeof(*out));
	tn_arena_init(&out->arena);
}

void tn_output_clear(struct tn_output *out)
{
	tn_arena_fini(&out->arena);
	tn_arena_init(&out->arena);
	out->before.n = out->deleted.n = out->added.n = out->after.n = 0;
	out->n_ports = out->n_gone_ports = 0;
	free(out->all);
	free(out->all_makers);
	out->all = NULL;
	out->all_makers = NULL;
}

static void free_list(struct tn_mod_list *list)
{
	free(list->v);
	free(list->makers);
}

void tn_output_fini(struct tn_output *out)
{
	tn_output_clear(out);
	free_list(&out->before);
	free_list(&out->deleted);
	free_list(&out->added);
	free_list(&out->after);
	free(out->ports);
	free(out->port_makers);
	free(out->gone_ports);
	memset(out, 0, sizeof(*out));
}

static void grow(void **v, size_t n, size_t *size, size_t item)
{
	if (n < *size)
		return;
	*size = *size ? *size * 2 : 64;
	*v = checked(realloc(*v, *size * item));
}

/* maker: 0 where nothing comes or changes. */
static void append(struct tn_mod_list *list, struct tn_mod mod, uint64_t maker)
{
	size_t size = list->size;

	grow((void **)&list->makers, list->n, &size, sizeof(*list->makers));
	grow((void **)&list->v, list->n, &list->size, sizeof(*list->v));
	list->makers[list->n] = maker;
	list->v[list->n++] = mod;
}

static size_t join(struct tn_output *out, size_t at, const struct tn_mod_list *list)
{
	if (list->n) {
		memcpy(out->all + at, list->v, list->n * sizeof(*list->v));
		memcpy(out->all_makers + at, list->makers, list->n * sizeof(*list->makers));
	}
	return at + list->n;
}

void tn_output_get(struct tn_output *out, struct tn_compiled *compiled)
{
	size_t at = 0;

	compiled->n_mods = out->before.n + out->deleted.n + out->added.n + out->after.n;
	free(out->all);
	free(out->all_makers);
	out->all = checked(malloc((compiled->n_mods + 1) * sizeof(*out->all)));
	out->all_makers = checked(malloc((compiled->n_mods + 1) * sizeof(*out->all_makers)));
	at = join(out, at, &out->before);
	at = join(out, at, &out->deleted);
	at = join(out, at, &out->added);
	(void)join(out, at, &out->after);
	compiled->mods = out->all;
	compiled->mod_makers = out->all_makers;
	compiled->ports = out->ports;
	compiled->port_makers = out->port_makers;
	compiled->n_ports = out->n_ports;
	compiled->gone_ports = out->gone_ports;
	compiled->n_gone_ports = out->n_gone_ports;
}

/* --- records --------------------------------------------------------------------------------- */

static size_t record_bytes(const struct record *r)
{
	return sizeof(*r) + (size_t)r->n_words * 8;
}

static bool same_thing(const struct record *a, const struct record *b)
{
	return a->identity == b->identity && a->kind == b->kind && a->id == b->id &&
		a->mask_words == b->mask_words &&
		memcmp(a->words, b->words, (size_t)a->n_words * 8) == 0;
}

static void set_identity(struct record *r)
{
	uint64_t h = mix(r->kind, (uint64_t)r->mask_words << 32 | r->id);

	for (uint32_t i = 0; i < r->n_words; i++)
		h = mix(h, r->words[i]);
	r->identity = h;
}

static void clear_slots(uint32_t **slots, size_t *n_slots, size_t n)
{
	size_t want = 16;

	while (want < n * 2)
		want *= 2;
	if (want > *n_slots || !*slots) {
		free(*slots);
		*slots = checked(calloc(want, sizeof(**slots)));
	} else {
		memset(*slots, 0, want * sizeof(**slots));
	}
	*n_slots = want;
}

/* The slot of a record like r, or the empty one where it would be. */
static uint32_t *find_slot(
	uint32_t *slots, size_t n_slots, const uint8_t *data, const struct record *r)
{
	size_t i = r->identity & (n_slots - 1);

	while (slots[i] &&
		!same_thing((const struct record *)(const void *)(data + slots[i] - 1), r))
		i = (i + 1) & (n_slots - 1);
	return &slots[i];
}

void tn_scratch_fini(struct tn_scratch *s)
{
	free(s->data);
	free(s->old_slots);
	free(s->new_slots);
	memset(s, 0, sizeof(*s));
}

static void index_old(struct tn_scratch *s, const struct tn_records *old)
{
	clear_slots(&s->old_slots, &s->n_old_slots, old->n);
	for (uint32_t at = 0; at < old->bytes;) {
		const struct record *r = (const struct record *)(const void *)(old->data + at);

		*find_slot(s->old_slots, s->n_old_slots, old->data, r) = at + 1;
		at += (uint32_t)record_bytes(r);
	}
}

static void index_new(struct tn_scratch *s)
{
	clear_slots(&s->new_slots, &s->n_new_slots, (size_t)s->n * 2 + 16);
	for (size_t at = 0; at < s->bytes;) {
		const struct record *r = (const struct record *)(const void *)(s->data + at);

		*find_slot(s->new_slots, s->n_new_slots, s->data, r) = (uint32_t)at + 1;
		at += record_bytes(r);
	}
}

void tn_emit_begin_unit(struct tn_emit *e)
{
	struct tn_scratch *s = &e->c->scratch;

	s->bytes = s->n = 0;
	index_new(s);
	if (!e->c->out.everything)
		index_old(s, &e->unit->records);
}

/* What became of a thing that is emitted. */
enum fate { NEW, CHANGED, SAME, TWICE };

static enum fate keep(struct tn_emit *e, const struct record *r)
{
	struct tn_scratch *s = &e->c->scratch;
	const struct tn_records *old = &e->unit->records;
	uint32_t *slot = find_slot(s->new_slots, s->n_new_slots, s->data, r);
	struct record *was;

	if (*slot)
		return TWICE;
	if (s->bytes + RECORD_BYTES_MAX > s->size) {
		s->size = (s->size + RECORD_BYTES_MAX) * 2;
		s->data = checked(realloc(s->data, s->size));
	}
	memcpy(s->data + s->bytes, r, record_bytes(r));
	*slot = (uint32_t)s->bytes + 1;
	s->bytes += record_bytes(r);
	if (++s->n * 2 > s->n_new_slots)
		index_new(s);
	if (e->c->out.everything)
		return NEW;
	slot = find_slot(s->old_slots, s->n_old_slots, old->data, r);
	if (!*slot)
		return NEW;
	was = (struct record *)(void *)(old->data + *slot - 1);
	was->kept = true;
	return was->content == r->content ? SAME : CHANGED;
}

static void delete_flow(struct tn_output *out, const struct record *r)
{
	struct tn_flow_mod *fm = tn_arena_alloc(&out->arena, sizeof(*fm));
	const uint64_t *word = r->words;
	uint64_t *mask, *value;

	tn_flow_mod_init(fm);
	fm->command = TN_FLOW_DELETE_STRICT;
	fm->table_id = (uint8_t)(r->id >> 16);
	fm->priority = (uint16_t)r->id;
	mask = tn_key_words(&fm->match.mask);
	value = tn_key_words(&fm->match.value);
	for (uint32_t left = r->mask_words; left; left &= left - 1) {
		unsigned i = (unsigned)__builtin_ctz(left);

		mask[i] = *word++;
		value[i] = *word++;
	}
	append(&out->deleted, (struct tn_mod){.kind = TN_MOD_FLOW, .flow = fm}, 0);
}

static void delete_group(struct tn_output *out, uint32_t id)
{
	struct tn_group_mod *gm = tn_arena_alloc(&out->arena, sizeof(*gm));

	gm->command = TN_GROUP_DELETE;
	gm->group_id = id;
	append(&out->after, (struct tn_mod){.kind = TN_MOD_GROUP, .group = gm}, 0);
}

static void delete_meter(struct tn_output *out, uint32_t id)
{
	struct tn_meter_mod *mm = tn_arena_alloc(&out->arena, sizeof(*mm));

	mm->command = TN_METER_DELETE;
	mm->meter_id = id;
	append(&out->after, (struct tn_mod){.kind = TN_MOD_METER, .meter = mm}, 0);
}

static void gone(struct tn_compiler *c, const struct record *r)
{
	struct tn_output *out = &c->out;

	switch ((enum record_kind)r->kind) {
	case RECORD_FLOW:
		delete_flow(out, r);
		break;
	case RECORD_GROUP:
		delete_group(out, r->id);
		if ((r->id & ~TN_TENANT_NUMBER_MAX) == TN_GROUP_ROUTE)
			tn_numbers_give_back(
				c->numbers, TN_NUMBER_ROUTE, r->id & TN_TENANT_NUMBER_MAX);
		break;
	case RECORD_METER:
		delete_meter(out, r->id);
		break;
	case RECORD_PORT:
		grow((void **)&out->gone_ports, out->n_gone_ports, &out->gone_size,
			sizeof(*out->gone_ports));
		out->gone_ports[out->n_gone_ports++] = r->id;
		break;
	}
}

static void count_kinds(struct tn_compiler *c, const struct tn_records *records, size_t sign)
{
	for (uint32_t at = 0; at < records->bytes;) {
		const struct record *r = (const struct record *)(const void *)(records->data + at);

		c->n_emitted[r->kind] += sign;
		at += (uint32_t)record_bytes(r);
	}
}

void tn_emit_end_unit(struct tn_emit *e)
{
	struct tn_compiler *c = e->c;
	struct tn_scratch *s = &c->scratch;
	struct tn_records *records = &e->unit->records;

	if (c->out.everything)
		return;
	for (uint32_t at = 0; at < records->bytes;) {
		const struct record *r = (const struct record *)(const void *)(records->data + at);

		if (!r->kept)
			gone(c, r);
		at += (uint32_t)record_bytes(r);
	}
	count_kinds(c, records, (size_t)-1);
	if (records->bytes != s->bytes) {
		free(records->data);
		records->data = s->bytes ? checked(malloc(s->bytes)) : NULL;
	}
	if (s->bytes)
		memcpy(records->data, s->data, s->bytes);
	c->record_bytes += s->bytes - records->bytes;
	records->bytes = (uint32_t)s->bytes;
	records->n = s->n;
	count_kinds(c, records, 1);
}

/* --- flows ----------------------------------------------------------------------------------- */

void tn_emit_flow(struct tn_emit *e, uint8_t table, unsigned priority, enum tn_rule_role role)
{
	tn_flow_mod_init(&e->flow);
	e->flow.table_id = table;
	e->flow.priority = (uint16_t)priority;
	e->flow.cookie = e->unit->cookie | role;
	e->flow.owner = e->c->owner;
	e->n_actions = 0;
}

void tn_emit_match(struct tn_emit *e, enum tn_field_id field, tn_u128 value)
{
	tn_match_set_exact(&e->flow.match, field, value);
}

void tn_emit_match_masked(struct tn_emit *e, enum tn_field_id field, tn_u128 value, tn_u128 mask)
{
	tn_field_set_masked(&e->flow.match.value, field, value & mask, mask);
	tn_field_set_masked(&e->flow.match.mask, field, mask, mask);
}

void tn_emit_match_ip(struct tn_emit *e, bool ip4, uint8_t proto)
{
	tn_emit_match(e, TN_FIELD_ETH_TYPE, ip4 ? 0x0800 : 0x86dd);
	if (proto)
		tn_emit_match(e, TN_FIELD_IP_PROTO, proto);
}

void tn_emit_match_prefix(
	struct tn_emit *e, enum tn_field_id ip4, enum tn_field_id ip6, const struct tn_prefix *p)
{
	enum tn_field_id field = p->is_ip4 ? ip4 : ip6;
	tn_u128 ones = tn_field_ones(field);

	tn_emit_match_masked(e, field, p->address & ones, tn_prefix_mask(p) & ones);
}

struct tn_action *tn_emit_action(struct tn_emit *e, enum tn_action_type type)
{
	struct tn_action *a = &e->actions[e->n_actions];

	/* The longest list, DHCP with all its options, is well below. */
	if (e->n_actions + 1u >= TN_EMIT_ACTIONS_MAX)
		abort();
	e->n_actions++;
	memset(a, 0, sizeof(*a));
	a->type = (uint8_t)type;
	return a;
}

void tn_emit_set(struct tn_emit *e, enum tn_field_id field, tn_u128 value)
{
	struct tn_action *a = tn_emit_action(e, TN_ACTION_SET_FIELD);

	a->field = (uint8_t)field;
	a->set.value = value;
	a->set.mask = tn_field_ones(field);
}

void tn_emit_move(struct tn_emit *e, enum tn_field_id from, enum tn_field_id to)
{
	struct tn_action *a = tn_emit_action(e, TN_ACTION_MOVE);

	a->field = (uint8_t)to;
	a->move.src = (uint8_t)from;
	a->move.n_bits = tn_fields[from].bits;
}

void tn_emit_output(struct tn_emit *e, uint32_t port)
{
	struct tn_action *a = tn_emit_action(e, TN_ACTION_OUTPUT);

	a->output.port = port;
	a->output.reason = TN_REASON_DEFAULT;
}

void tn_emit_resubmit(struct tn_emit *e, uint8_t table)
{
	struct tn_action *a = tn_emit_action(e, TN_ACTION_RESUBMIT);

	a->resubmit.in_port = TN_PORT_IN_PORT;
	a->resubmit.table = table;
}

void tn_emit_goto(struct tn_emit *e, uint8_t table)
{
	e->flow.inst.goto_table = table;
}

static uint64_t hash_actions(uint64_t h, const struct tn_action *list, size_t n)
{
	return mix_bytes(mix(h, n), list, n * sizeof(*list));
}

static void flow_record(const struct tn_emit *e, struct record *r)
{
	const struct tn_flow_mod *fm = &e->flow;
	const uint64_t *mask = tn_key_cwords(&fm->match.mask);
	const uint64_t *value = tn_key_cwords(&fm->match.value);
	uint64_t h;

	*r = (struct record){
		.kind = RECORD_FLOW, .id = (uint32_t)fm->table_id << 16 | fm->priority};
	for (unsigned i = 0; i < TN_KEY_WORDS; i++) {
		if (!mask[i])
			continue;
		r->mask_words |= 1u << i;
		r->words[r->n_words++] = mask[i];
		r->words[r->n_words++] = value[i];
	}
	set_identity(r);
	h = mix(fm->cookie, (uint64_t)fm->inst.goto_table << 32 | fm->inst.meter_id);
	r->content = hash_actions(h, e->actions, e->n_actions);
}

void tn_emit_end(struct tn_emit *e)
{
	struct tn_output *out = &e->c->out;
	union {
		struct record r;
		uint8_t bytes[RECORD_BYTES_MAX];
	} u;
	struct tn_flow_mod *fm;
	enum fate fate;

	flow_record(e, &u.r);
	fate = keep(e, &u.r);
	if (fate == SAME || fate == TWICE)
		return;
	fm = tn_arena_dup(&out->arena, &e->flow, sizeof(*fm));
	fm->inst.apply = tn_arena_dup(&out->arena, e->actions, e->n_actions * sizeof(*e->actions));
	fm->inst.n_apply = e->n_actions;
	append(&out->added, (struct tn_mod){.kind = TN_MOD_FLOW, .flow = fm}, e->unit->cookie);
}

/* --- groups, meters, ports ------------------------------------------------------------------- */

void tn_emit_group(struct tn_emit *e, uint32_t group_id, enum tn_group_type type)
{
	e->group = (struct tn_group_mod){
		.type = type,
		.group_id = group_id,
		.owner = e->c->owner,
	};
	e->n_buckets = 0;
	e->n_actions = 0;
}

void tn_emit_bucket(struct tn_emit *e)
{
	struct tn_bucket *b;
	size_t size = e->buckets_size;

	grow((void **)&e->buckets, e->n_buckets, &size, sizeof(*e->buckets));
	e->buckets_size = (uint32_t)size;
	b = &e->buckets[e->n_buckets];
	*b = (struct tn_bucket){
		.bucket_id = e->n_buckets++,
		.weight = e->group.type == TN_GROUP_TYPE_SELECT,
		.watch_port = TN_PORT_ANY,
		.watch_group = TN_GROUP_ANY,
		.actions = tn_arena_dup(
			&e->c->out.arena, e->actions, e->n_actions * sizeof(*e->actions)),
		.n_actions = e->n_actions,
	};
	e->n_actions = 0;
}

bool tn_emit_end_group(struct tn_emit *e)
{
	struct tn_output *out = &e->c->out;
	struct record r = {.kind = RECORD_GROUP, .id = e->group.group_id};
	struct tn_group_mod *gm;
	enum fate fate;

	if (!e->n_buckets)
		return false;
	r.content = e->group.type;
	for (uint32_t i = 0; i < e->n_buckets; i++)
		r.content = hash_actions(r.content, e->buckets[i].actions, e->buckets[i].n_actions);
	set_identity(&r);
	fate = keep(e, &r);
	if (fate == SAME || fate == TWICE)
		return true;
	gm = tn_arena_dup(&out->arena, &e->group, sizeof(*gm));
	gm->command = fate == NEW ? TN_GROUP_ADD : TN_GROUP_MODIFY;
	gm->buckets = tn_arena_dup(&out->arena, e->buckets, e->n_buckets * sizeof(*e->buckets));
	gm->n_buckets = e->n_buckets;
	append(&out->before, (struct tn_mod){.kind = TN_MOD_GROUP, .group = gm}, e->unit->cookie);
	return true;
}

void tn_emit_meter(
	struct tn_emit *e, uint32_t meter_id, uint32_t flags, uint32_t rate, uint32_t burst)
{
	struct tn_output *out = &e->c->out;
	struct record r = {.kind = RECORD_METER, .id = meter_id};
	struct tn_meter_mod *mm;
	struct tn_band *band;
	enum fate fate;

	r.content = mix(mix(flags, rate), burst);
	set_identity(&r);
	fate = keep(e, &r);
	if (fate == SAME || fate == TWICE)
		return;
	band = tn_arena_alloc(&out->arena, sizeof(*band));
	*band = (struct tn_band){.type = TN_BAND_DROP, .rate = rate, .burst = burst};
	mm = tn_arena_alloc(&out->arena, sizeof(*mm));
	*mm = (struct tn_meter_mod){
		.command = fate == NEW ? TN_METER_ADD : TN_METER_MODIFY,
		.meter_id = meter_id,
		.flags = flags,
		.owner = e->c->owner,
		.bands = band,
		.n_bands = 1,
	};
	append(&out->before, (struct tn_mod){.kind = TN_MOD_METER, .meter = mm}, e->unit->cookie);
}

static uint64_t hash_vxlan(uint64_t h, const struct tn_vxlan_options *v)
{
	h = mix(h,
		v->has_local | v->remote_flow << 1 | v->vni_flow << 2 | v->udp_checksum << 3 |
			v->dont_fragment << 4);
	h = mix(h, (uint64_t)v->udp_port << 32 | (uint64_t)v->ttl << 16 | (uint16_t)v->dscp);
	h = mix_bytes(h, &v->local, sizeof(v->local));
	h = mix_bytes(h, v->peers, v->n_peers * sizeof(*v->peers));
	return mix_bytes(h, v->vnis, v->n_vnis * sizeof(*v->vnis));
}

static uint64_t hash_port(const struct tn_api_port *p)
{
	uint64_t h = mix_string(mix_string(p->config, p->name), p->type);

	h = mix(h, (uint64_t)p->enabled << 32 | p->mtu);
	for (uint32_t i = 0; i < p->n_options; i++) {
		h = mix_string(mix(h, p->options[i].type), p->options[i].key);
		h = p->options[i].type == TN_API_STRING ? mix_string(h, p->options[i].string)
							: mix(h, (uint64_t)p->options[i].integer);
	}
	return p->has_vxlan ? hash_vxlan(h, &p->vxlan) : h;
}

static void copy_port(
	struct tn_arena *arena, const struct tn_api_port *from, struct tn_api_port *to)
{
	struct tn_api_option *options =
		tn_arena_dup(arena, from->options, from->n_options * sizeof(*options));
	struct tn_vxlan_options *v = &to->vxlan;

	*to = *from;
	to->name = tn_arena_strdup(arena, from->name);
	to->type = tn_arena_strdup(arena, from->type);
	for (uint32_t i = 0; i < from->n_options; i++) {
		options[i].key = tn_arena_strdup(arena, options[i].key);
		if (options[i].string)
			options[i].string = tn_arena_strdup(arena, options[i].string);
	}
	to->options = options;
	v->peers = tn_arena_dup(arena, v->peers, v->n_peers * sizeof(*v->peers));
	v->vnis = tn_arena_dup(arena, v->vnis, v->n_vnis * sizeof(*v->vnis));
}

void tn_emit_port(struct tn_emit *e, const struct tn_api_port *port)
{
	struct tn_output *out = &e->c->out;
	struct record r = {.kind = RECORD_PORT, .id = port->number};
	size_t size = out->ports_size;
	enum fate fate;

	r.content = hash_port(port);
	set_identity(&r);
	fate = keep(e, &r);
	if (fate == SAME || fate == TWICE)
		return;
	grow((void **)&out->port_makers, out->n_ports, &size, sizeof(*out->port_makers));
	grow((void **)&out->ports, out->n_ports, &out->ports_size, sizeof(*out->ports));
	out->port_makers[out->n_ports] = e->unit->cookie;
	copy_port(&out->arena, port, &out->ports[out->n_ports++]);
}
