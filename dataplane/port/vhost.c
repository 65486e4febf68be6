/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Threads: librte_vhost calls back from a thread of its own, or from the main thread within start
 * and unregister. It may free a device when destroy_device() returned, so that waits until every
 * worker has left it: a worker says in its lane that it is in, then looks whether the device is
 * still there; the callback takes the device away, then looks whether a lane is busy. One of both
 * sees the other. A burst is short and never blocks, so the wait is short too.
 *
 * Reconnecting is ours, not librte_vhost's: unregistering a socket there while its guest leaves may
 * put the freed socket on the list of those to reconnect (DPDK 22.11).
 *
 * The library reads and answers messages of all guests in one thread, whole and blocking. Who stops
 * in the middle of one is shown out when STALL_US have passed: until then other guests wait with
 * their messages, not with their frames.
 */
#include "dataplane/port/vhost.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <rte_mbuf.h>
#include <rte_pause.h>
#include <rte_spinlock.h>
#include <rte_vhost.h>

#include "dataplane/port/vhost_offload.h"

#define PAIRS_MAX    128u /* queue pairs that librte_vhost has for a guest */
#define TRIES	     8u	  /* while a guest makes room as we fill its ring */
#define KICKS	     16u  /* looked at in one go */
#define RECONNECT_NS UINT64_C(1000000000)
#define STALL_US     200000
#define NO_DEVICE    (-1)

/* Who is within the device: a lane for each caller, a line for each lane. */
struct lane {
	uint32_t busy;
	uint32_t first; /* rx: the pair that the next burst starts with */
	/* Written by its caller alone. */
	uint64_t dropped, too_short;
	uint64_t large; /* frames that were still to be cut */
} __attribute__((aligned(64)));

struct tx_lock {
	rte_spinlock_t lock;
} __attribute__((aligned(64)));

/*
 * How the worker of a receive queue sleeps: a guest that has nothing to send is asked to kick when
 * it has, and stays asked until it sends. The epoll descriptor has the kicks, and a bell for when a
 * guest or a ring of it comes, both by edges.
 */
struct wait {
	int epoll_fd, bell;
	/* The worker's. */
	uint32_t told; /* number of the rings that know whether they are asked */
	bool asked;
	/* What the look after the asking found: the next rx hands it over. */
	bool unfinished;
	unsigned n_found;
	struct rte_mbuf *found[TN_BURST];
} __attribute__((aligned(64)));

struct vhost_port {
	struct tn_port port; /* first */
	struct tn_dpdk_buffers buffers;
	enum tn_vhost_offloads offloads;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	bool server;
	bool registered;
	int changed; /* eventfd: a guest came or went; the main thread's to read */
	uint64_t next_try_ns;
	unsigned n_workers;
	struct vhost_port *next; /* of all ports */

	int connection;			/* the vid of who is connected, with a device or not */
	int vid;			/* the device that workers use; NO_DEVICE: none */
	uint32_t rings;			/* a number that changes when a ring comes or goes */
	bool gives_unfinished;		/* that device does */
	uint32_t n_pairs;		/* one more than the last pair with a ring in use */
	uint32_t n_tx_pairs;		/* pairs from 0 on that take frames */
	uint8_t enabled[2 * PAIRS_MAX]; /* a ring is in use; even: to the guest, odd: from it */
	int kick[PAIRS_MAX]; /* the guest's kicks for a ring from it; -1: it gives none */
	struct wait *waits;  /* by receive queue */

	struct lane rx_lane[PAIRS_MAX]; /* by receive queue */
	struct lane tx_lane[PAIRS_MAX]; /* by worker */
	struct tx_lock tx_lock[PAIRS_MAX];
};

/* All ports, for callbacks, which get a number or a path. Never held during a call to the library.
 */
static pthread_mutex_t ports_lock = PTHREAD_MUTEX_INITIALIZER;
static struct vhost_port *ports;
static struct vhost_port *by_vid[RTE_MAX_VHOST_DEVICE];

