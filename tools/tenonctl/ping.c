/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tenonctl ping: the switch asks in the place of a tenant's port. Requests enter the tables as if
 * the port had sent them; what comes back for it is copied to the controller by flows that stand
 * before the port's own and do what that does, and that undo themselves when this process dies.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "control/model/json_codec.h"
#include "tools/tenonctl/interrupt.h"
#include "tools/tenonctl/network.h"
#include "tools/tenonctl/probe.h"
#include "tools/tenonctl/say.h"
#include "tools/tenonctl/share.h"
#include "tools/tenonctl/trace.h"

#define COUNT_DEFAULT	 3u
#define OUTPUT_TABLE	 7u	/* of the tenant pipeline, where reg2 is the destination */
#define PRIORITY_FIRST	 50000u /* above the pipeline's */
#define PRIORITIES	 15000u
#define SOLICITATIONS	 3u
#define APP		 "tenonctl-ping"
#define MILLISECOND	 1000000u
#define CONFIRM_MARGIN_S 60u

struct pinging {
	struct tn_ctl *ctl;
	struct tn_ctl_http *watch; /* a connection of its own */
	const char *port, *address;
	uint32_t number; /* of the port of the switch */
	struct tn_ctl_probe probe;
	bool by_gateway;
	char *transaction; /* that has the flows; NULL: none */
	json_t *path;	   /* what a trace says of the request */
	json_t *answers;
	unsigned solicited, sent, received, count;
	bool resolved, waits; /* for an answer to what was sent last */
	uint64_t sent_ns;
	double least, most, sum; /* milliseconds */
	int code;		 /* not 0: something failed, and it was said what */
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static const char *text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

/* --- the question ----------------------------------------------------------------------------- */

static bool parse_address(const char *text, tn_u128 *address)
{
	uint8_t b[16];
	unsigned n = 0;

	*address = 0;
	if (inet_pton(AF_INET, text, b) == 1) {
		*address = 0xffff;
		n = 4;
	} else if (inet_pton(AF_INET6, text, b) == 1) {
		n = 16;
	}
	for (unsigned i = 0; i < n; i++)
		*address = *address << 8 | b[i];
	return n != 0;
}

static const char *address_text(tn_u128 address, char buf[INET6_ADDRSTRLEN])
{
	uint8_t b[16];
	bool is_ip4 = address >> 32 == 0xffff;

	for (unsigned i = 0; i < 16; i++)
		b[i] = (uint8_t)(address >> (120 - 8 * i));
	if (!inet_ntop(is_ip4 ? AF_INET : AF_INET6, is_ip4 ? b + 12 : b, buf, INET6_ADDRSTRLEN))
		*buf = '\0';
	return buf;
}

static bool parse_cidr(const char *text, tn_u128 *address, unsigned *bits)
{
	char copy[64], *slash;

	snprintf(copy, sizeof(copy), "%s", text);
	slash = strchr(copy, '/');
	if (!slash)
		return false;
	*slash = '\0';
	*bits = (unsigned)strtoul(slash + 1, NULL, 10) + (strchr(copy, ':') ? 0 : 96);
	return parse_address(copy, address);
}

static bool holds(const json_t *subnet, tn_u128 address)
{
	tn_u128 first;
	unsigned bits;

	return parse_cidr(text_of(subnet, "cidr"), &first, &bits) &&
		(bits == 0 || (first ^ address) >> (128 - bits) == 0);
}

static const json_t *find_subnet(const json_t *subnets, const char *id)
{
	const json_t *o;
	size_t i;

	json_array_foreach(subnets, i, o)
	{
		if (strcmp(text_of(o, "id"), id) == 0)
			return o;
	}
	return NULL;
}

static bool is_link_local(tn_u128 address)
{
	return address >> 118 == 0xfe80u >> 6;
}

/* From which of the port's addresses, and by which neighbour, its own machine would send. */
static bool choose_source(struct pinging *p, const json_t *port, const json_t *subnets)
{
	const json_t *ip, *subnet;
	bool is_ip4 = tn_ctl_probe_is_ip4(&p->probe), found = false;
	tn_u128 address, gateway;
	size_t i;

	json_array_foreach(json_object_get(port, "fixed_ips"), i, ip)
	{
		subnet = find_subnet(subnets, text_of(ip, "subnet_id"));
		if (!subnet || !parse_address(text_of(ip, "ip_address"), &address) ||
			(address >> 32 == 0xffff) != is_ip4)
			continue;
		if (holds(subnet, p->probe.destination) || is_link_local(p->probe.destination)) {
			p->probe.source = address;
			p->probe.next_hop = p->probe.destination;
			p->by_gateway = false;
			return true;
		}
		if (found || !parse_address(text_of(subnet, "gateway_ip"), &gateway))
			continue;
		p->probe.source = address;
		p->probe.next_hop = gateway;
		p->by_gateway = found = true;
	}
	if (!found)
		tn_ctl_say("port %s has no %s address from which %s could be reached: none in a "
			   "subnet that has it, none in one with a gateway",
			p->port, is_ip4 ? "IPv4" : "IPv6", p->address);
	return found;
}

static bool read_mac(const char *text, uint8_t mac[6])
{
	unsigned b[6];

	if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5]) != 6)
		return false;
	for (unsigned i = 0; i < 6; i++)
		mac[i] = (uint8_t)b[i];
	return true;
}

