/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/underlay/netlink.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "control/underlay/decode.h"

/* The kernel gives a dump in pieces of up to 32 KB. */
#define BUFFER_BYTES (128u << 10)
/* Of events that wait for us: some 20,000 routes. */
#define QUEUE_BYTES (16 << 20)
/* Messages of a socket a turn of the loop. */
#define READS_A_TURN 32u
/* Dumps take at most a fifth of our time, and come at most so often. */
#define REST_FACTOR 4u
#define REST_MIN_NS UINT64_C(20000000)

static const uint32_t groups[] = {RTNLGRP_LINK, RTNLGRP_NEIGH, RTNLGRP_IPV4_IFADDR,
	RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE, RTNLGRP_NEXTHOP};

/* What is asked for, in this order: events of later kinds name things of earlier ones. */
static const struct step {
	enum tn_kernel_kind kind;
	uint16_t type;
	uint8_t family;
} steps[] = {
	{TN_KERNEL_LINK, RTM_GETLINK, AF_UNSPEC},
	{TN_KERNEL_NEXTHOP, RTM_GETNEXTHOP, AF_UNSPEC},
	{TN_KERNEL_ADDRESS, RTM_GETADDR, AF_UNSPEC},
	{TN_KERNEL_ROUTE, RTM_GETROUTE, AF_INET},
	{TN_KERNEL_ROUTE, RTM_GETROUTE, AF_INET6},
	{TN_KERNEL_NEIGHBOUR, RTM_GETNEIGH, AF_UNSPEC},
};

#define ALL_KINDS ((1u << TN_KERNEL_N_KINDS) - 1)

struct tn_netlink {
	struct tn_loop *loop;
	tn_netlink_fn changed;
	void *ctx;
	struct tn_kernel *kernel;
	int events, dumps, asks, timer; /* descriptors */
	unsigned pending;		/* kinds to be dumped */
	unsigned missing;		/* kinds that never were */
	bool dumping, resting;
	unsigned step;
	bool interrupted; /* things changed while the kernel dumped them */
	uint32_t sequence;
	uint64_t round_started_ns;
	struct tn_netlink_counts counts;
	struct tn_decoded decoded;
	uint8_t buffer[BUFFER_BYTES] __attribute__((aligned(NLMSG_ALIGNTO)));
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* --- sockets --- */

static int open_socket(void)
{
	struct sockaddr_nl any = {.nl_family = AF_NETLINK};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

	if (fd < 0)
		return -1;
	if (!bind(fd, (struct sockaddr *)&any, sizeof(any)))
		return fd;
	close(fd);
	return -1;
}

static int open_events(void)
{
	const int size = QUEUE_BYTES;
	int fd = open_socket();

	if (fd < 0)
		return -1;
	/* Past the system's limit where we may. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	for (unsigned i = 0; i < TN_ARRAY_SIZE(groups); i++) {
		/* A kernel without nexthop objects does not know their group. */
		if (setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &groups[i],
			    sizeof(groups[i])) &&
			groups[i] != RTNLGRP_NEXTHOP) {
			close(fd);
			return -1;
		}
	}
	return fd;
}

static int open_dumps(void)
{
	const int on = 1;
	int fd = open_socket();

	/* So that the kernel leaves out other tables; else we do. */
	if (fd >= 0)
		(void)setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
	return fd;
}

/* A message of the kernel's. 0: none now. -errno. */
static int receive(struct tn_netlink *n, int fd)
{
	struct sockaddr_nl from;
	struct iovec iov = {n->buffer, sizeof(n->buffer)};
	struct msghdr msg = {
		.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov, .msg_iovlen = 1};
	ssize_t len;

	do {
		len = recvmsg(fd, &msg, 0);
		/* What another process sent is not news, what was cut is not whole. */
		if (len > 0 && (from.nl_pid || msg.msg_flags & MSG_TRUNC))
			return -ENOBUFS;
	} while (len < 0 && errno == EINTR);
	if (len >= 0)
		return (int)len;
	return errno == EAGAIN ? 0 : -errno;
}

