/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bench_lookup [--json] [--rules FILE] [--lookups N]: what one lookup costs, on one core, without
 * any cache in front; what adding a rule costs, and its memory.
 *
 * FILE holds access rules as tests/bench/peers/acl-rules prints them; by default that script is
 * run. Each lookup waits for the one before it, so its latency counts, as for a lone packet; keys
 * come from a list of 65,536 that differ. A line is the median of nine runs. Time is that of the
 * processor spent in this thread, so that neighbours on the machine disturb little.
 */
#include "dataplane/table/classifier.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define N_KEYS	  65536u
#define N_RUNS	  9
#define MANY	  100000u
#define LIMIT_NS  500.0
#define MAX_LINES 32

struct line {
	const char *name;
	double ns; /* median */
	double lowest, highest;
	double limit; /* 0: none */
	struct tn_classifier_stats stats;
};

/* What of a key differs from packet to packet. */
struct variation {
	uint32_t src, dst; /* host order */
	uint16_t tp_src, tp_dst;
	uint8_t proto;
};

struct bench {
	struct tn_defer *defer;
	struct tn_classifier *cls;
	struct tn_cls_rule *rules;
	uint32_t n_rules, capacity;
	uint64_t random;
	struct variation *keys;
	uint32_t lookups;
};

static struct line lines[MAX_LINES];
static unsigned n_lines;

