/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/api/codec.h"

#include <errno.h>
#include <string.h>

#include "dataplane/api/io.h"

#define BITS(first, last) ((UINT64_C(2) << (last)) - (UINT64_C(1) << (first)))

static const char *const type_names[TN_API_N_TYPES] = {
	[TN_API_HELLO] = "HELLO",
	[TN_API_HELLO_REPLY] = "HELLO_REPLY",
	[TN_API_BUNDLE] = "BUNDLE",
	[TN_API_RECEIPT] = "RECEIPT",
	[TN_API_PORT_ADD] = "PORT_ADD",
	[TN_API_PORT_REMOVE] = "PORT_REMOVE",
	[TN_API_PORT_CONFIGURE] = "PORT_CONFIGURE",
	[TN_API_TABLE_CONFIGURE] = "TABLE_CONFIGURE",
	[TN_API_UNDERLAY] = "UNDERLAY",
	[TN_API_DUMP] = "DUMP",
	[TN_API_PART] = "PART",
	[TN_API_END] = "END",
	[TN_API_SUBSCRIBE] = "SUBSCRIBE",
	[TN_API_EVENT] = "EVENT",
	[TN_API_TRACE] = "TRACE",
	[TN_API_TRACE_REPLY] = "TRACE_REPLY",
	[TN_API_PACKET_OUT] = "PACKET_OUT",
	[TN_API_ERROR] = "ERROR",
};

const char *tn_api_type_name(unsigned type)
{
	return type < TN_API_N_TYPES && type_names[type] ? type_names[type] : "?";
}

/* By OpenFlow's two numbers: those of the enum may differ in another version. */
static enum tn_of_error error_of(uint16_t type, uint16_t code)
{
	for (unsigned e = 1; e < TN_OF_N_ERRORS; e++) {
		if (tn_of_error_type((enum tn_of_error)e) == type &&
			tn_of_error_code((enum tn_of_error)e) == code)
			return (enum tn_of_error)e;
	}
	return TN_OF_OK;
}

static void walk_error(struct tn_api_io *io, struct tn_error *e)
{
	uint16_t type = (uint16_t)tn_of_error_type(e->of);
	uint16_t code = (uint16_t)tn_of_error_code(e->of);
	uint32_t index = (uint32_t)e->index;
	const char *detail = e->detail;

	tn_io_u16(io, &type);
	tn_io_u16(io, &code);
	tn_io_u32(io, &index);
	tn_io_string(io, &detail);
	if (!io->reading || io->rc)
		return;
	e->of = error_of(type, code);
	e->index = (int)index;
	if (e->of == TN_OF_OK && (type || code))
		tn_io_fail(io, TN_OFPBRC_BAD_TYPE, "%u/%u is no OpenFlow error that we know", type,
			code);
	else if (strlen(detail) >= sizeof(e->detail))
		tn_io_fail(io, TN_OFPBRC_BAD_LEN, "a sentence of %zu bytes; give at most %zu",
			strlen(detail), sizeof(e->detail) - 1);
	else
		memcpy(e->detail, detail, strlen(detail) + 1);
}

static void walk_receipt(struct tn_api_io *io, struct tn_api_receipt *r)
{
	tn_io_u64(io, &r->version);
	if (r->version)
		return;
	tn_io_u64(io, &r->position);
	walk_error(io, &r->error);
}

static void walk_dump(struct tn_api_io *io, struct tn_api_dump *d)
{
	TN_IO_ENUM(io, d->kind, BITS(TN_API_FLOWS, TN_API_N_DUMPS - 1), "kind of dump");
	tn_io_u8(io, &d->table_id);
	tn_io_u64(io, &d->cookie);
	tn_io_u64(io, &d->cookie_mask);
	tn_io_u32(io, &d->out_port);
	tn_io_u32(io, &d->out_group);
	tn_io_match(io, &d->match);
}

static void walk_port_status(struct tn_api_io *io, struct tn_port_config_data *p)
{
	tn_io_u32(io, &p->number);
	TN_IO_ENUM(io, p->type, BITS(TN_PORT_PLAIN, TN_PORT_VXLAN), "type of port");
	tn_io_u32(io, &p->config);
	tn_io_u32(io, &p->state);
}

