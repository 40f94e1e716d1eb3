// SPDX-License-Identifier: GPL-2.0
/*
 * Finding a kernel's symbols in its memory. What scripts/kallsyms.c puts there
 * has no header, so it is found by what must be true of it:
 *
 *   token table   256 strings; a digit's token is the digit itself
 *   token index   256 offsets into it, 16 bits each, behind it
 *   markers       the offset of every 256th name, 32 bits each, before it;
 *                 until 6.4 or so the names' order stands in between
 *   names         length, then tokens; the number of names is before them
 *   offsets       32 bits each, and an address to which they are relative:
 *                 behind the token index since 6.4 or so, before the names
 *                 until then; each relative to itself, without such an
 *                 address, in 7.3
 *
 * Offsets that are negative count down from the base, minus one; others are
 * addresses, of per-CPU variables. Where none is negative all are offsets.
 * Where each is relative to itself, phys_base says what is mapped where.
 */
#include "ksyms.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>

#define ALIGN4(p)	(((p) + 3) & ~UINT64_C(3))
#define ALIGN8(p)	(((p) + 7) & ~UINT64_C(7))
#define KERNEL_MAP	UINT64_C(0xffffffff80000000)	/* __START_KERNEL_map */
#define MOST		2000000u

struct symbol {
	uint64_t at;
	uint32_t name;			/* where in the names */
};

struct ksyms {
	const uint8_t *m;		/* the kernel's memory */
	uint64_t size;
	uint64_t tokens, index, markers, names;
	uint32_t n, n_markers;
	uint64_t offsets, base;
	uint64_t pa;			/* of m */
	bool self_relative;
	struct symbol *symbol;		/* by address */
	uint8_t *copy;			/* of names and tokens */
};

static uint64_t get(const struct ksyms *k, uint64_t at, unsigned int bytes)
{
	uint64_t v = 0;

	if (at + bytes <= k->size)
		memcpy(&v, k->m + at, bytes);
	return v;
}

static uint64_t skip_string(const struct ksyms *k, uint64_t at)
{
	const uint8_t *end = at < k->size ?
		memchr(k->m + at, 0, k->size - at) : NULL;

	return end ? (uint64_t)(end - k->m) + 1 : k->size;
}

static bool index_fits(struct ksyms *k, uint64_t index, uint64_t digits)
{
	uint64_t at;

	k->index = index;
	k->tokens = digits - get(k, k->index + 2 * '0', 2);
	if (k->tokens > digits || get(k, k->index, 2))
		return false;
	at = k->tokens;
	for (unsigned int i = 0; i < 256; i++) {
		if (get(k, k->index + 2 * i, 2) != at - k->tokens)
			return false;
		at = skip_string(k, at);
	}
	return true;
}

/* @digits: where "0" stands. The table begins where the index says. */
static bool find_tokens(struct ksyms *k, uint64_t digits)
{
	uint64_t at = digits;

	for (unsigned int i = '0'; i < 256; i++)
		at = skip_string(k, at);
	return index_fits(k, ALIGN8(at), digits) ||
		index_fits(k, ALIGN4(at), digits);
}

/* Ascending numbers that end at @end or before zeros there, the first is 0. */
static bool markers_end(struct ksyms *k, uint64_t end)
{
	uint64_t at = end, last;

	while (at > 4 && !get(k, at - 4, 4))
		at -= 4;
	last = at - 4;
	for (at = last; at > 4 && get(k, at, 4); at -= 4) {
		uint64_t step = get(k, at, 4) - get(k, at - 4, 4);

		if (!step || step > 0xffff)	/* or less than none */
			return false;
	}
	k->markers = at;
	k->n_markers = (uint32_t)((last - at) / 4 + 1);
	return k->n_markers > 8 && k->n_markers < MOST / 256;
}

/* What stands between them and the tokens takes 3 bytes a name. */
static bool find_markers(struct ksyms *k)
{
	uint64_t end = k->tokens & ~UINT64_C(3);

	for (uint64_t n = 0; n < 3 * MOST && n < end; n += 4)
		if (markers_end(k, end - n))
			return true;
	return false;
}

/* Of the name at @at: where its tokens are, how many. */
static uint64_t name_tokens(const struct ksyms *k, uint64_t at,
			    unsigned int *n)
{
	unsigned int low = (unsigned int)get(k, at, 1);

	if (!(low & 0x80)) {
		*n = low;
		return at + 1;
	}
	*n = (low & 0x7f) | (unsigned int)get(k, at + 1, 1) << 7;
	return at + 2;
}

static uint64_t next_name(const struct ksyms *k, uint64_t at)
{
	unsigned int n;
	uint64_t t = name_tokens(k, at, &n);

	return t + n;
}

static bool names_fit(const struct ksyms *k, uint64_t names)
{
	uint64_t at = names;

	for (unsigned int i = 0; i < 256; i++)
		at = next_name(k, at);
	return at - names == get(k, k->markers + 4, 4);
}

static bool counts_names(const struct ksyms *k, uint64_t n)
{
	return (n + 255) / 256 == k->n_markers;
}

static bool find_names(struct ksyms *k)
{
	uint64_t last = get(k, k->markers + 4 * (k->n_markers - 1), 4);
	uint64_t at = (k->markers - last) & ~UINT64_C(3);

	for (unsigned int i = 0; i < 8192 && at > 16; i++, at -= 4) {
		uint64_t n = get(k, at - 4, 4);

		if (!counts_names(k, n))
			n = get(k, at - 8, 4);
		if (!counts_names(k, n) || !names_fit(k, at))
			continue;
		k->names = at;
		k->n = (uint32_t)n;
		return true;
	}
	return false;
}

