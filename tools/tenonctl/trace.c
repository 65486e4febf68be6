/* SPDX-License-Identifier: BSD-3-Clause */
/* tenonctl trace and packet-out. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/model/ofctl.h"
#include "dataplane/core/parse.h"
#include "tools/tenonctl/commands.h"
#include "tools/tenonctl/flow_text.h"
#include "tools/tenonctl/packet.h"
#include "tools/tenonctl/say.h"

static char *hex(const struct tn_ctl_packet *packet)
{
	char *text = malloc(2 * packet->len + 1);

	if (!text)
		abort();
	for (uint32_t i = 0; i < packet->len; i++)
		snprintf(text + 2 * i, 3, "%02x", packet->bytes[i]);
	return text;
}

/* --- the packet ------------------------------------------------------------------------------- */

/* The port, and the frame that the fields beside it describe. */
static int read_words(struct tn_ctl *ctl, const struct tn_ctl_words *words, uint32_t *in_port,
	struct tn_ctl_packet *packet)
{
	const char *text = words->word[0], *second = words->n > 1 ? words->word[1] : NULL;
	struct tn_ctl_line line = {.text = text, .len = strlen(text)};
	struct tn_flow_mod fm;
	struct tn_ofctl o;
	int rc;

	tn_ctl_reader(ctl, 0, &o);
	if (tn_ofctl_parse_flow(&o, TN_OFCTL_FILTER, text, strlen(text), &fm)) {
		tn_ctl_say_diagnostics(ctl, &line);
		return TN_CTL_USAGE;
	}
	*in_port = (uint32_t)tn_match_value(&fm.match, TN_FIELD_IN_PORT);
	if (!*in_port) {
		tn_ctl_say("say where the packet comes in: in_port=PORT,...");
		return TN_CTL_USAGE;
	}
	if (!second)
		rc = tn_ctl_packet_from_match(&fm.match, packet);
	else if (access(second, R_OK) == 0)
		rc = tn_ctl_packet_from_capture(second, ctl->options.packet, packet);
	else
		rc = tn_ctl_packet_from_hex(second, packet);
	return rc ? TN_CTL_USAGE : TN_CTL_OK;
}

/* --- packet-out ------------------------------------------------------------------------------- */

/* in_port=P,packet=HEX,actions=..: the three parts, which point into the word. */
struct packet_out {
	const char *port, *packet, *actions;
	size_t port_len, packet_len;
};

static bool split_packet_out(const char *word, struct packet_out *p)
{
	const char *at = word;

	*p = (struct packet_out){0};
	while (*at) {
		size_t n = strcspn(at, ", ");

		if (strncmp(at, "in_port=", 8) == 0) {
			p->port = at + 8;
			p->port_len = n - 8;
		} else if (strncmp(at, "packet=", 7) == 0) {
			p->packet = at + 7;
			p->packet_len = n - 7;
		} else if (strncmp(at, "actions=", 8) == 0) {
			p->actions = at + 8;
			break;
		} else if (n) {
			tn_ctl_say("\"%.*s\": a packet-out has in_port=PORT, packet=HEX and "
				   "actions=...",
				n < 40 ? (int)n : 40, at);
			return false;
		}
		at += n + (at[n] != '\0');
	}
	if (p->packet && p->actions)
		return true;
	tn_ctl_say("a packet-out needs packet=HEX and, last, actions=...");
	return false;
}

static int packet_out_port(struct tn_ctl *ctl, const struct packet_out *p, uint32_t *port)
{
	char name[64];

	*port = TN_PORT_CONTROLLER;
	if (!p->port)
		return TN_CTL_OK;
	snprintf(name, sizeof(name), "%.*s", (int)p->port_len, p->port);
	if (strcasecmp(name, "controller") == 0)
		return TN_CTL_OK;
	*port = tn_ctl_port_number(ctl, name);
	return *port ? TN_CTL_OK : TN_CTL_USAGE;
}

