/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/replay/run.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/replay/apply.h"
#include "tools/replay/diff.h"
#include "tools/replay/engine.h"
#include "tools/replay/memory.h"
#include "tools/replay/merge.h"
#include "tools/replay/outputs.h"
#include "tools/replay/progress.h"
#include "tools/replay/report.h"
#include "tools/replay/summary.h"
#include "tools/replay/text.h"
#include "tools/replay/trace.h"

/* Packets between two looks at the clock of the progress bar. */
#define PROGRESS_PACKETS 4096u

/* In the message that there is no such port. */
#define PORTS_NAMED 20u

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
	interrupted = number;
}

/* One configuration and what it is run with. */
struct side {
	struct tn_config config;
	struct tn_engine engine;
	bool loaded, applied;
	struct tn_replay_port **in; /* of each input */
};

/* A file of text that is written. */
struct sink {
	const char *path;
	FILE *f;    /* NULL: not wanted, or closed */
	int errnum; /* of the first write that failed */
};

struct run {
	const struct tn_options *o;
	struct side sides[2];
	unsigned n_sides;
	const char **paths; /* of the inputs, then of the configurations */
	size_t n_paths;
	struct tn_merge *merge;
	struct tn_capture_error input_error; /* when merge is NULL */
	struct sink report, trace, summary;
	struct tn_fate fate; /* for a trace without a comparison */
	struct tn_diff diff;
	struct tn_progress progress;
	uint64_t start_ns;
	bool complete;
};

/* Stops reading and finishes what is there; a second signal ends the program at once. */
static void catch_signals(void)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

/* The port and the file of "PORT=FILE"; NULL: there is no such port. A name has no '='. */
static const struct tn_model_port *split_input(
	const struct tn_config *c, const char *text, const char **path)
{
	const char *equals = strchr(text, '=');

	if (!equals)
		return NULL;
	*path = equals + 1;
	return tn_config_port(c, text, (size_t)(equals - text));
}

static void complain_of_input(const struct tn_config *c, const char *text)
{
	const char *equals = strchr(text, '=');

	if (!equals) {
		tn_complain("--in %s: write it as PORT=FILE", text);
		return;
	}
	tn_complain("--in %s: %s has no port %.*s", text, c->path, (int)(equals - text), text);
	for (size_t i = 0; i < c->doc.n_ports && i < PORTS_NAMED; i++)
		fprintf(stderr, "%s%s (%u)", i ? ", " : "  it has ", c->doc.ports[i].name,
			c->doc.ports[i].number);
	if (c->doc.n_ports)
		fputs(c->doc.n_ports > PORTS_NAMED ? ", ...\n" : "\n", stderr);
}

static int check_inputs(struct run *r)
{
	const struct tn_options *o = r->o;

	for (size_t i = 0; i < o->n_inputs; i++) {
		for (unsigned s = 0; s < r->n_sides; s++) {
			if (!split_input(&r->sides[s].config, o->inputs[i], &r->paths[i])) {
				complain_of_input(&r->sides[s].config, o->inputs[i]);
				return TN_EXIT_USAGE;
			}
		}
		if (!*r->paths[i]) {
			tn_complain("--in %s: names no file", o->inputs[i]);
			return TN_EXIT_USAGE;
		}
	}
	return TN_EXIT_OK;
}

static int load(struct run *r)
{
	const char *paths[2] = {r->o->config, r->o->diff};
	int code = TN_EXIT_OK;

	r->n_sides = r->o->diff ? 2 : 1;
	r->n_paths = r->o->n_inputs + r->n_sides;
	for (unsigned s = 0; s < r->n_sides; s++) {
		r->paths[r->o->n_inputs + s] = paths[s];
		r->sides[s].loaded = true;
		if (tn_config_load(&r->sides[s].config, paths[s], r->o->host))
			code = TN_EXIT_USAGE;
	}
	return code;
}

static int apply(struct run *r)
{
	int code = TN_EXIT_OK;

	for (unsigned s = 0; s < r->n_sides; s++) {
		struct side *side = &r->sides[s];

		if (tn_config_apply(&side->config, r->start_ns)) {
			code = TN_EXIT_USAGE;
			continue;
		}
		side->applied = true;
		if (tn_engine_init(&side->engine, &side->config, r->start_ns))
			code = TN_EXIT_USAGE;
	}
	return code;
}

static void find_ports(struct run *r, struct side *side)
{
	const char *path;

	side->in = tn_alloc(r->o->n_inputs * sizeof(struct tn_replay_port *));
	for (size_t i = 0; i < r->o->n_inputs; i++)
		side->in[i] = tn_engine_port(
			&side->engine, split_input(&side->config, r->o->inputs[i], &path)->number);
}

