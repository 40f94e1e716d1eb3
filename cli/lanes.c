// SPDX-License-Identifier: GPL-2.0
/*
 * A counterexample as lanes: whose column each piece of text belongs to, for
 * the drawing in text and the one in SVG.
 *
 * What an event changed is shown where it changed: a CPU's TLB in that CPU's
 * lane, what the host holds in the host's, everything else with the actor.
 */
#include "cli.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>

/* "CPU1 TLB + page 0" is CPU1's, "host holds page 0" the host's. */
static unsigned int change_lane(const struct lanes *l, unsigned int actor,
				const char **line, size_t *len)
{
	unsigned int lane = actor, skip = 0;

	if (*len > 5 && !strncmp(*line, "CPU", 3) && (*line)[4] == ' ' &&
	    (unsigned int)((*line)[3] - '0') + 1 < l->n) {
		lane = (unsigned int)((*line)[3] - '0');
		skip = 5;
	} else if (*len > 5 && !strncmp(*line, "host ", 5)) {
		lane = l->n - 1;
		skip = 5;
	}
	*line += skip;
	*len -= skip;
	return lane;
}

static void add_changes(const struct lanes *l, struct lane_row *r,
			const char *change)
{
	while (*change) {
		size_t len = strcspn(change, "\n"), rest = len;
		const char *line = change;
		unsigned int lane = change_lane(l, r->actor, &line, &rest);

		lanes_put(r, lane, "  ", line, rest);
		r->to_host |= lane == l->n - 1 && r->actor != lane;
		change += len + (change[len] == '\n');
	}
}

static bool begins(const char *text, const char *word)
{
	return !strncmp(text, word, strlen(word));
}

static bool calls_host(const char *text)
{
	return begins(text, "VMGEXIT") || begins(text, "MapGPA") ||
		begins(text, "hypercall");
}

/* Where it happens: of Linux's order the function of Linux's that does it. */
static void add_place(struct lane_row *r, const struct question *q,
		      const struct lab_event *e, unsigned int *step)
{
	const char *f = e->actor < 0 ? NULL : linux_function(q, e, step);
	char at[96];

	if (f)
		snprintf(at, sizeof(at), "in %s", f);
	else if (e->file)
		snprintf(at, sizeof(at), "at %s:%d", e->file, e->line);
	else
		return;
	lanes_put(r, r->actor, "  ", at, strlen(at));
}

static void fill_row(const struct lanes *l, struct lane_row *r,
		     const struct question *q, const struct lab_event *e,
		     unsigned int *step)
{
	unsigned int from;

	r->actor = e->actor >= 0 && (unsigned int)e->actor + 1 < l->n ?
		(unsigned int)e->actor : l->n - 1;
	r->bad = e->bad != LAB_BAD_NONE;
	r->from = -1;
	lanes_put(r, r->actor, "", e->text, strlen(e->text));
	add_place(r, q, e, &step[r->actor]);
	if (sscanf(e->text, "flush IPI from CPU%u", &from) == 1 &&
	    from + 1 < l->n)
		r->from = (int)from;
	r->to_host = r->actor + 1 < l->n && calls_host(e->text);
	add_changes(l, r, e->change);
}

_Static_assert(LANES > LAB_MAX_CPUS, "a lane for each CPU, one for the host");

struct lanes *lanes_new(const struct question *q, const struct answer *a)
{
	struct lanes *l = lanes_empty(q->cfg.cpus, a->v.nevents);
	unsigned int step[LANES] = { 0 };

	for (size_t i = 0; i < l->nrows; i++)
		fill_row(l, &l->row[i], q, &a->v.event[i], step);
	return l;
}
