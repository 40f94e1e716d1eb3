// SPDX-License-Identifier: GPL-2.0
/* The machine's own clock. */
#include "clock.h"
#include "io.h"
#include "lib.h"

u64 tsc_khz, wall_at_0;

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

/* The real-time clock, as PCs have it: MC146818, in BCD and 24 hours. */
#define RTC_INDEX	0x70
#define RTC_DATA	0x71

enum { SECOND, MINUTE, HOUR, DAY, MONTH, YEAR, RTC_FIELDS };

static void read_rtc(u8 *field)
{
	static const u8 reg[RTC_FIELDS] = { 0, 2, 4, 7, 8, 9 };

	for (unsigned int i = 0; i < RTC_FIELDS; i++) {
		u8 v;

		outb(RTC_INDEX, reg[i]);
		v = inb(RTC_DATA);
		field[i] = (u8)((v >> 4) * 10 + (v & 15));
	}
}

/* Days from 1970 to that of 20YY; the year begins in March. */
static u64 days(const u8 *f)
{
	u64 year = 2000u + f[YEAR] - (f[MONTH] < 3u);
	u64 month = (f[MONTH] + 9u) % 12u;

	return year * 365 + year / 4 - year / 100 + year / 400 +
	       (month * 153 + 2) / 5 + f[DAY] - 1u - 719468u;
}

/* Twice the same: it did not tick meanwhile. */
void read_wall_clock(void)
{
	u8 f[RTC_FIELDS], again[RTC_FIELDS];

	do {
		read_rtc(f);
		read_rtc(again);
	} while (memcmp(f, again, sizeof(f)));
	wall_at_0 = ((days(f) * 24 + f[HOUR]) * 60 + f[MINUTE]) * 60 +
		    f[SECOND] - rdtsc() / (tsc_khz * 1000);
}
