// SPDX-License-Identifier: GPL-2.0
// in: arch/x86/mm/mem_encrypt.c
@@
@@
 #include <linux/mem_encrypt.h>
+#include <asm/airlock.h>

@@
@@
 mem_encrypt_init(...)
 {
 if (!cc_platform_has(CC_ATTR_MEM_ENCRYPT))
 	return;
+
+	/* Before the first conversion, which is next. */
+	airlock_setup();
 ...
 }
