/* SPDX-License-Identifier: BSD-3-Clause */
/* tenonctl group and meter. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/tenonctl/flow_text.h"
#include "tools/tenonctl/say.h"
#include "tools/tenonctl/share.h"

/* A kind of object whose lines become operations. */
struct kind {
	const char *name, *plural; /* "group", "groups" */
	/* One line as a mod of a command; the mod points into the arena. */
	int (*parse)(struct tn_ctl *ctl, int command, const struct tn_ctl_line *line,
		struct tn_mod *mod);
	/* An element of a list in JSON. */
	int (*decode)(struct tn_ctl *ctl, const json_t *j, struct tn_mod *mod);
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
	gm->owner = tn_names_intern(ctl->names, tn_ctl_app(ctl));
	return 0;
}

static int decode_group(struct tn_ctl *ctl, const json_t *j, struct tn_mod *mod)
{
	struct tn_group_mod *gm = tn_arena_alloc(&ctl->arena, sizeof(*gm));
	struct tn_codec codec = tn_ctl_codec(ctl);

	*mod = (struct tn_mod){.kind = TN_MOD_GROUP, .group = gm};
	return tn_group_from_json(&codec, "", j, gm);
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
	mm->owner = tn_names_intern(ctl->names, tn_ctl_app(ctl));
	return 0;
}

static int decode_meter(struct tn_ctl *ctl, const json_t *j, struct tn_mod *mod)
{
	struct tn_meter_mod *mm = tn_arena_alloc(&ctl->arena, sizeof(*mm));
	struct tn_codec codec = tn_ctl_codec(ctl);

	*mod = (struct tn_mod){.kind = TN_MOD_METER, .meter = mm};
	return tn_meter_from_json(&codec, "", j, mm);
}

static char *print_meter(struct tn_ctl *ctl, const struct tn_mod *mod)
{
	return tn_ofctl_print_meter(tn_meter_mod_to_meter(&ctl->arena, mod->meter));
}

static const struct kind group_kind = {"group", "groups", parse_group, decode_group, print_group};
static const struct kind meter_kind = {"meter", "meters", parse_meter, decode_meter, print_meter};

/* NULL: the answer has what this program does not read. */
static char *json_text(struct tn_ctl *ctl, const struct kind *kind, const json_t *object)
{
	struct tn_mod mod;
	char *text = kind->decode(ctl, object, &mod) ? NULL : kind->print(ctl, &mod);

	tn_ctl_forget_text(ctl);
	return text;
}

char *tn_ctl_group_json_text(struct tn_ctl *ctl, const json_t *group)
{
	return json_text(ctl, &group_kind, group);
}

char *tn_ctl_meter_json_text(struct tn_ctl *ctl, const json_t *meter)
{
	return json_text(ctl, &meter_kind, meter);
}

/* --- changes ---------------------------------------------------------------------------------- */

static int read_lines(struct tn_ctl *ctl, const struct kind *kind, int command,
	const struct tn_ctl_input *in, struct tn_ctl_operations *ops)
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
		tn_ctl_operations_add(ops, tn_mod_to_json(&codec, &mod));
		tn_ctl_forget_text(ctl);
	}
	return code;
}

/* What a verb does: the command of a line, the operation of a document's element. */
struct verb {
	const struct kind *kind;
	int command;
	const char *op;
	const struct tn_ctl_done *done;
};

static int change(struct tn_ctl *ctl, const struct tn_ctl_words *words, const struct verb *verb)
{
	const struct kind *kind = verb->kind;
	struct tn_ctl_operations ops = {0};
	struct tn_ctl_input in;
	int code;

	if (!words->n && !ctl->options.file) {
		tn_ctl_say("give a %s, or -f FILE", kind->name);
		return TN_CTL_USAGE;
	}
	code = tn_ctl_learn_device(ctl);
	if (!code)
		code = tn_ctl_input_read(ctl, words, &in);
	if (code)
		return code;
	code = in.is_json ? tn_ctl_read_document(ctl, &in, kind->plural, kind->name, verb->op, &ops)
			  : read_lines(ctl, kind, verb->command, &in, &ops);
	if (!code)
		code = tn_ctl_apply(ctl, &ops, &in, verb->done, true);
	else if (in.n > 1)
		tn_ctl_say("nothing was sent");
	tn_ctl_operations_fini(&ops);
	tn_ctl_input_fini(&in);
	return code;
}

static void print_mod(struct tn_ctl *ctl, const struct kind *kind, const struct tn_mod *mod)
{
	struct tn_codec codec = tn_ctl_codec(ctl);
	char *text;
	json_t *j;

	if (ctl->options.json) {
		j = tn_mod_to_json(&codec, mod);
		json_object_del(json_object_get(j, kind->name), "appId");
		text = json_dumps(j, JSON_COMPACT);
		json_decref(j);
	} else {
		text = kind->print(ctl, mod);
	}
	puts(text ? text : "");
	free(text);
}

