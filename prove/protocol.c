// SPDX-License-Identifier: GPL-2.0
/*
 * The protocol: what an order of steps does to pages, what CPUs, caches and
 * the host may do meanwhile, and what must hold. For any number of CPUs, pages,
 * mappings of each page and calls at once. docs/proof.md goes through it.
 *
 * State, and who changes it:
 *
 *   call    (pc k)      at which step it is          (on k)     on which CPU
 *           (wait k c)  its shootdown waits for c
 *   page    (owned p)   claimed                      (owner p)  by that call
 *           (led p)     the ledger: shared
 *           (dn p)      its owner has done this step to it; (de p): evicted
 *           (hs p)      the host holds it shared     (hv p)     it is valid,
 *                       that is validated, accepted
 *           (hi p)      the host shared it by itself, on a stray access
 *           (ha p)      the guest validated it and did not give it up since
 *           (qu p)      in quarantine, for good: nobody's (failing host)
 *           (un p)      the way back: the host took it back, or need not
 *           (dv p)      and the guest has made it its own again
 *           (ta p)      a hostile host lied about it or took it, once: of
 *                       the host's state of it nothing more is known
 *           (be p)      the guest made it its own and did not give it away
 *           (dp p)      a dirty line filled as private may be in a cache,
 *           (ds p)      one filled as shared; (st p): stale lines (SNP)
 *   mapping (mp m)      memory says present          (ms m)     and shared
 *           (sbN c m)   c's store buffer has what pass N writes
 *           (dm m)      its owner has done this step to it
 *           (tp c m)    c's TLB may hold it as private, (ts c m) as shared
 */
#include "system.h"

#include <err.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

const struct guard_name guard_names[] = {
	{ "fence", "a shootdown waits for the call's own stores to drain" },
	{ "local-flush", "a shootdown flushes the CPU that sends it" },
	{ "ack-flush", "a CPU flushes before it answers a shootdown" },
	{ "wait", "a shootdown waits until every CPU has answered" },
	{ "pass", "a pass writes every entry before the next step" },
	{ "host-done", "the host's work is done for every page, then goes on" },
	{ "cache-done", "every page's lines are flushed, then it goes on" },
	{ "evict", "evict reads follow every validation" },
	{ "release-fence", "stores drain before pages are given back" },
	{ "claim", "a page that one call has claimed is no other's" },
	{ "migrate", "stores drain before a call goes to another CPU" },
	{ "doubt", "after a refusal, what the host may have done it is asked "
	  "to undo" },
	{ "undo-done", "every page is back as it was, or in quarantine, before "
	  "the way back goes on" },
	{ "unchanged", "PVALIDATE or ACCEPT that changes nothing is a failure, "
	  "whatever the host said before" },
	{ "given-up", "after a refusal, a page that the host was asked to share "
	  "is made the guest's own again" },
};
const unsigned int guard_count = sizeof(guard_names) / sizeof(guard_names[0]);

/* A host that may refuse, and what is to be done then. */
struct refusal {
	unsigned int at;		/* the program step */
	unsigned int number;		/* the order's */
	bool present, stale;		/* as engine/transition.c has it */
	bool every;		/* every page has to be taken back */
	bool take;		/* and made private again by the guest */
	bool guest;		/* it is the guest's part that failed */
};

struct build {
	struct system *s;
	const struct proof_question *q;
	enum airlock_to to;		/* of the program being written */
	bool host;			/* there is an RMP or the like */
	bool lies;			/* and the host may lie of it */
	bool lines;			/* lines under a key matter */
	bool evict;
	unsigned int pass;		/* passes so far */
	bool present, flipped, prepared;
	unsigned int number;		/* of the order's step, from 1 */
	bool stale;
	struct refusal refusal[4];	/* of the program being written */
	unsigned int nrefusals;
};

/* ---- writing rules ---- */

#define TEXT 512

static const struct term *term(struct build *b, const char *fmt, va_list ap)
{
	char text[TEXT];
	int n = vsnprintf(text, sizeof(text), fmt, ap);

	if (n < 0 || (size_t)n >= sizeof(text))
		errx(3, "prove: a term too long: %s", text);
	return term_parse(&b->s->w, text);
}

#define FORMAT(a, b) __attribute__((format(printf, a, b)))

FORMAT(3, 4)
static struct rule *rule(struct build *b, const char *about, const char *fmt,
			 ...)
{
	struct rule *r = &b->s->rule[b->s->nrules++];
	va_list ap;

	if (b->s->nrules > MAX_RULES)
		errx(3, "prove: too many rules");
	memset(r, 0, sizeof(*r));
	snprintf(r->about, sizeof(r->about), "%s", about);
	va_start(ap, fmt);
	vsnprintf(r->name, sizeof(r->name), fmt, ap);
	va_end(ap);
	r->guard = term_parse(&b->s->w, "true");
	return r;
}

FORMAT(3, 4)
static void when(struct build *b, struct rule *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	r->guard = term_pair(&b->s->w, T_AND, r->guard, term(b, fmt, ap));
	va_end(ap);
}

/* A guard with a name: it can be left out, to see that it is needed. */
static bool dropped(struct build *b, const char *name)
{
	if (!b->q->drop || strcmp(name, b->q->drop))
		return false;
	b->s->dropped = true;
	return true;
}

FORMAT(4, 5)
static void guard(struct build *b, struct rule *r, const char *name,
		  const char *fmt, ...)
{
	va_list ap;

	if (dropped(b, name))
		return;
	va_start(ap, fmt);
	r->guard = term_pair(&b->s->w, T_AND, r->guard, term(b, fmt, ap));
	va_end(ap);
}

FORMAT(4, 5)
static void needs(struct build *b, struct rule *r, const char *what,
		  const char *fmt, ...)
{
	va_list ap;

	if (r->nneeds == MAX_NEEDS)
		errx(3, "prove: too many needs");
	va_start(ap, fmt);
	r->need[r->nneeds++] = (struct need){ what, term(b, fmt, ap) };
	va_end(ap);
}

