/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/model/free_numbers.h"

#include <stdlib.h>

void tn_free_numbers_init(struct tn_free_numbers *f, size_t room, uint32_t first)
{
	*f = (struct tn_free_numbers){
		.taken = malloc((room + 1) * sizeof(*f->taken)), .next = first};
	if (!f->taken)
		abort();
}

void tn_free_numbers_take(struct tn_free_numbers *f, uint32_t number)
{
	f->taken[f->n++] = number;
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

void tn_free_numbers_sort(struct tn_free_numbers *f)
{
	qsort(f->taken, f->n, sizeof(*f->taken), compare);
}

uint32_t tn_free_numbers_give(struct tn_free_numbers *f)
{
	while (f->at < f->n && f->taken[f->at] <= f->next)
		f->next += f->taken[f->at++] == f->next;
	return f->next++;
}

void tn_free_numbers_fini(struct tn_free_numbers *f)
{
	free(f->taken);
}
