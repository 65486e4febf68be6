/* SPDX-License-Identifier: BSD-3-Clause */
/* tenonctl trace: what a packet would meet. */
#include "tools/tenonctl/trace.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/model/json_codec.h"
#include "tools/tenonctl/flow_text.h"
#include "tools/tenonctl/packet.h"
#include "tools/tenonctl/say.h"
#include "tools/tenonctl/share.h"

#define HEX_MAX 256u /* bytes of a frame that are printed */

/* --- the packet ------------------------------------------------------------------------------- */

/* What is traced: how it came, and the frame. */
struct question {
	uint32_t in_port;
	struct tn_match match; /* what the words say of it */
	struct tn_ctl_packet packet;
};

/* Beside the port: of a frame that comes out of a tunnel. */
static const struct {
	enum tn_field_id field;
	const char *json;
} tunnel[] = {
	{TN_FIELD_TUNNEL_ID, "tunnelId"},
	{TN_FIELD_TUN_SRC, "tunSrc"},
	{TN_FIELD_TUN_DST, "tunDst"},
};

static bool says_more(const struct tn_match *match)
{
	uint64_t fields = tn_match_fields(match) & ~(UINT64_C(1) << TN_FIELD_IN_PORT);

	for (size_t i = 0; i < TN_ARRAY_SIZE(tunnel); i++)
		fields &= ~(UINT64_C(1) << tunnel[i].field);
	return fields != 0;
}

/* The frame of a second word. */
static int read_frame(struct tn_ctl *ctl, const char *word, struct question *q)
{
	bool is_file = access(word, R_OK) == 0;

	if (says_more(&q->match)) {
		tn_ctl_say(
			"the frame itself says what it has: give in_port=PORT, and tun_id, tun_src "
			"and tun_dst of a tunnel, alone");
		return TN_CTL_USAGE;
	}
	if (!is_file && strpbrk(word, "./")) {
		tn_ctl_say("%s: no such file", word);
		return TN_CTL_USAGE;
	}
	if (is_file ? tn_ctl_packet_from_capture(word, ctl->options.packet, &q->packet)
		    : tn_ctl_packet_from_hex(word, &q->packet))
		return TN_CTL_USAGE;
	return TN_CTL_OK;
}

static int read_words(struct tn_ctl *ctl, const struct tn_ctl_words *words, struct question *q)
{
	const char *text = words->word[0];
	struct tn_ctl_line line = {.text = text, .len = strlen(text)};
	struct tn_flow_mod fm;
	struct tn_ofctl o;

	tn_ctl_reader(ctl, 0, &o);
	if (tn_ofctl_parse_flow(&o, TN_OFCTL_FILTER, text, strlen(text), &fm)) {
		tn_ctl_say_diagnostics(ctl, &line);
		return TN_CTL_USAGE;
	}
	q->match = fm.match;
	q->in_port = (uint32_t)tn_match_value(&fm.match, TN_FIELD_IN_PORT);
	if (!q->in_port) {
		tn_ctl_say("say where the packet comes in: in_port=PORT,...");
		return TN_CTL_USAGE;
	}
	if (words->n > 1)
		return read_frame(ctl, words->word[1], q);
	return tn_ctl_packet_from_match(&fm.match, &q->packet) ? TN_CTL_USAGE : TN_CTL_OK;
}

/* --- parts of the answer ---------------------------------------------------------------------- */

/* "2 (vm-b)" */
static void print_port(struct tn_ctl *ctl, const json_t *object, const char *key)
{
	char buf[32];
	const char *number = tn_ctl_text(object, key, buf);
	uint32_t n = (uint32_t)strtoul(number, NULL, 10);
	const char *name = n ? tn_names_port_name(ctl->names, n) : NULL;

	tn_ctl_print_clean(stdout, number);
	if (!name)
		return;
	fputs(" (", stdout);
	tn_ctl_print_clean(stdout, name);
	putchar(')');
}

