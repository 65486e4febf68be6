/* SPDX-License-Identifier: BSD-3-Clause */
/* Groups and meters in ovs-ofctl text. */
#include "tests/unit/model/ofctl_helper.h"

static int parse_group(
	struct bench *b, enum tn_group_command command, const char *text, struct tn_group_mod *gm)
{
	return tn_ofctl_parse_group(&b->o, command, text, strlen(text), gm);
}

static char *print_group(struct bench *b, const struct tn_group_mod *gm)
{
	struct tn_bucket_info *buckets =
		tn_arena_alloc(&b->arena, (gm->n_buckets + 1u) * sizeof(*buckets));
	struct tn_group_info info = {
		.group_id = gm->group_id,
		.type = gm->type,
		.selection = gm->selection,
		.hash_fields = gm->hash_fields,
		.selection_param = gm->selection_param,
		.buckets = buckets,
		.n_buckets = gm->n_buckets,
	};

	for (uint32_t i = 0; i < gm->n_buckets; i++)
		buckets[i].bucket = gm->buckets[i];
	return tn_ofctl_print_group(&info, b->o.names);
}

static void check_group(const char *text, const char *want)
{
	const char *texts[] = {text, want ? want : text};

	for (int i = 0; i < 2; i++) {
		struct tn_group_mod gm;
		struct bench b;
		char *got;

		bench_init(&b, NULL);
		if (parse_group(&b, TN_GROUP_ADD, texts[i], &gm))
			fail_msg("%s: column %u: %s", texts[i], b.diag.list[0].column,
				b.diag.list[0].detail);
		got = print_group(&b, &gm);
		if (strcmp(got, texts[1]) != 0)
			fail_msg("\"%s\"\n is \"%s\"\nnot \"%s\"", texts[i], got, texts[1]);
		free(got);
		bench_fini(&b);
	}
}

static void groups(void **state)
{
	static const char *const pairs[][2] = {
		{"group_id=1,type=all", NULL},
		{"group_id=1,type=all,bucket=actions=1,bucket=actions=2",
			"group_id=1,type=all,bucket=bucket_id:0,actions=output:1,"
			"bucket=bucket_id:1,actions=output:2"},
		{"group_id=1,type=all,bucket=output:1,bucket=set_field:5->reg0,output:2",
			"group_id=1,type=all,bucket=bucket_id:0,actions=output:1,"
			"bucket=bucket_id:1,actions=set_field:0x5->reg0,output:2"},
		{"group_id=0xffffff00,type=indirect,bucket=actions=drop",
			"group_id=4294967040,type=indirect,bucket=bucket_id:0,actions=drop"},
		{"group_id=1,type=select,bucket=weight:2,actions=3,bucket=weight=1,actions=4,"
		 "bucket=weight(0),actions=5",
			"group_id=1,type=select,bucket=bucket_id:0,weight:2,actions=output:3,"
			"bucket=bucket_id:1,actions=output:4,bucket=bucket_id:2,weight:0,"
			"actions=output:5"},
		{"group_id=1,type=select,bucket=bucket_id:1,actions=3,bucket=actions=4,"
		 "bucket=bucket_id:0,actions=5,bucket=actions=6",
			"group_id=1,type=select,bucket=bucket_id:1,actions=output:3,"
			"bucket=bucket_id:2,actions=output:4,bucket=bucket_id:0,actions=output:5,"
			"bucket=bucket_id:3,actions=output:6"},
		{"group_id=1,type=fast_failover,bucket=watch_port:1,actions=output:1,"
		 "bucket=actions=output:2,watch_group:7",
			"group_id=1,type=ff,bucket=bucket_id:0,watch_port:1,actions=output:1,"
			"bucket=bucket_id:1,watch_group:7,actions=output:2"},
		{"group_id=1,type=ff,bucket=bucket_id:0,watch_port:LOCAL,watch_group:7,actions="
		 "group:7",
			NULL},
		{"group_id=1,type=select,selection_method=hash,fields(ip_src,ip_dst,tp_dst),"
		 "bucket=actions=output:3",
			"group_id=1,type=select,selection_method=hash,fields(ip_src,ip_dst,tcp_dst)"
			",bucket=bucket_id:0,actions=output:3"},
		{"group_id=1,type=select,selection_method=hash,fields=eth_dst=ff:ff:ff:ff:ff:ff,"
		 "bucket=actions=output:3",
			"group_id=1,type=select,selection_method=hash,fields=eth_dst,"
			"bucket=bucket_id:0,actions=output:3"},
		{"group_id=1,type=select,selection_method=dp_hash,selection_method_param=7,bucket="
		 "bucket_id:0,actions=output:3",
			NULL},
		{"group_id=1,type=all,bucket=push_vlan:0x8100,mod_vlan_vid:5,output:3",
			"group_id=1,type=all,bucket=bucket_id:0,actions=push_vlan:0x8100,"
			"mod_vlan_vid:5,output:3"},
	};

	(void)state;
	for (size_t i = 0; i < TN_ARRAY_SIZE(pairs); i++)
		check_group(pairs[i][0], pairs[i][1]);
}

