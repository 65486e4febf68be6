/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A virtual machine as tests play it: speaks vhost-user over the socket of a port and writes rings
 * into memory that it shares. A question that is answered tells that all before it was done, so
 * nothing sleeps.
 */
#ifndef TESTS_UNIT_VHOST_GUEST_H
#define TESTS_UNIT_VHOST_GUEST_H

#include <sys/un.h>

#include <linux/virtio_net.h>
#include <linux/virtio_ring.h>

#include <rte_mbuf.h>

#include "dataplane/port/dpdk_buffer.h"
#include "dataplane/port/vhost.h"

#define BUFFERS	     255u
#define LARGE	     70u
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

/* Buffers of the port under test, and its socket. */
extern struct tn_dpdk_buffers guest_buffers;
extern char guest_path[64];

/* DPDK with those buffers; for cmocka's groups. */
int start_dpdk(void **state);
int stop_dpdk(void **state);
/* No buffer is missing. */
void check_no_leak(void);

struct tn_port *make_port(const char *mode, const char *offloads);
/* At another socket; found within a second. */
struct tn_port *make_at(const char *path, const char *mode, const char *offloads);

struct sockaddr_un address(void);
int connect_to_port(void);
int connect_to(const char *path);
/* size: of the payload; fd goes along, -1: none. */
void tell(int to, struct message m, size_t size, int fd);
/* The header of a message, and not what it announces. */
void tell_half(int to);
uint64_t ask_features(int fd);
/* The port has closed the connection. */
void expect_end(int fd);
/* The guest's driver starts with these features. */
void boot(struct guest *g, int fd, uint64_t features);
void halt(struct guest *g);

/* Descriptor i of a ring on the guest's buffer of that number. */
struct vring_desc *describe(struct guest *g, uint32_t ring, uint16_t i, uint32_t len);
uint8_t *buffer(struct guest *g, uint32_t ring, uint16_t i);
void offer(struct guest *g, uint32_t ring, uint16_t head);
void send_frame(struct guest *g, uint16_t i, uint8_t fill);
/* A frame with its header over as many descriptors as it takes, from the first on. */
void send_with_header(
	struct guest *g, const struct virtio_net_hdr_v1 *h, const uint8_t *frame, uint32_t len);

unsigned receive(struct tn_port *port, struct tn_packet *packets);
void give_back(struct tn_packet *packets, unsigned n);

#endif
