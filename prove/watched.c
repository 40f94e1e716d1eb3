// SPDX-License-Identifier: GPL-2.0
/*
 * One page, one call, as many CPUs and mappings as there were. The states that
 * the system may be in are a set; each event leads from those to others, or
 * out of it.
 */
#include "watched.h"
#include "instance.h"
#include "tell.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MANY	256		/* states at once */

struct set {
	unsigned int n;
	uint8_t st[MANY][MAX_VALUES];
};

struct walk {
	const struct system *s;
	const struct watched *w;
	struct instance in;
	struct set now, next;
	bool begun;
	const char *bad;	/* what would be wrong with a step */
};

/* ---- states ---- */

static bool is_act(const struct rule *r, const char *act)
{
	return r->kind == RULE_CALL && !strcmp(r->act, act);
}

/* Whatever may happen at any time, and is only added. */
static bool grows(const struct rule *r)
{
	return r->kind == RULE_WRITE ||
		!strncmp(r->name, "a TLB takes", strlen("a TLB takes"));
}

static void saturate(const struct walk *k, uint8_t *st)
{
	bool more = true;

	while (more) {
		more = false;
		for (unsigned int i = 0; i < k->s->nrules; i++) {
			uint8_t env[128] = { 0 }, after[MAX_VALUES];
			const struct rule *r = &k->s->rule[i];
			const char *bad;

			if (!grows(r))
				continue;
			do
				if (instance_apply(&k->in, r, env, st, after,
						   &bad) && !bad &&
				    memcmp(st, after, k->in.values)) {
					memcpy(st, after, k->in.values);
					more = true;
				}
			while (instance_next(&k->in, r->about, env));
		}
	}
}

static const char *broken(const struct walk *k, const uint8_t *st)
{
	for (unsigned int i = 0; i < k->s->nprops; i++) {
		uint8_t env[128] = { 0 };

		do
			if (!instance_eval(&k->in, k->s->prop[i].term, st,
					   env))
				return k->s->prop[i].what;
		while (instance_next(&k->in, "cm", env));
	}
	return NULL;
}

/* With all that may have happened; not where a property does not hold. */
static void put(struct walk *k, struct set *to, const uint8_t *st)
{
	uint8_t all[MAX_VALUES] = { 0 };
	const char *bad;

	memcpy(all, st, k->in.values);
	saturate(k, all);
	bad = broken(k, all);
	if (bad) {
		k->bad = bad;
		return;
	}
	for (unsigned int i = 0; i < to->n; i++)
		if (!memcmp(to->st[i], all, k->in.values))
			return;
	if (to->n == MANY)
		errx(3, "prove: more than %d states at one event", MANY);
	memcpy(to->st[to->n++], all, sizeof(all));
}

static uint8_t *at(struct walk *k, uint8_t *st, const char *name,
		   unsigned int i)
{
	return instance_at(&k->in, st, name, i);
}

/* Is a store to an entry waiting in this CPU's buffer? Of @map, or of any. */
static bool waits(struct walk *k, uint8_t *st, unsigned int cpu, int map)
{
	for (unsigned int j = 1; j <= k->s->npasses; j++) {
		char sb[8];

		snprintf(sb, sizeof(sb), "sb%u", j);
		for (unsigned int m = 0; m < k->in.maps; m++)
			if ((map < 0 || m == (unsigned int)map) &&
			    *at(k, st, sb, cpu * k->in.maps + m))
				return true;
	}
	return false;
}

static void drain(struct walk *k, uint8_t *st, unsigned int cpu, int map)
{
	for (unsigned int i = 0; i < k->s->nrules; i++) {
		const struct rule *r = &k->s->rule[i];
		uint8_t env[128] = { 0 }, after[MAX_VALUES];
		const char *bad;

		if (r->kind != RULE_DRAIN)
			continue;
		do
			if (env['C'] == cpu && (map < 0 || env['M'] == map) &&
			    instance_apply(&k->in, r, env, st, after, &bad)) {
				memcpy(st, after, k->in.values);
				saturate(k, st);
			}
		while (instance_next(&k->in, r->about, env));
	}
}

static void drain_all(struct walk *k, uint8_t *st, unsigned int cpu, int map)
{
	while (waits(k, st, cpu, map))
		drain(k, st, cpu, map);
}

/* ---- steps that nobody sees ---- */

