/* SPDX-License-Identifier: BSD-3-Clause */
/* Operations of a transaction: what is written is read as the same, and what is wrong is said. */
#include "tests/unit/model/json_help.h"

#include "control/model/ofctl.h"
#include "control/model/operation.h"

static bool read_text(struct help *h, char *text, struct tn_model_operation *op)
{
	struct tn_json_source source;
	struct tn_json_reader r;
	struct tn_json_tape t;
	bool ok;

	tn_json_tape_init(&t);
	tn_json_source_init(&source, text, strlen(text), &h->diag);
	ok = tn_json_value(&source, &t) && tn_json_end(&source);
	assert_true(ok);
	r = (struct tn_json_reader){.codec = &h->codec, .tape = &t, .base = ""};
	ok = tn_json_read_operation(&r, t.v, op);
	tn_json_tape_fini(&t);
	return ok;
}

static char *write_text(struct help *h, const struct tn_mod *mod)
{
	json_t *j = tn_mod_to_json(&h->codec, mod);
	char *text = help_dump(j);

	json_decref(j);
	return text;
}

/* Text of ovs-ofctl as JSON, read, and as JSON again. */
static void check_mod(struct help *h, const struct tn_mod *mod, const char *line)
{
	struct tn_model_operation op;
	char *once = write_text(h, mod), *twice;

	if (!read_text(h, once, &op)) {
		/* The text takes a port that nothing comes in by, JSON does not. */
		if (strstr(h->diag.list[0].detail, "no packet comes in by port")) {
			free(once);
			return;
		}
		fail_msg("%s: %s: %s %s", line, once, h->diag.list[0].pointer,
			h->diag.list[0].detail);
	}
	twice = write_text(h, &op.mod);
	assert_string_equal(once, twice);
	assert_int_equal(op.mod.kind, mod->kind);
	if (mod->kind == TN_MOD_FLOW) {
		assert_int_equal(op.flow.command, mod->flow->command);
		assert_int_equal(op.flow.table_id, mod->flow->table_id);
		assert_int_equal(op.flow.cookie_mask, mod->flow->cookie_mask);
		assert_int_equal(op.flow.out_port, mod->flow->out_port);
		assert_int_equal(op.flow.out_group, mod->flow->out_group);
		assert_true(tn_match_equal(&op.flow.match, &mod->flow->match));
	}
	free(once);
	free(twice);
}

static void check_flow_line(const char *line)
{
	struct tn_flow_mod fm;
	struct tn_mod mod = {.kind = TN_MOD_FLOW, .flow = &fm};
	struct tn_ofctl o;
	struct help h;

	help_init(&h);
	o = (struct tn_ofctl){.names = h.names, .arena = &h.arena, .diag = &h.diag, .line = 1};
	if (tn_ofctl_parse_flow(&o, TN_OFCTL_ANY, line, strlen(line), &fm) == 0)
		check_mod(&h, &mod, line);
	help_fini(&h);
}

static void test_flows_of_text(void **state)
{
	const char *root = getenv("TN_SOURCE_ROOT");
	char path[512], line[4096];
	unsigned n = 0;
	FILE *f;

	(void)state;
	assert_non_null(root);
	snprintf(path, sizeof(path), "%s/tests/functional/data/flows.txt", root);
	f = fopen(path, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		if (!*line || *line == '#')
			continue;
		check_flow_line(line);
		n++;
	}
	fclose(f);
	assert_true(n > 500);
}

static void test_deletes(void **state)
{
	static const char *const lines[] = {
		"delete",
		"delete table=3,tcp,tp_dst=80",
		"delete cookie=0x10/0xff,out_port=7",
		"delete table=0,out_group=12",
		"delete_strict table=1,priority=7,ip,nw_dst=10.0.0.0/8",
		"modify cookie=5/-1,ip,actions=output:7",
		"modify_strict table=4,priority=0,cookie=9,actions=drop",
	};

	(void)state;
	for (size_t i = 0; i < TN_ARRAY_SIZE(lines); i++)
		check_flow_line(lines[i]);
}

static void test_groups_and_meters(void **state)
{
	static const struct {
		enum tn_group_command command;
		const char *text;
	} groups[] = {
		{TN_GROUP_ADD,
			"group_id=1,type=select,bucket=weight:2,actions=output:7,"
			"bucket=weight:1,actions=output:1"},
		{TN_GROUP_MODIFY, "group_id=1,type=all,bucket=actions=output:7"},
		{TN_GROUP_DELETE, "group_id=1"},
		{TN_GROUP_DELETE, ""},
		{TN_GROUP_INSERT_BUCKET,
			"group_id=1,command_bucket_id=first,bucket=bucket_id:9,actions=output:7"},
		{TN_GROUP_INSERT_BUCKET,
			"group_id=1,command_bucket_id=last,bucket=weight:5,actions=output:7,"
			"bucket=actions=output:1"},
		{TN_GROUP_REMOVE_BUCKET, "group_id=1,command_bucket_id=4"},
	};
	struct tn_group_mod gm;
	struct tn_mod mod = {.kind = TN_MOD_GROUP, .group = &gm};
	struct tn_ofctl o;
	struct help h;

	(void)state;
	for (size_t i = 0; i < TN_ARRAY_SIZE(groups); i++) {
		help_init(&h);
		o = (struct tn_ofctl){.names = h.names, .arena = &h.arena, .diag = &h.diag};
		if (tn_ofctl_parse_group(
			    &o, groups[i].command, groups[i].text, strlen(groups[i].text), &gm))
			fail_msg("%s: %s", groups[i].text, h.diag.list[0].detail);
		check_mod(&h, &mod, groups[i].text);
		help_fini(&h);
	}
	for (int command = TN_METER_ADD; command <= TN_METER_DELETE; command++) {
		const char *text = command == TN_METER_DELETE
			? "meter=5"
			: "meter=5,kbps,burst,bands=type=drop,rate=100,burst_size=10";
		struct tn_meter_mod mm;
		struct tn_mod meter = {.kind = TN_MOD_METER, .meter = &mm};

		help_init(&h);
		o = (struct tn_ofctl){.names = h.names, .arena = &h.arena, .diag = &h.diag};
		assert_int_equal(tn_ofctl_parse_meter(&o, (enum tn_meter_command)command, text,
					 strlen(text), &mm),
			0);
		check_mod(&h, &meter, text);
		help_fini(&h);
	}
}

