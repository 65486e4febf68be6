/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two passes over the text. The first looks through all of it: syntax, duplicate keys, and where
 * each section stands. The second decodes section after section in the order in which they need
 * each other, whatever their order in the text. Diagnostics are sorted at the end.
 */
#include "control/model/document.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/model/free_numbers.h"
#include "control/model/group_order.h"
#include "control/model/json_document.h"
#include "control/model/tenant_json.h"

#define DPID_DEFAULT	1u
#define DEVICE_NAME_MAX 255u
#define TABLE_NAME_MAX	63u
#define POINTER_MAX	64u
#define ALL_TABLES	256u

TN_BUILD_ASSERT(TN_DOCUMENT_DEPTH_MAX == TN_JSON_DEPTH_MAX, "one limit, said in two places");
TN_BUILD_ASSERT(TN_DOCUMENT_BYTES_MAX < UINT32_MAX, "columns and lengths are 32 bits");

/* In the order of decoding. */
enum section {
	DEVICE,
	TABLES,
	HOSTS,
	QUOTAS,
	QOS_POLICIES,
	ADDRESS_GROUPS,
	NETWORKS,
	SUBNETS,
	ROUTERS,
	PORTS,
	UNDERLAY,
	GROUPS,
	METERS,
	FLOWS,
	N_SECTIONS
};

static const char *const section_names[N_SECTIONS + 1] = {
	[DEVICE] = "device",
	[TABLES] = "tables",
	[HOSTS] = "hosts",
	[QUOTAS] = "quotas",
	[QOS_POLICIES] = "qos_policies",
	[ADDRESS_GROUPS] = "address_groups",
	[NETWORKS] = "networks",
	[SUBNETS] = "subnets",
	[ROUTERS] = "routers",
	[PORTS] = "ports",
	[UNDERLAY] = "underlay",
	[GROUPS] = "groups",
	[METERS] = "meters",
	[FLOWS] = "flows",
	[N_SECTIONS] = NULL,
};

/* Elements of a section at most, 0: no limit but the text's. */
static const size_t section_max[N_SECTIONS] = {[TABLES] = TN_N_TABLES};

/* Ports of the switch. */
#define PORTS_MAX 65535u

/* Where a section's value stands in the text. */
struct place {
	bool present, is_array;
	size_t pos, line_start;
	uint32_t line;
	size_t n; /* elements that are objects */
};

struct parser {
	struct tn_document *doc;
	struct tn_diagnostics *diag;
	const char *text;
	size_t len;
	struct place places[N_SECTIONS];
	struct tn_json_tape tape;
	struct tn_codec codec;
	bool failed;
	bool table_seen[ALL_TABLES];
	enum tn_tenant_kind tenant_kind; /* of the section that is read */
	size_t tenants_room;
	uint32_t element; /* of the section, that is read */
	/* What is being decoded; kept only when it is correct. */
	union {
		struct tn_flow_mod flow;
		struct tn_group_mod group;
		struct tn_meter_mod meter;
	};
};

/* First pass. */

static enum section find_section(struct tn_json_string key)
{
	unsigned i;

	for (i = 0; i < N_SECTIONS; i++)
		if (tn_json_string_is(key, section_names[i]))
			break;
	return (enum section)i;
}

static void refuse_key(
	struct parser *p, const struct tn_json_value *key, const char *why, const char *hint)
{
	char name[96], pointer[POINTER_MAX];

	/* Whatever the key is, its pointer is short: unknown ones may be of any length. */
	snprintf(pointer, sizeof(pointer), "/%.*s",
		(int)(key->string.len < 32 ? key->string.len : 32), key->string.p);
	tn_diagnostics_add(p->diag, pointer, key->line, key->column, TN_OF_OK, "key %s %s%s",
		tn_json_quote(key->string, name, sizeof(name)), why, hint);
	p->failed = true;
}

/* Looks through one array, element by element, and counts those that may be of use. */
static void look_through_array(
	struct parser *p, struct tn_json_source *s, enum section section, size_t *n)
{
	size_t max = section_max[section], i;
	char pointer[POINTER_MAX];

