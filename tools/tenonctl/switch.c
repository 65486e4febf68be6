/* SPDX-License-Identifier: BSD-3-Clause */
/* tenonctl device, status, table, stats: the switch and what it counted. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tools/tenonctl/say.h"
#include "tools/tenonctl/share.h"

/* --- device, status --------------------------------------------------------------------------- */

static uint64_t seconds_since(uint64_t ms)
{
	uint64_t now = (uint64_t)time(NULL), then = ms / 1000;

	return now > then ? now - then : 0;
}

static void print_device(const json_t *device)
{
	bool available = tn_ctl_flag(device, "available");
	char id[32], hw[32], sw[32], age[32];

	printf("device       %s\n", tn_ctl_text(device, "id", id));
	printf("switch       %s %s\n", tn_ctl_text(device, "hw", hw),
		tn_ctl_text(device, "sw", sw));
	printf("data plane   ");
	tn_ctl_color(available ? TN_CTL_GREEN : TN_CTL_RED);
	printf("%s", available ? "connected" : "away");
	tn_ctl_color(TN_CTL_PLAIN);
	printf(" for %s\n", tn_ctl_age(seconds_since(tn_ctl_number(device, "lastUpdate")), age));
}

static int device_show(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	const json_t *device;
	json_t *answer;
	int code = tn_ctl_get(ctl, "/v1/devices", &answer);

	(void)words;
	if (code)
		return code;
	device = json_array_get(json_object_get(answer, "devices"), 0);
	if (ctl->options.json)
		tn_ctl_print_json(device);
	else
		print_device(device);
	json_decref(answer);
	return TN_CTL_OK;
}

static void print_step(const json_t *status)
{
	uint64_t pending = tn_ctl_number(status, "pending"),
		 failed = tn_ctl_number(status, "failed");
	bool connected = tn_ctl_flag(status, "connected");
	char age[32], version[32];

	printf("data plane   ");
	tn_ctl_color(connected ? TN_CTL_GREEN : TN_CTL_RED);
	printf("%s", connected ? "connected" : "away");
	tn_ctl_color(TN_CTL_PLAIN);
	printf(" for %s", tn_ctl_age(seconds_since(tn_ctl_number(status, "since")), age));
	if (connected)
		printf(", version %s", tn_ctl_text(status, "dataplaneVersion", version));
	printf("\nin step      ");
	tn_ctl_color(failed || !connected ? TN_CTL_RED : pending ? TN_CTL_YELLOW : TN_CTL_GREEN);
	if (connected && !failed && !pending)
		printf("yes");
	else
		printf("no: %" PRIu64 " pending, %" PRIu64 " failed", pending, failed);
	tn_ctl_color(TN_CTL_PLAIN);
	putchar('\n');
}

static void print_workers(const json_t *status)
{
	const json_t *worker;
	size_t i;

	json_array_foreach(json_object_get(status, "workers"), i, worker)
	{
		char core[32], sessions[32], number[32];

		printf("worker %-5s core %s, sessions %s, hits %" PRIu64 ", misses %" PRIu64 "\n",
			tn_ctl_text(worker, "worker", number), tn_ctl_text(worker, "core", core),
			tn_ctl_text(worker, "sessions", sessions), tn_ctl_number(worker, "hits"),
			tn_ctl_number(worker, "misses"));
	}
}

static void print_you(const json_t *you)
{
	char name[32], role[32], tenant[32];

	printf("you          ");
	tn_ctl_print_clean(stdout, tn_ctl_text(you, "name", name));
	printf(", %s", tn_ctl_text(you, "role", role));
	if (json_object_get(you, "tenant")) {
		printf(" of tenant ");
		tn_ctl_print_clean(stdout, tn_ctl_text(you, "tenant", tenant));
	}
	putchar('\n');
}

