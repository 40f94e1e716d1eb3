/* SPDX-License-Identifier: GPL-2.0 */
#ifndef LAB_MACHINE_H
#define LAB_MACHINE_H

/*
 * The lab's machine: page tables, TLBs, caches, host. It knows no engine: what
 * runs on it is the business of the files above this folder, and what it needs
 * to know of the guest it is given (holds, in struct lab).
 *
 * Words
 *   frame     a 4K page of guest-physical memory; its number is the GFN
 *   view      how a translation reaches a frame: private or shared
 *   host page state   what the RMP, the secure EPT or the paravisor holds
 *   spot      a linear page that somebody may touch: a page of the range, an
 *             alias of one, a neighbour of either, a page of a window
 *
 * A state is a vector of numbers of interned parts:
 *
 *   word 0      ctx     the engine's context (bytes)
 *   word 1      mach    frames, lock, host (struct mach)
 *   word 2      tables  page-table pages: numbers of interned pages
 *   word 3..    per CPU: hw (struct hw), and for converters local
 *
 * An action loads what it needs into struct world, changes it, and the parts
 * that changed are interned again.
 */

#include <airlock/port.h>
#include "lab.h"
#include "search/intern.h"

#define LAB_TABLES	24		/* page-table pages */
#define LAB_TLB		28		/* TLB entries a CPU can hold */
#define LAB_SB		8		/* store buffer entries, at most */
#define LAB_PSC		4		/* stale paging-structure entries */
#define LAB_FLUSH	17		/* ranges of one shootdown */
#define LAB_RUNS	28		/* runs of equal frames */
#define LAB_SPOTS	72
#define ROW_WORDS	(LAB_MAX_PAGES / 64)
#define HEAD_WORDS	(512 / 64)

/* Guest-physical layout, in frames. */
#define GFN_TABLES	16u		/* page-table pages */
#define GFN_GHCB	64u		/* one per CPU */
#define GFN_HV		72u
#define GFN_CHUNK	512u		/* first 2M chunk for ranges */
#define GFN_END		4096u		/* 16 MiB in all */

/* Linear layout. */
#define LAB_DIRECT	UINT64_C(0xffff888000000000)
#define LAB_VMALLOC	UINT64_C(0xffff88c000000000)
#define LAB_WINDOW	UINT64_C(0xffff890000000000)

#define PTE_P		UINT64_C(1)
#define PTE_RW		UINT64_C(2)
#define PTE_A		UINT64_C(0x20)
#define PTE_D		UINT64_C(0x40)
#define PTE_PS		UINT64_C(0x80)
#define PTE_G		UINT64_C(0x100)
#define PTE_SOFT	UINT64_C(0x200)	/* software's, to be kept */
#define PTE_PAT_4K	PTE_PS		/* PAT: where it is depends on the size */
#define PTE_PAT_LARGE	UINT64_C(0x1000)
#define PTE_NX		(UINT64_C(1) << 63)
#define PTE_ADDR	UINT64_C(0x000ffffffffff000)
#define LAB_ENC_BIT	47

enum view { VIEW_PRIVATE = 0, VIEW_SHARED = 1 };

/* A frame's state. F_IMPLICIT: the host made it shared by itself, on a
 * mismatched access; it makes it private again by itself, too. */
#define F_SHARED	0x0001	/* host page state: shared */
#define F_VALID		0x0002	/* validated, accepted */
#define F_LARGE		0x0004	/* RMP or SEPT entry is part of a 2M one */
#define F_DIRTY_P	0x0008	/* dirty line filled under the private view */
#define F_DIRTY_S	0x0010	/* the same, shared view */
#define F_STALE_LINE	0x0020	/* SNP: evict reads are due */
#define F_TAMPERED	0x0040	/* a hostile host changed it on its own */
#define F_IMPLICIT	0x0200
#define F_RANGE		0x0080	/* belongs to some converter's range */
#define F_ACCEPTED	0x0100	/* validated by the guest, not given up since */
#define F_DOUBT		0x0400	/* the host failed or lied when asked for it */

struct frame_run {
	uint16_t gfn;		/* first; the run ends where the next begins */
	uint16_t flags;
};

/*
 * One cached translation, or, reduced and of a long range, so many of 4K in a
 * row. A linear page is counted from LAB_DIRECT.
 */
struct tlbe {
	uint32_t vpn;		/* first linear page, aligned to the size */
	uint32_t gfn;		/* first frame */
	uint8_t level;		/* 1: 4K, 2: 2M, 3: 1G */
	uint8_t view;
	uint16_t many;		/* entries in a row, else 1 */
};

struct sbe {
	uint64_t pa;
	uint64_t val;
};

struct psce {
	uint32_t vpn;		/* first linear page the table maps */
	uint32_t table;		/* its page-table page, as a GFN */
};

struct vrange {
	uint32_t vpn;
	uint32_t pages;
};

