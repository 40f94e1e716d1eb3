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

u64 airlock_attr(bool shared)
{
	return shared ? cc_mkdec(0) : cc_mkenc(0);
}

static u64 pfn_mask(unsigned int level)
{
	return level == PG_LEVEL_4K ? PTE_PFN_MASK : PHYSICAL_PMD_PAGE_MASK;
}

static u64 phys_of(u64 e, unsigned int level)
{
	return (e & _PAGE_PRESENT ? e : ~e) & pfn_mask(level);
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
	w->pte = lookup_address(va, &w->level);
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

/* How many entries there are in a row, from this one on. */
static unsigned long walk_run(const struct walk *w)
{
	unsigned long n = PTRS_PER_PTE - pte_index(w->va);

	if (!w->pte || w->level != PG_LEVEL_4K)
		return 1;
	return min(n, w->left);
}

/* On by @n entries of a run. From the top only where a table ends. */
static void walk_on(struct walk *w, unsigned long n)
{
	unsigned long pages = n == 1 ? walk_step(w) : n;

	w->va += pages << PAGE_SHIFT;
	w->left -= pages;
	if (w->pte && w->level == PG_LEVEL_4K && w->va & ~PMD_MASK)
		w->pte += n;
	else if (w->left)
		w->pte = lookup_address(w->va, &w->level);
}

static void walk_next(struct walk *w)
{
	walk_on(w, 1);
}

/* Is the leaf wholly in what is left of the range? */
static bool walk_whole(const struct walk *w)
{
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
 * Is every page in the direct map and nowhere else? Most are, and then nobody
 * has to look for aliases page by page.
 */
static bool in_direct_map_only(unsigned long va, unsigned long pages)
{
	unsigned long last = va + ((pages - 1) << PAGE_SHIFT);
	u64 image = __pa_symbol(_text);
	u64 image_end = image + ALIGN((unsigned long)_end, PMD_SIZE) -
			(unsigned long)_text;

	return in_direct_map(va) && in_direct_map(last) &&
	       (__pa(last) < image || __pa(va) >= image_end);
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
static int prepare_aliases(struct airlock_call *c, unsigned long va, u64 phys,
			   unsigned int level)
{
	unsigned int i, alias_level;
	unsigned long at;
	pte_t *pte;
	int err;

	for (i = 0; (at = alias(va, phys, i)); i++) {
		pte = lookup_address(at, &alias_level);
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

/*
 * Where all entries are in a row, the passes need not look for them again:
 * nobody splits a leaf that is wholly the caller's, or joins some that are not
 * all the same.
 */
static void keep_row(struct airlock_call *c, const struct walk *w,
		     unsigned long n)
{
	if (w->va != c->va || c->pages != (n == 1 ? walk_step(w) : n))
		return;
	c->pte = w->pte;
	c->level = w->level;
}

static void walk_call(const struct airlock_call *c, struct walk *w)
{
	if (c->pte)
		*w = (struct walk){
			.va = c->va, .left = c->pages, .pte = c->pte,
			.level = c->level,
		};
	else
		walk_start(w, c->va, c->pages);
}

static int prepare_run(struct airlock_call *c, const struct walk *w,
		       unsigned long n)
{
	unsigned long i;
	int err = 0;

	for (i = 0; i < n && !err; i++)
		err = prepare_aliases(c, w->va + (i << PAGE_SHIFT),
				      phys_of(pte_val(w->pte[i]), w->level),
				      w->level);
	return err;
}

/* Split a leaf that is only in part the caller's. */
static int make_whole(struct walk *w)
{
	int err;

	while (w->pte && pte_val(*w->pte) & _PAGE_PRESENT && !walk_whole(w)) {
		err = split(w->va);
		if (err)
			return err;
		w->pte = lookup_address(w->va, &w->level);
	}
	return w->pte ? 0 : -EFAULT;
}

/*
 * Every page is mapped and in the state it should be in; leaves that are only
 * in part the caller's are split. This can run out of memory: nothing has
 * been changed then.
 * Return: 0; 1 if there is nothing to do; -errno.
 */
int airlock_entries_prepare(struct airlock_call *c)
{
	unsigned long wanted = 0, others = 0, i, n;
	struct walk w;
	int err;

	c->old = airlock_attr(c->to == AIRLOCK_TO_PRIVATE);
	c->mask = airlock_attr(true) | airlock_attr(false);
	c->direct = in_direct_map(c->va);
	c->alone = in_direct_map_only(c->va, c->pages);
	for (walk_start(&w, c->va, c->pages); w.left; walk_on(&w, n)) {
		err = make_whole(&w);
		if (err)
			return err;
		n = walk_run(&w);
		keep_row(c, &w, n);
		for (i = 0; i < n; i++) {
			u64 e = pte_val(w.pte[i]);

			if (!(e & _PAGE_PRESENT))
				return -EFAULT;
			others += (e & c->mask) == c->old;
		}
		wanted += n;
		err = c->alone ? 0 : prepare_run(c, &w, n);
		if (err)
			return err;
	}
	wanted -= others;
	return !wanted ? 0 : others ? -EINVAL : 1;
}

/* ---- passes ---- */

static u64 not_present(u64 e, unsigned int level)
{
	if (!(e & _PAGE_PRESENT))
		return e;
	if (e & _PAGE_GLOBAL)
		e |= WAS_GLOBAL;
	e &= ~(u64)(_PAGE_PRESENT | _PAGE_GLOBAL);
	return (e ^ pfn_mask(level)) | OURS;
}

static u64 made_present(u64 e, unsigned int level)
{
	if (!(e & OURS))
		return e;
	if (e & WAS_GLOBAL)
		e |= _PAGE_GLOBAL;
	e &= ~(u64)(WAS_GLOBAL | OURS);
	return (e ^ pfn_mask(level)) | _PAGE_PRESENT;
}

/* A pass over entries in a row. */
struct pass {
	bool present;
	u64 mask, attr;
};

static void write_entries(const struct pass *pass, pte_t *pte,
			  unsigned int level, unsigned long n)
{
	for (; n--; pte++) {
		u64 e = pte_val(*pte);

		if (!(e & (_PAGE_PRESENT | OURS)))
			continue;
		e = pass->present ? made_present(e, level) :
		    not_present(e, level);
		set_pte_atomic(pte, __pte((e & ~pass->mask) | pass->attr));
	}
}

static void pass_aliases(const struct pass *pass, unsigned long va, u64 phys,
			 unsigned int level)
{
	unsigned long at, n;
	struct walk w;
	unsigned int i;

	for (i = 0; (at = alias(va, phys, i)); i++)
		for (walk_start(&w, at, page_level_size(level) >> PAGE_SHIFT);
		     w.left && w.pte; walk_on(&w, n)) {
			n = walk_run(&w);
			write_entries(pass, w.pte, w.level, n);
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

void airlock_entries_pass(struct airlock_call *c, bool present, u64 attr)
{
	struct pass pass = {
		.present = present, .mask = c->mask, .attr = attr,
	};
	bool simple = !c->aliased && !(present && c->nlost);
	unsigned long n;
	struct walk w;
	u64 phys;

	for (walk_call(c, &w); w.left; walk_on(&w, n)) {
		n = simple ? walk_run(&w) : 1;
		if (present && is_lost(c, &w))
			continue;
		phys = phys_of(pte_val(*w.pte), w.level);
		write_entries(&pass, w.pte, w.level, n);
		if (c->aliased)
			pass_aliases(&pass, w.va, phys, w.level);
	}
}

/* ---- what is physically in a row ---- */

static unsigned long walk_pfn(const struct walk *w)
{
	return PHYS_PFN(phys_of(pte_val(*w->pte), w->level) + leaf_offset(w));
}

/* The pages from position @from on, but not beyond @to. */
bool airlock_piece(const struct airlock_call *c, unsigned long from,
		   unsigned long to, struct airlock_piece *p)
{
	struct walk w;

	if (from >= to)
		return false;
	p->pos = from;
	p->pages = to - from;
	if (c->direct) {
		p->pfn = PHYS_PFN(__pa(c->va)) + from;
		return true;
	}
	walk_start(&w, c->va + (from << PAGE_SHIFT), to - from);
	p->pfn = walk_pfn(&w);
	p->pages = 0;
	while (w.left && walk_pfn(&w) == p->pfn + p->pages) {
		p->pages += walk_step(&w);
		walk_next(&w);
	}
	return true;
}
