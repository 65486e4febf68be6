/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/agent/recover.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const kind_names[] = {
	[TN_STATE_JOURNAL] = "journal", [TN_STATE_SNAPSHOT] = "snapshot"};

/* Sorted generations of one kind. */
struct generations {
	uint64_t *v;
	size_t n, size;
};

struct reading {
	struct tn_disk *d;
	struct tn_state *s;
	struct tn_recovery *r;
	struct tn_error *err;
	struct generations files[3]; /* by kind */
	bool no_memory;
	struct tn_record *group; /* records of the group under way */
	size_t n_group, group_size;
};

/* A file in memory, and where in it. */
struct file {
	enum tn_state_kind kind;
	uint64_t generation;
	uint8_t *bytes;
	size_t len, at;
	struct tn_state_header head;
};

void tn_state_file_name(char name[TN_STATE_NAME_MAX], enum tn_state_kind kind, uint64_t generation)
{
	snprintf(name, TN_STATE_NAME_MAX, "%s-%016" PRIx64, kind_names[kind], generation);
}

static void say(const struct reading *x, const char *fmt, ...) TN_PRINTF(2, 3);

static void say(const struct reading *x, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	if (!x->r->say)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	x->r->say(x->r->say_ctx, text);
}

static int no_memory(struct tn_error *err)
{
	tn_error_set(err, TN_OFPBRC_EPERM, -1, "out of memory while the state was read");
	return -ENOMEM;
}

/* --- what files there are --------------------------------------------------------------------- */

static void note_generation(struct reading *x, enum tn_state_kind kind, uint64_t generation)
{
	struct generations *g = &x->files[kind];
	size_t size = g->size ? g->size * 2 : 16;

	if (g->n == g->size) {
		uint64_t *v = reallocarray(g->v, size, sizeof(*v));

		if (!v) {
			x->no_memory = true;
			return;
		}
		g->v = v;
		g->size = size;
	}
	g->v[g->n++] = generation;
	if (generation > x->r->newest)
		x->r->newest = generation;
}

static void note_name(void *ctx, const char *name)
{
	struct reading *x = ctx;

	for (unsigned kind = TN_STATE_JOURNAL; kind <= TN_STATE_SNAPSHOT; kind++) {
		size_t prefix = strlen(kind_names[kind]);
		uint64_t generation;
		char again[TN_STATE_NAME_MAX];

		if (strncmp(name, kind_names[kind], prefix) != 0 || name[prefix] != '-')
			continue;
		generation = strtoull(name + prefix + 1, NULL, 16);
		tn_state_file_name(again, (enum tn_state_kind)kind, generation);
		if (generation && generation < x->r->until && !strcmp(name, again))
			note_generation(x, (enum tn_state_kind)kind, generation);
		/* The snapshot that is the state before journal `until` is the aim, not a source.
		 */
	}
}

static int compare_generations(const void *x, const void *y)
{
	uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;

	return (a > b) - (a < b);
}

static int list_files(struct reading *x)
{
	int rc = x->d->ops->list(x->d, note_name, x);

	if (rc) {
		tn_error_set(x->err, TN_OFPBRC_EPERM, -1, "%.150s: cannot be listed: %s",
			x->d->path, strerror(-rc));
		return rc;
	}
	if (x->no_memory)
		return no_memory(x->err);
	for (unsigned kind = TN_STATE_JOURNAL; kind <= TN_STATE_SNAPSHOT; kind++) {
		if (x->files[kind].n)
			qsort(x->files[kind].v, x->files[kind].n, sizeof(uint64_t),
				compare_generations);
	}
	return 0;
}

static bool has_generation(const struct reading *x, enum tn_state_kind kind, uint64_t generation)
{
	const struct generations *g = &x->files[kind];

	return g->n && bsearch(&generation, g->v, g->n, sizeof(*g->v), compare_generations);
}

/* --- damage ----------------------------------------------------------------------------------- */

static int set_aside(struct reading *x, enum tn_state_kind kind, uint64_t generation)
{
	struct tn_bad_file *bad = reallocarray(x->r->bad, x->r->n_bad + 1, sizeof(*bad));

	if (!bad)
		return no_memory(x->err);
	x->r->bad = bad;
	bad[x->r->n_bad++] = (struct tn_bad_file){kind, generation};
	x->r->damaged = true;
	return 0;
}

