/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/tenonctl/ctl.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/model/ofctl.h"
#include "tools/tenonctl/input.h"
#include "tools/tenonctl/say.h"

const char *tn_ctl_app(const struct tn_ctl *ctl)
{
	return ctl->options.app ? ctl->options.app : TN_CTL_APP_DEFAULT;
}

struct tn_codec tn_ctl_codec(struct tn_ctl *ctl)
{
	return (struct tn_codec){
		.dpid = ctl->dpid,
		.names = ctl->names,
		.arena = &ctl->arena,
		.diag = &ctl->diag,
	};
}

void tn_ctl_reader(struct tn_ctl *ctl, uint32_t line, struct tn_ofctl *o)
{
	*o = (struct tn_ofctl){.names = ctl->nameless ? NULL : ctl->names,
		.arena = &ctl->arena,
		.diag = &ctl->diag,
		.line = line};
}

void tn_ctl_without_device(struct tn_ctl *ctl)
{
	ctl->dpid = 1;
	ctl->nameless = true;
}

char *tn_ctl_path(const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		abort();
	va_end(ap);
	return s;
}

char *tn_ctl_escape(const char *text)
{
	char *out = malloc(3 * strlen(text) + 1), *p = out;

	if (!out)
		abort();
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
			strchr("-._~", c))
			*p++ = (char)c;
		else
			p += snprintf(p, 4, "%%%02X", c);
	}
	*p = '\0';
	return out;
}

char *tn_ctl_query(char *path, const char *key, const char *value)
{
	char *escaped = tn_ctl_escape(value), *longer;

	longer = tn_ctl_path("%s%c%s=%s", path, strchr(path, '?') ? '&' : '?', key, escaped);
	free(escaped);
	free(path);
	return longer;
}

char *tn_ctl_manner(const struct tn_ctl *ctl, char *path)
{
	const struct tn_ctl_options *o = &ctl->options;
	char seconds[16];

	if (o->dry_run)
		path = tn_ctl_query(path, "dryRun", "true");
	if (o->no_wait)
		path = tn_ctl_query(path, "wait", "none");
	if (!o->confirm_within_s)
		return path;
	snprintf(seconds, sizeof(seconds), "%u", o->confirm_within_s);
	return tn_ctl_query(path, "confirmWithin", seconds);
}

/* --- refusals --------------------------------------------------------------------------------- */

/* "/operations/3/flow/priority": 3, and the rest after the second name. False: another pointer. */
static bool operation_of(const char *pointer, size_t *at, const char **rest)
{
	static const char start[] = "/operations/";
	char *end;

	if (strncmp(pointer, start, sizeof(start) - 1) != 0)
		return false;
	*at = strtoul(pointer + sizeof(start) - 1, &end, 10);
	*rest = *end ? strchr(end + 1, '/') : NULL;
	if (!*rest)
		*rest = "";
	return true;
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s ? s : "";
}

/* The array of the document that an operation was made of; *at: the operation, then its element. */
static const char *list_of(const struct tn_ctl_input *in, size_t *at)
{
	size_t i = 0;

	*at += in->first;
	for (; i + 1 < in->n_lists && *at >= in->lists[i].n; i++)
		*at -= in->lists[i].n;
	return in->n_lists ? in->lists[i].pointer : "";
}

/* An error of the line, or the element of a document, that the operation came from. */
static void say_error(const struct tn_ctl_input *in, const json_t *error)
{
	const char *pointer = text_of(error, "pointer"), *name = text_of(error, "ofName"), *rest;
	const char *detail = text_of(error, "detail"), *colon = *name ? ": " : "";
	size_t at;

	if (in && operation_of(pointer, &at, &rest) && at < in->n) {
		tn_ctl_say_of_line(in->lines[at].source, in->lines[at].number, in->lines[at].text,
			in->lines[at].len, name, detail);
	} else if (in && in->is_json && operation_of(pointer, &at, &rest)) {
		const char *list = list_of(in, &at);

		tn_ctl_say("%s: %s/%zu%s: %s%s%s", in->source, list, at, rest, name, colon, detail);
	} else {
		tn_ctl_say("%s%s%s%s%s", pointer, *pointer ? ": " : "", name, colon, detail);
	}
}

static void say_problem(struct tn_ctl *ctl, long status, const json_t *problem)
{
	const json_t *errors = json_object_get(problem, "errors"), *error;
	const char *name = text_of(problem, "ofName"), *detail = text_of(problem, "detail");
	size_t i;

	if (ctl->options.json && problem) {
		json_dumpf(problem, stderr, JSON_INDENT(1));
		fputc('\n', stderr);
		return;
	}
	if (!*detail)
		detail = text_of(problem, "message");
	json_array_foreach(errors, i, error) say_error(ctl->asked, error);
	if (!json_array_size(errors) && *detail)
		tn_ctl_say("%s%s%s", name, *name ? ": " : "", detail);
	else if (!json_array_size(errors))
		tn_ctl_say("the daemon refused it: HTTP status %ld", status);
	if (ctl->asked && ctl->asked->n > 1)
		tn_ctl_say("nothing was changed");
	if (status == 413)
		tn_ctl_say("or let tenond take larger ones: limits/bodyBytes of its configuration");
	if (status == 401)
		tn_ctl_say("show a token, --token-file FILE, or a certificate, --cert and --key");
}

/* --- asking ----------------------------------------------------------------------------------- */

