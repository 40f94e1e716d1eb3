/* SPDX-License-Identifier: GPL-2.0 */
#ifndef AIRLOCK_LINUX_PORT_H
#define AIRLOCK_LINUX_PORT_H

/*
 * Airlock in Linux: transition.c over the kernel's own means.
 *
 *   glue.c       what transition.c asks for: the call, its stages, the way back
 *   entries.c    page-table entries, and other mappings of the same pages
 *   window.c     a present mapping for this CPU alone
 *   snp.c tdx.c hyperv.c  the platform's work
 *   answers.h    what a host's answers mean
 *
 * Positions count the pages of a call from 0. What is noinline is seldom
 * needed: the common way saves no registers for it.
 */

#include <linux/types.h>
#include <linux/bitmap.h>
#include <linux/pgtable.h>
#include <asm/airlock.h>

#include "transition.h"
#include "answers.h"

/*
 * One call of set_memory_encrypted() or set_memory_decrypted().
 *
 * Each platform and direction is a list of stages; all pages go through one
 * before any begins the next. So three numbers say what the host holds:
 *
 *   0          done         doubt          pages
 *   |  stage+1   |     ?      |    stage     |
 */
struct airlock_call {
	const struct airlock_backend *by;
	unsigned long va;
	unsigned long pages;
	enum airlock_to to;
	u64 old, mask;			/* of the C-bit or shared bit */
	u64 attr;			/* of the last pass, ... */
	bool present;			/* ... which left the pages so */
	/*
	 * If all entries are in one row and none is an exception: then the
	 * passes need not look for them again. Nobody splits a leaf that is
	 * wholly the caller's, or joins some that are not all the same.
	 */
	pte_t *pte;			/* the first, or NULL */
	unsigned int level;
	unsigned int entries;
	unsigned long pfn;		/* the first, if @direct */
	bool direct;			/* in the direct map: no walks */
	bool alone;			/* ... and mapped nowhere else */
	bool aliased;			/* some page is mapped elsewhere too */
	bool lied;
	unsigned int stage;
	unsigned long done;
	unsigned long doubt;
	unsigned long nlost;
	unsigned long *lost;		/* of @nlost: one bit for each page */
	unsigned long few;		/* ... if there are not too many */
};

/*
 * Work on the pages at [from, to). When it fails, pages before @done have
 * been done, those from @doubt on have not.
 */
struct airlock_job {
	struct airlock_call *c;
	unsigned long from, to;
	unsigned long done, doubt;
	bool in_doubt;			/* the host may have done it before */
	bool lied;
};

typedef int (*airlock_work)(struct airlock_job *j);

struct airlock_stage {
	airlock_work work;
	airlock_work back;		/* NULL: nothing to take back */
};

/* A platform: at most two stages in each direction, a NULL ends them. */
struct airlock_backend {
	struct airlock_stage to_private[3];
	struct airlock_stage to_shared[3];
	/* Told how many pages are shared now that were not, or less. */
	void (*converted)(long pages);
};

extern const struct airlock_backend airlock_snp;
extern const struct airlock_backend airlock_tdx;
extern const struct airlock_backend airlock_hyperv;

/* Pages that are physically in a row. */
struct airlock_piece {
	unsigned long pos;
	unsigned long pfn;
	unsigned long pages;
};

/* In /sys/module/airlock/parameters/. */
struct airlock_counts {
	unsigned long converted, refused, given_up, lies, shootdowns;
};

extern struct airlock_counts airlock_counts;
extern const struct airlock_order *airlock_order;

/* glue.c */
void airlock_teardown(void);
int airlock_failed(struct airlock_job *j, int status, unsigned long done,
		   unsigned long doubt);
int airlock_lied(struct airlock_job *j, int status, unsigned long done,
		 unsigned long doubt, unsigned long pfn, u64 detail);

/* entries.c */
extern u64 airlock_attrs[2];
void airlock_entries_init(void);
int airlock_entries_prepare(struct airlock_call *c);
void airlock_entries_widen(struct airlock_call *c);
void airlock_piece_walk(const struct airlock_call *c, unsigned long from,
			unsigned long to, struct airlock_piece *p);

static inline u64 airlock_attr(bool shared)
{
	return airlock_attrs[shared];
}

/* The pages from position @from on, but not beyond @to. */
static inline bool airlock_piece(const struct airlock_call *c,
				 unsigned long from, unsigned long to,
				 struct airlock_piece *p)
{
	if (from >= to)
		return false;
	p->pos = from;
	p->pages = to - from;
	p->pfn = c->pfn + from;
	if (!c->direct)
		airlock_piece_walk(c, from, to, p);
	return true;
}

/* window.c */
int airlock_window_init(void);
void airlock_window_exit(void);
unsigned long airlock_window_open(unsigned long pfn, bool large, bool shared);
void airlock_window_close(unsigned long va, bool large);

#endif
