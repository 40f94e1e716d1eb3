// SPDX-License-Identifier: GPL-2.0
/*
 * The failure contract: whatever request the host refuses, does half, stalls
 * or lies about, the outcome adds up, the ledger agrees with the page tables
 * and with what the host holds, and no page in doubt comes back.
 */
#include "world.h"

static struct airlock_outcome out;

/* Small and large leaves, a split one, one that has an alias. */
static const struct airlock_range mixed[] = {
	{ DM + 3 * PAGE, 5 },
	{ DM + 10 * MiB, 512 },
	{ DM + 12 * MiB + 7 * PAGE, 9 },
	{ VM, 6 },
	{ DM + 100 * PAGE, 2 },
	{ DM + 104 * PAGE, 1 }, { DM + 106 * PAGE, 1 }, { DM + 108 * PAGE, 1 },
	{ DM + 110 * PAGE, 1 }, { DM + 112 * PAGE, 1 }, { DM + 114 * PAGE, 1 },
};
#define NMIXED (sizeof(mixed) / sizeof(mixed[0]))
#define MIXED_PAGES (5 + 512 + 9 + 6 + 2 + 6)

static int convert(enum airlock_to to, const struct airlock_order *order)
{
	return airlock_convert_order(w.a, mixed, NMIXED, to, order, &out);
}

static void begin(enum airlock_platform p, enum airlock_to to, bool release)
{
	unsigned int i;

	world_begin(p, release ? AIRLOCK_F_TDX_RELEASE : 0);
	for (i = 0; i < 6; i++)
		world_vmalloc(i, i % 2 ? 20 * MiB + i * PAGE :
			      (200 - i) * PAGE);
	world_vmalloc(6, 4 * PAGE);
	if (to == AIRLOCK_TO_PRIVATE)
		assert_int_equal(convert(AIRLOCK_TO_SHARED,
					 &airlock_default_order), 0);
	w.violations = w.requests = 0;
}

static void contract(int status)
{
	assert_int_equal(out.status, status);
	assert_int_equal(out.converted + out.reverted + out.quarantined,
			 MIXED_PAGES);
	assert_int_equal(out.converted, status ? 0 : MIXED_PAGES);
	if (status && w.mode == LIE)
		assert_true(w.violations && status >= AIRLOCK_V_UNCHANGED);
	else
		assert_int_equal(w.violations, 0);
	world_check(0, 32 * MiB);
}

/* An honest host again: all is as before, or refused because of quarantine. */
static void afterwards(enum airlock_to to, int status)
{
	uint64_t quarantined = out.quarantined, gpa = 0, n, sum = 0;

	for (; airlock_next(w.a, AIRLOCK_PAGE_QUARANTINE, &gpa, &n);
	     gpa += n * PAGE)
		sum += n;
	assert_int_equal(sum, quarantined);
	w.mode = HONEST;
	w.early = false;
	if (!status)
		to = to == AIRLOCK_TO_SHARED ? AIRLOCK_TO_PRIVATE :
		     AIRLOCK_TO_SHARED;
	status = convert(to, &airlock_default_order);
	assert_int_equal(status, quarantined ? AIRLOCK_E_QUARANTINED : 0);
	world_check(0, 32 * MiB);
}

struct injection {
	enum airlock_platform p;
	enum airlock_to to;
	enum host_mode mode;
	unsigned int lie;
	bool early;
	bool release;
	const char *order;	/* NULL: the default */
};

static int inject(const struct injection *in, long at)
{
	struct airlock_order order = airlock_default_order;
	int status;

	begin(in->p, in->to, in->release);
	w.mode = in->mode;
	w.lie = in->lie;
	w.early = in->early;
	w.fail_at = at;
	if (in->order) {
		w.any_order = true;
		assert_int_equal(airlock_order_named(in->order, in->p, in->to,
						     &order), 0);
	}
	status = convert(in->to, &order);
	contract(status);
	if (in->mode == REFUSE || in->mode == HALF) {
		/* Once only: nothing is lost. */
		assert_true(!status || status == AIRLOCK_E_REFUSED);
		assert_int_equal(out.quarantined, 0);
	}
	if (in->mode == STALL && status)
		assert_true(status == AIRLOCK_E_STALLED ||
			    status == AIRLOCK_E_REFUSED);
	afterwards(in->to, status);
	world_end();
	return status;
}

