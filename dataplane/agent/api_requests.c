/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/agent/api_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/agent/trace.h"
#include "dataplane/pipeline/snapshot.h"

/* What requests cost, in small changes. */
#define COST_TRACE	8u
#define COST_EXPLAIN	TN_API_ROUND_BUDGET
#define COST_PACKET_OUT 2u
#define COST_DUMP	16u
#define COST_PORT	32u
#define MODS_A_UNIT	8u /* a change of many mods costs more */
#define BYTES_A_UNIT	2048u

/* --- changes ---------------------------------------------------------------------------------- */

static void on_receipt(void *ctx, uint64_t request_id, const struct tn_api_receipt *receipt)
{
	struct tn_api_connection *c = ctx;
	struct tn_api_message m = {.type = TN_API_RECEIPT, .request_id = request_id};
	const char *why = receipt ? NULL : tn_changes_failure(c->server->changes);

	c->n_changes--;
	if (receipt) {
		m.receipt = *receipt;
	} else {
		m.type = TN_API_ERROR;
		tn_error_set(&m.error, TN_OFPBRC_EPERM, -1,
			"in force, but not kept by a restart: %.180s",
			why ? why : "the disk failed");
	}
	tn_api_answer(c, &m);
}

static void on_in_force(void *ctx, uint64_t request_id, const struct tn_api_receipt *receipt)
{
	tn_api_answer(ctx,
		&(struct tn_api_message){.type = TN_API_RECEIPT,
			.flags = TN_API_MORE,
			.request_id = request_id,
			.receipt = *receipt});
}

static void submit(struct tn_api_connection *c, const struct tn_api_message *m)
{
	c->n_changes++;
	c->server->submitted = true;
	tn_changes_submit_early(
		c->server->changes, m, m->flags & TN_API_EARLY ? on_in_force : NULL, on_receipt, c);
}

static void refuse(struct tn_api_connection *c, uint64_t request_id, const struct tn_error *err)
{
	tn_api_answer(c,
		&(struct tn_api_message){
			.type = TN_API_RECEIPT, .request_id = request_id, .receipt.error = *err});
}

/* Done, and nothing of it is kept: the version is that of now. */
static void done(struct tn_api_connection *c, uint64_t request_id)
{
	uint64_t version = tn_switch_snapshot(c->server->agent->sw)->version;

	tn_api_answer(c,
		&(struct tn_api_message){.type = TN_API_RECEIPT,
			.request_id = request_id,
			.receipt.version = version ? version : 1});
}

/* --- bundles in parts ------------------------------------------------------------------------- */

void tn_api_parts_drop(struct tn_api_connection *c)
{
	struct tn_api_parts *p = &c->parts;

	c->server->parts_bytes -= p->arena.used;
	tn_api_arena_fini(&p->arena);
	free(p->mods);
	free(p->encoded);
	*p = (struct tn_api_parts){.id = p->id, .refused = p->refused};
}

static void refuse_parts(struct tn_api_connection *c, const struct tn_error *err)
{
	tn_api_parts_drop(c);
	c->parts.refused = true;
	tn_api_answer_error(c, c->parts.id, err);
}

static int append_mods(struct tn_api_parts *p, const struct tn_api_bundle *b)
{
	size_t size = p->size ? p->size : 1024;
	struct tn_mod *mods;

	while (size < p->n + b->n_mods)
		size *= 2;
	mods = size == p->size ? p->mods : reallocarray(p->mods, size, sizeof(*mods));
	if (!mods)
		return -ENOMEM;
	for (uint32_t i = 0; i < b->n_mods; i++)
		mods[p->n + i] = b->mods[i];
	p->mods = mods;
	p->size = size;
	p->n += b->n_mods;
	return 0;
}

/* What is kept of a bundle is what came. Only a journal asks for it. */
static int append_encoded(
	struct tn_api_connection *c, struct tn_api_parts *p, const uint8_t *bytes, size_t len)
{
	struct tn_api_encoded part = tn_api_encoded_mods(bytes, len), *list = p->encoded;
	uint32_t size = p->encoded_size ? p->encoded_size * 2 : 16;
	uint8_t *copy;

	if (!c->server->agent->options.state_dir)
		return 0;
	if (p->n_encoded == p->encoded_size) {
		list = reallocarray(list, size, sizeof(*list));
		if (!list)
			return -ENOMEM;
		p->encoded = list;
		p->encoded_size = size;
	}
	copy = tn_api_arena_take(&p->arena, part.size);
	if (!copy)
		return -ENOMEM;
	part.bytes = memcpy(copy, part.bytes, part.size);
	list[p->n_encoded++] = part;
	return 0;
}

