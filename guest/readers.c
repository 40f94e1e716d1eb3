// SPDX-License-Identifier: GPL-2.0
/*
 * What CPUs do that do not convert: stray reads without end, and answering
 * the questions of those that do.
 *
 *   touch    a reader loads from every page before it is converted, as its
 *            owner may have done, so that its TLB holds the translations
 *   closed   while the pages are between two doors, no load may go through;
 *            one that does used a translation that should be gone
 *
 * A reader answers with interrupts off, so what it holds is dropped only by
 * a shootdown that came before the question.
 */
#include "kernel.h"

#define PATIENCE	60	/* seconds, of the TSC */

static struct question {
	volatile u32 gen;
	volatile u32 answers;
	enum ask what;
	const struct job *job;
} question[MAX_CPUS];

static u32 answered[MAX_CPUS][MAX_CPUS];	/* by reader, by area */
static volatile u32 readers;
static unsigned int first_reader;

/* CPUs from @converters on read. Called while all others wait. */
void readers_init(unsigned int converters)
{
	readers = boot.cpus - converters;
	first_reader = converters;
	for (unsigned int id = 0; id < boot.cpus; id++)
		for (unsigned int i = 0; i < areas; i++)
			answered[id][i] = question[i].gen;
}

static void load(enum ask what, u64 va)
{
	u64 v;

	if (what == ASK_TOUCH)
		(void)*(volatile u64 *)va;
	else if (probe(va, &v))
		panic("stale translation of %lx", va);
}

static void look(const struct airlock_range *r, unsigned int n, enum ask what)
{
	for (unsigned int i = 0; i < n; i++)
		for (u64 p = 0; p < r[i].pages; p++)
			load(what, r[i].va + p * PAGE);
}

static void answer(unsigned int id)
{
	for (unsigned int i = 0; i < areas; i++) {
		struct question *q = &question[i];
		u32 gen = __atomic_load_n(&q->gen, __ATOMIC_ACQUIRE);

		if (gen == answered[id][i])
			continue;
		answered[id][i] = gen;
		look(q->job->r, q->job->n, q->what);
		look(q->job->alias, q->job->aliases, q->what);
		__atomic_fetch_add(&q->answers, 1, __ATOMIC_SEQ_CST);
	}
}

/* Two busy CPUs are what most hosts of this have. So one reader reads all the
 * time, the others once after each interrupt: shootdown or question. */
void read_for_ever(volatile u32 *stop)
{
	unsigned int id = this_cpu()->id, i = 0;

	for (;;) {
		irq_save();
		stray_reads(&area[i++ % areas]);
		answer(id);
		if (*stop)
			break;
		if (id > first_reader && i % areas == 0) {
			platform_doze();
		} else {
			irq_on();
			pause();
		}
	}
	irq_on();
}

/* Ask all readers, and do meanwhile what they do. */
void ask_readers(unsigned int of, const struct job *j, enum ask what)
{
	struct question *q = &question[of];
	u64 end = rdtsc() + PATIENCE * 1000 * boot.tsc_khz;

	look(j->r, j->n, what);
	q->job = j;
	q->what = what;
	q->answers = 0;
	__atomic_fetch_add(&q->gen, 1, __ATOMIC_SEQ_CST);
	wake(first_reader);
	while (q->answers != readers) {
		stray_reads(&area[of]);
		pause();
		if (rdtsc() > end)
			panic("the readers do not answer");
	}
}
