/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is refused and why: an OpenFlow error with one sentence that says what to do. Returned by
 * value-filling; functions that take a struct tn_error fill it exactly when they return non-zero.
 */
#ifndef TN_CORE_ERROR_H
#define TN_CORE_ERROR_H

#include "dataplane/core/types.h"

enum tn_of_error {
	TN_OF_OK = 0,
#define TN_OF_ERROR(type, code, name, status) TN_##name,
#include "dataplane/core/errors.def"
#undef TN_OF_ERROR
	TN_OF_N_ERRORS
};

struct tn_error {
	enum tn_of_error of; /* TN_OF_OK when nothing is wrong */
	int index;	     /* which action, bucket or band of the object; -1: the object itself */
	char detail[232];    /* one sentence, ends without newline */
};

/* "OFPBMC_BAD_PREREQ"; "OK" for TN_OF_OK. */
const char *tn_of_error_name(enum tn_of_error e);
unsigned tn_of_error_type(enum tn_of_error e);
unsigned tn_of_error_code(enum tn_of_error e);
unsigned tn_of_error_http_status(enum tn_of_error e);

/* Fills *err (which may be NULL) and returns -EINVAL, so that `return tn_error_set(...)` reads
 * well. */
int tn_error_set(struct tn_error *err, enum tn_of_error of, int index, const char *fmt, ...)
	TN_PRINTF(4, 5);

#endif
