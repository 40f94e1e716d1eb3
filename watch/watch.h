/* SPDX-License-Identifier: GPL-2.0 */
#ifndef WATCH_H
#define WATCH_H

/*
 * What a kernel's page tables, its CPUs' TLBs and caches, and the machine's
 * page states allow at each moment: not what a CPU met, but what any of them
 * could have met. Pure logic: plugin.c feeds it from QEMU, the unit tests from
 * events made up.
 *
 * Words
 *   view      private or shared: by which of its aliases an entry maps a page
 *   table     a page-table page; level 0 maps 4K, 1 maps 2M, 2 maps 1G
 *   link      one place in the address space at which a table hangs
 *   node      an entry of a table, as a number: table * 512 + index
 *   leaf      an entry that maps memory
 *   stale     a leaf that is no longer in the tables, which TLBs may hold
 *   cached    a link that is no longer in the tables, by which a CPU may
 *             still walk: its paging-structure cache holds the entry above
 *   frame     a 4K page of the guest's memory
 *   settled   a frame is private or shared and mapped that way: in use
 *   held      by a mask of CPUs, less those that have flushed since
 *   seen      a store that is in memory, and not in a store buffer
 *
 *   tables.c  what the tables say, and who maps a frame
 *   tlb.c     what CPUs may hold beyond that
 *   flush.c   the instructions that flush
 *   buffer.c  which stores others may not see yet
 *   cache.c   data-cache lines
 *   judge.c   the rules
 *   order.c   which steps a conversion took
 *   history.c what led to a finding
 *   trails.c    what was done to each page, for the proof
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WATCH_CPUS	16
#define WATCH_PAGE	UINT64_C(4096)
#define WATCH_KERNEL	UINT64_C(0xffff800000000000)
#define WATCH_BIT	(UINT64_C(1) << 47)	/* C-bit or shared bit */
#define WATCH_ADDR	(UINT64_C(0xffffffffff000) & ~WATCH_BIT)
#define WATCH_TEXT	320

#define ENTRY_P		UINT64_C(1)
#define ENTRY_LARGE	UINT64_C(0x80)
#define ENTRY_GLOBAL	UINT64_C(0x100)

enum watch_platform { WATCH_TDX = 1, WATCH_SNP, WATCH_VTOM, WATCH_TDP };

/* As the machine has them. */
enum watch_state { STATE_NONE, STATE_SHARED, STATE_PENDING, STATE_PRIVATE };
#define STATE_MASK	3u
#define STATE_BY_HOST	4u

enum watch_kind {
	FOUND_PRESENT,		/* a stray read, through a present entry */
	FOUND_STALE,		/* ... through one that a TLB may hold */
	FOUND_CACHED,		/* ... by a table that was taken away */
	FOUND_OUTLIVES,		/* in use, and a former translation may be too */
	FOUND_OWNER,		/* an instruction may miss its own mapping */
	FOUND_LINE,		/* a dirty cache line of the former view */
	FOUND_EVICT,		/* private again, lines of its past not evicted */
	FOUND_TWICE,		/* validated or accepted twice */
	FOUND_GIVEN,		/* given to the host, and still validated */
	FOUND_KINDS
};

struct watch_config {
	enum watch_platform platform;
	unsigned int cpus;
	bool coherent;		/* caches, across the C-bit */
	bool no_evict;		/* the CPU needs no evict reads */
	bool honest;		/* the host; else it may fail, ... */
	bool lies;		/* ... or lie and act unasked */
	bool low;		/* the kernel uses the lower half, too */
	const uint8_t *ram;	/* the guest's, by machine address */
	uint64_t ram_size;
	const uint8_t *states;	/* a byte a frame */
};

/* One way to a frame. */
struct watch_way {
	uint64_t va;
	uint64_t entry;
	unsigned int level;
	uint32_t cpus;		/* who may use it */
	enum watch_kind kind;	/* FOUND_PRESENT, _STALE, _CACHED */
	uint64_t rip;		/* of the store that left it behind, or 0 */
	bool unseen;		/* flushed, but that store was unseen: */
	unsigned int writer;	/* ... it was in this CPU's buffer */
};

struct watch_finding {
	unsigned int id;
	enum watch_kind kind;
	uint64_t frame;		/* number */
	enum watch_state state;
	uint64_t va;		/* by which it is reached */
	struct watch_way way;
	struct watch_way mapped;	/* FOUND_OUTLIVES: what it is now */
	uint64_t rip;		/* which changed the state, or wrote, or failed */
	unsigned int cpu;
	uint64_t caller;	/* who asked for the conversion, or 0 */
	uint64_t count;
	uint32_t lines;		/* FOUND_LINE: cache lines */
	char what[24];		/* FOUND_OWNER: the instruction */
};

