// SPDX-License-Identifier: GPL-2.0
/*
 * What was done to each page of a conversion, from the call to its return, as
 * `airlock prove --watched' reads it (prove/watched.h). Pages to which the same
 * was done are one trail, with a count.
 *
 *   maps    each place at which the page is mapped when the call begins; 0 is
 *           the call's own. What is mapped later, a window, is none.
 *   CPUs    0 is the one that converts.
 *   flushes between two other events are a set: they touch each their own TLB.
 */
#include "inside.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>

#define RANGES		8u
#define MAX_TRAILS	2048u
#define CALLS		(WATCH_CPUS + ASIDES)

struct page {
	uint64_t frame;
	struct watch_trail_event *ev;
	unsigned int n, room;
	unsigned int maps;
	uint64_t va[WATCH_TRAIL_MAPS];
	uint8_t value[WATCH_TRAIL_MAPS], begin[WATCH_TRAIL_MAPS];
	bool global[WATCH_TRAIL_MAPS];
	bool unfit;
	bool cut;			/* the host changed it unasked: no more */
	enum seen seen;			/* the last store to an entry */
	unsigned int writer;
};

/* A call on a CPU. */
struct call {
	bool on, to_shared;
	unsigned int ranges;
	struct { uint64_t va, pages; } range[RANGES];
	struct page *page;		/* of all ranges, in turn */
	uint64_t pages;
	bool aliases;			/* some page has more than one map */
	/* That were on, or came: as if they had been there from the first. */
	uint32_t cpus;
	uint64_t caller;
};

struct trails {
	struct call call[CALLS];	/* of each CPU, then of each aside */
	/* The last PVALIDATE of each CPU. */
	struct { uint64_t va, size; } pvalidate[WATCH_CPUS];
	struct page **of_frame;
	uint64_t waiting;		/* pages whose last store may be unseen */
	struct watch_trail *trail;
	unsigned int n, room;
	struct watch_trail_counts counts;
};

static void *need(void *p)
{
	if (!p)
		err(1, "watch");
	return p;
}

void watch_want_trails(struct watch *w)
{
	w->trails = need(calloc(1, sizeof(*w->trails)));
	w->trails->of_frame = need(calloc(w->frames, sizeof(struct page *)));
}

/* ---- one page ---- */

static void add(struct page *p, struct watch_trail_event e)
{
	if (p->cut)
		return;
	if (p->n == p->room) {
		p->room = p->room ? 2 * p->room : 8;
		p->ev = need(realloc(p->ev, p->room * sizeof(*p->ev)));
	}
	p->ev[p->n++] = e;
}

static void add_flush(struct page *p, struct watch_trail_event e)
{
	unsigned int at = p->n;

	while (at && p->ev[at - 1].kind == TRAIL_FLUSH && p->ev[at - 1].cpu > e.cpu)
		at--;
	if (at && p->ev[at - 1].kind == TRAIL_FLUSH &&
	    p->ev[at - 1].cpu == e.cpu) {
		p->ev[at - 1].value |= e.value;
		return;
	}
	if (p->cut)
		return;
	add(p, e);
	memmove(&p->ev[at + 1], &p->ev[at], (p->n - 1 - at) * sizeof(e));
	p->ev[at] = e;
}

/* Present, and if so shared: what is not present is neither. */
static uint8_t value_of(const struct watch *w, uint64_t entry)
{
	if (!(entry & ENTRY_P))
		return 0;
	return is_private(w, entry) ? TRAIL_PRESENT : TRAIL_PRESENT | TRAIL_SHARED;
}

static void drained(struct watch *w, struct page *p)
{
	if (p->seen == BUFFERED || p->seen == OVERTAKEN) {
		add(p, (struct watch_trail_event){
			.kind = TRAIL_DRAIN, .cpu = (uint8_t)p->writer });
		w->trails->waiting--;
	}
	p->seen = p->seen == OVERTAKEN || p->seen == LATE ? LATE : SEEN;
}

