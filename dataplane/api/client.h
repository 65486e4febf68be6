/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A client of the data plane's socket that waits for its answers. One thread at a time.
 *
 * After an error of the connection (-EIO, -ETIMEDOUT) the client is of no more use: what was asked
 * for last may or may not have been done. A refusal (-EINVAL) leaves it as good as before.
 */
#ifndef TN_API_CLIENT_H
#define TN_API_CLIENT_H

#include "dataplane/api/codec.h"

struct tn_api_client;

/*
 * Connects and says hello. name: of the program, for the server's log. timeout_ms: how long the
 * other end may be silent, here and in every call. NULL with err.
 */
struct tn_api_client *tn_api_client_connect(
	const char *path, const char *name, int timeout_ms, struct tn_error *err);
/* The same on a connected stream socket, which is the client's from here on, also after an error.
 */
struct tn_api_client *tn_api_client_open(
	int fd, const char *name, int timeout_ms, struct tn_error *err);
void tn_api_client_free(struct tn_api_client *c);

/* What the server said of itself. */
const struct tn_api_hello_reply *tn_api_client_server(const struct tn_api_client *c);

/* Who gets the EVENTs that come while a call waits; NULL: nobody. */
typedef void (*tn_api_event_fn)(void *ctx, const struct tn_api_event *event);
void tn_api_client_set_event_fn(struct tn_api_client *c, tn_api_event_fn fn, void *ctx);

/*
 * A request that is answered by one message: RECEIPT, TRACE_REPLY. The answer is good until the
 * next call. A refusal, as RECEIPT or ERROR, is returned as -EINVAL with the server's error.
 */
int tn_api_client_request(struct tn_api_client *c, const struct tn_api_message *request,
	struct tn_api_message *answer, struct tn_error *err) TN_MUST_CHECK;

/*
 * As tn_switch_commit(), in as many parts as it takes. *version: from which on it is in force.
 * -EINVAL: *failed is the position of the mod that was refused, here or there.
 */
int tn_api_client_bundle(struct tn_api_client *c, const struct tn_mod *mods, size_t n,
	uint64_t *version, size_t *failed, struct tn_error *err) TN_MUST_CHECK;

/* fn gets each part, good for its call; 0: all of it came. */
typedef void (*tn_api_part_fn)(void *ctx, const struct tn_api_part *part);
int tn_api_client_dump(struct tn_api_client *c, const struct tn_api_dump *dump, tn_api_part_fn fn,
	void *ctx, struct tn_error *err) TN_MUST_CHECK;

#endif
