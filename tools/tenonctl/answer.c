/* SPDX-License-Identifier: BSD-3-Clause */
/* What the daemon's answers have, as text. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/core/drop.h"
#include "tools/tenonctl/flow_text.h"
#include "tools/tenonctl/say.h"
#include "tools/tenonctl/share.h"

int tn_ctl_print_json(const json_t *value)
{
	if (value) {
		json_dumpf(value, stdout, JSON_INDENT(1) | JSON_ENCODE_ANY);
		putchar('\n');
	}
	return TN_CTL_OK;
}

const char *tn_ctl_text(const json_t *object, const char *key, char buf[32])
{
	const json_t *v = json_object_get(object, key);

	if (json_is_string(v))
		return json_string_value(v);
	if (json_is_boolean(v))
		return json_is_true(v) ? "yes" : "no";
	if (!json_is_integer(v))
		return "-";
	snprintf(buf, 32, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
	return buf;
}

uint64_t tn_ctl_number(const json_t *object, const char *key)
{
	const json_t *v = json_object_get(object, key);

	return json_is_string(v) ? strtoull(json_string_value(v), NULL, 0)
				 : (uint64_t)json_integer_value(v);
}

bool tn_ctl_flag(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

const char *tn_ctl_age(uint64_t seconds, char buf[32])
{
	static const struct {
		uint64_t seconds;
		const char *name;
	} units[] = {{86400, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}};
	unsigned u = 0;

	/* Two of a unit at least: 90 s, not 1 min. */
	while (u + 1 < TN_ARRAY_SIZE(units) && seconds < 2 * units[u].seconds)
		u++;
	snprintf(buf, 32, "%" PRIu64 " %s", seconds / units[u].seconds, units[u].name);
	return buf;
}

const char *tn_ctl_amount(double value, char buf[32])
{
	static const char *const units[] = {"", "k", "M", "G", "T"};
	unsigned u = 0;

	while (value >= 10000 && u + 1 < TN_ARRAY_SIZE(units)) {
		value /= 1000;
		u++;
	}
	snprintf(buf, 32, u && value < 100 ? "%.1f%s" : "%.0f%s", value, units[u]);
	return buf;
}

/* --- objects as lines ------------------------------------------------------------------------- */

/* Of an option: strings as they are, lists with commas. */
static void put_value(FILE *f, const json_t *value)
{
	const json_t *item;
	char *text;
	size_t i;

	if (json_is_string(value)) {
		fputs(json_string_value(value), f);
	} else if (json_is_array(value)) {
		json_array_foreach(value, i, item)
		{
			fputs(i ? "," : "", f);
			put_value(f, item);
		}
	} else {
		text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
		fputs(text ? text : "", f);
		free(text);
	}
}

char *tn_ctl_port_options_text(const json_t *port)
{
	json_t *options = json_object_get(port, "options"), *value;
	const char *key;
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	bool first = true;

	if (!f)
		abort();
	json_object_foreach(options, key, value)
	{
		fprintf(f, "%s%s=", first ? "" : " ", key);
		put_value(f, value);
		first = false;
	}
	fclose(f);
	return text;
}

static char *port_text(const json_t *port)
{
	char number[32], name[32], type[32], *options = tn_ctl_port_options_text(port), *text;

	text = tn_ctl_path("%s %s type=%s%s%s%s%s", tn_ctl_text(port, "number", number),
		tn_ctl_text(port, "name", name), tn_ctl_text(port, "type", type),
		*options ? " " : "", options, tn_ctl_flag(port, "isEnabled") ? "" : " down",
		json_is_false(json_object_get(port, "linkUp")) ? " no-link" : "");
	free(options);
	return text;
}

static char *table_text(const json_t *table)
{
	char id[32], name[32], max[32];

	return tn_ctl_path("%s name=%s max_entries=%s%s", tn_ctl_text(table, "tableId", id),
		tn_ctl_text(table, "name", name), tn_ctl_text(table, "maxEntries", max),
		tn_ctl_flag(table, "eviction") ? " evict" : "");
}

