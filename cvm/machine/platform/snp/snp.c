// SPDX-License-Identifier: GPL-2.0
/*
 * SEV-SNP, VMPL0, no paravisor.
 *
 * Words
 *   C-bit    GUEST_BIT set: private
 *   RMP      page states of npt.c: SHARED is "not assigned", PENDING is
 *            "assigned, not validated", PRIVATE is "assigned and validated";
 *            a large region is one 2M RMP entry
 *   smash    the host splits a 2M RMP entry (PSMASH)
 *   GHCB     a shared page through which the guest asks the host; before
 *            there is one, the MSR 0xc0010130 carries requests
 *
 * Sources: AMD64 manual vol. 2, 15.36 (SNP) and vol. 3 (PVALIDATE,
 * RMPADJUST); GHCB specification 56421; Linux arch/x86/coco/sev, KVM sev.c.
 */
#include "config.h"
#include "end.h"
#include "gmem.h"
#include "host.h"
#include "layout.h"
#include "npt.h"
#include "platform.h"
#include "platform/snp/parts.h"
#include "stats.h"
#include "svm.h"
#include "vcpu.h"

static void inject_vc(struct vcpu *c, u32 code)
{
	if (c->event)
		machine_stop(c, "#VC %x while an event was delivered", code);
	count(CVM_N_VC, 1);
	if (!inject_frame(c, 29, code))
		machine_stop(c, "#VC %x cannot be delivered (no handler?)",
			     code);
}

static void snp_setup(void)
{
	intercept_all_io();
	intercept_msr(MSR_GHCB, true, true);
	intercept_msr(MSR_SEV_STATUS, true, true);
}

#define KVM_CLOCKSOURCE2	(1u << 3)
#define KVM_CLOCKSOURCE_STABLE	(1u << 24)

/*
 * Linux refuses XSAVE without XSAVEC and XSAVES here (snp_cpuid), and TCG has
 * neither: no XSAVE, no AVX.
 */
static void snp_cpuid(struct vcpu *c, u32 leaf, u32 sub, u32 out[4])
{
	(void)c;
	switch (leaf) {
	case 0:
		out[0] = 0xc;
		break;
	case 1:
		out[2] &= ~(1u << 12 | 7u << 26 | 1u << 29);
		break;
	case 7:
		if (!sub)
			out[1] &= ~(1u << 5);
		break;
	case 0xd:
		out[0] = out[1] = out[2] = out[3] = 0;
		break;
	case 0x40000001:			/* KVM's clock */
		out[0] = KVM_CLOCKSOURCE2 | KVM_CLOCKSOURCE_STABLE;
		break;
	case 0x80000000:
		out[0] = 0x8000001f;
		break;
	case 0x8000001f:
		out[0] = 1u << 1 | 1u << 3 | 1u << 4;	/* SEV ES SNP */
		out[1] = GUEST_BIT_NR | 1u << 6;
		out[2] = 16;
		out[3] = 1;
		break;
	}
}

static bool snp_rdmsr(struct vcpu *c, u32 msr, u64 *value, bool *ok)
{
	(void)ok;
	if (msr == MSR_GHCB)
		*value = c->ghcb;
	else if (msr == MSR_SEV_STATUS)
		*value = 7;
	else
		return false;
	return true;
}

static bool snp_wrmsr(struct vcpu *c, u32 msr, u64 value, bool *ok)
{
	if (msr == MSR_GHCB)
		c->ghcb = value;
	else if (msr == MSR_SEV_STATUS)
		*ok = false;
	else
		return pvclock_wrmsr(msr, value);
	return true;
}

static bool ud_exit(struct vcpu *c)
{
	u8 o[4];

	if (guest_code(c, o) < 4 || o[1] != 0x0f || o[2] != 0x01)
		return false;
	if (o[0] == 0xf2 && o[3] == 0xff) {
		count(CVM_N_EXIT_PVALIDATE, 1);
		pvalidate(c);
		return true;
	}
	if (o[0] == 0xf3 && o[3] == 0xfe) {
		count(CVM_N_EXIT_OTHER, 1);
		rmpadjust(c);
		return true;
	}
	return false;
}

