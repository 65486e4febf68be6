/* SPDX-License-Identifier: BSD-3-Clause */
/* Certificates: their files, and whose a client's is. Internal to the northbound. */
#ifndef TN_NORTHBOUND_TLS_H
#define TN_NORTHBOUND_TLS_H

#include <gnutls/gnutls.h>

#include "control/northbound/server.h"

/* PEM text, NUL-terminated; NULL where there is none. */
struct tn_tls_files {
	char *certificate, *key, *client_ca;
};

/* Reads and checks them. -EINVAL with err; the files are to be given to tn_tls_fini() anyway. */
int tn_tls_load(struct tn_tls_files *files, const struct tn_server_tcp *options,
	struct tn_error *err) TN_MUST_CHECK;
void tn_tls_fini(struct tn_tls_files *files);

/* The CN of the client's certificate; false: it showed none that our authorities signed. */
bool tn_tls_common_name(gnutls_session_t session, char *name, size_t size);

#endif
