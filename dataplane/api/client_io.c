/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/api/client_io.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Small: the other side reads one while the next is made. */
#define PART_MODS 1024u

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

/* As many of n mods as a part holds; it is as many when one of them is refused. */
static int encode_some(struct tn_api_buffer *b, const struct tn_mod *mods, size_t n,
	struct tn_api_encoded *part, struct tn_error *err)
{
	size_t before = 0;
	int rc = 0;

	b->len = 0;
	*part = (struct tn_api_encoded){0};
	while (part->n_mods < n && part->n_mods < PART_MODS) {
		before = b->len;
		rc = tn_api_encode_mod(b, &mods[part->n_mods], err);
		if (rc || (before && b->len > TN_API_BODY_MAX - sizeof(uint32_t)))
			break;
		before = b->len;
		part->n_mods++;
	}
	part->bytes = b->data;
	part->size = (uint32_t)before;
	return rc;
}

int tn_client_put_bundle(struct tn_api_buffer *out, const struct tn_mod *mods, size_t n,
	uint64_t id, uint32_t flags, size_t *failed, struct tn_error *err)
{
	struct tn_api_buffer buffer = {0};
	struct tn_api_encoded part;
	size_t at = 0, start = out->len;
	int rc;

	*failed = 0;
	do {
		rc = encode_some(&buffer, mods + at, n - at, &part, err);
		at += part.n_mods;
		if (rc)
			break;
		rc = tn_api_encode_bundle(out, id, at < n ? TN_API_MORE : flags, &part, 1, err);
		if (rc) /* one that no message can hold */
			at -= part.n_mods;
	} while (!rc && at < n);
	tn_api_buffer_fini(&buffer);
	if (!rc)
		return 0;
	*failed = at;
	out->len = start;
	return rc;
}

int tn_client_put_part(struct tn_api_buffer *out, const struct tn_api_encoded *mods, size_t n,
	size_t *at, uint64_t id, uint32_t flags, struct tn_error *err)
{
	size_t end = *at, bytes = 0;
	int rc;

	while (end < n && end - *at < PART_MODS &&
		(end == *at || bytes + mods[end].size <= TN_API_BODY_MAX / 2))
		bytes += mods[end++].size;
	rc = tn_api_encode_bundle(
		out, id, end < n ? TN_API_MORE : flags, mods + *at, end - *at, err);
	if (!rc)
		*at = end;
	return rc;
}
