// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests, part of glue.c in a module of their own (test-main.c). Most
 * convert real pages and need a platform; those of failures have a host of
 * their own, which refuses wherever it can.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/set_memory.h>
#include <asm/coco.h>
#include <asm/word-at-a-time.h>

#define TEST_ORDER	10		/* two 2M leaves, if they are whole */
#define TEST_PAGES	512

/* The CPU sets these by itself. */
#define CPU_BITS	((u64)(_PAGE_ACCESSED | _PAGE_DIRTY))

/* By the port: this kernel's own functions convert in its own way. */
#define set_memory_encrypted(addr, n)	airlock_set_memory(addr, n, true)
#define set_memory_decrypted(addr, n)	airlock_set_memory(addr, n, false)

static u8 *arena;

static u64 entry_at(const u8 *va, unsigned int *level)
{
	pte_t *pte = lookup_address((unsigned long)va, level);

	return pte ? pte_val(*pte) : 0;
}

static unsigned int level_at(const u8 *va)
{
	unsigned int level;

	entry_at(va, &level);
	return level;
}

static u64 entry_of(const u8 *va)
{
	unsigned int level;

	return entry_at(va, &level) & ~CPU_BITS;
}

static u8 *direct_of(const u8 *va)
{
	if (is_vmalloc_addr(va))
		return page_address(vmalloc_to_page(va));
	return __va(__pa(va));
}

/* Present, the attribute, and memory behind it. */
static void expect_state(struct kunit *test, u8 *va, bool shared)
{
	u64 mask = airlock_attr(true) | airlock_attr(false);
	u64 e = entry_of(va), alias = entry_of(direct_of(va));

	KUNIT_EXPECT_TRUE(test, e & _PAGE_PRESENT);
	KUNIT_EXPECT_EQ(test, e & mask, airlock_attr(shared));
	KUNIT_EXPECT_EQ(test, alias & mask, airlock_attr(shared));
	WRITE_ONCE(va[8], 0xa5);
	KUNIT_EXPECT_EQ(test, READ_ONCE(va[8]), 0xa5);
	KUNIT_EXPECT_EQ(test, READ_ONCE(direct_of(va)[8]), 0xa5);
}

/* There and back: every entry ends as it began, whatever was in it. */
static void there_and_back(struct kunit *test, u8 *va, int pages)
{
	unsigned long shootdowns = airlock_counts.shootdowns;
	unsigned long addr = (unsigned long)va;
	u64 *before, *alias;
	int i;

	before = kunit_kcalloc(test, 2 * pages, sizeof(*before), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, before);
	alias = before + pages;
	/* Leaves that are not wholly ours are split first, and stay so. */
	KUNIT_ASSERT_EQ(test, set_memory_decrypted(addr, pages), 0);
	KUNIT_ASSERT_EQ(test, set_memory_encrypted(addr, pages), 0);
	KUNIT_EXPECT_EQ(test, airlock_counts.shootdowns, shootdowns + 2);
	for (i = 0; i < pages; i++) {
		before[i] = entry_of(va + i * PAGE_SIZE);
		alias[i] = entry_of(direct_of(va + i * PAGE_SIZE));
	}
	KUNIT_ASSERT_EQ(test, set_memory_decrypted(addr, pages), 0);
	for (i = 0; i < pages; i++)
		expect_state(test, va + i * PAGE_SIZE, true);
	KUNIT_ASSERT_EQ(test, set_memory_encrypted(addr, pages), 0);
	for (i = 0; i < pages; i++) {
		expect_state(test, va + i * PAGE_SIZE, false);
		KUNIT_EXPECT_EQ(test, entry_of(va + i * PAGE_SIZE), before[i]);
		KUNIT_EXPECT_EQ(test, entry_of(direct_of(va + i * PAGE_SIZE)),
				alias[i]);
	}
}

