// SPDX-License-Identifier: GPL-2.0
/*
 * The search for a run of the system that does what one event of the lab did.
 *
 *   hardware, host   rules that are no call's, each bringing the state nearer
 *                    to what the lab's next state looks like
 *   the engine       rules of its call: what it asked its port for, "go on",
 *                    and the stores that its instruction drained
 */
#include "match.h"
#include "engine.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define MANY	1024	/* states on the way */

/* ---- what looks like the lab's state ---- */

void match_make(struct match *m, const struct system *s)
{
	m->s = s;
	m->nseen = 0;
	for (const char *const *name = map_seen; *name; name++) {
		int i = symbol_find(&s->w, *name);
		unsigned int next;

		if (i < 0 || !strcmp(*name, "led"))
			continue;
		next = (unsigned int)i + 1 < s->w.nsymbols ? m->in.at[i + 1] :
			m->in.values;
		m->at[m->nseen] = m->in.at[i];
		m->n[m->nseen++] = next - m->in.at[i];
	}
	m->owned = m->in.at[symbol_find(&s->w, "owned")];
	m->led = m->in.at[symbol_find(&s->w, "led")];
	m->qu = symbol_find(&s->w, "qu");
	if (m->qu >= 0)
		m->qu = (int)m->in.at[m->qu];
	m->ta = symbol_find(&s->w, "ta");
	if (m->ta >= 0)
		m->ta = (int)m->in.at[m->ta];
	m->mp = m->in.at[symbol_find(&s->w, "mp")];
	m->ms = m->in.at[symbol_find(&s->w, "ms")];
	for (unsigned int j = 1; j <= s->npasses; j++) {
		char sb[8];

		snprintf(sb, sizeof(sb), "sb%u", j);
		m->sb[j] = (int)m->in.at[symbol_find(&s->w, sb)];
	}
}

size_t look_size(const struct match *m)
{
	return (sizeof(struct look) + m->in.values + 7) & ~(size_t)7;
}

static unsigned int pending(const struct match *m, const uint8_t *st,
			    unsigned int c, unsigned int i, uint8_t *value);

/* The ledger says shared or private of it. */
static bool certain(const struct match *m, const uint8_t *st, unsigned int p)
{
	return !st[m->owned + p] &&
		(m->qu < 0 || !st[(unsigned int)m->qu + p]);
}

/* Of all that states have in common that look alike. @l: the lab's, or NULL. */
static uint64_t hash_of(const struct match *m, const uint8_t *st,
			const struct look *l)
{
	XXH64_hash_t h = 0;

	for (unsigned int i = 0; i < m->nseen; i++)
		h = XXH3_64bits_withSeed(st + m->at[i], m->n[i], h);
	for (unsigned int p = 0; p < m->in.pages; p++)
		if (certain(m, st, p))
			h = XXH3_64bits_withSeed(st + m->led + p, 1, h);
	for (unsigned int c = 0; c < m->in.cpus; c++)
		for (unsigned int i = 0; i < m->in.maps; i++) {
			uint8_t value[AIRLOCK_ORDER_STEPS * 2];
			uint8_t n = l ? l->npending[c][i] :
				(uint8_t)pending(m, st, c, i, value);

			h = XXH3_64bits_withSeed(&n, 1, h);
			h = XXH3_64bits_withSeed(l ? l->pending[c][i] : value,
						 n, h);
		}
	return h;
}

static uint16_t pages_of(const struct req *r)
{
	return r->kind == REQ_CACHE || r->kind == REQ_EVICT ?
		(uint16_t)r->lines.pages : 0;
}

