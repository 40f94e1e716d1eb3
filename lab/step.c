// SPDX-License-Identifier: GPL-2.0
/*
 * A CPU carries out the request at which its engine stopped, and goes on to
 * the next one.
 *
 * Instructions that serialise (INVLPG, PVALIDATE, VMGEXIT, TDCALL, VMCALL,
 * CLFLUSH with its fence, locked operations) drain the store buffer first.
 */
#include "engine.h"

#include <string.h>

static struct hw *hw(unsigned int cpu)
{
	lab->w.hw_dirty[cpu] = true;
	return &lab->w.hw[cpu];
}

/*
 * An access of the engine's own, page by page. Which translation each page
 * takes is open; of a long row, pages with as many of them take the same one.
 * What comes of a page depends on its own translation alone, and every page
 * takes each of its own in some run, so no page's fate is lost.
 */
#define FREE_PAGES 6

struct row {
	unsigned int pages;	/* so far */
	unsigned int n, choice;	/* of the page before */
};

/* The translation that an engine's own access uses; none: it faults. */
static bool translate(unsigned int cpu, uint64_t va, const char *what,
		      struct row *row, struct translation *t)
{
	struct translation all[24];
	unsigned int n = translations(cpu, va_vpn(va), all, 24);

	if (++row->pages <= FREE_PAGES || n != row->n)
		row->choice = choose(n);
	row->n = n;
	*t = all[row->choice];
	lab->accesses++;
	if (!t->present)
		bad(LAB_BAD_ENGINE_FAULT,
		    "%s of %s, which is not present: #PF in the engine",
		    what, va_name(va));
	return t->present;
}

static void do_cache(unsigned int cpu, const struct req *r)
{
	bool coherent = lab->cfg.features & AIRLOCK_F_COHERENT;
	struct row row = { 0 };

	for (uint64_t i = 0; i < r->lines.pages; i++) {
		struct translation t;

		if (!translate(cpu, r->lines.va + (i << 12), "CLFLUSH", &row,
			       &t))
			return;
		frame_change(t.gfn, 1, coherent ? F_DIRTY_P | F_DIRTY_S :
			     t.view == VIEW_PRIVATE ? F_DIRTY_P : F_DIRTY_S,
			     0);
	}
}

static void do_evict(unsigned int cpu, const struct req *r)
{
	struct row row = { 0 };

	for (uint64_t i = 0; i < r->lines.pages; i++) {
		struct translation t;
		uint64_t va = r->lines.va + (i << 12);

		if (!translate(cpu, va, "evict read", &row, &t))
			return;
		if (t.view != VIEW_PRIVATE)
			bad(LAB_BAD_PROTOCOL, "evict read through a shared mapping");
		if (host_access(BY_ENGINE, cpu, &t, false))
			frame_change(t.gfn, 1, F_STALE_LINE, 0);
	}
}

static void do_pvalidate(unsigned int cpu, const struct req *r)
{
	struct translation t;
	struct row row = { 0 };

	engine.reply = AIRLOCK_PVALIDATE_INPUT;
	if (!translate(cpu, r->pvalidate.va, "PVALIDATE", &row, &t))
		return;
	if (t.view != VIEW_PRIVATE)
		bad(LAB_BAD_PROTOCOL, "PVALIDATE through a mapping without C-bit");
	else
		engine.reply = host_pvalidate(t.gfn, r->pvalidate.large,
					      r->pvalidate.validate);
}

static void do_alloc(unsigned int cpu)
{
	count_call(cpu);
	if (host_may_fail()) {
		say("no page-table page to be had");
		/* This once, or for as long as somebody asks. */
		if (choose(2))
			lab->w.m.stuck = 1;
		engine.reply = AIRLOCK_NO_PAGE;
	} else if (lab->w.m.stuck) {
		engine.reply = AIRLOCK_NO_PAGE;
	} else {
		engine.reply = lab_take_table();
	}
}

