/* SPDX-License-Identifier: BSD-3-Clause */
/* Bodies of requests, read with all of their errors. Internal to the northbound. */
#ifndef TN_NORTHBOUND_BODY_H
#define TN_NORTHBOUND_BODY_H

#include "control/model/json_codec.h"
#include "control/northbound/call.h"

/* A body, while it is read. */
struct tn_body {
	struct tn_codec codec;
	struct tn_json_tape tape;
	struct tn_json_reader reader;
};

/* The whole body as one value, tape.v. False: it was answered. Always to be ended. */
bool tn_body_read(struct tn_call *c, struct tn_body *b);
/* Ends it; false if anything was wrong with it, which is answered. */
bool tn_body_end(struct tn_call *c, struct tn_body *b, bool ok);

/* An element, with its place ("/flows/3", of the call's arena). */
typedef bool (*tn_body_element_fn)(
	struct tn_call *c, struct tn_json_reader *r, tn_json_ref v, const char *pointer);
/* Another member. */
typedef bool (*tn_body_member_fn)(
	struct tn_call *c, struct tn_json_reader *r, struct tn_json_string key, tn_json_ref v);
/*
 * {"<key>":[..]}, element by element, so that memory follows what is made of them. member NULL:
 * other members are errors. False: it was answered.
 */
bool tn_body_array(
	struct tn_call *c, const char *key, tn_body_element_fn element, tn_body_member_fn member);

/* Words of a path. Each answers (400, 404) and returns false for what is none. */
bool tn_param_flow(struct tn_call *c, const char *s, uint64_t *id); /* signed, or 0x.. */
bool tn_param_table(struct tn_call *c, const char *s, uint8_t *table);
/* A number or a declared name. */
bool tn_param_port(struct tn_call *c, const char *s, uint32_t *port);
bool tn_param_number(
	struct tn_call *c, const char *what, const char *s, uint64_t max, uint64_t *out);
/* Decimal or 0x; false without an answer. */
bool tn_scan_u64(const char *s, uint64_t *out);

/* ?appId= becomes the owner of what the call makes. */
/*
 * The ADD of a flow that was read at v as an operation. mark: of the call's arena, before what it
 * points to was read, which is not kept. NULL: it is refused.
 */
const struct tn_flow_add *tn_call_add_flow(struct tn_call *c, struct tn_json_reader *r,
	tn_json_ref v, struct tn_arena_mark mark, const struct tn_flow_mod *fm,
	const char *pointer);
bool tn_call_read_app(struct tn_call *c);

#endif
