/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/port/kernel_tunnel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include <linux/virtio_net.h>

#include "dataplane/core/parse.h"
#include "dataplane/core/view.h"
#include "dataplane/core/vxlan.h"
#include "dataplane/core/wire.h"
#include "dataplane/port/kernel_tap.h"
#include "dataplane/port/netdev.h"
#include "dataplane/port/xsk_queues.h"
#include "ebpf/loader.h"
#include "ebpf/vxlan_device.h"

#define FRAME_MAX     (65535u + 64u)
#define UDP_DEFAULT   4789
#define UDP_VXLAN_LEN 16u /* both headers */
/* Everything is behind one gateway that exists nowhere: the kernel knows the real ways. */
#define ANY4	 ((tn_u128)0xffff << 32)
#define GATEWAY4 ((tn_u128)0xffff << 32 | 0xa9fe0001u)		   /* 169.254.0.1 */
#define GATEWAY6 ((tn_u128)UINT64_C(0xfe80000000000000) << 64 | 1) /* fe80::1 */

static const struct tn_mac gateway_mac = {{0x02, 0, 0, 0, 0, 0x02}};
static const struct tn_mac own_mac = {{0x02, 0, 0, 0, 0, 0x01}};

struct lane {
	uint64_t errors;
} __attribute__((aligned(TN_CACHE_LINE)));

struct tunnel {
	struct tn_port port; /* first */
	const struct tn_buffer_ops *buffers;
	void *buffers_ctx;
	struct tn_ebpf *ebpf;
	struct tn_kernel_tap tap;
	uint32_t device; /* ifindex of the VXLAN device */
	uint32_t uplink; /* of what its packets come in by; 0: not said */
	uint16_t udp_port;
	bool guard, is_shared;
	struct tn_xsk_queues shared; /* the uplink's; none: it is not shared */
	struct tn_netdev shared_dev; /* the uplink, to hear of its MAC and MTU */
	uint32_t mtu;		     /* of that, as it was seen last; 0: it is gone */
	uint32_t wire_mtu;	     /* what the sockets may send: atomic, the workers' to read */
	void (*say)(const char *fmt, ...) TN_PRINTF(1, 2);
	tn_u128 address[2]; /* IPv4, IPv6; 0: none */
	uint64_t rx_dropped, rx_errors;
	struct lane *tx;
	uint8_t frame[FRAME_MAX];
};

static const struct tn_port_ops ops;

static struct tunnel *of(struct tn_port *port)
{
	return (struct tunnel *)(void *)port;
}

static void count(uint64_t *counter)
{
	__atomic_store_n(counter, *counter + 1, __ATOMIC_RELAXED);
}

static tn_u128 address_of(const uint8_t b[16])
{
	struct tn_ip6 a;

	memcpy(a.b, b, sizeof(a.b));
	return tn_u128_from_ip6(&a);
}

static void put_address(tn_u128 address, uint8_t b[16])
{
	struct tn_ip6 a = tn_u128_to_ip6(address);

	memcpy(b, a.b, sizeof(a.b));
}

/* --- up --------------------------------------------------------------------------------------- */

/* Where it came to; a kernel that does not tell (before Linux 6.0) has it for this endpoint. */
static tn_u128 local_of(const struct tunnel *t, const struct tn_ebpf_tunnel_head *head)
{
	tn_u128 local = address_of(head->local);

	if (!local)
		return t->address[1];
	return local == ANY4 ? t->address[0] : local;
}

/* The outer headers that the VXLAN device took off. Congestion marks are in the frame by now. */
static bool wrap(
	const struct tunnel *t, const struct tn_ebpf_tunnel_head *head, struct tn_packet *p)
{
	const struct tn_vxlan_encap encap = {
		.src = address_of(head->remote),
		.dst = local_of(t, head),
		.eth_src = gateway_mac,
		.eth_dst = own_mac,
		.vni = head->vni,
		.udp_dst = t->udp_port,
		.ttl = head->ttl ? head->ttl : 64,
		.inherit_dscp = true,
	};
	struct tn_view view = tn_packet_view(p);
	struct tn_headers h;

	if (tn_parse(&view, &h) || tn_vxlan_push(&view, &encap, &h, 0))
		return false;
	tn_packet_update(p, &view);
	return true;
}