/* --- dumps --- */

static void start_step(struct tn_netlink *n);
static void on_dump(void *ctx, uint32_t events);

static void arm_timer(struct tn_netlink *n, uint64_t ns)
{
	const struct itimerspec spec = {.it_value = {
						.tv_sec = (time_t)(ns / 1000000000u),
						.tv_nsec = (long)(ns % 1000000000u),
					}};

	n->resting = true;
	(void)timerfd_settime(n->timer, 0, &spec, NULL);
}

static void listen_to_events(struct tn_netlink *n, bool on)
{
	int rc = tn_loop_modify(n->loop, n->events, on ? EPOLLIN : 0);

	TN_ASSERT(!rc); /* it is among the loop's, and nothing is allocated */
	(void)rc;
}

/* Events wait in their socket while a dump is read: they are applied after it. */
static void start_round(struct tn_netlink *n)
{
	if (n->dumping || n->resting || !n->pending)
		return;
	n->dumping = true;
	n->round_started_ns = now_ns();
	n->step = 0;
	listen_to_events(n, false);
	start_step(n);
}

static void end_round(struct tn_netlink *n)
{
	uint64_t rest = (now_ns() - n->round_started_ns) * REST_FACTOR;

	n->dumping = false;
	arm_timer(n, rest > REST_MIN_NS ? rest : REST_MIN_NS);
	listen_to_events(n, true);
	n->changed(n->ctx);
}

static bool last_of_kind(unsigned step)
{
	return step + 1 == TN_ARRAY_SIZE(steps) || steps[step + 1].kind != steps[step].kind;
}

static void end_step(struct tn_netlink *n)
{
	const struct step *s = &steps[n->step];

	if (last_of_kind(n->step)) {
		tn_kernel_dump_end(n->kernel, s->kind, !n->interrupted);
		n->counts.dumps++;
		if (!n->interrupted) {
			n->missing &= ~TN_KERNEL_BIT(s->kind);
			n->pending &= ~TN_KERNEL_BIT(s->kind);
		}
		n->interrupted = false;
	}
	n->step++;
	start_step(n);
}

/* The next one of a kind that is pending, or the end. */
static void start_step(struct tn_netlink *n)
{
	struct {
		struct nlmsghdr head;
		union {
			struct ifinfomsg link;
			struct ifaddrmsg address;
			struct rtmsg route;
			struct nhmsg nexthop;
			struct ndmsg neighbour;
		};
	} request = {0};
	static const uint32_t sizes[TN_KERNEL_N_KINDS] = {
		[TN_KERNEL_LINK] = sizeof(struct ifinfomsg),
		[TN_KERNEL_NEXTHOP] = sizeof(struct nhmsg),
		[TN_KERNEL_ADDRESS] = sizeof(struct ifaddrmsg),
		[TN_KERNEL_ROUTE] = sizeof(struct rtmsg),
		[TN_KERNEL_NEIGHBOUR] = sizeof(struct ndmsg),
	};
	const struct step *s;

	while (n->step < TN_ARRAY_SIZE(steps) && !(n->pending & TN_KERNEL_BIT(steps[n->step].kind)))
		n->step++;
	if (n->step == TN_ARRAY_SIZE(steps)) {
		end_round(n);
		return;
	}
	s = &steps[n->step];
	if (n->step == 0 || steps[n->step - 1].kind != s->kind)
		tn_kernel_dump_begin(n->kernel, s->kind);
	request.head = (struct nlmsghdr){
		.nlmsg_len = NLMSG_LENGTH(sizes[s->kind]),
		.nlmsg_type = s->type,
		.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
		.nlmsg_seq = ++n->sequence,
	};
	/* The family is the first byte of each of them. */
	request.link.ifi_family = s->family;
	if (s->kind == TN_KERNEL_ROUTE)
		request.route.rtm_table = RT_TABLE_MAIN;
	if (send(n->dumps, &request, request.head.nlmsg_len, 0) < 0)
		n->interrupted = true; /* asked again after a rest */
	else
		return;
	end_step(n);
}

