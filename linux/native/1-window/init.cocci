// SPDX-License-Identifier: GPL-2.0
// in: arch/x86/mm/mem_encrypt.c
@@
@@
 mem_encrypt_init(...)
 {
 if (!cc_platform_has(CC_ATTR_MEM_ENCRYPT))
 	return;
+PLACE(init);
 ...
 }
