// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * TDX, native.
 *
 *               ACCEPT            MapGPA
 *   accepted <----------> pending <------> shared
 *               RELEASE          ^
 *       |                        |
 *       +--- MapGPA (where there is no RELEASE) ---> shared
 *
 * ACCEPT and RELEASE are calls to the TDX module, which is trusted; MapGPA is
 * a request to the VMM, which is not.
 *
 * Sources: Intel TDX Guest-Host-Communication Interface, TDG.VP.VMCALL
 * <MapGPA>; TDX module ABI, TDG.MEM.PAGE.ACCEPT; Linux 6.12,
 * arch/x86/coco/tdx/tdx.c, tdx_map_gpa() and tdx_accept_memory().
 */

#include "../engine.h"

#define LEAF_VMCALL		0
#define LEAF_PAGE_ACCEPT	6
#define LEAF_PAGE_RELEASE	30

/* The VMM sees R10 to R15, and may write them. */
#define VMCALL_REGISTERS	0xfc00
#define VMCALL_MAP_GPA		0x10001
#define VMCALL_RETRY		1
#define STALLS			3

/* Completion status, without its details in the low half. */
#define TDX_STATUS(rax)		((rax) >> 32)
#define TDX_SIZE_MISMATCH	0xc0000b0b
#define TDX_OPERAND_BUSY	0x80000200u
#define TDX_ALREADY_ACCEPTED	0x00000b0a

static const struct airlock_stage to_private[] = {
	{ WORK_MAP_PRIVATE, WORK_MAP_SHARED, false },
	{ WORK_ACCEPT, WORK_NONE, false },
};

static const struct airlock_stage to_private_release[] = {
	{ WORK_MAP_PRIVATE, WORK_MAP_SHARED, false },
	{ WORK_ACCEPT, WORK_RELEASE, false },
};

static const struct airlock_stage to_shared[] = {
	{ WORK_MAP_SHARED, WORK_MAP_ACCEPT, true },
};

static const struct airlock_stage to_shared_release[] = {
	{ WORK_RELEASE, WORK_ACCEPT, false },
	{ WORK_MAP_SHARED, WORK_MAP_PRIVATE, true },
};

static unsigned int tdx_stages(const struct airlock *a, enum airlock_to to,
			       const struct airlock_stage **stages)
{
	bool release = a->cfg.features & AIRLOCK_F_TDX_RELEASE;

	if (to == AIRLOCK_TO_PRIVATE) {
		*stages = release ? to_private_release : to_private;
		return 2;
	}
	*stages = release ? to_shared_release : to_shared;
	return release ? 2 : 1;
}

/* ---- MapGPA ---- */

static uint64_t map_gpa(uint64_t gpa, uint64_t bytes, uint64_t *next,
			uint64_t *rax)
{
	struct airlock_tdcall t = {
		.rax = LEAF_VMCALL, .rcx = VMCALL_REGISTERS,
		.r11 = VMCALL_MAP_GPA, .r12 = gpa, .r13 = bytes,
	};

	airlock_port_pin();
	airlock_port_tdcall(&t);
	airlock_port_unpin();
	*next = t.r11;
	*rax = t.rax;
	return t.r10;
}

/*
 * One contiguous range. The VMM may ask to be called again from an address,
 * which must be one of those that were left.
 * @done: pages that are certain, also on failure
 */
static int map_range(struct airlock_job *j, uint64_t gpa, uint64_t pages,
		     bool shared, uint64_t *done)
{
	uint64_t bits = airlock_enc(j->c->a, shared);
	uint64_t at = gpa | bits, next, r, rax, left;
	uint64_t end = at + (pages << AIRLOCK_PAGE_SHIFT);
	unsigned int stalls = 0;

	for (;;) {
		r = map_gpa(at, end - at, &next, &rax);
		left = (end - at) >> AIRLOCK_PAGE_SHIFT;
		*done = pages - left;
		if (rax)
			return AIRLOCK_E_REFUSED;
		if (!r)
			return AIRLOCK_OK;
		if (r != VMCALL_RETRY)
			return AIRLOCK_E_REFUSED;
		if (next < at || next >= end || next % AIRLOCK_PAGE_SIZE)
			return airlock_job_lie(j, AIRLOCK_V_MAPGPA, at & ~bits,
					       left, next);
		stalls = next == at ? stalls + 1 : 0;
		if (stalls == STALLS)
			return AIRLOCK_E_STALLED;
		at = next;
	}
}

static int map_all(struct airlock_job *j, bool shared)
{
	struct airlock_pieces it;
	uint64_t gpa, pos, pages, done;
	int status;

	airlock_pieces_begin(&it, j->c, j->only);
	while (airlock_pieces_more(&it)) {
		/* Runs that differ in their entries only are one to the VMM. */
		gpa = it.p.gpa;
		pos = it.p.pos;
		pages = 0;
		do {
			pages += it.p.pages;
			airlock_pieces_take(&it, it.p.pages);
		} while (airlock_pieces_more(&it) &&
			 it.p.gpa == gpa + (pages << AIRLOCK_PAGE_SHIFT));

		status = map_range(j, gpa, pages, shared, &done);
		if (status)
			return airlock_job_failed(j, status, pos + done,
						  pos + pages);
	}
	return AIRLOCK_OK;
}

