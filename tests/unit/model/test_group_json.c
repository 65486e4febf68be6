/* SPDX-License-Identifier: BSD-3-Clause */
/* Groups and meters in JSON. */
#include "control/model/flow_json.h"

#include <errno.h>

#include "tests/unit/model/json_help.h"

#define T(action) "'treatment':{'instructions':[" action "]}"
#define D(action) "'treatment':{'instructions':[" action "],'deferred':[]}"
#define OUT3	  "{'type':'OUTPUT','port':'3'}"
#define OUT4	  "{'type':'OUTPUT','port':'4'}"
#define HEAD	  "'deviceId':'of:00000000000000a1','appId':'org.onosproject.rest'"

struct golden {
	const char *in, *out;
};

static const struct golden groups[] = {
	{"{'type':'SELECT','appCookie':'0x0a01','groupId':12,'buckets':["
	 "{'weight':2," T(OUT3) "},{'weight':1," T(OUT4) "}]}",
		"{'groupId':12,'type':'SELECT'," HEAD ",'appCookie':'0x0a01','buckets':["
		"{'weight':2,'bucketId':0," D(OUT3) "},{'weight':1,'bucketId':1," D(OUT4) "}]}"},
	/* Bytes of the cookie: pairs from the left, a lone last digit its own byte. */
	{"{'type':'ALL','appCookie':'0x111','id':'4294967040','buckets':[]}",
		"{'groupId':4294967040,'type':'ALL'," HEAD ",'appCookie':'0x1101','buckets':[]}"},
	{"{'type':'ALL','appCookie':'0xA','id':0,'givenGroupId':0,'buckets':[]}",
		"{'groupId':0,'type':'ALL'," HEAD ",'appCookie':'0x0a','buckets':[]}"},
	{"{'type':'INDIRECT','appCookie':'0xFEDC','groupId':1,'appId':'t1','buckets':["
	 "{'bucketId':7," T("{'type':'NOACTION'}") "}]}",
		"{'groupId':1,'type':'INDIRECT','deviceId':'of:00000000000000a1','appId':'t1',"
		"'appCookie':'0xfedc','buckets':[{'bucketId':7," D("{'type':'NOACTION'}") "}]}"},
	{"{'type':'FF','appCookie':'0x1','groupId':1,'buckets':["
	 "{'watchPort':'3'," T(OUT3) "},{'watchPort':'tap7','watchGroup':9," T(
		 OUT4) "},"
		       "{'watchGroup':'GroupId{id=0x1f}'," T("{'type':'GROUP','groupId':31}") "}]}",
		"{'groupId':1,'type':'FAILOVER'," HEAD ",'appCookie':'0x01','buckets':["
		"{'bucketId':0,'watchPort':'3'," D(
			OUT3) "},"
			      "{'bucketId':1,'watchPort':'7','watchGroup':'9'," D(
				      OUT4) "},"
					    "{'bucketId':2,'watchGroup':'31'," D(
						    "{'type':'GROUP','groupId':31}") "}]}"},
	/* Numbers that are free go to buckets without one. */
	{"{'type':'ALL','appCookie':'0x01','groupId':1,'buckets':["
	 "{" T(OUT3) "},{'bucketId':1," T(OUT3) "},{'bucketId':0," T(OUT3) "},{" T(
		 OUT4) "},"
		       "{'bucketId':3," T(OUT4) "},{" T(OUT4) "}]}",
		"{'groupId':1,'type':'ALL'," HEAD ",'appCookie':'0x01','buckets':["
		"{'bucketId':2," D(OUT3) "},{'bucketId':1," D(OUT3) "},{'bucketId':0," D(
			OUT3) "},"
			      "{'bucketId':4," D(OUT4) "},{'bucketId':3," D(
				      OUT4) "},{'bucketId':5," D(OUT4) "}]}"},
	{"{'type':'SELECT','appCookie':'0x01','groupId':1,'selectionMethod':'hash',"
	 "'hashFields':['ipv4_dst','ipv4_src'],'selectionParam':'0xffffffffffffffff','buckets':[]}",
		"{'groupId':1,'type':'SELECT'," HEAD ",'appCookie':'0x01','selectionMethod':'hash',"
		"'hashFields':['ipv4_src','ipv4_dst'],'selectionParam':'0xffffffffffffffff',"
		"'buckets':[]}"},
	{"{'type':'SELECT','appCookie':'0x01','groupId':1,'selectionMethod':'dp_hash',"
	 "'buckets':[{'weight':65535," T(OUT3) "}]}",
		"{'groupId':1,'type':'SELECT'," HEAD ",'appCookie':'0x01',"
		"'selectionMethod':'dp_hash','buckets':["
		"{'weight':65535,'bucketId':0," D(OUT3) "}]}"},
	/* An answer sent back. */
	{"{'id':12,'state':'ADDED','life':60,'packets':9,'bytes':900,'referenceCount':1,"
	 "'type':'ALL'," HEAD ",'appCookie':'0x0a01','givenGroupId':12,'buckets':["
	 "{'type':'ALL','weight':-1,'packets':6,'bytes':600,'bucketId':1911," D(OUT3) "}]}",
		"{'groupId':12,'type':'ALL'," HEAD ",'appCookie':'0x0a01','buckets':["
		"{'bucketId':1911," D(OUT3) "}]}"},
};

