/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A data plane without packets: the pipeline's switch behind the data plane's protocol, on the loop
 * of the test. It can refuse, fall silent and hang up where a test wants it to.
 */
#ifndef TN_TESTS_FAKE_DATAPLANE_H
#define TN_TESTS_FAKE_DATAPLANE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "dataplane/api/codec.h"
#include "dataplane/api/loop.h"
#include "dataplane/pipeline/switch.h"

#define FAKE_DPID  1u
#define FAKE_PORTS 64u

enum fake_fault {
	FAKE_NO_FAULT,
	FAKE_HANG_UP_BEFORE, /* the change is not made */
	FAKE_HANG_UP_AFTER,  /* it is made, and not answered */
	FAKE_HOLD,	     /* it is made and answered by fake_release() */
	FAKE_HANG_UP_EARLY,  /* it is made and told to be in force, and no more */
	FAKE_NOT_KEPT,	     /* in force, and it is told that it is not kept */
};

struct fake {
	struct tn_loop *loop;
	char path[108];
	int listen_fd, fd;
	struct tn_switch *sw;
	uint64_t now_ns, started_ns;
	struct tn_api_buffer in, out, held;
	bool subscribed;
	bool late;	  /* receipts alone, none before */
	uint64_t counted; /* packets, by each flow */
	/* A bundle of several parts. */
	struct tn_api_arena arena;
	struct tn_mod *mods;
	size_t n_mods;
	/* Ports as they were added, whole messages. */
	struct tn_api_buffer ports[FAKE_PORTS];
	uint32_t numbers[FAKE_PORTS];
	/* The next change but `after` ones. */
	enum fake_fault fault;
	unsigned fault_after;
	enum tn_of_error refuse_port_adds;
	/* What came. */
	size_t bundles, mods_seen, changes, port_messages, packet_outs, dumps;
};

static inline void fake_flush(struct fake *f)
{
	struct tn_api_buffer *b = &f->out;

	while (f->fd >= 0 && b->len) {
		ssize_t n = send(f->fd, b->data, b->len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n <= 0)
			break;
		tn_api_buffer_consume(b, (size_t)n);
	}
	if (f->fd >= 0)
		(void)!tn_loop_modify(f->loop, f->fd, EPOLLIN | (b->len ? EPOLLOUT : 0u));
}

static inline void fake_hang_up(struct fake *f)
{
	if (f->fd < 0)
		return;
	tn_loop_remove(f->loop, f->fd);
	close(f->fd);
	f->fd = -1;
	f->in.len = f->out.len = f->held.len = 0;
	f->subscribed = false;
	tn_api_arena_fini(&f->arena);
	tn_api_arena_init(&f->arena, 0);
	f->n_mods = 0;
}

static inline void fake_send(struct fake *f, const struct tn_api_message *msg)
{
	struct tn_error err;

	assert_return_code(tn_api_encode(&f->out, msg, &err), 0);
}

static inline void fake_receipt(
	struct fake *f, uint64_t id, int rc, size_t position, const struct tn_error *err)
{
	struct tn_api_message msg = {.type = TN_API_RECEIPT, .request_id = id};
	struct tn_error ignored;

	if (rc) {
		msg.receipt.position = position;
		msg.receipt.error = *err;
	} else {
		msg.receipt.version = 1;
	}
	assert_return_code(
		tn_api_encode(f->fault == FAKE_HOLD ? &f->held : &f->out, &msg, &ignored), 0);
}

/* What was held is answered now. */
static inline void fake_release(struct fake *f)
{
	assert_return_code(tn_api_buffer_reserve(&f->out, f->held.len), 0);
	memcpy(f->out.data + f->out.len, f->held.data, f->held.len);
	f->out.len += f->held.len;
	f->held.len = 0;
	f->fault = FAKE_NO_FAULT;
	fake_flush(f);
}

