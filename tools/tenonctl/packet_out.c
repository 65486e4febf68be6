/* SPDX-License-Identifier: BSD-3-Clause */
/* tenonctl packet-out, and the table of commands on packets. */
#include "tools/tenonctl/packet_out.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "control/model/json_codec.h"
#include "tools/tenonctl/flow_text.h"
#include "tools/tenonctl/packet.h"
#include "tools/tenonctl/say.h"
#include "tools/tenonctl/share.h"
#include "tools/tenonctl/top.h"
#include "tools/tenonctl/trace.h"
#include "tools/tenonctl/watch.h"

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

/* The line's part that is actions, as JSON; NULL: it was said what is wrong. */
static json_t *actions_json(
	struct tn_ctl *ctl, const struct tn_ctl_line *whole, const struct packet_out *p)
{
	struct tn_codec codec = tn_ctl_codec(ctl);
	const struct tn_action *actions;
	struct tn_ofctl o;
	json_t *j;
	size_t n;

	tn_ctl_reader(ctl, whole->number, &o);
	if (tn_ofctl_parse_actions(&o, p->actions, strlen(p->actions), &actions, &n)) {
		/* The parser counts from where it began. */
		for (size_t i = 0; i < ctl->diag.n; i++)
			ctl->diag.list[i].column += (uint32_t)(p->actions - whole->text);
		tn_ctl_say_diagnostics(ctl, whole);
		return NULL;
	}
	j = tn_actions_to_json(&codec, actions, n);
	tn_ctl_forget_text(ctl);
	return j;
}

json_t *tn_ctl_packet_out_json(struct tn_ctl *ctl, const struct tn_ctl_line *line)
{
	struct tn_ctl_packet packet;
	struct packet_out p;
	json_t *actions, *body;
	char *digits;
	uint32_t port;
	int rc;

	if (!split_packet_out(line->text, &p) || packet_out_port(ctl, &p, &port))
		return NULL;
	digits = strndup(p.packet, p.packet_len);
	rc = digits ? tn_ctl_packet_from_hex(digits, &packet) : -1;
	free(digits);
	actions = rc ? NULL : actions_json(ctl, line, &p);
	if (!actions)
		return NULL;
	digits = tn_ctl_packet_hex(&packet);
	body = json_pack("{s:o,s:s,s:{s:o}}", "inPort", tn_json_from_port(port), "frame", digits,
		"treatment", "instructions", actions);
	free(digits);
	return body;
}

static int packet_out(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	struct tn_ctl_line line = {.text = words->word[0], .len = strlen(words->word[0])};
	json_t *body, *answer = NULL;
	int code = tn_ctl_learn_device(ctl);

	if (code)
		return code;
	body = tn_ctl_packet_out_json(ctl, &line);
	if (!body)
		return TN_CTL_USAGE;
	code = tn_ctl_send(ctl, "POST", "/v1/packet-out", body, &answer);
	json_decref(body);
	json_decref(answer);
	return code;
}

/* --- the table -------------------------------------------------------------------------------- */

#define LOOKS (TN_CTL_O(TN_CTL_COUNT) | TN_CTL_O(TN_CTL_INTERVAL))

const struct tn_ctl_command tn_ctl_look_commands[] = {
	{"trace", NULL, "in_port=PORT,FIELD=VALUE,... | in_port=PORT HEX|CAPTURE",
		"what a packet would meet, step by step",
		"Each table, the rule that matches, the rule that would have come before it but does not\n"
		"fit, and why; then the frames that come out. Nothing is sent, no counter moves.\n"
		"The packet is described by its fields, what is not named is 0, or taken from hex digits\n"
		"or a capture. Of a tunnel's port, tun_id, tun_src and tun_dst say what it came with.",
		"tenonctl trace in_port=vm-a,tcp,nw_src=10.0.0.2,nw_dst=10.0.0.1,tp_dst=80\n"
		"tenonctl trace in_port=vx0,tun_id=100,tun_src=192.0.2.2,tun_dst=192.0.2.1,icmp\n"
		"tenonctl trace in_port=uplink day.pcap --packet 12\n"
		"tenonctl trace in_port=vm-a ffffffffffff0200000000020806...",
		tn_ctl_trace, TN_CTL_O(TN_CTL_PACKET), 1, 2, TN_CTL_WORD_MATCH, false},
	{"packet-out", NULL, "in_port=PORT,packet=HEX,actions=...", "send a packet",
		"Without in_port it comes from the controller. actions=table sends it through the tables.",
		"tenonctl packet-out in_port=vm-a,packet=ffffffffffff020000000002080600...,actions=table\n"
		"tenonctl packet-out packet=020000000001020000000002...,actions=output:vm-a",
		packet_out, 0, 1, 1, TN_CTL_WORD_PACKET_OUT, false},
	{"watch", NULL, "", "changes as they happen",
		"First what there is, INITIAL, then SYNCED, then changes. --kinds chooses among them;\n"
		"packet-ins come only when asked for.",
		"tenonctl watch\n"
		"tenonctl watch --kinds packet-in --count 1\n"
		"tenonctl --json watch --kinds flow,port --no-initial",
		tn_ctl_watch,
		TN_CTL_O(TN_CTL_KINDS) | TN_CTL_O(TN_CTL_COUNT) | TN_CTL_O(TN_CTL_SINCE) |
			TN_CTL_O(TN_CTL_NO_INITIAL),
		0, 0, TN_CTL_WORD_NONE, false},
	{"top", "ports", "", "rates of ports, as they are now", "On a terminal q ends it.",
		"tenonctl top\ntenonctl top ports --interval 5\ntenonctl --json top --count 1",
		tn_ctl_top_ports, LOOKS, 0, 0, TN_CTL_WORD_NONE, true},
	{"top", "flows", "", "the busiest flows, as they are now", NULL, "tenonctl top flows",
		tn_ctl_top_flows, LOOKS, 0, 0, TN_CTL_WORD_NONE, false},
	{0},
};
