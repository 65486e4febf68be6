/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A client of the data plane's socket that changes rules which the traffic of tests/bench/run does
 * not meet: of other destination MACs, in the same table and of the same port. Each bundle adds or,
 * in turn, deletes so many; prints what it did as JSON.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "dataplane/api/client.h"

#define IN_PORT	   1u
#define TUNNEL	   10u
#define TIMEOUT_MS 30000
#define BUNDLE_MAX 1000000u
#define FIRST_MAC  UINT64_C(0x020f00000000)

struct changes {
	const char *socket;
	uint32_t bundle; /* rules in one */
	double rate;	 /* bundles a second */
	double seconds;
	struct tn_api_client *client;
	struct tn_flow_mod *flows;
	struct tn_mod *mods;
	struct tn_action action;
	uint64_t bundles, late;
	double slowest, all; /* seconds until the receipt */
};

static const char help[] =
	"usage: change_rules --socket PATH [--bundle RULES] [--rate BUNDLES_A_SECOND] "
	"[--seconds S]\n";

static void die(const char *what)
{
	fprintf(stderr, "change_rules: %s\n", what);
	exit(2);
}

static double now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void sleep_until(double when)
{
	struct timespec t = {.tv_sec = (time_t)when};

	t.tv_nsec = (long)((when - (double)t.tv_sec) * 1e9);
	(void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

static void make_mods(struct changes *c)
{
	c->action = (struct tn_action){
		.type = TN_ACTION_OUTPUT, .output = {.port = TUNNEL, .reason = TN_REASON_DEFAULT}};
	c->flows = calloc(c->bundle, sizeof(*c->flows));
	c->mods = calloc(c->bundle, sizeof(*c->mods));
	if (!c->flows || !c->mods)
		die("out of memory");
	for (uint32_t i = 0; i < c->bundle; i++) {
		struct tn_flow_mod *f = &c->flows[i];

		tn_flow_mod_init(f);
		f->priority = 10;
		tn_match_set_exact(&f->match, TN_FIELD_IN_PORT, IN_PORT);
		tn_match_set_exact(&f->match, TN_FIELD_ETH_DST, FIRST_MAC | i);
		f->inst.apply = &c->action;
		c->mods[i] = (struct tn_mod){.kind = TN_MOD_FLOW, .flow = f};
	}
}

static void commit(struct changes *c, bool add)
{
	double start = now(), took;
	struct tn_error err = {0};
	uint64_t version;
	size_t failed;

	for (uint32_t i = 0; i < c->bundle; i++) {
		c->flows[i].command = add ? TN_FLOW_ADD : TN_FLOW_DELETE_STRICT;
		c->flows[i].inst.n_apply = add ? 1 : 0;
	}
	if (tn_api_client_bundle(c->client, c->mods, c->bundle, &version, &failed, &err))
		die(err.detail);
	took = now() - start;
	c->bundles++;
	c->all += took;
	if (took > c->slowest)
		c->slowest = took;
}

/* Bundles at the rate, whatever one takes; those that come late are made up for. */
static void run(struct changes *c)
{
	double start = now(), due = start;

	for (bool add = true; now() - start < c->seconds || !add; add = !add) {
		commit(c, add);
		due += 1 / c->rate;
		if (due > now())
			sleep_until(due);
		else
			c->late++;
	}
	printf("{\"bundles\":%lu,\"rules\":%u,\"seconds\":%.3f,\"late\":%lu,\"mean_ms\":%.3f,"
	       "\"slowest_ms\":%.3f}\n",
		(unsigned long)c->bundles, c->bundle, now() - start, (unsigned long)c->late,
		1e3 * c->all / (double)c->bundles, 1e3 * c->slowest);
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {{"socket", required_argument, NULL, 's'},
		{"bundle", required_argument, NULL, 'b'}, {"rate", required_argument, NULL, 'r'},
		{"seconds", required_argument, NULL, 't'}, {"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0}};
	struct changes c = {.bundle = 1, .rate = 1000, .seconds = 1};
	struct tn_error err = {0};
	int opt;

	while ((opt = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (opt == 's')
			c.socket = optarg;
		else if (opt == 'b')
			c.bundle = (uint32_t)strtoul(optarg, NULL, 10);
		else if (opt == 'r')
			c.rate = strtod(optarg, NULL);
		else if (opt == 't')
			c.seconds = strtod(optarg, NULL);
		else
			die(help);
	}
	if (!c.socket || optind < argc || !c.bundle || c.bundle > BUNDLE_MAX || !(c.rate > 0))
		die(help);
	make_mods(&c);
	c.client = tn_api_client_connect(c.socket, "change_rules", TIMEOUT_MS, &err);
	if (!c.client)
		die(err.detail);
	run(&c);
	tn_api_client_free(c.client);
	free(c.flows);
	free(c.mods);
	return 0;
}
