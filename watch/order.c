// SPDX-License-Identifier: GPL-2.0
/* Which steps a conversion took, in the words of engine/order.c. */
#include "inside.h"

#include <string.h>

static const char *const names[STEPS] = {
	"alias", "np", "flip", "np+flip", "present", "flip+present", "tlb",
	"cache", "prepare", "notify",
};

const char *watch_step_name(uint8_t step)
{
	return names[(step & ~STEP_WINDOW) % STEPS];
}

size_t watch_order(const struct watch_conversion *c, char *buf, size_t size)
{
	size_t at = 0;

	if (size)
		*buf = 0;
	for (unsigned int i = 0; i < c->steps; i++) {
		const char *parts[] = {
			i ? ", " : "", watch_step_name(c->step[i]),
			c->step[i] & STEP_WINDOW ? "@window" : "",
		};

		for (unsigned int k = 0; k < 3; k++)
			for (const char *p = parts[k]; *p; p++, at++)
				if (at + 1 < size) {
					buf[at] = *p;
					buf[at + 1] = 0;
				}
	}
	return at;
}

bool order_covers(const struct watch *w, unsigned int cpu, uint64_t va)
{
	const struct doing *p = &w->cpu[cpu].doing;

	return p->converting && va - p->va < p->pages * WATCH_PAGE;
}

bool order_maps(const struct watch *w, unsigned int cpu, uint64_t va)
{
	uint64_t frame = frame_at(w, va);

	return order_covers(w, cpu, va) ||
		(w->has_direct && frame < w->frames &&
		 va - w->direct - frame * WATCH_PAGE < WATCH_PAGE);
}

static bool host_work(uint8_t step)
{
	step &= (uint8_t)~STEP_WINDOW;
	return step == STEP_PREPARE || step == STEP_NOTIFY;
}

/*
 * A flush in the middle of a step is none of the order's: a large leaf was
 * split, or another CPU's shootdown came. The lab has each step whole, and
 * the flush behind it.
 */
static void drop_flush_inside(struct watch_conversion *c, uint8_t step)
{
	uint8_t before;

	if (c->steps < 2 || c->step[c->steps - 1] != STEP_TLB)
		return;
	before = c->step[c->steps - 2];
	if (before == step || (host_work(before) && host_work(step))) {
		c->steps--;
		c->inside++;
	}
}

/* An interrupt is not on the thread's stack: another CPU asked for its flush. */
static bool others(const struct cpu *p)
{
	return p->thread && p->thread != p->doing.thread;
}

/*
 * Work that goes piece by piece repeats itself: rescind, tell, rescind, tell.
 * One step of each kind stands for it.
 */
void order_step(struct watch *w, unsigned int cpu, uint8_t step)
{
	struct watch_conversion *c = &w->cpu[cpu].doing.now;
	unsigned int i;

	if (!w->cpu[cpu].doing.converting)
		return;
	if (step == STEP_TLB && others(&w->cpu[cpu])) {
		c->inside++;
		return;
	}
	drop_flush_inside(c, step);
	for (i = c->steps; i && (c->step[i - 1] == step ||
		     (host_work(step) && host_work(c->step[i - 1]))); i--)
		if (!((c->step[i - 1] ^ step) & ~STEP_WINDOW)) {
			c->step[i - 1] |= step;
			return;
		}
	if (c->steps < STEP_MAX)
		c->step[c->steps++] = step;
}

void order_entry(struct watch *w, unsigned int cpu, uint64_t va,
		 uint64_t old, uint64_t new, unsigned int level)
{
	const struct doing *p = &w->cpu[cpu].doing;
	bool flip = old && new && (old ^ new) & WATCH_BIT;
	bool was = old & ENTRY_P, is = new & ENTRY_P;

	if (level && ((was && !(old & ENTRY_LARGE)) ||
		      (is && !(new & ENTRY_LARGE))))
		return;
	if (!p->converting || va + span(level) <= p->va ||
	    va >= p->va + p->pages * WATCH_PAGE)
		return;
	if (was == is && flip)
		order_step(w, cpu, STEP_FLIP);
	else if (was && !is)
		order_step(w, cpu, flip ? STEP_NP_FLIP : STEP_NP);
	else if (!was && is)
		order_step(w, cpu, flip ? STEP_FLIP_PRESENT : STEP_PRESENT);
}

/* PVALIDATE has said so itself; everything else is the host's to do. */
void order_state(struct watch *w, unsigned int cpu, enum watch_state old,
		 enum watch_state new)
{
	if (w->cfg.platform == WATCH_SNP &&
	    old != STATE_SHARED && new != STATE_SHARED)
		return;
	order_step(w, cpu, STEP_NOTIFY);
}

