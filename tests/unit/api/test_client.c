/* SPDX-License-Identifier: BSD-3-Clause */
/* A client at one end of a socket pair, at the other a script of what a server says. */
#include "dataplane/api/client.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define PATIENCE_MS 10000

/* The other end is a process of its own; it exits with 0 where all went as it expects. */
struct server {
	int fd;
	struct tn_api_buffer in, out;
	struct tn_api_arena arena;
	size_t taken;
};

static void expect(bool c, int line)
{
	if (!c)
		_exit(line & 0x7f ? line & 0x7f : 1);
}
#define EXPECT(c) expect(c, __LINE__)

static void hear(struct server *s, struct tn_api_message *m)
{
	struct tn_error err;
	size_t len = 0;

	tn_api_buffer_consume(&s->in, s->taken);
	tn_api_arena_fini(&s->arena);
	for (;;) {
		ssize_t n;

		EXPECT(!tn_api_message_length(s->in.data, s->in.len, &len, &err));
		if (len)
			break;
		EXPECT(!tn_api_buffer_reserve(&s->in, 65536));
		n = read(s->fd, s->in.data + s->in.len, 65536);
		EXPECT(n > 0);
		s->in.len += (size_t)n;
	}
	s->taken = len;
	EXPECT(!tn_api_decode(s->in.data, len, &s->arena, m, &err));
}

static void say(struct server *s, uint64_t id, struct tn_api_message m)
{
	struct tn_error err;

	m.request_id = id;
	s->out.len = 0;
	EXPECT(!tn_api_encode(&s->out, &m, &err));
	/* In pieces, as a socket may deliver it. */
	for (size_t at = 0; at < s->out.len;) {
		size_t n = s->out.len - at < 11 ? s->out.len - at : 11;

		EXPECT(write(s->fd, s->out.data + at, n) == (ssize_t)n);
		at += n;
	}
}

static void greet(struct server *s)
{
	struct tn_api_message m;

	hear(s, &m);
	EXPECT(m.type == TN_API_HELLO && m.request_id && !strcmp(m.hello.name, "test"));
	say(s, m.request_id,
		(struct tn_api_message){.type = TN_API_HELLO_REPLY,
			.hello_reply = {.dpid = 7, .uid = 1000, .version = "0.1"}});
}

static struct tn_api_client *connected(void (*script)(struct server *s), pid_t *pid, int timeout)
{
	struct tn_api_client *c;
	struct tn_error err;
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	*pid = fork();
	if (*pid == 0) {
		struct server s = {.fd = pair[1]};

		close(pair[0]);
		tn_api_arena_init(&s.arena, 0);
		greet(&s);
		script(&s);
		_exit(0);
	}
	close(pair[1]);
	c = tn_api_client_open(pair[0], "test", timeout, &err);
	if (!c)
		fail_msg("%s", err.detail);
	assert_int_equal(tn_api_client_server(c)->dpid, 7);
	assert_string_equal(tn_api_client_server(c)->version, "0.1");
	return c;
}

