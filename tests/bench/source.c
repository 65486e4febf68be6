/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A source of many flows that touches no memory of its own for each: loaded beside a DPDK program
 * (LD_PRELOAD), it writes the frames of peers/mkpcap, flow after flow and round again, into what
 * the device net_nullG0 receives. A capture of a million flows would keep a million buffers, whose
 * cache misses would be counted as the switch's.
 *
 * TENON_BENCH_FLOWS: how many flows. TENON_BENCH_FRAMES: end after so many frames; 0: never.
 * TENON_BENCH_GAPS: a file that gets, at the end, the longest time between two calls of receive,
 * and the same without the time that the thread waited for a processor which others had.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_cycles.h>
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

/* Times in TSC cycles; waited_ns: of the kernel, since the thread began. */
static struct {
	const char *path;
	uint64_t last, start, checked, waited_ns;
	uint64_t longest, longest_own;
} gaps;

#define WARM_SECONDS 1u
#define GAP_USEC     100u

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

/* How long this thread was ready to run and did not. */
static uint64_t waited_ns(void)
{
	static __thread int fd = -1;
	char text[96] = "";
	unsigned long long ran, waited = 0;

	if (fd < 0)
		fd = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
	if (pread(fd, text, sizeof(text) - 1, 0) > 0)
		(void)sscanf(text, "%llu %llu", &ran, &waited);
	return waited;
}

/* The time waited is looked at after each gap and every GAP_USEC, so little of it is of others. */
static void measure_gap(void)
{
	uint64_t now = rte_rdtsc(), hz = rte_get_tsc_hz(), gap = now - gaps.last, waited, own;

	gaps.last = now;
	if (!gaps.start)
		gaps.start = now;
	if (now - gaps.checked < GAP_USEC * hz / 1000000)
		return;
	waited = waited_ns();
	own = (uint64_t)((double)(waited - gaps.waited_ns) / 1e9 * (double)hz);
	own = gap > own ? gap - own : 0;
	gaps.waited_ns = waited;
	gaps.last = gaps.checked = rte_rdtsc();
	if (now - gaps.start < WARM_SECONDS * hz)
		return;
	gaps.longest = gap > gaps.longest ? gap : gaps.longest;
	gaps.longest_own = own > gaps.longest_own ? own : gaps.longest_own;
}

static void write_gaps(void)
{
	double us = 1e6 / (double)rte_get_tsc_hz();
	FILE *f = fopen(gaps.path, "we");

	if (!f)
		return;
	fprintf(f, "{\"longest_us\":%.1f,\"own_us\":%.1f}\n", us * (double)gaps.longest,
		us * (double)gaps.longest_own);
	(void)fclose(f);
}

static uint16_t received(uint16_t port, uint16_t queue, struct rte_mbuf **mbufs, uint16_t n,
	uint16_t max, void *user)
{
	uint16_t wanted = source.ends && source.left < n ? (uint16_t)source.left : n;

	(void)port;
	(void)queue;
	(void)max;
	(void)user;
	if (gaps.path)
		measure_gap();
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
		gaps.path = getenv("TENON_BENCH_GAPS");
		make_template();
		if (gaps.path && atexit(write_gaps))
			return -ENOMEM;
		if (!rte_eth_add_rx_callback(port, 0, received, NULL))
			return -ENOMEM;
	}
	return next(port);
}
