// SPDX-License-Identifier: GPL-2.0
/*
 * A finding, drawn as the lab draws: a lane for each CPU that has a part in it,
 * and one for the host. The rows are what led to it, the last one is what could
 * have happened then.
 */
#include "cmd.h"
#include "words.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "draw.h"

#define TEXT	256
#define HOST(l)	((l)->n - 1)

struct draw {
	const struct watch_run *r;
	const json_t *f;
	struct lanes *l;
	uint64_t address[EVENTS_SHOWN + 1];	/* of each row */
};

static const json_t *events(const json_t *f)
{
	return json_object_get(f, "events");
}

/* ---- who has a lane ---- */

static unsigned int first_cpu(uint64_t mask)
{
	return mask ? (unsigned int)__builtin_ctzll(mask) : 0;
}

/* Who reads: a CPU that the converting one does not know of, if there is one. */
static unsigned int reader(const json_t *f)
{
	uint64_t mask = number(json_object_get(f, "way"), "cpus");
	unsigned int cpu = (unsigned int)number(f, "cpu");

	if (mask & ~(UINT64_C(1) << cpu))
		mask &= ~(UINT64_C(1) << cpu);
	return mask ? first_cpu(mask) : cpu;
}

/* As many as a drawing holds: who converts, who reads, and then by number. */
static unsigned int choose_cpus(const struct draw *d, unsigned int *cpu)
{
	uint64_t mask = UINT64_C(1) << number(d->f, "cpu") |
		UINT64_C(1) << reader(d->f);
	unsigned int n = 0;
	const json_t *e;
	size_t i;

	json_array_foreach(events(d->f), i, e) {
		uint64_t bit = UINT64_C(1) << number(e, "cpu");

		if (__builtin_popcountll(mask | bit) < (int)LANES)
			mask |= bit;
	}
	for (unsigned int c = 0; c < WATCH_CPUS && n < LANES - 1; c++)
		if (mask >> c & 1)
			cpu[n++] = c;
	return n;
}

/* Return: the host's for a CPU that has none. */
static unsigned int lane_of(const struct lanes *l, uint64_t cpu)
{
	unsigned int k = 0;

	while (k < HOST(l) && l->cpu[k] != cpu)
		k++;
	return k;
}

/* ---- words ---- */

__attribute__((format(printf, 4, 5)))
static void put(struct lane_row *r, unsigned int lane, const char *indent,
		const char *fmt, ...)
{
	char line[2 * TEXT];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	lanes_put(r, lane, indent, line, strlen(line));
}

static void pages_words(const json_t *e, uint64_t at, char *to, size_t size)
{
	uint64_t n = number(e, "pages");

	if (n > 1)
		snprintf(to, size, "%" PRIx64 " and %" PRIu64 " more pages", at,
			 n - 1);
	else
		snprintf(to, size, "%" PRIx64, at);
}

static const char *short_entry(const struct watch_run *r, uint64_t e)
{
	return !(e & ENTRY_P) && !e ? "nothing" :
		words_view(r, e);
}

static void entry_row(const struct draw *d, struct lane_row *row,
		      const json_t *e, const char *va)
{
	static const char *const what[] = { "PTE", "PMD", "PUD" };
	uint64_t old = number(e, "old"), new = number(e, "new");
	unsigned int level = (unsigned int)number(e, "level") % 3;
	bool table = level && !(new & ENTRY_LARGE) && new & ENTRY_P;

	put(row, row->actor, "", "%s of %s: %s%s -> %s%s", what[level], va,
	    old & ENTRY_P ? "P, " : "not P, ",
	    level && old & ENTRY_P && !(old & ENTRY_LARGE) ? "a table" :
	    short_entry(d->r, old), new & ENTRY_P ? "P, " : "not P, ",
	    table ? "a table" : short_entry(d->r, new));
}

static void state_words(const struct draw *d, struct lane_row *row,
			const json_t *e)
{
	char pages[TEXT];

	pages_words(e, number(e, "page"), pages, sizeof(pages));
	put(row, HOST(d->l), "", "page %s: %s -> %s", pages,
	    words_state(d->r, number(e, "old")),
	    words_state(d->r, number(e, "new")));
	row->to_host = row->actor != HOST(d->l);
}

