/* SPDX-License-Identifier: BSD-3-Clause */
/* Flow tables: every flow_mod, its filters, flags and errors; limits, eviction, vacancy. */
#include "dataplane/pipeline/switch.h"

#include "tests/unit/pipeline/switch_fixture.h"

static void test_add_and_read(void **state)
{
	struct fixture *f = *state;
	struct tn_flow_mod fm = flow_mod(TN_FLOW_ADD, 3, 100, 0x0a000000, 8);
	const struct tn_flow *flow;

	fm.cookie = 7;
	fm.owner = 9;
	fm.idle_timeout = 5;
	fm.importance = 4;
	fm.inst.goto_table = 4;
	fm.inst.metadata = 0xff;
	fm.inst.metadata_mask = 0x0f;
	assert_done(send_flow(f, &fm));
	assert_int_equal(tn_switch_flow_count(f->sw), 1);
	flow = find_flow(f, 3, 100, 0x0a000000, 8);
	assert_non_null(flow);
	assert_int_equal(flow->cookie, 7);
	assert_int_equal(flow->metadata, 0x0f);
	assert_int_equal(flow->goto_table, 4);
	assert_int_equal(flow->n_apply, 1);
	assert_int_equal(flow->apply[0].output.port, 1);
	assert_int_equal(flow->flow_id, tn_flow_id(DPID, 3, 100, &fm.match));
	assert_null(find_flow(f, 3, 101, 0x0a000000, 8));
	assert_null(find_flow(f, 3, 100, 0x0a000000, 9));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_add_and_read, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
