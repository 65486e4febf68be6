/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whole results, as text of ovs-ofctl: golden/NAME.txt. TENANT_GOLDEN_UPDATE=1 writes them anew,
 * for the commit that explains the difference. What is compiled is also read back from its JSON and
 * its text, as clients of the northbound do.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "control/model/flow_json.h"
#include "control/model/ofctl.h"
#include "control/model/operation.h"
#include "tests/unit/tenant/lab.h"

static char *read_file(const char *path)
{
	FILE *f = fopen(path, "r");
	size_t n, size = 1 << 20;
	char *text = calloc(1, size);

	assert_non_null(text);
	if (!f)
		return text;
	n = fread(text, 1, size - 1, f);
	assert_true(n < size - 1);
	fclose(f);
	return text;
}

static void print_difference(const char *what, const char *in, const char *from)
{
	char line[4096];

	for (size_t n; *from; from += n) {
		n = strcspn(from, "\n");
		n += from[n] == '\n';
		snprintf(line, sizeof(line), "%.*s", (int)n, from);
		if (!strstr(in, line))
			print_message("%s%s", what, line);
	}
}

static void compare(struct lab *lab, const char *host, const char *name)
{
	char path[512], *is = lab_text(lab_find_host(lab, host)), *want;

	snprintf(path, sizeof(path), "%s/%s.txt", TN_TENANT_GOLDEN, name);
	if (getenv("TENANT_GOLDEN_UPDATE")) {
		FILE *f = fopen(path, "w");

		assert_non_null(f);
		fputs(is, f);
		fclose(f);
	}
	want = read_file(path);
	if (strcmp(want, is) != 0) {
		print_difference("- ", is, want);
		print_difference("+ ", want, is);
		fail_msg("%s", name);
	}
	free(want);
	free(is);
}

static void read_back_text(const struct tn_flow_info *info)
{
	char *text = tn_ofctl_print_flow(info, NULL, false, 0), *again;
	struct tn_diagnostics diag;
	struct tn_flow_info back;
	struct tn_flow_mod fm;
	struct tn_arena arena;
	struct tn_ofctl o = {.arena = &arena, .diag = &diag};

	tn_arena_init(&arena);
	tn_diagnostics_init(&diag);
	if (tn_ofctl_parse_flow(&o, TN_OFCTL_ADD, text, strlen(text), &fm))
		fail_msg("%s: %s", text, diag.list[0].detail);
	tn_flow_mod_to_info(1, &fm, &back);
	again = tn_ofctl_print_flow(&back, NULL, false, 0);
	assert_string_equal(text, again);
	free(text);
	free(again);
	tn_diagnostics_fini(&diag);
	tn_arena_fini(&arena);
}

static void read_back_json(const struct tn_flow_info *info)
{
	struct tn_diagnostics diag;
	struct tn_flow_mod fm;
	struct tn_arena arena;
	struct tn_codec c = {.dpid = 1, .arena = &arena, .diag = &diag, .names = tn_names_new()};
	json_t *j = tn_flow_to_json(&c, info);

	tn_arena_init(&arena);
	tn_diagnostics_init(&diag);
	if (tn_flow_from_json(&c, "", j, &fm)) {
		char *text = json_dumps(j, 0);

		fail_msg("%s: %s", text, diag.list[0].detail);
	}
	assert_true(tn_match_equal(&fm.match, &info->match));
	assert_true(tn_actions_equal(
		fm.inst.apply, fm.inst.n_apply, info->inst.apply, info->inst.n_apply));
	json_decref(j);
	tn_diagnostics_fini(&diag);
	tn_arena_fini(&arena);
	tn_names_free(c.names);
}

static void read_back(struct lab *lab, const char *host)
{
	struct tn_compiled compiled;
	struct tn_flow_info info;

	tn_compiler_all(lab_find_host(lab, host)->compiler, &compiled);
	for (size_t i = 0; i < compiled.n_mods; i++) {
		if (compiled.mods[i].kind != TN_MOD_FLOW)
			continue;
		tn_flow_mod_to_info(1, compiled.mods[i].flow, &info);
		read_back_text(&info);
		read_back_json(&info);
	}
}

