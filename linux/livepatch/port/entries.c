// SPDX-License-Identifier: GPL-2.0
/*
 * Page-table entries of the pages, in their own mapping and elsewhere.
 *
 *              np                            present
 *   P  G  pfn ----> -  OURS  WAS_G?  ~pfn ------------> P  G  pfn
 *
 * While an entry is not present its address is inverted, as Linux does
 * against L1TF, and GLOBAL is kept in another bit: in an entry that is not
 * present the kernel takes it for PROTNONE. OURS tells an entry that is not
 * present because of us from one that never was, such as the kernel image's
 * mapping of memory it has freed: those must stay as they are. Both are bits
 * of the protection key, which is nothing where a kernel's page is mapped; the
 * software bits all have a meaning somewhere.
 */
#include <linux/mm.h>
#include <linux/set_memory.h>
#include <linux/vmalloc.h>
#include <asm/coco.h>
#include <asm/page_types.h>
#include <asm/sections.h>

#include "port.h"

#define WAS_GLOBAL	BIT_ULL(_PAGE_BIT_PKEY_BIT2)
#define OURS		BIT_ULL(_PAGE_BIT_PKEY_BIT3)

/* What never changes, so that no conversion has to ask again. */
u64 airlock_attrs[2] __ro_after_init;
static u64 image __ro_after_init, image_end __ro_after_init;	/* physical */
static u64 address_bits[PG_LEVEL_NUM] __ro_after_init;

void airlock_entries_init(void)
{
	airlock_attrs[false] = cc_mkenc(0);
	airlock_attrs[true] = cc_mkdec(0);
	address_bits[PG_LEVEL_4K] = PTE_PFN_MASK;
	address_bits[PG_LEVEL_2M] = PHYSICAL_PMD_PAGE_MASK;
	address_bits[PG_LEVEL_1G] = PHYSICAL_PUD_PAGE_MASK;
	image = __pa_symbol(_text);
	image_end = image + ALIGN((unsigned long)_end, PMD_SIZE) -
		    (unsigned long)_text;
}

static u64 phys_of(u64 e, unsigned int level)
{
	return (e & _PAGE_PRESENT ? e : ~e) & address_bits[level];
}

/*
 * As lookup_address(), which works out on the way what is allowed there, and
 * takes twice as long. An entry that is not present but not empty counts.
 */
static pte_t *find_entry(unsigned long va, unsigned int *level)
{
	pgd_t *pgd = pgd_offset_pgd(init_mm.pgd, va);
	p4d_t *p4d;
	pud_t *pud;
	pmd_t *pmd;

	if (pgd_none(*pgd))
		return NULL;
	p4d = p4d_offset(pgd, va);
	if (p4d_none(*p4d))
		return NULL;
	pud = pud_offset(p4d, va);
	if (pud_none(*pud))
		return NULL;
	*level = PG_LEVEL_1G;
	if (pud_leaf(*pud) || !pud_present(*pud))
		return (pte_t *)pud;
	pmd = pmd_offset(pud, va);
	if (pmd_none(*pmd))
		return NULL;
	*level = PG_LEVEL_2M;
	if (pmd_leaf(*pmd) || !pmd_present(*pmd))
		return (pte_t *)pmd;
	*level = PG_LEVEL_4K;
	return pte_offset_kernel(pmd, va);
}

/* ---- one entry after the other ---- */

struct walk {
	unsigned long va;
	unsigned long left;		/* pages, from va on */
	pte_t *pte;
	unsigned int level;
};

static unsigned long leaf_pages(const struct walk *w)
{
	return page_level_size(w->level) >> PAGE_SHIFT;
}

static void walk_start(struct walk *w, unsigned long va, unsigned long pages)
{
	*w = (struct walk){ .va = va, .left = pages };
	w->pte = find_entry(va, &w->level);
}

/* Where in its leaf the walk is. */
static unsigned long leaf_offset(const struct walk *w)
{
	return w->va & (page_level_size(w->level) - 1);
}

/* How many pages the entry maps, of the range and from here on. */
static unsigned long walk_step(const struct walk *w)
{
	if (w->level == PG_LEVEL_4K)
		return 1;
	return min(leaf_pages(w) - (leaf_offset(w) >> PAGE_SHIFT), w->left);
}

/* How many entries of 4K pages there are in a row, from this one on. */
static unsigned long walk_run(const struct walk *w)
{
	unsigned long n = PTRS_PER_PTE - pte_index(w->va);

	if (!w->pte || w->level != PG_LEVEL_4K)
		return 1;
	return min(n, w->left);
}

/* How many pages @n entries map. */
static unsigned long run_pages(const struct walk *w, unsigned long n)
{
	return n == 1 ? walk_step(w) : n;
}