FORMAT(4, 5)
static void set(struct build *b, struct rule *r, const char *symbol,
		const char *fmt, ...)
{
	int s = symbol_find(&b->s->w, symbol);
	va_list ap;

	if (s < 0)
		return;		/* does not matter on this platform */
	if (r->nsets == MAX_UPDATES)
		errx(3, "prove: too many updates");
	va_start(ap, fmt);
	r->set[r->nsets++] = (struct update){ s, term(b, fmt, ap) };
	va_end(ap);
}

/* The host's state of a page, and what a cache has of it. */
static bool is_hosts(const char *symbol)
{
	static const char *const all[] = { "hs", "hv", "hi", "dp", "ds", "st" };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (!strcmp(symbol, all[i]))
			return true;
	return false;
}

/* For the page that the rule's mapping is of. */
static void set_page(struct build *b, struct rule *r, const char *symbol,
		     bool value)
{
	if (symbol_find(&b->s->w, symbol) < 0)
		return;
	if (value && b->lies && is_hosts(symbol))
		set(b, r, symbol, "(or (%s p) (and (= p (pg M)) (not (ta p))))",
		    symbol);
	else if (value)
		set(b, r, symbol, "(or (%s p) (= p (pg M)))", symbol);
	else
		set(b, r, symbol, "(and (%s p) (not (= p (pg M))))", symbol);
}

/* What the host has to be so: not asked of a page that it lied about. */
FORMAT(4, 5)
static void needs_host(struct build *b, struct rule *r, const char *what,
		       const char *fmt, ...)
{
	char text[TEXT];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (b->lies)
		needs(b, r, what, "(or (ta (pg M)) %s)", text);
	else
		needs(b, r, what, "%s", text);
}

FORMAT(3, 4)
static void property(struct build *b, const char *what, const char *fmt, ...)
{
	struct property *p = &b->s->prop[b->s->nprops++];
	va_list ap;

	if (b->s->nprops > MAX_PROPS)
		errx(3, "prove: too many properties");
	va_start(ap, fmt);
	*p = (struct property){ what, term(b, fmt, ap) };
	va_end(ap);
}

/* ---- steps of a program ---- */

static unsigned int here(const struct build *b)
{
	return b->s->nsteps - 1;
}

FORMAT(2, 3)
static void step_begin(struct build *b, const char *fmt, ...)
{
	char *to = b->s->step[b->s->nsteps++];
	va_list ap;

	if (b->s->nsteps > MAX_STEPS)
		errx(3, "prove: too many steps");
	va_start(ap, fmt);
	vsnprintf(to, sizeof(b->s->step[0]), fmt, ap);
	va_end(ap);
}

static void go_on(struct build *b, struct rule *r)
{
	set(b, r, "pc", "(ite (= k K) s%u (pc k))", here(b) + 1);
}

static struct rule *at_step(struct build *b, const char *about,
			    const char *what)
{
	struct rule *r = rule(b, about, "%s: %s", b->s->step[here(b)], what);

	snprintf(r->act, sizeof(r->act), "%s", what);
	r->kind = RULE_CALL;
	when(b, r, "(= (pc K) s%u)", here(b));
	return r;
}

/* Something done to each mapping, or each page, of a call in turn. */
static struct rule *for_each(struct build *b, const char *what,
			     const char *done)
{
	struct rule *r = at_step(b, "KM", what);

	when(b, r, "(and (mine K M) (not %s))", done);
	return r;
}

/* All are done: @name is the guard that says so. */
static void all_done(struct build *b, const char *name, const char *done)
{
	struct rule *r = at_step(b, "K", "go on");

	guard(b, r, name, "(all m (=> (mine K m) %s))", done);
	set(b, r, "dm", "(and (dm m) (not (mine K m)))");
	set(b, r, "dn", "(and (dn p) (not (and (owned p) (= (owner p) K))))");
	set(b, r, "de", "(and (de p) (not (and (owned p) (= (owner p) K))))");
	set(b, r, "un", "(and (un p) (not (and (owned p) (= (owner p) K))))");
	set(b, r, "dv", "(and (dv p) (not (and (owned p) (= (owner p) K))))");
	go_on(b, r);
}

/* ---- passes ---- */

static void drain(struct build *b, bool present, bool shared)
{
	struct rule *r = rule(b, "CM", "a store of pass %u drains", b->pass);
	char sb[8];

	r->kind = RULE_DRAIN;
	snprintf(sb, sizeof(sb), "sb%u", b->pass);
	when(b, r, "(sb%u C M)", b->pass);
	for (unsigned int i = 1; i < b->pass; i++)
		when(b, r, "(not (sb%u C M))", i);
	set(b, r, sb, "(and (%s c m) (not (and (= c C) (= m M))))", sb);
	set(b, r, "mp", "(ite (= m M) %s (mp m))", present ? "true" : "false");
	set(b, r, "ms", "(ite (= m M) %s (ms m))", shared ? "true" : "false");
}

/* A CPU's own walk sees what waits in its store buffer. */
static void fill_own(struct build *b, bool shared)
{
	struct rule *r = rule(b, "CM", "a TLB takes what pass %u stored",
			      b->pass);
	const char *t = shared ? "ts" : "tp";

	when(b, r, "(sb%u C M)", b->pass);
	set(b, r, t, "(or (%s c m) (and (= c C) (= m M)))", t);
}

