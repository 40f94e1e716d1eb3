// SPDX-License-Identifier: GPL-2.0
/*
 * The seam, on every platform and in both directions, with the default order;
 * then with something wrong: the proof's system of another order, a guard less
 * or an invariant that is not true must be noticed.
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
	struct proof_question pq = { .platform = q->platform };

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

static void config(struct lab_config *q, unsigned int i)
{
	static const enum airlock_platform p[] = {
		AIRLOCK_TDX, AIRLOCK_SNP, AIRLOCK_VTOM, AIRLOCK_TDP,
		AIRLOCK_SEV,
	};

	lab_config_default(q);
	q->reduce = false;
	q->pages = 1;
	q->platform = p[i / 2];
	q->to = i & 1 ? AIRLOCK_TO_SHARED : AIRLOCK_TO_PRIVATE;
}

static void verdict(const struct lab_config *q, const struct made *m,
		    bool want, const char *what)
{
	struct seam r;
	bool good = seam_check(q, &m->s, &m->v, &r) == want;

	passed += good;
	failed += !good;
	printf("%s platform %d to %s, %s: %lu states, %lu pairs, %lu transitions %s\n",
	       good ? "ok" : "FAILED:", (int)q->platform,
	       q->to ? "shared" : "private", what, r.states, r.pairs,
	       r.transitions, r.why);
}

static void holds(unsigned int i)
{
	struct lab_config q;
	struct made m;

	config(&q, i);
	make(&m, &q, &q.order);
	verdict(&q, &m, true, "as it is");
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

int main(void)
{
	for (unsigned int i = 0; i < 10; i++)
		holds(i);
	other_order(5, "np+flip, notify, tlb, present");
	other_order(4, "np+flip, tlb, present, notify");
	other_order(3, "np+flip, tlb, prepare@window, cache@window, notify, "
		    "present");
	other_invariant(5);
	other_invariant(2);
	printf("%u passed, %u failed\n", passed, failed);
	return failed != 0;
}
