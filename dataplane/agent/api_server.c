/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/agent/api_server.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "dataplane/agent/api_private.h"
#include "dataplane/agent/trace.h"

#define ACCEPT_AT_ONCE 64u

/* --- the end of a round ----------------------------------------------------------------------- */

void tn_api_touch(struct tn_api_connection *c)
{
	if (c->touched)
		return;
	c->touched = true;
	c->next_touched = c->server->touched;
	c->server->touched = c;
}

void tn_api_again(struct tn_api_server *s)
{
	const uint64_t one = 1;

	(void)!write(s->again_fd, &one, sizeof(one));
}

static void settle_touched(struct tn_api_server *s)
{
	while (s->touched) {
		struct tn_api_connection *c = s->touched;

		s->touched = c->next_touched;
		c->touched = false;
		if (c->fd >= 0)
			tn_api_connection_settle(c);
	}
}

static void free_dead(struct tn_api_server *s)
{
	while (s->dead) {
		struct tn_api_connection *c = s->dead;

		s->dead = c->next;
		tn_api_connection_free(c);
	}
}

static void after_round(void *ctx)
{
	struct tn_api_server *s = ctx;

	if (s->submitted && s->changes) {
		s->submitted = false;
		tn_changes_flush(s->changes);
	}
	settle_touched(s);
	free_dead(s);
}

static void on_again(void *ctx, uint32_t events)
{
	struct tn_api_server *s = ctx;
	struct tn_api_connection *c = s->connections, *next;
	uint64_t times;

	(void)events;
	(void)!read(s->again_fd, &times, sizeof(times));
	for (; c && s->changes; c = next) {
		next = c->next;
		if (c->leftover && !tn_api_connection_blocked(c))
			tn_api_connection_run(c);
	}
}

static void on_counts(void *ctx, uint32_t events)
{
	struct tn_api_server *s = ctx;
	uint64_t times;

	(void)events;
	(void)!read(s->counts_fd, &times, sizeof(times));
	tn_api_counts_tick(s);
}

/* --- who comes -------------------------------------------------------------------------------- */

/* One more than there may be hears why, if its socket takes that. */
static void turn_away(int fd)
{
	struct tn_api_message m = {.type = TN_API_ERROR};
	struct tn_api_buffer out = {0};

	tn_error_set(&m.error, TN_OFPBRC_EPERM, -1,
		"%u clients are connected already, the most that there may be", TN_API_CLIENTS_MAX);
	if (!tn_api_encode(&out, &m, NULL))
		(void)!send(fd, out.data, out.len, MSG_NOSIGNAL | MSG_DONTWAIT);
	tn_api_buffer_fini(&out);
	close(fd);
}

int tn_api_server_adopt(struct tn_api_server *s, int fd)
{
	if (s->n_connections >= TN_API_CLIENTS_MAX || !s->changes) {
		turn_away(fd);
		return -EUSERS;
	}
	if (tn_api_connection_new(s, fd))
		return 0;
	close(fd);
	return -ENOMEM;
}

/*
 * Without a descriptor for it a client would wait for ever, and wake us for ever: the one that is
 * kept for this lets it in, and out.
 */
static void let_go(struct tn_api_server *s)
{
	int fd;

	close(s->spare_fd);
	fd = accept4(s->listen_fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0)
		close(fd);
	s->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void on_client(void *ctx, uint32_t events)
{
	struct tn_api_server *s = ctx;

	(void)events;
	for (unsigned i = 0; i < ACCEPT_AT_ONCE; i++) {
		int fd = accept4(s->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd >= 0)
			(void)!tn_api_server_adopt(s, fd);
		else if (errno == EMFILE || errno == ENFILE)
			let_go(s);
		else if (errno != ECONNABORTED && errno != EINTR)
			return;
	}
}

/* --- life ------------------------------------------------------------------------------------- */

static int watch(struct tn_api_server *s)
{
	struct tn_loop *loop = s->agent->loop;
	int rc = tn_loop_add(loop, s->again_fd, EPOLLIN, on_again, s);

	if (!rc)
		rc = tn_loop_add(loop, s->counts_fd, EPOLLIN, on_counts, s);
	if (!rc && s->listen_fd >= 0)
		rc = tn_loop_add(loop, s->listen_fd, EPOLLIN, on_client, s);
	return rc;
}

struct tn_api_server *tn_api_server_new(
	struct tn_agent *agent, struct tn_changes *changes, int listen_fd, struct tn_error *err)
{
	struct tn_api_server *s = calloc(1, sizeof(*s));

	if (s) {
		s->agent = agent;
		s->changes = changes;
		s->listen_fd = listen_fd;
		s->again_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		s->counts_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
		s->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
		tn_loop_after_round(agent->loop, after_round, s);
		tn_api_events_start(s);
		if (s->again_fd >= 0 && s->counts_fd >= 0 && !watch(s))
			return s;
	}
	tn_error_set(err, TN_OFPFMFC_UNKNOWN, -1, "no memory or descriptors for the API's socket");
	tn_api_server_free(s);
	return NULL;
}

void tn_api_server_stop(struct tn_api_server *s)
{
	s->changes = NULL;
	if (s->listen_fd >= 0)
		tn_loop_remove(s->agent->loop, s->listen_fd);
	s->listen_fd = -1;
}

void tn_api_server_free(struct tn_api_server *s)
{
	if (!s)
		return;
	if (s->changes)
		tn_api_server_stop(s);
	tn_loop_forget_hook(s->agent->loop, s);
	tn_api_events_stop(s);
	/* What was promised until now still goes out, as far as the sockets take it. */
	settle_touched(s);
	while (s->connections)
		tn_api_connection_close(s->connections);
	free_dead(s);
	tn_loop_remove(s->agent->loop, s->again_fd);
	tn_loop_remove(s->agent->loop, s->counts_fd);
	close(s->again_fd);
	close(s->counts_fd);
	close(s->spare_fd);
	tn_api_buffer_fini(&s->event);
	tn_tracer_free(s->tracer);
	free(s);
}

unsigned tn_api_server_clients(const struct tn_api_server *s)
{
	return s->n_connections;
}
