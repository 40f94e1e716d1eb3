// SPDX-License-Identifier: GPL-2.0
/*
 * Page tables in memory, store buffers, walks and TLBs.
 *
 * Who sees what. A CPU's store waits in its store buffer until it drains to
 * memory, oldest first (x86-TSO). Its own walks see the store at once; those
 * of others see memory.
 *
 * What a TLB may hold. Hardware fills an entry from any present translation
 * at any time, by speculation, and drops any at any time. With cfg.reduce off
 * fills, drops and drains are events of their own. With it on, they are not:
 *
 *   - a CPU's TLB holds every translation that it could have filled since the
 *     last flush. The entries kept in struct hw are only those that a walk
 *     does not give any more (stale ones); those that it does give need no
 *     entry.
 *   - a store drains only when it must, and meanwhile another CPU's walk may
 *     or may not see it.
 *
 * Whatever one access could meet in the machine with events, it can meet in
 * the machine without, and the other way round: a fill as early as possible
 * and a drop never leave the largest choice, and every smaller choice is a
 * subset of it. docs/lab.md has the argument; the tests compare both.
 */
#include "machine.h"

#include <err.h>
#include <string.h>

#define WALKS 24	/* translations that a CPU may have of one page */

struct walked {
	struct translation t[WALKS];
	unsigned int n;
};

static unsigned int table_number(uint64_t pa)
{
	uint64_t t = (pa >> 12) - GFN_TABLES;

	if (t >= LAB_TABLES)
		errx(1, "lab: %#llx is not a page-table page",
		     (unsigned long long)pa);
	return (unsigned int)t;
}

uint64_t table_gpa(unsigned int t)
{
	return (uint64_t)(GFN_TABLES + t) << 12;
}

const uint64_t *table_page(unsigned int t)
{
	return intern_get(lab->pages, lab->w.t.id[t]);
}

static uint64_t pte_memory(uint64_t pa)
{
	return table_page(table_number(pa))[(pa & 0xfff) / 8];
}

/* Memory as it is when each CPU c has drained its first depth[c] stores. */
static uint64_t pte_at(uint64_t pa, const uint8_t *depth)
{
	uint64_t v = pte_memory(pa);
	uint32_t any;

	_Static_assert(sizeof(any) == LAB_MAX_CPUS, "one byte a CPU");
	memcpy(&any, depth, sizeof(any));
	if (!any)
		return v;
	for (unsigned int c = 0; c < lab->cfg.cpus; c++) {
		const struct hw *h = &lab->w.hw[c];

		for (unsigned int i = 0; i < depth[c]; i++)
			if (h->sb[i].pa == pa)
				v = h->sb[i].val;
	}
	return v;
}

static void own_depth(unsigned int cpu, uint8_t *depth)
{
	memset(depth, 0, LAB_MAX_CPUS);
	depth[cpu] = lab->w.hw[cpu].nsb;
}

uint64_t pte_visible(unsigned int cpu, uint64_t pa)
{
	uint8_t depth[LAB_MAX_CPUS];

	own_depth(cpu, depth);
	return pte_at(pa, depth);
}

static uint8_t view_of(uint64_t pte)
{
	bool set = pte >> LAB_ENC_BIT & 1;

	if (lab->cfg.platform == AIRLOCK_PLAIN)
		return VIEW_PRIVATE;
	return set == pte_private_set(lab->cfg.platform) ? VIEW_PRIVATE :
		VIEW_SHARED;
}

static uint32_t gfn_of(uint64_t pte)
{
	return (uint32_t)((pte & PTE_ADDR &
			   ~(UINT64_C(1) << LAB_ENC_BIT)) >> 12);
}

static struct translation leaf(uint64_t e, unsigned int level, uint32_t vpn)
{
	uint32_t inside = (UINT32_C(1) << (9 * (level - 1))) - 1;

	return (struct translation){
		.gfn = (gfn_of(e) & ~inside) | (vpn & inside),
		.level = (uint8_t)level, .view = view_of(e), .present = true,
	};
}

static uint64_t entry_pa(uint64_t table, unsigned int level, uint32_t vpn)
{
	uint64_t va = vpn_va(vpn);

	return table + (va >> (12 + 9 * (level - 1)) & 511) * 8;
}

