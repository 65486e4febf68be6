/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/tenonctl/say.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "control/model/names.h"

#define LINE_SHOWN_MAX 400u

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

const char *tn_ctl_nearest(const char *word, const char *const *list)
{
	unsigned least =
		strlen(word) > 3 ? 5 : 3; /* two edits may make any short word of another */
	const char *best = NULL;

	for (; *list; list++) {
		unsigned d = tn_names_distance(word, *list, 2);

		if (d < least) {
			least = d;
			best = *list;
		}
	}
	return best;
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

/* The line as it came, tabs as blanks. */
static void show_line(const char *line, size_t len)
{
	fputs("  ", stderr);
	for (size_t i = 0; i < len; i++)
		fputc(line[i] >= ' ' && line[i] <= '~' ? line[i] : ' ', stderr);
	fputc('\n', stderr);
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
		if (len > LINE_SHOWN_MAX)
			continue;
		show_line(line, len);
		fprintf(stderr, "  %*s^\n", (int)(d->column ? d->column - 1 : 0), "");
	}
}

void tn_ctl_say_of_line(const char *source, uint32_t number, const char *line, size_t len,
	const char *of, const char *detail)
{
	if (source)
		fprintf(stderr, "%s:%" PRIu32 ": ", source, number);
	else
		fputs("tenonctl: ", stderr);
	fprintf(stderr, "%s%s", of, *of ? ": " : "");
	tn_ctl_print_clean(stderr, detail);
	fputc('\n', stderr);
	if (len <= LINE_SHOWN_MAX)
		show_line(line, len);
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

static struct tn_ctl_cell *new_cell(struct tn_ctl_table *t)
{
	if (t->n_cells == t->room) {
		t->room = t->room ? 2 * t->room : 64;
		t->cells = realloc(t->cells, t->room * sizeof(*t->cells));
		if (!t->cells)
			abort();
	}
	t->cells[t->n_cells].color = TN_CTL_PLAIN;
	return &t->cells[t->n_cells++];
}

void tn_ctl_table_add(struct tn_ctl_table *t, const char *fmt, ...)
{
	struct tn_ctl_cell *cell = new_cell(t);
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&cell->text, fmt, ap) < 0)
		abort();
	va_end(ap);
}

void tn_ctl_table_paint(struct tn_ctl_table *t, enum tn_ctl_color color, const char *text)
{
	struct tn_ctl_cell *cell = new_cell(t);

	cell->text = strdup(text);
	cell->color = color;
	if (!cell->text)
		abort();
}

/* Without the mark of a right one. */
static int head_length(const struct tn_ctl_table *t, unsigned column)
{
	return (int)strlen(t->heads[column]) - t->right[column];
}

/* last: nothing follows in its line. */
static void print_cell(
	const struct tn_ctl_table *t, unsigned column, const char *text, int width, bool last)
{
	int len = (int)strlen(text) - (text == t->heads[column] && t->right[column]);
	int pad = width - len;

	printf("%s", column ? "  " : "");
	if (t->right[column])
		printf("%*s", pad, "");
	for (int i = 0; i < len; i++)
		putchar((unsigned char)text[i] < 0x20 || text[i] == 0x7f ? '?' : text[i]);
	if (!t->right[column] && !last)
		printf("%*s", pad, "");
}

static void print_row(
	const struct tn_ctl_table *t, const struct tn_ctl_cell *row, const int width[])
{
	unsigned n = t->n_columns;

	while (n && !*row[n - 1].text)
		n--;
	for (unsigned c = 0; c < n; c++) {
		if (row[c].color != TN_CTL_PLAIN)
			tn_ctl_color(row[c].color);
		print_cell(t, c, row[c].text, width[c], c + 1 == n);
		if (row[c].color != TN_CTL_PLAIN)
			tn_ctl_color(TN_CTL_PLAIN);
	}
	for (unsigned c = 0; c < t->n_columns; c++)
		free(row[c].text);
	putchar('\n');
}

void tn_ctl_table_print(struct tn_ctl_table *t)
{
	int width[TN_CTL_COLUMNS_MAX];

	for (unsigned c = 0; c < t->n_columns; c++)
		width[c] = head_length(t, c);
	for (size_t i = 0; i < t->n_cells; i++) {
		int n = (int)strlen(t->cells[i].text);

		if (n > width[i % t->n_columns])
			width[i % t->n_columns] = n;
	}
	tn_ctl_color(TN_CTL_BOLD);
	for (unsigned c = 0; c < t->n_columns; c++)
		print_cell(t, c, t->heads[c], width[c], c + 1 == t->n_columns);
	tn_ctl_color(TN_CTL_PLAIN);
	putchar('\n');
	for (size_t i = 0; i + t->n_columns <= t->n_cells; i += t->n_columns)
		print_row(t, &t->cells[i], width);
	free(t->cells);
}