/* What one CPU's hardware holds. All of it is hashed: unused is zero. */
struct hw {
	uint8_t ntlb, nsb, npsc, nflush;
	uint8_t waiting;	/* CPUs whose flush this CPU waits for, mask */
	uint8_t flush_all;
	uint8_t pinned;
	uint8_t sent;		/* the shootdown's IPIs are out */
	uint8_t id;		/* where threads move: which CPU it is */
	struct sbe sb[LAB_SB];
	struct psce psc[LAB_PSC];
	struct vrange flush[LAB_FLUSH];
	struct tlbe tlb[LAB_TLB];	/* last: only what is used is kept */
};

/* What is there once. All of it is hashed: unused is zero. */
struct mach {
	int8_t lock;		/* CPU that holds it, or -1 */
	uint8_t nruns;
	uint8_t fails;		/* failures the host has left */
	uint8_t acts;		/* hostile acts it has left */
	uint8_t hook;		/* violations reported */
	uint8_t caught;		/* lies that the engine must have seen */
	uint16_t calls[LAB_MAX_CPUS];	/* to the host, of this conversion */
	uint8_t finished;	/* converters, mask */
	uint8_t stuck;		/* the host answers "retry" for ever */
	uint8_t round[2];	/* calls made, two converters each */
	uint8_t idle[LAB_MAX_CPUS];	/* answers in a row without progress */
	uint8_t muddled;	/* the host wrote what it likes into an answer */
	uint8_t moves;		/* migrations that are left */
	uint32_t used;		/* page-table pages in use, mask */
	uint32_t linked;	/* of those, reachable from the root */
	struct frame_run run[LAB_RUNS];
};

struct tables {
	uint32_t id[LAB_TABLES];	/* interned pages of 512 entries */
};

/* What a spot is, and who may touch it. */
enum spot_role {
	SPOT_RANGE,		/* a page that some converter converts */
	SPOT_ALIAS,		/* the same page, by its other mapping */
	SPOT_BYSTANDER,		/* a page that never converts */
	SPOT_WINDOW,		/* of CPU owner alone: its id */
	SPOT_LAZY,		/* an alias that is gone but for TLBs */
};

struct spot {
	uint32_t vpn;
	uint32_t gfn;		/* what it maps; SPOT_WINDOW: what it may map */
	enum spot_role role;
	unsigned int owner;	/* SPOT_WINDOW: CPU. SPOT_RANGE: converter */
	char name[40];
};

struct translation {
	uint32_t gfn;
	uint8_t level;
	uint8_t view;
	bool present;
};

/* The world an action works on. */
struct world {
	uint32_t ctx_id, mach_id, tables_id;
	uint32_t hw_id[LAB_MAX_CPUS], local_id[LAB_MAX_CPUS];
	bool mach_dirty, tables_dirty, hw_dirty[LAB_MAX_CPUS];
	struct mach m;
	struct tables t;
	struct hw hw[LAB_MAX_CPUS];
	/* judgement */
	uint32_t bad;
	enum lab_exception exception;
	char why[200];
};

struct lab {
	struct lab_config cfg;
	struct explore_model model;
	struct intern *blobs;		/* ctx, mach, tables, hw, local, comm */
	struct intern *pages;		/* page-table pages */
	struct spot spot[LAB_SPOTS];
	unsigned int nspots;
	struct airlock_range range[LAB_MAX_CPUS][4];
	unsigned int nranges[LAB_MAX_CPUS];
	unsigned int words;
	uint32_t initial[3 + 2 * LAB_MAX_CPUS];

	struct world w;			/* the one in hand */
	bool setup;			/* no choices, no judgement yet */
	unsigned int cpu;		/* whose request is carried out */
	/* What the guest's ledger says of a frame: the lab above knows. */
	enum airlock_page (*holds)(uint32_t gfn);

	/* replay and narration */
	uint32_t now[3 + 2 * LAB_MAX_CPUS];
	bool narrate;
	char said[160];

	/* where runs of entries begin in an interned page, by its number */
	struct { uint32_t page; uint64_t heads[HEAD_WORDS]; } row[64];

	/* observations */
	uint64_t accesses;		/* judged */
	bool observe;
	struct intern *seen;
	uint64_t seen_hash;
};

extern struct lab *lab;			/* the only one */

/*
 * A long range is a row of pages; a spot is kept for a few of them alone. Every
 * page of the row has a number, beyond those of the spots.
 */
#define ROW		1024u
bool has_row(void);
uint32_t row_gfn(void);
const struct spot *spot_number(unsigned int s);
/* Pages of the row where something begins that the page before has not. */
void row_heads(uint64_t heads[ROW_WORDS]);
/* The next of them from @i on; cfg.pages: none is left. */
unsigned int row_next(const uint64_t heads[ROW_WORDS], unsigned int i);
/* First linear page of a CPU's window. */
uint32_t window_vpn(unsigned int cpu);
/* How many CPUs may use theirs. */
unsigned int windows(void);
/* 2M of the direct map in which ranges lie. */
unsigned int chunks(void);
/* Is it, or was it before a split, in a large leaf of the direct map? */
bool was_large(uint32_t vpn);
/* Has its entry PAT, whose place is another one after a split? */
bool has_pat(uint32_t vpn);

/* spots.c: linear pages, and what a trace calls them */
bool spot_gfn(uint32_t vpn, uint32_t *gfn);
void owner_writes(unsigned int cpu);
const char *page_name(uint32_t gfn);
const char *va_name(uint64_t va);

