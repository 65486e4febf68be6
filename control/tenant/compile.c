/* SPDX-License-Identifier: BSD-3-Clause */
/* The compiler: units that are to be compiled, in an order that does not depend on who came when.
 */
#include "control/tenant/compile.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "control/tenant/state.h"

static void *checked(void *p)
{
	if (!p)
		abort();
	return p;
}

/* --- units ----------------------------------------------------------------------------------- */

static uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * UINT64_C(0x9fb21c651e98df25);
	return h ^ h >> 35;
}

/* The same for the same object on every host and in every run: 48 bits between mark and role. */
static uint64_t cookie_of(unsigned kind, const struct tn_thing *thing)
{
	uint64_t h = mix(kind, 0x7465);

	for (const char *p = thing ? thing->named.name : ""; *p; p++)
		h = mix(h, (uint8_t)*p);
	h = mix(h, h >> 32);
	return TN_TENANT_COOKIE | (h >> 16) << 8;
}

static int compare_cookies(const void *x, const void *y)
{
	const struct tn_unit *a = x, *b = y;

	if (a->cookie != b->cookie)
		return a->cookie < b->cookie ? -1 : 1;
	return 0;
}

struct tn_unit *tn_unit_find(const struct tn_compiler *c, uint64_t cookie)
{
	const struct tn_unit key = {.cookie = cookie};
	struct tn_unit **at = tfind(&key, &c->cookies, compare_cookies);

	return at ? *at : NULL;
}

void tn_unit_mark(struct tn_compiler *c, enum tn_unit_kind kind, struct tn_thing *thing,
	struct tn_unit **slot)
{
	struct tn_unit *unit = *slot;

	if (!unit) {
		unit = *slot = checked(calloc(1, sizeof(*unit)));
		unit->kind = (uint8_t)kind;
		unit->thing = thing;
		unit->slot = slot;
		unit->cookie = cookie_of(kind, thing);
		if (thing)
			thing->refs++;
		/* Taken: once in 2^48. */
		while (tn_unit_find(c, unit->cookie))
			unit->cookie ^= UINT64_C(0x10100) << (c->n_units & 31);
		if (!tsearch(unit, &c->cookies, compare_cookies))
			abort();
		c->n_units++;
	}
	if (unit->dirty)
		return;
	unit->dirty = true;
	unit->next = c->dirty;
	c->dirty = unit;
	c->n_dirty++;
}

void tn_unit_free(struct tn_compiler *c, struct tn_unit *unit)
{
	tdelete(unit, &c->cookies, compare_cookies);
	if (unit->thing)
		tn_state_release(c, unit->thing);
	*unit->slot = NULL;
	free(unit->records.data);
	free(unit);
	c->n_units--;
}

static int compare_units(const void *x, const void *y)
{
	const struct tn_unit *const *a = x, *const *b = y;

	if ((*a)->kind != (*b)->kind)
		return (*a)->kind < (*b)->kind ? -1 : 1;
	return (*a)->thing ? strcmp((*a)->thing->named.name, (*b)->thing->named.name) : 0;
}

static void compile_unit(struct tn_emit *e)
{
	void *thing = e->unit->thing;

	switch ((enum tn_unit_kind)e->unit->kind) {
	case TN_UNIT_GLOBAL:
		tn_unit_global(e);
		break;
	case TN_UNIT_NETWORK:
		tn_unit_network(e, thing);
		break;
	case TN_UNIT_PORT:
		tn_unit_port(e, thing);
		break;
	case TN_UNIT_PLACE:
		tn_unit_place(e, thing);
		break;
	case TN_UNIT_BRIDGE:
		tn_unit_bridge(e, thing);
		break;
	case TN_UNIT_ROUTER:
		tn_unit_router(e, thing);
		break;
	case TN_N_UNITS:
		break;
	}
}

static void compile_units(struct tn_compiler *c, struct tn_unit **units, size_t n)
{
	struct tn_emit *e = checked(calloc(1, sizeof(*e)));

	e->c = c;
	qsort(units, n, sizeof(struct tn_unit *), compare_units);
	for (size_t i = 0; i < n; i++) {
		e->unit = units[i];
		tn_emit_begin_unit(e);
		compile_unit(e);
		tn_emit_end_unit(e);
	}
	free(e->buckets);
	free(e);
}

static void compile_dirty(struct tn_compiler *c)
{
	struct tn_unit **units = checked(malloc((c->n_dirty + 1) * sizeof(struct tn_unit *)));
	size_t n = 0;

	for (struct tn_unit *unit = c->dirty; unit; unit = unit->next) {
		unit->dirty = false;
		units[n++] = unit;
	}
	c->dirty = NULL;
	c->n_compiled = c->n_dirty;
	c->n_dirty = 0;
	compile_units(c, units, n);
	for (size_t i = 0; i < n; i++) {
		if (!units[i]->records.n)
			tn_unit_free(c, units[i]);
	}
	free(units);
}

