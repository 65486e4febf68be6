/* SPDX-License-Identifier: BSD-3-Clause */
/* tenonctl top: rates of ports and flows, as they are now. */
#include "tools/tenonctl/top.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "tools/tenonctl/flow_text.h"
#include "tools/tenonctl/interrupt.h"
#include "tools/tenonctl/say.h"
#include "tools/tenonctl/share.h"

#define ROWS_DEFAULT 20u /* of flows, where there is no terminal to say */

/* --- the screen ------------------------------------------------------------------------------- */

static struct {
	bool on, keys;
	struct termios before;
} screen;

static void leave_screen(void)
{
	if (screen.on)
		fputs("\033[?1049l", stdout);
	if (screen.keys)
		tcsetattr(STDIN_FILENO, TCSANOW, &screen.before);
	fflush(stdout);
	screen.on = screen.keys = false;
}

static void enter_screen(bool json)
{
	struct termios now;

	if (json || !isatty(STDOUT_FILENO))
		return;
	/* One write a look: what is seen is whole. */
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	fputs("\033[?1049h", stdout);
	screen.on = true;
	if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &screen.before))
		return;
	now = screen.before;
	now.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	screen.keys = tcsetattr(STDIN_FILENO, TCSANOW, &now) == 0;
}

/* Room for rows of flows and, in a row, for the flow. */
static void measure(unsigned *rows, int *columns)
{
	struct winsize size;

	*rows = ROWS_DEFAULT;
	*columns = 1024;
	if (!screen.on || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size))
		return;
	if (size.ws_row >= 8)
		*rows = size.ws_row - 4u;
	if (size.ws_col >= 60)
		*columns = size.ws_col - 24;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Until then, or until q is pressed or a signal says to end: false. */
static bool wait_until(double then)
{
	struct pollfd keys = {.fd = screen.keys ? STDIN_FILENO : -1, .events = POLLIN};
	char key;

	for (;;) {
		double left = then - now();

		if (tn_ctl_interrupted())
			return false;
		if (left <= 0)
			return true;
		if (poll(&keys, 1, (int)(left * 1000) + 1) == 1 &&
			(read(STDIN_FILENO, &key, 1) != 1 || key == 'q'))
			return false;
	}
}

static void print_title(struct tn_ctl *ctl, const char *what)
{
	time_t seconds = time(NULL);
	char clock[16];
	struct tm tm;

	if (!screen.on)
		return;
	localtime_r(&seconds, &tm);
	strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
	printf("\033[H\033[2J%s of of:%016" PRIx64 " at %s, every %g s; q ends\n\n", what,
		ctl->dpid, clock, ctl->options.interval_ms / 1000.0);
}

/* Asks, shows, waits: what is shown is the difference of two looks. */
struct looking {
	const char *what, *path;
	/* *before: what the last look made, NULL at first; replaced by what this one makes. answer
	 * is freed; NULL: there is nothing more to show. */
	void (*show)(
		struct tn_ctl *ctl, void **before, struct tn_ctl_answer *answer, double seconds);
};

static int look_on(struct tn_ctl *ctl, const struct looking *looking)
{
	struct tn_ctl_answer answer = {0};
	void *before = NULL;
	double then = 0, at;
	int code = tn_ctl_learn_device(ctl);

	if (code)
		return code;
	tn_ctl_catch_signals();
	enter_screen(ctl->options.json);
	for (unsigned n = 0; !ctl->options.count || n <= ctl->options.count; n++) {
		if (n && !wait_until(then + ctl->options.interval_ms / 1000.0))
			break;
		code = tn_ctl_get_text(ctl, looking->path, &answer);
		at = now();
		if (code)
			break;
		if (n)
			print_title(ctl, looking->what);
		looking->show(ctl, &before, &answer, n ? at - then : 0);
		fflush(stdout);
		then = at;
	}
	looking->show(ctl, &before, NULL, 0);
	leave_screen();
	return code;
}

/* --- ports ------------------------------------------------------------------------------------ */

static const struct rate {
	const char *key, *json;
	double factor;
} rates[] = {
	{"packetsReceived", "packetsReceivedPerSecond", 1},
	{"bytesReceived", "bitsReceivedPerSecond", 8},
	{"packetsSent", "packetsSentPerSecond", 1},
	{"bytesSent", "bitsSentPerSecond", 8},
	{"packetsRxDropped", "packetsRxDroppedPerSecond", 1},
	{"packetsTxDropped", "packetsTxDroppedPerSecond", 1},
};
#define N_RATES TN_ARRAY_SIZE(rates)

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

