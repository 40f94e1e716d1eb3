// SPDX-License-Identifier: GPL-2.0
/*
 * The window, for any number of CPUs and uses of it: a theory of its own.
 * docs/proof.md says why it may be. It is about one offset in the slots, the
 * same in each, and engine/window.c writes and flushes each offset alike.
 *
 *   use     (pc k)     at which step it is      (on k)    on which CPU
 *           (slot k)   whose slot it opened     (big k)   with a 2M leaf
 *           (in k)     the offset is one that it maps
 *           (pt k)     the slot's table has its entry at that offset
 *           (lf k)     the slot's 2M entry is its leaf
 *   slot    (pd c)     CPU c's 2M entry points to the slot's table
 *   CPU     (t c k)    its TLB may have what use k mapped
 *           (ps c d)   its paging-structure cache may have CPU d's table
 *
 * A use is one opening of one page with one view; that a translation is of
 * use k says which page it leads to, and how.
 */
#include "window.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>

const struct guard_name window_guards[] = {
	{ "pinned", "a thread with an open window stays on its CPU" },
	{ "alone", "no other thread opens the window of a CPU that has it "
	  "open" },
	{ "own-slot", "a CPU opens its own slot" },
	{ "invlpg", "closing executes INVLPG" },
	{ "clear-first", "entries are cleared before INVLPG, not after" },
	{ "clear-pde", "closing clears the 2M entry" },
	{ "clear-pte", "closing clears the entry in the table" },
};
const unsigned int window_guard_count =
	sizeof(window_guards) / sizeof(window_guards[0]);

enum {
	IDLE, PINNED, ENTRY, OPEN, CLEAR_PDE, CLEAR_PTE, INVLPG, DONE, STEPS,
};

static const char *const steps[STEPS] = {
	[IDLE] = "idle", [PINNED] = "write the entry",
	[ENTRY] = "write the 2M entry", [OPEN] = "use it",
	[CLEAR_PDE] = "clear the 2M entry", [CLEAR_PTE] = "clear the entry",
	[INVLPG] = "INVLPG", [DONE] = "closed",
};

struct build {
	struct system *s;
	const char *drop;
};

static bool dropped(struct build *b, const char *name)
{
	if (!b->drop || strcmp(name, b->drop))
		return false;
	b->s->dropped = true;
	return true;
}

static struct rule *rule(struct build *b, const char *about, const char *name,
			 const char *guard)
{
	struct rule *r = &b->s->rule[b->s->nrules++];

	memset(r, 0, sizeof(*r));
	snprintf(r->about, sizeof(r->about), "%s", about);
	snprintf(r->name, sizeof(r->name), "window: %s", name);
	r->guard = term_parse(&b->s->w, guard);
	return r;
}

static void when(struct build *b, struct rule *r, const char *guard)
{
	r->guard = term_pair(&b->s->w, T_AND, r->guard,
			     term_parse(&b->s->w, guard));
}

static void set(struct build *b, struct rule *r, const char *symbol,
		const char *value)
{
	r->set[r->nsets++] = (struct update){ symbol_find(&b->s->w, symbol),
					      term_parse(&b->s->w, value) };
}

static void needs(struct build *b, struct rule *r, const char *what,
		  const char *term)
{
	r->need[r->nneeds++] = (struct need){ what,
					      term_parse(&b->s->w, term) };
}

/* A step of a use: from @from, to the next. */
static struct rule *step(struct build *b, unsigned int from, const char *about)
{
	char guard[40], next[48];
	struct rule *r;

	snprintf(guard, sizeof(guard), "(= (pc K) s%u)", from);
	snprintf(next, sizeof(next), "(ite (= k K) s%u (pc k))", from + 1);
	r = rule(b, about, steps[from], guard);
	set(b, r, "pc", next);
	return r;
}

static void symbol(struct build *b, const char *name, const char *args,
		   char sort, const char *init)
{
	symbol_add(&b->s->w, name, args, sort);
	if (init)
		b->s->init[b->s->ninit++] = (struct update){
			(int)b->s->w.nsymbols - 1,
			term_parse(&b->s->w, init) };
}

static void state(struct build *b)
{
	symbol(b, "pc", "k", 's', "s0");
	symbol(b, "on", "k", 'c', NULL);
	symbol(b, "slot", "k", 'c', NULL);
	symbol(b, "big", "k", 'b', NULL);
	symbol(b, "in", "k", 'b', NULL);
	symbol(b, "pt", "k", 'b', "false");
	symbol(b, "lf", "k", 'b', "false");
	symbol(b, "pd", "c", 'b', "false");
	symbol(b, "t", "ck", 'b', "false");
	symbol(b, "ps", "cd", 'b', "false");
	/* From the pin to the INVLPG; the slot may be in use. */
	macro_add(&b->s->w, "inside", "k",
		  "(not (or (= (pc k) s0) (= (pc k) s7)))");
}

/* It drops a translation, whoever made it, and all that led to tables. */
static void invlpg(struct build *b, struct rule *r)
{
	set(b, r, "t", "(and (t c k) (not (and (= c (on K)) "
	    "(= (slot k) (slot K)))))");
	set(b, r, "ps", "(and (ps c d) (not (= c (on K))))");
}

