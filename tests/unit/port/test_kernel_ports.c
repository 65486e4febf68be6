/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Drivers on interfaces of the kernel, in network namespaces of this process: they go with it.
 * Frames of an EtherType that no stack answers are sent and seen by packet sockets.
 */
#include "dataplane/port/afxdp.h"

#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/if_packet.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <cmocka.h>

#include "dataplane/port/shadow.h"
#include "dataplane/port/tap.h"
#include "tests/unit/port/port_buffers.h"

#define TYPE   0x88b5 /* IEEE 802: for experiments */
#define TRIES  2000
#define CANNOT 77

static struct test_buffers buffers;
static char other[64]; /* path of a second namespace */

static bool run(const char *command)
{
	return system(command) == 0;
}

/* --- the other side of a wire --- */

static int open_wire(const char *ifname)
{
	struct sockaddr_ll a = {
		.sll_family = AF_PACKET,
		.sll_protocol = tn_htobe16(TYPE).raw,
		.sll_ifindex = (int)if_nametoindex(ifname),
	};
	const int room = 8 << 20;
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, tn_htobe16(TYPE).raw);

	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

/* A frame that tells which one it is. */
static uint32_t make_frame(uint8_t *b, uint32_t len, uint32_t number)
{
	for (uint32_t i = 14; i < len; i++)
		b[i] = (uint8_t)(number + i);
	memset(b, 0xff, 6);
	memset(b + 6, 2, 6);
	b[12] = TYPE >> 8;
	b[13] = TYPE & 0xff;
	memcpy(b + 14, &number, sizeof(number));
	return len;
}

static void check_frame(const uint8_t *b, uint32_t len, uint32_t number)
{
	static uint8_t want[TN_FRAME_MAX];

	make_frame(want, len, number);
	assert_memory_equal(b, want, len);
}

static void nap(void)
{
	const struct timespec t = {.tv_nsec = 1000000};

	(void)nanosleep(&t, NULL);
}

/* The port's frames, until there are n of ours; those of the kernel's own are passed over. */
static void receive(struct tn_port *port, uint32_t len, uint32_t first, unsigned n)
{
	struct tn_packet p[TN_BURST];
	unsigned got = 0;

	for (unsigned tries = 0; got < n && tries < TRIES; tries++) {
		unsigned k = port->ops->rx(port, 0, p, TN_BURST);

		for (unsigned i = 0; i < k; i++) {
			if ((p[i].data[12] << 8 | p[i].data[13]) != TYPE)
				continue;
			assert_int_equal(p[i].len, len);
			assert_true(p[i].headroom >= TN_HEADROOM_MIN);
			check_frame(p[i].data, len, first + got++);
		}
		buffer_free(&buffers, p, k);
		if (!k)
			nap();
	}
	assert_int_equal(got, n);
}

static void wire_receive(int wire, uint32_t len, uint32_t first, unsigned n)
{
	static uint8_t b[TN_FRAME_MAX];
	struct pollfd fd = {.fd = wire, .events = POLLIN};

	for (unsigned i = 0; i < n; i++) {
		assert_int_equal(poll(&fd, 1, 5000), 1);
		assert_int_equal(recv(wire, b, sizeof(b), 0), len);
		check_frame(b, len, first + i);
	}
}

static void wire_send(int wire, uint32_t len, uint32_t first, unsigned n)
{
	static uint8_t b[TN_FRAME_MAX];

	for (unsigned i = 0; i < n; i++) {
		make_frame(b, len, first + i);
		assert_int_equal(send(wire, b, len, 0), len);
	}
}

static void transmit(struct tn_port *port, uint32_t len, uint32_t first, unsigned n)
{
	static uint8_t b[TN_FRAME_MAX];
	struct tn_packet p[TN_BURST];

	for (unsigned i = 0; i < n; i++)
		p[i] = buffer_packet(&buffers, b, make_frame(b, len, first + i));
	assert_int_equal(port->ops->tx(port, 0, p, n), n);
}

/* Bursts both ways, more than the rings hold in all. */
static void traffic(struct tn_port *port, int wire, uint32_t len)
{
	for (uint32_t round = 0; round < 150; round++) {
		wire_send(wire, len, round * 100, 20);
		receive(port, len, round * 100, 20);
		transmit(port, len, round * 100, 32);
		wire_receive(wire, len, round * 100, 32);
	}
	assert_int_equal(buffers.out, 0);
}

