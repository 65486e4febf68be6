/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/agent/change.h"

#include <stdlib.h>

#include "dataplane/agent/keep.h"
#include "dataplane/agent/restore.h"
#include "dataplane/pipeline/snapshot.h"

#define WAITING_MIN 64u

/* A change that is made and not answered yet. */
struct waiting {
	tn_receipt_fn fn;	/* NULL: nobody waits any more */
	tn_receipt_fn in_force; /* NULL: not asked for */
	void *ctx;
	uint64_t request_id;
	uint64_t version;
	uint64_t sequence; /* of its record; 0: without a journal */
};

struct tn_changes {
	struct tn_agent *agent;
	struct tn_keeper *keeper; /* NULL: nothing is kept */
	bool dirty;		  /* the switch has what no worker has yet */
	struct waiting *waiting;  /* a ring, oldest first */
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

static void give(const struct waiting *w, bool kept)
{
	const struct tn_api_receipt receipt = {.version = w->version};

	if (w->fn)
		w->fn(w->ctx, w->request_id, kept ? &receipt : NULL);
}

/* Receivers may submit, flush and forget. */
static void deliver(struct tn_changes *c)
{
	while (c->n_published) {
		uint64_t durable = c->keeper ? tn_keeper_durable(c->keeper) : 0;
		struct waiting w = *waiting_at(c, 0);

		if (w.sequence > durable && !tn_changes_failure(c))
			return;
		c->head = (c->head + 1) & (c->size - 1);
		c->n_waiting--;
		c->n_published--;
		give(&w, w.sequence <= durable);
	}
}

/* --- making a change -------------------------------------------------------------------------- */

/* What publishes by itself leaves nothing to do for a flush; it does no harm to do it again. */
static int apply(struct tn_changes *c, const struct tn_api_message *m, uint64_t now_ns,
	size_t *failed, struct tn_error *err)
{
	struct tn_agent *agent = c->agent;

	switch (m->type) {
	case TN_API_BUNDLE:
		return tn_switch_commit(
			agent->sw, m->bundle.mods, m->bundle.n_mods, now_ns, failed, err);
	case TN_API_PORT_ADD:
		return tn_restore_port_add(agent, &m->port_add, false, err);
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

/* Room for its record first: what cannot be kept is not made. */
static int make(struct tn_changes *c, const struct tn_api_message *change, size_t *failed,
	struct tn_error *err)
{
	uint64_t now = tn_agent_now(c->agent);
	int rc;

	if (!reserve_waiting(c))
		return tn_error_set(err, TN_OFPBRC_EPERM, -1,
			"out of memory: nothing was changed; free memory and try again");
	if (!c->keeper)
		return apply(c, change, now, failed, err);
	rc = tn_keeper_draft(c->keeper, change, now, err);
	if (rc)
		return rc;
	rc = apply(c, change, now, failed, err);
	if (rc)
		tn_keeper_drop(c->keeper);
	else
		tn_keeper_keep(c->keeper);
	return rc;
}

void tn_changes_submit(
	struct tn_changes *c, const struct tn_api_message *change, tn_receipt_fn fn, void *ctx)
{
	tn_changes_submit_early(c, change, NULL, fn, ctx);
}

void tn_changes_submit_early(struct tn_changes *c, const struct tn_api_message *change,
	tn_receipt_fn in_force, tn_receipt_fn fn, void *ctx)
{
	struct tn_api_receipt receipt = {0};
	size_t failed = 0;

	if (make(c, change, &failed, &receipt.error)) {
		receipt.position = failed;
		fn(ctx, change->request_id, &receipt);
		return;
	}
	c->dirty = true;
	*waiting_at(c, c->n_waiting++) = (struct waiting){
		.fn = fn,
		.in_force = in_force,
		.ctx = ctx,
		.request_id = change->request_id,
		.version = tn_switch_snapshot(c->agent->sw)->version,
		.sequence = c->keeper ? tn_keeper_sequence(c->keeper) : 0,
	};
}

void tn_changes_hold(struct tn_changes *c)
{
	if (c->keeper)
		tn_keeper_hold(c->keeper);
}

void tn_changes_release(struct tn_changes *c)
{
	if (!c->keeper)
		return;
	tn_keeper_release(c->keeper);
	for (size_t i = 0; i < c->n_waiting; i++) {
		if (waiting_at(c, i)->sequence == UINT64_MAX)
			waiting_at(c, i)->sequence = tn_keeper_sequence(c->keeper);
	}
}

/* Without memory receipts wait for another try. */
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

/* Of those that are published from `first` on and wait for the disk. */
static void tell_in_force(struct tn_changes *c, size_t first)
{
	uint64_t durable = c->keeper ? tn_keeper_durable(c->keeper) : 0;

	for (size_t i = first; i < c->n_published; i++) {
		const struct waiting *w = waiting_at(c, i);
		const struct tn_api_receipt receipt = {.version = w->version};

		if (w->fn && w->in_force && w->sequence > durable)
			w->in_force(w->ctx, w->request_id, &receipt);
	}
}

/* The disk works while the workers are waited for. */
void tn_changes_flush(struct tn_changes *c)
{
	size_t published = c->n_published;

	if (c->keeper)
		tn_keeper_flush(c->keeper);
	publish(c);
	tell_in_force(c, published);
	deliver(c);
}

static void on_moved(void *ctx)
{
	tn_changes_flush(ctx);
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
	return c->keeper && tn_keeper_recovered(c->keeper);
}

const char *tn_changes_failure(const struct tn_changes *c)
{
	return c->keeper ? tn_keeper_failure(c->keeper) : NULL;
}

static int open_keeper(struct tn_changes *c, const char *state_dir, struct tn_error *err)
{
	const struct tn_keeper_config config = {
		.state_dir = state_dir, .moved = on_moved, .ctx = c};

	c->keeper = tn_keeper_new(c->agent, &config, err);
	return c->keeper ? 0 : -1;
}

struct tn_changes *tn_changes_new(
	struct tn_agent *agent, const char *state_dir, struct tn_error *err)
{
	struct tn_changes *c = calloc(1, sizeof(*c));

	if (!c) {
		tn_error_set(err, TN_OFPBRC_EPERM, -1, "out of memory");
		return NULL;
	}
	c->agent = agent;
	if (state_dir && open_keeper(c, state_dir, err)) {
		free(c);
		return NULL;
	}
	/* Version 0 means refused. */
	if (tn_switch_snapshot(agent->sw)->version ||
		(!tn_switch_touch(agent->sw, err) && !tn_agent_publish(agent, err)))
		return c;
	tn_changes_free(c);
	return NULL;
}

void tn_changes_free(struct tn_changes *c)
{
	if (!c)
		return;
	tn_changes_flush(c);
	if (c->keeper) {
		tn_keeper_wait(c->keeper);
		deliver(c);
	}
	tn_keeper_free(c->keeper);
	free(c->waiting);
	free(c);
}
