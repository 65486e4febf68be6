/* SPDX-License-Identifier: BSD-3-Clause */
/* Ports of a switch: numbers, LIVE, status events, addresses behind a port that goes. */
#include "dataplane/pipeline/switch.h"

#include "tests/unit/pipeline/switch_fixture.h"

static int add(struct fixture *f, uint32_t number)
{
	struct tn_port_config_data port = {.number = number};

	return tn_switch_port_add(f->sw, &port, f->now, &f->err);
}

static int modify(struct fixture *f, uint32_t number, uint32_t config, uint32_t port_state)
{
	struct tn_port_config_data port = {.number = number, .config = config, .state = port_state};

	return tn_switch_port_modify(f->sw, &port, f->now, &f->err);
}

static const struct tn_port_config_data *find_port(const struct fixture *f, uint32_t number)
{
	return tn_snapshot_port(tn_switch_snapshot(f->sw), number);
}

static void see_port(void *ctx, const struct tn_port_config_data *port)
{
	snprintf((char *)ctx + strlen(ctx), 16, "%x ", port->number);
}

static void assert_ports(const struct fixture *f, const char *want)
{
	char have[128] = "";

	tn_switch_ports(f->sw, see_port, have);
	assert_string_equal(have, want);
}

static void test_add_and_remove(void **state)
{
	struct fixture *f = *state;

	assert_done(add(f, 7));
	assert_done(add(f, TN_PORT_LOCAL));
	assert_done(add(f, 1));
	assert_done(add(f, TN_PORT_MAX));
	assert_ports(f, "1 7 ffffff00 fffffffe ");
	assert_events(f,
		"port 7 reason=0 config=0 state=4\n"
		"port 4294967294 reason=0 config=0 state=4\n"
		"port 1 reason=0 config=0 state=4\n"
		"port 4294967040 reason=0 config=0 state=4\n");
	assert_non_null(find_port(f, 7));
	assert_null(find_port(f, 8));
	assert_done(tn_switch_port_remove(f->sw, 7, f->now, &f->err));
	assert_events(f, "port 7 reason=1 config=0 state=4\n");
	assert_null(find_port(f, 7));
	assert_ports(f, "1 ffffff00 fffffffe ");
}

static void test_errors(void **state)
{
	struct fixture *f = *state;
	struct tn_port_config_data port = {.number = 1, .type = TN_PORT_VXLAN};

	assert_refused(f, add(f, 0), OFPPMFC_BAD_PORT);
	assert_refused(f, add(f, TN_PORT_MAX + 1), OFPPMFC_BAD_PORT);
	assert_refused(f, add(f, TN_PORT_CONTROLLER), OFPPMFC_BAD_PORT);
	assert_refused(f, add(f, TN_PORT_ANY), OFPPMFC_BAD_PORT);
	assert_done(add(f, 1));
	assert_int_equal(add(f, 1), -EEXIST);
	assert_int_equal(modify(f, 2, 0, 0), -ENOENT);
	assert_int_equal(tn_switch_port_remove(f->sw, 2, f->now, &f->err), -ENOENT);
	assert_refused(f, modify(f, 1, 2, 0), OFPPMFC_BAD_CONFIG);
	assert_refused(f, modify(f, 1, 0, 8), OFPPMFC_BAD_CONFIG);
	assert_refused(f, tn_switch_port_modify(f->sw, &port, f->now, &f->err), OFPPMFC_BAD_CONFIG);
	assert_ports(f, "1 ");
}

static void test_live_is_derived(void **state)
{
	struct fixture *f = *state;

	assert_done(add(f, 1));
	clear_events(f);
	assert_done(modify(f, 1, TN_PORT_CONFIG_DOWN, TN_PORT_STATE_LIVE));
	assert_events(f, "port 1 reason=2 config=1 state=0\n");
	assert_done(modify(f, 1, 0, TN_PORT_STATE_LINK_DOWN));
	assert_events(f, "port 1 reason=2 config=0 state=1\n");
	assert_done(modify(f, 1, 0, TN_PORT_STATE_BLOCKED));
	assert_events(f, "port 1 reason=2 config=0 state=2\n");
	assert_done(modify(f, 1, TN_PORT_CONFIG_NO_FWD, 0));
	assert_events(f, "port 1 reason=2 config=20 state=4\n");
	/* Nothing new, nothing told. */
	assert_done(modify(f, 1, TN_PORT_CONFIG_NO_FWD, 0));
	assert_events(f, "");
}

static void test_addresses_go_with_the_port(void **state)
{
	struct fixture *f = *state;
	const struct tn_mac mac = {{2, 0, 0, 0, 0, 1}};

	assert_done(add(f, 1));
	tn_switch_learn(f->sw, &(struct tn_learnt){.mac = mac, .in_port = 1}, f->now);
	assert_int_equal(tn_switch_publish_addresses(f->sw), 1);
	assert_done(modify(f, 1, TN_PORT_CONFIG_NO_FWD, 0));
	assert_int_equal(tn_fdb_count(f->sw->fdb), 1);
	assert_int_equal(tn_switch_publish_addresses(f->sw), 0);
	assert_done(modify(f, 1, TN_PORT_CONFIG_DOWN, 0));
	assert_int_equal(tn_fdb_count(f->sw->fdb), 0);
	assert_int_equal(tn_switch_publish_addresses(f->sw), 1);
	tn_switch_learn(f->sw, &(struct tn_learnt){.mac = mac, .in_port = 1}, f->now);
	assert_done(tn_switch_port_remove(f->sw, 1, f->now, &f->err));
	assert_int_equal(tn_fdb_count(f->sw->fdb), 0);
}

static void test_flows_stay(void **state)
{
	struct fixture *f = *state;
	struct tn_flow_mod fm = flow_mod(TN_FLOW_ADD, 0, 1, 0, 0);
	const struct tn_snapshot *old;

	assert_done(add(f, 1));
	assert_done(send_flow(f, &fm));
	old = tn_switch_snapshot(f->sw);
	assert_done(tn_switch_port_remove(f->sw, 1, f->now, &f->err));
	assert_int_equal(tn_switch_flow_count(f->sw), 1);
	/* Who still holds the old snapshot still sees the port. */
	assert_non_null(tn_snapshot_port(old, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_add_and_remove, setup, teardown),
		cmocka_unit_test_setup_teardown(test_errors, setup, teardown),
		cmocka_unit_test_setup_teardown(test_live_is_derived, setup, teardown),
		cmocka_unit_test_setup_teardown(test_addresses_go_with_the_port, setup, teardown),
		cmocka_unit_test_setup_teardown(test_flows_stay, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
