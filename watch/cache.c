// SPDX-License-Identifier: GPL-2.0
/*
 * Data-cache lines, by the lab's rules (docs/lab.md). A frame in use may have
 * dirty lines under the view it is used by: 64 of them. CLFLUSH through that
 * view cleans one, a store dirties it again. When the frame is of the other
 * kind a dirty line could be written back over it.
 *
 * Only its owner writes to a page, and not while it is being converted: the
 * lab's rule (owner_writes()). So one that changes kind within a call has no
 * dirty lines of its new kind, until a store is seen; a call that fails half
 * way takes it back without a flush.
 *
 *   SEV-SNP   both ways, unless the CPU promises coherence across the C-bit
 *   TDX       to shared only
 *   others    the paravisor's business
 *
 * SEV-SNP's other kind: a page that was shared may have stale lines when it is
 * private again, which the evict reads take out: its first and its last line.
 */
#include "inside.h"

#define LINE	64u
#define ALL	UINT64_MAX

static bool matters(const struct watch *w, bool to_shared)
{
	if (w->cfg.platform == WATCH_SNP)
		return !w->cfg.coherent;
	return w->cfg.platform == WATCH_TDX && to_shared;
}

void cache_store(struct watch *w, uint64_t pa, unsigned int size)
{
	uint64_t *lines = &w->flushed[pa / WATCH_PAGE];
	uint64_t at = pa & ~UINT64_C(63), end = (pa | (WATCH_PAGE - 1)) + 1;

	if (end > pa + size)
		end = pa + size;
	for (; *lines && at < end; at += LINE)
		*lines &= ~(UINT64_C(1) << (at / LINE % 64));
}

static uint64_t address(const struct watch *w, uint64_t va, bool *private)
{
	unsigned int level;
	uint64_t e = watch_lookup(w, va, &level);

	if (!e || entry_pa(e, level) >= w->cfg.ram_size)
		return UINT64_MAX;
	*private = is_private(w, e);
	return entry_pa(e, level) + (va & (span(level) - 1));
}

static void line_flushed(struct watch *w, unsigned int cpu, uint64_t pa,
			 uint64_t va, bool shared)
{
	uint64_t *lines = &w->flushed[pa / WATCH_PAGE], was = *lines;

	*lines |= UINT64_C(1) << (pa / LINE % 64);
	if (*lines == ALL && was != ALL)
		trails_lines(w, cpu, pa / WATCH_PAGE, va, TRAIL_CACHE, shared);
}

void watch_clflush(struct watch *w, unsigned int cpu, uint64_t va,
		   uint64_t rip)
{
	bool private, inside = order_maps(w, cpu, va);
	uint64_t pa;

	w->counts.clflushes++;
	order_step(w, cpu, (uint8_t)(STEP_CACHE |
				     (inside ? 0 : STEP_WINDOW)));
	if (w->on && w->cpu[cpu].doing.converting && !(va & (WATCH_PAGE - 1) & ~63u))
		judge_owner(w, cpu, va, false, "CLFLUSH", rip);
	pa = address(w, va, &private);
	if (pa == UINT64_MAX)
		return;
	history_add(w, &(struct watch_event){
		.kind = EVENT_CLFLUSH, .cpu = cpu, .rip = rip,
		.va = va & ~(WATCH_PAGE - 1), .frame = pa / WATCH_PAGE,
		.pages = 1,
	});
	/* Elsewhere it has nothing to do with conversions. */
	if (w->calls && !(w->flags[pa / WATCH_PAGE] & FRAME_BUSY))
		return;
	if (private == !(w->flags[pa / WATCH_PAGE] & FRAME_WAS_SHARED) ||
	    w->cfg.coherent)
		line_flushed(w, cpu, pa, va, !private);
}

void watch_wbinvd(struct watch *w, unsigned int cpu)
{
	order_step(w, cpu, STEP_CACHE);
	/* Of this CPU's caches only; what others hold stays. */
	if (!(w->on_mask & ~(1u << cpu)))
		for (uint64_t f = 0; f < w->frames; f++) {
			w->flushed[f] = ALL;
			trails_lines(w, cpu, f, EVENT_NOWHERE, TRAIL_CACHE,
				   w->flags[f] & FRAME_WAS_SHARED);
		}
}

