/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/agent/change.h"

#include <stdlib.h>

#include "dataplane/pipeline/snapshot.h"

#define WAITING_MIN 64u

/* A change that is made and not answered yet. */
struct waiting {
	tn_receipt_fn fn; /* NULL: nobody waits any more */
	void *ctx;
	uint64_t request_id;
	struct tn_api_receipt receipt;
};

struct tn_changes {
	struct tn_agent *agent;
	bool dirty;		 /* the switch has what no worker has yet */
	struct waiting *waiting; /* a ring, oldest first */
	size_t head, n_waiting, n_published, size;
};

/* --- who waits for an answer ------------------------------------------------------------------ */

static struct waiting *waiting_at(const struct tn_changes *c, size_t i)
{
	return &c->waiting[(c->head + i) & (c->size - 1)];
}

/* Room for one more; it is asked for before a change is made. */
static bool reserve_waiting(struct tn_changes *c)
{
	size_t size = c->size ? c->size * 2 : WAITING_MIN;
	struct waiting *list;

	if (c->n_waiting < c->size)
		return true;
	list = reallocarray(NULL, size, sizeof(*list));
	if (!list)
		return false;
	for (size_t i = 0; i < c->n_waiting; i++)
		list[i] = *waiting_at(c, i);
	free(c->waiting);
	c->waiting = list;
	c->head = 0;
	c->size = size;
	return true;
}

/* Receivers may submit, flush and forget. */
static void deliver(struct tn_changes *c)
{
	while (c->n_published) {
		struct waiting w = *waiting_at(c, 0);

		c->head = (c->head + 1) & (c->size - 1);
		c->n_waiting--;
		c->n_published--;
		if (w.fn)
			w.fn(w.ctx, w.request_id, &w.receipt);
	}
}

/* --- making a change -------------------------------------------------------------------------- */

/* The two enums are one by their numbers. */
TN_BUILD_ASSERT((int)TN_API_STRING == (int)TN_OPTION_STRING, "kinds of option differ");
TN_BUILD_ASSERT((int)TN_API_INTEGER == (int)TN_OPTION_INTEGER, "kinds of option differ");
TN_BUILD_ASSERT((int)TN_API_BOOL == (int)TN_OPTION_BOOL, "kinds of option differ");

static int add_port(struct tn_agent *agent, const struct tn_api_port *p, struct tn_error *err)
{
	struct tn_port_option *options = calloc((size_t)p->n_options + 1, sizeof(*options));
	struct tn_port_request request = {
		.number = p->number,
		.name = p->name,
		.type = p->type,
		.enabled = p->enabled,
		.config = p->config,
		.mtu = p->mtu,
		.options = options,
		.n_options = p->n_options,
		.vxlan = p->vxlan,
	};
	int rc;

	if (!options)
		return tn_error_set(err, TN_OFPBRC_BAD_PORT, -1,
			"out of memory: nothing was changed; free memory and try again");
	for (uint32_t i = 0; i < p->n_options; i++) {
		const struct tn_api_option *o = &p->options[i];

		options[i] = (struct tn_port_option){.key = o->key,
			.type = (enum tn_port_option_type)o->type,
			.string = o->string,
			.integer = o->integer};
	}
	rc = tn_agent_port_add(agent, &request, err);
	free(options);
	return rc;
}

/* What publishes by itself leaves nothing to do for a flush; it does no harm to do it again. */
static int apply(
	struct tn_changes *c, const struct tn_api_message *m, size_t *failed, struct tn_error *err)
{
	struct tn_agent *agent = c->agent;

	switch (m->type) {
	case TN_API_BUNDLE:
		return tn_switch_commit(agent->sw, m->bundle.mods, m->bundle.n_mods,
			tn_agent_now(agent), failed, err);
	case TN_API_PORT_ADD:
		return add_port(agent, &m->port_add, err);
	case TN_API_PORT_REMOVE:
		return tn_agent_port_remove(agent, m->port_remove, err);
	case TN_API_PORT_CONFIGURE:
		return tn_agent_port_configure(agent, m->port_configure.number,
			m->port_configure.enabled, m->port_configure.config, err);
	case TN_API_TABLE_CONFIGURE:
		return tn_switch_table_configure(
			agent->sw, m->table_configure.table_id, &m->table_configure.config, err);
	case TN_API_UNDERLAY:
		return tn_agent_set_underlay(agent, &m->underlay, err);
	default:
		return tn_error_set(err, TN_OFPBRC_BAD_TYPE, -1, "%s changes nothing",
			tn_api_type_name(m->type));
	}
}

void tn_changes_submit(
	struct tn_changes *c, const struct tn_api_message *change, tn_receipt_fn fn, void *ctx)
{
	struct tn_api_receipt receipt = {0};
	size_t failed = 0;
	int rc;

	if (reserve_waiting(c))
		rc = apply(c, change, &failed, &receipt.error);
	else
		rc = tn_error_set(&receipt.error, TN_OFPBRC_EPERM, -1,
			"out of memory: nothing was changed; free memory and try again");
	if (rc) {
		receipt.position = failed;
		fn(ctx, change->request_id, &receipt);
		return;
	}
	c->dirty = true;
	receipt.version = tn_switch_snapshot(c->agent->sw)->version;
	*waiting_at(c, c->n_waiting++) = (struct waiting){
		.fn = fn, .ctx = ctx, .request_id = change->request_id, .receipt = receipt};
}

/* Without memory receipts wait for the next flush. */
static void publish(struct tn_changes *c)
{
	struct tn_error err;

	if (!c->dirty)
		return;
	if (tn_agent_publish(c->agent, &err)) {
		tn_agent_say("%s", err.detail);
		return;
	}
	c->dirty = false;
	c->n_published = c->n_waiting;
}

void tn_changes_flush(struct tn_changes *c)
{
	publish(c);
	deliver(c);
}

void tn_changes_forget(struct tn_changes *c, const void *ctx)
{
	for (size_t i = 0; i < c->n_waiting; i++) {
		if (waiting_at(c, i)->ctx == ctx)
			waiting_at(c, i)->fn = NULL;
	}
}

/* --- life ------------------------------------------------------------------------------------- */

bool tn_changes_recovered(const struct tn_changes *c)
{
	(void)c;
	return false;
}

const char *tn_changes_failure(const struct tn_changes *c)
{
	(void)c;
	return NULL;
}

struct tn_changes *tn_changes_new(
	struct tn_agent *agent, const char *state_dir, struct tn_error *err)
{
	struct tn_changes *c = calloc(1, sizeof(*c));

	(void)state_dir;
	/* Version 0 means refused. */
	if (c && (tn_switch_snapshot(agent->sw)->version || !tn_switch_touch(agent->sw, err))) {
		c->agent = agent;
		return c;
	}
	free(c);
	tn_error_set(err, TN_OFPBRC_EPERM, -1, "out of memory");
	return NULL;
}

void tn_changes_free(struct tn_changes *c)
{
	if (!c)
		return;
	tn_changes_flush(c);
	free(c->waiting);
	free(c);
}