/* Walk from @table down; @path, if given, receives the entries met. */
static struct translation walk_from(uint64_t table, unsigned int level,
				    uint32_t vpn, const uint8_t *depth,
				    uint64_t *path)
{
	for (; level > 0; level--) {
		uint64_t pa = entry_pa(table, level, vpn);
		uint64_t e = pte_at(pa, depth);

		if (path)
			path[level - 1] = pa;
		if (!(e & PTE_P))
			break;
		if (level == 1 || (e & PTE_PS))
			return leaf(e, level, vpn);
		if (view_of(e) != VIEW_PRIVATE)
			bad(LAB_BAD_PROTOCOL,
			    "page-table page reached through a shared entry");
		table = (uint64_t)gfn_of(e) << 12;
	}
	return (struct translation){ .present = false };
}

struct translation walk(unsigned int cpu, uint32_t vpn)
{
	uint8_t depth[LAB_MAX_CPUS];

	own_depth(cpu, depth);
	return walk_from(table_gpa(0), 4, vpn, depth, NULL);
}

/* The leaf entry of @vpn, present or not, and its level. */
uint64_t leaf_entry(unsigned int cpu, uint32_t vpn, unsigned int *level)
{
	uint64_t table = table_gpa(0), e;

	for (*level = 4; ; --*level) {
		e = pte_visible(cpu, entry_pa(table, *level, vpn));
		if (*level == 1 || (e & PTE_PS) || !(e & PTE_P))
			return e;
		table = (uint64_t)gfn_of(e) << 12;
	}
}

static bool same(const struct translation *a, const struct translation *b)
{
	return a->present == b->present && a->gfn == b->gfn &&
		a->level == b->level && a->view == b->view;
}

static void add_walk(struct walked *w, struct translation t)
{
	for (unsigned int i = 0; i < w->n; i++)
		if (same(&w->t[i], &t))
			return;
	if (w->n == WALKS)
		errx(3, "lab: more than %d translations of one page", WALKS);
	w->t[w->n++] = t;
}

/*
 * Every outcome of a walk: as memory is, plus, reduced, as it is with any
 * number of the others' waiting stores drained, plus walks that begin at a
 * paging-structure cache entry that no longer is what the tables say.
 */
static void walks(unsigned int cpu, uint32_t vpn, struct walked *w)
{
	const struct hw *h = &lab->w.hw[cpu];
	uint8_t depth[LAB_MAX_CPUS];

	own_depth(cpu, depth);
	w->n = 0;
	for (;;) {
		unsigned int c;

		add_walk(w, walk_from(table_gpa(0), 4, vpn, depth, NULL));
		for (c = 0; c < lab->cfg.cpus; c++) {
			if (c == cpu || !lab->cfg.reduce)
				continue;
			if (depth[c] < lab->w.hw[c].nsb) {
				depth[c]++;
				break;
			}
			depth[c] = 0;
		}
		if (c == lab->cfg.cpus)
			break;
	}
	own_depth(cpu, depth);
	for (unsigned int i = 0; i < h->npsc; i++)
		if ((vpn & ~511u) == h->psc[i].vpn)
			add_walk(w, walk_from((uint64_t)h->psc[i].table << 12,
					      1, vpn, depth, NULL));
}

static bool covers(const struct tlbe *e, uint32_t vpn)
{
	uint32_t inside = (UINT32_C(1) << (9 * (e->level - 1))) - 1;

	return e->level == 1 ? vpn - e->vpn < e->many :
		e->vpn == (vpn & ~inside);
}

static struct translation through(const struct tlbe *e, uint32_t vpn)
{
	return (struct translation){
		.gfn = e->gfn + (vpn - e->vpn), .level = e->level,
		.view = e->view, .present = true,
	};
}

/*
 * Every translation that an access of @cpu to @vpn may use. A TLB hit comes
 * before a walk; reduced, whether there is a hit is itself open.
 */
unsigned int translations(unsigned int cpu, uint32_t vpn,
			  struct translation *t, unsigned int max)
{
	const struct hw *h = &lab->w.hw[cpu];
	struct walked w = { .n = 0 };

