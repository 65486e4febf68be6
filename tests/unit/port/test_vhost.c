/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Virtual machines as this test plays them: it speaks vhost-user over the socket and writes rings
 * into memory that it shares, well and ill. A question that is answered tells that all before it
 * was done, so nothing sleeps.
 */
#include "dataplane/port/vhost.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <linux/virtio_net.h>
#include <linux/virtio_ring.h>

#include <rte_eal.h>
#include <rte_mbuf.h>

#include <cmocka.h>

#include "dataplane/port/dpdk_buffer.h"

#define BUFFERS	     255u
#define RING	     64u /* descriptors */
#define MEMORY	     (1u << 20)
#define DATA	     (1u << 18) /* frames, from here on */
#define DATA_SIZE    2048u
#define HEADER	     12u
#define FEATURES     (UINT64_C(1) << VIRTIO_F_VERSION_1 | UINT64_C(1) << VIRTIO_NET_F_MRG_RXBUF)
#define PATIENCE_MS  20000
#define SECOND	     UINT64_C(1000000000)
#define FRAME	     60u
#define TO_GUEST     0u
#define FROM_GUEST   1u
#define GUEST_MEMORY UINT64_C(0x10000) /* where the guest thinks it is */

enum request {
	GET_FEATURES = 1,
	SET_FEATURES = 2,
	SET_OWNER = 3,
	SET_MEM_TABLE = 5,
	SET_VRING_NUM = 8,
	SET_VRING_ADDR = 9,
	SET_VRING_BASE = 10,
	SET_VRING_KICK = 12,
	SET_VRING_CALL = 13,
};

struct message {
	uint32_t request, flags, size;
	union {
		uint64_t number;
		struct {
			uint32_t index, value;
		} ring;
		struct {
			uint32_t index, flags;
			uint64_t desc, used, avail, log;
		} addr;
		struct {
			uint32_t n, padding;
			uint64_t guest, size, user, offset;
		} memory;
	};
} __attribute__((packed));

struct guest {
	int fd, memory_fd;
	uint8_t *memory;
	struct vring rings[2];
	int kick[2], call[2];
};

static struct rte_mempool *pool;
static char path[64];

/* --- the port --- */

static struct tn_port *make_port(const char *mode)
{
	const struct tn_port_option options[] = {
		{.key = "socket", .type = TN_OPTION_STRING, .string = path},
		{.key = "mode", .type = TN_OPTION_STRING, .string = mode},
	};
	const struct tn_port_spec spec = {.number = 1,
		.name = "vm",
		.type = "vhost-user",
		.options = options,
		.n_options = 2};
	const struct tn_port_resources resources = {.pool = pool, .n_workers = 2};
	struct tn_error err;
	struct tn_port *port = tn_vhost_port_kind.make(&spec, &resources, &err);

	assert_non_null(port);
	return port;
}

static void check_no_leak(void)
{
	assert_int_equal(rte_mempool_avail_count(pool), BUFFERS);
}

/* --- the guest's side --- */

static struct sockaddr_un address(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	return a;
}

static int connect_to_port(void)
{
	struct sockaddr_un a = address();
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

/* fd: goes along; -1: none. */
static void tell(int to, struct message m, size_t size, int fd)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {{0}};
	struct iovec iov = {.iov_base = &m, .iov_len = 12 + size};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

	m.flags = 1;
	m.size = (uint32_t)size;
	if (fd >= 0) {
		struct cmsghdr *c = &control.align;

		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control.bytes);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	}
	assert_int_equal(sendmsg(to, &msg, MSG_NOSIGNAL), iov.iov_len);
}

static uint64_t ask_features(int fd)
{
	struct message answer = {0};

	tell(fd, (struct message){.request = GET_FEATURES}, 0, -1);
	assert_int_equal(recv(fd, &answer, 20, MSG_WAITALL), 20);
	assert_int_equal(answer.request, GET_FEATURES);
	return answer.number;
}