bool watch_wants_reads(const struct watch *w)
{
	return w->evicts_due;
}

/* Return: whether that was the last one. */
static bool evict_done(struct watch *w, uint64_t frame, unsigned int flag)
{
	unsigned int due = w->flags[frame] & flag;

	w->flags[frame] &= (uint8_t)~flag;
	if (!due || w->flags[frame] & (FRAME_EVICT_1 | FRAME_EVICT_2))
		return false;
	w->evicts_due--;
	return true;
}

void watch_read(struct watch *w, unsigned int cpu, uint64_t va)
{
	bool private, last = false;
	uint64_t pa = address(w, va, &private);

	if (pa == UINT64_MAX || !private ||
	    state_of(w, pa / WATCH_PAGE) != STATE_PRIVATE)
		return;
	w->counts.evict_reads++;
	if (w->flags[pa / WATCH_PAGE] & (FRAME_EVICT_1 | FRAME_EVICT_2))
		history_add(w, &(struct watch_event){
			.kind = EVENT_READ, .cpu = cpu, .pages = 1,
			.va = va & ~(WATCH_PAGE - 1), .frame = pa / WATCH_PAGE,
		});
	if (pa % WATCH_PAGE < LINE)
		last = evict_done(w, pa / WATCH_PAGE, FRAME_EVICT_1);
	if (pa % WATCH_PAGE >= WATCH_PAGE - LINE)
		last = evict_done(w, pa / WATCH_PAGE, FRAME_EVICT_2);
	if (last)
		trails_lines(w, cpu, pa / WATCH_PAGE, va, TRAIL_EVICT, false);
}

static void check_lines(struct watch *w, uint64_t frame,
			enum watch_state new, unsigned int cpu)
{
	struct watch_finding f = {
		.kind = FOUND_LINE, .frame = frame, .state = new, .cpu = cpu,
		.rip = w->cpu[cpu].rip,
		.lines = 64u - (uint32_t)
			__builtin_popcountll(w->flushed[frame]),
	};

	if (f.lines && !by_host(w, frame))
		report(w, &f);
}

static void evict_begin(struct watch *w, uint64_t frame)
{
	const unsigned int both = FRAME_EVICT_1 | FRAME_EVICT_2;

	if (w->cfg.platform != WATCH_SNP || w->cfg.no_evict)
		return;
	if (!(w->flags[frame] & both))
		w->evicts_due++;
	w->flags[frame] |= both;
}

/* In use, one way or the other: whatever was flushed may be dirty again. */
void cache_settle(struct watch *w, uint64_t frame, enum watch_state s)
{
	if (s == STATE_SHARED || !w->on)
		evict_done(w, frame, FRAME_EVICT_1 | FRAME_EVICT_2);
	w->flushed[frame] = 0;
	w->flags[frame] &= (uint8_t)~FRAME_WAS_SHARED;
	if (s == STATE_SHARED)
		w->flags[frame] |= FRAME_WAS_SHARED;
}

/* Of the other kind than it was, unless a call was undone. */
static void change_kind(struct watch *w, uint64_t frame, enum watch_state s,
			unsigned int cpu)
{
	bool shared = s == STATE_SHARED;
	bool was_shared = w->flags[frame] & FRAME_WAS_SHARED;
	uint64_t lines = w->flushed[frame];

	if (shared != was_shared) {
		if (matters(w, shared))
			check_lines(w, frame, s, cpu);
		lines = ALL;
	}
	cache_settle(w, frame, s);
	if (w->flags[frame] & FRAME_BUSY)
		w->flushed[frame] = lines;
}

void cache_state(struct watch *w, uint64_t frame, enum watch_state old,
		 enum watch_state new, unsigned int cpu)
{
	if (old == STATE_SHARED)
		evict_begin(w, frame);
	if (new != STATE_PENDING)
		change_kind(w, frame, new, cpu);
}