static void walk_event(struct tn_api_io *io, struct tn_api_event *e)
{
	TN_IO_ENUM(io, e->kind, BITS(0, TN_API_N_EVENTS - 1), "kind of event");
	tn_io_u64(io, &e->time_ns);
	if (io->rc)
		return;
	switch (e->kind) {
	case TN_API_FLOW_REMOVED:
		TN_IO_ENUM(io, e->removed.reason, BITS(0, TN_REMOVED_EVICTION), "reason");
		tn_io_flow_info(io, &e->removed.flow);
		break;
	case TN_API_PORT_STATUS:
		TN_IO_ENUM(io, e->port.reason, BITS(0, TN_PORT_MODIFIED), "reason");
		walk_port_status(io, &e->port.port);
		break;
	case TN_API_TABLE_STATUS:
		tn_io_u8(io, &e->table.table_id);
		tn_io_bool(io, &e->table.vacancy_up);
		break;
	case TN_API_PACKET_IN:
		tn_io_packet_in(io, &e->packet_in);
		break;
	case TN_API_RESUMED:
		tn_io_u64(io, &e->lost);
		break;
	case TN_API_PAUSED:
	case TN_API_N_EVENTS:
		break;
	}
}

static void walk_hello_reply(struct tn_api_io *io, struct tn_api_hello_reply *h)
{
	tn_io_u64(io, &h->capabilities);
	tn_io_u64(io, &h->dpid);
	tn_io_u64(io, &h->started_ns);
	tn_io_u32(io, &h->pid);
	tn_io_u32(io, &h->uid);
	tn_io_u32(io, &h->gid);
	tn_io_string(io, &h->version);
}

static void walk_trace(struct tn_api_io *io, struct tn_api_trace *t)
{
	tn_io_u32(io, &t->in_port);
	tn_io_bool(io, &t->explain);
	tn_io_bool(io, &t->inner);
	if (t->inner) {
		tn_io_u64(io, &t->tunnel_id);
		tn_io_u128(io, &t->tun_src, 16);
		tn_io_u128(io, &t->tun_dst, 16);
	}
	tn_io_blob(io, &t->frame, &t->frame_len, TN_API_FRAME_MAX);
}

static void walk_small(struct tn_api_io *io, struct tn_api_message *m)
{
	switch (m->type) {
	case TN_API_HELLO:
		tn_io_u64(io, &m->hello.capabilities);
		tn_io_string(io, &m->hello.name);
		break;
	case TN_API_PORT_REMOVE:
		tn_io_u32(io, &m->port_remove);
		break;
	case TN_API_PORT_CONFIGURE:
		tn_io_u32(io, &m->port_configure.number);
		tn_io_bool(io, &m->port_configure.enabled);
		tn_io_u32(io, &m->port_configure.config);
		break;
	case TN_API_TABLE_CONFIGURE:
		tn_io_u8(io, &m->table_configure.table_id);
		tn_io_table_config(io, &m->table_configure.config);
		break;
	case TN_API_END:
		TN_IO_ENUM(io, m->end.kind, BITS(TN_API_FLOWS, TN_API_N_DUMPS - 1), "kind of dump");
		tn_io_u64(io, &m->end.total);
		break;
	case TN_API_SUBSCRIBE:
		tn_io_u32(io, &m->subscribe);
		if (m->subscribe & ~BITS(0, TN_API_N_EVENTS - 1))
			tn_io_fail(io, TN_OFPBRC_BAD_TYPE, "a kind of event that there is not");
		break;
	case TN_API_TRACE:
		walk_trace(io, &m->trace);
		break;
	case TN_API_PACKET_OUT:
		tn_io_u32(io, &m->packet_out.in_port);
		tn_io_actions(io, &m->packet_out.actions, &m->packet_out.n_actions);
		tn_io_blob(io, &m->packet_out.frame, &m->packet_out.frame_len, TN_API_FRAME_MAX);
		break;
	default:
		tn_io_fail(io, TN_OFPBRC_BAD_TYPE, "%u is no type of message", m->type);
	}
}

