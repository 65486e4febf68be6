/* SPDX-License-Identifier: BSD-3-Clause */
/* tenonctl complete: what the shell's completion offers, made here where everything is known. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/model/ofctl.h"
#include "tools/tenonctl/commands.h"
#include "tools/tenonctl/network.h"
#include "tools/tenonctl/share.h"

/* The word that is typed, and what stands before the part of it that is completed. */
struct typed {
	struct tn_ctl *ctl;
	const char *word;
	size_t prefix; /* bytes of it that stay */
};

/* A candidate, when it begins as what was typed. suffix: "" or what follows it. */
static void offer(const struct typed *t, const char *candidate, const char *suffix)
{
	const char *part = t->word + t->prefix;

	if (strncmp(candidate, part, strlen(part)) == 0)
		printf("%.*s%s%s\n", (int)t->prefix, t->word, candidate, suffix);
}

static void offer_words(const struct typed *t, const char *const *words)
{
	for (; *words; words++)
		offer(t, *words, "");
}

/* --- names of the switch ---------------------------------------------------------------------- */

static void offer_members(const struct typed *t, const char *path, const char *list,
	const char *member, const char *other)
{
	const json_t *object;
	json_t *answer;
	char buf[32];
	size_t i;

	if (tn_ctl_get(t->ctl, path, &answer))
		return;
	json_array_foreach(json_object_get(answer, list), i, object)
	{
		const char *key = json_object_get(object, member) ? member : other;

		offer(t, tn_ctl_text(object, key, buf), "");
	}
	json_decref(answer);
}

static void offer_ports(const struct typed *t)
{
	offer_members(t, "/v1/ports?kind=switch&stats=false", "ports", "name", "number");
}

static void offer_tables(const struct typed *t)
{
	offer_members(t, "/v1/tables", "tables", "name", "tableId");
}

static void offer_groups(const struct typed *t)
{
	offer_members(t, "/v1/groups?stats=false", "groups", "id", "id");
}

static void offer_meters(const struct typed *t)
{
	offer_members(t, "/v1/meters?stats=false", "meters", "id", "id");
}

/* --- text of flows ---------------------------------------------------------------------------- */

static void offer_key(void *ctx, const char *word, bool takes_value)
{
	offer(ctx, word, takes_value ? "=" : ",");
}

static void offer_action(void *ctx, const char *word, bool takes_value)
{
	bool list = strcmp(word, "clone") == 0 || strcmp(word, "write_actions") == 0 ||
		strcmp(word, "resubmit") == 0;

	offer(ctx, word, !takes_value ? "" : list ? "(" : ":");
}

/* The value of a key or of an action that names something of the switch. */
static void offer_value(const struct typed *t, const char *key, size_t n)
{
	static const struct {
		const char *key;
		void (*offer)(const struct typed *t);
	} kinds[] = {
		{"in_port", offer_ports},
		{"out_port", offer_ports},
		{"output", offer_ports},
		{"watch_port", offer_ports},
		{"table", offer_tables},
		{"goto_table", offer_tables},
		{"group", offer_groups},
		{"out_group", offer_groups},
		{"group_id", offer_groups},
		{"meter", offer_meters},
	};

	for (size_t i = 0; i < TN_ARRAY_SIZE(kinds); i++)
		if (strlen(kinds[i].key) == n && strncmp(kinds[i].key, key, n) == 0)
			kinds[i].offer(t);
}

/* Where the last of the items begins that commas and blanks separate. */
static size_t last_item(const char *word, const char *separators)
{
	size_t n = strlen(word);

	while (n && !strchr(separators, word[n - 1]))
		n--;
	return n;
}

