/* SPDX-License-Identifier: BSD-3-Clause */
/* The published pattern: the pipeline fits it, and what may stand beside it. */
#include "control/tenant/pattern.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "control/model/arena.h"
#include "control/model/ofctl.h"
#include "control/tenant/layout.h"
#include "tests/unit/tenant/lab.h"

static void check(const char *text, const char *want)
{
	struct tn_diagnostics diag;
	struct tn_error err = {0};
	struct tn_flow_mod fm;
	struct tn_arena arena;
	struct tn_ofctl o = {.arena = &arena, .diag = &diag};
	const struct tn_mod mod = {.kind = TN_MOD_FLOW, .flow = &fm};
	int rc;

	tn_arena_init(&arena);
	tn_diagnostics_init(&diag);
	assert_int_equal(tn_ofctl_parse_flow(&o, TN_OFCTL_ADD, text, strlen(text), &fm), 0);
	rc = tn_pattern_check(&mod, &err);
	if (want) {
		assert_int_not_equal(rc, 0);
		if (!strstr(err.detail, want))
			fail_msg("%s: %s", text, err.detail);
	} else if (rc) {
		fail_msg("%s: %s", text, err.detail);
	}
	tn_diagnostics_fini(&diag);
	tn_arena_fini(&arena);
}

static void test_flows_of_operators(void **state)
{
	(void)state;
	check("table=0,priority=50000,in_port=1 actions=drop", NULL);
	check("table=0,priority=9999 actions=output:2", NULL);
	check("table=40,priority=32768 actions=output:2", NULL);
	check("table=5,priority=60000 actions=set_field:1->reg8,goto_table:40", NULL);
	check("table=0,priority=32768 actions=drop",
		"priorities 10000 to 49999 of table 0 (ingress)");
	check("table=7,priority=10000 actions=drop", "come before it");
	check("table=8,priority=1 actions=drop", "table 8 is kept");
	check("table=31,priority=60000 actions=drop", "use one from 32 on");
	check("table=0,priority=1 actions=goto_table:9", "table 9 is kept");
	check("table=0,priority=1 actions=set_field:1->reg1,goto_table:1", "reg1 is the tenant");
	check("table=0,priority=1,cookie=0x7400000000000001 actions=drop", "cookies");
	check("table=0,priority=1 actions=group:1090519140", "group 0x41000064");
	check("table=0,priority=1 actions=meter:1073741828,output:2", "meter 0x40000004");
}

static void test_groups_and_meters(void **state)
{
	struct tn_group_mod gm = {.group_id = 7};
	struct tn_meter_mod mm = {.meter_id = 7};
	const struct tn_mod group = {.kind = TN_MOD_GROUP, .group = &gm};
	const struct tn_mod meter = {.kind = TN_MOD_METER, .meter = &mm};
	struct tn_error err;

	(void)state;
	assert_int_equal(tn_pattern_check(&group, &err), 0);
	assert_int_equal(tn_pattern_check(&meter, &err), 0);
	gm.group_id = TN_TENANT_GROUP_MIN;
	mm.meter_id = TN_TENANT_METER_MAX;
	assert_int_not_equal(tn_pattern_check(&group, &err), 0);
	assert_int_not_equal(tn_pattern_check(&meter, &err), 0);
	assert_int_not_equal(tn_pattern_check(&meter, NULL), 0);
}

/* A bit of everything. */
static void test_the_pipeline_fits(void **state)
{
	struct lab *lab = lab_new();
	struct lab_host *h = lab_host(lab, "h1", "198.51.100.1", "2001:db8:100::1");
	struct tn_compiled compiled;
	struct tn_qos_policy *q;
	struct tn_tenant_port *p;
	struct tn_router *r;

	(void)state;
	lab_network(lab, "n1", 100)->mtu = 1400;
	lab_network(lab, "n2", 200)->unknown_unicast = TN_UNKNOWN_FLOOD;
	lab_subnet(lab, "s1", "n1", "10.0.1.0/24", "10.0.1.254");
	lab_subnet(lab, "s16", "n1", "2001:db8:1::/64", "2001:db8:1::fe");
	lab_subnet(lab, "s2", "n2", "10.0.2.0/24", "10.0.2.254");
	r = lab_router(lab, "r", "s1 s16 s2");
	lab_route(lab, r, "192.0.2.0/24", "10.0.1.1");
	lab_route(lab, r, "192.0.2.0/24", "10.0.2.1");
	q = lab_qos(lab, "q");
	q->egress = q->ingress =
		(struct tn_rate_limit){.there = true, .max_kbps = 1000, .max_kpps = 1};
	q->dscp_mark = 10;
	lab_port(lab, "p1", "n1", 0x020000000001, "10.0.1.1 2001:db8:1::1", "h1")->qos_policy_id =
		"q";
	p = lab_port(lab, "p2", "n2", 0x020000000002, "10.0.2.1", "h1");
	p->port_security_enabled = false;
	p->mac_learning_enabled = true;
	lab_device(lab, "h1", "nic0", 5);
	lab_metal(lab, "m", "n2", 0x020000000003, "10.0.2.3", "h1", "nic0", 10);
	lab_metal(lab, "m2", "n2", 0x020000000004, "10.0.2.4", "h1", "nic0", 11);
	lab_remote(lab, "x", "n2", 0x020000000005, "10.0.2.5", "198.51.100.9");
	lab_apply(lab);
	tn_compiler_all(h->compiler, &compiled);
	assert_true(compiled.n_mods > 100);
	for (size_t i = 0; i < compiled.n_mods; i++) {
		if (!tn_pattern_fits(&compiled.mods[i]))
			fail_msg("mod %zu, table %u", i,
				compiled.mods[i].kind == TN_MOD_FLOW
					? compiled.mods[i].flow->table_id
					: 0u);
		/* Nobody else may add it. */
		assert_int_not_equal(tn_pattern_check(&compiled.mods[i], NULL), 0);
	}
	lab_free(lab);
}

static void test_document(void **state)
{
	json_t *o = tn_pattern_json();
	json_t *tables = json_object_get(o, "flow_tables");

	(void)state;
	assert_non_null(o);
	assert_int_equal(json_array_size(tables), TN_TENANT_N_TABLES);
	assert_string_equal(
		json_string_value(json_object_get(json_array_get(tables, 0), "name")), "ingress");
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(o, "table_map"), "output")), 7);
	json_decref(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_flows_of_operators),
		cmocka_unit_test(test_groups_and_meters),
		cmocka_unit_test(test_the_pipeline_fits),
		cmocka_unit_test(test_document),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
