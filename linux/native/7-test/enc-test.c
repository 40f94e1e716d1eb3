// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the conversion of pages between private and shared. They run
 * before x86_platform is read-only: a callback that looks around comes first.
 */
#include <kunit/test.h>
#include <linux/cc_platform.h>
#include <linux/mm.h>
#include <linux/set_memory.h>
#include <linux/vmalloc.h>

#include <asm/coco.h>
#include <asm/word-at-a-time.h>
#include <asm/x86_init.h>

#define ORDER	10			/* two 2M leaves, if they are whole */
#define LEAF	PTRS_PER_PTE

/* The CPU sets these by itself. */
#define CPU_BITS	((pteval_t)(_PAGE_ACCESSED | _PAGE_DIRTY))

static int (*platform)(unsigned long vaddr, int npages, bool enc);

static struct {
	unsigned long calls;
	unsigned long present;		/* pages that were */
	unsigned long encrypted;	/* entries that said so */
	unsigned long mangled;		/* stray reads that went wrong */
	bool refuse;
	bool forget;			/* the refusal: nothing to change back */
} seen;

static pteval_t entry_of(const u8 *va)
{
	unsigned int level;
	pte_t *pte = lookup_address((unsigned long)va, &level);

	return pte ? pte_val(*pte) & ~CPU_BITS : 0;
}

static unsigned int level_of(const u8 *va)
{
	unsigned int level;

	lookup_address((unsigned long)va, &level);
	return level;
}

static const u8 *direct_of(const u8 *va)
{
	return __va(slow_virt_to_phys((void *)va));
}

static bool encrypted(pteval_t e)
{
	return cc_mkenc(e) == e;
}

/* From the end of the page before: that byte, and nothing of this page. */
static void stray_read(const u8 *va)
{
	const u8 *last = va - 1;

	if (entry_of(last) & _PAGE_PRESENT &&
	    load_unaligned_zeropad(last) != *last)
		seen.mangled++;
}

static int look_around(unsigned long vaddr, int npages, bool enc)
{
	const u8 *va = (const u8 *)vaddr;
	int i;

	seen.calls++;
	for (i = 0; i < npages; i++, va += PAGE_SIZE) {
		pteval_t e = entry_of(va), alias = entry_of(direct_of(va));

		seen.present += !!((e | alias) & _PAGE_PRESENT);
		seen.encrypted += encrypted(e) || encrypted(alias);
	}
	stray_read((const u8 *)vaddr);

	if (seen.refuse)
		return -EIO;
	return seen.forget ? 0 : platform(vaddr, npages, enc);
}

static void expect_state(struct kunit *test, u8 *va, bool enc)
{
	KUNIT_EXPECT_TRUE(test, entry_of(va) & _PAGE_PRESENT);
	KUNIT_EXPECT_EQ(test, encrypted(entry_of(va)), enc);
	KUNIT_EXPECT_EQ(test, encrypted(entry_of(direct_of(va))), enc);
	WRITE_ONCE(va[8], 0xa5);
	KUNIT_EXPECT_EQ(test, READ_ONCE(va[8]), 0xa5);
	KUNIT_EXPECT_EQ(test, READ_ONCE(direct_of(va)[8]), 0xa5);
}

/* There and back, and every entry is what it was, whatever was in it. */
static void there_and_back(struct kunit *test, u8 *va, int pages)
{
	unsigned long addr = (unsigned long)va;
	pteval_t *before, *alias;
	int i;

	before = kunit_kcalloc(test, 2 * pages, sizeof(*before), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, before);
	alias = before + pages;

	/* Leaves that are not wholly ours are split first, and stay so. */
	KUNIT_ASSERT_EQ(test, set_memory_decrypted(addr, pages), 0);
	KUNIT_ASSERT_EQ(test, set_memory_encrypted(addr, pages), 0);
	for (i = 0; i < pages; i++) {
		before[i] = entry_of(va + i * PAGE_SIZE);
		alias[i] = entry_of(direct_of(va + i * PAGE_SIZE));
	}

	KUNIT_ASSERT_EQ(test, set_memory_decrypted(addr, pages), 0);
	for (i = 0; i < pages; i++)
		expect_state(test, va + i * PAGE_SIZE, false);

	KUNIT_ASSERT_EQ(test, set_memory_encrypted(addr, pages), 0);
	for (i = 0; i < pages; i++) {
		expect_state(test, va + i * PAGE_SIZE, true);
		KUNIT_EXPECT_EQ(test, entry_of(va + i * PAGE_SIZE), before[i]);
		KUNIT_EXPECT_EQ(test, entry_of(direct_of(va + i * PAGE_SIZE)),
				alias[i]);
	}

	KUNIT_EXPECT_EQ(test, seen.calls, 4);
	KUNIT_EXPECT_EQ(test, seen.present, 0);
	KUNIT_EXPECT_EQ(test, seen.encrypted, 0);
	KUNIT_EXPECT_EQ(test, seen.mangled, 0);
}

