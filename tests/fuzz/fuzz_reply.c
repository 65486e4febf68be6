/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bytes -> an answer's arguments and a packet -> what the switch answers. Whatever comes in, what
 * goes out is a sound frame from the rule's station with right checksums.
 */
#include "dataplane/core/reply.h"

#include <string.h>

#include "dataplane/core/checksum.h"
#include "dataplane/core/ra.h"
#include "dataplane/core/wire.h"
#include "tests/fuzz/fuzz.h"

static const struct tn_mac speaker = {{0x02, 0, 0x5e, 0, 1, 1}};
static const struct tn_ip6 router6 = {{0x20, 1, 0x0d, 0xb8, [15] = 0xfe}};
static const struct tn_ip6 client6 = {{0x20, 1, 0x0d, 0xb8, [15] = 0x0a}};

/* The kind, then what of its arguments bytes choose, then data that the check takes, or none. */
static void take_action(struct fuzz_input *in, struct tn_action *list)
{
	uint8_t kind = fuzz_take8(in), data[TN_REPLY_DATA_MAX], n = fuzz_take8(in);
	bool six = kind & 0x80;

	memset(list, 0, (1 + TN_REPLY_NOTES_MAX) * sizeof(*list));
	list->type = TN_ACTION_REPLY;
	list->reply.kind = (uint8_t)(1 + (kind & 0x7f) % TN_REPLY_LAST);
	list->reply.mac = speaker;
	list->reply.code = kind;
	list->reply.number = 1400;
	list->reply.router = six;
	six |= list->reply.kind >= TN_REPLY_DHCP6;
	six &= list->reply.kind != TN_REPLY_DHCP4;
	list->reply.ip = six ? tn_u128_from_ip6(&router6) : tn_u128_from_ip4(0x0a0000fe);
	list->reply.address = six ? tn_u128_from_ip6(&client6) : tn_u128_from_ip4(0x0a000001);
	fuzz_take(in, data, n);
	list->n_nested = tn_reply_data_notes(data, n, list + 1);
	if (!tn_reply_check(list, list->n_nested, 0, NULL))
		return;
	memset(data, 0, sizeof(data));
	list->n_nested =
		list->reply.kind == TN_REPLY_RA ? tn_reply_data_notes(data, 12, list + 1) : 0;
	fuzz_require(tn_reply_check(list, list->n_nested, 0, NULL) == 0);
}

static uint16_t sum(uint64_t start, const uint8_t *p, uint32_t n)
{
	return tn_csum_fold(tn_csum_add(start, p, n)).raw;
}

/* IP with one L4 header right behind it, and nothing after it. */
static void require_sound(const struct tn_view *v, const struct tn_headers *h)
{
	const uint8_t *l3 = v->data + h->l3, *l4 = v->data + h->l4;
	uint32_t ip_len = h->flags & TN_HDR_IPV4 ? 20 : 40, n = h->l3_len - ip_len;
	const struct tn_ipv4_hdr *ip4 = (const void *)l3;
	const struct tn_ipv6_hdr *ip6 = (const void *)l3;
	uint64_t pseudo = 0;

	fuzz_require(!(h->flags & (TN_HDR_BAD | TN_HDR_CUT)));
	if (h->flags & TN_HDR_ARP)
		return;
	fuzz_require(h->flags & (TN_HDR_IPV4 | TN_HDR_IPV6));
	fuzz_require(h->l4 == h->l3 + ip_len && h->l3 + h->l3_len == v->len);
	if (h->flags & TN_HDR_IPV4)
		fuzz_require(tn_csum_ipv4_ok(l3, 20));
	if (h->flags & TN_HDR_IPV6)
		pseudo = tn_csum_pseudo_ipv6(&ip6->src, &ip6->dst, h->ip_proto, n);
	else if (h->flags & TN_HDR_UDP)
		pseudo = tn_csum_pseudo_ipv4(&ip4->src, &ip4->dst, h->ip_proto, n);
	fuzz_require(sum(pseudo, l4, n) == 0);
}

static void answer(const struct tn_action *a, const struct tn_view *view, struct tn_headers *h)
{
	static struct tn_answer out;
	const struct tn_eth_hdr *asked = (const void *)view->data, *told = (const void *)out.data;
	enum tn_drop reason = tn_reply(view, h, a, &out);
	struct tn_view said = {.data = out.data, .len = out.len, .wire_len = out.len};
	struct tn_headers headers;

	if (reason) {
		fuzz_require(reason == TN_DROP_REPLY_UNFIT || reason == TN_DROP_REPLY_NONE ||
			reason == TN_DROP_NO_ICMP_ERROR);
		return;
	}
	fuzz_require(out.len >= TN_ETH_LEN && out.len <= TN_ANSWER_MAX);
	fuzz_require(!memcmp(&told->src, &speaker, sizeof(speaker)));
	fuzz_require(told->dst.b[0] & 1 || !memcmp(&told->dst, &asked->src, sizeof(told->dst)));
	fuzz_require(tn_parse(&said, &headers) == TN_DROP_NONE);
	fuzz_require(headers.n_tags == h->n_tags);
	require_sound(&said, &headers);
}

/* A router advertisement's body with these bytes; of none, if they are no sound one. */
static struct tn_ra_body body_of(struct tn_action *reply, uint8_t *data, uint32_t n)
{
	reply->n_nested = tn_reply_data_notes(data, n, reply + 1);
	if (tn_reply_check(reply, reply->n_nested, 0, NULL))
		n = 0;
	return (struct tn_ra_body){data, n};
}

/* From one advertisement to another, or to none, goes a sound one; from one to itself none. */
static void take_back(const struct tn_action *a, struct fuzz_input in)
{
	uint8_t told[TN_REPLY_DATA_MAX], after[TN_REPLY_DATA_MAX], out[TN_REPLY_DATA_MAX];
	const struct tn_ra_body before = {told, tn_reply_data(a, told)};
	struct tn_action reply[1 + TN_REPLY_NOTES_MAX] = {*a};
	uint32_t n = in.left < 200 ? (uint32_t)in.left : 200;
	struct tn_ra_body next;

	fuzz_take(&in, after, n);
	next = body_of(reply, after, n);
	n = tn_ra_take_back(&before, &next, out);
	fuzz_require(!n || body_of(reply, out, n).n);
	fuzz_require(!tn_ra_take_back(&before, &before, out));
}

/* In place: its headers stay what the parser says, its length too. */
static void echo(struct tn_view *view, struct tn_headers *h)
{
	struct tn_headers fresh;
	uint32_t len = view->len;

	if (tn_reply_echo(view, h))
		return;
	fuzz_require(view->len == len);
	fuzz_require(tn_parse(view, &fresh) == TN_DROP_NONE);
	fuzz_require(!memcmp(&fresh, h, sizeof(fresh)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {data, size};
	struct tn_action list[1 + TN_REPLY_NOTES_MAX];
	struct tn_headers h;
	struct tn_view view;
	uint8_t cut, *room;

	take_action(&in, list);
	if (list->reply.kind == TN_REPLY_RA)
		take_back(list, in);
	cut = fuzz_take8(&in);
	room = malloc(in.left + 1);
	if (!room)
		return 0;
	view = (struct tn_view){.data = room, .len = (uint32_t)in.left};
	view.wire_len = view.len + (cut < 8 ? cut : 0);
	fuzz_take(&in, room, in.left);
	if (tn_parse(&view, &h) == TN_DROP_NONE) {
		if (list->reply.kind == TN_REPLY_ECHO)
			echo(&view, &h);
		else
			answer(list, &view, &h);
	}
	free(room);
	return 0;
}