/* Says what is wrong where; the file will be kept aside. */
static int damage(struct reading *x, const struct file *f, const char *fmt, ...) TN_PRINTF(3, 4);

static int damage(struct reading *x, const struct file *f, const char *fmt, ...)
{
	char name[TN_STATE_NAME_MAX], what[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	tn_state_file_name(name, f->kind, f->generation);
	say(x, "DAMAGED: %s/%s at byte %zu: %s", x->d->path, name, f->at, what);
	return set_aside(x, f->kind, f->generation);
}

/* --- a file ----------------------------------------------------------------------------------- */

static void file_free(struct file *f)
{
	free(f->bytes);
}

static int newer_format(struct reading *x, const struct file *f)
{
	char name[TN_STATE_NAME_MAX];

	tn_state_file_name(name, f->kind, f->generation);
	return tn_error_set(x->err, TN_OFPBRC_EPERM, -1,
		"%.100s/%s has format %u and this program knows %u: run the release that wrote it, or "
		"give another folder with --state",
		x->d->path, name, f->head.format, TN_STATE_FORMAT);
}

static int other_switch(struct reading *x, const struct file *f)
{
	char name[TN_STATE_NAME_MAX];

	tn_state_file_name(name, f->kind, f->generation);
	return tn_error_set(x->err, TN_OFPBRC_EPERM, -1,
		"%.100s/%s is of the switch 0x%" PRIx64 " and files before it are of 0x%" PRIx64
		": take the files of one of the two out of the folder",
		x->d->path, name, f->head.dpid, x->r->dpid);
}

/*
 * Into memory, with its header. *good: the header is one of ours for that file. Otherwise *empty
 * says that nothing was written to it yet.
 */
static int file_load(struct reading *x, struct file *f, bool *good, bool *empty)
{
	char name[TN_STATE_NAME_MAX];
	int rc;

	*good = *empty = false;
	tn_state_file_name(name, f->kind, f->generation);
	rc = tn_disk_load(x->d, name, &f->bytes, &f->len);
	if (rc == -ENOMEM)
		return no_memory(x->err);
	if (rc)
		return damage(x, f, "cannot be read: %s", strerror(-rc));
	switch (tn_state_header_read(f->bytes, f->len, &f->head)) {
	case TN_READ_NONE:
		*empty = tn_record_all_zero(f->bytes, f->len);
		return 0;
	case TN_READ_BAD:
		return 0;
	case TN_READ_GOOD:
		break;
	}
	if (f->head.format != TN_STATE_FORMAT)
		return newer_format(x, f);
	if (x->r->dpid && f->head.dpid != x->r->dpid)
		return other_switch(x, f);
	*good = f->head.kind == f->kind && f->head.generation == f->generation;
	f->at = sizeof(f->head);
	return 0;
}

static int stopped(const struct reading *x)
{
	return x->r->stop && __atomic_load_n(x->r->stop, __ATOMIC_RELAXED) ? -ECANCELED : 0;
}

/* Adds a record to the group under way. */
static int group_add(struct reading *x, const struct tn_record *rec)
{
	size_t size = x->group_size ? x->group_size * 2 : 16;

	if (x->n_group == x->group_size) {
		struct tn_record *v = reallocarray(x->group, size, sizeof(*v));

		if (!v)
			return no_memory(x->err);
		x->group = v;
		x->group_size = size;
	}
	x->group[x->n_group++] = *rec;
	return 0;
}

/* --- snapshots -------------------------------------------------------------------------------- */

/* Walks over all records; 0: whole, 1: not, with f->at where. */
static int check_snapshot(struct file *f)
{
	uint64_t sequence = 1;
	struct tn_record rec;

	for (;; f->at = rec.next) {
		if (tn_record_read(f->bytes, f->len, f->at, &rec) != TN_READ_GOOD ||
			rec.head.sequence != sequence++ || rec.head.flags)
			return 1;
		if (rec.head.kind == TN_RECORD_END)
			return rec.next != f->len;
	}
}

static int apply_snapshot(struct reading *x, struct file *f)
{
	struct tn_record rec;
	int rc = 0;

	f->at = sizeof(f->head);
	while (!rc && tn_record_read(f->bytes, f->len, f->at, &rec) == TN_READ_GOOD) {
		rc = tn_state_apply(x->s, &rec, 1, x->err);
		if (rc == -EINVAL)
			rc = damage(
				x, f, "cannot be made again and is left out: %s", x->err->detail);
		if (!rc)
			rc = stopped(x);
		f->at = rec.next;
	}
	return rc;
}

/* *good: it was whole, and is applied. */
static int try_snapshot(struct reading *x, uint64_t generation, bool *good)
{
	struct file f = {.kind = TN_STATE_SNAPSHOT, .generation = generation};
	size_t n_bad = x->r->n_bad;
	bool empty;
	int rc = file_load(x, &f, good, &empty);

	if (!rc && x->r->n_bad == n_bad && (!*good || check_snapshot(&f))) {
		*good = false;
		rc = damage(x, &f, "the snapshot is not whole; an older one is looked for");
	}
	if (!rc && *good) {
		x->r->dpid = f.head.dpid;
		x->r->sequence = f.head.sequence;
		x->r->base = generation;
		x->r->snapshot_bytes = f.len;
		rc = apply_snapshot(x, &f);
	}
	file_free(&f);
	return rc;
}

static int find_snapshot(struct reading *x, bool *good)
{
	const struct generations *g = &x->files[TN_STATE_SNAPSHOT];
	int rc = 0;

	*good = false;
	for (size_t i = g->n; i-- > 0 && !rc && !*good;)
		rc = try_snapshot(x, g->v[i], good);
	return rc;
}

/* --- journals --------------------------------------------------------------------------------- */

/* Does a record behind this place say that the next one was on the disk? */
static bool was_durable(const struct reading *x, const struct file *f, struct tn_record *rec)
{
	size_t at = f->at;

	while (tn_record_find(f->bytes, f->len, at, rec)) {
		if (rec->head.durable > x->r->sequence && rec->head.sequence > x->r->sequence)
			return true;
		at = rec->next;
	}
	return false;
}

/* The journal's records end here: where they should, torn, or by damage. */
static int journal_ends(struct reading *x, struct file *f, size_t end)
{
	char name[TN_STATE_NAME_MAX];
	struct tn_record rec;
	size_t torn;

	if (was_durable(x, f, &rec))
		return damage(x, f,
			"change %" PRIu64 " is not whole, and change %" PRIu64
			" behind it is: all from there on is lost",
			x->r->sequence + 1, rec.head.sequence);
	for (torn = f->len; torn > end && !f->bytes[torn - 1]; torn--)
		;
	if (torn > end) {
		tn_state_file_name(name, f->kind, f->generation);
		say(x,
			"%s/%s: the last %zu bytes are of changes that were being written and not "
			"acknowledged: cut at byte %zu",
			x->d->path, name, torn - end, end);
	}
	return 0;
}

/* The records of one journal; *end: behind the last group that is whole. */
static int read_records(struct reading *x, struct file *f, size_t *end)
{
	uint64_t sequence = x->r->sequence;
	int rc = 0;

	*end = f->at;
	for (x->n_group = 0; !rc;) {
		struct tn_record rec;

		if (tn_record_read(f->bytes, f->len, f->at, &rec) != TN_READ_GOOD ||
			rec.head.sequence != sequence + 1)
			return journal_ends(x, f, *end);
		rc = group_add(x, &rec);
		f->at = rec.next;
		sequence++;
		if (rc || rec.head.flags & TN_RECORD_MORE)
			continue;
		rc = tn_state_apply(x->s, x->group, x->n_group, x->err);
		if (rc == -EINVAL) {
			f->at = x->group[0].at;
			return damage(x, f,
				"change %" PRIu64 " cannot be made again, all from there on is "
				"lost: %s",
				sequence, x->err->detail);
		}
		x->n_group = 0;
		if (!rc) {
			x->r->sequence = sequence;
			*end = f->at;
			rc = stopped(x);
		}
	}
	return rc;
}

static int bad_header(struct reading *x, struct file *f)
{
	struct tn_record rec;

	/* Written with the first records: without any of them nothing is lost. */
	if (!was_durable(x, f, &rec))
		return 0;
	return damage(x, f, "the header is not whole: all from change %" PRIu64 " on is lost",
		x->r->sequence + 1);
}

/* The end of the journal before this one is gone, without a trace in it. */
static int gap(struct reading *x, struct file *f)
{
	int rc = damage(x, f,
		"it begins with change %" PRIu64 ", and the journal before it ends with %" PRIu64
		" at byte %" PRIu64 ": all from there on is lost",
		f->head.sequence, x->r->sequence, x->r->end);

	if (rc || !has_generation(x, TN_STATE_JOURNAL, f->generation - 1))
		return rc;
	return set_aside(x, TN_STATE_JOURNAL, f->generation - 1);
}

static int read_good_journal(struct reading *x, struct file *f)
{
	size_t end = 0;
	int rc;

	if (f->head.sequence != x->r->sequence + 1)
		return gap(x, f);
	x->r->dpid = f->head.dpid;
	rc = read_records(x, f, &end);
	x->r->journal_bytes += end;
	x->r->journal = f->generation;
	x->r->end = end;
	return rc;
}

/* *more: there may be a next one. */
static int read_journal(struct reading *x, uint64_t generation, bool *more)
{
	struct file f = {.kind = TN_STATE_JOURNAL, .generation = generation};
	size_t n_bad = x->r->n_bad;
	bool good, empty;
	int rc = file_load(x, &f, &good, &empty);

	*more = false;
	if (!rc && x->r->n_bad == n_bad && !empty)
		rc = good ? read_good_journal(x, &f) : bad_header(x, &f);
	*more = good && x->r->n_bad == n_bad;
	file_free(&f);
	return rc;
}

/* Behind what is damaged or missing nothing can be used. An empty one was only made ready. */
static int pass_over(struct reading *x, uint64_t from)
{
	const struct generations *g = &x->files[TN_STATE_JOURNAL];
	int rc = 0;

	for (size_t i = 0; i < g->n && !rc; i++) {
		struct file f = {.kind = TN_STATE_JOURNAL, .generation = g->v[i]};
		struct tn_record rec;
		size_t n_bad = x->r->n_bad;
		bool good, empty;

		if (f.generation < from)
			continue;
		rc = file_load(x, &f, &good, &empty);
		if (!rc && x->r->n_bad == n_bad && !empty &&
			tn_record_find(f.bytes, f.len, 0, &rec))
			rc = damage(x, &f, "the changes before it are not there: it is not used");
		file_free(&f);
	}
	return rc;
}

static int read_journals(struct reading *x, uint64_t first)
{
	bool more = true;
	int rc = 0;

	while (more && !rc && has_generation(x, TN_STATE_JOURNAL, first))
		rc = read_journal(x, first++, &more);
	return rc ? rc : pass_over(x, first);
}

int tn_recover(struct tn_disk *d, struct tn_state *s, struct tn_recovery *r, struct tn_error *err)
{
	struct reading x = {.d = d, .s = s, .r = r, .err = err};
	bool good = false;
	int rc = list_files(&x);

	if (!rc)
		rc = find_snapshot(&x, &good);
	/* From the beginning, if the first journal is still there. */
	if (!rc)
		rc = read_journals(&x, good ? r->base : 1);
	if (r->n_bad)
		r->journal = 0;
	r->found = r->sequence > 0;
	if (!rc && !r->found && r->damaged)
		say(&x, "%s: NOTHING of the state could be used", d->path);
	free(x.group);
	free(x.files[TN_STATE_JOURNAL].v);
	free(x.files[TN_STATE_SNAPSHOT].v);
	return rc;
}

void tn_recovery_fini(struct tn_recovery *r)
{
	free(r->bad);
	r->bad = NULL;
	r->n_bad = 0;
}

int tn_recovery_set_aside(struct tn_disk *d, const struct tn_recovery *r)
{
	char from[TN_STATE_NAME_MAX], to[TN_STATE_NAME_MAX + 8];
	int rc = 0;

	for (size_t i = 0; i < r->n_bad && !rc; i++) {
		tn_state_file_name(from, r->bad[i].kind, r->bad[i].generation);
		snprintf(to, sizeof(to), "%s.damaged", from);
		rc = d->ops->rename(d, from, to);
		if (rc == -ENOENT)
			rc = 0; /* named twice */
	}
	return rc || !r->n_bad ? rc : d->ops->sync_folder(d);
}
