/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/api/async_client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dataplane/api/client_io.h"

#define READ_BYTES	 65536u
#define READ_AT_ONCE	 (4u << 20) /* then the loop's other work has its turn */
#define PENDING_AT_FIRST 64u

struct pending {
	uint64_t id; /* 0: free */
	enum tn_api_type type;
	enum tn_api_dump_kind kind; /* DUMP */
	uint64_t total;		    /* DUMP: that came so far */
	bool early;		    /* BUNDLE: an earlier receipt may come */
	tn_api_answer_fn fn;	    /* NULL: nobody wants to know */
	void *ctx;
};

struct tn_api_async {
	int fd;
	bool lost;
	struct tn_error why; /* lost */
	struct tn_api_async_events events;
	struct tn_api_buffer out, in;
	size_t sent; /* bytes of out that are gone */
	struct tn_api_arena arena;
	/* By id & (size - 1); ids are given in order, so those under way are rarely far apart. */
	struct pending *pending;
	size_t size, n_pending;
	uint64_t oldest, last_id; /* no id under way is older */
};

static int no_memory(struct tn_error *err)
{
	tn_error_set(err, TN_OFPFMFC_UNKNOWN, -1, "no memory for a request");
	return -ENOMEM;
}

/* --- requests under way ----------------------------------------------------------------------- */

static struct pending *slot_of(const struct tn_api_async *c, uint64_t id)
{
	return &c->pending[id & (c->size - 1)];
}

static int grow(struct tn_api_async *c)
{
	size_t size = c->size ? 2 * c->size : PENDING_AT_FIRST;
	struct pending *pending = calloc(size, sizeof(*pending));

	if (!pending)
		return -ENOMEM;
	/* Two that had different places in the smaller array have them in the larger one. */
	for (size_t i = 0; i < c->size; i++) {
		if (c->pending[i].id)
			pending[c->pending[i].id & (size - 1)] = c->pending[i];
	}
	free(c->pending);
	c->pending = pending;
	c->size = size;
	return 0;
}

/* A place for the next id, which is taken only by enlist(). */
static int make_place(struct tn_api_async *c, struct tn_error *err)
{
	if (c->lost) {
		*err = c->why;
		return -EIO;
	}
	while (!c->size || slot_of(c, c->last_id + 1)->id) {
		if (grow(c))
			return no_memory(err);
	}
	return 0;
}

static struct pending *enlist(
	struct tn_api_async *c, enum tn_api_type type, tn_api_answer_fn fn, void *ctx)
{
	struct pending *p = slot_of(c, ++c->last_id);

	*p = (struct pending){.id = c->last_id, .type = type, .fn = fn, .ctx = ctx};
	if (!c->n_pending++)
		c->oldest = c->last_id;
	return p;
}

static void delist(struct tn_api_async *c, uint64_t id)
{
	*slot_of(c, id) = (struct pending){0};
	c->n_pending--;
	while (c->n_pending && slot_of(c, c->oldest)->id != c->oldest)
		c->oldest++;
}

/* Tells everyone who waits; whatever they send from now on is refused. */
static int lose(struct tn_api_async *c, const struct tn_error *why)
{
	c->lost = true;
	c->why = *why;
	while (c->n_pending) {
		struct pending p = *slot_of(c, c->oldest);

		delist(c, p.id);
		if (p.fn)
			p.fn(p.ctx, NULL, &c->why);
	}
	return -EIO;
}

static int lose_for(struct tn_api_async *c, const char *what)
{
	struct tn_error why;

	tn_error_set(
		&why, TN_OFPFMFC_UNKNOWN, -1, "%s; connect again and see what is in force", what);
	return lose(c, &why);
}

/* --- answers ---------------------------------------------------------------------------------- */

/* In force, and another one comes. */
static bool is_early(const struct tn_api_message *m)
{
	return m->type == TN_API_RECEIPT && m->flags & TN_API_MORE;
}

