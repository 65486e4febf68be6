/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a row of processes leaves that each end while they replace the programs of those before
 * them: in a mount and a network namespace of the test's own, at its loopback device.
 */
#include "ebpf/pins.h"

#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <cmocka.h>

#include "ebpf/attach.h"

#define LOOP	    1u
#define TCX_INGRESS 46
#define SKIP	    77
#define FROM_PORT   TN_EBPF_FROM_PORT

static char dir[] = "/tmp/tenon-pins-XXXXXX";

/* Of the version of that number: each has its own. */
static int program_of(int version)
{
	const struct bpf_insn code[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = version},
		{.code = BPF_JMP | BPF_EXIT},
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "version", "GPL", code, 2, NULL);

	assert_true(fd >= 0);
	return fd;
}

static uint32_t id_of(int fd)
{
	struct bpf_prog_info info = {0};
	uint32_t size = sizeof(info);

	assert_int_equal(bpf_obj_get_info_by_fd(fd, &info, &size), 0);
	return info.id;
}

/* Those at the interface's way in. */
static uint32_t attached(uint32_t ids[4])
{
	uint32_t n = 4, flags;

	assert_int_equal(bpf_prog_query((int)LOOP, TCX_INGRESS, 0, &flags, ids, &n), 0);
	return n;
}

/* All that a version can replace, as a process that starts finds it. */
static void find(int before[1 + TN_EBPF_BEFORE])
{
	before[0] = tn_ebpf_pins_program(dir, FROM_PORT);
	for (unsigned i = 0; i < TN_EBPF_BEFORE; i++)
		before[1 + i] = tn_ebpf_pins_before(dir, FROM_PORT, i);
}

static void forget(const int before[1 + TN_EBPF_BEFORE])
{
	for (unsigned i = 0; i <= TN_EBPF_BEFORE; i++) {
		if (before[i] >= 0)
			close(before[i]);
	}
}

/* A version that ends as soon as it has its pins, or when it has attached what it has. */
static uint32_t run(int version, bool attaches)
{
	int before[1 + TN_EBPF_BEFORE], fd = program_of(version);
	uint32_t id = id_of(fd);

	find(before);
	assert_int_equal(tn_ebpf_pins_put(dir, FROM_PORT, fd), 0);
	if (attaches)
		assert_int_equal(tn_ebpf_attach_tc(fd, before, 1 + TN_EBPF_BEFORE, LOOP), 0);
	forget(before);
	close(fd);
	return id;
}

/* However many end before they have replaced what is attached, the next one replaces it. */
static void test_many_that_end_early(void **state)
{
	uint32_t ids[4], id;

	(void)state;
	for (int failing = 0; failing < (int)TN_EBPF_BEFORE; failing++) {
		id = run(100 * failing, true);
		assert_int_equal(attached(ids), 1);
		assert_int_equal(ids[0], id);
		for (int i = 1; i <= failing; i++)
			(void)run(100 * failing + i, false);
		id = run(100 * failing + 99, true);
		assert_int_equal(attached(ids), 1);
		assert_int_equal(ids[0], id);
		tn_ebpf_pins_settle(dir);
	}
}

static void test_settled(void **state)
{
	int before[1 + TN_EBPF_BEFORE];

	(void)state;
	(void)run(1, true);
	(void)run(2, true);
	tn_ebpf_pins_settle(dir);
	find(before);
	assert_true(before[0] >= 0);
	for (unsigned i = 1; i <= TN_EBPF_BEFORE; i++)
		assert_int_equal(before[i], -1);
	tn_ebpf_detach_from(before[0], false, LOOP);
	forget(before);
}

static int with_pins(void **state)
{
	(void)state;
	return !mkdtemp(dir) || mount("bpf", dir, "bpf", 0, NULL);
}

static int without(void **state)
{
	(void)state;
	return umount(dir) || rmdir(dir);
}

/* Before Linux 6.6 a program is replaced by its place, whichever it is. */
static bool has_tcx(void)
{
	uint32_t n = 0, flags;

	return bpf_prog_query((int)LOOP, TCX_INGRESS, 0, &flags, NULL, &n) != -EINVAL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_many_that_end_early),
		cmocka_unit_test(test_settled),
	};

	if (unshare(CLONE_NEWNS | CLONE_NEWNET) ||
		mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)) {
		perror("a namespace of its own");
		return SKIP;
	}
	if (!has_tcx()) {
		puts("the kernel has no tcx");
		return SKIP;
	}
	return cmocka_run_group_tests(tests, with_pins, without);
}
