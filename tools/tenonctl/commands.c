/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/tenonctl/commands.h"

#include <string.h>
#include <strings.h>

/* In the order of the help. Tables of one noun may follow one another. */
static const struct {
	const char *title;
	const struct tn_ctl_command *table;
} rooms[] = {
	{"Flows", tn_ctl_flow_commands},
	{"Groups and meters", tn_ctl_group_commands},
	{"Ports", tn_ctl_port_commands},
	{"Networks of tenants", tn_ctl_network_commands},
	{"The switch", tn_ctl_device_commands},
	{"Packets", tn_ctl_look_commands},
	{"Many things at once", tn_ctl_whole_commands},
};

const struct tn_ctl_command *tn_ctl_command_next(
	const struct tn_ctl_command *after, const char **title)
{
	const char *ignored;
	size_t room = 0;

	if (!title)
		title = &ignored;
	*title = NULL;
	if (after && after[1].fn)
		return after + 1;
	while (after && room < TN_ARRAY_SIZE(rooms)) {
		const struct tn_ctl_command *c = rooms[room++].table;

		while (c->fn && c != after)
			c++;
		if (c == after)
			break;
	}
	if (room == TN_ARRAY_SIZE(rooms))
		return NULL;
	*title = rooms[room].title;
	return rooms[room].table;
}

bool tn_ctl_is_noun(const char *word)
{
	const struct tn_ctl_command *c = NULL;

	while ((c = tn_ctl_command_next(c, NULL)))
		if (strcmp(c->noun, word) == 0)
			return true;
	return false;
}

const struct tn_ctl_command *tn_ctl_command_find(const char *noun, const char *verb)
{
	const struct tn_ctl_command *c = NULL, *standard = NULL;

	while ((c = tn_ctl_command_next(c, NULL))) {
		if (strcmp(c->noun, noun) != 0)
			continue;
		if (verb && c->verb && strcmp(c->verb, verb) == 0)
			return c;
		if (!c->verb || (c->standard && !verb))
			standard = c;
	}
	return standard;
}

/* Half an edit less for a beginning of the word, which is what is typed in a hurry. */
static unsigned distance(const char *word, const char *candidate)
{
	size_t n = strlen(word);

	if (n >= 2 && strncasecmp(word, candidate, n) == 0)
		return 1;
	return tn_names_distance(word, candidate, 2);
}

const char *tn_ctl_command_nearest(const char *word, const char *noun)
{
	const struct tn_ctl_command *c = NULL;
	const char *best = NULL;
	unsigned least =
		strlen(word) > 3 ? 5 : 3; /* two edits may make any short word of another */

	while ((c = tn_ctl_command_next(c, NULL))) {
		const char *candidate = noun ? c->verb : c->noun;
		unsigned d;

		if (!candidate || (noun && strcmp(c->noun, noun) != 0))
			continue;
		d = distance(word, candidate);
		if (d < least) {
			least = d;
			best = candidate;
		}
	}
	return best;
}