static json_t *print_group(struct help *h, const json_t *in, const char *what)
{
	struct tn_group_info info;
	struct tn_group_mod gm;

	if (tn_group_from_json(&h->codec, "", in, &gm))
		help_no_errors(h, what);
	info = help_group_info(h, &gm);
	return tn_group_to_json(&h->codec, &info);
}

static void same_text(json_t *got, const char *wanted)
{
	json_t *tree = help_tree(wanted);
	char *a = help_dump(got), *b = help_dump(tree);

	assert_string_equal(a, b);
	free(a);
	free(b);
	json_decref(tree);
}

static void groups_both_ways(void **state)
{
	struct help h;
	size_t i;

	(void)state;
	help_init(&h);
	for (i = 0; i < TN_ARRAY_SIZE(groups); i++) {
		json_t *in = help_tree(groups[i].in), *first, *second;

		first = print_group(&h, in, groups[i].in);
		same_text(first, groups[i].out);
		second = print_group(&h, first, groups[i].out);
		same_text(second, groups[i].out);
		json_decref(in);
		json_decref(first);
		json_decref(second);
	}
	help_fini(&h);
}

static void group_answers_have_the_northbound_shape(void **state)
{
	struct tn_action output = {.type = TN_ACTION_OUTPUT, .output.port = 3};
	struct tn_bucket_info bucket = {.bucket = {.bucket_id = 1911,
						.weight = 2,
						.watch_port = TN_PORT_ANY,
						.watch_group = TN_GROUP_ANY,
						.actions = &output,
						.n_actions = 1},
		.counter = {6, 600}};
	struct tn_group_info info = {.group_id = 12,
		.type = TN_GROUP_TYPE_SELECT,
		.reference_count = 1,
		.counter = {9, 900},
		.buckets = &bucket,
		.n_buckets = 1};
	struct help h;
	json_t *got;

	(void)state;
	help_init(&h);
	info.owner = tn_names_intern(h.names, "org.onosproject.rest");
	info.annotation = tn_names_intern(h.names, "0x0a01");
	h.codec.with_stats = true;
	h.codec.now_ns = UINT64_C(60000000000);
	got = tn_group_to_json(&h.codec, &info);
	same_text(got,
		"{'id':12,'state':'ADDED','life':60,'packets':9,'bytes':900,'referenceCount':1,"
		"'type':'SELECT'," HEAD ",'appCookie':'0x0a01','givenGroupId':12,'buckets':["
		"{'type':'SELECT','weight':2,'packets':6,'bytes':600,'bucketId':1911," D(
			OUT3) "}]}");
	json_decref(got);
	/* A group that did not come with a cookie prints one of its own; its owner is nobody. */
	info.type = TN_GROUP_TYPE_ALL;
	info.owner = info.annotation = 0;
	h.codec.with_stats = false;
	got = tn_group_to_json(&h.codec, &info);
	same_text(got,
		"{'groupId':12,'type':'ALL','deviceId':'of:00000000000000a1','appId':'<none>',"
		"'appCookie':'0x0000000c','buckets':[{'bucketId':1911," D(OUT3) "}]}");
	json_decref(got);
	help_fini(&h);
}

