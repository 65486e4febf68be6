/* SPDX-License-Identifier: BSD-3-Clause */
/* Tenants' networks; ports and hosts, whose paths are of the switch, too, stand in routes.c. */
#include "control/northbound/handlers.h"
#include "control/northbound/route.h"

#define V TN_ROLE_VIEWER
#define O TN_ROLE_OPERATOR
#define A TN_ROLE_ADMIN

#define LISTS	(TN_ROUTE_LISTS | TN_ROUTE_TAGGED)
#define COUNTS	(TN_ROUTE_COUNTS | TN_ROUTE_TAGGED)
#define CHANGES TN_ROUTE_CHANGES
#define EDITS	(TN_ROUTE_CHANGES | TN_ROUTE_TAGGED)
#define PUTS	(EDITS | TN_ROUTE_CREATES)
#define TENANT	"id name tenant_id project_id"

static const struct tn_route routes[] = {
	{TN_GET, "/networks", V, tn_networking_list, LISTS, "listNetworks", "Networks of tenants",
		200, "Networks", NULL, TENANT " vni"},
	{TN_POST, "/networks", O, tn_networking_post, CHANGES, "addNetwork",
		"Adds a network, or several", 201, "NetworkMade", "NetworkBody", NULL},
	{TN_GET, "/networks/{networkId}", V, tn_networking_get, COUNTS, "getNetwork", "One network",
		200, "Network", NULL, NULL},
	{TN_PUT, "/networks/{networkId}", O, tn_networking_put, PUTS, "putNetwork",
		"Replaces a network, or makes it", 200, "NetworkMade", "NetworkBody", NULL},
	{TN_PATCH, "/networks/{networkId}", O, tn_networking_patch, EDITS, "patchNetwork",
		"Changes members of a network", 200, "NetworkMade", "TenantPatch", NULL},
	{TN_DELETE, "/networks/{networkId}", O, tn_networking_delete, EDITS, "removeNetwork",
		"Removes a network that nothing is in", 204, NULL, NULL, NULL},

	{TN_GET, "/subnets", V, tn_networking_list, LISTS, "listSubnets", "Subnets of networks",
		200, "Subnets", NULL, TENANT " network_id"},
	{TN_POST, "/subnets", O, tn_networking_post, CHANGES, "addSubnet",
		"Adds a subnet, or several", 201, "SubnetMade", "SubnetBody", NULL},
	{TN_GET, "/subnets/{subnetId}", V, tn_networking_get, COUNTS, "getSubnet", "One subnet",
		200, "Subnet", NULL, NULL},
	{TN_PUT, "/subnets/{subnetId}", O, tn_networking_put, PUTS, "putSubnet",
		"Replaces a subnet, or makes it", 200, "SubnetMade", "SubnetBody", NULL},
	{TN_PATCH, "/subnets/{subnetId}", O, tn_networking_patch, EDITS, "patchSubnet",
		"Changes members of a subnet", 200, "SubnetMade", "TenantPatch", NULL},
	{TN_DELETE, "/subnets/{subnetId}", O, tn_networking_delete, EDITS, "removeSubnet",
		"Removes a subnet that no port nor router uses", 204, NULL, NULL, NULL},

	{TN_GET, "/routers", V, tn_networking_list, LISTS, "listRouters", "Routers of tenants", 200,
		"Routers", NULL, TENANT " subnet_id"},
	{TN_POST, "/routers", O, tn_networking_post, CHANGES, "addRouter",
		"Adds a router, or several", 201, "RouterMade", "RouterBody", NULL},
	{TN_GET, "/routers/{routerId}", V, tn_networking_get, COUNTS, "getRouter", "One router",
		200, "Router", NULL, NULL},
	{TN_PUT, "/routers/{routerId}", O, tn_networking_put, PUTS, "putRouter",
		"Replaces a router, or makes it", 200, "RouterMade", "RouterBody", NULL},
	{TN_PATCH, "/routers/{routerId}", O, tn_networking_patch, EDITS, "patchRouter",
		"Changes members of a router", 200, "RouterMade", "TenantPatch", NULL},
	{TN_DELETE, "/routers/{routerId}", O, tn_networking_delete, EDITS, "removeRouter",
		"Removes a router", 204, NULL, NULL, NULL},

	{TN_GET, "/qos-policies", V, tn_networking_list, LISTS, "listQosPolicies",
		"Rate limits and DSCP that ports can have", 200, "QosPolicies", NULL, TENANT},
	{TN_POST, "/qos-policies", O, tn_networking_post, CHANGES, "addQosPolicy",
		"Adds a policy, or several", 201, "QosPolicyMade", "QosPolicyBody", NULL},
	{TN_GET, "/qos-policies/{qosPolicyId}", V, tn_networking_get, COUNTS, "getQosPolicy",
		"One policy", 200, "QosPolicy", NULL, NULL},
	{TN_PUT, "/qos-policies/{qosPolicyId}", O, tn_networking_put, PUTS, "putQosPolicy",
		"Replaces a policy, or makes it", 200, "QosPolicyMade", "QosPolicyBody", NULL},
	{TN_PATCH, "/qos-policies/{qosPolicyId}", O, tn_networking_patch, EDITS, "patchQosPolicy",
		"Changes members of a policy", 200, "QosPolicyMade", "TenantPatch", NULL},
	{TN_DELETE, "/qos-policies/{qosPolicyId}", O, tn_networking_delete, EDITS,
		"removeQosPolicy", "Removes a policy that nothing has", 204, NULL, NULL, NULL},

	{TN_GET, "/address-groups", V, tn_networking_list, LISTS, "listAddressGroups",
		"Prefixes under one name", 200, "AddressGroups", NULL, TENANT},
	{TN_POST, "/address-groups", O, tn_networking_post, CHANGES, "addAddressGroup",
		"Adds an address group, or several", 201, "AddressGroupMade", "AddressGroupBody",
		NULL},
	{TN_GET, "/address-groups/{addressGroupId}", V, tn_networking_get, COUNTS,
		"getAddressGroup", "One address group", 200, "AddressGroup", NULL, NULL},
	{TN_PUT, "/address-groups/{addressGroupId}", O, tn_networking_put, PUTS, "putAddressGroup",
		"Replaces an address group, or makes it", 200, "AddressGroupMade",
		"AddressGroupBody", NULL},
	{TN_PATCH, "/address-groups/{addressGroupId}", O, tn_networking_patch, EDITS,
		"patchAddressGroup", "Changes members of an address group", 200, "AddressGroupMade",
		"TenantPatch", NULL},
	{TN_DELETE, "/address-groups/{addressGroupId}", O, tn_networking_delete, EDITS,
		"removeAddressGroup", "Removes an address group", 204, NULL, NULL, NULL},

	{TN_GET, "/quotas", V, tn_networking_list, LISTS, "listQuotas",
		"How much tenants may have, and have", 200, "Quotas", NULL, "id"},
	{TN_GET, "/quotas/{tenantId}", V, tn_networking_get, COUNTS, "getQuota",
		"The quota of a tenant", 200, "Quota", NULL, NULL},
	{TN_PUT, "/quotas/{tenantId}", A, tn_networking_put, PUTS | TN_ROUTE_NO_TENANTS, "putQuota",
		"The quota of a tenant; *: of all that have none of their own", 200, "QuotaMade",
		"QuotaBody", NULL},
	{TN_PATCH, "/quotas/{tenantId}", A, tn_networking_patch, EDITS | TN_ROUTE_NO_TENANTS,
		"patchQuota", "Changes members of a quota", 200, "QuotaMade", "TenantPatch", NULL},
	{TN_DELETE, "/quotas/{tenantId}", A, tn_networking_delete, EDITS | TN_ROUTE_NO_TENANTS,
		"removeQuota", "Removes a quota: the one of * counts", 204, NULL, NULL, NULL},

	{TN_GET, "/hosts/{hostId}", V, tn_networking_get, COUNTS | TN_ROUTE_NO_TENANTS,
		"getTenantHost", "A host of tenants' networks", 200, "TenantHost", NULL, NULL},
	{TN_PUT, "/hosts/{hostId}", A, tn_networking_put, PUTS | TN_ROUTE_NO_TENANTS,
		"putTenantHost", "Replaces a host, or makes it", 200, "TenantHostMade",
		"TenantHostBody", NULL},
	{TN_PATCH, "/hosts/{hostId}", A, tn_networking_patch, EDITS | TN_ROUTE_NO_TENANTS,
		"patchTenantHost", "Changes members of a host", 200, "TenantHostMade",
		"TenantPatch", NULL},
	{TN_DELETE, "/hosts/{hostId}", A, tn_networking_delete, EDITS | TN_ROUTE_NO_TENANTS,
		"removeTenantHost", "Removes a host that no port is bound to", 204, NULL, NULL,
		NULL},
};

const struct tn_area tn_tenant_area = {
	.routes = routes,
	.n_routes = TN_ARRAY_SIZE(routes),
	.schemas = tn_tenant_schemas,
	.parameters = tn_tenant_parameters,
};