static void pass(struct build *b, const char *name, bool present,
		 bool flipped)
{
	bool shared = (b->to == AIRLOCK_TO_SHARED) == flipped;
	char sb[8];
	struct rule *r;

	if (b->present && (!present || flipped != b->flipped))
		b->stale = true;
	b->present = present;
	b->flipped = flipped;
	b->pass++;
	b->s->pass[b->pass].present = present;
	b->s->pass[b->pass].shared = shared;
	snprintf(sb, sizeof(sb), "sb%u", b->pass);
	step_begin(b, "%u %s", b->number, name);
	r = for_each(b, "write an entry", "(dm M)");
	set(b, r, sb, "(or (%s c m) (and (= c (on K)) (= m M)))", sb);
	set(b, r, "dm", "(or (dm m) (= m M))");
	drain(b, present, shared);
	if (present)
		fill_own(b, shared);
	all_done(b, "pass", "(dm m)");
}

/* ---- the shootdown ---- */

static void flush(struct build *b, struct rule *r, const char *cpu,
		  const char *call)
{
	static const char *const t[] = { "tp", "ts" };

	for (unsigned int i = 0; i < 2; i++)
		set(b, r, t[i], "(and (%s c m) (not (and (= c %s) "
		    "(mine %s m))))", t[i], cpu, call);
}

static void shootdown(struct build *b)
{
	struct rule *r;

	b->stale = false;
	step_begin(b, "%u tlb", b->number);
	r = at_step(b, "K", "flush here, send");
	guard(b, r, "fence", "(drained (on K))");
	set(b, r, "wait", "(ite (= k K) (not (= c (on K))) (wait k c))");
	if (!dropped(b, "local-flush"))
		flush(b, r, "(on K)", "K");
	go_on(b, r);

	step_begin(b, "%u tlb, waiting", b->number);
	b->s->waits[here(b)] = true;
	r = at_step(b, "K", "all have answered");
	guard(b, r, "wait", "(all c (not (wait K c)))");
	go_on(b, r);
}

static void answer(struct build *b)
{
	struct rule *r = rule(b, "KC", "a CPU answers a shootdown");

	when(b, r, "(wait K C)");
	set(b, r, "wait", "(and (wait k c) (not (and (= k K) (= c C))))");
	if (!dropped(b, "ack-flush"))
		flush(b, r, "C", "K");
}

/* ---- what needs a linear address, and what asks the host ---- */

/* An instruction that serialises: the CPU's stores drain first. */
static struct rule *work(struct build *b, const char *what, const char *done)
{
	struct rule *r = for_each(b, what, done);

	when(b, r, "(drained (on K))");
	return r;
}

/* It takes a linear address: the window's, or one that must be mapped. */
static void finds_page(struct build *b, struct rule *r, bool window)
{
	if (!window)
		needs(b, r, "finds its page not present: #PF in the engine",
		      "(mp M)");
}

static void as_private(struct build *b, struct rule *r, bool window)
{
	finds_page(b, r, window);
	if (!window)
		needs(b, r, "uses a mapping without the C-bit",
		      "(not (sees-shared (on K) M))");
}

static bool cache_matters(const struct build *b)
{
	switch (b->q->platform) {
	case AIRLOCK_SEV:
	case AIRLOCK_SNP:
		return !(b->q->features & AIRLOCK_F_COHERENT);
	case AIRLOCK_TDX:
		return b->to == AIRLOCK_TO_SHARED;
	default:
		return false;
	}
}

static void cache_by(struct build *b, bool window, bool shared)
{
	struct rule *r = work(b, shared ? "CLFLUSH, as shared" :
			      "CLFLUSH, as private", "(dn (pg M))");

	finds_page(b, r, window);
	if (!window)
		when(b, r, "(%s (on K) M)",
		     shared ? "sees-shared" : "sees-private");
	set_page(b, r, shared ? "ds" : "dp", false);
	set_page(b, r, "dn", true);
}

/* CLFLUSH of a page that is not mapped: only to say that it fails. */
static void cache_fault(struct build *b)
{
	finds_page(b, work(b, "CLFLUSH", "(dn (pg M))"), false);
}

static void cache(struct build *b, bool window)
{
	if (!cache_matters(b))
		return;
	step_begin(b, "%u cache%s", b->number, window ? "@window" : "");
	if (window) {
		/* As the page was. */
		cache_by(b, true, b->to == AIRLOCK_TO_PRIVATE);
	} else {
		cache_by(b, false, false);
		cache_by(b, false, true);
		cache_fault(b);
	}
	all_done(b, "cache-done", "(dn (pg m))");
}

/* ---- the host ---- */

static void host_step(struct build *b, const char *what, bool window)
{
	step_begin(b, "%u %s%s", b->number, what, window ? "@window" : "");
}

/* It may refuse here, whatever part of the work it has done. */
static void may_refuse(struct build *b, bool every, bool take)
{
	if (!b->q->failing)
		return;
	if (b->nrefusals == sizeof(b->refusal) / sizeof(b->refusal[0]))
		errx(3, "prove: too many refusals");
	b->refusal[b->nrefusals++] = (struct refusal){
		.at = here(b), .number = b->number, .present = b->present,
		.stale = b->stale, .every = every, .take = take,
	};
}

/*
 * An instruction of the guest's may find that the host lied: PVALIDATE that
 * changes nothing, RELEASE of a page that is not there. @take: the pages that
 * are done are to be made the guest's own again.
 */
static void may_find_out(struct build *b, bool take)
{
	if (!b->lies)
		return;
	may_refuse(b, !take, take);
	b->refusal[b->nrefusals - 1].guest = take;
}

/* From now on nothing is known of what the host holds of it. */
static void taken(struct build *b, struct rule *r)
{
	static const char *const all[] = { "hs", "hv", "hi", "dp", "ds", "st" };

	set_page(b, r, "ta", true);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		set_page(b, r, all[i], false);
}

/* The host makes a page shared: whatever it held is given up. */
static void becomes_shared(struct build *b, struct rule *r)
{
	set_page(b, r, "hs", true);
	set_page(b, r, "hv", false);
	set_page(b, r, "ha", false);
	set_page(b, r, "be", false);
	set_page(b, r, "hi", false);
	set_page(b, r, "st", false);
	set_page(b, r, "dn", true);
}

