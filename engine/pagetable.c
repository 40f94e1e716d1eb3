// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * x86-64 page tables: walk, runs, writing entries, splitting and joining.
 *
 * A leaf entry, seen by the engine:
 *
 *   idle        present; nobody's
 *   claimed     present; the ledger says TRANSITION: one call's alone
 *   in flight   not present, all else kept (address, PS, G, NX, RW, PAT), so
 *               that a walk still finds the page
 *   lost        not present for ever; the ledger says QUARANTINE
 *
 * Whoever splits or joins a table holds the port's lock. A claimed entry is
 * read and written without: nobody splits a leaf for pages that are not its
 * own, and nobody joins a table over pages of which one is in TRANSITION, so
 * neither the entry nor the tables above it change under the call.
 *
 * Entries that the engine writes present have A and D set (D only where the
 * entry is writable: a read-only dirty entry is a shadow stack): the CPU then
 * has no reason to write them itself, and a split or a join loses no A or D
 * bit that it set in between.
 */

#include "engine.h"

#define IGNORE		(PTE_A | PTE_D)	/* when entries are compared */

static uint64_t leaf_bytes(unsigned int level)
{
	return airlock_leaf_pages(level) << AIRLOCK_PAGE_SHIFT;
}

/*
 * Walk to the leaf entry of @va, or to that of level @stop if it comes first.
 * Return: AIRLOCK_OK; AIRLOCK_E_HOLE where an entry above is not present,
 * which @w then shows; AIRLOCK_E_TABLE for an entry that cannot be.
 */
int airlock_pt_walk(const struct airlock *a, uint64_t va, unsigned int stop,
		    struct airlock_walk *w)
{
	unsigned int level = a->cfg.levels, shift = 3 + 9 * level;
	uint64_t table = a->cfg.root, above = 0, e;
	const uint64_t *entries;

	for (;; level--, shift -= 9) {
		entries = airlock_port_table(table);
		e = entries[va >> shift & 511];
		if (level == stop || (e & (PTE_P | PTE_PS)) != PTE_P)
			break;
		above |= e;
		table = e & a->addr;
	}
	w->table = table;
	w->entries = entries;
	w->index = va >> shift & 511;
	w->level = level;
	w->entry = e;
	w->split = above & PTE_SPLIT;
	if (level == stop || (level <= 3 && (e & PTE_PS)))
		return AIRLOCK_OK;
	return e & PTE_P ? AIRLOCK_E_TABLE : AIRLOCK_E_HOLE;
}

/* Where a leaf entry points. */
static uint64_t leaf_gpa(const struct airlock *a, uint64_t entry,
			 unsigned int level)
{
	return entry & a->addr & ~(leaf_bytes(level) - 1);
}

/* What four entries have that a run's would not, all or-ed. */
static uint64_t odd4(const uint64_t *e, uint64_t first, uint64_t b)
{
	return (e[0] ^ first) | (e[1] ^ (first + b)) |
		(e[2] ^ (first + 2 * b)) | (e[3] ^ (first + 3 * b));
}

/*
 * Entries of @w's table that go on from its own, which would be @first, as a
 * run does; at most @most. Eight at a time: this loop is what planning costs.
 */
static uint64_t row(const struct airlock_walk *w, uint64_t first,
		    uint64_t most)
{
	const uint64_t *e = &w->entries[w->index];
	uint64_t n = 512 - w->index, b = leaf_bytes(w->level), i = 0;

	if (n > most)
		n = most;
	for (; i + 8 <= n; i += 8, first += 8 * b)
		if ((odd4(&e[i], first, b) |
		     odd4(&e[i + 4], first + 4 * b, b)) & ~IGNORE)
			break;
	for (; i < n && !((e[i] ^ first) & ~IGNORE); i++)
		first += b;
	return i;
}

/*
 * The longest run at @va, at most @pages. @run->pos is left alone.
 * Return: AIRLOCK_OK, AIRLOCK_E_HOLE, AIRLOCK_E_TABLE.
 */
int airlock_pt_run(const struct airlock *a, uint64_t va, uint64_t pages,
		   struct airlock_run *run)
{
	struct airlock_walk w;
	unsigned int shift;
	uint64_t bytes, off, want, n, more;
	int status = airlock_pt_walk(a, va, 1, &w);

	if (status)
		return status;
	if (!w.entry)
		return AIRLOCK_E_HOLE;
	bytes = leaf_bytes(w.level);
	off = va & (bytes - 1);
	run->va = va;
	run->gpa = leaf_gpa(a, w.entry, w.level) + off;
	run->entry = w.entry;
	run->pte = w.table + w.index * 8;
	run->level = w.level;
	run->split = w.split;

