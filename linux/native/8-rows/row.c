// SPDX-License-Identifier: GPL-2.0
// in: arch/x86/mm/pat/set_memory.c
// before: __change_page_attr
/*
 * Of @done entries in a row the last is @kpte. Is the next one in this table,
 * wanted, and of the same kind where aliases are concerned?
 */
static bool cpa_row_goes_on(struct cpa_data *cpa, unsigned long done,
			    pte_t *kpte, unsigned long address)
{
	unsigned long pfn = cpa->pfn + done;

	/* What comes next in EFI's tables is told by the last page. */
	if (cpa->pgd && cpa->pgd != init_mm.pgd)
		return false;

	if (done >= cpa->numpages || pte_index(address) == PTRS_PER_PTE - 1)
		return false;

	return !pte_none(kpte[1]) && pte_pfn(kpte[1]) == pfn &&
	       __cpa_pfn_in_highmap(pfn) == __cpa_pfn_in_highmap(cpa->pfn);
}

