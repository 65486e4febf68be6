/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/fastpath/worker_private.h"

#include "dataplane/core/checksum.h"
#include "dataplane/core/wire.h"
#include "dataplane/fastpath/shape.h"
#include "dataplane/pipeline/snapshot.h"

/* How far ahead of the packet that is read its bytes are fetched. */
#define PREFETCH_AHEAD 6u

static void set_ingress(const struct tn_ingress *in, struct tn_key *key)
{
	key->in_port = tn_htobe32(in->in_port);
	key->in_phy_port = tn_htobe32(in->in_phy_port ? in->in_phy_port : in->in_port);
	key->tunnel_id = tn_htobe64(in->tunnel_id);
	if (!(in->tun_src | in->tun_dst)) /* zero already */
		return;
	key->tun_src = tn_u128_to_ip6(in->tun_src);
	key->tun_dst = tn_u128_to_ip6(in->tun_dst);
}

void tn_wk_flow_key(const struct tn_view *view, const struct tn_headers *h,
	const struct tn_ingress *in, struct tn_key *key)
{
	tn_key_extract(view, h, key);
	set_ingress(in, key);
}

bool tn_wk_packet_key(const struct tn_worker *w, const struct tn_packet *p, unsigned i,
	const struct tn_ingress *in, struct tn_key *key)
{
	struct tn_view view = tn_packet_view(p);
	struct tn_headers h;

	if (tn_likely(!(w->uncommon >> i & 1))) {
		tn_shape_flow_key(p->data, key);
		set_ingress(in, key);
		return true;
	}
	if (tn_parse(&view, &h))
		return false;
	tn_wk_flow_key(&view, &h, in, key);
	return true;
}

/* --- runs ------------------------------------------------------------------------------------- */

/* Stage one keeps in registers what every packet needs. */
struct stage_one {
	struct tn_shape_mask mask;
	struct tn_session_key last; /* key of the run that the next packet may continue */
	const struct tn_ingress *in;
	struct tn_wk_run *run;	/* NULL: none to continue */
	struct tn_wk_run *run6; /* the same for IPv6: the last, which may have ended */
	struct tn_wk_run *next; /* that begins */
	bool rest;		/* not every packet may have a session */
	bool label;		/* flow labels, which keys do not hold, were read */
};

static inline struct stage_one begin(struct tn_worker *w)
{
	return (struct stage_one){
		.mask = tn_shape_mask_of(&w->mask),
		.next = &w->runs[w->n_runs],
		.rest = w->rest_phy || w->rest_tunnel || !w->config.sessions,
		.label = w->rest.ipv6_flabel.raw != 0,
	};
}

static inline void end(struct tn_worker *w, const struct stage_one *s)
{
	w->n_runs = (unsigned)(s->next - w->runs);
}

static inline void start_run(
	struct tn_wk_run *run, const struct tn_ingress *in, const struct tn_packet *p, unsigned i)
{
	run->in = in;
	run->bytes = p->len;
	run->first = (uint8_t)i;
	run->n = 1;
	run->uncached = false;
	run->has_ip6 = false;
}

/* False: the packet is gone. */
static bool receive_rare(struct tn_worker *w, struct tn_wk_run *run, struct tn_packet *p,
	const struct tn_ingress *in, unsigned i)
{
	struct tn_view view = tn_packet_view(p);
	struct tn_headers h;
	struct tn_key key;

	if (tn_parse(&view, &h)) {
		tn_wk_drop(w, TN_DROP_RUNT, p);
		return false;
	}
	tn_wk_flow_key(&view, &h, in, &key);
	w->uncommon |= 1u << i;
	w->rare[i].tos = key.ip_tos;
	w->rare[i].entropy = tn_key_entropy(&key);
	start_run(run, in, p, i);
	run->uncached = !tn_session_key_from(&key, &w->rest, &run->key, &w->ip6[i], &run->has_ip6);
	run->has_ip6 &= w->mask_ip6;
	run->uncached |= tn_wk_unkeyed(w, in);
	run->key.kind = tn_wk_kind(in, run->has_ip6);
	tn_wk_mask_key(w, &run->key);
	tn_wk_hash_run(w, run);
	return true;
}

