/* SPDX-License-Identifier: BSD-3-Clause */
/* Clients that lie, stall, vanish and want too much; others go on undisturbed. */
#include "dataplane/agent/api_server.h"

#include <errno.h>
#include <sys/resource.h>

#include "tests/unit/agent/api_fixture.h"

#define MANY 20000u
#define FEW  3000u

/* Someone who behaves: asks for something and gets it. */
static void assert_served(struct api_client *bystander)
{
	unsigned done = bystander->done;

	client_dump(bystander, TN_API_PORTS);
	client_wait(bystander);
	assert_false(bystander->lost);
	assert_int_equal(bystander->done, done + 1);
	assert_int_equal(bystander->total, 4);
}

/* --- a client that writes its own bytes ------------------------------------------------------- */

struct raw {
	int fd;
	bool closed;
	struct tn_api_buffer out, in;
	struct tn_api_arena arena;
};

static struct raw raw;

static void raw_open(bool greet)
{
	const struct tn_api_message hello = {
		.type = TN_API_HELLO, .request_id = 1, .hello.name = "raw"};
	struct tn_error err;

	memset(&raw, 0, sizeof(raw));
	tn_api_arena_init(&raw.arena, 0);
	raw.fd = pair_with_server();
	if (greet)
		assert_int_equal(tn_api_encode(&raw.out, &hello, &err), 0);
}

static void raw_close(void)
{
	close(raw.fd);
	tn_api_buffer_fini(&raw.out);
	tn_api_buffer_fini(&raw.in);
	tn_api_arena_fini(&raw.arena);
}

static void raw_put(const struct tn_api_message *m)
{
	struct tn_error err;

	if (tn_api_encode(&raw.out, m, &err))
		fail_msg("%s", err.detail);
}

static void raw_send_some(size_t most)
{
	size_t n = raw.out.len < most ? raw.out.len : most;
	ssize_t sent = n ? send(raw.fd, raw.out.data, n, MSG_DONTWAIT | MSG_NOSIGNAL) : 0;

	if (sent > 0)
		tn_api_buffer_consume(&raw.out, (size_t)sent);
	else if (sent < 0 && errno != EAGAIN)
		raw.out.len = 0; /* the server is gone */
}

static void raw_receive(void)
{
	ssize_t n;

	assert_int_equal(tn_api_buffer_reserve(&raw.in, 65536), 0);
	n = recv(raw.fd, raw.in.data + raw.in.len, 65536, MSG_DONTWAIT);
	if (n > 0)
		raw.in.len += (size_t)n;
	raw.closed |= n == 0 || (n < 0 && errno != EAGAIN);
}

/* The next message that came; false: none whole. */
static bool raw_hear(struct tn_api_message *m)
{
	struct tn_error err;
	size_t len;

	raw_receive();
	assert_int_equal(tn_api_message_length(raw.in.data, raw.in.len, &len, &err), 0);
	if (!len)
		return false;
	tn_api_arena_reset(&raw.arena);
	assert_int_equal(tn_api_decode(raw.in.data, len, &raw.arena, m, &err), 0);
	tn_api_buffer_consume(&raw.in, len);
	return true;
}

static enum tn_api_type wanted_type;
static struct tn_api_message heard;

static bool came(struct bed *b)
{
	(void)b;
	raw_send_some(65536);
	while (raw_hear(&heard)) {
		if (heard.type == wanted_type)
			return true;
	}
	return false;
}

static void raw_await(enum tn_api_type type)
{
	wanted_type = type;
	run_until(came);
}

static bool hung_up(struct bed *b)
{
	(void)b;
	raw_receive();
	return raw.closed;
}

/* The header as it lies on the wire, with some of it wrong. */
static void put_header(struct tn_api_header h)
{
	h.magic = h.magic ? h.magic : TN_API_MAGIC;
	h.version = h.version ? h.version : TN_API_VERSION;
	assert_int_equal(tn_api_buffer_reserve(&raw.out, sizeof(h)), 0);
	memcpy(raw.out.data + raw.out.len, &h, sizeof(h));
	raw.out.len += sizeof(h);
}

