/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef AIRLOCK_AIRLOCK_H
#define AIRLOCK_AIRLOCK_H

/*
 * Airlock: private/shared page transitions for confidential VMs.
 *
 * This header is what a kernel calls; port.h is what it supplies.
 *
 * Words
 *   private     encrypted, accepted or validated: the guest's own
 *   shared      open to the host
 *   transition  a page on its way from one to the other
 *   quarantine  not present for ever: nobody can know what the host did
 *   GPA         guest-physical address, without the C-bit or shared bit
 *   leaf        a page-table entry that maps 4K, 2M or 1G
 *   window      a slot of linear addresses that one CPU owns, through which
 *               it reaches a page whose own mapping is not present
 *   shootdown   dropping translations on every CPU, and waiting for it
 *
 * Units: lengths are in 4K pages, addresses and sizes in bytes, unless the name
 * says otherwise. Every address of a page is 4K aligned.
 *
 * Contexts: each function says where it may be called. "Any" is: with or
 * without locks, interrupts on or off, in NMI, too. Several CPUs may convert at
 * once, each its own pages; the port's lock is all they share.
 *
 * What a kernel finds in its page tables:
 *   - An entry in flight, between the first write of a call and its last, has
 *     PRESENT clear and everything else as it was: address, PS, G, NX, RW, PAT.
 *     The encryption bit is that of either state. Whoever walks the tables
 *     meanwhile must not take it for free, for swapped out, or for a hole.
 *     An entry of a page in quarantine looks the same, for ever.
 *   - Bit 11 is set in an entry that points to a table where the engine split
 *     a large leaf to make that table, which it frees when it joins the leaf
 *     again. Whatever else writes that entry keeps the bit, and no other code
 *     sets it in an entry that points to a table over pages that are converted.
 *   - A and D are set in entries that the engine makes present (D only where
 *     they are writable).
 *
 * Stack: see AIRLOCK_STACK in port.h.
 */

#ifdef __KERNEL__			/* in Linux, which has no <stdint.h> */
#include <linux/types.h>
#else
#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define AIRLOCK_PAGE_SHIFT	12
#define AIRLOCK_PAGE_SIZE	((uint64_t)1 << AIRLOCK_PAGE_SHIFT)
#define AIRLOCK_PAGES_2M	((uint64_t)512)
#define AIRLOCK_PAGES_1G	((uint64_t)512 * 512)

/* Linear addresses the window takes per CPU: 2M never mapped, then the slot. */
#define AIRLOCK_WINDOW_STRIDE	((uint64_t)4 << 20)

/**
 * enum airlock_status - what became of a call, and who is to blame
 *
 * Ranges: 1..31 the caller, 32..63 the port, 64..95 a host that refused,
 * 96..127 a host that lied. For all of 1..63 nothing was changed. For 64 and
 * above the outcome says how many pages were reverted and quarantined.
 */
enum airlock_status {
	AIRLOCK_OK		= 0,

	AIRLOCK_E_ARG		= 1,	/* null or impossible argument */
	AIRLOCK_E_EMPTY		= 2,	/* no range, or one of 0 pages */
	AIRLOCK_E_ALIGN		= 3,	/* address not 4K aligned */
	AIRLOCK_E_WRAP		= 4,	/* range wraps around */
	AIRLOCK_E_CANONICAL	= 5,	/* not a canonical address */
	AIRLOCK_E_OVERLAP	= 6,	/* same page twice in the list */
	AIRLOCK_E_HOLE		= 7,	/* a page is not mapped */
	AIRLOCK_E_STATE		= 8,	/* a page is in that state already */
	AIRLOCK_E_BUSY		= 9,	/* a page is in another transition */
	AIRLOCK_E_QUARANTINED	= 10,	/* a page is in quarantine */
	AIRLOCK_E_CONTEXT	= 11,	/* called where it may not be */
	AIRLOCK_E_MEMORY	= 12,	/* GPA beyond config.memory */
	AIRLOCK_E_ORDER		= 13,	/* an order that is none */
	AIRLOCK_E_WINDOW	= 14,	/* a range meets the window */
	AIRLOCK_E_CALLBACK	= 15,	/* prepare or notify said no: reverted */

	AIRLOCK_E_NOMEM		= 32,	/* no page-table page */
	AIRLOCK_E_TABLE		= 33,	/* malformed page table */
	AIRLOCK_E_ALIAS		= 34,	/* the port's alias maps otherwise */

	AIRLOCK_E_REFUSED	= 64,	/* the host said no */
	AIRLOCK_E_STALLED	= 65,	/* retries without progress */

