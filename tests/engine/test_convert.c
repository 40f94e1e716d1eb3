// SPDX-License-Identifier: GPL-2.0
/*
 * good_*: conversions that must work, and what they may cost.
 * bad_*: arguments that must not, with the exact error and nothing changed.
 */
#include "world.h"

#define GOOD(status) assert_int_equal(status, AIRLOCK_OK)

static struct airlock_outcome out;

static int convert1(uint64_t va, uint64_t pages, enum airlock_to to)
{
	struct airlock_range r = { va, pages };

	return airlock_convert(w.a, &r, 1, to, &out);
}

static void there_and_back(uint64_t gpa, uint64_t pages)
{
	GOOD(convert1(DM + gpa, pages, AIRLOCK_TO_SHARED));
	assert_int_equal(out.converted, pages);
	assert_int_equal(out.reverted + out.quarantined, 0);
	assert_int_equal(airlock_page(w.a, gpa), AIRLOCK_PAGE_SHARED);
	world_check(gpa & ~(GiB - 1), (gpa & ~(GiB - 1)) + GiB);
	GOOD(convert1(DM + gpa, pages, AIRLOCK_TO_PRIVATE));
	assert_int_equal(out.converted, pages);
	assert_int_equal(airlock_page(w.a, gpa), AIRLOCK_PAGE_PRIVATE);
	world_check(gpa & ~(GiB - 1), (gpa & ~(GiB - 1)) + GiB);
}

/* Every platform and size, over 4K, 2M and 1G leaves, aligned and not, twice:
 * the second time the leaves are joined ones. */
static void good_all_sizes(void **state)
{
	static const struct { uint64_t gpa, pages; } t[] = {
		{ 5 * PAGE, 1 }, { 2 * MiB, 8 }, { PAGE, 511 },
		{ 2 * MiB, 512 }, { MiB, 513 }, { 0, 2048 },
		{ 8 * MiB, 1 }, { 8 * MiB + 7 * PAGE, 8 },
		{ 8 * MiB, 511 }, { 8 * MiB + PAGE, 511 }, { 8 * MiB, 512 },
		{ 10 * MiB, 513 }, { 10 * MiB + PAGE, 1024 },
		{ 7 * MiB, 1024 }, { GiB, 1 }, { GiB + 2 * MiB, 512 },
		{ GiB + 3 * PAGE, 8 }, { 2 * GiB - PAGE, 2 },
		{ GiB - 4 * PAGE, 8 }, { GiB, 512 * 512 },
	};
	int p, early, twice;
	unsigned int i;

	(void)state;
	for (p = AIRLOCK_SEV; p < AIRLOCK_PLATFORMS; p++)
		for (early = 0; early <= 1; early++) {
			world_begin((enum airlock_platform)p, early ?
				    AIRLOCK_F_TDX_RELEASE : 0);
			w.early = w.small = early;
			for (i = 0; i < sizeof(t) / sizeof(t[0]); i++)
				for (twice = 0; twice < 2; twice++)
					there_and_back(t[i].gpa, t[i].pages);
			world_end();
		}
}

static void good_plain_is_a_no_op(void **state)
{
	uint64_t h;

	(void)state;
	world_begin(AIRLOCK_PLAIN, 0);
	h = world_hash();
	GOOD(convert1(DM, 8, AIRLOCK_TO_SHARED));
	assert_int_equal(out.converted + out.reverted + out.quarantined, 0);
	assert_int_equal(w.prepares + w.notifies + w.shootdowns, 0);
	assert_int_equal(h, world_hash());
	assert_int_equal(convert1(DM + 1, 8, AIRLOCK_TO_SHARED),
			 AIRLOCK_E_ALIGN);
	world_end();
}

/* Nor is there anything to remember, and to take back: root may be 0. */
static void good_plain_notes_and_reclaims_nothing(void **state)
{
	uint64_t h, gpa = 0, pages;

	(void)state;
	world_begin(AIRLOCK_PLAIN, 0);
	h = world_hash();
	GOOD(airlock_note(w.a, 0, 8, AIRLOCK_TO_SHARED));
	assert_int_equal(airlock_page(w.a, 0), AIRLOCK_PAGE_PRIVATE);
	assert_false(airlock_next(w.a, AIRLOCK_PAGE_SHARED, &gpa, &pages));
	GOOD(airlock_reclaim_all(w.a, &out));
	assert_int_equal(out.converted + out.reverted + out.quarantined, 0);
	assert_int_equal(w.pte_writes + w.invlpgs, 0);
	assert_int_equal(h, world_hash());
	assert_int_equal(airlock_note(w.a, 1, 1, AIRLOCK_TO_SHARED),
			 AIRLOCK_E_ARG);
	world_end();
}

/* One shootdown, two writes an entry, and as few exits as there can be. */
static void good_costs(void **state)
{
	static const uint64_t n[] = { 1, 8, 511, 512, 2048 };
	unsigned int i;
	int p;

	(void)state;
	for (p = AIRLOCK_SEV; p < AIRLOCK_PLATFORMS; p++) {
		world_begin((enum airlock_platform)p, 0);
		for (i = 0; i < 5; i++) {
			unsigned long exits = 0;

			w.pte_writes = w.shootdowns = w.exits = 0;
			GOOD(convert1(DM, n[i], AIRLOCK_TO_SHARED));
			assert_int_equal(w.pte_writes, 2 * n[i]);
			assert_int_equal(w.shootdowns, 1);
			if (p == AIRLOCK_SNP)
				exits = (n[i] % 512 + n[i] / 512 + 252) / 253;
			if (p == AIRLOCK_TDX)
				exits = 1;
			if (p >= AIRLOCK_VTOM)
				exits = (n[i] + 509) / 510;
			assert_int_equal(w.exits, exits);
			GOOD(convert1(DM, n[i], AIRLOCK_TO_PRIVATE));
			assert_int_equal(w.pte_writes, 4 * n[i]);
			assert_int_equal(w.shootdowns, 2);
			assert_int_equal(w.exits, 2 * exits);
		}
		w.pte_writes = 0;
		GOOD(convert1(DM + 8 * MiB, 512, AIRLOCK_TO_SHARED));
		assert_int_equal(w.pte_writes, 2);
		w.pte_writes = w.exits = 0;
		GOOD(convert1(DM + GiB, 512 * 512, AIRLOCK_TO_SHARED));
		assert_int_equal(w.pte_writes, 2);
		if (p == AIRLOCK_SNP)
			assert_int_equal(w.exits, 3);
		world_end();
	}
}

