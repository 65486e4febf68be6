/* SPDX-License-Identifier: BSD-3-Clause */
/* tenonctl port. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/tenonctl/say.h"
#include "tools/tenonctl/share.h"

/* --- list, show ------------------------------------------------------------------------------- */

static void paint_flag(struct tn_ctl_table *t, const json_t *port, const char *key)
{
	bool on = tn_ctl_flag(port, key);

	tn_ctl_table_paint(t, on ? TN_CTL_PLAIN : TN_CTL_RED, on ? "up" : "down");
}

static void print_list(const json_t *ports)
{
	static const char *const heads[] = {
		"PORT>", "NAME", "TYPE", "ADMIN", "LINK", "STATE", "OPTIONS", NULL};
	struct tn_ctl_table t;
	const json_t *port;
	size_t i;

	tn_ctl_table_init(&t, heads);
	json_array_foreach(ports, i, port)
	{
		char buf[32], *options = tn_ctl_port_options_text(port);
		const char *state = tn_ctl_text(port, "state", buf);
		bool added = strcmp(state, "ADDED") == 0;

		tn_ctl_table_add(&t, "%s", tn_ctl_text(port, "number", (char[32]){0}));
		tn_ctl_table_add(&t, "%s", tn_ctl_text(port, "name", (char[32]){0}));
		tn_ctl_table_add(&t, "%s", tn_ctl_text(port, "type", (char[32]){0}));
		paint_flag(&t, port, "isEnabled");
		paint_flag(&t, port, "linkUp");
		tn_ctl_table_paint(&t, added ? TN_CTL_PLAIN : TN_CTL_YELLOW, state);
		tn_ctl_table_add(&t, "%s", options);
		free(options);
	}
	tn_ctl_table_print(&t);
}

static int port_list(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	json_t *answer;
	int code = tn_ctl_get(ctl, "/v1/ports?kind=switch&stats=false", &answer);

	(void)words;
	if (code)
		return code;
	if (ctl->options.json)
		tn_ctl_print_json(answer);
	else
		print_list(json_object_get(answer, "ports"));
	json_decref(answer);
	return TN_CTL_OK;
}

/* "received  9 packets, 738 bytes" */
static void print_counter(const json_t *port, const char *key)
{
	const json_t *counter = json_object_get(port, key);

	printf("%-9s %" PRIu64 " packets, %" PRIu64 " bytes\n", key,
		tn_ctl_number(counter, "packets"), tn_ctl_number(counter, "bytes"));
}

static void print_member(const json_t *port, const char *label, const char *key)
{
	char buf[32];

	if (!json_object_get(port, key))
		return;
	printf("%-9s ", label);
	tn_ctl_print_clean(stdout, tn_ctl_text(port, key, buf));
	putchar('\n');
}

static void print_drops(const json_t *port)
{
	json_t *drops = json_object_get(port, "dropped"), *n;
	const char *reason;

	json_object_foreach(drops, reason, n)
	{
		const char *text = tn_ctl_drop_text(reason);

		printf("dropped   %" PRIu64 " ", tn_ctl_number(drops, reason));
		tn_ctl_color(TN_CTL_YELLOW);
		tn_ctl_print_clean(stdout, reason);
		tn_ctl_color(TN_CTL_PLAIN);
		printf("%s%s\n", *text ? ": " : "", text);
	}
}

static void print_port(const json_t *port)
{
	const json_t *settings = json_object_get(port, "config"), *setting;
	char *options = tn_ctl_port_options_text(port);
	size_t i;

	print_member(port, "port", "number");
	print_member(port, "name", "name");
	print_member(port, "type", "type");
	if (*options) {
		printf("options   ");
		tn_ctl_print_clean(stdout, options);
		putchar('\n');
	}
	print_member(port, "mtu", "mtu");
	printf("admin     %s\n", tn_ctl_flag(port, "isEnabled") ? "up" : "down");
	printf("link      %s\n", tn_ctl_flag(port, "linkUp") ? "up" : "down");
	json_array_foreach(settings, i, setting)
		printf("setting   %s\n", json_string_value(setting));
	print_member(port, "state", "state");
	print_member(port, "failure", "failure");
	print_counter(port, "received");
	print_counter(port, "sent");
	print_drops(port);
	free(options);
}

