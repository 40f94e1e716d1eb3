// SPDX-License-Identifier: GPL-2.0
/*
 * From a question to an answer.
 */
#include "lab.h"
#include "search/ends.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* States spent on making a counterexample the shortest there is. */
#define SHORTEST_STATES	4000000
/* Safe, and so small: then the states without reduction are counted too. */
#define COUNTED_STATES	1000
#define PLAIN_STATES	200000

void lab_config_default(struct lab_config *cfg)
{
	*cfg = (struct lab_config){
		.platform = AIRLOCK_SNP, .to = AIRLOCK_TO_SHARED,
		.order = airlock_default_order, .cpus = 2, .converters = 1,
		.pages = 2, .ranges = 1, .acts = 2, .store_buffer = 4, .reduce = true,
		.rounds = 1,
	};
}

/*
 * Run a trace again for its words: that of a bad transition, or the way to
 * the state @at of a circle.
 */
static void narrate(struct lab *l, struct explore *x, struct lab_verdict *v,
		    const uint32_t *at)
{
	size_t n = at ? explore_path(x, *at, NULL, 0) :
		explore_trace(x, NULL, 0);
	explore_label *label = calloc(n + 1, sizeof(*label));

	v->event = calloc(n + 1, sizeof(*v->event));
	if (!label || !v->event)
		err(3, "out of memory");
	if (at)
		explore_path(x, *at, label, n);
	else
		explore_trace(x, label, n);
	lab_replay_begin(l);
	for (size_t i = 0; i < n; i++)
		if (!lab_replay_step(l, label[i], &v->event[i]))
			errx(3, "lab: event %zu does not replay", i);
	v->nevents = n;
	lab_because(v->event, n);
	if (n)
		v->exception = v->event[n - 1].exception;
	free(label);
}

/* Explored to the end and nothing wrong: then every run has to end, too. */
static void endless(struct lab *l, struct explore *x, struct lab_verdict *v,
		    const struct ends *e)
{
	struct lab_event *last;
	uint32_t at;

	if (!ends_circle(e, v->stats.states, &at))
		return;
	v->result = EXPLORE_BAD;
	v->bad = LAB_BAD_ENDLESS;
	narrate(l, x, v, &at);
	if (!v->nevents)
		return;
	last = &v->event[v->nevents - 1];
	last->bad = LAB_BAD_ENDLESS;
	snprintf(last->why, sizeof(last->why),
		 "from here on it can go round in a circle and never end");
}

/* What an exploration takes beside the explorer's own memory. */
struct beside {
	struct lab *l;
	struct explore *x;
	struct ends ends;
};

static uint64_t beside(void *ctx)
{
	const struct beside *b = ctx;

	return lab_intern_bytes(b->l) +
		ends_bytes(&b->ends, explore_stats(b->x)->states);
}

static int one(const struct lab_config *cfg, const struct explore_limits *lim,
	       struct lab_verdict *v)
{
	struct lab *l = lab_new(cfg, &v->why);
	struct explore_limits with = *lim;
	struct beside b = { .l = l };
	struct explore *x;

	if (!l)
		return -1;
	/* Without reduction TLBs fill and drop for ever: circles say nothing. */
	if (cfg->reduce) {
		with.edge = ends_edge;
		with.edge_ctx = &b.ends;
	}
	b.x = x = explore_new(lab_model(l));
	with.beside = beside;
	with.beside_ctx = &b;
	v->result = explore_run(x, &with);
	v->stats = *explore_stats(x);
	v->accesses = lab_accesses(l);
	if (v->stats.states)
		v->bytes_per_state = (v->stats.bytes_states +
				      lab_intern_bytes(l)) / v->stats.states;
	v->bad = v->stats.bad_code;
	if (v->result == EXPLORE_BAD || v->result == EXPLORE_DEADLOCK)
		narrate(l, x, v, NULL);
	else if (v->result == EXPLORE_DONE && cfg->reduce)
		endless(l, x, v, &b.ends);
	ends_free(&b.ends);
	explore_free(x);
	lab_free(l);
	return 0;
}

/* How many states do the few stand for? No verdict, but it must be the same. */
static void count_plain(const struct lab_config *cfg,
			const struct explore_limits *lim,
			struct lab_verdict *v)
{
	struct explore_limits l2 = *lim;
	struct lab_config q = *cfg;
	struct lab_verdict w = { 0 };

	if (!cfg->count || !cfg->reduce || v->stats.states > COUNTED_STATES)
		return;
	q.reduce = q.count = false;
	if (!l2.states || l2.states > PLAIN_STATES)
		l2.states = PLAIN_STATES;
	if (one(&q, &l2, &w))
		return;
	if (w.event)
		errx(3, "lab: safe with reduction, and not without");
	v->plain_states = w.stats.states;
	v->plain_more = w.result != EXPLORE_DONE;
	lab_verdict_free(&w);
}

/*
 * #VE is a choice of the host's, which may convert the page instead. Does the
 * verdict rest on it? Then the counterexample says so.
 */
static void rests_on_host(const struct lab_config *cfg,
			  const struct explore_limits *lim,
			  struct lab_verdict *v)
{
	struct lab_event *last = &v->event[v->nevents - 1];
	struct explore_limits l2 = *lim;
	struct lab_config q = *cfg;
	struct lab_verdict w = { 0 };
	size_t n = strlen(last->why);

	if (v->exception != LAB_EXCEPTION_VE)
		return;
	q.no_mmio = q.reduce = true;
	if (!l2.states || l2.states > PLAIN_STATES)
		l2.states = PLAIN_STATES;
	if (!one(&q, &l2, &w) && w.result == EXPLORE_DONE) {
		v->host_chose = true;
		snprintf(last->why + n, sizeof(last->why) - n,
			 "; this rests on the host, which took the address for MMIO: where it converts the page, as KVM does, the order is safe");
	}
	lab_verdict_free(&w);
}

static int answer(const struct lab_config *cfg,
		  const struct explore_limits *lim, struct lab_verdict *v)
{
	struct explore_limits l2 = *lim;
	struct lab_config q = *cfg;
	struct lab_verdict w;

	memset(v, 0, sizeof(*v));
	if (one(cfg, lim, v))
		return -1;
	v->shortest = !cfg->reduce;
	if (v->result == EXPLORE_DONE)
		count_plain(cfg, lim, v);
	if (!v->event || !cfg->reduce || cfg->brief ||
	    v->bad == LAB_BAD_ENDLESS)
		return 0;
	q.reduce = false;
	if (!l2.states || l2.states > SHORTEST_STATES)
		l2.states = SHORTEST_STATES;
	memset(&w, 0, sizeof(w));
	if (one(&q, &l2, &w) || !w.event) {
		lab_verdict_free(&w);
		return 0;
	}
	free(v->event);
	v->event = w.event;
	v->nevents = w.nevents;
	v->bad = w.bad;
	v->exception = w.exception;
	v->shortest = true;
	return 0;
}

int lab_check(const struct lab_config *cfg, const struct explore_limits *lim,
	      struct lab_verdict *v)
{
	if (answer(cfg, lim, v))
		return -1;
	if (v->event && v->nevents)
		rests_on_host(cfg, lim, v);
	return 0;
}

void lab_verdict_free(struct lab_verdict *v)
{
	free(v->event);
	v->event = NULL;
}