static struct vhost_port *of(struct tn_port *port)
{
	return (struct vhost_port *)(void *)port;
}

/* --- workers ---------------------------------------------------------------------------------- */

/* The device, which stays until leave(), or NO_DEVICE. */
static int enter(struct vhost_port *p, struct lane *lane)
{
	int vid;

	if (__atomic_load_n(&p->vid, __ATOMIC_RELAXED) == NO_DEVICE)
		return NO_DEVICE;
	__atomic_store_n(&lane->busy, 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST); /* "I am in" before the look */
	vid = __atomic_load_n(&p->vid, __ATOMIC_ACQUIRE);
	if (vid == NO_DEVICE)
		__atomic_store_n(&lane->busy, 0, __ATOMIC_RELEASE);
	return vid;
}

static void leave(struct lane *lane)
{
	__atomic_store_n(&lane->busy, 0, __ATOMIC_RELEASE);
}

static void count(uint64_t *counter, unsigned n)
{
	if (n)
		__atomic_store_n(counter, *counter + n, __ATOMIC_RELAXED);
}

/* A receive queue serves its pair and those that are `queues` further on, each first in turn. */
static unsigned dequeue(struct vhost_port *p, unsigned queue, int vid, struct rte_mempool *pool,
	struct rte_mbuf **mbufs, unsigned n)
{
	struct lane *lane = &p->rx_lane[queue];
	unsigned step = p->port.n_rx_queues, got = 0;
	unsigned pairs = __atomic_load_n(&p->n_pairs, __ATOMIC_RELAXED);
	unsigned pair = lane->first < pairs ? lane->first : queue;

	lane->first = pair + step < pairs ? pair + step : queue;
	for (unsigned i = queue; i < pairs && got < n; i += step) {
		if (__atomic_load_n(&p->enabled[2 * pair + 1], __ATOMIC_RELAXED))
			got += rte_vhost_dequeue_burst(vid, (uint16_t)(2 * pair + 1), pool,
				&mbufs[got], (uint16_t)(n - got));
		pair = pair + step < pairs ? pair + step : queue;
	}
	return got;
}

/* Guests need not kick while they are polled, and need to when not. False: one gives no kicks. */
static bool ask_for_kicks(struct vhost_port *p, unsigned queue, int vid, bool on)
{
	unsigned pairs = __atomic_load_n(&p->n_pairs, __ATOMIC_RELAXED);
	bool all = true;

	for (unsigned pair = queue; pair < pairs; pair += p->port.n_rx_queues) {
		if (!__atomic_load_n(&p->enabled[2 * pair + 1], __ATOMIC_RELAXED))
			continue;
		(void)rte_vhost_enable_guest_notification(vid, (uint16_t)(2 * pair + 1), on);
		all &= __atomic_load_n(&p->kick[pair], __ATOMIC_RELAXED) >= 0;
	}
	return all;
}

/* The guest sends: it is polled, and what its kicks left is taken off the descriptor. */
static void end_wait(struct vhost_port *p, unsigned queue, int vid)
{
	struct wait *wait = &p->waits[queue];
	struct epoll_event events[KICKS];

	wait->asked = false;
	wait->told = __atomic_load_n(&p->rings, __ATOMIC_ACQUIRE);
	(void)ask_for_kicks(p, queue, vid, false);
	(void)epoll_wait(wait->epoll_fd, events, KICKS, 0);
}

/* Do all its rings know that they are to kick, or that they need not? */
static bool knows(const struct vhost_port *p, const struct wait *wait, bool asked)
{
	return wait->asked == asked && wait->told == __atomic_load_n(&p->rings, __ATOMIC_RELAXED);
}

static unsigned take_found(struct wait *wait, struct rte_mbuf **mbufs, unsigned n)
{
	unsigned taken = wait->n_found < n ? wait->n_found : n;

	memcpy(mbufs, wait->found, taken * sizeof(*mbufs));
	wait->n_found -= taken;
	memmove(wait->found, wait->found + taken, wait->n_found * sizeof(*mbufs));
	return taken;
}

