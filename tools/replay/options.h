/* SPDX-License-Identifier: BSD-3-Clause */
/* The command line of tenon-replay. */
#ifndef TN_REPLAY_OPTIONS_H
#define TN_REPLAY_OPTIONS_H

#include "dataplane/core/types.h"

/* How the program ends. */
enum tn_exit {
	TN_EXIT_OK = 0,
	TN_EXIT_DIFFERENT = 1,	   /* --diff: at least one packet fares differently */
	TN_EXIT_USAGE = 2,	   /* command line or configuration */
	TN_EXIT_CAPTURE = 3,	   /* an input cannot be read to its end */
	TN_EXIT_INTERNAL = 4,	   /* packets not accounted for: a bug of ours */
	TN_EXIT_OUTPUT = 5,	   /* an output cannot be written */
	TN_EXIT_INTERRUPTED = 128, /* plus the signal's number */
};

struct tn_options {
	const char *config;
	const char *diff;    /* NULL: one configuration */
	const char *host;    /* of tenants' networks; NULL: none */
	const char **inputs; /* "PORT=FILE" as given; strings of argv */
	size_t n_inputs;
	const char *out, *report, *trace; /* NULL: not wanted; "-": standard output */
	uint64_t loops;
	bool progress; /* also where standard error is no terminal */
	bool check;
};

/*
 * TN_EXIT_OK to go on; else *code is how to end, everything is said already (also after --help and
 * --version, which end in TN_EXIT_OK). o->inputs is freed by tn_options_fini().
 */
bool tn_options_parse(struct tn_options *o, int argc, char **argv, int *code);
void tn_options_fini(struct tn_options *o);

/* "tenon-replay: ..." on standard error. */
void tn_complain(const char *fmt, ...) TN_PRINTF(1, 2);

#endif
