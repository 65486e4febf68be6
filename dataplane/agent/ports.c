/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/agent/ports.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "dataplane/agent/housekeeping.h"
#include "dataplane/agent/worker_thread.h"
#include "dataplane/core/view.h"
#include "dataplane/core/wire.h"
#include "dataplane/agent/kernel.h"
#include "dataplane/port/kernel_port.h"
#include "dataplane/port/kernel_tunnel.h"
#include "dataplane/port/dpdk_buffer.h"
#include "dataplane/port/shadow.h"

#define OPTIONS_MAX  32u
#define TAGS_LEN     8u			 /* of VLANs, which an MTU does not count */
#define RETRY_NS     UINT64_C(500000000) /* an absent port; twice as long each time */
#define RETRY_MAX_NS UINT64_C(8000000000)

static void on_link(void *ctx, uint32_t events);

static int no_memory(struct tn_error *err)
{
	tn_error_set(err, TN_OFPBRC_BAD_PORT, -1, "out of memory: nothing was changed");
	return -ENOMEM;
}

/* --- the request as the port's own ------------------------------------------------------------ */

static void request_free(struct tn_port_request *r)
{
	for (size_t i = 0; i < r->n_options; i++) {
		free((void *)(uintptr_t)r->options[i].key);
		free((void *)(uintptr_t)r->options[i].string);
	}
	free((void *)(uintptr_t)r->options);
	free((void *)(uintptr_t)r->name);
	free((void *)(uintptr_t)r->type);
	free((void *)(uintptr_t)r->vxlan.peers);
	free((void *)(uintptr_t)r->vxlan.vnis);
}

static bool copy_options(struct tn_port_request *to, const struct tn_port_request *from)
{
	struct tn_port_option *options = calloc(from->n_options + 1, sizeof(*options));

	to->options = options;
	if (!options)
		return false;
	to->n_options = from->n_options;
	for (size_t i = 0; i < from->n_options; i++) {
		const struct tn_port_option *o = &from->options[i];

		options[i] = *o;
		options[i].key = strdup(o->key);
		options[i].string = o->string ? strdup(o->string) : NULL;
		if (!options[i].key || (o->string && !options[i].string))
			return false;
	}
	return true;
}

static bool copy_list(const void *from, size_t bytes, const void **to)
{
	void *copy;

	*to = NULL;
	if (!bytes)
		return true;
	copy = malloc(bytes);
	if (copy)
		memcpy(copy, from, bytes);
	*to = copy;
	return copy != NULL;
}

static bool request_copy(struct tn_port_request *to, const struct tn_port_request *from)
{
	const void *peers, *vnis;
	bool ok;

	*to = *from;
	to->options = NULL;
	to->n_options = 0;
	to->name = strdup(from->name);
	to->type = strdup(from->type);
	ok = copy_list(from->vxlan.peers, from->vxlan.n_peers * sizeof(*from->vxlan.peers), &peers);
	ok &= copy_list(from->vxlan.vnis, from->vxlan.n_vnis * sizeof(*from->vxlan.vnis), &vnis);
	to->vxlan.peers = peers;
	to->vxlan.vnis = vnis;
	ok = ok && to->name && to->type && copy_options(to, from);
	if (!ok)
		request_free(to);
	return ok;
}

/* --- workers ---------------------------------------------------------------------------------- */

/* Who polls a queue. Starting at another one for every port spreads ports of one queue. */
static unsigned worker_of(const struct tn_agent *agent, unsigned index, unsigned queue)
{
	return (index + queue) % agent->n_workers;
}

/* Without a descriptor, or room for it, the link is looked at like others that tell nothing. */
static void watch_link(struct tn_agent_port *p)
{
	struct tn_port *driver = p->driver;

	p->link_fd = driver && driver->ops->link_fd ? driver->ops->link_fd(driver) : -1;
	if (p->link_fd >= 0 && tn_loop_add(p->agent->loop, p->link_fd, EPOLLIN, on_link, p))
		p->link_fd = -1;
}

