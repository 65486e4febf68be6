/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/tenonctl/say.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static bool colors;

void tn_ctl_say(const char *fmt, ...)
{
	char text[4096];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fputs("tenonctl: ", stderr);
	tn_ctl_print_clean(stderr, text);
	fputc('\n', stderr);
}

void tn_ctl_print_clean(FILE *f, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c < 0x20 || c == 0x7f)
			fprintf(f, "\\x%02x", c);
		else
			fputc(c, f);
	}
}

void tn_ctl_use_color(bool on)
{
	colors = on;
}

void tn_ctl_color(enum tn_ctl_color color)
{
	static const char *const codes[] = {
		[TN_CTL_PLAIN] = "\033[0m",
		[TN_CTL_BOLD] = "\033[1m",
		[TN_CTL_RED] = "\033[31m",
		[TN_CTL_GREEN] = "\033[32m",
		[TN_CTL_YELLOW] = "\033[33m",
		[TN_CTL_DIM] = "\033[2m",
	};

	if (colors)
		fputs(codes[color], stdout);
}

/* --- complaints ------------------------------------------------------------------------------- */

/* The line as it came, tabs as blanks, and under it the mark. */
static void show_place(const char *line, size_t len, uint32_t column)
{
	fputs("  ", stderr);
	for (size_t i = 0; i < len; i++)
		fputc(line[i] >= ' ' && line[i] <= '~' ? line[i] : ' ', stderr);
	fprintf(stderr, "\n  %*s^\n", (int)(column ? column - 1 : 0), "");
}

void tn_ctl_say_line(const struct tn_diagnostics *diag, const char *source, uint32_t number,
	const char *line, size_t len)
{
	for (size_t i = 0; i < diag->n; i++) {
		const struct tn_diagnostic *d = &diag->list[i];
		const char *name = d->of == TN_OF_OK ? "" : tn_of_error_name(d->of);

		if (source)
			fprintf(stderr, "%s:%" PRIu32 ":%" PRIu32 ": ", source, number, d->column);
		else
			fprintf(stderr, "tenonctl: column %" PRIu32 ": ", d->column);
		fprintf(stderr, "%s%s", name, *name ? ": " : "");
		tn_ctl_print_clean(stderr, d->detail);
		fputc('\n', stderr);
		if (len <= 400)
			show_place(line, len, d->column);
	}
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s ? s : "";
}

void tn_ctl_say_problem(long status, const json_t *problem)
{
	const json_t *errors = json_object_get(problem, "errors");
	const char *detail = text_of(problem, "detail");
	const json_t *error;
	size_t i;

	if (!*detail)
		detail = text_of(problem, "message");
	if (!json_array_size(errors)) {
		tn_ctl_say("%s%s%s", text_of(problem, "ofName"),
			*text_of(problem, "ofName") ? ": " : "",
			*detail ? detail : "the daemon refused it");
		if (!*detail)
			tn_ctl_say("HTTP status %ld", status);
		return;
	}
	json_array_foreach(errors, i, error)
	{
		const char *name = text_of(error, "ofName"), *pointer = text_of(error, "pointer");

		tn_ctl_say("%s%s%s%s%s", pointer, *pointer ? ": " : "", name, *name ? ": " : "",
			text_of(error, "detail"));
	}
}

/* --- tables ----------------------------------------------------------------------------------- */

void tn_ctl_table_init(struct tn_ctl_table *t, const char *const *heads)
{
	*t = (struct tn_ctl_table){0};
	for (; heads[t->n_columns] && t->n_columns < TN_CTL_COLUMNS_MAX; t->n_columns++) {
		size_t n = strlen(heads[t->n_columns]);

		t->heads[t->n_columns] = heads[t->n_columns];
		t->right[t->n_columns] = n && heads[t->n_columns][n - 1] == '>';
	}
}

void tn_ctl_table_add(struct tn_ctl_table *t, const char *fmt, ...)
{
	va_list ap;

	if (t->n_cells == t->room) {
		t->room = t->room ? 2 * t->room : 64;
		t->cells = realloc(t->cells, t->room * sizeof(*t->cells));
		if (!t->cells)
			abort();
	}
	va_start(ap, fmt);
	if (vasprintf(&t->cells[t->n_cells], fmt, ap) < 0)
		abort();
	va_end(ap);
	t->n_cells++;
}

/* Without the mark of a right one. */
static int head_length(const struct tn_ctl_table *t, unsigned column)
{
	return (int)strlen(t->heads[column]) - t->right[column];
}

static void print_cell(
	const struct tn_ctl_table *t, unsigned column, const char *text, int len, int width)
{
	bool last = column + 1 == t->n_columns;
	int pad = width - len;

	printf("%s", column ? "  " : "");
	if (t->right[column])
		printf("%*s", pad, "");
	for (int i = 0; i < len; i++)
		putchar((unsigned char)text[i] < 0x20 || text[i] == 0x7f ? '?' : text[i]);
	if (!t->right[column] && !last)
		printf("%*s", pad, "");
}

void tn_ctl_table_print(struct tn_ctl_table *t)
{
	int width[TN_CTL_COLUMNS_MAX];

	for (unsigned c = 0; c < t->n_columns; c++)
		width[c] = head_length(t, c);
	for (size_t i = 0; i < t->n_cells; i++) {
		int n = (int)strlen(t->cells[i]);

		if (n > width[i % t->n_columns])
			width[i % t->n_columns] = n;
	}
	tn_ctl_color(TN_CTL_BOLD);
	for (unsigned c = 0; c < t->n_columns; c++)
		print_cell(t, c, t->heads[c], head_length(t, c), width[c]);
	tn_ctl_color(TN_CTL_PLAIN);
	putchar('\n');
	for (size_t i = 0; i < t->n_cells; i++) {
		unsigned c = (unsigned)(i % t->n_columns);

		print_cell(t, c, t->cells[i], (int)strlen(t->cells[i]), width[c]);
		if (c + 1 == t->n_columns)
			putchar('\n');
		free(t->cells[i]);
	}
	free(t->cells);
}
