// SPDX-License-Identifier: GPL-2.0
/*
 * Page states and the nested page tables that enforce them.
 *
 * Words
 *   view     one of two aliases of each guest physical page: with and without
 *            GUEST_BIT. One is the private view, the other the shared one;
 *            which is which is the platform's polarity (SNP: the bit set is
 *            private; TDX, vTOM, TD partitioning: set is shared).
 *   state    SHARED, PENDING (private, not accepted or validated) or PRIVATE
 *   region   2 MiB, aligned
 *   large    the region has one 2M entry in the RMP or secure EPT: all its
 *            pages are private or pending, all in the same state
 *
 *   state      private view    shared view
 *   SHARED     absent          present
 *   PENDING    absent          absent
 *   PRIVATE    present         absent
 *
 *          root[0]                    root[256]
 *            |                           |
 *          tables, bit 47 clear       tables, bit 47 set
 *
 * So a page has at most one usable alias, and an access through the other
 * one exits (#NPF) with the exact address, bit 47 included. QEMU checks bits
 * above MAXPHYADDR only in the guest's own tables, and a 4-level nested walk
 * ignores bits 48 to 51: hence -cpu phys-bits=48 and bit 47.
 *
 * SNP forces C=1 on page walks and unpaged accesses, which nested paging
 * cannot tell apart from others (APM 2, 15.34 speaks of the guest's tables).
 * CPUs that run unpaged use a second root, in which both halves are the
 * private view.
 */
#include "config.h"
#include "layout.h"
#include "lib.h"
#include "npt.h"
#include "platform.h"
#include "pool.h"
#include "abi/guest-abi.h"

#define ENTRY		0x67UL		/* present writable user A D */
#define ENTRY_WRITE	2UL
#define ENTRY_LARGE	(ENTRY | 0x80UL)
#define IS_LEAF		0x80UL
#define ENTRY_ADDR	0xffffffffff000UL

static u64 *root, *unpaged_root;
static u8 *states;			/* CVM_STATE_*, one per page */
static u8 *large;			/* one per region */

static u64 *table_of(u64 entry)
{
	return (u64 *)(entry & ENTRY_ADDR);
}

static u64 *next_table(u64 *entry)
{
	if (!*entry)
		*entry = (u64)pool_pages(1) | ENTRY;
	return table_of(*entry);
}

/* The page-directory entry of @at, an address with its view bit. */
static u64 *npt_directory(u64 at)
{
	u64 *t = next_table(&root[at >> 39 & 511]);

	t = next_table(&t[at >> 30 & 511]);
	return &t[at >> 21 & 511];
}

/* The page-table entry of @at; splits a 2M leaf. */
static u64 *npt_entry(u64 at)
{
	u64 *d = npt_directory(at);

	if (*d & IS_LEAF) {
		u64 old = *d, *t = pool_pages(1);

		for (u64 i = 0; i < PAGES_IN_LARGE; i++)
			t[i] = (old & ENTRY_ADDR) + i * PAGE_SIZE + ENTRY;
		*d = (u64)t | ENTRY;
	}
	return &next_table(d)[at >> 12 & 511];
}

static u64 private_view(u64 gpa)
{
	return platform->bit_is_private ? gpa | GUEST_BIT : gpa;
}

static u64 shared_view(u64 gpa)
{
	return platform->bit_is_private ? gpa : gpa | GUEST_BIT;
}

static void set_views(u64 gpa, unsigned int state)
{
	*npt_entry(private_view(gpa)) =
		state == CVM_STATE_PRIVATE ? gpa | ENTRY : 0;
	*npt_entry(shared_view(gpa)) =
		state == CVM_STATE_SHARED ? gpa | ENTRY : 0;
}

/* A whole region that was never split. */
static void set_large_views(u64 gpa, unsigned int state)
{
	*npt_directory(private_view(gpa)) =
		state == CVM_STATE_PRIVATE ? gpa | ENTRY_LARGE : 0;
	*npt_directory(shared_view(gpa)) =
		state == CVM_STATE_SHARED ? gpa | ENTRY_LARGE : 0;
}

static bool is_split(u64 at)
{
	u64 d = *npt_directory(at);

	return d && !(d & IS_LEAF);
}

bool is_ram(u64 gpa)
{
	return gpa < ram_end && states[gpa / PAGE_SIZE];
}

/* Neither memory nor ROM, and none of the machine's. */
bool is_device(u64 gpa)
{
	return gpa >= low_ram_end && !(gpa >> 39) && !is_ram(gpa) &&
	       !is_machine(gpa);
}

unsigned int page_state(u64 gpa)
{
	unsigned int s = states[gpa / PAGE_SIZE];

	if (s && large[gpa / LARGE_SIZE])
		s |= CVM_STATE_LARGE;
	return s;
}

