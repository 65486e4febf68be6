/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/engine/persist.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/engine/difference.h"
#include "control/model/tenant_json.h"

/* A host: this, then its addresses. Little-endian, as everything here. */
struct stored_host {
	uint8_t form; /* HOST_FORM */
	uint8_t mac[6];
	uint8_t pad;
	int32_t vlan;
	uint32_t port;
	uint64_t last_seen_ns;
	uint32_t n_addresses, pad2;
};

#define HOST_FORM 1u

TN_BUILD_ASSERT(sizeof(struct stored_host) == 32, "what is on disks does not change");

static int append(struct tn_api_buffer *out, const void *bytes, size_t n)
{
	if (tn_api_buffer_reserve(out, n))
		abort();
	memcpy(out->data + out->len, bytes, n);
	out->len += n;
	return 0;
}

static int encode_host(const struct tn_host *host, struct tn_api_buffer *out)
{
	struct stored_host stored = {
		.form = HOST_FORM,
		.vlan = host->vlan,
		.port = host->port,
		.last_seen_ns = host->last_seen_ns,
		.n_addresses = host->n_addresses,
	};

	memcpy(stored.mac, host->mac.b, sizeof(stored.mac));
	(void)append(out, &stored, sizeof(stored));
	return host->n_addresses
		? append(out, host->addresses, host->n_addresses * sizeof(*host->addresses))
		: 0;
}

static int encode_mod(struct tn_wanted *w, struct tn_api_buffer *out, struct tn_error *err)
{
	struct tn_mod one;
	const struct tn_api_message msg = {
		.type = TN_API_BUNDLE, .request_id = 1, .bundle = {.mods = &one, .n_mods = 1}};
	struct tn_arena arena;
	int rc;

	tn_arena_init(&arena);
	tn_difference_add(w, &arena, &one);
	rc = tn_api_encode(out, &msg, err);
	tn_arena_fini(&arena);
	return rc;
}

static int encode_add(
	const struct tn_flow_add *add, struct tn_api_buffer *out, struct tn_error *err)
{
	const struct tn_api_encoded one = tn_flow_add_encoded(add);

	return tn_api_encode_bundle(out, 1, 0, &one, 1, err);
}

static int encode_table(
	const struct tn_table_setting *table, struct tn_api_buffer *out, struct tn_error *err)
{
	const struct tn_api_message msg = {
		.type = TN_API_TABLE_CONFIGURE,
		.request_id = 1,
		.table_configure = {.table_id = table->table_id, .config = table->config},
	};
	int rc = tn_api_encode(out, &msg, err);

	return rc || !table->name ? rc : append(out, table->name, strlen(table->name));
}

int tn_persist_encode(struct tn_wanted *w, const struct tn_flow_add *add, struct tn_api_buffer *out,
	struct tn_error *err)
{
	struct tn_api_message msg = {.type = TN_API_PORT_ADD, .request_id = 1};

	switch ((enum tn_kind)w->kind) {
	case TN_KIND_PORT:
		msg.port_add = tn_wanted_as_port(w)->port;
		return tn_api_encode(out, &msg, err);
	case TN_KIND_TABLE:
		return encode_table(tn_wanted_as_table(w), out, err);
	case TN_KIND_HOST:
		return encode_host(tn_wanted_as_host(w), out);
	default:
		break;
	}
	if (tn_kind_is_tenant((enum tn_kind)w->kind))
		return append(out, tn_wanted_as_tenant(w)->text, tn_wanted_as_tenant(w)->text_len);
	return add ? encode_add(add, out, err) : encode_mod(w, out, err);
}

static struct tn_wanted *decode_host(const void *body, size_t size, struct tn_error *err)
{
	struct stored_host stored;
	struct tn_host host;
	struct tn_wanted *w;
	tn_u128 *addresses;

	if (size < sizeof(stored)) {
		(void)tn_error_set(err, TN_OF_OK, -1, "a host of %zu bytes", size);
		return NULL;
	}
	memcpy(&stored, body, sizeof(stored));
	size -= sizeof(stored);
	if (stored.form != HOST_FORM || size / sizeof(tn_u128) != stored.n_addresses ||
		size % sizeof(tn_u128)) {
		(void)tn_error_set(err, TN_OF_OK, -1, "a host of form %u with %u addresses",
			stored.form, stored.n_addresses);
		return NULL;
	}
	addresses = malloc(size ? size : 1);
	if (!addresses)
		abort();
	memcpy(addresses, (const uint8_t *)body + sizeof(stored), size);
	host = (struct tn_host){
		.vlan = stored.vlan,
		.port = stored.port,
		.last_seen_ns = stored.last_seen_ns,
		.addresses = addresses,
		.n_addresses = stored.n_addresses,
	};
	memcpy(host.mac.b, stored.mac, sizeof(stored.mac));
	w = tn_wanted_host(&host);
	free(addresses);
	return w;
}

