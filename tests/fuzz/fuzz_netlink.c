/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bytes -> messages of rtnetlink -> the kernel's network -> what the data plane is told. What is
 * decoded is in range; the network never grows past its bounds; what is told names uplinks alone.
 */
#include "control/underlay/decode.h"

#include <netlink/msg.h>
#include <stdlib.h>

#include "control/underlay/compose.h"
#include "tests/fuzz/fuzz.h"

#define ITEMS_MAX 32u

static void require_route(const struct tn_kernel_route *r)
{
	fuzz_require(r->prefix_len <= (r->is_ip4 ? 32 : 128));
	fuzz_require(!(r->prefix & ~tn_kernel_mask(r->prefix_len, r->is_ip4)));
	fuzz_require(tn_u128_is_ip4(r->prefix, &(uint32_t){0}) || !r->is_ip4);
	fuzz_require(r->n_hops <= TN_KERNEL_HOPS_MAX);
	for (uint32_t i = 0; i < r->n_hops; i++)
		fuzz_require(r->hops[i].weight != UINT16_MAX);
}

static void require_sense(const struct tn_kernel_event *e)
{
	switch (e->kind) {
	case TN_KERNEL_LINK:
		fuzz_require(strnlen(e->link.name, sizeof(e->link.name)) < sizeof(e->link.name));
		break;
	case TN_KERNEL_ADDRESS:
		fuzz_require(e->address.prefix_len <= (e->address.is_ip4 ? 32 : 128));
		break;
	case TN_KERNEL_ROUTE:
		require_route(&e->route);
		break;
	case TN_KERNEL_NEXTHOP:
		fuzz_require(e->nexthop.n_members <= TN_KERNEL_HOPS_MAX);
		break;
	case TN_KERNEL_NEIGHBOUR:
		fuzz_require(!e->neighbour.usable || !(e->neighbour.mac.b[0] & 1));
		break;
	case TN_KERNEL_N_KINDS:
		fuzz_require(false);
	}
}

static void require_told(const struct tn_kernel *k)
{
	static const struct tn_uplink uplinks[] = {{11, "up1"}, {12, "up2"}};
	struct tn_composed *c = tn_composed_new();
	const struct tn_underlay_config *u;

	fuzz_require(c && !tn_compose(c, k, uplinks, 2, NULL, 0));
	u = tn_composed_config(c);
	for (size_t i = 0; i < u->n_routes; i++)
		fuzz_require(u->routes[i].port == 11 || u->routes[i].port == 12 ||
			u->routes[i].port == TN_UNDERLAY_ELSEWHERE);
	for (size_t i = 0; i < u->n_addresses; i++)
		fuzz_require(u->addresses[i].port == 11 || u->addresses[i].port == 12);
	for (size_t i = 0; i < u->n_neighbours; i++)
		fuzz_require(u->neighbours[i].port == 11 || u->neighbours[i].port == 12);
	tn_composed_free(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct tn_decoded decoded;
	struct tn_kernel *k = tn_kernel_new(ITEMS_MAX);
	/* Of its size, so that a read past its end is seen. */
	uint8_t *copy = malloc(size + 1);
	struct nlmsghdr *m = (struct nlmsghdr *)copy;
	int left = (int)size;

	fuzz_require(k && copy);
	memcpy(copy, data, size);
	for (; nlmsg_ok(m, left); m = nlmsg_next(m, &left)) {
		if (!tn_netlink_decode(m, &decoded))
			continue;
		require_sense(&decoded.event);
		(void)tn_kernel_apply(k, &decoded.event, NULL);
		fuzz_require(tn_kernel_count(k, decoded.event.kind) <= ITEMS_MAX);
	}
	require_told(k);
	tn_kernel_free(k);
	free(copy);
	return 0;
}
