/* SPDX-License-Identifier: BSD-3-Clause */
/* What is written is what is read, of every type of message; what is damaged is refused. */
#include "dataplane/api/codec.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/api/random_messages.h"

struct fixture {
	struct random random;
	struct tn_api_arena given, got;
	struct tn_api_buffer bytes, again;
};

static void start(struct fixture *f, uint64_t seed)
{
	memset(f, 0, sizeof(*f));
	f->random.state = seed;
	tn_api_arena_init(&f->given, 0);
	tn_api_arena_init(&f->got, 0);
}

static void end(struct fixture *f)
{
	tn_api_arena_fini(&f->given);
	tn_api_arena_fini(&f->got);
	tn_api_buffer_fini(&f->bytes);
	tn_api_buffer_fini(&f->again);
}

static void encode(struct tn_api_buffer *b, const struct tn_api_message *m)
{
	struct tn_error err = {0};

	b->len = 0;
	if (tn_api_encode(b, m, &err))
		fail_msg("%s: %s", tn_api_type_name(m->type), err.detail);
}

static void decode(struct fixture *f, struct tn_api_message *m)
{
	/* A copy of exact size: a byte read after it is seen by a sanitizer. */
	uint8_t *exact = malloc(f->bytes.len);
	struct tn_error err = {0};

	memcpy(exact, f->bytes.data, f->bytes.len);
	if (tn_api_decode(exact, f->bytes.len, &f->got, m, &err))
		fail_msg("%s", err.detail);
	free(exact);
}

static void same_actions(
	const struct tn_action *a, const struct tn_action *b, uint32_t na, uint32_t nb)
{
	assert_int_equal(na, nb);
	for (uint32_t i = 0; i < na; i++)
		assert_memory_equal(&a[i], &b[i], sizeof(a[i]));
}

static void same_instructions(const struct tn_instructions *a, const struct tn_instructions *b)
{
	assert_int_equal(a->meter_id, b->meter_id);
	assert_int_equal(a->clear_actions, b->clear_actions);
	assert_int_equal(a->metadata, b->metadata);
	assert_int_equal(a->metadata_mask, b->metadata_mask);
	assert_int_equal(a->goto_table, b->goto_table);
	same_actions(a->apply, b->apply, a->n_apply, b->n_apply);
	same_actions(a->write, b->write, a->n_write, b->n_write);
}

/* All that two structs hold before a member; both were zero, so holes are equal. */
#define SAME_BEFORE(a, b, member) assert_memory_equal(a, b, offsetof(__typeof__(*(a)), member))

static void same_flow_mod(const struct tn_flow_mod *a, const struct tn_flow_mod *b)
{
	SAME_BEFORE(a, b, inst);
	same_instructions(&a->inst, &b->inst);
}

static void same_group_mod(const struct tn_group_mod *a, const struct tn_group_mod *b)
{
	SAME_BEFORE(a, b, buckets);
	assert_int_equal(a->n_buckets, b->n_buckets);
	for (uint32_t i = 0; i < a->n_buckets; i++) {
		const struct tn_bucket *x = &a->buckets[i], *y = &b->buckets[i];

		SAME_BEFORE(x, y, actions);
		same_actions(x->actions, y->actions, x->n_actions, y->n_actions);
	}
}

static void same_meter_mod(const struct tn_meter_mod *a, const struct tn_meter_mod *b)
{
	SAME_BEFORE(a, b, bands);
	assert_int_equal(a->n_bands, b->n_bands);
	for (uint32_t i = 0; i < a->n_bands; i++)
		assert_memory_equal(&a->bands[i], &b->bands[i], sizeof(a->bands[i]));
}

