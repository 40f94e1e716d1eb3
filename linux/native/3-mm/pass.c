// SPDX-License-Identifier: GPL-2.0
// in: arch/x86/mm/pat/set_memory.c
// before: __set_memory_enc_pgtable
/* What is mapped, a leaf at a time. */
static void cpa_flush_cache(unsigned long addr, unsigned long end)
{
	unsigned long next;
	unsigned int level;
	pte_t *pte;

	/* CLFLUSHOPT is ordered by fences alone. */
	mb();
	for (; addr < end; addr = next) {
		pte = lookup_address(addr, &level);
		next = (addr & page_level_mask(level)) + page_level_size(level);
		next = min(next, end);

		if (pte && (pte_val(*pte) & _PAGE_PRESENT))
			clflush_cache_range_opt((void *)addr, next - addr);
	}
	/* ... and this is the end of it. */
	mb();
}

/*
 * One pass over the page table for a conversion: the first or, with @present,
 * the last. It does not flush the TLB.
 *
 * An entry that is not present is decrypted, wherever it goes to: kexec, which
 * makes all decrypted memory private, then finds all that may be shared. CPA
 * clears GLOBAL together with PRESENT, so it has to come back with it.
 */
static int cpa_set_enc(struct cpa_data *cpa, bool enc, bool present)
{
	pgprot_t bits = __pgprot(_PAGE_PRESENT);
	pgprot_t none = __pgprot(0);

	if (present) {
		pgprot_val(bits) |= _PAGE_GLOBAL & __default_kernel_pte_mask;
		cpa->mask_set = enc ? pgprot_encrypted(bits) : pgprot_decrypted(bits);
		cpa->mask_clr = enc ? pgprot_decrypted(none) : pgprot_encrypted(none);
	} else {
		cpa->mask_set = pgprot_decrypted(none);
		cpa->mask_clr = pgprot_encrypted(bits);
	}
	cpa->curpage = 0;

	return __change_page_attr_set_clr(cpa, 1);
}

