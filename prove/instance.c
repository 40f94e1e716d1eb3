// SPDX-License-Identifier: GPL-2.0
/*
 * An instance of a system: so many CPUs, pages, mappings and calls. A state is
 * a value for every symbol and every argument, a byte each.
 */
#include "instance.h"

#include <err.h>
#include <string.h>

static unsigned int size_of(const struct instance *x, char sort)
{
	switch (sort) {
	case 'c': case 'd': case 'C':
		return x->cpus;
	case 'p': case 'P':
		return x->pages;
	case 'm': case 'M':
		return x->maps;
	default:
		return x->calls;
	}
}

/* ---- what a term is in a state ---- */

static unsigned int place(const struct instance *x, const struct term *t,
			  const uint8_t *st, uint8_t *env)
{
	const struct symbol *s = &x->s->w.symbol[t->id];
	unsigned int i = 0;

	for (unsigned int k = 0; k < t->n; k++)
		i = i * size_of(x, s->args[k]) + instance_eval(x, t->arg[k], st, env);
	return x->at[t->id] + i;
}

static bool eval_all(const struct instance *x, const struct term *t,
		     const uint8_t *st, uint8_t *env)
{
	uint8_t keep = env[t->id];
	bool all = true;

	for (unsigned int i = 0; all && i < size_of(x, (char)t->id); i++) {
		env[t->id] = (uint8_t)i;
		all = instance_eval(x, t->arg[0], st, env);
	}
	env[t->id] = keep;
	return all;
}

static bool eval_some(const struct instance *x, const struct term *t,
		      const uint8_t *st, uint8_t *env, bool what)
{
	for (unsigned int i = 0; i < t->n; i++)
		if (instance_eval(x, t->arg[i], st, env) == what)
			return true;
	return false;
}

uint8_t instance_eval(const struct instance *x, const struct term *t,
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
		return !instance_eval(x, t->arg[0], st, env);
	case T_AND:
		return !eval_some(x, t, st, env, false);
	case T_OR:
		return eval_some(x, t, st, env, true);
	case T_EQ:
		return instance_eval(x, t->arg[0], st, env) ==
			instance_eval(x, t->arg[1], st, env);
	case T_ITE:
		return instance_eval(x, t->arg[instance_eval(x, t->arg[0], st, env) ? 1 : 2],
			    st, env);
	case T_ALL:
		return eval_all(x, t, st, env);
	default:
		errx(3, "prove: a term that no state has a value for");
	}
}

/* ---- rules ---- */

/* For every value of the letters in @about. */
bool instance_next(const struct instance *x, const char *about, uint8_t *env)
{
	for (; *about; about++) {
		uint8_t *v = &env[(unsigned char)*about];

		if (++*v < size_of(x, *about))
			return true;
		*v = 0;
	}
	return false;
}

void instance_assign(const struct instance *x, const struct update *u,
		   const uint8_t *before, uint8_t *after, uint8_t *env)
{
	const char *args = x->s->w.symbol[u->symbol].args;
	unsigned int i = x->at[u->symbol];
	unsigned int a = args[0] ? size_of(x, args[0]) : 1;
	unsigned int b = args[0] && args[1] ? size_of(x, args[1]) : 1;

	for (unsigned int k = 0; k < a * b; k++) {
		if (args[0])
			env[(unsigned char)args[0]] = (uint8_t)(k / b);
		if (args[0] && args[1])
			env[(unsigned char)args[1]] = (uint8_t)(k % b);
		after[i + k] = instance_eval(x, u->value, before, env);
	}
}

bool instance_apply(const struct instance *x, const struct rule *r,
		    uint8_t *env, const uint8_t *before, uint8_t *after,
		    const char **bad)
{
	*bad = NULL;
	if (!instance_eval(x, r->guard, before, env))
		return false;
	for (unsigned int i = 0; i < r->nneeds; i++)
		if (!instance_eval(x, r->need[i].term, before, env)) {
			*bad = r->need[i].what;
			return true;
		}
	memcpy(after, before, x->values);
	for (unsigned int i = 0; i < r->nsets; i++)
		instance_assign(x, &r->set[i], before, after, env);
	return true;
}

uint8_t *instance_at(const struct instance *x, uint8_t *st, const char *name,
		     unsigned int i)
{
	int s = symbol_find(&x->s->w, name);

	return s < 0 ? NULL : &st[x->at[s] + i];
}

void instance_make(struct instance *x, const struct system *s,
		   unsigned int cpus, unsigned int pages, unsigned int maps,
		   unsigned int calls)
{
	const struct words *w = &s->w;

	*x = (struct instance){ .s = s, .cpus = cpus, .pages = pages,
				.maps = maps, .calls = calls };
	for (unsigned int i = 0; i < maps && i < MAX_MAPS; i++)
		x->page_of[i] = (uint8_t)(i % pages);
	for (unsigned int i = 0; i < w->nsymbols; i++) {
		unsigned int n = 1;

		for (const char *a = w->symbol[i].args; *a; a++)
			n *= size_of(x, *a);
		x->at[i] = x->values;
		x->values += n;
	}
	if (maps > MAX_MAPS || x->values > MAX_VALUES || s->natoms > 32)
		errx(3, "prove: a state with %u mappings, %u values and %u atoms",
		     maps, x->values, s->natoms);
}

void instance_begin(const struct instance *x, bool shared, uint8_t *st)
{
	memset(st, 0, MAX_VALUES);
	memcpy(instance_at(x, st, "pg", 0), x->page_of, x->maps);
	memset(instance_at(x, st, "led", 0), shared, x->pages);
	for (unsigned int k = 0; k < x->calls; k++)
		*instance_at(x, st, "on", k) = (uint8_t)(k % x->cpus);
	for (unsigned int i = 0; i < x->s->ninit; i++) {
		uint8_t env[128] = { 0 };

		if (x->s->init[i].value)
			instance_assign(x, &x->s->init[i], st, st, env);
	}
}
