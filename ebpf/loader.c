/* SPDX-License-Identifier: BSD-3-Clause */
#include "ebpf/loader.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "ebpf/attach.h"
#include "ebpf/objects.h"
#include "ebpf/pins.h"
#include "ebpf/probe.h"
#include "ebpf/vxlan_device.h"

#define CONFIG_BYTES 4096u
#define BEFORE	     (1u + TN_EBPF_BEFORE) /* what was pinned as the program, and those before it */

TN_BUILD_ASSERT(sizeof(struct tn_ebpf_config) <= CONFIG_BYTES, "a page is mapped");

struct tn_ebpf {
	struct bpf_object *tc, *guard;
	int program[TN_EBPF_N_PROGRAMS];
	int before[TN_EBPF_N_PROGRAMS][BEFORE]; /* of processes before this one; -1: none */
	int config_fd, ports, slots, sessions4, sessions6, meters, counters, peers, vnis,
		guard_counters, guard_port, refused, share, stations, sockets;
	int outer, inner; /* maps whose update waits for programs that run */
	struct tn_ebpf_config *config;
	char pin_dir[200]; /* "": none */
	uint32_t *mine;	   /* interfaces that this process said something of */
	size_t n_mine;
	uint8_t turn; /* of what the guard was told last */
	bool taken_over, expired, leaving, shared;
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

static int load_switch(struct tn_ebpf *e)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = "tenon_switch");
	struct bpf_program *p;

	e->tc = bpf_object__open_mem(tn_ebpf_switch_object, tn_ebpf_switch_size, &opts);
	if (!e->tc)
		return -errno;
	bpf_object__for_each_program(p, e->tc)(void)
		bpf_program__set_type(p, BPF_PROG_TYPE_SCHED_CLS);
	if (*e->pin_dir)
		set_pins(e->tc, e->pin_dir);
	return bpf_object__load(e->tc);
}

static int load_guard_with(struct tn_ebpf *e, uint32_t flags)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = "tn_ebpf_guard");
	struct bpf_program *p;

	e->guard = bpf_object__open_mem(tn_ebpf_guard_object, tn_ebpf_guard_size, &opts);
	if (!e->guard)
		return -errno;
	bpf_object__for_each_program(p, e->guard)
	{
		(void)bpf_program__set_type(p, BPF_PROG_TYPE_XDP);
		(void)bpf_program__set_flags(p, flags);
	}
	if (*e->pin_dir)
		set_pins(e->guard, e->pin_dir);
	return bpf_object__load(e->guard);
}

/* Before Linux 5.18 without frames that are longer than a page. */
static int load_guard(struct tn_ebpf *e)
{
	int rc = load_guard_with(e, BPF_F_XDP_HAS_FRAGS);

	if (rc != -EINVAL)
		return rc;
	bpf_object__close(e->guard);
	return load_guard_with(e, 0);
}

static void find(struct tn_ebpf *e)
{
	for (unsigned i = 0; i < TN_EBPF_N_PROGRAMS; i++) {
		struct bpf_object *o = i == TN_EBPF_GUARD ? e->guard : e->tc;

		e->program[i] = bpf_program__fd(
			bpf_object__find_program_by_name(o, tn_ebpf_program_names[i]));
	}
	e->config_fd = map_of(e->tc, "tenon_config");
	e->ports = map_of(e->tc, "tenon_ports");
	e->slots = map_of(e->tc, "tenon_slots");
	e->sessions4 = map_of(e->tc, "tenon_session4");
	e->sessions6 = map_of(e->tc, "tenon_session6");
	e->meters = map_of(e->tc, "tenon_meters");
	e->counters = map_of(e->tc, "tenon_counters");
	e->peers = map_of(e->guard, "tenon_peers");
	e->vnis = map_of(e->guard, "tenon_vnis");
	e->guard_port = map_of(e->guard, "tenon_guard_port");
	e->refused = map_of(e->guard, "tenon_refused");
	e->guard_counters = map_of(e->guard, "tenon_guard_counters");
	e->share = map_of(e->guard, "tenon_share");
	e->stations = map_of(e->guard, "tenon_stations");
	e->sockets = map_of(e->guard, "tenon_sockets");
}

