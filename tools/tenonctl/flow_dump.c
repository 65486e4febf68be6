/* SPDX-License-Identifier: BSD-3-Clause */
/* tenonctl flow dump, replace, diff: whole lists of flows. */
#include "tools/tenonctl/flow_dump.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tools/tenonctl/flow_text.h"
#include "tools/tenonctl/say.h"
#include "tools/tenonctl/share.h"

#define NS_PER_S UINT64_C(1000000000)

/* A list of flows as lines, with what they are sorted by. */
struct line {
	char *key; /* table, priority and match: who the flow is */
	size_t ordinal;
	char *text;
	json_t *json; /* NULL unless JSON is asked for */
};

struct lines {
	struct tn_ctl *ctl;
	struct line *list;
	size_t n, room;
	bool stats;
	uint64_t now_ms; /* since 1970 */
};

/* text is taken over. */
static void add_line(struct lines *l, const struct tn_flow_info *info, char *text)
{
	struct tn_codec codec = tn_ctl_codec(l->ctl);
	char *match = tn_ofctl_print_match(&info->match, NULL);

	if (!match || !text)
		abort();
	if (l->n == l->room) {
		l->room = l->room ? 2 * l->room : 256;
		l->list = realloc(l->list, l->room * sizeof(*l->list));
		if (!l->list)
			abort();
	}
	l->list[l->n] = (struct line){
		.key = tn_ctl_path("%03u %05u %s", info->table_id, 65535u - info->priority, match),
		.ordinal = l->n,
		.text = text,
		.json = l->ctl->options.json ? tn_flow_to_json(&codec, info) : NULL,
	};
	l->n++;
	free(match);
}

static void free_line(struct line *line)
{
	free(line->key);
	free(line->text);
	json_decref(line->json);
}

static void lines_fini(struct lines *l)
{
	for (size_t i = 0; i < l->n; i++)
		free_line(&l->list[i]);
	free(l->list);
}

static int compare_lines(const void *a, const void *b)
{
	const struct line *x = a, *y = b;
	int order = strcmp(x->key, y->key);

	return order ? order : (x->ordinal > y->ordinal) - (x->ordinal < y->ordinal);
}

static void sort_lines(struct lines *l)
{
	if (l->n)
		qsort(l->list, l->n, sizeof(*l->list), compare_lines);
}

/* Never more than it lives: clocks of two machines differ. */
static uint64_t idle_seconds(const struct lines *l, const struct tn_ctl_flow *flow)
{
	uint64_t idle =
		l->now_ms > flow->last_seen_ms ? (l->now_ms - flow->last_seen_ms) / 1000 : 0;

	return idle < flow->life_s ? idle : flow->life_s;
}

static char *flow_text(const struct lines *l, const struct tn_ctl_flow *flow)
{
	const struct tn_names *names = l->ctl->options.names ? l->ctl->names : NULL;
	struct tn_flow_info info = flow->info;
	uint64_t now = flow->life_s * NS_PER_S;
	char *text, *marked;

	info.created_ns = 0;
	info.last_used_ns = now - idle_seconds(l, flow) * NS_PER_S;
	text = tn_ofctl_print_flow(&info, names, l->stats, now);
	if (!text)
		abort();
	if (!l->stats || strcmp(flow->state, "ADDED") == 0)
		return text;
	marked = tn_ctl_path(
		"%s # %s%s%s", text, flow->state, *flow->failure ? ": " : "", flow->failure);
	free(text);
	return marked;
}

/* Of one flow given twice the last holds. */
static void drop_doubles(struct lines *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++) {
		if (n && strcmp(l->list[n - 1].key, l->list[i].key) == 0)
			free_line(&l->list[--n]);
		l->list[n++] = l->list[i];
	}
	l->n = n;
}

static void take_flow(void *ctx, const struct tn_ctl_flow *flow)
{
	struct lines *l = ctx;

	add_line(l, &flow->info, flow_text(l, flow));
}

/* --- asking ----------------------------------------------------------------------------------- */

static void add_number(char **path, const char *key, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	*path = tn_ctl_query(*path, key, text);
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
		*path = tn_ctl_query(*path, "cookie", cookie);
	}
	if (fm.out_port != TN_PORT_ANY)
		add_number(path, "outPort", fm.out_port);
	if (fm.out_group != TN_GROUP_ANY)
		add_number(path, "outGroup", fm.out_group);
	match = tn_ofctl_print_match(&fm.match, NULL);
	if (match && *match)
		*path = tn_ctl_query(*path, "match", match);
	free(match);
	return TN_CTL_OK;
}

