// SPDX-License-Identifier: GPL-2.0
/*
 * What all workloads share: the orders, one conversion with everything that
 * is checked around it, the report, and the end.
 */
#include "kernel.h"

struct totals totals;
bool asking;			/* readers are asked what they hold */
struct airlock_order order[2];

static const char *order_name[2];
static u32 failures;
static u8 states[4096];

/* A fact that should be true is not. The run goes on, to tell more. */
void fail(const char *fmt, ...)
{
	u32 n = __atomic_add_fetch(&failures, 1, __ATOMIC_SEQ_CST);
	char text[160];
	va_list ap;

	if (n > 8 || host_misbehaved())
		return;
	va_start(ap, fmt);
	vformat(text, sizeof(text), fmt, ap);
	va_end(ap);
	say("FAILED: %s", text);
}

/* ---- orders ---- */

static void order_set(enum airlock_to to, const char *text)
{
	size_t where = 0;

	order_name[to] = text;
	if (airlock_order_named(text, engine_platform(), to, &order[to]) &&
	    airlock_order_parse(text, &order[to], &where))
		panic("not an order, at %lu: '%s'", where, text);
}

/* order=X for both directions, or to=shared, to=private for one; the other
 * direction goes by the default order. */
void orders_init(void)
{
	const char *text = option("order"), *to = option("to");

	for (enum airlock_to t = 0; t < 2; t++)
		order_set(t, text && (!to || text_is(to, "both") ||
				      text_is(to, t ? "shared" : "private")) ?
			  text : "airlock");
}

/* Do the entries say, when notify returns, that nothing is mapped? Then no TLB
 * may say otherwise; whether one does, readers are asked. */
bool order_closes(const struct airlock_order *o)
{
	bool present = true;

	for (unsigned int i = 0; i < o->nsteps; i++) {
		switch (o->step[i] & ~AIRLOCK_STEP_WINDOW) {
		case AIRLOCK_STEP_NP:
		case AIRLOCK_STEP_NP_FLIP:
			present = false;
			break;
		case AIRLOCK_STEP_PRESENT:
		case AIRLOCK_STEP_FLIP_PRESENT:
			present = true;
			break;
		case AIRLOCK_STEP_NOTIFY:
			return !present;
		default:
			break;
		}
	}
	return false;
}

bool order_has(const struct airlock_order *o, uint8_t step)
{
	for (unsigned int i = 0; i < o->nsteps; i++)
		if (o->step[i] == step)
			return true;
	return false;
}

/* ---- a conversion ---- */

/* By CPU: what it converts, for the callback. */
static const struct job *current[MAX_CPUS];

/* The engine calls back after notify: is the airlock closed? Readers of a
 * CPU's own area are asked. */
int closed(void *cookie, const struct airlock_range *r, unsigned int n,
	   enum airlock_to to)
{
	unsigned int id = this_cpu()->id;

	(void)cookie;
	(void)r;
	(void)n;
	if (asking && current[id] && order_closes(&order[to]))
		ask_readers(id, current[id], ASK_CLOSED);
	return 0;
}

static void count_outcome(const struct airlock_outcome *o)
{
	__atomic_fetch_add(&totals.calls, 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&totals.pages, o->converted, __ATOMIC_RELAXED);
	__atomic_fetch_add(&totals.quarantined, o->quarantined,
			   __ATOMIC_RELAXED);
	if (o->status)
		__atomic_fetch_add(&totals.refused, 1, __ATOMIC_RELAXED);
}

static void check_outcome(const struct job *j, const struct airlock_outcome *o)
{
	u64 sum = o->converted + o->reverted + o->quarantined;

	if (o->status < AIRLOCK_E_REFUSED && o->status)
		fail("%s: %s", j->name, airlock_strerror(o->status));
	else if (o->status >= AIRLOCK_E_REFUSED &&
		 !call1(CVM_COUNTER, CVM_N_HOST_REFUSED) && !host_misbehaved())
		fail("%s: %s, by an honest host", j->name,
		     airlock_strerror(o->status));
	if (o->status && o->converted)
		fail("%s failed and converted %lu pages", j->name,
		     o->converted);
	if (sum && sum != j->pages)
		fail("%s: the outcome is of %lu pages", j->name, sum);
}

