// SPDX-License-Identifier: GPL-2.0
/* Orders: the text, the names, and a parser that takes whatever comes. */
#include "world.h"

static struct airlock_order o;

/* @text does not parse; @where is what was not understood. */
static void bad(const char *text, size_t where)
{
	size_t at = 999;

	memset(&o, 0x55, sizeof(o));
	assert_int_equal(airlock_order_parse(text, &o, &at), AIRLOCK_E_ORDER);
	assert_int_equal(at, where);
	assert_int_equal(o.nsteps, 0x55);	/* not touched */
	assert_int_equal(airlock_order_parse(text, &o, NULL),
			 AIRLOCK_E_ORDER);
}

static void good(const char *text, const char *printed)
{
	struct airlock_order again;
	char buf[256];

	assert_int_equal(airlock_order_parse(text, &o, NULL), AIRLOCK_OK);
	assert_int_equal(airlock_order_print(&o, buf, sizeof(buf)),
			 strlen(printed));
	assert_string_equal(buf, printed);
	assert_int_equal(airlock_order_parse(buf, &again, NULL), AIRLOCK_OK);
	assert_memory_equal(&o, &again, sizeof(o));
}

static void good_texts(void **state)
{
	(void)state;
	good("flip,notify", "flip, notify");
	good("  alias ,np+flip,  tlb,notify@map,present  ",
	     "alias, np+flip, tlb, notify, present");
	good("cache@window,prepare@map,flip,notify@window",
	     "cache@window, prepare, flip, notify@window");
	good("np,notify,flip+present", "np, notify, flip+present");
}

static void bad_texts(void **state)
{
	char text[400] = "flip";
	int i;

	(void)state;
	bad("", 0);
	bad("   ", 3);
	bad("flip,", 5);
	bad("flip,,notify", 5);
	bad("flip, notif", 6);
	bad("flip, notifyx", 6);
	bad("flip notify", 5);
	bad("flip@map, notify", 0);
	bad("flip, notify@win", 6);
	bad("flip, notify@map@map", 6);
	bad("flip, notify;", 6);
	bad("tlb, notify", 11);			/* no flip */
	bad("flip, flip, notify", 18);
	bad("np+flip, notify", 15);		/* ends not present */
	bad("flip, tlb", 9);			/* no notify */
	bad("flip, notify, prepare", 21);	/* prepare comes too late */
	bad("flip, notify, notify", 20);
	for (i = 0; i < 23; i++)
		strcat(text, ",tlb");
	strcat(text, ",notify");
	bad(text, 4 + 23 * 4 + 1);		/* 25 steps */
	assert_int_equal(airlock_order_parse(NULL, &o, NULL),
			 AIRLOCK_E_ORDER);
}

static void good_named(void **state)
{
	struct airlock_order again;
	unsigned int i;
	char buf[256];
	int p, to;

	(void)state;
	for (i = 0; i < airlock_named_order_count; i++)
		for (p = 0; p < AIRLOCK_PLATFORMS; p++)
			for (to = 0; to < 2; to++) {
				assert_non_null(airlock_named_orders[i].what);
				assert_int_equal(airlock_order_named(
					airlock_named_orders[i].name,
					(enum airlock_platform)p,
					(enum airlock_to)to, &o), 0);
				assert_int_equal(o.step[0],
						 AIRLOCK_STEP_ALIAS);
				airlock_order_print(&o, buf, sizeof(buf));
				assert_int_equal(airlock_order_parse(buf,
						 &again, NULL), 0);
				assert_memory_equal(&o, &again, sizeof(o));
			}
	assert_int_equal(airlock_order_named("airlock", AIRLOCK_TDX,
					     AIRLOCK_TO_SHARED, &o), 0);
	assert_memory_equal(&o, &airlock_default_order, sizeof(o));
	airlock_order_print(&o, buf, sizeof(buf));
	assert_string_equal(buf, "alias, np+flip, tlb, cache@window, "
			    "prepare@window, notify@window, present");
	assert_int_equal(airlock_order_named("linu", AIRLOCK_TDX,
			 AIRLOCK_TO_SHARED, &o), AIRLOCK_E_ORDER);
	assert_int_equal(airlock_order_named("linuxx", AIRLOCK_TDX,
			 AIRLOCK_TO_SHARED, &o), AIRLOCK_E_ORDER);
	assert_int_equal(airlock_order_named(NULL, AIRLOCK_TDX,
			 AIRLOCK_TO_SHARED, &o), AIRLOCK_E_ORDER);
}

static void linux_is(enum airlock_platform p, enum airlock_to to,
		     const char *text)
{
	char buf[256];

	assert_int_equal(airlock_order_named("linux", p, to, &o), 0);
	airlock_order_print(&o, buf, sizeof(buf));
	assert_string_equal(buf, text);
}

/* Linux 6.12, arch/x86/mm/pat/set_memory.c and the three callbacks. */
static void good_linux(void **state)
{
	const char *flushes = "alias, tlb, cache, prepare, flip, tlb, notify";
	const char *hv = "alias, np, tlb, flip, tlb, notify, present, tlb";

	(void)state;
	linux_is(AIRLOCK_SNP, AIRLOCK_TO_SHARED, flushes);
	linux_is(AIRLOCK_SNP, AIRLOCK_TO_PRIVATE, flushes);
	linux_is(AIRLOCK_SEV, AIRLOCK_TO_PRIVATE, flushes);
	linux_is(AIRLOCK_TDX, AIRLOCK_TO_SHARED, flushes);
	linux_is(AIRLOCK_TDX, AIRLOCK_TO_PRIVATE,
		 "alias, prepare, flip, tlb, notify");
	linux_is(AIRLOCK_VTOM, AIRLOCK_TO_SHARED, hv);
	linux_is(AIRLOCK_TDP, AIRLOCK_TO_PRIVATE, hv);
}

