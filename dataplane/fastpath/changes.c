/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Changes of flows against sessions. A commit raises the epoch of a table, for all who read it; the
 * sessions whose keys no flow that came or went can match need not be decided again. A flow's match
 * is compared in the members that session keys hold: what they do not hold may be anything.
 */
#include "dataplane/fastpath/worker_private.h"

#include "dataplane/fastpath/shape.h"
#include "dataplane/pipeline/snapshot.h"

static __m128i load_ip6(const struct tn_ip6 *a)
{
	return _mm_loadu_si128((const __m128i *)(const void *)a);
}

static void note(struct tn_worker *w, const struct tn_recent_change *from)
{
	struct tn_wk_changes *c = &w->changes;
	struct tn_wk_change *to = &c->ring[c->n % TN_WK_CHANGES];
	struct tn_key rest;
	bool ip6;

	if (c->n >= TN_WK_CHANGES)
		c->since = to->version;
	c->n++;
	tn_session_mask(&from->match.mask, &to->mask, &ip6, &rest);
	to->mask.kind = 0;
	tn_session_mask(&from->match.value, &to->value, &ip6, &rest);
	to->ip6_mask.src = load_ip6(&from->match.mask.ipv6_src);
	to->ip6_mask.dst = load_ip6(&from->match.mask.ipv6_dst);
	to->ip6_value.src = load_ip6(&from->match.value.ipv6_src);
	to->ip6_value.dst = load_ip6(&from->match.value.ipv6_dst);
	to->class = UINT64_C(1) << tn_epoch_class(from->table_id);
	to->version = from->version;
}

void tn_wk_note_changes(struct tn_worker *w, const struct tn_snapshot *s, uint64_t seen_version)
{
	/* Some were missed, or it is another switch. */
	if (s->recent.since > seen_version || s->version < seen_version) {
		w->changes.n = 0;
		w->changes.since = (uint32_t)s->version;
		return;
	}
	for (uint32_t i = 0; i < s->recent.n; i++) {
		if ((int32_t)(s->recent.change[i].version - (uint32_t)seen_version) > 0)
			note(w, &s->recent.change[i]);
	}
}

static __m128i differ(__m128i key, __m128i value, __m128i mask)
{
	return _mm_and_si128(_mm_xor_si128(key, value), mask);
}

/* The mask of keys bounds what they can be asked: a member that they do not hold is zero in them.
 */
static bool may_match(
	const struct tn_worker *w, const struct tn_session *s, const struct tn_wk_change *c)
{
	__m128i d = _mm_setzero_si128();

	for (unsigned i = 0; i < 3; i++)
		d = _mm_or_si128(d,
			differ(s->key.v[i], c->value.v[i],
				_mm_and_si128(c->mask.v[i], w->mask.v[i])));
	if (s->key.kind == TN_SESSION_IP6) {
		const struct tn_session_ip6 *ip6 = &tn_session_more(&w->sessions, s)->ip6;

		d = _mm_or_si128(d, differ(ip6->src, c->ip6_value.src, c->ip6_mask.src));
		d = _mm_or_si128(d, differ(ip6->dst, c->ip6_value.dst, c->ip6_mask.dst));
	}
	return _mm_testz_si128(d, d);
}

bool tn_wk_changes_concern(
	const struct tn_worker *w, const struct tn_session *s, uint64_t classes, uint32_t version)
{
	const struct tn_wk_changes *c = &w->changes;
	uint64_t oldest = c->n > TN_WK_CHANGES ? c->n - TN_WK_CHANGES : 0;

	if ((int32_t)(version - c->since) < 0)
		return true;
	for (uint64_t i = c->n; i > oldest; i--) {
		const struct tn_wk_change *change = &c->ring[(i - 1) % TN_WK_CHANGES];

		if ((int32_t)(change->version - version) <= 0)
			return false;
		if (change->class & classes && may_match(w, s, change))
			return true;
	}
	return false;
}
