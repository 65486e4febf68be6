/* SPDX-License-Identifier: BSD-3-Clause */
#include "ebpf/pins.h"

#include <dirent.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "ebpf/attach.h"
#include "ebpf/vxlan_device.h"

const char *const tn_ebpf_program_names[TN_EBPF_N_PROGRAMS] = {
	[TN_EBPF_FROM_PORT] = "tn_ebpf_from_port",
	[TN_EBPF_FROM_TUNNEL] = "tn_ebpf_from_tunnel",
	[TN_EBPF_FROM_UPLINK] = "tn_ebpf_from_uplink",
	[TN_EBPF_TO_PORT] = "tn_ebpf_to_port",
	[TN_EBPF_TO_TUNNEL] = "tn_ebpf_to_tunnel",
	[TN_EBPF_GUARD] = "tn_ebpf_guard",
};

static void path_of(char path[TN_EBPF_PINS_PATH], const char *dir, unsigned program)
{
	snprintf(path, TN_EBPF_PINS_PATH, "%s/%s", dir, tn_ebpf_program_names[program]);
}

static void path_before(
	char path[TN_EBPF_PINS_PATH], const char *dir, unsigned program, unsigned at)
{
	snprintf(
		path, TN_EBPF_PINS_PATH, "%s/%s_before%u", dir, tn_ebpf_program_names[program], at);
}

static int open_pin(const char *path)
{
	int fd = bpf_obj_get(path);

	return fd < 0 ? -1 : fd;
}

int tn_ebpf_pins_program(const char *dir, enum tn_ebpf_program program)
{
	char path[TN_EBPF_PINS_PATH];

	path_of(path, dir, program);
	return open_pin(path);
}

int tn_ebpf_pins_before(const char *dir, enum tn_ebpf_program program, unsigned at)
{
	char path[TN_EBPF_PINS_PATH];

	path_before(path, dir, program, at);
	return open_pin(path);
}

int tn_ebpf_pins_put(const char *dir, enum tn_ebpf_program program, int fd)
{
	char path[TN_EBPF_PINS_PATH], before[TN_EBPF_PINS_PATH];
	unsigned at = 0;

	path_of(path, dir, program);
	for (; at < TN_EBPF_BEFORE; at++) {
		path_before(before, dir, program, at);
		if (access(before, F_OK))
			break;
	}
	if (at == TN_EBPF_BEFORE)
		path_before(before, dir, program, 0);
	(void)unlink(before);
	(void)rename(path, before);
	return bpf_obj_pin(fd, path);
}

void tn_ebpf_pins_settle(const char *dir)
{
	char path[TN_EBPF_PINS_PATH];

	for (unsigned i = 0; i < TN_EBPF_N_PROGRAMS * TN_EBPF_BEFORE; i++) {
		path_before(path, dir, i / TN_EBPF_BEFORE, i % TN_EBPF_BEFORE);
		(void)unlink(path);
	}
}

static void detach_and_close(enum tn_ebpf_program program, int fd, uint32_t ifindex)
{
	tn_ebpf_detach_from(fd, program == TN_EBPF_GUARD, ifindex);
	if (fd >= 0)
		close(fd);
}

static void detach(const char *dir, uint32_t ifindex)
{
	for (unsigned i = 0; i < TN_EBPF_N_PROGRAMS; i++) {
		detach_and_close(i, tn_ebpf_pins_program(dir, i), ifindex);
		for (unsigned at = 0; at < TN_EBPF_BEFORE; at++)
			detach_and_close(i, tn_ebpf_pins_before(dir, i, at), ifindex);
	}
}

static bool is_vxlan_device(uint32_t ifindex)
{
	char name[IF_NAMESIZE];

	return if_indextoname(ifindex, name) && !strncmp(name, TN_VXLAN_DEVICE_PREFIX, 4);
}

/* Keys are ifindexes in every layout. */
static void detach_all(const char *dir)
{
	char path[TN_EBPF_PINS_PATH];
	uint32_t ifindex, next = 0;
	int ports, rc;

	snprintf(path, sizeof(path), "%s/tenon_ports", dir);
	ports = bpf_obj_get(path);
	rc = ports < 0 ? -1 : bpf_map_get_next_key(ports, NULL, &next);
	while (!rc) {
		ifindex = next;
		rc = bpf_map_get_next_key(ports, &ifindex, &next);
		detach(dir, ifindex);
		if (is_vxlan_device(ifindex))
			tn_vxlan_device_free(ifindex);
	}
	if (ports >= 0)
		close(ports);
}

static void unlink_all(const char *dir)
{
	char path[TN_EBPF_PINS_PATH + 256];
	DIR *open = opendir(dir);
	struct dirent *entry;

	while (open && (entry = readdir(open))) {
		snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
		if (*entry->d_name != '.')
			(void)unlink(path);
	}
	if (open)
		closedir(open);
}

int tn_ebpf_pins_wipe(const char *dir)
{
	if (access(dir, F_OK))
		return 0;
	detach_all(dir);
	unlink_all(dir);
	return rmdir(dir) ? -errno : 0;
}