static bool plausible(uint64_t base)
{
	return base >= UINT64_C(0xffffffff80000000) &&
		base < UINT64_C(0xffffffffff000000) && !(base & 0xfff);
}

static bool find_offsets(struct ksyms *k)
{
	uint64_t after = ALIGN8(k->index + 512);
	uint64_t before = k->names - 16;

	k->offsets = after;
	k->base = get(k, ALIGN8(after + 4 * (uint64_t)k->n), 8);
	if (plausible(k->base))
		return true;
	k->base = get(k, before, 8);
	k->offsets = before - ALIGN8(4 * (uint64_t)k->n);
	if (plausible(k->base))
		return true;
	k->offsets = ALIGN4(k->index + 512);
	k->self_relative = true;
	return true;
}

static int by_address(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	return x->at < y->at ? -1 : x->at > y->at;
}

static uint64_t address(const struct ksyms *k, uint32_t i, bool negative)
{
	uint64_t at = k->offsets + 4 * (uint64_t)i;
	int32_t o = (int32_t)get(k, at, 4);

	if (k->self_relative)		/* physical, until phys_base is known */
		return k->pa + at + (uint64_t)(int64_t)o;
	if (!negative)
		return k->base + (uint32_t)o;
	return o < 0 ? k->base - 1 - (uint64_t)(int64_t)o :
		(uint64_t)(uint32_t)o;
}

static void fill(struct ksyms *k)
{
	bool negative = false;
	uint64_t at = k->names;

	k->symbol = calloc(k->n, sizeof(*k->symbol));
	if (!k->symbol)
		err(1, "watch");
	for (uint32_t i = 0; i < k->n; i++)
		negative |= get(k, k->offsets + 4 * (uint64_t)i, 4) >> 31;
	for (uint32_t i = 0; i < k->n; i++, at = next_name(k, at)) {
		k->symbol[i].name = (uint32_t)(at - k->names);
		k->symbol[i].at = address(k, i, negative);
	}
	qsort(k->symbol, k->n, sizeof(*k->symbol), by_address);
}

/* The kernel may reuse that memory, or unmap it: keep what names need. */
static void keep(struct ksyms *k)
{
	uint64_t from = k->names, size = k->index + 512 - from;

	k->copy = malloc(size);
	if (!k->copy)
		err(1, "watch");
	memcpy(k->copy, k->m + from, size);
	k->m = k->copy;
	k->size = size;
	k->markers -= from;
	k->tokens -= from;
	k->index -= from;
	k->names = 0;
}

void ksyms_free(struct ksyms *k)
{
	if (!k)
		return;
	free(k->symbol);
	free(k->copy);
	free(k);
}

unsigned int ksyms_count(const struct ksyms *k)
{
	return k ? k->n : 0;
}

/* The first character is the symbol's type. */
static void expand(const struct ksyms *k, uint32_t name, char *to,
		   size_t size)
{
	unsigned int n;
	uint64_t at = name_tokens(k, k->names + name, &n);
	bool type = true;

	for (; n--; at++) {
		uint64_t t = k->tokens + get(k, k->index + 2 *
					     get(k, at, 1), 2);

		for (; get(k, t, 1); t++) {
			if (!type && size > 1) {
				*to++ = (char)get(k, t, 1);
				size--;
			}
			type = false;
		}
	}
	*to = 0;
}

uint64_t ksyms_address(const struct ksyms *k, const char *name)
{
	char text[512];

	for (uint32_t i = 0; k && i < k->n; i++) {
		expand(k, k->symbol[i].name, text, sizeof(text));
		if (!strcmp(text, name))
			return k->symbol[i].at;
	}
	return 0;
}

/* By the kernel's own account: pa = va - __START_KERNEL_map + phys_base. */
static bool go_virtual(struct ksyms *k)
{
	uint64_t at = ksyms_address(k, "phys_base") - k->pa, phys_base;

	if (at >= k->size)
		return false;
	phys_base = get(k, at, 8);
	for (uint32_t i = 0; i < k->n; i++)
		k->symbol[i].at += KERNEL_MAP - phys_base;
	return plausible(ksyms_address(k, "_text"));
}

static const char digits[] = "0\0001\0002\0003\0004\0005\0006\0007\0008\0009";

struct ksyms *ksyms_find(const uint8_t *memory, uint64_t size, uint64_t pa)
{
	struct ksyms *k = calloc(1, sizeof(*k));
	const uint8_t *at = memory;

	if (!k)
		err(1, "watch");
	k->m = memory;
	k->size = size;
	k->pa = pa;
	while ((at = memmem(at, (size_t)(memory + size - at), digits,
			    sizeof(digits)))) {
		if (find_tokens(k, (uint64_t)(at - memory)) &&
		    find_markers(k) && find_names(k) && find_offsets(k)) {
			fill(k);
			if (!k->self_relative || go_virtual(k)) {
				keep(k);
				return k;
			}
			free(k->symbol);
			k->self_relative = false;
		}
		at++;
	}
	free(k);
	return NULL;
}

bool ksyms_name(const struct ksyms *k, uint64_t at, char *name, size_t size,
		uint64_t *offset)
{
	uint32_t low = 0, high = k ? k->n : 0;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (k->symbol[mid].at <= at)
			low = mid + 1;
		else
			high = mid;
	}
	if (!low)
		return false;
	*offset = at - k->symbol[low - 1].at;
	/* Of several names for one address, the one that is first. */
	while (low > 1 && k->symbol[low - 2].at == k->symbol[low - 1].at)
		low--;
	expand(k, k->symbol[low - 1].name, name, size);
	return *offset < 0x100000;
}
