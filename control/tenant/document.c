/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/tenant/document.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/model/tenants.h"
#include "control/tenant/compile.h"
#include "control/tenant/pattern.h"

struct tn_tenant_document {
	struct tn_tenants *tenants;
	struct tn_numbers *numbers;
	struct tn_compiler *compiler;
};

/* --- objects ---------------------------------------------------------------------------------- */

/* Errors know the pointer; the text's line and column are those of the object that it is in. */
static void add_places(const struct tn_document *doc, struct tn_diagnostics *diag, size_t from)
{
	for (size_t i = from; i < diag->n; i++) {
		struct tn_diagnostic *d = &diag->list[i];

		for (size_t j = 0; j < doc->n_tenants && !d->line; j++) {
			const struct tn_document_tenant *t = &doc->tenants[j];
			size_t len = strlen(t->pointer);

			if (strncmp(d->pointer, t->pointer, len) != 0 ||
				(d->pointer[len] && d->pointer[len] != '/'))
				continue;
			d->line = t->line;
			d->column = t->column;
		}
	}
}

static int declare(
	struct tn_tenant_document *made, const struct tn_document *doc, struct tn_diagnostics *diag)
{
	size_t before = diag->n;
	int rc;

	for (size_t i = 0; i < doc->n_tenants; i++) {
		const struct tn_tenants_origin origin = {.pointer = doc->tenants[i].pointer};

		tn_tenants_put(made->tenants, &doc->tenants[i].value, &origin);
	}
	rc = tn_tenants_complete(made->tenants, diag);
	if (rc) {
		add_places(doc, diag, before);
		tn_diagnostics_sort(diag, before);
	}
	return rc;
}

static void compile(struct tn_tenant_document *made, const struct tn_document *doc,
	struct tn_compiled *compiled)
{
	size_t n;
	const struct tn_tenants_change *from = tn_tenants_changes(made->tenants, &n);
	struct tn_tenant_change *changes = calloc(n + 1, sizeof(*changes));

	if (!changes)
		abort();
	for (size_t i = 0; i < n; i++)
		changes[i] = (struct tn_tenant_change){
			.kind = from[i].kind,
			.id = from[i].after->value.c.id,
			.object = &from[i].after->value.c,
		};
	for (size_t i = 0; i < doc->n_ports; i++)
		tn_compiler_set_device(made->compiler, doc->ports[i].name, doc->ports[i].number);
	tn_compiler_change(made->compiler, changes, n, compiled);
	tn_tenants_keep(made->tenants);
	free(changes);
}

/* --- into the document ------------------------------------------------------------------------ */

static json_t *options_of(const struct tn_api_port *port)
{
	json_t *o = json_object();

	for (uint32_t i = 0; i < port->n_options; i++) {
		const struct tn_api_option *option = &port->options[i];

		json_object_set_new(o, option->key,
			option->type == TN_API_STRING		 ? json_string(option->string)
				: option->type == TN_API_INTEGER ? json_integer(option->integer)
								 : json_boolean(option->integer));
	}
	return o;
}

static int add_port(
	struct tn_document *doc, const struct tn_api_port *port, struct tn_diagnostics *diag)
{
	struct tn_model_port *p = &doc->ports[doc->n_ports];

	if (tn_names_add_port(doc->names, port->name, port->number)) {
		tn_diagnostics_add(diag, "/ports", 0, 0, TN_OFPBRC_BAD_PORT,
			"a port has the number %u or the name \"%s\", which one of a tenant's "
			"networks gets; give that port others",
			port->number, port->name);
		return -EINVAL;
	}
	*p = (struct tn_model_port){
		.number = port->number,
		.name = tn_names_port_name(doc->names, port->number),
		.type = tn_arena_strdup(&doc->arena, port->type),
		.enabled = port->enabled,
		.config = port->config,
		.mtu = port->mtu,
		.vxlan = port->vxlan,
		.options = port->has_vxlan ? NULL : options_of(port),
		.position = (uint32_t)doc->n_ports,
	};
	doc->n_ports++;
	return 0;
}

static int add_ports(
	struct tn_document *doc, const struct tn_compiled *compiled, struct tn_diagnostics *diag)
{
	struct tn_model_port *ports = tn_arena_alloc(
		&doc->arena, (doc->n_ports + compiled->n_ports + 1) * sizeof(*ports));
	int rc = 0;

	if (doc->n_ports)
		memcpy(ports, doc->ports, doc->n_ports * sizeof(*ports));
	doc->ports = ports;
	for (size_t i = 0; i < compiled->n_ports; i++)
		rc |= add_port(doc, &compiled->ports[i], diag);
	return rc;
}

