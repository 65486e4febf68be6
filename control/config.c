/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "control/model/json_codec.h"
#include "control/model/tenant_json.h"

#define PATH_BYTES_MAX	 4095u
#define SOCKET_BYTES_MAX (sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1)
#define NAME_BYTES_MAX	 255u

/* What readers share. */
struct reader {
	struct tn_json_reader json;
	struct tn_config *config;
	tn_config_token_fn read_token;
};

void tn_config_init(struct tn_config *config)
{
	*config = (struct tn_config){
		.server.socket = {.path = TN_CONFIG_SOCKET, .mode = 0660},
		.state_dir = TN_CONFIG_STATE,
		.dataplane_path = TN_CONFIG_DATAPLANE,
		.mirror_underlay = true,
		.host = "",
	};
	tn_arena_init(&config->arena);
}

void tn_config_fini(struct tn_config *config)
{
	tn_arena_fini(&config->arena);
	*config = (struct tn_config){0};
}

/* Values. */

static bool read_string(struct reader *r, tn_json_ref v, size_t max, const char **out)
{
	struct tn_json_string s;
	char *copy;

	if (!v)
		return true;
	if (!tn_json_text(&r->json, v, max, &s))
		return false;
	copy = tn_arena_alloc(&r->config->arena, s.len + 1u);
	memcpy(copy, s.p, s.len);
	*out = copy;
	return true;
}

static bool read_needed(struct reader *r, tn_json_ref object, tn_json_ref v, const char *what,
	const char *key, size_t max, const char **out)
{
	if (!v)
		return tn_json_needed(&r->json, object, what, key) != NULL;
	return read_string(r, v, max, out);
}

static bool read_number(struct reader *r, tn_json_ref v, uint64_t min, uint64_t max, uint64_t *out)
{
	return !v || tn_json_unsigned(&r->json, v, min, max, TN_OF_OK, out);
}

static bool read_bool(struct reader *r, tn_json_ref v, bool *out)
{
	return !v || tn_json_bool(&r->json, v, out);
}

/* One of two words: *second says which. */
static bool read_word(struct reader *r, tn_json_ref v, const char *a, const char *b, bool *second)
{
	const char *const words[] = {a, b, NULL};
	struct tn_json_string s;
	char found[64], hint[96];

	if (!v)
		return true;
	if (!tn_json_text(&r->json, v, NAME_BYTES_MAX, &s))
		return false;
	*second = tn_json_string_is(s, b);
	if (*second || tn_json_string_is(s, a))
		return true;
	return tn_json_error(&r->json, v, TN_OF_OK,
		"%s is neither \"%s\" nor \"%s\"%s; give one of them",
		tn_json_quote(s, found, sizeof(found)), a, b,
		tn_json_suggest(s, words, hint, sizeof(hint)));
}

/* "0660": permissions in octal. */
static bool read_mode(struct reader *r, tn_json_ref v, uint32_t *mode)
{
	struct tn_json_string s;
	uint32_t bits = 0;

	if (!v)
		return true;
	if (!tn_json_text(&r->json, v, NAME_BYTES_MAX, &s))
		return false;
	for (uint32_t i = 0; i < s.len; i++) {
		if (s.p[i] < '0' || s.p[i] > '7' || s.len > 4)
			return tn_json_error(&r->json, v, TN_OF_OK,
				"not the permissions of a file; give them in octal, such as \"0660\"");
		bits = bits << 3 | (uint32_t)(s.p[i] - '0');
	}
	if (bits > 0777)
		return tn_json_error(&r->json, v, TN_OF_OK,
			"a socket has permissions from \"0000\" to \"0777\"");
	*mode = bits;
	return true;
}

/* Members of an object; false also when v is none. */
static bool members(struct reader *r, tn_json_ref v, const char *what,
	const struct tn_json_key *keys, size_t n, tn_json_ref *m)
{
	memset(m, 0, n * sizeof(*m));
	if (!tn_json_is_object(&r->json, v, "an object"))
		return false;
	/* What is known of it is read all the same, to tell all errors. */
	(void)tn_json_members(&r->json, v, what, keys, n, m);
	return true;
}

/* Sections. */

