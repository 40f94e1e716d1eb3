// SPDX-License-Identifier: GPL-2.0
/*
 * Instructions that flush, and what each of them surely drops. Where that
 * depends on something that is not known, such as which PCID's entries a CPU
 * holds, it drops nothing: too few flushes can only find too much.
 *
 *                        global   not global   tables' caches
 *   MOV CR4, INVPCID 2    all      all          all
 *   MOV CR3               -        all          all       without PCIDs only
 *   INVPCID 1, 3          -        all          all       1: without PCIDs
 *   INVPCID 0             -        address      address   without PCIDs only
 *   INVLPG                address  address      address   not global: without
 *                                                         PCIDs only
 *   INVLPGB, TLBSYNC      by its bits, on every CPU, when TLBSYNC is over
 */
#include "inside.h"

#define CR4_PGE		UINT64_C(0x80)
#define CR4_PCIDE	UINT64_C(0x20000)
#define CR4_SMEP	UINT64_C(0x100000)
#define CR3_KEEP	(UINT64_C(1) << 63)

/* RAX and ECX of INVLPGB */
#define B_ADDRESS	1u
#define B_PCID		2u
#define B_GLOBAL	8u
#define B_FINAL		16u
#define B_LARGE		(1u << 31)

static void flushed(struct watch *w, unsigned int cpu,
		    enum watch_event_kind kind, uint64_t va, uint64_t pages,
		    bool everywhere)
{
	history_add(w, &(struct watch_event){
		.kind = kind, .cpu = cpu, .va = va, .pages = pages,
		.frame = EVENT_NOWHERE, .new = everywhere,
		.rip = w->cpu[cpu].at,
	});
}

static void drop_all(struct watch *w, unsigned int cpu)
{
	w->cpu[cpu].flushed = ++w->time;
	flushed(w, cpu, EVENT_FLUSH_ALL, EVENT_NOWHERE, 0, false);
	trails_flush(w, cpu, EVENT_NOWHERE, true, true);
	tables_prune(w);
}

static void drop_not_global(struct watch *w, unsigned int cpu)
{
	w->cpu[cpu].flushed_some = ++w->time;
	flushed(w, cpu, EVENT_CR3, EVENT_NOWHERE, 0, false);
	trails_flush(w, cpu, EVENT_NOWHERE, false, true);
	tables_prune(w);
}

void watch_cr3(struct watch *w, unsigned int cpu, uint64_t cr3)
{
	cpu_on(w, cpu);
	watch_drain(w, cpu);
	if (!w->cpu[cpu].pcids)
		drop_not_global(w, cpu);
	tables_root(w, cpu, cr3);
	tables_prune(w);
}

void watch_flush_all(struct watch *w, unsigned int cpu)
{
	cpu_on(w, cpu);
	watch_drain(w, cpu);
	w->counts.full_flushes++;
	drop_all(w, cpu);
	order_step(w, cpu, STEP_TLB);
}

/* Only some of its bits flush when they change. */
void watch_cr4(struct watch *w, unsigned int cpu, uint64_t old, uint64_t new)
{
	w->cpu[cpu].pcids = new & CR4_PCIDE;
	if ((old ^ new) & CR4_PGE || old & ~new & CR4_PCIDE ||
	    new & ~old & CR4_SMEP)
		watch_flush_all(w, cpu);
	else
		watch_drain(w, cpu);
}

/* One address. @known: that the PCID is the one whose entries there may be. */
static void drop_address(struct watch *w, unsigned int cpu, uint64_t va,
			 bool global, bool known)
{
	w->counts.flushes++;
	tlb_drop(w, &(struct drop){
		.cpus = 1u << cpu, .va = va, .until = ++w->time,
		.global = global, .other = known, .tables = known,
	});
	flushed(w, cpu, EVENT_FLUSH, va & ~(WATCH_PAGE - 1), 1, false);
	trails_flush(w, cpu, va, global, known);
	if (order_covers(w, cpu, va))
		order_step(w, cpu, STEP_TLB);
}

void watch_invlpg(struct watch *w, unsigned int cpu, uint64_t va)
{
	cpu_on(w, cpu);
	watch_drain(w, cpu);
	drop_address(w, cpu, va, true, !w->cpu[cpu].pcids);
}

void watch_invpcid(struct watch *w, unsigned int cpu, uint64_t type,
		   uint64_t pcid, uint64_t va)
{
	bool known;

	if (type == 2) {
		watch_flush_all(w, cpu);
		return;
	}
	cpu_on(w, cpu);
	watch_drain(w, cpu);
	known = !w->cpu[cpu].pcids && !pcid;
	if (!type) {
		drop_address(w, cpu, va, false, known);
		return;
	}
	if (type == 3 || (type == 1 && known))
		drop_not_global(w, cpu);
	order_step(w, cpu, STEP_TLB);
}

/*
 * It comes behind older stores to page tables, as Linux relies on, and does
 * not wait. What is not remembered here counts for nothing.
 */
void watch_invlpgb(struct watch *w, unsigned int cpu, uint64_t rax,
		   uint64_t rcx)
{
	struct cpu *p = &w->cpu[cpu];

	cpu_on(w, cpu);
	watch_drain(w, cpu);
	w->time++;
	if (rax & B_PCID || p->n_pending == PENDING_MAX)
		return;
	p->pending[p->n_pending++] = (struct invlpgb){
		.va = rax & ~(WATCH_PAGE - 1), .until = w->time,
		.count = (rcx & 0xffff) + 1,
		.stride = span(rcx & B_LARGE ? 1 : 0),
		.all = !(rax & B_ADDRESS), .global = rax & B_GLOBAL,
		.tables = !(rax & B_FINAL),
	};
}

static void everywhere(struct watch *w, const struct invlpgb *b)
{
	for (unsigned int c = 0; c < WATCH_CPUS; c++) {
		uint64_t *done = b->global ? &w->cpu[c].flushed :
			&w->cpu[c].flushed_some;

		if (*done < b->until)
			*done = b->until;
		if (w->on_mask >> c & 1)
			trails_flush(w, c, EVENT_NOWHERE, b->global, true);
	}
}

static void sync(struct watch *w, unsigned int cpu, const struct invlpgb *b)
{
	if (b->all)
		everywhere(w, b);
	for (uint64_t i = 0; !b->all && i < b->count; i++) {
		uint64_t va = b->va + i * b->stride;

		tlb_drop(w, &(struct drop){
			.cpus = w->on_mask, .va = va, .until = b->until,
			.global = b->global, .other = true,
			.tables = b->tables,
		});
		for (unsigned int c = 0; c < WATCH_CPUS; c++)
			if (w->on_mask >> c & 1)
				trails_flush(w, c, va, b->global, true);
		if (order_covers(w, cpu, va))
			order_step(w, cpu, STEP_TLB);
	}
	flushed(w, cpu, b->all ? EVENT_FLUSH_ALL : EVENT_FLUSH,
		b->all ? EVENT_NOWHERE : b->va, b->count * b->stride /
		WATCH_PAGE, true);
}

void watch_tlbsync(struct watch *w, unsigned int cpu)
{
	struct cpu *p = &w->cpu[cpu];
	bool all = false;

	cpu_on(w, cpu);
	watch_drain(w, cpu);
	w->time++;
	for (unsigned int i = 0; i < p->n_pending; i++) {
		sync(w, cpu, &p->pending[i]);
		all |= p->pending[i].all;
	}
	if (all) {
		order_step(w, cpu, STEP_TLB);
		tables_prune(w);
	}
	p->n_pending = 0;
}
