// SPDX-License-Identifier: GPL-2.0
/*
 * The rules of `airlock watch`, one by one, on events made up: a kernel of two
 * CPUs that does a conversion right, and then each thing wrong.
 *
 *   direct map   16 pages at DIRECT, 4K entries; 2M leaves behind them
 *   vmalloc      at VMALLOC: aliases
 *   window       at WINDOW, 2M behind nothing
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "decode.h"
#include "watch.h"

#define RAM	(UINT64_C(32) << 20)
#define DIRECT	UINT64_C(0xffff888000000000)
#define VMALLOC	UINT64_C(0xffffc90000000000)
#define WINDOW	(VMALLOC + (UINT64_C(4) << 21))
#define P	UINT64_C(0x163)			/* global */
#define LARGE	UINT64_C(0x80)
#define C	WATCH_BIT

/* Tables, and which entry maps what. */
enum { PGD = 0x100000, PUD = 0x101000, PMD = 0x102000, PT = 0x103000,
       VPUD = 0x104000, VPMD = 0x105000, VPT = 0x106000, WPT = 0x107000 };
#define PAGE(n)		((uint64_t)(n) * 4096)
#define WPMD_ENTRY	(VPMD + 8 * 4)
#define FIRST	4				/* the page that is converted */

static uint8_t *ram, *states;
static struct watch *w;
static bool snp;

static void put(unsigned int cpu, uint64_t pa, uint64_t v)
{
	memcpy(ram + pa, &v, 8);
	watch_store(w, cpu, pa, 8, 0x1000 + pa);
}

static uint64_t view(bool private)
{
	return private == snp ? C : 0;
}

static uint64_t pte(unsigned int n)
{
	return PT + 8 * n;
}

static void map_memory(void)
{
	memcpy(ram + PGD + 8 * (256 + 17), &(uint64_t){ PUD | 3 }, 8);
	memcpy(ram + PUD, &(uint64_t){ PMD | 3 }, 8);
	memcpy(ram + PMD, &(uint64_t){ PT | 3 }, 8);
	for (unsigned int i = 0; i < 512; i++)
		memcpy(ram + pte(i), &(uint64_t){ PAGE(i) | P | view(true) },
		       8);
	for (uint64_t i = 1; i < RAM >> 21; i++)
		memcpy(ram + PMD + 8 * i,
		       &(uint64_t){ i << 21 | P | LARGE | view(true) }, 8);
	memcpy(ram + PGD + 8 * (256 + 146), &(uint64_t){ VPUD | 3 }, 8);
	memcpy(ram + VPUD, &(uint64_t){ VPMD | 3 }, 8);
	memcpy(ram + VPMD, &(uint64_t){ VPT | 3 }, 8);
	memcpy(ram + WPMD_ENTRY, &(uint64_t){ WPT | 3 }, 8);
}

static void set_state(uint64_t frame, unsigned int s)
{
	states[frame] = (uint8_t)s;
	watch_state(w, 0, frame, true);
}

static void begin(enum watch_platform p)
{
	struct watch_config c = {
		.platform = p, .cpus = 2, .honest = true, .ram_size = RAM,
	};

	snp = p == WATCH_SNP;
	ram = calloc(1, RAM);
	states = malloc(RAM / 4096);
	memset(states, STATE_PRIVATE, RAM / 4096);
	c.ram = ram;
	c.states = states;
	map_memory();
	w = watch_new(&c, NULL, NULL);
	for (uint64_t f = 0; f < RAM / 4096; f++)
		watch_state(w, 0, f, false);
	watch_cr3(w, 0, PGD);
	watch_cr3(w, 1, PGD);
	watch_begin(w);
}

static void end(void)
{
	watch_free(w);
	free(ram);
	free(states);
}

static bool found(enum watch_kind k)
{
	for (unsigned int i = 0; i < watch_findings(w); i++)
		if (watch_finding(w, i)->kind == k)
			return true;
	return false;
}

static void nothing_found(void)
{
	for (unsigned int i = 0; i < watch_findings(w); i++)
		print_message("found: kind %d, state %d, va %lx\n",
			      watch_finding(w, i)->kind,
			      watch_finding(w, i)->state,
			      watch_finding(w, i)->va);
	assert_int_equal(watch_findings(w), 0);
}