static void walk_body(struct tn_api_io *io, struct tn_api_message *m)
{
	switch (m->type) {
	case TN_API_HELLO_REPLY:
		walk_hello_reply(io, &m->hello_reply);
		break;
	case TN_API_BUNDLE:
		tn_io_mods(io, &m->bundle.mods, &m->bundle.n_mods);
		break;
	case TN_API_RECEIPT:
		walk_receipt(io, &m->receipt);
		break;
	case TN_API_PORT_ADD:
		tn_io_port(io, &m->port_add);
		break;
	case TN_API_UNDERLAY:
		tn_io_underlay(io, &m->underlay);
		break;
	case TN_API_DUMP:
		walk_dump(io, &m->dump);
		break;
	case TN_API_PART:
		tn_io_part(io, &m->part);
		break;
	case TN_API_EVENT:
		walk_event(io, &m->event);
		break;
	case TN_API_TRACE_REPLY:
		tn_io_trace_reply(io, &m->trace_reply);
		break;
	case TN_API_ERROR:
		walk_error(io, &m->error);
		break;
	default:
		walk_small(io, m);
	}
}

static uint32_t allowed_flags(unsigned type)
{
	if (type == TN_API_BUNDLE)
		return TN_API_MORE | TN_API_EARLY;
	return type == TN_API_RECEIPT ? TN_API_MORE : 0;
}

static int check_header(const struct tn_api_header *h, struct tn_error *err)
{
	if (h->magic != TN_API_MAGIC)
		return tn_error_set(err, TN_OFPBRC_BAD_TYPE, -1,
			"this is no message of the data plane's protocol; is it the right socket?");
	if (h->version != TN_API_VERSION)
		return tn_error_set(err, TN_OFPBRC_BAD_TYPE, -1,
			"protocol version %u, and this side speaks %u; use programs of one release",
			h->version, TN_API_VERSION);
	if (h->type >= TN_API_N_TYPES || !type_names[h->type])
		return tn_error_set(err, TN_OFPBRC_BAD_TYPE, -1,
			"%u is no type of message of version %u", h->type, TN_API_VERSION);
	if (h->flags & ~allowed_flags(h->type))
		return tn_error_set(err, TN_OFPBRC_BAD_TYPE, -1,
			"flags 0x%x mean nothing with %s; clear them", h->flags,
			tn_api_type_name(h->type));
	if (h->length > TN_API_BODY_MAX)
		return tn_error_set(err, TN_OFPBRC_BAD_LEN, -1,
			"a %s of %u bytes; give it in parts of at most %u",
			tn_api_type_name(h->type), h->length, TN_API_BODY_MAX);
	return 0;
}

int tn_api_header_decode(const uint8_t *bytes, struct tn_api_header *h, struct tn_error *err)
{
	memcpy(h, bytes, sizeof(*h));
	return check_header(h, err);
}

int tn_api_message_length(const uint8_t *bytes, size_t len, size_t *message, struct tn_error *err)
{
	struct tn_api_header h;

	*message = 0;
	if (len < sizeof(h))
		return 0;
	if (tn_api_header_decode(bytes, &h, err))
		return -EINVAL;
	if (len - sizeof(h) >= h.length)
		*message = sizeof(h) + h.length;
	return 0;
}

/* The header, whose length is known at the end. */
static int begin_message(struct tn_api_io *io, struct tn_api_header *h, const char *what)
{
	if (check_header(h, io->err))
		return -EINVAL;
	io->what = what;
	tn_io_bytes(io, (uint8_t *)h, sizeof(*h));
	return 0;
}

static int end_message(
	struct tn_api_io *io, struct tn_api_header *h, size_t start, const char *what)
{
	struct tn_api_buffer *out = io->out;

	io->what = what;
	if (!io->rc && out->len - start - sizeof(*h) > TN_API_BODY_MAX)
		tn_io_fail(io, TN_OFPBFC_MSG_TOO_MANY, "more than %u bytes; give it in parts",
			TN_API_BODY_MAX);
	if (io->rc) {
		out->len = start;
		return io->rc;
	}
	h->length = (uint32_t)(out->len - start - sizeof(*h));
	memcpy(out->data + start, h, sizeof(*h));
	return 0;
}

