/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/port/kernel_port.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "dataplane/core/view.h"
#include "dataplane/port/kernel_tap.h"
#include "dataplane/port/netdev.h"
#include "dataplane/port/vnet.h"
#include "ebpf/veth.h"

/* The longest that the kernel hands over: 64 KB of IP packet. */
#define LARGE_MAX (65535u + 64u)

struct lane {
	uint64_t errors, large;
} __attribute__((aligned(TN_CACHE_LINE)));

struct kernel_port {
	struct tn_port port; /* first */
	const struct tn_buffer_ops *buffers;
	void *buffers_ctx;
	struct tn_ebpf *ebpf;
	struct tn_netdev dev;
	struct tn_kernel_tap tap;
	bool is_pair, peer, attached;
	bool up; /* atomic */
	/* by the worker that receives */
	uint64_t rx_dropped, rx_errors, rx_large;
	struct lane *tx;
	uint8_t frame[LARGE_MAX];
};

static const struct tn_port_ops ops;

static struct kernel_port *of(struct tn_port *port)
{
	return (struct kernel_port *)(void *)port;
}

static void count(uint64_t *counter, uint64_t n)
{
	__atomic_store_n(counter, *counter + n, __ATOMIC_RELAXED);
}

/* --- packets ---------------------------------------------------------------------------------- */

/* 1: *packet is one; 0: the frame was lost; -1: nothing is there. */
static int receive(struct kernel_port *k, struct tn_packet *packet)
{
	struct virtio_net_hdr h;
	struct iovec parts[] = {{&h, sizeof(h)}, {k->frame, sizeof(k->frame)}};
	ssize_t len = readv(k->tap.fd, parts, 2);
	struct tn_packet p = {.data = k->frame};

	if (len < (ssize_t)sizeof(h)) {
		if (len >= 0 || (errno != EAGAIN && errno != EBADFD))
			count(&k->rx_errors, 1);
		return -1;
	}
	p.len = (uint32_t)len - (uint32_t)sizeof(h);
	if (!tn_vnet_take(&h, k->frame, p.len, &p.offload)) {
		count(&k->rx_errors, 1);
		return 0;
	}
	if (!k->buffers->clone(k->buffers_ctx, &p, packet)) {
		count(&k->rx_dropped, 1);
		return 0;
	}
	count(&k->rx_large, tn_offload_cuts(p.offload));
	return 1;
}

static unsigned rx(struct tn_port *port, unsigned queue, struct tn_packet *packets, unsigned n)
{
	struct kernel_port *k = of(port);
	unsigned got = 0;

	(void)queue;
	while (got < n) {
		int r = receive(k, &packets[got]);

		if (r < 0)
			break;
		got += (unsigned)r;
	}
	return got;
}

static unsigned tx(struct tn_port *port, unsigned queue, struct tn_packet *packets, unsigned n)
{
	struct kernel_port *k = of(port);
	struct lane *lane = &k->tx[queue];
	unsigned done = 0;

	for (; done < n; done++) {
		struct tn_packet *p = &packets[done];
		struct virtio_net_hdr h;
		struct iovec parts[] = {{&h, sizeof(h)}, {p->data, p->len}};

		if (!tn_vnet_give(&h, p)) {
			count(&lane->errors, 1);
			continue;
		}
		if (writev(k->tap.fd, parts, 2) >= 0)
			count(&lane->large, tn_offload_cuts(p->offload));
		else if (errno == EAGAIN)
			break;
		else /* down, gone, or no frame at all */
			count(&lane->errors, 1);
	}
	k->buffers->free(k->buffers_ctx, packets, done);
	return done;
}

static int wait_fd(struct tn_port *port, unsigned queue)
{
	(void)queue;
	return of(port)->tap.fd;
}

/* --- the main thread's ------------------------------------------------------------------------ */

static bool link_up(struct tn_port *port)
{
	return __atomic_load_n(&of(port)->up, __ATOMIC_RELAXED);
}

static void wire_stats(struct tn_port *port, struct tn_port_wire_stats *stats)
{
	struct kernel_port *k = of(port);

	*stats = (struct tn_port_wire_stats){
		.rx_dropped = __atomic_load_n(&k->rx_dropped, __ATOMIC_RELAXED),
		.rx_errors = __atomic_load_n(&k->rx_errors, __ATOMIC_RELAXED),
		.rx_large = __atomic_load_n(&k->rx_large, __ATOMIC_RELAXED),
	};
	for (unsigned i = 0; i < port->n_tx_queues; i++) {
		stats->tx_errors += __atomic_load_n(&k->tx[i].errors, __ATOMIC_RELAXED);
		stats->tx_large += __atomic_load_n(&k->tx[i].large, __ATOMIC_RELAXED);
	}
}

