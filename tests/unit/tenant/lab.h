/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Hosts that are one tenant fabric, without a device: each with a compiler, a switch and VXLAN to
 * the others. What is declared goes to every host; a frame that is sent by a port walks through the
 * tables of each host that it comes to.
 */
#ifndef TESTS_UNIT_TENANT_LAB_H
#define TESTS_UNIT_TENANT_LAB_H

#include "control/model/arena.h"
#include "control/tenant/compile.h"
#include "dataplane/fastpath/tunnels.h"
#include "dataplane/fastpath/underlay.h"
#include "dataplane/pipeline/process.h"
#include "tests/unit/core/packets.h"

#define LAB_DPID       1u /* of every switch */
#define LAB_HOSTS_MAX  8u
#define LAB_FRAMES_MAX 256u

struct lab_host {
	struct lab *lab;
	char name[32];
	tn_u128 vtep4, vtep6;
	struct tn_numbers *numbers;
	struct tn_compiler *compiler;
	struct tn_switch *sw;
	struct tn_tunnel_config tunnels[2];
	size_t n_tunnels;
	struct tn_tunnels *tunnel_table;
	struct tn_underlay *underlay;
	struct {
		const char *name;
		uint32_t number;
	} devices[4];
	size_t n_devices;
	size_t n_mods; /* of the last change */
};

/* What came out: at a port of a switch, or at an endpoint that is no host. */
struct lab_frame {
	struct lab_host *host;
	uint32_t port; /* 0: at an endpoint */
	tn_u128 endpoint;
	uint32_t vni;
	struct frame f;
};

struct lab_drop {
	struct lab_host *host;
	enum tn_drop reason;
	const char *what; /* of the flow, as the compiler explains it; "": no flow */
};

struct lab {
	struct tn_arena arena;
	struct lab_host hosts[LAB_HOSTS_MAX];
	size_t n_hosts;
	struct tn_tenant_change pending[4096];
	size_t n_pending;
	/* The declaration as it is. */
	struct tn_tenant_change *objects;
	size_t n_objects, objects_size;
	struct lab_frame frames[LAB_FRAMES_MAX];
	size_t n_frames;
	struct lab_drop drops[LAB_FRAMES_MAX];
	size_t n_drops;
	uint64_t now_ns;
	unsigned depth;
	/* Each change: as a compiler that was told all of it at once, and what the switch has. */
	bool check_full;
};

struct lab *lab_new(void);
void lab_free(struct lab *lab);

tn_u128 lab_ip(const char *text);
struct tn_prefix lab_prefix(const char *text);
struct tn_mac lab_mac(uint64_t mac);

/* A host with this VTEP of IPv4 and, unless NULL, of IPv6. */
struct lab_host *lab_host(struct lab *lab, const char *name, const char *vtep4, const char *vtep6);
struct lab_host *lab_find_host(struct lab *lab, const char *name);
/* A NIC of the host that bare metal is bound to. */
void lab_device(struct lab *lab, const char *host, const char *name, uint32_t number);

/* Objects with sound values, declared with the next lab_apply(); to be changed until then. */
struct tn_network *lab_network(struct lab *lab, const char *id, uint32_t vni);
struct tn_subnet *lab_subnet(struct lab *lab, const char *id, const char *network, const char *cidr,
	const char *gateway);
/* ips: separated by spaces; bound as a virtual machine to a host ("": not bound). */
struct tn_tenant_port *lab_port(struct lab *lab, const char *id, const char *network, uint64_t mac,
	const char *ips, const char *host);
/* The same on a device, VLAN 0: untagged. */
struct tn_tenant_port *lab_metal(struct lab *lab, const char *id, const char *network, uint64_t mac,
	const char *ips, const char *host, const char *device, uint16_t vlan);
/* Behind an endpoint that is no host. */
struct tn_tenant_port *lab_remote(struct lab *lab, const char *id, const char *network,
	uint64_t mac, const char *ips, const char *vtep);
/* subnets: separated by spaces. */
struct tn_router *lab_router(struct lab *lab, const char *id, const char *subnets);
void lab_route(struct lab *lab, struct tn_router *router, const char *prefix, const char *next_hop);
struct tn_qos_policy *lab_qos(struct lab *lab, const char *id);
/* A copy of the object that is declared, declared anew. */
void *lab_change(struct lab *lab, enum tn_tenant_kind kind, const char *id);
void lab_remove(struct lab *lab, enum tn_tenant_kind kind, const char *id);
/* Every host compiles and takes it. */
void lab_apply(struct lab *lab);

/* All that the host's compiler says its switch must be, in ovs-ofctl text, sorted; free() it. */
char *lab_text(struct lab_host *host);
char *lab_compiler_text(struct tn_compiler *c);
/* What the host's switch has, the same way. */
char *lab_switch_text(struct lab_host *host);

/* Sends a frame by a tenant's port; frames and drops are of this one alone. */
void lab_send(struct lab *lab, const char *port, const struct frame *f);
/* The same, with a port of a host's switch. */
void lab_send_at(struct lab *lab, struct lab_host *host, uint32_t port, const struct frame *f);
/* VXLAN from an endpoint to a host. */
void lab_send_from(struct lab *lab, const char *endpoint, const char *host, uint32_t vni,
	const struct frame *f);

/* The clock goes to what the host's flows do next by themselves, and they do; false: nothing. */
bool lab_advertise(struct lab *lab, const char *host);

/* The n-th frame that came out at a tenant's port; NULL: none did. */
const struct lab_frame *lab_got(const struct lab *lab, const char *port, unsigned n);
/* Came out at exactly these ports (separated by spaces), once each; endpoints as addresses. */
void lab_expect_at(const struct lab *lab, const char *ports, const char *file, int line);
#define lab_expect(lab, ports) lab_expect_at(lab, ports, __FILE__, __LINE__)
/* The last drop's flow, as the compiler explains it. */
const char *lab_why(const struct lab *lab);

#endif