/* ---- a conversion of one page, with what can be left out of it ---- */

enum {
	NO_NP = 1, NO_SHOOTDOWN = 2, ONLY_THIS_CPU = 4, NO_CLFLUSH = 8,
	LINE_SHORT = 16, NO_EVICT = 32, FIRST_LINE = 64, EARLY = 128,
	NO_CLOSE = 256, NO_PVALIDATE_MAPPING = 512, WROTE_AGAIN = 1024,
	WRONG_VIEW = 2048,
};

static void window_open(uint64_t frame, bool private)
{
	put(0, WPT, PAGE(frame) | 3 | view(private));
}

static void window_close(unsigned int without)
{
	put(0, WPT, 0);
	if (!(without & NO_CLOSE))
		watch_invlpg(w, 0, WINDOW);
}

static void flush_cache(unsigned int n, bool private, unsigned int without)
{
	if (without & NO_CLFLUSH)
		return;
	window_open(n, without & WRONG_VIEW ? !private : private);
	for (unsigned int i = 0; i < 64 - !!(without & LINE_SHORT); i++)
		watch_clflush(w, 0, WINDOW + 64 * i, 1);
	window_close(without);
	if (without & WROTE_AGAIN)
		put(0, PAGE(n) + 64, 1);
}

static void pvalidate(unsigned int n, bool validate, unsigned int without)
{
	if (without & NO_PVALIDATE_MAPPING)
		window_open(n, false);
	else
		window_open(n, true);
	watch_pvalidate(w, 0, WINDOW, false, validate, 2);
	set_state(n, validate ? STATE_PRIVATE : STATE_PENDING);
	if (validate && !(without & NO_EVICT)) {
		watch_read(w, 0, WINDOW);
		if (!(without & FIRST_LINE))
			watch_read(w, 0, WINDOW + 4095);
	}
	window_close(without);
}

static void shoot_down(uint64_t va, unsigned int without)
{
	if (without & NO_SHOOTDOWN)
		return;
	watch_invlpg(w, 0, va);
	if (!(without & ONLY_THIS_CPU))
		watch_invlpg(w, 1, va);
}

static void host_work(unsigned int n, bool to_shared, unsigned int without)
{
	watch_call(w, 0, 3);
	if (snp && to_shared)
		pvalidate(n, false, without);
	set_state(n, to_shared ? STATE_SHARED : STATE_PENDING);
	if (!to_shared && snp)
		pvalidate(n, true, without);
	else if (!to_shared)
		set_state(n, STATE_PRIVATE);
}

static void present(unsigned int n, bool to_shared)
{
	put(0, pte(n), PAGE(n) | P | view(!to_shared));
}

static void convert(unsigned int n, bool to_shared, unsigned int without)
{
	uint64_t va = DIRECT + PAGE(n);

	watch_convert(w, 0, va, 1, to_shared, 7, 8);
	watch_alias(w, 0);
	if (!(without & NO_NP))
		put(0, pte(n), ((~PAGE(n)) & WATCH_ADDR) | view(!to_shared));
	shoot_down(va, without);
	flush_cache(n, to_shared, without);
	if (without & EARLY)
		present(n, to_shared);
	host_work(n, to_shared, without);
	present(n, to_shared);
	watch_converted(w, 0, 8, false);
}

static void there_and_back(enum watch_platform p, unsigned int without)
{
	begin(p);
	convert(FIRST, true, without);
	convert(FIRST, false, without);
}

static void expect(enum watch_platform p, unsigned int without,
		   enum watch_kind k)
{
	there_and_back(p, without);
	assert_true(found(k));
	end();
}

static void good_order(void **s)
{
	(void)s;
	for (enum watch_platform p = WATCH_TDX; p <= WATCH_TDP; p++) {
		there_and_back(p, 0);
		nothing_found();
		assert_int_equal(watch_counted(w)->state_changes,
				 snp ? 4 : 3);
		end();
	}
}

