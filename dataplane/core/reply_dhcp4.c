/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The server's side of DHCP (RFC 2131) where the address of each client is settled beforehand: the
 * rule that matches the client holds it. There is no state, so every server of a network gives the
 * same answer.
 */
#include "dataplane/core/reply_private.h"

#define SERVER_PORT 67u
#define CLIENT_PORT 68u

#define SNAME_LEN 64u
#define FILE_LEN  128u

struct bootp_hdr {
	uint8_t op, htype, hlen, hops;
	struct tn_be32 xid;
	struct tn_be16 secs, flags;
	struct tn_be32 ciaddr, yiaddr, siaddr, giaddr;
	uint8_t chaddr[16];
	uint8_t sname[SNAME_LEN];
	uint8_t file[FILE_LEN];
	struct tn_be32 cookie;
} TN_PACKED;

TN_BUILD_ASSERT(sizeof(struct bootp_hdr) == 240, "BOOTP and the magic cookie");

#define BOOTP_LEN_MIN 300u
#define BROADCAST     0x8000u
#define MAGIC_COOKIE  0x63825363u

enum {
	OPT_PAD = 0,
	OPT_REQUESTED_IP = 50,
	OPT_LEASE = 51,
	OPT_OVERLOAD = 52,
	OPT_TYPE = 53,
	OPT_SERVER = 54,
	OPT_T1 = 58,
	OPT_T2 = 59,
	OPT_CLIENT_ID = 61,
	OPT_TFTP_NAME = 66,
	OPT_BOOTFILE = 67,
	OPT_TFTP_ADDRESS = 150,
	OPT_END = 255,
};

enum { DISCOVER = 1, OFFER, REQUEST, DECLINE, ACK, NAK, RELEASE, INFORM };

/* What a client says. */
struct ask {
	struct bootp_hdr hdr;
	const uint8_t *client_id; /* NULL: none */
	uint8_t client_id_len;
	uint8_t type;
	uint8_t overload;
	bool has_requested, has_server;
	struct tn_be32 requested, server;
};

static void take_option(struct ask *q, uint8_t code, uint8_t len, const uint8_t *value)
{
	switch (code) {
	case OPT_TYPE:
		if (len == 1 && !q->type)
			q->type = value[0];
		break;
	case OPT_OVERLOAD:
		if (len == 1)
			q->overload |= value[0] & 3;
		break;
	case OPT_REQUESTED_IP:
		if (len == sizeof(q->requested) && !q->has_requested) {
			memcpy(&q->requested, value, sizeof(q->requested));
			q->has_requested = true;
		}
		break;
	case OPT_SERVER:
		if (len == sizeof(q->server) && !q->has_server) {
			memcpy(&q->server, value, sizeof(q->server));
			q->has_server = true;
		}
		break;
	case OPT_CLIENT_ID:
		if (!q->client_id) {
			q->client_id = value;
			q->client_id_len = len;
		}
		break;
	default:
		break;
	}
}

/* False: an option goes beyond the end. That END may be missing is lore. */
static bool take_options(struct ask *q, struct tn_cursor c)
{
	const uint8_t *code, *len, *value;

	while ((code = tn_cursor_take(&c, 1)) && *code != OPT_END) {
		if (*code == OPT_PAD)
			continue;
		len = tn_cursor_take(&c, 1);
		value = len ? tn_cursor_take(&c, *len) : NULL;
		if (!value)
			return false;
		take_option(q, *code, *len, value);
	}
	return true;
}

/* The fields that an overload says hold options. */
static bool take_overloaded(struct ask *q, struct tn_cursor c)
{
	struct tn_cursor file = c, sname = c;

	if (!tn_cursor_take(&file, offsetof(struct bootp_hdr, file)) ||
		!tn_cursor_take(&sname, offsetof(struct bootp_hdr, sname)))
		return false;
	tn_cursor_limit(&file, FILE_LEN);
	tn_cursor_limit(&sname, SNAME_LEN);
	return (!(q->overload & 1) || take_options(q, file)) &&
		(!(q->overload & 2) || take_options(q, sname));
}

/* From the first byte of the UDP payload. */
static bool parse(struct ask *q, struct tn_cursor c)
{
	struct tn_cursor start = c;
	const struct bootp_hdr *hdr = tn_cursor_take(&c, sizeof(*hdr));

	memset(q, 0, sizeof(*q));
	if (!hdr)
		return false;
	q->hdr = *hdr;
	if (hdr->op != 1 || hdr->htype != 1 || hdr->hlen != sizeof(struct tn_mac) ||
		hdr->giaddr.raw != 0 || tn_be32toh(hdr->cookie) != MAGIC_COOKIE)
		return false;
	return take_options(q, c) && take_overloaded(q, start);
}

static bool find_payload(const struct tn_reply_work *w, struct tn_cursor *c)
{
	const struct tn_udp_hdr *udp = (const void *)tn_rp_in(w, w->h->l4);

	*c = tn_cursor_of(w->view);
	if (!(w->h->flags & TN_HDR_IPV4) || !(w->h->flags & TN_HDR_UDP) ||
		w->h->ip_frag & TN_FRAG_ANY || tn_be16toh(udp->dst) != SERVER_PORT ||
		!tn_cursor_take(c, w->h->l4 + (uint32_t)sizeof(*udp)))
		return false;
	tn_cursor_limit(c, tn_be16toh(udp->len) - (uint32_t)sizeof(*udp));
	return true;
}

