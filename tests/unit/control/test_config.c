/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define TOKEN "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

struct bed {
	struct tn_config config;
	struct tn_diagnostics diag;
};

static bool no_file(const char *path, uint8_t sha256[32], char *why, size_t size)
{
	memset(sha256, 0x5a, 32);
	snprintf(why, size, "%s: no such file", path);
	return strcmp(path, "none") != 0;
}

static int setup(void **state)
{
	static struct bed b;

	tn_config_init(&b.config);
	tn_diagnostics_init(&b.diag);
	*state = &b;
	return 0;
}

static int teardown(void **state)
{
	struct bed *b = *state;

	tn_config_fini(&b->config);
	tn_diagnostics_fini(&b->diag);
	return 0;
}

static int parse(struct bed *b, const char *text)
{
	tn_config_fini(&b->config);
	tn_diagnostics_fini(&b->diag);
	tn_config_init(&b->config);
	return tn_config_parse(&b->config, text, strlen(text), no_file, &b->diag);
}

static void test_defaults(void **state)
{
	struct bed *b = *state;
	const struct tn_config *c = &b->config;

	assert_int_equal(parse(b, "{}"), 0);
	assert_string_equal(c->server.socket.path, "/run/tenon/tenond.sock");
	assert_int_equal(c->server.socket.mode, 0660);
	assert_null(c->server.socket.group);
	assert_int_equal(c->server.n_tcp, 0);
	assert_int_equal(c->server.n_tokens, 0);
	assert_int_equal(c->server.limits.connections, 0);
	assert_string_equal(c->state_dir, "/var/lib/tenond");
	assert_string_equal(c->dataplane_path, "/run/tenon/dataplane.sock");
	assert_false(c->refuse_when_away);
	assert_true(c->mirror_underlay);
}

static void test_everything(void **state)
{
	static const char text[] =
		"{\"state\":\"/s\",\"socket\":{\"path\":\"/x\",\"mode\":\"0600\",\"group\":\"g\"},"
		"\"listen\":[{\"address\":\"::1\",\"port\":80},"
		"{\"address\":\"::\",\"port\":443,\"certificate\":\"c\",\"key\":\"k\",\"clientCa\":\"a\"}],"
		"\"tokens\":[{\"name\":\"n\",\"sha256\":\"" TOKEN "\",\"role\":\"viewer\","
		"\"tenant\":\"blue\"},{\"name\":\"cn\",\"role\":\"admin\"},"
		"{\"name\":\"f\",\"file\":\"t\",\"role\":\"operator\"}],"
		"\"limits\":{\"connections\":1,\"connectionsPerClient\":2,\"bodyBytes\":4096,"
		"\"bodiesBytes\":8589934592,\"elements\":77,\"headerSeconds\":5,\"bodySeconds\":6,\"stallSeconds\":7,"
		"\"watchers\":8,\"watchBytes\":9999,\"heartbeatSeconds\":10},"
		"\"dataplane\":{\"socket\":\"/d\",\"whenAway\":\"refuse\"},"
		"\"host\":\"h1.example\","
		"\"underlay\":{\"mirror\":false}}";
	struct bed *b = *state;
	const struct tn_server_options *o = &b->config.server;

	assert_int_equal(parse(b, text), 0);
	assert_string_equal(b->config.state_dir, "/s");
	assert_string_equal(b->config.host, "h1.example");
	assert_string_equal(o->socket.path, "/x");
	assert_int_equal(o->socket.mode, 0600);
	assert_string_equal(o->socket.group, "g");
	assert_int_equal(o->n_tcp, 2);
	assert_string_equal(o->tcp[0].address, "::1");
	assert_int_equal(o->tcp[0].port, 80);
	assert_null(o->tcp[0].certificate);
	assert_string_equal(o->tcp[1].certificate, "c");
	assert_string_equal(o->tcp[1].key, "k");
	assert_string_equal(o->tcp[1].client_ca, "a");
	assert_int_equal(o->n_tokens, 3);
	assert_string_equal(o->tokens[0].name, "n");
	assert_true(o->tokens[0].has_sha256);
	assert_int_equal(o->tokens[0].sha256[0], 0x01);
	assert_int_equal(o->tokens[0].sha256[31], 0xef);
	assert_int_equal(o->tokens[0].role, TN_ROLE_VIEWER);
	assert_string_equal(o->tokens[0].tenant, "blue");
	assert_false(o->tokens[1].has_sha256);
	assert_int_equal(o->tokens[1].role, TN_ROLE_ADMIN);
	assert_null(o->tokens[1].tenant);
	assert_int_equal(o->tokens[2].sha256[7], 0x5a);
	assert_int_equal(o->limits.connections, 1);
	assert_int_equal(o->limits.connections_per_client, 2);
	assert_int_equal(o->limits.body_bytes, 4096);
	assert_int_equal(o->limits.bodies_bytes, UINT64_C(8589934592));
	assert_int_equal(o->limits.elements, 77);
	assert_int_equal(o->limits.header_seconds, 5);
	assert_int_equal(o->limits.body_seconds, 6);
	assert_int_equal(o->limits.stall_seconds, 7);
	assert_int_equal(o->limits.watchers, 8);
	assert_int_equal(o->limits.watch_bytes, 9999);
	assert_int_equal(o->limits.heartbeat_seconds, 10);
	assert_string_equal(b->config.dataplane_path, "/d");
	assert_true(b->config.refuse_when_away);
	assert_false(b->config.mirror_underlay);
}

