// SPDX-License-Identifier: GPL-2.0
/* #VE, and what TDG.VP.VEINFO.GET tells of it. */
#include "end.h"
#include "platform/tdx/parts.h"
#include "stats.h"
#include "svm.h"
#include "vcpu.h"

void inject_ve(struct vcpu *c, u64 reason, u64 qualification, u64 gpa,
		      u32 length)
{
	if (c->event)
		machine_stop(c, "#VE %lu while an event was delivered",
			     reason);
	if (c->ve.valid) {
		inject_error(c, 8, 0);		/* nested #VE is #DF */
		return;
	}
	count(CVM_N_VE, 1);
	c->ve.valid = 1;
	c->ve.reason = reason;
	c->ve.qualification = qualification;
	/*
	 * SVM does not tell the linear address of a nested fault. Linux only
	 * asks whether it is a kernel address.
	 */
	c->ve.gla = reason == REASON_EPT_VIOLATION ? 0xffff800000000000UL : 0;
	c->ve.gpa = gpa;
	c->ve.length = length;
	c->ve.info = 0;
	inject(c, 20);
}

u64 get_ve_info(struct vcpu *c)
{
	if (!c->ve.valid)
		return TDX_NO_VE_INFO;
	c->ve.valid = 0;
	c->r.rcx = c->ve.reason;
	c->r.rdx = c->ve.qualification;
	c->r.r8 = c->ve.gla;
	c->r.r9 = c->ve.gpa;
	c->r.r10 = c->ve.length | (u64)c->ve.info << 32;
	return 0;
}

/* Exit qualification of an I/O instruction, SDM vol. 3, table 28-5. */
void io_ve(struct vcpu *c)
{
	u32 i = (u32)c->v->exit_info_1;
	u64 q = IO_SIZE(i) - 1;

	if (i & IO_IN)
		q |= 1u << 3;
	if (i & IO_STRING)
		q |= 1u << 4;
	if (i & IO_REP)
		q |= 1u << 5;
	q |= (u64)IO_PORT(i) << 16;
	inject_ve(c, REASON_IO, q, 0, (u32)(c->v->exit_info_2 - c->v->rip));
}
