// SPDX-License-Identifier: GPL-2.0
/*
 * SEV-SNP, VMPL0.
 *
 *                PVALIDATE(1)           page-state change
 *   validated <--------------> assigned <----------------> shared
 *                PVALIDATE(0)
 *
 * Sources: AMD64 manual, vol. 3, PVALIDATE; GHCB specification, SNP page
 * state change; Linux arch/x86/coco/sev/core.c.
 */
#include <linux/io.h>
#include <linux/mm.h>
#include <asm/cpufeature.h>
#include <asm/msr.h>
#include <asm/sev.h>
#include <asm/svm.h>

#include "port.h"

#define PSC_ENTRIES	253		/* that fit into the GHCB */
#define PSC_STALLS	64		/* calls without progress */
#define GHCB_PROTOCOL	2		/* the least that SNP guests negotiate */

/* ---- page-state change ---- */

struct psc {
	struct psc_hdr hdr;
	struct psc_entry entry[PSC_ENTRIES];
} __packed;

static_assert(sizeof(struct psc) <= GHCB_SHARED_BUF_SIZE);

/* How many pages the next entry takes of what is in a row. */
static unsigned int entry_size(const struct airlock_piece *p)
{
	return IS_ALIGNED(p->pfn, PTRS_PER_PMD) && p->pages >= PTRS_PER_PMD ?
	       PTRS_PER_PMD : 1;
}

static u64 psc_call(struct ghcb *ghcb)
{
	memset(ghcb->save.valid_bitmap, 0, sizeof(ghcb->save.valid_bitmap));
	ghcb->protocol_version = GHCB_PROTOCOL;
	ghcb->ghcb_usage = 0;
	ghcb_set_sw_exit_code(ghcb, SVM_VMGEXIT_PSC);
	ghcb_set_sw_exit_info_1(ghcb, 0);
	ghcb_set_sw_exit_info_2(ghcb, 0);
	ghcb_set_sw_scratch(ghcb, __pa(ghcb->shared_buffer));
	wrmsr(MSR_AMD64_SEV_ES_GHCB, lower_32_bits(__pa(ghcb)),
	      upper_32_bits(__pa(ghcb)));
	VMGEXIT();
	if (READ_ONCE(ghcb->save.sw_exit_info_1) & U32_MAX)
		return U64_MAX;
	return READ_ONCE(ghcb->save.sw_exit_info_2);
}

/*
 * The buffer is the host's to write: what is in it is read once, and what it
 * should say is known here.
 * @done: receives how many entries the host certainly did
 */
static int psc_host(struct ghcb *ghcb, unsigned int n, unsigned int *done,
		    u64 *detail)
{
	struct psc *psc = (struct psc *)ghcb->shared_buffer;
	unsigned int current_entry, stalls = 0;
	u64 error, hdr;

	while (*done < n) {
		error = psc_call(ghcb);
		hdr = READ_ONCE(*(u64 *)&psc->hdr);
		current_entry = hdr & U16_MAX;
		*detail = hdr;
		if (hdr >> 32 || (hdr >> 16 & U16_MAX) != n - 1 ||
		    current_entry < *done || current_entry > n)
			return AIRLOCK_V_PSC_HEADER;
		stalls = current_entry == *done ? stalls + 1 : 0;
		*done = current_entry;
		if (error)
			return AIRLOCK_E_REFUSED;
		if (stalls == PSC_STALLS)
			return AIRLOCK_E_STALLED;
	}
	return AIRLOCK_OK;
}

struct psc_some {
	const struct airlock_job *j;
	unsigned long first, end;	/* of the pages */
	unsigned int op;
	unsigned int n, done;		/* entries */
	u64 detail;
};

/* As many pages as fit. */
static void psc_fill(struct psc *psc, struct psc_some *s)
{
	struct airlock_piece p;

	s->n = 0;
	s->end = s->first;
	while (s->n < PSC_ENTRIES &&
	       airlock_piece(s->j->c, s->end, s->j->to, &p))
		for (; s->n < PSC_ENTRIES && p.pages; s->n++) {
			unsigned int size = entry_size(&p);

			psc->entry[s->n] = (struct psc_entry){
				.gfn = p.pfn, .operation = s->op,
				.pagesize = size > 1,
			};
			p.pfn += size;
			p.pages -= size;
			s->end += size;
		}
	psc->hdr = (struct psc_hdr){ .end_entry = s->n - 1 };
}

