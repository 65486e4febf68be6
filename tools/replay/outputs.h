/* SPDX-License-Identifier: BSD-3-Clause */
/* The captures that a run writes. */
#ifndef TN_REPLAY_OUTPUTS_H
#define TN_REPLAY_OUTPUTS_H

#include "tools/replay/engine.h"

/* Is the file that is to be written one of those that are read? If so it is said. */
bool tn_outputs_would_destroy(const char *path, const char *const *files, size_t n);

/*
 * Opens DIR/PORT.pcap for each port and DIR/controller.pcap; makes DIR where it is missing. A file
 * that is one of `inputs` is not touched. Bytes of a port's name that could lead out of DIR, or
 * hide the file, are written as %XX. -1: said why on standard error.
 */
int tn_outputs_open(struct tn_engine *e, const char *dir, const char *const *inputs,
	size_t n_inputs) TN_MUST_CHECK;

/* Flushes and closes. -1: said on standard error what could not be written. */
int tn_outputs_close(struct tn_engine *e) TN_MUST_CHECK;

#endif
