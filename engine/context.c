// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The calls of airlock.h: a conversion from its arguments to its outcome, and
 * giving everything back before kexec. A context is made in config.c.
 *
 * A conversion:
 *
 *   arguments    no lock
 *   plan         lock; walk every page, check it, claim it in the ledger
 *   tables       unlock to allocate what splits need, lock, split; unlock
 *   transition   transition.c: from here on the pages are the call's alone
 *
 * Errors, in the order they are looked for: ARG, ORDER, CONTEXT; then for each
 * range EMPTY, ALIGN, WRAP, CANONICAL, WINDOW; then for each page, in the
 * order of the list, HOLE or TABLE, MEMORY, QUARANTINED or BUSY or OVERLAP or
 * STATE by the ledger, HOLE or STATE by its entry, and ALIAS; then NOMEM.
 * After any of them ledger and page tables are what they were.
 */

#include "engine.h"

static const char *const strings[] = {
	[AIRLOCK_OK] = "all is well",
	[AIRLOCK_E_ARG] = "a null or impossible argument",
	[AIRLOCK_E_EMPTY] = "no range, or a range of no pages",
	[AIRLOCK_E_ALIGN] = "an address is not aligned to 4K",
	[AIRLOCK_E_WRAP] = "a range wraps around the address space",
	[AIRLOCK_E_CANONICAL] = "an address is not canonical",
	[AIRLOCK_E_OVERLAP] = "the same page stands in the list twice",
	[AIRLOCK_E_HOLE] = "a page of the range is not mapped",
	[AIRLOCK_E_STATE] = "a page is in the wanted state already",
	[AIRLOCK_E_BUSY] = "a page is in another transition",
	[AIRLOCK_E_QUARANTINED] = "a page is in quarantine",
	[AIRLOCK_E_CONTEXT] = "called where conversions may not be made",
	[AIRLOCK_E_MEMORY] = "a page lies beyond the configured memory",
	[AIRLOCK_E_ORDER] = "not an order of steps",
	[AIRLOCK_E_WINDOW] = "a range meets the engine's window",
	[AIRLOCK_E_CALLBACK] = "a prepare or notify callback said no",
	[AIRLOCK_E_NOMEM] = "no page for a page table",
	[AIRLOCK_E_TABLE] = "a page table is malformed",
	[AIRLOCK_E_ALIAS] = "an alias maps other pages, or maps them otherwise",
	[AIRLOCK_E_REFUSED] = "the host refused",
	[AIRLOCK_E_STALLED] = "the host asked for retries without progress",
	[AIRLOCK_V_UNCHANGED] = "the host lied: PVALIDATE changed nothing",
	[AIRLOCK_V_PVALIDATE] = "the host lied: PVALIDATE failed",
	[AIRLOCK_V_PSC_HEADER] = "the host lied: page-state header is broken",
	[AIRLOCK_V_MAPGPA] = "the host lied: MapGPA's retry is out of range",
	[AIRLOCK_V_ACCEPT] = "the host lied: a page could not be accepted",
	[AIRLOCK_V_REPS] = "the host lied: reps completed is impossible",
	[AIRLOCK_V_CALLED_BACK] = "the host lied: an impossible answer",
};

const char *airlock_strerror(int status)
{
	const unsigned int n = sizeof(strings) / sizeof(strings[0]);

	if (status < 0 || (unsigned int)status >= n || !strings[status])
		return "an unknown status";
	return strings[status];
}

/* ---- arguments ---- */

static bool meets_window(const struct airlock *a, uint64_t va, uint64_t bytes)
{
	uint64_t size = a->cfg.cpus * AIRLOCK_WINDOW_STRIDE;

	return a->enc && va < a->cfg.window + size &&
	       va + bytes > a->cfg.window;
}

