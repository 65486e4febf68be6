/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/port/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/if_tun.h>

#include "dataplane/core/view.h"
#include "dataplane/port/netdev.h"
#include "dataplane/port/netns.h"

#define QUEUES_MAX 64u
#define MTU_MAX	   65521u

/* Written by the worker that polls the queue, read by the main thread. */
struct tap_queue {
	int fd;
	uint64_t rx_dropped, rx_errors;
	/* What a read takes, whatever the interface's MTU has become. */
	uint8_t frame[TN_FRAME_MAX];
} __attribute__((aligned(TN_CACHE_LINE)));

/* A line of its own for each worker that sends. */
struct tap_tx {
	uint64_t errors;
} __attribute__((aligned(TN_CACHE_LINE)));

struct tap_port {
	struct tn_port port; /* first */
	const struct tn_buffer_ops *buffers;
	void *buffers_ctx;
	struct tn_netdev dev;
	bool up; /* atomic */
	unsigned n_queues;
	struct tap_queue *queues;
	struct tap_tx *tx;
};

/* What open_in_namespace() is told. */
struct opening {
	struct tap_port *tap;
	const struct tn_tap_config *config;
};

static struct tap_port *of(struct tn_port *port)
{
	return (struct tap_port *)(void *)port;
}

static void count(uint64_t *counter)
{
	__atomic_store_n(counter, *counter + 1, __ATOMIC_RELAXED);
}

static unsigned rx(struct tn_port *port, unsigned queue, struct tn_packet *packets, unsigned n)
{
	struct tap_port *tap = of(port);
	struct tap_queue *q = &tap->queues[queue];
	unsigned got = 0;

	while (got < n) {
		ssize_t len = read(q->fd, q->frame, sizeof(q->frame));
		struct tn_packet p = {.data = q->frame, .len = (uint32_t)len};

		if (len <= 0) {
			/* EBADFD: someone deleted the interface. */
			if (len < 0 && errno != EAGAIN && errno != EBADFD)
				count(&q->rx_errors);
			break;
		}
		if (tap->buffers->clone(tap->buffers_ctx, &p, &packets[got]))
			got++;
		else
			count(&q->rx_dropped);
	}
	return got;
}

static unsigned tx(struct tn_port *port, unsigned queue, struct tn_packet *packets, unsigned n)
{
	struct tap_port *tap = of(port);
	int fd = tap->queues[queue % tap->n_queues].fd;
	unsigned done = 0;

	for (; done < n; done++) {
		ssize_t r = write(fd, packets[done].data, packets[done].len);

		if (r < 0 && errno == EAGAIN)
			break;
		/* Down (EIO), gone (EBADFD) or no frame at all (EINVAL): lost here. */
		if (r < 0)
			count(&tap->tx[queue].errors);
	}
	tap->buffers->free(tap->buffers_ctx, packets, done);
	return done;
}

static int wait_fd(struct tn_port *port, unsigned queue)
{
	return of(port)->queues[queue].fd;
}

static bool link_up(struct tn_port *port)
{
	return __atomic_load_n(&of(port)->up, __ATOMIC_RELAXED);
}

static void wire_stats(struct tn_port *port, struct tn_port_wire_stats *stats)
{
	struct tap_port *tap = of(port);

	*stats = (struct tn_port_wire_stats){0};
	for (unsigned i = 0; i < tap->n_queues; i++) {
		stats->rx_dropped += __atomic_load_n(&tap->queues[i].rx_dropped, __ATOMIC_RELAXED);
		stats->rx_errors += __atomic_load_n(&tap->queues[i].rx_errors, __ATOMIC_RELAXED);
	}
	for (unsigned i = 0; i < port->n_tx_queues; i++)
		stats->tx_errors += __atomic_load_n(&tap->tx[i].errors, __ATOMIC_RELAXED);
}

static void maintain(struct tn_port *port, uint64_t now_ns)
{
	struct tap_port *tap = of(port);

	(void)now_ns;
	(void)tn_netdev_told(&tap->dev);
	__atomic_store_n(&tap->up, tn_netdev_running(&tap->dev), __ATOMIC_RELAXED);
}