static void flush_words(struct lane_row *row, const json_t *e,
			const char *what)
{
	put(row, row->actor, "", "%s%s", what,
	    number(e, "new") ? ", on every CPU" : "");
}

/* The call by which the guest asks. */
static const char *call_name(const struct watch_run *r)
{
	switch (words_platform(r)) {
	case WATCH_SNP:
		return "VMGEXIT: page-state change";
	case WATCH_TDX:
		return "MapGPA";
	default:
		return "hypercall: visibility";
	}
}

static void act(const struct draw *d, struct lane_row *row, const json_t *e)
{
	const char *what = text(e, "what");
	char va[TEXT], line[2 * TEXT];

	pages_words(e, json_object_get(e, "va") ? number(e, "va") :
		    number(e, "page"), va, sizeof(va));
	if (!strcmp(what, "entry")) {
		entry_row(d, row, e, va);
	} else if (!strcmp(what, "state")) {
		put(row, row->actor, "", "%s", call_name(d->r));
		state_words(d, row, e);
	} else if (!strcmp(what, "flush")) {
		flush_words(row, e, "flushes its whole TLB");
	} else if (!strcmp(what, "cr3")) {
		flush_words(row, e, "loads CR3: drops what is not global");
	} else if (!strcmp(what, "alias")) {
		put(row, row->actor, "", "flushes aliases");
	} else if (!strcmp(what, "invlpg")) {
		snprintf(line, sizeof(line), "INVLPG %s", va);
		flush_words(row, e, line);
	} else if (!strcmp(what, "convert")) {
		put(row, row->actor, "", "begins to make %s %s", va,
		    number(e, "new") ? "shared" : "private");
	} else if (!strcmp(what, "return")) {
		put(row, row->actor, "", "the conversion of %s is over%s", va,
		    number(e, "new") ? ": it failed" : "");
	} else if (!strcmp(what, "pvalidate")) {
		put(row, row->actor, "", "PVALIDATE(%s, %s)", va,
		    number(e, "new") ? "validate" : "rescind");
	} else if (!strcmp(what, "clflush")) {
		put(row, row->actor, "", "CLFLUSH of %s: %" PRIu64 " lines", va,
		    number(e, "times"));
	} else {
		put(row, row->actor, "", "%s %s",
		    !strcmp(what, "read") ? "evict read of" : "accepts page",
		    va);
	}
}

static void fill(const struct draw *d, struct lane_row *row, const json_t *e)
{
	row->actor = lane_of(d->l, number(e, "cpu"));
	row->from = -1;
	act(d, row, e);
	if (*text(e, "at"))
		put(row, row->actor, "  ", "at %s", text(e, "at"));
	if (*text(e, "at_line"))
		put(row, row->actor, "  ", "at %s", text(e, "at_line"));
}

/* What PVALIDATE or accept has just done is shown with it. */
static bool follows(const json_t *e, const json_t *before)
{
	const char *what = before ? text(before, "what") : "";

	return before && !strcmp(text(e, "what"), "state") &&
		number(e, "cpu") == number(before, "cpu") &&
		number(e, "old") != STATE_SHARED &&
		number(e, "new") != STATE_SHARED &&
		(!strcmp(what, "pvalidate") || !strcmp(what, "accept"));
}

/* ---- the end ---- */

