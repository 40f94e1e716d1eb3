// SPDX-License-Identifier: GPL-2.0
/*
 * cost PLATFORM PAGES [4k|2m [back]]: one conversion to shared, or back to
 * private, with a port that does nothing but count. For callgrind:
 *
 *   valgrind --tool=callgrind --toggle-collect=airlock_convert cost tdx 511
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <airlock/port.h>

#define DM	UINT64_C(0xffff888000000000)
#define GIB	(UINT64_C(1) << 30)
#define MEMORY	(2 * GIB)
#define TABLES	2048

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

int main(int argc, char **argv)
{
	static const char *const names[] = { "plain", "sev", "snp", "tdx",
					     "vtom", "tdp" };
	struct airlock_range r = { DM, 0 };
	struct airlock_config cfg = {
		.enc_bit = 51, .levels = 4, .table_attr = 3, .memory = MEMORY,
		.cpus = 1, .window = UINT64_C(0xfffffe8000000000),
		.direct_map = DM,
	};
	struct airlock *a;
	bool back = false;
	uint64_t gpa;
	size_t size;
	void *mem;
	int p;

	if (argc < 3)
		return 2;
	for (p = 0; p < 6; p++)
		if (!strcmp(argv[1], names[p]))
			cfg.platform = (enum airlock_platform)p;
	r.pages = strtoull(argv[2], NULL, 0);
	ntables = 1;
	if (argc > 3 && !strcmp(argv[3], "2m"))
		r.va = DM + GIB;
	if (argc > 4)
		back = true;
	/* Set is private on AMD, shared elsewhere. */
	if ((cfg.platform == AIRLOCK_SNP || cfg.platform == AIRLOCK_SEV) !=
	    back)
		attribute = UINT64_C(1) << 51;
	for (gpa = 0; gpa < GIB; gpa += 4096)
		map(0, DM + gpa, gpa, 1);
	for (; gpa < MEMORY; gpa += UINT64_C(1) << 21)
		map(0, DM + gpa, gpa, 2);
	size = airlock_size(&cfg);
	mem = aligned_alloc(64, (size + 63) / 64 * 64);
	memset(mem, 0, size);
	if (airlock_init(&a, mem, size, &cfg))
		return 1;
	if (back && airlock_note(a, 0, MEMORY / 4096, AIRLOCK_TO_SHARED))
		return 1;
	writes = 0;
	p = airlock_convert(a, &r, 1, back ? AIRLOCK_TO_PRIVATE :
			    AIRLOCK_TO_SHARED, NULL);
	printf("status %d pte_writes %lu shootdowns %lu exits %lu tdcalls "
	       "%lu\n", p, writes, shootdowns, exits, tdcalls);
	free(mem);
	return p;
}
