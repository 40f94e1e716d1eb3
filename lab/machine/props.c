// SPDX-License-Identifier: GPL-2.0
/*
 * What must hold. docs/lab.md lists the properties in words; each is judged
 * here and nowhere else, except for what an instruction itself meets (host.c,
 * step.c) and the rules of port.h (engine.c).
 */
#include "machine.h"

#include <string.h>

static bool native(void)
{
	return lab->cfg.platform == AIRLOCK_TDX ||
		lab->cfg.platform == AIRLOCK_SNP;
}

/* ---- what a reader or a bystander meets ---- */

void check_spot(unsigned int cpu, const struct spot *p,
		const struct translation *t)
{
	bool bystander = p->role == SPOT_BYSTANDER;

	lab->accesses++;
	if (!t->present) {
		if (bystander)
			bad(LAB_BAD_BYSTANDER,
			    "CPU%u uses %s, outside every range, and faults",
			    cpu_id(cpu), p->name);
		return;
	}
	if (t->gfn != p->gfn)
		bad(LAB_BAD_DATA, "CPU%u reads %s and gets %s",
		    cpu_id(cpu), p->name, page_name(t->gfn));
	host_access(bystander ? BY_BYSTANDER : BY_READER, cpu, t, false);
}

/* Nothing that can be met at this spot changes or breaks anything. */
bool spot_quiet(unsigned int cpu, const struct spot *p)
{
	struct translation t[24];
	unsigned int n = translations(cpu, p->vpn, t, 24);

	for (unsigned int i = 0; i < n; i++) {
		if (!t[i].present) {
			if (p->role == SPOT_BYSTANDER)
				return false;
			continue;
		}
		if (t[i].gfn != p->gfn ||
		    !host_access(BY_READER, cpu, &t[i], true))
			return false;
	}
	lab->accesses += n;
	return true;
}

/* ---- every state ---- */

static void check_lines(const struct mach *m)
{
	for (unsigned int i = 0; i < m->nruns; i++) {
		uint16_t f = m->run[i].flags;
		bool shared = f & F_SHARED;

		if ((f & F_DIRTY_P) && shared)
			bad(LAB_BAD_CACHE,
			    "%s is shared while a dirty line filled as private is in the cache: it can be written back over the host's data",
			    page_name(m->run[i].gfn));
		if ((f & F_DIRTY_S) && !shared && (f & F_VALID))
			bad(LAB_BAD_CACHE,
			    "%s is private while a dirty line filled as shared is in the cache: it can be written back over the guest's data",
			    page_name(m->run[i].gfn));
	}
}

static void believe(const struct spot *p)
{
	uint16_t f = frame_get(p->gfn);

	switch (lab->holds(p->gfn)) {
	case AIRLOCK_PAGE_PRIVATE:
		if ((f & F_SHARED) || !(f & F_VALID))
			bad(LAB_BAD_THOUGHT_PRIVATE,
			    "the guest holds %s for private; the host holds it %s",
			    p->name, f & F_SHARED ? "shared" :
			    "private, not accepted");
		break;
	case AIRLOCK_PAGE_SHARED:
		if (!(f & F_SHARED))
			bad(LAB_BAD_THOUGHT_SHARED,
			    "the guest holds %s for shared; the host holds it private",
			    p->name);
		break;
	default:
		break;
	}
}

/*
 * A hostile host can take any page at any time, and say that it shared one
 * when it did not. What it must never bring about is that the guest believes
 * a page private that it made shared when asked, and the guest never took
 * back.
 */
static void believe_hostile(const struct spot *p)
{
	uint16_t f = frame_get(p->gfn);

	if (!(f & F_TAMPERED) && ((f & F_SHARED) || !(f & F_VALID)) &&
	    lab->holds(p->gfn) == AIRLOCK_PAGE_PRIVATE)
		bad(LAB_BAD_THOUGHT_PRIVATE,
		    "the guest holds %s for private; it never took it back from the host",
		    p->name);
}