static json_t *parse(const struct tn_ctl_answer *answer)
{
	json_error_t err;

	return json_loadb(answer->body, answer->len, JSON_DECODE_ANY, &err);
}

int tn_ctl_judge(struct tn_ctl *ctl, const struct tn_ctl_answer *answer)
{
	json_t *problem;

	ctl->accepted = answer->status == 202;
	if (answer->status >= 200 && answer->status < 300)
		return TN_CTL_OK;
	problem = parse(answer);
	say_problem(ctl, answer->status, problem);
	json_decref(problem);
	return answer->status == 503 ? TN_CTL_UNREACHABLE : TN_CTL_REFUSED;
}

int tn_ctl_take(struct tn_ctl *ctl, const char *method, const char *path,
	const struct tn_ctl_answer *a, json_t **answer)
{
	int code = tn_ctl_judge(ctl, a);

	*answer = NULL;
	if (code || !a->len)
		return code;
	*answer = parse(a);
	if (*answer)
		return TN_CTL_OK;
	tn_ctl_say("%s %s: the answer is not JSON", method, path);
	return TN_CTL_REFUSED;
}

int tn_ctl_send_text(
	struct tn_ctl *ctl, const char *method, const char *path, const char *body, json_t **answer)
{
	struct tn_ctl_answer a;
	int code;

	*answer = NULL;
	if (tn_ctl_http_request(ctl->http, method, path, body, body ? strlen(body) : 0, &a))
		return TN_CTL_UNREACHABLE;
	code = tn_ctl_take(ctl, method, path, &a, answer);
	tn_ctl_answer_fini(&a);
	return code;
}

int tn_ctl_get(struct tn_ctl *ctl, const char *path, json_t **answer)
{
	return tn_ctl_send_text(ctl, "GET", path, NULL, answer);
}

int tn_ctl_send(struct tn_ctl *ctl, const char *method, const char *path, const json_t *body,
	json_t **answer)
{
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	int code = tn_ctl_send_text(ctl, method, path, text, answer);

	free(text);
	return code;
}

int tn_ctl_get_text(struct tn_ctl *ctl, const char *path, struct tn_ctl_answer *answer)
{
	int code;

	if (tn_ctl_http_request(ctl->http, "GET", path, NULL, 0, answer))
		return TN_CTL_UNREACHABLE;
	code = tn_ctl_judge(ctl, answer);
	if (code)
		tn_ctl_answer_fini(answer);
	return code;
}

/* --- the device ------------------------------------------------------------------------------- */

static bool read_dpid(const json_t *devices, uint64_t *dpid)
{
	const json_t *device = json_array_get(json_object_get(devices, "devices"), 0);
	const char *id = json_string_value(json_object_get(device, "id"));
	char *end;

	if (!id || strlen(id) != 19 || memcmp(id, "of:", 3) != 0)
		return false;
	*dpid = strtoull(id + 3, &end, 16);
	return !*end;
}

static void learn_ports(struct tn_ctl *ctl, const json_t *ports)
{
	const json_t *port;
	size_t i;

	json_array_foreach(json_object_get(ports, "ports"), i, port)
	{
		const char *name = json_string_value(json_object_get(port, "name"));
		json_int_t number = json_integer_value(json_object_get(port, "number"));

		/* A name that is taken keeps its first owner: numbers work for the other. */
		if (name && number > 0 && number <= (json_int_t)TN_PORT_MAX)
			(void)!tn_names_add_port(ctl->names, name, (uint32_t)number);
	}
}

static void learn_tables(struct tn_ctl *ctl, const json_t *tables)
{
	const json_t *table;
	size_t i;

	json_array_foreach(json_object_get(tables, "tables"), i, table)
	{
		const char *name = json_string_value(json_object_get(table, "name"));
		json_int_t id = json_integer_value(json_object_get(table, "tableId"));

		if (name && id >= 0 && id <= (json_int_t)TN_TABLE_MAX)
			(void)!tn_names_add_table(ctl->names, name, (uint8_t)id);
	}
}

/* Names of tables are the switch's: a client of one tenant does without. */
static int learn_tables_if_allowed(struct tn_ctl *ctl)
{
	struct tn_ctl_answer answer;
	json_t *tables = NULL;
	int code = TN_CTL_OK;

	if (tn_ctl_http_request(ctl->http, "GET", "/v1/tables", NULL, 0, &answer))
		return TN_CTL_UNREACHABLE;
	if (answer.status != 403)
		code = tn_ctl_judge(ctl, &answer);
	if (!code && answer.status != 403)
		tables = parse(&answer);
	learn_tables(ctl, tables);
	json_decref(tables);
	tn_ctl_answer_fini(&answer);
	return code;
}

int tn_ctl_learn_device(struct tn_ctl *ctl)
{
	json_t *answer;
	int code;

	if (ctl->dpid)
		return TN_CTL_OK;
	code = tn_ctl_get(ctl, "/v1/devices", &answer);
	if (code)
		return code;
	if (!read_dpid(answer, &ctl->dpid)) {
		json_decref(answer);
		tn_ctl_say("the daemon names no device: is it of this version?");
		return TN_CTL_REFUSED;
	}
	json_decref(answer);
	code = tn_ctl_get(ctl, "/v1/ports?kind=switch&stats=false", &answer);
	if (code)
		return code;
	learn_ports(ctl, answer);
	json_decref(answer);
	return learn_tables_if_allowed(ctl);
}
