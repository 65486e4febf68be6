/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * HTTP/1.1 requests over a Unix socket, one after another on each connection, and how long they
 * take. All answers must be 2xx. Prints a line of JSON. For tests/bench/northbound.
 *
 *   http_load SOCKET METHOD PATH [--bodies FILE] [--connections N] [--watch PATH]
 *
 * --bodies: a request for each line, whose body it is; without: one request without a body.
 * --watch: a stream of lines, opened first; it is measured, too, how long after a request was sent
 * its line comes. One connection then.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_MAX 256u
#define HEAD_MAX	16384u
#define TIMEOUT_MS	120000

static void __attribute__((noreturn, format(printf, 1, 2))) die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("http_load: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* What comes of an answer: its head first, then a body of a known length, or chunks. */
struct answer {
	char head[HEAD_MAX];
	size_t n_head;
	bool in_body, chunked, done;
	uint64_t left; /* of the body, or of the chunk with its line end */
	char line[32]; /* the size of the next chunk, so far */
	size_t n_line;
	bool last_chunk;
	unsigned status;
	uint64_t bytes; /* of the body, for streams: lines in it */
	uint64_t lines;
};

struct connection {
	int fd;
	struct rest {
		const char *p;
		size_t n;
	} out[2]; /* head and body of the request that is being sent */
	char head[512];
	struct answer answer;
	uint64_t sent_ns;
	bool busy;
};

struct run {
	const char *socket, *method, *path, *watch_path;
	const char *bodies, *at, *end;
	unsigned n_connections;
	struct connection connections[CONNECTIONS_MAX], watch;
	uint64_t *took_ns, *watched_ns; /* by request */
	size_t n_sent, n_done, n_all;
	uint64_t body_bytes;
};

static int connect_to(const char *path)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(to.sun_path, sizeof(to.sun_path), "%s", path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)))
		die("%s: %s", path, strerror(errno));
	(void)fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

/* --- answers --- */

static void begin_body(struct answer *a)
{
	const char *length;

	a->head[a->n_head] = '\0';
	if (sscanf(a->head, "HTTP/1.1 %u", &a->status) != 1)
		die("no answer: %.60s", a->head);
	a->in_body = true;
	length = strcasestr(a->head, "\r\ncontent-length:");
	a->chunked = strcasestr(a->head, "\r\ntransfer-encoding: chunked") != NULL;
	if (length)
		a->left = strtoull(length + 17, NULL, 10);
	else if (!a->chunked)
		a->left = 0;
	a->done = !a->chunked && !a->left;
}

static size_t take_head(struct answer *a, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (a->n_head + 1 == sizeof(a->head))
			die("a head of over %u bytes", HEAD_MAX);
		a->head[a->n_head++] = p[i];
		if (a->n_head >= 4 && !memcmp(a->head + a->n_head - 4, "\r\n\r\n", 4)) {
			begin_body(a);
			return i + 1;
		}
	}
	return n;
}

/* Bytes of the body, some of which may be the line end of a chunk. */
static size_t take_body(struct answer *a, const char *p, size_t n)
{
	if (n > a->left)
		n = a->left;
	for (const char *q = p; (q = memchr(q, '\n', n - (size_t)(q - p))); q++)
		a->lines += !(a->chunked && a->left - (size_t)(q - p) == 1);
	a->left -= n;
	a->bytes += n;
	if (!a->left)
		a->done = !a->chunked || a->last_chunk;
	return n;
}

static size_t take_size(struct answer *a, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (a->n_line + 1 == sizeof(a->line))
			die("no chunk");
		a->line[a->n_line++] = p[i];
		if (p[i] != '\n')
			continue;
		a->line[a->n_line] = '\0';
		a->left = strtoull(a->line, NULL, 16);
		a->last_chunk = !a->left;
		a->left += 2;
		a->n_line = 0;
		return i + 1;
	}
	return n;
}

