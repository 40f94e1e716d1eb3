/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PROVE_SEAM_H
#define PROVE_SEAM_H

/*
 * The seam: is every transition that the lab explores, with the engine's own
 * code, one of the proved system? And does every invariant hold in every
 * state?
 */

#include "system.h"

struct lab_config;
struct explore_limits;

enum seam_result {
	SEAM_NONE,		/* never asked */
	SEAM_HOLDS,
	SEAM_APART,		/* it does not: see why */
	SEAM_LIMIT,		/* a limit was hit: says nothing */
	SEAM_REFUSED,		/* such a question it does not take: see why */
};

struct seam {
	enum seam_result result;
	uint64_t states, transitions, pairs;
	char why[300];
	char event[260];	/* the event that is no step */
	char before[1600];	/* the proof's state, in words */
	char after[800];	/* and what is otherwise after it */
};

/*
 * The lab's question, explored without reduction, beside the system of its
 * own order. Return: whether all held.
 */
bool seam_ask(const struct lab_config *cfg, const struct explore_limits *lim,
	      struct seam *r);
/* The same beside some system: for tests. */
bool seam_check(const struct lab_config *cfg, const struct system *s,
		const struct invariants *v, const struct explore_limits *lim,
		struct seam *r);

#endif
