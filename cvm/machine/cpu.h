/* SPDX-License-Identifier: GPL-2.0 */
/* What every platform's CPUs have in common. */
#ifndef CVM_CPU_H
#define CVM_CPU_H

#include "types.h"

struct vcpu;

void guest_cpuid(struct vcpu *c, u32 leaf, u32 sub, u32 out[4]);
bool guest_rdmsr(struct vcpu *c, u32 msr, u64 *value);
bool guest_wrmsr(struct vcpu *c, u32 msr, u64 value);
u64 port_read(u16 port, unsigned int size);
void port_write(struct vcpu *c, u16 port, unsigned int size, u64 value);
u64 mmio_read(u64 at, unsigned int size);
void mmio_write(u64 at, unsigned int size, u64 value);

#endif
