// SPDX-License-Identifier: GPL-2.0
/*
 * A simulation. To each state of the lab belong states of the proof's system
 * that look the same (map.c); they differ in what the lab does not show: at
 * which program step the call is, which pages that step has done. The first
 * one is known. For each transition of the lab, each of them must have a run
 * of the system to one that looks like the lab's next state:
 *
 *   hardware, host   one rule that is no call's, or none
 *   the engine       rules for what it asked its port for, "go on", and the
 *                    stores that its instruction drained
 */
#include "seam.h"
#include "map.h"
#include "engine.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>

#define DEEP	8	/* rules in one transition of the lab, at most */
#define MANY	512	/* states on the way */

struct pair {
	uint32_t lab;
	uint8_t st[MAX_VALUES];
};

struct edge {
	uint32_t from, to;
};

struct sim {
	const struct system *s;
	const struct invariants *v;
	struct instance in;
	struct explore *x;
	struct edge *edge;
	size_t nedges, edge_room;
	size_t *first;			/* edge of each state */
	struct pair *pair;
	size_t npairs, pair_room;
	/* what the lab's state shows */
	uint8_t seen[MAX_VALUES];
	uint8_t pending[LAB_MAX_CPUS][4][LAB_SB];
	unsigned int npending[LAB_MAX_CPUS][4];
	uint8_t from[MAX_VALUES];	/* the one before */
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

/* ---- what looks like the lab's state ---- */

static void look_at(struct sim *m, uint32_t state)
{
	world_load(explore_state(m->x, state));
	map_state(&m->in, m->seen);
	for (unsigned int c = 0; c < m->in.cpus; c++)
		for (unsigned int p = 0; p < m->in.pages; p++)
			m->npending[c][p] = map_pending(c, p,
							m->pending[c][p]);
}

static bool same_stores(struct sim *m, uint8_t *st, unsigned int c,
			unsigned int p)
{
	unsigned int n = 0;

	for (unsigned int j = 1; j <= m->s->npasses; j++) {
		char sb[8];
		uint8_t v = (uint8_t)(m->s->pass[j].present |
				      m->s->pass[j].shared << 1);

		snprintf(sb, sizeof(sb), "sb%u", j);
		if (!*instance_at(&m->in, st, sb, c * m->in.pages + p))
			continue;
		if (n == m->npending[c][p] || m->pending[c][p][n++] != v)
			return false;
	}
	return n == m->npending[c][p];
}

static bool looks_alike(struct sim *m, uint8_t *st)
{
	for (const char *const *name = map_seen; *name; name++) {
		int s = symbol_find(&m->s->w, *name);
		unsigned int n = m->in.pages;

		if (s < 0)
			continue;
		if (!strcmp(*name, "tp") || !strcmp(*name, "ts"))
			n *= m->in.cpus;
		else if (!strcmp(*name, "wait"))
			n = m->in.cpus;
		if (memcmp(st + m->in.at[s], m->seen + m->in.at[s], n))
			return false;
	}
	for (unsigned int c = 0; c < m->in.cpus; c++)
		for (unsigned int p = 0; p < m->in.pages; p++)
			if (!same_stores(m, st, c, p))
				return false;
	return true;
}

/* ---- what the engine asked for ---- */

static const struct {
	enum req_kind kind;
	const char *act[3];
	bool must;		/* one of them has to happen */
} asked[] = {
	{ REQ_LOCK, { "begin", "a page", "give the pages back" }, false },
	{ REQ_PTE, { "write an entry" }, false },	/* or the window's */
	{ REQ_SHOOTDOWN, { "flush here, send", "all have answered" }, true },
	{ REQ_CACHE, { "CLFLUSH, as private", "CLFLUSH, as shared" }, true },
	{ REQ_PVALIDATE, { "PVALIDATE, rescind", "PVALIDATE, validate" },
	  true },
	{ REQ_EVICT, { "evict reads" }, true },
	{ REQ_VMGEXIT, { "the host does a page" }, true },
	{ REQ_HYPERCALL, { "the host does a page" }, true },
	{ REQ_TDCALL, { "the host does a page", "ACCEPT", "RELEASE" }, true },
};
#define ASKED (sizeof(asked) / sizeof(asked[0]))

static size_t request(uint32_t kind)
{
	size_t i = 0;

	while (i < ASKED && asked[i].kind != kind)
		i++;
	return i;
}

static bool is_act(const struct rule *r, size_t q)
{
	for (unsigned int i = 0; q < ASKED && i < 3; i++)
		if (asked[q].act[i] && !strcmp(asked[q].act[i], r->act))
			return true;
	return false;
}

static bool may_fire(const struct rule *r, bool engine_step, size_t q)
{
	if (!engine_step)
		return !r->act[0];
	return is_act(r, q) || !strcmp(r->act, "go on") ||
		!strncmp(r->name, "a store of pass", 15);
}

/* ---- the search for a run ---- */

struct way {
	uint8_t st[MAX_VALUES];
	uint8_t depth;
	bool acted;
};

struct search {
	struct sim *m;
	struct way way[MANY];
	unsigned int n;
	bool engine_step;
	size_t q;
	uint32_t to;
	bool found;
	unsigned int at_depth;
};

static void pair_add(struct sim *m, uint32_t state, const uint8_t *st)
{
	for (size_t i = m->npairs; i-- > 0; )
		if (m->pair[i].lab == state &&
		    !memcmp(m->pair[i].st, st, m->in.values))
			return;
	if (m->npairs == m->pair_room) {
		m->pair_room = m->pair_room ? 2 * m->pair_room : 1024;
		m->pair = need(realloc(m->pair,
				       m->pair_room * sizeof(*m->pair)));
	}
	m->pair[m->npairs].lab = state;
	memcpy(m->pair[m->npairs++].st, st, m->in.values);
}

static void arrive(struct search *s, const uint8_t *st, unsigned int depth,
		   bool acted)
{
	struct way *w = &s->way[s->n];

	for (unsigned int i = 0; i < s->n; i++)
		if (s->way[i].acted == acted &&
		    !memcmp(s->way[i].st, st, s->m->in.values))
			return;
	if (s->n == MANY)
		return;
	memcpy(w->st, st, s->m->in.values);
	w->depth = (uint8_t)depth;
	w->acted = acted;
	s->n++;
	if ((s->engine_step && s->q < ASKED && asked[s->q].must && !acted) ||
	    !looks_alike(s->m, w->st))
		return;
	s->found = true;
	s->at_depth = depth;
	pair_add(s->m, s->to, st);
}

static void go(struct search *s, unsigned int i)
{
	const struct system *sys = s->m->s;

	for (unsigned int k = 0; k < sys->nrules; k++) {
		const struct rule *r = &sys->rule[k];
		uint8_t env[128] = { 0 }, after[MAX_VALUES];
		const char *bad;

		if (!may_fire(r, s->engine_step, s->q))
			continue;
		do {
			if (instance_apply(&s->m->in, r, env, s->way[i].st,
					   after, &bad) && !bad)
				arrive(s, after, s->way[i].depth + 1u,
				       s->way[i].acted || is_act(r, s->q));
		} while (instance_next(&s->m->in, r->about, env));
	}
}

/* The shortest runs that arrive; more than one rule only for the engine. */
static bool matched(struct sim *m, const uint8_t *st, bool engine_step,
		    size_t q, uint32_t to)
{
	static struct search s;

	s = (struct search){ .m = m, .engine_step = engine_step, .q = q,
			     .to = to };
	arrive(&s, st, 0, false);
	for (unsigned int i = 0; i < s.n; i++) {
		if (s.found && s.way[i].depth >= s.at_depth)
			break;
		if (s.way[i].depth < (engine_step ? DEEP : 1))
			go(&s, i);
	}
	return s.found;
}

/* ---- states and transitions ---- */

static bool invariants_hold(struct sim *m, const uint8_t *st)
{
	for (unsigned int i = 0; i < m->v->n; i++) {
		uint8_t env[128] = { 0 };

		do
			if (!instance_eval(&m->in, m->v->inv[i].term, st,
					   env)) {
				snprintf(m->r->why, sizeof(m->r->why),
					 "an invariant does not hold: %s",
					 m->v->inv[i].name);
				return false;
			}
		while (instance_next(&m->in, "cm", env));
	}
	return true;
}

static bool one_edge(struct sim *m, const struct pair *p, uint32_t to)
{
	struct req before;
	uint32_t local;
	uint8_t sent;
	bool engine_step;

	world_load(explore_state(m->x, p->lab));
	before = local_of(0)->req;
	local = lab->w.local_id[0];
	sent = lab->w.hw[0].sent;
	look_at(m, to);
	engine_step = lab->w.local_id[0] != local || lab->w.hw[0].sent != sent;
	m->r->transitions++;
	if (matched(m, p->st, engine_step, request(before.kind), to))
		return true;
	snprintf(m->r->why, sizeof(m->r->why),
		 "no run of the system does what the lab did from state %u to %u: %s, at \"%s\"",
		 p->lab, to, engine_step ? "a step of the engine" :
		 "hardware or host", m->s->step[*instance_at(&m->in,
			(uint8_t *)(uintptr_t)p->st, "pc", 0)]);
	return false;
}

static bool simulate(struct sim *m)
{
	for (size_t i = 0; i < m->npairs; i++) {
		struct pair p = m->pair[i];
		size_t e = m->first[p.lab];

		if (!invariants_hold(m, p.st))
			return false;
		for (; e < m->nedges && m->edge[e].from == p.lab; e++)
			if (!one_edge(m, &p, m->edge[e].to))
				return false;
	}
	return true;
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

/* The first state: as the system begins, but its pages were written to. */
static bool begin(struct sim *m, const struct lab_config *cfg)
{
	uint8_t st[MAX_VALUES];

	look_at(m, 0);
	instance_begin(&m->in, cfg->to == AIRLOCK_TO_PRIVATE, st);
	for (unsigned int p = 0; p < m->in.pages; p++)
		for (unsigned int i = 0; i < 2; i++) {
			const char *line = i ? "ds" : "dp";
			uint8_t *at = instance_at(&m->in, st, line, p);

			if (at)
				*at = *instance_at(&m->in, m->seen, line, p);
		}
	if (!looks_alike(m, st)) {
		snprintf(m->r->why, sizeof(m->r->why),
			 "the lab begins otherwise");
		return false;
	}
	pair_add(m, 0, st);
	return true;
}

bool seam_check(const struct lab_config *cfg, const struct system *s,
		const struct invariants *v, struct seam *r)
{
	struct sim m = { .s = s, .v = v, .r = r };
	struct explore_limits lim = { .states = 2000000, .edge = take_edge,
				      .edge_ctx = &m };
	const char *why = NULL;
	struct lab *l = lab_new(cfg, &why);
	bool ok;

	memset(r, 0, sizeof(*r));
	if (!l) {
		snprintf(r->why, sizeof(r->why), "%s", why);
		return false;
	}
	m.x = explore_new(lab_model(l));
	ok = explore_run(m.x, &lim) == EXPLORE_DONE;
	if (!ok)
		snprintf(r->why, sizeof(r->why), "the lab does not say safe");
	r->states = explore_stats(m.x)->states;
	instance_make(&m.in, s, cfg->cpus, map_pages());
	index_edges(&m, r->states);
	ok = ok && begin(&m, cfg) && simulate(&m);
	r->pairs = m.npairs;
	free(m.edge);
	free(m.first);
	free(m.pair);
	explore_free(m.x);
	lab_free(l);
	return ok;
}
