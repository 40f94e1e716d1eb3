// SPDX-License-Identifier: GPL-2.0
// in: arch/x86/hyperv/ivm.c
// if: hv_list_enc
// lines: 0
@@
expression visibility, pfn, count;
identifier ret;
@@
 hv_mark_gpa_visibility(...)
 {
 	...
 	if (hv_result_success(...)) return 0;
-	if (visibility == VMBUS_PAGE_NOT_VISIBLE)
-		ret = hv_list_enc_add(pfn, count);
-	else
-		ret = hv_list_enc_remove(pfn, count);
+	if (visibility == VMBUS_PAGE_NOT_VISIBLE)
+		ret = hv_list_enc_add(pfn, count);
 	...
 }
