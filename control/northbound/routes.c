/* SPDX-License-Identifier: BSD-3-Clause */
/* The switch: flows, groups, meters, ports, and the daemon itself. */
#include "control/northbound/handlers.h"
#include "control/northbound/route.h"

#define V TN_ROLE_VIEWER
#define O TN_ROLE_OPERATOR
#define A TN_ROLE_ADMIN

#define TAGGED	   TN_ROUTE_TAGGED
#define LISTS	   (TN_ROUTE_LISTS | TAGGED)
#define LISTS_FLOW (TN_ROUTE_LISTS | TN_ROUTE_FILTERS | TAGGED)
#define COUNTS	   (TN_ROUTE_COUNTS | TAGGED)
#define CHANGES	   TN_ROUTE_CHANGES
/* Of what is there, or is to be. */
#define EDITS	   (TN_ROUTE_CHANGES | TAGGED)
#define PUTS	   (EDITS | TN_ROUTE_CREATES)
#define NO_TENANTS TN_ROUTE_NO_TENANTS

static const struct tn_route routes[] = {
	/* Flows. */
	{TN_GET, "/flows", V, tn_flows_get, LISTS_FLOW, "listFlows", "All flows", 200, "Flows",
		NULL, NULL},
	{TN_POST, "/flows", O, tn_flows_post, CHANGES | NO_TENANTS, "addFlows",
		"Adds flows, all or none; one that is there already is replaced", 200, "FlowIds",
		"NewFlows", "appId"},
	{TN_DELETE, "/flows", O, tn_flows_delete, CHANGES | NO_TENANTS, "removeFlows",
		"Removes flows by their ids; unknown ones are no error", 204, NULL, "FlowIds",
		NULL},
	{TN_GET, "/flows/pending", V, tn_flows_get_pending, LISTS_FLOW, "listPendingFlows",
		"Flows that the data plane does not have yet, or still has", 200, "Flows", NULL,
		NULL},
	{TN_GET, "/flows/table/{tableId}", V, tn_flows_get_table, LISTS_FLOW, "listTableFlows",
		"Flows of one table", 200, "Flows", NULL, NULL},
	{TN_GET, "/flows/application/{appId}", V, tn_flows_get_application, LISTS_FLOW,
		"listApplicationFlows", "Flows of one owner", 200, "Flows", NULL, NULL},
	{TN_DELETE, "/flows/application/{appId}", O, tn_flows_delete_application,
		CHANGES | NO_TENANTS, "removeApplicationFlows", "Removes all flows of one owner",
		204, NULL, NULL, NULL},
	{TN_GET, "/flows/{deviceId}", V, tn_flows_get, LISTS_FLOW, "listDeviceFlows",
		"Flows of the device", 200, "Flows", NULL, NULL},
	{TN_POST, "/flows/{deviceId}", O, tn_flows_post_device, CHANGES | NO_TENANTS, "addFlow",
		"Adds a flow, or replaces the one of the same table, priority and match", 201,
		"FlowId", "NewFlow", "appId"},
	{TN_PUT, "/flows/{deviceId}", O, tn_flows_put_device, EDITS | NO_TENANTS, "replaceFlows",
		"Replaces all flows of the owner appId; those that are the same are not touched",
		200, "Replaced", "NewFlows", "appId"},
	{TN_GET, "/flows/{deviceId}/{flowId}", V, tn_flow_get, COUNTS, "getFlow", "One flow", 200,
		"Flow", NULL, NULL},
	{TN_PUT, "/flows/{deviceId}/{flowId}", O, tn_flow_put, PUTS | NO_TENANTS, "putFlow",
		"Replaces a flow, or makes it", 200, "FlowId", "NewFlow", "appId"},
	{TN_DELETE, "/flows/{deviceId}/{flowId}", O, tn_flow_delete, EDITS | NO_TENANTS,
		"removeFlow", "Removes a flow", 204, NULL, NULL, NULL},

	/* Groups. */
	{TN_GET, "/groups", V, tn_groups_get, LISTS, "listGroups", "All groups", 200, "Groups",
		NULL, "appId"},
	{TN_GET, "/groups/{deviceId}", V, tn_groups_get, LISTS, "listDeviceGroups",
		"Groups of the device", 200, "Groups", NULL, "appId"},
	{TN_POST, "/groups/{deviceId}", O, tn_groups_post, CHANGES | NO_TENANTS, "addGroup",
		"Adds a group", 201, "GroupId", "NewGroup", "appId"},
	{TN_GET, "/groups/{deviceId}/{appCookie}", V, tn_group_get, COUNTS, "getGroup",
		"One group, by appCookie or number", 200, "Group", NULL, NULL},
	{TN_PUT, "/groups/{deviceId}/{appCookie}", O, tn_group_put, PUTS | NO_TENANTS, "putGroup",
		"Type and buckets of a group anew, or a new group", 200, "GroupId", "NewGroup",
		"appId"},
	{TN_DELETE, "/groups/{deviceId}/{appCookie}", O, tn_group_delete, EDITS | NO_TENANTS,
		"removeGroup", "Removes a group and the flows that use it", 204, NULL, NULL, NULL},
	{TN_POST, "/groups/{deviceId}/{appCookie}/buckets", O, tn_buckets_post, EDITS | NO_TENANTS,
		"addBuckets", "Adds buckets to a group", 204, NULL, "NewBuckets", NULL},
	{TN_DELETE, "/groups/{deviceId}/{appCookie}/buckets/{bucketIds}", O, tn_buckets_delete,
		EDITS | NO_TENANTS, "removeBuckets",
		"Removes buckets by their ids, with commas between", 204, NULL, NULL, NULL},

	/* Meters. */
	{TN_GET, "/meters", V, tn_meters_get, LISTS, "listMeters", "All meters", 200, "Meters",
		NULL, "appId"},
	{TN_GET, "/meters/scope/{deviceId}/{scope}", V, tn_meters_get_scope, LISTS,
		"listScopeMeters", "Meters of a scope; all are global", 200, "Meters", NULL,
		"appId"},
	{TN_GET, "/meters/{deviceId}", V, tn_meters_get, LISTS, "listDeviceMeters",
		"Meters of the device", 200, "Meters", NULL, "appId"},
	{TN_POST, "/meters/{deviceId}", O, tn_meters_post,
		CHANGES | TN_ROUTE_BAD_DEVICE | NO_TENANTS, "addMeter",
		"Adds a meter; without a number it gets the lowest free one", 201, "MeterId",
		"NewMeter", "appId"},
	{TN_GET, "/meters/{deviceId}/{meterId}", V, tn_meter_get, COUNTS, "getMeter", "One meter",
		200, "Meter", NULL, NULL},
	{TN_PUT, "/meters/{deviceId}/{meterId}", O, tn_meter_put, PUTS | NO_TENANTS, "putMeter",
		"Changes a meter, or makes it", 200, "MeterId", "NewMeter", "appId"},
	{TN_DELETE, "/meters/{deviceId}/{meterId}", O, tn_meter_delete, EDITS | NO_TENANTS,
		"removeMeter", "Removes a meter and the flows that use it", 204, NULL, NULL, NULL},

	/* The device and its ports, as ONOS has them. */
	{TN_GET, "/devices", V, tn_devices_get, 0, "listDevices", "The device, in a list", 200,
		"Devices", NULL, NULL},
	{TN_GET, "/devices/ports", V, tn_devices_get_ports, 0, "listDevicePorts", "Its ports", 200,
		"DevicePorts", NULL, NULL},
	{TN_GET, "/devices/{deviceId}", V, tn_device_get, 0, "getDevice", "The device", 200,
		"Device", NULL, NULL},
	{TN_GET, "/devices/{deviceId}/ports", V, tn_device_get_ports, 0, "getDevicePorts",
		"The device with its ports", 200, "Device", NULL, NULL},
	{TN_DELETE, "/devices/{deviceId}", A, tn_device_delete, NO_TENANTS, "removeDevice",
		"Forgets what the device has and looks again: what it lacks it gets, what is not "
		"wanted goes",
		200, "Device", NULL, NULL},
	{TN_POST, "/devices/{deviceId}/portstate/{port}", A, tn_device_post_portstate,
		EDITS | NO_TENANTS, "setPortState", "Switches a port on or off", 200, "PortNumber",
		"PortState", NULL},

	/* Ports. */
	{TN_GET, "/ports", V, tn_ports_get, LISTS, "listPorts",
		"Ports of the switch; with kind=tenant or a filter, and for clients of one tenant, "
		"ports of tenants' networks",
		200, "AnyPorts", NULL,
		"kind id name tenant_id project_id network_id subnet_id host binding device_id "
		"mac_address ip_address"},
	{TN_POST, "/ports", O, tn_ports_post, CHANGES | TN_ROUTE_SHARED, "addPort",
		"Adds a port to the switch (administrators), or to a tenant's network: that has "
		"network_id",
		201, "PortMade", "AnyNewPort", NULL},
	{TN_GET, "/ports/{port}", V, tn_port_get, COUNTS, "getPort",
		"A port of the switch, by number or name, or one of a tenant, by id", 200,
		"AnyPort", NULL, NULL},
	{TN_PUT, "/ports/{port}", O, tn_port_put, PUTS | TN_ROUTE_SHARED, "putPort",
		"Replaces a port, or adds it", 200, "PortMade", "AnyNewPort", NULL},
	{TN_PATCH, "/ports/{port}", O, tn_port_patch, EDITS | TN_ROUTE_SHARED, "configurePort",
		"Changes isEnabled and config of a port of the switch, or members of a tenant's",
		200, "PortMade", "PortPatch", NULL},
	{TN_DELETE, "/ports/{port}", O, tn_port_delete, EDITS | TN_ROUTE_SHARED, "removePort",
		"Removes a port", 204, NULL, NULL, NULL},

	/* Statistics. */
	{TN_GET, "/statistics/ports", V, tn_statistics_get_ports, 0, "portStatistics",
		"Counters of all ports", 200, "PortStatistics", NULL, NULL},
	{TN_GET, "/statistics/ports/{deviceId}", V, tn_statistics_get_ports, 0,
		"devicePortStatistics", "Counters of the device's ports", 200, "PortStatistics",
		NULL, NULL},
	{TN_GET, "/statistics/ports/{deviceId}/{port}", V, tn_statistics_get_ports, 0,
		"onePortStatistics", "Counters of one port", 200, "PortStatistics", NULL, NULL},
	{TN_GET, "/statistics/delta/ports", V, tn_statistics_get_delta, 0, "portDeltas",
		"What was counted since deltas were last asked for, 5 s ago or more", 200,
		"PortStatistics", NULL, NULL},
	{TN_GET, "/statistics/delta/ports/{deviceId}", V, tn_statistics_get_delta, 0,
		"devicePortDeltas", "The same of the device", 200, "PortStatistics", NULL, NULL},
	{TN_GET, "/statistics/delta/ports/{deviceId}/{port}", V, tn_statistics_get_delta, 0,
		"onePortDeltas", "The same of one port", 200, "PortStatistics", NULL, NULL},
	{TN_GET, "/statistics/flows/tables", V, tn_statistics_get_tables, NO_TENANTS,
		"tableStatistics", "Counters of the flow tables", 200, "TableStatistics", NULL,
		NULL},
	{TN_GET, "/statistics/flows/tables/{deviceId}", V, tn_statistics_get_tables, NO_TENANTS,
		"deviceTableStatistics", "The same of the device", 200, "TableStatistics", NULL,
		NULL},
	{TN_GET, "/statistics/networks", V, tn_statistics_get_networks, 0, "networkStatistics",
		"What was dropped, by network and reason; a tenant sees its own networks", 200,
		"NetworkStatistics", NULL, NULL},
	{TN_POST, "/stats/reset", O, tn_stats_reset, NO_TENANTS, "resetStatistics",
		"All counters count from 0 again, as they are read here; the switch counts on", 204,
		NULL, NULL, NULL},
	{TN_GET, "/statistics/flows/activeentries", V, tn_statistics_get_active, 0, "activeEntries",
		"How many flows there are", 200, "ActiveEntries", NULL, NULL},
	{TN_GET, "/statistics/flows/link", V, tn_statistics_get_link, 0, "linkLoad",
		"The load of a port", 200, "Loads", NULL, "device port"},

	/* Hosts. */
	{TN_GET, "/hosts", V, tn_hosts_get, LISTS, "listHosts",
		"All hosts that clients told of; with kind=tenant those of tenants' networks", 200,
		"AnyHosts", NULL, "kind id name"},
	{TN_POST, "/hosts", O, tn_hosts_post, CHANGES | NO_TENANTS, "addHost",
		"Tells where a host is, or (administrators) declares one of tenants' networks: "
		"that has vtep_addresses",
		201, "HostMade", "AnyNewHost", NULL},
	{TN_GET, "/hosts/{mac}/{vlan}", V, tn_host_get, TAGGED, "getHost", "One host", 200, "Host",
		NULL, NULL},
	{TN_DELETE, "/hosts/{mac}/{vlan}", O, tn_host_delete, EDITS | TN_ROUTE_AT_ONCE | NO_TENANTS,
		"removeHost", "Removes a host", 204, NULL, NULL, NULL},

	/* Tables and the pipeline. */
	{TN_GET, "/tables", V, tn_tables_get, NO_TENANTS, "listTables",
		"Tables that have flows or settings", 200, "Tables", NULL, NULL},
	{TN_GET, "/tables/features", V, tn_tables_get_features, 0, "tableFeatures",
		"What any table can do", 200, "TableFeaturesList", NULL, NULL},
	{TN_GET, "/tables/{tableId}", V, tn_table_get, NO_TENANTS | TAGGED, "getTable", "One table",
		200, "Table", NULL, NULL},
	{TN_PUT, "/tables/{tableId}", A, tn_table_put, EDITS | NO_TENANTS, "putTable",
		"Settings of a table", 200, "TableId", "NewTable", NULL},
	{TN_GET, "/tables/{tableId}/features", V, tn_table_get_features, 0, "oneTableFeatures",
		"What one table can do", 200, "TableFeatures", NULL, NULL},
	{TN_GET, "/pipeline", V, tn_pipeline_get, 0, "getPipeline",
		"The Table Type Pattern (TS-017) of the switch", 200, "Pipeline", NULL, NULL},

	/* Packets. */
	{TN_POST, "/packet-out", O, tn_packet_out_post, NO_TENANTS, "sendPacket", "Sends a packet",
		204, NULL, "PacketOut", NULL},
	{TN_POST, "/trace", O, tn_trace_post, NO_TENANTS, "trace",
		"What would become of a packet; nothing is sent nor counted", 200, "TraceReply",
		"Trace", NULL},

	/* The whole, and many at once. */
	{TN_GET, "/config", A, tn_config_get, NO_TENANTS | TAGGED, "getConfig",
		"The configuration document", 200, "Config", NULL, NULL},
	{TN_PUT, "/config", A, tn_config_put, EDITS | NO_TENANTS, "putConfig",
		"Replaces the configuration with the smallest change; needs If-Match", 200,
		"ConfigDone", "Config", NULL},
	{TN_POST, "/transactions", O, tn_transactions_post, CHANGES, "transaction",
		"Many changes, all or none", 200, "TransactionDone", "Transaction", NULL},
	{TN_POST, "/transactions/{transactionId}/confirm", O, tn_transaction_confirm,
		TN_ROUTE_OPTIONAL_BODY, "confirmTransaction",
		"Keeps a transaction that was sent with confirmWithin", 204, NULL, NULL, NULL},
	{TN_POST, "/transactions/{transactionId}/cancel", O, tn_transaction_cancel,
		TN_ROUTE_OPTIONAL_BODY, "cancelTransaction", "Undoes such a transaction now", 204,
		NULL, NULL, NULL},

	/* News, and the daemon itself. */
	{TN_GET, "/watch", V, tn_watch_get, 0, "watch",
		"What there is and what changes, line by line, without end", 200, "WatchLine", NULL,
		"kinds table since initial"},
	{TN_GET, "/status", V, tn_status_get, 0, "getStatus", "How the daemon is", 200, "Status",
		NULL, NULL},
	{TN_GET, "/health", TN_ROLE_NONE, tn_health_get, 0, "getHealth",
		"Whether the daemon is there; needs no token", 200, "Health", NULL, NULL},
	{TN_GET, "/openapi.json", TN_ROLE_NONE, tn_openapi_get, 0, "getOpenapi", "This document",
		200, "Openapi", NULL, NULL},
};

const struct tn_area tn_switch_area = {
	.routes = routes,
	.n_routes = TN_ARRAY_SIZE(routes),
	.schemas = tn_switch_schemas,
	.parameters = tn_switch_parameters,
};
