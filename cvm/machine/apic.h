/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CVM_APIC_H
#define CVM_APIC_H

#include "io.h"
#include "vmcb.h"

#define ICR_ASSERT	0x4000u
#define ICR_LEVEL	0x8000u
#define ICR_NMI		0x4400u
#define ICR_INIT	0x4500u
#define ICR_SIPI	0x4600u

static inline void send(u32 apic_id, u32 what)
{
	wrmsr(MSR_X2APIC_ICR, (u64)apic_id << 32 | what);
}

#endif
