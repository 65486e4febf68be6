/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/agent/state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LOST_OF_A_RECORD (1u << 20)
#define MODS_OF_A_PART	 4096u

static int no_memory(struct tn_error *err)
{
	tn_error_set(err, TN_OFPBRC_EPERM, -1,
		"out of memory: nothing was changed; free memory and try again");
	return -ENOMEM;
}

void tn_state_init(struct tn_state *s, struct tn_switch *sw, uint64_t now_ns)
{
	*s = (struct tn_state){.sw = sw, .now_ns = now_ns};
	tn_api_arena_init(&s->arena, SIZE_MAX);
}

void tn_state_fini(struct tn_state *s)
{
	for (size_t i = 0; i < s->n_ports; i++)
		tn_api_buffer_fini(&s->ports[i].message);
	free(s->ports);
	free(s->mods);
	tn_api_buffer_fini(&s->underlay);
	tn_api_arena_fini(&s->arena);
	memset(s, 0, sizeof(*s));
}

/* --- records of changes ----------------------------------------------------------------------- */

/* Bytes of one message as a record; b is as before when it fails. */
static int put_message(struct tn_api_buffer *b, const struct tn_api_message *m, uint64_t time_ns,
	struct tn_error *err)
{
	size_t start = b->len, at;
	int rc = tn_record_begin(b, TN_RECORD_CHANGE, time_ns, &at);

	if (!rc)
		rc = tn_api_encode(b, m, err);
	else
		rc = no_memory(err);
	if (!rc && tn_record_end(b, at))
		rc = no_memory(err);
	if (rc)
		b->len = start;
	return rc;
}

/* As they came: what was decoded and what would be encoded of that are the same bytes. */
static int put_encoded(struct tn_api_buffer *b, const struct tn_api_bundle *bundle,
	uint64_t time_ns, struct tn_error *err)
{
	size_t start = b->len, at;
	int rc = 0;

	for (uint32_t i = 0; i < bundle->n_encoded && !rc; i++) {
		bool last = i + 1 == bundle->n_encoded;

		rc = tn_record_begin(b, TN_RECORD_CHANGE, time_ns, &at);
		if (!rc)
			rc = tn_api_encode_bundle(
				b, 0, last ? 0 : TN_API_MORE, &bundle->encoded[i], 1, err);
		if (!rc)
			rc = tn_record_end(b, at);
	}
	if (!rc)
		return 0;
	b->len = start;
	return no_memory(err);
}

static int put_bundle(struct tn_api_buffer *b, const struct tn_api_message *bundle,
	uint64_t time_ns, struct tn_error *err)
{
	const struct tn_mod *mods = bundle->bundle.mods;
	uint32_t left = bundle->bundle.n_mods, size = MODS_OF_A_PART;
	size_t start = b->len;

	do {
		uint32_t n = left < size ? left : size;
		struct tn_api_message part = {
			.type = TN_API_BUNDLE,
			.flags = n < left ? TN_API_MORE : 0,
			.bundle = {.mods = mods, .n_mods = n},
		};
		int rc = put_message(b, &part, time_ns, err);

		if (rc && err->of == TN_OFPBFC_MSG_TOO_MANY && n > 1) {
			size = n / 2;
			continue;
		}
		if (rc) {
			b->len = start;
			return rc;
		}
		mods += n;
		left -= n;
	} while (left);
	return 0;
}

int tn_state_put_change(struct tn_api_buffer *b, const struct tn_api_message *change,
	uint64_t time_ns, struct tn_error *err)
{
	struct tn_api_message m = *change;

	if (m.type == TN_API_BUNDLE && m.bundle.n_encoded)
		return put_encoded(b, &m.bundle, time_ns, err);
	if (m.type == TN_API_BUNDLE)
		return put_bundle(b, &m, time_ns, err);
	m.request_id = 0;
	return put_message(b, &m, time_ns, err);
}

int tn_state_put_lost(struct tn_api_buffer *b, const uint64_t *flow_ids, size_t n, uint64_t time_ns)
{
	size_t start = b->len, at;

	while (n) {
		size_t some = n < LOST_OF_A_RECORD ? n : LOST_OF_A_RECORD;

		if (tn_record_begin(b, TN_RECORD_LOST, time_ns, &at) ||
			tn_record_append(b, flow_ids, some * sizeof(*flow_ids)) ||
			tn_record_end(b, at)) {
			b->len = start;
			return -ENOMEM;
		}
		flow_ids += some;
		n -= some;
	}
	return 0;
}