/*
 * choose.c: an event that can turn out in several ways asks choose() on its
 * way, for one of n, and is run once for each: begin, then next while it
 * returns true. The digits say which way it was; follow makes it that way.
 */
unsigned int choose(unsigned int n);
void choice_begin(void);
void choice_again(void);
bool choice_next(void);
uint64_t choice_digits(unsigned int bits);
void choice_follow(uint64_t digits);
bool choice_followed(void);

/* judgement: the first one counts */
void bad(unsigned int what, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* frames.c */
uint16_t frame_get(uint32_t gfn);
void frame_change(uint32_t gfn, uint32_t count, uint16_t clear, uint16_t set);
/* first frame at or after gfn, before end, where (flags & mask) != want */
uint32_t frame_differs(uint32_t gfn, uint32_t end, uint16_t mask,
		       uint16_t want);

/* mmu.c */
uint64_t pte_visible(unsigned int cpu, uint64_t pa);
void pte_store(unsigned int cpu, uint64_t pa, uint64_t val);
void sb_drain_one(unsigned int cpu);
void sb_drain(unsigned int cpu);
struct translation walk(unsigned int cpu, uint32_t vpn);
uint64_t leaf_entry(unsigned int cpu, uint32_t vpn, unsigned int *level);
unsigned int translations(unsigned int cpu, uint32_t vpn,
			  struct translation *t, unsigned int max);
void tlb_fill(unsigned int cpu, const struct translation *t, uint32_t vpn);
void tlb_flush(unsigned int cpu, const struct vrange *f, unsigned int n,
	       bool all);
void tlb_check_sizes(unsigned int cpu);
unsigned int fillable(unsigned int cpu, uint32_t vpn, struct translation *t,
		      unsigned int max);
bool table_cached(uint32_t gfn);
bool table_reachable(uint64_t pa);
void mmu_init(void);
const uint64_t *table_page(unsigned int t);
uint64_t table_gpa(unsigned int t);
void pte_now(uint64_t pa, uint64_t val);	/* at once, for setup */

/* host.c: what the platform and the host make of it */
enum access_by { BY_READER, BY_BYSTANDER, BY_ENGINE };
bool host_access(enum access_by by, unsigned int cpu,
		 const struct translation *t, bool dry);
uint64_t host_pvalidate(uint32_t gfn, bool large, bool validate);
uint64_t host_vmgexit(unsigned int cpu, uint64_t msr);
void host_tdcall(unsigned int cpu, struct airlock_tdcall *t);
uint64_t host_hypercall(unsigned int cpu, uint64_t control, uint64_t in);
unsigned int host_acts(void);		/* number of unasked acts possible */
void host_act(unsigned int i);
void count_call(unsigned int cpu);
bool host_may_fail(void);		/* asks choose(); uses up a failure */
void host_shared_read(unsigned int offset, unsigned int size);
bool host_lied(void);
bool has_host_state(void);

/* props.c */
void check_state(void);
void check_spot(unsigned int cpu, const struct spot *p,
		const struct translation *t);
bool spot_quiet(unsigned int cpu, const struct spot *p);
/* What a report says of which pages. */
void check_report(uint64_t gpa, uint64_t pages);
void check_return(unsigned int cpu, const struct airlock_outcome *o,
		  const char *status);

static inline uint32_t va_vpn(uint64_t va)
{
	return (uint32_t)((va - LAB_DIRECT) >> 12);
}

static inline uint64_t vpn_va(uint32_t vpn)
{
	return LAB_DIRECT + ((uint64_t)vpn << 12);
}

/*
 * A thread keeps its place among the CPUs; where it goes on on another one the
 * two exchange their hardware. Then this is the CPU at that place.
 */
static inline unsigned int cpu_id(unsigned int cpu)
{
	return lab->cfg.migrations && !lab->setup ? lab->w.hw[cpu].id : cpu;
}

/* The page that a CPU shares with the host: its GHCB, its hypercall input. */
#define LAB_COMM	((uint8_t *)0x300002000000)


static inline void *comm_page(unsigned int cpu)
{
	return LAB_COMM + cpu_id(cpu) * 4096ul;
}

static inline uint32_t comm_gfn(bool hv, unsigned int cpu)
{
	return (hv ? GFN_HV : GFN_GHCB) + cpu_id(cpu);
}

static inline unsigned int round_of(const struct mach *m, unsigned int cpu)
{
	return m->round[cpu / 2] >> (4 * (cpu & 1)) & 15;
}

/* Direction of the call that a CPU is in: there, back, there. */
static inline enum airlock_to direction(const struct lab *l, unsigned int cpu)
{
	bool back = round_of(&l->w.m, cpu) & 1;

	return (enum airlock_to)(l->cfg.to ^ (unsigned int)back);
}

static inline unsigned int most_fails(const struct lab_config *q)
{
	return q->fails ? q->fails : 1;
}

static inline bool pte_private_set(enum airlock_platform p)
{
	return p == AIRLOCK_SNP || p == AIRLOCK_SEV;
}

#endif
