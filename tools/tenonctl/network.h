/* SPDX-License-Identifier: BSD-3-Clause */
/* Commands on tenants' networks that have files of their own. */
#ifndef TN_TENONCTL_NETWORK_H
#define TN_TENONCTL_NETWORK_H

#include "tools/tenonctl/ctl.h"

/* "/v1/networks?limit=..": the array `list` of the answer, as a new reference; NULL: it was said
 * why there is none. *code: how the command is to end. */
json_t *tn_ctl_get_list(struct tn_ctl *ctl, const char *path, const char *list, int *code);

/* vport show: the port, and what is to be typed at the other end. */
int tn_ctl_vport_show(struct tn_ctl *ctl, const struct tn_ctl_words *words);
int tn_ctl_topology(struct tn_ctl *ctl, const struct tn_ctl_words *words);
int tn_ctl_ping(struct tn_ctl *ctl, const struct tn_ctl_words *words);

/* Where objects of a noun are, and the key of their list; NULL: it is no noun of networks. */
const char *tn_ctl_network_path(const char *noun, const char **list);

#endif