static void stored(struct watch *w, struct page *p, unsigned int cpu,
		   unsigned int map, uint64_t rip, bool flip)
{
	unsigned int level;
	uint8_t is = value_of(w, watch_lookup(w, p->va[map], &level));

	if (is == p->value[map] && (is || !flip))
		return;
	/* It has seen what was there: see buffer_way(). */
	if (p->seen != SEEN && p->writer != cpu) {
		drained(w, p);
		p->seen = SEEN;
	}
	p->value[map] = is;
	add(p, (struct watch_trail_event){
		.kind = TRAIL_ENTRY, .cpu = (uint8_t)cpu, .map = (uint8_t)map,
		.value = is, .rip = rip });
	w->trails->waiting += p->seen != BUFFERED && p->seen != OVERTAKEN;
	p->seen = BUFFERED;
	p->writer = cpu;
}

/* ---- which pages ---- */

typedef void (*page_fn)(struct watch *w, struct page *p, unsigned int map,
			void *arg);

static void aliases_at(struct watch *w, struct call *c, uint64_t va,
		       uint64_t size, page_fn fn, void *arg)
{
	for (uint64_t i = 0; i < c->pages; i++)
		for (unsigned int m = 1; m < c->page[i].maps; m++)
			if (c->page[i].va[m] - va < size)
				fn(w, &c->page[i], m, arg);
}

static void call_at(struct watch *w, struct call *c, uint64_t va,
		    uint64_t size, page_fn fn, void *arg)
{
	struct page *p = c->page;

	for (unsigned int r = 0; r < c->ranges; r++) {
		uint64_t begin = c->range[r].va;
		uint64_t end = begin + c->range[r].pages * WATCH_PAGE;
		uint64_t from = begin > va ? begin : va;
		uint64_t to = end < va + size ? end : va + size;

		for (; from < to; from += WATCH_PAGE)
			fn(w, p + (from - begin) / WATCH_PAGE, 0, arg);
		p += c->range[r].pages;
	}
	if (c->aliases)
		aliases_at(w, c, va, size, fn, arg);
}

static void each_at(struct watch *w, uint64_t va, uint64_t size, page_fn fn,
		    void *arg)
{
	for (unsigned int c = 0; w->trails && c < CALLS; c++)
		if (w->trails->call[c].on)
			call_at(w, &w->trails->call[c], va, size, fn, arg);
}

static void each(struct watch *w, page_fn fn, void *arg)
{
	for (unsigned int c = 0; w->trails && c < CALLS; c++) {
		struct call *k = &w->trails->call[c];

		for (uint64_t i = 0; k->on && i < k->pages; i++)
			fn(w, &k->page[i], 0, arg);
	}
}

/* ---- events ---- */

struct by {
	unsigned int cpu;
	uint64_t rip;
	bool global, other;		/* of a flush: entries that are, or not */
	bool flip;			/* of an entry that is not present */
};

static void entry_of(struct watch *w, struct page *p, unsigned int map,
		     void *arg)
{
	const struct by *b = arg;

	stored(w, p, b->cpu, map, b->rip, b->flip);
}

void trails_entry(struct watch *w, unsigned int cpu, uint64_t va, uint64_t size,
		uint64_t rip, bool flip)
{
	each_at(w, va & ~(WATCH_PAGE - 1), size, entry_of,
		&(struct by){ .cpu = cpu, .rip = rip, .flip = flip });
}

static void drain_of(struct watch *w, struct page *p, unsigned int map,
		     void *arg)
{
	const struct by *b = arg;

	(void)map;
	if (p->seen != SEEN && p->writer == b->cpu)
		drained(w, p);
}

void trails_drain(struct watch *w, unsigned int cpu)
{
	if (w->trails && w->trails->waiting)
		each(w, drain_of, &(struct by){ .cpu = cpu });
}

bool trails_want_drains(const struct watch *w)
{
	return w->trails && w->trails->waiting;
}

/* As buffer.c has it. */
static void ipi_of(struct watch *w, struct page *p, unsigned int map,
		   void *arg)
{
	const struct by *b = arg;

	(void)w;
	(void)map;
	if (p->writer != b->cpu)
		return;
	if (p->seen == BUFFERED)
		p->seen = OVERTAKEN;
	else if (p->seen == LATE)
		p->seen = SEEN;
}

void trails_ipi(struct watch *w, unsigned int cpu)
{
	each(w, ipi_of, &(struct by){ .cpu = cpu });
}

