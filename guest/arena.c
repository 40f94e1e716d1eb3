// SPDX-License-Identifier: GPL-2.0
/*
 * Who converts which pages, and what must be true of them.
 *
 * The arena, in 2M chunks: one that all converters use, 64 pages each, then
 * three for each converter.
 *
 *   common   h1hSSSSSSSShhs h s h s ... h s  h v h v ... h v h h
 *            home, "1", home, "8", homes, "scattered", "vmalloc"
 *   own 0    ... only its last page, a home, before
 *   own 1    "2M", a whole leaf
 *   own 2    a home, then "511"
 *
 * Stray reads start in homes and run into what is converted. Nobody reads
 * from a page that somebody else owns, so only at homes do reads begin.
 */
#include "kernel.h"

struct area area[MAX_CPUS];
unsigned int areas;

static u64 common_page(unsigned int i, unsigned int page)
{
	return arena + (i * 64 + page) * PAGE;
}

static u64 own_chunk(unsigned int i, unsigned int chunk)
{
	return arena + (1 + 3UL * i + chunk) * LARGE;
}

/* The last 8 bytes of a home, by which it is known. */
static u64 home_word(u64 gpa)
{
	return gpa * 0x9e3779b97f4a7c15UL | 0x0101010101010101UL;
}

static void add_home(struct area *a, u64 va, u64 gpa)
{
	if (a->homes == HOMES)
		panic("too many homes");
	*(volatile u64 *)direct(gpa + PAGE - 8) = home_word(gpa);
	a->home[a->homes++] = va;
}

static void home(struct area *a, u64 gpa)
{
	add_home(a, DIRECT + gpa, gpa);
}

static struct job *add_job(struct area *a, const char *name)
{
	struct job *j = &a->job[a->jobs++];

	j->name = name;
	return j;
}

static void add_range(struct job *j, u64 va, u64 pages)
{
	j->r[j->n++] = (struct airlock_range){ va, pages };
	j->pages += pages;
}

static void simple_job(struct area *a, const char *name, u64 gpa, u64 pages)
{
	add_range(add_job(a, name), DIRECT + gpa, pages);
}

/* Every second page of 32, each with a home before it. */
static void scattered(struct area *a, unsigned int i)
{
	struct job *j = add_job(a, "scattered");

	for (unsigned int p = 12; p < 44; p += 2) {
		home(a, common_page(i, p));
		add_range(j, DIRECT + common_page(i, p + 1), 1);
	}
}

/* Eight scattered pages in a row in vmalloc, behind a home there. */
static void vmalloced(struct area *a, unsigned int i)
{
	struct job *j = add_job(a, "vmalloc");
	u64 gpa[9], va;

	gpa[0] = common_page(i, 61);
	for (unsigned int p = 0; p < 8; p++)
		gpa[p + 1] = common_page(i, 46 + 2 * p);
	va = vmap(gpa, 9);
	add_home(a, va, gpa[0]);
	add_range(j, va + PAGE, 8);
	for (unsigned int p = 0; p < 8; p++) {
		home(a, common_page(i, 45 + 2 * p));
		j->alias[j->aliases++] =
			(struct airlock_range){ DIRECT + gpa[p + 1], 1 };
	}
}

/* Some of everything in one call. */
static void mixed(struct area *a)
{
	struct job *j = add_job(a, "mixed");

	for (unsigned int i = 0; i < a->jobs - 1; i++) {
		const struct job *from = &a->job[i];

		if (from->n > 1)
			continue;
		add_range(j, from->r[0].va, from->r[0].pages);
		for (unsigned int k = 0; k < from->aliases; k++)
			j->alias[j->aliases++] = from->alias[k];
	}
}

static void area_init(unsigned int i)
{
	struct area *a = &area[i];

	home(a, common_page(i, 0));
	simple_job(a, "1 page", common_page(i, 1), 1);
	home(a, common_page(i, 2));
	simple_job(a, "8 pages", common_page(i, 3), 8);
	home(a, common_page(i, 11));
	scattered(a, i);
	vmalloced(a, i);
	home(a, own_chunk(i, 1) - PAGE);
	simple_job(a, "2M", own_chunk(i, 1), 512);
	home(a, own_chunk(i, 2));
	simple_job(a, "511 pages", own_chunk(i, 2) + PAGE, 511);
	mixed(a);
}

/*
 * The 8 pages once more, in a vmalloc area that was given back but is still
 * mapped: the order's alias step has to see to it.
 */
