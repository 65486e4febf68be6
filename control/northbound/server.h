/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The northbound: HTTP on Unix and TCP sockets, in front of an engine. README.md is its reference.
 *
 * Everything runs on the loop it was given, on one thread; no client makes another one wait.
 * Strings of the options are copied. Times are seconds, sizes are bytes.
 */
#ifndef TN_NORTHBOUND_SERVER_H
#define TN_NORTHBOUND_SERVER_H

#include "control/engine/engine.h"
#include "dataplane/api/loop.h"
#include "dataplane/core/error.h"

struct tn_server;

/* Each may do what those before it may. */
enum tn_role {
	TN_ROLE_NONE,	  /* nobody: may ask whether the daemon is well, and what it offers */
	TN_ROLE_VIEWER,	  /* reads */
	TN_ROLE_OPERATOR, /* flows, groups, meters, hosts, packets */
	TN_ROLE_ADMIN,	  /* ports, tables, the whole document */
};

/* "viewer", "operator", "admin"; TN_ROLE_NONE for another word. */
enum tn_role tn_role_by_name(const char *name);
/* "nobody" for TN_ROLE_NONE. */
const char *tn_role_name(enum tn_role role);

/* Who a client is, when it shows the token (or a certificate with the name as its CN). */
struct tn_server_token {
	const char *name;
	uint8_t sha256[32]; /* of the token's bytes */
	bool has_sha256;    /* false: by certificate alone */
	enum tn_role role;
	const char *tenant; /* NULL: sees everybody's objects */
};

struct tn_server_unix {
	const char *path;  /* NULL: no such socket */
	uint32_t mode;	   /* of the file: 0660 */
	const char *group; /* of the file; its members are admins, as root is. NULL: root alone */
};

struct tn_server_tcp {
	const char *address; /* IPv4 or IPv6, no name */
	uint16_t port;	     /* 0: any; tn_server_tcp_port() has it */
	/* PEM files. certificate NULL: no TLS, which only loopback addresses may be without. */
	const char *certificate, *key;
	const char *client_ca; /* NULL: certificates of clients are not asked for */
};

/* 0 is the default, in brackets. */
struct tn_server_limits {
	uint32_t connections;		 /* [2048] of all clients */
	uint32_t connections_per_client; /* [1024] of one user, of one address */
	uint32_t body_bytes;		 /* [64 MiB] of one request */
	uint32_t elements;		 /* [262144] of a list in one request */
	uint64_t bodies_bytes;		 /* [256 MiB] of all requests that are being received */
	uint32_t header_seconds; /* [60] from the last answer until a request's headers are here */
	uint32_t body_seconds;	 /* [60] from there until its body is here */
	uint32_t stall_seconds;	 /* [60] that a client may take nothing of its answer */
	uint32_t watchers;	 /* [1024] at a time */
	uint64_t watch_bytes;	 /* [16 MiB] of events that are kept for slow watchers */
	uint32_t heartbeat_seconds; /* [15] between lines on a quiet watch */
};

struct tn_server_options {
	struct tn_server_unix socket;
	const struct tn_server_tcp *tcp;
	size_t n_tcp;
	const struct tn_server_token *tokens;
	size_t n_tokens;
	struct tn_server_limits limits;
};

/*
 * Listens and serves. NULL with err: an address is taken, a certificate cannot be read, plain TCP
 * on an address that is not loopback, two tokens of one name. A socket file that nobody listens on
 * is replaced.
 */
struct tn_server *tn_server_new(struct tn_loop *loop, struct tn_engine *engine,
	const struct tn_server_options *options, struct tn_error *err);
/*
 * Looks only: 0, or -EINVAL with what would keep tn_server_new() from serving, as far as that can
 * be seen without listening.
 */
int tn_server_check(const struct tn_server_options *options, struct tn_error *err) TN_MUST_CHECK;
/*
 * Takes on other options; files of certificates are read again. Clients that are connected stay,
 * with the rights that the new options give them. -EINVAL with err: everything is as it was.
 */
int tn_server_reload(struct tn_server *s, const struct tn_server_options *options,
	struct tn_error *err) TN_MUST_CHECK;
/* Ends all connections. Before the engine is freed. NULL is fine. */
void tn_server_free(struct tn_server *s);

/* The port that listener i of the options was given. */
uint16_t tn_server_tcp_port(const struct tn_server *s, size_t i);

#endif
