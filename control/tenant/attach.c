/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/tenant/attach.h"

#include <stdio.h>
#include <string.h>

/* At most 63 bytes; none that the names of ports may not have. */
static bool is_name(const char *id)
{
	size_t n = strlen(id);

	return n && n <= TN_SWITCH_PORT_NAME_MAX - 3 && !strpbrk(id, "/\\[]()=,\"' ");
}

void tn_vhost_socket(const struct tn_tenant_port *port, char socket[TN_VHOST_SOCKET_MAX])
{
	const char *given = port->binding.vhost_socket;

	if (given && *given)
		snprintf(socket, TN_VHOST_SOCKET_MAX, "%s", given);
	else
		snprintf(socket, TN_VHOST_SOCKET_MAX, TN_VHOST_FOLDER "/%s.sock", port->c.id);
}

void tn_switch_port_name(
	const struct tn_tenant_port *port, uint32_t number, char name[TN_SWITCH_PORT_NAME_MAX])
{
	if (is_name(port->c.id))
		snprintf(name, TN_SWITCH_PORT_NAME_MAX, "p-%s", port->c.id);
	else
		snprintf(name, TN_SWITCH_PORT_NAME_MAX, "p-%u", number);
}
