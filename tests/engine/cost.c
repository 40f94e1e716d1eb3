// SPDX-License-Identifier: GPL-2.0
/*
 * cost PLATFORM PAGES 4k|2m shared|private RANGES: one conversion of as many
 * ranges, of as many pages each, with a port that does nothing but count. 4k
 * and 2m say how the pages are mapped. For callgrind:
 *
 *   valgrind --tool=callgrind --toggle-collect=airlock_convert \
 *	cost tdx 511 4k shared 1
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <airlock/port.h>

#include "../../cvm/abi/platforms.h"

#define DM	UINT64_C(0xffff888000000000)
#define GIB	(UINT64_C(1) << 30)
#define MEMORY	(2 * GIB)
#define TABLES	2048
#define MAX_RANGES 128

static uint64_t table[TABLES][512];
static unsigned int ntables;
static unsigned long writes, shootdowns, exits, tdcalls;
static uint64_t page[512];

const uint64_t *airlock_port_table(uint64_t pa)
{
	return table[pa / 4096];
}

void airlock_port_pte_write(uint64_t pa, uint64_t entry)
{
	writes++;
	*(uint64_t *)((char *)table + pa) = entry;
}

uint64_t airlock_port_table_alloc(void)
{
	return ntables++ * 4096;
}

void airlock_port_table_free(uint64_t pa) { (void)pa; }
void airlock_port_lock(void) { }
void airlock_port_unlock(void) { }
unsigned int airlock_port_pin(void) { return 0; }
void airlock_port_unpin(void) { }
bool airlock_port_may_convert(void) { return true; }

void airlock_port_shootdown(const struct airlock_flush *f, unsigned int n)
{
	(void)f, (void)n;
	shootdowns++;
}

void airlock_port_unmap_aliases(const struct airlock_range *r, unsigned int n)
{
	(void)r, (void)n;
}

bool airlock_port_alias(uint64_t va, uint64_t gpa, uint64_t pages,
			unsigned int index, struct airlock_range *alias)
{
	(void)va, (void)gpa, (void)pages, (void)index, (void)alias;
	return false;
}

void airlock_port_violation(const struct airlock_violation *v)
{
	fprintf(stderr, "violation %d\n", v->status);
	exit(1);
}

void *airlock_port_ghcb(unsigned int cpu, uint64_t *gpa)
{
	(void)cpu;
	*gpa = 0;
	return page;
}

void *airlock_port_hv_page(unsigned int cpu, uint64_t *gpa)
{
	return airlock_port_ghcb(cpu, gpa);
}

void airlock_port_invlpg(uint64_t va) { (void)va; }

void airlock_port_cache_flush(uint64_t va, uint64_t pages)
{
	(void)va, (void)pages;
}

void airlock_port_evict(uint64_t va, uint64_t pages)
{
	(void)va, (void)pages;
}

uint64_t airlock_port_pvalidate(uint64_t va, bool large, bool validate)
{
	(void)va, (void)large, (void)validate;
	return 0;
}

uint64_t airlock_port_vmgexit(uint64_t msr)
{
	exits++;
	page[256] = (page[256] & 0xffff0000) + (page[256] >> 16) + 1;
	return msr;
}

void airlock_port_tdcall(struct airlock_tdcall *t)
{
	exits += !t->rax;
	tdcalls++;
	t->rax = t->r10 = 0;
}

uint64_t airlock_port_hypercall(uint64_t control, uint64_t in, uint64_t out)
{
	(void)in, (void)out;
	exits++;
	return control & UINT64_C(0xfff00000000);
}

static uint64_t attribute;

static void map(uint64_t root, uint64_t va, uint64_t gpa, unsigned int level)
{
	uint64_t pa = root, *e;
	unsigned int l;

	for (l = 4;; l--) {
		e = &table[pa / 4096][va >> (3 + 9 * l) & 511];
		if (l == level)
			break;
		if (!*e)
			*e = airlock_port_table_alloc() | 3;
		pa = *e & ~UINT64_C(0xfff);
	}
	*e = gpa | 3 | (level > 1 ? 0x80 : 0) | attribute;
}

/* The first GiB by 4K leaves, the second by 2M. */
static void map_all(void)
{
	uint64_t gpa;

	ntables = 1;
	for (gpa = 0; gpa < GIB; gpa += 4096)
		map(0, DM + gpa, gpa, 1);
	for (; gpa < MEMORY; gpa += UINT64_C(1) << 21)
		map(0, DM + gpa, gpa, 2);
}

static struct airlock *make_context(const struct airlock_config *cfg)
{
	size_t size = airlock_size(cfg);
	void *mem = aligned_alloc(64, (size + 63) / 64 * 64);
	struct airlock *a;

	if (!mem)
		return NULL;
	memset(mem, 0, size);
	return airlock_init(&a, mem, size, cfg) ? NULL : a;
}

/* Ranges a page apart, so that none goes on from the one before. */
static void make_ranges(struct airlock_range *r, unsigned int n, uint64_t va,
			uint64_t pages)
{
	unsigned int i;

	for (i = 0; i < n; i++, va += (pages + 1) * 4096)
		r[i] = (struct airlock_range){ va, pages };
}

static enum airlock_platform platform(const char *name)
{
	static const char *const names[] = {
		PLATFORMS_LAB_PLAIN(PLATFORM_ENGINE_NAME)
		PLATFORMS_LAB(PLATFORM_ENGINE_NAME)
	};
	int p = 0;

	while (p < AIRLOCK_PLATFORMS && strcmp(name, names[p]))
		p++;
	return (enum airlock_platform)p;
}

int main(int argc, char **argv)
{
	static struct airlock_range r[MAX_RANGES];
	struct airlock_config cfg = {
		.enc_bit = 51, .levels = 4, .table_attr = 3, .memory = MEMORY,
		.cpus = 1, .window = UINT64_C(0xfffffe8000000000),
		.direct_map = DM,
	};
	enum airlock_to to = AIRLOCK_TO_SHARED;
	unsigned int n;
	struct airlock *a;
	int status;

	if (argc != 6)
		return 2;
	cfg.platform = platform(argv[1]);
	if (!strcmp(argv[4], "private"))
		to = AIRLOCK_TO_PRIVATE;
	n = (unsigned int)strtoul(argv[5], NULL, 0);
	if (cfg.platform > AIRLOCK_TDP || n > MAX_RANGES)
		return 2;
	make_ranges(r, n, strcmp(argv[3], "2m") ? DM : DM + GIB,
		    strtoull(argv[2], NULL, 0));
	/* Set is private on AMD, shared elsewhere. */
	if ((cfg.platform == AIRLOCK_SNP || cfg.platform == AIRLOCK_SEV) ==
	    (to == AIRLOCK_TO_SHARED))
		attribute = UINT64_C(1) << 51;
	map_all();
	a = make_context(&cfg);
	if (!a || (to == AIRLOCK_TO_PRIVATE &&
		   airlock_note(a, 0, MEMORY / 4096, AIRLOCK_TO_SHARED)))
		return 1;
	writes = 0;
	status = airlock_convert(a, r, n, to, NULL);
	printf("status %d pte_writes %lu shootdowns %lu exits %lu tdcalls "
	       "%lu\n", status, writes, shootdowns, exits, tdcalls);
	free(a);
	return status;
}
