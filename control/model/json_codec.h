/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The parts of the codec between which a flow, a group and a meter are split. Readers return false
 * after a diagnostic was added; what they fill is then unspecified. Writers return new references.
 */
#ifndef TN_MODEL_JSON_CODEC_H
#define TN_MODEL_JSON_CODEC_H

#include "control/model/json_reader.h"

#define TN_JSON_APP_DEFAULT "org.onosproject.rest"
/* What ONOS prints for a flow whose owner it does not know; ours: owner 0. */
#define TN_JSON_APP_NONE "<none>"
#define TN_JSON_APP_MAX	 255u

bool tn_json_read_flow(struct tn_json_reader *r, tn_json_ref v, struct tn_flow_mod *fm);
bool tn_json_read_group(struct tn_json_reader *r, tn_json_ref v, struct tn_group_mod *gm);
bool tn_json_read_meter(struct tn_json_reader *r, tn_json_ref v, struct tn_meter_mod *mm);
/* Buckets for a group that is there already; type: its type if the client says it, or NULL. */
bool tn_json_read_buckets(
	struct tn_json_reader *r, tn_json_ref array, tn_json_ref type, struct tn_group_mod *gm);

/*
 * v: {"criteria":[..]}. false: the match holds only the criteria that are correct; *sure: none of
 * those that prerequisites look at is missing for that.
 */
bool tn_json_read_selector(
	struct tn_json_reader *r, tn_json_ref v, struct tn_match *match, bool *sure);
json_t *tn_json_write_selector(const struct tn_match *match);

/*
 * v: {"instructions":[..],"deferred":[..],"clearDeferred":..}. match: the flow's; NULL where it is
 * not known, then prerequisites are not checked.
 */
bool tn_json_read_treatment(struct tn_json_reader *r, tn_json_ref v, const struct tn_match *match,
	uint8_t table, struct tn_instructions *inst);
json_t *tn_json_write_treatment(const struct tn_instructions *inst);
/* A bucket's or a packet-out's: actions alone. */
bool tn_json_read_actions_treatment(struct tn_json_reader *r, tn_json_ref v,
	enum tn_action_place place, const struct tn_action **actions, uint16_t *n);
json_t *tn_json_write_bucket_treatment(const struct tn_action *actions, size_t n);

/* Actions of one array while it is read: each with the value it came from. */
struct tn_json_actions {
	struct tn_action *list;
	tn_json_ref *at;
	size_t n, room;
	bool lost; /* an action is missing, because it was refused */
};

/* One element that must be an action; it and what it holds are appended. */
bool tn_json_read_action(struct tn_json_reader *r, tn_json_ref v, struct tn_json_string type,
	struct tn_json_actions *actions);
/* list[*i]; *i moves on to the last action that it holds. */
json_t *tn_json_write_action(const struct tn_action *list, size_t *i);
json_t *tn_json_write_actions(const struct tn_action *list, size_t n);

/* A new action at the end, zeroed. NULL: the list is full. */
struct tn_action *tn_json_add_action(
	struct tn_json_reader *r, tn_json_ref at, struct tn_json_actions *l, uint8_t type);
/* The REPLY that is the last of the list, with the notes that it holds. */
bool tn_json_read_reply(struct tn_json_reader *r, tn_json_ref v, struct tn_json_actions *l);
json_t *tn_json_write_reply(const struct tn_action *a);
/* What knows of networks: LEARN, FDB, MCAST, CIRCUIT, ADVERTISE. */
bool tn_json_read_learn(struct tn_json_reader *r, tn_json_ref v, struct tn_action *a);
bool tn_json_read_fdb(struct tn_json_reader *r, tn_json_ref v, struct tn_action *a);
bool tn_json_read_mcast(struct tn_json_reader *r, tn_json_ref v, struct tn_action *a);
bool tn_json_read_circuit(struct tn_json_reader *r, tn_json_ref v, struct tn_action *a);
bool tn_json_read_advertise(struct tn_json_reader *r, tn_json_ref v, struct tn_action *a);
json_t *tn_json_write_network_action(const struct tn_action *a);
/* Pairs of hex digits: up to `max` bytes; *n: how many. key: for sentences. */
bool tn_json_read_hex(struct tn_json_reader *r, tn_json_ref v, const char *key, uint8_t *bytes,
	uint32_t max, uint32_t *n);
json_t *tn_json_from_hex(const uint8_t *bytes, uint32_t n);

/* "type" of a criterion or an instruction. */
bool tn_json_read_type(
	struct tn_json_reader *r, tn_json_ref v, const char *what, struct tn_json_string *type);
/* The member `key` that v must have; NULL after a diagnostic. */
tn_json_ref tn_json_needed(
	struct tn_json_reader *r, tn_json_ref v, const char *what, const char *key);
/* Keys of v beside these (NULL-terminated) are errors. */
bool tn_json_only(
	struct tn_json_reader *r, tn_json_ref v, const char *what, const char *const *keys);

/* deviceId, when given, must be the switch's. */
bool tn_json_read_device(struct tn_json_reader *r, tn_json_ref v);
/* "of:" and 16 hex digits. */
bool tn_json_read_dpid(struct tn_json_reader *r, tn_json_ref v, uint64_t *dpid);
/* appId: absent is the default one. */
bool tn_json_read_app(struct tn_json_reader *r, tn_json_ref v, uint32_t *owner);
json_t *tn_json_write_app(const struct tn_codec *c, uint32_t owner);
/* life, packets and bytes of an object that was made at created_ns. */
void tn_json_write_stats(json_t *object, const struct tn_codec *c, uint64_t created_ns,
	const struct tn_counter *counter);

#endif
