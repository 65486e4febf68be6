/* SPDX-License-Identifier: BSD-3-Clause */
/* tenonctl vport show: a tenant's port, and how its machine is attached to it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/tenonctl/network.h"
#include "tools/tenonctl/say.h"
#include "tools/tenonctl/share.h"

#define VXLAN_PORT 4789

/* The port with what its commands need beside it. */
struct attaching {
	const json_t *port, *network;
	const char *id, *mac, *host, *device;
	json_int_t mtu, vni;
	json_t *subnets, *hosts; /* arrays; NULL: unknown */
};

static const char *text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

/* --- words that a shell, QEMU and XML take as they are ---------------------------------------- */

static void put_shell(const char *word)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
				    "_-./:=+@%";

	if (*word && strspn(word, plain) == strlen(word)) {
		fputs(word, stdout);
		return;
	}
	putchar('\'');
	for (; *word; word++) {
		if (*word == '\'')
			fputs("'\\''", stdout);
		else
			putchar(*word);
	}
	putchar('\'');
}

/* An id for QEMU: letters, digits, '-', '.', '_'. */
static const char *qemu_id(const char *id, char buf[80])
{
	snprintf(buf, 80, "n-%.64s", id);
	for (char *at = buf; *at; at++)
		if (*at == ':')
			*at = '_';
	return buf;
}

/* In a value of QEMU's options a comma is written twice. */
static void put_qemu_path(const char *path)
{
	for (; *path; path++) {
		if (*path == ',')
			putchar(',');
		putchar(*path);
	}
}

static void put_xml(const char *text)
{
	for (; *text; text++) {
		if (*text == '&')
			fputs("&amp;", stdout);
		else if (*text == '<')
			fputs("&lt;", stdout);
		else if (*text == '\'')
			fputs("&apos;", stdout);
		else
			putchar(*text);
	}
}

/* --- kinds ------------------------------------------------------------------------------------ */

static void print_vm(const struct attaching *a)
{
	const json_t *binding = json_object_get(a->port, "binding");
	const char *socket = text_of(binding, "socket");
	bool switch_listens = strcmp(text_of(binding, "vhost_mode"), "server") == 0;
	char id[80];

	qemu_id(a->id, id);
	printf("\nQEMU:\n"
	       "  qemu-system-x86_64 -machine q35 -m 1024 \\\n"
	       "    -object memory-backend-memfd,id=mem,size=1024M,share=on "
	       "-numa node,memdev=mem \\\n"
	       "    -chardev 'socket,id=c%s,path=",
		id);
	put_qemu_path(socket);
	printf("%s' \\\n"
	       "    -netdev vhost-user,id=%s,chardev=c%s \\\n"
	       "    -device virtio-net-pci,netdev=%s,mac=%s\n",
		switch_listens ? ",reconnect=1" : ",server=on,wait=off", id, id, id, a->mac);
	printf("\nlibvirt:\n"
	       "  <memoryBacking>\n"
	       "    <source type='memfd'/>\n"
	       "    <access mode='shared'/>\n"
	       "  </memoryBacking>\n"
	       "  <interface type='vhostuser'>\n"
	       "    <mac address='%s'/>\n"
	       "    <source type='unix' path='",
		a->mac);
	put_xml(socket);
	printf("' mode='%s'%s\n"
	       "    <model type='virtio'/>\n"
	       "  </interface>\n",
		switch_listens ? "client" : "server",
		switch_listens ? ">\n      <reconnect enabled='yes' timeout='1'/>\n    </source>"
			       : "/>");
}

static const json_t *subnet_of(const struct attaching *a, const char *id)
{
	const json_t *subnet;
	size_t i;

	json_array_foreach(a->subnets, i, subnet)
	{
		if (strcmp(text_of(subnet, "id"), id) == 0)
			return subnet;
	}
	return NULL;
}

/* ip(8) for the addresses and default routes of a device; enter: what stands before, such as
 * "ip -n web". */
