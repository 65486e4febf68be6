/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/engine/wanted.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

/* Bodies are built in one block; a pass without memory measures it. */
struct block {
	uint8_t *at; /* NULL: measure */
	size_t used;
};

static void *place(struct block *b, const void *from, size_t size)
{
	size_t start = (b->used + 15u) & ~(size_t)15u;

	b->used = start + size;
	if (!b->at)
		return NULL;
	if (size)
		memcpy(b->at + start, from, size);
	return b->at + start;
}

static const char *place_string(struct block *b, const char *s)
{
	return place(b, s ? s : "", strlen(s ? s : "") + 1);
}

static struct tn_wanted *new_wanted(enum tn_kind kind, uint64_t id, size_t size)
{
	struct tn_wanted *w = malloc(sizeof(*w) + size);

	if (!w)
		abort();
	*w = (struct tn_wanted){.id = id, .refs = 1, .kind = (uint8_t)kind, .size = (uint32_t)size};
	return w;
}

static void place_group(struct block *b, const struct tn_group_info *from)
{
	struct tn_group_info *to = place(b, from, sizeof(*from));
	struct tn_bucket_info *buckets =
		place(b, from->buckets, from->n_buckets * sizeof(*from->buckets));

	if (to)
		to->buckets = buckets;
	for (uint32_t i = 0; i < from->n_buckets; i++) {
		const struct tn_bucket *bucket = &from->buckets[i].bucket;
		const struct tn_action *actions =
			place(b, bucket->actions, bucket->n_actions * sizeof(*actions));

		if (buckets)
			buckets[i].bucket.actions = actions;
	}
}

struct tn_wanted *tn_wanted_group(const struct tn_group_info *group)
{
	struct block b = {0};
	struct tn_wanted *w;

	place_group(&b, group);
	w = new_wanted(TN_KIND_GROUP, group->group_id, b.used);
	b = (struct block){.at = w->body};
	place_group(&b, group);
	w->owner = group->owner;
	return w;
}

static void place_meter(struct block *b, const struct tn_api_meter_info *from)
{
	struct tn_api_meter_info *to = place(b, from, sizeof(*from));
	struct tn_api_band_info *bands = place(b, from->bands, from->n_bands * sizeof(*bands));

	if (to)
		to->bands = bands;
}

struct tn_wanted *tn_wanted_meter(const struct tn_api_meter_info *meter)
{
	struct block b = {0};
	struct tn_wanted *w;

	place_meter(&b, meter);
	w = new_wanted(TN_KIND_METER, meter->meter_id, b.used);
	b = (struct block){.at = w->body};
	place_meter(&b, meter);
	w->owner = meter->owner;
	return w;
}

static void place_options(
	struct block *b, const struct tn_api_port *from, struct tn_api_option *options)
{
	for (uint32_t i = 0; i < from->n_options; i++) {
		const char *key = place_string(b, from->options[i].key);
		const char *string = place_string(b, from->options[i].string);

		if (!options)
			continue;
		options[i].key = key;
		options[i].string = string;
	}
}

/* What is counted is not kept. */
static void place_port(struct block *b, const struct tn_api_port_info *from)
{
	const struct tn_api_port *port = &from->port;
	struct tn_api_port_info *to = place(b, from, sizeof(*from));
	const char *name = place_string(b, port->name), *type = place_string(b, port->type);
	struct tn_api_option *options = place(b, port->options, port->n_options * sizeof(*options));
	const tn_u128 *peers = place(b, port->vxlan.peers, port->vxlan.n_peers * sizeof(*peers));
	const uint32_t *vnis = place(b, port->vxlan.vnis, port->vxlan.n_vnis * sizeof(*vnis));

	place_options(b, port, options);
	if (!to)
		return;
	to->port.name = name;
	to->port.type = type;
	to->port.options = options;
	to->port.vxlan.peers = peers;
	to->port.vxlan.vnis = vnis;
	to->drops = NULL;
	to->n_drops = 0;
}

struct tn_wanted *tn_wanted_port(const struct tn_api_port_info *port)
{
	struct block b = {0};
	struct tn_wanted *w;

