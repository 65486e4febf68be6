/* SPDX-License-Identifier: BSD-3-Clause */
/* Meters in ovs-ofctl text, in and out. */
#include "control/model/ofctl.h"

#include <errno.h>
#include <string.h>

#include "control/model/ofctl_text.h"

struct reading {
	struct tn_ofctl_line line;
	struct tn_meter_mod *mm;
	bool has_id;
	uint64_t seen; /* keys of the band that is read */
	struct tn_band band[TN_METER_BANDS_MAX];
	bool has_burst[TN_METER_BANDS_MAX];
	const char *at[TN_METER_BANDS_MAX];
	uint16_t n;
};

static const struct {
	const char *word;
	uint32_t flag;
} flags[] = {
	{"kbps", TN_METER_KBPS},
	{"pktps", TN_METER_PKTPS},
	{"byteps", TN_METER_BYTEPS}, /* ours */
	{"burst", TN_METER_BURST},
	{"stats", TN_METER_STATS},
};

static int parse_id(struct reading *r, const struct tn_ofctl_item *item)
{
	struct tn_ofctl_span s = item->value;
	uint64_t v, seen = r->has_id;

	if (tn_ofctl_once(&r->line, item, 0, &seen))
		return -EINVAL;
	r->has_id = true;
	if (tn_ofctl_is(s, "controller") || tn_ofctl_is(s, "slowpath"))
		return tn_ofctl_complain(&r->line, s.p, TN_OFPMMFC_INVALID_METER,
			"meter %s is not supported by this switch; write a number of 1 to %u",
			tn_ofctl_show(s).s, TN_METER_MAX);
	if (tn_ofctl_is(s, "all")) {
		r->mm->meter_id = TN_METER_ALL;
		return 0;
	}
	if (tn_ofctl_number(&r->line, s, "meter", TN_OFPMMFC_INVALID_METER, 1, TN_METER_MAX, &v))
		return -EINVAL;
	r->mm->meter_id = (uint32_t)v;
	return 0;
}

static int parse_flag(struct reading *r, const struct tn_ofctl_item *item)
{
	struct tn_ofctl_near near;

	tn_ofctl_near_init(&near, item->key);
	for (size_t i = 0; i < TN_ARRAY_SIZE(flags); i++) {
		tn_ofctl_near_try(&near, flags[i].word);
		if (!tn_ofctl_is(item->key, flags[i].word))
			continue;
		if (r->mm->command == TN_METER_DELETE)
			return tn_ofctl_complain(&r->line, item->key.p, TN_OF_OK,
				"%s has no meaning where a meter is deleted; leave it out",
				flags[i].word);
		if (item->delimiter)
			return tn_ofctl_complain(&r->line, item->value.p, TN_OF_OK,
				"%s takes no value; write it alone", flags[i].word);
		r->mm->flags |= flags[i].flag;
		return 0;
	}
	tn_ofctl_near_try(&near, "meter");
	tn_ofctl_near_try(&near, "bands");
	return tn_ofctl_unknown(&r->line, item->key, "key", &near,
		"a meter has meter, kbps or pktps, burst, stats and bands");
}

static int start_band(struct reading *r, const struct tn_ofctl_item *item)
{
	bool drop = tn_ofctl_is(item->value, "drop");
	bool remark = tn_ofctl_is(item->value, "dscp_remark");
	struct tn_ofctl_near near;

	if (r->n == TN_METER_BANDS_MAX)
		return tn_ofctl_complain(&r->line, item->key.p, TN_OFPMMFC_OUT_OF_BANDS,
			"too many bands; a meter has at most %u", TN_METER_BANDS_MAX);
	/* A wrong type starts a band too, so that what belongs to it is not complained of. */
	r->seen = 0;
	r->at[r->n] = item->key.p;
	r->band[r->n++] = (struct tn_band){.type = drop ? TN_BAND_DROP : TN_BAND_DSCP_REMARK};
	if (drop || remark)
		return 0;
	tn_ofctl_near_init(&near, item->value);
	tn_ofctl_near_try(&near, "drop");
	tn_ofctl_near_try(&near, "dscp_remark");
	return tn_ofctl_unknown(
		&r->line, item->value, "band type", &near, "write drop or dscp_remark");
}