static struct lab *two_hosts(void)
{
	struct lab *lab = lab_new();

	lab_host(lab, "h1", "198.51.100.1", "2001:db8:100::1");
	lab_host(lab, "h2", "198.51.100.2", NULL);
	return lab;
}

static void test_one_network(void **state)
{
	struct lab *lab = two_hosts();

	(void)state;
	lab_network(lab, "net-a", 5001);
	lab_subnet(lab, "sub-a", "net-a", "10.0.0.0/24", "10.0.0.254");
	lab_port(lab, "vm-1", "net-a", 0x020000000001, "10.0.0.1", "h1");
	lab_port(lab, "vm-2", "net-a", 0x020000000002, "10.0.0.2", "h2");
	lab_apply(lab);
	compare(lab, "h1", "one-network");
	read_back(lab, "h1");
	lab_free(lab);
}

static void test_routed(void **state)
{
	struct lab *lab = two_hosts();
	struct tn_router *r;

	(void)state;
	lab_network(lab, "net-a", 5001);
	lab_subnet(lab, "sub-a", "net-a", "10.0.1.0/24", "10.0.1.254");
	lab_subnet(lab, "sub-a6", "net-a", "2001:db8:a::/64", "2001:db8:a::fe");
	lab_network(lab, "net-b", 5002)->mtu = 1400;
	lab_subnet(lab, "sub-b", "net-b", "10.0.2.0/24", "10.0.2.254");
	r = lab_router(lab, "r", "sub-a sub-a6 sub-b");
	lab_route(lab, r, "0.0.0.0/0", "10.0.2.2");
	lab_route(lab, r, "192.0.2.0/24", "10.0.2.2");
	lab_route(lab, r, "192.0.2.0/24", "10.0.1.1");
	lab_port(lab, "vm-1", "net-a", 0x020000000001, "10.0.1.1 2001:db8:a::1", "h1");
	lab_port(lab, "vm-2", "net-b", 0x020000000002, "10.0.2.2", "h2");
	lab_apply(lab);
	compare(lab, "h1", "routed");
	read_back(lab, "h1");
	lab_free(lab);
}

static void test_edge(void **state)
{
	struct lab *lab = two_hosts();
	struct tn_tenant_port *p;
	struct tn_qos_policy *q;

	(void)state;
	lab_device(lab, "h1", "nic0", 5);
	lab_network(lab, "net-a", 5001)->unknown_unicast = TN_UNKNOWN_FLOOD;
	lab_network(lab, "net-b", 5002);
	q = lab_qos(lab, "slow");
	q->egress = (struct tn_rate_limit){.there = true, .max_kbps = 10000, .max_kpps = 5};
	q->ingress = (struct tn_rate_limit){.there = true, .max_kbps = 20000};
	q->dscp_mark = 10;
	p = lab_port(lab, "container", "net-a", 0x020000000001, "", "h1");
	p->binding.kind = TN_BINDING_CONTAINER;
	p->binding.device = "veth1";
	p->qos_policy_id = "slow";
	p = lab_port(lab, "kernel", "net-a", 0x020000000007, "", "h1");
	p->binding.kind = TN_BINDING_CONTAINER;
	p->binding.device = "veth2";
	p->binding.datapath = "ebpf";
	lab_metal(lab, "trunk-10", "net-a", 0x020000000002, "", "h1", "nic0", 10);
	lab_metal(lab, "trunk-20", "net-b", 0x020000000003, "", "h1", "nic0", 20);
	p = lab_metal(lab, "access", "net-b", 0x020000000004, "", "h1", "nic0", 0);
	p->port_security_enabled = false;
	p->mac_learning_enabled = true;
	p->mac_learning_limit = 16;
	p = lab_remote(lab, "tor", "net-b", 0x020000000005, "", "198.51.100.9");
	p->port_security_enabled = false;
	p->mac_learning_enabled = true;
	lab_remote(lab, "linux", "net-a", 0x020000000006, "", "2001:db8:100::9");
	lab_apply(lab);
	compare(lab, "h1", "edge");
	read_back(lab, "h1");
	lab_free(lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_network),
		cmocka_unit_test(test_routed),
		cmocka_unit_test(test_edge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
