/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/core/mods.h"

#include <string.h>

void tn_flow_mod_init(struct tn_flow_mod *fm)
{
	memset(fm, 0, sizeof(*fm));
	fm->command = TN_FLOW_ADD;
	fm->priority = TN_PRIORITY_DEFAULT;
	fm->out_port = TN_PORT_ANY;
	fm->out_group = TN_GROUP_ANY;
	tn_match_init(&fm->match);
	tn_instructions_init(&fm->inst);
}