static void read_socket(struct reader *r, tn_json_ref v)
{
	static const struct tn_json_key keys[] = {
		TN_JSON_KEY("path"), TN_JSON_KEY("mode"), TN_JSON_KEY("group")};
	struct tn_server_unix *s = &r->config->server.socket;
	tn_json_ref m[TN_ARRAY_SIZE(keys)];

	if (v->type == TN_JSON_NULL) {
		s->path = NULL;
		return;
	}
	if (!members(r, v, "\"socket\"", keys, TN_ARRAY_SIZE(keys), m))
		return;
	(void)read_string(r, m[0], SOCKET_BYTES_MAX, &s->path);
	(void)read_mode(r, m[1], &s->mode);
	(void)read_string(r, m[2], NAME_BYTES_MAX, &s->group);
}

/* 0: not an address. */
static int family_of(const char *address, bool *loopback)
{
	struct in6_addr ip6;
	struct in_addr ip4;

	if (inet_pton(AF_INET, address, &ip4) == 1) {
		*loopback = ntohl(ip4.s_addr) >> 24 == 127;
		return AF_INET;
	}
	*loopback = false;
	if (inet_pton(AF_INET6, address, &ip6) != 1)
		return 0;
	*loopback = IN6_IS_ADDR_LOOPBACK(&ip6);
	return AF_INET6;
}

static bool read_address(struct reader *r, tn_json_ref listener, tn_json_ref v,
	struct tn_server_tcp *tcp, bool *loopback)
{
	if (!read_needed(r, listener, v, "a listener", "address", NAME_BYTES_MAX, &tcp->address) ||
		!v)
		return false;
	return family_of(tcp->address, loopback) ||
		tn_json_error(&r->json, v, TN_OF_OK,
			"not an IP address; give one of this host, such as \"127.0.0.1\" or \"::\" for all");
}

static void read_listener(struct reader *r, tn_json_ref v, struct tn_server_tcp *tcp)
{
	static const struct tn_json_key keys[] = {TN_JSON_KEY("address"), TN_JSON_KEY("port"),
		TN_JSON_KEY("certificate"), TN_JSON_KEY("key"), TN_JSON_KEY("clientCa")};
	static const char what[] = "a listener";
	tn_json_ref m[TN_ARRAY_SIZE(keys)];
	bool loopback;
	uint64_t port = 0;

	if (!members(r, v, what, keys, TN_ARRAY_SIZE(keys), m))
		return;
	if (!m[1])
		(void)tn_json_needed(&r->json, v, what, "port");
	if (read_number(r, m[1], 0, 65535, &port))
		tcp->port = (uint16_t)port;
	(void)read_string(r, m[2], PATH_BYTES_MAX, &tcp->certificate);
	(void)read_string(r, m[3], PATH_BYTES_MAX, &tcp->key);
	(void)read_string(r, m[4], PATH_BYTES_MAX, &tcp->client_ca);
	if (!m[2] != !m[3])
		(void)tn_json_error(&r->json, v, TN_OF_OK,
			"\"certificate\" and \"key\" belong together; give both, or none on loopback");
	else if (m[4] && !m[2])
		(void)tn_json_error(&r->json, m[4], TN_OF_OK,
			"clients show certificates under TLS only; give \"certificate\" and \"key\", too");
	if (read_address(r, v, m[0], tcp, &loopback) && !loopback && !m[2] && !m[3])
		(void)tn_json_error(&r->json, m[0], TN_OF_OK,
			"%s is not loopback, and there all could read tokens on the wire; give "
			"\"certificate\" and \"key\", or listen on 127.0.0.1 or ::1",
			tcp->address);
}

static tn_json_ref read_array(struct reader *r, tn_json_ref v, size_t max, size_t *n)
{
	*n = 0;
	if (!tn_json_is_array(&r->json, v, "an array"))
		return NULL;
	if (v->n > max) {
		(void)tn_json_error(
			&r->json, v, TN_OF_OK, "%u of them; at most %zu are read", v->n, max);
		return NULL;
	}
	*n = v->n;
	return tn_json_first(v);
}

static void read_listeners(struct reader *r, tn_json_ref v)
{
	struct tn_server_options *o = &r->config->server;
	tn_json_ref e = read_array(r, v, TN_CONFIG_TCP_MAX, &o->n_tcp);
	struct tn_server_tcp *tcp = tn_arena_alloc(&r->config->arena, o->n_tcp * sizeof(*tcp));

	for (size_t i = 0; i < o->n_tcp; i++, e = tn_json_next(r->json.tape, e))
		read_listener(r, e, &tcp[i]);
	o->tcp = tcp;
}

