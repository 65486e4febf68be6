/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The declaration as the compiler sees it: things with links to each other, and which of them this
 * host needs. A thing is there as long as it was declared or another one refers to it.
 */
#ifndef TN_TENANT_STATE_H
#define TN_TENANT_STATE_H

#include "control/model/prefix.h"
#include "control/tenant/emit.h"
#include "control/tenant/list.h"
#include "control/tenant/named.h"

/* Kinds of things beside those of enum tn_tenant_kind. */
enum { TN_THING_DEVICE = 100, TN_THING_PLACE };

struct tn_thing {
	struct tn_named named;
	const void *object; /* NULL: not declared */
	uint32_t refs;	    /* links to it and units of it */
	bool swept;	    /* in the list of those that may go */
	struct tn_thing *next_swept;
};

struct tn_net {
	struct tn_thing t; /* object: struct tn_network */
	struct tn_list subnets, ports, places;
	uint32_t n_here; /* ports that are up and bound to this host */
	/* As of the last recheck: a port is here; that, or a router leads there from such a one. */
	bool local, needed;
	bool checked; /* in the list of those to be rechecked */
	struct tn_net *next_checked;
	struct tn_list needed_link;
	struct tn_unit *unit;
};

struct tn_sub {
	struct tn_thing t; /* struct tn_subnet */
	struct tn_net *net;
	struct tn_list link;	   /* of the network's */
	struct tn_list interfaces; /* of routers */
};

struct tn_vhost {
	struct tn_thing t; /* struct tn_tenant_host */
	struct tn_list link, ports;
};

/* A port of the switch that bare metal is bound to. */
struct tn_device {
	struct tn_thing t;
	uint32_t number; /* 0: there is none of this name */
	struct tn_list ports;
};

/* An endpoint that is no Tenon host, in one network: behind it are ports that are bound to it. */
struct tn_place {
	struct tn_thing t; /* no object; its name is that of its number */
	struct tn_net *net;
	tn_u128 vtep;
	struct tn_list net_link, link;
	struct tn_unit *unit;
};

struct tn_vport {
	struct tn_thing t; /* struct tn_tenant_port */
	struct tn_net *net;
	struct tn_vhost *host;	  /* NULL: bound to none */
	struct tn_device *device; /* bare metal */
	struct tn_place *place;	  /* remote */
	struct tn_list net_link, host_link, device_link, here_link;
	bool counted; /* in the network's n_here */
	struct tn_unit *unit, *bridge;
};

struct tn_interface {
	struct tn_rtr *router;
	struct tn_sub *sub;
	struct tn_list link; /* of the subnet's */
};

struct tn_rtr {
	struct tn_thing t; /* struct tn_router */
	struct tn_interface *interfaces;
	uint32_t n_interfaces;
	bool local; /* as of the last recheck: it is up and leads to a local network */
	bool checked;
	struct tn_rtr *next_checked;
	struct tn_unit *unit;
};

struct tn_undo {
	struct tn_thing *thing;
	const void *object; /* before */
	uint32_t number;    /* of a device, before */
};

struct tn_compiler {
	char *host;
	uint32_t owner;
	struct tn_numbers *numbers;
	struct tn_named_tree things;
	size_t n_objects;
	struct tn_list hosts, places, here, needed; /* here: ports bound to this host */
	tn_u128 vtep4, vtep6;			    /* of this host; 0: none */
	uint32_t mtu;	 /* of a network that says none: what every pair of hosts can carry */
	bool everything; /* is to be compiled again */
	/* To be done before the change is complete. */
	struct tn_net *nets_to_check;
	struct tn_rtr *routers_to_check;
	struct tn_unit *dirty;
	size_t n_dirty;
	struct tn_thing *swept;
	/* To undo the change. */
	struct tn_undo *undo;
	size_t n_undo, undo_size;
	/* Devices that were set since the last change that was accepted. */
	struct tn_set_device {
		char *name;
		uint32_t number;
	} * set_devices;
	size_t n_set_devices, n_taken_devices; /* taken: not accepted yet */
	/* What units make. */
	struct tn_unit *global;
	void *cookies; /* tree of units by cookie */
	struct tn_output out;
	struct tn_scratch scratch;
	size_t n_units, n_compiled, n_emitted[4], record_bytes, thing_bytes;
};

/* --- objects --- */

#define TN_OBJECT(type, node) ((const struct type *)(node)->t.object)

static inline const struct tn_network *tn_net_object(const struct tn_net *net)
{
	return net->t.object;
}

static inline const struct tn_tenant_port *tn_vport_object(const struct tn_vport *port)
{
	return port->t.object;
}

