/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/port/pcap_port.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "dataplane/port/capture.h"
#include "tests/unit/port/port_buffers.h"

#define GAP_NS	    30000000u
#define PATIENCE_MS 20000

static char dir[] = "/tmp/tn-pcap-port-XXXXXX";
static char in[64], out[64];
static struct test_buffers buffers;

/* Three frames, GAP_NS apart; the second is cut when `cut`. */
static void write_in(bool cut)
{
	struct tn_capture_error e;
	struct tn_capture_writer *w = tn_capture_create(in, &e);
	uint8_t frame[60] = {0};

	assert_non_null(w);
	for (unsigned i = 0; i < 3; i++) {
		frame[0] = (uint8_t)i;
		assert_int_equal(tn_capture_write(w, 1000 + i * (uint64_t)GAP_NS, frame,
					 sizeof(frame), cut && i == 1 ? 100 : sizeof(frame), &e),
			0);
	}
	assert_int_equal(tn_capture_finish(w, &e), 0);
}

static struct tn_port *make(struct tn_pcap_config c)
{
	struct tn_error err = {0};
	struct tn_port *port;

	c.buffers = &test_buffer_ops;
	c.buffers_ctx = &buffers;
	buffers = (struct test_buffers){.room = 100};
	port = tn_pcap_port_new(&c, &err);
	if (!port)
		print_message("%s\n", err.detail);
	return port;
}

static void end(struct tn_port *port)
{
	port->ops->destroy(port);
	assert_int_equal(buffers.out, 0);
}

static void once(void **state)
{
	struct tn_port *port;
	struct tn_packet p[8];

	(void)state;
	write_in(false);
	port = make((struct tn_pcap_config){.in = in});
	assert_true(port->ops->link_up(port));
	assert_false(port->ops->prepare_wait(port, 0));
	assert_int_equal(port->ops->rx(port, 0, p, 2), 2);
	assert_int_equal(port->ops->rx(port, 0, p + 2, 6), 1);
	assert_int_equal(p[2].len, 60);
	assert_int_equal(p[2].data[0], 2);
	assert_int_equal(port->ops->rx(port, 0, p + 3, 5), 0);
	assert_true(port->ops->prepare_wait(port, 0));
	assert_true(port->ops->link_up(port));
	/* Without a file to write to they go away. */
	assert_int_equal(port->ops->tx(port, 0, p, 3), 3);
	end(port);
}

static void looped(void **state)
{
	struct tn_port *port;
	struct tn_packet p[8];

	(void)state;
	write_in(false);
	port = make((struct tn_pcap_config){.in = in, .loop = true});
	assert_int_equal(port->ops->rx(port, 0, p, 8), 8);
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(p[i].data[0], i % 3);
	assert_true(port->ops->link_up(port));
	buffer_free(&buffers, p, 8);
	end(port);
}

static void an_empty_capture_is_not_looped(void **state)
{
	struct tn_capture_error e;
	struct tn_capture_writer *w = tn_capture_create(in, &e);
	struct tn_port *port;
	struct tn_packet p[8];

	(void)state;
	assert_int_equal(tn_capture_finish(w, &e), 0);
	port = make((struct tn_pcap_config){.in = in, .loop = true});
	assert_int_equal(port->ops->rx(port, 0, p, 8), 0);
	end(port);
}

static void paced(void **state)
{
	struct pollfd timer = {.events = POLLIN};
	struct timespec start, now;
	struct tn_port *port;
	struct tn_packet p[3];
	unsigned got = 0;
	int64_t took;

	(void)state;
	write_in(false);
	port = make((struct tn_pcap_config){.in = in, .paced = true});
	timer.fd = port->ops->wait_fd(port, 0);
	(void)clock_gettime(CLOCK_MONOTONIC, &start);
	for (;;) {
		got += port->ops->rx(port, 0, p + got, 3 - got);
		if (got == 3)
			break;
		if (port->ops->prepare_wait(port, 0))
			assert_int_equal(poll(&timer, 1, PATIENCE_MS), 1);
	}
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	took = (now.tv_sec - start.tv_sec) * 1000000000 + now.tv_nsec - start.tv_nsec;
	assert_true(took >= 2 * GAP_NS);
	buffer_free(&buffers, p, 3);
	end(port);
}