static void unwatch_link(struct tn_agent_port *p)
{
	if (p->link_fd >= 0)
		tn_loop_remove(p->agent->loop, p->link_fd);
	p->link_fd = -1;
}

/* Workers that sleep are to wake for what comes by a port. Until its descriptors are closed. */
static void watch(struct tn_agent *agent, unsigned index, struct tn_agent_port *p)
{
	struct tn_port *driver = p->driver;

	p->told = true;
	for (unsigned q = 0; driver && q < driver->n_rx_queues; q++)
		p->told &= tn_worker_thread_watch(&agent->workers[worker_of(agent, index, q)],
			driver->ops->wait_fd(driver, q), index, q);
	if (p->shadow)
		p->told &= tn_worker_thread_watch(
			&agent->workers[0], tn_shadow_fd(p->shadow), index, TN_WORKER_SHADOW);
	watch_link(p);
}

/* --- coming and going ------------------------------------------------------------------------- */

static void unmake_driver(struct tn_agent_port *p)
{
	unwatch_link(p);
	tn_shadow_free(p->shadow);
	if (p->driver)
		p->driver->ops->destroy(p->driver);
	p->shadow = NULL;
	p->driver = NULL;
}

static void port_free(struct tn_agent_port *p)
{
	if (!p)
		return;
	unmake_driver(p);
	request_free(&p->request);
	free(p);
}

void tn_agent_ports_free(struct tn_agent *agent)
{
	for (unsigned i = 0; i < TN_WORKER_PORTS_MAX; i++) {
		port_free(agent->ports[i]);
		agent->ports[i] = NULL;
	}
}

static unsigned free_index(const struct tn_agent *agent)
{
	unsigned i = 0;

	while (i < TN_WORKER_CONTROLLER && agent->ports[i])
		i++;
	return i;
}

static unsigned index_of(const struct tn_agent *agent, uint32_t number)
{
	unsigned i = 0;

	while (i < TN_WORKER_PORTS_MAX &&
		!(agent->ports[i] && agent->ports[i]->request.number == number))
		i++;
	return i;
}

/*
 * Sum over the workers of what they counted at an index. They go on counting: each number is whole,
 * two of them may be some packets apart, and that race is meant.
 */
__attribute__((no_sanitize("thread"))) static void sum_stats(
	const struct tn_agent *agent, unsigned index, struct tn_worker_port_stats *sum)
{
	memset(sum, 0, sizeof(*sum));
	for (unsigned w = 0; w < agent->n_workers; w++) {
		const struct tn_worker_port_stats *s =
			tn_worker_port_stats(agent->workers[w].worker, index);

		sum->rx_packets += s->rx_packets;
		sum->rx_bytes += s->rx_bytes;
		sum->tx_packets += s->tx_packets;
		sum->tx_bytes += s->tx_bytes;
		for (unsigned d = 0; d < TN_DROP_COUNT; d++)
			sum->dropped[d] += s->dropped[d];
	}
	tn_kernel_port_stats(agent, index, sum);
}

static void subtract_stats(
	struct tn_worker_port_stats *from, const struct tn_worker_port_stats *what)
{
	from->rx_packets -= what->rx_packets;
	from->rx_bytes -= what->rx_bytes;
	from->tx_packets -= what->tx_packets;
	from->tx_bytes -= what->tx_bytes;
	for (unsigned d = 0; d < TN_DROP_COUNT; d++)
		from->dropped[d] -= what->dropped[d];
}

static bool is_vxlan(const struct tn_port_request *request)
{
	return !strcmp(request->type, "vxlan");
}