enum watch_step {
	STEP_ALIAS, STEP_NP, STEP_FLIP, STEP_NP_FLIP, STEP_PRESENT,
	STEP_FLIP_PRESENT, STEP_TLB, STEP_CACHE, STEP_PREPARE, STEP_NOTIFY,
	STEPS
};
#define STEP_WINDOW	0x80u
#define STEP_MAX	24

/* A conversion, or all those alike. */
struct watch_conversion {
	uint64_t caller;
	bool to_shared;
	uint64_t pages;
	uint8_t step[STEP_MAX];
	unsigned int steps;
	uint64_t inside;	/* flushes in the middle of a step */
	uint64_t count;
	uint64_t failed;
};

/* Something that happened, or several times in a row: how a finding came about. */
enum watch_event_kind {
	EVENT_CONVERT,		/* new: to shared; rip: who asked */
	EVENT_RETURN,
	EVENT_ALIAS,
	EVENT_ENTRY,		/* from old to new */
	EVENT_FLUSH,		/* of an address; new: on every CPU */
	EVENT_FLUSH_ALL,	/* new: on every CPU */
	EVENT_CR3,		/* drops what is not global */
	EVENT_CLFLUSH,
	EVENT_READ,		/* an evict read */
	EVENT_PVALIDATE,	/* new: validate, not rescind */
	EVENT_ACCEPT,
	EVENT_STATE,		/* of pages, from old to new; rip: of the call */
	EVENT_KINDS
};
#define EVENT_NOWHERE	(UINT64_MAX >> 1 & ~UINT64_C(4095))
#define EVENTS_SHOWN	24

struct watch_event {
	enum watch_event_kind kind;
	unsigned int cpu, level;
	uint64_t va, frame;	/* of the first page, or EVENT_NOWHERE */
	uint64_t pages;
	uint64_t old, new;
	uint64_t rip;
	uint64_t times;
};

/* What a conversion did to a page: trails.c. */
#define WATCH_TRAIL_MAPS	8
#define TRAIL_PRESENT	1u
#define TRAIL_SHARED	2u

enum watch_trail_kind {
	TRAIL_ENTRY,		/* of @map: @value, TRAIL_PRESENT, TRAIL_SHARED */
	TRAIL_DRAIN,		/* the CPU's stores to its entries are seen */
	TRAIL_FLUSH,		/* of the maps in @value, one bit each */
	TRAIL_CACHE,		/* all lines, @value: as TRAIL_SHARED, or not */
	TRAIL_STATE,		/* enum watch_state, from @old to @value */
	TRAIL_EVICT,		/* evict reads of its first and last line */
	TRAIL_RETURN,
	TRAIL_KINDS
};

struct watch_trail_event {
	uint8_t kind, cpu, map, old, value;
	bool window;		/* by no mapping of the page's own */
	uint64_t rip;
};

/* All pages to which the same was done. */
struct watch_trail {
	bool to_shared;
	unsigned int cpus, maps;
	uint8_t begin[WATCH_TRAIL_MAPS];	/* what its entries said */
	struct watch_trail_event *ev;
	unsigned int n;
	struct watch_conversion how;	/* its order alone; no steps: unknown */
	uint64_t pages, caller, va;	/* how many; of the first */
};

/* Pages of conversions by what became of them. */
struct watch_trail_counts {
	uint64_t kept;
	uint64_t refused;	/* the call failed */
	uint64_t moved;		/* its thread went to another CPU */
	uint64_t unfit;		/* was so before, or in two calls at once */
	uint64_t too_many;	/* more trails than are kept */
};

struct watch;

struct watch *watch_new(const struct watch_config *c,
			void (*found)(void *, const struct watch_finding *),
			void *ctx);
void watch_free(struct watch *w);

/* The machine has put them there. */
void watch_set_states(struct watch *w, const uint8_t *states);
/* Before anything else: keep trails. */
void watch_want_trails(struct watch *w);
/* Nothing is judged before. */
void watch_begin(struct watch *w);

/* ---- events ---- */

/* Where this CPU is: the place of what comes next, and a number of its stack. */
void watch_at(struct watch *w, unsigned int cpu, uint64_t rip,
	      uint64_t thread);
void watch_cr3(struct watch *w, unsigned int cpu, uint64_t cr3);
void watch_flush_all(struct watch *w, unsigned int cpu);
void watch_invlpg(struct watch *w, unsigned int cpu, uint64_t va);
void watch_cr4(struct watch *w, unsigned int cpu, uint64_t old, uint64_t new);
void watch_invpcid(struct watch *w, unsigned int cpu, uint64_t type,
		   uint64_t pcid, uint64_t va);