static void test_broken_conversations(void **state)
{
	const struct {
		struct tn_api_header h;
		bool greet;
	} cases[] = {
		{{.magic = 0x20544547, .type = TN_API_DUMP, .request_id = 2}, true},
		{{.version = 9, .type = TN_API_DUMP, .request_id = 2}, true},
		{{.type = 99, .request_id = 2}, true},
		{{.type = TN_API_DUMP, .flags = 1, .request_id = 2}, true},
		{{.type = TN_API_DUMP, .length = TN_API_BODY_MAX + 1, .request_id = 2}, true},
		{{.type = TN_API_DUMP, .length = UINT32_MAX, .request_id = 2}, true},
		{{.type = TN_API_PORT_REMOVE, .request_id = 0}, true},
		{{.type = TN_API_PORT_REMOVE, .request_id = 1}, false},
	};
	struct api_client bystander;

	(void)state;
	client_init(&bystander);
	for (unsigned i = 0; i < TN_ARRAY_SIZE(cases); i++) {
		raw_open(cases[i].greet);
		put_header(cases[i].h);
		raw_await(TN_API_ERROR);
		assert_int_equal(heard.request_id, 0);
		assert_true(strlen(heard.error.detail) > 10);
		run_until(hung_up);
		assert_served(&bystander);
		raw_close();
	}
	client_fini(&bystander);
}

/* The message is wrong and the conversation is not. */
static void test_bad_messages(void **state)
{
	const uint16_t types[] = {TN_API_HELLO, TN_API_BUNDLE, TN_API_PORT_ADD, TN_API_DUMP,
		TN_API_TRACE, TN_API_UNDERLAY, TN_API_PACKET_OUT, TN_API_SUBSCRIBE};
	const struct tn_api_message reply = {.type = TN_API_END, .request_id = 9};
	uint64_t id = 2;

	(void)state;
	raw_open(true);
	for (unsigned i = 0; i < TN_ARRAY_SIZE(types); i++, id++) {
		put_header((struct tn_api_header){.type = types[i], .length = 3, .request_id = id});
		assert_int_equal(tn_api_buffer_reserve(&raw.out, 3), 0);
		memcpy(raw.out.data + raw.out.len, "\xff\xff\xff", 3);
		raw.out.len += 3;
		raw_await(TN_API_ERROR);
		assert_int_equal(heard.request_id, id);
	}
	/* What is a server's to say, and a second hello. */
	raw.out.len = 0;
	raw_put(&(struct tn_api_message){
		.type = TN_API_HELLO, .request_id = id, .hello.name = "again"});
	raw_await(TN_API_ERROR);
	assert_int_equal(heard.request_id, id);
	((struct tn_api_message *)(uintptr_t)&reply)->end.kind = TN_API_FLOWS;
	raw_put(&reply);
	raw_await(TN_API_ERROR);
	assert_int_equal(heard.request_id, 9);
	raw_put(&(struct tn_api_message){
		.type = TN_API_SUBSCRIBE, .request_id = 100, .subscribe = 0});
	raw_await(TN_API_RECEIPT);
	assert_int_equal(heard.request_id, 100);
	raw_close();
}

static bool a_byte_at_a_time(struct bed *b)
{
	for (unsigned i = 0; i < 50; i++)
		raw_send_some(1);
	(void)b;
	while (raw_hear(&heard)) {
		if (heard.type == TN_API_RECEIPT)
			return true;
	}
	return false;
}

static void put_part(uint64_t id, const struct tn_mod *mods, uint32_t n, bool more)
{
	raw_put(&(struct tn_api_message){.type = TN_API_BUNDLE,
		.flags = more ? TN_API_MORE : 0,
		.request_id = id,
		.bundle = {.mods = mods, .n_mods = n}});
}