/* Nothing wrong can be held of such a frame: the usual case, and quick. */
static bool believed(uint32_t gfn)
{
	uint16_t f = frame_get(gfn);
	enum airlock_page s = lab->holds(gfn);

	return s == AIRLOCK_PAGE_PRIVATE ? !(f & F_SHARED) && (f & F_VALID) :
		s != AIRLOCK_PAGE_SHARED || (f & F_SHARED);
}

static void check_belief(void (*f)(const struct spot *p))
{
	for (unsigned int s = 0; s < lab->nspots; s++)
		if (lab->spot[s].role == SPOT_RANGE)
			f(&lab->spot[s]);
	if (!has_row())
		return;
	for (unsigned int i = 0; i < lab->cfg.pages; i++)
		if (!believed(row_gfn() + i))
			f(spot_number(ROW + i));
}

static void check_window_guard(void)
{
	for (unsigned int c = 0; c < windows(); c++) {
		uint64_t slot = LAB_WINDOW + c * AIRLOCK_WINDOW_STRIDE +
			AIRLOCK_WINDOW_STRIDE / 2;

		if (walk(c, va_vpn(slot - 4096)).present)
			bad(LAB_BAD_WINDOW, "the page before CPU%u's window is mapped",
			    c);
	}
}

void check_state(void)
{
	if (has_host_state()) {
		if (!host_lied())
			check_lines(&lab->w.m);
		if (!host_lied())
			check_belief(believe);
		else
			check_belief(believe_hostile);
	}
	if (lab->w.tables_dirty)
		check_window_guard();
	if (lab->cfg.leaf_2m)
		for (unsigned int c = 0; c < lab->cfg.cpus; c++)
			if (lab->w.hw_dirty[c] || lab->w.tables_dirty)
				tlb_check_sizes(c);
}

/* ---- the end of a call ---- */

struct tally {
	uint64_t old, new, quarantined, other;
};

static uint8_t view_of_state(enum airlock_page s)
{
	return s == AIRLOCK_PAGE_SHARED ? VIEW_SHARED : VIEW_PRIVATE;
}

/* One mapping of a page, on every CPU, now that its owner may use it. */
static void check_mapping(const struct spot *p, enum airlock_page state)
{
	bool gone = state == AIRLOCK_PAGE_QUARANTINE;

	for (unsigned int c = 0; c < lab->cfg.cpus; c++) {
		struct translation t[24];
		unsigned int n = translations(c, p->vpn, t, 24);

		for (unsigned int i = 0; i < n; i++) {
			if (!t[i].present && (gone || p->role == SPOT_LAZY))
				continue;
			if (!t[i].present)
				bad(LAB_BAD_CONTRACT, "%s is not present after the call",
				    p->name);
			else if (gone)
				bad(LAB_BAD_CONTRACT,
				    "%s is in quarantine and CPU%u can reach it",
				    p->name, cpu_id(c));
			else if (t[i].view != view_of_state(state) ||
				 t[i].gfn != p->gfn)
				bad(LAB_BAD_STALE,
				    "the call is over and CPU%u can still hold %s as %s",
				    cpu_id(c), p->name, t[i].view == VIEW_PRIVATE ?
				    "private" : "shared");
		}
	}
}

/* Did the host fail or lie about it, or is it not what it was? */
static bool doubtful(uint32_t gfn, bool was_private)
{
	uint16_t f = frame_get(gfn);

	return f & (F_DOUBT | F_TAMPERED) ||
		(was_private ? f & F_SHARED || !(f & F_VALID) :
		 !(f & F_SHARED));
}

void check_report(uint64_t gpa, uint64_t pages)
{
	uint32_t gfn = (uint32_t)(gpa >> 12);

	if (lab->w.m.muddled)
		return;
	if (gfn >= GFN_END || pages > GFN_END - gfn ||
	    !(frame_get(gfn) & F_RANGE)) {
		bad(LAB_BAD_HOOK, "the report is of %llu page(s) at %#llx, not of the range",
		    (unsigned long long)pages, (unsigned long long)gpa);
		return;
	}
	if (!pages || !(frame_get(gfn) & (F_DOUBT | F_TAMPERED)))
		bad(LAB_BAD_HOOK, "the report is of %llu page(s) from %s, of which the host said nothing wrong",
		    (unsigned long long)pages, page_name(gfn));
}

