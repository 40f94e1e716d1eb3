// SPDX-License-Identifier: GPL-2.0 OR MIT
#include <airlock/port.h>

/*
 * TDCALL is 66 0F 01 CC. The registers the VMM may see but the engine does
 * not use, RBX, RBP, RDI, RSI, are outside the mask in RCX and stay secret.
 */
void airlock_port_tdcall(struct airlock_tdcall *t)
{
	register uint64_t r8 __asm__("r8") = t->r8;
	register uint64_t r9 __asm__("r9") = t->r9;
	register uint64_t r10 __asm__("r10") = t->r10;
	register uint64_t r11 __asm__("r11") = t->r11;
	register uint64_t r12 __asm__("r12") = t->r12;
	register uint64_t r13 __asm__("r13") = t->r13;
	register uint64_t r14 __asm__("r14") = t->r14;
	register uint64_t r15 __asm__("r15") = t->r15;

	__asm__ volatile(".byte 0x66, 0x0f, 0x01, 0xcc"
			 : "+a" (t->rax), "+c" (t->rcx), "+d" (t->rdx),
			   "+r" (r8), "+r" (r9), "+r" (r10), "+r" (r11),
			   "+r" (r12), "+r" (r13), "+r" (r14), "+r" (r15)
			 :: "cc", "memory");
	t->r8 = r8;
	t->r9 = r9;
	t->r10 = r10;
	t->r11 = r11;
	t->r12 = r12;
	t->r13 = r13;
	t->r14 = r14;
	t->r15 = r15;
}
