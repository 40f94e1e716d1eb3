// SPDX-License-Identifier: GPL-2.0
/*
 * The window's theory, explored to the end with two CPUs and two uses, from
 * each way in which they can begin: nothing goes wrong, in no state does an
 * invariant fail, and without any one guard there is a run that goes wrong,
 * not only an invariant that cannot be shown.
 */
#include "instance.h"
#include "proof.h"
#include "window.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>

#define CPUS	2u
#define USES	2u
#define VALUES	64u
#define TABLE	(1u << 22)

static unsigned int passed, failed;
static uint8_t (*state)[VALUES];
static uint32_t *table, n;
static const char *wrong;		/* NULL: nothing yet */
static const char *untrue;		/* an invariant that failed */

static void ok(bool good, const char *what, const char *which)
{
	passed += good;
	failed += !good;
	printf("%s: %s: %s\n", good ? "ok" : "FAILED", what, which);
}

static void add(const uint8_t *st)
{
	uint32_t h = 2166136261u;

	for (unsigned int i = 0; i < VALUES; i++)
		h = (h ^ st[i]) * 16777619u;
	for (h ^= h >> 15;; h++) {
		uint32_t *t = &table[h % TABLE];

		if (!*t) {
			if (n == TABLE / 2)
				errx(3, "more states than there is room for");
			memcpy(state[n], st, VALUES);
			*t = ++n;
			return;
		}
		if (!memcmp(state[*t - 1], st, VALUES))
			return;
	}
}

/* What has no value at the beginning has any. */
static void begin(const struct instance *x, unsigned int bits)
{
	uint8_t st[MAX_VALUES] = { 0 }, env[128] = { 0 };

	for (unsigned int i = 0; i < x->s->ninit; i++)
		instance_assign(x, &x->s->init[i], st, st, env);
	for (unsigned int k = 0; k < USES; k++, bits >>= 3) {
		*instance_at(x, st, "on", k) = bits & 1;
		*instance_at(x, st, "big", k) = bits >> 1 & 1;
		*instance_at(x, st, "in", k) = bits >> 2 & 1;
	}
	add(st);
}

static bool everywhere(const struct instance *x, const struct term *t,
		       const uint8_t *st)
{
	static const char letters[] = "cdkj";
	uint8_t env[128] = { 0 };

	do {
		if (!instance_eval(x, t, st, env))
			return false;
	} while (instance_next(x, letters, env));
	return true;
}

static void look(const struct instance *x, const struct invariants *v,
		 const uint8_t *st)
{
	for (unsigned int i = 0; i < x->s->nprops; i++)
		if (!everywhere(x, x->s->prop[i].term, st))
			wrong = x->s->prop[i].what;
	for (unsigned int i = 0; i < v->n; i++)
		if (!everywhere(x, v->inv[i].term, st))
			untrue = v->inv[i].name;
}

static void go_on(const struct instance *x, uint32_t i)
{
	uint8_t after[MAX_VALUES], before[MAX_VALUES] = { 0 };
	const char *bad;

	memcpy(before, state[i], VALUES);
	for (unsigned int r = 0; r < x->s->nrules && !wrong; r++) {
		uint8_t env[128] = { 0 };

		do {
			if (!instance_apply(x, &x->s->rule[r], env, before,
					    after, &bad))
				continue;
			if (bad)
				wrong = bad;
			else
				add(after);
		} while (!wrong && instance_next(x, x->s->rule[r].about, env));
	}
}

/* Return: what goes wrong first, NULL: nothing. */
static const char *explore(const char *drop)
{
	struct invariants v;
	struct instance x;
	struct system s;

	window_make(&s, &v, drop);
	instance_make(&x, &s, CPUS, 1, 1, USES);
	if (x.values > VALUES)
		errx(3, "a state has %u values", x.values);
	memset(table, 0, TABLE * sizeof(*table));
	n = 0;
	wrong = untrue = NULL;
	for (unsigned int bits = 0; bits < 1u << 3 * USES; bits++)
		begin(&x, bits);
	for (uint32_t i = 0; i < n && !wrong; i++) {
		look(&x, &v, state[i]);
		if (!wrong)
			go_on(&x, i);
	}
	invariants_free(&v);
	system_free(&s);
	return wrong;
}

int main(void)
{
	char text[200];

	table = calloc(TABLE, sizeof(*table));
	state = calloc(TABLE / 2, sizeof(*state));
	if (!table || !state)
		err(3, "out of memory");
	ok(!explore(NULL), "nothing goes wrong", wrong ? wrong : "-");
	ok(!untrue, "the invariants hold", untrue ? untrue : "-");
	ok(n > 1000, "states were explored", n > 1000 ? "-" : "too few");
	printf("%u states\n", n);
	for (unsigned int i = 0; i < window_guard_count; i++) {
		const char *name = window_guards[i].name;
		const char *why = explore(name);

		snprintf(text, sizeof(text), "%s: %s", name,
			 why ? why : "nothing");
		ok(why, "without it a run goes wrong", text);
	}
	free(table);
	free(state);
	printf("%u passed, %u failed\n", passed, failed);
	return failed != 0;
}
