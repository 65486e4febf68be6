/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/northbound/tenant.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "control/model/json_codec.h"
#include "control/model/tenant_json.h"
#include "control/northbound/answer.h"
#include "control/northbound/body.h"
#include "control/northbound/handlers.h"
#include "control/northbound/list.h"
#include "control/northbound/route.h"

static const char *const paths[TN_TENANT_N_KINDS] = {
	[TN_TENANT_NETWORK] = "networks",
	[TN_TENANT_SUBNET] = "subnets",
	[TN_TENANT_PORT] = "ports",
	[TN_TENANT_ROUTER] = "routers",
	[TN_TENANT_HOST] = "hosts",
	[TN_TENANT_QOS_POLICY] = "qos-policies",
	[TN_TENANT_ADDRESS_GROUP] = "address-groups",
	[TN_TENANT_QUOTA] = "quotas",
};

/* Of "/networks/{networkId}". */
static enum tn_tenant_kind kind_of(const struct tn_call *c)
{
	const char *word = c->route->path + 1;
	size_t n = strcspn(word, "/");
	unsigned kind = 0;

	while (kind < TN_TENANT_N_KINDS - 1 &&
		(strlen(paths[kind]) != n || memcmp(paths[kind], word, n) != 0))
		kind++;
	return (enum tn_tenant_kind)kind;
}

static bool take_object(void *ctx, const struct tn_object *o)
{
	*(const struct tn_tenant_object **)ctx = o->tenants;
	return false;
}

const struct tn_tenant_object *tn_tenant_find(
	struct tn_call *c, enum tn_tenant_kind kind, const char *id)
{
	uint64_t number = tn_engine_tenant_id(tn_call_engine(c), kind, id);
	const struct tn_tenant_object *o = NULL;

	if (number)
		(void)tn_engine_get(tn_call_engine(c), tn_kind_of_tenant(kind), number,
			tn_call_scope(c), take_object, &o);
	return o;
}

static uint64_t generation_of(struct tn_call *c, enum tn_tenant_kind kind, const char *id)
{
	uint64_t number = tn_engine_tenant_id(tn_call_engine(c), kind, id);

	return number ? tn_object_generation(c, tn_kind_of_tenant(kind), number) : 0;
}

bool tn_tenant_is_admins(enum tn_tenant_kind kind)
{
	return kind == TN_TENANT_HOST || kind == TN_TENANT_QUOTA;
}

static void missing(struct tn_call *c, enum tn_tenant_kind kind, const char *id)
{
	tn_answer_error(c, 404, "there is no %s \"%.80s\"", tn_tenant_kind_name(kind), id);
}

/* --- reading --- */

/* A random UUID (RFC 4122, version 4). */
static const char *new_id(struct tn_arena *arena)
{
	uint8_t b[16];
	char s[40];

	if (getrandom(b, sizeof(b), 0) != sizeof(b))
		abort();
	b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
	snprintf(s, sizeof(s),
		"%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
		b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
		b[15]);
	return tn_arena_strdup(arena, s);
}

struct tn_operation *tn_tenant_read(struct tn_call *c, struct tn_json_reader *r, tn_json_ref v,
	enum tn_tenant_kind kind, const char *pointer)
{
	struct tn_tenant_value *value = tn_arena_alloc(&c->arena, sizeof(*value));
	struct tn_operation *op;

	if (!tn_json_read_tenant(r, v, kind, value))
		return NULL;
	if (!value->c.id[0] && tn_tenant_is_admins(kind)) {
		(void)tn_json_error(r, v, TN_OF_OK, "a %s needs \"id\"", tn_tenant_kind_name(kind));
		return NULL;
	}
	if (!value->c.id[0])
		value->c.id = new_id(&c->arena);
	op = tn_call_operation(c, TN_OP_TENANT_PUT, pointer);
	op->tenants = value;
	return op;
}

static const char *pointer_of(struct tn_call *c, const struct tn_json_reader *r, tn_json_ref v)
{
	char *s = tn_json_pointer(r->tape, v, r->base);
	const char *copy = tn_arena_strdup(&c->arena, s);

	free(s);
	return copy;
}

/* --- lists --- */