static int take_part(
	struct tn_api_connection *c, const uint8_t *bytes, size_t len, struct tn_error *err)
{
	struct tn_api_parts *p = &c->parts;
	size_t before = p->arena.used;
	struct tn_api_message m;
	int rc = tn_api_decode(bytes, len, &p->arena, &m, err);

	if (!rc)
		rc = append_encoded(c, p, bytes, len);
	c->server->parts_bytes += p->arena.used - before;
	if (!rc && (c->server->parts_bytes > TN_API_BUNDLES_MAX || append_mods(p, &m.bundle)))
		rc = -ENOMEM;
	if (rc == -ENOMEM)
		tn_error_set(err, TN_OFPBFC_MSG_TOO_MANY, -1,
			"no memory for so large a bundle: give it as several, or try again when "
			"others are done");
	return rc;
}

static unsigned mods_cost(size_t n)
{
	return n / MODS_A_UNIT < TN_API_ROUND_BUDGET ? 1 + (unsigned)(n / MODS_A_UNIT)
						     : TN_API_ROUND_BUDGET;
}

static unsigned handle_part(struct tn_api_connection *c, const struct tn_api_header *h,
	const uint8_t *bytes, size_t len)
{
	struct tn_api_parts *p = &c->parts;
	unsigned cost = 1;
	struct tn_error err;

	if (!p->id) {
		*p = (struct tn_api_parts){.id = h->request_id};
		tn_api_arena_init(&p->arena, TN_API_BUNDLE_MAX);
	}
	if (!p->refused && take_part(c, bytes, len, &err))
		refuse_parts(c, &err);
	if (h->flags & TN_API_MORE)
		return cost + (unsigned)(len / BYTES_A_UNIT);
	if (!p->refused) {
		cost = mods_cost(p->n);
		submit(c,
			&(struct tn_api_message){.type = TN_API_BUNDLE,
				.flags = h->flags,
				.request_id = p->id,
				.bundle = {p->mods, (uint32_t)p->n, p->encoded, p->n_encoded}});
	}
	tn_api_parts_drop(c);
	p->id = 0;
	p->refused = false;
	return cost;
}

/* --- the others ------------------------------------------------------------------------------- */

static void say_hello(struct tn_api_connection *c, const struct tn_api_message *m)
{
	const struct tn_agent *agent = c->server->agent;

	c->greeted = true;
	tn_api_answer(c,
		&(struct tn_api_message){.type = TN_API_HELLO_REPLY,
			.request_id = m->request_id,
			.hello_reply = {
				.capabilities = TN_API_CAN_EVENTS | TN_API_CAN_TRACE |
					TN_API_CAN_PACKET_OUT |
					(agent->options.state_dir
							? TN_API_CAN_JOURNAL | TN_API_CAN_EARLY
							: 0),
				.dpid = tn_switch_dpid(agent->sw),
				.started_ns = agent->time_start_ns,
				.pid = (uint32_t)c->peer.pid,
				.uid = c->peer.uid,
				.gid = c->peer.gid,
				.version = TN_VERSION,
			}});
}

static void packet_out(struct tn_api_connection *c, const struct tn_api_message *m)
{
	const struct tn_api_packet_out *p = &m->packet_out;
	struct tn_error err;
	int rc = tn_actions_check(
		p->actions, p->n_actions, TN_PLACE_PACKET_OUT, NULL, TN_TABLE_ALL, &err);

	if (!rc)
		rc = tn_agent_packet_out(c->server->agent, p->in_port, p->actions, p->n_actions,
			p->frame, p->frame_len, &err);
	if (rc)
		refuse(c, m->request_id, &err);
	else
		done(c, m->request_id);
}

static void trace(struct tn_api_connection *c, const struct tn_api_message *m)
{
	struct tn_api_server *s = c->server;
	struct tn_api_message reply = {.type = TN_API_TRACE_REPLY, .request_id = m->request_id};
	struct tn_error err;

	if (!s->tracer)
		s->tracer = tn_tracer_new();
	if (!s->tracer || tn_trace(s->tracer, s->agent, &m->trace, &reply.trace_reply)) {
		tn_error_set(&err, TN_OFPFMFC_UNKNOWN, -1, "no memory for a trace");
		tn_api_answer_error(c, m->request_id, &err);
		return;
	}
	tn_api_answer(c, &reply);
}

