/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/northbound/server.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <unistd.h>

#include "control/northbound/web.h"

#define ACCEPTS_MAX 32u /* of a listener, in a turn of the loop */

struct listener {
	struct tn_server *server;
	int fd;
	bool is_unix;
	char *address;	    /* or path */
	uint16_t port;	    /* as it was asked for */
	struct tn_web *web; /* of its own, with TLS; else the server's */
};

struct listeners {
	struct listener **list; /* the Unix one first, where there is one; then as the options */
	size_t n;
	bool has_unix;
};

struct tn_server {
	struct tn_web_shared shared;
	struct tn_web *plain;
	struct tn_web **retired; /* with connections made before a reload */
	size_t n_retired;
	struct listeners listeners;
	char *group;
	int timer;
	int spare; /* a descriptor, closed to accept one more and refuse it */
};

/* Accepting. */

static void refuse_one(struct tn_server *s, int listener)
{
	int fd;

	close(s->spare);
	fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0) {
		tn_socket_last_words(fd, 503, "no more descriptors; close connections");
		close(fd);
	}
	s->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void on_client(void *ctx, uint32_t events)
{
	struct listener *l = ctx;
	struct tn_web *web = l->web ? l->web : l->server->plain;
	struct sockaddr_storage a;
	socklen_t len;

	(void)events;
	for (unsigned i = 0; i < ACCEPTS_MAX; i++) {
		int fd;

		len = sizeof(a);
		memset(&a, 0, sizeof(a));
		fd = accept4(l->fd, (struct sockaddr *)&a, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0) {
			if (errno == EMFILE || errno == ENFILE)
				refuse_one(l->server, l->fd);
			return;
		}
		/* The address of a client on a Unix socket is only its family. */
		if (l->is_unix)
			len = sizeof(struct sockaddr_un);
		tn_web_add(web, fd, (struct sockaddr *)&a, len, l->is_unix);
	}
}

/* Listeners. */

static void listener_free(struct listener *l)
{
	if (!l)
		return;
	if (l->fd >= 0) {
		tn_loop_remove(l->server->shared.loop, l->fd);
		close(l->fd);
		if (l->is_unix)
			(void)unlink(l->address);
	}
	free(l->address);
	free(l);
}

static struct listener *listener_new(
	struct tn_server *s, int fd, const char *address, bool is_unix, struct tn_error *err)
{
	struct listener *l = calloc(1, sizeof(*l));

	if (!l)
		abort();
	*l = (struct listener){.server = s, .fd = fd, .is_unix = is_unix};
	l->address = strdup(address);
	if (!l->address)
		abort();
	if (tn_loop_add(s->shared.loop, fd, EPOLLIN, on_client, l) == 0)
		return l;
	tn_error_set(err, TN_OFPBRC_EPERM, -1, "epoll: %s", strerror(errno));
	listener_free(l);
	return NULL;
}

static bool holds(const struct listeners *ls, const struct listener *l)
{
	for (size_t i = 0; i < ls->n; i++)
		if (ls->list[i] == l)
			return true;
	return false;
}

/* One that is open and not among those taken. */
static struct listener *find(const struct tn_server *s, const struct listeners *taken,
	const char *address, uint16_t port, bool is_unix)
{
	for (size_t i = 0; i < s->listeners.n; i++) {
		struct listener *l = s->listeners.list[i];

		if (l->is_unix == is_unix && l->port == port && strcmp(l->address, address) == 0 &&
			!holds(taken, l))
			return l;
	}
	return NULL;
}

static struct listener *listen_unix(struct tn_server *s, const struct listeners *taken,
	const struct tn_server_unix *o, struct tn_error *err)
{
	struct listener *l = find(s, taken, o->path, 0, true);
	int fd;

	if (l)
		return tn_socket_own(o, err) ? NULL : l;
	fd = tn_socket_listen_unix(o, err);
	return fd < 0 ? NULL : listener_new(s, fd, o->path, true, err);
}

