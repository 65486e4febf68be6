/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From tenant networks to what one host's switch must be: flows, groups, meters and ports. Pure: no
 * I/O, no clock; the same declaration and numbers give the same switch, in whatever order they
 * came. A host gets what its own ports need and nothing else.
 *
 * The compiler knows the declaration by the changes it was told. Each tn_compiler_change() says
 * what that makes different in the switch, and is then accepted or undone. What a change touches is
 * compiled again, so a change of one port costs what that port needs. Any declaration is taken:
 * what contradicts itself, or names what is not there, is left out.
 *
 * Aborts when the machine has no memory left. One thread.
 */
#ifndef TN_TENANT_COMPILE_H
#define TN_TENANT_COMPILE_H

#include "control/model/tenant.h"
#include "control/tenant/numbers.h"
#include "dataplane/api/messages.h"
#include "dataplane/core/mods.h"

struct tn_compiler;

/* host: the id of this one; owner: of flows, groups and meters. numbers is borrowed. */
struct tn_compiler *tn_compiler_new(const char *host, uint32_t owner, struct tn_numbers *numbers);
void tn_compiler_free(struct tn_compiler *c);

struct tn_tenant_change {
	enum tn_tenant_kind kind; /* quotas are taken and mean nothing */
	const char *id;
	/* struct tn_network, ...; NULL: removed. It must stay as it is until a change that replaces
	 * or removes it was accepted, or this one undone. */
	const void *object;
};

/*
 * A port that is not of this declaration and on which bare metal may be bound, by name; number 0:
 * it is no more. Taken with the next change; undone with it, it is taken with the one after that.
 */
void tn_compiler_set_device(struct tn_compiler *c, const char *name, uint32_t number);

/* Good until the next call of the compiler. */
struct tn_compiled {
	/* To be added, or to replace those of the same number, before the mods. */
	const struct tn_api_port *ports;
	size_t n_ports;
	/* One bundle, in an order that a switch takes: groups and meters, flows that go, flows that
	 * come or change, groups and meters that go. */
	const struct tn_mod *mods;
	size_t n_mods;
	/* Of each port and mod: the maker of what comes or changes, see tn_compiler_makers(). */
	const uint64_t *port_makers, *mod_makers;
	/* To be removed after the mods. */
	const uint32_t *gone_ports;
	size_t n_gone_ports;
};

/* The last change was accepted or undone. */
void tn_compiler_change(struct tn_compiler *c, const struct tn_tenant_change *changes, size_t n,
	struct tn_compiled *compiled);
/* Also settles the numbers. */
void tn_compiler_accept(struct tn_compiler *c);
/* As it was before the change; reverts the numbers. */
void tn_compiler_undo(struct tn_compiler *c);

/* All that there must be, as if nothing were; good until the next call. */
void tn_compiler_all(struct tn_compiler *c, struct tn_compiled *compiled);

struct tn_compiler_stats {
	size_t objects, units, rules, groups, meters, ports;
	size_t compiled_units; /* by the last change */
	size_t memory_bytes;   /* of the compiler; objects are the caller's */
};
void tn_compiler_stats(const struct tn_compiler *c, struct tn_compiler_stats *stats);

/* --- explaining ----------------------------------------------------------------------------- */

#define TN_EXPLAIN_OBJECTS_MAX 4u

/* Whose a flow is and what it is for. Strings are good until the next call. */
struct tn_explanation {
	const char *what; /* "port security: what the port may send" */
	struct {
		enum tn_tenant_kind kind;
		const char *id, *name;
	} objects[TN_EXPLAIN_OBJECTS_MAX];
	size_t n_objects;
};

/*
 * The object that a flow is made of first, then what that is in: port, subnet, network, router;
 * router, subnet, network. The subnet is that of an address in the flow's match, the router the one
 * that has the packet there; match NULL: neither is told. false: not the cookie of a flow of this
 * compiler.
 */
bool tn_compiler_explain(const struct tn_compiler *c, uint64_t cookie, const struct tn_match *match,
	struct tn_explanation *explanation);
/*
 * What makes something of an object on this host, by the cookies of its flows without their role:
 * of a network also at its endpoints that are no hosts, of a port also how others reach it. fn is
 * called for each until it says false. false: nothing is made of it, or the object has no makers.
 */
bool tn_compiler_makers(const struct tn_compiler *c, enum tn_tenant_kind kind, const char *id,
	bool (*fn)(void *ctx, uint64_t maker), void *ctx);
/* The port of the switch of a tenant's port; 0: it has none here. */
uint32_t tn_compiler_switch_port(const struct tn_compiler *c, const char *port_id);

#endif
