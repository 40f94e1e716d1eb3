/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PROVE_SOLVER_H
#define PROVE_SOLVER_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

/* A solver that reads SMT-LIB from a pipe. */
enum solver_name { SOLVER_Z3, SOLVER_CVC5, SOLVERS };

extern const char *const solver_names[SOLVERS];

enum solver_answer {
	SOLVER_UNSAT,		/* proved */
	SOLVER_SAT,		/* there is a model */
	SOLVER_UNKNOWN,		/* it gave up */
	SOLVER_DEAD,
};

struct solver {
	enum solver_name name;
	pid_t pid;
	FILE *in, *out;
	char said[200];		/* its last line, where that is no answer */
};

/* Return: whether the program is there. */
bool solver_exists(enum solver_name name);
/* @models: look for models, which makes cvc5 slower to say unsat. z3 always
 * does. */
bool solver_start(struct solver *s, enum solver_name name, bool models);
void solver_stop(struct solver *s);
/* After what was written to @s->in: (check-sat). */
enum solver_answer solver_check(struct solver *s);
/* After a SOLVER_SAT: one value, as the solver writes it. */
bool solver_value(struct solver *s, const char *term, char *buf, size_t size);

#endif
