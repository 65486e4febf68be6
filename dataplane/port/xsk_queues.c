/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/port/xsk_queues.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/port/partial_checksum.h"
#include "dataplane/port/xsk.h"

#define FRAMES_DEFAULT 1024u

struct tn_xsk_queue {
	struct tn_xsk *xsk;
	uint64_t rx_dropped; /* written by the receiving worker */

	/*
	 * There may be more workers than queues. A worker that has a queue for itself never waits,
	 * and the others would wait in the kernel, which locks the socket too.
	 */
	pthread_spinlock_t lock __attribute__((aligned(TN_CACHE_LINE)));
	uint64_t tx_errors; /* under lock */
} __attribute__((aligned(TN_CACHE_LINE)));

/* Frames of the socket's memory into buffers of the process. */
static unsigned copy_in(const struct tn_xsk_queues *qs, struct tn_xsk_queue *q,
	const struct tn_xsk_frame *frames, unsigned n, struct tn_packet *packets)
{
	unsigned got = 0;

	for (unsigned i = 0; i < n; i++) {
		struct tn_packet f = {.data = frames[i].data, .len = frames[i].len};

		(void)tn_partial_checksum_complete(f.data, f.len);
		if (qs->buffers->clone(qs->buffers_ctx, &f, &packets[got]))
			got++;
		else
			__atomic_store_n(&q->rx_dropped, q->rx_dropped + 1, __ATOMIC_RELAXED);
	}
	return got;
}

unsigned tn_xsk_queues_rx(
	struct tn_xsk_queues *qs, unsigned queue, struct tn_packet *packets, unsigned n)
{
	struct tn_xsk_queue *q = &qs->queues[queue];
	struct tn_xsk_frame frames[TN_BURST];
	unsigned got = 0, some;

	if (n > TN_BURST)
		n = TN_BURST;
	while (got < n) {
		some = tn_xsk_receive(q->xsk, frames, n - got);
		got += copy_in(qs, q, frames, some, packets + got);
		/* Short of what was asked: it is empty, or these came in pieces. */
		if (!some || !tn_xsk_mtu_needs_frags(qs->mtu))
			break;
	}
	return got;
}

unsigned tn_xsk_queues_tx(
	struct tn_xsk_queues *qs, unsigned queue, struct tn_packet *packets, unsigned n)
{
	struct tn_xsk_queue *q = &qs->queues[queue % qs->n];
	unsigned done = 0;

	pthread_spin_lock(&q->lock);
	for (; done < n; done++) {
		int r = tn_xsk_send(q->xsk, packets[done].data, packets[done].len);

		if (r == -ENOBUFS)
			break;
		if (r)
			__atomic_store_n(&q->tx_errors, q->tx_errors + 1, __ATOMIC_RELAXED);
	}
	if (done)
		tn_xsk_flush(q->xsk);
	else
		tn_xsk_kick(q->xsk);
	pthread_spin_unlock(&q->lock);
	qs->buffers->free(qs->buffers_ctx, packets, done);
	return done;
}

int tn_xsk_queues_fd(const struct tn_xsk_queues *qs, unsigned queue)
{
	return tn_xsk_fd(qs->queues[queue].xsk);
}

void tn_xsk_queues_stats(const struct tn_xsk_queues *qs, struct tn_port_wire_stats *stats)
{
	struct tn_xsk_stats s;

	for (unsigned i = 0; i < qs->n; i++) {
		const struct tn_xsk_queue *q = &qs->queues[i];

		tn_xsk_stats(q->xsk, &s);
		stats->rx_dropped += s.rx_dropped;
		stats->rx_dropped += __atomic_load_n(&q->rx_dropped, __ATOMIC_RELAXED);
		stats->rx_errors += s.rx_errors;
		stats->tx_errors += s.tx_errors;
		stats->tx_errors += __atomic_load_n(&q->tx_errors, __ATOMIC_RELAXED);
	}
}

void tn_xsk_queues_kick(struct tn_xsk_queues *qs)
{
	for (unsigned i = 0; i < qs->n; i++)
		tn_xsk_kick(qs->queues[i].xsk);
}

bool tn_xsk_queues_waiting(const struct tn_xsk_queues *qs)
{
	for (unsigned i = 0; i < qs->n; i++) {
		if (tn_xsk_waiting(qs->queues[i].xsk))
			return true;
	}
	return false;
}

int tn_xsk_frames_check(const char *ifname, uint32_t n, struct tn_error *err)
{
	if (!n || (n >= TN_XSK_FRAMES_MIN && n <= TN_XSK_FRAMES_MAX && !(n & (n - 1))))
		return 0;
	return tn_error_set(err, TN_OFPBRC_BAD_PORT, -1,
		"interface '%.16s': %u frames a queue; take a power of two from %u to %u", ifname,
		n, TN_XSK_FRAMES_MIN, TN_XSK_FRAMES_MAX);
}

static int check(const struct tn_xsk_queues_config *c, struct tn_error *err)
{
	if (c->n > TN_XSK_QUEUES_MAX)
		return tn_error_set(err, TN_OFPBRC_BAD_PORT, -1,
			"interface '%.16s' has %u receive queues, more than %u; lower them with "
			"`ethtool -L`",
			c->ifname, c->n, TN_XSK_QUEUES_MAX);
	return tn_xsk_frames_check(c->ifname, c->n_frames, err);
}

int tn_xsk_queues_open(
	struct tn_xsk_queues *qs, const struct tn_xsk_queues_config *config, struct tn_error *err)
{
	struct tn_xsk_config c = {
		.ifname = config->ifname,
		.n_frames = config->n_frames ? config->n_frames : FRAMES_DEFAULT,
		.mtu = config->mtu,
	};
	int r = check(config, err);

	*qs = (struct tn_xsk_queues){
		.buffers = config->buffers,
		.buffers_ctx = config->buffers_ctx,
		.mtu = config->mtu,
	};
	if (r)
		return r;
	qs->queues = aligned_alloc(TN_CACHE_LINE, config->n * sizeof(*qs->queues));
	if (!qs->queues)
		return tn_error_set(err, TN_OFPBRC_BAD_PORT, -1, "no memory for queues");
	for (; qs->n < config->n; qs->n++) {
		struct tn_xsk_queue *q = &qs->queues[qs->n];

		memset(q, 0, sizeof(*q));
		c.queue = qs->n;
		q->xsk = tn_xsk_new(&c, err);
		if (!q->xsk)
			return -EINVAL;
		pthread_spin_init(&q->lock, PTHREAD_PROCESS_PRIVATE);
	}
	return 0;
}

void tn_xsk_queues_close(struct tn_xsk_queues *qs)
{
	for (unsigned i = 0; i < qs->n; i++) {
		tn_xsk_free(qs->queues[i].xsk);
		pthread_spin_destroy(&qs->queues[i].lock);
	}
	free(qs->queues);
	*qs = (struct tn_xsk_queues){0};
}
