/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tenon-replay with the kernel's programs beside its own engine: each frame whose decision is one
 * for the kernel goes through a program by BPF_PROG_TEST_RUN first, with a session for it. What the
 * program makes of it must be what the engine sends, byte for byte; a difference ends the run.
 *
 * TENON_KERNEL_FRAMES names a file that a byte is added to for each frame the kernel did.
 */
#include "dataplane/pipeline/process.h"

static uint64_t process_beside(struct tn_processor *p, const struct tn_snapshot *snapshot,
	struct tn_view *view, const struct tn_ingress *in, uint64_t now_ns,
	const struct tn_exec_env *env, const struct tn_decide_trace *trace);

#define tn_process process_beside
#include "tools/replay/engine.c" /* NOLINT */
#undef tn_process

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <linux/pkt_cls.h>

#include "ebpf/translate.h"

#define LOOP  1u /* the loopback device: a test run has it by itself */
#define FRAME 3000u
#define ALL_KEYS                                                               \
	(TN_EBPF_KEY_IP | TN_EBPF_KEY_L4 | TN_EBPF_KEY_TOS | TN_EBPF_KEY_TTL | \
		TN_EBPF_KEY_TCP_FLAGS)

static struct tn_ebpf *ebpf;

/* What the kernel made of the frame that is being processed. */
static struct {
	bool done, drops, seen;
	uint8_t frame[FRAME];
	uint32_t len;
	const struct tn_exec_env *env;
} kernel;

static void differs(const char *how)
{
	fprintf(stderr, "the kernel's program %s\n", how);
	_exit(9);
}

/* --- the kernel's half ------------------------------------------------------------------------ */

static void open_programs(void)
{
	const struct tn_ebpf_options options = {0};
	struct tn_error err;

	if (ebpf)
		return;
	if (tn_ebpf_open(&ebpf, &options, &err)) {
		fprintf(stderr, "%s\n", err.detail);
		_exit(77);
	}
	tn_ebpf_config_of(ebpf)->version = 1;
	tn_ebpf_config_of(ebpf)->keys = ALL_KEYS;
}

static bool way_of(void *ctx, const struct tn_op *op, struct tn_ebpf_way *way)
{
	const struct tn_replay_port *port = tn_engine_port(ctx, op->output.port);

	if (!port || port->vxlan || port->uplink || !port->model->enabled ||
		port->model->config & TN_PORT_CONFIG_NO_FWD)
		return false;
	way->ifindex = LOOP;
	way->max_frame = port->mtu ? port->mtu + TN_ETH_LEN : 0;
	return true;
}

static bool no_meter(void *ctx, const struct tn_meter *meter, uint32_t *index)
{
	(void)ctx;
	(void)meter;
	(void)index;
	return false;
}

static uint64_t hits(void)
{
	uint64_t counters[TN_EBPF_N_COUNTERS];

	tn_ebpf_counters(ebpf, counters);
	return counters[TN_EBPF_HITS] + counters[TN_EBPF_DROPPED];
}

/* Tags are beside the frame in the kernel, where a test run does not show them. */
static bool fits(const struct tn_view *view, const struct tn_ebpf_session *s)
{
	return view->len == view->wire_len && view->len <= FRAME &&
		!(s->flags & (TN_EBPF_POP_VLAN | TN_EBPF_PUSH_VLAN));
}

static void note_done(void)
{
	const char *path = getenv("TENON_KERNEL_FRAMES");
	int fd = path ? open(path, O_WRONLY | O_APPEND | O_CREAT, 0600) : -1;

	if (fd >= 0 && write(fd, ".", 1) == 1)
		close(fd);
}

