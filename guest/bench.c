// SPDX-License-Identifier: GPL-2.0
/*
 * Costs: instructions of the guest, exits and shootdowns, by size and
 * direction. Meant for one CPU and a machine that counts instructions.
 */
#include "kernel.h"

/* Behind what arena.c has given aliases to. */
static u64 place(void)
{
	return arena + (1 + 3UL * areas) * LARGE;
}

struct cost {
	u64 time, exits, shootdowns;
};

static struct cost now(void)
{
	return (struct cost){
		call1(CVM_GUEST_TIME, 0), call1(CVM_COUNTER, CVM_N_EXITS),
		CPU_SUM(shootdowns),
	};
}

/* What two looks at the clock cost by themselves. */
static u64 idle_time(void)
{
	struct cost a = now(), b = now();

	return b.time - a.time;
}

static void measure(u64 pages, enum airlock_to to)
{
	struct airlock_range r = { DIRECT + place(), pages };
	struct airlock_outcome out;
	u64 idle = idle_time();
	struct cost a = now(), b;

	airlock_convert_order(engine, &r, 1, to, &order[to], &out);
	b = now();
	if (out.status)
		fail("%lu pages: %s", pages, airlock_strerror(out.status));
	totals.calls++;
	totals.pages += out.converted;
	say("bench %s %lu %s %lu %lu %lu", platform_name(), pages,
	    to ? "shared" : "private", b.time - a.time - idle,
	    b.exits - a.exits, b.shootdowns - a.shootdowns);
}

/* The first time touches what comes later again; the second is counted. A
 * large one has nothing to gain from that. */
static void both(u64 pages)
{
	struct airlock_range r = { DIRECT + place(), pages };

	for (unsigned int i = 0; i < 2 && pages <= 512; i++)
		airlock_convert_order(engine, &r, 1, !i, &order[!i], NULL);
	measure(pages, AIRLOCK_TO_SHARED);
	measure(pages, AIRLOCK_TO_PRIVATE);
}

void bench(void)
{
	static const u64 pages[] = { 1, 8, 511, 512, 262144 };

	port.check_window = false;
	for (unsigned int i = 0; i < 5; i++)
		if (place() + pages[i] * PAGE <= ram_end)
			both(pages[i]);
}
