/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/pipeline/process.h"

#include "dataplane/pipeline/snapshot.h"

/* One packet on its way, for decide_again. */
struct walk_again {
	const struct tn_snapshot *snapshot;
	const struct tn_key *key;
	const struct tn_action *list; /* NULL: the tables */
	size_t n;
	uint64_t now_ns;
	const struct tn_decide_trace *trace;
};

static void decide_now(const struct walk_again *again, const struct tn_facts *facts,
	struct tn_program *program, const struct tn_decide_trace *trace)
{
	if (again->list)
		tn_decide_actions(again->snapshot, again->key, again->list, again->n, again->now_ns,
			facts, program, NULL, trace);
	else
		tn_decide(again->snapshot, again->key, again->now_ns, facts, program, NULL, trace);
}

static void decide_again(void *decide_ctx, const struct tn_facts *facts, struct tn_program *program)
{
	const struct walk_again *again = decide_ctx;

	decide_now(again, facts, program, again->trace);
}

static void set_pipeline_members(struct tn_key *key, const struct tn_ingress *in)
{
	key->in_port = tn_htobe32(in->in_port);
	key->in_phy_port = tn_htobe32(in->in_phy_port ? in->in_phy_port : in->in_port);
	key->tunnel_id = tn_htobe64(in->tunnel_id);
	key->tun_src = tn_u128_to_ip6(in->tun_src);
	key->tun_dst = tn_u128_to_ip6(in->tun_dst);
}

enum tn_drop tn_ingress_refuses(const struct tn_snapshot *snapshot, uint32_t in_port)
{
	const struct tn_port_config_data *port = tn_snapshot_port(snapshot, in_port);

	if (!port)
		return TN_DROP_NO_SUCH_PORT;
	if (port->config & TN_PORT_CONFIG_DOWN || port->state & TN_PORT_STATE_LINK_DOWN)
		return TN_DROP_PORT_DOWN;
	if (port->config & TN_PORT_CONFIG_NO_RECV)
		return TN_DROP_PORT_NO_RECV;
	return TN_DROP_NONE;
}

static uint64_t process(struct tn_processor *p, struct tn_view *view, const struct tn_ingress *in,
	struct walk_again *again, const struct tn_exec_env *env)
{
	uint32_t original_len = view->wire_len;
	struct tn_exec_env with_decide = *env;
	struct tn_headers headers;
	struct tn_key key;
	enum tn_drop drop;

	drop = tn_parse(view, &headers);
	if (!drop && !again->list)
		drop = tn_ingress_refuses(again->snapshot, in->in_port);
	if (drop) {
		env->drop(env->ctx, view, drop, NULL);
		return 0;
	}
	tn_key_extract(view, &headers, &key);
	set_pipeline_members(&key, in);
	again->key = &key;
	with_decide.decide_again = decide_again;
	with_decide.decide_ctx = again;
	p->facts.n = 0;
	decide_now(again, NULL, &p->program, again->trace);
	return tn_execute(
		&p->program, view, &headers, again->now_ns, original_len, &p->facts, &with_decide);
}

uint64_t tn_process(struct tn_processor *p, const struct tn_snapshot *snapshot,
	struct tn_view *view, const struct tn_ingress *in, uint64_t now_ns,
	const struct tn_exec_env *env, const struct tn_decide_trace *trace)
{
	struct walk_again again = {.snapshot = snapshot, .now_ns = now_ns, .trace = trace};

	return process(p, view, in, &again, env);
}

uint64_t tn_process_actions(struct tn_processor *p, const struct tn_snapshot *snapshot,
	struct tn_view *view, const struct tn_ingress *in, const struct tn_action *list, size_t n,
	uint64_t now_ns, const struct tn_exec_env *env, const struct tn_decide_trace *trace)
{
	static const struct tn_action nothing;
	struct walk_again again = {
		.snapshot = snapshot,
		.list = list ? list : &nothing,
		.n = n,
		.now_ns = now_ns,
		.trace = trace,
	};

	return process(p, view, in, &again, env);
}
