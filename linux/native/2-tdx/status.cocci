// SPDX-License-Identifier: GPL-2.0
// in: arch/x86/coco/tdx/tdx.c
// lines: 2
@@
@@
 tdx_enc_status_changed(...)
 {
-	phys_addr_t start = ...;
-	phys_addr_t end = ...;
 	...
 }

@@
identifier f =~ "^tdx_enc_status_change_(prepare|finish)$";
expression vaddr, numpages, enc;
@@
 f(...)
 {
 <...
-	tdx_enc_status_changed(vaddr, numpages, enc)
+	tdx_convert(vaddr, numpages, enc)
 ...>
 }