	place_port(&b, port);
	w = new_wanted(TN_KIND_PORT, port->port.number, b.used);
	b = (struct block){.at = w->body};
	place_port(&b, port);
	return w;
}

struct tn_wanted *tn_wanted_group_of(const struct tn_group_mod *gm)
{
	struct tn_bucket_info *buckets = calloc(gm->n_buckets + 1u, sizeof(*buckets));
	const struct tn_group_info info = {
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
	struct tn_wanted *w;

	if (!buckets)
		abort();
	for (uint32_t i = 0; i < gm->n_buckets; i++)
		buckets[i].bucket = gm->buckets[i];
	w = tn_wanted_group(&info);
	free(buckets);
	return w;
}

struct tn_wanted *tn_wanted_meter_of(const struct tn_meter_mod *mm)
{
	struct tn_api_band_info *bands = calloc(mm->n_bands + 1u, sizeof(*bands));
	const struct tn_api_meter_info info = {
		.meter_id = mm->meter_id,
		.flags = mm->flags,
		.owner = mm->owner,
		.bands = bands,
		.n_bands = mm->n_bands,
	};
	struct tn_wanted *w;

	if (!bands)
		abort();
	for (uint32_t i = 0; i < mm->n_bands; i++)
		bands[i].band = mm->bands[i];
	w = tn_wanted_meter(&info);
	free(bands);
	return w;
}

struct tn_wanted *tn_wanted_table(const struct tn_table_setting *table)
{
	const char *name = table->name ? table->name : "";
	size_t len = strlen(name) + 1;
	struct tn_wanted *w = new_wanted(TN_KIND_TABLE, table->table_id, sizeof(*table) + len);
	struct tn_table_setting *to = tn_wanted_as_table(w);

	*to = *table;
	memcpy(to + 1, name, len);
	to->name = table->name ? (const char *)(to + 1) : NULL;
	return w;
}

uint64_t tn_host_id(struct tn_mac mac, int32_t vlan)
{
	return tn_mac_number(mac) << 16 | (vlan < 0 ? 0xffffu : (uint16_t)vlan);
}

struct tn_wanted *tn_wanted_host(const struct tn_host *host)
{
	size_t size = host->n_addresses * sizeof(*host->addresses);
	size_t head = (sizeof(*host) + 15u) & ~(size_t)15u;
	struct tn_wanted *w =
		new_wanted(TN_KIND_HOST, tn_host_id(host->mac, host->vlan), head + size);
	struct tn_host *to = tn_wanted_as_host(w);

	*to = *host;
	if (size)
		memcpy(w->body + head, host->addresses, size);
	to->addresses = (const tn_u128 *)(const void *)(w->body + head);
	return w;
}

struct tn_wanted *tn_wanted_tenant(const struct tn_tenant_object *o)
{
	struct tn_wanted *w = new_wanted(tn_kind_of_tenant(o->value.kind), o->number, sizeof(o));
	const struct tn_tenant_object *own = tn_tenant_object_get(o);