static void same_bundle(const struct tn_api_bundle *a, const struct tn_api_bundle *b)
{
	assert_int_equal(a->n_mods, b->n_mods);
	for (uint32_t i = 0; i < a->n_mods; i++) {
		assert_int_equal(a->mods[i].kind, b->mods[i].kind);
		if (a->mods[i].kind == TN_MOD_FLOW)
			same_flow_mod(a->mods[i].flow, b->mods[i].flow);
		else if (a->mods[i].kind == TN_MOD_GROUP)
			same_group_mod(a->mods[i].group, b->mods[i].group);
		else
			same_meter_mod(a->mods[i].meter, b->mods[i].meter);
	}
}

static void bundle_comes_back_whole(void **state)
{
	struct fixture f;
	struct tn_api_message given, got;

	(void)state;
	start(&f, 1);
	for (unsigned i = 0; i < 2000; i++) {
		random_message(&f.random, &f.given, TN_API_BUNDLE, &given);
		encode(&f.bytes, &given);
		decode(&f, &got);
		assert_int_equal(got.flags, given.flags);
		assert_int_equal(got.request_id, given.request_id);
		same_bundle(&given.bundle, &got.bundle);
		tn_api_arena_fini(&f.given);
		tn_api_arena_fini(&f.got);
	}
	end(&f);
}

/* Mods that were encoded one by one, or came in a message, make the message that they are of. */
static void encoded_mods_are_the_same_bundle(void **state)
{
	struct fixture f;
	struct tn_api_message given;
	struct tn_error err = {0};

	(void)state;
	start(&f, 5);
	for (unsigned i = 0; i < 500; i++) {
		struct tn_api_encoded one[64], all;
		struct tn_api_buffer parts = {0};
		size_t at = 0;

		random_message(&f.random, &f.given, TN_API_BUNDLE, &given);
		if (given.bundle.n_mods > TN_ARRAY_SIZE(one))
			given.bundle.n_mods = TN_ARRAY_SIZE(one);
		encode(&f.bytes, &given);
		for (uint32_t k = 0; k < given.bundle.n_mods; k++) {
			assert_int_equal(tn_api_encode_mod(&parts, &given.bundle.mods[k], &err), 0);
			one[k] = (struct tn_api_encoded){NULL, (uint32_t)(parts.len - at), 1};
			at = parts.len;
		}
		at = 0;
		for (uint32_t k = 0; k < given.bundle.n_mods; at += one[k++].size)
			one[k].bytes = parts.data + at;
		f.again.len = 0;
		assert_int_equal(tn_api_encode_bundle(&f.again, given.request_id, given.flags, one,
					 given.bundle.n_mods, &err),
			0);
		assert_int_equal(f.again.len, f.bytes.len);
		assert_memory_equal(f.again.data, f.bytes.data, f.bytes.len);
		all = tn_api_encoded_mods(f.bytes.data, f.bytes.len);
		assert_int_equal(all.n_mods, given.bundle.n_mods);
		assert_int_equal(all.size, parts.len);
		if (parts.len)
			assert_memory_equal(all.bytes, parts.data, parts.len);
		tn_api_buffer_fini(&parts);
		tn_api_arena_fini(&f.given);
	}
	end(&f);
}

static void flow_comes_back_whole(void **state)
{
	struct fixture f;
	struct tn_api_message given, got;

	(void)state;
	start(&f, 2);
	for (unsigned i = 0; i < 500; i++) {
		do
			random_message(&f.random, &f.given, TN_API_PART, &given);
		while (given.part.kind != TN_API_FLOWS);
		encode(&f.bytes, &given);
		decode(&f, &got);
		assert_int_equal(got.part.n, given.part.n);
		for (uint32_t k = 0; k < got.part.n; k++) {
			const struct tn_flow_info *a = &given.part.flows[k];
			const struct tn_flow_info *b = &got.part.flows[k];

			SAME_BEFORE(a, b, inst);
			same_instructions(&a->inst, &b->inst);
		}
	}
	end(&f);
}

