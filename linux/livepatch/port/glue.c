// SPDX-License-Identifier: GPL-2.0
/*
 * set_memory_encrypted() and set_memory_decrypted(), by the steps of
 * transition.c.
 */
#define pr_fmt(fmt) "airlock: " fmt
#include <linux/cc_platform.h>
#include <linux/errno.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/page-isolation.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <asm/cacheflush.h>
#include <asm/cpufeature.h>
#include <asm/mshyperv.h>
#include <asm/sev.h>
#include <asm/tlbflush.h>
#include <asm/x86_init.h>

#include "port.h"

const struct airlock_order *airlock_order = &airlock_default_order;
struct airlock_counts airlock_counts;

#define COUNT(name) module_param_named(name, airlock_counts.name, ulong, 0444)
COUNT(converted);
COUNT(refused);
COUNT(given_up);
COUNT(lies);
COUNT(shootdowns);

/* NULL: conversions are not ours. Does not change while there are any. */
static const struct airlock_backend *backend;

static void count(unsigned long *which, unsigned long n)
{
	atomic_long_add(n, (atomic_long_t *)which);
}

/* ---- stages ---- */

static const struct airlock_stage *stages_of(const struct airlock_call *c)
{
	return c->to == AIRLOCK_TO_PRIVATE ? c->by->to_private :
	       c->by->to_shared;
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
	pr_crit_ratelimited("the host lied (%d) about page %lx: %llx\n",
			    status, pfn, detail);
	count(&airlock_counts.lies, 1);
	j->lied = true;
	return airlock_failed(j, status, done, doubt);
}

/* Forward: all stages. */
static int advance(struct airlock_call *c)
{
	const struct airlock_stage *first = stages_of(c), *s = first;
	struct airlock_job j = { .c = c, .to = c->pages };
	int status = AIRLOCK_OK;

	for (; s->work; s++) {
		status = s->work(&j);
		if (status) {
			c->done = j.done;
			c->doubt = j.doubt;
			c->lied = j.lied;
			break;
		}
	}
	c->stage = s - first;
	return status;
}

/* ---- what transition.c asks for ---- */

/*
 * For more pages flush_tlb_kernel_range() would drop everything too, if not
 * told otherwise (tlb_single_page_flush_ceiling).
 */
#define FEW	33

static bool drops_everything(const struct airlock_call *c)
{
	return c->aliased || c->pages > FEW;
}

/*
 * What vunmap() leaves behind are TLB entries: those of the page tables are
 * cleared at once. So where everything is dropped, so are they.
 */
void airlock_be_alias(struct airlock_call *c)
{
	if (!drops_everything(c))
		vm_unmap_aliases();
}

void airlock_be_tlb(struct airlock_call *c)
{
	count(&airlock_counts.shootdowns, 1);
	if (drops_everything(c))
		flush_tlb_all();
	else
		flush_tlb_kernel_range(c->va, c->va + c->pages * PAGE_SIZE);
}

/* When __set_memory_enc_pgtable() flushes them. */
static bool wants_cache_flush(const struct airlock_call *c)
{
	bool enc = c->to == AIRLOCK_TO_PRIVATE;

	return x86_platform.guest.enc_tlb_flush_required(enc) &&
	       x86_platform.guest.enc_cache_flush_required();
}

/*
 * cpa_flush() skips entries that are not present, so it would flush nothing
 * here; and the mapping that has the lines is the former one.
 */
static void flush_some(unsigned long pfn, unsigned long offset,
		       unsigned long pages, bool large, bool shared)
{
	unsigned long va = airlock_window_open(pfn, large, shared);

	clflush_cache_range((void *)va + offset * PAGE_SIZE,
			    pages * PAGE_SIZE);
	airlock_window_close(va, large);
}

/* Preemption is off while the window is open: never for all of a 2M page. */
#define FLUSH_PAGES	16

static noinline void flush_cache(struct airlock_call *c)
{
	bool shared = c->to == AIRLOCK_TO_PRIVATE;
	unsigned long at = 0, n, i;
	struct airlock_piece p;

	while (airlock_piece(c, at, c->pages, &p)) {
		for (; p.pages; p.pfn += n, p.pages -= n, at += n) {
			n = 1;
			if (!IS_ALIGNED(p.pfn, PTRS_PER_PMD) ||
			    p.pages < PTRS_PER_PMD) {
				flush_some(p.pfn, 0, 1, false, shared);
				continue;
			}
			n = PTRS_PER_PMD;
			for (i = 0; i < n; i += FLUSH_PAGES)
				flush_some(p.pfn, i, FLUSH_PAGES, true, shared);
		}
		cond_resched();
	}
}

void airlock_be_cache(struct airlock_call *c, bool window)
{
	if (wants_cache_flush(c))
		flush_cache(c);
}

/* All work is done at once: the pages are not present for any of it. */
int airlock_be_prepare(struct airlock_call *c, bool window)
{
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
	if (!c->nlost)
		bitmap_zero(c->lost, c->pages);
	c->pte = NULL;
	bitmap_set(c->lost, from, to - from);
	c->nlost += to - from;
}

