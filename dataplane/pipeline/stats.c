/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/pipeline/switch_private.h"

#include <stdlib.h>

#define STATS_MIN 64u

/* Twice the slots, the new ones free. */
static bool grow(struct tn_switch *sw)
{
	uint32_t size = sw->stats_size ? sw->stats_size * 2 : STATS_MIN;
	struct tn_stats **stats;
	uint32_t *free_stats;

	if (sw->stats_size > UINT32_MAX / 2 - 1)
		return false;
	stats = reallocarray(sw->stats, size, sizeof(struct tn_stats *));
	if (stats)
		sw->stats = stats;
	free_stats = reallocarray(sw->free_stats, size, sizeof(*free_stats));
	if (free_stats)
		sw->free_stats = free_stats;
	if (!stats || !free_stats)
		return false;
	for (uint32_t slot = size; slot > sw->stats_size; slot--) {
		sw->stats[slot - 1] = NULL;
		sw->free_stats[sw->n_free_stats++] = slot - 1;
	}
	sw->stats_size = size;
	return true;
}

struct tn_stats *tn_sw_stats_new(struct tn_switch *sw, uint64_t last_used_ns)
{
	struct tn_stats *stats;
	uint32_t slot;

	if (!sw->n_free_stats && !grow(sw))
		return NULL;
	stats = tn_sw_alloc(sw, sizeof(*stats));
	if (!stats)
		return NULL;
	slot = sw->free_stats[--sw->n_free_stats];
	stats->refs = 1;
	stats->last_used_ns = last_used_ns;
	stats->id = (uint64_t)sw->stats_serial++ << 32 | (slot + 1);
	sw->stats[slot] = stats;
	return stats;
}

void tn_sw_stats_put(struct tn_switch *sw, struct tn_stats *stats)
{
	uint32_t slot;

	if (!stats || --stats->refs)
		return;
	slot = (uint32_t)stats->id - 1;
	sw->stats[slot] = NULL;
	sw->free_stats[sw->n_free_stats++] = slot;
	tn_sw_free(sw, stats);
}

void tn_switch_count(struct tn_switch *sw, const struct tn_count *count)
{
	uint32_t slot = (uint32_t)count->id - 1;
	struct tn_stats *stats = slot < sw->stats_size ? sw->stats[slot] : NULL;

	if (stats && stats->id == count->id) {
		stats->counter.packets += count->packets;
		stats->counter.bytes += count->bytes;
		if (count->last_used_ns > stats->last_used_ns)
			stats->last_used_ns = count->last_used_ns;
	}
	if (count->table < TN_N_TABLES) {
		sw->tables[count->table].lookups += count->lookups;
		sw->tables[count->table].matches += count->matches;
	}
}