static bool open_sink(struct sink *s, const char *path)
{
	s->path = path;
	if (!path)
		return true;
	s->f = strcmp(path, "-") ? fopen(path, "we") : stdout;
	if (!s->f)
		tn_complain("%s: cannot write: %s", path, strerror(errno));
	return s->f;
}

/* A write failed just now. */
static bool sink_failed(struct sink *s)
{
	if (!s->errnum)
		s->errnum = errno ? errno : EIO;
	return false;
}

/* A full disk is found here at the latest. */
static bool close_sink(struct sink *s)
{
	if (!s->f)
		return true;
	if (ferror(s->f) || fflush(s->f))
		(void)sink_failed(s);
	if (s->f != stdout && fclose(s->f))
		(void)sink_failed(s);
	s->f = NULL;
	if (s->errnum)
		tn_complain("%s: cannot write: %s",
			strcmp(s->path, "-") ? s->path : "standard output", strerror(s->errnum));
	return !s->errnum;
}

static bool stdout_is_taken(const struct tn_options *o)
{
	return (o->report && !strcmp(o->report, "-")) || (o->trace && !strcmp(o->trace, "-"));
}

static int open_outputs(struct run *r)
{
	const struct tn_options *o = r->o;
	struct tn_engine *e = &r->sides[0].engine;
	const char *texts[] = {o->report, o->trace};

	for (unsigned i = 0; i < TN_ARRAY_SIZE(texts); i++) {
		if (texts[i] && tn_outputs_would_destroy(texts[i], r->paths, r->n_paths))
			return TN_EXIT_OUTPUT;
	}
	if (!open_sink(&r->report, o->report) || !open_sink(&r->trace, o->trace) ||
		!open_sink(&r->summary, stdout_is_taken(o) ? NULL : "-"))
		return TN_EXIT_OUTPUT;
	if (o->out && tn_outputs_open(e, o->out, r->paths, r->n_paths))
		return TN_EXIT_OUTPUT;
	if (o->diff) {
		tn_diff_init(&r->diff, e, &r->sides[1].engine);
		r->diff.lines = r->trace.f;
		r->diff.list = r->summary.f;
	} else if (r->trace.f) {
		e->fate = &r->fate;
	}
	for (unsigned s = 0; s < r->n_sides; s++)
		r->sides[s].engine.want_path = r->trace.f || r->report.f;
	return TN_EXIT_OK;
}

/* What is written of each packet. False: cannot write. */
static bool note_packet(struct run *r, const struct tn_merge_record *rec)
{
	struct tn_engine *e = &r->sides[0].engine;
	const struct tn_trace_frame frame = {
		.number = e->number,
		.time_ns = rec->frame.time_ns,
		.len = rec->frame.len,
		.wire_len = rec->frame.wire_len,
		.port = r->sides[0].in[rec->input],
	};
	json_t *line;
	bool ok;

	if (r->o->diff)
		return tn_diff_packet(&r->diff, &frame) ||
			sink_failed(r->trace.f && ferror(r->trace.f) ? &r->trace : &r->summary);
	line = tn_trace_frame_to_json(&frame);
	tn_trace_fate_to_json(e, e->fate, line);
	ok = tn_trace_print(r->trace.f, line) || sink_failed(&r->trace);
	json_decref(line);
	return ok;
}

/* All packets, or those until an input is broken, an output full, or a signal comes. */
static int run_packets(struct run *r)
{
	bool notes = r->sides[0].engine.fate != NULL;
	struct tn_merge_record rec;
	uint64_t packets = 0;
	int rc;

	while (!interrupted) {
		rc = tn_merge_next(r->merge, &rec, &r->input_error);
		if (rc != 1)
			return rc ? TN_EXIT_CAPTURE : TN_EXIT_OK;
		for (unsigned s = 0; s < r->n_sides; s++) {
			struct side *side = &r->sides[s];

			tn_engine_frame(&side->engine, side->in[rec.input], &rec.frame);
		}
		if (tn_unlikely(r->sides[0].engine.failed) || (notes && !note_packet(r, &rec)))
			return TN_EXIT_OUTPUT;
		if (++packets % PROGRESS_PACKETS == 0)
			tn_progress_update(&r->progress, tn_merge_progress(r->merge), packets);
	}
	return TN_EXIT_OK;
}

static int replay(struct run *r)
{
	int code = run_packets(r);

	tn_progress_clear(&r->progress);
	/* Also when a signal broke off a read. */
	if (interrupted)
		return TN_EXIT_INTERRUPTED + interrupted;
	if (code == TN_EXIT_CAPTURE)
		tn_complain("%s", r->input_error.text);
	r->complete = code == TN_EXIT_OK;
	return code;
}

