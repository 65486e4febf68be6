/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/api/client_io.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define PART_MODS 8192u /* of the usual size these are 1 to 2 MiB */
/* Small: the other side reads one while the next is made. */
#define ENCODED_PART_MODS 1024u

int tn_client_dial(const char *path, int flags, struct tn_error *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd;

	if (strlen(path) >= sizeof(address.sun_path)) {
		tn_error_set(err, TN_OFPFMFC_UNKNOWN, -1,
			"a socket's path has at most %zu bytes: give a shorter one",
			sizeof(address.sun_path) - 1);
		return -1;
	}
	memcpy(address.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
	if (fd >= 0 && !connect(fd, (const struct sockaddr *)&address, sizeof(address)))
		return fd;
	tn_error_set(err, TN_OFPFMFC_UNKNOWN, -1,
		"%s: %s; is tenon-dataplane running, and with this --socket?", path,
		strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

/*
 * All parts. One that is refused is tried again with half of its mods: it was too long, or the one
 * mod at fault is found so.
 */
int tn_client_put_bundle(struct tn_api_buffer *out, const struct tn_mod *mods, size_t n,
	uint64_t id, uint32_t flags, size_t *failed, struct tn_error *err)
{
	size_t at = 0, most = PART_MODS, start = out->len;

	*failed = 0;
	do {
		size_t part = n - at < most ? n - at : most;
		struct tn_api_message m = {
			.type = TN_API_BUNDLE,
			.flags = at + part < n ? TN_API_MORE : flags,
			.request_id = id,
			.bundle = {.mods = mods + at, .n_mods = (uint32_t)part},
		};
		int rc = tn_api_encode(out, &m, err);

		if (rc && part > 1) {
			most = part / 2;
			continue;
		}
		if (rc) {
			*failed = at;
			out->len = start;
			return rc;
		}
		at += part;
	} while (at < n);
	return 0;
}

int tn_client_put_part(struct tn_api_buffer *out, const struct tn_api_encoded *mods, size_t n,
	size_t *at, uint64_t id, uint32_t flags, struct tn_error *err)
{
	size_t end = *at, bytes = 0;
	int rc;

	while (end < n && end - *at < ENCODED_PART_MODS &&
		(end == *at || bytes + mods[end].size <= TN_API_BODY_MAX / 2))
		bytes += mods[end++].size;
	rc = tn_api_encode_bundle(
		out, id, end < n ? TN_API_MORE : flags, mods + *at, end - *at, err);
	if (!rc)
		*at = end;
	return rc;
}
