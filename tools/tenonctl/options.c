/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/tenonctl/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/tenonctl/say.h"

#define TIMEOUT_DEFAULT 30u
#define VALUE_BASE	256 /* what getopt_long() answers for an option without a letter */

const struct tn_ctl_option tn_ctl_option_list[TN_CTL_N_OPTIONS] = {
	[TN_CTL_JSON] = {"json", NULL, "print JSON, as the daemon answered it", 0},
	[TN_CTL_NO_NAMES] = {"no-names", NULL, "ports and tables by number", 0},
	[TN_CTL_COLOR] = {"color", "WHEN", "auto (on a terminal), always, never", 0},
	[TN_CTL_SOCKET_PATH] = {"socket", "PATH",
		"of the daemon (default $TENON_SOCKET or " TN_CTL_SOCKET ")", 0},
	[TN_CTL_SERVER] = {"server", "URL",
		"the daemon over TCP: https://host:port (default $TENON_SERVER)", 0},
	[TN_CTL_TOKEN_FILE] = {"token-file", "FILE",
		"holds the bearer token to show (default $TENON_TOKEN_FILE)", 0},
	[TN_CTL_CA] = {"ca", "FILE", "PEM: who signed the daemon's certificate (default $TENON_CA)",
		0},
	[TN_CTL_CERT] = {"cert", "FILE", "PEM: certificate to show to the daemon", 0},
	[TN_CTL_KEY] = {"key", "FILE", "PEM: its private key", 0},
	[TN_CTL_TIMEOUT] = {"timeout", "S", "seconds that the daemon may be silent (default 30)",
		0},
	[TN_CTL_HELP_OPTION] = {"help", NULL, "of a command: what it does, with examples", 'h'},
	[TN_CTL_VERSION] = {"version", NULL, "print the version", 'V'},
	[TN_CTL_FILE] = {"file", "FILE",
		"work on the lines, or the JSON, of a file; - is standard input", 'f'},
	[TN_CTL_STRICT] = {"strict", NULL, "exactly the flow that is named, its priority included",
		0},
	[TN_CTL_APP] = {"app", "NAME",
		"whose flows, groups, meters (default " TN_CTL_APP_DEFAULT ")", 0},
	[TN_CTL_DRY_RUN] = {"dry-run", NULL, "say what would change, and change nothing", 0},
	[TN_CTL_CONFIRM_WITHIN] = {"confirm-within", "S",
		"undo the change after S seconds unless it is confirmed", 0},
	[TN_CTL_NO_WAIT] = {"no-wait", NULL,
		"wait for the daemon's disk alone, not for the data plane", 0},
	[TN_CTL_NO_STATS] = {"no-stats", NULL, "without counters: what flow add takes", 0},
	[TN_CTL_KINDS] = {"kinds", "LIST",
		"of flow,group,meter,port,table,host,packet-in,dataplane", 0},
	[TN_CTL_SINCE] = {"since", "SEQ", "go on after the event of this number", 0},
	[TN_CTL_NO_INITIAL] = {"no-initial", NULL, "changes alone, not what there is already", 0},
	[TN_CTL_COUNT] = {"count", "N", "end after so many", 0},
	[TN_CTL_INTERVAL] = {"interval", "S", "seconds between two looks (default 1)", 0},
	[TN_CTL_PACKET] = {"packet", "N", "which packet of the capture, from 1 (default 1)", 0},
};

bool tn_ctl_option_is_general(enum tn_ctl_option_id id)
{
	return id < TN_CTL_FILE;
}

void tn_ctl_options_print(uint64_t set)
{
	for (unsigned i = 0; i < TN_CTL_N_OPTIONS; i++) {
		const struct tn_ctl_option *o = &tn_ctl_option_list[i];
		char left[40];

		if (!(set >> i & 1))
			continue;
		snprintf(left, sizeof(left), "%c%c%s--%s%s%s", o->letter ? '-' : ' ',
			o->letter ? o->letter : ' ', o->letter ? ", " : "  ", o->name,
			o->argument ? " " : "", o->argument ? o->argument : "");
		printf("  %-24s %s\n", left, o->help);
	}
}