void look_at(const struct match *m, struct look *l)
{
	memset(l, 0, look_size(m));
	for (unsigned int k = 0; k < m->in.calls; k++) {
		l->local[k] = lab->w.local_id[k];
		l->sent[k] = lab->w.hw[k].sent;
		l->kind[k] = (uint8_t)local_of(k)->req.kind;
		l->pages[k] = pages_of(&local_of(k)->req);
	}
	map_state(&m->map, &m->in, l->st);
	for (unsigned int c = 0; c < m->in.cpus; c++)
		for (unsigned int i = 0; i < m->in.maps; i++)
			l->npending[c][i] = (uint8_t)map_pending(&m->map, c,
						i, l->pending[c][i]);
	l->hash = hash_of(m, l->st, l);
}

/* The values that a mapping takes as the stores drain, as map_pending(). */
static unsigned int pending(const struct match *m, const uint8_t *st,
			    unsigned int c, unsigned int i, uint8_t *value)
{
	uint8_t was = (uint8_t)(st[m->mp + i] | st[m->ms + i] << 1);
	unsigned int n = 0;

	for (unsigned int j = 1; j <= m->s->npasses; j++) {
		uint8_t is = (uint8_t)(m->s->pass[j].present |
				       m->s->pass[j].shared << 1);

		if (!st[(unsigned int)m->sb[j] + c * m->in.maps + i])
			continue;
		if (is != was)
			value[n++] = is;
		was = is;
	}
	return n;
}

static bool same_stores(const struct match *m, const struct look *l,
			const uint8_t *st)
{
	uint8_t value[AIRLOCK_ORDER_STEPS * 2];

	for (unsigned int c = 0; c < m->in.cpus; c++)
		for (unsigned int i = 0; i < m->in.maps; i++) {
			unsigned int n = pending(m, st, c, i, value);

			if (n != l->npending[c][i] ||
			    memcmp(value, l->pending[c][i], n))
				return false;
		}
	return true;
}

bool looks_alike(const struct match *m, const struct look *l,
		 const uint8_t *st)
{
	for (unsigned int i = 0; i < m->nseen; i++)
		if (memcmp(st + m->at[i], l->st + m->at[i], m->n[i]))
			return false;
	for (unsigned int p = 0; p < m->in.pages; p++)
		if (certain(m, st, p) && st[m->led + p] != l->st[m->led + p])
			return false;
	return same_stores(m, l, st);
}

/* How much is otherwise. */
static unsigned int distance(const struct match *m, const struct look *l,
			     const uint8_t *st)
{
	unsigned int d = 0;

	for (unsigned int i = 0; i < m->nseen; i++)
		for (unsigned int k = 0; k < m->n[i]; k++)
			d += st[m->at[i] + k] != l->st[m->at[i] + k];
	for (unsigned int c = 0; c < m->in.cpus; c++)
		for (unsigned int i = 0; i < m->in.maps; i++)
			for (unsigned int j = 1; j <= m->s->npasses; j++)
				d += 3u * st[(unsigned int)m->sb[j] +
					     c * m->in.maps + i];
	return d;
}

/* ---- what the engine asked for ---- */

#define ACTS 6

static const struct {
	enum req_kind kind;
	const char *act[ACTS];
	bool must;		/* one of them has to happen */
	bool host;		/* but for a host that fails */
} asked[] = {
	{ REQ_LOCK, { "begin", "a page", "give the pages back",
		      "give up, a page is busy", "into quarantine" }, false,
	  false },
	{ REQ_PTE, { "write an entry" }, false, false }, /* or the window's */
	{ REQ_SHOOTDOWN, { "flush here, send", "all have answered" }, true,
	  false },
	{ REQ_CACHE, { "CLFLUSH, as private", "CLFLUSH, as shared" }, true,
	  false },
	{ REQ_PVALIDATE, { "PVALIDATE, rescind", "PVALIDATE, validate" },
	  true, false },
	{ REQ_EVICT, { "evict reads" }, true, false },
	{ REQ_VMGEXIT, { "the host does a page", "the host undoes a page" },
	  true, true },
	{ REQ_HYPERCALL, { "the host does a page", "the host undoes a page" },
	  true, true },
	{ REQ_TDCALL, { "the host does a page", "the host undoes a page",
			"gives a page up", "ACCEPT", "RELEASE" }, true, true },
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
	for (unsigned int i = 0; q < ASKED && i < ACTS; i++)
		if (asked[q].act[i] && !strcmp(asked[q].act[i], r->act))
			return true;
	return false;
}