static void one_page(struct kunit *test)
{
	there_and_back(test, test->priv + PAGE_SIZE, 1);
}

static void part_of_a_leaf(struct kunit *test)
{
	there_and_back(test, test->priv + PAGE_SIZE, LEAF - 1);
}

static void whole_leaf(struct kunit *test)
{
	u8 *va = test->priv + LEAF * PAGE_SIZE;
	unsigned int level = level_of(va);

	there_and_back(test, va, LEAF);
	KUNIT_EXPECT_EQ(test, level_of(va), level);
}

static void vmalloc_area(struct kunit *test)
{
	u8 *va = vmalloc(9 * PAGE_SIZE);

	KUNIT_ASSERT_NOT_NULL(test, va);
	memset(va, 0x5a, PAGE_SIZE);
	there_and_back(test, va + PAGE_SIZE, 8);
	vfree(va);
}

/* Not present, whatever reads there, until the hypervisor agrees. */
static void refused(struct kunit *test)
{
	u8 *va = test->priv + 2 * PAGE_SIZE;
	unsigned long addr = (unsigned long)va;
	int i;

	KUNIT_ASSERT_EQ(test, set_memory_decrypted(addr, 4), 0);
	KUNIT_ASSERT_EQ(test, set_memory_encrypted(addr, 4), 0);

	seen.refuse = true;
	KUNIT_EXPECT_EQ(test, set_memory_decrypted(addr, 4), -EIO);
	for (i = 0; i < 4; i++) {
		KUNIT_EXPECT_FALSE(test, entry_of(va + i * PAGE_SIZE) & _PAGE_PRESENT);
		KUNIT_EXPECT_FALSE(test, encrypted(entry_of(va + i * PAGE_SIZE)));
	}
	stray_read(va);
	KUNIT_EXPECT_EQ(test, seen.mangled, 0);

	/* It did nothing, so there is nothing to undo. */
	seen.refuse = false;
	seen.forget = true;
	KUNIT_EXPECT_EQ(test, set_memory_encrypted(addr, 4), 0);
	for (i = 0; i < 4; i++)
		expect_state(test, va + i * PAGE_SIZE, true);
}

static int enc_test_init(struct kunit *test)
{
	if (!cc_platform_has(CC_ATTR_GUEST_MEM_ENCRYPT))
		kunit_skip(test, "not in a confidential VM");

	test->priv = (void *)__get_free_pages(GFP_KERNEL | __GFP_ZERO, ORDER);
	if (!test->priv)
		return -ENOMEM;

	memset(&seen, 0, sizeof(seen));
	platform = x86_platform.guest.enc_status_change;
	x86_platform.guest.enc_status_change = look_around;
	return 0;
}

static void enc_test_exit(struct kunit *test)
{
	if (!test->priv)
		return;

	x86_platform.guest.enc_status_change = platform;
	free_pages((unsigned long)test->priv, ORDER);
}

static struct kunit_case enc_cases[] = {
	KUNIT_CASE(one_page),
	KUNIT_CASE(part_of_a_leaf),
	KUNIT_CASE(whole_leaf),
	KUNIT_CASE(vmalloc_area),
	KUNIT_CASE(refused),
	{}
};

static struct kunit_suite enc_suite = {
	.name = "x86_enc",
	.init = enc_test_init,
	.exit = enc_test_exit,
	.test_cases = enc_cases,
};

/* At boot and not again: then there is no changing x86_platform. */
kunit_test_init_section_suite(enc_suite);
