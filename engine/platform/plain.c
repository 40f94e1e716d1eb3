// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * No platform, SEV and SEV-ES: there is no RMP and no one to ask. On SEV the
 * C-bit is all there is; the config's callbacks may tell the host, as KVM's
 * live migration wants.
 */

#include "../engine.h"

/*
 * Must the guest flush its data cache?
 *   SEV, SNP  both ways, unless caches are coherent across the C-bit: Linux,
 *	       arch/x86/mm/mem_encrypt_amd.c, amd_enc_cache_flush_required()
 *   TDX       only to shared: the VMM cannot form an address with the guest's
 *	       key; on the way to private flushing is the VMM's part: Linux,
 *	       arch/x86/coco/tdx/tdx.c, tdx_tlb_flush_required()
 *   vTOM, TDP never: hv_vtom_cache_flush_required()
 */
bool airlock_wants_cache_flush(const struct airlock *a, enum airlock_to to)
{
	switch (a->cfg.platform) {
	case AIRLOCK_SEV:
	case AIRLOCK_SNP:
		return !(a->cfg.features & AIRLOCK_F_COHERENT);
	case AIRLOCK_TDX:
		return to == AIRLOCK_TO_SHARED;
	default:
		return false;
	}
}
