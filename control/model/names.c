/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/model/names.h"

#include <ctype.h>
#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#define N_TABLES 256
/* Suggestions look at no more names than this, and at no longer ones. */
#define NEAREST_MAX  1024u
#define DISTANCE_LEN 64u

/* A node of one of the trees: a name and its number. */
struct name {
	uint32_t number;
	char s[];
};

/* tsearch() trees are balanced, so names chosen by an adversary cost O(log n) like any other. */
struct tn_names {
	void *strings; /* struct name by s */
	struct name **by_number;
	uint32_t n_strings, room, max_strings;
	size_t bytes, max_bytes; /* of strings */
	void *ports_by_name, *ports_by_number;
	struct name **ports; /* in the order they were added */
	size_t n_ports;
	char *tables[N_TABLES];
};

static int compare_name(const void *a, const void *b)
{
	return strcmp(((const struct name *)a)->s, ((const struct name *)b)->s);
}

static int compare_number(const void *a, const void *b)
{
	uint32_t x = ((const struct name *)a)->number, y = ((const struct name *)b)->number;

	return (x > y) - (x < y);
}

static void *must(void *p)
{
	if (!p)
		abort();
	return p;
}

static struct name *new_name(const char *s, uint32_t number)
{
	size_t len = strlen(s) + 1;
	struct name *n = must(malloc(sizeof(*n) + len));

	n->number = number;
	memcpy(n->s, s, len);
	return n;
}

/* Keys of look-ups are whole nodes, because that is what the comparisons read. */
static struct name *find_name(void *const *tree, const char *s)
{
	char small[sizeof(struct name) + 256] __attribute__((aligned(8)));
	size_t len = strlen(s) + 1;
	struct name *key = (struct name *)(void *)small, **found;

	if (len > 256)
		key = must(malloc(sizeof(*key) + len));
	memcpy(key->s, s, len);
	found = tfind(key, tree, compare_name);
	if (len > 256)
		free(key);
	return found ? *found : NULL;
}

static struct name *find_number(void *const *tree, uint32_t number)
{
	struct name key = {.number = number}, **found = tfind(&key, tree, compare_number);

	return found ? *found : NULL;
}

static void keep(void *node)
{
	(void)node;
}

struct tn_names *tn_names_new(void)
{
	struct tn_names *n = must(calloc(1, sizeof(*n)));
	uint32_t zero;

	tn_names_limit(n, UINT32_MAX, SIZE_MAX);
	zero = tn_names_intern(n, "");

	TN_ASSERT(zero == 0);
	(void)zero;
	return n;
}

void tn_names_free(struct tn_names *n)
{
	size_t i;

	if (!n)
		return;
	tdestroy(n->strings, keep);
	tdestroy(n->ports_by_name, keep);
	tdestroy(n->ports_by_number, keep);
	for (i = 0; i < n->n_strings; i++)
		free(n->by_number[i]);
	for (i = 0; i < n->n_ports; i++)
		free(n->ports[i]);
	for (i = 0; i < N_TABLES; i++)
		free(n->tables[i]);
	free(n->by_number);
	free(n->ports);
	free(n);
}

uint32_t tn_names_intern(struct tn_names *n, const char *s)
{
	struct name *found = find_name(&n->strings, s);

	if (found)
		return found->number;
	if (n->n_strings >= n->max_strings || strlen(s) >= n->max_bytes - n->bytes)
		return 0;
	if (n->n_strings == n->room) {
		n->room = n->room ? n->room * 2 : 16;
		n->by_number = must(realloc(n->by_number, n->room * sizeof(*n->by_number)));
	}
	found = new_name(s, n->n_strings);
	must(tsearch(found, &n->strings, compare_name));
	n->by_number[n->n_strings] = found;
	n->bytes += strlen(s) + 1;
	return n->n_strings++;
}

void tn_names_limit(struct tn_names *n, uint32_t strings, size_t bytes)
{
	n->max_strings = strings;
	n->max_bytes = bytes > n->bytes ? bytes : n->bytes;
}

uint32_t tn_names_n_strings(const struct tn_names *n)
{
	return n->n_strings;
}

const char *tn_names_string(const struct tn_names *n, uint32_t number)
{
	return number < n->n_strings ? n->by_number[number]->s : "";
}