static int check_range(const struct airlock *a, const struct airlock_range *r)
{
	uint64_t bytes = r->pages << AIRLOCK_PAGE_SHIFT;

	if (!r->pages)
		return AIRLOCK_E_EMPTY;
	if (r->va % AIRLOCK_PAGE_SIZE)
		return AIRLOCK_E_ALIGN;
	if (airlock_wraps(r->va, r->pages))
		return AIRLOCK_E_WRAP;
	if (!airlock_canonical(&a->cfg, r->va, bytes))
		return AIRLOCK_E_CANONICAL;
	if (meets_window(a, r->va, bytes))
		return AIRLOCK_E_WINDOW;
	return AIRLOCK_OK;
}

static int check_arguments(const struct airlock *a,
			   const struct airlock_range *r, unsigned int n,
			   enum airlock_to to,
			   const struct airlock_order *order)
{
	int status = AIRLOCK_OK;
	unsigned int i;

	if (!a || (n && !r) ||
	    (to != AIRLOCK_TO_PRIVATE && to != AIRLOCK_TO_SHARED))
		return AIRLOCK_E_ARG;
	if (order != &airlock_default_order &&
	    (!order || airlock_order_check(order)))
		return AIRLOCK_E_ORDER;
	if (!airlock_port_may_convert())
		return AIRLOCK_E_CONTEXT;
	if (!n)
		return AIRLOCK_E_EMPTY;
	for (i = 0; i < n && !status; i++)
		status = check_range(a, &r[i]);
	return status;
}

/* ---- plan: all under the lock ---- */

/* Give back the claims of the first @pages positions. */
static RARE void unclaim(struct airlock_call *c)
{
	const struct airlock_run *run;
	struct airlock_runs it;

	airlock_runs_begin(&it, c);
	while ((run = airlock_runs_next(&it)))
		airlock_ledger_set(c->a, run->gpa, run->pages,
				   airlock_old_state(c));
}

/*
 * A page of @run is not in the old state. If it is in TRANSITION, by whom? By
 * this call when it is not any more once this call's claims are back: that
 * holds for two linear addresses of one page, too.
 */
static RARE int why_not(struct airlock_call *c, const struct airlock_run *run,
			enum airlock_page odd)
{
	if (odd == AIRLOCK_PAGE_QUARANTINE)
		return AIRLOCK_E_QUARANTINED;
	if (odd != AIRLOCK_PAGE_TRANSITION)
		return AIRLOCK_E_STATE;
	unclaim(c);
	c->pages = 0;
	c->nruns = 0;
	if (airlock_ledger_all(c->a, run->gpa, run->pages,
			       airlock_old_state(c), &odd) ||
	    odd != AIRLOCK_PAGE_TRANSITION)
		return AIRLOCK_E_OVERLAP;
	return AIRLOCK_E_BUSY;
}

static bool splits_leaf(const struct airlock_run *run)
{
	uint64_t leaf = airlock_leaf_pages(run->level);

	return (run->va >> AIRLOCK_PAGE_SHIFT | run->pages) & (leaf - 1);
}

/* An entry, present and with the attribute of the old state? */
static int check_entry(const struct airlock_call *c, uint64_t entry)
{
	if (!(entry & PTE_P))
		return AIRLOCK_E_HOLE;
	if (airlock_entry_shared(c->a, entry) == (c->to == AIRLOCK_TO_SHARED))
		return AIRLOCK_E_STATE;
	return AIRLOCK_OK;
}

/* Does the port's alias map pages of the run, and as the run is mapped? */
static RARE int check_alias(struct airlock_call *c,
			    const struct airlock_run *run,
			    const struct airlock_range *alias)
{
	uint64_t bytes = run->pages << AIRLOCK_PAGE_SHIFT, off;
	struct airlock_run part = { 0 };

	if (check_range(c->a, alias) ||
	    (alias->va < run->va + bytes &&
	     run->va < alias->va + (alias->pages << AIRLOCK_PAGE_SHIFT)))
		return AIRLOCK_E_ALIAS;
	for (off = 0; off < alias->pages; off += part.pages) {
		if (airlock_pt_run(c->a, alias->va +
				   (off << AIRLOCK_PAGE_SHIFT),
				   alias->pages - off, &part) ||
		    check_entry(c, part.entry) || part.gpa < run->gpa ||
		    part.gpa + (part.pages << AIRLOCK_PAGE_SHIFT) >
		    run->gpa + bytes)
			return AIRLOCK_E_ALIAS;
		c->partial |= splits_leaf(&part);
		c->split |= part.split;
	}
	return AIRLOCK_OK;
}

