// SPDX-License-Identifier: GPL-2.0
/*
 * The explorer on graphs whose answer is known, or found by the dullest
 * search there is. Built three times: as it is, with a table and chunks so
 * small that they grow all the time, and with a hash of two bits, where
 * nearly every lookup meets states that differ and hash alike.
 */

#include "search/explore.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#ifdef TEST_WEAK_HASH
/* One segment, never divided; one slot has to stay empty. */
#define CAPACITY	((1u << EXPLORE_SEGMENT_BITS) - 1)
#endif

static struct explore *run(const struct explore_model *m,
			   const struct explore_limits *l,
			   enum explore_result want)
{
	struct explore *x = explore_new(m);

	assert_non_null(x);
	assert_int_equal(explore_run(x, l), want);
	return x;
}

/* -- graphs given as lists of edges ------------------------------------- */

enum { NODES_MAX = 512, EDGES_MAX = 4 };

enum edge_kind { EDGE_PLAIN, EDGE_BAD };

struct edge {
	uint32_t to;
	enum edge_kind kind;
};

struct graph {
	unsigned int words;
	uint32_t nodes;
	unsigned int degree[NODES_MAX];
	struct edge edge[NODES_MAX][EDGES_MAX];
	bool end[NODES_MAX];
};

/* The last words say nothing new: a state is more than its first word. */
static void node_write(const struct graph *g, uint32_t node, uint32_t *s)
{
	unsigned int i;

	for (i = 0; i < g->words; i++)
		s[i] = i ? node * 2654435761u + i : node;
}

static explore_label label_of(uint32_t node, unsigned int edge)
{
	return (explore_label)node << 32 | edge;
}

static void graph_initial(void *ctx, uint32_t *s)
{
	node_write(ctx, 0, s);
}

static void graph_expand(void *ctx, const uint32_t *s, struct explore *x)
{
	const struct graph *g = ctx;
	uint32_t to[64], node = s[0];
	unsigned int i;

	for (i = 0; i < g->degree[node]; i++) {
		const struct edge *e = &g->edge[node][i];

		if (e->kind == EDGE_BAD) {
			explore_bad(x, label_of(node, i), e->to);
			continue;
		}
		node_write(g, e->to, to);
		explore_emit(x, label_of(node, i), to);
	}
	if (g->end[node])
		explore_end(x);
}

static struct explore_model graph_model(struct graph *g)
{
	return (struct explore_model){
		.words = g->words,
		.initial = graph_initial,
		.expand = graph_expand,
		.ctx = g,
	};
}

static void edge_add(struct graph *g, uint32_t from, uint32_t to,
		     enum edge_kind kind)
{
	g->edge[from][g->degree[from]++] = (struct edge){ to, kind };
}

/* -- the dull search ---------------------------------------------------- */

struct naive {
	enum explore_result result;
	uint32_t order[NODES_MAX];
	uint32_t depth[NODES_MAX];	/* by node */
	uint32_t states;
	uint32_t expanded;
	uint32_t transitions;
	uint32_t bad;
	uint32_t bad_code;
	uint32_t deepest;
	uint32_t trace_len;
};

static uint32_t naive_find(const struct naive *n, uint32_t node)
{
	uint32_t i;

	for (i = 0; i < n->states; i++)
		if (n->order[i] == node)
			break;
	return i;
}

/* Expand one node; false when the search is over. */
static bool naive_expand(struct naive *n, const struct graph *g, uint32_t at,
			 bool keep_going)
{
	unsigned int i;

	n->expanded++;
	for (i = 0; i < g->degree[at]; i++) {
		const struct edge *e = &g->edge[at][i];

		n->transitions++;
		if (e->kind == EDGE_BAD) {
			if (!n->bad++) {
				n->bad_code = e->to;
				n->trace_len = n->depth[at] + 1;
			}
			n->result = EXPLORE_BAD;
			if (!keep_going)
				return false;
		} else if (naive_find(n, e->to) == n->states) {
			n->order[n->states++] = e->to;
			n->depth[e->to] = n->depth[at] + 1;
			n->deepest = n->depth[e->to];
		}
	}
	if (g->degree[at] || g->end[at] || n->result != EXPLORE_DONE)
		return true;
	n->result = EXPLORE_DEADLOCK;
	n->trace_len = n->depth[at];
	return keep_going;
}