static void leaf(struct kunit *test)
{
	u8 *va = arena + TEST_PAGES * PAGE_SIZE;
	unsigned int before = level_at(va);

	there_and_back(test, va, TEST_PAGES);
	KUNIT_EXPECT_EQ(test, before, level_at(va));
}

static void one_page(struct kunit *test)
{
	there_and_back(test, arena + 3 * PAGE_SIZE, 1);
}

static void eight_pages(struct kunit *test)
{
	there_and_back(test, arena + 8 * PAGE_SIZE, 8);
}

static void part_of_a_leaf(struct kunit *test)
{
	there_and_back(test, arena + PAGE_SIZE, TEST_PAGES - 1);
}

static void across_leaves(struct kunit *test)
{
	there_and_back(test, arena + (TEST_PAGES - 2) * PAGE_SIZE, 4);
}

/* Entries in a row, of which one is a table itself. */
static void leaves_and_tables(struct kunit *test)
{
	u8 *va = (u8 *)__get_free_pages(GFP_KERNEL, TEST_ORDER);
	u8 *other = (u8 *)__get_free_pages(GFP_KERNEL, TEST_ORDER);

	KUNIT_ASSERT_NOT_NULL(test, va);
	KUNIT_ASSERT_NOT_NULL(test, other);
	KUNIT_ASSERT_EQ(test, set_memory_4k((unsigned long)va + PMD_SIZE, 1),
			0);
	KUNIT_ASSERT_EQ(test, set_memory_4k((unsigned long)other, 1), 0);
	KUNIT_EXPECT_EQ(test, level_at(va), PG_LEVEL_2M);
	KUNIT_EXPECT_EQ(test, level_at(va + PMD_SIZE), PG_LEVEL_4K);
	KUNIT_EXPECT_EQ(test, level_at(other), PG_LEVEL_4K);
	KUNIT_EXPECT_EQ(test, level_at(other + PMD_SIZE), PG_LEVEL_2M);
	there_and_back(test, va, 2 * TEST_PAGES);
	there_and_back(test, other, 2 * TEST_PAGES);
	KUNIT_EXPECT_EQ(test, level_at(va), PG_LEVEL_2M);
	KUNIT_EXPECT_EQ(test, level_at(other + PMD_SIZE), PG_LEVEL_2M);
	there_and_back(test, va, TEST_PAGES + 1);
	free_pages((unsigned long)other, TEST_ORDER);
	free_pages((unsigned long)va, TEST_ORDER);
}

static void scattered(struct kunit *test)
{
	u8 *va = vmalloc(20 * PAGE_SIZE);

	KUNIT_ASSERT_NOT_NULL(test, va);
	there_and_back(test, va + PAGE_SIZE, 18);
	vfree(va);
}

static void nothing_to_do(struct kunit *test)
{
	unsigned long before = airlock_counts.shootdowns;

	KUNIT_EXPECT_EQ(test, set_memory_encrypted((unsigned long)arena, 4), 0);
	KUNIT_EXPECT_EQ(test, airlock_counts.shootdowns, before);
}

static void half_of_them(struct kunit *test)
{
	unsigned long addr = (unsigned long)arena;
	int i;

	KUNIT_ASSERT_EQ(test, set_memory_decrypted(addr, 2), 0);
	KUNIT_EXPECT_EQ(test, set_memory_decrypted(addr, 4), -EINVAL);
	for (i = 0; i < 4; i++)
		expect_state(test, arena + i * PAGE_SIZE, i < 2);
	KUNIT_ASSERT_EQ(test, set_memory_encrypted(addr, 2), 0);
}

static void not_mapped(struct kunit *test)
{
	u8 *va = vmalloc(PAGE_SIZE);

	KUNIT_ASSERT_NOT_NULL(test, va);
	/* The page behind is the guard page. */
	KUNIT_EXPECT_EQ(test, set_memory_decrypted((unsigned long)va, 2),
			-EFAULT);
	expect_state(test, va, false);
	vfree(va);
}

