/* SPDX-License-Identifier: BSD-3-Clause */
/* Drop reasons, generated from drops.def. BPF-safe. */
#ifndef TN_CORE_DROP_H
#define TN_CORE_DROP_H

enum tn_drop {
	TN_DROP_NONE = 0,
#define TN_DROP(name, json, text) TN_DROP_##name,
#include "dataplane/core/drops.def"
#undef TN_DROP
	TN_DROP_COUNT
};

/* "ttl_expired"; the spelling of JSON, counters and the CLI. "none" for TN_DROP_NONE. */
const char *tn_drop_name(enum tn_drop d);
/* One sentence for people. */
const char *tn_drop_text(enum tn_drop d);

#endif
