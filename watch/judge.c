// SPDX-License-Identifier: GPL-2.0
/*
 * The rules.
 *
 *  1. A stray read runs over the end of a page that is in use into the page
 *     behind it. Whatever maps that one, for whichever CPU, must map it as it
 *     is, or not at all.
 *  2. What is in use is used through its mapping: no CPU may hold another one
 *     of the same address that maps the page as it is not.
 *  3. An instruction that takes a linear address (PVALIDATE, CLFLUSH) must
 *     find its page there, on every path that its own CPU may take.
 *
 * A page is in use when it is mapped as it is, also in the direct map, and is
 * in no conversion that has not ended. So the pages of a window are in nobody's
 * use. Nor does a stray read reach what lies behind a page that is not mapped.
 */
#include "inside.h"

#include <string.h>

static bool as_it_is(const struct watch *w, uint64_t e, enum watch_state s)
{
	return s == STATE_NONE ||
		s == (is_private(w, e) ? STATE_PRIVATE : STATE_SHARED);
}

/* Mapped as it is? The frame in *@frame. */
static bool maps_well(const struct watch *w, uint64_t va, uint64_t *frame)
{
	unsigned int level;
	uint64_t e = watch_lookup(w, va, &level);

	if (!e)
		return false;
	*frame = (entry_pa(e, level) + (va & (span(level) - 1))) / WATCH_PAGE;
	return state_of(w, *frame) != STATE_NONE &&
		!(w->flags[*frame] & FRAME_BUSY) &&
		as_it_is(w, e, state_of(w, *frame));
}

static bool in_use(const struct watch *w, uint64_t va)
{
	uint64_t frame, again;

	if (!maps_well(w, va, &frame))
		return false;
	return !w->has_direct ||
		maps_well(w, w->direct + frame * WATCH_PAGE, &again);
}

/* ---- findings ---- */

/* Alike: the same mistake at the same places. */
static bool alike(const struct watch_finding *a, const struct watch_finding *b)
{
	return a->kind == b->kind && a->rip == b->rip &&
		a->way.rip == b->way.rip && a->state == b->state &&
		a->caller == b->caller && !strcmp(a->what, b->what) &&
		!((a->way.entry ^ b->way.entry) & (WATCH_BIT | ENTRY_P));
}

/*
 * As in the lab, a host that lies can force anything: after its first lie
 * nothing is held against the guest, and before it only what becomes of pages
 * that are being converted.
 */
static bool forced(const struct watch *w, const struct watch_finding *f)
{
	if (!w->cfg.lies)
		return false;
	return w->lied || f->kind >= FOUND_LINE || f->frame >= w->frames ||
		!(w->returning || w->flags[f->frame] & FRAME_BUSY);
}

void report(struct watch *w, const struct watch_finding *f)
{
	struct watch_finding *n = &w->finding[w->findings];

	if (w->findings == MAX_FINDINGS || forced(w, f))
		return;
	*n = *f;
	n->id = w->findings;
	n->count = 1;
	if (w->cpu[f->cpu].doing.converting)
		n->caller = w->cpu[f->cpu].doing.now.caller;
	for (unsigned int i = 0; i < w->findings; i++)
		if (alike(&w->finding[i], n)) {
			w->finding[i].count++;
			return;
		}
	w->findings++;
	if (w->found)
		w->found(w->ctx, n);
}

/* ---- 1 and 2 ---- */

struct look {
	enum watch_state state;
	unsigned int cpu;
	uint64_t rip;
};

static void look_at(struct watch *w, const struct watch_way *way,
		    uint64_t frame, void *arg)
{
	const struct look *l = arg;
	struct watch_finding f = {
		.kind = way->kind, .frame = frame, .state = l->state,
		.va = way->va, .way = *way, .rip = l->rip, .cpu = l->cpu,
	};
	uint64_t now;

	if (as_it_is(w, way->entry, l->state))
		return;
	if (way->kind != FOUND_PRESENT && in_use(w, way->va)) {
		now = watch_lookup(w, way->va, &f.mapped.level);
		f.kind = FOUND_OUTLIVES;
		f.mapped.entry = now;
		f.mapped.va = way->va;
		report(w, &f);
	} else if (in_use(w, (way->va & ~(WATCH_PAGE - 1)) - WATCH_PAGE)) {
		report(w, &f);
	}
}

