/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CVM_POWER_H
#define CVM_POWER_H

#include "types.h"

void power_off(void) __attribute__((noreturn));
void halt_forever(void) __attribute__((noreturn));
/* The machine cannot run: the launcher reads "@cannot WHY". */
__attribute__((noreturn, format(printf, 1, 2)))
void machine_cannot(const char *fmt, ...);

#endif