/* What a filter of the query is held against; NULL: the object has no such thing. */
static const char *member(const struct tn_tenant_value *v, const char *key)
{
	if (strcmp(key, "id") == 0)
		return v->c.id;
	if (strcmp(key, "name") == 0)
		return v->c.name;
	if (strcmp(key, "tenant_id") == 0 || strcmp(key, "project_id") == 0)
		return v->c.tenant_id;
	if (strcmp(key, "network_id") == 0)
		return v->kind == TN_TENANT_SUBNET  ? v->subnet.network_id
			: v->kind == TN_TENANT_PORT ? v->port.network_id
						    : NULL;
	if (v->kind != TN_TENANT_PORT)
		return NULL;
	if (strcmp(key, "host") == 0)
		return v->port.binding.host;
	if (strcmp(key, "binding") == 0)
		return tn_binding_kind_name(v->port.binding.kind);
	if (strcmp(key, "device_id") == 0)
		return v->port.device_id;
	return NULL;
}

static bool has_subnet(const struct tn_tenant_value *v, const char *id)
{
	for (uint32_t i = 0; v->kind == TN_TENANT_PORT && i < v->port.n_fixed_ips; i++)
		if (strcmp(v->port.fixed_ips[i].subnet_id, id) == 0)
			return true;
	for (uint32_t i = 0; v->kind == TN_TENANT_ROUTER && i < v->router.n_interfaces; i++)
		if (strcmp(v->router.interfaces[i].subnet_id, id) == 0)
			return true;
	return false;
}

static bool has_address(const struct tn_tenant_value *v, const char *text)
{
	struct tn_be32 ip4;
	struct tn_ip6 ip6;
	tn_u128 address = 0;

	if (inet_pton(AF_INET, text, &ip4) == 1)
		address = tn_u128_from_ip4(tn_be32toh(ip4));
	else if (inet_pton(AF_INET6, text, &ip6) == 1)
		address = tn_u128_from_ip6(&ip6);
	for (uint32_t i = 0; v->kind == TN_TENANT_PORT && i < v->port.n_fixed_ips; i++)
		if (v->port.fixed_ips[i].ip_address == address)
			return true;
	return false;
}

static bool has_mac(const struct tn_tenant_value *v, const char *text)
{
	const uint8_t *b = v->port.mac_address.b;
	char own[18];

	snprintf(own, sizeof(own), "%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3], b[4],
		b[5]);
	return v->kind == TN_TENANT_PORT && strcasecmp(own, text) == 0;
}

static bool matches(const struct tn_tenant_value *v, const struct tn_call_query *q)
{
	static const char *const others[] = {"limit", "after", "stats", "kind"};
	const char *own;

	for (size_t i = 0; i < TN_ARRAY_SIZE(others); i++)
		if (strcmp(q->key, others[i]) == 0)
			return true;
	if (strcmp(q->key, "subnet_id") == 0)
		return has_subnet(v, q->value);
	if (strcmp(q->key, "ip_address") == 0)
		return has_address(v, q->value);
	if (strcmp(q->key, "mac_address") == 0)
		return has_mac(v, q->value);
	if (strcmp(q->key, "vni") == 0)
		return v->kind == TN_TENANT_NETWORK &&
			strtoul(q->value, NULL, 10) == v->network.vni;
	own = member(v, q->key);
	return own && strcmp(own, q->value) == 0;
}

static bool keep(const struct tn_object *o, const void *ctx)
{
	const struct tn_call *c = ctx;

	for (size_t i = 0; i < c->n_query; i++)
		if (!matches(&o->tenants->value, &c->query[i]))
			return false;
	return true;
}

void tn_tenant_list(struct tn_call *c, enum tn_tenant_kind kind)
{
	tn_list_answer(c, tn_kind_of_tenant(kind), tn_tenant_kind_plural(kind), keep, c);
}

/* --- one object --- */

void tn_tenant_get(struct tn_call *c, enum tn_tenant_kind kind)
{
	uint64_t number = tn_engine_tenant_id(tn_call_engine(c), kind, c->params[0]);

	if (!number || !tn_tenant_find(c, kind, c->params[0]))
		missing(c, kind, c->params[0]);
	else
		tn_object_answer(c, tn_kind_of_tenant(kind), number, NULL, false, "it is gone");
}

/* --- changes --- */

struct changing {
	enum tn_tenant_kind kind;
	bool several, wrapped; /* how the client said it, and is answered */
};

struct printing {
	struct tn_call *c;
	bool found;
};

