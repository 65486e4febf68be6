/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/port/afxdp.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/port/kernel_port.h"
#include "dataplane/port/netdev.h"
#include "dataplane/port/netns.h"
#include "dataplane/port/partial_checksum.h"
#include "dataplane/port/xdp_redirect.h"
#include "dataplane/port/xsk.h"

#define FRAMES_DEFAULT 1024u
#define FRAMES_MIN     64u
#define FRAMES_MAX     4096u
#define QUEUES_MAX     64u

struct afxdp_queue {
	struct tn_xsk *xsk;
	uint64_t rx_dropped; /* written by the receiving worker */

	/*
	 * There may be more workers than queues. A worker that has a queue for itself never waits,
	 * and the others would wait in the kernel, which locks the socket too.
	 */
	pthread_spinlock_t lock __attribute__((aligned(TN_CACHE_LINE)));
	uint64_t tx_errors; /* under lock */
} __attribute__((aligned(TN_CACHE_LINE)));

struct afxdp_port {
	struct tn_port port; /* first */
	const struct tn_buffer_ops *buffers;
	void *buffers_ctx;
	struct tn_netdev dev;
	struct tn_xdp_redirect redirect;
	bool up; /* atomic */
	unsigned n_queues;
	struct afxdp_queue *queues;
};

struct opening {
	struct afxdp_port *p;
	const struct tn_afxdp_config *config;
};

static struct afxdp_port *of(struct tn_port *port)
{
	return (struct afxdp_port *)(void *)port;
}

/* Frames of the socket's memory into buffers of the process. */
static unsigned copy_in(struct afxdp_port *p, struct afxdp_queue *q,
	const struct tn_xsk_frame *frames, unsigned n, struct tn_packet *packets)
{
	unsigned got = 0;

	for (unsigned i = 0; i < n; i++) {
		struct tn_packet f = {.data = frames[i].data, .len = frames[i].len};

		(void)tn_partial_checksum_complete(f.data, f.len);
		if (p->buffers->clone(p->buffers_ctx, &f, &packets[got]))
			got++;
		else
			__atomic_store_n(&q->rx_dropped, q->rx_dropped + 1, __ATOMIC_RELAXED);
	}
	return got;
}

static unsigned rx(struct tn_port *port, unsigned queue, struct tn_packet *packets, unsigned n)
{
	struct afxdp_port *p = of(port);
	struct afxdp_queue *q = &p->queues[queue];
	struct tn_xsk_frame frames[TN_BURST];
	unsigned got = 0, some;

	if (n > TN_BURST)
		n = TN_BURST;
	while (got < n) {
		some = tn_xsk_receive(q->xsk, frames, n - got);
		got += copy_in(p, q, frames, some, packets + got);
		/* Short of what was asked: it is empty, or these came in pieces. */
		if (!some || !tn_xsk_mtu_needs_frags(port->mtu))
			break;
	}
	return got;
}

static unsigned tx(struct tn_port *port, unsigned queue, struct tn_packet *packets, unsigned n)
{
	struct afxdp_port *p = of(port);
	struct afxdp_queue *q = &p->queues[queue % p->n_queues];
	unsigned done = 0;

	pthread_spin_lock(&q->lock);
	for (; done < n; done++) {
		int r = tn_xsk_send(q->xsk, packets[done].data, packets[done].len);

		if (r == -ENOBUFS)
			break;
		if (r)
			__atomic_store_n(&q->tx_errors, q->tx_errors + 1, __ATOMIC_RELAXED);
	}
	if (done)
		tn_xsk_flush(q->xsk);
	else
		tn_xsk_kick(q->xsk);
	pthread_spin_unlock(&q->lock);
	p->buffers->free(p->buffers_ctx, packets, done);
	return done;
}

static int wait_fd(struct tn_port *port, unsigned queue)
{
	return tn_xsk_fd(of(port)->queues[queue].xsk);
}

static bool link_up(struct tn_port *port)
{
	return __atomic_load_n(&of(port)->up, __ATOMIC_RELAXED);
}

