/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/replay/merge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/replay/memory.h"

/* Inputs of up to this many bytes are kept for the loops after the first. */
#define KEEP_BYTES (32u << 20)

struct input {
	const char *path;
	struct tn_capture_reader *reader;
	struct tn_capture_record frame; /* the next one; its time made monotonic */
	uint64_t last_ns;
};

/* A frame of the first loop, in the order it entered; its bytes follow. */
struct kept {
	size_t input;
	struct tn_capture_record frame;
};

struct tn_merge {
	struct input *inputs;
	size_t n_inputs;
	size_t *heap; /* inputs that have a frame, soonest first */
	size_t n_heap;
	bool advance; /* the frame on top was given out */

	uint64_t loops, loop;
	uint64_t n_frames; /* of one loop */
	uint64_t first_ns, last_ns, period_ns;
	uint64_t late;

	bool keeping;
	uint8_t *keep;
	size_t keep_len, keep_room, keep_at;
	bool failed;
	struct tn_capture_error err;
};

static bool sooner(const struct tn_merge *m, size_t a, size_t b)
{
	const struct input *x = &m->inputs[a], *y = &m->inputs[b];

	if (x->frame.time_ns != y->frame.time_ns)
		return x->frame.time_ns < y->frame.time_ns;
	return a < b;
}

static void heap_down(struct tn_merge *m, size_t i)
{
	size_t child, moved = m->heap[i];

	while ((child = 2 * i + 1) < m->n_heap) {
		if (child + 1 < m->n_heap && sooner(m, m->heap[child + 1], m->heap[child]))
			child++;
		if (!sooner(m, m->heap[child], moved))
			break;
		m->heap[i] = m->heap[child];
		i = child;
	}
	m->heap[i] = moved;
}

static int fail(struct tn_merge *m, struct tn_capture_error *err)
{
	m->failed = true;
	if (err)
		*err = m->err;
	return -1;
}

/* The input's next frame: 1, 0 at its end, -1. */
static int read_input(struct tn_merge *m, struct input *in)
{
	int rc = tn_capture_next(in->reader, &in->frame, &m->err);

	if (rc != 1)
		return rc;
	if (in->frame.time_ns < in->last_ns) {
		in->frame.time_ns = in->last_ns;
		m->late += m->loop == 0;
	}
	in->last_ns = in->frame.time_ns;
	return 1;
}

/* -1: one cannot be opened. A first frame that is broken is an error of the stream. */
static int open_inputs(struct tn_merge *m)
{
	m->n_heap = 0;
	m->advance = false;
	for (size_t i = 0; i < m->n_inputs; i++) {
		struct input *in = &m->inputs[i];
		int rc;

		tn_capture_close(in->reader);
		in->last_ns = 0;
		in->reader = tn_capture_open(in->path, &m->err);
		if (!in->reader)
			return -1;
		rc = read_input(m, in);
		if (rc < 0) {
			m->failed = true; /* tn_merge_next() says it */
			break;
		}
		if (rc)
			m->heap[m->n_heap++] = i;
	}
	for (size_t i = m->n_heap / 2; i-- > 0;)
		heap_down(m, i);
	return 0;
}

struct tn_merge *tn_merge_open(
	const char *const *paths, size_t n, uint64_t loops, struct tn_capture_error *err)
{
	struct tn_merge *m = tn_alloc(sizeof(*m));

	m->inputs = tn_alloc(n * sizeof(*m->inputs));
	m->heap = tn_alloc(n * sizeof(*m->heap));
	m->n_inputs = n;
	m->loops = loops;
	m->keeping = loops > 1;
	for (size_t i = 0; i < n; i++)
		m->inputs[i].path = paths[i];
	if (open_inputs(m)) {
		*err = m->err;
		tn_merge_close(m);
		return NULL;
	}
	if (m->n_heap)
		m->first_ns = m->inputs[m->heap[0]].frame.time_ns;
	m->last_ns = m->first_ns;
	return m;
}

void tn_merge_close(struct tn_merge *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->n_inputs; i++)
		tn_capture_close(m->inputs[i].reader);
	free(m->inputs);
	free(m->heap);
	free(m->keep);
	free(m);
}

static size_t kept_size(uint32_t len)
{
	return (sizeof(struct kept) + len + 15) & ~(size_t)15;
}

