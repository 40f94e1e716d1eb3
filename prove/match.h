/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PROVE_MATCH_H
#define PROVE_MATCH_H

/*
 * Is there a run of the proof's system from one state to another that looks
 * as it should? For one event of the lab.
 */

#include "instance.h"
#include "map.h"

#define MATCH_CPUS	4

/* What a state of the lab shows. */
struct look {
	uint32_t local[MATCH_CPUS];	/* where each engine stands */
	uint8_t sent[MATCH_CPUS];
	uint8_t kind[MATCH_CPUS];	/* its request */
	uint64_t hash;			/* of all that it has to look like */
	uint16_t pages[MATCH_CPUS];	/* of which it must do each, or 0 */
	uint8_t npending[MATCH_CPUS][MAX_MAPS];
	uint8_t pending[MATCH_CPUS][MAX_MAPS][MAP_PENDING];
	uint8_t st[];			/* what the map says */
};

struct match_next {
	uint64_t hash;
	uint8_t st[MAX_VALUES];
};

struct match {
	const struct system *s;
	struct instance in;
	struct map map;
	/* where a symbol's values are, of those that the lab can see */
	unsigned int at[16], n[16], nseen, owned, led, mp, ms;
	int qu, ta;		/* -1: there is no quarantine, no lie */
	int sb[AIRLOCK_ORDER_STEPS * 2 + 1];
	bool idle;		/* the host may do nothing, and say so */
	bool lies;		/* or say otherwise */
	/* a state at the end of a run */
	void (*found)(void *ctx, const uint8_t *st);
	void *ctx;
	/* where runs begin, and what hardware and host can make of that */
	const uint8_t *from;
	const struct look *was;
	struct match_next *next;
	unsigned int nnext, next_room;
};

/* @m->in and @m->map are made. */
void match_make(struct match *m, const struct system *s);
size_t look_size(const struct match *m);
/* Of the lab's state in hand. */
void look_at(const struct match *m, struct look *l);
bool looks_alike(const struct match *m, const struct look *l,
		 const uint8_t *st);
/* Which engine's step leads from @was to @is: its CPU; -1: none's. */
int match_engine(const struct match *m, const struct look *was,
		 const struct look *is);
/* From here on, runs begin in @st, which looks like @was. */
void match_from(struct match *m, const uint8_t *st, const struct look *was);
/* Runs to what looks like @is. Return: whether there is one. */
bool match_runs(struct match *m, const struct look *is);

#endif