/* At the first request, the second, ... until none fails. */
static void every_request(const struct injection *in)
{
	long at;
	int failures = 0;

	for (at = 0; at < 10000; at++) {
		if (!inject(in, at))
			break;
		failures++;
	}
	/* What was to fail did fail. */
	assert_true(failures > 0);
}

static void every_way(struct injection *in)
{
	int p, to, more;

	for (p = AIRLOCK_SNP; p < AIRLOCK_PLATFORMS; p++)
		for (to = 0; to < 2; to++)
			for (more = 0; more < 4; more++) {
				in->p = (enum airlock_platform)p;
				in->to = (enum airlock_to)to;
				in->early = more & 1;
				in->release = more & 2;
				if (in->release && p != AIRLOCK_TDX)
					continue;
				every_request(in);
			}
}

static void good_refused_once(void **state)
{
	struct injection in = { .mode = REFUSE };

	(void)state;
	every_way(&in);
}

static void good_done_half(void **state)
{
	struct injection in = { .mode = HALF };

	(void)state;
	every_way(&in);
}

static void good_refused_for_ever(void **state)
{
	struct injection in = { .mode = REFUSE_ALL };

	(void)state;
	every_way(&in);
}

static void good_stalled(void **state)
{
	struct injection in = { .mode = STALL };

	(void)state;
	every_way(&in);
}

static void good_lies(void **state)
{
	struct injection in = { .mode = LIE };
	int to, early;

	(void)state;
	for (to = 0; to < 2; to++)
		for (early = 0; early < 2; early++)
			for (in.lie = 0; in.lie < 7; in.lie++) {
				in.to = (enum airlock_to)to;
				in.early = early;
				in.p = AIRLOCK_SNP;
				every_request(&in);
				if (in.lie < 4) {
					in.p = AIRLOCK_TDX;
					every_request(&in);
					in.p = AIRLOCK_VTOM;
					every_request(&in);
				}
			}
}

/* Asks for @n ranges; the host lies once, and is honest then. */
static void lie_once(const struct airlock_range *r, unsigned int n,
		     enum airlock_platform p, enum airlock_to to,
		     unsigned int lie, long at)
{
	world_begin(p, 0);
	if (to == AIRLOCK_TO_PRIVATE)
		assert_int_equal(airlock_convert(w.a, r, n, AIRLOCK_TO_SHARED,
						 &out), 0);
	w.mode = LIE;
	w.once = true;
	w.lie = lie;
	w.fail_at = at;
	w.early = true;
	assert_true(airlock_convert(w.a, r, n, to, &out) >=
		    AIRLOCK_V_UNCHANGED);
	assert_int_equal(w.violations, 1);
}

/* One lie, then an honest host: what the lie was about is not asked for
 * again, and not one page more is lost. */
static void one_lie(enum airlock_platform p, enum airlock_to to,
		    unsigned int lie, long at, uint64_t lost)
{
	struct airlock_range r = { DM, 40 };

	lie_once(&r, 1, p, to, lie, at);
	assert_int_equal(out.quarantined, lost);
	assert_int_equal(out.reverted, 40 - lost);
	world_check(0, MiB);
	world_end();
}

static void good_one_lie(void **state)
{
	(void)state;
	/* PVALIDATE of the 8th page; the third exit, 3 entries each. */
	one_lie(AIRLOCK_SNP, AIRLOCK_TO_SHARED, 0, 7, 1);
	one_lie(AIRLOCK_SNP, AIRLOCK_TO_PRIVATE, 0, 7, 1);
	one_lie(AIRLOCK_SNP, AIRLOCK_TO_SHARED, 2, 2, 40 - 6);
	one_lie(AIRLOCK_SNP, AIRLOCK_TO_PRIVATE, 3, 2, 40 - 6);
	/* MapGPA does half of what is left at a time. */
	one_lie(AIRLOCK_TDX, AIRLOCK_TO_SHARED, 0, 1, 20);
	one_lie(AIRLOCK_TDX, AIRLOCK_TO_PRIVATE, 1, 2, 10);
	/* Two reps a call; a lie leaves all that were asked for in doubt. */
	one_lie(AIRLOCK_VTOM, AIRLOCK_TO_SHARED, 1, 3, 40 - 6);
	one_lie(AIRLOCK_TDP, AIRLOCK_TO_PRIVATE, 0, 3, 40 - 6);
}

