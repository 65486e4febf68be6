/* SPDX-License-Identifier: BSD-3-Clause */
/* tenonctl flow add, mod, del, parse. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/model/ofctl.h"
#include "tools/tenonctl/commands.h"
#include "tools/tenonctl/flow_text.h"
#include "tools/tenonctl/input.h"
#include "tools/tenonctl/say.h"

/* What a transaction takes at once; a file with more goes in several. */
#define OPERATIONS_MAX 65536u

/*
 * A refusal names an operation by its place: here the lines that they came from.
 */
static void say_failed_line(const json_t *answer, const struct tn_ctl_input *in)
{
	json_int_t at = json_integer_value(json_object_get(answer, "failedIndex"));

	if (json_object_get(answer, "failedIndex") && at >= 0 && (size_t)at < in->n &&
		in->lines[at].source)
		fprintf(stderr, "%s:%u: this line was refused; nothing was changed\n",
			in->lines[at].source, in->lines[at].number);
}

static void print_dry_run(struct tn_ctl *ctl, const json_t *answer)
{
	const json_t *changes = json_object_get(answer, "changes"), *change;
	uint64_t total = tn_ctl_number(answer, "total");
	size_t i;

	json_array_foreach(changes, i, change) tn_ctl_print_change(ctl, change);
	if (total > json_array_size(changes))
		printf("and %" PRIu64 " more\n", total - json_array_size(changes));
	printf("%" PRIu64 " change%s; nothing was done (--dry-run)\n", total,
		total == 1 ? "" : "s");
}

int tn_ctl_tell(struct tn_ctl *ctl, const json_t *answer)
{
	if (ctl->options.json)
		return tn_ctl_print_json(answer);
	if (ctl->options.dry_run)
		print_dry_run(ctl, answer);
	return TN_CTL_OK;
}

int tn_ctl_apply(struct tn_ctl *ctl, json_t *operations, const struct tn_ctl_input *in)
{
	json_t *answer, *transaction;
	int code = tn_ctl_transact(ctl, operations, &answer);

	if (code) {
		say_failed_line(answer, in);
		json_decref(answer);
		return code;
	}
	transaction = json_object_get(answer, "transaction");
	code = tn_ctl_tell(ctl, answer);
	if (!ctl->options.json && json_is_string(transaction))
		printf("done; undone again in %u s unless confirmed: tenonctl confirm %s\n",
			ctl->options.confirm_within_s, json_string_value(transaction));
	json_decref(answer);
	return code;
}

/* Lines of one kind to operations; all that is wrong is said. */
static int read_lines(struct tn_ctl *ctl, const struct tn_ctl_input *in, enum tn_ofctl_use use,
	json_t *operations)
{
	struct tn_codec codec = tn_ctl_codec(ctl);
	uint32_t app = tn_names_intern(ctl->names, ctl->options.app);
	int code = TN_CTL_OK;

	for (size_t i = 0; i < in->n; i++) {
		const struct tn_ctl_line *l = &in->lines[i];
		struct tn_flow_mod fm;
		struct tn_mod mod = {.kind = TN_MOD_FLOW, .flow = &fm};
		struct tn_ofctl o;

		tn_ctl_reader(ctl, l->number, &o);
		if (tn_ofctl_parse_flow(&o, use, l->text, l->len, &fm)) {
			code = TN_CTL_USAGE;
			tn_ctl_say_diagnostics(ctl, l);
			continue;
		}
		fm.owner = app;
		json_array_append_new(operations, tn_mod_to_json(&codec, &mod));
		tn_ctl_forget_text(ctl);
	}
	return code;
}

/* {"flows":[..]}, or the array alone: operations as they are, which the daemon checks. */
int tn_ctl_read_document(const struct tn_ctl_input *in, const char *key, const char *one,
	const char *op, json_t *operations)
{
	json_error_t err;
	json_t *tree = json_loadb(in->data, in->len, JSON_REJECT_DUPLICATES, &err), *list, *item;
	size_t i;

	if (!tree) {
		fprintf(stderr, "%s:%d:%d: %s\n", in->source, err.line, err.column, err.text);
		return TN_CTL_USAGE;
	}
	list = json_is_array(tree) ? tree : json_object_get(tree, key);
	if (!json_is_array(list)) {
		tn_ctl_say("%s: give {\"%s\": [..]}, or the array alone", in->source, key);
		json_decref(tree);
		return TN_CTL_USAGE;
	}
	json_array_foreach(list, i, item)
		json_array_append_new(operations, json_pack("{s:s,s:O}", "op", op, one, item));
	json_decref(tree);
	return TN_CTL_OK;
}

static const char *op_of(enum tn_ofctl_use use)
{
	static const char *const ops[] = {
		[TN_OFCTL_ADD] = "add",
		[TN_OFCTL_MODIFY] = "modify",
		[TN_OFCTL_MODIFY_STRICT] = "modify_strict",
		[TN_OFCTL_DELETE] = "delete",
		[TN_OFCTL_DELETE_STRICT] = "delete_strict",
	};

	return ops[use];
}

