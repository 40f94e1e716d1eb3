// SPDX-License-Identifier: GPL-2.0
/*
 * The storm: phases in which some CPUs convert and the others read.
 *
 *   CPUs that convert   the host drops TLBs of what it converts
 *   1                   no
 *   1                   yes
 *   half                no
 *   all                 no
 *   all                 yes
 *
 * Where the host drops nothing, what the guest forgot to drop stays, and the
 * readers are asked; where it does, they walk the tables at the worst moment.
 */
#include "kernel.h"

static struct {
	volatile u32 gen;		/* the phase now, from 1; 0 none */
	volatile u32 arrived;		/* CPUs that wait for the next */
	volatile u32 stop;		/* for readers */
	volatile u32 converting;
	unsigned int converters;
	unsigned int rounds;
} phase;

/* All jobs of a CPU's own area, there and back. */
static void convert_area(unsigned int id)
{
	static struct job lazy[MAX_CPUS];
	enum airlock_page state;
	struct area *a = &area[id];

	for (unsigned int i = 0; i < a->jobs; i++) {
		convert_job(&a->job[i], false);
		convert_job(&a->job[i], false);
	}
	if (!asking || boot.platform == CVM_NONE ||
	    !order_has(&order[AIRLOCK_TO_SHARED], AIRLOCK_STEP_ALIAS) ||
	    !job_state(&a->job[1], &state) || state != AIRLOCK_PAGE_PRIVATE)
		return;
	lazy_job(a, &lazy[id]);
	convert_job(&lazy[id], true);
	convert_job(&a->job[1], false);
}

static void take_part(unsigned int id)
{
	if (id >= phase.converters) {
		read_for_ever(&phase.stop);
		return;
	}
	for (unsigned int r = 0; r < phase.rounds; r++)
		convert_area(id);
	if (!__atomic_sub_fetch(&phase.converting, 1, __ATOMIC_SEQ_CST)) {
		phase.stop = 1;
		wake(0);
	}
	/* Others still ask for shootdowns. */
	for (;;) {
		irq_save();
		stray_reads(&area[id]);
		if (phase.stop)
			break;
		platform_doze();
	}
	irq_on();
}

void storm_ap(void)
{
	unsigned int id = this_cpu()->id;
	u32 gen = 0;

	for (;;) {
		__atomic_fetch_add(&phase.arrived, 1, __ATOMIC_SEQ_CST);
		while (phase.gen == gen)
			pause();
		gen = phase.gen;
		take_part(id);
	}
}

static void wait_for_all(void)
{
	while (phase.arrived != boot.cpus - 1)
		pause();
}

static void run_phase(unsigned int converters, bool host_flush,
		      unsigned int rounds)
{
	wait_for_all();
	call1(CVM_HOST_FLUSH, host_flush);
	asking = !host_flush;
	phase.converters = converters;
	phase.rounds = rounds;
	phase.converting = converters;
	phase.stop = 0;
	phase.arrived = 0;
	readers_init(converters);
	__atomic_fetch_add(&phase.gen, 1, __ATOMIC_SEQ_CST);
	take_part(0);
	wait_for_all();
}

/* A device that writes into a page all the time that it is shared. */
static void device_start(void)
{
	const struct job *j = &area[0].job[1];

	call2(CVM_HOST_WRITER, gpa_of(j->r[0].va) + 64, 64);
}

/* Other CPUs read, while CPU 0 does @workload. */
void with_readers(void (*workload)(void))
{
	wait_for_all();
	phase.converters = 1;
	phase.rounds = 0;
	phase.converting = 2;
	phase.stop = 0;
	phase.arrived = 0;
	readers_init(1);
	__atomic_fetch_add(&phase.gen, 1, __ATOMIC_SEQ_CST);
	workload();
	phase.stop = 1;
	wake(1);
	wait_for_all();
}

void storm(void)
{
	unsigned int rounds = (unsigned int)option_number("rounds", 1);
	unsigned int all = boot.cpus < areas ? boot.cpus : areas;

	device_start();
	run_phase(1, false, rounds);
	run_phase(1, true, rounds);
	if (all / 2 > 1)
		run_phase(all / 2, false, rounds);
	if (all > 1) {
		run_phase(all, false, rounds);
		run_phase(all, true, rounds);
	}
	call2(CVM_HOST_WRITER, 0, 0);
}