static void flush_of(struct watch *w, struct page *p, unsigned int map,
		     void *arg)
{
	const struct by *b = arg;

	(void)w;
	if (!(p->global[map] ? b->global : b->other) ||
	    !flush_counts(1u << b->cpu, p->seen, (uint8_t)p->writer))
		return;
	add_flush(p, (struct watch_trail_event){
		.kind = TRAIL_FLUSH, .cpu = (uint8_t)b->cpu,
		.value = (uint8_t)(1u << map), .rip = b->rip });
}

static void flush_all_of(struct watch *w, struct page *p, unsigned int map,
			 void *arg)
{
	(void)map;
	for (map = 0; map < p->maps; map++)
		flush_of(w, p, map, arg);
}

void trails_flush(struct watch *w, unsigned int cpu, uint64_t va, bool global,
		bool other)
{
	struct by b = { .cpu = cpu, .rip = w->cpu[cpu].at, .global = global,
			.other = other };

	if (va == EVENT_NOWHERE)
		each(w, flush_all_of, &b);
	else
		each_at(w, va & ~(WATCH_PAGE - 1), WATCH_PAGE, flush_of, &b);
}

/* Is there a mapping of the page between those addresses? Else it is a window's. */
static bool mapped_at(const struct page *p, uint64_t va, uint64_t size)
{
	for (unsigned int m = 0; m < p->maps; m++)
		if (p->va[m] - (va & ~(WATCH_PAGE - 1)) < size)
			return true;
	return false;
}

static struct page *page_of(const struct watch *w, uint64_t frame)
{
	return w->trails && frame < w->frames ? w->trails->of_frame[frame] : NULL;
}

void trails_lines(struct watch *w, unsigned int cpu, uint64_t frame,
		uint64_t va, enum watch_trail_kind kind, bool shared)
{
	struct page *p = page_of(w, frame);

	if (p)
		add(p, (struct watch_trail_event){
			.kind = (uint8_t)kind, .cpu = (uint8_t)cpu,
			.value = shared ? TRAIL_SHARED : 0,
			.window = !mapped_at(p, va, WATCH_PAGE),
			.rip = w->cpu[cpu].at });
}

void trails_pvalidate(struct watch *w, unsigned int cpu, uint64_t va,
		    uint64_t size)
{
	if (!w->trails)
		return;
	w->trails->pvalidate[cpu].va = va & ~(size - 1);
	w->trails->pvalidate[cpu].size = size;
}

void trails_state(struct watch *w, unsigned int cpu, uint64_t frame,
		enum watch_state old, enum watch_state new, bool asked)
{
	struct page *p = page_of(w, frame);
	bool pv = w->cfg.platform == WATCH_SNP && old != STATE_SHARED &&
		new != STATE_SHARED;

	if (!p)
		return;
	p->cut |= !asked || by_host(w, frame);
	add(p, (struct watch_trail_event){
		.kind = TRAIL_STATE, .cpu = (uint8_t)cpu, .old = (uint8_t)old,
		.value = (uint8_t)new, .rip = w->cpu[cpu].rip,
		.window = pv && !mapped_at(p, w->trails->pvalidate[cpu].va,
					   w->trails->pvalidate[cpu].size) });
}

/* ---- a call begins ---- */

static void add_map(struct watch *w, const struct watch_way *way,
		    uint64_t frame, void *arg)
{
	struct page *p = arg;
	uint64_t va = way->va & ~(WATCH_PAGE - 1);

	(void)frame;
	if (way->kind != FOUND_PRESENT || (p->maps && va == p->va[0]))
		return;
	if (p->maps == WATCH_TRAIL_MAPS) {
		p->unfit = true;
		return;
	}
	p->va[p->maps] = va;
	p->global[p->maps] = way->entry & ENTRY_GLOBAL;
	p->begin[p->maps] = p->value[p->maps] = value_of(w, way->entry);
	p->maps++;
}

static void page_begin(struct watch *w, struct call *c, struct page *p,
		       uint64_t va)
{
	unsigned int level;
	struct watch_way own = {
		.kind = FOUND_PRESENT, .va = va,
		.entry = watch_lookup(w, va, &level),
	};

	p->frame = own.entry ? frame_at(w, va) : UINT64_MAX;
	p->unfit = p->frame >= w->frames || w->trails->of_frame[p->frame] ||
		state_of(w, p->frame) !=
		(c->to_shared ? STATE_PRIVATE : STATE_SHARED);
	add_map(w, &own, p->frame, p);
	if (p->frame >= w->frames)
		return;
	tables_ways(w, p->frame, add_map, p);
	c->aliases |= p->maps > 1;
	if (!p->unfit)
		w->trails->of_frame[p->frame] = p;
}

