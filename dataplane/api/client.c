/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/api/client.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dataplane/api/client_io.h"

#define READ_BYTES 65536u

struct tn_api_client {
	int fd, timeout_ms;
	bool broken;
	uint64_t last_id;
	struct tn_api_buffer out, in;
	size_t taken; /* bytes of `in` that the message given last was */
	struct tn_api_arena arena;
	struct tn_api_hello_reply server;
	char *server_version;
	tn_api_event_fn event_fn;
	void *event_ctx;
};

static int broken(struct tn_api_client *c, int rc, const char *what, struct tn_error *err)
{
	c->broken = true;
	tn_error_set(
		err, TN_OFPFMFC_UNKNOWN, -1, "%s; connect again and see what is in force", what);
	return rc;
}

/* Until the socket can do it, or it was silent for too long. */
static int wait_for(struct tn_api_client *c, short events, struct tn_error *err)
{
	struct pollfd p = {.fd = c->fd, .events = events};
	int n;

	do
		n = poll(&p, 1, c->timeout_ms);
	while (n < 0 && errno == EINTR);
	if (n > 0)
		return 0;
	if (n == 0)
		return broken(c, -ETIMEDOUT, "the data plane does not answer in time", err);
	return broken(c, -EIO, "cannot wait for the data plane", err);
}

static int send_out(struct tn_api_client *c, struct tn_error *err)
{
	size_t sent = 0;

	while (sent < c->out.len) {
		ssize_t n = send(
			c->fd, c->out.data + sent, c->out.len - sent, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n > 0) {
			sent += (size_t)n;
		} else if (n < 0 && errno == EAGAIN) {
			int rc = wait_for(c, POLLOUT, err);

			if (rc)
				return rc;
		} else if (n == 0 || errno != EINTR) {
			return broken(c, -EIO, "the data plane closed the connection", err);
		}
	}
	c->out.len = 0;
	return 0;
}

static int read_some(struct tn_api_client *c, struct tn_error *err)
{
	for (;;) {
		ssize_t n;

		if (tn_api_buffer_reserve(&c->in, READ_BYTES))
			return broken(c, -EIO, "no memory for an answer", err);
		n = recv(c->fd, c->in.data + c->in.len, READ_BYTES, MSG_DONTWAIT);
		if (n > 0) {
			c->in.len += (size_t)n;
			return 0;
		}
		if (n < 0 && errno == EAGAIN) {
			int rc = wait_for(c, POLLIN, err);

			if (rc)
				return rc;
		} else if (n == 0 || errno != EINTR) {
			return broken(c, -EIO, "the data plane closed the connection", err);
		}
	}
}

/* The next message, which is good until the next call. */
static int receive(struct tn_api_client *c, struct tn_api_message *m, struct tn_error *err)
{
	size_t len = 0;
	int rc;

	tn_api_buffer_consume(&c->in, c->taken);
	c->taken = 0;
	tn_api_arena_reset(&c->arena);
	while (!len) {
		if (tn_api_message_length(c->in.data, c->in.len, &len, err))
			break;
		if (len)
			break;
		rc = read_some(c, err);
		if (rc)
			return rc;
	}
	if (len && !tn_api_decode(c->in.data, len, &c->arena, m, err)) {
		c->taken = len;
		return 0;
	}
	c->broken = true; /* err says what was wrong with it */
	return -EIO;
}

/* The next message that answers the request of this id; events go their way. */
static int receive_answer(
	struct tn_api_client *c, uint64_t id, struct tn_api_message *m, struct tn_error *err)
{
	for (;;) {
		int rc = receive(c, m, err);

		if (rc)
			return rc;
		if (m->type == TN_API_EVENT) {
			if (c->event_fn)
				c->event_fn(c->event_ctx, &m->event);
			continue;
		}
		if (m->type == TN_API_ERROR) {
			*err = m->error;
			c->broken = m->request_id != id;
			return c->broken ? -EIO : -EINVAL;
		}
		if (m->request_id != id)
			return broken(c, -EIO, "an answer came that nobody asked for", err);
		return 0;
	}
}

static int put(struct tn_api_client *c, const struct tn_api_message *request, uint64_t id,
	struct tn_error *err)
{
	struct tn_api_message m = *request;

	m.request_id = id;
	return tn_api_encode(&c->out, &m, err);
}

static int usable(struct tn_api_client *c, struct tn_error *err)
{
	return c->broken ? broken(c, -EIO, "the connection was lost before", err) : 0;
}

