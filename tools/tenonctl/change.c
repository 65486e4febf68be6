/* SPDX-License-Identifier: BSD-3-Clause */
/* Transactions: what is sent, and what came of it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/tenonctl/flow_text.h"
#include "tools/tenonctl/say.h"
#include "tools/tenonctl/share.h"

static const char before[] = "{\"operations\":[", after[] = "]}";

/* --- operations ------------------------------------------------------------------------------- */

static void *grown(void *p, size_t *room, size_t needed, size_t size)
{
	if (*room >= needed)
		return p;
	*room = *room ? 2 * *room : 256;
	if (*room < needed)
		*room = needed;
	p = realloc(p, *room * size);
	if (!p)
		abort();
	return p;
}

void tn_ctl_operations_add(struct tn_ctl_operations *ops, json_t *operation)
{
	char *text = json_dumps(operation, JSON_COMPACT);
	size_t n = text ? strlen(text) : 0;

	if (!text)
		abort();
	json_decref(operation);
	ops->text = grown(ops->text, &ops->room, ops->len + n + 1, 1);
	ops->ends = grown(ops->ends, &ops->ends_room, ops->n + 1, sizeof(*ops->ends));
	if (ops->n)
		ops->text[ops->len++] = ',';
	memcpy(ops->text + ops->len, text, n);
	ops->len += n;
	ops->ends[ops->n++] = ops->len;
	free(text);
}

void tn_ctl_operations_fini(struct tn_ctl_operations *ops)
{
	free(ops->text);
	free(ops->ends);
	*ops = (struct tn_ctl_operations){0};
}

static json_t *load(const struct tn_ctl_input *in)
{
	json_error_t err;
	json_t *tree = json_loadb(in->data, in->len, JSON_REJECT_DUPLICATES, &err);

	if (!tree)
		fprintf(stderr, "%s:%d:%d: %s\n", in->source, err.line, err.column, err.text);
	return tree;
}

int tn_ctl_read_document(struct tn_ctl *ctl, struct tn_ctl_input *in, const char *key,
	const char *one, const char *op, struct tn_ctl_operations *ops)
{
	json_t *tree = load(in), *list, *item;
	size_t i;

	if (!tree)
		return TN_CTL_USAGE;
	list = json_is_array(tree) ? tree : json_object_get(tree, key);
	if (!json_is_array(list)) {
		tn_ctl_say("%s: give {\"%s\": [..]}, or the array alone", in->source, key);
		json_decref(tree);
		return TN_CTL_USAGE;
	}
	tn_ctl_input_list(in, list == tree ? NULL : key, json_array_size(list));
	json_array_foreach(list, i, item)
	{
		if (json_is_object(item) && strcmp(op, "add") == 0 &&
			!json_object_get(item, "appId"))
			json_object_set_new(item, "appId", json_string(tn_ctl_app(ctl)));
		tn_ctl_operations_add(ops, json_pack("{s:s,s:O}", "op", op, one, item));
	}
	json_decref(tree);
	return TN_CTL_OK;
}

/* --- what came of it -------------------------------------------------------------------------- */

static void print_side(
	struct tn_ctl *ctl, enum tn_ctl_color color, char sign, const char *kind, json_t *side)
{
	char *text;

	if (!json_is_object(side))
		return;
	text = tn_ctl_object_text(ctl, kind, side);
	tn_ctl_color(color);
	printf("%c%s ", sign, kind);
	tn_ctl_print_clean(stdout, text);
	tn_ctl_color(TN_CTL_PLAIN);
	putchar('\n');
	free(text);
}

static void print_dry_run(struct tn_ctl *ctl, const json_t *answer)
{
	const json_t *changes = json_object_get(answer, "changes"), *change;
	uint64_t total = tn_ctl_number(answer, "total");
	char buf[32];
	size_t i;

	json_array_foreach(changes, i, change)
	{
		const char *kind = tn_ctl_text(change, "kind", buf);

		print_side(ctl, TN_CTL_RED, '-', kind, json_object_get(change, "before"));
		print_side(ctl, TN_CTL_GREEN, '+', kind, json_object_get(change, "after"));
	}
	if (total > json_array_size(changes))
		printf("and %" PRIu64 " more\n", total - json_array_size(changes));
	printf("%" PRIu64 " change%s; nothing was done (--dry-run)\n", total,
		total == 1 ? "" : "s");
}

