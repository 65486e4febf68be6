/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/core/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

struct of_error {
	const char *name;
	uint16_t type, code, http_status;
};

static const struct of_error of_errors[TN_OF_N_ERRORS] = {
	[TN_OF_OK] = {"OK", 0, 0, 200},
#define TN_OF_ERROR(type, code, name, status) [TN_##name] = {#name, type, code, status},
#include "dataplane/core/errors.def"
#undef TN_OF_ERROR
};

static const struct of_error *of_error(enum tn_of_error e)
{
	static const struct of_error unknown = {"UNKNOWN", 0, 0, 500};

	return (unsigned)e < TN_OF_N_ERRORS ? &of_errors[e] : &unknown;
}

const char *tn_of_error_name(enum tn_of_error e)
{
	return of_error(e)->name;
}

unsigned tn_of_error_type(enum tn_of_error e)
{
	return of_error(e)->type;
}

unsigned tn_of_error_code(enum tn_of_error e)
{
	return of_error(e)->code;
}

unsigned tn_of_error_http_status(enum tn_of_error e)
{
	return of_error(e)->http_status;
}

int tn_error_set(struct tn_error *err, enum tn_of_error of, int index, const char *fmt, ...)
{
	va_list args;

	if (!err)
		return -EINVAL;
	err->of = of;
	err->index = index;
	va_start(args, fmt);
	vsnprintf(err->detail, sizeof(err->detail), fmt, args);
	va_end(args);
	return -EINVAL;
}