static void print_status(const json_t *status)
{
	json_t *objects = json_object_get(status, "objects"), *n;
	const char *kind, *comma = "";
	char id[32], age[32], amount[32], watchers[32];

	printf("device       %s\n", tn_ctl_text(status, "deviceId", id));
	print_step(status);
	printf("objects      ");
	json_object_foreach(objects, kind, n)
	{
		printf("%s%" JSON_INTEGER_FORMAT " %s", comma, json_integer_value(n), kind);
		comma = ", ";
	}
	printf("\ntenond       up for %s",
		tn_ctl_age(seconds_since(tn_ctl_number(status, "started")), age));
	/* What is of all tenants a tenant is not told. */
	if (json_object_get(status, "memoryBytes"))
		printf(", %s bytes of objects, %s watching",
			tn_ctl_amount((double)tn_ctl_number(status, "memoryBytes"), amount),
			tn_ctl_text(status, "watchers", watchers));
	putchar('\n');
	print_workers(status);
	print_you(json_object_get(status, "you"));
}

/* Not in step is not done; a data plane that is away is unreachable. */
static int code_of(const json_t *status)
{
	if (!tn_ctl_flag(status, "connected"))
		return TN_CTL_UNREACHABLE;
	return tn_ctl_number(status, "pending") || tn_ctl_number(status, "failed") ? TN_CTL_REFUSED
										   : TN_CTL_OK;
}

static int status(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	json_t *answer;
	int code = tn_ctl_get(ctl, "/v1/status", &answer);

	(void)words;
	if (code)
		return code;
	if (ctl->options.json)
		tn_ctl_print_json(answer);
	else
		print_status(answer);
	code = code_of(answer);
	json_decref(answer);
	return code;
}

/* --- lists as tables -------------------------------------------------------------------------- */

/* Asks, and prints JSON or what print() makes of it. */
static int show(struct tn_ctl *ctl, const char *path,
	void (*print)(struct tn_ctl *ctl, const json_t *answer))
{
	json_t *answer;
	int code = ctl->options.json ? TN_CTL_OK : tn_ctl_learn_device(ctl);

	if (!code)
		code = tn_ctl_get(ctl, path, &answer);
	if (code)
		return code;
	if (ctl->options.json)
		tn_ctl_print_json(answer);
	else
		print(ctl, answer);
	json_decref(answer);
	return TN_CTL_OK;
}

static void add_number(struct tn_ctl_table *t, const json_t *object, const char *key)
{
	tn_ctl_table_add(t, "%" PRIu64, tn_ctl_number(object, key));
}

static void add_text(struct tn_ctl_table *t, const json_t *object, const char *key)
{
	char buf[32];

	tn_ctl_table_add(t, "%s", tn_ctl_text(object, key, buf));
}

/* NULL: it is not in the list. */
static const json_t *table_of(const json_t *answer, unsigned id)
{
	const json_t *table;
	size_t i;

	json_array_foreach(json_object_get(answer, "tables"), i,
		table) if (tn_ctl_number(table, "tableId") == id) return table;
	return NULL;
}

static void print_tables(struct tn_ctl *ctl, const json_t *answer)
{
	static const char *const heads[] = {"TABLE>", "NAME", "FLOWS>", "MAX>", "LOOKUPS>",
		"MATCHES>", "BYTES>", "FOUND BY", NULL};
	const json_t *table;
	struct tn_ctl_table t;
	char amount[32];

	(void)ctl;
	tn_ctl_table_init(&t, heads);
	for (unsigned id = 0; id <= TN_TABLE_MAX; id++) {
		table = table_of(answer, id);
		if (!table)
			continue;
		add_number(&t, table, "tableId");
		add_text(&t, table, "name");
		add_number(&t, table, "activeEntries");
		add_number(&t, table, "maxEntries");
		add_number(&t, table, "packetsLookedUp");
		add_number(&t, table, "packetsMatched");
		tn_ctl_table_add(&t, "%s",
			tn_ctl_amount((double)tn_ctl_number(table, "memoryBytes"), amount));
		add_text(&t, table, "lookup");
	}
	tn_ctl_table_print(&t);
}

static int table_list(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	(void)words;
	return show(ctl, "/v1/tables", print_tables);
}

