/* SPDX-License-Identifier: BSD-3-Clause */
/* The options of tenonctl, which may stand anywhere on its command line. One list makes the parser,
 * the help and the completion. */
#ifndef TN_TENONCTL_OPTIONS_H
#define TN_TENONCTL_OPTIONS_H

#include "tools/tenonctl/ctl.h"

enum tn_ctl_option_id {
	TN_CTL_JSON,
	TN_CTL_NO_NAMES,
	TN_CTL_COLOR,
	TN_CTL_SOCKET_PATH,
	TN_CTL_SERVER,
	TN_CTL_TOKEN_FILE,
	TN_CTL_CA,
	TN_CTL_CERT,
	TN_CTL_KEY,
	TN_CTL_TIMEOUT,
	TN_CTL_HELP_OPTION,
	TN_CTL_VERSION,
	/* From here on those that only some commands have. */
	TN_CTL_FILE,
	TN_CTL_STRICT,
	TN_CTL_APP,
	TN_CTL_DRY_RUN,
	TN_CTL_CONFIRM_WITHIN,
	TN_CTL_NO_WAIT,
	TN_CTL_NO_STATS,
	TN_CTL_KINDS,
	TN_CTL_SINCE,
	TN_CTL_NO_INITIAL,
	TN_CTL_COUNT,
	TN_CTL_INTERVAL,
	TN_CTL_PACKET,
	TN_CTL_N_OPTIONS,
};

/* Of a command's set of options. */
#define TN_CTL_O(id) (UINT64_C(1) << (id))
/* How a change is made. */
#define TN_CTL_O_CHANGE \
	(TN_CTL_O(TN_CTL_DRY_RUN) | TN_CTL_O(TN_CTL_CONFIRM_WITHIN) | TN_CTL_O(TN_CTL_NO_WAIT))

struct tn_ctl_option {
	const char *name;     /* without -- */
	const char *argument; /* NULL: takes none */
	const char *help;
	char letter; /* 0: none */
};

extern const struct tn_ctl_option tn_ctl_option_list[TN_CTL_N_OPTIONS];

bool tn_ctl_option_is_general(enum tn_ctl_option_id id);
/* Lines of help for a set of options, to standard output. */
void tn_ctl_options_print(uint64_t set);

enum { TN_CTL_GO_ON = -1, TN_CTL_HELP = -2 };

/*
 * *first: of argv, the first word that is no option; options are moved before it. *seen: the set of
 * those that were given. GO_ON, HELP, or the exit code to end with.
 */
int tn_ctl_options_parse(
	struct tn_ctl_options *o, int argc, char **argv, int *first, uint64_t *seen) TN_MUST_CHECK;

#endif
