/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/replay/progress.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tools/replay/text.h"

#define NS_PER_S    1000000000ull
#define REDRAW_NS   (NS_PER_S / 5)
#define BAR_COLUMNS 30

/* The machine's clock: only for what a person sees, never for what the switch does. */
static uint64_t machine_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

void tn_progress_init(struct tn_progress *p, bool wanted)
{
	*p = (struct tn_progress){.terminal = isatty(STDERR_FILENO)};
	p->on = wanted || p->terminal;
	p->started_ns = machine_ns();
	p->next_ns = p->started_ns + REDRAW_NS;
}

static void draw_bar(double part, uint64_t packets, double seconds)
{
	char bar[BAR_COLUMNS + 1], number[TN_NUMBER_TEXT];
	int full = part < 0 ? 0 : (int)(part * BAR_COLUMNS);
	double left = part > 0.01 ? seconds / part * (1 - part) : 0;

	memset(bar, '.', BAR_COLUMNS);
	memset(bar, '#', (size_t)(full > BAR_COLUMNS ? BAR_COLUMNS : full));
	bar[BAR_COLUMNS] = 0;
	tn_text_number(number, packets);
	if (part < 0)
		fprintf(stderr, "\r%s packets, %.2f M/s\033[K", number,
			(double)packets / seconds / 1e6);
	else
		fprintf(stderr, "\r[%s] %3.0f %%  %s packets, %.2f M/s, %.0f s left\033[K", bar,
			part * 100, number, (double)packets / seconds / 1e6, left);
	fflush(stderr);
}

static void print_step(struct tn_progress *p, double part, uint64_t packets)
{
	char number[TN_NUMBER_TEXT];
	unsigned step = part < 0 ? p->step + 1 : (unsigned)(part * 10);

	if (step == p->step)
		return;
	p->step = step;
	tn_text_number(number, packets);
	if (part < 0)
		fprintf(stderr, "tenon-replay: %s packets\n", number);
	else
		fprintf(stderr, "tenon-replay: %u %%, %s packets\n", step * 10, number);
}

void tn_progress_update(struct tn_progress *p, double part, uint64_t packets)
{
	uint64_t now;

	if (!p->on)
		return;
	now = machine_ns();
	if (now < p->next_ns)
		return;
	p->next_ns = now + (p->terminal || part >= 0 ? REDRAW_NS : 10 * NS_PER_S);
	if (p->terminal) {
		draw_bar(part, packets, (double)(now - p->started_ns) / 1e9);
		p->drawn = true;
	} else {
		print_step(p, part, packets);
	}
}

void tn_progress_clear(struct tn_progress *p)
{
	if (p->drawn)
		fputs("\r\033[K", stderr);
	p->drawn = false;
}

double tn_progress_seconds(const struct tn_progress *p)
{
	return (double)(machine_ns() - p->started_ns) / 1e9;
}
