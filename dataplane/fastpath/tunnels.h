/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The vxlan ports: which one takes a packet from the underlay, and what goes around a packet that
 * leaves by one. Immutable: a change makes a new one. Reading is safe from any thread.
 */
#ifndef TN_FASTPATH_TUNNELS_H
#define TN_FASTPATH_TUNNELS_H

#include "dataplane/core/program.h"
#include "dataplane/core/vxlan.h"
#include "dataplane/fastpath/underlay.h"
#include "dataplane/pipeline/process.h"

struct tn_tunnels;

/*
 * Copies what it needs. -ENOMEM; -EEXIST: ports *a and *b would take the same packets. *tunnels is
 * NULL then.
 */
int tn_tunnels_new(struct tn_tunnels **tunnels, const struct tn_tunnel_config *configs, size_t n,
	uint32_t *a, uint32_t *b) TN_MUST_CHECK;
void tn_tunnels_free(struct tn_tunnels *t);

/* A frame that came in by an uplink: is it a tunnel packet to this switch? */
bool tn_tunnels_want(const struct tn_tunnels *t, const struct tn_underlay *u,
	const struct tn_view *view, const struct tn_headers *h);

/*
 * Takes the outer headers off. port: the vxlan port whose own frames these are; 0: the frame came
 * by an uplink and the right port is found. Fills *in (but in_phy_port) and *outer, moves the view
 * to the inner frame; or says why not, and changes nothing.
 */
enum tn_drop tn_tunnels_receive(const struct tn_tunnels *t, const struct tn_underlay *u,
	uint32_t port, struct tn_view *view, const struct tn_headers *h, struct tn_ingress *in,
	struct tn_vxlan_outer *outer) TN_MUST_CHECK;

/*
 * The outer headers for an OUTPUT op of a vxlan port, ready for tn_vxlan_push(). entropy: of the
 * inner flow. *uplink: the port they leave by, 0: none is named.
 */
enum tn_drop tn_tunnels_encap(const struct tn_tunnels *t, const struct tn_underlay *u,
	const struct tn_op *op, uint32_t entropy, struct tn_vxlan_encap *encap,
	uint32_t *uplink) TN_MUST_CHECK;

#endif
