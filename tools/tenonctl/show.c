/* SPDX-License-Identifier: BSD-3-Clause */
/* tenonctl port, table, device, stats, status: what there is, in tables. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/tenonctl/commands.h"
#include "tools/tenonctl/flow_text.h"
#include "tools/tenonctl/say.h"

int tn_ctl_print_json(const json_t *value)
{
	if (value) {
		json_dumpf(value, stdout, JSON_INDENT(1) | JSON_ENCODE_ANY);
		putchar('\n');
	}
	return TN_CTL_OK;
}

const char *tn_ctl_text(const json_t *object, const char *key, char buf[32])
{
	const json_t *v = json_object_get(object, key);

	if (json_is_string(v))
		return json_string_value(v);
	if (json_is_boolean(v))
		return json_is_true(v) ? "yes" : "no";
	if (!json_is_integer(v))
		return "-";
	snprintf(buf, 32, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
	return buf;
}

uint64_t tn_ctl_number(const json_t *object, const char *key)
{
	const json_t *v = json_object_get(object, key);

	return json_is_string(v) ? strtoull(json_string_value(v), NULL, 0)
				 : (uint64_t)json_integer_value(v);
}

static void print_side(struct tn_ctl *ctl, enum tn_ctl_color color, char sign, const char *kind,
	const json_t *side)
{
	char *text;

	if (!json_is_object(side))
		return;
	text = strcmp(kind, "flow") == 0 ? tn_ctl_flow_json_text(ctl, side)
					 : json_dumps(side, JSON_COMPACT);
	tn_ctl_color(color);
	printf("%c%s ", sign, kind);
	tn_ctl_print_clean(stdout, text ? text : "");
	tn_ctl_color(TN_CTL_PLAIN);
	putchar('\n');
	free(text);
}

void tn_ctl_print_change(struct tn_ctl *ctl, const json_t *change)
{
	char buf[32];
	const char *kind = tn_ctl_text(change, "kind", buf);

	print_side(ctl, TN_CTL_RED, '-', kind, json_object_get(change, "before"));
	print_side(ctl, TN_CTL_GREEN, '+', kind, json_object_get(change, "after"));
}

/* --- lists ------------------------------------------------------------------------------------ */

/* A list of the daemon as a table: the array's key, and a column a member. */
struct view {
	const char *path, *key;
	const char *heads[TN_CTL_COLUMNS_MAX];
	const char *members[TN_CTL_COLUMNS_MAX];
};

static void print_view(const struct view *view, const json_t *answer)
{
	struct tn_ctl_table t;
	const json_t *row;
	size_t i;

	tn_ctl_table_init(&t, view->heads);
	json_array_foreach(json_object_get(answer, view->key), i, row) for (unsigned c = 0;
									    c < t.n_columns; c++)
	{
		char buf[32];

		tn_ctl_table_add(&t, "%s", tn_ctl_text(row, view->members[c], buf));
	}
	tn_ctl_table_print(&t);
}

static int show_view(struct tn_ctl *ctl, const struct view *view)
{
	json_t *answer;
	int code = tn_ctl_get(ctl, view->path, &answer);

	if (code)
		return code;
	if (ctl->options.json)
		tn_ctl_print_json(answer);
	else
		print_view(view, answer);
	json_decref(answer);
	return TN_CTL_OK;
}

int tn_ctl_port_list(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	static const struct view view = {"/v1/ports", "ports",
		{"NUMBER>", "NAME", "TYPE", "ENABLED", "LINK", "LIVE", "STATE", NULL},
		{"number", "name", "type", "isEnabled", "linkUp", "live", "state"}};

	(void)words;
	return show_view(ctl, &view);
}

int tn_ctl_table_list(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	static const struct view view = {"/v1/tables", "tables",
		{"TABLE>", "NAME", "ENTRIES>", "MAX>", "LOOKUP", "MEMORY>", NULL},
		{"tableId", "name", "activeEntries", "maxEntries", "lookup", "memoryBytes"}};

	(void)words;
	return show_view(ctl, &view);
}

/* --- single things ---------------------------------------------------------------------------- */

/* "key: value" lines of the members that are no containers. */
static void print_members(const json_t *object)
{
	const char *key;
	json_t *value;
	int width = 0;

	json_object_foreach((json_t *)(uintptr_t)object, key, value) if ((int)strlen(key) > width)
		width = (int)strlen(key);
	json_object_foreach((json_t *)(uintptr_t)object, key, value)
	{
		char *text = json_is_string(value)
			? strdup(json_string_value(value))
			: json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);

		printf("%s%*s  ", key, width - (int)strlen(key), "");
		tn_ctl_print_clean(stdout, text ? text : "");
		putchar('\n');
		free(text);
	}
}

static int show_object(struct tn_ctl *ctl, const char *path, const char *wrapper)
{
	const json_t *object;
	json_t *answer;
	int code = tn_ctl_get(ctl, path, &answer);

	if (code)
		return code;
	object = wrapper ? json_array_get(json_object_get(answer, wrapper), 0) : answer;
	if (ctl->options.json)
		tn_ctl_print_json(object);
	else
		print_members(object);
	json_decref(answer);
	return TN_CTL_OK;
}

int tn_ctl_device_show(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	(void)words;
	return show_object(ctl, "/v1/devices", "devices");
}

int tn_ctl_status(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	(void)words;
	return show_object(ctl, "/v1/status", NULL);
}

