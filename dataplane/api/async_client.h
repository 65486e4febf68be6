/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A client of the data plane's socket for an event loop: it never waits, and any number of requests
 * may be under way. One thread.
 *
 * The loop watches tn_api_async_fd() for tn_api_async_wanted(), which may be others after every
 * call here, and hands what epoll says to tn_api_async_process(). Answers and events come from
 * within that call alone. Time is the caller's: nothing here times out.
 *
 *	c = tn_api_async_connect(path, "tenond", &events, &err);
 *	tn_api_async_encoded(c, mods, n, false, on_receipt, job, &err);
 *	tn_api_async_flush(c);
 *	... epoll says that tn_api_async_fd(c) is ready: ...
 *	if (tn_api_async_process(c, epoll_events, &err))
 *		tn_api_async_free(c);
 */
#ifndef TN_API_ASYNC_CLIENT_H
#define TN_API_ASYNC_CLIENT_H

#include "dataplane/api/codec.h"

struct tn_api_async;

/*
 * What came back; all of it is good for the call. Called once, for a DUMP once for each PART and
 * once more at its end (err is set, or the answer is END).
 *
 *	err NULL	done; answer is what the protocol says (RECEIPT, TRACE_REPLY, PART, END)
 *	err, answer	refused: a RECEIPT of version 0, or an ERROR; *err is what it holds
 *	err, no answer	the connection is lost: it may or may not have been done
 *
 * May send requests and forget them, but not free the client.
 */
typedef void (*tn_api_answer_fn)(
	void *ctx, const struct tn_api_message *answer, const struct tn_error *err);

/* What comes without being asked for. Members may be NULL. As an answer's function. */
struct tn_api_async_events {
	void *ctx;
	/* The server knows us and says what it can do; requests may be sent before that. */
	void (*ready)(void *ctx, const struct tn_api_hello_reply *server);
	/* Of what was subscribed to. */
	void (*event)(void *ctx, const struct tn_api_event *event);
};

/*
 * Connects and queues HELLO. name: of the program, for the server's log. NULL with err: nobody
 * listens there, or has room for one more now.
 */
struct tn_api_async *tn_api_async_connect(const char *path, const char *name,
	const struct tn_api_async_events *events, struct tn_error *err);
/* The same on a connected stream socket, which is the client's from here on, also after an error.
 */
struct tn_api_async *tn_api_async_open(
	int fd, const char *name, const struct tn_api_async_events *events, struct tn_error *err);
/* Whoever still waits for an answer is told that the connection is lost. */
void tn_api_async_free(struct tn_api_async *c);

int tn_api_async_fd(const struct tn_api_async *c);
/* EPOLLIN, and EPOLLOUT while something waits to be sent. */
uint32_t tn_api_async_wanted(const struct tn_api_async *c);

/*
 * Sends and reads what can be now, a bounded amount of it, and calls back. -EIO: the connection is
 * lost, with err; everyone who waited was told, and the client is of no more use but to be freed.
 */
int tn_api_async_process(
	struct tn_api_async *c, uint32_t epoll_events, struct tn_error *err) TN_MUST_CHECK;
/*
 * Sends what the socket takes. Requests only queue, so that many of them cost one write: call this
 * before the loop sleeps. What is wrong with the connection is found by the next process().
 */
void tn_api_async_flush(struct tn_api_async *c);

/*
 * Queues a request. Nothing of it is kept but ctx. -EINVAL, -ENOMEM with err: it cannot be put into
 * a message, and fn is not called; -EIO: the connection was lost before.
 */
int tn_api_async_send(struct tn_api_async *c, const struct tn_api_message *request,
	tn_api_answer_fn fn, void *ctx, struct tn_error *err) TN_MUST_CHECK;
/*
 * A bundle of encoded mods in as many parts as it takes, answered by one RECEIPT. early, of servers
 * that can: by two where there is anything to wait for in between, the first with the flag MORE.
 * Parts are sent as they are made. -EINVAL: one that no message can hold is among the first ones,
 * and nothing was queued; further on it costs the connection, which is -EIO.
 */
int tn_api_async_encoded(struct tn_api_async *c, const struct tn_api_encoded *mods, size_t n,
	bool early, tn_api_answer_fn fn, void *ctx, struct tn_error *err) TN_MUST_CHECK;

/* Whoever ctx was is gone: what was asked for with it is done, but nobody is told. */
void tn_api_async_forget(struct tn_api_async *c, const void *ctx);

/* Requests without their (last) answer, and bytes that wait to be sent: to ask for less at once. */
size_t tn_api_async_in_flight(const struct tn_api_async *c);
size_t tn_api_async_queued(const struct tn_api_async *c);

#endif
