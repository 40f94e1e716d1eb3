/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef AIRLOCK_ENGINE_H
#define AIRLOCK_ENGINE_H

/*
 * The engine's private face: what its files say to each other.
 *
 * Words, beyond those of airlock.h
 *   run       linear pages in a row whose leaf entries follow one from the
 *             other: the same size and attributes, physically contiguous.
 *             entry i is entry 0 + i * leaf size, so one entry, the template,
 *             stands for all
 *   position  a page of a call counted in the order of its ranges, from 0;
 *             what the host has done is told in positions
 *   chunk     2M of guest-physical space, 2M aligned: what one window holds
 *   stage     one kind of work that all pages of a call go through in turn
 *   claim     ledger state TRANSITION: the pages and their leaf entries are
 *             this call's alone
 */

#include <airlock/port.h>

#include "transition.h"

#define PTE_P		(UINT64_C(1) << 0)
#define PTE_RW		(UINT64_C(1) << 1)
#define PTE_US		(UINT64_C(1) << 2)
#define PTE_A		(UINT64_C(1) << 5)
#define PTE_D		(UINT64_C(1) << 6)
#define PTE_PS		(UINT64_C(1) << 7)	/* in a 4K entry: PAT */
#define PTE_SPLIT	(UINT64_C(1) << 11)	/* the engine split this */
#define PTE_PAT_LARGE	(UINT64_C(1) << 12)
#define PTE_NX		(UINT64_C(1) << 63)
#define PTE_ADDR	UINT64_C(0x000ffffffffff000)

/* Off the usual path, which then saves no registers for it. */
#define RARE		__attribute__((cold, noinline))
#define NOINLINE	__attribute__((noinline))

#define SIZE_2M		(UINT64_C(1) << 21)
#define CALL_RUNS	8	/* runs a call remembers; beyond, it walks */
#define FLUSH_RANGES	16	/* ranges in a shootdown; beyond, everything */
#define RETIRED		16	/* tables joined away and not yet flushed */

/* A table that no entry points to any more, but a CPU may remember. */
struct airlock_retired {
	uint64_t pa;
	uint64_t va;		/* where what it mapped begins */
	uint64_t pages;
};

/* One CPU's window slot. */
struct airlock_slot {
	uint64_t pde;		/* physical address of its 2M entry */
	uint64_t table;		/* and of its own table of 4K entries */
};

struct airlock {
	struct airlock_config cfg;
	uint64_t enc;		/* the bit as a mask, 0 on PLAIN */
	uint64_t enc_shared;	/* what a shared page has of it */
	uint64_t addr;		/* address bits of an entry, without it */
	struct airlock_slot *slot;
	uint64_t *ledger;
	unsigned int nretired;
	struct airlock_retired retired[RETIRED];
};

/* ---- addresses ---- */

/* Do both ends of it lie in the same half of the address space? */
static inline bool airlock_canonical(const struct airlock_config *cfg,
				     uint64_t va, uint64_t bytes)
{
	unsigned int shift = cfg->levels == 5 ? 56 : 47;
	uint64_t first = va >> shift, last = (va + bytes - 1) >> shift;

	return first == last &&
	       (!first || first == ~UINT64_C(0) >> shift);
}

/* Do @pages from @va reach beyond the last address? */
static inline bool airlock_wraps(uint64_t va, uint64_t pages)
{
	return pages > (UINT64_MAX - va) >> AIRLOCK_PAGE_SHIFT;
}

/* ---- pagetable.c ---- */

struct airlock_call;

struct airlock_walk {
	uint64_t table;		/* physical address of the table */
	const uint64_t *entries; /* its entries, until the next port call */
	unsigned int index;	/* of the entry in it */
	unsigned int level;	/* 1 = 4K ... 5 */
	bool split;		/* a table on the way is a split's */
	uint64_t entry;
};

struct airlock_run {
	uint64_t va;
	uint64_t gpa;
	uint64_t pages;
	uint64_t pos;		/* position of its first page */
	uint64_t entry;		/* template */
	uint64_t pte;		/* physical address of its first entry */
	unsigned int level;
	bool split;		/* reached by a split's table */
};

/* 4K pages under one leaf of a level. */
static inline uint64_t airlock_leaf_pages(unsigned int level)
{
	return UINT64_C(1) << (9 * (level - 1));
}

static inline void airlock_pt_put4(uint64_t pte, uint64_t entry,
				   uint64_t step)
{
	airlock_port_pte_write(pte, entry);
	airlock_port_pte_write(pte + 8, entry + step);
	airlock_port_pte_write(pte + 16, entry + 2 * step);
	airlock_port_pte_write(pte + 24, entry + 3 * step);
}

/*
 * Write @n entries in a row, the first as @entry, each @step above the one
 * before. Eight at a time: on long ranges this loop is most of what a
 * conversion costs.
 */
