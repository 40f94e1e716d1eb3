// SPDX-License-Identifier: GPL-2.0
/*
 * A simulation. To each state of the lab belong states of the proof's system
 * that look the same (map.c); they differ in what the lab does not show: at
 * which program step the call is, which pages that step has done. The first
 * one is known. For each transition of the lab there must be a run of the
 * system to one that looks like the lab's next state (match.c). Where several
 * do, only what follows can tell which it was: one that cannot go on as the
 * lab does is dropped, and those that led to it and to no other.
 */
#include "seam.h"
#include "match.h"
#include "tell.h"
#include "engine.h"
#include "events.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>

#define NO_PAIR SIZE_MAX
/* Beyond that the question is too large to be compared. */
#define MOST_STATES 400000

struct edge {
	uint32_t from, to;
};

/* A state of the lab, and one of the proof that looks like it. */
struct pair {
	uint32_t lab;
	size_t next;		/* the next one of the same state */
	bool stuck;		/* an event of the lab leads nowhere */
	bool dead;		/* stuck, or all that follow one are dead */
	uint8_t st[];
};

struct sim {
	const struct system *s;
	const struct invariants *v;
	struct match m;
	struct explore *x;
	struct edge *edge;
	size_t nedges, edge_room;
	size_t *first;			/* edge of each state */
	char *pair;
	size_t npairs, pair_room, pair_size;
	size_t *pairs_of;		/* the first one, by state */
	char *look;			/* by state, side by side */
	size_t look_size;
	bool *looked;
	uint32_t to;			/* the state that a run leads to */
	struct seam *r;
};

static void *need(void *p)
{
	if (!p)
		err(3, "out of memory");
	return p;
}

static void take_edge(void *ctx, uint32_t from, uint32_t to)
{
	struct sim *m = ctx;

	if (m->nedges == m->edge_room) {
		m->edge_room = m->edge_room ? 2 * m->edge_room : 4096;
		m->edge = need(realloc(m->edge,
				       m->edge_room * sizeof(*m->edge)));
	}
	m->edge[m->nedges++] = (struct edge){ from, to };
}

static int by_from(const void *a, const void *b)
{
	const struct edge *x = a, *y = b;

	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	return x->to < y->to ? -1 : x->to > y->to;
}

static void index_edges(struct sim *m, uint64_t states)
{
	qsort(m->edge, m->nedges, sizeof(*m->edge), by_from);
	m->first = need(calloc(states + 1, sizeof(*m->first)));
	for (size_t i = m->nedges; i-- > 0; )
		m->first[m->edge[i].from] = i;
	for (uint64_t s = 0; s < states; s++)
		if (m->nedges && m->edge[m->first[s]].from != s)
			m->first[s] = m->nedges;
}

/* ---- pairs ---- */

static struct pair *pair_at(const struct sim *m, size_t i)
{
	return (struct pair *)(void *)(m->pair + i * m->pair_size);
}

static void pair_add(void *ctx, const uint8_t *st)
{
	struct sim *m = ctx;
	struct pair *p;

	for (size_t i = m->pairs_of[m->to]; i != NO_PAIR; i = p->next) {
		p = pair_at(m, i);
		if (!memcmp(p->st, st, m->m.in.values))
			return;
	}
	if (m->npairs == m->pair_room) {
		m->pair_room = m->pair_room ? 2 * m->pair_room : 1024;
		m->pair = need(realloc(m->pair, m->pair_room * m->pair_size));
	}
	p = pair_at(m, m->npairs);
	p->lab = m->to;
	p->dead = p->stuck = false;
	p->next = m->pairs_of[m->to];
	memcpy(p->st, st, m->m.in.values);
	m->pairs_of[m->to] = m->npairs++;
}

/* What a state of the lab looks like, looked at once. */
static const struct look *look_of(struct sim *m, uint32_t state)
{
	struct look *l = (struct look *)(void *)(m->look +
						 state * m->look_size);

	if (!m->looked[state]) {
		world_load(explore_state(m->x, state));
		look_at(&m->m, l);
		m->looked[state] = true;
	}
	return l;
}

/* ---- where it comes apart, in words ---- */

/* The states that follow one: an exploration of its own, one event deep. */
struct after {
	const struct lab *l;
	const uint32_t *from;
	unsigned int words;
};

static void after_initial(void *ctx, uint32_t *s)
{
	const struct after *a = ctx;

	memcpy(s, a->from, a->words * sizeof(*s));
}

static void after_expand(void *ctx, const uint32_t *s, struct explore *x)
{
	const struct after *a = ctx;

	lab_model(a->l)->expand(lab_model(a->l)->ctx, s, x);
}