/* --- values ----------------------------------------------------------------------------------- */

static bool number(const char *option, unsigned min, unsigned max, unsigned *out)
{
	unsigned long v;
	char *end;

	errno = 0;
	v = strtoul(optarg, &end, 10);
	if (errno || end == optarg || *end || optarg[0] == '-' || v < min || v > max) {
		tn_ctl_say("--%s %s: give a number from %u to %u", option, optarg, min, max);
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

static bool server(const char **url)
{
	if (strncmp(optarg, "https://", 8) != 0 && strncmp(optarg, "http://", 7) != 0) {
		tn_ctl_say("--server %s: give https://host:port", optarg);
		return false;
	}
	*url = optarg;
	return true;
}

static bool app(const char **name)
{
	if (!*optarg || strlen(optarg) > TN_JSON_APP_MAX) {
		tn_ctl_say("--app: give a name of 1 to %u bytes", TN_JSON_APP_MAX);
		return false;
	}
	*name = optarg;
	return true;
}

static bool digits(const char *option)
{
	if (*optarg && strspn(optarg, "0123456789") == strlen(optarg) && strlen(optarg) < 20)
		return true;
	tn_ctl_say("--%s %s: give a number", option, optarg);
	return false;
}

static bool set(struct tn_ctl_options *o, enum tn_ctl_option_id id)
{
	const char *name = tn_ctl_option_list[id].name;

	switch (id) {
	case TN_CTL_JSON:
		return o->json = true;
	case TN_CTL_NO_NAMES:
		o->names = false;
		return true;
	case TN_CTL_COLOR:
		return color(&o->color);
	case TN_CTL_SOCKET_PATH:
		o->http.server = NULL;
		o->http.socket = optarg;
		return true;
	case TN_CTL_SERVER:
		return server(&o->http.server);
	case TN_CTL_TOKEN_FILE:
		o->http.token_file = optarg;
		return true;
	case TN_CTL_CA:
		o->http.ca = optarg;
		return true;
	case TN_CTL_CERT:
		o->http.certificate = optarg;
		return true;
	case TN_CTL_KEY:
		o->http.key = optarg;
		return true;
	case TN_CTL_TIMEOUT:
		return number(name, 1, 86400, &o->http.timeout_s);
	case TN_CTL_FILE:
		o->file = optarg;
		return true;
	case TN_CTL_STRICT:
		return o->strict = true;
	case TN_CTL_APP:
		return app(&o->app);
	case TN_CTL_DRY_RUN:
		return o->dry_run = true;
	case TN_CTL_CONFIRM_WITHIN:
		return number(name, 1, 86400, &o->confirm_within_s);
	case TN_CTL_NO_WAIT:
		return o->no_wait = true;
	case TN_CTL_NO_STATS:
		o->stats = false;
		return true;
	case TN_CTL_KINDS:
		o->kinds = optarg;
		return true;
	case TN_CTL_SINCE:
		o->since = optarg;
		return digits(name);
	case TN_CTL_NO_INITIAL:
		return o->no_initial = true;
	case TN_CTL_COUNT:
		return number(name, 1, 1000000000, &o->count);
	case TN_CTL_INTERVAL:
		return interval(&o->interval_ms);
	case TN_CTL_PACKET:
		return number(name, 1, 1000000000, &o->packet);
	case TN_CTL_HELP_OPTION:
	case TN_CTL_VERSION:
	case TN_CTL_N_OPTIONS:
		break;
	}
	return true;
}

/* --- the command line ------------------------------------------------------------------------- */

static int value_of(unsigned id)
{
	return tn_ctl_option_list[id].letter ? tn_ctl_option_list[id].letter : VALUE_BASE + (int)id;
}

static void fill(struct option longs[TN_CTL_N_OPTIONS + 1], char letters[2 * TN_CTL_N_OPTIONS + 2])
{
	*letters++ = ':';
	for (unsigned i = 0; i < TN_CTL_N_OPTIONS; i++) {
		const struct tn_ctl_option *o = &tn_ctl_option_list[i];

		longs[i] = (struct option){
			o->name, o->argument ? required_argument : no_argument, NULL, value_of(i)};
		if (!o->letter)
			continue;
		*letters++ = o->letter;
		if (o->argument)
			*letters++ = ':';
	}
	longs[TN_CTL_N_OPTIONS] = (struct option){0};
	*letters = '\0';
}

static void unknown(const char *word)
{
	const char *best = NULL;
	unsigned least = 7;

	if (word[0] == '-' && word[1] != '-') {
		tn_ctl_say("there is no option -%c; tenonctl --help has them all", optopt);
		return;
	}
	for (unsigned i = 0; i < TN_CTL_N_OPTIONS; i++) {
		unsigned d = tn_names_distance(word + 2, tn_ctl_option_list[i].name, 3);

		if (d < least) {
			least = d;
			best = tn_ctl_option_list[i].name;
		}
	}
	if (best)
		tn_ctl_say("there is no option %s; did you mean --%s?", word, best);
	else
		tn_ctl_say("there is no option %s; tenonctl --help has them all", word);
}

/* What getopt_long() does not take. */
static void complain(int c, char **argv)
{
	const char *word = argv[optind - 1];
	char *equals = strchr(word, '=');

	if (c == ':')
		tn_ctl_say("%s: what follows it is missing", word);
	else if (optopt && equals)
		tn_ctl_say("%.*s takes nothing after it", (int)(equals - word), word);
	else
		unknown(word);
}

static bool wants_color(void)
{
	const char *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && !getenv("NO_COLOR") && (!term || strcmp(term, "dumb") != 0);
}

/* NULL where it is empty, too. */
static const char *environment(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

static void set_defaults(struct tn_ctl_options *o)
{
	const char *socket = environment("TENON_SOCKET");

	*o = (struct tn_ctl_options){
		.http = {.socket = socket ? socket : TN_CTL_SOCKET,
			.server = environment("TENON_SERVER"),
			.timeout_s = TIMEOUT_DEFAULT},
		.stats = true,
		.names = true,
		.color = wants_color(),
		.interval_ms = 1000,
		.packet = 1,
	};
}

/* Who is on the machine needs no token. */
static void set_remote_defaults(struct tn_ctl_http_options *http)
{
	if (!http->server)
		return;
	if (!http->token_file)
		http->token_file = environment("TENON_TOKEN_FILE");
	if (!http->ca)
		http->ca = environment("TENON_CA");
}

int tn_ctl_options_parse(
	struct tn_ctl_options *o, int argc, char **argv, int *first, uint64_t *seen)
{
	struct option longs[TN_CTL_N_OPTIONS + 1];
	char letters[2 * TN_CTL_N_OPTIONS + 2];
	int c, code = TN_CTL_GO_ON;

	set_defaults(o);
	fill(longs, letters);
	*seen = 0;
	opterr = 0;
	while ((c = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		unsigned id = 0;

		while (id < TN_CTL_N_OPTIONS && c != value_of(id))
			id++;
		if (id == TN_CTL_N_OPTIONS) {
			complain(c, argv);
			return TN_CTL_USAGE;
		}
		*seen |= TN_CTL_O(id);
		if (id == TN_CTL_HELP_OPTION)
			code = TN_CTL_HELP;
		if (id == TN_CTL_VERSION) {
			printf("tenonctl " TN_VERSION "\n");
			return TN_CTL_OK;
		}
		if (!set(o, (enum tn_ctl_option_id)id))
			return TN_CTL_USAGE;
	}
	set_remote_defaults(&o->http);
	*first = optind;
	return code;
}