/* Caches are flushed, and evicted, where the platform wants it. */
static void good_cache(void **state)
{
	(void)state;
	world_begin(AIRLOCK_TDX, 0);
	GOOD(convert1(DM, 8, AIRLOCK_TO_SHARED));
	assert_int_equal(w.flushed, 8);
	GOOD(convert1(DM, 8, AIRLOCK_TO_PRIVATE));
	assert_int_equal(w.flushed, 8);
	world_end();
	world_begin(AIRLOCK_SNP, 0);
	GOOD(convert1(DM, 8, AIRLOCK_TO_SHARED));
	assert_int_equal(w.flushed, 8);
	GOOD(convert1(DM, 8, AIRLOCK_TO_PRIVATE));
	assert_int_equal(w.flushed, 16);
	assert_int_equal(w.evicts, 8);
	world_end();
	world_begin(AIRLOCK_SNP, AIRLOCK_F_COHERENT | AIRLOCK_F_NO_EVICT);
	GOOD(convert1(DM, 8, AIRLOCK_TO_SHARED));
	GOOD(convert1(DM, 8, AIRLOCK_TO_PRIVATE));
	assert_int_equal(w.flushed + w.evicts, 0);
	world_end();
	world_begin(AIRLOCK_VTOM, 0);
	GOOD(convert1(DM, 8, AIRLOCK_TO_SHARED));
	assert_int_equal(w.flushed, 0);
	world_end();
}

/* A large PVALIDATE and a large accept where the host holds large pages. */
static void good_large_work(void **state)
{
	(void)state;
	world_begin(AIRLOCK_SNP, 0);
	GOOD(convert1(DM, 512, AIRLOCK_TO_SHARED));
	assert_int_equal(w.pvalidates, 1);
	w.small = true;
	GOOD(convert1(DM + 2 * MiB, 512, AIRLOCK_TO_SHARED));
	assert_int_equal(w.pvalidates, 2 + 512);
	world_end();
	world_begin(AIRLOCK_TDX, 0);
	GOOD(convert1(DM + GiB, 512 * 512, AIRLOCK_TO_SHARED));
	GOOD(convert1(DM + GiB, 512 * 512, AIRLOCK_TO_PRIVATE));
	assert_int_equal(w.accepts, 1 + 512);
	world_end();
}

static void good_msr_protocol(void **state)
{
	(void)state;
	world_begin(AIRLOCK_SNP, 0);
	w.no_ghcb = true;
	there_and_back(3 * PAGE, 5);
	assert_int_equal(w.exits, 10);
	world_end();
}

/* Many ranges, touching or not, are one shootdown. */
static void good_many_ranges(void **state)
{
	struct airlock_range r[40];
	unsigned int i, n;
	int p;

	(void)state;
	for (p = AIRLOCK_SEV; p < AIRLOCK_PLATFORMS; p++)
		for (n = 1; n <= 40; n += 13) {
			world_begin((enum airlock_platform)p, 0);
			for (i = 0; i < n; i++)
				r[i] = (struct airlock_range){
					DM + (n - i) * 3 * PAGE +
					i % 3 * 10 * MiB, 2 };
			GOOD(airlock_convert(w.a, r, n, AIRLOCK_TO_SHARED,
					     &out));
			assert_int_equal(out.converted, 2 * n);
			assert_int_equal(w.shootdowns, 1);
			assert_int_equal(w.last_flush_n, n > 16 ? 0 : n);
			world_check(0, GiB);
			GOOD(airlock_convert(w.a, r, n, AIRLOCK_TO_PRIVATE,
					     &out));
			world_check(0, GiB);
			world_end();
		}
}

static void good_adjacent_ranges_flush_as_one(void **state)
{
	struct airlock_range r[3] = { { DM, 2 }, { DM + 2 * PAGE, 3 },
				      { DM + 5 * PAGE, 1 } };

	(void)state;
	world_begin(AIRLOCK_TDX, 0);
	GOOD(airlock_convert(w.a, r, 3, AIRLOCK_TO_SHARED, &out));
	assert_int_equal(w.last_flush_n, 1);
	assert_int_equal(w.exits, 1);	/* and one MapGPA */
	world_end();
}

/* vmalloc: scattered pages, direct map of 4K and 2M leaves behind them. */
static void good_vmalloc(void **state)
{
	unsigned int i;
	int p;

	(void)state;
	for (p = AIRLOCK_SEV; p < AIRLOCK_PLATFORMS; p++) {
		world_begin((enum airlock_platform)p, 0);
		for (i = 0; i < 24; i++)
			world_vmalloc(i, i % 2 ? (40 - i) * PAGE :
				      i % 4 * 2 * MiB + 20 * MiB + i * PAGE);
		GOOD(convert1(VM, 24, AIRLOCK_TO_SHARED));
		assert_int_equal(out.converted, 24);
		assert_int_equal(w.pte_writes, 2 * 2 * 24);
		assert_int_equal(w.shootdowns, 1);
		world_check(0, GiB);
		GOOD(convert1(VM + 5 * PAGE, 3, AIRLOCK_TO_PRIVATE));
		world_check(0, GiB);
		/* And by their direct map: then vmalloc is the alias. */
		GOOD(convert1(DM + 20 * MiB, 1, AIRLOCK_TO_PRIVATE));
		world_check(0, GiB);
		GOOD(convert1(DM + 20 * MiB, 1, AIRLOCK_TO_SHARED));
		GOOD(convert1(VM + 5 * PAGE, 3, AIRLOCK_TO_SHARED));
		GOOD(convert1(VM, 24, AIRLOCK_TO_PRIVATE));
		world_check(0, GiB);
		world_end();
	}
}

