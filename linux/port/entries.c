// SPDX-License-Identifier: GPL-2.0
/*
 * Page-table entries of the pages, in their own mapping and elsewhere.
 *
 *              np                            present
 *   P  G  pfn ----> -  OURS  WAS_G?  ~pfn ------------> P  G  pfn
 *
 * While an entry is not present its address is inverted, as Linux does
 * against L1TF, and GLOBAL is kept in a software bit: in an entry that is not
 * present the kernel takes it for PROTNONE. OURS tells an entry that is not
 * present because of us from one that never was, such as the kernel image's
 * mapping of memory it has freed: those must stay as they are.
 */
#include <linux/mm.h>
#include <linux/set_memory.h>
#include <linux/vmalloc.h>
#include <asm/coco.h>
#include <asm/page_types.h>
#include <asm/sections.h>

#include "port.h"

#define WAS_GLOBAL	_PAGE_SOFTW2
#define OURS		_PAGE_SOFTW3

u64 airlock_attr(bool shared)
{
	return shared ? cc_mkdec(0) : cc_mkenc(0);
}

static u64 attr_mask(void)
{
	return airlock_attr(true) | airlock_attr(false);
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

/* From the top only where a table ends. */
static void walk_find(struct walk *w)
{
	if (w->pte && w->level == PG_LEVEL_4K && w->va & ~PMD_MASK)
		w->pte++;
	else if (w->left)
		w->pte = lookup_address(w->va, &w->level);
}

static void walk_start(struct walk *w, unsigned long va, unsigned long pages)
{
	*w = (struct walk){ .va = va, .left = pages };
	walk_find(w);
}

/* Where in its leaf the walk is, and how many pages of the range follow. */
static unsigned long leaf_offset(const struct walk *w)
{
	return w->va & (page_level_size(w->level) - 1);
}

static unsigned long walk_step(const struct walk *w)
{
	return min(leaf_pages(w) - (leaf_offset(w) >> PAGE_SHIFT), w->left);
}

static void walk_next(struct walk *w)
{
	unsigned long n = walk_step(w);

	w->va += n << PAGE_SHIFT;
	w->left -= n;
	walk_find(w);
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
 * Every page is mapped and in the state it should be in; leaves that are only
 * in part the caller's are split. This can run out of memory: nothing has
 * been changed then.
 * Return: 0; 1 if there is nothing to do; -errno.
 */
int airlock_entries_prepare(struct airlock_call *c)
{
	u64 old = airlock_attr(c->to == AIRLOCK_TO_PRIVATE);
	unsigned long wanted = 0, others = 0;
	struct walk w;
	int err;

	c->direct = in_direct_map(c->va);
	for (walk_start(&w, c->va, c->pages); w.left; walk_next(&w)) {
		while (w.pte && pte_val(*w.pte) & _PAGE_PRESENT &&
		       !walk_whole(&w)) {
			err = split(w.va);
			if (err)
				return err;
			w.pte = lookup_address(w.va, &w.level);
		}
		if (!w.pte || !(pte_val(*w.pte) & _PAGE_PRESENT))
			return -EFAULT;
		if ((pte_val(*w.pte) & attr_mask()) == old)
			others++;
		else
			wanted++;
		err = prepare_aliases(c, w.va, phys_of(pte_val(*w.pte),
						       w.level), w.level);
		if (err)
			return err;
	}
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

static void write_entry(pte_t *pte, unsigned int level, bool present, u64 attr)
{
	u64 e = pte_val(*pte);

	if (!(e & (_PAGE_PRESENT | OURS)))
		return;
	e = present ? made_present(e, level) : not_present(e, level);
	set_pte_atomic(pte, __pte((e & ~attr_mask()) | attr));
}

static void pass_aliases(unsigned long va, u64 phys, unsigned int level,
			 bool present, u64 attr)
{
	unsigned long at;
	struct walk w;
	unsigned int i;

	for (i = 0; (at = alias(va, phys, i)); i++)
		for (walk_start(&w, at, page_level_size(level) >> PAGE_SHIFT);
		     w.left; walk_next(&w)) {
			if (!w.pte)
				break;
			write_entry(w.pte, w.level, present, attr);
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
	struct walk w;
	u64 phys;

	for (walk_start(&w, c->va, c->pages); w.left; walk_next(&w)) {
		if (present && is_lost(c, &w))
			continue;
		phys = phys_of(pte_val(*w.pte), w.level);
		write_entry(w.pte, w.level, present, attr);
		if (c->aliased)
			pass_aliases(w.va, phys, w.level, present, attr);
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
