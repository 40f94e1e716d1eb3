// SPDX-License-Identifier: GPL-2.0
/* PVALIDATE and RMPADJUST: snp.c has the words. */
#include "config.h"
#include "end.h"
#include "gmem.h"
#include "host.h"
#include "lock.h"
#include "npt.h"
#include "platform/snp/parts.h"
#include "stats.h"
#include "svm.h"
#include "vcpu.h"

#define PVALIDATE_OK		0u
#define PVALIDATE_BAD_INPUT	1u
#define PVALIDATE_SIZE_MISMATCH	6u

/*
 * RAX through the guest's tables. Both instructions check it like a one-byte
 * read: an unmapped address is an ordinary #PF, on which Linux relies.
 */
static bool map_operand(struct vcpu *c, u64 va, struct mapping *m)
{
	if (SEG_DPL(c->v->ss.attributes)) {
		inject_error(c, 13, 0);
		return false;
	}
	if (!guest_map(c, va, m)) {
		c->v->cr2 = va;
		inject_error(c, 14, 0);
		return false;
	}
	return true;
}

/*
 * A page in the RMP that is not assigned: #NPF to the host, which has to
 * assign one (KVM does), or stop.
 */
static void assign(struct vcpu *c, u64 gpa)
{
	struct access a = { .gpa = gpa, .raw = gpa | GUEST_BIT,
			    .private = true, .state = CVM_STATE_SHARED };
	bool forced = forced_by_host(c, gpa);

	count(CVM_N_BAD_CALL, 1);
	if (!forced)
		violation(c, gpa, "PVALIDATE of a page that is shared");
	if (host_kind() == CVM_HOST_STRICT) {
		machine_unlock();
		guest_lost(c, forced, "PVALIDATE of a shared page, gpa %lx",
			   gpa);
	}
	implicit_conversion(c, &a);
}

/* The RMP's part. Returns EAX, sets @unchanged for CF. */
static u32 rmp_validate(struct vcpu *c, u64 gpa, bool large, bool validate,
			bool *unchanged)
{
	unsigned int to = validate ? CVM_STATE_PRIVATE : CVM_STATE_PENDING;
	u64 pages = large ? PAGES_IN_LARGE : 1;

	if ((page_state(gpa) & CVM_STATE_MASK) == CVM_STATE_SHARED)
		assign(c, gpa);
	if (large && !region_large(gpa)) {
		count(CVM_N_SIZE_MISMATCH, 1);
		return PVALIDATE_SIZE_MISMATCH;
	}
	if (!large && region_large(gpa))
		region_set_large(gpa, false);		/* the host smashes */
	*unchanged = (page_state(gpa) & CVM_STATE_MASK) == to;
	if (*unchanged) {
		count(CVM_N_UNCHANGED, 1);
		return PVALIDATE_OK;
	}
	if (large)
		region_set(gpa, to);
	else
		page_set(gpa, to);
	count(validate ? CVM_N_ACCEPT_CALLS : CVM_N_RELEASE_CALLS, 1);
	count(validate ? CVM_N_ACCEPT_PAGES : CVM_N_RELEASE_PAGES, pages);
	return PVALIDATE_OK;
}

/*
 * No TLB of another CPU is touched: "PVALIDATE does not invalidate TLBs".
 * That C must be set in the mapping, and that the result without it is
 * FAIL_INPUT, is a guess.
 */
void pvalidate(struct vcpu *c)
{
	u64 va = c->v->rax;
	bool large = c->r.rcx & 1, validate = c->r.rdx & 1, unchanged = false;
	struct mapping m;
	u32 result;

	if (!map_operand(c, va, &m))
		return;
	if ((large && (va & ~LARGE_MASK || m.hpa & ~LARGE_MASK)) ||
	    (m.leaf && !(m.leaf & GUEST_BIT)) || c->r.rcx >> 1 & 0x7fffffff ||
	    !is_ram(m.hpa)) {
		result = PVALIDATE_BAD_INPUT;
	} else {
		machine_lock(c);
		result = rmp_validate(c, m.hpa & PAGE_MASK, large, validate,
				      &unchanged);
		machine_unlock();
	}
	c->v->rax = result;
	c->v->rflags &= ~RFLAGS_CF;
	if (unchanged)
		c->v->rflags |= RFLAGS_CF;
	c->v->rip += 4;
}

/* Permissions of other VMPLs are not modelled: only the checks are. */
void rmpadjust(struct vcpu *c)
{
	struct mapping m;

	if (!map_operand(c, c->v->rax, &m))
		return;
	c->v->rax = is_ram(m.hpa) && (page_state(m.hpa) & CVM_STATE_MASK) ==
		    CVM_STATE_PRIVATE ? 0 : PVALIDATE_BAD_INPUT;
	c->v->rip += 4;
}