static void offer_flow(struct typed *t)
{
	const char *actions = strstr(t->word, "actions="), *item;
	size_t at, n;

	at = last_item(t->word, actions ? ",( " : ", ");
	if (actions && t->word + at < actions + 8)
		at = (size_t)(actions + 8 - t->word);
	item = t->word + at;
	n = strcspn(item, actions ? ":" : "=");
	t->prefix = at;
	if (item[n]) {
		t->prefix = at + n + 1;
		offer_value(t, item, n);
	} else if (actions) {
		tn_ofctl_each_action(offer_action, t);
		offer_ports(t);
	} else {
		tn_ofctl_each_key(offer_key, t);
	}
}

/* "group_id=": the key, then its values. */
static void offer_choice(struct typed *t, const char *key)
{
	size_t n = strlen(key);

	if (strncmp(t->word, key, n) == 0 && t->word[n] == '=') {
		t->prefix = n + 1;
		offer_value(t, key, n);
	} else {
		offer(t, key, "=");
	}
}

/* --- other words ------------------------------------------------------------------------------ */

static void offer_port_setting(const struct typed *t, int position)
{
	static const char *const settings[] = {"up", "down", "receive", "no-receive", "forward",
		"no-forward", "packet-in", "no-packet-in", NULL};

	if (position == 0)
		offer_ports(t);
	else
		offer_words(t, settings);
}

static void offer_new_port(struct typed *t)
{
	static const char *const keys[] = {"type=", "number=", "name=", "mtu=", NULL};
	static const char *const types[] = {
		"dpdk", "vhost-user", "veth", "tap", "vxlan", "pcap", "memory", NULL};

	if (strncmp(t->word, "type=", 5) == 0) {
		t->prefix = 5;
		offer_words(t, types);
	} else {
		offer_words(t, keys);
	}
}

static void offer_table_setting(const struct typed *t, int position)
{
	static const char *const settings[] = {
		"name=", "max_entries=", "evict", "noevict", "vacancy:", "novacancy", NULL};

	if (position == 0)
		offer_tables(t);
	else
		offer_words(t, settings);
}

/* Objects of tenants' networks, by id. */
static void offer_objects(const struct typed *t, const char *noun)
{
	const char *list, *path = tn_ctl_network_path(noun, &list);

	if (path)
		offer_members(t, path, list, "id", "id");
}

/* position: of the word among those of the command. */
static void offer_word_of(struct typed *t, const struct tn_ctl_command *c, int position)
{
	if (c->max >= 0 && position >= c->max)
		return;
	switch (c->words) {
	case TN_CTL_WORD_FLOW:
	case TN_CTL_WORD_MATCH:
	case TN_CTL_WORD_PACKET_OUT:
		offer_flow(t);
		break;
	case TN_CTL_WORD_FILE:
		puts(":file");
		break;
	case TN_CTL_WORD_GROUP:
		offer_groups(t);
		break;
	case TN_CTL_WORD_METER:
		offer_meters(t);
		break;
	case TN_CTL_WORD_GROUP_CHOICE:
		offer_choice(t, "group_id");
		break;
	case TN_CTL_WORD_METER_CHOICE:
		offer_choice(t, "meter");
		break;
	case TN_CTL_WORD_PORT:
		offer_ports(t);
		break;
	case TN_CTL_WORD_PORT_SETTING:
		offer_port_setting(t, position);
		break;
	case TN_CTL_WORD_NEW_PORT:
		offer_new_port(t);
		break;
	case TN_CTL_WORD_TABLE:
		offer_tables(t);
		break;
	case TN_CTL_WORD_TABLE_SETTING:
		offer_table_setting(t, position);
		break;
	case TN_CTL_WORD_OBJECT:
		if (position == 0)
			offer_objects(t, c->noun);
		break;
	case TN_CTL_WORD_NONE:
		break;
	}
}

static void offer_nouns(const struct typed *t)
{
	const struct tn_ctl_command *c = NULL;
	const char *last = "";

	while ((c = tn_ctl_command_next(c, NULL))) {
		if (strcmp(c->noun, last) != 0)
			offer(t, c->noun, "");
		last = c->noun;
	}
	offer(t, "help", "");
}

