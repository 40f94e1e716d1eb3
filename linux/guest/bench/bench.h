/* SPDX-License-Identifier: GPL-2.0 */
#ifndef BENCH_H
#define BENCH_H

/*
 * What a conversion costs, counted from outside of the code that converts:
 *
 *   instructions   by the machine's clock, which is instructions
 *   exits          by the machine
 *   shootdowns     by the interrupts that the other CPUs took
 *   PTE writes     by the CPU's breakpoints on the entries
 *
 * so that the same ruler lies beside any kernel.
 */
#include <linux/types.h>

struct span {
	const char *name;
	unsigned long va;
	unsigned int pages;
	bool small;			/* 4K leaves wanted, else as they are */
};

int span_convert(const struct span *r, bool shared);

/* area.c: 64M in a row, and further leaves, all whole. */
struct area {
	unsigned long swiotlb;		/* 64M */
	unsigned long block[2];		/* two 2M leaves each */
};

int area_get(struct area *a);
void area_put(const struct area *a);

/* machine.c */
struct cost {
	u64 instructions;
	u64 exits;
};

void machine_init(void);
u64 machine_exit_cost(void);
int machine_measure(const struct span *r, bool shared, struct cost *c);
void machine_mute(void);
void machine_unmute(void);
int machine_check(const struct span *r, bool shared);

/* writes.c: a conversion each way for every four entries. */
struct writes {
	u64 entries;
	u64 all[2];			/* by direction: of all entries */
	u64 least[2], most[2];		/* of one entry */
};

int writes_count(const struct span *r, struct writes *w);

/* calls.c: function calls that CPUs other than the first were sent so far. */
int calls_open(void);
void calls_close(void);
int calls_count(u64 *calls);

#endif
