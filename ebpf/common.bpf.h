/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/* Maps and parsing that the programs share. For the bpf target alone. */
#ifndef TN_EBPF_COMMON_BPF_H
#define TN_EBPF_COMMON_BPF_H

#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "ebpf/session.h"

#define INLINE static __attribute__((always_inline)) inline

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, struct tn_ebpf_config);
} tenon_config SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, TN_EBPF_PORTS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, uint32_t);
	__type(value, struct tn_ebpf_port);
} tenon_ports SEC(".maps");

/* The same by the low bits of ifindex, for one interface of those that share them: no hashing. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, TN_EBPF_SLOTS);
	__type(key, uint32_t);
	__type(value, struct tn_ebpf_port);
} tenon_slots SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, TN_EBPF_SESSIONS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct tn_ebpf_key4);
	__type(value, struct tn_ebpf_session);
} tenon_session4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, TN_EBPF_SESSIONS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct tn_ebpf_key6);
	__type(value, struct tn_ebpf_session);
} tenon_session6 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, TN_EBPF_N_COUNTERS);
	__type(key, uint32_t);
	__type(value, uint64_t);
} tenon_counters SEC(".maps");

INLINE void count(uint32_t counter)
{
	uint64_t *n = bpf_map_lookup_elem(&tenon_counters, &counter);

	if (n)
		(*n)++;
}

/* NULL: the interface is none of ours. */
INLINE const struct tn_ebpf_port *port_of(uint32_t ifindex)
{
	uint32_t slot = ifindex & (TN_EBPF_SLOTS - 1);
	const struct tn_ebpf_port *port = bpf_map_lookup_elem(&tenon_slots, &slot);

	if (port && *(volatile const uint32_t *)&port->ifindex == ifindex)
		return port;
	return bpf_map_lookup_elem(&tenon_ports, &ifindex);
}

INLINE struct tn_ebpf_config *config(void)
{
	uint32_t zero = 0;

	return bpf_map_lookup_elem(&tenon_config, &zero);
}

#endif