/* Is it what such a request is answered by? */
static bool answers(struct pending *p, const struct tn_api_message *m)
{
	switch (p->type) {
	case TN_API_HELLO:
		return m->type == TN_API_HELLO_REPLY;
	case TN_API_TRACE:
		return m->type == TN_API_TRACE_REPLY;
	case TN_API_DUMP:
		if (m->type == TN_API_PART)
			p->total += m->part.n;
		return m->type == TN_API_PART ? m->part.kind == p->kind
					      : m->type == TN_API_END && m->end.kind == p->kind &&
				m->end.total == p->total;
	default:
		return m->type == TN_API_RECEIPT &&
			(!is_early(m) || (p->early && m->receipt.version));
	}
}

static const struct tn_error *refusal(const struct tn_api_message *m)
{
	if (m->type == TN_API_ERROR)
		return &m->error;
	return m->type == TN_API_RECEIPT && !m->receipt.version ? &m->receipt.error : NULL;
}

static int take_answer(struct tn_api_async *c, const struct tn_api_message *m)
{
	struct pending *p = slot_of(c, m->request_id), now;

	if (!m->request_id || p->id != m->request_id)
		return lose_for(c, "an answer came that nobody asked for");
	if (m->type != TN_API_ERROR && !answers(p, m))
		return lose_for(c,
			p->type == TN_API_DUMP ? "a dump came incomplete"
					       : "a request was answered by something else");
	now = *p;
	if (is_early(m))
		p->early = false;
	else if (m->type != TN_API_PART)
		delist(c, now.id);
	if (now.fn)
		now.fn(now.ctx, m, refusal(m));
	return 0;
}

static int take(struct tn_api_async *c, const struct tn_api_message *m)
{
	if (m->type == TN_API_EVENT) {
		if (c->events.event)
			c->events.event(c->events.ctx, &m->event);
		return 0;
	}
	if (m->type == TN_API_ERROR && !m->request_id)
		return lose(c, &m->error);
	return take_answer(c, m);
}

/* All messages that are there whole. */
static int take_all(struct tn_api_async *c)
{
	size_t at = 0, len;
	int rc = 0;

	while (!rc) {
		struct tn_api_message m;
		struct tn_error err;

		rc = tn_api_message_length(c->in.data + at, c->in.len - at, &len, &err);
		if (!rc && !len)
			break;
		tn_api_arena_reset(&c->arena);
		if (!rc)
			rc = tn_api_decode(c->in.data + at, len, &c->arena, &m, &err);
		rc = rc ? lose(c, &err) : take(c, &m);
		at += len;
	}
	if (!rc)
		tn_api_buffer_consume(&c->in, at);
	return rc;
}

static int receive(struct tn_api_async *c)
{
	size_t got = 0;
	int rc = 0;

	while (!rc && got < READ_AT_ONCE) {
		ssize_t n;

		if (tn_api_buffer_reserve(&c->in, READ_BYTES))
			return lose_for(c, "no memory for an answer");
		n = recv(c->fd, c->in.data + c->in.len, c->in.size - c->in.len, MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n <= 0)
			return lose_for(c, "the data plane closed the connection");
		c->in.len += (size_t)n;
		got += (size_t)n;
		rc = take_all(c);
	}
	return rc;
}

/* --- sending ---------------------------------------------------------------------------------- */

void tn_api_async_flush(struct tn_api_async *c)
{
	while (!c->lost && c->sent < c->out.len) {
		ssize_t n = send(c->fd, c->out.data + c->sent, c->out.len - c->sent,
			MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n > 0)
			c->sent += (size_t)n;
		else if (n == 0 || errno != EINTR)
			break; /* full; or lost, which reading finds out */
	}
	if (c->sent < c->out.len)
		return;
	c->sent = c->out.len = 0;
	if (c->out.size > READ_AT_ONCE)
		tn_api_buffer_fini(&c->out);
}

/* What is gone makes room for what comes. */
static void compact(struct tn_api_async *c)
{
	if (c->sent < c->out.len / 2)
		return;
	tn_api_buffer_consume(&c->out, c->sent);
	c->sent = 0;
}

