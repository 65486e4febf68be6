/* SPDX-License-Identifier: BSD-3-Clause */
/* tenonctl flow add, mod, del, parse, and the table of all commands on flows. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/tenonctl/flow_dump.h"
#include "tools/tenonctl/flow_text.h"
#include "tools/tenonctl/say.h"
#include "tools/tenonctl/share.h"

struct adding {
	struct tn_ctl *ctl;
	struct tn_ctl_operations ops;
};

static void add_operation(void *ctx, const struct tn_flow_mod *fm)
{
	const struct tn_mod mod = {.kind = TN_MOD_FLOW, .flow = fm};
	struct adding *adding = ctx;
	struct tn_codec codec = tn_ctl_codec(adding->ctl);

	tn_ctl_operations_add(&adding->ops, tn_mod_to_json(&codec, &mod));
}

/* A kind of change: how a line is read, what an element of a document means. */
struct kind {
	enum tn_ofctl_use use;
	const char *op;
	const struct tn_ctl_done *done;
};

static int change(struct tn_ctl *ctl, const struct tn_ctl_words *words, const struct kind *kind)
{
	struct adding adding = {.ctl = ctl};
	struct tn_ctl_input in;
	int code = tn_ctl_learn_device(ctl);

	if (!code)
		code = tn_ctl_input_read(ctl, words, &in);
	if (code)
		return code;
	/* What says which flows need not say all of one: such documents the daemon reads. */
	if (in.is_json && kind->use != TN_OFCTL_ADD)
		code = tn_ctl_read_document(ctl, &in, "flows", "flow", kind->op, &adding.ops);
	else
		code = tn_ctl_each_mod(ctl, &in, kind->use, add_operation, &adding);
	if (!code)
		code = tn_ctl_apply(ctl, &adding.ops, &in, kind->done, false);
	else if (in.n > 1 || in.is_json)
		tn_ctl_say("nothing was sent");
	tn_ctl_operations_fini(&adding.ops);
	tn_ctl_input_fini(&in);
	return code;
}

static bool is_given(struct tn_ctl *ctl, const struct tn_ctl_words *words, const char *what)
{
	if (words->n || ctl->options.file)
		return true;
	tn_ctl_say("%s: give a flow, or -f FILE", what);
	return false;
}

static int flow_add(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	static const struct kind kind = {TN_OFCTL_ADD, "add", NULL};

	return is_given(ctl, words, "flow add") ? change(ctl, words, &kind) : TN_CTL_USAGE;
}

static int flow_mod(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	static const struct tn_ctl_done done = {"flow", "changed"};
	static const struct kind loose = {TN_OFCTL_MODIFY, "modify", &done};
	static const struct kind strict = {TN_OFCTL_MODIFY_STRICT, "modify_strict", &done};

	if (!is_given(ctl, words, "flow mod"))
		return TN_CTL_USAGE;
	return change(ctl, words, ctl->options.strict ? &strict : &loose);
}

/* Without words: every flow, as ovs-ofctl del-flows. */
static int flow_del(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	static const struct tn_ctl_done done = {"flow", "deleted"};
	static const struct kind loose = {TN_OFCTL_DELETE, "delete", &done};
	static const struct kind strict = {TN_OFCTL_DELETE_STRICT, "delete_strict", &done};
	static char everything[] = "";
	char *word = everything;
	const struct tn_ctl_words all = {&word, 1};
	bool none = !words->n && !ctl->options.file;

	if (none && ctl->options.strict) {
		tn_ctl_say("flow del --strict: say which flow");
		return TN_CTL_USAGE;
	}
	return change(ctl, none ? &all : words, ctl->options.strict ? &strict : &loose);
}

/* --- parse ------------------------------------------------------------------------------------ */

static void print_mod(void *ctx, const struct tn_flow_mod *fm)
{
	const struct tn_mod mod = {.kind = TN_MOD_FLOW, .flow = fm};
	struct tn_ctl *ctl = ctx;
	struct tn_codec codec = tn_ctl_codec(ctl);
	json_t *j;
	char *text;

	if (ctl->options.json) {
		j = tn_mod_to_json(&codec, &mod);
		/* Of nobody yet. */
		json_object_del(json_object_get(j, "flow"), "appId");
		text = json_dumps(j, JSON_COMPACT);
		json_decref(j);
	} else {
		text = tn_ctl_flow_mod_text(fm, NULL);
	}
	puts(text ? text : "");
	free(text);
}

static int flow_parse(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	static char stdin_word[] = "-";
	char *word = stdin_word;
	struct tn_ctl_words standard = {&word, 1};
	struct tn_ctl_input in;
	int code;

	if (words->n == 1 && strchr(words->word[0], '=') == NULL)
		code = tn_ctl_input_file(words->word[0], &in);
	else
		code = tn_ctl_input_read(
			ctl, words->n || ctl->options.file ? words : &standard, &in);
	if (code)
		return code;
	tn_ctl_without_device(ctl);
	code = tn_ctl_each_mod(ctl, &in, TN_OFCTL_ANY, print_mod, ctl);
	tn_ctl_input_fini(&in);
	return code;
}