	for (unsigned int i = 0; i < h->ntlb; i++)
		if (covers(&h->tlb[i], vpn))
			add_walk(&w, through(&h->tlb[i], vpn));
	if (!w.n || lab->cfg.reduce) {
		struct walked more;

		walks(cpu, vpn, &more);
		for (unsigned int i = 0; i < more.n; i++)
			add_walk(&w, more.t[i]);
	}
	if (w.n > max)
		errx(3, "lab: more than %u translations of one page", max);
	memcpy(t, w.t, w.n * sizeof(*t));
	return w.n;
}

/* What the TLB may take now. */
unsigned int fillable(unsigned int cpu, uint32_t vpn, struct translation *t,
		      unsigned int max)
{
	struct walked w;

	walks(cpu, vpn, &w);
	if (w.n > max)
		errx(3, "lab: more than %u translations of one page", max);
	memcpy(t, w.t, w.n * sizeof(*t));
	return w.n;
}

static int tlbe_order(const struct tlbe *a, const struct tlbe *b)
{
	return memcmp(a, b, sizeof(*a));
}

static void tlb_remove(struct hw *h, unsigned int i)
{
	memmove(&h->tlb[i], &h->tlb[i + 1],
		(h->ntlb - i - 1u) * sizeof(h->tlb[0]));
	h->ntlb--;
	memset(&h->tlb[h->ntlb], 0, sizeof(h->tlb[0]));
}

/* One goes on from the other, or lies in it: a row. */
static bool one_row(const struct tlbe *a, const struct tlbe *b)
{
	return a->level == 1 && b->level == 1 && a->view == b->view &&
		a->gfn - a->vpn == b->gfn - b->vpn &&
		a->vpn <= b->vpn + b->many && b->vpn <= a->vpn + a->many;
}

/* Make @e longer by what it touches, which goes. */
static void absorb(struct hw *h, struct tlbe *e)
{
	for (unsigned int i = 0; i < h->ntlb; ) {
		struct tlbe t = h->tlb[i];
		uint32_t end = e->vpn + e->many;

		if (!one_row(e, &t)) {
			i++;
			continue;
		}
		if (t.vpn + t.many > end)
			end = t.vpn + t.many;
		if (t.vpn < e->vpn) {
			e->vpn = t.vpn;
			e->gfn = t.gfn;
		}
		e->many = (uint16_t)(end - e->vpn);
		tlb_remove(h, i);
		i = 0;
	}
}

static void tlb_add(struct hw *h, struct tlbe e)
{
	unsigned int i = 0;

	while (i < h->ntlb && tlbe_order(&h->tlb[i], &e) < 0)
		i++;
	if (i < h->ntlb && !tlbe_order(&h->tlb[i], &e))
		return;
	if (h->ntlb == LAB_TLB)
		errx(3, "lab: more than %d TLB entries", LAB_TLB);
	memmove(&h->tlb[i + 1], &h->tlb[i], (h->ntlb - i) * sizeof(e));
	h->tlb[i] = e;
	h->ntlb++;
}

void tlb_fill(unsigned int cpu, const struct translation *t, uint32_t vpn)
{
	struct hw *h = &lab->w.hw[cpu];
	uint32_t inside = (UINT32_C(1) << (9 * (t->level - 1))) - 1;
	struct tlbe e = {
		.vpn = vpn & ~inside, .gfn = t->gfn - (vpn & inside),
		.level = t->level, .view = t->view, .many = 1,
	};

	/* Without reduction each of them is dropped by itself. */
	if (lab->cfg.reduce && lab->cfg.pages > 6)
		absorb(h, &e);
	tlb_add(h, e);
	lab->w.hw_dirty[cpu] = true;
}

static bool overlaps(uint32_t a, uint64_t na, uint32_t b, uint64_t nb)
{
	return a < b + nb && b < a + na;
}

static bool hit(uint32_t vpn, uint64_t pages, const struct vrange *f,
		unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		if (overlaps(vpn, pages, f[i].vpn, f[i].pages))
			return true;
	return false;
}