/* With the GHCB: one buffer full. */
static int psc_some(struct ghcb *ghcb, void *arg)
{
	struct psc_some *s = arg;

	psc_fill((struct psc *)ghcb->shared_buffer, s);
	s->done = 0;
	return psc_host(ghcb, s->n, &s->done, &s->detail);
}

/* The first page of the @n-th entry, not as the host's memory has it. */
static unsigned long psc_page(const struct psc_some *s, unsigned int n)
{
	unsigned long at = s->first;
	struct airlock_piece p;

	while (n && airlock_piece(s->j->c, at, s->j->to, &p))
		for (; n && p.pages; n--) {
			unsigned int size = entry_size(&p);

			p.pfn += size;
			p.pages -= size;
			at += size;
		}
	return at;
}

static int psc_all(struct airlock_job *j, unsigned int op)
{
	struct psc_some s = { .j = j, .op = op, .first = j->from };
	unsigned long at;
	int status;

	for (; s.first < j->to; s.first = s.end) {
		status = snp_with_ghcb(psc_some, &s);
		if (!status)
			continue;
		at = psc_page(&s, s.done);
		if (status == AIRLOCK_V_PSC_HEADER)
			return airlock_lied(j, status, at, s.end, 0, s.detail);
		return airlock_failed(j, status, at, s.end);
	}
	return AIRLOCK_OK;
}

/* ---- PVALIDATE ---- */

/* Take a cached line of the page's shared past out of every cache. */
static void evict(unsigned long va, unsigned int pages)
{
	const u8 *p = (const u8 *)va;

	if (boot_cpu_has(X86_FEATURE_COHERENCY_SFW_NO))
		return;
	for (; pages--; p += PAGE_SIZE) {
		(void)READ_ONCE(p[0]);
		(void)READ_ONCE(p[PAGE_SIZE - 1]);
	}
}

static int validate_4k(unsigned long pfn, bool validate)
{
	unsigned long va = airlock_window_open(pfn, false, false);
	int rc = pvalidate(va, RMP_PG_SIZE_4K, validate);

	if (!rc && validate)
		evict(va, 1);
	airlock_window_close(va, false);
	return rc;
}

/* 512 pages; @done of them on failure. */
static int validate_2m(unsigned long pfn, bool validate, unsigned int *done)
{
	unsigned long va = airlock_window_open(pfn, true, false);
	int rc = pvalidate(va, RMP_PG_SIZE_2M, validate);

	*done = rc ? 0 : PTRS_PER_PMD;
	if (rc == PVALIDATE_FAIL_SIZEMISMATCH)
		for (rc = 0; !rc && *done < PTRS_PER_PMD; *done += !rc)
			rc = pvalidate(va + *done * PAGE_SIZE, RMP_PG_SIZE_4K,
				       validate);
	if (!rc && validate)
		evict(va, PTRS_PER_PMD);
	airlock_window_close(va, true);
	return rc;
}

/*
 * The RMP did not change, or not as it should: nobody but the host can have
 * brought that about.
 */
static int validate_all(struct airlock_job *j, bool validate)
{
	unsigned long at = j->from;
	struct airlock_piece p;
	unsigned int n;
	int rc;

	while (airlock_piece(j->c, at, j->to, &p)) {
		while (p.pages) {
			n = 1;
			if (IS_ALIGNED(p.pfn, PTRS_PER_PMD) &&
			    p.pages >= PTRS_PER_PMD) {
				rc = validate_2m(p.pfn, validate, &n);
			} else {
				rc = validate_4k(p.pfn, validate);
				n = !rc;
			}
			at += n;
			p.pfn += n;
			p.pages -= n;
			if (rc)
				return airlock_lied(j, rc ==
						    PVALIDATE_FAIL_NOUPDATE ?
						    AIRLOCK_V_UNCHANGED :
						    AIRLOCK_V_PVALIDATE,
						    at, at + 1, p.pfn, rc);
		}
		cond_resched();
	}
	return AIRLOCK_OK;
}

static int psc_private(struct airlock_job *j)
{
	return psc_all(j, SNP_PAGE_STATE_PRIVATE);
}

static int psc_shared(struct airlock_job *j)
{
	return psc_all(j, SNP_PAGE_STATE_SHARED);
}

static int validate(struct airlock_job *j)
{
	return validate_all(j, true);
}

static int rescind(struct airlock_job *j)
{
	return validate_all(j, false);
}

const struct airlock_backend airlock_snp = {
	.to_private = {
		{ psc_private, psc_shared },
		{ validate, rescind },
	},
	.to_shared = {
		{ rescind, validate },
		{ psc_shared, psc_private },
	},
};
