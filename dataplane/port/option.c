/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/port/port_factory.h"

#include <string.h>

const struct tn_port_option *tn_port_option_find(const struct tn_port_spec *spec, const char *key)
{
	for (size_t i = 0; i < spec->n_options; i++) {
		if (!strcmp(spec->options[i].key, key))
			return &spec->options[i];
	}
	return NULL;
}

const char *tn_port_option_string(
	const struct tn_port_spec *spec, const char *key, const char *otherwise)
{
	const struct tn_port_option *o = tn_port_option_find(spec, key);

	return o ? o->string : otherwise;
}

int64_t tn_port_option_integer(const struct tn_port_spec *spec, const char *key, int64_t otherwise)
{
	const struct tn_port_option *o = tn_port_option_find(spec, key);

	return o ? o->integer : otherwise;
}

bool tn_port_option_bool(const struct tn_port_spec *spec, const char *key, bool otherwise)
{
	const struct tn_port_option *o = tn_port_option_find(spec, key);

	return o ? o->integer != 0 : otherwise;
}
