/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bytes -> a message of the data plane's protocol. Refused with a sentence, or accepted: then it
 * encodes to the same bytes. A first byte with the highest bit set gives the rest a true length, so
 * that mutations of the size get past the header.
 */
#include "dataplane/api/codec.h"

#include "tests/fuzz/fuzz.h"

#define ARENA_BYTES (64u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tn_api_buffer again = {0};
	struct tn_api_arena arena;
	struct tn_api_message msg;
	struct tn_error err = {0};
	uint8_t *bytes;
	uint32_t length;

	if (size < 1 + sizeof(struct tn_api_header))
		return 0;
	/* Of exact size: what reads beyond the end is seen. */
	bytes = malloc(size - 1);
	fuzz_require(bytes);
	memcpy(bytes, data + 1, size - 1);
	length = (uint32_t)(size - 1 - sizeof(struct tn_api_header));
	if (data[0] & 0x80)
		memcpy(bytes + offsetof(struct tn_api_header, length), &length, sizeof(length));
	tn_api_arena_init(&arena, ARENA_BYTES);
	if (tn_api_decode(bytes, size - 1, &arena, &msg, &err)) {
		fuzz_require(err.of != TN_OF_OK && err.detail[0]);
	} else {
		fuzz_require(!tn_api_encode(&again, &msg, &err));
		fuzz_require(again.len == size - 1 && !memcmp(again.data, bytes, again.len));
	}
	tn_api_buffer_fini(&again);
	tn_api_arena_fini(&arena);
	free(bytes);
	return 0;
}