static bool print(void *ctx, const struct tn_object *o)
{
	struct printing *p = ctx;
	struct tn_codec codec = tn_call_codec(p->c, true);

	tn_object_print(&p->c->text, &codec, tn_call_engine(p->c), o, TN_OBJECT_STATED);
	p->c->etag = o->generation; /* older than the request, if that changed nothing */
	p->found = true;
	return false;
}

static void put_result(struct tn_call *c, const struct tn_result *r, const struct changing *ch)
{
	struct printing p = {.c = c};

	(void)tn_engine_get(
		tn_call_engine(c), tn_kind_of_tenant(ch->kind), r->id, tn_call_scope(c), print, &p);
	if (!p.found) /* removed meanwhile */
		tn_text_puts(&c->text, "{}");
}

static void put_done(struct tn_call *c, const struct tn_outcome *o)
{
	const struct changing *ch = c->state;
	const struct tn_result *r = &o->results[0];
	char location[128];

	if (ch->several)
		tn_text_printf(&c->text, "{\"%s\":[", tn_tenant_kind_plural(ch->kind));
	else if (ch->wrapped)
		tn_text_printf(&c->text, "{\"%s\":", tn_tenant_kind_name(ch->kind));
	for (size_t i = 0; i < o->n_results; i++) {
		if (i)
			tn_text_add(&c->text, ",", 1);
		put_result(c, &o->results[i], ch);
	}
	tn_text_puts(&c->text, ch->several ? "]}" : ch->wrapped ? "}" : "");
	if (!ch->several && r->created) {
		snprintf(location, sizeof(location), "/v1/%s/%s", paths[ch->kind],
			c->ops[0].tenants->c.id);
		c->location = tn_arena_strdup(&c->arena, location);
	}
	if (ch->several)
		c->etag = 0;
	tn_answer_text(
		c, tn_answer_status(c, o, ch->several || r->created ? 201 : 200), TN_TYPE_JSON);
}

/* {"network":{..}} and {"networks":[..]}, as Neutron has it, beside the object alone. */
static bool unwrap(struct changing *ch, const struct tn_json_reader *r, tn_json_ref *v)
{
	const char *one = tn_tenant_kind_name(ch->kind), *all = tn_tenant_kind_plural(ch->kind);
	tn_json_ref inner;

	if ((*v)->type != TN_JSON_OBJECT || (*v)->n != 1)
		return true;
	inner = tn_json_member(r, *v, one);
	if (inner && inner->type == TN_JSON_OBJECT) {
		ch->wrapped = true;
		*v = inner;
	}
	inner = tn_json_member(r, *v, all);
	if (inner && inner->type == TN_JSON_ARRAY) {
		ch->several = true;
		*v = inner;
	}
	return true;
}

static struct changing *begin_change(struct tn_call *c, enum tn_tenant_kind kind)
{
	struct changing *ch = tn_arena_alloc(&c->arena, sizeof(*ch));

	ch->kind = kind;
	c->state = ch;
	return ch;
}

static bool read_all(
	struct tn_call *c, struct tn_json_reader *r, tn_json_ref array, enum tn_tenant_kind kind)
{
	tn_json_ref v = tn_json_first(array);
	struct tn_operation *op;
	bool ok = true;

	if (!array->n)
		return tn_json_error(r, array, TN_OF_OK, "nothing to add");
	for (uint32_t i = 0; i < array->n; i++, v = tn_json_next(r->tape, v)) {
		op = tn_tenant_read(c, r, v, kind, pointer_of(c, r, v));
		ok &= op != NULL;
		if (op)
			op->create_only = true;
	}
	return ok;
}

void tn_tenant_post(struct tn_call *c, enum tn_tenant_kind kind)
{
	struct changing *ch = begin_change(c, kind);
	struct tn_operation *op;
	tn_json_ref v;
	struct tn_body b;
	bool ok = tn_body_read(c, &b);

	if (ok) {
		v = b.tape.v;
		(void)unwrap(ch, &b.reader, &v);
		if (ch->several) {
			ok = read_all(c, &b.reader, v, kind);
		} else {
			op = tn_tenant_read(c, &b.reader, v, kind, pointer_of(c, &b.reader, v));
			ok = op != NULL;
			if (op)
				op->create_only = true;
		}
	}
	if (!tn_body_end(c, &b, ok))
		return;
	for (size_t i = 0; i < c->n_ops; i++) {
		const char *id = c->ops[i].tenants->c.id;

		if (tn_tenant_find(c, kind, id)) {
			tn_answer_error(c, 409, "there is a %s \"%s\"; change it with PUT or PATCH",
				tn_tenant_kind_name(kind), id);
			return;
		}
	}
	tn_call_submit(c, put_done);
}