static void port_comes_back_whole(void **state)
{
	struct fixture f;
	struct tn_api_message given, got;

	(void)state;
	start(&f, 3);
	for (unsigned i = 0; i < 500; i++) {
		const struct tn_api_port *a = &given.port_add, *b = &got.port_add;

		random_message(&f.random, &f.given, TN_API_PORT_ADD, &given);
		encode(&f.bytes, &given);
		decode(&f, &got);
		assert_int_equal(a->number, b->number);
		assert_string_equal(a->name, b->name);
		assert_string_equal(a->type, b->type);
		assert_int_equal(a->enabled, b->enabled);
		assert_int_equal(a->config, b->config);
		assert_int_equal(a->mtu, b->mtu);
		assert_int_equal(a->n_options, b->n_options);
		for (uint32_t k = 0; k < a->n_options; k++) {
			assert_string_equal(a->options[k].key, b->options[k].key);
			assert_int_equal(a->options[k].type, b->options[k].type);
			assert_int_equal(a->options[k].integer, b->options[k].integer);
		}
		assert_int_equal(a->has_vxlan, b->has_vxlan);
		SAME_BEFORE(&a->vxlan, &b->vxlan, peers);
		assert_int_equal(a->vxlan.n_peers, b->vxlan.n_peers);
		assert_int_equal(a->vxlan.n_vnis, b->vxlan.n_vnis);
	}
	end(&f);
}

static void every_type_is_canonical(void **state)
{
	struct fixture f;
	struct tn_api_message given, got;

	(void)state;
	start(&f, 4);
	for (unsigned i = 0; i < 300 * (TN_API_N_TYPES - 1); i++) {
		enum tn_api_type type = (enum tn_api_type)(1 + i % (TN_API_N_TYPES - 1));

		random_message(&f.random, &f.given, type, &given);
		encode(&f.bytes, &given);
		decode(&f, &got);
		encode(&f.again, &got);
		assert_int_equal(f.bytes.len, f.again.len);
		assert_memory_equal(f.bytes.data, f.again.data, f.bytes.len);
		tn_api_arena_fini(&f.given);
		tn_api_arena_fini(&f.got);
	}
	end(&f);
}

static void set_length(struct tn_api_buffer *b, uint32_t length)
{
	memcpy(b->data + offsetof(struct tn_api_header, length), &length, sizeof(length));
}

/* With a length field that agrees, too: each list and each text ends early. */
static void cut_at_every_byte_is_refused(void **state)
{
	struct fixture f;
	struct tn_api_message given, got;
	struct tn_error err;

	(void)state;
	start(&f, 5);
	for (unsigned i = 0; i < 10 * (TN_API_N_TYPES - 1); i++) {
		random_message(&f.random, &f.given,
			(enum tn_api_type)(1 + i % (TN_API_N_TYPES - 1)), &given);
		encode(&f.bytes, &given);
		for (size_t n = 0; n < f.bytes.len; n++) {
			uint8_t *cut = malloc(n ? n : 1);

			memcpy(cut, f.bytes.data, n);
			assert_int_equal(tn_api_decode(cut, n, &f.got, &got, &err), -EINVAL);
			assert_true(err.of && err.detail[0]);
			if (n >= sizeof(struct tn_api_header)) {
				struct tn_api_buffer b = {cut, n, n};

				set_length(&b, (uint32_t)(n - sizeof(struct tn_api_header)));
				assert_int_equal(
					tn_api_decode(cut, n, &f.got, &got, &err), -EINVAL);
			}
			free(cut);
		}
		tn_api_arena_fini(&f.got);
	}
	end(&f);
}