static void expect_end(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	char byte;

	assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
	assert_true(recv(fd, &byte, 1, 0) <= 0);
}

static void give_memory(struct guest *g)
{
	struct message m = {.request = SET_MEM_TABLE};

	g->memory_fd = memfd_create("guest", MFD_CLOEXEC);
	assert_int_equal(ftruncate(g->memory_fd, MEMORY), 0);
	g->memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED, g->memory_fd, 0);
	assert_true(g->memory != MAP_FAILED);
	m.memory.n = 1;
	m.memory.guest = GUEST_MEMORY;
	m.memory.size = MEMORY;
	m.memory.user = (uintptr_t)g->memory;
	tell(g->fd, m, 40, g->memory_fd);
}

static void give_ring(struct guest *g, uint32_t i)
{
	struct vring *r = &g->rings[i];
	struct message m = {.request = SET_VRING_NUM};

	vring_init(r, RING, g->memory + (size_t)i * 65536, 4096);
	m.ring.index = i;
	m.ring.value = RING;
	tell(g->fd, m, 8, -1);
	m.request = SET_VRING_BASE;
	m.ring.value = 0;
	tell(g->fd, m, 8, -1);
	m = (struct message){.request = SET_VRING_ADDR};
	m.addr.index = i;
	m.addr.desc = (uintptr_t)r->desc;
	m.addr.avail = (uintptr_t)r->avail;
	m.addr.used = (uintptr_t)r->used;
	tell(g->fd, m, 40, -1);
	g->call[i] = eventfd(0, EFD_CLOEXEC);
	g->kick[i] = eventfd(0, EFD_CLOEXEC);
	m = (struct message){.request = SET_VRING_CALL, .number = i};
	tell(g->fd, m, 8, g->call[i]);
	m = (struct message){.request = SET_VRING_KICK, .number = i};
	tell(g->fd, m, 8, g->kick[i]);
}

static void boot(struct guest *g, int fd)
{
	*g = (struct guest){.fd = fd};
	tell(fd, (struct message){.request = SET_OWNER}, 0, -1);
	tell(fd, (struct message){.request = SET_FEATURES, .number = FEATURES}, 8, -1);
	give_memory(g);
	give_ring(g, TO_GUEST);
	give_ring(g, FROM_GUEST);
	(void)ask_features(fd);
}

static void halt(struct guest *g)
{
	close(g->fd);
	close(g->memory_fd);
	munmap(g->memory, MEMORY);
	for (unsigned i = 0; i < 2; i++) {
		close(g->kick[i]);
		close(g->call[i]);
	}
}

/* Descriptor i of a ring on the guest's buffer of that number. */
static struct vring_desc *describe(struct guest *g, uint32_t ring, uint16_t i, uint32_t len)
{
	struct vring_desc *d = &g->rings[ring].desc[i];

	d->addr = GUEST_MEMORY + DATA + (uint64_t)(ring * RING + i) * DATA_SIZE;
	d->len = len;
	d->flags = ring == TO_GUEST ? VRING_DESC_F_WRITE : 0;
	d->next = 0;
	return d;
}

static uint8_t *buffer(struct guest *g, uint32_t ring, uint16_t i)
{
	return g->memory + DATA + (size_t)(ring * RING + i) * DATA_SIZE;
}

static void offer(struct guest *g, uint32_t ring, uint16_t head)
{
	struct vring_avail *a = g->rings[ring].avail;

	a->ring[a->idx % RING] = head;
	__atomic_store_n(&a->idx, (uint16_t)(a->idx + 1), __ATOMIC_RELEASE);
}

static void send_frame(struct guest *g, uint16_t i, uint8_t fill)
{
	memset(buffer(g, FROM_GUEST, i), 0, HEADER);
	memset(buffer(g, FROM_GUEST, i) + HEADER, fill, FRAME);
	describe(g, FROM_GUEST, i, HEADER + FRAME);
	offer(g, FROM_GUEST, i);
}

