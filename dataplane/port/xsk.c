/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/port/xsk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>

#include <xdp/xsk.h>

#include "dataplane/core/view.h"
#include "dataplane/core/wire.h"

/* Linux 6.6; younger than the headers of the oldest system we build on. */
#ifndef XDP_USE_SG
#define XDP_USE_SG (1 << 4)
#endif
#ifndef XDP_PKT_CONTD
#define XDP_PKT_CONTD (1 << 0)
#endif

#define FRAME_SMALL    2048u
#define FRAME_LARGE    4096u /* a page */
#define TAGS_LEN       8u    /* two tags beside the Ethernet header */
#define RX_HEADROOM    256u  /* what XDP keeps free before a frame */
#define MTU_SINGLE_MAX 3000u /* a page less what veth and the kernel's own records take */
#define KICKS_MAX      4u
/* A process that was killed holds its socket for a moment longer than its name. */
#define BIND_TRIES   20u
#define BIND_WAIT_NS 50000000L

struct tn_xsk {
	/* Receive. */
	struct xsk_ring_cons rx;
	struct xsk_ring_prod fill;
	uint64_t *held; /* frames of ours that the kernel does not have */
	uint32_t n_held;
	uint32_t part_len; /* of the frame that is being put together; its end is yet to come */
	bool part_bad;
	uint8_t *part;
	uint64_t rx_errors; /* atomic */

	/* Send; a line of its own. */
	struct xsk_ring_prod tx __attribute__((aligned(TN_CACHE_LINE)));
	struct xsk_ring_cons completed;
	uint64_t *spare; /* frames that are free to send with */
	uint32_t n_spare, queued;

	/* Does not change. */
	uint8_t *area __attribute__((aligned(TN_CACHE_LINE)));
	size_t area_size;
	uint32_t frame_size, n_frames, len_max;
	bool frags;
	int fd;
	struct xsk_umem *umem;
	struct xsk_socket *socket;
};

bool tn_xsk_mtu_needs_frags(uint32_t mtu)
{
	return mtu > MTU_SINGLE_MAX;
}

int tn_xsk_fd(const struct tn_xsk *x)
{
	return x->fd;
}

/* Frames that were looked at, back to the kernel to receive into. */
static void give_back(struct tn_xsk *x)
{
	uint32_t n = xsk_prod_nb_free(&x->fill, x->n_held), at;

	if (n > x->n_held)
		n = x->n_held;
	if (!n || !xsk_ring_prod__reserve(&x->fill, n, &at))
		return;
	for (uint32_t i = 0; i < n; i++)
		*xsk_ring_prod__fill_addr(&x->fill, at + i) = x->held[--x->n_held];
	xsk_ring_prod__submit(&x->fill, n);
	if (xsk_ring_prod__needs_wakeup(&x->fill))
		(void)recvfrom(x->fd, NULL, 0, MSG_DONTWAIT, NULL, NULL);
}

/* A piece of a frame that came in several; true: it is the last one and the frame is whole. */
static bool put_together(
	struct tn_xsk *x, const uint8_t *data, uint32_t len, bool last, struct tn_xsk_frame *frame)
{
	bool whole;

	if (x->part_len + len > TN_FRAME_MAX)
		x->part_bad = true;
	if (!x->part_bad) {
		memcpy(x->part + x->part_len, data, len);
		x->part_len += len;
	}
	if (!last)
		return false;
	whole = !x->part_bad;
	if (!whole)
		__atomic_store_n(&x->rx_errors, x->rx_errors + 1, __ATOMIC_RELAXED);
	*frame = (struct tn_xsk_frame){.data = x->part, .len = x->part_len};
	x->part_len = 0;
	x->part_bad = false;
	return whole;
}

