// SPDX-License-Identifier: GPL-2.0
/* The memory of the machine itself: behind its image. */
#include "layout.h"
#include "lib.h"
#include "pool.h"
#include "power.h"

static u64 next, end;

extern char machine_image_end[];

void pool_init(void)
{
	next = ((u64)machine_image_end + PAGE_SIZE - 1) & PAGE_MASK;
	end = MACHINE_END;
}

/* Zeroed pages that are never given back. */
void *pool_pages(unsigned int n)
{
	u64 at = __atomic_fetch_add(&next, n * PAGE_SIZE, __ATOMIC_RELAXED);

	if (at + n * PAGE_SIZE > end)
		machine_cannot("the machine ran out of its own memory");
	return memset((void *)at, 0, n * PAGE_SIZE);
}
