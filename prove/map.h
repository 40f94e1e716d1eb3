/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PROVE_MAP_H
#define PROVE_MAP_H

#include "instance.h"

struct lab_config;

/* The pages of all ranges, and every mapping of each, in the lab in hand. */
struct map {
	unsigned int pages, maps;
	uint32_t gfn[MAX_MAPS];		/* of a page */
	uint32_t vpn[MAX_MAPS];		/* of a mapping */
	uint8_t page_of[MAX_MAPS];	/* a mapping's page */
	char name[MAX_MAPS][24];	/* of a mapping, as a trace calls it */
};

/* Return: false when there are too many. */
bool map_make(struct map *m);
/*
 * What the state of the lab in hand says of the symbols that it can see.
 * What the ledger says of a page that is owned or in quarantine it cannot.
 */
void map_state(const struct map *m, const struct instance *x, uint8_t *st);
/*
 * The symbols it sees by name; the others, where a call is in its program and
 * which pages this step has done, are the proof's own. What waits in store
 * buffers it sees as values, see map_pending().
 */
extern const char *const map_seen[];

/*
 * The values that mapping @i takes as CPU @c's store buffer drains, oldest
 * first, one for each time it changes. As bits: 1 present, 2 shared.
 * Return: how many.
 */
#define MAP_PENDING	8
unsigned int map_pending(const struct map *m, unsigned int c, unsigned int i,
			 uint8_t value[MAP_PENDING]);

#endif
