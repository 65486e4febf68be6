/* SPDX-License-Identifier: BSD-3-Clause */
/* Meters, both directions. */
#include "control/model/json_codec.h"

#include <stdio.h>
#include <string.h>

enum meter_key { UNIT, BURST, STATS, BANDS, SCOPE, INDEX, ID, DEVICE, APP };

/* After APP: what only answers carry. */
static const struct tn_json_key meter_keys[] = {
	[UNIT] = TN_JSON_KEY("unit"),
	[BURST] = TN_JSON_KEY("burst"),
	[STATS] = TN_JSON_KEY("stats"),
	[BANDS] = TN_JSON_KEY("bands"),
	[SCOPE] = TN_JSON_KEY("scope"),
	[INDEX] = TN_JSON_KEY("index"),
	[ID] = TN_JSON_KEY("id"),
	[DEVICE] = TN_JSON_KEY("deviceId"),
	[APP] = TN_JSON_KEY("appId"),
	TN_JSON_KEY("state"),
	TN_JSON_KEY("failure"),
	TN_JSON_KEY("failureName"),
	TN_JSON_KEY("generation"),
	TN_JSON_KEY("life"),
	TN_JSON_KEY("packets"),
	TN_JSON_KEY("bytes"),
	TN_JSON_KEY("referenceCount"),
};

enum band_key { B_TYPE, B_RATE, B_BURST, B_PREC };

static const struct tn_json_key band_keys[] = {
	[B_TYPE] = TN_JSON_KEY("type"),
	[B_RATE] = TN_JSON_KEY("rate"),
	[B_BURST] = TN_JSON_KEY("burstSize"),
	[B_PREC] = TN_JSON_KEY("prec"),
	TN_JSON_KEY("packets"),
	TN_JSON_KEY("bytes"),
};

static const struct {
	const char *name;
	uint32_t flag;
} units[] = {
	{"KB_PER_SEC", TN_METER_KBPS},
	{"PKTS_PER_SEC", TN_METER_PKTPS},
	{"BYTES_PER_SEC", TN_METER_BYTEPS},
};

/* Reading. */

static bool read_unit(struct tn_json_reader *r, tn_json_ref v, uint32_t *flags)
{
	char found[96];
	size_t i;

	for (i = 0; i < TN_ARRAY_SIZE(units); i++)
		if (v->type == TN_JSON_STRING && tn_json_string_is(v->string, units[i].name)) {
			*flags |= units[i].flag;
			return true;
		}
	return tn_json_error(r, v, TN_OFPMMFC_BAD_FLAGS,
		"\"unit\" is %s; give KB_PER_SEC (kilobit), PKTS_PER_SEC or BYTES_PER_SEC",
		tn_json_describe(v, found, sizeof(found)));
}

static bool read_flag(struct tn_json_reader *r, tn_json_ref v, uint32_t flag, uint32_t *flags)
{
	bool set;

	if (!v)
		return true;
	if (!tn_json_bool(r, v, &set))
		return false;
	*flags |= set ? flag : 0;
	return true;
}

/* "index" and "id" are the wanted number; 0: none is wanted. */
static bool read_meter_id(struct tn_json_reader *r, const tn_json_ref *m, uint32_t *id)
{
	uint64_t a = 0, b = 0;

	if (m[INDEX] &&
		!tn_json_unsigned(r, m[INDEX], 1, TN_METER_MAX, TN_OFPMMFC_INVALID_METER, &a))
		return false;
	if (m[ID] && !tn_json_unsigned(r, m[ID], 1, TN_METER_MAX, TN_OFPMMFC_INVALID_METER, &b))
		return false;
	if (a && b && a != b)
		return tn_json_error(r, m[ID], TN_OFPMMFC_INVALID_METER,
			"\"index\" is another number; give one of the two alone");
	*id = (uint32_t)(a ? a : b);
	return true;
}

static bool read_scope(struct tn_json_reader *r, tn_json_ref v)
{
	if (!v || (v->type == TN_JSON_STRING && tn_json_string_is(v->string, "global")))
		return true;
	return tn_json_error(
		r, v, TN_OFPMMFC_INVALID_METER, "the only \"scope\" of this switch is \"global\"");
}

