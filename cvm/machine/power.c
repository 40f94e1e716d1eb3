// SPDX-License-Identifier: GPL-2.0
/* The machine stops: for good, or because it cannot begin. */
#include "io.h"
#include "lib.h"
#include "power.h"

void halt_forever(void)
{
	for (;;)
		__asm__ volatile("cli; hlt");
}

void power_off(void)
{
	outw(0x604, 0x2000);
	halt_forever();
}

void machine_cannot(const char *fmt, ...)
{
	char why[160];
	va_list ap;

	va_start(ap, fmt);
	vformat(why, sizeof(why), fmt, ap);
	va_end(ap);
	say("@cannot %s\n", why);
	power_off();
}
