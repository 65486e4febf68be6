/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/fastpath/program_cache.h"

#include <nmmintrin.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define HEADS_MIN   256u
#define EMPTY_HEADS 8u /* that a sweep looks at for the price of a program */

/*
 * Ordinary programs come from chunks, so that those of many flows lie close together and cost no
 * call of the allocator; what was freed waits for the next one of its size. Longer ones are
 * allocated one by one. A chunk is a huge page where the kernel has one to give.
 */
#define CHUNK_BYTES	(2u << 20)
#define CHUNKED_OPS_MAX 7u

struct chunk {
	struct chunk *next;
	uint32_t used; /* bytes */
} __attribute__((aligned(64)));

struct tn_program_cache {
	struct chunk *chunks;				    /* the first has room */
	struct tn_fast_program *spare[CHUNKED_OPS_MAX + 1]; /* by number of ops */
	struct tn_fast_program **heads;
	uint32_t mask;
	uint32_t n;
	uint32_t sweep_head; /* where the next sweep goes on */
	uint32_t sweep_left; /* heads until all that was there at its beginning was seen */
	size_t bytes;
};

struct tn_program_cache *tn_program_cache_new(void)
{
	struct tn_program_cache *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->heads = calloc(HEADS_MIN, sizeof(*c->heads));
	c->mask = HEADS_MIN - 1;
	if (!c->heads) {
		free(c);
		return NULL;
	}
	return c;
}

static size_t program_size(uint32_t n_ops)
{
	size_t size = sizeof(struct tn_fast_program) + n_ops * sizeof(struct tn_op);

	return (size + 63) & ~(size_t)63;
}

static void *add_chunk(struct tn_program_cache *c)
{
	struct chunk *chunk = aligned_alloc(CHUNK_BYTES, CHUNK_BYTES);

	if (!chunk)
		return NULL;
	(void)madvise(chunk, CHUNK_BYTES, MADV_HUGEPAGE);
	chunk->next = c->chunks;
	chunk->used = sizeof(*chunk);
	c->chunks = chunk;
	c->bytes += CHUNK_BYTES;
	return chunk;
}

static struct tn_fast_program *alloc_program(struct tn_program_cache *c, uint32_t n_ops)
{
	size_t size = program_size(n_ops);
	struct tn_fast_program *p;

	if (n_ops > CHUNKED_OPS_MAX) {
		p = aligned_alloc(64, size);
		c->bytes += p ? size : 0;
		return p;
	}
	p = c->spare[n_ops];
	if (p) {
		c->spare[n_ops] = p->next;
		return p;
	}
	if ((!c->chunks || c->chunks->used + size > CHUNK_BYTES) && !add_chunk(c))
		return NULL;
	p = (struct tn_fast_program *)(void *)((char *)c->chunks + c->chunks->used);
	c->chunks->used += (uint32_t)size;
	return p;
}

static void free_program(struct tn_program_cache *c, struct tn_fast_program *p)
{
	uint32_t n_ops = p->head.n_ops;

	if (n_ops > CHUNKED_OPS_MAX) {
		c->bytes -= program_size(n_ops);
		free(p);
		return;
	}
	p->next = c->spare[n_ops];
	c->spare[n_ops] = p;
}

void tn_program_cache_free(struct tn_program_cache *c)
{
	if (!c)
		return;
	for (uint32_t i = 0; i <= c->mask; i++) {
		while (c->heads[i]) {
			struct tn_fast_program *p = c->heads[i];

			c->heads[i] = p->next;
			free_program(c, p);
		}
	}
	while (c->chunks) {
		struct chunk *chunk = c->chunks;

		c->chunks = chunk->next;
		free(chunk);
	}
	free(c->heads);
	free(c);
}

TN_BUILD_ASSERT(sizeof(struct tn_op) % 16 == 0, "hashed two words at a time");

/* Only a choice of chain: who finds an equal hash compares the ops. */
static uint64_t hash_ops(const struct tn_op *ops, uint32_t n)
{
	const uint8_t *b = (const uint8_t *)ops, *end = (const uint8_t *)(ops + n);
	uint64_t low = n, high = ~low, v[2];

	for (; b < end; b += sizeof(v)) {
		memcpy(v, b, sizeof(v));
		low = _mm_crc32_u64(low, v[0]);
		high = _mm_crc32_u64(high, v[1]);
	}
	return (high << 32 | low) * UINT64_C(0x9e3779b97f4a7c15) >> 16;
}

static bool shape_equal(const struct tn_fast_program *a, const struct tn_fast_program *b)
{
	return !memcmp(a, b, offsetof(struct tn_fast_program, packets)) &&
		!memcmp(a->template, b->template,
			offsetof(struct tn_fast_program, head) -
				offsetof(struct tn_fast_program, template));
}

