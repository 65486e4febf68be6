/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/engine/delivery.h"

#include <errno.h>
#include <stdlib.h>

#include "control/engine/engine_private.h"

#define CHUNK_MAX 8192u
#define STEP_SKIP UINT16_MAX /* refused */

static void send_next(struct tn_delivery *d);

static void finish(struct tn_delivery *d, int rc)
{
	d->done(d->ctx, rc);
}

static void undo_refused(void *ctx, const struct tn_edit *edit, const struct tn_error *err)
{
	struct tn_delivery *d = ctx;

	(void)edit;
	(void)err;
	tn_engine_resync(d->e);
}

static void undone(void *ctx, int rc)
{
	struct tn_delivery *d = ctx;

	finish(d, rc == -EIO ? -EIO : -EINVAL);
}

/* What the steps so far did is taken back. */
static void undo(struct tn_delivery *d)
{
	for (size_t i = 0; i < d->at; i++) {
		const struct tn_edit *edit = &d->edits->v[d->steps.v[i].edit];
		struct tn_edit *back;

		if (d->steps.v[i].kind == TN_STEP_PACKET_OUT ||
			tn_edits_find(&d->undo_edits, (enum tn_kind)edit->kind, edit->id))
			continue;
		back = tn_edits_add(
			&d->undo_edits, (enum tn_kind)edit->kind, edit->id, edit->after);
		tn_edit_set(back, edit->before ? tn_wanted_get(edit->before) : NULL, 0);
	}
	if (!d->undo_edits.n) {
		finish(d, -EINVAL);
		return;
	}
	d->undo = calloc(1, sizeof(*d->undo));
	if (!d->undo)
		abort();
	*d->undo = (struct tn_delivery){
		.e = d->e,
		.edits = &d->undo_edits,
		.piecemeal = true,
		.ctx = d,
		.refused = undo_refused,
		.done = undone,
	};
	tn_delivery_start(d->undo);
}

/* Whether there is more to send. */
static bool refuse(struct tn_delivery *d, size_t position, const struct tn_error *err)
{
	struct tn_step *step = &d->steps.v[d->at + (position < d->n_sent ? position : 0)];

	if (d->piecemeal) {
		d->refused(d->ctx, &d->edits->v[step->edit], err);
		step->kind = STEP_SKIP;
		d->chunk = d->n_sent > 1 ? d->n_sent / 2 : 1;
		return true;
	}
	d->error = *err;
	d->failed = step->edit;
	d->failed_packet_out = step->kind == TN_STEP_PACKET_OUT;
	undo(d);
	return false;
}

static void on_answer(void *ctx, const struct tn_api_message *answer, const struct tn_error *err)
{
	struct tn_delivery *d = ctx;
	size_t position = 0;

	if (err && (!answer || d->is_in_force)) {
		finish(d, -EIO);
		return;
	}
	if (!err && answer->flags & TN_API_MORE) {
		d->is_in_force = true;
		d->in_force(d->ctx);
		return;
	}
	if (err) {
		if (answer->type == TN_API_RECEIPT)
			position = answer->receipt.position;
		if (refuse(d, position, err))
			send_next(d);
		return;
	}
	d->at += d->n_sent;
	if (d->chunk < CHUNK_MAX)
		d->chunk *= 2;
	send_next(d);
}

/* In the buffer: bytes are where they are only when it grows no more. */
static int encode_step(struct tn_delivery *d, const struct tn_step *step, struct tn_api_buffer *out,
	struct tn_api_encoded *encoded, struct tn_error *err)
{
	size_t start = out->len;
	struct tn_arena arena;
	struct tn_mod mod;
	int rc;

	tn_arena_init(&arena);
	tn_step_mod(step, d->edits, &arena, &mod);
	rc = tn_api_encode_mod(out, &mod, err);
	tn_arena_fini(&arena);
	*encoded = (struct tn_api_encoded){.size = (uint32_t)(out->len - start), .n_mods = 1};
	return rc;
}

static int encode_steps(struct tn_delivery *d, struct tn_api_buffer *out,
	struct tn_api_encoded *encoded, size_t *failed, struct tn_error *err)
{
	const struct tn_step *step = &d->steps.v[d->at];
	size_t at = 0;
	int rc = 0;

	for (size_t i = 0; i < d->n_sent; i++) {
		const struct tn_flow_add *add = tn_step_add(&d->edits->v[step[i].edit]);

		if (add)
			encoded[i] = tn_flow_add_encoded(add);
		else
			rc = encode_step(d, &step[i], out, &encoded[i], err);
		if (rc) {
			*failed = i;
			return rc;
		}
	}
	for (size_t i = 0; i < d->n_sent; i++) {
		if (encoded[i].bytes)
			continue;
		encoded[i].bytes = out->data + at;
		at += encoded[i].size;
	}
	return 0;
}