static bool read_port(struct pinging *p, const json_t *port)
{
	const json_t *binding = json_object_get(port, "binding");
	const json_t *vlan = json_object_get(binding, "vlan");

	if (!json_object_get(port, "network_id")) {
		tn_ctl_say("%s is a port of the switch; name one of a tenant's network: tenonctl "
			   "vport list has them",
			p->port);
		return false;
	}
	p->number = (uint32_t)tn_ctl_number(binding, "switch_port");
	p->probe.vlan = json_is_integer(vlan) ? (int)json_integer_value(vlan) : -1;
	if (!p->number) {
		tn_ctl_say("port %s is not attached to this host%s%s: ask where it is", p->port,
			*text_of(binding, "host") ? ", but to " : "", text_of(binding, "host"));
		return false;
	}
	return read_mac(text_of(port, "mac_address"), p->probe.mac);
}

static int learn(struct pinging *p)
{
	char *word = tn_ctl_escape(p->port), *path = tn_ctl_path("/v1/ports/%s", word);
	json_t *port, *subnets = NULL;
	int code = tn_ctl_get(p->ctl, path, &port);

	free(word);
	free(path);
	if (code)
		return code;
	if (!read_port(p, port)) {
		json_decref(port);
		return TN_CTL_REFUSED;
	}
	word = tn_ctl_escape(text_of(port, "network_id"));
	path = tn_ctl_path("/v1/subnets?network_id=%s", word);
	subnets = tn_ctl_get_list(p->ctl, path, "subnets", &code);
	free(word);
	free(path);
	if (!code && !choose_source(p, port, subnets))
		code = TN_CTL_REFUSED;
	json_decref(subnets);
	json_decref(port);
	return code;
}

/* --- flows that show what comes back ---------------------------------------------------------- */

static json_t *trace(struct pinging *p, const struct tn_ctl_packet *packet)
{
	char *digits = tn_ctl_packet_hex(packet);
	json_t *answer = NULL,
	       *body = json_pack("{s:o,s:s,s:b}", "inPort", tn_json_from_port(p->number), "frame",
		       digits, "explain", true);

	p->code = tn_ctl_send(p->ctl, "POST", "/v1/trace", body, &answer);
	json_decref(body);
	free(digits);
	return answer;
}

/* The port as a source, which is what it is as a destination: reg1 from the second table on; 0:
 * unknown. */
static uint64_t source_number(const json_t *reply)
{
	const json_t *step, *criterion;
	size_t i, k;

	json_array_foreach(json_object_get(reply, "steps"), i, step)
	{
		const json_t *packet = json_object_get(step, "packet");

		json_array_foreach(json_object_get(packet, "criteria"), k, criterion)
		{
			if (strcmp(text_of(criterion, "type"), "REG") == 0 &&
				tn_ctl_number(criterion, "reg") == 1)
				return tn_ctl_number(criterion, "value");
		}
	}
	return 0;
}

