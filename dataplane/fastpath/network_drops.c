/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/fastpath/network_drops.h"

#define PROBE 16u

TN_BUILD_ASSERT(TN_DROP_COUNT <= 256, "a reason is a byte of a place");

static void add(uint64_t *counter, uint64_t packets)
{
	__atomic_store_n(counter, *counter + packets, __ATOMIC_RELAXED);
}

void tn_network_drops_add(
	struct tn_network_drops *d, uint32_t network, enum tn_drop reason, uint64_t packets)
{
	uint64_t place = (uint64_t)network << 8 | reason;
	uint32_t at = (uint32_t)(place * UINT64_C(0x9e3779b97f4a7c15) >> 40);

	if (network == TN_DROPS_NO_NETWORK) {
		add(&d->none[reason], packets);
		return;
	}
	for (uint32_t i = 0; network != TN_DROPS_OTHER_NETWORKS && i < PROBE; i++, at++) {
		uint64_t *found = &d->slots[at % TN_NETWORK_DROPS_N].place;

		if (!*found)
			__atomic_store_n(found, place, __ATOMIC_RELAXED);
		if (*found == place) {
			add(&d->slots[at % TN_NETWORK_DROPS_N].packets, packets);
			return;
		}
	}
	add(&d->others[reason], packets);
}

static bool each_of(const uint64_t *counters, uint32_t network, tn_network_drop_fn fn, void *ctx)
{
	for (unsigned r = 1; r < TN_DROP_COUNT; r++) {
		uint64_t n = __atomic_load_n(&counters[r], __ATOMIC_RELAXED);

		if (n && !fn(ctx, network, (enum tn_drop)r, n))
			return false;
	}
	return true;
}

void tn_network_drops_each(const struct tn_network_drops *d, tn_network_drop_fn fn, void *ctx)
{
	if (!each_of(d->none, TN_DROPS_NO_NETWORK, fn, ctx) ||
		!each_of(d->others, TN_DROPS_OTHER_NETWORKS, fn, ctx))
		return;
	for (uint32_t i = 0; i < TN_NETWORK_DROPS_N; i++) {
		uint64_t place = __atomic_load_n(&d->slots[i].place, __ATOMIC_RELAXED);
		uint64_t n = __atomic_load_n(&d->slots[i].packets, __ATOMIC_RELAXED);

		if (n && !fn(ctx, (uint32_t)(place >> 8), (enum tn_drop)(place & 0xff), n))
			return;
	}
}
