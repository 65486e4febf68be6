/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/agent/kernel_meters.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

/* Tokens of ten seconds, in billionths, are within 63 bits. */
#define RATE_MAX       UINT64_C(900000000)
#define BYTES_PER_KBIT 125u

struct entry {
	uint32_t meter_id, sessions; /* 0 sessions: free */
	struct tn_ebpf_meter said, told;
};

struct tn_kernel_meters {
	struct tn_ebpf *ebpf;
	struct entry entries[TN_EBPF_METERS_MAX];
};

struct tn_kernel_meters *tn_kernel_meters_new(struct tn_ebpf *ebpf)
{
	struct tn_kernel_meters *m = calloc(1, sizeof(*m));

	if (m)
		m->ebpf = ebpf;
	return m;
}

void tn_kernel_meters_free(struct tn_kernel_meters *m)
{
	free(m);
}

static uint64_t rate_of(const struct tn_meter *meter)
{
	uint64_t rate = meter->bands[0].config.rate;

	return meter->flags & TN_METER_KBPS ? rate * BYTES_PER_KBIT : rate;
}

bool tn_kernel_meter_fits(const struct tn_meter *meter)
{
	return meter->n_bands == 1 && meter->bands[0].config.type == TN_BAND_DROP &&
		rate_of(meter) <= RATE_MAX && meter->bands[0].capacity <= RATE_MAX;
}

/* Its bucket is full, as that of the switch's when it is made. */
static struct tn_ebpf_meter description(const struct tn_meter *meter)
{
	return (struct tn_ebpf_meter){
		.in_packets = (meter->flags & TN_METER_PKTPS) != 0,
		.rate = rate_of(meter),
		.burst = meter->bands[0].capacity,
	};
}

static bool is_same(const struct tn_ebpf_meter *a, const struct tn_ebpf_meter *b)
{
	return a->in_packets == b->in_packets && a->rate == b->rate && a->burst == b->burst;
}

/* Counts begin at zero, in the kernel too. */
static int say(struct tn_kernel_meters *m, uint32_t index, const struct tn_ebpf_meter *meter)
{
	struct entry *e = &m->entries[index];
	struct tn_error err;

	e->said = e->told = *meter;
	return tn_ebpf_set_meter(m->ebpf, index, meter, &err);
}

int tn_kernel_meters_take(struct tn_kernel_meters *m, const struct tn_snapshot *snapshot,
	uint32_t meter_id, uint32_t *index)
{
	const struct tn_meter *meter = tn_snapshot_meter(snapshot, meter_id);
	uint32_t free_one = TN_EBPF_METERS_MAX;
	struct tn_ebpf_meter as;

	if (!meter || !tn_kernel_meter_fits(meter))
		return -ENOENT;
	for (uint32_t i = 0; i < TN_EBPF_METERS_MAX; i++) {
		struct entry *e = &m->entries[i];

		if (e->sessions && e->meter_id == meter_id) {
			e->sessions++;
			*index = i;
			return 0;
		}
		if (!e->sessions && free_one == TN_EBPF_METERS_MAX)
			free_one = i;
	}
	if (free_one == TN_EBPF_METERS_MAX)
		return -ENOSPC;
	as = description(meter);
	if (say(m, free_one, &as))
		return -ENOSPC;
	m->entries[free_one].meter_id = meter_id;
	m->entries[free_one].sessions = 1;
	*index = free_one;
	return 0;
}

static void add(struct tn_counter *to, uint64_t packets, uint64_t bytes)
{
	to->packets += packets;
	to->bytes += bytes;
}

static void tell(struct tn_kernel_meters *m, const struct tn_snapshot *snapshot, uint32_t index)
{
	struct entry *e = &m->entries[index];
	struct tn_meter *meter = tn_snapshot_meter(snapshot, e->meter_id);
	struct tn_ebpf_meter now;

	if (!meter || tn_ebpf_get_meter(m->ebpf, index, &now))
		return;
	while (__atomic_exchange_n(&meter->busy, 1, __ATOMIC_ACQUIRE))
		sched_yield();
	add(&meter->counter, now.packets - e->told.packets, now.bytes - e->told.bytes);
	if (meter->n_bands == 1)
		add(&meter->bands[0].counter, now.dropped_packets - e->told.dropped_packets,
			now.dropped_bytes - e->told.dropped_bytes);
	__atomic_store_n(&meter->busy, 0, __ATOMIC_RELEASE);
	e->told = now;
}

void tn_kernel_meters_drop(
	struct tn_kernel_meters *m, const struct tn_snapshot *snapshot, uint32_t index)
{
	if (m->entries[index].sessions == 1)
		tell(m, snapshot, index);
	m->entries[index].sessions--;
}

void tn_kernel_meters_tell(struct tn_kernel_meters *m, const struct tn_snapshot *snapshot)
{
	for (uint32_t i = 0; i < TN_EBPF_METERS_MAX; i++) {
		if (m->entries[i].sessions)
			tell(m, snapshot, i);
	}
}

/* One that is gone, or is nothing for the kernel any more, lets nothing pass by old sessions. */
void tn_kernel_meters_follow(struct tn_kernel_meters *m, const struct tn_snapshot *snapshot)
{
	for (uint32_t i = 0; i < TN_EBPF_METERS_MAX; i++) {
		struct entry *e = &m->entries[i];
		const struct tn_meter *meter;
		struct tn_ebpf_meter as;

		if (!e->sessions)
			continue;
		meter = tn_snapshot_meter(snapshot, e->meter_id);
		if (!meter)
			continue; /* nor has any flow it: its sessions are none any more */
		as = description(meter);
		if (!is_same(&as, &e->said))
			(void)say(m, i, &as);
	}
}
