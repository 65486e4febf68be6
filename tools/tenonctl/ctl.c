/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/tenonctl/ctl.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/model/ofctl.h"
#include "tools/tenonctl/say.h"

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
	*o = (struct tn_ofctl){
		.names = ctl->names, .arena = &ctl->arena, .diag = &ctl->diag, .line = line};
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

/* --- asking ----------------------------------------------------------------------------------- */

static json_t *parse(const struct tn_ctl_answer *answer)
{
	json_error_t err;

	return json_loadb(answer->body, answer->len, JSON_DECODE_ANY, &err);
}

/* 0 or the exit code; refusals were said. */
static int judge(const struct tn_ctl_answer *answer)
{
	json_t *problem;

	if (answer->status >= 200 && answer->status < 300)
		return TN_CTL_OK;
	problem = parse(answer);
	tn_ctl_say_problem(answer->status, problem);
	json_decref(problem);
	return answer->status == 503 ? TN_CTL_UNREACHABLE : TN_CTL_REFUSED;
}

static int ask(
	struct tn_ctl *ctl, const char *method, const char *path, const char *body, json_t **answer)
{
	struct tn_ctl_answer a;
	int code;

	*answer = NULL;
	if (tn_ctl_http_request(ctl->http, method, path, body, body ? strlen(body) : 0, &a))
		return TN_CTL_UNREACHABLE;
	code = judge(&a);
	if (!code && a.len) {
		*answer = parse(&a);
		if (!*answer) {
			tn_ctl_say("%s %s: the answer is not JSON", method, path);
			code = TN_CTL_REFUSED;
		}
	}
	tn_ctl_answer_fini(&a);
	return code;
}

int tn_ctl_get(struct tn_ctl *ctl, const char *path, json_t **answer)
{
	return ask(ctl, "GET", path, NULL, answer);
}

int tn_ctl_send(struct tn_ctl *ctl, const char *method, const char *path, const json_t *body,
	json_t **answer)
{
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	int code = ask(ctl, method, path, text, answer);

	free(text);
	return code;
}

int tn_ctl_get_text(struct tn_ctl *ctl, const char *path, struct tn_ctl_answer *answer)
{
	int code;

	if (tn_ctl_http_request(ctl->http, "GET", path, NULL, 0, answer))
		return TN_CTL_UNREACHABLE;
	code = judge(answer);
	if (code)
		tn_ctl_answer_fini(answer);
	return code;
}

int tn_ctl_transact(struct tn_ctl *ctl, json_t *operations, json_t **answer)
{
	const struct tn_ctl_options *o = &ctl->options;
	json_t *body = json_pack("{s:o}", "operations", operations);
	char *path;
	int code;

	if (o->confirm_within_s)
		json_object_set_new(body, "confirmWithin", json_integer(o->confirm_within_s));
	path = tn_ctl_path("/v1/transactions%s%s", o->dry_run ? "?dryRun=true" : "",
		o->no_wait ? (o->dry_run ? "&wait=none" : "?wait=none") : "");
	code = tn_ctl_send(ctl, "POST", path, body, answer);
	json_decref(body);
	free(path);
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
	code = tn_ctl_get(ctl, "/v1/ports", &answer);
	if (code)
		return code;
	learn_ports(ctl, answer);
	json_decref(answer);
	code = tn_ctl_get(ctl, "/v1/tables", &answer);
	if (code)
		return code;
	learn_tables(ctl, answer);
	json_decref(answer);
	return TN_CTL_OK;
}
