// SPDX-License-Identifier: GPL-2.0
/*
 * set_memory_encrypted() and set_memory_decrypted(), by the steps of
 * engine/transition.c.
 */
#include <linux/cc_platform.h>
#include <linux/errno.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <asm/cacheflush.h>
#include <asm/x86_init.h>

#include "port.h"

struct airlock_kernel airlock_kernel;
enum airlock_platform airlock_platform;
struct airlock_counts airlock_counts;
struct airlock_order airlock_order;	/* set before the first call */

static void count(unsigned long *which, unsigned long n)
{
	atomic_long_add(n, (atomic_long_t *)which);
}

/* ---- stages ---- */

static unsigned int stages_of(enum airlock_to to,
			      const struct airlock_stage **stages)
{
	switch (airlock_platform) {
	case AIRLOCK_SNP:
		return airlock_snp_stages(to, stages);
	case AIRLOCK_TDX:
		return airlock_tdx_stages(to, stages);
	default:
		return airlock_hv_stages(to, stages);
	}
}

static int do_work(struct airlock_job *j, enum airlock_work work)
{
	switch (airlock_platform) {
	case AIRLOCK_SNP:
		return airlock_snp_work(j, work);
	case AIRLOCK_TDX:
		return airlock_tdx_work(j, work);
	default:
		return airlock_hv_work(j, work);
	}
}

int airlock_failed(struct airlock_job *j, int status, unsigned long done,
		   unsigned long doubt)
{
	j->done = done;
	j->doubt = doubt;
	return status;
}

/* No honest host does this. */
int airlock_lied(struct airlock_job *j, int status, unsigned long done,
		 unsigned long doubt, unsigned long pfn, u64 detail)
{
	pr_crit_ratelimited("airlock: the host lied (%d) about page %lx: %llx\n",
			    status, pfn, detail);
	count(&airlock_counts.lies, 1);
	j->lied = true;
	return airlock_failed(j, status, done, doubt);
}

/* Forward: all stages. */
static int advance(struct airlock_call *c)
{
	const struct airlock_stage *stages;
	unsigned int n = stages_of(c->to, &stages);
	int status;

	for (; c->stage < n; c->stage++) {
		struct airlock_job j = { .c = c, .to = c->pages };

		status = do_work(&j, stages[c->stage].work);
		if (status) {
			c->done = j.done;
			c->doubt = j.doubt;
			c->lied = j.lied;
			return status;
		}
	}
	return AIRLOCK_OK;
}

/* ---- what transition.c asks for ---- */

void airlock_be_alias(struct airlock_call *c)
{
	vm_unmap_aliases();
}

void airlock_be_pass(struct airlock_call *c, bool present, bool flipped)
{
	bool shared = (c->to == AIRLOCK_TO_SHARED) == flipped;

	airlock_entries_pass(c, present, airlock_attr(shared));
}

void airlock_be_tlb(struct airlock_call *c)
{
	count(&airlock_counts.shootdowns, 1);
	if (c->aliased)
		airlock_kernel.flush_tlb_all();
	else
		airlock_kernel.flush_tlb_kernel_range(c->va, c->va +
						      c->pages * PAGE_SIZE);
}

static bool wants_cache_flush(const struct airlock_call *c)
{
	/* TDX: the host cannot flush what has the private key. */
	if (airlock_platform == AIRLOCK_TDX && c->to == AIRLOCK_TO_PRIVATE)
		return false;
	return x86_platform.guest.enc_cache_flush_required();
}

/*
 * cpa_flush() skips entries that are not present, so it would flush nothing
 * here; and the mapping that has the lines is the former one.
 */
void airlock_be_cache(struct airlock_call *c, bool window)
{
	bool shared = c->to == AIRLOCK_TO_PRIVATE;
	unsigned long at = 0, va, n;
	struct airlock_piece p;
	bool large;

	if (!wants_cache_flush(c))
		return;
	while (airlock_piece(c, at, c->pages, &p)) {
		for (; p.pages; p.pfn += n, p.pages -= n, at += n) {
			large = IS_ALIGNED(p.pfn, PTRS_PER_PMD) &&
				p.pages >= PTRS_PER_PMD;
			n = large ? PTRS_PER_PMD : 1;
			va = airlock_window_open(p.pfn, large, shared);
			clflush_cache_range((void *)va, n * PAGE_SIZE);
			airlock_window_close(va, large);
		}
		cond_resched();
	}
}

