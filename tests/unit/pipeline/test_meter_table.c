/* SPDX-License-Identifier: BSD-3-Clause */
/* Meters of a switch: commands, errors, what happens to the flows that use one. */
#include "dataplane/pipeline/switch.h"

#include "tests/unit/pipeline/switch_fixture.h"

static struct tn_meter *find_meter(const struct fixture *f, uint32_t id)
{
	return tn_snapshot_meter(tn_switch_snapshot(f->sw), id);
}

static int send(struct fixture *f, enum tn_meter_command command, uint32_t id)
{
	struct tn_meter_mod mm = meter_mod(command, id);

	return send_meter(f, &mm);
}

static void add_metered(struct fixture *f, uint64_t cookie, uint32_t meter_id)
{
	struct tn_flow_mod fm = flow_mod(TN_FLOW_ADD, 0, (uint16_t)cookie, 0, 0);

	fm.cookie = cookie;
	fm.flags = TN_FLOW_SEND_FLOW_REM;
	fm.inst.meter_id = meter_id;
	assert_done(send_flow(f, &fm));
}

static void see_meter(void *ctx, const struct tn_meter *m, uint32_t reference_count)
{
	snprintf((char *)ctx + strlen(ctx), 32, "%u:%u ", m->meter_id, reference_count);
}

static void assert_meters(const struct fixture *f, const char *want)
{
	char have[128] = "";

	assert_int_equal(tn_switch_meters(f->sw, see_meter, have), 0);
	assert_string_equal(have, want);
}

static void test_commands(void **state)
{
	struct fixture *f = *state;

	assert_done(send(f, TN_METER_ADD, 5));
	assert_refused(f, send(f, TN_METER_ADD, 5), OFPMMFC_METER_EXISTS);
	assert_done(send(f, TN_METER_ADD, 2));
	assert_refused(f, send(f, TN_METER_MODIFY, 3), OFPMMFC_UNKNOWN_METER);
	assert_refused(f, send(f, (enum tn_meter_command)3, 3), OFPMMFC_BAD_COMMAND);
	assert_refused(f, send(f, TN_METER_ADD, 0), OFPMMFC_INVALID_METER);
	assert_refused(f, send(f, TN_METER_ADD, TN_METER_CONTROLLER), OFPMMFC_INVALID_METER);
	assert_meters(f, "2:0 5:0 ");
	assert_done(send(f, TN_METER_DELETE, 77));
	assert_done(send(f, TN_METER_DELETE, 5));
	assert_meters(f, "2:0 ");
	assert_null(find_meter(f, 5));
}

static void test_modify(void **state)
{
	struct fixture *f = *state;
	const struct tn_band band = {.type = TN_BAND_DROP, .rate = 777};
	struct tn_meter_mod mm = meter_mod(TN_METER_MODIFY, 5);

	assert_done(send(f, TN_METER_ADD, 5));
	add_metered(f, 1, 5);
	find_meter(f, 5)->counter.packets = 9;
	f->now += SECOND;
	mm.bands = &band;
	assert_done(send_meter(f, &mm));
	assert_int_equal(find_meter(f, 5)->bands[0].config.rate, 777);
	assert_int_equal(find_meter(f, 5)->counter.packets, 9);
	assert_int_equal(find_meter(f, 5)->created_ns, f->now - SECOND);
	assert_meters(f, "5:1 ");
	mm.flags = TN_METER_KBPS | TN_METER_PKTPS;
	assert_refused(f, send_meter(f, &mm), OFPMMFC_BAD_FLAGS);
}

/* Twice in one bundle: the counter goes all the way through. */
static void test_modify_twice(void **state)
{
	struct fixture *f = *state;
	struct tn_meter_mod mm = meter_mod(TN_METER_MODIFY, 5);
	struct tn_mod mods[2] = {
		{.kind = TN_MOD_METER, .meter = &mm}, {.kind = TN_MOD_METER, .meter = &mm}};

	assert_done(send(f, TN_METER_ADD, 5));
	find_meter(f, 5)->counter.packets = 9;
	assert_done(send_mods(f, mods, 2));
	assert_int_equal(find_meter(f, 5)->counter.packets, 9);
}

static void test_delete_takes_flows_along(void **state)
{
	struct fixture *f = *state;

	assert_done(send(f, TN_METER_ADD, 5));
	assert_done(send(f, TN_METER_ADD, 6));
	add_metered(f, 1, 5);
	add_metered(f, 2, 5);
	add_metered(f, 3, 6);
	assert_meters(f, "5:2 6:1 ");
	assert_done(send(f, TN_METER_DELETE, 5));
	assert_events(f,
		"removed cookie=2 reason=4 at=1000000000\n"
		"removed cookie=1 reason=4 at=1000000000\n");
	assert_meters(f, "6:1 ");
	assert_done(send(f, TN_METER_DELETE, TN_METER_ALL));
	assert_events(f, "removed cookie=3 reason=4 at=1000000000\n");
	assert_int_equal(tn_switch_flow_count(f->sw), 0);
	assert_meters(f, "");
}

static void test_out_of_meters(void **state)
{
	struct fixture *f = *state;
	uint32_t n = f->sw->n_meters;

	f->sw->n_meters = TN_SW_METERS_MAX;
	assert_refused(f, send(f, TN_METER_ADD, 1), OFPMMFC_OUT_OF_METERS);
	f->sw->n_meters = n;
}

/* A group and a meter of one number are two things to one flow. */
static void test_same_number_as_a_group(void **state)
{
	struct fixture *f = *state;
	struct tn_flow_mod fm = flow_mod(TN_FLOW_ADD, 0, 1, 0, 0);
	struct tn_action list[2] = {to_group(5), to_group(5)};

	assert_done(send(f, TN_METER_ADD, 5));
	assert_done(add_group_to(f, 5, &output_1));
	fm.inst.apply = list;
	fm.inst.n_apply = 2;
	fm.inst.meter_id = 5;
	assert_done(send_flow(f, &fm));
	assert_meters(f, "5:1 ");
	assert_done(send(f, TN_METER_DELETE, 5));
	assert_int_equal(tn_switch_flow_count(f->sw), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_commands, setup, teardown),
		cmocka_unit_test_setup_teardown(test_modify, setup, teardown),
		cmocka_unit_test_setup_teardown(test_modify_twice, setup, teardown),
		cmocka_unit_test_setup_teardown(test_delete_takes_flows_along, setup, teardown),
		cmocka_unit_test_setup_teardown(test_out_of_meters, setup, teardown),
		cmocka_unit_test_setup_teardown(test_same_number_as_a_group, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