static bool read_sha256(struct reader *r, tn_json_ref v, uint8_t sha256[32])
{
	struct tn_json_string s;

	if (!tn_json_text(&r->json, v, NAME_BYTES_MAX, &s))
		return false;
	for (uint32_t i = 0; i < s.len; i++) {
		int digit = tn_json_hex_digit(s.p[i]);

		if (s.len != 64 || digit < 0)
			return tn_json_error(&r->json, v, TN_OF_OK,
				"not a SHA-256 of 64 hex digits; make it by: "
				"printf %%s \"$TOKEN\" | sha256sum");
		sha256[i / 2] = (uint8_t)(sha256[i / 2] << 4 | digit);
	}
	return true;
}

static bool read_token_file(struct reader *r, tn_json_ref v, uint8_t sha256[32])
{
	const char *path = NULL;
	char why[400];

	if (!read_string(r, v, PATH_BYTES_MAX, &path))
		return false;
	if (!r->read_token || r->read_token(path, sha256, why, sizeof(why)))
		return true;
	return tn_json_error(&r->json, v, TN_OF_OK, "%s", why);
}

static void read_role(struct reader *r, tn_json_ref token, tn_json_ref v, enum tn_role *role)
{
	static const char *const words[] = {"viewer", "operator", "admin", NULL};
	const char *word = NULL;
	char found[64], hint[96];

	if (!read_needed(r, token, v, "a token", "role", NAME_BYTES_MAX, &word) || !word)
		return;
	for (unsigned i = 0; words[i]; i++) {
		if (!strcmp(word, words[i]))
			*role = (enum tn_role)(TN_ROLE_VIEWER + i);
	}
	if (*role == TN_ROLE_NONE)
		(void)tn_json_error(&r->json, v, TN_OF_OK,
			"%s is no role%s; give \"viewer\", \"operator\" or \"admin\"",
			tn_json_quote(v->string, found, sizeof(found)),
			tn_json_suggest(v->string, words, hint, sizeof(hint)));
}

static void read_token(struct reader *r, tn_json_ref v, struct tn_server_token *t)
{
	static const struct tn_json_key keys[] = {TN_JSON_KEY("name"), TN_JSON_KEY("sha256"),
		TN_JSON_KEY("file"), TN_JSON_KEY("role"), TN_JSON_KEY("tenant")};
	static const char what[] = "a token";
	tn_json_ref m[TN_ARRAY_SIZE(keys)];

	if (!members(r, v, what, keys, TN_ARRAY_SIZE(keys), m))
		return;
	(void)read_needed(r, v, m[0], what, "name", NAME_BYTES_MAX, &t->name);
	if (m[1] && m[2])
		(void)tn_json_error(&r->json, m[2], TN_OF_OK,
			"\"sha256\" and \"file\" are two ways to say the same; remove one of the two");
	if (m[1])
		t->has_sha256 = read_sha256(r, m[1], t->sha256);
	else if (m[2])
		t->has_sha256 = read_token_file(r, m[2], t->sha256);
	read_role(r, v, m[3], &t->role);
	(void)read_string(r, m[4], NAME_BYTES_MAX, &t->tenant);
	if (t->tenant && t->role == TN_ROLE_ADMIN)
		(void)tn_json_error(&r->json, m[4], TN_OF_OK,
			"an admin sees everybody's objects; give the role \"operator\", or remove "
			"\"tenant\"");
}

static void refuse_twins(struct reader *r, tn_json_ref first, size_t n)
{
	const struct tn_server_token *t = r->config->server.tokens;
	tn_json_ref e = first;

	for (size_t i = 0; i < n; i++, e = tn_json_next(r->json.tape, e)) {
		for (size_t j = 0; j < i; j++) {
			if (t[i].name && t[j].name && !strcmp(t[i].name, t[j].name)) {
				(void)tn_json_error(&r->json, e, TN_OF_OK,
					"a second token is named \"%s\"; give each its own name",
					t[i].name);
				break;
			}
			if (t[i].has_sha256 && t[j].has_sha256 &&
				!memcmp(t[i].sha256, t[j].sha256, sizeof(t[i].sha256))) {
				(void)tn_json_error(&r->json, e, TN_OF_OK,
					"the secret is that of another token, too; give each its own");
				break;
			}
		}
	}
}

