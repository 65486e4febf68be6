/* SPDX-License-Identifier: BSD-3-Clause */
#include "ebpf/loader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/if_link.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "ebpf/objects.h"

/* Before what others attached: they see what we let pass. */
#define TC_PRIORITY 1u
#define TC_HANDLE   0x7e01u

struct program {
	const char *name;
	bool guard;
};

static const struct program programs[TN_EBPF_N_PROGRAMS] = {
	[TN_EBPF_FROM_PORT] = {"tn_ebpf_from_port", false},
	[TN_EBPF_FROM_TUNNEL] = {"tn_ebpf_from_tunnel", false},
	[TN_EBPF_TO_PORT] = {"tn_ebpf_to_port", false},
	[TN_EBPF_TO_TUNNEL] = {"tn_ebpf_to_tunnel", false},
	[TN_EBPF_GUARD] = {"tn_ebpf_guard", true},
};

struct tn_ebpf {
	struct bpf_object *tc, *guard;
	int program[TN_EBPF_N_PROGRAMS];
	int config_fd, ports, sessions4, sessions6, meters, counters, peers, vnis, guard_counters;
	int outer, inner; /* maps whose update waits for programs that run */
	struct tn_ebpf_config *config;
	char pin_dir[200]; /* "": none */
	bool taken_over;
};

static int fail(struct tn_error *err, int rc, const char *what)
{
	tn_error_set(err, rc == -EPERM ? TN_OFPBRC_EPERM : TN_OFPBRC_BAD_PORT, -1,
		"eBPF: %s: %s; %s", what, strerror(-rc),
		rc == -EPERM ? "it takes CAP_BPF and CAP_NET_ADMIN"
			     : "ports with \"datapath\": \"afxdp\" go without it");
	return rc;
}

static int quiet(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level;
	(void)format;
	(void)args;
	return 0;
}

/* --- loading ---------------------------------------------------------------------------------- */

static int map_of(struct bpf_object *object, const char *name)
{
	return bpf_object__find_map_fd_by_name(object, name);
}

static void set_pins(struct bpf_object *object, const char *dir)
{
	struct bpf_map *map;
	char path[300];

	bpf_object__for_each_map(map, object)
	{
		if (bpf_map__is_internal(map)) /* constants: each load has its own */
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, bpf_map__name(map));
		(void)bpf_map__set_pin_path(map, path);
	}
}

static int load(struct bpf_object **object, const void *bytes, size_t size, const char *name,
	enum bpf_prog_type type, const struct tn_ebpf *e)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = name);
	struct bpf_program *p;
	int rc;

	*object = bpf_object__open_mem(bytes, size, &opts);
	if (!*object)
		return -errno;
	bpf_object__for_each_program(p, *object)(void) bpf_program__set_type(p, type);
	if (*e->pin_dir)
		set_pins(*object, e->pin_dir);
	rc = bpf_object__load(*object);
	if (rc) {
		bpf_object__close(*object);
		*object = NULL;
	}
	return rc;
}

/* The port of VXLAN is a constant of the guard's: the verifier folds it. */
static int load_guard(struct tn_ebpf *e, uint16_t vxlan_port)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = "tn_ebpf_guard");
	struct bpf_program *p;
	struct bpf_map *map;

	e->guard = bpf_object__open_mem(tn_ebpf_guard_object, tn_ebpf_guard_size, &opts);
	if (!e->guard)
		return -errno;
	bpf_object__for_each_program(p, e->guard)(void) bpf_program__set_type(p, BPF_PROG_TYPE_XDP);
	bpf_object__for_each_map(map, e->guard)
	{
		if (bpf_map__is_internal(map) && strstr(bpf_map__name(map), ".rodata"))
			(void)bpf_map__set_initial_value(map, &vxlan_port, sizeof(vxlan_port));
	}
	if (*e->pin_dir)
		set_pins(e->guard, e->pin_dir);
	return bpf_object__load(e->guard);
}

static void find(struct tn_ebpf *e)
{
	for (unsigned i = 0; i < TN_EBPF_N_PROGRAMS; i++) {
		struct bpf_object *o = programs[i].guard ? e->guard : e->tc;

		e->program[i] =
			bpf_program__fd(bpf_object__find_program_by_name(o, programs[i].name));
	}
	e->config_fd = map_of(e->tc, "tenon_config");
	e->ports = map_of(e->tc, "tenon_ports");
	e->sessions4 = map_of(e->tc, "tenon_session4");
	e->sessions6 = map_of(e->tc, "tenon_session6");
	e->meters = map_of(e->tc, "tenon_meters");
	e->counters = map_of(e->tc, "tenon_counters");
	e->peers = map_of(e->guard, "tenon_peers");
	e->vnis = map_of(e->guard, "tenon_vnis");
	e->guard_counters = map_of(e->guard, "tenon_guard_counters");
}