/* In pieces that a transaction takes. */
static int apply_all(struct tn_ctl *ctl, json_t *operations, struct tn_ctl_input *in)
{
	size_t n = json_array_size(operations), done = 0;
	int code = TN_CTL_OK;

	if (n > OPERATIONS_MAX)
		tn_ctl_say("%zu flows: sent as %zu transactions, each whole or not at all", n,
			(n + OPERATIONS_MAX - 1) / OPERATIONS_MAX);
	while (done < n && !code) {
		json_t *part = json_array();
		struct tn_ctl_input lines = *in;

		for (size_t i = done; i < n && i < done + OPERATIONS_MAX; i++)
			json_array_append(part, json_array_get(operations, i));
		lines.lines = in->lines ? in->lines + done : NULL;
		lines.n = in->lines ? in->n - done : 0;
		done += json_array_size(part);
		code = tn_ctl_apply(ctl, part, &lines);
	}
	json_decref(operations);
	return code;
}

static int change(struct tn_ctl *ctl, const struct tn_ctl_words *words, enum tn_ofctl_use use)
{
	json_t *operations;
	struct tn_ctl_input in;
	int code = tn_ctl_learn_device(ctl);

	if (code)
		return code;
	code = tn_ctl_input_read(ctl, words, &in);
	if (code)
		return code;
	operations = json_array();
	if (in.is_json)
		code = tn_ctl_read_document(&in, "flows", "flow", op_of(use), operations);
	else
		code = read_lines(ctl, &in, use, operations);
	if (code) {
		if (in.n > 1)
			tn_ctl_say("nothing was sent");
		json_decref(operations);
	} else {
		code = apply_all(ctl, operations, &in);
	}
	tn_ctl_input_fini(&in);
	return code;
}

static int needs_input(struct tn_ctl *ctl, const struct tn_ctl_words *words, const char *what)
{
	if (words->n || ctl->options.file)
		return TN_CTL_OK;
	tn_ctl_say("%s: give a flow, or -f FILE", what);
	return TN_CTL_USAGE;
}

int tn_ctl_flow_add(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	int code = needs_input(ctl, words, "flow add");

	return code ? code : change(ctl, words, TN_OFCTL_ADD);
}

int tn_ctl_flow_mod(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	int code = needs_input(ctl, words, "flow mod");

	return code ? code
		    : change(ctl, words,
			      ctl->options.strict ? TN_OFCTL_MODIFY_STRICT : TN_OFCTL_MODIFY);
}

/* Without words: every flow, as ovs-ofctl del-flows. */
int tn_ctl_flow_del(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	static char everything[] = "";
	char *word = everything;
	struct tn_ctl_words all = {&word, 1};
	bool none = !words->n && !ctl->options.file;

	return change(ctl, none ? &all : words,
		ctl->options.strict ? TN_OFCTL_DELETE_STRICT : TN_OFCTL_DELETE);
}

/* --- parse ------------------------------------------------------------------------------------ */

static int parse_line(struct tn_ctl *ctl, const struct tn_ctl_line *l)
{
	struct tn_codec codec = tn_ctl_codec(ctl);
	struct tn_flow_mod fm;
	struct tn_mod mod = {.kind = TN_MOD_FLOW, .flow = &fm};
	struct tn_ofctl o;

	tn_ctl_reader(ctl, l->number, &o);
	if (tn_ofctl_parse_flow(&o, TN_OFCTL_ANY, l->text, l->len, &fm)) {
		tn_ctl_say_diagnostics(ctl, l);
		return TN_CTL_USAGE;
	}
	if (ctl->options.json) {
		json_t *j = tn_mod_to_json(&codec, &mod);

		json_dumpf(j, stdout, JSON_COMPACT);
		putchar('\n');
		json_decref(j);
	} else {
		char *text = tn_ctl_flow_mod_text(&fm, NULL);

		puts(text);
		free(text);
	}
	tn_ctl_forget_text(ctl);
	return TN_CTL_OK;
}

int tn_ctl_flow_parse(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	static char stdin_word[] = "-";
	char *word = stdin_word;
	struct tn_ctl_words standard = {&word, 1};
	struct tn_ctl_input in;
	int code, result = TN_CTL_OK;

	if (words->n == 1 && strchr(words->word[0], '=') == NULL)
		code = tn_ctl_input_file(words->word[0], &in);
	else
		code = tn_ctl_input_read(
			ctl, words->n || ctl->options.file ? words : &standard, &in);
	if (code)
		return code;
	if (in.is_json) {
		tn_ctl_say("%s is JSON: flow parse reads text", in.source);
		result = TN_CTL_USAGE;
	}
	/* Text of a file without a daemon: device 1, ports by their numbers. */
	ctl->dpid = 1;
	for (size_t i = 0; i < in.n; i++) {
		code = parse_line(ctl, &in.lines[i]);
		if (code)
			result = code;
	}
	tn_ctl_input_fini(&in);
	return result;
}