static void end(struct tn_port *port)
{
	struct tn_port_wire_stats stats;

	port->ops->wire_stats(port, &stats);
	assert_int_equal(stats.rx_errors + stats.tx_errors + stats.rx_dropped, 0);
	port->ops->destroy(port);
	assert_int_equal(buffers.out, 0);
}

/* --- TAP --- */

static struct tn_port *make_tap(struct tn_tap_config c, struct tn_error *err)
{
	c.buffers = &test_buffer_ops;
	c.buffers_ctx = &buffers;
	return tn_tap_port_new(&c, err);
}

static void tap_carries_frames(void **state)
{
	const struct tn_mac mac = {{2, 0, 0, 0, 0, 9}};
	struct tn_error err = {0};
	struct tn_port *port = make_tap(
		(struct tn_tap_config){.ifname = "tn-tap", .mac = &mac, .mtu = 9000}, &err);
	int wire;

	(void)state;
	assert_non_null(port);
	assert_int_equal(port->mtu, 9000);
	assert_memory_equal(&port->mac, &mac, sizeof(mac));
	port->ops->maintain(port, 0);
	assert_true(port->ops->link_up(port));
	wire = open_wire("tn-tap");
	traffic(port, wire, 64);
	traffic(port, wire, 9014);
	assert_true(run("ip link set tn-tap down"));
	port->ops->maintain(port, 0);
	assert_false(port->ops->link_up(port));
	close(wire);
	end(port);
	assert_int_equal(if_nametoindex("tn-tap"), 0);
}

static void tap_counts_what_it_cannot(void **state)
{
	struct tn_port *port = make_tap((struct tn_tap_config){.ifname = "tn-tap"}, NULL);
	struct tn_port_wire_stats stats;
	int wire;

	(void)state;
	assert_non_null(port);
	wire = open_wire("tn-tap");
	buffers.room = 0;
	wire_send(wire, 64, 0, 3);
	assert_int_equal(port->ops->rx(port, 0, (struct tn_packet[TN_BURST]){{0}}, TN_BURST), 0);
	buffers.room = 100;
	assert_true(run("ip link set tn-tap down"));
	transmit(port, 64, 0, 2);
	port->ops->wire_stats(port, &stats);
	assert_true(stats.rx_dropped >= 3);
	assert_int_equal(stats.tx_errors, 2);
	assert_true(run("ip link del tn-tap"));
	assert_int_equal(port->ops->rx(port, 0, (struct tn_packet[1]){{0}}, 1), 0);
	port->ops->maintain(port, 0);
	assert_false(port->ops->link_up(port));
	close(wire);
	port->ops->destroy(port);
	assert_int_equal(buffers.out, 0);
}

static void tap_refusals(void **state)
{
	struct tn_port *port = make_tap((struct tn_tap_config){.ifname = "tn-tap"}, NULL);
	struct tn_error err = {0};

	(void)state;
	assert_null(make_tap((struct tn_tap_config){.ifname = "tn-tap"}, &err));
	assert_non_null(strstr(err.detail, "another process holds it"));
	assert_null(make_tap((struct tn_tap_config){.ifname = "lo"}, &err));
	assert_non_null(strstr(err.detail, "another kind"));
	assert_null(make_tap((struct tn_tap_config){.ifname = "a/b"}, &err));
	assert_non_null(strstr(err.detail, "no name"));
	assert_null(make_tap((struct tn_tap_config){.ifname = "a", .mtu = 70000}, &err));
	assert_non_null(strstr(err.detail, "65521"));
	assert_null(make_tap((struct tn_tap_config){.ifname = "a", .netns = "none-such"}, &err));
	assert_non_null(strstr(err.detail, "none-such"));
	assert_null(make_tap((struct tn_tap_config){.ifname = "a", .netns = "/dev/null"}, &err));
	assert_non_null(strstr(err.detail, "cannot enter"));
	end(port);
}

static void tap_in_another_namespace(void **state)
{
	struct tn_port *port =
		make_tap((struct tn_tap_config){.ifname = "tn-far", .netns = other}, NULL);

	(void)state;
	assert_non_null(port);
	assert_int_equal(if_nametoindex("tn-far"), 0);
	port->ops->maintain(port, 0);
	assert_true(port->ops->link_up(port));
	end(port);
}