static void rates_of(const json_t *before, const json_t *port, double seconds, double out[N_RATES])
{
	for (size_t k = 0; k < N_RATES; k++) {
		uint64_t was = tn_ctl_number(before, rates[k].key);
		uint64_t is = tn_ctl_number(port, rates[k].key);

		out[k] = before && is > was ? (double)(is - was) * rates[k].factor / seconds : 0;
	}
}

static void print_row(struct tn_ctl_table *t, const double values[N_RATES])
{
	char buf[32];

	for (size_t k = 0; k < N_RATES; k++) {
		bool alarm = k >= 4 && values[k] > 0;

		tn_ctl_table_paint(
			t, alarm ? TN_CTL_YELLOW : TN_CTL_PLAIN, tn_ctl_amount(values[k], buf));
	}
}

static void print_ports(
	struct tn_ctl *ctl, const json_t *before, const json_t *after, double seconds)
{
	static const char *const heads[] = {"PORT>", "NAME", "RX PACKET/s>", "RX BIT/s>",
		"TX PACKET/s>", "TX BIT/s>", "RX DROP/s>", "TX DROP/s>", NULL};
	double values[N_RATES], sums[N_RATES] = {0};
	struct tn_ctl_table t;
	const json_t *port;
	size_t i;

	tn_ctl_table_init(&t, heads);
	json_array_foreach(ports_of(after), i, port)
	{
		uint64_t number = tn_ctl_number(port, "port");
		const char *name = tn_names_port_name(ctl->names, (uint32_t)number);

		tn_ctl_table_add(&t, "%" PRIu64, number);
		tn_ctl_table_add(&t, "%s", name ? name : "-");
		rates_of(same_port(ports_of(before), number), port, seconds, values);
		print_row(&t, values);
		for (size_t k = 0; k < N_RATES; k++)
			sums[k] += values[k];
	}
	tn_ctl_table_add(&t, "%s", "");
	tn_ctl_table_add(&t, "all");
	print_row(&t, sums);
	tn_ctl_table_print(&t);
}

static void print_ports_json(
	struct tn_ctl *ctl, const json_t *before, const json_t *after, double seconds)
{
	json_t *list = json_array(),
	       *look = json_pack("{s:f,s:o}", "seconds", seconds, "ports", list);
	double values[N_RATES];
	const json_t *port;
	size_t i;

	json_array_foreach(ports_of(after), i, port)
	{
		uint64_t number = tn_ctl_number(port, "port");
		const char *name = tn_names_port_name(ctl->names, (uint32_t)number);
		json_t *o = json_pack("{s:I}", "port", (json_int_t)number);

		if (name)
			json_object_set_new(o, "name", json_string(name));
		rates_of(same_port(ports_of(before), number), port, seconds, values);
		for (size_t k = 0; k < N_RATES; k++)
			json_object_set_new(o, rates[k].json, json_real(values[k]));
		json_array_append_new(list, o);
	}
	json_dumpf(look, stdout, JSON_COMPACT | JSON_REAL_PRECISION(6));
	putchar('\n');
	json_decref(look);
}

static void show_ports(
	struct tn_ctl *ctl, void **before, struct tn_ctl_answer *answer, double seconds)
{
	json_error_t err;
	json_t *after = answer ? json_loadb(answer->body, answer->len, 0, &err) : NULL;

	if (answer)
		tn_ctl_answer_fini(answer);
	if (seconds > 0 && after)
		(ctl->options.json ? print_ports_json : print_ports)(ctl, *before, after, seconds);
	json_decref(*before);
	*before = after;
}

int tn_ctl_top_ports(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	static const struct looking looking = {"ports", "/v1/statistics/ports", show_ports};

	(void)words;
	return look_on(ctl, &looking);
}

/* --- flows ------------------------------------------------------------------------------------ */

struct flow {
	uint64_t id;
	struct tn_counter counter;
	double packets, bits; /* a second */
	char *text;	      /* NULL: not asked for */
};