unsigned tn_xsk_receive(struct tn_xsk *x, struct tn_xsk_frame *frames, unsigned n)
{
	uint32_t at = 0, there, used;
	bool put = false;
	unsigned got = 0;

	if (x->n_held)
		give_back(x);
	there = xsk_ring_cons__peek(&x->rx, n, &at);
	if (!there)
		return 0;
	/* One frame in pieces a call: there is one place to put it together. */
	for (used = 0; used < there && !put; used++) {
		const struct xdp_desc *d = xsk_ring_cons__rx_desc(&x->rx, at + used);
		bool last = !(d->options & XDP_PKT_CONTD);
		uint8_t *data = x->area + d->addr;

		x->held[x->n_held++] = d->addr & ~(uint64_t)(x->frame_size - 1);
		if (last && !x->part_len && !x->part_bad) {
			frames[got++] = (struct tn_xsk_frame){.data = data, .len = d->len};
		} else {
			put = put_together(x, data, d->len, last, &frames[got]);
			got += put;
		}
	}
	xsk_ring_cons__cancel(&x->rx, there - used);
	xsk_ring_cons__release(&x->rx, used);
	return got;
}

/* Frames the kernel has sent. */
static void reclaim(struct tn_xsk *x)
{
	uint32_t at = 0, n = xsk_ring_cons__peek(&x->completed, x->n_frames, &at);

	for (uint32_t i = 0; i < n; i++)
		x->spare[x->n_spare++] = *xsk_ring_cons__comp_addr(&x->completed, at + i);
	if (n)
		xsk_ring_cons__release(&x->completed, n);
}

int tn_xsk_send(struct tn_xsk *x, const uint8_t *data, uint32_t len)
{
	uint32_t pieces = (len + x->frame_size - 1) / x->frame_size, at;

	if (len < TN_ETH_LEN || len > x->len_max)
		return -EMSGSIZE;
	if (x->n_spare < pieces)
		reclaim(x);
	if (x->n_spare < pieces || !xsk_ring_prod__reserve(&x->tx, pieces, &at))
		return -ENOBUFS;
	for (uint32_t i = 0; i < pieces; i++) {
		struct xdp_desc *d = xsk_ring_prod__tx_desc(&x->tx, at + i);

		d->addr = x->spare[--x->n_spare];
		d->len = len < x->frame_size ? len : x->frame_size;
		d->options = i + 1 < pieces ? XDP_PKT_CONTD : 0;
		memcpy(x->area + d->addr, data, d->len);
		data += d->len;
		len -= d->len;
	}
	x->queued += pieces;
	return 0;
}

void tn_xsk_flush(struct tn_xsk *x)
{
	if (!x->queued)
		return;
	xsk_ring_prod__submit(&x->tx, x->queued);
	x->queued = 0;
	if (xsk_ring_prod__needs_wakeup(&x->tx))
		tn_xsk_kick(x);
}

bool tn_xsk_waiting(const struct tn_xsk *x)
{
	return __atomic_load_n(x->tx.producer, __ATOMIC_RELAXED) !=
		__atomic_load_n(x->tx.consumer, __ATOMIC_RELAXED);
}

void tn_xsk_kick(struct tn_xsk *x)
{
	/* The kernel sends a few dozen a call and says EAGAIN when there are more. */
	for (unsigned i = 0; i < KICKS_MAX && tn_xsk_waiting(x); i++) {
		if (sendto(x->fd, NULL, 0, MSG_DONTWAIT, NULL, 0) < 0 && errno != EAGAIN)
			return;
	}
}

void tn_xsk_stats(const struct tn_xsk *x, struct tn_xsk_stats *stats)
{
	struct xdp_statistics s = {0};
	socklen_t size = sizeof(s);

	(void)getsockopt(x->fd, SOL_XDP, XDP_STATISTICS, &s, &size);
	stats->rx_dropped = s.rx_dropped + s.rx_ring_full;
	stats->rx_errors = __atomic_load_n(&x->rx_errors, __ATOMIC_RELAXED);
	stats->tx_errors = s.tx_invalid_descs;
}