	tn_json_enter(s);
	for (i = 0, *n = 0; tn_json_more(s, '[', i == 0); i++) {
		snprintf(pointer, sizeof(pointer), "/%s/%zu", section_names[section], i);
		s->pointer = pointer;
		if (tn_json_value(s, &p->tape) && p->tape.v->type == TN_JSON_OBJECT)
			++*n;
		if (max && i == max)
			tn_diagnostics_add(p->diag, pointer, p->tape.v->line, p->tape.v->column,
				TN_OF_OK, "more than %zu %s; remove this one and those after it",
				max, section_names[section]);
		s->pointer = "";
	}
	if (max && *n > max)
		*n = max;
}

static void look_through_value(struct parser *p, struct tn_json_source *s, enum section section)
{
	struct place *place = &p->places[section];
	char pointer[POINTER_MAX];

	place->is_array = tn_json_peek(s) == '[';
	place->present = true;
	place->pos = s->pos;
	place->line = s->line;
	place->line_start = s->line_start;
	if (place->is_array) {
		look_through_array(p, s, section, &place->n);
		return;
	}
	snprintf(pointer, sizeof(pointer), "/%s", section_names[section]);
	s->pointer = pointer;
	tn_json_value(s, &p->tape);
	s->pointer = "";
}

static void look_through_members(struct parser *p, struct tn_json_source *s)
{
	struct tn_json_value key;
	enum section section;
	char hint[96];
	bool first = true;

	for (; tn_json_more(s, '{', first); first = false) {
		if (!tn_json_key(s, &p->tape, &key))
			return;
		section = find_section(key.string);
		if (section == N_SECTIONS) {
			refuse_key(p, &key, "is not known at the top of a document",
				tn_json_suggest(key.string, section_names, hint, sizeof(hint)));
			tn_json_value(s, &p->tape);
		} else if (p->places[section].present) {
			refuse_key(
				p, &key, "stands twice at the top of the document; keep one", "");
			tn_json_value(s, &p->tape);
		} else {
			look_through_value(p, s, section);
		}
	}
}

/* False when the text is no JSON at all from some point on. */
static bool look_through(struct parser *p)
{
	size_t before = p->diag->n + p->diag->dropped;
	struct tn_json_source s;

	tn_json_source_init(&s, p->text, p->len, p->diag);
	if (tn_json_peek(&s) == '{') {
		tn_json_enter(&s);
		look_through_members(p, &s);
		tn_json_end(&s);
	} else if (tn_json_value(&s, &p->tape)) {
		tn_diagnostics_add(p->diag, "", p->tape.v->line, p->tape.v->column, TN_OF_OK,
			"a document must be an object, with \"ports\", \"flows\" and more");
	}
	if (p->diag->n + p->diag->dropped != before)
		p->failed = true;
	return !s.failed;
}

/* Second pass: what it needs of the first. */

static void start_section(struct parser *p, enum section section, struct tn_json_source *s)
{
	const struct place *place = &p->places[section];

	tn_json_source_init(s, p->text, p->len, p->diag);
	s->pos = place->pos;
	s->line = place->line;
	s->line_start = place->line_start;
	s->depth = 1;
	s->allow_duplicates = true;
}

static void start_reader(struct parser *p, struct tn_json_reader *r, const char *base)
{
	*r = (struct tn_json_reader){.codec = &p->codec, .tape = &p->tape, .base = base};
}

typedef bool (*element_fn)(struct parser *p, struct tn_json_reader *r, tn_json_ref v);

/* Each element of a section to fn. */
static void read_array(struct parser *p, enum section section, element_fn fn)
{
	const struct place *place = &p->places[section];
	char base[POINTER_MAX];
	struct tn_json_source s;
	struct tn_json_reader r;
	size_t i;

	if (!place->present)
		return;
	start_section(p, section, &s);
	if (!place->is_array) {
		snprintf(base, sizeof(base), "/%s", section_names[section]);
		tn_json_value(&s, &p->tape);
		start_reader(p, &r, base);
		tn_json_error(
			&r, p->tape.v, TN_OF_OK, "\"%s\" must be an array", section_names[section]);
		p->failed = true;
		return;
	}
	tn_json_enter(&s);
	for (i = 0; tn_json_more(&s, '[', i == 0); i++) {
		if (section_max[section] && i == section_max[section])
			return;
		snprintf(base, sizeof(base), "/%s/%zu", section_names[section], i);
		start_reader(p, &r, base);
		p->element = (uint32_t)i;
		if (!tn_json_value(&s, &p->tape) || !fn(p, &r, p->tape.v) || r.failed)
			p->failed = true;
	}
}