/* Does the entry behind this one map what follows? */
static bool in_a_row(const struct walk *w)
{
	switch (w->level) {
	case PG_LEVEL_4K:
		return w->va & ~PMD_MASK;
	case PG_LEVEL_2M:
		/* It may be a table, or nothing. */
		return w->va & ~PUD_MASK && !leaf_offset(w) &&
		       pte_val(w->pte[1]) & _PAGE_PSE;
	default:
		return false;
	}
}

/* On by @n entries of a run. From the top only where a table ends. */
static void walk_on(struct walk *w, unsigned long n)
{
	unsigned long pages = run_pages(w, n);

	w->va += pages << PAGE_SHIFT;
	w->left -= pages;
	if (!w->left)
		return;
	if (w->pte && in_a_row(w))
		w->pte += n;
	else
		w->pte = find_entry(w->va, &w->level);
}

static void walk_next(struct walk *w)
{
	walk_on(w, 1);
}

/* Is the leaf wholly in what is left of the range? */
static bool walk_whole(const struct walk *w)
{
	if (w->level == PG_LEVEL_4K)
		return true;
	return w->level <= PG_LEVEL_2M && w->left >= leaf_pages(w) &&
	       !leaf_offset(w);
}

/* ---- other mappings ---- */

static bool in_direct_map(unsigned long va)
{
	return va >= PAGE_OFFSET &&
	       va < PAGE_OFFSET + PFN_PHYS(max_pfn_mapped);
}

/* In the kernel image's own mapping. */
static bool in_image(unsigned long va)
{
	return va >= (unsigned long)_text &&
	       va < ALIGN((unsigned long)_end, PMD_SIZE);
}

static unsigned long image_va(u64 phys)
{
	unsigned long va = phys + __START_KERNEL_map - phys_base;

	return in_image(va) ? va : 0;
}

/*
 * Most pages are in the direct map and nowhere else: then nobody has to look
 * for aliases page by page.
 */
static void find_mappings(struct airlock_call *c)
{
	u64 phys = c->va - PAGE_OFFSET, end = phys + PFN_PHYS(c->pages);

	c->direct = c->va >= PAGE_OFFSET && end <= PFN_PHYS(max_pfn_mapped);
	c->pfn = PHYS_PFN(phys);
	c->alone = c->direct && (end <= image || phys >= image_end);
}

/* The @i-th other address of a page that is mapped at @va, or 0. */
static unsigned long alias(unsigned long va, u64 phys, unsigned int i)
{
	if (!in_direct_map(va) && i-- == 0)
		return pfn_valid(PHYS_PFN(phys)) ?
		       (unsigned long)__va(phys) : 0;
	return i == 0 && !in_image(va) ? image_va(phys) : 0;
}

/* ---- before anything changes ---- */

static int split(unsigned long va)
{
	return set_memory_4k(va & PAGE_MASK, 1);
}

/* Aliases of a page are changed with it, so they may not map more. */
static int prepare_page(struct airlock_call *c, unsigned long va, u64 phys,
			unsigned int level)
{
	unsigned int i, alias_level;
	unsigned long at;
	pte_t *pte;
	int err;

	for (i = 0; (at = alias(va, phys, i)); i++) {
		pte = find_entry(at, &alias_level);
		if (!pte || !(pte_val(*pte) & _PAGE_PRESENT))
			continue;
		c->aliased = true;
		if (alias_level <= level)
			continue;
		err = split(at);
		if (err)
			return err;
	}
	return 0;
}

static noinline int prepare_aliases(struct airlock_call *c,
				    const struct walk *w, unsigned long n)
{
	unsigned long i;
	int err = 0;

	for (i = 0; i < n && !err; i++)
		err = prepare_page(c, w->va + (i << PAGE_SHIFT),
				   phys_of(pte_val(w->pte[i]), w->level),
				   w->level);
	return err;
}

/* Split a leaf that is only in part the caller's. */
static int make_whole(struct walk *w)
{
	int err;

	while (w->pte && !walk_whole(w) && pte_val(*w->pte) & _PAGE_PRESENT) {
		err = split(w->va);
		if (err)
			return err;
		w->pte = find_entry(w->va, &w->level);
	}
	return w->pte ? 0 : -EFAULT;
}

/* How many of @n entries in a row have another attribute than @attr? */
static long count_others(const pte_t *pte, unsigned long n, u64 mask, u64 attr)
{
	long others = 0;

	do {
		if (!(pte_val(*pte) & _PAGE_PRESENT))
			return -EFAULT;
		others += (pte_val(*pte) & mask) != attr;
	} while (pte++, --n);
	return others;
}

/*
 * Every page is mapped and in the state it should be in; leaves that are only
 * in part the caller's are split. This can run out of memory: nothing has
 * been changed then.
 * Return: 0; 1 if there is nothing to do; -errno.
 */