static unsigned receive(struct tn_port *port, struct tn_packet *packets)
{
	return port->ops->rx(port, 0, packets, TN_BURST);
}

static void give_back(struct tn_packet *packets, unsigned n)
{
	tn_dpdk_buffer_ops.free(pool, packets, n);
}

/* --- tests --- */

static void test_what_is_offered(void **state)
{
	const unsigned never[] = {VIRTIO_NET_F_CSUM, VIRTIO_NET_F_GUEST_CSUM,
		VIRTIO_NET_F_GUEST_TSO4, VIRTIO_NET_F_GUEST_TSO6, VIRTIO_NET_F_GUEST_ECN,
		VIRTIO_NET_F_GUEST_UFO, VIRTIO_NET_F_HOST_TSO4, VIRTIO_NET_F_HOST_TSO6,
		VIRTIO_NET_F_HOST_ECN, VIRTIO_NET_F_HOST_UFO, VIRTIO_F_ACCESS_PLATFORM};
	const unsigned always[] = {VIRTIO_F_VERSION_1, VIRTIO_NET_F_MRG_RXBUF, VIRTIO_NET_F_MQ,
		VIRTIO_NET_F_CTRL_VQ, VIRTIO_RING_F_INDIRECT_DESC, VIRTIO_RING_F_EVENT_IDX,
		VIRTIO_F_RING_PACKED, VIRTIO_F_IN_ORDER, VIRTIO_NET_F_GUEST_ANNOUNCE,
		VIRTIO_NET_F_MTU};
	struct tn_port *port = make_port("server");
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
	assert_int_equal(access(path, F_OK), -1);
}

static void test_one_guest_a_port(void **state)
{
	struct tn_port *port = make_port("server");
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
	struct tn_port *port = make_port("server");
	struct tn_packet packets[TN_BURST];
	struct guest g;

	(void)state;
	assert_int_equal(receive(port, packets), 0);
	boot(&g, connect_to_port());
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
	struct tn_port *port = make_port("server");
	struct tn_port_wire_stats stats;
	struct tn_packet packets[TN_BURST];
	struct guest g;

	(void)state;
	boot(&g, connect_to_port());
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
		struct tn_port *port = make_port("server");
		struct tn_packet packets[TN_BURST];
		struct guest g;

		boot(&g, connect_to_port());
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
	struct tn_port *port = make_port("server");
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
	port = make_port("server");
	boot(&g, connect_to_port());
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
	struct tn_port *port = make_port("client");
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
		boot(&g, accept(listener, NULL, NULL));
		assert_true(port->ops->link_up(port));
		port->ops->maintain(port, now += 2 * SECOND);
		send_frame(&g, 0, 1);
		assert_int_equal(receive(port, packets), 1);
		give_back(packets, 1);
		halt(&g);
	}
	port->ops->destroy(port);
	close(listener);
	unlink(path);
	check_no_leak();
}

static int start_dpdk(void **state)
{
	static char words[][24] = {"test", "--lcores=0@0", "--no-huge", "-m", "32", "--no-pci",
		"--no-shconf", "--no-telemetry", "--log-level=critical"};
	char *argv[TN_ARRAY_SIZE(words) + 1] = {NULL};

	(void)state;
	snprintf(path, sizeof(path), "/tmp/test_vhost.%d", (int)getpid());
	for (size_t i = 0; i < TN_ARRAY_SIZE(words); i++)
		argv[i] = words[i];
	if (rte_eal_init(TN_ARRAY_SIZE(words), argv) < 0)
		return -1;
	pool = rte_pktmbuf_pool_create("buffers", BUFFERS, 0, 0, 2048 + 128, 0);
	return pool ? 0 : -1;
}

static int stop_dpdk(void **state)
{
	(void)state;
	rte_mempool_free(pool);
	return rte_eal_cleanup();
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
