// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The ledger: two bits for every 4K page of guest-physical space.
 *
 *                 claim               finish
 *     PRIVATE <-----------> TRANSITION -----> SHARED (and the same way back)
 *                               |
 *                               | the host's part is in doubt
 *                               v
 *                           QUARANTINE        (no way out)
 *
 * Written under the port's lock, one word of 32 pages at a time; read by
 * anyone, without it.
 */

#include "engine.h"

#define WORD_PAGES	UINT64_C(32)
#define EACH		UINT64_C(0x5555555555555555)

/* @state, in all pages of a word. */
static uint64_t pattern(enum airlock_page state)
{
	return EACH * (uint64_t)state;
}

static uint64_t word(const struct airlock *a, uint64_t i)
{
	return __atomic_load_n(&a->ledger[i], __ATOMIC_RELAXED);
}

/* The bits of pages @pfn to @end, as far as they lie in @pfn's word. */
static uint64_t mask(uint64_t pfn, uint64_t end, uint64_t *next)
{
	uint64_t first = pfn % WORD_PAGES, m = ~UINT64_C(0) << (2 * first);

	*next = pfn - first + WORD_PAGES;
	if (*next > end) {
		m &= ~UINT64_C(0) >> (2 * (*next - end));
		*next = end;
	}
	return m;
}

/* The bits of the pages of a word from @pfn on; of those before @end. */
static uint64_t from(uint64_t pfn)
{
	return ~UINT64_C(0) << (2 * (pfn % WORD_PAGES));
}

static uint64_t before(uint64_t end)
{
	return ~UINT64_C(0) >> ((0 - 2 * end) % 64);
}

/* Caller holds the lock. */
static void put(uint64_t *at, uint64_t m, uint64_t bits)
{
	__atomic_store_n(at, (*at & ~m) | (bits & m), __ATOMIC_RELAXED);
}

/* Caller holds the lock. @pages is not 0. */
void airlock_ledger_set(struct airlock *a, uint64_t gpa, uint64_t pages,
			enum airlock_page state)
{
	uint64_t pfn = gpa >> AIRLOCK_PAGE_SHIFT, end = pfn + pages;
	uint64_t *at = &a->ledger[pfn / WORD_PAGES], m = from(pfn);
	uint64_t *last = &a->ledger[(end - 1) / WORD_PAGES];
	uint64_t bits = pattern(state);

	if (at < last) {
		put(at, m, bits);
		while (++at < last)
			__atomic_store_n(at, bits, __ATOMIC_RELAXED);
		m = ~UINT64_C(0);
	}
	put(at, m & before(end), bits);
}

/* The pages of a word, one bit each at the even places, that are in @state. */
static uint64_t in_state(uint64_t w, enum airlock_page state)
{
	uint64_t diff = w ^ pattern(state);

	return ~(diff | diff >> 1) & EACH;
}

/* Are all in @state? If not, @other is what the first odd one is in. @pages
 * is not 0. */
bool airlock_ledger_all(const struct airlock *a, uint64_t gpa, uint64_t pages,
			enum airlock_page state, enum airlock_page *other)
{
	uint64_t pfn = gpa >> AIRLOCK_PAGE_SHIFT, end = pfn + pages;
	uint64_t at = pfn / WORD_PAGES, last = (end - 1) / WORD_PAGES;
	uint64_t bits = pattern(state), odd = (word(a, at) ^ bits) & from(pfn);

	while (!odd && at < last)
		odd = word(a, ++at) ^ bits;
	if (at == last)
		odd &= before(end);
	if (!odd)
		return true;
	if (other)
		*other = word(a, at) >> (__builtin_ctzll(odd) & ~1) & 3;
	return false;
}

/* x86-64 before POPCNT has no instruction for it, and libgcc is not there. */
static unsigned int count_bits(uint64_t x)
{
	unsigned int n = 0;

	for (; x; x &= x - 1)
		n++;
	return n;
}

uint64_t airlock_ledger_count(const struct airlock *a, uint64_t gpa,
			      uint64_t pages, enum airlock_page state)
{
	uint64_t pfn = gpa >> AIRLOCK_PAGE_SHIFT, end = pfn + pages, next;
	uint64_t n = 0;

	for (; pfn < end; pfn = next) {
		uint64_t m = mask(pfn, end, &next);

		n += count_bits(in_state(word(a, pfn / WORD_PAGES), state) & m);
	}
	return n;
}

static uint64_t memory_pages(const struct airlock *a)
{
	return a->cfg.memory >> AIRLOCK_PAGE_SHIFT;
}

enum airlock_page airlock_page(const struct airlock *a, uint64_t gpa)
{
	uint64_t pfn = gpa >> AIRLOCK_PAGE_SHIFT;

	if (pfn >= memory_pages(a))
		return AIRLOCK_PAGE_PRIVATE;
	return word(a, pfn / WORD_PAGES) >> (2 * (pfn % WORD_PAGES)) & 3;
}

bool airlock_next(const struct airlock *a, enum airlock_page state,
		  uint64_t *gpa, uint64_t *pages)
{
	uint64_t pfn = *gpa >> AIRLOCK_PAGE_SHIFT, end = memory_pages(a);
	uint64_t next, found;

	for (; pfn < end; pfn = next) {
		uint64_t m = mask(pfn, end, &next);

		found = in_state(word(a, pfn / WORD_PAGES), state) & m;
		if (!found)
			continue;
		pfn = pfn - pfn % WORD_PAGES +
			(uint64_t)__builtin_ctzll(found) / 2;
		break;
	}
	if (pfn >= end)
		return false;
	*gpa = pfn << AIRLOCK_PAGE_SHIFT;
	for (*pages = 0; pfn < end; pfn = next) {
		uint64_t m = mask(pfn, end, &next);

		found = ~in_state(word(a, pfn / WORD_PAGES), state) & EACH & m;
		if (found)
			next = pfn - pfn % WORD_PAGES +
				(uint64_t)__builtin_ctzll(found) / 2;
		*pages += next - pfn;
		if (found)
			break;
	}
	return true;
}

int airlock_note(struct airlock *a, uint64_t gpa, uint64_t pages,
		 enum airlock_to to)
{
	uint64_t first = gpa >> AIRLOCK_PAGE_SHIFT;
	int status = AIRLOCK_OK;

	if (!a || !pages || gpa % AIRLOCK_PAGE_SIZE ||
	    (to != AIRLOCK_TO_PRIVATE && to != AIRLOCK_TO_SHARED))
		return AIRLOCK_E_ARG;
	if (first >= memory_pages(a) || pages > memory_pages(a) - first)
		return AIRLOCK_E_MEMORY;
	/* Nothing to remember, or airlock_reclaim_all() would look for it. */
	if (a->cfg.platform == AIRLOCK_PLAIN)
		return AIRLOCK_OK;
	airlock_port_lock();
	if (airlock_ledger_count(a, gpa, pages, AIRLOCK_PAGE_QUARANTINE))
		status = AIRLOCK_E_QUARANTINED;
	else if (airlock_ledger_count(a, gpa, pages, AIRLOCK_PAGE_TRANSITION))
		status = AIRLOCK_E_BUSY;
	else
		airlock_ledger_set(a, gpa, pages, to == AIRLOCK_TO_SHARED ?
				   AIRLOCK_PAGE_SHARED : AIRLOCK_PAGE_PRIVATE);
	airlock_port_unlock();
	return status;
}
