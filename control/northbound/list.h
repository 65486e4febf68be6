/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Collections: all of a kind, streamed, or a page of them; and the filters of flows. Internal to
 * the northbound.
 */
#ifndef TN_NORTHBOUND_LIST_H
#define TN_NORTHBOUND_LIST_H

#include "control/northbound/object.h"

#define TN_LIST_LIMIT_MAX 10000u

/* NULL: all of them. */
typedef bool (*tn_keep_fn)(const struct tn_object *o, const void *ctx);

/* A flow's filters; what is not asked for is its default. */
struct tn_filter {
	int table; /* -1: any */
	const char *app;
	uint64_t cookie, cookie_mask;
	uint32_t out_port, out_group; /* TN_PORT_ANY, TN_GROUP_ANY */
	bool has_match;
	struct tn_match match; /* kept: this or more specific */
	bool pending;	       /* alone those that are not settled */
	const struct tn_names *names;
};

/* From the query; the arena's. NULL: it was answered. */
struct tn_filter *tn_filter_read(struct tn_call *c);
/* A tn_keep_fn. */
bool tn_filter_keeps(const struct tn_object *o, const void *filter);

/* Answers {"<key>":[..]}; ctx must live as long as the call. */
void tn_list_answer(
	struct tn_call *c, enum tn_kind kind, const char *key, tn_keep_fn keep, const void *ctx);
/* The same, of the owner that ?appId= names, or of all. */
void tn_list_answer_owned(struct tn_call *c, enum tn_kind kind, const char *key);
/*
 * Answers one object: bare under /v1, {"<key>":[..]} under /onos/v1 where `wrap` says so. missing:
 * the sentence of a 404; NULL: an empty array.
 */
void tn_object_answer(struct tn_call *c, enum tn_kind kind, uint64_t id, const char *key, bool wrap,
	const char *missing);

/* Of the collection as a whole, never 0. */
uint64_t tn_list_generation(struct tn_call *c, enum tn_kind kind);
/* 0: it is not there, for this client. */
uint64_t tn_object_generation(struct tn_call *c, enum tn_kind kind, uint64_t id);

#endif