uint32_t tn_ctl_port_number(struct tn_ctl *ctl, const char *word)
{
	uint32_t number = tn_names_port_by_name(ctl->names, word);
	unsigned long v;
	char *end;

	if (number)
		return number;
	v = strtoul(word, &end, 10);
	if (end != word && !*end && v && v <= TN_PORT_MAX)
		return (uint32_t)v;
	if (strcmp(word, "LOCAL") == 0)
		return TN_PORT_LOCAL;
	tn_ctl_say("there is no port \"%s\"%s%s%s", word,
		tn_names_nearest_port(ctl->names, word) ? "; did you mean \"" : "",
		tn_names_nearest_port(ctl->names, word) ? tn_names_nearest_port(ctl->names, word)
							: "",
		tn_names_nearest_port(ctl->names, word) ? "\"?" : "");
	return 0;
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
	return number ? tn_ctl_path("/v1/ports/%" PRIu32, number) : NULL;
}

int tn_ctl_port_show(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	int code;
	char *path = port_path(ctl, words->word[0], &code);

	if (!path)
		return code;
	code = show_object(ctl, path, NULL);
	free(path);
	return code;
}

int tn_ctl_port_del(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	json_t *answer = NULL;
	int code;
	char *path = port_path(ctl, words->word[0], &code);

	if (!path)
		return code;
	code = tn_ctl_send(ctl, "DELETE", path, NULL, &answer);
	json_decref(answer);
	free(path);
	return code;
}

int tn_ctl_port_add(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	struct tn_ctl_input in;
	json_t *body, *answer;
	json_error_t err;
	int code;

	if (!words->n && !ctl->options.file) {
		tn_ctl_say(
			"give the port as JSON: "
			"{\"number\":3,\"name\":\"vm-a\",\"type\":\"vhost-user\",\"options\":{\"path\":"
			"\"/run/tenon/vm-a.sock\"}}");
		return TN_CTL_USAGE;
	}
	code = tn_ctl_input_read(ctl, words, &in);
	if (code)
		return code;
	body = in.is_json ? json_loadb(in.data, in.len, JSON_REJECT_DUPLICATES, &err)
		: in.n ? json_loadb(in.lines[0].text, in.lines[0].len, JSON_REJECT_DUPLICATES, &err)
		       : NULL;
	if (!body)
		tn_ctl_say("line %d, column %d: %s", in.n || in.is_json ? err.line : 0,
			in.n || in.is_json ? err.column : 0,
			in.n || in.is_json ? err.text : "nothing is there");
	tn_ctl_input_fini(&in);
	if (!body)
		return TN_CTL_USAGE;
	code = tn_ctl_send(ctl, "POST", "/v1/ports", body, &answer);
	if (!code && ctl->options.json)
		tn_ctl_print_json(answer);
	json_decref(body);
	json_decref(answer);
	return code;
}

static int enable(struct tn_ctl *ctl, const struct tn_ctl_words *words, bool on)
{
	json_t *body, *answer = NULL;
	uint32_t number;
	char *path;
	int code = tn_ctl_learn_device(ctl);

	if (code)
		return code;
	number = tn_ctl_port_number(ctl, words->word[0]);
	if (!number)
		return TN_CTL_REFUSED;
	body = json_pack("{s:b}", "enabled", on);
	path = tn_ctl_path("/v1/devices/of:%016" PRIx64 "/portstate/%" PRIu32, ctl->dpid, number);
	code = tn_ctl_send(ctl, "POST", path, body, &answer);
	json_decref(body);
	json_decref(answer);
	free(path);
	return code;
}

int tn_ctl_port_up(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	return enable(ctl, words, true);
}

int tn_ctl_port_down(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	return enable(ctl, words, false);
}

/* --- statistics ------------------------------------------------------------------------------- */

static const struct view port_stats = {NULL, "ports",
	{"PORT>", "RX PACKETS>", "RX BYTES>", "RX DROPPED>", "RX ERRORS>", "TX PACKETS>",
		"TX BYTES>", "TX DROPPED>", "TX ERRORS>", NULL},
	{"port", "packetsReceived", "bytesReceived", "packetsRxDropped", "packetsRxErrors",
		"packetsSent", "bytesSent", "packetsTxDropped", "packetsTxErrors"}};

static const struct view table_stats = {NULL, "table",
	{"TABLE>", "ENTRIES>", "LOOKUPS>", "MATCHES>", NULL},
	{"tableId", "activeEntries", "packetsLookedUp", "packetsMatched"}};

/* {"statistics":[{"device":..,"ports":[..]}]} */
static int show_stats(struct tn_ctl *ctl, const char *path, const struct view *view)
{
	const json_t *device;
	json_t *answer;
	size_t i;
	int code = tn_ctl_get(ctl, path, &answer);

	if (code)
		return code;
	if (ctl->options.json)
		tn_ctl_print_json(answer);
	else
		json_array_foreach(json_object_get(answer, "statistics"), i, device)
			print_view(view, device);
	json_decref(answer);
	return TN_CTL_OK;
}

int tn_ctl_stats_ports(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	(void)words;
	return show_stats(ctl, "/v1/statistics/ports", &port_stats);
}

int tn_ctl_stats_tables(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	(void)words;
	return show_stats(ctl, "/v1/statistics/flows/tables", &table_stats);
}
