/* SPDX-License-Identifier: BSD-3-Clause */
/* Requests to the daemon, one at a time, over its Unix socket or TCP. */
#ifndef TN_TENONCTL_HTTP_H
#define TN_TENONCTL_HTTP_H

#include "dataplane/core/types.h"

#define TN_CTL_SOCKET "/run/tenon/tenond.sock"

struct tn_ctl_http;

struct tn_ctl_http_options {
	const char *socket;	/* path; used unless `server` is given */
	const char *server;	/* "https://host:port" */
	const char *token_file; /* its first line is the bearer token */
	const char *ca, *certificate, *key;
	unsigned timeout_s; /* that the daemon may be silent */
};

/* NULL: it was said why. */
struct tn_ctl_http *tn_ctl_http_new(const struct tn_ctl_http_options *options);
void tn_ctl_http_free(struct tn_ctl_http *http);

struct tn_ctl_answer {
	long status;
	char *body; /* ends with NUL */
	size_t len;
	char *etag; /* NULL: none */
};

void tn_ctl_answer_fini(struct tn_ctl_answer *answer);

/* The requests that follow are for the object with this ETag alone; "*": for any that is there. */
void tn_ctl_http_if_match(struct tn_ctl_http *http, const char *etag);

/* body NULL: none. 0 with an answer of any status, or -1: no answer, and it was said why. */
int tn_ctl_http_request(struct tn_ctl_http *http, const char *method, const char *path,
	const char *body, size_t len, struct tn_ctl_answer *answer) TN_MUST_CHECK;

/* While lines are awaited it is called about once a second; false: enough. */
typedef bool (*tn_ctl_tick_fn)(void *ctx);
void tn_ctl_http_tick(struct tn_ctl_http *http, tn_ctl_tick_fn fn, void *ctx);

/* false: enough. Other requests may be made from within, with another struct tn_ctl_http. */
typedef bool (*tn_ctl_line_fn)(void *ctx, const char *line, size_t len);
/*
 * GET of an answer that comes line by line and may never end. 0: the daemon or fn ended it.
 * -1 as above. A status that is not 200 is answered whole.
 */
int tn_ctl_http_lines(struct tn_ctl_http *http, const char *path, tn_ctl_line_fn fn, void *ctx,
	struct tn_ctl_answer *answer) TN_MUST_CHECK;

#endif
