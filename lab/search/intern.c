// SPDX-License-Identifier: GPL-2.0
/*
 * Strings live in chunks that never move; a table of numbers is open
 * addressed by their hash.
 */
#include "search/intern.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>
/* In this file, not by a call: half of all time is spent hashing. */
#define XXH_INLINE_ALL
#include <xxhash.h>

#define CHUNK (UINT32_C(1) << 20)

static void *need(void *p)
{
	if (!p)
		err(3, "out of memory");
	return p;
}

struct intern *intern_new(void)
{
	struct intern *in = need(calloc(1, sizeof(*in)));

	in->mask = 1023;
	in->slot = need(calloc(in->mask + 1, sizeof(*in->slot)));
	return in;
}

void intern_free(struct intern *in)
{
	if (!in)
		return;
	for (uint32_t i = 0; i < in->nchunks; i++)
		free(in->chunks[i]);
	free(in->chunks);
	free(in->slot);
	free(in->item);
	free(in);
}

static uint8_t *keep(struct intern *in, uint32_t size)
{
	uint32_t room = (size + 15) & ~UINT32_C(15);
	uint8_t *p;

	if (room > in->left) {
		uint32_t n = room > CHUNK ? room : CHUNK;

		in->chunks = need(realloc(in->chunks, (in->nchunks + 1) *
					  sizeof(*in->chunks)));
		in->chunk = need(aligned_alloc(16, n));
		in->chunks[in->nchunks++] = in->chunk;
		in->left = n;
		in->bytes += n;
	}
	p = in->chunk;
	in->chunk += room;
	in->left -= room;
	return p;
}

static void grow(struct intern *in)
{
	uint32_t mask = in->mask * 2 + 1;
	uint32_t *slot = need(calloc((size_t)mask + 1, sizeof(*slot)));

	for (uint32_t i = 0; i < in->count; i++) {
		uint32_t s = in->item[i].hash & mask;

		while (slot[s])
			s = (s + 1) & mask;
		slot[s] = i + 1;
	}
	free(in->slot);
	in->slot = slot;
	in->mask = mask;
}

static uint32_t add(struct intern *in, const void *p, uint32_t size,
		    uint32_t hash)
{
	uint8_t *copy = keep(in, size);

	memcpy(copy, p, size);
	if (in->count == in->room) {
		in->room = in->room ? in->room * 2 : 256;
		in->item = need(realloc(in->item,
					in->room * sizeof(*in->item)));
	}
	in->item[in->count] = (struct intern_item){ copy, size, hash };
	return in->count++;
}

uint32_t intern(struct intern *in, const void *p, uint32_t size)
{
	uint32_t hash = (uint32_t)XXH3_64bits(p, size);
	uint32_t s = hash & in->mask;

	for (; in->slot[s]; s = (s + 1) & in->mask) {
		const struct intern_item *it = &in->item[in->slot[s] - 1];

		if (it->hash == hash && it->size == size &&
		    !memcmp(it->p, p, size))
			return in->slot[s] - 1;
	}
	in->slot[s] = add(in, p, size, hash) + 1;
	if (in->count > in->mask / 2)
		grow(in);
	return in->count - 1;
}

uint32_t intern_count(const struct intern *in)
{
	return in->count;
}

uint64_t intern_bytes(const struct intern *in)
{
	return in->bytes + (uint64_t)in->room * sizeof(*in->item) +
		((uint64_t)in->mask + 1) * sizeof(*in->slot);
}
