/* SPDX-License-Identifier: BSD-3-Clause */
/* The configuration file and the files it names, from the disk. */
#include "control/config.h"

#include <errno.h>
#include <fcntl.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Shorter ones could be found by trying. */
#define TOKEN_BYTES_MIN 16u
#define TOKEN_BYTES_MAX 4096u

/*
 * What a regular file holds, at most max bytes of it; the caller frees it. NULL: *why says what is
 * wrong. Does not wait, whatever the path leads to.
 */
static char *read_whole(
	const char *path, size_t max, size_t *len, struct stat *st, const char **why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char *text = NULL;
	ssize_t n = 0;

	*why = NULL;
	*len = 0;
	if (fd < 0 || fstat(fd, st))
		*why = strerror(errno);
	else if (!S_ISREG(st->st_mode))
		*why = "not a regular file";
	else if ((uint64_t)st->st_size > max)
		*why = "too large";
	else if (!(text = malloc(max + 1)))
		*why = "no memory";
	while (!*why && *len <= max && (n = read(fd, text + *len, max + 1 - *len)) > 0)
		*len += (size_t)n;
	if (!*why && n < 0)
		*why = strerror(errno);
	else if (!*why && *len > max)
		*why = "too large";
	if (fd >= 0)
		close(fd);
	if (!*why)
		return text;
	free(text);
	return NULL;
}

static bool hash_token(const char *path, uint8_t sha256[32], char *why, size_t size)
{
	const char *problem;
	struct stat st;
	size_t len;
	char *text = read_whole(path, TOKEN_BYTES_MAX, &len, &st, &problem);
	bool ok = false;

	if (!text) {
		snprintf(why, size, "%s: %s; give a file that holds the token", path, problem);
		return false;
	}
	while (len && (text[len - 1] == '\n' || text[len - 1] == '\r'))
		len--;
	if (st.st_mode & S_IROTH)
		snprintf(why, size, "%s: everybody on this host can read it; chmod o-r it", path);
	else if (len < TOKEN_BYTES_MIN)
		snprintf(why, size,
			"%s: a token of %zu bytes; give one of at least %u, such as: "
			"head -c 32 /dev/urandom | base64",
			path, len, TOKEN_BYTES_MIN);
	else if (gnutls_hash_fast(GNUTLS_DIG_SHA256, text, len, sha256))
		snprintf(why, size, "%s: cannot be hashed", path);
	else
		ok = true;
	gnutls_memset(text, 0, len);
	free(text);
	return ok;
}

static void say_all(const char *path, const struct tn_diagnostics *diag)
{
	for (size_t i = 0; i < diag->n; i++) {
		const struct tn_diagnostic *d = &diag->list[i];

		fprintf(stderr, "%s:", path);
		if (d->line)
			fprintf(stderr, "%u:%u:", d->line, d->column);
		if (d->pointer && *d->pointer)
			fprintf(stderr, " %s:", d->pointer);
		fprintf(stderr, " %s\n", d->detail);
	}
	if (diag->dropped)
		fprintf(stderr, "%s: and %zu more errors\n", path, diag->dropped);
}

int tn_config_load(struct tn_config *config, const char *path)
{
	struct tn_diagnostics diag;
	const char *why;
	struct stat st;
	size_t len;
	char *text = read_whole(path, TN_CONFIG_BYTES_MAX, &len, &st, &why);
	int rc;

	if (!text) {
		fprintf(stderr, "%s: cannot be read: %s\n", path, why);
		return -1;
	}
	tn_diagnostics_init(&diag);
	rc = tn_config_parse(config, text, len, hash_token, &diag);
	say_all(path, &diag);
	tn_diagnostics_fini(&diag);
	free(text);
	return rc ? -1 : 0;
}
