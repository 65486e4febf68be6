/* SPDX-License-Identifier: BSD-3-Clause */
/* What every command of tenonctl works with. One thread, one command, then the process ends. */
#ifndef TN_TENONCTL_CTL_H
#define TN_TENONCTL_CTL_H

#include <jansson.h>

#include "control/model/operation.h"
#include "tools/tenonctl/http.h"

enum tn_ctl_exit {
	TN_CTL_OK = 0,
	TN_CTL_REFUSED = 1,	/* the daemon said no, or what was named is not there */
	TN_CTL_DIFFER = 2,	/* flow diff: the two are not the same */
	TN_CTL_USAGE = 3,	/* command line or text is wrong; nothing was sent */
	TN_CTL_UNREACHABLE = 4, /* no daemon, or it went away */
};

#define TN_CTL_APP_DEFAULT "tenonctl"

struct tn_ctl_options {
	struct tn_ctl_http_options http;
	const char *app;  /* owner of what is added; NULL: tenonctl */
	const char *file; /* -f */
	bool json, color, names, stats, strict, dry_run, no_wait, no_initial;
	unsigned confirm_within_s; /* 0: at once for good */
	unsigned count;		   /* top, watch: stop after so many; 0: never */
	unsigned interval_ms;	   /* top */
	unsigned packet;	   /* trace: of the capture, from 1 */
	const char *kinds, *since; /* watch */
};

struct tn_ctl_input;

struct tn_ctl {
	struct tn_ctl_options options;
	struct tn_ctl_http *http;
	/* of the device; filled by tn_ctl_learn_device() */
	uint64_t dpid;
	bool nameless; /* ports and tables have numbers alone */
	struct tn_names *names;
	/* what decoded text points into, and what is wrong with it */
	struct tn_arena arena;
	struct tn_diagnostics diag;
	/* what the operations of the request under way came from: refusals are told of it */
	const struct tn_ctl_input *asked;
	bool accepted; /* the last change waits for the data plane, which is away */
};

/* A command line's words after noun and verb. */
struct tn_ctl_words {
	char **word;
	int n;
};

typedef int (*tn_ctl_fn)(struct tn_ctl *ctl, const struct tn_ctl_words *words);

/* Owner of what is added. */
const char *tn_ctl_app(const struct tn_ctl *ctl);
/* The codec for JSON of the device. */
struct tn_codec tn_ctl_codec(struct tn_ctl *ctl);
/* The reader for text, with the line it stands in. */
struct tn_ofctl;
void tn_ctl_reader(struct tn_ctl *ctl, uint32_t line, struct tn_ofctl *o);

/* For text without a daemon: device 1, ports and tables by number alone. */
void tn_ctl_without_device(struct tn_ctl *ctl);
/*
 * Who the device is and how its ports and tables are called, once. TN_CTL_OK, or it was said why
 * not.
 */
int tn_ctl_learn_device(struct tn_ctl *ctl) TN_MUST_CHECK;

/*
 * Asks and parses the answer. 0: *answer is a new reference (NULL where there was no body);
 * otherwise the exit code, and it was said why.
 */
int tn_ctl_get(struct tn_ctl *ctl, const char *path, json_t **answer) TN_MUST_CHECK;
int tn_ctl_send(struct tn_ctl *ctl, const char *method, const char *path, const json_t *body,
	json_t **answer) TN_MUST_CHECK;
/* body NULL: none */
int tn_ctl_send_text(struct tn_ctl *ctl, const char *method, const char *path, const char *body,
	json_t **answer) TN_MUST_CHECK;
/* The same with the text of the answer, which the caller frees. */
int tn_ctl_get_text(
	struct tn_ctl *ctl, const char *path, struct tn_ctl_answer *answer) TN_MUST_CHECK;

/* 0: the answer is no refusal; otherwise the exit code, and it was said why. */
int tn_ctl_judge(struct tn_ctl *ctl, const struct tn_ctl_answer *answer) TN_MUST_CHECK;

/* The same for an answer's JSON, as tn_ctl_get(). What asked for it is named where it is none. */
int tn_ctl_take(struct tn_ctl *ctl, const char *method, const char *path,
	const struct tn_ctl_answer *a, json_t **answer) TN_MUST_CHECK;

/* A path, which is taken over, with what the options say of how a change is made: dryRun and so on.
 */
char *tn_ctl_manner(const struct tn_ctl *ctl, char *path);
/* A path, which is taken over, with ?key=value or &key=value, escaped. */
char *tn_ctl_query(char *path, const char *key, const char *value);

/* The caller frees it. */
char *tn_ctl_path(const char *fmt, ...) TN_PRINTF(1, 2);
/* Escaped for a query; the caller frees it. */
char *tn_ctl_escape(const char *text);

#endif