static unsigned rx(struct tn_port *port, unsigned queue, struct tn_packet *packets, unsigned n)
{
	struct vhost_port *p = of(port);
	struct lane *lane = &p->rx_lane[queue];
	struct wait *wait = &p->waits[queue];
	struct rte_mbuf *mbufs[TN_BURST];
	struct tn_vhost_burst burst;
	unsigned got = 0;
	bool unfinished;
	int vid;

	if (tn_unlikely(wait->n_found)) {
		unfinished = wait->unfinished;
		got = take_found(wait, mbufs, n);
	} else {
		vid = enter(p, lane);
		if (vid == NO_DEVICE)
			return 0;
		unfinished = p->gives_unfinished;
		got = dequeue(
			p, queue, vid, unfinished ? p->buffers.large : p->buffers.pool, mbufs, n);
		if (got && tn_unlikely(!knows(p, wait, false)))
			end_wait(p, queue, vid);
		leave(lane);
	}
	if (!got)
		return 0;
	tn_vhost_from_guest(&p->buffers, unfinished, mbufs, got, packets, &burst);
	count(&lane->dropped, burst.too_long + burst.no_buffer);
	count(&lane->too_short, burst.too_short);
	count(&lane->large, burst.large);
	return burst.kept;
}

static bool prepare_wait(struct tn_port *port, unsigned queue)
{
	struct vhost_port *p = of(port);
	struct lane *lane = &p->rx_lane[queue];
	struct wait *wait = &p->waits[queue];
	bool told;
	int vid;

	if (wait->n_found)
		return false;
	if (knows(p, wait, true))
		return true;
	vid = enter(p, lane);
	if (vid == NO_DEVICE)
		return true;
	wait->told = __atomic_load_n(&p->rings, __ATOMIC_ACQUIRE);
	wait->asked = true;
	told = ask_for_kicks(p, queue, vid, true);
	__atomic_thread_fence(__ATOMIC_SEQ_CST); /* asked before the look */
	wait->unfinished = p->gives_unfinished;
	wait->n_found = dequeue(p, queue, vid,
		wait->unfinished ? p->buffers.large : p->buffers.pool, wait->found, TN_BURST);
	if (wait->n_found || !told)
		end_wait(p, queue, vid);
	leave(lane);
	return told && !wait->n_found;
}

static int wait_fd(struct tn_port *port, unsigned queue)
{
	return of(port)->waits[queue].epoll_fd;
}

static unsigned fill_ring(int vid, unsigned pair, struct rte_mbuf **mbufs, unsigned n)
{
	unsigned sent = 0;

	for (unsigned i = 0; i < TRIES && sent < n; i++) {
		unsigned now = rte_vhost_enqueue_burst(
			vid, (uint16_t)(2 * pair), &mbufs[sent], (uint16_t)(n - sent));

		if (!now)
			break;
		sent += now;
	}
	return sent;
}

/*
 * The first ones for which there are buffers. A guest may have changed what it takes after the fast
 * path looked at that: what it cannot take any more stays, too.
 */
static unsigned prepare(const struct vhost_port *p, const struct tn_packet *packets, unsigned n,
	struct rte_mbuf **mbufs)
{
	for (unsigned i = 0; i < n; i++) {
		if (tn_unlikely(packets[i].offload && !p->port.takes))
			return i;
		mbufs[i] = tn_vhost_to_guest(&p->buffers, &packets[i]);
		if (tn_unlikely(!mbufs[i]))
			return i;
	}
	return n;
}

