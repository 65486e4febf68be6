/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The server's side of DHCPv6 (RFC 8415) where the address of each client is settled beforehand, as
 * reply_dhcp4.c. The server's identifier is made of its MAC address (DUID-LL).
 */
#include "dataplane/core/reply_private.h"

#define SERVER_PORT 547u
#define CLIENT_PORT 546u

#define IAS_MAX	      4u   /* identity associations of one client that are answered */
#define OTHERS_MAX    4u   /* addresses of one association that are not its own */
#define CLIENT_ID_MAX 130u /* 128 bytes and two of type (RFC 8415, 11.1) */

enum {
	SOLICIT = 1,
	ADVERTISE = 2,
	REQUEST = 3,
	CONFIRM = 4,
	RENEW = 5,
	REBIND = 6,
	REPLY = 7,
	RELEASE = 8,
	DECLINE = 9,
	INFORMATION_REQUEST = 11,
};

enum {
	OPT_CLIENT_ID = 1,
	OPT_SERVER_ID = 2,
	OPT_IA_NA = 3,
	OPT_IA_ADDR = 5,
	OPT_STATUS = 13,
	OPT_RAPID_COMMIT = 14,
};

enum { STATUS_SUCCESS = 0, STATUS_NO_ADDRESSES = 2, STATUS_NOT_ON_LINK = 4 };

struct option_hdr {
	struct tn_be16 code, len;
} TN_PACKED;

struct duid_ll {
	struct tn_be16 type; /* 3 */
	struct tn_be16 hw;   /* 1: Ethernet */
	struct tn_mac mac;
} TN_PACKED;

struct ia_hdr {
	struct tn_be32 iaid, t1, t2;
} TN_PACKED;

struct ia_addr {
	struct tn_ip6 address;
	struct tn_be32 preferred, valid;
} TN_PACKED;

struct ia {
	struct tn_be32 iaid;
	unsigned n_others; /* addresses in it that are not the client's */
	struct tn_ip6 others[OTHERS_MAX];
};

/* What a client says. */
struct ask {
	uint8_t type;
	uint8_t transaction[3];
	const uint8_t *client_id; /* NULL: none */
	uint16_t client_id_len;
	bool has_server, is_ours; /* it names a server; this one */
	bool rapid;
	unsigned n_ias, n_addresses, n_wrong;
	struct ia ias[IAS_MAX];
};

static struct duid_ll server_id(const struct tn_reply_work *w)
{
	return (struct duid_ll){tn_htobe16(3), tn_htobe16(1), w->a->reply.mac};
}

/*
 * The next option, with a cursor over its value alone. NULL: there is none, or it is not whole,
 * then the cursor stays before it.
 */
static const struct option_hdr *next_option(struct tn_cursor *c, struct tn_cursor *value)
{
	struct tn_cursor before = *c;
	const struct option_hdr *o = tn_cursor_take(c, sizeof(*o));
	uint16_t len = o ? tn_be16toh(o->len) : 0;

	*value = *c;
	if (!o || !tn_cursor_take(c, len)) {
		*c = before;
		return NULL;
	}
	tn_cursor_limit(value, len);
	return o;
}

static void take_address(
	const struct tn_reply_work *w, struct ask *q, struct ia *ia, const struct ia_addr *a)
{
	struct tn_ip6 own = tn_u128_to_ip6(w->a->reply.address);

	q->n_addresses++;
	if (!memcmp(&a->address, &own, sizeof(own)))
		return;
	q->n_wrong++;
	if (ia->n_others < OTHERS_MAX)
		ia->others[ia->n_others++] = a->address;
}

static bool take_ia(const struct tn_reply_work *w, struct ask *q, struct tn_cursor c)
{
	const struct ia_hdr *hdr = tn_cursor_take(&c, sizeof(*hdr));
	const struct option_hdr *o;
	struct tn_cursor value;
	struct ia *ia;

	if (!hdr)
		return false;
	if (q->n_ias == IAS_MAX)
		return true;
	ia = &q->ias[q->n_ias++];
	ia->iaid = hdr->iaid;
	while ((o = next_option(&c, &value))) {
		const struct ia_addr *a;

		if (tn_be16toh(o->code) != OPT_IA_ADDR)
			continue;
		a = tn_cursor_take(&value, sizeof(*a));
		if (!a)
			return false;
		take_address(w, q, ia, a);
	}
	return c.pos == c.end;
}

