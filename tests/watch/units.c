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
#include <stdio.h>
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
       VPUD = 0x104000, VPMD = 0x105000, VPT = 0x106000, WPT = 0x107000,
       OTHER_PT = 0x108000 };
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
	WRONG_VIEW = 2048, WROTE_ACROSS = 4096,
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
	/* The end of one line, which is flushed again, and the next. */
	if (without & WROTE_ACROSS) {
		put(0, PAGE(n) + 60, 1);
		window_open(n, private);
		watch_clflush(w, 0, WINDOW, 1);
		window_close(0);
	}
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
	expect(WATCH_SNP, WROTE_ACROSS, FOUND_LINE);
	expect(WATCH_SNP, WRONG_VIEW, FOUND_LINE);
	there_and_back(WATCH_VTOM, NO_CLFLUSH);
	nothing_found();
	end();
}

/* WBINVD is of this CPU's caches; the other's may hold the lines. */
static void write_back_all(bool other)
{
	begin(WATCH_TDX);
	if (!other)
		watch_cpu_off(w, 1);
	watch_convert(w, 0, DIRECT + PAGE(FIRST), 1, true, 7, 8);
	put(0, pte(FIRST), 0);
	shoot_down(DIRECT + PAGE(FIRST), other ? 0 : ONLY_THIS_CPU);
	watch_wbinvd(w, 0);
	host_work(FIRST, true, 0);
	present(FIRST, true);
	watch_converted(w, 0, 8, false);
}

static void wbinvd(void **s)
{
	(void)s;
	write_back_all(false);
	nothing_found();
	end();
	write_back_all(true);
	assert_true(found(FOUND_LINE));
	end();
}

static void bad_evict(void **s)
{
	(void)s;
	expect(WATCH_SNP, NO_EVICT, FOUND_EVICT);
	expect(WATCH_SNP, FIRST_LINE, FOUND_EVICT);
}

/*
 * The host has done the page when it refuses the call: the way back. Nobody
 * has used the page meanwhile, so no line of it is dirty.
 */
static void undone(enum watch_platform p, bool to_shared, unsigned int without)
{
	uint64_t va = DIRECT + PAGE(FIRST);

	begin(p);
	if (!to_shared)
		convert(FIRST, true, 0);
	watch_convert(w, 0, va, 1, to_shared, 7, 8);
	put(0, pte(FIRST), ((~PAGE(FIRST)) & WATCH_ADDR) | view(!to_shared));
	shoot_down(va, 0);
	flush_cache(FIRST, to_shared, without & NO_CLFLUSH);
	host_work(FIRST, to_shared, 0);
	if (without & WROTE_AGAIN)
		put(0, PAGE(FIRST) + 64, 1);
	host_work(FIRST, !to_shared, without);
	present(FIRST, !to_shared);
	watch_converted(w, 0, 8, true);
}

static void expect_undone(enum watch_platform p, bool to_shared,
			  unsigned int without, enum watch_kind k)
{
	undone(p, to_shared, without);
	assert_true(found(k));
	end();
}

static void undone_half_way(void **s)
{
	(void)s;
	for (enum watch_platform p = WATCH_TDX; p <= WATCH_TDP; p++)
		for (int to_shared = 0; to_shared < 2; to_shared++) {
			undone(p, to_shared, 0);
			nothing_found();
			/* In use again: its lines may be dirty. */
			flush_cache(FIRST, to_shared, 0);
			convert(FIRST, to_shared, NO_CLFLUSH);
			assert_int_equal(found(FOUND_LINE), p == WATCH_SNP ||
					 (p == WATCH_TDX && to_shared));
			end();
		}
}

/* TDX asks for no flush on the way to private, nor on the way back then. */
static void undone_without_a_flush(void **s)
{
	(void)s;
	undone(WATCH_TDX, false, NO_CLFLUSH);
	nothing_found();
	end();
}

