// SPDX-License-Identifier: GPL-2.0
/*
 * TDX, without a paravisor.
 *
 *               ACCEPT           MapGPA
 *   accepted <---------- pending <------> shared
 *       |                                   ^
 *       +------------- MapGPA --------------+
 *
 * ACCEPT is a call to the TDX module, which is trusted; MapGPA is a request
 * to the VMM, which is not.
 *
 * Sources: Intel's Guest-Host-Communication Interface; TDX module ABI; Linux
 * arch/x86/coco/tdx/tdx.c. The physical address comes from the page-table
 * entry, so that vmalloc addresses work.
 */
#include <linux/mm.h>
#include <asm/shared/tdx.h>

#include "port.h"

#define STATUS(rax)		((rax) >> 32)
#define ALREADY_ACCEPTED	0x00000b0a
#define SIZE_MISMATCH		0xc0000b0b
#define OPERAND_BUSY		0x80000200U

/* ---- MapGPA ---- */

static int map_all(struct airlock_job *j, bool shared)
{
	u64 attr = airlock_attr(shared), start, size, r, bytes;
	unsigned long at = j->from, n;
	unsigned int stalls = 0;
	int status;
	struct airlock_piece p;

	for (; airlock_piece(j->c, at, j->to, &p); at += n) {
		struct tdx_module_args args = {
			.r10 = TDX_HYPERCALL_STANDARD,
			.r11 = TDVMCALL_MAP_GPA,
		};

		start = PFN_PHYS(p.pfn) | attr;
		size = PFN_PHYS(p.pages);
		args.r12 = start;
		args.r13 = size;
		r = __tdx_hypercall(&args);
		status = airlock_mapgpa_answer(r, args.r11, start, size,
					       &stalls, &bytes);
		if (status == AIRLOCK_V_MAPGPA)
			return airlock_lied(j, status, at, at + p.pages,
					    p.pfn, args.r11);
		if (status)
			return airlock_failed(j, status, at, at + p.pages);
		n = PHYS_PFN(bytes);
	}
	return AIRLOCK_OK;
}

/* ---- ACCEPT ---- */

static u64 accept_call(unsigned long pfn, unsigned int level)
{
	unsigned int busy = 0;
	u64 r;

	do {
		struct tdx_module_args args = {
			.rcx = PFN_PHYS(pfn) | level,
		};

		r = __tdcall(TDG_MEM_PAGE_ACCEPT, &args);
	} while (STATUS(r) == OPERAND_BUSY && ++busy < AIRLOCK_STALLS);
	return r;
}

/* 512 pages if the module has them so, or one. */
static u64 accept_some(struct airlock_job *j, const struct airlock_piece *p,
		       unsigned long *pages)
{
	u64 r;

	if (IS_ALIGNED(p->pfn, PTRS_PER_PMD) && p->pages >= PTRS_PER_PMD) {
		*pages = PTRS_PER_PMD;
		r = accept_call(p->pfn, 1);
		/* In doubt, "already" may be true of some of them only. */
		if (STATUS(r) != SIZE_MISMATCH &&
		    !(j->in_doubt && STATUS(r) == ALREADY_ACCEPTED))
			return r;
	}
	*pages = 1;
	return accept_call(p->pfn, 0);
}

/*
 * "Already accepted" is proof that the page was not taken away, but also that
 * the VMM did not do what it said: it is believed only of pages for which it
 * never said so.
 */
static int accept_all(struct airlock_job *j)
{
	unsigned long at = j->from, n;
	struct airlock_piece p;
	u64 r;

	while (airlock_piece(j->c, at, j->to, &p)) {
		for (; p.pages; p.pfn += n, p.pages -= n, at += n) {
			r = accept_some(j, &p, &n);
			if (!r || (j->in_doubt &&
				   STATUS(r) == ALREADY_ACCEPTED))
				continue;
			if (STATUS(r) == OPERAND_BUSY)
				return airlock_failed(j, AIRLOCK_E_STALLED, at,
						      at + n);
			return airlock_lied(j, AIRLOCK_V_ACCEPT, at, at + n,
					    p.pfn, r);
		}
		if (at < j->to)
			cond_resched();
	}
	return AIRLOCK_OK;
}

static int map_private(struct airlock_job *j)
{
	return map_all(j, false);
}

static int map_shared(struct airlock_job *j)
{
	return map_all(j, true);
}

/* Nothing is certain before it is accepted. */
static int map_accept(struct airlock_job *j)
{
	int status = map_private(j);

	return status ? airlock_failed(j, status, j->from, j->to) :
	       accept_all(j);
}

const struct airlock_backend airlock_tdx = {
	.to_private = {
		{ map_private, map_shared },
		{ accept_all, NULL },
	},
	.to_shared = {
		{ map_shared, map_accept },
	},
	/* What kexec expects to find: it warns of any other number. */
	.converted = tdx_count_shared,
};
