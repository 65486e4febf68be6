/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/agent/load.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dataplane/port/dpdk_ethdev.h"

#define PORT_OPTIONS_MAX 32u

static void say(const char *path, uint32_t line, uint32_t column, const char *pointer,
	enum tn_of_error of, const char *detail)
{
	fprintf(stderr, "%s:", path);
	if (line)
		fprintf(stderr, "%u:%u:", line, column);
	if (pointer && *pointer)
		fprintf(stderr, " %s:", pointer);
	if (of)
		fprintf(stderr, " %s:", tn_of_error_name(of));
	fprintf(stderr, " %s\n", detail);
}

static int parse(const char *path, struct tn_document *doc, const char *text, size_t len)
{
	struct tn_diagnostics diag;
	int rc;

	tn_diagnostics_init(&diag);
	rc = tn_document_parse(doc, text, len, &diag);
	for (size_t i = 0; i < diag.n; i++) {
		const struct tn_diagnostic *d = &diag.list[i];

		say(path, d->line, d->column, d->pointer, d->of, d->detail);
	}
	if (diag.dropped)
		fprintf(stderr, "%s: and %zu more errors\n", path, diag.dropped);
	tn_diagnostics_fini(&diag);
	return rc ? -1 : 0;
}

int tn_load_read(const char *path, struct tn_document *doc)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc = -1;
	struct stat st;
	void *text;

	memset(doc, 0, sizeof(*doc));
	if (fd < 0 || fstat(fd, &st)) {
		tn_agent_say("%s: cannot open: %s", path, strerror(errno));
	} else if (!S_ISREG(st.st_mode) || !st.st_size || st.st_size > TN_DOCUMENT_BYTES_MAX) {
		tn_agent_say(
			"%s: not a file of 1 byte to %u MB", path, TN_DOCUMENT_BYTES_MAX >> 20);
	} else {
		text = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (text == MAP_FAILED) {
			tn_agent_say("%s: cannot read: %s", path, strerror(errno));
		} else {
			rc = parse(path, doc, text, (size_t)st.st_size);
			munmap(text, (size_t)st.st_size);
		}
	}
	if (fd >= 0)
		close(fd);
	return rc;
}

bool tn_load_wants_pci(const struct tn_document *doc)
{
	for (size_t i = 0; i < doc->n_ports; i++) {
		const char *devargs =
			json_string_value(json_object_get(doc->ports[i].options, "devargs"));

		if (devargs && tn_dpdk_is_pci(devargs))
			return true;
	}
	return false;
}

bool tn_load_wants_namespaces(const struct tn_document *doc)
{
	for (size_t i = 0; i < doc->n_ports; i++) {
		if (json_object_get(doc->ports[i].options, "netns") ||
			json_object_get(doc->ports[i].options, "shadowNetns"))
			return true;
	}
	return false;
}

/* One JSON option into a flat one; false: neither string, integer nor boolean. */
static bool flatten(const char *key, const json_t *value, struct tn_port_option *o)
{
	*o = (struct tn_port_option){.key = key};
	if (json_is_string(value)) {
		o->type = TN_OPTION_STRING;
		o->string = json_string_value(value);
	} else if (json_is_integer(value)) {
		o->type = TN_OPTION_INTEGER;
		o->integer = json_integer_value(value);
	} else if (json_is_boolean(value)) {
		o->type = TN_OPTION_BOOL;
		o->integer = json_is_true(value);
	} else {
		return false;
	}
	return true;
}

static int add_port(struct tn_agent *agent, const struct tn_model_port *p, struct tn_error *err)
{
	struct tn_port_option options[PORT_OPTIONS_MAX];
	struct tn_port_request request = {
		.number = p->number,
		.name = p->name,
		.type = p->type,
		.enabled = p->enabled,
		.config = p->config,
		.mtu = p->mtu,
		.options = options,
		.vxlan = p->vxlan,
	};
	const char *key;
	json_t *value;

	json_object_foreach(p->options, key, value)
	{
		if (request.n_options == PORT_OPTIONS_MAX ||
			!flatten(key, value, &options[request.n_options++]))
			return tn_error_set(err, TN_OFPBRC_BAD_PORT, -1,
				"port %s: option \"%.32s\" must be a string, an integer, true or "
				"false",
				p->name, key);
	}
	return tn_agent_port_add(agent, &request, err);
}

static int add_ports(struct tn_agent *agent, const char *path, const struct tn_document *doc)
{
	struct tn_error err;
	char pointer[32];
	int rc = 0;

	for (size_t i = 0; i < doc->n_ports; i++) {
		if (!add_port(agent, &doc->ports[i], &err))
			continue;
		snprintf(pointer, sizeof(pointer), "/ports/%zu", i);
		say(path, 0, 0, pointer, err.of, err.detail);
		rc = -1;
	}
	return rc;
}

static int configure_tables(struct tn_agent *agent, const char *path, const struct tn_document *doc)
{
	struct tn_error err;
	char pointer[32];
	int rc = 0;

	for (size_t i = 0; i < doc->n_tables; i++) {
		const struct tn_table_setting *t = &doc->tables[i];

		if (!tn_switch_table_configure(agent->sw, t->table_id, &t->config, &err))
			continue;
		snprintf(pointer, sizeof(pointer), "/tables/%zu", i);
		say(path, 0, 0, pointer, err.of, err.detail);
		rc = -1;
	}
	return rc;
}

struct refusal {
	const char *path;
	const struct tn_document *doc;
};

static void say_refused(void *ctx, size_t position, const struct tn_error *err)
{
	const struct refusal *r = ctx;

	say(r->path, r->doc->mod_lines[position], r->doc->mod_columns[position],
		r->doc->mod_pointers[position], err->of, err->detail);
}

static int commit(struct tn_agent *agent, const char *path, struct tn_document *doc)
{
	struct refusal refusal = {.path = path, .doc = doc};
	uint64_t now = tn_agent_now(agent);
	struct tn_error err;
	size_t failed;

	if (!tn_agent_commit(agent, doc->mods, doc->n_mods, &failed, &err)) {
		tn_document_forget_mods(doc);
		return 0;
	}
	/* All of them, not only the first. */
	if (!tn_switch_check_all(agent->sw, doc->mods, doc->n_mods, now, say_refused, &refusal))
		say_refused(&refusal, failed, &err);
	return -1;
}

static int set_underlay(struct tn_agent *agent, const char *path, const struct tn_document *doc)
{
	const struct tn_underlay_config config = {
		.addresses = doc->addresses,
		.n_addresses = doc->n_addresses,
		.routes = doc->routes,
		.n_routes = doc->n_routes,
		.neighbours = doc->neighbours,
		.n_neighbours = doc->n_neighbours,
	};
	struct tn_error err;

	if (!tn_agent_set_underlay(agent, &config, &err))
		return 0;
	say(path, 0, 0, "/underlay", err.of, err.detail);
	return -1;
}

int tn_load_apply(struct tn_agent *agent, const char *path, struct tn_document *doc)
{
	int rc = set_underlay(agent, path, doc);

	rc |= add_ports(agent, path, doc);
	rc |= configure_tables(agent, path, doc);
	rc |= commit(agent, path, doc);
	return rc;
}