/* --- AF_XDP --- */

static struct tn_port *make_veth(struct tn_afxdp_config c, struct tn_error *err)
{
	c.buffers = &test_buffer_ops;
	c.buffers_ctx = &buffers;
	return tn_afxdp_port_new(&c, err);
}

static void make_pair(const char *more)
{
	char command[160];

	snprintf(command, sizeof(command),
		"ip link add tn-a %s type veth peer name tn-b %s && ip link set tn-b up", more,
		more);
	assert_true(run(command));
}

static void delete_pair(void)
{
	assert_true(run("ip link del tn-a"));
}

static void veth_carries_frames(uint32_t mtu)
{
	struct tn_error err = {0};
	struct tn_port *port;
	char more[32];
	int wire;

	snprintf(more, sizeof(more), "mtu %u", mtu);
	make_pair(more);
	port = make_veth((struct tn_afxdp_config){.ifname = "tn-a", .n_frames = 128}, &err);
	if (!port)
		print_message("%s\n", err.detail);
	assert_non_null(port);
	assert_int_equal(port->mtu, mtu);
	port->ops->maintain(port, 0);
	assert_true(port->ops->link_up(port));
	wire = open_wire("tn-b");
	traffic(port, wire, 64);
	traffic(port, wire, mtu + 14);
	assert_true(run("ip link set tn-b down"));
	port->ops->maintain(port, 0);
	assert_false(port->ops->link_up(port));
	assert_true(run("ip link set tn-b up"));
	port->ops->maintain(port, 0);
	assert_true(port->ops->link_up(port));
	close(wire);
	end(port);
	delete_pair();
}

static void veth_of_usual_frames(void **state)
{
	(void)state;
	veth_carries_frames(1500);
	veth_carries_frames(3000);
}

static void veth_of_large_frames(void **state)
{
	(void)state;
	veth_carries_frames(9000);
}

static void veth_sends_no_frame_too_long(void **state)
{
	struct tn_port_wire_stats stats;
	struct tn_port *port;

	(void)state;
	make_pair("mtu 1500");
	port = make_veth((struct tn_afxdp_config){.ifname = "tn-a", .n_frames = 64}, NULL);
	transmit(port, 5000, 0, 2);
	transmit(port, 13, 0, 1);
	port->ops->wire_stats(port, &stats);
	assert_int_equal(stats.tx_errors, 3);
	port->ops->destroy(port);
	assert_int_equal(buffers.out, 0);
	delete_pair();
}

/* Nobody takes frames in: some are lost, counted, and all goes on afterwards. */
static void veth_overrun(void **state)
{
	struct tn_port_wire_stats stats;
	struct tn_packet p[TN_BURST];
	struct tn_port *port;
	unsigned got = 0, n;
	int wire;

	(void)state;
	make_pair("mtu 1500");
	port = make_veth((struct tn_afxdp_config){.ifname = "tn-a", .n_frames = 64}, NULL);
	wire = open_wire("tn-b");
	for (unsigned i = 0; i < 50; i++)
		wire_send(wire, 64, 0, 10);
	nap();
	while ((n = port->ops->rx(port, 0, p, TN_BURST))) {
		got += n;
		buffer_free(&buffers, p, n);
	}
	assert_true(got >= 64 && got < 500);
	port->ops->wire_stats(port, &stats);
	assert_true(stats.rx_dropped > 0);
	traffic(port, wire, 100);
	close(wire);
	port->ops->destroy(port);
	delete_pair();
}

static int attach_foreign(void)
{
	const struct bpf_insn pass[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = XDP_PASS},
		{.code = BPF_JMP | BPF_EXIT},
	};
	int prog = bpf_prog_load(BPF_PROG_TYPE_XDP, "foreign", "GPL", pass, 2, NULL);

	assert_true(prog >= 0);
	assert_int_equal(bpf_xdp_attach((int)if_nametoindex("tn-a"), prog, 0, NULL), 0);
	return prog;
}

