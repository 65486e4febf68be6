/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/port/pcap_port.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "dataplane/port/capture.h"

struct pcap_port {
	struct tn_port port; /* first */
	const struct tn_buffer_ops *buffers;
	void *buffers_ctx;

	/* The receiving worker's. */
	char *path;
	struct tn_capture_reader *reader;
	struct tn_capture_record record; /* read, not handed over yet, when `waiting` */
	bool waiting, loop, paced, started;
	uint64_t first_ns;		/* time of the first record of the file */
	uint64_t start_ns;		/* when it was handed over, by our clock */
	uint64_t frames;		/* handed over since the file was opened */
	int timer;			/* of the next frame, while a worker waits for it */
	uint64_t rx_dropped, rx_errors; /* atomic */

	/* Workers share the file: it is for looking at, not for speed. */
	pthread_mutex_t lock;
	struct tn_capture_writer *writer;
	uint64_t tx_errors; /* atomic */
};

static struct pcap_port *of(struct tn_port *port)
{
	return (struct pcap_port *)(void *)port;
}

static void count(uint64_t *counter)
{
	__atomic_store_n(counter, *counter + 1, __ATOMIC_RELAXED);
}

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	(void)clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void end(struct pcap_port *p)
{
	tn_capture_close(p->reader);
	p->reader = NULL;
}

/* The file from its start once more; one without frames would go round for ever. */
static bool rewind_file(struct pcap_port *p)
{
	struct tn_capture_error error;

	if (!p->loop || !p->frames) {
		end(p);
		return false;
	}
	tn_capture_close(p->reader);
	p->reader = tn_capture_open(p->path, &error);
	p->frames = 0;
	p->started = false;
	if (p->reader)
		return true;
	count(&p->rx_errors);
	end(p);
	return false;
}

/* The next record into p->record; false: there is none now. */
static bool fetch(struct pcap_port *p)
{
	struct tn_capture_error error;

	while (!p->waiting) {
		int r = tn_capture_next(p->reader, &p->record, &error);

		if (r < 0) {
			count(&p->rx_errors);
			end(p);
			return false;
		}
		if (r > 0)
			p->waiting = true;
		else if (!rewind_file(p))
			return false;
	}
	return true;
}

/* How long until p->record is to come. */
static uint64_t time_left(struct pcap_port *p)
{
	uint64_t now, at;

	if (!p->paced)
		return 0;
	now = clock_ns(CLOCK_MONOTONIC);
	if (!p->started) {
		p->started = true;
		p->first_ns = p->record.time_ns;
		p->start_ns = now;
	}
	if (p->record.time_ns <= p->first_ns)
		return 0;
	at = p->start_ns + (p->record.time_ns - p->first_ns);
	return at > now ? at - now : 0;
}

static unsigned rx(struct tn_port *port, unsigned queue, struct tn_packet *packets, unsigned n)
{
	struct pcap_port *p = of(port);
	unsigned got = 0;

	(void)queue;
	while (got < n && p->reader && fetch(p) && !time_left(p)) {
		struct tn_packet record = {.len = p->record.len};

		/* A view's data is writable, a clone's source is only read. */
		memcpy(&record.data, &p->record.data, sizeof(record.data));
		p->waiting = false;
		p->frames++;
		if (p->record.len < p->record.wire_len)
			count(&p->rx_errors);
		else if (p->buffers->clone(p->buffers_ctx, &record, &packets[got]))
			got++;
		else
			count(&p->rx_dropped);
	}
	return got;
}

static void write_frames(struct pcap_port *p, const struct tn_packet *packets, unsigned n)
{
	uint64_t now = clock_ns(CLOCK_REALTIME);
	struct tn_capture_error error;

	pthread_mutex_lock(&p->lock);
	for (unsigned i = 0; i < n; i++) {
		const struct tn_packet *f = &packets[i];

		if (tn_capture_write(p->writer, now, f->data, f->len, f->len, &error))
			count(&p->tx_errors);
	}
	pthread_mutex_unlock(&p->lock);
}

static unsigned tx(struct tn_port *port, unsigned queue, struct tn_packet *packets, unsigned n)
{
	struct pcap_port *p = of(port);

	(void)queue;
	if (p->writer)
		write_frames(p, packets, n);
	p->buffers->free(p->buffers_ctx, packets, n);
	return n;
}

static int wait_fd(struct tn_port *port, unsigned queue)
{
	(void)queue;
	return of(port)->timer;
}

