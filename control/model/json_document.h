/* SPDX-License-Identifier: BSD-3-Clause */
/* The parts of the document that are not flows, groups and meters. As json_codec.h. */
#ifndef TN_MODEL_JSON_DOCUMENT_H
#define TN_MODEL_JSON_DOCUMENT_H

#include "control/model/document.h"
#include "control/model/json_codec.h"

/* Also enters the port's name into the codec's names. */
bool tn_json_read_port(struct tn_json_reader *r, tn_json_ref v, struct tn_model_port *port);
json_t *tn_json_write_port(const struct tn_model_port *port);

/* Also enters the table's name into the codec's names; it is of the codec's arena. */
bool tn_json_read_table(struct tn_json_reader *r, tn_json_ref v, struct tn_table_setting *table);
json_t *tn_json_write_table(const struct tn_table_setting *table);

/* The address of one host. */
bool tn_json_read_endpoint(struct tn_json_reader *r, tn_json_ref v, tn_u128 *out);
/* The MAC address of one. */
bool tn_json_read_station(struct tn_json_reader *r, tn_json_ref v, struct tn_mac *out);

/* Fills the underlay's arrays. */
bool tn_json_read_underlay(struct tn_json_reader *r, tn_json_ref v, struct tn_document *doc);
json_t *tn_json_write_underlay(const struct tn_document *doc);

#endif
