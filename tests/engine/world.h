/* SPDX-License-Identifier: GPL-2.0 */
#ifndef WORLD_H
#define WORLD_H

/*
 * A port that polices the engine, and the machine behind it: page tables in
 * an array, a TLB that never forgets, an RMP or secure EPT, and a host that
 * does as it is told here. One CPU, one thread.
 *
 * Every breach of port.h, and every access that hardware would punish, fails
 * the test on the spot.
 */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <airlock/port.h>

#define PAGE	AIRLOCK_PAGE_SIZE
#define KiB	(UINT64_C(1) << 10)
#define MiB	(UINT64_C(1) << 20)
#define GiB	(UINT64_C(1) << 30)

/*
 * Guest-physical space and its direct map:
 *   0 .. 8M     4K leaves, in tables that the kernel made
 *   8M .. 1G    2M leaves
 *   1G .. 2G    one 1G leaf
 *   2G .. 3G    2M leaves
 */
#define MEMORY	(3 * GiB)
#define PAGES	(MEMORY / PAGE)
#define DM	UINT64_C(0xffff888000000000)
#define VM	UINT64_C(0xffffc90000000000)	/* vmalloc, 4K leaves */
#define WIN	UINT64_C(0xfffffe8000000000)
#define VM_SLOTS 1024

/* What the host, or the module, or the RMP, holds of a page. */
enum held { OURS, PENDING, SHARED };

enum host_mode {
	HONEST,
	REFUSE,		/* the fail_at-th request is refused */
	HALF,		/* it is done half, then refused */
	REFUSE_ALL,	/* it and all that follow are refused */
	STALL,		/* from it on: no progress ever */
	LIE,		/* from it on: answers that cannot be, see lie */
};

struct world {
	struct airlock *a;
	struct airlock_config cfg;
	void *mem;

	/* Policing. */
	bool locked, pinned, may_convert;
	bool any_order;		/* do not judge accesses: historic orders */
	long tables;		/* allocated and not freed */
	long alloc_left;	/* allocations until they fail, -1: never */
	uint64_t root, vm_root;

	/* Host. */
	enum host_mode mode;
	long fail_at;		/* counted down by requests */
	unsigned int lie;
	bool once;		/* honest after that */
	unsigned int busy;	/* times the TDX module will be busy */
	bool early;		/* stops early, asks for retries */
	bool small;		/* RMP and EPT hold 4K pages only */
	bool no_ghcb;
	long hv_left;		/* calls until there is no input page, once */
	long callback_left;	/* callbacks until one says no, -1: never */
	unsigned char *held;	/* enum held, by page */
	void (*hook)(const struct airlock_range *r, unsigned int n,
		     enum airlock_to to);	/* from prepare */

	/* Counts. */
	unsigned long pte_writes, window_writes, table_writes, shootdowns;
	unsigned long exits, accepts, pvalidates, evicts, flushed, violations;
	uint64_t alias_more;	/* pages beyond those that were asked about */
	uint64_t alias_va;	/* where a vmalloc range's alias is instead */
	unsigned long requests, aliases, prepares, notifies, invlpgs;
	int violation;
	uint64_t lied_at;		/* gpa of the last one */
	unsigned int last_flush_n;
};

extern struct world w;

/* Levels of page tables in the next world. */
extern unsigned int world_levels;

/* A fresh world. */
void world_begin(enum airlock_platform p, uint32_t features);
void world_end(void);

/* Map vmalloc slot @i to @gpa (4K), with its attribute as the direct map. */
void world_vmalloc(unsigned int i, uint64_t gpa);

/* Leaf entry of @va; 0 if there is none. */
uint64_t world_leaf(uint64_t va, unsigned int *level);

/* Entry pointing to the table of 4K entries at @va, or the 2M leaf. */
uint64_t *world_entry(uint64_t va, unsigned int level);

/* Everything that must hold between calls, for GPAs @from..@to. */
void world_check(uint64_t from, uint64_t to);

/* Ledger, page tables and host, to compare with later. */
uint64_t world_hash(void);

#endif