static int table_features(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	json_t *answer;
	char *path;
	int code = tn_ctl_learn_device(ctl), table = 0;

	if (code)
		return code;
	if (words->n)
		table = tn_ctl_table_number(ctl, words->word[0]);
	if (table < 0)
		return TN_CTL_REFUSED;
	path = words->n ? tn_ctl_path("/v1/tables/%d/features", table)
			: tn_ctl_path("/v1/tables/features");
	code = tn_ctl_get(ctl, path, &answer);
	free(path);
	if (!code)
		tn_ctl_print_json(answer);
	json_decref(answer);
	return code;
}

/* --- table mod -------------------------------------------------------------------------------- */

static bool set_vacancy(json_t *table, const char *value)
{
	unsigned low, high;
	int n = 0;

	if (value[strspn(value, "0123456789,")] ||
		sscanf(value, "%3u,%3u%n", &low, &high, &n) != 2 || value[n]) {
		tn_ctl_say("vacancy:%s: give vacancy:LOW,HIGH in percent", value);
		return false;
	}
	json_object_set_new(table, "vacancyDown", json_integer(low));
	json_object_set_new(table, "vacancyUp", json_integer(high));
	return true;
}

static bool set_max_entries(json_t *table, const char *value)
{
	size_t n = strlen(value);

	if (!n || n > 10 || value[strspn(value, "0123456789")]) {
		tn_ctl_say("max_entries=%s: give a number of flows", value);
		return false;
	}
	json_object_set_new(table, "maxEntries", json_integer(strtoll(value, NULL, 10)));
	return true;
}

static void say_no_setting(const char *word)
{
	static const char *const words[] = {
		"name=", "max_entries=", "evict", "noevict", "vacancy:", "novacancy", NULL};
	const char *end = strpbrk(word, "=:"), *near;
	char *key = strndup(word, end ? (size_t)(end - word) + 1 : strlen(word));

	if (!key)
		abort();
	near = tn_ctl_nearest(key, words);
	if (near)
		tn_ctl_say("a table has no setting \"%s\"; did you mean \"%s\"?", word, near);
	else
		tn_ctl_say("a table has no setting \"%s\": give name=NAME, max_entries=N, evict, "
			   "noevict, vacancy:LOW,HIGH or novacancy",
			word);
	free(key);
}

/* A setting as ovs-ofctl mod-table has it, and name= and max_entries=. */
static bool set_table(json_t *table, const char *word)
{
	if (strncmp(word, "name=", 5) == 0)
		json_object_set_new(table, "name", json_string(word + 5));
	else if (strncmp(word, "max_entries=", 12) == 0)
		return set_max_entries(table, word + 12);
	else if (strcmp(word, "evict") == 0)
		json_object_set_new(table, "eviction", json_true());
	else if (strcmp(word, "noevict") == 0)
		json_object_del(table, "eviction");
	else if (strncmp(word, "vacancy:", 8) == 0)
		return set_vacancy(table, word + 8);
	else if (strcmp(word, "novacancy") == 0) {
		json_object_del(table, "vacancyDown");
		json_object_del(table, "vacancyUp");
	} else {
		say_no_setting(word);
		return false;
	}
	return true;
}

/* What a table is set to, without what is counted. */
static json_t *settings_of(const json_t *table)
{
	static const char *const keys[] = {
		"tableId", "name", "maxEntries", "eviction", "vacancyDown", "vacancyUp"};
	json_t *settings = json_object(), *value;

	for (size_t i = 0; i < TN_ARRAY_SIZE(keys); i++) {
		value = json_object_get(table, keys[i]);
		if (value)
			json_object_set(settings, keys[i], value);
	}
	return settings;
}

static int put_table(struct tn_ctl *ctl, int table, const struct tn_ctl_words *words)
{
	char *path = tn_ctl_path("/v1/tables/%d", table);
	json_t *now, *settings, *answer = NULL;
	int code = tn_ctl_get(ctl, path, &now);

	settings = settings_of(now);
	for (int i = 1; !code && i < words->n; i++)
		if (!set_table(settings, words->word[i]))
			code = TN_CTL_USAGE;
	path = tn_ctl_manner(ctl, path);
	if (!code)
		code = tn_ctl_send(ctl, "PUT", path, settings, &answer);
	if (!code)
		tn_ctl_tell(ctl, answer, NULL);
	json_decref(answer);
	json_decref(settings);
	json_decref(now);
	free(path);
	return code;
}

