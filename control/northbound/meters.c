/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>
#include <stdio.h>

#include "control/northbound/answer.h"
#include "control/northbound/body.h"
#include "control/northbound/handlers.h"
#include "control/northbound/list.h"
#include "control/northbound/service.h"

static const char missing[] = "no meter has this number";

void tn_meters_get(struct tn_call *c)
{
	tn_list_answer_owned(c, TN_KIND_METER, "meters");
}

void tn_meters_get_scope(struct tn_call *c)
{
	if (strcmp(c->params[1], "global") != 0)
		tn_answer_error(
			c, 404, "no meter has the scope \"%.40s\"; all are global", c->params[1]);
	else
		tn_meters_get(c);
}

static bool meter_of_path(struct tn_call *c, uint64_t *id)
{
	return tn_param_number(c, "a meter", c->params[1], TN_METER_MAX, id);
}

void tn_meter_get(struct tn_call *c)
{
	uint64_t id;

	if (meter_of_path(c, &id))
		tn_object_answer(c, TN_KIND_METER, id, "meters", true, missing);
}

/* Adding. */

static struct tn_meter_mod *read_one(struct tn_call *c)
{
	struct tn_meter_mod *mm = tn_arena_alloc(&c->arena, sizeof(*mm));
	struct tn_body b;
	bool ok = tn_body_read(c, &b) && tn_json_read_meter(&b.reader, b.tape.v, mm);

	if (!tn_body_end(c, &b, ok))
		return NULL;
	if (c->owner)
		mm->owner = c->owner;
	tn_call_operation(c, TN_OP_MOD, "")->mod =
		(struct tn_mod){.kind = TN_MOD_METER, .meter = mm};
	return mm;
}

static void meter_added(struct tn_call *c, const struct tn_outcome *o)
{
	const struct tn_result *r = &o->results[0];

	if (tn_answer_location(c, o, "meters"))
		return;
	tn_text_printf(&c->text, "{\"deviceId\":\"of:%016" PRIx64 "\",\"meterId\":\"%" PRIu64 "\"}",
		tn_engine_dpid(tn_call_engine(c)), r->id);
	tn_answer_text(c, tn_answer_status(c, o, r->created ? 201 : 200), TN_TYPE_JSON);
}

void tn_meters_post(struct tn_call *c)
{
	struct tn_meter_mod *mm;

	if (!tn_call_read_app(c))
		return;
	mm = read_one(c);
	if (!mm)
		return;
	if (!mm->meter_id)
		mm->meter_id = tn_service_pick_meter(c->service, c);
	tn_call_submit(c, meter_added);
}

void tn_meter_put(struct tn_call *c)
{
	uint64_t id, generation;
	struct tn_meter_mod *mm;

	if (!meter_of_path(c, &id) || !tn_call_read_app(c))
		return;
	generation = tn_object_generation(c, TN_KIND_METER, id);
	if (!tn_call_check_conditions(c, generation))
		return;
	mm = read_one(c);
	if (!mm)
		return;
	if (mm->meter_id && mm->meter_id != id) {
		tn_answer_error(c, 422, "the meter's number is %" PRIu32 "; the path has %" PRIu64,
			mm->meter_id, id);
		return;
	}
	mm->meter_id = (uint32_t)id;
	if (generation)
		mm->command = TN_METER_MODIFY;
	c->ops[0].if_generation = c->if_match ? generation : 0;
	tn_call_submit(c, meter_added);
}

/* Removing. */

void tn_meter_delete(struct tn_call *c)
{
	uint64_t id, generation;

	if (!meter_of_path(c, &id))
		return;
	generation = tn_object_generation(c, TN_KIND_METER, id);
	if (!tn_call_check_conditions(c, generation))
		return;
	tn_call_remove(c, TN_KIND_METER, id, generation);
	tn_call_submit(c, tn_answer_done);
}
