/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CVM_VCPU_H
#define CVM_VCPU_H

#include "config.h"
#include "vmcb.h"

/* Registers that VMRUN does not switch; world.S knows the order. */
struct regs {
	u64 rcx, rdx, rbx, rbp, rsi, rdi;
	u64 r8, r9, r10, r11, r12, r13, r14, r15;
};

struct vcpu {
	struct regs r;
	u64 vmcb_pa;			/* world.S: at sizeof(struct regs) */
	struct vmcb *v;
	unsigned int id;
	u32 apic_id;
	volatile u32 go;		/* the guest may start here */
	volatile u32 running;		/* it runs guest code: kick it */
	volatile u32 kick;		/* shootdown wanted, cleared by it */
	volatile u32 nmi;		/* the guest wants an NMI here */
	volatile u32 init;		/* ... or INIT: until go is 0 */
	volatile u32 asleep, wake;	/* lock.c: wait_for() */
	u32 flush;			/* TLB_CONTROL at the next VMRUN */
	bool in_kernel;			/* kexec.c: it ran one, mapped high */
	u64 guest_time;			/* ticks spent in the guest */
	u64 entered;
	u32 event, event_error;		/* delivery that the exit interrupted */

	/* SNP and vTOM on SNP */
	u64 ghcb;
	/*
	 * This CPU met what the host had done. Linux ends itself at a #VC that
	 * it cannot handle, and prints first: by then it has had other ones.
	 */
	bool forced;
	/* TDX: what TDG.VP.VEINFO.GET will return */
	struct {
		u32 valid, length, info;
		u64 reason, qualification, gla, gpa;
	} ve;
};

extern struct vcpu vcpus[MAX_CPUS];

/* NULL: no CPU of the guest has this APIC ID. */
struct vcpu *vcpu_of(u64 apic_id);

#endif