static unsigned int level_at(uint64_t va)
{
	unsigned int level;

	assert_true(world_leaf(va, &level) & 1);
	return level;
}

/* The last page back joins 4K to 2M and 2M to 1G; the tables are freed by the
 * next shootdown, not before. */
static void good_rejoin(void **state)
{
	(void)state;
	world_begin(AIRLOCK_TDX, 0);
	GOOD(convert1(DM + GiB + 5 * PAGE, 2, AIRLOCK_TO_SHARED));
	assert_int_equal(level_at(DM + GiB), 1);
	assert_int_equal(level_at(DM + GiB + 2 * MiB), 2);
	assert_int_equal(w.tables, 2);
	GOOD(convert1(DM + GiB + 5 * PAGE, 1, AIRLOCK_TO_PRIVATE));
	assert_int_equal(level_at(DM + GiB), 1);
	GOOD(convert1(DM + GiB + 6 * PAGE, 1, AIRLOCK_TO_PRIVATE));
	assert_int_equal(level_at(DM + GiB), 3);
	assert_int_equal(w.tables, 2);
	GOOD(convert1(DM, 1, AIRLOCK_TO_SHARED));
	assert_int_equal(w.tables, 0);
	/* Tables that the kernel made stay. */
	GOOD(convert1(DM, 512, AIRLOCK_TO_PRIVATE) == AIRLOCK_E_STATE ? 0 : 1);
	GOOD(convert1(DM, 1, AIRLOCK_TO_PRIVATE));
	assert_int_equal(level_at(DM), 1);
	world_end();
}

/* Bit 7 is PAT in the one and PS in the other: they are no run for that. */
static void good_small_leaves_with_pat_before_a_large_one(void **state)
{
	(void)state;
	world_begin(AIRLOCK_SNP, 0);
	*world_entry(DM + 8 * MiB - 2 * PAGE, 1) |= 0x80;
	*world_entry(DM + 8 * MiB - PAGE, 1) |= 0x80;
	there_and_back(8 * MiB - 2 * PAGE, 2 + 512);
	assert_int_equal(level_at(DM + 8 * MiB), 2);
	assert_true(*world_entry(DM + 8 * MiB - PAGE, 1) & 0x80);
	world_end();
}

/* The 1G leaf ends in the middle of the range. */
static void good_rejoin_at_the_end_of_a_leaf(void **state)
{
	(void)state;
	world_begin(AIRLOCK_SNP, 0);
	there_and_back(2 * GiB - 3 * PAGE, 6);
	assert_int_equal(level_at(DM + GiB), 3);
	assert_int_equal(level_at(DM + 2 * GiB), 2);
	world_end();
}

static void good_five_levels(void **state)
{
	(void)state;
	world_levels = 5;
	world_begin(AIRLOCK_SNP, 0);
	world_levels = 4;
	there_and_back(3 * PAGE, 600);
	there_and_back(GiB + PAGE, 1);
	assert_int_equal(level_at(DM + GiB), 3);
	world_end();
}

static void good_no_rejoin(void **state)
{
	(void)state;
	world_begin(AIRLOCK_TDX, AIRLOCK_F_NO_REJOIN);
	there_and_back(8 * MiB, 1);
	assert_int_equal(level_at(DM + 8 * MiB), 1);
	world_end();
}

/* More tables joined than the retired list holds: the others stay split. */
static void good_retired_list_is_full(void **state)
{
	struct airlock_range r[20];
	unsigned int i, large = 0;

	(void)state;
	world_begin(AIRLOCK_TDX, 0);
	for (i = 0; i < 20; i++)
		r[i] = (struct airlock_range){ DM + (10 + 2 * i) * MiB, 1 };
	GOOD(airlock_convert(w.a, r, 20, AIRLOCK_TO_SHARED, &out));
	assert_int_equal(w.tables, 20);
	GOOD(airlock_convert(w.a, r, 20, AIRLOCK_TO_PRIVATE, &out));
	for (i = 0; i < 20; i++)
		large += level_at(r[i].va) == 2;
	assert_int_equal(large, 16);
	world_check(0, GiB);
	GOOD(convert1(DM, 1, AIRLOCK_TO_SHARED));
	assert_int_equal(w.tables, 4);
	world_end();
}

/* A split leaf with other attributes in it does not come together. */
static void good_join_wants_equal_entries(void **state)
{
	(void)state;
	world_begin(AIRLOCK_TDX, 0);
	GOOD(convert1(DM + 8 * MiB, 1, AIRLOCK_TO_SHARED));
	*world_entry(DM + 8 * MiB + 9 * PAGE, 1) &= ~UINT64_C(2);
	GOOD(convert1(DM + 8 * MiB, 1, AIRLOCK_TO_PRIVATE));
	assert_int_equal(level_at(DM + 8 * MiB), 1);
	*world_entry(DM + 8 * MiB + 9 * PAGE, 1) |= 2;
	GOOD(convert1(DM + 8 * MiB, 1, AIRLOCK_TO_SHARED));
	GOOD(convert1(DM + 8 * MiB, 1, AIRLOCK_TO_PRIVATE));
	assert_int_equal(level_at(DM + 8 * MiB), 2);
	world_end();
}

