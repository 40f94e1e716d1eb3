// SPDX-License-Identifier: GPL-2.0
// in: arch/x86/coco/tdx/tdx.c
// over: tdx_tlb_flush_required
