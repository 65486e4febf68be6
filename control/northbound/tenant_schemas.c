/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/northbound/schemas.h"

#include <stddef.h>

#include "control/northbound/schema_words.h"

#define OR_NULL(word) "{'type':['" word "','null']}"
#define WORD	      OR_NULL("string")
#define FLAG	      "{'type':['boolean','string']}"

#define COMMON                                                                               \
	"'id':" STRING ",'name':" WORD ",'description':" WORD ",'revision_number':" INT      \
	",'generation':" INT ",'created_at':" STRING ",'state':" STRING ",'failure':" STRING \
	",'failureName':" STRING ",'status':" STRING
#define OWNED COMMON ",'tenant_id':" WORD ",'project_id':" WORD

#define ROUTE OBJECT("'destination':" STRING ",'nexthop':" STRING)

#define NETWORK                                                                             \
	OWNED ",'vni':" NUMBER ",'provider:segmentation_id':" NUMBER                        \
	      ",'provider:network_type':" STRING ",'mtu':" NUMBER ",'admin_state_up':" FLAG \
	      ",'port_security_enabled':" FLAG                                              \
	      ",'unknown_unicast':{'enum':['drop','flood']},'multicast_snooping':" FLAG     \
	      ",'qos_policy_id':" WORD ",'subnets':" ARRAY(STRING)

#define SUBNET                                                                          \
	OWNED ",'network_id':" STRING ",'cidr':" STRING ",'ip_version':" NUMBER         \
	      ",'gateway_ip':" WORD ",'enable_dhcp':" FLAG ",'ipv6_address_mode':" WORD \
	      ",'ipv6_ra_mode':" WORD ",'allocation_pools':" ARRAY(OBJECT(              \
		      "'start':" STRING                                                 \
		      ",'end':" STRING)) ",'dns_nameservers':" ARRAY(STRING) ",'host_routes':" ARRAY(ROUTE)

#define BINDING                                                                                   \
	"{'anyOf':[{'type':'null'}," OBJECT(                                                      \
		"'kind':{'enum':['none','vm','container','baremetal','remote']},'host':" STRING   \
		",'vhost_socket':" WORD                                                           \
		",'vhost_mode':{'enum':['client','server']},'socket':" STRING ",'device':" STRING \
		",'datapath':{'enum':['afxdp','ebpf']},'vlan':{'type':['integer','string',"       \
		"'null']},'vtep':" STRING ",'switch_port':" INT) "]}"

#define PORT                                                                                                                       \
	OWNED ",'network_id':" STRING ",'mac_address':" STRING                                                                     \
	      ",'fixed_ips':" ARRAY(OBJECT("'subnet_id':" WORD ",'ip_address':" STRING)) ",'allowed_address_pairs':" ARRAY(OBJECT( \
		      "'ip_address':" STRING                                                                                       \
		      ",'mac_address':" WORD)) ",'admin_state_up':" FLAG                                                           \
					       ",'port_security_enabled':" FLAG                                                    \
					       ",'mac_learning_enabled':" FLAG                                                     \
					       ",'mac_learning_limit':" NUMBER                                                     \
					       ",'qos_policy_id':" WORD                                                            \
					       ",'extra_dhcp_opts':" ARRAY(OBJECT(                                                 \
						       "'opt_name':" STRING ",'opt_value':" WORD                                   \
						       ",'ip_version':" NUMBER)) ",'device_id':" WORD                              \
										 ",'device_owner':" WORD                           \
										 ",'binding':" BINDING                             \
										 ",'warnings':" ARRAY(                             \
											 STRING)

#define ROUTER                                                  \
	OWNED ",'admin_state_up':" FLAG ",'interfaces':" ARRAY( \
		OBJECT("'subnet_id':" STRING ",'ip_address':" STRING)) ",'routes':" ARRAY(ROUTE)

#define QOS_POLICY                                                                        \
	OWNED ",'rules':" ARRAY(NEEDS("'type'",                                           \
		"'type':{'enum':['bandwidth_limit','packet_rate_limit','dscp_marking']}," \
		"'direction':{'enum':['egress','ingress']},'max_kbps':" NUMBER            \
		",'max_burst_kbps':" NUMBER ",'max_kpps':" NUMBER ",'dscp_mark':" NUMBER))

#define ADDRESS_GROUP OWNED ",'addresses':" ARRAY(STRING)

#define COUNTS(type)                                                          \
	"'network':" type ",'subnet':" type ",'port':" type ",'router':" type \
	",'qos_policy':" type ",'address_group':" type

#define QUOTA OWNED "," COUNTS(NUMBER) ",'used':" OBJECT(COUNTS(INT))

