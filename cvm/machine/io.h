/* SPDX-License-Identifier: GPL-2.0 */
/* Instructions that C has no words for. */
#ifndef CVM_IO_H
#define CVM_IO_H

#include "../../bare/insn.h"
#include "types.h"

#endif