static int check_aliases(struct airlock_call *c, const struct airlock_run *run)
{
	struct airlock_range alias;
	int status = AIRLOCK_OK;
	unsigned int i;

	if (c->solo)
		return AIRLOCK_OK;
	for (i = 0; !status && airlock_port_alias(run->va, run->gpa,
						  run->pages, i, &alias); i++) {
		c->aliased = true;
		status = check_alias(c, run, &alias);
	}
	return status;
}

static int plan_run(struct airlock_call *c, const struct airlock_run *run)
{
	enum airlock_page odd;
	uint64_t memory = c->a->cfg.memory;
	int status;

	if (run->gpa >= memory ||
	    run->pages > (memory - run->gpa) >> AIRLOCK_PAGE_SHIFT)
		return run->entry & PTE_P ? AIRLOCK_E_MEMORY : AIRLOCK_E_HOLE;
	if (!airlock_ledger_all(c->a, run->gpa, run->pages,
				airlock_old_state(c), &odd)) {
		status = why_not(c, run, odd);
		if (status == AIRLOCK_E_STATE && !(run->entry & PTE_P))
			status = AIRLOCK_E_HOLE;
		return status;
	}
	status = check_entry(c, run->entry);
	if (!status)
		status = check_aliases(c, run);
	if (status)
		return status;
	airlock_ledger_set(c->a, run->gpa, run->pages,
			   AIRLOCK_PAGE_TRANSITION);
	c->partial |= splits_leaf(run);
	c->split |= run->split;
	return AIRLOCK_OK;
}

/* Remember a run, if there is room: it stands in its place already. */
static void remember(struct airlock_call *c, unsigned int range, uint64_t off,
		     const struct airlock_run *run)
{
	if (c->nruns == CALL_RUNS)
		return;
	c->nruns++;
	c->next_range = range;
	c->next_off = off + run->pages;
	c->next_pos = run->pos + run->pages;
}

/* Go over all ranges; @check and claim, or only remember what is there. */
static int plan(struct airlock_call *c, bool check)
{
	struct airlock_run more, *run;
	unsigned int i;
	uint64_t off, pos = 0;
	int status;

	for (i = 0; i < c->n; i++) {
		const struct airlock_range *r = &c->r[i];

		for (off = 0; off < r->pages; off += run->pages) {
			run = c->nruns < CALL_RUNS ? &c->run[c->nruns] : &more;
			run->pos = pos;
			status = airlock_pt_run(c->a, r->va +
						(off << AIRLOCK_PAGE_SHIFT),
						r->pages - off, run);
			if (!status && check)
				status = plan_run(c, run);
			if (status)
				return status;
			remember(c, i, off, run);
			pos += run->pages;
			if (check)
				c->pages = pos;
			else if (c->nruns == CALL_RUNS)
				return AIRLOCK_OK;
		}
	}
	return AIRLOCK_OK;
}

/* ---- tables for splits ---- */