static void becomes_private(struct build *b, struct rule *r, bool valid)
{
	needs_host(b, r, "asks to make private what is private", "(hs (pg M))");
	set_page(b, r, "hs", false);
	set_page(b, r, "hv", valid);
	set_page(b, r, "ha", false);
	set_page(b, r, "hi", false);
	set_page(b, r, "st", b->evict);
	set_page(b, r, "dn", true);
}

static void rescind(struct build *b, bool window)
{
	struct rule *r;

	host_step(b, "rescind", window);
	r = work(b, "PVALIDATE, rescind", "(dn (pg M))");
	as_private(b, r, window);
	needs_host(b, r, "changes nothing",
		   "(and (hv (pg M)) (not (hs (pg M))))");
	set_page(b, r, "hv", false);
	set_page(b, r, "ha", false);
	set_page(b, r, "be", false);
	set_page(b, r, "dn", true);
	may_find_out(b, true);
	all_done(b, "host-done", "(dn (pg m))");
}

/*
 * Validate or accept. A page that the host shared by itself it makes private
 * again for it; not one that it was told to share.
 */
static void take(struct build *b, struct rule *r, const char *done)
{
	needs(b, r, "takes a page that the host was told to hold shared",
	      "(or (not (hs (pg M))) (hi (pg M)))");
	needs(b, r, "takes a page twice",
	      "(and (not (ha (pg M))) (not (and (hv (pg M)) "
	      "(not (hs (pg M))))))");
	set_page(b, r, "hs", false);
	set_page(b, r, "hi", false);
	set_page(b, r, "hv", true);
	set_page(b, r, "ha", true);
	set_page(b, r, "be", true);
	set_page(b, r, done, true);
}

/* What the engine must not go on from: see the guard. */
static void unchanged(struct build *b)
{
	struct rule *r;

	if (!b->lies || !dropped(b, "unchanged"))
		return;
	r = work(b, "changes nothing, and it goes on", "(dn (pg M))");
	when(b, r, "(ta (pg M))");
	set_page(b, r, "dn", true);
}

static void validate(struct build *b, bool window)
{
	struct rule *r;

	host_step(b, "validate", window);
	r = work(b, "PVALIDATE, validate", "(dn (pg M))");
	as_private(b, r, window);
	take(b, r, "dn");
	unchanged(b);
	may_find_out(b, false);
	if (!b->evict || dropped(b, "evict")) {
		all_done(b, "host-done", "(dn (pg m))");
		return;
	}
	r = work(b, "evict reads", "(de (pg M))");
	when(b, r, "(dn (pg M))");
	as_private(b, r, window);
	needs_host(b, r, "reads a page that is not its own",
		   "(and (hv (pg M)) (not (hs (pg M))))");
	set_page(b, r, "st", false);
	set_page(b, r, "de", true);
	all_done(b, "host-done", "(de (pg m))");
}

static void ask(struct build *b, const char *what, bool share, bool valid)
{
	struct rule *r;

	host_step(b, what, false);
	/* Asked to share it, whatever the host then says: it is given up. */
	if (share && b->q->platform == AIRLOCK_TDX) {
		r = work(b, "gives a page up", "(dn (pg M))");
		when(b, r, b->lies ? "(or (ha (pg M)) (be (pg M)))" :
		     "(ha (pg M))");
		set_page(b, r, "ha", false);
		set_page(b, r, "be", false);
	}
	r = work(b, "the host does a page", "(dn (pg M))");
	if (!share)
		becomes_private(b, r, valid);
	else if (b->q->platform == AIRLOCK_SNP)
		needs(b, r, "gives away a page that is validated",
		      b->lies ? "(not (or (hv (pg M)) (be (pg M))))" :
		      "(not (hv (pg M)))");
	if (share)
		becomes_shared(b, r);
	may_refuse(b, false, share && (b->q->platform == AIRLOCK_SNP ||
				       b->q->platform == AIRLOCK_TDX));
	all_done(b, "host-done", "(dn (pg m))");
}

static void accept(struct build *b)
{
	host_step(b, "accept", false);
	take(b, work(b, "ACCEPT", "(dn (pg M))"), "dn");
	unchanged(b);
	may_refuse(b, true, false);
	all_done(b, "host-done", "(dn (pg m))");
}

static void give_up(struct build *b)
{
	struct rule *r;

	host_step(b, "release", false);
	r = work(b, "RELEASE", "(dn (pg M))");
	set_page(b, r, "hv", false);
	set_page(b, r, "ha", false);
	set_page(b, r, "be", false);
	set_page(b, r, "dn", true);
	may_find_out(b, true);
	all_done(b, "host-done", "(dn (pg m))");
}

static void prepare(struct build *b, bool window)
{
	bool share = b->to == AIRLOCK_TO_SHARED;

	if (b->q->platform == AIRLOCK_SNP && share) {
		rescind(b, window);
		ask(b, "page-state change", true, false);
	}
	if (b->q->platform == AIRLOCK_TDX && !share) {
		ask(b, "MapGPA", false, false);
		accept(b);
	}
	if (b->q->platform == AIRLOCK_TDX && share &&
	    (b->q->features & AIRLOCK_F_TDX_RELEASE))
		give_up(b);
	b->prepared = true;
}

static void notify(struct build *b, bool window)
{
	bool share = b->to == AIRLOCK_TO_SHARED;

	if (!b->prepared)
		prepare(b, window);
	if (b->q->platform == AIRLOCK_SNP && !share) {
		ask(b, "page-state change", false, false);
		validate(b, window);
	}
	if (b->q->platform == AIRLOCK_TDX && share)
		ask(b, "MapGPA", true, false);
	if (b->q->platform == AIRLOCK_VTOM || b->q->platform == AIRLOCK_TDP)
		ask(b, "visibility", share, !share);
}

