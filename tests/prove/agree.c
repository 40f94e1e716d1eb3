// SPDX-License-Identifier: GPL-2.0
/*
 * agree [--failing|--hostile] [--solver NAME] N [PART OF]: for every named order, and
 * for every order of up to N steps, on every platform and to both directions:
 * the lab says safe exactly where the proof goes through. PART and OF divide
 * the work; --failing: of a host that may refuse, --hostile: that lies.
 *
 * The small instance decides what there is to prove: if something goes wrong
 * in it, no invariant could imply the properties, and the lab must have a
 * counterexample. If not, the solvers are asked, once for each system that
 * differs from all before.
 */
#include "proof.h"
#include "lab.h"
#include "transition.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>

static const enum airlock_platform platforms[] = {
	AIRLOCK_TDX, AIRLOCK_SNP, AIRLOCK_VTOM, AIRLOCK_TDP, AIRLOCK_SEV,
};

static unsigned long asked, safe, differ, proved, systems;

static enum lab_host host;
static const char *only;	/* one solver, or NULL: all; "none": none */

/* Systems that were proved, by their text. */
static char **known;
static size_t nknown;

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool lab_safe(const struct lab_config *q)
{
	const char *why = NULL;
	struct lab *l = lab_new(q, &why);
	struct explore_limits lim = { .states = 1000000 };
	struct explore *x;
	enum explore_result r;

	if (!l)
		errx(3, "the lab takes no such question: %s", why);
	x = explore_new(lab_model(l));
	r = explore_run(x, &lim);
	explore_free(x);
	lab_free(l);
	if (r != EXPLORE_DONE && r != EXPLORE_BAD)
		errx(3, "the lab did not come to an end: %d", (int)r);
	return r == EXPLORE_DONE;
}

/* All that the solvers would be sent. */
static char *text_of(const struct proof *p)
{
	size_t size;
	char *s;
	FILE *f = open_memstream(&s, &size);

	if (!f)
		err(3, "out of memory");
	fprintf(f, "%s%s", p->head, p->assume);
	for (unsigned int i = 0; i < p->nquery; i++)
		fprintf(f, "%s", p->query[i].context);
	for (unsigned int i = 0; i < p->nob; i++)
		fprintf(f, "%s\n", p->ob[i].goal);
	if (fclose(f))
		err(3, "out of memory");
	return s;
}

static bool is_known(char *text)
{
	return nknown && bsearch(&text, known, nknown, sizeof(*known), compare);
}

static void know(char *text)
{
	known = realloc(known, (nknown + 1) * sizeof(*known));
	if (!known)
		err(3, "out of memory");
	known[nknown++] = text;
	qsort(known, nknown, sizeof(*known), compare);
}

static bool solvers_say_so(struct system *s, const struct small *sm)
{
	struct invariants v;
	struct proof p;
	bool ok = true;
	char *text;

	invariants_make(&v, s, sm);
	proof_make(&p, s, &v);
	text = text_of(&p);
	if (is_known(text)) {
		free(text);
	} else {
		systems++;
		for (unsigned int n = 0; n < SOLVERS; n++) {
			struct answers a;

			if (only && strcmp(only, solver_names[n]))
				continue;
			proof_ask(&p, (enum solver_name)n, s, &a);
			ok = ok && a.verdict == PROOF_PROVED;
			answers_free(&a);
		}
		if (ok)
			know(text);
		else
			free(text);
	}
	proof_free(&p);
	invariants_free(&v);
	return ok;
}

static bool proof_goes_through(const struct lab_config *q)
{
	struct proof_question pq = {
		.platform = q->platform, .features = q->features,
		.failing = host != LAB_HOST_BENIGN,
		.hostile = host == LAB_HOST_HOSTILE,
	};
	struct system s;
	struct small sm;
	bool ok;

	pq.to[q->to] = true;
	pq.order[q->to] = q->order;
	system_make(&s, &pq);
	small_run(&sm, &s, true);
	ok = !sm.bad && solvers_say_so(&s, &sm);
	small_free(&sm);
	system_free(&s);
	return ok;
}

