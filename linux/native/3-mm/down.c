// SPDX-License-Identifier: GPL-2.0
// in: arch/x86/mm/pat/set_memory.c
	if (x86_platform.guest.enc_tlb_flush_required(enc) &&
	    x86_platform.guest.enc_cache_flush_required())
		cpa_flush_cache(addr, addr + numpages * PAGE_SIZE);

	ret = cpa_set_enc(&cpa, enc, false);
	if (ret) {
		/*
		 * A large page could not be split.  The hypervisor has not
		 * been told anything, so go back: what TLBs hold is right.
		 */
		cpa_set_enc(&cpa, !enc, true);
		return ret;
	}

	cpa_flush(&cpa, 0);
