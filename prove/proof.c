// SPDX-License-Identifier: GPL-2.0
/*
 * Obligations, as SMT-LIB, and what solvers say of them.
 *
 * No copy of the state after a rule is needed: what must hold before it for
 * an invariant to hold after it is a formula about the state before
 * (term_before()). An invariant that this leaves as it is, letter by letter,
 * is kept by form and makes no obligation.
 */
#include "proof.h"

#include <err.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- text ---- */

struct text {
	char *p;
	size_t size;
	FILE *f;
};

static FILE *text_begin(struct text *t)
{
	t->f = open_memstream(&t->p, &t->size);
	if (!t->f)
		err(3, "out of memory");
	return t->f;
}

static char *text_end(struct text *t)
{
	if (fclose(t->f))
		err(3, "out of memory");
	return t->p;
}

/* ---- what all queries share ---- */

static void print_symbol(FILE *to, const struct symbol *s)
{
	fprintf(to, "(declare-fun %s (", s->name);
	for (const char *a = s->args; *a; a++)
		fprintf(to, "%s%s", a > s->args ? " " : "", sort_name(*a));
	fprintf(to, ") %s)\n", sort_name(s->sort));
}

static char *head(const struct system *s)
{
	static const char letters[] = "cmjkCMPK";
	struct text t;
	FILE *to = text_begin(&t);

	fputs("(set-option :produce-models true)\n(set-logic ALL)\n"
	      "(declare-sort Cpu 0)\n(declare-sort Map 0)\n"
	      "(declare-sort Page 0)\n(declare-sort Call 0)\n"
	      "(declare-datatypes ((Step 0)) ((", to);
	for (unsigned int i = 0; i < s->nsteps; i++)
		fprintf(to, "(s%u)", i);
	fputs(")))\n", to);
	for (unsigned int i = 0; i < s->w.nsymbols; i++)
		print_symbol(to, &s->w.symbol[i]);
	for (const char *l = letters; *l; l++)
		fprintf(to, "(declare-const %c %s)\n", *l, sort_name(*l));
	return text_end(&t);
}

static bool speaks_of(const struct term *t, int letter)
{
	if (t->kind == T_VAR)
		return t->id == letter;
	for (unsigned int i = 0; i < t->n; i++)
		if (speaks_of(t->arg[i], letter))
			return true;
	return false;
}

/* "For all" of those of @letters that are in it. */
static void print_closed(FILE *to, const struct system *s,
			 const struct term *t, const char *letters)
{
	unsigned int n = 0;

	fputs("(assert ", to);
	for (const char *l = letters; *l; l++)
		if (speaks_of(t, *l))
			fprintf(to, "%s(%c %s)", n++ ? " " : "(forall (", *l,
				sort_name(*l));
	fputs(n ? ") " : "", to);
	term_print(to, &s->w, t);
	fputs(n ? "))\n" : ")\n", to);
}

static char *assumptions(const struct system *s, const struct invariants *v)
{
	struct text t;
	FILE *to = text_begin(&t);

	for (unsigned int i = 0; i < v->n; i++)
		print_closed(to, s, v->inv[i].term, "cmjk");
	return text_end(&t);
}

/* ---- queries ---- */

static struct query *query_new(struct proof *p)
{
	struct query *q;

	if (p->nquery == p->query_room) {
		p->query_room = p->query_room ? 2 * p->query_room : 64;
		p->query = realloc(p->query,
				   p->query_room * sizeof(*p->query));
		if (!p->query)
			err(3, "out of memory");
	}
	q = &p->query[p->nquery++];
	*q = (struct query){ NULL, p->nob, 0 };
	return q;
}

/* @about: what m and c are in a model of its failure, beside the goal. */
__attribute__((format(printf, 5, 6)))
static void oblige(struct proof *p, const struct system *s,
		   const struct term *goal, const char *about, const char *fmt,
		   ...)
{
	struct obligation *o;
	struct text t;
	va_list ap;

	if (p->nob == p->ob_room) {
		p->ob_room = p->ob_room ? 2 * p->ob_room : 256;
		p->ob = realloc(p->ob, p->ob_room * sizeof(*p->ob));
		if (!p->ob)
			err(3, "out of memory");
	}
	o = &p->ob[p->nob++];
	p->query[p->nquery - 1].n++;
	va_start(ap, fmt);
	vsnprintf(o->name, sizeof(o->name), fmt, ap);
	va_end(ap);
	text_begin(&t);
	fputs("(and (not ", t.f);
	term_print(t.f, &s->w, goal);
	fprintf(t.f, ")%s)", about);
	o->goal = text_end(&t);
}