static int table_mod(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	int code = tn_ctl_learn_device(ctl), table;

	if (code)
		return code;
	table = tn_ctl_table_number(ctl, words->word[0]);
	return table < 0 ? TN_CTL_REFUSED : put_table(ctl, table, words);
}

/* --- stats ------------------------------------------------------------------------------------ */

static void add_port(struct tn_ctl *ctl, struct tn_ctl_table *t, uint64_t number)
{
	const char *name = tn_names_port_name(ctl->names, (uint32_t)number);

	tn_ctl_table_add(t, "%" PRIu64, number);
	tn_ctl_table_add(t, "%s", name ? name : "-");
}

static void add_alarm(struct tn_ctl_table *t, const json_t *object, const char *key)
{
	uint64_t n = tn_ctl_number(object, key);
	char buf[32];

	snprintf(buf, sizeof(buf), "%" PRIu64, n);
	tn_ctl_table_paint(t, n ? TN_CTL_YELLOW : TN_CTL_PLAIN, buf);
}

static void print_port_stats(struct tn_ctl *ctl, const json_t *answer)
{
	static const char *const heads[] = {"PORT>", "NAME", "RX PACKETS>", "RX BYTES>",
		"RX DROPS>", "ERRORS>", "TX PACKETS>", "TX BYTES>", "TX DROPS>", "ERRORS>", NULL};
	static const char *const keys[] = {"packetsReceived", "bytesReceived", "packetsRxDropped",
		"packetsRxErrors", "packetsSent", "bytesSent", "packetsTxDropped",
		"packetsTxErrors"};
	const json_t *device = json_array_get(json_object_get(answer, "statistics"), 0), *port;
	struct tn_ctl_table t;
	size_t i;

	tn_ctl_table_init(&t, heads);
	json_array_foreach(json_object_get(device, "ports"), i, port)
	{
		add_port(ctl, &t, tn_ctl_number(port, "port"));
		for (size_t k = 0; k < TN_ARRAY_SIZE(keys); k++) {
			if (strstr(keys[k], "Dropped") || strstr(keys[k], "Errors"))
				add_alarm(&t, port, keys[k]);
			else
				add_number(&t, port, keys[k]);
		}
	}
	tn_ctl_table_print(&t);
}

static int stats_ports(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	(void)words;
	return show(ctl, "/v1/statistics/ports", print_port_stats);
}

static void print_network_drops(struct tn_ctl *ctl, const json_t *answer)
{
	static const char *const heads[] = {
		"NETWORK>", "ID", "PACKETS>", "REASON", "MEANING", NULL};
	const json_t *device = json_array_get(json_object_get(answer, "statistics"), 0), *network;
	struct tn_ctl_table t;
	size_t i;

	(void)ctl;
	tn_ctl_table_init(&t, heads);
	json_array_foreach(json_object_get(device, "networks"), i, network)
	{
		json_t *drops = json_object_get(network, "dropped"), *n;
		const char *reason;

		json_object_foreach(drops, reason, n)
		{
			add_text(&t, network, "network");
			add_text(&t, network, "network_id");
			add_number(&t, drops, reason);
			tn_ctl_table_add(&t, "%s", reason);
			tn_ctl_table_add(&t, "%s", tn_ctl_drop_text(reason));
		}
	}
	tn_ctl_table_print(&t);
}

static int stats_networks(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	(void)words;
	return show(ctl, "/v1/statistics/networks", print_network_drops);
}

static void print_table_stats(struct tn_ctl *ctl, const json_t *answer)
{
	static const char *const heads[] = {
		"TABLE>", "NAME", "FLOWS>", "LOOKUPS>", "MATCHES>", "MISSES>", NULL};
	const json_t *device = json_array_get(json_object_get(answer, "statistics"), 0), *table;
	struct tn_ctl_table t;
	size_t i;

	tn_ctl_table_init(&t, heads);
	json_array_foreach(json_object_get(device, "table"), i, table)
	{
		uint64_t id = tn_ctl_number(table, "tableId");
		uint64_t lookups = tn_ctl_number(table, "packetsLookedUp");
		uint64_t matches = tn_ctl_number(table, "packetsMatched");
		const char *name = tn_names_table_name(ctl->names, (uint8_t)id);

		tn_ctl_table_add(&t, "%" PRIu64, id);
		tn_ctl_table_add(&t, "%s", name ? name : "-");
		add_number(&t, table, "activeEntries");
		tn_ctl_table_add(&t, "%" PRIu64, lookups);
		tn_ctl_table_add(&t, "%" PRIu64, matches);
		tn_ctl_table_add(&t, "%" PRIu64, lookups > matches ? lookups - matches : 0);
	}
	tn_ctl_table_print(&t);
}