static bool take_option(
	const struct tn_reply_work *w, struct ask *q, uint16_t code, struct tn_cursor value)
{
	const uint8_t *bytes = value.data + value.pos;
	uint32_t len = value.end - value.pos;
	struct duid_ll own = server_id(w);

	switch (code) {
	case OPT_CLIENT_ID:
		if (q->client_id || len == 0 || len > CLIENT_ID_MAX)
			return false;
		q->client_id = bytes;
		q->client_id_len = (uint16_t)len;
		return true;
	case OPT_SERVER_ID:
		if (q->has_server)
			return false;
		q->has_server = true;
		q->is_ours = len == sizeof(own) && !memcmp(bytes, &own, sizeof(own));
		return true;
	case OPT_IA_NA:
		return take_ia(w, q, value);
	case OPT_RAPID_COMMIT:
		q->rapid = true;
		return true;
	default:
		return true;
	}
}

/* From the first byte of the UDP payload. */
static bool parse(const struct tn_reply_work *w, struct ask *q, struct tn_cursor c)
{
	const uint8_t *head = tn_cursor_take(&c, 4);
	const struct option_hdr *o;
	struct tn_cursor value;

	memset(q, 0, sizeof(*q));
	if (!head)
		return false;
	q->type = head[0];
	memcpy(q->transaction, head + 1, sizeof(q->transaction));
	while ((o = next_option(&c, &value))) {
		if (!take_option(w, q, tn_be16toh(o->code), value))
			return false;
	}
	return c.pos == c.end;
}

static bool find_payload(const struct tn_reply_work *w, struct tn_cursor *c)
{
	const struct tn_ipv6_hdr *ip = (const void *)tn_rp_in(w, w->h->l3);
	const struct tn_udp_hdr *udp = (const void *)tn_rp_in(w, w->h->l4);

	*c = tn_cursor_of(w->view);
	if (!(w->h->flags & TN_HDR_IPV6) || !(w->h->flags & TN_HDR_UDP) ||
		w->h->ip_frag & TN_FRAG_ANY || tn_be16toh(udp->dst) != SERVER_PORT ||
		!tn_rp_ip6_is_host(&ip->src) ||
		!tn_cursor_take(c, w->h->l4 + (uint32_t)sizeof(*udp)))
		return false;
	tn_cursor_limit(c, tn_be16toh(udp->len) - (uint32_t)sizeof(*udp));
	return true;
}

/* RFC 8415, 16: what a message must and must not hold. */
static bool is_valid(const struct ask *q)
{
	switch (q->type) {
	case SOLICIT:
	case CONFIRM:
	case REBIND:
		return q->client_id && !q->has_server;
	case REQUEST:
	case RENEW:
	case RELEASE:
	case DECLINE:
		return q->client_id && q->has_server;
	case INFORMATION_REQUEST:
		return !q->n_ias;
	default:
		return false;
	}
}

static bool is_for_other(const struct ask *q)
{
	if (q->type == CONFIRM && !q->n_addresses) /* RFC 8415, 18.3.3 */
		return true;
	return q->has_server && !q->is_ours;
}

static void put_option(struct tn_reply_work *w, uint16_t code, const void *value, uint16_t len)
{
	tn_rp_put16(w, code);
	tn_rp_put16(w, len);
	tn_rp_put(w, value, len);
}

static void put_status(struct tn_reply_work *w, uint16_t status)
{
	struct tn_be16 be = tn_htobe16(status);

	put_option(w, OPT_STATUS, &be, sizeof(be));
}

static void put_address(struct tn_reply_work *w, const struct tn_ip6 *address, uint32_t lifetime)
{
	struct ia_addr a = {*address, tn_htobe32(lifetime), tn_htobe32(lifetime)};

	put_option(w, OPT_IA_ADDR, &a, sizeof(a));
}

