/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/api/loop.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define EVENTS 64

struct source {
	int fd; /* -1: removed, waits to be freed */
	tn_loop_fn fn;
	void *ctx;
	struct source *next;
};

struct tn_loop_timer {
	struct tn_loop *loop;
	int fd;
	tn_timer_fn fn;
	void *ctx;
	struct tn_loop_timer *next;
};

struct handler {
	int signal;
	tn_timer_fn fn;
	void *ctx;
	struct handler *next;
};

struct hook {
	tn_timer_fn fn;
	void *ctx;
};

struct tn_loop {
	int epoll;
	int signals; /* -1: none */
	sigset_t signal_set;
	struct handler *handlers;
	bool stop;
	struct source *sources, *removed;
	struct tn_loop_timer *timers;
	struct hook hooks[TN_LOOP_HOOKS_MAX];
	unsigned n_hooks;
};

struct tn_loop *tn_loop_new(void)
{
	struct tn_loop *loop = calloc(1, sizeof(*loop));

	if (!loop)
		return NULL;
	loop->signals = -1;
	sigemptyset(&loop->signal_set);
	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll >= 0)
		return loop;
	free(loop);
	return NULL;
}

/* A removed source may still stand in the events of this round. */
static void free_removed(struct tn_loop *loop)
{
	while (loop->removed) {
		struct source *s = loop->removed;

		loop->removed = s->next;
		free(s);
	}
}

void tn_loop_free(struct tn_loop *loop)
{
	if (!loop)
		return;
	while (loop->timers) {
		struct tn_loop_timer *t = loop->timers;

		loop->timers = t->next;
		close(t->fd);
		free(t);
	}
	while (loop->sources) {
		struct source *s = loop->sources;

		loop->sources = s->next;
		free(s);
	}
	free_removed(loop);
	while (loop->handlers) {
		struct handler *h = loop->handlers;

		loop->handlers = h->next;
		free(h);
	}
	if (loop->signals >= 0)
		close(loop->signals);
	close(loop->epoll);
	free(loop);
}

static struct source *find(const struct tn_loop *loop, int fd)
{
	struct source *s = loop->sources;

	while (s && s->fd != fd)
		s = s->next;
	return s;
}

int tn_loop_add(struct tn_loop *loop, int fd, uint32_t epoll_events, tn_loop_fn fn, void *ctx)
{
	struct source *s = malloc(sizeof(*s));
	struct epoll_event ev = {.events = epoll_events, .data.ptr = s};

	if (!s)
		return -ENOMEM;
	if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &ev)) {
		free(s);
		return -errno;
	}
	*s = (struct source){.fd = fd, .fn = fn, .ctx = ctx, .next = loop->sources};
	loop->sources = s;
	return 0;
}

int tn_loop_modify(struct tn_loop *loop, int fd, uint32_t epoll_events)
{
	struct epoll_event ev = {.events = epoll_events, .data.ptr = find(loop, fd)};

	if (!ev.data.ptr)
		return -ENOENT;
	return epoll_ctl(loop->epoll, EPOLL_CTL_MOD, fd, &ev) ? -errno : 0;
}

void tn_loop_remove(struct tn_loop *loop, int fd)
{
	struct source **at = &loop->sources, *s;

	while (*at && (*at)->fd != fd)
		at = &(*at)->next;
	s = *at;
	if (!s)
		return;
	(void)epoll_ctl(loop->epoll, EPOLL_CTL_DEL, fd, NULL);
	*at = s->next;
	s->fd = -1;
	s->next = loop->removed;
	loop->removed = s;
}

static void on_timer(void *ctx, uint32_t events)
{
	struct tn_loop_timer *t = ctx;
	uint64_t times;

	(void)events;
	if (read(t->fd, &times, sizeof(times)) == (ssize_t)sizeof(times))
		t->fn(t->ctx);
}

static struct timespec time_of(uint64_t ns)
{
	return (struct timespec){
		.tv_sec = (time_t)(ns / 1000000000u),
		.tv_nsec = (long)(ns % 1000000000u),
	};
}

/* -errno */
static int new_timer(struct tn_loop *loop, tn_timer_fn fn, void *ctx, struct tn_loop_timer **timer)
{
	struct tn_loop_timer *t = calloc(1, sizeof(*t));
	int rc = 0;

	if (!t)
		return -ENOMEM;
	*t = (struct tn_loop_timer){.loop = loop, .fn = fn, .ctx = ctx};
	t->fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	rc = t->fd < 0 ? -errno : tn_loop_add(loop, t->fd, EPOLLIN, on_timer, t);
	if (rc) {
		if (t->fd >= 0)
			close(t->fd);
		free(t);
		return rc;
	}
	t->next = loop->timers;
	loop->timers = t;
	*timer = t;
	return 0;
}