static void read_tokens(struct reader *r, tn_json_ref v)
{
	struct tn_server_options *o = &r->config->server;
	tn_json_ref first = read_array(r, v, TN_CONFIG_TOKENS_MAX, &o->n_tokens), e = first;
	struct tn_server_token *t = tn_arena_alloc(&r->config->arena, o->n_tokens * sizeof(*t));

	o->tokens = t;
	for (size_t i = 0; i < o->n_tokens; i++, e = tn_json_next(r->json.tape, e))
		read_token(r, e, &t[i]);
	refuse_twins(r, first, o->n_tokens);
}

static void read_limits(struct reader *r, tn_json_ref v)
{
	enum {
		CONNECTIONS,
		PER_CLIENT,
		BODY,
		BODIES,
		ELEMENTS,
		HEADER_S,
		BODY_S,
		STALL_S,
		WATCHERS,
		WATCH,
		HEARTBEAT_S,
		N_LIMITS
	};
	static const struct tn_json_key keys[N_LIMITS] = {
		[CONNECTIONS] = TN_JSON_KEY("connections"),
		[PER_CLIENT] = TN_JSON_KEY("connectionsPerClient"),
		[BODY] = TN_JSON_KEY("bodyBytes"),
		[BODIES] = TN_JSON_KEY("bodiesBytes"),
		[ELEMENTS] = TN_JSON_KEY("elements"),
		[HEADER_S] = TN_JSON_KEY("headerSeconds"),
		[BODY_S] = TN_JSON_KEY("bodySeconds"),
		[STALL_S] = TN_JSON_KEY("stallSeconds"),
		[WATCHERS] = TN_JSON_KEY("watchers"),
		[WATCH] = TN_JSON_KEY("watchBytes"),
		[HEARTBEAT_S] = TN_JSON_KEY("heartbeatSeconds"),
	};
	static const struct {
		uint64_t min, max;
	} range[N_LIMITS] = {
		[CONNECTIONS] = {1, 65536},
		[PER_CLIENT] = {1, 65536},
		[BODY] = {1024, 256 << 20},
		[BODIES] = {1024, UINT64_C(1) << 36},
		[ELEMENTS] = {1, 1 << 20},
		[HEADER_S] = {1, 3600},
		[BODY_S] = {1, 3600},
		[STALL_S] = {1, 3600},
		[WATCHERS] = {1, 65536},
		[WATCH] = {4096, UINT64_C(1) << 36},
		[HEARTBEAT_S] = {1, 3600},
	};
	struct tn_server_limits *l = &r->config->server.limits;
	uint64_t values[N_LIMITS] = {0};
	tn_json_ref m[N_LIMITS];

	if (!members(r, v, "\"limits\"", keys, N_LIMITS, m))
		return;
	for (unsigned i = 0; i < N_LIMITS; i++)
		(void)read_number(r, m[i], range[i].min, range[i].max, &values[i]);
	*l = (struct tn_server_limits){
		.connections = (uint32_t)values[CONNECTIONS],
		.connections_per_client = (uint32_t)values[PER_CLIENT],
		.body_bytes = (uint32_t)values[BODY],
		.bodies_bytes = values[BODIES],
		.elements = (uint32_t)values[ELEMENTS],
		.header_seconds = (uint32_t)values[HEADER_S],
		.body_seconds = (uint32_t)values[BODY_S],
		.stall_seconds = (uint32_t)values[STALL_S],
		.watchers = (uint32_t)values[WATCHERS],
		.watch_bytes = values[WATCH],
		.heartbeat_seconds = (uint32_t)values[HEARTBEAT_S],
	};
}

static void read_dataplane(struct reader *r, tn_json_ref v)
{
	static const struct tn_json_key keys[] = {TN_JSON_KEY("socket"), TN_JSON_KEY("whenAway")};
	tn_json_ref m[TN_ARRAY_SIZE(keys)];

	if (!members(r, v, "\"dataplane\"", keys, TN_ARRAY_SIZE(keys), m))
		return;
	(void)read_string(r, m[0], SOCKET_BYTES_MAX, &r->config->dataplane_path);
	(void)read_word(r, m[1], "accept", "refuse", &r->config->refuse_when_away);
}

static void read_underlay(struct reader *r, tn_json_ref v)
{
	static const struct tn_json_key keys[] = {TN_JSON_KEY("mirror")};
	tn_json_ref m[TN_ARRAY_SIZE(keys)];

	if (members(r, v, "\"underlay\"", keys, TN_ARRAY_SIZE(keys), m))
		(void)read_bool(r, m[0], &r->config->mirror_underlay);
}

