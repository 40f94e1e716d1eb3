/* SPDX-License-Identifier: GPL-2.0 */
#ifndef STORM_H
#define STORM_H

/*
 * The storm: pages are converted while every other CPU does, at the last
 * bytes before them, what the kernel does at any time.
 *
 *        guard page           pages that are converted
 *   | ...        "dev" | private <-> shared ...            |
 *                 ^^^^^^^^ load_unaligned_zeropad()
 *                ^ names of files, looked up and hashed
 */
#include <linux/types.h>

struct region {
	u8 *va;				/* the byte before is a guard page's */
	unsigned int pages;
	unsigned long errors;		/* the kernel said no */
	unsigned long given_up;		/* pages left not present after that */
	bool shared;			/* at the end, though it should not */
	unsigned long wrong;		/* a page was not as it should be */
	unsigned long conversions;
	unsigned long flags_lost;	/* entries that came back otherwise */
	u64 pte;			/* of the first page, before */
};

struct readers;

/* What the readers saw since they began. */
struct reads {
	u64 loads;			/* load_unaligned_zeropad() */
	u64 names;			/* names looked up or hashed */
	u64 fixups;			/* page faults, all mended */
	u64 mangled;			/* what is before the page was misread */
};

/* read.c: a thread on every CPU but @except (-1: none), at every region. */
struct readers *readers_start(struct region *r, unsigned int n, int except);
struct reads readers_stop(struct readers *rs);
int reads_init(void);
void reads_exit(void);
void reads_symbols(void);

/* check.c: what the page tables, memory and the machine say. */
extern bool storm_machine;
void machine_host(unsigned int kind, unsigned long arg);
void check_begin(struct region *r);
void check_converted(struct region *r, bool shared);
void check_refused(struct region *r, bool shared);

#endif