static void wire_stats(struct tn_port *port, struct tn_port_wire_stats *stats)
{
	struct afxdp_port *p = of(port);
	struct tn_xsk_stats s;

	*stats = (struct tn_port_wire_stats){0};
	for (unsigned i = 0; i < p->n_queues; i++) {
		const struct afxdp_queue *q = &p->queues[i];

		tn_xsk_stats(q->xsk, &s);
		stats->rx_dropped += s.rx_dropped;
		stats->rx_dropped += __atomic_load_n(&q->rx_dropped, __ATOMIC_RELAXED);
		stats->rx_errors += s.rx_errors;
		stats->tx_errors += s.tx_errors;
		stats->tx_errors += __atomic_load_n(&q->tx_errors, __ATOMIC_RELAXED);
	}
}

static void maintain(struct tn_port *port, uint64_t now_ns)
{
	struct afxdp_port *p = of(port);

	(void)now_ns;
	__atomic_store_n(&p->up, tn_netdev_running(&p->dev), __ATOMIC_RELAXED);
	/* Frames that the kernel could not send and after which no others came. */
	for (unsigned i = 0; i < p->n_queues; i++)
		tn_xsk_kick(p->queues[i].xsk);
}

static int link_fd(struct tn_port *port)
{
	return of(port)->dev.watch_fd;
}

static uint64_t maintain_due(struct tn_port *port)
{
	const struct afxdp_port *p = of(port);

	for (unsigned i = 0; i < p->n_queues; i++) {
		if (tn_xsk_waiting(p->queues[i].xsk))
			return 0;
	}
	return tn_netdev_due(&p->dev);
}

static void destroy(struct tn_port *port)
{
	struct afxdp_port *p = of(port);

	tn_xdp_redirect_detach(&p->redirect);
	for (unsigned i = 0; i < p->n_queues; i++) {
		tn_xsk_free(p->queues[i].xsk);
		pthread_spin_destroy(&p->queues[i].lock);
	}
	tn_netdev_close(&p->dev);
	free(p->queues);
	free(p);
}

static const struct tn_port_ops ops = {
	.kind = "veth",
	.rx = rx,
	.tx = tx,
	.wait_fd = wait_fd,
	.link_up = link_up,
	.wire_stats = wire_stats,
	.maintain = maintain,
	.link_fd = link_fd,
	.maintain_due = maintain_due,
	.destroy = destroy,
};

static int open_queues(const struct opening *o, struct tn_error *err)
{
	struct afxdp_port *p = o->p;
	struct tn_xsk_config c = {
		.ifname = o->config->ifname,
		.n_frames = o->config->n_frames ? o->config->n_frames : FRAMES_DEFAULT,
		.mtu = p->port.mtu,
	};
	unsigned n = p->port.n_rx_queues;
	int r;

	p->queues = aligned_alloc(TN_CACHE_LINE, n * sizeof(*p->queues));
	if (!p->queues)
		return tn_error_set(err, TN_OFPBRC_BAD_PORT, -1, "no memory for queues");
	for (; p->n_queues < n; p->n_queues++) {
		struct afxdp_queue *q = &p->queues[p->n_queues];

		memset(q, 0, sizeof(*q));
		c.queue = p->n_queues;
		q->xsk = tn_xsk_new(&c, err);
		if (!q->xsk)
			return -EINVAL;
		pthread_spin_init(&q->lock, PTHREAD_PROCESS_PRIVATE);
	}
	r = 0;
	for (unsigned i = 0; !r && i < n; i++)
		r = tn_xdp_redirect_set(&p->redirect, i, tn_xsk_fd(p->queues[i].xsk));
	return r ? tn_error_set(err, TN_OFPBRC_BAD_PORT, -1,
			   "cannot give the XDP program of '%.16s' its sockets: %s", c.ifname,
			   strerror(-r))
		 : 0;
}