static unsigned tx(struct tn_port *port, unsigned queue, struct tn_packet *packets, unsigned n)
{
	struct vhost_port *p = of(port);
	struct lane *lane = &p->tx_lane[queue];
	struct rte_mbuf *mbufs[TN_BURST];
	unsigned sent = 0, large = 0, pairs;
	int vid = enter(p, lane);

	if (vid == NO_DEVICE)
		return 0;
	n = prepare(p, packets, n, mbufs);
	pairs = __atomic_load_n(&p->n_tx_pairs, __ATOMIC_RELAXED);
	if (tn_likely(pairs)) {
		struct tx_lock *lock = &p->tx_lock[queue % pairs];

		/* A guest may change its number of pairs while workers are in, so all take it. */
		if (p->n_workers > 1)
			rte_spinlock_lock(&lock->lock);
		sent = fill_ring(vid, queue % pairs, mbufs, n);
		if (p->n_workers > 1)
			rte_spinlock_unlock(&lock->lock);
	}
	leave(lane);
	for (unsigned i = 0; i < sent; i++)
		large += tn_offload_cuts(packets[i].offload);
	count(&lane->large, large);
	for (unsigned i = sent; i < n; i++)
		tn_vhost_take_back(mbufs[i], &packets[i]);
	rte_pktmbuf_free_bulk(mbufs, sent);
	return sent;
}

/* --- callbacks of librte_vhost ---------------------------------------------------------------- */

static struct vhost_port *port_of(int vid)
{
	return vid >= 0 && vid < RTE_MAX_VHOST_DEVICE
		? __atomic_load_n(&by_vid[vid], __ATOMIC_ACQUIRE)
		: NULL;
}

static struct vhost_port *find_path(const char *path)
{
	struct vhost_port *p = ports;

	while (p && strcmp(p->path, path) != 0)
		p = p->next;
	return p;
}

static void ring(int fd)
{
	const uint64_t one = 1;

	(void)!write(fd, &one, sizeof(one));
}

/* A worker that sleeps is to look at what has come. */
static void ring_bell(const struct vhost_port *p, unsigned queue)
{
	ring(p->waits[queue].bell);
}

/*
 * The guest's kicks for a ring from now on; none while the ring is not in use. A copy of the
 * descriptor, as the library closes its own when it likes, and a closed one that the guest holds
 * open, too, would stay in the epoll for ever.
 */
static void set_kick(struct vhost_port *p, int vid, unsigned pair, bool use)
{
	const struct wait *wait = &p->waits[pair % p->port.n_rx_queues];
	struct epoll_event event = {.events = EPOLLIN | EPOLLET};
	struct rte_vhost_vring vring;
	int before = p->kick[pair], fd = -1;

	if (use && !rte_vhost_get_vhost_vring(vid, (uint16_t)(2 * pair + 1), &vring) &&
		vring.kickfd >= 0)
		fd = fcntl(vring.kickfd, F_DUPFD_CLOEXEC, 0);
	if (fd >= 0 && epoll_ctl(wait->epoll_fd, EPOLL_CTL_ADD, fd, &event)) {
		close(fd);
		fd = -1;
	}
	__atomic_store_n(&p->kick[pair], fd, __ATOMIC_RELAXED);
	if (before >= 0) {
		(void)epoll_ctl(wait->epoll_fd, EPOLL_CTL_DEL, before, NULL);
		close(before);
	}
}

/* One of the library's: its end has the path of the socket that we serve, or no name. */
static bool is_connection(const struct vhost_port *p, int fd)
{
	struct sockaddr_un a = {.sun_family = AF_UNSPEC};
	socklen_t len = sizeof(a), size = sizeof(int);
	int listens = 1, type = 0;

	if (getsockname(fd, (struct sockaddr *)&a, &len) || a.sun_family != AF_UNIX ||
		getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) || type != SOCK_STREAM ||
		getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) || listens)
		return false;
	if (!p->server)
		return len <= offsetof(struct sockaddr_un, sun_path);
	return len > offsetof(struct sockaddr_un, sun_path) &&
		!strncmp(a.sun_path, p->path, sizeof(a.sun_path));
}

/*
 * The library does not tell which descriptor a connection has. Those of other guests, which have
 * their limits already, get them again; sockets that do not block have no use for any.
 */
