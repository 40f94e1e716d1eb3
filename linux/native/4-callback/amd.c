// SPDX-License-Identifier: GPL-2.0
// in: arch/x86/mm/mem_encrypt_amd.c
// over: amd_enc_status_change_finish
/* An SNP guest that is refused ends: no failure to return. */
static int amd_enc_status_change(unsigned long vaddr, int npages, bool enc)
{
	if (cc_platform_has(CC_ATTR_GUEST_SEV_SNP)) {
		if (enc)
			snp_set_memory_private(vaddr, npages);
		else
			snp_set_memory_shared(vaddr, npages);
	}

	if (!cc_platform_has(CC_ATTR_HOST_MEM_ENCRYPT))
		enc_dec_hypercall(vaddr, npages << PAGE_SHIFT, enc);

	return 0;
}