/* --- applying: ports and underlay ------------------------------------------------------------- */

static struct tn_state_port *find_port(struct tn_state *s, uint32_t number)
{
	for (size_t i = 0; i < s->n_ports; i++) {
		if (s->ports[i].number == number)
			return &s->ports[i];
	}
	return NULL;
}

static int keep_message(
	struct tn_api_buffer *to, const struct tn_api_message *m, struct tn_error *err)
{
	struct tn_api_buffer b = {0};
	int rc = tn_api_encode(&b, m, err);

	if (rc) {
		tn_api_buffer_fini(&b);
		return rc;
	}
	tn_api_buffer_fini(to);
	*to = b;
	return 0;
}

static bool is_vxlan(const struct tn_state_port *p)
{
	struct tn_api_arena arena;
	struct tn_api_message m;
	struct tn_error err;
	bool is;

	tn_api_arena_init(&arena, 0);
	is = !tn_api_decode(p->message.data, p->message.len, &arena, &m, &err) &&
		m.port_add.has_vxlan;
	tn_api_arena_fini(&arena);
	return is;
}

/* A vxlan port may be said again: it is replaced. */
static int replace_port(
	struct tn_state_port *p, const struct tn_api_message *m, struct tn_error *err)
{
	if (!m->port_add.has_vxlan || !is_vxlan(p))
		return tn_error_set(err, TN_OFPBRC_BAD_PORT, -1, "port %u is there already",
			m->port_add.number);
	return keep_message(&p->message, m, err);
}

static int add_port(struct tn_state *s, const struct tn_api_message *m, struct tn_error *err)
{
	struct tn_state_port *ports, *p = find_port(s, m->port_add.number);

	if (p)
		return replace_port(p, m, err);
	ports = reallocarray(s->ports, s->n_ports + 1, sizeof(*ports));
	if (!ports)
		return no_memory(err);
	s->ports = ports;
	p = &ports[s->n_ports];
	*p = (struct tn_state_port){.number = m->port_add.number};
	if (keep_message(&p->message, m, err))
		return -ENOMEM;
	s->n_ports++;
	return 0;
}

static int no_port(uint32_t number, struct tn_error *err)
{
	return tn_error_set(err, TN_OFPBRC_BAD_PORT, -1, "port %u is not there", number);
}

static int remove_port(struct tn_state *s, uint32_t number, struct tn_error *err)
{
	struct tn_state_port *p = find_port(s, number);

	if (!p)
		return no_port(number, err);
	tn_api_buffer_fini(&p->message);
	memmove(p, p + 1, (size_t)(s->ports + s->n_ports - p - 1) * sizeof(*p));
	s->n_ports--;
	return 0;
}

static int configure_port(
	struct tn_state *s, const struct tn_api_port_configure *c, struct tn_error *err)
{
	struct tn_state_port *p = find_port(s, c->number);
	struct tn_api_arena arena;
	struct tn_api_message m;
	int rc;

	if (!p)
		return no_port(c->number, err);
	tn_api_arena_init(&arena, 0);
	rc = tn_api_decode(p->message.data, p->message.len, &arena, &m, err);
	if (!rc) {
		m.port_add.enabled = c->enabled;
		m.port_add.config = c->config;
		rc = keep_message(&p->message, &m, err);
	}
	tn_api_arena_fini(&arena);
	return rc;
}

/* --- applying --------------------------------------------------------------------------------- */

static uint64_t time_of(struct tn_state *s, uint64_t time_ns)
{
	if (time_ns <= s->now_ns)
		return time_ns;
	s->clock_went_back = true;
	return s->now_ns;
}

static void forget_bundle(struct tn_state *s)
{
	s->n_mods = 0;
	tn_api_arena_reset(&s->arena);
}

static int commit(struct tn_state *s, uint64_t time_ns, struct tn_error *err)
{
	size_t failed = 0;
	int rc = tn_switch_commit(s->sw, s->mods, s->n_mods, time_of(s, time_ns), &failed, err);

	/* Nobody reads: what the lookup structures hold is to be as little as it was then. */
	tn_switch_reclaim(s->sw);
	return rc;
}

