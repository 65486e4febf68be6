/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/engine/flow_add.h"

#include <stddef.h>
#include <string.h>

static const uint8_t *packed_of(const struct tn_flow_add *add)
{
	return (const uint8_t *)&add->flow;
}

size_t tn_flow_add_size(const struct tn_flow_add *add)
{
	return offsetof(struct tn_flow_add, flow) + add->packed + add->encoded;
}

uint64_t tn_flow_add_id(const struct tn_flow_add *add)
{
	return add->id;
}

const struct tn_flow_add *tn_flow_add_new(uint64_t dpid, const struct tn_flow_mod *fm,
	struct tn_arena *arena, struct tn_api_buffer *scratch, struct tn_error *err)
{
	const struct tn_mod mod = {.kind = TN_MOD_FLOW, .flow = fm};
	struct tn_flow_add *add;
	uint32_t mask_words;
	size_t packed;

	scratch->len = 0;
	if (tn_api_encode_mod(scratch, &mod, err))
		return NULL;
	packed = tn_packed_flow_size(fm, &mask_words);
	add = tn_arena_alloc(arena, offsetof(struct tn_flow_add, flow) + packed + scratch->len);
	add->id = tn_flow_id(dpid, fm->table_id, fm->priority, &fm->match);
	add->dpid = dpid;
	add->owner = fm->owner;
	add->flags = fm->flags;
	add->packed = (uint32_t)packed;
	add->encoded = (uint32_t)scratch->len;
	tn_packed_flow_write(fm, mask_words, &add->flow);
	memcpy((uint8_t *)&add->flow + packed, scratch->data, scratch->len);
	return add;
}

struct tn_wanted *tn_flow_add_wanted(const struct tn_flow_add *add, uint64_t dpid)
{
	struct tn_wanted *w = tn_wanted_packed_flow(add->id, add->owner, &add->flow, add->packed);
	struct tn_match match;

	if (add->dpid == dpid)
		return w;
	/* The switch said who it is in the meantime. */
	tn_wanted_match(w, &match);
	w->id = tn_flow_id(dpid, add->flow.table_id, add->flow.priority, &match);
	return w;
}

struct tn_api_encoded tn_flow_add_encoded(const struct tn_flow_add *add)
{
	return (struct tn_api_encoded){packed_of(add) + add->packed, add->encoded, 1};
}