/* All work is done at once: the pages are not present for any of it. */
int airlock_be_prepare(struct airlock_call *c, bool window)
{
	c->prepared = true;
	return AIRLOCK_OK;
}

int airlock_be_notify(struct airlock_call *c, bool window)
{
	return advance(c);
}

static void lose(struct airlock_call *c, unsigned long from, unsigned long to)
{
	if (from >= to)
		return;
	bitmap_set(c->lost, from, to - from);
	c->nlost += to - from;
}

/* Take @n stages back from the pages at [from, to). */
static void undo(struct airlock_call *c, unsigned long from, unsigned long to,
		 unsigned int n, bool in_doubt)
{
	const struct airlock_stage *stages;

	stages_of(c->to, &stages);
	for (; n && from < to; n--, in_doubt = false) {
		struct airlock_job j = {
			.c = c, .from = from, .to = to, .in_doubt = in_doubt,
		};

		if (!do_work(&j, stages[n - 1].back))
			continue;
		lose(c, j.done, to);
		to = j.done;
	}
}

void airlock_be_undo(struct airlock_call *c)
{
	unsigned int stages;
	const struct airlock_stage *unused;

	stages = stages_of(c->to, &unused);
	undo(c, 0, c->done, min(c->stage + 1, stages), false);
	if (c->lied)
		lose(c, c->done, c->doubt);
	else
		undo(c, c->done, c->doubt, min(c->stage + 1, stages), true);
	undo(c, c->doubt, c->pages, c->stage, false);
	if (c->nlost)
		airlock_entries_widen(c);
}

/*
 * A page in quarantine stays not present for ever. One more reference keeps
 * it from the allocator when its owner frees it.
 */
static void quarantine(struct airlock_call *c)
{
	struct airlock_piece p;
	unsigned long i;

	for_each_set_bit(i, c->lost, c->pages)
		if (airlock_piece(c, i, i + 1, &p) && pfn_valid(p.pfn)) {
			get_page(pfn_to_page(p.pfn));
			SetPageHWPoison(pfn_to_page(p.pfn));
		}
	count(&airlock_counts.given_up, c->nlost);
	pr_crit("airlock: %lu pages at %lx are in doubt and given up\n",
		c->nlost, c->va);
}

void airlock_be_finish(struct airlock_call *c, bool done)
{
	if (c->nlost)
		quarantine(c);
	if (!done) {
		count(&airlock_counts.refused, 1);
		return;
	}
	count(&airlock_counts.converted, c->pages);
	/* What kexec expects to find, it warns of any other number. */
	if (airlock_kernel.nr_shared)
		atomic_long_add(c->to == AIRLOCK_TO_SHARED ? (long)c->pages :
				-(long)c->pages, airlock_kernel.nr_shared);
}

/* ---- the call ---- */

static int to_errno(int status)
{
	return status == AIRLOCK_OK ? 0 : -EIO;
}

/**
 * airlock_set_memory() - what set_memory_encrypted() and _decrypted() do
 * @addr: in the direct map, the kernel image, or from vmalloc()
 * @enc: make private, else shared
 *
 * Nobody may use the pages meanwhile; stray reads are expected and safe.
 *
 * Context: may sleep, sends IPIs; allocates before the first change only.
 * Return: 0. On any error each page is either what it was before, with
 * undefined contents, or, when nobody can know what the host did with it, not
 * present for ever, counted, and kept from the allocator. Pages that are all
 * in the wanted state already: 0, and nothing is done.
 */
int airlock_set_memory(unsigned long addr, int numpages, bool enc)
{
	struct airlock_call c = {
		.va = addr & PAGE_MASK, .pages = numpages,
		.to = enc ? AIRLOCK_TO_PRIVATE : AIRLOCK_TO_SHARED,
	};
	int ret;

	if (WARN_ONCE(addr & ~PAGE_MASK, "misaligned address: %#lx\n", addr) ||
	    numpages <= 0)
		return -EINVAL;
	c.lost = c.lost_inline;
	if (c.pages > LOST_INLINE)
		c.lost = bitmap_zalloc(c.pages, GFP_KERNEL);
	if (!c.lost)
		return -ENOMEM;
	ret = airlock_entries_prepare(&c);
	if (!ret)
		ret = to_errno(airlock_transition(&c, &airlock_order));
	if (c.lost != c.lost_inline)
		bitmap_free(c.lost);
	return ret > 0 ? 0 : ret;
}

int airlock_port_init(void)
{
	return airlock_window_init();
}

void airlock_port_exit(void)
{
	airlock_window_exit();
}