static bool event_between(struct sim *m, const struct lab *l, uint32_t from,
			  uint32_t to, explore_label *label)
{
	unsigned int words = lab_model(l)->words;
	struct after a = { l, explore_state(m->x, from), words };
	struct explore_model model = { words, after_initial, after_expand, &a };
	struct explore_limits lim = { .depth = 1 };
	struct explore *x = explore_new(&model);
	bool found = false;

	explore_run(x, &lim);
	for (uint64_t i = 1; !found && i < explore_stats(x)->states; i++)
		found = !memcmp(explore_state(x, i),
				explore_state(m->x, to), words * 4) &&
			explore_path(x, i, label, 1) == 1;
	explore_free(x);
	return found;
}

/* Run the lab to where it was, and on by that event, for its words. */
static void tell_event(struct sim *m, uint32_t from, uint32_t to)
{
	size_t n = explore_path(m->x, from, NULL, 0);
	explore_label *way = need(calloc(n + 1, sizeof(*way)));
	struct lab_event ev = { .actor = 0 };
	char who[20];

	explore_path(m->x, from, way, n);
	if (event_between(m, lab, from, to, &way[n])) {
		lab_replay_begin(lab);
		for (size_t i = 0; i <= n; i++)
			lab_replay_step(lab, way[i], &ev);
		if (ev.actor == LAB_HOST_ACTOR)
			snprintf(who, sizeof(who), "the host");
		else
			snprintf(who, sizeof(who), "CPU%d", ev.actor);
		snprintf(m->r->event, sizeof(m->r->event),
			 "event %zu: %s: %s", n + 1, who, ev.text);
	}
	free(way);
}

static void tell_state(const struct sim *m, char *to, size_t size,
		       const uint8_t *st, const uint8_t *than)
{
	FILE *f = fmemopen(to, size, "w");

	if (!f)
		return;
	state_words(f, &m->m.in, st, than);
	fclose(f);
	to[size - 1] = 0;
}

/* After the event: what the lab's state shows, and nothing else, is known. */
static void tell_after(struct sim *m, const uint8_t *st, uint32_t to)
{
	const struct look *l = look_of(m, to);
	uint8_t after[MAX_VALUES] = { 0 };

	memcpy(after, st, m->m.in.values);
	for (unsigned int i = 0; i < m->m.nseen; i++)
		memcpy(after + m->m.at[i], l->st + m->m.at[i], m->m.n[i]);
	tell_state(m, m->r->after, sizeof(m->r->after), after, st);
}

static void apart(struct sim *m, const struct pair *p, uint32_t to)
{
	snprintf(m->r->why, sizeof(m->r->why), "the lab does what no run of the proved system does");
	tell_state(m, m->r->before, sizeof(m->r->before), p->st, NULL);
	tell_after(m, p->st, to);
	tell_event(m, p->lab, to);
}

/* ---- states and transitions ---- */

static bool invariant_holds(struct sim *m, const struct invariant *v,
			    const uint8_t *st)
{
	uint8_t env[128] = { 0 };

	do
		if (!instance_eval(&m->m.in, v->term, st, env))
			return false;
	while (instance_next(&m->m.in, "cmk", env));
	return true;
}

static bool invariants_hold(struct sim *m, const struct pair *p)
{
	for (unsigned int i = 0; i < m->v->n; i++) {
		if (invariant_holds(m, &m->v->inv[i], p->st))
			continue;
		snprintf(m->r->why, sizeof(m->r->why),
			 "an invariant of the proof does not hold: %s",
			 m->v->inv[i].name);
		tell_state(m, m->r->before, sizeof(m->r->before), p->st,
			   NULL);
		return false;
	}
	return true;
}

/* Return: the state that no run leads to; the pair's own: there is none. */
static uint32_t one_pair(struct sim *m, const struct pair *p)
{
	size_t e = m->first[p->lab];
	const struct look *was = look_of(m, p->lab);

	match_from(&m->m, p->st, was);
	for (; e < m->nedges && m->edge[e].from == p->lab; e++) {
		m->to = m->edge[e].to;
		m->r->transitions++;
		if (!match_runs(&m->m, look_of(m, m->to)))
			return m->to;
	}
	return p->lab;
}

/* ---- dropping what cannot go on ---- */

static bool some_alive(const struct sim *m, uint32_t state)
{
	for (size_t i = m->pairs_of[state]; i != NO_PAIR;
	     i = pair_at(m, i)->next)
		if (!pair_at(m, i)->dead)
			return true;
	return false;
}

struct alive {
	struct sim *m;
	bool found;
};