static int fetch(struct tn_ctl *ctl, const char *filter, bool stats, struct tn_ctl_answer *answer)
{
	char *path = tn_ctl_path("/v1/flows%s", stats ? "" : "?stats=false");
	int code = *filter ? filter_path(ctl, filter, &path) : TN_CTL_OK;

	if (ctl->options.app)
		path = tn_ctl_query(path, "appId", ctl->options.app);
	if (!code)
		code = tn_ctl_get_text(ctl, path, answer);
	free(path);
	return code;
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* What is counted recedes behind what is matched. */
static void print_line(const char *text)
{
	const char *actions = strstr(text, " actions="), *match = text, *at = text;

	while (actions && (at = strstr(at, ", ")) && at < actions)
		match = at += 2;
	if (match != text) {
		tn_ctl_color(TN_CTL_DIM);
		fwrite(text, 1, (size_t)(match - text), stdout);
		tn_ctl_color(TN_CTL_PLAIN);
	}
	if (strstr(match, " # "))
		tn_ctl_color(TN_CTL_YELLOW);
	tn_ctl_print_clean(stdout, match);
	if (strstr(match, " # "))
		tn_ctl_color(TN_CTL_PLAIN);
	putchar('\n');
}

int tn_ctl_flow_dump(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	struct lines lines = {.ctl = ctl, .stats = ctl->options.stats, .now_ms = now_ms()};
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
		print_line(lines.list[i].text);
	lines_fini(&lines);
	return code;
}

/* --- files ------------------------------------------------------------------------------------ */

/* Flows of a file: as lines, or as JSON that is to be sent. */
struct file {
	struct lines *lines;
	struct tn_ctl_operations *flows;
	struct tn_ctl *ctl;
};

static void take_mod(void *ctx, const struct tn_flow_mod *fm)
{
	struct file *f = ctx;
	const struct tn_names *names = f->ctl->options.names ? f->ctl->names : NULL;
	struct tn_codec codec = tn_ctl_codec(f->ctl);
	struct tn_flow_info info;

	tn_flow_mod_to_info(f->ctl->dpid, fm, &info);
	if (f->lines)
		add_line(f->lines, &info, tn_ofctl_print_flow(&info, names, false, 0));
	else
		tn_ctl_operations_add(f->flows, tn_flow_to_json(&codec, &info));
}

static int read_file(
	struct tn_ctl *ctl, const char *path, struct lines *lines, struct tn_ctl_operations *flows)
{
	struct file f = {lines, flows, ctl};
	struct tn_ctl_input in;
	int code = tn_ctl_input_file(path, &in);

	if (code)
		return code;
	code = tn_ctl_each_mod(ctl, &in, TN_OFCTL_ADD, take_mod, &f);
	tn_ctl_input_fini(&in);
	return code;
}

static void tell_replaced(struct tn_ctl *ctl, const json_t *answer)
{
	char added[32], changed[32], removed[32], unchanged[32], done[160];

	snprintf(done, sizeof(done), "%s added, %s changed, %s deleted, %s as they were",
		tn_ctl_text(answer, "added", added), tn_ctl_text(answer, "changed", changed),
		tn_ctl_text(answer, "removed", removed),
		tn_ctl_text(answer, "unchanged", unchanged));
	tn_ctl_tell(ctl, answer, done);
}

int tn_ctl_flow_replace(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	struct tn_ctl_operations flows = {0};
	json_t *answer = NULL;
	char *path, *body;
	int code = tn_ctl_learn_device(ctl);

	if (!code)
		code = read_file(ctl, words->word[0], NULL, &flows);
	if (!code) {
		body = tn_ctl_path("{\"flows\":[%.*s]}", (int)flows.len, flows.n ? flows.text : "");
		path = tn_ctl_path("/v1/flows/of:%016" PRIx64, ctl->dpid);
		path = tn_ctl_manner(ctl, tn_ctl_query(path, "appId", tn_ctl_app(ctl)));
		code = tn_ctl_send_text(ctl, "PUT", path, body, &answer);
		free(path);
		free(body);
	}
	if (!code)
		tell_replaced(ctl, answer);
	json_decref(answer);
	tn_ctl_operations_fini(&flows);
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

/* Sides that are not there are NULL. */
static void tell_difference(
	struct tn_ctl *ctl, json_t *changes, const struct line *before, const struct line *after)
{
	json_t *change;

	if (ctl->options.json) {
		change = json_pack("{s:s,s:s}", "change",
			!before		 ? "ADDED"
				: !after ? "REMOVED"
					 : "MODIFIED",
			"kind", "flow");
		if (before)
			json_object_set(change, "before", before->json);
		if (after)
			json_object_set(change, "after", after->json);
		json_array_append_new(changes, change);
		return;
	}
	tn_ctl_color(TN_CTL_RED);
	if (before)
		printf("-%s\n", before->text);
	tn_ctl_color(TN_CTL_GREEN);
	if (after)
		printf("+%s\n", after->text);
	tn_ctl_color(TN_CTL_PLAIN);
}

/* Both sorted: what is only here, only there, or there otherwise. */
static size_t compare(
	struct tn_ctl *ctl, const struct lines *a, const struct lines *b, json_t *changes)
{
	size_t i = 0, j = 0, n = 0;

	while (i < a->n || j < b->n) {
		int order = i == a->n ? 1 : j == b->n ? -1 : strcmp(a->list[i].key, b->list[j].key);
		const struct line *before = order <= 0 ? &a->list[i++] : NULL;
		const struct line *after = order >= 0 ? &b->list[j++] : NULL;

		if (before && after && strcmp(before->text, after->text) == 0)
			continue;
		tell_difference(ctl, changes, before, after);
		n++;
	}
	return n;
}

static int print_differences(struct tn_ctl *ctl, struct lines *a, struct lines *b)
{
	json_t *changes = json_array(), *answer;
	size_t n;

	sort_lines(a);
	sort_lines(b);
	drop_doubles(a);
	drop_doubles(b);
	n = compare(ctl, a, b, changes);
	answer = json_pack("{s:I,s:o}", "total", (json_int_t)n, "changes", changes);
	if (ctl->options.json)
		tn_ctl_print_json(answer);
	json_decref(answer);
	return n ? TN_CTL_DIFFER : TN_CTL_OK;
}

/* flow diff A [B]: from A, a file, to B, a file or else the device. */
int tn_ctl_flow_diff(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	struct lines a = {.ctl = ctl}, b = {.ctl = ctl};
	const char *second = words->n > 1 ? words->word[1] : NULL;
	int code = TN_CTL_OK;

	if (second)
		tn_ctl_without_device(ctl);
	else
		code = tn_ctl_learn_device(ctl);
	if (!code)
		code = read_side(ctl, words->word[0], &a);
	if (!code)
		code = read_side(ctl, second, &b);
	if (!code)
		code = print_differences(ctl, &a, &b);
	lines_fini(&a);
	lines_fini(&b);
	return code;
}