static inline void fake_on_event(void *ctx, const struct tn_event *event)
{
	struct tn_api_message msg = {.type = TN_API_EVENT, .event = {.time_ns = event->time_ns}};
	struct fake *f = ctx;

	if (!f->subscribed || f->fd < 0 || event->kind == TN_EVENT_TABLE_STATUS)
		return;
	if (event->kind == TN_EVENT_FLOW_REMOVED) {
		msg.event.kind = TN_API_FLOW_REMOVED;
		msg.event.removed.reason = event->removed_reason;
		msg.event.removed.flow = *event->flow;
	} else {
		msg.event.kind = TN_API_PORT_STATUS;
		msg.event.port.reason = event->port_reason;
		msg.event.port.port = *event->port;
	}
	fake_send(f, &msg);
}

struct fake_dump {
	struct fake *f;
	uint64_t id;
	enum tn_api_dump_kind kind;
	uint64_t total;
};

static inline void fake_part(struct fake_dump *d, const void *item)
{
	const struct tn_api_message msg = {.type = TN_API_PART,
		.request_id = d->id,
		.part = {.kind = d->kind, .n = 1, .items = item}};

	d->total++;
	fake_send(d->f, &msg);
}

static inline void fake_dump_flow(void *ctx, const struct tn_flow_info *flow)
{
	struct fake_dump *d = ctx;
	struct tn_flow_info info = *flow;
	struct tn_api_flow_counter c = {flow->flow_id, flow->last_used_ns, flow->counter};

	info.counter.packets += d->f->counted;
	c.counter = info.counter;
	fake_part(d, d->kind == TN_API_FLOWS ? (const void *)&info : (const void *)&c);
}

static inline void fake_dump_group(void *ctx, const struct tn_group_info *group)
{
	fake_part(ctx, group);
}

static inline void fake_dump_meter(void *ctx, const struct tn_meter *meter, uint32_t references)
{
	struct tn_api_band_info bands[TN_METER_BANDS_MAX];
	struct tn_api_meter_info info = {
		.meter_id = meter->meter_id,
		.flags = meter->flags,
		.owner = meter->owner,
		.reference_count = references,
		.bands = bands,
		.n_bands = meter->n_bands,
	};

	for (unsigned i = 0; i < meter->n_bands; i++)
		bands[i] = (struct tn_api_band_info){.band = meter->bands[i].config};
	fake_part(ctx, &info);
}

static inline void fake_dump_table(void *ctx, const struct tn_table_info *table)
{
	fake_part(ctx, table);
}

static inline void fake_dump_ports(struct fake_dump *d)
{
	for (unsigned i = 0; i < FAKE_PORTS; i++) {
		const struct tn_api_buffer *b = &d->f->ports[i];
		struct tn_api_port_info info = {.state = TN_PORT_STATE_LIVE, .rx = {i, 100 * i}};
		struct tn_api_message msg;
		struct tn_api_arena arena;
		struct tn_error err;

		if (!b->len)
			continue;
		tn_api_arena_init(&arena, 0);
		assert_return_code(tn_api_decode(b->data, b->len, &arena, &msg, &err), 0);
		info.port = msg.port_add;
		fake_part(d, &info);
		tn_api_arena_fini(&arena);
	}
}

static inline void fake_dump(struct fake *f, const struct tn_api_message *msg)
{
	struct fake_dump d = {.f = f, .id = msg->request_id, .kind = msg->dump.kind};
	struct tn_api_message end = {.type = TN_API_END, .request_id = msg->request_id};
	struct tn_flow_mod filter;
	struct tn_api_worker_info worker = {.worker = 1, .sessions = 5};

	f->dumps++;
	tn_flow_mod_init(&filter);
	filter.command = TN_FLOW_DELETE;
	filter.table_id = msg->dump.table_id;
	filter.out_port = msg->dump.out_port;
	filter.out_group = msg->dump.out_group;
	filter.match = msg->dump.match;
	if (d.kind == TN_API_FLOWS || d.kind == TN_API_COUNTERS)
		assert_int_equal(tn_switch_flows(f->sw, &filter, fake_dump_flow, &d), 0);
	else if (d.kind == TN_API_GROUPS)
		assert_int_equal(tn_switch_groups(f->sw, fake_dump_group, &d), 0);
	else if (d.kind == TN_API_METERS)
		assert_int_equal(tn_switch_meters(f->sw, fake_dump_meter, &d), 0);
	else if (d.kind == TN_API_TABLES)
		tn_switch_tables(f->sw, fake_dump_table, &d);
	else if (d.kind == TN_API_PORTS)
		fake_dump_ports(&d);
	else
		fake_part(&d, &worker);
	end.end.kind = d.kind;
	end.end.total = d.total;
	fake_send(f, &end);
}

