/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/agent/kernel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include <linux/magic.h>

#include "dataplane/agent/byte_ring.h"
#include "dataplane/agent/kernel_meters.h"
#include "dataplane/agent/ports.h"
#include "dataplane/pipeline/snapshot.h"
#include "dataplane/port/kernel_port.h"
#include "dataplane/port/kernel_tunnel.h"
#include "ebpf/translate.h"

#define IDLE_NS	   UINT64_C(60000000000) /* a session that rests so long goes */
#define TOLD_NS	   UINT64_C(1000000000) /* the time is told at least so often, while there are any */
#define COUNTS_MAX 64u			/* flows, groups and buckets of one session */
#define NOTES	   4096u		/* taken in at a time */
#define NO_INDEX   UINT16_MAX
#define NO_SLOT	   UINT32_MAX
#define NO_METER   UINT32_MAX
#define PINS_PATH  200u

#define SAYS_NS UINT64_C(10000000000) /* not more often of one thing */

TN_BUILD_ASSERT(TN_EPOCH_CLASSES <= TN_EBPF_EPOCHS, "every epoch has its place");

/* What a session's packets count for. */
struct count {
	uint64_t id; /* of a flow's, group's or bucket's counter */
	uint8_t table, lookup, no_packets, no_bytes;
	bool metered; /* behind the meter: not what that dropped */
};

/* A worker's word of a session, to the main thread. */
struct note {
	struct tn_ebpf_key key;
	struct tn_ebpf_session session;
	uint32_t keys; /* it depends on */
	uint16_t in_index, out_index;
	uint16_t n_counts;
	bool learns, from_tunnel;
	uint32_t meter_id;			  /* 0: none */
	uint32_t drop_network, meter_network;	  /* of what is dropped: tn_network_at() */
	uint8_t learnt[sizeof(struct tn_learnt)]; /* bytes: rings align to less */
	struct count counts[];
};

/* What the main thread keeps of a session. */
struct slot {
	struct count *counts;	  /* NULL: free */
	struct tn_learnt *learnt; /* where its source is; NULL: nobody learns */
	uint16_t n_counts, in_index, out_index;
	uint8_t drop; /* enum tn_drop */
	bool has_station;
	uint32_t drop_network, meter_network;
	uint64_t packets, bytes; /* told already */
	uint64_t metered_packets, metered_bytes;
	uint32_t meter; /* NO_METER: none */
	uint32_t next_free;
};

struct tn_kernel {
	struct tn_agent *agent;
	struct tn_ebpf *ebpf;
	struct tn_kernel_meters *meters;
	struct slot *slots;
	uint32_t n_slots, free_head;
	uint32_t n_sessions;
	uint64_t no_room; /* sessions that found none */
	uint64_t no_room_said, no_room_said_ns;
	uint32_t first_keys; /* generation of keys that this process began with */
	bool live;	     /* sessions are of this process */
	/* The guard: whose port it is at, whom it knows, what it had counted. */
	uint16_t guard_index; /* NO_INDEX: there is none */
	const struct tn_tunnels *guarded;
	uint64_t guard_told[TN_EBPF_N_COUNTERS], guard_said_ns;
	uint64_t first_counters[TN_EBPF_N_COUNTERS]; /* of processes before this one */
	struct tn_worker_port_stats stats[TN_WORKER_PORTS_MAX];
	struct tn_network_drops network_drops;
};

/* --- life ------------------------------------------------------------------------------------- */

static void set_epochs(const struct tn_kernel *k)
{
	const struct tn_snapshot *s = tn_switch_snapshot(k->agent->sw);
	struct tn_ebpf_config *c = tn_ebpf_config_of(k->ebpf);

	/* Epochs before the version: a session found right by the version is right. */
	for (unsigned i = 0; i < TN_EPOCH_CLASSES; i++)
		__atomic_store_n(&c->epoch[i], (uint32_t)s->epoch[i], __ATOMIC_RELEASE);
	__atomic_store_n(&c->version, (uint32_t)s->version, __ATOMIC_RELEASE);
}