/* The range has 4K leaves; what else maps it is one leaf, which goes whole. */
static void lie_about_a_page_of_a_large_alias(void **state)
{
	struct airlock_range r = { VM, 512 };
	unsigned int i;

	(void)state;
	world_begin(AIRLOCK_SNP, 0);
	for (i = 0; i < 512; i++)
		world_vmalloc(i, 10 * MiB + i * PAGE);
	w.mode = LIE;
	w.once = true;
	w.small = true;
	w.fail_at = 7;
	assert_true(airlock_convert(w.a, &r, 1, AIRLOCK_TO_SHARED, &out) >=
		    AIRLOCK_V_UNCHANGED);
	assert_int_equal(out.quarantined, 512);
	world_check(10 * MiB, 12 * MiB);
	world_end();
}

/* There is none for the second list: the first is taken back, and no more. */
static void good_no_input_page(void **state)
{
	struct airlock_range r = { DM + 8 * MiB, 600 };

	(void)state;
	world_begin(AIRLOCK_VTOM, 0);
	w.hv_left = 1;
	assert_int_equal(airlock_convert(w.a, &r, 1, AIRLOCK_TO_SHARED, &out),
			 AIRLOCK_E_REFUSED);
	assert_int_equal(out.reverted, 600);
	assert_int_equal(w.exits, 2);
	assert_int_equal(w.violations, 0);
	world_check(8 * MiB, 12 * MiB);
	world_end();
}

/* @first: the first page whose state is not known. */
static void lie_is_at(enum airlock_platform p, enum airlock_to to,
		      unsigned int lie, long at, uint64_t first)
{
	const struct airlock_range row = { DM, 10 }, apart[10] = {
		{ DM, 1 }, { DM + 2 * PAGE, 1 }, { DM + 4 * PAGE, 1 },
		{ DM + 6 * PAGE, 1 }, { DM + 8 * PAGE, 1 },
		{ DM + 10 * PAGE, 1 }, { DM + 12 * PAGE, 1 },
		{ DM + 14 * PAGE, 1 }, { DM + 16 * PAGE, 1 },
		{ DM + 18 * PAGE, 1 },
	};

	lie_once(&row, 1, p, to, lie, at);
	assert_int_equal(w.lied_at, first * PAGE);
	world_end();
	/* MapGPA takes each of these in a call of its own. */
	if (p == AIRLOCK_TDX)
		return;
	lie_once(apart, 10, p, to, lie, at);
	assert_int_equal(w.lied_at, 2 * first * PAGE);
	world_end();
}

/* What was done before the lie is not what it is about. */
static void lie_says_where(void **state)
{
	(void)state;
	lie_is_at(AIRLOCK_SNP, AIRLOCK_TO_SHARED, 0, 7, 7);
	lie_is_at(AIRLOCK_SNP, AIRLOCK_TO_SHARED, 2, 2, 6);
	lie_is_at(AIRLOCK_TDX, AIRLOCK_TO_SHARED, 0, 1, 5);
	lie_is_at(AIRLOCK_VTOM, AIRLOCK_TO_SHARED, 1, 0, 0);
	lie_is_at(AIRLOCK_VTOM, AIRLOCK_TO_SHARED, 1, 3, 6);
	lie_is_at(AIRLOCK_TDP, AIRLOCK_TO_PRIVATE, 0, 3, 6);
}

/* Page by page through the MSR: refused, or answered with something else. */
static void msr_fails(enum host_mode mode, enum airlock_to to, long at)
{
	struct airlock_range r = { DM + 3 * PAGE, 3 };

	world_begin(AIRLOCK_SNP, 0);
	w.no_ghcb = true;
	if (to == AIRLOCK_TO_PRIVATE)
		assert_int_equal(airlock_convert(w.a, &r, 1,
						 AIRLOCK_TO_SHARED, &out), 0);
	w.mode = mode;
	w.lie = 2;	/* not PVALIDATE's */
	w.fail_at = at;
	assert_int_equal(airlock_convert(w.a, &r, 1, to, &out), mode == LIE ?
			 AIRLOCK_V_CALLED_BACK : AIRLOCK_E_REFUSED);
	assert_int_equal(out.reverted + out.quarantined, 3);
	assert_int_equal(w.violations > 0, mode == LIE);
	if (mode == REFUSE)
		assert_int_equal(out.quarantined, 0);
	world_check(0, MiB);
	world_end();
}

