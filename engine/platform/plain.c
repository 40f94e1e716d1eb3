// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * No platform, SEV and SEV-ES: there is no RMP and no one to ask. On SEV the
 * C-bit is all there is; the config's callbacks may tell the host, as KVM's
 * live migration wants.
 */

#include "../engine.h"

static unsigned int no_stages(const struct airlock *a, enum airlock_to to,
			      const struct airlock_stage **stages)
{
	(void)a;
	(void)to;
	(void)stages;
	return 0;
}

bool airlock_no_cache_flush(const struct airlock *a, enum airlock_to to)
{
	(void)a;
	(void)to;
	return false;
}

/* SEV, SNP: both ways, unless caches are coherent across the C-bit. Linux:
 * arch/x86/mm/mem_encrypt_amd.c, amd_enc_cache_flush_required(). */
bool airlock_amd_cache_flush(const struct airlock *a, enum airlock_to to)
{
	(void)to;
	return !(a->cfg.features & AIRLOCK_F_COHERENT);
}

const struct airlock_platform_ops airlock_plain_ops = {
	.cache_flush = airlock_no_cache_flush,
	.stages = no_stages,
};

const struct airlock_platform_ops airlock_sev_ops = {
	.c_bit = true,
	.cache_flush = airlock_amd_cache_flush,
	.stages = no_stages,
};
