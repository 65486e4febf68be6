/* SPDX-License-Identifier: BSD-3-Clause */
/* What a workload attaches to: names that follow from its port. */
#ifndef TN_TENANT_ATTACH_H
#define TN_TENANT_ATTACH_H

#include "control/model/tenant.h"

#define TN_VHOST_SOCKET_MAX	108u /* as in struct sockaddr_un */
#define TN_SWITCH_PORT_NAME_MAX 64u

/* Folder of the sockets of virtual machines whose ports name none. */
#define TN_VHOST_FOLDER "/run/tenon/vhost"

/* The socket of a virtual machine's port. */
void tn_vhost_socket(const struct tn_tenant_port *port, char socket[TN_VHOST_SOCKET_MAX]);
/* The name of the port of the switch with this number that is made for it: "p-ID". */
void tn_switch_port_name(
	const struct tn_tenant_port *port, uint32_t number, char name[TN_SWITCH_PORT_NAME_MAX]);

#endif