static json_t *to_port(uint64_t number)
{
	return json_pack("{s:s,s:i,s:I}", "type", "REG", "reg", 2, "value", (json_int_t)number);
}

/* All frames to the port, of its network. */
static bool leads_to(const json_t *flow, uint64_t number)
{
	const json_t *criteria = json_object_get(json_object_get(flow, "selector"), "criteria"), *c;
	bool found = false;
	size_t i;

	json_array_foreach(criteria, i, c)
	{
		if (tn_ctl_number(c, "reg") == 2 && tn_ctl_number(c, "value") == number)
			found = true;
		else if (!json_object_get(c, "tunnelId"))
			return false;
	}
	return found;
}

/* What the pipeline does with frames to the port, with a copy for us before it; NULL: there is no
 * such flow. */
static json_t *treatment_of(struct pinging *p, uint64_t number)
{
	char *path = tn_ctl_path("/v1/flows/table/%u?appId=tenant&stats=false", OUTPUT_TABLE);
	json_t *flows, *copy = NULL, *flow;
	size_t i;

	flows = tn_ctl_get_list(p->ctl, path, "flows", &p->code);
	free(path);
	json_array_foreach(flows, i, flow)
	{
		if (!copy && leads_to(flow, number))
			copy = json_deep_copy(json_object_get(flow, "treatment"));
	}
	json_decref(flows);
	if (copy)
		json_array_insert_new(json_object_get(copy, "instructions"), 0,
			json_pack("{s:s,s:s}", "type", "OUTPUT", "port", "CONTROLLER"));
	return copy;
}

static json_t *number_of(const char *type, const char *key, unsigned value)
{
	return json_pack("{s:s,s:i}", "type", type, key, (int)value);
}

static json_t *address_of(const char *type, const char *key, tn_u128 address)
{
	char buf[INET6_ADDRSTRLEN], text[INET6_ADDRSTRLEN + 4];
	/* Prefixes have a length, single addresses none. */
	const char *length = strcmp(key, "ip") != 0 ? "" : address >> 32 == 0xffff ? "/32" : "/128";

	snprintf(text, sizeof(text), "%s%s", address_text(address, buf), length);
	return json_pack("{s:s,s:s}", "type", type, key, text);
}

static json_t *ethernet(const char *type)
{
	return json_pack("{s:s,s:s}", "type", "ETH_TYPE", "ethType", type);
}

static void add_flow(
	json_t *operations, unsigned priority, const json_t *treatment, json_t *criteria)
{
	json_array_append_new(operations,
		json_pack("{s:s,s:{s:i,s:b,s:i,s:s,s:{s:o},s:O}}", "op", "add", "flow", "priority",
			(int)priority, "isPermanent", true, "tableId", (int)OUTPUT_TABLE, "appId",
			APP, "selector", "criteria", criteria, "treatment", treatment));
}

/* ICMP of a type, from anybody or from one. */
static json_t *icmp(struct pinging *p, uint64_t number, unsigned type, bool from_destination)
{
	bool is_ip4 = tn_ctl_probe_is_ip4(&p->probe);
	json_t *criteria =
		json_pack("[o,o,o,o]", to_port(number), ethernet(is_ip4 ? "0x800" : "0x86dd"),
			number_of("IP_PROTO", "protocol", is_ip4 ? 1 : 58),
			is_ip4 ? number_of("ICMPV4_TYPE", "icmpType", type)
			       : number_of("ICMPV6_TYPE", "icmpv6Type", type));

	if (from_destination)
		json_array_append_new(criteria,
			address_of(is_ip4 ? "IPV4_SRC" : "IPV6_SRC", "ip", p->probe.destination));
	return criteria;
}

