// SPDX-License-Identifier: GPL-2.0
/* The lab's parts that have an answer of their own: interning, circles. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "search/ends.h"
#include "search/intern.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool circle(uint64_t states, const char *edges, uint32_t *at)
{
	struct ends e = { 0 };
	bool found;

	for (; *edges; edges += 2)
		ends_edge(&e, (uint32_t)(edges[0] - 'a'),
			  (uint32_t)(edges[1] - 'a'));
	found = ends_circle(&e, states, at);
	ends_free(&e);
	return found;
}

static void good_trees_and_meshes_end(void **state)
{
	uint32_t at;

	(void)state;
	assert_false(circle(1, "", &at));
	assert_false(circle(4, "abbccd", &at));
	assert_false(circle(4, "abacbdcd", &at));
	assert_false(circle(5, "abacbdcdadce", &at));
}

static void good_standing_still_is_no_circle(void **state)
{
	uint32_t at;

	(void)state;
	assert_false(circle(3, "aaabbbbc", &at));
}

static void bad_circles_are_found(void **state)
{
	uint32_t at;

	(void)state;
	assert_true(circle(2, "abba", &at));
	assert_true(circle(4, "abbccbcd", &at));
	assert_true(at == 1 || at == 2 || at == 3);
	assert_true(circle(5, "abbccddbbe", &at));
	assert_true(circle(6, "abacbddeebcf", &at));
}

/* Random graphs against a search for a way back from each state. */
static bool way_back(unsigned int n, const uint8_t *edge, unsigned int s)
{
	bool seen[16] = { false };
	unsigned int todo[16], k = 0;

	for (unsigned int i = 0; i < n; i++)
		if (i != s && edge[s * n + i]) {
			todo[k++] = i;
			seen[i] = true;
		}
	while (k) {
		unsigned int x = todo[--k];

		if (x != s && edge[x * n + s])
			return true;
		for (unsigned int i = 0; i < n; i++)
			if (i != x && edge[x * n + i] && !seen[i]) {
				seen[i] = true;
				todo[k++] = i;
			}
	}
	return false;
}

static void good_random_graphs(void **state)
{
	unsigned int circles = 0;

	(void)state;
	srand(1);
	for (unsigned int run = 0; run < 2000; run++) {
		unsigned int n = 2 + (unsigned int)rand() % 9;
		uint8_t edge[16 * 16] = { 0 };
		struct ends e = { 0 };
		bool want = false;
		uint32_t at;

		for (unsigned int i = 0; i < n + n / 3; i++) {
			unsigned int a = (unsigned int)rand() % n;
			unsigned int b = (unsigned int)rand() % n;

			edge[a * n + b] = 1;
			ends_edge(&e, a, b);
		}
		for (unsigned int s = 0; s < n; s++)
			want |= way_back(n, edge, s);
		circles += want;
		assert_int_equal(ends_circle(&e, n, &at), want);
		ends_free(&e);
	}
	assert_in_range(circles, 200, 1800);
}

static void good_equal_bytes_get_equal_numbers(void **state)
{
	struct intern *in = intern_new();
	const void *first;
	char buf[64];

	(void)state;
	for (uint32_t i = 0; i < 20000; i++) {
		uint32_t n = (uint32_t)snprintf(buf, sizeof(buf), "%u", i);

		assert_int_equal(intern(in, buf, n), i);
	}
	first = intern_get(in, 0);
	for (uint32_t i = 0; i < 20000; i++) {
		uint32_t n = (uint32_t)snprintf(buf, sizeof(buf), "%u", i);

		assert_int_equal(intern(in, buf, n), i);
		assert_int_equal(intern_size(in, i), n);
		assert_memory_equal(intern_get(in, i), buf, n);
	}
	assert_int_equal(intern_count(in), 20000);
	assert_ptr_equal(intern_get(in, 0), first);
	intern_free(in);
}

static void good_length_and_large_strings_matter(void **state)
{
	struct intern *in = intern_new();
	size_t size = 3u << 20;
	char *big = calloc(1, size);
	char zero[8] = { 0 };

	(void)state;
	assert_non_null(big);
	assert_int_equal(intern(in, zero, 4), 0);
	assert_int_equal(intern(in, zero, 8), 1);
	assert_int_equal(intern(in, big, (uint32_t)size), 2);
	big[size - 1] = 1;
	assert_int_equal(intern(in, big, (uint32_t)size), 3);
	assert_int_equal(intern(in, zero, 4), 0);
	assert_true(intern_bytes(in) >= 2 * size);
	free(big);
	intern_free(in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_trees_and_meshes_end),
		cmocka_unit_test(good_standing_still_is_no_circle),
		cmocka_unit_test(bad_circles_are_found),
		cmocka_unit_test(good_random_graphs),
		cmocka_unit_test(good_equal_bytes_get_equal_numbers),
		cmocka_unit_test(good_length_and_large_strings_matter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
