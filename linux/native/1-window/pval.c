// SPDX-License-Identifier: GPL-2.0
// in: arch/x86/coco/sev/shared.c arch/x86/coco/sev/core.c
// before: pval_pages
/* An SVSM has executed PVALIDATE itself: then only the reads are left. */
static int pval_one(u64 pfn, unsigned int size, bool validate)
{
	bool large = size == RMP_PG_SIZE_2M;
	void *va = snp_map_private(pfn, large);
	int rc = 0;

	if (!snp_vmpl)
		rc = pvalidate((unsigned long)va, size, validate);

	/* Making it private: what caches hold of its shared past must go. */
	if (!rc && validate && !cpu_feature_enabled(X86_FEATURE_COHERENCY_SFW_NO))
		sev_evict_cache(va, large ? PTRS_PER_PTE : 1);

	snp_unmap_private(va);
	return rc;
}