static void naive_run(struct naive *n, const struct graph *g, bool keep_going)
{
	uint32_t i;

	memset(n, 0, sizeof(*n));
	n->states = 1;
	for (i = 0; i < n->states; i++)
		if (!naive_expand(n, g, n->order[i], keep_going))
			return;
}

/* A trace is a walk from node 0 along edges that are there. */
static void trace_check(const struct graph *g, const struct naive *n,
			struct explore *x)
{
	explore_label labels[NODES_MAX];
	uint32_t at = 0, i, len;
	const struct edge *e;

	len = (uint32_t)explore_trace(x, labels, NODES_MAX);
	assert_int_equal(len, n->trace_len);
	for (i = 0; i < len; i++) {
		assert_int_equal(labels[i] >> 32, at);
		assert_true((uint32_t)labels[i] < g->degree[at]);
		e = &g->edge[at][(uint32_t)labels[i]];
		assert_int_equal(e->kind == EDGE_BAD,
				 n->result == EXPLORE_BAD && i + 1 == len);
		at = e->to;
	}
	if (n->result == EXPLORE_DEADLOCK)
		assert_true(!g->degree[at] && !g->end[at]);
}

static void compare(struct graph *g, bool keep_going)
{
	struct explore_model m = graph_model(g);
	struct explore_limits l = { .keep_going = keep_going };
	const struct explore_stats *st;
	struct naive n;
	struct explore *x;
	uint32_t i;

	naive_run(&n, g, keep_going);
	x = run(&m, &l, n.result);
	st = explore_stats(x);
	assert_int_equal(st->states, n.states);
	assert_int_equal(st->expanded, n.expanded);
	assert_int_equal(st->transitions, n.transitions);
	assert_int_equal(st->bad, n.bad);
	assert_int_equal(st->bad_code, n.bad_code);
	assert_int_equal(st->depth, n.deepest);
	for (i = 0; i < n.states; i++)
		assert_int_equal(explore_state(x, i)[0], n.order[i]);
	assert_null(explore_state(x, n.states));
	if (n.result != EXPLORE_DONE)
		trace_check(g, &n, x);
	explore_free(x);
}

/* -- random graphs ------------------------------------------------------ */

static uint32_t rnd(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*seed >> 33);
}

static void graph_random(struct graph *g, uint64_t seed)
{
	uint32_t i, ends, bads;
	unsigned int k, d;

	memset(g, 0, sizeof(*g));
	rnd(&seed);
	g->words = 1 + rnd(&seed) % 40;
	g->nodes = 1 + rnd(&seed) % NODES_MAX;
	ends = rnd(&seed) % 4;		/* 0: a node without edges is stuck */
	bads = rnd(&seed) % 3 ? 0 : 1 + rnd(&seed) % 200;
	for (i = 0; i < g->nodes; i++) {
		d = rnd(&seed) % (EDGES_MAX + 1);
		/* Few dead ends, or every graph would be over at once. */
		if (!d && rnd(&seed) % 16)
			d = 1 + rnd(&seed) % EDGES_MAX;
		for (k = 0; k < d; k++)
			edge_add(g, i, rnd(&seed) % g->nodes,
				 bads && !(rnd(&seed) % bads) ? EDGE_BAD :
								EDGE_PLAIN);
		g->end[i] = ends && rnd(&seed) % 8;
	}
}

static void random_graphs(void **state)
{
	struct graph *g = malloc(sizeof(*g));
	uint64_t seed;

	(void)state;
	for (seed = 1; seed <= 400; seed++) {
		graph_random(g, seed);
		compare(g, false);
		compare(g, true);
	}
	free(g);
}

