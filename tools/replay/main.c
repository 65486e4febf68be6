/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tenon-replay: captures through the flow tables of a switch. See tenon-replay(1).
 */
#include "tools/replay/options.h"
#include "tools/replay/run.h"

int main(int argc, char **argv)
{
	struct tn_options options;
	int code;

	if (tn_options_parse(&options, argc, argv, &code))
		code = tn_run(&options);
	tn_options_fini(&options);
	return code;
}
