// SPDX-License-Identifier: GPL-2.0
// in: arch/x86/coco/sev/shared.c arch/x86/coco/sev/core.c
// over: pvalidate_pages
static void pvalidate_pages(struct snp_psc_desc *desc)
{
	if (snp_vmpl)
		svsm_pval_pages(desc);

	/* With an SVSM only where caches have to be cleared by reads. */
	if (!snp_vmpl || !cpu_feature_enabled(X86_FEATURE_COHERENCY_SFW_NO))
		pval_pages(desc);
}