static void test_slow_writer(void **state)
{
	struct tn_action out = output(2);
	struct tn_mod *mods = many_flows(10, &out);
	struct api_client bystander;

	(void)state;
	client_init(&bystander);
	raw_open(true);
	put_part(7, mods, 5, true);
	put_part(7, mods + 5, 5, false);
	run_until(a_byte_at_a_time);
	assert_true(heard.receipt.version);
	assert_int_equal(tn_switch_flow_count(bed.agent->sw), 10);
	raw_close();
	many_flows_free(mods);
	assert_served(&bystander);
	client_fini(&bystander);
}

/* --- bundles in parts ------------------------------------------------------------------------- */

static void test_mixed_parts(void **state)
{
	struct tn_action out = output(2);
	struct tn_mod *mods = many_flows(10, &out);

	(void)state;
	raw_open(true);
	put_part(7, mods, 5, true);
	put_part(8, mods + 5, 5, false);
	raw_await(TN_API_ERROR);
	assert_int_equal(heard.request_id, 0);
	assert_int_equal(tn_switch_flow_count(bed.agent->sw), 0);
	run_until(hung_up);
	raw_close();
	/* A part that is no bundle is answered once, and what follows it is passed over. */
	raw_open(true);
	put_part(7, mods, 5, true);
	put_header((struct tn_api_header){
		.type = TN_API_BUNDLE, .flags = TN_API_MORE, .request_id = 7});
	put_part(7, mods, 5, true);
	put_part(7, mods, 5, false);
	put_part(8, mods, 1, false);
	raw_await(TN_API_ERROR);
	assert_int_equal(heard.request_id, 7);
	raw_await(TN_API_RECEIPT);
	assert_int_equal(heard.request_id, 8);
	assert_int_equal(tn_switch_flow_count(bed.agent->sw), 1);
	raw_close();
	many_flows_free(mods);
}

/* Deletes are short on the wire and long in memory. */
static void test_endless_bundle(void **state)
{
	struct tn_flow_mod fm;
	struct tn_mod *mods = calloc(MANY, sizeof(*mods));
	struct api_client bystander;
	size_t most = 0;

	(void)state;
	assert_non_null(mods);
	client_init(&bystander);
	tn_flow_mod_init(&fm);
	fm.command = TN_FLOW_DELETE;
	for (unsigned i = 0; i < MANY; i++)
		mods[i] = (struct tn_mod){.kind = TN_MOD_FLOW, .flow = &fm};
	raw_open(true);
	wanted_type = TN_API_ERROR;
	for (heard.type = TN_API_HELLO; heard.type != TN_API_ERROR;) {
		put_part(7, mods, MANY, true);
		while (raw.out.len) {
			if (came(&bed))
				break;
			assert_served(&bystander);
			most = server->parts_bytes > most ? server->parts_bytes : most;
		}
	}
	assert_int_equal(heard.request_id, 7);
	assert_int_equal(heard.error.of, TN_OFPBFC_MSG_TOO_MANY);
	assert_int_equal(server->parts_bytes, 0);
	assert_true(most <= TN_API_BUNDLE_MAX && most > TN_API_BUNDLE_MAX / 2);
	put_part(7, mods, 1, false);
	put_part(8, mods, 1, false);
	raw_await(TN_API_RECEIPT);
	assert_int_equal(heard.request_id, 8);
	raw_close();
	client_fini(&bystander);
	free(mods);
}

/* --- clients that do not read ----------------------------------------------------------------- */

static void commit_flows(struct api_client *client, struct tn_mod *mods, size_t n)
{
	client_bundle(client, mods, n);
	client_wait(client);
	assert_int_equal(client->refused, 0);
}

static const struct tn_api_dump all_flows = {.kind = TN_API_FLOWS,
	.table_id = TN_TABLE_ALL,
	.out_port = TN_PORT_ANY,
	.out_group = TN_GROUP_ANY};

static uint64_t ends_heard;

