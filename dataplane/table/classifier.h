/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The lookup of one flow table: highest-priority rule that matches a key, by templates chosen from
 * the shape of the rules, never a scan of all of them.
 *
 *   linear   up to TN_LINEAR_MAX rules: each compared, highest priority first
 *   exact    every rule has the same mask: one hash probe
 *   prefix   every rule has the same exact members and a prefix of one member: one trie
 *   tuples   anything else: a list of hash tuples and tries, highest priority first; the walk ends
 *            at the first one whose best priority cannot beat the rule already found
 *
 * Masks that differ little share a tuple: a rule is stored under a coarser mask (prefix lengths
 * rounded down, partial port masks left out) as long as no more than TN_CHAIN_MAX rules of other
 * values meet there; only then under its own mask. Rules of one match and several priorities or
 * versions are one entry: of those, a lookup looks at the first that is visible.
 *
 * Worst case of one lookup, with T tuples (<= TN_TUPLES_MAX), P tries (<= TN_TRIES_MAX), B the
 * trie's prefix bits (32, 48 or 128) and W the words of the masks:
 *   linear:       TN_LINEAR_MAX x W word compares
 *   exact:        1 hash of W words + 1 bucket + 1 compare of W words
 *   prefix:       1 hash of W words + 1 bucket + B / 4 nodes with at most B + 1 matches in all
 *   tuples:       10 x (T + P) / 64 words of bits that leave those worth a look; of these
 *                 T x (1 hash of W words + 1 bucket + TN_CHAIN_MAX compares) + P x prefix
 * A bucket is one cache line of six entries. The number of rules is in none of these: hash tables
 * grow at 60 % of their room, a few buckets with each change, and the hash is keyed.
 * A rule that would need a tuple more than TN_TUPLES_MAX is refused when it is added.
 *
 * Threads: one writer, many readers without locks. Rules carry versions: a reader passes the
 * version it handles its packet by and sees exactly the rules that are visible in it. Nodes and
 * arrays that become unreachable go to the deferred-free list (defer.h), never straight to free().
 */
#ifndef TN_TABLE_CLASSIFIER_H
#define TN_TABLE_CLASSIFIER_H

#include "dataplane/core/match.h"
#include "dataplane/table/defer.h"

#define TN_LINEAR_MAX 8u
#define TN_CHAIN_MAX  8u
#define TN_TUPLES_MAX 512u
#define TN_TRIES_MAX  4u

#define TN_VERSION_NEVER UINT64_MAX

/*
 * A rule inside the classifier, embedded in its owner's (struct tn_flow). priority and the match
 * never change; visible in versions [add_version, remove_version).
 */
struct tn_cls_rule {
	uint64_t add_version;
	uint64_t remove_version; /* atomic; TN_VERSION_NEVER while not removed */
	uint16_t priority;
	/* private to the classifier: */
	struct tn_minimatch *mm;  /* compact match, shared by the rules with the same */
	struct tn_cls_rule *next; /* of the same match, lower priority or older version */
	struct tn_cls_rule *prev;
};

struct tn_classifier;

struct tn_classifier *tn_classifier_new(struct tn_defer *defer);
/* With a secret of its own, where strangers choose what the rules match. Results are the same. */
struct tn_classifier *tn_classifier_new_seeded(struct tn_defer *defer, uint64_t seed);
void tn_classifier_free(struct tn_classifier *cls); /* no reader, rules are the owner's */

/*
 * Adds a rule, visible from rule->add_version on. Several rules of one match and priority may be
 * there at once as long as no version sees two. -ENOSPC: needs a tuple more than TN_TUPLES_MAX.
 * -ENOMEM. Cost: a few hash operations, amortised; never in proportion to the rules.
 */
int tn_classifier_insert(struct tn_classifier *cls, struct tn_cls_rule *rule,
	const struct tn_match *match) TN_MUST_CHECK;

/*
 * Takes a rule out for good. Call it when no reader of a version that sees the rule is left;
 * readers of later versions may still be stepping over it: free it deferred. To hide a rule from a
 * version on, set its remove_version and publish that version.
 */
void tn_classifier_remove(struct tn_classifier *cls, struct tn_cls_rule *rule);

/* Highest-priority visible rule that matches, or NULL. Lock-free. */
struct tn_cls_rule *tn_classifier_lookup(
	const struct tn_classifier *cls, const struct tn_key *key, uint64_t version);

/* The rule with exactly this match and priority visible in version, or NULL. Writer only. */
struct tn_cls_rule *tn_classifier_find(const struct tn_classifier *cls,
	const struct tn_match *match, uint16_t priority, uint64_t version);

/* Is there a visible rule of this priority that overlaps the match? Writer only; may scan. */
struct tn_cls_rule *tn_classifier_overlap(const struct tn_classifier *cls,
	const struct tn_match *match, uint16_t priority, uint64_t version);

/*
 * Adds to *mask every bit that some rule of the table looks at (a superset while rules are being
 * removed). Lock-free; after a lookup it has what the lookup went by.
 */
void tn_classifier_add_mask(const struct tn_classifier *cls, struct tn_key *mask);

/*
 * Every rule, any version; the order is the same wherever the same calls were made before. Writer
 * only. fn may remove the rule it is given, but not run the deferred list.
 */
typedef void (*tn_cls_rule_fn)(void *ctx, struct tn_cls_rule *rule);
void tn_classifier_foreach(struct tn_classifier *cls, tn_cls_rule_fn fn, void *ctx);

/* The rule's match, expanded. */
void tn_cls_rule_match(const struct tn_cls_rule *rule, struct tn_match *match);

struct tn_classifier_stats {
	const char *template_name;
	uint32_t n_rules, n_tuples, n_tries;
	size_t memory_bytes; /* rules' minimatches, nodes, arrays, tuples */
};

void tn_classifier_stats(const struct tn_classifier *cls, struct tn_classifier_stats *stats);

#endif
