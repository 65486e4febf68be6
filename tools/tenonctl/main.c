/* SPDX-License-Identifier: BSD-3-Clause */
/* tenonctl: the command line of the switch. See tenonctl(1). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/tenonctl/commands.h"
#include "tools/tenonctl/say.h"

/* Options that a command has no use for are mistakes of who gave them. */
static bool check_options(const struct tn_ctl_command *c, uint64_t seen)
{
	for (unsigned i = 0; i < TN_CTL_N_OPTIONS; i++) {
		if (!(seen >> i & 1) || tn_ctl_option_is_general((enum tn_ctl_option_id)i) ||
			(c->options >> i & 1))
			continue;
		tn_ctl_say("%s%s%s has no option --%s", c->noun, c->verb ? " " : "",
			c->verb ? c->verb : "", tn_ctl_option_list[i].name);
		return false;
	}
	return true;
}

static const struct tn_ctl_command *choose(
	int argc, char **argv, uint64_t seen, struct tn_ctl_words *words)
{
	const struct tn_ctl_command *c = tn_ctl_command_find(argv[0], argc > 1 ? argv[1] : NULL);
	int skip;

	if (!c) {
		tn_ctl_say_unknown(argv[0], argc > 1 ? argv[1] : NULL);
		return NULL;
	}
	skip = c->verb && argc > 1 ? 2 : 1;
	*words = (struct tn_ctl_words){argv + skip, argc - skip};
	if (!check_options(c, seen))
		return NULL;
	if (words->n >= c->min && (c->max < 0 || words->n <= c->max))
		return c;
	tn_ctl_say("%s%s%s takes: %s", c->noun, c->verb ? " " : "", c->verb ? c->verb : "",
		*c->arguments ? c->arguments : "nothing more");
	return NULL;
}

typedef int (*run_fn)(struct tn_ctl *ctl, int argc, char **argv, uint64_t seen);

static int run_command(struct tn_ctl *ctl, int argc, char **argv, uint64_t seen)
{
	struct tn_ctl_words words;
	const struct tn_ctl_command *c = choose(argc, argv, seen, &words);

	tn_ctl_use_color(ctl->options.color);
	return c ? c->fn(ctl, &words) : TN_CTL_USAGE;
}

static int run_complete(struct tn_ctl *ctl, int argc, char **argv, uint64_t seen)
{
	(void)seen;
	return tn_ctl_complete(ctl, argc, argv);
}

static int run(struct tn_ctl *ctl, run_fn fn, int argc, char **argv, uint64_t seen)
{
	int code;

	ctl->names = tn_names_new();
	tn_arena_init(&ctl->arena);
	tn_diagnostics_init(&ctl->diag);
	ctl->http = tn_ctl_http_new(&ctl->options.http);
	code = ctl->http ? fn(ctl, argc, argv, seen) : TN_CTL_USAGE;
	tn_ctl_http_free(ctl->http);
	tn_diagnostics_fini(&ctl->diag);
	tn_arena_fini(&ctl->arena);
	tn_names_free(ctl->names);
	if (fflush(stdout) || ferror(stdout)) {
		tn_ctl_say("standard output cannot be written");
		return TN_CTL_REFUSED;
	}
	return code;
}

/*
 * tenonctl complete -- WORD...: for the shell. The options among the words say where the daemon is;
 * one that is not whole yet is no mistake.
 */
static int complete(int argc, char **argv)
{
	char **copy = calloc((size_t)argc + 1, sizeof(*copy));
	struct tn_ctl ctl = {0};
	uint64_t seen;
	int first, n = 0, code;

	if (!copy)
		abort();
	copy[n++] = argv[0];
	for (int i = 3; i + 1 < argc; i++)
		if (strcmp(argv[i], "--version") != 0 && strcmp(argv[i], "-V") != 0)
			copy[n++] = argv[i];
	(void)!tn_ctl_options_parse(&ctl.options, n, copy, &first, &seen);
	if (ctl.options.http.timeout_s > 2)
		ctl.options.http.timeout_s = 2;
	code = run(&ctl, run_complete, argc > 3 ? argc - 3 : 0, argv + 3, 0);
	free(copy);
	return code;
}

int main(int argc, char **argv)
{
	struct tn_ctl ctl = {0};
	uint64_t seen;
	int first, code;

	if (argc > 2 && strcmp(argv[1], "complete") == 0 && strcmp(argv[2], "--") == 0)
		return complete(argc, argv);
	code = tn_ctl_options_parse(&ctl.options, argc, argv, &first, &seen);
	if (code >= 0)
		return code;
	argc -= first;
	argv += first;
	if (code == TN_CTL_HELP)
		return tn_ctl_help(argc, argv);
	if (!argc) {
		tn_ctl_say("what is to be done? tenonctl --help has all commands");
		return TN_CTL_USAGE;
	}
	if (strcmp(argv[0], "help") == 0)
		return tn_ctl_help(argc - 1, argv + 1);
	return run(&ctl, run_command, argc, argv, seen);
}
