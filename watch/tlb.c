// SPDX-License-Identifier: GPL-2.0
/*
 * What TLBs may hold beyond what the tables say.
 *
 * A CPU may have taken any translation that was in the tables, at any time,
 * by speculation, and it loses it when it flushes, and never else for certain.
 * So when an entry changes, what it was is noted, with the CPUs that were
 * running; a CPU that flushes that address, or everything, is off the note.
 * Time is a count of events: a full flush is one number, not a walk.
 */
#include "inside.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>

#define FEW	8192u			/* notes before the old ones are sought */
#define AD	UINT64_C(0x60)

void tlb_init(struct watch *w)
{
	memset(w->by_va, 0xff, sizeof(w->by_va));
	memset(w->by_frame, 0xff, sizeof(w->by_frame));
}

void tlb_free(struct watch *w)
{
	free(w->stale);
}

uint32_t held(const struct watch *w, uint32_t cpus, uint64_t since,
	      bool global)
{
	cpus &= w->on_mask;
	for (unsigned int c = 0; c < WATCH_CPUS; c++) {
		const struct cpu *p = &w->cpu[c];

		if (since <= p->flushed ||
		    (!global && since <= p->flushed_some))
			cpus &= ~(1u << c);
	}
	return cpus;
}

uint32_t flush_counts(uint32_t cpus, enum seen seen, uint8_t writer)
{
	return seen == SEEN ? cpus : cpus & 1u << writer;
}

static uint32_t holders(const struct watch *w, const struct stale *s)
{
	uint32_t may = flush_counts(s->cpus, s->seen, s->writer);

	return held(w, may, s->since, s->entry & ENTRY_GLOBAL) |
		(s->cpus & ~may & w->on_mask);
}

static unsigned int hash(uint64_t address, unsigned int level)
{
	uint64_t k = address >> (12 + 9 * level);

	return (unsigned int)(k * UINT64_C(0x9e3779b97f4a7c15) >> 52) % HASH;
}

static void chain(struct watch *w, uint32_t n)
{
	struct stale *s = &w->stale[n];
	uint32_t *v = &w->by_va[s->level][hash(s->va, s->level)];
	uint32_t *f = &w->by_frame[s->level]
		[hash(entry_pa(s->entry, s->level), s->level)];

	s->next_va = *v;
	*v = n;
	s->next_frame = *f;
	*f = n;
}

/* Drop notes that are about nobody. */
static void collect(struct watch *w)
{
	uint32_t n = w->stales;

	tlb_init(w);
	w->stales = 0;
	for (uint32_t i = 0; i < n; i++) {
		if (!holders(w, &w->stale[i])) {
			buffer_dropped(w, false, i);
			continue;
		}
		w->stale[w->stales] = w->stale[i];
		if (w->stale[i].seen != SEEN)
			buffer_moved(w, w->stale[i].writer, i, w->stales);
		chain(w, w->stales++);
	}
}

static void make_room(struct watch *w)
{
	if (w->stales < w->stales_room)
		return;
	if (w->stales)
		collect(w);
	if (w->stales < w->stales_room / 2)
		return;
	w->stales_room = w->stales_room ? 2 * w->stales_room : FEW;
	w->stale = realloc(w->stale, w->stales_room * sizeof(*w->stale));
	if (!w->stale)
		err(1, "watch");
}

/* @entry mapped @va and does not any more. */
void tlb_left(struct watch *w, unsigned int cpu, uint64_t va, uint64_t entry,
	      unsigned int level, uint32_t cpus, uint64_t rip)
{
	struct stale *s = NULL;

	buffer_way(w, cpu, va, level);
	if (!cpus || entry_pa(entry, level) >= w->cfg.ram_size)
		return;
	for (uint32_t n = w->by_va[level][hash(va, level)]; n != NONE;
	     n = w->stale[n].next_va)
		if (w->stale[n].va == va && w->stale[n].level == level &&
		    !((w->stale[n].entry ^ entry) & ~AD))
			s = &w->stale[n];
	if (s) {
		s->cpus = cpus;
		s->since = s->born = w->time;
		s->early = 0;
		s->rip = rip;
		buffer_store(w, cpu, false, (uint32_t)(s - w->stale));
		return;
	}
	make_room(w);
	w->stale[w->stales] = (struct stale){
		.va = va, .entry = entry, .since = w->time, .born = w->time,
		.rip = rip, .level = level, .cpus = cpus,
	};
	chain(w, w->stales++);
	buffer_store(w, cpu, false, w->stales - 1);
	if (w->stales > w->counts.stale_most)
		w->counts.stale_most = w->stales;
}