static void wrong_groups(void **state)
{
	static const struct {
		enum tn_group_command command;
		struct complaint want;
	} list[] = {
		{TN_GROUP_ADD, {"", 1, TN_OFPGMFC_INVALID_GROUP, "group_id=N"}},
		{TN_GROUP_ADD, {"group_id=1", 1, TN_OFPGMFC_BAD_TYPE, "type=all"}},
		{TN_GROUP_ADD, {"grop_id=1,type=all", 1, TN_OF_OK, "did you mean \"group_id\"?"}},
		{TN_GROUP_ADD, {"group_id=1,type=al", 17, TN_OF_OK, "did you mean \"all\"?"}},
		{TN_GROUP_ADD,
			{"group_id=4294967041,type=all", 10, TN_OFPGMFC_INVALID_GROUP, "range"}},
		{TN_GROUP_ADD, {"group_id=1,group_id=2,type=all", 12, TN_OF_OK, "twice"}},
		{TN_GROUP_ADD,
			{"group_id=1,type=ff,bucket=watch_port:1,watch_port:1,actions=1", 40,
				TN_OF_OK, "twice"}},
		{TN_GROUP_ADD, {"group_id=all,type=all", 10, TN_OFPGMFC_INVALID_GROUP, "deleting"}},
		{TN_GROUP_ADD, {"group_id=x,type=all", 10, TN_OF_OK, "not a number"}},
		{TN_GROUP_ADD,
			{"group_id=1,type=all,command_bucket_id=1", 21, TN_OF_OK, "no meaning"}},
		{TN_GROUP_ADD, {"group_id=1,type=all,bucket", 21, TN_OF_OK, "bucket=weight:2"}},
		{TN_GROUP_ADD,
			{"group_id=1,type=all,bucket=", 28, TN_OFPGMFC_BAD_BUCKET, "no actions"}},
		{TN_GROUP_ADD,
			{"group_id=1,type=all,bucket=actions=1,2", 38, TN_OFPBAC_UNSUPPORTED_ORDER,
				"one output"}},
		{TN_GROUP_ADD,
			{"group_id=1,type=all,bucket=outpt:1", 28, TN_OF_OK,
				"did you mean \"output\"?"}},
		{TN_GROUP_ADD,
			{"group_id=1,type=all,bucket=1,wieght:2", 30, TN_OF_OK, "unknown action"}},
		{TN_GROUP_ADD,
			{"group_id=1,type=all,bucket=weight:2,actions=1", 28,
				TN_OFPGMFC_WEIGHT_UNSUPPORTED, "select groups"}},
		{TN_GROUP_ADD,
			{"group_id=1,type=select,bucket=weight:65536,actions=1", 38,
				TN_OFPGMFC_BAD_BUCKET, "range"}},
		{TN_GROUP_ADD,
			{"group_id=1,type=all,bucket=bucket_id:4294967041,actions=1", 38,
				TN_OFPGMFC_BAD_BUCKET, "range"}},
		{TN_GROUP_ADD,
			{"group_id=1,type=ff,bucket=actions=1", 27, TN_OFPGMFC_BAD_WATCH,
				"watch_port"}},
		{TN_GROUP_ADD,
			{"group_id=1,type=ff,bucket=watch_port:flood,actions=1", 38,
				TN_OFPGMFC_BAD_WATCH, "ordinary port"}},
		{TN_GROUP_ADD,
			{"group_id=1,type=ff,bucket=watch_group:x,actions=1", 39, TN_OF_OK,
				"not a number"}},
		{TN_GROUP_ADD,
			{"group_id=1,type=indirect,bucket=actions=1,bucket=actions=2", 50,
				TN_OFPGMFC_INVALID_GROUP, "one bucket"}},
		{TN_GROUP_ADD,
			{"group_id=1,type=all,selection_method=hash", 38, TN_OFPGMFC_BAD_TYPE,
				"select groups"}},
		{TN_GROUP_ADD,
			{"group_id=1,type=select,selection_method=hsh", 41, TN_OFPGMFC_BAD_TYPE,
				"hash or dp_hash"}},
		{TN_GROUP_ADD,
			{"group_id=1,type=select,fields=ip_src", 31, TN_OFPGMFC_BAD_TYPE,
				"selection_method=hash"}},
		{TN_GROUP_ADD,
			{"group_id=1,type=select,selection_method_param=5", 47, TN_OFPGMFC_BAD_TYPE,
				"selection_method"}},
		{TN_GROUP_ADD,
			{"group_id=1,type=select,selection_method=hash,fields(ip_src,ipsrc)", 60,
				TN_OF_OK, "did you mean \"ip_src\"?"}},
		{TN_GROUP_ADD,
			{"group_id=1,type=select,selection_method=hash,fields(ct_mark)", 53,
				TN_OFPBMC_BAD_FIELD, "not supported"}},
		{TN_GROUP_ADD,
			{"group_id=1,type=select,selection_method=hash,fields(reg0,reg0)", 58,
				TN_OFPBMC_DUP_FIELD, "once"}},
		{TN_GROUP_ADD,
			{"group_id=1,type=select,selection_method=hash,fields(reg0=5)", 58,
				TN_OFPBMC_BAD_MASK, "alone"}},
		{TN_GROUP_ADD,
			{"group_id=1,type=all,bucket=tcp,actions=1", 28, TN_OF_OK,
				"unknown action"}},
		{TN_GROUP_ADD, {"group_id=1,type=all,bucket=clone(1", 33, TN_OF_OK, "never"}},
		{TN_GROUP_ADD,
			{"group_id=1,type=all,bucket=clone(1)", 28, TN_OFPBAC_BAD_TYPE,
				"action set"}},
		{TN_GROUP_ADD,
			{"group_id=1,type=all,bucket=mod_tp_dst:1", 28,
				TN_OFPBAC_MATCH_INCONSISTENT, "set_field"}},
		{TN_GROUP_DELETE, {"group_id=1,type=all", 12, TN_OF_OK, "no meaning"}},
		{TN_GROUP_DELETE, {"group_id=1,bucket=actions=1", 12, TN_OF_OK, "no meaning"}},
		{TN_GROUP_INSERT_BUCKET,
			{"group_id=1,bucket=actions=1", 1, TN_OFPGMFC_BAD_BUCKET,
				"command_bucket_id"}},
		{TN_GROUP_INSERT_BUCKET,
			{"group_id=1,command_bucket_id=all,bucket=actions=1", 30,
				TN_OFPGMFC_BAD_BUCKET, "first"}},
		{TN_GROUP_REMOVE_BUCKET,
			{"group_id=1,command_bucket_id=4294967041", 30, TN_OFPGMFC_BAD_BUCKET,
				"range"}},
		{TN_GROUP_REMOVE_BUCKET,
			{"group_id=1,command_bucket_id=1,bucket=1", 32, TN_OF_OK, "no meaning"}},
	};

	(void)state;
	for (size_t i = 0; i < TN_ARRAY_SIZE(list); i++) {
		const struct complaint *want = &list[i].want;
		struct tn_group_mod gm;
		struct bench b;

		bench_init(&b, NULL);
		check_complaint(&b.diag, parse_group(&b, list[i].command, want->text, &gm), want);
		bench_fini(&b);
	}
}