int tn_names_add_port(struct tn_names *n, const char *name, uint32_t number)
{
	struct name *port;

	if (find_name(&n->ports_by_name, name) || find_number(&n->ports_by_number, number))
		return -EEXIST;
	/* After removals this may give memory back, but never less than is needed. */
	if (!(n->n_ports & (n->n_ports - 1)))
		n->ports = must(
			realloc(n->ports, (n->n_ports ? n->n_ports * 2 : 1) * sizeof(*n->ports)));
	port = new_name(name, number);
	must(tsearch(port, &n->ports_by_name, compare_name));
	must(tsearch(port, &n->ports_by_number, compare_number));
	n->ports[n->n_ports++] = port;
	return 0;
}

void tn_names_remove_port(struct tn_names *n, uint32_t number)
{
	struct name *port = find_number(&n->ports_by_number, number);
	size_t i = 0;

	if (!port)
		return;
	tdelete(port, &n->ports_by_name, compare_name);
	tdelete(port, &n->ports_by_number, compare_number);
	while (n->ports[i] != port)
		i++;
	n->n_ports--;
	memmove(&n->ports[i], &n->ports[i + 1], (n->n_ports - i) * sizeof(*n->ports));
	free(port);
}

uint32_t tn_names_port_by_name(const struct tn_names *n, const char *name)
{
	const struct name *found = find_name(&n->ports_by_name, name);

	return found ? found->number : 0;
}

const char *tn_names_port_name(const struct tn_names *n, uint32_t number)
{
	const struct name *found = find_number(&n->ports_by_number, number);

	return found ? found->s : NULL;
}

const char *tn_names_nearest_port(const struct tn_names *n, const char *name)
{
	unsigned best = 5, d;
	const char *nearest = NULL;
	size_t i;

	for (i = 0; i < n->n_ports && i < NEAREST_MAX; i++) {
		d = tn_names_distance(name, n->ports[i]->s, 2);
		if (d < best) {
			best = d;
			nearest = n->ports[i]->s;
		}
	}
	return nearest;
}

int tn_names_add_table(struct tn_names *n, const char *name, uint8_t table_id)
{
	if (n->tables[table_id] || tn_names_table_by_name(n, name) >= 0)
		return -EEXIST;
	n->tables[table_id] = must(strdup(name));
	return 0;
}

void tn_names_remove_table(struct tn_names *n, uint8_t table_id)
{
	free(n->tables[table_id]);
	n->tables[table_id] = NULL;
}

int tn_names_table_by_name(const struct tn_names *n, const char *name)
{
	int i;

	for (i = 0; i < N_TABLES; i++)
		if (n->tables[i] && strcmp(n->tables[i], name) == 0)
			return i;
	return -1;
}

const char *tn_names_nearest_table(const struct tn_names *n, const char *name)
{
	unsigned best = 5, d;
	const char *nearest = NULL;

	for (size_t i = 0; i < N_TABLES; i++) {
		if (!n->tables[i])
			continue;
		d = tn_names_distance(name, n->tables[i], 2);
		if (d < best) {
			best = d;
			nearest = n->tables[i];
		}
	}
	return nearest;
}

const char *tn_names_table_name(const struct tn_names *n, uint8_t table_id)
{
	return n->tables[table_id];
}

static unsigned cost(char a, char b)
{
	if (a == b)
		return 0;
	return tolower((unsigned char)a) == tolower((unsigned char)b) ? 1 : 2;
}

static unsigned min2(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* The usual table of prefixes, three rows of it at a time. */
unsigned tn_names_distance(const char *a, const char *b, unsigned max)
{
	size_t la = strnlen(a, DISTANCE_LEN + 1), lb = strnlen(b, DISTANCE_LEN + 1), i, j;
	unsigned row[3][DISTANCE_LEN + 1], *old = row[0], *prev = row[1], *cur = row[2], *t;

	if (la > DISTANCE_LEN || lb > DISTANCE_LEN || (la > lb ? la - lb : lb - la) > max)
		return 2 * max + 1;
	for (j = 0; j <= lb; j++)
		prev[j] = 2 * (unsigned)j;
	for (i = 1; i <= la; i++) {
		cur[0] = 2 * (unsigned)i;
		for (j = 1; j <= lb; j++) {
			cur[j] = min2(prev[j - 1] + cost(a[i - 1], b[j - 1]),
				min2(prev[j], cur[j - 1]) + 2);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				cur[j] = min2(cur[j], old[j - 2] + 2);
		}
		t = old;
		old = prev;
		prev = cur;
		cur = t;
	}
	return prev[lb];
}