int tn_api_encode(struct tn_api_buffer *out, const struct tn_api_message *msg, struct tn_error *err)
{
	struct tn_api_message copy = *msg;
	struct tn_api_header h = {
		.magic = TN_API_MAGIC,
		.version = TN_API_VERSION,
		.type = (unsigned)msg->type < TN_API_N_TYPES ? (uint16_t)msg->type : 0,
		.flags = msg->flags,
		.request_id = msg->request_id,
	};
	struct tn_error ignored;
	struct tn_api_io io = {.err = err ? err : &ignored, .out = out};
	size_t start = out->len;
	int rc = begin_message(&io, &h, tn_api_type_name(msg->type));

	if (rc)
		return rc;
	walk_body(&io, &copy);
	return end_message(&io, &h, start, tn_api_type_name(msg->type));
}

int tn_api_encode_mod(struct tn_api_buffer *out, const struct tn_mod *mod, struct tn_error *err)
{
	struct tn_mod copy = *mod;
	struct tn_error ignored;
	struct tn_api_io io = {.err = err ? err : &ignored, .out = out};
	size_t start = out->len;

	tn_io_mod(&io, &copy);
	if (io.rc)
		out->len = start;
	return io.rc;
}

int tn_api_encode_bundle(struct tn_api_buffer *out, uint64_t request_id, uint32_t flags,
	const struct tn_api_encoded *encoded, size_t n, struct tn_error *err)
{
	struct tn_api_header h = {
		.magic = TN_API_MAGIC,
		.version = TN_API_VERSION,
		.type = TN_API_BUNDLE,
		.flags = flags,
		.request_id = request_id,
	};
	struct tn_error ignored;
	struct tn_api_io io = {.err = err ? err : &ignored, .out = out};
	size_t start = out->len;
	uint32_t n_mods = 0;
	int rc = begin_message(&io, &h, tn_api_type_name(TN_API_BUNDLE));

	if (rc)
		return rc;
	for (size_t i = 0; i < n; i++)
		n_mods += encoded[i].n_mods;
	tn_io_u32(&io, &n_mods);
	for (size_t i = 0; i < n && !io.rc; i++)
		tn_io_put(&io, encoded[i].bytes, encoded[i].size);
	return end_message(&io, &h, start, tn_api_type_name(TN_API_BUNDLE));
}

struct tn_api_encoded tn_api_encoded_mods(const uint8_t *bytes, size_t len)
{
	const size_t head = sizeof(struct tn_api_header) + sizeof(uint32_t);
	struct tn_api_encoded encoded = {bytes + head, (uint32_t)(len - head), 0};

	memcpy(&encoded.n_mods, bytes + sizeof(struct tn_api_header), sizeof(encoded.n_mods));
	return encoded;
}

int tn_api_decode(const uint8_t *bytes, size_t len, struct tn_api_arena *arena,
	struct tn_api_message *msg, struct tn_error *err)
{
	struct tn_api_header h;
	struct tn_error ignored;
	struct tn_api_io io = {.reading = true, .arena = arena, .err = err ? err : &ignored};

	memset(msg, 0, sizeof(*msg));
	if (len < sizeof(h))
		return tn_error_set(err, TN_OFPBRC_BAD_LEN, -1,
			"%zu bytes are no message; it starts with %zu", len, sizeof(h));
	if (tn_api_header_decode(bytes, &h, err))
		return -EINVAL;
	if (len - sizeof(h) != h.length)
		return tn_error_set(err, TN_OFPBRC_BAD_LEN, -1,
			"%s says that %u bytes follow, and %zu do; give its true length",
			tn_api_type_name(h.type), h.length, len - sizeof(h));
	msg->type = (enum tn_api_type)h.type;
	msg->flags = h.flags;
	msg->request_id = h.request_id;
	io.what = tn_api_type_name(h.type);
	io.at = bytes + sizeof(h);
	io.end = bytes + len;
	walk_body(&io, msg);
	io.what = tn_api_type_name(h.type);
	if (!io.rc && io.at != io.end)
		tn_io_fail(&io, TN_OFPBRC_BAD_LEN, "%zu bytes too many; leave them out",
			(size_t)(io.end - io.at));
	return io.rc;
}
