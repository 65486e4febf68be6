/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Meters of the kernel's sessions: each stands for one of the switch's, polices at the same rate
 * and tells what it counted. Packets that come up are metered by the switch's own bucket, so that a
 * meter of both lets pass a little more. Main thread, but for tn_kernel_meter_fits().
 */
#ifndef TN_AGENT_KERNEL_METERS_H
#define TN_AGENT_KERNEL_METERS_H

#include "dataplane/core/meter.h"
#include "dataplane/pipeline/snapshot.h"
#include "ebpf/loader.h"

struct tn_kernel_meters;

struct tn_kernel_meters *tn_kernel_meters_new(struct tn_ebpf *ebpf);
void tn_kernel_meters_free(struct tn_kernel_meters *m);

/* One band that drops, at a rate that the kernel reckons with. Any thread. */
bool tn_kernel_meter_fits(const struct tn_meter *meter);

/* For a session more. -ENOENT: the switch has no such meter that fits; -ENOSPC: all are taken. */
int tn_kernel_meters_take(struct tn_kernel_meters *m, const struct tn_snapshot *snapshot,
	uint32_t meter_id, uint32_t *index) TN_MUST_CHECK;
/* For one less. */
void tn_kernel_meters_drop(
	struct tn_kernel_meters *m, const struct tn_snapshot *snapshot, uint32_t index);

/* As the switch has them now. */
void tn_kernel_meters_follow(struct tn_kernel_meters *m, const struct tn_snapshot *snapshot);
/* What they counted since, to the switch's. */
void tn_kernel_meters_tell(struct tn_kernel_meters *m, const struct tn_snapshot *snapshot);

#endif