static void bad_present(void **s)
{
	(void)s;
	expect(WATCH_SNP, NO_NP, FOUND_PRESENT);
	expect(WATCH_TDX, NO_NP, FOUND_PRESENT);
	expect(WATCH_VTOM, NO_NP, FOUND_PRESENT);
}

static void bad_present_before_notify(void **s)
{
	(void)s;
	expect(WATCH_SNP, EARLY, FOUND_PRESENT);
	expect(WATCH_TDP, EARLY, FOUND_PRESENT);
}

static void bad_no_shootdown(void **s)
{
	(void)s;
	expect(WATCH_SNP, NO_SHOOTDOWN, FOUND_STALE);
	expect(WATCH_TDX, NO_SHOOTDOWN, FOUND_OUTLIVES);
}

static void bad_shootdown_on_one_cpu(void **s)
{
	(void)s;
	there_and_back(WATCH_VTOM, ONLY_THIS_CPU);
	assert_true(found(FOUND_STALE));
	assert_int_equal(watch_finding(w, 0)->way.cpus, 2);
	end();
}

static void bad_cache(void **s)
{
	(void)s;
	expect(WATCH_SNP, NO_CLFLUSH, FOUND_LINE);
	expect(WATCH_TDX, NO_CLFLUSH, FOUND_LINE);
	expect(WATCH_SNP, LINE_SHORT, FOUND_LINE);
	expect(WATCH_SNP, WROTE_AGAIN, FOUND_LINE);
	expect(WATCH_SNP, WRONG_VIEW, FOUND_LINE);
	there_and_back(WATCH_VTOM, NO_CLFLUSH);
	nothing_found();
	end();
}

static void bad_evict(void **s)
{
	(void)s;
	expect(WATCH_SNP, NO_EVICT, FOUND_EVICT);
	expect(WATCH_SNP, FIRST_LINE, FOUND_EVICT);
}

static void bad_owner(void **s)
{
	(void)s;
	expect(WATCH_SNP, NO_PVALIDATE_MAPPING, FOUND_OWNER);
	/* A window that was not flushed shows the page before. */
	begin(WATCH_SNP);
	convert(FIRST, true, NO_CLOSE);
	nothing_found();
	convert(FIRST + 2, true, NO_CLOSE);
	assert_true(found(FOUND_OWNER));
	end();
}

static void bad_twice(void **s)
{
	(void)s;
	begin(WATCH_SNP);
	convert(FIRST, true, 0);
	convert(FIRST, false, 0);
	window_open(FIRST, true);
	watch_pvalidate(w, 0, WINDOW, false, true, 2);
	assert_true(found(FOUND_TWICE));
	end();
}

static void bad_given_away_validated(void **s)
{
	(void)s;
	begin(WATCH_SNP);
	watch_call(w, 0, 3);
	set_state(FIRST, STATE_SHARED);
	assert_true(found(FOUND_GIVEN));
	end();
}

/* Nobody told the host: no state changes, and that is the mistake. */
static void bad_host_not_told(void **s)
{
	(void)s;
	begin(WATCH_TDP);
	watch_convert(w, 0, DIRECT + PAGE(FIRST), 1, true, 7, 8);
	put(0, pte(FIRST), 0);
	shoot_down(DIRECT + PAGE(FIRST), 0);
	present(FIRST, true);
	watch_converted(w, 0, 8, false);
	assert_true(found(FOUND_PRESENT));
	end();
}

/* ---- large windows, tables that were taken away ---- */

static void large_window(bool flush)
{
	uint64_t pa = UINT64_C(2) << 20;

	begin(WATCH_SNP);
	put(0, WPMD_ENTRY, pa | P | LARGE | view(true));
	if (flush)
		watch_invlpg(w, 0, WINDOW);
	watch_pvalidate(w, 0, WINDOW, true, false, 2);
}

static void window_over_a_table(void **s)
{
	(void)s;
	large_window(false);
	assert_true(found(FOUND_OWNER));
	end();
	large_window(true);
	nothing_found();
	end();
}

