// SPDX-License-Identifier: GPL-2.0
/*
 * Is every page what it should be? The entries are asked, then memory, and on
 * the emulated machine also the machine: which state it thinks each page has,
 * and what its host can read there.
 */
#define pr_fmt(fmt) "storm: " fmt
#include <linux/bits.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <asm/io.h>

#include "storm.h"
#include "abi/guest-abi.h"

bool storm_machine;

/*
 * Neighbours differ in their address, leaves in their size, and the CPU sets
 * two bits. The address stops where a C-bit or shared bit may be. Newer
 * kernels mark, with SOFTW3, an entry that set_memory_4k() made by a split.
 */
#define IGNORED (GENMASK_ULL(45, 12) | _PAGE_ACCESSED | _PAGE_DIRTY | \
		 _PAGE_PSE | _PAGE_SOFTW3)

static u64 entry(const u8 *va)
{
	unsigned int level;
	pte_t *pte = lookup_address((unsigned long)va, &level);

	return pte ? pte_val(*pte) : 0;
}

/* From here on the host is failing or hostile, or (0) honest again. */
void machine_host(unsigned int kind, unsigned long arg)
{
	cvm_call4(CVM_HOST, kind, arg, 0, 0);
}

void check_begin(struct region *r)
{
	r->pte = entry(r->va);
}

/*
 * The C-bit or shared bit. The kernel does not export it: it is the one that
 * the first conversion changed.
 */
static u64 enc_bit(u64 changed)
{
	static u64 bit;

	if (!bit && is_power_of_2(changed))
		cmpxchg64(&bit, 0, changed);
	return bit;
}

/* Present, the attribute as wanted, everything else as it was. */
static void check_entry(struct region *r, unsigned int i, bool shared)
{
	u64 e = entry(r->va + i * PAGE_SIZE);
	u64 changed = (e ^ r->pte) & ~IGNORED;

	if (changed & _PAGE_GLOBAL)
		r->flags_lost++;
	changed &= ~(u64)_PAGE_GLOBAL;
	if (!(e & _PAGE_PRESENT) || changed != (shared ? enc_bit(changed) : 0))
		r->wrong++;
}

static u64 gpa_of(const u8 *va)
{
	if (is_vmalloc_addr(va))
		return (u64)vmalloc_to_pfn(va) << PAGE_SHIFT;
	return __pa(va);
}

/* The machine knows, and so does its host. */
static void ask_machine(struct region *r, unsigned int i, bool shared)
{
	u64 *p = (u64 *)(r->va + i * PAGE_SIZE);
	u64 gpa = gpa_of((u8 *)p), state, seen;

	state = cvm_call4(CVM_PAGE_STATE, gpa, 0, 0, 0);
	if ((state & CVM_STATE_MASK) !=
	    (shared ? CVM_STATE_SHARED : CVM_STATE_PRIVATE)) {
		r->wrong++;
		return;
	}
	WRITE_ONCE(*p, 0x5ec2e7 + i);
	seen = cvm_call4(CVM_HOST_READ, gpa, 0, 0, 0);
	if ((seen == 0x5ec2e7 + i) != shared)
		r->wrong++;
}

static void check_memory(struct region *r, unsigned int i)
{
	u64 *p = (u64 *)(r->va + (i + 1) * PAGE_SIZE) - 1;
	u64 v = (u64)p ^ r->conversions;

	WRITE_ONCE(*p, v);
	if (READ_ONCE(*p) != v)
		r->wrong++;
}

static void check_page(struct region *r, unsigned int i, bool shared)
{
	check_entry(r, i, shared);
	check_memory(r, i);
	/* An exit each: the first, the last and every 64th. */
	if (storm_machine && (i % 64 == 0 || i == r->pages - 1))
		ask_machine(r, i, shared);
}

void check_converted(struct region *r, bool shared)
{
	unsigned int i;

	for (i = 0; i < r->pages; i++)
		check_page(r, i, shared);
}

void check_refused(struct region *r, bool shared)
{
	unsigned int i;

	for (i = 0; i < r->pages; i++) {
		if (entry(r->va + i * PAGE_SIZE) & _PAGE_PRESENT)
			check_page(r, i, shared);
		else
			r->given_up++;
	}
}
