// SPDX-License-Identifier: GPL-2.0
/* Exceptions of the machine itself: all are bugs. */
#include "end.h"
#include "trap.h"

extern char exception_stubs[];
extern void (*exception_handler)(const u64 *frame);
extern struct {
	u64 low, high;
} machine_idt[];

static void machine_exception(const u64 *frame)
{
	u64 cr2;

	__asm__ volatile("mov %%cr2, %0" : "=r"(cr2));
	machine_stop(NULL, "bug in the machine: exception %lu error %lx at "
		     "%lx, address %lx", frame[0], frame[1], frame[2], cr2);
}

void trap_init(void)
{
	exception_handler = machine_exception;
	for (unsigned int i = 0; i < 32; i++) {
		u64 at = (u64)exception_stubs + 16 * i;

		machine_idt[i].low = (at & 0xffff) | 8UL << 16 |
				     0x8e00UL << 32 | (at >> 16 & 0xffff) << 48;
		machine_idt[i].high = at >> 32;
	}
}
