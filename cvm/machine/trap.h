/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CVM_TRAP_H
#define CVM_TRAP_H

#include "types.h"

void trap_init(void);

#endif