static bool all_ends_came(struct bed *b)
{
	raw_send_some(65536);
	while (raw_hear(&heard)) {
		if (heard.type == TN_API_END)
			ends_heard += heard.end.total == FEW;
	}
	return ends_heard == b->wanted;
}

/* A hundred dumps are asked for, and nothing is read. */
static void test_slow_reader(void **state)
{
	struct tn_action out = output(2);
	struct tn_mod *mods = many_flows(FEW, &out);
	const struct tn_api_connection *c;
	struct api_client bystander;

	(void)state;
	client_init(&bystander);
	commit_flows(&bystander, mods, FEW);
	raw_open(true);
	for (uint64_t id = 2; id < 102; id++)
		raw_put(&(struct tn_api_message){
			.type = TN_API_DUMP, .request_id = id, .dump = all_flows});
	raw_send_some(SIZE_MAX);
	c = server->connections;
	for (unsigned i = 0; i < 200; i++) {
		assert_served(&bystander);
		assert_true(tn_api_waiting_bytes(c) < 2 * TN_API_OUT_LISTING);
		assert_true(c->n_listings <= TN_API_LISTINGS_MAX);
	}
	/* Then it does. */
	ends_heard = 0;
	bed.wanted = 100;
	run_until(all_ends_came);
	raw_close();
	many_flows_free(mods);
	client_fini(&bystander);
}

static uint64_t removed_heard, lost_heard, pauses_heard;

static bool resumed(struct bed *b)
{
	(void)b;
	while (raw_hear(&heard)) {
		if (heard.type != TN_API_EVENT)
			continue;
		removed_heard += heard.event.kind == TN_API_FLOW_REMOVED;
		pauses_heard += heard.event.kind == TN_API_PAUSED;
		if (heard.event.kind == TN_API_RESUMED)
			lost_heard += heard.event.lost;
	}
	return removed_heard + lost_heard >= MANY;
}

static void test_slow_listener(void **state)
{
	struct tn_action out = output(2);
	struct tn_mod *mods = many_flows(MANY, &out);
	struct api_client other;

	(void)state;
	client_init(&other);
	client_send(&other,
		&(struct tn_api_message){
			.type = TN_API_SUBSCRIBE, .subscribe = 1u << TN_API_FLOW_REMOVED});
	raw_open(true);
	raw_put(&(struct tn_api_message){
		.type = TN_API_SUBSCRIBE, .request_id = 2, .subscribe = 1u << TN_API_FLOW_REMOVED});
	raw_await(TN_API_RECEIPT);
	for (size_t i = 0; i < MANY; i++)
		((struct tn_flow_mod *)(uintptr_t)mods[i].flow)->flags = TN_FLOW_SEND_FLOW_REM;
	commit_flows(&other, mods, MANY);
	delete_all();
	assert_served(&other);
	removed_heard = lost_heard = pauses_heard = 0;
	run_until(resumed);
	assert_int_equal(removed_heard + lost_heard, MANY);
	assert_true(lost_heard > 0 && removed_heard > 1000);
	assert_int_equal(pauses_heard, 1);
	/* And again. */
	commit_flows(&other, mods, 1);
	delete_all();
	removed_heard = MANY - 1;
	lost_heard = 0;
	run_until(resumed);
	raw_close();
	many_flows_free(mods);
	client_fini(&other);
}

/* --- clients that vanish ---------------------------------------------------------------------- */

static void test_vanishing_clients(void **state)
{
	struct tn_action out = output(2);
	struct tn_mod *mods = many_flows(2000, &out);
	struct api_client bystander;

	(void)state;
	client_init(&bystander);
	for (unsigned i = 0; i < 300; i++) {
		raw_open(i % 10 != 0);
		for (unsigned k = 0; k < 20; k++)
			put_part(2 + k, &mods[(i * 20 + k) % 2000], 1, false);
		raw_put(&(struct tn_api_message){
			.type = TN_API_DUMP, .request_id = 50, .dump = all_flows});
		raw_put(&(struct tn_api_message){.type = TN_API_SUBSCRIBE,
			.request_id = 51,
			.subscribe = 1u << TN_API_PACKET_IN | 1u << TN_API_PORT_STATUS});
		put_part(60, mods, 1 + i % 100, true);
		raw_send_some(1 + (i * 37) % raw.out.len);
		if (i % 3 == 0)
			assert_served(&bystander);
		raw_close();
	}
	assert_served(&bystander);
	client_fini(&bystander);
	many_flows_free(mods);
}