int tn_api_async_send(struct tn_api_async *c, const struct tn_api_message *request,
	tn_api_answer_fn fn, void *ctx, struct tn_error *err)
{
	struct tn_api_message m = *request;
	struct pending *p;
	int rc = make_place(c, err);

	if (rc)
		return rc;
	compact(c);
	m.request_id = c->last_id + 1;
	rc = tn_api_encode(&c->out, &m, err);
	if (rc)
		return rc;
	p = enlist(c, m.type, fn, ctx);
	if (m.type == TN_API_DUMP)
		p->kind = m.dump.kind;
	return 0;
}

/* Parts go as they are made, so that the other side has begun before the last one is there. */
int tn_api_async_encoded(struct tn_api_async *c, const struct tn_api_encoded *mods, size_t n,
	bool early, tn_api_answer_fn fn, void *ctx, struct tn_error *err)
{
	size_t at = 0;
	int rc = make_place(c, err);

	if (rc)
		return rc;
	compact(c);
	do {
		bool first = !at;

		rc = tn_client_put_part(
			&c->out, mods, n, &at, c->last_id + 1, early ? TN_API_EARLY : 0, err);
		if (rc)
			return first ? rc : lose_for(c, "a bundle was sent by half");
		if (at < n)
			tn_api_async_flush(c);
	} while (at < n);
	enlist(c, TN_API_BUNDLE, fn, ctx)->early = early;
	return 0;
}

void tn_api_async_forget(struct tn_api_async *c, const void *ctx)
{
	for (size_t i = 0; i < c->size; i++) {
		if (c->pending[i].id && c->pending[i].ctx == ctx)
			c->pending[i].fn = NULL;
	}
}

/* --- life ------------------------------------------------------------------------------------- */

static void on_hello(void *ctx, const struct tn_api_message *answer, const struct tn_error *err)
{
	struct tn_api_async *c = ctx;

	if (!err && c->events.ready)
		c->events.ready(c->events.ctx, &answer->hello_reply);
}

struct tn_api_async *tn_api_async_open(
	int fd, const char *name, const struct tn_api_async_events *events, struct tn_error *err)
{
	const struct tn_api_message hello = {.type = TN_API_HELLO, .hello.name = name};
	struct tn_api_async *c = calloc(1, sizeof(*c));

	if (!c) {
		close(fd);
		(void)no_memory(err);
		return NULL;
	}
	c->fd = fd;
	c->events = *events;
	tn_api_arena_init(&c->arena, 0);
	if (!tn_api_async_send(c, &hello, on_hello, c, err))
		return c;
	tn_api_async_free(c);
	return NULL;
}

struct tn_api_async *tn_api_async_connect(const char *path, const char *name,
	const struct tn_api_async_events *events, struct tn_error *err)
{
	int fd = tn_client_dial(path, SOCK_NONBLOCK, err);

	return fd < 0 ? NULL : tn_api_async_open(fd, name, events, err);
}

void tn_api_async_free(struct tn_api_async *c)
{
	if (!c)
		return;
	if (!c->lost)
		(void)lose_for(c, "the connection was closed");
	close(c->fd);
	tn_api_buffer_fini(&c->out);
	tn_api_buffer_fini(&c->in);
	tn_api_arena_fini(&c->arena);
	free(c->pending);
	free(c);
}

int tn_api_async_fd(const struct tn_api_async *c)
{
	return c->fd;
}

uint32_t tn_api_async_wanted(const struct tn_api_async *c)
{
	return c->sent < c->out.len ? EPOLLIN | EPOLLOUT : EPOLLIN;
}

int tn_api_async_process(struct tn_api_async *c, uint32_t epoll_events, struct tn_error *err)
{
	int rc = c->lost ? -EIO : 0;

	if (!rc && epoll_events & EPOLLOUT)
		tn_api_async_flush(c);
	if (!rc && epoll_events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		rc = receive(c);
	if (rc)
		*err = c->why;
	return rc;
}

size_t tn_api_async_in_flight(const struct tn_api_async *c)
{
	return c->n_pending;
}

size_t tn_api_async_queued(const struct tn_api_async *c)
{
	return c->out.len - c->sent;
}
