/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * 100,000 rules in one table: memory a rule, with what the allocator really took beside what the
 * switch says, and times that are printed but not judged. Sanitizers change both, so under them
 * only fewer rules are added and removed.
 */
#include "dataplane/pipeline/switch.h"

#include "tests/unit/pipeline/switch_fixture.h"

#include <malloc.h>
#include <time.h>

#ifdef TN_DEBUG
#define N_RULES 5000u
#else
#define N_RULES 100000u
#endif
#define BYTES_A_RULE 700u

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* A five-tuple, and two actions: rewrite an address, output. */
static void five_tuple(struct tn_flow_mod *fm, struct tn_action *actions, uint32_t i)
{
	struct tn_error err;
	uint32_t x = i * 2654435761u;

	tn_flow_mod_init(fm);
	assert_int_equal(tn_match_set(&fm->match, TN_FIELD_ETH_TYPE, 0x0800, 0xffff, &err), 0);
	assert_int_equal(tn_match_set(&fm->match, TN_FIELD_IP_PROTO, 6, 0xff, &err), 0);
	assert_int_equal(
		tn_match_set(&fm->match, TN_FIELD_IPV4_SRC, 0x0a000000 + i, 0xffffffff, &err), 0);
	assert_int_equal(tn_match_set(&fm->match, TN_FIELD_IPV4_DST, 0x0b000000 + (x >> 8),
				 0xffffffff, &err),
		0);
	assert_int_equal(tn_match_set(&fm->match, TN_FIELD_TCP_SRC, x & 0xffff, 0xffff, &err), 0);
	assert_int_equal(tn_match_set(&fm->match, TN_FIELD_TCP_DST, 1 + i % 1000, 0xffff, &err), 0);
	actions[0] = (struct tn_action){.type = TN_ACTION_SET_FIELD, .field = TN_FIELD_ETH_DST};
	actions[0].set.value = 0x020000000000 + i;
	actions[0].set.mask = tn_field_ones(TN_FIELD_ETH_DST);
	actions[1] = output(1 + i % 10);
	fm->inst.apply = actions;
	fm->inst.n_apply = 2;
	fm->cookie = i;
}

static void send_all(struct fixture *f, enum tn_flow_command command, uint16_t idle)
{
	struct tn_action actions[2];
	struct tn_flow_mod fm;

	for (uint32_t i = 0; i < N_RULES; i++) {
		five_tuple(&fm, actions, i);
		fm.command = command;
		fm.idle_timeout = idle;
		assert_done(send_flow(f, &fm));
		if (i % 64 == 0)
			tn_switch_reclaim(f->sw);
	}
	tn_switch_reclaim(f->sw);
	tn_switch_reclaim(f->sw);
}

/* Bytes a rule: what the switch says, and what the allocator gave out meanwhile. */
static void test_memory(void **state)
{
	struct fixture *f = *state;
	size_t said = tn_switch_memory(f->sw), given = mallinfo2().uordblks + mallinfo2().hblkhd;
	double start = seconds();

	send_all(f, TN_FLOW_ADD, 60);
	start = seconds() - start;
	said = tn_switch_memory(f->sw) - said;
	given = mallinfo2().uordblks + mallinfo2().hblkhd - given;
	print_message("%u rules with a timeout: %zu bytes a rule said, %zu given, %.2f us an add\n",
		N_RULES, said / N_RULES, given / N_RULES, start * 1e6 / N_RULES);
#ifndef TN_DEBUG
	assert_true(said / N_RULES <= BYTES_A_RULE);
	assert_true(given / N_RULES <= BYTES_A_RULE);
	assert_true(said * 100 >= given * 97);
#endif
}

static void test_times(void **state)
{
	struct fixture *f = *state;
	struct tn_flow_mod all = flow_mod(TN_FLOW_MODIFY, 0, 0, 0, 0);
	static const struct {
		const char *what;
		enum tn_flow_command command;
	} passes[] = {{"add", TN_FLOW_ADD}, {"replace", TN_FLOW_ADD},
		{"modify_strict", TN_FLOW_MODIFY_STRICT}, {"delete_strict", TN_FLOW_DELETE_STRICT},
		{"add again", TN_FLOW_ADD}};
	double start;

	for (size_t i = 0; i < TN_ARRAY_SIZE(passes); i++) {
		start = seconds();
		send_all(f, passes[i].command, 0);
		print_message("%-14s %6.2f us a rule\n", passes[i].what,
			(seconds() - start) * 1e6 / N_RULES);
	}
	assert_int_equal(tn_switch_flow_count(f->sw), N_RULES);
	start = seconds();
	assert_done(send_flow(f, &all));
	print_message("modify all     %6.2f ms\n", (seconds() - start) * 1e3);
	all.command = TN_FLOW_DELETE;
	start = seconds();
	assert_done(send_flow(f, &all));
	print_message("delete all     %6.2f ms\n", (seconds() - start) * 1e3);
	start = seconds();
	tn_switch_reclaim(f->sw);
	tn_switch_reclaim(f->sw);
	print_message("reclaim        %6.2f ms\n", (seconds() - start) * 1e3);
	assert_int_equal(tn_switch_flow_count(f->sw), 0);
}

/* One bundle of all rules, refused by its last message, then accepted. */
static void test_one_bundle(void **state)
{
	struct fixture *f = *state;
	struct tn_flow_mod *fms = calloc(N_RULES + 1, sizeof(*fms));
	struct tn_action(*actions)[2] = calloc(N_RULES, sizeof(*actions));
	struct tn_mod *mods = calloc(N_RULES + 1, sizeof(*mods));
	double start;

	for (uint32_t i = 0; i < N_RULES; i++)
		five_tuple(&fms[i], actions[i], i);
	fms[N_RULES] = flow_mod(TN_FLOW_ADD, TN_TABLE_ALL, 0, 0, 0);
	for (uint32_t i = 0; i <= N_RULES; i++)
		mods[i] = (struct tn_mod){.kind = TN_MOD_FLOW, .flow = &fms[i]};
	start = seconds();
	assert_int_equal(send_mods(f, mods, N_RULES + 1), -EINVAL);
	assert_int_equal(f->failed, N_RULES);
	print_message("bundle refused %6.2f ms\n", (seconds() - start) * 1e3);
	assert_int_equal(tn_switch_flow_count(f->sw), 0);
	start = seconds();
	assert_done(send_mods(f, mods, N_RULES));
	print_message("bundle done    %6.2f ms\n", (seconds() - start) * 1e3);
	assert_int_equal(tn_switch_flow_count(f->sw), N_RULES);
	free(mods);
	free(actions);
	free(fms);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(test_times, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_bundle, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