/* The id in the body is that of the path, or it is not there. */
static bool check_id(struct tn_json_reader *r, tn_json_ref v, const char *id)
{
	tn_json_ref own = tn_json_member(r, v, "id");

	return !own || (own->type == TN_JSON_STRING && tn_json_string_is(own->string, id)) ||
		tn_json_error(r, own, TN_OF_OK, "the path names \"%.80s\"", id);
}

static void put_object(struct tn_call *c, struct changing *ch, struct tn_json_reader *r,
	tn_json_ref v, uint64_t generation)
{
	const char *id = c->params[0];
	struct tn_tenant_value *value;
	struct tn_operation *op;

	if (v->type == TN_JSON_OBJECT && !check_id(r, v, id))
		return;
	value = tn_arena_alloc(&c->arena, sizeof(*value));
	if (!tn_json_read_tenant(r, v, ch->kind, value))
		return;
	value->c.id = id;
	op = tn_call_operation(c, TN_OP_TENANT_PUT, pointer_of(c, r, v));
	op->tenants = value;
	op->if_generation = c->if_match ? generation : 0;
	op->create_only = c->if_none_match != NULL;
}

static bool check_path_id(struct tn_call *c)
{
	const char *id = c->params[0];

	if (tn_tenant_is_id(id, strlen(id)) ||
		(kind_of(c) == TN_TENANT_QUOTA && strcmp(id, "*") == 0))
		return true;
	tn_answer_error(
		c, 400, "\"%.80s\" is no id; give letters, digits, '-', '_', '.' or ':'", id);
	return false;
}

void tn_tenant_put(struct tn_call *c, enum tn_tenant_kind kind)
{
	uint64_t generation = generation_of(c, kind, c->params[0]);
	struct changing *ch = begin_change(c, kind);
	struct tn_body b;
	tn_json_ref v;
	bool ok;

	if (!check_path_id(c) || !tn_call_check_conditions(c, generation))
		return;
	ok = tn_body_read(c, &b);
	if (ok) {
		v = b.tape.v;
		(void)unwrap(ch, &b.reader, &v);
		ch->several = false;
		put_object(c, ch, &b.reader, v, generation);
	}
	if (tn_body_end(c, &b, ok))
		tn_call_submit(c, put_done);
}

/* --- PATCH: what it is, with some members in place of others (RFC 7396) --- */

/* null is what these may be; others are as if they had never been said. */
static bool may_be_null(const char *key)
{
	static const char *const keys[] = {"name", "description", "qos_policy_id", "gateway_ip",
		"ipv6_address_mode", "binding", "device_id", "device_owner"};

	for (size_t i = 0; i < TN_ARRAY_SIZE(keys); i++)
		if (strcmp(key, keys[i]) == 0)
			return true;
	return false;
}

/* A binding of another kind has none of the members of this one. */
static bool is_other_kind(json_t *own, json_t *patch)
{
	const json_t *kind = json_object_get(patch, "kind");

	return kind && !json_equal(kind, json_object_get(own, "kind"));
}

static void merge_object(json_t *into, json_t *patch)
{
	const char *key;
	json_t *value, *own;

	json_object_foreach(patch, key, value)
	{
		own = json_object_get(into, key);
		if (json_is_null(value) && !may_be_null(key))
			json_object_del(into, key);
		else if (json_is_object(value) && json_is_object(own) && !is_other_kind(own, value))
			merge_object(own, value);
		else
			json_object_set(into, key, value);
	}
}

static void merge(json_t *into, json_t *patch)
{
	merge_object(into, patch);
	/* Two names of one thing. */
	if (json_object_get(patch, "provider:segmentation_id"))
		json_object_del(into, "vni");
	if (json_object_get(patch, "project_id"))
		json_object_del(into, "tenant_id");
}

/* The object with the patch in it, as another body. */
static bool patched(
	struct tn_call *c, struct tn_body *b, tn_json_ref patch, const struct tn_tenant_object *o)
{
	json_t *tree, *changes;
	bool ok;