static inline void airlock_pt_put(uint64_t pte, uint64_t entry, uint64_t step,
				  uint64_t n)
{
	for (; n >= 8; n -= 8, pte += 64, entry += 8 * step) {
		airlock_pt_put4(pte, entry, step);
		airlock_pt_put4(pte + 32, entry + 4 * step, step);
	}
	for (; n; n--, pte += 8, entry += step)
		airlock_port_pte_write(pte, entry);
}

int airlock_pt_walk(const struct airlock *a, uint64_t va, unsigned int stop,
		    struct airlock_walk *w);
int airlock_pt_run(const struct airlock *a, uint64_t va, uint64_t pages,
		   struct airlock_run *run);
void airlock_pt_write(const struct airlock *a, const struct airlock_run *run,
		      uint64_t entry, bool skip_quarantine);
unsigned int airlock_pt_edge(const struct airlock *a, uint64_t va,
			     uint64_t seen[2]);
void airlock_pt_split(struct airlock_call *c, uint64_t va);
void airlock_spare_put(struct airlock_call *c, uint64_t pa);
uint64_t airlock_spare_take(struct airlock_call *c);
void airlock_pt_join(struct airlock *a, uint64_t va, uint64_t pages);

/* Is the page, by its entry, shared? */
static inline bool airlock_entry_shared(const struct airlock *a, uint64_t e)
{
	return (e & a->enc) == a->enc_shared;
}

/* The attribute bit of a page in this state. */
static inline uint64_t airlock_enc(const struct airlock *a, bool shared)
{
	return shared ? a->enc_shared : a->enc ^ a->enc_shared;
}

/* ---- ledger.c ---- */

void airlock_ledger_set(struct airlock *a, uint64_t gpa, uint64_t pages,
			enum airlock_page state);
bool airlock_ledger_all(const struct airlock *a, uint64_t gpa, uint64_t pages,
			enum airlock_page state, enum airlock_page *other);
uint64_t airlock_ledger_count(const struct airlock *a, uint64_t gpa,
			      uint64_t pages, enum airlock_page state);

/* ---- window.c ---- */

int airlock_window_init(struct airlock *a);
uint64_t airlock_window_open(const struct airlock *a, unsigned int cpu,
			     uint64_t gpa, uint64_t pages, bool shared);
void airlock_window_close(const struct airlock *a, unsigned int cpu,
			  uint64_t gpa, uint64_t pages);

/* ---- context.c, backend.c ---- */

struct airlock_call {
	struct airlock *a;
	const struct airlock_range *r;
	unsigned int n;
	enum airlock_to to;
	bool aliased;		/* some page has an alias */
	bool partial;		/* some leaf must be split */
	bool split;		/* some leaf was split, now or earlier */
	bool solo;		/* airlock_reclaim_all(): one CPU, no aliases */

	/* What the host holds: host.c. */
	bool prepared;
	bool lied;		/* a violation: do not ask again */
	bool quarantine;	/* some page went there */
	unsigned int nstages;
	unsigned int stage;	/* complete for all pages */
	const struct airlock_stage *stages;
	uint64_t done;		/* positions below: the next one, too */
	uint64_t doubt;		/* positions from @done to here: who knows */

	uint64_t pages;
	uint64_t spare;		/* page-table pages, chained */
	uint64_t spares;

	/* Runs: the first ones, then where to go on walking. */
	unsigned int nruns;
	unsigned int next_range;
	uint64_t next_off;
	uint64_t next_pos;
	struct airlock_run run[CALL_RUNS];
};

/* Goes over the runs of a call. */
struct airlock_runs {
	const struct airlock_call *c;
	unsigned int i;
	/* From where @i is beyond the runs that are remembered. */
	unsigned int range;
	uint64_t off;
	uint64_t pos;
	struct airlock_run buf;
};

const struct airlock_run *airlock_runs_walk(struct airlock_runs *it);

static inline void airlock_runs_begin(struct airlock_runs *it,
				      const struct airlock_call *c)
{
	it->c = c;
	it->i = 0;
}

/* The next run of a call: from memory, then by walking. NULL: that was all. */
static inline const struct airlock_run *
airlock_runs_next(struct airlock_runs *it)
{
	const struct airlock_call *c = it->c;

	if (it->i < c->nruns)
		return &c->run[it->i++];
	return c->next_pos < c->pages ? airlock_runs_walk(it) : NULL;
}

void airlock_call_join(struct airlock_call *c);

static inline enum airlock_page airlock_old_state(const struct airlock_call *c)
{
	return c->to == AIRLOCK_TO_SHARED ? AIRLOCK_PAGE_PRIVATE :
	       AIRLOCK_PAGE_SHARED;
}

static inline enum airlock_page airlock_new_state(const struct airlock_call *c)
{
	return c->to == AIRLOCK_TO_SHARED ? AIRLOCK_PAGE_SHARED :
	       AIRLOCK_PAGE_PRIVATE;
}

/* ---- host.c and platform/ ---- */

