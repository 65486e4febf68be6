/* SPDX-License-Identifier: BSD-3-Clause */
/* A configuration file becomes a switch. */
#ifndef TN_REPLAY_APPLY_H
#define TN_REPLAY_APPLY_H

#include "control/tenant/document.h"
#include "dataplane/pipeline/switch.h"

struct tn_config {
	const char *path;
	struct tn_document doc;
	struct tn_tenant_document *tenants; /* NULL: it has none */
	struct tn_switch *sw;		    /* NULL until it is applied */
};

/*
 * Reads and decodes. -1: every error was said on standard error, a line each:
 * file:line:column: pointer: NAME: sentence. c is to be given to tn_config_fini() in any case.
 * host: which one of the tenants' networks this is; NULL: none.
 */
int tn_config_load(struct tn_config *c, const char *path, const char *host) TN_MUST_CHECK;

/* Makes the switch, its flows created at now_ns. -1 as above. */
int tn_config_apply(struct tn_config *c, uint64_t now_ns) TN_MUST_CHECK;

void tn_config_fini(struct tn_config *c);

/* The port of this name or, where no port is called so, number. NULL: none. */
const struct tn_model_port *tn_config_port(const struct tn_config *c, const char *text, size_t len);

#endif