	AIRLOCK_V_UNCHANGED	= 96,	/* PVALIDATE: CF=1 */
	AIRLOCK_V_PVALIDATE	= 97,	/* PVALIDATE: unknown failure */
	AIRLOCK_V_PSC_HEADER	= 98,	/* page-state change header broken */
	AIRLOCK_V_MAPGPA	= 99,	/* RETRY address out of range */
	AIRLOCK_V_ACCEPT	= 100,	/* accept failed, or twice */
	AIRLOCK_V_REPS		= 101,	/* reps completed is impossible */
	AIRLOCK_V_CALLED_BACK	= 102,	/* another impossible answer */
};

/**
 * airlock_strerror() - one sentence for a status
 * Context: any. Return: a string, never NULL.
 */
const char *airlock_strerror(int status);

enum airlock_platform {
	AIRLOCK_PLAIN	= 0,	/* not confidential: every call is a no-op */
	AIRLOCK_SEV	= 1,	/* SEV or SEV-ES: a C-bit and no RMP */
	AIRLOCK_SNP	= 2,	/* SEV-SNP, native, VMPL0 */
	AIRLOCK_TDX	= 3,	/* TDX, native */
	AIRLOCK_VTOM	= 4,	/* Hyper-V vTOM on SEV-SNP, with a paravisor */
	AIRLOCK_TDP	= 5,	/* TD partitioning, with a paravisor */
};
#define AIRLOCK_PLATFORMS 6

enum airlock_to {
	AIRLOCK_TO_PRIVATE	= 0,
	AIRLOCK_TO_SHARED	= 1,
};

enum airlock_page {
	AIRLOCK_PAGE_PRIVATE	= 0,
	AIRLOCK_PAGE_SHARED	= 1,
	AIRLOCK_PAGE_TRANSITION	= 2,
	AIRLOCK_PAGE_QUARANTINE	= 3,
};

/* A run of linear addresses. */
struct airlock_range {
	uint64_t va;
	uint64_t pages;
};

/*
 * Orders
 *
 * An order is a list of steps. The same text names it on a command line, in a
 * test and in a report, for example
 *     alias, np+flip, tlb, cache@window, prepare@window, notify@window, present
 *
 *   alias     have the port remove what aliases it can (those it cannot, it
 *             lists, and every pass changes them with the range)
 *   np        clear PRESENT                        } one pass over the
 *   flip      set or clear the C-bit or shared bit } page-table entries
 *   np+flip   both, in one write per entry         } each
 *   present   set PRESENT                          }
 *   flip+present  both, in one write per entry     }
 *   tlb       one shootdown of the whole call
 *   cache     flush the data cache, where the platform needs the guest to
 *   prepare   the platform's work that comes before the flip in Linux 6.12
 *   notify    the platform's work that comes after it
 *
 * An order without prepare does prepare's work first thing in notify. cache,
 * prepare and notify take @map (default: through the range's own mapping,
 * present or not) or @window.
 */
enum airlock_step_kind {
	AIRLOCK_STEP_ALIAS		= 1,
	AIRLOCK_STEP_NP			= 2,
	AIRLOCK_STEP_FLIP		= 3,
	AIRLOCK_STEP_NP_FLIP		= 4,
	AIRLOCK_STEP_PRESENT		= 5,
	AIRLOCK_STEP_FLIP_PRESENT	= 6,
	AIRLOCK_STEP_TLB		= 7,
	AIRLOCK_STEP_CACHE		= 8,
	AIRLOCK_STEP_PREPARE		= 9,
	AIRLOCK_STEP_NOTIFY		= 10,
};

#define AIRLOCK_STEP_WINDOW	0x80	/* or-ed to cache, prepare, notify */
#define AIRLOCK_STEP_KIND	0x7f	/* mask */
#define AIRLOCK_ORDER_STEPS	24	/* the longest order */

struct airlock_order {
	uint8_t nsteps;
	uint8_t step[AIRLOCK_ORDER_STEPS];
};

/* The order that airlock_convert() runs. */
extern const struct airlock_order airlock_default_order;

/**
 * airlock_order_parse() - an order from its text
 * @text: steps separated by commas; spaces are ignored
 * @order: written only on success
 * @where: if not NULL, receives the offset of what was not understood
 * An order must change the attribute once ("flip" in some form), contain
 * notify once and prepare at most once, before it, and end with the range
 * present.
 * Context: any. Return: AIRLOCK_OK or AIRLOCK_E_ORDER.
 */
int airlock_order_parse(const char *text, struct airlock_order *order,
			size_t *where);

/**
 * airlock_order_print() - the text of an order
 * Context: any. Return: the length of the whole text, as snprintf() does.
 */
size_t airlock_order_print(const struct airlock_order *order, char *buf,
			   size_t size);

/**
 * airlock_step_name() - the text of one step, without @window
 * Context: any. Return: a string, or NULL for no such step.
 */
