/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the socket of tenon-dataplane bears: bundles of one flow, one after another and many under
 * way, one bundle of many, a dump of all, traces. Starts the program in a folder of its own.
 *
 *	bench_api PROGRAM [--flows N] [--state] [--json]
 */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "dataplane/api/async_client.h"
#include "dataplane/api/client.h"

#define WINDOW	   512u
#define TIMEOUT_MS 60000

struct bench {
	const char *program;
	char folder[32], socket[64];
	bool state, json;
	size_t flows;
	pid_t child;
	struct tn_mod *mods;
	/* pipelined */
	unsigned under_way;
	size_t done;
};

static __attribute__((noreturn)) void die(const char *what, const char *detail)
{
	fprintf(stderr, "bench_api: %s%s%s\n", what, detail ? ": " : "", detail ? detail : "");
	exit(1);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void report(const struct bench *b, const char *what, size_t n, double seconds)
{
	if (b->json)
		printf("{\"measure\":\"%s\",\"n\":%zu,\"seconds\":%.6f,\"rate\":%.0f}\n", what, n,
			seconds, (double)n / seconds);
	else
		printf("%-34s %8zu in %8.2f ms  %10.0f a second\n", what, n, seconds * 1e3,
			(double)n / seconds);
	fflush(stdout);
}

/* --- the program ------------------------------------------------------------------------------ */

static void start(struct bench *b)
{
	char state[64];

	strcpy(b->folder, "/tmp/bench_api.XXXXXX");
	if (!mkdtemp(b->folder))
		die("no folder", strerror(errno));
	snprintf(b->socket, sizeof(b->socket), "%s/api.sock", b->folder);
	snprintf(state, sizeof(state), "%s/state", b->folder);
	b->child = fork();
	if (b->child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execl(b->program, b->program, "--no-huge", "--memory", "16", "--socket", b->socket,
			b->state ? "--state" : NULL, state, NULL);
		_exit(127);
	}
}

static void stop(const struct bench *b)
{
	char command[128];
	int status;

	kill(b->child, SIGTERM);
	if (waitpid(b->child, &status, 0) != b->child || status)
		die("tenon-dataplane ended badly", NULL);
	snprintf(command, sizeof(command), "rm -r '%s'", b->folder);
	if (system(command))
		die("left behind", b->folder);
}

static struct tn_api_client *connect_to(const struct bench *b)
{
	const struct timespec pause = {.tv_nsec = 10000000};
	struct tn_error err;

	for (unsigned i = 0; i < 1000; i++) {
		struct tn_api_client *c =
			tn_api_client_connect(b->socket, "bench_api", TIMEOUT_MS, &err);

		if (c)
			return c;
		nanosleep(&pause, NULL);
	}
	die("cannot connect", err.detail);
}

/* --- flows ------------------------------------------------------------------------------------ */

static struct tn_mod *make_flows(size_t n)
{
	static const struct tn_action out = {
		.type = TN_ACTION_OUTPUT, .output = {.port = 1, .reason = TN_REASON_DEFAULT}};
	struct tn_flow_mod *flows = calloc(n, sizeof(*flows));
	struct tn_mod *mods = calloc(n, sizeof(*mods));

	if (!flows || !mods)
		die("no memory", NULL);
	for (size_t i = 0; i < n; i++) {
		tn_flow_mod_init(&flows[i]);
		flows[i].priority = 100;
		tn_match_set_exact(&flows[i].match, TN_FIELD_ETH_TYPE, 0x0800);
		tn_match_set_exact(&flows[i].match, TN_FIELD_IPV4_DST, 0x0a000000 + i);
		flows[i].inst.apply = &out;
		flows[i].inst.n_apply = 1;
		mods[i] = (struct tn_mod){.kind = TN_MOD_FLOW, .flow = &flows[i]};
	}
	return mods;
}

static void delete_all(struct tn_api_client *c)
{
	struct tn_flow_mod fm;
	const struct tn_mod mod = {.kind = TN_MOD_FLOW, .flow = &fm};
	struct tn_error err;
	uint64_t version;
	size_t failed;

	tn_flow_mod_init(&fm);
	fm.command = TN_FLOW_DELETE;
	fm.table_id = TN_TABLE_ALL;
	if (tn_api_client_bundle(c, &mod, 1, &version, &failed, &err))
		die("delete", err.detail);
}

/* --- measures --------------------------------------------------------------------------------- */

static void one_by_one(struct bench *b, struct tn_api_client *c)
{
	size_t n = b->flows < 20000 ? b->flows : 20000, failed;
	double t = now();
	struct tn_error err;
	uint64_t version;

	for (size_t i = 0; i < n; i++) {
		if (tn_api_client_bundle(c, &b->mods[i], 1, &version, &failed, &err))
			die("bundle", err.detail);
	}
	report(b, "bundles of 1, one after another", n, now() - t);
}

static void on_receipt(void *ctx, const struct tn_api_message *answer, const struct tn_error *err)
{
	struct bench *b = ctx;

	(void)answer;
	if (err)
		die("bundle", err->detail);
	b->done++;
	b->under_way--;
}

static void wait_and_process(struct tn_api_async *a)
{
	uint32_t wanted = tn_api_async_wanted(a);
	struct pollfd p = {.fd = tn_api_async_fd(a),
		.events = (short)(POLLIN | (wanted & EPOLLOUT ? POLLOUT : 0))};
	struct tn_error err;

	if (poll(&p, 1, TIMEOUT_MS) <= 0)
		die("no answer in time", NULL);
	if (tn_api_async_process(a, (uint32_t)p.revents, &err))
		die("connection", err.detail);
}

static void pipelined(struct bench *b)
{
	const struct tn_api_async_events events = {0};
	struct tn_error err;
	struct tn_api_async *a = tn_api_async_connect(b->socket, "bench_api", &events, &err);
	struct tn_api_buffer mod = {0};
	size_t sent = 0;
	double t = now();

	if (!a)
		die("cannot connect", err.detail);
	b->done = 0;
	b->under_way = 0;
	while (b->done < b->flows) {
		for (; sent < b->flows && b->under_way < WINDOW; sent++, b->under_way++) {
			struct tn_api_encoded encoded = {.n_mods = 1};

			mod.len = 0;
			if (tn_api_encode_mod(&mod, &b->mods[sent], &err))
				die("mod", err.detail);
			encoded.bytes = mod.data;
			encoded.size = (uint32_t)mod.len;
			if (tn_api_async_encoded(a, &encoded, 1, false, on_receipt, b, &err))
				die("bundle", err.detail);
		}
		tn_api_async_flush(a);
		wait_and_process(a);
	}
	report(b, "bundles of 1, 512 under way", b->flows, now() - t);
	tn_api_buffer_fini(&mod);
	tn_api_async_free(a);
}

static void one_bundle(struct bench *b, struct tn_api_client *c)
{
	double t = now();
	struct tn_error err;
	uint64_t version;
	size_t failed;

	if (tn_api_client_bundle(c, b->mods, b->flows, &version, &failed, &err))
		die("bundle", err.detail);
	report(b, "flows in one bundle", b->flows, now() - t);
}

static void count_items(void *ctx, const struct tn_api_part *part)
{
	*(size_t *)ctx += part->n;
}

static void dump(
	struct bench *b, struct tn_api_client *c, enum tn_api_dump_kind kind, const char *what)
{
	const struct tn_api_dump request = {.kind = kind,
		.table_id = TN_TABLE_ALL,
		.out_port = TN_PORT_ANY,
		.out_group = TN_GROUP_ANY};
	double t = now();
	struct tn_error err;
	size_t n = 0;

	if (tn_api_client_dump(c, &request, count_items, &n, &err))
		die("dump", err.detail);
	if (n != b->flows)
		die("a dump of another number", what);
	report(b, what, n, now() - t);
}

static void traces(struct bench *b, struct tn_api_client *c)
{
	static const uint8_t frame[64] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0, 0,
		50, [22] = 64, 17, [30] = 10, 0, 0, 7};
	const struct tn_api_message m = {.type = TN_API_TRACE,
		.trace = {.in_port = 1, .frame = frame, .frame_len = sizeof(frame)}};
	struct tn_api_message answer;
	struct tn_error err;
	double t = now();
	size_t n = 2000;

	for (size_t i = 0; i < n; i++) {
		if (tn_api_client_request(c, &m, &answer, &err))
			die("trace", err.detail);
	}
	report(b, "traces, one after another", n, now() - t);
}

static void run(struct bench *b)
{
	struct tn_api_client *c = connect_to(b);

	one_by_one(b, c);
	delete_all(c);
	pipelined(b);
	delete_all(c);
	one_bundle(b, c);
	dump(b, c, TN_API_FLOWS, "flows dumped");
	dump(b, c, TN_API_COUNTERS, "counters dumped");
	traces(b, c);
	tn_api_client_free(c);
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {{"flows", required_argument, NULL, 'f'},
		{"state", no_argument, NULL, 's'}, {"json", no_argument, NULL, 'j'},
		{NULL, 0, NULL, 0}};
	struct bench b = {.flows = 50000};
	int opt;

	while ((opt = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (opt == 'f')
			b.flows = strtoull(optarg, NULL, 10);
		else if (opt == 's')
			b.state = true;
		else if (opt == 'j')
			b.json = true;
		else
			optind = argc;
	}
	if (optind + 1 != argc || !b.flows)
		die("usage: bench_api PROGRAM [--flows N] [--state] [--json]", NULL);
	b.program = argv[optind];
	b.mods = make_flows(b.flows);
	start(&b);
	run(&b);
	stop(&b);
	return 0;
}
