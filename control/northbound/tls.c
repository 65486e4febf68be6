/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/northbound/tls.h"

#include <errno.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX (1u << 20)

static int read_file(const char *path, char **text, struct tn_error *err)
{
	FILE *f = fopen(path, "re");
	size_t n;

	if (!f)
		return tn_error_set(
			err, TN_OFPBRC_EPERM, -1, "%s cannot be read: %s", path, strerror(errno));
	*text = calloc(1, FILE_MAX + 1);
	if (!*text)
		abort();
	n = fread(*text, 1, FILE_MAX + 1, f);
	fclose(f);
	if (n > 0 && n <= FILE_MAX)
		return 0;
	return tn_error_set(err, TN_OFPBRC_EPERM, -1, "%s is %s; give a file in PEM", path,
		n ? "over 1 MiB" : "empty");
}

static gnutls_datum_t datum(char *text)
{
	return (gnutls_datum_t){.data = (unsigned char *)text, .size = (unsigned)strlen(text)};
}

static int check(
	const struct tn_tls_files *files, const struct tn_server_tcp *o, struct tn_error *err)
{
	gnutls_datum_t certificate = datum(files->certificate), key = datum(files->key), ca;
	gnutls_certificate_credentials_t credentials;
	int rc;

	rc = gnutls_certificate_allocate_credentials(&credentials);
	if (rc < 0)
		return tn_error_set(err, TN_OFPBRC_EPERM, -1, "TLS: %s", gnutls_strerror(rc));
	rc = gnutls_certificate_set_x509_key_mem(
		credentials, &certificate, &key, GNUTLS_X509_FMT_PEM);
	if (rc < 0) {
		tn_error_set(err, TN_OFPBRC_EPERM, -1,
			"%s and %s are no certificate with its key: %s", o->certificate, o->key,
			gnutls_strerror(rc));
	} else if (files->client_ca) {
		ca = datum(files->client_ca);
		rc = gnutls_certificate_set_x509_trust_mem(credentials, &ca, GNUTLS_X509_FMT_PEM);
		if (rc == 0)
			rc = GNUTLS_E_NO_CERTIFICATE_FOUND;
		if (rc < 0)
			tn_error_set(err, TN_OFPBRC_EPERM, -1,
				"%s holds no certificate of an authority: %s", o->client_ca,
				gnutls_strerror(rc));
	}
	gnutls_certificate_free_credentials(credentials);
	return rc < 0 ? -EINVAL : 0;
}

int tn_tls_load(struct tn_tls_files *files, const struct tn_server_tcp *o, struct tn_error *err)
{
	*files = (struct tn_tls_files){0};
	if (read_file(o->certificate, &files->certificate, err) ||
		read_file(o->key, &files->key, err) ||
		(o->client_ca && read_file(o->client_ca, &files->client_ca, err)))
		return -EINVAL;
	return check(files, o, err);
}

void tn_tls_fini(struct tn_tls_files *files)
{
	free(files->certificate);
	if (files->key)
		explicit_bzero(files->key, strlen(files->key));
	free(files->key);
	free(files->client_ca);
	*files = (struct tn_tls_files){0};
}

bool tn_tls_common_name(gnutls_session_t session, char *name, size_t size)
{
	gnutls_typed_vdata_st purpose = {.type = GNUTLS_DT_KEY_PURPOSE_OID,
		.data = (unsigned char *)(uintptr_t)GNUTLS_KP_TLS_WWW_CLIENT};
	const gnutls_datum_t *chain;
	gnutls_x509_crt_t certificate;
	unsigned n = 0, status = 0;
	bool ok = false;

	chain = gnutls_certificate_get_peers(session, &n);
	if (!chain || !n || gnutls_certificate_verify_peers(session, &purpose, 1, &status) < 0 ||
		status)
		return false;
	if (gnutls_x509_crt_init(&certificate) < 0)
		return false;
	if (gnutls_x509_crt_import(certificate, &chain[0], GNUTLS_X509_FMT_DER) == 0)
		ok = gnutls_x509_crt_get_dn_by_oid(
			     certificate, GNUTLS_OID_X520_COMMON_NAME, 0, 0, name, &size) == 0;
	gnutls_x509_crt_deinit(certificate);
	return ok;
}