/* 1: *packet is one; 0: the frame was lost; -1: nothing is there. */
static int receive(struct tunnel *t, struct tn_packet *packet)
{
	struct tn_ebpf_tunnel_head head;
	struct virtio_net_hdr h;
	struct iovec parts[] = {{&h, sizeof(h)}, {&head, sizeof(head)}, {t->frame, FRAME_MAX}};
	ssize_t len = readv(t->tap.fd, parts, 3);
	struct tn_packet p = {.data = t->frame};

	if (len < 0) {
		if (errno != EAGAIN && errno != EBADFD)
			count(&t->rx_errors);
		return -1;
	}
	if ((size_t)len < sizeof(h) + sizeof(head) + TN_ETH_LEN) {
		count(&t->rx_errors);
		return 0;
	}
	p.len = (uint32_t)((size_t)len - sizeof(h) - sizeof(head));
	if (!t->buffers->clone(t->buffers_ctx, &p, packet)) {
		count(&t->rx_dropped);
		return 0;
	}
	if (wrap(t, &head, packet))
		return 1;
	count(&t->rx_errors);
	t->buffers->free(t->buffers_ctx, packet, 1);
	return 0;
}

/* Queue 0 is the device's, those of the uplink come behind it. */
static unsigned rx(struct tn_port *port, unsigned queue, struct tn_packet *packets, unsigned n)
{
	struct tunnel *t = of(port);
	unsigned got = 0;

	if (queue)
		return tn_xsk_queues_rx(&t->shared, queue - 1, packets, n);
	while (got < n) {
		int r = receive(t, &packets[got]);

		if (r < 0)
			break;
		got += (unsigned)r;
	}
	return got;
}

/* --- down ------------------------------------------------------------------------------------- */

/* Takes the outer headers off; what they said is for the program behind the TAP. */
static bool unwrap(const struct tn_packet *p, struct tn_ebpf_tunnel_head *head, struct iovec *inner)
{
	struct tn_view view = tn_packet_view(p);
	struct tn_vxlan_outer outer;
	struct tn_headers h;
	const uint8_t *udp;

	if (tn_parse(&view, &h) || tn_vxlan_decode(&view, &h, &outer))
		return false;
	udp = view.data + outer.inner_ofs - UDP_VXLAN_LEN;
	memset(head, 0, sizeof(*head));
	put_address(outer.dst, head->remote);
	put_address(outer.src, head->local);
	head->vni = outer.vni;
	head->tos = outer.tos;
	head->ttl = outer.ttl;
	if (outer.dst >> 32 == 0xffff && view.data[h.l3 + 6] & 0x40)
		head->flags |= TN_EBPF_TUN_DF;
	if (udp[6] | udp[7])
		head->flags |= TN_EBPF_TUN_CSUM;
	inner->iov_base = view.data + outer.inner_ofs;
	inner->iov_len = view.len - outer.inner_ofs;
	return true;
}

static unsigned tx_by_device(
	struct tunnel *t, unsigned queue, struct tn_packet *packets, unsigned n)
{
	static struct virtio_net_hdr nothing_left;
	unsigned done = 0;

	for (; done < n; done++) {
		struct tn_ebpf_tunnel_head head;
		struct iovec parts[] = {
			{&nothing_left, sizeof(nothing_left)}, {NULL, 0}, {&head, sizeof(head)}};

		if (!unwrap(&packets[done], &head, &parts[1])) {
			count(&t->tx[queue].errors); /* the host's own: it has its own way out */
			continue;
		}
		if (writev(t->tap.fd, parts, 3) >= 0)
			continue;
		if (errno == EAGAIN)
			break;
		count(&t->tx[queue].errors);
	}
	t->buffers->free(t->buffers_ctx, packets, done);
	return done;
}

/* Has it a next hop, and room on the wire? */
static bool is_for_wire(const struct tunnel *t, const struct tn_packet *p)
{
	return p->len <= __atomic_load_n(&t->wire_mtu, __ATOMIC_RELAXED) + TN_ETH_LEN &&
		memcmp(p->data, &gateway_mac, sizeof(gateway_mac)) != 0;
}

static unsigned tx(struct tn_port *port, unsigned queue, struct tn_packet *packets, unsigned n)
{
	struct tunnel *t = of(port);
	unsigned done = 0, sent;

	if (!t->is_shared)
		return tx_by_device(t, queue, packets, n);
	while (done < n) {
		bool wire = is_for_wire(t, &packets[done]);
		unsigned end = done + 1;

		while (end < n && is_for_wire(t, &packets[end]) == wire)
			end++;
		sent = wire ? tn_xsk_queues_tx(&t->shared, queue, packets + done, end - done)
			    : tx_by_device(t, queue, packets + done, end - done);
		done += sent;
		if (done < end)
			break;
	}
	return done;
}