/* What is in `out` under this id, and what comes back. */
static int exchange(
	struct tn_api_client *c, uint64_t id, struct tn_api_message *answer, struct tn_error *err)
{
	int rc = send_out(c, err);

	if (!rc)
		rc = receive_answer(c, id, answer, err);
	if (!rc && answer->type == TN_API_RECEIPT && !answer->receipt.version) {
		*err = answer->receipt.error;
		rc = -EINVAL;
	}
	return rc;
}

int tn_api_client_request(struct tn_api_client *c, const struct tn_api_message *request,
	struct tn_api_message *answer, struct tn_error *err)
{
	int rc = usable(c, err);

	if (!rc)
		rc = put(c, request, ++c->last_id, err);
	return rc ? rc : exchange(c, c->last_id, answer, err);
}

int tn_api_client_bundle(struct tn_api_client *c, const struct tn_mod *mods, size_t n,
	uint64_t *version, size_t *failed, struct tn_error *err)
{
	struct tn_api_message answer = {0};
	int rc = usable(c, err);

	*failed = 0;
	if (rc)
		return rc;
	rc = tn_client_put_bundle(&c->out, mods, n, ++c->last_id, 0, failed, err);
	if (!rc)
		rc = exchange(c, c->last_id, &answer, err);
	if (rc == -EINVAL && answer.type == TN_API_RECEIPT)
		*failed = (size_t)answer.receipt.position;
	if (rc)
		return rc;
	if (answer.type != TN_API_RECEIPT)
		return broken(c, -EIO, "a bundle was answered by something else", err);
	*version = answer.receipt.version;
	return 0;
}

int tn_api_client_dump(struct tn_api_client *c, const struct tn_api_dump *dump, tn_api_part_fn fn,
	void *ctx, struct tn_error *err)
{
	const struct tn_api_message request = {.type = TN_API_DUMP, .dump = *dump};
	struct tn_api_message answer;
	uint64_t total = 0;
	int rc = tn_api_client_request(c, &request, &answer, err);

	while (!rc && answer.type == TN_API_PART && answer.part.kind == dump->kind) {
		total += answer.part.n;
		fn(ctx, &answer.part);
		rc = receive_answer(c, c->last_id, &answer, err);
	}
	if (rc)
		return rc;
	if (answer.type != TN_API_END || answer.end.kind != dump->kind || answer.end.total != total)
		return broken(c, -EIO, "a dump came incomplete", err);
	return 0;
}

static int say_hello(struct tn_api_client *c, const char *name, struct tn_error *err)
{
	const struct tn_api_message hello = {.type = TN_API_HELLO, .hello.name = name};
	struct tn_api_message answer;
	int rc = tn_api_client_request(c, &hello, &answer, err);

	if (rc)
		return rc;
	if (answer.type != TN_API_HELLO_REPLY)
		return broken(c, -EIO, "the hello was answered by something else", err);
	c->server = answer.hello_reply;
	c->server_version = strdup(answer.hello_reply.version);
	c->server.version = c->server_version;
	return c->server_version ? 0 : broken(c, -EIO, "no memory for an answer", err);
}

struct tn_api_client *tn_api_client_open(
	int fd, const char *name, int timeout_ms, struct tn_error *err)
{
	struct tn_api_client *c = calloc(1, sizeof(*c));

	if (!c) {
		close(fd);
		tn_error_set(err, TN_OFPFMFC_UNKNOWN, -1, "no memory for a connection");
		return NULL;
	}
	c->fd = fd;
	c->timeout_ms = timeout_ms;
	tn_api_arena_init(&c->arena, 0);
	if (!say_hello(c, name, err))
		return c;
	tn_api_client_free(c);
	return NULL;
}

struct tn_api_client *tn_api_client_connect(
	const char *path, const char *name, int timeout_ms, struct tn_error *err)
{
	int fd = tn_client_dial(path, 0, err);

	if (fd < 0)
		return NULL;
	return tn_api_client_open(fd, name, timeout_ms, err);
}

void tn_api_client_free(struct tn_api_client *c)
{
	if (!c)
		return;
	close(c->fd);
	tn_api_buffer_fini(&c->out);
	tn_api_buffer_fini(&c->in);
	tn_api_arena_fini(&c->arena);
	free(c->server_version);
	free(c);
}

const struct tn_api_hello_reply *tn_api_client_server(const struct tn_api_client *c)
{
	return &c->server;
}

void tn_api_client_set_event_fn(struct tn_api_client *c, tn_api_event_fn fn, void *ctx)
{
	c->event_fn = fn;
	c->event_ctx = ctx;
}