static json_t *operations_of(struct pinging *p, uint64_t number, const json_t *treatment)
{
	static const unsigned errors4[] = {3, 11}, errors6[] = {1, 2, 3};
	bool is_ip4 = tn_ctl_probe_is_ip4(&p->probe);
	const unsigned *errors = is_ip4 ? errors4 : errors6;
	size_t n_errors = is_ip4 ? TN_ARRAY_SIZE(errors4) : TN_ARRAY_SIZE(errors6);
	/* Not that of another ping of the same port, whose flows would be replaced. */
	unsigned priority = PRIORITY_FIRST + p->probe.id % PRIORITIES;
	json_t *operations = json_array(), *criteria;

	if (is_ip4) {
		criteria = json_pack("[o,o,o,o]", to_port(number), ethernet("0x806"),
			number_of("ARP_OP", "arpOp", 2),
			address_of("ARP_SPA", "ip", p->probe.next_hop));
	} else {
		criteria = icmp(p, number, 136, false);
		json_array_append_new(
			criteria, address_of("IPV6_ND_TARGET", "targetAddress", p->probe.next_hop));
	}
	add_flow(operations, priority, treatment, criteria);
	add_flow(operations, priority, treatment, icmp(p, number, is_ip4 ? 0 : 129, true));
	for (size_t i = 0; i < n_errors; i++)
		add_flow(operations, priority, treatment, icmp(p, number, errors[i], false));
	return operations;
}

static bool add_flows(struct pinging *p)
{
	struct tn_ctl_packet packet;
	json_t *reply, *treatment = NULL, *body, *answer = NULL;
	unsigned seconds = (p->count + SOLICITATIONS) * (p->ctl->options.interval_ms / 1000 + 2);
	uint64_t number;
	char *path;

	tn_ctl_probe_solicit(&p->probe, &packet);
	reply = trace(p, &packet);
	if (p->code)
		return false;
	number = source_number(reply);
	if (number)
		treatment = treatment_of(p, number);
	if (!treatment && !p->code) {
		printf("what port %s sends does not get far:\n", p->port);
		tn_ctl_print_path(p->ctl, reply);
		p->code = TN_CTL_REFUSED;
	}
	json_decref(reply);
	if (p->code)
		return false;
	body = json_pack("{s:o}", "operations", operations_of(p, number, treatment));
	path = tn_ctl_path("/v1/transactions?confirmWithin=%u", seconds + CONFIRM_MARGIN_S);
	p->code = tn_ctl_send(p->ctl, "POST", path, body, &answer);
	if (!p->code)
		p->transaction = strdup(text_of(answer, "transaction"));
	free(path);
	json_decref(answer);
	json_decref(body);
	json_decref(treatment);
	return !p->code;
}

static void remove_flows(struct pinging *p)
{
	char *path;
	json_t *answer = NULL;

	if (!p->transaction)
		return;
	path = tn_ctl_path("/v1/transactions/%s/cancel", p->transaction);
	if (tn_ctl_send(p->ctl, "POST", path, NULL, &answer))
		tn_ctl_say("the flows of %s undo themselves in %u s", APP, CONFIRM_MARGIN_S);
	json_decref(answer);
	free(path);
	free(p->transaction);
}

/* --- to and fro ------------------------------------------------------------------------------- */

/* Into the tables, as if the port had sent it. */
static void send_frame(struct pinging *p, const struct tn_ctl_packet *packet)
{
	char *digits = tn_ctl_packet_hex(packet);
	json_t *answer = NULL,
	       *body = json_pack("{s:o,s:s,s:{s:[{s:s,s:s}]}}", "inPort",
		       tn_json_from_port(p->number), "frame", digits, "treatment", "instructions",
		       "type", "OUTPUT", "port", "TABLE");

	free(digits);
	p->waits = true;
	p->sent_ns = now_ns();
	p->code = tn_ctl_send(p->ctl, "POST", "/v1/packet-out", body, &answer);
	json_decref(answer);
	json_decref(body);
}

static void solicit(struct pinging *p)
{
	struct tn_ctl_packet packet;

	p->solicited++;
	tn_ctl_probe_solicit(&p->probe, &packet);
	send_frame(p, &packet);
}