static int stats_tables(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	(void)words;
	return show(ctl, "/v1/statistics/flows/tables", print_table_stats);
}

static void print_drops(struct tn_ctl *ctl, const json_t *answer)
{
	static const char *const heads[] = {"PORT>", "NAME", "PACKETS>", "REASON", "MEANING", NULL};
	const json_t *port;
	struct tn_ctl_table t;
	size_t i;

	tn_ctl_table_init(&t, heads);
	json_array_foreach(json_object_get(answer, "ports"), i, port)
	{
		json_t *drops = json_object_get(port, "dropped"), *n;
		const char *reason;

		json_object_foreach(drops, reason, n)
		{
			add_port(ctl, &t, tn_ctl_number(port, "number"));
			add_number(&t, drops, reason);
			tn_ctl_table_paint(&t, TN_CTL_YELLOW, reason);
			tn_ctl_table_add(&t, "%s", tn_ctl_drop_text(reason));
		}
	}
	tn_ctl_table_print(&t);
}

static int stats_drops(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	(void)words;
	return show(ctl, "/v1/ports?kind=switch", print_drops);
}

static void print_group_stats(struct tn_ctl *ctl, const json_t *answer)
{
	static const char *const heads[] = {
		"GROUP>", "TYPE", "BUCKET>", "WEIGHT>", "PACKETS>", "BYTES>", "FLOWS>", NULL};
	const json_t *group, *bucket;
	struct tn_ctl_table t;
	size_t i, k;

	(void)ctl;
	tn_ctl_table_init(&t, heads);
	json_array_foreach(json_object_get(answer, "groups"), i, group)
	{
		add_text(&t, group, "id");
		add_text(&t, group, "type");
		tn_ctl_table_add(&t, "all");
		tn_ctl_table_add(&t, "-");
		add_number(&t, group, "packets");
		add_number(&t, group, "bytes");
		add_number(&t, group, "referenceCount");
		json_array_foreach(json_object_get(group, "buckets"), k, bucket)
		{
			bool select =
				strcmp(tn_ctl_text(bucket, "type", (char[32]){0}), "SELECT") == 0;

			tn_ctl_table_add(&t, "%s", "");
			tn_ctl_table_add(&t, "%s", "");
			add_text(&t, bucket, "bucketId");
			tn_ctl_table_add(&t, "%s",
				select ? tn_ctl_text(bucket, "weight", (char[32]){0}) : "-");
			add_number(&t, bucket, "packets");
			add_number(&t, bucket, "bytes");
			tn_ctl_table_add(&t, "%s", "");
		}
	}
	tn_ctl_table_print(&t);
}

static int stats_groups(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	(void)words;
	return show(ctl, "/v1/groups", print_group_stats);
}

static int stats_reset(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	json_t *answer = NULL;
	int code = tn_ctl_send(ctl, "POST", "/v1/stats/reset", NULL, &answer);

	(void)words;
	json_decref(answer);
	return code;
}

