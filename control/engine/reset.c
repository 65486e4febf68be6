/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Counters from zero again: what all of them stand at is read, stored, and from then on taken off
 * what is read (baseline.h). It is of one process of the data plane: the next one begins at 0 by
 * itself.
 */
#include "control/engine/engine_private.h"

#include <errno.h>
#include <stdlib.h>

struct tn_reset_wait {
	struct tn_reset_wait *next;
	tn_reset_fn fn;
	void *ctx;
};

static void begin(struct tn_engine *e);

static void tell(struct tn_engine *e, int rc, const struct tn_error *err)
{
	struct tn_reset_wait *waiting = e->reset.waiting, *w;

	e->reset.waiting = NULL;
	e->reset.under_way = false;
	tn_baseline_clear(&e->reset.next);
	while ((w = waiting)) {
		waiting = w->next;
		if (w->fn)
			w->fn(w->ctx, rc, err);
		free(w);
	}
	if (e->reset.late)
		begin(e);
}

/* It is kept, whether it can be read just now or not. */
static void on_shown(void *ctx, int rc)
{
	(void)rc;
	tell(ctx, 0, NULL);
}

static void put_base(void *ctx, enum tn_counted what, uint64_t id, struct tn_counter base)
{
	tn_store_put_base(
		ctx, &(struct tn_store_base){(uint32_t)what, id, base.packets, base.bytes});
}

static int store(struct tn_engine *e, struct tn_error *err)
{
	tn_commit_drop_early(e);
	tn_store_begin(e->store);
	tn_store_clear_bases(e->store);
	tn_baseline_scan_all(&e->reset.next, put_base, e->store);
	return tn_commit_end_in_step(e, err);
}

static void on_collected(void *ctx, int rc)
{
	struct tn_error err = {.of = TN_OF_OK};
	struct tn_engine *e = ctx;

	e->reset.collecting = false;
	if (!rc)
		rc = store(e, &err);
	if (rc) {
		tell(e, rc, &err);
		return;
	}
	tn_baseline_clear(&e->baseline);
	e->baseline = e->reset.next;
	e->reset.next = (struct tn_baseline){0};
	tn_refresh_anew(e, on_shown, e);
}

/* Those that come meanwhile want what is counted until they came, and wait for the next one. */
static void begin(struct tn_engine *e)
{
	e->reset.waiting = e->reset.late;
	e->reset.late = NULL;
	e->reset.under_way = true;
	e->reset.collecting = true;
	tn_refresh_anew(e, on_collected, e);
}

void tn_engine_reset_counters(struct tn_engine *e, tn_reset_fn fn, void *ctx)
{
	struct tn_reset_wait *w = malloc(sizeof(*w));

	if (!w)
		abort();
	*w = (struct tn_reset_wait){e->reset.late, fn, ctx};
	e->reset.late = w;
	if (!e->reset.under_way)
		begin(e);
}

static void forget_waiter(struct tn_reset_wait *w, const void *ctx)
{
	for (; w; w = w->next) {
		if (w->ctx == ctx)
			w->fn = NULL;
	}
}

void tn_reset_forget(struct tn_engine *e, const void *ctx)
{
	forget_waiter(e->reset.waiting, ctx);
	forget_waiter(e->reset.late, ctx);
}

int tn_reset_restore(struct tn_engine *e, const struct tn_store_base *base)
{
	if (base->what >= TN_N_COUNTED)
		return -EINVAL;
	tn_baseline_set(&e->baseline, (enum tn_counted)base->what, base->id,
		(struct tn_counter){base->packets, base->bytes});
	return 0;
}

/* All that is counted of an object. */
static void scan_object(
	const struct tn_baseline *b, enum tn_kind kind, uint64_t id, tn_base_fn fn, void *ctx)
{
	const uint64_t first = tn_counted_part(id, 0), last = tn_counted_part(id + 1, 0) - 1;

	switch (kind) {
	case TN_KIND_FLOW:
		tn_baseline_scan(b, TN_COUNTED_FLOW, id, id, fn, ctx);
		break;
	case TN_KIND_GROUP:
		tn_baseline_scan(b, TN_COUNTED_GROUP, id, id, fn, ctx);
		tn_baseline_scan(b, TN_COUNTED_BUCKET, first, last, fn, ctx);
		break;
	case TN_KIND_METER:
		tn_baseline_scan(b, TN_COUNTED_METER, id, id, fn, ctx);
		tn_baseline_scan(b, TN_COUNTED_BAND, first, last, fn, ctx);
		break;
	case TN_KIND_PORT:
		tn_baseline_scan(b, TN_COUNTED_PORT, first, last, fn, ctx);
		tn_baseline_scan(b, TN_COUNTED_DROP, first, last, fn, ctx);
		break;
	default:
		break;
	}
}

static void forget_base(void *ctx, enum tn_counted what, uint64_t id, struct tn_counter base)
{
	(void)base;
	tn_baseline_forget(ctx, what, id, id);
}

void tn_reset_forget_object(struct tn_engine *e, enum tn_kind kind, uint64_t id)
{
	scan_object(&e->baseline, kind, id, forget_base, &e->baseline);
	scan_object(&e->reset.next, kind, id, forget_base, &e->reset.next);
}

static void delete_base(void *ctx, enum tn_counted what, uint64_t id, struct tn_counter base)
{
	(void)base;
	tn_store_delete_base(ctx, (uint32_t)what, id);
}

void tn_reset_delete_object(struct tn_engine *e, enum tn_kind kind, uint64_t id)
{
	scan_object(&e->baseline, kind, id, delete_base, e->store);
}

static void drop_if_anew(void *ctx, enum tn_counted what, uint64_t id, struct tn_counter base)
{
	struct tn_engine *e = ctx;

	if (base.packets || base.bytes)
		return;
	tn_store_delete_base(e->store, (uint32_t)what, id);
	tn_baseline_forget(&e->baseline, what, id, id);
}

void tn_reset_tick(struct tn_engine *e)
{
	struct tn_error err;

	if (!e->baseline.anew || e->early.job)
		return;
	e->baseline.anew = false;
	tn_store_begin(e->store);
	tn_baseline_scan_all(&e->baseline, drop_if_anew, e);
	/* Not written: after a restart it is found once more. */
	if (tn_store_end(e->store, &err))
		return;
}
