/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/fastpath/tunnels.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/core/wire.h"

/* What a port takes: 0 (addresses) and ANY_VNI mean all. */
#define ANY_VNI UINT32_MAX

struct takes {
	tn_u128 local, remote;
	uint32_t vni;
	uint16_t udp_port;
};

struct tn_tunnel {
	uint32_t number;
	struct tn_vxlan_options options; /* its arrays are ours and sorted */
	struct takes takes;
	tn_u128 *peers;
	uint32_t *vnis;
};

struct tn_tunnels {
	struct tn_tunnel *list; /* sorted by port number */
	size_t n;
	uint32_t *slots; /* by what a port takes; index in list + 1 */
	uint32_t mask;
	uint64_t udp_ports[65536 / 64]; /* bitmap of those that some port listens on */
};

static int compare_tunnels(const void *x, const void *y)
{
	const struct tn_tunnel *a = x, *b = y;

	return a->number < b->number ? -1 : a->number > b->number;
}

static int compare_addresses(const void *x, const void *y)
{
	const tn_u128 *a = x, *b = y;

	return *a < *b ? -1 : *a > *b;
}

static int compare_vnis(const void *x, const void *y)
{
	const uint32_t *a = x, *b = y;

	return *a < *b ? -1 : *a > *b;
}

static bool same(const struct takes *a, const struct takes *b)
{
	return a->local == b->local && a->remote == b->remote && a->vni == b->vni &&
		a->udp_port == b->udp_port;
}

static uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 32;
}

static uint32_t hash(const struct takes *t)
{
	uint64_t h = mix(t->udp_port, t->vni);

	h = mix(h, (uint64_t)t->local);
	h = mix(h, (uint64_t)(t->local >> 64));
	h = mix(h, (uint64_t)t->remote);
	return (uint32_t)mix(h, (uint64_t)(t->remote >> 64));
}

static uint32_t *find_slot(const struct tn_tunnels *t, const struct takes *takes)
{
	uint32_t i = hash(takes) & t->mask;

	while (t->slots[i] && !same(&t->list[t->slots[i] - 1].takes, takes))
		i = (i + 1) & t->mask;
	return &t->slots[i];
}

static bool copy_lists(struct tn_tunnel *tunnel, const struct tn_vxlan_options *v)
{
	tunnel->peers = malloc((v->n_peers + 1) * sizeof(*v->peers));
	tunnel->vnis = malloc((v->n_vnis + 1) * sizeof(*v->vnis));
	if (!tunnel->peers || !tunnel->vnis)
		return false;
	if (v->n_peers)
		memcpy(tunnel->peers, v->peers, v->n_peers * sizeof(*v->peers));
	if (v->n_vnis)
		memcpy(tunnel->vnis, v->vnis, v->n_vnis * sizeof(*v->vnis));
	qsort(tunnel->peers, v->n_peers, sizeof(*v->peers), compare_addresses);
	qsort(tunnel->vnis, v->n_vnis, sizeof(*v->vnis), compare_vnis);
	return true;
}

static bool init_tunnel(struct tn_tunnel *tunnel, const struct tn_tunnel_config *config)
{
	const struct tn_vxlan_options *v = &config->options;

	tunnel->number = config->number;
	tunnel->options = *v;
	tunnel->takes = (struct takes){
		.local = v->has_local ? v->local : 0,
		.remote = v->remote_flow ? 0 : v->remote,
		.vni = v->vni_flow ? ANY_VNI : v->vni,
		.udp_port = v->udp_port,
	};
	return copy_lists(tunnel, v);
}

static int index_tunnels(struct tn_tunnels *t, uint32_t *a, uint32_t *b)
{
	for (size_t i = 0; i < t->n; i++) {
		uint32_t *slot = find_slot(t, &t->list[i].takes);
		uint16_t udp = t->list[i].takes.udp_port;

		if (*slot) {
			*a = t->list[*slot - 1].number;
			*b = t->list[i].number;
			return -EEXIST;
		}
		*slot = (uint32_t)i + 1;
		t->udp_ports[udp / 64] |= UINT64_C(1) << udp % 64;
	}
	return 0;
}