/* --- the table -------------------------------------------------------------------------------- */

#define FILE_AND_APP (TN_CTL_O(TN_CTL_FILE) | TN_CTL_O(TN_CTL_APP) | TN_CTL_O_CHANGE)

const struct tn_ctl_command tn_ctl_flow_commands[] = {
	{"flow", "add", "FLOW... | -f FILE | -", "add flows, or replace those that are there",
		"A flow of the same table, priority and match is replaced. All flows of a command are\n"
		"added or none, and the data plane forwards by them when it ends.",
		"tenonctl flow add 'table=0,priority=100,tcp,nw_dst=10.0.0.1,actions=output:2'\n"
		"tenonctl flow add in_port=vm-a actions=output:vm-b\n"
		"tenonctl flow add -f rules.txt --app firewall",
		flow_add, FILE_AND_APP, 0, -1, TN_CTL_WORD_FLOW, false},
	{"flow", "mod", "FLOW... | -f FILE | -", "change the actions of flows",
		"Of all flows that are at least as narrow as the one that is named; with --strict of\n"
		"exactly that one. Without table= of all tables, with --strict of table 0. No flow is\n"
		"added.",
		"tenonctl flow mod tcp,tp_dst=80 actions=output:3\n"
		"tenonctl flow mod --strict 'priority=100,in_port=vm-a,actions=drop'",
		flow_mod, FILE_AND_APP | TN_CTL_O(TN_CTL_STRICT), 0, -1, TN_CTL_WORD_FLOW, false},
	{"flow", "del", "[FLOW...] | -f FILE | -", "delete flows; without a flow, all of them",
		"All that are at least as narrow as the one that is named; with --strict exactly that\n"
		"one. Without table= of all tables, with --strict of table 0. cookie=V/MASK, out_port=P\n"
		"and out_group=G choose among them.",
		"tenonctl flow del table=3,tcp\n"
		"tenonctl flow del cookie=0x10/0xf0,out_port=vm-a\n"
		"tenonctl flow del --strict 'priority=100,tcp,nw_dst=10.0.0.1'",
		flow_del, TN_CTL_O(TN_CTL_FILE) | TN_CTL_O(TN_CTL_STRICT) | TN_CTL_O_CHANGE, 0, -1,
		TN_CTL_WORD_MATCH, false},
	{"flow", "dump", "[FILTER]", "list flows with their counters",
		"By table and priority. One that the data plane does not have, or not yet, has its state\n"
		"after a #. --app: those of one owner alone. What is printed, counters and all, can be\n"
		"given to flow add.",
		"tenonctl flow dump\n"
		"tenonctl flow dump table=policy,tcp\n"
		"tenonctl flow dump --no-stats out_port=vm-a > rules.txt",
		tn_ctl_flow_dump, TN_CTL_O(TN_CTL_NO_STATS) | TN_CTL_O(TN_CTL_APP), 0, 1,
		TN_CTL_WORD_MATCH, false},
	{"flow", "replace", "FILE | -", "make the file all that its owner wants",
		"Other flows of the owner, --app, are deleted, missing ones added. Those that are the\n"
		"same stay as they are, with their counters; those of other owners do, too.",
		"tenonctl flow replace rules.txt --app firewall --dry-run\n"
		"tenonctl flow replace rules.txt --app firewall --confirm-within 60",
		tn_ctl_flow_replace, TN_CTL_O(TN_CTL_APP) | TN_CTL_O_CHANGE, 1, 1, TN_CTL_WORD_FILE,
		false},
	{"flow", "diff", "FILE [FILE]", "compare a file with the switch, or with another file",
		"What would have to go (-) and come (+) to make of the first file what the second one, or\n"
		"else the switch, has; of one owner alone with --app. Two files need no daemon. Exit\n"
		"status 2: they differ.",
		"tenonctl flow diff rules.txt\n"
		"tenonctl flow diff old.txt new.txt",
		tn_ctl_flow_diff, TN_CTL_O(TN_CTL_APP), 1, 2, TN_CTL_WORD_FILE, false},
	{"flow", "parse", "[FLOW... | FILE | -]",
		"check flows without a daemon, print them in order",
		"Prints each as the switch understands it, or what is wrong with it and where; --json\n"
		"makes JSON of text, and a JSON file is printed as text. A line may start with add,\n"
		"modify, delete, modify_strict or delete_strict. Ports and tables are written by number.",
		"tenonctl flow parse 'priority=9,tcp,nw_dst=10.0.0.0/8,actions=2'\n"
		"tenonctl flow parse rules.txt\n"
		"tenonctl --json flow parse - < rules.txt",
		flow_parse, TN_CTL_O(TN_CTL_FILE), 0, -1, TN_CTL_WORD_FLOW, false},
	{0},
};
