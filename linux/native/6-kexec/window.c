// SPDX-License-Identifier: GPL-2.0
// in: arch/x86/coco/sev/window.c
// if: unshare_all_memory
// where: arch/x86/coco/sev/core.c
// before: save_pte
/* After a crash: whoever was using it does not go on. */
void snp_reset_window(void)
{
	struct snp_window *w = this_cpu_ptr(&snp_window);

	set_pte(w->pte, __pte(0));
	pmd_clear(w->pmd);
	__flush_tlb_all();
}