static void offer_verbs(const struct typed *t, const char *noun)
{
	const struct tn_ctl_command *c = NULL;

	while ((c = tn_ctl_command_next(c, NULL)))
		if (c->verb && strcmp(c->noun, noun) == 0)
			offer(t, c->verb, "");
}

/* --- options ---------------------------------------------------------------------------------- */

static void offer_options(const struct typed *t, const struct tn_ctl_command *c)
{
	char name[40];

	for (unsigned i = 0; i < TN_CTL_N_OPTIONS; i++) {
		if (!tn_ctl_option_is_general((enum tn_ctl_option_id)i) &&
			!(c && c->options >> i & 1))
			continue;
		snprintf(name, sizeof(name), "--%s", tn_ctl_option_list[i].name);
		offer(t, name, "");
	}
}

static void offer_option_value(struct typed *t, enum tn_ctl_option_id id)
{
	static const char *const when[] = {"auto", "always", "never", NULL};
	static const char *const kinds[] = {
		"flow", "group", "meter", "port", "table", "host", "packet-in", "dataplane", NULL};

	switch (id) {
	case TN_CTL_COLOR:
		offer_words(t, when);
		break;
	case TN_CTL_KINDS:
		t->prefix = last_item(t->word, ",");
		offer_words(t, kinds);
		break;
	case TN_CTL_SOCKET_PATH:
	case TN_CTL_TOKEN_FILE:
	case TN_CTL_CA:
	case TN_CTL_CERT:
	case TN_CTL_KEY:
	case TN_CTL_FILE:
		puts(":file");
		break;
	default:
		break;
	}
}

/* The option that a word names; N_OPTIONS: none. */
static enum tn_ctl_option_id option_of(const char *word)
{
	for (unsigned i = 0; i < TN_CTL_N_OPTIONS; i++) {
		const struct tn_ctl_option *o = &tn_ctl_option_list[i];

		if (word[0] == '-' && word[1] == '-' && strcmp(word + 2, o->name) == 0)
			return (enum tn_ctl_option_id)i;
		if (o->letter && word[0] == '-' && word[1] == o->letter && !word[2])
			return (enum tn_ctl_option_id)i;
	}
	return TN_CTL_N_OPTIONS;
}

/* Words that are neither options nor their values, moved to the front; how many. */
static int plain_words(int argc, char **argv)
{
	int n = 0;

	for (int i = 0; i < argc; i++) {
		enum tn_ctl_option_id id = option_of(argv[i]);

		if (argv[i][0] != '-' || !argv[i][1])
			argv[n++] = argv[i];
		else if (id < TN_CTL_N_OPTIONS && tn_ctl_option_list[id].argument)
			i++;
	}
	return n;
}

int tn_ctl_complete(struct tn_ctl *ctl, int argc, char **argv)
{
	struct typed t = {.ctl = ctl, .word = argc ? argv[argc - 1] : ""};
	enum tn_ctl_option_id before = argc > 1 ? option_of(argv[argc - 2]) : TN_CTL_N_OPTIONS;
	int n = plain_words(argc ? argc - 1 : 0, argv);
	const struct tn_ctl_command *c =
		n ? tn_ctl_command_find(argv[0], n > 1 ? argv[1] : NULL) : NULL;
	int skip = c && c->verb ? 2 : 1;

	if (before < TN_CTL_N_OPTIONS && tn_ctl_option_list[before].argument)
		offer_option_value(&t, before);
	else if (t.word[0] == '-' && t.word[1])
		offer_options(&t, c);
	else if (n == 0 || (n == 1 && strcmp(argv[0], "help") == 0))
		offer_nouns(&t);
	else if (n == 1 && !(c && !c->verb))
		offer_verbs(&t, argv[0]);
	else if (n == 2 && strcmp(argv[0], "help") == 0)
		offer_verbs(&t, argv[1]);
	else if (c && n >= skip)
		offer_word_of(&t, c, n - skip);
	return TN_CTL_OK;
}