static void limit_stalls(const struct vhost_port *p)
{
	const struct timeval limit = {.tv_usec = STALL_US};
	DIR *dir = opendir("/proc/self/fd");
	const struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		char *end;
		int fd = (int)strtoul(entry->d_name, &end, 10);

		if (*end || !is_connection(p, fd)) /* the folder itself and its parent */
			continue;
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	}
	if (dir)
		closedir(dir);
}

/* One guest a port: whoever comes while it is there is turned away. */
static int on_connect(int vid)
{
	char path[sizeof(ports->path)] = "";
	struct vhost_port *p;
	int rc = -1;

	if (vid >= RTE_MAX_VHOST_DEVICE || rte_vhost_get_ifname(vid, path, sizeof(path)))
		return -1;
	path[sizeof(path) - 1] = '\0';
	pthread_mutex_lock(&ports_lock);
	p = find_path(path);
	if (p && p->connection == NO_DEVICE) {
		memset(p->enabled, 0, sizeof(p->enabled));
		p->n_pairs = p->n_tx_pairs = 0;
		__atomic_store_n(&p->connection, vid, __ATOMIC_RELEASE);
		__atomic_store_n(&by_vid[vid], p, __ATOMIC_RELEASE);
		rc = 0;
	}
	pthread_mutex_unlock(&ports_lock);
	if (!rc)
		limit_stalls(p);
	return rc;
}

/* The number may be another port's guest's by now. */
static void end_connection(struct vhost_port *p, int vid)
{
	for (unsigned pair = 0; pair < PAIRS_MAX; pair++)
		set_kick(p, vid, pair, false);
	pthread_mutex_lock(&ports_lock);
	if (by_vid[vid] == p)
		__atomic_store_n(&by_vid[vid], NULL, __ATOMIC_RELEASE);
	__atomic_store_n(&p->connection, NO_DEVICE, __ATOMIC_RELEASE);
	pthread_mutex_unlock(&ports_lock);
	ring(p->changed);
}

static void on_disconnect(int vid)
{
	struct vhost_port *p = port_of(vid);

	if (p)
		end_connection(p, vid);
}

static int on_device(int vid)
{
	struct vhost_port *p = port_of(vid);
	uint64_t features = 0;

	if (!p || rte_vhost_get_negotiated_features(vid, &features))
		return -1;
	p->gives_unfinished = tn_vhost_gives_unfinished(features);
	__atomic_store_n(&p->port.takes, tn_vhost_takes(features), __ATOMIC_RELAXED);
	__atomic_store_n(&p->vid, vid, __ATOMIC_SEQ_CST);
	__atomic_fetch_add(&p->rings, 1, __ATOMIC_RELEASE);
	for (unsigned q = 0; q < p->port.n_rx_queues; q++)
		ring_bell(p, q);
	ring(p->changed);
	return 0;
}

static void wait_until_left(const struct lane *lane)
{
	for (unsigned i = 0; __atomic_load_n(&lane->busy, __ATOMIC_ACQUIRE); i++) {
		if (i % 64 == 63)
			sched_yield(); /* the worker may want this very core */
		else
			rte_pause();
	}
}

static void on_device_gone(int vid)
{
	struct vhost_port *p = port_of(vid);

	if (!p)
		return;
	__atomic_store_n(&p->vid, NO_DEVICE, __ATOMIC_RELAXED);
	__atomic_store_n(&p->port.takes, 0, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST); /* gone before the look at the lanes */
	for (unsigned i = 0; i < PAIRS_MAX; i++) {
		wait_until_left(&p->rx_lane[i]);
		wait_until_left(&p->tx_lane[i]);
	}
	ring(p->changed);
}