/* Where the port is; an empty place for one that is not there. */
static inline struct tn_api_buffer *fake_port(struct fake *f, uint32_t number)
{
	unsigned empty = FAKE_PORTS;

	for (unsigned i = 0; i < FAKE_PORTS; i++) {
		if (f->ports[i].len && f->numbers[i] == number)
			return &f->ports[i];
		if (!f->ports[i].len && empty == FAKE_PORTS)
			empty = i;
	}
	assert_true(empty < FAKE_PORTS);
	f->numbers[empty] = number;
	return &f->ports[empty];
}

static inline int fake_port_add(struct fake *f, const struct tn_api_port *port,
	const uint8_t *bytes, size_t len, struct tn_error *err)
{
	const struct tn_port_config_data data = {
		.number = port->number, .state = TN_PORT_STATE_LIVE};
	struct tn_api_buffer *b = fake_port(f, port->number);
	bool there;

	if (f->refuse_port_adds)
		return tn_error_set(err, f->refuse_port_adds, -1, "no such device");
	there = b->len;
	if (there && !port->has_vxlan)
		return tn_error_set(err, TN_OFPPMFC_BAD_PORT, -1, "the port is there");
	b->len = 0;
	assert_return_code(tn_api_buffer_reserve(b, len), 0);
	memcpy(b->data, bytes, len);
	b->len = len;
	if (there)
		return 0;
	return tn_switch_port_add(f->sw, &data, f->now_ns, err);
}

static inline int fake_port_remove(struct fake *f, uint32_t number, struct tn_error *err)
{
	struct tn_api_buffer *b = fake_port(f, number);

	if (!b->len)
		return tn_error_set(err, TN_OFPPMFC_BAD_PORT, -1, "there is no such port");
	b->len = 0;
	return tn_switch_port_remove(f->sw, number, f->now_ns, err);
}

static inline int fake_port_configure(
	struct fake *f, const struct tn_api_port_configure *config, struct tn_error *err)
{
	struct tn_api_buffer *b = fake_port(f, config->number), old = *b;
	struct tn_api_message msg;
	struct tn_api_arena arena;

	if (!b->len)
		return tn_error_set(err, TN_OFPPMFC_BAD_PORT, -1, "there is no such port");
	tn_api_arena_init(&arena, 0);
	assert_return_code(tn_api_decode(old.data, old.len, &arena, &msg, err), 0);
	msg.port_add.enabled = config->enabled;
	msg.port_add.config = config->config;
	*b = (struct tn_api_buffer){0};
	assert_return_code(tn_api_encode(b, &msg, err), 0);
	tn_api_arena_fini(&arena);
	tn_api_buffer_fini(&old);
	return 0;
}

/* Whether the connection is still there. */
static inline bool fake_fault_now(struct fake *f, enum fake_fault which)
{
	if (f->fault != which || f->fault_after)
		return false;
	f->fault = FAKE_NO_FAULT;
	fake_hang_up(f);
	return true;
}

static inline void fake_change(
	struct fake *f, const struct tn_api_message *msg, const uint8_t *bytes, size_t len)
{
	struct tn_error err;
	size_t position = 0;
	int rc = 0;