/* Device and tables. */

static void read_device(struct parser *p)
{
	/* After "name": what the northbound answers with. */
	static const struct tn_json_key keys[] = {TN_JSON_KEY("id"), TN_JSON_KEY("name"),
		TN_JSON_KEY("type"), TN_JSON_KEY("available"), TN_JSON_KEY("role"),
		TN_JSON_KEY("mfr"), TN_JSON_KEY("hw"), TN_JSON_KEY("sw"), TN_JSON_KEY("serial"),
		TN_JSON_KEY("driver"), TN_JSON_KEY("chassisId"), TN_JSON_KEY("lastUpdate"),
		TN_JSON_KEY("humanReadableLastUpdate"), TN_JSON_KEY("annotations")};
	tn_json_ref m[TN_ARRAY_SIZE(keys)];
	struct tn_json_string name;
	struct tn_json_source s;
	struct tn_json_reader r;

	if (!p->places[DEVICE].present)
		return;
	start_section(p, DEVICE, &s);
	tn_json_value(&s, &p->tape);
	start_reader(p, &r, "/device");
	if (tn_json_is_object(&r, p->tape.v, "an object with \"id\"")) {
		tn_json_members(&r, p->tape.v, "the device", keys, TN_ARRAY_SIZE(keys), m);
		if (m[0])
			tn_json_read_dpid(&r, m[0], &p->doc->dpid);
		if (m[1] && tn_json_text(&r, m[1], DEVICE_NAME_MAX, &name)) {
			char *copy = tn_arena_alloc(&p->doc->arena, name.len + 1u);

			memcpy(copy, name.p, name.len);
			p->doc->device_name = copy;
		}
	}
	p->codec.dpid = p->doc->dpid;
	p->failed |= r.failed;
}

static bool read_table_name(struct tn_json_reader *r, tn_json_ref v, struct tn_table_setting *table)
{
	char name[TABLE_NAME_MAX + 1];
	struct tn_json_string s;

	if (!tn_json_text(r, v, TABLE_NAME_MAX, &s))
		return false;
	memcpy(name, s.p, s.len);
	name[s.len] = '\0';
	if ((name[0] >= '0' && name[0] <= '9') || name[0] == '-')
		return tn_json_error(
			r, v, TN_OF_OK, "a table's name must not start with a digit or '-'");
	if (tn_names_add_table(r->codec->names, name, table->table_id))
		return tn_json_error(r, v, TN_OFPTMFC_BAD_TABLE,
			"another table is named \"%s\"; give each its own name", name);
	table->name = tn_arena_strdup(r->codec->arena, name);
	return true;
}

enum table_key { T_ID, T_NAME, T_MAX, T_EVICTION, T_DOWN, T_UP };

static const struct tn_json_key table_keys[] = {
	[T_ID] = TN_JSON_KEY("tableId"),
	[T_NAME] = TN_JSON_KEY("name"),
	[T_MAX] = TN_JSON_KEY("maxEntries"),
	[T_EVICTION] = TN_JSON_KEY("eviction"),
	[T_DOWN] = TN_JSON_KEY("vacancyDown"),
	[T_UP] = TN_JSON_KEY("vacancyUp"),
	TN_JSON_KEY("state"), /* from here on what only answers carry */
	TN_JSON_KEY("failure"),
	TN_JSON_KEY("failureName"),
	TN_JSON_KEY("generation"),
	TN_JSON_KEY("activeEntries"),
	TN_JSON_KEY("packetsLookedUp"),
	TN_JSON_KEY("packetsMatched"),
	TN_JSON_KEY("lookup"),
	TN_JSON_KEY("memoryBytes"),
};

