/* SPDX-License-Identifier: BSD-3-Clause */
/* tenonctl bundle, config, confirm, cancel: what changes many things at once. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/tenonctl/flow_text.h"
#include "tools/tenonctl/packet_out.h"
#include "tools/tenonctl/say.h"
#include "tools/tenonctl/share.h"

/* --- bundle ----------------------------------------------------------------------------------- */

/* The first words of a bundle's lines, as ovs-ofctl bundle has them. */
struct start {
	const char *noun, *verb;
	int command;
};

static const struct start group_starts[] = {
	{"group", "add", TN_GROUP_ADD},
	{"group", "modify", TN_GROUP_MODIFY},
	{"group", "delete", TN_GROUP_DELETE},
	{"group", "insert_bucket", TN_GROUP_INSERT_BUCKET},
	{"group", "remove_bucket", TN_GROUP_REMOVE_BUCKET},
};

static const struct start meter_starts[] = {
	{"meter", "add", TN_METER_ADD},
	{"meter", "modify", TN_METER_MODIFY},
	{"meter", "delete", TN_METER_DELETE},
};

/* Takes a word and the blanks after it off the line. */
static bool take_word(struct tn_ctl_line *l, const char *word)
{
	size_t n = strlen(word), blank;

	for (blank = 0; blank < l->len && strchr(" \t", l->text[blank]); blank++)
		;
	if (l->len - blank < n || memcmp(l->text + blank, word, n) != 0)
		return false;
	if (l->len > blank + n && !strchr(" \t,", l->text[blank + n]))
		return false;
	for (n += blank; n < l->len && strchr(" \t", l->text[n]); n++)
		;
	l->text += n;
	l->len -= n;
	return true;
}

/* -1: the line starts with none of them. */
static int take_start(struct tn_ctl_line *l, const struct start *starts, size_t n)
{
	struct tn_ctl_line at = *l;

	if (!take_word(&at, starts[0].noun))
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct tn_ctl_line rest = at;

		if (take_word(&rest, starts[i].verb)) {
			*l = rest;
			return starts[i].command;
		}
	}
	/* As ovs-ofctl: without a verb it is an add. */
	*l = at;
	return starts[0].command;
}

/* in_port=P,packet=HEX,actions=... */
static int parse_packet_out(
	struct tn_ctl *ctl, const struct tn_ctl_line *line, struct tn_ctl_operations *ops)
{
	char *text = strndup(line->text, line->len);
	const struct tn_ctl_line copy = {text, line->len, line->number, line->source};
	json_t *packet = text ? tn_ctl_packet_out_json(ctl, &copy) : NULL;

	free(text);
	if (!packet)
		return TN_CTL_USAGE;
	tn_ctl_operations_add(ops, json_pack("{s:s,s:o}", "op", "packet-out", "packetOut", packet));
	return TN_CTL_OK;
}

static int parse_line(
	struct tn_ctl *ctl, const struct tn_ctl_line *whole, struct tn_ctl_operations *ops)
{
	struct tn_codec codec = tn_ctl_codec(ctl);
	uint32_t app = tn_names_intern(ctl->names, tn_ctl_app(ctl));
	struct tn_ctl_line l = *whole;
	struct tn_group_mod gm;
	struct tn_meter_mod mm;
	struct tn_flow_mod fm;
	struct tn_mod mod = {0};
	struct tn_ofctl o;
	int command, rc;

