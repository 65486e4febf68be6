/* SPDX-License-Identifier: BSD-3-Clause */
/* tenonctl watch and top: what happens while one looks. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tools/tenonctl/commands.h"
#include "tools/tenonctl/flow_text.h"
#include "tools/tenonctl/say.h"

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
	(void)number;
	interrupted = 1;
}

static void catch_signals(void)
{
	struct sigaction action = {.sa_handler = on_signal};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

/* --- watch ------------------------------------------------------------------------------------ */

struct watching {
	struct tn_ctl *ctl;
	unsigned left; /* 0: without end */
};

/* What an event is about, in few words; the caller frees it. */
static char *describe(struct tn_ctl *ctl, const char *kind, const json_t *object)
{
	if (!json_is_object(object))
		return strdup("");
	return strcmp(kind, "flow") == 0 ? tn_ctl_flow_json_text(ctl, object)
					 : json_dumps(object, JSON_COMPACT);
}

static void print_event(struct tn_ctl *ctl, const json_t *event)
{
	char when[32], what[32], kind[32], why[32];
	const char *name = tn_ctl_text(event, "event", what);
	char *text =
		describe(ctl, tn_ctl_text(event, "kind", kind), json_object_get(event, "object"));

	tn_ctl_color(strcmp(name, "ADDED") == 0	       ? TN_CTL_GREEN
			: strcmp(name, "REMOVED") == 0 ? TN_CTL_RED
						       : TN_CTL_PLAIN);
	if (json_object_get(event, "time"))
		printf("%s ", tn_ctl_text(event, "time", when));
	printf("%s", name);
	if (json_object_get(event, "kind"))
		printf(" %s", tn_ctl_text(event, "kind", kind));
	if (json_is_string(json_object_get(event, "reason")))
		printf(" (%s)", tn_ctl_text(event, "reason", why));
	if (json_object_get(event, "lost"))
		printf(" lost %" PRIu64, tn_ctl_number(event, "lost"));
	putchar(' ');
	tn_ctl_print_clean(stdout, text);
	tn_ctl_color(TN_CTL_PLAIN);
	putchar('\n');
	free(text);
}

static bool take_event(void *ctx, const char *line, size_t len)
{
	struct watching *w = ctx;
	json_error_t err;
	json_t *event = json_loadb(line, len, 0, &err);
	const char *name = json_string_value(json_object_get(event, "event"));
	bool shown = event && name && strcmp(name, "HEARTBEAT") != 0;

	if (shown && w->ctl->options.json)
		printf("%.*s\n", (int)len, line);
	else if (shown)
		print_event(w->ctl, event);
	fflush(stdout);
	json_decref(event);
	if (shown && w->left && !--w->left)
		return false;
	return !interrupted && !ferror(stdout);
}

int tn_ctl_watch(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	struct watching w = {ctl, ctl->options.count};
	struct tn_ctl_answer answer;
	char *path, *kinds = ctl->options.kinds ? tn_ctl_escape(ctl->options.kinds) : NULL;
	int code = tn_ctl_learn_device(ctl);

	(void)words;
	path = tn_ctl_path("/v1/watch%s%s", kinds ? "?kinds=" : "", kinds ? kinds : "");
	free(kinds);
	catch_signals();
	if (!code && tn_ctl_http_lines(ctl->http, path, take_event, &w, &answer)) {
		code = TN_CTL_UNREACHABLE;
	} else if (!code) {
		if (answer.status != 200) {
			json_error_t err;
			json_t *problem = json_loadb(answer.body, answer.len, 0, &err);

			tn_ctl_say_problem(answer.status, problem);
			json_decref(problem);
			code = TN_CTL_REFUSED;
		} else if (!interrupted && !(ctl->options.count && !w.left)) {
			tn_ctl_say("the daemon ended the watch");
			code = TN_CTL_UNREACHABLE;
		}
		tn_ctl_answer_fini(&answer);
	}
	free(path);
	return code;
}

/* --- top -------------------------------------------------------------------------------------- */

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static const char *rate_text(double rate, char buf[32])
{
	static const char *const units[] = {"", "k", "M", "G", "T"};
	unsigned u = 0;

	while (rate >= 10000 && u + 1 < TN_ARRAY_SIZE(units)) {
		rate /= 1000;
		u++;
	}
	snprintf(buf, 32, "%.0f%s", rate, units[u]);
	return buf;
}

static const json_t *ports_of(const json_t *answer)
{
	return json_object_get(json_array_get(json_object_get(answer, "statistics"), 0), "ports");
}

/* The same port as it was before; NULL: it is new. */
static const json_t *same_port(const json_t *ports, uint64_t number)
{
	const json_t *port;
	size_t i;

	json_array_foreach(ports, i, port) if (tn_ctl_number(port, "port") == number) return port;
	return NULL;
}

static void add_rate(struct tn_ctl_table *t, const json_t *before, const json_t *port,
	const char *key, double factor)
{
	uint64_t was = before ? tn_ctl_number(before, key) : 0, is = tn_ctl_number(port, key);
	char buf[32];

	tn_ctl_table_add(t, "%s", rate_text(is > was ? (double)(is - was) * factor : 0, buf));
}

static void print_rates(
	struct tn_ctl *ctl, const json_t *before, const json_t *after, double seconds)
{
	static const char *const heads[] = {"PORT>", "NAME", "RX PKT/s>", "RX BIT/s>", "TX PKT/s>",
		"TX BIT/s>", "DROPS/s>", NULL};
	struct tn_ctl_table t;
	const json_t *port;
	size_t i;

	tn_ctl_table_init(&t, heads);
	json_array_foreach(ports_of(after), i, port)
	{
		uint64_t number = tn_ctl_number(port, "port");
		const json_t *was = same_port(ports_of(before), number);
		const char *name = tn_names_port_name(ctl->names, (uint32_t)number);

		tn_ctl_table_add(&t, "%" PRIu64, number);
		tn_ctl_table_add(&t, "%s", name ? name : "-");
		add_rate(&t, was, port, "packetsReceived", 1 / seconds);
		add_rate(&t, was, port, "bytesReceived", 8 / seconds);
		add_rate(&t, was, port, "packetsSent", 1 / seconds);
		add_rate(&t, was, port, "bytesSent", 8 / seconds);
		add_rate(&t, was, port, "packetsRxDropped", 1 / seconds);
	}
	if (isatty(STDOUT_FILENO))
		fputs("\033[H\033[2J", stdout);
	tn_ctl_table_print(&t);
	fflush(stdout);
}

int tn_ctl_top(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	struct timespec nap = {
		ctl->options.interval_ms / 1000, (long)(ctl->options.interval_ms % 1000) * 1000000};
	json_t *before, *after;
	double then, at;
	int code = tn_ctl_learn_device(ctl);

	(void)words;
	if (code)
		return code;
	catch_signals();
	code = tn_ctl_get(ctl, "/v1/statistics/ports", &before);
	then = now();
	for (unsigned n = 0;
		!code && !interrupted && (!ctl->options.count || n < ctl->options.count); n++) {
		if (nanosleep(&nap, NULL) && interrupted)
			break;
		code = tn_ctl_get(ctl, "/v1/statistics/ports", &after);
		at = now();
		if (code)
			break;
		print_rates(ctl, before, after, at - then);
		json_decref(before);
		before = after;
		then = at;
	}
	json_decref(before);
	return code;
}