static void dump(struct tn_api_connection *c, const struct tn_api_message *m)
{
	struct tn_error err;

	if (!tn_api_listing_add(c, m->request_id, &m->dump))
		return;
	tn_error_set(&err, TN_OFPFMFC_UNKNOWN, -1, "no memory for a dump");
	tn_api_answer_error(c, m->request_id, &err);
}

static unsigned change(struct tn_api_connection *c, const struct tn_api_message *m)
{
	struct tn_error err;
	int rc = 0;

	if (m->type == TN_API_PORT_ADD)
		rc = tn_api_check_port(&m->port_add, &err);
	else if (m->type == TN_API_UNDERLAY)
		rc = tn_api_check_underlay(&m->underlay, &err);
	if (rc)
		refuse(c, m->request_id, &err);
	else
		submit(c, m);
	return m->type == TN_API_BUNDLE ? mods_cost(m->bundle.n_mods) : COST_PORT;
}

static unsigned unexpected(struct tn_api_connection *c, const struct tn_api_message *m)
{
	struct tn_error err;

	tn_error_set(&err, TN_OFPBRC_BAD_TYPE, -1,
		m->type == TN_API_HELLO ? "%s was said already" : "%s is not for a client to send",
		tn_api_type_name(m->type));
	tn_api_answer_error(c, m->request_id, &err);
	return 1;
}

static unsigned handle_request(struct tn_api_connection *c, const struct tn_api_message *m)
{
	switch (m->type) {
	case TN_API_BUNDLE:
	case TN_API_PORT_ADD:
	case TN_API_PORT_REMOVE:
	case TN_API_PORT_CONFIGURE:
	case TN_API_TABLE_CONFIGURE:
	case TN_API_UNDERLAY:
		return change(c, m);
	case TN_API_DUMP:
		dump(c, m);
		return COST_DUMP;
	case TN_API_SUBSCRIBE:
		tn_api_subscribe(c, m->subscribe);
		done(c, m->request_id);
		return 1;
	case TN_API_TRACE:
		trace(c, m);
		return m->trace.explain ? COST_EXPLAIN : COST_TRACE;
	case TN_API_PACKET_OUT:
		packet_out(c, m);
		return COST_PACKET_OUT;
	default:
		return unexpected(c, m);
	}
}

/* What is wrong with the conversation ends it; a message that is wrong is answered. */
static bool conversation_fails(
	struct tn_api_connection *c, const struct tn_api_header *h, struct tn_error *err)
{
	if (!h->request_id)
		tn_error_set(err, TN_OFPBRC_BAD_TYPE, -1,
			"%s with request id 0, which is for events; count from 1",
			tn_api_type_name(h->type));
	else if (!c->greeted && h->type != TN_API_HELLO)
		tn_error_set(err, TN_OFPBRC_BAD_TYPE, -1, "%s before HELLO: say that first",
			tn_api_type_name(h->type));
	else if (c->parts.id && h->type == TN_API_BUNDLE && h->request_id != c->parts.id)
		tn_error_set(err, TN_OFPBRC_BAD_TYPE, -1,
			"a bundle was begun before another one ended; send the parts of each in "
			"one go");
	else
		return false;
	return true;
}

unsigned tn_api_handle(struct tn_api_connection *c, const uint8_t *bytes, size_t len)
{
	struct tn_api_encoded encoded;
	struct tn_api_header h;
	struct tn_api_message m;
	struct tn_error err;

	if (tn_api_header_decode(bytes, &h, &err) || conversation_fails(c, &h, &err)) {
		tn_api_dismiss(c, &err);
		return 1;
	}
	if (h.type == TN_API_BUNDLE && (h.flags & TN_API_MORE || c->parts.id))
		return handle_part(c, &h, bytes, len);
	tn_api_arena_reset(&c->arena);
	if (tn_api_decode(bytes, len, &c->arena, &m, &err)) {
		tn_api_answer_error(c, h.request_id, &err);
		return 1;
	}
	if (m.type == TN_API_HELLO && !c->greeted) {
		say_hello(c, &m);
		return 1;
	}
	if (m.type == TN_API_BUNDLE) {
		encoded = tn_api_encoded_mods(bytes, len);
		m.bundle.encoded = &encoded;
		m.bundle.n_encoded = 1;
	}
	return handle_request(c, &m);
}