static void print_addresses(const struct attaching *a, const char *enter, const char *device)
{
	const json_t *ip;
	size_t i;

	json_array_foreach(json_object_get(a->port, "fixed_ips"), i, ip)
	{
		const json_t *subnet = subnet_of(a, text_of(ip, "subnet_id"));
		const char *address = text_of(ip, "ip_address"), *gateway;
		const char *length = subnet ? strchr(text_of(subnet, "cidr"), '/') : NULL;
		bool is_ip6 = strchr(address, ':') != NULL;

		printf("  %s addr add %s%s dev %s%s\n", enter, address, length ? length : "",
			device, is_ip6 ? " nodad" : "");
		gateway = subnet ? text_of(subnet, "gateway_ip") : "";
		if (*gateway)
			printf("  %s%s route replace default via %s dev %s\n", enter,
				is_ip6 ? " -6" : "", gateway, device);
	}
}

static void print_container(const struct attaching *a)
{
	char enter[80];

	printf("\nContainer, here the namespace ");
	put_shell(a->id);
	printf(", on %s:\n  ip netns add ", a->host);
	put_shell(a->id);
	printf("\n  ip link add ");
	put_shell(a->device);
	printf(" type veth peer name eth0 netns ");
	put_shell(a->id);
	printf("\n  ip link set ");
	put_shell(a->device);
	printf(" mtu %lld up\n", (long long)a->mtu);
	snprintf(enter, sizeof(enter), "ip -n %.64s", a->id);
	printf("  %s link set eth0 address %s mtu %lld up\n", enter, a->mac, (long long)a->mtu);
	print_addresses(a, enter, "eth0");
}

static void print_bare_metal(const struct attaching *a)
{
	const json_t *vlan = json_object_get(json_object_get(a->port, "binding"), "vlan");
	char device[32];

	if (!json_is_integer(vlan)) {
		printf("\nBare metal, behind NIC port %s of %s; frames have no VLAN tag:\n",
			a->device, a->host);
		printf("  a switch between: access port, or this network's VLAN untagged\n"
		       "  ip link set NIC address %s mtu %lld up\n",
			a->mac, (long long)a->mtu);
		print_addresses(a, "ip", "NIC");
		return;
	}
	printf("\nBare metal, behind NIC port %s of %s; frames have VLAN tag %lld:\n", a->device,
		a->host, (long long)json_integer_value(vlan));
	snprintf(device, sizeof(device), "NIC.%lld", (long long)json_integer_value(vlan));
	printf("  a switch between: trunk port with VLAN %lld tagged\n"
	       "  ip link add link NIC name %s type vlan id %lld\n"
	       "  ip link set %s address %s mtu %lld up\n",
		(long long)json_integer_value(vlan), device, (long long)json_integer_value(vlan),
		device, a->mac, (long long)a->mtu);
	print_addresses(a, "ip", device);
}

/* Endpoints that send to it: those of all hosts, of its own kind of addresses. */
static void print_remote(const struct attaching *a)
{
	const char *vtep = text_of(json_object_get(a->port, "binding"), "vtep");
	const json_t *host, *address;
	size_t i, k;

	printf("\nA switch or host with a VXLAN of its own at %s; Linux:\n"
	       "  ip link add vx%lld type vxlan id %lld local %s dstport %d\n"
	       "  ip link set vx%lld mtu %lld up\n",
		vtep, (long long)a->vni, (long long)a->vni, vtep, VXLAN_PORT, (long long)a->vni,
		(long long)a->mtu);
	json_array_foreach(a->hosts, i, host)
	{
		json_array_foreach(json_object_get(host, "vtep_addresses"), k, address)
		{
			const char *to = json_string_value(address);

			if (to && !strchr(to, ':') == !strchr(vtep, ':'))
				printf("  bridge fdb append 00:00:00:00:00:00 dev vx%lld dst %s\n",
					(long long)a->vni, to);
		}
	}
}

