// SPDX-License-Identifier: GPL-2.0
/*
 * The fixup, on real faults: a page, then one that is not accessible, and a
 * SIGSEGV handler in the place of a page-fault handler.
 */
#include "world.h"

#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>

#define ERROR_USER	4	/* the test is no supervisor */

static unsigned char *page;
static struct airlock_fault last;
static volatile unsigned int faults;
static sigjmp_buf no_fixup;

static void on_segv(int sig, siginfo_t *info, void *context)
{
	greg_t *reg = ((ucontext_t *)context)->uc_mcontext.gregs;
	struct airlock_fault f = {
		.ip = (uint64_t)reg[REG_RIP],
		.address = (uint64_t)(uintptr_t)info->si_addr,
		.error = (uint64_t)reg[REG_ERR] & ~(uint64_t)ERROR_USER,
		.rdi = (uint64_t)reg[REG_RDI],
	};

	(void)sig;
	faults++;
	last = f;
	if (!airlock_zeropad_fixup(&f))
		siglongjmp(no_fixup, 1);
	reg[REG_RIP] = (greg_t)f.ip;
	reg[REG_RAX] = (greg_t)f.rax;
}

static int setup(void **state)
{
	unsigned int i;

	(void)state;
	page = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(page != MAP_FAILED);
	for (i = 0; i < 3 * PAGE; i++)
		page[i] = (unsigned char)(i * 7 + 1) | 1;
	return mprotect(page + PAGE, PAGE, PROT_NONE);
}

/* In each test: cmocka has put its own handler there. */
static void arm(void)
{
	struct sigaction sa = { .sa_sigaction = on_segv,
				.sa_flags = SA_SIGINFO | SA_NODEFER };

	assert_int_equal(sigaction(SIGSEGV, &sa, NULL), 0);
}

/* Every place around the end of the page. */
static void good_every_offset(void **state)
{
	unsigned int off, i;

	(void)state;
	arm();
	for (off = 0; off <= 24; off++) {
		const unsigned char *p = page + PAGE - 8 - off;
		uint64_t want = 0;

		faults = 0;
		for (i = 0; i < 8; i++)
			want |= (uint64_t)p[i] << (8 * i);
		assert_int_equal(airlock_load_unaligned_zeropad(p), want);
		assert_int_equal(faults, 0);
	}
	for (off = 1; off <= 7; off++) {
		const unsigned char *p = page + PAGE - off;
		uint64_t want = 0;

		faults = 0;
		for (i = 0; i < off; i++)
			want |= (uint64_t)p[i] << (8 * i);
		assert_int_equal(airlock_load_unaligned_zeropad(p), want);
		assert_int_equal(faults, 1);
	}
}

/* The page itself is missing: no business of the fixup. */
static void bad_own_page(void **state)
{
	unsigned int off;

	(void)state;
	arm();
	for (off = 0; off < 16; off++) {
		faults = 0;
		if (!sigsetjmp(no_fixup, 1)) {
			airlock_load_unaligned_zeropad(page + PAGE + off);
			fail();
		}
		assert_int_equal(faults, 1);
	}
}

/* The same address from another instruction. */
static void bad_other_instruction(void **state)
{
	(void)state;
	arm();
	faults = 0;
	if (!sigsetjmp(no_fixup, 1)) {
		assert_int_equal(*(volatile uint64_t *)(void *)
				 (page + PAGE), 0);
		fail();
	}
	assert_int_equal(faults, 1);
}

/* A true fault, then each thing that makes it one changed. */
static void bad_made_up(void **state)
{
	struct airlock_fault f, ok;
	unsigned int bit;

	(void)state;
	arm();
	airlock_load_unaligned_zeropad(page + PAGE - 3);
	ok = last;
	f = ok;
	assert_true(airlock_zeropad_fixup(&f));
	assert_int_equal(f.rax, page[PAGE - 3] | page[PAGE - 2] << 8 |
			 page[PAGE - 1] << 16);
	assert_true(f.ip > ok.ip && f.ip < ok.ip + 8);
	for (bit = 0; bit < 64; bit++) {
		f = ok;
		f.error ^= UINT64_C(1) << bit;
		assert_false(airlock_zeropad_fixup(&f));
		f = ok;
		f.address ^= UINT64_C(1) << bit;
		assert_false(airlock_zeropad_fixup(&f));
		f = ok;
		f.ip ^= UINT64_C(1) << bit;
		assert_false(airlock_zeropad_fixup(&f));
	}
	f = ok;
	f.rdi = (uint64_t)(uintptr_t)page + PAGE - 8;
	assert_false(airlock_zeropad_fixup(&f));
	f = ok;
	f.rdi -= 8;
	assert_false(airlock_zeropad_fixup(&f));
	f.rdi += 16;
	assert_false(airlock_zeropad_fixup(&f));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_every_offset),
		cmocka_unit_test(bad_own_page),
		cmocka_unit_test(bad_other_instruction),
		cmocka_unit_test(bad_made_up),
	};
	int n = sizeof(tests) / sizeof(tests[0]);
	int failed = cmocka_run_group_tests(tests, setup, NULL);

	printf("%d passed, %d failed\n", n - failed, failed);
	return failed;
}
