/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/agent/restore.h"

#include <stdlib.h>
#include <string.h>

#include "dataplane/agent/ports.h"
#include "dataplane/port/dpdk_ethdev.h"

/* The two enums are one by their numbers. */
TN_BUILD_ASSERT((int)TN_API_STRING == (int)TN_OPTION_STRING, "kinds of option differ");
TN_BUILD_ASSERT((int)TN_API_INTEGER == (int)TN_OPTION_INTEGER, "kinds of option differ");
TN_BUILD_ASSERT((int)TN_API_BOOL == (int)TN_OPTION_BOOL, "kinds of option differ");

int tn_restore_port_add(
	struct tn_agent *agent, const struct tn_api_port *p, bool absent, struct tn_error *err)
{
	struct tn_port_option *options = calloc((size_t)p->n_options + 1, sizeof(*options));
	struct tn_port_request request = {
		.number = p->number,
		.name = p->name,
		.type = p->type,
		.enabled = p->enabled,
		.config = p->config,
		.mtu = p->mtu,
		.options = options,
		.n_options = p->n_options,
		.vxlan = p->vxlan,
	};
	int rc;

	if (!options)
		return tn_error_set(err, TN_OFPBRC_BAD_PORT, -1,
			"out of memory: nothing was changed; free memory and try again");
	for (uint32_t i = 0; i < p->n_options; i++) {
		const struct tn_api_option *o = &p->options[i];

		options[i] = (struct tn_port_option){.key = o->key,
			.type = (enum tn_port_option_type)o->type,
			.string = o->string,
			.integer = o->integer};
	}
	rc = absent ? tn_agent_port_add_absent(agent, &request, err)
		    : tn_agent_port_add(agent, &request, err);
	free(options);
	return rc;
}

static void restore_port(struct tn_agent *agent, const struct tn_state_port *port)
{
	struct tn_api_arena arena;
	struct tn_api_message m;
	struct tn_error err;

	tn_api_arena_init(&arena, 0);
	if (tn_api_decode(port->message.data, port->message.len, &arena, &m, &err)) {
		tn_agent_say("port %u cannot be read back: %s", port->number, err.detail);
	} else if (tn_restore_port_add(agent, &m.port_add, false, &err)) {
		tn_agent_say("port %u (%s) cannot be made now: %s; it is tried again until it is "
			     "there or removed",
			port->number, m.port_add.name, err.detail);
		if (tn_restore_port_add(agent, &m.port_add, true, &err))
			tn_agent_say("port %u (%s) is left out until the next start: %s",
				port->number, m.port_add.name, err.detail);
	}
	tn_api_arena_fini(&arena);
}

static void restore_underlay(struct tn_agent *agent, const struct tn_api_buffer *message)
{
	struct tn_api_arena arena;
	struct tn_api_message m;
	struct tn_error err;

	if (!message->len)
		return;
	tn_api_arena_init(&arena, 0);
	if (tn_api_decode(message->data, message->len, &arena, &m, &err) ||
		tn_agent_set_underlay(agent, &m.underlay, &err))
		tn_agent_say("the underlay is left out: %s", err.detail);
	tn_api_arena_fini(&arena);
}

void tn_restore_agent(struct tn_agent *agent, const struct tn_state *s)
{
	restore_underlay(agent, &s->underlay);
	for (size_t i = 0; i < s->n_ports; i++)
		restore_port(agent, &s->ports[i]);
}

static void port_wants(const struct tn_api_port *p, bool *pci, bool *namespaces)
{
	for (uint32_t i = 0; i < p->n_options; i++) {
		const struct tn_api_option *o = &p->options[i];

		if (!strcmp(o->key, "netns") || !strcmp(o->key, "shadowNetns"))
			*namespaces = true;
		else if (!strcmp(o->key, "devargs") && o->type == TN_API_STRING &&
			tn_dpdk_is_pci(o->string))
			*pci = true;
	}
}

void tn_restore_wants(const struct tn_state *s, bool *pci, bool *namespaces)
{
	for (size_t i = 0; i < s->n_ports; i++) {
		const struct tn_api_buffer *b = &s->ports[i].message;
		struct tn_api_arena arena;
		struct tn_api_message m;

		tn_api_arena_init(&arena, 0);
		if (!tn_api_decode(b->data, b->len, &arena, &m, NULL))
			port_wants(&m.port_add, pci, namespaces);
		tn_api_arena_fini(&arena);
	}
}
