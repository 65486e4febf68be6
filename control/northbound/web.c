/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/northbound/web.h"

#include <errno.h>
#include <inttypes.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "control/model/json_text.h"
#include "control/northbound/answer.h"
#include "control/northbound/route.h"
#include "dataplane/api/loop.h"

#define NS_PER_S UINT64_C(1000000000)
/* Of a connection: its headers, and buffers of both ways. The library clears it for each request.
 */
#define POOL_BYTES     16384u
#define POOL_INCREMENT 4096u
#define RUNS_MAX       8u /* in a turn of the loop */
#define PRIORITIES     "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

struct tn_web {
	struct tn_web_shared *shared;
	struct MHD_Daemon *daemon;
	int epoll, again; /* again: readable when there is more to do at once */
	bool tls;
	bool due;			 /* `again` is readable */
	struct tn_connection *accepting; /* while it is given to the library */
};

/* What a client is late with. */
enum phase { HEADERS, BODY, ANSWER };

struct tn_connection {
	struct tn_connection *next, **at; /* among all of the server's */
	struct tn_web *web;
	int fd;
	bool is_unix, told; /* told: that it is too late */
	bool bad_escape;    /* in the path or the parameters of the request */
	bool looked_after;  /* the loop tells when the client hangs up */
	bool gone;	    /* it did */
	struct tn_client_id client;
	struct tn_principal peer; /* of a Unix socket; it stays who it was when it connected */
	unsigned peer_group;	  /* group_set that this was found with; 0: not yet */
	enum phase phase;
	uint64_t since_ns; /* in this phase */
	struct exchange *exchange;
	struct MHD_Connection *mhd;
};

/* A request and its answer. */
struct exchange {
	struct tn_connection *connection;
	struct tn_call *call;
	bool head;	/* of the answer its headers alone */
	bool complete;	/* all of the request is here */
	bool suspended; /* the library sleeps until the answer, or more of it, is there */
	bool by_token;
	size_t received, charged; /* bytes of the body; those counted in bodies_bytes */
	struct tn_text part;	  /* of a streamed answer */
	size_t part_at;
	bool ended; /* nothing comes after the part */
};

/* The library's turn. */

static void run_again(struct tn_web *w)
{
	uint64_t one = 1;

	if (!w->due)
		w->due = write(w->again, &one, sizeof(one)) == (ssize_t)sizeof(one);
}

static void run(struct tn_web *w)
{
	MHD_UNSIGNED_LONG_LONG wait;

	for (unsigned i = 0; i < RUNS_MAX; i++) {
		(void)MHD_run(w->daemon);
		if (MHD_get_timeout(w->daemon, &wait) != MHD_YES || wait != 0)
			return;
	}
	run_again(w);
}

static void on_ready(void *ctx, uint32_t events)
{
	(void)events;
	run(ctx);
}

static void on_again(void *ctx, uint32_t events)
{
	struct tn_web *w = ctx;
	uint64_t n;

	(void)events;
	(void)!read(w->again, &n, sizeof(n));
	w->due = false;
	run(w);
}

/* Requests. */

static void enter_phase(struct tn_connection *connection, enum phase phase)
{
	connection->phase = phase;
	connection->since_ns = tn_service_monotonic();
}

/* The library does not tell its epoll descriptor of what is resumed. */
static void wake(struct tn_call *c)
{
	struct exchange *x = c->transport;

	if (!x->suspended)
		return;
	x->suspended = false;
	MHD_resume_connection(x->connection->mhd);
	run_again(x->connection->web);
}

static enum MHD_Result add_query(
	void *ctx, enum MHD_ValueKind kind, const char *key, const char *value)
{
	(void)kind;
	tn_call_add_query(ctx, key, value);
	return MHD_YES;
}

static const char *header(struct tn_call *c, struct MHD_Connection *mhd, const char *name)
{
	const char *value = MHD_lookup_connection_value(mhd, MHD_HEADER_KIND, name);

	return value ? tn_arena_strdup(&c->arena, value) : NULL;
}

static const struct tn_principal *peer_of(struct tn_connection *c)
{
	const struct tn_web_shared *shared = c->web->shared;

	if (c->peer_group != shared->group_set)
		tn_socket_peer(c->fd, shared->group, &c->peer);
	c->peer_group = shared->group_set;
	return &c->peer;
}

/*
 * A token counts more than the certificate, and both more than the user: an agent that runs as root
 * may act for one tenant alone.
 */