/* One piece. True: the step is done. */
static bool take_piece(struct tn_netlink *n, int len)
{
	struct nlmsghdr *m = (struct nlmsghdr *)n->buffer;
	const struct nlmsgerr *error;

	for (; nlmsg_ok(m, len); m = nlmsg_next(m, &len)) {
		if (m->nlmsg_seq != n->sequence)
			continue;
		n->interrupted |= !!(m->nlmsg_flags & NLM_F_DUMP_INTR);
		if (m->nlmsg_type == NLMSG_DONE)
			return true;
		if (m->nlmsg_type == NLMSG_ERROR) {
			error = nlmsg_data(m);
			/* What the kernel does not have, it does not have any of. */
			n->interrupted |= error->error != -EOPNOTSUPP && error->error != -EINVAL;
			return true;
		}
		if (tn_netlink_decode(m, &n->decoded) &&
			n->decoded.event.kind == steps[n->step].kind)
			tn_kernel_dumped(n->kernel, &n->decoded.event);
	}
	return false;
}

static void on_dump(void *ctx, uint32_t events)
{
	struct tn_netlink *n = ctx;

	(void)events;
	for (unsigned i = 0; i < READS_A_TURN; i++) {
		int len = receive(n, n->dumps);

		if (!len || !n->dumping)
			return;
		if (len < 0)
			n->interrupted = true;
		if (len < 0 || take_piece(n, len))
			end_step(n);
	}
}

static void on_rest(void *ctx, uint32_t events)
{
	struct tn_netlink *n = ctx;
	uint64_t times;

	(void)events;
	if (read(n->timer, &times, sizeof(times)) != (ssize_t)sizeof(times))
		return;
	n->resting = false;
	start_round(n);
}

/* --- events --- */

static void take_events(struct tn_netlink *n, int len)
{
	struct nlmsghdr *m = (struct nlmsghdr *)n->buffer;

	for (; nlmsg_ok(m, len); m = nlmsg_next(m, &len)) {
		n->counts.events++;
		if (tn_netlink_decode(m, &n->decoded))
			n->pending |= tn_kernel_apply(n->kernel, &n->decoded.event, NULL);
	}
}

/* What is queued is older than what was lost: the dump that follows knows both. */
static void overrun(struct tn_netlink *n)
{
	n->counts.overruns++;
	n->pending = ALL_KINDS;
	for (unsigned i = 0; i < 100000; i++) {
		int rc = receive(n, n->events);

		if (!rc)
			break;
	}
}

static void on_events(void *ctx, uint32_t events)
{
	struct tn_netlink *n = ctx;
	int len = 0;

	(void)events;
	if (n->dumping)
		return;
	for (unsigned i = 0; i < READS_A_TURN; i++) {
		len = receive(n, n->events);
		if (len < 0)
			overrun(n);
		if (len <= 0)
			break;
		take_events(n, len);
	}
	if (!len)
		tn_kernel_caught_up(n->kernel);
	start_round(n);
	n->changed(n->ctx);
}

/* Only what it refused is answered. */
static void on_refusal(void *ctx, uint32_t events)
{
	struct tn_netlink *n = ctx;

	(void)events;
	for (unsigned i = 0; i < READS_A_TURN; i++) {
		struct nlmsghdr *m = (struct nlmsghdr *)n->buffer;
		int len = receive(n, n->asks);

		if (!len)
			return;
		for (; nlmsg_ok(m, len); m = nlmsg_next(m, &len)) {
			const struct nlmsgerr *error = nlmsg_data(m);

			if (m->nlmsg_type != NLMSG_ERROR || !error->error)
				continue;
			n->counts.refused++;
			n->counts.refused_errno = -error->error;
		}
	}
}

