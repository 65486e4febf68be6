/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a tenon-dataplane has, asked of it directly: flows, groups and meters as the northbound's
 * JSON, one document a line.
 *
 *   installed SOCKET      answers each line on standard input with a document, on a new connection
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/model/flow_json.h"
#include "dataplane/api/client.h"
#include "dataplane/core/key.h"

#define TIMEOUT_MS 20000

static void __attribute__((noreturn)) die(const char *what)
{
	fprintf(stderr, "installed: %s\n", what);
	exit(1);
}

struct found {
	struct tn_codec codec;
	json_t *document;
};

static void add(struct found *f, const char *list, json_t *object, uint64_t created_ns)
{
	if (!object || json_object_set_new(object, "createdNs", json_integer((int64_t)created_ns)))
		die("no memory");
	json_array_append_new(json_object_get(f->document, list), object);
}

static void add_meter(struct found *f, const struct tn_api_meter_info *info)
{
	struct tn_meter *meter = calloc(1, tn_meter_size((uint16_t)info->n_bands));

	if (!meter)
		die("no memory");
	meter->meter_id = info->meter_id;
	meter->flags = info->flags;
	meter->counter = info->counter;
	meter->n_bands = (uint16_t)info->n_bands;
	for (uint32_t i = 0; i < info->n_bands; i++)
		meter->bands[i].config = info->bands[i].band;
	add(f, "meters", tn_meter_to_json(&f->codec, meter, info->reference_count),
		info->created_ns);
	free(meter);
}

static void take(void *ctx, const struct tn_api_part *part)
{
	struct found *f = ctx;

	for (uint32_t i = 0; i < part->n; i++) {
		if (part->kind == TN_API_FLOWS)
			add(f, "flows", tn_flow_to_json(&f->codec, &part->flows[i]),
				part->flows[i].created_ns);
		else if (part->kind == TN_API_GROUPS)
			add(f, "groups", tn_group_to_json(&f->codec, &part->groups[i]),
				part->groups[i].created_ns);
		else
			add_meter(f, &part->meters[i]);
	}
}

static void answer(const char *path)
{
	static const enum tn_api_dump_kind kinds[] = {TN_API_METERS, TN_API_GROUPS, TN_API_FLOWS};
	struct tn_error err;
	struct tn_api_client *c = tn_api_client_connect(path, "installed", TIMEOUT_MS, &err);
	struct tn_arena arena;
	struct found f = {.codec = {.arena = &arena, .with_stats = true}};

	if (!c)
		die(err.detail);
	tn_arena_init(&arena);
	f.codec.dpid = tn_api_client_server(c)->dpid;
	f.codec.names = tn_names_new();
	f.document = json_pack("{s:[],s:[],s:[]}", "flows", "groups", "meters");
	for (size_t i = 0; i < TN_ARRAY_SIZE(kinds); i++) {
		const struct tn_api_dump dump = {.kind = kinds[i],
			.table_id = TN_TABLE_ALL,
			.out_port = TN_PORT_ANY,
			.out_group = TN_GROUP_ANY};

		if (tn_api_client_dump(c, &dump, take, &f, &err))
			die(err.detail);
	}
	json_dumpf(f.document, stdout, JSON_COMPACT);
	putchar('\n');
	fflush(stdout);
	json_decref(f.document);
	tn_names_free(f.codec.names);
	tn_arena_fini(&arena);
	tn_api_client_free(c);
}

int main(int argc, char **argv)
{
	char line[16];

	if (argc != 2) {
		fprintf(stderr, "usage: installed SOCKET\n");
		return 2;
	}
	while (fgets(line, sizeof(line), stdin))
		answer(argv[1]);
	return 0;
}