#define HOST OWNED ",'vtep_addresses':" ARRAY(STRING) ",'underlay_mtu':" NUMBER ",'is_self':" BOOL

/*
 * Of a kind: as it is asked for (New...), as it is answered, a list of them, a body (one, alone or
 * under its name, or several), and what answers a body, of the same form.
 */
#define KIND(Name, Names, name, names, needed, shown, members)                                    \
	{"New" Name, NEEDS(needed, members)}, {Name, NEEDS("'id','name'" shown, members)},        \
		{Names, LIST(names, Name)},                                                       \
		{Name "Body",                                                                     \
			"{'anyOf':[" REF("New" Name) "," NEEDS("'" name "'",                      \
				"'" name "':" REF("New" Name)) "," LIST(names, "New" Name) "]}"}, \
	{                                                                                         \
		Name "Made",                                                                      \
			"{'anyOf':[" REF(Name) "," NEEDS(                                         \
				"'" name "'", "'" name "':" REF(Name)) "," REF(Names) "]}"        \
	}

const struct tn_schema tn_tenant_schemas[] = {
	KIND("Network", "Networks", "network", "networks", "",
		",'tenant_id','vni','admin_state_up'", NETWORK),
	KIND("Subnet", "Subnets", "subnet", "subnets", "'network_id','cidr'",
		",'tenant_id','network_id','cidr','ip_version','gateway_ip','enable_dhcp'", SUBNET),
	KIND("TenantPort", "TenantPorts", "port", "ports", "'network_id'",
		",'tenant_id','network_id','mac_address','fixed_ips','binding'", PORT),
	KIND("Router", "Routers", "router", "routers", "", ",'tenant_id','interfaces','routes'",
		ROUTER),
	KIND("QosPolicy", "QosPolicies", "qos_policy", "qos_policies", "", ",'tenant_id','rules'",
		QOS_POLICY),
	KIND("AddressGroup", "AddressGroups", "address_group", "address_groups", "",
		",'tenant_id','addresses'", ADDRESS_GROUP),
	KIND("Quota", "Quotas", "quota", "quotas", "", ",'network','port'", QUOTA),
	KIND("TenantHost", "TenantHosts", "host", "hosts", "'vtep_addresses'", ",'vtep_addresses'",
		HOST),
	{"TenantPatch", FREE},
	{"AnyDeclaredPort", "{'anyOf':[" REF("NewPort") "," REF("NewTenantPort") "]}"},

	/* Where the switch and tenants share a path. */
	{"AnyPort", "{'anyOf':[" REF("Port") "," REF("TenantPort") "]}"},
	{"AnyPorts", "{'anyOf':[" REF("Ports") "," REF("TenantPorts") "]}"},
	{"AnyNewPort", "{'anyOf':[" REF("NewPort") "," REF("TenantPortBody") "]}"},
	{"PortMade", "{'anyOf':[" REF("PortNumber") "," REF("TenantPortMade") "]}"},
	{"PortPatch", "{'anyOf':[" REF("PortSettings") "," REF("TenantPatch") "]}"},
	{"AnyHosts", "{'anyOf':[" REF("Hosts") "," REF("TenantHosts") "]}"},
	{"AnyNewHost", "{'anyOf':[" REF("NewHost") "," REF("TenantHostBody") "]}"},
	{"HostMade", "{'anyOf':[" REF("HostId") "," REF("TenantHostMade") "]}"},
	{NULL, NULL},
};

const struct tn_schema_parameter tn_tenant_parameters[] = {
	{"networkId", "", STRING},
	{"subnetId", "", STRING},
	{"routerId", "", STRING},
	{"qosPolicyId", "", STRING},
	{"addressGroupId", "", STRING},
	{"tenantId", "a tenant; *: all that have none of their own", STRING},
	{"hostId", "", STRING},
	{"kind", "switch: ports or hosts of the switch; tenant: those of tenants' networks",
		"{'enum':['switch','tenant']}"},
	{"id", "with this id", STRING},
	{"name", "with this name", STRING},
	{"tenant_id", "of this tenant", STRING},
	{"project_id", "of this tenant", STRING},
	{"network_id", "on this network", STRING},
	{"subnet_id", "with an address or interface in this subnet", STRING},
	{"host", "bound to this host", STRING},
	{"binding", "bound in this way", "{'enum':['none','vm','container','baremetal','remote']}"},
	{"device_id", "of this device", STRING},
	{"mac_address", "with this MAC address", STRING},
	{"ip_address", "with this fixed IP", STRING},
	{"vni", "with this VNI", INT},
	{NULL, NULL, NULL},
};
