// SPDX-License-Identifier: GPL-2.0
// Before 6.11 an SNP guest ran at VMPL0 or not at all.
@@
expression e;
@@
- return snp_vmpl ? NULL : e;
+ return e;