void lazy_job(const struct area *a, struct job *j)
{
	u64 gpa[8];

	*j = a->job[1];
	for (unsigned int i = 0; i < 8; i++)
		gpa[i] = gpa_of(j->r[0].va + i * PAGE);
	j->alias[0] = (struct airlock_range){ vmap(gpa, 8), 8 };
	j->aliases = 1;
}

void arena_init(void)
{
	u64 room = (ram_end - arena) / LARGE - 1;

	areas = boot.cpus;
	if (areas > room / 3)
		areas = (unsigned int)(room / 3);
	if (!areas)
		panic("%lu MiB are too little", ram_end >> 20);
	for (unsigned int i = 0; i < areas; i++)
		area_init(i);
}

/* ---- stray reads ---- */

static void stray_read(u64 home_va, unsigned int k)
{
	struct cpu *c = this_cpu();
	u64 end = home_va + PAGE, before = c->fixups, v, want;

	v = airlock_load_unaligned_zeropad((const void *)(end - k));
	want = *(volatile u64 *)(end - 8) >> (64 - 8 * k);
	c->reads++;
	if ((v ^ want) & ((1UL << 8 * k) - 1))
		panic("a stray read at %lx returned %lx", end - k, v);
	if (c->fixups != before && v >> 8 * k)
		panic("a mended read at %lx is not padded: %lx", end - k, v);
}

/* At every page end around an area, and before this CPU's neighbour's window,
 * where nothing may ever be mapped. */
void stray_reads(const struct area *a)
{
	static const u64 last = AIRLOCK_WINDOW_STRIDE;
	u64 cpu = (u64)(a - area), v;

	for (unsigned int i = 0; i < a->homes; i++)
		stray_read(a->home[i], 1 + i % 7);
	if (boot.platform != CVM_NONE &&
	    probe(WINDOW + cpu * last + LARGE - 8, &v))
		panic("the page before a window is mapped");
}

/* ---- what must be true ---- */

u64 gpa_of(u64 va)
{
	if (va >= VMALLOC)
		return *pte_of(va) & PTE_ADDR &
		       ~(boot.shared_mask | boot.private_mask);
	return va - DIRECT;
}

/* Are all pages of a job in one state of the ledger? */
bool job_state(const struct job *j, enum airlock_page *state)
{
	bool first = true;

	for (unsigned int i = 0; i < j->n; i++)
		for (u64 p = 0; p < j->r[i].pages; p++) {
			u64 gpa = gpa_of(j->r[i].va + p * PAGE);
			enum airlock_page s = airlock_page(engine, gpa);

			if (first)
				*state = s;
			first = false;
			if (s != *state)
				return false;
		}
	return true;
}

bool host_misbehaved(void)
{
	return call1(CVM_COUNTER, CVM_N_HOST_LIES) ||
	       call1(CVM_COUNTER, CVM_N_HOST_UNASKED);
}

static void check_shared(volatile u64 *p, u64 gpa)
{
	u64 v = rdtsc() | 1;

	p[1] = v;
	if (call1(CVM_HOST_READ, gpa + 8) != v)
		fail("the host does not see what is written to %lx", gpa);
	if (call2(CVM_HOST_WRITE, gpa, ~v) || p[0] != ~v)
		fail("what the host writes to %lx is not seen", gpa);
}

static void check_private(volatile u64 *p, u64 gpa)
{
	u64 v = rdtsc() | 1;

	if (boot.platform != CVM_SNP && (p[0] || p[511]))
		fail("page %lx came back without being zeroed", gpa);
	p[1] = v;
	if (call1(CVM_HOST_READ, gpa + 8) == v)
		fail("the host reads the private page %lx", gpa);
	if (!call2(CVM_HOST_WRITE, gpa, ~v) || p[1] != v)
		fail("the host writes to the private page %lx", gpa);
}

/* Through the guest's own mapping and the host's: the last page of some of
 * the ranges. */
void check_contents(const struct job *j, enum airlock_to to)
{
	if (boot.platform == CVM_NONE)
		return;
	for (unsigned int i = 0; i < j->n; i += 1 + j->n / 3) {
		u64 va = j->r[i].va + (j->r[i].pages - 1) * PAGE;

		if (to == AIRLOCK_TO_SHARED)
			check_shared((u64 *)va, gpa_of(va));
		else
			check_private((u64 *)va, gpa_of(va));
	}
}