static int check_request(
	const struct tn_agent *agent, const struct tn_port_request *request, struct tn_error *err)
{
	for (unsigned i = 0; i < TN_WORKER_PORTS_MAX; i++) {
		const struct tn_agent_port *p = agent->ports[i];

		if (!p ||
			(p->request.number != request->number &&
				strcmp(p->request.name, request->name) != 0))
			continue;
		tn_error_set(err, TN_OFPBRC_BAD_PORT, -1,
			"port %u has the name \"%s\": give another number and another name, or "
			"remove it first",
			p->request.number, p->request.name);
		return -EEXIST;
	}
	if (request->n_options > OPTIONS_MAX)
		return tn_error_set(err, TN_OFPBRC_BAD_PORT, -1,
			"port %s has %zu options; no type knows more than %u", request->name,
			request->n_options, OPTIONS_MAX);
	if (free_index(agent) == TN_WORKER_CONTROLLER)
		return tn_error_set(err, TN_OFPBRC_BAD_PORT, -1,
			"there are %u ports already, the most that one process has",
			TN_WORKER_CONTROLLER);
	return 0;
}

/* What of an uplink's options is for its shadow; NULL: not given. */
struct shadow_options {
	const struct tn_port_option *name, *netns;
};

/* True: the option was one of these. */
static bool take_shadow_option(struct shadow_options *s, const struct tn_port_option *o)
{
	if (!strcmp(o->key, "shadow"))
		s->name = o;
	else if (!strcmp(o->key, "shadowNetns"))
		s->netns = o;
	else
		return false;
	return true;
}

static int make_shadow(const struct tn_agent *agent, struct tn_agent_port *p,
	const struct shadow_options *s, struct tn_error *err)
{
	struct tn_shadow_config config = {
		.mac = p->driver->mac,
		.mtu = p->request.mtu ? p->request.mtu : p->driver->mtu,
		.n_workers = agent->n_workers,
		.buffers = &tn_dpdk_buffer_ops,
		.buffers_ctx = (void *)(uintptr_t)&agent->buffers,
	};

	if (!s->name && !s->netns)
		return 0;
	if (!s->name || s->name->type != TN_OPTION_STRING)
		return tn_error_set(err, TN_OFPBRC_BAD_PORT, -1,
			"port %s: option \"shadow\" takes a string, the name of an interface to make",
			p->request.name);
	if (s->netns && s->netns->type != TN_OPTION_STRING)
		return tn_error_set(err, TN_OFPBRC_BAD_PORT, -1,
			"port %s: option \"shadowNetns\" takes a string, the network namespace of the "
			"shadow",
			p->request.name);
	config.ifname = s->name->string;
	config.netns = s->netns ? s->netns->string : NULL;
	p->shadow = tn_shadow_new(&config, err);
	return p->shadow ? 0 : -EINVAL;
}

/* Frames that the port is to carry have room in a buffer. */
static int check_frame_size(
	const struct tn_agent *agent, const struct tn_agent_port *p, struct tn_error *err)
{
	uint32_t mtu = p->request.mtu ? p->request.mtu : p->driver->mtu;
	uint32_t frame = mtu + TN_ETH_LEN + TAGS_LEN;

	if (frame <= agent->options.max_frame)
		return 0;
	return tn_error_set(err, TN_OFPBRC_BAD_PORT, -1,
		"port %s: an MTU of %u takes frames of %u bytes, and packet buffers hold %u: start "
		"the process with --max-frame %u, or give the port or its interface a smaller MTU",
		p->request.name, mtu, frame, agent->options.max_frame, frame);
}

/* A container's port works without the kernel's programs, too. */
static bool go_without_ebpf(
	const struct tn_port_spec *spec, struct tn_port_option *options, const struct tn_error *why)
{
	if (strcmp(spec->type, "veth") != 0)
		return false;
	for (size_t i = 0; i < spec->n_options; i++) {
		if (!strcmp(options[i].key, "datapath"))
			options[i].string = "afxdp";
	}
	tn_agent_say("port %s goes by AF_XDP: %s", spec->name, why->detail);
	return true;
}

/* In a process that polls nothing. */
static int check_mode(
	const struct tn_agent *agent, const struct tn_port_request *request, struct tn_error *err)
{
	if (!agent->options.kernel_mode || strcmp(request->type, "dpdk") != 0)
		return 0;
	return tn_error_set(err, TN_OFPBRC_BAD_PORT, -1,
		"port %s: a port of type \"dpdk\" has to be polled, and with --mode kernel nothing is: "
		"start the process without it, or leave the interface to the kernel and give the port "
		"the type \"nic\"",
		request->name);
}