/* PAT moves from bit 12 to bit 7 and back; a read-only leaf gets no D. */
static void good_split_keeps_attributes(void **state)
{
	uint64_t *e, large;

	(void)state;
	world_begin(AIRLOCK_TDX, 0);
	e = world_entry(DM + 8 * MiB, 2);
	large = (*e | 1 << 12 | 1 << 9) & ~UINT64_C(2);
	*e = large;
	GOOD(convert1(DM + 8 * MiB, 1, AIRLOCK_TO_SHARED));
	assert_int_equal(world_leaf(DM + 8 * MiB + PAGE, NULL),
			 ((large & ~(UINT64_C(1) << 12)) + PAGE) | 0x20 | 0x80);
	GOOD(convert1(DM + 8 * MiB, 1, AIRLOCK_TO_PRIVATE));
	assert_int_equal(world_leaf(DM + 8 * MiB, NULL), large | 0x20);
	world_end();
}

static void good_callbacks(void **state)
{
	(void)state;
	world_begin(AIRLOCK_SEV, 0);
	there_and_back(0, 3);
	assert_int_equal(w.prepares, 2);
	assert_int_equal(w.notifies, 2);
	world_end();
}

static void good_reclaim(void **state)
{
	int p;

	(void)state;
	for (p = AIRLOCK_SEV; p < AIRLOCK_PLATFORMS; p++) {
		world_begin((enum airlock_platform)p, 0);
		GOOD(convert1(DM + 3 * PAGE, 700, AIRLOCK_TO_SHARED));
		GOOD(convert1(DM + GiB, 512, AIRLOCK_TO_SHARED));
		GOOD(convert1(DM + 9 * MiB, 7, AIRLOCK_TO_SHARED));
		w.shootdowns = 0;
		w.alloc_left = 0;
		w.may_convert = false;
		GOOD(airlock_reclaim_all(w.a, &out));
		assert_int_equal(out.converted, 700 + 512 + 7);
		assert_int_equal(w.shootdowns, 0);
		world_check(0, MEMORY);
		world_end();
	}
}

/* One page is not where the direct map should have it: its neighbours come
 * back all the same, and the large leaf in one piece. */
static void good_reclaim_around_a_hole(void **state)
{
	(void)state;
	world_begin(AIRLOCK_TDX, 0);
	GOOD(convert1(DM + 6 * MiB, 1024, AIRLOCK_TO_SHARED));
	*world_entry(DM + 6 * MiB + 7 * PAGE, 1) = 0;
	w.exits = 0;
	assert_int_equal(airlock_reclaim_all(w.a, &out), AIRLOCK_E_HOLE);
	assert_int_equal(out.converted, 1023);
	assert_int_equal(w.exits, 511 + 1);
	assert_int_equal(airlock_page(w.a, 6 * MiB + 7 * PAGE),
			 AIRLOCK_PAGE_SHARED);
	assert_int_equal(airlock_page(w.a, 6 * MiB + 8 * PAGE),
			 AIRLOCK_PAGE_PRIVATE);
	world_end();
}

/* Pages that early boot shared; two ledgers' worth of words. */
static void good_note_and_next(void **state)
{
	uint64_t gpa = 0, pages = 0;

	(void)state;
	world_begin(AIRLOCK_TDX, 0);
	assert_false(airlock_next(w.a, AIRLOCK_PAGE_SHARED, &gpa, &pages));
	GOOD(airlock_note(w.a, 31 * PAGE, 98, AIRLOCK_TO_SHARED));
	GOOD(airlock_note(w.a, MEMORY - PAGE, 1, AIRLOCK_TO_SHARED));
	gpa = 0;
	assert_true(airlock_next(w.a, AIRLOCK_PAGE_SHARED, &gpa, &pages));
	assert_int_equal(gpa, 31 * PAGE);
	assert_int_equal(pages, 98);
	gpa = 40 * PAGE;
	assert_true(airlock_next(w.a, AIRLOCK_PAGE_SHARED, &gpa, &pages));
	assert_int_equal(gpa, 40 * PAGE);
	assert_int_equal(pages, 89);
	gpa += pages * PAGE;
	assert_true(airlock_next(w.a, AIRLOCK_PAGE_SHARED, &gpa, &pages));
	assert_int_equal(gpa, MEMORY - PAGE);
	assert_int_equal(pages, 1);
	gpa += PAGE;
	assert_false(airlock_next(w.a, AIRLOCK_PAGE_SHARED, &gpa, &pages));
	assert_int_equal(airlock_page(w.a, MEMORY), AIRLOCK_PAGE_PRIVATE);
	assert_int_equal(airlock_note(w.a, MEMORY, 1, AIRLOCK_TO_SHARED),
			 AIRLOCK_E_MEMORY);
	assert_int_equal(airlock_note(w.a, 0, PAGES + 1, AIRLOCK_TO_SHARED),
			 AIRLOCK_E_MEMORY);
	assert_int_equal(airlock_note(w.a, 1, 1, AIRLOCK_TO_SHARED),
			 AIRLOCK_E_ARG);
	GOOD(airlock_note(w.a, 31 * PAGE, 98, AIRLOCK_TO_PRIVATE));
	gpa = 0;
	assert_true(airlock_next(w.a, AIRLOCK_PAGE_SHARED, &gpa, &pages));
	assert_int_equal(gpa, MEMORY - PAGE);
	world_end();
}

/*
 * Before kexec nothing is split: a leaf of which only a part is shared stays
 * as it is, and the pages around it come back.
 */
