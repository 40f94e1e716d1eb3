// SPDX-License-Identifier: GPL-2.0
/* Exceptions of the machine itself: all are bugs. */
#include "../../bare/insn.h"
#include "../../bare/trap.h"
#include "end.h"
#include "trap.h"

extern char exception_stubs[];
extern void (*exception_handler)(const u64 *frame);
extern u64 machine_idt[][2];

static void machine_exception(const u64 *frame)
{
	machine_stop(NULL, "bug in the machine: exception %lu error %lx at "
		     "%lx, address %lx", frame[0], frame[1], frame[2],
		     read_cr2());
}

void trap_init(void)
{
	exception_handler = machine_exception;
	fill_gates(machine_idt, exception_stubs, 32, 8);
}
