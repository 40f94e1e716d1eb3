/* SPDX-License-Identifier: GPL-2.0 */
#ifndef LAB_EXPLORE_H
#define LAB_EXPLORE_H

/*
 * A breadth-first explorer of finite state spaces.
 *
 * It knows nothing of pages. A model gives states as vectors of 32-bit words
 * and lists the successors of one; the explorer stores each state once, in
 * the order of discovery, which is the order of breadth-first search, and
 * reports the first transition that a model calls bad: none is nearer.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct explore;

/* What a transition is called; only the model knows what it means. */
typedef uint64_t explore_label;

/**
 * struct explore_model
 * @words: length of a state, 32-bit words, the same for all
 * @initial: write the initial state
 * @expand: call explore_emit() for every successor of @s, always in the same
 *	order, and explore_bad() for a transition that breaks a property. A
 *	state without successors and without explore_end() is a deadlock.
 * @ctx: passed to both
 */
struct explore_model {
	unsigned int words;
	void (*initial)(void *ctx, uint32_t *s);
	void (*expand)(void *ctx, const uint32_t *s, struct explore *x);
	void *ctx;
};

/* Called from expand(): a successor, which may be a known one. */
void explore_emit(struct explore *x, explore_label label, const uint32_t *s);
/* Called from expand(): this transition breaks property @code. Not stored. */
void explore_bad(struct explore *x, explore_label label, uint32_t code);
/* Called from expand(): this state may have no successor. */
void explore_end(struct explore *x);

enum explore_result {
	EXPLORE_DONE	= 0,	/* explored to the end */
	EXPLORE_BAD	= 1,	/* a bad transition; see explore_trace() */
	EXPLORE_DEADLOCK = 2,	/* a state that has to go on and cannot */
	EXPLORE_LIMIT	= 3,	/* a limit was hit: says nothing of the rest */
	EXPLORE_STOPPED	= 4,	/* *stop became true */
};

struct explore_limits {
	uint64_t states;	/* 0: none */
	uint64_t bytes;		/* of memory, all told; 0: none */
	uint64_t (*beside)(void *ctx);	/* bytes of it that others use */
	void *beside_ctx;
	double seconds;		/* 0: none */
	uint32_t depth;		/* do not expand states this deep; 0: none.
				 * A cut by depth makes the result LIMIT. */
	bool keep_going;	/* count bad transitions, do not stop at one */
	const volatile bool *stop;
	void (*progress)(void *ctx, const struct explore *x);	/* ~ 5 / s */
	void *progress_ctx;
	/* Every transition, by the numbers of its states; see explore_state(). */
	void (*edge)(void *ctx, uint32_t from, uint32_t to);
	void *edge_ctx;
};

struct explore_stats {
	uint64_t states;	/* stored */
	uint64_t expanded;	/* of those, how many had expand() run */
	uint64_t transitions;	/* explore_emit() and explore_bad() calls */
	uint64_t bad;		/* explore_bad() calls */
	uint32_t depth;		/* of the deepest state; the initial has 0 */
	uint32_t bad_code;	/* of the first bad transition */
	uint64_t bytes_states;	/* states and what is kept beside each */
	uint64_t bytes_table;	/* the hash table */
	double seconds;
};

struct explore *explore_new(const struct explore_model *m);
void explore_free(struct explore *x);
enum explore_result explore_run(struct explore *x,
				const struct explore_limits *l);
const struct explore_stats *explore_stats(const struct explore *x);

/**
 * explore_trace() - the labels from the initial state to the bad transition
 * @labels: receives up to @max; the bad transition's own label is the last.
 *	For a deadlock: up to the state that is stuck.
 * Found by expanding the parents once more: only parents are stored.
 * Return: the whole number of labels.
 */
size_t explore_trace(struct explore *x, explore_label *labels, size_t max);

/**
 * explore_path() - the labels from the initial state to the i-th one
 * Return: their whole number, of which up to @max are written.
 */
size_t explore_path(struct explore *x, uint64_t i, explore_label *labels,
		    size_t max);

/* The i-th stored state (0 is the initial one), for tests and projections. */
const uint32_t *explore_state(const struct explore *x, uint64_t i);

#endif
