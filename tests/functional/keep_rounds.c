/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A client that keeps many bundles on their way to a tenon-dataplane, and a model of what its flows
 * must be after each. The process is killed at random moments and started again: what it then has
 * must be what it acknowledged, with or without what was on its way, bundle by bundle.
 *
 *   keep_rounds kill  DATAPLANE STATE_DIR CAPTURE ROUNDS SEED
 *   keep_rounds fill  SOCKET FILLER      until the disk is full; removes FILLER; goes on
 *   keep_rounds rates SOCKET             changes a second
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "dataplane/api/client.h"
#include "tests/unit/random.h"

#define SLOTS	   900u
#define SMALL	   100u /* slots that small bundles change */
#define BIG_EVERY  23u
#define IN_FLIGHT  16u
#define HISTORY	   4096u
#define TIMEOUT_MS 20000
#define FIRST_MAC  UINT64_C(0x020a00000000)

static void __attribute__((noreturn, format(printf, 1, 2))) die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("keep_rounds: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	exit(1);
}

/* --- the model: which bundle made the flow of each slot; 0: there is none --------------------- */

struct model {
	uint32_t made_by[SLOTS];
};

struct bundle {
	struct tn_mod mods[SLOTS];
	struct tn_flow_mod flows[SLOTS];
	uint32_t n;
};

static const struct tn_action to_2 = {
	.type = TN_ACTION_OUTPUT, .output = {.port = 2, .reason = TN_REASON_DEFAULT}};

static void change_slot(struct bundle *b, struct model *m, uint32_t slot, uint32_t number, bool add)
{
	struct tn_flow_mod *fm = &b->flows[b->n];

	m->made_by[slot] = add ? number : 0;
	if (b->n == SLOTS)
		return;
	b->mods[b->n++] = (struct tn_mod){.kind = TN_MOD_FLOW, .flow = fm};
	tn_flow_mod_init(fm);
	fm->command = add ? TN_FLOW_ADD : TN_FLOW_DELETE_STRICT;
	fm->priority = 10;
	if (add) {
		fm->cookie = number;
		fm->inst.apply = &to_2;
		fm->inst.n_apply = 1;
	}
	tn_match_set_exact(&fm->match, TN_FIELD_ETH_DST, FIRST_MAC | slot);
}

/* What a bundle of this number says, always the same, and what it makes of the model. */
static void make_bundle(struct bundle *b, struct model *m, uint32_t number)
{
	struct random r = {.state = number};

	b->n = 0;
	if (number % BIG_EVERY == 0) {
		for (uint32_t slot = SMALL; slot < SLOTS; slot++)
			change_slot(b, m, slot, number, true);
		return;
	}
	for (unsigned i = 0; i < 8; i++)
		change_slot(b, m, random_below(&r, SMALL), number, random_below(&r, 3));
}

/* --- the connection: bundles go without waiting for receipts ---------------------------------- */

struct link {
	int fd;
	struct tn_api_buffer in;
	struct tn_error refusal; /* of the last receipt that was one */
};

static int connect_to(const char *path)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(to.sun_path, sizeof(to.sun_path), "%s", path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)))
		die("%s: %s", path, strerror(errno));
	return fd;
}

static bool send_message(struct link *l, const struct tn_api_message *m)
{
	struct tn_api_buffer out = {0};
	struct tn_error err;
	ssize_t n = 1;

	if (tn_api_encode(&out, m, &err))
		die("%s", err.detail);
	for (size_t at = 0; at < out.len && n > 0; at += (size_t)n)
		n = send(l->fd, out.data + at, out.len - at, MSG_NOSIGNAL);
	tn_api_buffer_fini(&out);
	return n > 0;
}

/* The next message that came whole; false: the connection ended. */
static bool receive(struct link *l, struct tn_api_arena *arena, struct tn_api_message *m)
{
	struct tn_error err;
	size_t len;

	for (;;) {
		ssize_t n;

		if (tn_api_message_length(l->in.data, l->in.len, &len, &err))
			die("%s", err.detail);
		if (len)
			break;
		if (tn_api_buffer_reserve(&l->in, 65536))
			die("out of memory");
		n = recv(l->fd, l->in.data + l->in.len, l->in.size - l->in.len, 0);
		if (n <= 0)
			return false;
		l->in.len += (size_t)n;
	}
	if (tn_api_decode(l->in.data, len, arena, m, &err))
		die("%s", err.detail);
	tn_api_buffer_consume(&l->in, len);
	return true;
}

