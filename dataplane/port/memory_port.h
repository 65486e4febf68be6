/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A port without a wire, for tests: they put frames in and take out what was sent. Both ends may be
 * used from any thread at once.
 */
#ifndef TN_PORT_MEMORY_PORT_H
#define TN_PORT_MEMORY_PORT_H

#include "dataplane/core/error.h"
#include "dataplane/fastpath/port.h"
#include "dataplane/port/port_factory.h"

struct tn_memory_config {
	unsigned n_frames;		   /* each way, before it is full; 0: 256 */
	uint16_t n_rx_queues, n_tx_queues; /* 0: 1 */
	bool tells;			   /* has descriptors that wake who waits for a frame */
	const struct tn_buffer_ops *buffers;
	void *buffers_ctx;
};

struct tn_port *tn_memory_port_new(const struct tn_memory_config *config, struct tn_error *err);

/* A frame that comes in by that queue; it is copied. -ENOBUFS: full; -EMSGSIZE: too long. */
int tn_memory_port_inject(
	struct tn_port *port, unsigned queue, const uint8_t *data, uint32_t len) TN_MUST_CHECK;

/* The oldest frame that was sent; its length, 0: none. -EMSGSIZE: longer than size, and gone. */
int tn_memory_port_collect(struct tn_port *port, uint8_t *data, uint32_t size) TN_MUST_CHECK;

/* True at first. */
void tn_memory_port_set_link(struct tn_port *port, bool up);

extern const struct tn_port_kind tn_memory_port_kind;

#endif