static void die(const char *what)
{
	fprintf(stderr, "bench_lookup: %s\n", what);
	exit(2);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint32_t below(struct bench *b, uint32_t n)
{
	uint64_t z = b->random += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (uint32_t)(((z ^ (z >> 31)) >> 32) * n >> 32);
}

static void start(struct bench *b, uint32_t capacity)
{
	b->defer = tn_defer_new();
	b->cls = b->defer ? tn_classifier_new(b->defer) : NULL;
	b->rules = calloc(capacity, sizeof(*b->rules));
	b->n_rules = 0;
	b->capacity = capacity;
	b->random = 1;
	if (!b->cls || !b->rules)
		die("out of memory");
}

static void stop(struct bench *b)
{
	tn_classifier_free(b->cls);
	tn_defer_free(b->defer);
	free(b->rules);
}

static void add(struct bench *b, const struct tn_match *match, uint16_t priority)
{
	struct tn_cls_rule *rule = &b->rules[b->n_rules++];

	if (b->n_rules > b->capacity)
		die("more rules than expected");
	rule->priority = priority;
	rule->remove_version = TN_VERSION_NEVER;
	if (tn_classifier_insert(b->cls, rule, match) != 0)
		die("a rule was refused");
}

static void set_ipv4(
	struct tn_match *m, uint32_t src, unsigned src_len, uint32_t dst, unsigned dst_len)
{
	uint32_t src_mask = src_len ? ~0u << (32 - src_len) : 0;
	uint32_t dst_mask = dst_len ? ~0u << (32 - dst_len) : 0;

	m->value.eth_type = tn_htobe16(0x0800);
	m->mask.eth_type = tn_htobe16(0xffff);
	m->mask.ipv4_src = tn_htobe32(src_mask);
	m->value.ipv4_src = tn_htobe32(src & src_mask);
	m->mask.ipv4_dst = tn_htobe32(dst_mask);
	m->value.ipv4_dst = tn_htobe32(dst & dst_mask);
}

static void set_in_port(struct tn_match *m, uint32_t port)
{
	m->value.in_port = tn_htobe32(port);
	m->mask.in_port = tn_htobe32(0xffffffff);
}

/* A frame of mkpcap: UDP from 02:00:00:00:00:01 to 02:00:00:00:00:02 on port 1. */
static void base_key(struct tn_key *key)
{
	memset(key, 0, sizeof(*key));
	key->in_port = tn_htobe32(1);
	key->in_phy_port = tn_htobe32(1);
	key->eth_dst = (struct tn_mac){{2, 0, 0, 0, 0, 2}};
	key->eth_src = (struct tn_mac){{2, 0, 0, 0, 0, 1}};
	key->eth_type = tn_htobe16(0x0800);
	key->ip_ttl = 64;
}

static void vary(struct tn_key *key, const struct variation *v)
{
	key->ipv4_src = tn_htobe32(v->src);
	key->ipv4_dst = tn_htobe32(v->dst);
	key->tp_src = tn_htobe16(v->tp_src);
	key->tp_dst = tn_htobe16(v->tp_dst);
	key->ip_proto = v->proto;
}

/* hits: what must be found, as a check that the work was done; -1: anything. */
static double run_once(const struct bench *b, int64_t hits)
{
	struct tn_key key;
	uint64_t begin, found = 0, at = 0, i;
	const struct tn_cls_rule *rule;

	base_key(&key);
	begin = now_ns();
	for (i = 0; i < b->lookups; i++) {
		vary(&key, &b->keys[at % N_KEYS]);
		rule = tn_classifier_lookup(b->cls, &key, 0);
		found += rule != NULL;
		/* Always 1, but the processor cannot know before the lookup is done. */
		at += 1 + ((uintptr_t)rule & 1);
	}
	begin = now_ns() - begin;
	if (hits >= 0 && found != (uint64_t)hits)
		die("a lookup found what it should not, or nothing");
	return (double)begin / (double)b->lookups;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static struct line *new_line(const char *name, struct bench *b)
{
	struct line *line = &lines[n_lines++];

	line->name = name;
	tn_classifier_stats(b->cls, &line->stats);
	return line;
}

static void measure(struct bench *b, const char *name, int64_t hits, double limit)
{
	struct line *line = new_line(name, b);
	double runs[N_RUNS];
	int i;

	run_once(b, hits);
	for (i = 0; i < N_RUNS; i++)
		runs[i] = run_once(b, hits);
	qsort(runs, N_RUNS, sizeof(runs[0]), compare);
	line->ns = runs[N_RUNS / 2];
	line->lowest = runs[0];
	line->highest = runs[N_RUNS - 1];
	line->limit = limit;
}

/* A five-tuple of its own for each number. */
static struct variation exact_of(uint32_t i)
{
	return (struct variation){
		.src = 0x0a000000 | (i * 2654435761u & 0x3ffff),
		.dst = 0x0a010000 | i % 60000,
		.tp_src = (uint16_t)(1024 + i / 7 % 50000),
		.tp_dst = (uint16_t)(i % 4 * 1111),
		.proto = i % 3 ? 17 : 6,
	};
}

static void exact_match(const struct variation *v, struct tn_match *m)
{
	memset(m, 0, sizeof(*m));
	set_in_port(m, 1);
	set_ipv4(m, v->src, 32, v->dst, 32);
	m->value.ip_proto = v->proto;
	m->mask.ip_proto = 0xff;
	m->value.tp_src = tn_htobe16(v->tp_src);
	m->value.tp_dst = tn_htobe16(v->tp_dst);
	m->mask.tp_src = m->mask.tp_dst = tn_htobe16(0xffff);
}

static int compare_u32(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* What asking for the time costs. */
static uint32_t clock_cost(void)
{
	uint64_t begin = now_ns(), end = begin;
	int i;

	for (i = 0; i < 1000; i++)
		end = now_ns();
	return (uint32_t)((end - begin) / 1000);
}

/* Adds MANY rules by `make` and says what each cost. */
static void insert_many(struct bench *b, void (*make)(struct bench *, uint32_t, struct tn_match *),
	uint16_t (*priority)(uint32_t), const char *median_name, const char *max_name)
{
	uint32_t *times = malloc(MANY * sizeof(*times)), clock = clock_cost(), i;
	struct tn_match match;
	struct line *line;
	uint64_t begin;

	if (!times)
		die("out of memory");
	for (i = 0; i < MANY; i++) {
		make(b, i, &match);
		begin = now_ns();
		add(b, &match, priority(i));
		times[i] = (uint32_t)(now_ns() - begin);
		times[i] -= times[i] < clock ? times[i] : clock;
	}
	/* Those that add to a table that is large already. */
	qsort(times + MANY / 2, MANY / 2, sizeof(times[0]), compare_u32);
	line = new_line(median_name, b);
	line->ns = times[MANY / 2 + MANY / 4];
	line->lowest = times[MANY / 2];
	line->highest = times[MANY - MANY / 200];
	line = new_line(max_name, b);
	line->ns = line->lowest = line->highest = times[MANY - 1];
	line->limit = 1e6;
	free(times);
	tn_defer_run(b->defer);
}

static void make_exact(struct bench *b, uint32_t i, struct tn_match *match)
{
	struct variation v = exact_of(i);

	(void)b;
	exact_match(&v, match);
}

static uint16_t priority_same(uint32_t i)
{
	(void)i;
	return 100;
}

static uint16_t priority_spread(uint32_t i)
{
	return (uint16_t)(i * 40503u);
}

static void bench_exact(struct bench *b)
{
	uint32_t i;

	start(b, MANY);
	insert_many(
		b, make_exact, priority_same, "add exact rule, median", "add exact rule, slowest");
	for (i = 0; i < N_KEYS; i++)
		b->keys[i] = exact_of(below(b, MANY));
	measure(b, "100,000 exact rules, hit", b->lookups, 0);
	for (i = 0; i < N_KEYS; i++) {
		b->keys[i] = exact_of(below(b, MANY));
		b->keys[i].tp_src = (uint16_t)(60000 + below(b, 5000));
	}
	measure(b, "100,000 exact rules, miss", 0, LIMIT_NS);
	stop(b);
}

/* Fields of one line of ovs-ofctl text, as far as acl-rules uses them. */
static bool parse_rule(char *text, struct tn_match *m, uint16_t *priority)
{
	unsigned a[4], b[4], src_len = 0, dst_len = 0;
	uint32_t src = 0, dst = 0;
	char *field, *rest;

	memset(m, 0, sizeof(*m));
	for (field = strtok_r(text, ",\n", &rest); field; field = strtok_r(NULL, ",\n", &rest)) {
		if (!strncmp(field, "priority=", 9)) {
			*priority = (uint16_t)atoi(field + 9);
		} else if (!strncmp(field, "in_port=", 8)) {
			set_in_port(m, (uint32_t)atoi(field + 8));
		} else if (!strcmp(field, "udp") || !strcmp(field, "tcp")) {
			m->value.ip_proto = field[0] == 'u' ? 17 : 6;
			m->mask.ip_proto = 0xff;
		} else if (sscanf(field, "nw_src=%u.%u.%u.%u/%u", &a[0], &a[1], &a[2], &a[3],
				   &src_len) == 5) {
			src = a[0] << 24 | a[1] << 16 | a[2] << 8 | a[3];
		} else if (sscanf(field, "nw_dst=%u.%u.%u.%u/%u", &b[0], &b[1], &b[2], &b[3],
				   &dst_len) == 5) {
			dst = b[0] << 24 | b[1] << 16 | b[2] << 8 | b[3];
		} else if (!strncmp(field, "tp_dst=", 7)) {
			m->value.tp_dst = tn_htobe16((uint16_t)atoi(field + 7));
			m->mask.tp_dst = tn_htobe16(0xffff);
		} else if (strncmp(field, "actions=", 8) != 0) {
			return false;
		}
	}
	if (src_len || dst_len)
		set_ipv4(m, src, src_len, dst, dst_len);
	return true;
}

static uint32_t read_rules(
	const char *path, struct tn_match *matches, uint16_t *priorities, uint32_t max)
{
	FILE *f = path ? fopen(path, "r") : popen(TN_ACL_RULES, "r");
	char text[256];
	uint32_t n = 0;

	if (!f)
		die("cannot read the access rules: give them with --rules FILE");
	while (n < max && fgets(text, sizeof(text), f)) {
		if (!parse_rule(text, &matches[n], &priorities[n]))
			die("a line of the access rules has a field that is not known here");
		n++;
	}
	if (path)
		fclose(f);
	else
		pclose(f);
	if (n != max)
		die("1,001 access rules were expected");
	return n;
}

/* Within the ranges of a rule, so that a lookup comes as near to it as it can. */
static struct variation near_rule(struct bench *b, const struct tn_match *m)
{
	uint32_t src_mask = tn_be32toh(m->mask.ipv4_src), dst_mask = tn_be32toh(m->mask.ipv4_dst);
	uint32_t noise = below(b, UINT32_MAX);

	return (struct variation){
		.src = tn_be32toh(m->value.ipv4_src) | (noise & ~src_mask),
		.dst = tn_be32toh(m->value.ipv4_dst) | (noise * 2654435761u & ~dst_mask),
		.tp_src = (uint16_t)noise,
		.tp_dst = m->mask.tp_dst.raw ? tn_be16toh(m->value.tp_dst) : (uint16_t)noise,
		.proto = m->value.ip_proto,
	};
}

static void bench_acl(struct bench *b, const char *path)
{
	enum { N = 1001 };
	static struct tn_match matches[N];
	static uint16_t priorities[N];
	uint32_t i, n = read_rules(path, matches, priorities, N);

	start(b, N);
	for (i = 0; i < n; i++)
		add(b, &matches[i], priorities[i]);
	tn_defer_run(b->defer);
	for (i = 0; i < N_KEYS; i++) {
		b->keys[i] = (struct variation){0x0a000000 + 1 + below(b, 65535),
			0x0a010000 + 1 + below(b, 65535), (uint16_t)(1024 + i % 60000), 2000, 17};
	}
	measure(b, "1,001 access rules, spread", b->lookups, LIMIT_NS);
	for (i = 0; i < N_KEYS; i++) {
		b->keys[i] = near_rule(b, &matches[below(b, N - 1)]);
		b->keys[i].tp_dst = (uint16_t)below(b, 65536);
	}
	measure(b, "1,001 access rules, near miss", b->lookups, LIMIT_NS);
	for (i = 0; i < N_KEYS; i++)
		b->keys[i] = near_rule(b, &matches[below(b, N - 1)]);
	measure(b, "1,001 access rules, hit", b->lookups, 0);
	for (i = 0; i < N_KEYS; i++) {
		b->keys[i] = near_rule(b, &matches[below(b, N - 1)]);
		b->keys[i].proto = 132;
	}
	measure(b, "1,001 access rules, other protocol", b->lookups, LIMIT_NS);
	stop(b);
}

/* Lengths as in routing tables: most are /24, hardly any short or long. */
static void make_prefix(struct bench *b, uint32_t i, struct tn_match *match)
{
	static const uint8_t lens[] = {8, 12, 16, 16, 18, 19, 20, 20, 21, 22, 22, 22, 23, 23, 24,
		24, 24, 24, 24, 24, 24, 24, 24, 24, 24, 24, 26, 28, 29, 30, 32, 32};
	unsigned len = lens[below(b, sizeof(lens))];

	memset(match, 0, sizeof(*match));
	if (i == 0)
		len = 0;
	set_ipv4(match, 0, 0, 1 + below(b, 0xdfffffff), len);
}

static void bench_prefixes(struct bench *b)
{
	uint32_t i, at;

	start(b, MANY);
	insert_many(b, make_prefix, priority_spread, "add prefix, median", "add prefix, slowest");
	for (i = 0; i < N_KEYS; i++) {
		struct tn_match m;

		at = below(b, MANY);
		tn_cls_rule_match(&b->rules[at], &m);
		b->keys[i] = (struct variation){
			.dst = tn_be32toh(m.value.ipv4_dst) |
				(below(b, UINT32_MAX) & ~tn_be32toh(m.mask.ipv4_dst)),
		};
	}
	measure(b, "100,000 prefixes, hit", b->lookups, 0);
	for (i = 0; i < N_KEYS; i++)
		b->keys[i] = (struct variation){.dst = 1 + below(b, 0xdfffffff)};
	measure(b, "100,000 prefixes, anywhere", b->lookups, 0);
	stop(b);
}

static void print_table(void)
{
	unsigned i;

	printf("%-36s %8s %16s  %-8s %7s %6s %6s %8s\n", "lookup", "ns", "(range)", "template",
		"rules", "tuples", "tries", "B/rule");
	for (i = 0; i < n_lines; i++) {
		const struct line *l = &lines[i];
		char range[32];

		snprintf(range, sizeof(range), "(%.0f-%.0f)", l->lowest, l->highest);
		printf("%-36s %8.1f %16s  %-8s %7u %6u %6u %8.1f%s\n", l->name, l->ns, range,
			l->stats.template_name, l->stats.n_rules, l->stats.n_tuples,
			l->stats.n_tries, (double)l->stats.memory_bytes / l->stats.n_rules,
			l->limit && l->ns > l->limit ? "  OVER THE LIMIT" : "");
	}
	printf("B/rule: the lookup's own memory; struct tn_cls_rule, its owner's, adds %zu\n",
		sizeof(struct tn_cls_rule));
}

static void print_json(void)
{
	unsigned i;

	for (i = 0; i < n_lines; i++) {
		const struct line *l = &lines[i];

		printf("{\"bench\":\"lookup\",\"name\":\"%s\",\"ns\":%.1f,\"lowest\":%.1f,"
		       "\"highest\":%.1f,\"limit\":%.0f,\"template\":\"%s\",\"rules\":%u,"
		       "\"tuples\":%u,\"tries\":%u,\"bytes_per_rule\":%.1f}\n",
			l->name, l->ns, l->lowest, l->highest, l->limit, l->stats.template_name,
			l->stats.n_rules, l->stats.n_tuples, l->stats.n_tries,
			(double)l->stats.memory_bytes / l->stats.n_rules);
	}
}

int main(int argc, char **argv)
{
	struct bench b = {.lookups = 1000000};
	const char *rules = NULL;
	bool json = false, over = false;
	unsigned u;
	int i;

	for (i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--json"))
			json = true;
		else if (!strcmp(argv[i], "--rules") && i + 1 < argc)
			rules = argv[++i];
		else if (!strcmp(argv[i], "--lookups") && i + 1 < argc)
			b.lookups = (uint32_t)strtoul(argv[++i], NULL, 10);
		else
			die("usage: bench_lookup [--json] [--rules FILE] [--lookups N]");
	}
	b.keys = malloc(N_KEYS * sizeof(*b.keys));
	if (!b.keys || !b.lookups)
		die("no keys");
	bench_exact(&b);
	bench_acl(&b, rules);
	bench_prefixes(&b);
	free(b.keys);
	if (json)
		print_json();
	else
		print_table();
	for (u = 0; u < n_lines; u++)
		over |= lines[u].limit && lines[u].ns > lines[u].limit;
	return over ? 1 : 0;
}
