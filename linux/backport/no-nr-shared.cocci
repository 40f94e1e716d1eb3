// SPDX-License-Identifier: GPL-2.0
// Before 6.11 nobody counted shared pages for kexec.
@@
identifier b;
@@
 const struct airlock_backend b = {
-	.converted = tdx_count_shared,
 };
