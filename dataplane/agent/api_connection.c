/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/agent/api_private.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#define READ_BYTES   65536u
#define READ_AT_ONCE (256u << 10)
#define KEEP_BYTES   (1u << 20) /* of an empty buffer */

/* --- out -------------------------------------------------------------------------------------- */

static void write_out(struct tn_api_connection *c)
{
	while (c->fd >= 0 && c->sent < c->out.len) {
		ssize_t n = send(c->fd, c->out.data + c->sent, c->out.len - c->sent,
			MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n > 0) {
			c->sent += (size_t)n;
		} else if (n < 0 && errno == EAGAIN) {
			break;
		} else if (n == 0 || errno != EINTR) {
			tn_api_connection_close(c);
			return;
		}
	}
	if (c->sent == c->out.len) {
		c->sent = c->out.len = 0;
		if (c->out.size > KEEP_BYTES)
			tn_api_buffer_fini(&c->out);
	} else if (c->sent >= c->out.len / 2) {
		tn_api_buffer_consume(&c->out, c->sent);
		c->sent = 0;
	}
}

void tn_api_answer_error(
	struct tn_api_connection *c, uint64_t request_id, const struct tn_error *err)
{
	tn_api_answer(c,
		&(struct tn_api_message){
			.type = TN_API_ERROR, .request_id = request_id, .error = *err});
}

void tn_api_answer(struct tn_api_connection *c, const struct tn_api_message *m)
{
	struct tn_error err;
	int rc;

	if (c->fd < 0)
		return;
	rc = tn_api_encode(&c->out, m, &err);
	if (rc == -EINVAL && m->type != TN_API_ERROR)
		tn_api_answer_error(c, m->request_id, &err);
	else if (rc)
		tn_api_connection_close(c);
	tn_api_touch(c);
}

void tn_api_dismiss(struct tn_api_connection *c, const struct tn_error *err)
{
	if (c->dismissed)
		return;
	tn_api_answer_error(c, 0, err);
	c->dismissed = true;
}

/* --- in --------------------------------------------------------------------------------------- */

bool tn_api_connection_blocked(const struct tn_api_connection *c)
{
	return tn_api_waiting_bytes(c) > TN_API_OUT_ANSWERS || c->n_changes >= TN_API_CHANGES_MAX ||
		c->n_listings >= TN_API_LISTINGS_MAX;
}

/* Bytes of the first message from `at` on; 0: it is not there, or wrong. */
static size_t next_message(struct tn_api_connection *c, size_t at)
{
	struct tn_error err;
	size_t len = 0;

	if (tn_api_message_length(c->in.data + at, c->in.len - at, &len, &err)) {
		tn_api_dismiss(c, &err);
		return 0;
	}
	return len;
}

void tn_api_connection_run(struct tn_api_connection *c)
{
	unsigned budget = TN_API_ROUND_BUDGET;
	size_t at = 0, len = 0;

	while (c->fd >= 0 && !c->dismissed && (len = next_message(c, at)) != 0) {
		unsigned cost;

		if (!budget || tn_api_connection_blocked(c))
			break;
		cost = tn_api_handle(c, c->in.data + at, len);
		budget -= cost < budget ? cost : budget;
		at += len;
	}
	c->leftover = c->fd >= 0 && !c->dismissed && len;
	tn_api_buffer_consume(&c->in, at);
	if (!c->in.len && c->in.size > KEEP_BYTES)
		tn_api_buffer_fini(&c->in);
	tn_api_touch(c);
}

static void receive(struct tn_api_connection *c)
{
	size_t got = 0;

	while (got < READ_AT_ONCE && c->fd >= 0) {
		ssize_t n;

		if (tn_api_buffer_reserve(&c->in, READ_BYTES)) {
			tn_api_connection_close(c);
			return;
		}
		n = recv(c->fd, c->in.data + c->in.len, READ_BYTES, MSG_DONTWAIT);
		if (n > 0) {
			c->in.len += (size_t)n;
			got += (size_t)n;
		} else if (n == 0) {
			c->at_end = true;
			return;
		} else if (errno == EAGAIN) {
			return;
		} else if (errno != EINTR) {
			tn_api_connection_close(c);
		}
	}
}

