/* SPDX-License-Identifier: BSD-3-Clause */
/* QoS policies in JSON: a list of rules, as Neutron has it, at most one of a type and direction. */
#include "control/model/json_codec.h"
#include "control/model/tenant_json.h"

#define RULES_MAX 8u
#define KBPS_MAX  1000000000u
#define BURST_MAX 100000000u
#define KPPS_MAX  1000000u
#define DSCP_MAX  63u

enum qos_key { RULES = TN_KEY_FIRST };

const struct tn_json_key tn_tenant_qos_keys[] = {
	TN_TENANT_COMMON_KEYS,
	[RULES] = TN_JSON_KEY("rules"),
	TN_TENANT_ANSWER_KEYS,
};
const size_t tn_tenant_n_qos_keys = TN_ARRAY_SIZE(tn_tenant_qos_keys);

enum rule_key { TYPE, DIRECTION, KBPS, BURST, KPPS, DSCP, N_RULE_KEYS };

static const struct tn_json_key rule_keys[N_RULE_KEYS] = {
	[TYPE] = TN_JSON_KEY("type"),
	[DIRECTION] = TN_JSON_KEY("direction"),
	[KBPS] = TN_JSON_KEY("max_kbps"),
	[BURST] = TN_JSON_KEY("max_burst_kbps"),
	[KPPS] = TN_JSON_KEY("max_kpps"),
	[DSCP] = TN_JSON_KEY("dscp_mark"),
};

enum rule_type { BANDWIDTH, PACKET_RATE, MARKING };

static const char *const type_words[] = {
	"bandwidth_limit", "packet_rate_limit", "dscp_marking", NULL};

#define BIT(key) (1u << (key))

static const struct {
	unsigned takes;
	enum rule_key needs;
} rules_of[] = {
	[BANDWIDTH] = {BIT(TYPE) | BIT(DIRECTION) | BIT(KBPS) | BIT(BURST), KBPS},
	[PACKET_RATE] = {BIT(TYPE) | BIT(DIRECTION) | BIT(KPPS), KPPS},
	[MARKING] = {BIT(TYPE) | BIT(DSCP), DSCP},
};

static void check_rule(struct tn_tenant_members *o, enum rule_type type)
{
	for (unsigned key = 0; key < N_RULE_KEYS; key++)
		if (o->m[key] && !(rules_of[type].takes & BIT(key)))
			o->ok = tn_json_error(o->r, o->m[key], TN_OF_OK,
				"\"%s\" means nothing to a rule of type \"%s\"; remove it",
				rule_keys[key].name, type_words[type]);
	if (!o->m[rules_of[type].needs])
		o->ok = tn_json_error(o->r, o->v, TN_OF_OK, "a rule of type \"%s\" needs \"%s\"",
			type_words[type], rule_keys[rules_of[type].needs].name);
}

static void twice(struct tn_tenant_members *o)
{
	o->ok = tn_json_error(o->r, o->v, TN_OF_OK,
		"the policy has such a rule already; one of a type and direction is all there can "
		"be");
}

static void read_limit(struct tn_tenant_members *o, enum rule_type type, struct tn_qos_policy *q)
{
	static const char *const directions[] = {"egress", "ingress", NULL};
	struct tn_rate_limit *limit =
		tn_tenant_read_word(o, DIRECTION, directions) == 1 ? &q->ingress : &q->egress;

	if (type == BANDWIDTH ? limit->max_kbps != 0 : limit->max_kpps != 0) {
		twice(o);
		return;
	}
	limit->there = true;
	if (type == BANDWIDTH) {
		tn_tenant_read_u32(o, KBPS, 1, KBPS_MAX, &limit->max_kbps);
		tn_tenant_read_u32(o, BURST, 0, BURST_MAX, &limit->max_burst_kbps);
	} else {
		tn_tenant_read_u32(o, KPPS, 1, KPPS_MAX, &limit->max_kpps);
	}
}

static void read_marking(struct tn_tenant_members *o, struct tn_qos_policy *q)
{
	uint32_t dscp = 0;

	if (q->dscp_mark >= 0) {
		twice(o);
		return;
	}
	tn_tenant_read_u32(o, DSCP, 0, DSCP_MAX, &dscp);
	q->dscp_mark = (int16_t)dscp;
}

static bool read_rule(struct tn_json_reader *r, tn_json_ref v, struct tn_qos_policy *q)
{
	tn_json_ref m[N_RULE_KEYS];
	struct tn_tenant_members o = {.r = r, .v = v, .what = "a rule of a QoS policy", .m = m};
	int type;

	if (v->type != TN_JSON_OBJECT)
		return tn_json_error(r, v, TN_OF_OK, "%s must be an object", o.what);
	o.ok = tn_json_members(r, v, o.what, rule_keys, N_RULE_KEYS, m);
	if (!m[TYPE])
		return tn_json_needed(r, v, o.what, "type") != NULL;
	type = tn_tenant_read_word(&o, TYPE, type_words);
	if (type < 0)
		return false;
	check_rule(&o, (enum rule_type)type);
	if (o.ok && type == MARKING)
		read_marking(&o, q);
	else if (o.ok)
		read_limit(&o, (enum rule_type)type, q);
	return o.ok;
}

void tn_tenant_read_qos_policy(struct tn_tenant_members *o, struct tn_qos_policy *q)
{
	tn_json_ref array, v;

	q->dscp_mark = -1;
	array = tn_tenant_read_array(o, RULES, RULES_MAX);
	if (!array)
		return;
	v = tn_json_first(array);
	for (uint32_t i = 0; i < array->n; i++, v = tn_json_next(o->r->tape, v))
		o->ok &= read_rule(o->r, v, q);
}

static void write_limit(json_t *rules, const struct tn_rate_limit *limit, const char *direction)
{
	json_t *j;

	if (limit->max_kbps) {
		j = json_pack("{s:s,s:s,s:I}", "type", type_words[BANDWIDTH], "direction",
			direction, "max_kbps", (json_int_t)limit->max_kbps);
		if (limit->max_burst_kbps)
			json_object_set_new(
				j, "max_burst_kbps", json_integer(limit->max_burst_kbps));
		json_array_append_new(rules, j);
	}
	if (limit->max_kpps)
		json_array_append_new(rules,
			json_pack("{s:s,s:s,s:I}", "type", type_words[PACKET_RATE], "direction",
				direction, "max_kpps", (json_int_t)limit->max_kpps));
}

void tn_tenant_write_qos_policy(json_t *j, const struct tn_qos_policy *q)
{
	json_t *rules = json_array();

	write_limit(rules, &q->egress, "egress");
	write_limit(rules, &q->ingress, "ingress");
	if (q->dscp_mark >= 0)
		json_array_append_new(rules,
			json_pack("{s:s,s:i}", "type", type_words[MARKING], "dscp_mark",
				(int)q->dscp_mark));
	json_object_set_new(j, "rules", rules);
}