/*
 * kexec looks for shared pages in the direct map, entry by entry.
 * Pages of the direct map that are shared.
 */
static unsigned long find_shared(void)
{
	unsigned long va = PAGE_OFFSET, found = 0;
	unsigned long end = PAGE_OFFSET + PFN_PHYS(max_pfn_mapped);
	unsigned int level;
	pte_t *pte;

	for (; va < end; va += page_level_size(level)) {
		pte = lookup_address(va, &level);
		/* 6.1 says of a hole that it is larger than it is. */
		if (!pte)
			level = PG_LEVEL_4K;
		if (pte && pte_val(*pte) & _PAGE_PRESENT &&
		    (pte_val(*pte) & (airlock_attr(true) |
				      airlock_attr(false))) ==
		    airlock_attr(true))
			found += page_level_size(level) >> PAGE_SHIFT;
	}
	return found;
}

static void found_by_kexec(struct kunit *test)
{
	unsigned long before = find_shared();
	u8 *va = vmalloc(3 * PAGE_SIZE);

	KUNIT_ASSERT_NOT_NULL(test, va);
	KUNIT_ASSERT_EQ(test, set_memory_decrypted((unsigned long)va, 3), 0);
	KUNIT_ASSERT_EQ(test, set_memory_decrypted((unsigned long)arena, 5), 0);
	KUNIT_EXPECT_EQ(test, find_shared(), before + 8);
	KUNIT_ASSERT_EQ(test, set_memory_encrypted((unsigned long)va, 3), 0);
	KUNIT_ASSERT_EQ(test, set_memory_encrypted((unsigned long)arena, 5), 0);
	KUNIT_EXPECT_EQ(test, find_shared(), before);
	vfree(va);
}

/*
 * Whatever the kernel keeps in an entry, such as that it is never to be joined
 * with others.
 */
static void software_bits(struct kunit *test)
{
	u64 bits = _PAGE_SOFTW1 | _PAGE_SOFTW2 | _PAGE_SOFTW3;
	u8 *va = arena + 40 * PAGE_SIZE;
	unsigned int level;
	pte_t *pte;
	u64 before;

	KUNIT_ASSERT_EQ(test, set_memory_4k((unsigned long)va, 1), 0);
	before = entry_of(va);
	pte = lookup_address((unsigned long)va, &level);
	set_pte_atomic(pte, __pte(before | bits));
	KUNIT_EXPECT_EQ(test, set_memory_decrypted((unsigned long)va, 1), 0);
	KUNIT_EXPECT_EQ(test, entry_of(va) & bits, bits);
	KUNIT_EXPECT_EQ(test, set_memory_encrypted((unsigned long)va, 1), 0);
	KUNIT_EXPECT_EQ(test, entry_of(va), before | bits);
	set_pte_atomic(pte, __pte(before));
}

/* ---- in between ---- */

static void expect_away(struct kunit *test, u8 *va)
{
	unsigned int level;
	pte_t *pte = lookup_address((unsigned long)va, &level);
	u64 e = pte_val(*pte), pfn = PHYS_PFN(__pa(va));

	KUNIT_EXPECT_EQ(test, level, PG_LEVEL_4K);
	KUNIT_EXPECT_FALSE(test, e & (_PAGE_PRESENT | _PAGE_PROTNONE));
	/* Against L1TF: the address is not that of any memory. */
	KUNIT_EXPECT_NE(test, PHYS_PFN(e & PTE_PFN_MASK), pfn);
	KUNIT_EXPECT_EQ(test, pte_pfn(*pte), pfn);
}

