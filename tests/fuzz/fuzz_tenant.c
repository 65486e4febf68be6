/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lines -> tenant objects. A line is a letter for the kind and the object's JSON; "-" and a line
 * of which the id counts removes, an empty line ends a change. What is refused says where and why,
 * what is accepted is printed and read as the same, and all that was ever accepted is accepted once
 * more when it is told anew.
 */
#include "control/model/tenants.h"

#include "control/model/tenant_json.h"
#include "tests/fuzz/fuzz.h"

static const char letters[] = "nsprhqgu"; /* in the order of the kinds */

struct world {
	struct tn_tenants *t;
	struct tn_arena arena;
	struct tn_diagnostics diag;
};

static void require_reasons(const struct tn_diagnostics *diag)
{
	fuzz_require(diag->n > 0);
	for (size_t i = 0; i < diag->n; i++) {
		const struct tn_diagnostic *d = &diag->list[i];

		fuzz_require(d->pointer && (d->pointer[0] == '/' || d->pointer[0] == '\0'));
		fuzz_require(d->detail && d->detail[0]);
	}
}

/* Printed, read and printed again it is the same. */
static void require_fixed_point(struct world *w, const struct tn_tenant_object *o)
{
	struct tn_tenant_object *again;
	struct tn_tenant_value value;

	fuzz_require(
		!tn_tenant_parse(o->value.kind, o->text, o->text_len, &w->arena, &w->diag, &value));
	again = tn_tenant_object_new(&value);
	fuzz_require(tn_tenant_object_same(o, again));
	tn_tenant_object_put(again);
}

static void put_again(void *ctx, const struct tn_tenant_object *o)
{
	tn_tenants_put(ctx, &o->value, &(struct tn_tenants_origin){0});
}

/* But for quotas: one may be set below what its tenant has already, and counts for what is new. */
static void require_whole(struct world *w)
{
	struct tn_tenants *fresh = tn_tenants_new();

	for (unsigned kind = 0; kind < TN_TENANT_N_KINDS; kind++)
		if (kind != TN_TENANT_QUOTA)
			tn_tenants_each(w->t, (enum tn_tenant_kind)kind, put_again, fresh);
	fuzz_require(!tn_tenants_complete(fresh, &w->diag));
	tn_tenants_free(fresh);
}

static void end_change(struct world *w)
{
	size_t n;

	if (tn_tenants_complete(w->t, &w->diag)) {
		require_reasons(&w->diag);
		tn_tenants_undo(w->t);
	} else {
		const struct tn_tenants_change *changes = tn_tenants_changes(w->t, &n);

		fuzz_require(!w->diag.n);
		for (size_t i = 0; i < n; i++)
			if (changes[i].after)
				require_fixed_point(w, changes[i].after);
		tn_tenants_keep(w->t);
	}
	tn_diagnostics_fini(&w->diag);
}

static void take_line(struct world *w, const char *line, size_t len)
{
	const char *letter, *scope = NULL;
	struct tn_tenants_origin origin = {.pointer = "/x"};
	struct tn_tenant_value value;
	bool removes;

	if (!len) {
		end_change(w);
		return;
	}
	removes = line[0] == '-';
	if (line[0] == '!')
		scope = "red";
	if (removes || scope) {
		line++;
		len--;
	}
	letter = len && line[0] ? strchr(letters, line[0]) : NULL;
	if (!letter)
		return;
	if (tn_tenant_parse((enum tn_tenant_kind)(letter - letters), line + 1, len - 1, &w->arena,
		    &w->diag, &value)) {
		require_reasons(&w->diag);
		tn_diagnostics_fini(&w->diag);
		return;
	}
	fuzz_require(!w->diag.n);
	if (!value.c.id[0])
		return;
	origin.scope = scope;
	if (removes)
		tn_tenants_remove(w->t, value.kind, value.c.id, &origin);
	else
		tn_tenants_put(w->t, &value, &origin);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world w = {.t = tn_tenants_new()};
	const char *line = (const char *)data, *end = line + size, *stop;

	tn_arena_init(&w.arena);
	tn_diagnostics_init(&w.diag);
	for (; line < end; line = stop + 1) {
		stop = memchr(line, '\n', (size_t)(end - line));
		if (!stop)
			stop = end;
		take_line(&w, line, (size_t)(stop - line));
	}
	end_change(&w);
	require_whole(&w);
	tn_tenants_free(w.t);
	tn_diagnostics_fini(&w.diag);
	tn_arena_fini(&w.arena);
	return 0;
}
