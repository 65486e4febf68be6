/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/table/columns.h"

#include <string.h>

static struct tn_columns *columns_alloc(struct tn_cls_store *store, uint32_t n, uint32_t n_slots)
{
	uint32_t words = (n_slots + 63) / 64;
	size_t size = sizeof(struct tn_columns) + (size_t)n * 256 * words * sizeof(uint64_t);
	struct tn_columns *columns = tn_cls_alloc(store, size);

	if (!columns)
		return NULL;
	columns->size = size;
	columns->words = words;
	columns->n = n;
	return columns;
}

struct tn_columns *tn_columns_new(struct tn_cls_store *store, uint32_t n_slots)
{
	return columns_alloc(store, 0, n_slots);
}

/* Matches that are there already look at every value: no earlier one has looked at the byte. */
struct tn_columns *tn_columns_add(
	struct tn_cls_store *store, const struct tn_columns *columns, unsigned telling)
{
	uint32_t n = columns->n, rows = 256 * columns->words;
	struct tn_columns *wider = columns_alloc(store, n + 1, tn_columns_slots(columns));

	if (!wider)
		return NULL;
	memcpy(wider->byte, columns->byte, sizeof(wider->byte));
	wider->byte[n] = tn_telling_bytes[telling];
	wider->telling = columns->telling | 1u << telling;
	memcpy(wider->row, columns->row, (size_t)n * rows * sizeof(wider->row[0]));
	memset(&wider->row[n * rows], 0xff, rows * sizeof(wider->row[0]));
	return wider;
}

struct tn_columns *tn_columns_widen(
	struct tn_cls_store *store, const struct tn_columns *columns, uint32_t n_slots)
{
	struct tn_columns *wider = columns_alloc(store, columns->n, n_slots);
	uint32_t i;

	if (!wider)
		return NULL;
	memcpy(wider->byte, columns->byte, sizeof(wider->byte));
	wider->telling = columns->telling;
	for (i = 0; i < columns->n * 256; i++) {
		memcpy(&wider->row[i * wider->words], &columns->row[i * columns->words],
			columns->words * sizeof(wider->row[0]));
	}
	return wider;
}

struct tn_columns *tn_columns_blank(struct tn_cls_store *store, const struct tn_columns *columns)
{
	struct tn_columns *blank = columns_alloc(store, columns->n, 1);

	if (blank)
		memcpy(blank->byte, columns->byte, sizeof(blank->byte));
	return blank;
}

/* The shape's mask of one byte of the key. */
static uint8_t mask_byte(const struct tn_shape *shape, uint8_t byte)
{
	unsigned word = byte / 8u;
	uint64_t mask;

	if (!(shape->map >> word & 1))
		return 0;
	mask = shape->mask[__builtin_popcount(shape->map & ((1u << word) - 1))];
	return (uint8_t)(mask >> byte % 8 * 8);
}

static uint8_t value_byte(const struct tn_minimatch *mm, uint8_t byte)
{
	unsigned word = byte / 8u;
	uint64_t value = mm->value[__builtin_popcount(mm->shape->map & ((1u << word) - 1))];

	return (uint8_t)(value >> byte % 8 * 8);
}

int tn_columns_wanted(const struct tn_columns *columns, const struct tn_shape *shape)
{
	uint32_t wanted = shape->telling & ~columns->telling;

	return wanted && columns->n < TN_COLUMNS_MAX ? __builtin_ctz(wanted) : -1;
}

static void set_bit(struct tn_columns *columns, uint32_t column, unsigned value, uint32_t slot)
{
	uint64_t *word = &columns->row[(column * 256 + value) * columns->words + slot / 64];
	uint64_t bits = *word | UINT64_C(1) << slot % 64;

	if (bits != *word)
		tn_publish(word, bits);
}

static void set_column(struct tn_columns *columns, uint32_t column, uint32_t slot, uint32_t *wild,
	const struct tn_minimatch *mm)
{
	uint8_t byte = columns->byte[column], mask = mask_byte(mm->shape, byte), value;
	unsigned rest;

	if (*wild >> column & 1)
		return;
	if (!mask)
		*wild |= 1u << column;
	value = mask ? value_byte(mm, byte) : 0;
	/* Every number whose bits are all outside the mask. */
	for (rest = (uint8_t)~mask;; rest = (rest - 1) & (uint8_t)~mask) {
		set_bit(columns, column, value | rest, slot);
		if (!rest)
			return;
	}
}

void tn_columns_set(
	struct tn_columns *columns, uint32_t slot, uint32_t *wild, const struct tn_minimatch *mm)
{
	uint32_t i;

	for (i = 0; i < columns->n; i++)
		set_column(columns, i, slot, wild, mm);
}

void tn_columns_clear(struct tn_columns *columns, uint32_t slot)
{
	uint64_t *word = &columns->row[slot / 64];
	uint32_t i;

	for (i = 0; i < columns->n * 256; i++, word += columns->words)
		tn_publish(word, *word & ~(UINT64_C(1) << slot % 64));
}

void tn_columns_confine(struct tn_columns *columns, uint32_t slot, const struct tn_columns *exact)
{
	uint64_t *word = &columns->row[slot / 64];
	uint32_t i;

	for (i = 0; i < columns->n * 256; i++, word += columns->words) {
		if (!(exact->row[i] & 1))
			tn_publish(word, *word & ~(UINT64_C(1) << slot % 64));
	}
}
