/* SPDX-License-Identifier: BSD-3-Clause */
/* Ports in bodies. Internal to the northbound. */
#ifndef TN_NORTHBOUND_PORT_H
#define TN_NORTHBOUND_PORT_H

#include "control/model/json_reader.h"
#include "control/northbound/call.h"
#include "dataplane/api/messages.h"

/* As readers of the model do; the port is of the codec's arena. pointer: where v stands. */
bool tn_port_read(
	struct tn_json_reader *r, tn_json_ref v, const char *pointer, struct tn_api_port *port);
/* The operation that adds one; what is returned is to be filled. Of the call's arena. */
struct tn_api_port *tn_port_operation(struct tn_call *c, const char *pointer);
/* isEnabled and config, where v (an object) has them; one it must have. */
bool tn_port_read_settings(
	struct tn_json_reader *r, tn_json_ref v, struct tn_api_port_configure *settings);

#endif
