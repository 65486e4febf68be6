/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/northbound/memory.h"

#include <stdio.h>
#include <stdlib.h>

#include "control/northbound/answer.h"

struct entry {
	struct entry *next; /* from the oldest on */
	uint64_t call, since_ns;
	bool answered;
	uint8_t request[32]; /* hash of all that was asked for */
	char *key;	     /* name of the client, a newline, its key */
	unsigned status;
	const char *type;
	uint64_t etag;
	char *location;
	struct tn_text text;
};

struct tn_memory {
	struct entry *oldest, **end;
	size_t n, bytes;
};

struct tn_memory *tn_memory_new(void)
{
	struct tn_memory *m = calloc(1, sizeof(*m));

	if (!m)
		abort();
	m->end = &m->oldest;
	return m;
}

static void drop(struct tn_memory *m, struct entry **at)
{
	struct entry *e = *at;

	*at = e->next;
	if (m->end == &e->next)
		m->end = at;
	m->n--;
	m->bytes -= e->text.n;
	tn_text_fini(&e->text);
	free(e->location);
	free(e->key);
	free(e);
}

void tn_memory_free(struct tn_memory *m)
{
	if (!m)
		return;
	while (m->oldest)
		drop(m, &m->oldest);
	free(m);
}

size_t tn_memory_count(const struct tn_memory *m)
{
	return m->n;
}

void tn_memory_tick(struct tn_memory *m, uint64_t now_ns)
{
	while (m->oldest && now_ns - m->oldest->since_ns > TN_MEMORY_NS)
		drop(m, &m->oldest);
}

static void hash_request(const struct tn_call *c, uint8_t sha256[32])
{
	struct tn_text t = {0};

	tn_text_printf(&t, "%d %s%s", (int)c->method, c->onos ? "/onos" : "", c->path);
	for (size_t i = 0; i < c->n_query; i++)
		tn_text_printf(&t, "\n%s=%s", c->query[i].key, c->query[i].value);
	tn_text_printf(&t, "\n%s\n%s\n", c->if_match ? c->if_match : "",
		c->if_none_match ? c->if_none_match : "");
	tn_text_add(&t, c->body.p, c->body.n);
	tn_access_hash(t.p, t.n, sha256);
	tn_text_fini(&t);
}

static void answer_again(struct tn_call *c, const struct entry *e)
{
	c->etag = e->etag;
	c->location = e->location ? tn_arena_strdup(&c->arena, e->location) : NULL;
	tn_text_add(&c->text, e->text.p, e->text.n);
	if (e->type)
		tn_answer_text(c, e->status, e->type);
	else
		tn_answer_empty(c, e->status);
}

static struct entry **find(struct tn_memory *m, const char *key)
{
	struct entry **at = &m->oldest;

	while (*at && strcmp((*at)->key, key) != 0)
		at = &(*at)->next;
	return at;
}

static void remember(struct tn_memory *m, const struct tn_call *c, char *key, const uint8_t *sha256,
	uint64_t now)
{
	struct entry *e = calloc(1, sizeof(*e));

	if (!e)
		abort();
	if (m->n >= TN_MEMORY_ENTRIES)
		drop(m, &m->oldest);
	e->key = key;
	e->call = c->number;
	e->since_ns = now;
	memcpy(e->request, sha256, sizeof(e->request));
	*m->end = e;
	m->end = &e->next;
	m->n++;
}

bool tn_memory_begin(struct tn_memory *m, struct tn_call *c, uint64_t now_ns)
{
	uint8_t sha256[32];
	struct entry *e;
	char *key;

	tn_memory_tick(m, now_ns);
	if (!*c->idempotency_key || strlen(c->idempotency_key) > TN_MEMORY_KEY_MAX) {
		c->idempotency_key = NULL;
		tn_answer_error(c, 400, "Idempotency-Key has 1 to %u bytes", TN_MEMORY_KEY_MAX);
		return false;
	}
	if (asprintf(&key, "%s\n%s", c->who.name, c->idempotency_key) < 0)
		abort();
	hash_request(c, sha256);
	e = *find(m, key);
	if (!e) {
		remember(m, c, key, sha256, now_ns);
		return true;
	}
	free(key);
	c->idempotency_key = NULL; /* what is answered here is not kept */
	if (memcmp(e->request, sha256, sizeof(sha256)) != 0)
		tn_answer_error(c, 422,
			"this Idempotency-Key was given with another request before; make a new "
			"key for a new request");
	else if (!e->answered)
		tn_answer_error(c, 409,
			"the request with this Idempotency-Key is still under way; ask again");
	else
		answer_again(c, e);
	return false;
}

static struct entry **of_call(struct tn_memory *m, const struct tn_call *c)
{
	struct entry **at = &m->oldest;

	while (*at && (*at)->call != c->number)
		at = &(*at)->next;
	return at;
}

void tn_memory_forget(struct tn_memory *m, const struct tn_call *c)
{
	struct entry **at = c->idempotency_key ? of_call(m, c) : NULL;

	if (at && *at)
		drop(m, at);
}

void tn_memory_keep(struct tn_memory *m, const struct tn_call *c)
{
	struct entry **at = of_call(m, c), *e = *at;

	if (!e)
		return;
	if (c->status >= 500 || c->produce || c->text.n > TN_MEMORY_BYTES / 4) {
		drop(m, at);
		return;
	}
	e->answered = true;
	e->status = c->status;
	e->type = c->type;
	e->etag = c->etag;
	e->location = c->location ? strdup(c->location) : NULL;
	tn_text_add(&e->text, c->text.p, c->text.n);
	m->bytes += e->text.n;
	while (m->bytes > TN_MEMORY_BYTES && m->oldest && m->oldest != e)
		drop(m, &m->oldest);
}