/* The way without our own flows at its end. */
static json_t *path_of(struct pinging *p, const struct tn_ctl_packet *packet)
{
	json_t *reply = trace(p, packet), *steps = json_object_get(reply, "steps");

	for (size_t i = json_array_size(steps); i--;) {
		const json_t *rule = json_object_get(json_array_get(steps, i), "rule");

		if (strcmp(text_of(rule, "appId"), APP) == 0)
			json_array_remove(steps, i);
	}
	return reply;
}

static void send_echo(struct pinging *p)
{
	struct tn_ctl_packet packet;

	tn_ctl_probe_echo(&p->probe, (uint16_t)++p->sent, &packet);
	if (p->sent == 1) {
		p->path = path_of(p, &packet);
		if (!p->code && !p->ctl->options.json) {
			printf("the request goes:\n");
			tn_ctl_print_path(p->ctl, p->path);
			fflush(stdout);
		}
	}
	if (!p->code)
		send_frame(p, &packet);
}

/* The next one, if there is one; false: that was all. */
static bool go_on(struct pinging *p)
{
	p->waits = false;
	if (p->code || tn_ctl_interrupted())
		return false;
	if (!p->resolved && p->solicited == SOLICITATIONS)
		return false;
	if (p->resolved && p->sent == p->count)
		return false;
	if (p->resolved)
		send_echo(p);
	else
		solicit(p);
	return !p->code;
}

static void tell(struct pinging *p, const struct tn_ctl_probed *a, double ms)
{
	char from[INET6_ADDRSTRLEN];
	const char *what = a->kind == TN_CTL_ECHO ? "answers" : "says it cannot be reached";
	json_t *answer;

	address_text(a->from, from);
	answer = json_pack("{s:s,s:i,s:i,s:f,s:b}", "from", from, "sequence", a->sequence, "ttl",
		a->ttl, "milliseconds", ms, "answered", a->kind == TN_CTL_ECHO);
	if (a->kind == TN_CTL_ERROR) {
		json_object_set_new(answer, "icmpType", json_integer(a->type));
		json_object_set_new(answer, "icmpCode", json_integer(a->code));
	}
	json_array_append_new(p->answers, answer);
	if (p->ctl->options.json)
		return;
	printf("%s %s", from, what);
	if (a->kind == TN_CTL_ERROR)
		printf(" (ICMP type %u code %u)", a->type, a->code);
	printf(": sequence %u, TTL %u, %.1f ms\n", a->sequence, a->ttl, ms);
	fflush(stdout);
}

static bool take_answer(struct pinging *p, const struct tn_ctl_probed *a)
{
	double ms = (double)(now_ns() - p->sent_ns) / MILLISECOND;

	if (a->kind == TN_CTL_NEIGHBOUR && !p->resolved) {
		memcpy(p->probe.hop_mac, a->mac, 6);
		p->resolved = true;
		return go_on(p);
	}
	if ((a->kind != TN_CTL_ECHO && a->kind != TN_CTL_ERROR) || !p->waits ||
		a->sequence != (uint16_t)p->sent)
		return true;
	if (a->kind == TN_CTL_ECHO) {
		p->least = p->received && p->least < ms ? p->least : ms;
		p->most = p->most > ms ? p->most : ms;
		p->sum += ms;
		p->received++;
	}
	tell(p, a, ms);
	return go_on(p);
}

/* A line of the watch; false: enough. */
static bool take_event(void *ctx, const char *line, size_t len)
{
	struct pinging *p = ctx;
	json_error_t err;
	json_t *event = json_loadb(line, len, 0, &err);
	const json_t *object = json_object_get(event, "object");
	const char *digits = json_string_value(json_object_get(object, "frame"));
	struct tn_ctl_packet packet;
	struct tn_ctl_probed a;
	bool more = true;

	if (strcmp(text_of(event, "event"), "SYNCED") == 0) {
		more = add_flows(p) && go_on(p);
	} else if (digits && !tn_ctl_packet_from_hex(digits, &packet)) {
		a = tn_ctl_probe_read(&p->probe, packet.bytes, packet.len);
		more = take_answer(p, &a);
	}
	json_decref(event);
	return more;
}