/* The other end may be moved: sessions that go to where it was are none any more. */
static void look_for_peer(struct kernel_port *k)
{
	bool peer = k->is_pair && tn_veth_peer_is_elsewhere((uint32_t)k->dev.ifindex);

	if (peer == k->peer)
		return;
	k->peer = peer;
	tn_ebpf_doubt(k->ebpf);
}

static void maintain(struct tn_port *port, uint64_t now_ns)
{
	struct kernel_port *k = of(port);

	(void)now_ns;
	if (tn_netdev_told(&k->dev))
		look_for_peer(k);
	__atomic_store_n(&k->up, tn_netdev_running(&k->dev), __ATOMIC_RELAXED);
}

static int link_fd(struct tn_port *port)
{
	return of(port)->dev.watch_fd;
}

static uint64_t maintain_due(struct tn_port *port)
{
	return tn_netdev_due(&of(port)->dev);
}

static void detach(struct kernel_port *k)
{
	uint32_t ifindex = (uint32_t)k->dev.ifindex, tap = (uint32_t)k->tap.dev.ifindex;

	tn_ebpf_clear_port(k->ebpf, tap);
	if (tn_ebpf_is_leaving(k->ebpf))
		return;
	tn_ebpf_detach(k->ebpf, TN_EBPF_FROM_PORT, ifindex);
	tn_ebpf_clear_port(k->ebpf, ifindex);
}

static void destroy(struct tn_port *port)
{
	struct kernel_port *k = of(port);

	if (k->attached)
		detach(k);
	tn_kernel_tap_close(&k->tap);
	tn_netdev_close(&k->dev);
	free(k->tx);
	free(k);
}

