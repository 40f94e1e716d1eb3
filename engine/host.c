// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What the host has been asked for, how far it came, and taking it back.
 *
 * Each platform and direction is a list of stages; all pages go through one
 * before any begins the next. A call therefore needs three numbers to know
 * what the host holds of every page, in positions:
 *
 *   0          done         doubt          pages
 *   |  stage+1   |     ?      |    stage     |
 *
 * where a page "at n" has n stages behind it. Between done and doubt nobody
 * knows: the host failed half way, or lied.
 *
 * On the way back each page takes the stages behind it in reverse, a chunk at
 * a time. Pages in doubt take the failed stage's way back too, since it makes
 * certain what is not: a host that says "shared" after "private failed" is
 * then asked for what the entries will say. Not after a lie: then those pages
 * are quarantined without asking again. Whatever fails on the way back is
 * quarantined; the ledger remembers it, page by page.
 */

#include "engine.h"

const struct airlock_platform_ops *const
airlock_platform_ops[AIRLOCK_PLATFORMS] = {
	[AIRLOCK_PLAIN] = &airlock_plain_ops,
	[AIRLOCK_SEV] = &airlock_sev_ops,
	[AIRLOCK_SNP] = &airlock_snp_ops,
	[AIRLOCK_TDX] = &airlock_tdx_ops,
	[AIRLOCK_VTOM] = &airlock_hv_ops,
	[AIRLOCK_TDP] = &airlock_hv_ops,
};

/* ---- jobs ---- */

int airlock_job_failed(struct airlock_job *j, int status, uint64_t done,
		       uint64_t doubt)
{
	j->done = done;
	j->doubt = doubt;
	return status;
}

int airlock_job_lie(struct airlock_job *j, int status, uint64_t gpa,
		    uint64_t pages, uint64_t detail)
{
	j->v = (struct airlock_violation){ status, gpa, pages, detail };
	return status;
}

static int do_work(struct airlock_job *j, enum airlock_work work)
{
	int status = airlock_ops(j->c->a)->work(j, work);

	if (j->v.status)
		airlock_port_violation(&j->v);
	return status;
}

/* ---- forward ---- */

static NOINLINE int run_stage(struct airlock_call *c, bool window)
{
	struct airlock_job j = { .c = c, .window = window };
	int status = do_work(&j, c->stages[c->stage].work);

	if (status) {
		c->done = j.done;
		c->doubt = j.doubt;
		c->lied = j.v.status;
		return status;
	}
	c->stage++;
	return AIRLOCK_OK;
}

/* All stages up to where prepare, or notify, ends. */
static int advance(struct airlock_call *c, bool notify, bool window)
{
	int status = AIRLOCK_OK;

	while (!status && c->stage < c->nstages &&
	       c->stages[c->stage].notify <= notify)
		status = run_stage(c, window);
	return status;
}

static RARE int call_back(const struct airlock_call *c,
			  int (*f)(void *cookie, const struct airlock_range *r,
				   unsigned int n, enum airlock_to to))
{
	return f(c->a->cfg.cookie, c->r, c->n, c->to) ? AIRLOCK_E_CALLBACK :
	       AIRLOCK_OK;
}

int airlock_be_prepare(struct airlock_call *c, bool window)
{
	const struct airlock_config *cfg = &c->a->cfg;
	int status = advance(c, false, window);

	c->prepared = true;
	if (!status && cfg->prepare)
		status = call_back(c, cfg->prepare);
	return status;
}

int airlock_be_notify(struct airlock_call *c, bool window)
{
	const struct airlock_config *cfg = &c->a->cfg;
	int status = AIRLOCK_OK;

	if (!c->prepared)
		status = airlock_be_prepare(c, window);
	if (!status)
		status = advance(c, true, window);
	if (!status && cfg->notify)
		status = call_back(c, cfg->notify);
	return status;
}

/* ---- back ---- */

