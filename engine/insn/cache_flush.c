// SPDX-License-Identifier: GPL-2.0 OR MIT
#include <airlock/port.h>

#define LINE	64

/* CLFLUSHOPT is ordered with nothing but fences. */
void airlock_port_cache_flush(uint64_t va, uint64_t pages)
{
	uint64_t end = va + (pages << AIRLOCK_PAGE_SHIFT);

	__asm__ volatile("mfence" ::: "memory");
	for (; va < end; va += LINE)
		__asm__ volatile("clflushopt (%0)" :: "r" (va) : "memory");
	__asm__ volatile("mfence" ::: "memory");
}