/* A receipt's number; 0: the connection ended. *kept: it was not a refusal. */
static uint32_t receive_receipt(struct link *l, bool *kept)
{
	struct tn_api_arena arena;
	struct tn_api_message m;
	uint32_t number = 0;

	tn_api_arena_init(&arena, 0);
	*kept = false;
	if (receive(l, &arena, &m)) {
		if (m.type == TN_API_ERROR)
			die("ERROR: %s", m.error.detail);
		if (m.type != TN_API_RECEIPT)
			die("%s is no receipt", tn_api_type_name(m.type));
		number = (uint32_t)m.request_id;
		*kept = m.receipt.version;
		l->refusal = m.receipt.error;
	}
	tn_api_arena_fini(&arena);
	return number;
}

static void say_hello(struct link *l)
{
	const struct tn_api_message hello = {
		.type = TN_API_HELLO, .request_id = 1, .hello = {.name = "keep_rounds"}};
	struct tn_api_arena arena;
	struct tn_api_message m;

	tn_api_arena_init(&arena, 0);
	if (!send_message(l, &hello) || !receive(l, &arena, &m))
		die("no HELLO_REPLY");
	if (!(m.hello_reply.capabilities & TN_API_CAN_JOURNAL))
		die("it does not say that it keeps a journal");
	tn_api_arena_fini(&arena);
}

static struct link open_link(const char *path)
{
	struct link l = {.fd = connect_to(path)};

	say_hello(&l);
	return l;
}

static void close_link(struct link *l)
{
	close(l->fd);
	tn_api_buffer_fini(&l->in);
}

static bool send_bundle(struct link *l, const struct bundle *b, uint32_t number)
{
	return send_message(l,
		&(struct tn_api_message){.type = TN_API_BUNDLE,
			.request_id = number,
			.bundle = {.mods = b->mods, .n_mods = b->n}});
}

static bool send_and_wait(struct link *l, const struct tn_api_message *m)
{
	bool kept;

	if (!send_message(l, m) || !receive_receipt(l, &kept))
		die("the connection ended");
	return kept;
}

/* --- what the process has --------------------------------------------------------------------- */

static void take_flows(void *ctx, const struct tn_api_part *part)
{
	struct model *m = ctx;

	for (uint32_t i = 0; i < part->n; i++) {
		const struct tn_flow_info *f = &part->flows[i];
		uint64_t mac = (uint64_t)tn_match_value(&f->match, TN_FIELD_ETH_DST);

		if (f->priority != 10)
			continue;
		if (mac < FIRST_MAC || mac - FIRST_MAC >= SLOTS || !f->cookie)
			die("a flow that nobody made");
		m->made_by[mac - FIRST_MAC] = (uint32_t)f->cookie;
	}
}

static struct tn_api_client *client(const char *path)
{
	struct tn_error err;
	struct tn_api_client *c = tn_api_client_connect(path, "keep_rounds", TIMEOUT_MS, &err);

	if (!c)
		die("%s", err.detail);
	return c;
}

static void dump_flows(const char *path, struct model *m)
{
	struct tn_api_dump dump = {.kind = TN_API_FLOWS,
		.table_id = TN_TABLE_ALL,
		.out_port = TN_PORT_ANY,
		.out_group = TN_GROUP_ANY};
	struct tn_api_client *c = client(path);
	struct tn_error err;

	memset(m, 0, sizeof(*m));
	if (tn_api_client_dump(c, &dump, take_flows, m, &err))
		die("%s", err.detail);
	tn_api_client_free(c);
}

static void take_sent(void *ctx, const struct tn_api_part *part)
{
	for (uint32_t i = 0; i < part->n; i++) {
		if (part->ports[i].port.number == 2)
			*(uint64_t *)ctx = part->ports[i].tx.packets;
	}
}

/* Packets leave by port 2. */
static void expect_forwarding(const char *path)
{
	const struct tn_api_dump dump = {.kind = TN_API_PORTS,
		.table_id = TN_TABLE_ALL,
		.out_port = TN_PORT_ANY,
		.out_group = TN_GROUP_ANY};
	struct tn_api_client *c = client(path);
	time_t end = time(NULL) + TIMEOUT_MS / 1000;
	struct tn_error err;
	uint64_t sent = 0;

	while (!sent) {
		if (tn_api_client_dump(c, &dump, take_sent, &sent, &err))
			die("%s", err.detail);
		if (time(NULL) > end)
			die("nothing is forwarded");
	}
	tn_api_client_free(c);
}

/* --- kill ------------------------------------------------------------------------------------- */

struct run {
	const char *dataplane, *dir, *capture;
	char socket[100], notify[100];
	int notify_fd;
	struct random dice;
	struct model past[HISTORY]; /* after bundle n: past[n % HISTORY] */
	uint32_t acked, sent;	    /* numbers of bundles */
	struct bundle bundle;
	unsigned with_more; /* rounds that found a bundle nobody had a receipt for */
};

