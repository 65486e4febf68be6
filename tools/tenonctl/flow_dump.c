/* SPDX-License-Identifier: BSD-3-Clause */
/* tenonctl flow dump, replace, diff: whole lists of flows. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/model/ofctl.h"
#include "tools/tenonctl/commands.h"
#include "tools/tenonctl/flow_text.h"
#include "tools/tenonctl/say.h"

#define NS_PER_S UINT64_C(1000000000)

/* A list of flows as lines, with what they are sorted by. */
struct line {
	uint8_t table;
	uint16_t priority;
	char *key; /* table, priority and match: who the flow is */
	char *text;
};

struct lines {
	struct tn_ctl *ctl;
	struct line *list;
	size_t n, room;
	bool stats;
	uint32_t owner; /* not 0: only of this one */
};

static void add_line(struct lines *l, const struct tn_flow_info *info, char *text)
{
	char *match = tn_ofctl_print_match(&info->match, NULL);

	if (!match || !text)
		abort();
	if (l->n == l->room) {
		l->room = l->room ? 2 * l->room : 256;
		l->list = realloc(l->list, l->room * sizeof(*l->list));
		if (!l->list)
			abort();
	}
	l->list[l->n++] = (struct line){
		.table = info->table_id,
		.priority = info->priority,
		.key = tn_ctl_path("%03u %05u %s", info->table_id, 65535u - info->priority, match),
		.text = text,
	};
	free(match);
}

static void lines_fini(struct lines *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->list[i].key);
		free(l->list[i].text);
	}
	free(l->list);
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(((const struct line *)a)->key, ((const struct line *)b)->key);
}

static void sort_lines(struct lines *l)
{
	if (l->n)
		qsort(l->list, l->n, sizeof(*l->list), compare_lines);
}

static void take_flow(void *ctx, const struct tn_ctl_flow *flow)
{
	struct lines *l = ctx;
	const struct tn_names *names = l->ctl->options.names ? l->ctl->names : NULL;
	struct tn_flow_info info = flow->info;
	uint64_t now = flow->life_s * NS_PER_S;
	char *text;

	if (!l->owner || info.owner == l->owner) {
		info.created_ns = 0;
		info.last_used_ns = now;
		text = tn_ofctl_print_flow(&info, names, l->stats, now);
		if (text && l->stats && strcmp(flow->state, "ADDED") != 0) {
			char *marked = tn_ctl_path("%s # %s", text, flow->state);

			free(text);
			text = marked;
		}
		add_line(l, &info, text);
	}
	tn_ctl_forget_text(l->ctl);
}

/* --- asking ----------------------------------------------------------------------------------- */

static void add_query(char **path, const char *key, const char *value)
{
	char *escaped = tn_ctl_escape(value), *longer;

	longer = tn_ctl_path("%s%c%s=%s", *path, strchr(*path, '?') ? '&' : '?', key, escaped);
	free(escaped);
	free(*path);
	*path = longer;
}

static void add_number(char **path, const char *key, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	add_query(path, key, text);
}

/* "table=3,tcp" as the query of a list. 0, or the exit code and it was said what is wrong. */
static int filter_path(struct tn_ctl *ctl, const char *filter, char **path)
{
	struct tn_ctl_line line = {.text = filter, .len = strlen(filter)};
	struct tn_flow_mod fm;
	struct tn_ofctl o;
	char cookie[48], *match;

	tn_ctl_reader(ctl, 0, &o);
	if (tn_ofctl_parse_flow(&o, TN_OFCTL_FILTER, filter, strlen(filter), &fm)) {
		tn_ctl_say_diagnostics(ctl, &line);
		return TN_CTL_USAGE;
	}
	if (fm.table_id != TN_TABLE_ALL)
		add_number(path, "table", fm.table_id);
	if (fm.cookie_mask) {
		snprintf(cookie, sizeof(cookie), "0x%" PRIx64 "/0x%" PRIx64, fm.cookie,
			fm.cookie_mask);
		add_query(path, "cookie", cookie);
	}
	if (fm.out_port != TN_PORT_ANY)
		add_number(path, "outPort", fm.out_port);
	if (fm.out_group != TN_GROUP_ANY)
		add_number(path, "outGroup", fm.out_group);
	match = tn_ofctl_print_match(&fm.match, NULL);
	if (match && *match)
		add_query(path, "match", match);
	free(match);
	return TN_CTL_OK;
}

static int fetch(struct tn_ctl *ctl, const char *filter, bool stats, struct tn_ctl_answer *answer)
{
	char *path = tn_ctl_path("/v1/flows%s", stats ? "" : "?stats=false");
	int code = *filter ? filter_path(ctl, filter, &path) : TN_CTL_OK;

	if (!code)
		code = tn_ctl_get_text(ctl, path, answer);
	free(path);
	return code;
}

int tn_ctl_flow_dump(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	struct lines lines = {.ctl = ctl, .stats = ctl->options.stats};
	const char *filter = words->n ? words->word[0] : "";
	struct tn_ctl_answer answer;
	int code = tn_ctl_learn_device(ctl);

	if (!code)
		code = fetch(ctl, filter, ctl->options.stats, &answer);
	if (code)
		return code;
	if (ctl->options.json) {
		fwrite(answer.body, 1, answer.len, stdout);
		putchar('\n');
	} else if (tn_ctl_each_flow(ctl, answer.body, answer.len, take_flow, &lines)) {
		code = TN_CTL_REFUSED;
	}
	tn_ctl_answer_fini(&answer);
	sort_lines(&lines);
	for (size_t i = 0; i < lines.n; i++)
		puts(lines.list[i].text);
	lines_fini(&lines);
	return code;
}