static int map_config(struct tn_ebpf *e)
{
	void *p = mmap(NULL, CONFIG_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, e->config_fd, 0);

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

static int load_all(struct tn_ebpf *e)
{
	int rc = load_switch(e);

	if (!rc)
		rc = load_guard(e);
	if (!rc)
		return 0;
	bpf_object__close(e->tc);
	bpf_object__close(e->guard);
	e->tc = e->guard = NULL;
	return rc;
}

/* What is pinned there has this layout, or there is nothing at all. */
static bool is_ours(const char *dir)
{
	struct bpf_map_info info = {0};
	struct tn_ebpf_config config;
	uint32_t size = sizeof(info), zero = 0;
	char path[TN_EBPF_PINS_PATH];
	bool ours;
	int fd;

	if (access(dir, F_OK))
		return true;
	snprintf(path, sizeof(path), "%s/tenon_config", dir);
	fd = bpf_obj_get(path);
	ours = fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &size) &&
		info.value_size == sizeof(config) && !bpf_map_lookup_elem(fd, &zero, &config) &&
		config.abi == TN_EBPF_ABI;
	if (fd >= 0)
		close(fd);
	return ours;
}

/* With what a process before this one left, where it fits; else that goes, wholly. */
static int load_with_pins(struct tn_ebpf *e)
{
	int rc = *e->pin_dir && !is_ours(e->pin_dir) ? tn_ebpf_pins_wipe(e->pin_dir) : 0;

	if (rc)
		return rc;
	if (*e->pin_dir && mkdir(e->pin_dir, 0700) && errno != EEXIST)
		return -errno;
	rc = load_all(e);
	if (!rc || rc == -EPERM || !*e->pin_dir)
		return rc;
	rc = tn_ebpf_pins_wipe(e->pin_dir);
	if (!rc && mkdir(e->pin_dir, 0700))
		rc = -errno;
	return rc ? rc : load_all(e);
}

static bool is_same(int a, int b)
{
	struct bpf_prog_info x = {0}, y = {0};
	uint32_t x_size = sizeof(x), y_size = sizeof(y);

	return !bpf_obj_get_info_by_fd(a, &x, &x_size) && !bpf_obj_get_info_by_fd(b, &y, &y_size) &&
		!memcmp(x.tag, y.tag, sizeof(x.tag));
}

/* Programs that are the same stay: their maps are. */
static int pin_programs(struct tn_ebpf *e)
{
	for (unsigned i = 0; *e->pin_dir && i < TN_EBPF_N_PROGRAMS; i++) {
		int rc;

		e->before[i][0] = tn_ebpf_pins_program(e->pin_dir, i);
		for (unsigned at = 0; at < TN_EBPF_BEFORE; at++)
			e->before[i][1 + at] = tn_ebpf_pins_before(e->pin_dir, i, at);
		if (e->before[i][0] >= 0 && is_same(e->program[i], e->before[i][0])) {
			e->program[i] = e->before[i][0];
			continue;
		}
		rc = tn_ebpf_pins_put(e->pin_dir, i, e->program[i]);
		if (rc)
			return rc;
	}
	return 0;
}

/* Why there are no programs. */
static int refused(struct tn_error *err, int rc)
{
	const char *missing = rc == -EPERM ? NULL : tn_ebpf_missing();
	char what[120] = "the kernel does not take the programs";

	if (missing)
		snprintf(what, sizeof(what), "the kernel has no %s", missing);
	return fail(err, rc, what);
}

