/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/table/priorities.h"

#include <errno.h>
#include <string.h>

#define PAGE 64

struct tn_priority_page {
	uint16_t number; /* priority / PAGE */
	uint32_t n_rules;
	uint32_t count[PAGE];
};

void tn_priorities_init(struct tn_priorities *p)
{
	*p = (struct tn_priorities){.highest = TN_NO_PRIORITY};
}

void tn_priorities_fini(struct tn_cls_store *store, struct tn_priorities *p)
{
	uint32_t i;

	for (i = 0; i < p->n_pages; i++)
		tn_cls_free(store, p->pages[i], sizeof(*p->pages[i]));
	tn_cls_free(store, p->pages, p->capacity * sizeof(*p->pages));
	tn_priorities_init(p);
}

/* Where the page is, or where it belongs. */
static uint32_t search(const struct tn_priorities *p, unsigned number)
{
	uint32_t low = 0, high = p->n_pages, middle;

	while (low < high) {
		middle = (low + high) / 2;
		if (p->pages[middle]->number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct tn_priority_page *page_find(const struct tn_priorities *p, unsigned number)
{
	uint32_t at = search(p, number);

	return at < p->n_pages && p->pages[at]->number == number ? p->pages[at] : NULL;
}

static int reserve_page(struct tn_cls_store *store, struct tn_priorities *p)
{
	uint32_t capacity = p->capacity ? 2 * p->capacity : 4;
	struct tn_priority_page **pages;

	if (p->n_pages < p->capacity)
		return 0;
	pages = tn_cls_alloc(store, capacity * sizeof(*pages));
	if (!pages)
		return -ENOMEM;
	if (p->n_pages)
		memcpy(pages, p->pages, p->n_pages * sizeof(*pages));
	tn_cls_free(store, p->pages, p->capacity * sizeof(*pages));
	p->pages = pages;
	p->capacity = capacity;
	return 0;
}

static struct tn_priority_page *page_get(
	struct tn_cls_store *store, struct tn_priorities *p, unsigned number)
{
	struct tn_priority_page *page = page_find(p, number);
	uint32_t at = search(p, number);

	if (page)
		return page;
	if (reserve_page(store, p) != 0)
		return NULL;
	page = tn_cls_alloc(store, sizeof(*page));
	if (!page)
		return NULL;
	page->number = (uint16_t)number;
	memmove(p->pages + at + 1, p->pages + at, (p->n_pages - at) * sizeof(*p->pages));
	p->pages[at] = page;
	p->n_pages++;
	return page;
}

static void page_put(struct tn_cls_store *store, struct tn_priorities *p, uint32_t at)
{
	tn_cls_free(store, p->pages[at], sizeof(*p->pages[at]));
	p->n_pages--;
	memmove(p->pages + at, p->pages + at + 1, (p->n_pages - at) * sizeof(*p->pages));
}

/* A second priority comes: from now on they are counted page by page. */
static int start_pages(struct tn_cls_store *store, struct tn_priorities *p)
{
	struct tn_priority_page *page = page_get(store, p, (unsigned)p->highest / PAGE);

	if (!page)
		return -ENOMEM;
	page->n_rules = p->n_rules;
	page->count[p->highest % PAGE] = p->n_rules;
	return 0;
}

int tn_priorities_add(struct tn_cls_store *store, struct tn_priorities *p, uint16_t priority)
{
	struct tn_priority_page *page;

	if (p->n_rules && !p->n_pages && priority != p->highest && start_pages(store, p) != 0)
		return -ENOMEM;
	if (p->n_pages) {
		page = page_get(store, p, priority / PAGE);
		if (!page)
			return -ENOMEM;
		page->n_rules++;
		page->count[priority % PAGE]++;
	}
	p->n_rules++;
	if (priority > p->highest)
		p->highest = priority;
	return 0;
}

static int highest_of(const struct tn_priority_page *page)
{
	unsigned i = PAGE;

	while (page->count[--i] == 0)
		;
	return page->number * PAGE + (int)i;
}

void tn_priorities_remove(struct tn_cls_store *store, struct tn_priorities *p, uint16_t priority)
{
	uint32_t at = search(p, priority / PAGE);

	if (--p->n_rules == 0) {
		tn_priorities_fini(store, p);
		return;
	}
	if (!p->n_pages)
		return;
	p->pages[at]->count[priority % PAGE]--;
	if (--p->pages[at]->n_rules == 0)
		page_put(store, p, at);
	p->highest = highest_of(p->pages[p->n_pages - 1]);
}

bool tn_priorities_has(const struct tn_priorities *p, uint16_t priority)
{
	const struct tn_priority_page *page;

	if (!p->n_pages)
		return p->n_rules && priority == p->highest;
	page = page_find(p, priority / PAGE);
	return page && page->count[priority % PAGE];
}