/* A capture that is over tells nothing more, and one that is not in time for itself. */
static bool prepare_wait(struct tn_port *port, unsigned queue)
{
	struct pcap_port *p = of(port);
	struct itimerspec in = {0};
	uint64_t left;

	(void)queue;
	if (!p->reader || !fetch(p))
		return true;
	left = time_left(p);
	if (!left)
		return false;
	in.it_value.tv_sec = (time_t)(left / 1000000000u);
	in.it_value.tv_nsec = (long)(left % 1000000000u);
	return !timerfd_settime(p->timer, 0, &in, NULL);
}

static bool link_up(struct tn_port *port)
{
	(void)port;
	return true;
}

static void wire_stats(struct tn_port *port, struct tn_port_wire_stats *stats)
{
	struct pcap_port *p = of(port);

	*stats = (struct tn_port_wire_stats){
		.rx_dropped = __atomic_load_n(&p->rx_dropped, __ATOMIC_RELAXED),
		.rx_errors = __atomic_load_n(&p->rx_errors, __ATOMIC_RELAXED),
		.tx_errors = __atomic_load_n(&p->tx_errors, __ATOMIC_RELAXED),
	};
}

static void destroy(struct tn_port *port)
{
	struct pcap_port *p = of(port);
	struct tn_capture_error error;

	if (p->reader)
		tn_capture_close(p->reader);
	/* A disk that was full: the frames were counted as errors when they were written. */
	if (p->writer && tn_capture_finish(p->writer, &error))
		count(&p->tx_errors);
	pthread_mutex_destroy(&p->lock);
	if (p->timer >= 0)
		close(p->timer);
	free(p->path);
	free(p);
}

static const struct tn_port_ops ops = {
	.kind = "pcap",
	.rx = rx,
	.tx = tx,
	.wait_fd = wait_fd,
	.prepare_wait = prepare_wait,
	.link_up = link_up,
	.wire_stats = wire_stats,
	.maintain_due = tn_port_never_due,
	.destroy = destroy,
};

static int open_files(struct pcap_port *p, const struct tn_pcap_config *c, struct tn_error *err)
{
	struct tn_capture_error error;

	if (c->in) {
		p->path = strdup(c->in);
		p->reader = p->path ? tn_capture_open(c->in, &error) : NULL;
		if (!p->path)
			return tn_error_set(err, TN_OFPBRC_BAD_PORT, -1, "no memory for a path");
		if (!p->reader)
			return tn_error_set(err, TN_OFPBRC_BAD_PORT, -1, "%.220s", error.text);
	}
	if (!c->out)
		return 0;
	p->writer = tn_capture_create(c->out, &error);
	return p->writer ? 0 : tn_error_set(err, TN_OFPBRC_BAD_PORT, -1, "%.220s", error.text);
}

struct tn_port *tn_pcap_port_new(const struct tn_pcap_config *config, struct tn_error *err)
{
	struct pcap_port *p = calloc(1, sizeof(*p));

	if (!p) {
		(void)tn_error_set(err, TN_OFPBRC_BAD_PORT, -1, "no memory for a port");
		return NULL;
	}
	p->port.ops = &ops;
	p->port.n_rx_queues = 1;
	p->port.n_tx_queues = config->n_tx_queues ? config->n_tx_queues : 1;
	p->buffers = config->buffers;
	p->buffers_ctx = config->buffers_ctx;
	p->loop = config->loop;
	p->paced = config->paced;
	pthread_mutex_init(&p->lock, NULL);
	p->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (open_files(p, config, err)) {
		destroy(&p->port);
		return NULL;
	}
	return &p->port;
}

static const struct tn_port_option_rule rules[] = {
	{.key = "in", .type = TN_OPTION_STRING},
	{.key = "out", .type = TN_OPTION_STRING},
	{.key = "loop", .type = TN_OPTION_BOOL},
	{.key = "paced", .type = TN_OPTION_BOOL},
	{.key = NULL},
};

static struct tn_port *make(const struct tn_port_spec *spec,
	const struct tn_port_resources *resources, struct tn_error *err)
{
	const struct tn_pcap_config config = {
		.in = tn_port_option_string(spec, "in", NULL),
		.out = tn_port_option_string(spec, "out", NULL),
		.loop = tn_port_option_bool(spec, "loop", false),
		.paced = tn_port_option_bool(spec, "paced", false),
		.n_tx_queues = (uint16_t)resources->n_workers,
		.buffers = resources->buffers,
		.buffers_ctx = resources->buffers_ctx,
	};

	return tn_pcap_port_new(&config, err);
}

const struct tn_port_kind tn_pcap_port_kind = {.type = "pcap", .rules = rules, .make = make};