	if (take_word(&l, "packet-out"))
		return parse_packet_out(ctl, &l, ops);
	tn_ctl_reader(ctl, l.number, &o);
	command = take_start(&l, group_starts, TN_ARRAY_SIZE(group_starts));
	if (command >= 0) {
		mod = (struct tn_mod){.kind = TN_MOD_GROUP, .group = &gm};
		rc = tn_ofctl_parse_group(&o, (enum tn_group_command)command, l.text, l.len, &gm);
		gm.owner = app;
	} else if ((command = take_start(&l, meter_starts, TN_ARRAY_SIZE(meter_starts))) >= 0) {
		mod = (struct tn_mod){.kind = TN_MOD_METER, .meter = &mm};
		rc = tn_ofctl_parse_meter(&o, (enum tn_meter_command)command, l.text, l.len, &mm);
		mm.owner = app;
	} else {
		(void)take_word(&l, "flow");
		mod = (struct tn_mod){.kind = TN_MOD_FLOW, .flow = &fm};
		rc = tn_ofctl_parse_flow(&o, TN_OFCTL_ANY, l.text, l.len, &fm);
		fm.owner = app;
	}
	if (rc) {
		/* The parser counts from where it began. */
		for (size_t i = 0; i < ctl->diag.n; i++)
			ctl->diag.list[i].column += (uint32_t)(l.text - whole->text);
		tn_ctl_say_diagnostics(ctl, whole);
		return TN_CTL_USAGE;
	}
	tn_ctl_operations_add(ops, tn_mod_to_json(&codec, &mod));
	tn_ctl_forget_text(ctl);
	return TN_CTL_OK;
}

/* {"operations":[..]} as the northbound has it. */
static int read_operations(struct tn_ctl_input *in, struct tn_ctl_operations *ops)
{
	json_error_t err;
	json_t *tree = json_loadb(in->data, in->len, JSON_REJECT_DUPLICATES, &err), *item;
	const json_t *list = json_is_array(tree) ? tree : json_object_get(tree, "operations");
	int code = json_is_array(list) ? TN_CTL_OK : TN_CTL_USAGE;
	size_t i;

	if (!tree)
		fprintf(stderr, "%s:%d:%d: %s\n", in->source, err.line, err.column, err.text);
	else if (code)
		tn_ctl_say("%s: give {\"operations\": [..]}, or lines", in->source);
	json_array_foreach(list, i, item) tn_ctl_operations_add(ops, json_incref(item));
	tn_ctl_input_list(in, list == tree ? NULL : "operations", json_array_size(list));
	json_decref(tree);
	return code;
}

static int bundle(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	struct tn_ctl_operations ops = {0};
	struct tn_ctl_input in;
	int code = tn_ctl_learn_device(ctl), wrong = TN_CTL_OK;

	if (!code)
		code = tn_ctl_input_file(words->word[0], &in);
	if (code)
		return code;
	if (in.is_json)
		wrong = read_operations(&in, &ops);
	for (size_t i = 0; i < in.n; i++)
		if (parse_line(ctl, &in.lines[i], &ops))
			wrong = TN_CTL_USAGE;
	if (!wrong)
		wrong = tn_ctl_apply(ctl, &ops, &in, NULL, true);
	else if (in.n > 1)
		tn_ctl_say("nothing was sent");
	tn_ctl_operations_fini(&ops);
	tn_ctl_input_fini(&in);
	return wrong;
}

/* --- config ----------------------------------------------------------------------------------- */

static int config_get(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	json_t *answer;
	int code = tn_ctl_get(ctl, "/v1/config", &answer);

	(void)words;
	if (!code)
		code = tn_ctl_print_json(answer);
	json_decref(answer);
	return code;
}

/* What is replaced is what there was when this began: a change in between is refused, not lost. */
static int put_document(struct tn_ctl *ctl, const json_t *document, json_t **answer)
{
	char *path = tn_ctl_manner(ctl, tn_ctl_path("/v1/config"));
	struct tn_ctl_answer now;
	int code = TN_CTL_OK;

	*answer = NULL;
	if (!ctl->options.dry_run) {
		code = tn_ctl_get_text(ctl, "/v1/config", &now);
		if (!code) {
			tn_ctl_http_if_match(ctl->http, now.etag ? now.etag : "*");
			tn_ctl_answer_fini(&now);
		}
	}
	if (!code)
		code = tn_ctl_send(ctl, "PUT", path, document, answer);
	free(path);
	return code;
}