static void good_msr_protocol_fails(void **state)
{
	int to, at;

	(void)state;
	for (to = 0; to < 2; to++)
		for (at = 0; at < 3; at++) {
			/* To shared, PVALIDATE counts no request. */
			msr_fails(REFUSE, (enum airlock_to)to, at);
			msr_fails(REFUSE_ALL, (enum airlock_to)to, at);
			msr_fails(LIE, (enum airlock_to)to, at);
		}
}

/* A page in quarantine stays there, whatever is noted around it. */
static void good_note_beside_quarantine(void **state)
{
	struct airlock_range r = { DM + 7 * PAGE, 1 };

	(void)state;
	world_begin(AIRLOCK_SNP, 0);
	w.mode = LIE;
	assert_int_equal(airlock_convert(w.a, &r, 1, AIRLOCK_TO_SHARED, &out),
			 AIRLOCK_V_UNCHANGED);
	assert_int_equal(out.quarantined, 1);
	assert_int_equal(airlock_note(w.a, 5 * PAGE, 4, AIRLOCK_TO_SHARED),
			 AIRLOCK_E_QUARANTINED);
	assert_int_equal(airlock_note(w.a, 7 * PAGE, 1, AIRLOCK_TO_PRIVATE),
			 AIRLOCK_E_QUARANTINED);
	assert_int_equal(airlock_page(w.a, 5 * PAGE), AIRLOCK_PAGE_PRIVATE);
	assert_int_equal(airlock_page(w.a, 7 * PAGE), AIRLOCK_PAGE_QUARANTINE);
	world_end();
}

/* A busy module is asked three times, and is no liar. */
static void good_module_is_busy(void **state)
{
	struct airlock_range r = { DM + 8 * MiB, 512 };

	(void)state;
	world_begin(AIRLOCK_TDX, 0);
	assert_int_equal(airlock_convert(w.a, &r, 1, AIRLOCK_TO_SHARED, &out),
			 0);
	w.busy = 3;
	assert_int_equal(airlock_convert(w.a, &r, 1, AIRLOCK_TO_PRIVATE, &out),
			 AIRLOCK_E_STALLED);
	assert_int_equal(out.reverted, 512);
	world_check(0, GiB);
	w.busy = 2;
	assert_int_equal(airlock_convert(w.a, &r, 1, AIRLOCK_TO_PRIVATE, &out),
			 0);
	assert_int_equal(w.violations, 0);
	world_check(0, GiB);
	world_end();
}

/*
 * A module that was busy has done nothing, and it is trusted: the pages were
 * not accepted, so there is nothing to release. An honest module refuses the
 * release of a page that is pending, which would look like a lie.
 */
static void good_busy_module_leaves_nothing_to_release(void **state)
{
	struct airlock_range r = { DM + 8 * MiB, 1024 };

	(void)state;
	world_begin(AIRLOCK_TDX, AIRLOCK_F_TDX_RELEASE);
	assert_int_equal(airlock_convert(w.a, &r, 1, AIRLOCK_TO_SHARED, &out),
			 0);
	w.busy = 3;
	assert_int_equal(airlock_convert(w.a, &r, 1, AIRLOCK_TO_PRIVATE, &out),
			 AIRLOCK_E_STALLED);
	assert_int_equal(w.violations, 0);
	assert_int_equal(out.quarantined, 0);
	assert_int_equal(out.reverted, 1024);
	world_check(0, GiB);
	assert_int_equal(airlock_convert(w.a, &r, 1, AIRLOCK_TO_PRIVATE, &out),
			 0);
	w.busy = 3;
	assert_int_equal(airlock_convert(w.a, &r, 1, AIRLOCK_TO_SHARED, &out),
			 AIRLOCK_E_STALLED);
	assert_int_equal(w.violations, 0);
	assert_int_equal(out.reverted, 1024);
	world_check(0, GiB);
	world_end();
}

