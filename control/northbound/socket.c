/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/northbound/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <grp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "control/northbound/answer.h"

#define BACKLOG	   1024
#define GROUPS_MAX 1024

/* Unix. */

static int unix_address(const char *path, struct sockaddr_un *a, struct tn_error *err)
{
	*a = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(a->sun_path))
		return tn_error_set(err, TN_OFPBRC_EPERM, -1,
			"the path of the socket is over %zu bytes: %s; give a shorter one",
			sizeof(a->sun_path) - 1, path);
	memcpy(a->sun_path, path, strlen(path) + 1);
	return 0;
}

/* A file that was left behind by a daemon that died is removed; a daemon that lives is not. */
static int remove_stale(const char *path, const struct sockaddr_un *a, struct tn_error *err)
{
	struct stat st;
	int fd, rc;

	if (lstat(path, &st))
		return 0;
	if (!S_ISSOCK(st.st_mode))
		return tn_error_set(err, TN_OFPBRC_EPERM, -1,
			"%s is there and is no socket; remove it or give another path", path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return tn_error_set(err, TN_OFPBRC_EPERM, -1, "socket: %s", strerror(errno));
	rc = connect(fd, (const struct sockaddr *)a, sizeof(*a));
	close(fd);
	if (rc == 0)
		return tn_error_set(err, TN_OFPBRC_EPERM, -1,
			"another process listens on %s; stop it or give another path", path);
	(void)unlink(path);
	return 0;
}

int tn_socket_own(const struct tn_server_unix *o, struct tn_error *err)
{
	struct group *group;

	if (o->group && *o->group) {
		group = getgrnam(o->group);
		if (!group)
			return tn_error_set(err, TN_OFPBRC_EPERM, -1,
				"there is no group \"%s\"; create it with groupadd --system, or "
				"name another",
				o->group);
		if (chown(o->path, (uid_t)-1, group->gr_gid))
			return tn_error_set(err, TN_OFPBRC_EPERM, -1,
				"%s cannot be given to group %s: %s", o->path, o->group,
				strerror(errno));
	}
	if (chmod(o->path, o->mode ? o->mode : 0660))
		return tn_error_set(
			err, TN_OFPBRC_EPERM, -1, "chmod of %s: %s", o->path, strerror(errno));
	return 0;
}

int tn_socket_listen_unix(const struct tn_server_unix *o, struct tn_error *err)
{
	struct sockaddr_un a;
	mode_t mask;
	int fd, rc;

	if (unix_address(o->path, &a, err) || remove_stale(o->path, &a, err))
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) {
		tn_error_set(err, TN_OFPBRC_EPERM, -1, "socket: %s", strerror(errno));
		return -1;
	}
	/* Nobody connects before mode and group are as they must be. */
	mask = umask(0177);
	rc = bind(fd, (const struct sockaddr *)&a, sizeof(a));
	(void)umask(mask);
	if (rc) {
		tn_error_set(err, TN_OFPBRC_EPERM, -1,
			"cannot listen on %s: %s; is its folder there, and writable?", o->path,
			strerror(errno));
		goto fail;
	}
	if (tn_socket_own(o, err)) {
		(void)unlink(o->path);
		goto fail;
	}
	if (listen(fd, BACKLOG) == 0)
		return fd;
	tn_error_set(err, TN_OFPBRC_EPERM, -1, "listen on %s: %s", o->path, strerror(errno));
	(void)unlink(o->path);
fail:
	close(fd);
	return -1;
}

/* TCP. */

union tcp_address {
	struct sockaddr any;
	struct sockaddr_in ip4;
	struct sockaddr_in6 ip6;
};

static int tcp_address(
	const struct tn_server_tcp *o, union tcp_address *a, socklen_t *len, struct tn_error *err)
{
	memset(a, 0, sizeof(*a));
	if (o->address && inet_pton(AF_INET, o->address, &a->ip4.sin_addr) == 1) {
		a->ip4.sin_family = AF_INET;
		a->ip4.sin_port = htons(o->port);
		*len = sizeof(a->ip4);
		return 0;
	}
	if (o->address && inet_pton(AF_INET6, o->address, &a->ip6.sin6_addr) == 1) {
		a->ip6.sin6_family = AF_INET6;
		a->ip6.sin6_port = htons(o->port);
		*len = sizeof(a->ip6);
		return 0;
	}
	return tn_error_set(err, TN_OFPBRC_EPERM, -1,
		"\"%s\" is no IPv4 or IPv6 address to listen on", o->address ? o->address : "");
}

