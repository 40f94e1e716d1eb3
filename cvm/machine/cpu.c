// SPDX-License-Identifier: GPL-2.0
/*
 * CPUID, MSRs, ports and MMIO as every guest sees them; platforms change or
 * add to this.
 */
#include "attest.h"
#include "config.h"
#include "cpu.h"
#include "end.h"
#include "gdb.h"
#include "io.h"
#include "layout.h"
#include "lib.h"
#include "platform.h"
#include "smp.h"
#include "vcpu.h"
#include "world.h"

#define PM1A_CONTROL	0x604
#define RESET_CONTROL	0xcf9
#define RESET_CPU	4u
#define SLEEP_ENABLE	(1u << 13)

/*
 * CPUID executed by the machine answers with the machine's CR4 and SVM:
 * patch what depends on the guest's, hide what the guest must not use. Leaves
 * above the maximum would alias the last one; they are zero here.
 */
void guest_cpuid(struct vcpu *c, u32 leaf, u32 sub, u32 out[4])
{
	u32 max[4];

	cpuid(leaf & 0x80000000, 0, max);
	if (leaf <= max[0])
		cpuid(leaf, sub, out);
	else
		out[0] = out[1] = out[2] = out[3] = 0;
	switch (leaf) {
	case 1:
		out[2] |= 1u << 31;		/* a hypervisor */
		out[2] &= ~(1u << 27 | 1u << 3);
		out[2] |= (u32)(c->v->cr4 >> 18 & 1) << 27;	/* OSXSAVE */
		out[1] = (out[1] & 0xffffff) | c->apic_id << 24;
		break;
	case 7:
		if (!sub) {
			out[2] &= ~(1u << 4 | 1u << 16);	/* no LA57 */
			out[2] |= (u32)(c->v->cr4 >> 22 & 1) << 4; /* OSPKE */
		}
		break;
	case 0xb:
	case 0x1f:
		if (leaf <= max[0])
			out[3] = c->apic_id;
		break;
	case 0x40000000 ... 0x400000ff:
		out[0] = out[1] = out[2] = out[3] = 0;
		if (leaf == 0x40000000) {
			out[0] = 0x40000001;
			memcpy(&out[1], "KVMKVMKVM\0\0\0", 12);
		}
		break;
	case 0x80000001:
		out[2] &= ~(1u << 2);			/* no SVM */
		break;
	case 0x80000007:
		out[3] |= 1u << 8;			/* invariant TSC */
		break;
	case 0x8000000a:
	case 0x8000001f:
		out[0] = out[1] = out[2] = out[3] = 0;
		break;
	}
	if (platform->cpuid)
		platform->cpuid(c, leaf, sub, out);
}

static bool known_msr(u32 msr)
{
	return msr < 0x2000 || (msr >= 0xc0000000 && msr < 0xc0002000) ||
	       (msr >= 0xc0010000 && msr < 0xc0012000);
}

bool guest_rdmsr(struct vcpu *c, u32 msr, u64 *value)
{
	bool ok = true;

	*value = 0;
	if (platform->msr_read && platform->msr_read(c, msr, value, &ok))
		return ok;
	switch (msr) {
	case MSR_EFER:
		*value = c->v->efer & ~EFER_SVME;
		return true;
	case MSR_VM_CR:
		*value = 8;			/* SVM disabled and locked */
		return true;
	case MSR_HSAVE_PA:
	case MSR_HWCR:
		return true;
	case MSR_APIC_BASE:	/* the bootstrap processor is the guest's 0 */
		*value = rdmsr(MSR_APIC_BASE) | (c->id ? 0 : APIC_BASE_BSP);
		return true;
	}
	if (!known_msr(msr))
		return false;
	return rdmsr_safe(msr, value);
}

bool guest_wrmsr(struct vcpu *c, u32 msr, u64 value)
{
	bool ok = true;

	if (platform->msr_write && platform->msr_write(c, msr, value, &ok))
		return ok;
	switch (msr) {
	case MSR_EFER:
		if (value & ~EFER_KNOWN)
			return false;
		c->v->efer = (value & ~EFER_LMA) | (c->v->efer & EFER_LMA) |
			     EFER_SVME;
		return true;
	case MSR_X2APIC_ICR:
		icr_write(c, value);
		return true;
	case MSR_VM_CR:
	case MSR_HSAVE_PA:
	case MSR_HWCR:
	case MSR_APIC_BASE:			/* stays in x2APIC mode */
		return true;
	}
	if (!known_msr(msr))
		return false;
	return wrmsr_safe(msr, value);
}

u64 port_read(u16 port, unsigned int size)
{
	if (gdb_hides(port) || attest_hides(port))
		return ~0u >> (32 - 8 * size);
	switch (size) {
	case 1:
		return inb(port);
	case 2:
		return inw(port);
	default:
		return inl(port);
	}
}

void port_write(struct vcpu *c, u16 port, unsigned int size, u64 value)
{
	if (port == 0xe9 || gdb_hides(port) || attest_hides(port))
		return;
	if (port == PM1A_CONTROL && value & SLEEP_ENABLE) {
		(void)c;
		machine_end(CVM_END_POWERED_OFF, "the guest powered off");
	}
	if (port == RESET_CONTROL && size == 1 && value & RESET_CPU)
		machine_end(CVM_END_RESET, "the guest reset");
	switch (size) {
	case 1:
		outb(port, (u8)value);
		break;
	case 2:
		outw(port, (u16)value);
		break;
	default:
		outl(port, (u32)value);
	}
}

u64 mmio_read(u64 at, unsigned int size)
{
	if ((at & PAGE_MASK) == APIC_PAGE)
		return ~0UL;
	switch (size) {
	case 1:
		return *(volatile u8 *)at;
	case 2:
		return *(volatile u16 *)at;
	case 4:
		return *(volatile u32 *)at;
	default:
		return *(volatile u64 *)at;
	}
}

void mmio_write(u64 at, unsigned int size, u64 value)
{
	if ((at & PAGE_MASK) == APIC_PAGE)
		return;
	switch (size) {
	case 1:
		*(volatile u8 *)at = (u8)value;
		break;
	case 2:
		*(volatile u16 *)at = (u16)value;
		break;
	case 4:
		*(volatile u32 *)at = (u32)value;
		break;
	default:
		*(volatile u64 *)at = value;
	}
}
