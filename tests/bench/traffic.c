/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Both ends of what tests/bench/kernel measures, over IPv4:
 *
 *   traffic serve PORT             takes TCP: of streams all that comes, of questions each byte
 *                                  back; UDP datagrams of that port end at a full buffer
 *   traffic stream ADDRESS PORT S  prints bits a second that TCP takes, after a fifth of a second
 *   traffic ask ADDRESS PORT S     prints the median and the 99th percentile, in ns, of a byte
 *                                  there and back
 *   traffic flood ADDRESS PORT S   sends datagrams of 18 bytes, frames of 60: 64 with their FCS
 *   traffic count INTERFACE S      prints packets a second that come in by it, after a fifth of a
 *                                  second
 *
 * TCP is controlled by CUBIC, the kernel's own default: where a machine's is BBR, its pacing timer
 * and not the way of the packets says how many there are a second.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define WARM_NS	   UINT64_C(200000000)
#define CHUNK	   (256u << 10)
#define BATCH	   64u
#define PAYLOAD	   18u
#define SAMPLES	   (4u << 20)
#define CLIENTS	   8u
#define FIRST_ASKS 'q' /* the first byte of a connection says what it is */
#define CONTROL	   "cubic"

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static struct sockaddr_in address(const char *text, const char *port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};

	if (inet_pton(AF_INET, text, &a.sin_addr) != 1)
		die(text);
	return a;
}

static int connected(int type, char **to)
{
	struct sockaddr_in a = address(to[0], to[1]);
	int fd = socket(AF_INET, type, 0), one = 1;

	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)))
		die("connect");
	if (type != SOCK_STREAM)
		return fd;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, CONTROL, sizeof(CONTROL) - 1))
		die(CONTROL);
	return fd;
}

static uint64_t seconds(const char *text)
{
	return (uint64_t)(atof(text) * 1e9);
}

/* --- the server ------------------------------------------------------------------------------- */

static int bound(int type, const char *port)
{
	struct sockaddr_in a = address("0.0.0.0", port);
	int fd = socket(AF_INET, type, 0), one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)))
		die("bind");
	return fd;
}

static void answer(int fd, char *chunk)
{
	ssize_t n = read(fd, chunk, CHUNK);
	bool asks = n > 0 && chunk[0] == FIRST_ASKS;

	while (n > 0 && (!asks || write(fd, chunk, (size_t)n) == n))
		n = read(fd, chunk, CHUNK);
	close(fd);
}

static int serve(const char *port)
{
	static char chunk[CHUNK];
	int tcp = bound(SOCK_STREAM, port), udp = bound(SOCK_DGRAM, port), small = 1, one = 1;

	setsockopt(udp, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	if (listen(tcp, CLIENTS))
		die("listen");
	puts("ready");
	fflush(stdout);
	for (;;) {
		int fd = accept(tcp, NULL, NULL);

		if (fd < 0)
			die("accept");
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		answer(fd, chunk);
	}
}

/* --- clients ---------------------------------------------------------------------------------- */

static int stream(char **args)
{
	static char chunk[CHUNK];
	int fd = connected(SOCK_STREAM, args);
	uint64_t start = now_ns() + WARM_NS, end = start + seconds(args[2]), now, bytes = 0;

	do {
		ssize_t n = write(fd, chunk, sizeof(chunk));

		if (n < 0)
			die("write");
		now = now_ns();
		if (now < start)
			continue;
		if (!bytes)
			start = now;
		else
			bytes += (uint64_t)n;
		bytes += !bytes;
	} while (now < end);
	printf("%.0f\n", 8e9 * (double)bytes / (double)(now - start));
	return 0;
}

static int by_size(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static int ask(char **args)
{
	int fd = connected(SOCK_STREAM, args);
	uint32_t *samples = malloc(SAMPLES * sizeof(*samples));
	uint64_t start = now_ns(), end = start + WARM_NS + seconds(args[2]), sent, now = start;
	unsigned n = 0;
	char byte = FIRST_ASKS;

	while (samples && now < end && n < SAMPLES) {
		sent = now_ns();
		if (write(fd, &byte, 1) != 1 || read(fd, &byte, 1) != 1)
			die("ask");
		now = now_ns();
		if (now > start + WARM_NS)
			samples[n++] = (uint32_t)(now - sent);
	}
	if (!n)
		return 1;
	qsort(samples, n, sizeof(*samples), by_size);
	printf("%u %u\n", samples[n / 2], samples[n / 100 * 99]);
	return 0;
}

static int flood(char **args)
{
	static char payload[PAYLOAD];
	struct iovec iov = {payload, sizeof(payload)};
	struct mmsghdr batch[BATCH];
	int fd = connected(SOCK_DGRAM, args);
	uint64_t end = now_ns() + seconds(args[2]);

	memset(batch, 0, sizeof(batch));
	for (unsigned i = 0; i < BATCH; i++) {
		batch[i].msg_hdr.msg_iov = &iov;
		batch[i].msg_hdr.msg_iovlen = 1;
	}
	while (now_ns() < end) {
		if (sendmmsg(fd, batch, BATCH, 0) < 0 && errno != ENOBUFS && errno != EAGAIN)
			die("sendmmsg");
	}
	return 0;
}

static uint64_t received(const char *interface)
{
	char path[96];
	unsigned long long n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/class/net/%s/statistics/rx_packets", interface);
	f = fopen(path, "r");
	if (!f || fscanf(f, "%llu", &n) != 1)
		die(path);
	fclose(f);
	return n;
}

static int count(char **args)
{
	uint64_t first, start;

	poll(NULL, 0, WARM_NS / 1000000u);
	start = now_ns();
	first = received(args[0]);
	poll(NULL, 0, (int)(seconds(args[1]) / 1000000u));
	printf("%.0f\n", 1e9 * (double)(received(args[0]) - first) / (double)(now_ns() - start));
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (!strcmp(what, "serve") && argc == 3)
		return serve(argv[2]);
	if (!strcmp(what, "stream") && argc == 5)
		return stream(argv + 2);
	if (!strcmp(what, "ask") && argc == 5)
		return ask(argv + 2);
	if (!strcmp(what, "flood") && argc == 5)
		return flood(argv + 2);
	if (!strcmp(what, "count") && argc == 4)
		return count(argv + 2);
	fprintf(stderr, "usage: see the top of tests/bench/traffic.c\n");
	return 2;
}