static bool accounts_balance(const struct run *r)
{
	bool balances = true;

	for (unsigned s = 0; s < r->n_sides; s++) {
		const struct tn_account *a = &r->sides[s].engine.account;

		if (tn_account_balances(a))
			continue;
		balances = false;
		tn_complain("internal error, packets are not accounted for: received %" PRIu64
			    " + generated %" PRIu64 " + copies %" PRIu64 " is not sent %" PRIu64
			    " + consumed %" PRIu64 " + dropped %" PRIu64,
			a->received, a->generated, a->copies, a->sent, a->consumed, a->dropped);
	}
	return balances;
}

static void print_rate(struct run *r)
{
	uint64_t packets = r->sides[0].engine.account.received;
	double seconds = tn_progress_seconds(&r->progress);
	char number[TN_NUMBER_TEXT];

	tn_text_number(number, packets);
	fprintf(stderr, "tenon-replay: %s packets in %.3f s, %.2f million a second\n", number,
		seconds, seconds > 0 ? (double)packets / seconds / 1e6 : 0);
}

static void print_differing(const struct run *r, FILE *f)
{
	char differing[TN_NUMBER_TEXT], packets[TN_NUMBER_TEXT];

	tn_text_number(differing, r->diff.differing);
	tn_text_number(packets, r->diff.packets);
	fprintf(f, "%s of %s packets differ\n", differing, packets);
}

/* Reports on what was done, also when it was cut short. Returns the exit status. */
static int conclude(struct run *r, int code)
{
	const struct tn_options *o = r->o;
	const struct tn_report report = {
		.engine = &r->sides[0].engine,
		.diff = o->diff ? &r->diff : NULL,
		.start_ns = r->start_ns,
		.late = tn_merge_late(r->merge),
		.loops = o->loops,
		.complete = r->complete,
	};
	bool written = true;

	if (!accounts_balance(r))
		code = TN_EXIT_INTERNAL;
	if (tn_outputs_close(&r->sides[0].engine))
		written = false;
	if (r->report.f && !tn_report_print(r->report.f, &report))
		(void)sink_failed(&r->report);
	if (o->diff)
		print_differing(r, r->summary.f ? r->summary.f : stderr);
	else if (r->summary.f)
		tn_summary_print(r->summary.f, &report);
	written &= close_sink(&r->report);
	written &= close_sink(&r->trace);
	written &= close_sink(&r->summary);
	print_rate(r);
	if (code == TN_EXIT_OK && !written)
		return TN_EXIT_OUTPUT;
	return code == TN_EXIT_OK && r->diff.differing ? TN_EXIT_DIFFERENT : code;
}

/* --check: what a configuration that is right holds and needs. */
static int print_check(const struct run *r)
{
	for (unsigned s = 0; s < r->n_sides; s++) {
		const struct tn_config *c = &r->sides[s].config;
		uint32_t flows = tn_switch_flow_count(c->sw);
		size_t memory = tn_switch_memory(c->sw);

		printf("%s: valid; %zu ports, %u flow%s, %zu bytes of memory",
			strcmp(c->path, "-") ? c->path : "standard input", c->doc.n_ports, flows,
			flows == 1 ? "" : "s", memory);
		if (flows)
			printf(", %zu a flow", memory / flows);
		putchar('\n');
	}
	return fflush(stdout) ? TN_EXIT_OUTPUT : TN_EXIT_OK;
}

static int run(struct run *r)
{
	int code = load(r);

	if (!code)
		code = check_inputs(r);
	if (code)
		return code;
	if (!r->o->check) {
		r->merge = tn_merge_open(r->paths, r->o->n_inputs, r->o->loops, &r->input_error);
		r->start_ns = r->merge ? tn_merge_start(r->merge) : 0;
	}
	code = apply(r);
	if (code)
		return code;
	if (r->o->check)
		return print_check(r);
	if (!r->merge) {
		tn_complain("%s", r->input_error.text);
		return TN_EXIT_CAPTURE;
	}
	for (unsigned s = 0; s < r->n_sides; s++)
		find_ports(r, &r->sides[s]);
	catch_signals();
	code = open_outputs(r);
	if (code)
		return code;
	tn_progress_init(&r->progress, r->o->progress);
	return conclude(r, replay(r));
}

int tn_run(const struct tn_options *options)
{
	struct run r = {.o = options};
	int code;

	r.paths = tn_alloc((options->n_inputs + 2) * sizeof(*r.paths));
	tn_fate_init(&r.fate);
	code = run(&r);
	tn_diff_fini(&r.diff);
	tn_fate_fini(&r.fate);
	tn_merge_close(r.merge);
	for (unsigned s = 0; s < r.n_sides; s++) {
		struct side *side = &r.sides[s];

		if (side->applied)
			tn_engine_fini(&side->engine);
		if (side->loaded)
			tn_config_fini(&side->config);
		free(side->in);
	}
	free(r.paths);
	return code;
}
