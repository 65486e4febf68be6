/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/core/drop.h"

struct drop_text {
	const char *name, *text;
};

static const struct drop_text drops[TN_DROP_COUNT] = {
	[TN_DROP_NONE] = {"none", "not dropped"},
#define TN_DROP(name, json, text) [TN_DROP_##name] = {json, text},
#include "dataplane/core/drops.def"
#undef TN_DROP
};

static const struct drop_text *drop_text(enum tn_drop d)
{
	static const struct drop_text unknown = {"unknown", "unknown drop reason"};

	return (unsigned)d < TN_DROP_COUNT ? &drops[d] : &unknown;
}

const char *tn_drop_name(enum tn_drop d)
{
	return drop_text(d)->name;
}

const char *tn_drop_text(enum tn_drop d)
{
	return drop_text(d)->text;
}