static bool read_table_config(
	struct tn_json_reader *r, const tn_json_ref *m, struct tn_table_config *config)
{
	uint64_t max = 0, down = 0, up = 0;
	bool ok = true;

	if (m[T_MAX])
		ok &= tn_json_unsigned(r, m[T_MAX], 0, UINT32_MAX, TN_OFPTMFC_BAD_CONFIG, &max);
	if (m[T_EVICTION])
		ok &= tn_json_bool(r, m[T_EVICTION], &config->eviction);
	if (m[T_DOWN])
		ok &= tn_json_unsigned(r, m[T_DOWN], 0, 100, TN_OFPTMFC_BAD_CONFIG, &down);
	if (m[T_UP])
		ok &= tn_json_unsigned(r, m[T_UP], 0, 100, TN_OFPTMFC_BAD_CONFIG, &up);
	config->max_entries = (uint32_t)max;
	config->vacancy_down = (uint8_t)down;
	config->vacancy_up = (uint8_t)up;
	if (ok && down > up)
		return tn_json_error(r, m[T_DOWN], TN_OFPTMFC_BAD_CONFIG,
			"\"vacancyDown\" is above \"vacancyUp\"; give it at most that");
	return ok;
}

bool tn_json_read_table(struct tn_json_reader *r, tn_json_ref v, struct tn_table_setting *table)
{
	tn_json_ref m[TN_ARRAY_SIZE(table_keys)];
	bool ok;

	*table = (struct tn_table_setting){0};
	if (!tn_json_is_object(r, v, "an object with \"tableId\""))
		return false;
	ok = tn_json_members(r, v, "a table", table_keys, TN_ARRAY_SIZE(table_keys), m);
	ok &= read_table_config(r, m, &table->config);
	if (!m[T_ID])
		return tn_json_needed(r, v, "a table", "tableId") != NULL;
	if (!tn_json_table(r, m[T_ID], TN_OFPTMFC_BAD_TABLE, &table->table_id))
		return false;
	return (!m[T_NAME] || read_table_name(r, m[T_NAME], table)) && ok;
}

static bool read_table(struct parser *p, struct tn_json_reader *r, tn_json_ref v)
{
	struct tn_table_setting *table = &p->doc->tables[p->doc->n_tables++];

	if (!tn_json_read_table(r, v, table))
		return false;
	if (p->table_seen[table->table_id])
		return tn_json_error(r, tn_json_member(r, v, "tableId"), TN_OFPTMFC_BAD_TABLE,
			"table %u stands twice under \"tables\"; keep one", table->table_id);
	p->table_seen[table->table_id] = true;
	return true;
}

/* Tenant objects. */

static struct tn_document_tenant *add_tenant(
	struct parser *p, const struct tn_json_reader *r, tn_json_ref v)
{
	struct tn_document *doc = p->doc;
	struct tn_document_tenant *t;

	if (doc->n_tenants == p->tenants_room) {
		size_t room = p->tenants_room ? 2 * p->tenants_room : 16;

		t = tn_arena_alloc(&doc->arena, room * sizeof(*t));
		if (doc->n_tenants)
			memcpy(t, doc->tenants, doc->n_tenants * sizeof(*t));
		doc->tenants = t;
		p->tenants_room = room;
	}
	t = &doc->tenants[doc->n_tenants++];
	t->pointer = tn_arena_strdup(&doc->arena, r->base);
	t->line = v->line;
	t->column = v->column;
	return t;
}

static bool read_tenant(struct parser *p, struct tn_json_reader *r, tn_json_ref v)
{
	struct tn_tenant_value value;

	if (!tn_json_read_tenant(r, v, p->tenant_kind, &value))
		return false;
	if (!value.c.id[0])
		return tn_json_error(r, v, TN_OF_OK,
			"a %s of a document needs \"id\": it is what it is known by when the "
			"document is told again",
			tn_tenant_kind_name(p->tenant_kind));
	if (!p->failed)
		add_tenant(p, r, v)->value = value;
	return true;
}

static void read_tenants(struct parser *p, enum section section, enum tn_tenant_kind kind)
{
	p->tenant_kind = kind;
	read_array(p, section, read_tenant);
}