static void every_bucket_is_read(void **state)
{
	static const uint32_t columns[] = {28, 60, 71};
	struct tn_group_mod gm;
	struct bench b;

	(void)state;
	bench_init(&b, NULL);
	assert_int_equal(parse_group(&b, TN_GROUP_ADD,
				 "group_id=1,type=all,bucket=outpt:1,bucket=actions=1,weight:x,"
				 "bucket=2,fish",
				 &gm),
		-22);
	assert_int_equal(b.diag.n, 3);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(b.diag.list[i].column, columns[i]);
	bench_fini(&b);
}

static void group_commands(void **state)
{
	struct tn_group_mod gm;
	struct bench b;

	(void)state;
	bench_init(&b, NULL);
	assert_int_equal(parse_group(&b, TN_GROUP_DELETE, " ", &gm), 0);
	assert_int_equal(gm.group_id, TN_GROUP_ALL);
	assert_int_equal(parse_group(&b, TN_GROUP_DELETE, "group_id=all", &gm), 0);
	assert_int_equal(gm.group_id, TN_GROUP_ALL);
	assert_int_equal(parse_group(&b, TN_GROUP_DELETE, "group_id=7", &gm), 0);
	assert_int_equal(gm.group_id, 7);
	assert_int_equal(gm.command, TN_GROUP_DELETE);
	assert_int_equal(parse_group(&b, TN_GROUP_INSERT_BUCKET,
				 "group_id=7,command_bucket_id=last,bucket=bucket_id:5,actions=1,"
				 "bucket=bucket_id:6,weight:3,actions=2",
				 &gm),
		0);
	assert_int_equal(gm.command_bucket_id, TN_BUCKET_LAST);
	assert_int_equal(gm.n_buckets, 2);
	assert_int_equal(gm.buckets[0].weight, 1);
	assert_int_equal(gm.buckets[1].weight, 3);
	assert_int_equal(gm.buckets[1].bucket_id, 6);
	assert_int_equal(gm.buckets[1].watch_port, TN_PORT_ANY);
	assert_int_equal(
		parse_group(&b, TN_GROUP_REMOVE_BUCKET, "group_id=7,command_bucket_id=5", &gm), 0);
	assert_int_equal(gm.command_bucket_id, 5);
	assert_int_equal(parse_group(&b, TN_GROUP_REMOVE_BUCKET, "group_id=7", &gm), 0);
	assert_int_equal(gm.command_bucket_id, TN_BUCKET_ALL);
	assert_int_equal(b.diag.n, 0);
	bench_fini(&b);
}

