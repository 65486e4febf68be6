/* SPDX-License-Identifier: BSD-3-Clause */
/* The report of a run: everything that was counted, as JSON. */
#ifndef TN_REPLAY_REPORT_H
#define TN_REPLAY_REPORT_H

#include <stdio.h>

#include "tools/replay/diff.h"
#include "tools/replay/engine.h"

struct tn_report {
	struct tn_engine *engine;
	const struct tn_diff *diff; /* NULL: one configuration */
	uint64_t start_ns, late;
	uint64_t loops;
	bool complete; /* every input was read to its end */
};

/* Flows, groups and meters as the northbound prints them. False: cannot write. */
bool tn_report_print(FILE *f, const struct tn_report *report);

#endif