static const struct golden meters[] = {
	{"{'unit':'KB_PER_SEC','burst':true,'index':7,'scope':'global',"
	 "'bands':[{'type':'DROP','rate':20000,'burstSize':2000}]}",
		"{'id':'7','unit':'KB_PER_SEC','burst':true," HEAD
		",'bands':[{'type':'DROP','rate':20000,'burstSize':2000}]}"},
	{"{'id':'4294901760','unit':'PKTS_PER_SEC','appId':'t1','stats':true,'bands':["
	 "{'type':'REMARK','rate':'1','burstSize':0,'prec':2},"
	 "{'type':'DROP','rate':4294967295,'burstSize':4294967295}]}",
		"{'id':'4294901760','unit':'PKTS_PER_SEC','burst':false,'stats':true,"
		"'deviceId':'of:00000000000000a1','appId':'t1','bands':["
		"{'type':'REMARK','rate':1,'burstSize':0,'prec':2},"
		"{'type':'DROP','rate':4294967295,'burstSize':4294967295}]}"},
	{"{'id':1,'unit':'BYTES_PER_SEC','burst':'false','bands':[]}",
		"{'id':'1','unit':'BYTES_PER_SEC','burst':false," HEAD ",'bands':[]}"},
	/* An answer sent back. */
	{"{'id':'1','life':60,'packets':0,'bytes':0,'referenceCount':1,'unit':'KB_PER_SEC',"
	 "'burst':true," HEAD ",'state':'ADDED','bands':["
	 "{'type':'DROP','rate':20000,'packets':0,'bytes':0,'burstSize':2000}]}",
		"{'id':'1','unit':'KB_PER_SEC','burst':true," HEAD
		",'bands':[{'type':'DROP','rate':20000,'burstSize':2000}]}"},
};

static json_t *print_meter(struct help *h, const json_t *in, const char *what)
{
	struct tn_meter_mod mm;

	if (tn_meter_from_json(&h->codec, "", in, &mm))
		help_no_errors(h, what);
	return tn_meter_to_json(&h->codec, help_meter(h, &mm), 1);
}

static void meters_both_ways(void **state)
{
	struct tn_meter_mod mm;
	struct help h;
	json_t *any;
	size_t i;

	(void)state;
	help_init(&h);
	for (i = 0; i < TN_ARRAY_SIZE(meters); i++) {
		json_t *in = help_tree(meters[i].in), *first, *second;

		first = print_meter(&h, in, meters[i].in);
		same_text(first, meters[i].out);
		second = print_meter(&h, first, meters[i].out);
		same_text(second, meters[i].out);
		json_decref(in);
		json_decref(first);
		json_decref(second);
	}
	/* Without a number: the caller picks one. */
	any = help_tree("{'unit':'KB_PER_SEC','bands':[]}");
	assert_int_equal(tn_meter_from_json(&h.codec, "", any, &mm), 0);
	assert_int_equal(mm.meter_id, 0);
	json_decref(any);
	help_fini(&h);
}