static bool allocate(struct tn_xsk *x)
{
	x->area_size = (size_t)2 * x->n_frames * x->frame_size;
	x->area = mmap(
		NULL, x->area_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (x->area == MAP_FAILED)
		x->area = NULL;
	x->held = calloc(x->n_frames, sizeof(*x->held));
	x->spare = calloc(x->n_frames, sizeof(*x->spare));
	x->part = x->frags ? malloc(TN_FRAME_MAX) : NULL;
	if (!x->area || !x->held || !x->spare || (x->frags && !x->part))
		return false;
	for (uint32_t i = 0; i < x->n_frames; i++) {
		x->held[x->n_held++] = (uint64_t)i * x->frame_size;
		x->spare[x->n_spare++] = (uint64_t)(x->n_frames + i) * x->frame_size;
	}
	return true;
}

static int bind_socket(struct tn_xsk *x, const struct tn_xsk_config *c)
{
	const struct xsk_socket_config config = {
		.rx_size = x->n_frames,
		.tx_size = x->n_frames,
		.libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD,
		.bind_flags =
			(uint16_t)(XDP_COPY | XDP_USE_NEED_WAKEUP | (x->frags ? XDP_USE_SG : 0)),
	};
	const struct timespec wait = {.tv_nsec = BIND_WAIT_NS};
	int r = -EBUSY;

	for (unsigned i = 0; i < BIND_TRIES && r == -EBUSY; i++) {
		if (i)
			(void)nanosleep(&wait, NULL);
		r = xsk_socket__create(
			&x->socket, c->ifname, c->queue, x->umem, &x->rx, &x->tx, &config);
	}
	return r;
}

static int open_socket(struct tn_xsk *x, const struct tn_xsk_config *c)
{
	const struct xsk_umem_config config = {
		.fill_size = x->n_frames,
		.comp_size = x->n_frames,
		.frame_size = x->frame_size,
	};
	int size, r;

	r = xsk_umem__create(&x->umem, x->area, x->area_size, &x->fill, &x->completed, &config);
	if (r)
		return r;
	r = bind_socket(x, c);
	if (r)
		return r;
	x->fd = xsk_socket__fd(x->socket);
	/* The default would hold back a burst that the receiver has not taken yet. */
	size = (int)(x->n_frames * x->frame_size);
	(void)setsockopt(x->fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	give_back(x);
	return 0;
}

static int no_socket(const struct tn_xsk_config *c, int error, struct tn_error *err)
{
	const char *what = "it takes CAP_NET_RAW, and a kernel with XDP sockets";

	if (error == EBUSY)
		what = "another process has an XDP socket there; stop it";
	else if (error == ENOBUFS)
		what = "raise the limit of locked memory (`ulimit -l`) or give CAP_IPC_LOCK";
	else if (error == EINVAL && tn_xsk_mtu_needs_frags(c->mtu))
		what = "an MTU above 3000 takes Linux 6.6 or later; lower it";
	return tn_error_set(err, TN_OFPBRC_BAD_PORT, -1,
		"cannot open an XDP socket on queue %u of interface '%.16s': %s; %s", c->queue,
		c->ifname, strerror(error), what);
}

struct tn_xsk *tn_xsk_new(const struct tn_xsk_config *config, struct tn_error *err)
{
	struct tn_xsk *x = aligned_alloc(TN_CACHE_LINE, sizeof(*x));
	int r = -ENOMEM;

	if (x) {
		memset(x, 0, sizeof(*x));
		x->fd = -1;
		x->n_frames = config->n_frames;
		x->len_max = config->mtu + TN_ETH_LEN + TAGS_LEN;
		x->frags = tn_xsk_mtu_needs_frags(config->mtu);
		x->frame_size = config->mtu + TN_ETH_LEN + TAGS_LEN + RX_HEADROOM <= FRAME_SMALL
			? FRAME_SMALL
			: FRAME_LARGE;
		if (allocate(x))
			r = open_socket(x, config);
	}
	if (!r)
		return x;
	tn_xsk_free(x);
	(void)no_socket(config, -r, err);
	return NULL;
}

void tn_xsk_free(struct tn_xsk *x)
{
	if (!x)
		return;
	if (x->socket)
		xsk_socket__delete(x->socket);
	if (x->umem)
		(void)xsk_umem__delete(x->umem);
	if (x->area)
		(void)munmap(x->area, x->area_size);
	free(x->held);
	free(x->spare);
	free(x->part);
	free(x);
}
