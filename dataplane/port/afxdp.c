/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/port/afxdp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/port/kernel_port.h"
#include "dataplane/port/netdev.h"
#include "dataplane/port/netns.h"
#include "dataplane/port/xdp_redirect.h"
#include "dataplane/port/xsk.h"
#include "dataplane/port/xsk_queues.h"

struct afxdp_port {
	struct tn_port port; /* first */
	struct tn_netdev dev;
	struct tn_xdp_redirect redirect;
	bool up; /* atomic */
	struct tn_xsk_queues queues;
};

struct opening {
	struct afxdp_port *p;
	const struct tn_afxdp_config *config;
};

static struct afxdp_port *of(struct tn_port *port)
{
	return (struct afxdp_port *)(void *)port;
}

static unsigned rx(struct tn_port *port, unsigned queue, struct tn_packet *packets, unsigned n)
{
	return tn_xsk_queues_rx(&of(port)->queues, queue, packets, n);
}

static unsigned tx(struct tn_port *port, unsigned queue, struct tn_packet *packets, unsigned n)
{
	return tn_xsk_queues_tx(&of(port)->queues, queue, packets, n);
}

static int wait_fd(struct tn_port *port, unsigned queue)
{
	return tn_xsk_queues_fd(&of(port)->queues, queue);
}

static bool link_up(struct tn_port *port)
{
	return __atomic_load_n(&of(port)->up, __ATOMIC_RELAXED);
}

static void wire_stats(struct tn_port *port, struct tn_port_wire_stats *stats)
{
	*stats = (struct tn_port_wire_stats){0};
	tn_xsk_queues_stats(&of(port)->queues, stats);
}

static void maintain(struct tn_port *port, uint64_t now_ns)
{
	struct afxdp_port *p = of(port);

	(void)now_ns;
	(void)tn_netdev_told(&p->dev);
	__atomic_store_n(&p->up, tn_netdev_running(&p->dev), __ATOMIC_RELAXED);
	tn_xsk_queues_kick(&p->queues);
}

static int link_fd(struct tn_port *port)
{
	return of(port)->dev.watch_fd;
}

static uint64_t maintain_due(struct tn_port *port)
{
	const struct afxdp_port *p = of(port);

	return tn_xsk_queues_waiting(&p->queues) ? 0 : tn_netdev_due(&p->dev);
}

static void destroy(struct tn_port *port)
{
	struct afxdp_port *p = of(port);

	tn_xdp_redirect_detach(&p->redirect);
	tn_xsk_queues_close(&p->queues);
	tn_netdev_close(&p->dev);
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
	const struct tn_xsk_queues_config c = {
		.ifname = o->config->ifname,
		.n = o->p->port.n_rx_queues,
		.n_frames = o->config->n_frames,
		.mtu = o->p->port.mtu,
		.buffers = o->config->buffers,
		.buffers_ctx = o->config->buffers_ctx,
	};
	struct afxdp_port *p = o->p;
	int r = tn_xsk_queues_open(&p->queues, &c, err);

	if (r)
		return r;
	for (unsigned i = 0; !r && i < c.n; i++)
		r = tn_xdp_redirect_set(&p->redirect, i, tn_xsk_queues_fd(&p->queues, i));
	return r ? tn_error_set(err, TN_OFPBRC_BAD_PORT, -1,
			   "cannot give the XDP program of '%.16s' its sockets: %s", c.ifname,
			   strerror(-r))
		 : 0;
}

static int open_device(const struct opening *o, struct tn_error *err)
{
	struct afxdp_port *p = o->p;
	int r = tn_netdev_open(&p->dev, o->config->ifname);

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
	p->port.n_rx_queues = (uint16_t)tn_netdev_rx_queues(&p->dev);
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

struct tn_port *tn_afxdp_port_new(const struct tn_afxdp_config *config, struct tn_error *err)
{
	struct opening o = {.config = config};

	if (tn_xsk_frames_check(config->ifname, config->n_frames, err))
		return NULL;
	o.p = calloc(1, sizeof(*o.p));
	if (!o.p) {
		(void)tn_error_set(err, TN_OFPBRC_BAD_PORT, -1, "no memory for a port");
		return NULL;
	}
	o.p->port.ops = &ops;
	o.p->port.n_tx_queues = config->n_tx_queues ? config->n_tx_queues : 1;
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
	{.key = "frames",
		.type = TN_OPTION_INTEGER,
		.min = TN_XSK_FRAMES_MIN,
		.max = TN_XSK_FRAMES_MAX},
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