static int open_all(struct tn_ebpf *e, struct tn_error *err)
{
	int rc = load_with_pins(e);

	if (rc)
		return refused(err, rc);
	find(e);
	rc = make_barrier(e);
	if (rc)
		return fail(err, rc, "a map of maps");
	rc = map_config(e);
	if (rc)
		return fail(err, rc, "maps in memory");
	rc = pin_programs(e);
	if (rc)
		return fail(err, rc, e->pin_dir);
	e->taken_over = e->config->abi != 0;
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
	e->turn = (uint8_t)getpid(); /* not that of a process before, most likely */
	memset(e->before, -1, sizeof(e->before));
	libbpf_set_print(quiet);
	if (o->pin_dir)
		snprintf(e->pin_dir, sizeof(e->pin_dir), "%s", o->pin_dir);
	rc = open_all(e, err);
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
		munmap(e->config, CONFIG_BYTES);
	if (e->outer >= 0)
		close(e->outer);
	if (e->inner >= 0)
		close(e->inner);
	for (unsigned i = 0; i < TN_EBPF_N_PROGRAMS; i++) {
		for (unsigned at = 0; at < BEFORE; at++) {
			if (e->before[i][at] >= 0)
				close(e->before[i][at]);
		}
	}
	bpf_object__close(e->tc);
	bpf_object__close(e->guard);
	free(e->mine);
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

static int no_guard(uint32_t ifindex, int rc, struct tn_error *err)
{
	char name[IF_NAMESIZE] = "?";

	(void)if_indextoname(ifindex, name);
	tn_error_set(err, rc == -EPERM ? TN_OFPBRC_EPERM : TN_OFPBRC_BAD_PORT, -1,
		rc == -EBUSY ? "eBPF: interface '%s' has an XDP program of somebody else's: %s; "
			       "detach it with `ip link set dev %s xdp off` if nothing needs it, "
			       "or go without \"guard\" and \"shared\""
			     : "eBPF: interface '%s' takes no XDP program: %s; where its driver "
			       "names a reason, `dmesg` and `ip link show %s` tell; \"guard\" and "
			       "\"shared\" need one",
		name, strerror(-rc), name);
	return rc;
}

int tn_ebpf_attach(
	struct tn_ebpf *e, enum tn_ebpf_program program, uint32_t ifindex, struct tn_error *err)
{
	int fd = e->program[program];
	const int *before = e->before[program];
	int rc = program == TN_EBPF_GUARD ? tn_ebpf_attach_xdp(fd, before, BEFORE, ifindex)
					  : tn_ebpf_attach_tc(fd, before, BEFORE, ifindex);

	if (!rc)
		return 0;
	if (program == TN_EBPF_GUARD)
		return no_guard(ifindex, rc, err);
	return fail(err, rc,
		"the interface takes no tc program: Linux before 6.6 needs CONFIG_NET_SCH_INGRESS and "
		"CONFIG_NET_CLS_BPF");
}

/* Whichever is there: what has not been attached anew may be of a process before this one. */
void tn_ebpf_detach(struct tn_ebpf *e, enum tn_ebpf_program program, uint32_t ifindex)
{
	bool xdp = program == TN_EBPF_GUARD;

	tn_ebpf_detach_from(e->program[program], xdp, ifindex);
	for (unsigned i = 0; i < BEFORE; i++)
		tn_ebpf_detach_from(e->before[program][i], xdp, ifindex);
}

int tn_ebpf_detach_all(const char *pin_dir, struct tn_error *err)
{
	int rc;

	libbpf_set_print(quiet);
	rc = tn_ebpf_pins_wipe(pin_dir);
	return rc ? fail(err, rc, pin_dir) : 0;
}

/* --- from one process to the next ------------------------------------------------------------- */

void tn_ebpf_leave(struct tn_ebpf *e)
{
	e->leaving = *e->pin_dir != 0;
}

bool tn_ebpf_is_leaving(const struct tn_ebpf *e)
{
	return e->leaving;
}

static void forget_stations(struct tn_ebpf *e)
{
	struct tn_ebpf_station station, next;
	int rc = bpf_map_get_next_key(e->stations, NULL, &next);

	while (!rc) {
		station = next;
		rc = bpf_map_get_next_key(e->stations, &station, &next);
		(void)bpf_map_delete_elem(e->stations, &station);
	}
}

/* A generation of keys later no session is one. */
void tn_ebpf_doubt(struct tn_ebpf *e)
{
	__atomic_add_fetch(&e->config->keys, 1u << TN_EBPF_KEY_GEN_SHIFT, __ATOMIC_RELEASE);
}

void tn_ebpf_expire(struct tn_ebpf *e)
{
	if (e->expired)
		return;
	tn_ebpf_doubt(e);
	forget_stations(e);
	e->expired = true;
}

static bool is_mine(const struct tn_ebpf *e, uint32_t ifindex)
{
	for (size_t i = 0; i < e->n_mine; i++) {
		if (e->mine[i] == ifindex)
			return true;
	}
	return false;
}

static void forget_interface(struct tn_ebpf *e, const struct tn_ebpf_port *port)
{
	for (unsigned i = 0; i < TN_EBPF_N_PROGRAMS; i++)
		tn_ebpf_detach(e, i, port->ifindex);
	tn_ebpf_clear_port(e, port->ifindex);
	if (port->kind == TN_EBPF_IS_TUNNEL)
		tn_vxlan_device_free(port->ifindex);
}

void tn_ebpf_settle(struct tn_ebpf *e)
{
	uint32_t ifindex, next;
	struct tn_ebpf_port port;
	int rc = bpf_map_get_next_key(e->ports, NULL, &next);

	tn_ebpf_expire(e);
	while (!rc) {
		ifindex = next;
		rc = bpf_map_get_next_key(e->ports, &ifindex, &next);
		if (!is_mine(e, ifindex) && !bpf_map_lookup_elem(e->ports, &ifindex, &port))
			forget_interface(e, &port);
	}
	if (*e->pin_dir)
		tn_ebpf_pins_settle(e->pin_dir);
}

uint32_t tn_ebpf_find(struct tn_ebpf *e, const struct tn_ebpf_port *like)
{
	uint32_t ifindex, next;
	struct tn_ebpf_port port;
	int rc = bpf_map_get_next_key(e->ports, NULL, &next);

	while (!rc) {
		ifindex = next;
		if (!bpf_map_lookup_elem(e->ports, &ifindex, &port) &&
			port.number == like->number && port.kind == like->kind &&
			port.udp_port == like->udp_port && port.ip6 == like->ip6)
			return ifindex;
		rc = bpf_map_get_next_key(e->ports, &ifindex, &next);
	}
	return 0;
}

/* --- maps ------------------------------------------------------------------------------------- */

/* Sessions of a process before this one are of ports as they were numbered then. */
static void check_number(struct tn_ebpf *e, uint32_t ifindex, const struct tn_ebpf_port *port)
{
	struct tn_ebpf_port was;

	if (e->taken_over && port->kind != TN_EBPF_IS_TAP &&
		(bpf_map_lookup_elem(e->ports, &ifindex, &was) || was.number != port->number))
		tn_ebpf_expire(e);
}

static int remember(struct tn_ebpf *e, uint32_t ifindex)
{
	uint32_t *more;

	if (is_mine(e, ifindex))
		return 0;
	more = realloc(e->mine, (e->n_mine + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	e->mine = more;
	e->mine[e->n_mine++] = ifindex;
	return 0;
}

/* The slot is the interface's when it was nobody's. */
static void set_slot(struct tn_ebpf *e, const struct tn_ebpf_port *port)
{
	uint32_t slot = port->ifindex & (TN_EBPF_SLOTS - 1);
	struct tn_ebpf_port there, none = {0};

	if (bpf_map_lookup_elem(e->slots, &slot, &there) ||
		(there.ifindex && there.ifindex != port->ifindex))
		return;
	/* None for the moment that its words change one after the other. */
	(void)bpf_map_update_elem(e->slots, &slot, &none, BPF_ANY);
	(void)bpf_map_update_elem(e->slots, &slot, port, BPF_ANY);
}

int tn_ebpf_set_port(
	struct tn_ebpf *e, uint32_t ifindex, const struct tn_ebpf_port *said, struct tn_error *err)
{
	struct tn_ebpf_port port = *said;
	int rc = remember(e, ifindex);

	port.ifindex = ifindex;
	check_number(e, ifindex, &port);
	if (!rc)
		rc = bpf_map_update_elem(e->ports, &ifindex, &port, BPF_ANY);
	if (rc)
		return fail(err, rc, "ports");
	set_slot(e, &port);
	return 0;
}

void tn_ebpf_clear_port(struct tn_ebpf *e, uint32_t ifindex)
{
	uint32_t slot = ifindex & (TN_EBPF_SLOTS - 1);
	struct tn_ebpf_port there, none = {0};

	(void)bpf_map_delete_elem(e->ports, &ifindex);
	if (!bpf_map_lookup_elem(e->slots, &slot, &there) && there.ifindex == ifindex)
		(void)bpf_map_update_elem(e->slots, &slot, &none, BPF_ANY);
	for (size_t i = 0; i < e->n_mine; i++) {
		if (e->mine[i] == ifindex)
			e->mine[i--] = e->mine[--e->n_mine];
	}
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

int tn_ebpf_get_meter(struct tn_ebpf *e, uint32_t index, struct tn_ebpf_meter *meter)
{
	return bpf_map_lookup_elem(e->meters, &index, meter);
}

/* Adds all that are wanted, then takes away what is of an older turn. */
static int replace(int map, const void *keys, size_t size, size_t n, uint8_t turn)
{
	struct tn_ebpf_peer key, next; /* the larger of the two kinds of key */
	uint8_t of;
	int rc;

	for (size_t i = 0; i < n; i++) {
		rc = bpf_map_update_elem(map, (const char *)keys + i * size, &turn, BPF_ANY);
		if (rc)
			return rc;
	}
	rc = bpf_map_get_next_key(map, NULL, &next);
	while (!rc) {
		memcpy(&key, &next, size);
		rc = bpf_map_get_next_key(map, &key, &next);
		if (!bpf_map_lookup_elem(map, &key, &of) && of != turn)
			(void)bpf_map_delete_elem(map, &key);
	}
	return 0;
}

int tn_ebpf_set_peers(struct tn_ebpf *e, uint16_t udp_port, const struct tn_ebpf_peer *peers,
	size_t n_peers, const uint32_t *vnis, size_t n_vnis, struct tn_error *err)
{
	uint32_t zero = 0, port = udp_port;
	int rc;

	e->turn++;
	rc = replace(e->peers, peers, sizeof(*peers), n_peers, e->turn);
	if (!rc)
		rc = replace(e->vnis, vnis, sizeof(*vnis), n_vnis, e->turn);
	if (!rc)
		rc = bpf_map_update_elem(e->guard_port, &zero, &port, BPF_ANY);
	if (!rc)
		return 0;
	port = 0; /* there is no VXLAN for it */
	(void)bpf_map_update_elem(e->guard_port, &zero, &port, BPF_ANY);
	tn_error_set(err, TN_OFPBRC_BAD_PORT, -1,
		"eBPF: declared endpoints: %s; the guard lets everything pass, packets are checked "
		"behind it",
		strerror(-rc));
	return rc;
}

int tn_ebpf_set_share(struct tn_ebpf *e, const struct tn_ebpf_share *share, struct tn_error *err)
{
	struct tn_ebpf_share said = {0};
	uint32_t zero = 0;
	int rc;

	if (share)
		said = *share;
	said.on = share != NULL;
	rc = bpf_map_update_elem(e->share, &zero, &said, BPF_ANY);
	if (rc)
		return fail(err, rc, "a shared uplink");
	e->shared = said.on;
	return 0;
}

int tn_ebpf_set_socket(struct tn_ebpf *e, uint32_t queue, int socket, struct tn_error *err)
{
	int rc = bpf_map_update_elem(e->sockets, &queue, &socket, BPF_ANY);

	return rc ? fail(err, rc, "a socket of a shared uplink") : 0;
}

bool tn_ebpf_add_station(struct tn_ebpf *e, const struct tn_ebpf_station *station)
{
	uint32_t n = 0;

	if (!e->shared)
		return false;
	(void)bpf_map_lookup_elem(e->stations, station, &n);
	n++;
	return !bpf_map_update_elem(e->stations, station, &n, BPF_ANY);
}

void tn_ebpf_drop_station(struct tn_ebpf *e, const struct tn_ebpf_station *station)
{
	uint32_t n = 0;

	if (bpf_map_lookup_elem(e->stations, station, &n))
		return;
	n--;
	if (!n || bpf_map_update_elem(e->stations, station, &n, BPF_EXIST))
		(void)bpf_map_delete_elem(e->stations, station);
}

bool tn_ebpf_refused(struct tn_ebpf *e, struct tn_ebpf_peer *who, uint64_t *times)
{
	struct tn_ebpf_peer next;
	int rc = bpf_map_get_next_key(e->refused, NULL, &next);

	*times = 0;
	while (!rc) {
		struct tn_ebpf_peer key = next;
		uint64_t n;

		rc = bpf_map_get_next_key(e->refused, &key, &next);
		if (bpf_map_lookup_elem(e->refused, &key, &n))
			continue;
		if (n > *times) {
			*who = key;
			*times = n;
		}
		(void)bpf_map_delete_elem(e->refused, &key);
	}
	return *times != 0;
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
	struct __sk_buff skb = {.ifindex = run->ifindex, .gso_size = run->gso_size};
	struct xdp_md xdp = {.data_end = run->in_len,
		.ingress_ifindex = run->ifindex,
		.rx_queue_index = run->queue};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = run->in, .data_size_in = run->in_len,
		.data_out = run->out, .data_size_out = run->out_size,
		.repeat = run->repeat ? (int)run->repeat : 1);
	int rc;

	if (program == TN_EBPF_GUARD) {
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

struct tn_ebpf_length tn_ebpf_program_length(const struct tn_ebpf *e, enum tn_ebpf_program program)
{
	const struct bpf_object *o = program == TN_EBPF_GUARD ? e->guard : e->tc;
	struct bpf_prog_info info = {0};
	uint32_t size = sizeof(info);

	(void)bpf_obj_get_info_by_fd(e->program[program], &info, &size);
	return (struct tn_ebpf_length){
		.compiled = (uint32_t)bpf_program__insn_cnt(
			bpf_object__find_program_by_name(o, tn_ebpf_program_names[program])),
		.translated = info.xlated_prog_len / (uint32_t)sizeof(struct bpf_insn),
	};
}
