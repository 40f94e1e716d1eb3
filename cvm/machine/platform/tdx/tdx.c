// SPDX-License-Identifier: GPL-2.0
/*
 * TDX, without a paravisor.
 *
 * Words
 *   shared bit   GUEST_BIT set: shared (GPAW 48, bit 47)
 *   secure EPT   page states of npt.c: SHARED is "free", PENDING is "added,
 *                not accepted", PRIVATE is "mapped"; a large region is one 2M
 *                leaf, any other has a table of 4K leaves
 *   demote       the host splits a 2M leaf
 *   TD exit      the host gets control; for a private access that cannot be
 *                satisfied it is the end of the guest
 *
 * TDCALL is an undefined instruction on this CPU and arrives as #UD. The
 * module answers leaf 0 (TDVMCALL) by asking the host; the host is here too.
 *
 * Sources: Intel TDX module ABI specification (348551); the module's own
 * tdg_mem_page_accept.c for the order of checks; GHCI specification (344426)
 * for TDVMCALL; Linux arch/x86/coco/tdx/tdx.c. Which CPUID leaves and MSRs
 * raise #VE is a guess from what Linux expects.
 */
#include "clock.h"
#include "config.h"
#include "end.h"
#include "host.h"
#include "layout.h"
#include "lib.h"
#include "lock.h"
#include "npt.h"
#include "platform.h"
#include "platform/tdx/parts.h"
#include "smp.h"
#include "svm.h"
#include "vcpu.h"

static bool is_ve_msr(u32 msr)
{
	if (msr >= 0x2000 && msr < 0xc0000000)
		return true;
	if (msr < MSR_X2APIC || msr >= MSR_X2APIC + 0x40)
		return false;
	/* the virtual APIC page covers TPR, EOI, ISR..IRR, self IPI */
	return msr == 0x802 || msr == 0x803 ||
	       (msr >= 0x80d && msr < 0x810) ||
	       (msr >= 0x828 && msr != 0x83f);
}

static void tdx_setup(void)
{
	intercept_all_io();
	for (u32 msr = MSR_X2APIC; msr < MSR_X2APIC + 0x40; msr++)
		if (is_ve_msr(msr) && !(elf_guest && msr == MSR_X2APIC_ICR))
			intercept_msr(msr, true, true);
	memset((void *)FW_MAILBOX, 0, PAGE_SIZE);
	page_write_protect(FW_MAILBOX);
	memcpy((void *)FW_AP_RESET, "\xf4\xeb\xfd", 3);	/* HLT, again */
}

static void tdx_setup_cpu(struct vcpu *c)
{
	c->v->intercept_1 |= ICPT_HLT;
}

static void tdx_cpuid(struct vcpu *c, u32 leaf, u32 sub, u32 out[4])
{
	(void)c;
	switch (leaf) {
	case 0:
		out[0] = 0x21;
		memcpy(&out[1], "Genu", 4);
		memcpy(&out[3], "ineI", 4);
		memcpy(&out[2], "ntel", 4);
		break;
	case 1:
		out[0] = 0x000a06f3;	/* see docs/machine.md */
		out[3] &= ~(1u << 12);			/* MTRR */
		break;
	case 0x15:		/* Linux takes the crystal for the APIC timer */
		out[0] = 100;
		out[1] = (u32)(tsc_khz / 10000);
		out[2] = 1000000000;
		out[3] = 0;
		break;
	case 0x16:
		out[0] = out[1] = (u32)(tsc_khz / 1000);
		out[2] = 100;
		out[3] = 0;
		break;
	case 0x21:
		out[0] = out[1] = out[2] = out[3] = 0;
		if (!sub) {
			memcpy(&out[1], "Inte", 4);
			memcpy(&out[3], "lTDX", 4);
			memcpy(&out[2], "    ", 4);
		}
		break;
	case 0x22 ... 0x3fffffff:
		out[0] = out[1] = out[2] = out[3] = 0;
		break;
	case 0x80000001:				/* Intel's bits only */
		out[2] &= ~(1u << 1 | 1u << 6 | 1u << 22);
		out[3] &= 1u << 11 | 1u << 20 | 1u << 26 | 1u << 27 | 1u << 29;
		break;
	}
}

/*
 * Real firmware has its CPUs spin on the mailbox. Here that would take host
 * time from the guest, so they sleep: the guest's first write of a command
 * finds the page write-protected and wakes them, and whoever carries the
 * command out protects it again.
 */
static volatile bool mailbox_open;