/* What ranges leave of an entry: of a large one all or nothing. */
static void tlb_keep(struct hw *h, struct tlbe e, const struct vrange *f,
		     unsigned int n)
{
	uint32_t size = e.level > 1 ? UINT32_C(1) << (9 * (e.level - 1)) :
		e.many;
	struct tlbe right = e;
	unsigned int i = 0;

	while (i < n && !overlaps(e.vpn, size, f[i].vpn, f[i].pages))
		i++;
	if (i == n) {
		tlb_add(h, e);
		return;
	}
	if (e.level > 1)
		return;
	if (e.vpn < f[i].vpn) {
		e.many = (uint16_t)(f[i].vpn - e.vpn);
		tlb_keep(h, e, f, n);
	}
	if (f[i].vpn + f[i].pages < right.vpn + right.many) {
		uint32_t cut = f[i].vpn + f[i].pages - right.vpn;

		right.vpn += cut;
		right.gfn += cut;
		right.many = (uint16_t)(right.many - cut);
		tlb_keep(h, right, f, n);
	}
}

/* Drop entries of any size that meet the ranges, and what hangs on them. */
void tlb_flush(unsigned int cpu, const struct vrange *f, unsigned int n,
	       bool all)
{
	struct hw *h = &lab->w.hw[cpu];
	struct tlbe was[LAB_TLB];
	unsigned int k = h->ntlb;

	memcpy(was, h->tlb, sizeof(was));
	memset(h->tlb, 0, sizeof(h->tlb));
	h->ntlb = 0;
	for (unsigned int i = 0; i < k && !all; i++)
		tlb_keep(h, was[i], f, n);
	k = 0;
	for (unsigned int i = 0; i < h->npsc; i++)
		if (!all && !hit(h->psc[i].vpn, 512, f, n))
			h->psc[k++] = h->psc[i];
	memset(&h->psc[k], 0, (h->npsc - k) * sizeof(h->psc[0]));
	h->npsc = (uint8_t)k;
	lab->w.hw_dirty[cpu] = true;
}

/*
 * Intel SDM vol. 3, 4.10.2.3: with translations of two page sizes for one
 * address that differ in frame or attributes, what the CPU does is undefined.
 */
static void check_sizes(unsigned int cpu, const struct spot *p)
{
	struct translation t[WALKS];
	unsigned int n = translations(cpu, p->vpn, t, WALKS);

	for (unsigned int i = 0; i < n; i++)
		for (unsigned int k = 0; k < i; k++)
			if (t[i].present && t[k].present &&
			    t[i].level != t[k].level &&
			    (t[i].gfn != t[k].gfn || t[i].view != t[k].view))
				bad(LAB_BAD_TWO_SIZES,
				    "CPU%u can hold a %s and a %s translation of %s that differ",
				    cpu_id(cpu), t[i].level > 1 ? "2M" : "4K",
				    t[k].level > 1 ? "2M" : "4K", p->name);
}

void tlb_check_sizes(unsigned int cpu)
{
	uint64_t heads[ROW_WORDS];

	for (unsigned int s = 0; s < lab->nspots; s++)
		if (lab->spot[s].role != SPOT_WINDOW ||
		    lab->spot[s].owner == cpu_id(cpu))
			check_sizes(cpu, &lab->spot[s]);
	if (!has_row())
		return;
	row_heads(heads);
	for (unsigned int i = 0; i < lab->cfg.pages; i = row_next(heads, i + 1))
		check_sizes(cpu, spot_number(ROW + i));
}

bool table_cached(uint32_t gfn)
{
	for (unsigned int c = 0; c < lab->cfg.cpus; c++)
		for (unsigned int i = 0; i < lab->w.hw[c].npsc; i++)
			if (lab->w.hw[c].psc[i].table == gfn)
				return true;
	return false;
}

/* Can any walk come to this entry, from the root or from a cached one? */
bool table_reachable(uint64_t pa)
{
	return (lab->w.m.linked >> table_number(pa) & 1) ||
		table_cached((uint32_t)(pa >> 12));
}

static void psc_add(unsigned int cpu, uint32_t vpn, uint32_t table)
{
	struct hw *h = &lab->w.hw[cpu];

	for (unsigned int i = 0; i < h->npsc; i++)
		if (h->psc[i].vpn == vpn && h->psc[i].table == table)
			return;
	if (h->npsc == LAB_PSC)
		errx(3, "lab: more than %d stale paging-structure entries",
		     LAB_PSC);
	h->psc[h->npsc++] = (struct psce){ vpn, table };
	lab->w.hw_dirty[cpu] = true;
}