static void meter_answers_have_the_northbound_shape(void **state)
{
	json_t *in = help_tree(meters[0].in), *got;
	struct tn_meter_mod mm;
	struct help h;

	(void)state;
	help_init(&h);
	assert_int_equal(tn_meter_from_json(&h.codec, "", in, &mm), 0);
	h.codec.with_stats = true;
	h.codec.now_ns = UINT64_C(60000000000);
	got = tn_meter_to_json(&h.codec, help_meter(&h, &mm), 1);
	same_text(got,
		"{'id':'7','life':60,'packets':0,'bytes':0,'referenceCount':1,"
		"'unit':'KB_PER_SEC','burst':true," HEAD ",'state':'ADDED','bands':["
		"{'type':'DROP','rate':20000,'packets':0,'bytes':0,'burstSize':2000}]}");
	json_decref(in);
	json_decref(got);
	help_fini(&h);
}

struct refusal {
	const char *text, *pointer;
	enum tn_of_error of;
	const char *words;
};

#define G(type, ...) "{'type':'" type "','appCookie':'0x1','groupId':1,'buckets':[" __VA_ARGS__ "]}"
#define GK(type, ...) \
	"{'type':'" type "','appCookie':'0x1','groupId':1,'buckets':[]," __VA_ARGS__ "}"

