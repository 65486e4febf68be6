/* SPDX-License-Identifier: BSD-3-Clause */
/* Answers: JSON, streams, and errors as application/problem+json. Internal to the northbound. */
#ifndef TN_NORTHBOUND_ANSWER_H
#define TN_NORTHBOUND_ANSWER_H

#include "control/northbound/call.h"

#define TN_TYPE_JSON	"application/json"
#define TN_TYPE_PROBLEM "application/problem+json"
#define TN_TYPE_NDJSON	"application/x-ndjson"
#define TN_TYPE_SSE	"text/event-stream"

/* Takes the reference over. */
void tn_answer_json(struct tn_call *c, unsigned status, json_t *j);
/* What stands in c->text. */
void tn_answer_text(struct tn_call *c, unsigned status, const char *type);
void tn_answer_empty(struct tn_call *c, unsigned status);
/* What stands in c->text, and then what produce adds. */
void tn_answer_stream(struct tn_call *c, unsigned status, const char *type,
	enum tn_produced (*produce)(struct tn_call *c, struct tn_text *out));

/* An error that is no matter of OpenFlow. */
void tn_answer_error(struct tn_call *c, unsigned status, const char *fmt, ...) TN_PRINTF(3, 4);
/* One that is; status 0: the one of the error. */
void tn_answer_of_error(struct tn_call *c, unsigned status, enum tn_of_error of, const char *fmt,
	...) TN_PRINTF(4, 5);
#define TN_NO_INDEX SIZE_MAX
/*
 * All that is wrong with a request. status 0: that of the first error, 400 where it is a matter of
 * shape. failed: the operation at fault, or TN_NO_INDEX.
 */
void tn_answer_diagnostics(
	struct tn_call *c, const struct tn_diagnostics *d, unsigned status, size_t failed);
/* An outcome that is neither DONE nor ACCEPTED. */
void tn_answer_outcome(struct tn_call *c, const struct tn_outcome *o);

/* status, or 202 for what the data plane has later; ONOS has no such status. */
unsigned tn_answer_status(const struct tn_call *c, const struct tn_outcome *o, unsigned status);
/* A change that has nothing to tell, as a tn_call_submit()'s finish. */
void tn_answer_done(struct tn_call *c, const struct tn_outcome *o);

/*
 * Where the first of the outcome's objects is, and its ETag. True: that is all, as ONOS has it, and
 * was answered. plural: "flows", ...
 */
bool tn_answer_location(struct tn_call *c, const struct tn_outcome *o, const char *plural);

/* "Not Found". */
const char *tn_status_phrase(unsigned status);

#endif
