// SPDX-License-Identifier: GPL-2.0
// in: arch/x86/hyperv/ivm.c
// over: hv_vtom_clear_present
