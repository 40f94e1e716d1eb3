// SPDX-License-Identifier: GPL-2.0
/*
 * The engine under libFuzzer: a machine and a series of calls out of the
 * input, with whatever a host may answer. After every call outcome, ledger and
 * page tables agree; an honest host is never accused, and is agreed with.
 */
#include "port.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct airlock *a;
static enum airlock_page was[PAGES];
static bool by_hand;		/* orders that are not safe were run */
static bool over;		/* kexec: no call comes after */

static enum airlock_page state_of(unsigned int page)
{
	return airlock_page(a, (uint64_t)page << 12);
}

static void remember(void)
{
	for (unsigned int i = 0; i < PAGES; i++)
		was[i] = state_of(i);
	m.calls = 0;
}

/* A page's entry is as the ledger has it. */
static void check_entry(uint64_t va, unsigned int page)
{
	unsigned int level;
	uint64_t e = leaf_of(va, &level);
	enum airlock_page s = state_of(page);

	must(s != AIRLOCK_PAGE_TRANSITION);
	must(((e & ADDR & ~UINT64_C(0x1fffff)) ==
	      ((uint64_t)page << 12 & ~UINT64_C(0x1fffff))));
	must(level == 2 || (e & ADDR) == (uint64_t)page << 12);
	must(!(e & P) == (s == AIRLOCK_PAGE_QUARANTINE));
	if ((e & P) && m.platform)
		must(is_shared(e) == (s == AIRLOCK_PAGE_SHARED));
}

static bool asks_host(void)
{
	return m.platform != AIRLOCK_PLAIN && m.platform != AIRLOCK_SEV;
}

static bool accepts(void)
{
	return m.platform == AIRLOCK_SNP || m.platform == AIRLOCK_TDX;
}

static void check_all(void)
{
	must(!m.locked && !m.pinned);
	for (unsigned int i = 0; i < PAGES; i++) {
		enum airlock_page s = state_of(i);

		check_entry(DIRECT + ((uint64_t)i << 12), i);
		if (!m.honest || by_hand || !asks_host() ||
		    s == AIRLOCK_PAGE_QUARANTINE)
			continue;
		must(m.shared[i] == (s == AIRLOCK_PAGE_SHARED));
		must(!accepts() || m.shared[i] || m.valid[i]);
	}
	/* On the way to kexec the direct map is all that is seen to. */
	for (unsigned int i = 0; !over && i < VM_PAGES; i++)
		check_entry(VMALLOC + ((uint64_t)i << 12), VM_FIRST + 2 * i);
	must(!m.honest || by_hand || !m.violations);
}

static uint64_t count(enum airlock_page s)
{
	uint64_t gpa = 0, pages = 0, n = 0;

	while (airlock_next(a, s, &gpa, &pages)) {
		must(pages && (gpa >> 12) + pages <= PAGES);
		n += pages;
		gpa += pages << 12;
	}
	return n;
}

static void check_outcome(int status, const struct airlock_outcome *o,
			  uint64_t pages, enum airlock_to to)
{
	uint64_t touched = o->converted + o->reverted + o->quarantined;
	enum airlock_page new = to ? AIRLOCK_PAGE_SHARED : AIRLOCK_PAGE_PRIVATE;
	uint64_t converted = 0, lost = 0;

	must(o->status == status && airlock_strerror(status));
	if (m.platform == AIRLOCK_PLAIN)
		return;
	for (unsigned int i = 0; i < PAGES; i++) {
		converted += state_of(i) != was[i] && state_of(i) == new;
		lost += state_of(i) != was[i] &&
			state_of(i) == AIRLOCK_PAGE_QUARANTINE;
	}
	must(converted == o->converted && lost == o->quarantined);
	must(!touched || touched == pages);
	must(status || o->converted == pages);
	must(status >= 64 || !status || status == AIRLOCK_E_CALLBACK ||
	     !touched);
}

static uint64_t address(void)
{
	uint64_t page = (uint64_t)(input() & 3) << 8 | input();

	switch (input() & 15) {
	case 15:
		return VMALLOC + ((page % (2 * VM_PAGES)) << 12);
	case 14:
		return DIRECT + (page << 12) + 8;
	case 13:
		return UINT64_MAX - 4095 * page;
	case 12:
		return WINDOW + (page << 12);
	case 11:
		return page << 44;
	default:
		return DIRECT + (page << 12);
	}
}

static uint64_t length(void)
{
	static const uint64_t odd[] = { 0, 512, 511, 513, 1024, UINT64_MAX,
					UINT64_C(1) << 52 };
	uint8_t b = input();

	return b < 248 ? b % 40 + 1 : odd[b % 7];
}