/* Orders that keep the mapping present: what is lost must end unmapped. */
static void good_historic_orders_unwind(void **state)
{
	static const enum host_mode modes[] = { REFUSE, HALF, REFUSE_ALL, LIE };
	struct injection in = { .order = "linux" };
	unsigned int m;
	int p, to;

	(void)state;
	for (m = 0; m < 4; m++)
		for (p = AIRLOCK_SNP; p < AIRLOCK_PLATFORMS; p++)
			for (to = 0; to < 2; to++) {
				in.mode = modes[m];
				in.p = (enum airlock_platform)p;
				in.to = (enum airlock_to)to;
				every_request(&in);
			}
}

/* A callback's no takes everything back, on SEV as well. */
static void good_callback_says_no(void **state)
{
	long at;
	int p, to;

	(void)state;
	for (p = AIRLOCK_SEV; p < AIRLOCK_PLATFORMS; p++)
		for (to = 0; to < 2; to++)
			for (at = 0; at < 2; at++) {
				begin((enum airlock_platform)p,
				      (enum airlock_to)to, false);
				w.callback_left = at;
				assert_int_equal(convert((enum airlock_to)to,
					&airlock_default_order),
					AIRLOCK_E_CALLBACK);
				assert_int_equal(out.reverted, MIXED_PAGES);
				contract(AIRLOCK_E_CALLBACK);
				w.callback_left = -1;
				afterwards((enum airlock_to)to,
					   AIRLOCK_E_CALLBACK);
				world_end();
			}
}

/* One shootdown more at most, and splits come together again. */
static void good_failure_is_cheap(void **state)
{
	struct airlock_range r = { DM + GiB + 5 * PAGE, 3 };

	(void)state;
	world_begin(AIRLOCK_TDX, 0);
	w.mode = REFUSE;
	assert_int_equal(airlock_convert(w.a, &r, 1, AIRLOCK_TO_SHARED, &out),
			 AIRLOCK_E_REFUSED);
	assert_int_equal(out.reverted, 3);
	assert_int_equal(w.shootdowns, 1);
	assert_true(world_leaf(DM + GiB, NULL) & 0x80);
	world_check(GiB, 2 * GiB);
	world_end();
}

/* A page lost in a large leaf takes the leaf along, seen from either side. */
static void good_quarantine_takes_the_leaf(void **state)
{
	struct airlock_range r = { DM + 8 * MiB, 1024 };

	(void)state;
	world_begin(AIRLOCK_SNP, AIRLOCK_F_COHERENT);
	w.mode = LIE;
	w.small = true;
	w.fail_at = 5;
	w.lie = 0;
	assert_int_equal(airlock_convert(w.a, &r, 1, AIRLOCK_TO_SHARED, &out),
			 AIRLOCK_V_UNCHANGED);
	assert_int_equal(out.quarantined % 512, 0);
	assert_true(out.quarantined > 0);
	world_check(0, GiB);
	world_end();
}

/* The host refuses during reclaim: the rest comes back all the same. */
static void good_reclaim_goes_on(void **state)
{
	struct airlock_range r[3] = { { DM, 4 }, { DM + 8 * MiB, 512 },
				      { DM + 9 * PAGE, 1 } };

	(void)state;
	world_begin(AIRLOCK_TDX, 0);
	assert_int_equal(airlock_convert(w.a, r, 3, AIRLOCK_TO_SHARED, &out),
			 0);
	w.mode = REFUSE;
	w.fail_at = 1;
	assert_int_equal(airlock_reclaim_all(w.a, &out), AIRLOCK_E_REFUSED);
	assert_int_equal(out.converted, 4 + 512);
	assert_int_equal(out.reverted, 1);
	world_check(0, GiB);
	world_end();
}

static uint64_t seed;

static uint64_t rnd(uint64_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (seed >> 11) % below;
}

/* Up to three ranges somewhere, of any size up to 5M. */
static unsigned int random_ranges(struct airlock_range *r)
{
	static const uint64_t base[] = { 0, 6 * MiB, 8 * MiB, GiB - 4 * MiB,
					 GiB, 2 * GiB - 2 * MiB };
	unsigned int n = 1 + (unsigned int)rnd(3), i;

	for (i = 0; i < n; i++) {
		r[i].va = DM + base[rnd(6)] + rnd(4) * MiB / 2;
		r[i].pages = rnd(3) ? UINT64_C(1) << rnd(11) : 1 + rnd(1280);
		if (rnd(2))
			r[i].va += rnd(600) * PAGE;
		if (!rnd(8)) {
			r[i].va = VM + rnd(6) * PAGE;
			r[i].pages = 1 + rnd(3);
		}
	}
	return n;
}