/*
 * Convert a job's pages to where they are not. @lazy: the alias is given back
 * before, but not unmapped.
 * Return: false when they are in several states, or lost: nothing was done.
 */
bool convert_job(const struct job *j, bool lazy)
{
	unsigned int id = this_cpu()->id;
	struct airlock_outcome out;
	enum airlock_page state;
	enum airlock_to to;

	if (!job_state(j, &state) || state > AIRLOCK_PAGE_SHARED)
		return false;
	to = state == AIRLOCK_PAGE_PRIVATE ? AIRLOCK_TO_SHARED :
	     AIRLOCK_TO_PRIVATE;
	if (asking)
		ask_readers(id, j, ASK_TOUCH);
	if (lazy)
		vunmap_lazily(j->alias[0].va, 8);
	current[id] = j;
	airlock_convert_order(engine, j->r, j->n, to, &order[to],
			      &out);
	current[id] = NULL;
	count_outcome(&out);
	check_outcome(j, &out);
	if (!out.status)
		check_contents(j, to);
	return true;
}

/* ---- the report ---- */

/* Is what the ledger believes of a page what the machine knows? */
static bool agree(enum airlock_page believed, unsigned int state)
{
	if (state & CVM_STATE_BY_HOST || believed == AIRLOCK_PAGE_QUARANTINE)
		return true;
	state &= CVM_STATE_MASK;
	return believed == AIRLOCK_PAGE_SHARED ? state == CVM_STATE_SHARED :
	       believed == AIRLOCK_PAGE_PRIVATE && state == CVM_STATE_PRIVATE;
}

static void compare_page(u64 gpa, unsigned int state, u64 count[4])
{
	enum airlock_page p = airlock_page(engine, gpa);

	count[p]++;
	if (!agree(p, state) && !own_page(gpa))
		fail("page %lx: the ledger says %u, the machine %u", gpa,
		     (unsigned int)p, state);
}

/* A page in quarantine must be mapped nowhere. */
static void check_quarantine(void)
{
	u64 gpa = 0, pages, v;

	while (airlock_next(engine, AIRLOCK_PAGE_QUARANTINE, &gpa, &pages)) {
		for (; pages; pages--, gpa += PAGE)
			if (probe(DIRECT + gpa, &v))
				fail("page %lx is in quarantine and mapped",
				     gpa);
	}
}

static void compare_states(void)
{
	u64 count[4] = { 0 }, gpa, n, i;

	for (gpa = CVM_RAM_BASE; gpa < ram_end; gpa += n * PAGE) {
		n = (ram_end - gpa) / PAGE;
		if (n > sizeof(states))
			n = sizeof(states);
		cvm_call4(CVM_PAGE_STATES, gpa, n, (u64)states, 0);
		for (i = 0; i < n; i++)
			compare_page(gpa + i * PAGE, states[i], count);
	}
	if (count[AIRLOCK_PAGE_TRANSITION])
		fail("%lu pages are left in transition",
		     count[AIRLOCK_PAGE_TRANSITION]);
	say("pages        %lu private, %lu shared, %lu in quarantine, as the "
	    "machine has them", count[AIRLOCK_PAGE_PRIVATE],
	    count[AIRLOCK_PAGE_SHARED], count[AIRLOCK_PAGE_QUARANTINE]);
	check_quarantine();
}

