/* SPDX-License-Identifier: BSD-3-Clause */
/* The command line of tenond. */
#ifndef TN_CONTROL_OPTIONS_H
#define TN_CONTROL_OPTIONS_H

#include "control/config.h"

#define TN_OPTIONS_LISTEN_MAX 16u

/* NULL: the configuration file's, or the default. Borrowed from argv. */
struct tn_options {
	const char *config;
	const char *state_dir, *socket, *dataplane;
	const char *listen[TN_OPTIONS_LISTEN_MAX];
	unsigned n_listen;
	bool check; /* say whether the configuration is good, and end */
};

enum tn_exit {
	TN_EXIT_OK = 0,
	TN_EXIT_FAILURE = 1,
	TN_EXIT_USAGE = 2,  /* command line or configuration */
	TN_EXIT_LOCKED = 3, /* another process has the state folder */
};

/* 0: run; 1: --help or --version was answered; -1: bad usage, said on standard error. */
int tn_options_parse(struct tn_options *o, int argc, char **argv) TN_MUST_CHECK;

/*
 * The configuration: defaults, the file, then what the command line says. Errors are said. 0 or -1;
 * config is always to be given to tn_config_fini().
 */
int tn_options_configure(const struct tn_options *o, struct tn_config *config) TN_MUST_CHECK;

/* "tenond: ..." and a newline on standard error. */
void tn_say(const char *fmt, ...) TN_PRINTF(1, 2);

#endif