static int compare_tenants(const void *a, const void *b)
{
	const struct tn_document_tenant *x = *(const struct tn_document_tenant *const *)a;
	const struct tn_document_tenant *y = *(const struct tn_document_tenant *const *)b;
	int order = (x->value.kind > y->value.kind) - (x->value.kind < y->value.kind);

	if (!order)
		order = strcmp(x->value.c.id, y->value.c.id);
	return order ? order : (x > y) - (x < y);
}

static void sort_tenants(struct parser *p)
{
	struct tn_document *doc = p->doc;
	const struct tn_document_tenant **v =
		tn_arena_alloc(&doc->arena, (doc->n_tenants + 1) * sizeof(*v));

	for (size_t i = 0; i < doc->n_tenants; i++)
		v[i] = &doc->tenants[i];
	qsort(v, doc->n_tenants, sizeof(*v), compare_tenants);
	for (size_t i = 1; i < doc->n_tenants; i++) {
		if (v[i - 1]->value.kind != v[i]->value.kind ||
			strcmp(v[i - 1]->value.c.id, v[i]->value.c.id) != 0)
			continue;
		tn_diagnostics_add(p->diag, v[i]->pointer, v[i]->line, v[i]->column, TN_OF_OK,
			"%s \"%s\" stands twice; keep one", tn_tenant_kind_name(v[i]->value.kind),
			v[i]->value.c.id);
		p->failed = true;
	}
	doc->tenants_by_id = v;
}

