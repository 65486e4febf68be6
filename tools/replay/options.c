/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/replay/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/replay/memory.h"

static const char usage_text[] =
	"usage: tenon-replay --config FILE.json --in PORT=FILE.pcap [--in ...] [--out DIR]\n"
	"                    [--report FILE] [--trace FILE] [--diff OTHER.json] [--loop N]\n"
	"                    [--host NAME] [--progress]\n"
	"       tenon-replay --config FILE.json [--host NAME] --check\n";

static const char help_text[] =
	"\n"
	"Sends the frames of capture files through the flow tables of a switch whose clock is\n"
	"the captures' time. Needs no privileges; the same input gives the same output.\n"
	"\n"
	"  --config FILE     the switch: ports, flows, groups, meters, underlay, tenants' networks\n"
	"                    (JSON)\n"
	"  --host NAME       which host of the tenants' networks the switch is; its ports are\n"
	"                    called p-ID\n"
	"  --in PORT=FILE    frames that come in by a port (its name or number); repeat it for\n"
	"                    more ports; pcap or pcapng, also gzip; - is standard input\n"
	"  --out DIR         write what each port sends to DIR/PORT.pcap and the packet-ins to\n"
	"                    DIR/controller.pcap\n"
	"  --report FILE     counters of everything as JSON; - is standard output\n"
	"  --trace FILE      one JSON line a packet: path, actions, outputs, drop reason\n"
	"  --diff OTHER      also run OTHER and list the packets that fare differently\n"
	"  --loop N          replay the inputs N times, time going on\n"
	"  --progress        show progress also where standard error is no terminal\n"
	"  --check           only check the configuration\n"
	"  --help, --version\n"
	"\n"
	"Exit status: 0 done (with --diff: no packet differs), 1 packets differ, 2 wrong usage or\n"
	"configuration, 3 an input is broken, 4 internal error, 5 an output cannot be written,\n"
	"130 interrupted.\n"
	"\n"
	"Examples:\n"
	"  tenon-replay --config lab.json --in vm-a=a.pcap --in vm-b=b.pcap --out sent\n"
	"  tenon-replay --config lab.json --in 1=a.pcapng.gz --trace - | grep '\"dropped\"'\n"
	"  tenon-replay --config old.json --diff new.json --in uplink=day.pcap\n"
	"  tcpdump -i eth1 -w - -c 1000 | tenon-replay --config lab.json --in uplink=-\n"
	"\n"
	"The manual page tenon-replay(1) describes the files.\n";

