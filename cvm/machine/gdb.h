/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CVM_GDB_H
#define CVM_GDB_H

#include "types.h"

/*
 * Put RAM a second time where a debugger looks for private pages. Return: the
 * device that does it, or 0.
 */
u32 gdb_setup(void);
/* Is this a port at which the guest would see the device that does it? */
bool gdb_hides(u16 port);

#endif
