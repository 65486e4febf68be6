/* SPDX-License-Identifier: BSD-3-Clause */
/* Objects of the engine as JSON. Internal to the northbound. */
#ifndef TN_NORTHBOUND_OBJECT_H
#define TN_NORTHBOUND_OBJECT_H

#include "control/model/document.h"
#include "control/northbound/call.h"

enum tn_object_form {
	TN_OBJECT_PLAIN,  /* what a client wants of it: may be sent back, stands in a document */
	TN_OBJECT_STATED, /* and its state, without counters */
	TN_OBJECT_WHOLE,  /* and its counters */
};

/* "flow" */
const char *tn_kind_name(enum tn_kind kind);
/* "ADDED" */
const char *tn_state_name(enum tn_object_state state);

/* codec->with_stats is set here. The engine is the one that the object is of. */
void tn_object_print(struct tn_text *out, struct tn_codec *codec, const struct tn_engine *e,
	const struct tn_object *o, enum tn_object_form form);
json_t *tn_object_json(struct tn_codec *codec, const struct tn_engine *e, const struct tn_object *o,
	enum tn_object_form form);
/* Its id as it stands in paths and pages: a flow's is signed, a tenant's a string. */
void tn_object_id(const struct tn_object *o, char *buf, size_t size);

/*
 * Ports between the model, whose options are JSON, and the data plane. False: an option is neither
 * a string, an integer nor a boolean (said to the diagnostics at `pointer`).
 */
bool tn_port_from_model(const struct tn_model_port *model, struct tn_arena *arena,
	struct tn_diagnostics *diag, const char *pointer, struct tn_api_port *port);
json_t *tn_port_json(const struct tn_api_port *port);

#endif
