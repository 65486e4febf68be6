/* SPDX-License-Identifier: BSD-3-Clause */
/* Routing between the networks of a router. */
#include "control/tenant/state.h"

void tn_emit_learn(struct tn_emit *e)
{
	(void)e;
}

void tn_unit_router(struct tn_emit *e, struct tn_rtr *router)
{
	(void)e;
	(void)router;
}
