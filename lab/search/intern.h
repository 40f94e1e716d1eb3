/* SPDX-License-Identifier: GPL-2.0 */
#ifndef LAB_INTERN_H
#define LAB_INTERN_H

#include <stddef.h>
#include <stdint.h>

/*
 * Interning: equal byte strings get equal numbers, 0, 1, 2, ... A state is
 * then a short vector of numbers, and comparing states is comparing those.
 */
struct intern_item {
	const uint8_t *p;
	uint32_t size;
	uint32_t hash;
};

struct intern {
	struct intern_item *item;
	uint32_t count, room;
	uint32_t *slot;		/* number + 1 */
	uint32_t mask;
	uint8_t *chunk;
	uint32_t left;
	uint8_t **chunks;
	uint32_t nchunks;
	uint64_t bytes;
};

struct intern *intern_new(void);
void intern_free(struct intern *in);
uint32_t intern(struct intern *in, const void *p, uint32_t size);
/* Return: bytes that do not move, 16-byte aligned, until intern_free(). */
static inline const void *intern_get(const struct intern *in, uint32_t id)
{
	return in->item[id].p;
}

static inline uint32_t intern_size(const struct intern *in, uint32_t id)
{
	return in->item[id].size;
}

uint32_t intern_count(const struct intern *in);
uint64_t intern_bytes(const struct intern *in);

#endif