/* Its fields and its bytes. */
static void print_frame(struct tn_ctl *ctl, const json_t *object)
{
	const char *digits = json_string_value(json_object_get(object, "frame"));
	struct tn_ctl_packet packet;
	char *text;

	if (!digits || tn_ctl_packet_from_hex(digits, &packet))
		return;
	text = tn_ctl_packet_text(ctl, packet.bytes, packet.len);
	printf("  %s\n", text);
	free(text);
	tn_ctl_color(TN_CTL_DIM);
	printf("  %.*s%s", (int)(2 * HEX_MAX), digits,
		packet.len > HEX_MAX ? "... (--json has all)" : "");
	tn_ctl_color(TN_CTL_PLAIN);
	putchar('\n');
}

/* A rule of a step as the flow that it is; the caller frees it. */
static char *rule_text(struct tn_ctl *ctl, const json_t *rule)
{
	json_t *flow = json_pack("{s:O,s:b,s:O,s:O}", "priority", json_object_get(rule, "priority"),
		"isPermanent", true, "selector", json_object_get(rule, "selector"), "treatment",
		json_object_get(rule, "treatment"));
	char *text;

	if (flow && json_object_get(rule, "cookie"))
		json_object_set(flow, "cookie", json_object_get(rule, "cookie"));
	text = flow ? tn_ctl_flow_json_text(ctl, flow) : NULL;
	json_decref(flow);
	return text ? text : tn_ctl_path("a rule that this tenonctl does not read");
}

/* {"criteria":[..]} of an answer. */
static void read_match(struct tn_ctl *ctl, const json_t *selector, struct tn_match *match)
{
	struct tn_codec codec = tn_ctl_codec(ctl);
	struct tn_json_reader r = {.codec = &codec, .base = ""};
	struct tn_json_tape t;
	bool sure;

	tn_match_init(match);
	tn_json_tape_init(&t);
	r.tape = &t;
	if (selector && tn_json_tape_load(&t, selector, "", &ctl->diag))
		(void)tn_json_read_selector(&r, t.v, match, &sure);
	tn_json_tape_fini(&t);
	tn_diagnostics_fini(&ctl->diag);
	tn_diagnostics_init(&ctl->diag);
	tn_ctl_forget_text(ctl);
}

static enum tn_field_id field_by_name(const char *name)
{
	for (unsigned id = 0; id < TN_N_FIELDS; id++)
		if (strcmp(tn_fields[id].name, name) == 0)
			return (enum tn_field_id)id;
	return TN_N_FIELDS;
}

/* Some of a packet's fields as text, with those that they need; the caller frees it. */
static char *part_text(struct tn_ctl *ctl, const struct tn_match *packet, uint64_t fields)
{
	static const enum tn_field_id needed[] = {
		TN_FIELD_ETH_TYPE, TN_FIELD_IP_PROTO, TN_FIELD_ICMPV6_TYPE, TN_FIELD_VLAN_VID};
	struct tn_match part;

	tn_match_init(&part);
	for (unsigned id = 0; id < TN_N_FIELDS; id++) {
		bool helps = false;

		for (size_t i = 0; i < TN_ARRAY_SIZE(needed); i++)
			helps |= needed[i] == id && tn_match_value(packet, needed[i]);
		if ((helps || fields >> id & 1) && tn_match_fields(packet) >> id & 1)
			tn_match_set_exact(&part, (enum tn_field_id)id,
				tn_match_value(packet, (enum tn_field_id)id));
	}
	return tn_ofctl_print_match(&part, ctl->options.names ? ctl->names : NULL);
}

/* "nw_dst=10.0.0.1": a field of the packet without what it needs; the caller frees it. */
static char *field_text(struct tn_ctl *ctl, const struct tn_match *packet, enum tn_field_id id)
{
	char *text, *comma, *last;

	if (id == TN_N_FIELDS)
		return tn_ctl_path("another value of a field that this tenonctl does not know");
	if (!(tn_match_fields(packet) >> id & 1))
		return tn_ctl_path("no %s", tn_fields[id].name);
	text = part_text(ctl, packet, UINT64_C(1) << id);
	comma = id == TN_FIELD_ETH_TYPE || id == TN_FIELD_IP_PROTO ? NULL : strrchr(text, ',');
	last = tn_ctl_path("%s", comma ? comma + 1 : text);
	free(text);
	return last;
}