/*
 * What walks gave before a change and do not give after it: spots, and of a
 * long range every page of it and of the windows.
 */
#define TOUCHED (LAB_SPOTS + LAB_MAX_PAGES + LAB_MAX_CPUS * 512)

struct before {
	unsigned int n;
	struct { uint32_t vpn; int owner; } at[TOUCHED];
	struct walked w[LAB_MAX_CPUS][TOUCHED];
	uint32_t pde_table;	/* the table that this entry pointed to */
	uint32_t pde_vpn;
};

static struct before before;

static bool touches(unsigned int i, unsigned int cpu)
{
	return before.at[i].owner < 0 ||
		before.at[i].owner == (int)cpu_id(cpu);
}

/* Does some CPU come to this entry by way of a paging-structure cache? */
static bool cached_path(uint32_t vpn, uint64_t pa)
{
	for (unsigned int c = 0; c < lab->cfg.cpus; c++)
		for (unsigned int i = 0; i < lab->w.hw[c].npsc; i++) {
			const struct psce *e = &lab->w.hw[c].psc[i];

			if ((vpn & ~511u) == e->vpn &&
			    entry_pa((uint64_t)e->table << 12, 1, vpn) == pa)
				return true;
		}
	return false;
}

/*
 * A linear page: if its walk goes over the entry, it is touched.
 * Return: whether it goes over it above its leaf table.
 */
static bool touch(uint32_t vpn, int owner, uint64_t pa, const uint8_t *depth)
{
	uint64_t path[4] = { 0 };

	walk_from(table_gpa(0), 4, vpn, depth, path);
	if (path[0] == pa || path[1] == pa || path[2] == pa ||
	    path[3] == pa || cached_path(vpn, pa)) {
		before.at[before.n].vpn = vpn;
		before.at[before.n++].owner = owner;
	}
	if (path[1] == pa) {
		uint64_t e = pte_at(pa, depth);

		before.pde_vpn = vpn & ~511u;
		if ((e & PTE_P) && !(e & PTE_PS))
			before.pde_table = gfn_of(e);
	}
	return path[1] == pa || path[2] == pa || path[3] == pa;
}

/*
 * Of linear pages in a row: those with this entry, or, if it is a table's
 * above, all. Both are found by the first page of a 2M.
 */
static void touch_row(uint32_t vpn, uint32_t n, int owner, uint64_t pa,
		      const uint8_t *depth)
{
	uint32_t i = (uint32_t)(pa >> 3 & 511), end = vpn + n;

	for (uint32_t next; vpn < end; vpn = next) {
		uint32_t at = (vpn & ~511u) + i;

		next = (vpn & ~511u) + 512 < end ? (vpn & ~511u) + 512 : end;
		if (touch(vpn, owner, pa, depth))
			for (uint32_t v = vpn + 1; v < next; v++)
				touch(v, owner, pa, depth);
		else if (at > vpn && at < next)
			touch(at, owner, pa, depth);
	}
}

/* What the entry at @pa maps, as @writer sees it. */
static void find_touched(unsigned int writer, uint64_t pa)
{
	uint8_t depth[LAB_MAX_CPUS];

	own_depth(writer, depth);
	before.n = 0;
	before.pde_table = 0;
	for (unsigned int s = 0; s < lab->nspots; s++)
		touch(lab->spot[s].vpn, lab->spot[s].role == SPOT_WINDOW ?
		      (int)lab->spot[s].owner : -1, pa, depth);
	if (!has_row() || !lab->cfg.reduce)
		return;
	touch_row(row_gfn(), lab->cfg.pages, -1, pa, depth);
	for (unsigned int c = 0; c < windows(); c++)
		touch_row(window_vpn(c), 512, (int)c, pa, depth);
}

static void change_begin(unsigned int writer, uint64_t pa)
{
	find_touched(writer, pa);
	if (!lab->cfg.reduce)
		return;
	for (unsigned int c = 0; c < lab->cfg.cpus; c++)
		for (unsigned int i = 0; i < before.n; i++)
			if (touches(i, c))
				walks(c, before.at[i].vpn, &before.w[c][i]);
}