/* What was there, and room for more behind it. */
static void *more(struct tn_document *doc, const void *old, size_t n, size_t size, size_t extra)
{
	void *v = tn_arena_alloc(&doc->mod_arena, (n + extra + 1) * size);

	if (n)
		memcpy(v, old, n * size);
	return v;
}

static char *pointer_of(
	struct tn_document *doc, const struct tn_tenant_document *made, const struct tn_mod *mod)
{
	struct tn_explanation why;
	char s[160] = "tenants' networks";

	if (mod->kind == TN_MOD_FLOW &&
		tn_compiler_explain(made->compiler, mod->flow->cookie, NULL, &why) && why.n_objects)
		snprintf(s, sizeof(s), "%s %s (%s)", tn_tenant_kind_name(why.objects[0].kind),
			why.objects[0].id, why.what);
	return tn_arena_strdup(&doc->mod_arena, s);
}

static void add_mods(struct tn_document *doc, const struct tn_tenant_document *made,
	const struct tn_compiled *compiled)
{
	size_t n = doc->n_mods, extra = compiled->n_mods;

	doc->mods = more(doc, doc->mods, n, sizeof(*doc->mods), extra);
	doc->mod_pointers = more(doc, doc->mod_pointers, n, sizeof(*doc->mod_pointers), extra);
	doc->mod_lines = more(doc, doc->mod_lines, n, sizeof(*doc->mod_lines), extra);
	doc->mod_columns = more(doc, doc->mod_columns, n, sizeof(*doc->mod_columns), extra);
	for (size_t i = 0; i < extra; i++) {
		doc->mods[n + i] = compiled->mods[i];
		doc->mod_pointers[n + i] = pointer_of(doc, made, &compiled->mods[i]);
		doc->mod_lines[n + i] = doc->mod_columns[n + i] = 0;
	}
	doc->n_mods += extra;
}

/* What an owner of the switch may say beside the pipeline. */
static int check_mods(const struct tn_document *doc, struct tn_diagnostics *diag)
{
	int rc = 0;

	for (size_t i = 0; i < doc->n_mods; i++) {
		struct tn_error err;

		if (!tn_pattern_check(&doc->mods[i], &err))
			continue;
		tn_diagnostics_add(diag, doc->mod_pointers[i], doc->mod_lines[i],
			doc->mod_columns[i], err.of, "%s", err.detail);
		rc = -EINVAL;
	}
	return rc;
}

/* --- both ------------------------------------------------------------------------------------- */

static int need_host(const struct tn_document *doc, const char *host, struct tn_diagnostics *diag)
{
	const struct tn_document_tenant *t = doc->tenants;

	if (host && tn_document_tenant(doc, TN_TENANT_HOST, host))
		return 0;
	if (host)
		tn_diagnostics_add(diag, "/hosts", 0, 0, TN_OF_OK,
			"there is no host \"%s\"; name one of \"hosts\"", host);
	else
		tn_diagnostics_add(diag, t->pointer, t->line, t->column, TN_OF_OK,
			"tenants' networks are different on each host; say which one this is "
			"with --host");
	return -EINVAL;
}

static struct tn_tenant_document *new_document(const struct tn_document *doc, const char *host)
{
	struct tn_tenant_document *made = calloc(1, sizeof(*made));

	if (!made)
		abort();
	made->tenants = tn_tenants_new();
	made->numbers = tn_numbers_new();
	made->compiler =
		tn_compiler_new(host, tn_names_intern(doc->names, "tenant"), made->numbers);
	return made;
}

int tn_tenant_document_compile(struct tn_document *doc, const char *host,
	struct tn_tenant_document **made, struct tn_diagnostics *diag)
{
	struct tn_compiled compiled;
	int rc;

	*made = NULL;
	if (!doc->n_tenants)
		return 0;
	rc = need_host(doc, host, diag);
	if (rc)
		return rc;
	*made = new_document(doc, host);
	rc = declare(*made, doc, diag);
	rc = check_mods(doc, diag) ? -EINVAL : rc;
	if (!rc) {
		compile(*made, doc, &compiled);
		rc = add_ports(doc, &compiled, diag);
	}
	if (!rc) {
		add_mods(doc, *made, &compiled);
		return 0;
	}
	tn_tenant_document_free(*made);
	*made = NULL;
	return rc;
}

void tn_tenant_document_free(struct tn_tenant_document *made)
{
	if (!made)
		return;
	tn_compiler_free(made->compiler);
	tn_numbers_free(made->numbers);
	tn_tenants_free(made->tenants);
	free(made);
}
