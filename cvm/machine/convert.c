// SPDX-License-Identifier: GPL-2.0
/*
 * Conversions as a faithful host makes them, and what they do to contents.
 *
 *                    convert to private            accept, PVALIDATE(1)
 *        SHARED --------------------------> PENDING ------------> PRIVATE
 *           ^                                  ^                     |
 *           |                                  +---------------------+
 *           |                                   release, PVALIDATE(0)
 *           +--- convert to shared, from either
 *
 * On vTOM and with TD partitioning the paravisor accepts: convert to private
 * goes straight to PRIVATE.
 *
 * Contents. The two aliases of a page are one piece of storage here and two
 * on hardware, so a conversion overwrites it: going to shared with garbage
 * (what was private is ciphertext or gone), going to private with garbage on
 * SNP (old bytes are decrypted with the wrong tweak) and with zeroes where
 * somebody zeroes: the TDX module on accept, a paravisor at once.
 */
#include "config.h"
#include "convert.h"
#include "lib.h"
#include "lock.h"
#include "npt.h"
#include "platform.h"
#include "stats.h"
#include "vcpu.h"
#include "vtd.h"

/* Never the same garbage twice, and reproducible. */
void page_scramble(u64 gpa)
{
	static u64 generation;
	u64 *p = (u64 *)(gpa & PAGE_MASK);
	u64 key = (gpa ^ ++generation << 40) * 0x9e3779b97f4a7c15UL | 1;

	for (unsigned int i = 0; i < PAGE_SIZE / 8; i++)
		p[i] ^= key * (2 * i + 1);
}

void count_conversion(bool to_shared, u64 pages)
{
	count(to_shared ? CVM_N_TO_SHARED_CALLS : CVM_N_TO_PRIVATE_CALLS, 1);
	count(to_shared ? CVM_N_TO_SHARED_PAGES : CVM_N_TO_PRIVATE_PAGES,
	      pages);
	count_most(to_shared ? CVM_N_TO_SHARED_MOST : CVM_N_TO_PRIVATE_MOST,
		   pages);
}

/* Change one page; false when it already was what is wanted. */
static bool convert_page(u64 at, bool to_shared)
{
	unsigned int state = page_state(at) & CVM_STATE_MASK;

	page_by_host(at, false);
	if (to_shared == (state == CVM_STATE_SHARED))
		return false;
	page_scramble(at);
	if (to_shared) {
		page_set(at, CVM_STATE_SHARED);
	} else if (platform->large) {
		page_set(at, CVM_STATE_PENDING);
	} else {
		memset((void *)at, 0, PAGE_SIZE);
		page_set(at, CVM_STATE_PRIVATE);
	}
	return true;
}

/*
 * Convert what of [gpa, gpa + pages) is guest memory. @as_large: a whole
 * region becomes one 2M entry when it becomes private. Returns how many pages
 * changed. Call convert_finish() before the guest runs again.
 */
unsigned int convert_pages(u64 gpa, u64 pages, bool to_shared, bool as_large)
{
	unsigned int changed = 0;

	for (u64 i = 0; i < pages; i++) {
		u64 at = gpa + i * PAGE_SIZE;
		bool whole = !(at & ~LARGE_MASK) && at >= CVM_RAM_BASE &&
			     pages - i >= PAGES_IN_LARGE;

		if (!is_ram(at))
			continue;
		if (convert_page(at, to_shared)) {
			changed++;
			region_set_large(at, false);
		}
		if (!to_shared && as_large && platform->large && whole) {
			u64 j;

			for (j = 1; j < PAGES_IN_LARGE; j++)
				changed += convert_page(at + j * PAGE_SIZE,
							false);
			i += PAGES_IN_LARGE - 1;
			if (region_uniform(at, CVM_STATE_PENDING))
				region_set_large(at, true);
		}
	}
	return changed;
}

/* A hostile host accepted these itself. */
void convert_twice(u64 gpa)
{
	if (region_large(gpa))
		region_set(gpa, CVM_STATE_PRIVATE);
	else
		page_set(gpa, CVM_STATE_PRIVATE);
}

static bool host_flush = true;

void set_host_flush(bool on)
{
	host_flush = on;
}

/*
 * A host drops every CPU's translations of what it converted. A guest must
 * not rely on it, and with CVM_HOST_FLUSH off this one does not: then a CPU
 * that the guest forgot keeps its stale translation.
 */
void convert_finish(struct vcpu *c)
{
	c->flush = 1;
	if (host_flush)
		kick_others(c);
	vtd_invalidate();
}
