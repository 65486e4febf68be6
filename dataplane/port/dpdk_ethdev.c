/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/port/dpdk_ethdev.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_dev.h>
#include <rte_ethdev.h>
#include <rte_spinlock.h>

#include "dataplane/port/dpdk_buffer.h"

#define DESCRIPTORS   1024u
#define TX_QUEUES_MAX 64u

/* A line of its own, so that queues do not share one. */
struct tx_lock {
	rte_spinlock_t lock;
} __attribute__((aligned(64)));

struct dpdk_port {
	struct tn_port port; /* first */
	uint16_t id;
	bool shared; /* fewer transmit queues than workers: tx takes the queue's lock */
	struct rte_device *device;
	uint64_t rx_too_long; /* by workers: frames of several segments that fit no buffer */
	struct tx_lock tx_lock[TX_QUEUES_MAX];
};

/* Devices that are ports of the switch. Main thread only. */
static bool taken[RTE_MAX_ETHPORTS];

static struct dpdk_port *of(struct tn_port *port)
{
	return (struct dpdk_port *)(void *)port;
}

/* A packet is one buffer; a frame in pieces is put together or, where it is too long, dropped. */
static bool in_one_piece(struct dpdk_port *p, struct rte_mbuf *m)
{
	if (tn_likely(m->nb_segs == 1) || !rte_pktmbuf_linearize(m))
		return true;
	__atomic_fetch_add(&p->rx_too_long, 1, __ATOMIC_RELAXED);
	rte_pktmbuf_free(m);
	return false;
}

static unsigned rx(struct tn_port *port, unsigned queue, struct tn_packet *packets, unsigned n)
{
	struct dpdk_port *p = of(port);
	struct rte_mbuf *mbufs[TN_BURST];
	unsigned got = rte_eth_rx_burst(p->id, (uint16_t)queue, mbufs, (uint16_t)n);
	unsigned kept = 0;

	for (unsigned i = 0; i < got; i++) {
		if (tn_likely(in_one_piece(p, mbufs[i])))
			tn_dpdk_to_packet(mbufs[i], &packets[kept++]);
	}
	return kept;
}

static unsigned tx(struct tn_port *port, unsigned queue, struct tn_packet *packets, unsigned n)
{
	struct dpdk_port *p = of(port);
	struct rte_mbuf *mbufs[TN_BURST];
	unsigned sent;

	for (unsigned i = 0; i < n; i++)
		mbufs[i] = tn_dpdk_from_packet(&packets[i]);
	if (tn_likely(!p->shared))
		return rte_eth_tx_burst(p->id, (uint16_t)queue, mbufs, (uint16_t)n);
	queue %= port->n_tx_queues;
	rte_spinlock_lock(&p->tx_lock[queue].lock);
	sent = rte_eth_tx_burst(p->id, (uint16_t)queue, mbufs, (uint16_t)n);
	rte_spinlock_unlock(&p->tx_lock[queue].lock);
	return sent;
}

static int wait_fd(struct tn_port *port, unsigned queue)
{
	(void)port;
	(void)queue;
	return -1;
}

static bool link_up(struct tn_port *port)
{
	struct rte_eth_link link;

	return rte_eth_link_get_nowait(of(port)->id, &link) == 0 &&
		link.link_status == RTE_ETH_LINK_UP;
}

static void wire_stats(struct tn_port *port, struct tn_port_wire_stats *stats)
{
	struct dpdk_port *p = of(port);
	struct rte_eth_stats s;

	memset(stats, 0, sizeof(*stats));
	if (rte_eth_stats_get(p->id, &s))
		return;
	stats->rx_dropped =
		s.imissed + s.rx_nombuf + __atomic_load_n(&p->rx_too_long, __ATOMIC_RELAXED);
	stats->rx_errors = s.ierrors;
	stats->tx_errors = s.oerrors;
}

static void destroy(struct tn_port *port)
{
	struct dpdk_port *p = of(port);

	(void)rte_eth_dev_stop(p->id);
	(void)rte_eth_dev_close(p->id);
	taken[p->id] = false;
	if (p->device)
		(void)rte_dev_remove(p->device);
	free(p);
}

static const struct tn_port_ops ops = {
	.kind = "dpdk",
	.rx = rx,
	.tx = tx,
	.wait_fd = wait_fd,
	.link_up = link_up,
	.wire_stats = wire_stats,
	.destroy = destroy,
};

bool tn_dpdk_is_pci(const char *devargs)
{
	size_t digits = strspn(devargs, "0123456789abcdefABCDEF");

	return !strncmp(devargs, "pci:", 4) ||
		(digits && devargs[digits] == ':' && isxdigit((unsigned char)devargs[digits + 1]));
}