/* -- small graphs by hand ----------------------------------------------- */

static void one_state(void **state)
{
	struct graph g = { .words = 1, .nodes = 1, .end = { true } };

	(void)state;
	compare(&g, false);
}

static void one_state_stuck(void **state)
{
	struct graph g = { .words = 1, .nodes = 1 };
	struct explore_model m = graph_model(&g);
	struct explore *x = run(&m, NULL, EXPLORE_DEADLOCK);

	(void)state;
	assert_int_equal(explore_trace(x, NULL, 0), 0);
	explore_free(x);
}

/* A transition to itself is one: the state may stay there for ever. */
static void self_loop_is_no_deadlock(void **state)
{
	struct graph g = { .words = 2, .nodes = 1 };

	(void)state;
	edge_add(&g, 0, 0, EDGE_PLAIN);
	compare(&g, false);
}

/* 0 -> 1 -> 2 -> 3 -> bad, and 0 -> 4 -> bad: the second is nearer. */
static void nearest_bad_first(void **state)
{
	struct graph g = { .words = 3, .nodes = 5 };
	struct explore_model m = graph_model(&g);
	explore_label t[3] = { 0, 0, 77 };
	struct explore *x;

	(void)state;
	edge_add(&g, 0, 1, EDGE_PLAIN);
	edge_add(&g, 0, 4, EDGE_PLAIN);
	edge_add(&g, 1, 2, EDGE_PLAIN);
	edge_add(&g, 2, 3, EDGE_PLAIN);
	edge_add(&g, 3, 11, EDGE_BAD);
	edge_add(&g, 4, 22, EDGE_BAD);
	x = run(&m, NULL, EXPLORE_BAD);
	assert_int_equal(explore_stats(x)->bad_code, 22);
	assert_int_equal(explore_trace(x, t, 3), 2);
	assert_int_equal(t[0], label_of(0, 1));
	assert_int_equal(t[1], label_of(4, 0));
	assert_int_equal(t[2], 77);

	/* Too little room: the whole number, and no word beyond. */
	t[1] = 77;
	assert_int_equal(explore_trace(x, t, 1), 2);
	assert_int_equal(t[0], label_of(0, 1));
	assert_int_equal(t[1], 77);
	t[0] = 77;
	assert_int_equal(explore_trace(x, t, 0), 2);
	assert_int_equal(t[0], 77);
	explore_free(x);
}

static void keep_going_counts_all(void **state)
{
	struct graph g = { .words = 1, .nodes = 2, .end = { true, true } };
	struct explore_model m = graph_model(&g);
	struct explore_limits l = { .keep_going = true };
	struct explore *x;

	(void)state;
	edge_add(&g, 0, 5, EDGE_BAD);
	edge_add(&g, 0, 1, EDGE_PLAIN);
	edge_add(&g, 0, 6, EDGE_BAD);
	edge_add(&g, 1, 7, EDGE_BAD);
	x = run(&m, &l, EXPLORE_BAD);
	assert_int_equal(explore_stats(x)->bad, 3);
	assert_int_equal(explore_stats(x)->bad_code, 5);
	assert_int_equal(explore_stats(x)->states, 2);
	assert_int_equal(explore_stats(x)->transitions, 4);
	explore_free(x);
}

/* -- a grid: as large as wanted, every count known ---------------------- */

struct grid {
	unsigned int axes;
	uint32_t side;
};

static void grid_initial(void *ctx, uint32_t *s)
{
	const struct grid *g = ctx;

	memset(s, 0, g->axes * sizeof(*s));
}

static void grid_expand(void *ctx, const uint32_t *s, struct explore *x)
{
	const struct grid *g = ctx;
	uint32_t to[16];
	unsigned int i;

	memcpy(to, s, g->axes * sizeof(*s));
	for (i = 0; i < g->axes; i++) {
		if (s[i] + 1 == g->side)
			continue;
		to[i]++;
		explore_emit(x, i, to);
		to[i]--;
	}
	explore_end(x);
}

