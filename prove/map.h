/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PROVE_MAP_H
#define PROVE_MAP_H

#include "instance.h"

struct lab_config;

/* What a state of the lab, loaded, says of the symbols that it can see. */
void map_state(const struct instance *x, uint8_t *st);
/*
 * The symbols it sees by name; the others, where a call is in its program and
 * which pages this step has done, are the proof's own. What waits in store
 * buffers it sees as values, see map_pending().
 */
extern const char *const map_seen[];

/* Stores that wait in CPU @c's buffer for mapping @m, oldest first, as bits:
 * 1 present, 2 shared. Return: how many. */
unsigned int map_pending(unsigned int c, unsigned int m, uint8_t *value);
unsigned int map_pages(void);

#endif
