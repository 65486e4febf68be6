/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/core/error.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "dataplane/core/drop.h"

static void an_error_is_filled_and_minus_einval(void **state)
{
	struct tn_error err;

	(void)state;
	assert_int_equal(tn_error_set(&err, TN_OFPBAC_BAD_OUT_PORT, 3, "port %u", 7u), -EINVAL);
	assert_int_equal(err.of, TN_OFPBAC_BAD_OUT_PORT);
	assert_int_equal(err.index, 3);
	assert_string_equal(err.detail, "port 7");
	assert_int_equal(tn_error_set(NULL, TN_OFPBAC_BAD_OUT_PORT, 3, "port %u", 7u), -EINVAL);
}

static void a_long_sentence_is_cut(void **state)
{
	struct tn_error err;

	(void)state;
	assert_int_equal(tn_error_set(&err, TN_OFPBRC_BAD_LEN, -1, "%0500d", 1), -EINVAL);
	assert_int_equal(strlen(err.detail), sizeof(err.detail) - 1);
}

static void errors_have_openflow_numbers_and_statuses(void **state)
{
	(void)state;
	assert_string_equal(tn_of_error_name(TN_OF_OK), "OK");
	assert_string_equal(tn_of_error_name(TN_OFPBMC_BAD_PREREQ), "OFPBMC_BAD_PREREQ");
	assert_int_equal(tn_of_error_type(TN_OFPBMC_BAD_PREREQ), 4);
	assert_int_equal(tn_of_error_code(TN_OFPBMC_BAD_PREREQ), 9);
	assert_int_equal(tn_of_error_http_status(TN_OFPBMC_BAD_PREREQ), 422);
	assert_int_equal(tn_of_error_http_status(TN_OFPFMFC_OVERLAP), 409);
	assert_string_equal(tn_of_error_name(TN_OF_N_ERRORS), "UNKNOWN");
	assert_int_equal(tn_of_error_http_status(TN_OF_N_ERRORS), 500);
	for (unsigned e = 1; e < TN_OF_N_ERRORS; e++) {
		for (unsigned other = 1; other < e; other++) {
			assert_false(tn_of_error_type(e) == tn_of_error_type(other) &&
				tn_of_error_code(e) == tn_of_error_code(other));
		}
		assert_in_range(tn_of_error_http_status(e), 400, 599);
		assert_memory_equal(tn_of_error_name(e), "OFP", 3);
	}
}

static void drop_reasons_have_names_and_sentences(void **state)
{
	(void)state;
	assert_string_equal(tn_drop_name(TN_DROP_NONE), "none");
	assert_string_equal(tn_drop_name(TN_DROP_TTL_EXPIRED), "ttl_expired");
	assert_string_equal(tn_drop_name(TN_DROP_COUNT), "unknown");
	for (unsigned d = 0; d < TN_DROP_COUNT; d++) {
		assert_true(strlen(tn_drop_text(d)) > 5);
		for (unsigned other = 0; other < d; other++)
			assert_string_not_equal(tn_drop_name(d), tn_drop_name(other));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_error_is_filled_and_minus_einval),
		cmocka_unit_test(a_long_sentence_is_cut),
		cmocka_unit_test(errors_have_openflow_numbers_and_statuses),
		cmocka_unit_test(drop_reasons_have_names_and_sentences),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