/* The driver gets all options but the agent's own. */
static int make_driver(struct tn_agent *agent, struct tn_agent_port *p, struct tn_error *err)
{
	struct tn_port_option options[OPTIONS_MAX];
	struct shadow_options shadow = {0};
	struct tn_port_spec spec = {
		.number = p->request.number,
		.name = p->request.name,
		.type = p->request.type,
		.mtu = p->request.mtu,
		.options = options,
	};
	struct tn_port_resources resources = {
		.pool = agent->buffers.pool,
		.large = agent->buffers.large,
		.buffers = &tn_dpdk_buffer_ops,
		.buffers_ctx = (void *)(uintptr_t)&agent->buffers,
		.n_workers = agent->n_workers,
		.say = tn_agent_say,
	};

	if (is_vxlan(&p->request))
		return 0;
	if (check_mode(agent, &p->request, err))
		return -EINVAL;
	for (size_t i = 0; i < p->request.n_options; i++) {
		const struct tn_port_option *o = &p->request.options[i];

		if (!take_shadow_option(&shadow, o))
			options[spec.n_options++] = *o;
	}
	if (tn_kernel_port_wanted(&spec)) {
		resources.ebpf = tn_agent_ebpf(agent, err);
		if (!resources.ebpf && !go_without_ebpf(&spec, options, err))
			return -EINVAL;
	}
	p->driver = tn_port_make(&spec, &resources, err);
	if (!p->driver || check_frame_size(agent, p, err))
		return -EINVAL;
	if (!p->driver->ops->link_up(p->driver))
		p->state |= TN_PORT_STATE_LINK_DOWN;
	return make_shadow(agent, p, &shadow, err);
}

static struct tn_port_config_data config_of(const struct tn_agent_port *p)
{
	return (struct tn_port_config_data){
		.number = p->request.number,
		.type = is_vxlan(&p->request) ? TN_PORT_VXLAN : TN_PORT_PLAIN,
		.config = p->request.config | (p->request.enabled ? 0 : TN_PORT_CONFIG_DOWN),
		.state = p->state,
	};
}

/*
 * A change of ports on its way: agent->ports is as it is to be, everything that takes memory is
 * made, and the switch is told last, between begin and end. What fails leaves no trace.
 */
struct port_change {
	struct tn_agent_forwarding *forwarding;
	struct tn_tunnels *tunnels; /* NULL: they stay */
};

static void give_up_change(struct port_change *c)
{
	tn_agent_forwarding_free(c->forwarding);
	tn_tunnels_free(c->tunnels);
}

/* Tunnels are made anew with every vxlan port that comes or goes. */
static int begin_change(
	struct tn_agent *agent, bool vxlan, struct port_change *c, struct tn_error *err)
{
	int rc = 0;

	*c = (struct port_change){.forwarding = tn_agent_forwarding_new(agent, err)};
	if (!c->forwarding)
		return -ENOMEM;
	if (vxlan)
		rc = tn_agent_ports_tunnels(agent, &c->tunnels, err);
	if (rc)
		give_up_change(c);
	return rc;
}

static void end_change(struct tn_agent *agent, struct port_change *c)
{
	struct tn_tunnels *old = c->tunnels ? agent->tunnels : NULL;

	if (c->tunnels)
		agent->tunnels = c->tunnels;
	tn_agent_forwarding_publish(agent, c->forwarding);
	tn_tunnels_free(old);
}

/* Puts the port at its index and makes it known; on an error all is as before. */
static int install(
	struct tn_agent *agent, unsigned index, struct tn_agent_port *p, struct tn_error *err)
{
	struct tn_port_config_data config = config_of(p);
	struct port_change change;
	int rc;

