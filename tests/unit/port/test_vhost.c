/* SPDX-License-Identifier: BSD-3-Clause */
/* Virtual machines of a vhost-user port, well behaved and hostile. */
#include "dataplane/port/vhost.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
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

/* False: it was turned away, as the one before it has not gone yet. */
static bool answers(int fd)
{
	struct message m = {.request = GET_FEATURES, .flags = 1};

	if (send(fd, &m, 12, MSG_NOSIGNAL) == 12 && recv(fd, &m, 20, MSG_WAITALL) == 20)
		return true;
	close(fd);
	return false;
}

static void test_hostile_messages(void **state)
{
	struct tn_port *port = make_port("server", "all");
	struct tn_packet packets[TN_BURST];
	struct guest g;

	(void)state;
	for (uint32_t request = 0; request < 64; request++) {
		struct message m = {.request = request, .flags = 1};
		int fd = connect_to_port();

		memset((uint8_t *)&m + 12, 0xff, sizeof(m) - 12);
		m.size = request % 2 ? 8 : sizeof(m) - 12;
		/* Where the one before is still on its way out, this one is turned away. */
		(void)!send(fd, &m, 12 + m.size, MSG_NOSIGNAL);
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

/*
 * Who stops in the middle of a message is shown out: other guests come, are served and go
 * meanwhile, and the port itself can be removed.
 */
static void test_stalled_guest(void **state)
{
	struct tn_port *port = make_port("server", "all"), *other;
	struct tn_packet packets[TN_BURST];
	char path[sizeof(guest_path) + 2];
	struct guest g;
	int fd = connect_to_port();

	(void)state;
	snprintf(path, sizeof(path), "%s-2", guest_path);
	(void)ask_features(fd);
	tell_half(fd);
	other = make_at(path, "server", "all");
	boot(&g, connect_to(path), FEATURES);
	send_frame(&g, 0, 1);
	assert_int_equal(receive(other, packets), 1);
	give_back(packets, 1);
	expect_end(fd);
	close(fd);
	/* Again, and everything goes while it is at it. */
	do
		fd = connect_to_port();
	while (!answers(fd));
	tell_half(fd);
	other->ops->destroy(other);
	halt(&g);
	port->ops->destroy(port);
	expect_end(fd);
	close(fd);
	check_no_leak();
}

/* The same of a guest that serves the socket. */
static void test_stalled_server(void **state)
{
	struct sockaddr_un a = address();
	int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), fd;
	struct pollfd p = {.fd = server, .events = POLLIN};
	struct tn_port *port;

	(void)state;
	assert_int_equal(bind(server, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(server, 1), 0);
	port = make_port("client", "all");
	fd = accept(server, NULL, NULL);
	assert_true(fd >= 0);
	(void)ask_features(fd);
	tell_half(fd);
	expect_end(fd);
	close(fd);
	for (unsigned tries = 1; poll(&p, 1, 10) == 0; tries++) {
		assert_true(tries < PATIENCE_MS / 10);
		port->ops->maintain(port, tries * SECOND);
	}
	fd = accept(server, NULL, NULL);
	(void)ask_features(fd);
	tell_half(fd);
	port->ops->destroy(port);
	close(fd);
	close(server);
	assert_int_equal(unlink(guest_path), 0);
}

static bool is_told(struct tn_port *port)
{
	struct pollfd p = {.fd = port->ops->wait_fd(port, 0), .events = POLLIN};

	return poll(&p, 1, 0) == 1;
}

static void kick(struct guest *g)
{
	const uint64_t one = 1;

	assert_int_equal(write(g->kick[FROM_GUEST], &one, sizeof(one)), sizeof(one));
}

static bool is_asked(const struct guest *g)
{
	return !(g->rings[FROM_GUEST].used->flags & VRING_USED_F_NO_NOTIFY);
}

static void expect_frames(struct tn_port *port, unsigned n)
{
	struct tn_packet packets[TN_BURST];

	assert_int_equal(receive(port, packets), n);
	give_back(packets, n);
}

/* Its process has gone, and the port knows. */
static void vanish(struct tn_port *port, struct guest *g)
{
	close(g->fd);
	g->fd = -1;
	while (port->ops->link_up(port))
		assert_int_equal(poll(NULL, 0, 1), 0);
}

/* A worker that sleeps hears of a guest that comes, and of each first frame after a pause. */
static void test_waits(void **state)
{
	struct tn_port *port = make_port("server", "all");
	int fd = port->ops->wait_fd(port, 0);
	struct guest g;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		expect_frames(port, 0);
		assert_true(port->ops->prepare_wait(port, 0));
		boot(&g, connect_to_port(), FEATURES);
		assert_true(is_told(port));
		send_frame(&g, 0, 1);
		expect_frames(port, 1);
		assert_false(is_asked(&g));
		assert_false(is_told(port));
		for (uint16_t frame = 1; frame < 4; frame++) {
			assert_true(port->ops->prepare_wait(port, 0));
			assert_true(is_asked(&g));
			assert_false(is_told(port));
			/* A look that finds nothing changes nothing. */
			expect_frames(port, 0);
			assert_true(port->ops->prepare_wait(port, 0));
			assert_true(is_asked(&g));
			send_frame(&g, frame, 1);
			kick(&g);
			assert_true(is_told(port));
			expect_frames(port, 1);
			assert_false(is_asked(&g));
			assert_false(is_told(port));
		}
		/* One that came before the guest knew that it is asked. */
		send_frame(&g, 5, 1);
		assert_false(port->ops->prepare_wait(port, 0));
		assert_false(port->ops->prepare_wait(port, 0));
		expect_frames(port, 1);
		assert_true(port->ops->prepare_wait(port, 0));
		send_frame(&g, 6, 1);
		kick(&g);
		vanish(port, &g);
		halt(&g);
	}
	assert_int_equal(port->ops->wait_fd(port, 0), fd);
	port->ops->destroy(port);
	check_no_leak();
}

/* What was found before the sleep is not lost when its guest is, nor when its port goes. */
static void test_found_and_gone(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct tn_port *port = make_port("server", "all");
		struct guest g;

		boot(&g, connect_to_port(), FEATURES);
		send_frame(&g, 0, 1);
		assert_false(port->ops->prepare_wait(port, 0));
		vanish(port, &g);
		if (i)
			expect_frames(port, 1);
		halt(&g);
		port->ops->destroy(port);
		check_no_leak();
	}
}

