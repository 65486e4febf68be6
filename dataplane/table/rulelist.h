/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The rules of one match: a list, highest priority first, newest first within a priority. A list
 * that grows long gets an index of its priorities, so that no change walks all of it. Writer only;
 * readers follow mm->rules and rule->next.
 */
#ifndef TN_TABLE_RULELIST_H
#define TN_TABLE_RULELIST_H

#include "dataplane/table/minimatch.h"

/* The indexes of one classifier, found by their match. Most have none. */
struct tn_rulelists {
	struct tn_htable indexes;
};

int tn_rulelists_init(struct tn_cls_store *store) TN_MUST_CHECK;
void tn_rulelists_fini(struct tn_cls_store *store);

/* The rule is published by it. Never fails: without memory for an index it walks. */
void tn_rulelist_add(struct tn_cls_store *store, struct tn_minimatch *mm, struct tn_cls_rule *rule);
void tn_rulelist_remove(
	struct tn_cls_store *store, struct tn_minimatch *mm, struct tn_cls_rule *rule);
/* The rule of this priority visible in version, or NULL. */
struct tn_cls_rule *tn_rulelist_find(const struct tn_cls_store *store,
	const struct tn_minimatch *mm, uint16_t priority, uint64_t version);
/* The same, if the match overlaps. */
struct tn_cls_rule *tn_rulelist_overlap(const struct tn_cls_store *store,
	const struct tn_minimatch *mm, const struct tn_match *match, uint16_t priority,
	uint64_t version);
/* fn may remove the rule it is given. */
void tn_rulelist_foreach(const struct tn_minimatch *mm, tn_cls_rule_fn fn, void *ctx);

#endif
