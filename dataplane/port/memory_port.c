/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/port/memory_port.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "dataplane/core/view.h"

#define FRAMES_DEFAULT 256u

struct frame {
	uint32_t len;
	uint8_t *data;
};

/* A queue of copies; its bytes belong to it. */
struct frame_ring {
	int bell; /* eventfd: something was put; -1: nobody is told */
	pthread_mutex_t lock;
	struct frame *frames;
	unsigned size, head, n;
};

struct memory_port {
	struct tn_port port; /* first */
	const struct tn_buffer_ops *buffers;
	void *buffers_ctx;
	struct frame_ring *in; /* by receive queue */
	struct frame_ring out;
	bool up;	     /* atomic */
	uint64_t rx_dropped; /* atomic */
};

static struct memory_port *of(struct tn_port *port)
{
	return (struct memory_port *)(void *)port;
}

static bool ring_init(struct frame_ring *r, unsigned size)
{
	r->bell = -1;
	pthread_mutex_init(&r->lock, NULL);
	r->size = size;
	r->frames = calloc(size, sizeof(*r->frames));
	return r->frames != NULL;
}

static void ring_fini(struct frame_ring *r)
{
	for (unsigned i = 0; r->frames && i < r->size; i++)
		free(r->frames[i].data);
	free(r->frames);
	if (r->bell >= 0)
		close(r->bell);
	pthread_mutex_destroy(&r->lock);
}

static int ring_put(struct frame_ring *r, const uint8_t *data, uint32_t len)
{
	const uint64_t one = 1;
	int result = -ENOBUFS;

	pthread_mutex_lock(&r->lock);
	if (r->n < r->size) {
		struct frame *f = &r->frames[(r->head + r->n) % r->size];

		f->data = malloc(len ? len : 1);
		if (f->data) {
			memcpy(f->data, data, len);
			f->len = len;
			r->n++;
			result = 0;
		}
	}
	pthread_mutex_unlock(&r->lock);
	if (r->bell >= 0)
		(void)!write(r->bell, &one, sizeof(one));
	return result;
}

/* The oldest frame, the caller's to free. */
static bool ring_take(struct frame_ring *r, struct frame *f)
{
	bool any;

	pthread_mutex_lock(&r->lock);
	any = r->n > 0;
	if (any) {
		*f = r->frames[r->head];
		r->frames[r->head].data = NULL;
		r->head = (r->head + 1) % r->size;
		r->n--;
	}
	pthread_mutex_unlock(&r->lock);
	return any;
}

static unsigned rx(struct tn_port *port, unsigned queue, struct tn_packet *packets, unsigned n)
{
	struct memory_port *m = of(port);
	unsigned got = 0;
	struct frame f;

	while (got < n && ring_take(&m->in[queue], &f)) {
		struct tn_packet p = {.data = f.data, .len = f.len};

		if (m->buffers->clone(m->buffers_ctx, &p, &packets[got]))
			got++;
		else
			__atomic_fetch_add(&m->rx_dropped, 1, __ATOMIC_RELAXED);
		free(f.data);
	}
	return got;
}

static unsigned tx(struct tn_port *port, unsigned queue, struct tn_packet *packets, unsigned n)
{
	struct memory_port *m = of(port);
	unsigned done = 0;

	(void)queue;
	while (done < n && !ring_put(&m->out, packets[done].data, packets[done].len))
		done++;
	m->buffers->free(m->buffers_ctx, packets, done);
	return done;
}

static int wait_fd(struct tn_port *port, unsigned queue)
{
	return of(port)->in[queue].bell;
}

static bool link_up(struct tn_port *port)
{
	return __atomic_load_n(&of(port)->up, __ATOMIC_RELAXED);
}

static void wire_stats(struct tn_port *port, struct tn_port_wire_stats *stats)
{
	*stats = (struct tn_port_wire_stats){
		.rx_dropped = __atomic_load_n(&of(port)->rx_dropped, __ATOMIC_RELAXED),
	};
}

static void destroy(struct tn_port *port)
{
	struct memory_port *m = of(port);

	for (unsigned i = 0; m->in && i < port->n_rx_queues; i++)
		ring_fini(&m->in[i]);
	ring_fini(&m->out);
	free(m->in);
	free(m);
}

static const struct tn_port_ops ops = {
	.kind = "memory",
	.rx = rx,
	.tx = tx,
	.wait_fd = wait_fd,
	.link_up = link_up,
	.wire_stats = wire_stats,
	.destroy = destroy,
};

struct tn_port *tn_memory_port_new(const struct tn_memory_config *config, struct tn_error *err)
{
	unsigned size = config->n_frames ? config->n_frames : FRAMES_DEFAULT;
	struct memory_port *m = calloc(1, sizeof(*m));
	bool whole;

	if (!m)
		goto no_memory;
	m->port.ops = &ops;
	m->port.n_rx_queues = config->n_rx_queues ? config->n_rx_queues : 1;
	m->port.n_tx_queues = config->n_tx_queues ? config->n_tx_queues : 1;
	m->buffers = config->buffers;
	m->buffers_ctx = config->buffers_ctx;
	m->up = true;
	m->in = calloc(m->port.n_rx_queues, sizeof(*m->in));
	whole = ring_init(&m->out, size) && m->in;
	for (unsigned i = 0; m->in && i < m->port.n_rx_queues; i++)
		whole = ring_init(&m->in[i], size) && whole;
	for (unsigned i = 0; whole && config->tells && i < m->port.n_rx_queues; i++) {
		m->in[i].bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		whole = m->in[i].bell >= 0;
	}
	if (whole)
		return &m->port;
	destroy(&m->port);
no_memory:
	(void)tn_error_set(err, TN_OFPBRC_BAD_PORT, -1, "no memory for a port");
	return NULL;
}

int tn_memory_port_inject(struct tn_port *port, unsigned queue, const uint8_t *data, uint32_t len)
{
	if (len > TN_FRAME_MAX)
		return -EMSGSIZE;
	return ring_put(&of(port)->in[queue], data, len);
}

int tn_memory_port_collect(struct tn_port *port, uint8_t *data, uint32_t size)
{
	struct frame f;
	int len;

	if (!ring_take(&of(port)->out, &f))
		return 0;
	len = f.len <= size ? (int)f.len : -EMSGSIZE;
	if (len > 0)
		memcpy(data, f.data, f.len);
	free(f.data);
	return len;
}

void tn_memory_port_set_link(struct tn_port *port, bool up)
{
	__atomic_store_n(&of(port)->up, up, __ATOMIC_RELAXED);
}

static const struct tn_port_option_rule rules[] = {
	{.key = "tells", .type = TN_OPTION_BOOL},
	{.key = NULL},
};

static struct tn_port *make(const struct tn_port_spec *spec,
	const struct tn_port_resources *resources, struct tn_error *err)
{
	const struct tn_memory_config config = {
		.n_tx_queues = (uint16_t)resources->n_workers,
		.tells = tn_port_option_bool(spec, "tells", false),
		.buffers = resources->buffers,
		.buffers_ctx = resources->buffers_ctx,
	};

	return tn_memory_port_new(&config, err);
}

const struct tn_port_kind tn_memory_port_kind = {.type = "memory", .rules = rules, .make = make};
