// SPDX-License-Identifier: GPL-2.0
/*
 * The memory of the machine itself: behind its image, and where the guest has
 * much, behind the guest's.
 */
#include "layout.h"
#include "lib.h"
#include "pool.h"
#include "power.h"

static u64 next, end, high, high_end;

extern char machine_image_end[];

void pool_init(void)
{
	next = ((u64)machine_image_end + PAGE_SIZE - 1) & PAGE_MASK;
	end = MACHINE_END;
}

/* From here on, these: what is left of the others is lost. */
void pool_more(u64 from, u64 to)
{
	next = high = from;
	end = high_end = to;
}

bool is_machine(u64 gpa)
{
	return (gpa >= MACHINE_BASE && gpa < MACHINE_END) ||
	       (gpa >= high && gpa < high_end);
}

/* Zeroed pages that are never given back. */
void *pool_pages(unsigned int n)
{
	u64 at = __atomic_fetch_add(&next, n * PAGE_SIZE, __ATOMIC_RELAXED);

	if (at + n * PAGE_SIZE > end)
		machine_cannot("the machine ran out of its own memory");
	return memset((void *)at, 0, n * PAGE_SIZE);
}