static void veth_respects_foreign_programs(void **state)
{
	const struct tn_afxdp_config c = {.ifname = "tn-a", .n_frames = 64};
	struct tn_error err = {0};
	struct tn_port *port;
	uint32_t id = 0;
	int prog;

	(void)state;
	make_pair("mtu 1500");
	prog = attach_foreign();
	assert_null(make_veth(c, &err));
	assert_non_null(strstr(err.detail, "'foreign'"));
	assert_int_equal(bpf_xdp_query_id((int)if_nametoindex("tn-a"), 0, &id), 0);
	assert_int_not_equal(id, 0);
	close(prog);
	assert_true(run("ip link set dev tn-a xdp off"));
	port = make_veth(c, &err);
	assert_non_null(port);
	assert_null(make_veth(c, &err));
	assert_non_null(strstr(err.detail, "another tenon-dataplane"));
	end(port);
	assert_int_equal(bpf_xdp_query_id((int)if_nametoindex("tn-a"), 0, &id), 0);
	assert_int_equal(id, 0);
	delete_pair();
}

/* A process that is killed leaves nothing behind, and the next one takes over. */
static void veth_after_a_kill(void **state)
{
	const struct tn_afxdp_config c = {.ifname = "tn-a", .n_frames = 64};
	struct tn_error err = {0};
	struct tn_port *port;
	int ready[2], wire;
	pid_t child;
	char byte;

	(void)state;
	make_pair("mtu 1500");
	assert_int_equal(pipe(ready), 0);
	child = fork();
	if (!child) {
		close(ready[0]);
		if (make_veth(c, &err) && write(ready[1], "x", 1) == 1)
			pause();
		_exit(1);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, NULL, 0), child);
	port = make_veth(c, &err);
	if (!port)
		print_message("%s\n", err.detail);
	assert_non_null(port);
	wire = open_wire("tn-b");
	traffic(port, wire, 64);
	close(wire);
	end(port);
	delete_pair();
}

static void veth_in_another_namespace(void **state)
{
	char command[160];
	struct tn_port *port;
	int wire;

	(void)state;
	make_pair("mtu 1500");
	snprintf(command, sizeof(command), "ip link set tn-a netns %s", other);
	assert_true(run(command));
	port = make_veth(
		(struct tn_afxdp_config){.ifname = "tn-a", .netns = other, .n_frames = 64}, NULL);
	assert_non_null(port);
	wire = open_wire("tn-b");
	traffic(port, wire, 64);
	close(wire);
	end(port);
	assert_true(run("ip link del tn-b"));
}

static void veth_that_goes_away(void **state)
{
	struct tn_packet left;
	struct tn_port *port;

	(void)state;
	make_pair("mtu 1500");
	port = make_veth((struct tn_afxdp_config){.ifname = "tn-a", .n_frames = 64}, NULL);
	delete_pair();
	port->ops->maintain(port, 0);
	assert_false(port->ops->link_up(port));
	/* What the kernel said when the pair came up may still be in the ring, and no more. */
	while (port->ops->rx(port, 0, &left, 1))
		buffer_free(&buffers, &left, 1);
	transmit(port, 64, 0, 2);
	port->ops->destroy(port);
	assert_int_equal(buffers.out, 0);
}

static void veth_refusals(void **state)
{
	struct tn_error err = {0};

	(void)state;
	assert_null(make_veth((struct tn_afxdp_config){.ifname = "tn-none"}, &err));
	assert_non_null(strstr(err.detail, "there is no interface 'tn-none'"));
	assert_null(make_veth((struct tn_afxdp_config){.ifname = "tn-a", .n_frames = 100}, &err));
	assert_non_null(strstr(err.detail, "power of two"));
}

/* --- shadow --- */

static struct tn_shadow *make_shadow(void)
{
	const struct tn_shadow_config c = {
		.ifname = "uplink0",
		.mac = {{2, 0, 0, 0, 0, 5}},
		.mtu = 1500,
		.n_workers = 2,
		.buffers = &test_buffer_ops,
		.buffers_ctx = &buffers,
	};
	struct tn_error err = {0};
	struct tn_shadow *s = tn_shadow_new(&c, &err);

	if (!s)
		print_message("%s\n", err.detail);
	assert_non_null(s);
	return s;
}