static void test_packet_out(void **state)
{
	struct tn_model_operation op;
	struct help h;
	char *text = help_quotes("{'op':'packet-out','packetOut':{'inPort':7,"
				 "'frame':'020000000001020000000002080000ff',"
				 "'treatment':{'instructions':[{'type':'OUTPUT','port':'1'}]}}}");

	(void)state;
	help_init(&h);
	assert_true(read_text(&h, text, &op));
	assert_true(op.is_packet_out);
	assert_int_equal(op.packet_out.in_port, 7);
	assert_int_equal(op.packet_out.frame_len, 16);
	assert_int_equal(op.packet_out.frame[15], 0xff);
	assert_int_equal(op.packet_out.n_actions, 1);
	help_fini(&h);
	free(text);
}

/* A list and no set: in its order, twice the same, and through the tables. */
static void test_packet_out_takes_a_list(void **state)
{
	struct tn_model_operation op;
	struct help h;
	char *text =
		help_quotes("{'op':'packet-out','packetOut':{"
			    "'frame':'020000000001020000000002080000ff',"
			    "'treatment':{'instructions':[{'type':'OUTPUT','port':'1'},"
			    "{'type':'OUTPUT','port':'1'},{'type':'OUTPUT','port':'TABLE'}]}}}");

	(void)state;
	help_init(&h);
	assert_true(read_text(&h, text, &op));
	assert_int_equal(op.packet_out.n_actions, 3);
	assert_int_equal(op.packet_out.actions[2].output.port, TN_PORT_TABLE);
	help_fini(&h);
	free(text);
}

static void test_refusals(void **state)
{
	static const struct {
		const char *text, *pointer, *says;
	} wrong[] = {
		{"{'op':'add'}", "", "one thing"},
		{"{'flow':{}}", "", "\"op\""},
		{"{'op':'','flow':{}}", "/op", "nothing to do"},
		{"{'op':'','group':{'groupId':1}}", "/op", "nothing to do"},
		{"{'op':'delet','flow':{}}", "/op", "did you mean"},
		{"{'op':'delete','flow':{},'meter':{}}", "", "one thing"},
		{"{'op':'delete','flow':{'tabelId':3}}", "/flow/tabelId", "tableId"},
		{"{'op':'delete_strict','flow':{}}", "/flow", "priority"},
		{"{'op':'delete_strict','flow':{'priority':1,'tableId':'ALL'}}", "/flow/tableId",
			"table"},
		{"{'op':'modify','flow':{'outPort':1}}", "/flow/outPort", "delete"},
		{"{'op':'delete','flow':{'newCookie':1}}", "/flow/newCookie", "modify"},
		{"{'op':'delete','group':{'groupId':'SOME'}}", "/group/groupId", ""},
		{"{'op':'insert_bucket','group':{'groupId':1}}", "/group", "buckets"},
		{"{'op':'remove_bucket','group':{'groupId':1,'commandBucketId':'MIDDLE'}}",
			"/group/commandBucketId", "FIRST"},
		{"{'op':'delete','meter':{}}", "/meter", "index"},
		{"{'op':'packet-out','packetOut':{'frame':'zz00000000000000000000000000',"
		 "'treatment':{}}}",
			"/packetOut/frame", "hex"},
		{"{'op':'packet-out','packetOut':{'frame':'00','treatment':{}}}",
			"/packetOut/frame", "14"},
	};

	(void)state;
	for (size_t i = 0; i < TN_ARRAY_SIZE(wrong); i++) {
		char *text = help_quotes(wrong[i].text);
		struct tn_model_operation op;
		struct help h;

		help_init(&h);
		assert_false(read_text(&h, text, &op));
		assert_true(h.diag.n >= 1);
		if (strcmp(h.diag.list[0].pointer, wrong[i].pointer) != 0 ||
			!strstr(h.diag.list[0].detail, wrong[i].says))
			fail_msg("%s: %s: %s", wrong[i].text, h.diag.list[0].pointer,
				h.diag.list[0].detail);
		help_fini(&h);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_flows_of_text),
		cmocka_unit_test(test_deletes),
		cmocka_unit_test(test_groups_and_meters),
		cmocka_unit_test(test_packet_out),
		cmocka_unit_test(test_packet_out_takes_a_list),
		cmocka_unit_test(test_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