/* RFC 2131, 4.3.2: who says nothing of a server still remembers an address or renews it. */
static uint8_t answer_request(const struct tn_reply_work *w, const struct ask *q)
{
	struct tn_be32 yours = tn_rp_ip4(w->a->reply.address);
	struct tn_be32 wanted = q->has_requested ? q->requested : q->hdr.ciaddr;

	if (q->has_server && q->server.raw != tn_rp_ip4(w->a->reply.ip).raw)
		return 0;
	return wanted.raw == yours.raw ? ACK : NAK;
}

/* Type of the answer; 0: there is none to give. */
static uint8_t answer_type(const struct tn_reply_work *w, const struct ask *q)
{
	switch (q->type) {
	case DISCOVER:
		return OFFER;
	case REQUEST:
		return answer_request(w, q);
	case INFORM:
		return ACK;
	default:
		return 0;
	}
}

static void put_option(struct tn_reply_work *w, uint8_t code, const void *value, uint8_t len)
{
	tn_rp_put8(w, code);
	tn_rp_put8(w, len);
	tn_rp_put(w, value, len);
}

/* Boot loaders read the header's fields, whatever the options say. */
static void fill_boot(struct bootp_hdr *say, uint8_t code, const uint8_t *value, uint8_t len)
{
	if (code == OPT_TFTP_ADDRESS && len >= sizeof(say->siaddr))
		memcpy(&say->siaddr, value, sizeof(say->siaddr));
	if (code == OPT_TFTP_NAME && len < SNAME_LEN)
		memcpy(say->sname, value, len);
	if (code == OPT_BOOTFILE && len < FILE_LEN)
		memcpy(say->file, value, len);
}

/* Those of the rule; who only informs himself has no lease. */
static void put_options(struct tn_reply_work *w, uint32_t say, bool lease)
{
	uint8_t data[TN_REPLY_DATA_MAX];
	uint32_t n = tn_reply_data(w->a, data);

	for (uint32_t at = 0; at + 2 <= n && at + 2 + data[at + 1] <= n; at += 2 + data[at + 1]) {
		uint8_t code = data[at], len = data[at + 1];

		if (!lease && (code == OPT_LEASE || code == OPT_T1 || code == OPT_T2))
			continue;
		put_option(w, code, data + at + 2, len);
		fill_boot(tn_rp_at(w, say), code, data + at + 2, len);
	}
}

static void put_message(struct tn_reply_work *w, const struct ask *q, uint8_t type)
{
	struct tn_be32 server = tn_rp_ip4(w->a->reply.ip);
	uint32_t at = w->out->len, len;
	struct bootp_hdr *say = tn_rp_room(w, sizeof(*say));

	say->op = 2;
	say->htype = 1;
	say->hlen = sizeof(struct tn_mac);
	say->xid = q->hdr.xid;
	say->flags = q->hdr.flags;
	memcpy(say->chaddr, q->hdr.chaddr, sizeof(say->chaddr));
	say->cookie = tn_htobe32(MAGIC_COOKIE);
	if (type == ACK)
		say->ciaddr = q->hdr.ciaddr;
	if (type != NAK && q->type != INFORM)
		say->yiaddr = tn_rp_ip4(w->a->reply.address);
	put_option(w, OPT_TYPE, &type, sizeof(type));
	put_option(w, OPT_SERVER, &server, sizeof(server));
	if (q->client_id) /* RFC 6842 */
		put_option(w, OPT_CLIENT_ID, q->client_id, q->client_id_len);
	if (type != NAK)
		put_options(w, at, q->type != INFORM);
	tn_rp_put8(w, OPT_END);
	len = w->out->len - at;
	if (len < BOOTP_LEN_MIN)
		(void)tn_rp_room(w, BOOTP_LEN_MIN - len);
}

/* RFC 2131, 4.1: where the client hears it. */
static struct tn_be32 destination(const struct tn_reply_work *w, const struct ask *q, uint8_t type)
{
	if (type == NAK)
		return tn_htobe32(UINT32_MAX);
	if (tn_rp_ip4_is_host(q->hdr.ciaddr))
		return q->hdr.ciaddr;
	if (tn_be16toh(q->hdr.flags) & BROADCAST || q->type == INFORM)
		return tn_htobe32(UINT32_MAX);
	return tn_rp_ip4(w->a->reply.address);
}

enum tn_drop tn_reply_dhcp4(struct tn_reply_work *w)
{
	static const struct tn_mac everyone = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
	struct tn_udp_hdr *udp;
	struct tn_cursor c;
	struct tn_be32 to;
	struct ask q;
	uint8_t type;

	if (!find_payload(w, &c) || !parse(&q, c) || q.type < DISCOVER || q.type > INFORM)
		return TN_DROP_REPLY_UNFIT;
	type = answer_type(w, &q);
	if (!type)
		return TN_DROP_REPLY_NONE;
	to = destination(w, &q, type);
	tn_rp_ethernet(w, to.raw == UINT32_MAX ? everyone : tn_rp_asker(w), TN_ETH_TYPE_IPV4);
	tn_rp_ipv4(w, 0, TN_IPPROTO_UDP, to);
	udp = tn_rp_room(w, sizeof(*udp));
	put_message(w, &q, type);
	udp->src = tn_htobe16(SERVER_PORT);
	udp->dst = tn_htobe16(CLIENT_PORT);
	udp->len = tn_htobe16((uint16_t)(w->out->len - w->l4));
	return tn_rp_finish(w, offsetof(struct tn_udp_hdr, csum));
}
