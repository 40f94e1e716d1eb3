/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PROVE_SYSTEM_H
#define PROVE_SYSTEM_H

/*
 * A transition system: what state there is, what may happen, what must hold.
 * protocol.c writes one down for an order of steps on a platform; the numbers
 * of CPUs, pages, mappings and calls are left open.
 */

#include <airlock/airlock.h>
#include "term.h"

#define MAX_STEPS	64
#define MAX_RULES	200
#define MAX_NEEDS	4
#define MAX_UPDATES	16
#define MAX_ATOMS	40
#define MAX_PROPS	16

/* What is asked. @to[]: the directions whose calls there are, both of them at
 * once if both are set; @order by direction. */
struct proof_question {
	enum airlock_platform platform;
	bool to[2];
	struct airlock_order order[2];
	uint32_t features;
	bool failing;		/* the host may refuse; what it says is true */
	bool hostile;		/* it may refuse, lie, and take pages */
	const char *drop;	/* a guard that is left out, or NULL */
};

/* Something that a rule needs to find, or it is a failure. */
struct need {
	const char *what;
	const struct term *term;
};

/* Who does it. */
enum rule_kind {
	RULE_OTHER,		/* hardware, the host: at any time */
	RULE_HOST,		/* a hostile host, amid a call's step too */
	RULE_CALL,		/* a call: a step of its program */
	RULE_DRAIN,		/* a store buffer; also when the call waits */
	RULE_WRITE,		/* the owner of a page that nobody converts */
};

struct rule {
	char name[64];
	enum rule_kind kind;
	char about[5];		/* letters of its constants */
	char act[40];		/* what a call does; empty: it does nothing */
	const struct term *guard;
	struct need need[MAX_NEEDS];
	unsigned int nneeds;
	struct update set[MAX_UPDATES];
	unsigned int nsets;
};

struct property {
	const char *what;
	const struct term *term;	/* for every c and m */
};

struct system {
	struct words w;
	char step[MAX_STEPS][48];	/* program steps, in words */
	bool waits[MAX_STEPS];		/* for others to answer */
	unsigned int nsteps;
	struct rule rule[MAX_RULES];
	unsigned int nrules;
	struct property prop[MAX_PROPS];
	unsigned int nprops;
	/* How all begins: every symbol, by itself or by those before it. */
	struct update init[MAX_SYMBOLS];
	unsigned int ninit;
	/*
	 * What invariants may speak of, for any c and m: of a page that
	 * nobody owns, the first @nfree; else all. (pg m) is the page.
	 */
	const struct term *atom[MAX_ATOMS];
	unsigned int natoms, nfree;
	unsigned int npasses;
	struct { bool present, shared; } pass[AIRLOCK_ORDER_STEPS * 2 + 1];
	bool dropped;			/* the guard to drop was met */
};

void system_make(struct system *s, const struct proof_question *q);
void system_free(struct system *s);

/* The guards that can be dropped, by name, with what each is. */
struct guard_name {
	const char *name, *what;
};
extern const struct guard_name guard_names[];
extern const unsigned int guard_count;

/* ---- small.c: the same system with two CPUs, one page and one call ---- */

#define SMALL_CPUS	2

/* A set of states of one page as a CPU sees it: bit i is atom i. */
struct facts {
	uint32_t *mask;
	unsigned int n, room;
};

struct small {
	const struct system *sys;
	struct facts free;		/* nobody owns the page */
	struct facts at[MAX_STEPS];	/* its owner is at this step */
	bool waits[MAX_STEPS];		/* somebody was waited for there */
	bool fired[MAX_RULES];
	uint64_t states;
	const char *bad;		/* what goes wrong, NULL: nothing */
	char **trail;			/* the rules that lead there */
	unsigned int ntrail;
};

/* Explore. @stop: at the first thing that goes wrong. */
void small_run(struct small *sm, const struct system *s, bool stop);
void small_free(struct small *sm);

/* ---- invariant.c: what those states have in common, as formulas ---- */

struct invariant {
	char name[64];
	const struct term *term;	/* for every c, m and k */
};

struct invariants {
	struct invariant *inv;
	unsigned int n, room;
};

void invariants_make(struct invariants *v, struct system *s,
		     const struct small *sm);
void invariants_free(struct invariants *v);

#endif
