/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/engine/index.h"

#include <stdlib.h>
#include <string.h>

#define CAP 64u

/* keys[i] is the least key of a leaf's item, or at most the least key below child i. */
struct tn_index_node {
	unsigned n;
	uint64_t keys[CAP];
	void *v[CAP]; /* values, or struct tn_index_node */
};

static struct tn_index_node *new_node(struct tn_index *x)
{
	struct tn_index_node *node = malloc(sizeof(*node));

	if (!node)
		abort();
	node->n = 0;
	x->n_nodes++;
	return node;
}

static void free_node(struct tn_index *x, struct tn_index_node *node)
{
	free(node);
	x->n_nodes--;
}

static void free_tree(struct tn_index *x, struct tn_index_node *node, unsigned height)
{
	for (unsigned i = 0; height && i < node->n; i++)
		free_tree(x, node->v[i], height - 1);
	free_node(x, node);
}

void tn_index_fini(struct tn_index *x)
{
	if (x->root)
		free_tree(x, x->root, x->height);
	*x = (struct tn_index){0};
}

/* How many keys of the node are not above the key. */
static unsigned rank(const struct tn_index_node *node, uint64_t key)
{
	unsigned low = 0, high = node->n;

	while (low < high) {
		unsigned middle = (low + high) / 2;

		if (node->keys[middle] <= key)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Which child a key belongs to. */
static unsigned child_of(const struct tn_index_node *node, uint64_t key)
{
	unsigned i = rank(node, key);

	return i ? i - 1 : 0;
}

void *tn_index_get(const struct tn_index *x, uint64_t key)
{
	const struct tn_index_node *node = x->root;
	unsigned i;

	if (!node)
		return NULL;
	for (unsigned h = x->height; h; h--)
		node = node->v[child_of(node, key)];
	i = rank(node, key);
	return i && node->keys[i - 1] == key ? node->v[i - 1] : NULL;
}

void *tn_index_from(const struct tn_index *x, uint64_t *key)
{
	const struct tn_index_node *node = x->root, *right = NULL;
	unsigned right_height = 0, i;

	if (!node)
		return NULL;
	for (unsigned h = x->height; h; h--) {
		i = child_of(node, *key);
		if (i + 1 < node->n) {
			right = node->v[i + 1];
			right_height = h - 1;
		}
		node = node->v[i];
	}
	i = rank(node, *key);
	if (i && node->keys[i - 1] == *key)
		return node->v[i - 1];
	if (i == node->n) {
		if (!right)
			return NULL;
		for (node = right; right_height; right_height--)
			node = node->v[0];
		i = 0;
	}
	*key = node->keys[i];
	return node->v[i];
}

static void open_gap(struct tn_index_node *node, unsigned at)
{
	memmove(&node->keys[at + 1], &node->keys[at], (node->n - at) * sizeof(node->keys[0]));
	memmove(&node->v[at + 1], &node->v[at], (node->n - at) * sizeof(node->v[0]));
	node->n++;
}

static void close_gap(struct tn_index_node *node, unsigned at)
{
	node->n--;
	memmove(&node->keys[at], &node->keys[at + 1], (node->n - at) * sizeof(node->keys[0]));
	memmove(&node->v[at], &node->v[at + 1], (node->n - at) * sizeof(node->v[0]));
}

/* The upper part in a new node. Keys that come in order leave full nodes behind. */
static struct tn_index_node *split(struct tn_index *x, struct tn_index_node *node, unsigned at)
{
	struct tn_index_node *right = new_node(x);
	unsigned keep = at == CAP ? CAP - 1 : CAP / 2;

	right->n = CAP - keep;
	memcpy(right->keys, &node->keys[keep], right->n * sizeof(node->keys[0]));
	memcpy(right->v, &node->v[keep], right->n * sizeof(node->v[0]));
	node->n = keep;
	return right;
}

/* Puts an item at a place; returns the node that was split off, if one had to be. */
static struct tn_index_node *insert_at(
	struct tn_index *x, struct tn_index_node *node, unsigned at, uint64_t key, void *v)
{
	struct tn_index_node *right = NULL, *to = node;

	if (node->n == CAP) {
		right = split(x, node, at);
		if (at > node->n) {
			at -= node->n;
			to = right;
		}
	}
	open_gap(to, at);
	to->keys[at] = key;
	to->v[at] = v;
	return right;
}

static struct tn_index_node *put(struct tn_index *x, struct tn_index_node *node, unsigned height,
	uint64_t key, void *value, void **old)
{
	struct tn_index_node *right;
	unsigned i;

	if (!height) {
		i = rank(node, key);
		if (i && node->keys[i - 1] == key) {
			*old = node->v[i - 1];
			node->v[i - 1] = value;
			return NULL;
		}
		return insert_at(x, node, i, key, value);
	}
	i = child_of(node, key);
	if (key < node->keys[i])
		node->keys[i] = key;
	right = put(x, node->v[i], height - 1, key, value, old);
	return right ? insert_at(x, node, i + 1, right->keys[0], right) : NULL;
}

void *tn_index_put(struct tn_index *x, uint64_t key, void *value)
{
	struct tn_index_node *right, *root;
	void *old = NULL;

	if (!x->root)
		x->root = new_node(x);
	right = put(x, x->root, x->height, key, value, &old);
	if (right) {
		root = new_node(x);
		root->n = 2;
		root->keys[0] = x->root->keys[0];
		root->v[0] = x->root;
		root->keys[1] = right->keys[0];
		root->v[1] = right;
		x->root = root;
		x->height++;
	}
	x->n += !old;
	return old;
}

/* Joins child i with the one after it where both are nearly empty. */
static void join(struct tn_index *x, struct tn_index_node *node, unsigned i)
{
	struct tn_index_node *left, *right;

	if (i + 1 >= node->n)
		return;
	left = node->v[i];
	right = node->v[i + 1];
	if (left->n + right->n > CAP / 2)
		return;
	memcpy(&left->keys[left->n], right->keys, right->n * sizeof(left->keys[0]));
	memcpy(&left->v[left->n], right->v, right->n * sizeof(left->v[0]));
	left->n += right->n;
	free_node(x, right);
	close_gap(node, i + 1);
}

static void *take(struct tn_index *x, struct tn_index_node *node, unsigned height, uint64_t key)
{
	struct tn_index_node *child;
	unsigned i;
	void *old;

	if (!height) {
		i = rank(node, key);
		if (!i || node->keys[i - 1] != key)
			return NULL;
		old = node->v[i - 1];
		close_gap(node, i - 1);
		return old;
	}
	i = child_of(node, key);
	child = node->v[i];
	old = take(x, child, height - 1, key);
	if (!old)
		return NULL;
	if (!child->n) {
		free_node(x, child);
		close_gap(node, i);
		return old;
	}
	join(x, node, i);
	if (i)
		join(x, node, i - 1);
	return old;
}

void *tn_index_remove(struct tn_index *x, uint64_t key)
{
	void *old = x->root ? take(x, x->root, x->height, key) : NULL;
	struct tn_index_node *root = x->root;

	if (!old)
		return NULL;
	x->n--;
	while (x->height && root->n == 1) {
		x->root = root->v[0];
		x->height--;
		free_node(x, root);
		root = x->root;
	}
	if (!root->n) {
		free_node(x, root);
		x->root = NULL;
		x->height = 0;
	}
	return old;
}

size_t tn_index_bytes(const struct tn_index *x)
{
	return x->n_nodes * sizeof(struct tn_index_node);
}