static void a_cut_frame_is_an_error(void **state)
{
	struct tn_port_wire_stats stats;
	struct tn_port *port;
	struct tn_packet p[3];

	(void)state;
	write_in(true);
	port = make((struct tn_pcap_config){.in = in});
	assert_int_equal(port->ops->rx(port, 0, p, 3), 2);
	port->ops->wire_stats(port, &stats);
	assert_int_equal(stats.rx_errors, 1);
	buffer_free(&buffers, p, 2);
	end(port);
}

static void a_broken_capture_ends(void **state)
{
	struct tn_port_wire_stats stats;
	struct tn_port *port;
	struct tn_packet p[3];

	(void)state;
	write_in(false);
	assert_int_equal(truncate(in, 24 + 76 + 40), 0);
	port = make((struct tn_pcap_config){.in = in, .loop = true});
	assert_int_equal(port->ops->rx(port, 0, p, 3), 1);
	port->ops->wire_stats(port, &stats);
	assert_int_equal(stats.rx_errors, 1);
	buffer_free(&buffers, p, 1);
	end(port);
}

static void what_is_sent_is_written(void **state)
{
	const uint8_t a[60] = {7}, b[70] = {8};
	struct tn_capture_record record;
	struct tn_capture_reader *r;
	struct tn_capture_error e;
	struct tn_port *port;
	struct tn_packet p[2];

	(void)state;
	port = make((struct tn_pcap_config){.out = out, .n_tx_queues = 2});
	assert_int_equal(port->n_tx_queues, 2);
	p[0] = buffer_packet(&buffers, a, sizeof(a));
	p[1] = buffer_packet(&buffers, b, sizeof(b));
	assert_int_equal(port->ops->tx(port, 0, p, 1), 1);
	assert_int_equal(port->ops->tx(port, 1, p + 1, 1), 1);
	assert_int_equal(port->ops->rx(port, 0, p, 1), 0);
	end(port);
	r = tn_capture_open(out, &e);
	assert_non_null(r);
	assert_int_equal(tn_capture_next(r, &record, &e), 1);
	assert_int_equal(record.len, sizeof(a));
	assert_int_equal(tn_capture_next(r, &record, &e), 1);
	assert_memory_equal(record.data, b, sizeof(b));
	assert_int_equal(tn_capture_next(r, &record, &e), 0);
	tn_capture_close(r);
}

static void files_that_are_not_there(void **state)
{
	struct tn_pcap_config c = {.in = "/nowhere/in.pcap"};
	struct tn_error err = {0};

	(void)state;
	assert_null(tn_pcap_port_new(&c, &err));
	assert_non_null(strstr(err.detail, "/nowhere/in.pcap"));
	c = (struct tn_pcap_config){.out = "/nowhere/out.pcap"};
	assert_null(tn_pcap_port_new(&c, &err));
	assert_non_null(strstr(err.detail, "/nowhere/out.pcap"));
}

static int setup(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	snprintf(in, sizeof(in), "%s/in.pcap", dir);
	snprintf(out, sizeof(out), "%s/out.pcap", dir);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(in);
	unlink(out);
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(once),
		cmocka_unit_test(looped),
		cmocka_unit_test(an_empty_capture_is_not_looped),
		cmocka_unit_test(paced),
		cmocka_unit_test(a_cut_frame_is_an_error),
		cmocka_unit_test(a_broken_capture_ends),
		cmocka_unit_test(what_is_sent_is_written),
		cmocka_unit_test(files_that_are_not_there),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
