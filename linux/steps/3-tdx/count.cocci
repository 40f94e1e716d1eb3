// SPDX-License-Identifier: GPL-2.0
// in: arch/x86/coco/tdx/tdx.c
// if: nr_shared
@@
@@
 #include <asm/tdx.h>
+#include <asm/airlock.h>

@@
@@
 static atomic_long_t nr_shared;
+
+/* So many pages are shared that were not; negative: the other way round. */
+void tdx_count_shared(long pages)
+{
+	atomic_long_add(pages, &nr_shared);
+}