static int open_device(const struct opening *o, struct tn_error *err)
{
	struct afxdp_port *p = o->p;
	int r = tn_netdev_open(&p->dev, o->config->ifname);
	unsigned n;

	if (!r)
		r = tn_netdev_set_up(&p->dev);
	if (!r)
		r = tn_netdev_mac(&p->dev, &p->port.mac);
	if (!r)
		r = tn_netdev_mtu(&p->dev, &p->port.mtu);
	if (r == -ENODEV)
		return tn_error_set(err, TN_OFPBRC_BAD_PORT, -1,
			"there is no interface '%.32s'%s%.32s; make it first, or give the "
			"namespace it is in as \"netns\"",
			o->config->ifname, o->config->netns ? " in namespace " : "",
			o->config->netns ? o->config->netns : "");
	if (r)
		return tn_error_set(err, TN_OFPBRC_BAD_PORT, -1,
			"cannot take interface '%.16s' up: %s; it takes CAP_NET_ADMIN",
			o->config->ifname, strerror(-r));
	/* Where it cannot be watched it is looked at. */
	(void)tn_netdev_watch(&p->dev);
	p->up = tn_netdev_running(&p->dev);
	n = tn_netdev_rx_queues(&p->dev);
	if (n > QUEUES_MAX)
		return tn_error_set(err, TN_OFPBRC_BAD_PORT, -1,
			"interface '%.16s' has %u receive queues, more than %u; lower them with "
			"`ethtool -L`",
			o->config->ifname, n, QUEUES_MAX);
	p->port.n_rx_queues = (uint16_t)n;
	return 0;
}

static int open_in_namespace(void *arg, struct tn_error *err)
{
	const struct opening *o = arg;
	struct afxdp_port *p = o->p;
	int r = open_device(o, err);

	if (!r)
		r = tn_xdp_redirect_attach(&p->redirect, o->config->ifname, p->dev.ifindex,
			p->port.n_rx_queues, tn_xsk_mtu_needs_frags(p->port.mtu), err);
	return r ? r : open_queues(o, err);
}

static int check(const struct tn_afxdp_config *c, struct tn_error *err)
{
	uint32_t n = c->n_frames;

	if (n && (n < FRAMES_MIN || n > FRAMES_MAX || n & (n - 1)))
		return tn_error_set(err, TN_OFPBRC_BAD_PORT, -1,
			"interface '%.16s': %u frames a queue; take a power of two from %u to %u",
			c->ifname, n, FRAMES_MIN, FRAMES_MAX);
	return 0;
}

struct tn_port *tn_afxdp_port_new(const struct tn_afxdp_config *config, struct tn_error *err)
{
	struct opening o = {.config = config};

	if (check(config, err))
		return NULL;
	o.p = calloc(1, sizeof(*o.p));
	if (!o.p) {
		(void)tn_error_set(err, TN_OFPBRC_BAD_PORT, -1, "no memory for a port");
		return NULL;
	}
	o.p->port.ops = &ops;
	o.p->port.n_tx_queues = config->n_tx_queues ? config->n_tx_queues : 1;
	o.p->buffers = config->buffers;
	o.p->buffers_ctx = config->buffers_ctx;
	o.p->dev = TN_NETDEV_NONE;
	o.p->redirect = TN_XDP_REDIRECT_NONE;
	if (tn_netns_run(config->netns, open_in_namespace, &o, err)) {
		destroy(&o.p->port);
		return NULL;
	}
	return &o.p->port;
}

static const struct tn_port_option_rule rules[] = {
	{.key = "interface", .type = TN_OPTION_STRING},
	{.key = "netns", .type = TN_OPTION_STRING},
	{.key = "frames", .type = TN_OPTION_INTEGER, .min = FRAMES_MIN, .max = FRAMES_MAX},
	{.key = "datapath", .type = TN_OPTION_STRING}, /* "afxdp", or "ebpf": kernel_port.h */
	{.key = NULL},
};

static struct tn_port *make(const struct tn_port_spec *spec,
	const struct tn_port_resources *resources, struct tn_error *err)
{
	const struct tn_afxdp_config config = {
		.ifname = tn_port_option_string(spec, "interface", spec->name),
		.netns = tn_port_option_string(spec, "netns", NULL),
		.n_frames = (uint32_t)tn_port_option_integer(spec, "frames", 0),
		.n_tx_queues = (uint16_t)resources->n_workers,
		.buffers = resources->buffers,
		.buffers_ctx = resources->buffers_ctx,
	};

	if (tn_kernel_port_wanted(spec))
		return tn_kernel_port_make(spec, resources, err);
	return tn_afxdp_port_new(&config, err);
}

const struct tn_port_kind tn_veth_port_kind = {.type = "veth", .rules = rules, .make = make};
