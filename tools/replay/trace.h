/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One JSON line a packet:
 *   {"number":N, "time":"S.NS", "port":NAME, "bytes":N, ["captured":N,]
 *    ["tunnel":{["port":NAME,]"vni":N,"local":A,"remote":A},]
 *    "path":[{"table":N,"flowId":ID,"priority":N} or {"table":N,"flowId":null}],
 *    ["groups":[{"groupId":N,"bucketId":N}],]
 *    "actions":[as in a treatment],
 *    "outputs":[{"port":NAME,"bytes":N,["captured":N,]
 *                ["tunnel":{"vni":N,"local":A,"remote":A},"uplink":NAME]}],
 *    "packetIns":[{"reason":NAME,"table":N,"flowId":ID,"cookie":C,"bytes":N,"captured":N}],
 *    "drops":[{"reason":NAME,["table":N,]["flowId":ID,]
 *              ["port":NAME or "portNumber":N]}],
 *    "verdict":"sent"|"consumed"|"dropped", "dropReason":NAME or null}
 * captured is there when it is less than bytes. dropReason: of the first drop.
 */
#ifndef TN_REPLAY_TRACE_H
#define TN_REPLAY_TRACE_H

#include <jansson.h>

#include "tools/replay/engine.h"

struct tn_trace_frame {
	uint64_t number, time_ns;
	uint32_t len, wire_len;
	const struct tn_replay_port *port;
};

/* Number, time, port and bytes. */
json_t *tn_trace_frame_to_json(const struct tn_trace_frame *frame);
/* All the rest, added to an object. */
void tn_trace_fate_to_json(const struct tn_engine *e, const struct tn_fate *fate, json_t *j);
/* One line. False: cannot write. */
bool tn_trace_print(FILE *f, json_t *line);

/* As the northbound prints them: a flow id as a signed number. */
json_t *tn_trace_flow_id(uint64_t flow_id);
json_t *tn_trace_cookie(uint64_t cookie);

#endif
