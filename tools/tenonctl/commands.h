/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The commands: tables from which parser, help and completion are made. A new noun or verb is an
 * entry of the table in the file that implements it; a new table is a line in commands.c. The
 * manual page is compared with them by tests/functional/test_tenonctl_docs.py.
 */
#ifndef TN_TENONCTL_COMMANDS_H
#define TN_TENONCTL_COMMANDS_H

#include "tools/tenonctl/options.h"

/* What a command's words are, for completion. */
enum tn_ctl_word {
	TN_CTL_WORD_NONE,
	TN_CTL_WORD_FLOW, /* with actions */
	TN_CTL_WORD_MATCH,
	TN_CTL_WORD_PACKET_OUT,
	TN_CTL_WORD_FILE,
	TN_CTL_WORD_GROUP, /* ids */
	TN_CTL_WORD_METER,
	TN_CTL_WORD_GROUP_CHOICE, /* group_id=ID */
	TN_CTL_WORD_METER_CHOICE,
	TN_CTL_WORD_PORT,
	TN_CTL_WORD_PORT_SETTING, /* a port, then up, down, ... */
	TN_CTL_WORD_NEW_PORT,
	TN_CTL_WORD_TABLE,
	TN_CTL_WORD_TABLE_SETTING,
	TN_CTL_WORD_OBJECT, /* the noun's, by id, then members */
};

struct tn_ctl_command {
	const char *noun, *verb; /* verb NULL: the noun alone */
	const char *arguments;	 /* "": none */
	const char *help;	 /* a line */
	const char *more;	 /* lines of further help; NULL */
	const char *examples;	 /* lines, each a command line */
	tn_ctl_fn fn;		 /* NULL: the end of a table */
	uint64_t options;	 /* beside the general ones */
	int min, max;		 /* words; max -1: any number */
	enum tn_ctl_word words;
	bool standard; /* meant by the noun alone */
};

extern const struct tn_ctl_command tn_ctl_flow_commands[];
extern const struct tn_ctl_command tn_ctl_group_commands[];
extern const struct tn_ctl_command tn_ctl_port_commands[];
extern const struct tn_ctl_command tn_ctl_network_commands[];
extern const struct tn_ctl_command tn_ctl_device_commands[];
extern const struct tn_ctl_command tn_ctl_look_commands[];
extern const struct tn_ctl_command tn_ctl_whole_commands[];

/* All of them: starts with NULL, ends with NULL. *title: what the table is about, where a table
 * begins; otherwise NULL. title may be NULL. */
const struct tn_ctl_command *tn_ctl_command_next(
	const struct tn_ctl_command *after, const char **title);

/* verb NULL or not one of the noun's: the standard one, or the noun that has none. NULL: none. */
const struct tn_ctl_command *tn_ctl_command_find(const char *noun, const char *verb);
bool tn_ctl_is_noun(const char *word);
/* The word that was meant; NULL: none is near. noun NULL: among nouns. */
const char *tn_ctl_command_nearest(const char *word, const char *noun);

/* --- help and completion ---------------------------------------------------------------------- */

/* Of everything, a noun or a command, as the words say. An exit code. */
int tn_ctl_help(int argc, char **argv);
/* That there is no such command, and what there is near. */
void tn_ctl_say_unknown(const char *noun, const char *verb);
/* What the last of the words may become, a line each; ":file" asks for names of files. */
int tn_ctl_complete(struct tn_ctl *ctl, int argc, char **argv);

#endif
