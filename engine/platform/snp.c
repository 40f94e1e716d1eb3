// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * SEV-SNP, native, at VMPL0.
 *
 * What the RMP says of a page, and who changes it:
 *
 *                PVALIDATE           page-state change
 *   validated <------------> assigned <--------------> shared
 *   (the guest's)             (guest asks, host does)
 *
 * Sources: AMD APM vol. 3, PVALIDATE; GHCB specification (56421), SNP page
 * state change; Linux 6.12, arch/x86/coco/sev/.
 */

#include "../engine.h"

/* Offsets in the GHCB page; valid_bitmap has a bit for each 8 bytes. */
#define GHCB_EXIT_CODE		0x390
#define GHCB_EXIT_INFO_1	0x398
#define GHCB_EXIT_INFO_2	0x3a0
#define GHCB_SCRATCH		0x3a8
#define GHCB_VALID_LOW		0x3f0
#define GHCB_VALID_HIGH		0x3f8
#define GHCB_BUFFER		0x800
#define GHCB_VERSION_USAGE	0xff8	/* u16 reserved, version; u32 usage */

#define GHCB_VERSION		UINT64_C(2)
#define VALID_BIT(off)		(UINT64_C(1) << ((off) / 8 - 64))

#define EXIT_PSC		UINT64_C(0x80000010)
#define PSC_ENTRIES		253
#define PSC_PRIVATE		UINT64_C(1)
#define PSC_SHARED		UINT64_C(2)
#define PSC_LARGE		(UINT64_C(1) << 56)

#define MSR_PSC_REQUEST		UINT64_C(0x014)
#define MSR_PSC_REPLY		UINT64_C(0x015)

#define STALLS			3	/* exits in a row without progress */

static const struct airlock_stage to_shared[] = {
	{ WORK_RESCIND, WORK_VALIDATE, false },
	{ WORK_PSC_SHARED, WORK_PSC_PRIVATE, false },
};

static const struct airlock_stage to_private[] = {
	{ WORK_PSC_PRIVATE, WORK_PSC_SHARED, true },
	{ WORK_VALIDATE, WORK_RESCIND, true },
};

static unsigned int snp_stages(const struct airlock *a, enum airlock_to to,
			       const struct airlock_stage **stages)
{
	(void)a;
	*stages = to == AIRLOCK_TO_SHARED ? to_shared : to_private;
	return 2;
}

/* ---- PVALIDATE ---- */

/* What @r, not 0, says. CF: the RMP did not change, so it was not as the
 * guest left it: someone remapped the page. */
static int pvalidate_status(uint64_t r)
{
	return r == AIRLOCK_PVALIDATE_CF ? AIRLOCK_V_UNCHANGED :
	       AIRLOCK_V_PVALIDATE;
}

/*
 * PVALIDATE pages of one chunk at @va.
 * @done: how many are done
 * @odd: how many after those may be
 * Return: 0, or what the instruction said.
 */
static uint64_t pvalidate(uint64_t va, uint64_t pages, bool validate,
			  uint64_t *done, uint64_t *odd)
{
	uint64_t r, i;

	*done = 0;
	*odd = pages;
	if (pages == AIRLOCK_PAGES_2M && !(va & (SIZE_2M - 1))) {
		r = airlock_port_pvalidate(va, true, validate);
		if (r != AIRLOCK_PVALIDATE_SIZE)
			return r;
	}
	*odd = 1;
	for (i = 0; i < pages; i++) {
		r = airlock_port_pvalidate(va + (i << AIRLOCK_PAGE_SHIFT),
					   false, validate);
		if (r)
			return r;
		*done = i + 1;
	}
	return 0;
}

/* One chunk, through the window or where it is; evict what caches hold of it
 * from before it was private. */
static uint64_t pvalidate_chunk(struct airlock_job *j,
				const struct airlock_piece *p, bool validate,
				uint64_t *done, uint64_t *odd)
{
	struct airlock *a = j->c->a;
	unsigned int cpu = 0;
	uint64_t va = p->va, r;

	if (j->window) {
		cpu = airlock_port_pin();
		va = airlock_window_open(a, cpu, p->gpa, p->pages, false);
	}
	r = pvalidate(va, p->pages, validate, done, odd);
	if (!r && validate && !(a->cfg.features & AIRLOCK_F_NO_EVICT))
		airlock_port_evict(va, p->pages);
	if (j->window) {
		airlock_window_close(a, cpu, p->gpa, p->pages);
		airlock_port_unpin();
	}
	return r;
}

static int pvalidate_all(struct airlock_job *j, bool validate)
{
	struct airlock_pieces it;
	struct airlock_piece p;
	uint64_t r, done, odd;

	airlock_pieces_begin(&it, j->c, j->only);
	for (; airlock_pieces_more(&it); airlock_pieces_take(&it, p.pages)) {
		p = it.p;
		p.pages = airlock_chunk(&p);
		r = pvalidate_chunk(j, &p, validate, &done, &odd);
		if (!r)
			continue;
		airlock_job_lie(j, pvalidate_status(r),
				p.gpa + (done << AIRLOCK_PAGE_SHIFT), odd, r);
		return airlock_job_failed(j, j->v.status, p.pos + done,
					  p.pos + done + odd);
	}
	return AIRLOCK_OK;
}

/* ---- page-state change through the GHCB page ---- */

static void put(void *ghcb, unsigned int off, uint64_t value)
{
	*(volatile uint64_t *)((char *)ghcb + off) = value;
}

static uint64_t get(const void *ghcb, unsigned int off)
{
	return airlock_port_shared_read((const char *)ghcb + off, 8);
}

/*
 * Up to @most entries for what comes next, into @ghcb if there is one.
 * Return: how many; @it is behind them.
 */
static unsigned int psc_fill(struct airlock_pieces *it, void *ghcb,
			     uint64_t op, unsigned int most)
{
	unsigned int n = 0, last;
	uint64_t e, pages;

	while (n < most && airlock_pieces_more(it)) {
		e = it->p.gpa | op << 52;
		pages = airlock_chunk(&it->p);
		last = n + 1;
		if (pages == AIRLOCK_PAGES_2M) {
			e |= PSC_LARGE;
		} else {
			if (pages > most - n)
				pages = most - n;
			last = n + (unsigned int)pages;
		}
		airlock_pieces_take(it, pages);
		for (; n < last; n++, e += AIRLOCK_PAGE_SIZE)
			if (ghcb)
				put(ghcb, GHCB_BUFFER + 8 + n * 8, e);
	}
	return n;
}

static void psc_request(void *ghcb, uint64_t gpa, unsigned int n)
{
	put(ghcb, GHCB_BUFFER, (uint64_t)(n - 1) << 16);
	put(ghcb, GHCB_EXIT_INFO_1, 0);
	put(ghcb, GHCB_EXIT_INFO_2, 0);
	put(ghcb, GHCB_SCRATCH, gpa + GHCB_BUFFER);
	put(ghcb, GHCB_EXIT_CODE, EXIT_PSC);
	put(ghcb, GHCB_VALID_LOW, 0);
	put(ghcb, GHCB_VALID_HIGH, VALID_BIT(GHCB_EXIT_CODE) |
	    VALID_BIT(GHCB_EXIT_INFO_1) | VALID_BIT(GHCB_EXIT_INFO_2) |
	    VALID_BIT(GHCB_SCRATCH));
	put(ghcb, GHCB_VERSION_USAGE, GHCB_VERSION << 16);
}

/* Progress of one exit's entries: @cur entries and @page pages of the next. */
struct psc {
	unsigned int n;
	unsigned int cur;
	unsigned int page;
	uint64_t header;	/* as read last */
};

/*
 * Read what the host made of it: once each, the page is the host's to change.
 * Return: AIRLOCK_OK if it can be so; @stalled if nothing moved.
 */
static int psc_reply(const void *ghcb, struct psc *psc, bool *stalled)
{
	uint64_t h = get(ghcb, GHCB_BUFFER);
	unsigned int cur = h & 0xffff, end = h >> 16 & 0xffff, page = 0;

	psc->header = h;
	if (h >> 32 || end != psc->n - 1 || cur < psc->cur || cur > psc->n)
		return AIRLOCK_V_PSC_HEADER;
	if (cur < psc->n)
		page = get(ghcb, GHCB_BUFFER + 8 + cur * 8) & 0xfff;
	if (page > AIRLOCK_PAGES_2M)
		return AIRLOCK_V_PSC_HEADER;
	*stalled = cur == psc->cur && page <= psc->page;
	if (!*stalled) {
		psc->cur = cur;
		psc->page = page;
	}
	if (get(ghcb, GHCB_EXIT_INFO_1) & 0xffffffff ||
	    get(ghcb, GHCB_EXIT_INFO_2))
		return AIRLOCK_E_REFUSED;
	return AIRLOCK_OK;
}

/* Exit until all entries are done: the host may stop early and be called
 * again, but has to get on. */
static int psc_exit(void *ghcb, uint64_t gpa, struct psc *psc)
{
	unsigned int stalls = 0;
	bool stalled;
	int status;

	psc_request(ghcb, gpa, psc->n);
	while (psc->cur < psc->n) {
		airlock_port_vmgexit(gpa);
		status = psc_reply(ghcb, psc, &stalled);
		if (status)
			return status;
		stalls = stalled ? stalls + 1 : 0;
		if (stalls == STALLS)
			return AIRLOCK_E_STALLED;
		if (stalled || psc->cur < psc->n)
			put(ghcb, GHCB_EXIT_INFO_2, 0);
	}
	return AIRLOCK_OK;
}

/* One page, before there is a GHCB page: by its MSR. */
static int psc_msr(struct airlock_pieces *it, uint64_t op, struct psc *psc)
{
	uint64_t r = airlock_port_vmgexit(MSR_PSC_REQUEST | it->p.gpa |
					  op << 52);

	psc->n = 1;
	airlock_pieces_take(it, 1);
	if ((r & 0xfff) != MSR_PSC_REPLY) {
		psc->header = r;
		return AIRLOCK_V_CALLED_BACK;
	}
	return r >> 32 ? AIRLOCK_E_REFUSED : AIRLOCK_OK;
}

/*
 * A failed exit. Entries that the header counts as done are done. None of the
 * others is certain, whatever the host says: an honest one works in order,
 * but has not said that it stopped before doing the next.
 */
static int psc_failed(struct airlock_job *j, struct airlock_pieces *first,
		      const struct psc *psc, uint64_t end, int status)
{
	psc_fill(first, NULL, 0, psc->cur);
	airlock_pieces_more(first);
	if (status >= AIRLOCK_V_UNCHANGED)
		airlock_job_lie(j, status, first->p.gpa, end - first->p.pos,
				psc->header);
	return airlock_job_failed(j, status, first->p.pos, end);
}

static int psc_all(struct airlock_job *j, uint64_t op)
{
	struct airlock_pieces it, first;
	uint64_t gpa;
	void *ghcb;
	int status;

	airlock_pieces_begin(&it, j->c, j->only);
	while (airlock_pieces_more(&it)) {
		struct psc psc = { 0 };

		first = it;
		ghcb = airlock_port_ghcb(airlock_port_pin(), &gpa);
		if (ghcb) {
			psc.n = psc_fill(&it, ghcb, op, PSC_ENTRIES);
			status = psc_exit(ghcb, gpa, &psc);
		} else {
			status = psc_msr(&it, op, &psc);
		}
		airlock_port_unpin();
		if (status)
			return psc_failed(j, &first, &psc, it.p.pos, status);
	}
	return AIRLOCK_OK;
}

static int snp_work(struct airlock_job *j, enum airlock_work work)
{
	switch (work) {
	case WORK_RESCIND:
		return pvalidate_all(j, false);
	case WORK_VALIDATE:
		return pvalidate_all(j, true);
	case WORK_PSC_PRIVATE:
		return psc_all(j, PSC_PRIVATE);
	case WORK_PSC_SHARED:
		return psc_all(j, PSC_SHARED);
	default:
		return AIRLOCK_OK;
	}
}

const struct airlock_platform_ops airlock_snp_ops = {
	.c_bit = true,
	.cache_flush = airlock_amd_cache_flush,
	.stages = snp_stages,
	.work = snp_work,
};
