// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The window: linear addresses through which one CPU, pinned, reaches pages
 * whose own mapping is not present.
 *
 *   config.window + cpu * 4M
 *     |<------- 2M -------->|<------- 2M -------->|
 *     |  never mapped       |  the slot           | never mapped (next CPU)
 *                              |
 *                              its 2M entry:  0            idle
 *                                             large leaf   a whole chunk
 *                                             the table    a part of one
 *
 * A page appears in the slot at the offset it has in its 2M chunk. Only the
 * pages that are worked on are mapped: with others a CPU could speculate its
 * way to a page that is private and not validated, or shared and mapped
 * private. No stray read runs into the slot: the 2M before it are never
 * mapped, and load_unaligned_zeropad() reaches 7 bytes.
 *
 * Only its own CPU uses a slot, so INVLPG there is enough. It comes after
 * the entries are cleared:
 *
 *   INVLPG va
 *                      speculation fills the TLB from the entry
 *   clear the entry
 *   ...next use: the TLB still says the old page
 *
 * When idle the 2M entry is 0, so no paging-structure cache can hold it.
 */

#include "engine.h"

#define WINDOW_ATTR	(PTE_P | PTE_RW | PTE_A | PTE_D | PTE_NX)

static uint64_t slot_va(const struct airlock *a, unsigned int cpu)
{
	return a->cfg.window + cpu * AIRLOCK_WINDOW_STRIDE + SIZE_2M;
}

/**
 * airlock_window_open() - map pages of one chunk
 * @shared: how to map them
 * Context: pinned to @cpu, until closed. Return: where they are.
 */
uint64_t airlock_window_open(const struct airlock *a, unsigned int cpu,
			     uint64_t gpa, uint64_t pages, bool shared)
{
	const struct airlock_slot *slot = &a->slot[cpu];
	uint64_t off = gpa & (SIZE_2M - 1);
	uint64_t entry = gpa | WINDOW_ATTR | airlock_enc(a, shared);
	uint64_t pte = slot->table + (off >> AIRLOCK_PAGE_SHIFT) * 8;

	if (pages == AIRLOCK_PAGES_2M) {
		airlock_port_pte_write(slot->pde, entry | PTE_PS);
		return slot_va(a, cpu);
	}
	airlock_pt_put(pte, entry, AIRLOCK_PAGE_SIZE, pages);
	airlock_port_pte_write(slot->pde,
			       slot->table | a->cfg.table_attr | PTE_A);
	return slot_va(a, cpu) + off;
}

static void invlpg4(uint64_t va)
{
	airlock_port_invlpg(va);
	airlock_port_invlpg(va + AIRLOCK_PAGE_SIZE);
	airlock_port_invlpg(va + 2 * AIRLOCK_PAGE_SIZE);
	airlock_port_invlpg(va + 3 * AIRLOCK_PAGE_SIZE);
}

/* Eight at a time, as airlock_pt_put(). */
static void invlpg(uint64_t va, uint64_t pages)
{
	for (; pages >= 8; pages -= 8, va += 8 * AIRLOCK_PAGE_SIZE) {
		invlpg4(va);
		invlpg4(va + 4 * AIRLOCK_PAGE_SIZE);
	}
	for (; pages; pages--, va += AIRLOCK_PAGE_SIZE)
		airlock_port_invlpg(va);
}

/**
 * airlock_window_close() - what was opened
 * Context: as opened.
 */
void airlock_window_close(const struct airlock *a, unsigned int cpu,
			  uint64_t gpa, uint64_t pages)
{
	const struct airlock_slot *slot = &a->slot[cpu];
	uint64_t off = gpa & (SIZE_2M - 1), va = slot_va(a, cpu) + off;
	uint64_t pte = slot->table + (off >> AIRLOCK_PAGE_SHIFT) * 8;

	airlock_port_pte_write(slot->pde, 0);
	if (pages == AIRLOCK_PAGES_2M) {
		airlock_port_invlpg(va);
		return;
	}
	airlock_pt_put(pte, 0, 0, pages);
	invlpg(va, pages);
}

/* Make the tables above @va's 2M entry; @pde is where that is. */
static int make_tables(const struct airlock *a, uint64_t va, uint64_t *pde)
{
	struct airlock_walk w;
	uint64_t pa;
	int status;

	for (;;) {
		airlock_port_lock();
		status = airlock_pt_walk(a, va, 2, &w);
		airlock_port_unlock();
		if (!status && (w.level != 2 || w.entry))
			return AIRLOCK_E_WINDOW;
		if (!status) {
			*pde = w.table + w.index * 8;
			return AIRLOCK_OK;
		}
		if (status != AIRLOCK_E_HOLE)
			return status;
		pa = airlock_port_table_alloc();
		if (pa == AIRLOCK_NO_PAGE)
			return AIRLOCK_E_NOMEM;
		airlock_port_lock();
		airlock_port_pte_write(w.table + w.index * 8,
				       pa | a->cfg.table_attr | PTE_A);
		airlock_port_unlock();
	}
}

/* A failure leaves upper tables in place, empty: a CPU may have seen them. */
int airlock_window_init(struct airlock *a)
{
	unsigned int cpu;
	uint64_t guard;
	int status;

	for (cpu = 0; cpu < a->cfg.cpus; cpu++) {
		struct airlock_slot *slot = &a->slot[cpu];

		status = make_tables(a, slot_va(a, cpu) - SIZE_2M, &guard);
		if (!status)
			status = make_tables(a, slot_va(a, cpu), &slot->pde);
		if (status)
			goto fail;
		slot->table = airlock_port_table_alloc();
		if (slot->table == AIRLOCK_NO_PAGE) {
			status = AIRLOCK_E_NOMEM;
			goto fail;
		}
	}
	return AIRLOCK_OK;
fail:
	while (cpu--)
		airlock_port_table_free(a->slot[cpu].table);
	return status;
}
