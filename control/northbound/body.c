/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/northbound/body.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "control/northbound/answer.h"
#include "control/northbound/service.h"

static void start(struct tn_call *c, struct tn_body *b)
{
	b->codec = tn_call_codec(c, false);
	tn_json_tape_init(&b->tape);
	b->reader = (struct tn_json_reader){.codec = &b->codec, .tape = &b->tape, .base = ""};
}

bool tn_body_read(struct tn_call *c, struct tn_body *b)
{
	struct tn_json_source s;

	start(c, b);
	tn_json_source_init(&s, c->body.p, c->body.n, &c->diag);
	return tn_json_value(&s, &b->tape) && tn_json_end(&s);
}

bool tn_body_end(struct tn_call *c, struct tn_body *b, bool ok)
{
	tn_json_tape_fini(&b->tape);
	if (ok && !c->diag.n)
		return true;
	tn_answer_diagnostics(c, &c->diag, 0, TN_NO_INDEX);
	return false;
}

static bool read_elements(struct tn_call *c, struct tn_body *b, struct tn_json_source *s,
	const char *key, tn_body_element_fn element)
{
	uint32_t most = c->service->limits.elements;
	char pointer[64];
	size_t n = 0, len;

	len = (size_t)snprintf(pointer, sizeof(pointer) - TN_DIGITS_MAX - 1, "/%s", key);
	if (tn_json_peek(s) != '[') {
		tn_diagnostics_add(
			&c->diag, pointer, s->line, 0, TN_OF_OK, "\"%s\" must be an array", key);
		return false;
	}
	tn_json_enter(s);
	pointer[len++] = '/';
	for (; tn_json_more(s, '[', n == 0); n++) {
		if (n == most) {
			tn_diagnostics_add(&c->diag, key, s->line, 0, TN_OFPBFC_MSG_TOO_MANY,
				"over %u elements in one request; send several", most);
			return false;
		}
		pointer[len + tn_digits(pointer + len, n)] = '\0';
		s->pointer = pointer;
		if (!tn_json_value(s, &b->tape))
			return false;
		b->reader.base = tn_arena_strdup(&c->arena, pointer);
		(void)element(c, &b->reader, b->tape.v, b->reader.base);
	}
	s->pointer = "";
	return !s->failed;
}

static bool read_member(struct tn_call *c, struct tn_body *b, struct tn_json_source *s,
	const struct tn_json_value *name, tn_body_member_fn member)
{
	char pointer[64], quoted[80], key[48];
	bool ok;

	snprintf(key, sizeof(key), "%.*s", (int)(name->string.len < 40 ? name->string.len : 40),
		name->string.p);
	snprintf(pointer, sizeof(pointer), "/%s", key);
	s->pointer = pointer;
	if (!tn_json_value(s, &b->tape))
		return false;
	b->reader.base = pointer;
	ok = member &&
		member(c, &b->reader, (struct tn_json_string){key, (uint32_t)strlen(key)},
			b->tape.v);
	if (!ok && !c->diag.n)
		tn_diagnostics_add(&c->diag, pointer, name->line, name->column, TN_OF_OK,
			"key %s has no meaning here; remove it",
			tn_json_quote(name->string, quoted, sizeof(quoted)));
	s->pointer = "";
	return true;
}

static bool read_members(struct tn_call *c, struct tn_body *b, struct tn_json_source *s,
	const char *key, tn_body_element_fn element, tn_body_member_fn member)
{
	struct tn_json_value name;
	bool first = true, seen = false;

	if (tn_json_peek(s) != '{') {
		tn_diagnostics_add(&c->diag, "", s->line, 0, TN_OF_OK,
			"the body must be an object with \"%s\"", key);
		return false;
	}
	tn_json_enter(s);
	for (; tn_json_more(s, '{', first); first = false) {
		if (!tn_json_key(s, &b->tape, &name))
			return false;
		if (!tn_json_string_is(name.string, key)) {
			if (!read_member(c, b, s, &name, member))
				return false;
			continue;
		}
		if (seen) {
			tn_diagnostics_add(&c->diag, "", name.line, name.column, TN_OF_OK,
				"key \"%s\" stands twice; keep one", key);
			return false;
		}
		seen = true;
		if (!read_elements(c, b, s, key, element))
			return false;
	}
	if (!seen && !s->failed)
		tn_diagnostics_add(
			&c->diag, "", s->line, 0, TN_OF_OK, "the body needs \"%s\"", key);
	return !s->failed && tn_json_end(s);
}

bool tn_body_array(
	struct tn_call *c, const char *key, tn_body_element_fn element, tn_body_member_fn member)
{
	struct tn_json_source s;
	struct tn_body b;
	bool ok;