static void keep(struct tn_merge *m, const struct tn_merge_record *rec)
{
	size_t size = kept_size(rec->frame.len);
	struct kept k = {.input = rec->input, .frame = rec->frame};

	if (m->keep_len + size > KEEP_BYTES) {
		free(m->keep);
		m->keep = NULL;
		m->keeping = false;
		return;
	}
	if (m->keep_len + size > m->keep_room) {
		m->keep_room = m->keep_room ? m->keep_room * 2 : 65536;
		while (m->keep_room < m->keep_len + size)
			m->keep_room *= 2;
		m->keep = tn_realloc(m->keep, m->keep_room);
	}
	memcpy(m->keep + m->keep_len, &k, sizeof(k));
	memcpy(m->keep + m->keep_len + sizeof(k), rec->frame.data, rec->frame.len);
	m->keep_len += size;
}

/* The next frame of the files: 1, 0 at the end of all of them, -1. */
static int next_from_files(struct tn_merge *m, struct tn_merge_record *rec)
{
	int rc;

	if (m->advance) {
		rc = read_input(m, &m->inputs[m->heap[0]]);
		if (rc < 0)
			return -1;
		if (!rc)
			m->heap[0] = m->heap[--m->n_heap];
		if (m->n_heap)
			heap_down(m, 0);
	}
	m->advance = m->n_heap > 0;
	if (!m->n_heap)
		return 0;
	rec->input = m->heap[0];
	rec->frame = m->inputs[rec->input].frame;
	return 1;
}

static int next_kept(struct tn_merge *m, struct tn_merge_record *rec)
{
	struct kept k;

	if (m->keep_at == m->keep_len)
		return 0;
	memcpy(&k, m->keep + m->keep_at, sizeof(k));
	rec->input = k.input;
	rec->frame = k.frame;
	rec->frame.data = m->keep + m->keep_at + sizeof(k);
	m->keep_at += kept_size(k.frame.len);
	return 1;
}

/*
 * After a loop the next one starts one mean gap later, so that meters see the same rate across the
 * seam.
 */
static int begin_loop(struct tn_merge *m)
{
	uint64_t span = m->last_ns - m->first_ns;
	uint64_t gap = m->n_frames > 1 ? span / (m->n_frames - 1) : 1;
	uint64_t end;

	m->loop++;
	if (m->loop == 1)
		m->period_ns = span + (gap ? gap : 1);
	m->keep_at = 0;
	if (__builtin_mul_overflow(m->loop + 1, m->period_ns, &end) ||
		__builtin_add_overflow(end, m->first_ns, &end) || end > INT64_MAX) {
		snprintf(m->err.text, sizeof(m->err.text),
			"loop %llu would last beyond the year 2262: use fewer loops",
			(unsigned long long)m->loop + 1);
		return -1;
	}
	return m->keeping ? 0 : open_inputs(m);
}

int tn_merge_next(struct tn_merge *m, struct tn_merge_record *rec, struct tn_capture_error *err)
{
	int rc;

	while (!m->failed) {
		bool from_files = m->loop == 0 || !m->keeping;

		rc = from_files ? next_from_files(m, rec) : next_kept(m, rec);
		if (rc < 0)
			return fail(m, err);
		if (rc)
			break;
		if (!m->n_frames || m->loop + 1 >= m->loops)
			return 0;
		if (begin_loop(m))
			return fail(m, err);
	}
	if (m->failed)
		return fail(m, err);
	if (m->loop == 0) {
		m->n_frames++;
		m->last_ns = rec->frame.time_ns;
		if (m->keeping)
			keep(m, rec);
	} else {
		rec->frame.time_ns += m->loop * m->period_ns;
	}
	return 1;
}

uint64_t tn_merge_start(const struct tn_merge *m)
{
	return m->first_ns;
}

uint64_t tn_merge_late(const struct tn_merge *m)
{
	return m->late;
}

double tn_merge_progress(const struct tn_merge *m)
{
	uint64_t done = 0, total = 0, one_done, one_total;
	double part;

	for (size_t i = 0; i < m->n_inputs; i++) {
		tn_capture_progress(m->inputs[i].reader, &one_done, &one_total);
		if (!one_total)
			return -1;
		done += one_done;
		total += one_total;
	}
	part = total ? (double)done / (double)total : 0;
	if (m->loop && m->keeping)
		part = m->keep_len ? (double)m->keep_at / (double)m->keep_len : 0;
	return ((double)m->loop + part) / (double)m->loops;
}