static void bad_undone_half_way(void **s)
{
	(void)s;
	expect_undone(WATCH_SNP, true, WROTE_AGAIN, FOUND_LINE);
	expect_undone(WATCH_SNP, false, WROTE_AGAIN, FOUND_LINE);
	expect_undone(WATCH_TDX, false, WROTE_AGAIN, FOUND_LINE);
	expect_undone(WATCH_SNP, true, NO_EVICT, FOUND_EVICT);
	expect_undone(WATCH_SNP, true, FIRST_LINE, FOUND_EVICT);
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

static void large_window(uint64_t flush)
{
	uint64_t pa = UINT64_C(2) << 20;

	begin(WATCH_SNP);
	put(0, WPMD_ENTRY, pa | P | LARGE | view(true));
	if (flush)
		watch_invlpg(w, 0, flush);
	watch_pvalidate(w, 0, WINDOW, true, false, 2);
}

static void window_over_a_table(void **s)
{
	(void)s;
	large_window(0);
	assert_true(found(FOUND_OWNER));
	end();
	large_window(WINDOW + (UINT64_C(2) << 20));
	assert_true(found(FOUND_OWNER));
	end();
	large_window(WINDOW);
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

/*
 * A flush of one address drops what leads to a table, and no entries of others
 * that came from it.
 */
static void entries_of_an_unlinked_table(void **s)
{
	(void)s;
	begin(WATCH_TDX);
	memcpy(ram + OTHER_PT, ram + PT, 4096);
	memset(ram + OTHER_PT + 8 * FIRST, 0, 8);
	put(0, PMD, OTHER_PT | 3);
	watch_flush_all(w, 0);
	watch_invlpg(w, 1, DIRECT + PAGE(FIRST + 9));
	set_state(FIRST, STATE_PENDING);
	assert_true(found(FOUND_STALE));
	assert_int_equal(watch_finding(w, 0)->way.cpus, 2);
	end();
}

/*
 * A table is taken away, and its page is one of another level then: when every
 * CPU has flushed, or before.
 */
/* KASAN's shadow: a table of entries that are all the next table. */
static void table_of_many_places(void **s)
{
	(void)s;
	begin(WATCH_VTOM);
	for (unsigned int i = 0; i < 512; i++)
		memcpy(ram + OTHER_PT + 8 * i, &(uint64_t){ PAGE(FIRST) | P |
			view(true) }, 8);
	for (unsigned int i = 100; i < 512; i++)
		put(0, VPMD + 8 * i, OTHER_PT | 3);
	watch_drain(w, 0);
	assert_int_equal(watch_counted(w)->places_left_out, 412 - 64);
	set_state(FIRST, STATE_SHARED);
	assert_true(found(FOUND_PRESENT));
	/* One goes, and there is room for another. */
	put(0, VPMD + 8 * 100, 0);
	watch_flush_all(w, 0);
	watch_flush_all(w, 1);
	put(0, VPMD + 8 * 511, 0);
	put(0, VPMD + 8 * 511, OTHER_PT | 3);
	assert_int_equal(watch_counted(w)->places_left_out, 412 - 64);
	end();
}

static void table_of_another_level(void **s)
{
	(void)s;
	for (unsigned int early = 0; early < 2; early++) {
		begin(WATCH_TDP);
		put(0, WPMD_ENTRY, 0);
		shoot_down(WINDOW, early ? ONLY_THIS_CPU : 0);
		put(0, WPT, P | LARGE | view(true));
		put(0, VPUD + 8, WPT | 3);
		convert(FIRST, true, NO_CLFLUSH);
		assert_true(found(FOUND_PRESENT));
		assert_true(watch_finding(w, 0)->way.va ==
			    VMALLOC + (UINT64_C(1) << 30) + PAGE(FIRST));
		end();
	}
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

/* It is made when the conversion is long over. */
static void bad_alias_made_later(void **s)
{
	(void)s;
	begin(WATCH_TDP);
	convert(FIRST, true, 0);
	put(1, VPT + 8, PAGE(20) | P | view(true));
	nothing_found();
	put(1, VPT + 16, PAGE(FIRST) | P | view(true));
	assert_true(found(FOUND_PRESENT));
	end();
}

/* The page in front is being converted, too: nobody uses it before the end. */
static void in_front_is_busy(void **s)
{
	(void)s;
	begin(WATCH_TDP);
	put(0, pte(FIRST - 1), 0);
	shoot_down(DIRECT + PAGE(FIRST - 1), 0);
	watch_convert(w, 0, DIRECT + PAGE(FIRST), 2, true, 7, 8);
	set_state(FIRST + 1, STATE_SHARED);
	nothing_found();
	watch_converted(w, 0, 8, false);
	assert_true(found(FOUND_PRESENT));
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
	watch_invlpgb(w, 0, (DIRECT + PAGE(FIRST)) | 9, 0);
	watch_tlbsync(w, 0);
}

static void by_invlpgb_alone(void)
{
	watch_invlpgb(w, 0, (DIRECT + PAGE(FIRST)) | 9, 0);
}

static void by_invlpgb_not_global(void)
{
	watch_invlpgb(w, 0, (DIRECT + PAGE(FIRST)) | 1, 0);
	watch_tlbsync(w, 0);
}

static void by_invlpgb_of_a_pcid(void)
{
	watch_invlpgb(w, 0, (DIRECT + PAGE(FIRST)) | 11, 0);
	watch_tlbsync(w, 0);
}

/* The second of two, the last of a row; all; 2M apart. */
static void by_two_invlpgbs(void)
{
	watch_invlpgb(w, 0, (DIRECT + PAGE(64)) | 9, 7);
	watch_invlpgb(w, 0, (DIRECT + PAGE(FIRST - 3)) | 9, 3);
	watch_tlbsync(w, 0);
}

static void by_invlpgb_one_short(void)
{
	watch_invlpgb(w, 0, (DIRECT + PAGE(FIRST - 3)) | 9, 2);
	watch_tlbsync(w, 0);
}

static void by_invlpgb_of_all(void)
{
	watch_invlpgb(w, 0, 8, 0);
	watch_tlbsync(w, 0);
}

static void by_invlpgb_of_all_not_global(void)
{
	watch_invlpgb(w, 0, 0, 0);
	watch_tlbsync(w, 0);
}

static void by_invlpgb_2m_apart(void)
{
	watch_invlpgb(w, 0, (DIRECT + PAGE(FIRST) - (UINT64_C(2) << 20)) | 9,
		      1u << 31 | 1);
	watch_tlbsync(w, 0);
}

static void by_invlpgb_2m_off(void)
{
	watch_invlpgb(w, 0, (DIRECT + PAGE(FIRST - 1)) | 9, 1u << 31 | 1);
	watch_tlbsync(w, 0);
}

/* TLBSYNC of a CPU waits for what that CPU has sent. */
static void by_anothers_tlbsync(void)
{
	watch_invlpgb(w, 0, (DIRECT + PAGE(FIRST)) | 9, 0);
	watch_tlbsync(w, 1);
}

static void by_invpcid_0(void)
{
	watch_invpcid(w, 1, 0, 0, DIRECT + PAGE(FIRST));
}

static void by_invpcid_0_elsewhere(void)
{
	watch_invpcid(w, 1, 0, 0, DIRECT + PAGE(FIRST + 1));
}

static void by_invpcid_0_of_another(void)
{
	watch_invpcid(w, 1, 0, 3, DIRECT + PAGE(FIRST));
}

static void by_invpcid_1(void)
{
	watch_invpcid(w, 1, 1, 0, 0);
}

static void by_invpcid_1_of_another(void)
{
	watch_invpcid(w, 1, 1, 3, 0);
}

static void by_invpcid_2(void)
{
	watch_invpcid(w, 1, 2, 0, 0);
}

static void by_invpcid_3(void)
{
	watch_invpcid(w, 1, 3, 0, 0);
}

static void by_cr4_pge(void)
{
	watch_cr4(w, 1, 0x6f0, 0x670);
}

static void by_cr4_smep(void)
{
	watch_cr4(w, 1, 0x6f0, 0x1006f0);
}

/* Nothing is flushed by a bit such as FSGSBASE. */
static void by_cr4_other(void)
{
	watch_cr4(w, 1, 0x6f0, 0x106f0);
}

#define PCIDE 0x20000

static void by_cr3_with_pcids(void)
{
	watch_cr4(w, 1, 0x6f0, 0x6f0 | PCIDE);
	watch_cr3(w, 1, PGD | 1);
}

static void by_cr3_that_keeps(void)
{
	watch_cr4(w, 1, 0x6f0, 0x6f0 | PCIDE);
	watch_cr3(w, 1, PGD | 1 | UINT64_C(1) << 63);
}

static void by_invlpg_with_pcids(void)
{
	watch_cr4(w, 1, 0x6f0, 0x6f0 | PCIDE);
	watch_invlpg(w, 1, DIRECT + PAGE(FIRST));
}

static void by_invpcid_1_with_pcids(void)
{
	watch_cr4(w, 1, 0x6f0, 0x6f0 | PCIDE);
	watch_invpcid(w, 1, 1, 0, 0);
}

static void by_pcids_off(void)
{
	watch_cr4(w, 1, 0x6f0 | PCIDE, 0x6f0);
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
	stale_after(by_cr4_pge, ENTRY_GLOBAL, false);
	stale_after(by_cr4_smep, ENTRY_GLOBAL, false);
	stale_after(by_cr4_other, 0, true);
}

static void flushes_of_all_cpus(void **s)
{
	(void)s;
	stale_after(by_invlpgb_not_global, 0, false);
	stale_after(by_invlpgb_not_global, ENTRY_GLOBAL, true);
	stale_after(by_invlpgb_of_a_pcid, 0, true);
	stale_after(by_two_invlpgbs, ENTRY_GLOBAL, false);
	stale_after(by_invlpgb_one_short, 0, true);
	stale_after(by_invlpgb_of_all, ENTRY_GLOBAL, false);
	stale_after(by_invlpgb_of_all_not_global, 0, false);
	stale_after(by_invlpgb_of_all_not_global, ENTRY_GLOBAL, true);
	stale_after(by_invlpgb_2m_apart, ENTRY_GLOBAL, false);
	stale_after(by_invlpgb_2m_off, 0, true);
	stale_after(by_anothers_tlbsync, 0, true);
}

/* What is taken away between INVLPGB and TLBSYNC is not what they flush. */
static void invlpgb_too_early(void **s)
{
	(void)s;
	for (int all = 0; all < 2; all++) {
		begin(WATCH_VTOM);
		watch_invlpgb(w, 0, all ? 8 : (DIRECT + PAGE(FIRST)) | 9, 0);
		put(0, pte(FIRST), 0);
		watch_tlbsync(w, 0);
		set_state(FIRST, STATE_SHARED);
		assert_true(found(FOUND_STALE));
		end();
	}
}

/* Bit 4: what leads to a table stays. */
static void invlpgb_and_tables(void **s)
{
	(void)s;
	for (unsigned int final = 0; final <= 16; final += 16) {
		begin(WATCH_SNP);
		put(0, WPMD_ENTRY, UINT64_C(2) << 20 | P | LARGE | view(true));
		watch_invlpgb(w, 0, WINDOW | 9 | final, 0);
		watch_tlbsync(w, 0);
		watch_pvalidate(w, 0, WINDOW, true, false, 2);
		assert_int_equal(found(FOUND_OWNER), final != 0);
		end();
	}
}

static void flushes_of_pcids(void **s)
{
	(void)s;
	stale_after(by_invpcid_0, 0, false);
	stale_after(by_invpcid_0, ENTRY_GLOBAL, true);
	stale_after(by_invpcid_0_elsewhere, 0, true);
	stale_after(by_invpcid_0_of_another, 0, true);
	stale_after(by_invpcid_1, 0, false);
	stale_after(by_invpcid_1, ENTRY_GLOBAL, true);
	stale_after(by_invpcid_1_of_another, 0, true);
	stale_after(by_invpcid_2, ENTRY_GLOBAL, false);
	stale_after(by_invpcid_3, 0, false);
	stale_after(by_invpcid_3, ENTRY_GLOBAL, true);
	stale_after(by_cr3_with_pcids, 0, true);
	stale_after(by_cr3_that_keeps, 0, true);
	stale_after(by_invlpg_with_pcids, ENTRY_GLOBAL, false);
	stale_after(by_invlpg_with_pcids, 0, true);
	stale_after(by_invpcid_1_with_pcids, 0, true);
	stale_after(by_pcids_off, ENTRY_GLOBAL, false);
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
	/* It forgets what it held before it went. */
	begin(WATCH_VTOM);
	put(0, pte(FIRST), 0);
	watch_invlpg(w, 0, DIRECT + PAGE(FIRST));
	watch_cpu_off(w, 1);
	watch_invlpg(w, 1, DIRECT + PAGE(FIRST + 1));
	set_state(FIRST, STATE_SHARED);
	nothing_found();
	end();
}

/* An entry that is taken away again, as it was the first time. */
static void taken_away_again(void **s)
{
	(void)s;
	begin(WATCH_VTOM);
	put(0, pte(FIRST), 0);
	watch_flush_all(w, 0);
	watch_invlpg(w, 1, DIRECT + PAGE(FIRST));
	put(0, pte(FIRST), PAGE(FIRST) | P | view(true));
	put(0, pte(FIRST), 0);
	set_state(FIRST, STATE_SHARED);
	assert_true(found(FOUND_STALE));
	assert_int_equal(watch_finding(w, 0)->way.cpus, 3);
	end();
}

/* It was global, and a load of CR3 does not drop what was. */
static void no_longer_global(void **s)
{
	(void)s;
	begin(WATCH_VTOM);
	put(0, pte(FIRST), PAGE(FIRST) | (P & ~ENTRY_GLOBAL) | view(true));
	put(0, pte(FIRST), 0);
	watch_cr3(w, 0, PGD);
	watch_cr3(w, 1, PGD);
	set_state(FIRST, STATE_SHARED);
	assert_true(found(FOUND_STALE));
	end();
}

/* In its place comes a table, which maps one page of it. */
static void large_entry(bool in_it)
{
	const uint64_t seventh = PAGE(512 + 7) | P | view(true);

	begin(WATCH_VTOM);
	memcpy(ram + OTHER_PT + 8 * 7, &seventh, 8);
	put(0, PMD + 8, OTHER_PT | 3);
	watch_flush_all(w, 0);
	watch_invlpg(w, 1, DIRECT + PAGE(in_it ? 512 + 9 : 511));
	set_state(512 + 8, STATE_SHARED);
	assert_int_equal(found(FOUND_STALE), !in_it);
	end();
}

/* Whatever address of it is flushed, all of it is. */
static void large_entries(void **s)
{
	(void)s;
	large_entry(true);
	large_entry(false);
}

/* The last that a machine can have. */
static void many_cpus(void **s)
{
	(void)s;
	begin(WATCH_VTOM);
	watch_cr3(w, WATCH_CPUS - 1, PGD);
	convert(FIRST, true, 0);
	assert_true(found(FOUND_STALE));
	assert_int_equal(watch_finding(w, 0)->way.cpus, 1 << 15);
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

static void begin_lies(void)
{
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
}

/* Nor is what a host that lies has brought about. */
static void lied_to(void **s)
{
	(void)s;
	begin_lies();
	set_state(FIRST, STATE_SHARED);		/* amid somebody's call */
	nothing_found();
	convert(FIRST + 4, true, NO_NP);
	assert_true(found(FOUND_PRESENT));
	end();
}

/* Once it has lied, not even what becomes of pages in a conversion. */
static void lied_to_before(void **s)
{
	(void)s;
	begin_lies();
	states[FIRST] = STATE_SHARED | STATE_BY_HOST;
	watch_state(w, 0, FIRST, false);
	convert(FIRST + 4, true, NO_NP);
	nothing_found();
	end();
}

/* ---- store buffers ---- */

enum { FENCE = 1, IPI = 2, AGAIN = 4, FULL = 8 };

static void remote_flush(unsigned int how)
{
	if (how & FULL)
		watch_flush_all(w, 1);
	else
		watch_invlpg(w, 1, DIRECT + PAGE(FIRST));
}

/* CPU 0 takes the entry away and asks CPU 1 to flush. */
static void buffered(unsigned int how, bool expected)
{
	begin(WATCH_VTOM);
	put(0, pte(FIRST), 0);
	if (how & FENCE)
		watch_drain(w, 0);
	watch_ipi(w, 0);
	/* Its own flush drains, and may be before the other's. */
	if (how & IPI)
		watch_invlpg(w, 0, DIRECT + PAGE(FIRST));
	remote_flush(how);
	watch_invlpg(w, 0, DIRECT + PAGE(FIRST));
	if (how & AGAIN) {
		watch_ipi(w, 0);
		remote_flush(how);
	}
	set_state(FIRST, STATE_SHARED);
	assert_int_equal(found(FOUND_STALE), expected);
	if (expected) {
		assert_int_equal(watch_finding(w, 0)->way.cpus, 2);
		assert_true(watch_finding(w, 0)->way.unseen);
		assert_int_equal(watch_finding(w, 0)->way.writer, 0);
	}
	end();
}

static void store_buffer(void **s)
{
	(void)s;
	buffered(FENCE, false);
	buffered(FENCE | FULL, false);
	buffered(0, true);
	buffered(FULL, true);
	/* It was drained before the other flushed, but not for certain. */
	buffered(IPI, true);
	buffered(IPI | FULL, true);
	buffered(AGAIN, false);
	buffered(IPI | AGAIN | FULL, false);
}

/*
 * The same of a table, in whose place comes one that does not map the page:
 * CPU 1 may still come to it.
 */
static void store_buffer_of_a_table(void **s)
{
	(void)s;
	for (int fence = 0; fence < 2; fence++) {
		begin(WATCH_TDX);
		memcpy(ram + OTHER_PT, ram + PT, 4096);
		memset(ram + OTHER_PT + 8 * FIRST, 0, 8);
		put(0, PMD, OTHER_PT | 3);
		if (fence)
			watch_drain(w, 0);
		watch_flush_all(w, 1);
		watch_flush_all(w, 0);
		set_state(FIRST, STATE_PENDING);
		assert_int_equal(found(FOUND_STALE) || found(FOUND_CACHED),
				 !fence);
		end();
	}
}

/*
 * A leaf is split by CPU 0, and CPU 1 takes an entry of the new table away: it
 * came there by what CPU 0 wrote, so its flush counts.
 */
static void store_buffer_was_seen(void **s)
{
	(void)s;
	for (int other = 0; other < 2; other++) {
		begin(WATCH_VTOM);
		put(0, PMD, P | LARGE | view(true));
		for (unsigned int c = 0; c < 2; c++)
			watch_flush_all(w, c);
		watch_ipi(w, 0);
		put(0, PMD, PT | 3);
		put(other ? 1 : 0, pte(FIRST), 0);
		watch_flush_all(w, 1);
		watch_flush_all(w, 0);
		set_state(FIRST, STATE_SHARED);
		assert_int_equal(found(FOUND_STALE), !other);
		end();
	}
}

/* Many stores wait, their notes move and go: nothing is left behind. */
static void store_buffer_fills(void **s)
{
	(void)s;
	begin(WATCH_VTOM);
	for (unsigned int k = 0; k < 40; k++)
		for (unsigned int i = 0; i < 512; i++)
			put(k & 1, pte(i), k & 1 ? PAGE(i) | P | view(true) :
			    PAGE((i + k) % 512) | P | view(true));
	assert_true(watch_wants_drains(w));
	for (unsigned int c = 0; c < 2; c++)
		watch_flush_all(w, c);
	assert_false(watch_wants_drains(w));
	for (unsigned int c = 0; c < 2; c++)
		watch_flush_all(w, c);
	convert(FIRST, true, 0);
	nothing_found();
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

static const char *trail(unsigned int i);

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

/* One leaves its CPU in a window, and another converts there meanwhile. */
static void threads_take_turns(void **s)
{
	enum { A = 100, B = 200 };
	static const char order[] =
		"np+flip, tlb, cache@window, notify@window, present";

	(void)s;
	begin(WATCH_SNP);
	watch_want_trails(w);
	assert_false(watch_wants_switches(w, 0));
	watch_convert(w, 0, DIRECT + PAGE(FIRST), 1, true, 7, 8);
	assert_true(watch_wants_switches(w, 0));
	put(0, pte(FIRST), ~PAGE(FIRST) & WATCH_ADDR);
	shoot_down(DIRECT + PAGE(FIRST), 0);
	watch_switch(w, 0, A, B);
	watch_convert(w, 0, DIRECT + PAGE(FIRST + 1), 1, true, 6, 9);
	put(0, pte(FIRST + 1), ~PAGE(FIRST + 1) & WATCH_ADDR);
	shoot_down(DIRECT + PAGE(FIRST + 1), 0);
	flush_cache(FIRST + 1, true, 0);
	watch_switch(w, 0, B, A);
	flush_cache(FIRST, true, 0);
	host_work(FIRST, true, 0);
	watch_switch(w, 0, A, B);
	host_work(FIRST + 1, true, 0);
	present(FIRST + 1, true);
	watch_converted(w, 0, 9, false);
	watch_switch(w, 0, B, A);
	present(FIRST, true);
	watch_converted(w, 0, 8, false);
	assert_int_equal(watch_conversions(w), 2);
	order_is(0, order);
	order_is(1, order);
	assert_int_equal(watch_trails(w), 1);
	assert_string_equal(trail(0), "E0- D F0:1 F1:1 Cw S32w S21 E0s R");
	assert_int_equal(watch_trail(w, 0)->pages, 2);
	assert_false(watch_wants_switches(w, 0));
	nothing_found();
	end();
}

/* What it did is known. Which CPU a trail calls 0 is not. */
static void thread_goes_elsewhere(void **s)
{
	(void)s;
	begin(WATCH_TDX);
	watch_want_trails(w);
	watch_convert(w, 1, DIRECT + PAGE(FIRST), 1, true, 7, 8);
	put(1, pte(FIRST), 0);
	watch_drain(w, 1);
	watch_switch(w, 1, 100, 200);
	watch_switch(w, 0, 300, 100);
	shoot_down(DIRECT + PAGE(FIRST), 0);
	flush_cache(FIRST, true, 0);
	host_work(FIRST, true, 0);
	present(FIRST, true);
	watch_converted(w, 0, 8, false);
	order_is(0, "np, tlb, cache@window, notify, present");
	assert_int_equal(watch_trails(w), 0);
	assert_int_equal(watch_trail_counted(w)->moved, 1);
	/* More than there is room for. */
	for (unsigned int i = 0; i < 20; i++) {
		watch_convert(w, 0, DIRECT + PAGE(i), 1, true, 7, 8 + i);
		watch_switch(w, 0, 100 + i, 101 + i);
	}
	nothing_found();
	/* The last of them are in no conversion: one can be reached from another. */
	put(0, pte(18), PAGE(18) | P | view(false));
	watch_drain(w, 0);
	assert_true(found(FOUND_PRESENT));
	watch_end(w);
	end();
}

/*
 * A leaf is split, or another CPU's shootdown comes, in the middle of a pass
 * and of the host's work: neither flush is a step.
 */
static void flush_inside_a_step(void **s)
{
	(void)s;
	begin(WATCH_SNP);
	watch_convert(w, 0, DIRECT + PAGE(FIRST), 2, true, 7, 8);
	watch_alias(w, 0);
	put(0, pte(FIRST), ~PAGE(FIRST) & WATCH_ADDR);
	watch_flush_all(w, 0);
	put(0, pte(FIRST + 1), ~PAGE(FIRST + 1) & WATCH_ADDR);
	shoot_down(DIRECT + PAGE(FIRST), 0);
	shoot_down(DIRECT + PAGE(FIRST + 1), 0);
	for (unsigned int i = 0; i < 2; i++) {
		flush_cache(FIRST + i, true, 0);
		watch_flush_all(w, 0);
	}
	for (unsigned int i = 0; i < 2; i++) {
		host_work(FIRST + i, true, 0);
		watch_flush_all(w, 0);
	}
	present(FIRST, true);
	present(FIRST + 1, true);
	watch_converted(w, 0, 8, false);
	order_is(0, "alias, np+flip, tlb, cache@window, tlb, notify@window, "
		 "tlb, present");
	assert_int_equal(watch_conversion(w, 0)->inside, 3);
	nothing_found();
	end();
}

/* Another CPU's shootdown between two steps is answered on another stack. */
static void flush_for_another_cpu(void **s)
{
	(void)s;
	begin(WATCH_TDX);
	watch_convert(w, 0, DIRECT + PAGE(FIRST), 1, true, 7, 8);
	watch_at(w, 0, 1, 8);
	put(0, pte(FIRST), ~PAGE(FIRST) & WATCH_ADDR);
	shoot_down(DIRECT + PAGE(FIRST), 0);
	flush_cache(FIRST, true, 0);
	host_work(FIRST, true, 0);
	watch_at(w, 0, 1, 9);
	watch_flush_all(w, 0);
	watch_at(w, 0, 1, 8);
	present(FIRST, true);
	watch_flush_all(w, 0);
	watch_converted(w, 0, 8, false);
	order_is(0, "np, tlb, cache@window, notify, flip+present, tlb");
	assert_int_equal(watch_conversion(w, 0)->inside, 1);
	nothing_found();
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
	assert_int_equal(KIND("\x0f\x22\xe0"), INSN_CR4);
	assert_int_equal(KIND("\x0f\x22\xc0"), INSN_DRAIN);	/* CR0 */
	assert_int_equal(KIND("\x44\x0f\x22\xc0"), INSN_OTHER);	/* CR8 */
	assert_int_equal(KIND("\x66\x0f\x38\x82\x01"), INSN_INVPCID);
	/* invpcid 0x10(%rsp),%r9 */
	i = insn_decode((const uint8_t *)
			"\x66\x44\x0f\x38\x82\x4c\x24\x10", 8, 0);
	assert_int_equal(i.kind, INSN_INVPCID);
	assert_int_equal(i.reg, 9);
	assert_int_equal(i.base, 4);
	assert_int_equal(i.disp, 0x10);
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

/* What empties the store buffer, and what does not. */
static void draining(void **s)
{
	(void)s;
	assert_int_equal(KIND("\xf0\x48\x0f\xab\x07"), INSN_DRAIN); /* bts */
	assert_int_equal(KIND("\xf0\x83\x04\x24\x00"), INSN_DRAIN); /* add */
	assert_int_equal(KIND("\x48\x87\x07"), INSN_DRAIN);	/* xchg */
	assert_int_equal(KIND("\x48\x87\xc3"), INSN_OTHER);	/* registers */
	assert_int_equal(KIND("\x0f\xae\xf0"), INSN_DRAIN);	/* mfence */
	assert_int_equal(KIND("\x0f\xae\xe8"), INSN_OTHER);	/* lfence */
	assert_int_equal(KIND("\x0f\xae\xf8"), INSN_OTHER);	/* sfence */
	assert_int_equal(KIND("\x0f\xa2"), INSN_DRAIN);		/* cpuid */
	assert_int_equal(KIND("\x48\xcf"), INSN_DRAIN);		/* iretq */
	assert_int_equal(KIND("\xee"), INSN_DRAIN);		/* out */
	assert_int_equal(KIND("\x0f\x30"), INSN_WRMSR);
	assert_int_equal(KIND("\x48\x89\x07"), INSN_OTHER);
	assert_true(insn_msr_drains(0xc0000080));
	assert_false(insn_msr_drains(0x830));
	assert_false(insn_msr_drains(0x6e0));
	assert_true(insn_sends_ipi(0x830));
	assert_false(insn_sends_ipi(0x80b));
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

/* ---- what led to a finding ---- */

static struct watch_event led[EVENTS_SHOWN];
static unsigned int led_by;

static void keep_history(void *ctx, const struct watch_finding *f)
{
	(void)ctx;
	if (!f->id || f->kind == FOUND_OUTLIVES)
		led_by = watch_history(w, f, led, EVENTS_SHOWN);
}

static void begin_history(void)
{
	begin(WATCH_TDX);
	watch_free(w);
	w = watch_new(&(struct watch_config){ .platform = WATCH_TDX, .cpus = 2,
		      .honest = true, .ram_size = RAM, .ram = ram,
		      .states = states }, keep_history, NULL);
	for (uint64_t f = 0; f < RAM / 4096; f++)
		watch_state(w, 0, f, false);
	watch_cr3(w, 0, PGD);
	watch_cr3(w, 1, PGD);
	watch_begin(w);
	led_by = 0;
}

static void history_is(const enum watch_event_kind *expected, size_t n)
{
	assert_int_equal(led_by, n);
	for (unsigned int i = 0; i < n; i++)
		assert_int_equal(led[i].kind, expected[i]);
}

/*
 * Eight pages, of which one is in the finding: what a loop did to them is one
 * event, and what others did to other pages is none. An entry that changes
 * behind a flush is not what it was before it.
 */
static void history(void **s)
{
	static const enum watch_event_kind expected[] = {
		EVENT_CONVERT, EVENT_ENTRY, EVENT_FLUSH_ALL, EVENT_ENTRY,
		EVENT_CLFLUSH, EVENT_STATE,
	};

	(void)s;
	begin_history();
	watch_convert(w, 0, DIRECT + PAGE(FIRST), 8, true, 0x77, 1);
	for (unsigned int i = FIRST; i < FIRST + 8; i++)
		put(0, pte(i), PAGE(i) | (P & ~1u));
	put(1, pte(100), 0);
	watch_flush_all(w, 0);
	for (unsigned int i = FIRST; i < FIRST + 8; i++)
		put(0, pte(i), PAGE(i) | P);
	for (uint64_t at = 0; at < PAGE(8); at += 64)
		watch_clflush(w, 0, DIRECT + PAGE(FIRST) + at, 0x99);
	set_state(FIRST, STATE_SHARED);
	history_is(expected, sizeof(expected) / sizeof(*expected));
	assert_int_equal(led[1].pages, 1);
	assert_int_equal(led[4].pages, 8);
	assert_int_equal(led[4].times, 512);
	assert_int_equal(led[0].rip, 0x77);
	end();
}

/* Four stores, a flush, four that go on where those ended: what came when. */
static void history_of_a_flush(void **s)
{
	static const enum watch_event_kind expected[] = {
		EVENT_FLUSH_ALL, EVENT_ENTRY, EVENT_STATE, EVENT_ENTRY,
	};

	(void)s;
	begin_history();
	for (unsigned int i = FIRST; i < FIRST + 8; i++) {
		if (i == FIRST + 4)
			watch_flush_all(w, 0);
		memset(ram + pte(i), 0, 8);
		watch_store(w, 0, pte(i), 8, 0x55);
	}
	set_state(FIRST + 4, STATE_SHARED);
	put(0, pte(FIRST + 4), PAGE(FIRST + 4) | P | view(false));
	history_is(expected, sizeof(expected) / sizeof(*expected));
	assert_int_equal(led[1].pages, 4);
	end();
}

/* ---- trails: what was done to a page, for the proof ---- */

/* Of the only trail: "E-" an entry not present, "D0" drain, "F01" and so on. */
static const char *trail(unsigned int i)
{
	static char text[200];
	const struct watch_trail *t = watch_trail(w, i);
	char *to = text;

	for (unsigned int k = 0; k < t->n; k++) {
		const struct watch_trail_event *e = &t->ev[k];

		to += sprintf(to, "%s%c", k ? " " : "", "EDFCSVR"[e->kind]);
		if (e->kind == TRAIL_ENTRY)
			to += sprintf(to, "%u%s", e->map, !e->value ? "-" :
				      e->value & TRAIL_SHARED ? "s" : "p");
		else if (e->kind == TRAIL_STATE)
			to += sprintf(to, "%u%u", e->old, e->value);
		else if (e->kind == TRAIL_FLUSH)
			to += sprintf(to, "%u:%x", e->cpu, e->value);
		if (e->window)
			*to++ = 'w';
		*to = 0;
	}
	return text;
}

static void trail_of(enum watch_platform p, unsigned int without,
		     const char *shared, const char *private)
{
	begin(p);
	watch_want_trails(w);
	convert(FIRST, true, without);
	convert(FIRST, false, without);
	assert_int_equal(watch_trails(w), 2);
	assert_string_equal(trail(0), shared);
	assert_string_equal(trail(1), private);
	end();
}

static void trails(void **s)
{
	(void)s;
	trail_of(WATCH_SNP, 0,
		 "E0- D F0:1 F1:1 Cw S32w S21 E0s R",
		 "E0- D F0:1 F1:1 Cw S12 S23w Vw E0p R");
	trail_of(WATCH_TDX, 0, "E0- D F0:1 F1:1 Cw S31 E0s R",
		 "E0- D F0:1 F1:1 Cw S12 S23 E0p R");
	trail_of(WATCH_SNP, ONLY_THIS_CPU | LINE_SHORT | NO_EVICT,
		 "E0- D F0:1 S32w S21 E0s R", "E0- D F0:1 S12 S23w E0p R");
	trail_of(WATCH_VTOM, EARLY, "E0- D F0:1 F1:1 Cw E0s S31 R",
		 "E0- D F0:1 F1:1 Cw E0p S12 S23 R");
}

static void trails_of_several_pages(void **s)
{
	(void)s;
	begin(WATCH_TDX);
	watch_want_trails(w);
	/* It has an alias, and the next one has none. */
	put(1, VPT, PAGE(FIRST) | P);
	watch_convert(w, 1, DIRECT + PAGE(FIRST), 2, true, 7, 8);
	for (unsigned int i = FIRST; i < FIRST + 2; i++)
		put(1, pte(i), ~PAGE(i) & WATCH_ADDR);
	put(1, VPT, 0);
	watch_flush_all(w, 1);
	watch_flush_all(w, 0);
	watch_invlpg(w, 0, VMALLOC);
	watch_converted(w, 1, 8, false);
	assert_int_equal(watch_trails(w), 2);
	assert_string_equal(trail(0), "E0- E1- D F0:3 F1:3 R");
	assert_string_equal(trail(1), "E0- D F0:1 F1:1 R");
	/* The CPU that converts is 0. */
	assert_int_equal(watch_trail(w, 0)->ev[0].cpu, 0);
	assert_int_equal(watch_trail(w, 0)->maps, 2);
	/* What it is already is no conversion; nor what is refused. */
	watch_convert(w, 0, DIRECT + PAGE(8), 1, false, 7, 8);
	watch_converted(w, 0, 8, false);
	watch_convert(w, 0, DIRECT + PAGE(8), 1, true, 7, 8);
	watch_converted(w, 0, 8, true);
	assert_int_equal(watch_trail_counted(w)->kept, 2);
	assert_int_equal(watch_trail_counted(w)->unfit, 1);
	assert_int_equal(watch_trail_counted(w)->refused, 1);
	/* A CPU that goes off is to flush and is not. */
	watch_convert(w, 0, DIRECT + PAGE(9), 1, true, 7, 8);
	watch_cpu_off(w, 1);
	watch_converted(w, 0, 8, false);
	assert_int_equal(watch_trail_counted(w)->kept, 2);
	assert_int_equal(watch_trail_counted(w)->unfit, 2);
	end();
}

/* np, tlb, flip, tlb: what is not present looks alike, and was changed. */
static void trails_flip(void **s)
{
	(void)s;
	begin(WATCH_VTOM);
	watch_want_trails(w);
	watch_convert(w, 0, DIRECT + PAGE(FIRST), 1, true, 7, 8);
	put(0, pte(FIRST), PAGE(FIRST) | view(true));
	shoot_down(DIRECT + PAGE(FIRST), 0);
	put(0, pte(FIRST), PAGE(FIRST) | view(false));
	shoot_down(DIRECT + PAGE(FIRST), 0);
	set_state(FIRST, STATE_SHARED);
	present(FIRST, true);
	watch_converted(w, 0, 8, false);
	assert_string_equal(trail(0),
		"E0- D F0:1 F1:1 E0- D F0:1 F1:1 S31 E0s R");
	end();
}

/* Whose flush counts: see store_buffer(). */
static void trails_and_ipis(void **s)
{
	(void)s;
	begin(WATCH_TDX);
	watch_want_trails(w);
	watch_convert(w, 0, DIRECT + PAGE(FIRST), 1, true, 7, 8);
	put(0, pte(FIRST), 0);
	watch_invlpg(w, 1, DIRECT + PAGE(FIRST));	/* not seen yet */
	watch_ipi(w, 0);
	watch_drain(w, 0);
	watch_invlpg(w, 1, DIRECT + PAGE(FIRST));	/* it may be late */
	watch_ipi(w, 0);
	watch_invlpg(w, 1, DIRECT + PAGE(FIRST));
	set_state(FIRST, STATE_SHARED);
	states[FIRST] = STATE_PRIVATE;			/* the host's own act */
	watch_state(w, 1, FIRST, false);
	present(FIRST, true);
	watch_end(w);
	assert_string_equal(trail(0), "E0- D F1:1 S31");
	end();
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
		cmocka_unit_test(wbinvd),
		cmocka_unit_test(bad_evict),
		cmocka_unit_test(undone_half_way),
		cmocka_unit_test(undone_without_a_flush),
		cmocka_unit_test(bad_undone_half_way),
		cmocka_unit_test(bad_owner),
		cmocka_unit_test(bad_twice),
		cmocka_unit_test(bad_given_away_validated),
		cmocka_unit_test(bad_host_not_told),
		cmocka_unit_test(window_over_a_table),
		cmocka_unit_test(window_half_done),
		cmocka_unit_test(unlinked_table),
		cmocka_unit_test(entries_of_an_unlinked_table),
		cmocka_unit_test(table_of_another_level),
		cmocka_unit_test(table_of_many_places),
		cmocka_unit_test(bad_alias_forgotten),
		cmocka_unit_test(bad_alias_made_later),
		cmocka_unit_test(in_front_is_busy),
		cmocka_unit_test(alias_out_of_reach),
		cmocka_unit_test(flushes),
		cmocka_unit_test(flushes_of_all_cpus),
		cmocka_unit_test(invlpgb_too_early),
		cmocka_unit_test(invlpgb_and_tables),
		cmocka_unit_test(flushes_of_pcids),
		cmocka_unit_test(cpus_come_and_go),
		cmocka_unit_test(taken_away_again),
		cmocka_unit_test(no_longer_global),
		cmocka_unit_test(large_entries),
		cmocka_unit_test(many_cpus),
		cmocka_unit_test(unasked),
		cmocka_unit_test(lied_to),
		cmocka_unit_test(lied_to_before),
		cmocka_unit_test(store_buffer),
		cmocka_unit_test(store_buffer_of_a_table),
		cmocka_unit_test(store_buffer_was_seen),
		cmocka_unit_test(store_buffer_fills),
		cmocka_unit_test(orders),
		cmocka_unit_test(threads_take_turns),
		cmocka_unit_test(thread_goes_elsewhere),
		cmocka_unit_test(flush_inside_a_step),
		cmocka_unit_test(flush_for_another_cpu),
		cmocka_unit_test(decoding),
		cmocka_unit_test(draining),
		cmocka_unit_test(storing),
		cmocka_unit_test(history),
		cmocka_unit_test(trails),
		cmocka_unit_test(trails_of_several_pages),
		cmocka_unit_test(trails_flip),
		cmocka_unit_test(trails_and_ipis),
		cmocka_unit_test(history_of_a_flush),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
