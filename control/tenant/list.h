/* SPDX-License-Identifier: BSD-3-Clause */
/* Lists of things that hold their own links. */
#ifndef TN_TENANT_LIST_H
#define TN_TENANT_LIST_H

#include <stddef.h>

/* A head points to itself when nothing is in it; a link that is in no list has NULL. */
struct tn_list {
	struct tn_list *prev, *next;
};

static inline void tn_list_init(struct tn_list *head)
{
	head->prev = head->next = head;
}

static inline void tn_list_add(struct tn_list *head, struct tn_list *link)
{
	link->prev = head->prev;
	link->next = head;
	head->prev->next = link;
	head->prev = link;
}

static inline void tn_list_remove(struct tn_list *link)
{
	if (!link->next)
		return;
	link->prev->next = link->next;
	link->next->prev = link->prev;
	link->prev = link->next = NULL;
}

static inline int tn_list_is_empty(const struct tn_list *head)
{
	return head->next == head;
}

#define TN_LIST_OF(link, type, member) \
	((type *)(void *)((char *)(void *)(link)-offsetof(type, member)))

/* item is not taken out by the body. */
#define TN_LIST_EACH(item, head, type, member)                                                 \
	for (struct tn_list *at_##item = (head)->next;                                         \
		at_##item != (head) && ((item) = TN_LIST_OF(at_##item, type, member)) != NULL; \
		at_##item = at_##item->next)

#endif
