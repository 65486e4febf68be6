/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/port/vhost_guest.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_eal.h>

#include <cmocka.h>

struct tn_dpdk_buffers guest_buffers;
char guest_path[64];

static char folder[] = "/tmp/tn-vhost-XXXXXX", bell_path[64];
static struct tn_port *bell;

/* --- the port --- */

static struct sockaddr_un address_of(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	return a;
}

int connect_to(const char *path)
{
	struct sockaddr_un a = address_of(path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

/* librte_vhost looks once a second for sockets that are new to it, and when anything happens. */
static void ring_bell(void)
{
	close(connect_to(bell_path));
}

struct tn_port *make_at(const char *path, const char *mode, const char *offloads)
{
	const struct tn_port_option options[] = {
		{.key = "socket", .type = TN_OPTION_STRING, .string = path},
		{.key = "mode", .type = TN_OPTION_STRING, .string = mode},
		{.key = "offloads", .type = TN_OPTION_STRING, .string = offloads},
	};
	const struct tn_port_spec spec = {.number = 1,
		.name = "vm",
		.type = "vhost-user",
		.options = options,
		.n_options = 3};
	const struct tn_port_resources resources = {
		.pool = guest_buffers.pool, .large = guest_buffers.large, .n_workers = 2};
	struct tn_error err;
	struct tn_port *port;

	err.detail[0] = '\0';
	port = tn_vhost_port_kind.make(&spec, &resources, &err);
	if (!port)
		fail_msg("%s", err.detail);
	return port;
}

struct tn_port *make_port(const char *mode, const char *offloads)
{
	struct tn_port *port = make_at(guest_path, mode, offloads);

	ring_bell();
	return port;
}

void check_no_leak(void)
{
	assert_int_equal(rte_mempool_avail_count(guest_buffers.pool), BUFFERS);
	assert_int_equal(rte_mempool_avail_count(guest_buffers.large), LARGE);
}

/* --- the guest's side --- */

struct sockaddr_un address(void)
{
	return address_of(guest_path);
}

int connect_to_port(void)
{
	return connect_to(guest_path);
}

void tell_half(int to)
{
	struct message m = {.request = SET_FEATURES, .flags = 1, .size = 8};

	assert_int_equal(send(to, &m, 12, MSG_NOSIGNAL), 12);
}

/* fd: goes along; -1: none. */
void tell(int to, struct message m, size_t size, int fd)
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

uint64_t ask_features(int fd)
{
	struct message answer = {0};

	tell(fd, (struct message){.request = GET_FEATURES}, 0, -1);
	assert_int_equal(recv(fd, &answer, 20, MSG_WAITALL), 20);
	assert_int_equal(answer.request, GET_FEATURES);
	return answer.number;
}

void expect_end(int fd)
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

void boot(struct guest *g, int fd, uint64_t features)
{
	*g = (struct guest){.fd = fd};
	tell(fd, (struct message){.request = SET_OWNER}, 0, -1);
	tell(fd, (struct message){.request = SET_FEATURES, .number = features}, 8, -1);
	give_memory(g);
	give_ring(g, TO_GUEST);
	give_ring(g, FROM_GUEST);
	(void)ask_features(fd);
}

void halt(struct guest *g)
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
struct vring_desc *describe(struct guest *g, uint32_t ring, uint16_t i, uint32_t len)
{
	struct vring_desc *d = &g->rings[ring].desc[i];

	d->addr = GUEST_MEMORY + DATA + (uint64_t)(ring * RING + i) * DATA_SIZE;
	d->len = len;
	d->flags = ring == TO_GUEST ? VRING_DESC_F_WRITE : 0;
	d->next = 0;
	return d;
}

uint8_t *buffer(struct guest *g, uint32_t ring, uint16_t i)
{
	return g->memory + DATA + (size_t)(ring * RING + i) * DATA_SIZE;
}

void offer(struct guest *g, uint32_t ring, uint16_t head)
{
	struct vring_avail *a = g->rings[ring].avail;

	a->ring[a->idx % RING] = head;
	__atomic_store_n(&a->idx, (uint16_t)(a->idx + 1), __ATOMIC_RELEASE);
}

void send_frame(struct guest *g, uint16_t i, uint8_t fill)
{
	memset(buffer(g, FROM_GUEST, i), 0, HEADER);
	memset(buffer(g, FROM_GUEST, i) + HEADER, fill, FRAME);
	describe(g, FROM_GUEST, i, HEADER + FRAME);
	offer(g, FROM_GUEST, i);
}

void send_with_header(
	struct guest *g, const struct virtio_net_hdr_v1 *h, const uint8_t *frame, uint32_t len)
{
	uint32_t left = len, room = DATA_SIZE - HEADER, part;
	uint8_t *to = buffer(g, FROM_GUEST, 0) + HEADER;
	struct vring_desc *d;

	memcpy(buffer(g, FROM_GUEST, 0), h, HEADER);
	for (uint16_t i = 0;; i++) {
		part = left < room ? left : room;
		memcpy(to, frame + len - left, part);
		d = describe(g, FROM_GUEST, i, part + (i ? 0 : HEADER));
		left -= part;
		if (!left)
			break;
		d->flags = VRING_DESC_F_NEXT;
		d->next = (uint16_t)(i + 1);
		to = buffer(g, FROM_GUEST, (uint16_t)(i + 1));
		room = DATA_SIZE;
	}
	offer(g, FROM_GUEST, 0);
}

unsigned receive(struct tn_port *port, struct tn_packet *packets)
{
	return port->ops->rx(port, 0, packets, TN_BURST);
}

void give_back(struct tn_packet *packets, unsigned n)
{
	tn_dpdk_buffer_ops.free(&guest_buffers, packets, n);
}

int start_dpdk(void **state)
{
	static char words[][24] = {"test", "--lcores=0@0", "--no-huge", "-m", "64", "--no-pci",
		"--no-shconf", "--no-telemetry", "--log-level=critical"};
	char *argv[TN_ARRAY_SIZE(words) + 1] = {NULL};

	(void)state;
	/* Not named after the process: tests that run side by side may have the same number. */
	if (!mkdtemp(folder))
		return -1;
	snprintf(guest_path, sizeof(guest_path), "%s/guest", folder);
	snprintf(bell_path, sizeof(bell_path), "%s/bell", folder);
	for (size_t i = 0; i < TN_ARRAY_SIZE(words); i++)
		argv[i] = words[i];
	if (rte_eal_init(TN_ARRAY_SIZE(words), argv) < 0)
		return -1;
	guest_buffers.pool = rte_pktmbuf_pool_create("buffers", BUFFERS, 0, 0, 2048 + 128, 0);
	guest_buffers.large = rte_pktmbuf_pool_create("large", LARGE, 0, 0, UINT16_MAX, 0);
	if (!guest_buffers.pool || !guest_buffers.large)
		return -1;
	bell = make_at(bell_path, "server", "none");
	return 0;
}

int stop_dpdk(void **state)
{
	(void)state;
	bell->ops->destroy(bell);
	(void)rmdir(folder);
	rte_mempool_free(guest_buffers.large);
	rte_mempool_free(guest_buffers.pool);
	return rte_eal_cleanup();
}
