/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/agent/options.h"

#include <getopt.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECONDS_MAX 1e9
#define MEMORY_MIN  4u /* MB */

/* A buffer and its headroom are 16 bits long, in whole cache lines. */
#define FRAME_DEFAULT 2048u
#define FRAME_MAX     65344u

static const char help[] =
	"Usage: tenon-dataplane [OPTION]...\n"
	"The Tenon switch: owns ports, flow tables and sessions and forwards on DPDK workers, or by\n"
	"the kernel where no core is to spare.\n"
	"\n"
	"  --load FILE.json     start with this configuration document (as tenon-replay reads it)\n"
	"  --host NAME          which host of the tenants' networks in it this is\n"
	"  --socket PATH        clients connect here (default " TN_SOCKET_DEFAULT ")\n"
	"  --no-socket          no client can connect\n"
	"  --state DIR          folder that keeps what clients change: the next start with it goes on\n"
	"                       from there; only one process at a time has it (default: keep nothing)\n"
	"  --check-state DIR    say what such a folder holds and whether it is whole; change nothing\n"
	"  --detach DIR         take off this machine what the kernel goes on forwarding for the\n"
	"                       process with that state folder, which has ended\n"
	"  --mode dpdk|kernel   kernel: nothing polls, all is done by events; for hosts whose ports\n"
	"                       are the kernel's (default dpdk)\n"
	"  --workers CORES      cores that forward, e.g. 1 or 1,3-5 (default: the last core)\n"
	"  --memory MB          memory for packet buffers (default 256, --mode kernel: 8)\n"
	"  --max-frame BYTES    longest frame of any port (default 2048, as for an MTU of 1500)\n"
	"  --sessions N         sessions a worker keeps (default 1048576, --mode kernel: 65536;\n"
	"                       0: decide every packet)\n"
	"  --poll adaptive|busy sleep when nothing comes, or never (default adaptive)\n"
	"  --no-huge            use ordinary pages even if hugepages are free\n"
	"  --pci                NICs may be added later (implied by one in the document)\n"
	"  --keep-privileges    ports in other network namespaces may be added later\n"
	"  --seconds S          stop after S seconds\n"
	"  --stats FILE         write statistics as JSON at the end; - is standard output\n"
	"  --help, --version\n"
	"\n"
	"Exit status: 0 stopped, or whole; 1 failed, or damaged; 2 bad command line or document;\n"
	"3 another process has the state folder.\n"
	"\n"
	"Examples:\n"
	"  tenon-dataplane --load site.json\n"
	"  tenon-dataplane --state /var/lib/tenon/dataplane --load /etc/tenon/site.json --workers 2,3\n"
	"  tenon-dataplane --mode kernel --state /var/lib/tenon/dataplane\n"
	"  tenon-dataplane --load bench.json --workers 1 --poll busy --seconds 4 --stats -\n";

void tn_agent_say(const char *fmt, ...)
{
	va_list ap;

	fputs("tenon-dataplane: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

static int bad(const char *what, const char *value)
{
	tn_agent_say("%s '%s'; see tenon-dataplane --help", what, value);
	return -1;
}

static bool parse_number(const char *s, unsigned long max, unsigned long *v)
{
	char *end;

	*v = strtoul(s, &end, 10);
	return *s >= '0' && *s <= '9' && !*end && *v <= max;
}

static bool has_core(const struct tn_agent_options *o, unsigned core)
{
	for (unsigned i = 0; i < o->n_workers; i++) {
		if (o->worker_core[i] == core)
			return true;
	}
	return false;
}

/* "1,3-5" */
static int parse_cores(struct tn_agent_options *o, const char *s)
{
	const char *at = s;

	o->n_workers = 0;
	while (*at) {
		char *end;
		unsigned long first = strtoul(at, &end, 10), last = first;

		if (end == at)
			return bad("bad list of cores", s);
		if (*end == '-')
			last = strtoul(end + 1, &end, 10);
		if (last < first || last >= CPU_SETSIZE || (*end && (*end != ',' || !end[1])))
			return bad("bad list of cores", s);
		for (; first <= last; first++) {
			if (o->n_workers == TN_WORKERS_MAX)
				return bad("too many cores", s);
			if (has_core(o, (unsigned)first))
				return bad("a core is named twice in", s);
			o->worker_core[o->n_workers++] = (unsigned)first;
		}
		at = *end ? end + 1 : end;
	}
	return o->n_workers ? 0 : bad("bad list of cores", s);
}

static unsigned last_core(void)
{
	unsigned last = 0;
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set))
		return 0;
	for (unsigned i = 0; i < CPU_SETSIZE; i++) {
		if (CPU_ISSET(i, &set))
			last = i;
	}
	return last;
}

enum {
	OPT_LOAD = 1,
	OPT_HOST,
	OPT_SOCKET,
	OPT_NO_SOCKET,
	OPT_STATE,
	OPT_CHECK_STATE,
	OPT_DETACH,
	OPT_PCI,
	OPT_KEEP_PRIVILEGES,
	OPT_MODE,
	OPT_WORKERS,
	OPT_MEMORY,
	OPT_MAX_FRAME,
	OPT_SESSIONS,
	OPT_POLL,
	OPT_NO_HUGE,
	OPT_SECONDS,
	OPT_STATS,
	OPT_HELP,
	OPT_VERSION
};