/* --- steps ------------------------------------------------------------------------------------ */

/* A field that the packet does not have is told only where none that it has differs. */
static bool is_told(const json_t *differs, const struct tn_match *packet, enum tn_field_id id)
{
	uint64_t fields = tn_match_fields(packet);
	const json_t *field;
	size_t i;

	if (id == TN_N_FIELDS || fields >> id & 1)
		return true;
	json_array_foreach(differs, i, field)
	{
		enum tn_field_id other = field_by_name(json_string_value(field));

		if (other < TN_N_FIELDS && fields >> other & 1)
			return false;
	}
	return true;
}

static void print_not(struct tn_ctl *ctl, const json_t *next, const struct tn_match *packet)
{
	const json_t *differs = json_object_get(next, "differs"), *field;
	char *text = rule_text(ctl, next);
	size_t i, n = 0;

	tn_ctl_color(TN_CTL_DIM);
	printf("  not      ");
	tn_ctl_print_clean(stdout, text);
	printf("\n           ");
	if (!json_array_size(differs))
		printf("it fits as well, with the same priority: which of the two counts is undefined");
	json_array_foreach(differs, i, field)
	{
		const char *name = json_string_value(field);
		enum tn_field_id id = field_by_name(name ? name : "");
		char *has;

		if (!is_told(differs, packet, id))
			continue;
		has = field_text(ctl, packet, id);
		printf("%s%s", n++ ? ", " : "because the packet has ", has);
		free(has);
	}
	tn_ctl_color(TN_CTL_PLAIN);
	putchar('\n');
	free(text);
}

/* What actions of earlier tables changed. */
static void print_changes(
	struct tn_ctl *ctl, const struct tn_match *before, const struct tn_match *packet)
{
	uint64_t fields = 0;
	char *text;

	for (unsigned id = 0; id < TN_N_FIELDS; id++)
		if (tn_match_value(before, (enum tn_field_id)id) !=
			tn_match_value(packet, (enum tn_field_id)id))
			fields |= UINT64_C(1) << id;
	if (!fields)
		return;
	printf("  with     ");
	for (unsigned id = 0, n = 0; id < TN_N_FIELDS; id++) {
		if (!(fields >> id & 1))
			continue;
		text = field_text(ctl, packet, (enum tn_field_id)id);
		printf("%s%s", n++ ? "," : "", text);
		free(text);
	}
	putchar('\n');
}

/* What a flow of tenants' networks is there for, and of which objects:
 * "routed to the port; port vm1 \"web\", network n" */
static void put_purpose(const json_t *rule)
{
	const json_t *o;
	char text[32];
	size_t i;

	tn_ctl_print_clean(stdout, tn_ctl_text(rule, "purpose", text));
	json_array_foreach(json_object_get(rule, "objects"), i, o)
	{
		const char *name = json_string_value(json_object_get(o, "name"));

		printf("%s", i ? ", " : "; ");
		tn_ctl_print_clean(stdout, tn_ctl_text(o, "kind", text));
		putchar(' ');
		tn_ctl_print_clean(stdout, tn_ctl_text(o, "id", text));
		if (!name || !*name)
			continue;
		printf(" \"");
		tn_ctl_print_clean(stdout, name);
		putchar('"');
	}
	putchar('\n');
}

static void print_purpose(const json_t *rule)
{
	if (!json_object_get(rule, "purpose"))
		return;
	printf("  for      ");
	put_purpose(rule);
}

