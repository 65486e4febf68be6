/* SPDX-License-Identifier: BSD-3-Clause */
/* Mods encoded one by one, as a client sends them that has them so. */
#ifndef TN_TESTS_ENCODED_H
#define TN_TESTS_ENCODED_H

#include <stdlib.h>

#include "dataplane/api/codec.h"

/* To be freed, as the buffer that holds their bytes, when they were sent. */
static inline struct tn_api_encoded *encoded_mods(
	struct tn_api_buffer *buffer, const struct tn_mod *mods, size_t n)
{
	struct tn_api_encoded *encoded = calloc(n + 1, sizeof(*encoded));
	const uint8_t *at;

	if (!encoded)
		abort();
	for (size_t i = 0; i < n; i++) {
		size_t before = buffer->len;
		struct tn_error err;

		if (tn_api_encode_mod(buffer, &mods[i], &err))
			abort();
		encoded[i] = (struct tn_api_encoded){
			.size = (uint32_t)(buffer->len - before), .n_mods = 1};
	}
	at = buffer->data;
	for (size_t i = 0; i < n; at += encoded[i++].size)
		encoded[i].bytes = at;
	return encoded;
}

#endif