static bool read_band_type(struct tn_json_reader *r, tn_json_ref v, enum tn_band_type *type)
{
	char found[96];

	if (v->type == TN_JSON_STRING) {
		if (tn_json_string_is(v->string, "DROP")) {
			*type = TN_BAND_DROP;
			return true;
		}
		if (tn_json_string_is(v->string, "REMARK")) {
			*type = TN_BAND_DSCP_REMARK;
			return true;
		}
		if (tn_json_string_is(v->string, "NONE") ||
			tn_json_string_is(v->string, "MARK_YELLOW") ||
			tn_json_string_is(v->string, "MARK_RED"))
			return tn_json_error(r, v, TN_OFPMMFC_BAD_BAND,
				"bands of type %s are not supported; give DROP or REMARK",
				tn_json_describe(v, found, sizeof(found)));
	}
	return tn_json_error(r, v, TN_OFPMMFC_BAD_BAND, "\"type\" is %s; give DROP or REMARK",
		tn_json_describe(v, found, sizeof(found)));
}

/* Member that a band must have, as integer of 32 bits. */
static bool read_band_number(struct tn_json_reader *r, tn_json_ref band, tn_json_ref v,
	const char *key, enum tn_of_error of, uint32_t *out)
{
	uint64_t u;

	if (!v)
		return tn_json_needed(r, band, "a band", key) != NULL;
	if (!tn_json_unsigned(r, v, 0, UINT32_MAX, of, &u))
		return false;
	*out = (uint32_t)u;
	return true;
}

static bool read_prec(struct tn_json_reader *r, tn_json_ref band, tn_json_ref v, struct tn_band *b)
{
	uint64_t prec;

	if (b->type != TN_BAND_DSCP_REMARK)
		return !v ||
			tn_json_error(r, v, TN_OFPMMFC_BAD_BAND_VALUE,
				"\"prec\" belongs to REMARK bands; remove it");
	if (!v)
		return tn_json_needed(r, band, "a REMARK band", "prec") != NULL;
	if (!tn_json_unsigned(r, v, 1, UINT8_MAX, TN_OFPMMFC_BAD_BAND_VALUE, &prec))
		return false;
	b->prec_level = (uint8_t)prec;
	return true;
}

static bool read_band(struct tn_json_reader *r, tn_json_ref v, struct tn_band *b)
{
	tn_json_ref m[TN_ARRAY_SIZE(band_keys)];
	bool ok;

	if (v->type != TN_JSON_OBJECT)
		return tn_json_error(r, v, TN_OF_OK, "a band must be an object");
	ok = tn_json_members(r, v, "a band", band_keys, TN_ARRAY_SIZE(band_keys), m);
	ok &= read_band_number(r, v, m[B_RATE], "rate", TN_OFPMMFC_BAD_RATE, &b->rate);
	ok &= read_band_number(r, v, m[B_BURST], "burstSize", TN_OFPMMFC_BAD_BURST, &b->burst);
	if (!m[B_TYPE])
		return tn_json_needed(r, v, "a band", "type") != NULL;
	return read_band_type(r, m[B_TYPE], &b->type) && read_prec(r, v, m[B_PREC], b) && ok;
}

/* The band's own rules. */
static bool check_band(struct tn_json_reader *r, tn_json_ref v, const struct tn_band *b)
{
	struct tn_meter_mod one = {.command = TN_METER_ADD,
		.meter_id = 1,
		.flags = TN_METER_KBPS,
		.bands = b,
		.n_bands = 1};
	struct tn_error err;

	return !tn_meter_check(&one, &err) || tn_json_error(r, v, err.of, "%s", err.detail);
}

static bool read_bands(struct tn_json_reader *r, tn_json_ref array, struct tn_meter_mod *mm)
{
	tn_json_ref v = tn_json_first(array);
	struct tn_band *list;
	bool ok = true;
	uint32_t i;

	if (!tn_json_is_array(r, array, "an array of bands"))
		return false;
	if (array->n > TN_METER_BANDS_MAX)
		return tn_json_error(r, array, TN_OFPMMFC_OUT_OF_BANDS,
			"%u bands in one meter; give at most %u", array->n, TN_METER_BANDS_MAX);
	list = tn_arena_alloc(r->codec->arena, array->n * sizeof(*list));
	for (i = 0; i < array->n; i++, v = tn_json_next(r->tape, v))
		ok &= read_band(r, v, &list[i]) && check_band(r, v, &list[i]);
	mm->bands = list;
	mm->n_bands = (uint16_t)array->n;
	return ok;
}

