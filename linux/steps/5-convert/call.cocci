// SPDX-License-Identifier: GPL-2.0
// in: arch/x86/mm/pat/set_memory.c
// if: ret = __set_memory_enc_pgtable
@@
identifier addr, numpages, enc, ret;
@@
 __set_memory_enc_dec(...)
 {
 <...
-	ret = __set_memory_enc_pgtable(addr, numpages, enc);
+	/* Elsewhere pages may stay present. */
+	if (airlock_can_convert())
+		ret = airlock_set_memory(addr, numpages, enc);
+	else
+		ret = __set_memory_enc_pgtable(addr, numpages, enc);
 ...>
 }
