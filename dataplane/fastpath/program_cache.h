/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Compiled programs of a worker: what decide() wrote, turned into the few shapes that the hit path
 * knows, kept once for all sessions that do the same. One worker's own; counted references.
 *
 * A program outlives the snapshot it was decided on, so its ops' pointers (meters) are followed
 * only while a session that is not stale runs it. What it counted is reported by identity, never
 * written through a pointer.
 */
#ifndef TN_FASTPATH_PROGRAM_CACHE_H
#define TN_FASTPATH_PROGRAM_CACHE_H

#include "dataplane/core/program.h"
#include "dataplane/core/vxlan.h"

enum tn_fast_kind {
	TN_FAST_DROP,	/* ends without output: reason in `drop` */
	TN_FAST_OUTPUT, /* unchanged to one plain port */
	TN_FAST_ENCAP,	/* unchanged into one tunnel, by a header template over IPv4 */
	TN_FAST_ENCAP6, /* the same over IPv6 */
	TN_FAST_SLOW,	/* anything else: the action executor runs the ops */
};

#define TN_TEMPLATE_MAX 80u

#define TN_FAST_NO_TUNNEL 0xffffu

struct tn_fast_program {
	/* first line: what a hit reads and writes, with the session's */
	uint8_t kind;	       /* enum tn_fast_kind */
	uint8_t tos, tos_mask; /* of the template: outer TOS = (inner & tos_mask) | tos */
	uint8_t overhead;      /* bytes of the template; 0: none */
	uint8_t drop;	       /* DROP: enum tn_drop */
	bool by_entropy;       /* ENCAP*: another flow may get another next hop */
	uint16_t ip_sum;       /* over IPv4: sum of the outer header but for length and tos */
	union {
		struct {
			uint16_t out;	 /* index of the port by which the frame leaves */
			uint16_t tunnel; /* of the tunnel port, or TN_FAST_NO_TUNNEL */
		};
		uint32_t ports; /* both; DROP, SLOW: all ones */
	};
	uint32_t max_frame;	 /* longest frame that goes this way, if it has no tag */
	uint64_t packets, bytes; /* not reported yet */
	uint64_t last_used_ns;
	uint64_t hash;
	struct tn_fast_program *next; /* of the hash chain */
	uint32_t refs;
	uint32_t generation; /* of the tables that the shape was compiled by */
	/* second line */
	uint8_t template[TN_TEMPLATE_MAX];
	bool whole;	 /* SLOW: an op needs finished frames (struct tn_packet.offload) */
	bool asks_again; /* SLOW: an op may make the executor ask for a new program */
	bool learns;	 /* not SLOW: there are LEARN ops */
	uint32_t longer; /* OUTPUT, ENCAP*: frames of more than this are the executor's; 0: none */
	uint8_t network_of; /* enum tn_op_network of the one op; not SLOW */
	uint32_t network;   /* as tn_op's */
	/* SLOW with overhead: the template is of its one output into a tunnel, by these ports */
	uint16_t slow_out, slow_tunnel;
	/* the ops as decided, laid out as struct tn_program */
	struct tn_program_head {
		uint32_t n_ops;
	} head __attribute__((aligned(16)));
	struct tn_op ops[];
} __attribute__((aligned(64)));

TN_BUILD_ASSERT(offsetof(struct tn_fast_program, template) == 64, "a hit reads two lines");
TN_BUILD_ASSERT(offsetof(struct tn_fast_program, ops) - offsetof(struct tn_fast_program, head) ==
		offsetof(struct tn_program, ops),
	"head and ops read as a struct tn_program");

/* Its ops as the executor takes them; it changes them only when it may ask again. */
static inline struct tn_program *tn_fast_program_ops(const struct tn_fast_program *p)
{
	return (struct tn_program *)(uintptr_t)&p->head;
}

struct tn_program_cache;

struct tn_program_cache *tn_program_cache_new(void);
void tn_program_cache_free(struct tn_program_cache *c);

/* Turns ops into a shape: fills *shape up to and with its template. */
typedef void (*tn_compile_fn)(
	void *ctx, const struct tn_program *program, struct tn_fast_program *shape);

/*
 * The program with these ops, with one reference more; NULL: no memory. generation: of everything
 * that compile() reads beside the ops; it is called where no program of these ops was compiled in
 * that generation.
 */
struct tn_fast_program *tn_program_cache_get(struct tn_program_cache *c,
	const struct tn_program *program, uint32_t generation, tn_compile_fn compile, void *ctx);

/*
 * One reference less; at zero the program waits until what it counted was reported
 * (tn_program_cache_sweep) and is freed then.
 */
void tn_program_cache_put(struct tn_program_cache *c, struct tn_fast_program *p);

/*
 * Looks at up to `budget` programs, going round: calls report for each that counted something since
 * and clears its counts when report returns true; stops where it returns false. Frees those without
 * references. True: all programs that were there at tn_program_cache_sweep_begin() were seen.
 */
typedef bool (*tn_report_fn)(void *ctx, const struct tn_fast_program *p);
bool tn_program_cache_sweep(
	struct tn_program_cache *c, uint32_t budget, tn_report_fn report, void *ctx);
void tn_program_cache_sweep_begin(struct tn_program_cache *c);

/*
 * Of a program that runs without the executor, every COUNT op ran for every packet. True: op `i` is
 * one, and this is what it came to.
 */
bool tn_program_count(const struct tn_fast_program *p, uint32_t i, struct tn_count *count);
uint32_t tn_program_n_counts(const struct tn_fast_program *p);

uint32_t tn_program_cache_count(const struct tn_program_cache *c);
size_t tn_program_cache_memory(const struct tn_program_cache *c);

#endif