struct flows {
	struct flow *list;
	size_t n, room;
	struct tn_ctl *ctl;
	const struct flows *before; /* sorted by id */
	double seconds;
};

static int compare_ids(const void *a, const void *b)
{
	uint64_t x = ((const struct flow *)a)->id, y = ((const struct flow *)b)->id;

	return (x > y) - (x < y);
}

static int compare_rates(const void *a, const void *b)
{
	double x = ((const struct flow *)a)->packets, y = ((const struct flow *)b)->packets;

	return x != y ? (x < y) - (x > y) : compare_ids(a, b);
}

static void sort(struct flows *f, int (*compare)(const void *a, const void *b))
{
	if (f->n)
		qsort(f->list, f->n, sizeof(*f->list), compare);
}

static void flows_free(struct flows *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->n; i++)
		free(f->list[i].text);
	free(f->list);
	free(f);
}

static void take_flow(void *ctx, const struct tn_ctl_flow *flow)
{
	const struct tn_counter *c = &flow->info.counter;
	struct flows *f = ctx;
	struct flow *new;
	const struct flow *was = NULL;

	if (f->n == f->room) {
		f->room = f->room ? 2 * f->room : 256;
		f->list = realloc(f->list, f->room * sizeof(*f->list));
		if (!f->list)
			abort();
	}
	new = &f->list[f->n++];
	*new = (struct flow){.id = flow->info.flow_id, .counter = *c};
	if (f->before)
		was = bsearch(new, f->before->list, f->before->n, sizeof(*new), compare_ids);
	if (!was || c->packets <= was->counter.packets)
		return;
	new->packets = (double)(c->packets - was->counter.packets) / f->seconds;
	new->bits = (double)(c->bytes - was->counter.bytes) * 8 / f->seconds;
	new->text = tn_ofctl_print_flow(
		&flow->info, f->ctl->options.names ? f->ctl->names : NULL, false, 0);
}

static void print_flows(struct flows *f)
{
	static const char *const heads[] = {"PACKET/s>", "BIT/s>", "FLOW", NULL};
	struct tn_ctl_table t;
	unsigned rows;
	int columns;
	char buf[32];

	measure(&rows, &columns);
	tn_ctl_table_init(&t, heads);
	for (size_t i = 0; i < f->n && i < rows && f->list[i].text; i++) {
		tn_ctl_table_add(&t, "%s", tn_ctl_amount(f->list[i].packets, buf));
		tn_ctl_table_add(&t, "%s", tn_ctl_amount(f->list[i].bits, buf));
		tn_ctl_table_add(&t, "%.*s", columns, f->list[i].text);
	}
	tn_ctl_table_print(&t);
}

static void print_flows_json(struct flows *f)
{
	json_t *list = json_array();
	json_t *look = json_pack("{s:f,s:o}", "seconds", f->seconds, "flows", list);

	for (size_t i = 0; i < f->n && i < ROWS_DEFAULT && f->list[i].text; i++) {
		char id[24];

		snprintf(id, sizeof(id), "%" PRId64, (int64_t)f->list[i].id);
		json_array_append_new(list,
			json_pack("{s:s,s:s,s:f,s:f}", "id", id, "flow", f->list[i].text,
				"packetsPerSecond", f->list[i].packets, "bitsPerSecond",
				f->list[i].bits));
	}
	json_dumpf(look, stdout, JSON_COMPACT | JSON_REAL_PRECISION(6));
	putchar('\n');
	json_decref(look);
}

static void show_flows(
	struct tn_ctl *ctl, void **before, struct tn_ctl_answer *answer, double seconds)
{
	struct flows *f = NULL;

	if (answer) {
		f = calloc(1, sizeof(*f));
		if (!f)
			abort();
		*f = (struct flows){.ctl = ctl, .before = *before, .seconds = seconds};
		(void)!tn_ctl_each_flow(ctl, answer->body, answer->len, take_flow, f);
		tn_ctl_answer_fini(answer);
	}
	if (f && seconds > 0) {
		sort(f, compare_rates);
		(ctl->options.json ? print_flows_json : print_flows)(f);
	}
	if (f)
		sort(f, compare_ids);
	flows_free(*before);
	*before = f;
}

int tn_ctl_top_flows(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	static const struct looking looking = {"busiest flows", "/v1/flows", show_flows};

	(void)words;
	return look_on(ctl, &looking);
}
