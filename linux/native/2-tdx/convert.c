// SPDX-License-Identifier: GPL-2.0
// in: arch/x86/coco/tdx/tdx.c
// before: tdx_enc_status_change_prepare
static bool tdx_convert(unsigned long vaddr, int numpages, bool enc)
{
	unsigned long size, end = vaddr + numpages * PAGE_SIZE;
	phys_addr_t pa;

	for (; vaddr < end; vaddr += size) {
		/* vmalloc() memory is contiguous within a page only. */
		size = is_vmalloc_addr((void *)vaddr) ? PAGE_SIZE : end - vaddr;
		pa = slow_virt_to_phys((void *)vaddr);

		if (!tdx_enc_status_changed(pa, pa + size, enc))
			return false;
	}

	return true;
}

