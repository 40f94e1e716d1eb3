/* SPDX-License-Identifier: GPL-2.0 */
#ifndef LAB_ENDS_H
#define LAB_ENDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Does every run end? A run that does not goes round in a circle, for there
 * are finitely many states; so it is asked whether the transitions that
 * change anything make a circle.
 */
struct ends {
	uint32_t *from, *to;
	size_t n, room;
};

/* For explore_limits.edge, with a struct ends, zero at first, as context. */
void ends_edge(void *ends, uint32_t from, uint32_t to);

/**
 * ends_circle() - is there one?
 * @states: how many there are
 * @at: receives a state of it, or on the way from one to another
 */
bool ends_circle(const struct ends *e, uint64_t states, uint32_t *at);
/* Memory that it takes, and that ends_circle() will. */
uint64_t ends_bytes(const struct ends *e, uint64_t states);
void ends_free(struct ends *e);

#endif
