// SPDX-License-Identifier: GPL-2.0
// in: include/linux/page-isolation.h
// if: check_pages_enabled
// where: mm/mm_init.c
@@
@@
 #define __LINUX_PAGEISOLATION_H
+
+void page_checks_enable(void);
