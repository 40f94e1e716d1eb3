/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CVM_TDX_H
#define CVM_TDX_H

#include "types.h"

struct vcpu;

#define TDX_OPERAND_INVALID	0xc000010000000000UL
#define TDX_OPERAND_BUSY	0x8000020000000000UL
#define TDX_NO_VE_INFO		0xc000070400000000UL
#define TDX_ALREADY_ACCEPTED	0x00000b0a00000000UL
#define TDX_SIZE_MISMATCH	0xc0000b0b00000000UL
#define TDX_STATE_INCORRECT	0xc0000b0d00000000UL
#define OPERAND_RCX		1

#define VMCALL_RETRY		1UL
#define VMCALL_INVALID		0x8000000000000000UL
#define VMCALL_ALIGN		0x8000000000000002UL

/* VMX exit reasons, as the guest gets them with #VE */
#define REASON_CPUID		10
#define REASON_HLT		12
#define REASON_IO		30
#define REASON_RDMSR		31
#define REASON_WRMSR		32
#define REASON_EPT_VIOLATION	48

/* ve.c */
void inject_ve(struct vcpu *c, u64 reason, u64 qualification, u64 gpa,
	       u32 length);
u64 get_ve_info(struct vcpu *c);
void io_ve(struct vcpu *c);

/* page.c */
u64 page_accept(struct vcpu *c);
u64 page_release(struct vcpu *c);

/* report.c: where the launcher answers (config.attest) */
u64 mr_report(struct vcpu *c);
u64 rtmr_extend(struct vcpu *c);
u64 get_quote(struct vcpu *c);

/* vmcall.c */
u64 vmcall(struct vcpu *c);

/* tdcall.c: false when the #UD was no TDCALL */
bool tdcall(struct vcpu *c);

#endif
