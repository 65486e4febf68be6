/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/port/port_factory.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/port/afxdp.h"
#include "dataplane/port/dpdk_ethdev.h"
#include "dataplane/port/kernel_port.h"
#include "dataplane/port/kernel_tunnel.h"
#include "dataplane/port/memory_port.h"
#include "dataplane/port/pcap_port.h"
#include "dataplane/port/tap.h"
#include "dataplane/port/vhost.h"

static const struct tn_port_kind *const kinds[] = {
	&tn_dpdk_port_kind,
	&tn_vhost_port_kind,
	&tn_veth_port_kind,
	&tn_nic_port_kind,
	&tn_kernel_tunnel_kind,
	&tn_tap_port_kind,
	&tn_pcap_port_kind,
	&tn_memory_port_kind,
};

static const struct tn_port_option_rule *rule_of(const struct tn_port_kind *kind, const char *key)
{
	for (const struct tn_port_option_rule *r = kind->rules; r->key; r++) {
		if (!strcmp(r->key, key))
			return r;
	}
	return NULL;
}

/* "devargs, queues" */
static void list_rules(const struct tn_port_kind *kind, char *text, size_t size)
{
	size_t at = 0;

	text[0] = '\0';
	for (const struct tn_port_option_rule *r = kind->rules; r->key && at < size; r++)
		at += (size_t)snprintf(
			text + at, size - at, "%s%s", r == kind->rules ? "" : ", ", r->key);
}

static int check_option(const struct tn_port_kind *kind, const struct tn_port_option *o,
	const struct tn_port_spec *spec, struct tn_error *err)
{
	static const char *const types[] = {
		[TN_OPTION_STRING] = "a string",
		[TN_OPTION_INTEGER] = "an integer",
		[TN_OPTION_BOOL] = "true or false",
	};
	const struct tn_port_option_rule *r = rule_of(kind, o->key);
	char known[128];

	if (!r) {
		list_rules(kind, known, sizeof(known));
		return tn_error_set(err, TN_OFPBRC_BAD_PORT, -1,
			"port %s: a port of type \"%s\" has no option \"%.32s\"; it knows %s",
			spec->name, kind->type, o->key, known);
	}
	if (o->type != r->type)
		return tn_error_set(err, TN_OFPBRC_BAD_PORT, -1, "port %s: option \"%s\" takes %s",
			spec->name, r->key, types[r->type]);
	if (r->type == TN_OPTION_INTEGER && (o->integer < r->min || o->integer > r->max))
		return tn_error_set(err, TN_OFPBRC_BAD_PORT, -1,
			"port %s: option \"%s\" takes %" PRId64 " to %" PRId64, spec->name, r->key,
			r->min, r->max);
	return 0;
}

static int check_options(
	const struct tn_port_kind *kind, const struct tn_port_spec *spec, struct tn_error *err)
{
	for (size_t i = 0; i < spec->n_options; i++) {
		int r = check_option(kind, &spec->options[i], spec, err);

		if (r)
			return r;
	}
	for (const struct tn_port_option_rule *r = kind->rules; r->key; r++) {
		if (r->required && !tn_port_option_find(spec, r->key))
			return tn_error_set(err, TN_OFPBRC_BAD_PORT, -1,
				"port %s: a port of type \"%s\" needs the option \"%s\"",
				spec->name, kind->type, r->key);
	}
	return 0;
}

static const struct tn_port_kind *kind_of(const struct tn_port_spec *spec, struct tn_error *err)
{
	char known[128];
	size_t at = 0;

	for (size_t i = 0; i < TN_ARRAY_SIZE(kinds); i++) {
		if (!strcmp(kinds[i]->type, spec->type))
			return kinds[i];
	}
	for (size_t i = 0; i < TN_ARRAY_SIZE(kinds) && at < sizeof(known); i++)
		at += (size_t)snprintf(known + at, sizeof(known) - at, "\"%s\", ", kinds[i]->type);
	tn_error_set(err, TN_OFPBRC_BAD_PORT, -1,
		"port %s: there is no driver for type \"%.32s\"; types are %s\"vxlan\"", spec->name,
		spec->type, known);
	return NULL;
}

struct tn_port *tn_port_make(const struct tn_port_spec *spec,
	const struct tn_port_resources *resources, struct tn_error *err)
{
	const struct tn_port_kind *kind = kind_of(spec, err);
	struct tn_port *port;

	if (!kind || check_options(kind, spec, err))
		return NULL;
	port = kind->make(spec, resources, err);
	if (!port)
		return NULL;
	snprintf(port->name, sizeof(port->name), "%s", spec->name);
	port->number = spec->number;
	return port;
}
