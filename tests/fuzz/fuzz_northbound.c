/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A request as text -> its answer. The first line is the method and the path with its parameters,
 * then come headers up to an empty line, then the body. Whatever was asked for is answered, in JSON
 * that can be read; changes are tried only, so that the daemon is the same for every input.
 */
#include "control/northbound/call.h"

#include <stdio.h>
#include <unistd.h>

#include "control/northbound/answer.h"
#include "control/northbound/route.h"
#include "control/northbound/service.h"
#include "dataplane/api/loop.h"
#include "tests/fuzz/fuzz.h"

#define PARTS_MAX 256u /* of a streamed answer */

static struct tn_loop *loop;
static struct tn_service *service;
static char folder[] = "/tmp/tn-fuzz-XXXXXX";

/* --- what there is --- */

static const char *const there[][3] = {
	{"PUT", "/v1/ports/1", "{\"number\":1,\"name\":\"a\",\"type\":\"memory\"}"},
	{"PUT", "/v1/ports/2", "{\"number\":2,\"name\":\"b\",\"type\":\"memory\"}"},
	{"PUT", "/v1/tables/3", "{\"tableId\":3,\"name\":\"three\",\"maxEntries\":5}"},
	{"POST", "/v1/groups/of:0000000000000001",
		"{\"type\":\"ALL\",\"groupId\":1,\"appCookie\":\"0x01\",\"buckets\":[{\"treatment\":"
		"{\"instructions\":[{\"type\":\"OUTPUT\",\"port\":\"1\"}]}}]}"},
	{"POST", "/v1/meters/of:0000000000000001",
		"{\"unit\":\"KB_PER_SEC\",\"bands\":[{\"type\":\"DROP\",\"rate\":9,\"burstSize\":1}"
		"]}"},
	{"POST", "/v1/flows/of:0000000000000001",
		"{\"priority\":5,\"isPermanent\":true,\"cookie\":7,\"selector\":{\"criteria\":[{"
		"\"type\":\"IN_PORT\",\"port\":1}]},\"treatment\":{\"instructions\":[{\"type\":"
		"\"GROUP\",\"groupId\":1}]}}"},
	{"POST", "/v1/hosts",
		"{\"mac\":\"02:00:00:00:00:01\",\"vlan\":\"None\",\"ipAddresses\":[\"10.0.0.1\"],"
		"\"locations\":[{\"port\":\"1\"}]}"},
};

static struct tn_call *new_call(void)
{
	struct tn_call *c = tn_call_new(service);

	c->who = (struct tn_principal){.role = TN_ROLE_ADMIN, .name = "fuzz"};
	return c;
}

static void stop(struct tn_call *c)
{
	(void)c;
	tn_loop_stop(loop);
}

static enum tn_method method_of(const char *name)
{
	static const enum tn_method methods[] = {
		TN_GET, TN_POST, TN_PUT, TN_PATCH, TN_DELETE, TN_OPTIONS};

	for (size_t i = 0; i < TN_ARRAY_SIZE(methods); i++)
		if (strcmp(tn_method_name(methods[i]), name) == 0)
			return methods[i];
	return TN_NO_METHOD;
}

static void make_it_be_there(void)
{
	for (size_t i = 0; i < TN_ARRAY_SIZE(there); i++) {
		struct tn_call *c = new_call();

		c->method = method_of(there[i][0]);
		c->path = there[i][1];
		tn_text_puts(&c->body, there[i][2]);
		tn_call_begin(c);
		tn_call_run(c);
		c->wake = stop;
		if (!c->answered)
			tn_loop_run(loop);
		fuzz_require(c->answered && c->status < 300);
		tn_call_release(c);
	}
}

static void remove_store(void)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/db", folder);
	(void)unlink(path);
	(void)rmdir(folder);
}

static void open_once(void)
{
	static const struct tn_server_limits limits;
	static char path[64];
	struct tn_engine_options options = {.store_path = path, .dpid = 1};
	struct tn_engine *engine;
	struct tn_error err;

	if (service)
		return;
	fuzz_require(mkdtemp(folder) != NULL);
	snprintf(path, sizeof(path), "%s/db", folder);
	loop = tn_loop_new();
	fuzz_require(loop != NULL);
	engine = tn_engine_new(loop, &options, &err);
	fuzz_require(engine != NULL);
	service = tn_service_new(engine, &limits);
	make_it_be_there();
	/* What is open keeps its place until the end. */
	remove_store();
}

/* --- a request --- */