static inline const struct tn_subnet *tn_sub_object(const struct tn_sub *sub)
{
	return sub->t.object;
}

static inline const struct tn_router *tn_rtr_object(const struct tn_rtr *router)
{
	return router->t.object;
}

/* Declared, switched on, and complete enough to be compiled. */
bool tn_net_is_up(const struct tn_net *net);
bool tn_rtr_is_up(const struct tn_rtr *router);
/* Of a port that its network is up, too. */
bool tn_vport_is_up(const struct tn_vport *port);
/* A workload of this host, up or not. */
bool tn_vport_is_here(const struct tn_compiler *c, const struct tn_vport *port);
bool tn_vport_is_remote(const struct tn_vport *port);
/* Further addresses may be behind it. */
bool tn_vport_learns(const struct tn_vport *port);
/* Nothing but the port's own addresses is behind it. */
bool tn_vport_is_secured(const struct tn_vport *port);
static inline uint64_t tn_vport_mac(const struct tn_vport *port)
{
	return tn_mac_number(tn_vport_object(port)->mac_address);
}

uint32_t tn_net_mtu(const struct tn_compiler *c, const struct tn_net *net);
/* The subnet of a port's address; NULL: none of its network. */
const struct tn_sub *tn_net_subnet(
	const struct tn_net *net, const char *subnet_id, tn_u128 address);
/* Can a station of the subnet have the address? */
bool tn_sub_holds(const struct tn_sub *sub, tn_u128 address);
/* The router, of those that are up, that a subnet is an interface of; NULL: none. */
struct tn_rtr *tn_sub_router(const struct tn_sub *sub);
/* The port, of those that are up, that has the address; NULL: none. */
struct tn_vport *tn_net_holder(const struct tn_net *net, tn_u128 address);
const struct tn_qos_policy *tn_vport_qos(const struct tn_compiler *c, const struct tn_vport *port);
/* What it gets has a limit. */
bool tn_vport_is_limited(const struct tn_compiler *c, const struct tn_vport *port);

/* --- numbers and places --- */

/* Of a port here, or of the place that a remote port is behind. */
uint32_t tn_vport_number(struct tn_compiler *c, const struct tn_vport *port);
uint32_t tn_place_number(struct tn_compiler *c, const struct tn_place *place);
uint32_t tn_rtr_number(struct tn_compiler *c, const struct tn_rtr *router);
/* The port of the switch of a port here; 0: its device is not there. */
uint32_t tn_vport_switch_port(struct tn_compiler *c, const struct tn_vport *port);
/* Several ports of this host are behind the port of the switch. */
bool tn_vport_shares_device(const struct tn_vport *port);

/* Where a frame for somebody is sent. */
struct tn_tunnel_to {
	uint32_t port; /* of the switch; 0: there is no way */
	tn_u128 vtep;
};
struct tn_tunnel_to tn_tunnel_to_host(const struct tn_compiler *c, const struct tn_vhost *host);
struct tn_tunnel_to tn_tunnel_to_place(const struct tn_compiler *c, const struct tn_place *place);
/* Is a declared endpoint; nothing else of its network counts. */
bool tn_place_is_active(const struct tn_compiler *c, const struct tn_place *place);
/* All behind it have port security; some may have addresses that are not declared. */
bool tn_place_is_secured(const struct tn_place *place);
bool tn_place_learns(const struct tn_place *place);
/* This host is the one that answers for the gateway there. */
bool tn_place_is_served_here(const struct tn_compiler *c, const struct tn_place *place);
/* A frame can be sent to the port from this host. */
bool tn_vport_is_somewhere(struct tn_compiler *c, const struct tn_vport *port);
/* The address of a router that speaks where no network says which; 0: it has none. */
tn_u128 tn_rtr_speaker(const struct tn_rtr *router, bool ip4);
/* Some address of the network may be one that is not declared. */
bool tn_net_learns(const struct tn_net *net);

/* --- changing --- */

struct tn_thing *tn_state_find(const struct tn_compiler *c, unsigned kind, const char *name);
/* Takes a change into the links; units that it touches are dirty. */
void tn_state_put(
	struct tn_compiler *c, enum tn_tenant_kind kind, const char *id, const void *object);
/* All that was put since the undo log was emptied is put back. */
void tn_state_undo(struct tn_compiler *c);
void tn_state_set_device(struct tn_compiler *c, const char *name, uint32_t number);
/* Who is needed now; marks what that makes different. */
void tn_state_recheck(struct tn_compiler *c);
/* A link or a unit of the thing is gone. */
void tn_state_release(struct tn_compiler *c, struct tn_thing *thing);
/* Things that nobody needs any more go. */
void tn_state_sweep(struct tn_compiler *c);
void tn_compiler_state_init(struct tn_compiler *c);
void tn_compiler_state_fini(struct tn_compiler *c);

