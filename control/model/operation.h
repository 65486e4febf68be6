/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An operation of a transaction in JSON, both directions:
 *
 *   {"op":"add|modify|modify_strict|delete|delete_strict","flow":{..}}
 *   {"op":"add|modify|delete|insert_bucket|remove_bucket","group":{..}}
 *   {"op":"add|modify|delete","meter":{..}}
 *   {"op":"packet-out","packetOut":{"inPort":..,"frame":"<hex>","treatment":{..}}}
 *
 * The flow of a modify or delete says which flows: tableId (or "ALL"), selector, priority (with
 * _strict), cookie under cookieMask, outPort and outGroup (delete alone); a modify has the new
 * treatment and, with newCookie, the new cookie. No I/O.
 */
#ifndef TN_MODEL_OPERATION_H
#define TN_MODEL_OPERATION_H

#include "control/model/json_codec.h"

struct tn_model_packet_out {
	uint32_t in_port;
	const struct tn_action *actions;
	uint16_t n_actions;
	const uint8_t *frame;
	uint32_t frame_len;
};

struct tn_model_operation {
	bool is_packet_out;
	struct tn_mod mod; /* points to what follows */
	union {
		struct tn_flow_mod flow;
		struct tn_group_mod group;
		struct tn_meter_mod meter;
		struct tn_model_packet_out packet_out;
	};
};

#define TN_MODEL_FRAME_MAX 65535u

/* As the other readers of json_codec.h; arrays are of the codec's arena. */
bool tn_json_read_operation(struct tn_json_reader *r, tn_json_ref v, struct tn_model_operation *op);
/* {"inPort":..,"frame":..,"treatment":..} alone. inPort absent: CONTROLLER. */
bool tn_json_read_packet_out(
	struct tn_json_reader *r, tn_json_ref v, struct tn_model_packet_out *packet_out);
/* Hex digits to bytes of the arena. */
bool tn_json_read_frame(
	struct tn_json_reader *r, tn_json_ref v, const uint8_t **frame, uint32_t *len);

/* A new reference; what is read from it is the mod. */
json_t *tn_mod_to_json(const struct tn_codec *c, const struct tn_mod *mod);

/* The mods as what is read back from a switch that took them; buckets and bands of the arena. */
void tn_flow_mod_to_info(uint64_t dpid, const struct tn_flow_mod *fm, struct tn_flow_info *info);
void tn_group_mod_to_info(
	struct tn_arena *arena, const struct tn_group_mod *gm, struct tn_group_info *info);
struct tn_meter *tn_meter_mod_to_meter(struct tn_arena *arena, const struct tn_meter_mod *mm);

#endif