static void print_meter_stats(struct tn_ctl *ctl, const json_t *answer)
{
	static const char *const heads[] = {
		"METER>", "BAND", "RATE>", "BURST>", "PACKETS>", "BYTES>", "FLOWS>", NULL};
	const json_t *meter, *band;
	struct tn_ctl_table t;
	size_t i, k;

	(void)ctl;
	tn_ctl_table_init(&t, heads);
	json_array_foreach(json_object_get(answer, "meters"), i, meter)
	{
		char unit[32];
		bool packets = strcmp(tn_ctl_text(meter, "unit", unit), "PKTS_PER_SEC") == 0;

		add_text(&t, meter, "id");
		tn_ctl_table_add(&t, "all");
		tn_ctl_table_add(&t, "-");
		tn_ctl_table_add(&t, "-");
		add_number(&t, meter, "packets");
		add_number(&t, meter, "bytes");
		add_number(&t, meter, "referenceCount");
		json_array_foreach(json_object_get(meter, "bands"), k, band)
		{
			tn_ctl_table_add(&t, "%s", "");
			add_text(&t, band, "type");
			tn_ctl_table_add(&t, "%" PRIu64 " %s", tn_ctl_number(band, "rate"),
				packets ? "packet/s" : "kbit/s");
			add_text(&t, band, "burstSize");
			add_number(&t, band, "packets");
			add_number(&t, band, "bytes");
			tn_ctl_table_add(&t, "%s", "");
		}
	}
	tn_ctl_table_print(&t);
}

static int stats_meters(struct tn_ctl *ctl, const struct tn_ctl_words *words)
{
	(void)words;
	return show(ctl, "/v1/meters", print_meter_stats);
}

/* --- the table -------------------------------------------------------------------------------- */

const struct tn_ctl_command tn_ctl_device_commands[] = {
	{"status", NULL, "", "is the daemon there, and in step with the data plane?",
		"Exit status 0: it is; 1: something is pending or failed; 4: no daemon, or no data plane.",
		"tenonctl status\ntenonctl --json status", status, 0, 0, 0, TN_CTL_WORD_NONE,
		false},
	{"device", "show", "", "which switch it is", NULL, "tenonctl device show", device_show, 0,
		0, 0, TN_CTL_WORD_NONE, true},
	{"table", "list", "", "flow tables, how full they are and how they are looked up",
		"Tables that have flows or settings; there are 255.", "tenonctl table list",
		table_list, 0, 0, 0, TN_CTL_WORD_NONE, true},
	{"table", "mod", "TABLE SETTING...", "change settings of a table",
		"name=NAME, max_entries=N, evict, noevict, vacancy:LOW,HIGH, novacancy.",
		"tenonctl table mod 1 name=policy\n"
		"tenonctl table mod policy max_entries=1000 evict",
		table_mod, TN_CTL_O(TN_CTL_DRY_RUN) | TN_CTL_O(TN_CTL_NO_WAIT), 2, -1,
		TN_CTL_WORD_TABLE_SETTING, false},
	{"table", "features", "[TABLE]", "what tables can match and do, as JSON", NULL,
		"tenonctl table features\ntenonctl table features policy", table_features, 0, 0, 1,
		TN_CTL_WORD_TABLE, false},
	{"stats", "ports", "", "counters of ports", NULL, "tenonctl stats ports", stats_ports, 0, 0,
		0, TN_CTL_WORD_NONE, true},
	{"stats", "drops", "", "what was dropped, by port and reason", NULL, "tenonctl stats drops",
		stats_drops, 0, 0, 0, TN_CTL_WORD_NONE, false},
	{"stats", "networks", "", "what was dropped, by network and reason",
		"A network is the tunnel id that a packet had when it ended: its VNI. Packets of none are\n"
		"those that no flow had given one yet, and what a full queue of a port did not take.",
		"tenonctl stats networks", stats_networks, 0, 0, 0, TN_CTL_WORD_NONE, false},
	{"stats", "tables", "", "lookups and matches of tables", NULL, "tenonctl stats tables",
		stats_tables, 0, 0, 0, TN_CTL_WORD_NONE, false},
	{"stats", "groups", "", "counters of groups and their buckets", NULL,
		"tenonctl stats groups", stats_groups, 0, 0, 0, TN_CTL_WORD_NONE, false},
	{"stats", "meters", "", "counters of meters and their bands", NULL, "tenonctl stats meters",
		stats_meters, 0, 0, 0, TN_CTL_WORD_NONE, false},
	{"stats", "reset", "", "lets all counters count from 0 again",
		"They do so in what tenond shows; the switch counts on.", "tenonctl stats reset",
		stats_reset, 0, 0, 0, TN_CTL_WORD_NONE, false},
	{0},
};