static void good_reclaim_leaves_half_a_leaf(void **state)
{
	unsigned int i;

	(void)state;
	world_begin(AIRLOCK_TDX, 0);
	GOOD(convert1(DM + 33 * PAGE, 31, AIRLOCK_TO_SHARED));
	*world_entry(DM + 8 * MiB, 2) |= UINT64_C(1) << 51;
	for (i = 3; i < 8; i++)
		w.held[(8 * MiB / PAGE) + i] = SHARED;
	GOOD(airlock_note(w.a, 8 * MiB + 3 * PAGE, 5, AIRLOCK_TO_SHARED));
	assert_int_equal(airlock_reclaim_all(w.a, &out), AIRLOCK_E_STATE);
	assert_int_equal(out.converted, 31);
	assert_int_equal(w.tables, 0);
	assert_true(*world_entry(DM + 8 * MiB, 1) & 0x80);
	assert_int_equal(airlock_page(w.a, 8 * MiB + 3 * PAGE),
			 AIRLOCK_PAGE_SHARED);
	assert_int_equal(airlock_page(w.a, 8 * MiB + 8 * PAGE),
			 AIRLOCK_PAGE_PRIVATE);
	world_end();
}

/* ---- bad ---- */

static uint64_t before;

/* This call fails with @status and leaves everything, bit by bit. */
static void bad(int status, const struct airlock_range *r, unsigned int n,
		enum airlock_to to)
{
	before = world_hash();
	memset(&out, 0x55, sizeof(out));
	assert_int_equal(airlock_convert(w.a, r, n, to, &out), status);
	assert_int_equal(out.status, status);
	assert_int_equal(out.converted + out.reverted + out.quarantined, 0);
	assert_int_equal(before, world_hash());
	assert_int_equal(w.shootdowns + w.exits + w.pvalidates, 0);
	assert_false(w.locked);
}

static void bad1(int status, uint64_t va, uint64_t pages)
{
	struct airlock_range r = { va, pages };

	bad(status, &r, 1, AIRLOCK_TO_SHARED);
}

static void bad_arguments(void **state)
{
	struct airlock_range ok = { DM, 1 };
	struct airlock_order none = { 0 };

	(void)state;
	world_begin(AIRLOCK_SNP, 0);
	bad(AIRLOCK_E_ARG, NULL, 1, AIRLOCK_TO_SHARED);
	bad(AIRLOCK_E_ARG, &ok, 1, (enum airlock_to)2);
	assert_int_equal(airlock_convert(NULL, &ok, 1, AIRLOCK_TO_SHARED,
					 NULL), AIRLOCK_E_ARG);
	assert_int_equal(airlock_convert_order(w.a, &ok, 1, AIRLOCK_TO_SHARED,
					       &none, NULL), AIRLOCK_E_ORDER);
	assert_int_equal(airlock_convert_order(w.a, &ok, 1, AIRLOCK_TO_SHARED,
					       NULL, NULL), AIRLOCK_E_ORDER);
	bad(AIRLOCK_E_EMPTY, &ok, 0, AIRLOCK_TO_SHARED);
	bad1(AIRLOCK_E_EMPTY, DM, 0);
	bad1(AIRLOCK_E_ALIGN, DM + 8, 1);
	bad1(AIRLOCK_E_WRAP, DM, UINT64_MAX);
	bad1(AIRLOCK_E_WRAP, DM, UINT64_C(1) << 52);
	bad1(AIRLOCK_E_WRAP, UINT64_C(0xfffffffffffff000), 2);
	bad1(AIRLOCK_E_CANONICAL, UINT64_C(0x800000000000), 1);
	bad1(AIRLOCK_E_CANONICAL, UINT64_C(0x7ffffffff000), 2);
	bad1(AIRLOCK_E_CANONICAL, UINT64_C(0xffff7ffffffff000), 2);
	bad1(AIRLOCK_E_WINDOW, WIN, 1);
	bad1(AIRLOCK_E_WINDOW, WIN - PAGE, 2);
	bad1(AIRLOCK_E_WINDOW, WIN + 4 * MiB - PAGE, 1);
	w.may_convert = false;
	bad1(AIRLOCK_E_CONTEXT, DM, 1);
	world_end();
}

static void bad_pages(void **state)
{
	struct airlock_range r[3] = { { DM, 4 }, { DM + 8 * PAGE, 2 },
				      { DM + 3 * PAGE, 1 } };

	(void)state;
	world_begin(AIRLOCK_SNP, 0);
	bad1(AIRLOCK_E_HOLE, DM + MEMORY, 1);
	bad1(AIRLOCK_E_HOLE, DM + MEMORY - 2 * PAGE, 3);
	bad1(AIRLOCK_E_HOLE, WIN + 4 * MiB, 1);
	bad(AIRLOCK_E_STATE, r, 2, AIRLOCK_TO_PRIVATE);
	bad(AIRLOCK_E_OVERLAP, r, 3, AIRLOCK_TO_SHARED);
	r[2] = r[1];
	bad(AIRLOCK_E_OVERLAP, r, 3, AIRLOCK_TO_SHARED);
	world_vmalloc(0, 9 * PAGE);
	r[2] = (struct airlock_range){ VM, 1 };
	bad(AIRLOCK_E_OVERLAP, r, 3, AIRLOCK_TO_SHARED);
	*world_entry(DM + 20 * PAGE, 1) = 0;
	bad1(AIRLOCK_E_HOLE, DM + 18 * PAGE, 3);
	world_vmalloc(1, MEMORY);
	bad1(AIRLOCK_E_MEMORY, VM + PAGE, 1);
	*world_entry(DM, 4) |= 0x80;
	bad1(AIRLOCK_E_TABLE, DM, 1);
	world_end();
}