/* A unit is to be compiled; it is made if need be. */
void tn_unit_mark(struct tn_compiler *c, enum tn_unit_kind kind, struct tn_thing *thing,
	struct tn_unit **slot);
void tn_unit_free(struct tn_compiler *c, struct tn_unit *unit);
/* By its cookie, without a role; NULL: there is none. */
struct tn_unit *tn_unit_find(const struct tn_compiler *c, uint64_t cookie);
/* For all the units of a network and of what is in it. */
void tn_mark_net(struct tn_compiler *c, struct tn_net *net);

/* --- what units compile to --- */

/* A source; the flow is of a port, or of a place. */
static inline void tn_emit_source(struct tn_emit *e, uint32_t number)
{
	tn_emit_match(e, TN_REG_SOURCE, number);
}

static inline void tn_emit_flags(struct tn_emit *e, uint32_t flags, uint32_t mask)
{
	tn_emit_match_masked(e, TN_REG_FLAGS, flags, mask);
}

static inline void tn_emit_net(struct tn_emit *e, const struct tn_net *net)
{
	tn_emit_match(e, TN_FIELD_TUNNEL_ID, tn_net_object(net)->vni);
}

/* Takes a frame to a tunnel. */
void tn_emit_tunnel(struct tn_emit *e, const struct tn_tunnel_to *to);
/* The packet, an answer, goes to where it came from. */
void tn_emit_back(struct tn_emit *e);
/* The frame's source is behind where it came from, with at most `limit` others (0: many). */
void tn_emit_learn(struct tn_emit *e, uint32_t limit);
/* What is learnt or noted of the frame is behind a port of this host, and reached by its tables. */
void tn_emit_circuit(struct tn_emit *e, uint32_t number);
/* To where the frame's destination was learnt, if it was. */
void tn_emit_fdb(struct tn_emit *e, bool local);
/* In a bucket: a copy for a port of this host. from_device: frames of its device come this way. */
void tn_emit_copy_to_port(struct tn_emit *e, struct tn_vport *port, bool from_device);
/* Actions that the port of the switch of a tenant's port needs before the output, and that. */
void tn_emit_to_port(struct tn_emit *e, struct tn_vport *port);
/* Answers: of a kind that takes them, from the gateway's MAC and this address. */
struct tn_action *tn_emit_reply(struct tn_emit *e, enum tn_reply_kind kind, tn_u128 ip);
void tn_emit_resubmit(struct tn_emit *e, uint8_t table);
/* What the network's routers say unasked, to groups; 0: none. */
void tn_emit_advertise(
	struct tn_emit *e, const struct tn_net *net, uint32_t ports, uint32_t endpoints);
/* ARP and neighbour discovery of a network's gateways; whose: 0: any source's. */
void tn_emit_gateways(struct tn_emit *e, const struct tn_net *net, uint32_t whose);
void tn_emit_dhcp(struct tn_emit *e, const struct tn_vport *port, uint32_t number);
void tn_emit_neighbour(struct tn_emit *e, const struct tn_vport *port, tn_u128 address);
/* From a router to a port that has the address. */
void tn_emit_route_to(struct tn_emit *e, const struct tn_rtr *router, const struct tn_sub *sub,
	const struct tn_vport *port, tn_u128 address);
/* In a bucket: to a port wherever it is. */
void tn_emit_to_vport(struct tn_emit *e, struct tn_vport *port);
void tn_unit_network_services(struct tn_emit *e, const struct tn_net *net);
void tn_unit_port_services(struct tn_emit *e, const struct tn_vport *port, uint32_t number);
void tn_unit_place_services(struct tn_emit *e, const struct tn_place *place, uint32_t number);
/* What a source that no other flow is for may send: everything, or nothing. */
void tn_emit_other(struct tn_emit *e, uint32_t number, bool secured);
void tn_unit_port_security(struct tn_emit *e, struct tn_vport *port, uint32_t number);
void tn_unit_port_policy(struct tn_emit *e, struct tn_vport *port, uint32_t number);

void tn_unit_global(struct tn_emit *e);
void tn_unit_network(struct tn_emit *e, struct tn_net *net);
void tn_unit_port(struct tn_emit *e, struct tn_vport *port);
void tn_unit_place(struct tn_emit *e, struct tn_place *place);
void tn_unit_bridge(struct tn_emit *e, struct tn_vport *port);
void tn_unit_router(struct tn_emit *e, struct tn_rtr *router);

#endif
