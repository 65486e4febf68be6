/* SPDX-License-Identifier: BSD-3-Clause */
/* tenonctl group and meter. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/model/ofctl.h"
#include "tools/tenonctl/commands.h"
#include "tools/tenonctl/flow_text.h"
#include "tools/tenonctl/say.h"

/* A kind of object whose lines become operations. */
struct kind {
	const char *name, *plural; /* "group", "groups" */
	/* One line as a mod of a command; the mod points into the arena. */
	int (*parse)(struct tn_ctl *ctl, int command, const struct tn_ctl_line *line,
		struct tn_mod *mod);
	/* An added one as canonical text; the caller frees it. */
	char *(*print)(struct tn_ctl *ctl, const struct tn_mod *mod);
};

static int parse_group(
	struct tn_ctl *ctl, int command, const struct tn_ctl_line *line, struct tn_mod *mod)
{
	struct tn_group_mod *gm = tn_arena_alloc(&ctl->arena, sizeof(*gm));
	struct tn_ofctl o;

	tn_ctl_reader(ctl, line->number, &o);
	mod->kind = TN_MOD_GROUP;
	mod->group = gm;
	if (tn_ofctl_parse_group(&o, (enum tn_group_command)command, line->text, line->len, gm))
		return -1;
	gm->owner = tn_names_intern(ctl->names, ctl->options.app);
	return 0;
}

static char *print_group(struct tn_ctl *ctl, const struct tn_mod *mod)
{
	struct tn_group_info info;

	tn_group_mod_to_info(&ctl->arena, mod->group, &info);
	return tn_ofctl_print_group(&info, ctl->options.names ? ctl->names : NULL);
}

static int parse_meter(
	struct tn_ctl *ctl, int command, const struct tn_ctl_line *line, struct tn_mod *mod)
{
	struct tn_meter_mod *mm = tn_arena_alloc(&ctl->arena, sizeof(*mm));
	struct tn_ofctl o;

	tn_ctl_reader(ctl, line->number, &o);
	mod->kind = TN_MOD_METER;
	mod->meter = mm;
	if (tn_ofctl_parse_meter(&o, (enum tn_meter_command)command, line->text, line->len, mm))
		return -1;
	mm->owner = tn_names_intern(ctl->names, ctl->options.app);
	return 0;
}

static char *print_meter(struct tn_ctl *ctl, const struct tn_mod *mod)
{
	return tn_ofctl_print_meter(tn_meter_mod_to_meter(&ctl->arena, mod->meter));
}

static const struct kind group_kind = {"group", "groups", parse_group, print_group};
static const struct kind meter_kind = {"meter", "meters", parse_meter, print_meter};

static int read_lines(struct tn_ctl *ctl, const struct kind *kind, int command,
	const struct tn_ctl_input *in, json_t *operations)
{
	struct tn_codec codec = tn_ctl_codec(ctl);
	int code = TN_CTL_OK;

	for (size_t i = 0; i < in->n; i++) {
		struct tn_mod mod;

		if (kind->parse(ctl, command, &in->lines[i], &mod)) {
			code = TN_CTL_USAGE;
			tn_ctl_say_diagnostics(ctl, &in->lines[i]);
			continue;
		}
		json_array_append_new(operations, tn_mod_to_json(&codec, &mod));
		tn_ctl_forget_text(ctl);
	}
	return code;
}

static int change(struct tn_ctl *ctl, const struct tn_ctl_words *words, const struct kind *kind,
	int command, const char *op)
{
	json_t *operations;
	struct tn_ctl_input in;
	int code = tn_ctl_learn_device(ctl);

	if (!words->n && !ctl->options.file) {
		tn_ctl_say("give a %s, or -f FILE", kind->name);
		return TN_CTL_USAGE;
	}
	if (!code)
		code = tn_ctl_input_read(ctl, words, &in);
	if (code)
		return code;
	operations = json_array();
	code = in.is_json ? tn_ctl_read_document(&in, kind->plural, kind->name, op, operations)
			  : read_lines(ctl, kind, command, &in, operations);
	if (code)
		json_decref(operations);
	else
		code = tn_ctl_apply(ctl, operations, &in);
	tn_ctl_input_fini(&in);
	return code;
}

