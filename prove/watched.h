/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PROVE_WATCHED_H
#define PROVE_WATCHED_H

/*
 * The other seam: what a real kernel did to a page, as `airlock watch' saw it,
 * as steps of the proved system.
 *
 *   event                     steps
 *   entry M becomes present,  "write an entry" of the pass that it is at, with
 *     shared or not           that outcome
 *   drain C                   C's stores to entries reach memory
 *   flush C, of maps          TLB entries are lost; and at a shootdown "flush
 *                             here, send" of the call's CPU, or "a CPU answers"
 *   cache, shared or not      a line is written back; "CLFLUSH, as ..."
 *   state                     "the host does a page", "PVALIDATE, rescind" or
 *                             "validate", "ACCEPT", "RELEASE"
 *   evict                     nothing; "evict reads"
 *   return                    drain, and "give the pages back"
 *
 * In between come the steps that nobody can see: "go on", "all have answered",
 * a store that changes nothing. What may happen at any time has happened
 * always: every TLB holds all that it could take, the page was written to. So
 * what the kernel was lucky with is no excuse.
 */

#include <limits.h>

#include "system.h"

#define WATCHED_MAPS 8

enum watched_kind {
	WATCHED_ENTRY, WATCHED_DRAIN, WATCHED_FLUSH, WATCHED_CACHE,
	WATCHED_STATE, WATCHED_EVICT, WATCHED_RETURN, WATCHED_KINDS
};

/* What the machine holds of a page. */
enum watched_state {
	WATCHED_NONE, WATCHED_SHARED, WATCHED_PENDING, WATCHED_PRIVATE
};

struct watched_event {
	unsigned int number;		/* of the event, as it came */
	enum watched_kind kind;
	unsigned int cpu;		/* 0: the one that converts */
	unsigned int map, maps;		/* one; or of a flush, a bit each */
	bool present, shared, window;
	enum watched_state old, new;
};

struct watched {
	enum airlock_to to;
	unsigned int cpus, maps;
	bool present[WATCHED_MAPS], shared[WATCHED_MAPS];	/* at first */
	struct watched_event *ev;
	unsigned int n;
};

#define WATCHED_NOWHERE UINT_MAX	/* it does not even begin so */

/* The first event that is no step. */
struct watched_left {
	unsigned int at;		/* its number */
	char why[200];
	char before[1600];		/* the state before it, in words */
};

/* Is it a run of the system? Changes @w: what `alias' took away is left out. */
bool watched_run(const struct system *s, struct watched *w,
		 struct watched_left *l);

#endif
