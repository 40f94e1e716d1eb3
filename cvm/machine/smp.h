/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CVM_SMP_H
#define CVM_SMP_H

#include "types.h"

struct vcpu;

void machine_cpu_up(void);
void machine_cpu_start(u32 apic_id, void (*entry)(u64), u64 argument,
		       unsigned int stack_pages);
void icr_write(struct vcpu *c, u64 value);
void vcpu_leave(struct vcpu *c, struct vcpu *t);
void vcpu_stop(struct vcpu *c, struct vcpu *t);
void vcpu_go(struct vcpu *t);
void wake_idle_cpus(void);

#endif
