/* SPDX-License-Identifier: BSD-3-Clause */
/* tenonctl trace and packet-out. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/model/ofctl.h"
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
	body = json_pack("{s:o,s:s}", "inPort", tn_json_from_port(in_port), "frame", digits);
	free(digits);
	code = tn_ctl_send(ctl, "POST", "/v1/trace", body, &answer);
	json_decref(body);
	if (!code)
		code = tn_ctl_print_json(answer);
	json_decref(answer);
	return code;
}