/* Comes before on_device() for the first rings. */
static int on_ring(int vid, uint16_t ring, int enable)
{
	struct vhost_port *p = port_of(vid);
	uint32_t n = PAIRS_MAX, tx = 0;

	if (!p || ring >= 2 * PAIRS_MAX)
		return 0;
	__atomic_store_n(&p->enabled[ring], enable != 0, __ATOMIC_RELAXED);
	while (n && !p->enabled[2 * n - 1] && !p->enabled[2 * n - 2])
		n--;
	while (tx < n && p->enabled[2 * tx])
		tx++;
	__atomic_store_n(&p->n_pairs, n, __ATOMIC_RELAXED);
	__atomic_store_n(&p->n_tx_pairs, tx, __ATOMIC_RELAXED);
	if (ring % 2) {
		set_kick(p, vid, ring / 2, enable);
		__atomic_fetch_add(&p->rings, 1, __ATOMIC_RELEASE);
		ring_bell(p, ring / 2 % p->port.n_rx_queues);
	}
	return 0;
}

static const struct rte_vhost_device_ops callbacks = {
	.new_device = on_device,
	.destroy_device = on_device_gone,
	.vring_state_changed = on_ring,
	.new_connection = on_connect,
	.destroy_connection = on_disconnect,
};

/* --- the socket ------------------------------------------------------------------------------- */

/* No callback for this port runs when it returns. */
static void unregister(struct vhost_port *p)
{
	int vid;

	if (p->registered)
		(void)rte_vhost_driver_unregister(p->path);
	p->registered = false;
	vid = __atomic_load_n(&p->connection, __ATOMIC_ACQUIRE);
	if (vid != NO_DEVICE)
		end_connection(p, vid);
}

/* 0, also when it serves a socket; a client: nobody serves it yet. */
static int start(struct vhost_port *p)
{
	uint64_t flags = RTE_VHOST_USER_NET_COMPLIANT_OL_FLAGS;

	if (!p->server)
		flags |= RTE_VHOST_USER_CLIENT | RTE_VHOST_USER_NO_RECONNECT;
	if (rte_vhost_driver_register(p->path, flags))
		return -1;
	p->registered = true;
	if (!rte_vhost_driver_disable_features(p->path, tn_vhost_features_refused(p->offloads)) &&
		!rte_vhost_driver_callback_register(p->path, &callbacks) &&
		!rte_vhost_driver_start(p->path))
		return 0;
	unregister(p);
	return -1;
}

static bool is_socket(const char *path)
{
	struct stat s;

	return !stat(path, &s) && S_ISSOCK(s.st_mode);
}

/* A client that is not connected tries anew, with all that it had before gone. */
static void maintain(struct tn_port *port, uint64_t now_ns)
{
	struct vhost_port *p = of(port);
	uint64_t times;

	(void)!read(p->changed, &times, sizeof(times));
	if (p->server || __atomic_load_n(&p->connection, __ATOMIC_ACQUIRE) != NO_DEVICE)
		return;
	if (now_ns < p->next_try_ns)
		return;
	p->next_try_ns = now_ns + RECONNECT_NS;
	unregister(p);
	if (is_socket(p->path))
		(void)start(p);
}

static int link_fd(struct tn_port *port)
{
	return of(port)->changed;
}

static uint64_t maintain_due(struct tn_port *port)
{
	const struct vhost_port *p = of(port);

	if (p->server || __atomic_load_n(&p->connection, __ATOMIC_ACQUIRE) != NO_DEVICE)
		return UINT64_MAX;
	return p->next_try_ns;
}

/* True: who made this socket is gone. */
static bool is_abandoned(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool refused;

	if (fd < 0)
		return false;
	memcpy(a.sun_path, path, strlen(path) + 1);
	refused = connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0 && errno == ECONNREFUSED;
	close(fd);
	return refused;
}

static int serve(struct vhost_port *p, const char *name, struct tn_error *err)
{
	if (is_socket(p->path) && is_abandoned(p->path))
		(void)unlink(p->path);
	errno = 0;
	if (!start(p))
		return 0;
	return tn_error_set(err, TN_OFPBRC_BAD_PORT, -1,
		"port %s: cannot serve the socket %s%s%s; its folder must be there and ours to write "
		"to, the file itself must not exist",
		name, p->path, errno ? ": " : "", errno ? strerror(errno) : "");
}

/* --- the port --------------------------------------------------------------------------------- */

