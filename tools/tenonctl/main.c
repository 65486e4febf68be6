/* SPDX-License-Identifier: BSD-3-Clause */
/* tenonctl: the flow command line. See tenonctl(1). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/tenonctl/commands.h"
#include "tools/tenonctl/options.h"
#include "tools/tenonctl/say.h"

static const struct tn_ctl_command commands[] = {
	{"flow", "add", "FLOW... | -f FILE | -", "add flows, or replace those that are there", 0,
		-1, tn_ctl_flow_add},
	{"flow", "mod", "FLOW... | -f FILE | -",
		"change the actions of flows; --strict: of exactly that one", 0, -1,
		tn_ctl_flow_mod},
	{"flow", "del", "[FLOW...] | -f FILE | -",
		"delete flows; --strict: exactly that one; none given: all", 0, -1,
		tn_ctl_flow_del},
	{"flow", "dump", "[FILTER]", "list flows with their counters", 0, 1, tn_ctl_flow_dump},
	{"flow", "replace", "FILE", "make the file all that --app wants; what is the same stays", 1,
		1, tn_ctl_flow_replace},
	{"flow", "diff", "FILE [FILE]", "compare a file with the device, or with another file", 1,
		2, tn_ctl_flow_diff},
	{"flow", "parse", "[FLOW... | FILE | -]",
		"check flows without a daemon, print them in order", 0, -1, tn_ctl_flow_parse},
	{"group", "add", "GROUP... | -f FILE", "add groups", 0, -1, tn_ctl_group_add},
	{"group", "mod", "GROUP... | -f FILE", "change type and buckets", 0, -1, tn_ctl_group_mod},
	{"group", "del", "group_id=N|all ...", "delete groups, and the flows that use them", 0, -1,
		tn_ctl_group_del},
	{"group", "insert-buckets", "group_id=N,command_bucket_id=..,bucket=..", "add buckets", 1,
		-1, tn_ctl_group_insert},
	{"group", "remove-buckets", "group_id=N,command_bucket_id=..", "remove buckets", 1, -1,
		tn_ctl_group_remove},
	{"group", "dump", "[ID]", "list groups", 0, 1, tn_ctl_group_dump},
	{"group", "parse", "GROUP... | -f FILE", "check groups without a daemon", 0, -1,
		tn_ctl_group_parse},
	{"meter", "add", "METER... | -f FILE", "add meters", 0, -1, tn_ctl_meter_add},
	{"meter", "mod", "METER... | -f FILE", "change meters", 0, -1, tn_ctl_meter_mod},
	{"meter", "del", "meter=N|all ...", "delete meters, and the flows that use them", 0, -1,
		tn_ctl_meter_del},
	{"meter", "dump", "[ID]", "list meters", 0, 1, tn_ctl_meter_dump},
	{"meter", "parse", "METER... | -f FILE", "check meters without a daemon", 0, -1,
		tn_ctl_meter_parse},
	{"bundle", NULL, "FILE | -", "flows, groups and meters, all of the file or nothing", 1, 1,
		tn_ctl_bundle},
	{"port", "list", "", "ports, their state and counters", 0, 0, tn_ctl_port_list},
	{"port", "show", "PORT", "all of a port", 1, 1, tn_ctl_port_show},
	{"port", "add", "JSON | -f FILE", "add a port", 0, 1, tn_ctl_port_add},
	{"port", "del", "PORT", "remove a port", 1, 1, tn_ctl_port_del},
	{"port", "up", "PORT", "let it forward", 1, 1, tn_ctl_port_up},
	{"port", "down", "PORT", "stop it", 1, 1, tn_ctl_port_down},
	{"table", "list", "", "flow tables and how they are looked up", 0, 0, tn_ctl_table_list},
	{"device", NULL, "", "the switch", 0, 0, tn_ctl_device_show},
	{"stats", "ports", "", "counters of ports, drops by reason", 0, 0, tn_ctl_stats_ports},
	{"stats", "tables", "", "lookups and hits of tables", 0, 0, tn_ctl_stats_tables},
	{"status", NULL, "", "is the daemon in step with the data plane?", 0, 0, tn_ctl_status},
	{"trace", NULL, "in_port=P,FIELD=VALUE,... | in_port=P HEX | in_port=P CAPTURE",
		"what a packet would meet, step by step", 1, 2, tn_ctl_trace},
	{"packet-out", NULL, "in_port=P,packet=HEX,actions=...", "send a packet", 1, 1,
		tn_ctl_packet_out},
	{"watch", NULL, "", "changes as they happen; --kinds flow,port,...", 0, 0, tn_ctl_watch},
	{"top", NULL, "", "live rates", 0, 0, tn_ctl_top},
	{"config", "get", "", "the whole configuration as a document", 0, 0, tn_ctl_config_get},
	{"config", "put", "FILE | -", "make the device what the document says", 1, 1,
		tn_ctl_config_put},
	{"confirm", NULL, "TRANSACTION", "keep what --confirm-within would undo", 1, 1,
		tn_ctl_confirm},
	{"cancel", NULL, "TRANSACTION", "undo it now", 1, 1, tn_ctl_cancel},
};

/* --- help ------------------------------------------------------------------------------------- */

static void print_command(FILE *f, const struct tn_ctl_command *c)
{
	char left[64];

	snprintf(left, sizeof(left), "%s%s%s", c->noun, c->verb ? " " : "", c->verb ? c->verb : "");
	fprintf(f, "  %-21s %s\n", left, c->help);
	if (*c->arguments)
		fprintf(f, "  %-21s   %s\n", "", c->arguments);
}