static void open_and_close(struct build *b)
{
	struct rule *r = step(b, IDLE, "KC");

	if (!dropped(b, "alone"))
		when(b, r, "(all k (not (and (inside k) "
		     "(= (on k) (on K)))))");
	if (!dropped(b, "own-slot"))
		when(b, r, "(= C (on K))");
	set(b, r, "slot", "(ite (= k K) C (slot k))");

	r = step(b, PINNED, "K");
	set(b, r, "pt", "(ite (and (in K) (not (big K)) "
	    "(= (slot k) (slot K))) (= k K) (pt k))");

	r = step(b, ENTRY, "K");
	set(b, r, "pd", "(ite (= c (slot K)) (not (big K)) (pd c))");
	set(b, r, "lf", "(ite (= (slot k) (slot K)) (and (= k K) (big K) "
	    "(in K)) (lf k))");

	r = step(b, OPEN, "K");
	needs(b, r, "finds its page not present",
	      "(=> (in K) (or (lf K) (and (pt K) (pd (slot K)))))");
	needs(b, r, "meets what another use mapped",
	      "(all k (=> (and (= (slot k) (slot K)) (or (t (on K) k) (lf k) "
	      "(pt k))) (and (= k K) (in K))))");

	/* Too early: what is filled after it stays. */
	if (dropped(b, "clear-first"))
		invlpg(b, r);

	r = step(b, CLEAR_PDE, "K");
	if (!dropped(b, "clear-pde")) {
		set(b, r, "pd", "(and (pd c) (not (= c (slot K))))");
		set(b, r, "lf", "(and (lf k) (not (= (slot k) (slot K))))");
	}

	r = step(b, CLEAR_PTE, "K");
	if (!dropped(b, "clear-pte"))
		set(b, r, "pt", "(and (pt k) (not (and (in K) (not (big K)) "
		    "(= (slot k) (slot K)))))");

	r = step(b, INVLPG, "K");
	if (!dropped(b, "invlpg") && !dropped(b, "clear-first"))
		invlpg(b, r);
}

static void hardware(struct build *b)
{
	struct rule *r = rule(b, "KC", "a thread goes to another CPU", "true");

	if (!dropped(b, "pinned"))
		when(b, r, "(not (inside K))");
	set(b, r, "on", "(ite (= k K) C (on k))");

	r = rule(b, "KC", "a TLB takes a page of the table",
		 "(and (pt K) (or (pd (slot K)) (ps C (slot K))))");
	set(b, r, "t", "(or (t c k) (and (= c C) (= k K)))");
	r = rule(b, "KC", "a TLB takes the 2M leaf", "(lf K)");
	set(b, r, "t", "(or (t c k) (and (= c C) (= k K)))");
	/* Stores reach others late: others may have anything at any time. */
	r = rule(b, "KC", "another CPU has what was there once",
		 "(not (or (= (pc K) s0) (= C (slot K))))");
	set(b, r, "t", "(or (t c k) (and (= c C) (= k K)))");
	set(b, r, "ps", "(or (ps c d) (and (= c C) (= d (slot K))))");
	r = rule(b, "KC", "a paging-structure cache takes the table",
		 "(pd (slot K))");
	set(b, r, "ps", "(or (ps c d) (and (= c C) (= d (slot K))))");
	r = rule(b, "KC", "a TLB loses a page", "(t C K)");
	set(b, r, "t", "(and (t c k) (not (and (= c C) (= k K))))");
	r = rule(b, "KC", "a paging-structure cache loses the table",
		 "(ps C (slot K))");
	set(b, r, "ps", "(and (ps c d) (not (and (= c C) (= d (slot K)))))");
}

static void invariant(struct build *b, struct invariants *v, const char *name,
		      const char *text)
{
	struct invariant *i;

	v->inv = realloc(v->inv, (v->n + 1) * sizeof(*v->inv));
	if (!v->inv)
		err(3, "out of memory");
	i = memset(&v->inv[v->n++], 0, sizeof(*i));
	snprintf(i->name, sizeof(i->name), "%s", name);
	i->term = term_parse(&b->s->w, text);
}

void window_make(struct system *s, struct invariants *v, const char *drop)
{
	struct build b = { s, drop };

	memset(s, 0, sizeof(*s));
	memset(v, 0, sizeof(*v));
	s->nsteps = STEPS;
	for (unsigned int i = 0; i < STEPS; i++)
		snprintf(s->step[i], sizeof(s->step[i]), "%s", steps[i]);
	state(&b);
	open_and_close(&b);
	hardware(&b);

	invariant(&b, v, "a use is on its slot's CPU",
		  "(=> (inside k) (= (on k) (slot k)))");
	invariant(&b, v, "one use of a slot",
		  "(=> (and (inside k) (inside j) (= (slot k) (slot j))) "
		  "(= k j))");
	invariant(&b, v, "an entry is of a use that maps it",
		  "(=> (pt k) (and (in k) (not (big k)) (or (= (pc k) s2) "
		  "(= (pc k) s3) (= (pc k) s4) (= (pc k) s5))))");
	invariant(&b, v, "a leaf is of a use that maps it",
		  "(=> (lf k) (and (in k) (big k) (or (= (pc k) s3) "
		  "(= (pc k) s4))))");
	invariant(&b, v, "nothing is of a use that is yet to come",
		  "(=> (= (pc k) s0) (not (t c k)))");
	invariant(&b, v, "a use that is to be open has its entry",
		  "(=> (and (= (pc k) s2) (in k) (not (big k))) (pt k))");
	invariant(&b, v, "an open use is mapped",
		  "(=> (and (= (pc k) s3) (in k)) (or (lf k) (and (pt k) "
		  "(pd (slot k)))))");
	invariant(&b, v, "a CPU has nothing of its slot but what is in use",
		  "(=> (and (t c k) (= (slot k) c)) (and (in k) (inside k) "
		  "(not (= (pc k) s1))))");
	s->prop[s->nprops++] = (struct property){
		"nobody reaches a page through a window that is closed",
		term_parse(&s->w, "(=> (not (inside k)) (not (or (pt k) "
			   "(lf k) (t (slot k) k))))") };
}