/* Work that pages go through one after the other. */
enum airlock_work {
	WORK_NONE,
	WORK_RESCIND,		/* SNP */
	WORK_VALIDATE,
	WORK_PSC_PRIVATE,
	WORK_PSC_SHARED,
	WORK_MAP_PRIVATE,	/* TDX */
	WORK_MAP_SHARED,
	WORK_ACCEPT,
	WORK_RELEASE,
	WORK_MAP_ACCEPT,	/* both, as one stage's way back */
	WORK_HIDE,		/* vTOM, TDP */
	WORK_SHOW,
};

struct airlock_stage {
	uint8_t work;
	uint8_t back;		/* the work that takes it back */
	bool notify;		/* belongs to notify, else to prepare */
};

/* Pages physically in a row. */
struct airlock_piece {
	uint64_t va;
	uint64_t gpa;
	uint64_t pages;
	uint64_t pos;
};

/* One job: a kind of work, for all pages of a call or for one piece. */
struct airlock_job {
	struct airlock_call *c;
	const struct airlock_piece *only;	/* NULL: all */
	bool window;
	bool in_doubt;		/* the pages may not need it */

	/* Out, on failure, in positions: pages before @done are done, those
	 * before @doubt may be, the rest is not. */
	uint64_t done;
	uint64_t doubt;
	struct airlock_violation v;
};

/* Goes over the pieces of a job. */
struct airlock_pieces {
	struct airlock_piece p;		/* what is left of this run */
	const struct airlock_piece *only;
	struct airlock_runs runs;
};

/* @only: this piece and no other, or NULL: all of the call. */
static inline void airlock_pieces_begin(struct airlock_pieces *it,
					const struct airlock_call *c,
					const struct airlock_piece *only)
{
	it->only = only;
	it->p = only ? *only : (struct airlock_piece){ 0 };
	airlock_runs_begin(&it->runs, c);
}

/* Is there more? Then it->p is what is left of a run. */
static inline bool airlock_pieces_more(struct airlock_pieces *it)
{
	const struct airlock_run *run;

	if (it->p.pages)
		return true;
	if (it->only || it->p.pos == it->runs.c->pages)
		return false;
	run = airlock_runs_next(&it->runs);
	if (!run)
		return false;
	it->p = (struct airlock_piece){ run->va, run->gpa, run->pages,
					run->pos };
	return true;
}

static inline void airlock_pieces_take(struct airlock_pieces *it,
				       uint64_t pages)
{
	it->p.va += pages << AIRLOCK_PAGE_SHIFT;
	it->p.gpa += pages << AIRLOCK_PAGE_SHIFT;
	it->p.pages -= pages;
	it->p.pos += pages;
}

/* How much of it lies in its first chunk. */
static inline uint64_t airlock_chunk(const struct airlock_piece *p)
{
	uint64_t room = AIRLOCK_PAGES_2M -
		((p->gpa >> AIRLOCK_PAGE_SHIFT) & (AIRLOCK_PAGES_2M - 1));

	return p->pages < room ? p->pages : room;
}

/* A failure: how far it came, and the lie, if it was one. */
int airlock_job_failed(struct airlock_job *j, int status, uint64_t done,
		       uint64_t doubt);
int airlock_job_lie(struct airlock_job *j, int status, uint64_t gpa,
		    uint64_t pages, uint64_t detail);

/**
 * struct airlock_platform_ops - all that is different from platform to platform
 * @c_bit: the attribute bit, when set, says private; else it says shared
 * @cache_flush: must the guest flush its data cache on the way to @to?
 * @stages: the stages of a direction. Return: how many, 0 for none.
 * @work: one kind of work, for the pieces of a job; NULL where there are no
 *	stages. Return: enum airlock_status; after a failure the job says more.
 */
struct airlock_platform_ops {
	bool c_bit;
	bool (*cache_flush)(const struct airlock *a, enum airlock_to to);
	unsigned int (*stages)(const struct airlock *a, enum airlock_to to,
			       const struct airlock_stage **stages);
	int (*work)(struct airlock_job *j, enum airlock_work work);
};

/* By enum airlock_platform. */
extern const struct airlock_platform_ops *const
airlock_platform_ops[AIRLOCK_PLATFORMS];

extern const struct airlock_platform_ops airlock_plain_ops;
extern const struct airlock_platform_ops airlock_sev_ops;
extern const struct airlock_platform_ops airlock_snp_ops;
extern const struct airlock_platform_ops airlock_tdx_ops;
extern const struct airlock_platform_ops airlock_hv_ops;

static inline const struct airlock_platform_ops *
airlock_ops(const struct airlock *a)
{
	return airlock_platform_ops[a->cfg.platform];
}

/* For platforms with a C-bit; for those that never flush. */
bool airlock_amd_cache_flush(const struct airlock *a, enum airlock_to to);
bool airlock_no_cache_flush(const struct airlock *a, enum airlock_to to);

#endif