static int parse_document(
	struct tn_ctl *ctl, const struct tn_ctl_input *in, const struct kind *kind)
{
	json_error_t err;
	json_t *tree = json_loadb(in->data, in->len, JSON_REJECT_DUPLICATES, &err), *item;
	const json_t *list = json_is_array(tree) ? tree : json_object_get(tree, kind->plural);
	int code = json_is_array(list) ? TN_CTL_OK : TN_CTL_USAGE;
	size_t i;

	if (!tree)
		fprintf(stderr, "%s:%d:%d: %s\n", in->source, err.line, err.column, err.text);
	else if (code)
		tn_ctl_say("%s: give {\"%s\": [..]}, or the array alone", in->source, kind->plural);
	json_array_foreach(list, i, item)
	{
		struct tn_mod mod;
		char base[32];

		if (kind->decode(ctl, item, &mod)) {
			code = TN_CTL_USAGE;
			snprintf(base, sizeof(base), "/%s/%zu", kind->plural, i);
			tn_ctl_say_document(ctl, in->source, base);
		} else {
			print_mod(ctl, kind, &mod);
		}
		tn_ctl_forget_text(ctl);
	}
	json_decref(tree);
	return code;
}

static int parse_only(struct tn_ctl *ctl, const struct tn_ctl_words *words, const struct kind *kind)
{
	struct tn_ctl_input in;
	int code = tn_ctl_input_read(ctl, words, &in);

	if (code)
		return code;
	tn_ctl_without_device(ctl);
	if (in.is_json)
		code = parse_document(ctl, &in, kind);
	for (size_t i = 0; i < in.n; i++) {
		struct tn_mod mod;

		if (kind->parse(ctl, 0, &in.lines[i], &mod)) {
			tn_ctl_say_diagnostics(ctl, &in.lines[i]);
			code = TN_CTL_USAGE;
			continue;
		}
		print_mod(ctl, kind, &mod);
		tn_ctl_forget_text(ctl);
	}
	tn_ctl_input_fini(&in);
	return code;
}

/* --- dumps ------------------------------------------------------------------------------------ */

static void print_object(struct tn_ctl *ctl, const struct kind *kind, const json_t *object)
{
	const char *state = json_string_value(json_object_get(object, "state"));
	const char *failure = json_string_value(json_object_get(object, "failure"));
	char *text = json_text(ctl, kind, object);

	tn_ctl_print_clean(stdout, text ? text : "?");
	if (state && strcmp(state, "ADDED") != 0) {
		printf(" # %s%s", state, failure ? ": " : "");
		tn_ctl_print_clean(stdout, failure ? failure : "");
	}
	putchar('\n');
	free(text);
}

/* All, or the one of a number. False: there is none. */
static bool print_list(
	struct tn_ctl *ctl, const json_t *answer, const struct kind *kind, const char *wanted)
{
	const json_t *object;
	bool shown = false;
	char id[32];
	size_t i;

	json_array_foreach(json_object_get(answer, kind->plural), i, object)
	{
		if (wanted && strcmp(tn_ctl_text(object, "id", id), wanted) != 0)
			continue;
		shown = true;
		if (ctl->options.json)
			tn_ctl_print_json(object);
		else
			print_object(ctl, kind, object);
	}
	return shown || !wanted;
}

static int dump(struct tn_ctl *ctl, const struct tn_ctl_words *words, const struct kind *kind)
{
	const char *wanted = words->n ? words->word[0] : NULL;
	json_t *answer;
	char *path;
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
	} else if (!print_list(ctl, answer, kind, wanted)) {
		tn_ctl_say("there is no %s %s", kind->name, wanted);
		code = TN_CTL_REFUSED;
	}
	json_decref(answer);
	return code;
}

/* --- commands --------------------------------------------------------------------------------- */

static const struct tn_ctl_done groups_deleted = {"object", "deleted"};

static int group_add(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	static const struct verb verb = {&group_kind, TN_GROUP_ADD, "add", NULL};

	return change(ctl, words, &verb);
}

static int group_mod(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	static const struct verb verb = {&group_kind, TN_GROUP_MODIFY, "modify", NULL};

	return change(ctl, words, &verb);
}

static int group_del(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	static const struct verb verb = {&group_kind, TN_GROUP_DELETE, "delete", &groups_deleted};

	return change(ctl, words, &verb);
}

static int group_insert(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	static const struct verb verb = {
		&group_kind, TN_GROUP_INSERT_BUCKET, "insert_bucket", NULL};

	return change(ctl, words, &verb);
}

static int group_remove(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	static const struct verb verb = {
		&group_kind, TN_GROUP_REMOVE_BUCKET, "remove_bucket", NULL};

	return change(ctl, words, &verb);
}

static int group_dump(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	return dump(ctl, words, &group_kind);
}

static int group_parse(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	return parse_only(ctl, words, &group_kind);
}

static int meter_add(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	static const struct verb verb = {&meter_kind, TN_METER_ADD, "add", NULL};

	return change(ctl, words, &verb);
}

