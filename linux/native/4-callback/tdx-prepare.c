// SPDX-License-Identifier: GPL-2.0
// in: arch/x86/coco/tdx/tdx.c
// over: tdx_enc_status_change_prepare