static void report_exceptions(void)
{
	u64 pf = cpu_sum(offsetof(struct cpu, exception) + 8 * VECTOR_PF);
	u64 vc = cpu_sum(offsetof(struct cpu, exception) + 8 * VECTOR_VC);
	u64 ve = cpu_sum(offsetof(struct cpu, exception) + 8 * VECTOR_VE);

	say("stray reads  %lu, mended %lu", CPU_SUM(reads), CPU_SUM(fixups));
	say("exceptions   #PF %lu (%lu stray reads, %lu probes), #VC %lu, "
	    "#VE %lu", pf, CPU_SUM(fixups), CPU_SUM(probes), vc, ve);
	for (unsigned int v = 0; v < 32; v++) {
		u64 n = cpu_sum(offsetof(struct cpu, exception) + 8 * v);

		if (n && v != VECTOR_PF && v != VECTOR_VC && v != VECTOR_VE)
			fail("%lu exceptions %u", n, v);
	}
	if ((vc || ve) && !option("cpuid") && !host_misbehaved())
		fail("confidential-computing exceptions");
}

static void report(void)
{
	say("conversions  %lu calls, %lu pages; %lu calls failed, %lu pages "
	    "lost", totals.calls, totals.pages, totals.refused,
	    totals.quarantined);
	report_exceptions();
	say("shootdowns   %lu, answered %lu times", CPU_SUM(shootdowns),
	    CPU_SUM(flushes));
	say("exits        %lu, of these calls %lu, PVALIDATE %lu, nested "
	    "faults %lu", call1(CVM_COUNTER, CVM_N_EXITS),
	    call1(CVM_COUNTER, CVM_N_EXIT_CALL),
	    call1(CVM_COUNTER, CVM_N_EXIT_PVALIDATE),
	    call1(CVM_COUNTER, CVM_N_EXIT_NPF));
	compare_states();
	if (host_violations)
		say("host         caught %lu times", host_violations);
	if (host_violations && !host_misbehaved())
		fail("an honest host was reported");
}

void finish(void)
{
	u64 broken = call1(CVM_COUNTER, CVM_N_VIOLATIONS);
	bool bad;

	report();
	bad = broken || (failures && !host_misbehaved());
	say("verdict      %s", bad ? "FAILED" : "passed");
	call1(CVM_EXIT, bad);
	for (;;)
		pause();
}

/*
 * The end of a guest whose host made a confidential-computing exception
 * happen: it was converted behind our back, and the hook is told.
 */
void forced_by_host(const char *what)
{
	struct airlock_violation v = { .status = AIRLOCK_V_CALLED_BACK };
	static u32 once;
	char text[120];
	size_t n;

	while (__atomic_exchange_n(&once, 1, __ATOMIC_SEQ_CST))
		pause();
	airlock_port_violation(&v);
	n = format(text, sizeof(text), "%s was forced by the host: the guest "
		   "ends itself", what);
	call2(CVM_LOG, (u64)text, n);
	/* One that neither lies nor refuses forces nothing: it was this kernel. */
	call1(CVM_EXIT, call1(CVM_COUNTER, CVM_N_VIOLATIONS) ||
	      !(host_misbehaved() || call1(CVM_COUNTER, CVM_N_HOST_REFUSED)));
	for (;;)
		pause();
}

/* ---- the workloads ---- */

void work(void)
{
	const char *what = option("work");
	u64 seed = option_number("hostile", ~0UL);

	say("%s, %u CPUs, %lu MiB, order to shared: %s, to private: %s",
	    platform_name(), boot.cpus, ram_end >> 20,
	    order_name[AIRLOCK_TO_SHARED], order_name[AIRLOCK_TO_PRIVATE]);
	/* From here on: a hostile host may refuse the GHCB, too. */
	if (seed != ~0UL)
		call2(CVM_HOST, CVM_HOST_HOSTILE, seed);
	if (what && text_is(what, "failing"))
		with_readers(failing);
	else if (what && text_is(what, "bench"))
		bench();
	else
		storm();
	finish();
}

void work_ap(void)
{
	storm_ap();
}