const char *airlock_step_name(uint8_t step);

/* A named order; it may differ by platform and by direction. */
struct airlock_named_order {
	const char *name;
	const char *what;	/* one line: where it comes from */
};

extern const struct airlock_named_order airlock_named_orders[];
extern const unsigned int airlock_named_order_count;

/**
 * airlock_order_named() - a named order, for a platform and a direction
 * Context: any. Return: AIRLOCK_OK; AIRLOCK_E_ORDER for an unknown name.
 */
int airlock_order_named(const char *name, enum airlock_platform platform,
			enum airlock_to to, struct airlock_order *order);

/* The platform's properties, from CPUID or the TDX module; see config. */
enum airlock_feature {
	/* Caches coherent across the C-bit: AMD CPUID 8000001F EAX[10]. */
	AIRLOCK_F_COHERENT	= 1 << 0,
	/* No evict reads after validation: AMD CPUID 8000001F EBX[31]. */
	AIRLOCK_F_NO_EVICT	= 1 << 1,
	/* TDG.MEM.PAGE.RELEASE is there: TDCS.TD_CTLS and the module say so. */
	AIRLOCK_F_TDX_RELEASE	= 1 << 2,
	/* Never join split leaves again (a debugging aid). */
	AIRLOCK_F_NO_REJOIN	= 1 << 3,
};

/**
 * struct airlock_config - the machine, as airlock_init() must be told it
 * @platform: which one
 * @features: enum airlock_feature, or-ed
 * @enc_bit: number of the page-table bit: C-bit (SEV, SNP: set is private) or
 *	shared bit (TDX, vTOM, TDP: set is shared); ignored for AIRLOCK_PLAIN
 * @levels: 4 or 5 levels of page tables
 * @root: physical address of the top table, without attribute bits
 * @table_attr: bits to put into entries that point to a table the engine
 *	makes: PRESENT, RW and, on SEV and SNP, the C-bit
 * @memory: bytes of guest-physical space the ledger covers, from GPA 0
 * @cpus: CPU numbers are 0..cpus-1
 * @window: linear address of cpus * AIRLOCK_WINDOW_STRIDE bytes of unused
 *	address space, 2M aligned
 * @direct_map: linear address at which GPA 0 is, or would be, mapped;
 *	airlock_reclaim_all() reaches pages there
 * @prepare, @notify: optional; called once per airlock_convert(), with the
 *	call's own ranges, after the platform's own prepare work and after its
 *	notify work. Nonzero: the transition is undone and fails with
 *	AIRLOCK_E_CALLBACK. They may run with the ranges not present.
 * @cookie: passed to both
 */
struct airlock_config {
	enum airlock_platform platform;
	uint32_t features;
	unsigned int enc_bit;
	unsigned int levels;
	uint64_t root;
	uint64_t table_attr;
	uint64_t memory;
	unsigned int cpus;
	uint64_t window;
	uint64_t direct_map;
	int (*prepare)(void *cookie, const struct airlock_range *r,
		       unsigned int n, enum airlock_to to);
	int (*notify)(void *cookie, const struct airlock_range *r,
		      unsigned int n, enum airlock_to to);
	void *cookie;
};

/**
 * struct airlock_outcome - what a call did, always complete
 * @status: the return value again
 * @converted: pages now in the wanted state, present
 * @reverted: pages that had been touched and are back in their former state,
 *	present; their contents are undefined
 * @quarantined: pages left not present for ever
 * converted + reverted + quarantined is the number of pages touched: all
 * pages of the call, or 0 when nothing was changed.
 */
struct airlock_outcome {
	int status;
	uint64_t converted;
	uint64_t reverted;
	uint64_t quarantined;
};

/* Opaque; lives in memory that the caller gives to airlock_init(). */
struct airlock;

/**
 * airlock_size() - bytes that airlock_init() needs
 * @cfg: @cpus and @memory must be set. About 64 KiB per GiB of memory.
 * Context: any. Return: a number of bytes, 0 for an impossible config.
 */
size_t airlock_size(const struct airlock_config *cfg);

/**
 * airlock_init_check() - what is wrong with arguments for airlock_init()?
 * All that airlock_init() answers with AIRLOCK_E_ARG, in words that begin with
 * the field: "table_attr: lacks the C-bit", "mem: not zeroed". Looks at the
 * arguments and at @mem, and at no page table.
 * Context: any. Return: NULL if nothing is wrong, else a constant string.
 */
const char *airlock_init_check(const void *mem, size_t size,
			       const struct airlock_config *cfg);

