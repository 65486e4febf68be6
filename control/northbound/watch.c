/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "control/model/json_reader.h"
#include "control/northbound/answer.h"
#include "control/northbound/body.h"
#include "control/northbound/handlers.h"
#include "control/northbound/hub.h"
#include "control/northbound/object.h"
#include "control/northbound/service.h"

static enum tn_produced produce(struct tn_call *c, struct tn_text *out)
{
	return tn_hub_produce(c->state, out);
}

static void leave(struct tn_call *c)
{
	tn_hub_leave(c->service->hub, c->state);
}

static bool read_kind(const char *word, size_t n, struct tn_hub_choice *choice)
{
	if (n == 9 && memcmp(word, "packet-in", 9) == 0) {
		choice->packet_in = true;
		return true;
	}
	if (n == 9 && memcmp(word, "dataplane", 9) == 0) {
		choice->dataplane = true;
		return true;
	}
	for (int k = TN_KIND_FLOW; k < TN_N_KINDS; k++) {
		const char *name = tn_kind_name((enum tn_kind)k);

		if (strlen(name) == n && memcmp(word, name, n) == 0) {
			choice->kinds |= 1u << k;
			return true;
		}
	}
	return false;
}

static void say_no_kind(struct tn_call *c, const char *word, size_t n)
{
	const char *words[TN_N_KINDS + 3];
	char suggestion[64];
	size_t k = 0;

	for (int i = TN_KIND_FLOW; i < TN_N_KINDS; i++)
		words[k++] = tn_kind_name((enum tn_kind)i);
	words[k++] = "packet-in";
	words[k++] = "dataplane";
	words[k] = NULL;
	(void)tn_json_suggest(
		(struct tn_json_string){word, (uint32_t)n}, words, suggestion, sizeof(suggestion));
	tn_answer_error(c, 400,
		"\"kinds\" is of flow, group, meter, port, table, host, network, subnet, "
		"tenant-port, router, tenant-host, qos-policy, address-group, quota, packet-in and "
		"dataplane, with commas between; not \"%.*s\"%s",
		(int)(n < 40 ? n : 40), word, suggestion);
}

static bool read_kinds(struct tn_call *c, struct tn_hub_choice *choice)
{
	const char *list = tn_call_query(c, "kinds");

	if (!list) {
		choice->kinds = (1u << TN_N_KINDS) - 2;
		choice->dataplane = true;
		return true;
	}
	while (*list) {
		size_t n = strcspn(list, ",");

		if (!read_kind(list, n, choice)) {
			say_no_kind(c, list, n);
			return false;
		}
		list += n + (list[n] == ',');
	}
	return true;
}

static bool read_choice(struct tn_call *c, struct tn_hub_choice *choice)
{
	const char *since = tn_call_query(c, "since"), *table = tn_call_query(c, "table");
	const char *initial = tn_call_query(c, "initial");
	uint8_t id;

	*choice = (struct tn_hub_choice){.table = -1, .tenant = c->who.tenant};
	choice->sse = c->accept && strstr(c->accept, TN_TYPE_SSE);
	if (!read_kinds(c, choice))
		return false;
	if (table) {
		if (!tn_param_table(c, table, &id))
			return false;
		choice->table = id;
	}
	/* A browser that connects again says it in the header. */
	if (c->last_event_id && *c->last_event_id)
		since = c->last_event_id;
	choice->resumes = since != NULL;
	choice->initial = !since && !(initial && strcmp(initial, "false") == 0);
	return !since || tn_param_number(c, "\"since\"", since, UINT64_MAX, &choice->since);
}

void tn_watch_get(struct tn_call *c)
{
	struct tn_hub_choice choice;
	int rc;

	if (!read_choice(c, &choice))
		return;
	c->state = tn_hub_join(c->service->hub, c, &choice, &rc);
	if (c->state) {
		c->end = leave;
		tn_answer_stream(c, 200, choice.sse ? TN_TYPE_SSE : TN_TYPE_NDJSON, produce);
	} else if (rc == -ERANGE) {
		tn_answer_error(c, 410,
			"events after %s are not kept any more; watch again without \"since\"",
			c->last_event_id && *c->last_event_id ? c->last_event_id
							      : tn_call_query(c, "since"));
	} else {
		tn_answer_error(c, 503, "%u clients watch already; try again later",
			c->service->limits.watchers);
	}
}