static void convert(void)
{
	enum { MOST = 20 };
	struct airlock_range r[MOST];
	struct airlock_outcome o = { 0 };
	struct airlock_order order = airlock_default_order;
	uint8_t b = input();
	unsigned int n = 1 + (b & 128 ? input() % MOST : 0);
	enum airlock_to to = b & 1 ? AIRLOCK_TO_SHARED : AIRLOCK_TO_PRIVATE;
	uint64_t pages = 0;
	int status;

	for (unsigned int i = 0; i < n; i++) {
		r[i] = (struct airlock_range){ address(), length() };
		pages += r[i].pages;
	}
	m.may_convert = (b & 6) != 6;
	remember();
	if ((b & 24) == 24) {
		airlock_order_named(airlock_named_orders[input() %
			airlock_named_order_count].name, m.platform, to, &order);
		by_hand = true;
		status = airlock_convert_order(a, r, n, to, &order, &o);
	} else {
		status = airlock_convert(a, r, n, to, &o);
	}
	check_outcome(status, &o, pages, to);
	must(!m.honest || by_hand || status < 96);
	check_all();
}

static void note(void)
{
	unsigned int page = (unsigned int)(input() & 7) << 8 | input();
	uint64_t n = length();
	enum airlock_to to = input() & 1 ? AIRLOCK_TO_SHARED :
		AIRLOCK_TO_PRIVATE;

	/* Who notes something has done it: here only page by page. */
	if (page >= PAGES || n > PAGES - page) {
		must(!m.platform || airlock_note(a, (uint64_t)page << 12, n, to));
		return;
	}
	for (; n; n--, page++) {
		bool vm = page >= VM_FIRST && page < VM_FIRST + 2 * VM_PAGES;
		unsigned int level;

		leaf_of(DIRECT + ((uint64_t)page << 12), &level);
		if (vm || level != 1 || !m.platform ||
		    airlock_note(a, (uint64_t)page << 12, 1, to))
			continue;
		set_shared(page, to == AIRLOCK_TO_SHARED);
		m.shared[page] = to == AIRLOCK_TO_SHARED;
		m.valid[page] = !m.shared[page];
	}
	check_all();
}

static void reclaim(void)
{
	uint64_t shared = count(AIRLOCK_PAGE_SHARED);
	struct airlock_outcome o = { 0 };
	int status;

	remember();
	status = airlock_reclaim_all(a, &o);
	must(o.status == status);
	over = true;
	check_all();
	if (!m.platform)
		return;
	must(o.converted <= shared);
	must(status || !count(AIRLOCK_PAGE_SHARED));
	must(!m.honest || by_hand || !status || m.starved);
}

static void order_text(void)
{
	struct airlock_order o, again;
	char text[512], print[1024];
	unsigned int n = input();
	size_t where = 0;

	for (unsigned int i = 0; i < n; i++) {
		uint8_t b = input();
		const char *name = airlock_step_name(b & 15);

		if (b & 128 && name && i + 24 < n) {
			i += (unsigned int)snprintf(text + i, 24, "%s%s,",
				name, b & 64 ? "@window" : "") - 1;
			continue;
		}
		text[i] = (char)b;
	}
	text[n] = 0;
	if (airlock_order_parse(text, &o, &where)) {
		must(where <= strlen(text));
		return;
	}
	must(airlock_order_print(&o, print, sizeof(print)) == strlen(print));
	must(!airlock_order_parse(print, &again, NULL));
	must(!memcmp(&o, &again, sizeof(o)));
	must(airlock_order_print(&o, print, n % 16) > 0 || !o.nsteps);
}

static void call(void)
{
	switch (input() & 7) {
	case 0:
		note();
		break;
	case 1:
		reclaim();
		break;
	case 2:
		order_text();
		break;
	default:
		convert();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct airlock_config cfg;
	size_t bytes;
	void *mem;

	input_begin(data, size);
	machine_begin();
	machine_config(&cfg);
	by_hand = over = false;
	bytes = airlock_size(&cfg);
	mem = aligned_alloc(64, (bytes + 63) & ~(size_t)63);
	must(bytes && mem);
	memset(mem, 0, bytes);
	must(!airlock_init_check(mem, bytes, &cfg));
	if (!airlock_init(&a, mem, bytes, &cfg)) {
		for (unsigned int i = 0; i < 24 && input_left() && !over; i++)
			call();
	}
	free(mem);
	return 0;
}
