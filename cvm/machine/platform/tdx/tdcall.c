// SPDX-License-Identifier: GPL-2.0
/* TDCALL: the leaves of the TDX module. */
#include "config.h"
#include "gmem.h"
#include "lib.h"
#include "platform/tdx/parts.h"
#include "stats.h"
#include "svm.h"
#include "vcpu.h"

static u64 vp_info(struct vcpu *c)
{
	c->r.rcx = GUEST_BIT_NR + 1;		/* GPAW */
	c->r.rdx = 1UL << 28;			/* SEPT_VE_DISABLE */
	c->r.r8 = config.cpus | (u64)config.cpus << 32;
	c->r.r9 = c->id;
	c->r.r10 = c->r.r11 = 0;
	return 0;
}

static u64 tdcall_leaf(struct vcpu *c, u64 leaf)
{
	switch (leaf) {
	case 0:					/* TDG.VP.VMCALL */
		c->r.r10 = c->r.r10 ? VMCALL_INVALID : vmcall(c);
		return 0;
	case 1:
		return vp_info(c);
	case 2:					/* TDG.MR.RTMR.EXTEND */
		return config.attest ? rtmr_extend(c) : 0;
	case 4:					/* TDG.MR.REPORT */
		return config.attest ? mr_report(c) : TDX_OPERAND_INVALID;
	case 5:					/* TDG.VP.CPUIDVE.SET */
	case 8:					/* TDG.VM.WR */
		return 0;
	case 3:
		return get_ve_info(c);
	case 6:
		return page_accept(c);
	case 7:					/* TDG.VM.RD */
		c->r.r8 = 0;
		return 0;
	case 30:
		return page_release(c);
	default:
		return TDX_OPERAND_INVALID;
	}
}

/* #UD: is it TDCALL? */
bool tdcall(struct vcpu *c)
{
	static const u8 opcode[4] = { 0x66, 0x0f, 0x01, 0xcc };
	u8 o[4];

	if (guest_code(c, o) < 4 || memcmp(o, opcode, 4))
		return false;
	count(CVM_N_EXIT_CALL, 1);
	if (SEG_DPL(c->v->ss.attributes)) {
		inject_error(c, 13, 0);
		return true;
	}
	c->v->rip += 4;
	c->v->rax = tdcall_leaf(c, c->v->rax);
	return true;
}
