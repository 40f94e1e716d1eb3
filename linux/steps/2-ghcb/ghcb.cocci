// SPDX-License-Identifier: GPL-2.0
// in: arch/x86/coco/sev/core.c arch/x86/kernel/sev.c
@@
@@
 #include <asm/svm.h>
+#include <asm/airlock.h>

@@
typedef snp_ghcb_fn;
@@
 void snp_set_memory_private(...) { ... }
+/* Call @fn with the GHCB of this CPU, which is not to be left meanwhile. */
+int snp_with_ghcb(snp_ghcb_fn fn, void *arg)
+{
+	struct ghcb_state state;
+	unsigned long flags;
+	int ret;
+
+	local_irq_save(flags);
+	ret = fn(__sev_get_ghcb(&state), arg);
+	__sev_put_ghcb(&state);
+	local_irq_restore(flags);
+
+	return ret;
+}