void page_set(u64 gpa, unsigned int state)
{
	states[gpa / PAGE_SIZE] = (u8)state;
	set_views(gpa & PAGE_MASK, state);
}

/* Its private view can be read only, until the next page_set(). */
void page_write_protect(u64 gpa)
{
	*npt_entry(private_view(gpa & PAGE_MASK)) &= ~ENTRY_WRITE;
}

void page_by_host(u64 gpa, bool by_host)
{
	u8 *s = &states[gpa / PAGE_SIZE];

	*s = (u8)(*s & CVM_STATE_MASK);
	if (by_host)
		*s |= CVM_STATE_BY_HOST;
}

/* Set all pages of a region: one entry if it was never split. */
void region_set(u64 gpa, unsigned int state)
{
	gpa &= LARGE_MASK;
	memset(&states[gpa / PAGE_SIZE], (int)state, PAGES_IN_LARGE);
	if (!is_split(private_view(gpa)) && !is_split(shared_view(gpa))) {
		set_large_views(gpa, state);
		return;
	}
	for (u64 i = 0; i < PAGES_IN_LARGE; i++)
		set_views(gpa + i * PAGE_SIZE, state);
}

bool region_large(u64 gpa)
{
	return large[gpa / LARGE_SIZE];
}

void region_set_large(u64 gpa, bool is_large)
{
	large[gpa / LARGE_SIZE] = is_large;
}

bool region_uniform(u64 gpa, unsigned int state)
{
	const u8 *s = &states[(gpa & LARGE_MASK) / PAGE_SIZE];

	for (unsigned int i = 0; i < PAGES_IN_LARGE; i++)
		if ((s[i] & CVM_STATE_MASK) != state)
			return false;
	return true;
}

/* A device's page: no state, reachable through the view the guest used. */
void npt_map_device(u64 at)
{
	static u8 *nothing;
	u64 page = at & ~GUEST_BIT & PAGE_MASK;

	if (page == APIC_PAGE) {
		if (!nothing)
			nothing = memset(pool_pages(1), 0xff, PAGE_SIZE);
		page = (u64)nothing;
	}
	*npt_entry(at) = page | ENTRY;
}

/* ROM, VGA: Linux reads them through whatever mapping it has (DMI scan). */
static void map_legacy(void)
{
	for (u64 at = LEGACY_BASE; at < LEGACY_END; at += PAGE_SIZE) {
		npt_map_device(at);
		npt_map_device(at | GUEST_BIT);
	}
}

static void all_private(u64 from, u64 to)
{
	for (u64 at = from; at < to; at += LARGE_SIZE) {
		region_set(at, CVM_STATE_PRIVATE);
		region_set_large(at, platform->large);
	}
}

void npt_init(void)
{
	u64 pages = ram_end / PAGE_SIZE;

	root = pool_pages(1);
	unpaged_root = pool_pages(1);
	states = pool_pages((unsigned int)(pages / PAGE_SIZE) + 1);
	large = pool_pages((unsigned int)(ram_end / LARGE_SIZE / PAGE_SIZE) + 1);
	for (u64 at = 0; at < LEGACY_BASE; at += PAGE_SIZE)
		page_set(at, CVM_STATE_PRIVATE);
	map_legacy();
	for (u64 at = FIRMWARE_BASE; at < FIRMWARE_END; at += PAGE_SIZE)
		page_set(at, CVM_STATE_PRIVATE);
	all_private(CVM_RAM_BASE, low_ram_end);
	all_private(HIGH_BASE, ram_end);
	npt_directory(GUEST_BIT);
	unpaged_root[0] = root[GUEST_BIT >> 39];
	unpaged_root[GUEST_BIT >> 39] = root[GUEST_BIT >> 39];
}

u64 npt_root(void)
{
	return (u64)root;
}

u64 npt_unpaged_root(void)
{
	return (u64)unpaged_root;
}

/*
 * The third-level table that VT-d walks, too (vtd.c): that of the shared view,
 * and of the only one where nothing is ever shared.
 */
u64 npt_device_table(void)
{
	u64 view = platform->confidential ? shared_view(0) : private_view(0);

	return root[view >> 39] & ENTRY_ADDR;
}

/* @bytes from @gpa on, in pages that the host may read. */
bool is_shared(u64 gpa, u64 bytes)
{
	for (u64 at = gpa & PAGE_MASK; at < gpa + bytes; at += PAGE_SIZE)
		if (!is_ram(at) || (page_state(at) & CVM_STATE_MASK) !=
		    CVM_STATE_SHARED)
			return false;
	return true;
}