	shift = 9 * (w.level - 1);
	off >>= AIRLOCK_PAGE_SHIFT;
	want = (off + pages + (UINT64_C(1) << shift) - 1) >> shift;
	n = more = want > 1 ? row(&w, run->entry, want) : 1;
	while (n < want && w.index + more == 512) {
		va = run->va + (((n << shift) - off) << AIRLOCK_PAGE_SHIFT);
		if (airlock_pt_walk(a, va, 1, &w) || w.level != run->level)
			break;
		more = row(&w, run->entry + n * bytes, want - n);
		n += more;
		run->split |= w.split;
	}
	run->pages = (n << shift) - off;
	if (run->pages > pages)
		run->pages = pages;
	return AIRLOCK_OK;
}

/* Entries of one table, leaving those of quarantined pages alone. */
static void write_certain(const struct airlock *a, uint64_t pte,
			  uint64_t entry, uint64_t n, unsigned int level)
{
	for (; n; n--, pte += 8, entry += leaf_bytes(level))
		if (airlock_page(a, leaf_gpa(a, entry, level)) !=
		    AIRLOCK_PAGE_QUARANTINE)
			airlock_port_pte_write(pte, entry);
}

/* All entries of a run, table by table. */
static NOINLINE void write_run(const struct airlock *a,
			       const struct airlock_run *run, uint64_t entry,
			       uint64_t n, bool skip_quarantine)
{
	uint64_t bytes = leaf_bytes(run->level), pte = run->pte, m;
	uint64_t va = run->va;
	struct airlock_walk w;

	for (;;) {
		m = 512 - (pte >> 3 & 511);
		if (m > n)
			m = n;
		n -= m;
		if (skip_quarantine)
			write_certain(a, pte, entry, m, run->level);
		else if (run->level == 1)	/* a step the compiler knows */
			airlock_pt_put(pte, entry, AIRLOCK_PAGE_SIZE, m);
		else
			airlock_pt_put(pte, entry, bytes, m);
		if (!n)
			return;
		va += m * bytes;
		entry += m * bytes;
		if (airlock_pt_walk(a, va, 1, &w))
			return;
		pte = w.table + w.index * 8;
	}
}

/*
 * Write all entries of a claimed run, the first of them as @entry.
 * A quarantined page takes the whole leaf with it, so the first page of a
 * leaf speaks for all: see host.c.
 */
void airlock_pt_write(const struct airlock *a, const struct airlock_run *run,
		      uint64_t entry, bool skip_quarantine)
{
	uint64_t n = run->pages >> (9 * (run->level - 1));

	/* One leaf: the usual call. */
	if (n == 1 && !skip_quarantine)
		airlock_port_pte_write(run->pte, entry);
	else
		write_run(a, run, entry, n, skip_quarantine);
}

/*
 * How many tables must be made so that no leaf goes across @va?
 * @seen: the 1G and the 2M region counted last, so that neighbours in one
 * leaf, the usual case, count once. Counting twice is harmless: the surplus
 * goes back.
 */
unsigned int airlock_pt_edge(const struct airlock *a, uint64_t va,
			     uint64_t seen[2])
{
	struct airlock_walk w;
	unsigned int n = 0;

	if (airlock_pt_walk(a, va, 1, &w) || w.level == 1 ||
	    !(va & (leaf_bytes(w.level) - 1)))
		return 0;
	if (w.level == 3 && seen[0] != va >> 30) {
		seen[0] = va >> 30;
		n++;
	}
	if (va & (SIZE_2M - 1) && seen[1] != va >> 21) {
		seen[1] = va >> 21;
		n++;
	}
	return n;
}

/* Pages for tables are chained through their first entry, which is no entry
 * yet: nothing points to them. */
void airlock_spare_put(struct airlock_call *c, uint64_t pa)
{
	airlock_port_pte_write(pa, c->spare);
	c->spare = pa;
	c->spares++;
}

uint64_t airlock_spare_take(struct airlock_call *c)
{
	uint64_t pa = c->spare;

	c->spare = airlock_port_table(pa)[0];
	c->spares--;
	return pa;
}

/* The first of the 512 entries that say together what a large one says. */
static uint64_t split_entry(uint64_t large, unsigned int level)
{
	uint64_t e = large | PTE_A | (large & PTE_RW ? PTE_D : 0);

	if (level == 3)
		return e;
	e &= ~(PTE_PS | PTE_PAT_LARGE);
	return large & PTE_PAT_LARGE ? e | PTE_PS : e;
}

