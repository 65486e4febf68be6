/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/northbound/access.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "control/model/names.h"

struct token {
	struct tn_principal who;
	uint8_t sha256[32];
	bool has_sha256;
};

struct tn_access {
	struct token *tokens;
	size_t n;
};

const char *tn_role_name(enum tn_role role)
{
	static const char *const names[] = {
		[TN_ROLE_NONE] = "nobody",
		[TN_ROLE_VIEWER] = "viewer",
		[TN_ROLE_OPERATOR] = "operator",
		[TN_ROLE_ADMIN] = "admin",
	};

	return names[role];
}

enum tn_role tn_role_by_name(const char *name)
{
	for (int i = TN_ROLE_VIEWER; i <= TN_ROLE_ADMIN; i++)
		if (strcmp(name, tn_role_name((enum tn_role)i)) == 0)
			return (enum tn_role)i;
	return TN_ROLE_NONE;
}

static int check_token(const struct tn_server_token *tokens, size_t i, struct tn_error *err)
{
	const char *name = tokens[i].name;

	if (!name || !*name || strlen(name) >= sizeof(((struct tn_principal *)0)->name) ||
		strchr(name, ':'))
		return tn_error_set(err, TN_OFPBRC_EPERM, -1,
			"token %zu has no name of 1 to 63 bytes without ':'; give it one", i + 1);
	if (tokens[i].role < TN_ROLE_VIEWER || tokens[i].role > TN_ROLE_ADMIN)
		return tn_error_set(err, TN_OFPBRC_EPERM, -1,
			"token \"%s\" has no role; give it viewer, operator or admin", name);
	for (size_t k = 0; k < i; k++)
		if (strcmp(tokens[k].name, name) == 0)
			return tn_error_set(err, TN_OFPBRC_EPERM, -1,
				"two tokens are named \"%s\"; rename one", name);
	return 0;
}

struct tn_access *tn_access_new(const struct tn_server_token *tokens, size_t n,
	struct tn_names *names, struct tn_error *err)
{
	struct tn_access *a = calloc(1, sizeof(*a));

	if (!a)
		abort();
	a->tokens = calloc(n + 1, sizeof(*a->tokens));
	if (!a->tokens)
		abort();
	for (size_t i = 0; i < n; i++) {
		struct token *t = &a->tokens[a->n++];

		if (check_token(tokens, i, err))
			goto refused;
		snprintf(t->who.name, sizeof(t->who.name), "%s", tokens[i].name);
		t->who.role = tokens[i].role;
		t->has_sha256 = tokens[i].has_sha256;
		memcpy(t->sha256, tokens[i].sha256, sizeof(t->sha256));
		if (!tokens[i].tenant || !*tokens[i].tenant || !names)
			continue;
		t->who.tenant = tn_names_intern(names, tokens[i].tenant);
		if (!t->who.tenant) {
			tn_error_set(err, TN_OFPBRC_EPERM, -1,
				"no room for tenant \"%s\": too many names are in use",
				tokens[i].tenant);
			goto refused;
		}
	}
	return a;
refused:
	tn_access_free(a);
	return NULL;
}

void tn_access_free(struct tn_access *a)
{
	if (!a)
		return;
	free(a->tokens);
	free(a);
}

void tn_access_hash(const void *p, size_t n, uint8_t sha256[32])
{
	if (gnutls_hash_fast(GNUTLS_DIG_SHA256, p, n, sha256))
		abort(); /* the library has no SHA-256 */
}

/* The whole of both is looked at, whatever differs. */
static bool same(const uint8_t *a, const uint8_t *b, size_t n)
{
	uint8_t differs = 0;

	for (size_t i = 0; i < n; i++)
		differs |= a[i] ^ b[i];
	return differs == 0;
}

/* name NULL: any. */
static bool by_token(const struct tn_access *a, const char *name, const char *token, size_t n,
	struct tn_principal *who)
{
	const struct token *found = NULL;
	uint8_t sha256[32];

	tn_access_hash(token, n, sha256);
	for (size_t i = 0; i < a->n; i++) {
		const struct token *t = &a->tokens[i];
		bool is = same(t->sha256, sha256, sizeof(sha256)) & t->has_sha256;

		if (is && (!name || strcmp(t->who.name, name) == 0))
			found = t;
	}
	if (found)
		*who = found->who;
	return found != NULL;
}

static bool by_basic(const struct tn_access *a, const char *base64, struct tn_principal *who)
{
	gnutls_datum_t in = {.size = (unsigned)strlen(base64)}, out;
	char *copy = strdup(base64), *colon, *text = NULL;
	bool ok = false;

	if (!copy)
		abort();
	in.data = (unsigned char *)copy;
	if (gnutls_base64_decode2(&in, &out) == 0) {
		text = strndup((char *)out.data, out.size);
		gnutls_free(out.data);
	}
	free(copy);
	colon = text ? strchr(text, ':') : NULL;
	if (colon) {
		*colon = '\0';
		ok = by_token(a, text, colon + 1, strlen(colon + 1), who);
	}
	free(text);
	return ok;
}

bool tn_access_by_header(
	const struct tn_access *a, const char *authorization, struct tn_principal *who)
{
	const char *value = strchr(authorization, ' ');
	size_t scheme = value ? (size_t)(value - authorization) : 0;

	if (!value)
		return false;
	value += strspn(value, " ");
	if (scheme == 6 && strncasecmp(authorization, "Bearer", scheme) == 0)
		return by_token(a, NULL, value, strlen(value), who);
	if (scheme == 5 && strncasecmp(authorization, "Basic", scheme) == 0)
		return by_basic(a, value, who);
	return false;
}

bool tn_access_by_certificate(
	const struct tn_access *a, const char *common_name, struct tn_principal *who)
{
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(a->tokens[i].who.name, common_name) == 0) {
			*who = a->tokens[i].who;
			return true;
		}
	return false;
}