/* The port id that a probe of devargs made or found. */
static int probe(const char *devargs, uint16_t *id, struct tn_error *err)
{
	struct rte_dev_iterator it;
	int r = rte_dev_probe(devargs);

	if (r < 0 && r != -EEXIST)
		return tn_error_set(err, TN_OFPBRC_BAD_PORT, -1,
			"DPDK cannot open '%.120s': %s; check the arguments, and of a NIC that it "
			"is bound to vfio-pci",
			devargs, strerror(-r));
	RTE_ETH_FOREACH_MATCHING_DEV(*id, devargs, &it)
	{
		rte_eth_iterator_cleanup(&it);
		if (!taken[*id])
			return 0;
		return tn_error_set(err, TN_OFPBRC_BAD_PORT, -1,
			"'%.120s' is another port's device already; give each its own, such as "
			"net_null0 and net_null1",
			devargs);
	}
	return tn_error_set(err, TN_OFPBRC_BAD_PORT, -1,
		"'%.120s' is no Ethernet device that DPDK can use; name a PCI address or a virtual "
		"device",
		devargs);
}

static uint16_t at_most(uint64_t wanted, uint16_t limit)
{
	if (!wanted)
		wanted = 1;
	return wanted < limit ? (uint16_t)wanted : limit;
}

static int configure(struct dpdk_port *p, const struct tn_port_spec *spec,
	const struct tn_port_resources *resources)
{
	int64_t descriptors = tn_port_option_integer(spec, "descriptors", DESCRIPTORS);
	uint16_t rxd = (uint16_t)descriptors, txd = (uint16_t)descriptors;
	uint64_t queues = (uint64_t)tn_port_option_integer(spec, "queues", resources->n_workers);
	struct rte_eth_conf conf = {0};
	struct rte_eth_dev_info info;
	int r = rte_eth_dev_info_get(p->id, &info);

	if (r)
		return r;
	p->device = info.device;
	p->port.n_rx_queues = at_most(queues, info.max_rx_queues);
	p->port.n_tx_queues = at_most(resources->n_workers, info.max_tx_queues);
	p->port.n_tx_queues = at_most(p->port.n_tx_queues, TX_QUEUES_MAX);
	p->shared = p->port.n_tx_queues < resources->n_workers;
	if (p->port.n_rx_queues > 1) {
		conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
		conf.rx_adv_conf.rss_conf.rss_hf = info.flow_type_rss_offloads &
			(RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP);
		if (!conf.rx_adv_conf.rss_conf.rss_hf)
			conf.rxmode.mq_mode = RTE_ETH_MQ_RX_NONE;
	}
	r = rte_eth_dev_configure(p->id, p->port.n_rx_queues, p->port.n_tx_queues, &conf);
	if (!r)
		r = rte_eth_dev_adjust_nb_rx_tx_desc(p->id, &rxd, &txd);
	for (uint16_t q = 0; !r && q < p->port.n_rx_queues; q++)
		r = rte_eth_rx_queue_setup(
			p->id, q, rxd, (unsigned)SOCKET_ID_ANY, NULL, resources->pool);
	for (uint16_t q = 0; !r && q < p->port.n_tx_queues; q++)
		r = rte_eth_tx_queue_setup(p->id, q, txd, (unsigned)SOCKET_ID_ANY, NULL);
	/* Devices without an MTU of their own take what the switch's check lets through. */
	if (!r && spec->mtu && rte_eth_dev_set_mtu(p->id, (uint16_t)spec->mtu) == -EINVAL)
		r = -EMSGSIZE;
	if (!r)
		r = rte_eth_dev_start(p->id);
	if (!r)
		(void)rte_eth_promiscuous_enable(p->id);
	return r;
}

static struct tn_port *make(const struct tn_port_spec *spec,
	const struct tn_port_resources *resources, struct tn_error *err)
{
	const char *devargs = tn_port_option_string(spec, "devargs", NULL);
	struct dpdk_port *p = aligned_alloc(64, sizeof(*p));
	struct rte_ether_addr mac;
	uint16_t mtu = 0;
	int r;

	if (!p) {
		tn_error_set(err, TN_OFPBRC_BAD_PORT, -1, "port %s: out of memory", spec->name);
		return NULL;
	}
	memset(p, 0, sizeof(*p));
	for (size_t i = 0; i < TX_QUEUES_MAX; i++)
		rte_spinlock_init(&p->tx_lock[i].lock);
	if (probe(devargs, &p->id, err)) {
		free(p);
		return NULL;
	}
	taken[p->id] = true;
	r = configure(p, spec, resources);
	if (r) {
		tn_error_set(err, TN_OFPBRC_BAD_PORT, -1,
			"DPDK cannot start '%.120s': %s; a capture that is read for ever needs a "
			"buffer a frame (--memory)",
			devargs, strerror(-r));
		destroy(&p->port);
		return NULL;
	}
	p->port.ops = &ops;
	if (!rte_eth_macaddr_get(p->id, &mac))
		memcpy(p->port.mac.b, mac.addr_bytes, sizeof(p->port.mac.b));
	if (!rte_eth_dev_get_mtu(p->id, &mtu))
		p->port.mtu = mtu;
	return &p->port;
}

static const struct tn_port_option_rule rules[] = {
	{.key = "devargs", .type = TN_OPTION_STRING, .required = true},
	{.key = "queues", .type = TN_OPTION_INTEGER, .min = 1, .max = 64},
	{.key = "descriptors", .type = TN_OPTION_INTEGER, .min = 64, .max = 32768},
	{.key = NULL},
};

const struct tn_port_kind tn_dpdk_port_kind = {
	.type = "dpdk",
	.rules = rules,
	.make = make,
};