static void do_free(uint64_t pa)
{
	struct mach *m = &lab->w.m;
	uint32_t t = (uint32_t)(pa >> 12) - GFN_TABLES;

	if (t >= LAB_TABLES || !(m->used >> t & 1)) {
		bad(LAB_BAD_PORT, "frees what is not a page-table page");
		return;
	}
	if (m->linked >> t & 1)
		bad(LAB_BAD_FREED_TABLE, "frees a page-table page in use");
	if (table_cached((uint32_t)(pa >> 12)))
		bad(LAB_BAD_FREED_TABLE,
		    "frees a page-table page that a CPU's paging-structure cache still points to");
	m->used &= ~(UINT32_C(1) << t);
	lab->w.mach_dirty = true;
}

/* The leaf entry of a frame that nobody claimed is changed only locked. */
static void police_pte(unsigned int cpu, const struct req *r)
{
	uint64_t old = pte_visible(cpu, r->pte.pa);
	uint64_t gpa = old & PTE_ADDR & ~(UINT64_C(1) << LAB_ENC_BIT);
	bool window = false;

	if (lab->w.m.lock == (int8_t)cpu)
		return;
	for (unsigned int s = 0; s < lab->nspots && !window; s++)
		window = lab->spot[s].role == SPOT_WINDOW &&
			lab->spot[s].owner == cpu_id(cpu) && lab->w.hw[cpu].pinned;
	if (window || !old)
		return;
	if (lab->holds((uint32_t)(gpa >> 12)) != AIRLOCK_PAGE_TRANSITION)
		bad(LAB_BAD_PORT,
		    "writes the entry of %s, which is not in transition, without the lock",
		    page_name((uint32_t)(gpa >> 12)));
}

static void do_shootdown(unsigned int cpu)
{
	struct hw *h = hw(cpu);

	if (!h->sent) {
		sb_drain(cpu);
		tlb_flush(cpu, h->flush, h->nflush, h->flush_all);
		h->waiting = (uint8_t)(((1u << lab->cfg.cpus) - 1) &
				       ~(1u << cpu));
		if (lab->cfg.flush == LAB_FLUSH_UNSYNCED)
			h->waiting = 0;
		h->sent = 1;
	}
}

static bool shootdown_done(unsigned int cpu)
{
	struct hw *h = hw(cpu);

	if (h->waiting)
		return false;
	h->sent = h->nflush = h->flush_all = 0;
	memset(h->flush, 0, sizeof(h->flush));
	return true;
}

void take_ipi(unsigned int cpu, unsigned int from)
{
	struct hw *h = hw(from);

	/* An interrupt drains; a broadcast comes without one. */
	if (lab->cfg.flush == LAB_FLUSH_IPI)
		sb_drain(cpu);
	tlb_flush(cpu, h->flush, h->nflush, h->flush_all);
	h->waiting &= (uint8_t)~(1u << cpu);
}

static void do_violation(const struct req *r)
{
	lab->w.m.hook = 1;
	lab->w.mach_dirty = true;
	if (!host_lied())
		bad(LAB_BAD_FALSE_ALARM, "an honest host is reported: %s",
		    airlock_strerror((int)r->violation.status));
	else
		check_report(r->violation.gpa, r->violation.pages);
}

static void do_invlpg(unsigned int cpu, const struct req *r)
{
	struct vrange one = { va_vpn(r->invlpg.va), 1 };

	tlb_flush(cpu, &one, 1, false);
}