/* A ledger that says otherwise than the entries, either way. */
static void bad_states(void **state)
{
	(void)state;
	world_begin(AIRLOCK_TDX, 0);
	assert_int_equal(airlock_note(w.a, 2 * PAGE, 1, AIRLOCK_TO_SHARED), 0);
	bad1(AIRLOCK_E_STATE, DM, 4);
	assert_int_equal(airlock_note(w.a, 2 * PAGE, 1, AIRLOCK_TO_PRIVATE),
			 0);
	*world_entry(DM + 2 * PAGE, 1) |= UINT64_C(1) << 51;
	bad1(AIRLOCK_E_STATE, DM, 4);
	world_end();
}

/* Wherever in the ledger's words the one odd page of a range stands. */
static void bad_state_of_any_page(void **state)
{
	uint64_t first = 5, n = 70, i;

	(void)state;
	world_begin(AIRLOCK_TDX, 0);
	for (i = first; i < first + n; i++) {
		GOOD(airlock_note(w.a, i * PAGE, 1, AIRLOCK_TO_SHARED));
		assert_int_equal(convert1(DM + first * PAGE, n,
					  AIRLOCK_TO_SHARED), AIRLOCK_E_STATE);
		assert_int_equal(airlock_page(w.a, (first + n - 1) * PAGE),
				 i == first + n - 1 ? AIRLOCK_PAGE_SHARED :
				 AIRLOCK_PAGE_PRIVATE);
		GOOD(airlock_note(w.a, i * PAGE, 1, AIRLOCK_TO_PRIVATE));
	}
	/* Its neighbours outside are nobody's business. */
	GOOD(airlock_note(w.a, (first - 1) * PAGE, 1, AIRLOCK_TO_SHARED));
	GOOD(airlock_note(w.a, (first + n) * PAGE, 1, AIRLOCK_TO_SHARED));
	GOOD(convert1(DM + first * PAGE, n, AIRLOCK_TO_SHARED));
	world_end();
}

/* A page is busy while its call is under way: try from the callback. */
static void nested(const struct airlock_range *r, unsigned int n,
		   enum airlock_to to)
{
	struct airlock_range in = { r->va + PAGE, 1 };
	struct airlock_range two[2] = { { DM + 40 * PAGE, 1 }, in };
	struct airlock_outcome o;

	(void)n;
	w.hook = NULL;
	assert_int_equal(airlock_convert(w.a, &in, 1, to, &o),
			 AIRLOCK_E_BUSY);
	assert_int_equal(airlock_convert(w.a, &in, 1, !to, &o),
			 AIRLOCK_E_BUSY);
	assert_int_equal(airlock_convert(w.a, two, 2, to, &o),
			 AIRLOCK_E_BUSY);
	assert_int_equal(airlock_page(w.a, 40 * PAGE), AIRLOCK_PAGE_PRIVATE);
	assert_int_equal(airlock_note(w.a, 8 * MiB, 64, to), AIRLOCK_E_BUSY);
	in.va = r->va + 64 * PAGE;
	assert_int_equal(airlock_convert(w.a, &in, 1, to, &o), AIRLOCK_OK);
}

static void bad_busy(void **state)
{
	(void)state;
	world_begin(AIRLOCK_TDX, 0);
	w.hook = nested;
	assert_int_equal(convert1(DM + 8 * MiB, 4, AIRLOCK_TO_SHARED), 0);
	assert_int_equal(airlock_page(w.a, 8 * MiB + PAGE),
			 AIRLOCK_PAGE_SHARED);
	assert_int_equal(airlock_page(w.a, 8 * MiB + 64 * PAGE),
			 AIRLOCK_PAGE_SHARED);
	world_check(0, GiB);
	world_end();
}

/* Whatever the number of tables it wants: no page, nothing changed. */
static void bad_no_memory(void **state)
{
	static const struct { uint64_t gpa, pages; long tables; } t[] = {
		{ 8 * MiB + PAGE, 1, 1 }, { 8 * MiB + PAGE, 511, 1 },
		{ 8 * MiB + PAGE, 512, 2 }, { GiB + PAGE, 1, 2 },
		{ GiB + PAGE, 1024, 3 }, { GiB - PAGE, 512 * 512 + 2, 2 },
	};
	struct airlock_range r;
	unsigned int i;
	long left;

	(void)state;
	world_begin(AIRLOCK_SNP, 0);
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		r = (struct airlock_range){ DM + t[i].gpa, t[i].pages };
		for (left = 0; left < t[i].tables; left++) {
			w.alloc_left = left;
			w.shootdowns = w.exits = w.pvalidates = 0;
			bad(AIRLOCK_E_NOMEM, &r, 1, AIRLOCK_TO_SHARED);
			assert_int_equal(w.tables, 0);
		}
		w.alloc_left = t[i].tables;
		assert_int_equal(convert1(r.va, r.pages, AIRLOCK_TO_SHARED),
				 0);
		assert_int_equal(w.tables, t[i].tables);
		w.alloc_left = -1;
		assert_int_equal(convert1(r.va, r.pages, AIRLOCK_TO_PRIVATE),
				 0);
		assert_int_equal(convert1(DM, 1, AIRLOCK_TO_SHARED), 0);
		assert_int_equal(convert1(DM, 1, AIRLOCK_TO_PRIVATE), 0);
		assert_int_equal(w.tables, 0);
		world_check(0, MEMORY);
	}
	world_end();
}

static void bad_alias(void **state)
{
	(void)state;
	world_begin(AIRLOCK_TDX, 0);
	world_vmalloc(0, 5 * PAGE);
	*world_entry(VM, 1) |= UINT64_C(1) << 51;
	bad1(AIRLOCK_E_ALIAS, DM + 4 * PAGE, 4);
	*world_entry(VM, 1) = 0;
	bad1(AIRLOCK_E_ALIAS, DM + 4 * PAGE, 4);
	world_end();
}

