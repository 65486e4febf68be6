/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/agent/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define ARGS_MAX 32

/* Parses a command line of words parted by blanks. */
static int parse(struct tn_agent_options *o, const char *line)
{
	static char text[256];
	char *argv[ARGS_MAX], *rest = text;
	int argc = 0;

	strncpy(text, line, sizeof(text) - 1);
	argv[argc++] = (char[]){"tenon-dataplane"};
	while (argc < ARGS_MAX - 1 && (argv[argc] = strsep(&rest, " ")))
		argc += argv[argc][0] != '\0';
	argv[argc] = NULL;
	optind = 0;
	return tn_agent_options_parse(o, argc, argv);
}

static void test_defaults(void **state)
{
	struct tn_agent_options o;

	(void)state;
	assert_int_equal(parse(&o, ""), 0);
	assert_int_equal(o.n_workers, 1);
	assert_true(o.huge);
	assert_false(o.busy_poll);
	assert_int_equal(o.memory_mb, 256);
	assert_int_equal(o.max_frame, 2048);
	assert_int_equal(o.sessions, 1u << 20);
	assert_null(o.load);
}

static void test_values(void **state)
{
	struct tn_agent_options o;

	(void)state;
	assert_int_equal(parse(&o,
				 "--load x.json --workers 1,3-5 --memory 512 --sessions 0 "
				 "--max-frame 9216 "
				 "--poll busy --no-huge --seconds 1.5 --stats -"),
		0);
	assert_string_equal(o.load, "x.json");
	assert_int_equal(o.n_workers, 4);
	assert_int_equal(o.worker_core[0], 1);
	assert_int_equal(o.worker_core[3], 5);
	assert_int_equal(o.memory_mb, 512);
	assert_int_equal(o.max_frame, 9216);
	assert_int_equal(o.sessions, 0);
	assert_true(o.busy_poll);
	assert_false(o.huge);
	assert_true(o.seconds == 1.5);
	assert_string_equal(o.stats_file, "-");
}

static void test_kernel_mode(void **state)
{
	struct tn_agent_options o;

	(void)state;
	assert_int_equal(parse(&o, "--mode kernel"), 0);
	assert_true(o.kernel_mode);
	assert_false(o.huge);
	assert_int_equal(o.n_workers, 1);
	assert_int_equal(o.memory_mb, 8);
	assert_int_equal(o.sessions, 1u << 16);
	assert_int_equal(parse(&o, "--memory 20 --sessions 7 --mode kernel"), 0);
	assert_int_equal(o.memory_mb, 20);
	assert_int_equal(o.sessions, 7);
	assert_int_equal(parse(&o, "--mode dpdk --workers 1 --poll busy"), 0);
	assert_false(o.kernel_mode);
}

static void test_refused(void **state)
{
	static const char *const lines[] = {
		"--workers x",
		"--workers 1,",
		"--workers 3-1",
		"--workers 1,1",
		"--workers 99999",
		"--workers 0-40",
		"--memory 3",
		"--mode edge",
		"--mode kernel --workers 1",
		"--poll busy --mode kernel",
		"--mode kernel --pci",
		"--memory 1x",
		"--memory -5",
		"--max-frame 2047",
		"--max-frame 65345",
		"--sessions 999999999",
		"--poll often",
		"--seconds 0",
		"--seconds 1x",
		"--seconds nan",
		"--nonsense",
		"word",
	};
	struct tn_agent_options o;

	(void)state;
	for (size_t i = 0; i < TN_ARRAY_SIZE(lines); i++) {
		if (parse(&o, lines[i]) != -1)
			fail_msg("accepted: %s", lines[i]);
	}
}

static void test_answers(void **state)
{
	struct tn_agent_options o;

	(void)state;
	assert_int_equal(parse(&o, "--help"), 1);
	assert_int_equal(parse(&o, "--version"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_kernel_mode),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
