/* SPDX-License-Identifier: BSD-3-Clause */
/* What tenonctl says: complaints to standard error, tables and colours to standard output. */
#ifndef TN_TENONCTL_SAY_H
#define TN_TENONCTL_SAY_H

#include <jansson.h>
#include <stdio.h>

#include "control/model/diagnostics.h"

/* "tenonctl: ..." and a newline on standard error. */
void tn_ctl_say(const char *fmt, ...) TN_PRINTF(1, 2);

/*
 * Diagnostics of a line of text: where it stands, what is wrong, and the line with a mark under
 * the word. source: a file's name, or NULL for a word of the command line.
 */
void tn_ctl_say_line(const struct tn_diagnostics *diag, const char *source, uint32_t number,
	const char *line, size_t len);

/* What is wrong with a line as a whole. of: the name of an OpenFlow error, or "". */
void tn_ctl_say_of_line(const char *source, uint32_t number, const char *line, size_t len,
	const char *of, const char *detail);

/* The word of a list, which ends with NULL, nearest to one that is not in it; NULL: none is near.
 */
const char *tn_ctl_nearest(const char *word, const char *const *list);

/* Text that came from elsewhere: control characters as \xNN, so that it cannot play with a
 * terminal. */
void tn_ctl_print_clean(FILE *f, const char *text);

enum tn_ctl_color {
	TN_CTL_PLAIN,
	TN_CTL_BOLD,
	TN_CTL_RED,
	TN_CTL_GREEN,
	TN_CTL_YELLOW,
	TN_CTL_DIM
};

/* Starts a colour on standard output if colours are on, PLAIN ends it. */
void tn_ctl_use_color(bool on);
void tn_ctl_color(enum tn_ctl_color color);

/* --- tables ----------------------------------------------------------------------------------- */

#define TN_CTL_COLUMNS_MAX 12

struct tn_ctl_table {
	unsigned n_columns;
	const char *heads[TN_CTL_COLUMNS_MAX];
	bool right[TN_CTL_COLUMNS_MAX]; /* aligned: numbers */
	struct tn_ctl_cell {
		char *text;
		enum tn_ctl_color color;
	} * cells;
	size_t n_cells, room;
};

/* "NUMBER>" is a head that is aligned to the right. NULL ends the list. */
void tn_ctl_table_init(struct tn_ctl_table *t, const char *const *heads);
/* The next cell of the row, from the left. */
void tn_ctl_table_add(struct tn_ctl_table *t, const char *fmt, ...) TN_PRINTF(2, 3);
/* The same in a colour. */
void tn_ctl_table_paint(struct tn_ctl_table *t, enum tn_ctl_color color, const char *text);
/* Prints and frees. */
void tn_ctl_table_print(struct tn_ctl_table *t);

#endif
