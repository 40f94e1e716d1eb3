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

const char *lane_name(const struct lanes *l, unsigned int lane)
{
	static const char *const cpu[] = {
		"CPU0", "CPU1", "CPU2", "CPU3", "CPU4", "CPU5", "CPU6", "CPU7",
	};

	return lane + 1 == l->n ? "host" : cpu[lane & 7];
}

/* Lines of a cell are ASCII, whatever the text says: mails mangle the rest. */
static void append(char **cell, const char *indent, const char *text,
		   size_t len)
{
	size_t old = *cell ? strlen(*cell) : 0, n = strlen(indent);
	char *p = realloc(*cell, old + n + len + 2);

	if (!p)
		err(CLI_LIMIT, "out of memory");
	*cell = p;
	p += old;
	memcpy(p, indent, n);
	p += n;
	for (size_t i = 0; i < len; i++)
		*p++ = text[i] < ' ' || text[i] > '~' ? '?' : text[i];
	*p++ = '\n';
	*p = '\0';
}

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

		append(&r->cell[lane], "  ", line, rest);
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

static void fill_row(const struct lanes *l, struct lane_row *r,
		     const struct lab_event *e)
{
	unsigned int from;
	char at[96];

	r->actor = e->actor >= 0 && (unsigned int)e->actor + 1 < l->n ?
		(unsigned int)e->actor : l->n - 1;
	r->bad = e->bad != LAB_BAD_NONE;
	r->from = -1;
	append(&r->cell[r->actor], "", e->text, strlen(e->text));
	if (e->file) {
		snprintf(at, sizeof(at), "at %s:%d", e->file, e->line);
		append(&r->cell[r->actor], "  ", at, strlen(at));
	}
	if (sscanf(e->text, "flush IPI from CPU%u", &from) == 1 &&
	    from + 1 < l->n)
		r->from = (int)from;
	r->to_host = r->actor + 1 < l->n && calls_host(e->text);
	add_changes(l, r, e->change);
}

struct lanes *lanes_new(const struct question *q, const struct answer *a)
{
	struct lanes *l = calloc(1, sizeof(*l));

	if (!l)
		err(CLI_LIMIT, "out of memory");
	l->n = q->cfg.cpus + 1;
	l->nrows = a->v.nevents;
	l->row = calloc(l->nrows + 1, sizeof(*l->row));
	if (!l->row)
		err(CLI_LIMIT, "out of memory");
	for (size_t i = 0; i < l->nrows; i++)
		fill_row(l, &l->row[i], &a->v.event[i]);
	return l;
}

void lanes_free(struct lanes *l)
{
	for (size_t i = 0; i < l->nrows; i++)
		for (unsigned int k = 0; k < l->n; k++)
			free(l->row[i].cell[k]);
	free(l->row);
	free(l);
}
