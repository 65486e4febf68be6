/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A frame as a container's kernel may have left it. When the first byte is odd, the checksum of its
 * TCP or UDP is made partial first: it must be whole afterwards. Doing it again changes nothing.
 */
#include "dataplane/port/partial_checksum.h"

#include <stdlib.h>
#include <string.h>

#include "dataplane/core/checksum.h"
#include "dataplane/core/parse.h"

#include "tests/fuzz/fuzz.h"

/* Where the L4 checksum is, and what its pseudo header sums up to. */
struct sum {
	uint8_t *l4, *field;
	uint32_t len;
	uint64_t pseudo;
};

static bool find_sum(uint8_t *frame, uint32_t len, struct sum *s)
{
	struct tn_view v = {.data = frame, .len = len, .wire_len = len};
	const uint8_t *l3;
	struct tn_headers h;

	if (tn_parse(&v, &h) || !(h.flags & (TN_HDR_TCP | TN_HDR_UDP)) || h.ip_frag ||
		h.flags & TN_HDR_ROUTING)
		return false;
	l3 = frame + h.l3;
	s->l4 = frame + h.l4;
	s->len = h.l3_len - (uint32_t)(h.l4 - h.l3);
	s->field = s->l4 + (h.flags & TN_HDR_TCP ? 16 : 6);
	s->pseudo = h.flags & TN_HDR_IPV4
		? tn_csum_pseudo_ipv4(l3 + 12, l3 + 16, h.ip_proto, s->len)
		: tn_csum_pseudo_ipv6(l3 + 8, l3 + 24, h.ip_proto, s->len);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *frame, *once;
	struct sum s = {0};
	uint32_t len;
	bool partial;

	if (size < 2 || size > 4096)
		return 0;
	len = (uint32_t)size - 1;
	frame = malloc(len);
	once = malloc(len);
	fuzz_require(frame && once);
	memcpy(frame, data + 1, len);
	partial = data[0] & 1 && find_sum(frame, len, &s);
	if (partial) {
		uint16_t field = (uint16_t)~tn_csum_fold(s.pseudo).raw;

		memcpy(s.field, &field, sizeof(field));
	}
	fuzz_require(tn_partial_checksum_complete(frame, len) || !partial);
	if (partial)
		fuzz_require(!tn_csum_fold(tn_csum_add(s.pseudo, s.l4, s.len)).raw);
	memcpy(once, frame, len);
	(void)tn_partial_checksum_complete(frame, len);
	fuzz_require(!memcmp(once, frame, len));
	free(frame);
	free(once);
	return 0;
}
