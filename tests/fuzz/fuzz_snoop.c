/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bytes -> an IGMP, MLD or PIM packet -> what it says of groups. Only groups that are snooped are
 * named, no more than a packet can hold, and what is called unsound says nothing.
 */
#include "dataplane/core/snoop.h"

#include <string.h>

#include "dataplane/core/checksum.h"
#include "dataplane/core/wire.h"
#include "tests/fuzz/fuzz.h"

struct said {
	const struct tn_headers *h;
	unsigned n;
};

static void on_snooped(void *ctx, enum tn_snooped_kind kind, tn_u128 group)
{
	struct said *said = ctx;
	struct tn_ip6 six = tn_u128_to_ip6(group);
	uint32_t four;

	said->n++;
	fuzz_require(kind <= TN_SNOOPED_ROUTER);
	if (kind == TN_SNOOPED_ROUTER)
		fuzz_require(group == 0);
	else if (said->h->flags & TN_HDR_IPV4)
		fuzz_require(tn_u128_is_ip4(group, &four) && tn_snoop_is_group4(tn_htobe32(four)));
	else
		fuzz_require(tn_snoop_is_group6(&six));
}

/* A right checksum where there is one, which inputs do not come by themselves to have. */
static void put_sum(uint8_t *frame, uint32_t len, const struct tn_headers *h)
{
	const struct tn_ipv4_hdr *ip4 = (const void *)(frame + h->l3);
	const struct tn_ipv6_hdr *ip6 = (const void *)(frame + h->l3);
	uint32_t end = h->l3 + h->l3_len, start = h->l4;
	uint64_t pseudo = 0;
	struct tn_be16 sum;

	if (h->flags & TN_HDR_IPV4)
		start = h->l3 + tn_ipv4_hdr_len(ip4);
	else if (h->flags & TN_HDR_ICMPV6)
		pseudo = tn_csum_pseudo_ipv6(&ip6->src, &ip6->dst, TN_IPPROTO_ICMPV6, end - start);
	else
		return;
	if (end > len || end < start + 4)
		return;
	memset(frame + start + 2, 0, 2);
	sum = tn_csum_fold(tn_csum_add(pseudo, frame + start, end - start));
	memcpy(frame + start + 2, &sum, 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {data, size};
	uint8_t cut = fuzz_take8(&in), *room = malloc(in.left + 1);
	struct tn_headers h;
	struct tn_view view = {.data = room, .len = (uint32_t)in.left};
	struct said said = {.h = &h};

	if (!room)
		return 0;
	view.wire_len = view.len + (cut < 8 ? cut : 0);
	fuzz_take(&in, room, in.left);
	if (tn_parse(&view, &h) == TN_DROP_NONE) {
		bool sound;

		if (cut >= 8)
			put_sum(room, view.len, &h);
		sound = tn_snoop(&view, &h, on_snooped, &said);

		fuzz_require(sound || said.n == 0);
		fuzz_require(said.n <= view.len / 8);
	}
	free(room);
	return 0;
}
