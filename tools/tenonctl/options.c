/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/tenonctl/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/tenonctl/say.h"

#define APP_DEFAULT	"tenonctl"
#define TIMEOUT_DEFAULT 30u

const char tn_ctl_usage_text[] = "usage: tenonctl [OPTION...] COMMAND [WORD...]\n";

const char tn_ctl_help_text[] =
	"\n"
	"Flows, groups and meters are lines of ovs-ofctl(8), or JSON from a file.\n"
	"\n"
	"Options:\n"
	"  --json             print JSON as the daemon answered it\n"
	"  -f, --file FILE    work on the lines of a file; - is standard input\n"
	"  --strict           flow mod, flow del: exactly the flow that is named\n"
	"  --app NAME         owner of what is added (default tenonctl)\n"
	"  --dry-run          say what would change, and change nothing\n"
	"  --confirm-within S undo the change after S seconds unless it is confirmed\n"
	"  --no-wait          do not wait for the data plane, only for the daemon's disk\n"
	"  --no-stats         lists without counters\n"
	"  --no-names         ports and tables by number\n"
	"  --kinds LIST       watch: flow,group,meter,port,table,host,packet-in\n"
	"  --count N          watch, top: end after so many\n"
	"  --interval S       top: seconds between looks (default 1)\n"
	"  --packet N         trace: of a capture, counted from 1 (default 1)\n"
	"  --color WHEN       auto, always, never\n"
	"  --socket PATH      of the daemon (default $TENON_SOCKET or " TN_CTL_SOCKET ")\n"
	"  --server URL       the daemon over TCP: https://host:port\n"
	"  --token-file FILE  bearer token for it\n"
	"  --ca FILE, --cert FILE, --key FILE\n"
	"                     certificates for it, PEM\n"
	"  --timeout S        that the daemon may be silent (default 30)\n"
	"  -h, --help, -V, --version\n"
	"\n"
	"Exit status: 0 done, 1 refused or not there, 2 flow diff: not the same, 3 wrong usage or\n"
	"text (nothing was sent), 4 no daemon or no data plane.\n"
	"\n"
	"Examples:\n"
	"  tenonctl flow add 'table=0,priority=100,tcp,nw_dst=10.0.0.1,actions=output:2'\n"
	"  tenonctl flow dump tcp\n"
	"  tenonctl flow replace rules.txt --app firewall --dry-run\n"
	"  tenonctl flow del --strict 'priority=100,tcp,nw_dst=10.0.0.1'\n"
	"  tenonctl trace in_port=1,tcp,nw_src=10.0.0.2,nw_dst=10.0.0.1,tp_dst=80\n"
	"  tenonctl watch --kinds flow,port --json\n";

enum {
	SERVER = 256,
	SOCKET,
	TOKEN,
	CA,
	CERT,
	KEY,
	TIMEOUT,
	JSON,
	COLOR,
	APP,
	STRICT,
	DRY_RUN,
	CONFIRM,
	NO_WAIT,
	NO_STATS,
	NO_NAMES,
	KINDS,
	COUNT,
	INTERVAL,
	PACKET,
};

static const struct option options[] = {
	{"server", required_argument, NULL, SERVER},
	{"socket", required_argument, NULL, SOCKET},
	{"token-file", required_argument, NULL, TOKEN},
	{"ca", required_argument, NULL, CA},
	{"cert", required_argument, NULL, CERT},
	{"key", required_argument, NULL, KEY},
	{"timeout", required_argument, NULL, TIMEOUT},
	{"json", no_argument, NULL, JSON},
	{"color", required_argument, NULL, COLOR},
	{"app", required_argument, NULL, APP},
	{"file", required_argument, NULL, 'f'},
	{"strict", no_argument, NULL, STRICT},
	{"dry-run", no_argument, NULL, DRY_RUN},
	{"confirm-within", required_argument, NULL, CONFIRM},
	{"no-wait", no_argument, NULL, NO_WAIT},
	{"no-stats", no_argument, NULL, NO_STATS},
	{"no-names", no_argument, NULL, NO_NAMES},
	{"kinds", required_argument, NULL, KINDS},
	{"count", required_argument, NULL, COUNT},
	{"interval", required_argument, NULL, INTERVAL},
	{"packet", required_argument, NULL, PACKET},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},
	{NULL, 0, NULL, 0},
};

