/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PROVE_INSTANCE_H
#define PROVE_INSTANCE_H

#include "system.h"

#define MAX_VALUES	640
#define MAX_MAPS	16

struct instance {
	const struct system *s;
	unsigned int cpus, pages, maps, calls;
	uint8_t page_of[MAX_MAPS];	/* of each mapping */
	unsigned int at[MAX_SYMBOLS];	/* where a symbol's values begin */
	unsigned int values;
};

/* Mapping i is of page i modulo @pages, unless page_of[] is changed. */
void instance_make(struct instance *x, const struct system *s,
		   unsigned int cpus, unsigned int pages, unsigned int maps,
		   unsigned int calls);
/* The first state; its pages are private, or all shared; call i is on CPU i. */
void instance_begin(const struct instance *x, bool shared, uint8_t *st);
/* The i-th value of a symbol; NULL where the platform has none. */
uint8_t *instance_at(const struct instance *x, uint8_t *st, const char *name,
		     unsigned int i);

/* @env: what each letter stands for. */
uint8_t instance_eval(const struct instance *x, const struct term *t,
		      const uint8_t *st, uint8_t *env);
void instance_assign(const struct instance *x, const struct update *u,
		     const uint8_t *before, uint8_t *after, uint8_t *env);
/* The next values of the letters in @about. Return: false when all were. */
bool instance_next(const struct instance *x, const char *about, uint8_t *env);
/*
 * Return: whether the rule can fire. If it does not find what it needs, @bad
 * says so, and @after is not written.
 */
bool instance_apply(const struct instance *x, const struct rule *r,
		    uint8_t *env, const uint8_t *before, uint8_t *after,
		    const char **bad);

#endif