static int map_config(struct tn_ebpf *e)
{
	size_t size = ((sizeof(*e->config) + 7) / 8 * 8 + 4095) / 4096 * 4096;
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, e->config_fd, 0);

	if (p == MAP_FAILED)
		return -errno;
	e->config = p;
	return 0;
}

/* The kernel waits for programs that may still read a map before an update takes it out of its
 * map of maps; other updates do not wait. */
static int make_barrier(struct tn_ebpf *e)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts);

	e->inner = bpf_map_create(BPF_MAP_TYPE_ARRAY, "tenon_inner", 4, 4, 1, NULL);
	if (e->inner < 0)
		return e->inner;
	opts.inner_map_fd = (uint32_t)e->inner;
	e->outer = bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "tenon_barrier", 4, 4, 1, &opts);
	return e->outer < 0 ? e->outer : 0;
}

void tn_ebpf_wait(struct tn_ebpf *e)
{
	uint32_t zero = 0;

	(void)bpf_map_update_elem(e->outer, &zero, &e->inner, BPF_ANY);
}

static int open_all(struct tn_ebpf *e, const struct tn_ebpf_options *o, struct tn_error *err)
{
	int rc;

	if (o->pin_dir && mkdir(o->pin_dir, 0700) && errno != EEXIST)
		return fail(err, -errno, o->pin_dir);
	rc = load(&e->tc, tn_ebpf_switch_object, tn_ebpf_switch_size, "tenon_switch",
		BPF_PROG_TYPE_SCHED_CLS, e);
	if (!rc)
		rc = load_guard(e, o->vxlan_port ? o->vxlan_port : 4789);
	if (rc)
		return fail(err, rc, "the kernel does not take the programs");
	find(e);
	rc = make_barrier(e);
	if (rc)
		return fail(err, rc, "a map of maps");
	rc = map_config(e);
	if (rc)
		return fail(err, rc, "maps in memory");
	e->taken_over = e->config->abi != 0;
	if (e->taken_over && e->config->abi != TN_EBPF_ABI)
		return fail(err, -EPROTO, "what another version left pinned is laid out otherwise");
	e->config->abi = TN_EBPF_ABI;
	return 0;
}

int tn_ebpf_open(struct tn_ebpf **ebpf, const struct tn_ebpf_options *o, struct tn_error *err)
{
	struct tn_ebpf *e = calloc(1, sizeof(*e));
	int rc;

	*ebpf = NULL;
	if (!e)
		return fail(err, -ENOMEM, "no memory");
	e->outer = e->inner = -1;
	libbpf_set_print(quiet);
	if (o->pin_dir)
		snprintf(e->pin_dir, sizeof(e->pin_dir), "%s", o->pin_dir);
	rc = open_all(e, o, err);
	if (rc)
		tn_ebpf_close(e);
	else
		*ebpf = e;
	return rc;
}

void tn_ebpf_close(struct tn_ebpf *e)
{
	if (!e)
		return;
	if (e->config)
		munmap(e->config, 4096);
	if (e->outer >= 0)
		close(e->outer);
	if (e->inner >= 0)
		close(e->inner);
	bpf_object__close(e->tc);
	bpf_object__close(e->guard);
	free(e);
}

bool tn_ebpf_taken_over(const struct tn_ebpf *e)
{
	return e->taken_over;
}

struct tn_ebpf_config *tn_ebpf_config_of(const struct tn_ebpf *e)
{
	return e->config;
}

/* --- attaching -------------------------------------------------------------------------------- */

static int attach_tc(int program, uint32_t ifindex)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = program, .handle = TC_HANDLE,
		.priority = TC_PRIORITY, .flags = BPF_TC_F_REPLACE);
	int rc = bpf_tc_hook_create(&hook);

	if (rc && rc != -EEXIST)
		return rc;
	return bpf_tc_attach(&hook, &opts);
}

static int attach_guard(int program, uint32_t ifindex)
{
	uint32_t id = 0;

	(void)bpf_xdp_query_id((int)ifindex, 0, &id);
	if (id)
		return -EBUSY;
	return bpf_xdp_attach((int)ifindex, program, XDP_FLAGS_UPDATE_IF_NOEXIST, NULL);
}

