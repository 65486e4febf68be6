/* SPDX-License-Identifier: BSD-3-Clause */
/* In both directions: actions by what is known in networks, and what is said in them unasked. */
#include "control/model/json_codec.h"

#define KEYS(...) ((const char *const[]){"type", __VA_ARGS__, NULL})

bool tn_json_read_learn(struct tn_json_reader *r, tn_json_ref v, struct tn_action *a)
{
	bool ok = tn_json_only(r, v, "instruction LEARN", KEYS("limit"));
	tn_json_ref m = tn_json_member(r, v, "limit");
	uint64_t n = 0;

	if (m && !tn_json_unsigned(r, m, 0, UINT32_MAX, TN_OFPBAC_BAD_ARGUMENT, &n))
		return false;
	a->limit = (uint32_t)n;
	return ok;
}

bool tn_json_read_fdb(struct tn_json_reader *r, tn_json_ref v, struct tn_action *a)
{
	bool ok = tn_json_only(r, v, "instruction FDB", KEYS("local"));
	tn_json_ref m = tn_json_member(r, v, "local");

	return (!m || tn_json_bool(r, m, &a->known.local)) && ok;
}

bool tn_json_read_mcast(struct tn_json_reader *r, tn_json_ref v, struct tn_action *a)
{
	bool ok = tn_json_only(r, v, "instruction MCAST", KEYS("local", "routers"));
	tn_json_ref local = tn_json_member(r, v, "local");
	tn_json_ref routers = tn_json_member(r, v, "routers");

	ok &= !local || tn_json_bool(r, local, &a->known.local);
	ok &= !routers || tn_json_bool(r, routers, &a->known.routers);
	return ok;
}

/* An integer that must be there. */
static bool read_number(struct tn_json_reader *r, tn_json_ref v, const char *what, const char *key,
	uint64_t max, uint64_t *n)
{
	tn_json_ref m = tn_json_needed(r, v, what, key);

	return m && tn_json_unsigned(r, m, 0, max, TN_OFPBAC_BAD_ARGUMENT, n);
}

static bool read_register(struct tn_json_reader *r, tn_json_ref v, const char *what, uint8_t *field)
{
	tn_json_ref m = tn_json_needed(r, v, what, "field");
	char found[96];

	if (!m)
		return false;
	for (uint8_t i = TN_FIELD_REG0; i <= TN_FIELD_REG15; i++) {
		if (m->type == TN_JSON_STRING && tn_json_string_is(m->string, tn_fields[i].name)) {
			*field = i;
			return true;
		}
	}
	return tn_json_error(r, m, TN_OFPBAC_BAD_ARGUMENT, "\"field\" is %s; give reg0 to reg15",
		tn_json_describe(m, found, sizeof(found)));
}

bool tn_json_read_circuit(struct tn_json_reader *r, tn_json_ref v, struct tn_action *a)
{
	static const char what[] = "instruction CIRCUIT";
	bool ok = tn_json_only(r, v, what, KEYS("number", "field", "tableId"));
	tn_json_ref table = tn_json_needed(r, v, what, "tableId");
	uint64_t n = 0;

	ok &= read_number(r, v, what, "number", UINT32_MAX, &n);
	ok &= read_register(r, v, what, &a->field);
	a->circuit.number = (uint32_t)n;
	return table && tn_json_table(r, table, TN_OFPBAC_BAD_ARGUMENT, &a->circuit.table) && ok;
}

bool tn_json_read_advertise(struct tn_json_reader *r, tn_json_ref v, struct tn_action *a)
{
	static const char what[] = "instruction ADVERTISE";
	bool ok = tn_json_only(r, v, what, KEYS("least", "most"));
	uint64_t least = 0, most = 0;

	ok &= read_number(r, v, what, "least", UINT16_MAX, &least);
	ok &= read_number(r, v, what, "most", UINT16_MAX, &most);
	a->advertise.least = (uint16_t)least;
	a->advertise.most = (uint16_t)most;
	return ok;
}

static json_t *write_known(const char *type, const struct tn_action *a)
{
	json_t *o = json_pack("{s:s}", "type", type);

	if (a->known.local)
		json_object_set_new(o, "local", json_true());
	if (a->known.routers)
		json_object_set_new(o, "routers", json_true());
	return o;
}

static json_t *write_learn(const struct tn_action *a)
{
	json_t *o = json_pack("{s:s}", "type", "LEARN");

	if (a->limit)
		json_object_set_new(o, "limit", json_integer(a->limit));
	return o;
}

json_t *tn_json_write_network_action(const struct tn_action *a)
{
	switch (a->type) {
	case TN_ACTION_LEARN:
		return write_learn(a);
	case TN_ACTION_FDB:
		return write_known("FDB", a);
	case TN_ACTION_MCAST:
		return write_known("MCAST", a);
	case TN_ACTION_CIRCUIT:
		return json_pack("{s:s,s:I,s:s,s:i}", "type", "CIRCUIT", "number",
			(json_int_t)a->circuit.number, "field", tn_fields[a->field].name, "tableId",
			(int)a->circuit.table);
	default:
		return json_pack("{s:s,s:i,s:i}", "type", "ADVERTISE", "least",
			(int)a->advertise.least, "most", (int)a->advertise.most);
	}
}