static void open_notify(struct run *r)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};

	snprintf(at.sun_path, sizeof(at.sun_path), "%s", r->notify);
	unlink(r->notify);
	r->notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (r->notify_fd < 0 || bind(r->notify_fd, (struct sockaddr *)&at, sizeof(at)))
		die("%s: %s", r->notify, strerror(errno));
}

static void wait_ready(struct run *r)
{
	struct pollfd p = {.fd = r->notify_fd, .events = POLLIN};
	char text[64] = "";

	while (!strstr(text, "READY=1")) {
		ssize_t n;

		if (poll(&p, 1, TIMEOUT_MS) != 1)
			die("it does not become ready");
		n = recv(r->notify_fd, text, sizeof(text) - 1, 0);
		text[n > 0 ? n : 0] = '\0';
	}
}

static pid_t start(struct run *r)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork: %s", strerror(errno));
	if (!pid) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		setenv("NOTIFY_SOCKET", r->notify, 1);
		execl(r->dataplane, r->dataplane, "--no-huge", "--memory", "16", "--sessions",
			"1000", "--state", r->dir, "--socket", r->socket, (char *)NULL);
		_exit(127);
	}
	wait_ready(r);
	return pid;
}

static void kill_hard(pid_t pid)
{
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
}

/* Ports and the flow that forwards, once. */
static void furnish(struct run *r)
{
	char devargs[300];
	const struct tn_api_option in = {
		.key = "devargs", .type = TN_API_STRING, .string = devargs};
	const struct tn_api_option out = {
		.key = "devargs", .type = TN_API_STRING, .string = "net_null0,no-rx=1"};
	struct tn_api_message m = {.type = TN_API_PORT_ADD,
		.request_id = 2,
		.port_add = {.number = 1,
			.name = "in",
			.type = "dpdk",
			.enabled = true,
			.options = &in,
			.n_options = 1}};
	struct tn_flow_mod fm;
	const struct tn_mod mod = {.kind = TN_MOD_FLOW, .flow = &fm};
	struct link l = open_link(r->socket);

	snprintf(devargs, sizeof(devargs), "net_pcap0,rx_pcap=%s,infinite_rx=1", r->capture);
	if (!send_and_wait(&l, &m))
		die("%s", l.refusal.detail);
	m.port_add.number = 2;
	m.port_add.name = "out";
	m.port_add.options = &out;
	if (!send_and_wait(&l, &m))
		die("%s", l.refusal.detail);
	tn_flow_mod_init(&fm);
	fm.inst.apply = &to_2;
	fm.inst.n_apply = 1;
	m = (struct tn_api_message){
		.type = TN_API_BUNDLE, .request_id = 3, .bundle = {.mods = &mod, .n_mods = 1}};
	if (!send_and_wait(&l, &m))
		die("%s", l.refusal.detail);
	close_link(&l);
}

static void take_receipt(struct run *r, struct link *l, uint32_t number, bool kept)
{
	if (!kept)
		die("bundle %u is refused: %s", number, l->refusal.detail);
	if (number != r->acked + 1)
		die("the receipt of bundle %u comes after that of %u", number, r->acked);
	r->acked = number;
}

static void send_next(struct run *r, struct link *l)
{
	struct model *m = &r->past[(r->sent + 1) % HISTORY];

	*m = r->past[r->sent % HISTORY];
	make_bundle(&r->bundle, m, r->sent + 1);
	r->sent++;
	(void)send_bundle(l, &r->bundle, r->sent);
}

/* A stream of bundles; the process ends in its middle. */
static void stream_and_kill(struct run *r, pid_t pid)
{
	uint32_t until = r->acked + 1 + random_below(&r->dice, 40);
	struct timespec moment = {.tv_nsec = random_below(&r->dice, 1500000)};
	struct link l = open_link(r->socket);
	uint32_t number;
	bool kept;

	while (r->acked < until) {
		while (r->sent < r->acked + 1 + IN_FLIGHT)
			send_next(r, &l);
		number = receive_receipt(&l, &kept);
		if (!number)
			die("the connection ends by itself");
		take_receipt(r, &l, number, kept);
	}
	(void)nanosleep(&moment, NULL);
	kill_hard(pid);
	/* Receipts that were given before the end. */
	while ((number = receive_receipt(&l, &kept)))
		take_receipt(r, &l, number, kept);
	close_link(&l);
}