static uint64_t monotonic(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void tell_time(const struct tn_kernel *k)
{
	__atomic_store_n(&tn_ebpf_config_of(k->ebpf)->now_ns, monotonic(), __ATOMIC_RELAXED);
}

#define BPFFS "/sys/fs/bpf"

/* A folder below it, named after the state's. false: there is none. */
static bool pins_of(const char *state_dir, char *dir, size_t size)
{
	char path[PATH_MAX];
	struct statfs fs;

	if (!state_dir || !realpath(state_dir, path) || statfs(BPFFS, &fs) ||
		(unsigned long)fs.f_type != BPF_FS_MAGIC || access(BPFFS, W_OK))
		return false;
	for (char *c = path; *c; c++) {
		if (*c == '/' || *c == '.') /* the file system takes neither */
			*c = '-';
	}
	return snprintf(dir, size, BPFFS "/tenon%s", path) < (int)size;
}

/* --- the guard -------------------------------------------------------------------------------- */

struct declared {
	struct tn_ebpf_peer *peers;
	uint32_t *vnis;
	size_t n_peers, n_vnis;
	uint16_t udp_port;
	bool no_memory;
};

static void *room(struct declared *d, void *list, size_t n, size_t size)
{
	void *more = n & (n - 1) ? list : realloc(list, (n ? 2 * n : 1) * size);

	d->no_memory |= !more;
	return more;
}

static void add_peer(struct declared *d, tn_u128 address, uint32_t vni)
{
	struct tn_ebpf_peer *more = room(d, d->peers, d->n_peers, sizeof(*more));
	struct tn_ip6 ip = tn_u128_to_ip6(address);

	if (!more)
		return;
	d->peers = more;
	memcpy(more[d->n_peers].address, ip.b, sizeof(ip.b));
	more[d->n_peers++].vni = vni;
}

static void add_vni(struct declared *d, uint32_t vni)
{
	uint32_t *more = room(d, d->vnis, d->n_vnis, sizeof(*more));

	if (!more)
		return;
	d->vnis = more;
	more[d->n_vnis++] = vni;
}

/* What a vxlan port takes. */
static void declare(void *ctx, const struct tn_agent_port_info *info)
{
	const struct tn_vxlan_options *v = &info->request->vxlan;
	struct declared *d = ctx;

	if (strcmp(info->request->type, "vxlan") || v->udp_port != d->udp_port)
		return;
	if (!v->remote_flow && !v->vni_flow) {
		add_peer(d, v->remote, v->vni);
		add_peer(d, v->remote, TN_EBPF_SOME_VNI);
		return;
	}
	for (size_t i = 0; v->remote_flow && i < v->n_peers; i++)
		add_peer(d, v->peers[i], TN_EBPF_ANY_VNI);
	if (!v->remote_flow || !v->n_peers)
		add_peer(d, v->remote_flow ? 0 : v->remote, TN_EBPF_ANY_VNI);
	for (size_t i = 0; v->vni_flow && i < v->n_vnis; i++)
		add_vni(d, v->vnis[i]);
	if (!v->vni_flow || !v->n_vnis)
		add_vni(d, v->vni_flow ? TN_EBPF_ANY_VNI : v->vni);
}

static uint16_t find_guard(const struct tn_agent *agent, uint16_t *udp_port)
{
	const struct tn_forwarding *fwd = &agent->forwarding->fwd;
	uint32_t ifindex;

	for (unsigned i = 0; i < fwd->n_ports; i++) {
		if (fwd->ports[i].port && tn_kernel_tunnel_guarded(fwd->ports[i].port) &&
			tn_kernel_tunnel_way(fwd->ports[i].port, &ifindex, udp_port))
			return (uint16_t)i;
	}
	return NO_INDEX;
}

/* Who may send, when that has changed. */
static void tell_guard(struct tn_kernel *k)
{
	struct declared d = {0};
	struct tn_error err;
	uint16_t index = find_guard(k->agent, &d.udp_port);

	if (index == k->guard_index && k->guarded == k->agent->tunnels)
		return;
	k->guard_index = index;
	k->guarded = k->agent->tunnels;
	if (index == NO_INDEX)
		return;
	tn_agent_ports(k->agent, declare, &d);
	if (d.no_memory) /* of no port: everything passes */
		d.udp_port = 0;
	if (tn_ebpf_set_peers(k->ebpf, d.udp_port, d.peers, d.n_peers, d.vnis, d.n_vnis, &err))
		tn_agent_say("%s", err.detail);
	free(d.peers);
	free(d.vnis);
}

/* A sample of those who were refused, now and then. */
static void say_refused(struct tn_kernel *k, uint64_t now)
{
	struct tn_ebpf_peer who;
	char name[INET6_ADDRSTRLEN] = "";
	uint64_t times;
	bool is4;

	if (k->guard_said_ns && now - k->guard_said_ns < SAYS_NS)
		return;
	if (!tn_ebpf_refused(k->ebpf, &who, &times))
		return;
	k->guard_said_ns = now;
	is4 = !memcmp(who.address, (const uint8_t[12]){[10] = 0xff, 0xff}, 12);
	inet_ntop(is4 ? AF_INET : AF_INET6, who.address + (is4 ? 12 : 0), name, sizeof(name));
	tn_agent_say("VXLAN of %s for network %u is refused: it is not declared (%llu packets)",
		name, who.vni, (unsigned long long)times);
}

/* What the guard dropped, to its port. */
static void tell_refused(struct tn_kernel *k, uint64_t now)
{
	static const struct {
		enum tn_ebpf_counter counter;
		enum tn_drop reason;
	} kinds[] = {
		{TN_EBPF_GUARD_PEER, TN_DROP_VXLAN_UNKNOWN_PEER},
		{TN_EBPF_GUARD_VNI, TN_DROP_VXLAN_UNKNOWN_VNI},
		{TN_EBPF_GUARD_SHORT, TN_DROP_VXLAN_MALFORMED},
	};
	uint64_t counters[TN_EBPF_N_COUNTERS], any = 0;

	if (k->guard_index == NO_INDEX)
		return;
	tn_ebpf_counters(k->ebpf, counters);
	for (size_t i = 0; i < TN_ARRAY_SIZE(kinds); i++) {
		uint64_t n = counters[kinds[i].counter] - k->guard_told[kinds[i].counter];

		k->stats[k->guard_index].rx_packets += n;
		k->stats[k->guard_index].dropped[kinds[i].reason] += n;
		tn_network_drops_add(&k->network_drops, TN_DROPS_NO_NETWORK, kinds[i].reason, n);
		any |= n;
	}
	memcpy(k->guard_told, counters, sizeof(counters));
	if (any)
		say_refused(k, now);
}

/* --- from one process to the next ------------------------------------------------------------- */

static uint32_t generation(uint32_t keys)
{
	return keys >> TN_EBPF_KEY_GEN_SHIFT;
}

static void go_live(struct tn_kernel *k)
{
	k->live = true;
	tn_ebpf_settle(k->ebpf);
	k->first_keys = generation(tn_ebpf_config_of(k->ebpf)->keys);
	tell_time(k);
	set_epochs(k);
	tell_guard(k);
	tn_ebpf_counters(k->ebpf, k->guard_told);
	memcpy(k->first_counters, k->guard_told, sizeof(k->first_counters));
}

static int open_programs(struct tn_kernel *k, struct tn_error *err)
{
	struct tn_ebpf_options options = {0};
	char pins[PINS_PATH];

	if (pins_of(k->agent->options.state_dir, pins, sizeof(pins)))
		options.pin_dir = pins;
	else if (k->agent->options.state_dir)
		tn_agent_say("no BPF file system to write to at " BPFFS
			     ": what the kernel forwards ends with this process");
	return tn_ebpf_open(&k->ebpf, &options, err);
}

struct tn_ebpf *tn_agent_ebpf(struct tn_agent *agent, struct tn_error *err)
{
	struct tn_kernel *k = agent->kernel;

	if (k)
		return k->ebpf;
	k = calloc(1, sizeof(*k));
	if (!k) {
		tn_error_set(err, TN_OFPBRC_BAD_PORT, -1, "no memory for the kernel's sessions");
		return NULL;
	}
	k->agent = agent;
	k->free_head = NO_SLOT;
	k->guard_index = NO_INDEX;
	if (open_programs(k, err)) {
		free(k);
		return NULL;
	}
	k->meters = tn_kernel_meters_new(k->ebpf);
	if (!k->meters) {
		tn_error_set(err, TN_OFPBRC_BAD_PORT, -1, "no memory for the kernel's meters");
		tn_ebpf_close(k->ebpf);
		free(k);
		return NULL;
	}
	agent->kernel = k;
	if (agent->workers[0].started)
		go_live(k);
	return k->ebpf;
}

void tn_kernel_start(struct tn_agent *agent)
{
	if (agent->kernel && !agent->kernel->live)
		go_live(agent->kernel);
}

void tn_kernel_leave(struct tn_agent *agent)
{
	if (agent->kernel)
		tn_ebpf_leave(agent->kernel->ebpf);
}

int tn_kernel_detach(const char *state_dir, struct tn_error *err)
{
	char pins[PINS_PATH];

	return pins_of(state_dir, pins, sizeof(pins)) ? tn_ebpf_detach_all(pins, err) : 0;
}

void tn_kernel_free(struct tn_kernel *k)
{
	if (!k)
		return;
	tn_ebpf_close(k->ebpf);
	tn_kernel_meters_free(k->meters);
	for (uint32_t i = 0; i < k->n_slots; i++) {
		free(k->slots[i].counts);
		free(k->slots[i].learnt);
	}
	free(k->slots);
	free(k);
}

void tn_kernel_publish(struct tn_agent *agent)
{
	struct tn_kernel *k = agent->kernel;

	if (!k || !k->live)
		return;
	set_epochs(k);
	tell_guard(k);
	tn_kernel_meters_follow(k->meters, tn_switch_snapshot(agent->sw));
	/* A program that looked before may still be sending. */
	if (k->n_sessions)
		tn_ebpf_wait(k->ebpf);
}

/* --- from the workers ------------------------------------------------------------------------- */

struct seen {
	const struct tn_forwarding *fwd;
	uint16_t out_index;
	uint32_t meter_id;
};

/* A tunnel whose packets leave by the kernel's VXLAN device. */
static bool tunnel_way(
	const struct tn_forwarding *fwd, const struct tn_op *op, struct tn_ebpf_way *way)
{
	const struct tn_forwarding_port *uplink;
	uint32_t number, index;
	uint16_t udp_port;

	/* More than one next hop is the kernel's business: any entropy gives the one there is. */
	if (tn_tunnels_encap(fwd->tunnels, fwd->underlay, op, 0, &way->encap, &number))
		return false;
	index = tn_forwarding_index(fwd, number);
	if (index == TN_FORWARDING_NONE)
		return false;
	uplink = &fwd->ports[index];
	way->tunnel = true;
	return uplink->port && !uplink->closed &&
		tn_kernel_tunnel_way(uplink->port, &way->ifindex, &udp_port) &&
		udp_port == way->encap.udp_dst;
}

static bool way_of(void *ctx, const struct tn_op *op, struct tn_ebpf_way *way)
{
	struct seen *seen = ctx;
	uint32_t index = tn_forwarding_index(seen->fwd, op->output.port);
	const struct tn_forwarding_port *p;

	if (index == TN_FORWARDING_NONE)
		return false;
	p = &seen->fwd->ports[index];
	seen->out_index = (uint16_t)index;
	if (p->closed)
		return false;
	if (p->kind == TN_FWD_TUNNEL)
		return tunnel_way(seen->fwd, op, way);
	way->max_frame = p->max_frame;
	return p->port && p->port->ops->link_up(p->port) &&
		tn_kernel_port_way(p->port, &way->ifindex);
}

/* Which of the kernel's it becomes the main thread finds. */
static bool meter_of(void *ctx, const struct tn_meter *meter, uint32_t *index)
{
	struct seen *seen = ctx;

	seen->meter_id = meter->meter_id;
	*index = 0;
	return tn_kernel_meter_fits(meter);
}

static unsigned counts_of(const struct tn_program *program, struct count counts[COUNTS_MAX])
{
	bool metered = false;
	unsigned n = 0;

	for (uint32_t i = 0; i < program->n_ops; i++) {
		const struct tn_op *op = &program->ops[i];

		metered |= op->type == TN_OP_METER;
		if (op->type != TN_OP_COUNT)
			continue;
		if (n == COUNTS_MAX)
			return COUNTS_MAX + 1;
		counts[n++] = (struct count){
			.id = op->count.id,
			.table = op->table,
			.lookup = op->count.lookup,
			.no_packets = op->count.no_packets,
			.no_bytes = op->count.no_bytes,
			.metered = metered,
		};
	}
	return n;
}

/* false: of more than one network, which is nothing for the kernel. */
static bool learnt_of(const struct tn_program *program, struct note *note)
{
	for (uint32_t i = 0; i < program->n_ops; i++) {
		if (program->ops[i].type != TN_OP_LEARN)
			continue;
		if (note->learns)
			return false;
		note->learns = true;
		memcpy(note->learnt, &program->ops[i].learn, sizeof(note->learnt));
	}
	return true;
}

static void networks_of(const struct tn_decision *d, struct note *note)
{
	uint64_t came = tn_be64toh(d->key->tunnel_id);

	for (uint32_t i = 0; i < d->program->n_ops; i++) {
		const struct tn_op *op = &d->program->ops[i];

		if (op->type == TN_OP_METER)
			note->meter_network = tn_network_at(op, came);
		else if (op->type == TN_OP_DROP)
			note->drop_network = tn_network_at(op, came);
	}
}

bool tn_kernel_decided(void *ctx, unsigned port_index, const struct tn_decision *d)
{
	struct tn_worker_thread *t = ctx;
	struct seen seen = {.fwd = &t->forwarding->fwd, .out_index = NO_INDEX};
	const struct tn_ebpf_ways ways = {.ctx = &seen, .output = way_of, .meter = meter_of};
	uint32_t in = tn_forwarding_index(seen.fwd, tn_be32toh(d->key->in_port));
	struct count counts[COUNTS_MAX];
	unsigned n = counts_of(d->program, counts);
	struct note head = {.in_index = (uint16_t)in}, *note;

	(void)port_index;
	if (n > COUNTS_MAX || !tn_ebpf_session_from(d->program, &ways, &head.session) ||
		!learnt_of(d->program, &head))
		return false;
	if (in == TN_FORWARDING_NONE || !tn_ebpf_key_from(d->key, &head.key) ||
		!tn_ebpf_keys_of(d->key, d->read, &head.keys))
		return true;
	/* The program knows the device; which vxlan port a packet is of follows from the rest. */
	head.key.k4.h.in_port = tn_be32toh(d->key->in_phy_port);
	head.from_tunnel = tn_u128_from_ip6(&d->key->tun_src) != 0;
	head.session.classes = d->classes;
	head.session.version = d->version;
	head.out_index = seen.out_index;
	head.meter_id = seen.meter_id;
	head.n_counts = (uint16_t)n;
	networks_of(d, &head);
	note = tn_byte_ring_reserve(t->decided, (uint32_t)(sizeof(*note) + n * sizeof(counts[0])));
	if (!note)
		return true; /* a later packet says it again */
	*note = head;
	memcpy(note->counts, counts, n * sizeof(counts[0]));
	tn_byte_ring_commit(t->decided);
	return true;
}

/* --- slots ------------------------------------------------------------------------------------ */

static uint32_t take_slot(struct tn_kernel *k)
{
	uint32_t n = k->n_slots ? 2 * k->n_slots : 256;
	struct slot *more;
	uint32_t got;

	if (k->free_head == NO_SLOT) {
		more = realloc(k->slots, n * sizeof(*more));
		if (!more)
			return NO_SLOT;
		k->slots = more;
		for (uint32_t i = n; i-- > k->n_slots;) {
			k->slots[i] = (struct slot){.next_free = k->free_head};
			k->free_head = i;
		}
		k->n_slots = n;
	}
	got = k->free_head;
	k->free_head = k->slots[got].next_free;
	return got;
}

static void free_slot(struct tn_kernel *k, uint32_t i)
{
	if (k->slots[i].counts && k->slots[i].meter != NO_METER)
		tn_kernel_meters_drop(
			k->meters, tn_switch_snapshot(k->agent->sw), k->slots[i].meter);
	free(k->slots[i].counts);
	free(k->slots[i].learnt);
	k->slots[i] = (struct slot){.next_free = k->free_head};
	k->free_head = i;
}

/* --- counts ----------------------------------------------------------------------------------- */

struct sum {
	uint64_t packets, bytes;
};

static void tell_ports(
	struct tn_kernel *k, const struct slot *s, struct sum came, struct sum metered)
{
	struct tn_worker_port_stats *in = &k->stats[s->in_index];

	in->rx_packets += came.packets;
	in->rx_bytes += came.bytes;
	in->dropped[TN_DROP_METER] += metered.packets;
	if (metered.packets)
		tn_network_drops_add(
			&k->network_drops, s->meter_network, TN_DROP_METER, metered.packets);
	if (s->drop) {
		in->dropped[s->drop] += came.packets - metered.packets;
		tn_network_drops_add(&k->network_drops, s->drop_network, (enum tn_drop)s->drop,
			came.packets - metered.packets);
	} else if (s->out_index != NO_INDEX) {
		k->stats[s->out_index].tx_packets += came.packets - metered.packets;
		k->stats[s->out_index].tx_bytes += came.bytes - metered.bytes;
	}
}

static void tell_flow(
	const struct tn_kernel *k, const struct count *c, struct sum sum, uint64_t last_used_ns)
{
	tn_switch_count(k->agent->sw,
		&(struct tn_count){
			.id = c->id,
			.packets = c->no_packets ? 0 : sum.packets,
			.bytes = c->no_bytes ? 0 : sum.bytes,
			.last_used_ns = last_used_ns,
			.lookups = c->lookup ? sum.packets : 0,
			.matches = c->lookup && c->id ? sum.packets : 0,
			.table = c->table,
		});
}

/* What the session counted since it was last told. */
static void tell(struct tn_kernel *k, const struct tn_ebpf_session *session, uint64_t last_used_ns)
{
	struct slot *s = session->slot < k->n_slots ? &k->slots[session->slot] : NULL;
	struct sum came, metered;

	if (!s || !s->counts)
		return;
	came = (struct sum){session->packets - s->packets, session->bytes - s->bytes};
	if (!came.packets)
		return;
	metered = (struct sum){session->metered_packets - s->metered_packets,
		session->metered_bytes - s->metered_bytes};
	if (metered.packets > came.packets) /* one between the two reads: the next time */
		metered = came;
	s->packets += came.packets;
	s->bytes += came.bytes;
	s->metered_packets += metered.packets;
	s->metered_bytes += metered.bytes;
	for (unsigned i = 0; i < s->n_counts; i++) {
		struct sum passed = {came.packets - metered.packets, came.bytes - metered.bytes};

		tell_flow(k, &s->counts[i], s->counts[i].metered ? passed : came, last_used_ns);
	}
	if (s->learnt)
		tn_switch_learn(k->agent->sw, s->learnt, last_used_ns);
	tell_ports(k, s, came, metered);
}

/* --- stations of a shared uplink -------------------------------------------------------------- */

/* What comes out of a tunnel for this destination is for the kernel. */
static struct tn_ebpf_station station_of(
	const struct tn_ebpf_key *key, const struct tn_ebpf_session *session)
{
	struct tn_ebpf_station station = {.vni = key->k4.h.tunnel_id};

	memcpy(station.mac, key->k4.h.eth_dst, sizeof(station.mac));
	/* Behind a routing hop there may be others, who are none of the kernel's. */
	if (!(session->flags & TN_EBPF_SET_DST))
		return station;
	if (key->is6) {
		memcpy(station.ip, key->k6.ip_dst, sizeof(station.ip));
	} else if (key->k4.ip_dst) {
		station.ip[10] = station.ip[11] = 0xff;
		memcpy(station.ip + 12, &key->k4.ip_dst, sizeof(key->k4.ip_dst));
	}
	return station;
}

/* What a program drops, or sends on by a tunnel, says nothing of who is there. */
static bool add_station(struct tn_kernel *k, const struct note *note, const struct tn_ebpf_key *key,
	const struct tn_ebpf_session *session)
{
	const struct tn_ebpf_station station = station_of(key, session);

	return note->from_tunnel && !(session->flags & (TN_EBPF_DROP | TN_EBPF_TUNNEL)) &&
		tn_ebpf_add_station(k->ebpf, &station);
}

struct sweep {
	struct tn_kernel *k;
	uint64_t now, now_monotonic;
};

static bool is_stale(const struct tn_kernel *k, const struct tn_ebpf_session *s)
{
	const struct tn_ebpf_config *c = tn_ebpf_config_of(k->ebpf);

	if (s->keys != c->keys)
		return true;
	for (uint64_t left = s->classes; left; left &= left - 1) {
		if ((int32_t)(c->epoch[__builtin_ctzll(left)] - s->version) > 0)
			return true;
	}
	return false;
}

/*
 * A session is stamped with the time that was told last, which may be the sweep's before this one:
 * it was used some time since. What is in use never looks idle.
 */
static uint64_t idle_of(const struct sweep *w, const struct tn_ebpf_session *s)
{
	uint64_t last = s->last_used_ns + TOLD_NS;

	return w->now_monotonic > last ? w->now_monotonic - last : 0;
}

/* Takes a session out of the kernel, with all that it counted. */
static void take_out(struct sweep *w, const struct tn_ebpf_key *key)
{
	struct tn_ebpf_session last;

	if (tn_ebpf_take_session(w->k->ebpf, key, &last) ||
		generation(last.keys) < w->k->first_keys) /* nobody knows what it counted for */
		return;
	tell(w->k, &last, w->now - idle_of(w, &last));
	if (last.slot < w->k->n_slots && w->k->slots[last.slot].counts) {
		const struct tn_ebpf_station station = station_of(key, &last);

		if (w->k->slots[last.slot].has_station)
			tn_ebpf_drop_station(w->k->ebpf, &station);
		free_slot(w->k, last.slot);
	}
	w->k->n_sessions--;
}

static struct sweep begin(struct tn_kernel *k)
{
	return (struct sweep){.k = k, .now = tn_agent_now(k->agent), .now_monotonic = monotonic()};
}

static bool look(void *ctx, const struct tn_ebpf_key *key, const struct tn_ebpf_session *session)
{
	struct sweep *w = ctx;
	uint64_t idle = idle_of(w, session);

	/* One that was never used counts from now on: put a moment ago. */
	if ((session->last_used_ns && idle > IDLE_NS) || is_stale(w->k, session))
		take_out(w, key);
	else
		tell(w->k, session, w->now - idle);
	return true;
}

static void say_no_room(struct tn_kernel *k, uint64_t now)
{
	if (k->no_room == k->no_room_said ||
		(k->no_room_said && now - k->no_room_said_ns < SAYS_NS))
		return;
	k->no_room_said = k->no_room;
	k->no_room_said_ns = now;
	tn_agent_say("the kernel has room for %u sessions, which are all taken: packets of others "
		     "go by this process (%llu sessions so far)",
		TN_EBPF_SESSIONS_MAX, (unsigned long long)k->no_room);
}

void tn_kernel_sweep(struct tn_agent *agent)
{
	struct sweep w;

	if (!agent->kernel || !agent->kernel->live)
		return;
	tell_time(agent->kernel);
	w = begin(agent->kernel);
	tell_refused(agent->kernel, w.now_monotonic);
	say_no_room(agent->kernel, w.now_monotonic);
	tn_ebpf_sessions(agent->kernel->ebpf, look, &w);
	tn_kernel_meters_tell(agent->kernel->meters, tn_switch_snapshot(agent->sw));
}

bool tn_kernel_wants_sweep(const struct tn_agent *agent)
{
	const struct tn_kernel *k = agent->kernel;

	return k && (k->n_sessions || k->guard_index != NO_INDEX);
}

bool tn_kernel_stats(const struct tn_agent *agent, struct tn_kernel_stats *stats)
{
	const struct tn_kernel *k = agent->kernel;
	uint64_t counters[TN_EBPF_N_COUNTERS];

	if (!k)
		return false;
	tn_ebpf_counters(k->ebpf, counters);
	for (unsigned i = 0; i < TN_EBPF_N_COUNTERS; i++)
		counters[i] -= k->first_counters[i];
	*stats = (struct tn_kernel_stats){
		.sessions = k->n_sessions,
		.no_room = k->no_room,
		.hits = counters[TN_EBPF_HITS],
		.misses = counters[TN_EBPF_MISSES],
		.unusual = counters[TN_EBPF_UNUSUAL],
		.to_workers = counters[TN_EBPF_TO_WORKERS],
	};
	return true;
}

void tn_kernel_port_stats(
	const struct tn_agent *agent, unsigned index, struct tn_worker_port_stats *stats)
{
	const struct tn_worker_port_stats *mine;

	if (!agent->kernel)
		return;
	mine = &agent->kernel->stats[index];
	stats->rx_packets += mine->rx_packets;
	stats->rx_bytes += mine->rx_bytes;
	stats->tx_packets += mine->tx_packets;
	stats->tx_bytes += mine->tx_bytes;
	for (unsigned i = 0; i < TN_DROP_COUNT; i++)
		stats->dropped[i] += mine->dropped[i];
}

const struct tn_network_drops *tn_kernel_network_drops(const struct tn_agent *agent)
{
	return agent->kernel ? &agent->kernel->network_drops : NULL;
}

/* --- into the kernel -------------------------------------------------------------------------- */

/* Keys get members that tables read from now on; what was keyed without them is void. */
static void widen(struct tn_kernel *k, uint32_t keys)
{
	struct tn_ebpf_config *c = tn_ebpf_config_of(k->ebpf);
	uint32_t members = c->keys & ((1u << TN_EBPF_KEY_GEN_SHIFT) - 1);

	if (!(keys & ~members))
		return;
	__atomic_store_n(&c->keys,
		((c->keys >> TN_EBPF_KEY_GEN_SHIFT) + 1) << TN_EBPF_KEY_GEN_SHIFT | members | keys,
		__ATOMIC_RELEASE);
}

/* Not the worker's to say: the other end of a veth may have been moved since. */
static bool goes_to_peer(
	const struct tn_kernel *k, const struct note *note, const struct tn_ebpf_session *s)
{
	const struct tn_forwarding *fwd = &k->agent->forwarding->fwd;
	const struct tn_port *port =
		note->out_index < fwd->n_ports ? fwd->ports[note->out_index].port : NULL;
	uint32_t ifindex;

	return port && tn_kernel_port_way(port, &ifindex) && ifindex == s->out &&
		tn_kernel_port_has_peer(port);
}

static void put(struct tn_kernel *k, const struct note *note)
{
	struct tn_ebpf_session session = note->session;
	struct tn_ebpf_key key = note->key;
	struct sweep w = begin(k);
	struct slot *s;

	if (goes_to_peer(k, note, &session))
		session.flags |= TN_EBPF_PEER;
	widen(k, note->keys);
	session.keys = tn_ebpf_config_of(k->ebpf)->keys;
	tn_ebpf_key_mask(&key, session.keys);
	take_out(&w, &key);
	session.slot = take_slot(k);
	if (session.slot == NO_SLOT)
		return;
	s = &k->slots[session.slot];
	s->meter = NO_METER;
	s->counts = malloc((note->n_counts + 1u) * sizeof(*s->counts));
	s->learnt = note->learns ? aligned_alloc(_Alignof(tn_u128), sizeof(*s->learnt)) : NULL;
	if (!s->counts || (note->learns && !s->learnt)) {
		free_slot(k, session.slot);
		return;
	}
	if (s->learnt) {
		memcpy(s->learnt, note->learnt, sizeof(*s->learnt));
		s->learnt->late = true;
	}
	if (note->meter_id &&
		tn_kernel_meters_take(
			k->meters, tn_switch_snapshot(k->agent->sw), note->meter_id, &s->meter)) {
		s->meter = NO_METER;
		free_slot(k, session.slot);
		return;
	}
	session.meter = note->meter_id ? s->meter : 0;
	memcpy(s->counts, note->counts, note->n_counts * sizeof(*s->counts));
	s->n_counts = note->n_counts;
	s->in_index = note->in_index;
	s->out_index = note->out_index;
	s->drop = session.flags & TN_EBPF_DROP ? session.drop : 0;
	s->drop_network = note->drop_network;
	s->meter_network = note->meter_network;
	if (!tn_ebpf_put_session(k->ebpf, &key, &session)) {
		s->has_station = add_station(k, note, &key, &session);
		k->n_sessions++;
		return;
	}
	k->no_room++;
	free_slot(k, session.slot);
}

void tn_kernel_drain(struct tn_agent *agent)
{
	struct tn_kernel *k = agent->kernel;

	if (k && k->live)
		tell_time(k);
	for (unsigned i = 0; k && i < agent->n_workers; i++) {
		struct tn_byte_ring *ring = agent->workers[i].decided;
		const struct note *note;
		uint32_t len;

		for (unsigned n = 0; n < NOTES && (note = tn_byte_ring_peek(ring, &len)); n++) {
			put(k, note);
			tn_byte_ring_pop(ring);
		}
	}
}
