// SPDX-License-Identifier: GPL-2.0
/* What the live patch makes of a host's answers: linux/livepatch/port/answers.h. */
#include <stdio.h>

#include <airlock/airlock.h>

typedef uint64_t u64;
#include "../../linux/livepatch/port/answers.h"

static unsigned int passed, failed;

static void fact(const char *what, bool ok)
{
	printf("%s  %s\n", ok ? "ok    " : "FAILED", what);
	if (ok)
		passed++;
	else
		failed++;
}

/* ---- TDX ---- */

#define START	0x100000
#define SIZE	0x8000

static int mapgpa(u64 r, u64 next, unsigned int *stalls, u64 *bytes)
{
	return airlock_mapgpa_answer(r, next, START, SIZE, stalls, bytes);
}

/* Two retries without progress, then a piece that is done, again and again. */
static void retries_spread_over_pieces(void)
{
	unsigned int stalls = 0, i;
	bool ok = true;
	u64 bytes;

	for (i = 0; i < 8; i++) {
		ok &= !mapgpa(1, START, &stalls, &bytes) && !bytes;
		ok &= !mapgpa(1, START, &stalls, &bytes) && !bytes;
		ok &= !mapgpa(0, 0, &stalls, &bytes) && bytes == SIZE;
	}
	fact("MapGPA: what was done makes up for retries before", ok);
}

static void mapgpa_answers(void)
{
	unsigned int stalls = 0;
	bool ok = true;
	u64 bytes, next;

	for (next = START; next < START + SIZE; next += 0x1000)
		ok &= !mapgpa(1, next, &stalls, &bytes) &&
			bytes == next - START;
	fact("MapGPA: a retry from every page of it", ok);
	fact("MapGPA: a retry from the end is a lie",
	     mapgpa(1, START + SIZE, &stalls, &bytes) == AIRLOCK_V_MAPGPA);
	fact("MapGPA: a retry from before is a lie",
	     mapgpa(1, START - 0x1000, &stalls, &bytes) == AIRLOCK_V_MAPGPA);
	fact("MapGPA: a retry from within a page is a lie",
	     mapgpa(1, START + 8, &stalls, &bytes) == AIRLOCK_V_MAPGPA);
	fact("MapGPA: an error is a refusal",
	     mapgpa(1UL << 63, START, &stalls, &bytes) == AIRLOCK_E_REFUSED &&
	     !bytes);
	stalls = 0;
	ok = !mapgpa(1, START, &stalls, &bytes) &&
		!mapgpa(1, START, &stalls, &bytes) &&
		mapgpa(1, START, &stalls, &bytes) == AIRLOCK_E_STALLED;
	fact("MapGPA: three retries in a row from the start", ok);
}

/* ---- Hyper-V ---- */

#define INVALID_PARAMETER	5
#define TIMEOUT			0x78
#define REPS(n)			((u64)(n) << 32)

static int hv(u64 status, unsigned int *done)
{
	unsigned int stalls = 0;

	return airlock_hv_answer(status, 10, done, &stalls);
}

static void hv_answers(void)
{
	unsigned int done = 4, stalls = 0;
	bool ok;

	fact("hypercall: an error after a part, reps 0, is a refusal",
	     hv(INVALID_PARAMETER, &done) == AIRLOCK_E_REFUSED && done == 4);
	done = 4;
	fact("hypercall: an error tells how far it came",
	     hv(INVALID_PARAMETER | REPS(6), &done) == AIRLOCK_E_REFUSED &&
	     done == 6);
	done = 4;
	fact("hypercall: a time-out after progress goes on",
	     hv(TIMEOUT | REPS(6), &done) == AIRLOCK_OK && done == 6);
	done = 4;
	ok = !airlock_hv_answer(TIMEOUT, 10, &done, &stalls) &&
		!airlock_hv_answer(REPS(4), 10, &done, &stalls) &&
		airlock_hv_answer(TIMEOUT, 10, &done, &stalls) ==
		AIRLOCK_E_STALLED && done == 4;
	fact("hypercall: three in a row without progress", ok);
	done = 4;
	fact("hypercall: success that goes back is a lie",
	     hv(REPS(3), &done) == AIRLOCK_V_REPS && done == 4);
	fact("hypercall: more than were asked for is a lie",
	     hv(REPS(11), &done) == AIRLOCK_V_REPS &&
	     hv(INVALID_PARAMETER | REPS(11), &done) == AIRLOCK_V_REPS);
	fact("hypercall: all of it", hv(REPS(10), &done) == AIRLOCK_OK &&
	     done == 10);
}

int main(void)
{
	retries_spread_over_pieces();
	mapgpa_answers();
	hv_answers();
	printf("%u passed, %u failed\n", passed, failed);
	return failed != 0;
}