static void is_alive(void *ctx, const uint8_t *st)
{
	struct alive *a = ctx;
	const struct sim *m = a->m;

	for (size_t i = m->pairs_of[m->to]; i != NO_PAIR;
	     i = pair_at(m, i)->next)
		if (!memcmp(pair_at(m, i)->st, st, m->m.in.values))
			a->found = a->found || !pair_at(m, i)->dead;
}

/* Does each event to one of the states @changed lead to a pair still alive? */
static bool goes_on(struct sim *m, const struct pair *p, const bool *changed)
{
	size_t e = m->first[p->lab];

	match_from(&m->m, p->st, look_of(m, p->lab));
	for (; e < m->nedges && m->edge[e].from == p->lab; e++) {
		struct alive a = { .m = m };

		m->to = m->edge[e].to;
		if (!changed[m->to])
			continue;
		m->m.found = is_alive;
		m->m.ctx = &a;
		match_runs(&m->m, look_of(m, m->to));
		if (!a.found)
			return false;
	}
	return true;
}

static bool leads_to(const struct sim *m, uint32_t from, const bool *states)
{
	size_t e = m->first[from];

	for (; e < m->nedges && m->edge[e].from == from; e++)
		if (states[m->edge[e].to])
			return true;
	return false;
}

static bool drop_dead(struct sim *m)
{
	bool *changed = need(calloc(m->r->states, 1)), any = true;
	bool *next = need(calloc(m->r->states, 1)), *swap;

	for (size_t i = 0; i < m->npairs; i++)
		if (pair_at(m, i)->dead)
			changed[pair_at(m, i)->lab] = true;
	while (any) {
		any = false;
		memset(next, 0, m->r->states);
		for (size_t i = m->npairs; i-- > 0; ) {
			struct pair *p = pair_at(m, i);

			if (p->dead || !leads_to(m, p->lab, changed) ||
			    goes_on(m, p, changed))
				continue;
			p->dead = any = next[p->lab] = true;
		}
		swap = changed;
		changed = next;
		next = swap;
	}
	free(changed);
	free(next);
	return !pair_at(m, 0)->dead;
}

static bool all_stuck(const struct sim *m, uint32_t state)
{
	for (size_t i = m->pairs_of[state]; i != NO_PAIR;
	     i = pair_at(m, i)->next)
		if (!pair_at(m, i)->stuck)
			return false;
	return true;
}

/*
 * The first state of the lab at which every pair is stuck; if there is none,
 * is stuck or leads to one that is.
 */
static void tell(struct sim *m, bool surely)
{
	for (size_t i = 0; i < m->npairs; i++) {
		struct pair *p = pair_at(m, i);
		uint32_t to;

		if (!p->stuck || (surely ? !all_stuck(m, p->lab) :
				  some_alive(m, p->lab)))
			continue;
		m->m.found = pair_add;
		m->m.ctx = m;
		to = one_pair(m, p);
		apart(m, pair_at(m, i), to);
		return;
	}
	if (surely)
		tell(m, false);
}

static bool simulate(struct sim *m, const volatile bool *stop)
{
	struct pair *p = need(malloc(m->pair_size));
	bool ok = true, stuck = false;

	for (size_t i = 0; ok && i < m->npairs; i++) {
		memcpy(p, pair_at(m, i), m->pair_size);
		ok = invariants_hold(m, p);
		if (ok && one_pair(m, p) != p->lab) {
			pair_at(m, i)->stuck = pair_at(m, i)->dead = true;
			stuck = true;
		}
		if (stop && *stop) {
			m->r->result = SEAM_LIMIT;
			ok = false;
		}
	}
	free(p);
	if (!ok || !stuck || drop_dead(m))
		return ok;
	tell(m, true);
	return false;
}

/* The first state: as the system begins, but its pages were written to. */
static bool begin(struct sim *m, const struct lab_config *cfg)
{
	const struct look *l = look_of(m, 0);
	uint8_t st[MAX_VALUES];

	instance_begin(&m->m.in, cfg->to == AIRLOCK_TO_PRIVATE, st);
	for (unsigned int i = 0; i < 2; i++) {
		int s = symbol_find(&m->s->w, i ? "ds" : "dp");

		if (s >= 0)
			memcpy(st + m->m.in.at[s], l->st + m->m.in.at[s],
			       m->m.in.pages);
	}
	if (!looks_alike(&m->m, l, st)) {
		snprintf(m->r->why, sizeof(m->r->why),
			 "the lab does not begin as the proof does");
		tell_state(m, m->r->before, sizeof(m->r->before), st, NULL);
		tell_after(m, st, 0);
		return false;
	}
	m->to = 0;
	pair_add(m, st);
	return true;
}