static void not_present_in_between(struct kunit *test)
{
	u8 *va = arena + 17 * PAGE_SIZE;
	struct airlock_call c = {
		.va = (unsigned long)va, .pages = 2, .to = AIRLOCK_TO_SHARED,
	};
	u64 before;

	KUNIT_ASSERT_EQ(test, airlock_entries_prepare(&c), 0);
	before = entry_of(va);
	va[-1] = 0x77;
	airlock_be_pass(&c, false, false);
	flush_tlb_kernel_range(c.va, c.va + 2 * PAGE_SIZE);
	expect_away(test, va);
	expect_away(test, va + PAGE_SIZE);
	/* The page fault and its fixup: zeros instead of what is there. */
	KUNIT_EXPECT_EQ(test, load_unaligned_zeropad(va - 1), 0x77);
	airlock_be_pass(&c, true, false);
	KUNIT_EXPECT_EQ(test, entry_of(va), before);
	expect_state(test, va, false);
}

static void window_shows_the_page(struct kunit *test)
{
	u8 *page = arena + 20 * PAGE_SIZE, *leaf = arena +
						   TEST_PAGES * PAGE_SIZE;
	unsigned long at;

	page[100] = 0x5a;
	leaf[PMD_SIZE - 1] = 0x5b;
	at = airlock_window_open(PHYS_PFN(__pa(page)), false, false);
	KUNIT_EXPECT_EQ(test, ((u8 *)at)[100], 0x5a);
	airlock_window_close(at, false);
	at = airlock_window_open(PHYS_PFN(__pa(leaf)), true, false);
	KUNIT_EXPECT_EQ(test, ((u8 *)at)[PMD_SIZE - 1], 0x5b);
	airlock_window_close(at, true);
	KUNIT_EXPECT_EQ(test, (entry_of((u8 *)at) & _PAGE_PRESENT), 0);
	KUNIT_EXPECT_EQ(test, (entry_of((u8 *)at - 1) & _PAGE_PRESENT), 0);
}

/* ---- a host that refuses ---- */

/* Which of its calls, counted from 0, fails: at @done, in doubt to @doubt. */
static struct {
	unsigned int calls, fail, fail_too;
	unsigned long done, doubt;
	bool lie;
} fake;

#define NEVER	99

/* Where the host is, page by page: each stage adds one. */
static int fake_stage[TEST_PAGES];

static void fake_move(const struct airlock_job *j, unsigned long to, int by)
{
	unsigned long i;

	for (i = j->from; i < to; i++)
		fake_stage[i] += by;
}

static int fake_call(struct airlock_job *j, int by)
{
	unsigned int n = fake.calls++;
	unsigned long done, doubt;

	if (n != fake.fail && n != fake.fail_too) {
		fake_move(j, j->to, by);
		return AIRLOCK_OK;
	}
	done = clamp(fake.done, j->from, j->to);
	doubt = clamp(fake.doubt, done, j->to);
	fake_move(j, done, by);
	if (fake.lie)
		return airlock_lied(j, AIRLOCK_V_REPS, done, doubt, 0, n);
	return airlock_failed(j, AIRLOCK_E_REFUSED, done, doubt);
}

/* In doubt, the host is asked for what it may never have done. */
static int fake_forward(struct airlock_job *j)
{
	return fake_call(j, 1);
}

static int fake_back(struct airlock_job *j)
{
	return fake_call(j, j->in_doubt ? 0 : -1);
}

static const struct airlock_backend fake_backend = {
	.to_shared = {
		{ fake_forward, fake_back },
		{ fake_forward, fake_back },
	},
};

/* By the fake host, which has been told when to fail. */
static int fake_convert(u8 *va, int pages)
{
	memset(fake_stage, 0, sizeof(fake_stage));
	fake.calls = 0;
	return set_memory_by(&fake_backend, (unsigned long)va, pages, false);
}

#define FAKE_PAGES	6

