// SPDX-License-Identifier: GPL-2.0
/*
 * A conversion is a thread's. Where the kernel may be preempted, another thread
 * can convert on the same CPU before this one goes on, there or on another CPU.
 */
#include "inside.h"

static void put_aside(struct watch *w, unsigned int cpu, uint64_t task)
{
	struct cpu *p = &w->cpu[cpu];
	unsigned int i = 0;

	while (i < ASIDES && w->aside[i].task)
		i++;
	/* Not one is there for it: its end will be no one's. */
	if (i == ASIDES) {
		order_lost(w, cpu);
		return;
	}
	w->aside[i] = (struct aside){ .task = task, .cpu = cpu,
				      .doing = p->doing };
	w->asides++;
	trails_switch(w, cpu, WATCH_CPUS + i);
	p->doing.converting = false;
}

static void take_up(struct watch *w, unsigned int cpu, struct aside *a)
{
	unsigned int i = (unsigned int)(a - w->aside);

	/* Its CPU is 0 in a trail, from the first event to the last. */
	if (a->cpu != cpu)
		trails_lost(w, WATCH_CPUS + i);
	trails_switch(w, WATCH_CPUS + i, cpu);
	w->cpu[cpu].doing = a->doing;
	a->task = 0;
	w->asides--;
}

bool watch_wants_switches(const struct watch *w, unsigned int cpu)
{
	return w->cpu[cpu].doing.converting || w->asides;
}

void watch_switch(struct watch *w, unsigned int cpu, uint64_t prev,
		  uint64_t next)
{
	if (w->cpu[cpu].doing.converting)
		put_aside(w, cpu, prev);
	for (unsigned int i = 0; next && i < ASIDES; i++)
		if (w->aside[i].task == next) {
			take_up(w, cpu, &w->aside[i]);
			return;
		}
}