static bool is_loopback(const union tcp_address *a)
{
	return a->any.sa_family == AF_INET ? ntohl(a->ip4.sin_addr.s_addr) >> 24 == 127
					   : IN6_IS_ADDR_LOOPBACK(&a->ip6.sin6_addr);
}

int tn_socket_check_tcp(const struct tn_server_tcp *o, struct tn_error *err)
{
	union tcp_address a;
	socklen_t len;

	if (tcp_address(o, &a, &len, err))
		return -EINVAL;
	if (!o->certificate != !o->key)
		return tn_error_set(err, TN_OFPBRC_EPERM, -1,
			"%s has a certificate without a key or a key without a certificate; give "
			"both",
			o->address);
	if (!o->certificate && o->client_ca)
		return tn_error_set(err, TN_OFPBRC_EPERM, -1,
			"%s asks for certificates of clients but has none itself", o->address);
	if (!o->certificate && !is_loopback(&a))
		return tn_error_set(err, TN_OFPBRC_EPERM, -1,
			"%s is no loopback address: tokens would go over the wire as they are; "
			"give a certificate and a key",
			o->address);
	return 0;
}

int tn_socket_listen_tcp(const struct tn_server_tcp *o, struct tn_error *err)
{
	union tcp_address a;
	socklen_t len = 0;
	int fd, on = 1;

	if (tcp_address(o, &a, &len, err))
		return -1;
	fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) {
		tn_error_set(err, TN_OFPBRC_EPERM, -1, "socket: %s", strerror(errno));
		return -1;
	}
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (a.any.sa_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(fd, &a.any, len) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	tn_error_set(err, TN_OFPBRC_EPERM, -1, "cannot listen on %s port %u: %s", o->address,
		o->port, strerror(errno));
	close(fd);
	return -1;
}

uint16_t tn_socket_port(int fd)
{
	union tcp_address a;
	socklen_t len = sizeof(a);

	if (getsockname(fd, &a.any, &len))
		return 0;
	return a.any.sa_family == AF_INET6   ? ntohs(a.ip6.sin6_port)
		: a.any.sa_family == AF_INET ? ntohs(a.ip4.sin_port)
					     : 0;
}

/* The other end. */

static bool in_group(int fd, gid_t own, const char *name)
{
	struct group *group = name && *name ? getgrnam(name) : NULL;
	gid_t list[GROUPS_MAX];
	socklen_t len = sizeof(list);

	if (!group)
		return false;
	if (own == group->gr_gid)
		return true;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, list, &len))
		return false;
	for (size_t i = 0; i < len / sizeof(list[0]); i++)
		if (list[i] == group->gr_gid)
			return true;
	return false;
}

void tn_socket_peer(int fd, const char *group, struct tn_principal *who)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	*who = (struct tn_principal){.role = TN_ROLE_NONE};
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) || len != sizeof(peer))
		return;
	snprintf(who->name, sizeof(who->name), "uid %u", peer.uid);
	who->role = peer.uid == 0 || peer.uid == geteuid() || in_group(fd, peer.gid, group)
		? TN_ROLE_ADMIN
		: TN_ROLE_VIEWER;
}

struct tn_client_id tn_socket_client(int fd, const struct sockaddr *address)
{
	struct tn_client_id id = {.family = address->sa_family};
	const union tcp_address *a = (const union tcp_address *)address;
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (address->sa_family == AF_INET)
		memcpy(id.bytes, &a->ip4.sin_addr, 4);
	else if (address->sa_family == AF_INET6)
		memcpy(id.bytes, &a->ip6.sin6_addr, 8); /* a site's /64 is one client */
	else if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0)
		memcpy(id.bytes, &peer.uid, sizeof(peer.uid));
	return id;
}

size_t tn_socket_write_last_words(char *buf, size_t size, unsigned status, const char *text)
{
	char body[256];
	int n = snprintf(body, sizeof(body), "{\"code\":%u,\"message\":\"%s\"}\n", status, text);

	n = snprintf(buf, size,
		"HTTP/1.1 %u %s\r\nContent-Type: application/problem+json\r\nContent-Length: "
		"%d\r\n%sConnection: close\r\n\r\n%s",
		status, tn_status_phrase(status), n, status == 503 ? "Retry-After: 1\r\n" : "",
		body);
	return (size_t)n;
}

void tn_socket_last_words(int fd, unsigned status, const char *text)
{
	char buf[512];
	size_t n = tn_socket_write_last_words(buf, sizeof(buf), status, text);

	(void)!send(fd, buf, n, MSG_NOSIGNAL | MSG_DONTWAIT);
}
