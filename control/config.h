/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The configuration file of tenond: JSON, read as strictly as a document (line and column of every
 * error, all of them in one run, unknown keys refused). tenond(8) tells its keys.
 */
#ifndef TN_CONTROL_CONFIG_H
#define TN_CONTROL_CONFIG_H

#include "control/model/arena.h"
#include "control/model/diagnostics.h"
#include "control/northbound/server.h"

#define TN_CONFIG_BYTES_MAX  (1u << 20)
#define TN_CONFIG_TCP_MAX    64u
#define TN_CONFIG_TOKENS_MAX 4096u

#define TN_CONFIG_STATE	    "/var/lib/tenond"
#define TN_CONFIG_SOCKET    "/run/tenon/tenond.sock"
#define TN_CONFIG_DATAPLANE "/run/tenon/dataplane.sock"

/* What is not in the file has its default. Strings and arrays live in the arena. */
struct tn_config {
	struct tn_arena arena;
	struct tn_server_options server;
	const char *state_dir;	    /* folder of the store */
	const char *dataplane_path; /* the data plane's socket */
	bool refuse_when_away;	    /* "whenAway": "refuse" */
	const char *host;	    /* id of this host among the tenants' hosts; "": none */
	bool mirror_underlay;
};

void tn_config_init(struct tn_config *config);
void tn_config_fini(struct tn_config *config);

/*
 * The SHA-256 of the token in a file. false: why says what is wrong with the file and what to do.
 */
typedef bool (*tn_config_token_fn)(const char *path, uint8_t sha256[32], char *why, size_t size);

/*
 * Decodes text (not NUL-terminated) into an initialised config. 0, or -EINVAL with diagnostics in
 * the order of the text. Does no I/O but by read_token, for tokens that are named by a file.
 */
int tn_config_parse(struct tn_config *config, const char *text, size_t len,
	tn_config_token_fn read_token, struct tn_diagnostics *diag) TN_MUST_CHECK;

/*
 * The same for a file and those it names, errors said on standard error, one a line:
 * "FILE:LINE:COLUMN: /pointer: sentence". 0 or -1.
 */
int tn_config_load(struct tn_config *config, const char *path) TN_MUST_CHECK;

/* "ADDR:PORT", "[ADDR]:PORT": one more listener. -EINVAL with err. */
int tn_config_listen(
	struct tn_config *config, const char *where, struct tn_error *err) TN_MUST_CHECK;

#endif
