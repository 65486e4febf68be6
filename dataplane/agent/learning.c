/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/agent/learning.h"

#include <stdlib.h>
#include <string.h>

#define TOLD_SLOTS 1024u
#define TOLD_NS	   UINT64_C(1000000000)
#define BUDGETS	   1024u
#define NS_FOR_ONE (UINT64_C(1000000000) / TN_LEARNING_RATE)

/* What was told last of the addresses that share a slot. */
struct told {
	uint64_t told_ns;
	uint32_t epoch;
	struct tn_learnt learnt;
};

struct tn_learning {
	struct told told[TOLD_SLOTS];
	uint64_t spent_until[BUDGETS]; /* when all that was told will have been earned */
};

struct tn_learning *tn_learning_new(void)
{
	return calloc(1, sizeof(struct tn_learning));
}

void tn_learning_free(struct tn_learning *l)
{
	free(l);
}

static uint32_t mix(uint64_t a, uint64_t b)
{
	return (uint32_t)((a * UINT64_C(0x9e3779b97f4a7c15) ^ b * UINT64_C(0xd6e8feb86659fd93)) >>
		40);
}

static uint64_t address_of(const struct tn_learnt *learnt)
{
	uint64_t address = 0;

	memcpy(&address, learnt->mac.b, sizeof(learnt->mac.b));
	return address;
}

bool tn_learning_pays(struct tn_learning *l, uint32_t port, uint32_t network, uint64_t now_ns)
{
	uint64_t *spent_until = &l->spent_until[mix(port, network) % BUDGETS];

	if (*spent_until < now_ns)
		*spent_until = now_ns;
	if (*spent_until - now_ns >= TN_LEARNING_BURST * NS_FOR_ONE)
		return false;
	*spent_until += NS_FOR_ONE;
	return true;
}

/* The same of the same address, in the same state of its network. */
static bool was_told(const struct told *slot, const struct tn_learnt *learnt, uint32_t epoch)
{
	const struct tn_learnt *told = &slot->learnt;

	return address_of(told) == address_of(learnt) && told->network == learnt->network &&
		told->in_port == learnt->in_port && told->tunnel == learnt->tunnel &&
		told->circuit.number == learnt->circuit.number &&
		told->circuit_flow == learnt->circuit_flow && (learnt->late || !told->late) &&
		slot->epoch == epoch;
}

bool tn_learning_tells(
	struct tn_learning *l, const struct tn_learnt *learnt, uint32_t epoch, uint64_t now_ns)
{
	struct told *slot = &l->told[mix(address_of(learnt), learnt->network) % TOLD_SLOTS];

	if (was_told(slot, learnt, epoch) && now_ns - slot->told_ns < TOLD_NS)
		return false;
	if (!tn_learning_pays(l, learnt->in_port, learnt->network, now_ns))
		return false;
	*slot = (struct told){.told_ns = now_ns, .epoch = epoch, .learnt = *learnt};
	return true;
}