/* ---- an order, from the claim to the release ---- */

static void one_step(struct build *b, uint8_t step)
{
	bool window = step & AIRLOCK_STEP_WINDOW;
	uint8_t kind = step & AIRLOCK_STEP_KIND;
	const char *name = airlock_step_name(step);

	switch (kind) {
	case AIRLOCK_STEP_NP:
		pass(b, name, false, b->flipped);
		break;
	case AIRLOCK_STEP_FLIP:
		pass(b, name, b->present, true);
		break;
	case AIRLOCK_STEP_NP_FLIP:
		pass(b, name, false, true);
		break;
	case AIRLOCK_STEP_PRESENT:
		pass(b, name, true, b->flipped);
		break;
	case AIRLOCK_STEP_FLIP_PRESENT:
		pass(b, name, true, true);
		break;
	case AIRLOCK_STEP_TLB:
		shootdown(b);
		break;
	case AIRLOCK_STEP_CACHE:
		cache(b, window);
		break;
	case AIRLOCK_STEP_PREPARE:
		prepare(b, window);
		break;
	case AIRLOCK_STEP_NOTIFY:
		notify(b, window);
		break;
	default:		/* alias: mappings of a page are counted in */
		break;
	}
}

static void set_mine(struct build *b, struct rule *r, const char *symbol,
		     bool value)
{
	set(b, r, symbol, "(ite (and (owned p) (= (owner p) K)) %s (%s p))",
	    value ? "true" : "false", symbol);
}

static void claim(struct build *b)
{
	bool share = b->to == AIRLOCK_TO_SHARED;
	struct rule *r = rule(b, "K", "a call begins, to %s",
			      share ? "shared" : "private");

	snprintf(r->act, sizeof(r->act), "begin");
	r->kind = RULE_CALL;
	when(b, r, "(= (pc K) s0)");
	go_on(b, r);
	step_begin(b, "claim, to %s", share ? "shared" : "private");
	r = at_step(b, "KP", "a page");
	guard(b, r, "claim", "(not (owned P))");
	when(b, r, share ? "(not (led P))" : "(led P)");
	if (symbol_find(&b->s->w, "qu") >= 0)
		when(b, r, "(not (qu P))");
	set(b, r, "owned", "(or (owned p) (= p P))");
	set(b, r, "owner", "(ite (= p P) K (owner p))");
	r = at_step(b, "K", "give up, a page is busy");
	set_mine(b, r, "owned", false);
	set(b, r, "pc", "(ite (= k K) s0 (pc k))");
	r = at_step(b, "K", "go on");
	go_on(b, r);
}

static void finish(struct build *b)
{
	struct rule *r;

	step_begin(b, "release");
	r = at_step(b, "K", "give the pages back");
	guard(b, r, "release-fence", "(drained (on K))");
	set_mine(b, r, "owned", false);
	set_mine(b, r, "led", b->to == AIRLOCK_TO_SHARED);
	set(b, r, "pc", "(ite (= k K) s0 (pc k))");
}

/* ---- the way back ---- */

/* As the host was asked to before: it gives it back, or takes it back. */
static void host_undoes(struct build *b)
{
	bool share = b->to == AIRLOCK_TO_SHARED, evict = b->evict;
	bool hv = b->q->platform == AIRLOCK_VTOM ||
		b->q->platform == AIRLOCK_TDP;
	struct rule *r = work(b, "the host undoes a page", "(un (pg M))");

	if (hv)		/* what it did is certain */
		when(b, r, "(dn (pg M))");
	if (b->lies && !share && b->q->platform == AIRLOCK_SNP)
		when(b, r, "(not (be (pg M)))");
	if (share) {
		set(b, r, "hv", "(ite (and (= p (pg M)) (hs p)) %s (hv p))",
		    hv ? "true" : "false");
		set(b, r, "ha", "(and (ha p) (not (and (= p (pg M)) (hs p))))");
		set(b, r, "st", "(or (st p) (and (= p (pg M)) (hs p) %s))",
		    evict ? "true" : "false");
	} else {
		if (b->q->platform == AIRLOCK_SNP)
			needs(b, r, "gives away a page that is validated",
			      "(not (hv (pg M)))");
		set_page(b, r, "hv", false);
		set_page(b, r, "ha", false);
		set_page(b, r, "be", false);
		set_page(b, r, "st", false);
	}
	set_page(b, r, "hs", !share);
	set_page(b, r, "hi", false);
	set_page(b, r, "un", true);
}

/* What was validated before one was not. */
static void rescind_back(struct build *b)
{
	struct rule *r = work(b, "PVALIDATE, rescind", "(un (pg M))");

	when(b, r, "(be (pg M))");
	needs_host(b, r, "changes nothing",
		   "(and (hv (pg M)) (not (hs (pg M))))");
	set_page(b, r, "hv", false);
	set_page(b, r, "ha", false);
	set_page(b, r, "be", false);
}

/* Before that, if it was asked to share: as on the way there. */
static void gives_up(struct build *b)
{
	struct rule *r;

	if (b->to == AIRLOCK_TO_SHARED)
		return;
	if (b->lies && b->q->platform == AIRLOCK_SNP)
		rescind_back(b);
	if (b->q->platform != AIRLOCK_TDX)
		return;
	r = work(b, "gives a page up", "(un (pg M))");
	when(b, r, "(ha (pg M))");
	set_page(b, r, "ha", false);
	set_page(b, r, "be", false);
	if (!(b->q->features & AIRLOCK_F_TDX_RELEASE))
		return;
	r = work(b, "RELEASE", "(un (pg M))");
	when(b, r, b->lies ? "(or (ta (pg M)) (hv (pg M)))" : "(hv (pg M))");
	set_page(b, r, "hv", false);
	set_page(b, r, "ha", false);
	set_page(b, r, "be", false);
}