int airlock_entries_prepare(struct airlock_call *c)
{
	unsigned long entries = 0, wanted = 0, n;
	struct walk w;
	long others;
	int err;

	c->old = airlock_attr(c->to == AIRLOCK_TO_PRIVATE);
	c->mask = airlock_attr(true) | airlock_attr(false);
	find_mappings(c);
	for (walk_start(&w, c->va, c->pages); w.left; walk_on(&w, n)) {
		err = make_whole(&w);
		if (err)
			return err;
		n = walk_run(&w);
		others = count_others(w.pte, n, c->mask, c->old);
		if (others < 0)
			return others;
		wanted += others;
		entries += n;
		if (!c->alone) {
			err = prepare_aliases(c, &w, n);
			if (err)
				return err;
		} else if (run_pages(&w, n) == c->pages) {
			c->pte = w.pte;
			c->level = w.level;
			c->entries = n;
			break;
		}
	}
	if (!wanted)
		return 0;
	return wanted == entries ? 1 : -EINVAL;
}

/* ---- passes ---- */

/* As the pass wants them, @n entries in a row. */
static __always_inline void write_entries(const struct airlock_call *c,
					  pte_t *pte, unsigned int level,
					  unsigned long n)
{
	const u64 either = _PAGE_PRESENT | OURS;
	const u64 global = _PAGE_GLOBAL | WAS_GLOBAL;
	u64 change = address_bits[level] | either;
	u64 away = c->present ? 0 : _PAGE_PRESENT;
	u64 keep = ~c->mask, attr = c->attr;

	do {
		u64 e = pte_val(*pte);

		if (!(e & either))
			continue;
		/* The same there and back. */
		if ((e & _PAGE_PRESENT) == away)
			e ^= e & global ? change | global : change;
		set_pte_atomic(pte, __pte((e & keep) | attr));
	} while (pte++, --n);
}

static void pass_aliases(const struct airlock_call *c, unsigned long va,
			 u64 phys, unsigned int level)
{
	unsigned long at, n;
	struct walk w;
	unsigned int i;

	for (i = 0; (at = alias(va, phys, i)); i++)
		for (walk_start(&w, at, page_level_size(level) >> PAGE_SHIFT);
		     w.left && w.pte; walk_on(&w, n)) {
			n = walk_run(&w);
			write_entries(c, w.pte, w.level, n);
		}
}

static bool is_lost(const struct airlock_call *c, const struct walk *w)
{
	unsigned long pos = (w->va - c->va) >> PAGE_SHIFT;
	unsigned long end = pos + leaf_pages(w);

	return c->nlost && find_next_bit(c->lost, end, pos) < end;
}

/* A leaf cannot be half present: lost with one of its pages, it is lost. */
void airlock_entries_widen(struct airlock_call *c)
{
	unsigned long pos, n;
	struct walk w;

	for (walk_start(&w, c->va, c->pages); w.left; walk_next(&w)) {
		pos = (w.va - c->va) >> PAGE_SHIFT;
		n = leaf_pages(&w);
		if (n == 1 || !is_lost(c, &w))
			continue;
		bitmap_set(c->lost, pos, n);
	}
	c->nlost = bitmap_weight(c->lost, c->pages);
}

/* Entry by entry, for aliases and for what is in quarantine. */
static void pass_each(const struct airlock_call *c)
{
	struct walk w;
	u64 phys;

	for (walk_start(&w, c->va, c->pages); w.left; walk_next(&w)) {
		if (c->present && is_lost(c, &w))
			continue;
		phys = phys_of(pte_val(*w.pte), w.level);
		write_entries(c, w.pte, w.level, 1);
		if (c->aliased)
			pass_aliases(c, w.va, phys, w.level);
	}
}

static void pass_runs(const struct airlock_call *c)
{
	unsigned long n;
	struct walk w;

	for (walk_start(&w, c->va, c->pages); w.left; walk_on(&w, n)) {
		n = walk_run(&w);
		write_entries(c, w.pte, w.level, n);
	}
}

static noinline void pass_walk(const struct airlock_call *c)
{
	if (c->aliased || c->nlost)
		pass_each(c);
	else
		pass_runs(c);
}

/* For transition.c. One of the two states has the bit set. */
void airlock_be_pass(struct airlock_call *c, bool present, bool flipped)
{
	c->present = present;
	c->attr = flipped ? c->old ^ c->mask : c->old;
	if (c->pte)
		write_entries(c, c->pte, c->level, c->entries);
	else
		pass_walk(c);
}

/* ---- what is physically in a row ---- */

static unsigned long walk_pfn(const struct walk *w)
{
	return PHYS_PFN(phys_of(pte_val(*w->pte), w->level) + leaf_offset(w));
}

void airlock_piece_walk(const struct airlock_call *c, unsigned long from,
			unsigned long to, struct airlock_piece *p)
{
	struct walk w;

	walk_start(&w, c->va + (from << PAGE_SHIFT), to - from);
	p->pfn = walk_pfn(&w);
	p->pages = 0;
	while (w.left && walk_pfn(&w) == p->pfn + p->pages) {
		p->pages += walk_step(&w);
		walk_next(&w);
	}
}