static void random_call(void)
{
	struct airlock_range r[3];
	unsigned int n = random_ranges(r), i;
	uint64_t first = r[0].va < VM ? r[0].va - DM :
		world_leaf(r[0].va, NULL) & UINT64_C(0x3fffffff000);
	enum airlock_to to = !rnd(16) ^
		(airlock_page(w.a, first) == AIRLOCK_PAGE_SHARED) ?
		AIRLOCK_TO_PRIVATE : AIRLOCK_TO_SHARED;
	uint64_t pages = 0, before = world_hash();
	int status;

	if (rnd(4))
		n = 1;

	w.mode = rnd(3) ? HONEST : (enum host_mode)(REFUSE + rnd(5));
	w.fail_at = (long)rnd(8);
	w.lie = (unsigned int)rnd(7);
	w.early = rnd(2);
	w.small = rnd(2);
	w.callback_left = rnd(16) ? -1 : (long)rnd(2);
	w.alloc_left = rnd(8) ? -1 : (long)rnd(3);
	for (i = 0; i < n; i++)
		pages += r[i].pages;
	status = airlock_convert(w.a, r, n, to, &out);
	assert_int_equal(status, out.status);
	if (!status)
		assert_int_equal(out.converted, pages);
	else if (status < 64 && status != AIRLOCK_E_CALLBACK) {
		assert_int_equal(out.reverted + out.quarantined, 0);
		assert_int_equal(before, world_hash());
	} else {
		assert_int_equal(out.reverted + out.quarantined, pages);
	}
	world_check(0, 16 * MiB);
	world_check(GiB - 8 * MiB, GiB + 16 * MiB);
	world_check(2 * GiB - 4 * MiB, 2 * GiB + 8 * MiB);
}

/* Call after call, with every host there is, on the same pages. */
static void good_random_calls(void **state)
{
	unsigned int i, k;
	int p;

	(void)state;
	for (p = AIRLOCK_SEV; p < AIRLOCK_PLATFORMS; p++)
		for (k = 1; k <= 8; k++) {
			world_begin((enum airlock_platform)p, k & 1 ?
				    AIRLOCK_F_TDX_RELEASE : 0);
			seed = UINT64_C(0x9e3779b97f4a7c15) * (k + 8 *
							(unsigned int)p);
			for (i = 0; i < 6; i++)
				world_vmalloc(i, i % 2 ? 9 * MiB + i * PAGE :
					      (20 - i) * PAGE);
			for (i = 0; i < 80; i++)
				random_call();
			w.mode = HONEST;
			w.callback_left = w.alloc_left = -1;
			/* vmalloc's mappings stay as they are. */
			w.any_order = true;
			assert_int_equal(airlock_reclaim_all(w.a, &out), 0);
			world_end();
		}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_refused_once),
		cmocka_unit_test(good_done_half),
		cmocka_unit_test(good_refused_for_ever),
		cmocka_unit_test(good_stalled),
		cmocka_unit_test(good_lies),
		cmocka_unit_test(good_one_lie),
		cmocka_unit_test(lie_says_where),
		cmocka_unit_test(good_no_input_page),
		cmocka_unit_test(lie_about_a_page_of_a_large_alias),
		cmocka_unit_test(good_msr_protocol_fails),
		cmocka_unit_test(good_note_beside_quarantine),
		cmocka_unit_test(good_module_is_busy),
		cmocka_unit_test(good_busy_module_leaves_nothing_to_release),
		cmocka_unit_test(good_historic_orders_unwind),
		cmocka_unit_test(good_callback_says_no),
		cmocka_unit_test(good_failure_is_cheap),
		cmocka_unit_test(good_quarantine_takes_the_leaf),
		cmocka_unit_test(good_reclaim_goes_on),
		cmocka_unit_test(good_random_calls),
	};
	int n = sizeof(tests) / sizeof(tests[0]), failed;

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	printf("%d passed, %d failed\n", n - failed, failed);
	return failed;
}