/* --- life --- */

static int watch(struct tn_netlink *n)
{
	int rc = tn_loop_add(n->loop, n->events, EPOLLIN, on_events, n);

	if (!rc)
		rc = tn_loop_add(n->loop, n->dumps, EPOLLIN, on_dump, n);
	if (!rc)
		rc = tn_loop_add(n->loop, n->asks, EPOLLIN, on_refusal, n);
	if (!rc)
		rc = tn_loop_add(n->loop, n->timer, EPOLLIN, on_rest, n);
	return rc;
}

struct tn_netlink *tn_netlink_new(
	struct tn_loop *loop, tn_netlink_fn changed, void *ctx, struct tn_error *err)
{
	struct tn_netlink *n = calloc(1, sizeof(*n));
	int rc = -ENOMEM;

	if (n) {
		n->loop = loop;
		n->changed = changed;
		n->ctx = ctx;
		n->pending = n->missing = ALL_KINDS;
		n->kernel = tn_kernel_new(0);
		n->events = open_events();
		n->dumps = open_dumps();
		n->asks = open_socket();
		n->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
		rc = n->events < 0 || n->dumps < 0 || n->asks < 0 || n->timer < 0 ? -errno : 0;
		if (!n->kernel)
			rc = -ENOMEM;
		if (!rc)
			rc = watch(n);
	}
	if (rc) {
		tn_netlink_free(n);
		(void)tn_error_set(err, TN_OF_OK, -1,
			"the kernel's routes cannot be watched: %s; see \"underlay\" in the "
			"configuration to do without",
			strerror(-rc));
		return NULL;
	}
	start_round(n);
	return n;
}

static void close_one(struct tn_netlink *n, int fd)
{
	if (fd < 0)
		return;
	tn_loop_remove(n->loop, fd);
	close(fd);
}

void tn_netlink_free(struct tn_netlink *n)
{
	if (!n)
		return;
	close_one(n, n->events);
	close_one(n, n->dumps);
	close_one(n, n->asks);
	close_one(n, n->timer);
	tn_kernel_free(n->kernel);
	free(n);
}

const struct tn_kernel *tn_netlink_kernel(const struct tn_netlink *n)
{
	return n->kernel;
}

bool tn_netlink_settled(const struct tn_netlink *n)
{
	return !n->dumping && !n->missing;
}

int tn_netlink_resolve(struct tn_netlink *n, uint32_t link, tn_u128 address)
{
	struct {
		struct nlmsghdr head;
		struct ndmsg neighbour;
		struct rtattr dst;
		uint8_t address[16];
	} request = {0};
	uint32_t ip4;
	bool is_ip4 = tn_u128_is_ip4(address, &ip4);
	struct tn_ip6 ip6 = tn_u128_to_ip6(address);

	request.neighbour = (struct ndmsg){
		.ndm_family = is_ip4 ? AF_INET : AF_INET6,
		.ndm_ifindex = (int)link,
		.ndm_state = NUD_NONE,
		.ndm_flags = NTF_USE,
	};
	request.dst.rta_type = NDA_DST;
	request.dst.rta_len = (unsigned short)RTA_LENGTH(is_ip4 ? 4 : 16);
	/* An IPv4 address is the end of its mapped form. */
	memcpy(request.address, is_ip4 ? ip6.b + 12 : ip6.b, is_ip4 ? 4 : 16);
	request.head = (struct nlmsghdr){
		.nlmsg_len = NLMSG_LENGTH(sizeof(request.neighbour)) + request.dst.rta_len,
		.nlmsg_type = RTM_NEWNEIGH,
		.nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE,
		.nlmsg_seq = ++n->sequence,
	};
	return send(n->asks, &request, request.head.nlmsg_len, 0) < 0 ? -errno : 0;
}

struct tn_netlink_counts tn_netlink_counts(const struct tn_netlink *n)
{
	return n->counts;
}