/* Its first page is one of the run's; it ends a page behind it. */
static void bad_alias_that_ends_too_late(void **state)
{
	(void)state;
	world_begin(AIRLOCK_TDX, 0);
	world_vmalloc(0, 5 * PAGE);
	w.alias_more = 1;
	bad1(AIRLOCK_E_ALIAS, VM, 1);
	w.alias_more = 0;
	GOOD(convert1(VM, 1, AIRLOCK_TO_SHARED));
	world_end();
}

/* It is in two parts, of which the second is not mapped as it should be. */
static void bad_alias_whose_end_is_mapped_otherwise(void **state)
{
	unsigned int i;

	(void)state;
	world_begin(AIRLOCK_TDX, 0);
	for (i = 0; i < 4; i++)
		world_vmalloc(i, (5 + i) * PAGE);
	*world_entry(DM + 7 * PAGE, 1) |= UINT64_C(1) << 51;
	bad1(AIRLOCK_E_ALIAS, VM, 4);
	world_end();
}

/* It begins before the range, maps pages of it, and ends inside it. */
static void bad_alias_across_the_beginning(void **state)
{
	(void)state;
	world_begin(AIRLOCK_TDX, 0);
	world_vmalloc(0, 6 * PAGE);
	world_vmalloc(1, 5 * PAGE);
	world_vmalloc(2, 6 * PAGE);
	w.alias_va = VM;
	bad1(AIRLOCK_E_ALIAS, VM + PAGE, 2);
	world_end();
}

/* A run that only ends there, and one that begins further on. */
static void bad_pages_beyond_memory(void **state)
{
	(void)state;
	world_begin(AIRLOCK_SNP, 0);
	world_vmalloc(0, MEMORY - PAGE);
	world_vmalloc(1, MEMORY);
	world_vmalloc(2, MEMORY + 5 * PAGE);
	bad1(AIRLOCK_E_MEMORY, VM, 2);
	bad1(AIRLOCK_E_MEMORY, VM + 2 * PAGE, 1);
	world_end();
}

/* Not present while the host works, and one shootdown: no step runs twice. */
static void good_order_with_the_flip_last(void **state)
{
	struct airlock_range r = { DM + 3 * PAGE, 4 };
	struct airlock_order o;

	(void)state;
	world_begin(AIRLOCK_VTOM, 0);
	GOOD(airlock_order_parse("np, tlb, notify, flip+present", &o, NULL));
	GOOD(airlock_convert_order(w.a, &r, 1, AIRLOCK_TO_SHARED, &o, &out));
	assert_int_equal(w.shootdowns, 1);
	world_check(0, MiB);
	world_end();
}

/* Refused, and by the name of the field. */
static void bad_config(const struct airlock_config *c, void *mem, size_t size,
		       const char *wrong)
{
	struct airlock *a = NULL;

	assert_string_equal(airlock_init_check(mem, size, c), wrong);
	assert_int_equal(airlock_init(&a, mem, size, c), AIRLOCK_E_ARG);
	assert_null(a);
}

#define C51	(UINT64_C(1) << 51)

