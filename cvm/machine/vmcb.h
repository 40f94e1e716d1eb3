/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The virtual machine control block and what belongs to it, as in the AMD64
 * manual (24593), volume 2, appendix B and chapter 15.
 */
#ifndef CVM_VMCB_H
#define CVM_VMCB_H

#include "types.h"

struct segment {
	u16 selector;
	u16 attributes;		/* descriptor bits 40-47, then AVL L D/B G */
	u32 limit;
	u64 base;
};

#define SEG_CODE64	((struct segment){ 0x10, 0x29b, ~0u, 0 })
#define SEG_DATA	((struct segment){ 0x18, 0xc93, ~0u, 0 })
#define SEG_DPL(attr)	((attr) >> 5 & 3)
#define SEG_DPL_MASK	0x60
#define SEG_LONG	0x200

struct __attribute__((packed)) vmcb {
	/* control area */
	u32 intercept_cr;
	u32 intercept_dr;
	u32 intercept_exceptions;
	u32 intercept_1;
	u32 intercept_2;
	u8 reserved_14[0x40 - 0x14];
	u64 iopm;
	u64 msrpm;
	u64 tsc_offset;
	u32 asid;
	u32 tlb_control;
	u64 virtual_interrupt;
	u64 interrupt_shadow;
	u64 exit_code;
	u64 exit_info_1;
	u64 exit_info_2;
	u32 exit_event;			/* EXITINTINFO */
	u32 exit_event_error;
	u64 nested_enable;
	u8 reserved_98[0xa8 - 0x98];
	u32 inject;			/* EVENTINJ */
	u32 inject_error;
	u64 nested_cr3;
	u64 lbr;
	u64 clean;
	u64 next_rip;
	u8 reserved_d0[0x400 - 0xd0];
	/* state save area */
	struct segment es, cs, ss, ds, fs, gs, gdtr, ldtr, idtr, tr;
	u8 reserved_4a0[0x4cb - 0x4a0];
	u8 cpl;
	u32 reserved_4cc;
	u64 efer;
	u8 reserved_4d8[0x548 - 0x4d8];
	u64 cr4, cr3, cr0, dr7, dr6, rflags, rip;
	u8 reserved_580[0x5d8 - 0x580];
	u64 rsp;
	u8 reserved_5e0[0x5f8 - 0x5e0];
	u64 rax;
	u8 reserved_600[0x640 - 0x600];
	u64 cr2;
	u8 reserved_648[0x668 - 0x648];
	u64 pat;
	u8 reserved_670[0x1000 - 0x670];
};

_Static_assert(sizeof(struct vmcb) == 4096, "VMCB");
_Static_assert(offsetof(struct vmcb, inject) == 0xa8, "VMCB control");
_Static_assert(offsetof(struct vmcb, es) == 0x400, "VMCB save");
_Static_assert(offsetof(struct vmcb, rsp) == 0x5d8, "VMCB save");
_Static_assert(offsetof(struct vmcb, pat) == 0x668, "VMCB save");

/* intercept_1 */
#define ICPT_INTR	(1u << 0)
#define ICPT_NMI	(1u << 1)
#define ICPT_INIT	(1u << 3)
#define ICPT_CPUID	(1u << 18)
#define ICPT_HLT	(1u << 24)
#define ICPT_IO		(1u << 27)
#define ICPT_MSR	(1u << 28)
#define ICPT_SHUTDOWN	(1u << 31)
/* intercept_2: VMRUN VMMCALL VMLOAD VMSAVE STGI CLGI SKINIT */
#define ICPT_SVM	0x7fu
#define ICPT_WBINVD	(1u << 9)

/* exit codes */
#define EXIT_UD		0x46
#define EXIT_INTR	0x60
#define EXIT_NMI	0x61
#define EXIT_INIT	0x63
#define EXIT_CPUID	0x72
#define EXIT_HLT	0x78
#define EXIT_IO		0x7b
#define EXIT_MSR	0x7c
#define EXIT_SHUTDOWN	0x7f
#define EXIT_VMMCALL	0x81
#define EXIT_WBINVD	0x89
#define EXIT_NPF	0x400
#define EXIT_INVALID	0xffffffffUL	/* QEMU stores 32 bits of -1 */

/* EXITINFO1 of a nested page fault */
#define NPF_WRITE	(1UL << 1)
#define NPF_FETCH	(1UL << 4)
#define NPF_WALK	(1UL << 33)

/* EXITINFO1 of an I/O exit */
#define IO_IN		(1u << 0)
#define IO_STRING	(1u << 2)
#define IO_REP		(1u << 3)
#define IO_SIZE(info)	((u32)(info) >> 4 & 7)
#define IO_PORT(info)	((u16)((info) >> 16))

/* EVENTINJ and EXITINTINFO */
#define EVENT_VALID	(1u << 31)
#define EVENT_ERROR	(1u << 11)
#define EVENT_TYPE	(7u << 8)
#define EVENT_NMI	(2u << 8)
#define EVENT_EXCEPTION	(3u << 8)

#define TLB_FLUSH_ALL	1u

#define MSR_APIC_BASE	0x1bu
#define APIC_BASE_BSP	0x100u
#define MSR_X2APIC	0x800u
#define MSR_X2APIC_ICR	0x830u
#define MSR_X2APIC_TMCCT 0x839u
#define MSR_EFER	0xc0000080u
#define MSR_VM_CR	0xc0010114u
#define MSR_HSAVE_PA	0xc0010117u
#define MSR_HWCR	0xc0010015u
#define MSR_GHCB	0xc0010130u
#define MSR_SEV_STATUS	0xc0010131u

#define EFER_KNOWN	0x4d01UL	/* FFXSR NXE LMA LME SCE */
#define EFER_LMA	(1UL << 10)
#define EFER_SVME	(1UL << 12)
#define CR0_PG		(1UL << 31)
#define RFLAGS_CF	1UL
#define RFLAGS_TF	0x100UL
#define RFLAGS_IF	0x200UL
#define DR6_BS		0x4000UL

#endif