static bool link_up(struct tn_port *port)
{
	return __atomic_load_n(&of(port)->vid, __ATOMIC_RELAXED) != NO_DEVICE;
}

static void wire_stats(struct tn_port *port, struct tn_port_wire_stats *stats)
{
	struct vhost_port *p = of(port);

	memset(stats, 0, sizeof(*stats));
	for (unsigned i = 0; i < port->n_rx_queues; i++) {
		const struct lane *lane = &p->rx_lane[i];

		stats->rx_dropped += __atomic_load_n(&lane->dropped, __ATOMIC_RELAXED);
		stats->rx_errors += __atomic_load_n(&lane->too_short, __ATOMIC_RELAXED);
		stats->rx_large += __atomic_load_n(&lane->large, __ATOMIC_RELAXED);
	}
	for (unsigned i = 0; i < port->n_tx_queues; i++)
		stats->tx_large += __atomic_load_n(&p->tx_lane[i].large, __ATOMIC_RELAXED);
}

static void forget(struct vhost_port *p)
{
	pthread_mutex_lock(&ports_lock);
	for (struct vhost_port **at = &ports; *at; at = &(*at)->next) {
		if (*at == p) {
			*at = p->next;
			break;
		}
	}
	pthread_mutex_unlock(&ports_lock);
}

static bool open_waits(struct vhost_port *p)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLET};
	bool ok;

	for (unsigned pair = 0; pair < PAIRS_MAX; pair++)
		p->kick[pair] = -1;
	p->changed = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ok = p->changed >= 0;
	p->waits = aligned_alloc(64, p->port.n_rx_queues * sizeof(*p->waits));
	if (!p->waits)
		return false;
	for (unsigned q = 0; q < p->port.n_rx_queues; q++) {
		struct wait *wait = &p->waits[q];

		memset(wait, 0, sizeof(*wait));
		wait->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
		wait->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		ok &= wait->epoll_fd >= 0 && wait->bell >= 0 &&
			!epoll_ctl(wait->epoll_fd, EPOLL_CTL_ADD, wait->bell, &event);
	}
	return ok;
}

static void close_waits(struct vhost_port *p)
{
	for (unsigned q = 0; p->waits && q < p->port.n_rx_queues; q++) {
		struct wait *wait = &p->waits[q];

		rte_pktmbuf_free_bulk(wait->found, wait->n_found);
		if (wait->epoll_fd >= 0)
			close(wait->epoll_fd);
		if (wait->bell >= 0)
			close(wait->bell);
	}
	if (p->changed >= 0)
		close(p->changed);
	free(p->waits);
}

static void destroy(struct tn_port *port)
{
	struct vhost_port *p = of(port);

	unregister(p);
	forget(p);
	close_waits(p);
	free(p);
}

static const struct tn_port_ops ops = {
	.kind = "vhost-user",
	.rx = rx,
	.tx = tx,
	.wait_fd = wait_fd,
	.prepare_wait = prepare_wait,
	.link_up = link_up,
	.wire_stats = wire_stats,
	.maintain = maintain,
	.link_fd = link_fd,
	.maintain_due = maintain_due,
	.destroy = destroy,
};

/* False: another port has that socket. */
static bool remember(struct vhost_port *p)
{
	bool alone;

	pthread_mutex_lock(&ports_lock);
	alone = !find_path(p->path);
	if (alone) {
		p->next = ports;
		ports = p;
	}
	pthread_mutex_unlock(&ports_lock);
	return alone;
}

static struct vhost_port *new_port(const struct tn_port_spec *spec,
	const struct tn_port_resources *resources, const char *path, bool server,
	enum tn_vhost_offloads offloads)
{
	struct vhost_port *p = aligned_alloc(64, sizeof(*p));

