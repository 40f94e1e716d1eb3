// SPDX-License-Identifier: GPL-2.0 OR MIT
#include <airlock/port.h>

/* PVALIDATE: RAX address, ECX size, EDX validate; result in EAX and CF. */
uint64_t airlock_port_pvalidate(uint64_t va, bool large, bool validate)
{
	uint64_t rax = va;
	uint8_t cf;

	__asm__ volatile(".byte 0xf2, 0x0f, 0x01, 0xff\n\tsetc %1"
			 : "+a" (rax), "=q" (cf)
			 : "c" ((uint32_t)large), "d" ((uint32_t)validate)
			 : "cc", "memory");
	return (uint32_t)rax | (cf ? AIRLOCK_PVALIDATE_CF : 0);
}