static struct explore_model grid_model(struct grid *g)
{
	return (struct explore_model){
		.words = g->axes,
		.initial = grid_initial,
		.expand = grid_expand,
		.ctx = g,
	};
}

static struct grid cube = { .axes = 3, .side = 16 };

static void whole_grid(void **state)
{
	struct explore_model m = grid_model(&cube);
	struct explore *x = run(&m, NULL, EXPLORE_DONE);
	const struct explore_stats *st = explore_stats(x);

	(void)state;
	assert_int_equal(st->states, 16 * 16 * 16);
	assert_int_equal(st->expanded, 16 * 16 * 16);
	assert_int_equal(st->transitions, 3 * 15 * 16 * 16);
	assert_int_equal(st->depth, 45);
	assert_int_equal(st->bytes_states, 16 * 16 * 16 * 16);
	explore_free(x);
}

static void millions(void **state)
{
	struct grid g = { .axes = 6, .side = 11 };
	struct explore_model m = grid_model(&g);
	struct explore *x;

	(void)state;
#ifdef TEST_WEAK_HASH
	/* The table is full and cannot be divided: never DONE. */
	x = run(&m, NULL, EXPLORE_LIMIT);
	assert_int_equal(explore_stats(x)->states, CAPACITY);
#else
	x = run(&m, NULL, EXPLORE_DONE);
	assert_int_equal(explore_stats(x)->states, 1771561);
	assert_int_equal(explore_stats(x)->transitions, 6 * 10 * 161051);
	assert_int_equal(explore_stats(x)->depth, 60);
#endif
	explore_free(x);
}

static void same_again(void **state)
{
	struct explore_model m = grid_model(&cube);
	struct explore *x = run(&m, NULL, EXPLORE_DONE);
	struct explore *y = run(&m, NULL, EXPLORE_DONE);
	uint64_t i;

	(void)state;
	/* A second run of the same explorer begins anew. */
	assert_int_equal(explore_run(y, NULL), EXPLORE_DONE);
	assert_int_equal(explore_stats(y)->states, explore_stats(x)->states);
	for (i = 0; i < explore_stats(x)->states; i++)
		assert_memory_equal(explore_state(x, i), explore_state(y, i),
				    3 * sizeof(uint32_t));
	explore_free(x);
	explore_free(y);
}

/* -- limits ------------------------------------------------------------- */

static void limit_of_states(void **state)
{
	struct explore_model m = grid_model(&cube);
	struct explore_limits l = { .states = 4095 };
	struct explore *x = run(&m, &l, EXPLORE_LIMIT);

	(void)state;
	assert_int_equal(explore_stats(x)->states, 4095);
	/* Exactly enough is enough. */
	l.states = 4096;
	assert_int_equal(explore_run(x, &l), EXPLORE_DONE);
	explore_free(x);
}

static void limit_of_depth(void **state)
{
	struct explore_model m = grid_model(&cube);
	struct explore_limits l = { .depth = 45 };
	struct explore *x = run(&m, &l, EXPLORE_LIMIT);

	(void)state;
	/* The corner was found; whether more lies behind it, nobody looked. */
	assert_int_equal(explore_stats(x)->states, 4096);
	assert_int_equal(explore_stats(x)->expanded, 4095);
	l.depth = 46;
	assert_int_equal(explore_run(x, &l), EXPLORE_DONE);
	l.depth = 1;
	assert_int_equal(explore_run(x, &l), EXPLORE_LIMIT);
	assert_int_equal(explore_stats(x)->states, 4);
	assert_int_equal(explore_stats(x)->depth, 1);
	explore_free(x);
}