/* --- the main thread's ------------------------------------------------------------------------ */

static int wait_fd(struct tn_port *port, unsigned queue)
{
	struct tunnel *t = of(port);

	return queue ? tn_xsk_queues_fd(&t->shared, queue - 1) : t->tap.fd;
}

static bool link_up(struct tn_port *port)
{
	(void)port;
	return true;
}

static void wire_stats(struct tn_port *port, struct tn_port_wire_stats *stats)
{
	struct tunnel *t = of(port);

	*stats = (struct tn_port_wire_stats){
		.rx_dropped = __atomic_load_n(&t->rx_dropped, __ATOMIC_RELAXED),
		.rx_errors = __atomic_load_n(&t->rx_errors, __ATOMIC_RELAXED),
	};
	for (unsigned i = 0; i < port->n_tx_queues; i++)
		stats->tx_errors += __atomic_load_n(&t->tx[i].errors, __ATOMIC_RELAXED);
	tn_xsk_queues_stats(&t->shared, stats);
}

/*
 * Addresses by which workers get their share. While the uplink takes larger frames than the sockets
 * were made for no frame is theirs: the kernel's VXLAN device takes all.
 */
static int set_share(struct tunnel *t, struct tn_error *err)
{
	struct tn_ebpf_share share = {0};

	if (t->mtu <= t->port.mtu)
		memcpy(share.mac, &t->port.mac, sizeof(share.mac));
	for (unsigned i = 0; i < 2; i++)
		put_address(t->address[i], share.local[i]);
	return tn_ebpf_set_share(t->ebpf, t->is_shared ? &share : NULL, err);
}

static void say_by_device(const struct tunnel *t)
{
	if (!t->say)
		return;
	if (!t->mtu)
		t->say("port %s: its shared uplink is gone: workers go by the kernel's VXLAN device; "
		       "remove the port and add it again",
			t->port.name);
	else if (t->mtu > t->port.mtu)
		t->say("port %s: the MTU of its shared uplink is %u, but was %u when it was opened: "
		       "what is for workers goes by the kernel's VXLAN device; lower it, or remove "
		       "the port and add it again",
			t->port.name, t->mtu, t->port.mtu);
}

/* It may have another MAC, to which frames of tunnels come, and another MTU, or be gone. */
static void follow_uplink(struct tunnel *t)
{
	uint32_t before = t->mtu;
	struct tn_error err;
	int rc = tn_netdev_mtu(&t->shared_dev, &t->mtu);

	if (rc == -ENODEV)
		t->mtu = 0;
	else if (rc || tn_netdev_mac(&t->shared_dev, &t->port.mac) || set_share(t, &err))
		return;
	__atomic_store_n(
		&t->wire_mtu, t->mtu < t->port.mtu ? t->mtu : t->port.mtu, __ATOMIC_RELAXED);
	if (t->mtu != before)
		say_by_device(t);
}

static void maintain(struct tn_port *port, uint64_t now_ns)
{
	struct tunnel *t = of(port);

	(void)now_ns;
	tn_xsk_queues_kick(&t->shared);
	if (t->is_shared && tn_netdev_told(&t->shared_dev))
		follow_uplink(t);
}

static int link_fd(struct tn_port *port)
{
	return of(port)->shared_dev.watch_fd;
}

static uint64_t maintain_due(struct tn_port *port)
{
	struct tunnel *t = of(port);

	if (t->mtu && tn_xsk_queues_waiting(&t->shared))
		return 0;
	return t->is_shared ? tn_netdev_due(&t->shared_dev) : UINT64_MAX;
}

static void detach(struct tunnel *t)
{
	struct tn_error err;

	if (t->uplink) {
		(void)!tn_ebpf_set_share(t->ebpf, NULL, &err);
		tn_ebpf_detach(t->ebpf, TN_EBPF_FROM_UPLINK, t->uplink);
		tn_ebpf_detach(t->ebpf, TN_EBPF_GUARD, t->uplink);
		tn_ebpf_clear_port(t->ebpf, t->uplink);
	}
	if (t->device)
		tn_ebpf_clear_port(t->ebpf, t->device);
	tn_vxlan_device_free(t->device);
}