static bool unseen(const struct walk *k, const struct rule *r)
{
	if (!k->begun && (is_act(r, "begin") || is_act(r, "a page")))
		return true;
	return is_act(r, "go on") || is_act(r, "all have answered") ||
		is_act(r, "gives a page up");
}

/* Which pass has this rule written by? 0: none. */
static unsigned int pass_of(struct walk *k, uint8_t *st, uint8_t *after,
			    unsigned int map)
{
	for (unsigned int j = 1; j <= k->s->npasses; j++) {
		char sb[8];

		snprintf(sb, sizeof(sb), "sb%u", j);
		if (*at(k, after, sb, map) && !*at(k, st, sb, map))
			return j;
	}
	return 0;
}

/* As CPU 0 sees it. */
static void seen(struct walk *k, uint8_t *st, unsigned int map, bool *present,
		 bool *shared)
{
	*present = *at(k, st, "mp", map);
	*shared = *at(k, st, "ms", map);
	for (unsigned int j = 1; j <= k->s->npasses; j++) {
		char sb[8];

		snprintf(sb, sizeof(sb), "sb%u", j);
		if (*at(k, st, sb, map)) {
			*present = k->s->pass[j].present;
			*shared = k->s->pass[j].shared;
		}
	}
}

/* A store that leaves the entry as it looks: what is not present looks alike. */
static bool looks_same(struct walk *k, uint8_t *st, uint8_t *after,
		       unsigned int map)
{
	unsigned int j = pass_of(k, st, after, map);
	bool present, shared;

	seen(k, st, map, &present, &shared);
	return j && present == k->s->pass[j].present &&
		(!present || shared == k->s->pass[j].shared);
}

static void step_unseen(struct walk *k, struct set *to, uint8_t *st,
			const struct rule *r, uint8_t *env)
{
	uint8_t after[MAX_VALUES] = { 0 };
	bool store = is_act(r, "write an entry"), before;
	const char *bad;

	if (!instance_apply(&k->in, r, env, st, after, &bad))
		return;
	if (bad) {
		k->bad = bad;
		return;
	}
	if (store) {
		before = waits(k, st, 0, env['M']);
		if (!looks_same(k, st, after, env['M']))
			return;
		if (!before)
			drain_all(k, after, 0, env['M']);
	}
	put(k, to, after);
}

static void close_set(struct walk *k, struct set *s)
{
	for (unsigned int n = 0; n < s->n; n++)
		for (unsigned int i = 0; i < k->s->nrules; i++) {
			const struct rule *r = &k->s->rule[i];
			uint8_t env[128] = { 0 };

			if (!unseen(k, r) && !is_act(r, "write an entry"))
				continue;
			do
				step_unseen(k, s, s->st[n], r, env);
			while (instance_next(&k->in, r->about, env));
		}
}

/* ---- events ---- */

/* Is it by a mapping as the event was? */
static bool same_way(const struct rule *r, const struct watched_event *e)
{
	return !!strstr(r->name, "@window") == e->window;
}

/* After what the machine did, it holds of the page what it does. */
static bool same_state(struct walk *k, uint8_t *after, enum watched_state s)
{
	return *at(k, after, "hs", 0) == (s == WATCHED_SHARED) &&
		*at(k, after, "hv", 0) == (s == WATCHED_PRIVATE);
}

static bool does(struct walk *k, const struct rule *r,
		 const struct watched_event *e)
{
	(void)k;
	switch (e->kind) {
	case WATCHED_ENTRY:
		return !e->cpu && is_act(r, "write an entry");
	case WATCHED_CACHE:
		return !e->cpu && same_way(r, e) &&
			is_act(r, e->shared ? "CLFLUSH, as shared" :
			       "CLFLUSH, as private");
	case WATCHED_EVICT:
		return !e->cpu && same_way(r, e) && is_act(r, "evict reads");
	case WATCHED_RETURN:
		return is_act(r, "give the pages back");
	case WATCHED_STATE:
		if (e->cpu)
			return false;
		if (is_act(r, "PVALIDATE, rescind") ||
		    is_act(r, "PVALIDATE, validate"))
			return same_way(r, e);
		return is_act(r, "the host does a page") ||
			is_act(r, "ACCEPT") || is_act(r, "RELEASE");
	default:
		return false;
	}
}

