/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The server of dataplane/api's protocol: many clients on the agent's loop, none of which can make
 * it wait. A client that does not read is not read from; what it sends is taken in bounded pieces,
 * what it asks for is produced as it reads. Main thread.
 *
 * All changes that arrive in one round of the loop are flushed together at its end.
 */
#ifndef TN_AGENT_API_SERVER_H
#define TN_AGENT_API_SERVER_H

#include "dataplane/agent/agent.h"
#include "dataplane/agent/change.h"

#define TN_API_CLIENTS_MAX 1024u

struct tn_api_server;

/*
 * listen_fd: of tn_api_listen(), stays the caller's; -1: clients come by tn_api_server_adopt()
 * alone. NULL with err.
 */
struct tn_api_server *tn_api_server_new(
	struct tn_agent *agent, struct tn_changes *changes, int listen_fd, struct tn_error *err);
/*
 * Nobody can ask for anything any more. Between this and free the changes are finished, so that
 * their receipts still go out.
 */
void tn_api_server_stop(struct tn_api_server *s);
void tn_api_server_free(struct tn_api_server *s);

/* A connected stream socket, which is the server's from here on. -errno. */
int tn_api_server_adopt(struct tn_api_server *s, int fd) TN_MUST_CHECK;

unsigned tn_api_server_clients(const struct tn_api_server *s);

#endif