struct refusal {
	const char *text, *pointer, *words; /* words: in the sentence */
};

static const struct refusal refusals[] = {
	{"", "", ""},
	{"{", "", ""},
	{"[]", "", "an object"},
	{"{} x", "", ""},
	{"{\"sockets\":{}}", "/sockets", "did you mean \"socket\"?"},
	{"{\"state\":1}", "/state", "a string"},
	{"{\"state\":\"\"}", "/state", "not empty"},
	{"{\"socket\":{\"mode\":\"0678\"}}", "/socket/mode", "octal"},
	{"{\"socket\":{\"mode\":\"1777\"}}", "/socket/mode", "0777"},
	{"{\"socket\":{\"mode\":\"00660\"}}", "/socket/mode", "octal"},
	{"{\"socket\":{\"owner\":\"me\"}}", "/socket/owner", "unknown key"},
	{"{\"socket\":null}", "", "nobody can reach"},
	{"{\"listen\":{}}", "/listen", "an array"},
	{"{\"listen\":[{\"port\":1}]}", "/listen/0", "needs \"address\""},
	{"{\"listen\":[{\"address\":\"::1\"}]}", "/listen/0", "needs \"port\""},
	{"{\"listen\":[{\"address\":\"localhost\",\"port\":1}]}", "/listen/0/address", "not an IP"},
	{"{\"listen\":[{\"address\":\"::1\",\"port\":65536}]}", "/listen/0/port", "0 to 65535"},
	{"{\"listen\":[{\"address\":\"0.0.0.0\",\"port\":1}]}", "/listen/0/address",
		"not loopback"},
	{"{\"listen\":[{\"address\":\"::\",\"port\":1,\"key\":\"k\"}]}", "/listen/0",
		"belong together"},
	{"{\"listen\":[{\"address\":\"::1\",\"port\":1,\"clientCa\":\"k\"}]}", "/listen/0/clientCa",
		"under TLS"},
	{"{\"tokens\":[{\"role\":\"admin\"}]}", "/tokens/0", "needs \"name\""},
	{"{\"tokens\":[{\"name\":\"a\"}]}", "/tokens/0", "needs \"role\""},
	{"{\"tokens\":[{\"name\":\"a\",\"role\":\"admim\"}]}", "/tokens/0/role",
		"did you mean \"admin\"?"},
	{"{\"tokens\":[{\"name\":\"a\",\"role\":\"admin\",\"tenant\":\"t\"}]}", "/tokens/0/tenant",
		"everybody's"},
	{"{\"tokens\":[{\"name\":\"a\",\"role\":\"admin\",\"sha256\":\"12\"}]}", "/tokens/0/sha256",
		"sha256sum"},
	{"{\"tokens\":[{\"name\":\"a\",\"role\":\"admin\",\"file\":\"none\"}]}", "/tokens/0/file",
		"no such file"},
	{"{\"tokens\":[{\"name\":\"a\",\"role\":\"admin\",\"file\":\"f\",\"sha256\":\"" TOKEN
	 "\"}]}",
		"/tokens/0/file", "one of the two"},
	{"{\"tokens\":[{\"name\":\"a\",\"role\":\"admin\"},{\"name\":\"a\",\"role\":\"admin\"}]}",
		"/tokens/1", "named \"a\""},
	{"{\"tokens\":[{\"name\":\"a\",\"role\":\"admin\",\"file\":\"f\"},"
	 "{\"name\":\"b\",\"role\":\"admin\",\"file\":\"g\"}]}",
		"/tokens/1", "another token"},
	{"{\"limits\":{\"connections\":0}}", "/limits/connections", "1 to"},
	{"{\"limits\":{\"bodyBytes\":1e9}}", "/limits/bodyBytes", "an integer"},
	{"{\"limits\":{\"bodybytes\":9999}}", "/limits/bodybytes", "did you mean \"bodyBytes\"?"},
	{"{\"host\":\"a/b\"}", "/host", "no id of a host"},
	{"{\"dataplane\":{\"whenAway\":\"refuze\"}}", "/dataplane/whenAway",
		"did you mean \"refuse\"?"},
	{"{\"underlay\":{\"mirror\":3}}", "/underlay/mirror", "true or false"},
	{"{\"state\":\"a\",\"state\":\"b\"}", "/state", ""},
};

static void test_refused(void **state)
{
	struct bed *b = *state;

	for (size_t i = 0; i < TN_ARRAY_SIZE(refusals); i++) {
		const struct refusal *r = &refusals[i];

		if (!parse(b, r->text) || b->diag.n != 1 ||
			strcmp(b->diag.list[0].pointer ?: "", r->pointer) != 0 ||
			!strstr(b->diag.list[0].detail, r->words))
			fail_msg("%s: %zu: %s: %s", r->text, b->diag.n,
				b->diag.n ? b->diag.list[0].pointer : "-",
				b->diag.n ? b->diag.list[0].detail : "-");
		assert_true(b->diag.list[0].line > 0);
	}
}

