/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/northbound/answer.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "control/northbound/memory.h"
#include "control/northbound/service.h"

#define ERRORS_MAX  1000u /* told in one answer */
#define RETRY_AFTER 1u

const char *tn_status_phrase(unsigned status)
{
	static const struct {
		unsigned status;
		const char *phrase;
	} phrases[] = {
		{400, "Bad Request"},
		{401, "Unauthorized"},
		{403, "Forbidden"},
		{404, "Not Found"},
		{405, "Method Not Allowed"},
		{406, "Not Acceptable"},
		{408, "Request Timeout"},
		{409, "Conflict"},
		{410, "Gone"},
		{412, "Precondition Failed"},
		{413, "Content Too Large"},
		{415, "Unsupported Media Type"},
		{422, "Unprocessable Content"},
		{428, "Precondition Required"},
		{429, "Too Many Requests"},
		{500, "Internal Server Error"},
		{503, "Service Unavailable"},
		{507, "Insufficient Storage"},
	};

	for (size_t i = 0; i < TN_ARRAY_SIZE(phrases); i++)
		if (phrases[i].status == status)
			return phrases[i].phrase;
	return "Error";
}

static void done(struct tn_call *c, unsigned status)
{
	c->status = status;
	c->answered = true;
	if (c->idempotency_key)
		tn_memory_keep(c->service->memory, c);
	if (c->wake)
		c->wake(c);
}

void tn_answer_text(struct tn_call *c, unsigned status, const char *type)
{
	c->type = type;
	done(c, status);
}

void tn_answer_json(struct tn_call *c, unsigned status, json_t *j)
{
	tn_text_json(&c->text, j);
	tn_answer_text(c, status, TN_TYPE_JSON);
}

void tn_answer_empty(struct tn_call *c, unsigned status)
{
	c->type = NULL;
	done(c, status);
}

void tn_answer_stream(struct tn_call *c, unsigned status, const char *type,
	enum tn_produced (*produce)(struct tn_call *c, struct tn_text *out))
{
	c->produce = produce;
	tn_answer_text(c, status, type);
}

/* Problems. */

struct problem {
	unsigned status;
	enum tn_of_error of;
	const char *detail;
	size_t failed;
	const struct tn_diagnostics *all; /* NULL: this one alone */
};

/* "flow-mod-failed" */
static const char *of_category(unsigned type)
{
	static const char *const names[] = {
		[1] = "bad-request",
		[2] = "bad-action",
		[3] = "bad-instruction",
		[4] = "bad-match",
		[5] = "flow-mod-failed",
		[6] = "group-mod-failed",
		[7] = "port-mod-failed",
		[8] = "table-mod-failed",
		[12] = "meter-mod-failed",
		[17] = "bundle-failed",
	};

	return type < TN_ARRAY_SIZE(names) && names[type] ? names[type] : "error";
}

/* The name without its prefix, in small letters: "bad-prereq", or with spaces "bad prereq". */
static void of_word(enum tn_of_error of, char gap, char *buf, size_t size)
{
	const char *name = strchr(tn_of_error_name(of), '_');
	size_t n = 0;

	for (name = name ? name + 1 : "error"; *name && n + 1 < size; name++)
		buf[n++] = *name == '_' ? gap : (char)tolower((unsigned char)*name);
	buf[n] = '\0';
}

static void put_of(json_t *o, enum tn_of_error of)
{
	json_object_set_new(o, "ofType", json_integer(tn_of_error_type(of)));
	json_object_set_new(o, "ofCode", json_integer(tn_of_error_code(of)));
	json_object_set_new(o, "ofName", json_string(tn_of_error_name(of)));
}

static void put_type(json_t *o, const struct problem *p)
{
	char word[48], text[128];

	if (p->of == TN_OF_OK) {
		json_object_set_new(o, "type", json_string("about:blank"));
		json_object_set_new(o, "title", json_string(tn_status_phrase(p->status)));
		return;
	}
	of_word(p->of, '-', word, sizeof(word));
	snprintf(text, sizeof(text), "/problems/of/%s/%s", of_category(tn_of_error_type(p->of)),
		word);
	json_object_set_new(o, "type", json_string(text));
	of_word(p->of, ' ', word, sizeof(word));
	word[0] = (char)toupper((unsigned char)word[0]);
	json_object_set_new(o, "title", json_string(word));
}

/* Text of the client's may stand in a sentence; what of it is not UTF-8 becomes '?'. */
static json_t *sentence(const char *s)
{
	json_t *j = json_string(s);
	char *copy;

	if (j)
		return j;
	copy = strdup(s);
	if (!copy)
		abort();
	for (char *p = copy; *p; p++)
		if ((unsigned char)*p >= 0x80)
			*p = '?';
	j = json_string(copy);
	free(copy);
	return j;
}