/* VMGEXIT is VMMCALL with an F3 prefix, and exits as one. */
static void vmmcall_exit(struct vcpu *c)
{
	u8 o[4] = { 0 };

	guest_code(c, o);
	if (o[0] == 0xf3)
		vmgexit(c);
	else
		inject_vc(c, VC_VMMCALL);
}

/*
 * What hardware forces to be private and our nested tables see as C=0: the
 * unpaged accesses of a starting CPU, which has a root of its own until the
 * first exit that finds paging on; and CR3 without C, where it is added.
 */
static bool forced_private(struct vcpu *c)
{
	struct vmcb *v = c->v;
	u64 gpa = v->exit_info_2;

	if (v->nested_cr3 == npt_unpaged_root() && v->cr0 & CR0_PG) {
		v->nested_cr3 = npt_root();
		c->flush = 1;
		return v->exit_code == EXIT_NPF;
	}
	if (v->exit_code == EXIT_NPF && v->exit_info_1 & NPF_WALK &&
	    !((v->cr3 ^ gpa) & (GUEST_BIT - 1) & PAGE_MASK) &&
	    !(gpa & GUEST_BIT) && !(v->cr3 & GUEST_BIT)) {
		v->cr3 |= GUEST_BIT;
		return true;
	}
	return false;
}

static bool is_own_msr(u32 msr)
{
	return msr == MSR_GHCB || msr == MSR_SEV_STATUS || msr == MSR_EFER ||
	       msr == MSR_VM_CR || msr == MSR_HSAVE_PA || msr == MSR_HWCR ||
	       msr == MSR_APIC_BASE || msr == MSR_X2APIC_TMCCT;
}

static bool snp_exit(struct vcpu *c)
{
	if (forced_private(c))
		return true;
	switch (c->v->exit_code) {
	case EXIT_CPUID:
		inject_vc(c, VC_CPUID);
		return true;
	case EXIT_IO:
		inject_vc(c, VC_IO);
		return true;
	case EXIT_MSR:
		if (is_own_msr((u32)c->r.rcx))
			return false;
		inject_vc(c, VC_MSR);
		return true;
	case EXIT_UD:
		return ud_exit(c);
	case EXIT_VMMCALL:
		vmmcall_exit(c);
		return true;
	}
	return false;
}

/*
 * Private access to a shared page: #NPF; the host assigns the page, the next
 * try finds it not validated: #VC 0x404. Shared access to an assigned page:
 * #NPF; the host takes the page back (kvm), or says "MMIO" (ve). A ve host
 * changes nothing.
 */
static bool snp_mismatch(struct vcpu *c, const struct access *a)
{
	if (a->private) {
		if (a->state == CVM_STATE_SHARED &&
		    host_kind() != CVM_HOST_VE)
			implicit_conversion(c, a);
		inject_vc(c, VC_NOT_VALIDATED);
		return true;
	}
	if (host_kind() == CVM_HOST_VE) {
		inject_vc(c, VC_NPF);
		return true;
	}
	return implicit_conversion(c, a);
}

static void snp_mmio(struct vcpu *c, const struct access *a)
{
	if (a->private) {
		violation(c, a->gpa, "private access to a device");
		guest_lost(c, false, "private access to a device, gpa %lx",
			   a->gpa);
	}
	inject_vc(c, VC_NPF);
}

const struct platform snp_platform = {
	.name = "snp",
	.confidential = true,
	.bit_is_private = true,
	.large = true,
	.cc_blob = FW_SNP,
	.setup = snp_setup,
	.cpuid = snp_cpuid,
	.msr_read = snp_rdmsr,
	.msr_write = snp_wrmsr,
	.exit = snp_exit,
	.mismatch = snp_mismatch,
	.mmio = snp_mmio,
	.boot_linux = snp_build_blob,
};
