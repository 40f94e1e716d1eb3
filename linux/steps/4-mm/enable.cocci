// SPDX-License-Identifier: GPL-2.0
// in: mm/mm_init.c
// if: check_pages_enabled
@@
@@
 #include <linux/crash_dump.h>
+#include <linux/cpu.h>

@@
@@
 mem_debugging_and_hardening_init(...) { ... }
+/**
+ * page_checks_enable() - look at the pages of a block one by one from now on
+ *
+ * Then no block is freed while somebody holds a page in the middle of it.
+ * Context: may sleep. Does nothing while a CPU comes or goes.
+ */
+void page_checks_enable(void)
+{
+	if (!cpus_read_trylock())
+		return;
+	static_branch_enable_cpuslocked(&check_pages_enabled);
+	cpus_read_unlock();
+}
