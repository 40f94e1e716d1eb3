// SPDX-License-Identifier: GPL-2.0
/*
 * The small instance: two CPUs, one page with one mapping, one call. It is
 * explored to the end, and every state says what one page can look like to
 * one CPU while its owner is at some step. The invariants come from that, and
 * only the solvers say whether they hold for any number.
 *
 * A state is a value for every symbol and every argument, a byte each.
 */
#include "system.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>

#define MAX_VALUES	128

struct explorer {
	struct small *sm;
	const struct system *s;
	unsigned int at[MAX_SYMBOLS];	/* where its values begin */
	unsigned int values;
	uint8_t *state;			/* all of them, side by side */
	uint32_t *from, *by;		/* the state before, the rule */
	uint32_t n, room;
	uint32_t *table;		/* numbers + 1, by hash */
	uint32_t table_size;
	uint32_t bad_at;
	bool stop;
};

static unsigned int size_of(char sort)
{
	return strchr("cdC", sort) ? SMALL_CPUS : 1;
}

/* ---- what a term is in a state ---- */

static uint8_t eval(const struct explorer *x, const struct term *t,
		    const uint8_t *st, uint8_t *env);

static unsigned int place(const struct explorer *x, const struct term *t,
			  const uint8_t *st, uint8_t *env)
{
	const struct symbol *s = &x->s->w.symbol[t->id];
	unsigned int i = 0;

	for (unsigned int k = 0; k < t->n; k++)
		i = i * size_of(s->args[k]) + eval(x, t->arg[k], st, env);
	return x->at[t->id] + i;
}

static bool eval_all(const struct explorer *x, const struct term *t,
		     const uint8_t *st, uint8_t *env)
{
	uint8_t keep = env[t->id];
	bool all = true;

	for (unsigned int i = 0; all && i < size_of((char)t->id); i++) {
		env[t->id] = (uint8_t)i;
		all = eval(x, t->arg[0], st, env);
	}
	env[t->id] = keep;
	return all;
}

static bool eval_some(const struct explorer *x, const struct term *t,
		      const uint8_t *st, uint8_t *env, bool what)
{
	for (unsigned int i = 0; i < t->n; i++)
		if (eval(x, t->arg[i], st, env) == what)
			return true;
	return false;
}

static uint8_t eval(const struct explorer *x, const struct term *t,
		    const uint8_t *st, uint8_t *env)
{
	switch (t->kind) {
	case T_TRUE:
	case T_FALSE:
		return t->kind == T_TRUE;
	case T_VAR:
		return env[t->id];
	case T_STEP:
		return (uint8_t)t->id;
	case T_APP:
		return st[place(x, t, st, env)];
	case T_NOT:
		return !eval(x, t->arg[0], st, env);
	case T_AND:
		return !eval_some(x, t, st, env, false);
	case T_OR:
		return eval_some(x, t, st, env, true);
	case T_EQ:
		return eval(x, t->arg[0], st, env) ==
			eval(x, t->arg[1], st, env);
	case T_ITE:
		return eval(x, t->arg[eval(x, t->arg[0], st, env) ? 1 : 2],
			    st, env);
	case T_ALL:
		return eval_all(x, t, st, env);
	default:
		errx(3, "prove: a term that no state has a value for");
	}
}

/* ---- states ---- */

static uint32_t hash(const uint8_t *st, unsigned int n)
{
	uint32_t h = 2166136261u;

	for (unsigned int i = 0; i < n; i++)
		h = (h ^ st[i]) * 16777619u;
	return h ^ h >> 15;
}

static void *grow(void *p, size_t n)
{
	p = realloc(p, n);
	if (!p)
		err(3, "out of memory");
	return p;
}