/* It came out as it did. */
static bool came_out(struct walk *k, const struct watched_event *e,
		     uint8_t *st, uint8_t *after, const uint8_t *env)
{
	unsigned int j;

	if (e->kind == WATCHED_STATE)
		return same_state(k, after, e->new);
	if (e->kind != WATCHED_ENTRY)
		return true;
	if (env['M'] != e->map)
		return false;
	j = pass_of(k, st, after, e->map);
	return j && k->s->pass[j].present == e->present &&
		(!e->present || k->s->pass[j].shared == e->shared);
}

static void one_rule(struct walk *k, const struct watched_event *e,
		     uint8_t *st, const struct rule *r)
{
	uint8_t env[128] = { 0 }, after[MAX_VALUES] = { 0 };
	const char *bad;

	do {
		if (!instance_apply(&k->in, r, env, st, after, &bad))
			continue;
		if (bad)
			k->bad = bad;
		else if (came_out(k, e, st, after, env))
			put(k, &k->next, after);
	} while (instance_next(&k->in, r->about, env));
}

/* What a cache line or a TLB loses, it may lose at any time. */
static void loses(struct walk *k, uint8_t *st, const char *symbol,
		  unsigned int i)
{
	uint8_t *v = at(k, st, symbol, i);

	if (v)
		*v = 0;
}

static void flush_lost(struct walk *k, uint8_t *st,
		       const struct watched_event *e)
{
	for (unsigned int m = 0; m < k->in.maps; m++)
		if (e->maps >> m & 1) {
			loses(k, st, "tp", e->cpu * k->in.maps + m);
			loses(k, st, "ts", e->cpu * k->in.maps + m);
		}
}

static bool whole(const struct walk *k, const struct watched_event *e)
{
	return e->maps == (1u << k->in.maps) - 1;
}

/* The rule of this name or act for CPU @c, if it can fire. */
static bool fire(struct walk *k, uint8_t *st, const char *name,
		 unsigned int c)
{
	for (unsigned int i = 0; i < k->s->nrules; i++) {
		const struct rule *r = &k->s->rule[i];
		uint8_t env[128] = { 0 }, after[MAX_VALUES] = { 0 };
		const char *bad;

		if (strcmp(r->act, name) && strcmp(r->name, name))
			continue;
		env['C'] = (uint8_t)c;
		if (!instance_apply(&k->in, r, env, st, after, &bad) || bad)
			continue;
		memcpy(st, after, k->in.values);
		return true;
	}
	return false;
}

/* Flushes in a row, of several CPUs: @e is the first of @n. */
static void flush_group(struct walk *k, const struct watched_event *e,
			unsigned int n, const uint8_t *was, bool send)
{
	uint8_t st[MAX_VALUES] = { 0 };

	memcpy(st, was, k->in.values);
	if (send && (e[0].cpu || !whole(k, &e[0]) ||
		     !fire(k, st, "flush here, send", 0)))
		return;
	for (unsigned int i = 0; i < n; i++) {
		if (e[i].cpu && whole(k, &e[i]))
			fire(k, st, "a CPU answers a shootdown", e[i].cpu);
		flush_lost(k, st, &e[i]);
	}
	put(k, &k->next, st);
}

static unsigned int group(const struct watched *w, unsigned int i)
{
	unsigned int n = 1;

	while (w->ev[i].kind == WATCHED_FLUSH && i + n < w->n &&
	       w->ev[i + n].kind == WATCHED_FLUSH)
		n++;
	return n;
}

static void from_one(struct walk *k, unsigned int i, unsigned int n,
		     uint8_t *st)
{
	const struct watched_event *e = &k->w->ev[i];
	uint8_t after[MAX_VALUES] = { 0 };

	memcpy(after, st, k->in.values);
	if (e->kind == WATCHED_FLUSH) {
		flush_group(k, e, n, st, false);
		flush_group(k, e, n, st, true);
		return;
	}
	if (e->kind == WATCHED_DRAIN || e->kind == WATCHED_RETURN)
		drain_all(k, after, e->cpu, -1);
	if (e->kind == WATCHED_CACHE)
		loses(k, after, e->shared ? "ds" : "dp", 0);
	if (e->kind == WATCHED_DRAIN || e->kind == WATCHED_CACHE ||
	    e->kind == WATCHED_EVICT)
		put(k, &k->next, after);
	for (unsigned int j = 0; j < k->s->nrules; j++)
		if (does(k, &k->s->rule[j], e))
			one_rule(k, e, e->kind == WATCHED_RETURN ? after : st,
				 &k->s->rule[j]);
}