static void authenticate(struct exchange *x)
{
	struct tn_web *w = x->connection->web;
	struct tn_principal *who = &x->call->who;
	struct MHD_Connection *mhd = x->connection->mhd;
	const char *value =
		MHD_lookup_connection_value(mhd, MHD_HEADER_KIND, MHD_HTTP_HEADER_AUTHORIZATION);
	const union MHD_ConnectionInfo *info;
	char name[sizeof(who->name)];

	*who = (struct tn_principal){.role = TN_ROLE_NONE};
	x->by_token = true;
	if (value) {
		if (!tn_access_by_header(w->shared->access, value, who))
			who->role = TN_ROLE_NONE;
		return;
	}
	if (w->tls) {
		info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);
		if (info && tn_tls_common_name(info->tls_session, name, sizeof(name)))
			(void)tn_access_by_certificate(w->shared->access, name, who);
		return;
	}
	x->by_token = false;
	if (x->connection->is_unix)
		*who = *peer_of(x->connection);
}

/* TN_NO_METHOD: no route takes it. */
static enum tn_method read_method(const char *name)
{
	static const enum tn_method methods[] = {
		TN_GET, TN_POST, TN_PUT, TN_PATCH, TN_DELETE, TN_OPTIONS};

	if (strcmp(name, MHD_HTTP_METHOD_HEAD) == 0)
		return TN_GET;
	for (size_t i = 0; i < TN_ARRAY_SIZE(methods); i++)
		if (strcmp(tn_method_name(methods[i]), name) == 0)
			return methods[i];
	return TN_NO_METHOD;
}

/*
 * In place; its new length. What is no escape is refused, and so is NUL: it would hide from a
 * string's reader what stands behind it.
 */
static size_t unescape(void *ctx, struct MHD_Connection *mhd, char *s)
{
	struct tn_connection *connection =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
	char *to = s;

	(void)ctx;
	for (const char *p = s; *p; p++) {
		int high, low;

		if (*p != '%') {
			*to++ = *p;
			continue;
		}
		high = tn_json_hex_digit(p[1]);
		low = high < 0 ? -1 : tn_json_hex_digit(p[2]);
		if (low < 0 || !(high | low)) {
			connection->bad_escape = true;
			*to++ = '?';
			continue;
		}
		*to++ = (char)(high << 4 | low);
		p += 2;
	}
	*to = '\0';
	return (size_t)(to - s);
}

static struct exchange *begin(struct tn_connection *connection, const char *url, const char *method)
{
	struct exchange *x = calloc(1, sizeof(*x));
	struct MHD_Connection *mhd = connection->mhd;
	struct tn_call *c;

	if (!x)
		abort();
	c = tn_call_new(connection->web->shared->service);
	x->connection = connection;
	x->call = c;
	connection->exchange = x;
	c->transport = x;
	c->wake = wake;
	c->path = tn_arena_strdup(&c->arena, url);
	(void)MHD_get_connection_values(mhd, MHD_GET_ARGUMENT_KIND, add_query, c);
	c->if_match = header(c, mhd, MHD_HTTP_HEADER_IF_MATCH);
	c->if_none_match = header(c, mhd, MHD_HTTP_HEADER_IF_NONE_MATCH);
	c->idempotency_key = header(c, mhd, "Idempotency-Key");
	c->last_event_id = header(c, mhd, "Last-Event-ID");
	c->accept = header(c, mhd, MHD_HTTP_HEADER_ACCEPT);
	c->content_type = header(c, mhd, MHD_HTTP_HEADER_CONTENT_TYPE);
	c->method = read_method(method);
	x->head = strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
	authenticate(x);
	if (connection->bad_escape)
		tn_answer_error(c, 400,
			"the path or a parameter has a %% without two hex digits, or %%00; escape "
			"what is meant");
	else
		tn_call_begin(c);
	connection->bad_escape = false;
	return x;
}

/* Answers. */

static void look_away(struct tn_connection *connection)
{
	if (connection->looked_after)
		tn_loop_remove(connection->web->shared->loop, connection->fd);
	connection->looked_after = false;
}

static void on_hang_up(void *ctx, uint32_t events)
{
	struct tn_connection *connection = ctx;

	(void)events;
	look_away(connection);
	connection->gone = true;
	if (connection->exchange)
		wake(connection->exchange->call);
}

/* The library does not look at a connection that sleeps, and who watches may sleep for hours. */
static void look_after(struct tn_connection *connection)
{
	if (!connection->looked_after)
		connection->looked_after =
			tn_loop_add(connection->web->shared->loop, connection->fd, EPOLLRDHUP,
				on_hang_up, connection) == 0;
}