	if (!p)
		return NULL;
	memset(p, 0, sizeof(*p));
	memcpy(p->path, path, strlen(path) + 1);
	p->server = server;
	p->buffers.pool = resources->pool;
	p->buffers.large = resources->large;
	p->offloads = offloads;
	p->n_workers = resources->n_workers;
	p->connection = p->vid = NO_DEVICE;
	p->port.ops = &ops;
	p->port.mtu = spec->mtu;
	p->port.n_rx_queues = (uint16_t)tn_port_option_integer(spec, "queues", 1);
	p->port.n_tx_queues = (uint16_t)resources->n_workers;
	for (unsigned i = 0; i < PAIRS_MAX; i++)
		rte_spinlock_init(&p->tx_lock[i].lock);
	if (open_waits(p))
		return p;
	close_waits(p);
	free(p);
	return NULL;
}

static int parse_offloads(
	const struct tn_port_spec *spec, enum tn_vhost_offloads *offloads, struct tn_error *err)
{
	static const char *const names[] = {
		[TN_VHOST_NO_OFFLOADS] = "none",
		[TN_VHOST_CHECKSUMS] = "checksum",
		[TN_VHOST_ALL_OFFLOADS] = "all",
	};
	const char *text = tn_port_option_string(spec, "offloads", "all");

	for (unsigned i = 0; i < TN_ARRAY_SIZE(names); i++) {
		if (!strcmp(text, names[i])) {
			*offloads = (enum tn_vhost_offloads)i;
			return 0;
		}
	}
	return tn_error_set(err, TN_OFPBRC_BAD_PORT, -1,
		"port %s: option \"offloads\" takes \"all\", \"checksum\" or \"none\"", spec->name);
}

static int check_options(const struct tn_port_spec *spec, const char *path, const char *mode,
	bool *server, struct tn_error *err)
{
	*server = !strcmp(mode, "server");
	if (!*server && strcmp(mode, "client") != 0)
		return tn_error_set(err, TN_OFPBRC_BAD_PORT, -1,
			"port %s: option \"mode\" takes \"client\" (the guest's side serves the "
			"socket) or \"server\"",
			spec->name);
	if (!*path || strlen(path) >= sizeof(ports->path))
		return tn_error_set(err, TN_OFPBRC_BAD_PORT, -1,
			"port %s: the path of a socket has 1 to %zu bytes", spec->name,
			sizeof(ports->path) - 1);
	return 0;
}

static struct tn_port *make(const struct tn_port_spec *spec,
	const struct tn_port_resources *resources, struct tn_error *err)
{
	const char *path = tn_port_option_string(spec, "socket", "");
	const char *mode = tn_port_option_string(spec, "mode", "client");
	struct vhost_port *p;
	enum tn_vhost_offloads offloads = TN_VHOST_NO_OFFLOADS;
	bool server;

	if (check_options(spec, path, mode, &server, err) || parse_offloads(spec, &offloads, err))
		return NULL;
	if (!resources->large)
		offloads = TN_VHOST_NO_OFFLOADS;
	p = new_port(spec, resources, path, server, offloads);
	if (!p) {
		tn_error_set(err, TN_OFPBRC_BAD_PORT, -1, "port %s: no memory or descriptors",
			spec->name);
		return NULL;
	}
	if (!remember(p)) {
		tn_error_set(err, TN_OFPBRC_BAD_PORT, -1,
			"port %s: %s is another port's socket already; give each its own",
			spec->name, p->path);
		close_waits(p);
		free(p);
		return NULL;
	}
	if (server && serve(p, spec->name, err)) {
		destroy(&p->port);
		return NULL;
	}
	maintain(&p->port, 0);
	return &p->port;
}

static const struct tn_port_option_rule rules[] = {
	{.key = "socket", .type = TN_OPTION_STRING, .required = true},
	{.key = "mode", .type = TN_OPTION_STRING},
	{.key = "offloads", .type = TN_OPTION_STRING},
	{.key = "queues", .type = TN_OPTION_INTEGER, .min = 1, .max = 64},
	{.key = NULL},
};

const struct tn_port_kind tn_vhost_port_kind = {
	.type = "vhost-user",
	.rules = rules,
	.make = make,
};
