/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The shadow of an uplink: a TAP with the uplink's MAC that holds the host's addresses, so that
 * ARP, ND, ping, routing daemons and ssh work as on any Linux host. What comes by the uplink and is
 * for no tunnel goes to it; what the kernel sends by it goes out by the uplink, past the tables.
 *
 * The host has a budget of frames at each worker: whoever floods its address takes a small share
 * of a core and no more.
 */
#ifndef TN_PORT_SHADOW_H
#define TN_PORT_SHADOW_H

#include "dataplane/core/error.h"
#include "dataplane/fastpath/port.h"

/* A worker's budget: frames a second to the host, and in one go. */
#define TN_SHADOW_RATE	50000u
#define TN_SHADOW_BURST 1024u

struct tn_shadow;

struct tn_shadow_config {
	const char *ifname; /* of the TAP: "uplink0" */
	const char *netns;  /* NULL: this one */
	struct tn_mac mac;  /* the uplink's; zero: the kernel's choice */
	uint32_t mtu;	    /* 0: the kernel's default */
	unsigned n_workers;
	const struct tn_buffer_ops *buffers;
	void *buffers_ctx;
};

/* Main thread. NULL with err. */
struct tn_shadow *tn_shadow_new(const struct tn_shadow_config *config, struct tn_error *err);
void tn_shadow_free(struct tn_shadow *s);

/*
 * A frame for the host, from that worker; takes it. false: the budget is used up or the TAP is
 * full, and the frame is freed.
 */
bool tn_shadow_deliver(
	struct tn_shadow *s, unsigned worker, struct tn_packet *packet, uint64_t now_ns);

/*
 * What the kernel sent, out of the uplink by the worker's transmit queue: by one worker only, a
 * burst a call. Returns frames taken from the kernel; *dropped grows by those the uplink refused.
 */
unsigned tn_shadow_poll(
	struct tn_shadow *s, struct tn_port *uplink, unsigned tx_queue, uint64_t *dropped);

/* Readable when tn_shadow_poll() has work. */
int tn_shadow_fd(const struct tn_shadow *s);
/* The TAP, for its counters and maintain(). */
struct tn_port *tn_shadow_tap(struct tn_shadow *s);

#endif
