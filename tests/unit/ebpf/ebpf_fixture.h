/* SPDX-License-Identifier: BSD-3-Clause */
/* The programs, loaded once for all tests of a file. */
#ifndef TN_TESTS_EBPF_FIXTURE_H
#define TN_TESTS_EBPF_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "ebpf/loader.h"

#define SKIP 77

/* NULL: the kernel refuses them, and it is said why. */
static inline struct tn_ebpf *ebpf_open(void)
{
	const struct tn_ebpf_options options = {0};
	struct tn_ebpf *ebpf = NULL;
	struct tn_error err;

	if (!tn_ebpf_open(&ebpf, &options, &err))
		return ebpf;
	printf("%s\n", err.detail);
	return NULL;
}

/* *ebpf is what the tests use meanwhile. What main() returns. */
static inline int ebpf_run(struct tn_ebpf **ebpf, const struct CMUnitTest *tests, size_t n)
{
	int failed;

	*ebpf = ebpf_open();
	if (!*ebpf)
		return SKIP;
	failed = _cmocka_run_group_tests("tests", tests, n, NULL, NULL);
	tn_ebpf_close(*ebpf);
	return failed;
}

#endif
