/* SPDX-License-Identifier: BSD-3-Clause */
/* Lines and documents that a command is given: as words, in a file, on standard input. */
#ifndef TN_TENONCTL_INPUT_H
#define TN_TENONCTL_INPUT_H

#include "tools/tenonctl/ctl.h"

struct tn_ctl_line {
	const char *text;
	size_t len;
	uint32_t number;    /* in its file, from 1 */
	const char *source; /* of the file; NULL: a word of the command line */
};

#define TN_CTL_LISTS_MAX 8u

struct tn_ctl_input {
	struct tn_ctl_line *lines;
	size_t n, room;
	char *data; /* of the file */
	size_t len;
	bool is_json; /* the file holds a JSON document, and there are no lines */
	/* Arrays of it that operations were made of, one after another. */
	struct tn_ctl_list {
		char pointer[24]; /* "/flows"; "": the document is the array */
		size_t n;	  /* of the last one no matter */
	} lists[TN_CTL_LISTS_MAX];
	size_t n_lists;
	size_t first; /* of all their elements: what an operation's number counts from */
	const char *source;
};

/*
 * What is to be worked on: the file of -f, or the words, of which "-" alone is standard input.
 * Comments (#) and blank lines are left out. 0, or the exit code and it was said why.
 */
int tn_ctl_input_read(struct tn_ctl *ctl, const struct tn_ctl_words *words,
	struct tn_ctl_input *in) TN_MUST_CHECK;
/* An array of n elements that stands under a key of the document; NULL: it is the document. */
void tn_ctl_input_list(struct tn_ctl_input *in, const char *key, size_t n);
/* The file alone. */
int tn_ctl_input_file(const char *path, struct tn_ctl_input *in) TN_MUST_CHECK;
void tn_ctl_input_fini(struct tn_ctl_input *in);

#endif
