/* SPDX-License-Identifier: BSD-3-Clause */
/* tenonctl help: of everything, of a noun, of a command. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "tools/tenonctl/commands.h"
#include "tools/tenonctl/say.h"

#define GENERAL (TN_CTL_O(TN_CTL_FILE) - 1)

static const char start[] =
	"usage: tenonctl [OPTION...] COMMAND [WORD...]\n"
	"\n"
	"Drives the switch of this host, or of another, by its daemon tenond. Flows, groups and\n"
	"meters are written as in ovs-ofctl(8), or as the daemon's JSON in a file.\n"
	"tenonctl COMMAND --help tells more of a command, with examples.\n";

static const char end[] =
	"\n"
	"Exit status: 0 done; 1 refused, or what was named is not there; 2 diff: not the same;\n"
	"3 the command line or a text is wrong, nothing was sent; 4 no daemon, or no data plane.\n"
	"\n"
	"Examples:\n"
	"  tenonctl flow add 'table=0,priority=100,tcp,nw_dst=10.0.0.1,actions=output:2'\n"
	"  tenonctl flow dump tcp\n"
	"  tenonctl trace in_port=vm-a,tcp,nw_src=10.0.0.2,nw_dst=10.0.0.1,tp_dst=80\n"
	"  tenonctl flow replace rules.txt --app firewall --dry-run\n"
	"  tenonctl top\n";

static void print_line(FILE *f, const struct tn_ctl_command *c)
{
	char left[64];

	snprintf(left, sizeof(left), "%s%s%s", c->noun, c->verb ? " " : "", c->verb ? c->verb : "");
	fprintf(f, "  %-21s  %s\n", left, c->help);
}

static void print_noun(FILE *f, const char *noun)
{
	const struct tn_ctl_command *c = NULL;

	while ((c = tn_ctl_command_next(c, NULL)))
		if (strcmp(c->noun, noun) == 0)
			print_line(f, c);
}

static void print_everything(void)
{
	const struct tn_ctl_command *c = NULL;
	const char *title;

	fputs(start, stdout);
	while ((c = tn_ctl_command_next(c, &title))) {
		if (title)
			printf("\n%s:\n", title);
		print_line(stdout, c);
	}
	fputs("\nOptions of all commands, which may stand anywhere:\n", stdout);
	tn_ctl_options_print(GENERAL);
	fputs(end, stdout);
}

/* Lines, each with two blanks before it. */
static void print_indented(const char *text)
{
	while (*text) {
		size_t n = strcspn(text, "\n");

		printf("  %.*s\n", (int)n, text);
		text += n + (text[n] == '\n');
	}
}

static void print_command(const struct tn_ctl_command *c)
{
	printf("usage: tenonctl %s%s%s%s%s\n\n", c->noun, c->verb ? " " : "",
		c->verb ? c->verb : "", *c->arguments ? " " : "", c->arguments);
	printf("%c%s%s\n", toupper((unsigned char)*c->help), c->help + 1,
		c->help[strlen(c->help) - 1] == '?' ? "" : ".");
	if (c->more)
		printf("%s\n", c->more);
	if (c->options) {
		fputs("\nOptions, beside those of all commands (tenonctl --help):\n", stdout);
		tn_ctl_options_print(c->options);
	}
	fputs("\nExamples:\n", stdout);
	print_indented(c->examples);
}

/* What operators of Open vSwitch have in their fingers. */
static const char *from_ofctl(const char *word)
{
	static const struct {
		const char *theirs, *ours;
	} words[] = {
		{"show", "port list"},
		{"dump-desc", "device show"},
		{"dump-tables", "table list"},
		{"dump-table-features", "table features"},
		{"mod-table", "table mod"},
		{"mod-port", "port mod"},
		{"dump-ports", "stats ports"},
		{"dump-ports-desc", "port list"},
		{"dump-flows", "flow dump"},
		{"add-flow", "flow add"},
		{"add-flows", "flow add -f"},
		{"mod-flows", "flow mod"},
		{"del-flows", "flow del"},
		{"replace-flows", "flow replace"},
		{"diff-flows", "flow diff"},
		{"parse-flow", "flow parse"},
		{"parse-flows", "flow parse"},
		{"monitor", "watch"},
		{"add-group", "group add"},
		{"add-groups", "group add -f"},
		{"mod-group", "group mod"},
		{"del-groups", "group del"},
		{"insert-buckets", "group insert-buckets"},
		{"remove-buckets", "group remove-buckets"},
		{"dump-groups", "group dump"},
		{"dump-group-stats", "stats groups"},
		{"add-meter", "meter add"},
		{"mod-meter", "meter mod"},
		{"del-meter", "meter del"},
		{"del-meters", "meter del meter=all"},
		{"dump-meter", "meter dump"},
		{"dump-meters", "meter dump"},
		{"meter-stats", "stats meters"},
		{"ofproto/trace", "trace"},
	};

	for (size_t i = 0; i < TN_ARRAY_SIZE(words); i++)
		if (strcmp(words[i].theirs, word) == 0)
			return words[i].ours;
	return NULL;
}

void tn_ctl_say_unknown(const char *noun, const char *verb)
{
	const char *ours = from_ofctl(noun), *near;

	if (!tn_ctl_is_noun(noun)) {
		near = tn_ctl_command_nearest(noun, NULL);
		if (ours)
			tn_ctl_say("ovs-ofctl's %s is here: tenonctl %s", noun, ours);
		else if (near)
			tn_ctl_say("there is no command \"%s\"; did you mean \"%s\"?", noun, near);
		else
			tn_ctl_say(
				"there is no command \"%s\"; tenonctl --help has them all", noun);
		return;
	}
	near = verb ? tn_ctl_command_nearest(verb, noun) : NULL;
	if (near) {
		tn_ctl_say("%s has no \"%s\"; did you mean \"%s\"?", noun, verb, near);
		return;
	}
	if (verb)
		tn_ctl_say("%s has no \"%s\"; there are:", noun, verb);
	else
		tn_ctl_say("%s what? There are:", noun);
	print_noun(stderr, noun);
}

int tn_ctl_help(int argc, char **argv)
{
	const struct tn_ctl_command *c;

	if (!argc) {
		print_everything();
		return TN_CTL_OK;
	}
	c = tn_ctl_command_find(argv[0], argc > 1 ? argv[1] : NULL);
	if (c && (argc > 1 || !c->verb)) {
		print_command(c);
		return TN_CTL_OK;
	}
	if (!tn_ctl_is_noun(argv[0]) || argc > 1) {
		tn_ctl_say_unknown(argv[0], argc > 1 ? argv[1] : NULL);
		return TN_CTL_USAGE;
	}
	print_noun(stdout, argv[0]);
	printf("\ntenonctl %s VERB --help tells more of each.\n", argv[0]);
	return TN_CTL_OK;
}