static void prepare(struct sim *m, const struct lab_config *cfg)
{
	instance_make(&m->m.in, m->s, cfg->cpus, m->m.map.pages,
		      m->m.map.maps, cfg->converters);
	memcpy(m->m.in.page_of, m->m.map.page_of, sizeof(m->m.in.page_of));
	match_make(&m->m, m->s);
	m->m.idle = cfg->host != LAB_HOST_BENIGN;
	m->m.lies = cfg->host == LAB_HOST_HOSTILE;
	m->m.found = pair_add;
	m->m.ctx = m;
	m->r->states = explore_stats(m->x)->states;
	m->look_size = look_size(&m->m);
	m->look = need(calloc(m->r->states, m->look_size));
	m->looked = need(calloc(m->r->states, sizeof(*m->looked)));
	m->pair_size = (sizeof(struct pair) + m->m.in.values + 7) & ~(size_t)7;
	m->pairs_of = need(malloc(m->r->states * sizeof(*m->pairs_of)));
	for (uint64_t i = 0; i < m->r->states; i++)
		m->pairs_of[i] = NO_PAIR;
	index_edges(m, m->r->states);
}

static void sim_free(struct sim *m)
{
	free(m->edge);
	free(m->first);
	free(m->pair);
	free(m->pairs_of);
	free(m->look);
	free(m->looked);
	free(m->m.next);
	explore_free(m->x);
}

static void explored(struct sim *m, const struct lab_config *cfg,
		     const struct explore_limits *lim)
{
	struct explore_limits l2 = *lim;
	enum explore_result x;

	if (!l2.states || l2.states > MOST_STATES)
		l2.states = MOST_STATES;
	l2.edge = take_edge;
	l2.edge_ctx = m;
	m->x = explore_new(lab_model(lab));
	x = explore_run(m->x, &l2);
	if (x != EXPLORE_DONE) {
		m->r->result = x == EXPLORE_BAD ? SEAM_REFUSED : SEAM_LIMIT;
		snprintf(m->r->why, sizeof(m->r->why), "%s", x == EXPLORE_BAD ?
			 "the lab does not say safe" :
			 "the lab hit a limit without reduction");
		return;
	}
	prepare(m, cfg);
	if (begin(m, cfg) && simulate(m, lim->stop))
		m->r->result = SEAM_HOLDS;
	else if (m->r->result == SEAM_NONE)
		m->r->result = SEAM_APART;
	m->r->pairs = m->npairs;
}

static void refuse(struct seam *r, const char *why)
{
	r->result = SEAM_REFUSED;
	snprintf(r->why, sizeof(r->why), "%s", why);
}

bool seam_check(const struct lab_config *cfg, const struct system *s,
		const struct invariants *v, const struct explore_limits *lim,
		struct seam *r)
{
	struct sim m = { .s = s, .v = v, .r = r };
	struct lab_config q = *cfg;
	const char *why = NULL;
	struct lab *l;

	memset(r, 0, sizeof(*r));
	q.reduce = q.count = false;
	l = lab_new(&q, &why);
	if (!l) {
		refuse(r, why);
		return false;
	}
	if (q.interrupts || q.migrations || q.flush || q.reclaim)
		refuse(r, "interrupts, migrations, flush and reclaim are not in the proof");
	else if (q.pages > 6 || !map_make(&m.m.map))
		refuse(r, "too many pages to compare with the proof");
	else
		explored(&m, &q, lim);
	if (m.x)
		sim_free(&m);
	lab_free(l);
	return r->result == SEAM_HOLDS;
}

bool seam_ask(const struct lab_config *cfg, const struct explore_limits *lim,
	      struct seam *r)
{
	struct proof_question pq = {
		.platform = cfg->platform, .features = cfg->features,
		.failing = cfg->host == LAB_HOST_FAILING ||
			cfg->host == LAB_HOST_HOSTILE,
		.hostile = cfg->host == LAB_HOST_HOSTILE,
	};
	struct invariants v;
	struct system s;
	struct small sm;

	memset(r, 0, sizeof(*r));
	pq.to[cfg->to] = true;
	pq.to[!cfg->to] = cfg->rounds > 1;
	pq.order[0] = pq.order[1] = cfg->order;
	system_make(&s, &pq);
	small_run(&sm, &s, false);
	invariants_make(&v, &s, &sm);
	if (sm.bad) {
		r->result = SEAM_APART;
		snprintf(r->why, sizeof(r->why), "of this order the proof does not go through: %s",
			 sm.bad);
	} else {
		seam_check(cfg, &s, &v, lim, r);
	}
	invariants_free(&v);
	small_free(&sm);
	system_free(&s);
	return r->result == SEAM_HOLDS;
}
