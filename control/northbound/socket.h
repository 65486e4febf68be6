/* SPDX-License-Identifier: BSD-3-Clause */
/* Sockets that are listened on, and who is at the other end. Internal to the northbound. */
#ifndef TN_NORTHBOUND_SOCKET_H
#define TN_NORTHBOUND_SOCKET_H

#include <sys/socket.h>

#include "control/northbound/access.h"

/* The descriptor, or -1 with err. */
int tn_socket_listen_unix(const struct tn_server_unix *options, struct tn_error *err);
/* Mode and group of the file. */
int tn_socket_own(const struct tn_server_unix *options, struct tn_error *err) TN_MUST_CHECK;
int tn_socket_listen_tcp(const struct tn_server_tcp *options, struct tn_error *err);
/* 0, or -EINVAL with err: no address, or not loopback though it has no TLS. */
int tn_socket_check_tcp(const struct tn_server_tcp *options, struct tn_error *err) TN_MUST_CHECK;
uint16_t tn_socket_port(int fd);

/*
 * The rights of whoever connected to a Unix socket: root, this daemon's user and members of the
 * group are admins, others viewers. group NULL: no group.
 */
void tn_socket_peer(int fd, const char *group, struct tn_principal *who);

/* Who counts as one client: a user of this machine, or an address. */
struct tn_client_id {
	int family;
	uint8_t bytes[16];
};
struct tn_client_id tn_socket_client(int fd, const struct sockaddr *address);

/* A whole answer where nobody asks yet or any more; as much of it as fits. */
void tn_socket_last_words(int fd, unsigned status, const char *text);
/* The same as bytes. */
size_t tn_socket_write_last_words(char *buf, size_t size, unsigned status, const char *text);

#endif