static void busy(struct watch *w, const struct doing *p, uint8_t flag)
{
	for (uint64_t i = 0; i < p->pages; i++) {
		uint64_t frame = frame_at(w, p->va + i * WATCH_PAGE);

		if (frame >= w->frames)
			continue;
		w->flags[frame] = (uint8_t)
			((w->flags[frame] & ~FRAME_BUSY) | flag);
		/* If the host is not told at all, that must show, too. */
		if (flag && w->on)
			w->flags[frame] |= FRAME_TRACKED;
		w->flushed[frame] = 0;
	}
}

void watch_convert(struct watch *w, unsigned int cpu, uint64_t va,
		   uint64_t pages, bool to_shared, uint64_t caller,
		   uint64_t thread)
{
	struct doing *p = &w->cpu[cpu].doing;

	/* One that was not seen to end. */
	if (p->converting)
		busy(w, p, 0);
	if (!w->calls)
		memset(w->flushed, 0, w->frames * sizeof(*w->flushed));
	w->calls = true;
	p->converting = true;
	p->thread = thread;
	p->va = va & ~(WATCH_PAGE - 1);
	p->pages = pages;
	memset(&p->now, 0, sizeof(p->now));
	p->now.caller = caller;
	p->now.to_shared = to_shared;
	p->now.pages = pages;
	busy(w, p, FRAME_BUSY);
	trails_convert(w, cpu, &(struct watch_range){ p->va, pages }, 1,
		     to_shared, caller);
	history_add(w, &(struct watch_event){
		.kind = EVENT_CONVERT, .cpu = cpu, .va = p->va, .pages = pages,
		.frame = EVENT_NOWHERE, .new = to_shared, .rip = caller,
	});
}

/* What prepare would have done, notify does where no prepare ran before it. */
static void normalise(struct watch_conversion *c)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < c->steps; i++) {
		uint8_t s = c->step[i];

		if (n && host_work(s) &&
		    (c->step[n - 1] & ~STEP_WINDOW) == STEP_PREPARE) {
			c->step[n - 1] = (uint8_t)(STEP_NOTIFY | STEP_WINDOW *
				!!((s | c->step[n - 1]) & STEP_WINDOW));
			continue;
		}
		c->step[n++] = s;
	}
	memset(c->step + n, 0, sizeof(c->step) - n);
	c->steps = n;
}

static bool alike(const struct watch_conversion *a,
		  const struct watch_conversion *b)
{
	return a->caller == b->caller && a->to_shared == b->to_shared &&
		a->pages == b->pages && a->steps == b->steps &&
		!memcmp(a->step, b->step, sizeof(a->step));
}

void order_lost(struct watch *w, unsigned int cpu)
{
	busy(w, &w->cpu[cpu].doing, 0);
	trails_lost(w, cpu);
	w->cpu[cpu].doing.converting = false;
}

/* A thread that came to another CPU, and nobody saw it go. */
static void moved(struct watch *w, uint64_t thread)
{
	for (unsigned int c = 0; c < WATCH_CPUS; c++)
		if (w->cpu[c].doing.converting &&
		    w->cpu[c].doing.thread == thread)
			order_lost(w, c);
}

void watch_converted(struct watch *w, unsigned int cpu, uint64_t thread,
		     bool failed)
{
	struct doing *p = &w->cpu[cpu].doing;
	unsigned int i = 0;

	if (!p->converting || p->thread != thread) {
		moved(w, thread);
		return;
	}
	busy(w, p, 0);
	history_add(w, &(struct watch_event){
		.kind = EVENT_RETURN, .cpu = cpu, .va = p->va,
		.pages = p->pages, .frame = EVENT_NOWHERE, .new = failed,
		.rip = p->now.caller,
	});
	if (w->on)
		judge_return(w, cpu);
	p->converting = false;
	if (!w->on)
		return;
	normalise(&p->now);
	trails_return(w, cpu, failed, &p->now);
	while (i < w->conversions && !alike(&w->conversion[i], &p->now))
		i++;
	if (i == MAX_CONVERSIONS)
		return;
	if (i == w->conversions)
		w->conversion[w->conversions++] = p->now;
	else
		w->conversion[i].inside += p->now.inside;
	w->conversion[i].count++;
	w->conversion[i].failed += failed;
}

static void ended(struct watch *w, unsigned int call, unsigned int cpu,
		  struct doing d)
{
	normalise(&d.now);
	trails_ended(w, call, cpu, d.converting ? &d.now : NULL);
}

void watch_end(struct watch *w)
{
	for (unsigned int c = 0; w->trails && c < WATCH_CPUS; c++)
		ended(w, c, c, w->cpu[c].doing);
	for (unsigned int i = 0; w->trails && i < ASIDES; i++)
		if (w->aside[i].task)
			ended(w, WATCH_CPUS + i, w->aside[i].cpu,
			      w->aside[i].doing);
}
