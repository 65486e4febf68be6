/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Packet-ins and events for the report: every one is counted, the first ones are kept whole.
 * Memory does not grow with the number of packets.
 */
#ifndef TN_REPLAY_NOTES_H
#define TN_REPLAY_NOTES_H

#include <jansson.h>

#include "control/model/flow_json.h"
#include "dataplane/core/program.h"
#include "dataplane/pipeline/switch.h"

#define TN_NOTES_MAX	  1000u /* kept whole, of each kind */
#define TN_NOTES_ROWS_MAX 10000u

struct tn_packet_in {
	uint64_t packet, time_ns; /* the frame that it comes from */
	uint64_t cookie, flow_id, metadata, tunnel_id;
	uint32_t in_port;
	uint32_t len, total_len;
	uint8_t reason, table;
};

struct tn_packet_in_row {
	uint64_t cookie;
	uint8_t reason, table;
	uint64_t packets;
};

struct tn_notes {
	struct tn_packet_in *packet_ins;
	size_t n_packet_ins, room_packet_ins;
	uint64_t all_packet_ins;
	struct tn_packet_in_row *rows; /* TN_NOTES_ROWS_MAX */
	size_t n_rows;
	uint32_t *slots; /* by hash, open addressing: row + 1, 0: free */
	json_t *events;	 /* array */
	uint64_t all_events;
	uint64_t removed[TN_REMOVED_EVICTION + 1];
	uint64_t port_changes, vacancies;
};

void tn_notes_init(struct tn_notes *n);
void tn_notes_fini(struct tn_notes *n);
void tn_notes_packet_in(struct tn_notes *n, const struct tn_packet_in *p);
/* codec: for the flow of a flow-removed event. */
void tn_notes_event(struct tn_notes *n, const struct tn_codec *codec, const struct tn_event *event);
/* Sorts the rows of packet-ins by reason, table, cookie. No packet-in may come after it. */
void tn_notes_sort(struct tn_notes *n);

const char *tn_packet_in_reason_name(uint8_t reason); /* "NO_MATCH" */
const char *tn_removed_reason_name(uint8_t reason);   /* "IDLE_TIMEOUT" */

#endif