static const struct tn_port_ops ops = {
	.kind = "kernel",
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

bool tn_kernel_port_way(const struct tn_port *port, uint32_t *ifindex)
{
	const struct kernel_port *k = (const struct kernel_port *)(const void *)port;

	if (port->ops != &ops)
		return false;
	*ifindex = (uint32_t)k->dev.ifindex;
	return true;
}

bool tn_kernel_port_has_peer(const struct tn_port *port)
{
	return ((const struct kernel_port *)(const void *)port)->peer;
}

/* --- making one ------------------------------------------------------------------------------- */

static int refuse(const char *ifname, const char *what, int error, struct tn_error *err)
{
	return tn_error_set(err, TN_OFPBRC_BAD_PORT, -1, "interface '%.16s': %s: %s", ifname, what,
		strerror(error));
}

static int open_tap(struct kernel_port *k, uint32_t number, struct tn_error *err)
{
	char name[16];

	snprintf(name, sizeof(name), "tn%u", number);
	return tn_kernel_tap_open(&k->tap, name, false, err);
}

static int open_device(struct kernel_port *k, const char *ifname, struct tn_error *err)
{
	int rc = tn_netdev_open(&k->dev, ifname);

	if (!rc)
		rc = tn_netdev_mac(&k->dev, &k->port.mac);
	if (!rc)
		rc = tn_netdev_mtu(&k->dev, &k->port.mtu);
	if (!rc)
		rc = tn_netdev_set_up(&k->dev);
	if (rc)
		return refuse(ifname, "cannot be used", -rc, err);
	/* Where it cannot be watched it is looked at. */
	(void)tn_netdev_watch(&k->dev);
	k->up = tn_netdev_running(&k->dev);
	k->peer = k->is_pair && tn_veth_peer_is_elsewhere((uint32_t)k->dev.ifindex);
	return 0;
}

/* Maps first: a program without its port lets nothing pass. */
static int attach(struct kernel_port *k, uint32_t number, struct tn_error *err)
{
	const struct tn_ebpf_port down = {
		.number = number, .kind = TN_EBPF_IS_TAP, .to = (uint32_t)k->dev.ifindex};
	const struct tn_ebpf_port up = {
		.number = number, .kind = TN_EBPF_IS_PORT, .to = (uint32_t)k->tap.dev.ifindex};
	int rc;

	k->attached = true;
	rc = tn_ebpf_set_port(k->ebpf, (uint32_t)k->dev.ifindex, &up, err);
	if (!rc)
		rc = tn_ebpf_set_port(k->ebpf, (uint32_t)k->tap.dev.ifindex, &down, err);
	if (!rc)
		rc = tn_ebpf_attach(k->ebpf, TN_EBPF_TO_PORT, (uint32_t)k->tap.dev.ifindex, err);
	if (!rc)
		rc = tn_ebpf_attach(k->ebpf, TN_EBPF_FROM_PORT, (uint32_t)k->dev.ifindex, err);
	return rc;
}

static struct kernel_port *allocate(const struct tn_kernel_port_config *c)
{
	struct kernel_port *k = calloc(1, sizeof(*k));

	if (!k)
		return NULL;
	k->port.ops = &ops;
	k->port.n_rx_queues = 1;
	k->port.n_tx_queues = c->n_tx_queues ? c->n_tx_queues : 1;
	k->port.takes = TN_PORT_TAKES_CSUM | TN_PORT_TAKES_TSO4 | TN_PORT_TAKES_TSO6;
	k->buffers = c->buffers;
	k->buffers_ctx = c->buffers_ctx;
	k->ebpf = c->ebpf;
	k->is_pair = c->is_pair;
	k->dev = k->tap.dev = TN_NETDEV_NONE;
	k->tap.fd = -1;
	k->tx = aligned_alloc(TN_CACHE_LINE, k->port.n_tx_queues * sizeof(*k->tx));
	if (!k->tx) {
		free(k);
		return NULL;
	}
	memset(k->tx, 0, k->port.n_tx_queues * sizeof(*k->tx));
	return k;
}

struct tn_port *tn_kernel_port_new(const struct tn_kernel_port_config *c, struct tn_error *err)
{
	struct kernel_port *k = allocate(c);

	if (!k) {
		(void)tn_error_set(err, TN_OFPBRC_BAD_PORT, -1, "no memory for a port");
		return NULL;
	}
	if (open_device(k, c->ifname, err) || open_tap(k, c->number, err) ||
		attach(k, c->number, err)) {
		destroy(&k->port);
		return NULL;
	}
	return &k->port;
}

/* --- options ---------------------------------------------------------------------------------- */

static bool is_nic(const struct tn_port_spec *spec)
{
	return !strcmp(spec->type, "nic");
}

bool tn_kernel_port_wanted(const struct tn_port_spec *spec)
{
	const char *datapath = tn_port_option_string(spec, "datapath", "");

	return is_nic(spec) || !strcmp(spec->type, "kernel-underlay") || !strcmp(datapath, "ebpf");
}

static int check_datapath(const struct tn_port_spec *spec, struct tn_error *err)
{
	const char *datapath = tn_port_option_string(spec, "datapath", "ebpf");

	if (strcmp(datapath, "ebpf"))
		return tn_error_set(err, TN_OFPBRC_BAD_PORT, -1,
			"port %s: \"datapath\" is \"%.32s\"; a port of type \"%s\" knows \"ebpf\"%s",
			spec->name, datapath, spec->type, is_nic(spec) ? "" : " and \"afxdp\"");
	if (tn_port_option_find(spec, "netns") || tn_port_option_find(spec, "frames"))
		return tn_error_set(err, TN_OFPBRC_BAD_PORT, -1,
			"port %s: \"netns\" and \"frames\" are for \"datapath\": \"afxdp\"; the "
			"interface of an eBPF port is in the switch's own namespace",
			spec->name);
	return 0;
}

struct tn_port *tn_kernel_port_make(const struct tn_port_spec *spec,
	const struct tn_port_resources *resources, struct tn_error *err)
{
	const struct tn_kernel_port_config config = {
		.number = spec->number,
		.ifname = tn_port_option_string(spec, "interface", spec->name),
		.is_pair = !is_nic(spec),
		.n_tx_queues = (uint16_t)resources->n_workers,
		.buffers = resources->buffers,
		.buffers_ctx = resources->buffers_ctx,
		.ebpf = resources->ebpf,
	};

	if (check_datapath(spec, err))
		return NULL;
	if (!config.ebpf) {
		(void)tn_error_set(err, TN_OFPBRC_BAD_PORT, -1,
			"port %s: the kernel's programs are not loaded", spec->name);
		return NULL;
	}
	return tn_kernel_port_new(&config, err);
}

static const struct tn_port_option_rule rules[] = {
	{.key = "interface", .type = TN_OPTION_STRING},
	{.key = "datapath", .type = TN_OPTION_STRING},
	{.key = NULL},
};

const struct tn_port_kind tn_nic_port_kind = {
	.type = "nic", .rules = rules, .make = tn_kernel_port_make};
