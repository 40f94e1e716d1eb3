// SPDX-License-Identifier: GPL-2.0
// in: arch/x86/mm/pat/set_memory.c
@@
@@
 #include <asm/memtype.h>
+#include <asm/airlock.h>

@@
@@
+static int set_memory_enc_state(unsigned long addr, int numpages, bool enc)
+{
+	if (airlock_can_convert())
+		return airlock_set_memory(addr, numpages, enc);
+
+	/* A platform on which pages may stay present. */
+	return __set_memory_enc_pgtable(addr, numpages, enc);
+}
+
 static int __set_memory_enc_dec(...) { ... }

@@
expression addr, numpages, enc;
@@
 __set_memory_enc_dec(...)
 {
 <...
-	__set_memory_enc_pgtable
+	set_memory_enc_state
 	(addr, numpages, enc)
 ...>
 }

@@
@@
+/*
+ * Private and shared pages in a confidential VM. On an error each page is what
+ * it was before, with undefined contents, or not present for ever: then nobody
+ * can know what the hypervisor did with it, and it is kept from the allocator.
+ * That is for SNP, TDX and Hyper-V; elsewhere the state is unknown.
+ */
 int set_memory_encrypted(...) { ... }
