// SPDX-License-Identifier: GPL-2.0
// in: arch/x86/mm/pat/set_memory.c
@@
@@
 #include <asm/memtype.h>
+#include <asm/airlock.h>

@@
@@
+/*
+ * Private and shared pages in a confidential VM. On an error each page is what
+ * it was before, with undefined contents, or not present for ever: then nobody
+ * can know what the hypervisor did with it, and it is kept from the allocator.
+ * That is for SNP, TDX and Hyper-V; elsewhere the state is unknown.
+ */
 int set_memory_encrypted(...) { ... }