/* What it has now is what it had after one of the bundles from `acked` on. */
static void compare(struct run *r)
{
	struct model now;
	uint32_t n = r->acked;

	dump_flows(r->socket, &now);
	while (n <= r->sent && memcmp(&now, &r->past[n % HISTORY], sizeof(now)) != 0)
		n++;
	if (n > r->sent)
		die("its flows are those of no bundle from %u (the last that was acknowledged) to "
		    "%u (the last that was sent)",
			r->acked, r->sent);
	r->with_more += n > r->acked;
	r->acked = r->sent = n;
}

static int run_kill(char **argv)
{
	struct run *r = calloc(1, sizeof(*r));
	unsigned rounds = (unsigned)atoi(argv[3]);
	pid_t pid;

	if (!r)
		die("out of memory");
	r->dataplane = argv[0];
	r->dir = argv[1];
	r->capture = argv[2];
	r->dice.state = strtoull(argv[4], NULL, 0);
	snprintf(r->socket, sizeof(r->socket), "%s.sock", r->dir);
	snprintf(r->notify, sizeof(r->notify), "%s.notify", r->dir);
	open_notify(r);
	pid = start(r);
	furnish(r);
	for (unsigned i = 0; i < rounds; i++) {
		stream_and_kill(r, pid);
		pid = start(r);
		compare(r);
		expect_forwarding(r->socket);
	}
	kill_hard(pid);
	printf("%u rounds, %u bundles, %u times with one that had no receipt\n", rounds, r->acked,
		r->with_more);
	free(r);
	return 0;
}

/* --- fill ------------------------------------------------------------------------------------- */

static int run_fill(char **argv)
{
	struct model *m = calloc(3, sizeof(*m));
	struct bundle *b = calloc(1, sizeof(*b));
	struct link l = open_link(argv[0]);
	uint32_t number = 0;
	bool kept = true;

	if (!m || !b)
		die("out of memory");
	while (kept && number < 1000000) {
		m[1] = m[0];
		make_bundle(b, &m[1], ++number);
		if (!send_bundle(&l, b, number) || !receive_receipt(&l, &kept))
			die("the connection ended");
		if (kept)
			m[0] = m[1];
	}
	if (kept || !strstr(l.refusal.detail, "nothing was changed") ||
		!strstr(l.refusal.detail, "No space"))
		die("refused: %s", l.refusal.detail);
	puts(l.refusal.detail);
	dump_flows(argv[0], &m[2]);
	if (memcmp(&m[2], &m[0], sizeof(*m)) != 0)
		die("the refused bundle left a trace");
	if (unlink(argv[1]))
		die("%s: %s", argv[1], strerror(errno));
	if (!send_bundle(&l, b, number) || !receive_receipt(&l, &kept) || !kept)
		die("with room again it is refused: %s", l.refusal.detail);
	dump_flows(argv[0], &m[2]);
	if (memcmp(&m[2], &m[1], sizeof(*m)) != 0)
		die("the bundle is not what was asked for");
	close_link(&l);
	free(m);
	free(b);
	return 0;
}

/* --- rates ------------------------------------------------------------------------------------ */

static double now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Changes of one rule, so many on their way at a time. */
static double rate(const char *path, uint32_t in_flight, uint32_t n)
{
	struct link l = open_link(path);
	struct model *m = calloc(1, sizeof(*m));
	struct bundle *b = calloc(1, sizeof(*b));
	uint32_t sent = 0, acked = 0;
	double start = now();
	bool kept;

	if (!m || !b)
		die("out of memory");
	while (acked < n) {
		while (sent < n && sent < acked + in_flight) {
			b->n = 0;
			change_slot(b, m, sent % SLOTS, sent + 1, true);
			if (!send_bundle(&l, b, ++sent))
				die("the connection ended");
		}
		acked = receive_receipt(&l, &kept);
		if (!acked || !kept)
			die("refused: %s", l.refusal.detail);
	}
	close_link(&l);
	free(m);
	free(b);
	return n / (now() - start);
}

static int run_rates(char **argv)
{
	for (unsigned i = 0; i < 3; i++)
		printf("%.0f changes/s one after another, %.0f with 16 on their way, %.0f with 256\n",
			rate(argv[0], 1, 5000), rate(argv[0], 16, 30000),
			rate(argv[0], 256, 60000));
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 7 && !strcmp(argv[1], "kill"))
		return run_kill(argv + 2);
	if (argc == 4 && !strcmp(argv[1], "fill"))
		return run_fill(argv + 2);
	if (argc == 3 && !strcmp(argv[1], "rates"))
		return run_rates(argv + 2);
	fprintf(stderr, "usage: see the head of keep_rounds.c\n");
	return 2;
}