static int send_mods(struct tn_delivery *d, size_t *failed, struct tn_error *err)
{
	const struct tn_step *step = &d->steps.v[d->at];
	size_t most = d->steps.n - d->at;
	struct tn_api_buffer buffer = {0};
	struct tn_api_encoded *encoded;
	bool early;
	int rc;

	if (d->piecemeal && most > d->chunk)
		most = d->chunk;
	for (d->n_sent = 1; d->n_sent < most && step[d->n_sent].kind == TN_STEP_MOD;)
		d->n_sent++;
	early = d->in_force && d->e->link.can_early && d->at + d->n_sent == d->steps.n;
	encoded = malloc(d->n_sent * sizeof(*encoded));
	if (!encoded)
		abort();
	rc = encode_steps(d, &buffer, encoded, failed, err);
	if (!rc)
		rc = tn_api_async_encoded(
			d->e->link.client, encoded, d->n_sent, early, on_answer, d, err);
	free(encoded);
	tn_api_buffer_fini(&buffer);
	return rc;
}

static void table_message(const struct tn_edit *edit, struct tn_api_message *msg)
{
	msg->type = TN_API_TABLE_CONFIGURE;
	msg->table_configure.table_id = (uint8_t)edit->id;
	if (edit->after)
		msg->table_configure.config = tn_wanted_as_table(edit->after)->config;
}

static int send_message(struct tn_delivery *d, struct tn_error *err)
{
	const struct tn_step *step = &d->steps.v[d->at];
	const struct tn_edit *edit = &d->edits->v[step->edit];
	struct tn_api_message msg = {.type = TN_API_PORT_REMOVE};

	d->n_sent = 1;
	switch (step->kind) {
	case TN_STEP_PORT_REMOVE:
		msg.port_remove = (uint32_t)edit->id;
		break;
	case TN_STEP_PORT_ADD:
		msg.type = TN_API_PORT_ADD;
		msg.port_add = tn_wanted_as_port(edit->after)->port;
		break;
	case TN_STEP_PORT_CONFIGURE:
		msg.type = TN_API_PORT_CONFIGURE;
		msg.port_configure = (struct tn_api_port_configure){
			.number = (uint32_t)edit->id,
			.enabled = tn_wanted_as_port(edit->after)->port.enabled,
			.config = tn_wanted_as_port(edit->after)->port.config,
		};
		break;
	case TN_STEP_TABLE:
		table_message(edit, &msg);
		break;
	default:
		msg.type = TN_API_PACKET_OUT;
		msg.packet_out = d->operations[step->edit].packet_out;
	}
	return tn_api_async_send(d->e->link.client, &msg, on_answer, d, err);
}

static void send_next(struct tn_delivery *d)
{
	struct tn_error err;
	size_t failed;
	int rc;

	for (;;) {
		while (d->at < d->steps.n && d->steps.v[d->at].kind == STEP_SKIP)
			d->at++;
		if (d->at == d->steps.n) {
			finish(d, 0);
			return;
		}
		if (!d->e->link.client) {
			finish(d, -EIO);
			return;
		}
		failed = 0;
		rc = d->steps.v[d->at].kind == TN_STEP_MOD ? send_mods(d, &failed, &err)
							   : send_message(d, &err);
		if (!rc) {
			tn_engine_wake(d->e); /* to flush */
			return;
		}
		if (rc == -EIO) {
			finish(d, -EIO);
			return;
		}
		if (!refuse(d, failed, &err))
			return;
	}
}

void tn_delivery_start(struct tn_delivery *d)
{
	d->chunk = CHUNK_MAX;
	tn_steps_make(&d->steps, d->edits);
	for (size_t i = 0; d->operations && i < d->n_operations; i++) {
		if (d->operations[i].kind == TN_OP_PACKET_OUT)
			tn_steps_add(&d->steps, TN_STEP_PACKET_OUT, i, false);
	}
	send_next(d);
}

void tn_delivery_forget_operations(struct tn_delivery *d)
{
	for (size_t i = d->at + d->n_sent; i < d->steps.n; i++) {
		if (d->steps.v[i].kind == TN_STEP_PACKET_OUT)
			d->steps.v[i].kind = STEP_SKIP;
	}
	d->operations = NULL;
}

void tn_delivery_fini(struct tn_delivery *d)
{
	tn_steps_fini(&d->steps);
	if (d->undo)
		tn_delivery_fini(d->undo);
	free(d->undo);
	tn_edits_fini(&d->undo_edits);
}
