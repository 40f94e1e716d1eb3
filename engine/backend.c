// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What transition.c asks for, done with x86-64 page tables: runs, passes,
 * the shootdown, the cache flush, and the end of a call. The host's part is
 * in host.c.
 */

#include "engine.h"

/* The next of the runs behind those that are remembered. */
const struct airlock_run *airlock_runs_walk(struct airlock_runs *it)
{
	const struct airlock_call *c = it->c;
	const struct airlock_range *r;

	if (it->i == c->nruns) {
		it->i++;
		it->range = c->next_range;
		it->off = c->next_off;
		it->pos = c->next_pos;
	}
	if (it->pos == c->pages)
		return NULL;
	if (it->off == c->r[it->range].pages) {
		it->range++;
		it->off = 0;
	}
	r = &c->r[it->range];
	it->buf.pos = it->pos;
	if (airlock_pt_run(c->a, r->va + (it->off << AIRLOCK_PAGE_SHIFT),
			   r->pages - it->off, &it->buf))
		return NULL;
	it->off += it->buf.pages;
	it->pos += it->buf.pages;
	return &it->buf;
}

/* Call @f for every alias of a run. */
static RARE void each_alias(struct airlock_call *c,
			    const struct airlock_run *run,
			    void (*f)(struct airlock_call *c, void *arg,
				      const struct airlock_range *r),
			    void *arg)
{
	struct airlock_range alias;
	unsigned int i;

	for (i = 0; airlock_port_alias(run->va, run->gpa, run->pages, i,
				       &alias); i++)
		f(c, arg, &alias);
}

void airlock_be_alias(struct airlock_call *c)
{
	/* It may sleep, or flush elsewhere: not before kexec. */
	if (!c->solo)
		airlock_port_unmap_aliases(c->r, c->n);
}

/* ---- passes ---- */

struct pass {
	uint64_t bits;		/* PRESENT and attribute, as they will be */
	bool certain;		/* leave out what is in quarantine */
};

static void pass_run(struct airlock_call *c, const struct airlock_run *run,
		     const struct pass *p)
{
	const struct airlock *a = c->a;
	uint64_t e = (run->entry & ~(a->enc | PTE_P)) | p->bits | PTE_A;

	if (e & PTE_RW)
		e |= PTE_D;
	airlock_pt_write(a, run, e, p->certain);
}

static void pass_alias(struct airlock_call *c, void *arg,
		       const struct airlock_range *r)
{
	struct airlock_run run;
	uint64_t off;

	for (off = 0; off < r->pages; off += run.pages) {
		if (airlock_pt_run(c->a, r->va + (off << AIRLOCK_PAGE_SHIFT),
				   r->pages - off, &run))
			return;
		pass_run(c, &run, arg);
	}
}

void airlock_be_pass(struct airlock_call *c, bool present, bool flipped)
{
	bool shared = (c->to == AIRLOCK_TO_SHARED) == flipped;
	struct pass p = {
		.bits = airlock_enc(c->a, shared) | (present ? PTE_P : 0),
		.certain = present && c->quarantine,
	};
	const struct airlock_run *run;
	struct airlock_runs it;

	airlock_runs_begin(&it, c);
	while ((run = airlock_runs_next(&it))) {
		pass_run(c, run, &p);
		if (c->aliased)
			each_alias(c, run, pass_alias, &p);
	}
}

/* ---- the shootdown ---- */

struct flush_list {
	unsigned int n;
	bool all;
	struct airlock_flush f[FLUSH_RANGES];
};

static void flush_add(struct flush_list *l, uint64_t va, uint64_t pages)
{
	struct airlock_flush *last = l->n ? &l->f[l->n - 1] : NULL;

	if (last && last->va + (last->pages << AIRLOCK_PAGE_SHIFT) == va)
		last->pages += pages;
	else if (l->n == FLUSH_RANGES)
		l->all = true;
	else
		l->f[l->n++] = (struct airlock_flush){ va, pages };
}

static void flush_alias(struct airlock_call *c, void *arg,
			const struct airlock_range *r)
{
	(void)c;
	flush_add(arg, r->va, r->pages);
}

static RARE void flush_aliases(struct airlock_call *c, struct flush_list *l)
{
	const struct airlock_run *run;
	struct airlock_runs it;

	airlock_runs_begin(&it, c);
	while (!l->all && (run = airlock_runs_next(&it)))
		each_alias(c, run, flush_alias, l);
}

/* Take over all retired tables: whoever flushes them frees them. */
static RARE unsigned int take_retired(struct airlock *a,
				      struct airlock_retired *mine)
{
	unsigned int i, n;