int tn_tunnels_new(struct tn_tunnels **tunnels, const struct tn_tunnel_config *configs, size_t n,
	uint32_t *a, uint32_t *b)
{
	struct tn_tunnels *t = calloc(1, sizeof(*t));
	int r;

	*tunnels = NULL;
	if (!t)
		return -ENOMEM;
	t->mask = 15;
	while (t->mask < n * 2)
		t->mask = t->mask * 2 + 1;
	t->list = calloc(n + 1, sizeof(*t->list));
	t->slots = calloc((size_t)t->mask + 1, sizeof(*t->slots));
	r = t->list && t->slots ? 0 : -ENOMEM;
	for (; !r && t->n < n; t->n++) {
		if (!init_tunnel(&t->list[t->n], &configs[t->n]))
			r = -ENOMEM;
	}
	if (!r) {
		qsort(t->list, t->n, sizeof(*t->list), compare_tunnels);
		r = index_tunnels(t, a, b);
	}
	if (r)
		tn_tunnels_free(t);
	else
		*tunnels = t;
	return r;
}

void tn_tunnels_free(struct tn_tunnels *t)
{
	if (!t)
		return;
	for (size_t i = 0; t->list && i < t->n; i++) {
		free(t->list[i].peers);
		free(t->list[i].vnis);
	}
	free(t->list);
	free(t->slots);
	free(t);
}