/**
 * airlock_init() - prepare a context
 * @mem: private memory, zeroed, 64-byte aligned, for the engine alone
 * @size: at least airlock_size(cfg)
 * Makes the page tables of every CPU's window. After a failure @mem is zero
 * again; tables above the window may have been linked, empty, and stay.
 * Context: once, one CPU; takes the port's lock, allocates page-table pages,
 * as airlock_port_table_alloc() does.
 * Return: AIRLOCK_OK, AIRLOCK_E_ARG (airlock_init_check() says which),
 * AIRLOCK_E_NOMEM, AIRLOCK_E_TABLE, AIRLOCK_E_WINDOW (something is mapped
 * there).
 */
int airlock_init(struct airlock **out, void *mem, size_t size,
		 const struct airlock_config *cfg);

/**
 * airlock_note() - tell the ledger of pages that are shared already
 * For pages that firmware or early boot made shared, or made private again,
 * before or behind the engine. Changes no mapping. Does nothing on
 * AIRLOCK_PLAIN. Not for the GHCB or hypercall page that the engine itself
 * uses: airlock_reclaim_all() would take it back while it talks through it.
 * Context: where the port's lock may be taken. Return: AIRLOCK_OK,
 * AIRLOCK_E_ARG, AIRLOCK_E_MEMORY, AIRLOCK_E_BUSY, AIRLOCK_E_QUARANTINED.
 */
int airlock_note(struct airlock *a, uint64_t gpa, uint64_t pages,
		 enum airlock_to to);

/**
 * airlock_convert() - make pages private or shared
 * @r: @n ranges of linear addresses, disjoint, all mapped and all in the other
 *	state; contents are undefined afterwards
 * @out: may be NULL
 *
 * The caller owns the pages: nobody uses them during the call. Stray reads
 * (load_unaligned_zeropad() and the like) are expected and safe.
 *
 * Context: as the port's airlock_port_may_convert() says; takes the port's
 * lock, pins, allocates page-table pages before the first change, sends IPIs.
 * Not from within a callback or a port function. Return: enum airlock_status.
 */
int airlock_convert(struct airlock *a, const struct airlock_range *r,
		    unsigned int n, enum airlock_to to,
		    struct airlock_outcome *out);

/**
 * airlock_convert_order() - the same, by another order
 * For the lab and for experiments: most orders are not safe.
 * Context, Return: as airlock_convert(); AIRLOCK_E_ORDER for no order.
 */
int airlock_convert_order(struct airlock *a, const struct airlock_range *r,
			  unsigned int n, enum airlock_to to,
			  const struct airlock_order *order,
			  struct airlock_outcome *out);

/**
 * airlock_reclaim_all() - make every shared page private again, before kexec
 * Goes through the direct map. Pages in quarantine stay there.
 * Context: one CPU runs, the others are stopped, interrupts are off; takes the
 * port's lock, does not allocate and sends no IPI. Return: enum
 * airlock_status of the first failure.
 */
int airlock_reclaim_all(struct airlock *a, struct airlock_outcome *out);

/**
 * airlock_page() - what the ledger knows of a page
 * Context: any. Return: its state; AIRLOCK_PAGE_PRIVATE beyond the memory.
 */
enum airlock_page airlock_page(const struct airlock *a, uint64_t gpa);

/**
 * airlock_next() - list pages in a state
 * @gpa: in: where to begin; out: the first page at or after it in @state
 * @pages: out: how many in a row
 * Context: any. Return: false when there are no more.
 */
bool airlock_next(const struct airlock *a, enum airlock_page state,
		  uint64_t *gpa, uint64_t *pages);

/**
 * airlock_load_unaligned_zeropad() - 8 bytes from any address
 * The 8 bytes may run into the next page. If that page is not present, the
 * bytes beyond the page end read as zero: airlock_zeropad_fixup(), called from
 * the page-fault handler, sees to it.
 * Context: any. Return: the bytes, little-endian.
 */
uint64_t airlock_load_unaligned_zeropad(const void *p);

/* What a page-fault handler knows. */
struct airlock_fault {
	uint64_t ip;		/* in, out: where it happened, where to go on */
	uint64_t address;	/* in: CR2 */
	uint64_t error;		/* in: error code pushed by the CPU */
	uint64_t rdi;		/* in: the address being loaded from */
	uint64_t rax;		/* out: the result */
};

/**
 * airlock_zeropad_fixup() - is this fault that of a stray read? Then mend it.
 * Applies when the instruction is the load of
 * airlock_load_unaligned_zeropad(), the fault is a supervisor read of a page
 * not present, and the faulting address is exactly the start of the aligned
 * word after the one the load begins in (the rule of Linux, mm/extable.c).
 * Context: the page-fault handler; reads the first, present word.
 * Return: true when @ip and @rax have been set.
 */
bool airlock_zeropad_fixup(struct airlock_fault *f);

#ifdef __cplusplus
}
#endif
#endif
