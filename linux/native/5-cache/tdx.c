// SPDX-License-Identifier: GPL-2.0
// in: arch/x86/coco/tdx/tdx.c
// over: tdx_cache_flush_required
static bool tdx_cache_flush_required(bool enc)
{
	/*
	 * Unlike with AMD's SME_COHERENT no hardware does it. Lines of private
	 * memory are the guest's to flush, before it shares the page: the VMM
	 * has no address for them, lacking the HKID. Those of shared memory
	 * are the VMM's, which would suffer itself from a line left behind.
	 */
	return !enc;
}