static struct listener *listen_tcp(struct tn_server *s, const struct listeners *taken,
	const struct tn_server_tcp *o, struct tn_error *err)
{
	struct listener *l = find(s, taken, o->address, o->port, false);
	int fd;

	if (l)
		return l;
	fd = tn_socket_listen_tcp(o, err);
	if (fd < 0)
		return NULL;
	l = listener_new(s, fd, o->address, false, err);
	if (l)
		l->port = o->port;
	return l;
}

/* Ends those of `old` that `kept` does not have. */
static void end_listeners(struct listeners *old, const struct listeners *kept)
{
	for (size_t i = 0; i < old->n; i++)
		if (!holds(kept, old->list[i]))
			listener_free(old->list[i]);
	free(old->list);
	*old = (struct listeners){0};
}

/* The server's own stay open; -EINVAL: those that are new were closed again. */
static int open_listeners(struct tn_server *s, const struct tn_server_options *o,
	struct listeners *ls, struct tn_error *err)
{
	struct listener *l;

	*ls = (struct listeners){.has_unix = o->socket.path != NULL};
	ls->list = calloc(o->n_tcp + 1, sizeof(*ls->list));
	if (!ls->list)
		abort();
	if (ls->has_unix) {
		l = listen_unix(s, ls, &o->socket, err);
		if (!l)
			goto fail;
		ls->list[ls->n++] = l;
	}
	for (size_t i = 0; i < o->n_tcp; i++) {
		l = listen_tcp(s, ls, &o->tcp[i], err);
		if (!l)
			goto fail;
		ls->list[ls->n++] = l;
	}
	return 0;
fail:
	end_listeners(ls, &s->listeners);
	return -EINVAL;
}

/* One for each listener with TLS; NULL elsewhere. */
static struct tn_web **open_webs(
	struct tn_server *s, const struct tn_server_options *o, struct tn_error *err)
{
	struct tn_web **webs = calloc(o->n_tcp + 1, sizeof(*webs));
	struct tn_tls_files files;
	size_t i;

	if (!webs)
		abort();
	for (i = 0; i < o->n_tcp; i++) {
		if (!o->tcp[i].certificate)
			continue;
		if (tn_tls_load(&files, &o->tcp[i], err) == 0)
			webs[i] = tn_web_new(&s->shared, &files, err);
		tn_tls_fini(&files);
		if (!webs[i])
			goto fail;
	}
	return webs;
fail:
	for (i = 0; i < o->n_tcp; i++)
		tn_web_free(webs[i]);
	free(webs);
	return NULL;
}

/* Connections that it has stay. */
static void retire(struct tn_server *s, struct tn_web *w)
{
	if (!w)
		return;
	s->retired = realloc(s->retired, (s->n_retired + 1) * sizeof(*s->retired));
	if (!s->retired)
		abort();
	s->retired[s->n_retired++] = w;
}

static void take_webs(struct tn_server *s, struct tn_web **webs)
{
	size_t first = s->listeners.has_unix;

	for (size_t i = first; i < s->listeners.n; i++) {
		retire(s, s->listeners.list[i]->web);
		s->listeners.list[i]->web = webs[i - first];
	}
	free(webs);
}

static int apply(struct tn_server *s, const struct tn_server_options *o, struct tn_error *err)
{
	struct tn_access *access = tn_access_new(
		o->tokens, o->n_tokens, tn_engine_names(s->shared.service->engine), err);
	struct listeners ls, old = s->listeners;
	struct tn_web **webs;

	if (!access)
		return -EINVAL;
	webs = open_webs(s, o, err);
	if (!webs) {
		tn_access_free(access);
		return -EINVAL;
	}
	if (open_listeners(s, o, &ls, err)) {
		for (size_t i = 0; i < o->n_tcp; i++)
			tn_web_free(webs[i]);
		free(webs);
		tn_access_free(access);
		return -EINVAL;
	}
	for (size_t i = 0; i < old.n; i++)
		if (!holds(&ls, old.list[i])) {
			retire(s, old.list[i]->web);
			old.list[i]->web = NULL;
		}
	s->listeners = ls;
	take_webs(s, webs);
	end_listeners(&old, &ls);
	tn_access_free(s->shared.access);
	s->shared.access = access;
	s->shared.service->limits = o->limits;
	tn_server_limits_complete(&s->shared.service->limits);
	free(s->group);
	s->group = o->socket.group ? strdup(o->socket.group) : NULL;
	s->shared.group = s->group;
	s->shared.group_set++;
	return 0;
}