static void last_row(const struct draw *d, struct lane_row *row)
{
	const json_t *way = json_object_get(d->f, "way");
	const char *kind = text(d->f, "kind");
	uint64_t e = number(way, "entry");
	char entry[TEXT];

	row->from = -1;
	row->bad = true;
	row->actor = lane_of(d->l, words_is_stray(kind) ||
			     !strcmp(kind, "outlives") ? reader(d->f) :
			     number(d->f, "cpu"));
	snprintf(entry, sizeof(entry), "%s%s%s", e & ENTRY_P ? "P, " : "not P, ",
		 words_view(d->r, e), number(way, "level") ? ", large" : "");
	if (words_is_stray(kind)) {
		put(row, row->actor, "", "could read %" PRIx64 " by a stray "
		    "read", number(d->f, "va"));
		put(row, row->actor, "  ", "%s %s",
		    !strcmp(kind, "present") ? "by the entry:" :
		    "its TLB may hold", entry);
	} else if (!strcmp(kind, "outlives")) {
		put(row, row->actor, "", "uses %" PRIx64 " again",
		    number(d->f, "va"));
		put(row, row->actor, "  ", "its TLB may hold %s", entry);
	} else if (!strcmp(kind, "owner")) {
		put(row, row->actor, "", "%s may not find its page",
		    text(d->f, "what"));
	} else {
		put(row, row->actor, "", "%s", words_headline(d->r, d->f, entry,
							 sizeof(entry)));
	}
}

static void add_row(struct draw *d, const json_t *e)
{
	if (d->l->nrows == EVENTS_SHOWN)
		return;
	d->address[d->l->nrows] = number(e, json_object_get(e, "va") ? "va" :
					 "page");
	fill(d, &d->l->row[d->l->nrows++], e);
}

static struct lanes *build(struct draw *d)
{
	size_t n = json_array_size(events(d->f)), i;
	const json_t *e, *before = NULL;
	unsigned int cpu[LANES], cpus;

	cpus = choose_cpus(d, cpu);
	d->l = lanes_empty(cpus, n + 1);
	memcpy(d->l->cpu, cpu, cpus * sizeof(*cpu));
	d->l->nrows = 0;
	json_array_foreach(events(d->f), i, e) {
		/* Of CPUs that have no lane, nothing. */
		if (lane_of(d->l, number(e, "cpu")) == HOST(d->l))
			continue;
		if (follows(e, before)) {
			state_words(d, &d->l->row[d->l->nrows - 1], e);
		} else {
			add_row(d, e);
			before = e;
		}
	}
	d->address[d->l->nrows] = number(d->f, "va");
	last_row(d, &d->l->row[d->l->nrows++]);
	return d->l;
}

void draw_text(FILE *to, const struct watch_run *r, const json_t *f)
{
	struct draw d = { .r = r, .f = f };
	struct lanes *l = build(&d);

	render_lanes(to, l);
	lanes_free(l);
}

void draw_svg(FILE *to, const struct watch_run *r, const json_t *f,
	      const struct svg_text *t)
{
	struct draw d = { .r = r, .f = f };
	struct lanes *l = build(&d);

	svg_lanes(to, l, t);
	lanes_free(l);
}

/* ---- as text for programs ---- */

/* A paragraph a line: "at X" is where, the rest is what changed. */
static void trace_cell(FILE *to, const char *cell)
{
	while (cell && *cell) {
		size_t n = strcspn(cell, "\n"), skip = strspn(cell, " ");

		if (skip && !strncmp(cell + skip, "at ", 3))
			fprintf(to, "@ %.*s\n", (int)(n - skip - 3),
				cell + skip + 3);
		else
			fprintf(to, "+ %.*s\n", (int)(n - skip), cell + skip);
		cell += n + (cell[n] == '\n');
	}
}

static void trace_row(FILE *to, const struct draw *d, size_t i)
{
	const struct lane_row *row = &d->l->row[i];
	const char *cell = row->cell[row->actor];
	size_t n = strcspn(cell, "\n");

	if (row->actor == HOST(d->l))
		fprintf(to, "%zu host", i + 1);
	else
		fprintf(to, "%zu CPU%u", i + 1, d->l->cpu[row->actor]);
	fprintf(to, " 0x%016" PRIx64 " %.*s\n", d->address[i], (int)n, cell);
	trace_cell(to, cell + n + 1);
	for (unsigned int k = 0; k < d->l->n; k++)
		if (k != row->actor)
			trace_cell(to, row->cell[k]);
}

void draw_trace(FILE *to, const struct watch_run *r, const json_t *f)
{
	struct draw d = { .r = r, .f = f };
	struct lanes *l = build(&d);

	fprintf(to, "events %zu\n", l->nrows);
	for (size_t i = 0; i < l->nrows; i++)
		trace_row(to, &d, i);
	lanes_free(l);
}
