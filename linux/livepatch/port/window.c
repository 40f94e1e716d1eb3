// SPDX-License-Identifier: GPL-2.0
/*
 * The window. PVALIDATE, CLFLUSH and the evict reads take a linear address
 * that is present, and pages in transition have none.
 *
 *   area of one CPU, 4M
 *   |  2M, never mapped   |  2M: one 4K page, or one 2M page, or nothing  |
 *
 * Each CPU owns one, made when the port is set up, so that nothing has to be
 * allocated on the way. It is open only while its CPU is pinned, and only its
 * CPU uses it, so INVLPG here is all the flushing: another CPU that has it in
 * its TLB by speculation has no use for it. No stray read can run into it,
 * for the page before it is never mapped.
 */
#include <linux/cpumask.h>
#include <linux/mm.h>
#include <linux/smp.h>
#include <linux/vmalloc.h>

#include "port.h"

#define STRIDE	(2 * PMD_SIZE)

static struct vm_struct *area;
static unsigned long base;

struct slot {
	pmd_t *pmd;
	pmd_t table;
	pte_t *pte;			/* the first of the table */
};

static struct slot *slots;

static u64 entry_bits[2];		/* of a private page, of a shared one */

static unsigned long slot_va(int cpu)
{
	return base + cpu * STRIDE + PMD_SIZE;
}

static int leave_empty(pte_t *pte, unsigned long addr, void *unused)
{
	return 0;
}

static pmd_t *find_pmd(unsigned long va)
{
	pgd_t *pgd = pgd_offset_pgd(init_mm.pgd, va);

	return pmd_offset(pud_offset(p4d_offset(pgd, va), va), va);
}

/* A table for the slot, which stays when a 2M page takes its place. */
static int make_slot(int cpu)
{
	struct slot *s = &slots[cpu];
	unsigned long va = slot_va(cpu);
	unsigned int level;
	int err;

	err = apply_to_page_range(&init_mm, va, PAGE_SIZE,
				  leave_empty, NULL);
	if (err)
		return err;
	s->pmd = find_pmd(va);
	s->table = *s->pmd;
	s->pte = lookup_address(va, &level);
	return s->pte && level == PG_LEVEL_4K ? 0 : -EFAULT;
}

static void make_entry_bits(void)
{
	u64 bits = pgprot_val(PAGE_KERNEL) & __supported_pte_mask;

	bits &= ~(u64)(_PAGE_GLOBAL | airlock_attr(true) | airlock_attr(false));
	entry_bits[false] = bits | airlock_attr(false);
	entry_bits[true] = bits | airlock_attr(true);
}

int airlock_window_init(void)
{
	int cpu, err = 0;

	make_entry_bits();
	slots = kcalloc(nr_cpu_ids, sizeof(*slots), GFP_KERNEL);
	area = get_vm_area(nr_cpu_ids * STRIDE + PMD_SIZE,
					  VM_MAP);
	if (!slots || !area) {
		airlock_window_exit();
		return -ENOMEM;
	}
	base = ALIGN((unsigned long)area->addr, PMD_SIZE);
	for_each_possible_cpu(cpu)
		if (!err)
			err = make_slot(cpu);
	if (err)
		airlock_window_exit();
	return err;
}

void airlock_window_exit(void)
{
	if (area)
		free_vm_area(area);
	kfree(slots);
	area = NULL;
	slots = NULL;
}

static void invlpg_here(unsigned long va)
{
	asm volatile("invlpg (%0)" : : "r" (va) : "memory");
}

/*
 * Map one page, or with @large 512, until airlock_window_close(). The CPU is
 * pinned in between, and interrupt handlers do not convert pages.
 */
unsigned long airlock_window_open(unsigned long pfn, bool large, bool shared)
{
	u64 e = entry_bits[shared] | PFN_PHYS(pfn);
	int cpu = get_cpu();
	struct slot *s = &slots[cpu];

	if (large) {
		WRITE_ONCE(*s->pmd, __pmd(e | _PAGE_PSE));
		/* This CPU may remember the way to the table, which is empty. */
		invlpg_here(slot_va(cpu));
	} else {
		WRITE_ONCE(*s->pte, __pte(e));
	}
	return slot_va(cpu);
}

void airlock_window_close(unsigned long va, bool large)
{
	struct slot *s = &slots[smp_processor_id()];

	if (large)
		WRITE_ONCE(*s->pmd, s->table);
	else
		WRITE_ONCE(*s->pte, __pte(0));
	invlpg_here(va);
	put_cpu();
}
