// SPDX-License-Identifier: GPL-2.0
/*
 * Is the proof about anything? With the default order: every rule can fire
 * from a state that the invariants allow, but those that a safe order has no
 * use for; and whichever guard is left out, on some platform an obligation is
 * open, which z3 has a model of.
 */
#include "proof.h"
#include "window.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>

static unsigned int passed, failed;

static void ok(bool good, const char *what, const char *which)
{
	passed += good;
	failed += !good;
	if (!good)
		printf("FAILED: %s: %s\n", what, which);
}

struct made {
	struct system s;
	struct small sm;
	struct invariants v;
	struct proof p;
};

enum host { BENIGN, FAILING, HOSTILE };

/* Some are about the way back, or about lies. */
static enum host host_of(const char *drop)
{
	if (!strcmp(drop, "doubt") || !strcmp(drop, "undo-done"))
		return FAILING;
	return !strcmp(drop, "unchanged") || !strcmp(drop, "given-up") ?
		HOSTILE : BENIGN;
}

static void make_question(struct made *m, const struct proof_question *q)
{
	system_make(&m->s, q);
	small_run(&m->sm, &m->s, false);
	invariants_make(&m->v, &m->s, &m->sm);
	proof_make(&m->p, &m->s, &m->v);
}

static void make(struct made *m, enum airlock_platform p, const char *drop,
		 enum host host)
{
	struct proof_question q = {
		.platform = p, .to = { true, true }, .drop = drop,
		.failing = host != BENIGN, .hostile = host == HOSTILE,
		.order = { airlock_default_order, airlock_default_order },
	};

	make_question(m, &q);
}

static void unmake(struct made *m)
{
	proof_free(&m->p);
	invariants_free(&m->v);
	small_free(&m->sm);
	system_free(&m->s);
}

static bool open_somewhere(const char *drop)
{
	static const enum airlock_platform order[] = {
		AIRLOCK_VTOM, AIRLOCK_SEV, AIRLOCK_TDX, AIRLOCK_SNP,
	};
	bool open = false;

	for (size_t i = 0; !open && i < sizeof(order) / sizeof(order[0]); i++) {
		struct answers a;
		struct made m;

		make(&m, order[i], drop, host_of(drop));
		if (m.s.dropped) {
			proof_ask(&m.p, SOLVER_Z3, &m.s, &a);
			open = a.verdict == PROOF_OPEN && a.nvalues;
			answers_free(&a);
		}
		unmake(&m);
	}
	return open;
}

/* What a rule needs is a state of the invariants in which its guard holds. */
static void fires(struct made *m, struct solver *s, unsigned int i)
{
	const struct query *q = &m->p.query[1 + i];	/* after the start's */

	fprintf(s->in, "(push 1)\n%s", q->context);
	ok(solver_check(s) == SOLVER_SAT, "does not fire",
	   m->s.rule[i].name);
	fputs("(pop 1)\n", s->in);
}

static void all_fire(enum airlock_platform p, enum host host)
{
	struct solver s;
	struct made m;

	make(&m, p, NULL, host);
	if (!solver_start(&s, SOLVER_Z3, true))
		err(3, "z3");
	fprintf(s.in, "%s%s", m.p.head, m.p.assume);
	for (unsigned int i = 0; i < m.s.nrules; i++)
		if (strncmp(m.s.rule[i].name, "a stray read", 12))
			fires(&m, &s, i);
		else
			ok(!m.sm.fired[i], "fires", m.s.rule[i].name);
	solver_stop(&s);
	unmake(&m);
}

/*
 * Where a rule misses what it needs, m and c, by which the state is told, are
 * the page and the CPU of that rule and no others.
 */
static void told_by_its_own(void)
{
	struct proof_question q = {
		.platform = AIRLOCK_TDX, .to = { false, true },
	};
	const char *open = "4 cache: CLFLUSH finds";
	struct solver s;
	struct made m;
	char *goal = NULL;

	airlock_order_named("v2", q.platform, AIRLOCK_TO_SHARED, &q.order[1]);
	make_question(&m, &q);
	for (unsigned int i = 0; i < m.p.nob; i++)
		if (!strncmp(m.p.ob[i].name, open, strlen(open)))
			goal = m.p.ob[i].goal;
	if (!goal || !solver_start(&s, SOLVER_Z3, true))
		err(3, "z3, or what it is asked");
	fprintf(s.in, "%s(assert %s)\n", m.p.head, goal);
	ok(solver_check(&s) == SOLVER_SAT, "no state", open);
	fputs("(assert (not (and (= m M) (= c (on K)))))\n", s.in);
	ok(solver_check(&s) == SOLVER_UNSAT, "told of another page", open);
	solver_stop(&s);
	unmake(&m);
}

static void make_window(struct made *m, const char *drop)
{
	memset(&m->sm, 0, sizeof(m->sm));
	window_make(&m->s, &m->v, drop);
	proof_make(&m->p, &m->s, &m->v);
}

static bool window_open(const char *drop)
{
	struct answers a;
	struct made m;
	bool open;

	make_window(&m, drop);
	proof_ask(&m.p, SOLVER_Z3, &m.s, &a);
	open = a.verdict == PROOF_OPEN && m.s.dropped;
	answers_free(&a);
	unmake(&m);
	return open;
}

static void window_fires(void)
{
	struct solver s;
	struct made m;

	make_window(&m, NULL);
	if (!solver_start(&s, SOLVER_Z3, true))
		err(3, "z3");
	fprintf(s.in, "%s%s", m.p.head, m.p.assume);
	for (unsigned int i = 0; i < m.s.nrules; i++)
		fires(&m, &s, i);
	solver_stop(&s);
	unmake(&m);
}

int main(void)
{
	window_fires();
	for (unsigned int i = 0; i < window_guard_count; i++)
		ok(window_open(window_guards[i].name), "nothing needs",
		   window_guards[i].name);
	told_by_its_own();
	for (unsigned int i = 0; i < guard_count; i++)
		ok(open_somewhere(guard_names[i].name), "nothing needs",
		   guard_names[i].name);
	all_fire(AIRLOCK_SNP, BENIGN);
	all_fire(AIRLOCK_TDX, BENIGN);
	all_fire(AIRLOCK_VTOM, FAILING);
	all_fire(AIRLOCK_SNP, HOSTILE);
	all_fire(AIRLOCK_TDX, HOSTILE);
	printf("%u passed, %u failed\n", passed, failed);
	return failed != 0;
}
