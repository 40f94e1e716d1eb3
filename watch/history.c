// SPDX-License-Identifier: GPL-2.0
/*
 * What led to a finding: the last events, those that go on where another ended
 * as one. So the CLFLUSH of all lines of 64 MiB is one event, and what a
 * conversion does page by page is a few.
 */
#include "inside.h"

#include <string.h>

#define LOOK_BACK	8u		/* of a loop's body, for its last turn */

static const struct watch_event *event(const struct watch *w, uint64_t n)
{
	return &w->event[n % HISTORY];
}

/* Bits that differ between the entries of a row only by the address. */
static uint64_t kind_of_entry(uint64_t e)
{
	return e & (ENTRY_P | ENTRY_LARGE | ENTRY_GLOBAL | WATCH_BIT);
}

static bool alike(const struct watch_event *a, const struct watch_event *b)
{
	if (a->kind != b->kind || a->cpu != b->cpu || a->rip != b->rip ||
	    a->level != b->level)
		return false;
	if (a->kind == EVENT_ENTRY)
		return kind_of_entry(a->old) == kind_of_entry(b->old) &&
			kind_of_entry(a->new) == kind_of_entry(b->new);
	return a->old == b->old && a->new == b->new;
}

static bool row(uint64_t a, uint64_t b, uint64_t distance)
{
	return a == EVENT_NOWHERE ? b == a : b == a + distance;
}

/* Does @b go on where @a ends, or repeat its end? */
static bool goes_on(struct watch_event *a, const struct watch_event *b)
{
	uint64_t n = a->pages;

	if (a->kind == EVENT_FLUSH_ALL || a->kind == EVENT_CR3)
		return true;
	if (a->kind == EVENT_CONVERT || a->kind == EVENT_RETURN)
		return false;
	if (b->pages == 1 && row(a->va, b->va, (n - 1) * WATCH_PAGE) &&
	    row(a->frame, b->frame, n - 1))
		return a->kind != EVENT_ENTRY;
	if (!row(a->va, b->va, n * WATCH_PAGE) || !row(a->frame, b->frame, n))
		return false;
	a->pages += b->pages;
	return true;
}

static bool flushes(const struct watch_event *e)
{
	return e->kind == EVENT_FLUSH || e->kind == EVENT_FLUSH_ALL ||
		e->kind == EVENT_CR3;
}

void history_add(struct watch *w, const struct watch_event *e)
{
	if (!w->on)
		return;
	for (uint64_t i = 1; i <= LOOK_BACK && i <= w->events; i++) {
		struct watch_event *last =
			&w->event[(w->events - i) % HISTORY];

		if (alike(last, e) && goes_on(last, e)) {
			last->times++;
			return;
		}
		/* What matters is which entries a flush came after. */
		if ((flushes(e) && last->kind == EVENT_ENTRY) ||
		    (e->kind == EVENT_ENTRY && flushes(last)))
			break;
	}
	w->event[w->events % HISTORY] = *e;
	w->event[w->events++ % HISTORY].times = 1;
}

/* ---- what belongs to a finding ---- */

static bool covers(const struct watch_event *e, uint64_t va)
{
	return va - e->va < e->pages * WATCH_PAGE;
}

static bool touches(const struct watch_event *e, const struct watch_finding *f)
{
	if (e->kind == EVENT_FLUSH_ALL)
		return true;
	if (e->kind == EVENT_CR3)
		return !(f->way.entry & ENTRY_GLOBAL);
	if (e->kind == EVENT_FLUSH)
		return covers(e, f->va);
	return covers(e, f->va) || f->frame - e->frame < e->pages ||
		(e->kind == EVENT_ALIAS && e->cpu == f->cpu);
}

static uint64_t oldest_of(const struct watch *w)
{
	return w->events > HISTORY ? w->events - HISTORY : 0;
}

/* Where its conversion began. */
static uint64_t begin(const struct watch *w, const struct watch_finding *f)
{
	uint64_t oldest = oldest_of(w);
	uint64_t n = w->events;

	while (n > oldest) {
		const struct watch_event *e = event(w, --n);

		if (e->kind == EVENT_CONVERT && e->cpu == f->cpu)
			return n;
	}
	return oldest;
}

/* The store that left behind, or that made, what the finding is about. */
static uint64_t origin(const struct watch *w, const struct watch_finding *f,
		       uint64_t from)
{
	uint64_t oldest = oldest_of(w);

	while (from > oldest) {
		const struct watch_event *e = event(w, --from);

		if (e->kind == EVENT_ENTRY && covers(e, f->va))
			return from;
	}
	return UINT64_MAX;
}

unsigned int watch_history(const struct watch *w,
			   const struct watch_finding *f,
			   struct watch_event *to, unsigned int max)
{
	uint64_t first = begin(w, f), from = origin(w, f, first), n;
	unsigned int k = 0;

	if (from != UINT64_MAX)
		to[k++] = *event(w, from);
	for (n = first; n < w->events; n++) {
		if (!touches(event(w, n), f))
			continue;
		/* The first two and the last: how it began, how it ended. */
		if (k == max)
			memmove(&to[2], &to[3], (max - 3) * sizeof(*to));
		k -= k == max;
		to[k++] = *event(w, n);
	}
	return k;
}