/* The path of the port that a word names; NULL: it was said that there is none. */
static char *port_path(struct tn_ctl *ctl, const char *word, int *code)
{
	uint32_t number;

	*code = tn_ctl_learn_device(ctl);
	if (*code)
		return NULL;
	number = tn_ctl_port_number(ctl, word);
	*code = number ? TN_CTL_OK : TN_CTL_REFUSED;
	if (number == TN_PORT_LOCAL)
		return tn_ctl_path("/v1/ports/LOCAL");
	return number ? tn_ctl_path("/v1/ports/%" PRIu32, number) : NULL;
}

static int port_show(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	json_t *answer = NULL;
	int code;
	char *path = port_path(ctl, words->word[0], &code);

	if (!path)
		return code;
	code = tn_ctl_get(ctl, path, &answer);
	if (!code && ctl->options.json)
		tn_ctl_print_json(answer);
	else if (!code)
		print_port(answer);
	json_decref(answer);
	free(path);
	return code;
}

/* --- changes ---------------------------------------------------------------------------------- */

/* The answer is taken over. */
static int told(struct tn_ctl *ctl, int code, json_t *answer)
{
	if (!code)
		tn_ctl_tell(ctl, answer, NULL);
	json_decref(answer);
	return code;
}

static int port_del(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	json_t *answer = NULL;
	int code;
	char *path = port_path(ctl, words->word[0], &code);

	if (!path)
		return code;
	path = tn_ctl_manner(ctl, path);
	code = tn_ctl_send(ctl, "DELETE", path, NULL, &answer);
	free(path);
	return told(ctl, code, answer);
}

/* Takes {"isEnabled":..} and the like over. */
static int patch(struct tn_ctl *ctl, const char *word, json_t *settings)
{
	json_t *answer = NULL;
	int code;
	char *path = port_path(ctl, word, &code);

	if (path) {
		path = tn_ctl_manner(ctl, path);
		code = tn_ctl_send(ctl, "PATCH", path, settings, &answer);
		code = told(ctl, code, answer);
	}
	json_decref(settings);
	free(path);
	return code;
}

static int port_up(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	return patch(ctl, words->word[0], json_pack("{s:b}", "isEnabled", 1));
}

static int port_down(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	return patch(ctl, words->word[0], json_pack("{s:b}", "isEnabled", 0));
}

/* As ovs-ofctl mod-port has them. json NULL: not of the list "config". */
static const struct setting {
	const char *word, *json;
	bool on;
} settings[] = {
	{"up", NULL, true},
	{"down", NULL, false},
	{"no-receive", "NO_RECV", true},
	{"receive", "NO_RECV", false},
	{"no-forward", "NO_FWD", true},
	{"forward", "NO_FWD", false},
	{"no-packet-in", "NO_PACKET_IN", true},
	{"packet-in", "NO_PACKET_IN", false},
};

/* The list with a setting or without. */
static json_t *with_setting(const json_t *list, const struct setting *s)
{
	json_t *now = json_array(), *item;
	size_t i;

	json_array_foreach(list, i, item) if (strcmp(json_string_value(item), s->json) != 0)
		json_array_append(now, item);
	if (s->on)
		json_array_append_new(now, json_string(s->json));
	return now;
}

static const struct setting *find_setting(const char *word)
{
	const char *words[TN_ARRAY_SIZE(settings) + 1] = {NULL}, *near;

	for (size_t i = 0; i < TN_ARRAY_SIZE(settings); i++) {
		if (strcmp(word, settings[i].word) == 0)
			return &settings[i];
		words[i] = settings[i].word;
	}
	near = tn_ctl_nearest(word, words);
	tn_ctl_say("a port has no setting \"%s\"%s%s%s", word,
		near ? "; did you mean \"" : ": give ",
		near ? near : "up, down, [no-]receive, [no-]forward or [no-]packet-in",
		near ? "\"?" : "");
	return NULL;
}

