/* SPDX-License-Identifier: BSD-3-Clause */
/* tenonctl watch: changes as they happen. */
#include "tools/tenonctl/watch.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/tenonctl/interrupt.h"
#include "tools/tenonctl/packet.h"
#include "tools/tenonctl/say.h"
#include "tools/tenonctl/share.h"

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
	(void)number;
	interrupted = 1;
}

void tn_ctl_catch_signals(void)
{
	struct sigaction action = {.sa_handler = on_signal};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

bool tn_ctl_interrupted(void)
{
	return interrupted;
}

/* --- an event --------------------------------------------------------------------------------- */

struct watching {
	struct tn_ctl *ctl;
	unsigned left; /* 0: without end */
	uint64_t last; /* sequence number */
};

/* "in_port=vm-a table=0, 98 bytes: icmp,..."; the caller frees it. */
static char *packet_in_text(struct tn_ctl *ctl, const json_t *object)
{
	const char *digits = json_string_value(json_object_get(object, "frame"));
	uint64_t port = tn_ctl_number(object, "inPort");
	const char *name =
		ctl->options.names ? tn_names_port_name(ctl->names, (uint32_t)port) : NULL;
	struct tn_ctl_packet packet;
	char number[24], *frame, *text;

	if (!digits || tn_ctl_packet_from_hex(digits, &packet))
		return NULL;
	frame = tn_ctl_packet_text(ctl, packet.bytes, packet.len);
	snprintf(number, sizeof(number), "%" PRIu64, port);
	text = tn_ctl_path("in_port=%s table=%" PRIu64 " %" PRIu64 " bytes: %s",
		name ? name : number, tn_ctl_number(object, "tableId"),
		tn_ctl_number(object, "totalLen"), frame);
	free(frame);
	return text;
}

/* What an event is about, in few words; the caller frees it. */
static char *describe(struct tn_ctl *ctl, const char *kind, json_t *object)
{
	char *text = NULL;

	if (!json_is_object(object))
		return strdup("");
	if (strcmp(kind, "packet-in") == 0)
		text = packet_in_text(ctl, object);
	return text ? text : tn_ctl_object_text(ctl, kind, object);
}

static enum tn_ctl_color color_of(const char *event)
{
	if (strcmp(event, "ADDED") == 0 || strcmp(event, "CONNECTED") == 0)
		return TN_CTL_GREEN;
	if (strcmp(event, "REMOVED") == 0 || strcmp(event, "DISCONNECTED") == 0)
		return TN_CTL_RED;
	if (strcmp(event, "MODIFIED") == 0 || strcmp(event, "PAUSED") == 0)
		return TN_CTL_YELLOW;
	return TN_CTL_PLAIN;
}

/* A port that appears in an event has its name from then on. */
static void learn(struct tn_ctl *ctl, const char *kind, const json_t *object)
{
	const char *name = json_string_value(json_object_get(object, "name"));
	uint32_t number = (uint32_t)tn_ctl_number(object, "number");

	if (strcmp(kind, "port") != 0 || !name || !number)
		return;
	tn_names_remove_port(ctl->names, number);
	(void)!tn_names_add_port(ctl->names, name, number);
}

static void print_event(struct tn_ctl *ctl, const json_t *event)
{
	char when[32], what[32], kind_buf[32], why[32];
	const char *name = tn_ctl_text(event, "event", what);
	const char *kind = tn_ctl_text(event, "kind", kind_buf);
	json_t *object = json_object_get(event, "object");
	char *text;

	learn(ctl, kind, object);
	text = describe(ctl, kind, object);
	if (json_object_get(event, "time"))
		printf("%s ", tn_ctl_text(event, "time", when));
	tn_ctl_color(color_of(name));
	tn_ctl_print_clean(stdout, name);
	tn_ctl_color(TN_CTL_PLAIN);
	if (json_object_get(event, "kind"))
		printf(" %s", kind);
	if (json_is_string(json_object_get(event, "reason")))
		printf(" (%s)", tn_ctl_text(event, "reason", why));
	if (json_object_get(event, "lost"))
		printf(" lost %" PRIu64, tn_ctl_number(event, "lost"));
	if (*text)
		putchar(' ');
	tn_ctl_print_clean(stdout, text);
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

	if (json_object_get(event, "seq"))
		w->last = tn_ctl_number(event, "seq");
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

/* --- the command ------------------------------------------------------------------------------ */

static char *watch_path(const struct tn_ctl_options *o)
{
	char *path = tn_ctl_path("/v1/watch");

	if (o->kinds)
		path = tn_ctl_query(path, "kinds", o->kinds);
	if (o->since)
		path = tn_ctl_query(path, "since", o->since);
	if (o->no_initial)
		path = tn_ctl_query(path, "initial", "false");
	return path;
}

int tn_ctl_watch(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	struct watching w = {ctl, ctl->options.count, 0};
	struct tn_ctl_answer answer;
	char *path;
	int code = tn_ctl_learn_device(ctl);

	(void)words;
	if (code)
		return code;
	tn_ctl_catch_signals();
	path = watch_path(&ctl->options);
	if (tn_ctl_http_lines(ctl->http, path, take_event, &w, &answer)) {
		code = interrupted ? TN_CTL_OK : TN_CTL_UNREACHABLE;
	} else {
		code = tn_ctl_judge(ctl, &answer);
		if (!code && !interrupted && !(ctl->options.count && !w.left)) {
			tn_ctl_say(
				"the daemon ended the watch; go on with --since %" PRIu64, w.last);
			code = TN_CTL_UNREACHABLE;
		}
		tn_ctl_answer_fini(&answer);
	}
	free(path);
	return code;
}
