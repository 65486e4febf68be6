/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A source of many flows that touches no memory of its own for each: loaded beside a DPDK program
 * (LD_PRELOAD), it writes the frames of peers/mkpcap, flow after flow and round again, into what
 * the device net_nullG0 receives. A capture of a million flows would keep a million buffers, whose
 * cache misses would be counted as the switch's.
 *
 * TENON_BENCH_FLOWS: how many flows. TENON_BENCH_FRAMES: end after so many frames; 0: never.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_ethdev.h>

#define DEVICE "net_nullG0"
#define FRAME  60u

static struct {
	uint32_t n_flows, next;
	uint32_t host, sport, dport; /* of the next flow */
	uint64_t left;
	bool ends;
	uint8_t frame[FRAME + 4];
	uint32_t sum; /* of the IPv4 header without its source address's low half */
} source;

static void put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void next_flow(void)
{
	source.host = source.host == 253 ? 0 : source.host + 1;
	if (++source.sport == 1024 + 60000) {
		source.sport = 1024;
		source.dport++;
	}
	if (++source.next == source.n_flows) {
		source.next = source.host = 0;
		source.sport = 1024;
		source.dport = 2000;
	}
}

static void make_frame(uint8_t *d)
{
	uint32_t low = source.host + 1, sum = source.sum + low; /* 10.0.0.0 + low */

	sum = (sum & 0xffff) + (sum >> 16);
	memcpy(d, source.frame, FRAME);
	put16(d + 24, ~(sum + (sum >> 16)) & 0xffff);
	put16(d + 28, low);
	put16(d + 34, source.sport);
	put16(d + 36, source.dport);
}

static uint16_t received(uint16_t port, uint16_t queue, struct rte_mbuf **mbufs, uint16_t n,
	uint16_t max, void *user)
{
	uint16_t wanted = source.ends && source.left < n ? (uint16_t)source.left : n;

	(void)port;
	(void)queue;
	(void)max;
	(void)user;
	for (uint16_t i = 0; i < wanted; i++) {
		mbufs[i]->data_len = FRAME;
		mbufs[i]->pkt_len = FRAME;
		make_frame(rte_pktmbuf_mtod(mbufs[i], uint8_t *));
		next_flow();
	}
	for (uint16_t i = wanted; i < n; i++)
		rte_pktmbuf_free(mbufs[i]);
	source.left -= wanted;
	return wanted;
}

static void make_template(void)
{
	static const uint8_t head[42] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0,	    /* */
		0x45, 0, 0, FRAME - 14, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 0, 10, 1, 0, 2, /* */
		0, 0, 0, 0, 0, FRAME - 34, 0, 0};

	memset(source.frame, 'x', sizeof(source.frame));
	memcpy(source.frame, head, sizeof(head));
	for (unsigned i = 14; i < 34; i += 2)
		source.sum += (uint32_t)head[i] << 8 | head[i + 1];
}

static uint64_t number(const char *name)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 10) : 0;
}

/* The program's call of the library comes here first. */
int rte_eth_dev_start(uint16_t port)
{
	static int (*next)(uint16_t);
	char name[RTE_ETH_NAME_MAX_LEN];

	if (!next)
		next = (int (*)(uint16_t))dlsym(RTLD_NEXT, "rte_eth_dev_start");
	if (!next)
		abort();
	source.n_flows = (uint32_t)number("TENON_BENCH_FLOWS");
	if (source.n_flows && !rte_eth_dev_get_name_by_port(port, name) && !strcmp(name, DEVICE)) {
		source.left = number("TENON_BENCH_FRAMES");
		source.ends = source.left > 0;
		source.sport = 1024;
		source.dport = 2000;
		make_template();
		if (!rte_eth_add_rx_callback(port, 0, received, NULL))
			return -ENOMEM;
	}
	return next(port);
}