/* Its JSON. The number is for the caller to give. */
static struct tn_wanted *decode_tenant(
	enum tn_kind kind, const void *body, size_t size, struct tn_error *err)
{
	struct tn_tenant_value value;
	struct tn_tenant_object *o;
	struct tn_wanted *w = NULL;
	struct tn_diagnostics diag;
	struct tn_arena arena;

	tn_arena_init(&arena);
	tn_diagnostics_init(&diag);
	if (tn_tenant_parse((enum tn_tenant_kind)(kind - TN_KIND_TENANT), body, size, &arena, &diag,
		    &value)) {
		(void)tn_error_set(err, TN_OF_OK, -1, "%s: %s",
			diag.list[0].pointer ? diag.list[0].pointer : "", diag.list[0].detail);
	} else {
		value.unset = 0;
		o = tn_tenant_object_new(&value);
		w = tn_wanted_tenant(o);
		tn_tenant_object_put(o);
	}
	tn_diagnostics_fini(&diag);
	tn_arena_fini(&arena);
	return w;
}

static struct tn_wanted *decode_mod(
	uint64_t dpid, const struct tn_api_message *msg, struct tn_error *err)
{
	const struct tn_mod *mod = msg->bundle.mods;

	if (msg->bundle.n_mods == 1) {
		switch (mod->kind) {
		case TN_MOD_FLOW:
			return tn_wanted_flow(dpid, mod->flow);
		case TN_MOD_GROUP:
			return tn_wanted_group_of(mod->group);
		case TN_MOD_METER:
			return tn_wanted_meter_of(mod->meter);
		}
	}
	(void)tn_error_set(err, TN_OF_OK, -1, "%u mods", msg->bundle.n_mods);
	return NULL;
}

static struct tn_wanted *decode_table(
	const struct tn_api_message *msg, const void *name, size_t size)
{
	struct tn_table_setting table = {
		.table_id = msg->table_configure.table_id,
		.config = msg->table_configure.config,
	};
	char *copy = strndup(name, size);
	struct tn_wanted *w;

	if (!copy)
		abort();
	if (size)
		table.name = copy;
	w = tn_wanted_table(&table);
	free(copy);
	return w;
}

static struct tn_wanted *decode_message(uint64_t dpid, enum tn_kind kind, const uint8_t *body,
	size_t size, struct tn_api_arena *arena, struct tn_error *err)
{
	struct tn_api_message msg;
	size_t length;

	if (tn_api_message_length(body, size, &length, err) ||
		tn_api_decode(body, length, arena, &msg, err))
		return NULL;
	if (kind <= TN_KIND_METER && msg.type == TN_API_BUNDLE && length == size)
		return decode_mod(dpid, &msg, err);
	if (kind == TN_KIND_PORT && msg.type == TN_API_PORT_ADD && length == size) {
		const struct tn_api_port_info info = {
			.port = msg.port_add, .state = TN_PORT_STATE_LINK_DOWN};

		return tn_wanted_port(&info);
	}
	if (kind == TN_KIND_TABLE && msg.type == TN_API_TABLE_CONFIGURE)
		return decode_table(&msg, body + length, size - length);
	(void)tn_error_set(
		err, TN_OF_OK, -1, "kind %u as %s", (unsigned)kind, tn_api_type_name(msg.type));
	return NULL;
}

static struct tn_wanted *decode(
	uint64_t dpid, enum tn_kind kind, const void *body, size_t size, struct tn_error *err)
{
	struct tn_api_arena arena;
	struct tn_wanted *w;

	if (kind == TN_KIND_HOST)
		return decode_host(body, size, err);
	if (tn_kind_is_tenant(kind))
		return decode_tenant(kind, body, size, err);
	tn_api_arena_init(&arena, 0);
	w = decode_message(dpid, kind, body, size, &arena, err);
	tn_api_arena_fini(&arena);
	if (!w || w->kind == (uint8_t)kind)
		return w;
	(void)tn_error_set(err, TN_OF_OK, -1, "kind %u as %u", (unsigned)kind, w->kind);
	tn_wanted_put(w);
	return NULL;
}

struct tn_wanted *tn_persist_decode(
	uint64_t dpid, const struct tn_store_object *object, struct tn_error *err)
{
	struct tn_wanted *w;

	w = decode(dpid, (enum tn_kind)object->kind, object->body, object->size, err);
	if (!w)
		return NULL;
	w->row = object->row;
	w->tenant = object->tenant;
	w->owner = object->owner;
	w->generation = object->generation;
	w->created_ns = object->created_ns;
	w->last_used_ns = object->created_ns;
	w->state = object->flags & TN_ROW_PENDING ? TN_STATE_PENDING_ADD : TN_STATE_ADDED;
	tn_wanted_sign(w);
	return w;
}

