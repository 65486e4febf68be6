/* SPDX-License-Identifier: BSD-3-Clause */
/* The options of tenonctl, which may stand anywhere on its command line. */
#ifndef TN_TENONCTL_OPTIONS_H
#define TN_TENONCTL_OPTIONS_H

#include "tools/tenonctl/ctl.h"

extern const char tn_ctl_usage_text[], tn_ctl_help_text[];

enum { TN_CTL_GO_ON = -1, TN_CTL_HELP = -2 };

/*
 * *first: of argv, the first word that is no option; options are moved before it. GO_ON, HELP, or
 * the exit code to end with.
 */
int tn_ctl_options_parse(struct tn_ctl_options *o, int argc, char **argv, int *first) TN_MUST_CHECK;

#endif
