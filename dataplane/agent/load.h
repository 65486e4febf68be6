/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The configuration document of --load: ports, tables, groups, meters, flows, underlay, and
 * tenants' networks as one of their hosts has them.
 */
#ifndef TN_AGENT_LOAD_H
#define TN_AGENT_LOAD_H

#include "control/tenant/document.h"
#include "dataplane/agent/agent.h"
#include "dataplane/agent/change.h"

/*
 * Reads and decodes. -1: every error was said on standard error, a line each:
 * file:line:column: pointer: NAME: sentence. doc is to be given to tn_document_fini() in any case.
 * host: which one of the tenants' networks this is, NULL: none; what *tenants gets is freed after
 * doc was applied.
 */
int tn_load_read(const char *path, const char *host, struct tn_document *doc,
	struct tn_tenant_document **tenants) TN_MUST_CHECK;

/* Does a port want a device of the PCI bus? */
bool tn_load_wants_pci(const struct tn_document *doc);
/* Is a port in another network namespace? */
bool tn_load_wants_namespaces(const struct tn_document *doc);

/*
 * Makes the switch of the agent what the document says, by changes that are kept all together. -1
 * as above; then none of it is kept. Forgets the mods.
 */
int tn_load_apply(struct tn_agent *agent, struct tn_changes *changes, const char *path,
	struct tn_document *doc) TN_MUST_CHECK;

#endif