/* INVLPGB: of all CPUs, when TLBSYNC has waited for it. */
void watch_invlpgb(struct watch *w, unsigned int cpu, uint64_t rax,
		   uint64_t rcx);
void watch_tlbsync(struct watch *w, unsigned int cpu);
void watch_cpu_off(struct watch *w, unsigned int cpu);
/* Its store buffer is empty now. INVLPG, MOV CR3 and such do that, too. */
void watch_drain(struct watch *w, unsigned int cpu);
/* It sends an IPI, by an instruction that waits for no store. */
void watch_ipi(struct watch *w, unsigned int cpu);
bool watch_wants_drains(const struct watch *w);

/* A store of kernel code has been executed, to this machine address. */
void watch_store(struct watch *w, unsigned int cpu, uint64_t pa,
		 unsigned int size, uint64_t rip);
/*
 * The machine has changed the state of a frame. @asked: by the call that this
 * CPU makes, not unasked, nor because of an access that was wrong.
 */
void watch_state(struct watch *w, unsigned int cpu, uint64_t frame,
		 bool asked);

void watch_clflush(struct watch *w, unsigned int cpu, uint64_t va,
		   uint64_t rip);
void watch_wbinvd(struct watch *w, unsigned int cpu);
void watch_read(struct watch *w, unsigned int cpu, uint64_t va);
bool watch_wants_reads(const struct watch *w);

/* PVALIDATE, before it is executed. */
void watch_pvalidate(struct watch *w, unsigned int cpu, uint64_t va,
		     bool large, bool validate, uint64_t rip);
/* TDX accept of @pages from this frame on. */
void watch_accept(struct watch *w, unsigned int cpu, uint64_t frame,
		  uint64_t pages, uint64_t rip);
/* Any other call to the host or module. */
void watch_call(struct watch *w, unsigned int cpu, uint64_t rip);

/* The kernel's function that converts was called, and came back. */
void watch_convert(struct watch *w, unsigned int cpu, uint64_t va,
		   uint64_t pages, bool to_shared, uint64_t caller,
		   uint64_t thread);
void watch_alias(struct watch *w, unsigned int cpu);
void watch_converted(struct watch *w, unsigned int cpu, uint64_t thread,
		     bool failed);
/* The CPU goes from a task to another: any numbers that are theirs, not 0. */
void watch_switch(struct watch *w, unsigned int cpu, uint64_t prev,
		  uint64_t next);
bool watch_wants_switches(const struct watch *w, unsigned int cpu);

/*
 * The same of a kernel whose calls are not judged as such: its ranges. Ends
 * with watch_guest_returned().
 */
struct watch_range {
	uint64_t va, pages;
};
void watch_guest_call(struct watch *w, unsigned int cpu,
		      const struct watch_range *r, unsigned int n,
		      bool to_shared, uint64_t caller);
void watch_guest_returned(struct watch *w, unsigned int cpu, bool failed);

/* The guest has ended: what is in a call still is a trail that does not return. */
void watch_end(struct watch *w);

/* ---- results ---- */

struct watch_counts {
	uint64_t stores, table_writes, state_changes, judged, flushes,
		 full_flushes, clflushes, evict_reads, tables, stale_most,
		 places_left_out;
};

const struct watch_counts *watch_counted(const struct watch *w);
unsigned int watch_findings(const struct watch *w);
const struct watch_finding *watch_finding(const struct watch *w,
					  unsigned int i);
/* What led to a finding, oldest first, while it is reported. Return: how many. */
unsigned int watch_history(const struct watch *w,
			   const struct watch_finding *f,
			   struct watch_event *to, unsigned int max);
unsigned int watch_conversions(const struct watch *w);
const struct watch_conversion *watch_conversion(const struct watch *w,
						unsigned int i);
unsigned int watch_trails(const struct watch *w);
const struct watch_trail *watch_trail(const struct watch *w, unsigned int i);
/* NULL: none were wanted. */
const struct watch_trail_counts *watch_trail_counted(const struct watch *w);
const char *watch_state_name(enum watch_platform p, enum watch_state s);
const char *watch_step_name(uint8_t step);
size_t watch_order(const struct watch_conversion *c, char *buf, size_t size);

/* Is this machine address of interest to watch_store()? */
bool watch_wants_store(const struct watch *w, uint64_t pa);

/* The entry that maps @va now, 0 if none does; its level. */
uint64_t watch_lookup(const struct watch *w, uint64_t va, unsigned int *level);

#endif