static const struct refusal group_refusals[] = {
	{"5", "", TN_OF_OK, "object"},
	{"{'appCookie':'0x1','groupId':1,'buckets':[]}", "", TN_OF_OK, "needs \"type\""},
	{"{'type':'ALL','groupId':1,'buckets':[]}", "", TN_OF_OK, "appCookie"},
	{"{'type':'ALL','appCookie':'0x1','buckets':[]}", "", TN_OF_OK, "groupId"},
	{"{'type':'ALL','appCookie':'0x1','givenGroupId':1,'buckets':[]}", "", TN_OF_OK, "groupId"},
	{"{'type':'ALL','appCookie':'0x1','groupId':1}", "", TN_OF_OK, "buckets"},
	{"{'type':'ALL','appCookie':'0x1','groupId':1,'buckets':{}}", "/buckets", TN_OF_OK,
		"array"},
	{G("EVERY"), "/type", TN_OFPGMFC_BAD_TYPE, "FAILOVER"},
	{G("CLONE"), "/type", TN_OFPGMFC_BAD_TYPE, "not supported"},
	{GK("ALL", "'groupid':1"), "/groupid", TN_OF_OK, "did you mean \"groupId\"?"},
	{GK("ALL", "'id':2"), "/id", TN_OFPGMFC_INVALID_GROUP, "says 1"},
	{GK("ALL", "'givenGroupId':2"), "/givenGroupId", TN_OFPGMFC_INVALID_GROUP, "says 1"},
	{"{'type':'ALL','appCookie':'0x1','groupId':4294967292,'buckets':[]}", "/groupId",
		TN_OFPGMFC_INVALID_GROUP, "4294967040"},
	{"{'type':'ALL','appCookie':'1','groupId':1,'buckets':[]}", "/appCookie", TN_OF_OK, "0x"},
	{"{'type':'ALL','appCookie':'0x','groupId':1,'buckets':[]}", "/appCookie", TN_OF_OK, "0x"},
	{"{'type':'ALL','appCookie':'0xzz','groupId':1,'buckets':[]}", "/appCookie", TN_OF_OK,
		"hex digits"},
	{"{'type':'ALL','appCookie':1,'groupId':1,'buckets':[]}", "/appCookie", TN_OF_OK, "0x"},
	{GK("ALL", "'deviceId':'of:00000000000000ff'"), "/deviceId", TN_OF_OK, "device"},
	{GK("ALL", "'selectionMethod':'hash'"), "/selectionMethod", TN_OFPGMFC_BAD_TYPE, "SELECT"},
	{GK("SELECT", "'selectionMethod':'best'"), "/selectionMethod", TN_OF_OK, "dp_hash"},
	{GK("SELECT", "'hashFields':[]"), "/hashFields", TN_OF_OK, "selectionMethod"},
	{GK("SELECT", "'selectionMethod':'dp_hash','hashFields':[]"), "/hashFields", TN_OF_OK,
		"hash"},
	{GK("SELECT", "'selectionMethod':'hash','hashFields':['ip']"), "/hashFields/0",
		TN_OFPBMC_BAD_FIELD, "OXM"},
	{G("ALL", "5"), "/buckets/0", TN_OF_OK, "object"},
	{G("ALL", "{}"), "/buckets/0", TN_OF_OK, "treatment"},
	{G("ALL", "{'type':'SELECT'," T(OUT3) "}"), "/buckets/0/type", TN_OFPGMFC_BAD_BUCKET,
		"ALL"},
	{G("ALL", "{'weight':2," T(OUT3) "}"), "/buckets/0/weight", TN_OFPGMFC_WEIGHT_UNSUPPORTED,
		"SELECT"},
	{G("SELECT", "{" T(OUT3) "}"), "/buckets/0", TN_OFPGMFC_BAD_BUCKET, "weight"},
	{G("SELECT", "{'weight':-1," T(OUT3) "}"), "/buckets/0/weight", TN_OFPGMFC_BAD_BUCKET,
		"65535"},
	{G("SELECT", "{'weight':65536," T(OUT3) "}"), "/buckets/0/weight", TN_OFPGMFC_BAD_BUCKET,
		"65535"},
	{G("FF", "{" T(OUT3) "}"), "/buckets/0", TN_OFPGMFC_BAD_WATCH, "watchPort"},
	{G("FF", "{'watchPort':'ANY'," T(OUT3) "}"), "/buckets/0", TN_OFPGMFC_BAD_WATCH,
		"watchPort"},
	{G("FF", "{'watchPort':'tap9'," T(OUT3) "}"), "/buckets/0/watchPort", TN_OFPGMFC_BAD_WATCH,
		"tap7"},
	{G("FF", "{'watchGroup':4294967295," T(OUT3) "}"), "/buckets/0/watchGroup",
		TN_OFPGMFC_BAD_WATCH, "4294967040"},
	{G("FF", "{'watchGroup':'GroupId{id=0xg}'," T(OUT3) "}"), "/buckets/0/watchGroup", TN_OF_OK,
		"integer"},
	{G("ALL", "{'bucketId':4294967293," T(OUT3) "}"), "/buckets/0/bucketId",
		TN_OFPGMFC_BAD_BUCKET, "4294967040"},
	{G("ALL", "{'bucketId':1," T(OUT3) "},{" T(OUT3) "},{'bucketId':1," T(OUT3) "}"),
		"/buckets/2", TN_OFPGMFC_BUCKET_EXISTS, "bucketId"},
	{G("ALL", "{" T("{'type':'METER','meterId':1}") "}"), "/buckets/0/treatment/instructions/0",
		TN_OFPBAC_BAD_TYPE, "actions only"},
	{G("ALL", "{" T("{'type':'TABLE','tableId':1}") "}"), "/buckets/0/treatment/instructions/0",
		TN_OFPBAC_BAD_TYPE, "actions only"},
	{G("ALL", "{'treatment':{'deferred':[" OUT3 "]}}"), "/buckets/0/treatment",
		TN_OFPGMFC_BAD_BUCKET, "instructions"},
	{G("ALL", "{'treatment':{'clearDeferred':true}}"), "/buckets/0/treatment",
		TN_OFPGMFC_BAD_BUCKET, "clearDeferred"},
	{G("ALL", "{" T(OUT3 "," OUT4) "}"), "/buckets/0/treatment/instructions/1",
		TN_OFPBAC_UNSUPPORTED_ORDER, "one output"},
	{G("ALL", "{" T("{'type':'OUTPUT','port':0}") "}"), "/buckets/0/treatment/instructions/0",
		TN_OFPBAC_BAD_OUT_PORT, "no port"},
};

