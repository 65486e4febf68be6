/* SPDX-License-Identifier: BSD-3-Clause */
/* The one device, as ONOS describes devices. */
#include <inttypes.h>
#include <stdio.h>

#include "control/model/json_reader.h"
#include "control/northbound/answer.h"
#include "control/northbound/body.h"
#include "control/northbound/handlers.h"
#include "control/northbound/list.h"
#include "control/northbound/service.h"

static json_t *device_json(struct tn_call *c)
{
	struct tn_engine_status status;
	json_t *j = json_object();
	char text[64];
	uint64_t age;

	tn_engine_status(tn_call_engine(c), &status);
	json_object_set_new(j, "id", tn_json_from_dpid(status.dpid));
	json_object_set_new(j, "type", json_string("SWITCH"));
	json_object_set_new(j, "available", json_boolean(status.connected));
	json_object_set_new(j, "role", json_string("MASTER"));
	json_object_set_new(j, "mfr", json_string("Tenon"));
	json_object_set_new(j, "hw", json_string("tenon-dataplane"));
	json_object_set_new(j, "sw", json_string(status.version ? status.version : ""));
	json_object_set_new(j, "serial", json_string("none"));
	json_object_set_new(j, "driver", json_string("tenon"));
	snprintf(text, sizeof(text), "%" PRIx64, status.dpid & UINT64_C(0xffffffffffff));
	json_object_set_new(j, "chassisId", json_string(text));
	snprintf(text, sizeof(text), "%" PRIu64, status.since_ns / 1000000u);
	json_object_set_new(j, "lastUpdate", json_string(text));
	age = (tn_service_now() - status.since_ns) / UINT64_C(60000000000);
	snprintf(text, sizeof(text), "%s %" PRIu64 "m ago",
		status.connected ? "connected" : "disconnected", age);
	json_object_set_new(j, "humanReadableLastUpdate", json_string(text));
	json_object_set_new(j, "annotations", json_pack("{s:s}", "protocol", "TENON"));
	return j;
}

/* Ports as ONOS has them. */

#define PORT_SPEED_UNKNOWN 0 /* Mbit/s */

struct ports {
	struct tn_call *call;
	json_t *array;
};

static bool add_port(void *ctx, const struct tn_object *o)
{
	const struct tn_api_port_info *p = o->port;
	struct ports *ports = ctx;
	json_t *j = json_object();

	json_object_set_new(
		j, "element", tn_json_from_dpid(tn_engine_dpid(tn_call_engine(ports->call))));
	json_object_set_new(j, "port",
		p->port.number == TN_PORT_LOCAL ? json_string("local")
						: tn_json_from_port(p->port.number));
	json_object_set_new(j, "isEnabled",
		json_boolean(p->port.enabled && !(p->state & TN_PORT_STATE_LINK_DOWN)));
	json_object_set_new(
		j, "type", json_string(strcmp(p->port.type, "dpdk") == 0 ? "fiber" : "virtual"));
	json_object_set_new(j, "portSpeed", json_integer(PORT_SPEED_UNKNOWN));
	json_object_set_new(j, "annotations",
		json_pack("{s:s,s:s}", "portName", p->port.name, "portType", p->port.type));
	json_array_append_new(ports->array, j);
	return true;
}

static json_t *ports_json(struct tn_call *c)
{
	struct ports ports = {c, json_array()};

	tn_engine_scan(
		tn_call_engine(c), TN_KIND_PORT, tn_call_scope(c), 0, true, add_port, &ports);
	return ports.array;
}

void tn_devices_get(struct tn_call *c)
{
	json_t *j = json_object(), *array = json_array();

	json_array_append_new(array, device_json(c));
	json_object_set_new(j, "devices", array);
	tn_answer_json(c, 200, j);
}

void tn_device_get(struct tn_call *c)
{
	tn_answer_json(c, 200, device_json(c));
}

/* ONOS forgets a device until it comes by again, and this one is there all the time. */
void tn_device_delete(struct tn_call *c)
{
	tn_answer_json(c, 200, device_json(c));
	tn_engine_resync(tn_call_engine(c));
}

static void answer_ports(struct tn_call *c)
{
	json_t *j = json_object();

	json_object_set_new(j, "ports", ports_json(c));
	tn_answer_json(c, 200, j);
}

void tn_devices_get_ports(struct tn_call *c)
{
	tn_call_refresh(c, 1u << TN_KIND_PORT, answer_ports);
}

static void answer_device_ports(struct tn_call *c)
{
	json_t *j = device_json(c);

	json_object_set_new(j, "ports", ports_json(c));
	tn_answer_json(c, 200, j);
}

void tn_device_get_ports(struct tn_call *c)
{
	tn_call_refresh(c, 1u << TN_KIND_PORT, answer_device_ports);
}
