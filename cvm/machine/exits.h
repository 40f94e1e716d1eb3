/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CVM_EXITS_H
#define CVM_EXITS_H

#include "types.h"

struct vcpu;

__attribute__((noreturn)) void vcpu_run(struct vcpu *c);

#endif