int tn_ebpf_attach(
	struct tn_ebpf *e, enum tn_ebpf_program program, uint32_t ifindex, struct tn_error *err)
{
	int fd = e->program[program];
	int rc = programs[program].guard ? attach_guard(fd, ifindex) : attach_tc(fd, ifindex);

	return rc ? fail(err, rc, programs[program].name) : 0;
}

void tn_ebpf_detach(struct tn_ebpf *e, enum tn_ebpf_program program, uint32_t ifindex)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = TC_HANDLE, .priority = TC_PRIORITY);
	LIBBPF_OPTS(bpf_xdp_attach_opts, ours, .old_prog_fd = e->program[program]);

	if (programs[program].guard)
		(void)bpf_xdp_detach((int)ifindex, 0, &ours);
	else
		(void)bpf_tc_detach(&hook, &opts);
}

static void detach_everywhere(struct tn_ebpf *e)
{
	uint32_t ifindex, next;
	int rc = bpf_map_get_next_key(e->ports, NULL, &next);

	while (!rc) {
		ifindex = next;
		rc = bpf_map_get_next_key(e->ports, &ifindex, &next);
		for (unsigned i = 0; i < TN_EBPF_N_PROGRAMS; i++)
			tn_ebpf_detach(e, i, ifindex);
		tn_ebpf_clear_port(e, ifindex);
	}
}

static void unpin(struct bpf_object *object)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, object)
	{
		if (bpf_map__is_pinned(map))
			(void)bpf_map__unpin(map, NULL);
	}
}

int tn_ebpf_detach_all(const char *pin_dir, struct tn_error *err)
{
	const struct tn_ebpf_options options = {.pin_dir = pin_dir};
	struct tn_ebpf *e;
	int rc;

	if (access(pin_dir, F_OK))
		return 0;
	rc = tn_ebpf_open(&e, &options, err);
	if (rc)
		return rc;
	detach_everywhere(e);
	unpin(e->tc);
	unpin(e->guard);
	tn_ebpf_close(e);
	return rmdir(pin_dir) ? fail(err, -errno, pin_dir) : 0;
}

/* --- maps ------------------------------------------------------------------------------------- */

int tn_ebpf_set_port(
	struct tn_ebpf *e, uint32_t ifindex, const struct tn_ebpf_port *port, struct tn_error *err)
{
	int rc = bpf_map_update_elem(e->ports, &ifindex, port, BPF_ANY);

	return rc ? fail(err, rc, "ports") : 0;
}

void tn_ebpf_clear_port(struct tn_ebpf *e, uint32_t ifindex)
{
	(void)bpf_map_delete_elem(e->ports, &ifindex);
}

static int sessions_of(const struct tn_ebpf *e, const struct tn_ebpf_key *key)
{
	return key->is6 ? e->sessions6 : e->sessions4;
}

int tn_ebpf_put_session(
	struct tn_ebpf *e, const struct tn_ebpf_key *key, const struct tn_ebpf_session *session)
{
	return bpf_map_update_elem(sessions_of(e, key), &key->k4, session, BPF_ANY);
}

int tn_ebpf_take_session(
	struct tn_ebpf *e, const struct tn_ebpf_key *key, struct tn_ebpf_session *session)
{
	int map = sessions_of(e, key);
	int rc = bpf_map_lookup_and_delete_elem(map, &key->k4, session);

	/* Before Linux 5.14, in two steps. */
	if (rc == -EINVAL || rc == -EOPNOTSUPP) {
		rc = bpf_map_lookup_elem(map, &key->k4, session);
		if (!rc)
			rc = bpf_map_delete_elem(map, &key->k4);
	}
	return rc;
}

void tn_ebpf_delete_session(struct tn_ebpf *e, const struct tn_ebpf_key *key)
{
	(void)bpf_map_delete_elem(sessions_of(e, key), &key->k4);
}

#define BATCH 512u

/* One table, a batch at a time: a call a session would cost more than the rest of the walk. */
static void walk(struct tn_ebpf *e, bool is6, tn_ebpf_session_fn fn, void *ctx)
{
	size_t key_size = is6 ? sizeof(struct tn_ebpf_key6) : sizeof(struct tn_ebpf_key4);
	int map = is6 ? e->sessions6 : e->sessions4, rc = 0;
	struct tn_ebpf_session *sessions = malloc(BATCH * sizeof(*sessions));
	char *keys = malloc(BATCH * key_size);
	uint32_t at = 0, next = 0, n;

	for (bool first = true; keys && sessions && !rc; first = false) {
		n = BATCH;
		rc = bpf_map_lookup_batch(map, first ? NULL : &at, &next, keys, sessions, &n, NULL);
		if (rc && rc != -ENOENT) /* ENOENT: the last ones */
			break;
		for (uint32_t i = 0; i < n; i++) {
			struct tn_ebpf_key key = {.is6 = is6};

			memcpy(&key.k4, keys + i * key_size, key_size);
			if (!fn(ctx, &key, &sessions[i]))
				(void)bpf_map_delete_elem(map, &key.k4);
		}
		at = next;
	}
	free(keys);
	free(sessions);
}