static void nothing_to_undo(struct build *b, const struct refusal *f)
{
	bool untouched = b->q->platform == AIRLOCK_TDX &&
		!(b->q->features & AIRLOCK_F_TDX_RELEASE);
	struct rule *r;

	if (f->every)
		return;
	r = for_each(b, "nothing to undo", "(un (pg M))");
	guard(b, r, "doubt", "(not (dn (pg M)))");
	if (!f->guest)
		set_page(b, r, "un", true);
	if (b->lies && untouched && b->to == AIRLOCK_TO_SHARED)
		guard(b, r, "given-up", "(be (pg M))");
	if (untouched || f->guest)
		set_page(b, r, "dv", true);
	if (f->guest)
		set_page(b, r, "de", true);
}

/* A page that the host has given back, or never had. */
static void taken_back(struct build *b, const char *after)
{
	bool snp = b->q->platform == AIRLOCK_SNP;
	struct rule *r;

	if (!snp) {
		r = for_each(b, "already accepted", "(dv (pg M))");
		when(b, r, "(%s (pg M))", after);
		when(b, r, b->lies ? "(or (ta (pg M)) (and (hv (pg M)) "
		     "(not (hs (pg M)))))" :
		     "(and (hv (pg M)) (not (hs (pg M))))");
		set_page(b, r, "be", true);
		set_page(b, r, "dv", true);
	}
	r = work(b, snp ? "PVALIDATE, validate" : "ACCEPT", "(dv (pg M))");
	when(b, r, "(%s (pg M))", after);
	if (!snp)
		when(b, r, "(not (and (hv (pg M)) (not (hs (pg M)))))");
	if (b->lies)	/* else it was never asked of the host */
		when(b, r, "(not (be (pg M)))");
	take(b, r, "dv");
	if (!b->evict)
		return;
	r = work(b, "evict reads", "(de (pg M))");
	when(b, r, "(dv (pg M))");
	needs_host(b, r, "reads a page that is not its own",
		   "(and (hv (pg M)) (not (hs (pg M))))");
	set_page(b, r, "st", false);
	set_page(b, r, "de", true);
}

/* Whatever the host says to all this, or does not: nobody's page for good. */
static void into_quarantine(struct build *b)
{
	static const char *const flag[] = { "dn", "un", "dv", "de" };
	struct rule *r = for_each(b, "into quarantine", "false");

	when(b, r, "(drained (on K))");
	set_page(b, r, "qu", true);
	set_page(b, r, "owned", false);
	for (unsigned int i = 0; i < 4; i++)
		set_page(b, r, flag[i], false);
}

static void undo(struct build *b, const struct refusal *f)
{
	step_begin(b, "%u undo", b->number);
	/* Only where all had been asked for is any of them its own. */
	if (f->every)
		gives_up(b);
	if (!f->guest)
		host_undoes(b);
	nothing_to_undo(b, f);
	if (f->take)
		taken_back(b, f->guest ? "dn" : "un");
	into_quarantine(b);
	all_done(b, "undo-done", !f->take ? "(un (pg m))" :
		 b->evict ? "(de (pg m))" : "(dv (pg m))");
}

static void refused(struct build *b, const struct refusal *f,
		    unsigned int to)
{
	struct rule *r = rule(b, "K", "%s: the host refuses",
			      b->s->step[f->at]);

	snprintf(r->act, sizeof(r->act), "the host refuses");
	r->kind = RULE_CALL;
	when(b, r, "(and (= (pc K) s%u) (drained (on K)))", f->at);
	set(b, r, "pc", "(ite (= k K) s%u (pc k))", to);
}

/* engine/transition.c, unwind(). */
static void way_back(struct build *b, const struct refusal *f)
{
	struct rule *r;

	refused(b, f, b->s->nsteps);
	b->number = f->number;
	b->present = f->present;
	b->stale = f->stale;
	if (b->present)
		pass(b, "np, back", false, false);
	if (b->stale)
		shootdown(b);
	undo(b, f);
	pass(b, "present, back", true, false);
	step_begin(b, "%u release, back", b->number);
	r = at_step(b, "K", "give the pages back");
	guard(b, r, "release-fence", "(drained (on K))");
	set_mine(b, r, "owned", false);
	set(b, r, "pc", "(ite (= k K) s0 (pc k))");
}

static void program(struct build *b, enum airlock_to to)
{
	const struct airlock_order *o = &b->q->order[to];

	b->to = to;
	b->present = true;
	b->flipped = b->prepared = b->stale = false;
	b->nrefusals = 0;
	claim(b);
	for (unsigned int i = 0; i < o->nsteps; i++) {
		b->number = i + 1;
		one_step(b, o->step[i]);
	}
	finish(b);
	for (unsigned int i = 0; i < b->nrefusals; i++)
		way_back(b, &b->refusal[i]);
}

/* ---- what happens at any time ---- */

static void hardware(struct build *b)
{
	static const char *const t[] = { "tp", "ts" };
	struct rule *r = rule(b, "CM", "a TLB takes what memory says");

	when(b, r, "(mp M)");
	set(b, r, "tp", "(or (tp c m) (and (= c C) (= m M) (not (ms M))))");
	set(b, r, "ts", "(or (ts c m) (and (= c C) (= m M) (ms M)))");
	for (unsigned int i = 0; i < 2; i++) {
		r = rule(b, "CM", "a TLB loses a %s entry",
			 i ? "shared" : "private");
		when(b, r, "(%s C M)", t[i]);
		set(b, r, t[i], "(and (%s c m) (not (and (= c C) (= m M))))",
		    t[i]);
	}
	r = rule(b, "KC", "a call goes to another CPU");
	guard(b, r, "migrate", "(drained (on K))");
	set(b, r, "on", "(ite (= k K) C (on k))");
}