static int parse_only(struct tn_ctl *ctl, const struct tn_ctl_words *words, const struct kind *kind)
{
	struct tn_codec codec;
	struct tn_ctl_input in;
	int code = tn_ctl_input_read(ctl, words, &in);

	if (code)
		return code;
	ctl->dpid = 1;
	codec = tn_ctl_codec(ctl);
	for (size_t i = 0; i < in.n; i++) {
		struct tn_mod mod;
		char *text;

		if (kind->parse(ctl, 0, &in.lines[i], &mod)) {
			tn_ctl_say_diagnostics(ctl, &in.lines[i]);
			code = TN_CTL_USAGE;
			continue;
		}
		if (ctl->options.json) {
			json_t *j = tn_mod_to_json(&codec, &mod);

			json_dumpf(j, stdout, JSON_COMPACT);
			putchar('\n');
			json_decref(j);
		} else {
			text = kind->print(ctl, &mod);
			puts(text ? text : "");
			free(text);
		}
		tn_ctl_forget_text(ctl);
	}
	tn_ctl_input_fini(&in);
	return code;
}

/* --- dumps ------------------------------------------------------------------------------------ */

static void print_object(struct tn_ctl *ctl, const struct kind *kind, const json_t *object)
{
	struct tn_codec codec = tn_ctl_codec(ctl);
	struct tn_group_mod gm;
	struct tn_meter_mod mm;
	struct tn_mod mod;
	const char *state = json_string_value(json_object_get(object, "state"));
	char *text = NULL;

	if (kind == &group_kind) {
		mod = (struct tn_mod){.kind = TN_MOD_GROUP, .group = &gm};
		if (!tn_group_from_json(&codec, "/groups", object, &gm))
			text = kind->print(ctl, &mod);
	} else {
		mod = (struct tn_mod){.kind = TN_MOD_METER, .meter = &mm};
		if (!tn_meter_from_json(&codec, "/meters", object, &mm))
			text = kind->print(ctl, &mod);
	}
	printf(" %s", text ? text : "?");
	if (ctl->options.stats)
		printf(", n_packets=%" PRIu64 ", n_bytes=%" PRIu64 ", ref_count=%" PRIu64,
			tn_ctl_number(object, "packets"), tn_ctl_number(object, "bytes"),
			tn_ctl_number(object, "referenceCount"));
	if (state && strcmp(state, "ADDED") != 0)
		printf(" # %s", state);
	putchar('\n');
	free(text);
	tn_ctl_forget_text(ctl);
}

static int dump(struct tn_ctl *ctl, const struct tn_ctl_words *words, const struct kind *kind)
{
	const char *wanted = words->n ? words->word[0] : NULL;
	const json_t *object;
	json_t *answer;
	char *path, id[32];
	size_t i;
	int code = tn_ctl_learn_device(ctl);

	if (code)
		return code;
	path = tn_ctl_path("/v1/%s", kind->plural);
	code = tn_ctl_get(ctl, path, &answer);
	free(path);
	if (code)
		return code;
	if (ctl->options.json && !wanted) {
		code = tn_ctl_print_json(answer);
	} else {
		size_t shown = 0;

		json_array_foreach(json_object_get(answer, kind->plural), i, object)
		{
			if (wanted && strcmp(tn_ctl_text(object, "id", id), wanted) != 0)
				continue;
			if (ctl->options.json)
				tn_ctl_print_json(object);
			else
				print_object(ctl, kind, object);
			shown++;
		}
		if (wanted && !shown) {
			tn_ctl_say("there is no %s %s", kind->name, wanted);
			code = TN_CTL_REFUSED;
		}
	}
	json_decref(answer);
	return code;
}

/* --- commands --------------------------------------------------------------------------------- */

int tn_ctl_group_add(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	return change(ctl, words, &group_kind, TN_GROUP_ADD, "add");
}

int tn_ctl_group_mod(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	return change(ctl, words, &group_kind, TN_GROUP_MODIFY, "modify");
}

int tn_ctl_group_del(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	return change(ctl, words, &group_kind, TN_GROUP_DELETE, "delete");
}

int tn_ctl_group_insert(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	return change(ctl, words, &group_kind, TN_GROUP_INSERT_BUCKET, "insert_bucket");
}

int tn_ctl_group_remove(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	return change(ctl, words, &group_kind, TN_GROUP_REMOVE_BUCKET, "remove_bucket");
}

int tn_ctl_group_dump(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	return dump(ctl, words, &group_kind);
}

int tn_ctl_group_parse(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	return parse_only(ctl, words, &group_kind);
}

int tn_ctl_meter_add(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	return change(ctl, words, &meter_kind, TN_METER_ADD, "add");
}

int tn_ctl_meter_mod(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	return change(ctl, words, &meter_kind, TN_METER_MODIFY, "modify");
}

int tn_ctl_meter_del(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	return change(ctl, words, &meter_kind, TN_METER_DELETE, "delete");
}

int tn_ctl_meter_dump(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	return dump(ctl, words, &meter_kind);
}

int tn_ctl_meter_parse(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	return parse_only(ctl, words, &meter_kind);
}
