/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How many rules of each priority a tuple or trie has: to know the highest one, and which are not
 * there at all. One priority only, the usual case, takes no memory. Writer only.
 */
#ifndef TN_TABLE_PRIORITIES_H
#define TN_TABLE_PRIORITIES_H

#include "dataplane/table/store.h"

#define TN_NO_PRIORITY (-1)

struct tn_priority_page;

struct tn_priorities {
	int highest; /* TN_NO_PRIORITY: no rules */
	uint32_t n_rules;
	uint32_t n_pages;		 /* 0: every rule has priority `highest` */
	uint32_t capacity;		 /* of pages */
	struct tn_priority_page **pages; /* ascending */
};

void tn_priorities_init(struct tn_priorities *p);
void tn_priorities_fini(struct tn_cls_store *store, struct tn_priorities *p);
/* -ENOMEM. */
int tn_priorities_add(
	struct tn_cls_store *store, struct tn_priorities *p, uint16_t priority) TN_MUST_CHECK;
void tn_priorities_remove(struct tn_cls_store *store, struct tn_priorities *p, uint16_t priority);
bool tn_priorities_has(const struct tn_priorities *p, uint16_t priority);

#endif
