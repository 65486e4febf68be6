/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/agent/check_state.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "dataplane/agent/options.h"
#include "dataplane/agent/recover.h"

static void say(void *ctx, const char *sentence)
{
	(void)ctx;
	puts(sentence);
}

static void count_group(void *ctx, const struct tn_group_info *g)
{
	(void)g;
	++*(unsigned *)ctx;
}

static void count_meter(void *ctx, const struct tn_meter *m, uint32_t reference_count)
{
	(void)m;
	(void)reference_count;
	++*(unsigned *)ctx;
}

static void print_time(uint64_t ns)
{
	time_t seconds = (time_t)(ns / 1000000000u);
	struct tm tm;
	char text[64];

	if (!ns || !gmtime_r(&seconds, &tm) ||
		!strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &tm))
		return;
	printf("last change: %s\n", text);
}

static void print(const struct tn_state *s, const struct tn_recovery *r)
{
	unsigned groups = 0, meters = 0;

	if (!r->found) {
		puts("no change is kept here");
		return;
	}
	/* Without memory for a list its number is 0. */
	(void)!tn_switch_groups(s->sw, count_group, &groups);
	(void)!tn_switch_meters(s->sw, count_meter, &meters);
	printf("switch 0x%" PRIx64 ": %u flows, %u groups, %u meters, %zu ports%s\n", r->dpid,
		tn_switch_flow_count(s->sw), groups, meters, s->n_ports,
		s->underlay.len ? ", an underlay" : "");
	print_time(s->last_change_ns);
	printf("snapshot: %" PRIu64 " bytes; journals after it: %" PRIu64
	       " bytes, up to record %" PRIu64 "\n",
		r->snapshot_bytes, r->journal_bytes, r->sequence);
}

static int check(struct tn_disk *disk, struct tn_switch *sw)
{
	struct tn_recovery r = {.say = say, .until = TN_STATE_GENERATION_MAX};
	struct tn_error err;
	struct tn_state s;
	int rc;

	tn_state_init(&s, sw, UINT64_MAX);
	tn_switch_replay_begin(sw, 0);
	rc = tn_recover(disk, &s, &r, &err);
	if (rc)
		tn_agent_say("%s", err.detail);
	else
		print(&s, &r);
	if (!rc && !r.n_bad)
		puts("whole");
	else
		rc = -1;
	tn_recovery_fini(&r);
	tn_state_fini(&s);
	return rc;
}

/* Flows have ids that depend on the switch: what the files say of it is known before they are read.
 */
static uint64_t dpid_of(struct tn_disk *disk)
{
	struct tn_recovery r = {.until = TN_STATE_GENERATION_MAX};
	struct tn_error err;
	struct tn_state s;

	tn_state_init(&s, NULL, UINT64_MAX);
	(void)!tn_recover(disk, &s, &r, &err);
	tn_recovery_fini(&r);
	tn_state_fini(&s);
	return r.dpid;
}

int tn_check_state(const char *state_dir)
{
	struct tn_disk *disk = tn_disk_open(state_dir);
	struct tn_switch *sw;
	int rc = -1;

	if (!disk) {
		tn_agent_say("%s: cannot be opened: %s", state_dir, strerror(errno));
		return -1;
	}
	sw = tn_switch_new(dpid_of(disk));
	if (sw)
		rc = check(disk, sw);
	else
		tn_agent_say("out of memory");
	tn_switch_free(sw);
	tn_disk_free(disk);
	return rc;
}
