// SPDX-License-Identifier: GPL-2.0
// in: arch/x86/mm/mem_encrypt.c

	/* Before anything is converted. */
	snp_init_windows();
