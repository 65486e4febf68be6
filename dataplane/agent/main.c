/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tenon-dataplane: the switch as a process. See tenon-dataplane(8).
 */
#include <unistd.h>

#include "dataplane/agent/agent.h"
#include "dataplane/agent/api_listen.h"
#include "dataplane/agent/api_server.h"
#include "dataplane/agent/change.h"
#include "dataplane/agent/check_state.h"
#include "dataplane/agent/eal.h"
#include "dataplane/agent/keep.h"
#include "dataplane/agent/kernel.h"
#include "dataplane/agent/load.h"
#include "dataplane/agent/process.h"
#include "dataplane/agent/stats.h"
#include "dataplane/api/daemon.h"

static void stop_loop(void *ctx)
{
	tn_loop_stop(ctx);
}

/* Until it is told to stop. */
static int forward(struct tn_agent *agent)
{
	uint64_t ns = (uint64_t)(agent->options.seconds * 1e9), start;
	struct tn_error err;

	if (ns && tn_loop_every(agent->loop, ns, stop_loop, agent->loop)) {
		tn_agent_say("no timer for --seconds");
		return TN_AGENT_EXIT_FAILURE;
	}
	if (tn_agent_start(agent, &err)) {
		tn_agent_say("%s", err.detail);
		return TN_AGENT_EXIT_FAILURE;
	}
	start = tn_agent_now(agent);
	tn_process_notify("READY=1");
	tn_loop_run(agent->loop);
	tn_process_notify("STOPPING=1");
	tn_agent_stop(agent);
	if (agent->options.stats_file &&
		tn_stats_write(agent, (double)(tn_agent_now(agent) - start) / 1e9))
		return TN_AGENT_EXIT_FAILURE;
	return TN_AGENT_EXIT_OK;
}

/* What the document says, unless the folder of the last run says it better. */
static int fill(struct tn_agent *agent, struct tn_changes *changes, struct tn_document *doc)
{
	const struct tn_agent_options *o = &agent->options;

	if (!o->load)
		return TN_AGENT_EXIT_OK;
	if (tn_changes_recovered(changes)) {
		tn_agent_say("%s holds the state of the last run: %s is not read; move the folder "
			     "away to begin from the document",
			o->state_dir, o->load);
		return TN_AGENT_EXIT_OK;
	}
	return tn_load_apply(agent, changes, o->load, doc) ? TN_AGENT_EXIT_USAGE : TN_AGENT_EXIT_OK;
}

/* The agent with what clients need of it. */
static int serve(struct tn_agent *agent, struct tn_document *doc, int listen_fd)
{
	int code = TN_AGENT_EXIT_FAILURE;
	struct tn_error err;
	struct tn_changes *changes = tn_changes_new(agent, agent->options.state_dir, &err);
	struct tn_api_server *server =
		changes ? tn_api_server_new(agent, changes, listen_fd, &err) : NULL;

	if (!server)
		tn_agent_say("%s", err.detail);
	else
		code = fill(agent, changes, doc);
	if (server && !code)
		code = forward(agent);
	/* Whoever waits for a receipt still gets it. */
	if (server)
		tn_api_server_stop(server);
	tn_changes_free(changes);
	tn_api_server_free(server);
	return code;
}

static int run_agent(const struct tn_agent_options *options, struct tn_loop *loop,
	struct tn_document *doc, const struct tn_keeper_peek *kept, int listen_fd)
{
	uint64_t dpid = kept->found ? kept->dpid : options->load ? doc->dpid : 1;
	bool pci = !options->kernel_mode &&
		(options->pci || tn_load_wants_pci(doc) || kept->wants_pci);
	struct tn_agent *agent;
	struct tn_error err;
	int code = TN_AGENT_EXIT_FAILURE;

	if (tn_process_drop_privileges(options->keep_privileges || pci ||
		    tn_load_wants_namespaces(doc) || kept->wants_namespaces))
		return code;
	if (tn_eal_start(options, pci))
		return code;
	agent = tn_agent_new(options, loop, dpid, &err);
	if (agent)
		code = serve(agent, doc, listen_fd);
	else
		tn_agent_say("%s", err.detail);
	tn_agent_free(agent);
	tn_eal_stop();
	return code;
}

/* With the socket, or without it where nobody asked for it by name. */
static int listen_and_run(const struct tn_agent_options *options, struct tn_loop *loop,
	struct tn_document *doc, const struct tn_keeper_peek *kept)
{
	struct tn_error err;
	int fd = options->socket ? tn_api_listen(options->socket, &err) : -1, code;

	if (options->socket && fd < 0) {
		tn_agent_say("%s%s", err.detail,
			options->socket_given ? ""
					      : "; going on without a socket, as by --no-socket");
		if (options->socket_given)
			return TN_AGENT_EXIT_FAILURE;
	}
	code = run_agent(options, loop, doc, kept, fd);
	if (fd >= 0) {
		tn_api_unlink(options->socket, fd);
		close(fd);
	}
	return code;
}

static int detach(const char *state_dir)
{
	struct tn_error err;

	if (!tn_kernel_detach(state_dir, &err))
		return TN_AGENT_EXIT_OK;
	tn_agent_say("%s", err.detail);
	return TN_AGENT_EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	struct tn_agent_options options;
	struct tn_document doc = {0};
	struct tn_tenant_document *tenants = NULL;
	struct tn_keeper_peek kept = {0};
	struct tn_loop *loop;
	struct tn_error err;
	int state_fd = -1;
	bool locked;
	int code = TN_AGENT_EXIT_FAILURE, r = tn_agent_options_parse(&options, argc, argv);

	if (r)
		return r > 0 ? TN_AGENT_EXIT_OK : TN_AGENT_EXIT_USAGE;
	if (options.check_state)
		return tn_check_state(options.check_state) ? TN_AGENT_EXIT_FAILURE
							   : TN_AGENT_EXIT_OK;
	if (options.state_dir) {
		state_fd = tn_daemon_lock(options.state_dir, "tenon-dataplane", &locked, &err);
		if (state_fd < 0) {
			tn_agent_say("%s", err.detail);
			return locked ? TN_AGENT_EXIT_LOCKED : TN_AGENT_EXIT_FAILURE;
		}
		if (options.detach) {
			code = detach(options.detach);
			close(state_fd);
			return code;
		}
		tn_keeper_peek(options.state_dir, &kept);
	}
	loop = tn_loop_new();
	if (!loop || tn_loop_stop_on_signals(loop))
		tn_agent_say("no descriptors for the event loop");
	else if (options.load && !kept.found &&
		tn_load_read(options.load, options.host, &doc, &tenants))
		code = TN_AGENT_EXIT_USAGE;
	else
		code = listen_and_run(&options, loop, &doc, &kept);
	if (options.load && !kept.found)
		tn_document_fini(&doc);
	tn_tenant_document_free(tenants);
	tn_loop_free(loop);
	if (state_fd >= 0)
		close(state_fd);
	return code;
}