	agent->ports[index] = p;
	sum_stats(agent, index, &p->base);
	watch(agent, index, p);
	rc = begin_change(agent, is_vxlan(&p->request), &change, err);
	if (!rc) {
		rc = tn_switch_port_add(agent->sw, &config, tn_agent_now(agent), err);
		if (!rc) {
			end_change(agent, &change);
			return 0;
		}
		give_up_change(&change);
	}
	agent->ports[index] = NULL;
	return rc;
}

static int add(struct tn_agent *agent, const struct tn_port_request *request, bool absent,
	struct tn_error *err)
{
	struct tn_agent_port *p;
	int rc = check_request(agent, request, err);

	if (rc)
		return rc;
	p = calloc(1, sizeof(*p));
	if (!p || !request_copy(&p->request, request)) {
		free(p);
		return no_memory(err);
	}
	p->agent = agent;
	p->link_fd = -1;
	if (absent) {
		p->absent = true;
		p->state |= TN_PORT_STATE_LINK_DOWN;
	} else {
		rc = make_driver(agent, p, err);
	}
	if (!rc)
		rc = install(agent, free_index(agent), p, err);
	if (rc)
		port_free(p);
	return rc;
}

/* The vxlan port that a request is to replace, its number and name being the same; else NULL. */
static struct tn_agent_port **replaced_by(
	struct tn_agent *agent, const struct tn_port_request *request)
{
	unsigned index = index_of(agent, request->number);
	struct tn_agent_port *p = index < TN_WORKER_PORTS_MAX ? agent->ports[index] : NULL;

	return p && is_vxlan(&p->request) && is_vxlan(request) &&
			!strcmp(p->request.name, request->name)
		? &agent->ports[index]
		: NULL;
}

/* Packets meet the tunnel as it was or as it is to be; what it counted stays. */
static int exchange(struct tn_agent *agent, struct tn_agent_port **place, struct tn_agent_port *p,
	struct tn_error *err)
{
	struct tn_port_config_data config = config_of(p);
	struct tn_agent_port *old = *place;
	struct port_change change;
	int rc;

	*place = p;
	rc = begin_change(agent, true, &change, err);
	if (!rc) {
		/* Decisions that lead into the tunnel are made again. */
		rc = tn_switch_touch(agent->sw, err);
		if (!rc)
			rc = tn_switch_port_modify(agent->sw, &config, tn_agent_now(agent), err);
		if (!rc) {
			end_change(agent, &change);
			return 0;
		}
		give_up_change(&change);
	}
	*place = old;
	return rc;
}

static int replace(struct tn_agent *agent, struct tn_agent_port **place,
	const struct tn_port_request *request, struct tn_error *err)
{
	struct tn_agent_port *p = calloc(1, sizeof(*p)), *old = *place;
	int rc;

	if (!p)
		return no_memory(err);
	*p = *old;
	if (!request_copy(&p->request, request)) {
		free(p);
		return no_memory(err);
	}
	rc = exchange(agent, place, p, err);
	port_free(rc ? p : old);
	return rc;
}

static bool brings_underlay(const struct tn_agent_port *p)
{
	uint32_t ifindex;
	uint16_t udp_port;

	return p->driver && tn_kernel_tunnel_way(p->driver, &ifindex, &udp_port);
}

int tn_agent_port_add(
	struct tn_agent *agent, const struct tn_port_request *request, struct tn_error *err)
{
	struct tn_agent_port **place = replaced_by(agent, request);
	struct tn_error other;
	int rc;

	if (place)
		return replace(agent, place, request, err);
	rc = add(agent, request, false, err);
	if (rc || !brings_underlay(agent->ports[index_of(agent, request->number)]))
		return rc;
	rc = tn_agent_renew_underlay(agent, err);
	if (rc)
		(void)!tn_agent_port_remove(agent, request->number, &other);
	return rc;
}

int tn_agent_port_add_absent(
	struct tn_agent *agent, const struct tn_port_request *request, struct tn_error *err)
{
	return add(agent, request, true, err);
}

