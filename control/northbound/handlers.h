/* SPDX-License-Identifier: BSD-3-Clause */
/* What the routes call, by the file they are in. Internal to the northbound. */
#ifndef TN_NORTHBOUND_HANDLERS_H
#define TN_NORTHBOUND_HANDLERS_H

#include "control/northbound/call.h"

/* flows.c */
void tn_flows_get(struct tn_call *c);
void tn_flows_get_pending(struct tn_call *c);
void tn_flows_get_table(struct tn_call *c);
void tn_flows_get_application(struct tn_call *c);
void tn_flows_post(struct tn_call *c);
void tn_flows_delete(struct tn_call *c);
void tn_flows_delete_application(struct tn_call *c);
void tn_flows_post_device(struct tn_call *c);
void tn_flows_put_device(struct tn_call *c);
void tn_flow_get(struct tn_call *c);
void tn_flow_put(struct tn_call *c);
void tn_flow_delete(struct tn_call *c);

/* groups.c */
void tn_groups_get(struct tn_call *c);
void tn_groups_post(struct tn_call *c);
void tn_group_get(struct tn_call *c);
void tn_group_put(struct tn_call *c);
void tn_group_delete(struct tn_call *c);
void tn_buckets_post(struct tn_call *c);
void tn_buckets_delete(struct tn_call *c);

/* meters.c */
void tn_meters_get(struct tn_call *c);
void tn_meters_get_scope(struct tn_call *c);
void tn_meters_post(struct tn_call *c);
void tn_meter_get(struct tn_call *c);
void tn_meter_put(struct tn_call *c);
void tn_meter_delete(struct tn_call *c);

/* ports.c */
void tn_ports_get(struct tn_call *c);
void tn_ports_post(struct tn_call *c);
void tn_port_get(struct tn_call *c);
void tn_port_put(struct tn_call *c);
void tn_port_patch(struct tn_call *c);
void tn_port_delete(struct tn_call *c);
void tn_device_post_portstate(struct tn_call *c);

/* devices.c */
void tn_devices_get(struct tn_call *c);
void tn_device_get(struct tn_call *c);
void tn_devices_get_ports(struct tn_call *c);
void tn_device_get_ports(struct tn_call *c);
void tn_device_delete(struct tn_call *c);

/* statistics.c */
void tn_statistics_get_ports(struct tn_call *c);
void tn_statistics_get_delta(struct tn_call *c);
void tn_statistics_get_tables(struct tn_call *c);
void tn_statistics_get_networks(struct tn_call *c);
void tn_stats_reset(struct tn_call *c);
void tn_statistics_get_active(struct tn_call *c);
void tn_statistics_get_link(struct tn_call *c);

/* hosts.c */
void tn_hosts_get(struct tn_call *c);
void tn_hosts_post(struct tn_call *c);
void tn_host_get(struct tn_call *c);
void tn_host_delete(struct tn_call *c);

/* tables.c */
void tn_tables_get(struct tn_call *c);
void tn_table_get(struct tn_call *c);
void tn_table_put(struct tn_call *c);

/* pipeline.c */
void tn_tables_get_features(struct tn_call *c);
void tn_table_get_features(struct tn_call *c);
void tn_pipeline_get(struct tn_call *c);

/* packets.c */
void tn_packet_out_post(struct tn_call *c);
void tn_trace_post(struct tn_call *c);

/* config.c */
void tn_config_get(struct tn_call *c);
void tn_config_put(struct tn_call *c);

/* transactions.c */
void tn_transactions_post(struct tn_call *c);
void tn_transaction_confirm(struct tn_call *c);
void tn_transaction_cancel(struct tn_call *c);

/* watch.c */
void tn_watch_get(struct tn_call *c);

/* status.c */
void tn_status_get(struct tn_call *c);
void tn_health_get(struct tn_call *c);

/* openapi.c */
void tn_openapi_get(struct tn_call *c);

/* tenant.c */
void tn_networking_list(struct tn_call *c);
void tn_networking_post(struct tn_call *c);
void tn_networking_get(struct tn_call *c);
void tn_networking_put(struct tn_call *c);
void tn_networking_patch(struct tn_call *c);
void tn_networking_delete(struct tn_call *c);

#endif