/* (f x y) as its own parameters. */
static const struct term *itself(struct system *s, int symbol)
{
	const struct symbol *sym = &s->w.symbol[symbol];
	const struct term *arg[MAX_ARGS];
	unsigned int n = 0;

	for (const char *a = sym->args; *a; a++)
		arg[n++] = term_new(&s->w, T_VAR, *a, 0, NULL);
	return term_new(&s->w, T_APP, symbol, n, arg);
}

/* The first state has the invariants: the assumption is that state instead. */
static void at_start(struct proof *p, struct system *s,
		     const struct invariants *v)
{
	struct query *q = query_new(p);
	struct text t;

	text_begin(&t);
	for (unsigned int i = 0; i < s->ninit; i++)
		print_closed(t.f, s, term_pair(&s->w, T_EQ,
					       itself(s, s->init[i].symbol),
					       s->init[i].value), "cdmpk");
	q->context = text_end(&t);
	for (unsigned int i = 0; i < v->n; i++)
		oblige(p, s, v->inv[i].term, "", "at the start: %s",
		       v->inv[i].name);
}

/* A rule that misses something is told by its own page, on its own CPU. */
static const char *the_rules_own(const struct rule *r)
{
	if (!strchr(r->about, 'M'))
		return "";
	return strchr(r->about, 'K') ? " (= m M) (= c (on K))" : " (= m M)";
}

static void by_rule(struct proof *p, struct system *s,
		    const struct invariants *v, const struct rule *r)
{
	struct query *q = query_new(p);
	struct text t;

	text_begin(&t);
	print_closed(t.f, s, r->guard, "");
	q->context = text_end(&t);
	for (unsigned int i = 0; i < r->nneeds; i++)
		oblige(p, s, r->need[i].term, the_rules_own(r), "%s %s",
		       r->name, r->need[i].what);
	for (unsigned int i = 0; i < v->n; i++) {
		const struct term *t0 = v->inv[i].term;
		const struct term *t1 = term_before(&s->w, t0, r->set,
						    r->nsets);

		if (t1 != t0)
			oblige(p, s, t1, "", "%s keeps: %s", r->name,
			       v->inv[i].name);
	}
}

static void properties(struct proof *p, const struct system *s)
{
	query_new(p)->context = strdup("");
	for (unsigned int i = 0; i < s->nprops; i++)
		oblige(p, s, s->prop[i].term, "", "implied: %s", s->prop[i].what);
}

void proof_make(struct proof *p, struct system *s, const struct invariants *v)
{
	memset(p, 0, sizeof(*p));
	p->head = head(s);
	p->assume = assumptions(s, v);
	p->nrules = s->nrules;
	p->nsteps = s->nsteps;
	p->ninvariants = v->n;
	at_start(p, s, v);
	for (unsigned int i = 0; i < s->nrules; i++)
		by_rule(p, s, v, &s->rule[i]);
	properties(p, s);
}

void proof_free(struct proof *p)
{
	for (unsigned int i = 0; i < p->nob; i++)
		free(p->ob[i].goal);
	for (unsigned int i = 0; i < p->nquery; i++)
		free(p->query[i].context);
	free(p->ob);
	free(p->query);
	free(p->head);
	free(p->assume);
}

/* ---- asking ---- */

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

struct asker {
	const struct proof *p;
	const struct system *sys;
	struct solver s;
	struct answers *a;
};

static enum solver_answer ask(const struct proof *p, struct solver *s,
			      unsigned int first, unsigned int n)
{
	fputs("(assert (or false", s->in);
	for (unsigned int i = first; i < first + n; i++)
		fprintf(s->in, " %s", p->ob[i].goal);
	fputs("))\n", s->in);
	return solver_check(s);
}