static void test_all_errors_in_their_order(void **state)
{
	struct bed *b = *state;

	assert_true(parse(b,
			    "{\"underlay\": {\"mirror\": 3},\n"
			    " \"limits\": {\"connections\": -1, \"watchers\": \"x\"},\n"
			    " \"tokens\": [{\"name\": \"\", \"rolle\": \"admin\"}],\n"
			    " \"state\": 7}") != 0);
	assert_int_equal(b->diag.n, 7);
	for (size_t i = 1; i < b->diag.n; i++)
		assert_true(b->diag.list[i].line >= b->diag.list[i - 1].line);
	assert_string_equal(b->diag.list[0].pointer, "/underlay/mirror");
	assert_int_equal(b->diag.list[0].column, 25);
	assert_string_equal(b->diag.list[6].pointer, "/state");
}

static void test_listen(void **state)
{
	static const char *const wrong[] = {"", ":", "8181", ":8181", "127.0.0.1",
		"127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "127.0.0.1:-1", "[127.0.0.1]:1",
		"::1:80", "[::1:80", "[]:1", "localhost:80", "0.0.0.0:80", "[::]:80",
		"198.51.100.1:80"};
	struct bed *b = *state;
	struct tn_error err;

	assert_int_equal(tn_config_listen(&b->config, "127.0.0.1:8181", &err), 0);
	assert_int_equal(tn_config_listen(&b->config, "[::1]:0", &err), 0);
	assert_int_equal(b->config.server.n_tcp, 2);
	assert_string_equal(b->config.server.tcp[0].address, "127.0.0.1");
	assert_int_equal(b->config.server.tcp[0].port, 8181);
	assert_string_equal(b->config.server.tcp[1].address, "::1");
	for (size_t i = 0; i < TN_ARRAY_SIZE(wrong); i++) {
		if (!tn_config_listen(&b->config, wrong[i], &err))
			fail_msg("'%s' was taken", wrong[i]);
		assert_true(err.detail[0] != '\0');
	}
	assert_int_equal(b->config.server.n_tcp, 2);
}

/* --- files --- */

static void write_file(const char *path, const char *text, mode_t mode)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	assert_int_equal(chmod(path, mode), 0);
}

static int load(struct bed *b, const char *dir, const char *token, mode_t mode)
{
	char text[256], path[128], config[128];

	snprintf(path, sizeof(path), "%s/token", dir);
	snprintf(config, sizeof(config), "%s/config", dir);
	write_file(path, token, mode);
	snprintf(text, sizeof(text),
		"{\"tokens\":[{\"name\":\"a\",\"role\":\"admin\",\"file\":\"%s\"}]}", path);
	write_file(config, text, 0644);
	tn_config_fini(&b->config);
	tn_config_init(&b->config);
	return tn_config_load(&b->config, config);
}

static void test_files(void **state)
{
	/* Of "correct horse battery". */
	static const uint8_t start[4] = {0x90, 0x28, 0xea, 0x0d};
	struct bed *b = *state;
	char dir[] = "/tmp/test_config.XXXXXX", path[128];

	assert_non_null(mkdtemp(dir));
	assert_int_equal(load(b, dir, "correct horse battery\n", 0600), 0);
	assert_memory_equal(b->config.server.tokens[0].sha256, start, sizeof(start));
	assert_true(load(b, dir, "correct horse battery\n", 0604) != 0);
	assert_true(load(b, dir, "too short\n", 0600) != 0);
	assert_true(load(b, dir, "", 0600) != 0);
	assert_true(tn_config_load(&b->config, dir) != 0);
	assert_true(tn_config_load(&b->config, "/dev/zero") != 0);
	snprintf(path, sizeof(path), "%s/none", dir);
	assert_true(tn_config_load(&b->config, path) != 0);
	snprintf(path, sizeof(path), "%s/token", dir);
	unlink(path);
	snprintf(path, sizeof(path), "%s/config", dir);
	unlink(path);
	assert_int_equal(rmdir(dir), 0);
}

/* The file that is installed. */
static void test_example(void **state)
{
	struct bed *b = *state;
	char path[512];

	snprintf(path, sizeof(path), "%s/configs/tenond.json", getenv("TN_SOURCE_ROOT"));
	assert_int_equal(tn_config_load(&b->config, path), 0);
	assert_string_equal(b->config.server.socket.group, "tenon");
	assert_int_equal(b->config.server.n_tcp, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_defaults, setup, teardown),
		cmocka_unit_test_setup_teardown(test_everything, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_all_errors_in_their_order, setup, teardown),
		cmocka_unit_test_setup_teardown(test_listen, setup, teardown),
		cmocka_unit_test_setup_teardown(test_files, setup, teardown),
		cmocka_unit_test_setup_teardown(test_example, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