/* As snprintf(): the whole length, whatever fits. */
static void good_print_truncates(void **state)
{
	char buf[16], whole[256];
	size_t n, size;

	(void)state;
	n = airlock_order_print(&airlock_default_order, whole, sizeof(whole));
	for (size = 0; size < sizeof(buf); size++) {
		memset(buf, 'x', sizeof(buf));
		assert_int_equal(airlock_order_print(&airlock_default_order,
						     buf, size), n);
		assert_int_equal(buf[size], 'x');
		if (size)
			assert_int_equal(strlen(buf), size - 1);
		assert_memory_equal(buf, whole, size ? size - 1 : 0);
	}
}

static void good_step_names(void **state)
{
	int i;

	(void)state;
	assert_null(airlock_step_name(0));
	assert_null(airlock_step_name(AIRLOCK_STEP_WINDOW));
	for (i = 1; i <= AIRLOCK_STEP_NOTIFY; i++)
		assert_non_null(airlock_step_name((uint8_t)i));
	for (; i < 128; i++)
		assert_null(airlock_step_name((uint8_t)i));
	assert_string_equal(airlock_step_name(AIRLOCK_STEP_CACHE | 0x80),
			    "cache");
}

static uint32_t rnd(void)
{
	static uint64_t x = 88172645463325252;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return (uint32_t)x;
}

/* Pieces of orders, strung together, with a byte changed now and then. */
static void random_text(char *text, size_t size)
{
	static const char *const bits[] = {
		"alias", "np", "flip", "np+flip", "present", "flip+present",
		"tlb", "cache", "prepare", "notify", "@map", "@window", ",",
		", ", " ", "+", "flip, notify", "np", "",
	};
	size_t n, i;

	/* Every fourth begins well. */
	strcpy(text, rnd() % 4 ? "" : "alias,flip,notify,");
	n = strlen(text);
	for (i = rnd() % (rnd() % 2 ? 40 : 6); i; i--) {
		const char *s = bits[rnd() % (sizeof(bits) / sizeof(*bits))];

		if (n + strlen(s) + 2 > size)
			break;
		strcpy(text + n, s);
		n += strlen(s);
		if (rnd() % 4)
			strcpy(text + n++, ",");
	}
	if (n && !(rnd() % 4))
		text[rnd() % n] = (char)(1 + rnd() % 255);
}

static void good_random_texts(void **state)
{
	char text[512], printed[512];
	struct airlock_order again;
	unsigned int i, parsed = 0;

	(void)state;
	for (i = 0; i < 300000; i++) {
		/* On the heap, exactly: a read too far is seen. */
		char *copy;
		size_t where = SIZE_MAX;

		random_text(text, sizeof(text));
		copy = strdup(text);
		memset(&o, 0, sizeof(o));
		if (airlock_order_parse(copy, &o, &where)) {
			assert_true(where <= strlen(copy));
		} else {
			airlock_order_print(&o, printed, sizeof(printed));
			assert_int_equal(airlock_order_parse(printed, &again,
							     NULL), 0);
			assert_memory_equal(&o, &again, sizeof(o));
			parsed++;
		}
		free(copy);
	}
	print_message("%u of them are orders\n", parsed);
	assert_true(parsed > 500);
}

/* Orders that are only bytes: none may be run that does not parse. */
static void good_random_bytes(void **state)
{
	struct airlock_range r = { DM, 2 };
	struct airlock_order bytes;
	unsigned int i, j, ran = 0;
	char buf[512];

	(void)state;
	world_begin(AIRLOCK_VTOM, 0);
	w.any_order = true;
	for (i = 0; i < 300000; i++) {
		memset(&bytes, 0, sizeof(bytes));
		bytes.nsteps = (uint8_t)(rnd() % 27);
		for (j = 0; j < AIRLOCK_ORDER_STEPS && j < bytes.nsteps; j++)
			bytes.step[j] = (uint8_t)(rnd() % 12 |
						  (rnd() % 9 ? 0 : 0x80));
		if (airlock_convert_order(w.a, &r, 1, ran & 1 ?
					  AIRLOCK_TO_PRIVATE :
					  AIRLOCK_TO_SHARED, &bytes, NULL))
			continue;
		ran++;
		airlock_order_print(&bytes, buf, sizeof(buf));
		assert_int_equal(airlock_order_parse(buf, &o, NULL), 0);
		assert_memory_equal(&o, &bytes, sizeof(o));
	}
	assert_true(ran > 100);
	world_end();
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_texts),
		cmocka_unit_test(bad_texts),
		cmocka_unit_test(good_named),
		cmocka_unit_test(good_linux),
		cmocka_unit_test(good_print_truncates),
		cmocka_unit_test(good_step_names),
		cmocka_unit_test(good_random_texts),
		cmocka_unit_test(good_random_bytes),
	};
	int n = sizeof(tests) / sizeof(tests[0]), failed;

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	printf("%d passed, %d failed\n", n - failed, failed);
	return failed;
}
