// SPDX-License-Identifier: GPL-2.0
/*
 * The seam, on every platform and in both directions, with the default order;
 * then with something wrong: the proof's system of another order, a guard less
 * or an invariant that is not true must be noticed.
 *
 * seam --as-it-is: that alone, to the first that does not hold, for mutants.
 */
#include "lab.h"
#include "seam.h"

#include <stdlib.h>
#include <string.h>

static unsigned int passed, failed;

struct made {
	struct system s;
	struct small sm;
	struct invariants v;
};

static void make(struct made *m, const struct lab_config *q,
		 const struct airlock_order *o)
{
	struct proof_question pq = {
		.platform = q->platform, .failing = q->host == LAB_HOST_FAILING,
	};

	pq.to[q->to] = true;
	pq.order[q->to] = *o;
	system_make(&m->s, &pq);
	small_run(&m->sm, &m->s, false);
	invariants_make(&m->v, &m->s, &m->sm);
}

static void unmake(struct made *m)
{
	invariants_free(&m->v);
	small_free(&m->sm);
	system_free(&m->s);
}

/* @i: platform and direction; from 10 on, with a host that fails. */
static void config(struct lab_config *q, unsigned int i)
{
	static const enum airlock_platform p[] = {
		AIRLOCK_TDX, AIRLOCK_SNP, AIRLOCK_VTOM, AIRLOCK_TDP,
		AIRLOCK_SEV,
	};

	lab_config_default(q);
	q->reduce = false;
	q->pages = 1;
	q->platform = p[i % 10 / 2];
	q->host = i < 10 ? LAB_HOST_BENIGN : LAB_HOST_FAILING;
	q->to = i & 1 ? AIRLOCK_TO_SHARED : AIRLOCK_TO_PRIVATE;
}

static void verdict(const struct lab_config *q, const struct made *m,
		    bool want, const char *what)
{
	struct explore_limits lim = { .states = 1000000 };
	struct seam r;
	bool good = seam_check(q, &m->s, &m->v, &lim, &r) == want;

	passed += good;
	failed += !good;
	printf("%s platform %d to %s, %s: %lu states, %lu pairs, %lu transitions %s\n",
	       good ? "ok" : "FAILED:", (int)q->platform,
	       q->to ? "shared" : "private", what, (unsigned long)r.states,
	       (unsigned long)r.pairs, (unsigned long)r.transitions, r.why);
	if (r.why[0])
		printf("    %s\n    before: %s\n    after: %s\n", r.event,
		       r.before, r.after);
}

static void holds(unsigned int i)
{
	struct lab_config q;
	struct made m;

	config(&q, i);
	make(&m, &q, &q.order);
	verdict(&q, &m, true, i < 10 ? "as it is" : "as it is, a failing host");
	unmake(&m);
}

/* The engine runs one order, the proof is of another. */
static void other_order(unsigned int i, const char *text)
{
	struct airlock_order o;
	struct lab_config q;
	struct made m;

	config(&q, i);
	airlock_order_parse(text, &o, NULL);
	make(&m, &q, &o);
	verdict(&q, &m, false, text);
	unmake(&m);
}

/* The lab's host fails, and the proof knows no way back. */
static void other_host(unsigned int i)
{
	struct lab_config q;
	struct made m;

	config(&q, i % 10);
	make(&m, &q, &q.order);
	q.host = LAB_HOST_FAILING;
	verdict(&q, &m, false, "a failing host that is not in the proof");
	unmake(&m);
}

/* Each invariant that says something of a step: its opposite is no better. */
static void other_invariant(unsigned int i)
{
	struct lab_config q;
	struct made m;
	unsigned int n = 0;

	config(&q, i);
	make(&m, &q, &q.order);
	while (strncmp(m.v.inv[n].name, "step 3 tlb", 10))
		n++;
	m.v.inv[n].term = term_parse(&m.s.w, "(=> (owned (pg m)) (mp m))");
	verdict(&q, &m, false, "an invariant that is not true");
	unmake(&m);
}

int main(int argc, char **argv)
{
	bool only = argc > 1 && !strcmp(argv[1], "--as-it-is");

	for (unsigned int i = 0; i < 20 && !(only && failed); i++)
		holds(i);
	if (only)
		return failed != 0;
	other_order(5, "np+flip, notify, tlb, present");
	other_order(4, "np+flip, tlb, present, notify");
	other_order(3, "np+flip, tlb, prepare@window, cache@window, notify, "
		    "present");
	other_host(4);
	other_host(3);
	other_invariant(5);
	other_invariant(2);
	printf("%u passed, %u failed\n", passed, failed);
	return failed != 0;
}
