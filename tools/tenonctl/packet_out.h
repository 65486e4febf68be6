/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TN_TENONCTL_PACKET_OUT_H
#define TN_TENONCTL_PACKET_OUT_H

#include "tools/tenonctl/input.h"

/* "in_port=P,packet=HEX,actions=...", which ends with NUL, as the northbound takes it; NULL: it was
 * said what is wrong. */
json_t *tn_ctl_packet_out_json(struct tn_ctl *ctl, const struct tn_ctl_line *line);

#endif
