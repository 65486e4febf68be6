/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/core/action.h"

#include <string.h>

void tn_instructions_init(struct tn_instructions *inst)
{
	memset(inst, 0, sizeof(*inst));
	inst->goto_table = TN_GOTO_NONE;
}
