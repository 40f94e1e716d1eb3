// SPDX-License-Identifier: GPL-2.0
/* Events, each handed to the parts that it concerns. */
#include "inside.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>

struct watch *watch_new(const struct watch_config *c,
			void (*found)(void *, const struct watch_finding *),
			void *ctx)
{
	struct watch *w = calloc(1, sizeof(*w));

	if (!w)
		err(1, "watch");
	w->cfg = *c;
	w->found = found;
	w->ctx = ctx;
	w->frames = c->ram_size / WATCH_PAGE;
	w->time = 1;
	tables_init(w);
	tlb_init(w);
	w->flushed = calloc(w->frames, sizeof(*w->flushed));
	w->flags = calloc(w->frames, 1);
	if (!w->flushed || !w->flags)
		err(1, "watch");
	return w;
}

void watch_free(struct watch *w)
{
	tables_free(w);
	tlb_free(w);
	buffer_free(w);
	trails_free(w);
	free(w->flushed);
	free(w->flags);
	free(w);
}

void watch_set_states(struct watch *w, const uint8_t *states)
{
	w->cfg.states = states;
}

void watch_begin(struct watch *w)
{
	w->on = true;
}

/*
 * A CPU begins to hold things when it runs in the kernel's tables for the
 * first time; what there was before is none of its business.
 */
void cpu_on(struct watch *w, unsigned int cpu)
{
	if (w->cpu[cpu].on)
		return;
	w->cpu[cpu].on = true;
	w->cpu[cpu].flushed = ++w->time;
	w->on_mask |= 1u << cpu;
}

void watch_cpu_off(struct watch *w, unsigned int cpu)
{
	w->cpu[cpu].on = false;
	w->on_mask &= ~(1u << cpu);
	trails_cpu_off(w);
}

void watch_at(struct watch *w, unsigned int cpu, uint64_t rip, uint64_t thread)
{
	w->cpu[cpu].thread = thread;
	w->cpu[cpu].at = rip;
}

bool watch_wants_store(const struct watch *w, uint64_t pa)
{
	uint64_t f = pa / WATCH_PAGE;

	return f < w->frames && (w->table_of[f] != NONE || w->pgd[f] ||
				 w->flushed[f]);
}

void watch_store(struct watch *w, unsigned int cpu, uint64_t pa,
		 unsigned int size, uint64_t rip)
{
	if (pa + size > w->cfg.ram_size)
		return;
	w->counts.stores++;
	cache_store(w, pa, size);
	tables_store(w, cpu, pa, size, rip);
}

/* SEV-SNP: the guest rescinds its validation before it gives a page away. */
static void given(struct watch *w, unsigned int cpu, uint64_t frame,
		  enum watch_state old, enum watch_state new)
{
	struct watch_finding f = {
		.kind = FOUND_GIVEN, .frame = frame, .rip = w->cpu[cpu].rip,
		.cpu = cpu, .state = STATE_PRIVATE,
	};

	if (w->cfg.platform == WATCH_SNP && w->cfg.honest &&
	    old == STATE_PRIVATE && new == STATE_SHARED && !by_host(w, frame))
		report(w, &f);
}

/* Only what the guest asked for is judged; what a host does unasked is not. */
void watch_state(struct watch *w, unsigned int cpu, uint64_t frame,
		 bool asked)
{
	enum watch_state old, new;

	if (frame >= w->frames)
		return;
	w->lied |= by_host(w, frame);
	old = (w->flags[frame] & FRAME_STATE) >> FRAME_STATE_SHIFT;
	new = state_of(w, frame);
	if (old == new)
		return;
	w->time++;
	w->flags[frame] = (uint8_t)((w->flags[frame] & ~FRAME_STATE) |
				    (new << FRAME_STATE_SHIFT));
	trails_state(w, cpu, frame, old, new, asked);
	if (!w->on || !asked) {
		cache_settle(w, frame, new);
		w->flags[frame] &= (uint8_t)~FRAME_TRACKED;
		return;
	}
	w->counts.state_changes++;
	history_add(w, &(struct watch_event){
		.kind = EVENT_STATE, .cpu = cpu, .va = EVENT_NOWHERE,
		.frame = frame, .pages = 1, .old = old, .new = new,
		.rip = w->cpu[cpu].rip,
	});
	if (!w->has_direct)
		tables_find_direct(w);
	w->flags[frame] |= FRAME_TRACKED;
	order_state(w, cpu, old, new);
	given(w, cpu, frame, old, new);
	cache_state(w, frame, old, new, cpu);
	judge_frame(w, frame, cpu, w->cpu[cpu].rip);
}

