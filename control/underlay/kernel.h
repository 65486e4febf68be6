/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The kernel's network as netlink tells it: links, addresses, routes of the main table, nexthop
 * objects, neighbours. Events change it one by one, or a dump of a kind replaces what is known of
 * that kind. Pure: no I/O, no clock. Addresses as tn_u128, IPv4 as ::ffff:a.b.c.d. One thread.
 *
 * Netlink does not tell everything: routes go with their link or address without a word, and of
 * several routes of one prefix and metric it is not said which one went. What an event leaves
 * unclear is to be dumped again; tn_kernel_apply() says so.
 */
#ifndef TN_UNDERLAY_KERNEL_H
#define TN_UNDERLAY_KERNEL_H

#include "dataplane/core/field.h"
#include "dataplane/core/types.h"

enum tn_kernel_kind {
	TN_KERNEL_LINK,
	TN_KERNEL_NEXTHOP,
	TN_KERNEL_ADDRESS,
	TN_KERNEL_ROUTE,
	TN_KERNEL_NEIGHBOUR,
	TN_KERNEL_N_KINDS
};

#define TN_KERNEL_NAME_SIZE 16u
#define TN_KERNEL_HOPS_MAX  512u

struct tn_kernel_link {
	uint32_t index;
	char name[TN_KERNEL_NAME_SIZE];
	struct tn_mac mac;
	bool up;      /* by its owner's will */
	bool running; /* and there is a carrier */
};

struct tn_kernel_address {
	uint32_t link;
	tn_u128 address;
	uint8_t prefix_len; /* of its family: 0-32, 0-128 */
	bool is_ip4;
	bool usable; /* not still being checked for duplicates */
};

struct tn_kernel_hop {
	tn_u128 via; /* 0: on link */
	uint32_t link;
	uint16_t weight; /* 1 and up */
	bool dead;
};

struct tn_kernel_route {
	tn_u128 prefix;
	uint8_t prefix_len; /* of its family */
	bool is_ip4;
	bool refuses;	  /* blackhole, unreachable, prohibit, throw */
	uint32_t metric;  /* the lowest one counts */
	uint32_t nexthop; /* a nexthop object that stands for the hops; 0: none */
	uint32_t n_hops;
	const struct tn_kernel_hop *hops;
};

struct tn_kernel_member {
	uint32_t id;
	uint16_t weight;
};

/* One way, or a group of others. */
struct tn_kernel_nexthop {
	uint32_t id;
	bool refuses;
	struct tn_kernel_hop hop; /* no members: this */
	uint32_t n_members;
	const struct tn_kernel_member *members;
};

struct tn_kernel_neighbour {
	uint32_t link;
	tn_u128 address;
	struct tn_mac mac;
	bool usable; /* its MAC is known */
	bool fresh;  /* and was lately confirmed, or always holds */
};

struct tn_kernel_event {
	enum tn_kernel_kind kind;
	bool gone;
	bool replaces, appends; /* of a ROUTE that is new: NLM_F_REPLACE, NLM_F_APPEND */
	union {
		struct tn_kernel_link link;
		struct tn_kernel_address address;
		struct tn_kernel_route route;
		struct tn_kernel_nexthop nexthop;
		struct tn_kernel_neighbour neighbour;
	};
};

struct tn_kernel;

/* max: how many of each kind are kept at most; 0: the default. NULL: no memory. */
struct tn_kernel *tn_kernel_new(uint32_t max);
void tn_kernel_free(struct tn_kernel *k);

#define TN_KERNEL_BIT(kind) (1u << (kind))

/*
 * An event; what it points to is copied. Returns the kinds that have to be dumped (bits of
 * TN_KERNEL_BIT()), 0 mostly. *changed, if not NULL, is set where anything became different.
 */
unsigned tn_kernel_apply(struct tn_kernel *k, const struct tn_kernel_event *event, bool *changed);

/*
 * A dump of one kind: begin, tn_kernel_dumped() for each item, end. What it did not name is gone,
 * unless it was not whole. No events between begin and end: older or newer than the dump, they come
 * after it.
 */
void tn_kernel_dump_begin(struct tn_kernel *k, enum tn_kernel_kind kind);
void tn_kernel_dumped(struct tn_kernel *k, const struct tn_kernel_event *item);
void tn_kernel_dump_end(struct tn_kernel *k, enum tn_kernel_kind kind, bool whole);

/* All events that were told before the last dump ended were applied. */
void tn_kernel_caught_up(struct tn_kernel *k);

/* Items of a kind that there was no room or memory for since its last dump began. */
uint64_t tn_kernel_lost(const struct tn_kernel *k, enum tn_kernel_kind kind);
uint32_t tn_kernel_count(const struct tn_kernel *k, enum tn_kernel_kind kind);

/* --- reading; what is handed out is borrowed until the next change --- */

const struct tn_kernel_link *tn_kernel_link_by_name(const struct tn_kernel *k, const char *name);
const struct tn_kernel_link *tn_kernel_link(const struct tn_kernel *k, uint32_t index);
const struct tn_kernel_nexthop *tn_kernel_nexthop(const struct tn_kernel *k, uint32_t id);
const struct tn_kernel_neighbour *tn_kernel_neighbour(
	const struct tn_kernel *k, uint32_t link, tn_u128 address);

/*
 * All of a kind, as pointers to its struct, in a fixed order. Routes: by family, prefix, length and
 * metric, so that a route comes after those that cover it.
 */
typedef void (*tn_kernel_fn)(void *ctx, const void *item);
void tn_kernel_each(
	const struct tn_kernel *k, enum tn_kernel_kind kind, tn_kernel_fn fn, void *ctx);

/* The mask of a prefix's network. */
static inline tn_u128 tn_kernel_mask(uint8_t prefix_len, bool is_ip4)
{
	unsigned bits = prefix_len + (is_ip4 ? 96u : 0u);

	return bits ? ~(tn_u128)0 << (128 - bits) : 0;
}

#endif
