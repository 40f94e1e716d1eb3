// SPDX-License-Identifier: GPL-2.0
/*
 * Guests under a paravisor, which talk Hyper-V: SNP with vTOM, and TD
 * partitioning. The paravisor does PVALIDATE and accept, so there is no
 * PENDING state here. A mismatched access raises its exception in the
 * paravisor, which has no way to pass it on: the guest is lost, whatever the
 * host's character.
 *
 * Sources: Hyper-V TLFS (CPUID, hypercall ABI, HvCallModifySparseGpaPage-
 * HostVisibility); Linux arch/x86/hyperv/ivm.c and arch/x86/kernel/cpu/
 * mshyperv.c.
 */
#include "clock.h"
#include "config.h"
#include "convert.h"
#include "gmem.h"
#include "host.h"
#include "io.h"
#include "layout.h"
#include "lib.h"
#include "lock.h"
#include "npt.h"
#include "platform.h"
#include "platform/snp/parts.h"
#include "platform/tdx/parts.h"
#include "svm.h"
#include "vcpu.h"

#define MSR_GUEST_OS_ID		0x40000000u
#define MSR_HYPERCALL		0x40000001u
#define MSR_VP_INDEX		0x40000002u
#define MSR_REFERENCE_COUNT	0x40000020u	/* units of 100 ns */
#define MSR_TSC_FREQUENCY	0x40000022u
#define MSR_APIC_FREQUENCY	0x40000023u

#define CALL_HOST_VISIBILITY	0x00dbu
#define STATUS_INVALID_CODE	2u
#define STATUS_INVALID_INPUT	3u
#define STATUS_INVALID_ALIGN	4u
#define STATUS_INVALID_PARAMETER 5u
#define MAX_GFNS		510u

#define ISOLATION_VBS		1u
#define ISOLATION_SNP		2u
#define ISOLATION_TDX		3u

static u64 os_id, hypercall_msr;
static unsigned int isolation;		/* what is under the paravisor */

static void tdp_setup(void)
{
	isolation = ISOLATION_TDX;
}

static void vtom_setup(void)
{
	isolation = config.isolation;
	if (isolation != ISOLATION_SNP)
		return;
	/* the paravisor's GHCB: above the boundary, as Linux 6.1 maps it */
	intercept_msr(MSR_GHCB, true, true);
	for (unsigned int i = 0; i < config.cpus; i++) {
		page_set(FW_PV_GHCB + i * PAGE_SIZE, CVM_STATE_SHARED);
		vcpus[i].ghcb = (FW_PV_GHCB + i * PAGE_SIZE) | GUEST_BIT;
	}
}

static void hyperv_cpuid(struct vcpu *c, u32 leaf, u32 sub, u32 out[4])
{
	(void)c;
	(void)sub;
	if (leaf < 0x40000000 || leaf > 0x4000000c)
		return;
	out[0] = out[1] = out[2] = out[3] = 0;
	switch (leaf & 15) {
	case 0:
		out[0] = 0x4000000c;
		memcpy(&out[1], "Micr", 4);
		memcpy(&out[2], "osof", 4);
		memcpy(&out[3], "t Hv", 4);
		break;
	case 1:
		memcpy(&out[0], "Hv#1", 4);
		break;
	case 2:
		out[0] = 20348;			/* build, version 10.0 */
		out[1] = 10u << 16;
		break;
	case 3:			/* counters, hypercall MSRs, VP index, ... */
		out[0] = 1u << 1 | 1u << 5 | 1u << 6 | 1u << 11 | 1u << 15;
		out[1] = 1u << 22;		/* isolation */
		out[3] = 1u << 8;		/* frequency MSRs */
		break;
	case 4:
		out[1] = ~0u;			/* never spin-notify */
		break;
	case 5:
		out[0] = out[1] = 64;
		break;
	case 12:		/* paravisor; type, boundary active, its bit */
		out[0] = 1;
		out[1] = isolation | 1u << 5 | GUEST_BIT_NR << 6;
		break;
	}
}

static bool hyperv_rdmsr(struct vcpu *c, u32 msr, u64 *value, bool *ok)
{
	(void)ok;
	if (msr == MSR_GHCB && isolation == ISOLATION_SNP) {
		*value = c->ghcb;
		return true;
	}
	if (msr >> 28 != 4)
		return false;
	switch (msr) {
	case MSR_GUEST_OS_ID:
		*value = os_id;
		break;
	case MSR_HYPERCALL:
		*value = hypercall_msr;
		break;
	case MSR_VP_INDEX:
		*value = c->id;
		break;
	case MSR_REFERENCE_COUNT:
		*value = rdtsc() / (tsc_khz / 10000);
		break;
	case MSR_TSC_FREQUENCY:
		*value = tsc_khz * 1000;
		break;
	case MSR_APIC_FREQUENCY:
		*value = 1000000000;
		break;
	}
	return true;
}

/* Enabling the hypercall page puts VMMCALL; RET there. */
static void enable_hypercalls(u64 value)
{
	static const u8 code[] = { 0x0f, 0x01, 0xd9, 0xc3 };
	u64 page = value & PAGE_MASK;

	hypercall_msr = value;
	if (value & 1 && is_ram(page) &&
	    (page_state(page) & CVM_STATE_MASK) == CVM_STATE_PRIVATE)
		memcpy((void *)page, code, sizeof(code));
}

static bool hyperv_wrmsr(struct vcpu *c, u32 msr, u64 value, bool *ok)
{
	(void)ok;
	if (msr == MSR_GHCB && isolation == ISOLATION_SNP) {
		c->ghcb = value;
		return true;
	}
	if (msr >> 28 != 4)
		return false;
	if (msr == MSR_GUEST_OS_ID)
		os_id = value;
	else if (msr == MSR_HYPERCALL)
		enable_hypercalls(value);
	return true;
}

