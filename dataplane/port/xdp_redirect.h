/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The XDP program of an AF_XDP port: every frame to the socket of its receive queue; what comes by
 * a queue without one is dropped, so that nothing passes by the switch.
 *
 * It is attached by a BPF link, which belongs to a file descriptor: when the process ends, also by
 * SIGKILL, the kernel detaches it and nothing is left to clean up. Needs CAP_BPF and
 * CAP_NET_ADMIN, and Linux 5.9.
 */
#ifndef TN_PORT_XDP_REDIRECT_H
#define TN_PORT_XDP_REDIRECT_H

#include "dataplane/core/error.h"

struct tn_xdp_redirect {
	int map, prog, link; /* -1: none */
};

#define TN_XDP_REDIRECT_NONE ((struct tn_xdp_redirect){-1, -1, -1})

/*
 * Loads the program and attaches it, in the calling thread's network namespace. An interface that
 * has a program already, ours or another's, is left alone: -EINVAL with err. frags: frames may be
 * longer than a page (Linux 6.6).
 */
int tn_xdp_redirect_attach(struct tn_xdp_redirect *x, const char *ifname, int ifindex,
	unsigned n_queues, bool frags, struct tn_error *err) TN_MUST_CHECK;
/* -errno. */
int tn_xdp_redirect_set(struct tn_xdp_redirect *x, unsigned queue, int socket) TN_MUST_CHECK;
void tn_xdp_redirect_detach(struct tn_xdp_redirect *x);

#endif
