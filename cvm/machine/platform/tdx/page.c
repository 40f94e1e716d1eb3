// SPDX-License-Identifier: GPL-2.0
/* TDG.MEM.PAGE.ACCEPT and RELEASE: tdx.c has the words. */
#include "config.h"
#include "convert.h"
#include "end.h"
#include "host.h"
#include "lib.h"
#include "lock.h"
#include "npt.h"
#include "platform/tdx/parts.h"
#include "stats.h"
#include "vcpu.h"

struct page_arg {
	u64 gpa;
	bool large;
};

static bool page_arg(u64 rcx, struct page_arg *p)
{
	p->gpa = rcx & PAGE_MASK;
	p->large = rcx & 7;
	return !(rcx & 0xff8) && (rcx & 7) <= 1 && !(p->gpa & GUEST_BIT) &&
	       !(p->large && p->gpa & ~LARGE_MASK) && is_ram(p->gpa);
}

/*
 * The secure EPT has nothing there: TD exit, and the host must add the page.
 * For a page it knows as shared KVM asks user space, which converts it.
 */
static void add_missing(struct vcpu *c, u64 gpa)
{
	struct access a = { .gpa = gpa, .raw = gpa, .private = true,
			    .state = CVM_STATE_SHARED };
	bool forced = forced_by_host(c, gpa);

	count(CVM_N_BAD_CALL, 1);
	if (!forced)
		violation(c, gpa, "accept of a page that is shared");
	if (host_kind() == CVM_HOST_STRICT)
		guest_lost(c, forced, "accept of a shared page, gpa %lx", gpa);
	implicit_conversion(c, &a);
}

/*
 * tdg_mem_page_accept.c: a larger leaf that is mapped is "already accepted",
 * a larger pending one exits to be demoted, a table where a leaf was asked
 * for is a size mismatch. The level found goes into the low bits.
 */
static u64 accept(struct vcpu *c, const struct page_arg *p)
{
	u64 pages = p->large ? PAGES_IN_LARGE : 1;
	bool large = region_large(p->gpa);
	unsigned int state = page_state(p->gpa) & CVM_STATE_MASK;

	if (state == CVM_STATE_SHARED &&
	    (!p->large || region_uniform(p->gpa, CVM_STATE_SHARED))) {
		add_missing(c, p->gpa);
		state = CVM_STATE_PENDING;
	}
	if (p->large && !large) {
		count(CVM_N_SIZE_MISMATCH, 1);
		return TDX_SIZE_MISMATCH | 1;
	}
	if (state == CVM_STATE_PRIVATE) {
		count(CVM_N_UNCHANGED, 1);
		return TDX_ALREADY_ACCEPTED | large;
	}
	if (!p->large && large)
		region_set_large(p->gpa, false);	/* the host demotes */
	memset((void *)p->gpa, 0, pages * PAGE_SIZE);
	if (p->large)
		region_set(p->gpa, CVM_STATE_PRIVATE);
	else
		page_set(p->gpa, CVM_STATE_PRIVATE);
	count(CVM_N_ACCEPT_CALLS, 1);
	count(CVM_N_ACCEPT_PAGES, pages);
	return 0;
}

/*
 * TDG.MEM.PAGE.RELEASE, in newer modules: mapped -> pending. The module
 * tracks TLBs, so all CPUs drop the page. Its errors are taken to be those
 * of accept.
 */
static u64 release(struct vcpu *c, const struct page_arg *p)
{
	bool large = region_large(p->gpa);

	if (p->large && !large) {
		count(CVM_N_SIZE_MISMATCH, 1);
		return TDX_SIZE_MISMATCH | 1;
	}
	if ((page_state(p->gpa) & CVM_STATE_MASK) != CVM_STATE_PRIVATE)
		return TDX_STATE_INCORRECT | large;
	if (!p->large && large)
		region_set_large(p->gpa, false);
	if (p->large)
		region_set(p->gpa, CVM_STATE_PENDING);
	else
		page_set(p->gpa, CVM_STATE_PENDING);
	count(CVM_N_RELEASE_CALLS, 1);
	count(CVM_N_RELEASE_PAGES, p->large ? PAGES_IN_LARGE : 1);
	convert_finish(c);
	return 0;
}

static u64 page_call(struct vcpu *c, u64 (*call)(struct vcpu *,
						 const struct page_arg *))
{
	struct page_arg p;
	u64 result;

	if (!page_arg(c->r.rcx, &p))
		return TDX_OPERAND_INVALID | OPERAND_RCX;
	machine_lock(c);
	result = call(c, &p);
	machine_unlock();
	return result;
}

u64 page_accept(struct vcpu *c)
{
	return page_call(c, accept);
}

u64 page_release(struct vcpu *c)
{
	return page_call(c, release);
}
