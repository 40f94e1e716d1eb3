// SPDX-License-Identifier: GPL-2.0
// in: arch/x86/mm/pat/set_memory.c
// if: return __set_memory_enc_pgtable
@@
identifier addr, numpages, enc;
@@
 __set_memory_enc_dec(...)
 {
 ...
+	if (airlock_can_convert())
+		return airlock_set_memory(addr, numpages, enc);
+
+	/* A platform on which pages may stay present. */
 	if (...)
 		return __set_memory_enc_pgtable(addr, numpages, enc);
 ...
 }
