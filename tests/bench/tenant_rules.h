/* SPDX-License-Identifier: BSD-3-Clause */
/* A tenant's network as the compiler makes it, for benchmarks of what its packets take. */
#ifndef TESTS_BENCH_TENANT_RULES_H
#define TESTS_BENCH_TENANT_RULES_H

#include "control/tenant/compile.h"

/*
 * Two hosts, a network with a router, port security: a server on the port `in_port` of this host,
 * which sends from addresses of 10.0.0.0/8, and a machine behind the host `remote`. What compiled
 * points to lives as long as the process.
 */
void tenant_rules(uint32_t in_port, tn_u128 local, tn_u128 remote, struct tn_compiled *compiled);

#endif