int tn_persist_row(struct tn_wanted *w, const struct tn_flow_add *add, struct tn_api_buffer *body,
	struct tn_store_object *object, struct tn_error *err)
{
	int rc;

	body->len = 0;
	rc = tn_persist_encode(w, add, body, err);
	*object = (struct tn_store_object){
		.row = w->row,
		.kind = w->kind,
		.flags = w->state == TN_STATE_PENDING_ADD || w->state == TN_STATE_FAILED
			? TN_ROW_PENDING
			: 0,
		.tenant = w->tenant,
		.owner = w->owner,
		.generation = w->generation,
		.created_ns = w->created_ns,
		.body = body->data,
		.size = (uint32_t)body->len,
	};
	return rc;
}

/* One object of an undo; its body follows, of size 0 where the object was not there. */
struct stored_undo {
	uint64_t id, generation, created_ns;
	uint32_t kind, tenant, owner, size;
};

TN_BUILD_ASSERT(sizeof(struct stored_undo) == 40, "what is on disks does not change");

static int encode_undo(const struct tn_edit *edit, struct tn_api_buffer *out, struct tn_error *err)
{
	struct stored_undo undo = {
		.id = edit->id,
		.generation = edit->after ? edit->after->generation : 0,
		.kind = edit->kind,
	};
	size_t at = out->len;
	int rc = 0;

	if ((edit->before ? edit->before : edit->after)->derived)
		return 0;
	if (tn_kind_is_tenant((enum tn_kind)edit->kind))
		undo.id = edit->before != NULL; /* or its id is all there is */
	(void)append(out, &undo, sizeof(undo));
	if (!edit->before && tn_kind_is_tenant((enum tn_kind)edit->kind)) {
		const char *name = tn_wanted_as_tenant(edit->after)->value.c.id;

		(void)append(out, name, strlen(name));
	} else if (edit->before) {
		undo.created_ns = edit->before->created_ns;
		undo.tenant = edit->before->tenant;
		undo.owner = edit->before->owner;
		rc = tn_persist_encode(edit->before, NULL, out, err);
	}
	undo.size = (uint32_t)(out->len - at - sizeof(undo));
	memcpy(out->data + at, &undo, sizeof(undo));
	return rc;
}

int tn_persist_undo(const struct tn_edits *edits, struct tn_api_buffer *out, struct tn_error *err)
{
	int rc = 0;

	for (size_t i = 0; i < edits->n && !rc; i++)
		rc = encode_undo(&edits->v[i], out, err);
	return rc;
}

/* Of a tenant object that was not there: its id, which is all of the body. */
static void tell_gone(
	const struct tn_undo *undo, const uint8_t *body, size_t size, tn_undo_fn fn, void *ctx)
{
	struct tn_undo gone = *undo;
	char name[TN_TENANT_ID_MAX + 1];

	if (size > TN_TENANT_ID_MAX)
		size = TN_TENANT_ID_MAX;
	memcpy(name, body, size);
	name[size] = '\0';
	gone.name = name;
	fn(ctx, &gone);
}

static int read_one(uint64_t dpid, const struct stored_undo *stored, const uint8_t *body,
	tn_undo_fn fn, void *ctx, struct tn_error *err)
{
	const struct tn_store_object object = {
		.kind = stored->kind,
		.tenant = stored->tenant,
		.owner = stored->owner,
		.created_ns = stored->created_ns,
		.body = body,
		.size = stored->size,
	};
	struct tn_undo undo = {
		.kind = (enum tn_kind)stored->kind,
		.id = stored->id,
		.generation = stored->generation,
	};
	bool tenant = tn_kind_is_tenant(undo.kind);

	if (tenant && !stored->id) {
		tell_gone(&undo, body, stored->size, fn, ctx);
		return 0;
	}
	if (stored->size) {
		undo.before = tn_persist_decode(dpid, &object, err);
		if (!undo.before)
			return -EINVAL;
		if (tenant)
			undo.name = tn_wanted_as_tenant(undo.before)->value.c.id;
	}
	fn(ctx, &undo);
	return 0;
}

int tn_persist_read_undo(uint64_t dpid, const void *body, size_t size, tn_undo_fn fn, void *ctx,
	struct tn_error *err)
{
	const uint8_t *at = body;
	struct stored_undo undo;
	int rc = 0;

	while (size && !rc) {
		if (size >= sizeof(undo))
			memcpy(&undo, at, sizeof(undo));
		if (size < sizeof(undo) || undo.size > size - sizeof(undo) || !undo.kind ||
			undo.kind >= TN_N_KINDS)
			return tn_error_set(err, TN_OF_OK, -1, "%zu bytes are no undo", size);
		rc = read_one(dpid, &undo, at + sizeof(undo), fn, ctx, err);
		at += sizeof(undo) + undo.size;
		size -= sizeof(undo) + undo.size;
	}
	return rc;
}