#define M(...) "{'unit':'KB_PER_SEC','bands':[" __VA_ARGS__ "]}"

static const struct refusal meter_refusals[] = {
	{"5", "", TN_OF_OK, "object"},
	{"{'bands':[]}", "", TN_OF_OK, "unit"},
	{"{'unit':'KB_PER_SEC'}", "", TN_OF_OK, "bands"},
	{"{'unit':'KB_PER_SEC','bands':5}", "/bands", TN_OF_OK, "array"},
	{"{'unit':'MB_PER_SEC','bands':[]}", "/unit", TN_OFPMMFC_BAD_FLAGS, "KB_PER_SEC"},
	{"{'unit':'KB_PER_SEC','bands':[],'burst':1}", "/burst", TN_OF_OK, "true or false"},
	{"{'unit':'KB_PER_SEC','bands':[],'scope':'local'}", "/scope", TN_OFPMMFC_INVALID_METER,
		"global"},
	{"{'unit':'KB_PER_SEC','bands':[],'index':0}", "/index", TN_OFPMMFC_INVALID_METER,
		"4294901760"},
	{"{'unit':'KB_PER_SEC','bands':[],'id':4294901761}", "/id", TN_OFPMMFC_INVALID_METER,
		"4294901760"},
	{"{'unit':'KB_PER_SEC','bands':[],'id':1,'index':2}", "/id", TN_OFPMMFC_INVALID_METER,
		"index"},
	{"{'unit':'KB_PER_SEC','bands':[],'units':1}", "/units", TN_OF_OK, "\"unit\""},
	{M("5"), "/bands/0", TN_OF_OK, "object"},
	{M("{'rate':1,'burstSize':1}"), "/bands/0", TN_OF_OK, "type"},
	{M("{'type':'DROP','burstSize':1}"), "/bands/0", TN_OF_OK, "rate"},
	{M("{'type':'DROP','rate':1}"), "/bands/0", TN_OF_OK, "burstSize"},
	{M("{'type':'DROP','rate':0,'burstSize':1}"), "/bands/0", TN_OFPMMFC_BAD_RATE, "rate 0"},
	{M("{'type':'DROP','rate':4294967296,'burstSize':1}"), "/bands/0/rate", TN_OFPMMFC_BAD_RATE,
		"4294967295"},
	{M("{'type':'DROP','rate':1,'burstSize':-1}"), "/bands/0/burstSize", TN_OFPMMFC_BAD_BURST,
		"4294967295"},
	{M("{'type':'DROP','rate':1,'burstSize':1,'prec':1}"), "/bands/0/prec",
		TN_OFPMMFC_BAD_BAND_VALUE, "REMARK"},
	{M("{'type':'REMARK','rate':1,'burstSize':1}"), "/bands/0", TN_OF_OK, "prec"},
	{M("{'type':'REMARK','rate':1,'burstSize':1,'prec':0}"), "/bands/0/prec",
		TN_OFPMMFC_BAD_BAND_VALUE, "255"},
	{M("{'type':'NONE','rate':1,'burstSize':1}"), "/bands/0/type", TN_OFPMMFC_BAD_BAND,
		"not supported"},
	{M("{'type':'MARK_YELLOW','rate':1,'burstSize':1}"), "/bands/0/type", TN_OFPMMFC_BAD_BAND,
		"not supported"},
	{M("{'type':'MARK_RED','rate':1,'burstSize':1}"), "/bands/0/type", TN_OFPMMFC_BAD_BAND,
		"not supported"},
	{M("{'type':'drop','rate':1,'burstSize':1}"), "/bands/0/type", TN_OFPMMFC_BAD_BAND,
		"DROP or REMARK"},
};

