/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * HTTP: libmicrohttpd on a loop, with our own accepting and our own limits on time. One of these
 * for all plain sockets, and one for each certificate. Internal to the northbound.
 */
#ifndef TN_NORTHBOUND_WEB_H
#define TN_NORTHBOUND_WEB_H

#include "control/northbound/service.h"
#include "control/northbound/socket.h"
#include "control/northbound/tls.h"

struct tn_web;

/* What all of a server's have in common. */
struct tn_web_shared {
	struct tn_loop *loop;
	struct tn_service *service;
	struct tn_access *access;
	const char *group;     /* whose members are admins on Unix sockets; NULL: none */
	unsigned group_set;    /* how often it was, from 1 on */
	uint64_t bodies_bytes; /* of requests that are being received */
	unsigned n_connections;
	struct tn_connection *connections;
};

/* files NULL: without TLS. NULL with err. */
struct tn_web *tn_web_new(
	struct tn_web_shared *shared, const struct tn_tls_files *files, struct tn_error *err);
/* Ends its connections. */
void tn_web_free(struct tn_web *w);
/* Takes the descriptor over, whatever becomes of it. */
void tn_web_add(
	struct tn_web *w, int fd, const struct sockaddr *address, socklen_t len, bool is_unix);
/* Connections are left. */
bool tn_web_busy(const struct tn_web *w);
/* Once a second, for all of them and for each. */
void tn_web_tick_all(struct tn_web_shared *shared);
void tn_web_tick(struct tn_web *w);
/* Watches of clients that showed a token end: the token may not be one any more. */
void tn_web_end_watches(struct tn_web_shared *shared);

#endif