static int no_such_port(uint32_t number, struct tn_error *err)
{
	tn_error_set(err, TN_OFPBRC_BAD_PORT, -1, "port %u does not exist", number);
	return -ENOENT;
}

/* The port is in no forwarding any more; no worker, awake or asleep, has it. */
static void await_workers(const struct tn_agent *agent)
{
	for (unsigned i = 0; i < agent->n_workers; i++)
		tn_worker_thread_await(&agent->workers[i], agent->forwarding->number);
}

int tn_agent_port_remove(struct tn_agent *agent, uint32_t number, struct tn_error *err)
{
	unsigned index = index_of(agent, number);
	struct port_change change;
	struct tn_agent_port *p;
	bool brings;
	int rc;

	if (index == TN_WORKER_PORTS_MAX)
		return no_such_port(number, err);
	p = agent->ports[index];
	agent->ports[index] = NULL;
	rc = begin_change(agent, is_vxlan(&p->request), &change, err);
	if (!rc) {
		rc = tn_switch_port_remove(agent->sw, number, tn_agent_now(agent), err);
		if (rc)
			give_up_change(&change);
	}
	if (rc) {
		agent->ports[index] = p;
		return rc;
	}
	end_change(agent, &change);
	brings = brings_underlay(p);
	await_workers(agent);
	port_free(p);
	/* Without memory tunnels lead where they lead nowhere: a counted drop. */
	if (brings)
		(void)!tn_agent_renew_underlay(agent, err);
	return 0;
}

int tn_agent_port_configure(struct tn_agent *agent, uint32_t number, bool enabled, uint32_t config,
	struct tn_error *err)
{
	unsigned index = index_of(agent, number);
	struct tn_port_config_data data;
	struct tn_agent_port *p, before;
	struct port_change change;
	int rc;

	if (index == TN_WORKER_PORTS_MAX)
		return no_such_port(number, err);
	p = agent->ports[index];
	before = *p;
	p->request.enabled = enabled;
	p->request.config = config;
	data = config_of(p);
	rc = begin_change(agent, false, &change, err);
	if (!rc) {
		rc = tn_switch_port_modify(agent->sw, &data, tn_agent_now(agent), err);
		if (rc)
			give_up_change(&change);
	}
	if (rc) {
		*p = before;
		return rc;
	}
	end_change(agent, &change);
	return 0;
}

/* --- links ------------------------------------------------------------------------------------ */

static bool follow_link(struct tn_agent *agent, struct tn_agent_port *p)
{
	bool up = p->driver->ops->link_up(p->driver);
	struct tn_port_config_data data;

	if (up == !(p->state & TN_PORT_STATE_LINK_DOWN))
		return false;
	p->state ^= TN_PORT_STATE_LINK_DOWN;
	data = config_of(p);
	if (!tn_switch_port_modify(agent->sw, &data, tn_agent_now(agent), NULL))
		return true;
	p->state ^= TN_PORT_STATE_LINK_DOWN; /* no memory: next time */
	return false;
}

/* The driver's call, and what became of the link. True: the switch has a new version. */
static bool maintain(struct tn_agent *agent, struct tn_agent_port *p, uint64_t now)
{
	if (p->driver->ops->maintain)
		p->driver->ops->maintain(p->driver, now);
	return follow_link(agent, p);
}

static void on_link(void *ctx, uint32_t events)
{
	struct tn_agent_port *p = ctx;

	(void)events;
	if (maintain(p->agent, p, tn_agent_now(p->agent)))
		tn_housekeeping_publish_soon(p->agent);
	else
		tn_housekeeping_soon(p->agent);
}

