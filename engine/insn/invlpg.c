// SPDX-License-Identifier: GPL-2.0 OR MIT
#include <airlock/port.h>

void airlock_port_invlpg(uint64_t va)
{
	__asm__ volatile("invlpg (%0)" :: "r" (va) : "memory");
}