/* And back. */
static uint64_t join_entry(uint64_t first, unsigned int level)
{
	uint64_t e = first | PTE_A | (first & PTE_RW ? PTE_D : 0);

	if (level == 3)
		return e;
	return (e & PTE_PS ? e | PTE_PAT_LARGE : e) | PTE_PS;
}

/*
 * Replace one large leaf by a table that says the same. The table is filled
 * before anything points to it.
 *
 * No flush here, unlike Linux's __split_large_page(). TLBs may go on using
 * the large translation, or use both sizes, as long as the two agree (Intel
 * SDM vol. 3, 4.10.2.3), and they agree until an entry in the new table
 * changes. The shootdown that follows that change covers its address, and
 * INVLPG of any address in a large page drops the whole large entry.
 */
static void split(struct airlock_call *c, const struct airlock_walk *w)
{
	uint64_t entry = w->entry, at = w->table + w->index * 8;
	unsigned int level = w->level;
	uint64_t pa = airlock_spare_take(c), e = split_entry(entry, level);

	airlock_pt_put(pa, e, leaf_bytes(level - 1), 512);
	airlock_port_pte_write(at, pa | c->a->cfg.table_attr | PTE_A |
			       PTE_SPLIT | (entry & PTE_US));
}

/* Make @va a border between leaves. Caller holds the lock and has spares. */
void airlock_pt_split(struct airlock_call *c, uint64_t va)
{
	struct airlock_walk w;

	while (!airlock_pt_walk(c->a, va, 1, &w) && w.level > 1 &&
	       va & (leaf_bytes(w.level) - 1))
		split(c, &w);
}

/* Do the 512 entries of a table say together what one large one could? */
static bool uniform(const struct airlock *a, uint64_t table,
		    unsigned int level, uint64_t *first)
{
	struct airlock_walk w = { .level = level - 1 };
	enum airlock_page state;
	uint64_t gpa;

	w.entries = airlock_port_table(table);
	*first = w.entries[0];
	gpa = leaf_gpa(a, *first, level - 1);
	if (!(*first & PTE_P) || (level == 3 && !(*first & PTE_PS)) ||
	    gpa & (leaf_bytes(level) - 1) ||
	    gpa + leaf_bytes(level) > a->cfg.memory)
		return false;
	state = airlock_page(a, gpa);
	if (state != AIRLOCK_PAGE_PRIVATE && state != AIRLOCK_PAGE_SHARED)
		return false;
	return airlock_ledger_all(a, gpa, airlock_leaf_pages(level), state,
				  NULL) &&
	       row(&w, *first, 512) == 512;
}

/*
 * Put one large leaf in the place of a table that a split made.
 *
 * No flush: what TLBs hold of the small entries is what the large one says.
 * But a CPU may remember where the table is, and read it for a walk:
 *
 *   CPU 0                              CPU 1
 *                                      walks, caches "2M at va: table T"
 *   joins, frees T
 *   (T is given out, overwritten)      walks from its cache, reads T
 *
 * So T keeps what it says and goes on the retired list; the next shootdown
 * covers it, and only then is it free. Until it, no page of the region can
 * have changed state: that takes a shootdown first.
 */
static bool join(struct airlock *a, uint64_t va, unsigned int level)
{
	struct airlock_walk w;
	uint64_t first, table, at;

	if (airlock_pt_walk(a, va, level, &w) || w.level != level ||
	    (w.entry & (PTE_P | PTE_PS | PTE_SPLIT)) != (PTE_P | PTE_SPLIT))
		return false;
	table = w.entry & a->addr;
	at = w.table + w.index * 8;
	if (a->nretired == RETIRED || !uniform(a, table, level, &first))
		return false;
	airlock_port_pte_write(at, join_entry(first, level));
	a->retired[a->nretired++] = (struct airlock_retired){
		.pa = table, .va = va & ~(leaf_bytes(level) - 1),
		.pages = airlock_leaf_pages(level),
	};
	return true;
}

/* Join what can be joined of the leaves that map these pages. Caller holds
 * the lock; the ledger says what is true now. */
void airlock_pt_join(struct airlock *a, uint64_t va, uint64_t pages)
{
	uint64_t end = va + (pages << AIRLOCK_PAGE_SHIFT);
	struct airlock_walk w;

	if (a->cfg.features & AIRLOCK_F_NO_REJOIN)
		return;
	while (va < end) {
		uint64_t step = SIZE_2M;

		join(a, va, 2);
		if (!airlock_pt_walk(a, va, 1, &w) && w.level == 3)
			step = leaf_bytes(3);
		va = (va & ~(step - 1)) + step;
		if (!va || va >= end || !(va & (leaf_bytes(3) - 1)))
			join(a, va - step, 3);
		if (!va)
			return;
	}
}