static void quarantine(struct airlock_call *c, uint64_t gpa, uint64_t pages)
{
	if (!pages)
		return;
	airlock_port_lock();
	airlock_ledger_set(c->a, gpa, pages, AIRLOCK_PAGE_QUARANTINE);
	airlock_port_unlock();
	c->quarantine = true;
}

/* Take @n stages back from the pages of one piece. */
static void undo_piece(struct airlock_call *c, struct airlock_piece p,
		       unsigned int n, bool in_doubt)
{
	if (in_doubt && c->lied) {
		quarantine(c, p.gpa, p.pages);
		return;
	}
	for (; n && p.pages; n--, in_doubt = false) {
		struct airlock_job j = {
			.c = c, .only = &p, .window = true,
			.in_doubt = in_doubt,
		};
		uint64_t kept;

		if (!do_work(&j, c->stages[n - 1].back))
			continue;
		kept = j.done - p.pos;
		quarantine(c, p.gpa + (kept << AIRLOCK_PAGE_SHIFT),
			   p.pages - kept);
		p.pages = kept;
	}
}

/* The part of @p that lies in positions @from..@to. */
static struct airlock_piece clip(struct airlock_piece p, uint64_t from,
				 uint64_t to)
{
	uint64_t end = p.pos + p.pages, skip = 0;

	if (p.pos < from)
		skip = from < end ? from - p.pos : p.pages;
	if (end > to)
		p.pages = to > p.pos ? to - p.pos : 0;
	if (skip > p.pages)
		skip = p.pages;
	p.va += skip << AIRLOCK_PAGE_SHIFT;
	p.gpa += skip << AIRLOCK_PAGE_SHIFT;
	p.pos += skip;
	p.pages -= skip;
	return p;
}

/*
 * A leaf cannot be half present: if one of its pages is in quarantine, all
 * are. Leaves of ranges and of aliases are aligned and so nest: one look at
 * each marks all that the largest one around a lost page maps.
 */
static void widen(struct airlock_call *c, uint64_t va, uint64_t pages)
{
	struct airlock_run run = { 0 };
	uint64_t leaf, off, i;

	for (off = 0; off < pages; off += run.pages) {
		if (airlock_pt_run(c->a, va + (off << AIRLOCK_PAGE_SHIFT),
				   pages - off, &run))
			return;
		leaf = airlock_leaf_pages(run.level);
		if (leaf == 1)
			continue;
		for (i = 0; i < run.pages; i += leaf) {
			uint64_t gpa = run.gpa + (i << AIRLOCK_PAGE_SHIFT);

			if (airlock_ledger_count(c->a, gpa, leaf,
						 AIRLOCK_PAGE_QUARANTINE))
				quarantine(c, gpa, leaf);
		}
	}
}

static void widen_all(struct airlock_call *c)
{
	const struct airlock_run *run;
	struct airlock_range alias;
	struct airlock_runs it;
	unsigned int i;

	for (i = 0; i < c->n; i++)
		widen(c, c->r[i].va, c->r[i].pages);
	if (!c->aliased)
		return;
	airlock_runs_begin(&it, c);
	while ((run = airlock_runs_next(&it)))
		for (i = 0; airlock_port_alias(run->va, run->gpa, run->pages,
					       i, &alias); i++)
			widen(c, alias.va, alias.pages);
}

void airlock_be_undo(struct airlock_call *c)
{
	struct airlock_pieces it;
	struct airlock_piece p;
	uint64_t n;

	if (!c->stage && !c->doubt)
		return;
	airlock_pieces_begin(&it, c, NULL);
	for (; airlock_pieces_more(&it); airlock_pieces_take(&it, n)) {
		n = airlock_chunk(&it.p);
		p = it.p;
		p.pages = n;
		undo_piece(c, clip(p, 0, c->done), c->stage + 1, false);
		undo_piece(c, clip(p, c->done, c->doubt), c->stage + 1, true);
		undo_piece(c, clip(p, c->doubt, c->pages), c->stage, false);
	}
	if (c->quarantine)
		widen_all(c);
}