/* --- files ------------------------------------------------------------------------------------ */

/* Flows of a file: to `lines`, as JSON to `flows`, either may be NULL. */
static int read_file(struct tn_ctl *ctl, const char *path, struct lines *lines, json_t *flows)
{
	struct tn_codec codec = tn_ctl_codec(ctl);
	uint32_t app = tn_names_intern(ctl->names, ctl->options.app);
	struct tn_ctl_input in;
	int code = tn_ctl_input_file(path, &in), wrong = TN_CTL_OK;

	if (code)
		return code;
	if (in.is_json) {
		tn_ctl_say("%s is JSON: give text of flows, a line each", path);
		wrong = TN_CTL_USAGE;
	}
	for (size_t i = 0; i < in.n; i++) {
		struct tn_flow_info info;
		struct tn_flow_mod fm;
		struct tn_ofctl o;

		tn_ctl_reader(ctl, in.lines[i].number, &o);
		if (tn_ofctl_parse_flow(&o, TN_OFCTL_ADD, in.lines[i].text, in.lines[i].len, &fm)) {
			wrong = TN_CTL_USAGE;
			tn_ctl_say_diagnostics(ctl, &in.lines[i]);
			continue;
		}
		fm.owner = app;
		tn_flow_mod_to_info(ctl->dpid, &fm, &info);
		if (lines)
			add_line(lines, &info, tn_ofctl_print_flow(&info, NULL, false, 0));
		if (flows)
			json_array_append_new(flows, tn_flow_to_json(&codec, &info));
		tn_ctl_forget_text(ctl);
	}
	tn_ctl_input_fini(&in);
	return wrong;
}

int tn_ctl_flow_replace(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	json_t *flows = json_array(), *body, *answer;
	char *path, *app;
	int code = tn_ctl_learn_device(ctl);

	if (!code)
		code = read_file(ctl, words->word[0], NULL, flows);
	if (code) {
		json_decref(flows);
		return code;
	}
	body = json_pack("{s:o}", "flows", flows);
	app = tn_ctl_escape(ctl->options.app);
	path = tn_ctl_path("/v1/flows/of:%016" PRIx64 "?appId=%s%s", ctl->dpid, app,
		ctl->options.dry_run ? "&dryRun=true" : "");
	code = tn_ctl_send(ctl, "PUT", path, body, &answer);
	if (!code)
		code = tn_ctl_tell(ctl, answer);
	json_decref(answer);
	json_decref(body);
	free(path);
	free(app);
	return code;
}

/* --- diff ------------------------------------------------------------------------------------- */

/* Either a file, or what the device has. */
static int read_side(struct tn_ctl *ctl, const char *path, struct lines *lines)
{
	struct tn_ctl_answer answer;
	int code;

	if (path)
		return read_file(ctl, path, lines, NULL);
	code = fetch(ctl, "", false, &answer);
	if (code)
		return code;
	if (tn_ctl_each_flow(ctl, answer.body, answer.len, take_flow, lines))
		code = TN_CTL_REFUSED;
	tn_ctl_answer_fini(&answer);
	return code;
}

static void print_side(char sign, const char *text)
{
	tn_ctl_color(sign == '-' ? TN_CTL_RED : TN_CTL_GREEN);
	while (*text == ' ')
		text++;
	printf("%c%s", sign, text);
	tn_ctl_color(TN_CTL_PLAIN);
	putchar('\n');
}

/* Both sorted: what is only here, only there, or there otherwise. */
static int print_differences(const struct lines *a, const struct lines *b)
{
	size_t i = 0, j = 0;
	int code = TN_CTL_OK;

	while (i < a->n || j < b->n) {
		int order = i == a->n ? 1 : j == b->n ? -1 : strcmp(a->list[i].key, b->list[j].key);

		if (order == 0 && strcmp(a->list[i].text, b->list[j].text) == 0) {
			i++;
			j++;
			continue;
		}
		if (order <= 0)
			print_side('-', a->list[i++].text);
		if (order >= 0)
			print_side('+', b->list[j++].text);
		code = TN_CTL_DIFFER;
	}
	return code;
}

/* flow diff A [B]: from A, a file, to B, a file or else the device. */
int tn_ctl_flow_diff(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	struct lines a = {.ctl = ctl}, b = {.ctl = ctl};
	const char *second = words->n > 1 ? words->word[1] : NULL;
	int code = TN_CTL_OK;

	/* Two files need no daemon; then text names ports by number alone. */
	if (second)
		ctl->dpid = 1;
	else
		code = tn_ctl_learn_device(ctl);
	ctl->options.names = false;
	if (!code)
		code = read_side(ctl, words->word[0], &a);
	if (!code)
		code = read_side(ctl, second, &b);
	if (!code) {
		sort_lines(&a);
		sort_lines(&b);
		code = print_differences(&a, &b);
	}
	lines_fini(&a);
	lines_fini(&b);
	return code;
}