static void carry_out(unsigned int cpu, const struct req *r)
{
	engine.reply = 0;
	if (r->kind >= REQ_SHOOTDOWN && r->kind <= REQ_HYPERCALL)
		sb_drain(cpu);
	switch (r->kind) {
	case REQ_LOCK:
	case REQ_UNLOCK:
		sb_drain(cpu);
		lab->w.m.lock = r->kind == REQ_LOCK ? (int8_t)cpu : -1;
		lab->w.mach_dirty = true;
		break;
	case REQ_PTE:
		police_pte(cpu, r);
		pte_store(cpu, r->pte.pa, r->pte.val);
		break;
	case REQ_ALLOC:
		do_alloc(cpu);
		break;
	case REQ_FREE:
		do_free(r->free.pa);
		break;
	case REQ_INVLPG:
		do_invlpg(cpu, r);
		break;
	case REQ_CACHE:
		do_cache(cpu, r);
		break;
	case REQ_PVALIDATE:
		do_pvalidate(cpu, r);
		break;
	case REQ_EVICT:
		do_evict(cpu, r);
		break;
	case REQ_VMGEXIT:
		engine.reply = host_vmgexit(cpu, r->vmgexit.msr);
		break;
	case REQ_TDCALL:
		engine.reply_td = r->td;
		host_tdcall(cpu, &engine.reply_td);
		break;
	case REQ_HYPERCALL:
		engine.reply = host_hypercall(cpu, r->hypercall.control,
					      r->hypercall.in);
		break;
	case REQ_SHARED_READ:
		host_shared_read((unsigned int)r->shared_read.offset,
				 (unsigned int)r->shared_read.size);
		break;
	case REQ_VIOLATION:
		do_violation(r);
		break;
	default:
		break;
	}
}

void request_now(unsigned int cpu, const struct req *r)
{
	carry_out(cpu, r);
}

/*
 * A call came back: judge it. Return: true when the CPU makes another one,
 * the other way. One that failed is the last.
 */
static bool finish(unsigned int cpu, const struct req *r)
{
	const struct airlock_outcome *out = &r->outcome;
	struct local done = { .req.kind = REQ_DONE };
	struct mach *m = &lab->w.m;

	sb_drain(cpu);
	check_return(cpu, out, airlock_strerror(out->status));
	m->calls[cpu] = 0;
	lab->w.mach_dirty = true;
	if (!out->status && round_of(m, cpu) + 1 < lab->cfg.rounds) {
		m->round[cpu / 2] = (uint8_t)(m->round[cpu / 2] +
					      (1u << (4 * (cpu & 1))));
		owner_writes(cpu);
		return true;
	}
	m->finished |= (uint8_t)(1u << cpu);
	lab->w.local_id[cpu] = intern(lab->blobs, &done, LOCAL_HEAD);
	return false;
}

bool step_enabled(unsigned int cpu)
{
	const struct hw *h = &lab->w.hw[cpu];

	switch (local_of(cpu)->req.kind) {
	case REQ_DONE:
		return false;
	case REQ_LOCK:
		return lab->w.m.lock == -1;
	case REQ_SHOOTDOWN:
		return !h->sent || !h->waiting;
	default:
		return true;
	}
}

/*
 * Reduced: requests that no one else can notice follow at once. Giving a lock
 * back commutes with everything another CPU can do before it takes the lock;
 * a CPU's own window is walked by that CPU alone.
 */
static bool quiet(unsigned int cpu, enum req_kind before,
		  const struct req *r)
{
	if (!lab->cfg.reduce || lab->w.bad)
		return false;
	switch (r->kind) {
	case REQ_UNLOCK:
	case REQ_INVLPG:
		return true;
	case REQ_PTE:
		return lab->w.hw[cpu].pinned;
	case REQ_SHOOTDOWN:
	case REQ_LOCK:
	case REQ_RETURN:
		return false;
	default:
		return before == REQ_LOCK || before == REQ_START;
	}
}

void step(unsigned int cpu)
{
	struct req r;
	enum req_kind before;

	engine_load(cpu);
	r = local_of(cpu)->req;
	do {
		before = r.kind;
		if (r.kind == REQ_RETURN) {
			if (!finish(cpu, &r))
				return;
		} else if (r.kind == REQ_SHOOTDOWN) {
			do_shootdown(cpu);
			if (!shootdown_done(cpu))
				return;
		} else {
			carry_out(cpu, &r);
		}
		if (lab->w.bad)
			return;
		engine_resume(cpu);
		r = local_of(cpu)->req;
	} while (quiet(cpu, before, &r));
}