static ssize_t read_answer(void *ctx, uint64_t position, char *buf, size_t max)
{
	struct exchange *x = ctx;
	size_t n;

	(void)position;
	if (x->connection->gone)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (x->part_at == x->part.n && !x->ended) {
		x->part.n = x->part_at = 0;
		switch (x->call->produce(x->call, &x->part)) {
		case TN_PRODUCED_END:
			x->ended = true;
			break;
		case TN_PRODUCED_WAIT:
			if (x->part.n)
				break;
			x->suspended = true;
			look_after(x->connection);
			MHD_suspend_connection(x->connection->mhd);
			return 0;
		case TN_PRODUCED_MORE:
			break;
		}
	}
	n = x->part.n - x->part_at;
	if (!n)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (n > max)
		n = max;
	memcpy(buf, x->part.p + x->part_at, n);
	x->part_at += n;
	return (ssize_t)n;
}

static void add_header(struct MHD_Response *r, const char *name, const char *value)
{
	if (value)
		(void)MHD_add_response_header(r, name, value);
}

static enum MHD_Result answer(struct exchange *x)
{
	struct tn_call *c = x->call;
	struct MHD_Response *r;
	enum MHD_Result rc;
	char text[32];

	if (c->produce) {
		x->part = c->text;
		c->text = (struct tn_text){0};
		r = MHD_create_response_from_callback(
			MHD_SIZE_UNKNOWN, POOL_BYTES / 2, read_answer, x, NULL);
	} else {
		r = MHD_create_response_from_buffer(c->text.n, c->text.p, MHD_RESPMEM_PERSISTENT);
	}
	if (!r)
		return MHD_NO;
	/* Else the library would send the end of chunks that it does not send. */
	if (x->head && c->produce)
		(void)MHD_set_response_options(r, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT, MHD_RO_END);
	add_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, c->type);
	add_header(r, MHD_HTTP_HEADER_LOCATION, c->location);
	add_header(r, "Link", c->link);
	add_header(r, MHD_HTTP_HEADER_ALLOW, c->allow);
	add_header(r, MHD_HTTP_HEADER_WWW_AUTHENTICATE, c->challenge);
	add_header(r, MHD_HTTP_HEADER_CACHE_CONTROL, c->produce ? "no-store" : "no-cache");
	if (c->etag && c->status < 400) {
		snprintf(text, sizeof(text), "\"%" PRIu64 "\"", c->etag);
		add_header(r, MHD_HTTP_HEADER_ETAG, text);
	}
	if (c->retry_after) {
		snprintf(text, sizeof(text), "%u", c->retry_after);
		add_header(r, MHD_HTTP_HEADER_RETRY_AFTER, text);
	}
	rc = MHD_queue_response(x->connection->mhd, c->status, r);
	MHD_destroy_response(r);
	return rc;
}

/* Bodies. */

