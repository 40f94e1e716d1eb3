// SPDX-License-Identifier: GPL-2.0
/* The guest's CPUs. */
#include "config.h"
#include "vcpu.h"

struct vcpu vcpus[MAX_CPUS];

_Static_assert(offsetof(struct vcpu, vmcb_pa) == 14 * 8, "world.S");

/* NULL: no CPU of the guest has this APIC ID. */
struct vcpu *vcpu_of(u64 apic_id)
{
	return apic_id >= CVM_APIC_ID(0) && apic_id < CVM_APIC_ID(config.cpus) ?
	       &vcpus[apic_id - CVM_APIC_ID(0)] : NULL;
}