	start(c, &b);
	tn_json_source_init(&s, c->body.p, c->body.n, &c->diag);
	s.pointer = "";
	ok = read_members(c, &b, &s, key, element, member);
	return tn_body_end(c, &b, ok);
}

/* Words of a path. */

bool tn_scan_u64(const char *s, uint64_t *out)
{
	bool hex = s[0] == '0' && (s[1] | 0x20) == 'x';
	const char *digits = hex ? s + 2 : s;
	size_t n = strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789");

	if (!n || digits[n])
		return false;
	errno = 0;
	*out = strtoull(digits, NULL, hex ? 16 : 10);
	return errno == 0;
}

bool tn_param_flow(struct tn_call *c, const char *s, uint64_t *id)
{
	if (s[0] == '-' && tn_scan_u64(s + 1, id) && *id <= (uint64_t)INT64_MAX + 1) {
		*id = -*id;
		return true;
	}
	if (tn_scan_u64(s, id))
		return true;
	tn_answer_error(c, 400, "a flow's id is a decimal number of 64 bits, not \"%.40s\"", s);
	return false;
}

bool tn_param_number(
	struct tn_call *c, const char *what, const char *s, uint64_t max, uint64_t *out)
{
	if (tn_scan_u64(s, out) && *out <= max)
		return true;
	tn_answer_error(c, 400, "%s is a number up to %" PRIu64 ", not \"%.40s\"", what, max, s);
	return false;
}

bool tn_param_table(struct tn_call *c, const char *s, uint8_t *table)
{
	int named = tn_names_table_by_name(tn_engine_names(tn_call_engine(c)), s);
	const char *near;
	uint64_t number;

	if (named >= 0) {
		*table = (uint8_t)named;
		return true;
	}
	if (tn_scan_u64(s, &number) && number <= TN_TABLE_MAX) {
		*table = (uint8_t)number;
		return true;
	}
	near = tn_names_nearest_table(tn_engine_names(tn_call_engine(c)), s);
	if (near)
		tn_answer_of_error(c, 404, TN_OFPBRC_BAD_TABLE_ID,
			"no table is \"%.60s\"; did you mean \"%s\"?", s, near);
	else
		tn_answer_of_error(c, 404, TN_OFPBRC_BAD_TABLE_ID,
			"no table is \"%.60s\"; there are 0 to %u and named ones", s, TN_TABLE_MAX);
	return false;
}

bool tn_param_port(struct tn_call *c, const char *s, uint32_t *port)
{
	const char *near;
	uint64_t number;

	*port = tn_names_port_by_name(tn_engine_names(tn_call_engine(c)), s);
	if (*port)
		return true;
	if (strcasecmp(s, "local") == 0) {
		*port = TN_PORT_LOCAL;
		return true;
	}
	if (tn_scan_u64(s, &number) && number >= 1 && number <= UINT32_MAX) {
		*port = (uint32_t)number;
		return true;
	}
	/* Of the switch's ports a tenant hears no names. */
	near = c->who.tenant ? NULL : tn_names_nearest_port(tn_engine_names(tn_call_engine(c)), s);
	tn_answer_of_error(c, 404, TN_OFPBRC_BAD_PORT, "no port is \"%.60s\"%s%s%s", s,
		near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
	return false;
}

bool tn_call_read_app(struct tn_call *c)
{
	const char *app = tn_call_query(c, "appId");

	if (!app)
		return true;
	if (!*app || strlen(app) > TN_JSON_APP_MAX) {
		tn_answer_error(c, 400, "\"appId\" has 1 to %u bytes", TN_JSON_APP_MAX);
		return false;
	}
	c->owner = tn_names_intern(tn_engine_names(tn_call_engine(c)), app);
	if (c->owner)
		return true;
	tn_answer_error(c, 507, "too many different appIds are in use; take one that is there");
	return false;
}

const struct tn_flow_add *tn_call_add_flow(struct tn_call *c, struct tn_json_reader *r,
	tn_json_ref v, struct tn_arena_mark mark, const struct tn_flow_mod *fm, const char *pointer)
{
	struct tn_error err;
	const struct tn_flow_add *add = tn_engine_pack_flow(tn_call_engine(c), fm, &c->arena, &err);

	if (!add) {
		(void)tn_json_error(r, v, err.of, "%s", err.detail);
		return NULL;
	}
	add = tn_arena_keep(&c->arena, mark, add, tn_flow_add_size(add));
	tn_call_operation(c, TN_OP_FLOW_ADD, pointer)->flow = add;
	return add;
}
