/* SPDX-License-Identifier: BSD-3-Clause */
/* Every command, and what they share. All return an exit code. */
#ifndef TN_TENONCTL_COMMANDS_H
#define TN_TENONCTL_COMMANDS_H

#include "tools/tenonctl/input.h"

int tn_ctl_flow_add(struct tn_ctl *ctl, const struct tn_ctl_words *words);
int tn_ctl_flow_mod(struct tn_ctl *ctl, const struct tn_ctl_words *words);
int tn_ctl_flow_del(struct tn_ctl *ctl, const struct tn_ctl_words *words);
int tn_ctl_flow_parse(struct tn_ctl *ctl, const struct tn_ctl_words *words);
int tn_ctl_flow_dump(struct tn_ctl *ctl, const struct tn_ctl_words *words);
int tn_ctl_flow_replace(struct tn_ctl *ctl, const struct tn_ctl_words *words);
int tn_ctl_flow_diff(struct tn_ctl *ctl, const struct tn_ctl_words *words);
int tn_ctl_bundle(struct tn_ctl *ctl, const struct tn_ctl_words *words);

int tn_ctl_group_add(struct tn_ctl *ctl, const struct tn_ctl_words *words);
int tn_ctl_group_mod(struct tn_ctl *ctl, const struct tn_ctl_words *words);
int tn_ctl_group_del(struct tn_ctl *ctl, const struct tn_ctl_words *words);
int tn_ctl_group_insert(struct tn_ctl *ctl, const struct tn_ctl_words *words);
int tn_ctl_group_remove(struct tn_ctl *ctl, const struct tn_ctl_words *words);
int tn_ctl_group_dump(struct tn_ctl *ctl, const struct tn_ctl_words *words);
int tn_ctl_group_parse(struct tn_ctl *ctl, const struct tn_ctl_words *words);

int tn_ctl_meter_add(struct tn_ctl *ctl, const struct tn_ctl_words *words);
int tn_ctl_meter_mod(struct tn_ctl *ctl, const struct tn_ctl_words *words);
int tn_ctl_meter_del(struct tn_ctl *ctl, const struct tn_ctl_words *words);
int tn_ctl_meter_dump(struct tn_ctl *ctl, const struct tn_ctl_words *words);
int tn_ctl_meter_parse(struct tn_ctl *ctl, const struct tn_ctl_words *words);

int tn_ctl_port_list(struct tn_ctl *ctl, const struct tn_ctl_words *words);
int tn_ctl_port_show(struct tn_ctl *ctl, const struct tn_ctl_words *words);
int tn_ctl_port_add(struct tn_ctl *ctl, const struct tn_ctl_words *words);
int tn_ctl_port_del(struct tn_ctl *ctl, const struct tn_ctl_words *words);
int tn_ctl_port_up(struct tn_ctl *ctl, const struct tn_ctl_words *words);
int tn_ctl_port_down(struct tn_ctl *ctl, const struct tn_ctl_words *words);

int tn_ctl_table_list(struct tn_ctl *ctl, const struct tn_ctl_words *words);
int tn_ctl_device_show(struct tn_ctl *ctl, const struct tn_ctl_words *words);
int tn_ctl_stats_ports(struct tn_ctl *ctl, const struct tn_ctl_words *words);
int tn_ctl_stats_tables(struct tn_ctl *ctl, const struct tn_ctl_words *words);
int tn_ctl_status(struct tn_ctl *ctl, const struct tn_ctl_words *words);

int tn_ctl_trace(struct tn_ctl *ctl, const struct tn_ctl_words *words);
int tn_ctl_packet_out(struct tn_ctl *ctl, const struct tn_ctl_words *words);
int tn_ctl_watch(struct tn_ctl *ctl, const struct tn_ctl_words *words);
int tn_ctl_top(struct tn_ctl *ctl, const struct tn_ctl_words *words);
int tn_ctl_config_get(struct tn_ctl *ctl, const struct tn_ctl_words *words);
int tn_ctl_config_put(struct tn_ctl *ctl, const struct tn_ctl_words *words);
int tn_ctl_confirm(struct tn_ctl *ctl, const struct tn_ctl_words *words);
int tn_ctl_cancel(struct tn_ctl *ctl, const struct tn_ctl_words *words);

/* --- shared ----------------------------------------------------------------------------------- */

/* Sends operations, which are taken over, as one transaction and tells what came of it. in: the
 * lines that they came from, one an operation, or none. */
int tn_ctl_apply(struct tn_ctl *ctl, json_t *operations, const struct tn_ctl_input *in);
/* What came of a change that was not refused: JSON, or the difference of a dry run. */
int tn_ctl_tell(struct tn_ctl *ctl, const json_t *answer);
/* The array `key` of a JSON document, each element as {"op":op, one:element}. */
int tn_ctl_read_document(const struct tn_ctl_input *in, const char *key, const char *one,
	const char *op, json_t *operations) TN_MUST_CHECK;

/* Indented, to standard output. 0. */
int tn_ctl_print_json(const json_t *value);
/* A line of a dry run: + what would be added, - removed. */
void tn_ctl_print_change(struct tn_ctl *ctl, const json_t *change);
/* A member as text of a table: strings as they are, numbers, true and false. */
const char *tn_ctl_text(const json_t *object, const char *key, char buf[32]);
uint64_t tn_ctl_number(const json_t *object, const char *key);

/* The number of a port by its name or number; 0: it was said that there is none. */
uint32_t tn_ctl_port_number(struct tn_ctl *ctl, const char *word);

#endif