static void print_match(struct tn_ctl *ctl, const json_t *step)
{
	const json_t *rule = json_object_get(step, "rule");
	char id[32], app[32], *text;

	if (!tn_ctl_flag(step, "matched")) {
		tn_ctl_color(TN_CTL_YELLOW);
		printf("  no rule matches");
		tn_ctl_color(TN_CTL_PLAIN);
		putchar('\n');
		return;
	}
	text = rule_text(ctl, rule);
	printf("  matches  ");
	tn_ctl_print_clean(stdout, text);
	printf("\n           flow %s of ", tn_ctl_text(step, "flowId", id));
	tn_ctl_print_clean(stdout, tn_ctl_text(rule, "appId", app));
	putchar('\n');
	print_purpose(rule);
	free(text);
}

static void print_step(struct tn_ctl *ctl, const json_t *step, const struct tn_match *packet)
{
	json_int_t table = json_integer_value(json_object_get(step, "tableId"));
	const char *name = tn_names_table_name(ctl->names, (uint8_t)table);
	const json_t *next = json_object_get(step, "next");

	tn_ctl_color(TN_CTL_BOLD);
	printf("table %" JSON_INTEGER_FORMAT "%s%s%s", table, name ? " (" : "", name ? name : "",
		name ? ")" : "");
	tn_ctl_color(TN_CTL_PLAIN);
	putchar('\n');
	print_match(ctl, step);
	if (json_is_object(next))
		print_not(ctl, next, packet);
}

static void print_buckets(const json_t *reply, size_t number)
{
	const json_t *bucket;
	size_t i;

	json_array_foreach(json_object_get(reply, "buckets"), i,
		bucket) if (tn_ctl_number(bucket, "step") == number)
		printf("  group    %" PRIu64 ", bucket %" PRIu64 "\n",
			tn_ctl_number(bucket, "groupId"), tn_ctl_number(bucket, "bucketId"));
}

static void print_steps(struct tn_ctl *ctl, const json_t *reply)
{
	struct tn_match before, packet;
	const json_t *step;
	size_t i;

	print_buckets(reply, 0);
	json_array_foreach(json_object_get(reply, "steps"), i, step)
	{
		read_match(ctl, json_object_get(step, "packet"), &packet);
		if (i)
			print_changes(ctl, &before, &packet);
		print_step(ctl, step, &packet);
		print_buckets(reply, i + 1);
		before = packet;
	}
}

/* --- ends ------------------------------------------------------------------------------------- */

static void print_outputs(struct tn_ctl *ctl, const json_t *reply)
{
	const json_t *end;
	char len[32];
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
		printf(": %s bytes\n", tn_ctl_text(end, "totalLen", len));
		print_frame(ctl, end);
	}
}

static void print_packet_ins(struct tn_ctl *ctl, const json_t *reply)
{
	const json_t *end;
	char len[32], table[32];
	size_t i;

	json_array_foreach(json_object_get(reply, "packetIns"), i, end)
	{
		tn_ctl_color(TN_CTL_GREEN);
		printf("to the controller");
		tn_ctl_color(TN_CTL_PLAIN);
		printf(", from table %s: %s bytes\n", tn_ctl_text(end, "tableId", table),
			tn_ctl_text(end, "totalLen", len));
		print_frame(ctl, end);
	}
}

static void print_drops(struct tn_ctl *ctl, const json_t *reply)
{
	char reason[32], text[32];
	const json_t *end;
	size_t i;

	json_array_foreach(json_object_get(reply, "drops"), i, end)
	{
		tn_ctl_color(TN_CTL_RED);
		printf("dropped");
		if (json_object_get(end, "port")) {
			printf(" on its way to port ");
			print_port(ctl, end, "port");
		}
		printf(": %s", tn_ctl_text(end, "reason", reason));
		tn_ctl_color(TN_CTL_PLAIN);
		printf("\n  %s\n", tn_ctl_text(end, "text", text));
	}
}

