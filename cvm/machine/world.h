/* SPDX-License-Identifier: GPL-2.0 */
/* What must be assembly: the world switch, a halt that loses no NMI, MSRs. */
#ifndef CVM_WORLD_H
#define CVM_WORLD_H

#include "types.h"

struct vcpu;

void vmrun(struct vcpu *c);
void ap_sleep(volatile u32 *flag);
bool rdmsr_safe(u32 msr, u64 *value);
bool wrmsr_safe(u32 msr, u64 value);
void halt_stub(void);

#endif