/* After a failure: what was certain is as before, the rest is not present. */
static void expect_undone(struct kunit *test, u8 *va, const u64 *before,
			  unsigned long given_up)
{
	unsigned long lost = 0;
	unsigned int i;

	for (i = 0; i < FAKE_PAGES; i++) {
		u64 e = entry_of(va + i * PAGE_SIZE);
		struct page *page = virt_to_page(va + i * PAGE_SIZE);

		if (e & _PAGE_PRESENT) {
			KUNIT_EXPECT_EQ(test, e, before[i]);
			KUNIT_EXPECT_EQ(test, fake_stage[i], 0);
			continue;
		}
		lost++;
		if (IS_ENABLED(CONFIG_MEMORY_FAILURE))
			KUNIT_EXPECT_TRUE(test, PageHWPoison(page));
		KUNIT_EXPECT_EQ(test, page_count(page), 2);
	}
	KUNIT_EXPECT_EQ(test, lost, airlock_counts.given_up - given_up);
	if (fake.fail_too == NEVER && !fake.lie)
		KUNIT_EXPECT_EQ(test, lost, 0);
}

static void fail_once(struct kunit *test, unsigned int fail,
		      unsigned int fail_too, unsigned long done,
		      unsigned long doubt, bool lie)
{
	unsigned long given_up = airlock_counts.given_up;
	struct page *page[FAKE_PAGES];
	u64 before[FAKE_PAGES];
	u8 *va;
	int i;

	/* Pages of their own: some of them will never come back. */
	va = alloc_pages_exact(FAKE_PAGES * PAGE_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, va);
	KUNIT_ASSERT_EQ(test, set_memory_4k((unsigned long)va, FAKE_PAGES), 0);
	for (i = 0; i < FAKE_PAGES; i++) {
		before[i] = entry_of(va + i * PAGE_SIZE);
		page[i] = virt_to_page(va + i * PAGE_SIZE);
	}
	fake.fail = fail;
	fake.fail_too = fail_too;
	fake.done = done;
	fake.doubt = doubt;
	fake.lie = lie;
	KUNIT_EXPECT_EQ(test, fake_convert(va, FAKE_PAGES), -EIO);
	expect_undone(test, va, before, given_up);
	for (i = 0; i < FAKE_PAGES; i++)
		__free_page(page[i]);
}

/* The first or second stage fails at every page, the way back does not. */
static void refused(struct kunit *test)
{
	unsigned long done, doubt;
	unsigned int fail;

	for (fail = 0; fail < 2; fail++)
		for (done = 0; done <= FAKE_PAGES; done++)
			for (doubt = done; doubt <= FAKE_PAGES; doubt++)
				fail_once(test, fail, NEVER, done, doubt,
					  false);
}

/* ... and so does any call of the way back. */
static void refused_twice(struct kunit *test)
{
	unsigned int fail, too;

	for (fail = 0; fail < 2; fail++)
		for (too = fail + 1; too < 6; too++)
			fail_once(test, fail, too, 2, 4, false);
}

static void lied_to(struct kunit *test)
{
	unsigned long before = airlock_counts.lies;
	unsigned long given_up = airlock_counts.given_up;

	fail_once(test, 0, NEVER, 1, 3, true);
	fail_once(test, 1, NEVER, 0, FAKE_PAGES, true);
	KUNIT_EXPECT_EQ(test, airlock_counts.lies, before + 2);
	KUNIT_EXPECT_EQ(test, airlock_counts.given_up,
			given_up + 2 + FAKE_PAGES);
}

#define BLOCK_ORDER	3
#define LOST		2		/* pages 2 and 3 of 8 */

static void expect_elsewhere(struct kunit *test, unsigned int order,
			     const u8 *lost)
{
	static unsigned long got[256];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(got); i++) {
		got[i] = __get_free_pages(GFP_KERNEL, order);
		KUNIT_EXPECT_FALSE(test, (u8 *)got[i] <= lost &&
				   lost < (u8 *)got[i] + (PAGE_SIZE << order));
	}
	for (i = 0; i < ARRAY_SIZE(got); i++)
		free_pages(got[i], order);
}

