/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_X86_AIRLOCK_H
#define _ASM_X86_AIRLOCK_H

/*
 * Private/shared conversions during which the pages are not present, so that
 * a stray read, of load_unaligned_zeropad() or of speculation, meets an
 * ordinary page fault and nothing else.
 *
 * For set_memory_encrypted() and set_memory_decrypted(), which everybody else
 * should call.
 */
#include <linux/types.h>

struct ghcb;

#ifdef CONFIG_X86_MEM_ENCRYPT
void airlock_setup(void);
bool airlock_can_convert(void);
int airlock_set_memory(unsigned long addr, int numpages, bool enc);
#else
static inline bool airlock_can_convert(void)
{
	return false;
}

static inline int airlock_set_memory(unsigned long addr, int numpages,
				     bool enc)
{
	return 0;
}
#endif

/* Of the platforms, for the conversion. */
typedef int (*snp_ghcb_fn)(struct ghcb *ghcb, void *arg);
int snp_with_ghcb(snp_ghcb_fn fn, void *arg);
void tdx_count_shared(long pages);

#endif