/* The request may come to nothing. */
static bool in_vain(const struct match *m, size_t q)
{
	return asked[q].host ? m->idle :
		m->lies && asked[q].kind == REQ_PVALIDATE;
}

int match_engine(const struct match *m, const struct look *was,
		 const struct look *is)
{
	for (unsigned int k = 0; k < m->in.calls; k++)
		if (was->local[k] != is->local[k] ||
		    was->sent[k] != is->sent[k])
			return (int)k;
	return -1;
}

/* ---- the search ---- */

struct way {
	uint8_t st[MAX_VALUES];
	unsigned int depth, distance, acts;
};

struct search {
	struct match *m;
	const struct look *is;
	int cpu;		/* whose engine, -1: none's */
	uint32_t kind;
	size_t q;
	unsigned int n, at_depth, deep;
	unsigned int acts;	/* that there must be, at least */
	bool found;
	struct way way[MANY];
};

/* Between two requests: what is known, or decided, without one. */
static bool is_link(const struct rule *r)
{
	static const char *const link[] = {
		"go on", "the host refuses", "nothing to undo",
		"already accepted",
	};

	for (size_t i = 0; i < sizeof(link) / sizeof(link[0]); i++)
		if (!strcmp(r->act, link[i]))
			return true;
	return false;
}

static bool may_fire(const struct search *s, const struct rule *r)
{
	if (r->kind == RULE_HOST)
		return true;
	if (s->cpu < 0)
		return r->kind == RULE_OTHER || r->kind == RULE_DRAIN;
	if (r->kind == RULE_WRITE)	/* between two calls */
		return s->kind == REQ_RETURN;
	return r->kind == RULE_DRAIN || (r->kind == RULE_CALL &&
		(is_act(r, s->q) || is_link(r)));
}

/* By the engine's own call, or out of its CPU's store buffer. */
static bool its_own(const struct search *s, const struct rule *r,
		    const uint8_t *env)
{
	return s->cpu < 0 || r->kind == RULE_WRITE || r->kind == RULE_HOST ||
		env[r->kind == RULE_CALL ? 'K' : 'C'] == s->cpu;
}

static bool is_known(const struct search *s, const uint8_t *st,
		     unsigned int acts)
{
	for (unsigned int i = 0; i < s->n; i++)
		if (s->way[i].acts == acts &&
		    !memcmp(s->way[i].st, st, s->m->in.values))
			return true;
	return false;
}

static void arrive(struct search *s, const uint8_t *st, unsigned int depth,
		   unsigned int far, unsigned int acts)
{
	if (s->n == MANY || is_known(s, st, acts))
		return;
	memcpy(s->way[s->n].st, st, s->m->in.values);
	s->way[s->n].depth = depth;
	s->way[s->n].distance = far;
	s->way[s->n++].acts = acts;
	if (acts < s->acts || !looks_alike(s->m, s->is, st))
		return;
	if (s->found && depth > s->at_depth && !acts)
		return;
	if (!s->found)
		s->at_depth = depth;
	s->found = true;
	s->m->found(s->m->ctx, st);
}

/* The host takes no more than the lab's did: that is for good. */
static bool takes_more(const struct search *s, const uint8_t *st)
{
	const struct match *m = s->m;

	for (unsigned int p = 0; m->ta >= 0 && p < m->in.pages; p++)
		if (st[(unsigned int)m->ta + p] >
		    s->is->st[(unsigned int)m->ta + p])
			return true;
	return false;
}