static void page_end(struct watch *w, struct page *p)
{
	if (p->frame < w->frames && w->trails->of_frame[p->frame] == p)
		w->trails->of_frame[p->frame] = NULL;
	w->trails->waiting -= p->seen == BUFFERED || p->seen == OVERTAKEN;
	free(p->ev);
}

static void forget(struct watch *w, struct call *c)
{
	for (uint64_t i = 0; c->on && i < c->pages; i++)
		page_end(w, &c->page[i]);
	free(c->page);
	c->page = NULL;
	c->on = false;
}

void trails_convert(struct watch *w, unsigned int cpu,
		  const struct watch_range *r, unsigned int n, bool to_shared,
		  uint64_t caller)
{
	struct call *c;
	uint64_t k = 0;

	if (!w->trails || !w->on || n > RANGES)
		return;
	c = &w->trails->call[cpu];
	forget(w, c);
	*c = (struct call){ .on = true, .to_shared = to_shared, .ranges = n,
			    .cpus = w->on_mask, .caller = caller };
	for (unsigned int i = 0; i < n; i++) {
		c->range[i].va = r[i].va & ~(WATCH_PAGE - 1);
		c->range[i].pages = r[i].pages;
		/* More than there is: nonsense. */
		c->on &= r[i].pages <= w->frames;
		c->pages += r[i].pages;
	}
	if (!c->on)
		return;
	c->page = need(calloc(c->pages + 1, sizeof(*c->page)));
	for (unsigned int i = 0; i < n; i++)
		for (uint64_t j = 0; j < r[i].pages; j++)
			page_begin(w, c, &c->page[k++],
				   c->range[i].va + j * WATCH_PAGE);
}

/* ---- and returns ---- */

/* The one that converts is 0, the others are counted from 1. */
static unsigned int renamed(const struct call *c, unsigned int owner,
			    unsigned int cpu)
{
	unsigned int n = 1;

	if (cpu == owner)
		return 0;
	for (unsigned int i = 0; i < cpu; i++)
		n += i != owner && (c->cpus >> i & 1);
	return c->cpus >> cpu & 1 ? n : WATCH_CPUS;
}

static bool rename_cpus(const struct call *c, unsigned int owner,
			struct page *p)
{
	for (unsigned int i = 0; i < p->n; i++) {
		unsigned int cpu = renamed(c, owner, p->ev[i].cpu);

		if (cpu == WATCH_CPUS)
			return false;
		p->ev[i].cpu = (uint8_t)cpu;
	}
	return true;
}

/* In order of their new numbers, where they are a set. */
static void sort_flushes(struct page *p)
{
	for (unsigned int i = 1; i < p->n; i++)
		for (unsigned int j = i; j && p->ev[j].kind == TRAIL_FLUSH &&
		     p->ev[j - 1].kind == TRAIL_FLUSH &&
		     p->ev[j].cpu < p->ev[j - 1].cpu; j--) {
			struct watch_trail_event e = p->ev[j];

			p->ev[j] = p->ev[j - 1];
			p->ev[j - 1] = e;
		}
}

static bool alike(const struct watch_trail *r, const struct watch_trail *s)
{
	if (r->to_shared != s->to_shared || r->cpus != s->cpus ||
	    r->maps != s->maps || r->n != s->n ||
	    memcmp(r->begin, s->begin, sizeof(r->begin)) ||
	    memcmp(&r->how, &s->how, sizeof(r->how)))
		return false;
	for (unsigned int i = 0; i < r->n; i++) {
		struct watch_trail_event a = r->ev[i], b = s->ev[i];

		a.rip = b.rip = 0;
		if (memcmp(&a, &b, sizeof(a)))
			return false;
	}
	return true;
}

