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

static int parse(const char *path, const char *host, struct tn_document *doc,
	struct tn_tenant_document **tenants, const char *text, size_t len)
{
	struct tn_diagnostics diag;
	int rc;

	tn_diagnostics_init(&diag);
	rc = tn_document_parse(doc, text, len, &diag);
	if (!rc)
		rc = tn_tenant_document_compile(doc, host, tenants, &diag);
	for (size_t i = 0; i < diag.n; i++) {
		const struct tn_diagnostic *d = &diag.list[i];

		say(path, d->line, d->column, d->pointer, d->of, d->detail);
	}
	if (diag.dropped)
		fprintf(stderr, "%s: and %zu more errors\n", path, diag.dropped);
	tn_diagnostics_fini(&diag);
	return rc ? -1 : 0;
}

int tn_load_read(const char *path, const char *host, struct tn_document *doc,
	struct tn_tenant_document **tenants)
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
			rc = parse(path, host, doc, tenants, text, (size_t)st.st_size);
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

/* --- a document as changes -------------------------------------------------------------------- */

struct loading {
	struct tn_agent *agent;
	struct tn_changes *changes;
	const char *path;
	struct tn_document *doc;
	/* of the change that is submitted */
	bool refused;
	struct tn_api_receipt receipt;
};

/* Within the call that submits it is a refusal; later it says that all is kept. */
static void on_receipt(void *ctx, uint64_t request_id, const struct tn_api_receipt *receipt)
{
	struct loading *l = ctx;

	(void)request_id;
	l->refused = true;
	l->receipt = *receipt;
}

static int submit(struct loading *l, const struct tn_api_message *m)
{
	l->refused = false;
	tn_changes_submit(l->changes, m, on_receipt, l);
	return l->refused ? -1 : 0;
}

static void say_at(const struct loading *l, const char *pointer)
{
	say(l->path, 0, 0, pointer, l->receipt.error.of, l->receipt.error.detail);
}

/* One JSON option into a flat one; false: neither string, integer nor boolean. */
static bool flatten(const char *key, const json_t *value, struct tn_api_option *o)
{
	*o = (struct tn_api_option){.key = key};
	if (json_is_string(value)) {
		o->type = TN_API_STRING;
		o->string = json_string_value(value);
	} else if (json_is_integer(value)) {
		o->type = TN_API_INTEGER;
		o->integer = json_integer_value(value);
	} else if (json_is_boolean(value)) {
		o->type = TN_API_BOOL;
		o->integer = json_is_true(value);
	} else {
		return false;
	}
	return true;
}

static int add_port(struct loading *l, const struct tn_model_port *p)
{
	struct tn_api_option options[PORT_OPTIONS_MAX];
	struct tn_api_message m = {
		.type = TN_API_PORT_ADD,
		.port_add = {.number = p->number,
			.name = p->name,
			.type = p->type,
			.enabled = p->enabled,
			.config = p->config,
			.mtu = p->mtu,
			.options = options,
			.has_vxlan = !strcmp(p->type, "vxlan"),
			.vxlan = p->vxlan},
	};
	const char *key;
	json_t *value;

	json_object_foreach(p->options, key, value)
	{
		if (m.port_add.n_options == PORT_OPTIONS_MAX ||
			!flatten(key, value, &options[m.port_add.n_options++]))
			return tn_error_set(&l->receipt.error, TN_OFPBRC_BAD_PORT, -1,
				"port %s: option \"%.32s\" must be a string, an integer, true or "
				"false",
				p->name, key);
	}
	return submit(l, &m);
}

static int add_ports(struct loading *l)
{
	char pointer[32];
	int rc = 0;

	for (size_t i = 0; i < l->doc->n_ports; i++) {
		if (!add_port(l, &l->doc->ports[i]))
			continue;
		snprintf(pointer, sizeof(pointer), "/ports/%zu", i);
		say_at(l, pointer);
		rc = -1;
	}
	return rc;
}

static int configure_tables(struct loading *l)
{
	char pointer[32];
	int rc = 0;

	for (size_t i = 0; i < l->doc->n_tables; i++) {
		const struct tn_table_setting *t = &l->doc->tables[i];
		const struct tn_api_message m = {.type = TN_API_TABLE_CONFIGURE,
			.table_configure = {.table_id = t->table_id, .config = t->config}};

		if (!submit(l, &m))
			continue;
		snprintf(pointer, sizeof(pointer), "/tables/%zu", i);
		say_at(l, pointer);
		rc = -1;
	}
	return rc;
}

static void say_refused(void *ctx, size_t position, const struct tn_error *err)
{
	const struct loading *l = ctx;

	say(l->path, l->doc->mod_lines[position], l->doc->mod_columns[position],
		l->doc->mod_pointers[position], err->of, err->detail);
}

static int commit(struct loading *l)
{
	const struct tn_document *doc = l->doc;
	const struct tn_api_message m = {.type = TN_API_BUNDLE,
		.bundle = {.mods = doc->mods, .n_mods = (uint32_t)doc->n_mods}};

	if (!submit(l, &m)) {
		tn_document_forget_mods(l->doc);
		return 0;
	}
	/* All of them, not only the first. */
	if (!tn_switch_check_all(
		    l->agent->sw, doc->mods, doc->n_mods, tn_agent_now(l->agent), say_refused, l)) {
		if (l->receipt.position < doc->n_mods)
			say_refused(l, l->receipt.position, &l->receipt.error);
		else
			say_at(l, "");
	}
	return -1;
}

static int set_underlay(struct loading *l)
{
	const struct tn_document *doc = l->doc;
	const struct tn_api_message m = {
		.type = TN_API_UNDERLAY,
		.underlay = {.addresses = doc->addresses,
			.n_addresses = doc->n_addresses,
			.routes = doc->routes,
			.n_routes = doc->n_routes,
			.neighbours = doc->neighbours,
			.n_neighbours = doc->n_neighbours},
	};

	if (!submit(l, &m))
		return 0;
	say_at(l, "/underlay");
	return -1;
}

int tn_load_apply(struct tn_agent *agent, struct tn_changes *changes, const char *path,
	struct tn_document *doc)
{
	struct loading l = {.agent = agent, .changes = changes, .path = path, .doc = doc};
	int rc;

	tn_changes_hold(changes);
	rc = set_underlay(&l);
	rc |= add_ports(&l);
	rc |= configure_tables(&l);
	rc |= commit(&l);
	tn_changes_forget(changes, &l);
	if (rc)
		return -1;
	tn_changes_release(changes);
	tn_changes_flush(changes);
	return 0;
}
