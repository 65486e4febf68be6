/* SPDX-License-Identifier: BSD-3-Clause */
/* The ADD of a flow while its request is under way. Immutable; of an arena. One thread. */
#ifndef TN_ENGINE_FLOW_ADD_H
#define TN_ENGINE_FLOW_ADD_H

#include "control/engine/wanted.h"
#include "dataplane/api/codec.h"

struct tn_flow_add {
	uint64_t id, dpid;	    /* the id is of a flow of that switch */
	uint32_t owner;		    /* 0: the request's */
	uint16_t flags;		    /* all that the request gave, enum tn_flow_flags */
	uint32_t packed, encoded;   /* bytes of either */
	struct tn_packed_flow flow; /* then the rest of it, and behind it the encoded mod */
};

/* scratch: emptied. NULL with err: there is no form for it. */
const struct tn_flow_add *tn_flow_add_new(uint64_t dpid, const struct tn_flow_mod *fm,
	struct tn_arena *arena, struct tn_api_buffer *scratch, struct tn_error *err);
/* What is to be wanted then, with a reference. */
struct tn_wanted *tn_flow_add_wanted(const struct tn_flow_add *add, uint64_t dpid);
struct tn_api_encoded tn_flow_add_encoded(const struct tn_flow_add *add);

#endif