static json_t *error_list(const struct tn_diagnostics *d)
{
	json_t *array = json_array();

	for (size_t i = 0; i < d->n && i < ERRORS_MAX; i++) {
		const struct tn_diagnostic *e = &d->list[i];
		json_t *o = json_object();

		if (e->pointer)
			json_object_set_new(o, "pointer", sentence(e->pointer));
		if (e->line)
			json_object_set_new(o, "line", json_integer(e->line));
		if (e->column)
			json_object_set_new(o, "column", json_integer(e->column));
		if (e->of != TN_OF_OK)
			put_of(o, e->of);
		json_object_set_new(o, "detail", sentence(e->detail));
		json_array_append_new(array, o);
	}
	return array;
}

static unsigned status_for(const struct tn_call *c, unsigned status)
{
	return c->onos && status == 422 ? 400 : status;
}

static void answer_problem(struct tn_call *c, struct problem p)
{
	json_t *o = json_object();
	char instance[40];

	p.status = status_for(c, p.status);
	snprintf(instance, sizeof(instance), "/requests/%" PRIx64, c->number);
	if (!c->onos) {
		put_type(o, &p);
		json_object_set_new(o, "status", json_integer(p.status));
		json_object_set_new(o, "detail", sentence(p.detail));
		json_object_set_new(o, "instance", json_string(instance));
	}
	json_object_set_new(o, "code", json_integer(p.status));
	json_object_set_new(o, "message", sentence(p.detail));
	if (p.of != TN_OF_OK)
		put_of(o, p.of);
	if (p.all)
		json_object_set_new(o, "errors", error_list(p.all));
	if (p.all && p.all->n + p.all->dropped > ERRORS_MAX)
		json_object_set_new(
			o, "errorsInAll", json_integer((json_int_t)(p.all->n + p.all->dropped)));
	if (p.failed != TN_NO_INDEX)
		json_object_set_new(o, "failedIndex", json_integer((json_int_t)p.failed));
	if (p.status == 503)
		c->retry_after = RETRY_AFTER;
	c->text.n = 0;
	tn_text_json(&c->text, o);
	tn_answer_text(c, p.status, c->onos ? TN_TYPE_JSON : TN_TYPE_PROBLEM);
}

static void answer_sentence(
	struct tn_call *c, unsigned status, enum tn_of_error of, const char *fmt, va_list ap)
{
	struct problem p = {.status = status, .of = of, .failed = TN_NO_INDEX};
	char detail[512];

	vsnprintf(detail, sizeof(detail), fmt, ap);
	p.detail = detail;
	answer_problem(c, p);
}

void tn_answer_error(struct tn_call *c, unsigned status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	answer_sentence(c, status, TN_OF_OK, fmt, ap);
	va_end(ap);
}

void tn_answer_of_error(
	struct tn_call *c, unsigned status, enum tn_of_error of, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	answer_sentence(c, status ? status : tn_of_error_http_status(of), of, fmt, ap);
	va_end(ap);
}

void tn_answer_diagnostics(
	struct tn_call *c, const struct tn_diagnostics *d, unsigned status, size_t failed)
{
	struct problem p = {.failed = failed, .detail = "refused", .all = d};

	if (d && d->n) {
		p.of = d->list[0].of;
		p.detail = d->list[0].detail;
	}
	p.status = status ? status : p.of ? tn_of_error_http_status(p.of) : 400;
	answer_problem(c, p);
}

unsigned tn_answer_status(const struct tn_call *c, const struct tn_outcome *o, unsigned status)
{
	return o->verdict == TN_ACCEPTED && !c->onos ? 202 : status;
}

void tn_answer_done(struct tn_call *c, const struct tn_outcome *o)
{
	c->etag = 0;
	tn_answer_empty(c, tn_answer_status(c, o, 204));
}

void tn_answer_outcome(struct tn_call *c, const struct tn_outcome *o)
{
	/* 0: as the first error has it. */
	static const unsigned statuses[] = {
		[TN_REFUSED] = 0,
		[TN_NOT_FOUND] = 404,
		[TN_PRECONDITION] = 412,
		[TN_FORBIDDEN] = 403,
		[TN_CONFLICT] = 409,
		[TN_UNAVAILABLE] = 503,
		[TN_STORE_FAILED] = 507,
	};
	unsigned status = o->verdict < TN_ARRAY_SIZE(statuses) ? statuses[o->verdict] : 500;

	/* Refused without an OpenFlow error: what was asked for is not possible as things are. */
	if (o->verdict == TN_REFUSED && o->errors && o->errors->n && !o->errors->list[0].of)
		status = 422;
	tn_answer_diagnostics(
		c, o->errors, status, o->errors && o->errors->n ? o->failed : TN_NO_INDEX);
}

bool tn_answer_location(struct tn_call *c, const struct tn_outcome *o, const char *plural)
{
	const struct tn_result *r = &o->results[0];
	char location[96];

	snprintf(location, sizeof(location), "%s/%s/of:%016" PRIx64 "/%" PRId64,
		c->onos ? "/onos/v1" : "/v1", plural, tn_engine_dpid(tn_call_engine(c)),
		(int64_t)r->id);
	c->location = tn_arena_strdup(&c->arena, location);
	c->etag = r->generation;
	if (c->onos)
		tn_answer_empty(c, 201);
	return c->onos;
}