/* A large leaf goes whole: one page of it is enough. */
static void check_lost(unsigned int cpu, const struct spot *p)
{
	bool private = direction(lab, cpu) == AIRLOCK_TO_SHARED;
	uint32_t at = p->gfn, end = at + 1;
	unsigned int level;

	leaf_entry(cpu, p->vpn, &level);
	if (level > 1) {
		at &= ~511u;
		end = at + 512;
	}
	while (at < end && !doubtful(at, private))
		at++;
	if (at == end && !lab->w.m.muddled)
		bad(LAB_BAD_CONTRACT, "%s is in quarantine, and no one failed or lied about it",
		    p->name);
}

/*
 * Attributes come back as they were. What the engine wrote present has A and
 * D, so that hardware does not write to it.
 */
static void check_attributes(unsigned int cpu, const struct spot *p,
			     bool written)
{
	uint64_t mask = PTE_RW | PTE_G | PTE_NX | PTE_SOFT, e, pat;
	unsigned int level;

	e = leaf_entry(cpu, p->vpn, &level);
	if (p->role == SPOT_LAZY)
		return;
	pat = e & (level > 1 ? PTE_PAT_LARGE : PTE_PAT_4K);
	if ((e & mask) != mask || !pat == has_pat(p->vpn))
		bad(LAB_BAD_CONTRACT, "the entry of %s has lost an attribute: %#llx",
		    p->name, (unsigned long long)e);
	if (written && (e & PTE_P) && ~e & (PTE_A | PTE_D))
		bad(LAB_BAD_CONTRACT, "the entry of %s is left without A and D",
		    p->name);
}

static void check_page(unsigned int cpu, const struct spot *p,
		       enum airlock_page state, bool written)
{
	uint16_t f = frame_get(p->gfn);

	check_mapping(p, state);
	check_attributes(cpu, p, written);
	if (p->role == SPOT_RANGE && state == AIRLOCK_PAGE_QUARANTINE)
		check_lost(cpu, p);
	if (p->role != SPOT_RANGE || state == AIRLOCK_PAGE_QUARANTINE)
		return;
	if ((f & F_STALE_LINE) && state == AIRLOCK_PAGE_PRIVATE && !host_lied())
		bad(LAB_BAD_EVICT,
		    "%s is private again and a stale line of it can reach a reader",
		    p->name);
	if (!native() && ((f & F_DIRTY_P) || (f & F_DIRTY_S)) &&
	    (state == AIRLOCK_PAGE_SHARED ? f & F_DIRTY_P : f & F_DIRTY_S))
		bad(LAB_BAD_CACHE,
		    "%s: a dirty line filled under the other C-bit can be written back over it",
		    p->name);
}

static void count_pages(unsigned int cpu, struct tally *y)
{
	bool share = direction(lab, cpu) == AIRLOCK_TO_SHARED;
	unsigned int n = lab->nranges[cpu];

	for (unsigned int i = 0; i < n; i++)
		for (uint64_t k = 0; k < lab->range[cpu][i].pages; k++) {
			uint32_t vpn = va_vpn(lab->range[cpu][i].va) +
				(uint32_t)k;
			uint32_t gfn = 0;

			if (!spot_gfn(vpn, &gfn))
				continue;
			switch (lab->holds(gfn)) {
			case AIRLOCK_PAGE_PRIVATE:
				*(share ? &y->old : &y->new) += 1;
				break;
			case AIRLOCK_PAGE_SHARED:
				*(share ? &y->new : &y->old) += 1;
				break;
			case AIRLOCK_PAGE_QUARANTINE:
				y->quarantined++;
				break;
			default:
				y->other++;
			}
		}
}