	airlock_port_lock();
	n = a->nretired;
	for (i = 0; i < n; i++) {
		mine[i] = a->retired[i];
		a->retired[i] = (struct airlock_retired){ 0 };
	}
	__atomic_store_n(&a->nretired, 0, __ATOMIC_RELAXED);
	airlock_port_unlock();
	return n;
}

/* All other CPUs are stopped: drop what this one holds. */
static RARE void flush_here(struct airlock_call *c)
{
	const struct airlock_run *run;
	struct airlock_runs it;
	uint64_t i, leaf;

	airlock_runs_begin(&it, c);
	while ((run = airlock_runs_next(&it))) {
		leaf = airlock_leaf_pages(run->level);
		for (i = 0; i < run->pages; i += leaf)
			airlock_port_invlpg(run->va +
					    (i << AIRLOCK_PAGE_SHIFT));
	}
}

void airlock_be_tlb(struct airlock_call *c)
{
	struct airlock_retired retired[RETIRED];
	struct flush_list l;
	unsigned int i, n = 0;

	if (c->solo) {
		flush_here(c);
		return;
	}
	/* Unlocked look: one that is missed waits for the next shootdown. */
	if (__atomic_load_n(&c->a->nretired, __ATOMIC_RELAXED))
		n = take_retired(c->a, retired);
	l.n = 0;
	l.all = false;
	for (i = 0; i < c->n && !l.all; i++)
		flush_add(&l, c->r[i].va, c->r[i].pages);
	if (c->aliased)
		flush_aliases(c, &l);
	for (i = 0; i < n && !l.all; i++)
		flush_add(&l, retired[i].va, retired[i].pages);
	airlock_port_shootdown(l.all ? NULL : l.f, l.all ? 0 : l.n);
	for (i = 0; i < n; i++)
		airlock_port_table_free(retired[i].pa);
}

/* ---- the cache ---- */

void airlock_be_cache(struct airlock_call *c, bool window)
{
	bool shared = c->to == AIRLOCK_TO_PRIVATE;
	struct airlock_pieces it;
	unsigned int cpu;
	uint64_t n, va;

	if (!airlock_ops(c->a)->cache_flush(c->a, c->to))
		return;
	airlock_pieces_begin(&it, c, NULL);
	for (; airlock_pieces_more(&it); airlock_pieces_take(&it, n)) {
		n = airlock_chunk(&it.p);
		if (!window) {
			airlock_port_cache_flush(it.p.va, n);
			continue;
		}
		cpu = airlock_port_pin();
		va = airlock_window_open(c->a, cpu, it.p.gpa, n, shared);
		airlock_port_cache_flush(va, n);
		airlock_window_close(c->a, cpu, it.p.gpa, n);
		airlock_port_unpin();
	}
}

/* ---- the end ---- */

/* Pages that were claimed and are not in quarantine. */
static RARE void release_certain(struct airlock *a,
				 const struct airlock_run *run,
				 enum airlock_page state)
{
	uint64_t i, gpa = run->gpa;

	for (i = 0; i < run->pages; i++, gpa += AIRLOCK_PAGE_SIZE)
		if (airlock_page(a, gpa) == AIRLOCK_PAGE_TRANSITION)
			airlock_ledger_set(a, gpa, 1, state);
}

static void join_alias(struct airlock_call *c, void *arg,
		       const struct airlock_range *r)
{
	(void)arg;
	airlock_pt_join(c->a, r->va, r->pages);
}

/*
 * Join what this call, or an earlier one, split. Caller holds the lock.
 * c->split was found out while claiming, and cannot have changed: to split a
 * leaf others need a page in it that is theirs.
 */
void airlock_call_join(struct airlock_call *c)
{
	const struct airlock_run *run;
	struct airlock_runs it;
	unsigned int i;

	if (!c->split || c->a->cfg.features & AIRLOCK_F_NO_REJOIN)
		return;
	if (c->aliased) {
		airlock_runs_begin(&it, c);
		while ((run = airlock_runs_next(&it)))
			each_alias(c, run, join_alias, NULL);
	}
	for (i = 0; i < c->n; i++)
		airlock_pt_join(c->a, c->r[i].va, c->r[i].pages);
}

void airlock_be_finish(struct airlock_call *c, bool done)
{
	enum airlock_page state = done ? airlock_new_state(c) :
				  airlock_old_state(c);
	const struct airlock_run *run;
	struct airlock_runs it;

	airlock_port_lock();
	airlock_runs_begin(&it, c);
	while ((run = airlock_runs_next(&it))) {
		if (c->quarantine)
			release_certain(c->a, run, state);
		else
			airlock_ledger_set(c->a, run->gpa, run->pages, state);
	}
	if (!c->solo)
		airlock_call_join(c);
	airlock_port_unlock();
}
