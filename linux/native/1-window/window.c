// SPDX-License-Identifier: GPL-2.0-only
/*
 * A private mapping of pages that are being converted.
 *
 * PVALIDATE and the reads that evict cache lines take a linear address that is
 * present, and a page has none of its own while it is converted. So each CPU
 * has 4M of addresses that only it uses: one 4K page is mapped at the start
 * of the first half, or one 2M page as the second.
 *
 * Each entry is only ever of one level and empty when not in use, so nothing
 * but the CPU's own TLB has to be flushed, and no paging-structure cache can
 * be wrong. All tables are made at boot.
 */
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/vmalloc.h>

#include <asm/sev.h>
#include <asm/tlbflush.h>

struct snp_window {
	unsigned long	va;
	pte_t		*pte;
	pmd_t		*pmd;
};

static DEFINE_PER_CPU(struct snp_window, snp_window);

/*
 * Until snp_unmap_private(), with preemption disabled in between.
 *
 * Before there are windows only memory is accepted; an interrupt that comes
 * while one is in use can do nothing but that either. What is accepted is
 * present in the direct map.
 */
void *snp_map_private(unsigned long pfn, bool large)
{
	struct snp_window *w = &get_cpu_var(snp_window);

	if (!w->pte || !pte_none(*w->pte) || !pmd_none(*w->pmd))
		return pfn_to_kaddr(pfn);

	if (!large) {
		set_pte(w->pte, pfn_pte(pfn, PAGE_KERNEL));
		return (void *)w->va;
	}

	set_pmd(w->pmd, pfn_pmd(pfn, PAGE_KERNEL_LARGE));
	return (void *)w->va + PMD_SIZE;
}

void snp_unmap_private(void *addr)
{
	struct snp_window *w = this_cpu_ptr(&snp_window);
	unsigned long va = (unsigned long)addr;

	if (is_vmalloc_addr(addr)) {
		if (va == w->va)
			set_pte(w->pte, __pte(0));
		else
			pmd_clear(w->pmd);
		flush_tlb_one_kernel(va);
	}
	put_cpu_var(snp_window);
}

static int __init save_pte(pte_t *pte, unsigned long addr, void *data)
{
	struct snp_window *w = data;

	w->va  = addr;
	w->pte = pte;
	w->pmd = pmd_off_k(addr + PMD_SIZE);
	return 0;
}

void __init snp_init_windows(void)
{
	unsigned long va, size = nr_cpu_ids * 2 * PMD_SIZE;
	struct vm_struct *area;
	int cpu;

	if (!cc_platform_has(CC_ATTR_GUEST_SEV_SNP))
		return;

	area = get_vm_area(size + 2 * PMD_SIZE, VM_SPARSE);
	if (!area)
		panic("SEV-SNP: no addresses for PVALIDATE\n");

	va = ALIGN((unsigned long)area->addr, 2 * PMD_SIZE);
	for_each_possible_cpu(cpu) {
		if (apply_to_page_range(&init_mm, va, PAGE_SIZE, save_pte,
					&per_cpu(snp_window, cpu)))
			panic("SEV-SNP: no memory for PVALIDATE\n");
		va += 2 * PMD_SIZE;
	}
}
