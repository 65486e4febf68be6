/* SPDX-License-Identifier: BSD-3-Clause */
/* Virtual machines of a vhost-user port, well behaved and hostile. */
#include "dataplane/port/vhost.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/port/vhost_guest.h"

/* --- tests --- */

static void test_what_is_offered(void **state)
{
	const unsigned never[] = {VIRTIO_NET_F_GUEST_ECN, VIRTIO_NET_F_GUEST_UFO,
		VIRTIO_NET_F_HOST_ECN, VIRTIO_NET_F_HOST_UFO, VIRTIO_F_ACCESS_PLATFORM};
	const unsigned always[] = {VIRTIO_F_VERSION_1, VIRTIO_NET_F_MRG_RXBUF, VIRTIO_NET_F_MQ,
		VIRTIO_NET_F_CTRL_VQ, VIRTIO_RING_F_INDIRECT_DESC, VIRTIO_RING_F_EVENT_IDX,
		VIRTIO_F_RING_PACKED, VIRTIO_F_IN_ORDER, VIRTIO_NET_F_GUEST_ANNOUNCE,
		VIRTIO_NET_F_MTU};
	struct tn_port *port = make_port("server", "all");
	int fd = connect_to_port();
	uint64_t features = ask_features(fd);

	(void)state;
	for (size_t i = 0; i < TN_ARRAY_SIZE(never); i++)
		assert_false(features >> never[i] & 1);
	for (size_t i = 0; i < TN_ARRAY_SIZE(always); i++)
		assert_true(features >> always[i] & 1);
	assert_false(port->ops->link_up(port));
	port->ops->destroy(port);
	expect_end(fd);
	close(fd);
	assert_int_equal(access(guest_path, F_OK), -1);
}

static void test_one_guest_a_port(void **state)
{
	struct tn_port *port = make_port("server", "all");
	int first = connect_to_port(), second;

	(void)state;
	(void)ask_features(first);
	second = connect_to_port();
	expect_end(second);
	close(second);
	(void)ask_features(first);
	close(first);
	port->ops->destroy(port);
}

static void test_frames_both_ways(void **state)
{
	struct tn_port *port = make_port("server", "all");
	struct tn_packet packets[TN_BURST];
	struct guest g;

	(void)state;
	assert_int_equal(receive(port, packets), 0);
	boot(&g, connect_to_port(), FEATURES);
	assert_true(port->ops->link_up(port));
	for (uint16_t i = 0; i < 3; i++)
		send_frame(&g, i, (uint8_t)(i + 1));
	assert_int_equal(receive(port, packets), 3);
	assert_int_equal(g.rings[FROM_GUEST].used->idx, 3);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(packets[i].len, FRAME);
		assert_int_equal(packets[i].data[FRAME - 1], i + 1);
	}
	/* Room for two of them; what is not taken stays ours. */
	assert_int_equal(port->ops->tx(port, 0, packets, 3), 0);
	for (uint16_t i = 0; i < 2; i++) {
		describe(&g, TO_GUEST, i, DATA_SIZE);
		offer(&g, TO_GUEST, i);
	}
	assert_int_equal(port->ops->tx(port, 1, packets, 3), 2);
	assert_int_equal(g.rings[TO_GUEST].used->idx, 2);
	assert_int_equal(g.rings[TO_GUEST].used->ring[1].len, HEADER + FRAME);
	assert_int_equal(buffer(&g, TO_GUEST, 1)[HEADER], 2);
	/* The port goes with its guest on it. */
	port->ops->destroy(port);
	expect_end(g.fd);
	halt(&g);
	give_back(&packets[2], 1);
	check_no_leak();
}

static void test_sizes(void **state)
{
	struct tn_port *port = make_port("server", "all");
	struct tn_port_wire_stats stats;
	struct tn_packet packets[TN_BURST];
	struct guest g;

	(void)state;
	boot(&g, connect_to_port(), FEATURES);
	send_frame(&g, 0, 1);
	g.rings[FROM_GUEST].desc[0].len = HEADER + 13;
	send_frame(&g, 1, 1);
	g.rings[FROM_GUEST].desc[1].len = HEADER + 5000;
	send_frame(&g, 2, 1);
	assert_int_equal(receive(port, packets), 1);
	assert_int_equal(packets[0].len, FRAME);
	give_back(packets, 1);
	port->ops->wire_stats(port, &stats);
	assert_int_equal(stats.rx_errors, 1);
	assert_int_equal(stats.rx_dropped, 1);
	port->ops->destroy(port);
	halt(&g);
	check_no_leak();
}