static int parse_prec_level(
	struct reading *r, const struct tn_ofctl_item *item, struct tn_band *band)
{
	uint64_t v;

	if (band->type != TN_BAND_DSCP_REMARK)
		return tn_ofctl_complain(&r->line, item->key.p, TN_OFPMMFC_BAD_BAND_VALUE,
			"only bands of type dscp_remark have a prec_level; leave it out");
	if (tn_ofctl_number(&r->line, item->value, "prec_level", TN_OFPMMFC_BAD_BAND_VALUE, 1,
		    UINT8_MAX, &v))
		return -EINVAL;
	band->prec_level = (uint8_t)v;
	return 0;
}

static int parse_burst_size(
	struct reading *r, const struct tn_ofctl_item *item, struct tn_band *band)
{
	uint64_t v;

	if (!(r->mm->flags & TN_METER_BURST))
		return tn_ofctl_complain(&r->line, item->key.p, TN_OFPMMFC_BAD_FLAGS,
			"burst_size is only looked at with the word burst; add it before bands, or "
			"leave burst_size out");
	if (tn_ofctl_number(
		    &r->line, item->value, "burst_size", TN_OFPMMFC_BAD_BURST, 0, UINT32_MAX, &v))
		return -EINVAL;
	band->burst = (uint32_t)v;
	r->has_burst[r->n - 1] = true;
	return 0;
}

static int parse_rate(struct reading *r, const struct tn_ofctl_item *item, struct tn_band *band)
{
	uint64_t v;

	if (tn_ofctl_number(&r->line, item->value, "rate", TN_OFPMMFC_BAD_RATE, 1, UINT32_MAX, &v))
		return -EINVAL;
	band->rate = (uint32_t)v;
	return 0;
}

static const struct band_key {
	const char *word;
	int (*parse)(struct reading *r, const struct tn_ofctl_item *item, struct tn_band *band);
} band_keys[] = {
	{"rate", parse_rate},
	{"burst_size", parse_burst_size},
	{"prec_level", parse_prec_level},
};

static int parse_band_item(struct reading *r, const struct tn_ofctl_item *item)
{
	struct tn_ofctl_near near;

	if (tn_ofctl_is(item->key, "type"))
		return start_band(r, item);
	if (r->n == 0)
		return tn_ofctl_complain(&r->line, item->key.p, TN_OFPMMFC_BAD_BAND,
			"a band starts with its type; write type=drop or type=dscp_remark first");
	tn_ofctl_near_init(&near, item->key);
	for (size_t i = 0; i < TN_ARRAY_SIZE(band_keys); i++) {
		tn_ofctl_near_try(&near, band_keys[i].word);
		if (!tn_ofctl_is(item->key, band_keys[i].word))
			continue;
		if (tn_ofctl_once(&r->line, item, (unsigned)i, &r->seen))
			return -EINVAL;
		return band_keys[i].parse(r, item, &r->band[r->n - 1]);
	}
	return tn_ofctl_unknown(&r->line, item->key, "key", &near,
		"a band has type, rate, burst_size and prec_level");
}

static int check_bands(struct reading *r)
{
	for (uint16_t i = 0; i < r->n; i++) {
		const struct tn_band *b = &r->band[i];

		if (b->rate == 0)
			return tn_ofctl_complain(&r->line, r->at[i], TN_OFPMMFC_BAD_RATE,
				"band has no rate; add rate=N");
		if (r->mm->flags & TN_METER_BURST && !r->has_burst[i])
			return tn_ofctl_complain(&r->line, r->at[i], TN_OFPMMFC_BAD_BURST,
				"band has no burst_size, which burst asks for; add it or leave "
				"burst out");
		if (b->type == TN_BAND_DSCP_REMARK && b->prec_level == 0)
			return tn_ofctl_complain(&r->line, r->at[i], TN_OFPMMFC_BAD_BAND_VALUE,
				"band of type dscp_remark has no prec_level; add prec_level=N");
	}
	return 0;
}