/* T1 and T2 as RFC 8415, 21.4 recommends them. */
static void put_ia(struct tn_reply_work *w, const struct ask *q, const struct ia *ia, bool has)
{
	struct tn_ip6 own = tn_u128_to_ip6(w->a->reply.address);
	uint32_t lease = w->a->reply.number, at = w->out->len;
	struct option_hdr *o = tn_rp_room(w, sizeof(*o));
	struct ia_hdr *hdr = tn_rp_room(w, sizeof(*hdr));

	o->code = tn_htobe16(OPT_IA_NA);
	hdr->iaid = ia->iaid;
	if (has) {
		hdr->t1 = tn_htobe32(lease == UINT32_MAX ? lease : lease / 2);
		hdr->t2 = tn_htobe32(lease == UINT32_MAX ? lease : lease / 5 * 4);
		put_address(w, &own, lease);
	} else {
		put_status(w, STATUS_NO_ADDRESSES);
	}
	/* What a client has beside it is not on this link any more. */
	for (unsigned i = 0; i < ia->n_others && (q->type == RENEW || q->type == REBIND); i++)
		put_address(w, &ia->others[i], 0);
	if (!w->full)
		o->len = tn_htobe16((uint16_t)(w->out->len - at - sizeof(*o)));
}

static bool gives_addresses(const struct ask *q)
{
	return q->type == SOLICIT || q->type == REQUEST || q->type == RENEW || q->type == REBIND;
}

/* The one address goes to the first association. */
static void put_ias(struct tn_reply_work *w, const struct ask *q)
{
	for (unsigned i = 0; i < q->n_ias; i++)
		put_ia(w, q, &q->ias[i], i == 0 && w->a->reply.address);
}

static void put_message(struct tn_reply_work *w, const struct ask *q)
{
	struct duid_ll own = server_id(w);
	uint8_t data[TN_REPLY_DATA_MAX];
	bool commits = q->type != SOLICIT || q->rapid;

	tn_rp_put8(w, commits ? REPLY : ADVERTISE);
	tn_rp_put(w, q->transaction, sizeof(q->transaction));
	if (q->client_id)
		put_option(w, OPT_CLIENT_ID, q->client_id, q->client_id_len);
	put_option(w, OPT_SERVER_ID, &own, sizeof(own));
	if (gives_addresses(q))
		put_ias(w, q);
	if (q->type == SOLICIT && q->rapid)
		put_option(w, OPT_RAPID_COMMIT, NULL, 0);
	if (q->type == CONFIRM)
		put_status(w, q->n_wrong ? STATUS_NOT_ON_LINK : STATUS_SUCCESS);
	if (q->type == RELEASE || q->type == DECLINE)
		put_status(w, STATUS_SUCCESS);
	if (gives_addresses(q) || q->type == INFORMATION_REQUEST)
		tn_rp_put(w, data, tn_reply_data(w->a, data));
}

enum tn_drop tn_reply_dhcp6(struct tn_reply_work *w)
{
	struct tn_ip6 from = tn_u128_to_ip6(w->a->reply.ip), to;
	struct tn_udp_hdr *udp;
	struct tn_cursor c;
	struct ask q;

	if (!find_payload(w, &c) || !parse(w, &q, c) || !is_valid(&q))
		return TN_DROP_REPLY_UNFIT;
	if (is_for_other(&q))
		return TN_DROP_REPLY_NONE;
	to = ((const struct tn_ipv6_hdr *)(const void *)tn_rp_in(w, w->h->l3))->src;
	tn_rp_ethernet(w, tn_rp_asker(w), TN_ETH_TYPE_IPV6);
	tn_rp_ipv6(w, TN_IPPROTO_UDP, TN_REPLY_TTL, &from, &to);
	udp = tn_rp_room(w, sizeof(*udp));
	put_message(w, &q);
	udp->src = tn_htobe16(SERVER_PORT);
	udp->dst = tn_htobe16(CLIENT_PORT);
	udp->len = tn_htobe16((uint16_t)(w->out->len - w->l4));
	return tn_rp_finish(w, offsetof(struct tn_udp_hdr, csum));
}