void tn_ctl_tell(struct tn_ctl *ctl, const json_t *answer, const char *done)
{
	const json_t *transaction = json_object_get(answer, "transaction");

	if (ctl->options.json) {
		tn_ctl_print_json(answer);
		return;
	}
	if (ctl->options.dry_run) {
		print_dry_run(ctl, answer);
		return;
	}
	if (done)
		puts(done);
	if (ctl->accepted && !ctl->options.no_wait)
		tn_ctl_say(
			"the data plane is away: the change is stored, and made when it is back");
	if (json_is_string(transaction))
		printf("undone again in %u s unless confirmed: tenonctl confirm %s\n",
			ctl->options.confirm_within_s, json_string_value(transaction));
	else if (ctl->options.confirm_within_s)
		printf("nothing was different: there is nothing to confirm\n");
}

/* --- sending ---------------------------------------------------------------------------------- */

static uint64_t count_objects(const json_t *answer)
{
	const json_t *result;
	uint64_t n = 0;
	size_t i;

	json_array_foreach(json_object_get(answer, "results"), i, result) n +=
		tn_ctl_number(result, "objects");
	return n;
}

static char *body_of(const struct tn_ctl_operations *ops, size_t first, size_t n)
{
	size_t start = first ? ops->ends[first - 1] + 1 : 0;
	size_t len = n ? ops->ends[first + n - 1] - start : 0;

	return tn_ctl_path("%s%.*s%s", before, (int)len, ops->text ? ops->text + start : "", after);
}

/* A transaction of n operations, fewer where the daemon says that they are too many for one. */
struct piece {
	size_t first, n;
	bool may_shrink;
};

/* 413 of one that may shrink is no refusal: TN_CTL_OK without an answer. */
static int send_piece(struct tn_ctl *ctl, const struct tn_ctl_operations *ops,
	const struct piece *piece, const struct tn_ctl_input *in, json_t **answer)
{
	char *path = tn_ctl_manner(ctl, tn_ctl_path("/v1/transactions"));
	char *body = body_of(ops, piece->first, piece->n);
	struct tn_ctl_input part = *in;
	struct tn_ctl_answer a;
	int code = TN_CTL_UNREACHABLE;

	*answer = NULL;
	if (in->n) {
		part.lines += piece->first;
		part.n = piece->n;
	}
	part.first = piece->first;
	ctl->asked = &part;
	if (tn_ctl_http_request(ctl->http, "POST", path, body, strlen(body), &a) == 0) {
		code = TN_CTL_OK;
		if (a.status != 413 || !piece->may_shrink || piece->n < 2)
			code = tn_ctl_take(ctl, "POST", path, &a, answer);
		tn_ctl_answer_fini(&a);
	}
	ctl->asked = NULL;
	free(path);
	free(body);
	return code;
}

static void say_several(const struct tn_ctl_operations *ops)
{
	tn_ctl_say("%zu operations are too many for one transaction: they are sent as several, "
		   "each whole or not at all",
		ops->n);
}

/* "3 flows deleted"; NULL: nothing is to be said. */
static const char *sentence(
	const struct tn_ctl_done *done, uint64_t objects, char *buf, size_t size)
{
	if (!done)
		return NULL;
	snprintf(buf, size, "%" PRIu64 " %s%s %s", objects, done->noun, objects == 1 ? "" : "s",
		done->participle);
	return buf;
}

int tn_ctl_apply(struct tn_ctl *ctl, struct tn_ctl_operations *ops, const struct tn_ctl_input *in,
	const struct tn_ctl_done *done, bool whole)
{
	struct piece piece = {0, ops->n, !whole && !ctl->options.confirm_within_s};
	uint64_t objects = 0;
	char buf[80];
	int code;

	do {
		json_t *answer;
		size_t end;

		if (piece.n > ops->n - piece.first)
			piece.n = ops->n - piece.first;
		end = piece.first + piece.n;
		code = send_piece(ctl, ops, &piece, in, &answer);
		if (!code && !answer) {
			if (piece.n == ops->n)
				say_several(ops);
			piece.n = (piece.n + 1) / 2;
			continue;
		}
		objects += count_objects(answer);
		if (!code)
			tn_ctl_tell(ctl, answer,
				end < ops->n ? NULL : sentence(done, objects, buf, sizeof(buf)));
		json_decref(answer);
		if (!code)
			piece.first = end;
	} while (!code && piece.first < ops->n);
	if (piece.first && code)
		tn_ctl_say("the first %zu operations were done", piece.first);
	return code;
}