static void take(struct answer *a, const char *p, size_t n)
{
	while (n) {
		size_t used;

		if (a->done)
			die("more than the answer");
		used = !a->in_body ? take_head(a, p, n)
			: a->left  ? take_body(a, p, n)
				   : take_size(a, p, n);
		p += used;
		n -= used;
	}
}

/* Whatever is there. */
static void receive(struct connection *c)
{
	static char buf[1 << 18];
	ssize_t n;

	do {
		n = recv(c->fd, buf, sizeof(buf), 0);
		if (n > 0)
			take(&c->answer, buf, (size_t)n);
	} while (n == (ssize_t)sizeof(buf));
	if (n == 0 || (n < 0 && errno != EAGAIN))
		die("the connection ended");
}

/* --- requests --- */

/* As a client does it: head and body in one piece. */
static void push(struct connection *c)
{
	while (c->out[0].n + c->out[1].n) {
		struct iovec v[2] = {{(void *)(uintptr_t)c->out[0].p, c->out[0].n},
			{(void *)(uintptr_t)c->out[1].p, c->out[1].n}};
		struct msghdr m = {.msg_iov = v, .msg_iovlen = 2};
		ssize_t n = sendmsg(c->fd, &m, MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0)
			die("the connection ended");
		for (unsigned i = 0; i < 2; i++) {
			size_t part = (size_t)n < c->out[i].n ? (size_t)n : c->out[i].n;

			c->out[i].p += part;
			c->out[i].n -= part;
			n -= (ssize_t)part;
		}
	}
}

static void ask(
	struct connection *c, const char *method, const char *path, const char *body, size_t size)
{
	int n = snprintf(c->head, sizeof(c->head),
		"%s %s HTTP/1.1\r\nHost: localhost\r\n"
		"Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
		method, path, size);

	memset(&c->answer, 0, sizeof(c->answer));
	c->out[0].p = c->head;
	c->out[0].n = (size_t)n;
	c->out[1].p = body;
	c->out[1].n = size;
	c->sent_ns = now_ns();
	c->busy = true;
	push(c);
}

static void next(struct run *r, struct connection *c)
{
	const char *end;

	if (r->n_sent == r->n_all)
		return;
	end = r->bodies ? memchr(r->at, '\n', (size_t)(r->end - r->at)) : NULL;
	ask(c, r->method, r->path, r->at, end ? (size_t)(end - r->at) : 0);
	r->n_sent++;
	if (end)
		r->at = end + 1;
}

static void finish(struct run *r, struct connection *c)
{
	r->took_ns[r->n_done++] = now_ns() - c->sent_ns;
	r->body_bytes += c->answer.bytes;
	c->busy = false;
	if (c->answer.status / 100 != 2)
		die("status %u for request %zu", c->answer.status, r->n_done);
}

static void wait_for(struct connection *const *list, unsigned n)
{
	struct pollfd p[CONNECTIONS_MAX + 1];

	for (unsigned i = 0; i < n; i++)
		p[i] = (struct pollfd){list[i]->fd,
			(short)(POLLIN | (list[i]->out[0].n + list[i]->out[1].n ? POLLOUT : 0)), 0};
	if (poll(p, n, TIMEOUT_MS) <= 0)
		die("no answer for %d s", TIMEOUT_MS / 1000);
	for (unsigned i = 0; i < n; i++) {
		if (p[i].revents & POLLOUT)
			push(list[i]);
		if (p[i].revents & ~POLLOUT)
			receive(list[i]);
	}
}

static void run_all(struct run *r)
{
	while (r->n_done < r->n_all) {
		struct connection *busy[CONNECTIONS_MAX];
		unsigned n = 0;

		for (unsigned i = 0; i < r->n_connections; i++) {
			struct connection *c = &r->connections[i];

			if (c->busy && c->answer.done)
				finish(r, c);
			if (!c->busy)
				next(r, c);
			if (c->busy)
				busy[n++] = c;
		}
		if (n)
			wait_for(busy, n);
	}
}

/* --- with a watcher --- */