/* An owner frees the whole block, whose pages have no counts of their own. */
static void freed_all_the_same(struct kunit *test)
{
	u8 *va = (u8 *)__get_free_pages(GFP_KERNEL, BLOCK_ORDER);
	unsigned int order;

	/* The allocator calls it a bad page, and lockdep gives up for good. */
	if (IS_ENABLED(CONFIG_LOCKDEP)) {
		free_pages((unsigned long)va, BLOCK_ORDER);
		kunit_skip(test, "would turn lockdep off");
	}
	KUNIT_ASSERT_NOT_NULL(test, va);
	fake.fail = 0;
	fake.fail_too = NEVER;
	fake.done = LOST;
	fake.doubt = LOST + 2;
	fake.lie = true;
	KUNIT_EXPECT_EQ(test, fake_convert(va, 1 << BLOCK_ORDER), -EIO);
	KUNIT_EXPECT_FALSE(test, entry_of(va + LOST * PAGE_SIZE) &
			   _PAGE_PRESENT);
	free_pages((unsigned long)va, BLOCK_ORDER);
	for (order = 0; order <= BLOCK_ORDER; order++)
		expect_elsewhere(test, order, va + LOST * PAGE_SIZE);
}

/* ---- all at once ---- */

struct racer {
	struct kunit *test;
	u8 *va;
	int err;
	struct completion done;
};

/* Neighbours in one table, each somebody else's. */
static int race_thread(void *arg)
{
	struct racer *r = arg;
	unsigned long addr = (unsigned long)r->va;
	int i;

	for (i = 0; i < 100 && !r->err; i++) {
		r->err = set_memory_decrypted(addr, 1) ?:
			 set_memory_encrypted(addr, 1);
		/* Into the next racer's page, wherever that is by now. */
		load_unaligned_zeropad(r->va + PAGE_SIZE - 1);
	}
	complete(&r->done);
	return 0;
}

static void neighbours(struct kunit *test)
{
	struct racer r[4];
	struct task_struct *t;
	int i, n = 0;

	for (i = 0; i < 4; i++) {
		r[i] = (struct racer){
			.test = test, .va = arena + (100 + i) * PAGE_SIZE,
		};
		init_completion(&r[i].done);
		t = kthread_run(race_thread, &r[i], "airlock/%d", i);
		KUNIT_EXPECT_FALSE(test, IS_ERR(t));
		if (IS_ERR(t))
			break;
		n++;
	}
	for (i = 0; i < n; i++) {
		wait_for_completion(&r[i].done);
		KUNIT_EXPECT_EQ(test, r[i].err, 0);
		expect_state(test, r[i].va, false);
	}
}

static int test_init(struct kunit *test)
{
	if (!airlock_can_convert())
		kunit_skip(test, "not a platform whose pages it converts");
	if (!arena)
		arena = (u8 *)__get_free_pages(GFP_KERNEL, TEST_ORDER);
	return arena ? 0 : -ENOMEM;
}

static struct kunit_case test_cases[] = {
	KUNIT_CASE(leaf),		/* before others split it */
	KUNIT_CASE(one_page),
	KUNIT_CASE(eight_pages),
	KUNIT_CASE(part_of_a_leaf),
	KUNIT_CASE(across_leaves),
	KUNIT_CASE(leaves_and_tables),
	KUNIT_CASE(scattered),
	KUNIT_CASE(nothing_to_do),
	KUNIT_CASE(half_of_them),
	KUNIT_CASE(not_mapped),
	KUNIT_CASE(found_by_kexec),
	KUNIT_CASE(software_bits),
	KUNIT_CASE(not_present_in_between),
	KUNIT_CASE(window_shows_the_page),
	KUNIT_CASE(refused),
	KUNIT_CASE(refused_twice),
	KUNIT_CASE(lied_to),
	KUNIT_CASE(freed_all_the_same),
	KUNIT_CASE(neighbours),
	{}
};

static struct kunit_suite test_suite = {
	.name = "airlock",
	.init = test_init,
	.test_cases = test_cases,
};
kunit_test_suite(test_suite);
