/* SPDX-License-Identifier: BSD-3-Clause */
/* Private to this room: what clients do to a socket and a buffer. */
#ifndef TN_API_CLIENT_IO_H
#define TN_API_CLIENT_IO_H

#include "dataplane/api/codec.h"

/* A connected stream socket; flags: SOCK_NONBLOCK or 0. -1 with err. */
int tn_client_dial(const char *path, int flags, struct tn_error *err);

/*
 * Appends a bundle in as many parts as it takes. -EINVAL, -ENOMEM: *failed is the position of the
 * mod at fault, and out is as before.
 */
int tn_client_put_bundle(struct tn_api_buffer *out, const struct tn_mod *mods, size_t n,
	uint64_t id, uint32_t flags, size_t *failed, struct tn_error *err) TN_MUST_CHECK;
/* The next part of mods that are encoded; *at is moved past it. */
int tn_client_put_part(struct tn_api_buffer *out, const struct tn_api_encoded *mods, size_t n,
	size_t *at, uint64_t id, uint32_t flags, struct tn_error *err) TN_MUST_CHECK;

#endif