static void destroy(struct tn_port *port)
{
	struct tunnel *t = of(port);

	if (t->tap.dev.fd >= 0)
		tn_ebpf_clear_port(t->ebpf, (uint32_t)t->tap.dev.ifindex);
	if (!tn_ebpf_is_leaving(t->ebpf))
		detach(t);
	tn_xsk_queues_close(&t->shared);
	tn_netdev_close(&t->shared_dev);
	tn_kernel_tap_close(&t->tap);
	free(t->tx);
	free(t);
}

static const struct tn_port_ops ops = {
	.kind = "kernel-underlay",
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

bool tn_kernel_tunnel_way(const struct tn_port *port, uint32_t *ifindex, uint16_t *udp_port)
{
	const struct tunnel *t = (const struct tunnel *)(const void *)port;

	if (port->ops != &ops)
		return false;
	*ifindex = t->device;
	*udp_port = t->udp_port;
	return true;
}

bool tn_kernel_tunnel_guarded(const struct tn_port *port)
{
	return port->ops == &ops && ((const struct tunnel *)(const void *)port)->guard;
}

bool tn_kernel_tunnel_underlay(const struct tn_port *port, struct tn_kernel_tunnel_underlay *u)
{
	const struct tunnel *t = (const struct tunnel *)(const void *)port;

	u->n = 0;
	if (port->ops != &ops)
		return false;
	for (unsigned i = 0; i < 2; i++) {
		tn_u128 gateway = i ? GATEWAY6 : GATEWAY4;

		if (!t->address[i])
			continue;
		u->addresses[u->n] = (struct tn_underlay_address){.address = t->address[i],
			.prefix_len = i ? 128 : 32,
			.mac = t->port.mac,
			.port = port->number};
		u->routes[u->n] = (struct tn_underlay_route){
			.prefix = i ? 0 : ANY4, .is_ip4 = !i, .via = gateway, .port = port->number};
		u->neighbours[u->n] = (struct tn_underlay_neighbour){
			.address = gateway, .mac = gateway_mac, .port = port->number};
		u->n++;
	}
	u->neighbours[u->n] = (struct tn_underlay_neighbour){
		.address = TN_UNDERLAY_ANY_NEIGHBOUR, .mac = gateway_mac, .port = port->number};
	return true;
}

/* --- making one ------------------------------------------------------------------------------- */

static bool parse_address(const char *text, bool ip6, tn_u128 *address)
{
	struct tn_ip6 a = {{[10] = 0xff, 0xff}};

	if (inet_pton(ip6 ? AF_INET6 : AF_INET, text, ip6 ? a.b : a.b + 12) != 1)
		return false;
	*address = tn_u128_from_ip6(&a);
	return true;
}

static int check_uplink(const struct tn_port_spec *spec, struct tn_error *err)
{
	bool shared = tn_port_option_bool(spec, "shared", false);
	bool guard = tn_port_option_bool(spec, "guard", shared);

	if ((guard || shared) && !tn_port_option_find(spec, "uplink"))
		return tn_error_set(err, TN_OFPBRC_BAD_PORT, -1,
			"port %s: \"%s\" takes an \"uplink\" to be at", spec->name,
			shared ? "shared" : "guard");
	if (shared && !guard)
		return tn_error_set(err, TN_OFPBRC_BAD_PORT, -1,
			"port %s: what shares an uplink out is its guard: leave \"guard\" out, or "
			"\"shared\"",
			spec->name);
	if (!shared && tn_port_option_find(spec, "frames"))
		return tn_error_set(err, TN_OFPBRC_BAD_PORT, -1,
			"port %s: \"frames\" are those of a \"shared\" uplink", spec->name);
	return tn_xsk_frames_check(tn_port_option_string(spec, "uplink", ""),
		(uint32_t)tn_port_option_integer(spec, "frames", 0), err);
}

static int read_uplink(struct tunnel *t, const struct tn_port_spec *spec, struct tn_error *err)
{
	const char *name = tn_port_option_string(spec, "uplink", NULL);
	int rc = check_uplink(spec, err);

	t->uplink = name ? if_nametoindex(name) : 0;
	t->is_shared = tn_port_option_bool(spec, "shared", false);
	t->guard = tn_port_option_bool(spec, "guard", t->is_shared);
	if (!rc && name && !t->uplink)
		return tn_error_set(err, TN_OFPBRC_BAD_PORT, -1,
			"port %s: \"uplink\" is \"%.16s\": there is no such interface; name the one "
			"that VXLAN packets come in by",
			spec->name, name);
	return rc;
}

static int read_options(struct tunnel *t, const struct tn_port_spec *spec, struct tn_error *err)
{
	static const char *const keys[] = {"address", "address6"};

	for (unsigned i = 0; i < 2; i++) {
		const char *text = tn_port_option_string(spec, keys[i], NULL);

		if (text && !parse_address(text, i, &t->address[i]))
			return tn_error_set(err, TN_OFPBRC_BAD_PORT, -1,
				"port %s: \"%s\" is \"%.48s\"; give this host's tunnel endpoint, an "
				"IPv%u address",
				spec->name, keys[i], text, i ? 6 : 4);
	}
	if (!t->address[0] && !t->address[1])
		return tn_error_set(err, TN_OFPBRC_BAD_PORT, -1,
			"port %s: give this host's tunnel endpoint: \"address\", \"address6\" or both",
			spec->name);
	t->udp_port = (uint16_t)tn_port_option_integer(spec, "udpPort", UDP_DEFAULT);
	return read_uplink(t, spec, err);
}

static struct tn_ebpf_port description(const struct tunnel *t, uint32_t number)
{
	return (struct tn_ebpf_port){.number = number,
		.kind = TN_EBPF_IS_TUNNEL,
		.udp_port = t->udp_port,
		.ip6 = t->address[1] != 0};
}

/* Sockets last, for they are what makes it. */
static int attach_share(struct tunnel *t, struct tn_error *err)
{
	int rc = set_share(t, err);

	for (unsigned i = 0; !rc && i < t->shared.n; i++)
		rc = tn_ebpf_set_socket(t->ebpf, i, tn_xsk_queues_fd(&t->shared, i), err);
	return rc;
}

static int attach_uplink(struct tunnel *t, uint32_t number, struct tn_error *err)
{
	const struct tn_ebpf_port in = {.number = number,
		.kind = TN_EBPF_IS_UPLINK,
		.udp_port = t->udp_port,
		.local4 = tn_htobe32((uint32_t)t->address[0]).raw};
	int rc = tn_ebpf_set_port(t->ebpf, t->uplink, &in, err);

	if (!rc)
		rc = tn_ebpf_attach(t->ebpf, TN_EBPF_FROM_UPLINK, t->uplink, err);
	if (!rc)
		rc = attach_share(t, err);
	if (!rc && t->guard)
		rc = tn_ebpf_attach(t->ebpf, TN_EBPF_GUARD, t->uplink, err);
	else if (!rc) /* of a process before this one */
		tn_ebpf_detach(t->ebpf, TN_EBPF_GUARD, t->uplink);
	return rc;
}

/* Maps first: a program without its port lets nothing pass. */
static int attach(struct tunnel *t, uint32_t number, struct tn_error *err)
{
	uint32_t tap = (uint32_t)t->tap.dev.ifindex;
	const struct tn_ebpf_port down = {
		.number = number, .kind = TN_EBPF_IS_TAP, .to = t->device};
	struct tn_ebpf_port up = description(t, number);
	int rc;

	up.to = tap;
	rc = tn_ebpf_set_port(t->ebpf, t->device, &up, err);
	if (!rc)
		rc = tn_ebpf_set_port(t->ebpf, tap, &down, err);
	if (!rc)
		rc = tn_ebpf_attach(t->ebpf, TN_EBPF_TO_TUNNEL, tap, err);
	if (!rc)
		rc = tn_ebpf_attach(t->ebpf, TN_EBPF_FROM_TUNNEL, t->device, err);
	if (!rc && t->uplink)
		rc = attach_uplink(t, number, err);
	return rc;
}

/* That of a process before this one is kept: sessions name it. */
static int open_device(struct tunnel *t, uint32_t number, struct tn_error *err)
{
	const struct tn_ebpf_port like = description(t, number);
	char name[IF_NAMESIZE], is[IF_NAMESIZE];

	snprintf(name, sizeof(name), TN_VXLAN_DEVICE_PREFIX "%u", number);
	t->device = tn_ebpf_find(t->ebpf, &like);
	if (t->device && if_indextoname(t->device, is) && !strcmp(is, name))
		return 0;
	return tn_vxlan_device_new(name, t->udp_port, like.ip6, &t->device, err);
}

static int open_sockets(struct tunnel *t, const struct tn_port_spec *spec, struct tn_error *err)
{
	const char *name = tn_port_option_string(spec, "uplink", NULL);
	struct tn_xsk_queues_config c = {
		.ifname = name,
		.n_frames = (uint32_t)tn_port_option_integer(spec, "frames", 0),
		.buffers = t->buffers,
		.buffers_ctx = t->buffers_ctx,
	};
	struct tn_netdev *dev = &t->shared_dev;
	int rc = tn_netdev_open(dev, name);

	/* Not watched it is looked at. */
	if (!rc)
		(void)tn_netdev_watch(dev);
	if (!rc)
		rc = tn_netdev_mac(dev, &t->port.mac);
	if (!rc)
		rc = tn_netdev_mtu(dev, &c.mtu);
	c.n = rc ? 0 : tn_netdev_rx_queues(dev);
	if (rc)
		return tn_error_set(err, TN_OFPBRC_BAD_PORT, -1,
			"interface '%.16s' cannot be shared: %s", name, strerror(-rc));
	rc = tn_xsk_queues_open(&t->shared, &c, err);
	if (rc)
		return rc;
	t->port.mtu = t->mtu = t->wire_mtu = c.mtu;
	t->port.n_rx_queues = (uint16_t)(1 + c.n);
	return 0;
}

/* Without sockets workers send and get all of theirs by the device. */
static void open_shared(struct tunnel *t, const struct tn_port_spec *spec,
	const struct tn_port_resources *resources)
{
	struct tn_error err;

	if (!open_sockets(t, spec, &err))
		return;
	tn_xsk_queues_close(&t->shared);
	tn_netdev_close(&t->shared_dev);
	t->is_shared = false;
	t->port.mac = own_mac;
	if (resources->say)
		resources->say("port %s is not shared, workers go by the kernel's VXLAN device: %s",
			spec->name, err.detail);
}

static int open_all(struct tunnel *t, const struct tn_port_spec *spec,
	const struct tn_port_resources *resources, struct tn_error *err)
{
	char name[16];
	int rc = read_options(t, spec, err);

	snprintf(name, sizeof(name), "tnt%u", spec->number);
	if (!rc)
		rc = tn_kernel_tap_open(&t->tap, name, true, err);
	if (!rc)
		rc = open_device(t, spec->number, err);
	if (!rc && t->is_shared)
		open_shared(t, spec, resources);
	return rc ? rc : attach(t, spec->number, err);
}

static struct tn_port *make(const struct tn_port_spec *spec,
	const struct tn_port_resources *resources, struct tn_error *err)
{
	struct tunnel *t = calloc(1, sizeof(*t));

	if (t) {
		t->tap.fd = -1;
		t->tap.dev = TN_NETDEV_NONE;
		t->shared_dev = TN_NETDEV_NONE;
		t->tx = aligned_alloc(TN_CACHE_LINE, resources->n_workers * sizeof(*t->tx));
	}
	if (!t || !t->tx) {
		free(t);
		(void)tn_error_set(err, TN_OFPBRC_BAD_PORT, -1, "no memory for a port");
		return NULL;
	}
	memset(t->tx, 0, resources->n_workers * sizeof(*t->tx));
	t->port.ops = &ops;
	t->port.n_rx_queues = 1;
	t->port.n_tx_queues = (uint16_t)resources->n_workers;
	t->port.mac = own_mac;
	t->buffers = resources->buffers;
	t->buffers_ctx = resources->buffers_ctx;
	t->ebpf = resources->ebpf;
	t->say = resources->say;
	if (!open_all(t, spec, resources, err))
		return &t->port;
	destroy(&t->port);
	return NULL;
}

static const struct tn_port_option_rule rules[] = {
	{.key = "address", .type = TN_OPTION_STRING},
	{.key = "address6", .type = TN_OPTION_STRING},
	{.key = "uplink", .type = TN_OPTION_STRING},
	{.key = "guard", .type = TN_OPTION_BOOL},
	{.key = "shared", .type = TN_OPTION_BOOL},
	{.key = "frames",
		.type = TN_OPTION_INTEGER,
		.min = TN_XSK_FRAMES_MIN,
		.max = TN_XSK_FRAMES_MAX},
	{.key = "udpPort", .type = TN_OPTION_INTEGER, .min = 1, .max = 65535},
	{.key = NULL},
};

const struct tn_port_kind tn_kernel_tunnel_kind = {
	.type = "kernel-underlay", .rules = rules, .make = make};