static void print_attachment(const struct attaching *a, const char *kind)
{
	if (strcmp(kind, "vm") == 0)
		print_vm(a);
	else if (strcmp(kind, "container") == 0)
		print_container(a);
	else if (strcmp(kind, "baremetal") == 0)
		print_bare_metal(a);
	else if (strcmp(kind, "remote") == 0)
		print_remote(a);
	else
		printf("\nIt is bound to nothing yet: tenonctl vport set %s binding.kind=vm "
		       "binding.host=HOST\n",
			a->id);
}

/* --- the command ------------------------------------------------------------------------------ */

json_t *tn_ctl_get_list(struct tn_ctl *ctl, const char *path, const char *list, int *code)
{
	json_t *answer, *array;

	*code = tn_ctl_get(ctl, path, &answer);
	if (*code)
		return NULL;
	array = json_incref(json_object_get(answer, list));
	json_decref(answer);
	return array;
}

static void print_member(const char *name, const char *value)
{
	if (!*value)
		return;
	printf("%-10s  ", name);
	tn_ctl_print_clean(stdout, value);
	putchar('\n');
}

static void print_port(const struct attaching *a, const char *kind)
{
	const json_t *ip, *warning;
	size_t i;

	print_member("port", a->id);
	print_member("name", text_of(a->port, "name"));
	print_member("tenant", text_of(a->port, "tenant_id"));
	printf("%-10s  %s  VNI %lld  MTU %lld\n", "network", text_of(a->port, "network_id"),
		(long long)a->vni, (long long)a->mtu);
	print_member("mac", a->mac);
	json_array_foreach(json_object_get(a->port, "fixed_ips"), i, ip)
	{
		printf("%-10s  %s  subnet %s\n", i ? "" : "addresses", text_of(ip, "ip_address"),
			text_of(ip, "subnet_id"));
	}
	print_member("kind", kind);
	print_member("host", a->host);
	print_member("device", a->device);
	print_member("status", text_of(a->port, "status"));
	print_member("failure", text_of(a->port, "failure"));
	json_array_foreach(json_object_get(a->port, "warnings"), i, warning)
	{
		print_member("warning", json_string_value(warning));
	}
}

static json_t *get_under(struct tn_ctl *ctl, const char *kind, const char *id, int *code)
{
	char *word = tn_ctl_escape(id), *path = tn_ctl_path("/v1/%s/%s", kind, word);
	json_t *answer = NULL;

	*code = tn_ctl_get(ctl, path, &answer);
	free(word);
	free(path);
	return answer;
}

static int learn(struct tn_ctl *ctl, struct attaching *a, json_t **network, const char *kind)
{
	char *word = tn_ctl_escape(text_of(a->port, "network_id"));
	char *path = tn_ctl_path("/v1/subnets?network_id=%s", word);
	int code;

	free(word);
	*network = get_under(ctl, "networks", text_of(a->port, "network_id"), &code);
	if (!code)
		a->subnets = tn_ctl_get_list(ctl, path, "subnets", &code);
	if (!code && strcmp(kind, "remote") == 0)
		a->hosts = tn_ctl_get_list(ctl, "/v1/hosts?kind=tenant", "hosts", &code);
	free(path);
	a->network = *network;
	a->mtu = json_integer_value(json_object_get(*network, "mtu"));
	a->vni = json_integer_value(json_object_get(*network, "vni"));
	return code;
}

int tn_ctl_vport_show(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	struct attaching a = {.id = words->word[0]};
	json_t *port, *network = NULL;
	const json_t *binding;
	const char *kind;
	int code;

	port = get_under(ctl, "ports", words->word[0], &code);
	if (code)
		return code;
	binding = json_object_get(port, "binding");
	kind = text_of(binding, "kind");
	a.port = port;
	a.mac = text_of(port, "mac_address");
	a.host = text_of(binding, "host");
	a.device = text_of(binding, "device");
	if (ctl->options.json || !json_object_get(port, "network_id")) {
		tn_ctl_print_json(port);
	} else {
		code = learn(ctl, &a, &network, kind);
		if (!code) {
			print_port(&a, kind);
			print_attachment(&a, kind);
		}
	}
	json_decref(a.subnets);
	json_decref(a.hosts);
	json_decref(network);
	json_decref(port);
	return code;
}