/* A page that nobody converts is its owner's to write. */
static void lines(struct build *b)
{
	static const char *const line[] = { "dp", "ds" };

	for (unsigned int i = 0; i < 2; i++) {
		struct rule *r;

		if (symbol_find(&b->s->w, line[i]) < 0)
			continue;
		r = rule(b, "M", "a %s page is written",
			 i ? "shared" : "private");
		r->kind = RULE_WRITE;
		when(b, r, "(and (free M) %s)",
		     i ? "(led (pg M))" : "(not (led (pg M)))");
		set_page(b, r, line[i], true);
		r = rule(b, "M", "a line, %s, is written back",
			 i ? "shared" : "private");
		when(b, r, "(%s (pg M))", line[i]);
		set_page(b, r, line[i], false);
	}
}

/* SNP: the host converts a page that is read through a shared mapping. */
static void stray_read(struct build *b)
{
	struct rule *r;

	if (b->q->platform != AIRLOCK_SNP)
		return;
	r = rule(b, "CM", "a stray read has the host share a page");
	when(b, r, "(and (ts C M) (not (hs (pg M))))");
	if (b->lies)
		when(b, r, "(not (ta (pg M)))");
	set_page(b, r, "hs", true);
	set_page(b, r, "hi", true);
	set_page(b, r, "hv", false);
	set_page(b, r, "ha", false);
}

/*
 * A hostile host: any page, at any time. To say that it did a page and not to
 * do it is that, and then what the step has: nothing is known of it after.
 */
static void unasked(struct build *b)
{
	struct rule *r;

	if (!b->lies)
		return;
	r = rule(b, "M", "the host takes a page, unasked");
	r->kind = RULE_HOST;
	when(b, r, "(not (ta (pg M)))");
	taken(b, r);
	/* What the guest validated in it is gone with it. */
	r = rule(b, "M", "the host makes a page of its own a new one");
	r->kind = RULE_HOST;
	when(b, r, "(and (ta (pg M)) (ha (pg M)))");
	set_page(b, r, "ha", false);
}

/* ---- what must hold ---- */

static void host_properties(struct build *b)
{
	property(b, "no private access to a page that is not the guest's own",
		 "(=> (and (honest m) (tp c m)) "
		 "(and (hv (pg m)) (not (hs (pg m)))))");
	if (b->q->platform != AIRLOCK_SNP)
		property(b, "no shared access to a page that the host holds "
			 "private", "(=> (and (honest m) (ts c m)) (hs (pg m)))");
	property(b, "what the ledger calls private is the guest's own",
		 "(=> (and (honest m) (free m) (not (led (pg m)))) "
		 "(and (hv (pg m)) (not (hs (pg m)))))");
	property(b, "what the ledger calls shared is shared",
		 "(=> (and (honest m) (free m) (led (pg m))) (hs (pg m)))");
	if (symbol_find(&b->s->w, "dp") >= 0)
		property(b, "no dirty private line of a page that is shared",
			 "(not (and (dp (pg m)) (hs (pg m))))");
	if (symbol_find(&b->s->w, "ds") >= 0)
		property(b, "no dirty shared line of a page that is private",
			 "(not (and (ds (pg m)) (hv (pg m)) "
			 "(not (hs (pg m)))))");
	if (symbol_find(&b->s->w, "st") >= 0)
		property(b, "no stale line of a page that is private again",
			 "(=> (and (free m) (not (led (pg m)))) "
			 "(not (st (pg m))))");
	if (symbol_find(&b->s->w, "qu") >= 0)
		property(b, "nobody reaches a page in quarantine",
			 "(=> (qu (pg m)) (not (or (owned (pg m)) (mp m) "
			 "(tp c m) (ts c m))))");
}

/* Of every page, those that the host took too. */
static void hostile_properties(struct build *b)
{
	if (!b->lies)
		return;
	property(b, "what the ledger calls private the guest made its own",
		 "(=> (and (free m) (not (led (pg m)))) (be (pg m)))");
	property(b, "what the ledger calls shared the guest gave away",
		 "(=> (and (free m) (led (pg m))) "
		 "(not (or (be (pg m)) (ha (pg m)))))");
}

static void properties(struct build *b)
{
	hostile_properties(b);
	property(b, "a page that is given back is present, as the ledger says",
		 "(=> (free m) (and (mp m) (= (ms m) "
		 "(led (pg m)))))");
	property(b, "no translation outlives the call",
		 "(=> (free m) (not (ite (led (pg m)) "
		 "(tp c m) (ts c m))))");
	if (b->host)
		host_properties(b);
	if (!b->host && b->lines)
		property(b, "no dirty line under the other C-bit",
			 "(=> (free m) (not (ite (led (pg m)) "
			 "(dp (pg m)) (ds (pg m)))))");
}

/* ---- the state ---- */

static void state(struct build *b, const char *name, const char *args,
		  char sort, const char *init)
{
	struct words *w = &b->s->w;

	symbol_add(w, name, args, sort);
	if (init)
		b->s->init[b->s->ninit++] = (struct update){
			(int)w->nsymbols - 1, term_parse(w, init) };
}

FORMAT(2, 3)
static void atom(struct build *b, const char *fmt, ...)
{
	va_list ap;

	if (b->s->natoms == MAX_ATOMS)
		errx(3, "prove: too many atoms");
	va_start(ap, fmt);
	b->s->atom[b->s->natoms++] = term(b, fmt, ap);
	va_end(ap);
}

