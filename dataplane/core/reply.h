/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Answers that the switch gives in place of somebody else: REPLY makes of a packet the answer to
 * it. A frame in, a frame out; what asks for no answer, or may have none, is a drop with its
 * reason.
 *
 *   ARP (RFC 826), Neighbour Discovery and router advertisements (RFC 4861), echo (RFC 792, 4443),
 *   ICMP errors (RFC 1812, 4.3.2; RFC 1191; RFC 4443, 2.4), DHCP (RFC 2131), DHCPv6 (RFC 8415)
 *
 * The answer leaves with `mac` as its source and goes to the station that the packet came from,
 * with the packet's VLAN tags. Pure: no allocation, clock or global. Every byte of the packet is
 * read through the cursor or inside what tn_parse() found.
 */
#ifndef TN_CORE_REPLY_H
#define TN_CORE_REPLY_H

#include "dataplane/core/action.h"
#include "dataplane/core/drop.h"
#include "dataplane/core/parse.h"
#include "dataplane/core/view.h"

/* Arguments that a kind takes. */
enum tn_reply_argument {
	TN_REPLY_TAKES_MAC = 1u << 0,
	TN_REPLY_TAKES_IP = 1u << 1,
	TN_REPLY_TAKES_ADDRESS = 1u << 2,
	TN_REPLY_TAKES_CODE = 1u << 3,
	TN_REPLY_TAKES_MTU = 1u << 4,
	TN_REPLY_TAKES_LEASE = 1u << 5,
	TN_REPLY_TAKES_ROUTER = 1u << 6,
	TN_REPLY_TAKES_OPTIONS = 1u << 7, /* data: type, length, value */
	TN_REPLY_TAKES_BODY = 1u << 8,	  /* data: what follows the ICMPv6 checksum */
};

#define TN_REPLY_TAKES_DATA (TN_REPLY_TAKES_OPTIONS | TN_REPLY_TAKES_BODY)

struct tn_reply_form {
	const char *name; /* as in JSON */
	uint16_t takes;	  /* enum tn_reply_argument */
};

/* By enum tn_reply_kind; 0 has no name. */
extern const struct tn_reply_form tn_reply_forms[TN_REPLY_LAST + 1];

#define TN_REPLY_LEASE_DEFAULT 86400u /* seconds, where DHCP6 says none */

/*
 * Arguments and data of a REPLY that n more actions follow. -EINVAL with err->of and a sentence;
 * err->index is `index`.
 */
int tn_reply_check(
	const struct tn_action *a, size_t n, int index, struct tn_error *err) TN_MUST_CHECK;
/* Can it answer every packet of the match? */
int tn_reply_check_match(const struct tn_action *a, const struct tn_match *match, int index,
	struct tn_error *err) TN_MUST_CHECK;

/* The same arguments, of two that passed their check; their data is compared by their notes. */
bool tn_reply_equal(const struct tn_action *a, const struct tn_action *b);

/* Copies the data that the action holds; at most TN_REPLY_DATA_MAX bytes. Returns how many. */
uint32_t tn_reply_data(const struct tn_action *a, uint8_t data[TN_REPLY_DATA_MAX]);
/* The NOTEs that hold n bytes of data are to follow a REPLY. Returns how many; n is in range. */
uint16_t tn_reply_data_notes(const uint8_t *data, uint32_t n, struct tn_action *notes);
#define TN_REPLY_NOTES_MAX ((TN_REPLY_DATA_MAX + TN_NOTE_MAX - 1) / TN_NOTE_MAX)

/* The longest answer: an ICMPv6 error of 1280 bytes, or DHCP with all its options; two tags. */
#define TN_ANSWER_MAX 1600u

struct tn_answer {
	uint8_t data[TN_ANSWER_MAX];
	uint32_t len;
};

/*
 * The answer to a packet whose headers are *h, of any kind but ECHO. TN_DROP_NONE; or
 * REPLY_UNFIT: it is nothing this kind answers; REPLY_NONE: it asks for no answer;
 * NO_ICMP_ERROR: no error may be sent about it.
 */
enum tn_drop tn_reply(const struct tn_view *view, const struct tn_headers *h,
	const struct tn_action *a, struct tn_answer *out) TN_MUST_CHECK;

/* A router solicitation from nobody to all routers: what ADVERTISE answers by itself. */
#define TN_SOLICITATION_LEN 62u
extern const uint8_t tn_reply_solicitation[TN_SOLICITATION_LEN];

/* ECHO, in place: however long it is, it comes back whole. */
enum tn_drop tn_reply_echo(struct tn_view *view, struct tn_headers *h) TN_MUST_CHECK;

#endif
