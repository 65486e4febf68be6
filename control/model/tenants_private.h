/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the files of tenants.h share.
 *
 *	tenants.c		objects, changes, undoing
 *	tenants_claims.c	what objects lay claim to: addresses, devices, other objects
 *	tenants_fill.c		what is left open is filled in
 *	tenants_check.c		what must hold between objects
 *	tenants_check_port.c	the same of ports
 */
#ifndef TN_MODEL_TENANTS_PRIVATE_H
#define TN_MODEL_TENANTS_PRIVATE_H

#include "control/model/arena.h"
#include "control/model/tenants.h"

/*
 * Something that objects name, as text: another object, or a thing that only one can have. Kept
 * with those who name it, so that users and rivals are found at once.
 */
struct tn_claim {
	uint64_t hash;
	const struct tn_tenant_object **holders;
	uint32_t n, room;
	char text[];
};

/* Open addressing. All zero: empty. */
struct tn_claims {
	struct tn_claim **slots;
	size_t n, n_slots; /* a power of two */
};

struct tn_tenant_entry {
	struct tn_tenant_entry *next_in_slot, *previous, *next;
	uint64_t hash;
	const struct tn_tenant_object *object; /* a reference; NULL: about to be, or gone */
	size_t draft;			       /* position + 1; 0: not changed */
	tn_u128 hint; /* of a subnet: no address of its pools below it is free */
	enum tn_tenant_kind kind;
	char id[];
};

/* Objects of a kind, by id, and in the order in which they came. */
struct tn_tenant_table {
	struct tn_tenant_entry **slots, *first, *last;
	size_t n_entries, n_slots, n; /* n: with an object */
};

/* An object on its way. */
struct tn_tenant_draft {
	struct tn_tenant_entry *entry;
	const struct tn_tenant_object *before, *after; /* a reference each */
	struct tn_tenant_value value;
	struct tn_tenants_origin origin;
	bool removes;
};

struct tn_tenants {
	struct tn_tenant_table tables[TN_TENANT_N_KINDS];
	struct tn_claims claims;
	struct tn_tenant_draft *drafts;
	size_t n_drafts, room;
	struct tn_tenants_change *changes; /* of what is complete */
	size_t n_changes;
	struct tn_arena arena; /* of what is filled in, until it is an object */
	uint32_t underlay_mtu; /* the least of all hosts */
	bool underlay_ip6;     /* a host has no VTEP of IPv4 */
};

struct tn_tenant_entry *tn_tenants_entry(
	const struct tn_tenants *t, enum tn_tenant_kind kind, const char *id);

/* --- tenants_claims.c --- */

#define TN_CLAIM_MAX 384u

/* Forms of claims. */
#define TN_CLAIM_USE	 "use %s %s"		 /* kind, id of an object */
#define TN_CLAIM_OWN	 "own %s %s"		 /* kind, tenant */
#define TN_CLAIM_VNI	 "vni %u"		 /* of a network */
#define TN_CLAIM_MAC	 "mac %s %012llx"	 /* network, address of a port */
#define TN_CLAIM_ADDRESS "ip %s %016llx%016llx"	 /* network, address of a port or gateway */
#define TN_CLAIM_VTEP	 "vtep %016llx%016llx"	 /* of a host */
#define TN_CLAIM_REMOTE	 "remote %016llx%016llx" /* of a port that is behind it */
#define TN_CLAIM_FAR6	 "far6 %s"		 /* network that reaches a VTEP of IPv6 */
#define TN_CLAIM_DEVICE	 "device %s %s"		 /* host, device of a port */
#define TN_CLAIM_SOCKET	 "socket %s %s"		 /* host, path of a port */

#define TN_CLAIM_HALVES(a)   (unsigned long long)((a) >> 64), (unsigned long long)(a)
#define TN_CLAIM_NUMBER(mac) (unsigned long long)tn_mac_number(mac)

void tn_claims_add(struct tn_claims *c, const struct tn_tenant_object *o);
void tn_claims_remove(struct tn_claims *c, const struct tn_tenant_object *o);
/* NULL: nobody lays it. */
const struct tn_claim *tn_claims_find(const struct tn_claims *c, const char *fmt, ...)
	TN_PRINTF(2, 3);
void tn_claims_fini(struct tn_claims *c);
uint64_t tn_tenant_hash(const char *s);

/* --- tenants_fill.c --- */

/* false, with a diagnostic: there is nothing to fill it in from. */
bool tn_tenant_fill(
	struct tn_tenants *t, struct tn_tenant_draft *draft, struct tn_diagnostics *diag);

/* --- tenants_check.c --- */

void tn_tenants_check(struct tn_tenants *t, struct tn_diagnostics *diag);

/* An object that is looked at. */
struct tn_tenant_check {
	const struct tn_tenants *t;
	struct tn_diagnostics *diag;
	const struct tn_tenant_draft *draft; /* that brings what is wrong */
	const struct tn_tenant_object *o;
	bool is_user; /* it is not the draft's: it hangs on that one */
};

/* path: within the object, "/fixed_ips/0". */
void tn_tenant_complain(const struct tn_tenant_check *c, const char *path, const char *fmt, ...)
	TN_PRINTF(3, 4);
/*
 * The object that it names, which must be there and of its own tenant, or anybody's where shared.
 * NULL, with a diagnostic: it is not.
 */
const struct tn_tenant_object *tn_tenant_check_reference(const struct tn_tenant_check *c,
	enum tn_tenant_kind kind, const char *id, const char *path, bool shared);
/* Somebody else who lays that claim; NULL: nobody. */
const struct tn_tenant_object *tn_tenant_rival(
	const struct tn_tenant_check *c, const struct tn_claim *claim);
void tn_tenant_check_port(const struct tn_tenant_check *c);

#define TN_ADDRESS_TEXT 48u
const char *tn_address_text(tn_u128 address, char *buf);
const char *tn_prefix_text(const struct tn_prefix *prefix, char *buf); /* TN_ADDRESS_TEXT + 4 */

#endif