static int finish(struct reading *r)
{
	struct tn_meter_mod *mm = r->mm;
	struct tn_error err;

	if (!r->has_id)
		return tn_ofctl_complain(&r->line, r->line.text.p, TN_OFPMMFC_INVALID_METER,
			"meter has no number; add meter=N");
	if (mm->command == TN_METER_DELETE)
		return 0;
	if (mm->meter_id == TN_METER_ALL)
		return tn_ofctl_complain(&r->line, r->line.text.p, TN_OFPMMFC_INVALID_METER,
			"meter=all is for deleting; write the number of one meter");
	if (r->n == 0)
		return tn_ofctl_complain(&r->line, r->line.text.p, TN_OFPMMFC_BAD_BAND,
			"meter has no bands; add bands=type=drop,rate=N");
	if (check_bands(r))
		return -EINVAL;
	mm->bands = r->band;
	mm->n_bands = r->n;
	if (tn_meter_check(mm, &err))
		return tn_ofctl_complain(&r->line,
			err.index >= 0 && err.index < r->n ? r->at[err.index] : r->line.text.p,
			err.of, "%s", err.detail);
	mm->bands = tn_arena_dup(r->line.o->arena, r->band, r->n * sizeof(r->band[0]));
	return 0;
}

/* "bands=type=drop": what follows the '=' is an item again. */
static int enter_bands(
	struct reading *r, const struct tn_ofctl_item *item, struct tn_ofctl_span *rest)
{
	if (r->mm->command == TN_METER_DELETE)
		return tn_ofctl_complain(&r->line, item->key.p, TN_OF_OK,
			"bands have no meaning where a meter is deleted; leave them out");
	if (!item->delimiter || item->delimiter == '(')
		return tn_ofctl_complain(&r->line, item->key.p, TN_OF_OK,
			"bands are written bands=type=drop,rate=1000");
	rest->n += (size_t)(rest->p - item->value.p);
	rest->p = item->value.p;
	return 0;
}

static int read_meter(struct reading *r, struct tn_ofctl_span rest)
{
	bool in_bands = false;
	struct tn_ofctl_item item;
	int rc, bad = 0;

	while ((rc = tn_ofctl_next(&r->line, &rest, &item)) > 0) {
		if (in_bands) {
			bad |= parse_band_item(r, &item);
		} else if (tn_ofctl_is(item.key, "bands") || tn_ofctl_is(item.key, "band")) {
			if (enter_bands(r, &item, &rest))
				return -EINVAL;
			in_bands = true;
		} else if (tn_ofctl_is(item.key, "meter")) {
			bad |= parse_id(r, &item);
		} else {
			bad |= parse_flag(r, &item);
		}
	}
	return rc || bad ? -EINVAL : finish(r);
}

int tn_ofctl_parse_meter(struct tn_ofctl *o, enum tn_meter_command command, const char *text,
	size_t len, struct tn_meter_mod *mm)
{
	struct reading r = {.mm = mm};

	memset(mm, 0, sizeof(*mm));
	mm->command = command;
	if (tn_ofctl_line_init(&r.line, o, text, len))
		return -EINVAL;
	if (command == TN_METER_DELETE && tn_ofctl_is_blank(r.line.text)) {
		mm->meter_id = TN_METER_ALL;
		return 0;
	}
	return read_meter(&r, r.line.text);
}

char *tn_ofctl_print_meter(const struct tn_meter *meter)
{
	struct tn_ofctl_out out;

	tn_ofctl_out_init(&out, NULL);
	tn_ofctl_put(&out, "meter=%u", meter->meter_id);
	for (size_t i = 0; i < TN_ARRAY_SIZE(flags); i++)
		if (meter->flags & flags[i].flag)
			tn_ofctl_put(&out, ",%s", flags[i].word);
	tn_ofctl_put(&out, ",bands=");
	for (uint16_t i = 0; i < meter->n_bands; i++) {
		const struct tn_band *b = &meter->bands[i].config;

		tn_ofctl_put(&out, "%stype=%s,rate=%u", i ? " " : "",
			b->type == TN_BAND_DROP ? "drop" : "dscp_remark", b->rate);
		if (meter->flags & TN_METER_BURST)
			tn_ofctl_put(&out, ",burst_size=%u", b->burst);
		if (b->type == TN_BAND_DSCP_REMARK)
			tn_ofctl_put(&out, ",prec_level=%u", b->prec_level);
	}
	return tn_ofctl_finish(&out);
}