static void compare_one(const struct lab_config *q)
{
	bool lab = lab_safe(q), proof = proof_goes_through(q);
	char text[200];

	asked++;
	safe += lab;
	proved += proof;
	if (lab == proof)
		return;
	differ++;
	airlock_order_print(&q->order, text, sizeof(text));
	printf("DIFFERS: platform %d to %s: %s: the lab says %s, the proof %s\n",
	       (int)q->platform, q->to ? "shared" : "private", text,
	       lab ? "safe" : "UNSAFE", proof ? "goes through" : "does not");
}

static void on_all(const struct airlock_order *o, const char *name)
{
	for (unsigned int i = 0; i < 10; i++) {
		struct lab_config q;

		lab_config_default(&q);
		q.platform = platforms[i / 2];
		q.host = host;
		q.to = i & 1 ? AIRLOCK_TO_SHARED : AIRLOCK_TO_PRIVATE;
		if (o)
			q.order = *o;
		else if (airlock_order_named(name, q.platform, q.to, &q.order))
			errx(3, "no order %s", name);
		compare_one(&q);
	}
}

static const uint8_t vocabulary[] = {
	AIRLOCK_STEP_NP, AIRLOCK_STEP_FLIP, AIRLOCK_STEP_NP_FLIP,
	AIRLOCK_STEP_PRESENT, AIRLOCK_STEP_FLIP_PRESENT, AIRLOCK_STEP_TLB,
	AIRLOCK_STEP_CACHE, AIRLOCK_STEP_CACHE | AIRLOCK_STEP_WINDOW,
	AIRLOCK_STEP_PREPARE, AIRLOCK_STEP_PREPARE | AIRLOCK_STEP_WINDOW,
	AIRLOCK_STEP_NOTIFY, AIRLOCK_STEP_NOTIFY | AIRLOCK_STEP_WINDOW,
	AIRLOCK_STEP_ALIAS,
};
#define WORDS (sizeof(vocabulary))

static void orders(struct airlock_order *o, unsigned int n, unsigned int part,
		   unsigned int of)
{
	static unsigned int count;

	if (!airlock_order_check(o) && count++ % of == part)
		on_all(o, NULL);
	if (o->nsteps == n)
		return;
	for (size_t i = 0; i < WORDS; i++) {
		o->step[o->nsteps++] = vocabulary[i];
		orders(o, n, part, of);
		o->step[--o->nsteps] = 0;
	}
}

static unsigned int number(const char *text)
{
	return text ? (unsigned int)atoi(text) : 0;
}

int main(int argc, char **argv)
{
	unsigned int n, part, of;
	struct airlock_order o = { 0 };

	if (argc > 1 && (!strcmp(argv[1], "--failing") ||
			 !strcmp(argv[1], "--hostile"))) {
		host = argv[1][2] == 'f' ? LAB_HOST_FAILING : LAB_HOST_HOSTILE;
		argc--;
		argv++;
	}
	if (argc > 2 && !strcmp(argv[1], "--solver")) {
		only = argv[2];
		argc -= 2;
		argv += 2;
	}
	n = number(argv[1]);
	part = argc > 3 ? number(argv[2]) : 0;
	of = argc > 3 ? number(argv[3]) : 1;
	if (!n || n > 6 || part >= of)
		errx(2, "usage: agree [--failing|--hostile] [--solver NAME] STEPS [PART OF]");
	for (unsigned int i = 0; !part && i < airlock_named_order_count; i++)
		on_all(NULL, airlock_named_orders[i].name);
	orders(&o, n, part, of);
	printf("%lu questions: %lu safe, %lu proved by %lu systems that differ"
	       "\n", asked, safe, proved, systems);
	printf("%lu passed, %lu failed\n", asked - differ, differ);
	return differ != 0;
}