static void grow(struct tn_program_cache *c)
{
	uint32_t mask = c->mask * 2 + 1;
	struct tn_fast_program **heads = calloc((size_t)mask + 1, sizeof(*heads));

	if (!heads) /* longer chains, nothing lost */
		return;
	for (uint32_t i = 0; i <= c->mask; i++) {
		while (c->heads[i]) {
			struct tn_fast_program *p = c->heads[i];

			c->heads[i] = p->next;
			p->next = heads[p->hash & mask];
			heads[p->hash & mask] = p;
		}
	}
	free(c->heads);
	c->heads = heads;
	c->mask = mask;
	if (c->sweep_left) /* programs changed their places */
		c->sweep_left = mask + 1;
}

static struct tn_fast_program *add(struct tn_program_cache *c, uint64_t hash,
	const struct tn_program *program, const struct tn_fast_program *shape)
{
	struct tn_fast_program *p;

	if (c->n > c->mask)
		grow(c);
	p = alloc_program(c, program->n_ops);
	if (!p)
		return NULL;
	memcpy(p, shape, sizeof(*p));
	memcpy(p->ops, program->ops, program->n_ops * sizeof(program->ops[0]));
	p->head.n_ops = program->n_ops;
	p->packets = p->bytes = p->last_used_ns = 0;
	p->hash = hash;
	p->next = c->heads[hash & c->mask];
	c->heads[hash & c->mask] = p;
	c->n++;
	return p;
}

/*
 * Equal ops may be there in several shapes: sessions of an older generation keep theirs, and a
 * tunnel with several next hops has one a next hop.
 */
struct tn_fast_program *tn_program_cache_get(struct tn_program_cache *c,
	const struct tn_program *program, uint32_t generation, tn_compile_fn compile, void *ctx)
{
	size_t ops_size = program->n_ops * sizeof(program->ops[0]);
	uint64_t hash = hash_ops(program->ops, program->n_ops);
	struct tn_fast_program shape, *p;
	bool compiled = false;

	for (p = c->heads[hash & c->mask]; p; p = p->next) {
		if (p->hash != hash || p->head.n_ops != program->n_ops ||
			memcmp(p->ops, program->ops, ops_size) != 0)
			continue;
		if (p->generation == generation && !p->by_entropy)
			break;
		if (!compiled)
			compile(ctx, program, &shape);
		compiled = true;
		if (shape_equal(p, &shape))
			break;
	}
	if (!p) {
		if (!compiled)
			compile(ctx, program, &shape);
		shape.refs = 0;
		p = add(c, hash, program, &shape);
	}
	if (p) {
		p->generation = generation;
		p->refs++;
	}
	return p;
}

void tn_program_cache_put(struct tn_program_cache *c, struct tn_fast_program *p)
{
	(void)c;
	TN_ASSERT(p->refs);
	p->refs--;
}

/* One chain. Returns how many programs it looked at; -1: report refused. */
static int sweep_chain(
	struct tn_program_cache *c, struct tn_fast_program **link, tn_report_fn report, void *ctx)
{
	int seen = 0;

	while (*link) {
		struct tn_fast_program *p = *link;

		if (p->packets && !report(ctx, p))
			return -1;
		p->packets = p->bytes = 0;
		seen++;
		if (p->refs) {
			link = &p->next;
			continue;
		}
		*link = p->next;
		c->n--;
		free_program(c, p);
	}
	return seen;
}

bool tn_program_cache_sweep(
	struct tn_program_cache *c, uint32_t budget, tn_report_fn report, void *ctx)
{
	for (uint32_t heads = c->mask + 1; budget && heads; heads--) {
		int seen = sweep_chain(c, &c->heads[c->sweep_head & c->mask], report, ctx);
		uint32_t cost;

		if (seen < 0)
			break;
		cost = (uint32_t)seen + (heads % EMPTY_HEADS == 0);
		budget -= cost < budget ? cost : budget;
		c->sweep_head++;
		c->sweep_left -= c->sweep_left > 0;
	}
	return !c->sweep_left;
}

void tn_program_cache_sweep_begin(struct tn_program_cache *c)
{
	c->sweep_left = c->mask + 1;
}

bool tn_program_count(const struct tn_fast_program *p, uint32_t i, struct tn_count *count)
{
	const struct tn_op *op = &p->ops[i];

	if (op->type != TN_OP_COUNT)
		return false;
	*count = (struct tn_count){
		.id = op->count.id,
		.packets = op->count.no_packets ? 0 : p->packets,
		.bytes = op->count.no_bytes ? 0 : p->bytes,
		.last_used_ns = p->last_used_ns,
		.lookups = op->count.lookup ? p->packets : 0,
		.matches = op->count.lookup && op->count.id ? p->packets : 0,
		.table = op->table,
	};
	return true;
}

uint32_t tn_program_n_counts(const struct tn_fast_program *p)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < p->head.n_ops; i++)
		n += p->ops[i].type == TN_OP_COUNT;
	return n;
}

uint32_t tn_program_cache_count(const struct tn_program_cache *c)
{
	return c->n;
}

size_t tn_program_cache_memory(const struct tn_program_cache *c)
{
	return c->bytes + ((size_t)c->mask + 1) * sizeof(*c->heads);
}