static void print_trace(struct tn_ctl *ctl, const json_t *reply, const struct tn_ctl_packet *packet)
{
	char *text = tn_ctl_packet_text(ctl, packet->bytes, packet->len);

	printf("in by port ");
	print_port(ctl, reply, "inPort");
	if (json_object_get(reply, "inPhyPort")) {
		printf(", uplink ");
		print_port(ctl, reply, "inPhyPort");
	}
	printf(": %" PRIu32 " bytes\n  %s\n", packet->len, text);
	free(text);
	if (json_object_get(reply, "tunnelId"))
		printf("  out of the tunnel: tun_id=%" PRIu64 "\n",
			tn_ctl_number(reply, "tunnelId"));
	if (tn_ctl_flag(reply, "toHost"))
		printf("to the host: an uplink's frame that is for no tunnel, and that no table sees\n");
	print_steps(ctl, reply);
	print_outputs(ctl, reply);
	print_packet_ins(ctl, reply);
	print_drops(ctl, reply);
}

/* --- the path alone --------------------------------------------------------------------------- */

/* A rule that is of no object only passes the packet on, unless it is the last. */
static void print_path_step(const json_t *step, bool is_last)
{
	const json_t *rule = json_object_get(step, "rule");
	char id[32], app[32];

	if (!tn_ctl_flag(step, "matched")) {
		printf("  no rule matches in table %" PRIu64 "\n", tn_ctl_number(step, "tableId"));
	} else if (!json_object_get(rule, "purpose")) {
		printf("  flow %s of ", tn_ctl_text(step, "flowId", id));
		tn_ctl_print_clean(stdout, tn_ctl_text(rule, "appId", app));
		putchar('\n');
	} else if (is_last || json_array_size(json_object_get(rule, "objects"))) {
		fputs("  ", stdout);
		put_purpose(rule);
	}
}

void tn_ctl_print_path(struct tn_ctl *ctl, const json_t *reply)
{
	const json_t *steps = json_object_get(reply, "steps"), *o;
	char text[32];
	size_t i;

	json_array_foreach(steps, i, o) print_path_step(o, i + 1 == json_array_size(steps));
	json_array_foreach(json_object_get(reply, "outputs"), i, o)
	{
		printf("  out by port ");
		print_port(ctl, o, "port");
		if (json_object_get(o, "uplink")) {
			printf(", uplink ");
			print_port(ctl, o, "uplink");
		}
		putchar('\n');
	}
	json_array_foreach(json_object_get(reply, "drops"), i, o)
	{
		printf("  dropped");
		if (json_object_get(o, "port")) {
			printf(" on its way to port ");
			print_port(ctl, o, "port");
		}
		printf(": %s\n", tn_ctl_text(o, "text", text));
	}
}

/* --- the command ------------------------------------------------------------------------------ */

static json_t *question_json(const struct question *q)
{
	char *digits = tn_ctl_packet_hex(&q->packet);
	json_t *body = json_pack("{s:o,s:s,s:b}", "inPort", tn_json_from_port(q->in_port), "frame",
		digits, "explain", true);

	free(digits);
	for (size_t i = 0; i < TN_ARRAY_SIZE(tunnel); i++) {
		enum tn_field_id id = tunnel[i].field;

		if (tn_match_fields(&q->match) >> id & 1)
			json_object_set_new(body, tunnel[i].json,
				id == TN_FIELD_TUNNEL_ID
					? tn_json_from_u64((uint64_t)tn_match_value(&q->match, id))
					: tn_json_from_address(
						  tn_match_value(&q->match, id), TN_JSON_IP_ANY));
	}
	return body;
}

int tn_ctl_trace(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	struct question question;
	json_t *body, *answer = NULL;
	int code = tn_ctl_learn_device(ctl);

	if (!code)
		code = read_words(ctl, words, &question);
	if (code)
		return code;
	body = question_json(&question);
	code = tn_ctl_send(ctl, "POST", "/v1/trace", body, &answer);
	json_decref(body);
	if (!code && ctl->options.json)
		code = tn_ctl_print_json(answer);
	else if (!code)
		print_trace(ctl, answer, &question.packet);
	json_decref(answer);
	return code;
}