static void rehash(struct explorer *x)
{
	x->table_size = x->table_size ? x->table_size * 2 : 4096;
	free(x->table);
	x->table = calloc(x->table_size, sizeof(*x->table));
	if (!x->table)
		err(3, "out of memory");
	for (uint32_t i = 0; i < x->n; i++) {
		uint32_t h = hash(x->state + i * x->values, x->values);

		while (x->table[h & (x->table_size - 1)])
			h++;
		x->table[h & (x->table_size - 1)] = i + 1;
	}
}

static void store(struct explorer *x, const uint8_t *st, uint32_t from,
		  uint32_t by)
{
	uint32_t h = hash(st, x->values), i;

	while ((i = x->table[h & (x->table_size - 1)])) {
		if (!memcmp(x->state + (i - 1) * x->values, st, x->values))
			return;
		h++;
	}
	if (x->n == x->room) {
		x->room = x->room ? x->room * 2 : 1024;
		x->state = grow(x->state, (size_t)x->room * x->values);
		x->from = grow(x->from, x->room * sizeof(*x->from));
		x->by = grow(x->by, x->room * sizeof(*x->by));
	}
	memcpy(x->state + x->n * x->values, st, x->values);
	x->from[x->n] = from;
	x->by[x->n] = by;
	x->n++;
	x->table[h & (x->table_size - 1)] = x->n;
	if (x->n * 2 > x->table_size)
		rehash(x);
}

/* ---- rules ---- */

/* For every value of the letters in @about. */
static bool next_env(const char *about, uint8_t *env)
{
	for (; *about; about++) {
		uint8_t *v = &env[(unsigned char)*about];

		if (++*v < size_of(*about))
			return true;
		*v = 0;
	}
	return false;
}

static void assign(const struct explorer *x, const struct update *u,
		   const uint8_t *before, uint8_t *after, uint8_t *env)
{
	const char *args = x->s->w.symbol[u->symbol].args;
	unsigned int i = x->at[u->symbol];
	unsigned int a = args[0] ? size_of(args[0]) : 1;
	unsigned int b = args[0] && args[1] ? size_of(args[1]) : 1;

	for (unsigned int k = 0; k < a * b; k++) {
		if (args[0])
			env[(unsigned char)args[0]] = (uint8_t)(k / b);
		if (args[0] && args[1])
			env[(unsigned char)args[1]] = (uint8_t)(k % b);
		after[i + k] = eval(x, u->value, before, env);
	}
}

static void wrong(struct explorer *x, const char *what, uint32_t at)
{
	if (!x->sm->bad) {
		x->sm->bad = what;
		x->bad_at = at;
	}
}

static void apply(struct explorer *x, uint32_t at, unsigned int number,
		  uint8_t *env)
{
	const struct rule *r = &x->s->rule[number];
	uint8_t before[MAX_VALUES], after[MAX_VALUES];

	memcpy(before, x->state + at * x->values, x->values);
	if (!eval(x, r->guard, before, env))
		return;
	x->sm->fired[number] = true;
	for (unsigned int i = 0; i < r->nneeds; i++)
		if (!eval(x, r->need[i].term, before, env)) {
			wrong(x, r->need[i].what, at);
			return;
		}
	memcpy(after, before, x->values);
	for (unsigned int i = 0; i < r->nsets; i++)
		assign(x, &r->set[i], before, after, env);
	store(x, after, at, number);
}

static void expand(struct explorer *x, uint32_t at)
{
	for (unsigned int i = 0; i < x->s->nrules; i++) {
		uint8_t env[128] = { 0 };

		do
			apply(x, at, i, env);
		while (next_env(x->s->rule[i].about, env));
	}
}

/* ---- what a state shows ---- */

static void facts_add(struct facts *f, uint32_t mask)
{
	unsigned int lo = 0, hi = f->n;

	while (lo < hi) {
		unsigned int mid = (lo + hi) / 2;

		if (f->mask[mid] < mask)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo < f->n && f->mask[lo] == mask)
		return;
	if (f->n == f->room) {
		f->room = f->room ? f->room * 2 : 64;
		f->mask = grow(f->mask, f->room * sizeof(*f->mask));
	}
	memmove(&f->mask[lo + 1], &f->mask[lo],
		(f->n - lo) * sizeof(*f->mask));
	f->mask[lo] = mask;
	f->n++;
}