/* Not every packet may have a session: may this one? */
static inline bool may_have_session(const struct tn_worker *w, const struct tn_ingress *in)
{
	return !tn_wk_unkeyed(w, in) && w->config.sessions;
}

/*
 * A frame of the common shape but for IPv6. Returns its run: `last`, where it goes on with that, or
 * `next`.
 */
static __attribute__((noinline)) struct tn_wk_run *receive_ip6(struct tn_worker *w,
	struct tn_wk_run *last, struct tn_wk_run *next, const struct tn_packet *p,
	const struct tn_ingress *in, __m128i v2, unsigned i)
{
	const struct tn_shape_mask mask = tn_shape_mask_of(&w->mask);
	const uint8_t *d = p->data;
	struct tn_session_key key;
	struct tn_ip6 src, dst;

	tn_shape_ip6_key(d, &mask, v2, w->mask_ip6, &key, &w->ip6[i]);
	memcpy(&src, d + 22, sizeof(src));
	memcpy(&dst, d + 38, sizeof(dst));
	w->uncommon |= 1u << i;
	w->rare[i].tos = tn_shape_ip6_tos(d);
	w->rare[i].entropy =
		tn_entropy_ip6(&src, &dst, tn_load16(d + 54), tn_load16(d + 56), d[20]);
	if (last && last->first + last->n == (int)i && last->in == in && !last->uncached &&
		tn_session_key_equal(&last->key, &key) &&
		(!w->mask_ip6 || tn_session_ip6_equal(&w->ip6[last->first], &w->ip6[i]))) {
		last->n++;
		last->bytes += p->len;
		return last;
	}
	start_run(next, in, p, i);
	next->key = key;
	next->has_ip6 = w->mask_ip6;
	tn_wk_hash_run(w, next);
	return next;
}

/* v2: in_port and tunnel id as the key holds them, masked. */
static inline __attribute__((always_inline)) void receive_one(struct tn_worker *w,
	struct stage_one *s, struct tn_packet *p, const struct tn_ingress *in, __m128i v2,
	unsigned i)
{
	struct tn_session_key key;
	struct tn_wk_run *run;

	if (tn_unlikely(!tn_shape_common(p->data, p->len))) {
		s->run = NULL;
		if (tn_shape_ip6(p->data, p->len) && !s->label) {
			run = receive_ip6(w, s->run6, s->next, p, in, v2, i);
			if (s->rest && !may_have_session(w, in))
				run->uncached = true;
			s->next += run == s->next;
			s->run6 = run;
		} else {
			s->next += receive_rare(w, s->next, p, in, i);
		}
		return;
	}
	tn_shape_key(p->data, &s->mask, v2, &key);
	if (s->run && s->in == in && tn_session_key_equal(&s->last, &key)) {
		s->run->n++;
		s->run->bytes += p->len;
		return;
	}
	run = s->next++;
	start_run(run, in, p, i);
	run->key = key;
	tn_wk_hash_run(w, run);
	s->run = run;
	s->in = in;
	s->last = key;
	if (tn_unlikely(s->rest) && !may_have_session(w, in)) {
		run->uncached = true;
		s->run = NULL;
	}
}

static inline __m128i ingress_vector(const struct tn_worker *w, const struct tn_ingress *in)
{
	return _mm_and_si128(w->mask.v[2], tn_wk_ingress_of(in)->key);
}

void tn_wk_receive(struct tn_worker *w, struct tn_packet *p, unsigned from, unsigned n)
{
	const struct tn_ingress *in = &w->ingress[w->port_index].in;
	__m128i v2 = ingress_vector(w, in);
	struct stage_one s = begin(w);

	for (unsigned i = from; i < n; i++) {
		if (i + PREFETCH_AHEAD < n)
			__builtin_prefetch(p[i + PREFETCH_AHEAD].data);
		receive_one(w, &s, &p[i], in, v2, i);
	}
	end(w, &s);
}