/* Collects parts until the last one. */
static int take_bundle(
	struct tn_state *s, const struct tn_api_message *m, uint64_t time_ns, struct tn_error *err)
{
	size_t n = s->n_mods + m->bundle.n_mods, size = n * 2 + 64;

	if (n > s->mods_size) {
		struct tn_mod *mods = reallocarray(s->mods, size, sizeof(*mods));

		if (!mods)
			return no_memory(err);
		s->mods = mods;
		s->mods_size = size;
	}
	if (m->bundle.n_mods)
		memcpy(s->mods + s->n_mods, m->bundle.mods, m->bundle.n_mods * sizeof(*s->mods));
	s->n_mods = n;
	return m->flags & TN_API_MORE ? 0 : commit(s, time_ns, err);
}

static int take_message(
	struct tn_state *s, const struct tn_api_message *m, uint64_t time_ns, struct tn_error *err)
{
	switch (m->type) {
	case TN_API_BUNDLE:
		return take_bundle(s, m, time_ns, err);
	case TN_API_PORT_ADD:
		return add_port(s, m, err);
	case TN_API_PORT_REMOVE:
		return remove_port(s, m->port_remove, err);
	case TN_API_PORT_CONFIGURE:
		return configure_port(s, &m->port_configure, err);
	case TN_API_TABLE_CONFIGURE:
		if (!s->sw)
			return 0;
		return tn_switch_table_configure(
			s->sw, m->table_configure.table_id, &m->table_configure.config, err);
	case TN_API_UNDERLAY:
		return keep_message(&s->underlay, m, err);
	default:
		return tn_error_set(err, TN_OFPBRC_BAD_TYPE, -1, "%s changes nothing",
			tn_api_type_name(m->type));
	}
}

static bool is_bundle(const struct tn_record *r)
{
	struct tn_api_header h;

	if (r->head.length < sizeof(h))
		return false;
	memcpy(&h, r->body, sizeof(h));
	return h.type == TN_API_BUNDLE;
}

static int take_change(struct tn_state *s, const struct tn_record *r, struct tn_error *err)
{
	struct tn_api_message m;
	int rc;

	if (!s->sw && is_bundle(r))
		return 0;
	rc = tn_api_decode(r->body, r->head.length, &s->arena, &m, err);
	if (!rc)
		rc = take_message(s, &m, r->head.time_ns, err);
	if (rc || !(m.flags & TN_API_MORE)) {
		forget_bundle(s);
		s->n_changes += !rc;
	}
	return rc;
}

static int take_lost(struct tn_state *s, const struct tn_record *r, struct tn_error *err)
{
	size_t n = r->head.length / sizeof(uint64_t);
	uint64_t *ids;
	int rc;

	if (r->head.length % sizeof(uint64_t))
		return tn_error_set(err, TN_OFPBRC_BAD_LEN, -1, "%u bytes are no list of flows",
			r->head.length);
	if (!s->sw)
		return 0;
	ids = malloc(r->head.length + 1);
	if (!ids)
		return no_memory(err);
	memcpy(ids, r->body, r->head.length);
	rc = tn_switch_lose(s->sw, ids, n, time_of(s, r->head.time_ns), err);
	free(ids);
	tn_switch_reclaim(s->sw);
	return rc;
}

int tn_state_apply(
	struct tn_state *s, const struct tn_record *records, size_t n, struct tn_error *err)
{
	int rc = 0;

	for (size_t i = 0; i < n && !rc; i++) {
		const struct tn_record *r = &records[i];

		if (r->head.kind == TN_RECORD_CHANGE)
			rc = take_change(s, r, err);
		else if (r->head.kind == TN_RECORD_LOST)
			rc = take_lost(s, r, err);
		if (r->head.time_ns > s->last_change_ns)
			s->last_change_ns = r->head.time_ns;
	}
	if (!rc && s->n_mods) {
		forget_bundle(s);
		rc = tn_error_set(err, TN_OFPBRC_BAD_LEN, -1, "a bundle ends in its middle");
	}
	return rc;
}
