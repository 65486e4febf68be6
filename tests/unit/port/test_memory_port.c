/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/port/memory_port.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "tests/unit/port/port_buffers.h"

static struct test_buffers buffers;
static struct tn_port *port;

static int setup(void **state)
{
	struct tn_memory_config c = {
		.n_frames = 4,
		.n_rx_queues = 2,
		.buffers = &test_buffer_ops,
		.buffers_ctx = &buffers,
	};
	struct tn_error err;

	(void)state;
	buffers = (struct test_buffers){.room = 100};
	port = tn_memory_port_new(&c, &err);
	return !port;
}

static int teardown(void **state)
{
	(void)state;
	port->ops->destroy(port);
	return buffers.out != 0;
}

static void in_and_out(void **state)
{
	const uint8_t a[20] = {1}, b[30] = {2};
	struct tn_packet p[8];
	uint8_t data[64];

	(void)state;
	assert_int_equal(tn_memory_port_inject(port, 0, a, sizeof(a)), 0);
	assert_int_equal(tn_memory_port_inject(port, 1, b, sizeof(b)), 0);
	assert_int_equal(port->ops->rx(port, 0, p, 8), 1);
	assert_int_equal(port->ops->rx(port, 1, p + 1, 8), 1);
	assert_int_equal(port->ops->rx(port, 1, p + 2, 8), 0);
	assert_int_equal(p[0].len, sizeof(a));
	assert_memory_equal(p[1].data, b, sizeof(b));
	assert_int_equal(port->ops->tx(port, 0, p, 2), 2);
	assert_int_equal(tn_memory_port_collect(port, data, sizeof(data)), sizeof(a));
	assert_int_equal(tn_memory_port_collect(port, data, 29), -EMSGSIZE);
	assert_int_equal(tn_memory_port_collect(port, data, sizeof(data)), 0);
}

static void what_is_full_says_so(void **state)
{
	const uint8_t a[20] = {1};
	struct tn_packet p[6];

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_int_equal(tn_memory_port_inject(port, 0, a, sizeof(a)), 0);
	assert_int_equal(tn_memory_port_inject(port, 0, a, sizeof(a)), -ENOBUFS);
	for (int i = 0; i < 6; i++)
		p[i] = buffer_packet(&buffers, a, sizeof(a));
	assert_int_equal(port->ops->tx(port, 0, p, 6), 4);
	buffer_free(&buffers, p + 4, 2);
}

static void no_buffers_is_a_counted_drop(void **state)
{
	const uint8_t a[20] = {1};
	struct tn_port_wire_stats stats;
	struct tn_packet p[4];

	(void)state;
	buffers.room = 1;
	for (int i = 0; i < 3; i++)
		assert_int_equal(tn_memory_port_inject(port, 0, a, sizeof(a)), 0);
	assert_int_equal(port->ops->rx(port, 0, p, 4), 1);
	port->ops->wire_stats(port, &stats);
	assert_int_equal(stats.rx_dropped, 2);
	buffer_free(&buffers, p, 1);
}

static void link(void **state)
{
	(void)state;
	assert_true(port->ops->link_up(port));
	tn_memory_port_set_link(port, false);
	assert_false(port->ops->link_up(port));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(in_and_out, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_full_says_so, setup, teardown),
		cmocka_unit_test_setup_teardown(no_buffers_is_a_counted_drop, setup, teardown),
		cmocka_unit_test_setup_teardown(link, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
