/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tenants' networks of a configuration document, for those who have no tenond: a replay, a data
 * plane that loads a document. They become ports, groups, meters and flows of the document, as they
 * would on that host. Aborts when the machine has no memory left. One thread.
 */
#ifndef TN_TENANT_DOCUMENT_H
#define TN_TENANT_DOCUMENT_H

#include "control/model/document.h"

struct tn_tenant_document;

/*
 * Adds them to doc; *made owns what they point to, and goes after the mods were taken. host: the id
 * of this one; NULL: tenants' objects are refused. *made is NULL where the document has none.
 * -EINVAL with diagnostics: what contradicts itself, flows of the document that the pipeline
 * refuses, ports that have its numbers or names. Bare metal is bound to the document's own ports,
 * by name.
 */
int tn_tenant_document_compile(struct tn_document *doc, const char *host,
	struct tn_tenant_document **made, struct tn_diagnostics *diag) TN_MUST_CHECK;
void tn_tenant_document_free(struct tn_tenant_document *made);

#endif