	if (!tn_json_is_object(&b->reader, patch, "an object with the members to change"))
		return false;
	changes = tn_json_tape_dump(&b->tape, patch);
	if (!changes)
		return tn_json_error(&b->reader, patch, TN_OF_OK, "a fraction is nowhere in a %s",
			tn_tenant_kind_name(o->value.kind));
	tree = json_loadb(o->text, o->text_len, 0, NULL);
	merge(tree, changes);
	json_decref(changes);
	/* Strings of the tape are those of the tree, which lives as long. */
	tn_json_tape_fini(&b->tape);
	tn_json_tape_init(&b->tape);
	ok = tn_json_tape_load(&b->tape, tree, "", &c->diag);
	c->state = begin_change(c, o->value.kind);
	if (ok)
		put_object(c, c->state, &b->reader, b->tape.v, 0);
	json_decref(tree);
	return ok;
}

void tn_tenant_patch(struct tn_call *c, enum tn_tenant_kind kind)
{
	const struct tn_tenant_object *o = tn_tenant_find(c, kind, c->params[0]);
	uint64_t generation = generation_of(c, kind, c->params[0]);
	struct changing *ch = begin_change(c, kind);
	bool wrapped, ok;
	struct tn_body b;
	tn_json_ref v;

	if (!o) {
		missing(c, kind, c->params[0]);
		return;
	}
	if (!tn_call_check_conditions(c, generation))
		return;
	ok = tn_body_read(c, &b);
	if (ok) {
		v = b.tape.v;
		(void)unwrap(ch, &b.reader, &v);
		wrapped = ch->wrapped;
		ok = patched(c, &b, v, o);
		((struct changing *)c->state)->wrapped = wrapped;
	}
	if (!tn_body_end(c, &b, ok))
		return;
	/* It was made of what is there now. */
	c->ops[0].if_generation = generation;
	tn_call_submit(c, put_done);
}

void tn_tenant_delete(struct tn_call *c, enum tn_tenant_kind kind)
{
	uint64_t generation = generation_of(c, kind, c->params[0]);
	struct tn_operation *op;

	if (!tn_call_check_conditions(c, generation))
		return;
	if (generation) {
		op = tn_call_operation(c, TN_OP_TENANT_REMOVE, "");
		op->tenants_id.kind = kind;
		op->tenants_id.id = c->params[0];
		op->if_generation = c->if_match ? generation : 0;
	}
	tn_call_submit(c, tn_answer_done);
}

/* --- transactions --- */

/* The member that names the object, and its kind. */
static tn_json_ref object_of(
	const struct tn_json_reader *r, tn_json_ref v, enum tn_tenant_kind *kind)
{
	for (unsigned k = 0; k < TN_TENANT_N_KINDS; k++) {
		tn_json_ref o = tn_json_member(r, v, tn_tenant_kind_name((enum tn_tenant_kind)k));

		*kind = (enum tn_tenant_kind)k;
		if (!o)
			continue;
		/* A port of the switch has a number. */
		if (k == TN_TENANT_PORT && o->type == TN_JSON_OBJECT &&
			!tn_json_member(r, o, "network_id") && !tn_json_member(r, o, "id"))
			return NULL;
		return o;
	}
	return NULL;
}

bool tn_tenant_is_operation(const struct tn_json_reader *r, tn_json_ref v)
{
	enum tn_tenant_kind kind;

	return v->type == TN_JSON_OBJECT && object_of(r, v, &kind);
}

static bool read_removal(struct tn_call *c, struct tn_json_reader *r, tn_json_ref o,
	enum tn_tenant_kind kind, const char *pointer)
{
	tn_json_ref id = tn_json_needed(r, o, "what is to be deleted", "id");
	struct tn_operation *op;
	char *copy;

	if (!id)
		return false;
	if (id->type != TN_JSON_STRING || !id->string.len)
		return tn_json_error(r, id, TN_OF_OK, "\"id\" is a string");
	copy = tn_arena_alloc(&c->arena, id->string.len + 1u);
	memcpy(copy, id->string.p, id->string.len);
	op = tn_call_operation(c, TN_OP_TENANT_REMOVE, pointer);
	op->tenants_id.kind = kind;
	op->tenants_id.id = copy;
	return true;
}

bool tn_tenant_read_operation(
	struct tn_call *c, struct tn_json_reader *r, tn_json_ref v, const char *pointer)
{
	enum tn_tenant_kind kind;
	tn_json_ref o = object_of(r, v, &kind), name = tn_json_needed(r, v, "an operation", "op");
	const char *keys[] = {"op", tn_tenant_kind_name(kind), NULL};
	struct tn_operation *op;
	bool add;

