/* SPDX-License-Identifier: GPL-2.0 */
/* The debug port. */
#ifndef CVM_DEBUG_H
#define CVM_DEBUG_H

#include "types.h"

struct vcpu;

void debug_call(struct vcpu *c);

#endif
