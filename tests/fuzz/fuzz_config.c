/* SPDX-License-Identifier: BSD-3-Clause */
/* Bytes -> a configuration of tenond. What is refused says where and why, what is accepted holds.
 */
#include "control/config.h"

#include "tests/fuzz/fuzz.h"

static void require_reasons(const struct tn_diagnostics *diag, size_t size)
{
	fuzz_require(diag->n > 0);
	for (size_t i = 0; i < diag->n; i++) {
		const struct tn_diagnostic *d = &diag->list[i];

		fuzz_require(d->pointer && (d->pointer[0] == '/' || d->pointer[0] == '\0'));
		fuzz_require(d->line > 0 && d->column > 0 && d->line + d->column <= size + 2);
		fuzz_require(d->detail && d->detail[0]);
	}
}

static void require_sense(const struct tn_config *c)
{
	const struct tn_server_options *o = &c->server;

	fuzz_require(*c->state_dir && *c->dataplane_path);
	fuzz_require(o->socket.path || o->n_tcp);
	fuzz_require(o->socket.mode <= 0777);
	for (size_t i = 0; i < o->n_tcp; i++) {
		fuzz_require(o->tcp[i].address != NULL);
		fuzz_require(!o->tcp[i].certificate == !o->tcp[i].key);
		fuzz_require(!o->tcp[i].client_ca || o->tcp[i].certificate);
	}
	for (size_t i = 0; i < o->n_tokens; i++) {
		fuzz_require(o->tokens[i].name && o->tokens[i].role != TN_ROLE_NONE);
		fuzz_require(!o->tokens[i].tenant || o->tokens[i].role != TN_ROLE_ADMIN);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tn_diagnostics diag;
	struct tn_config config;

	tn_diagnostics_init(&diag);
	tn_config_init(&config);
	if (tn_config_parse(&config, (const char *)data, size, NULL, &diag)) {
		require_reasons(&diag, size);
	} else {
		fuzz_require(diag.n == 0);
		require_sense(&config);
	}
	tn_config_fini(&config);
	tn_diagnostics_fini(&diag);
	return 0;
}