static void tell_changed(struct tn_ctl *ctl, const json_t *answer)
{
	uint64_t n = tn_ctl_number(answer, "changed");
	char done[64];

	snprintf(done, sizeof(done), "%" PRIu64 " object%s changed", n, n == 1 ? "" : "s");
	tn_ctl_tell(ctl, answer, done);
}

static int config_put(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	struct tn_ctl_input in;
	json_t *document, *answer = NULL;
	json_error_t err;
	int code = tn_ctl_learn_device(ctl);

	if (!code)
		code = tn_ctl_input_file(words->word[0], &in);
	if (code)
		return code;
	document = json_loadb(in.data, in.len, JSON_REJECT_DUPLICATES, &err);
	if (document) {
		code = put_document(ctl, document, &answer);
	} else {
		fprintf(stderr, "%s:%d:%d: %s\n", in.source, err.line, err.column, err.text);
		code = TN_CTL_USAGE;
	}
	if (!code)
		tell_changed(ctl, answer);
	json_decref(answer);
	json_decref(document);
	tn_ctl_input_fini(&in);
	return code;
}

/* --- transactions that wait ------------------------------------------------------------------- */

static int decide(struct tn_ctl *ctl, const struct tn_ctl_words *words, const char *verb)
{
	char *id = tn_ctl_escape(words->word[0]);
	char *path = tn_ctl_path("/v1/transactions/%s/%s", id, verb);
	json_t *answer = NULL;
	int code = tn_ctl_send(ctl, "POST", path, NULL, &answer);

	json_decref(answer);
	free(path);
	free(id);
	return code;
}

static int confirm(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	return decide(ctl, words, "confirm");
}

static int cancel(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	return decide(ctl, words, "cancel");
}

/* --- the table -------------------------------------------------------------------------------- */

const struct tn_ctl_command tn_ctl_whole_commands[] = {
	{"bundle", NULL, "FILE | -",
		"changes of flows, groups and meters: all of a file or nothing",
		"Lines as ovs-ofctl bundle has them, each with a kind, a verb and the text of the kind;\n"
		"or {\"operations\":[..]} as POST /v1/transactions takes it.\n"
		"\n"
		"  flow add|modify|delete|modify_strict|delete_strict ...\n"
		"  group add|modify|delete|insert_bucket|remove_bucket ...\n"
		"  meter add|modify|delete ...\n"
		"  packet-out in_port=PORT,packet=HEX,actions=...",
		"tenonctl bundle changes.txt --dry-run\n"
		"tenonctl bundle changes.txt --confirm-within 60\n"
		"echo 'group delete group_id=1' | tenonctl bundle -",
		bundle, TN_CTL_O(TN_CTL_APP) | TN_CTL_O_CHANGE, 1, 1, TN_CTL_WORD_FILE, false},
	{"config", "get", "", "the whole configuration as a document",
		"tenon-dataplane --load and tenon-replay --config read it, too.",
		"tenonctl config get > switch.json", config_get, 0, 0, 0, TN_CTL_WORD_NONE, false},
	{"config", "put", "FILE | -", "make the switch what a document says",
		"With the smallest change: what is the same keeps its counters. What others changed in\n"
		"between is refused, not lost.",
		"tenonctl config put switch.json --dry-run\n"
		"tenonctl config put switch.json --confirm-within 120",
		config_put, TN_CTL_O_CHANGE, 1, 1, TN_CTL_WORD_FILE, false},
	{"confirm", NULL, "TRANSACTION", "keep what was done with --confirm-within", NULL,
		"tenonctl confirm 12", confirm, 0, 1, 1, TN_CTL_WORD_NONE, false},
	{"cancel", NULL, "TRANSACTION", "undo it now", NULL, "tenonctl cancel 12", cancel, 0, 1, 1,
		TN_CTL_WORD_NONE, false},
	{0},
};