/* ---- what the step `alias' took away ---- */

static bool comes_back(const struct watched *w, unsigned int map)
{
	bool present = true;

	for (unsigned int i = 0; i < w->n; i++)
		if (w->ev[i].kind == WATCHED_ENTRY && w->ev[i].map == map)
			present = w->ev[i].present;
	return present;
}

/* Flushed everywhere before anything is done to another map, or the page? */
static bool gone_first(const struct watched *w, unsigned int map)
{
	uint32_t flushed = 0;
	bool gone = false;

	for (unsigned int i = 0; i < w->n; i++) {
		const struct watched_event *e = &w->ev[i];

		if (e->kind == WATCHED_ENTRY && e->map == map)
			gone = true;
		else if (e->kind == WATCHED_FLUSH && gone &&
			 (e->maps >> map & 1))
			flushed |= 1u << e->cpu;
		else if ((e->kind == WATCHED_ENTRY && !e->map) ||
			 e->kind == WATCHED_STATE)
			break;
	}
	return gone && flushed == (1u << w->cpus) - 1;
}

static void remove_map(struct watched *w, unsigned int map)
{
	unsigned int low = (1u << map) - 1, n = 0;

	for (unsigned int i = 0; i < w->n; i++) {
		struct watched_event e = w->ev[i];

		e.maps = (e.maps & low) | (e.maps >> 1 & ~low);
		if ((e.kind == WATCHED_ENTRY && e.map == map) ||
		    (e.kind == WATCHED_FLUSH && !e.maps))
			continue;
		if (e.kind == WATCHED_ENTRY && e.map > map)
			e.map--;
		w->ev[n++] = e;
	}
	w->n = n;
	memmove(&w->present[map], &w->present[map + 1], w->maps - map - 1);
	memmove(&w->shared[map], &w->shared[map + 1], w->maps - map - 1);
	w->maps--;
}

static void without_aliases(struct watched *w)
{
	for (unsigned int m = w->maps; m-- > 1; )
		if (!comes_back(w, m) && gone_first(w, m))
			remove_map(w, m);
}

/* ---- the whole ---- */

static bool left(struct walk *k, unsigned int i, struct watched_left *l,
		 const char *why)
{
	FILE *f = fmemopen(l->before, sizeof(l->before), "w");

	l->at = i < k->w->n ? k->w->ev[i].number : WATCHED_NOWHERE;
	snprintf(l->why, sizeof(l->why), "%s", why);
	if (f && k->now.n)
		state_words(f, &k->in, k->now.st[k->now.n - 1], NULL);
	if (f)
		fclose(f);
	l->before[sizeof(l->before) - 1] = 0;
	return false;
}

static bool begins(struct walk *k)
{
	uint8_t st[MAX_VALUES];

	for (unsigned int m = 0; m < k->w->maps; m++)
		if (!k->w->present[m] || k->w->shared[m] !=
		    (k->w->to == AIRLOCK_TO_PRIVATE))
			return false;
	instance_begin(&k->in, k->w->to == AIRLOCK_TO_PRIVATE, st);
	put(k, &k->now, st);
	close_set(k, &k->now);
	k->begun = true;
	return k->now.n;
}

bool watched_run(const struct system *s, struct watched *w,
		 struct watched_left *l)
{
	static struct walk k;

	memset(&k, 0, sizeof(k));
	memset(l, 0, sizeof(*l));
	without_aliases(w);
	k.s = s;
	k.w = w;
	instance_make(&k.in, s, w->cpus, 1, w->maps, 1);
	if (!begins(&k))
		return left(&k, w->n, l, "a mapping does not say at first "
			    "what the page is");
	for (unsigned int i = 0, n; i < w->n; i += n) {
		n = group(w, i);
		k.next.n = 0;
		k.bad = NULL;
		for (unsigned int j = 0; j < k.now.n; j++)
			from_one(&k, i, n, k.now.st[j]);
		close_set(&k, &k.next);
		if (!k.next.n)
			return left(&k, i, l, k.bad ? k.bad :
				    "no run of the system does that there");
		memcpy(&k.now, &k.next, sizeof(k.now));
	}
	return true;
}