static void check_meter(const char *text, const char *want)
{
	const char *texts[] = {text, want ? want : text};

	for (int i = 0; i < 2; i++) {
		struct tn_meter_mod mm;
		struct tn_meter *meter;
		struct bench b;
		char *got;

		bench_init(&b, NULL);
		if (tn_ofctl_parse_meter(&b.o, TN_METER_ADD, texts[i], strlen(texts[i]), &mm))
			fail_msg("%s: column %u: %s", texts[i], b.diag.list[0].column,
				b.diag.list[0].detail);
		meter = tn_arena_alloc(&b.arena, tn_meter_size(mm.n_bands));
		tn_meter_init(meter, &mm, 0);
		got = tn_ofctl_print_meter(meter);
		assert_string_equal(got, texts[1]);
		free(got);
		bench_fini(&b);
	}
}

static void meters(void **state)
{
	(void)state;
	check_meter("meter=1,kbps,bands=type=drop,rate=1000", NULL);
	check_meter("meter=4294901760 pktps stats band=type=drop rate=5",
		"meter=4294901760,pktps,stats,bands=type=drop,rate=5");
	check_meter("meter=1,byteps,bands=type=drop,rate=1000", NULL);
	check_meter("burst,meter=1,kbps,stats,bands=type=drop,rate=1,burst_size=2 "
		    "type=dscp_remark,rate=3,prec_level=1,burst_size=0",
		"meter=1,kbps,burst,stats,bands=type=drop,rate=1,burst_size=2 "
		"type=dscp_remark,rate=3,burst_size=0,prec_level=1");
}