static void read_host(struct reader *r, tn_json_ref v)
{
	struct tn_json_string s;

	if (!tn_json_text(&r->json, v, TN_TENANT_ID_MAX, &s))
		return;
	if (tn_tenant_is_id(s.p, s.len))
		(void)read_string(r, v, TN_TENANT_ID_MAX, &r->config->host);
	else
		(void)tn_json_error(&r->json, v, TN_OF_OK,
			"no id of a host: letters, digits, '-', '_', '.' and ':', the first one a "
			"letter or digit");
}

static void read_file(struct reader *r, tn_json_ref v)
{
	static const struct {
		struct tn_json_key key;
		void (*read)(struct reader *r, tn_json_ref v);
	} sections[] = {
		{TN_JSON_KEY("socket"), read_socket},
		{TN_JSON_KEY("listen"), read_listeners},
		{TN_JSON_KEY("tokens"), read_tokens},
		{TN_JSON_KEY("limits"), read_limits},
		{TN_JSON_KEY("dataplane"), read_dataplane},
		{TN_JSON_KEY("underlay"), read_underlay},
		{TN_JSON_KEY("host"), read_host},
	};
	enum { N = TN_ARRAY_SIZE(sections) };
	struct tn_json_key keys[N + 1] = {TN_JSON_KEY("state")};
	tn_json_ref m[N + 1];

	for (unsigned i = 0; i < N; i++)
		keys[i + 1] = sections[i].key;
	if (!members(r, v, "the configuration", keys, N + 1, m))
		return;
	(void)read_string(r, m[0], PATH_BYTES_MAX, &r->config->state_dir);
	for (unsigned i = 0; i < N; i++) {
		if (m[i + 1])
			sections[i].read(r, m[i + 1]);
	}
	if (!r->config->server.socket.path && !r->config->server.n_tcp && !r->json.failed)
		(void)tn_json_error(&r->json, v, TN_OF_OK,
			"nobody can reach this daemon; give \"socket\" or \"listen\"");
}

int tn_config_parse(struct tn_config *config, const char *text, size_t len,
	tn_config_token_fn read_token_fn, struct tn_diagnostics *diag)
{
	struct tn_codec codec = {.arena = &config->arena, .diag = diag};
	struct reader r = {.config = config, .read_token = read_token_fn};
	struct tn_json_source source;
	struct tn_json_tape tape;
	size_t from = diag->n;

	tn_json_tape_init(&tape);
	tn_json_source_init(&source, text, len, diag);
	r.json = (struct tn_json_reader){.codec = &codec, .tape = &tape, .base = ""};
	if (tn_json_value(&source, &tape) && tn_json_end(&source))
		read_file(&r, tape.v);
	tn_json_tape_fini(&tape);
	tn_diagnostics_sort(diag, from);
	return diag->n > from || diag->dropped ? -EINVAL : 0;
}

int tn_config_listen(struct tn_config *config, const char *where, struct tn_error *err)
{
	static const char need[] =
		"give ADDRESS:PORT of this host, such as 127.0.0.1:8181 or [::1]:8181";
	struct tn_server_options *o = &config->server;
	const char *colon = strrchr(where, ':');
	struct tn_server_tcp *all;
	bool loopback, brackets = *where == '[' && colon && colon > where + 1 && colon[-1] == ']';
	unsigned long port;
	char *address, *end;

	if (!colon || colon[1] < '0' || colon[1] > '9')
		return tn_error_set(
			err, TN_OF_OK, -1, "'%s' is no address and port: %s", where, need);
	port = strtoul(colon + 1, &end, 10);
	address = tn_arena_alloc(&config->arena, (size_t)(colon - where) + 1);
	memcpy(address, where + brackets, (size_t)(colon - where) - 2u * brackets);
	if (*end || port > 65535 ||
		family_of(address, &loopback) != (brackets ? AF_INET6 : AF_INET))
		return tn_error_set(
			err, TN_OF_OK, -1, "'%s' is no address and port: %s", where, need);
	if (!loopback)
		return tn_error_set(err, TN_OF_OK, -1,
			"%s is not loopback, and there all could read tokens on the wire: listen there "
			"by the configuration file, with a certificate",
			where);
	all = tn_arena_alloc(&config->arena, (o->n_tcp + 1) * sizeof(*all));
	if (o->n_tcp)
		memcpy(all, o->tcp, o->n_tcp * sizeof(*all));
	all[o->n_tcp++] = (struct tn_server_tcp){.address = address, .port = (uint16_t)port};
	o->tcp = all;
	return 0;
}