/* noun NULL: all of them. */
static void print_commands(FILE *f, const char *noun)
{
	for (size_t i = 0; i < TN_ARRAY_SIZE(commands); i++)
		if (!noun || strcmp(commands[i].noun, noun) == 0)
			print_command(f, &commands[i]);
}

/* For completion: nouns, or the verbs of one. */
static int list_words(const char *noun)
{
	const char *last = "";

	for (size_t i = 0; i < TN_ARRAY_SIZE(commands); i++) {
		const struct tn_ctl_command *c = &commands[i];

		if (noun && strcmp(c->noun, noun) == 0 && c->verb)
			puts(c->verb);
		else if (!noun && strcmp(c->noun, last) != 0)
			puts(c->noun);
		last = c->noun;
	}
	return TN_CTL_OK;
}

/* --- which command ---------------------------------------------------------------------------- */

static bool is_noun(const char *word)
{
	for (size_t i = 0; i < TN_ARRAY_SIZE(commands); i++)
		if (strcmp(commands[i].noun, word) == 0)
			return true;
	return false;
}

/* The word that was meant; NULL: none is near. noun NULL: among nouns. */
static const char *nearest(const char *word, const char *noun)
{
	const char *best = NULL;
	unsigned least = 5;

	for (size_t i = 0; i < TN_ARRAY_SIZE(commands); i++) {
		const char *candidate = noun ? commands[i].verb : commands[i].noun;
		unsigned d;

		if (!candidate || (noun && strcmp(commands[i].noun, noun) != 0))
			continue;
		d = tn_names_distance(word, candidate, 2);
		if (d < least) {
			least = d;
			best = candidate;
		}
	}
	return best;
}

static const struct tn_ctl_command *find(const char *noun, const char *verb)
{
	for (size_t i = 0; i < TN_ARRAY_SIZE(commands); i++) {
		const struct tn_ctl_command *c = &commands[i];

		if (strcmp(c->noun, noun) == 0 &&
			(!c->verb || (verb && strcmp(c->verb, verb) == 0)))
			return c;
	}
	return NULL;
}

static const struct tn_ctl_command *unknown(const char *noun, const char *verb)
{
	const char *near;

	if (!is_noun(noun)) {
		near = nearest(noun, NULL);
		tn_ctl_say("there is no command \"%s\"%s%s%s; tenonctl --help has them all", noun,
			near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
		return NULL;
	}
	if (verb) {
		near = nearest(verb, noun);
		tn_ctl_say("%s has no \"%s\"%s%s%s; there are:", noun, verb,
			near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
	} else {
		tn_ctl_say("%s what? There are:", noun);
	}
	print_commands(stderr, noun);
	return NULL;
}

static const struct tn_ctl_command *choose(int argc, char **argv, struct tn_ctl_words *words)
{
	const struct tn_ctl_command *c = find(argv[0], argc > 1 ? argv[1] : NULL);
	int skip;

	if (!c)
		return unknown(argv[0], argc > 1 ? argv[1] : NULL);
	skip = c->verb ? 2 : 1;
	*words = (struct tn_ctl_words){argv + skip, argc - skip};
	if (words->n >= c->min && (c->max < 0 || words->n <= c->max))
		return c;
	tn_ctl_say("%s%s%s takes: %s", c->noun, c->verb ? " " : "", c->verb ? c->verb : "",
		*c->arguments ? c->arguments : "nothing more");
	return NULL;
}

/* --- running it ------------------------------------------------------------------------------- */

static int run(
	struct tn_ctl *ctl, const struct tn_ctl_command *command, const struct tn_ctl_words *words)
{
	int code;

	ctl->names = tn_names_new();
	tn_arena_init(&ctl->arena);
	tn_diagnostics_init(&ctl->diag);
	ctl->http = tn_ctl_http_new(&ctl->options.http);
	code = ctl->http ? command->fn(ctl, words) : TN_CTL_USAGE;
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

static int help(const char *noun)
{
	if (noun && !is_noun(noun)) {
		(void)unknown(noun, NULL);
		return TN_CTL_USAGE;
	}
	if (noun) {
		print_commands(stdout, noun);
	} else {
		fputs(tn_ctl_usage_text, stdout);
		fputs("\nCommands:\n", stdout);
		print_commands(stdout, NULL);
		fputs(tn_ctl_help_text, stdout);
	}
	return TN_CTL_OK;
}

int main(int argc, char **argv)
{
	const struct tn_ctl_command *command;
	struct tn_ctl ctl = {0};
	struct tn_ctl_words words;
	int first, code = tn_ctl_options_parse(&ctl.options, argc, argv, &first);

	if (code != TN_CTL_GO_ON)
		return code == TN_CTL_HELP ? help(first < argc ? argv[first] : NULL) : code;
	argc -= first;
	argv += first;
	if (!argc) {
		fputs(tn_ctl_usage_text, stderr);
		fputs("Try tenonctl --help.\n", stderr);
		return TN_CTL_USAGE;
	}
	if (strcmp(argv[0], "help") == 0)
		return help(argc > 1 ? argv[1] : NULL);
	if (strcmp(argv[0], "list-words") == 0)
		return list_words(argc > 1 ? argv[1] : NULL);
	tn_ctl_use_color(ctl.options.color);
	command = choose(argc, argv, &words);
	return command ? run(&ctl, command, &words) : TN_CTL_USAGE;
}