static void shadow_joins_uplink_and_host(void **state)
{
	struct tn_shadow *s = make_shadow();
	struct tn_port *uplink;
	struct tn_packet p;
	uint64_t dropped = 0;
	uint8_t b[100];
	int host, wire;

	(void)state;
	make_pair("mtu 1500");
	uplink = make_veth((struct tn_afxdp_config){.ifname = "tn-a", .n_frames = 64}, NULL);
	host = open_wire("uplink0");
	wire = open_wire("tn-b");
	for (uint32_t i = 0; i < 50; i++) {
		p = buffer_packet(&buffers, b, make_frame(b, sizeof(b), i));
		assert_true(tn_shadow_deliver(s, i % 2, &p, 1000));
		wire_receive(host, sizeof(b), i, 1);
	}
	for (uint32_t i = 0; i < 50; i++) {
		wire_send(host, sizeof(b), i, 1);
		for (unsigned tries = 0; tries < TRIES; tries++) {
			if (tn_shadow_poll(s, uplink, 0, &dropped))
				break;
			nap();
		}
		while (tn_shadow_poll(s, uplink, 0, &dropped))
			;
		wire_receive(wire, sizeof(b), i, 1);
	}
	assert_int_equal(dropped, 0);
	close(host);
	close(wire);
	end(uplink);
	tn_shadow_free(s);
	delete_pair();
	assert_int_equal(buffers.out, 0);
}

static unsigned flood(struct tn_shadow *s, unsigned worker, uint64_t now_ns, unsigned n)
{
	uint8_t b[60];
	unsigned taken = 0;

	for (unsigned i = 0; i < n; i++) {
		struct tn_packet p = buffer_packet(&buffers, b, make_frame(b, sizeof(b), i));

		taken += tn_shadow_deliver(s, worker, &p, now_ns);
	}
	return taken;
}

static void shadow_keeps_its_budget(void **state)
{
	const uint64_t second = 1000000000;
	struct tn_shadow *s = make_shadow();

	(void)state;
	assert_int_equal(flood(s, 0, second, 5000), TN_SHADOW_BURST);
	assert_int_equal(flood(s, 1, second, 10), 10);
	assert_int_equal(flood(s, 0, second + second / 1000, 5000), TN_SHADOW_RATE / 1000);
	assert_int_equal(flood(s, 0, 9 * second, 5000), TN_SHADOW_BURST);
	tn_shadow_free(s);
	assert_int_equal(buffers.out, 0);
}

/* --- */

static void *hold_namespace(void *arg)
{
	int *ready = arg;

	if (!unshare(CLONE_NEWNET))
		snprintf(other, sizeof(other), "/proc/%d/task/%ld/ns/net", (int)getpid(),
			syscall(SYS_gettid));
	if (write(*ready, "x", 1) != 1)
		return NULL;
	pause();
	return NULL;
}

static bool make_namespaces(void)
{
	pthread_t thread;
	int ready[2];
	char byte;

	if (unshare(CLONE_NEWNET) || pipe(ready))
		return false;
	if (pthread_create(&thread, NULL, hold_namespace, &ready[1]))
		return false;
	return read(ready[0], &byte, 1) == 1 && *other;
}

static int setup(void **state)
{
	(void)state;
	buffers = (struct test_buffers){.room = 1000};
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(tap_carries_frames, setup),
		cmocka_unit_test_setup(tap_counts_what_it_cannot, setup),
		cmocka_unit_test_setup(tap_refusals, setup),
		cmocka_unit_test_setup(tap_in_another_namespace, setup),
		cmocka_unit_test_setup(veth_of_usual_frames, setup),
		cmocka_unit_test_setup(veth_of_large_frames, setup),
		cmocka_unit_test_setup(veth_sends_no_frame_too_long, setup),
		cmocka_unit_test_setup(veth_overrun, setup),
		cmocka_unit_test_setup(veth_respects_foreign_programs, setup),
		cmocka_unit_test_setup(veth_after_a_kill, setup),
		cmocka_unit_test_setup(veth_in_another_namespace, setup),
		cmocka_unit_test_setup(veth_that_goes_away, setup),
		cmocka_unit_test_setup(veth_refusals, setup),
		cmocka_unit_test_setup(shadow_joins_uplink_and_host, setup),
		cmocka_unit_test_setup(shadow_keeps_its_budget, setup),
	};

	if (!make_namespaces()) {
		puts("needs root and network namespaces");
		return CANNOT;
	}
	if (access("/dev/net/tun", R_OK | W_OK)) {
		puts("needs /dev/net/tun");
		return CANNOT;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
