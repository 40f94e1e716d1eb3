// SPDX-License-Identifier: GPL-2.0
/* Wrapping: never wider than asked, and not a letter lost. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "draw.h"

static uint32_t seed = 1;

static uint32_t rnd(uint32_t n)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % n;
}

static void random_cell(char *s, size_t size)
{
	static const char letters[] = "abcdefgh,-(+ / \n  ";
	size_t n = 1 + rnd((uint32_t)size - 3);

	for (size_t i = 0; i < n; i++)
		s[i] = letters[rnd(sizeof(letters) - 1)];
	s[n] = '\n';
	s[n + 1] = '\0';
}

static void squeeze(char *s)
{
	char *to = s;

	for (; *s; s++)
		if (*s != ' ' && *s != '\n')
			*to++ = *s;
	*to = '\0';
}

static void good_cells(void **state)
{
	char text[300], seen[300];

	(void)state;
	for (unsigned int turn = 0; turn < 20000; turn++) {
		size_t width = 4 + rnd(76), k = 0, lines = 0;
		const char *at = NULL;
		struct line l;

		random_cell(text, 250);
		while ((at = line_next(text, at, width, &l))) {
			assert_true(l.indent + l.len <= width);
			memcpy(seen + k, l.start, l.len);
			k += l.len;
			assert_true(++lines < 300);
		}
		seen[k] = '\0';
		assert_int_equal(lines, line_count(text, width));
		squeeze(text);
		squeeze(seen);
		assert_string_equal(text, seen);
	}
}

static void good_word_break(void **state)
{
	struct line l;
	const char *text = "shootdown of 1 range\n";
	const char *at = line_next(text, NULL, 12, &l);

	(void)state;
	assert_int_equal(l.len, 12);
	at = line_next(text, at, 12, &l);
	assert_int_equal(l.len, 7);
	assert_memory_equal(l.start, "1 range", 7);
	assert_null(line_next(text, at, 12, &l));
}

/* A command, as printed, is the same command to a shell. */
static void good_command(void **state)
{
	char command[400], *out = NULL, *p;
	size_t size;

	(void)state;
	for (unsigned int turn = 0; turn < 300; turn++) {
		FILE *f = open_memstream(&out, &size);
		char *to = command;

		to += sprintf(command, "airlock check --order ");
		for (uint32_t i = rnd(250); i > 0; i--)
			*to++ = rnd(6) ? 'a' : ',';
		strcpy(to, "b --to shared --quiet");
		print_command(f, command);
		fclose(f);
		for (p = out; p; p = strchr(p, '\n') ? strchr(p, '\n') + 1 :
		     NULL)
			assert_true(strcspn(p, "\n") <= CLI_COLUMNS);
		while ((p = strstr(out, "\\\n")))
			memmove(p, p + 2, strlen(p + 2) + 1);
		while ((p = strstr(out, "  ")))
			memmove(p, p + 1, strlen(p + 1) + 1);
		out[strcspn(out, "\n")] = '\0';
		assert_string_equal(out + 1, command);
		free(out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_cells),
		cmocka_unit_test(good_word_break),
		cmocka_unit_test(good_command),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