void tn_ebpf_sessions(struct tn_ebpf *e, tn_ebpf_session_fn fn, void *ctx)
{
	walk(e, false, fn, ctx);
	walk(e, true, fn, ctx);
}

int tn_ebpf_set_meter(
	struct tn_ebpf *e, uint32_t index, const struct tn_ebpf_meter *meter, struct tn_error *err)
{
	int rc = bpf_map_update_elem(e->meters, &index, meter, BPF_ANY);

	return rc ? fail(err, rc, "meters") : 0;
}

/* Adds all that are wanted, then takes away what is not. */
static int replace(int map, const void *keys, size_t size, size_t n)
{
	struct tn_ebpf_peer key, next; /* the larger of the two kinds of key */
	const uint8_t one = 1;
	int rc;

	for (size_t i = 0; i < n; i++) {
		rc = bpf_map_update_elem(map, (const char *)keys + i * size, &one, BPF_ANY);
		if (rc)
			return rc;
	}
	rc = bpf_map_get_next_key(map, NULL, &next);
	while (!rc) {
		size_t i = 0;

		memcpy(&key, &next, size);
		rc = bpf_map_get_next_key(map, &key, &next);
		while (i < n && memcmp((const char *)keys + i * size, &key, size))
			i++;
		if (i == n)
			(void)bpf_map_delete_elem(map, &key);
	}
	return 0;
}

int tn_ebpf_set_peers(struct tn_ebpf *e, const struct tn_ebpf_peer *peers, size_t n_peers,
	const uint32_t *vnis, size_t n_vnis, struct tn_error *err)
{
	int rc = replace(e->peers, peers, sizeof(*peers), n_peers);

	if (!rc)
		rc = replace(e->vnis, vnis, sizeof(*vnis), n_vnis);
	return rc ? fail(err, rc, "declared endpoints") : 0;
}

void tn_ebpf_counters(const struct tn_ebpf *e, uint64_t counters[TN_EBPF_N_COUNTERS])
{
	int n = libbpf_num_possible_cpus();
	uint64_t *values = n > 0 ? calloc((size_t)n, sizeof(*values)) : NULL;
	const int maps[] = {e->counters, e->guard_counters};

	memset(counters, 0, TN_EBPF_N_COUNTERS * sizeof(*counters));
	if (!values)
		return;
	for (size_t m = 0; m < TN_ARRAY_SIZE(maps); m++) {
		for (uint32_t i = 0; i < TN_EBPF_N_COUNTERS; i++) {
			if (bpf_map_lookup_elem(maps[m], &i, values))
				continue;
			for (int cpu = 0; cpu < n; cpu++)
				counters[i] += values[cpu];
		}
	}
	free(values);
}

/* --- for tests -------------------------------------------------------------------------------- */

int tn_ebpf_test_run(const struct tn_ebpf *e, enum tn_ebpf_program program, struct tn_ebpf_run *run)
{
	struct __sk_buff skb = {.ifindex = run->ifindex};
	struct xdp_md xdp = {.data_end = run->in_len, .ingress_ifindex = run->ifindex};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = run->in, .data_size_in = run->in_len,
		.data_out = run->out, .data_size_out = run->out_size,
		.repeat = run->repeat ? (int)run->repeat : 1);
	int rc;

	if (programs[program].guard) {
		opts.ctx_in = run->ifindex ? &xdp : NULL;
		opts.ctx_size_in = run->ifindex ? sizeof(xdp) : 0;
	} else {
		opts.ctx_in = &skb;
		opts.ctx_size_in = sizeof(skb);
	}
	rc = bpf_prog_test_run_opts(e->program[program], &opts);
	if (rc)
		return rc;
	run->out_len = opts.data_size_out;
	run->ns = opts.duration;
	return (int)opts.retval;
}

uint32_t tn_ebpf_program_length(const struct tn_ebpf *e, enum tn_ebpf_program program)
{
	struct bpf_prog_info info = {0};
	uint32_t size = sizeof(info);

	if (bpf_obj_get_info_by_fd(e->program[program], &info, &size))
		return 0;
	return info.xlated_prog_len / sizeof(struct bpf_insn);
}