int tn_ctl_packet_out(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	struct tn_codec codec;
	struct tn_ctl_packet packet;
	struct tn_ctl_line line;
	const struct tn_action *actions;
	struct packet_out p;
	struct tn_ofctl o;
	json_t *body, *answer = NULL;
	char *digits;
	uint32_t port;
	size_t n;
	int code = tn_ctl_learn_device(ctl);

	if (code)
		return code;
	if (!split_packet_out(words->word[0], &p) || packet_out_port(ctl, &p, &port))
		return TN_CTL_USAGE;
	line = (struct tn_ctl_line){.text = p.actions, .len = strlen(p.actions)};
	tn_ctl_reader(ctl, 0, &o);
	if (tn_ofctl_parse_actions(&o, line.text, line.len, &actions, &n)) {
		tn_ctl_say_diagnostics(ctl, &line);
		return TN_CTL_USAGE;
	}
	digits = strndup(p.packet, p.packet_len);
	code = !digits || tn_ctl_packet_from_hex(digits, &packet) ? TN_CTL_USAGE : TN_CTL_OK;
	free(digits);
	if (code)
		return code;
	codec = tn_ctl_codec(ctl);
	digits = hex(&packet);
	body = json_pack("{s:o,s:s,s:{s:o}}", "inPort", tn_json_from_port(port), "frame", digits,
		"treatment", "instructions", tn_actions_to_json(&codec, actions, n));
	free(digits);
	code = tn_ctl_send(ctl, "POST", "/v1/packet-out", body, &answer);
	json_decref(body);
	json_decref(answer);
	return code;
}

/* --- trace ------------------------------------------------------------------------------------ */

/* The fields of a frame that are not zero, as a match would name them; the caller frees it. */
static char *describe_frame(struct tn_ctl *ctl, const uint8_t *bytes, uint32_t len)
{
	struct tn_view view = {.data = (uint8_t *)(uintptr_t)bytes, .len = len, .wire_len = len};
	struct tn_headers headers;
	struct tn_match match;
	struct tn_key key;
	char *text;

	if (tn_parse(&view, &headers) != TN_DROP_NONE)
		return strdup("no Ethernet frame");
	tn_key_extract(&view, &headers, &key);
	tn_match_init(&match);
	for (unsigned id = TN_FIELD_ETH_DST; id < TN_N_FIELDS; id++) {
		tn_u128 value = tn_field_get(&key, (enum tn_field_id)id);

		if (value && tn_field_present(&key, (enum tn_field_id)id) &&
			tn_match_prereq_ok(&match, (enum tn_field_id)id))
			tn_match_set_exact(&match, (enum tn_field_id)id, value);
	}
	text = tn_ofctl_print_match(&match, ctl->options.names ? ctl->names : NULL);
	return text ? text : strdup("");
}

static void print_frame(struct tn_ctl *ctl, const json_t *object)
{
	const char *digits = json_string_value(json_object_get(object, "frame"));
	struct tn_ctl_packet packet;
	char *text;

	if (!digits || tn_ctl_packet_from_hex(digits, &packet))
		return;
	text = describe_frame(ctl, packet.bytes, packet.len);
	printf("    %s\n    %s\n", text, digits);
	free(text);
}

/* "2 (vm-b)" */
static void print_port(struct tn_ctl *ctl, const json_t *object, const char *key)
{
	char buf[32];
	const char *number = tn_ctl_text(object, key, buf);
	uint32_t n = (uint32_t)strtoul(number, NULL, 10);
	const char *name = n ? tn_names_port_name(ctl->names, n) : NULL;

	tn_ctl_print_clean(stdout, number);
	if (name) {
		printf(" (");
		tn_ctl_print_clean(stdout, name);
		putchar(')');
	}
}

/* A rule of a step as the flow that it is; the caller frees it. */
static char *rule_text(struct tn_ctl *ctl, const json_t *rule, json_int_t table)
{
	json_t *flow = json_pack("{s:O,s:b,s:I,s:O,s:O}", "priority",
		json_object_get(rule, "priority"), "isPermanent", true, "tableId", table,
		"selector", json_object_get(rule, "selector"), "treatment",
		json_object_get(rule, "treatment"));
	char *text;

	if (flow && json_object_get(rule, "cookie"))
		json_object_set(flow, "cookie", json_object_get(rule, "cookie"));
	text = flow ? tn_ctl_flow_json_text(ctl, flow) : NULL;
	json_decref(flow);
	return text ? text : strdup("a rule that this tenonctl cannot read");
}

static void print_next(struct tn_ctl *ctl, const json_t *next, json_int_t table)
{
	const json_t *differs = json_object_get(next, "differs"), *field;
	char *text = rule_text(ctl, next, table);
	size_t i;

	tn_ctl_color(TN_CTL_DIM);
	printf("  not   %s\n        ", text);
	if (!json_array_size(differs))
		printf("of equal rank with what matched");
	json_array_foreach(differs, i, field)
		printf("%s%s", i ? ", " : "the packet has another ", json_string_value(field));
	tn_ctl_color(TN_CTL_PLAIN);
	putchar('\n');
	free(text);
}

