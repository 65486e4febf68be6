/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tenond: the control daemon. See tenond(8).
 */
#include <errno.h>
#include <grp.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "control/engine/engine.h"
#include "control/northbound/server.h"
#include "control/options.h"
#include "control/underlay/mirror.h"
#include "dataplane/api/daemon.h"
#include "dataplane/api/loop.h"

#define PORT_UNPRIVILEGED 1024u

struct daemon {
	const struct tn_options *options;
	struct tn_config config; /* of the start: what a reload does not change */
	struct tn_loop *loop;
	struct tn_engine *engine;
	struct tn_server *server;
	struct tn_mirror *mirror;
	char store_path[4200];
};

static void notify(const char *state)
{
	struct tn_error err;

	if (tn_daemon_notify(state, &err))
		tn_say("%s", err.detail);
}

/* --- reload --- */

static bool differ(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) != 0 : a != b;
}

static void say_kept(const char *key)
{
	tn_say("\"%s\" is taken on at a restart alone; as it was until then", key);
}

/* What only a restart changes. Does the configuration on the disk differ in it? */
static void say_what_stays(const struct tn_config *now, const struct tn_config *next)
{
	if (differ(now->state_dir, next->state_dir))
		say_kept("state");
	if (differ(now->dataplane_path, next->dataplane_path))
		say_kept("dataplane/socket");
	if (now->refuse_when_away != next->refuse_when_away)
		say_kept("dataplane/whenAway");
	if (differ(now->host, next->host))
		say_kept("host");
	if (now->mirror_underlay != next->mirror_underlay)
		say_kept("underlay/mirror");
}

static void take_on(struct daemon *d, const struct tn_config *next)
{
	struct tn_error err;

	if (tn_server_reload(d->server, &next->server, &err)) {
		tn_say("%s; everything is as it was", err.detail);
		return;
	}
	say_what_stays(&d->config, next);
	tn_say("configuration read again");
}

static void reload(void *ctx)
{
	struct daemon *d = ctx;
	struct tn_config next;
	struct timespec now;
	char state[64];

	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
		(uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u);
	notify(state);
	if (tn_options_configure(d->options, &next))
		tn_say("the configuration has errors; everything is as it was");
	else
		take_on(d, &next);
	tn_config_fini(&next);
	notify("READY=1");
}

/* --- start --- */

/* The socket's group is that of the process: so it may be given away by who has no other right. */
static int take_group(const struct tn_config *config)
{
	const char *name = config->server.socket.group;
	const struct group *group;

	if (!name || !config->server.socket.path)
		return 0;
	errno = 0;
	group = getgrnam(name);
	if (!group) {
		tn_say("group \"%s\" of the socket: %s; make it by: groupadd --system %s", name,
			errno ? strerror(errno) : "there is none", name);
		return -1;
	}
	if (getegid() == group->gr_gid || geteuid() || !setgid(group->gr_gid))
		return 0;
	tn_say("group \"%s\" of the socket: %s", name, strerror(errno));
	return -1;
}

/* Neighbours for the mirror, and ports that only root may listen on. */
static int drop_privileges(const struct tn_config *config)
{
	uint64_t keep = 0;
	struct tn_error err;

	if (config->mirror_underlay)
		keep |= TN_DAEMON_CAPABILITY(CAP_NET_ADMIN);
	for (size_t i = 0; i < config->server.n_tcp; i++) {
		if (config->server.tcp[i].port && config->server.tcp[i].port < PORT_UNPRIVILEGED)
			keep |= TN_DAEMON_CAPABILITY(CAP_NET_BIND_SERVICE);
	}
	if (!tn_daemon_keep_capabilities(keep, &err))
		return 0;
	tn_say("%s", err.detail);
	return -1;
}

static int start(struct daemon *d, struct tn_error *err)
{
	const struct tn_engine_options options = {
		.store_path = d->store_path,
		.dataplane_path = d->config.dataplane_path,
		.refuse_when_away = d->config.refuse_when_away,
		.dpid = 1,
		.host = d->config.host,
	};

	d->engine = tn_engine_new(d->loop, &options, err);
	if (!d->engine)
		return -1;
	if (d->config.mirror_underlay) {
		d->mirror = tn_mirror_new(d->loop, d->engine, tn_say, err);
		if (!d->mirror)
			return -1;
	}
	d->server = tn_server_new(d->loop, d->engine, &d->config.server, err);
	return d->server ? 0 : -1;
}

static int serve(struct daemon *d)
{
	struct tn_error err;
	int code = TN_EXIT_FAILURE;

	snprintf(d->store_path, sizeof(d->store_path), "%s/tenond.db", d->config.state_dir);
	d->loop = tn_loop_new();
	if (!d->loop || tn_loop_stop_on_signals(d->loop) ||
		tn_loop_on_signal(d->loop, SIGHUP, reload, d)) {
		tn_say("no descriptors for the event loop");
	} else if (start(d, &err)) {
		tn_say("%s", err.detail);
	} else {
		notify("READY=1");
		tn_loop_run(d->loop);
		notify("STOPPING=1");
		code = TN_EXIT_OK;
	}
	tn_mirror_free(d->mirror);
	tn_server_free(d->server);
	tn_engine_free(d->engine);
	tn_loop_free(d->loop);
	return code;
}

static int check(const struct tn_options *options, const struct tn_config *config)
{
	struct tn_error err;

	if (tn_server_check(&config->server, &err)) {
		tn_say("%s", err.detail);
		return TN_EXIT_USAGE;
	}
	printf("%s: good\n", options->config ? options->config : "the default configuration");
	return TN_EXIT_OK;
}

static int run(struct daemon *d)
{
	struct tn_error err;
	bool locked;
	int code, state;

	/* Files of ours are for us; of the socket its mode decides. */
	umask(0077);
	state = tn_daemon_lock(d->config.state_dir, "tenond", &locked, &err);
	if (state < 0) {
		tn_say("%s", err.detail);
		return locked ? TN_EXIT_LOCKED : TN_EXIT_FAILURE;
	}
	code = take_group(&d->config) || drop_privileges(&d->config) ? TN_EXIT_FAILURE : serve(d);
	close(state);
	return code;
}

int main(int argc, char **argv)
{
	struct tn_options options;
	struct daemon d = {.options = &options};
	int code, r = tn_options_parse(&options, argc, argv);

	if (r)
		return r > 0 ? TN_EXIT_OK : TN_EXIT_USAGE;
	signal(SIGPIPE, SIG_IGN);
	if (tn_options_configure(&options, &d.config))
		code = TN_EXIT_USAGE;
	else
		code = options.check ? check(&options, &d.config) : run(&d);
	tn_config_fini(&d.config);
	return code;
}