static void last_words(struct tn_connection *connection, unsigned status, const char *text)
{
	const union MHD_ConnectionInfo *info;
	char buf[512];
	size_t n;

	if (!connection->web->tls) {
		tn_socket_last_words(connection->fd, status, text);
		return;
	}
	n = tn_socket_write_last_words(buf, sizeof(buf), status, text);
	info = MHD_get_connection_info(connection->mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	/* Nothing of ours was sent in this request, so that nothing is cut in two. */
	if (info)
		(void)!gnutls_record_send(info->tls_session, buf, n);
}

static void uncharge(struct exchange *x)
{
	x->connection->web->shared->bodies_bytes -= x->charged;
	x->charged = 0;
}

/* Of one that is refused already nothing is kept, and no more is read than of another. */
static enum MHD_Result receive(struct exchange *x, const char *p, size_t n)
{
	struct tn_web_shared *shared = x->connection->web->shared;
	const struct tn_server_limits *limits = &shared->service->limits;
	struct tn_call *c = x->call;

	x->received += n;
	if (x->received > limits->body_bytes) {
		last_words(x->connection, 413, "the body is too large; send several requests");
		return MHD_NO;
	}
	if (c->answered)
		return MHD_YES;
	if (shared->bodies_bytes + n > limits->bodies_bytes) {
		tn_answer_error(c, 503, "too many large requests are under way; try again");
		tn_text_fini(&c->body);
		uncharge(x);
		return MHD_YES;
	}
	shared->bodies_bytes += n;
	x->charged += n;
	tn_text_add(&c->body, p, n);
	return MHD_YES;
}

/* What is said before a body is sent spares sending it. True: it was said. */
static bool refuse_body(struct exchange *x)
{
	struct MHD_Connection *mhd = x->connection->mhd;
	struct tn_call *c = x->call;
	const char *length =
		MHD_lookup_connection_value(mhd, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
	uint32_t max = x->connection->web->shared->service->limits.body_bytes;

	if (length && strtoull(length, NULL, 10) > max) {
		if (!c->answered)
			tn_answer_error(c, 413,
				"the body has %s bytes; up to %u are read: send several requests",
				length, max);
		return true;
	}
	return c->answered &&
		MHD_lookup_connection_value(mhd, MHD_HEADER_KIND, MHD_HTTP_HEADER_EXPECT);
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *mhd, const char *url,
	const char *method, const char *version, const char *upload, size_t *n_upload,
	void **context)
{
	struct exchange *x = *context;
	struct tn_connection *connection;

	(void)ctx;
	(void)version;
	if (!x) {
		connection = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)
				     ->socket_context;
		x = *context = begin(connection, url, method);
		enter_phase(connection, BODY);
		if (!refuse_body(x))
			return MHD_YES;
		enter_phase(connection, ANSWER);
		return answer(x);
	}
	if (*n_upload) {
		enum MHD_Result rc = receive(x, upload, *n_upload);

		*n_upload = 0;
		return rc;
	}
	if (!x->complete) {
		x->complete = true;
		enter_phase(x->connection, ANSWER);
		tn_call_run(x->call);
	}
	if (x->call->answered)
		return answer(x);
	x->suspended = true;
	MHD_suspend_connection(mhd);
	return MHD_YES;
}

static void on_completed(
	void *ctx, struct MHD_Connection *mhd, void **context, enum MHD_RequestTerminationCode code)
{
	struct exchange *x = *context;

	(void)ctx;
	(void)mhd;
	(void)code;
	if (!x)
		return;
	*context = NULL;
	enter_phase(x->connection, HEADERS);
	x->connection->exchange = NULL;
	uncharge(x);
	tn_call_release(x->call);
	tn_text_fini(&x->part);
	free(x);
}

/* Connections. */

static void on_connection(void *ctx, struct MHD_Connection *mhd, void **context,
	enum MHD_ConnectionNotificationCode code)
{
	struct tn_web *w = ctx;
	struct tn_web_shared *shared = w->shared;
	struct tn_connection *connection;

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		connection = *context = w->accepting;
		w->accepting = NULL;
		connection->mhd = mhd;
		connection->next = shared->connections;
		connection->at = &shared->connections;
		if (connection->next)
			connection->next->at = &connection->next;
		shared->connections = connection;
		shared->n_connections++;
		return;
	}
	connection = *context;
	*context = NULL;
	look_away(connection);
	*connection->at = connection->next;
	if (connection->next)
		connection->next->at = connection->at;
	shared->n_connections--;
	free(connection);
}

static bool too_many(const struct tn_web_shared *shared, const struct tn_client_id *client)
{
	const struct tn_server_limits *limits = &shared->service->limits;
	unsigned n = 0;

	if (shared->n_connections >= limits->connections)
		return true;
	for (const struct tn_connection *c = shared->connections; c; c = c->next)
		n += memcmp(&c->client, client, sizeof(*client)) == 0;
	return n >= limits->connections_per_client;
}

void tn_web_add(
	struct tn_web *w, int fd, const struct sockaddr *address, socklen_t len, bool is_unix)
{
	struct tn_connection *connection = calloc(1, sizeof(*connection));

	if (!connection)
		abort();
	connection->web = w;
	connection->fd = fd;
	connection->is_unix = is_unix;
	connection->client = tn_socket_client(fd, address);
	enter_phase(connection, HEADERS);
	if (too_many(w->shared, &connection->client)) {
		if (!w->tls)
			tn_socket_last_words(fd, 503, "too many connections; close some");
		close(fd);
		free(connection);
		return;
	}
	w->accepting = connection;
	(void)MHD_add_connection(w->daemon, fd, address, len);
	/* Refused by the library: it closed the descriptor. */
	free(w->accepting);
	w->accepting = NULL;
}

bool tn_web_busy(const struct tn_web *w)
{
	for (const struct tn_connection *c = w->shared->connections; c; c = c->next)
		if (c->web == w)
			return true;
	return false;
}

/* Time. */

