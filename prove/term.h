/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PROVE_TERM_H
#define PROVE_TERM_H

/*
 * Terms: formulas and values, as the protocol is written in and as solvers
 * read them.
 *
 * A variable is one letter, which is also its sort:
 *
 *   c d C   a CPU              m M   a mapping: one leaf entry of a page
 *   p P     a page             j k K a call of airlock_convert()
 *
 * Small letters are bound, or parameters; capitals are what a rule is about.
 * A symbol is a function of such things that the state gives a meaning to,
 * `(tp c m)` for one, and a parameter of it goes by its sort's letter. `s7` is
 * program step 7. `(all m FORMULA)` is "for every m"; the rest is as SMT-LIB
 * has it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum term_kind {
	T_FALSE, T_TRUE, T_VAR, T_STEP, T_APP, T_NOT, T_AND, T_OR, T_IMPLIES,
	T_EQ, T_ITE, T_ALL,
};

struct term {
	enum term_kind kind;
	int id;			/* letter, step or number of the symbol */
	unsigned int n;
	const struct term *arg[];
};

#define MAX_ARGS	2
#define MAX_SYMBOLS	64
#define MAX_MACROS	16

struct symbol {
	char name[16];
	char args[MAX_ARGS + 1];	/* letters of their sorts */
	char sort;		/* b: true or false; s: a step; or a letter */
	bool fixed;		/* never changes */
};

struct macro {
	const char *name, *params;
	const struct term *body;
};

struct chunk;

/* The words that terms are written in, and the memory they lie in. */
struct words {
	struct symbol symbol[MAX_SYMBOLS];
	unsigned int nsymbols;
	struct macro macro[MAX_MACROS];
	unsigned int nmacros;
	struct chunk *memory;
	size_t used;
};

void *words_alloc(struct words *w, size_t n);
void words_free(struct words *w);

int symbol_find(const struct words *w, const char *name);
void symbol_add(struct words *w, const char *name, const char *args,
		char sort);
void macro_add(struct words *w, const char *name, const char *params,
	       const char *body);

/* Exits with a message where @text is none: it is the program's own. */
const struct term *term_parse(struct words *w, const char *text);
const struct term *term_new(struct words *w, enum term_kind kind, int id,
			    unsigned int n, const struct term *const *arg);
const struct term *term_not(struct words *w, const struct term *a);
const struct term *term_pair(struct words *w, enum term_kind kind,
			     const struct term *a, const struct term *b);

/* A change: what symbol @symbol is from now on, in terms of what was. */
struct update {
	int symbol;
	const struct term *value;
};

/* @t with variables replaced; @to by letter, NULL: stays. */
const struct term *term_subst(struct words *w, const struct term *t,
			      const struct term *const to[128]);
/* What must hold before the changes for @t to hold after them. */
const struct term *term_before(struct words *w, const struct term *t,
			       const struct update *u, unsigned int n);
void term_print(FILE *to, const struct words *w, const struct term *t);
const char *sort_name(char letter);

#endif
