// SPDX-License-Identifier: GPL-2.0
/* The machine's own clock. */
#include "clock.h"
#include "io.h"

u64 tsc_khz;

#define PM_TIMER	0x608		/* q35 ACPI PM timer, 3.579545 MHz */
#define PM_HZ		3579545UL

/*
 * Both clocks at one moment: of some tries the one that took least time, as
 * the machine may have been scheduled away between the two.
 */
static u32 read_pm_timer(u64 *tsc)
{
	u64 best = ~0UL;
	u32 pm = 0;

	*tsc = 0;
	for (unsigned int i = 0; i < 10; i++) {
		u64 before = rdtsc();
		u32 now = inl(PM_TIMER) & 0xffffff;
		u64 took = rdtsc() - before;

		if (took < best) {
			best = took;
			pm = now;
			*tsc = before + took / 2;
		}
	}
	return pm;
}

/* TSC rate against the PM timer, 20 ms, rounded to MHz. */
void calibrate_tsc(void)
{
	u64 start, now;
	u32 from = read_pm_timer(&start), passed;

	do {
		passed = (read_pm_timer(&now) - from) & 0xffffff;
	} while (passed < PM_HZ / 50);
	tsc_khz = (now - start) * PM_HZ / passed / 1000;
	tsc_khz = (tsc_khz + 500) / 1000 * 1000;
}