void tn_wk_receive_again(struct tn_worker *w, struct tn_packet *p, unsigned from, unsigned n)
{
	const struct tn_ingress *in[TN_BURST] = {NULL};
	struct stage_one s;
	unsigned n_runs = 0;

	/* The runs tell how their packets came in; packets in no run are gone. */
	for (unsigned r = 0; r < w->n_runs; r++) {
		struct tn_wk_run *run = &w->runs[r];

		for (unsigned i = 0; i < run->n; i++)
			in[run->first + i] = run->in;
		if (run->first >= from)
			continue;
		n_runs = r + 1;
		if (run->first + run->n > from)
			run->n = (uint8_t)(from - run->first);
	}
	w->n_runs = n_runs;
	s = begin(w);
	for (unsigned i = from; i < n; i++) {
		if (in[i])
			receive_one(w, &s, &p[i], in[i], ingress_vector(w, in[i]), i);
		else
			s.run = NULL;
	}
	end(w, &s);
}

/* --- tunnels ---------------------------------------------------------------------------------- */

static inline uint16_t fold16(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + ((sum >> 16) & 0xffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

static inline bool ip_checksum_ok(const uint8_t *ip)
{
	uint64_t sum = (uint64_t)tn_load32(ip) + tn_load32(ip + 4) + tn_load32(ip + 8) +
		tn_load32(ip + 12) + tn_load32(ip + 16);

	return fold16(sum) == 0xffff;
}

static inline uint32_t peer_slot(uint32_t src, uint32_t vni)
{
	return (src * 0x9e3779b1u ^ vni * 0x85ebca6bu) >> 24;
}

TN_BUILD_ASSERT(TN_WK_PEERS == 256, "peer_slot() gives 8 bits");

/* type IPv4, version 4 and IHL 5 of the outer header in one compare */
static inline bool plain_ip4(const uint8_t *d)
{
	return (tn_load32(d + 12) & 0x00ffffffu) == 0x00450008u;
}

/* type IPv6 and version 6 in one compare */
static inline bool plain_ip6(const uint8_t *d)
{
	return (tn_load32(d + 12) & 0x00f0ffffu) == 0x0060dd86u;
}

static inline uint32_t slot_of_ip6(__m128i src, uint32_t vni)
{
	uint64_t low = (uint64_t)_mm_extract_epi64(src, 1);

	return peer_slot((uint32_t)(low ^ low >> 32), vni);
}

/* The outer headers come off: as many bytes of them, the UDP length says where the frame ends. */
static inline const struct tn_ingress *take_off(struct tn_worker *w, struct tn_packet *p,
	const struct tn_wk_peer *peer, uint32_t overhead, uint32_t udp_len)
{
	w->stats[peer->tunnel_index].rx_packets++;
	w->stats[peer->tunnel_index].rx_bytes += udp_len - 16;
	p->data += overhead;
	p->headroom = (uint16_t)(p->headroom + overhead);
	p->len = udp_len - 16;
	return &peer->in.in;
}

static bool udp6_checksum_ok(const uint8_t *d, uint32_t udp_len)
{
	uint64_t sum = tn_csum_pseudo_ipv6(d + 22, d + 38, TN_IPPROTO_UDP, udp_len);

	return tn_csum_fold(tn_csum_add(sum, d + 54, udp_len)).raw == 0;
}

static inline __m128i load_address(const uint8_t *d)
{
	return _mm_loadu_si128((const __m128i *)(const void *)d);
}

/* The same as receive_peer() of IPv6 without extension headers, where UDP has its checksum. */
static __attribute__((noinline)) const struct tn_ingress *receive_peer6(
	struct tn_worker *w, struct tn_packet *p)
{
	const uint8_t *d = p->data;
	uint32_t vni = tn_load32(d + 66) & 0x00ffffffu;
	uint32_t udp_len = __builtin_bswap16(tn_load16(d + 58));
	__m128i src = load_address(d + 22), dst = load_address(d + 38), differ;
	const struct tn_wk_peer *peer = &w->peers[slot_of_ip6(src, vni)];
	bool sound;

	differ = _mm_or_si128(_mm_xor_si128(src, peer->src6), _mm_xor_si128(dst, peer->dst6));
	sound = (unsigned)(d[20] == TN_IPPROTO_UDP) & ((d[15] & 0x30) == 0) &
		((d[62] & 0x08) != 0) & (tn_load16(d + 18) == tn_load16(d + 58)) &
		(udp_len + TN_VXLAN_OVERHEAD_IP6 - 16 <= p->len) & (udp_len >= 16 + TN_ETH_LEN) &
		(p->offload == 0);
	sound &= (unsigned)(peer->version6 == w->fwd->snapshot->version) & (peer->vni == vni) &
		(unsigned)_mm_testz_si128(differ, differ) & (peer->port_index == w->port_index) &
		(peer->udp_dst == tn_load16(d + 56));
	if (!sound || (tn_load16(d + 60) && !udp6_checksum_ok(d, udp_len)))
		return NULL;
	return take_off(w, p, peer, TN_VXLAN_OVERHEAD_IP6, udp_len);
}

/*
 * An outer header that tn_tunnels_receive() would take as it took the last one of this peer: IPv4
 * without options, whole, checksums right (UDP zero), no congestion mark to carry inside.
 */
static inline const struct tn_ingress *receive_peer(struct tn_worker *w, struct tn_packet *p)
{
	const uint8_t *d = p->data;
	uint32_t vni, total, udp_len;
	const struct tn_wk_peer *peer;
	bool sound;

	if (p->len < TN_VXLAN_OVERHEAD_IP4 + TN_ETH_LEN)
		return NULL;
	if (tn_unlikely(!plain_ip4(d)))
		return plain_ip6(d) && p->len >= TN_VXLAN_OVERHEAD_IP6 + TN_ETH_LEN
			? receive_peer6(w, p)
			: NULL;
	total = __builtin_bswap16(tn_load16(d + 16));
	udp_len = __builtin_bswap16(tn_load16(d + 38));
	vni = tn_load32(d + 46) & 0x00ffffffu;
	peer = &w->peers[peer_slot(tn_load32(d + 26), vni)];
	sound = (unsigned)((tn_load16(d + 20) & 0xff3fu) == 0) & (d[23] == TN_IPPROTO_UDP) &
		((d[15] & 3) == 0) & (tn_load16(d + 40) == 0) & ((d[42] & 0x08) != 0) &
		(total + TN_ETH_LEN <= p->len) & (udp_len + 20 == total) &
		(udp_len >= 16 + TN_ETH_LEN);
	sound &= (unsigned)(peer->version == w->fwd->snapshot->version) & (peer->vni == vni) &
		(peer->src == tn_load32(d + 26)) & (peer->dst == tn_load32(d + 30)) &
		(peer->port_index == w->port_index) & (peer->udp_dst == tn_load16(d + 36));
	if (tn_unlikely(!sound || !ip_checksum_ok(d + TN_ETH_LEN)))
		return NULL;
	return take_off(w, p, peer, TN_VXLAN_OVERHEAD_IP4, udp_len);
}

/* Runs of the burst point into the entries: one is replaced only when the burst is done. */
static void remember_peer(struct tn_worker *w, const uint8_t *d, unsigned tunnel_index,
	const struct tn_wk_ingress *in)
{
	bool ip4 = plain_ip4(d);
	uint32_t overhead = ip4 ? TN_VXLAN_OVERHEAD_IP4 : TN_VXLAN_OVERHEAD_IP6;

	/* Not after tags, options or extension headers: the VXLAN header would be elsewhere. */
	if ((!ip4 && (!plain_ip6(d) || d[20] != TN_IPPROTO_UDP)) ||
		tunnel_index == TN_FORWARDING_NONE)
		return;
	w->new_peer = (struct tn_wk_peer){
		.vni = tn_load32(d + overhead - 4) & 0x00ffffffu,
		.udp_dst = tn_load16(d + overhead - 14),
		.port_index = w->port_index,
		.tunnel_index = tunnel_index,
		.in = *in,
	};
	if (ip4) {
		w->new_peer.version = w->fwd->snapshot->version;
		w->new_peer.src = tn_load32(d + 26);
		w->new_peer.dst = tn_load32(d + 30);
	} else {
		w->new_peer.version6 = w->fwd->snapshot->version;
		w->new_peer.src6 = load_address(d + 22);
		w->new_peer.dst6 = load_address(d + 38);
	}
	w->has_new_peer = true;
}

/* The checksum of a packet of a tunnel, which is never cut. */
static bool finish_outer(struct tn_packet *p)
{
	struct tn_offload o;

	if (!tn_offload_find(p->data, p->len, p->offload, &o) || o.n != 1)
		return false;
	tn_offload_complete(p->data, &o);
	p->offload = TN_OFFLOAD_NONE;
	return true;
}

static void to_host(struct tn_worker *w, void *ctx, struct tn_packet *p)
{
	const struct tn_worker_events *e = &w->config.events;

	(void)ctx;
	if (!e->host(e->ctx, w->port_index, p))
		tn_wk_count_drop(w, TN_DROP_PUNT_FULL, 1);
}

void tn_wk_keep_peer(struct tn_worker *w)
{
	const struct tn_wk_peer *new = &w->new_peer;
	uint32_t slot =
		new->version6 ? slot_of_ip6(new->src6, new->vni) : peer_slot(new->src, new->vni);

	w->peers[slot] = *new;
	w->has_new_peer = false;
}

/* The whole check. NULL: the packet is gone. */
static const struct tn_ingress *receive_outer(
	struct tn_worker *w, struct tn_packet *p, struct tn_wk_ingress *by)
{
	const struct tn_forwarding *fwd = w->fwd;
	struct tn_view view = tn_packet_view(p);
	const uint8_t *outer = p->data;
	struct tn_ingress *in = &by->in;
	struct tn_vxlan_outer said;
	struct tn_headers h;
	enum tn_drop reason = tn_parse(&view, &h);
	unsigned tunnel;

	memset(by, 0, sizeof(*by));
	in->in_port = fwd->ports[w->port_index].number;
	tn_wk_ingress_key(by);
	if (reason || !tn_tunnels_want(fwd->tunnels, fwd->underlay, &view, &h)) {
		if (!fwd->ports[w->port_index].host)
			return in;
		if (p->offload)
			tn_wk_finish(w, p, to_host, NULL);
		else
			to_host(w, NULL, p);
		return NULL;
	}
	if (p->offload && !finish_outer(p)) {
		tn_wk_drop(w, TN_DROP_BAD_OFFLOAD, p);
		return NULL;
	}
	reason = tn_tunnels_receive(fwd->tunnels, fwd->underlay, 0, &view, &h, in, &said);
	in->in_phy_port = fwd->ports[w->port_index].number;
	if (!reason)
		reason = tn_ingress_refuses(fwd->snapshot, in->in_port);
	if (reason) {
		tn_wk_drop(w, reason, p);
		return NULL;
	}
	if (w->rest_tunnel)
		by->ends = tn_ends_number(w->ends, in->tun_src, in->tun_dst);
	tn_wk_ingress_key(by);
	tunnel = tn_forwarding_index(fwd, in->in_port);
	remember_peer(w, outer, tunnel, by);
	tn_packet_update(p, &view);
	if (tunnel != TN_FORWARDING_NONE) {
		w->stats[tunnel].rx_packets++;
		w->stats[tunnel].rx_bytes += p->len;
	}
	return in;
}

void tn_wk_receive_underlay(struct tn_worker *w, struct tn_packet *p, unsigned n)
{
	struct stage_one s = begin(w);

	for (unsigned i = 0; i < n; i++) {
		const struct tn_ingress *in;

		if (i + PREFETCH_AHEAD < n) {
			__builtin_prefetch(p[i + PREFETCH_AHEAD].data);
			__builtin_prefetch(p[i + PREFETCH_AHEAD].data + 64);
		}
		in = receive_peer(w, &p[i]);
		if (tn_unlikely(!in)) {
			in = receive_outer(w, &p[i], &w->tunnelled[i]);
			if (!in) {
				s.run = NULL;
				continue;
			}
		}
		receive_one(w, &s, &p[i], in, ingress_vector(w, in), i);
	}
	end(w, &s);
}