/* A changed byte is another message or none; what is accepted is canonical. */
static void flipped_bytes_are_refused_or_canonical(void **state)
{
	struct fixture f;
	struct tn_api_message given, got;
	struct tn_error err;
	unsigned refused = 0;

	(void)state;
	start(&f, 6);
	for (unsigned i = 0; i < 20 * (TN_API_N_TYPES - 1); i++) {
		random_message(&f.random, &f.given,
			(enum tn_api_type)(1 + i % (TN_API_N_TYPES - 1)), &given);
		encode(&f.bytes, &given);
		for (size_t at = 0; at < f.bytes.len; at++) {
			uint8_t was = f.bytes.data[at];

			f.bytes.data[at] ^= (uint8_t)(1 + random_below(&f.random, 255));
			if (tn_api_decode(f.bytes.data, f.bytes.len, &f.got, &got, &err)) {
				refused++;
				assert_true(err.of && err.detail[0]);
			} else {
				encode(&f.again, &got);
				assert_int_equal(f.bytes.len, f.again.len);
				assert_memory_equal(f.bytes.data, f.again.data, f.bytes.len);
			}
			f.bytes.data[at] = was;
			tn_api_arena_fini(&f.got);
		}
	}
	assert_true(refused > 1000);
	end(&f);
}

/* A number of things that the bytes cannot hold takes no memory. */
static void count_is_not_believed(void **state)
{
	struct fixture f;
	struct tn_api_message got, given = {.type = TN_API_BUNDLE};
	struct tn_error err;
	uint32_t n = UINT32_MAX;

	(void)state;
	start(&f, 7);
	encode(&f.bytes, &given);
	memcpy(f.bytes.data + sizeof(struct tn_api_header), &n, sizeof(n));
	assert_int_equal(tn_api_decode(f.bytes.data, f.bytes.len, &f.got, &got, &err), -EINVAL);
	assert_int_equal(err.of, TN_OFPBRC_BAD_LEN);
	assert_non_null(strstr(err.detail, "4294967295"));
	assert_int_equal(f.got.used, 0);
	end(&f);
}

/* What would unfold to more than the arena's limit is refused, not taken. */
static void memory_is_bounded(void **state)
{
	struct fixture f;
	struct tn_api_message got, given;
	struct tn_error err;

	(void)state;
	start(&f, 8);
	do
		random_message(&f.random, &f.given, TN_API_BUNDLE, &given);
	while (given.bundle.n_mods < 3);
	encode(&f.bytes, &given);
	f.got.limit = 64; /* the list of mods fits, no mod does */
	assert_int_equal(tn_api_decode(f.bytes.data, f.bytes.len, &f.got, &got, &err), -ENOMEM);
	assert_int_equal(err.of, TN_OFPBFC_MSG_TOO_MANY);
	assert_true(f.got.used <= 64);
	end(&f);
}

static void refuse_header(struct fixture *f, size_t at, uint8_t value, const char *sentence)
{
	struct tn_api_header h;
	struct tn_error err;
	size_t message;
	uint8_t was = f->bytes.data[at];

	f->bytes.data[at] = value;
	assert_int_equal(tn_api_header_decode(f->bytes.data, &h, &err), -EINVAL);
	if (!strstr(err.detail, sentence))
		fail_msg("%s", err.detail);
	assert_int_equal(
		tn_api_message_length(f->bytes.data, f->bytes.len, &message, &err), -EINVAL);
	f->bytes.data[at] = was;
}

static void header_is_checked(void **state)
{
	struct tn_api_message m = {.type = TN_API_HELLO, .hello.name = "x"};
	struct tn_error err;
	struct fixture f;
	size_t message;

	(void)state;
	start(&f, 9);
	encode(&f.bytes, &m);
	refuse_header(&f, 0, 'X', "right socket");
	refuse_header(&f, 4, 2, "protocol version 2, and this side speaks 1");
	refuse_header(&f, 6, 0, "0 is no type");
	refuse_header(&f, 6, TN_API_N_TYPES, "no type");
	refuse_header(&f, 8, 1, "flags 0x1 mean nothing with HELLO");
	refuse_header(&f, 15, 0xff, "parts of at most 16777216");
	for (size_t n = 0; n < f.bytes.len; n++) {
		assert_int_equal(tn_api_message_length(f.bytes.data, n, &message, &err), 0);
		assert_int_equal(message, 0);
	}
	assert_int_equal(tn_api_message_length(f.bytes.data, f.bytes.len, &message, &err), 0);
	assert_int_equal(message, f.bytes.len);
	end(&f);
}

