// SPDX-License-Identifier: GPL-2.0
// in: arch/x86/mm/mem_encrypt_amd.c
// over: amd_enc_tlb_flush_required