/* A descriptor that cannot be waited for, one that is always ready, none: it is only polled. */
static void test_odd_kicks(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct message m = {.request = SET_VRING_KICK, .number = FROM_GUEST};
		struct tn_port *port = make_port("server", "all");
		struct guest g;
		int pipes[2];

		boot(&g, connect_to_port(), FEATURES);
		assert_int_equal(pipe(pipes), 0);
		close(pipes[1]);
		if (i == 2)
			m.number |= 1u << 8; /* without */
		tell(g.fd, m, 8, i == 0 ? g.memory_fd : i == 1 ? pipes[0] : -1);
		(void)ask_features(g.fd);
		assert_true(port->ops->prepare_wait(port, 0) == (i == 1));
		assert_true(port->ops->prepare_wait(port, 0) == (i == 1));
		send_frame(&g, 0, 1);
		expect_frames(port, 1);
		(void)port->ops->prepare_wait(port, 0);
		(void)is_told(port);
		expect_frames(port, 0);
		close(pipes[0]);
		port->ops->destroy(port);
		halt(&g);
		check_no_leak();
	}
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
		cmocka_unit_test(test_stalled_guest),
		cmocka_unit_test(test_stalled_server),
		cmocka_unit_test(test_waits),
		cmocka_unit_test(test_found_and_gone),
		cmocka_unit_test(test_odd_kicks),
		cmocka_unit_test(test_reconnects),
	};

	return cmocka_run_group_tests(tests, start_dpdk, stop_dpdk);
}