static bool mailbox_written(struct vcpu *c)
{
	const struct vmcb *v = c->v;

	if ((v->exit_info_2 & PAGE_MASK) != FW_MAILBOX ||
	    !(v->exit_info_1 & NPF_WRITE) || v->exit_info_1 & NPF_WALK ||
	    (page_state(FW_MAILBOX) & CVM_STATE_MASK) != CVM_STATE_PRIVATE)
		return false;
	machine_lock(c);
	page_set(FW_MAILBOX, CVM_STATE_PRIVATE);
	mailbox_open = true;
	machine_unlock();
	wake_idle_cpus();
	return true;
}

static void close_mailbox(struct vcpu *c)
{
	machine_lock(c);
	mailbox_open = false;
	page_write_protect(FW_MAILBOX);
	kick_others(c);
	machine_unlock();
}

/* HLT at the reset vector: the guest gives this CPU back to its firmware. */
static bool given_back(struct vcpu *c)
{
	if (c->v->rip != FW_AP_RESET || SEG_DPL(c->v->ss.attributes))
		return false;
	c->init = 1;
	return true;
}

static bool tdx_exit(struct vcpu *c)
{
	u32 leaf = (u32)c->v->rax, msr = (u32)c->r.rcx;

	switch (c->v->exit_code) {
	case EXIT_NPF:
		return mailbox_written(c);
	case EXIT_CPUID:
		if (leaf < 0x40000000 || leaf >= 0x50000000)
			return false;
		inject_ve(c, REASON_CPUID, 0, 0, 2);
		return true;
	case EXIT_MSR:
		if (!is_ve_msr(msr))
			return false;
		inject_ve(c, c->v->exit_info_1 ? REASON_WRMSR : REASON_RDMSR,
			  0, 0, 2);
		return true;
	case EXIT_IO:
		io_ve(c);
		return true;
	case EXIT_HLT:
		if (!given_back(c))
			inject_ve(c, REASON_HLT, 0, 0, 1);
		return true;
	case EXIT_UD:
		return tdcall(c);
	}
	return false;
}

static void access_ve(struct vcpu *c, const struct access *a)
{
	inject_ve(c, REASON_EPT_VIOLATION, a->error & NPF_WRITE ? 2 :
		  a->error & NPF_FETCH ? 4 : 1, a->raw, 0);
}

/*
 * A private access that the secure EPT does not allow is a TD exit and the
 * guest's end (with SEPT_VE_DISABLE, which Linux insists on; `ve` is a host
 * that left it clear). A shared one is the host's to resolve.
 */
static bool tdx_mismatch(struct vcpu *c, const struct access *a)
{
	bool ve = host_kind() == CVM_HOST_VE;

	if (a->error & NPF_WALK && !a->private)
		return false;		/* page tables must be private */
	if (a->private && (!ve || a->state == CVM_STATE_SHARED))
		return false;
	if (!ve)
		return implicit_conversion(c, a);
	access_ve(c, a);
	return true;
}

static void tdx_mmio(struct vcpu *c, const struct access *a)
{
	if (a->private) {
		violation(c, a->gpa, "private access to a device");
		guest_lost(c, false, "private access to a device, gpa %lx",
			   a->gpa);
	}
	access_ve(c, a);
}

#define MAILBOX_WAKEUP	1
#define MAILBOX_TEST	2		/* is the CPU back? */

/* ACPI multiprocessor wakeup mailbox: command, APIC id, vector. */
static bool tdx_ap_poll(struct vcpu *c)
{
	volatile u16 *command = (u16 *)FW_MAILBOX;
	volatile u32 *id = (u32 *)(FW_MAILBOX + 4);
	volatile u64 *vector = (u64 *)(FW_MAILBOX + 8);

	if (!mailbox_open)
		return false;
	if (*id != c->apic_id ||
	    (*command != MAILBOX_WAKEUP && *command != MAILBOX_TEST))
		return true;
	if (*command == MAILBOX_WAKEUP) {
		enter_long_mode(c, FW_AP_PT, FW_AP_GDT, *vector, 0);
		c->ve.valid = 0;
		__atomic_store_n(&c->go, 1, __ATOMIC_SEQ_CST);
	}
	close_mailbox(c);
	*command = 0;			/* now it may write the next one */
	return false;
}

const struct platform tdx_platform = {
	.name = "tdx",
	.confidential = true,
	.large = true,
	.mailbox = true,
	.setup = tdx_setup,
	.setup_cpu = tdx_setup_cpu,
	.cpuid = tdx_cpuid,
	.exit = tdx_exit,
	.mismatch = tdx_mismatch,
	.mmio = tdx_mmio,
	.ap_poll = tdx_ap_poll,
};