static const struct option longs[] = {
	{"load", required_argument, NULL, OPT_LOAD},
	{"host", required_argument, NULL, OPT_HOST},
	{"socket", required_argument, NULL, OPT_SOCKET},
	{"no-socket", no_argument, NULL, OPT_NO_SOCKET},
	{"state", required_argument, NULL, OPT_STATE},
	{"check-state", required_argument, NULL, OPT_CHECK_STATE},
	{"detach", required_argument, NULL, OPT_DETACH},
	{"pci", no_argument, NULL, OPT_PCI},
	{"keep-privileges", no_argument, NULL, OPT_KEEP_PRIVILEGES},
	{"mode", required_argument, NULL, OPT_MODE},
	{"workers", required_argument, NULL, OPT_WORKERS},
	{"memory", required_argument, NULL, OPT_MEMORY},
	{"max-frame", required_argument, NULL, OPT_MAX_FRAME},
	{"sessions", required_argument, NULL, OPT_SESSIONS},
	{"poll", required_argument, NULL, OPT_POLL},
	{"no-huge", no_argument, NULL, OPT_NO_HUGE},
	{"seconds", required_argument, NULL, OPT_SECONDS},
	{"stats", required_argument, NULL, OPT_STATS},
	{"help", no_argument, NULL, OPT_HELP},
	{"version", no_argument, NULL, OPT_VERSION},
	{NULL, 0, NULL, 0},
};

/* What was said and not left to its default. */
struct given {
	bool workers, memory, sessions, poll;
};

static int take(struct tn_agent_options *o, struct given *g, int opt, const char *arg)
{
	unsigned long v;
	char *end;

	switch (opt) {
	case OPT_LOAD:
		o->load = arg;
		return 0;
	case OPT_HOST:
		o->host = arg;
		return 0;
	case OPT_SOCKET:
		o->socket = arg;
		o->socket_given = true;
		return 0;
	case OPT_NO_SOCKET:
		o->socket = NULL;
		o->socket_given = false;
		return 0;
	case OPT_STATE:
		o->state_dir = arg;
		return 0;
	case OPT_CHECK_STATE:
		o->check_state = arg;
		return 0;
	case OPT_DETACH:
		o->detach = o->state_dir = arg;
		return 0;
	case OPT_PCI:
		o->pci = true;
		return 0;
	case OPT_KEEP_PRIVILEGES:
		o->keep_privileges = true;
		return 0;
	case OPT_MODE:
		if (strcmp(arg, "dpdk") != 0 && strcmp(arg, "kernel") != 0)
			return bad("--mode takes dpdk or kernel, not", arg);
		o->kernel_mode = !strcmp(arg, "kernel");
		return 0;
	case OPT_WORKERS:
		g->workers = true;
		return parse_cores(o, arg);
	case OPT_MEMORY:
		if (!parse_number(arg, 1u << 20, &v) || v < MEMORY_MIN)
			return bad("--memory takes 4 to 1048576 megabytes, not", arg);
		o->memory_mb = (unsigned)v;
		g->memory = true;
		return 0;
	case OPT_MAX_FRAME:
		if (!parse_number(arg, FRAME_MAX, &v) || v < FRAME_DEFAULT)
			return bad("--max-frame takes 2048 to 65344 bytes, not", arg);
		o->max_frame = (unsigned)v;
		return 0;
	case OPT_SESSIONS:
		if (!parse_number(arg, 1u << 28, &v))
			return bad("--sessions takes 0 to 268435456, not", arg);
		o->sessions = (uint32_t)v;
		g->sessions = true;
		return 0;
	case OPT_POLL:
		if (strcmp(arg, "busy") != 0 && strcmp(arg, "adaptive") != 0)
			return bad("--poll takes adaptive or busy, not", arg);
		o->busy_poll = !strcmp(arg, "busy");
		g->poll = true;
		return 0;
	case OPT_NO_HUGE:
		o->huge = false;
		return 0;
	case OPT_SECONDS:
		o->seconds = strtod(arg, &end);
		if (end == arg || *end || !(o->seconds > 0 && o->seconds < SECONDS_MAX))
			return bad("--seconds takes a number above 0, not", arg);
		return 0;
	case OPT_STATS:
		o->stats_file = arg;
		return 0;
	case OPT_HELP:
		fputs(help, stdout);
		return 1;
	case OPT_VERSION:
		puts("tenon-dataplane " TN_VERSION);
		return 1;
	default:
		fputs("see tenon-dataplane --help\n", stderr);
		return -1;
	}
}

/* Small where nothing polls, and nothing to say of workers. */
static int settle_kernel_mode(struct tn_agent_options *o, const struct given *g)
{
	if (g->workers || g->poll || o->pci)
		return bad("--mode kernel has no worker that polls and no NIC of DPDK: leave out",
			g->workers	  ? "--workers"
				: g->poll ? "--poll"
					  : "--pci");
	if (!g->memory)
		o->memory_mb = 8;
	if (!g->sessions)
		o->sessions = 1u << 16;
	o->huge = false;
	return 0;
}

int tn_agent_options_parse(struct tn_agent_options *o, int argc, char **argv)
{
	struct given given = {0};
	int opt, r;

	*o = (struct tn_agent_options){
		.socket = TN_SOCKET_DEFAULT,
		.memory_mb = 256,
		.max_frame = FRAME_DEFAULT,
		.sessions = 1u << 20,
		.huge = true,
	};
	o->worker_core[0] = last_core();
	o->n_workers = 1;
	while ((opt = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		r = take(o, &given, opt, optarg);
		if (r)
			return r;
	}
	if (optind < argc)
		return bad("unexpected word", argv[optind]);
	return o->kernel_mode ? settle_kernel_mode(o, &given) : 0;
}
