/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The event loop of both daemons: epoll, timers, signals. One thread.
 */
#ifndef TN_API_LOOP_H
#define TN_API_LOOP_H

#include "dataplane/core/types.h"

struct tn_loop;

struct tn_loop *tn_loop_new(void);
void tn_loop_free(struct tn_loop *loop);

typedef void (*tn_loop_fn)(void *ctx, uint32_t epoll_events);

/* -errno. The descriptor stays the caller's. */
int tn_loop_add(struct tn_loop *loop, int fd, uint32_t epoll_events, tn_loop_fn fn,
	void *ctx) TN_MUST_CHECK;
int tn_loop_modify(struct tn_loop *loop, int fd, uint32_t epoll_events) TN_MUST_CHECK;
/* Safe from within a callback, also for other descriptors. */
void tn_loop_remove(struct tn_loop *loop, int fd);

typedef void (*tn_timer_fn)(void *ctx);

/* Every period_ns from now on; there are few timers and they stay. */
int tn_loop_every(
	struct tn_loop *loop, uint64_t period_ns, tn_timer_fn fn, void *ctx) TN_MUST_CHECK;

/*
 * A timer that goes off once, when it was set. NULL: no memory or descriptors. It ends with the
 * loop.
 */
struct tn_loop_timer;
struct tn_loop_timer *tn_loop_timer_new(struct tn_loop *loop, tn_timer_fn fn, void *ctx);
/* From now; in place of what it was set to before. 0: with the next round. */
void tn_loop_timer_set(struct tn_loop_timer *timer, uint64_t in_ns);
void tn_loop_timer_unset(struct tn_loop_timer *timer);

/* In place of what the signal does otherwise. Before threads are made, which leave it to the loop.
 */
int tn_loop_on_signal(struct tn_loop *loop, int signal, tn_timer_fn fn, void *ctx) TN_MUST_CHECK;

/*
 * fn is called after the callbacks of every round, before the loop sleeps: for work that many of
 * them share. What is given first comes first. At most TN_LOOP_HOOKS_MAX.
 */
#define TN_LOOP_HOOKS_MAX 4u
void tn_loop_after_round(struct tn_loop *loop, tn_timer_fn fn, void *ctx);
void tn_loop_forget_hook(struct tn_loop *loop, const void *ctx);

/* Until tn_loop_stop() or one of the signals given to tn_loop_stop_on_signals(). */
int tn_loop_stop_on_signals(struct tn_loop *loop) TN_MUST_CHECK; /* SIGINT, SIGTERM */
void tn_loop_run(struct tn_loop *loop);
void tn_loop_stop(struct tn_loop *loop);

#endif
