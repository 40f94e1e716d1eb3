/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PROVE_PROOF_H
#define PROVE_PROOF_H

/*
 * A proof: that invariants hold at the start, that every rule keeps them, and
 * that they imply the properties. Each of that is an obligation; obligations
 * of one rule are one query, taken apart only where the answer is not unsat.
 */

#include "solver.h"
#include "system.h"

struct obligation {
	char name[160];
	char *goal;		/* what must be unsatisfiable */
};

struct query {
	char *context;		/* what it may assume, beside the invariants */
	unsigned int first, n;	/* its obligations */
};

struct proof {
	char *head;		/* sorts, symbols */
	char *assume;		/* the invariants */
	struct obligation *ob;
	unsigned int nob, ob_room;
	struct query *query;
	unsigned int nquery, query_room;
	unsigned int nrules, nsteps, ninvariants;
};

void proof_make(struct proof *p, struct system *s,
		const struct invariants *v);
void proof_free(struct proof *p);

enum verdict {
	PROOF_PROVED, PROOF_OPEN, PROOF_GAVE_UP, PROOF_DIED, PROOF_NOT_ASKED,
};

struct model_value {
	char term[80], value[24];
};

/* What one solver made of it. */
struct answers {
	enum verdict verdict;
	enum solver_answer *of;	/* by obligation */
	unsigned int open, unknown;
	double seconds;
	/* A state in which the first open obligation fails, atom by atom. */
	bool model_read;
	unsigned int model_of;
	unsigned int nvalues;
	struct model_value value[MAX_ATOMS + 2];
	char said[200];
};

/* Ask one solver. May run beside another: what they share is only read. */
void proof_ask(const struct proof *p, enum solver_name name,
	       const struct system *s, struct answers *a);
void answers_free(struct answers *a);

#endif