/* Time. */

static void free_retired(struct tn_server *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n_retired; i++)
		if (tn_web_busy(s->retired[i]))
			s->retired[n++] = s->retired[i];
		else
			tn_web_free(s->retired[i]);
	s->n_retired = n;
}

static void on_tick(void *ctx, uint32_t events)
{
	struct tn_server *s = ctx;
	uint64_t times;

	(void)events;
	(void)!read(s->timer, &times, sizeof(times));
	tn_service_tick(s->shared.service);
	tn_web_tick_all(&s->shared);
	tn_web_tick(s->plain);
	for (size_t i = 0; i < s->listeners.n; i++)
		if (s->listeners.list[i]->web)
			tn_web_tick(s->listeners.list[i]->web);
	for (size_t i = 0; i < s->n_retired; i++)
		tn_web_tick(s->retired[i]);
	free_retired(s);
}

static int start_timer(struct tn_server *s, struct tn_error *err)
{
	const struct itimerspec second = {{1, 0}, {1, 0}};

	s->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (s->timer >= 0 && timerfd_settime(s->timer, 0, &second, NULL) == 0 &&
		tn_loop_add(s->shared.loop, s->timer, EPOLLIN, on_tick, s) == 0)
		return 0;
	return tn_error_set(
		err, TN_OFPBRC_EPERM, -1, "a timer does not start: %s", strerror(errno));
}

/* Life. */

int tn_server_check(const struct tn_server_options *o, struct tn_error *err)
{
	struct tn_access *access = tn_access_new(o->tokens, o->n_tokens, NULL, err);
	struct tn_tls_files files;
	int rc = 0;

	if (!access)
		return -EINVAL;
	tn_access_free(access);
	for (size_t i = 0; i < o->n_tcp && !rc; i++) {
		rc = tn_socket_check_tcp(&o->tcp[i], err);
		if (rc || !o->tcp[i].certificate)
			continue;
		rc = tn_tls_load(&files, &o->tcp[i], err);
		tn_tls_fini(&files);
	}
	return rc;
}

struct tn_server *tn_server_new(struct tn_loop *loop, struct tn_engine *engine,
	const struct tn_server_options *options, struct tn_error *err)
{
	struct tn_server *s;

	if (tn_server_check(options, err))
		return NULL;
	s = calloc(1, sizeof(*s));
	if (!s)
		abort();
	/* A client that is gone is found by what write() returns. */
	(void)signal(SIGPIPE, SIG_IGN);
	s->timer = -1;
	s->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
	s->shared.loop = loop;
	s->shared.service = tn_service_new(engine, &options->limits);
	s->plain = tn_web_new(&s->shared, NULL, err);
	if (s->plain && start_timer(s, err) == 0 && apply(s, options, err) == 0)
		return s;
	tn_server_free(s);
	return NULL;
}

int tn_server_reload(
	struct tn_server *s, const struct tn_server_options *options, struct tn_error *err)
{
	if (tn_server_check(options, err) || apply(s, options, err))
		return -EINVAL;
	tn_web_end_watches(&s->shared);
	return 0;
}

void tn_server_free(struct tn_server *s)
{
	struct listeners none = {0};

	if (!s)
		return;
	if (s->timer >= 0) {
		tn_loop_remove(s->shared.loop, s->timer);
		close(s->timer);
	}
	for (size_t i = 0; i < s->listeners.n; i++) {
		retire(s, s->listeners.list[i]->web);
		s->listeners.list[i]->web = NULL;
	}
	end_listeners(&s->listeners, &none);
	for (size_t i = 0; i < s->n_retired; i++)
		tn_web_free(s->retired[i]);
	free(s->retired);
	tn_web_free(s->plain);
	tn_service_free(s->shared.service);
	tn_access_free(s->shared.access);
	free(s->group);
	if (s->spare >= 0)
		close(s->spare);
	free(s);
}

uint16_t tn_server_tcp_port(const struct tn_server *s, size_t i)
{
	return tn_socket_port(s->listeners.list[i + s->listeners.has_unix]->fd);
}