	f->changes++;
	if (fake_fault_now(f, FAKE_HANG_UP_BEFORE))
		return;
	if (msg->type == TN_API_BUNDLE) {
		f->bundles++;
		f->mods_seen += f->n_mods;
		rc = tn_switch_commit(f->sw, f->mods, f->n_mods, f->now_ns, &position, &err);
		f->n_mods = 0;
	} else if (msg->type == TN_API_PORT_ADD) {
		f->port_messages++;
		rc = fake_port_add(f, &msg->port_add, bytes, len, &err);
	} else if (msg->type == TN_API_PORT_REMOVE) {
		f->port_messages++;
		rc = fake_port_remove(f, msg->port_remove, &err);
	} else if (msg->type == TN_API_PORT_CONFIGURE) {
		f->port_messages++;
		rc = fake_port_configure(f, &msg->port_configure, &err);
	} else if (msg->type == TN_API_TABLE_CONFIGURE) {
		rc = tn_switch_table_configure(
			f->sw, msg->table_configure.table_id, &msg->table_configure.config, &err);
	} else if (msg->type == TN_API_PACKET_OUT) {
		f->packet_outs++;
		if (msg->packet_out.frame_len > 9000)
			rc = tn_error_set(&err, TN_OFPBRC_BAD_PACKET, -1, "too long");
	}
	if (f->fd < 0 || fake_fault_now(f, FAKE_HANG_UP_AFTER))
		return;
	if (!rc && msg->flags & TN_API_EARLY)
		fake_send(f,
			&(struct tn_api_message){.type = TN_API_RECEIPT,
				.flags = TN_API_MORE,
				.request_id = msg->request_id,
				.receipt.version = 1});
	if (f->fault == FAKE_HANG_UP_EARLY)
		fake_flush(f);
	if (fake_fault_now(f, FAKE_HANG_UP_EARLY))
		return;
	if (f->fault_after)
		f->fault_after--;
	if (f->fault == FAKE_NOT_KEPT) {
		struct tn_api_message m = {.type = TN_API_ERROR, .request_id = msg->request_id};

		tn_error_set(&m.error, TN_OFPBRC_EPERM, -1, "the disk failed");
		f->fault = FAKE_NO_FAULT;
		fake_send(f, &m);
		return;
	}
	fake_receipt(f, msg->request_id, rc, position, &err);
}

static inline void fake_add_part(struct fake *f, const struct tn_api_message *msg)
{
	f->mods = realloc(f->mods, (f->n_mods + msg->bundle.n_mods + 1) * sizeof(*f->mods));
	assert_non_null(f->mods);
	if (msg->bundle.n_mods)
		memcpy(f->mods + f->n_mods, msg->bundle.mods,
			msg->bundle.n_mods * sizeof(*f->mods));
	f->n_mods += msg->bundle.n_mods;
}

static inline void fake_handle(
	struct fake *f, const struct tn_api_message *msg, const uint8_t *bytes, size_t len)
{
	struct tn_api_message reply = {.request_id = msg->request_id};

	switch (msg->type) {
	case TN_API_HELLO:
		reply.type = TN_API_HELLO_REPLY;
		reply.hello_reply = (struct tn_api_hello_reply){
			.capabilities = f->late ? 0 : TN_API_CAN_JOURNAL | TN_API_CAN_EARLY,
			.dpid = FAKE_DPID,
			.started_ns = f->started_ns,
			.version = "fake"};
		fake_send(f, &reply);
		break;
	case TN_API_DUMP:
		fake_dump(f, msg);
		break;
	case TN_API_SUBSCRIBE:
		f->subscribed = true;
		reply.type = TN_API_RECEIPT;
		reply.receipt.version = 1;
		fake_send(f, &reply);
		break;
	case TN_API_TRACE:
		reply.type = TN_API_TRACE_REPLY;
		fake_send(f, &reply);
		break;
	case TN_API_BUNDLE:
		fake_add_part(f, msg);
		if (!(msg->flags & TN_API_MORE))
			fake_change(f, msg, bytes, len);
		break;
	default:
		fake_change(f, msg, bytes, len);
	}
}