static int port_mod(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	const char *word = words->word[1];
	const struct setting *setting;
	json_t *port = NULL, *list;
	char *path;
	int code;

	setting = find_setting(word);
	if (!setting)
		return TN_CTL_USAGE;
	if (!setting->json)
		return patch(ctl, words->word[0], json_pack("{s:b}", "isEnabled", setting->on));
	path = port_path(ctl, words->word[0], &code);
	if (path)
		code = tn_ctl_get(ctl, path, &port);
	free(path);
	if (code)
		return code;
	list = with_setting(json_object_get(port, "config"), setting);
	json_decref(port);
	return patch(ctl, words->word[0], json_pack("{s:o}", "config", list));
}

/* --- adding ----------------------------------------------------------------------------------- */

static json_t *scalar(const char *text)
{
	char *end;
	json_int_t v;

	if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
		return json_boolean(*text == 't');
	v = strtoll(text, &end, 10);
	return *text && !*end ? json_integer(v) : json_string(text);
}

/* Options that are lists are told by their names; elements have commas between. */
static json_t *option(const char *key, const char *text)
{
	json_t *list;

	if (strcmp(key, "peers") != 0 && strcmp(key, "vnis") != 0)
		return scalar(text);
	list = json_array();
	while (*text) {
		size_t n = strcspn(text, ",");
		char *word = strndup(text, n);

		if (!word)
			abort();
		json_array_append_new(list, scalar(word));
		free(word);
		text += n + (text[n] == ',');
	}
	return list;
}

/* "type=tap": of the port; what it has no member for are its type's options. */
static bool take_setting(json_t *port, const char *word)
{
	const char *equals = strchr(word, '=');
	char *key = equals ? strndup(word, (size_t)(equals - word)) : NULL;
	json_t *options = json_object_get(port, "options");

	if (!key) {
		tn_ctl_say("\"%s\": after the name settings follow as KEY=VALUE, such as type=tap",
			word);
		return false;
	}
	if (strcmp(key, "number") == 0 || strcmp(key, "mtu") == 0)
		json_object_set_new(port, key, scalar(equals + 1));
	else if (strcmp(key, "type") == 0 || strcmp(key, "name") == 0)
		json_object_set_new(port, key, json_string(equals + 1));
	else
		json_object_set_new(options, key, option(key, equals + 1));
	free(key);
	return true;
}

/* A kind that is not of these the data plane may know all the same. */
static bool check_type(json_t *port)
{
	static const char *const kinds[] = {"vhost-user", "veth", "tap", "dpdk", "nic", "vxlan",
		"pcap", "memory", "kernel-underlay", NULL};
	static const char *const type[] = {"type", NULL};
	const char *kind = json_string_value(json_object_get(port, "type")), *key, *near;
	json_t *value;

	for (size_t i = 0; kind && kinds[i]; i++)
		if (strcmp(kind, kinds[i]) == 0)
			return true;
	near = kind ? tn_ctl_nearest(kind, kinds) : NULL;
	if (near)
		tn_ctl_say("there is no type of port \"%s\"; did you mean \"%s\"?", kind, near);
	if (kind)
		return !near;
	json_object_foreach(
		json_object_get(port, "options"), key, value) if (tn_ctl_nearest(key, type))
	{
		tn_ctl_say("a port has no setting \"%s\"; did you mean \"type\"?", key);
		return false;
	}
	tn_ctl_say("say what kind of port: type=vhost-user, veth, tap, dpdk, nic, vxlan, pcap or "
		   "memory");
	return false;
}

static json_t *port_from_words(const struct tn_ctl_words *words)
{
	json_t *port = json_object();

	json_object_set_new(port, "options", json_object());
	for (int i = 0; i < words->n; i++) {
		if (i == 0 && !strchr(words->word[0], '=')) {
			json_object_set_new(port, "name", json_string(words->word[0]));
		} else if (!take_setting(port, words->word[i])) {
			json_decref(port);
			return NULL;
		}
	}
	if (!json_object_size(json_object_get(port, "options")))
		json_object_del(port, "options");
	if (check_type(port))
		return port;
	json_decref(port);
	return NULL;
}

static json_t *port_from_json(const struct tn_ctl_input *in)
{
	const char *text = in->is_json ? in->data : in->n ? in->lines[0].text : "";
	size_t len = in->is_json ? in->len : in->n ? in->lines[0].len : 0;
	json_error_t err;
	json_t *port = json_loadb(text, len, JSON_REJECT_DUPLICATES, &err);

	if (!port && in->source)
		fprintf(stderr, "%s:%d:%d: %s\n", in->source, err.line, err.column, err.text);
	else if (!port)
		tn_ctl_say("column %d: %s", err.column, err.text);
	return port;
}