static void open_watch(struct run *r)
{
	struct connection *w = &r->watch;

	w->fd = connect_to(r->socket);
	ask(w, "GET", r->watch_path, NULL, 0);
	/* SYNCED: what comes from here on is news. */
	while (!w->answer.lines)
		wait_for(&w, 1);
	if (w->answer.status != 200)
		die("watch: status %u", w->answer.status);
}

static void run_watched(struct run *r)
{
	struct connection *c = &r->connections[0], *both[2] = {c, &r->watch};
	uint64_t lines = r->watch.answer.lines;

	while (r->n_done < r->n_all) {
		uint64_t watched = 0;

		next(r, c);
		while (!c->answer.done || !watched) {
			wait_for(both, 2);
			if (!watched && r->watch.answer.lines > lines)
				watched = now_ns() - c->sent_ns;
		}
		lines = r->watch.answer.lines;
		r->watched_ns[r->n_done] = watched;
		finish(r, c);
	}
}

/* --- results --- */

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void print_times(const char *name, uint64_t *ns, size_t n)
{
	qsort(ns, n, sizeof(*ns), compare);
	printf(", \"%s\": {\"median\": %.3f, \"p99\": %.3f, \"max\": %.3f}", name,
		(double)ns[n / 2] / 1e6, (double)ns[n * 99 / 100] / 1e6, (double)ns[n - 1] / 1e6);
}

static void map_bodies(struct run *r, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		die("%s: %s", path, strerror(errno));
	r->bodies = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	if (r->bodies == MAP_FAILED)
		die("%s: %s", path, strerror(errno));
	close(fd);
	r->at = r->bodies;
	r->end = r->bodies + st.st_size;
	r->n_all = 0;
	for (const char *p = r->at; (p = memchr(p, '\n', (size_t)(r->end - p))); p++)
		r->n_all++;
}

static void parse(struct run *r, int argc, char **argv)
{
	if (argc < 4)
		die("usage: http_load SOCKET METHOD PATH [--bodies FILE] [--connections N] "
		    "[--watch PATH]");
	*r = (struct run){.socket = argv[1], .method = argv[2], .path = argv[3]};
	r->n_all = r->n_connections = 1;
	for (int i = 4; i + 1 < argc; i += 2) {
		if (!strcmp(argv[i], "--bodies"))
			map_bodies(r, argv[i + 1]);
		else if (!strcmp(argv[i], "--connections"))
			r->n_connections = (unsigned)atoi(argv[i + 1]);
		else if (!strcmp(argv[i], "--watch"))
			r->watch_path = argv[i + 1];
		else
			die("unknown option %s", argv[i]);
	}
	if (!r->n_connections || r->n_connections > CONNECTIONS_MAX || !r->n_all)
		die("1 to %u connections, and a request", CONNECTIONS_MAX);
}

int main(int argc, char **argv)
{
	static struct run r;
	double seconds;

	parse(&r, argc, argv);
	r.took_ns = calloc(r.n_all, sizeof(*r.took_ns));
	r.watched_ns = calloc(r.n_all, sizeof(*r.watched_ns));
	if (!r.took_ns || !r.watched_ns)
		die("out of memory");
	for (unsigned i = 0; i < r.n_connections; i++)
		r.connections[i].fd = connect_to(r.socket);
	if (r.watch_path)
		open_watch(&r);
	seconds = -(double)now_ns() / 1e9;
	if (r.watch_path)
		run_watched(&r);
	else
		run_all(&r);
	seconds += (double)now_ns() / 1e9;
	printf("{\"requests\": %zu, \"seconds\": %.6f, \"rate\": %.1f, \"bytes\": %llu", r.n_all,
		seconds, (double)r.n_all / seconds, (unsigned long long)r.body_bytes);
	print_times("ms", r.took_ns, r.n_all);
	if (r.watch_path)
		print_times("watched_ms", r.watched_ns, r.n_all);
	puts("}");
	return 0;
}
