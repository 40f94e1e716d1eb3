// SPDX-License-Identifier: GPL-2.0 OR MIT
#include <airlock/port.h>

void airlock_port_evict(uint64_t va, uint64_t pages)
{
	for (; pages; pages--, va += AIRLOCK_PAGE_SIZE) {
		const volatile uint8_t *p =
			(const volatile uint8_t *)(uintptr_t)va;

		(void)p[0];
		(void)p[AIRLOCK_PAGE_SIZE - 1];
	}
}