static bool number(const char *option, unsigned min, unsigned max, unsigned *out)
{
	unsigned long v;
	char *end;

	errno = 0;
	v = strtoul(optarg, &end, 10);
	if (errno || end == optarg || *end || optarg[0] == '-' || v < min || v > max) {
		tn_ctl_say("%s %s: give a number from %u to %u", option, optarg, min, max);
		return false;
	}
	*out = (unsigned)v;
	return true;
}

static bool interval(unsigned *ms)
{
	char *end;
	double s = strtod(optarg, &end);

	if (end == optarg || *end || !(s >= 0.1) || s > 3600) {
		tn_ctl_say("--interval %s: give seconds from 0.1 to 3600", optarg);
		return false;
	}
	*ms = (unsigned)(s * 1000);
	return true;
}

static bool color(bool *on)
{
	if (strcmp(optarg, "always") == 0)
		*on = true;
	else if (strcmp(optarg, "never") == 0)
		*on = false;
	else if (strcmp(optarg, "auto") != 0) {
		tn_ctl_say("--color %s: give auto, always or never", optarg);
		return false;
	}
	return true;
}

/* How to reach the daemon. */
static bool set_http(struct tn_ctl_http_options *http, int option)
{
	switch (option) {
	case SERVER:
		if (strncmp(optarg, "https://", 8) != 0 && strncmp(optarg, "http://", 7) != 0) {
			tn_ctl_say("--server %s: give https://host:port", optarg);
			return false;
		}
		http->server = optarg;
		return true;
	case SOCKET:
		http->socket = optarg;
		return true;
	case TOKEN:
		http->token_file = optarg;
		return true;
	case CA:
		http->ca = optarg;
		return true;
	case CERT:
		http->certificate = optarg;
		return true;
	case KEY:
		http->key = optarg;
		return true;
	default:
		return number("--timeout", 1, 86400, &http->timeout_s);
	}
}

static bool set(struct tn_ctl_options *o, int option)
{
	switch (option) {
	case JSON:
		return o->json = true;
	case COLOR:
		return color(&o->color);
	case APP:
		o->app = optarg;
		return true;
	case 'f':
		o->file = optarg;
		return true;
	case STRICT:
		return o->strict = true;
	case DRY_RUN:
		return o->dry_run = true;
	case CONFIRM:
		return number("--confirm-within", 1, 86400, &o->confirm_within_s);
	case NO_WAIT:
		return o->no_wait = true;
	case NO_STATS:
		o->stats = false;
		return true;
	case NO_NAMES:
		o->names = false;
		return true;
	case KINDS:
		o->kinds = optarg;
		return true;
	case COUNT:
		return number("--count", 1, 1000000000, &o->count);
	case INTERVAL:
		return interval(&o->interval_ms);
	case PACKET:
		return number("--packet", 1, 1000000000, &o->packet);
	default:
		return set_http(&o->http, option);
	}
}

static bool wants_color(void)
{
	const char *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && !getenv("NO_COLOR") && (!term || strcmp(term, "dumb") != 0);
}

int tn_ctl_options_parse(struct tn_ctl_options *o, int argc, char **argv, int *first)
{
	const char *socket = getenv("TENON_SOCKET");
	int c;

	*o = (struct tn_ctl_options){
		.http = {.socket = socket && *socket ? socket : TN_CTL_SOCKET,
			.timeout_s = TIMEOUT_DEFAULT},
		.app = APP_DEFAULT,
		.stats = true,
		.names = true,
		.color = wants_color(),
		.interval_ms = 1000,
		.packet = 1,
	};
	while ((c = getopt_long(argc, argv, "f:hV", options, NULL)) != -1) {
		if (c == 'h') {
			*first = optind;
			return TN_CTL_HELP;
		}
		if (c == 'V') {
			printf("tenonctl " TN_VERSION "\n");
			return TN_CTL_OK;
		}
		if (c == '?' || !set(o, c)) {
			fputs("Try tenonctl --help.\n", stderr);
			return TN_CTL_USAGE;
		}
	}
	*first = optind;
	if (!*o->app || strlen(o->app) > TN_JSON_APP_MAX) {
		tn_ctl_say("--app: give a name of 1 to %u bytes", TN_JSON_APP_MAX);
		return TN_CTL_USAGE;
	}
	return TN_CTL_GO_ON;
}
