/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Instructions of the kernel's programs, so that none gets dearer unseen: as the compiler made them
 * and, on the kernel that the table was written on, as the verifier translated them. A change of
 * more than 3 %, up or down, fails; when it is meant, the table changes in the commit that says
 * why.
 */
#include "ebpf/loader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include <cmocka.h>

#include "tests/unit/ebpf/ebpf_fixture.h"

#define KERNEL "6.18."

static const struct {
	const char *name;
	uint32_t compiled, translated;
} lengths[TN_EBPF_N_PROGRAMS] = {
	[TN_EBPF_FROM_PORT] = {"from_port", 1463, 1566},
	[TN_EBPF_FROM_TUNNEL] = {"from_tunnel", 1576, 1679},
	[TN_EBPF_FROM_UPLINK] = {"from_uplink", 751, 808},
	[TN_EBPF_TO_PORT] = {"to_port", 27, 36},
	[TN_EBPF_TO_TUNNEL] = {"to_tunnel", 132, 141},
	[TN_EBPF_GUARD] = {"guard", 404, 477},
};

static struct tn_ebpf *ebpf;

static bool is_near(const char *name, const char *what, uint32_t is, uint32_t was)
{
	uint32_t apart = is > was ? is - was : was - is;

	if (100 * apart <= 3 * was)
		return true;
	print_error("%s: %u instructions %s, %u in the table\n", name, is, what, was);
	return false;
}

static void test_lengths(void **state)
{
	struct utsname system;
	bool same = true, fits = true;

	(void)state;
	same = !uname(&system) && !strncmp(system.release, KERNEL, strlen(KERNEL));
	for (unsigned i = 0; i < TN_EBPF_N_PROGRAMS; i++) {
		struct tn_ebpf_length n = tn_ebpf_program_length(ebpf, i);

		fits &= is_near(lengths[i].name, "compiled", n.compiled, lengths[i].compiled);
		if (same)
			fits &= is_near(
				lengths[i].name, "translated", n.translated, lengths[i].translated);
	}
	assert_true(fits);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_lengths)};

	return ebpf_run(&ebpf, tests, TN_ARRAY_SIZE(tests));
}