/* Half of a large window's pages are done: it is in nobody's reach still. */
static void window_half_done(void **s)
{
	(void)s;
	begin(WATCH_SNP);
	watch_convert(w, 0, DIRECT + PAGE(512), 512, false, 7, 8);
	put(0, PMD + 8, (~PAGE(512) & WATCH_ADDR) | LARGE | view(true));
	watch_flush_all(w, 0);
	watch_flush_all(w, 1);
	put(0, WPMD_ENTRY, PAGE(512) | P | LARGE | view(true));
	watch_invlpg(w, 0, WINDOW);
	for (unsigned int i = 512; i < 1024; i++)
		set_state(i, STATE_PENDING);
	for (unsigned int i = 512; i < 1024; i++)
		set_state(i, STATE_PRIVATE);
	for (unsigned int i = 512; i < 1024; i++)
		set_state(i, STATE_PENDING);
	nothing_found();
	end();
}

static void table_taken_away(bool flush)
{
	begin(WATCH_TDX);
	/* The table of the first 2M goes, a leaf comes in its place. */
	put(0, PMD, P | LARGE | view(true));
	if (flush) {
		watch_flush_all(w, 0);
		watch_flush_all(w, 1);
	}
	put(0, PMD, 0);
	watch_flush_all(w, 0);
	if (flush)
		watch_flush_all(w, 1);
	set_state(FIRST, STATE_PENDING);
}

static void unlinked_table(void **s)
{
	(void)s;
	table_taken_away(true);
	nothing_found();
	/* What was a table may be anything now. */
	put(0, pte(FIRST), PAGE(FIRST) | P | view(true));
	put(0, pte(FIRST + 1), PAGE(FIRST) | P | view(false));
	nothing_found();
	end();
}

/* ---- aliases ---- */

static void alias(bool converted_too)
{
	uint64_t before = VMALLOC + PAGE(1);

	begin(WATCH_TDP);
	put(1, VPT + 8, PAGE(20) | P | view(true));
	put(1, VPT + 16, PAGE(FIRST) | P | view(true));
	if (converted_too) {
		put(0, VPT + 16, 0);
		shoot_down(before + 4096, 0);
	}
	convert(FIRST, true, 0);
}

static void bad_alias_forgotten(void **s)
{
	(void)s;
	alias(false);
	assert_true(found(FOUND_PRESENT));
	assert_true(watch_finding(w, 0)->va == VMALLOC + PAGE(2));
	end();
	alias(true);
	nothing_found();
	end();
}

/* Behind a page that is not mapped there is nobody. */
static void alias_out_of_reach(void **s)
{
	(void)s;
	begin(WATCH_TDP);
	put(1, VPT + 16, PAGE(FIRST) | P | view(true));
	convert(FIRST, true, 0);
	nothing_found();
	end();
}

/* ---- who holds what ---- */

static void stale_after(void (*flush)(void), uint64_t global, bool expected)
{
	begin(WATCH_VTOM);
	put(0, pte(FIRST), PAGE(FIRST) | (P & ~ENTRY_GLOBAL) | global);
	watch_flush_all(w, 0);
	watch_flush_all(w, 1);
	put(0, pte(FIRST), 0);
	watch_invlpg(w, 0, DIRECT + PAGE(FIRST));
	flush();
	set_state(FIRST, STATE_SHARED);
	assert_int_equal(found(FOUND_STALE), expected);
	end();
}

static void by_cr3(void)
{
	watch_cr3(w, 1, PGD);
}

static void by_cr4(void)
{
	watch_flush_all(w, 1);
}

static void by_invlpgb(void)
{
	watch_invlpgb(w, 0, DIRECT + PAGE(FIRST), 1, false);
	watch_tlbsync(w, 0);
}

static void by_invlpgb_alone(void)
{
	watch_invlpgb(w, 0, DIRECT + PAGE(FIRST), 1, false);
}

static void by_the_page_before(void)
{
	watch_invlpg(w, 1, DIRECT + PAGE(FIRST - 1));
}

static void flushes(void **s)
{
	(void)s;
	stale_after(by_cr3, 0, false);
	stale_after(by_cr3, ENTRY_GLOBAL, true);
	stale_after(by_cr4, ENTRY_GLOBAL, false);
	stale_after(by_invlpgb, ENTRY_GLOBAL, false);
	stale_after(by_invlpgb_alone, ENTRY_GLOBAL, true);
	stale_after(by_the_page_before, 0, true);
}