/* Its device may have come since. */
static bool try_absent(struct tn_agent *agent, unsigned index, uint64_t now)
{
	struct tn_agent_port *p = agent->ports[index];
	struct tn_port_config_data data;
	struct tn_error err;

	if (now < p->retry_ns)
		return false;
	p->retry_wait_ns = p->retry_wait_ns ? 2 * p->retry_wait_ns : RETRY_NS;
	if (p->retry_wait_ns > RETRY_MAX_NS)
		p->retry_wait_ns = RETRY_MAX_NS;
	p->retry_ns = now + p->retry_wait_ns;
	p->state &= ~(uint32_t)TN_PORT_STATE_LINK_DOWN;
	if (!make_driver(agent, p, &err)) {
		data = config_of(p);
		if (!tn_switch_port_modify(agent->sw, &data, now, &err)) {
			p->absent = false;
			watch(agent, index, p);
			tn_agent_say(
				"port %u (%s) is here now", p->request.number, p->request.name);
			return true;
		}
	}
	unmake_driver(p);
	p->state |= TN_PORT_STATE_LINK_DOWN;
	return false;
}

bool tn_agent_ports_maintain(struct tn_agent *agent)
{
	uint64_t now = tn_agent_now(agent);
	bool changed = false;

	for (unsigned i = 0; i < TN_WORKER_PORTS_MAX; i++) {
		struct tn_agent_port *p = agent->ports[i];

		if (p && p->absent)
			changed |= try_absent(agent, i, now);
		if (p && p->driver)
			changed |= maintain(agent, p, now);
	}
	return changed;
}

uint64_t tn_agent_ports_due(const struct tn_agent *agent)
{
	uint64_t due = UINT64_MAX;

	for (unsigned i = 0; i < TN_WORKER_PORTS_MAX && due; i++) {
		const struct tn_agent_port *p = agent->ports[i];
		uint64_t port_due = UINT64_MAX;

		if (p && p->absent)
			port_due = p->retry_ns;
		else if (p && p->driver)
			port_due = p->driver->ops->maintain_due
				? p->driver->ops->maintain_due(p->driver)
				: 0;
		if (port_due < due)
			due = port_due;
	}
	return due;
}

/* --- what the workers read -------------------------------------------------------------------- */

int tn_agent_ports_tunnels(
	const struct tn_agent *agent, struct tn_tunnels **tunnels, struct tn_error *err)
{
	struct tn_tunnel_config *configs = calloc(TN_WORKER_PORTS_MAX, sizeof(*configs));
	uint32_t a, b;
	size_t n = 0;
	int rc;

	*tunnels = NULL;
	if (!configs)
		return no_memory(err);
	for (unsigned i = 0; i < TN_WORKER_PORTS_MAX; i++) {
		const struct tn_agent_port *p = agent->ports[i];

		if (p && is_vxlan(&p->request))
			configs[n++] =
				(struct tn_tunnel_config){p->request.number, p->request.vxlan};
	}
	rc = tn_tunnels_new(tunnels, configs, n, &a, &b);
	free(configs);
	if (rc == -EEXIST)
		tn_error_set(err, TN_OFPBRC_BAD_PORT, -1,
			"ports %u and %u would take the same VXLAN packets: give them different "
			"remote, vni, local or udpDestPort",
			a, b);
	else if (rc)
		return no_memory(err);
	return rc;
}

static void describe(
	const struct tn_agent *agent, const struct tn_agent_port *p, struct tn_forwarding_port *fp)
{
	uint32_t ifindex;
	uint16_t udp_port;

	fp->kind = is_vxlan(&p->request) ? TN_FWD_TUNNEL : TN_FWD_PLAIN;
	fp->number = p->request.number;
	fp->port = p->driver;
	fp->tells = p->driver &&
		(tn_kernel_port_way(p->driver, &ifindex) ||
			tn_kernel_tunnel_way(p->driver, &ifindex, &udp_port));
	fp->underlay = p->driver && tn_underlay_is_uplink(agent->underlay, p->request.number);
	fp->host = p->shadow && fp->underlay;
	if (!p->request.enabled || p->state & TN_PORT_STATE_LINK_DOWN)
		fp->closed = TN_DROP_PORT_DOWN;
	else if (p->request.config & TN_PORT_CONFIG_NO_FWD)
		fp->closed = TN_DROP_PORT_NO_FWD;
	fp->max_frame = p->request.mtu ? p->request.mtu + TN_ETH_LEN : TN_FRAME_MAX;
}