/* What a model says of @term, as the solver writes it. */
static bool value(struct solver *s, struct answers *a, const char *term)
{
	struct model_value *v = &a->value[a->nvalues];

	snprintf(v->term, sizeof(v->term), "%s", term);
	if (!solver_value(s, term, v->value, sizeof(v->value)))
		return false;
	a->nvalues++;
	return true;
}

static void read_model(struct asker *k, struct solver *s, unsigned int of)
{
	struct answers *a = k->a;

	if (a->model_read)
		return;
	a->model_read = true;
	a->model_of = of;
	if (symbol_find(&k->sys->w, "owned") < 0)
		return;		/* the window's: no page to tell of */
	if (!value(s, a, "(owned (pg m))") ||
	    !value(s, a, "(pc (owner (pg m)))"))
		return;
	for (unsigned int i = 0; i < k->sys->natoms; i++) {
		struct text t;
		char *term;
		bool ok;

		text_begin(&t);
		term_print(t.f, &k->sys->w, k->sys->atom[i]);
		term = text_end(&t);
		ok = value(s, a, term);
		free(term);
		if (!ok)
			return;
	}
}

static void assume(const struct proof *p, const struct query *q, FILE *to)
{
	fprintf(to, "(push 1)\n%s%s", q == p->query ? "" : p->assume,
		q->context);
}

/* cvc5 says "unknown" of what has a model, unless it is to look for one. */
static enum solver_answer look_for_model(struct asker *k,
					 const struct query *q,
					 unsigned int of)
{
	enum solver_answer r;
	struct solver s;

	if (!solver_start(&s, k->s.name, true))
		err(3, "%s", solver_names[k->s.name]);
	fputs(k->p->head, s.in);
	assume(k->p, q, s.in);
	r = ask(k->p, &s, of, 1);
	if (r == SOLVER_SAT)
		read_model(k, &s, of);
	solver_stop(&s);
	return r;
}

/* One by one, where together they are not unsat. */
static bool apart(struct asker *k, const struct query *q)
{
	struct answers *a = k->a;

	for (unsigned int i = q->first; i < q->first + q->n; i++) {
		fputs("(push 1)\n", k->s.in);
		a->of[i] = ask(k->p, &k->s, i, 1);
		if (a->of[i] == SOLVER_SAT)
			read_model(k, &k->s, i);
		if (a->of[i] == SOLVER_UNKNOWN)
			a->of[i] = look_for_model(k, q, i);
		if (a->of[i] == SOLVER_DEAD)
			return false;
		a->open += a->of[i] == SOLVER_SAT;
		a->unknown += a->of[i] == SOLVER_UNKNOWN;
		fputs("(pop 1)\n", k->s.in);
	}
	return true;
}

static bool one_query(struct asker *k, const struct query *q)
{
	enum solver_answer r;
	bool ok = true;

	if (!q->n)
		return true;
	assume(k->p, q, k->s.in);
	fputs("(push 1)\n", k->s.in);
	r = ask(k->p, &k->s, q->first, q->n);
	fputs("(pop 1)\n", k->s.in);
	for (unsigned int i = q->first; i < q->first + q->n; i++)
		k->a->of[i] = r;
	if (r == SOLVER_DEAD)
		return false;
	if (r != SOLVER_UNSAT)
		ok = apart(k, q);
	fputs("(pop 1)\n", k->s.in);
	return ok;
}

void proof_ask(const struct proof *p, enum solver_name name,
	       const struct system *sys, struct answers *a)
{
	struct asker k = { .p = p, .sys = sys, .a = a };
	double begin = now();
	bool ok = true;

	memset(a, 0, sizeof(*a));
	a->of = calloc(p->nob + 1, sizeof(*a->of));
	if (!a->of)
		err(3, "out of memory");
	if (!solver_start(&k.s, name, false))
		err(3, "%s", solver_names[name]);
	fputs(p->head, k.s.in);
	for (unsigned int i = 0; ok && i < p->nquery; i++)
		ok = one_query(&k, &p->query[i]);
	snprintf(a->said, sizeof(a->said), "%s", k.s.said);
	solver_stop(&k.s);
	a->seconds = now() - begin;
	a->verdict = !ok ? PROOF_DIED : a->open ? PROOF_OPEN :
		a->unknown ? PROOF_GAVE_UP : PROOF_PROVED;
}

void answers_free(struct answers *a)
{
	free(a->of);
}
