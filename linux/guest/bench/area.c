// SPDX-License-Identifier: GPL-2.0
/*
 * Memory as the boot-time swiotlb has it: 64M in a row, in 2M leaves. The
 * allocator gives 4M at most, so take what there is until some of it lies in
 * a row, and give the rest back.
 */
#define pr_fmt(fmt) "bench: " fmt
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/sort.h>

#include "bench.h"

#define ORDER	10
#define BLOCK	(PAGE_SIZE << ORDER)
#define ROW	(SZ_64M / BLOCK)
#define MOST	96			/* 384M */

static bool whole(unsigned long va)
{
	unsigned long end = va + BLOCK;
	unsigned int level;

	for (; va < end; va += PMD_SIZE)
		if (!lookup_address(va, &level) || level != PG_LEVEL_2M)
			return false;
	return true;
}

static int by_address(const void *a, const void *b)
{
	unsigned long x = *(const unsigned long *)a;
	unsigned long y = *(const unsigned long *)b;

	return x < y ? -1 : x > y;
}

/* The blocks whose leaves are whole come first, sorted; @good of them. */
static unsigned int take(unsigned long *block, unsigned int *good)
{
	unsigned int n = 0;
	unsigned long va;

	*good = 0;
	while (n < MOST) {
		va = __get_free_pages(GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN,
				      ORDER);
		if (!va)
			break;
		block[n++] = va;
		if (whole(va)) {
			swap(block[*good], block[n - 1]);
			(*good)++;
		}
	}
	sort(block, *good, sizeof(*block), by_address, NULL);
	return n;
}

/* Where ROW blocks lie in a row, and two more are left. */
static int find_row(const unsigned long *block, unsigned int good)
{
	unsigned int i;

	if (good < ROW + 2)
		return -1;
	for (i = 0; i + ROW <= good; i++)
		if (block[i + ROW - 1] - block[i] == (ROW - 1) * BLOCK)
			return i;
	return -1;
}

int area_get(struct area *a)
{
	unsigned long *block = kcalloc(MOST, sizeof(*block), GFP_KERNEL);
	unsigned int i, n, good, extra = 0;
	int row;

	if (!block)
		return -ENOMEM;
	n = take(block, &good);
	row = find_row(block, good);
	for (i = 0; i < n; i++) {
		if (row >= 0 && i >= row && i < row + ROW)
			continue;
		if (row >= 0 && i < good && extra < ARRAY_SIZE(a->block))
			a->block[extra++] = block[i];
		else
			free_pages(block[i], ORDER);
	}
	if (row >= 0)
		a->swiotlb = block[row];
	kfree(block);
	return row >= 0 ? 0 : -ENOMEM;
}

void area_put(const struct area *a)
{
	unsigned int i;

	for (i = 0; i < ROW; i++)
		free_pages(a->swiotlb + i * BLOCK, ORDER);
	for (i = 0; i < ARRAY_SIZE(a->block); i++)
		free_pages(a->block[i], ORDER);
}