static void run(const struct tn_view *view, const struct tn_ebpf_key *key,
	struct tn_ebpf_session *s, uint32_t in_port)
{
	const struct tn_ebpf_port port = {.number = in_port, .kind = TN_EBPF_IS_PORT, .to = LOOP};
	struct tn_ebpf_run r = {.in = view->data,
		.in_len = view->len,
		.out = kernel.frame,
		.out_size = sizeof(kernel.frame),
		.ifindex = LOOP};
	struct tn_error err;
	uint64_t before;
	int verdict;

	open_programs();
	s->classes = s->version = 1;
	s->keys = ALL_KEYS;
	before = hits();
	if (tn_ebpf_set_port(ebpf, LOOP, &port, &err) || tn_ebpf_put_session(ebpf, key, s))
		differs("has no room");
	verdict = tn_ebpf_test_run(ebpf, TN_EBPF_FROM_PORT, &r);
	tn_ebpf_delete_session(ebpf, key);
	kernel.done = hits() != before;
	kernel.drops = s->flags & TN_EBPF_DROP;
	kernel.len = r.out_len;
	if (!kernel.done && verdict >= 0 &&
		(r.out_len != view->len || memcmp(kernel.frame, view->data, view->len) != 0))
		differs("changed a frame that it sends up");
	if (kernel.done && verdict != (kernel.drops ? TC_ACT_SHOT : TC_ACT_REDIRECT))
		differs("has another verdict");
	if (kernel.done)
		note_done();
}

/* As a data plane does with a decision. */
static void try(struct tn_processor *p, const struct tn_snapshot *snapshot,
	const struct tn_view *view, const struct tn_ingress *in, uint64_t now_ns, void *ctx)
{
	const struct tn_ebpf_ways ways = {.ctx = ctx, .output = way_of, .meter = no_meter};
	struct tn_read_set read = {.tables = {0}};
	struct tn_ebpf_session s;
	struct tn_headers h;
	struct tn_ebpf_key k;
	struct tn_key key;
	uint32_t keys;

	if (in->tunnel_id || tn_parse(view, &h) || tn_ingress_refuses(snapshot, in->in_port))
		return;
	tn_key_extract(view, &h, &key);
	key.in_port = key.in_phy_port = tn_htobe32(in->in_port);
	tn_decide(snapshot, &key, now_ns, NULL, &p->program, &read, NULL);
	if (tn_ebpf_key_from(&key, &k) && tn_ebpf_keys_of(&key, &read, &keys) &&
		tn_ebpf_session_from(&p->program, &ways, &s) && fits(view, &s))
		run(view, &k, &s, in->in_port);
}

/* --- what the engine makes of the same -------------------------------------------------------- */

static void check_output(void *ctx, struct tn_view *view, const struct tn_headers *h,
	const struct tn_op *op, bool last)
{
	if (kernel.done) {
		if (kernel.drops)
			differs("drops what is sent");
		if (view->len != kernel.len || memcmp(view->data, kernel.frame, view->len) != 0)
			differs("sends another frame");
		kernel.seen = true;
	}
	kernel.env->output(ctx, view, h, op, last);
}

static void check_drop(
	void *ctx, const struct tn_view *view, enum tn_drop reason, const struct tn_op *op)
{
	if (kernel.done && !kernel.drops)
		differs("sends what is dropped");
	kernel.seen = true;
	kernel.env->drop(ctx, view, reason, op);
}

static uint64_t process_beside(struct tn_processor *p, const struct tn_snapshot *snapshot,
	struct tn_view *view, const struct tn_ingress *in, uint64_t now_ns,
	const struct tn_exec_env *env, const struct tn_decide_trace *trace)
{
	struct tn_exec_env checked = *env;
	uint64_t copies;

	kernel.done = kernel.seen = false;
	kernel.env = env;
	checked.output = check_output;
	checked.drop = check_drop;
	try(p, snapshot, view, in, now_ns, env->ctx);
	copies = tn_process(p, snapshot, view, in, now_ns, &checked, trace);
	if (kernel.done && !kernel.seen)
		differs("did something with a frame that nothing came of");
	return copies;
}