/* Each mistake has an answer of its own. */
static void bad_config_is_named(void **state)
{
	static char mem[64 * 1024 * 4] __attribute__((aligned(64)));
	struct airlock_config good, c;
	size_t size;

	(void)state;
	world_begin(AIRLOCK_SNP, 0);
	good = w.cfg;
	good.memory = GiB;
	good.window = WIN + 64 * MiB;
	size = airlock_size(&good);
	assert_in_range(size, 64 * KiB, 64 * KiB + 1024);
	c = good;
	c.cpus = 1 << 20;
	assert_true(airlock_size(&c) > size);
	c.cpus++;
	assert_int_equal(airlock_size(&c), 0);
	assert_null(airlock_init_check(mem, size, &good));
#define BAD(member, value, wrong)					\
	do {								\
		c = good;						\
		c.member = value;					\
		bad_config(&c, mem, sizeof(mem), #member ": " wrong);	\
	} while (0)
	BAD(platform, AIRLOCK_PLATFORMS, "there is none of that number");
	BAD(features, 1 << 4, "a bit that means nothing");
	BAD(cpus, 0, "not within 1..1048576");
	BAD(cpus, (1 << 20) + 1, "not within 1..1048576");
	BAD(memory, 0, "less than a page, or beyond 52 bits");
	BAD(memory, (C51 << 1) + PAGE, "less than a page, or beyond 52 bits");
	BAD(memory, GiB + 1, "not a multiple of 4K");
	BAD(levels, 3, "neither 4 nor 5");
	BAD(enc_bit, 0, "not within 13..51");
	BAD(enc_bit, 52, "not within 13..51");
	c = good;
	c.enc_bit = 29;
	bad_config(&c, mem, size, "memory: reaches enc_bit");
	BAD(root, w.root | 1, "not the address of a page");
	BAD(root, w.root | C51, "has the C-bit or shared bit");
	BAD(table_attr, C51 | 1, "lacks PRESENT or RW");
	BAD(table_attr, 3, "lacks the C-bit");
	BAD(table_attr, C51 | 3 | PAGE, "has bits of an address");
	BAD(table_attr, C51 | 3 | 1 << 7,
	    "has PS, NX, or bit 11, the engine's own");
	BAD(table_attr, C51 | 3 | 1 << 11,
	    "has PS, NX, or bit 11, the engine's own");
	BAD(window, WIN + PAGE, "not aligned to 2M");
	BAD(window, UINT64_C(0x7fffffe00000), "not canonical from end to end");
	BAD(window, UINT64_C(0xffffffffffe00000),
	    "not canonical from end to end");
	BAD(direct_map, DM + 1, "not aligned to 4K");
	BAD(direct_map, UINT64_C(0x7fffc0001000),
	    "not canonical for all of memory");
	bad_config(NULL, mem, size, "cfg: NULL");
	bad_config(&good, NULL, size, "mem: NULL, or not aligned to 64 bytes");
	bad_config(&good, mem + 8, size,
		   "mem: NULL, or not aligned to 64 bytes");
	bad_config(&good, mem, size - 1, "size: less than airlock_size()");
	mem[size - 1] = 1;
	bad_config(&good, mem, size, "mem: not zeroed");
	world_end();
}

/* The shared bit of the others, and a platform that needs none of it. */
static void bad_config_of_other_platforms(void **state)
{
	static char mem[64 * 1024] __attribute__((aligned(64)));
	struct airlock_config good, c;
	struct airlock *a;

	(void)state;
	world_begin(AIRLOCK_TDX, 0);
	good = w.cfg;
	good.memory = 512 * MiB;
	good.window = WIN + 64 * MiB;
	BAD(root, w.root | C51, "has the C-bit or shared bit");
	BAD(table_attr, 3 | C51, "has the shared bit");
	good.platform = AIRLOCK_SEV;
	BAD(table_attr, 3, "lacks the C-bit");
#undef BAD
	c = (struct airlock_config){ .cpus = 1, .memory = MiB, .levels = 4 };
	assert_null(airlock_init_check(mem, sizeof(mem), &c));
	GOOD(airlock_init(&a, mem, sizeof(mem), &c));
	world_end();
}

static void bad_init(void **state)
{
	static char mem[64 * 1024 * 4] __attribute__((aligned(64)));
	struct airlock_config good, c;
	struct airlock *a;
	size_t size;

	(void)state;
	world_begin(AIRLOCK_SNP, 0);
	good = w.cfg;
	good.memory = GiB;
	good.window = WIN + 64 * MiB;
	size = airlock_size(&good);
#define BAD(status, member, value)					\
	do {								\
		c = good;						\
		c.member = value;					\
		assert_null(airlock_init_check(mem, size, &c));		\
		assert_int_equal(airlock_init(&a, mem, size, &c),	\
				 status);				\
	} while (0)
	BAD(AIRLOCK_E_WINDOW, window, DM);
	BAD(AIRLOCK_E_WINDOW, window, DM + GiB);
	BAD(AIRLOCK_E_WINDOW, window, DM - 2 * MiB);
#undef BAD
	assert_int_equal(airlock_init(NULL, mem, size, &good), AIRLOCK_E_ARG);
	/* A failure leaves the memory as it was: more pages, another try. */
	w.alloc_left = 0;
	assert_int_equal(airlock_init(&a, mem, size, &good), AIRLOCK_E_NOMEM);
	w.alloc_left = -1;
	GOOD(airlock_init(&a, mem, size, &good));
	world_end();
}

static void good_strerror(void **state)
{
	int i;

	(void)state;
	for (i = -5; i < 200; i++)
		assert_non_null(airlock_strerror(i));
	assert_string_equal(airlock_strerror(AIRLOCK_E_REFUSED),
			    "the host refused");
	assert_string_equal(airlock_strerror(20), "an unknown status");
}

/* With an argument: only tests of this name, or pattern. */
int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_all_sizes),
		cmocka_unit_test(good_plain_is_a_no_op),
		cmocka_unit_test(good_plain_notes_and_reclaims_nothing),
		cmocka_unit_test(good_costs),
		cmocka_unit_test(good_cache),
		cmocka_unit_test(good_large_work),
		cmocka_unit_test(good_msr_protocol),
		cmocka_unit_test(good_many_ranges),
		cmocka_unit_test(good_adjacent_ranges_flush_as_one),
		cmocka_unit_test(good_vmalloc),
		cmocka_unit_test(good_rejoin),
		cmocka_unit_test(good_five_levels),
		cmocka_unit_test(good_no_rejoin),
		cmocka_unit_test(good_retired_list_is_full),
		cmocka_unit_test(good_join_wants_equal_entries),
		cmocka_unit_test(good_split_keeps_attributes),
		cmocka_unit_test(good_callbacks),
		cmocka_unit_test(good_reclaim),
		cmocka_unit_test(good_reclaim_around_a_hole),
		cmocka_unit_test(good_note_and_next),
		cmocka_unit_test(good_reclaim_leaves_half_a_leaf),
		cmocka_unit_test(good_strerror),
		cmocka_unit_test(bad_arguments),
		cmocka_unit_test(bad_pages),
		cmocka_unit_test(bad_states),
		cmocka_unit_test(bad_state_of_any_page),
		cmocka_unit_test(bad_busy),
		cmocka_unit_test(bad_no_memory),
		cmocka_unit_test(bad_alias),
		cmocka_unit_test(bad_alias_that_ends_too_late),
		cmocka_unit_test(bad_alias_whose_end_is_mapped_otherwise),
		cmocka_unit_test(bad_alias_across_the_beginning),
		cmocka_unit_test(bad_pages_beyond_memory),
		cmocka_unit_test(good_order_with_the_flip_last),
		cmocka_unit_test(good_rejoin_at_the_end_of_a_leaf),
		cmocka_unit_test(good_small_leaves_with_pat_before_a_large_one),
		cmocka_unit_test(bad_config_is_named),
		cmocka_unit_test(bad_config_of_other_platforms),
		cmocka_unit_test(bad_init),
	};
	int n = sizeof(tests) / sizeof(tests[0]);
	int failed;

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	failed = cmocka_run_group_tests(tests, NULL, NULL);

	printf("%d passed, %d failed\n", n - failed, failed);
	return failed;
}