static void check_refusals(const struct refusal *list, size_t n, bool group)
{
	struct help h;
	size_t i;

	help_init(&h);
	for (i = 0; i < n; i++) {
		json_t *in = help_tree(list[i].text);
		struct tn_group_mod gm;
		struct tn_meter_mod mm;
		char pointer[128];
		int rc;

		snprintf(pointer, sizeof(pointer), "/g/0%s", list[i].pointer);
		rc = group ? tn_group_from_json(&h.codec, "/g/0", in, &gm)
			   : tn_meter_from_json(&h.codec, "/g/0", in, &mm);
		if (rc != -EINVAL)
			fail_msg("accepted: %s", list[i].text);
		help_expect(&h, 0, pointer, list[i].of, list[i].words);
		help_clear(&h);
		json_decref(in);
	}
	help_fini(&h);
}

static void groups_are_refused(void **state)
{
	(void)state;
	check_refusals(group_refusals, TN_ARRAY_SIZE(group_refusals), true);
}

static void meters_are_refused(void **state)
{
	struct help h;
	json_t *in = help_tree("{'unit':'KB_PER_SEC','id':1,'bands':[]}"), *bands;
	struct tn_meter_mod mm;
	unsigned i;

	(void)state;
	check_refusals(meter_refusals, TN_ARRAY_SIZE(meter_refusals), false);
	help_init(&h);
	bands = json_object_get(in, "bands");
	for (i = 0; i <= TN_METER_BANDS_MAX; i++)
		json_array_append_new(bands, help_tree("{'type':'DROP','rate':1,'burstSize':1}"));
	assert_int_equal(tn_meter_from_json(&h.codec, "", in, &mm), -EINVAL);
	help_expect(&h, 0, "/bands", TN_OFPMMFC_OUT_OF_BANDS, "17 bands");
	json_decref(in);
	help_fini(&h);
}

/* Every error of one meter, and every one of a group's buckets. */
static void all_errors_at_once(void **state)
{
	json_t *meter = help_tree(
		"{'unit':'x','bands':[{'type':'DROP','rate':0,'burstSize':1},{'type':'NONE',"
		"'rate':1},{'type':'REMARK','rate':1,'burstSize':1,'prec':256}]}");
	json_t *group = help_tree(G("SELECT",
		"{" T("{'type':'OUTPUT','port':0}") "},{'weight':1,'bucketId':-1," T(
			"{'type':'OUTPUT','port':'nope'},{'type':'CLONE','instructions':[]}") "}"));
	struct tn_group_mod gm;
	struct tn_meter_mod mm;
	struct help h;

	(void)state;
	help_init(&h);
	assert_int_equal(tn_meter_from_json(&h.codec, "", meter, &mm), -EINVAL);
	assert_int_equal(h.diag.n, 5);
	help_clear(&h);
	assert_int_equal(tn_group_from_json(&h.codec, "", group, &gm), -EINVAL);
	help_expect(&h, 0, "/buckets/0", TN_OFPGMFC_BAD_BUCKET, "weight");
	help_expect(&h, 1, "/buckets/0/treatment/instructions/0", TN_OFPBAC_BAD_OUT_PORT, "0x0");
	help_expect(&h, 2, "/buckets/1/bucketId", TN_OFPGMFC_BAD_BUCKET, "-1");
	help_expect(
		&h, 3, "/buckets/1/treatment/instructions/0/port", TN_OFPBAC_BAD_OUT_PORT, "nope");
	help_expect(&h, 4, "/buckets/1/treatment/instructions/1", TN_OFPBAC_BAD_TYPE, "clone");
	assert_int_equal(h.diag.n, 5);
	json_decref(meter);
	json_decref(group);
	help_fini(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(groups_both_ways),
		cmocka_unit_test(group_answers_have_the_northbound_shape),
		cmocka_unit_test(meters_both_ways),
		cmocka_unit_test(meter_answers_have_the_northbound_shape),
		cmocka_unit_test(groups_are_refused),
		cmocka_unit_test(meters_are_refused),
		cmocka_unit_test(all_errors_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