static void wrong_meters(void **state)
{
	static const struct complaint list[] = {
		{"", 1, TN_OFPMMFC_INVALID_METER, "meter=N"},
		{"meter=1", 1, TN_OFPMMFC_BAD_BAND, "no bands"},
		{"meter=1,kbps,bands=", 1, TN_OFPMMFC_BAD_BAND, "no bands"},
		{"meter=1,kbps,bands", 14, TN_OF_OK, "bands=type=drop"},
		{"meter=1,bands=type=drop,rate=1", 1, TN_OFPMMFC_BAD_FLAGS, "one unit"},
		{"meter=1,kbps,pktps,bands=type=drop,rate=1", 1, TN_OFPMMFC_BAD_FLAGS, "one unit"},
		{"meter=1,meter=1,kbps,bands=type=drop,rate=1", 9, TN_OF_OK, "twice"},
		{"meter=1,kbps,bands=type=drop,rate=1,rate=2", 37, TN_OF_OK, "twice"},
		{"meter=0,kbps,bands=type=drop,rate=1", 7, TN_OFPMMFC_INVALID_METER, "1 to"},
		{"meter=x,kbps,bands=type=drop,rate=1", 7, TN_OF_OK, "not a number"},
		{"meter=all,kbps,bands=type=drop,rate=1", 1, TN_OFPMMFC_INVALID_METER, "deleting"},
		{"meter=controller,kbps,bands=type=drop,rate=1", 7, TN_OFPMMFC_INVALID_METER,
			"not supported"},
		{"meter=1,kpbs,bands=type=drop,rate=1", 9, TN_OF_OK, "did you mean \"kbps\"?"},
		{"meter=1,kbps=1,bands=type=drop,rate=1", 14, TN_OF_OK, "no value"},
		{"meter=1,kbps,bands=rate=1,type=drop", 20, TN_OFPMMFC_BAD_BAND, "starts with"},
		{"meter=1,kbps,bands=type=drp,rate=1", 25, TN_OF_OK, "did you mean \"drop\"?"},
		{"meter=1,kbps,bands=type=drop", 20, TN_OFPMMFC_BAD_RATE, "rate=N"},
		{"meter=1,kbps,bands=type=drop,rate=0", 35, TN_OFPMMFC_BAD_RATE, "1 to"},
		{"meter=1,kbps,bands=type=drop,rate=x", 35, TN_OF_OK, "not a number"},
		{"meter=1,kbps,bands=type=drop,rte=1", 30, TN_OF_OK, "did you mean \"rate\"?"},
		{"meter=1,kbps,bands=type=drop,rate=1,burst_size=1", 37, TN_OFPMMFC_BAD_FLAGS,
			"word burst"},
		{"meter=1,kbps,burst,bands=type=drop,rate=1", 26, TN_OFPMMFC_BAD_BURST,
			"burst_size"},
		{"meter=1,kbps,bands=type=drop,rate=1,prec_level=1", 37, TN_OFPMMFC_BAD_BAND_VALUE,
			"dscp_remark"},
		{"meter=1,kbps,bands=type=dscp_remark,rate=1", 20, TN_OFPMMFC_BAD_BAND_VALUE,
			"prec_level=N"},
		{"meter=1,kbps,bands=type=dscp_remark,rate=1,prec_level=0", 55,
			TN_OFPMMFC_BAD_BAND_VALUE, "1 to 255"},
	};
	char text[1000] = "meter=1,kbps,bands=";
	struct tn_meter_mod mm;
	struct bench b;

	(void)state;
	for (size_t i = 0; i < TN_ARRAY_SIZE(list); i++) {
		bench_init(&b, NULL);
		check_complaint(&b.diag,
			tn_ofctl_parse_meter(
				&b.o, TN_METER_ADD, list[i].text, strlen(list[i].text), &mm),
			&list[i]);
		bench_fini(&b);
	}
	for (unsigned i = 0; i <= TN_METER_BANDS_MAX; i++)
		strncat(text, "type=drop,rate=1 ", sizeof(text) - strlen(text) - 1);
	bench_init(&b, NULL);
	assert_int_equal(tn_ofctl_parse_meter(&b.o, TN_METER_ADD, text, strlen(text), &mm), -22);
	assert_int_equal(b.diag.list[0].of, TN_OFPMMFC_OUT_OF_BANDS);
	bench_fini(&b);
}

static void meter_commands(void **state)
{
	struct tn_meter_mod mm;
	struct bench b;

	(void)state;
	bench_init(&b, NULL);
	assert_int_equal(tn_ofctl_parse_meter(&b.o, TN_METER_DELETE, "", 0, &mm), 0);
	assert_int_equal(mm.meter_id, TN_METER_ALL);
	assert_int_equal(tn_ofctl_parse_meter(&b.o, TN_METER_DELETE, "meter=all", 9, &mm), 0);
	assert_int_equal(mm.meter_id, TN_METER_ALL);
	assert_int_equal(tn_ofctl_parse_meter(&b.o, TN_METER_DELETE, "meter=7", 7, &mm), 0);
	assert_int_equal(mm.meter_id, 7);
	assert_int_equal(b.diag.n, 0);
	assert_int_equal(tn_ofctl_parse_meter(&b.o, TN_METER_DELETE, "meter=7,kbps", 12, &mm), -22);
	assert_int_equal(b.diag.list[0].column, 9);
	assert_int_equal(
		tn_ofctl_parse_meter(&b.o, TN_METER_DELETE, "meter=7,bands=", 14, &mm), -22);
	assert_int_equal(b.diag.list[1].column, 9);
	bench_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(groups),
		cmocka_unit_test(wrong_groups),
		cmocka_unit_test(every_bucket_is_read),
		cmocka_unit_test(group_commands),
		cmocka_unit_test(meters),
		cmocka_unit_test(wrong_meters),
		cmocka_unit_test(meter_commands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
