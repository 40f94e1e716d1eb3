// SPDX-License-Identifier: GPL-2.0
/*
 * What a guest says on its console, by lines, and what the machine met, with
 * the names of functions that the guest told.
 */
#include <err.h>
#include <stdio.h>
#include <string.h>

#include "linux.h"

#define MAX_BAD		4		/* violations that are shown */
#define FAR		0x400		/* no function of these is longer */

static void console_line(struct said *s)
{
	s->line[s->used] = 0;
	s->used = 0;
	if (s->verbose)
		printf("%s\n", s->line);
	s->hear(s->context, s->line);
}

static void console(void *context, const char *bytes, size_t n)
{
	struct said *s = context;

	for (size_t i = 0; i < n; i++)
		if (bytes[i] == '\n')
			console_line(s);
		else if (bytes[i] != '\r' && s->used + 1 < sizeof(s->line))
			s->line[s->used++] = bytes[i];
}

static void machine(void *context, const char *line)
{
	const struct said *s = context;

	if (s->machine)
		s->machine(s->context, line);
	else if (s->verbose)
		warnx("%s", line);
}

static void violation(void *context, const struct launch_violation *v)
{
	const struct said *s = context;
	char text[400];

	if (!s->machine)
		machine(context, launch_violation_text(v, text, sizeof(text)));
}

void said_launch(struct said *s, const struct launch *l,
		 struct launch_result *result)
{
	struct launch_listener listener = {
		.context = s, .console = console, .violation = violation,
		.line = machine,
	};
	struct launch heard = *l;

	heard.listener = &listener;
	launch(&heard, result);
}

void said_symbol(struct said *s, const char *text)
{
	struct said_symbol *y = &s->symbol[s->symbols];

	y->what[0] = 0;
	if (s->symbols < SAID_SYMBOLS &&
	    sscanf(text, "%lx %63s %79[^\n]", &y->at, y->name, y->what) >= 2)
		s->symbols++;
}

static const struct said_symbol *who(const struct said *s, unsigned long rip)
{
	const struct said_symbol *best = NULL;

	for (unsigned int i = 0; i < s->symbols; i++) {
		const struct said_symbol *y = &s->symbol[i];

		if (rip >= y->at && rip - y->at < FAR &&
		    (!best || y->at > best->at))
			best = y;
	}
	return best;
}

static void print_bad(const struct said *s, const struct launch_violation *v)
{
	const struct said_symbol *y = who(s, v->rip);
	char state[LAUNCH_STATE_TEXT];

	printf("  CPU %d met a page that was %s: %s, page %lx\n", v->cpu,
	       launch_state_text(v->state, state), v->what, v->gpa >> 12);
	if (y)
		printf("    at %s+0x%lx%s%s\n", y->name, v->rip - y->at,
		       y->what[0] ? ": " : "", y->what);
	else
		printf("    at %lx\n", v->rip);
}

void said_print_bads(const struct said *s, const struct launch_result *m,
		     unsigned int of_devices)
{
	unsigned int shown = 0;

	for (unsigned int i = 0; i < m->violations &&
	     i < LAUNCH_MAX_VIOLATIONS && shown < MAX_BAD; i++)
		if (m->violation[i].cpu >= 0) {
			print_bad(s, &m->violation[i]);
			shown++;
		}
	if (m->violations > shown + of_devices)
		printf("  and %u more such accesses\n",
		       m->violations - shown - of_devices);
}