static int meter_mod(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	static const struct verb verb = {&meter_kind, TN_METER_MODIFY, "modify", NULL};

	return change(ctl, words, &verb);
}

static int meter_del(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	static const struct verb verb = {&meter_kind, TN_METER_DELETE, "delete", &groups_deleted};

	return change(ctl, words, &verb);
}

static int meter_dump(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	return dump(ctl, words, &meter_kind);
}

static int meter_parse(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	return parse_only(ctl, words, &meter_kind);
}

#define FROM_FILE TN_CTL_O(TN_CTL_FILE)
#define MADE	  (FROM_FILE | TN_CTL_O(TN_CTL_APP) | TN_CTL_O_CHANGE)
#define GROUP_TEXT \
	"group_id=N,type=all|select|indirect|ff,bucket=[weight:N,watch_port:P,]actions=..."
#define METER_TEXT "meter=N,kbps|pktps[,burst],bands=type=drop,rate=N[,burst_size=N]"

const struct tn_ctl_command tn_ctl_group_commands[] = {
	{"group", "add", "GROUP... | -f FILE | -", "add groups", GROUP_TEXT,
		"tenonctl group add group_id=1,type=select,bucket=output:1,bucket=weight:3,output:2\n"
		"tenonctl group add group_id=2,type=ff,bucket=watch_port:1,output:1,bucket=watch_port:2,output:2\n"
		"tenonctl group add -f groups.txt --app balancer",
		group_add, MADE, 0, -1, TN_CTL_WORD_NONE, false},
	{"group", "mod", "GROUP... | -f FILE | -", "change type and buckets of groups", GROUP_TEXT,
		"tenonctl group mod group_id=1,type=all,bucket=output:1,bucket=output:2", group_mod,
		MADE, 0, -1, TN_CTL_WORD_GROUP_CHOICE, false},
	{"group", "del", "group_id=N|all ... | -f FILE | -",
		"delete groups, and the flows that use them", NULL,
		"tenonctl group del group_id=1\n"
		"tenonctl group del group_id=all --dry-run",
		group_del, FROM_FILE | TN_CTL_O_CHANGE, 0, -1, TN_CTL_WORD_GROUP_CHOICE, false},
	{"group", "insert-buckets", "group_id=N,command_bucket_id=ID|first|last,bucket=...",
		"add buckets to a group", "Before the bucket of that number, or first or last.",
		"tenonctl group insert-buckets group_id=1,command_bucket_id=last,bucket=output:3",
		group_insert, FROM_FILE | TN_CTL_O_CHANGE, 0, -1, TN_CTL_WORD_GROUP_CHOICE, false},
	{"group", "remove-buckets", "group_id=N,command_bucket_id=ID|first|last|all",
		"remove buckets from a group", NULL,
		"tenonctl group remove-buckets group_id=1,command_bucket_id=0", group_remove,
		FROM_FILE | TN_CTL_O_CHANGE, 0, -1, TN_CTL_WORD_GROUP_CHOICE, false},
	{"group", "dump", "[ID]", "list groups",
		"As group add takes them; stats groups has counters.",
		"tenonctl group dump\ntenonctl group dump 1", group_dump, 0, 0, 1,
		TN_CTL_WORD_GROUP, false},
	{"group", "parse", "GROUP... | -f FILE | -", "check groups without a daemon", GROUP_TEXT,
		"tenonctl group parse group_id=1,type=indirect,bucket=actions=output:1",
		group_parse, FROM_FILE, 0, -1, TN_CTL_WORD_NONE, false},
	{"meter", "add", "METER... | -f FILE | -", "add meters", METER_TEXT,
		"tenonctl meter add meter=1,kbps,burst,bands=type=drop,rate=100000,burst_size=1000\n"
		"tenonctl flow add priority=5,in_port=vm-a actions=meter:1,output:vm-b",
		meter_add, MADE, 0, -1, TN_CTL_WORD_NONE, false},
	{"meter", "mod", "METER... | -f FILE | -", "change meters", METER_TEXT,
		"tenonctl meter mod meter=1,kbps,bands=type=drop,rate=50000", meter_mod, MADE, 0,
		-1, TN_CTL_WORD_METER_CHOICE, false},
	{"meter", "del", "meter=N|all ... | -f FILE | -",
		"delete meters, and the flows that use them", NULL,
		"tenonctl meter del meter=1\n"
		"tenonctl meter del meter=all --dry-run",
		meter_del, FROM_FILE | TN_CTL_O_CHANGE, 0, -1, TN_CTL_WORD_METER_CHOICE, false},
	{"meter", "dump", "[ID]", "list meters",
		"As meter add takes them; stats meters has counters.", "tenonctl meter dump",
		meter_dump, 0, 0, 1, TN_CTL_WORD_METER, false},
	{"meter", "parse", "METER... | -f FILE | -", "check meters without a daemon", METER_TEXT,
		"tenonctl meter parse meter=1,pktps,bands=type=drop,rate=1000", meter_parse,
		FROM_FILE, 0, -1, TN_CTL_WORD_NONE, false},
	{0},
};
