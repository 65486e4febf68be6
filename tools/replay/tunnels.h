/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The vxlan ports of a configuration: which one takes a packet from the underlay, and what goes
 * around a packet that leaves by one.
 */
#ifndef TN_REPLAY_TUNNELS_H
#define TN_REPLAY_TUNNELS_H

#include "control/model/document.h"
#include "dataplane/core/program.h"
#include "dataplane/core/vxlan.h"
#include "dataplane/pipeline/process.h"
#include "tools/replay/underlay.h"

struct tn_tunnel; /* one vxlan port */

struct tn_tunnels {
	struct tn_underlay *underlay;
	struct tn_tunnel *list; /* sorted by port number */
	size_t n;
	uint32_t *slots; /* by what a port takes; index in list + 1 */
	uint32_t mask;
	uint64_t udp_ports[65536 / 64]; /* bitmap of those that some port listens on */
};

/* doc and underlay are borrowed. -EINVAL: two ports would take the same packets, *a and *b. */
int tn_tunnels_init(struct tn_tunnels *t, const struct tn_document *doc,
	struct tn_underlay *underlay, const struct tn_model_port **a,
	const struct tn_model_port **b) TN_MUST_CHECK;
void tn_tunnels_fini(struct tn_tunnels *t);

/* A frame that came in by an uplink: is it a tunnel packet to this switch? */
bool tn_tunnels_want(
	const struct tn_tunnels *t, const struct tn_view *view, const struct tn_headers *h);

/*
 * Takes the outer headers off. port: the vxlan port whose own capture the frame is from; 0: it
 * came by an uplink and the right port is found. Fills *in (but in_phy_port) and *outer, moves the
 * view to the inner frame; or says why not.
 */
enum tn_drop tn_tunnels_receive(const struct tn_tunnels *t, uint32_t port, struct tn_view *view,
	const struct tn_headers *h, struct tn_ingress *in,
	struct tn_vxlan_outer *outer) TN_MUST_CHECK;

/* How a packet left through a tunnel. */
struct tn_tunnel_sent {
	tn_u128 local, remote;
	uint32_t vni;
	uint32_t uplink; /* 0: the vxlan port's own capture */
};

/* Puts the outer headers on, for output op of a vxlan port. h: of the frame in the view. */
enum tn_drop tn_tunnels_send(struct tn_tunnels *t, uint32_t port, struct tn_view *view,
	const struct tn_headers *h, const struct tn_op *op,
	struct tn_tunnel_sent *sent) TN_MUST_CHECK;

#endif
