/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One AF_XDP socket on one queue of an interface: memory of its own, half of it for frames that
 * come and half for those that go. Copy mode.
 *
 * Threads: one receives, one sends, the main thread may look and kick.
 */
#ifndef TN_PORT_XSK_H
#define TN_PORT_XSK_H

#include "dataplane/core/error.h"
#include "dataplane/core/types.h"

struct tn_xsk;

struct tn_xsk_config {
	const char *ifname;
	unsigned queue;
	uint32_t n_frames; /* each way, a power of two */
	uint32_t mtu;
};

/* Does a frame of this MTU take several buffers? They are a page at most. */
bool tn_xsk_mtu_needs_frags(uint32_t mtu);

/* In the interface's namespace. NULL with err. */
struct tn_xsk *tn_xsk_new(const struct tn_xsk_config *config, struct tn_error *err);
void tn_xsk_free(struct tn_xsk *x);
int tn_xsk_fd(const struct tn_xsk *x);

struct tn_xsk_frame {
	uint8_t *data; /* writable, valid until the next tn_xsk_receive() */
	uint32_t len;
};

/* Up to n frames, now. */
unsigned tn_xsk_receive(struct tn_xsk *x, struct tn_xsk_frame *frames, unsigned n);

/* A copy into the queue. -ENOBUFS: no room; -EMSGSIZE: no interface of this MTU can send it. */
int tn_xsk_send(struct tn_xsk *x, const uint8_t *data, uint32_t len) TN_MUST_CHECK;
/* What was queued becomes the kernel's to send. */
void tn_xsk_flush(struct tn_xsk *x);
/* Asks the kernel once more when frames wait: it had no memory, or the interface was down. */
void tn_xsk_kick(struct tn_xsk *x);
/* Do any? */
bool tn_xsk_waiting(const struct tn_xsk *x);

struct tn_xsk_stats {
	uint64_t rx_dropped, rx_errors, tx_errors;
};

void tn_xsk_stats(const struct tn_xsk *x, struct tn_xsk_stats *stats);

#endif