/* A CPU holds nothing before it runs, and nothing when it is off. */
static void cpus_come_and_go(void **s)
{
	(void)s;
	begin(WATCH_VTOM);
	watch_cpu_off(w, 1);
	convert(FIRST, true, ONLY_THIS_CPU);
	nothing_found();
	watch_cr3(w, 1, PGD);
	convert(FIRST + 4, true, ONLY_THIS_CPU);
	assert_true(found(FOUND_STALE));
	end();
}

/* What the host does unasked is not the guest's finding. */
static void unasked(void **s)
{
	(void)s;
	begin(WATCH_SNP);
	states[FIRST] = STATE_SHARED | STATE_BY_HOST;
	watch_state(w, 0, FIRST, false);
	nothing_found();
	end();
}

/* Nor is what a host that lies has brought about. */
static void lied_to(void **s)
{
	(void)s;
	begin(WATCH_SNP);
	watch_free(w);
	w = watch_new(&(struct watch_config){
		.platform = WATCH_SNP, .cpus = 2, .ram = ram, .ram_size = RAM,
		.states = states, .lies = true,
	}, NULL, NULL);
	for (uint64_t f = 0; f < RAM / 4096; f++)
		watch_state(w, 0, f, false);
	watch_cr3(w, 0, PGD);
	watch_begin(w);
	set_state(FIRST, STATE_SHARED);		/* amid somebody's call */
	nothing_found();
	convert(FIRST + 4, true, NO_NP);
	assert_true(found(FOUND_PRESENT));
	end();
}

/* ---- the order ---- */

static void order_is(unsigned int i, const char *text)
{
	char buf[256];

	assert_true(i < watch_conversions(w));
	watch_order(watch_conversion(w, i), buf, sizeof(buf));
	assert_string_equal(buf, text);
}

static void orders(void **s)
{
	(void)s;
	there_and_back(WATCH_SNP, 0);
	order_is(0, "alias, np+flip, tlb, cache@window, notify@window, "
		 "present");
	order_is(1, "alias, np+flip, tlb, cache@window, notify@window, "
		 "present");
	end();
	there_and_back(WATCH_TDP, NO_NP | NO_CLFLUSH);
	order_is(0, "alias, tlb, notify, flip");
	end();
}

/* ---- decoding ---- */

static enum insn_kind kind(const char *code, size_t n)
{
	return insn_decode((const uint8_t *)code, n, 0x1000).kind;
}

#define KIND(bytes)	kind(bytes, sizeof(bytes) - 1)

static void decoding(void **s)
{
	uint64_t regs[16] = { [0] = 0x1000, [1] = 0x10, [12] = 0x4000 };
	struct insn i;

	(void)s;
	assert_int_equal(KIND("\x0f\x01\x38"), INSN_INVLPG);
	assert_int_equal(KIND("\x0f\x22\xd8"), INSN_CR3);
	assert_int_equal(KIND("\x41\x0f\x22\xdf"), INSN_CR3);
	assert_int_equal(KIND("\x0f\x22\xe0"), INSN_FLUSH_ALL);
	assert_int_equal(KIND("\x0f\x22\xc0"), INSN_OTHER);
	assert_int_equal(KIND("\x66\x0f\x38\x82\x01"), INSN_FLUSH_ALL);
	assert_int_equal(KIND("\x0f\xae\x38"), INSN_CLFLUSH);
	assert_int_equal(KIND("\x66\x0f\xae\x38"), INSN_CLFLUSH);
	assert_int_equal(KIND("\x3e\x0f\xae\x38"), INSN_CLFLUSH);
	assert_int_equal(KIND("\x0f\xae\xf8"), INSN_OTHER);	/* SFENCE */
	assert_int_equal(KIND("\x0f\x09"), INSN_WBINVD);
	assert_int_equal(KIND("\xf2\x0f\x01\xff"), INSN_PVALIDATE);
	assert_int_equal(KIND("\x0f\x01\xff"), INSN_TLBSYNC);
	assert_int_equal(KIND("\x0f\x01\xfe"), INSN_INVLPGB);
	assert_int_equal(KIND("\xf3\x0f\x01\xfe"), INSN_OTHER);	/* RMPADJUST */
	assert_int_equal(KIND("\x66\x0f\x01\xcc"), INSN_TDCALL);
	assert_int_equal(KIND("\xf3\x0f\x01\xd9"), INSN_HYPERCALL);
	assert_int_equal(KIND("\x0f\x01\xc1"), INSN_HYPERCALL);
	assert_int_equal(KIND("\x0f\xb6\x00"), INSN_READ_BYTE);
	assert_int_equal(KIND("\x48\x89\xc3"), INSN_OTHER);
	/* clflush 0x40(%r12,%rcx,2) */
	i = insn_decode((const uint8_t *)"\x41\x0f\xae\x7c\x4c\x40", 6, 0);
	assert_int_equal(i.kind, INSN_CLFLUSH);
	assert_int_equal(insn_address(&i, regs), 0x4060);
	/* invlpg -8(%rax) */
	i = insn_decode((const uint8_t *)"\x0f\x01\x78\xf8", 4, 0);
	assert_int_equal(insn_address(&i, regs), 0xff8);
	/* call to itself plus 0x10 */
	i = insn_decode((const uint8_t *)"\xe8\x0b\x00\x00\x00", 5, 0x1000);
	assert_int_equal(i.kind, INSN_CALL);
	assert_int_equal(i.disp, 0x1010);
}

