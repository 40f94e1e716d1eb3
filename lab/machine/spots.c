// SPDX-License-Identifier: GPL-2.0
/* Spots: what a linear page maps, and what a trace calls it. */
#include "machine.h"

#include <stdio.h>

bool spot_gfn(uint32_t vpn, uint32_t *gfn)
{
	for (unsigned int s = 0; s < lab->nspots; s++)
		if (lab->spot[s].vpn == vpn) {
			*gfn = lab->spot[s].gfn;
			return true;
		}
	if (vpn >= GFN_END)
		return false;
	*gfn = vpn;	/* the direct map */
	return true;
}

const char *va_name(uint64_t va)
{
	static char buf[40];
	uint32_t vpn = va_vpn(va);

	for (unsigned int s = 0; s < lab->nspots; s++)
		if (lab->spot[s].vpn == vpn)
			return lab->spot[s].name;
	snprintf(buf, sizeof(buf), "%#llx", (unsigned long long)va);
	return buf;
}

const char *page_name(uint32_t gfn)
{
	static char buf[2][32];
	static unsigned int turn;
	char *b = buf[turn++ & 1];

	for (unsigned int s = 0; s < lab->nspots; s++)
		if (lab->spot[s].gfn == gfn &&
		    (lab->spot[s].role == SPOT_RANGE ||
		     lab->spot[s].role == SPOT_BYSTANDER))
			return lab->spot[s].name;
	snprintf(b, sizeof(buf[0]), "frame %#x", gfn);
	return b;
}

/* The owner has written to its pages: their lines may be dirty. */
void owner_writes(unsigned int c)
{
	const struct lab_config *q = &lab->cfg;
	bool amd = q->platform == AIRLOCK_SNP || q->platform == AIRLOCK_SEV;
	bool share = direction(lab, c) == AIRLOCK_TO_SHARED;
	uint32_t gfn = 0;

	if (amd && (q->features & AIRLOCK_F_COHERENT))
		return;
	if (!amd && (q->platform != AIRLOCK_TDX || !share))
		return;
	for (unsigned int k = 0; k < lab->nranges[c]; k++)
		for (uint32_t i = 0; i < lab->range[c][k].pages; i++)
			if (spot_gfn(va_vpn(lab->range[c][k].va) + i, &gfn))
				frame_change(gfn, 1, 0, share ? F_DIRTY_P :
					     F_DIRTY_S);
}