static void limit_of_bytes(void **state)
{
	struct grid g = { .axes = 8, .side = 100 };
	struct explore_model m = grid_model(&g);
	struct explore_limits l = { .bytes = 8 << 20 };
	struct explore *x = run(&m, &l, EXPLORE_LIMIT);
	const struct explore_stats *st = explore_stats(x);

	(void)state;
	assert_true(st->bytes_states + st->bytes_table <= l.bytes);
#ifndef TEST_WEAK_HASH
	assert_true(st->bytes_states + st->bytes_table > l.bytes / 2);
#endif
	l.bytes = 1;
	assert_int_equal(explore_run(x, &l), EXPLORE_LIMIT);
	assert_int_equal(explore_stats(x)->states, 0);
	explore_free(x);
}

static void endless_initial(void *ctx, uint32_t *s)
{
	(void)ctx;
	s[0] = 0;
}

/* 4096 states and no end of transitions would do; a counter never ends. */
static void endless_expand(void *ctx, const uint32_t *s, struct explore *x)
{
	uint32_t to = s[0] + 1;

	(void)ctx;
#ifdef TEST_WEAK_HASH
	struct timespec t = { .tv_nsec = 1000000 };

	nanosleep(&t, NULL);
#endif
	explore_emit(x, 0, &to);
}

static const struct explore_model endless = {
	.words = 1, .initial = endless_initial, .expand = endless_expand,
};

static void limit_of_time(void **state)
{
	struct explore_limits l = { .seconds = 0.25 };
	struct explore *x = run(&endless, &l, EXPLORE_LIMIT);

	(void)state;
	assert_true(explore_stats(x)->seconds >= 0.25);
	assert_true(explore_stats(x)->seconds < 5);
	explore_free(x);
}

static volatile bool stop;
static unsigned int progressed;

static void stop_soon(void *ctx, const struct explore *x)
{
	assert_ptr_equal(ctx, &progressed);
	assert_true(explore_stats(x)->states > 0);
	stop = ++progressed == 2;
}

static void stopped_from_outside(void **state)
{
	struct explore_limits l = {
		.stop = &stop,
		.progress = stop_soon,
		.progress_ctx = &progressed,
		.seconds = 20,
	};
	struct explore *x = run(&endless, &l, EXPLORE_STOPPED);

	(void)state;
	assert_int_equal(progressed, 2);
	assert_int_equal(explore_run(x, &l), EXPLORE_STOPPED);
	assert_int_equal(explore_stats(x)->expanded, 0);
	explore_free(x);
}

/* 0 -> bad and 0 -> 1 -> 2 -> ...: found before the limit, so said. */
static void bad_before_limit(void **state)
{
	struct graph g = { .words = 1, .nodes = 3, .end = { false, false, true }
	};
	struct explore_model m = graph_model(&g);
	struct explore_limits l = { .keep_going = true, .states = 2 };

	(void)state;
	edge_add(&g, 0, 9, EDGE_BAD);
	edge_add(&g, 0, 1, EDGE_PLAIN);
	edge_add(&g, 1, 2, EDGE_PLAIN);
	explore_free(run(&m, &l, EXPLORE_BAD));
}

static void empty_state_refused(void **state)
{
	struct explore_model m = endless;

	(void)state;
	m.words = 0;
	assert_null(explore_new(&m));
	explore_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_state),
		cmocka_unit_test(one_state_stuck),
		cmocka_unit_test(self_loop_is_no_deadlock),
		cmocka_unit_test(nearest_bad_first),
		cmocka_unit_test(keep_going_counts_all),
		cmocka_unit_test(whole_grid),
		cmocka_unit_test(millions),
		cmocka_unit_test(same_again),
		cmocka_unit_test(limit_of_states),
		cmocka_unit_test(limit_of_depth),
		cmocka_unit_test(limit_of_bytes),
		cmocka_unit_test(limit_of_time),
		cmocka_unit_test(stopped_from_outside),
		cmocka_unit_test(bad_before_limit),
		cmocka_unit_test(empty_state_refused),
		cmocka_unit_test(random_graphs),
	};

	return cmocka_run_group_tests_name("explore", tests, NULL, NULL);
}