/* --- noise ------------------------------------------------------------------------------------ */

static uint32_t noise_state = 1;

static uint32_t noise(void)
{
	noise_state = noise_state * 1664525u + 1013904223u;
	return noise_state >> 8;
}

static bool rest_sent_or_gone(struct bed *b)
{
	(void)b;
	raw_send_some(SIZE_MAX);
	raw_receive();
	raw.in.len = 0;
	return raw.closed || !raw.out.len;
}

static void test_noise(void **state)
{
	struct tn_action out = output(2);
	struct tn_mod *mods = many_flows(50, &out);
	struct api_client bystander;
	uint8_t frame[FRAME] = {2};

	(void)state;
	client_init(&bystander);
	for (unsigned i = 0; i < 1000; i++) {
		size_t start;

		raw_open(true);
		start = raw.out.len;
		put_part(3, mods, 1 + noise() % 20, false);
		raw_put(&(struct tn_api_message){
			.type = TN_API_DUMP, .request_id = 4, .dump = all_flows});
		raw_put(&(struct tn_api_message){.type = TN_API_TRACE,
			.request_id = 5,
			.trace = {.in_port = 1, .frame = frame, .frame_len = FRAME}});
		for (unsigned k = 0; k <= noise() % 4; k++)
			raw.out.data[start + noise() % (raw.out.len - start)] ^=
				(uint8_t)(1u << noise() % 8);
		run_until(rest_sent_or_gone);
		raw_close();
		if (i % 50 == 0)
			assert_served(&bystander);
	}
	delete_all();
	many_flows_free(mods);
	client_fini(&bystander);
}

/* --- many ------------------------------------------------------------------------------------- */

static void test_too_many(void **state)
{
	struct rlimit limit, more;
	int *fds = calloc(TN_API_CLIENTS_MAX, sizeof(*fds)), pair[2];
	uint8_t bytes[400];
	struct tn_api_message m;
	struct tn_api_arena arena;
	struct tn_error err;
	ssize_t n;

	(void)state;
	assert_non_null(fds);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	more = (struct rlimit){4096, limit.rlim_max < 4096 ? 4096 : limit.rlim_max};
	if (setrlimit(RLIMIT_NOFILE, &more))
		skip();
	for (unsigned i = 0; i < TN_API_CLIENTS_MAX; i++)
		fds[i] = pair_with_server();
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_true(tn_api_server_adopt(server, pair[0]) < 0);
	n = recv(pair[1], bytes, sizeof(bytes), 0);
	tn_api_arena_init(&arena, 0);
	assert_true(n > 0);
	assert_int_equal(tn_api_decode(bytes, (size_t)n, &arena, &m, &err), 0);
	assert_int_equal(m.type, TN_API_ERROR);
	assert_int_equal(recv(pair[1], bytes, sizeof(bytes), 0), 0);
	tn_api_arena_fini(&arena);
	close(pair[1]);
	for (unsigned i = 0; i < TN_API_CLIENTS_MAX; i++)
		close(fds[i]);
	free(fds);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

#define TEST API_TEST

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(broken_conversations),
		TEST(bad_messages),
		TEST(slow_writer),
		TEST(mixed_parts),
		TEST(endless_bundle),
		TEST(slow_reader),
		TEST(slow_listener),
		TEST(vanishing_clients),
		TEST(noise),
		TEST(too_many),
	};

	return cmocka_run_group_tests(tests, api_group_setup, api_group_teardown);
}
