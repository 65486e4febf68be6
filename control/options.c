/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/options.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

static const char help[] =
	"Usage: tenond [OPTION]...\n"
	"The control daemon of Tenon: takes flows, groups, meters and ports as JSON over HTTP, keeps\n"
	"them on disk and has tenon-dataplane forward by them.\n"
	"\n"
	"  --config FILE       configuration (JSON); what it leaves out has its default\n"
	"  --check             say whether the configuration is good, and end\n"
	"  --state DIR         folder of the store (default " TN_CONFIG_STATE ")\n"
	"  --socket PATH       HTTP on this Unix socket (default " TN_CONFIG_SOCKET ")\n"
	"  --listen ADDR:PORT  and on this port of a loopback address; may be repeated\n"
	"  --dataplane PATH    the data plane's socket (default " TN_CONFIG_DATAPLANE ")\n"
	"  --help, --version\n"
	"\n"
	"SIGHUP reads the configuration again, without ending a connection. SIGTERM stops; the data\n"
	"plane goes on forwarding.\n"
	"\n"
	"Exit status: 0 stopped, 1 failed, 2 bad command line or configuration, 3 another process has\n"
	"the state folder.\n"
	"\n"
	"Examples:\n"
	"  tenond --config /etc/tenon/tenond.json --check\n"
	"  tenond --config /etc/tenon/tenond.json\n"
	"  tenond --state mine --socket mine/tenond.sock --dataplane mine/dataplane.sock\n";

void tn_say(const char *fmt, ...)
{
	va_list ap;

	fputs("tenond: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

static int bad(const char *what, const char *value)
{
	tn_say("%s '%s'; see tenond --help", what, value);
	return -1;
}

enum {
	OPT_CONFIG = 1,
	OPT_CHECK,
	OPT_STATE,
	OPT_SOCKET,
	OPT_LISTEN,
	OPT_DATAPLANE,
	OPT_HELP,
	OPT_VERSION
};

static const struct option longs[] = {
	{"config", required_argument, NULL, OPT_CONFIG},
	{"check", no_argument, NULL, OPT_CHECK},
	{"state", required_argument, NULL, OPT_STATE},
	{"socket", required_argument, NULL, OPT_SOCKET},
	{"listen", required_argument, NULL, OPT_LISTEN},
	{"dataplane", required_argument, NULL, OPT_DATAPLANE},
	{"help", no_argument, NULL, OPT_HELP},
	{"version", no_argument, NULL, OPT_VERSION},
	{NULL, 0, NULL, 0},
};

static int take_socket(const char **to, const char *path)
{
	if (!*path || strlen(path) >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
		return bad("the path of a socket has 1 to 107 bytes, not so", path);
	*to = path;
	return 0;
}

static int take(struct tn_options *o, int opt, const char *arg)
{
	switch (opt) {
	case OPT_CONFIG:
		o->config = arg;
		return 0;
	case OPT_CHECK:
		o->check = true;
		return 0;
	case OPT_STATE:
		o->state_dir = arg;
		return *arg ? 0 : bad("--state takes a folder, not", arg);
	case OPT_SOCKET:
		return take_socket(&o->socket, arg);
	case OPT_LISTEN:
		if (o->n_listen == TN_OPTIONS_LISTEN_MAX)
			return bad("too many --listen; use the configuration file for", arg);
		o->listen[o->n_listen++] = arg;
		return 0;
	case OPT_DATAPLANE:
		return take_socket(&o->dataplane, arg);
	case OPT_HELP:
		fputs(help, stdout);
		return 1;
	case OPT_VERSION:
		puts("tenond " TN_VERSION);
		return 1;
	default:
		fputs("see tenond --help\n", stderr);
		return -1;
	}
}

int tn_options_parse(struct tn_options *o, int argc, char **argv)
{
	int opt, r;

	*o = (struct tn_options){0};
	while ((opt = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		r = take(o, opt, optarg);
		if (r)
			return r;
	}
	return optind < argc ? bad("unexpected word", argv[optind]) : 0;
}

int tn_options_configure(const struct tn_options *o, struct tn_config *config)
{
	struct tn_error err;

	tn_config_init(config);
	if (o->config && tn_config_load(config, o->config))
		return -1;
	if (o->state_dir)
		config->state_dir = o->state_dir;
	if (o->socket)
		config->server.socket.path = o->socket;
	if (o->dataplane)
		config->dataplane_path = o->dataplane;
	for (unsigned i = 0; i < o->n_listen; i++) {
		if (tn_config_listen(config, o->listen[i], &err)) {
			tn_say("%s", err.detail);
			return -1;
		}
	}
	return 0;
}
