/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * JSON of flows, groups and meters: the ONOS shapes with Tenon's extensions. Decoders take any
 * accepted spelling, encoders print the canonical one; decode(encode(x)) = x and encode(decode(j))
 * is a fixed point. Every error is added to the diagnostics with its pointer under `base`.
 * Nothing here does I/O.
 */
#ifndef TN_MODEL_FLOW_JSON_H
#define TN_MODEL_FLOW_JSON_H

#include <jansson.h>

#include "control/model/arena.h"
#include "control/model/diagnostics.h"
#include "control/model/names.h"
#include "dataplane/core/info.h"
#include "dataplane/core/meter.h"
#include "dataplane/core/mods.h"

struct tn_codec {
	uint64_t dpid;		/* a deviceId in the JSON must name it */
	struct tn_names *names; /* ports and strings; decoders may intern */
	struct tn_arena *arena; /* arrays of decoded mods */
	struct tn_diagnostics *diag;
	bool ports_known; /* decoders: every port is in `names`; others are refused */
	bool with_stats;  /* encoders: state, life, packets, bytes, ... as the northbound answers */
	uint64_t now_ns;  /* encoders: life and lastSeen are counted to here */
};

/*
 * 0 with *fm filled (command ADD), or -EINVAL with at least one diagnostic added. A meter that
 * wants no number of its own is meter_id 0: the caller picks one.
 */
int tn_flow_from_json(struct tn_codec *c, const char *base, const json_t *j,
	struct tn_flow_mod *fm) TN_MUST_CHECK;
int tn_group_from_json(struct tn_codec *c, const char *base, const json_t *j,
	struct tn_group_mod *gm) TN_MUST_CHECK;
int tn_meter_from_json(struct tn_codec *c, const char *base, const json_t *j,
	struct tn_meter_mod *mm) TN_MUST_CHECK;

/* New references; NULL only without memory. */
json_t *tn_flow_to_json(const struct tn_codec *c, const struct tn_flow_info *flow);
json_t *tn_group_to_json(const struct tn_codec *c, const struct tn_group_info *group);
json_t *tn_meter_to_json(
	const struct tn_codec *c, const struct tn_meter *meter, uint32_t reference_count);

/* Action list of a treatment's "instructions" (for packet-out and traces). */
json_t *tn_actions_to_json(const struct tn_codec *c, const struct tn_action *list, size_t n);

#endif
