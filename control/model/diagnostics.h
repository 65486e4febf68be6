/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is wrong with a document: all of it, not the first error only. Each diagnostic says where
 * (JSON pointer, line, column), what (OpenFlow error where there is one) and what to do.
 */
#ifndef TN_MODEL_DIAGNOSTICS_H
#define TN_MODEL_DIAGNOSTICS_H

#include "dataplane/core/error.h"

struct tn_diagnostic {
	char *pointer; /* RFC 6901; "" for the document itself; NULL for text that is not JSON */
	uint32_t line, column; /* from 1; 0 unknown. column counts bytes */
	enum tn_of_error of;   /* TN_OF_OK: not an OpenFlow matter (syntax, shape) */
	char *detail;	       /* one sentence */
};

struct tn_diagnostics {
	struct tn_diagnostic *list;
	size_t n;
	size_t dropped; /* beyond TN_DIAGNOSTICS_MAX only counted */
};

#define TN_DIAGNOSTICS_MAX 10000u

void tn_diagnostics_init(struct tn_diagnostics *d);
void tn_diagnostics_fini(struct tn_diagnostics *d);
/* pointer and detail are copied. line and column 0 where not known yet. */
void tn_diagnostics_add(struct tn_diagnostics *d, const char *pointer, uint32_t line,
	uint32_t column, enum tn_of_error of, const char *fmt, ...) TN_PRINTF(6, 7);
/* Those from position `from` on in the order of the text, errors of one place as they came. */
void tn_diagnostics_sort(struct tn_diagnostics *d, size_t from);

#endif