static void print_step(struct tn_ctl *ctl, const json_t *step, size_t number, const json_t *buckets)
{
	json_int_t table = json_integer_value(json_object_get(step, "tableId"));
	const char *name = tn_names_table_name(ctl->names, (uint8_t)table);
	const json_t *next = json_object_get(step, "next"), *bucket;
	char *text, app[32];
	size_t i;

	tn_ctl_color(TN_CTL_BOLD);
	printf("table %" JSON_INTEGER_FORMAT "%s%s%s\n", table, name ? " (" : "", name ? name : "",
		name ? ")" : "");
	tn_ctl_color(TN_CTL_PLAIN);
	if (json_is_true(json_object_get(step, "matched"))) {
		const json_t *rule = json_object_get(step, "rule");

		text = rule_text(ctl, rule, table);
		printf("  match %s\n        id %s, of ", text, tn_ctl_text(step, "flowId", app));
		tn_ctl_print_clean(stdout, tn_ctl_text(rule, "appId", app));
		putchar('\n');
		free(text);
	} else {
		tn_ctl_color(TN_CTL_YELLOW);
		printf("  no rule matches");
		tn_ctl_color(TN_CTL_PLAIN);
		putchar('\n');
	}
	if (json_is_object(next))
		print_next(ctl, next, table);
	json_array_foreach(buckets, i, bucket) if (tn_ctl_number(bucket, "step") == number)
		printf("  group %" PRIu64 ": bucket %" PRIu64 "\n",
			tn_ctl_number(bucket, "groupId"), tn_ctl_number(bucket, "bucketId"));
}

static void print_ends(struct tn_ctl *ctl, const json_t *reply)
{
	const json_t *end;
	char buf[32];
	size_t i;

	json_array_foreach(json_object_get(reply, "outputs"), i, end)
	{
		tn_ctl_color(TN_CTL_GREEN);
		printf("out by port ");
		print_port(ctl, end, "port");
		if (json_object_get(end, "uplink")) {
			printf(", uplink ");
			print_port(ctl, end, "uplink");
		}
		tn_ctl_color(TN_CTL_PLAIN);
		printf(": %s bytes\n", tn_ctl_text(end, "totalLen", buf));
		print_frame(ctl, end);
	}
	json_array_foreach(json_object_get(reply, "packetIns"), i, end)
	{
		printf("to the controller from table %s: %s bytes\n",
			tn_ctl_text(end, "tableId", buf), tn_ctl_text(end, "totalLen", buf));
		print_frame(ctl, end);
	}
	json_array_foreach(json_object_get(reply, "drops"), i, end)
	{
		tn_ctl_color(TN_CTL_RED);
		printf("dropped: %s", tn_ctl_text(end, "reason", buf));
		tn_ctl_color(TN_CTL_PLAIN);
		printf(" (%s)", tn_ctl_text(end, "text", buf));
		if (json_object_get(end, "port")) {
			printf(" on its way to port ");
			print_port(ctl, end, "port");
		}
		putchar('\n');
	}
}

static void print_trace(struct tn_ctl *ctl, const json_t *reply, const struct tn_ctl_packet *packet)
{
	char *text = describe_frame(ctl, packet->bytes, packet->len);
	const json_t *buckets = json_object_get(reply, "buckets"), *step;
	size_t i;

	printf("in by port ");
	print_port(ctl, reply, "inPort");
	printf(": %" PRIu32 " bytes\n    %s\n", packet->len, text);
	free(text);
	if (json_object_get(reply, "tunnelId"))
		printf("    out of tunnel %" PRIu64 "\n", tn_ctl_number(reply, "tunnelId"));
	if (json_is_true(json_object_get(reply, "toHost")))
		printf("to the host: an uplink's frame that no table sees\n");
	json_array_foreach(json_object_get(reply, "steps"), i, step)
		print_step(ctl, step, i + 1, buckets);
	print_ends(ctl, reply);
}

int tn_ctl_trace(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	struct tn_ctl_packet packet;
	json_t *body, *answer = NULL;
	uint32_t in_port;
	char *digits;
	int code = tn_ctl_learn_device(ctl);

	if (!code)
		code = read_words(ctl, words, &in_port, &packet);
	if (code)
		return code;
	digits = hex(&packet);
	body = json_pack("{s:o,s:s,s:b}", "inPort", tn_json_from_port(in_port), "frame", digits,
		"explain", true);
	free(digits);
	code = tn_ctl_send(ctl, "POST", "/v1/trace", body, &answer);
	json_decref(body);
	if (!code && ctl->options.json)
		code = tn_ctl_print_json(answer);
	else if (!code)
		print_trace(ctl, answer, &packet);
	json_decref(answer);
	return code;
}