static int add_queue(struct tn_agent_forwarding *f, unsigned worker, struct tn_rx_queue q)
{
	unsigned n = f->n_queues[worker];
	struct tn_rx_queue *queues = realloc(f->queues[worker], (n + 1) * sizeof(*queues));

	if (!queues)
		return -ENOMEM;
	queues[n] = q;
	f->queues[worker] = queues;
	f->n_queues[worker] = n + 1;
	return 0;
}

int tn_agent_ports_forwarding(const struct tn_agent *agent, struct tn_agent_forwarding *f)
{
	for (unsigned i = 0; i < TN_WORKER_PORTS_MAX; i++) {
		const struct tn_agent_port *p = agent->ports[i];

		if (!p)
			continue;
		f->fwd.n_ports = i + 1;
		describe(agent, p, &f->fwd.ports[i]);
		if (p->shadow) {
			f->shadows[i] = p->shadow;
			f->with_shadow[f->n_shadows++] = (uint16_t)i;
		}
		for (uint16_t q = 0; p->driver && q < p->driver->n_rx_queues; q++) {
			unsigned worker = worker_of(agent, i, q);
			int rc = add_queue(f, worker,
				(struct tn_rx_queue){.port_index = (uint16_t)i, .queue = q});

			if (rc)
				return rc;
			f->naps[worker] |= !p->told;
		}
	}
	return 0;
}

/* --- reading back ----------------------------------------------------------------------------- */

static int compare_numbers(const void *x, const void *y)
{
	const struct tn_agent_port_info *a = x, *b = y;

	return a->request->number < b->request->number ? -1 : 1;
}

static void fill_info(const struct tn_agent *agent, unsigned index, struct tn_agent_port_info *info)
{
	const struct tn_agent_port *p = agent->ports[index];

	*info = (struct tn_agent_port_info){
		.index = index,
		.request = &p->request,
		.driver = p->driver,
		.absent = p->absent,
		.link_up = !(p->state & TN_PORT_STATE_LINK_DOWN),
	};
	sum_stats(agent, index, &info->stats);
	subtract_stats(&info->stats, &p->base);
	if (p->driver && p->driver->ops->wire_stats)
		p->driver->ops->wire_stats(p->driver, &info->wire);
}

bool tn_agent_port(const struct tn_agent *agent, uint32_t number, tn_agent_port_fn fn, void *ctx)
{
	unsigned index = index_of(agent, number);
	struct tn_agent_port_info info;

	if (index == TN_WORKER_PORTS_MAX)
		return false;
	fill_info(agent, index, &info);
	fn(ctx, &info);
	return true;
}

void tn_agent_ports(const struct tn_agent *agent, tn_agent_port_fn fn, void *ctx)
{
	struct tn_agent_port_info *list = calloc(TN_WORKER_PORTS_MAX, sizeof(*list));
	size_t n = 0;

	if (!list)
		return;
	for (unsigned i = 0; i < TN_WORKER_PORTS_MAX; i++) {
		if (agent->ports[i])
			fill_info(agent, i, &list[n++]);
	}
	qsort(list, n, sizeof(*list), compare_numbers);
	for (size_t i = 0; i < n; i++)
		fn(ctx, &list[i]);
	free(list);
}

static bool add_network(void *ctx, uint32_t network, enum tn_drop reason, uint64_t packets)
{
	tn_network_drops_add(ctx, network, reason, packets);
	return true;
}

void tn_agent_network_drops(const struct tn_agent *agent, struct tn_network_drops *sum)
{
	const struct tn_network_drops *kernel = tn_kernel_network_drops(agent);

	for (unsigned i = 0; i < agent->n_workers; i++)
		tn_network_drops_each(
			tn_worker_network_drops(agent->workers[i].worker), add_network, sum);
	if (kernel)
		tn_network_drops_each(kernel, add_network, sum);
}