static bool late(const struct tn_connection *c, const struct tn_server_limits *l, uint64_t now)
{
	uint64_t limit = c->phase == HEADERS ? l->header_seconds : l->body_seconds;

	return c->phase != ANSWER && now - c->since_ns > limit * NS_PER_S;
}

void tn_web_tick_all(struct tn_web_shared *shared)
{
	uint64_t now = tn_service_monotonic();

	for (struct tn_connection *c = shared->connections; c; c = c->next) {
		if (c->told || !late(c, &shared->service->limits, now))
			continue;
		/* The library sees the end of the stream, and frees it all. */
		c->told = true;
		last_words(c, 408, "the request did not come in time");
		(void)shutdown(c->fd, SHUT_RDWR);
	}
}

void tn_web_tick(struct tn_web *w)
{
	run(w);
}

void tn_web_end_watches(struct tn_web_shared *shared)
{
	for (struct tn_connection *c = shared->connections; c; c = c->next)
		if (c->exchange && c->exchange->by_token && c->exchange->suspended &&
			c->exchange->call->answered) {
			(void)shutdown(c->fd, SHUT_RDWR);
			wake(c->exchange->call);
		}
}

/* Life. */

static struct MHD_Daemon *start(struct tn_web *w, const struct tn_tls_files *files)
{
	const struct tn_server_limits *l = &w->shared->service->limits;
	unsigned flags = MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME;
	struct MHD_OptionItem tls[] = {{MHD_OPTION_END, 0, NULL}, {MHD_OPTION_END, 0, NULL},
		{MHD_OPTION_END, 0, NULL}, {MHD_OPTION_END, 0, NULL}, {MHD_OPTION_END, 0, NULL}};
	unsigned quiet = l->stall_seconds;

	/* Slow requests are ours to end, with an answer. */
	if (quiet < l->header_seconds)
		quiet = l->header_seconds;
	if (quiet < l->body_seconds)
		quiet = l->body_seconds;
	if (files) {
		flags |= MHD_USE_TLS;
		tls[0] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0, files->certificate};
		tls[1] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0, files->key};
		tls[2] = (struct MHD_OptionItem){
			MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)PRIORITIES};
		if (files->client_ca)
			tls[3] = (struct MHD_OptionItem){
				MHD_OPTION_HTTPS_MEM_TRUST, 0, files->client_ca};
	}
	return MHD_start_daemon(flags, 0, NULL, NULL, on_request, w, MHD_OPTION_NOTIFY_CONNECTION,
		on_connection, w, MHD_OPTION_NOTIFY_COMPLETED, on_completed, w,
		MHD_OPTION_CONNECTION_LIMIT, 65535u, MHD_OPTION_CONNECTION_TIMEOUT, quiet + 2,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)POOL_BYTES,
		MHD_OPTION_CONNECTION_MEMORY_INCREMENT, (size_t)POOL_INCREMENT,
		MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,
		MHD_OPTION_UNESCAPE_CALLBACK, unescape, w, MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
}

struct tn_web *tn_web_new(
	struct tn_web_shared *shared, const struct tn_tls_files *files, struct tn_error *err)
{
	struct tn_web *w = calloc(1, sizeof(*w));
	const union MHD_DaemonInfo *info;

	if (!w)
		abort();
	w->shared = shared;
	w->tls = files != NULL;
	w->epoll = -1;
	w->again = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	w->daemon = start(w, files);
	info = w->daemon ? MHD_get_daemon_info(w->daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
	if (info)
		w->epoll = info->epoll_fd;
	if (w->epoll >= 0 && w->again >= 0 &&
		tn_loop_add(shared->loop, w->epoll, EPOLLIN, on_ready, w) == 0 &&
		tn_loop_add(shared->loop, w->again, EPOLLIN, on_again, w) == 0)
		return w;
	tn_error_set(
		err, TN_OFPBRC_EPERM, -1, "the HTTP server does not start: %s", strerror(errno));
	tn_web_free(w);
	return NULL;
}

void tn_web_free(struct tn_web *w)
{
	if (!w)
		return;
	if (w->epoll >= 0)
		tn_loop_remove(w->shared->loop, w->epoll);
	if (w->again >= 0) {
		tn_loop_remove(w->shared->loop, w->again);
		close(w->again);
	}
	/* None may sleep when the library ends them. */
	for (struct tn_connection *c = w->shared->connections; c; c = c->next)
		if (c->web == w && c->exchange && c->exchange->suspended) {
			c->exchange->suspended = false;
			MHD_resume_connection(c->mhd);
		}
	if (w->daemon)
		MHD_stop_daemon(w->daemon);
	free(w);
}