static void keep(struct watch *w, const struct watch_trail *r)
{
	struct trails *all = w->trails;
	unsigned int i = 0;

	while (i < all->n && !alike(&all->trail[i], r))
		i++;
	if (i == MAX_TRAILS) {
		all->counts.too_many++;
		return;
	}
	if (i == all->n) {
		if (i == all->room) {
			all->room = i ? 2 * i : 64;
			all->trail = need(realloc(all->trail,
					all->room * sizeof(*all->trail)));
		}
		all->trail[i] = *r;
		all->trail[i].ev = need(malloc(r->n * sizeof(*r->ev)));
		memcpy(all->trail[i].ev, r->ev, r->n * sizeof(*r->ev));
		all->n++;
	}
	all->trail[i].pages++;
	all->counts.kept++;
}

static void page_return(struct watch *w, unsigned int cpu,
			const struct call *c, struct page *p,
			const struct watch_conversion *how, bool back)
{
	struct watch_trail r = {
		.to_shared = c->to_shared, .maps = p->maps,
		.cpus = (unsigned int)__builtin_popcount(c->cpus),
		.caller = c->caller, .va = p->va[0],
	};

	if (p->unfit || !rename_cpus(c, cpu, p)) {
		w->trails->counts.unfit++;
		return;
	}
	if (back)
		add(p, (struct watch_trail_event){ .kind = TRAIL_RETURN });
	sort_flushes(p);
	r.ev = p->ev;
	r.n = p->n;
	memcpy(r.begin, p->begin, sizeof(r.begin));
	if (how) {
		r.how.steps = how->steps;
		memcpy(r.how.step, how->step, sizeof(r.how.step));
	}
	keep(w, &r);
}

void trails_return(struct watch *w, unsigned int cpu, bool failed,
		 const struct watch_conversion *how)
{
	struct call *c;

	if (!w->trails || !w->trails->call[cpu].on)
		return;
	c = &w->trails->call[cpu];
	c->cpus |= w->on_mask;
	for (uint64_t i = 0; i < c->pages; i++)
		if (failed)
			w->trails->counts.refused++;
		else
			page_return(w, cpu, c, &c->page[i], how, true);
	forget(w, c);
}

void trails_ended(struct watch *w, unsigned int call, unsigned int cpu,
		  const struct watch_conversion *how)
{
	struct call *c = &w->trails->call[call];

	c->cpus |= w->on_mask;
	for (uint64_t i = 0; c->on && i < c->pages; i++)
		if (c->page[i].n)
			page_return(w, cpu, c, &c->page[i], how, false);
	forget(w, c);
}

/* Its thread went to another CPU. */
void trails_lost(struct watch *w, unsigned int cpu)
{
	if (!w->trails || !w->trails->call[cpu].on)
		return;
	w->trails->counts.moved += w->trails->call[cpu].pages;
	forget(w, &w->trails->call[cpu]);
}

static void unfit(struct watch *w, struct page *p, unsigned int map, void *arg)
{
	(void)w;
	(void)map;
	(void)arg;
	p->unfit = true;
}

/* Until now it had to flush, and from now on it has not. */
void trails_cpu_off(struct watch *w)
{
	each(w, unfit, NULL);
}

/* What is at @from is at @to now, where nothing was. */
void trails_switch(struct watch *w, unsigned int from, unsigned int to)
{
	if (!w->trails)
		return;
	forget(w, &w->trails->call[to]);
	w->trails->call[to] = w->trails->call[from];
	w->trails->call[from] = (struct call){ .on = false };
}

void watch_guest_call(struct watch *w, unsigned int cpu,
		      const struct watch_range *r, unsigned int n,
		      bool to_shared, uint64_t caller)
{
	trails_convert(w, cpu, r, n, to_shared, caller);
}

void watch_guest_returned(struct watch *w, unsigned int cpu, bool failed)
{
	trails_return(w, cpu, failed, NULL);
}

unsigned int watch_trails(const struct watch *w)
{
	return w->trails ? w->trails->n : 0;
}

const struct watch_trail *watch_trail(const struct watch *w, unsigned int i)
{
	return &w->trails->trail[i];
}

const struct watch_trail_counts *watch_trail_counted(const struct watch *w)
{
	return w->trails ? &w->trails->counts : NULL;
}

void trails_free(struct watch *w)
{
	if (!w->trails)
		return;
	for (unsigned int c = 0; c < CALLS; c++)
		forget(w, &w->trails->call[c]);
	for (unsigned int i = 0; i < w->trails->n; i++)
		free(w->trails->trail[i].ev);
	free(w->trails->trail);
	free(w->trails->of_frame);
	free(w->trails);
}