static void check_sums(unsigned int cpu, const struct airlock_outcome *o)
{
	struct tally y = { 0 };

	count_pages(cpu, &y);
	if (y.other)
		bad(LAB_BAD_CONTRACT, "the call is over and %llu page(s) are in transition",
		    (unsigned long long)y.other);
	if (o->converted != y.new || o->quarantined != y.quarantined ||
	    (o->reverted && o->reverted != y.old))
		bad(LAB_BAD_CONTRACT,
		    "outcome: %llu converted, %llu reverted, %llu quarantined; ledger: %llu, %llu, %llu",
		    (unsigned long long)o->converted,
		    (unsigned long long)o->reverted,
		    (unsigned long long)o->quarantined,
		    (unsigned long long)y.new, (unsigned long long)y.old,
		    (unsigned long long)y.quarantined);
	if (o->status == AIRLOCK_OK && (y.old || y.quarantined))
		bad(LAB_BAD_CONTRACT, "success, but not all pages were converted");
	if (o->status != AIRLOCK_OK && o->status < 64 &&
	    (y.new || y.quarantined))
		bad(LAB_BAD_CONTRACT, "status %d says that nothing changed",
		    o->status);
}

/* The last page of a split leaf came back: it is one leaf again. */
static void check_joined(unsigned int cpu, const struct airlock_outcome *o)
{
	const struct airlock_range *r = &lab->range[cpu][0];
	const struct lab_config *c = &lab->cfg;

	if (!c->leaf_2m || c->converters > 1 || c->reclaim ||
	    direction(lab, cpu) != AIRLOCK_TO_PRIVATE || o->status)
		return;
	if (c->vmalloc) {
		/* Its alias, the direct map, is what was split. */
		if (walk(cpu, GFN_CHUNK).level != 2)
			bad(LAB_BAD_CONTRACT, "the last page came back and the leaf of its alias is still split");
		return;
	}
	if ((!c->mixed && walk(cpu, va_vpn(r->va)).level != 2) ||
	    walk(cpu, va_vpn(r->va) + (uint32_t)r->pages - 1).level != 2)
		bad(LAB_BAD_CONTRACT, "the last page came back and the leaf is still split");
}

void check_return(unsigned int cpu, const struct airlock_outcome *o,
		  const char *status)
{
	bool busy = o->status == AIRLOCK_E_BUSY ||
		o->status == AIRLOCK_E_STATE ||
		o->status == AIRLOCK_E_QUARANTINED;
	bool written = !o->status || o->status >= AIRLOCK_E_REFUSED;

	if (lab->w.m.lock == (int8_t)cpu)
		bad(LAB_BAD_PORT, "returns with the lock held");
	if (lab->w.hw[cpu].pinned)
		bad(LAB_BAD_PORT, "returns pinned");
	if (lab->w.m.caught && !lab->w.m.hook && lab->cfg.converters == 1)
		bad(LAB_BAD_HOOK, "the host lied where it shows, and nobody was told");
	if (lab->cfg.overlap == LAB_OVERLAP_SAME && busy)
		return;
	if (o->status && o->status < 32)
		bad(LAB_BAD_CONTRACT, "refused: %s", status);
	if (o->status && lab->cfg.host == LAB_HOST_SLOW)
		bad(LAB_BAD_CONTRACT, "an honest host, slow, is given up: %s",
		    status);
	check_sums(cpu, o);
	check_joined(cpu, o);
	for (unsigned int s = 0; s < lab->nspots; s++) {
		const struct spot *p = &lab->spot[s];

		if ((p->role == SPOT_RANGE || p->role == SPOT_ALIAS ||
		     p->role == SPOT_LAZY) &&
		    (p->owner == cpu || lab->cfg.overlap == LAB_OVERLAP_SAME))
			check_page(cpu, p, lab->holds(p->gfn), written);
		if (p->role != SPOT_BYSTANDER)
			continue;
		check_attributes(cpu, p, false);
		if (lab->holds(p->gfn) != AIRLOCK_PAGE_PRIVATE)
			bad(LAB_BAD_CONTRACT,
			    "%s, outside every range, is not private in the ledger",
			    p->name);
	}
	for (unsigned int i = 0; has_row() && i < lab->cfg.pages; i++)
		check_page(cpu, spot_number(ROW + i),
			   lab->holds(row_gfn() + i), written);
}