/* One message, if there is one. The arena lives as long as the bundle it is a part of. */
static inline bool fake_take(struct fake *f)
{
	struct tn_api_message msg;
	struct tn_error err;
	size_t len;

	assert_return_code(tn_api_message_length(f->in.data, f->in.len, &len, &err), 0);
	if (!len)
		return false;
	assert_return_code(tn_api_decode(f->in.data, len, &f->arena, &msg, &err), 0);
	fake_handle(f, &msg, f->in.data, len);
	if (f->fd < 0)
		return false;
	tn_api_buffer_consume(&f->in, len);
	if (!f->n_mods) {
		tn_api_arena_fini(&f->arena);
		tn_api_arena_init(&f->arena, 0);
	}
	return true;
}

static inline void fake_on_socket(void *ctx, uint32_t events)
{
	struct fake *f = ctx;
	ssize_t n = 1;

	while (events & EPOLLIN && n > 0) {
		assert_return_code(tn_api_buffer_reserve(&f->in, 1 << 16), 0);
		n = recv(f->fd, f->in.data + f->in.len, 1 << 16, MSG_DONTWAIT);
		if (n > 0)
			f->in.len += (size_t)n;
	}
	while (f->fd >= 0 && fake_take(f))
		;
	if (f->fd >= 0 && (n == 0 || events & (EPOLLHUP | EPOLLERR)))
		fake_hang_up(f);
	fake_flush(f);
}

static inline void fake_on_connect(void *ctx, uint32_t events)
{
	struct fake *f = ctx;
	int fd = accept4(f->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)events;
	if (fd < 0)
		return;
	fake_hang_up(f); /* one client at a time */
	f->fd = fd;
	assert_return_code(tn_loop_add(f->loop, fd, EPOLLIN, fake_on_socket, f), 0);
}

static inline void fake_listen(struct fake *f)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	strcpy(address.sun_path, f->path);
	(void)unlink(f->path);
	f->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_true(f->listen_fd >= 0);
	assert_return_code(bind(f->listen_fd, (void *)&address, sizeof(address)), 0);
	assert_return_code(listen(f->listen_fd, 8), 0);
	assert_return_code(tn_loop_add(f->loop, f->listen_fd, EPOLLIN, fake_on_connect, f), 0);
}

/* Nobody is there any more; what it held stays. */
static inline void fake_leave(struct fake *f)
{
	fake_hang_up(f);
	if (f->listen_fd < 0)
		return;
	tn_loop_remove(f->loop, f->listen_fd);
	close(f->listen_fd);
	f->listen_fd = -1;
	(void)unlink(f->path);
}

static inline void fake_start(struct fake *f)
{
	f->sw = tn_switch_new(FAKE_DPID);
	assert_non_null(f->sw);
	tn_switch_set_event_fn(f->sw, fake_on_event, f);
	f->started_ns++;
	fake_listen(f);
}

static inline void fake_init(struct fake *f, struct tn_loop *loop, const char *path)
{
	*f = (struct fake){.loop = loop, .listen_fd = -1, .fd = -1, .now_ns = 1000000000u};
	snprintf(f->path, sizeof(f->path), "%s", path);
	tn_api_arena_init(&f->arena, 0);
	fake_start(f);
}

/* Its process is gone with all it held. */
static inline void fake_die(struct fake *f)
{
	fake_leave(f);
	tn_switch_free(f->sw);
	f->sw = NULL;
	for (unsigned i = 0; i < FAKE_PORTS; i++)
		f->ports[i].len = 0;
}

static inline void fake_fini(struct fake *f)
{
	fake_die(f);
	for (unsigned i = 0; i < FAKE_PORTS; i++)
		tn_api_buffer_fini(&f->ports[i]);
	tn_api_buffer_fini(&f->in);
	tn_api_buffer_fini(&f->out);
	tn_api_buffer_fini(&f->held);
	tn_api_arena_fini(&f->arena);
	free(f->mods);
}

/* Time passes; flows run out. */
static inline void fake_pass(struct fake *f, uint64_t ns)
{
	f->now_ns += ns;
	tn_switch_expire(f->sw, f->now_ns);
	fake_flush(f);
}

#endif
