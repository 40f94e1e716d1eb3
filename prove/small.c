// SPDX-License-Identifier: GPL-2.0
/*
 * The small instance: two CPUs, one page with one mapping, one call. It is
 * explored to the end, and every state says what one page can look like to
 * one CPU while its owner is at some step. The invariants come from that, and
 * only the solvers say whether they hold for any number.
 */
#include "instance.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>

struct explorer {
	struct small *sm;
	const struct system *s;
	struct instance in;
	uint8_t *state;			/* all of them, side by side */
	uint32_t *from, *by;		/* the state before, the rule */
	uint32_t n, room;
	uint32_t *table;		/* numbers + 1, by hash */
	uint32_t table_size;
	uint32_t bad_at;
	bool stop;
};

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
		uint32_t h = hash(x->state + i * x->in.values, x->in.values);

		while (x->table[h & (x->table_size - 1)])
			h++;
		x->table[h & (x->table_size - 1)] = i + 1;
	}
}

static void store(struct explorer *x, const uint8_t *st, uint32_t from,
		  uint32_t by)
{
	uint32_t h = hash(st, x->in.values), i;

	while ((i = x->table[h & (x->table_size - 1)])) {
		if (!memcmp(x->state + (i - 1) * x->in.values, st, x->in.values))
			return;
		h++;
	}
	if (x->n == x->room) {
		x->room = x->room ? x->room * 2 : 1024;
		x->state = grow(x->state, (size_t)x->room * x->in.values);
		x->from = grow(x->from, x->room * sizeof(*x->from));
		x->by = grow(x->by, x->room * sizeof(*x->by));
	}
	memcpy(x->state + x->n * x->in.values, st, x->in.values);
	x->from[x->n] = from;
	x->by[x->n] = by;
	x->n++;
	x->table[h & (x->table_size - 1)] = x->n;
	if (x->n * 2 > x->table_size)
		rehash(x);
}

/* ---- rules ---- */

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
	uint8_t before[MAX_VALUES] = { 0 }, after[MAX_VALUES];
	const char *bad;

	memcpy(before, x->state + at * x->in.values, x->in.values);
	if (!instance_apply(&x->in, &x->s->rule[number], env, before, after,
			    &bad))
		return;
	x->sm->fired[number] = true;
	if (bad)
		wrong(x, bad, at);
	else
		store(x, after, at, number);
}

static void expand(struct explorer *x, uint32_t at)
{
	for (unsigned int i = 0; i < x->s->nrules; i++) {
		uint8_t env[128] = { 0 };

		do
			apply(x, at, i, env);
		while (instance_next(&x->in, x->s->rule[i].about, env));
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
	return st[x->in.at[symbol_find(&x->s->w, name)]];
}

static void look(struct explorer *x, uint32_t at)
{
	const uint8_t *st = x->state + at * x->in.values;
	bool owned = value(x, st, "owned");
	unsigned int pc = value(x, st, "pc");
	uint8_t env[128] = { 0 };

	for (unsigned int c = 0; c < SMALL_CPUS; c++) {
		unsigned int n = owned ? x->s->natoms : x->s->nfree;
		uint32_t mask = 0;

		env['c'] = (uint8_t)c;
		for (unsigned int i = 0; i < n; i++)
			if (instance_eval(&x->in, x->s->atom[i], st, env))
				mask |= UINT32_C(1) << i;
		facts_add(owned ? &x->sm->at[pc] : &x->sm->free, mask);
		if (st[x->in.at[symbol_find(&x->s->w, "wait")] + c])
			x->sm->waits[pc] = true;
		for (unsigned int i = 0; i < x->s->nprops; i++)
			if (!instance_eval(&x->in, x->s->prop[i].term, st, env))
				wrong(x, x->s->prop[i].what, at);
	}
}

/* ---- the whole ---- */

/* The page may be of either kind. */
static void begin(struct explorer *x)
{
	for (unsigned int shared = 0; shared < 2; shared++) {
		uint8_t st[MAX_VALUES];

		instance_begin(&x->in, shared, st);
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
	instance_make(&x.in, s, SMALL_CPUS, 1, 1, 1);
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