/* Whatever it writes, nothing comes of it but frames, and none of them is lost to us. */
static void spoil(struct guest *g, unsigned how)
{
	struct vring_desc *d;

	send_frame(g, 0, 1);
	d = &g->rings[FROM_GUEST].desc[0];
	switch (how) {
	case 0: /* no such descriptor */
		offer(g, FROM_GUEST, 60000);
		break;
	case 1: /* memory that is not the guest's */
		d->addr = UINT64_C(0x7fffffff0000);
		break;
	case 2: /* runs out of it */
		d->addr = GUEST_MEMORY + MEMORY - 16;
		break;
	case 3:
		d->len = UINT32_MAX;
		break;
	case 4: /* a loop */
		d->flags = VRING_DESC_F_NEXT;
		d->next = 0;
		break;
	case 5: /* a next one that is none */
		d->flags = VRING_DESC_F_NEXT;
		d->next = 60000;
		break;
	case 6: /* a table within a table */
		d->flags = VRING_DESC_F_INDIRECT;
		d->len = 7;
		break;
	case 7: /* more than the ring holds */
		g->rings[FROM_GUEST].avail->idx = 60000;
		break;
	case 8: /* wraps around */
		d->addr = UINT64_MAX - 8;
		break;
	default: /* shorter than its header */
		d->len = 3;
	}
}

static void test_hostile_rings(void **state)
{
	(void)state;
	for (unsigned how = 0; how < 10; how++) {
		struct tn_port *port = make_port("server", "all");
		struct tn_packet packets[TN_BURST];
		struct guest g;

		boot(&g, connect_to_port(), FEATURES);
		spoil(&g, how);
		for (unsigned i = 0; i < 100; i++)
			give_back(packets, receive(port, packets));
		port->ops->destroy(port);
		halt(&g);
		check_no_leak();
	}
}

static void test_hostile_messages(void **state)
{
	struct tn_port *port = make_port("server", "all");
	struct tn_packet packets[TN_BURST];
	struct guest g;

	(void)state;
	for (uint32_t request = 0; request < 64; request++) {
		struct message m = {.request = request};
		int fd;

		memset((uint8_t *)&m + 12, 0xff, sizeof(m) - 12);
		/* Where the one before is still on its way out, this one is turned away. */
		fd = connect_to_port();
		tell(fd, m, request % 2 ? 8 : sizeof(m) - 12, -1);
		close(fd);
	}
	port->ops->destroy(port);
	port = make_port("server", "all");
	boot(&g, connect_to_port(), FEATURES);
	send_frame(&g, 0, 1);
	assert_int_equal(receive(port, packets), 1);
	give_back(packets, 1);
	port->ops->destroy(port);
	halt(&g);
	check_no_leak();
}

/* The port as a client: the guest's side comes late, goes and comes again. */
static void test_reconnects(void **state)
{
	struct sockaddr_un a = address();
	struct tn_port *port = make_port("client", "all");
	struct tn_packet packets[TN_BURST];
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);
	struct pollfd p = {.fd = listener, .events = POLLIN};
	uint64_t now = 0;

	(void)state;
	assert_int_equal(bind(listener, (struct sockaddr *)&a, sizeof(a)), 0);
	port->ops->maintain(port, now += 2 * SECOND); /* refused: it does not listen yet */
	assert_int_equal(listen(listener, 5), 0);
	for (unsigned i = 0; i < 3; i++) {
		struct guest g;

		/* Until it noticed that the last one went. */
		for (unsigned tries = 0; poll(&p, 1, 10) == 0; tries++) {
			assert_true(tries < PATIENCE_MS / 10);
			port->ops->maintain(port, now += SECOND);
		}
		boot(&g, accept(listener, NULL, NULL), FEATURES);
		assert_true(port->ops->link_up(port));
		port->ops->maintain(port, now += 2 * SECOND);
		send_frame(&g, 0, 1);
		assert_int_equal(receive(port, packets), 1);
		give_back(packets, 1);
		halt(&g);
	}
	port->ops->destroy(port);
	close(listener);
	unlink(guest_path);
	check_no_leak();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_offered),
		cmocka_unit_test(test_one_guest_a_port),
		cmocka_unit_test(test_frames_both_ways),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_hostile_rings),
		cmocka_unit_test(test_hostile_messages),
		cmocka_unit_test(test_reconnects),
	};

	return cmocka_run_group_tests(tests, start_dpdk, stop_dpdk);
}
