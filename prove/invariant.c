// SPDX-License-Identifier: GPL-2.0
/*
 * Invariants: what the states of the small instance have in common, as
 * formulas. At each program step the states seen are a set of bit vectors,
 * one bit an atom. Bits that never differ are facts by themselves; of the
 * rest, every vector that was not seen is ruled out by a clause that is made
 * as short as it goes. So the formula is true of what was seen, and of
 * nothing else.
 */
#include "system.h"

#include <err.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define MAX_OPEN	20	/* atoms that differ, at one step */

struct cube {
	uint32_t care, value;
};

struct cover {
	struct system *s;
	const struct facts *f;
	unsigned int open[MAX_OPEN], nopen;
	uint32_t fixed, value;		/* atoms that never differ */
	struct cube *cube;
	unsigned int ncubes, room;
};

static struct invariant *add(struct invariants *v)
{
	if (v->n == v->room) {
		v->room = v->room ? 2 * v->room : 64;
		v->inv = realloc(v->inv, v->room * sizeof(*v->inv));
		if (!v->inv)
			err(3, "out of memory");
	}
	return memset(&v->inv[v->n++], 0, sizeof(*v->inv));
}

static void find_open(struct cover *k, unsigned int natoms)
{
	uint32_t all = k->f->mask[0], any = all;

	for (unsigned int i = 0; i < k->f->n; i++) {
		all &= k->f->mask[i];
		any |= k->f->mask[i];
	}
	k->fixed = ~(all ^ any);
	k->value = all;
	for (unsigned int i = 0; i < natoms; i++) {
		if (k->fixed >> i & 1)
			continue;
		if (k->nopen == MAX_OPEN)
			errx(3, "prove: more than %d facts that differ at a step",
			     MAX_OPEN);
		k->open[k->nopen++] = i;
	}
}

static bool was_seen(const struct facts *f, struct cube c)
{
	for (unsigned int i = 0; i < f->n; i++)
		if (!((f->mask[i] ^ c.value) & c.care))
			return true;
	return false;
}

/* Spread the bits of @n over the open atoms. */
static uint32_t vector(const struct cover *k, uint32_t n)
{
	uint32_t v = 0;

	for (unsigned int i = 0; i < k->nopen; i++)
		v |= (n >> i & 1) << k->open[i];
	return v;
}

static bool is_covered(const struct cover *k, uint32_t v)
{
	for (unsigned int i = 0; i < k->ncubes; i++)
		if (!((v ^ k->cube[i].value) & k->cube[i].care))
			return true;
	return false;
}

/* The largest set around @v of which no member was seen. */
static void cover_one(struct cover *k, uint32_t v)
{
	struct cube c = { 0, v };

	for (unsigned int i = 0; i < k->nopen; i++)
		c.care |= UINT32_C(1) << k->open[i];
	for (unsigned int i = 0; i < k->nopen; i++) {
		struct cube less = c;

		less.care &= ~(UINT32_C(1) << k->open[i]);
		if (!was_seen(k->f, less))
			c = less;
	}
	c.value &= c.care;
	if (k->ncubes == k->room) {
		k->room = k->room ? 2 * k->room : 32;
		k->cube = realloc(k->cube, k->room * sizeof(*k->cube));
		if (!k->cube)
			err(3, "out of memory");
	}
	k->cube[k->ncubes++] = c;
}

static const struct term *literal(const struct cover *k, unsigned int i,
				  bool value)
{
	const struct term *t = k->s->atom[i];

	return value ? t : term_not(&k->s->w, t);
}

/* Not this: one of its bits is otherwise. */
static const struct term *clause(const struct cover *k, struct cube c)
{
	const struct term *t = term_parse(&k->s->w, "false");

	for (unsigned int i = 0; i < k->s->natoms; i++)
		if (c.care >> i & 1)
			t = term_pair(&k->s->w, T_OR, t,
				      literal(k, i, !(c.value >> i & 1)));
	return t;
}

/* What holds of a page wherever @f was seen. */
static const struct term *common(struct system *s, const struct facts *f,
				 unsigned int natoms)
{
	struct cover k = { .s = s, .f = f };
	const struct term *t = term_parse(&s->w, "true");

	if (!f->n)
		return term_parse(&s->w, "false");
	find_open(&k, natoms);
	for (uint32_t i = 0; i < UINT32_C(1) << k.nopen; i++) {
		uint32_t v = vector(&k, i);

		if (!is_covered(&k, v) &&
		    !was_seen(f, (struct cube){ ~k.fixed, v }))
			cover_one(&k, v);
	}
	for (unsigned int i = 0; i < natoms; i++)
		if (k.fixed >> i & 1)
			t = term_pair(&s->w, T_AND, t,
				      literal(&k, i, k.value >> i & 1));
	for (unsigned int i = 0; i < k.ncubes; i++)
		t = term_pair(&s->w, T_AND, t, clause(&k, k.cube[i]));
	free(k.cube);
	return t;
}

__attribute__((format(printf, 3, 4)))
static void invariant(struct invariants *v, const struct term *t,
		      const char *fmt, ...)
{
	struct invariant *i;
	va_list ap;

	if (t->kind == T_TRUE)
		return;
	i = add(v);
	i->term = t;
	va_start(ap, fmt);
	vsnprintf(i->name, sizeof(i->name), fmt, ap);
	va_end(ap);
}

static const struct term *text(struct system *s, const char *fmt, unsigned int n)
{
	char buf[160];

	snprintf(buf, sizeof(buf), fmt, n);
	return term_parse(&s->w, buf);
}

static void at_step(struct invariants *v, struct system *s,
		    const struct small *sm, unsigned int i)
{
	const struct term *here =
		text(s, "(and (owned (pg m)) (= (pc (owner (pg m))) s%u))", i);

	invariant(v, term_pair(&s->w, T_IMPLIES, here,
			       common(s, &sm->at[i], s->natoms)),
		  "step %s", s->step[i]);
	if (!sm->waits[i])
		invariant(v, text(s, "(=> (= (pc k) s%u) (not (wait k c)))",
				  i), "no answer awaited at %s", s->step[i]);
}

void invariants_make(struct invariants *v, struct system *s,
		     const struct small *sm)
{
	memset(v, 0, sizeof(*v));
	invariant(v, term_pair(&s->w, T_IMPLIES,
			       term_parse(&s->w, "(not (owned (pg m)))"),
			       common(s, &sm->free, s->nfree)),
		  "pages that nobody owns");
	for (unsigned int i = 1; i <= s->npasses; i++)
		invariant(v, text(s, "(=> (sb%u c m) (and (owned (pg m)) "
				  "(= (on (owner (pg m))) c)))", i),
			  "stores of pass %u", i);
	for (unsigned int i = 0; i < s->nsteps; i++)
		at_step(v, s, sm, i);
}

void invariants_free(struct invariants *v)
{
	free(v->inv);
}