/* Up to one of the bytes of `ends`, which is taken, too. */
static char *take_word(struct tn_arena *arena, const char **at, const char *end, const char *ends)
{
	const char *from = *at, *p = from;
	char *word;

	while (p < end && *p && !strchr(ends, *p))
		p++;
	word = tn_arena_alloc(arena, (size_t)(p - from) + 1);
	memcpy(word, from, (size_t)(p - from));
	*at = p < end ? p + 1 : p;
	return word;
}

static void read_parameters(struct tn_call *c, char *text)
{
	for (char *next; text; text = next) {
		char *value;

		next = strchr(text, '&');
		if (next)
			*next++ = '\0';
		value = strchr(text, '=');
		if (value)
			*value++ = '\0';
		tn_call_add_query(c, text, value);
	}
}

static void read_header(struct tn_call *c, const char *line)
{
	const struct {
		const char *name;
		const char **to;
	} headers[] = {
		{"If-Match: ", &c->if_match},
		{"If-None-Match: ", &c->if_none_match},
		{"Last-Event-ID: ", &c->last_event_id},
		{"Accept: ", &c->accept},
		{"Content-Type: ", &c->content_type},
	};

	for (size_t i = 0; i < TN_ARRAY_SIZE(headers); i++)
		if (strncmp(line, headers[i].name, strlen(headers[i].name)) == 0)
			*headers[i].to = line + strlen(headers[i].name);
}

static struct tn_call *read_request(const char *at, const char *end)
{
	struct tn_call *c = new_call();
	char *line, *query;

	c->method = method_of(take_word(&c->arena, &at, end, " \n"));
	line = take_word(&c->arena, &at, end, "\n");
	query = strchr(line, '?');
	if (query)
		*query++ = '\0';
	c->path = line;
	read_parameters(c, query);
	while (at < end) {
		line = take_word(&c->arena, &at, end, "\n");
		if (!*line)
			break;
		read_header(c, line);
	}
	tn_text_add(&c->body, at, (size_t)(end - at));
	return c;
}

/* --- its answer --- */

static void require_json(const char *p, size_t n, bool problem)
{
	json_error_t error;
	json_t *j = json_loadb(p, n, JSON_REJECT_DUPLICATES, &error);

	fuzz_require(j != NULL);
	fuzz_require(!problem ||
		(json_is_integer(json_object_get(j, "code")) &&
			json_is_string(json_object_get(j, "message"))));
	json_decref(j);
}

static void require_lines(const char *p, size_t n)
{
	while (n) {
		const char *end = memchr(p, '\n', n);

		fuzz_require(end != NULL);
		require_json(p, (size_t)(end - p), false);
		n -= (size_t)(end + 1 - p);
		p = end + 1;
	}
}

static void check_answer(struct tn_call *c)
{
	struct tn_text all = {0}, part = {0};
	enum tn_produced more = TN_PRODUCED_MORE;

	fuzz_require(c->answered && c->status >= 200 && c->status < 600 && c->status != 500);
	tn_text_add(&all, c->text.p, c->text.n);
	for (unsigned i = 0; c->produce && more == TN_PRODUCED_MORE; i++) {
		fuzz_require(i < PARTS_MAX);
		part.n = 0;
		more = c->produce(c, &part);
		tn_text_add(&all, part.p, part.n);
	}
	if (!c->type)
		fuzz_require(!all.n);
	else if (strcmp(c->type, TN_TYPE_NDJSON) == 0)
		require_lines(all.p, all.n);
	else if (strcmp(c->type, TN_TYPE_SSE) != 0)
		require_json(all.p, all.n, c->status >= 400);
	tn_text_fini(&part);
	tn_text_fini(&all);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tn_call *c;

	open_once();
	c = read_request((const char *)data, (const char *)data + size);
	tn_call_begin(c);
	if (!c->answered && c->route->flags & TN_ROUTE_CHANGES && !tn_call_query(c, "dryRun"))
		tn_call_add_query(c, "dryRun", "true");
	if (!c->answered && c->route->flags & TN_ROUTE_CHANGES && !tn_call_flag(c, "dryRun"))
		tn_answer_error(c, 400, "this would be done");
	/* Whatever sends a packet waits for a data plane, and there is none. */
	if (!c->answered && strcmp(c->route->path, "/packet-out") == 0)
		tn_answer_error(c, 503, "no data plane");
	tn_call_run(c);
	check_answer(c);
	tn_call_release(c);
	return 0;
}
