/* SPDX-License-Identifier: GPL-2.0 */
/* What entry.S leaves on the stack, and the table that leads to it. */
#ifndef BARE_TRAP_H
#define BARE_TRAP_H

#include "types.h"

#define VECTORS		96		/* that have stubs */

struct frame {
	u64 r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rdx, rcx, rbx,
	    rax, vector, error, rip, cs, rflags, rsp, ss;
};

/* Called with every exception and interrupt. */
void trap(struct frame *f);

extern char stubs[];
extern u8 stacks[];
void ap_entry(void);

struct __attribute__((packed)) table_pointer {
	u16 limit;
	u64 base;
};

/* Gates for @n vectors whose stubs are 16 bytes apart. */
static inline void fill_gates(u64 (*idt)[2], const char *stub, unsigned int n,
			      u16 cs)
{
	for (unsigned int i = 0; i < n; i++, stub += 16) {
		u64 at = (u64)stub;

		idt[i][0] = (at & 0xffff) | (u64)cs << 16 | 0x8e00UL << 32 |
			    (at >> 16 & 0xffff) << 48;
		idt[i][1] = at >> 32;
	}
}

static inline void load_gates(const void *idt, u16 bytes)
{
	struct table_pointer p = { (u16)(bytes - 1), (u64)idt };

	__asm__ volatile("lidt %0" : : "m"(p));
}

#endif
