/* SPDX-License-Identifier: BSD-3-Clause */
/* Who a client is: tokens, passwords, certificates, users of the machine. Internal. */
#ifndef TN_NORTHBOUND_ACCESS_H
#define TN_NORTHBOUND_ACCESS_H

#include "control/northbound/server.h"

struct tn_names;

struct tn_principal {
	enum tn_role role;
	uint32_t tenant; /* of tn_engine_names(); 0: none */
	char name[64];	 /* "": nobody */
};

struct tn_access;

/* NULL with err: two tokens of one name, a role that is none, a token without hash nor TLS. */
struct tn_access *tn_access_new(const struct tn_server_token *tokens, size_t n,
	struct tn_names *names, struct tn_error *err);
void tn_access_free(struct tn_access *a);

/*
 * The value of an Authorization header: "Bearer <token>", or "Basic <base64 of name:token>". False:
 * it is nobody's. Takes the same time whatever is wrong with the token.
 */
bool tn_access_by_header(
	const struct tn_access *a, const char *authorization, struct tn_principal *who);
/* The CN of a certificate that was verified. */
bool tn_access_by_certificate(
	const struct tn_access *a, const char *common_name, struct tn_principal *who);

/* SHA-256. */
void tn_access_hash(const void *p, size_t n, uint8_t sha256[32]);

#endif
