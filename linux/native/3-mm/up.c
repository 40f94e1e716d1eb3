// SPDX-License-Identifier: GPL-2.0
// in: arch/x86/mm/pat/set_memory.c
	/* No TLB has what was not present: this needs no flush. */
	return cpa_set_enc(&cpa, enc, true);