void watch_call(struct watch *w, unsigned int cpu, uint64_t rip)
{
	w->cpu[cpu].rip = rip;
}

uint64_t frame_at(const struct watch *w, uint64_t va)
{
	unsigned int level;
	uint64_t e = watch_lookup(w, va, &level);

	return e ? (entry_pa(e, level) + (va & (span(level) - 1))) /
		WATCH_PAGE : UINT64_MAX;
}

static void twice(struct watch *w, unsigned int cpu, uint64_t frame,
		  uint64_t va, uint64_t rip, const char *what)
{
	struct watch_finding f = {
		.kind = FOUND_TWICE, .frame = frame, .va = va, .rip = rip,
		.cpu = cpu, .state = STATE_PRIVATE,
	};

	if (!w->on || !w->cfg.honest || state_of(w, frame) != STATE_PRIVATE ||
	    by_host(w, frame))
		return;
	strcpy(f.what, what);
	report(w, &f);
}

void watch_pvalidate(struct watch *w, unsigned int cpu, uint64_t va,
		     bool large, bool validate, uint64_t rip)
{
	w->cpu[cpu].rip = rip;
	trails_pvalidate(w, cpu, va, span(large ? 1 : 0));
	order_step(w, cpu, (uint8_t)((validate ? STEP_NOTIFY : STEP_PREPARE) |
			   (order_maps(w, cpu, va) ? 0 : STEP_WINDOW)));
	if (!w->on)
		return;
	history_add(w, &(struct watch_event){
		.kind = EVENT_PVALIDATE, .cpu = cpu, .va = va,
		.frame = frame_at(w, va), .pages = large ? 512 : 1,
		.new = validate, .rip = rip,
	});
	judge_owner(w, cpu, va, true, "PVALIDATE", rip);
	if (validate)
		twice(w, cpu, frame_at(w, va), va, rip, "validated");
}

void watch_accept(struct watch *w, unsigned int cpu, uint64_t frame,
		  uint64_t pages, uint64_t rip)
{
	w->cpu[cpu].rip = rip;
	history_add(w, &(struct watch_event){
		.kind = EVENT_ACCEPT, .cpu = cpu, .va = EVENT_NOWHERE,
		.frame = frame, .pages = pages, .rip = rip,
	});
	for (uint64_t i = 0; i < pages && frame + i < w->frames; i++)
		twice(w, cpu, frame + i, 0, rip, "accepted");
}

void watch_alias(struct watch *w, unsigned int cpu)
{
	history_add(w, &(struct watch_event){
		.kind = EVENT_ALIAS, .cpu = cpu, .va = EVENT_NOWHERE,
		.frame = EVENT_NOWHERE,
	});
	order_step(w, cpu, STEP_ALIAS);
}

const struct watch_counts *watch_counted(const struct watch *w)
{
	return &w->counts;
}

unsigned int watch_findings(const struct watch *w)
{
	return w->findings;
}

const struct watch_finding *watch_finding(const struct watch *w,
					  unsigned int i)
{
	return &w->finding[i];
}

unsigned int watch_conversions(const struct watch *w)
{
	return w->conversions;
}

const struct watch_conversion *watch_conversion(const struct watch *w,
						unsigned int i)
{
	return &w->conversion[i];
}