	memcpy(w->body, &own, sizeof(own));
	return w;
}

void tn_wanted_sign(struct tn_wanted *w)
{
	if (w->kind == TN_KIND_GROUP) {
		tn_wanted_as_group(w)->owner = w->owner;
		tn_wanted_as_group(w)->created_ns = w->created_ns;
	} else if (w->kind == TN_KIND_METER) {
		tn_wanted_as_meter(w)->owner = w->owner;
		tn_wanted_as_meter(w)->created_ns = w->created_ns;
	}
}

struct tn_wanted *tn_wanted_get(struct tn_wanted *w)
{
	w->refs++;
	return w;
}

static void free_port_drops(struct tn_wanted *w)
{
	union {
		const void *c;
		void *p;
	} drops = {.c = tn_wanted_as_port(w)->drops};

	free(drops.p);
}

void tn_wanted_put(struct tn_wanted *w)
{
	if (!w || --w->refs)
		return;
	if (w->kind == TN_KIND_PORT)
		free_port_drops(w);
	else if (tn_kind_is_tenant((enum tn_kind)w->kind))
		tn_tenant_object_put(tn_wanted_as_tenant(w));
	free(w->failure);
	free(w);
}

void tn_wanted_fail(struct tn_wanted *w, const struct tn_error *failure)
{
	free(w->failure);
	w->failure = NULL;
	if (!failure)
		return;
	w->failure = malloc(sizeof(*failure));
	if (!w->failure)
		abort();
	*w->failure = *failure;
	w->state = TN_STATE_FAILED;
}

size_t tn_wanted_bytes(const struct tn_wanted *w)
{
	size_t more = tn_kind_is_tenant((enum tn_kind)w->kind) ? tn_wanted_as_tenant(w)->bytes : 0;

	return sizeof(*w) + w->size + 16 + more;
}

struct tn_group_info *tn_wanted_as_group(struct tn_wanted *w)
{
	return (struct tn_group_info *)(void *)w->body;
}

struct tn_api_meter_info *tn_wanted_as_meter(struct tn_wanted *w)
{
	return (struct tn_api_meter_info *)(void *)w->body;
}

struct tn_api_port_info *tn_wanted_as_port(struct tn_wanted *w)
{
	return (struct tn_api_port_info *)(void *)w->body;
}

struct tn_table_setting *tn_wanted_as_table(struct tn_wanted *w)
{
	return (struct tn_table_setting *)(void *)w->body;
}

struct tn_host *tn_wanted_as_host(struct tn_wanted *w)
{
	return (struct tn_host *)(void *)w->body;
}

const struct tn_tenant_object *tn_wanted_as_tenant(const struct tn_wanted *w)
{
	const struct tn_tenant_object *o;

	memcpy(&o, w->body, sizeof(o));
	return o;
}

const char *tn_wanted_name(const struct tn_wanted *w)
{
	const void *body = w->body;
	const char *name = w->kind == TN_KIND_PORT
		? ((const struct tn_api_port_info *)body)->port.name
		: ((const struct tn_table_setting *)body)->name;

	return name ? name : "";
}

static bool same_group(const struct tn_group_info *a, const struct tn_group_info *b)
{
	if (a->type != b->type || a->selection != b->selection ||
		a->hash_fields != b->hash_fields || a->selection_param != b->selection_param ||
		a->annotation != b->annotation || a->n_buckets != b->n_buckets)
		return false;
	for (uint32_t i = 0; i < a->n_buckets; i++) {
		const struct tn_bucket *x = &a->buckets[i].bucket, *y = &b->buckets[i].bucket;

		if (x->bucket_id != y->bucket_id || x->weight != y->weight ||
			x->watch_port != y->watch_port || x->watch_group != y->watch_group ||
			!tn_actions_equal(x->actions, x->n_actions, y->actions, y->n_actions))
			return false;
	}
	return true;
}

static bool same_meter(const struct tn_api_meter_info *a, const struct tn_api_meter_info *b)
{
	if (a->flags != b->flags || a->n_bands != b->n_bands)
		return false;
	for (uint32_t i = 0; i < a->n_bands; i++) {
		const struct tn_band *x = &a->bands[i].band, *y = &b->bands[i].band;

		if (x->type != y->type || x->rate != y->rate || x->burst != y->burst ||
			x->prec_level != y->prec_level)
			return false;
	}
	return true;
}

static bool same_options(const struct tn_api_port *a, const struct tn_api_port *b)
{
	if (a->n_options != b->n_options)
		return false;
	for (uint32_t i = 0; i < a->n_options; i++) {
		const struct tn_api_option *x = &a->options[i], *y = &b->options[i];

		if (strcmp(x->key, y->key) != 0 || x->type != y->type)
			return false;
		if (x->type == TN_API_STRING ? strcmp(x->string, y->string) != 0
					     : x->integer != y->integer)
			return false;
	}
	return true;
}

static bool same_vxlan(const struct tn_vxlan_options *a, const struct tn_vxlan_options *b)
{
	return a->has_local == b->has_local && a->local == b->local &&
		a->remote_flow == b->remote_flow && a->remote == b->remote &&
		a->vni_flow == b->vni_flow && a->vni == b->vni && a->udp_port == b->udp_port &&
		a->udp_checksum == b->udp_checksum && a->ttl == b->ttl && a->dscp == b->dscp &&
		a->dont_fragment == b->dont_fragment && a->n_peers == b->n_peers &&
		a->n_vnis == b->n_vnis &&
		(!a->n_peers || !memcmp(a->peers, b->peers, a->n_peers * sizeof(*a->peers))) &&
		(!a->n_vnis || !memcmp(a->vnis, b->vnis, a->n_vnis * sizeof(*a->vnis)));
}

bool tn_port_same_device(const struct tn_api_port *a, const struct tn_api_port *b)
{
	return strcmp(a->name, b->name) == 0 && strcmp(a->type, b->type) == 0 && a->mtu == b->mtu &&
		same_options(a, b) && a->has_vxlan == b->has_vxlan &&
		(!a->has_vxlan || same_vxlan(&a->vxlan, &b->vxlan));
}

static bool same_port(const struct tn_api_port *a, const struct tn_api_port *b)
{
	return tn_port_same_device(a, b) && a->enabled == b->enabled && a->config == b->config;
}

static bool same_table(const struct tn_table_setting *a, const struct tn_table_setting *b)
{
	return tn_table_same_config(&a->config, &b->config) && !a->name == !b->name &&
		(!a->name || strcmp(a->name, b->name) == 0);
}

static uint32_t entries_of(const struct tn_table_config *c)
{
	return c->max_entries ? c->max_entries : TN_TABLE_ENTRIES_DEFAULT;
}

bool tn_table_same_config(const struct tn_table_config *a, const struct tn_table_config *b)
{
	return entries_of(a) == entries_of(b) && a->eviction == b->eviction &&
		a->vacancy_down == b->vacancy_down && a->vacancy_up == b->vacancy_up;
}

static bool same_host(const struct tn_host *a, const struct tn_host *b)
{
	return a->port == b->port && a->last_seen_ns == b->last_seen_ns &&
		a->n_addresses == b->n_addresses &&
		(!a->n_addresses ||
			!memcmp(a->addresses, b->addresses,
				a->n_addresses * sizeof(*a->addresses)));
}

bool tn_wanted_same(const struct tn_wanted *a, const struct tn_wanted *b)
{
	const void *x = a->body, *y = b->body;

	if (a->kind != b->kind || a->id != b->id)
		return false;
	switch ((enum tn_kind)a->kind) {
	case TN_KIND_FLOW:
		return tn_wanted_same_flow(a, b);
	case TN_KIND_GROUP:
		return same_group(x, y);
	case TN_KIND_METER:
		return same_meter(x, y);
	case TN_KIND_PORT:
		return same_port(&((const struct tn_api_port_info *)x)->port,
			&((const struct tn_api_port_info *)y)->port);
	case TN_KIND_TABLE:
		return same_table(x, y);
	case TN_KIND_HOST:
		return same_host(x, y);
	default:
		return tn_tenant_object_same(tn_wanted_as_tenant(a), tn_wanted_as_tenant(b));
	}
}

void tn_wanted_object(struct tn_wanted *w, struct tn_unpacked_flow *flow, struct tn_object *object)
{
	*object = (struct tn_object){
		.kind = (enum tn_kind)w->kind,
		.id = w->id,
		.tenant = w->tenant,
		.owner = w->owner,
		.generation = w->generation,
		.state = (enum tn_object_state)w->state,
		.failure = w->failure,
		.derived = w->derived,
		.created_ns = w->created_ns,
		.group = (const struct tn_group_info *)(const void *)w->body,
	};
	if (tn_kind_is_tenant(object->kind))
		object->tenants = tn_wanted_as_tenant(w);
	if (w->kind != TN_KIND_FLOW)
		return;
	tn_wanted_unpack(w, flow);
	object->flow = &flow->info;
}
