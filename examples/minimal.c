// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The smallest port there is: one CPU, one page-table tree of five tables in
 * an array, one megabyte of memory, and a host that says yes.
 *
 * It runs as an ordinary program. A kernel has its own page tables in the
 * place of memory[], and real instructions, which libairlock.a brings along,
 * in the place of airlock_port_tdcall() and the two below it.
 */
#include <stdio.h>
#include <stdlib.h>

#include <airlock/port.h>

#define SHARED_BIT	51
#define PRESENT_RW	3
#define DIRECT_MAP	UINT64_C(0xffff888000000000)
#define MEMORY		(1 << 20)

/* "Physical memory" for page tables: page n is at n * 4096. */
static uint64_t memory[16][512];
static unsigned int used;

/* ---- what every port has ---- */

const uint64_t *airlock_port_table(uint64_t pa)
{
	return memory[pa / 4096];
}

void airlock_port_pte_write(uint64_t pa, uint64_t entry)
{
	memory[pa / 4096][pa % 4096 / 8] = entry;
}

uint64_t airlock_port_table_alloc(void)
{
	return used < 16 ? used++ * 4096 : AIRLOCK_NO_PAGE;
}

void airlock_port_table_free(uint64_t pa)
{
	(void)pa;	/* a kernel would */
}

/* One CPU and no interrupts: nobody to lock out, nowhere to be moved to. */
void airlock_port_lock(void)
{
}

void airlock_port_unlock(void)
{
}

unsigned int airlock_port_pin(void)
{
	return 0;
}

void airlock_port_unpin(void)
{
}

bool airlock_port_may_convert(void)
{
	return true;
}

/* On one CPU: INVLPG each page, or reload CR3 for all. */
void airlock_port_shootdown(const struct airlock_flush *f, unsigned int n)
{
	for (; n; n--, f++)
		printf("flush %#lx, %lu pages\n", (unsigned long)f->va,
		       (unsigned long)f->pages);
}

void airlock_port_unmap_aliases(const struct airlock_range *r, unsigned int n)
{
	(void)r;
	(void)n;
}

bool airlock_port_alias(uint64_t va, uint64_t gpa, uint64_t pages,
			unsigned int index, struct airlock_range *alias)
{
	(void)va;
	(void)gpa;
	(void)pages;
	(void)index;
	(void)alias;
	return false;
}

void airlock_port_violation(const struct airlock_violation *v)
{
	fprintf(stderr, "%s\n", airlock_strerror(v->status));
	abort();
}

/* ---- only because this is no TDX guest ---- */

void airlock_port_tdcall(struct airlock_tdcall *t)
{
	printf("TDCALL leaf %lu, R12 %#lx\n", (unsigned long)t->rax,
	       (unsigned long)t->r12);
	t->rax = 0;
	t->r10 = 0;
}

void airlock_port_cache_flush(uint64_t va, uint64_t pages)
{
	(void)va;
	(void)pages;
}

void airlock_port_invlpg(uint64_t va)
{
	(void)va;
}

/* ---- a kernel of few words ---- */

/* Four tables in a row, the last one full: memory at the direct map. */
static uint64_t make_page_tables(void)
{
	uint64_t root = airlock_port_table_alloc(), pa = root, next;
	unsigned int shift, i;

	for (shift = 39; shift > 12; shift -= 9, pa = next) {
		next = airlock_port_table_alloc();
		airlock_port_pte_write(pa + (DIRECT_MAP >> shift & 511) * 8,
				       next | PRESENT_RW);
	}
	for (i = 0; i < MEMORY / 4096; i++)
		airlock_port_pte_write(pa + i * 8,
				       (uint64_t)i * 4096 | PRESENT_RW);
	return root;
}

int main(void)
{
	static uint64_t context[1024] __attribute__((aligned(64)));
	struct airlock_config cfg = {
		.platform = AIRLOCK_TDX, .enc_bit = SHARED_BIT, .levels = 4,
		.table_attr = PRESENT_RW, .memory = MEMORY, .cpus = 1,
		.window = UINT64_C(0xfffffe8000000000),
		.direct_map = DIRECT_MAP,
	};
	struct airlock_range buffer = { DIRECT_MAP + 0x10000, 8 };
	struct airlock_outcome out;
	struct airlock *a;

	cfg.root = make_page_tables();
	if (airlock_init(&a, context, sizeof(context), &cfg))
		return 1;
	if (airlock_convert(a, &buffer, 1, AIRLOCK_TO_SHARED, &out) ||
	    airlock_page(a, 0x10000) != AIRLOCK_PAGE_SHARED)
		return 1;
	printf("%lu pages are shared\n", (unsigned long)out.converted);
	if (airlock_reclaim_all(a, &out) ||
	    airlock_page(a, 0x10000) != AIRLOCK_PAGE_PRIVATE)
		return 1;
	printf("%lu pages are private again\n", (unsigned long)out.converted);
	return out.converted != 8;
}
