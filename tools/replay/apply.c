/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/replay/apply.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/replay/memory.h"
#include "tools/replay/options.h"

/* The whole file, at most one byte more than a document may have. -1: said why. */
static int read_file(const char *path, char **text, size_t *len)
{
	int fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC) : dup(STDIN_FILENO);
	size_t room = 65536;
	struct stat st;
	ssize_t n;

	*text = NULL;
	*len = 0;
	if (fd < 0) {
		tn_complain("%s: cannot open: %s", path, strerror(errno));
		return -1;
	}
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size < TN_DOCUMENT_BYTES_MAX)
		room = (size_t)st.st_size + 1;
	*text = tn_realloc(NULL, room);
	while ((n = read(fd, *text + *len, room - *len)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		*len += (size_t)n;
		if (*len > TN_DOCUMENT_BYTES_MAX)
			break;
		if (*len == room) {
			room = room * 2 > TN_DOCUMENT_BYTES_MAX ? TN_DOCUMENT_BYTES_MAX + 1
								: room * 2;
			*text = tn_realloc(*text, room);
		}
	}
	if (n < 0)
		tn_complain("%s: cannot read: %s", path, strerror(errno));
	close(fd);
	return n < 0 ? -1 : 0;
}

static void say(const char *path, uint32_t line, uint32_t column, const char *pointer,
	enum tn_of_error of, const char *detail)
{
	fprintf(stderr, "%s:", strcmp(path, "-") ? path : "standard input");
	if (line)
		fprintf(stderr, "%u:%u:", line, column);
	if (pointer && *pointer)
		fprintf(stderr, " %s:", pointer);
	if (of)
		fprintf(stderr, " %s:", tn_of_error_name(of));
	fprintf(stderr, " %s\n", detail);
}

static void say_all(const char *path, const struct tn_diagnostics *diag)
{
	for (size_t i = 0; i < diag->n; i++) {
		const struct tn_diagnostic *d = &diag->list[i];

		say(path, d->line, d->column, d->pointer, d->of, d->detail);
	}
	if (diag->dropped)
		fprintf(stderr, "%s: and %zu more errors\n", path, diag->dropped);
}

int tn_config_load(struct tn_config *c, const char *path, const char *host)
{
	struct tn_diagnostics diag;
	char *text;
	size_t len;
	int rc;

	memset(c, 0, sizeof(*c));
	c->path = path;
	if (read_file(path, &text, &len)) {
		free(text);
		return -1;
	}
	tn_diagnostics_init(&diag);
	rc = tn_document_parse(&c->doc, text, len, &diag);
	if (!rc)
		rc = tn_tenant_document_compile(&c->doc, host, &c->tenants, &diag);
	say_all(path, &diag);
	tn_diagnostics_fini(&diag);
	free(text);
	return rc ? -1 : 0;
}

static int add_ports(struct tn_config *c, uint64_t now_ns)
{
	struct tn_error err;
	char pointer[32];
	int rc = 0;

	for (size_t i = 0; i < c->doc.n_ports; i++) {
		const struct tn_model_port *p = &c->doc.ports[i];
		struct tn_port_config_data data = {
			.number = p->number,
			.type = strcmp(p->type, "vxlan") ? TN_PORT_PLAIN : TN_PORT_VXLAN,
			.config = p->config | (p->enabled ? 0 : TN_PORT_CONFIG_DOWN),
		};

		if (tn_switch_port_add(c->sw, &data, now_ns, &err)) {
			snprintf(pointer, sizeof(pointer), "/ports/%zu", i);
			say(c->path, 0, 0, pointer, err.of, err.detail);
			rc = -1;
		}
	}
	return rc;
}

static int configure_tables(struct tn_config *c)
{
	struct tn_error err;
	char pointer[32];
	int rc = 0;

	for (size_t i = 0; i < c->doc.n_tables; i++) {
		const struct tn_table_setting *t = &c->doc.tables[i];

		if (tn_switch_table_configure(c->sw, t->table_id, &t->config, &err)) {
			snprintf(pointer, sizeof(pointer), "/tables/%zu", i);
			say(c->path, 0, 0, pointer, err.of, err.detail);
			rc = -1;
		}
	}
	return rc;
}

static void say_refused(void *ctx, size_t position, const struct tn_error *err)
{
	const struct tn_config *c = ctx;

	say(c->path, c->doc.mod_lines[position], c->doc.mod_columns[position],
		c->doc.mod_pointers[position], err->of, err->detail);
}

int tn_config_apply(struct tn_config *c, uint64_t now_ns)
{
	struct tn_error err;
	size_t failed;
	int rc;

	c->sw = tn_switch_new(c->doc.dpid);
	if (!c->sw) {
		tn_complain("%s: no memory for the switch", c->path);
		return -1;
	}
	rc = add_ports(c, now_ns);
	rc |= configure_tables(c);
	if (!tn_switch_commit(c->sw, c->doc.mods, c->doc.n_mods, now_ns, &failed, &err)) {
		tn_switch_reclaim(c->sw);
		tn_document_forget_mods(&c->doc);
		return rc;
	}
	/* All of them, not only the first. */
	if (!tn_switch_check_all(c->sw, c->doc.mods, c->doc.n_mods, now_ns, say_refused, c))
		say_refused(c, failed, &err);
	return -1;
}

void tn_config_fini(struct tn_config *c)
{
	tn_switch_free(c->sw);
	tn_tenant_document_free(c->tenants);
	tn_document_fini(&c->doc);
}

const struct tn_model_port *tn_config_port(const struct tn_config *c, const char *text, size_t len)
{
	uint64_t number = 0;

	for (size_t i = 0; i < c->doc.n_ports; i++) {
		const char *name = c->doc.ports[i].name;

		if (name && strlen(name) == len && !memcmp(name, text, len))
			return &c->doc.ports[i];
	}
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9' || number > UINT32_MAX)
			return NULL;
		number = number * 10 + (uint64_t)(text[i] - '0');
	}
	for (size_t i = 0; len && i < c->doc.n_ports; i++) {
		if (c->doc.ports[i].number == number)
			return &c->doc.ports[i];
	}
	return NULL;
}