/* Now and then; false: enough. */
static bool tick(void *ctx)
{
	struct pinging *p = ctx;
	uint64_t limit_ns = (uint64_t)p->ctl->options.interval_ms * MILLISECOND;

	if (tn_ctl_interrupted())
		return false;
	if (!p->waits || now_ns() - p->sent_ns < limit_ns)
		return true;
	if (p->resolved && !p->ctl->options.json) {
		printf("no answer: sequence %u\n", p->sent);
		fflush(stdout);
	}
	return go_on(p);
}

/* --- the command ------------------------------------------------------------------------------ */

static void print_begin(const struct pinging *p)
{
	char from[INET6_ADDRSTRLEN], hop[INET6_ADDRSTRLEN];

	if (p->ctl->options.json)
		return;
	printf("%s from port %s, %s", p->address, p->port, address_text(p->probe.source, from));
	if (p->by_gateway)
		printf(", by gateway %s", address_text(p->probe.next_hop, hop));
	putchar('\n');
	fflush(stdout);
}

static void print_json(const struct pinging *p)
{
	char from[INET6_ADDRSTRLEN], hop[INET6_ADDRSTRLEN];
	json_t *o = json_pack("{s:s,s:s,s:s,s:s,s:b,s:i,s:i,s:O}", "port", p->port, "address",
		p->address, "source", address_text(p->probe.source, from), "nextHop",
		address_text(p->probe.next_hop, hop), "resolved", p->resolved, "sent", (int)p->sent,
		"answered", (int)p->received, "answers", p->answers);

	if (p->path)
		json_object_set(o, "path", p->path);
	tn_ctl_print_json(o);
	json_decref(o);
}

static void print_end(const struct pinging *p)
{
	char hop[INET6_ADDRSTRLEN];

	if (p->ctl->options.json) {
		print_json(p);
		return;
	}
	if (!p->resolved) {
		printf("nobody says that %s is there: %u %s\n",
			address_text(p->probe.next_hop, hop), p->solicited,
			tn_ctl_probe_is_ip4(&p->probe) ? "ARP requests"
						       : "neighbour solicitations");
		return;
	}
	printf("%u sent, %u answered", p->sent, p->received);
	if (p->received)
		printf("; round trip %.1f/%.1f/%.1f ms (least, mean, most)", p->least,
			p->sum / p->received, p->most);
	putchar('\n');
}

static void run(struct pinging *p)
{
	struct tn_ctl_answer answer;

	p->watch = tn_ctl_http_new(&p->ctl->options.http);
	if (!p->watch) {
		p->code = TN_CTL_UNREACHABLE;
		return;
	}
	tn_ctl_catch_signals();
	print_begin(p);
	tn_ctl_http_tick(p->watch, tick, p);
	if (tn_ctl_http_lines(p->watch, "/v1/watch?kinds=packet-in", take_event, p, &answer)) {
		p->code = TN_CTL_UNREACHABLE;
	} else {
		if (!p->code)
			p->code = tn_ctl_judge(p->ctl, &answer);
		tn_ctl_answer_fini(&answer);
	}
	tn_ctl_http_free(p->watch);
	remove_flows(p);
	if (!p->code)
		print_end(p);
	if (!p->code && !p->received)
		p->code = TN_CTL_REFUSED;
}

int tn_ctl_ping(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	struct pinging p = {.ctl = ctl,
		.port = words->word[0],
		.address = words->word[1],
		.count = ctl->options.count ? ctl->options.count : COUNT_DEFAULT};

	if (!parse_address(p.address, &p.probe.destination)) {
		tn_ctl_say("\"%s\" is no address of IPv4 or IPv6", p.address);
		return TN_CTL_USAGE;
	}
	if (getrandom(&p.probe.id, sizeof(p.probe.id), 0) != sizeof(p.probe.id))
		abort();
	p.code = tn_ctl_learn_device(ctl);
	if (!p.code)
		p.code = learn(&p);
	if (p.code)
		return p.code;
	p.answers = json_array();
	run(&p);
	json_decref(p.answers);
	json_decref(p.path);
	return p.code;
}
