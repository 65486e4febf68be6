/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The lowest numbers that are free beside those that are taken, one after the other. Aborts when
 * the machine has no memory left.
 */
#ifndef TN_MODEL_FREE_NUMBERS_H
#define TN_MODEL_FREE_NUMBERS_H

#include <stddef.h>
#include <stdint.h>

struct tn_free_numbers {
	uint32_t *taken;
	size_t n, at;
	uint32_t next;
};

/* From `first` on; at most `room` are taken. */
void tn_free_numbers_init(struct tn_free_numbers *f, size_t room, uint32_t first);
/* In any order, and before the first one is given. */
void tn_free_numbers_take(struct tn_free_numbers *f, uint32_t number);
void tn_free_numbers_sort(struct tn_free_numbers *f);
/* After sort. */
uint32_t tn_free_numbers_give(struct tn_free_numbers *f);
void tn_free_numbers_fini(struct tn_free_numbers *f);

#endif
