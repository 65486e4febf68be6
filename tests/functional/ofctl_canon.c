/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ofctl_canon flow|dump|group|meter: reads lines of ovs-ofctl text and answers each with one line:
 * "=" and the canonical text, or "!" and column, OpenFlow error and sentence of everything that is
 * wrong, separated by tabs. With dump, flows are printed with their counters, which are zero.
 */
#include "control/model/ofctl.h"
#include "control/model/operation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const commands[] = {
	[TN_FLOW_ADD] = "",
	[TN_FLOW_MODIFY] = "modify ",
	[TN_FLOW_MODIFY_STRICT] = "modify_strict ",
	[TN_FLOW_DELETE] = "delete ",
	[TN_FLOW_DELETE_STRICT] = "delete_strict ",
};

static char *canon_flow(struct tn_ofctl *o, const char *text, size_t len, bool stats)
{
	struct tn_flow_info info;
	struct tn_flow_mod fm;

	if (tn_ofctl_parse_flow(o, TN_OFCTL_ANY, text, len, &fm))
		return NULL;
	tn_flow_mod_to_info(0, &fm, &info);
	fputs(commands[fm.command], stdout);
	return tn_ofctl_print_flow(&info, NULL, stats, 0);
}

static char *canon_group(struct tn_ofctl *o, const char *text, size_t len)
{
	struct tn_group_info info;
	struct tn_group_mod gm;

	if (tn_ofctl_parse_group(o, TN_GROUP_ADD, text, len, &gm))
		return NULL;
	tn_group_mod_to_info(o->arena, &gm, &info);
	return tn_ofctl_print_group(&info, NULL);
}

static char *canon_meter(struct tn_ofctl *o, const char *text, size_t len)
{
	struct tn_meter_mod mm;

	if (tn_ofctl_parse_meter(o, TN_METER_ADD, text, len, &mm))
		return NULL;
	return tn_ofctl_print_meter(tn_meter_mod_to_meter(o->arena, &mm));
}

static char *canon(struct tn_ofctl *o, const char *kind, const char *text, size_t len)
{
	if (strcmp(kind, "group") == 0)
		return canon_group(o, text, len);
	if (strcmp(kind, "meter") == 0)
		return canon_meter(o, text, len);
	return canon_flow(o, text, len, strcmp(kind, "dump") == 0);
}

static void answer(const char *kind, const char *text, size_t len, uint32_t line)
{
	struct tn_diagnostics diag;
	struct tn_arena arena;
	struct tn_ofctl o = {.arena = &arena, .diag = &diag, .line = line};
	char *s;

	tn_arena_init(&arena);
	tn_diagnostics_init(&diag);
	s = canon(&o, kind, text, len);
	if (s)
		printf("=%s\n", s);
	for (size_t i = 0; i < diag.n; i++)
		printf("%s%u %s %s%s", i ? "\t" : "!", diag.list[i].column,
			tn_of_error_name(diag.list[i].of), diag.list[i].detail,
			i + 1 < diag.n ? "" : "\n");
	free(s);
	tn_diagnostics_fini(&diag);
	tn_arena_fini(&arena);
}

int main(int argc, char **argv)
{
	uint32_t number = 0;
	char *line = NULL;
	size_t room = 0;
	ssize_t len;

	if (argc != 2) {
		fprintf(stderr, "usage: ofctl_canon flow|dump|group|meter\n");
		return 2;
	}
	while ((len = getline(&line, &room, stdin)) >= 0) {
		if (len > 0 && line[len - 1] == '\n')
			len--;
		answer(argv[1], line, (size_t)len, ++number);
	}
	free(line);
	return 0;
}