static uint8_t value(const struct explorer *x, const uint8_t *st,
		     const char *name)
{
	return st[x->at[symbol_find(&x->s->w, name)]];
}

static void look(struct explorer *x, uint32_t at)
{
	const uint8_t *st = x->state + at * x->values;
	bool owned = value(x, st, "owned");
	unsigned int pc = value(x, st, "pc");
	uint8_t env[128] = { 0 };

	for (unsigned int c = 0; c < SMALL_CPUS; c++) {
		unsigned int n = owned ? x->s->natoms : x->s->nfree;
		uint32_t mask = 0;

		env['c'] = (uint8_t)c;
		for (unsigned int i = 0; i < n; i++)
			if (eval(x, x->s->atom[i], st, env))
				mask |= UINT32_C(1) << i;
		facts_add(owned ? &x->sm->at[pc] : &x->sm->free, mask);
		if (st[x->at[symbol_find(&x->s->w, "wait")] + c])
			x->sm->waits[pc] = true;
		for (unsigned int i = 0; i < x->s->nprops; i++)
			if (!eval(x, x->s->prop[i].term, st, env))
				wrong(x, x->s->prop[i].what, at);
	}
}

/* ---- the whole ---- */

static void lay_out(struct explorer *x)
{
	const struct words *w = &x->s->w;

	for (unsigned int i = 0; i < w->nsymbols; i++) {
		unsigned int n = 1;

		for (const char *a = w->symbol[i].args; *a; a++)
			n *= size_of(*a);
		x->at[i] = x->values;
		x->values += n;
	}
	if (x->values > MAX_VALUES || x->s->natoms > 32)
		errx(3, "prove: a state with %u values and %u atoms",
		     x->values, x->s->natoms);
}

/* The page may be of either kind. */
static void begin(struct explorer *x)
{
	for (unsigned int shared = 0; shared < 2; shared++) {
		uint8_t st[MAX_VALUES] = { 0 };

		st[x->at[symbol_find(&x->s->w, "led")]] = (uint8_t)shared;
		for (unsigned int i = 0; i < x->s->ninit; i++) {
			uint8_t env[128] = { 0 };

			if (x->s->init[i].value)
				assign(x, &x->s->init[i], st, st, env);
		}
		store(x, st, UINT32_MAX, UINT32_MAX);
	}
}

static void trail(struct explorer *x)
{
	struct small *sm = x->sm;
	unsigned int n = 0;

	for (uint32_t i = x->bad_at; x->from[i] != UINT32_MAX; i = x->from[i])
		n++;
	sm->trail = grow(NULL, (n + 1) * sizeof(*sm->trail));
	sm->ntrail = n;
	for (uint32_t i = x->bad_at; n; i = x->from[i])
		sm->trail[--n] = strdup(x->s->rule[x->by[i]].name);
}

void small_run(struct small *sm, const struct system *s, bool stop)
{
	struct explorer x = { .sm = sm, .s = s, .stop = stop };

	memset(sm, 0, sizeof(*sm));
	sm->sys = s;
	lay_out(&x);
	rehash(&x);
	begin(&x);
	for (uint32_t i = 0; i < x.n && !(stop && sm->bad); i++) {
		look(&x, i);
		expand(&x, i);
	}
	sm->states = x.n;
	if (sm->bad)
		trail(&x);
	free(x.state);
	free(x.from);
	free(x.by);
	free(x.table);
}

void small_free(struct small *sm)
{
	free(sm->free.mask);
	for (unsigned int i = 0; i < MAX_STEPS; i++)
		free(sm->at[i].mask);
	for (unsigned int i = 0; i < sm->ntrail; i++)
		free(sm->trail[i]);
	free(sm->trail);
	memset(sm, 0, sizeof(*sm));
}