/* ---- ACCEPT and RELEASE ---- */

/*
 * The module is busy while another CPU, or the VMM, works on the same entry
 * (TDX module ABI, TDX_OPERAND_BUSY): an honest VMM may cause that, so it is
 * asked again, and in the end it is no lie.
 */
static uint64_t module_call(uint64_t leaf, uint64_t rcx)
{
	struct airlock_tdcall t;
	unsigned int busy = 0;

	do {
		t = (struct airlock_tdcall){ .rax = leaf, .rcx = rcx };
		airlock_port_tdcall(&t);
	} while (TDX_STATUS(t.rax) == TDX_OPERAND_BUSY && ++busy < STALLS);
	return t.rax;
}

/*
 * The largest page at @p that the module takes. Pages are 4K, 2M, 1G: levels
 * 0, 1, 2 of the call.
 *
 * A large page, in doubt, that is "already accepted" may be so in part only:
 * the small ones are asked. If those are not there, it is one page, and all
 * of it is accepted.
 * Return: what it said; @pages how large it was.
 */
static uint64_t page_call(const struct airlock_job *j,
			  const struct airlock_piece *p, uint64_t leaf,
			  uint64_t *pages)
{
	uint64_t accepted = 0, r;
	unsigned int level = 0;

	/* As large as what is left and its alignment allow. */
	while (level < 2 && p->pages >> (9 * (level + 1)) &&
	       !(p->gpa & ((AIRLOCK_PAGE_SIZE << (9 * (level + 1))) - 1)))
		level++;
	for (;; level--) {
		*pages = airlock_leaf_pages(level + 1);
		r = module_call(leaf, p->gpa | level);
		if (j->in_doubt && level &&
		    TDX_STATUS(r) == TDX_ALREADY_ACCEPTED)
			accepted = *pages;
		else if (TDX_STATUS(r) != TDX_SIZE_MISMATCH)
			return r;
		if (!level)
			break;
	}
	if (!accepted)
		return r;
	*pages = accepted;
	return (uint64_t)TDX_ALREADY_ACCEPTED << 32;
}

/*
 * Every page, once. "Already accepted" is proof that a page was not taken
 * away, but also that the VMM did not do what it said it had: it is believed
 * only of pages for which it never said so.
 */
static int page_calls(struct airlock_job *j, uint64_t leaf)
{
	struct airlock_pieces it;
	uint64_t r, n;

	airlock_pieces_begin(&it, j->c, j->only);
	for (; airlock_pieces_more(&it); airlock_pieces_take(&it, n)) {
		r = page_call(j, &it.p, leaf, &n);
		if (!r || (j->in_doubt && leaf == LEAF_PAGE_ACCEPT &&
			   TDX_STATUS(r) == TDX_ALREADY_ACCEPTED))
			continue;
		/* Busy is certain: it did nothing, and it is trusted. */
		if (TDX_STATUS(r) == TDX_OPERAND_BUSY)
			return airlock_job_failed(j, AIRLOCK_E_STALLED,
						  it.p.pos, it.p.pos);
		airlock_job_lie(j, AIRLOCK_V_ACCEPT, it.p.gpa, n, r);
		return airlock_job_failed(j, AIRLOCK_V_ACCEPT, it.p.pos,
					  it.p.pos + n);
	}
	return AIRLOCK_OK;
}

static int tdx_work(struct airlock_job *j, enum airlock_work work)
{
	int status;

	switch (work) {
	case WORK_MAP_PRIVATE:
		return map_all(j, false);
	case WORK_MAP_SHARED:
		return map_all(j, true);
	case WORK_ACCEPT:
		return page_calls(j, LEAF_PAGE_ACCEPT);
	case WORK_RELEASE:
		return page_calls(j, LEAF_PAGE_RELEASE);
	case WORK_MAP_ACCEPT:
		status = map_all(j, false);
		/* Nothing is certain before it is accepted. */
		if (status)
			return airlock_job_failed(j, status, j->only->pos,
						  j->doubt);
		return page_calls(j, LEAF_PAGE_ACCEPT);
	default:
		return AIRLOCK_OK;
	}
}

/*
 * Only to shared: the VMM cannot form an address with the guest's key, and on
 * the way to private flushing is the VMM's part. Linux:
 * arch/x86/coco/tdx/tdx.c, tdx_tlb_flush_required().
 */
static bool tdx_cache_flush(const struct airlock *a, enum airlock_to to)
{
	(void)a;
	return to == AIRLOCK_TO_SHARED;
}

const struct airlock_platform_ops airlock_tdx_ops = {
	.cache_flush = tdx_cache_flush,
	.stages = tdx_stages,
	.work = tdx_work,
};
