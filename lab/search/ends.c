// SPDX-License-Identifier: GPL-2.0
/*
 * States that no transition leads to are taken away, with the transitions
 * that leave them, over and over. What cannot be taken away hangs on a circle.
 */
#include "search/ends.h"

#include <err.h>
#include <stdlib.h>

static void *need(void *p)
{
	if (!p)
		err(3, "out of memory");
	return p;
}

void ends_edge(void *ctx, uint32_t from, uint32_t to)
{
	struct ends *e = ctx;

	if (from == to)
		return;
	if (e->n == e->room) {
		e->room = e->room ? e->room * 2 : 4096;
		e->from = need(realloc(e->from, e->room * sizeof(uint32_t)));
		e->to = need(realloc(e->to, e->room * sizeof(uint32_t)));
	}
	e->from[e->n] = from;
	e->to[e->n++] = to;
}

/* Where each state's transitions begin, sorted by state, in next[]. */
static void sort(const struct ends *e, uint64_t states, size_t *begin,
		 uint32_t *next)
{
	for (size_t i = 0; i < e->n; i++)
		begin[e->from[i] + 1]++;
	for (uint64_t s = 0; s < states; s++)
		begin[s + 1] += begin[s];
	for (size_t i = 0; i < e->n; i++)
		next[begin[e->from[i]]++] = e->to[i];
	for (uint64_t s = states; s > 0; s--)
		begin[s] = begin[s - 1];
	begin[0] = 0;
}

bool ends_circle(const struct ends *e, uint64_t states, uint32_t *at)
{
	size_t *begin = need(calloc(states + 1, sizeof(*begin)));
	uint32_t *next = need(calloc(e->n + 1, sizeof(*next)));
	uint32_t *into = need(calloc(states + 1, sizeof(*into)));
	uint32_t *todo = need(calloc(states + 1, sizeof(*todo)));
	uint64_t n = 0, taken = 0;

	sort(e, states, begin, next);
	for (size_t i = 0; i < e->n; i++)
		into[e->to[i]]++;
	for (uint32_t s = 0; s < states; s++)
		if (!into[s])
			todo[n++] = s;
	while (taken < n) {
		uint32_t s = todo[taken++];

		for (size_t i = begin[s]; i < begin[s + 1]; i++)
			if (!--into[next[i]])
				todo[n++] = next[i];
	}
	for (*at = 0; *at < states && !into[*at]; ++*at)
		;
	free(begin);
	free(next);
	free(into);
	free(todo);
	return taken < states;
}

uint64_t ends_bytes(const struct ends *e, uint64_t states)
{
	return e->room * 2 * sizeof(uint32_t) + e->n * sizeof(uint32_t) +
		(states + 1) * (sizeof(size_t) + 2 * sizeof(uint32_t));
}

void ends_free(struct ends *e)
{
	free(e->from);
	free(e->to);
}