int tn_loop_every(struct tn_loop *loop, uint64_t period_ns, tn_timer_fn fn, void *ctx)
{
	const struct itimerspec spec = {
		.it_interval = time_of(period_ns), .it_value = time_of(period_ns)};
	struct tn_loop_timer *t;
	int rc = new_timer(loop, fn, ctx, &t);

	if (!rc && timerfd_settime(t->fd, 0, &spec, NULL))
		rc = -errno;
	return rc;
}

struct tn_loop_timer *tn_loop_timer_new(struct tn_loop *loop, tn_timer_fn fn, void *ctx)
{
	struct tn_loop_timer *t;

	return new_timer(loop, fn, ctx, &t) ? NULL : t;
}

void tn_loop_timer_set(struct tn_loop_timer *timer, uint64_t in_ns)
{
	/* 0 would unset it. */
	const struct itimerspec spec = {.it_value = time_of(in_ns ? in_ns : 1)};

	(void)timerfd_settime(timer->fd, 0, &spec, NULL);
}

void tn_loop_timer_unset(struct tn_loop_timer *timer)
{
	const struct itimerspec never = {0};

	(void)timerfd_settime(timer->fd, 0, &never, NULL);
}

static void on_signals(void *ctx, uint32_t events)
{
	struct tn_loop *loop = ctx;
	struct signalfd_siginfo info;

	(void)events;
	if (read(loop->signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	for (struct handler *h = loop->handlers; h; h = h->next) {
		if (h->signal == (int)info.ssi_signo)
			h->fn(h->ctx);
	}
}

/* The signal comes by the loop's descriptor from here on. */
static int watch_signal(struct tn_loop *loop, int signal)
{
	int fd, rc;

	sigaddset(&loop->signal_set, signal);
	rc = pthread_sigmask(SIG_BLOCK, &loop->signal_set, NULL);
	if (rc)
		return -rc;
	fd = signalfd(loop->signals, &loop->signal_set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return -errno;
	if (loop->signals >= 0)
		return 0;
	loop->signals = fd;
	return tn_loop_add(loop, fd, EPOLLIN, on_signals, loop);
}

int tn_loop_on_signal(struct tn_loop *loop, int signal, tn_timer_fn fn, void *ctx)
{
	struct handler *h = malloc(sizeof(*h));
	int rc = h ? watch_signal(loop, signal) : -ENOMEM;

	if (rc) {
		free(h);
		return rc;
	}
	*h = (struct handler){.signal = signal, .fn = fn, .ctx = ctx, .next = loop->handlers};
	loop->handlers = h;
	return 0;
}

static void stop(void *ctx)
{
	tn_loop_stop(ctx);
}

int tn_loop_stop_on_signals(struct tn_loop *loop)
{
	int rc = tn_loop_on_signal(loop, SIGINT, stop, loop);

	return rc ? rc : tn_loop_on_signal(loop, SIGTERM, stop, loop);
}

void tn_loop_after_round(struct tn_loop *loop, tn_timer_fn fn, void *ctx)
{
	TN_ASSERT(loop->n_hooks < TN_LOOP_HOOKS_MAX);
	loop->hooks[loop->n_hooks++] = (struct hook){fn, ctx};
}

void tn_loop_forget_hook(struct tn_loop *loop, const void *ctx)
{
	unsigned n = 0;

	for (unsigned i = 0; i < loop->n_hooks; i++) {
		if (loop->hooks[i].ctx != ctx)
			loop->hooks[n++] = loop->hooks[i];
	}
	loop->n_hooks = n;
}

void tn_loop_run(struct tn_loop *loop)
{
	struct epoll_event events[EVENTS];

	while (!loop->stop) {
		int n = epoll_wait(loop->epoll, events, EVENTS, -1);

		if (n < 0 && errno != EINTR)
			return;
		for (int i = 0; i < n; i++) {
			struct source *s = events[i].data.ptr;

			if (s->fd >= 0)
				s->fn(s->ctx, events[i].events);
		}
		for (unsigned i = 0; i < loop->n_hooks; i++)
			loop->hooks[i].fn(loop->hooks[i].ctx);
		free_removed(loop);
	}
	loop->stop = false; /* for another run */
}

void tn_loop_stop(struct tn_loop *loop)
{
	loop->stop = true;
}
