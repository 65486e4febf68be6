/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The one action executor: runs a program over a packet view. Rewrites keep every checksum right
 * (IPv4 header; TCP, UDP with its zero rule, ICMP, ICMPv6 with pseudo headers; SCTP's CRC), on
 * fragments and cut captures too. No allocation: copies come from the environment.
 */
#ifndef TN_CORE_EXECUTE_H
#define TN_CORE_EXECUTE_H

#include "dataplane/core/parse.h"
#include "dataplane/core/program.h"
#include "dataplane/core/view.h"

/*
 * What the engine does with the results. The frame in `view` is the callee's only during the call
 * (it may write it only when `last`): a driver that keeps it takes a copy, or the buffer itself
 * when `last` is true.
 */
struct tn_exec_env {
	void *ctx;
	/*
	 * A packet leaves by a port. max_len and TRUNCATE are already applied to the view; h tells
	 * of the frame before that, so an offset in it may be beyond view->len.
	 */
	void (*output)(void *ctx, struct tn_view *view, const struct tn_headers *h,
		const struct tn_op *op, bool last);
	/* A packet-in; op is CONTROLLER, or DEC_TTL for INVALID_TTL (see reason). */
	void (*controller)(void *ctx, const struct tn_view *view, const struct tn_op *op,
		uint8_t reason, uint16_t max_len);
	/* A packet or a copy ends without being sent. */
	void (*drop)(
		void *ctx, const struct tn_view *view, enum tn_drop reason, const struct tn_op *op);
	/* Writable copy of view with at least TN_HEADROOM_MIN before it, or false: NO_BUFFER. */
	bool (*clone)(void *ctx, const struct tn_view *view, struct tn_view *copy);
	/* The clone is done. */
	void (*release)(void *ctx, struct tn_view *copy);
	/*
	 * Before a REPLY: TN_DROP_NONE, with the frame as the answer is to see it (of one that its
	 * sender left to be cut the first part, whole), or why there is none. NULL: as it is.
	 */
	enum tn_drop (*reply)(void *ctx, struct tn_view *view);
	/*
	 * For a REPLY that does not fit where the packet is: room for len bytes with
	 * TN_HEADROOM_MIN before it; what was there may be lost. false, or NULL: NO_BUFFER.
	 */
	bool (*room)(void *ctx, struct tn_view *view, uint32_t len);
	/* Length on the wire of a frame that is to be cut: of its first part. NULL: none is. */
	uint32_t (*wire_len)(void *ctx, const struct tn_view *view);
	/* A source address was seen. May be NULL. */
	void (*learn)(void *ctx, const struct tn_op *op);
	/* SNOOP: for each thing that the packet says. May be NULL. */
	void (*snoop)(void *ctx, const struct tn_snooped *snooped);
	/*
	 * A fact was added (the last of facts): write the program for the same packet again, in
	 * place. Ops up to and with the fact's own stay as they are, by decide()'s promise.
	 */
	void *decide_ctx;
	void (*decide_again)(
		void *decide_ctx, const struct tn_facts *facts, struct tn_program *program);
	/* In place of tn_meter_run(), where several threads share a meter. May be NULL. */
	enum tn_meter_verdict (*meter)(void *ctx, struct tn_meter *meter, uint64_t now_ns,
		uint32_t bytes, uint8_t *prec_level);
	/* A COUNT op, beside what its pointers are for; bytes: original_len. May be NULL. */
	void (*count)(void *ctx, const struct tn_op *op, uint32_t bytes);
	/* Every op before it runs, for traces. May be NULL. */
	void (*trace)(void *ctx, const struct tn_op *op);
	/* A packet that only might be: COUNT ops do nothing. */
	bool dry;
};

/*
 * Runs the whole program. now_ns: the packet's time, for meters and last_used. original_len: frame
 * length on the wire at reception, what counters and meters count. facts: caller storage, n = 0.
 *
 * How a branch (the packet, or one CLONE) ends:
 *   - an OUTPUT, CONTROLLER or CLONE with `last` takes the packet itself, no copy is made;
 *   - a DROP with `last` drops it; a DROP without `last` stands for a copy that nobody needs to
 *     make: it counts as one copy and one drop, and the branch goes on;
 *   - at the end of its ops without any of these, a branch that made a copy (an OUTPUT, CONTROLLER,
 *     CLONE or DROP without `last`) was used up by its last one, so one copy less is counted;
 *     a branch that made none is dropped, NO_ACTION;
 *   - METER, DEC_TTL and rewrites may drop it in the middle; the branch's other ops are skipped.
 * Returns how many copies were made, so that 1 + copies = outputs + packet-ins + drops.
 */
uint64_t tn_execute(struct tn_program *program, struct tn_view *view, struct tn_headers *h,
	uint64_t now_ns, uint32_t original_len, struct tn_facts *facts,
	const struct tn_exec_env *env);

#endif