/* Take @n stages back from the pages at [from, to). */
static void undo(struct airlock_call *c, unsigned long from, unsigned long to,
		 unsigned int n, bool in_doubt)
{
	const struct airlock_stage *stages = stages_of(c);

	for (; n && from < to; n--, in_doubt = false) {
		struct airlock_job j = {
			.c = c, .from = from, .to = to, .in_doubt = in_doubt,
		};

		if (!stages[n - 1].back || !stages[n - 1].back(&j))
			continue;
		lose(c, j.done, to);
		to = j.done;
	}
}

void airlock_be_undo(struct airlock_call *c)
{
	/* With the stage that failed, unless a later step of an order did. */
	unsigned int stages = c->stage + !!stages_of(c)[c->stage].work;

	undo(c, 0, c->done, stages, false);
	if (c->lied)
		lose(c, c->done, c->doubt);
	else
		undo(c, c->done, c->doubt, stages, true);
	undo(c, c->doubt, c->pages, c->stage, false);
	if (c->nlost)
		airlock_entries_widen(c);
}

/*
 * A page in quarantine stays not present for ever. One more reference keeps
 * it from the allocator when its owner frees it; in the middle of a block that
 * is not compound, where pages have no references, only if somebody looks.
 */
static noinline void quarantine(struct airlock_call *c)
{
	struct airlock_piece p;
	unsigned long i;

	for_each_set_bit(i, c->lost, c->pages)
		if (airlock_piece(c, i, i + 1, &p) && pfn_valid(p.pfn)) {
			page_ref_inc(compound_head(pfn_to_page(p.pfn)));
			SetPageHWPoison(pfn_to_page(p.pfn));
		}
	page_checks_enable();
	count(&airlock_counts.given_up, c->nlost);
	pr_crit("%lu pages at %lx are in doubt and given up\n",
		c->nlost, c->va);
}

void airlock_be_finish(struct airlock_call *c, bool done)
{
	if (!done) {
		if (c->nlost)
			quarantine(c);
		count(&airlock_counts.refused, 1);
		return;
	}
	count(&airlock_counts.converted, c->pages);
	if (c->by->converted)
		c->by->converted(c->to == AIRLOCK_TO_SHARED ?
				 (long)c->pages : -(long)c->pages);
}

/* ---- the call ---- */

static int to_errno(int status)
{
	return status == AIRLOCK_OK ? 0 : -EIO;
}

static int set_memory_by(const struct airlock_backend *by, unsigned long addr,
			 int numpages, bool enc)
{
	struct airlock_call c = {
		.by = by,
		.va = addr & PAGE_MASK, .pages = numpages,
		.to = enc ? AIRLOCK_TO_PRIVATE : AIRLOCK_TO_SHARED,
	};
	int ret;

	if (WARN_ONCE(addr & ~PAGE_MASK, "misaligned address: %#lx\n", addr) ||
	    numpages <= 0)
		return -EINVAL;
	c.lost = &c.few;
	if (c.pages > BITS_PER_LONG)
		c.lost = bitmap_alloc(c.pages, GFP_KERNEL);
	if (!c.lost)
		return -ENOMEM;
	ret = airlock_entries_prepare(&c);
	if (!ret)
		ret = to_errno(airlock_transition(&c, airlock_order));
	if (c.lost != &c.few)
		bitmap_free(c.lost);
	return ret > 0 ? 0 : ret;
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
	return set_memory_by(backend, addr, numpages, enc);
}

/* ---- which platform ---- */

static bool under_paravisor(void)
{
	return hv_is_isolation_supported() && ms_hyperv.paravisor_present &&
	       cc_platform_has(CC_ATTR_MEM_ENCRYPT);
}

/* SEV and SEV-ES have no page states: nothing there can hurt. */
static const struct airlock_backend *choose(void)
{
	if (IS_ENABLED(CONFIG_HYPERV) && hv_is_isolation_supported())
		return under_paravisor() ? &airlock_hyperv : NULL;
	if (IS_ENABLED(CONFIG_AMD_MEM_ENCRYPT) &&
	    cc_platform_has(CC_ATTR_GUEST_SEV_SNP)) {
		/* Under an SVSM it is the SVSM that executes PVALIDATE. */
		return snp_vmpl ? NULL : &airlock_snp;
	}
	if (IS_ENABLED(CONFIG_INTEL_TDX_GUEST) &&
	    cpu_feature_enabled(X86_FEATURE_TDX_GUEST))
		return &airlock_tdx;
	return NULL;
}

/* Before the first conversion; what comes earlier is not ours. */
void __init airlock_setup(void)
{
	const struct airlock_backend *b = choose();

	airlock_entries_init();
	if (b && airlock_window_init())
		pr_err("no memory: pages stay present while they convert\n");
	else
		backend = b;
}

void airlock_teardown(void)
{
	backend = NULL;
	airlock_window_exit();
}

bool airlock_can_convert(void)
{
	return backend;
}

#ifdef AIRLOCK_TEST
#include "test.c"
#endif