	if (!name || !tn_json_only(r, v, "an operation on a tenant object", keys) ||
		!tn_json_is_object(r, o, "an object"))
		return false;
	if (tn_tenant_is_admins(kind) && (c->who.role < TN_ROLE_ADMIN || c->who.tenant))
		return tn_json_error(r, v, TN_OFPBRC_EPERM, "%s are changed by administrators",
			tn_tenant_kind_plural(kind));
	if (name->type == TN_JSON_STRING && tn_json_string_is(name->string, "delete"))
		return read_removal(c, r, o, kind, pointer);
	add = name->type == TN_JSON_STRING && tn_json_string_is(name->string, "add");
	if (!add && !(name->type == TN_JSON_STRING && tn_json_string_is(name->string, "set")))
		return tn_json_error(r, name, TN_OFPBRC_BAD_TYPE,
			"\"op\" of a %s is add, set or delete", tn_tenant_kind_name(kind));
	op = tn_tenant_read(c, r, o, kind, pointer_of(c, r, o));
	if (op)
		op->create_only = add;
	return op != NULL;
}

/* --- /ports and /hosts, which are of the switch, too --- */

bool tn_tenant_check_which(struct tn_call *c)
{
	const char *which = tn_call_query(c, "kind");

	if (!which || strcmp(which, "tenant") == 0 || strcmp(which, "switch") == 0)
		return true;
	tn_answer_error(c, 400, "\"kind\" is switch or tenant");
	return false;
}

bool tn_tenant_means_list(struct tn_call *c, enum tn_tenant_kind kind)
{
	static const char *const filters[] = {"network_id", "subnet_id", "host", "binding",
		"device_id", "mac_address", "ip_address", "tenant_id", "project_id", "name", "id"};
	const char *which = tn_call_query(c, "kind");

	if (c->onos)
		return false;
	if (which)
		return strcmp(which, "tenant") == 0;
	for (size_t i = 0; i < TN_ARRAY_SIZE(filters); i++)
		if (tn_call_query(c, filters[i]))
			return true;
	/* Of the switch there is nothing for clients of one tenant. */
	return kind == TN_TENANT_PORT && c->who.tenant;
}

bool tn_tenant_means_path(struct tn_call *c, enum tn_tenant_kind kind)
{
	const char *id = c->params[0];

	if (c->onos || id[strspn(id, "0123456789")] == '\0')
		return false;
	return c->who.tenant || tn_tenant_find(c, kind, id);
}

/* Looks into the body for a key that only tenant objects have. */
bool tn_tenant_means_body(struct tn_call *c, enum tn_tenant_kind kind)
{
	static const char *const keys[TN_TENANT_N_KINDS] = {
		[TN_TENANT_PORT] = "network_id", [TN_TENANT_HOST] = "vtep_addresses"};
	struct tn_diagnostics ignored;
	struct tn_json_source s;
	struct tn_json_tape tape;
	const struct tn_json_reader r = {.tape = &tape};
	bool means = false;

	if (c->onos)
		return false;
	tn_diagnostics_init(&ignored);
	tn_json_tape_init(&tape);
	tn_json_source_init(&s, c->body.p, c->body.n, &ignored);
	if (tn_json_value(&s, &tape) && tape.v->type == TN_JSON_OBJECT)
		means = tn_json_member(&r, tape.v, keys[kind]) ||
			tn_json_member(&r, tape.v, tn_tenant_kind_name(kind)) ||
			tn_json_member(&r, tape.v, tn_tenant_kind_plural(kind));
	tn_json_tape_fini(&tape);
	tn_diagnostics_fini(&ignored);
	return means;
}

/* --- what the routes call --- */

void tn_networking_list(struct tn_call *c)
{
	tn_tenant_list(c, kind_of(c));
}

void tn_networking_post(struct tn_call *c)
{
	tn_tenant_post(c, kind_of(c));
}

void tn_networking_get(struct tn_call *c)
{
	tn_tenant_get(c, kind_of(c));
}

void tn_networking_put(struct tn_call *c)
{
	tn_tenant_put(c, kind_of(c));
}

void tn_networking_patch(struct tn_call *c)
{
	tn_tenant_patch(c, kind_of(c));
}

void tn_networking_delete(struct tn_call *c)
{
	tn_tenant_delete(c, kind_of(c));
}
