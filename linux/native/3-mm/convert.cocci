// SPDX-License-Identifier: GPL-2.0
// in: arch/x86/mm/pat/set_memory.c
@@
identifier empty;
expression E1, E2;
@@
 __set_memory_enc_pgtable(...)
 {
-	pgprot_t empty = __pgprot(0);
 	<+...
(
-	cpa.mask_set = E1;
|
-	cpa.mask_clr = E2;
)
 	...+>
 }

@@
identifier addr, numpages, enc, ret;
statement S1, S2, S3;
@@
 __set_memory_enc_pgtable(unsigned long addr, int numpages, bool enc)
 {
 	...
 	vm_unmap_aliases();
-	if (x86_platform.guest.enc_tlb_flush_required(enc)) S1
+	PLACE(down);
 	ret = x86_platform.guest.enc_status_change_prepare(addr, numpages, enc);
 	if (ret) S2
-	ret = __change_page_attr_set_clr(&cpa, 1);
-	cpa_flush(&cpa, 0);
-	if (ret) S3
 	ret = x86_platform.guest.enc_status_change_finish(addr, numpages, enc);
 	...
-	return 0;
+	PLACE(up);
 	...
 }