void judge_frame(struct watch *w, uint64_t frame, unsigned int cpu,
		 uint64_t rip)
{
	struct look l = { state_of(w, frame), cpu, rip };

	if (!w->on || frame >= w->frames || l.state == STATE_NONE ||
	    !(w->flags[frame] & FRAME_TRACKED) || by_host(w, frame))
		return;
	w->counts.judged++;
	tables_ways(w, frame, look_at, &l);
	tlb_ways(w, frame, look_at, &l);
}

static void check_evicted(struct watch *w, unsigned int cpu, uint64_t va)
{
	const unsigned int both = FRAME_EVICT_1 | FRAME_EVICT_2;
	struct watch_finding f = {
		.kind = FOUND_EVICT, .cpu = cpu, .state = STATE_PRIVATE,
		.rip = w->cpu[cpu].rip, .va = va,
	};

	if (!maps_well(w, va, &f.frame) || by_host(w, f.frame) ||
	    state_of(w, f.frame) != STATE_PRIVATE ||
	    !(w->flags[f.frame] & both))
		return;
	f.lines = w->flags[f.frame] & both;
	report(w, &f);
}

/*
 * Where calls are not seen to begin and to end, a page's conversion is over
 * when its own mapping is there again.
 */
static void used_again(struct watch *w, uint64_t frame, unsigned int cpu)
{
	uint64_t va = w->direct + frame * WATCH_PAGE;

	if (!w->calls && w->has_direct && in_use(w, va))
		check_evicted(w, cpu, va);
}

void judge_leaf(struct watch *w, uint64_t entry, unsigned int level,
		unsigned int cpu, uint64_t rip)
{
	uint64_t first = entry_pa(entry, level) / WATCH_PAGE;

	for (uint64_t i = 0; w->on && i < span(level) / WATCH_PAGE &&
	     first + i < w->frames; i++)
		if (w->flags[first + i] & FRAME_TRACKED) {
			used_again(w, first + i, cpu);
			judge_frame(w, first + i, cpu, rip);
		}
}

/* ---- 3 ---- */

struct owner {
	uint64_t frame, entry;
	bool mapped;
	struct watch_finding f;
	bool bad;
};

static void other_way(struct watch *w, const struct watch_way *way,
		      uint64_t frame, void *arg)
{
	struct owner *o = arg;

	if (o->bad || !(way->cpus >> o->f.cpu & 1))
		return;
	if (way->entry && frame == o->frame &&
	    is_private(w, way->entry) == is_private(w, o->entry))
		return;
	o->bad = true;
	o->f.way = *way;
}

void judge_owner(struct watch *w, unsigned int cpu, uint64_t va,
		 bool private_only, const char *what, uint64_t rip)
{
	struct owner o = {
		.f = { .kind = FOUND_OWNER, .va = va, .rip = rip, .cpu = cpu },
	};
	unsigned int level = 0;

	o.entry = watch_lookup(w, va, &level);
	o.frame = (entry_pa(o.entry, level) + (va & (span(level) - 1))) /
		WATCH_PAGE;
	strncpy(o.f.what, what, sizeof(o.f.what) - 1);
	o.f.frame = o.frame;
	o.f.state = o.entry ? state_of(w, o.frame) : STATE_NONE;
	o.f.mapped = (struct watch_way){
		.va = va, .entry = o.entry, .level = level,
	};
	o.bad = !o.entry || (private_only && !is_private(w, o.entry));
	tables_walks(w, cpu, va, other_way, &o);
	tlb_at(w, va, other_way, &o);
	if (o.bad)
		report(w, &o.f);
}

/* ---- the end of a conversion ---- */

void judge_return(struct watch *w, unsigned int cpu)
{
	const struct doing *p = &w->cpu[cpu].doing;

	w->returning = true;
	for (uint64_t i = 0; i < p->pages; i++) {
		uint64_t va = p->va + i * WATCH_PAGE;

		check_evicted(w, cpu, va);
		judge_frame(w, frame_at(w, va), cpu, w->cpu[cpu].rip);
	}
	w->returning = false;
}
