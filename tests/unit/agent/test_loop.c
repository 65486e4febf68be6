/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/api/loop.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <cmocka.h>

struct bed {
	struct tn_loop *loop;
	int a[2], b[2];
	unsigned calls_a, calls_b, ticks;
};

static void write_byte(int fd)
{
	assert_int_equal(write(fd, "x", 1), 1);
}

static void read_byte(int fd)
{
	char c;

	assert_int_equal(read(fd, &c, 1), 1);
}

static int setup(void **state)
{
	static struct bed b;

	b = (struct bed){.loop = tn_loop_new()};
	assert_non_null(b.loop);
	assert_int_equal(pipe(b.a), 0);
	assert_int_equal(pipe(b.b), 0);
	*state = &b;
	return 0;
}

static int teardown(void **state)
{
	struct bed *b = *state;

	tn_loop_free(b->loop);
	for (unsigned i = 0; i < 2; i++) {
		close(b->a[i]);
		close(b->b[i]);
	}
	return 0;
}

static void on_a(void *ctx, uint32_t events)
{
	struct bed *b = ctx;

	assert_true(events & EPOLLIN);
	read_byte(b->a[0]);
	if (++b->calls_a == 3)
		tn_loop_stop(b->loop);
	else
		write_byte(b->a[1]);
}

static void test_descriptors(void **state)
{
	struct bed *b = *state;

	assert_int_equal(tn_loop_add(b->loop, b->a[0], EPOLLIN, on_a, b), 0);
	assert_true(tn_loop_add(b->loop, b->a[0], EPOLLIN, on_a, b) < 0);
	write_byte(b->a[1]);
	tn_loop_run(b->loop);
	assert_int_equal(b->calls_a, 3);
}

/* Both are readable; whichever is called first removes both. */
static void remove_both(void *ctx, uint32_t events)
{
	struct bed *b = ctx;

	(void)events;
	b->calls_b++;
	tn_loop_remove(b->loop, b->a[0]);
	tn_loop_remove(b->loop, b->b[0]);
	tn_loop_stop(b->loop);
}

static void test_removed_in_a_callback(void **state)
{
	struct bed *b = *state;

	assert_int_equal(tn_loop_add(b->loop, b->a[0], EPOLLIN, remove_both, b), 0);
	assert_int_equal(tn_loop_add(b->loop, b->b[0], EPOLLIN, remove_both, b), 0);
	assert_int_equal(tn_loop_modify(b->loop, b->b[0], EPOLLIN | EPOLLET), 0);
	write_byte(b->a[1]);
	write_byte(b->b[1]);
	tn_loop_run(b->loop);
	assert_int_equal(b->calls_b, 1);
	assert_true(tn_loop_modify(b->loop, b->b[0], EPOLLIN) < 0);
}

static void on_tick(void *ctx)
{
	struct bed *b = ctx;

	if (++b->ticks == 3)
		tn_loop_stop(b->loop);
}

static void test_timer(void **state)
{
	struct bed *b = *state;

	assert_int_equal(tn_loop_every(b->loop, 1000000, on_tick, b), 0);
	tn_loop_run(b->loop);
	assert_int_equal(b->ticks, 3);
}

static void on_late(void *ctx)
{
	struct bed *b = ctx;

	b->calls_b++;
	tn_loop_stop(b->loop);
}

/* One that is set goes off once; one that was set anew not at its old time; one unset never. */
static void test_timer_that_is_set(void **state)
{
	struct bed *b = *state;
	struct tn_loop_timer *unset = tn_loop_timer_new(b->loop, on_tick, b);
	struct tn_loop_timer *late = tn_loop_timer_new(b->loop, on_late, b);

	assert_non_null(unset);
	assert_non_null(late);
	tn_loop_timer_set(late, UINT64_C(3600000000000));
	tn_loop_timer_set(late, 20000000);
	tn_loop_timer_set(unset, 1000);
	tn_loop_timer_unset(unset);
	tn_loop_run(b->loop);
	assert_int_equal(b->calls_b, 1);
	assert_int_equal(b->ticks, 0);
	tn_loop_timer_set(late, 0);
	tn_loop_run(b->loop);
	assert_int_equal(b->calls_b, 2);
}

static void test_signals(void **state)
{
	struct bed *b = *state;

	assert_int_equal(tn_loop_stop_on_signals(b->loop), 0);
	assert_int_equal(raise(SIGTERM), 0);
	tn_loop_run(b->loop);
}

static void on_hangup(void *ctx)
{
	struct bed *b = ctx;

	if (++b->ticks == 2)
		assert_int_equal(raise(SIGTERM), 0);
	else
		assert_int_equal(raise(SIGHUP), 0);
}

/* One signal calls, another stops. */
static void test_signal_functions(void **state)
{
	struct bed *b = *state;

	assert_int_equal(tn_loop_stop_on_signals(b->loop), 0);
	assert_int_equal(tn_loop_on_signal(b->loop, SIGHUP, on_hangup, b), 0);
	assert_int_equal(raise(SIGHUP), 0);
	tn_loop_run(b->loop);
	assert_int_equal(b->ticks, 2);
}

/* --- after each round ------------------------------------------------------------------------- */

static void after_round(void *ctx)
{
	struct bed *b = ctx;

	/* Everything of the round came before. */
	assert_int_equal(b->calls_a, b->calls_b);
	b->ticks++;
}

static void on_both(void *ctx, uint32_t events)
{
	struct bed *b = ctx;
	unsigned *calls = b->calls_a == b->calls_b ? &b->calls_a : &b->calls_b;

	(void)events;
	if (++*calls == 5 && calls == &b->calls_b)
		tn_loop_stop(b->loop);
}

static void test_after_round(void **state)
{
	struct bed *b = *state;

	write_byte(b->a[1]);
	write_byte(b->b[1]);
	assert_int_equal(tn_loop_add(b->loop, b->a[0], EPOLLIN, on_both, b), 0);
	assert_int_equal(tn_loop_add(b->loop, b->b[0], EPOLLIN, on_both, b), 0);
	tn_loop_after_round(b->loop, after_round, b);
	tn_loop_run(b->loop);
	assert_int_equal(b->ticks, 5);
	tn_loop_forget_hook(b->loop, b);
	b->calls_a = b->calls_b = 0;
	tn_loop_run(b->loop);
	assert_int_equal(b->ticks, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_descriptors, setup, teardown),
		cmocka_unit_test_setup_teardown(test_removed_in_a_callback, setup, teardown),
		cmocka_unit_test_setup_teardown(test_timer, setup, teardown),
		cmocka_unit_test_setup_teardown(test_timer_that_is_set, setup, teardown),
		cmocka_unit_test_setup_teardown(test_after_round, setup, teardown),
		cmocka_unit_test_setup_teardown(test_signals, setup, teardown),
		cmocka_unit_test_setup_teardown(test_signal_functions, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