static void lost(unsigned int cpu, unsigned int i)
{
	uint32_t vpn = before.at[i].vpn;
	const struct walked *b = &before.w[cpu][i];
	struct walked now;

	walks(cpu, vpn, &now);
	for (unsigned int k = 0; k < b->n; k++) {
		unsigned int j = 0;

		while (j < now.n && !same(&now.t[j], &b->t[k]))
			j++;
		if (j == now.n && b->t[k].present)
			tlb_fill(cpu, &b->t[k], vpn);
	}
}

/*
 * @writer's entry at @pa changed, as it sees it. A table that the entry
 * pointed to stays in the paging-structure caches of whoever used it.
 */
static void change_end(uint64_t val)
{
	uint32_t t = before.pde_table;

	for (unsigned int c = 0; c < lab->cfg.cpus; c++) {
		if (t && (!(val & PTE_P) || (val & PTE_PS) ||
			  gfn_of(val) != t))
			for (unsigned int i = 0; i < before.n; i++)
				if (touches(i, c)) {
					psc_add(c, before.pde_vpn, t);
					break;
				}
		if (!lab->cfg.reduce)
			continue;
		for (unsigned int i = 0; i < before.n; i++)
			if (touches(i, c))
				lost(c, i);
	}
}

static void pte_memory_set(uint64_t pa, uint64_t val)
{
	unsigned int t = table_number(pa);
	uint64_t page[512];

	memcpy(page, table_page(t), sizeof(page));
	page[(pa & 0xfff) / 8] = val;
	lab->w.t.id[t] = intern(lab->pages, page, sizeof(page));
	lab->w.tables_dirty = true;
}

/* Which tables hang on the root, as the newest stores have it. */
static void link_table(uint64_t old, uint64_t val)
{
	struct mach *m = &lab->w.m;
	uint32_t o = gfn_of(old) - GFN_TABLES, n = gfn_of(val) - GFN_TABLES;

	if ((old & PTE_P) && o < LAB_TABLES)
		m->linked &= ~(UINT32_C(1) << o);
	if ((val & PTE_P) && n < LAB_TABLES)
		m->linked |= UINT32_C(1) << n;
	lab->w.mach_dirty = true;
}

void pte_now(uint64_t pa, uint64_t val)
{
	link_table(pte_memory(pa), val);
	pte_memory_set(pa, val);
}

void sb_drain_one(unsigned int cpu)
{
	struct hw *h = &lab->w.hw[cpu];
	struct sbe e = h->sb[0];

	if (!h->nsb)
		return;
	change_begin(cpu, e.pa);
	before.pde_table = 0;	/* counted when it was stored */
	memmove(&h->sb[0], &h->sb[1], (h->nsb - 1u) * sizeof(e));
	h->nsb--;
	memset(&h->sb[h->nsb], 0, sizeof(e));
	lab->w.hw_dirty[cpu] = true;
	pte_memory_set(e.pa, e.val);
	change_end(e.val);
}

void sb_drain(unsigned int cpu)
{
	while (lab->w.hw[cpu].nsb)
		sb_drain_one(cpu);
}

void pte_store(unsigned int cpu, uint64_t pa, uint64_t val)
{
	struct hw *h = &lab->w.hw[cpu];

	if (!table_reachable(pa)) {
		/* Nobody can see it before the store that links it. */
		pte_memory_set(pa, val);
		return;
	}
	if (h->nsb == lab->cfg.store_buffer)
		sb_drain_one(cpu);
	change_begin(cpu, pa);
	link_table(pte_visible(cpu, pa), val);
	h->sb[h->nsb++] = (struct sbe){ pa, val };
	lab->w.hw_dirty[cpu] = true;
	change_end(val);
	if (!lab->cfg.store_buffer)
		sb_drain(cpu);
}

void mmu_init(void)
{
	static const uint64_t zero[512];
	uint32_t id = intern(lab->pages, zero, sizeof(zero));

	for (unsigned int t = 0; t < LAB_TABLES; t++)
		lab->w.t.id[t] = id;
	lab->w.m.used = 1;
	lab->w.m.linked = 1;
}