static void refuse_encode(struct fixture *f, const struct tn_api_message *m, enum tn_of_error of)
{
	size_t before = f->bytes.len;
	struct tn_error err;

	assert_true(tn_api_encode(&f->bytes, m, &err) < 0);
	assert_int_equal(err.of, of);
	assert_int_equal(f->bytes.len, before);
}

static void encoder_refuses_and_leaves_no_trace(void **state)
{
	static char text[TN_API_STRING_MAX + 2];
	struct tn_flow_mod fm;
	const struct tn_mod mod = {.kind = TN_MOD_FLOW, .flow = &fm};
	struct tn_api_message m = {.type = TN_API_HELLO, .hello.name = "tenon"};
	struct fixture f;

	(void)state;
	start(&f, 10);
	encode(&f.bytes, &m);
	memset(text, 'x', TN_API_STRING_MAX + 1);
	m.hello.name = text;
	refuse_encode(&f, &m, TN_OFPBRC_BAD_LEN);
	m.type = TN_API_N_TYPES;
	refuse_encode(&f, &m, TN_OFPBRC_BAD_TYPE);
	m = (struct tn_api_message){.type = TN_API_BUNDLE, .bundle = {&mod, 1}};
	tn_flow_mod_init(&fm);
	tn_match_set_exact(&fm.match, TN_FIELD_IPV4_SRC, 1); /* lacks eth_type */
	refuse_encode(&f, &m, TN_OFPBMC_BAD_PREREQ);
	tn_flow_mod_init(&fm);
	fm.command = (enum tn_flow_command)9;
	refuse_encode(&f, &m, TN_OFPBRC_BAD_TYPE);
	end(&f);
}

static void too_much_for_one_message(void **state)
{
	enum { N = 400000 };
	struct tn_api_flow_counter *counters = calloc(2 * N, sizeof(*counters));
	struct tn_api_message m = {.type = TN_API_PART,
		.part = {.kind = TN_API_COUNTERS, .n = N, .counters = counters}};
	struct fixture f;

	(void)state;
	start(&f, 11);
	encode(&f.bytes, &m);
	m.part.n = 2 * N;
	refuse_encode(&f, &m, TN_OFPBFC_MSG_TOO_MANY);
	free(counters);
	end(&f);
}

/* The bytes themselves, so that a change of the protocol is seen. */
static void bytes_of_a_message(void **state)
{
	static const uint8_t expected[] = {'T', 'N', 'A', 'P', 1, 0, 6, 0, 0, 0, 0, 0, 4, 0, 0, 0,
		8, 7, 6, 5, 4, 3, 2, 1, 0x44, 0x33, 0x22, 0x11};
	struct tn_api_message m = {.type = TN_API_PORT_REMOVE,
		.request_id = UINT64_C(0x0102030405060708),
		.port_remove = 0x11223344};
	struct fixture f;

	(void)state;
	start(&f, 12);
	encode(&f.bytes, &m);
	assert_int_equal(f.bytes.len, sizeof(expected));
	assert_memory_equal(f.bytes.data, expected, sizeof(expected));
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bundle_comes_back_whole),
		cmocka_unit_test(encoded_mods_are_the_same_bundle),
		cmocka_unit_test(flow_comes_back_whole),
		cmocka_unit_test(port_comes_back_whole),
		cmocka_unit_test(every_type_is_canonical),
		cmocka_unit_test(cut_at_every_byte_is_refused),
		cmocka_unit_test(flipped_bytes_are_refused_or_canonical),
		cmocka_unit_test(count_is_not_believed),
		cmocka_unit_test(memory_is_bounded),
		cmocka_unit_test(header_is_checked),
		cmocka_unit_test(encoder_refuses_and_leaves_no_trace),
		cmocka_unit_test(too_much_for_one_message),
		cmocka_unit_test(bytes_of_a_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