static bool stores(const char *code, size_t n)
{
	return insn_may_store((const uint8_t *)code, n);
}

static void storing(void **s)
{
	(void)s;
	assert_true(stores("\x48\x89\x07", 3));		/* mov %rax,(%rdi) */
	assert_true(stores("\x48\x87\x07", 3));		/* xchg */
	assert_true(stores("\xf0\x48\x0f\xb1\x17", 5));	/* lock cmpxchg */
	assert_true(stores("\xf3\x48\xab", 3));		/* rep stosq */
	assert_true(stores("\x48\xc7\x07\0\0\0\0", 7));	/* movq $0,(%rdi) */
	assert_true(stores("\x49\x89\x04\x24", 4));	/* mov %rax,(%r12) */
	assert_false(stores("\x48\x89\x44\x24\x08", 5));	/* 8(%rsp) */
	assert_false(stores("\x55", 1));
	assert_false(stores("\xff\x77\x08", 3));	/* push 8(%rdi) */
	assert_false(stores("\x89\x07", 2));
	assert_true(stores("\xf0\x48\x0f\xba\x37\x05", 6));	/* btrq */
	assert_true(stores("\x48\x21\x07", 3));	/* and %rax,(%rdi) */
	assert_true(stores("\x48\x0f\xc3\x07", 4));	/* movnti */
	assert_true(stores("\xf0\x48\x0f\xc7\x0f", 5));	/* cmpxchg16b */
	assert_false(stores("\xf0\x0f\xb1\x17", 4));
	assert_false(stores("\xf0\x80\x27\xfb", 4));	/* andb */
	assert_false(stores("\xff\x07", 2));		/* incl */
	assert_false(stores("\x0f\x94\x07", 3));	/* sete */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_order),
		cmocka_unit_test(bad_present),
		cmocka_unit_test(bad_present_before_notify),
		cmocka_unit_test(bad_no_shootdown),
		cmocka_unit_test(bad_shootdown_on_one_cpu),
		cmocka_unit_test(bad_cache),
		cmocka_unit_test(bad_evict),
		cmocka_unit_test(bad_owner),
		cmocka_unit_test(bad_twice),
		cmocka_unit_test(bad_given_away_validated),
		cmocka_unit_test(bad_host_not_told),
		cmocka_unit_test(window_over_a_table),
		cmocka_unit_test(window_half_done),
		cmocka_unit_test(unlinked_table),
		cmocka_unit_test(bad_alias_forgotten),
		cmocka_unit_test(alias_out_of_reach),
		cmocka_unit_test(flushes),
		cmocka_unit_test(cpus_come_and_go),
		cmocka_unit_test(unasked),
		cmocka_unit_test(lied_to),
		cmocka_unit_test(orders),
		cmocka_unit_test(decoding),
		cmocka_unit_test(storing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
