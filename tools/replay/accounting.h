/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Every packet is accounted for: received + generated + copies = sent + consumed + dropped. Drops
 * are kept by reason, ports, table, flow and network; memory follows the rules, not the packets.
 */
#ifndef TN_REPLAY_ACCOUNTING_H
#define TN_REPLAY_ACCOUNTING_H

#include "dataplane/core/drop.h"
#include "dataplane/core/types.h"
#include "dataplane/fastpath/network_drops.h"

/* Where and why packets ended. Numbers of ports, 0: none. */
struct tn_drop_place {
	uint64_t flow_id; /* 0: none */
	uint32_t in_port;
	uint32_t out_port; /* that the packet was to leave by */
	uint8_t reason;	   /* enum tn_drop */
	uint8_t table;	   /* TN_TABLE_ALL: none */
	uint8_t pad[2];
	uint32_t network; /* as tn_network_at() says */
};

struct tn_drop_row {
	struct tn_drop_place place;
	struct tn_counter counter;
};

struct tn_account {
	uint64_t received, generated, copies, sent, consumed, dropped;
	struct tn_counter reasons[TN_DROP_COUNT];
	/* Rows by hash of place, open addressing; slot = row + 1, 0: free. */
	struct tn_drop_row *rows;
	uint32_t n_rows;
	uint32_t *slots;
	uint32_t mask;
	uint32_t memo; /* row of the latest drop */
};

#define TN_DROP_ROWS_MAX 100000u /* further places are counted under their reason alone */

void tn_account_init(struct tn_account *a);
void tn_account_fini(struct tn_account *a);
void tn_account_drop(struct tn_account *a, const struct tn_drop_place *place, uint64_t bytes);

/* Sorts the rows: reason, in_port, out_port, table, flow, network. No drop may be counted after it.
 */
void tn_account_sort(struct tn_account *a);

/* False when the two sides differ: a bug. */
bool tn_account_balances(const struct tn_account *a);

#endif