void tn_complain(const char *fmt, ...)
{
	va_list ap;

	fputs("tenon-replay: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

static bool bad_usage(int *code)
{
	fputs(usage_text, stderr);
	fputs("Try tenon-replay --help.\n", stderr);
	*code = TN_EXIT_USAGE;
	return false;
}

static bool parse_loops(const char *text, uint64_t *loops)
{
	char *end;

	errno = 0;
	*loops = strtoull(text, &end, 10);
	if (!errno && end != text && !*end && text[0] >= '0' && text[0] <= '9' && *loops)
		return true;
	tn_complain("--loop %s: name how often to replay, a number from 1", text);
	return false;
}

/* An option that is given twice is a mistake but for --in. */
static bool set_once(const char **where, const char *option, const char *value)
{
	if (*where) {
		tn_complain("%s is given twice", option);
		return false;
	}
	if (!*value) {
		tn_complain("%s names no file", option);
		return false;
	}
	*where = value;
	return true;
}

static bool is_stdin(const char *path)
{
	return path && !strcmp(path, "-");
}

static bool check_stdin(const struct tn_options *o)
{
	unsigned n = is_stdin(o->config) + is_stdin(o->diff);
	unsigned inputs = 0;

	for (size_t i = 0; i < o->n_inputs; i++) {
		const char *equals = strchr(o->inputs[i], '=');

		inputs += equals && is_stdin(equals + 1);
	}
	if (n + inputs > 1) {
		tn_complain("only one file can be standard input");
		return false;
	}
	if (inputs && o->loops > 1) {
		tn_complain("--loop needs files: standard input comes only once");
		return false;
	}
	return true;
}

static bool check_combination(const struct tn_options *o)
{
	if (!o->config) {
		tn_complain("--config is missing: name the JSON file that describes the switch");
		return false;
	}
	if (o->check && (o->n_inputs || o->out || o->report || o->trace)) {
		tn_complain("--check reads only the configuration: leave out the other options");
		return false;
	}
	if (!o->check && !o->n_inputs) {
		tn_complain("--in is missing: name a port and a capture, as in --in 1=FILE.pcap");
		return false;
	}
	if (!check_stdin(o))
		return false;
	if (o->report && o->trace && !strcmp(o->report, o->trace)) {
		tn_complain("--report and --trace cannot both go to %s",
			strcmp(o->report, "-") ? o->report : "standard output");
		return false;
	}
	return true;
}

enum {
	OPT_CONFIG,
	OPT_IN,
	OPT_OUT,
	OPT_REPORT,
	OPT_TRACE,
	OPT_DIFF,
	OPT_HOST,
	OPT_LOOP,
	OPT_PROGRESS,
	OPT_CHECK,
	OPT_HELP,
	OPT_VERSION
};

static const struct option long_options[] = {
	{"config", required_argument, NULL, OPT_CONFIG},
	{"in", required_argument, NULL, OPT_IN},
	{"out", required_argument, NULL, OPT_OUT},
	{"report", required_argument, NULL, OPT_REPORT},
	{"trace", required_argument, NULL, OPT_TRACE},
	{"diff", required_argument, NULL, OPT_DIFF},
	{"host", required_argument, NULL, OPT_HOST},
	{"loop", required_argument, NULL, OPT_LOOP},
	{"progress", no_argument, NULL, OPT_PROGRESS},
	{"check", no_argument, NULL, OPT_CHECK},
	{"help", no_argument, NULL, OPT_HELP},
	{"version", no_argument, NULL, OPT_VERSION},
	{NULL, 0, NULL, 0},
};

static bool take_option(struct tn_options *o, int option)
{
	switch (option) {
	case OPT_CONFIG:
		return set_once(&o->config, "--config", optarg);
	case OPT_IN:
		o->inputs[o->n_inputs++] = optarg;
		return true;
	case OPT_OUT:
		return set_once(&o->out, "--out", optarg);
	case OPT_REPORT:
		return set_once(&o->report, "--report", optarg);
	case OPT_TRACE:
		return set_once(&o->trace, "--trace", optarg);
	case OPT_DIFF:
		return set_once(&o->diff, "--diff", optarg);
	case OPT_HOST:
		return set_once(&o->host, "--host", optarg);
	case OPT_LOOP:
		return parse_loops(optarg, &o->loops);
	case OPT_PROGRESS:
		o->progress = true;
		return true;
	case OPT_CHECK:
		o->check = true;
		return true;
	default:
		return false;
	}
}

bool tn_options_parse(struct tn_options *o, int argc, char **argv, int *code)
{
	int option;

	*o = (struct tn_options){.loops = 1};
	o->inputs = tn_alloc(sizeof(*o->inputs) * (size_t)(argc + 1));
	while ((option = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
		if (option == OPT_HELP || option == 'h') {
			fputs(usage_text, stdout);
			fputs(help_text, stdout);
			*code = TN_EXIT_OK;
			return false;
		}
		if (option == OPT_VERSION) {
			puts("tenon-replay " TN_VERSION);
			*code = TN_EXIT_OK;
			return false;
		}
		if (!take_option(o, option))
			return bad_usage(code);
	}
	if (optind < argc) {
		tn_complain(
			"%s: not an option; captures are named with --in PORT=FILE", argv[optind]);
		return bad_usage(code);
	}
	return check_combination(o) || bad_usage(code);
}

void tn_options_fini(struct tn_options *o)
{
	free(o->inputs);
}