static void finish(struct tn_api_client *c, pid_t pid)
{
	int status;

	tn_api_client_free(c);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

#define N_MODS 20000u

static void bundle_script(struct server *s)
{
	struct tn_api_message m;
	uint64_t n = 0, id = 0;

	do {
		hear(s, &m);
		EXPECT(m.type == TN_API_BUNDLE && (!id || m.request_id == id));
		id = m.request_id;
		for (uint32_t i = 0; i < m.bundle.n_mods; i++)
			EXPECT(m.bundle.mods[i].flow->priority == 5);
		n += m.bundle.n_mods;
	} while (m.flags & TN_API_MORE);
	EXPECT(n == N_MODS);
	say(s, id, (struct tn_api_message){.type = TN_API_RECEIPT, .receipt.version = 42});
	hear(s, &m);
	EXPECT(m.bundle.n_mods == 1);
	say(s, 0,
		(struct tn_api_message){
			.type = TN_API_EVENT, .event = {.kind = TN_API_RESUMED, .lost = 3}});
	say(s, m.request_id,
		(struct tn_api_message){.type = TN_API_RECEIPT,
			.receipt = {.position = 17, .error = {TN_OFPFMFC_TABLE_FULL, 2, "full"}}});
}

static void count_event(void *ctx, const struct tn_api_event *e)
{
	*(uint64_t *)ctx += e->lost;
}

static void bundle_in_parts_and_refused(void **state)
{
	struct tn_mod *mods = calloc(N_MODS, sizeof(*mods));
	struct tn_flow_mod fm, formless;
	struct tn_api_client *c;
	struct tn_error err;
	uint64_t version, lost = 0;
	size_t failed;
	pid_t pid;

	(void)state;
	tn_flow_mod_init(&fm);
	fm.priority = 5;
	for (uint32_t i = 0; i < N_MODS; i++)
		mods[i] = (struct tn_mod){.kind = TN_MOD_FLOW, .flow = &fm};
	c = connected(bundle_script, &pid, PATIENCE_MS);
	tn_api_client_set_event_fn(c, count_event, &lost);
	assert_int_equal(tn_api_client_bundle(c, mods, N_MODS, &version, &failed, &err), 0);
	assert_int_equal(version, 42);
	/* One that has no form is found, and nothing is sent. */
	formless = fm;
	formless.command = (enum tn_flow_command)77;
	mods[12345].flow = &formless;
	assert_int_equal(tn_api_client_bundle(c, mods, N_MODS, &version, &failed, &err), -EINVAL);
	assert_int_equal(failed, 12345);
	assert_int_equal(err.of, TN_OFPBRC_BAD_TYPE);
	assert_int_equal(tn_api_client_bundle(c, mods, 1, &version, &failed, &err), -EINVAL);
	assert_int_equal(failed, 17);
	assert_int_equal(err.of, TN_OFPFMFC_TABLE_FULL);
	assert_int_equal(err.index, 2);
	assert_string_equal(err.detail, "full");
	assert_int_equal(lost, 3);
	finish(c, pid);
	free(mods);
}

static void dump_script(struct server *s)
{
	static const struct tn_api_flow_counter counters[3] = {
		{.flow_id = 1}, {.flow_id = 2}, {.flow_id = 3}};
	struct tn_api_message m;

	for (unsigned k = 0; k < 2; k++) {
		hear(s, &m);
		EXPECT(m.type == TN_API_DUMP && m.dump.kind == TN_API_COUNTERS);
		for (unsigned i = 0; i < 2; i++)
			say(s, m.request_id,
				(struct tn_api_message){.type = TN_API_PART,
					.part = {.kind = TN_API_COUNTERS,
						.n = 3,
						.counters = counters}});
		/* The second time, a part is missing. */
		say(s, m.request_id,
			(struct tn_api_message){.type = TN_API_END,
				.end = {.kind = TN_API_COUNTERS, .total = k ? 9 : 6}});
	}
}

static void add_ids(void *ctx, const struct tn_api_part *part)
{
	for (uint32_t i = 0; i < part->n; i++)
		*(uint64_t *)ctx += part->counters[i].flow_id;
}

static void dump_in_parts(void **state)
{
	struct tn_api_dump dump = {.kind = TN_API_COUNTERS, .table_id = TN_TABLE_ALL};
	struct tn_api_client *c;
	struct tn_error err;
	uint64_t sum = 0;
	pid_t pid;

	(void)state;
	c = connected(dump_script, &pid, PATIENCE_MS);
	assert_int_equal(tn_api_client_dump(c, &dump, add_ids, &sum, &err), 0);
	assert_int_equal(sum, 12);
	assert_int_equal(tn_api_client_dump(c, &dump, add_ids, &sum, &err), -EIO);
	assert_non_null(strstr(err.detail, "incomplete"));
	assert_int_equal(tn_api_client_dump(c, &dump, add_ids, &sum, &err), -EIO);
	assert_non_null(strstr(err.detail, "lost before"));
	finish(c, pid);
}

static void silent_script(struct server *s)
{
	struct tn_api_message m;
	char byte;

	hear(s, &m);
	EXPECT(read(s->fd, &byte, 1) == 0); /* until the client has gone */
}

static void silence_ends_by_timeout(void **state)
{
	struct tn_api_message answer, m = {.type = TN_API_PORT_REMOVE, .port_remove = 1};
	struct tn_api_client *c;
	struct tn_error err;
	pid_t pid;

	(void)state;
	c = connected(silent_script, &pid, 500);
	assert_int_equal(tn_api_client_request(c, &m, &answer, &err), -ETIMEDOUT);
	assert_non_null(strstr(err.detail, "does not answer in time"));
	finish(c, pid);
}

static void closing_script(struct server *s)
{
	struct tn_api_message m;

	hear(s, &m);
	close(s->fd);
}

static void end_of_the_server_is_said(void **state)
{
	struct tn_api_message answer, m = {.type = TN_API_PORT_REMOVE, .port_remove = 1};
	struct tn_api_client *c;
	struct tn_error err;
	pid_t pid;

	(void)state;
	c = connected(closing_script, &pid, PATIENCE_MS);
	assert_int_equal(tn_api_client_request(c, &m, &answer, &err), -EIO);
	assert_non_null(strstr(err.detail, "closed the connection"));
	finish(c, pid);
}

static void garbage_script(struct server *s)
{
	struct tn_api_message m;

	hear(s, &m);
	EXPECT(write(s->fd, "HTTP/1.1 400 Bad Request\r\n\r\n", 28) == 28);
}

static void garbage_is_refused(void **state)
{
	struct tn_api_message answer, m = {.type = TN_API_PORT_REMOVE, .port_remove = 1};
	struct tn_api_client *c;
	struct tn_error err;
	pid_t pid;

	(void)state;
	c = connected(garbage_script, &pid, PATIENCE_MS);
	assert_int_equal(tn_api_client_request(c, &m, &answer, &err), -EIO);
	assert_non_null(strstr(err.detail, "right socket"));
	finish(c, pid);
}

static void nobody_listens(void **state)
{
	struct tn_error err;
	char path[200];

	(void)state;
	assert_null(tn_api_client_connect("/nonexistent/tenon.sock", "test", 100, &err));
	assert_non_null(strstr(err.detail, "is tenon-dataplane running"));
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = 0;
	assert_null(tn_api_client_connect(path, "test", 100, &err));
	assert_non_null(strstr(err.detail, "shorter"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bundle_in_parts_and_refused),
		cmocka_unit_test(dump_in_parts),
		cmocka_unit_test(silence_ends_by_timeout),
		cmocka_unit_test(end_of_the_server_is_said),
		cmocka_unit_test(garbage_is_refused),
		cmocka_unit_test(nobody_listens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