/* Call @f with both ends of every range and alias. */
static void each_edge(struct airlock_call *c,
		      void (*f)(struct airlock_call *c, uint64_t va,
				void *arg), void *arg)
{
	const struct airlock_run *run;
	struct airlock_range alias;
	struct airlock_runs it;
	unsigned int i;

	for (i = 0; i < c->n; i++) {
		f(c, c->r[i].va, arg);
		f(c, c->r[i].va + (c->r[i].pages << AIRLOCK_PAGE_SHIFT), arg);
	}
	if (!c->aliased)
		return;
	airlock_runs_begin(&it, c);
	while ((run = airlock_runs_next(&it))) {
		for (i = 0; airlock_port_alias(run->va, run->gpa, run->pages,
					       i, &alias); i++) {
			f(c, alias.va, arg);
			f(c, alias.va + (alias.pages << AIRLOCK_PAGE_SHIFT),
			  arg);
		}
	}
}

struct need {
	uint64_t tables;
	uint64_t seen[2];
};

static void edge_count(struct airlock_call *c, uint64_t va, void *arg)
{
	struct need *need = arg;

	need->tables += airlock_pt_edge(c->a, va, need->seen);
}

static void edge_split(struct airlock_call *c, uint64_t va, void *arg)
{
	(void)arg;
	airlock_pt_split(c, va);
}

/* Tables missing. Caller holds the lock. */
static uint64_t missing(struct airlock_call *c)
{
	struct need need = { .seen = { UINT64_MAX, UINT64_MAX } };

	each_edge(c, edge_count, &need);
	return need.tables > c->spares ? need.tables - c->spares : 0;
}

static void free_spares(struct airlock_call *c)
{
	while (c->spares) {
		uint64_t pa = airlock_spare_take(c);

		airlock_port_pte_write(pa, 0);
		airlock_port_table_free(pa);
	}
}

static bool alloc_spares(struct airlock_call *c, uint64_t n)
{
	for (; n; n--) {
		uint64_t pa = airlock_port_table_alloc();

		if (pa == AIRLOCK_NO_PAGE)
			return false;
		airlock_spare_put(c, pa);
	}
	return true;
}

/*
 * Split what is covered in part. Called with the lock held, returns without
 * it. Pages are allocated without the lock, so the need is counted again:
 * others may have split the same leaf for their own pages, or the kernel may
 * have joined one. It cannot be more than 4 for each range and alias, so this
 * ends.
 */
static RARE int make_splits(struct airlock_call *c)
{
	uint64_t n;

	c->split = true;
	while ((n = missing(c))) {
		airlock_port_unlock();
		if (!alloc_spares(c, n)) {
			airlock_port_lock();
			unclaim(c);
			/* Neighbours may have found us in the way. */
			airlock_call_join(c);
			airlock_port_unlock();
			free_spares(c);
			return AIRLOCK_E_NOMEM;
		}
		airlock_port_lock();
	}
	each_edge(c, edge_split, NULL);
	c->nruns = 0;
	c->next_range = 0;
	c->next_off = c->next_pos = 0;
	plan(c, false);
	airlock_port_unlock();
	free_spares(c);
	return AIRLOCK_OK;
}

/* Check and claim all pages and split for them. On failure all is as before. */
static int claim(struct airlock_call *c)
{
	int status;

	airlock_port_lock();
	status = plan(c, true);
	if (!status && c->partial && c->solo)
		status = AIRLOCK_E_STATE;
	if (status)
		unclaim(c);
	if (!status && c->partial)
		return make_splits(c);
	airlock_port_unlock();
	return status;
}

/* ---- conversions ---- */

static void count_outcome(const struct airlock_call *c, int status,
			  struct airlock_outcome *out)
{
	const struct airlock_run *run;
	struct airlock_runs it;

	if (!status) {
		out->converted += c->pages;
		return;
	}
	out->reverted += c->pages;
	if (!c->quarantine)
		return;
	airlock_runs_begin(&it, c);
	while ((run = airlock_runs_next(&it))) {
		uint64_t n = airlock_ledger_count(c->a, run->gpa, run->pages,
						  AIRLOCK_PAGE_QUARANTINE);

		out->quarantined += n;
		out->reverted -= n;
	}
}

static int convert(struct airlock_call *c, const struct airlock_order *order,
		   struct airlock_outcome *out)
{
	int status = claim(c);

