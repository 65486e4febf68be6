/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/agent/stats.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/agent/kernel.h"

static void set(json_t *o, const char *key, uint64_t value)
{
	json_object_set_new(o, key, json_integer((json_int_t)value));
}

static json_t *worker_to_json(const struct tn_worker_thread *t)
{
	struct tn_worker_stats s;
	json_t *o = json_object();

	tn_worker_stats(t->worker, &s);
	set(o, "core", t->core);
	set(o, "packets", t->packets);
	json_object_set_new(o, "cycles_per_packet",
		t->packets ? json_real((double)t->busy_cycles / (double)t->packets) : json_null());
	json_object_set_new(o, "cpu_seconds", json_real((double)t->cpu_ns / 1e9));
	json_object_set_new(o, "longest_round_us",
		json_real((double)t->longest_cycles * 1e6 / (double)t->agent->tsc_hz));
	set(o, "polls", t->polls);
	set(o, "naps", t->naps);
	set(o, "packet_ins", t->packet_ins);
	set(o, "host_frames", t->host_frames);
	set(o, "host_sent", t->host_sent);
	set(o, "hits", s.hits);
	set(o, "misses", s.misses);
	set(o, "stale", s.stale);
	set(o, "uncached", s.uncached);
	set(o, "evicted", s.evicted);
	set(o, "copies", s.copies);
	set(o, "segments", s.segments);
	set(o, "sessions", s.sessions);
	set(o, "session_bytes", s.session_bytes);
	set(o, "programs", s.programs);
	return o;
}

/* null: no port is the kernel's. */
static json_t *kernel_to_json(const struct tn_agent *agent)
{
	struct tn_kernel_stats s;
	json_t *o;

	if (!tn_kernel_stats(agent, &s))
		return json_null();
	o = json_object();
	set(o, "sessions", s.sessions);
	set(o, "no_room", s.no_room);
	set(o, "hits", s.hits);
	set(o, "misses", s.misses);
	set(o, "unusual", s.unusual);
	set(o, "to_workers", s.to_workers);
	return o;
}

static void port_to_json(void *ctx, const struct tn_agent_port_info *port)
{
	json_t *o = json_object(), *dropped = json_object();

	set(o, "number", port->request->number);
	json_object_set_new(o, "name", json_string(port->request->name));
	set(o, "rx_packets", port->stats.rx_packets);
	set(o, "rx_bytes", port->stats.rx_bytes);
	set(o, "tx_packets", port->stats.tx_packets);
	set(o, "tx_bytes", port->stats.tx_bytes);
	for (unsigned d = 1; d < TN_DROP_COUNT; d++) {
		if (port->stats.dropped[d])
			set(dropped, tn_drop_name((enum tn_drop)d), port->stats.dropped[d]);
	}
	json_object_set_new(o, "dropped", dropped);
	set(o, "wire_rx_dropped", port->wire.rx_dropped);
	set(o, "wire_rx_errors", port->wire.rx_errors);
	set(o, "wire_tx_errors", port->wire.tx_errors);
	set(o, "wire_rx_large", port->wire.rx_large);
	set(o, "wire_tx_large", port->wire.tx_large);
	json_array_append_new(ctx, o);
}

/* A network's place in an object, by its tunnel id. */
static bool network_to_json(void *ctx, uint32_t network, enum tn_drop reason, uint64_t packets)
{
	json_t *dropped;
	char name[16];

	if (network == TN_DROPS_NO_NETWORK || network == TN_DROPS_OTHER_NETWORKS)
		snprintf(name, sizeof(name), network ? "other" : "none");
	else
		snprintf(name, sizeof(name), "%u", network);
	dropped = json_object_get(ctx, name);
	if (!dropped) {
		dropped = json_object();
		json_object_set_new(ctx, name, dropped);
	}
	set(dropped, tn_drop_name(reason), packets);
	return true;
}

static json_t *networks_to_json(const struct tn_agent *agent)
{
	struct tn_network_drops *sum = calloc(1, sizeof(*sum));
	json_t *o = json_object();

	if (!sum)
		return o;
	tn_agent_network_drops(agent, sum);
	tn_network_drops_each(sum, network_to_json, o);
	free(sum);
	return o;
}

int tn_stats_write(const struct tn_agent *agent, double seconds)
{
	bool to_stdout = !strcmp(agent->options.stats_file, "-");
	FILE *f = to_stdout ? stdout : fopen(agent->options.stats_file, "we");
	json_t *workers = json_array(), *ports = json_array(), *all;
	bool failed;

	if (!f) {
		tn_agent_say("%s: cannot open: %s", agent->options.stats_file, strerror(errno));
		json_decref(workers);
		json_decref(ports);
		return -1;
	}
	for (unsigned i = 0; i < agent->n_workers; i++)
		json_array_append_new(workers, worker_to_json(&agent->workers[i]));
	tn_agent_ports(agent, port_to_json, ports);
	all = json_pack("{s:f, s:o, s:o, s:o, s:o}", "seconds", seconds, "workers", workers,
		"kernel", kernel_to_json(agent), "ports", ports, "networkDrops",
		networks_to_json(agent));
	failed = json_dumpf(all, f, JSON_INDENT(2) | JSON_REAL_PRECISION(6)) ||
		fputc('\n', f) == EOF;
	failed |= (to_stdout ? fflush(f) : fclose(f)) != 0;
	json_decref(all);
	if (failed)
		tn_agent_say("%s: cannot write: %s", agent->options.stats_file, strerror(errno));
	return failed ? -1 : 0;
}