const struct tn_document_tenant *tn_document_tenant(
	const struct tn_document *doc, enum tn_tenant_kind kind, const char *id)
{
	size_t low = 0, high = doc->n_tenants;

	while (low < high) {
		size_t middle = (low + high) / 2;
		const struct tn_tenant_value *v = &doc->tenants_by_id[middle]->value;
		int order = (v->kind > kind) - (v->kind < kind);

		if (!order)
			order = strcmp(v->c.id, id);
		if (!order)
			return doc->tenants_by_id[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* Ports, underlay, mods. */

static bool read_port(struct parser *p, struct tn_json_reader *r, tn_json_ref v)
{
	if (!tn_json_is_object(r, v,
		    "an object with \"number\", \"name\" and \"type\", or with \"network_id\""))
		return false;
	if (tn_json_member(r, v, "network_id"))
		return read_tenant(p, r, v);
	if (p->doc->n_ports == PORTS_MAX)
		return tn_json_error(r, v, TN_OF_OK, "more than %u ports of the switch", PORTS_MAX);
	if (!tn_json_read_port(r, v, &p->doc->ports[p->doc->n_ports++]))
		return false;
	p->doc->ports[p->doc->n_ports - 1].position = p->element;
	return true;
}

static void read_underlay(struct parser *p)
{
	struct tn_json_source s;
	struct tn_json_reader r;

	if (!p->places[UNDERLAY].present)
		return;
	start_section(p, UNDERLAY, &s);
	tn_json_value(&s, &p->tape);
	start_reader(p, &r, "/underlay");
	if (!tn_json_read_underlay(&r, p->tape.v, p->doc) || r.failed)
		p->failed = true;
}

/* Nothing is kept of a document that is refused: it may be far larger than its rules. */
static struct tn_mod *add_mod(
	struct parser *p, const struct tn_json_reader *r, tn_json_ref v, enum tn_mod_kind kind)
{
	struct tn_document *doc = p->doc;
	size_t i;

	if (p->failed)
		return NULL;
	i = doc->n_mods++;
	doc->mod_pointers[i] = tn_arena_strdup(&doc->mod_arena, r->base);
	doc->mod_lines[i] = v->line;
	doc->mod_columns[i] = v->column;
	doc->mods[i].kind = kind;
	return &doc->mods[i];
}

static bool read_group(struct parser *p, struct tn_json_reader *r, tn_json_ref v)
{
	struct tn_mod *mod;

	if (!tn_json_read_group(r, v, &p->group))
		return false;
	mod = add_mod(p, r, v, TN_MOD_GROUP);
	if (mod)
		mod->group = tn_arena_dup(&p->doc->mod_arena, &p->group, sizeof(p->group));
	return true;
}

static bool read_meter(struct parser *p, struct tn_json_reader *r, tn_json_ref v)
{
	struct tn_mod *mod;

	if (!tn_json_read_meter(r, v, &p->meter))
		return false;
	mod = add_mod(p, r, v, TN_MOD_METER);
	if (mod)
		mod->meter = tn_arena_dup(&p->doc->mod_arena, &p->meter, sizeof(p->meter));
	return true;
}

static bool read_flow(struct parser *p, struct tn_json_reader *r, tn_json_ref v)
{
	struct tn_mod *mod;

	if (!tn_json_read_flow(r, v, &p->flow))
		return false;
	mod = add_mod(p, r, v, TN_MOD_FLOW);
	if (mod)
		mod->flow = tn_arena_dup(&p->doc->mod_arena, &p->flow, sizeof(p->flow));
	return true;
}

/* Meters that want no number get the lowest free ones, in the order of the document. */
static void number_meters(struct parser *p)
{
	struct tn_document *doc = p->doc;
	struct tn_free_numbers numbers;
	size_t i;

	tn_free_numbers_init(&numbers, p->places[METERS].n, 1);
	for (i = 0; i < doc->n_mods; i++)
		if (doc->mods[i].kind == TN_MOD_METER && doc->mods[i].meter->meter_id)
			tn_free_numbers_take(&numbers, doc->mods[i].meter->meter_id);
	tn_free_numbers_sort(&numbers);
	for (i = 0; i < doc->n_mods; i++) {
		struct tn_meter_mod *mm;

		if (doc->mods[i].kind != TN_MOD_METER || doc->mods[i].meter->meter_id)
			continue;
		mm = tn_arena_dup(&doc->mod_arena, doc->mods[i].meter, sizeof(*mm));
		mm->meter_id = tn_free_numbers_give(&numbers);
		doc->mods[i].meter = mm;
	}
	tn_free_numbers_fini(&numbers);
}

/* The first pass counted what there is room for. */
static void make_room(struct parser *p)
{
	struct tn_document *doc = p->doc;
	size_t n_mods = p->places[GROUPS].n + p->places[METERS].n + p->places[FLOWS].n;

	doc->tables = tn_arena_alloc(&doc->arena, p->places[TABLES].n * sizeof(*doc->tables));
	doc->ports = tn_arena_alloc(&doc->arena, p->places[PORTS].n * sizeof(*doc->ports));
	doc->mods = tn_arena_alloc(&doc->mod_arena, n_mods * sizeof(*doc->mods));
	doc->mod_pointers = tn_arena_alloc(&doc->mod_arena, n_mods * sizeof(*doc->mod_pointers));
	doc->mod_lines = tn_arena_alloc(&doc->mod_arena, n_mods * sizeof(*doc->mod_lines));
	doc->mod_columns = tn_arena_alloc(&doc->mod_arena, n_mods * sizeof(*doc->mod_columns));
}

static void decode(struct parser *p)
{
	make_room(p);
	read_device(p);
	read_array(p, TABLES, read_table);
	read_tenants(p, HOSTS, TN_TENANT_HOST);
	read_tenants(p, QUOTAS, TN_TENANT_QUOTA);
	read_tenants(p, QOS_POLICIES, TN_TENANT_QOS_POLICY);
	read_tenants(p, ADDRESS_GROUPS, TN_TENANT_ADDRESS_GROUP);
	read_tenants(p, NETWORKS, TN_TENANT_NETWORK);
	read_tenants(p, SUBNETS, TN_TENANT_SUBNET);
	read_tenants(p, ROUTERS, TN_TENANT_ROUTER);
	p->tenant_kind = TN_TENANT_PORT;
	read_array(p, PORTS, read_port);
	sort_tenants(p);
	p->codec.ports_known = true;
	read_underlay(p);
	p->codec.arena = &p->doc->mod_arena;
	read_array(p, GROUPS, read_group);
	if (!p->failed && !tn_groups_order(p->doc, p->doc->n_mods, p->diag))
		p->failed = true;
	read_array(p, METERS, read_meter);
	number_meters(p);
	read_array(p, FLOWS, read_flow);
}

int tn_document_parse(
	struct tn_document *doc, const char *text, size_t len, struct tn_diagnostics *diag)
{
	struct parser p = {.doc = doc, .diag = diag, .text = text, .len = len};
	size_t from = diag->n;

	*doc = (struct tn_document){.dpid = DPID_DEFAULT};
	tn_arena_init(&doc->arena);
	tn_arena_init(&doc->mod_arena);
	doc->names = tn_names_new();
	if (len > TN_DOCUMENT_BYTES_MAX) {
		tn_diagnostics_add(diag, "", 0, 0, TN_OF_OK,
			"the document has %zu bytes; at most %u are read, so split it", len,
			TN_DOCUMENT_BYTES_MAX);
		return -EINVAL;
	}
	p.codec = (struct tn_codec){
		.dpid = doc->dpid, .names = doc->names, .arena = &doc->arena, .diag = diag};
	tn_json_tape_init(&p.tape);
	if (look_through(&p))
		decode(&p);
	tn_json_tape_fini(&p.tape);
	tn_diagnostics_sort(diag, from);
	return p.failed ? -EINVAL : 0;
}

void tn_document_fini(struct tn_document *doc)
{
	size_t i;

	for (i = 0; i < doc->n_ports; i++)
		json_decref(doc->ports[i].options);
	tn_names_free(doc->names);
	tn_arena_fini(&doc->arena);
	tn_arena_fini(&doc->mod_arena);
	*doc = (struct tn_document){0};
}

void tn_document_forget_mods(struct tn_document *doc)
{
	tn_arena_fini(&doc->mod_arena);
	doc->n_mods = 0;
	doc->mods = NULL;
	doc->mod_pointers = NULL;
	doc->mod_lines = doc->mod_columns = NULL;
}

/* Writing. */

json_t *tn_json_write_table(const struct tn_table_setting *table)
{
	json_t *o = json_object();

	json_object_set_new(o, "tableId", json_integer(table->table_id));
	if (table->name)
		json_object_set_new(o, "name", json_string(table->name));
	if (table->config.max_entries)
		json_object_set_new(o, "maxEntries", json_integer(table->config.max_entries));
	if (table->config.eviction)
		json_object_set_new(o, "eviction", json_true());
	if (table->config.vacancy_up) {
		json_object_set_new(o, "vacancyDown", json_integer(table->config.vacancy_down));
		json_object_set_new(o, "vacancyUp", json_integer(table->config.vacancy_up));
	}
	return o;
}

static void write_tenants(json_t *o, const struct tn_document *doc)
{
	for (size_t i = 0; i < doc->n_tenants; i++) {
		const struct tn_tenant_value *value = &doc->tenants[i].value;
		const char *key = tn_tenant_kind_plural(value->kind);
		json_t *array = json_object_get(o, key);

		if (!array) {
			array = json_array();
			json_object_set_new(o, key, array);
		}
		json_array_append_new(array, tn_tenant_to_json(value));
	}
}

json_t *tn_document_to_json(
	const struct tn_document *doc, json_t *flows, json_t *groups, json_t *meters)
{
	json_t *o = json_object(), *device = json_object(), *array;
	size_t i;

	json_object_set_new(device, "id", tn_json_from_dpid(doc->dpid));
	if (doc->device_name)
		json_object_set_new(device, "name", json_string(doc->device_name));
	json_object_set_new(o, "device", device);
	array = json_array();
	for (i = 0; i < doc->n_ports; i++)
		json_array_append_new(array, tn_json_write_port(&doc->ports[i]));
	json_object_set_new(o, "ports", array);
	write_tenants(o, doc);
	array = json_array();
	for (i = 0; i < doc->n_tables; i++)
		json_array_append_new(array, tn_json_write_table(&doc->tables[i]));
	json_object_set_new(o, "tables", array);
	json_object_set_new(o, "underlay", tn_json_write_underlay(doc));
	json_object_set_new(o, "groups", groups ? groups : json_array());
	json_object_set_new(o, "meters", meters ? meters : json_array());
	json_object_set_new(o, "flows", flows ? flows : json_array());
	return o;
}