/* --- the compiler ---------------------------------------------------------------------------- */

struct tn_compiler *tn_compiler_new(const char *host, uint32_t owner, struct tn_numbers *numbers)
{
	struct tn_compiler *c = checked(calloc(1, sizeof(*c)));

	c->host = checked(strdup(host));
	c->owner = owner;
	c->numbers = numbers;
	tn_output_init(&c->out);
	tn_compiler_state_init(c);
	return c;
}

static void free_unit(void *unit)
{
	free(((struct tn_unit *)unit)->records.data);
	free(unit);
}

void tn_compiler_free(struct tn_compiler *c)
{
	if (!c)
		return;
	tdestroy(c->cookies, free_unit);
	tn_compiler_state_fini(c);
	tn_output_fini(&c->out);
	tn_scratch_fini(&c->scratch);
	for (size_t i = 0; i < c->n_set_devices; i++)
		free(c->set_devices[i].name);
	free(c->set_devices);
	free(c->host);
	free(c);
}

void tn_compiler_set_device(struct tn_compiler *c, const char *name, uint32_t number)
{
	struct tn_set_device *d;

	c->set_devices =
		checked(realloc(c->set_devices, (c->n_set_devices + 1) * sizeof(*c->set_devices)));
	d = &c->set_devices[c->n_set_devices++];
	d->name = checked(strdup(name));
	d->number = number;
}

static void take_devices(struct tn_compiler *c)
{
	for (size_t i = 0; i < c->n_set_devices; i++)
		tn_state_set_device(c, c->set_devices[i].name, c->set_devices[i].number);
	c->n_taken_devices = c->n_set_devices;
}

/* Those that were taken need not be taken again. */
static void forget_devices(struct tn_compiler *c)
{
	size_t left = c->n_set_devices - c->n_taken_devices;

	for (size_t i = 0; i < c->n_taken_devices; i++)
		free(c->set_devices[i].name);
	if (left)
		memmove(c->set_devices, c->set_devices + c->n_taken_devices,
			left * sizeof(*c->set_devices));
	c->n_set_devices = left;
	c->n_taken_devices = 0;
}

void tn_compiler_change(struct tn_compiler *c, const struct tn_tenant_change *changes, size_t n,
	struct tn_compiled *compiled)
{
	tn_output_clear(&c->out);
	c->out.everything = false;
	take_devices(c);
	for (size_t i = 0; i < n; i++)
		tn_state_put(c, changes[i].kind, changes[i].id, changes[i].object);
	tn_state_recheck(c);
	compile_dirty(c);
	tn_output_get(&c->out, compiled);
}

void tn_compiler_accept(struct tn_compiler *c)
{
	c->n_undo = 0;
	forget_devices(c);
	tn_numbers_settle(c->numbers);
	tn_output_clear(&c->out);
	tn_state_sweep(c);
}

void tn_compiler_undo(struct tn_compiler *c)
{
	tn_output_clear(&c->out);
	tn_state_undo(c);
	tn_state_recheck(c);
	compile_dirty(c);
	tn_output_clear(&c->out);
	tn_numbers_revert(c->numbers);
	tn_state_sweep(c);
}

struct collect {
	struct tn_unit **units;
	size_t n;
};

static void collect_unit(const void *node, VISIT which, void *closure)
{
	struct tn_unit *const *at = node;
	struct collect *collect = closure;

	if (which == postorder || which == leaf)
		collect->units[collect->n++] = *at;
}

void tn_compiler_all(struct tn_compiler *c, struct tn_compiled *compiled)
{
	struct collect collect = {
		.units = checked(malloc((c->n_units + 1) * sizeof(struct tn_unit *)))};

	tn_output_clear(&c->out);
	c->out.everything = true;
	twalk_r(c->cookies, collect_unit, &collect);
	compile_units(c, collect.units, collect.n);
	free(collect.units);
	tn_output_get(&c->out, compiled);
}

void tn_compiler_stats(const struct tn_compiler *c, struct tn_compiler_stats *stats)
{
	*stats = (struct tn_compiler_stats){
		.objects = c->n_objects,
		.units = c->n_units,
		.rules = c->n_emitted[0],
		.groups = c->n_emitted[1],
		.meters = c->n_emitted[2],
		.ports = c->n_emitted[3],
		.compiled_units = c->n_compiled,
		/* Nodes of the trees are three pointers each. */
		.memory_bytes = sizeof(*c) + c->record_bytes + c->thing_bytes +
			c->n_units * (sizeof(struct tn_unit) + 3 * sizeof(void *)) +
			c->n_objects * 3 * sizeof(void *),
	};
}