static void one_rule(struct search *s, const struct way *w,
		     const struct rule *r)
{
	uint8_t env[128] = { 0 }, after[MAX_VALUES];
	const struct match *m = s->m;
	const char *bad;

	do {
		unsigned int far = 0;

		if (!its_own(s, r, env) ||
		    !instance_apply(&m->in, r, env, w->st, after, &bad) ||
		    bad || takes_more(s, after))
			continue;
		if (s->cpu < 0) {
			far = distance(m, s->is, after);
			if (far >= w->distance)
				continue;
		}
		arrive(s, after, w->depth + 1, far, w->acts +
		       is_act(r, s->q));
	} while (instance_next(&m->in, r->about, env));
}

/* A store that changes nothing may be one of the window, or of a pass. */
static bool goes_on(const struct search *s, const struct way *w)
{
	if (w->depth >= s->deep)
		return false;
	if (s->found && s->kind == REQ_PTE)
		return w->depth < 2;
	/* Of a page that the host took nothing is seen: it may be done. */
	if (s->found && s->m->lies && s->q < ASKED && in_vain(s->m, s->q))
		return w->depth < 2 * s->m->in.pages + 1;
	return !s->found || w->depth < s->at_depth;
}

static void next_add(struct match *m, const uint8_t *st)
{
	if (m->nnext == m->next_room) {
		m->next_room = m->next_room ? 2 * m->next_room : 64;
		m->next = realloc(m->next, m->next_room * sizeof(*m->next));
		if (!m->next)
			err(3, "out of memory");
	}
	m->next[m->nnext].hash = hash_of(m, st, NULL);
	memcpy(m->next[m->nnext++].st, st, m->in.values);
}

void match_from(struct match *m, const uint8_t *st, const struct look *was)
{
	m->from = st;
	m->was = was;
	m->nnext = 0;
	for (unsigned int k = 0; k < m->s->nrules; k++) {
		const struct rule *r = &m->s->rule[k];
		uint8_t env[128] = { 0 }, after[MAX_VALUES];
		const char *bad;

		if (r->kind != RULE_OTHER && r->kind != RULE_DRAIN &&
		    r->kind != RULE_HOST)
			continue;
		do
			if (instance_apply(&m->in, r, env, st, after, &bad) &&
			    !bad)
				next_add(m, after);
		while (instance_next(&m->in, r->about, env));
	}
}

/* Hardware and host: one rule, or none, is nearly always enough. */
static bool soon(struct match *m, const struct look *is)
{
	bool found = m->was->hash == is->hash &&
		looks_alike(m, is, m->from);

	if (found)
		m->found(m->ctx, m->from);
	for (unsigned int i = 0; !found && i < m->nnext; i++) {
		found = m->next[i].hash == is->hash &&
			looks_alike(m, is, m->next[i].st);
		if (found)
			m->found(m->ctx, m->next[i].st);
	}
	return found;
}

bool match_runs(struct match *m, const struct look *is)
{
	const struct look *was = m->was;
	const uint8_t *st = m->from;
	static struct search s;

	s.m = m;
	s.is = is;
	s.cpu = match_engine(m, was, is);
	if (s.cpu < 0 && soon(m, is))
		return true;
	s.kind = s.cpu < 0 ? REQ_NONE : was->kind[s.cpu];
	s.q = request(s.kind);
	s.n = 0;
	s.acts = s.cpu < 0 ? 0 : was->pages[s.cpu];
	if (!s.acts)
		s.acts = s.q < ASKED && asked[s.q].must && !in_vain(m, s.q);
	s.found = false;
	s.deep = 2 * (m->in.pages + m->in.maps) + 8;
	arrive(&s, st, 0, s.cpu < 0 ? distance(m, is, st) : 0, 0);
	for (unsigned int i = 0; i < s.n && goes_on(&s, &s.way[i]); i++)
		for (unsigned int k = 0; k < m->s->nrules; k++)
			if (may_fire(&s, &m->s->rule[k]))
				one_rule(&s, &s.way[i], &m->s->rule[k]);
	return s.found;
}
