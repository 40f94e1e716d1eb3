// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Hyper-V with a paravisor: vTOM on SEV-SNP, and TDX partitioning.
 *
 * The paravisor validates and accepts; the guest says which pages the host
 * may see, by a rep hypercall whose input is a list of page numbers.
 *
 * Sources: Hyper-V TLFS, hypercall result value; Linux 6.12,
 * arch/x86/hyperv/ivm.c, hv_mark_gpa_visibility(), and
 * include/asm-generic/mshyperv.h, hv_do_rep_hypercall().
 */

#include "../engine.h"

#define CALL_VISIBILITY		UINT64_C(0x00db)
#define PARTITION_SELF		(~UINT64_C(0))
#define VISIBLE_NOT		UINT64_C(0)
#define VISIBLE_READ_WRITE	UINT64_C(3)
#define MAX_GFNS		510
#define STATUS_TIMEOUT		0x78
#define STALLS			3

static const struct airlock_stage to_shared[] = {
	{ WORK_SHOW, WORK_HIDE, true },
};

static const struct airlock_stage to_private[] = {
	{ WORK_HIDE, WORK_SHOW, true },
};

static unsigned int hv_stages(const struct airlock *a, enum airlock_to to,
			      const struct airlock_stage **stages)
{
	(void)a;
	*stages = to == AIRLOCK_TO_SHARED ? to_shared : to_private;
	return 1;
}

/* @n page numbers in a row. Return: what is behind them. */
static volatile uint64_t *put(volatile uint64_t *in, uint64_t gfn, uint64_t n)
{
	for (; n >= 4; n -= 4, in += 4, gfn += 4) {
		in[0] = gfn;
		in[1] = gfn + 1;
		in[2] = gfn + 2;
		in[3] = gfn + 3;
	}
	for (; n; n--)
		*in++ = gfn++;
	return in;
}

/* Up to a call's worth of page numbers. Return: how many. */
static unsigned int fill(struct airlock_pieces *it, void *page,
			 uint64_t visibility)
{
	volatile uint64_t *in = page;
	uint64_t n, left = MAX_GFNS;

	*in++ = PARTITION_SELF;
	*in++ = visibility;
	for (; left && airlock_pieces_more(it); left -= n) {
		n = it->p.pages < left ? it->p.pages : left;
		in = put(in, it->p.gpa >> AIRLOCK_PAGE_SHIFT, n);
		airlock_pieces_take(it, n);
	}
	return (unsigned int)(MAX_GFNS - left);
}

/*
 * Call until all @n are done. "Reps completed" counts from the first rep of
 * the list, not from where a call began; it must not go back, nor beyond.
 */
static int call(struct airlock_job *j, uint64_t gpa, unsigned int n,
		unsigned int *done)
{
	unsigned int stalls = 0, reps, status;
	uint64_t r;

	for (*done = 0; *done < n; *done = reps) {
		r = airlock_port_hypercall(CALL_VISIBILITY |
					   (uint64_t)n << 32 |
					   (uint64_t)*done << 48, gpa, 0);
		status = r & 0xffff;
		reps = r >> 32 & 0xfff;
		if (reps > n || (!status && reps < *done))
			return airlock_job_lie(j, AIRLOCK_V_REPS, 0, n - *done,
					       r);
		if (reps < *done)
			reps = *done;	/* an error may leave it at 0 */
		if (status && status != STATUS_TIMEOUT) {
			*done = reps;
			return AIRLOCK_E_REFUSED;
		}
		stalls = reps == *done ? stalls + 1 : 0;
		if (stalls == STALLS)
			return AIRLOCK_E_STALLED;
	}
	return AIRLOCK_OK;
}

/* Of the page at that position: a lie is about the first that was not done. */
static RARE uint64_t gpa_at(const struct airlock_job *j, uint64_t pos)
{
	struct airlock_pieces it;

	airlock_pieces_begin(&it, j->c, j->only);
	while (airlock_pieces_more(&it) && pos - it.p.pos >= it.p.pages)
		airlock_pieces_take(&it, it.p.pages);
	return it.p.gpa + ((pos - it.p.pos) << AIRLOCK_PAGE_SHIFT);
}

static int change(struct airlock_job *j, uint64_t visibility)
{
	struct airlock_pieces it;
	unsigned int n, done;
	uint64_t pos, gpa;
	void *page;
	int status;

	airlock_pieces_begin(&it, j->c, j->only);
	while (airlock_pieces_more(&it)) {
		pos = it.p.pos;
		page = airlock_port_hv_page(airlock_port_pin(), &gpa);
		status = AIRLOCK_E_REFUSED;
		n = done = 0;
		if (page) {
			n = fill(&it, page, visibility);
			status = call(j, gpa, n, &done);
		}
		airlock_port_unpin();
		if (j->v.status)
			j->v.gpa = gpa_at(j, pos + done);
		/* After an honest failure the rest is untouched: TLFS. */
		if (status)
			return airlock_job_failed(j, status, pos + done,
				j->v.status ? pos + n : pos + done);
	}
	return AIRLOCK_OK;
}

static int hv_work(struct airlock_job *j, enum airlock_work work)
{
	switch (work) {
	case WORK_SHOW:
		return change(j, VISIBLE_READ_WRITE);
	case WORK_HIDE:
		return change(j, VISIBLE_NOT);
	default:
		return AIRLOCK_OK;
	}
}

/* Linux: hv_vtom_cache_flush_required() is never true. */
const struct airlock_platform_ops airlock_hv_ops = {
	.cache_flush = airlock_no_cache_flush,
	.stages = hv_stages,
	.work = hv_work,
};