/* Of a page, the symbols that this platform has. */
static void page_state(struct build *b)
{
	bool native = b->q->platform == AIRLOCK_SNP ||
		b->q->platform == AIRLOCK_TDX;

	if (b->host) {
		state(b, "hs", "p", 'b', "(led p)");
		state(b, "hv", "p", 'b', "(not (led p))");
	}
	if (native) {
		state(b, "ha", "p", 'b', "(not (led p))");
		state(b, "hi", "p", 'b', "false");
	}
	if (b->lines)
		state(b, "dp", "p", 'b', "false");
	if (b->lines && b->q->platform != AIRLOCK_TDX)
		state(b, "ds", "p", 'b', "false");
	if (b->evict) {
		state(b, "st", "p", 'b', "false");
		state(b, "de", "p", 'b', "false");
	}
	state(b, "dn", "p", 'b', "false");
	if (b->lies) {
		state(b, "ta", "p", 'b', "false");
		state(b, "be", "p", 'b', "(not (led p))");
	}
	if (!b->host || !b->q->failing)
		return;
	state(b, "qu", "p", 'b', "false");
	state(b, "un", "p", 'b', "false");
	if (native && b->q->to[AIRLOCK_TO_SHARED])
		state(b, "dv", "p", 'b', "false");
}

static void states(struct build *b)
{
	struct words *w = &b->s->w;

	state(b, "pg", "m", 'p', NULL);
	w->symbol[0].fixed = true;
	state(b, "owner", "p", 'k', NULL);
	state(b, "on", "k", 'c', NULL);
	state(b, "led", "p", 'b', NULL);
	state(b, "owned", "p", 'b', "false");
	state(b, "pc", "k", 's', "s0");
	state(b, "wait", "kc", 'b', "false");
	state(b, "mp", "m", 'b', "true");
	state(b, "ms", "m", 'b', "(led (pg m))");
	state(b, "dm", "m", 'b', "false");
	state(b, "tp", "cm", 'b', "false");
	state(b, "ts", "cm", 'b', "false");
	page_state(b);
	for (unsigned int i = 1; i <= b->s->npasses; i++) {
		char name[16];

		snprintf(name, sizeof(name), "sb%u", i);
		state(b, name, "cm", 'b', "false");
	}
}

static void atoms(struct build *b)
{
	static const char *const page[] = { "led", "hs", "hv", "ha", "hi",
		"dp", "ds", "st", "dn", "de", "qu", "un", "dv", "ta", "be" };

	atom(b, "(mp m)");
	atom(b, "(ms m)");
	atom(b, "(dm m)");
	for (unsigned int i = 0; i < sizeof(page) / sizeof(page[0]); i++)
		if (symbol_find(&b->s->w, page[i]) >= 0)
			atom(b, "(%s (pg m))", page[i]);
	atom(b, "(tp c m)");
	atom(b, "(ts c m)");
	b->s->nfree = b->s->natoms;
	atom(b, "(wait (owner (pg m)) c)");
	for (unsigned int i = 1; i <= b->s->npasses; i++)
		atom(b, "(sb%u (on (owner (pg m))) m)", i);
}

static void macros(struct build *b)
{
	char text[TEXT] = "(all m (and true";

	for (unsigned int i = 1; i <= b->s->npasses; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
			 " (not (sb%u c m))", i);
	strncat(text, "))", sizeof(text) - strlen(text) - 1);
	macro_add(&b->s->w, "drained", "c", text);
	macro_add(&b->s->w, "mine", "km",
		  "(and (owned (pg m)) (= (owner (pg m)) k))");
	macro_add(&b->s->w, "free", "m",
		  symbol_find(&b->s->w, "qu") < 0 ? "(not (owned (pg m)))" :
		  "(not (or (owned (pg m)) (qu (pg m))))");
	macro_add(&b->s->w, "honest", "m", b->lies ? "(not (ta (pg m)))" :
		  "true");
	macro_add(&b->s->w, "sees-private", "cm",
		  "(or (tp c m) (and (mp m) (not (ms m))))");
	macro_add(&b->s->w, "sees-shared", "cm",
		  "(or (ts c m) (and (mp m) (ms m)))");
}

static unsigned int passes(const struct airlock_order *o)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < o->nsteps; i++) {
		uint8_t kind = o->step[i] & AIRLOCK_STEP_KIND;

		n += kind >= AIRLOCK_STEP_NP &&
			kind <= AIRLOCK_STEP_FLIP_PRESENT;
	}
	return n;
}

/* Return: how many passes there really are. */
static unsigned int make(struct system *s, const struct proof_question *q,
			 unsigned int npasses)
{
	enum airlock_platform p = q->platform;
	bool amd = p == AIRLOCK_SEV || p == AIRLOCK_SNP;
	struct build b = { .s = s, .q = q };

	memset(s, 0, sizeof(*s));
	b.host = p != AIRLOCK_SEV && p != AIRLOCK_PLAIN;
	/* A paravisor is part of what the guest trusts. */
	b.lies = q->hostile && (p == AIRLOCK_SNP || p == AIRLOCK_TDX);
	b.lines = (amd && !(q->features & AIRLOCK_F_COHERENT)) ||
		p == AIRLOCK_TDX;
	b.evict = p == AIRLOCK_SNP && !(q->features & AIRLOCK_F_NO_EVICT);
	s->npasses = npasses;
	states(&b);
	macros(&b);
	atoms(&b);
	step_begin(&b, "idle");
	for (unsigned int to = 2; to-- > 0; )
		if (q->to[to])
			program(&b, (enum airlock_to)to);
	answer(&b);
	hardware(&b);
	lines(&b);
	stray_read(&b);
	unasked(&b);
	properties(&b);
	return b.pass;
}

/* How many passes the ways back take is known when they are written. */
void system_make(struct system *s, const struct proof_question *q)
{
	unsigned int n = 0, m;

	for (unsigned int to = 0; to < 2; to++)
		n += q->to[to] ? passes(&q->order[to]) : 0;
	if (!q->failing) {
		make(s, q, n);
		return;
	}
	m = make(s, q, n + 12);
	system_free(s);
	make(s, q, m);
}

void system_free(struct system *s)
{
	words_free(&s->w);
}
