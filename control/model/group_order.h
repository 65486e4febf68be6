/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The order of a document's groups. A document tells what there is, so its groups may stand in any
 * order; a bundle tells what to do, so a group that another one uses must come first.
 */
#ifndef TN_MODEL_GROUP_ORDER_H
#define TN_MODEL_GROUP_ORDER_H

#include "control/model/diagnostics.h"
#include "control/model/document.h"

/*
 * Puts the first n mods of doc, which are groups, with their places behind those that they use, and
 * changes nothing else of the document's order. False, with a diagnostic for each loop, when groups
 * lead back to themselves. Groups that are nowhere are left to the switch.
 */
bool tn_groups_order(struct tn_document *doc, size_t n, struct tn_diagnostics *diag) TN_MUST_CHECK;

#endif