/* Is the flush that counted for nothing a holder's? */
static bool flushed_early(const struct watch *w, const struct stale *s)
{
	uint32_t cpus = holders(w, s);

	for (unsigned int c = 0; c < WATCH_CPUS; c++)
		if (cpus >> c & 1 && (s->early >> c & 1 ||
				      w->cpu[c].flushed >= s->born))
			return true;
	return false;
}

static void stale_way(struct watch *w, const struct stale *s, uint64_t in,
		      way_fn fn, void *arg)
{
	struct watch_way way = {
		.va = s->va + in, .entry = s->entry, .level = s->level,
		.cpus = holders(w, s), .kind = FOUND_STALE, .rip = s->rip,
		.unseen = flushed_early(w, s), .writer = s->writer,
	};

	if (way.cpus)
		fn(w, &way, (entry_pa(s->entry, s->level) + in) / WATCH_PAGE,
		   arg);
}

void tlb_ways(struct watch *w, uint64_t frame, way_fn fn, void *arg)
{
	uint64_t pa = frame * WATCH_PAGE;

	for (unsigned int level = 0; level < 3; level++) {
		uint32_t n = w->by_frame[level][hash(pa, level)];

		for (; n != NONE; n = w->stale[n].next_frame) {
			const struct stale *s = &w->stale[n];
			uint64_t in = pa - entry_pa(s->entry, level);

			if (in < span(level))
				stale_way(w, s, in, fn, arg);
		}
	}
}

void tlb_at(struct watch *w, uint64_t va, way_fn fn, void *arg)
{
	for (unsigned int level = 0; level < 3; level++) {
		uint32_t n = w->by_va[level][hash(va, level)];

		for (; n != NONE; n = w->stale[n].next_va) {
			const struct stale *s = &w->stale[n];

			if (va - s->va < span(level))
				stale_way(w, s, (va - s->va) &
					  ~(WATCH_PAGE - 1), fn, arg);
		}
	}
}

static void stale_flushed(struct stale *s, const struct drop *d)
{
	uint32_t counts = flush_counts(d->cpus, s->seen, s->writer);

	if (!(s->entry & ENTRY_GLOBAL ? d->global : d->other) ||
	    s->since > d->until)
		return;
	s->early |= s->cpus & d->cpus & ~counts;
	s->cpus &= ~counts;
}

static void link_flushed(struct link *l, unsigned int level,
			 const struct drop *d)
{
	if (!l->live && d->va - l->va < 512 * span(level) &&
	    l->since <= d->until)
		l->cpus &= ~flush_counts(d->cpus, l->seen, l->writer);
}

/*
 * Entries of every size for that address, and what leads to its table; the
 * lab has it so, Intel's CPUs drop all of their paging-structure caches.
 */
void tlb_drop(struct watch *w, const struct drop *d)
{
	for (unsigned int level = 0; level < 3; level++) {
		uint32_t n = w->by_va[level][hash(d->va, level)];

		for (; n != NONE; n = w->stale[n].next_va)
			if (d->va - w->stale[n].va < span(level))
				stale_flushed(&w->stale[n], d);
	}
	for (uint32_t i = 0; d->tables && w->cached && i < w->tables; i++)
		for (uint32_t l = w->table[i]->links; l != NONE;
		     l = w->link[l].next)
			link_flushed(&w->link[l], w->table[i]->level, d);
}
