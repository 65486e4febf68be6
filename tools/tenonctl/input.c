/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/tenonctl/input.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/tenonctl/say.h"

#define FILE_BYTES_MAX (512u << 20)

static void add_line(struct tn_ctl_input *in, const char *text, size_t len, uint32_t number)
{
	if (in->n == in->room) {
		in->room = in->room ? 2 * in->room : 64;
		in->lines = realloc(in->lines, in->room * sizeof(*in->lines));
		if (!in->lines)
			abort();
	}
	in->lines[in->n++] = (struct tn_ctl_line){text, len, number, in->source};
}

static int read_all(FILE *f, struct tn_ctl_input *in)
{
	size_t room = 1 << 16, n;

	in->data = malloc(room);
	while (in->data && (n = fread(in->data + in->len, 1, room - in->len, f))) {
		in->len += n;
		if (in->len > FILE_BYTES_MAX)
			return -EFBIG;
		if (in->len == room)
			in->data = realloc(in->data, room *= 2);
	}
	if (!in->data)
		abort();
	return ferror(f) ? -EIO : 0;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* Without a comment, which may follow on a line, and the blanks before it. */
static size_t length_of(const char *line, size_t len)
{
	bool quoted = false;
	size_t n = 0;

	for (; n < len && (quoted || line[n] != '#'); n++)
		quoted ^= line[n] == '"';
	while (n && is_blank(line[n - 1]))
		n--;
	return n;
}

static void split(struct tn_ctl_input *in)
{
	const char *p = in->data, *end = in->data + in->len;
	uint32_t number = 0;

	while (p < end) {
		const char *newline = memchr(p, '\n', (size_t)(end - p));
		const char *stop = newline ? newline : end;
		size_t len = length_of(p, (size_t)(stop - p));

		number++;
		if (len)
			add_line(in, p, len, number);
		p = stop + 1;
	}
}

static bool looks_like_json(const struct tn_ctl_input *in)
{
	for (size_t i = 0; i < in->len; i++)
		if (!in->data[i] || !strchr(" \t\r\n", in->data[i]))
			return in->data[i] == '{' || in->data[i] == '[';
	return false;
}

int tn_ctl_input_file(const char *path, struct tn_ctl_input *in)
{
	bool is_stdin = strcmp(path, "-") == 0;
	FILE *f = is_stdin ? stdin : fopen(path, "r");
	int rc;

	*in = (struct tn_ctl_input){.source = is_stdin ? "<stdin>" : path};
	if (!f) {
		tn_ctl_say("%s: %s", path, strerror(errno));
		return TN_CTL_USAGE;
	}
	rc = read_all(f, in);
	if (!is_stdin)
		fclose(f);
	if (rc) {
		tn_ctl_say("%s: %s", in->source,
			rc == -EFBIG ? "over 512 MiB: split it" : "cannot be read");
		tn_ctl_input_fini(in);
		return TN_CTL_USAGE;
	}
	in->is_json = looks_like_json(in);
	if (!in->is_json)
		split(in);
	return TN_CTL_OK;
}

static bool has_actions(const char *word)
{
	return strstr(word, "actions=") || strstr(word, "action=");
}

/* "tcp actions=drop" that the shell made two words of is one flow all the same. */
static void take_words(struct tn_ctl_input *in, const struct tn_ctl_words *words)
{
	size_t size = 1;
	char *at;

	for (int i = 0; i < words->n; i++)
		size += strlen(words->word[i]) + 1;
	at = in->data = malloc(size);
	if (!at)
		abort();
	for (int i = 0; i < words->n; i++) {
		const char *word = words->word[i];
		const char *next = i + 1 < words->n ? words->word[i + 1] : "";
		bool joins = !has_actions(word) && strncmp(next, "actions=", 8) == 0;
		size_t left = size - (size_t)(at - in->data);
		int n = snprintf(at, left, "%s%s%s", word, joins ? " " : "", joins ? next : "");

		i += joins;
		add_line(in, at, (size_t)n, 0);
		at += n + 1;
	}
}

int tn_ctl_input_read(struct tn_ctl *ctl, const struct tn_ctl_words *words, struct tn_ctl_input *in)
{
	if (ctl->options.file) {
		if (words->n) {
			*in = (struct tn_ctl_input){0};
			tn_ctl_say("-f %s and \"%s\": give one of the two", ctl->options.file,
				words->word[0]);
			return TN_CTL_USAGE;
		}
		return tn_ctl_input_file(ctl->options.file, in);
	}
	if (words->n == 1 && strcmp(words->word[0], "-") == 0)
		return tn_ctl_input_file("-", in);
	*in = (struct tn_ctl_input){0};
	take_words(in, words);
	return TN_CTL_OK;
}

void tn_ctl_input_list(struct tn_ctl_input *in, const char *key, size_t n)
{
	struct tn_ctl_list *list = &in->lists[in->n_lists++];

	snprintf(list->pointer, sizeof(list->pointer), "%s%s", key ? "/" : "", key ? key : "");
	list->n = n;
}

void tn_ctl_input_fini(struct tn_ctl_input *in)
{
	free(in->lines);
	free(in->data);
	*in = (struct tn_ctl_input){0};
}
