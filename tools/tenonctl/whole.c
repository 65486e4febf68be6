/* SPDX-License-Identifier: BSD-3-Clause */
/* tenonctl bundle, config, confirm, cancel: what changes many things at once. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/model/ofctl.h"
#include "tools/tenonctl/commands.h"
#include "tools/tenonctl/flow_text.h"
#include "tools/tenonctl/say.h"

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

static int parse_line(struct tn_ctl *ctl, const struct tn_ctl_line *whole, json_t *operations)
{
	struct tn_codec codec = tn_ctl_codec(ctl);
	uint32_t app = tn_names_intern(ctl->names, ctl->options.app);
	struct tn_ctl_line l = *whole;
	struct tn_group_mod gm;
	struct tn_meter_mod mm;
	struct tn_flow_mod fm;
	struct tn_mod mod = {0};
	struct tn_ofctl o;
	int command, rc;

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
		/* Columns count from where the parser began. */
		l.source = whole->source;
		tn_ctl_say_diagnostics(ctl, &l);
		return TN_CTL_USAGE;
	}
	json_array_append_new(operations, tn_mod_to_json(&codec, &mod));
	tn_ctl_forget_text(ctl);
	return TN_CTL_OK;
}

int tn_ctl_bundle(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	json_t *operations;
	struct tn_ctl_input in;
	int code = tn_ctl_learn_device(ctl), wrong = TN_CTL_OK;

	if (!code)
		code = tn_ctl_input_file(words->word[0], &in);
	if (code)
		return code;
	operations = json_array();
	if (in.is_json) {
		tn_ctl_say("%s is JSON: send it to /v1/transactions, or give lines", in.source);
		wrong = TN_CTL_USAGE;
	}
	for (size_t i = 0; i < in.n; i++)
		if (parse_line(ctl, &in.lines[i], operations))
			wrong = TN_CTL_USAGE;
	if (wrong)
		json_decref(operations);
	else
		wrong = tn_ctl_apply(ctl, operations, &in);
	tn_ctl_input_fini(&in);
	return wrong;
}

/* --- config ----------------------------------------------------------------------------------- */

int tn_ctl_config_get(struct tn_ctl *ctl, const struct tn_ctl_words *words)
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
	struct tn_ctl_answer now;
	int code;

	*answer = NULL;
	if (ctl->options.dry_run)
		return tn_ctl_send(ctl, "PUT", "/v1/config?dryRun=true", document, answer);
	code = tn_ctl_get_text(ctl, "/v1/config", &now);
	if (code)
		return code;
	tn_ctl_http_if_match(ctl->http, now.etag ? now.etag : "*");
	tn_ctl_answer_fini(&now);
	return tn_ctl_send(ctl, "PUT", "/v1/config", document, answer);
}

int tn_ctl_config_put(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	struct tn_ctl_input in;
	json_t *document, *answer = NULL;
	json_error_t err;
	int code = tn_ctl_input_file(words->word[0], &in);

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
		code = tn_ctl_tell(ctl, answer);
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

int tn_ctl_confirm(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	return decide(ctl, words, "confirm");
}

int tn_ctl_cancel(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	return decide(ctl, words, "cancel");
}