static bool is_of_tenants(const char *kind)
{
	static const char *const kinds[] = {"network", "subnet", "tenant-port", "router",
		"tenant-host", "qos-policy", "address-group", "quota"};

	for (size_t i = 0; i < TN_ARRAY_SIZE(kinds); i++)
		if (strcmp(kinds[i], kind) == 0)
			return true;
	return false;
}

/* What says nothing, or twice what another member says. */
static bool is_noise(const char *key, const json_t *value)
{
	static const char *const keys[] = {"id", "project_id", "revision_number", "created_at",
		"generation", "provider:network_type", "provider:segmentation_id"};

	if (json_is_null(value) || (json_is_string(value) && !*json_string_value(value)) ||
		(json_is_array(value) && !json_array_size(value)) ||
		(json_is_object(value) && !json_object_size(value)))
		return true;
	for (size_t i = 0; i < TN_ARRAY_SIZE(keys); i++)
		if (strcmp(keys[i], key) == 0)
			return true;
	return false;
}

/* "web tenant_id=red vni=1001 ..." */
static char *tenants_text(json_t *object)
{
	const char *key;
	json_t *value;
	char *text = NULL, id[32];
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		abort();
	fputs(tn_ctl_text(object, "id", id), f);
	json_object_foreach(object, key, value)
	{
		if (is_noise(key, value))
			continue;
		fprintf(f, " %s=", key);
		put_value(f, value);
	}
	fclose(f);
	return text;
}

char *tn_ctl_object_text(struct tn_ctl *ctl, const char *kind, json_t *object)
{
	char *text = NULL;

	if (strcmp(kind, "flow") == 0)
		text = tn_ctl_flow_json_text(ctl, object);
	else if (strcmp(kind, "group") == 0)
		text = tn_ctl_group_json_text(ctl, object);
	else if (strcmp(kind, "meter") == 0)
		text = tn_ctl_meter_json_text(ctl, object);
	else if (strcmp(kind, "port") == 0)
		text = port_text(object);
	else if (strcmp(kind, "table") == 0)
		text = table_text(object);
	else if (is_of_tenants(kind))
		text = tenants_text(object);
	if (!text)
		text = json_dumps(object, JSON_COMPACT);
	if (!text)
		abort();
	return text;
}

const char *tn_ctl_drop_text(const char *reason)
{
	for (unsigned d = 0; d < TN_DROP_COUNT; d++)
		if (strcmp(tn_drop_name((enum tn_drop)d), reason) == 0)
			return tn_drop_text((enum tn_drop)d);
	return "";
}

/* --- ports and tables by name ----------------------------------------------------------------- */

static bool number_of(const char *word, unsigned long max, unsigned long *v)
{
	char *end;

	if (*word < '0' || *word > '9')
		return false;
	*v = strtoul(word, &end, 10);
	return !*end && *v <= max;
}

uint32_t tn_ctl_port_number(struct tn_ctl *ctl, const char *word)
{
	uint32_t number = tn_names_port_by_name(ctl->names, word);
	const char *near;
	unsigned long v;

	if (number)
		return number;
	if (number_of(word, TN_PORT_MAX, &v) && tn_names_port_name(ctl->names, (uint32_t)v))
		return (uint32_t)v;
	if (strcasecmp(word, "LOCAL") == 0)
		return TN_PORT_LOCAL;
	near = tn_names_nearest_port(ctl->names, word);
	tn_ctl_say("there is no port %s%s%s%s", word, near ? "; did you mean \"" : "",
		near ? near : ": tenonctl port list has them", near ? "\"?" : "");
	return 0;
}

int tn_ctl_table_number(struct tn_ctl *ctl, const char *word)
{
	int table = tn_names_table_by_name(ctl->names, word);
	const char *near;
	unsigned long v;

	if (table >= 0)
		return table;
	if (number_of(word, TN_TABLE_MAX, &v))
		return (int)v;
	near = tn_names_nearest_table(ctl->names, word);
	if (near)
		tn_ctl_say("there is no table %s; did you mean \"%s\"?", word, near);
	else
		tn_ctl_say("there is no table %s: give 0 to %u, or a name that tenonctl table list "
			   "has",
			word, TN_TABLE_MAX);
	return -1;
}
