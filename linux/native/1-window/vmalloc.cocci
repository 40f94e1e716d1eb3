// SPDX-License-Identifier: GPL-2.0
// in: arch/x86/coco/sev/core.c
@@
expression E;
@@
 __set_pages_state(...)
 {
 <...
-	vmalloc_to_pfn(E)
+	slow_virt_to_phys(E) >> PAGE_SHIFT
 ...>
 }
