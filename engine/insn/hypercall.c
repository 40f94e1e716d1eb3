// SPDX-License-Identifier: GPL-2.0 OR MIT
#include <airlock/port.h>

/* "Auth", of AuthenticAMD. */
#define VENDOR_AMD	0x68747541

static bool amd(void)
{
	uint32_t a = 0, b, c = 0, d;

	__asm__ volatile("cpuid" : "+a" (a), "=b" (b), "+c" (c), "=d" (d));
	return b == VENDOR_AMD;
}

/* Hyper-V: RCX control, RDX input, R8 output; result in RAX. vTOM is AMD's,
 * TD partitioning Intel's. */
uint64_t airlock_port_hypercall(uint64_t control, uint64_t in_gpa,
				uint64_t out_gpa)
{
	register uint64_t r8 __asm__("r8") = out_gpa;
	uint64_t result;

	if (amd())
		__asm__ volatile("vmmcall"
				 : "=a" (result), "+c" (control),
				   "+d" (in_gpa), "+r" (r8)
				 :: "r9", "r10", "r11", "cc", "memory");
	else
		__asm__ volatile("vmcall"
				 : "=a" (result), "+c" (control),
				   "+d" (in_gpa), "+r" (r8)
				 :: "r9", "r10", "r11", "cc", "memory");
	return result;
}
