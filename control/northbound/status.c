/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>

#include "control/model/json_reader.h"
#include "control/northbound/answer.h"
#include "control/northbound/handlers.h"
#include "control/northbound/hub.h"
#include "control/northbound/service.h"

/* For those who only ask whether the daemon is there: nothing that is not everybody's. */
void tn_health_get(struct tn_call *c)
{
	struct tn_engine_status status;

	tn_engine_status(tn_call_engine(c), &status);
	tn_answer_json(c, 200,
		json_pack("{s:s,s:b}", "status", status.connected ? "ok" : "degraded", "connected",
			(int)status.connected));
}

static json_t *workers_json(struct tn_call *c)
{
	const struct tn_api_worker_info *w;
	json_t *array = json_array(), *o;
	size_t n;

	w = tn_engine_workers(tn_call_engine(c), &n);
	for (size_t i = 0; i < n; i++) {
		o = json_object();
		json_object_set_new(o, "worker", json_integer(w[i].worker));
		json_object_set_new(o, "core", json_integer(w[i].core));
		json_object_set_new(o, "sessions", json_integer(w[i].sessions));
		json_object_set_new(o, "hits", tn_json_from_u64(w[i].hits));
		json_object_set_new(o, "misses", tn_json_from_u64(w[i].misses));
		json_object_set_new(o, "stale", tn_json_from_u64(w[i].stale));
		json_object_set_new(o, "uncached", tn_json_from_u64(w[i].uncached));
		json_object_set_new(o, "evicted", tn_json_from_u64(w[i].evicted));
		json_array_append_new(array, o);
	}
	return array;
}

static json_t *counts_json(struct tn_call *c)
{
	static const struct {
		const char *name;
		enum tn_kind kind;
	} kinds[] = {
		{"flows", TN_KIND_FLOW},
		{"groups", TN_KIND_GROUP},
		{"meters", TN_KIND_METER},
		{"ports", TN_KIND_PORT},
		{"hosts", TN_KIND_HOST},
	};
	json_t *o = json_object();

	for (size_t i = 0; i < TN_ARRAY_SIZE(kinds); i++)
		json_object_set_new(o, kinds[i].name,
			json_integer(tn_engine_count(
				tn_call_engine(c), kinds[i].kind, tn_call_scope(c))));
	return o;
}

static json_t *you_json(struct tn_call *c)
{
	json_t *o = json_pack("{s:s,s:s}", "name", c->who.name, "role", tn_role_name(c->who.role));

	if (c->who.tenant)
		json_object_set_new(o, "tenant",
			json_string(tn_names_string(
				tn_engine_names(tn_call_engine(c)), c->who.tenant)));
	return o;
}

static void answer_status(struct tn_call *c)
{
	struct tn_engine_status status;
	json_t *o = json_object();

	tn_engine_status(tn_call_engine(c), &status);
	json_object_set_new(o, "deviceId", tn_json_from_dpid(status.dpid));
	json_object_set_new(o, "connected", json_boolean(status.connected));
	json_object_set_new(
		o, "dataplaneVersion", json_string(status.version ? status.version : ""));
	json_object_set_new(o, "since", tn_json_from_u64(status.since_ns / 1000000u));
	json_object_set_new(o, "started", tn_json_from_u64(c->service->started_ns / 1000000u));
	json_object_set_new(o, "objects", counts_json(c));
	json_object_set_new(o, "you", you_json(c));
	json_object_set_new(o, "sequence", tn_json_from_u64(tn_engine_sequence(tn_call_engine(c))));
	/* All clients' together are no tenant's business. */
	if (!c->who.tenant) {
		json_object_set_new(o, "pending", json_integer(status.pending));
		json_object_set_new(o, "failed", json_integer(status.failed));
		json_object_set_new(
			o, "watchers", json_integer((json_int_t)tn_hub_watchers(c->service->hub)));
		json_object_set_new(o, "memoryBytes", tn_json_from_u64(status.memory_bytes));
		json_object_set_new(o, "workers", workers_json(c));
	}
	tn_answer_json(c, 200, o);
}

void tn_status_get(struct tn_call *c)
{
	tn_call_refresh(c, 1, answer_status);
}
