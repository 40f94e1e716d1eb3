// SPDX-License-Identifier: GPL-2.0 OR MIT
#include <airlock/port.h>

#define MSR_GHCB	0xc0010130

uint64_t airlock_port_vmgexit(uint64_t msr)
{
	uint32_t low = (uint32_t)msr, high = (uint32_t)(msr >> 32);

	__asm__ volatile("wrmsr\n\t"
			 "rep; vmmcall\n\t"
			 "rdmsr"
			 : "+a" (low), "+d" (high)
			 : "c" (MSR_GHCB)
			 : "memory");
	return (uint64_t)high << 32 | low;
}