static int link_fd(struct tn_port *port)
{
	return of(port)->dev.watch_fd;
}

static uint64_t maintain_due(struct tn_port *port)
{
	return tn_netdev_due(&of(port)->dev);
}

static void destroy(struct tn_port *port)
{
	struct tap_port *tap = of(port);

	for (unsigned i = 0; tap->queues && i < tap->n_queues; i++) {
		if (tap->queues[i].fd >= 0)
			close(tap->queues[i].fd);
	}
	tn_netdev_close(&tap->dev);
	free(tap->queues);
	free(tap->tx);
	free(tap);
}

static const struct tn_port_ops ops = {
	.kind = "tap",
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

static int no_tap(const char *ifname, int error, struct tn_error *err)
{
	const char *what = "check that the name is free and that CAP_NET_ADMIN is there";

	if (error == EBUSY)
		what = "another process holds it; choose another name or stop that process";
	else if (error == EINVAL)
		what = "an interface of another kind has this name; choose another";
	return tn_error_set(err, TN_OFPBRC_BAD_PORT, -1, "cannot make TAP '%.16s': %s; %s", ifname,
		strerror(error), what);
}

static int open_queue(const struct opening *o, int *fd, struct tn_error *err)
{
	struct ifreq ifr = {.ifr_flags = IFF_TAP | IFF_NO_PI};

	*fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (*fd < 0)
		return tn_error_set(err, TN_OFPBRC_BAD_PORT, -1,
			"cannot open /dev/net/tun: %s; load the kernel module tun and run with "
			"access to that device",
			strerror(errno));
	if (o->tap->n_queues > 1)
		ifr.ifr_flags |= IFF_MULTI_QUEUE;
	memcpy(ifr.ifr_name, o->config->ifname, strlen(o->config->ifname));
	if (ioctl(*fd, TUNSETIFF, &ifr) || ioctl(*fd, TUNSETOFFLOAD, 0ul))
		return no_tap(o->config->ifname, errno, err);
	return 0;
}

/* Address, MTU, state. */
static int set_up(const struct opening *o, struct tn_error *err)
{
	const struct tn_tap_config *c = o->config;
	struct tn_port *port = &o->tap->port;
	struct tn_netdev *dev = &o->tap->dev;
	int r = tn_netdev_open(dev, c->ifname);

	if (!r && c->mac)
		r = tn_netdev_set_mac(dev, c->mac);
	if (!r && c->mtu)
		r = tn_netdev_set_mtu(dev, c->mtu);
	if (!r)
		r = tn_netdev_set_up(dev);
	if (!r)
		r = tn_netdev_mac(dev, &port->mac);
	if (!r)
		r = tn_netdev_mtu(dev, &port->mtu);
	if (r)
		return tn_error_set(err, TN_OFPBRC_BAD_PORT, -1,
			"cannot set up TAP '%.16s': %s; check its MAC and MTU, and that "
			"CAP_NET_ADMIN is there",
			c->ifname, strerror(-r));
	/* Where it cannot be watched it is looked at. */
	(void)tn_netdev_watch(dev);
	o->tap->up = tn_netdev_running(dev);
	return 0;
}

static int open_in_namespace(void *arg, struct tn_error *err)
{
	struct opening *o = arg;

	for (unsigned i = 0; i < o->tap->n_queues; i++) {
		int r = open_queue(o, &o->tap->queues[i].fd, err);

		if (r)
			return r;
	}
	return set_up(o, err);
}

static int check(const struct tn_tap_config *c, struct tn_error *err)
{
	size_t n = strlen(c->ifname);

	if (!n || n >= IFNAMSIZ || strpbrk(c->ifname, "/%: \t\n"))
		return tn_error_set(err, TN_OFPBRC_BAD_PORT, -1,
			"'%.32s' is no name of an interface; use 1 to 15 letters and digits",
			c->ifname);
	if (c->mtu > MTU_MAX)
		return tn_error_set(err, TN_OFPBRC_BAD_PORT, -1,
			"TAP '%.16s': an MTU of %u is more than the %u of the kernel", c->ifname,
			c->mtu, MTU_MAX);
	if (c->n_rx_queues > QUEUES_MAX)
		return tn_error_set(err, TN_OFPBRC_BAD_PORT, -1,
			"TAP '%.16s': %u queues are more than %u", c->ifname, c->n_rx_queues,
			QUEUES_MAX);
	return 0;
}

static struct tap_port *allocate(const struct tn_tap_config *c)
{
	struct tap_port *tap = calloc(1, sizeof(*tap));

	if (!tap)
		return NULL;
	tap->port.ops = &ops;
	tap->port.n_rx_queues = c->n_rx_queues ? c->n_rx_queues : 1;
	tap->port.n_tx_queues = c->n_tx_queues ? c->n_tx_queues : 1;
	tap->n_queues = tap->port.n_rx_queues;
	tap->buffers = c->buffers;
	tap->buffers_ctx = c->buffers_ctx;
	tap->dev = TN_NETDEV_NONE;
	tap->queues = aligned_alloc(TN_CACHE_LINE, tap->n_queues * sizeof(*tap->queues));
	tap->tx = aligned_alloc(TN_CACHE_LINE, tap->port.n_tx_queues * sizeof(*tap->tx));
	for (unsigned i = 0; tap->queues && i < tap->n_queues; i++)
		tap->queues[i] = (struct tap_queue){.fd = -1};
	if (tap->tx)
		memset(tap->tx, 0, tap->port.n_tx_queues * sizeof(*tap->tx));
	if (tap->queues && tap->tx)
		return tap;
	destroy(&tap->port);
	return NULL;
}

struct tn_port *tn_tap_port_new(const struct tn_tap_config *config, struct tn_error *err)
{
	struct opening o = {.config = config};

	if (check(config, err))
		return NULL;
	o.tap = allocate(config);
	if (!o.tap) {
		(void)tn_error_set(
			err, TN_OFPBRC_BAD_PORT, -1, "no memory for TAP '%.16s'", config->ifname);
		return NULL;
	}
	if (tn_netns_run(config->netns, open_in_namespace, &o, err)) {
		destroy(&o.tap->port);
		return NULL;
	}
	return &o.tap->port;
}

static const struct tn_port_option_rule rules[] = {
	{.key = "interface", .type = TN_OPTION_STRING},
	{.key = "netns", .type = TN_OPTION_STRING},
	{.key = "mac", .type = TN_OPTION_STRING},
	{.key = "queues", .type = TN_OPTION_INTEGER, .min = 1, .max = QUEUES_MAX},
	{.key = NULL},
};

/* "02:00:00:00:00:01", of one station. */
static bool parse_mac(const char *text, struct tn_mac *mac)
{
	int end = 0;

	return sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", &mac->b[0], &mac->b[1],
		       &mac->b[2], &mac->b[3], &mac->b[4], &mac->b[5], &end) == 6 &&
		end == 17 && !text[end] && !(mac->b[0] & 1);
}

static struct tn_port *make(const struct tn_port_spec *spec,
	const struct tn_port_resources *resources, struct tn_error *err)
{
	const char *mac_text = tn_port_option_string(spec, "mac", NULL);
	struct tn_mac mac;
	const struct tn_tap_config config = {
		.ifname = tn_port_option_string(spec, "interface", spec->name),
		.netns = tn_port_option_string(spec, "netns", NULL),
		.mac = mac_text ? &mac : NULL,
		.mtu = spec->mtu,
		.n_rx_queues = (uint16_t)tn_port_option_integer(spec, "queues", 1),
		.n_tx_queues = (uint16_t)resources->n_workers,
		.buffers = resources->buffers,
		.buffers_ctx = resources->buffers_ctx,
	};

	if (mac_text && !parse_mac(mac_text, &mac)) {
		(void)tn_error_set(err, TN_OFPBRC_BAD_PORT, -1,
			"port %s: '%.32s' is no MAC address of one station; write it as "
			"02:00:00:00:00:01",
			spec->name, mac_text);
		return NULL;
	}
	return tn_tap_port_new(&config, err);
}

const struct tn_port_kind tn_tap_port_kind = {.type = "tap", .rules = rules, .make = make};