static void on_ready(void *ctx, uint32_t events)
{
	struct tn_api_connection *c = ctx;

	tn_api_touch(c);
	if (events & EPOLLIN) {
		receive(c);
		if (c->fd >= 0)
			tn_api_connection_run(c);
	}
	if (c->fd >= 0 && events & EPOLLOUT) {
		write_out(c);
		tn_api_listing_go(c);
	}
	/* Both directions are closed: what it sent is done, what it is told reaches nobody. */
	if (c->fd >= 0 && events & (EPOLLHUP | EPOLLERR) && !c->leftover &&
		(c->at_end || !(events & EPOLLIN)))
		tn_api_connection_close(c);
}

/* --- life ------------------------------------------------------------------------------------- */

static uint32_t wanted_events(const struct tn_api_connection *c)
{
	bool in = !c->at_end && !c->dismissed && !c->leftover && c->server->changes &&
		!tn_api_connection_blocked(c);
	bool out = tn_api_waiting_bytes(c) ||
		(c->listings && c->listings->state == TN_API_LISTING_GOES);

	return (in ? (uint32_t)EPOLLIN : 0) | (out ? (uint32_t)EPOLLOUT : 0);
}

static bool is_done(const struct tn_api_connection *c)
{
	if (tn_api_waiting_bytes(c))
		return false;
	return c->dismissed || (c->at_end && !c->leftover && !c->n_changes && !c->listings);
}

void tn_api_connection_settle(struct tn_api_connection *c)
{
	uint32_t events;

	write_out(c);
	if (c->fd >= 0)
		tn_api_events_resume(c);
	if (c->fd >= 0 && is_done(c))
		tn_api_connection_close(c);
	if (c->fd < 0)
		return;
	events = wanted_events(c);
	if (events != c->watched && !tn_loop_modify(c->server->agent->loop, c->fd, events))
		c->watched = events;
	if (c->leftover && !tn_api_connection_blocked(c))
		tn_api_again(c->server);
}

struct tn_api_connection *tn_api_connection_new(struct tn_api_server *s, int fd)
{
	struct tn_api_connection *c = calloc(1, sizeof(*c));
	socklen_t len = sizeof(c->peer);

	if (!c)
		return NULL;
	c->server = s;
	c->fd = fd;
	c->watched = EPOLLIN;
	c->last_listing = &c->listings;
	tn_api_arena_init(&c->arena, 0);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &c->peer, &len) ||
		tn_loop_add(s->agent->loop, fd, c->watched, on_ready, c)) {
		free(c);
		return NULL;
	}
	c->next = s->connections;
	c->link = &s->connections;
	if (c->next)
		c->next->link = &c->next;
	s->connections = c;
	s->n_connections++;
	return c;
}

void tn_api_connection_close(struct tn_api_connection *c)
{
	struct tn_api_server *s = c->server;

	if (c->fd < 0)
		return;
	tn_loop_remove(s->agent->loop, c->fd);
	close(c->fd);
	c->fd = -1;
	c->leftover = false;
	if (s->changes && c->n_changes)
		tn_changes_forget(s->changes, c);
	*c->link = c->next;
	if (c->next)
		c->next->link = c->link;
	s->n_connections--;
	if (c->subscribed)
		tn_api_subscriptions_changed(s);
	c->next = s->dead;
	s->dead = c;
}

void tn_api_connection_free(struct tn_api_connection *c)
{
	tn_api_parts_drop(c);
	tn_api_listings_free(c);
	tn_api_buffer_fini(&c->in);
	tn_api_buffer_fini(&c->out);
	tn_api_arena_fini(&c->arena);
	free(c);
}
