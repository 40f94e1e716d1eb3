/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef AIRLOCK_PORT_H
#define AIRLOCK_PORT_H

/*
 * What a kernel supplies: functions resolved at link time.
 *
 * The first part is the minimum. The second part is instructions, which
 * libairlock.a supplies itself; a port overrides one by defining it.
 * examples/minimal.c is the smallest port there is, examples/snp.c one for
 * SEV-SNP.
 *
 * "Pinned" below is between airlock_port_pin() and airlock_port_unpin(),
 * "locked" between airlock_port_lock() and airlock_port_unlock(). The engine is
 * never both. "As called": neither, and otherwise as airlock_convert() was
 * called.
 *
 * Nothing here is called from airlock_page(), airlock_next() or the order
 * functions.
 */

#include <airlock/airlock.h>

#ifdef __cplusplus
extern "C" {
#endif

#define AIRLOCK_NO_PAGE UINT64_MAX

/*
 * Bytes of stack that any call of airlock.h takes at most, the default
 * instructions included. What the port's functions and the config's callbacks
 * take comes on top, and so does an interrupt.
 */
#define AIRLOCK_STACK 3072

/* ---------------------------------------------------------------------- */
/* 1. Every port                                                           */
/* ---------------------------------------------------------------------- */

/**
 * airlock_port_table() - read a page-table page
 * @pa: its physical address
 * Return: its 512 entries, readable until the next airlock_port_*() call of
 * this thread, and no longer: it may be a temporary mapping. It shows what
 * this CPU wrote last. The engine looks only under its lock, or at entries
 * that no other CPU may change.
 * Context: locked, pinned, or as called.
 */
const uint64_t *airlock_port_table(uint64_t pa);

/**
 * airlock_port_pte_write() - write one page-table entry
 * @pa: physical address of the entry, 8-byte aligned
 * One 8-byte store; no flush, no fence. Bit 11 is the engine's own in entries
 * that point to a table.
 * Context: locked, pinned (the window), or as called (a pass).
 */
void airlock_port_pte_write(uint64_t pa, uint64_t entry);

/**
 * airlock_port_table_alloc() - a page for a page table
 * The page is private and zero.
 * Context: as called; may sleep if airlock_convert() may.
 * Return: its physical address, or AIRLOCK_NO_PAGE.
 */
uint64_t airlock_port_table_alloc(void);

/**
 * airlock_port_table_free() - give such a page back
 * No CPU can reach it any more by any table or any cached entry.
 * Context: as called.
 */
void airlock_port_table_free(uint64_t pa);

/**
 * airlock_port_lock(), airlock_port_unlock() - one lock for page tables and
 * ledger
 * A spinlock. Shared with whatever else splits or joins kernel leaves. Never
 * held over a shootdown, an allocation or a call to the host. Not recursive.
 * Context: lock: as called; unlock: locked.
 */
void airlock_port_lock(void);
void airlock_port_unlock(void);

/**
 * airlock_port_pin() - stay on this CPU
 * Until airlock_port_unpin() nothing else uses this CPU's window, GHCB and
 * hypercall page: interrupts off will do. At most one 2M chunk's work, or one
 * call to the host, is done pinned. Never nested; never pinned in a shootdown.
 * Context: pin: as called; unpin: pinned.
 * Return: the CPU number, below config.cpus.
 */
unsigned int airlock_port_pin(void);
void airlock_port_unpin(void);

/**
 * airlock_port_may_convert() - may this context allocate and send IPIs?
 * Asked first, before anything is changed.
 * Context: whatever called airlock_convert(). Return: false has the call fail
 * with AIRLOCK_E_CONTEXT.
 */
bool airlock_port_may_convert(void);

/* What to drop: every cached translation, of any page size, for any address
 * of the range, and the paging-structure caches for it. */
struct airlock_flush {
	uint64_t va;
	uint64_t pages;
};

/**
 * airlock_port_shootdown() - drop translations on every CPU
 * @f: @n ranges; @n of 0 means everything, global entries included
 * Returns when no CPU holds any of them. All earlier airlock_port_pte_write()
 * of this CPU are visible to every CPU's page walks before any of them
 * flushes: the port fences (x2APIC's ICR write does not by itself).
 * Context: as called; interrupts are as airlock_convert() found them.
 */
void airlock_port_shootdown(const struct airlock_flush *f, unsigned int n);

/**
 * airlock_port_unmap_aliases() - drop lazily kept mappings
 * Of the pages of these ranges, elsewhere (as Linux's vm_unmap_aliases()).
 * A port without any does nothing.
 * Context: as called; not from airlock_reclaim_all().
 */
void airlock_port_unmap_aliases(const struct airlock_range *r, unsigned int n);

/**
 * airlock_port_alias() - other linear ranges that map these pages
 * @gpa, @pages: a physically contiguous run, mapped at @va
 * @index: 0, 1, 2, ...
 * @alias: the index-th other range that maps pages of this run and nothing
 *	else; for a vmalloc address the direct map is one
 * May be asked several times during one call and must answer the same.
 * Context: locked, or as called; never pinned. Must not take the lock itself.
 * Return: false when there are no more.
 */
bool airlock_port_alias(uint64_t va, uint64_t gpa, uint64_t pages,
			unsigned int index, struct airlock_range *alias);

/* What a host did that no honest host does. */
struct airlock_violation {
	int status;		/* AIRLOCK_V_* */
	uint64_t gpa;		/* first page concerned, or 0 */
	uint64_t pages;		/* how many may be concerned */
	uint64_t detail;	/* the value that gave it away */
};

/**
 * airlock_port_violation() - the host has been caught
 * If it returns, the engine quarantines what is in doubt and goes on. It may
 * end the guest instead.
 * Context: as called.
 */
void airlock_port_violation(const struct airlock_violation *v);

/* ---------------------------------------------------------------------- */
/* 2. Some platforms                                                       */
/* ---------------------------------------------------------------------- */

/**
 * airlock_port_ghcb() - this CPU's GHCB (SEV-SNP)
 * @cpu: the CPU this is
 * @gpa: receives its GPA
 * Context: pinned.
 * Return: the page, mapped shared; the engine overwrites all of it. The
 * default is NULL: then page-state changes go by the GHCB MSR, one page each.
 */
void *airlock_port_ghcb(unsigned int cpu, uint64_t *gpa);

/**
 * airlock_port_hv_page() - this CPU's hypercall input page (vTOM, TDP)
 * Context: pinned.
 * Return: the page, mapped, for the engine alone while pinned; NULL: there is
 * none, and the call fails with AIRLOCK_E_REFUSED.
 */
void *airlock_port_hv_page(unsigned int cpu, uint64_t *gpa);

/* ---------------------------------------------------------------------- */
/* 3. Instructions: libairlock.a has them                                  */
/* ---------------------------------------------------------------------- */

/**
 * airlock_port_shared_read() - one load from a page the host can write
 * @size: 1, 2, 4 or 8 bytes, naturally aligned
 * The value may differ from one read to the next: the engine reads once,
 * checks, then uses.
 * Context: pinned.
 */
uint64_t airlock_port_shared_read(const volatile void *p, unsigned int size);

/**
 * airlock_port_invlpg() - INVLPG, on this CPU only
 * Context: pinned, or as airlock_reclaim_all() was called.
 */
void airlock_port_invlpg(uint64_t va);

/**
 * airlock_port_cache_flush() - CLFLUSHOPT every line of a page, then fence
 * @va: present
 * @pages: 4K pages from there, at most 512
 * Context: pinned; by an order without @window, as called.
 */
void airlock_port_cache_flush(uint64_t va, uint64_t pages);

/* Result of PVALIDATE: EAX in bits 31:0, CF in bit 32. */
#define AIRLOCK_PVALIDATE_OK		UINT64_C(0)
#define AIRLOCK_PVALIDATE_INPUT		UINT64_C(1)
#define AIRLOCK_PVALIDATE_SIZE		UINT64_C(6)
#define AIRLOCK_PVALIDATE_CF		(UINT64_C(1) << 32)

/**
 * airlock_port_pvalidate() - PVALIDATE (AMD APM vol. 3)
 * @va: present, C-bit set; 2M aligned if @large
 * Context: pinned; by an order without @window, as called.
 * Return: one of the above, or a value that is an error.
 */
uint64_t airlock_port_pvalidate(uint64_t va, bool large, bool validate);

/**
 * airlock_port_evict() - read the first and the last byte of each 4K page
 * @va: present, private
 * Context: as airlock_port_pvalidate().
 */
void airlock_port_evict(uint64_t va, uint64_t pages);

/**
 * airlock_port_vmgexit() - write the GHCB MSR, VMGEXIT, read the MSR
 * @msr: value for MSR C001_0130: the GHCB's GPA, or a request
 * Context: pinned. Return: the MSR afterwards.
 */
uint64_t airlock_port_vmgexit(uint64_t msr);

/* Registers of TDCALL, in and out (Intel TDX module ABI, GHCI). */
struct airlock_tdcall {
	uint64_t rax, rcx, rdx, r8, r9, r10, r11, r12, r13, r14, r15;
};

/**
 * airlock_port_tdcall() - TDCALL
 * For leaf 0 (TDG.VP.VMCALL) RCX is the mask of registers the host sees and
 * may write. The engine believes none of those without checking.
 * Context: pinned for leaf 0, else as called.
 */
void airlock_port_tdcall(struct airlock_tdcall *t);

/**
 * airlock_port_hypercall() - a Hyper-V hypercall with memory-based input
 * @control: call code and rep count and start
 * The default is VMMCALL on vTOM and VMCALL on TDP; a kernel with a hypercall
 * page overrides it.
 * Context: pinned. Return: the hypercall result value.
 */
uint64_t airlock_port_hypercall(uint64_t control, uint64_t in_gpa,
				uint64_t out_gpa);

#ifdef __cplusplus
}
#endif
#endif
