/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ports and settings of tables.
 */
#include "control/engine/plan.h"

#include <errno.h>
#include <string.h>

#include "control/engine/engine_private.h"

/* Another object of the kind with this name, as the plan leaves it so far. */
static const struct tn_wanted *named(
	const struct tn_plan *p, enum tn_kind kind, const char *name, uint64_t id)
{
	struct tn_wanted *w;
	uint64_t key = 0;

	for (size_t i = 0; i < p->edits.n; i++) {
		w = p->edits.v[i].after;
		if (p->edits.v[i].kind != kind || !w || w->id == id)
			continue;
		if (strcmp(tn_wanted_name(w), name) == 0)
			return w;
	}
	while ((w = tn_index_from(&p->e->objects[kind], &key))) {
		if (w->id != id && tn_plan_current(p, kind, w->id) == w &&
			strcmp(tn_wanted_name(w), name) == 0)
			return w;
		if (!tn_index_step(&key))
			break;
	}
	return NULL;
}

static int put_port(struct tn_plan *p, struct tn_edit *edit, const struct tn_api_port *port)
{
	struct tn_api_port_info info = {.port = *port, .state = TN_PORT_STATE_LINK_DOWN};
	struct tn_wanted *w;

	if (edit->before) {
		info.state = tn_wanted_as_port(edit->before)->state;
		info.rx = tn_wanted_as_port(edit->before)->rx;
		info.tx = tn_wanted_as_port(edit->before)->tx;
	}
	w = tn_wanted_port(&info);
	if (edit->after && tn_wanted_same(edit->after, w) && edit->after->state != TN_STATE_FAILED)
		tn_wanted_put(w);
	else
		tn_plan_put(p, edit, w, edit->after ? edit->after->owner : p->r->owner);
	tn_plan_tell(p, edit);
	return 0;
}

int tn_plan_port_add(struct tn_plan *p, const struct tn_api_port *port)
{
	const char *name = port->name ? port->name : "";
	const struct tn_wanted *other;
	struct tn_edit *edit;
	int rc = tn_plan_look_at_all(p); /* names */

	if (!rc)
		rc = tn_plan_edit(p, TN_KIND_PORT, port->number, &edit);
	if (!rc)
		rc = tn_plan_check_condition(p, edit->after);
	if (rc)
		return rc;
	if ((port->number < 1 || port->number > TN_PORT_MAX) && port->number != TN_PORT_LOCAL)
		return tn_plan_refuse(p, TN_REFUSED, TN_OFPPMFC_BAD_PORT,
			"port number 0x%x is reserved: numbers are 1 to 0x%x", port->number,
			TN_PORT_MAX);
	if (!*name)
		return tn_plan_refuse(p, TN_REFUSED, TN_OFPPMFC_BAD_CONFIG,
			"port %u has no name; give it one", port->number);
	other = named(p, TN_KIND_PORT, name, port->number);
	if (other)
		return tn_plan_refuse(p, TN_REFUSED, TN_OFPPMFC_BAD_CONFIG,
			"port %llu has the name \"%s\" already; give this one another",
			(unsigned long long)other->id, name);
	return put_port(p, edit, port);
}

int tn_plan_port_remove(struct tn_plan *p, uint32_t number)
{
	struct tn_edit *edit;
	int rc = tn_plan_edit(p, TN_KIND_PORT, number, &edit);
	bool seen;

	if (rc)
		return rc;
	seen = tn_plan_sees(p, edit->after);
	rc = tn_plan_check_condition(
		p, seen || (edit->after && edit->after->derived) ? edit->after : NULL);
	if (rc || !seen)
		return rc;
	tn_edit_set(edit, NULL, p->at);
	tn_plan_tell(p, edit);
	return 0;
}

int tn_plan_port_configure(struct tn_plan *p, const struct tn_api_port_configure *config)
{
	struct tn_api_port port;
	struct tn_edit *edit;
	int rc = tn_plan_edit(p, TN_KIND_PORT, config->number, &edit);

	if (rc)
		return rc;
	if (edit->after && edit->after->derived)
		return tn_plan_check_condition(p, edit->after);
	if (!tn_plan_sees(p, edit->after))
		return tn_plan_refuse(p, TN_NOT_FOUND, TN_OFPPMFC_BAD_PORT,
			"port %u does not exist: add it", config->number);
	rc = tn_plan_check_condition(p, edit->after);
	if (rc)
		return rc;
	port = tn_wanted_as_port(edit->after)->port;
	port.enabled = config->enabled;
	port.config = config->config;
	return put_port(p, edit, &port);
}

/* A table that is as all tables are has no setting. */
static struct tn_wanted *setting_of(const struct tn_table_setting *table)
{
	static const struct tn_table_config none;

	if ((!table->name || !*table->name) && tn_table_same_config(&table->config, &none))
		return NULL;
	return tn_wanted_table(table);
}

static void put_table(struct tn_plan *p, struct tn_edit *edit, struct tn_wanted *w)
{
	if (!w) {
		if (edit->after)
			tn_edit_set(edit, NULL, p->at);
	} else if (edit->after && tn_wanted_same(edit->after, w) &&
		edit->after->state != TN_STATE_FAILED) {
		tn_wanted_put(w);
	} else {
		tn_plan_put(p, edit, w, p->r->owner);
	}
	tn_plan_tell(p, edit);
}

int tn_plan_table(struct tn_plan *p, const struct tn_table_setting *table)
{
	const struct tn_table_config *config = &table->config;
	const struct tn_wanted *other;
	struct tn_edit *edit;
	int rc = tn_plan_look_at_all(p); /* names */

	if (table->table_id > TN_TABLE_MAX)
		return tn_plan_refuse(p, TN_REFUSED, TN_OFPTMFC_BAD_TABLE,
			"table %u cannot be configured: tables are 0 to %u", table->table_id,
			TN_TABLE_MAX);
	if (config->vacancy_up > 100 ||
		(config->vacancy_up ? config->vacancy_down >= config->vacancy_up
				    : config->vacancy_down))
		return tn_plan_refuse(p, TN_REFUSED, TN_OFPTMFC_BAD_CONFIG,
			"table %u: vacancy down %u and up %u must be percentages, down less than "
			"up, or both 0 for no vacancy events",
			table->table_id, config->vacancy_down, config->vacancy_up);
	if (!rc)
		rc = tn_plan_edit(p, TN_KIND_TABLE, table->table_id, &edit);
	if (!rc)
		rc = tn_plan_check_condition(p, edit->after);
	if (rc)
		return rc;
	other = table->name ? named(p, TN_KIND_TABLE, table->name, table->table_id) : NULL;
	if (other)
		return tn_plan_refuse(p, TN_REFUSED, TN_OFPTMFC_BAD_CONFIG,
			"table %llu has the name \"%s\" already; give this one another",
			(unsigned long long)other->id, table->name);
	put_table(p, edit, setting_of(table));
	return 0;
}