/* What is left to say of the meter as a whole. */
static bool check_meter(struct tn_json_reader *r, tn_json_ref v, const struct tn_meter_mod *mm)
{
	struct tn_meter_mod copy = *mm;
	struct tn_error err;

	if (copy.meter_id == 0)
		copy.meter_id = 1;
	return !tn_meter_check(&copy, &err) || tn_json_error(r, v, err.of, "%s", err.detail);
}

bool tn_json_read_meter(struct tn_json_reader *r, tn_json_ref v, struct tn_meter_mod *mm)
{
	tn_json_ref m[TN_ARRAY_SIZE(meter_keys)];
	bool ok;

	*mm = (struct tn_meter_mod){.command = TN_METER_ADD};
	if (v->type != TN_JSON_OBJECT)
		return tn_json_error(r, v, TN_OF_OK, "a meter must be an object");
	ok = tn_json_members(r, v, "a meter", meter_keys, TN_ARRAY_SIZE(meter_keys), m);
	ok &= m[UNIT] ? read_unit(r, m[UNIT], &mm->flags)
		      : tn_json_needed(r, v, "a meter", "unit") != NULL;
	ok &= read_flag(r, m[BURST], TN_METER_BURST, &mm->flags);
	ok &= read_flag(r, m[STATS], TN_METER_STATS, &mm->flags);
	ok &= read_meter_id(r, m, &mm->meter_id);
	ok &= read_scope(r, m[SCOPE]);
	ok &= tn_json_read_device(r, v);
	ok &= tn_json_read_app(r, v, &mm->owner);
	ok &= m[BANDS] ? read_bands(r, m[BANDS], mm)
		       : tn_json_needed(r, v, "a meter", "bands") != NULL;
	return ok && check_meter(r, v, mm);
}

/* Writing. */

static json_t *write_band(const struct tn_codec *c, const struct tn_meter_band *band)
{
	json_t *o = json_object();
	bool remark = band->config.type == TN_BAND_DSCP_REMARK;

	json_object_set_new(o, "type", json_string(remark ? "REMARK" : "DROP"));
	json_object_set_new(o, "rate", json_integer(band->config.rate));
	if (c->with_stats) {
		json_object_set_new(o, "packets", tn_json_from_u64(band->counter.packets));
		json_object_set_new(o, "bytes", tn_json_from_u64(band->counter.bytes));
	}
	json_object_set_new(o, "burstSize", json_integer(band->config.burst));
	if (remark)
		json_object_set_new(o, "prec", json_integer(band->config.prec_level));
	return o;
}

json_t *tn_meter_to_json(
	const struct tn_codec *c, const struct tn_meter *meter, uint32_t reference_count)
{
	json_t *o = json_object(), *bands = json_array();
	char id[16];
	size_t i;

	snprintf(id, sizeof(id), "%u", meter->meter_id);
	json_object_set_new(o, "id", json_string(id));
	if (c->with_stats) {
		tn_json_write_stats(o, c, meter->created_ns, &meter->counter);
		json_object_set_new(o, "referenceCount", json_integer(reference_count));
	}
	for (i = 0; i < TN_ARRAY_SIZE(units); i++)
		if (meter->flags & units[i].flag)
			json_object_set_new(o, "unit", json_string(units[i].name));
	json_object_set_new(o, "burst", json_boolean(meter->flags & TN_METER_BURST));
	if (meter->flags & TN_METER_STATS)
		json_object_set_new(o, "stats", json_true());
	json_object_set_new(o, "deviceId", tn_json_from_dpid(c->dpid));
	json_object_set_new(o, "appId", tn_json_write_app(c, meter->owner));
	if (c->with_stats)
		json_object_set_new(o, "state", json_string("ADDED"));
	for (i = 0; i < meter->n_bands; i++)
		json_array_append_new(bands, write_band(c, &meter->bands[i]));
	json_object_set_new(o, "bands", bands);
	return o;
}
