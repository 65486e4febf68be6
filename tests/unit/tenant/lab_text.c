/* SPDX-License-Identifier: BSD-3-Clause */
/* What a host's compiler says and what its switch has, as text. */
#include "tests/unit/tenant/lab.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "control/model/ofctl.h"
#include "control/model/operation.h"

struct lines {
	char **v;
	size_t n, size;
};

static void add_line(struct lines *lines, char *line)
{
	assert_non_null(line);
	if (lines->n == lines->size) {
		lines->size = lines->size * 2 + 64;
		lines->v = realloc(lines->v, lines->size * sizeof(*lines->v));
		assert_non_null(lines->v);
	}
	lines->v[lines->n++] = line;
}

static char *port_line(const struct tn_api_port *p)
{
	char *text = NULL, peer[INET6_ADDRSTRLEN];
	size_t size;
	FILE *f = open_memstream(&text, &size);

	fprintf(f, "port=%u,name=%s,type=%s,enabled=%d,mtu=%u", p->number, p->name, p->type,
		p->enabled, p->mtu);
	for (uint32_t i = 0; i < p->n_options; i++)
		fprintf(f, ",%s=%s", p->options[i].key, p->options[i].string);
	for (size_t i = 0; p->has_vxlan && i < p->vxlan.n_peers; i++) {
		struct tn_ip6 raw = tn_u128_to_ip6(p->vxlan.peers[i]);

		fprintf(f, ",peer=%s", inet_ntop(AF_INET6, &raw, peer, sizeof(peer)));
	}
	for (size_t i = 0; p->has_vxlan && i < p->vxlan.n_vnis; i++)
		fprintf(f, ",vni=%u", p->vxlan.vnis[i]);
	fclose(f);
	return text;
}

static char *mod_line(struct tn_arena *arena, const struct tn_mod *mod)
{
	struct tn_group_info group;
	struct tn_flow_info flow;

	switch (mod->kind) {
	case TN_MOD_FLOW:
		tn_flow_mod_to_info(LAB_DPID, mod->flow, &flow);
		return tn_ofctl_print_flow(&flow, NULL, false, 0);
	case TN_MOD_GROUP:
		tn_group_mod_to_info(arena, mod->group, &group);
		return tn_ofctl_print_group(&group, NULL);
	case TN_MOD_METER:
		return tn_ofctl_print_meter(tn_meter_mod_to_meter(arena, mod->meter));
	}
	return NULL;
}

static int compare_lines(const void *x, const void *y)
{
	return strcmp(*(char *const *)x, *(char *const *)y);
}

static char *join_lines(struct lines *lines)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (lines->n)
		qsort(lines->v, lines->n, sizeof(*lines->v), compare_lines);
	for (size_t i = 0; i < lines->n; i++) {
		if (i && strcmp(lines->v[i], lines->v[i - 1]) == 0)
			fail_msg("twice: %s", lines->v[i]);
		fprintf(f, "%s\n", lines->v[i]);
	}
	for (size_t i = 0; i < lines->n; i++)
		free(lines->v[i]);
	free(lines->v);
	fclose(f);
	return text;
}

char *lab_compiler_text(struct tn_compiler *c)
{
	struct tn_compiled compiled;
	struct lines lines = {0};
	struct tn_arena arena;

	tn_arena_init(&arena);
	tn_compiler_all(c, &compiled);
	for (size_t i = 0; i < compiled.n_ports; i++)
		add_line(&lines, port_line(&compiled.ports[i]));
	for (size_t i = 0; i < compiled.n_mods; i++)
		add_line(&lines, mod_line(&arena, &compiled.mods[i]));
	tn_arena_fini(&arena);
	return join_lines(&lines);
}

char *lab_text(struct lab_host *host)
{
	return lab_compiler_text(host->compiler);
}

static void add_flow(void *ctx, const struct tn_flow_info *flow)
{
	add_line(ctx, tn_ofctl_print_flow(flow, NULL, false, 0));
}

static void add_group(void *ctx, const struct tn_group_info *group)
{
	add_line(ctx, tn_ofctl_print_group(group, NULL));
}

static void add_meter(void *ctx, const struct tn_meter *meter, uint32_t reference_count)
{
	(void)reference_count;
	add_line(ctx, tn_ofctl_print_meter(meter));
}

char *lab_switch_text(struct lab_host *host)
{
	struct lines lines = {0};

	assert_int_equal(tn_switch_flows(host->sw, NULL, add_flow, &lines), 0);
	assert_int_equal(tn_switch_groups(host->sw, add_group, &lines), 0);
	assert_int_equal(tn_switch_meters(host->sw, add_meter, &lines), 0);
	return join_lines(&lines);
}
