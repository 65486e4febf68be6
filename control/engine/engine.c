/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/engine/engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "control/engine/engine_private.h"

#define TICK_NS	     (TN_ENGINE_SECOND / 4)
#define TICK_AWAY_NS (TN_ENGINE_SECOND / 40) /* looking for the data plane */

uint64_t tn_engine_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * TN_ENGINE_SECOND + (uint64_t)now.tv_nsec;
}

void tn_engine_wake(struct tn_engine *e)
{
	const uint64_t one = 1;

	if (e->woken)
		return;
	/* It cannot be full: it is read before it is written again. */
	e->woken = write(e->wake_fd, &one, sizeof(one)) == (ssize_t)sizeof(one);
}

/*
 * Once for all that happened since the loop slept: what is done is stored in one commit, what waits
 * is begun, what was asked for is sent in one piece.
 */
static void turn(void *ctx, uint32_t epoll_events)
{
	struct tn_engine *e = ctx;
	uint64_t times;

	(void)epoll_events;
	if (read(e->wake_fd, &times, sizeof(times)) < 0)
		times = 0;
	e->woken = false;
	if (e->link.broken)
		tn_link_drop(e);
	tn_commit_ready(e);
	tn_sync_start_if_due(e);
	tn_jobs_start(e);
	tn_link_flush(e);
	tn_commit_go_on_early(e);
}

static void tick(void *ctx, uint32_t epoll_events)
{
	struct tn_engine *e = ctx;
	uint64_t now_ns = tn_engine_now(), times;

	(void)epoll_events;
	if (read(e->tick_fd, &times, sizeof(times)) != (ssize_t)sizeof(times))
		return;

	tn_link_tick(e, now_ns);
	tn_unconfirmed_tick(e, now_ns);
	if (e->resync_at_ns && e->resync_at_ns <= now_ns)
		tn_engine_resync(e);
	tn_reset_tick(e);
	if (!e->early.job)
		tn_store_tidy(e->store);
}

int tn_engine_set_tick(struct tn_engine *e)
{
	const struct timespec period = {
		.tv_nsec = e->link.state == TN_LINK_AWAY ? TICK_AWAY_NS : TICK_NS};
	const struct itimerspec spec = {.it_interval = period, .it_value = period};

	return timerfd_settime(e->tick_fd, 0, &spec, NULL) ? -errno : 0;
}

/* Not a timer of the loop: those stay, and the loop may live longer. */
static int watch_loop(struct tn_engine *e, struct tn_error *err)
{
	int rc;

	e->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	e->tick_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	rc = e->wake_fd < 0 || e->tick_fd < 0 ? -errno : tn_engine_set_tick(e);
	if (!rc)
		rc = tn_loop_add(e->loop, e->wake_fd, EPOLLIN, turn, e);
	if (!rc)
		rc = tn_loop_add(e->loop, e->tick_fd, EPOLLIN, tick, e);
	if (rc)
		(void)tn_error_set(err, TN_OF_OK, -1,
			"no descriptor for the engine: %s; allow more", strerror(-rc));
	return rc;
}

struct tn_engine *tn_engine_new(
	struct tn_loop *loop, const struct tn_engine_options *options, struct tn_error *err)
{
	struct tn_engine *e = calloc(1, sizeof(*e));

	if (!e)
		abort();
	e->loop = loop;
	e->refuse_when_away = options->refuse_when_away;
	e->dpid = options->dpid;
	e->generation = 1;
	e->wake_fd = -1;
	e->tick_fd = -1;
	e->dataplane_path = options->dataplane_path ? strdup(options->dataplane_path) : NULL;
	TAILQ_INIT(&e->queue);
	TAILQ_INIT(&e->jobs);
	TAILQ_INIT(&e->ready);
	e->names = tn_names_new();
	tn_names_limit(e->names, TN_ENGINE_STRINGS_MAX, TN_ENGINE_STRING_BYTES_MAX);
	tn_watch_init(&e->watch, tn_engine_now());
	tn_engine_tenants_init(e, options->host);
	e->link.since_ns = tn_engine_now();
	if (tn_commit_open(e, options->store_path, err) || watch_loop(e, err)) {
		tn_engine_free(e);
		return NULL;
	}
	tn_link_connect(e);
	return e;
}

static void close_fd(struct tn_engine *e, int fd)
{
	if (fd < 0)
		return;
	tn_loop_remove(e->loop, fd);
	close(fd);
}

void tn_engine_free(struct tn_engine *e)
{
	if (!e)
		return;
	e->freeing = true;
	tn_commit_drop_early(e);
	/* What the data plane has is stored, what waits is not begun. */
	tn_commit_ready(e);
	tn_link_drop(e);
	tn_jobs_end(e);
	close_fd(e, e->wake_fd);
	close_fd(e, e->tick_fd);
	tn_store_close(e->store);
	tn_refresh_free(e);
	tn_baseline_clear(&e->baseline);
	tn_unconfirmed_free(e);
	tn_link_free_underlay(e);
	tn_engine_tenants_fini(e);
	tn_made_fini(e);
	tn_engine_free_objects(e);
	tn_watch_fini(&e->watch);
	tn_busy_fini(&e->busy);
	tn_unpacked_flow_fini(&e->scratch);
	tn_api_buffer_fini(&e->row);
	tn_names_free(e->names);
	free(e->link.version);
	free(e->dataplane_path);
	free(e);
}

const struct tn_flow_add *tn_engine_pack_flow(struct tn_engine *e, const struct tn_flow_mod *fm,
	struct tn_arena *arena, struct tn_error *err)
{
	return tn_flow_add_new(e->dpid, fm, arena, &e->row, err);
}

void tn_engine_forget(struct tn_engine *e, const void *ctx)
{
	tn_jobs_forget(e, ctx);
	tn_refresh_forget(e, ctx);
	tn_unconfirmed_forget(e, ctx);
	tn_trace_forget(e, ctx);
	tn_reset_forget(e, ctx);
}

void tn_engine_status(const struct tn_engine *e, struct tn_engine_status *status)
{
	*status = (struct tn_engine_status){
		.connected = e->link.connected,
		.version = e->link.version ? e->link.version : "",
		.dpid = e->dpid,
		.since_ns = e->link.since_ns,
		.pending = e->n_pending,
		.failed = e->n_failed,
		.memory_bytes = e->object_bytes,
	};
	for (unsigned kind = 0; kind < TN_N_KINDS; kind++)
		status->memory_bytes += tn_index_bytes(&e->objects[kind]);
}
