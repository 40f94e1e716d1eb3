// SPDX-License-Identifier: GPL-2.0
// in: arch/x86/coco/sev/core.c
// if: unshare_all_memory
// before: pval_one
/* These pages may be validated already: a crash came as they were converted. */
static bool pval_in_doubt;