/* ---- HvCallModifySparseGpaPageHostVisibility ---- */

struct visibility {
	u64 partition;
	u32 visibility, reserved;
	u64 gfn[MAX_GFNS];
};

#define VISIBILITY_ACTS (1u << HOST_REFUSE | 1u << HOST_HALF | \
			 1u << HOST_LIE | 1u << HOST_LIE_HALF | \
			 1u << HOST_OUTSIDE | 1u << HOST_STRAY)

static u64 result(u64 status, u64 reps)
{
	return status | reps << 32;
}

/* Pages @from to @to of the list; stops at one that is no guest memory. */
static u32 change(const struct visibility *in, u32 from, u32 to)
{
	bool shared = in->visibility & 3;
	u32 i;

	for (i = from; i < to; i++) {
		u64 gfn = *(const volatile u64 *)&in->gfn[i];

		if (gfn >= ram_end / PAGE_SIZE || !is_ram(gfn * PAGE_SIZE))
			break;
		convert_pages(gfn * PAGE_SIZE, 1, shared, false);
	}
	count_conversion(shared, i - from);
	return i;
}

static void lied(const struct visibility *in, u32 from, u32 to)
{
	for (; from < to; from++)
		if (in->gfn[from] < ram_end / PAGE_SIZE)
			host_lied(in->gfn[from] * PAGE_SIZE, 1);
}

static u64 act_out(struct vcpu *c, const struct visibility *in, u32 from,
		   u32 reps, enum host_act act)
{
	u32 half = from + (reps - from) / 2, done = from;
	u64 status = 0;

	switch (act) {
	case HOST_REFUSE:
		return result(STATUS_INVALID_PARAMETER, from);
	case HOST_LIE:
		lied(in, from, reps);
		return result(0, reps);
	case HOST_OUTSIDE:
		return result(0, reps + 1 + (host_random() >> 60));
	case HOST_STRAY:
		return host_random();
	case HOST_HALF:
		done = change(in, from, half);
		status = STATUS_INVALID_PARAMETER;
		break;
	case HOST_LIE_HALF:
		lied(in, change(in, from, half), reps);
		done = reps;
		break;
	default:
		done = change(in, from, reps);
		if (done < reps)
			status = STATUS_INVALID_PARAMETER;
	}
	convert_finish(c);
	return result(status, done);
}

static u64 host_visibility(struct vcpu *c, u64 control, u64 input)
{
	u32 reps = control >> 32 & 0xfff, from = control >> 48 & 0xfff;
	const struct visibility *in = (void *)input;
	enum host_act act;
	u64 r;

	if (input & 7 || (input & ~PAGE_MASK) + 16 + 8UL * reps > PAGE_SIZE)
		return STATUS_INVALID_ALIGN;
	if (!reps || from >= reps)
		return STATUS_INVALID_INPUT;
	if (!is_ram(input) || (page_state(input) & CVM_STATE_MASK) !=
	    CVM_STATE_PRIVATE)
		return STATUS_INVALID_PARAMETER;
	if ((in->visibility & 3) == 1 || (in->visibility & 3) == 2)
		return STATUS_INVALID_PARAMETER;
	machine_lock(c);
	for (u32 i = from; i < reps; i++)
		host_hears_of(in->gfn[i] * PAGE_SIZE);
	act = host_decide(VISIBILITY_ACTS);
	r = act_out(c, in, from, reps, act);
	machine_unlock();
	return r;
}

static void hypercall(struct vcpu *c)
{
	u64 control = c->r.rcx;

	c->v->rip += 3;
	if ((control & 0xffff) == CALL_HOST_VISIBILITY)
		c->v->rax = host_visibility(c, control, c->r.rdx);
	else
		c->v->rax = STATUS_INVALID_CODE;
}

static bool hyperv_exit(struct vcpu *c)
{
	u8 o[4] = { 0 };

	if (c->v->exit_code == EXIT_UD && isolation == ISOLATION_TDX)
		return tdcall(c);
	if (c->v->exit_code != EXIT_VMMCALL)
		return false;
	guest_code(c, o);
	if (o[0] != 0xf3)
		hypercall(c);
	else if (isolation == ISOLATION_SNP)
		vmgexit(c);
	else
		inject(c, 6);
	return true;
}

static bool hyperv_mismatch(struct vcpu *c, const struct access *a)
{
	(void)c;
	(void)a;
	return false;
}

/* The paravisor emulates devices below and above the boundary. */
static void hyperv_mmio(struct vcpu *c, const struct access *a)
{
	machine_lock(c);
	npt_map_device(a->raw);
	machine_unlock();
}

const struct platform vtom_platform = {
	.name = "vtom",
	.confidential = true,
	.halts = true,
	.setup = vtom_setup,
	.cpuid = hyperv_cpuid,
	.msr_read = hyperv_rdmsr,
	.msr_write = hyperv_wrmsr,
	.exit = hyperv_exit,
	.mismatch = hyperv_mismatch,
	.mmio = hyperv_mmio,
};

const struct platform tdp_platform = {
	.name = "tdp",
	.confidential = true,
	.halts = true,
	.setup = tdp_setup,
	.cpuid = hyperv_cpuid,
	.msr_read = hyperv_rdmsr,
	.msr_write = hyperv_wrmsr,
	.exit = hyperv_exit,
	.mismatch = hyperv_mismatch,
	.mmio = hyperv_mmio,
};