	if (status)
		return status;
	c->nstages = airlock_ops(c->a)->stages(c->a, c->to, &c->stages);
	status = airlock_transition(c, order);
	count_outcome(c, status, out);
	return status;
}

/* All but the runs: a compiler would call memset() for those, and there may
 * be none. */
static void call_init(struct airlock_call *c, struct airlock *a,
		      const struct airlock_range *r, unsigned int n,
		      enum airlock_to to)
{
	c->a = a;
	c->r = r;
	c->n = n;
	c->to = to;
	c->aliased = c->partial = c->split = c->solo = false;
	c->prepared = c->lied = c->quarantine = false;
	c->stage = c->nstages = c->nruns = c->next_range = 0;
	c->stages = NULL;
	c->done = c->doubt = c->pages = 0;
	c->spare = c->spares = c->next_off = c->next_pos = 0;
}

int airlock_convert_order(struct airlock *a, const struct airlock_range *r,
			  unsigned int n, enum airlock_to to,
			  const struct airlock_order *order,
			  struct airlock_outcome *out)
{
	struct airlock_outcome o = { 0 };
	struct airlock_call c;

	call_init(&c, a, r, n, to);
	o.status = check_arguments(a, r, n, to, order);
	if (!o.status && a->cfg.platform != AIRLOCK_PLAIN)
		o.status = convert(&c, order, &o);
	if (out)
		*out = o;
	return o.status;
}

int airlock_convert(struct airlock *a, const struct airlock_range *r,
		    unsigned int n, enum airlock_to to,
		    struct airlock_outcome *out)
{
	return airlock_convert_order(a, r, n, to, &airlock_default_order, out);
}

/* One run of shared pages, at the direct map. A call is 600 bytes of stack: not
 * in the frame of a function that calls itself. */
static NOINLINE int reclaim(struct airlock *a, uint64_t gpa, uint64_t pages,
		   struct airlock_outcome *out)
{
	struct airlock_range r = { a->cfg.direct_map + gpa, pages };
	struct airlock_call c;

	call_init(&c, a, &r, 1, AIRLOCK_TO_PRIVATE);
	c.solo = true;
	return convert(&c, &airlock_default_order, out);
}

/*
 * What could not even be claimed, in smaller parts: by chunk, then by page. A
 * page that is not where the ledger looks for it must not keep its neighbours
 * shared. Return: the first failure of a part.
 */
static int reclaim_parts(struct airlock *a, uint64_t gpa, uint64_t pages,
			 uint64_t unit, struct airlock_outcome *out)
{
	int first = AIRLOCK_OK, status;
	uint64_t n;

	for (; pages; pages -= n, gpa += n << AIRLOCK_PAGE_SHIFT) {
		n = unit - (gpa >> AIRLOCK_PAGE_SHIFT) % unit;
		if (n > pages)
			n = pages;
		status = reclaim(a, gpa, n, out);
		if (n > 1 && status && status < AIRLOCK_E_CALLBACK)
			status = reclaim_parts(a, gpa, n, 1, out);
		if (!first)
			first = status;
	}
	return first;
}

int airlock_reclaim_all(struct airlock *a, struct airlock_outcome *out)
{
	struct airlock_outcome o = { 0 };
	uint64_t gpa = 0, pages;

	if (!a)
		o.status = AIRLOCK_E_ARG;
	while (a && airlock_next(a, AIRLOCK_PAGE_SHARED, &gpa, &pages)) {
		int status = reclaim(a, gpa, pages, &o);

		if (status && status < AIRLOCK_E_CALLBACK)
			status = reclaim_parts(a, gpa, pages,
					       AIRLOCK_PAGES_2M, &o);
		if (!o.status)
			o.status = status;
		gpa += pages << AIRLOCK_PAGE_SHIFT;
	}
	if (out)
		*out = o;
	return o.status;
}
