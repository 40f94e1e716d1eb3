// SPDX-License-Identifier: GPL-2.0
/* A counterexample in 80 columns of ASCII, to be pasted into a mail. */
#include "cli.h"

#include <stdlib.h>
#include <string.h>

static void print_long(FILE *to, const char *label, char *text)
{
	print_wrapped(to, label, CLI_LABEL, text);
	free(text);
}

static char *stats_text(const struct answer *a)
{
	const struct explore_stats *s = &a->v.stats;
	char *p;

	if (asprintf(&p, "%lu states, %lu transitions, depth %u, %.1f s",
		     (unsigned long)s->states, (unsigned long)s->transitions,
		     s->depth, a->seconds) < 0)
		abort();
	return p;
}

/* A few states sound like a toy: what they stand for. */
static char *judged_text(const struct question *q, const struct answer *a)
{
	const struct lab_verdict *v = &a->v;
	char *p, states[80] = "";

	if (v->plain_states)
		snprintf(states, sizeof(states), "; without reduction these "
			 "are %s%lu states", v->plain_more ? "more than " : "",
			 (unsigned long)v->plain_states);
	else if (a->kind == ANSWER_SAFE && q->cfg.reduce)
		snprintf(states, sizeof(states), "; the states without "
			 "reduction were not counted");
	if (asprintf(&p, "%lu accesses, each by one translation that a CPU "
		     "could use for a page%s", (unsigned long)v->accesses,
		     states) < 0)
		abort();
	return p;
}

void render_heading(FILE *to, const struct question *q,
		    const struct answer *a)
{
	char *steps = order_text(&q->cfg.order, true), *order;

	if (asprintf(&order, "%s: %s", q->order, steps) < 0)
		abort();
	free(steps);
	print_long(to, "order", order);
	fprintf(to, "platform  %s, to %s\n", platform_name(q->cfg.platform),
		to_name(q->cfg.to));
	print_long(to, "explored", question_bounds(q));
	print_wrapped(to, "", CLI_LABEL, "not modelled: see docs/lab.md");
	if (!a)
		return;
	print_long(to, "size", stats_text(a));
	print_long(to, "judged", judged_text(q, a));
}

static const char *shortest_text(const struct answer *a)
{
	return a->v.shortest ? "shortest: no run with fewer steps goes wrong" :
		"shortest among the runs that the reduction leaves";
}

static void draw_end(FILE *to, const struct question *q,
		     const struct answer *a, bool colour)
{
	const struct lab_event *last = a->v.nevents ?
		&a->v.event[a->v.nevents - 1] : NULL;
	char *command = question_command(q), *text;

	if (asprintf(&text, "step %zu: %s.", a->v.nevents,
		     answer_sentence(a)) < 0)
		abort();
	fputs(RED(colour), to);
	print_wrapped(to, "=>", 3, text);
	fputs(PLAIN(colour), to);
	if (last && last->because[0]) {
		free(text);
		if (asprintf(&text, "because %s.", last->because) < 0)
			abort();
		print_wrapped(to, "", 3, text);
	}
	print_command(to, command);
	free(command);
	free(text);
}

void render(FILE *to, const struct question *q, const struct answer *a,
	    bool colour)
{
	struct lanes *l = lanes_new(q, a);

	fprintf(to, "%sUNSAFE%s: %s: %s\n\n", RED(colour), PLAIN(colour),
		answer_why(a), lab_bad_sentence(a->v.bad));
	render_heading(to, q, NULL);
	print_wrapped(to, "steps", CLI_LABEL, shortest_text(a));
	fputc('\n', to);
	render_lanes(to, l);
	fputc('\n', to);
	draw_end(to, q, a, colour);
	lanes_free(l);
}