static const struct tn_tunnel *find_tunnel(const struct tn_tunnels *t, uint32_t port)
{
	size_t low = 0, high = t->n;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (t->list[mid].number == port)
			return &t->list[mid];
		if (t->list[mid].number < port)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

static bool peer_allowed(const struct tn_tunnel *tunnel, tn_u128 src)
{
	const struct tn_vxlan_options *v = &tunnel->options;

	if (!v->remote_flow)
		return v->remote == src;
	return !v->n_peers ||
		bsearch(&src, tunnel->peers, v->n_peers, sizeof(src), compare_addresses);
}

static bool vni_allowed(const struct tn_tunnel *tunnel, uint32_t vni)
{
	const struct tn_vxlan_options *v = &tunnel->options;

	if (!v->vni_flow)
		return v->vni == vni;
	return !v->n_vnis || bsearch(&vni, tunnel->vnis, v->n_vnis, sizeof(vni), compare_vnis);
}

/* What this port says to an outer packet. */
static enum tn_drop judge(
	const struct tn_underlay *u, const struct tn_tunnel *tunnel, const struct tn_vxlan_outer *o)
{
	const struct tn_vxlan_options *v = &tunnel->options;
	bool ours = v->has_local ? v->local == o->dst : tn_underlay_address(u, o->dst) != NULL;

	if (!ours || v->udp_port != o->udp_dst)
		return TN_DROP_VXLAN_NOT_LOCAL;
	if (!peer_allowed(tunnel, o->src))
		return TN_DROP_VXLAN_UNKNOWN_PEER;
	if (!vni_allowed(tunnel, o->vni))
		return TN_DROP_VXLAN_UNKNOWN_VNI;
	return TN_DROP_NONE;
}

/*
 * The port that names most of the packet: its peer before its network before our address. *drop is
 * what the best of those that refused it said.
 */
static const struct tn_tunnel *choose(const struct tn_tunnels *t, const struct tn_underlay *u,
	const struct tn_vxlan_outer *o, enum tn_drop *drop)
{
	*drop = TN_DROP_VXLAN_UNKNOWN_PEER;
	for (unsigned any = 0; any < 8; any++) {
		const struct takes takes = {
			.local = any & 1 ? 0 : o->dst,
			.vni = any & 2 ? ANY_VNI : o->vni,
			.remote = any & 4 ? 0 : o->src,
			.udp_port = o->udp_dst,
		};
		uint32_t slot = *find_slot(t, &takes);
		enum tn_drop said;

		if (!slot)
			continue;
		said = judge(u, &t->list[slot - 1], o);
		if (!said) {
			*drop = TN_DROP_NONE;
			return &t->list[slot - 1];
		}
		if (said == TN_DROP_VXLAN_UNKNOWN_VNI)
			*drop = said;
	}
	/* No port for this network, but is there one for this peer? */
	for (size_t i = 0; i < t->n && *drop != TN_DROP_VXLAN_UNKNOWN_VNI; i++) {
		if (judge(u, &t->list[i], o) == TN_DROP_VXLAN_UNKNOWN_VNI)
			*drop = TN_DROP_VXLAN_UNKNOWN_VNI;
	}
	return NULL;
}

/* Destination port of UDP that is there; else 0. Its place is what tn_vxlan_match() relies on. */
static uint16_t udp_dst(const struct tn_view *view, const struct tn_headers *h)
{
	if (!(h->flags & TN_HDR_UDP) || !h->l4)
		return 0;
	return (uint16_t)(view->data[h->l4 + 2] << 8 | view->data[h->l4 + 3]);
}

static bool outer_dst(const struct tn_view *view, const struct tn_headers *h, tn_u128 *dst)
{
	struct tn_ip6 ip6;

	if (h->flags & TN_HDR_IPV4) {
		const uint8_t *b = view->data + h->l3 + 16;

		*dst = tn_u128_from_ip4(
			(uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3]);
		return true;
	}
	if (!(h->flags & TN_HDR_IPV6))
		return false;
	memcpy(ip6.b, view->data + h->l3 + 24, sizeof(ip6.b));
	*dst = tn_u128_from_ip6(&ip6);
	return true;
}

bool tn_tunnels_want(const struct tn_tunnels *t, const struct tn_underlay *u,
	const struct tn_view *view, const struct tn_headers *h)
{
	uint16_t port = udp_dst(view, h);
	tn_u128 dst;

	return t->udp_ports[port / 64] >> port % 64 & 1 && outer_dst(view, h, &dst) &&
		tn_underlay_address(u, dst);
}

/* A UDP header that is not whole could have been one. */
static enum tn_drop not_vxlan(const struct tn_headers *h)
{
	bool ip = h->flags & (TN_HDR_IPV4 | TN_HDR_IPV6);

	if (!ip || h->ip_proto != TN_IPPROTO_UDP || h->flags & TN_HDR_UDP)
		return TN_DROP_NOT_TUNNELLED;
	return h->flags & TN_HDR_CUT ? TN_DROP_TRUNCATED_HEADER : TN_DROP_VXLAN_MALFORMED;
}

enum tn_drop tn_tunnels_receive(const struct tn_tunnels *t, const struct tn_underlay *u,
	uint32_t port, struct tn_view *view, const struct tn_headers *h, struct tn_ingress *in,
	struct tn_vxlan_outer *outer)
{
	const struct tn_tunnel *tunnel = port ? find_tunnel(t, port) : NULL;
	uint16_t udp_port = tunnel ? tunnel->options.udp_port : udp_dst(view, h);
	enum tn_drop drop;

	if (h->ip_frag && h->flags & (TN_HDR_IPV4 | TN_HDR_IPV6))
		return TN_DROP_UNDERLAY_FRAGMENT;
	if (!tn_vxlan_match(view, h, udp_port))
		return not_vxlan(h);
	drop = tn_vxlan_decode(view, h, outer);
	if (drop)
		return drop;
	if (tunnel)
		drop = judge(u, tunnel, outer);
	else
		tunnel = choose(t, u, outer, &drop);
	if (drop)
		return drop;
	in->in_port = tunnel->number;
	in->tunnel_id = outer->vni;
	in->tun_src = outer->src;
	in->tun_dst = outer->dst;
	return tn_vxlan_strip(view, outer);
}

enum tn_drop tn_tunnels_encap(const struct tn_tunnels *t, const struct tn_underlay *u,
	const struct tn_op *op, uint32_t entropy, struct tn_vxlan_encap *encap, uint32_t *uplink)
{
	const struct tn_tunnel *tunnel = find_tunnel(t, op->output.port);
	const struct tn_vxlan_options *v = &tunnel->options;
	tn_u128 remote = v->remote_flow ? op->output.tun_dst : v->remote;
	uint32_t vni = v->vni_flow ? op->output.tunnel_id : v->vni;
	struct tn_next_hop hop;
	enum tn_drop drop;
	tn_u128 src = 0;

	if (!remote)
		return TN_DROP_VXLAN_NO_REMOTE;
	if (v->vni_flow && (op->output.wide_tunnel_id || vni > TN_VXLAN_VNI_MAX))
		return TN_DROP_VXLAN_NO_VNI;
	/* On a packet that came out of a tunnel, tun_src is the far end unless a flow set it. */
	if (v->has_local)
		src = v->local;
	else if (op->output.tun_src && tn_underlay_address(u, op->output.tun_src))
		src = op->output.tun_src;
	drop = tn_underlay_resolve(u, remote, src, entropy, &hop);
	if (drop)
		return drop;
	*encap = (struct tn_vxlan_encap){
		.src = hop.src,
		.dst = remote,
		.eth_src = hop.eth_src,
		.eth_dst = hop.eth_dst,
		.vni = vni,
		.udp_dst = v->udp_port,
		.ttl = v->ttl,
		.tos = v->dscp < 0 ? 0 : (uint8_t)(v->dscp << 2),
		.inherit_dscp = v->dscp < 0,
		.dont_fragment = v->dont_fragment,
		.udp_checksum = v->udp_checksum,
	};
	*uplink = hop.port;
	return TN_DROP_NONE;
}