/* The lowest that no port has. */
static uint32_t free_number(const struct tn_ctl *ctl)
{
	uint32_t n = 1;

	while (n < TN_PORT_MAX && tn_names_port_name(ctl->names, n))
		n++;
	return n;
}

static json_t *read_port(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	struct tn_ctl_input in;
	json_t *port;

	if (!ctl->options.file && words->n && words->word[0][0] != '{' &&
		strcmp(words->word[0], "-") != 0)
		return port_from_words(words);
	if (!words->n && !ctl->options.file) {
		tn_ctl_say(
			"say which: tenonctl port add vm-a type=tap; tenonctl port add --help has "
			"more");
		return NULL;
	}
	if (tn_ctl_input_read(ctl, words, &in))
		return NULL;
	port = port_from_json(&in);
	tn_ctl_input_fini(&in);
	return port;
}

static int port_add(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	json_t *port = read_port(ctl, words), *answer = NULL;
	bool picked = port && !json_object_get(port, "number");
	char *path, done[48], number[32];
	int code = port ? tn_ctl_learn_device(ctl) : TN_CTL_USAGE;

	if (code) {
		json_decref(port);
		return code;
	}
	if (picked)
		json_object_set_new(port, "number", json_integer(free_number(ctl)));
	path = tn_ctl_manner(ctl, tn_ctl_path("/v1/ports"));
	code = tn_ctl_send(ctl, "POST", path, port, &answer);
	snprintf(done, sizeof(done), "port %s", tn_ctl_text(answer, "number", number));
	if (!code)
		tn_ctl_tell(ctl, answer, picked ? done : NULL);
	json_decref(answer);
	json_decref(port);
	free(path);
	return code;
}

/* --- the table -------------------------------------------------------------------------------- */

#define MANNER (TN_CTL_O(TN_CTL_DRY_RUN) | TN_CTL_O(TN_CTL_NO_WAIT))

const struct tn_ctl_command tn_ctl_port_commands[] = {
	{"port", "list", "", "ports and their state", "Counters: tenonctl stats ports.",
		"tenonctl port list", port_list, 0, 0, 0, TN_CTL_WORD_NONE, true},
	{"port", "show", "PORT", "all of a port: settings, counters, drops by reason",
		"A port is named by its name or number.", "tenonctl port show vm-a", port_show, 0,
		1, 1, TN_CTL_WORD_PORT, false},
	{"port", "add", "[NAME] KEY=VALUE... | JSON | -f FILE | -", "add a port",
		"type=dpdk, vhost-user, veth, tap, vxlan, pcap or memory; number=N, or the lowest free\n"
		"one is taken; mtu=N. All other keys are options of the type: tenon-dataplane(8).",
		"tenonctl port add vm-a type=vhost-user socket=/run/vm/vm-a.sock\n"
		"tenonctl port add c1 type=veth interface=vethc1 number=11\n"
		"tenonctl port add vx0 type=vxlan local=192.0.2.1 remote=flow vni=flow vnis=100,200\n"
		"tenonctl port add -f port.json",
		port_add, MANNER | TN_CTL_O(TN_CTL_FILE), 0, -1, TN_CTL_WORD_NEW_PORT, false},
	{"port", "del", "PORT", "remove a port", NULL, "tenonctl port del vm-a", port_del, MANNER,
		1, 1, TN_CTL_WORD_PORT, false},
	{"port", "mod", "PORT SETTING", "change a setting of a port",
		"up, down, [no-]receive, [no-]forward, [no-]packet-in, as ovs-ofctl mod-port.",
		"tenonctl port mod vm-a no-packet-in", port_mod, MANNER, 2, 2,
		TN_CTL_WORD_PORT_SETTING, false},
	{"port", "up", "PORT", "let a port forward", NULL, "tenonctl port up vm-a", port_up, MANNER,
		1, 1, TN_CTL_WORD_PORT, false},
	{"port", "down", "PORT", "stop a port", NULL, "tenonctl port down vm-a", port_down, MANNER,
		1, 1, TN_CTL_WORD_PORT, false},
	{0},
};
